package index

import (
	"encoding/binary"
	"runtime"
	"slices"
)

// pageSlots is how many slots share one piece of memory.
const pageSlots = 128

// pages keeps one text for each slot. Slots that stand together share one allocation: a million of their own would cost the
// allocator's rounding a million times, and the collector a million visits. A page begins with the end of each slot's text, four bytes
// each, so that finding a text touches no other memory.
type pages struct{ list [][]byte }

// pageHead is the size of the ends in front of a page's texts.
const pageHead = 4 * pageSlots

// ends are where the text of the i-th slot of a page begins and ends.
func ends(page []byte, i uint32) (begin, end uint32) {
	begin = pageHead
	if i > 0 {
		begin += binary.LittleEndian.Uint32(page[4*i-4:])
	}
	return begin, pageHead + binary.LittleEndian.Uint32(page[4*i:])
}

// get is the text of slot; nobody may write it.
func (p *pages) get(slot uint32) []byte {
	page := p.list[slot/pageSlots]
	begin, end := ends(page, slot%pageSlots)
	return page[begin:end:end]
}

// set replaces the text of slot.
func (p *pages) set(slot uint32, text []byte) {
	for int(slot/pageSlots) >= len(p.list) {
		p.list = append(p.list, make([]byte, pageHead))
	}
	page, i := p.list[slot/pageSlots], slot%pageSlots
	begin, end := ends(page, i)
	if begin == end && int(end) == len(page) { // the last one of its page so far
		page = append(page, text...)
	} else {
		whole := make([]byte, 0, len(page)-int(end-begin)+len(text))
		page = append(append(append(whole, page[:begin]...), text...), page[end:]...)
	}
	for ; i < pageSlots; i++ {
		was := binary.LittleEndian.Uint32(page[4*i:])
		binary.LittleEndian.PutUint32(page[4*i:], was+uint32(len(text))-(end-begin))
	}
	p.list[slot/pageSlots] = page
}

// pageMaker fills pages slot by slot, each with its final size.
type pageMaker struct {
	ends [pageHead]byte
	text []byte
	n    uint32 // slots in it
}

// add is set for the next slot of p, after all that it holds.
func (m *pageMaker) add(p *pages, text []byte) {
	m.text = append(m.text, text...)
	m.end(m.n)
	if m.n++; m.n == pageSlots {
		m.flush(p)
	}
}

func (m *pageMaker) end(i uint32) { binary.LittleEndian.PutUint32(m.ends[4*i:], uint32(len(m.text))) }

// flush puts what was added into p.
func (m *pageMaker) flush(p *pages) {
	if m.n == 0 {
		return
	}
	for i := m.n; i < pageSlots; i++ {
		m.end(i)
	}
	page := make([]byte, 0, pageHead+len(m.text))
	p.list = append(p.list, append(append(page, m.ends[:]...), m.text...))
	m.text, m.n = m.text[:0], 0
}

// trim gives back what growing left over.
func (p *pages) trim() {
	for i, page := range p.list {
		p.list[i] = exact(page)
	}
}

// exact is s without room to grow.
func exact[T any](s []T) []T {
	if cap(s)-len(s) <= len(s)/16 {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

// record is what a page of texts keeps of one recording: its title as titles are ordered, and its words.
type record struct{ title, words []byte }

func (r record) encode() []byte {
	out := make([]byte, 0, len(r.title)+len(r.words)+3)
	out = append(binary.AppendUvarint(out, uint64(len(r.title))), r.title...)
	return append(out, r.words...)
}

func decodeRecord(b []byte) (r record) {
	r.title, r.words = piece(b)
	return r
}

// piece cuts off what stands behind its length.
func piece(b []byte) (first, rest []byte) {
	n, b := uvarint(b)
	n = min(n, uint64(len(b)))
	return b[:n], b[n:]
}

// uvarint reads what binary.AppendUvarint wrote; 0 and nothing more when b ends within.
func uvarint(b []byte) (uint64, []byte) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), b[1:]
	}
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil
	}
	return v, b[n:]
}

// record is what the page of slot keeps.
func (ix *Index) record(slot uint32) record { return decodeRecord(ix.texts.get(slot)) }

// gather finds the texts of some slots. To find one takes three reads of memory that nobody has touched for long, each of which
// needs the one before: so the first reads of all go out together, then the second ones, and the third ones begin.
func (p *pages) gather(slots []uint32, texts *[slotBatch][]byte) {
	for i, slot := range slots {
		texts[i] = p.list[slot/pageSlots]
	}
	for i, slot := range slots {
		begin, end := ends(texts[i], slot%pageSlots)
		texts[i] = texts[i][begin:end]
	}
	sum := byte(0)
	for i := range slots {
		if len(texts[i]) > 0 {
			sum |= texts[i][0]
		}
	}
	runtime.KeepAlive(sum) // or the reads would be left out
}

// titleKeyOf is the text by which the title of slot is ordered.
func (ix *Index) titleKeyOf(slot uint32) []byte {
	return ix.record(slot).title
}

// decodeWords calls f for each field with its words and extra words; the slices are used again.
func decodeWords(b []byte, f func(field int, main, extra []uint32)) {
	var main, extra []uint32
	for field := 0; field < textFields && len(b) > 0; field++ {
		main, b = decodeList(b, main[:0])
		extra, b = decodeList(b, extra[:0])
		f(field, main, extra)
	}
}

// eachWord calls f for every word and extra word of a record, without taking them together by fields.
func eachWord(b []byte, f func(field int, id uint32)) {
	for list := 0; list < 2*textFields && len(b) > 0; list++ { // words and extra words in turn
		var n, id uint64
		for n, b = uvarint(b); n > 0 && len(b) > 0; n-- {
			id, b = uvarint(b)
			f(list/2, uint32(id))
		}
	}
}

func decodeList(b []byte, into []uint32) ([]uint32, []byte) {
	n, b := uvarint(b)
	for ; n > 0 && len(b) > 0; n-- {
		var id uint64
		id, b = uvarint(b)
		into = append(into, uint32(id))
	}
	return into, b
}

// eachValue calls f for each value of slot in the dictionaries with many.
func (ix *Index) eachValue(slot uint32, f func(dict int, id uint32)) {
	ix.codes.rows[slot].tags.each(func(id uint32) { f(dTag, id) })
	decodeValues(ix.vals.get(slot), f)
}

// decodeValues calls f for each encoded value.
func decodeValues(b []byte, f func(dict int, id uint32)) {
	for len(b) > 0 {
		d := int(b[0])
		var id uint64
		id, b = uvarint(b[1:])
		f(d, uint32(id))
	}
}

// distinctWords lists the forms in a record's words, each once, without the gap.
func distinctWords(words []byte) []uint32 {
	var seen []uint32
	eachWord(words, func(_ int, id uint32) { seen = append(seen, id) })
	slices.Sort(seen)
	seen = slices.Compact(seen)
	if len(seen) > 0 && seen[0] == 0 {
		seen = seen[1:]
	}
	return seen
}
