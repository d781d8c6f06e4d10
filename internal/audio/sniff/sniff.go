// Package sniff tells what a file is from its first bytes, never from its name.
//
// Detect needs at most HeadSize bytes. What it names can be decoded by the program itself, or, when Kind.NeedsFFmpeg is
// set, only by a native ffmpeg. Everything else is refused with a sentence fit for the person who sent the file: playlists
// and other texts (which ffmpeg would follow to other files), web pages, archives, documents, pictures and films.
package sniff

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"audiomicro/internal/audio"
)

// HeadSize is the number of leading bytes Detect can make use of.
const HeadSize = 64 << 10

// Kind names a file format.
type Kind struct {
	Container   string // wav, rf64, bw64, w64, aiff, aifc, flac, mp3, ogg, mp4, adts, wavpack, caf, asf, ape, au, tta, amr, webm
	Codec       string // pcm, alaw, mulaw, flac, mp3, vorbis, opus, aac, alac, wavpack, …; "" when only a decoder can tell
	NeedsFFmpeg bool   // true when the program has no decoder of its own
	Ext         string // usual file name extension without the dot
	MIME        string // media type to store; files are served as attachments all the same
	BitDepth    int    // of a lossless format's samples where the program has no decoder that would tell; 0 when the first bytes do not
}

// String is the format's name for people, such as "WAV" or "Ogg Opus".
func (k Kind) String() string {
	switch {
	case k.Container == "ogg":
		return "Ogg " + strings.ToUpper(k.Codec[:1]) + k.Codec[1:]
	case k.Container == "mp4" && k.Codec != "":
		return "MP4 (" + strings.ToUpper(k.Codec) + ")"
	case k.Container == "":
		return "unknown"
	}
	return strings.ToUpper(k.Container)
}

// RefusedError says why a file is not taken. It wraps audio.ErrUnsupported.
type RefusedError struct {
	Found string // what the file seems to be, with its article: "a playlist"
}

func (e *RefusedError) Error() string { return "this file is " + e.Found + ", not a sound recording" }

// Unwrap makes errors.Is(err, audio.ErrUnsupported) true.
func (e *RefusedError) Unwrap() error { return audio.ErrUnsupported }

// Accepted is the sentence that names what this instance takes.
func Accepted(ffmpeg bool) string {
	s := "This site accepts WAV (also RF64, BW64 and W64), AIFF, FLAC, MP3, Ogg Vorbis and Opus recordings"
	if ffmpeg {
		return s + ", and M4A (AAC or ALAC), AAC, WavPack, CAF, WMA, Monkey's Audio, TTA, AU, AMR and WebM audio."
	}
	return s + "."
}

// Detect names the format of a file that begins with head (up to HeadSize bytes of it; a shorter head is taken for the whole
// file). The error is a *RefusedError for known formats that are not sound, else wraps audio.ErrUnsupported.
func Detect(head []byte) (Kind, error) {
	if len(head) > HeadSize {
		head = head[:HeadSize]
	}
	if len(head) == 0 {
		return Kind{}, &RefusedError{Found: "empty"}
	}
	if what := refused(head); what != "" {
		return Kind{}, &RefusedError{Found: what}
	}
	for _, detect := range []func([]byte) (Kind, bool){
		detectRIFF, detectW64, detectAIFF, detectFLAC, detectOgg, detectMP4, detectSimple, detectMPEG,
	} {
		if k, ok := detect(head); ok {
			if strings.HasPrefix(k.Codec, "video") {
				return Kind{}, &RefusedError{Found: "a film"}
			}
			return k, nil
		}
	}
	return Kind{}, fmt.Errorf("sniff: %w: the first bytes belong to no known sound format", audio.ErrUnsupported)
}

