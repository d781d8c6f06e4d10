package index

import (
	"bytes"
	"math"

	"audiomicro/internal/search/query"

	"github.com/RoaringBitmap/roaring/v2"
)

// Hit is one recording found.
type Hit struct {
	ID       int64
	Score    float64 // relevance (0 and up), or the cosine of Similar and Like
	FromPack int     // with GroupByPack, how many hits are of the same pack, this one included; else 1
}

// Result is one page of hits with what is said about all of them.
type Result struct {
	Total      int      // hits on all pages; with GroupByPack, groups
	Hits       []Hit    // those of the page
	Facets     Facets   // counts of the facets that were asked for, in that order
	DidYouMean string   // with no hit, the text with a mistyped word put right, which has some; "" when there is none
	Also       []string // synonyms that some of the hits have
	Some       bool     // no recording has all the words: these have some of them
}

// Search finds what q asks for and counts the facets named (Facets lists them all). The error is a *query.ValueError: the text is
// beyond its bounds.
func (ix *Index) Search(q query.Query, facets ...query.Field) (Result, error) {
	parsed, err := query.Parse(q.Text, q.Prefix)
	if err != nil {
		return Result{}, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	s := ix.find(q, parsed)
	r := Result{Some: s.some}
	r.Hits, r.Total = ix.page(q, s.hits, s.scored)
	r.Facets = ix.count(q, s, facets)
	if r.Total == 0 || s.some {
		r.DidYouMean = ix.didYouMean(q, parsed)
	}
	for _, also := range s.also {
		if !ix.eval(also.Filter, s.hits).IsEmpty() {
			r.Also = append(r.Also, also.Text)
		}
	}
	return r, nil
}

// found is the outcome of a query before it is ordered.
type found struct {
	text   *roaring.Bitmap                 // what the words and q.Where allow
	chosen map[query.Field]*roaring.Bitmap // what each facet choice leaves of that
	hits   *roaring.Bitmap                 // what all leave
	scored []scored                        // what relevance is made of
	also   []query.Also                    // synonyms
	some   bool                            // text has some of the words only
	others map[query.Field]*roaring.Bitmap // what all but the choice in a field leave, as far as leftOut was asked
}

// leftOut is the hits as they were without the choice in one field.
func (s found) leftOut(field query.Field) *roaring.Bitmap {
	if _, ok := s.chosen[field]; !ok {
		return s.hits
	}
	if set := s.others[field]; set != nil {
		return set
	}
	set := s.text
	for f, allowed := range s.chosen {
		if f != field {
			set = s.and(set, allowed)
		}
	}
	s.others[field] = set
	return set
}

// find evaluates q. The caller holds the lock.
func (ix *Index) find(q query.Query, parsed query.Parsed) found {
	s := found{chosen: map[query.Field]*roaring.Bitmap{}, others: map[query.Field]*roaring.Bitmap{}}
	for _, leaf := range parsed.Scored {
		s.scored = append(s.scored, scored{leaf, 1})
	}
	where := parsed.Where
	if !q.AsTyped {
		var expanded query.Parsed
		expanded, s.also = ix.synonyms.Load().Expand(parsed)
		where = expanded.Where
		for _, also := range s.also {
			s.scored = append(s.scored, scored{also.Filter, float32(ix.cfg.Synonym)})
		}
	}
	if q.NumberIsID && len(parsed.Scored) == 1 && parsed.Where == parsed.Scored[0] && parsed.Where.Op == query.Word {
		if id, ok := query.Canonical(query.ID, parsed.Where.Words[0]); ok {
			where = query.Either(where, query.Is(query.ID, id))
		}
	}
	within := ix.eval(q.Where, ix.live)
	if s.text = ix.eval(where, within); s.text.IsEmpty() && q.SomeWords {
		s.text = ix.mostWords(where, within)
		s.some = !s.text.IsEmpty()
	}
	s.hits = s.text
	for _, field := range q.Chosen() {
		s.others = map[query.Field]*roaring.Bitmap{field: s.hits} // of the last choice this is left
		s.chosen[field] = ix.eval(q.FieldFilter(field), s.text)
		s.hits = s.and(s.hits, s.chosen[field])
	}
	return s
}

// and narrows set to what a choice allows, which is a part of the text's hits.
func (s found) and(set, allowed *roaring.Bitmap) *roaring.Bitmap {
	if set == s.text {
		return allowed
	}
	return roaring.And(set, allowed)
}

// ranked is a hit on its way into the order: key first (larger is better), then the newer, then the larger id.
type ranked struct {
	key  float64
	slot uint32
	of   int // hits of its pack
}

// page orders the hits and takes the page that q shows.
func (ix *Index) page(q query.Query, set *roaring.Bitmap, leaves []scored) ([]Hit, int) {
	offset, limit := q.Window()
	total := int(set.GetCardinality())
	relevance := q.Sort == "" || q.Sort == query.ByRelevance
	better := ix.better(q.Sort)
	best := newTop(offset+limit, better)
	packs := packs{at: map[int64]int{}}
	take := func(slots []uint32, keys []float64) {
		if q.GroupByPack {
			packs.add(ix, slots, keys, better)
			return
		}
		least := math.Inf(-1) // the last key on the list once it is full: nearly every hit is passed over by one comparison
		for i, key := range keys {
			if key < least {
				continue
			}
			best.add(ranked{key, slots[i], 1})
			if last, full := best.last(); full {
				least = last.key
			}
		}
	}
	s := ix.borrow()
	defer ix.scratches.Put(s)
	if relevance {
		r := ix.scorer(s, total, leaves, q.Weights)
		s.eachRun(set, !r.dense && len(r.parts) > 0, func(slots []uint32) {
			scores, keys := sized(&s.scores, len(slots)), sized(&s.keys, len(slots))
			r.score(slots, scores)
			for i, score := range scores {
				keys[i] = float64(score)
			}
			take(slots, keys)
		})
	} else {
		s.eachRun(set, false, func(slots []uint32) {
			keys := sized(&s.keys, len(slots))
			ix.keys(q.Sort, slots, keys)
			take(slots, keys)
		})
	}
	if q.GroupByPack {
		total = len(packs.best)
		for _, g := range packs.best {
			best.add(g)
		}
	}
	list := best.sorted()
	list = list[min(offset, len(list)):]
	hits := make([]Hit, len(list))
	for i, b := range list {
		hits[i] = Hit{ID: ix.ids[b.slot], FromPack: b.of}
		if relevance {
			hits[i].Score = b.key
		}
	}
	return hits, total
}

// packs keeps the best hit of each pack; a recording without a pack is its own.
type packs struct {
	best []ranked
	at   map[int64]int
}

func (p *packs) add(ix *Index, slots []uint32, keys []float64, better func(a, b ranked) bool) {
	for i, slot := range slots {
		e := ranked{keys[i], slot, 1}
		pack := ix.packs[slot]
		j, seen := p.at[pack]
		switch {
		case pack == 0 || !seen:
			p.at[pack] = len(p.best)
			p.best = append(p.best, e)
		default:
			e.of = p.best[j].of + 1
			if !better(e, p.best[j]) {
				e.key, e.slot = p.best[j].key, p.best[j].slot
			}
			p.best[j] = e
		}
	}
}

// keys sets what an order compares, larger being better; title has no such number.
func (ix *Index) keys(sort query.Sort, slots []uint32, keys []float64) {
	switch sort {
	case query.ByNewest:
		keysOf(slots, keys, ix.published, 1)
	case query.ByOldest:
		keysOf(slots, keys, ix.published, -1)
	case query.ByDownloads:
		keysOf(slots, keys, ix.downloads, 1)
	case query.ByFewDownloads:
		keysOf(slots, keys, ix.downloads, -1)
	case query.ByRating:
		keysOf(slots, keys, ix.rating, 1)
	case query.ByLowRating:
		keysOf(slots, keys, ix.rating, -1)
	case query.ByLongest:
		keysOf(slots, keys, ix.seconds, 1)
	case query.ByShortest:
		keysOf(slots, keys, ix.seconds, -1)
	case query.ByDearest:
		keysOf(slots, keys, ix.amount, 1)
	case query.ByCheapest:
		keysOf(slots, keys, ix.amount, -1)
		for i, slot := range slots {
			if ix.amount[slot] < 0 {
				keys[i] = math.Inf(-1) // nothing is offered
			}
		}
	default:
		clear(keys)
	}
}

func keysOf[T int64 | float32](slots []uint32, keys []float64, column []T, sign float64) {
	for i, slot := range slots {
		keys[i] = sign * float64(column[slot])
	}
}

// better is the order of hits.
func (ix *Index) better(sort query.Sort) func(a, b ranked) bool {
	tie := func(a, b ranked) bool {
		if pa, pb := ix.published[a.slot], ix.published[b.slot]; pa != pb {
			return pa > pb
		}
		return ix.ids[a.slot] > ix.ids[b.slot]
	}
	if sort == query.ByTitle {
		return func(a, b ranked) bool {
			if c := bytes.Compare(ix.titleKeyOf(a.slot), ix.titleKeyOf(b.slot)); c != 0 {
				return c < 0
			}
			return tie(a, b)
		}
	}
	return func(a, b ranked) bool {
		if a.key != b.key {
			return a.key > b.key
		}
		return tie(a, b)
	}
}
