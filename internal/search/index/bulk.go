package index

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// invert makes the postings of every dictionary anew from the records and columns of the live slots, as one sort of everything that they hold:
// part by part of the catalog, small enough to be sorted in a core's cache, and then the parts are merged (blocked sort-based
// indexing; Manning, Raghavan, Schütze: Introduction to Information Retrieval, 4.2). Putting recording after recording into
// fifty postings each takes many times as long, because each of them waits for memory.
func (ix *Index) invert() {
	v := newInverter(ix)
	var done sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), len(v.parts)) {
		done.Go(func() {
			var s sorter
			for part := range next {
				v.parts[part] = s.sort(v, part)
			}
		})
	}
	for part := range v.parts {
		next <- part
	}
	close(next)
	done.Wait()
	done.Go(func() { v.merge(dicts, dicts+1) }) // the words, which are more than half of all
	v.merge(0, dicts)
	done.Wait()
	ix.lengths = [3]uint64{}
	eachSlot(ix.live, func(slot uint32) {
		for f, n := range ix.fieldLen[slot] {
			ix.lengths[f] += uint64(fieldLength(n))
		}
	})
}

// invertSlots is how many slots are sorted together: what they hold, some two million words and values, is sorted in 16 MB.
const invertSlots = 1 << 15

// inverter turns recordings into postings.
type inverter struct {
	ix    *Index
	base  [dicts + 2]uint32 // the key of the first id of each dictionary: together their ids are one row of keys, the words' the last
	parts []inverted        // of the catalog, invertSlots each
}

// inverted is what a part of the catalog gives to postings.
type inverted struct {
	runs []run  // by key, and one more that ends the last
	data []byte // of run after run, as in a packed posting, the first gap being that to the part's first slot
}

// run is what a part gives to one posting.
type run struct {
	key  uint32
	at   uint32 // where it begins in data
	n    uint16 // slots, at most invertSlots
	last uint16 // its last slot, from the part's first on
}

func newInverter(ix *Index) *inverter {
	v := &inverter{ix: ix, parts: make([]inverted, (len(ix.ids)+invertSlots-1)/invertSlots)}
	for d := range dicts + 1 {
		v.base[d+1] = v.base[d] + uint32(len(ix.dict(d).names))
	}
	return v
}

// sorter sorts what a part of the catalog holds. An entry is a key, a slot within the part and the text field, from the highest bits down.
type sorter struct {
	entries, other []uint64
	data           []byte
}

func (s *sorter) sort(v *inverter, part int) inverted {
	s.collect(v, part)
	s.byKey(v.base[dicts+1])
	return s.runs(v.base[dicts])
}

// collect lists what the recordings of a part hold, slot by slot.
func (s *sorter) collect(v *inverter, part int) {
	ix, entries := v.ix, s.entries[:0]
	first := uint32(part * invertSlots)
	for slot := first; slot < min(first+invertSlots, uint32(len(ix.ids))); slot++ {
		if !ix.live.Contains(slot) {
			continue
		}
		here := uint64(slot-first) << 8
		b := ix.record(slot).words
		for list := 0; list < 2*textFields && len(b) > 0; list++ { // as eachWord does, without a call for each of tens of millions
			var n, id uint64
			for n, b = uvarint(b); n > 0 && len(b) > 0; n-- {
				if id, b = uvarint(b); id != 0 { // the gap
					entries = append(entries, (id+uint64(v.base[dicts]))<<32|here|uint64(list/2))
				}
			}
		}
		ix.eachValue(slot, func(d int, id uint32) {
			entries = append(entries, uint64(id+v.base[d])<<32|here)
		})
		for d := range columnDicts {
			if c := ix.codes.of(slot, d); c != 0 {
				entries = append(entries, uint64(uint32(c-1)+v.base[d])<<32|here)
			}
		}
	}
	s.entries = entries
}

// byKey sorts the entries by their keys, all less than keys; those of one key stay in their order. It deals them out twice, by the lower and by
// the upper half of the key's bits (Knuth: The Art of Computer Programming 3, 5.2.5).
func (s *sorter) byKey(keys uint32) {
	if cap(s.other) < len(s.entries) {
		s.other = make([]uint64, cap(s.entries))
	}
	digit := max((bits.Len32(keys)+1)/2, 1)
	for pass := range 2 {
		shift := 32 + pass*digit
		at := make([]uint32, 1<<digit+1)
		mask := uint64(1)<<digit - 1
		for _, e := range s.entries {
			at[e>>shift&mask+1]++
		}
		for i := range len(at) - 1 {
			at[i+1] += at[i]
		}
		other := s.other[:len(s.entries)]
		for _, e := range s.entries {
			place := &at[e>>shift&mask]
			other[*place] = e
			*place++
		}
		s.entries, s.other = other, s.entries[:cap(s.entries)]
	}
}

