package index

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// A snapshot is what the index knows of each recording, without what can be made of that: postings, sets and orders are built again
// on loading, which is as quick as reading them and cannot disagree with the rest.
//
//	magic, then blocks: kind byte, uint32 length, payload, CRC-32C of kind, length and payload; all numbers little-endian
//	'c' about how many recordings there are    'p' recordings of one page    'n' names of a dictionary from an id on    'e' end, with the number of recordings
const magic = "AudioMicro index 3\n"

// maxBlock is the longest payload of a block; a longer one is damage.
const maxBlock = 64 << 20

// maxReserved is for how many recordings at most room is made before they are read.
const maxReserved = 1 << 24

// namesBlock is how many names one block holds.
const namesBlock = 4096

// ErrSnapshot means that what was to be loaded is no snapshot of this version, or is damaged.
var ErrSnapshot = errors.New("not a whole snapshot of this version")

// Save writes the index. Searches and changes go on meanwhile: each page is written as it is when its turn comes. Who loads it must
// apply again every change since Save began; then a recording that was caught halfway is as it should be.
//
// No text of a recording that is gone when Save begins is written, and no name that no recording has any more.
func (ix *Index) Save(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<20)
	out.WriteString(magic) // a bufio.Writer keeps its error until Flush
	docs := uint64(0)
	payload := binary.LittleEndian.AppendUint64(nil, uint64(ix.Len()))
	writeBlock(out, 'c', payload)
	for page := 0; ; page++ {
		var n int
		if payload, n = ix.savePage(payload[:0], page); n < 0 {
			break
		}
		if docs += uint64(n); n > 0 {
			writeBlock(out, 'p', payload)
		}
	}
	for d := range dicts + 1 {
		for from, more := 0, true; more; from += namesBlock {
			payload, more = ix.saveNames(payload[:0], d, from)
			writeBlock(out, 'n', payload)
		}
	}
	writeBlock(out, 'e', binary.LittleEndian.AppendUint64(nil, docs))
	return out.Flush()
}

func writeBlock(w *bufio.Writer, kind byte, payload []byte) {
	head := binary.LittleEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	sum := crc32.Update(crc32.Checksum(head, castagnoli()), castagnoli(), payload)
	w.Write(head)
	w.Write(payload)
	w.Write(binary.LittleEndian.AppendUint32(nil, sum))
}

// castagnoli is CRC-32C's table, which hash/crc32 makes once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// savePage appends the recordings of a page; -1 when there is no such page.
func (ix *Index) savePage(b []byte, page int) ([]byte, int) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	first := page * pageSlots
	if first >= len(ix.ids) {
		return b, -1
	}
	n := 0
	for slot := uint32(first); slot < uint32(min(first+pageSlots, len(ix.ids))); slot++ {
		if ix.live.Contains(slot) {
			b = ix.appendRecording(b, slot)
			n++
		}
	}
	return b, n
}

// appendRecording writes what the columns and the page say of slot.
func (ix *Index) appendRecording(b []byte, slot uint32) []byte {
	le := binary.LittleEndian
	for _, v := range []int64{ix.ids[slot], ix.amount[slot], ix.published[slot], ix.downloads[slot], ix.packs[slot]} {
		b = le.AppendUint64(b, uint64(v))
	}
	for _, v := range []float32{ix.seconds[slot], ix.tempo[slot], ix.loudness[slot], ix.centroid[slot], ix.rating[slot]} {
		b = le.AppendUint32(b, math.Float32bits(v))
	}
	b = append(b, ix.fieldLen[slot][:]...)
	for d := range columnDicts {
		b = le.AppendUint16(b, ix.codes.of(slot, d))
	}
	if ix.vectors.Contains(slot) {
		b = le.AppendUint32(b, math.Float32bits(ix.norm[slot]))
		for _, v := range ix.vector[int(slot)*ix.cfg.VectorDims:][:ix.cfg.VectorDims] {
			b = append(b, byte(v))
		}
	} else {
		b = le.AppendUint32(b, 0)
	}
	for _, t := range ix.codes.rows[slot].tags {
		b = le.AppendUint16(b, t)
	}
	for _, text := range [][]byte{ix.vals.get(slot), ix.texts.get(slot)} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// saveNames appends names of dictionary d (the words after the last) from an id on; more tells whether there are others behind. A name that no
// recording has is left empty.
func (ix *Index) saveNames(b []byte, d, from int) (_ []byte, more bool) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	dict := ix.dict(d)
	b = binary.LittleEndian.AppendUint32(append(b, byte(d)), uint32(from))
	to := min(from+namesBlock, len(dict.names))
	for id := from; id < to; id++ {
		name, label := "", ""
		if dict.counts[id] > 0 {
			name, label = dict.names[id], dict.labels[uint32(id)]
		}
		b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
		b = append(binary.AppendUvarint(b, uint64(len(label))), label...)
	}
	return b, to < len(dict.names)
}

