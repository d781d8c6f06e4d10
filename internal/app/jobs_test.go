package app_test

import (
	"net/http"
	"testing"

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
