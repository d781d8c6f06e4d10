package app_test

import (
	"net/http"
	"testing"

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
			if got := v.Get("/readyz"); got.Status != http.StatusServiceUnavailable {
				t.Errorf("while the database hangs: %d %s", got.Status, got.Text)
			}
			if got := v.Get("/healthz"); got.Status != http.StatusOK {
				t.Errorf("alive all the same: %d", got.Status)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Get("/readyz"); got.Status != http.StatusOK {
			t.Errorf("afterwards: %d %s", got.Status, got.Text)
		}
	})
}
