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
	case t.total == t.ix.slots.n:
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
func (t *tally) few() bool { return t.total <= t.ix.slots.n/walkShare || t.total <= 3000 }

// walk goes over the hits once.
func (t *tally) walk() {
	var columns []int
	var encoded [dicts][]uint32
	records := false
	for _, d := range t.wanted {
		if inColumn(d) {
			columns = append(columns, d)
			t.counts[d] = make([]uint32, len(t.ix.values[d].names)+1) // the first is for none: codes are ids plus 1
		} else if t.counts[d] == nil {
			encoded[d] = make([]uint32, len(t.ix.values[d].names))
			records = records || d != dLicense
		}
	}
	eachBatch(t.set, func(slots []uint32) {
		for _, d := range columns { // one after the other: no read waits for another
			counts := t.counts[d]
			for _, slot := range slots {
				counts[t.ix.codes[slot][d]]++
			}
		}
		if records {
			t.ix.countEncoded(slots, &encoded)
		}
	})
	for _, d := range columns {
		t.counts[d] = t.counts[d][1:]
	}
	if records {
		for d, counts := range encoded {
			if counts != nil {
				t.counts[d] = counts
			}
		}
	}
}

// countEncoded counts what the records of slots hold. To find a record takes three reads of memory that nobody has touched for long, each
// of which needs the one before: so the first reads of all go out together, then the second ones, then the third.
func (ix *Index) countEncoded(slots []uint32, counts *[dicts][]uint32) {
	var texts [slotBatch][]byte
	for i, slot := range slots {
		texts[i] = ix.texts.list[slot/pageSlots]
	}
	for i, slot := range slots {
		begin, end := ends(texts[i], slot%pageSlots)
		texts[i] = texts[i][begin:end]
	}
	var sizes [slotBatch]uint64
	for i := range slots {
		sizes[i], texts[i] = uvarint(texts[i])
	}
	for i := range slots {
		for vals := texts[i][:min(sizes[i], uint64(len(texts[i])))]; len(vals) > 0; {
			of := counts[vals[0]]
			var id uint64
			if id, vals = uvarint(vals[1:]); of != nil {
				of[id]++
			}
		}
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
	case t.total == t.ix.slots.n:
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
