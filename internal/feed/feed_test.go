package feed_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/testkit"
)

// TestFollowersMissNothing writes from many goroutines, some rolling back, while a follower of another Feed (as in another
// process, so only polling helps it) reads: it must see exactly what was committed, in order, once.
func TestFollowersMissNothing(t *testing.T) {
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		writer := &feed.Feed{DB: d, Now: time.Now}
		reader := &feed.Feed{DB: d, Now: time.Now, Every: 2 * time.Millisecond}
		var mu sync.Mutex
		var got []feed.Change
		done := make(chan struct{})
		go func() {
			defer close(done)
			fail := true
			reader.Follow(ctx, 0, func(list []feed.Change) error {
				if fail = !fail; fail {
					return errors.New("every second batch is refused once, and must come again")
				}
				mu.Lock()
				defer mu.Unlock()
				got = append(got, list...)
				return nil
			})
		}()
		const writers, each = 6, 40
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := d.Tx(ctx, func(tx *db.Tx) error {
						writer.Note(ctx, tx, "recording", int64(w*each+i))
						if i%4 == 3 {
							return errRollback
						}
						return nil
					})
					if err != nil && !errors.Is(err, errRollback) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		want := writers * each * 3 / 4
		testkit.Eventually(t, "the follower has seen all", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(got) >= want
		})
		cancel()
		<-done
		seen := map[int64]bool{}
		for i, c := range got {
			if i > 0 && c.Seq <= got[i-1].Seq {
				t.Fatalf("seq %d after %d", c.Seq, got[i-1].Seq)
			}
			if seen[c.ID] {
				t.Errorf("object %d came twice", c.ID)
			}
			seen[c.ID] = true
		}
		if len(got) != want {
			t.Errorf("%d changes, want %d", len(got), want)
		}
	})
}

var errRollback = errors.New("rolled back on purpose")
