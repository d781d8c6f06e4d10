package meta

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxUnsync bounds a tag that must be held in memory because unsynchronisation runs through all of it.
const maxUnsync = 4 << 20

// id3Tag is where an ID3v2 tag (id3.org 2.2, 2.3, 2.4) lies and how its frames are written.
type id3Tag struct {
	version  byte
	flags    byte
	at, end  int64 // of the frames, in view
	view     io.ReaderAt
	inMemory []byte // when the view is not the file
}

// parseID3 lists the frames of the tag at off, which ends before limit, and returns where it ends; off when there is none.
func parseID3(in *input, off, limit int64, b *block) (end int64) {
	b.rewrite = dropWhole
	h := in.at(off, 10)
	if len(h) < 10 || string(h[:3]) != "ID3" || (h[6]|h[7]|h[8]|h[9])&0x80 != 0 {
		return off
	}
	t := id3Tag{version: h[3], flags: h[5], view: in.r, at: off + 10}
	size := syncsafe(h[6:])
	end = min(limit, off+10+size)
	t.end = end
	if t.flags&0x10 != 0 && t.version == 4 {
		end = min(limit, end+10) // footer
	}
	if t.version < 2 || t.version > 4 || t.version == 2 && t.flags&0x40 != 0 {
		b.opaque("ID3", "unknown tag", size, off, end, "Cannot be read here, so nobody knows what it tells.")
		return end
	}
	if t.flags&0x80 != 0 && t.version < 4 {
		p := in.at(t.at, min(t.end-t.at, maxUnsync))
		t.inMemory = bytes.ReplaceAll(p, []byte{0xff, 0}, []byte{0xff})
		t.view, t.at, t.end = bytes.NewReader(t.inMemory), 0, int64(len(t.inMemory))
	}
	if t.flags&0x40 != 0 && t.version > 2 {
		var p [4]byte
		in.read(t.view, p[:], t.at)
		n := int64(binary.BigEndian.Uint32(p[:])) + 4 // 2.3 does not count the size itself
		if t.version == 4 {
			n = syncsafe(p[:])
		}
		t.at = min(t.at+n, t.end)
	}
	last := t.frames(in, b)
	b.rewrite = func(b *block, keep func(Field) bool) []piece { return t.rewrite(b, keep, last) }
	return end
}

func syncsafe(p []byte) int64 {
	return int64(p[0]&0x7f)<<21 | int64(p[1]&0x7f)<<14 | int64(p[2]&0x7f)<<7 | int64(p[3]&0x7f)
}

// read fills p from view within the budget and reports whether it could.
func (in *input) read(view io.ReaderAt, p []byte, off int64) bool {
	if int64(len(p)) > in.left || in.err != nil {
		return false
	}
	in.left -= int64(len(p))
	n, err := view.ReadAt(p, off)
	if n < len(p) && err != io.EOF && err != nil {
		in.err = err
	}
	return n == len(p)
}

// frames lists them and answers where the last one ends; behind it lies padding.
func (t *id3Tag) frames(in *input, b *block) int64 {
	at := t.at
	for len(b.items) < MaxFields {
		headSize := int64(10)
		if t.version == 2 {
			headSize = 6
		}
		h := make([]byte, headSize)
		if at+headSize > t.end || !in.read(t.view, h, at) || h[0] == 0 {
			return at
		}
		var id string
		var size int64
		var flags byte
		switch t.version {
		case 2:
			id, size = string(h[:3]), int64(h[3])<<16|int64(h[4])<<8|int64(h[5])
		default:
			id, size, flags = string(h[:4]), int64(binary.BigEndian.Uint32(h[4:])), h[9]
			if t.version == 4 && (h[4]|h[5]|h[6]|h[7])&0x80 == 0 { // some programs wrote plain sizes
				size = syncsafe(h[4:])
			}
		}
		for _, c := range []byte(id) {
			if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
				return at
			}
		}
		end := at + headSize + size
		if end > t.end {
			b.opaque(id, "damaged frame", t.end-at, at, t.end, "Cannot be read here, so nobody knows what it tells.")
			return t.end
		}
		t.frame(in, b, id, flags, at, at+headSize, end)
		at = end
	}
	return at
}

