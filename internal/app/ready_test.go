package app_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// TestNotReady asks for readiness while the database takes no writes: the answer is no, and it comes.
func TestNotReady(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		v := s.Visitor()
		if got := v.Get("/readyz"); got.Status != http.StatusOK {
			t.Fatalf("a new site: %d %s", got.Status, got.Text)
		}
		err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			if _, err := db.Exec(t.Context(), tx, `UPDATE instance SET value = value WHERE name = 'id'`); err != nil {
				return err
			}
			testkit.Eventually(t, "the site is not ready while the database hangs", func() bool { return v.Get("/readyz").Status == http.StatusServiceUnavailable })
			if got := v.Get("/healthz"); got.Status != http.StatusOK {
				t.Errorf("alive all the same: %d", got.Status)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the site is ready again", func() bool { return v.Get("/readyz").Status == http.StatusOK })
	})
}

// counted is a blob store that counts how often it was asked whose it is.
type counted struct {
	blob.Store
	asked *atomic.Int64
}

func (c counted) Marker(ctx context.Context) (string, error) {
	c.asked.Add(1)
	return c.Store.Marker(ctx)
}

// TestReadyIsCheap asks for readiness many times, at once and in a row: about one proof a second is made for all of them.
func TestReadyIsCheap(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		var proofs atomic.Int64
		s.App.Blobs = counted{s.App.Blobs, &proofs}
		began := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 10 {
					if got := s.Visitor().Get("/readyz"); got.Status != http.StatusOK {
						t.Errorf("%d %s", got.Status, got.Text)
					}
				}
			})
		}
		wg.Wait()
		if most := int64(time.Since(began)/time.Second) + 2; proofs.Load() > most {
			t.Errorf("%d proofs for 200 questions within %v", proofs.Load(), time.Since(began))
		}
		s.App.Blobs = s.App.Blobs.(counted).Store
	})
}

// TestDatabaseAway shuts the database: pages say so with the time to come back, and are there again when it is.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s := testkit.NewSite(t, db.Postgres, nil)
	ctx := t.Context()
	name, err := db.Get[string](ctx, s.DB, `SELECT current_database()`)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := db.Open(ctx, db.Options{URL: os.Getenv("AUDIOMICRO_TEST_POSTGRES")})
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	admit := func(yes bool) {
		t.Helper()
		if _, err := db.Exec(ctx, elsewhere, fmt.Sprintf(`ALTER DATABASE %q ALLOW_CONNECTIONS %v`, name, yes)); err != nil {
			t.Fatal(err)
		}
	}
	v, reader := s.Visitor(), s.Account("Reader", "contributor")
	admit(false)
	if _, err := db.Query[bool](ctx, elsewhere, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/search?q=rain", "/recordings/1", "/apiv2/search/?query=rain&token=" + reader.Key} {
		got := v.Get(path)
		if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s without a database: %d %s", path, got.Status, got.Text)
		}
	}
	admit(true)
	testkit.Eventually(t, "the site is back", func() bool { return v.Get("/search?q=rain").Status == http.StatusOK })
}