// refused recognizes formats that must never reach a decoder: ffmpeg would open other files named in playlists, and browsers
// or document viewers would run what the others contain. It answers what the file is, or "".
func refused(head []byte) string {
	// The ZIP, PDF and picture signatures stand where their readers look for them: at the start, except that PDF viewers
	// search the first kilobyte (Adobe's implementation note 13 to ISO 32000).
	for _, s := range []struct{ sig, what string }{
		{"PK\x03\x04", "a ZIP archive"}, {"PK\x05\x06", "a ZIP archive"}, {"Rar!\x1a\x07", "a RAR archive"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"}, {"\x1f\x8b", "a gzip archive"}, {"BZh", "a bzip2 archive"},
		{"\xfd7zXZ\x00", "an xz archive"}, {"\x28\xb5\x2f\xfd", "a Zstandard archive"},
		{"\x89PNG", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"GIF8", "a picture"}, {"MThd", "a MIDI file"},
		{"\x7fELF", "a program"}, {"MZ", "a program"}, {"#!", "a program"}, {"SQLite format 3", "a database"},
	} {
		if bytes.HasPrefix(head, []byte(s.sig)) && !bytes.HasPrefix(head, []byte("#!AMR")) {
			return s.what
		}
	}
	if bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF-")) {
		return "a PDF document"
	}
	return refusedText(head)
}

// refusedText recognizes texts by how they begin after a byte-order mark and white space, in any letter case, as browsers
// do (WHATWG MIME Sniffing §7.1) and as ffmpeg's playlist probes do.
func refusedText(head []byte) string {
	h := head[:min(len(head), 4096)]
	if bytes.HasPrefix(h, []byte("\xff\xfe")) || bytes.HasPrefix(h, []byte("\xfe\xff")) {
		// UTF-16: dropping the zero bytes is enough to recognize ASCII keywords. An MPEG frame may begin with FF FE or FF FF
		// only in forms this package does not accept (reserved rate), so nothing real is lost.
		h = bytes.ReplaceAll(h[2:], []byte{0}, nil)
	}
	h = bytes.TrimLeft(bytes.TrimPrefix(h, []byte("\xef\xbb\xbf")), " \t\r\n\f")
	low := bytes.ToLower(h[:min(len(h), 256)])
	for _, s := range []struct{ sig, what string }{
		{"#extm3u", "a playlist"}, {"#extinf", "a playlist"}, {"ffconcat", "a playlist"}, {"[playlist]", "a playlist"}, {"[reference]", "a playlist"},
		{"v=0\n", "a session description"}, {"v=0\r", "a session description"}, {"file '", "a playlist"}, {"rtsptext", "a playlist"}, {"smstring", "a playlist"},
		{"http://", "a list of addresses"}, {"https://", "a list of addresses"}, {"file:", "a list of addresses"},
		{"<!doctype", "a web page"}, {"<html", "a web page"}, {"<head", "a web page"}, {"<body", "a web page"}, {"<script", "a web page"}, {"<iframe", "a web page"},
		{"<svg", "an SVG picture"}, {"<mpd", "a playlist"}, {"<smil", "a playlist"}, {"<asx", "a playlist"}, {"<playlist", "a playlist"},
		{"<smoothstreamingmedia", "a playlist"}, {"<?xml", "an XML document"}, {"<!--", "a web page"}, {"<", "a web page or XML document"}, {"{", "a JSON or program text"},
	} {
		if bytes.HasPrefix(low, []byte(s.sig)) {
			return s.what
		}
	}
	return ""
}

func detectRIFF(h []byte) (Kind, bool) {
	if len(h) < 12 {
		return Kind{}, false
	}
	form := string(h[8:12])
	k := Kind{Codec: "pcm", Ext: "wav", MIME: "audio/wav"}
	switch string(h[:4]) {
	case "RIFF":
		k.Container = "wav"
	case "RF64":
		k.Container = "rf64"
	case "BW64":
		k.Container = "bw64"
	default:
		return Kind{}, false
	}
	switch form {
	case "WAVE":
	case "AVI ":
		return Kind{Codec: "video"}, true
	default:
		return Kind{}, false
	}
	for off := 12; off+8 <= len(h); {
		id, size := string(h[off:off+4]), int(binary.LittleEndian.Uint32(h[off+4:]))
		if id == "fmt " && off+10 <= len(h) {
			body := h[off+8 : min(len(h), off+8+min(size, 40))]
			k.Codec, k.NeedsFFmpeg = wavCodec(body)
			break
		}
		if id == "data" || size > len(h) {
			break
		}
		off += 8 + size
		if size&1 == 1 && off < len(h) && Padded(h[off:]) {
			off++
		}
	}
	return k, true
}

