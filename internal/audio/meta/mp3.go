package meta

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// parseMP3 lists the ID3v2 tags in front and the tags behind the frames.
func parseMP3(in *input) []*block {
	doc, _ := leadingID3(in)
	return append(doc, trailers(in)...)
}

// leadingID3 lists the ID3v2 tags at the start of the file and answers where they end.
func leadingID3(in *input) (doc []*block, end int64) {
	for len(doc) < 8 {
		b := &block{source: "id3v2", off: end}
		b.end = parseID3(in, end, in.size, b)
		if b.end == end {
			return doc, end
		}
		end = b.end
		doc = append(doc, b)
	}
	return doc, end
}

// trailers lists the ID3v1 and APEv2 tags at the end of the file.
func trailers(in *input) []*block {
	var doc []*block
	end := in.size
	if p := in.at(end-128, 128); len(p) == 128 && string(p[:3]) == "TAG" {
		end -= 128
		doc = append(doc, parseID3v1(p, end))
	}
	if p := in.at(end-32, 32); len(p) == 32 && string(p[:8]) == "APETAGEX" {
		if b := parseAPE(in, p, end); b != nil {
			doc = append([]*block{b}, doc...)
		}
	}
	return doc
}

func parseID3v1(p []byte, off int64) *block {
	b := &block{source: "id3v1", off: off, end: off + 128}
	b.rewrite = func(b *block, keep func(Field) bool) []piece {
		cuts := b.refused(keep)
		if cuts == nil {
			return nil
		}
		out := bytes.Clone(p)
		for _, c := range cuts {
			clear(out[c[0]:c[1]])
		}
		return []piece{{data: out}}
	}
	for _, f := range []struct {
		name     string
		from, to int64
	}{{"Title", 3, 33}, {"Artist", 33, 63}, {"Album", 63, 93}, {"Year", 93, 97}, {"Comment", 97, 127}} {
		if v := guess(upToNUL(p[f.from:f.to])); strings.TrimSpace(v) != "" {
			b.add(f.name, v, f.from, f.to)
		}
	}
	if g := int(p[127]); g < len(id3Genres) && g != 0 {
		b.add("Genre", id3Genres[g], 127, 128)
	}
	return b
}

// parseAPE reads an APEv2 tag (Hydrogenaudio's specification) by its footer p, which ends at end.
func parseAPE(in *input, p []byte, end int64) *block {
	size := int64(binary.LittleEndian.Uint32(p[12:])) // items and footer
	count := int(binary.LittleEndian.Uint32(p[16:]))
	header := p[23]&0x80 != 0
	if size < 32 || size > end || size > 8<<20 {
		return nil
	}
	b := &block{source: "ape", off: end - size, end: end}
	items := in.at(b.off, size-32)
	if header && b.off >= 32 {
		b.off -= 32
	}
	found := 0
	for at := 0; found < count && at+8 < len(items); found++ {
		n := int64(binary.LittleEndian.Uint32(items[at:]))
		flags := items[at+4]
		key := upToNUL(items[at+8:])
		body := int64(at + 8 + len(key) + 1)
		to := body + n
		if to > int64(len(items)) || len(key) == 0 {
			break
		}
		if flags>>1&3 == 0 {
			b.add(string(key), strings.ReplaceAll(string(items[body:to]), "\x00", "; "), int64(at), to)
		} else {
			b.opaque(string(key), "data", n, int64(at), to, "A picture may show people and carry the place where it was taken.")
		}
		at = int(to)
	}
	b.rewrite = func(b *block, keep func(Field) bool) []piece {
		cuts := b.refused(keep)
		if cuts == nil {
			return nil
		}
		if found == 0 {
			return []piece{}
		}
		dropped := 0
		for _, it := range b.items {
			if !keep(it.Field) {
				dropped++
			}
		}
		if dropped >= found {
			return []piece{}
		}
		body := cut(items, cuts)
		foot := bytes.Clone(p)
		binary.LittleEndian.PutUint32(foot[12:], uint32(len(body)+32))
		binary.LittleEndian.PutUint32(foot[16:], uint32(found-dropped))
		foot[23] &^= 0x80 // no header any more
		return []piece{{data: body}, {data: foot}}
	}
	return b
}
