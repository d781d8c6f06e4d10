package index

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// blockSlots is how many slots are scored together where hits are many: the sums of a block and the lengths of its fields stay in a core's
// own cache, however large the catalog. A roaring bitmap has a container for as many.
const blockSlots = 1 << 16

// block is a number for each slot of a block.
type block = [blockSlots]float32

// scratch is memory that a search uses and the next one uses again.
type scratch struct {
	slots       []uint32
	scores      []float32
	sums, exact []float32
	keys        []float64
	blocks      [2]*block
	bits        []uint64
	counts      [dicts][]uint32
	tags        *[tagsBeyond + 1]uint32
	reader      reader
}

// borrow takes a scratch; who has done with it puts it back into ix.scratches.
func (ix *Index) borrow() *scratch {
	if s, ok := ix.scratches.Get().(*scratch); ok {
		return s
	}
	return &scratch{}
}

func (s *scratch) block(i int) *block {
	if s.blocks[i] == nil {
		s.blocks[i] = new(block)
	}
	return s.blocks[i]
}

// tagCounts is a zero for each code of a tag.
func (s *scratch) tagCounts() *[tagsBeyond + 1]uint32 {
	if s.tags == nil {
		s.tags = new([tagsBeyond + 1]uint32)
	}
	clear(s.tags[:])
	return s.tags
}

// sized gives n elements of a scratch's slice, with whatever they hold.
func sized[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	*s = (*s)[:cap(*s)]
	return (*s)[:n]
}

// zeroed is sized with zeros.
func zeroed[T any](s *[]T, n int) []T {
	out := sized(s, n)
	clear(out)
	return out
}

// eachRun calls f for the slots of set in order: those of one block at a time, or all at once.
func (s *scratch) eachRun(set *roaring.Bitmap, atOnce bool, f func(slots []uint32)) {
	it := set.ManyIterator()
	if atOnce {
		slots := sized(&s.slots, int(set.GetCardinality()))
		for n := 0; n < len(slots); {
			n += it.NextMany(slots[n:])
		}
		f(slots)
		return
	}
	slots, n := sized(&s.slots, blockSlots+slotBatch), 0
	for {
		got := it.NextMany(slots[n : n+slotBatch])
		if n += got; got == 0 {
			break
		}
		if last := slots[n-1] / blockSlots; last != slots[0]/blockSlots { // a block is complete, and perhaps others with few slots
			for slots[0]/blockSlots != last {
				k, _ := slices.BinarySearch(slots[:n], (slots[0]/blockSlots+1)*blockSlots)
				f(slots[:k])
				n = copy(slots, slots[k:n])
			}
		}
	}
	if n > 0 {
		f(slots[:n])
	}
}

// walker goes over the slots of a posting of words, block by block.
type walker struct {
	p    *posting
	n    int    // recordings of it
	at   int    // of the next entry in packed, or its rank
	slot uint32 // the last one behind it
	it   roaring.ManyIntIterable
	buf  []uint32 // taken from it, not walked over yet
	room *[128]uint32
}

func (ix *Index) walkers(forms []uint32) []walker {
	ws := make([]walker, len(forms))
	for i, id := range forms {
		ws[i].p, ws[i].n = &ix.terms.postings[id], int(ix.terms.counts[id])
	}
	return ws
}

// addBlock adds to sums what a form weighs in the slots of a block; what it adds to others than hits nobody reads. Blocks come in order, but
// some may be left out.
func (ix *Index) addBlock(f *walker, block uint32, hits []uint32, sums *block, w *weigher, mask uint8) {
	big := f.p.big
	switch {
	case big == nil:
		f.addPacked(block, sums, w, mask, ix.fieldLen)
	case big.ranks == nil:
		f.addListed(block, sums, w, mask, ix.fieldLen)
	case len(hits) < f.n/3/(len(ix.ids)/blockSlots+1):
		for _, slot := range hits {
			if big.ranks.has(slot) {
				sums[slot%blockSlots] += w.of(big.marks[big.ranks.of(slot)]&mask, ix.fieldLen[slot])
			}
		}
	default:
		big.addRanked(block, sums, w, mask, ix.fieldLen)
	}
}

func (f *walker) addPacked(block uint32, sums *block, w *weigher, mask uint8, lengths [][3]uint8) {
	b, at, slot := f.p.packed, f.at, f.slot
	for at < len(b) {
		gap, mark := uint32(b[at]), at+1
		if gap >= 0x80 {
			long, n := binary.Uvarint(b[at:])
			gap, mark = uint32(long), at+n
		}
		if (slot+gap)/blockSlots > block {
			break
		}
		slot += gap
		at = mark + 1
		if slot/blockSlots == block {
			sums[slot%blockSlots] += w.of(b[mark]&mask, lengths[slot])
		}
	}
	f.at, f.slot = at, slot
}

func (f *walker) addListed(block uint32, sums *block, w *weigher, mask uint8, lengths [][3]uint8) {
	if f.it == nil {
		f.it, f.room = f.p.big.set.ManyIterator(), new([128]uint32)
	}
	for {
		for i, slot := range f.buf {
			if slot/blockSlots > block {
				f.buf = f.buf[i:]
				return
			}
			if slot/blockSlots == block {
				sums[slot%blockSlots] += w.of(f.p.big.marks[f.at]&mask, lengths[slot])
			}
			f.at++
		}
		if f.buf = f.room[:f.it.NextMany(f.room[:])]; len(f.buf) == 0 {
			return
		}
	}
}

func (b *bigPosting) addRanked(block uint32, sums *block, w *weigher, mask uint8, lengths [][3]uint8) {
	from := int(block) * blockSlots / 64
	if from >= len(b.ranks.bits) {
		return
	}
	to := min(from+blockSlots/64, len(b.ranks.bits))
	marks := b.marks[b.ranks.base[from*64/rankBits]:]
	for i, word := range b.ranks.bits[from:to] {
		for ; word != 0; word &= word - 1 {
			slot := uint32((from+i)*64 + bits.TrailingZeros64(word))
			sums[slot%blockSlots] += w.of(marks[0]&mask, lengths[slot])
			marks = marks[1:]
		}
	}
}

// reader takes the slots out of postings, some at a time, with nothing to be allocated.
type reader struct {
	slots [slotBatch]uint32
	marks [slotBatch]uint8
}

// each calls f for all slots of p with their marks (nil for those without).
func (r *reader) each(p *posting, marked bool, f func(slots []uint32, marks []uint8)) {
	if p.big != nil {
		it, rank := p.big.set.ManyIterator(), 0
		for n := it.NextMany(r.slots[:]); n > 0; n = it.NextMany(r.slots[:]) {
			if marked {
				f(r.slots[:n], p.big.marks[rank:rank+n])
			} else {
				f(r.slots[:n], nil)
			}
			rank += n
		}
		return
	}
	slot, n, b := uint32(0), 0, p.packed
	for i := 0; i < len(b); {
		gap := uint64(b[i])
		if i++; gap >= 0x80 {
			var size int
			gap, size = binary.Uvarint(b[i-1:])
			i += size - 1
		}
		slot += uint32(gap)
		r.slots[n] = slot
		if marked {
			r.marks[n] = b[i]
			i++
		}
		if n++; n == slotBatch {
			f(r.slots[:n], r.marks[:n])
			n = 0
		}
	}
	if n > 0 {
		f(r.slots[:n], r.marks[:n])
	}
}
