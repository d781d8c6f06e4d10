package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audiomicro/internal/app"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/testkit"
	"audiomicro/internal/uploads"
)

// purchase orders and pays a recording under Standard for a project of its own, waits for the license, and gives its id.
func purchase(t *testing.T, buyer *testkit.Person, recording int64) int64 {
	t.Helper()
	licenses := func() []licensing.License {
		held, err := buyer.Site.Licensing.Held(context.Background(), buyer.Site.DB, buyer.ID)
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	before := len(licenses())
	if got := buyer.Post("/cart", url.Values{"recording": {fmt.Sprint(recording)}, "model": {"standard"}}); got.Status != http.StatusSeeOther {
		t.Fatalf("cart: %d %s", got.Status, got.Text)
	}
	form := hiddenValues(buyer.Get("/checkout").Text)
	for k, v := range map[string]string{"licensee": "Bea Buyer", "project": fmt.Sprintf("Fähre <%d> \"zwei\"", before), "country": "SE", "provider": "test"} {
		form.Set(k, v)
	}
	placed := buyer.Post("/checkout", form)
	if !strings.HasPrefix(placed.Location, "/payments/test/") {
		t.Fatalf("checkout: %d to %s: %s", placed.Status, placed.Location, placed.Text)
	}
	if got := buyer.Post(placed.Location, url.Values{"decision": {"approve"}}); got.Status != http.StatusSeeOther {
		t.Fatalf("pay: %d %s", got.Status, got.Text)
	}
	testkit.Eventually(t, "the license is there", func() bool { return len(licenses()) > before })
	last := int64(0)
	for _, l := range licenses() {
		last = max(last, l.ID)
	}
	return last
}

// lived is a site with something of everything.
func lived(t *testing.T, engine db.Engine) (s *testkit.Site, buyer *testkit.Person, license int64, original []byte) {
	t.Helper()
	s = testkit.NewSite(t, engine, nil)
	maker, buyer := s.Person("Maker", "contributor"), s.Person("Buyer", "member")
	original = tone(t, 1)
	rec := stock(t, maker, "Größe “eins” \u2028 <b>", original, standard())
	license = purchase(t, buyer, rec.ID)
	if got := maker.Upload(map[string][]byte{"draft.wav": tone(t, 2)}); got.Status != http.StatusSeeOther {
		t.Fatalf("upload: %d %s", got.Status, got.Text)
	}
	testkit.Eventually(t, "all is quiet", func() bool { return waiting(t, s.App) == 0 })
	return s, buyer, license, original
}

// tables reads a backup's tables as sets of lines.
func tables(t *testing.T, dir string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m app.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, table := range m.Tables {
		data, err := os.ReadFile(filepath.Join(dir, "tables", table.Name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, 16<<20)
		list := []string{strings.Join(table.Columns, ",") + " " + strings.Join(table.Types, ",")}
		for lines.Scan() {
			list = append(list, lines.Text())
		}
		if int64(len(list)-1) != table.Rows {
			t.Errorf("table %s: %d lines, the manifest says %d", table.Name, len(list)-1, table.Rows)
		}
		slices.Sort(list)
		out[table.Name] = list
	}
	return out
}

// TestBackup takes a running site's backup into empty sites on both engines: rows, bytes, licenses and sign-ins are the same.
func TestBackup(t *testing.T) {
	for _, from := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run("from "+string(from), func(t *testing.T) {
			t.Parallel()
			s, buyer, license, original := lived(t, from)
			dir := filepath.Join(t.TempDir(), "backup")
			made, err := s.Backup(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if problems, err := app.VerifyBackup(dir); err != nil || len(problems) > 0 {
				t.Fatalf("verify: %v %v", problems, err)
			}
			if _, err := s.Backup(t.Context(), dir); err == nil {
				t.Error("a backup was written over another")
			}
			want := tables(t, dir)
			for _, to := range []db.Engine{db.SQLite, db.Postgres} {
				t.Run("to "+string(to), func(t *testing.T) {
					c := config.Default()
					c.Data, c.MailFrom = t.TempDir(), "audiomicro@example.org"
					if to == db.Postgres {
						c.Database = testkit.PostgresURL(t)
					}
					report, err := app.Restore(t.Context(), c, dir, app.Options{Version: "test", Log: slog.Default()})
					if err != nil {
						t.Fatal(err)
					}
					if report.Rows != made.Rows || report.Blobs != made.Blobs || report.Bytes != made.Bytes {
						t.Errorf("restored %+v of %+v", report, made)
					}
					if _, err := app.Restore(t.Context(), c, dir, app.Options{Version: "test", Log: slog.Default()}); err == nil {
						t.Error("a backup was restored over a site that is not empty")
					}
					again := testkit.NewSite(t, to, func(n *config.Config) { n.Data, n.Database = c.Data, c.Database })
					if again.Instance() != s.Instance() {
						t.Errorf("the restored site is %s, it was %s", again.Instance(), s.Instance())
					}
					second := filepath.Join(t.TempDir(), "second")
					if _, err := again.Backup(t.Context(), second); err != nil {
						t.Fatal(err)
					}
					for name, lines := range tables(t, second) {
						if name != "schema_version" && !slices.Equal(lines, want[name]) {
							t.Errorf("table %s differs:\n%s\nwas\n%s", name, lines, want[name])
						}
					}
					if d, err := again.Doctor(t.Context(), true); err != nil || len(d.Problems) > 0 {
						t.Errorf("doctor: %v %v", d.Problems, err)
					}
					p := again.Visitor()
					p.Created = buyer.Created
					if got := p.Post("/sign-in", url.Values{"email": {p.Email}, "password": {p.Password}}); got.Status != http.StatusSeeOther {
						t.Fatalf("sign in on the restored site: %d %s", got.Status, got.Text)
					}
					if got := p.Get(fmt.Sprintf("/library/%d/original", license)); got.Status != http.StatusOK || got.Text != string(original) {
						t.Errorf("the original on the restored site: %d, %d bytes of %d", got.Status, len(got.Text), len(original))
					}
					// The site lives on: new ids do not meet old ones.
					maker, err := again.Accounts.ByName(t.Context(), "Maker")
					if err != nil {
						t.Fatal(err)
					}
					list, err := db.Query[int64](t.Context(), again.DB, `SELECT id FROM recording WHERE owner_id = $1 AND state = 'published'`, maker.ID)
					if err != nil || len(list) != 1 {
						t.Fatalf("recordings: %v %v", list, err)
					}
					if next := purchase(t, p, list[0]); next == license {
						t.Error("a second license has the first one's id")
					}
				})
			}
		})
	}
}

// TestBackupOfWaitingJobs takes a backup while jobs wait: they are done after the restore.
func TestBackupOfWaitingJobs(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		maker := s.Account("Maker", "contributor")
		s.Stop() // nobody works the jobs, however long the backup takes
		idle, err := app.Open(t.Context(), s.Config, app.Options{Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
		for i := range 4 {
			if _, err := idle.Uploads.Take(t.Context(), maker.ID, "tone.wav", bytes.NewReader(tone(t, 5+i)), uploads.Extra{}); err != nil {
				t.Fatal(err)
			}
		}
		dir := filepath.Join(t.TempDir(), "backup")
		made, err := idle.Backup(t.Context(), dir)
		if err != nil || made.Jobs == 0 {
			t.Fatalf("backup: %+v %v", made, err)
		}
		c := config.Default()
		c.Data, c.MailFrom = t.TempDir(), "audiomicro@example.org"
		report, err := app.Restore(t.Context(), c, dir, app.Options{Version: "test", Log: slog.Default()})
		if err != nil || report.Jobs != made.Jobs {
			t.Fatalf("restore: %+v of %+v, %v", report, made, err)
		}
		again := testkit.NewSite(t, db.SQLite, func(n *config.Config) { n.Data, n.Database = c.Data, "" })
		testkit.Eventually(t, "every sound is analyzed on the restored site", func() bool {
			n, err := db.Get[int64](t.Context(), again.DB, `SELECT count(*) FROM recording WHERE processing = 'ready'`)
			if err != nil {
				t.Fatal(err)
			}
			return n == 4
		})
	})
}

// TestDamagedBackup flips one bit in each file of a backup, cuts each short and takes each away: verify names it, and nothing
// is restored.
func TestDamagedBackup(t *testing.T) {
	t.Parallel()
	s, _, _, _ := lived(t, db.SQLite)
	dir := filepath.Join(t.TempDir(), "backup")
	if _, err := s.Backup(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	var files []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := func(path, what string) {
		t.Helper()
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		problems, err := app.VerifyBackup(dir)
		if err != nil || len(problems) != 1 || !strings.Contains(problems[0], filepath.ToSlash(name)) {
			t.Errorf("%s %s: verify says %q, %v", name, what, problems, err)
		}
	}
	c := config.Default()
	c.Data, c.MailFrom = t.TempDir(), "audiomicro@example.org"
	for _, path := range files {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put := func(data []byte) {
			t.Helper()
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if len(whole) > 0 {
			bad := slices.Clone(whole)
			bad[rand.IntN(len(bad))] ^= 1 << rand.IntN(8)
			put(bad)
			found(path, "with a flipped bit")
			if _, err := app.Restore(t.Context(), c, dir, app.Options{Version: "test", Log: slog.Default()}); err == nil {
				t.Errorf("restored with a flipped bit in %s", path)
			}
			put(whole[:len(whole)-1])
			found(path, "cut short")
		}
		put(append(slices.Clone(whole), '\n'))
		found(path, "with a byte more")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		found(path, "taken away")
		put(whole)
	}
	// All damage is listed, not only the first.
	for _, path := range files {
		if strings.Contains(path, "tables") {
			if err := os.Truncate(path, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if problems, err := app.VerifyBackup(dir); err != nil || len(problems) < 20 {
		t.Errorf("verify of a backup with every table damaged: %d problems, %v", len(problems), err)
	}
	if left, err := os.ReadDir(c.Data); err != nil || len(left) > 0 {
		t.Errorf("a refused restore left %v, %v", left, err)
	}
	t.Logf("%d files", len(files))
}

// TestDoctor plants damage of each kind and expects it to be named.
func TestDoctor(t *testing.T) {
	t.Parallel()
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s, _, license, original := lived(t, engine)
			ctx := context.Background()
			look := func() []string {
				t.Helper()
				d, err := s.Doctor(ctx, true)
				if err != nil {
					t.Fatal(err)
				}
				return d.Problems
			}
			if p := look(); len(p) > 0 {
				t.Fatalf("before any damage: %v", p)
			}
			recs, err := db.Query[string](ctx, s.DB, `SELECT sha256 FROM recording ORDER BY id`)
			if err != nil || len(recs) != 2 {
				t.Fatalf("%v %v", recs, err)
			}
			file := func(ref string) string { return filepath.Join(s.Config.Data, "blobs", "blobs", ref[:2], ref[2:4], ref) }
			media := func(name string) string {
				ref, err := db.Get[string](ctx, s.DB, `SELECT sha256 FROM recording_media WHERE name = $1 ORDER BY recording_id DESC LIMIT 1`, name)
				if err != nil {
					t.Fatal(err)
				}
				return file(ref)
			}
			sql := func(query string, args ...any) func() error {
				return func() error {
					n, err := db.Exec(ctx, s.DB, query, args...)
					if err == nil && n == 0 {
						err = fmt.Errorf("%s changed nothing", query)
					}
					return err
				}
			}
			flip := func(path string) error {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				data[len(data)/2] ^= 4
				if err := os.Chmod(path, 0o600); err != nil {
					return err
				}
				return os.WriteFile(path, data, 0o600)
			}
			for _, c := range []struct {
				what, want string
				plant      func() error
			}{
				{"a bit of an original flipped", "its bytes " + recs[0] + " are altered", func() error { return flip(file(recs[0])) }},
				{"an original taken away", "its bytes " + recs[1] + " are not in the blob store", func() error { return os.Remove(file(recs[1])) }},
				{"a preview cut short", "bytes, the row says", func() error {
					path := media("preview-lq.opus")
					if err := os.Chmod(path, 0o600); err != nil {
						return err
					}
					return os.Truncate(path, 100)
				}},
				{"a preview's row lost", "is ready without a preview", sql(`DELETE FROM recording_media WHERE name = 'preview-hq.opus' AND recording_id = (SELECT MIN(id) FROM recording)`)},
				{"an entry of the book altered", "does not balance", sql(`UPDATE entry SET amount_minor = amount_minor + 1 WHERE n = 0`)},
				{"a certificate altered", fmt.Sprintf("license %d", license), sql(`UPDATE license SET certificate = REPLACE(certificate, 'Bea', 'Bob')`)},
				{"a license lost", "has a license: false", sql(`UPDATE license SET order_line = NULL`)},
				{"an order paid by hand", "but in the book: true", sql(`UPDATE orders SET state = 'placed'`)},
				{"offers lost", "is published without being offered", sql(`DELETE FROM offer`)},
				{"a review lost", "waits for review without an open review", sql(`UPDATE recording SET state = 'submitted' WHERE state = 'draft'`)},
				{"an upload's bytes lost", "were acknowledged", sql(`INSERT INTO upload (id, token, account_id, file_name, byte_size, received, sha256_state, md5_state, created_at, expires_at)
					VALUES (999, 'gone-forever', 1, 'a.wav', 1000, 10, '', '', 1, $1)`, s.Now().UnixMicro()+1e12)},
				{"a job dead", "failed for good", sql(`UPDATE river_job SET state = 'discarded', finalized_at = created_at WHERE id = (SELECT MIN(id) FROM river_job)`)},
			} {
				for _, p := range look() {
					if strings.Contains(p, c.want) {
						t.Fatalf("before %s: %s", c.what, p)
					}
				}
				if err := c.plant(); err != nil {
					t.Fatalf("%s: %v", c.what, err)
				}
				if p := look(); !strings.Contains(strings.Join(p, "\n"), c.want) {
					t.Errorf("%s: doctor says %v, want %q", c.what, p, c.want)
				}
			}
			_ = original
		})
	}
}

// TestDoctorAtWork lets doctor look at a site that sells all the time: nothing is wrong, so it must say nothing.
func TestDoctorAtWork(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		maker, buyer := s.Person("Maker", "contributor"), s.Person("Buyer", "member")
		rec := stock(t, maker, "Tone", tone(t, 1), standard())
		if rec.Paid == 0 || standard().Price != money.Of(300, "USD") {
			t.Fatalf("the recording is for nothing: %+v", rec)
		}
		stop, quiet := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(quiet)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					purchase(t, buyer, rec.ID)
				}
			}
		}()
		for range 20 {
			d, err := s.Doctor(t.Context(), true)
			if err != nil || len(d.Problems) > 0 {
				t.Errorf("doctor beside sales: %v %v", d.Problems, err)
				break
			}
		}
		close(stop)
		<-quiet
	})
}