func (t *id3Tag) frame(in *input, b *block, id string, flags byte, from, body, end int64) {
	size := end - body
	switch why := opaqueFrame(id); {
	case why != "":
		b.opaque(id, frameWhat(id), size, from, end, why)
		return
	case t.version == 4 && flags&0x0c != 0, t.version == 3 && flags&0xc0 != 0:
		b.opaque(id, "compressed or encrypted frame", size, from, end, "Cannot be read here, so nobody knows what it tells.")
		return
	case size > 4*maxText:
		b.opaque(id, "long frame", size, from, end, "Too long to be read here.")
		return
	}
	p := make([]byte, size)
	if !in.read(t.view, p, body) {
		b.opaque(id, "frame", size, from, end, "Cannot be read here, so nobody knows what it tells.")
		return
	}
	if t.version == 4 && flags&1 != 0 && len(p) >= 4 { // data length indicator
		p = p[4:]
	}
	if t.version == 4 && (flags&2 != 0 || t.flags&0x80 != 0) {
		p = bytes.ReplaceAll(p, []byte{0xff, 0}, []byte{0xff})
	}
	name, value := frameText(id, p)
	if strings.TrimSpace(value) != "" {
		b.add(name, value, from, end)
	}
}

// opaqueFrame says why a frame that is no text counts as personal.
func opaqueFrame(id string) string {
	switch id {
	case "APIC", "PIC":
		return "A picture may show people and carry the place where it was taken."
	case "PRIV", "GEOB", "GEO", "UFID", "UFI", "OWNE", "COMR", "ENCR", "GRID", "CRM", "MCDI", "MCI", "RGAD", "XRVA", "NCON", "PCST":
		return "Nobody but the program that wrote it can read it."
	}
	return ""
}

func frameWhat(id string) string {
	if id == "APIC" || id == "PIC" {
		return "picture"
	}
	return "data"
}

// frameText decodes text, comment, lyrics and link frames.
func frameText(id string, p []byte) (name, value string) {
	name = id
	switch {
	case id == "COMM" || id == "COM" || id == "USLT" || id == "ULT":
		if len(p) < 4 {
			return name, ""
		}
		desc, text := splitText(p[0], p[4:])
		if desc = strings.TrimSpace(desc); desc != "" {
			name += ":" + desc
		}
		return name, text
	case id == "TXXX" || id == "TXX":
		if len(p) < 1 {
			return name, ""
		}
		desc, text := splitText(p[0], p[1:])
		return desc, text
	case id == "WXXX" || id == "WXX":
		if len(p) < 1 {
			return name, ""
		}
		desc, _ := splitText(p[0], p[1:])
		rest := p[1:]
		if i := bytes.LastIndexByte(bytes.TrimRight(rest, "\x00"), 0); i >= 0 {
			rest = rest[i+1:]
		}
		return strings.TrimSuffix(name+":"+desc, ":"), latin1(upToNUL(rest))
	case id[0] == 'W':
		return name, latin1(upToNUL(p))
	case id[0] == 'T' || id == "IPLS" || id == "IPL":
		if len(p) < 1 {
			return name, ""
		}
		text := decodeText(p[0], p[1:])
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == 0 }), "; ")
		if id == "TCON" || id == "TCO" {
			text = genreName(text)
		}
		return name, text
	case id == "POPM" || id == "POP": // begins with the e-mail address of the one who rated
		return name, latin1(upToNUL(p))
	}
	return name, fmt.Sprintf("%d bytes", len(p))
}

func decodeText(encoding byte, p []byte) string {
	switch encoding {
	case 1:
		return utf16Text(p, false)
	case 2:
		return utf16Text(p, true)
	case 3:
		return string(p)
	}
	return guess(p) // said to be Latin-1, but many programs wrote UTF-8
}

