package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/search/index"
)

// compareEvery is how often each node compares its index with the tables, and compareWait how long it waits then for the feed to be applied.
const (
	compareEvery = time.Hour
	compareWait  = 10 * time.Second
)

// spansAtOnce is for how many spans of ids one statement reads checksums: a short one, that others can write behind.
const spansAtOnce = 16

// indexable are the recordings that documentQuery reads, with what checksums are made of.
const indexable = `SELECT r.id, r.published_at FROM recording r JOIN account_public a ON a.id = r.owner_id WHERE r.state = 'published'`

// errBehind means that the index does not keep up with the feed, so that it cannot be compared.
var errBehind = errors.New("the index has not caught up with the feed")

// KeepCompared compares the index with the tables every hour until ctx ends. The feed is to make that needless: whatever is found is an
// error somewhere, and told as one.
func (s *Store) KeepCompared(ctx context.Context) {
	tick := time.NewTicker(compareEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := s.Compare(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("compare the index with the tables", "err", err)
			}
		}
	}
}

// Repaired is how many recordings Compare found wrong in this process's index since it started.
func (s *Store) Repaired() int64 { return s.repaired.Load() }

// Compare compares which recordings are published, and since when, in the tables and in the index, by a checksum for each span of ids;
// where one differs it loads those anew that do, and logs a warning. It tells how many.
func (s *Store) Compare(ctx context.Context) (repaired int, err error) {
	sums, err := s.sums(ctx)
	if err != nil {
		return 0, err
	}
	indexed := s.ix.Sums()
	spans := slices.Collect(maps.Keys(sums))
	for span := range indexed {
		if _, ok := sums[span]; !ok {
			spans = append(spans, span)
		}
	}
	for _, span := range spans {
		if sums[span] == indexed[span] {
			continue
		}
		ids, err := s.wrongIn(ctx, span)
		if err != nil {
			return repaired, err
		}
		if len(ids) == 0 {
			continue // it had changed between the two readings
		}
		if err := s.reload(ctx, ids); err != nil {
			return repaired, err
		}
		repaired += len(ids)
		s.repaired.Add(int64(len(ids)))
		s.stale.Store(true)
		s.Log.Warn("recordings in the index differed from the tables and were loaded again", "recordings", len(ids), "first", ids[0])
	}
	return repaired, nil
}

// sums are the checksums of the tables, a few spans at a time.
func (s *Store) sums(ctx context.Context) (map[int64]index.Sum, error) {
	type row struct {
		Span      int64 `db:"span"`
		Count     int64 `db:"n"`
		IDs       int64 `db:"ids"`
		Published int64 `db:"published"`
	}
	out := map[int64]index.Sum{}
	for from := int64(0); ; from += spansAtOnce * index.SumSpan {
		first, err := db.Get[*int64](ctx, s.DB, `SELECT min(id) FROM recording WHERE id >= $1`, from)
		if err != nil {
			return nil, fmt.Errorf("compare the index: %w", err)
		}
		if first == nil {
			return out, nil
		}
		from = *first / index.SumSpan * index.SumSpan // ids have gaps
		rows, err := db.Query[row](ctx, s.DB, `SELECT id / $1 AS span, count(*) AS n, CAST(sum(id % $1) AS BIGINT) AS ids, CAST(sum(published_at % $2) AS BIGINT) AS published
			FROM (`+indexable+` AND r.id >= $3 AND r.id < $4) p GROUP BY id / $1`, index.SumSpan, index.SumModulus, from, from+spansAtOnce*index.SumSpan)
		if err != nil {
			return nil, fmt.Errorf("compare the index: %w", err)
		}
		for _, r := range rows {
			out[r.Span] = index.Sum{Count: r.Count, IDs: r.IDs, Published: r.Published}
		}
	}
}

// wrongIn lists the recordings of a span that the index has and the tables have not, or the other way, or of another time, though nothing in
// the feed says that they are about to change.
func (s *Store) wrongIn(ctx context.Context, span int64) ([]int64, error) {
	head, err := s.Feed.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, head); err != nil {
		return nil, err
	}
	type row struct {
		ID        int64 `db:"id"`
		Published int64 `db:"published_at"`
	}
	indexed := s.ix.PublishedIn(span)
	rows, err := db.Query[row](ctx, s.DB, indexable+` AND r.id >= $1 AND r.id < $2`, span*index.SumSpan, (span+1)*index.SumSpan)
	if err != nil {
		return nil, fmt.Errorf("compare the index: %w", err)
	}
	wrong := map[int64]bool{}
	for _, r := range rows {
		if at, ok := indexed[r.ID]; !ok || at != r.Published {
			wrong[r.ID] = true
		}
		delete(indexed, r.ID)
	}
	for id := range indexed {
		wrong[id] = true
	}
	later, err := s.Feed.After(ctx, head)
	if err != nil {
		return nil, err
	}
	for _, c := range later {
		if c.Kind != "recording" { // an account, say, with any number of recordings: the next hour will tell
			return nil, nil
		}
		delete(wrong, c.ID)
	}
	return slices.Sorted(maps.Keys(wrong)), nil
}

// waitFor waits until everything up to a number of the feed is in the index.
func (s *Store) waitFor(ctx context.Context, seq int64) error {
	ctx, cancel := context.WithTimeout(ctx, compareWait)
	defer cancel()
	for s.applied.Load() < seq {
		select {
		case <-ctx.Done():
			return errBehind
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
