package search_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"audiomicro/internal/app"
	"audiomicro/internal/db"
	"audiomicro/internal/search/query"
	"audiomicro/internal/testkit"
)

// TestCompare changes the tables without a word in the feed: the comparison finds what differs, once, and nothing else.
func TestCompare(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		mara, jona := s.Person("Mara", "contributor"), s.Person("Jona", "contributor")
		fill(t, s, mara.ID, []piece{
			{"Kettle", "fx-o", "wav", "kettle", "cc0", 0}, {"Heirloom", "fx-o", "wav", "heirloom", "cc0", 0}, {"Wardrobe", "fx-o", "wav", "door", "cc0", 0},
		})
		exec := func(sql string, args ...any) {
			t.Helper()
			if _, err := db.Exec(t.Context(), s.DB, sql, args...); err != nil {
				t.Fatal(err)
			}
		}
		compare := func(why string, want int, found map[string]int) {
			t.Helper()
			before := s.Search.Repaired()
			n, err := s.Search.Compare(t.Context())
			if n != want || err != nil || s.Search.Repaired()-before != int64(want) {
				t.Errorf("%s: %d repaired, want %d, %v", why, n, want, err)
			}
			for text, n := range found {
				if res, err := s.Search.Index().Search(query.Query{Text: text}); err != nil || res.Total != n {
					t.Errorf("%s: %q finds %d, want %d, %v", why, text, res.Total, n, err)
				}
			}
		}
		compare("nothing happened", 0, map[string]int{"kettle": 1, "heirloom": 1})
		exec(`UPDATE recording SET state = 'withdrawn' WHERE id = 2`)
		compare("a hidden withdrawal", 1, map[string]int{"kettle": 1, "heirloom": 0})
		exec(`UPDATE recording SET state = 'published', published_at = 7 WHERE id = 2`)
		compare("a hidden publication", 1, map[string]int{"heirloom": 1})
		exec(`UPDATE recording SET published_at = 8, title = 'Samovar' WHERE id = 1`)
		compare("published again at another time", 1, map[string]int{"samovar": 1})
		exec(`INSERT INTO recording (id, owner_id, token, state, processing, title, file_name, byte_size, sha256, md5, container, codec, ext, created_at, updated_at, published_at)
			SELECT 4000000000, $1, 'far', state, processing, 'Lighthouse', file_name, byte_size, sha256, md5, container, codec, ext, 1, 1, 1 FROM recording WHERE id = 3`, jona.ID)
		compare("one with an id far away", 1, map[string]int{"lighthouse": 1, "wardrobe": 1})
		exec(`UPDATE account SET state = 'suspended' WHERE id = $1`, jona.ID)
		compare("a hidden suspension", 1, map[string]int{"lighthouse": 0, "wardrobe": 1})
		compare("all is repaired", 0, nil)

		s.Restart() // the snapshot has what was repaired
		compare("after a restart", 0, map[string]int{"samovar": 1, "lighthouse": 0})
	})
}

// TestTwoNodes publishes, edits and withdraws on one node of a site on PostgreSQL and looks for it on the other. The promise is a
// second; a loaded test machine gets ten.
func TestTwoNodes(t *testing.T) {
	s := testkit.NewSite(t, db.Postgres, nil)
	c := s.Config
	c.Node = "other"
	other, err := app.Open(t.Context(), c, app.Options{Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	seq, err := other.Search.Fill(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() {
		other.Search.Follow(ctx, seq)
		close(followed)
	}()
	t.Cleanup(func() {
		cancel()
		<-followed
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	finds := func(text string, want int, change func()) {
		t.Helper()
		begin := time.Now()
		change()
		testkit.Eventually(t, fmt.Sprintf("the other node finds %d of %q", want, text), func() bool {
			res, err := other.Search.Index().Search(query.Query{Text: text})
			return err == nil && res.Total == want
		})
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%q: the other node took %v", text, took)
		} else {
			t.Logf("%q: the other node took %v", text, took)
		}
	}
	mara := s.Person("Mara", "contributor")
	noted := func(sql string) func() {
		return func() {
			err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
				s.Feed.Note(t.Context(), tx, "recording", 1)
				_, err := db.Exec(t.Context(), tx, sql)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	finds("kettle", 1, func() { fill(t, s, mara.ID, []piece{{"Kettle", "fx-o", "wav", "kitchen", "cc0", 0}}) })
	finds("samovar", 1, noted(`UPDATE recording SET title = 'Samovar' WHERE id = 1`))
	finds("samovar", 0, noted(`UPDATE recording SET state = 'withdrawn' WHERE id = 1`))
}
