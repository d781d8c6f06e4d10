// Package feed is the list of what changed: changes(seq, kind, object_id), written in the transaction of the change.
//
// The search index of every node and the live pages follow it. Numbers are drawn under the lock of one row as the last
// act of the transaction, so they grow in commit order on both engines: who has read up to seq has missed nothing.
package feed

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"audiomicro/internal/db"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds feed_head and changes.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Change is one line of the feed.
type Change struct {
	Seq  int64  `db:"seq"`
	Kind string `db:"kind"`      // "recording", "account", …
	ID   int64  `db:"object_id"` // of the object that changed
}

// Feed reads and writes the list, and wakes followers of this process at once; other processes' changes are seen by polling.
type Feed struct {
	DB  *db.DB
	Now func() time.Time
	// Every is how long a follower waits for another process's changes; zero means 300 ms.
	Every time.Duration

	mu   sync.Mutex
	wake chan struct{}
}

// Note records that an object changed, as the last act of tx.
func (f *Feed) Note(ctx context.Context, tx *db.Tx, kind string, id int64) {
	tx.BeforeCommit(func() error {
		seq, err := db.Get[int64](ctx, tx, `UPDATE feed_head SET seq = seq + 1 WHERE id = 1 RETURNING seq`)
		if err != nil {
			return fmt.Errorf("note change of %s %d: %w", kind, id, err)
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO changes (seq, kind, object_id, at) VALUES ($1, $2, $3, $4)`, seq, kind, id, f.Now().UnixMicro())
		if err != nil {
			return fmt.Errorf("note change of %s %d: %w", kind, id, err)
		}
		return nil
	})
	tx.AfterCommit(f.signal)
}

func (f *Feed) signal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wake != nil {
		close(f.wake)
		f.wake = nil
	}
}

func (f *Feed) waiter() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wake == nil {
		f.wake = make(chan struct{})
	}
	return f.wake
}

// Head is the number of the latest change, 0 for none.
func (f *Feed) Head(ctx context.Context) (int64, error) {
	return db.Get[int64](ctx, f.DB, `SELECT seq FROM feed_head WHERE id = 1`)
}

// After lists up to 1,000 changes after seq.
func (f *Feed) After(ctx context.Context, seq int64) ([]Change, error) {
	return db.Query[Change](ctx, f.DB, `SELECT seq, kind, object_id FROM changes WHERE seq > $1 ORDER BY seq LIMIT 1000`, seq)
}

// Follow calls apply with every batch of changes after seq until ctx ends. A failed read or apply is logged and tried again
// with the same changes, so apply must be idempotent.
func (f *Feed) Follow(ctx context.Context, seq int64, apply func([]Change) error) {
	every := f.Every
	if every == 0 {
		every = 300 * time.Millisecond
	}
	for {
		wake := f.waiter()
		list, err := f.After(ctx, seq)
		if err == nil && len(list) > 0 {
			if err = apply(list); err == nil {
				seq = list[len(list)-1].Seq
				continue
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			slog.Error("follow the feed", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-time.After(every):
		}
	}
}

// Trim forgets changes before t: followers that were away longer rebuild from the tables.
func (f *Feed) Trim(ctx context.Context, t time.Time) error {
	_, err := db.Exec(ctx, f.DB, `DELETE FROM changes WHERE at < $1`, t.UnixMicro())
	return err
}