// runs packs the sorted entries; keys from words on have marks.
func (s *sorter) runs(words uint32) inverted {
	var runs []run
	data := s.data[:0]
	for entries := s.entries; len(entries) > 0; {
		key := uint32(entries[0] >> 32)
		r, marked, before := run{key: key, at: uint32(len(data))}, key >= words, uint32(0)
		for len(entries) > 0 && uint32(entries[0]>>32) == key {
			slot := uint32(entries[0]) >> 8
			mark := uint8(0)
			for ; len(entries) > 0 && uint32(entries[0]>>32) == key && uint32(entries[0])>>8 == slot; entries = entries[1:] {
				if marked {
					mark = raise(mark, int(entries[0]&0xff))
				}
			}
			data = appendEntry(data, slot-before, marked, mark)
			before = slot
			r.n++
		}
		r.last = uint16(before)
		runs = append(runs, r)
	}
	s.data = data
	return inverted{append(runs, run{at: uint32(len(data))}), slices.Clone(data)}
}

// chunkSize is how many bytes of packed lists share one piece of memory. Hundreds of thousands of their own would cost the allocator's rounding;
// one of all would stay as a whole however many of its lists have moved on.
const chunkSize = 1 << 16

// merge makes the postings of the dictionaries from one (inclusive) to another (exclusive).
func (v *inverter) merge(from, to int) {
	at := make([]int, len(v.parts)) // the next run of each part
	for i, p := range v.parts {
		at[i], _ = slices.BinarySearchFunc(p.runs[:len(p.runs)-1], v.base[from], func(r run, key uint32) int { return int(int64(r.key) - int64(key)) })
	}
	m := merger{found: make([]piecewise, 0, len(v.parts))}
	for d := from; d < to; d++ {
		dict := v.ix.dict(d)
		for id := range dict.names {
			key := v.base[d] + uint32(id)
			m.found = m.found[:0]
			n := uint32(0)
			for i := range v.parts {
				p := &v.parts[i]
				if r := p.runs[at[i]]; r.key == key && r.n > 0 {
					at[i]++
					n += uint32(r.n)
					m.found = append(m.found, piecewise{r, uint32(i * invertSlots), p.data[r.at:p.runs[at[i]].at]})
				}
			}
			dict.counts[id] = n
			dict.postings[id] = m.posting(n, dict.marked)
		}
	}
}

// merger puts runs together.
type merger struct {
	found []piecewise // runs of one key
	chunk []byte      // where packed lists are put one behind the other
	list  []byte      // one of them
	slots []uint32    // of a big posting
	marks []uint8
}

// piecewise is a run with what it stands for.
type piecewise struct {
	run
	first uint32 // slot of its part
	data  []byte
}

// posting is that of the runs found, which have n slots.
func (m *merger) posting(n uint32, marked bool) posting {
	if n == 0 {
		return posting{}
	}
	if n > maxPacked {
		return m.big(marked)
	}
	list, last := m.list[:0], uint32(0)
	for _, f := range m.found {
		gap, size := binary.Uvarint(f.data)
		list = append(binary.AppendUvarint(list, uint64(f.first+uint32(gap)-last)), f.data[size:]...)
		last = f.first + uint32(f.last)
	}
	m.list = list
	if len(m.chunk)+len(list) > cap(m.chunk) {
		m.chunk = make([]byte, 0, chunkSize)
	}
	begin := len(m.chunk)
	m.chunk = append(m.chunk, list...)
	return posting{packed: m.chunk[begin:len(m.chunk):len(m.chunk)], last: last}
}

func (m *merger) big(marked bool) posting {
	m.slots, m.marks = m.slots[:0], m.marks[:0]
	for _, f := range m.found {
		slot := f.first
		for b := f.data; len(b) > 0; {
			var gap uint64
			gap, b = uvarint(b)
			slot += uint32(gap)
			m.slots = append(m.slots, slot)
			if marked {
				m.marks = append(m.marks, b[0])
				b = b[1:]
			}
		}
	}
	p := posting{last: m.slots[len(m.slots)-1]}
	// A clone has no room to grow left over, which is up to half.
	p.big = &bigPosting{set: roaring.BitmapOf(m.slots...).Clone()}
	if marked {
		p.big.marks = slices.Clone(m.marks)
	}
	p.big.rankIf(marked, p.last)
	return p
}
