package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"audiomicro/internal/audio/sniff"
)

// ErrCannotStrip means that fields cannot be taken out of files of this format here.
var ErrCannotStrip = errors.New("fields cannot be taken out of this format")

var errDamaged = fmt.Errorf("%w: the file is damaged", ErrCannotStrip)

// CanStrip reports whether Strip knows the format.
func CanStrip(k sniff.Kind) bool {
	switch k.Container {
	case "wav", "rf64", "bw64", "aiff", "aifc", "flac", "mp3", "mp4":
		return true
	case "ogg":
		return k.Codec == "vorbis" || k.Codec == "opus" || k.Codec == "flac"
	}
	return false
}

// Strip writes the file src of size bytes and kind k to dst without the fields for which keep answers false. The sound's bytes
// and everything else stay as they are. It wraps ErrCannotStrip for formats beyond CanStrip and for chained Ogg streams; what was
// written by then is of no use. A file that has nothing to lose is copied byte by byte.
func Strip(dst io.Writer, src io.ReaderAt, size int64, k sniff.Kind, keep func(Field) bool) error {
	if !CanStrip(k) {
		return fmt.Errorf("strip %s: %w", k, ErrCannotStrip)
	}
	in := &input{r: src, size: size, left: MaxRead}
	var pieces []piece
	var err error
	if k.Container == "ogg" {
		pieces, err = stripOgg(in, keep)
		if err == nil && pieces == nil {
			_, err = io.Copy(dst, io.NewSectionReader(src, 0, size))
			return wrapStrip(k, err)
		}
		if err == nil {
			o := readOggHeaders(&input{r: src, size: size, left: MaxRead})
			err = copyOgg(dst, in, o, pieces[0].data)
		}
		return wrapStrip(k, err)
	}
	doc := parse(in, k)
	switch {
	case in.err != nil:
		return wrapStrip(k, in.err)
	case !touched(doc, keep):
		pieces = []piece{{n: size}}
	case k.Container == "flac":
		pieces, err = stripFLAC(in, doc, keep)
	case k.Container == "mp3" || k.Container == "mp4":
		pieces = replace(doc, size, keep)
	default:
		pieces, err = stripIFF(in, doc, keep)
	}
	if err != nil {
		return wrapStrip(k, err)
	}
	for _, p := range pieces {
		if _, err := dst.Write(p.data); err != nil {
			return wrapStrip(k, err)
		}
		if p.n > 0 {
			n, err := io.Copy(dst, io.NewSectionReader(src, p.off, p.n))
			if err == nil && n < p.n {
				err = errDamaged
			}
			if err != nil {
				return wrapStrip(k, err)
			}
		}
	}
	return nil
}

func wrapStrip(k sniff.Kind, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("strip %s: %w", k, err)
}

func touched(doc []*block, keep func(Field) bool) bool {
	for _, b := range doc {
		if b.refused(keep) != nil {
			return true
		}
	}
	return false
}

// output is what stands in the place of a block.
func (b *block) output(keep func(Field) bool) []piece {
	if b.rewrite != nil {
		if p := b.rewrite(b, keep); p != nil {
			return p
		}
	}
	return []piece{{off: b.off, n: b.end - b.off}}
}

// replace is the file with its blocks rewritten and the bytes between them copied.
func replace(doc []*block, size int64, keep func(Field) bool) (out []piece) {
	at := int64(0)
	for _, b := range doc {
		out = append(out, piece{off: at, n: b.off - at})
		out = append(out, b.output(keep)...)
		at = b.end
	}
	return append(out, piece{off: at, n: size - at})
}

