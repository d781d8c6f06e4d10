package index

import "github.com/RoaringBitmap/roaring/v2"

// walkShare is the part of the catalog up to which values are counted hit by hit; beyond it, intersecting each value's bitmap with the
// hits is quicker.
const walkShare = 8

// tally counts the values of a set of hits, in all dictionaries that are wanted at once.
type tally struct {
	ix     *Index
	set    *roaring.Bitmap
	total  int
	wanted []int // dictionaries
	counts [dicts][]uint32
}

// of is how many hits have each value of a dictionary.
func (t *tally) of(d int) []uint32 {
	dict := t.ix.values[d]
	switch {
	case t.counts[d] != nil:
	case t.total == len(t.ix.slots):
		t.counts[d] = dict.counts
	case d != dLicense && t.few() && (len(t.wanted) > 1 || len(dict.names) > 8): // licenses are few, and not in a column
		t.walk()
	default:
		counts := make([]uint32, len(dict.names))
		for id := range counts {
			if dict.counts[id] > 0 {
				counts[id] = uint32(dict.postings[id].overlap(t.set, false))
			}
		}
		t.counts[d] = counts
	}
	return t.counts[d]
}

// few reports whether the hits are so few that walking over them is the quicker way.
func (t *tally) few() bool { return t.total <= len(t.ix.slots)/walkShare || t.total <= 3000 }

// walk goes over the hits once.
func (t *tally) walk() {
	var columns []int
	encoded := false
	for _, d := range t.wanted {
		switch {
		case inColumn(d):
			columns = append(columns, d)
			t.counts[d] = make([]uint32, len(t.ix.values[d].names)+1) // the first is for none: codes are ids plus 1
		case d != dLicense:
			encoded = true
			t.counts[d] = make([]uint32, len(t.ix.values[d].names))
		}
	}
	eachSlot(t.set, func(slot uint32) {
		row := &t.ix.codes[slot]
		for _, d := range columns {
			t.counts[d][row[d]]++
		}
		if encoded {
			vals, _ := piece(t.ix.texts.get(slot))
			decodeValues(vals, func(d int, id uint32) {
				if t.counts[d] != nil && d != dLicense {
					t.counts[d][id]++
				}
			})
		}
	})
	for _, d := range columns {
		t.counts[d] = t.counts[d][1:]
	}
}

// valueCount is a value and how many of the hits have it.
type valueCount struct {
	id uint32
	n  int
}

// top lists the n most frequent values; equal ones by name.
func (t *tally) top(d, n int) []valueCount {
	dict := t.ix.values[d]
	best := newTop(n, func(a, b valueCount) bool {
		if a.n != b.n {
			return a.n > b.n
		}
		return dict.names[a.id] < dict.names[b.id]
	})
	exact := func(id uint32) int { return dict.postings[id].overlap(t.set, false) }
	switch {
	case t.total == len(t.ix.slots):
		exact = func(id uint32) int { return int(dict.counts[id]) }
	case t.few():
		for id, c := range t.of(d) {
			if c > 0 {
				best.add(valueCount{uint32(id), int(c)})
			}
		}
		return best.sorted()
	}
	dict.mostFrequent(func(id uint32, atMost int) bool {
		if len(best.heap) == n && atMost < best.heap[0].n {
			return false
		}
		if c := exact(id); c > 0 {
			best.add(valueCount{id, c})
		}
		return true
	})
	return best.sorted()
}
