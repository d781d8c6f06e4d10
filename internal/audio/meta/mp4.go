package meta

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// parseMP4 lists the iTunes item list and the user data texts of a QuickTime or MP4 file (ISO/IEC 14496-12 boxes).
func parseMP4(in *input) []*block {
	b := &block{source: "mp4", end: in.size, rewrite: blankMP4}
	m := &mp4Walk{in: in, b: b, left: 5000}
	m.boxes(0, in.size, 0, "")
	return []*block{b}
}

// blankMP4 overwrites refused fields with zeros and makes free space of their boxes (ISO/IEC 14496-12 §8.1.2): box sizes and
// sample positions hang on each other, so nothing may move.
func blankMP4(b *block, keep func(Field) bool) (out []piece) {
	zeros := make([]byte, 64<<10)
	at := b.off
	for _, it := range b.items {
		if keep(it.Field) || it.from < at {
			continue
		}
		out = append(out, piece{off: at, n: it.from - at})
		if it.head > 0 {
			out = append(out, piece{off: it.from, n: 4}, piece{data: []byte("free")}, piece{off: it.from + 8, n: it.head - 8})
		}
		for n := it.to - it.from - it.head; n > 0; n -= int64(len(zeros)) {
			out = append(out, piece{data: zeros[:min(n, int64(len(zeros)))]})
		}
		at = it.to
	}
	if out == nil {
		return nil
	}
	return append(out, piece{off: at, n: b.end - at})
}

// boxed notes that the fields which add lists fill a box with a header of head bytes.
func (m *mp4Walk) boxed(head int64, add func()) {
	n := len(m.b.items)
	add()
	for i := n; i < len(m.b.items); i++ {
		m.b.items[i].head = head
	}
}

type mp4Walk struct {
	in   *input
	b    *block
	left int // boxes still allowed
}

func (m *mp4Walk) boxes(at, end int64, depth int, parent string) {
	for at+8 <= end && m.left > 0 && depth < 10 {
		m.left--
		h := m.in.at(at, 16)
		if len(h) < 8 {
			return
		}
		size, head := int64(binary.BigEndian.Uint32(h)), int64(8)
		switch {
		case size == 1 && len(h) == 16:
			size, head = int64(binary.BigEndian.Uint64(h[8:])&(1<<62-1)), 16
		case size == 0:
			size = end - at
		}
		if size < head || at+size > end {
			return
		}
		id := string(h[4:8])
		body := at + head
		switch {
		case id == "moov" || id == "udta" || id == "trak" && depth < 3 || parent == "udta" && id == "ilst" || id == "ilst":
			m.boxes(body, at+size, depth+1, id)
		case id == "meta":
			if v := m.in.at(body, 8); len(v) == 8 && string(v[4:8]) != "hdlr" { // a full box in MP4, a plain one in QuickTime
				body += 4
			}
			m.boxes(body, at+size, depth+1, id)
		case parent == "ilst":
			m.item(id, body, at+size)
		case parent == "udta" && id[0] == 0xa9:
			m.userText(id, body, at+size)
		case parent == "udta" && (id == "loci" || id == "cprt" || id == "auth" || id == "titl" || id == "dscp" || id == "perf"):
			if p := m.in.at(body, min(at+size-body, maxText)); len(p) > 6 {
				m.boxed(head, func() { m.b.add(id, guess(upToNUL(p[6:])), at, at+size) })
			}
		case id == "XMP_" || id == "uuid":
			m.boxed(head, func() {
				m.b.opaque(id, "box", size, at, at+size, "Texts of editing programs may name people, computers and folders.")
			})
		}
		at += size
	}
}

// item reads the data box of an item list entry.
func (m *mp4Walk) item(id string, at, end int64) {
	name := latin1([]byte(id))
	for at+16 <= end && m.left > 0 {
		m.left--
		h := m.in.at(at, 16)
		if len(h) < 16 {
			return
		}
		size := int64(binary.BigEndian.Uint32(h))
		if size < 8 || at+size > end {
			return
		}
		switch {
		case string(h[4:8]) == "name" && size > 12:
			name = guess(m.in.at(at+12, min(size-12, 1000)))
		case string(h[4:8]) == "data" && size >= 16:
			m.boxed(8, func() { m.data(name, at, size, binary.BigEndian.Uint32(h[8:])) })
		}
		at += size
	}
}

// data reads a data box of the given kind (QuickTime File Format, well-known types).
func (m *mp4Walk) data(name string, at, size int64, kind uint32) {
	switch {
	case kind == 13 || kind == 14 || kind == 27:
		m.b.opaque(name, "picture", size-16, at, at+size, "A picture may show people and carry the place where it was taken.")
	case kind == 1:
		m.b.add(name, guess(m.in.at(at+16, min(size-16, maxText))), at, at+size)
	case kind == 2:
		m.b.add(name, utf16Text(m.in.at(at+16, min(size-16, maxText)), true), at, at+size)
	default:
		p := m.in.at(at+16, min(size-16, 8))
		if len(p) == int(size-16) && len(p) > 0 {
			v := uint64(0)
			for _, c := range p {
				v = v<<8 | uint64(c)
			}
			m.b.add(name, fmt.Sprint(v), at, at+size)
		}
	}
}

// userText reads a QuickTime user data text: a length, a language, the text; MP4 writers put a data box there instead.
func (m *mp4Walk) userText(id string, at, end int64) {
	p := m.in.at(at, min(end-at, maxText))
	if len(p) < 4 {
		return
	}
	if len(p) >= 16 && string(p[4:8]) == "data" {
		m.item(id, at, end)
		return
	}
	n := min(int(binary.BigEndian.Uint16(p)), len(p)-4)
	m.b.add(latin1([]byte(id)), strings.TrimRight(guess(p[4:4+n]), "\x00"), at, end)
}
