package index

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// maxSmall is the number of slots up to which a posting is a plain list, which is smaller than a bitmap.
const maxSmall = 24

// posting is a set of slots. With weighed set it also keeps one byte for each.
type posting struct {
	small  []uint32        // ascending, while bitmap is nil
	bitmap *roaring.Bitmap // never written while somebody reads: the index's lock sees to that
	bytes  []uint8         // by rank, for word postings
}

// insert adds slot, which is not there yet.
func (p *posting) insert(slot uint32, weighed bool, b uint8) {
	at := 0
	if weighed || p.bitmap == nil {
		at = p.rank(slot)
	}
	if p.bitmap != nil {
		p.bitmap.Add(slot)
	} else if p.small = slices.Insert(p.small, at, slot); len(p.small) > maxSmall {
		p.bitmap = roaring.BitmapOf(p.small...)
		p.small = nil
	}
	if weighed {
		p.bytes = slices.Insert(p.bytes, at, b)
	}
}

// delete takes slot out, which is there.
func (p *posting) delete(slot uint32) {
	at := 0
	if p.bytes != nil || p.bitmap == nil {
		at = p.rank(slot)
	}
	if p.bitmap != nil {
		p.bitmap.Remove(slot)
	} else {
		p.small = slices.Delete(p.small, at, at+1)
	}
	if p.bytes != nil {
		p.bytes = slices.Delete(p.bytes, at, at+1)
	}
}

// rank is the number of slots before slot.
func (p *posting) rank(slot uint32) int {
	if p.bitmap == nil {
		at, _ := slices.BinarySearch(p.small, slot)
		return at
	}
	if p.bitmap.IsEmpty() || slot > p.bitmap.Maximum() {
		return len(p.bytes) // only weighed postings are asked
	}
	if slot == 0 {
		return 0
	}
	return int(p.bitmap.Rank(slot - 1))
}

// contains reports whether slot is in p.
func (p *posting) contains(slot uint32) bool {
	if p.bitmap != nil {
		return p.bitmap.Contains(slot)
	}
	_, ok := slices.BinarySearch(p.small, slot)
	return ok
}

// set is p as a bitmap that must not be written.
func (p *posting) set() *roaring.Bitmap {
	if p.bitmap != nil {
		return p.bitmap
	}
	return roaring.BitmapOf(p.small...)
}

// addTo joins p into set.
func (p *posting) addTo(set *roaring.Bitmap) {
	if p.bitmap != nil {
		set.Or(p.bitmap)
		return
	}
	set.AddMany(p.small)
}

// overlap is the number of slots that p shares with set.
func (p *posting) overlap(set *roaring.Bitmap) int {
	if p.bitmap != nil {
		return int(p.bitmap.AndCardinality(set))
	}
	n := 0
	for _, slot := range p.small {
		if set.Contains(slot) {
			n++
		}
	}
	return n
}

// each calls f for every slot in order, with its rank.
func (p *posting) each(f func(slot uint32, rank int)) {
	if p.bitmap == nil {
		for i, slot := range p.small {
			f(slot, i)
		}
		return
	}
	var buffer [512]uint32
	it := p.bitmap.ManyIterator()
	for rank := 0; ; {
		n := it.NextMany(buffer[:])
		if n == 0 {
			return
		}
		for _, slot := range buffer[:n] {
			f(slot, rank)
			rank++
		}
	}
}