// wavCodec names the codec of a WAVEFORMATEX or WAVEFORMATEXTENSIBLE body and whether only ffmpeg can decode it.
func wavCodec(fmtBody []byte) (codec string, ffmpeg bool) {
	if len(fmtBody) < 2 {
		return "pcm", false
	}
	tag := binary.LittleEndian.Uint16(fmtBody)
	if tag == 0xfffe && len(fmtBody) >= 26 {
		tag = binary.LittleEndian.Uint16(fmtBody[24:])
	}
	switch tag {
	case 1, 3, 0xfffe:
		return "pcm", false
	case 6:
		return "alaw", false
	case 7:
		return "mulaw", false
	case 2, 0x11:
		return "adpcm", true
	case 0x50, 0x55:
		return "mp3", true
	}
	return fmt.Sprintf("wav-%04x", tag), true
}

var w64RIFF = []byte("riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00")
var w64WAVE = []byte("wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a")

func detectW64(h []byte) (Kind, bool) {
	if len(h) < 40 || !bytes.Equal(h[:16], w64RIFF) || !bytes.Equal(h[24:40], w64WAVE) {
		return Kind{}, false
	}
	return Kind{Container: "w64", Codec: "pcm", Ext: "w64", MIME: "audio/x-w64"}, true
}

func detectAIFF(h []byte) (Kind, bool) {
	if len(h) < 12 || string(h[:4]) != "FORM" {
		return Kind{}, false
	}
	switch string(h[8:12]) {
	case "AIFF":
		return Kind{Container: "aiff", Codec: "pcm", Ext: "aiff", MIME: "audio/aiff"}, true
	case "AIFC":
	default:
		return Kind{}, false
	}
	k := Kind{Container: "aifc", Codec: "pcm", Ext: "aifc", MIME: "audio/aiff"}
	for off := 12; off+8 <= len(h); {
		size := int(binary.BigEndian.Uint32(h[off+4:]))
		if string(h[off:off+4]) == "COMM" {
			if off+8+22 <= len(h) && size >= 22 {
				k.Codec, k.NeedsFFmpeg = aifcCodec(string(h[off+26 : off+30]))
			}
			break
		}
		if size > len(h) {
			break
		}
		off += 8 + size
		if size&1 == 1 && off < len(h) && Padded(h[off:]) {
			off++
		}
	}
	return k, true
}

func aifcCodec(compression string) (codec string, ffmpeg bool) {
	switch compression {
	case "NONE", "twos", "sowt", "in24", "in32", "fl32", "FL32", "fl64", "FL64", "raw ", "23ni", "42ni":
		return "pcm", false
	case "ulaw", "ULAW":
		return "mulaw", false
	case "alaw", "ALAW":
		return "alaw", false
	}
	return "aifc-" + strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return '_'
	}, compression), true
}

func detectFLAC(h []byte) (Kind, bool) {
	k := Kind{Container: "flac", Codec: "flac", Ext: "flac", MIME: "audio/flac"}
	if bytes.HasPrefix(h, []byte("fLaC")) {
		return k, true
	}
	if n := id3Size(h); n > 0 && n+4 <= len(h) && bytes.Equal(h[n:n+4], []byte("fLaC")) {
		return k, true
	}
	return Kind{}, false
}

// id3Size is the length of the ID3v2 tags at the start of h (0 when there are none). It may exceed len(h).
func id3Size(h []byte) int {
	n := 0
	for n+10 <= len(h) && string(h[n:n+3]) == "ID3" && h[n+3] < 0xff && h[n+4] < 0xff {
		s := h[n+6 : n+10]
		if (s[0]|s[1]|s[2]|s[3])&0x80 != 0 {
			return n
		}
		size := int(s[0])<<21 | int(s[1])<<14 | int(s[2])<<7 | int(s[3])
		if h[n+5]&0x10 != 0 { // footer
			size += 10
		}
		n += 10 + size
	}
	return n
}

