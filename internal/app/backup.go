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
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/db"
)

// A backup is a folder:
//
//	manifest.json         what this is, and the SHA-256 and size of every other file
//	manifest.sha256       the SHA-256 of manifest.json
//	tables/NAME.jsonl     one line per row: a JSON array in the order of the manifest's columns; BYTEA as base64
//	jobs.jsonl            jobs that are not finished, as kind and arguments: River's own tables differ between the engines
//	blobs/ab/cd/abcd…     the bytes, each under its SHA-256
//
// It is the same for both engines and both blob stores, so it also moves a site from one to the other.
const (
	manifestName = "manifest.json"
	sumName      = "manifest.sha256"
	jobsName     = "jobs.jsonl"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format     int             `json:"format"` // 1
	Program    string          `json:"program"`
	Instance   string          `json:"instance"`
	CreatedAt  string          `json:"created_at"` // RFC 3339
	Migrations []int64         `json:"migrations"`
	Tables     []BackupTable   `json:"tables"`
	Blobs      int             `json:"blobs"`
	Files      map[string]File `json:"files"` // by path with slashes
}

// BackupTable is one table of a backup.
type BackupTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Types   []string `json:"types"` // BIGINT, TEXT, DOUBLE PRECISION, BYTEA
	Rows    int64    `json:"rows"`
}

// File is a file's size and hash.
type File struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// BackupReport is what create and restore did.
type BackupReport struct {
	Rows  int64 `json:"rows"`
	Blobs int   `json:"blobs"`
	Bytes int64 `json:"bytes"` // of blobs
	Jobs  int   `json:"jobs"`
}

// Backup writes a backup into an empty or missing folder while the site runs. Rows come from one snapshot; bytes are never
// changed and leave the store 30 days after their row at the earliest, so copying them afterwards is safe. The manifest is
// written last: without it the folder is no backup.
func (a *App) Backup(ctx context.Context, dir string) (BackupReport, error) {
	var report BackupReport
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return report, fmt.Errorf("the folder %s is not empty: name a new one", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, "tables"), 0o700); err != nil {
		return report, fmt.Errorf("backup: %w", err)
	}
	m := Manifest{Format: 1, Program: a.Version, Instance: a.instance, CreatedAt: a.Now().UTC().Format(time.RFC3339), Files: map[string]File{}}
	var refs []string
	err := a.DB.Snapshot(ctx, func(q db.Querier) error {
		var err error
		if m.Migrations, err = db.Query[int64](ctx, q, `SELECT DISTINCT version_id FROM schema_version WHERE version_id > 0 ORDER BY version_id`); err != nil {
			return err
		}
		if err := a.dumpTables(ctx, q, dir, &m, &report); err != nil {
			return err
		}
		waiting, err := a.Jobs.Waiting(ctx, q)
		if err != nil {
			return err
		}
		report.Jobs = len(waiting)
		m.Files[jobsName], err = writeFile(filepath.Join(dir, jobsName), func(w io.Writer) error {
			enc := json.NewEncoder(w)
			for _, j := range waiting {
				if err := enc.Encode(j); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		refs, err = Refs(ctx, q)
		return err
	})
	if err != nil {
		return report, fmt.Errorf("backup: %w", err)
	}
	for _, ref := range refs {
		name := blobPath(ref)
		f, err := a.copyBlob(ctx, ref, filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return report, fmt.Errorf("backup of %s: %w (audiomicro doctor tells more)", name, err)
		}
		m.Files[name] = f
		m.Blobs++
		report.Blobs++
		report.Bytes += f.Bytes
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return report, err
	}
	sum := sha256.Sum256(text)
	if _, err := writeFile(filepath.Join(dir, sumName), func(w io.Writer) error {
		_, err := io.WriteString(w, hex.EncodeToString(sum[:])+"\n")
		return err
	}); err != nil {
		return report, err
	}
	_, err = writeFile(filepath.Join(dir, manifestName), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	return report, errors.Join(err, syncFolders(dir))
}

// Refs lists every blob that some row refers to.
func Refs(ctx context.Context, q db.Querier) ([]string, error) {
	return db.Query[string](ctx, q, `SELECT sha256 FROM recording UNION SELECT sha256 FROM recording_media
		UNION SELECT picture_ref FROM profile WHERE picture_ref <> '' ORDER BY 1`)
}

func blobPath(ref string) string { return "blobs/" + ref[:2] + "/" + ref[2:4] + "/" + ref }

func (a *App) dumpTables(ctx context.Context, q db.Querier, dir string, m *Manifest, report *BackupReport) error {
	cols, err := db.Columns(ctx, q)
	if err != nil {
		return err
	}
	skip := LibraryTables()
	var tables []BackupTable
	for _, c := range cols {
		if skip[c.Table] != "" || c.Table == "node_lease" {
			continue
		}
		if n := len(tables); n == 0 || tables[n-1].Name != c.Table {
			tables = append(tables, BackupTable{Name: c.Table})
		}
		t := &tables[len(tables)-1]
		t.Columns, t.Types = append(t.Columns, c.Name), append(t.Types, c.Type)
	}
	if len(tables) == 0 {
		return errors.New("the database has no tables")
	}
	for _, t := range tables {
		name := "tables/" + t.Name + ".jsonl"
		m.Files[name], err = writeFile(filepath.Join(dir, filepath.FromSlash(name)), func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			query := `SELECT "` + strings.Join(t.Columns, `", "`) + `" FROM "` + t.Name + `"`
			return db.Rows(ctx, q, func(values []any) error {
				t.Rows++
				return enc.Encode(encodeRow(values, t.Types))
			}, query)
		})
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		report.Rows += t.Rows
		m.Tables = append(m.Tables, t)
	}
	return nil
}

// encodeRow makes JSON values: whole numbers as they are, floats with all their digits as text, so that nothing is rounded.
func encodeRow(values []any, types []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		switch x := v.(type) {
		case nil:
		case float64:
			out[i] = strconv.FormatFloat(x, 'g', -1, 64)
		case int64:
			out[i] = x
			if types[i] == "DOUBLE PRECISION" {
				out[i] = strconv.FormatInt(x, 10)
			}
		case []byte:
			if types[i] == "BYTEA" || types[i] == "BLOB" {
				out[i] = base64.StdEncoding.EncodeToString(x)
			} else {
				out[i] = string(x)
			}
		default:
			out[i] = x
		}
	}
	return out
}

// writeFile writes, syncs and hashes a file.
func writeFile(path string, write func(io.Writer) error) (File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return File{}, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return File{}, err
	}
	c := counter{hash: sha256.New()}
	buf := bufio.NewWriterSize(io.MultiWriter(f, &c), 1<<16)
	err = errors.Join(write(buf), buf.Flush())
	if err == nil {
		err = f.Sync()
	}
	return File{Bytes: c.n, SHA256: hex.EncodeToString(c.hash.Sum(nil))}, errors.Join(err, f.Close())
}

type counter struct {
	n    int64
	hash hash.Hash
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.hash.Write(p)
}

// syncFolders makes the names of all files below dir durable, and its own.
func syncFolders(dir string) error {
	one := func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = one(path)
		}
		return err
	})
	return errors.Join(err, one(filepath.Dir(filepath.Clean(dir))))
}

// copyBlob copies bytes out and checks on the way that they are what their name says.
func (a *App) copyBlob(ctx context.Context, ref, path string) (File, error) {
	r, err := a.Blobs.OpenRange(ctx, blob.Ref(ref), 0, -1)
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	f, err := writeFile(path, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
	if err == nil && f.SHA256 != ref {
		err = blob.ErrCorrupt
	}
	return f, err
}
