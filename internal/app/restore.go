package app

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
)

// readManifest reads and checks a backup's manifest.
func readManifest(dir string) (Manifest, error) {
	var m Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, fmt.Errorf("%s holds no finished backup: %w", dir, err)
	}
	want, err := os.ReadFile(filepath.Join(dir, sumName))
	if err != nil {
		return m, fmt.Errorf("%s holds no finished backup: %w", dir, err)
	}
	sum := sha256.Sum256(text)
	if string(want) != hex.EncodeToString(sum[:])+"\n" {
		return m, fmt.Errorf("%s or %s in %s is damaged: they do not fit each other", manifestName, sumName, dir)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("manifest in %s: %w", dir, err)
	}
	if m.Format != 1 {
		return m, fmt.Errorf("the backup in %s has format %d; this program knows 1", dir, m.Format)
	}
	return m, nil
}

// VerifyBackup reads every byte of a backup and lists all damage, in words; an empty list means that it is whole.
func VerifyBackup(dir string) ([]string, error) {
	m, err := readManifest(dir)
	if err != nil {
		return []string{err.Error()}, nil
	}
	var problems []string
	names := make([]string, 0, len(m.Files))
	for name := range m.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		want := m.Files[name]
		got, err := hashFile(filepath.Join(dir, filepath.FromSlash(name)))
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("%s cannot be read: %v", name, err))
		case got != want:
			problems = append(problems, fmt.Sprintf("%s is damaged: %d bytes with another hash than when it was written (%d bytes)", name, got.Bytes, want.Bytes))
		}
	}
	return problems, nil
}

func hashFile(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	c := counter{hash: sha256.New()}
	_, err = io.Copy(&c, f)
	return File{Bytes: c.n, SHA256: hex.EncodeToString(c.hash.Sum(nil))}, err
}

// Restore puts a backup into an empty site: the database and the blob store that c names. The whole backup is verified
// before the first byte is written. Files on their way when it was made are left out: their bytes are not part of it.
func Restore(ctx context.Context, c config.Config, dir string, opt Options) (report BackupReport, err error) {
	problems, err := VerifyBackup(dir)
	if err != nil || len(problems) > 0 {
		return report, errors.Join(err, fmt.Errorf("the backup is damaged, nothing was restored: %s", strings.Join(problems, "; ")))
	}
	m, err := readManifest(dir)
	if err != nil {
		return report, err
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return report, err
	}
	if c.Database == "" {
		unlock, err := lockFolder(c.Data)
		if err != nil {
			return report, err
		}
		defer unlock()
	}
	d, err := db.Open(ctx, db.Options{URL: c.Database, File: c.SQLiteFile()})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := Migrate(ctx, d); err != nil {
		return report, err
	}
	if err := emptySite(ctx, d, m); err != nil {
		return report, err
	}
	blobs, err := openBlobs(ctx, c, opt.Now)
	if err != nil {
		return report, err
	}
	if err := blobs.SetMarker(ctx, m.Instance); err != nil {
		return report, fmt.Errorf("restore: the blob store is not empty: %w", err)
	}
	for name := range m.Files {
		if !strings.HasPrefix(name, "blobs/") {
			continue
		}
		size, err := putFile(ctx, blobs, filepath.Join(dir, filepath.FromSlash(name)), name)
		if err != nil {
			return report, err
		}
		report.Blobs++
		report.Bytes += size
	}
	return report, restoreRows(ctx, d, c, dir, m, &report, opt)
}

// emptySite refuses a database that holds anything of people or money, or that cannot take the backup's rows.
func emptySite(ctx context.Context, d *db.DB, m Manifest) error {
	for _, table := range []string{"account", "recording", "orders", "journal"} {
		n, err := db.Get[int64](ctx, d, `SELECT count(*) FROM `+table)
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("the site to restore into is not empty (%d rows in %s): restore into a new folder or database", n, table)
		}
	}
	mine, err := db.Query[int64](ctx, d, `SELECT DISTINCT version_id FROM schema_version WHERE version_id > 0 ORDER BY version_id`)
	if err != nil {
		return err
	}
	for _, v := range m.Migrations {
		if !slices.Contains(mine, v) {
			return fmt.Errorf("the backup was made by a newer program (migration %d): restore it with that version", v)
		}
	}
	return nil
}

func putFile(ctx context.Context, blobs blob.Store, path, name string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	ref, size, err := blobs.Put(ctx, f)
	if err == nil && blobPath(string(ref)) != name {
		err = blob.ErrCorrupt
	}
	if err != nil {
		return 0, fmt.Errorf("restore %s: %w", name, err)
	}
	return size, nil
}

