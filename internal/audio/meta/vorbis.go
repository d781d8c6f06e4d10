package meta

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// parseComments lists a Vorbis comment block (Vorbis I §5) that stands at the start of p. Positions are relative to p. It
// answers the length of the block, or -1 when it is damaged.
func parseComments(p []byte, b *block) int {
	next := func(at int) (n int, ok bool) {
		if at+4 > len(p) {
			return 0, false
		}
		v := binary.LittleEndian.Uint32(p[at:])
		return int(v), int64(v) <= int64(len(p)-at-4)
	}
	vendor, ok := next(0)
	if !ok || 4+vendor+4 > len(p) {
		return -1
	}
	count := binary.LittleEndian.Uint32(p[4+vendor:])
	at := 8 + vendor
	for range count {
		n, ok := next(at)
		if !ok {
			return -1
		}
		name, value, _ := strings.Cut(string(p[at+4:at+4+n]), "=")
		switch upper := strings.ToUpper(name); {
		case upper == "METADATA_BLOCK_PICTURE" || upper == "COVERART":
			b.opaque(upper, "picture", int64(len(value)), int64(at), int64(at+4+n), "A picture may show people and carry the place where it was taken.")
		case strings.TrimSpace(value) != "":
			b.add(upper, value, int64(at), int64(at+4+n))
		}
		at += 4 + n
		if len(b.items) >= MaxFields {
			return at
		}
	}
	return at
}

// cutComments is the comment block p[:end] without refused fields, with its count put right.
func cutComments(p []byte, end int, b *block, keep func(Field) bool) []byte {
	cuts := b.refused(keep)
	if cuts == nil {
		return nil
	}
	dropped := uint32(0)
	for _, it := range b.items {
		if !keep(it.Field) {
			dropped++
		}
	}
	out := cut(p[:end], cuts)
	at := 4 + binary.LittleEndian.Uint32(out)
	binary.LittleEndian.PutUint32(out[at:], binary.LittleEndian.Uint32(out[at:])-dropped)
	return out
}

// parseFLAC lists the metadata blocks (RFC 9639 §8) and the tags that some programs put around the stream.
func parseFLAC(in *input) []*block {
	doc, off := leadingID3(in)
	if string(in.at(off, 4)) != "fLaC" {
		return doc
	}
	off += 4
	for n := 0; n < maxChunks; n++ {
		h := in.at(off, 4)
		if len(h) < 4 {
			break
		}
		kind, size := h[0]&0x7f, int64(h[1])<<16|int64(h[2])<<8|int64(h[3])
		b := &block{source: "flac", off: off, end: min(in.size, off+4+size)}
		flacBlock(in, b, kind, size)
		doc = append(doc, b)
		off = b.end
		if h[0]&0x80 != 0 || kind == 127 {
			break
		}
	}
	return append(doc, trailers(in)...)
}

func flacBlock(in *input, b *block, kind byte, size int64) {
	switch kind {
	case 2:
		id := in.at(b.off+4, 4)
		b.rewrite = dropWhole
		b.opaque("APPLICATION "+hexText(id), "data", size, 0, b.end-b.off, "Nobody but the program that wrote it can read it.")
	case 4:
		b.source = "vorbis"
		p := in.at(b.off+4, min(size, 4*maxText))
		end := parseComments(p, b)
		if end < 0 || int64(len(p)) < size {
			b.items = nil
			b.rewrite = dropWhole
			b.opaque("VORBIS_COMMENT", "damaged block", size, 0, b.end-b.off, "Cannot be read here, so nobody knows what it tells.")
			return
		}
		b.rewrite = func(b *block, keep func(Field) bool) []piece {
			out := cutComments(p, end, b, keep)
			if out == nil {
				return nil
			}
			return []piece{{data: []byte{4, byte(len(out) >> 16), byte(len(out) >> 8), byte(len(out))}}, {data: out}}
		}
	case 6:
		b.rewrite = dropWhole
		b.opaque("PICTURE", "picture", size, 0, b.end-b.off, "A picture may show people and carry the place where it was taken.")
	}
}