// stripIFF rewrites the chunks and puts the sizes of the form (and of ds64) right. Bytes behind the last chunk are dropped.
func stripIFF(in *input, doc []*block, keep func(Field) bool) ([]piece, error) {
	head := in.at(0, 12)
	if len(head) < 12 {
		return nil, errDamaged
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(head[:4]) == "FORM" {
		order = binary.BigEndian
	}
	out := []piece{{data: head}}
	ds64 := []byte(nil)
	for _, b := range doc {
		id := in.at(b.off, 4)
		if string(id) == "ds64" && string(head[:4]) != "RIFF" && b.end-b.off <= maxText {
			ds64 = in.at(b.off, b.end-b.off)
			out = append(out, piece{data: ds64})
			continue
		}
		out = append(out, b.output(keep)...)
	}
	total := length(out) - 8
	if order.Uint32(head[4:]) != 0xffffffff && order.Uint32(head[4:]) != 0 && total < 0xffffffff {
		order.PutUint32(head[4:], uint32(total))
	}
	if len(ds64) >= 16 {
		binary.LittleEndian.PutUint64(ds64[8:], uint64(total))
	}
	return out, nil
}

// stripFLAC rewrites the metadata blocks and marks the last one.
func stripFLAC(in *input, doc []*block, keep func(Field) bool) ([]piece, error) {
	var out, tail []piece
	at, last, marked := int64(0), -1, false
	for _, b := range doc {
		switch {
		case b.source == "id3v2":
			out = append(out, b.output(keep)...)
		case b.source == "id3v1" || b.source == "ape":
			tail = append(tail, piece{off: at, n: b.off - at})
			tail = append(tail, b.output(keep)...)
		default:
			if !marked {
				out, marked = append(out, piece{data: []byte("fLaC")}), true
			}
			p := b.output(keep)
			if length(p) > 0 {
				if p[0].data == nil { // unchanged
					h := in.at(b.off, 4)
					if len(h) < 4 {
						return nil, errDamaged
					}
					p = []piece{{data: h}, {off: b.off + 4, n: b.end - b.off - 4}}
				}
				p[0].data[0] &= 0x7f
				last = len(out)
				out = append(out, p...)
			}
		}
		at = b.end
	}
	if last < 0 {
		return nil, errDamaged
	}
	out[last].data[0] |= 0x80
	out = append(out, tail...)
	return append(out, piece{off: at, n: in.size - at}), nil
}

// stripOgg is the comment packet without the refused fields, or nil when nothing changes.
func stripOgg(in *input, keep func(Field) bool) ([]piece, error) {
	o := readOggHeaders(in)
	if in.err != nil {
		return nil, in.err
	}
	if o == nil {
		return nil, fmt.Errorf("%w: the comments stand where they should not", ErrCannotStrip)
	}
	b := &block{source: "vorbis"}
	p := o.packets[0][len(o.prefix):]
	end := parseComments(p, b)
	if end < 0 {
		// Nobody knows what a damaged block tells; when its one field is refused, an empty one takes its place.
		b.damagedComments(len(p))
		if b.refused(keep) == nil {
			return nil, nil
		}
		return []piece{{data: o.packet(make([]byte, 8))}}, nil
	}
	body := cutComments(p, end, b, keep)
	if body == nil {
		return nil, nil
	}
	return []piece{{data: o.packet(body)}}, nil
}

// packet is a comment packet around a comment block.
func (o *oggHeaders) packet(body []byte) []byte {
	p := append([]byte(o.prefix), body...)
	if o.framing {
		p = append(p, 1)
	}
	if o.flac { // the block's size stands in the prefix
		p[1], p[2], p[3] = byte(len(body)>>16), byte(len(body)>>8), byte(len(body))
	}
	return p
}

// copyOgg writes the file with another comment packet: new header pages, and behind them the stream's pages as they are but for
// their numbers and check sums (RFC 3533 §6).
func copyOgg(dst io.Writer, in *input, o *oggHeaders, comments []byte) error {
	if _, err := io.Copy(dst, io.NewSectionReader(in.r, 0, o.first)); err != nil {
		return err
	}
	table := oggTable()
	pages := oggPages(append([][]byte{comments}, o.packets[1:]...), o.serial, 1, table)
	for _, p := range pages {
		if _, err := dst.Write(p); err != nil {
			return err
		}
	}
	shift := uint32(len(pages)) - o.pages
	r := io.NewSectionReader(in.r, o.end, in.size-o.end)
	page := make([]byte, 27+255+255*255)
	for {
		n, err := io.ReadFull(r, page[:27])
		if err == io.EOF {
			return nil
		}
		if err != nil || string(page[:4]) != "OggS" { // junk or a cut page: as it is
			if _, err := dst.Write(page[:n]); err != nil {
				return err
			}
			_, err = io.Copy(dst, r)
			return err
		}
		if page[5]&2 != 0 { // its comments were never looked at
			return fmt.Errorf("%w: several streams follow each other", ErrCannotStrip)
		}
		size := 27 + int(page[26])
		n, err = io.ReadFull(r, page[27:size])
		if err == nil {
			for _, s := range page[27:size] {
				size += int(s)
			}
			at := 27 + int(page[26])
			n, err = io.ReadFull(r, page[at:size])
			n += at - 27
		}
		if err != nil {
			_, err = dst.Write(page[:27+n])
			return err
		}
		if binary.LittleEndian.Uint32(page[14:]) == o.serial && shift != 0 {
			binary.LittleEndian.PutUint32(page[18:], binary.LittleEndian.Uint32(page[18:])+shift)
			oggSum(page[:size], table)
		}
		if _, err := dst.Write(page[:size]); err != nil {
			return err
		}
	}
}

// oggPages lays header packets out in pages numbered from first. Their granule position is 0, or -1 where no packet ends.
func oggPages(packets [][]byte, serial, first uint32, table *[256]uint32) (pages [][]byte) {
	var segments []byte
	var body []byte
	continued := false
	ends := false
	flush := func(next bool) {
		h := make([]byte, 27, 27+len(segments)+len(body))
		copy(h, "OggS")
		if continued {
			h[5] = 1
		}
		if !ends {
			binary.LittleEndian.PutUint64(h[6:], 1<<64-1)
		}
		binary.LittleEndian.PutUint32(h[14:], serial)
		binary.LittleEndian.PutUint32(h[18:], first+uint32(len(pages)))
		h[26] = byte(len(segments))
		h = append(append(h, segments...), body...)
		oggSum(h, table)
		pages = append(pages, h)
		segments, body, continued, ends = segments[:0], body[:0], next, false
	}
	for _, p := range packets {
		for done := false; !done; {
			if len(segments) == 255 {
				flush(segments[254] == 255)
			}
			n := min(len(p), 255)
			segments = append(segments, byte(n))
			body = append(body, p[:n]...)
			p = p[n:]
			if done = n < 255; done {
				ends = true
			}
		}
	}
	if len(segments) > 0 {
		flush(false)
	}
	return pages
}

func oggTable() *[256]uint32 {
	var t [256]uint32
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return &t
}

// oggSum writes a page's check sum into it.
func oggSum(page []byte, table *[256]uint32) {
	clear(page[22:26])
	sum := uint32(0)
	for _, c := range page {
		sum = sum<<8 ^ table[byte(sum>>24)^c]
	}
	binary.LittleEndian.PutUint32(page[22:], sum)
}
