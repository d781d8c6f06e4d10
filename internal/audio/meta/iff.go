package meta

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"audiomicro/internal/audio/sniff"
)

const (
	maxText   = 1 << 20 // bytes of one text chunk that are read
	maxChunks = 10000
)

// parseIFF lists the chunks of RIFF, RF64, BW64 (little-endian) and AIFF (big-endian) files. Each chunk is one block, with its
// header and padding.
func parseIFF(in *input) []*block {
	head := in.at(0, 12)
	if len(head) < 12 {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(head[:4]) == "FORM" {
		order = binary.BigEndian
	}
	var doc []*block
	data64 := int64(-1)
	for off := int64(12); off+8 <= in.size && len(doc) < maxChunks; {
		h := in.at(off, 8)
		if len(h) < 8 {
			break
		}
		id, size := string(h[:4]), int64(order.Uint32(h[4:]))
		switch {
		case id == "ds64" && string(head[:4]) != "RIFF":
			if b := in.at(off+8, 16); len(b) == 16 {
				data64 = int64(binary.LittleEndian.Uint64(b[8:]) & (1<<63 - 1))
			}
		case id == "data" && size == 0xffffffff && data64 >= 0:
			size = data64
		case (id == "data" || id == "SSND") && (size == 0xffffffff || size == 0 && unfinished(order.Uint32(head[4:]), off)):
			size = in.size - off - 8
		}
		end := off + 8 + size
		if end < off || end > in.size {
			end = in.size
		}
		b := &block{source: "riff", off: off, end: end}
		if order == binary.BigEndian {
			b.source = "aiff"
		}
		parseChunk(in, b, id)
		if b.end < in.size && (end-off)&1 == 1 && sniff.Padded(in.at(b.end, 5)) {
			b.end++
		}
		doc = append(doc, b)
		off = b.end
	}
	return doc
}

// unfinished reports whether the form's size is what a recorder leaves that was cut off: package decode reads such a file to its end.
func unfinished(formSize uint32, off int64) bool {
	return formSize == 0 || formSize == 0xffffffff || int64(formSize) == off
}

// parseChunk understands one chunk, whose body without padding ends at b.end.
func parseChunk(in *input, b *block, id string) {
	body, size, aiff := b.off+8, b.end-b.off-8, b.source == "aiff"
	switch id {
	case "fmt ", "data", "fact", "ds64", "JUNK", "junk", "PAD ", "FLLR", "cue ", "smpl", "inst", "plst", "chna", "levl", "r64m", "COMM", "SSND", "MARK", "INST", "FVER":
		return // sound, its description, or room
	case "bext":
		b.source = "bext"
		parseBext(in.at(body, min(size, maxText)), b)
	case "iXML":
		b.source = "ixml"
		parseIXML(in.at(body, min(size, maxText)), size, b)
	case "LIST":
		kind := in.at(body, 4)
		if string(kind) == "INFO" {
			b.source = "info"
			parseInfo(in.at(body, min(size, maxText)), b)
			return
		}
		if string(kind) == "adtl" {
			return
		}
		b.rewrite = dropWhole
		b.opaque("LIST "+string(kind), "list", size, 0, b.end-b.off, "Cannot be read here.")
	case "id3 ", "ID3 ":
		b.source = "id3v2"
		var order binary.ByteOrder = binary.LittleEndian
		if aiff {
			order = binary.BigEndian
		}
		parseID3(in, body, b.end, b)
		tag := b.rewrite
		b.rewrite = func(b *block, keep func(Field) bool) []piece {
			pieces := tag(b, keep)
			if pieces == nil || length(pieces) == 0 {
				return pieces
			}
			return chunk(id, order, pieces)
		}
	case "NAME", "AUTH", "ANNO", "(c) ":
		if b.source != "aiff" {
			b.opaqueChunk(id, size)
			return
		}
		b.rewrite = dropWhole
		b.add(strings.TrimSpace(id), guess(upToNUL(in.at(body, min(size, maxText)))), 0, b.end-b.off)
	case "COMT":
		b.rewrite = dropWhole
		parseCOMT(in.at(body, min(size, maxText)), b)
	default:
		b.opaqueChunk(id, size)
	}
}

func (b *block) opaqueChunk(id string, size int64) {
	b.rewrite = dropWhole
	why := "Nobody but the program that wrote it can read it."
	if id == "_PMX" || id == "axml" {
		why = "Texts of editing programs may name people, computers and folders."
	}
	b.opaque(id, "chunk", size, 0, b.end-b.off, why)
}

// dropWhole keeps a block only when all that it says is kept.
func dropWhole(b *block, keep func(Field) bool) []piece {
	if b.refused(keep) == nil {
		return nil
	}
	return []piece{}
}

// blankChunk overwrites refused fields of the chunk body p with zeros: for chunks of fixed layout.
func blankChunk(p []byte) func(*block, func(Field) bool) []piece {
	return func(b *block, keep func(Field) bool) []piece {
		cuts := b.refused(keep)
		if cuts == nil {
			return nil
		}
		out := bytes.Clone(p)
		for _, c := range cuts {
			clear(out[c[0]:c[1]])
		}
		done := b.off + 8 + int64(len(p))
		return []piece{{off: b.off, n: 8}, {data: out}, {off: done, n: b.end - done}}
	}
}

// cutChunk takes refused fields out of the RIFF chunk body p. A body whose rest was too long to read ends there.
func cutChunk(p []byte, id string) func(*block, func(Field) bool) []piece {
	return func(b *block, keep func(Field) bool) []piece {
		cuts := b.refused(keep)
		if cuts == nil {
			return nil
		}
		return chunk(id, binary.LittleEndian, []piece{{data: cut(p, cuts)}})
	}
}

// chunk puts a header before the body and a byte behind it when its length is odd.
func chunk(id string, order binary.ByteOrder, body []piece) []piece {
	size := length(body)
	head := append([]byte(id), 0, 0, 0, 0)
	order.PutUint32(head[4:], uint32(size))
	out := append([]piece{{data: head}}, body...)
	if size&1 == 1 {
		out = append(out, piece{data: []byte{0}})
	}
	return out
}

// parseBext reads EBU Tech 3285 in versions 0 to 2. Shorter chunks give the fields that are there.
func parseBext(p []byte, b *block) {
	b.rewrite = blankChunk(p)
	field := func(name string, from, to int) {
		if from >= len(p) {
			return
		}
		to = min(to, len(p))
		if v := guess(upToNUL(p[from:to])); strings.TrimSpace(v) != "" {
			b.add(name, v, int64(from), int64(to))
		}
	}
	field("Description", 0, 256)
	field("Originator", 256, 288)
	field("OriginatorReference", 288, 320)
	if len(p) >= 330 {
		date := []byte(guess(upToNUL(p[320:330])))
		if len(date) == 10 { // the separator is free
			date[4], date[7] = '-', '-'
		}
		if v := string(date); strings.Trim(v, "0- \x00") != "" {
			b.add("OriginationDate", v, 320, 330)
		}
	}
	field("OriginationTime", 330, 338)
	if len(p) >= 412 && bytes.ContainsFunc(p[348:412], func(r rune) bool { return r != 0 }) {
		b.add("UMID", hexText(p[348:412]), 348, 412)
	}
	field("CodingHistory", 602, len(p))
}

func hexText(p []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(p))
	for _, c := range p {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

// parseInfo reads a LIST INFO chunk (Multimedia Programming Interface 1.0). Positions are relative to the body.
func parseInfo(p []byte, b *block) {
	b.rewrite = cutChunk(p, "LIST")
	for off := 4; off+8 <= len(p); {
		size := int(min(binary.LittleEndian.Uint32(p[off+4:]), uint32(len(p)-off-8)))
		end := off + 8 + size
		if size&1 == 1 && end < len(p) && sniff.Padded(p[end:]) {
			end++
		}
		if v := guess(upToNUL(p[off+8 : off+8+size])); strings.TrimSpace(v) != "" {
			b.add(string(p[off:off+4]), v, int64(off), int64(end))
		}
		off = end
	}
}

// parseCOMT reads AIFF comments: a time since 1904, a marker and a text each.
func parseCOMT(p []byte, b *block) {
	if len(p) < 2 {
		return
	}
	for n, off := int(binary.BigEndian.Uint16(p)), 2; n > 0 && off+8 <= len(p); n-- {
		stamp := int64(binary.BigEndian.Uint32(p[off:])) - 2082844800
		size := int(binary.BigEndian.Uint16(p[off+6:]))
		text := guess(p[off+8 : min(len(p), off+8+size)])
		b.add("COMT "+time.Unix(stamp, 0).UTC().Format("2006-01-02"), text, 0, b.end-b.off)
		off += 8 + size + size&1
	}
}
