package index

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// The part of the catalog up to which values are counted hit by hit; beyond it, intersecting each value's bitmap with the hits is quicker.
const (
	walkShare   = 8  // of values in columns
	recordShare = 12 // of values in records, which lie far apart
)

// tally counts the values of a set of hits, in all dictionaries that are wanted at once.
type tally struct {
	ix     *Index
	set    *roaring.Bitmap
	total  int
	wanted []int // dictionaries
	counts [dicts][]uint32
	s      *scratch // whoever has done with the tally puts it back
	bits   []uint64 // set, when it was asked for
}

// of is how many hits have each value of a dictionary.
func (t *tally) of(d int) []uint32 {
	dict := t.ix.values[d]
	switch {
	case t.counts[d] != nil:
	case t.total == t.ix.slots.n:
		t.counts[d] = dict.counts
	case inColumn(d) && t.few(walkShare) && (len(t.wanted) > 1 || len(dict.names) > 8):
		t.walk()
	case d == dTag && t.few(recordShare):
		t.walk()
	case many(d) && t.few(recordShare):
		t.walkRecords()
	default:
		counts := make([]uint32, len(dict.names))
		for id := range counts {
			if dict.counts[id] > 0 {
				counts[id] = uint32(t.overlap(&dict.postings[id]))
			}
		}
		t.counts[d] = counts
	}
	return t.counts[d]
}

// few reports whether the hits are so few that walking over them is the quicker way.
func (t *tally) few(share int) bool { return t.total <= t.ix.slots.n/share || t.total <= 3000 }

// overlap is how many hits a posting of values has.
func (t *tally) overlap(p *posting) int {
	if p.big != nil {
		return int(p.big.set.AndCardinality(t.set))
	}
	if t.bits == nil {
		t.bits = zeroed(&t.s.bits, len(t.ix.ids)/64+1)
		t.set.WriteDenseTo(t.bits)
	}
	n := uint64(0)
	t.s.reader.each(p, false, func(slots []uint32, _ []uint8) {
		for _, slot := range slots {
			n += t.bits[slot/64] >> (slot % 64) & 1
		}
	})
	return int(n)
}

// walk goes over the hits once, for the dictionaries in columns and the tags, which stand beside them.
func (t *tally) walk() {
	var columns []int
	for _, d := range t.wanted {
		if inColumn(d) {
			columns = append(columns, d)
			t.counts[d] = make([]uint32, len(t.ix.values[d].names)+1) // the first is for none: codes are ids plus 1
		}
	}
	tags, more := (*[tagsBeyond + 1]uint32)(nil), t.s.slots[:0]
	if slices.Contains(t.wanted, dTag) && t.few(recordShare) {
		tags = t.s.tagCounts()
	}
	eachBatch(t.set, func(slots []uint32) {
		for _, d := range columns { // one after the other: no read waits for another
			t.ix.codes.count(slots, d, t.counts[d])
		}
		if tags != nil {
			more = countTags(t.ix.codes.rows, slots, tags, more)
		}
	})
	for _, d := range columns {
		t.counts[d] = t.counts[d][1:]
	}
	if t.s.slots = more; tags != nil {
		t.tagsOf(tags, more)
	}
}

// tagsOf takes over what was counted of the rows, and counts what is beyond them.
func (t *tally) tagsOf(rows *[tagsBeyond + 1]uint32, more []uint32) {
	var counts [dicts][]uint32
	counts[dTag] = zeroed(&t.s.counts[dTag], len(t.ix.values[dTag].names))
	copy(counts[dTag], rows[1:tagsBeyond])
	for part := range slices.Chunk(more, slotBatch) {
		t.ix.countEncoded(part, &counts)
	}
	t.counts[dTag] = counts[dTag]
}

// walkRecords goes over the hits once, for the other dictionaries with many values.
func (t *tally) walkRecords() {
	var counts [dicts][]uint32
	for _, d := range t.wanted {
		if many(d) && d != dTag {
			t.counts[d] = zeroed(&t.s.counts[d], len(t.ix.values[d].names))
			counts[d] = t.counts[d]
		}
	}
	eachBatch(t.set, func(slots []uint32) { t.ix.countEncoded(slots, &counts) })
}

// countEncoded counts the encoded values of slots.
func (ix *Index) countEncoded(slots []uint32, counts *[dicts][]uint32) {
	var texts [slotBatch][]byte
	ix.vals.gather(slots, &texts)
	for i := range slots {
		for vals := texts[i]; len(vals) > 0; {
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
	exact := func(id uint32) int { return t.overlap(&dict.postings[id]) }
	switch {
	case t.total == t.ix.slots.n:
		exact = func(id uint32) int { return int(dict.counts[id]) }
	case t.few(recordShare):
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