// dict is the d-th dictionary of values, or that of the words.
func (ix *Index) dict(d int) *dict {
	if d == dicts {
		return ix.terms
	}
	return ix.values[d]
}

// Load reads what Save wrote, of an index with the same Config. The error is ErrSnapshot when it is not that, or one of r.
func Load(r io.Reader, cfg Config) (*Index, error) {
	l := loader{ix: New(cfg), in: bufio.NewReaderSize(r, 1<<20)}
	if err := l.read(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrSnapshot // it ends too soon
		}
		return nil, fmt.Errorf("load the index: %w", err)
	}
	l.build()
	return l.ix, nil
}

// loader builds an index from a snapshot.
type loader struct {
	ix     *Index
	in     *bufio.Reader
	buffer []byte // of blocks
	rest   []byte // of the block that is read
	bad    bool   // it ended too soon
	vals   pageMaker
	texts  pageMaker
	vector []int8
	docs   uint64
}

func (l *loader) read() error {
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(l.in, begin); err != nil {
		return err
	}
	if string(begin) != magic {
		return ErrSnapshot
	}
	for {
		kind, err := l.block()
		if err != nil {
			return err
		}
		switch kind {
		case 'c':
			l.ix.reserve(int(min(l.number(8), maxReserved)))
		case 'p':
			for len(l.rest) > 0 && !l.bad {
				l.recording()
			}
		case 'n':
			l.names()
		case 'e':
			if l.number(8) != l.docs || l.bad {
				return ErrSnapshot
			}
			l.vals.flush(&l.ix.vals)
			l.texts.flush(&l.ix.texts)
			return nil
		default:
			return ErrSnapshot
		}
		if l.bad {
			return ErrSnapshot
		}
	}
}

// block reads one block into rest.
func (l *loader) block() (kind byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(head[1:])
	if n > maxBlock {
		return 0, ErrSnapshot
	}
	if int(n)+4 > cap(l.buffer) {
		l.buffer = make([]byte, n+4)
	}
	b := l.buffer[:n+4]
	if _, err := io.ReadFull(l.in, b); err != nil {
		return 0, err
	}
	payload := b[:n:n]
	if crc32.Update(crc32.Checksum(head[:], castagnoli()), castagnoli(), payload) != binary.LittleEndian.Uint32(b[n:]) {
		return 0, ErrSnapshot
	}
	l.rest = payload
	return head[0], nil
}

// take cuts n bytes off rest.
func (l *loader) take(n uint64) []byte {
	if n > uint64(len(l.rest)) {
		l.bad, l.rest = true, nil
		return nil
	}
	b := l.rest[:n]
	l.rest = l.rest[n:]
	return b
}

// number reads a number of some bytes, 0 when they are not there.
func (l *loader) number(bytes uint64) uint64 {
	var b [8]byte
	copy(b[:], l.take(bytes))
	return binary.LittleEndian.Uint64(b[:])
}

// text reads a length and what it counts.
func (l *loader) text() []byte {
	n, size := binary.Uvarint(l.rest)
	if size <= 0 {
		l.bad = true
		return nil
	}
	l.rest = l.rest[size:]
	return l.take(n)
}