// restoreRows fills all tables and enqueues the unfinished jobs, in one transaction: the site is there as a whole or not at all.
func restoreRows(ctx context.Context, d *db.DB, c config.Config, dir string, m Manifest, report *BackupReport, opt Options) error {
	refs, err := db.References(ctx, d)
	if err != nil {
		return err
	}
	queue, err := waitingJobs(filepath.Join(dir, jobsName))
	if err != nil {
		return err
	}
	a := &App{Config: c, Log: opt.Log, Now: opt.Now, DB: d, Version: opt.Version}
	if err := a.wire(ctx); err != nil { // knows the kinds of jobs
		return err
	}
	tables := inOrderOf(m.Tables, refs)
	return d.Tx(ctx, func(tx *db.Tx) error {
		report.Rows, report.Jobs = 0, len(queue)
		// What a new site puts into its tables goes first.
		for _, t := range slices.Backward(tables) {
			if _, err := db.Exec(ctx, tx, `DELETE FROM "`+t.Name+`"`); err != nil {
				return fmt.Errorf("restore table %s: %w", t.Name, err)
			}
		}
		for _, t := range tables {
			n, err := loadTable(ctx, tx, filepath.Join(dir, "tables", t.Name+".jsonl"), t)
			if err != nil {
				return fmt.Errorf("restore table %s: %w", t.Name, err)
			}
			if n != t.Rows {
				return fmt.Errorf("restore table %s: %d rows in the file, %d in the manifest", t.Name, n, t.Rows)
			}
			report.Rows += n
		}
		if _, err := db.Exec(ctx, tx, `DELETE FROM upload WHERE finished_at = 0`); err != nil {
			return err
		}
		_, err := a.Jobs.Requeue(ctx, tx, queue)
		return err
	})
}

func waitingJobs(path string) ([]jobs.Waiting, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []jobs.Waiting
	dec := json.NewDecoder(f)
	for {
		var j jobs.Waiting
		switch err := dec.Decode(&j); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("restore jobs: %w", err)
		}
		out = append(out, j)
	}
}

// inOrderOf sorts tables so that what others refer to comes first.
func inOrderOf(tables []BackupTable, refs map[string][]string) []BackupTable {
	byName := map[string]BackupTable{}
	for _, t := range tables {
		byName[t.Name] = t
	}
	var out []BackupTable
	placed := map[string]bool{}
	var place func(name string)
	place = func(name string) {
		t, ok := byName[name]
		if !ok || placed[name] {
			return
		}
		placed[name] = true
		for _, r := range refs[name] {
			place(r)
		}
		out = append(out, t)
	}
	for _, t := range tables {
		place(t.Name)
	}
	return out
}

func loadTable(ctx context.Context, tx *db.Tx, path string, t BackupTable) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	types := make([]string, len(t.Types))
	marks := make([]string, len(t.Columns))
	for i, typ := range t.Types {
		marks[i] = "$" + strconv.Itoa(i+1)
		if types[i] = typ; typ == "BLOB" {
			types[i] = "BYTEA"
		}
	}
	query := `INSERT INTO "` + t.Name + `" ("` + strings.Join(t.Columns, `", "`) + `") VALUES (` + strings.Join(marks, ", ") + `)`
	r := bufio.NewReaderSize(f, 1<<16)
	for n := int64(0); ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		values, err := decodeRow(line, types)
		if err != nil {
			return n, fmt.Errorf("row %d: %w", n+1, err)
		}
		if _, err := db.Exec(ctx, tx, query, values...); err != nil {
			return n, fmt.Errorf("row %d: %w", n+1, err)
		}
	}
}

// decodeRow takes a line back to what the drivers take.
func decodeRow(line []byte, types []string) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, err
	}
	if len(raw) != len(types) {
		return nil, fmt.Errorf("%d values for %d columns", len(raw), len(types))
	}
	out := make([]any, len(raw))
	for i, r := range raw {
		if string(r) == "null" {
			continue
		}
		if types[i] == "BIGINT" {
			n, err := strconv.ParseInt(string(r), 10, 64)
			if err != nil {
				return nil, err
			}
			out[i] = n
			continue
		}
		var text string
		if err := json.Unmarshal(r, &text); err != nil {
			return nil, err
		}
		var err error
		switch types[i] {
		case "TEXT":
			out[i] = text
		case "BYTEA":
			out[i], err = base64.StdEncoding.DecodeString(text)
		case "DOUBLE PRECISION":
			out[i], err = strconv.ParseFloat(text, 64)
		default:
			err = fmt.Errorf("unknown column type %s", types[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