// detectOgg looks at the first packets of the logical streams that begin in h (RFC 3533 §4: all of them stand first).
func detectOgg(h []byte) (Kind, bool) {
	if !bytes.HasPrefix(h, []byte("OggS")) {
		return Kind{}, false
	}
	k := Kind{Container: "ogg"}
	for off := 0; off+27 <= len(h) && string(h[off:off+4]) == "OggS" && h[off+5]&2 != 0; {
		segments := int(h[off+26])
		body := off + 27 + segments
		if body > len(h) {
			break
		}
		size := 0
		for _, s := range h[off+27 : body] {
			size += int(s)
		}
		p := h[body:min(len(h), body+size)]
		switch {
		case bytes.HasPrefix(p, []byte("\x80theora")), bytes.HasPrefix(p, []byte("BBCD\x00")), bytes.HasPrefix(p, []byte("\x01video")):
			return Kind{Codec: "video"}, true
		case k.Codec != "":
		case bytes.HasPrefix(p, []byte("\x01vorbis")):
			k.Codec, k.Ext, k.MIME = "vorbis", "ogg", "audio/ogg"
		case bytes.HasPrefix(p, []byte("OpusHead")):
			k.Codec, k.Ext, k.MIME = "opus", "opus", "audio/ogg"
		case bytes.HasPrefix(p, []byte("\x7fFLAC")):
			k.Codec, k.Ext, k.MIME = "flac", "oga", "audio/ogg"
		case bytes.HasPrefix(p, []byte("Speex   ")):
			k.Codec, k.Ext, k.MIME, k.NeedsFFmpeg = "speex", "spx", "audio/ogg", true
		}
		off = body + size
	}
	return k, k.Codec != ""
}

func detectMP4(h []byte) (Kind, bool) {
	if len(h) < 16 || string(h[4:8]) != "ftyp" {
		return Kind{}, false
	}
	size := int(binary.BigEndian.Uint32(h))
	if size < 16 || size > 4096 {
		return Kind{}, false
	}
	switch brand := string(h[8:12]); brand {
	case "avif", "heic", "heix", "mif1", "msf1", "hevc", "jpx ", "jp2 ", "crx ":
		return Kind{}, false
	}
	// Sample descriptions and handlers are seen here only when the movie box stands in front.
	return Kind{Container: "mp4", Codec: movieCodec(h, string(h[8:12])), BitDepth: alacBits(h), NeedsFFmpeg: true, Ext: "m4a", MIME: "audio/mp4"}, true
}

// alacBits is the depth in the magic cookie of a movie box's Apple Lossless track, or 0: a box of 36 bytes in the sample description
// that holds version and flags, frame length, compatible version and then the depth (Apple's ALACMagicCookieDescription).
func alacBits(b []byte) int {
	_, cookie, ok := bytes.Cut(b, []byte("\x00\x00\x00\x24alac\x00\x00\x00\x00"))
	if !ok || len(cookie) < 6 {
		return 0
	}
	if bits := int(cookie[5]); bits == 16 || bits == 20 || bits == 24 || bits == 32 {
		return bits
	}
	return 0
}

// movieCodec is the codec of an MP4 file by what its movie box holds, "video…" for a film, or "" when b does not tell.
func movieCodec(b []byte, brand string) string {
	// Apple's sound files may carry chapter pictures as a track of their own.
	if brand != "M4A " && brand != "M4B " {
		for rest := b; ; {
			_, after, ok := bytes.Cut(rest, []byte("hdlr"))
			if !ok {
				break
			}
			if len(after) >= 12 && string(after[8:12]) == "vide" { // ISO/IEC 14496-12 §8.4.3
				return "video"
			}
			rest = after
		}
	}
	switch {
	case bytes.Contains(b, []byte("drms")):
		return "drms"
	case bytes.Contains(b, []byte("alac")):
		return "alac"
	case bytes.Contains(b, []byte("mp4a")):
		return "aac"
	}
	return ""
}

// maxMovie bounds the movie box that Movie reads: an hour's index takes about a megabyte.
const maxMovie = 16 << 20