// recording reads one into the columns, at the next slot.
func (l *loader) recording() {
	ix := l.ix
	slot := uint32(len(ix.ids))
	ix.grow()
	ix.ids[slot] = int64(l.number(8))
	for _, to := range []*int64{&ix.amount[slot], &ix.published[slot], &ix.downloads[slot], &ix.packs[slot]} {
		*to = int64(l.number(8))
	}
	for _, to := range []*float32{&ix.seconds[slot], &ix.tempo[slot], &ix.loudness[slot], &ix.centroid[slot], &ix.rating[slot]} {
		*to = math.Float32frombits(uint32(l.number(4)))
	}
	copy(ix.fieldLen[slot][:], l.take(uint64(len(ix.fieldLen[slot]))))
	for d := range columnDicts {
		ix.codes.set(slot, d, uint16(l.number(2)))
	}
	if norm := math.Float32frombits(uint32(l.number(4))); norm != 0 {
		l.vector = l.vector[:0]
		for _, v := range l.take(uint64(ix.cfg.VectorDims)) {
			l.vector = append(l.vector, int8(v))
		}
		ix.keepVector(slot, l.vector, norm)
	}
	tags := &ix.codes.rows[slot].tags
	for i := range tags {
		tags[i] = uint16(l.number(2))
	}
	l.vals.add(&ix.vals, l.text())
	l.texts.add(&ix.texts, l.text())
	l.docs++
}

// names reads a part of a dictionary.
func (l *loader) names() {
	d, from := int(l.number(1)), int(l.number(4))
	if d > dicts {
		l.bad = true
		return
	}
	dict := l.ix.dict(d)
	if d == dicts && from == 0 { // the gap is there already
		l.text()
		l.text()
		from = 1
	}
	if from != len(dict.names) && len(l.rest) > 0 {
		l.bad = true
	}
	all := string(l.rest) // one piece of memory for all names of the block
	for len(l.rest) > 0 && !l.bad {
		text := l.text()
		end := len(all) - len(l.rest)
		name := all[end-len(text) : end]
		dict.restore(name, string(l.text()))
		if d == dicts {
			l.ix.kin = append(l.ix.kin, 0)
			if name != "" {
				l.ix.stem(uint32(len(dict.names)-1), name)
			}
		}
	}
}

// build makes what a snapshot does not hold.
func (l *loader) build() {
	ix := l.ix
	named := map[*dict][]bool{}
	for d := range dicts + 1 {
		names := ix.dict(d).names
		list := make([]bool, len(names))
		for id, name := range names {
			list[id] = name != "" || d == dicts && id == 0
		}
		named[ix.dict(d)] = list
	}
	for slot := range uint32(len(ix.ids)) {
		if _, twice := ix.slot(ix.ids[slot]); twice || ix.ids[slot] <= 0 || !ix.whole(slot, named) {
			ix.vectors.Remove(slot) // it changed while it was written: whoever applies the changes since puts it in again
			ix.texts.set(slot, nil)
			ix.vals.set(slot, nil)
			ix.codes.rows[slot].tags = tagRow{}
			for d := range columnDicts {
				ix.codes.set(slot, d, 0)
			}
			ix.free = append(ix.free, slot)
			continue
		}
		ix.slots.add(hashID(ix.ids[slot]), slot)
		ix.live.Add(slot)
	}
	ix.invert()
	ix.settle(0)
	ix.trim()
}

// whole reports whether every id that slot holds has a name.
func (ix *Index) whole(slot uint32, named map[*dict][]bool) bool {
	words, ok := named[ix.terms], true
	b := ix.record(slot).words
	for list := 0; list < 2*textFields && len(b) > 0; list++ { // as eachWord does, without a call for each of tens of millions
		var n, id uint64
		for n, b = uvarint(b); n > 0 && len(b) > 0; n-- {
			if id, b = uvarint(b); id >= uint64(len(words)) || !words[id] {
				return false
			}
		}
	}
	has := func(d int, id uint32) {
		list := named[ix.values[d]]
		ok = ok && int(id) < len(list) && list[id]
	}
	ix.eachValue(slot, func(d int, id uint32) {
		if ok = ok && d < dicts && !inColumn(d); ok {
			has(d, id)
		}
	})
	for d := range columnDicts {
		if code := ix.codes.of(slot, d); code != 0 {
			has(d, uint32(code-1))
		}
	}
	return ok
}
