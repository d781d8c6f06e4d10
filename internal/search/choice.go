package search

import (
	"slices"
	"sync"
	"time"

	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// choice is what the index chose for home: which recordings, kinds and tags. What stands on them, and whether they are still published, is
// asked of the tables for each visitor.
type choice struct {
	mu   sync.Mutex // held while choosing: whoever comes meanwhile waits for the same
	of   state
	at   time.Time
	took time.Duration
	chosen
}

// state is what a choice was made of: all changes up to one of the feed, all repairs, and a day.
type state struct{ applied, repaired, day int64 }

type chosen struct {
	fresh, popular []int64
	featured       int64 // 0 for none
	kinds          []kind
	tags           []string
}

// kind is a category of the taxonomy with its most downloaded recording.
type kind struct {
	code, title string
	count       int
	best        int64
}

// A choice that took long is kept for a while although something changed: at a million recordings its dozen searches take 0.1 s.
const (
	choiceLong = 20 * time.Millisecond
	choiceKept = time.Second
)

// now is the choice of this moment.
func (c *choice) now(s *Store) (chosen, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	start := time.Now()
	of := state{applied: s.applied.Load(), repaired: s.repaired.Load(), day: s.Site.Now().UTC().Unix() / 86400}
	if !c.at.IsZero() && c.of.day == of.day && (c.of == of || c.took > choiceLong && start.Sub(c.at) < choiceKept) {
		return c.chosen, nil
	}
	found, err := s.choose(of.day)
	if err != nil {
		return chosen{}, err
	}
	c.of, c.at, c.took, c.chosen = of, start, time.Since(start), found
	return found, nil
}

// choose asks the index.
func (s *Store) choose(day int64) (c chosen, err error) {
	if c.fresh, err = s.hits(query.Query{Sort: query.ByNewest, Limit: homeNew}); err != nil {
		return c, err
	}
	if c.popular, err = s.hits(query.Query{Sort: query.ByDownloads, Limit: 5}); err != nil {
		return c, err
	}
	// The recording of the day is one of those between four seconds and a minute, the same for everybody all day.
	short, err := s.hits(query.Query{Sort: query.ByOldest, Limit: query.MaxLimit, Ranges: []query.Range{{Field: query.Length, Low: 4, High: 60}}})
	if err != nil {
		return c, err
	}
	if len(short) > 0 {
		c.featured = short[int(day)%len(short)]
	}
	res, err := s.ix.Search(query.Query{Limit: 1}, query.Category, query.Tag)
	if err != nil {
		return c, err
	}
	for _, row := range res.Facets.Of(query.Tag).Rows {
		if len(c.tags) < 3 && row.Count > 0 {
			c.tags = append(c.tags, row.Label)
		}
	}
	// The eight largest categories.
	rows := slices.Clone(res.Facets.Of(query.Category).Rows)
	slices.SortStableFunc(rows, func(a, b index.Row) int { return b.Count - a.Count })
	for _, row := range rows {
		category, leaf := taxonomy.Find(row.Value)
		if !leaf || row.Count == 0 || len(c.kinds) == 8 {
			continue
		}
		best, err := s.hits(query.Query{Limit: 1, Sort: query.ByDownloads}.With(query.Category, category.Code))
		if err != nil {
			return c, err
		}
		if len(best) > 0 {
			c.kinds = append(c.kinds, kind{category.Code, category.Name, row.Count, best[0]})
		}
	}
	return c, nil
}

// hits lists what the index finds.
func (s *Store) hits(q query.Query) ([]int64, error) {
	res, err := s.ix.Search(q)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.ID
	}
	return ids, nil
}
