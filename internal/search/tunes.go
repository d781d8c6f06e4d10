package search

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"sync"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
)

// tunes are the sketches of all melodies and rhythms: 72 bytes in memory for each of the recordings that have one. They choose the
// few that are worth reading and aligning. A sketch of something withdrawn does no harm: the index is asked for each.
type tunes struct {
	mu     sync.RWMutex
	melody sketches
	rhythm sketches
}

// sketches are in the order of ids, so that a new one, which has the largest, goes to the end.
type sketches struct {
	ids  []int64
	list []contour.Sketch
}

func (s *sketches) put(id int64, sketch contour.Sketch) {
	i, had := slices.BinarySearch(s.ids, id)
	if had {
		s.list[i] = sketch
		return
	}
	s.ids, s.list = slices.Insert(s.ids, i, id), slices.Insert(s.list, i, sketch)
}

func (s *sketches) drop(id int64) {
	if i, had := slices.BinarySearch(s.ids, id); had {
		s.ids, s.list = slices.Delete(s.ids, i, i+1), slices.Delete(s.list, i, i+1)
	}
}

// put takes the contours of recordings; what of they lack is dropped.
func (t *tunes) put(list []recordings.Contour) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range list {
		if contour.CheckMelody(c.Melody) == nil {
			t.melody.put(c.ID, contour.MelodySketch(c.Melody, false))
		} else {
			t.melody.drop(c.ID)
		}
		if contour.CheckRhythm(c.Rhythm) == nil {
			t.rhythm.put(c.ID, contour.RhythmSketch(c.Rhythm, false))
		} else {
			t.rhythm.drop(c.ID)
		}
	}
}

// aligned is how many recordings a search reads and aligns.
const aligned = 600

type promising struct {
	id   int64
	hits float64
}

// promisings is a heap with the least promising on top.
type promisings []promising

func (p promisings) Len() int           { return len(p) }
func (p promisings) Less(i, j int) bool { return p[i].hits < p[j].hits }
func (p promisings) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *promisings) Push(x any)        { *p = append(*p, x.(promising)) }
func (p *promisings) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// choose lists the recordings that pass the test and whose sketches have most in common with the query's.
func (t *tunes) choose(kind query.Kind, packed []byte, pass func(id int64) bool) []int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all, asked := &t.melody, contour.Sketch{}
	if kind == query.Rhythm {
		all, asked = &t.rhythm, contour.RhythmSketch(packed, true)
	} else {
		asked = contour.MelodySketch(packed, true)
	}
	var best promisings
	for i := range all.list {
		hits := all.list[i].Hits(&asked)
		if len(best) == aligned && hits <= best[0].hits || !pass(all.ids[i]) {
			continue
		}
		heap.Push(&best, promising{all.ids[i], hits})
		if len(best) > aligned {
			heap.Pop(&best)
		}
	}
	ids := make([]int64, len(best))
	for i, b := range best {
		ids[i] = b.id
	}
	return ids
}

// fillTunes sketches what is in the tables.
func (s *Store) fillTunes(ctx context.Context) error {
	for last := int64(0); ; {
		list, next, err := s.Recordings.ContoursAfter(ctx, last)
		if err != nil || next == 0 {
			return err
		}
		s.tunes.put(list)
		last = next
	}
}

// farthest is the distance of a melody or a rhythm beyond which it is not listed.
const farthest = .45

// sung lists the recordings whose melody or rhythm is like the query's, nearest first.
func (s *Store) sung(ctx context.Context, kind query.Kind, packed []byte, pass func(id int64) bool) ([]near, error) {
	list, err := s.Recordings.Contours(ctx, s.tunes.choose(kind, packed, pass))
	if err != nil {
		return nil, err
	}
	var out []near
	for _, c := range list {
		n := near{id: c.ID}
		switch {
		case kind == query.Rhythm && contour.CheckRhythm(c.Rhythm) == nil:
			n.off = contour.RhythmDistance(packed, c.Rhythm)
		case kind == query.Melody && contour.CheckMelody(c.Melody) == nil:
			n.off = contour.MelodyDistance(packed, c.Melody)
		default:
			continue
		}
		if n.off <= farthest {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b near) int { return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(b.id, a.id)) })
	return out, ctx.Err()
}
