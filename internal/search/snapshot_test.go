package search_test

import (
	"bytes"
	"os"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/search/query"
	"audiomicro/internal/testkit"
)

// TestSnapshotAcrossRestarts stops and starts a site. What changed in the tables without a word in the feed tells whether the index
// came out of the snapshot.
func TestSnapshotAcrossRestarts(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		mara := s.Person("Mara", "contributor")
		fill(t, s, mara.ID, []piece{{"Kettle", "fx-o", "wav", "kettle", "cc0", 0}, {"Heirloom", "fx-o", "wav", "heirloom", "cc0", 0}, {"Wardrobe", "fx-o", "wav", "door", "cc0", 0}})
		file := s.Search.SnapshotFile
		exec := func(sql string, args ...any) {
			t.Helper()
			if _, err := db.Exec(t.Context(), s.DB, sql, args...); err != nil {
				t.Fatal(err)
			}
		}
		finds := func(why string, want map[string]int) {
			t.Helper()
			for text, n := range want {
				if res, err := s.Search.Index().Search(query.Query{Text: text}); err != nil || res.Total != n {
					t.Errorf("%s: %q finds %d, want %d, %v", why, text, res.Total, n, err)
				}
			}
		}
		silently := func(title string) { exec(`UPDATE recording SET title = $1 WHERE id = 1`, title) }

		silently("Samovar")
		s.Restart()
		finds("from the snapshot", map[string]int{"kettle": 1, "samovar": 0, "heirloom": 1})

		noted := func(id int64, sql string) {
			t.Helper()
			err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
				s.Feed.Note(t.Context(), tx, "recording", id)
				_, err := db.Exec(t.Context(), tx, sql, id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.Restart() // writes the snapshot
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		noted(2, `UPDATE recording SET state = 'withdrawn', title = 'x' WHERE id = $1`)
		exec(`DELETE FROM recording_tag WHERE recording_id = 2`)
		s.Stop()
		if err := os.WriteFile(file, before, 0o600); err != nil { // as if it had been killed before the change
			t.Fatal(err)
		}
		s.Restart()
		finds("caught up", map[string]int{"kettle": 1, "heirloom": 0, "wardrobe": 1})
		s.Restart() // the end of the run wrote it
		if saved, err := os.ReadFile(file); err != nil || bytes.Contains(bytes.ToLower(saved), []byte("heirloom")) {
			t.Errorf("the snapshot still holds the text of what is gone, or is not there: %v", err)
		}

		for why, spoil := range map[string]func(saved []byte) []byte{
			"damaged": func(saved []byte) []byte {
				saved[len(saved)/2] ^= 8
				return saved
			},
			"of another history": func(saved []byte) []byte { return bytes.Replace(saved, []byte(`"at":`), []byte(`"at":1`), 1) },
			"of another version": func(saved []byte) []byte { return bytes.Replace(saved, []byte(`"version":`), []byte(`"version":9`), 1) },
			"missing":            func([]byte) []byte { return nil },
			"something else":     func([]byte) []byte { return bytes.Repeat([]byte("x"), 100_000) },
		} {
			noted(1, `UPDATE recording SET title = 'Teapot' WHERE id = $1`)
			testkit.Eventually(t, "the index knows the teapot", func() bool {
				res, err := s.Search.Index().Search(query.Query{Text: "teapot"})
				return err == nil && res.Total == 1
			})
			silently("Samovar")
			s.Stop()
			saved, err := os.ReadFile(file)
			if err == nil {
				err = os.Remove(file)
			}
			if spoiled := spoil(saved); err == nil && spoiled != nil {
				err = os.WriteFile(file, spoiled, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			s.Restart()
			finds(why, map[string]int{"samovar": 1})
		}
	})
}