// oggHeaders is the start of the first sound stream of an Ogg file: everything up to the page on which its sound begins.
type oggHeaders struct {
	serial  uint32
	prefix  string   // of the comment packet
	packets [][]byte // behind the identification packet: comments, and setup for Vorbis
	first   int64    // of the pages that hold packets
	end     int64    // behind them
	pages   uint32   // how many of the stream's pages that are
	framing bool     // a bit ends the comments (Vorbis)
	flac    bool     // the comments stand in a FLAC metadata block
}

// readOggHeaders gathers the header packets of the first stream that package sniff knows, or answers nil.
func readOggHeaders(in *input) *oggHeaders {
	var o *oggHeaders
	want := 0
	var packet []byte
	for off := int64(0); off < in.size; {
		h := in.at(off, 27)
		if len(h) < 27 || string(h[:4]) != "OggS" {
			return nil
		}
		table := in.at(off+27, int64(h[26]))
		size := 0
		for _, s := range table {
			size += int(s)
		}
		bodyAt := off + 27 + int64(len(table))
		serial := binary.LittleEndian.Uint32(h[14:])
		next := bodyAt + int64(size)
		switch {
		case o == nil && h[5]&2 != 0:
			p := in.at(bodyAt, int64(min(size, 9)))
			switch {
			case bytes.HasPrefix(p, []byte("\x01vorbis")):
				o, want = &oggHeaders{serial: serial, prefix: "\x03vorbis", framing: true}, 2
			case bytes.HasPrefix(p, []byte("OpusHead")):
				o, want = &oggHeaders{serial: serial, prefix: "OpusTags"}, 1
			case bytes.HasPrefix(p, []byte("\x7fFLAC")) && len(p) == 9:
				// RFC 9639 §10.1: the number of header packets behind this one, of which the first holds the comments.
				if want = int(p[7])<<8 | int(p[8]); want == 0 || want > 200 {
					return nil
				}
				o = &oggHeaders{serial: serial, flac: true}
			}
		case o != nil && serial == o.serial:
			body := in.at(bodyAt, int64(size))
			if len(body) < size || len(packet)+size > 2*maxText {
				return nil
			}
			if o.pages == 0 {
				o.first = off
			}
			o.pages++
			for _, s := range table {
				packet = append(packet, body[:s]...)
				if body = body[s:]; s < 255 {
					o.packets = append(o.packets, packet)
					packet = nil
				}
			}
			if len(o.packets) >= want {
				o.end = next
				if o.flac && len(o.packets[0]) > 4 && o.packets[0][0]&0x7f == 4 {
					o.prefix = string(o.packets[0][:4])
				} else if o.flac {
					return nil
				}
				if len(o.packets) > want || len(packet) > 0 || !bytes.HasPrefix(o.packets[0], []byte(o.prefix)) {
					return nil // sound on the header page: neither codec allows it
				}
				return o
			}
		case o != nil && o.pages > 0:
			return nil // other streams between the header pages: rare, left alone
		}
		off = next
	}
	return nil
}

// parseOgg lists the comments of the first Vorbis, Opus or FLAC stream.
func parseOgg(in *input) []*block {
	o := readOggHeaders(in)
	if o == nil {
		return nil
	}
	b := &block{source: "vorbis", off: o.first, end: o.end}
	p := o.packets[0][len(o.prefix):]
	end := parseComments(p, b)
	if end < 0 {
		b.damagedComments(len(p))
	}
	return []*block{b}
}

// damagedComments lists a comment block that cannot be read as one field.
func (b *block) damagedComments(size int) {
	b.items = nil
	b.opaque("VORBIS_COMMENT", "damaged block", int64(size), 0, int64(size), "Cannot be read here, so nobody knows what it tells.")
}
