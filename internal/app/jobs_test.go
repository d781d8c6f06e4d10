package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"audiomicro/internal/app"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestJobsStartLater starts a site whose jobs cannot start, as on a full disk: they do when the hindrance is gone.
func TestJobsStartLater(t *testing.T) {
	t.Parallel()
	s := testkit.NewSite(t, db.SQLite, nil)
	maker := s.Person("Maker", "contributor")
	if _, err := db.Exec(t.Context(), s.DB, `CREATE TRIGGER hindrance BEFORE INSERT ON node_lease BEGIN SELECT RAISE(ABORT, 'no'); END`); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	if got := maker.Upload(map[string][]byte{"bell.flac": flac(t, 0)}); got.Status != http.StatusSeeOther {
		t.Fatalf("upload: %d %s", got.Status, got.Text)
	}
	if n, err := db.Get[int64](t.Context(), s.DB, `SELECT count(*) FROM node_lease`); err != nil || n != 0 {
		t.Fatalf("%d leases, %v: the jobs have started", n, err)
	}
	if _, err := db.Exec(t.Context(), s.DB, `DROP TRIGGER hindrance`); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the recording is analyzed", func() bool {
		list, err := s.Recordings.List(t.Context(), recordings.Filter{OwnerID: maker.ID})
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1 && list[0].Processing == recordings.Ready
	})
}

// hurry spares a test the pauses before jobs are tried again.
func hurry(t *testing.T, a *app.App) {
	t.Helper()
	if _, err := db.Exec(t.Context(), a.DB, `UPDATE river_job SET scheduled_at = created_at WHERE state IN ('available', 'retryable')`); err != nil {
		t.Fatal(err)
	}
}

// TestAnalysisOutlastsAnOutage lets the working folder be away for more tries than a bad file gets: the sound is not to blame,
// and is analyzed when the folder is back.
func TestAnalysisOutlastsAnOutage(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		maker := s.Person("Maker", "contributor")
		if err := os.MkdirAll(filepath.Dir(s.Ingest.Dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Ingest.Dir, nil, 0o600); err != nil { // no folder can be made there
			t.Fatal(err)
		}
		if got := maker.Upload(map[string][]byte{"bell.flac": flac(t, 0)}); got.Status != http.StatusSeeOther {
			t.Fatalf("upload: %d %s", got.Status, got.Text)
		}
		testkit.Eventually(t, "eight tries have failed", func() bool {
			hurry(t, s.App)
			n, err := db.Get[int64](t.Context(), s.DB, `SELECT coalesce(max(attempt), 0) FROM river_job WHERE kind = 'ingest.analyze'`)
			if err != nil {
				t.Fatal(err)
			}
			return n > 8
		})
		if err := os.Remove(s.Ingest.Dir); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the recording is analyzed", func() bool {
			hurry(t, s.App)
			list, err := s.Recordings.List(t.Context(), recordings.Filter{OwnerID: maker.ID})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 && list[0].Processing == recordings.Failed {
				t.Fatalf("given up: %s", list[0].ProcessingNote)
			}
			return len(list) == 1 && list[0].Processing == recordings.Ready
		})
	})
}