// Movie completes what Detect could tell of an MP4 file of size bytes whose movie box stands behind the samples. Other kinds
// come back as they are. The error is a *RefusedError for a film, or r's.
func Movie(r io.ReaderAt, size int64, k Kind) (Kind, error) {
	if k.Container != "mp4" || k.Codec != "" {
		return k, nil
	}
	brand := ""
	for at, boxes := int64(0), 0; at+8 <= size && boxes < 10_000; boxes++ {
		h := make([]byte, 16)
		n, err := r.ReadAt(h, at)
		if err != nil && err != io.EOF {
			return k, err
		}
		if n < 8 {
			return k, nil
		}
		length := int64(binary.BigEndian.Uint32(h))
		switch {
		case length == 0:
			length = size - at
		case length == 1 && n == 16:
			length = int64(binary.BigEndian.Uint64(h[8:]) & (1<<62 - 1))
		}
		if length < 8 || length > size-at {
			return k, nil // the decoder says what is wrong with it
		}
		switch string(h[4:8]) {
		case "ftyp":
			brand = string(h[8:min(n, 12)])
		case "moov":
			b := make([]byte, min(length, maxMovie))
			if n, err = r.ReadAt(b, at); err != nil && err != io.EOF {
				return k, err
			}
			if k.Codec = movieCodec(b[:n], brand); k.Codec == "video" {
				return Kind{}, &RefusedError{Found: "a film"}
			}
			k.BitDepth = alacBits(b[:n])
			return k, nil
		}
		at += length
	}
	return k, nil
}

// detectSimple knows the formats that one signature at the start tells apart. All but none of them need ffmpeg.
func detectSimple(h []byte) (Kind, bool) {
	for _, f := range []struct {
		sig  string
		kind Kind
	}{
		{"wvpk", Kind{Container: "wavpack", Codec: "wavpack", Ext: "wv", MIME: "audio/x-wavpack"}},
		{"caff\x00\x01", Kind{Container: "caf", Ext: "caf", MIME: "audio/x-caf"}},
		{"MAC ", Kind{Container: "ape", Codec: "ape", Ext: "ape", MIME: "audio/x-ape"}},
		{"TTA1", Kind{Container: "tta", Codec: "tta", Ext: "tta", MIME: "audio/x-tta"}},
		{"TTA2", Kind{Container: "tta", Codec: "tta", Ext: "tta", MIME: "audio/x-tta"}},
		{"#!AMR", Kind{Container: "amr", Codec: "amr", Ext: "amr", MIME: "audio/amr"}},
		{".snd\x00\x00", Kind{Container: "au", Ext: "au", MIME: "audio/basic"}},
		{"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", Kind{Container: "asf", Ext: "wma", MIME: "audio/x-ms-wma"}},
	} {
		if bytes.HasPrefix(h, []byte(f.sig)) {
			f.kind.NeedsFFmpeg, f.kind.BitDepth = true, bitDepth(f.kind.Container, h)
			return f.kind, true
		}
	}
	if bytes.HasPrefix(h, []byte("\x1a\x45\xdf\xa3")) {
		if bytes.Contains(h, []byte("V_VP")) || bytes.Contains(h, []byte("V_MPEG")) || bytes.Contains(h, []byte("V_AV1")) {
			return Kind{Codec: "video"}, true
		}
		return Kind{Container: "webm", NeedsFFmpeg: true, Ext: "weba", MIME: "audio/webm"}, true
	}
	return Kind{}, false
}

// bitDepth reads the bits of a sample from a header: of WavPack the bytes of a sample less the zero bits below it (WavPack 4 & 5
// Binary File / Block Format, block header, flags), of TTA a field of its own (TTA1 header). It is 0 for what is no depth.
func bitDepth(container string, h []byte) int {
	bits := 0
	switch {
	case container == "wavpack" && len(h) >= 28:
		flags := binary.LittleEndian.Uint32(h[24:])
		bits = 8*(int(flags&3)+1) - int(flags>>13&31)
	case container == "tta" && len(h) >= 10 && h[3] == '1':
		bits = int(binary.LittleEndian.Uint16(h[8:]))
	}
	if bits < 1 || bits > 32 {
		return 0
	}
	return bits
}
