package search

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// fillAgain is how long to wait before a filling that failed is begun anew, and what whoever searches meanwhile is told to wait.
const fillAgain = 5 * time.Second

// Run fills the index and keeps it up with the tables until ctx ends. The site serves meanwhile: what needs no index is there at once, for
// filling takes minutes at a million recordings without a snapshot.
func (s *Store) Run(ctx context.Context) {
	seq, err := s.Fill(ctx)
	for err != nil {
		if ctx.Err() != nil {
			return
		}
		s.Log.Error("the index could not be filled and is tried again", "err", err)
		select {
		case <-time.After(fillAgain):
		case <-ctx.Done():
			return
		}
		seq, err = s.Fill(ctx)
	}
	s.keep(ctx, seq)
}

// Fill makes the index ready and returns the number of the feed from which Follow goes on.
func (s *Store) Fill(ctx context.Context) (seq int64, err error) {
	if seq, err = s.start(ctx); err != nil {
		return 0, err
	}
	if err := s.useSynonyms(ctx); err != nil {
		return 0, err
	}
	s.applied.Store(seq)
	close(s.filled())
	return seq, nil
}

// filled is closed when the index has been filled.
func (s *Store) filled() chan struct{} {
	s.once.Do(func() { s.ready = make(chan struct{}) })
	return s.ready
}

// Ready tells whether the index has been filled.
func (s *Store) Ready() bool {
	select {
	case <-s.filled():
		return true
	default:
		return false
	}
}

// WaitReady waits until the index has been filled, or ctx ends.
func (s *Store) WaitReady(ctx context.Context) error {
	select {
	case <-s.filled():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NotReady is what whoever searches is told while the index is filled, and nil once it is.
func (s *Store) NotReady() error {
	if s.Ready() {
		return nil
	}
	return &web.Public{Status: http.StatusServiceUnavailable, Text: s.filling() + " Search works when it is done.", RetryAfter: fillAgain}
}

// filling says how far the filling is.
func (s *Store) filling() string {
	if of := s.toFill.Load(); of > 0 { // not while a snapshot is read, which takes seconds
		return fmt.Sprintf("The search index is being filled: %s of %s.", ui.Count(int(min(s.put.Load(), of))), ui.Plural(int(of), "recording", "recordings"))
	}
	return "The search index is being filled."
}

// countToFill counts what the tables have for the index, so that filling can be told.
func (s *Store) countToFill(ctx context.Context) error {
	n, err := s.published(ctx)
	s.put.Store(0)
	s.toFill.Store(n)
	return err
}

// Len is the number of recordings that are to be found, now or when the index has been filled.
func (s *Store) Len(ctx context.Context) (int, error) {
	if s.Ready() {
		return s.ix.Len(), nil
	}
	n, err := s.published(ctx)
	return int(n), err
}

// published counts in the tables.
func (s *Store) published(ctx context.Context) (int64, error) {
	n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM recording WHERE state = 'published'`)
	if err != nil {
		return 0, fmt.Errorf("count what is published: %w", err)
	}
	return n, nil
}

// searching is a handler that needs the index.
func (s *Store) searching(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.NotReady(); err != nil {
			return err
		}
		return h(w, r)
	}
}

// homeMeanwhile is home while the index is filled: what is new, out of the tables, and why there is no more.
func (s *Store) homeMeanwhile(ctx context.Context, page *ui.HomePage) (err error) {
	ids, err := db.Query[int64](ctx, s.DB, `SELECT id FROM recording WHERE state = 'published' ORDER BY published_at DESC LIMIT $1`, homeNew)
	if err != nil {
		return fmt.Errorf("list what is new: %w", err)
	}
	page.NewNote = s.filling()
	page.New, err = s.Published(ctx, ids)
	return err
}
