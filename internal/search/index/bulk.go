package index

import (
	"math/bits"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// invert makes the postings of every dictionary anew from the records and columns of the live slots: one dictionary after the other, each
// in two walks, which is many times as quick as putting recording after recording into fifty postings each.
func (ix *Index) invert() {
	var words sync.WaitGroup
	words.Go(ix.invertWords) // the longest part, beside the others
	for d := range columnDicts {
		v := newInverter(ix.values[d])
		for range 2 {
			eachSlot(ix.live, func(slot uint32) {
				if c := ix.codes.of(slot, d); c != 0 {
					v.add(uint32(c-1), slot, 0)
				}
			})
			v.next()
		}
	}
	ix.invertEncoded()
	ix.lengths = [3]uint64{}
	eachSlot(ix.live, func(slot uint32) {
		for f, n := range ix.fieldLen[slot] {
			ix.lengths[f] += uint64(fieldLength(n))
		}
	})
	words.Wait()
}

func (ix *Index) invertWords() {
	v := newInverter(ix.terms)
	for range 2 {
		eachSlot(ix.live, func(slot uint32) {
			b := ix.record(slot).words
			for list := 0; list < 2*textFields && len(b) > 0; list++ { // as eachWord does, without a call for each of tens of millions
				var n, id uint64
				for n, b = uvarint(b); n > 0 && len(b) > 0; n-- {
					id, b = uvarint(b)
					v.add(uint32(id), slot, list/2)
				}
			}
		})
		v.next()
	}
}

// invertEncoded is for the dictionaries whose values stand in the records.
func (ix *Index) invertEncoded() {
	var vs [dicts]*inverter
	for d, dict := range ix.values {
		if !inColumn(d) {
			vs[d] = newInverter(dict)
		}
	}
	for range 2 {
		eachSlot(ix.live, func(slot uint32) {
			decodeValues(ix.record(slot).vals, func(d int, id uint32) { vs[d].add(id, slot, 0) })
		})
		for _, v := range vs {
			if v != nil {
				v.next()
			}
		}
	}
}

// inverter turns a walk over recordings into postings: the first walk counts, the second sets each slot behind the others of its id.
type inverter struct {
	dict   *dict
	ids    []inverted
	chunks [][]byte // where the packed lists stand, those of one chunk one behind the other
	slots  []uint32 // of ids with more
	marks  []uint8
	walk   int
}

// inverted is how far an id has come; what is asked together lies together.
type inverted struct {
	seen uint32 // the slot that it was last added with, plus 1
	n    uint32 // slots, of the first walk
	at   int    // bytes so far; then where its next entry goes in chunks, or in slots
}

// chunkSize is how many bytes of packed lists share one piece of memory. Hundreds of thousands of their own would cost the allocator's rounding;
// one of all would stay as a whole however many of its lists have moved on.
const chunkSize = 1 << 16

func newInverter(d *dict) *inverter {
	return &inverter{dict: d, ids: make([]inverted, len(d.names))}
}

// add says that a recording has id, in a text field if it is a word. Slots come in order; an id may come again.
func (v *inverter) add(id, slot uint32, field int) {
	marked := v.dict.marked
	if marked && id == 0 {
		return // the gap
	}
	of := &v.ids[id]
	fresh := of.seen != slot+1
	gap := slot
	if of.seen > 0 {
		gap = slot - (of.seen - 1)
	}
	switch {
	case v.walk == 0:
		if fresh {
			of.n++
			of.at += entrySize(gap, marked)
		}
	case of.n > maxPacked:
		if fresh {
			v.slots[of.at] = slot
			of.at++
		}
		if marked {
			v.marks[of.at-1] = raise(v.marks[of.at-1], field)
		}
	default:
		if fresh {
			chunk, from := v.chunks[of.at/chunkSize], of.at%chunkSize
			of.at += len(appendEntry(chunk[:from], gap, marked, 0)) - from
		}
		if marked {
			mark := &v.chunks[(of.at-1)/chunkSize][(of.at-1)%chunkSize]
			*mark = raise(*mark, field)
		}
	}
	of.seen = slot + 1
}

// entrySize is how many bytes appendEntry writes.
func entrySize(gap uint32, marked bool) int {
	n := (bits.Len32(gap|1) + 6) / 7
	if marked {
		n++
	}
	return n
}

// next ends a walk.
func (v *inverter) next() {
	v.walk++
	if v.walk == 1 {
		v.place()
		return
	}
	for id, of := range v.ids {
		p := &v.dict.postings[id]
		if of.n <= maxPacked {
			p.last = max(of.seen, 1) - 1
			continue
		}
		var marks []uint8
		if v.marks != nil {
			marks = v.marks[of.at-int(of.n) : of.at]
		}
		*p = newBig(v.slots[of.at-int(of.n):of.at], marks)
	}
}

// place makes room for what was counted.
func (v *inverter) place() {
	free, listed, room := 0, 0, []int{}
	for id, of := range v.ids {
		v.dict.counts[id], v.dict.postings[id] = of.n, posting{}
		at := listed
		if of.n > maxPacked {
			listed += int(of.n)
		} else if of.n > 0 {
			if len(room) == 0 || free%chunkSize+of.at > chunkSize || free%chunkSize == 0 {
				room = append(room, 0)
				free = (len(room) - 1) * chunkSize
			}
			at = free
			free += of.at
			room[len(room)-1] += of.at
		}
		v.ids[id].at, v.ids[id].seen = at, uint32(of.at) // the size, until the room is there
	}
	for _, size := range room {
		v.chunks = append(v.chunks, make([]byte, size))
	}
	for id := range v.ids {
		of := &v.ids[id]
		if of.n > 0 && of.n <= maxPacked {
			begin, end := of.at%chunkSize, of.at%chunkSize+int(of.seen)
			v.dict.postings[id].packed = v.chunks[of.at/chunkSize][begin:end:end]
		}
		of.seen = 0
	}
	v.slots = make([]uint32, listed)
	if v.dict.marked {
		v.marks = make([]uint8, listed)
	}
}

// newBig makes a posting of many slots in order, with their marks if it is of words.
func newBig(slots []uint32, marks []uint8) posting {
	p := posting{last: slots[len(slots)-1]}
	// A clone has no room to grow left over, which is up to half.
	p.big = &bigPosting{set: roaring.BitmapOf(slots...).Clone(), marks: append([]uint8(nil), marks...)}
	p.big.rankIf(marks != nil, p.last)
	return p
}
