package index

import (
	"encoding/binary"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// maxPacked is the number of slots up to which a posting is a packed list: smaller than a bitmap, and short enough to be walked
// wherever it is asked.
const maxPacked = 2048

// posting is a set of slots, with a mark for each when it is of words.
type posting struct {
	packed []byte // for each slot in order the gap to the one before as uvarint, then its mark
	last   uint32 // highest slot of packed, or of the bitmap when nothing was taken from its end
	big    *bigPosting
}

// bigPosting is a posting of many slots.
type bigPosting struct {
	set   *roaring.Bitmap // never written while somebody reads: the index's lock sees to that
	marks []uint8         // by rank
	ranks *ranks          // of what many recordings have, else nil
}

// insert adds slot, which is not there yet; n is how many there are.
func (p *posting) insert(slot uint32, n uint32, marked bool, mark uint8) {
	switch {
	case p.big != nil:
		p.big.insert(slot, slot > p.last, marked, mark)
		p.big.rankIf(marked, max(slot, p.last))
	case n == 0:
		p.packed = appendEntry(p.packed[:0], slot, marked, mark)
	case slot > p.last:
		p.packed = appendEntry(p.packed, slot-p.last, marked, mark)
	default:
		at := p.seek(slot, marked)
		var entry [12]byte
		added := appendEntry(entry[:0], slot-at.before, marked, mark)
		added = binary.AppendUvarint(added, uint64(at.slot-slot))
		p.packed = slices.Replace(p.packed, at.begin, at.mark, added...)
	}
	p.last = max(p.last, slot)
	if p.big == nil && n+1 > maxPacked {
		p.unpack(marked)
	}
}

func appendEntry(b []byte, gap uint32, marked bool, mark uint8) []byte {
	b = binary.AppendUvarint(b, uint64(gap))
	if marked {
		b = append(b, mark)
	}
	return b
}

// place is an entry of a packed list.
type place struct {
	before, slot uint32 // the slot before it (0 for none) and its own
	begin        int    // of its gap
	mark, end    int    // of its mark, and behind it
}

// seek finds the first entry whose slot is at least slot; there is one.
func (p *posting) seek(slot uint32, marked bool) (at place) {
	for {
		gap, n := binary.Uvarint(p.packed[at.end:])
		at = place{before: at.slot, slot: at.slot + uint32(gap), begin: at.end, mark: at.end + n, end: at.end + n}
		if marked {
			at.end++
		}
		if at.slot >= slot {
			return at
		}
	}
}

// unpack makes a packed list a bitmap.
func (p *posting) unpack(marked bool) {
	big := &bigPosting{}
	slots := make([]uint32, 0, maxPacked+1)
	p.each(marked, func(slot uint32, mark uint8) {
		slots = append(slots, slot)
		if marked {
			big.marks = append(big.marks, mark)
		}
	})
	big.set = roaring.BitmapOf(slots...)
	p.big, p.packed = big, nil
}

func (b *bigPosting) insert(slot uint32, atEnd, marked bool, mark uint8) {
	if marked && atEnd {
		b.marks = append(b.marks, mark)
	} else if marked {
		b.marks = slices.Insert(b.marks, b.rank(slot), mark)
	}
	b.set.Add(slot)
	if b.ranks != nil {
		b.ranks.add(slot)
	}
}

// rankIf makes the ranks when they are worth their memory.
func (b *bigPosting) rankIf(marked bool, last uint32) {
	if n := len(b.marks); marked && b.ranks == nil && n >= minRanked && n >= int(last)/rankedShare {
		b.ranks = &ranks{}
		eachSlot(b.set, b.ranks.add)
	}
}

// rank is the number of slots before slot.
func (b *bigPosting) rank(slot uint32) int {
	if b.ranks != nil {
		return b.ranks.of(slot)
	}
	if slot == 0 {
		return 0
	}
	return int(b.set.Rank(slot - 1))
}

// delete takes slot out, which is there.
func (p *posting) delete(slot uint32, marked bool) {
	if p.big != nil {
		if marked {
			at := p.big.rank(slot)
			p.big.marks = slices.Delete(p.big.marks, at, at+1)
		}
		p.big.set.Remove(slot)
		if p.big.ranks != nil {
			p.big.ranks.remove(slot)
		}
		return
	}
	at := p.seek(slot, marked)
	if at.end == len(p.packed) {
		p.packed, p.last = p.packed[:at.begin], at.before
		return
	}
	gap, n := binary.Uvarint(p.packed[at.end:])
	var joined [10]byte
	p.packed = slices.Replace(p.packed, at.begin, at.end+n, binary.AppendUvarint(joined[:0], uint64(slot-at.before)+gap)...)
}

// set is p as a bitmap that must not be written.
func (p *posting) set(marked bool) *roaring.Bitmap {
	if p.big != nil {
		return p.big.set
	}
	var few [64]uint32
	list := few[:0]
	p.each(marked, func(slot uint32, _ uint8) { list = append(list, slot) })
	set := roaring.New()
	set.AddMany(list)
	return set
}

// each calls f for every slot in order, with its mark.
func (p *posting) each(marked bool, f func(slot uint32, mark uint8)) {
	if p.big != nil {
		rank := 0
		eachSlot(p.big.set, func(slot uint32) {
			mark := uint8(0)
			if marked {
				mark = p.big.marks[rank]
			}
			rank++
			f(slot, mark)
		})
		return
	}
	slot := uint32(0)
	for i := 0; i < len(p.packed); {
		gap := uint64(p.packed[i])
		if i++; gap >= 0x80 {
			var n int
			gap, n = binary.Uvarint(p.packed[i-1:])
			i += n - 1
		}
		slot += uint32(gap)
		mark := uint8(0)
		if marked {
			mark = p.packed[i]
			i++
		}
		f(slot, mark)
	}
}

// until is each that ends when f says false.
func (p *posting) until(marked bool, f func(slot uint32, mark uint8) bool) {
	on := true
	if p.big == nil {
		p.each(marked, func(slot uint32, mark uint8) { on = on && f(slot, mark) })
		return
	}
	rank := 0
	p.big.set.Iterate(func(slot uint32) bool {
		mark := uint8(0)
		if marked {
			mark = p.big.marks[rank]
		}
		rank++
		return f(slot, mark)
	})
}

// trim gives back what growing left over.
func (p *posting) trim() {
	if p.big != nil {
		p.big.marks = exact(p.big.marks)
		return
	}
	p.packed = exact(p.packed)
}