// splitText separates a description from the text behind its terminator.
func splitText(encoding byte, p []byte) (string, string) {
	if encoding == 1 || encoding == 2 {
		for i := 0; i+1 < len(p); i += 2 {
			if p[i] == 0 && p[i+1] == 0 {
				big := encoding == 2 || bytes.HasPrefix(p, []byte("\xfe\xff"))
				return utf16Text(p[:i], big), utf16Text(trimPairs(p[i+2:]), big)
			}
		}
		return "", utf16Text(p, encoding == 2)
	}
	if i := bytes.IndexByte(p, 0); i >= 0 {
		return decodeText(encoding, p[:i]), decodeText(encoding, upToNUL(p[i+1:]))
	}
	return "", decodeText(encoding, p)
}

func trimPairs(p []byte) []byte {
	for len(p) >= 2 && p[len(p)-1] == 0 && p[len(p)-2] == 0 && len(p)%2 == 0 {
		p = p[:len(p)-2]
	}
	return p
}

// rewrite is the tag without refused frames, extended header, padding and footer. Frames keep their bytes.
func (t *id3Tag) rewrite(b *block, keep func(Field) bool, last int64) []piece {
	cuts := b.refused(keep)
	if cuts == nil {
		return nil
	}
	var body []piece
	if t.inMemory != nil {
		for i := range cuts {
			cuts[i][0], cuts[i][1] = cuts[i][0]-t.at, cuts[i][1]-t.at
		}
		body = []piece{{data: cut(t.inMemory[t.at:max(t.at, min(last, t.end))], cuts)}}
	} else {
		at := t.at
		for _, c := range cuts {
			body = append(body, piece{off: at, n: c[0] - at})
			at = c[1]
		}
		body = append(body, piece{off: at, n: max(0, last-at)})
	}
	size := length(body)
	if size == 0 {
		return []piece{}
	}
	flags := byte(0)
	if t.version == 4 {
		flags = t.flags & 0x80 // frames stay unsynchronized as they were
	}
	head := []byte{'I', 'D', '3', t.version, 0, flags, byte(size >> 21 & 0x7f), byte(size >> 14 & 0x7f), byte(size >> 7 & 0x7f), byte(size & 0x7f)}
	return append([]piece{{data: head}}, body...)
}

// genreName replaces ID3v1 numbers, "(17)" and "17", by their names.
func genreName(s string) string {
	n := strings.TrimSpace(s)
	if strings.HasPrefix(n, "(") {
		if i := strings.IndexByte(n, ')'); i > 0 {
			if rest := strings.TrimSpace(n[i+1:]); rest != "" {
				return rest
			}
			n = n[1:i]
		}
	}
	if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(id3Genres) {
		return id3Genres[i]
	}
	return s
}

var id3Genres = strings.Split("Blues,Classic Rock,Country,Dance,Disco,Funk,Grunge,Hip-Hop,Jazz,Metal,New Age,Oldies,Other,Pop,R&B,Rap,Reggae,Rock,Techno,Industrial,"+
	"Alternative,Ska,Death Metal,Pranks,Soundtrack,Euro-Techno,Ambient,Trip-Hop,Vocal,Jazz+Funk,Fusion,Trance,Classical,Instrumental,Acid,House,Game,Sound Clip,Gospel,Noise,"+
	"Alternative Rock,Bass,Soul,Punk,Space,Meditative,Instrumental Pop,Instrumental Rock,Ethnic,Gothic,Darkwave,Techno-Industrial,Electronic,Pop-Folk,Eurodance,Dream,Southern Rock,Comedy,Cult,Gangsta,"+
	"Top 40,Christian Rap,Pop/Funk,Jungle,Native American,Cabaret,New Wave,Psychedelic,Rave,Showtunes,Trailer,Lo-Fi,Tribal,Acid Punk,Acid Jazz,Polka,Retro,Musical,Rock & Roll,Hard Rock", ",")
