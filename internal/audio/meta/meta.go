// Package meta reads what a sound file says about itself, and takes parts of it out again.
//
// Read lists every field of the tags it knows (ID3v1 and v2, APEv2, Vorbis comments, BWF bext, iXML, RIFF INFO, AIFF texts, MP4
// item lists) and marks those that tell something about a person. Strip writes the same file without the fields that the
// caller refuses; not a byte of the sound changes. What cannot be understood is listed too, as one field and as personal, so
// that it can be taken out.
//
// Nothing declared by a file is believed: at most MaxRead bytes are read, allocations follow the bytes that are there, and
// every value is valid UTF-8 without control characters and at most MaxRunes long.
package meta

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"audiomicro/internal/audio/sniff"
)

// Bounds of what is read and kept.
const (
	MaxRead   = 16 << 20 // bytes of the file
	MaxFields = 2000
	MaxRunes  = 10000 // per value
)

// Tags is what a file says about itself. Texts are as the file has them, cleaned.
type Tags struct {
	Title, Artist, Album, Description, Copyright, Date, Genre, BPM, Key string

	Keywords []string
	Category string  // Broad Sound Taxonomy code when a UCS category id was found, else ""
	Fields   []Field // all of it, in the order of the file
}

// Field is one statement of a file.
type Field struct {
	Source   string // id3v2, id3v1, ape, vorbis, bext, ixml, info, aiff, mp4, riff, flac
	Name     string // as the format calls it: TPE1, ARTIST, Originator, USER/FXNAME
	Value    string
	Personal bool
	Why      string // one sentence, when Personal
}

// Read lists the tags of a file of size bytes and kind k. Damaged tags give what could be read; an error comes only from r.
func Read(r io.ReaderAt, size int64, k sniff.Kind) (Tags, error) {
	in := &input{r: r, size: size, left: MaxRead}
	doc := parse(in, k)
	if in.err != nil {
		return Tags{}, fmt.Errorf("read tags: %w", in.err)
	}
	var t Tags
	// The richest source speaks first: a general tag was usually written by a person, bext by a machine.
	for _, source := range []string{"id3v2", "mp4", "vorbis", "ape", "info", "aiff", "ixml", "bext", "id3v1"} {
		for _, b := range doc {
			if b.source == source {
				for _, it := range b.items {
					t.take(it.Field)
				}
			}
		}
	}
	for _, b := range doc {
		for _, it := range b.items {
			if len(t.Fields) == MaxFields {
				return t, nil
			}
			t.Fields = append(t.Fields, it.Field)
		}
	}
	return t, nil
}

// take fills the general fields that are still empty.
func (t *Tags) take(f Field) {
	set := func(dst *string) {
		if *dst == "" {
			*dst = f.Value
		}
	}
	switch general(f.Source, f.Name) {
	case "title":
		set(&t.Title)
	case "artist":
		set(&t.Artist)
	case "album":
		set(&t.Album)
	case "description":
		if !machineText(f.Value) {
			set(&t.Description)
		}
	case "copyright":
		set(&t.Copyright)
	case "date":
		set(&t.Date)
	case "genre":
		set(&t.Genre)
	case "bpm":
		set(&t.BPM)
	case "key":
		set(&t.Key)
	case "catid":
		if t.Category == "" {
			t.Category = ucsCategory(f.Value)
		}
	case "keywords":
		for _, w := range strings.FieldsFunc(f.Value, func(r rune) bool { return strings.ContainsRune(",;|\n", r) }) {
			if w = strings.TrimSpace(w); w != "" && len(t.Keywords) < 100 && !contains(t.Keywords, w) {
				t.Keywords = append(t.Keywords, w)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if strings.EqualFold(v, s) {
			return true
		}
	}
	return false
}

// general maps a format's name to the word Tags uses, or "".
func general(source, name string) string {
	n := strings.ToLower(name)
	if i := strings.LastIndexByte(n, '/'); i >= 0 && source == "ixml" {
		if parent := n[:i]; !strings.HasPrefix(parent, "user") && !strings.HasPrefix(parent, "aswg") && !strings.HasPrefix(parent, "steinberg") {
			return ""
		}
		n = n[i+1:]
	}
	return generalNames[source+":"+n]
}

var generalNames = func() map[string]string {
	m := map[string]string{}
	for word, list := range map[string]string{
		"title":     "id3v2:tit2 id3v2:tt2 id3v1:title ape:title vorbis:title info:inam aiff:name mp4:©nam ixml:fxname ixml:tracktitle ixml:title ixml:mediatitle",
		"artist":    "id3v2:tpe1 id3v2:tp1 id3v1:artist ape:artist vorbis:artist info:iart aiff:auth mp4:©art ixml:artist ixml:designer ixml:originator bext:originator",
		"album":     "id3v2:talb id3v2:tal id3v1:album ape:album vorbis:album info:iprd mp4:©alb ixml:library ixml:cdtitle",
		"copyright": "id3v2:tcop id3v2:tcr ape:copyright vorbis:copyright info:icop aiff:(c) mp4:cprt ixml:copyright",
		"date":      "id3v2:tdrc id3v2:tyer id3v2:tye id3v2:tdrl id3v1:year ape:year vorbis:date vorbis:year info:icrd mp4:©day bext:originationdate",
		"genre":     "id3v2:tcon id3v2:tco id3v1:genre ape:genre vorbis:genre info:ignr mp4:©gen",
		"bpm":       "id3v2:tbpm id3v2:tbp ape:bpm vorbis:bpm vorbis:tempo mp4:tmpo ixml:bpm ixml:tempo",
		"key":       "id3v2:tkey id3v2:tke ape:key vorbis:initialkey vorbis:key ixml:key",
		"keywords":  "vorbis:keywords vorbis:tags info:ikey mp4:keyw ixml:keywords",
		"catid":     "ixml:catid vorbis:catid",
		"description": "id3v2:comm id3v2:com id3v1:comment ape:comment ape:description vorbis:description vorbis:comment info:icmt info:isbj aiff:anno " +
			"mp4:desc mp4:©cmt ixml:description ixml:fxdescription bext:description",
	} {
		for _, n := range strings.Fields(list) {
			m[n] = word
		}
	}
	return m
}()

// machineText reports whether a description is a recorder's list of settings ("sSPEED=024.00-ND") or a program's note.
func machineText(s string) bool {
	lines, settings := 0, 0
	for _, line := range strings.Split(s, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		lines++
		if i := strings.IndexByte(line, '='); i > 1 && i < 24 && (line[0] == 's' || line[0] == 'z' || line[0] == 'd') && strings.ToUpper(line[1:i]) == line[1:i] {
			settings++
		}
	}
	return settings > 0 && settings*2 >= lines || strings.HasPrefix(s, "iTun")
}

// input reads a file within the budget of MaxRead bytes.
type input struct {
	r    io.ReaderAt
	size int64
	left int64
	err  error // of r, other than its end
}

// at returns up to n bytes from off: fewer at the end of the file, of the budget, or when reading failed.
func (in *input) at(off, n int64) []byte {
	n = min(n, in.size-off, in.left)
	if off < 0 || n <= 0 || in.err != nil {
		return nil
	}
	in.left -= n
	b := make([]byte, n)
	m, err := in.r.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		in.err = err
	}
	return b[:m]
}

// block is a stretch of the file that belongs together: a tag, or bytes that are copied as they are.
type block struct {
	source   string
	off, end int64 // in the file
	items    []item
	// rewrite is what stands in the block's place without the fields that keep refuses; nil when nothing changes.
	rewrite func(b *block, keep func(Field) bool) []piece
}

// piece is a stretch of output: data, or n bytes of the file from off.
type piece struct {
	data   []byte
	off, n int64
}

// refused lists the stretches of refused items, in order.
func (b *block) refused(keep func(Field) bool) (cuts [][2]int64) {
	for _, it := range b.items {
		if keep(it.Field) {
			continue
		}
		if n := len(cuts); n > 0 && it.from < cuts[n-1][1] { // one stretch can hold several fields
			cuts[n-1][1] = max(cuts[n-1][1], it.to)
			continue
		}
		cuts = append(cuts, [2]int64{it.from, it.to})
	}
	return cuts
}

// cut is p without the stretches.
func cut(p []byte, cuts [][2]int64) []byte {
	out := make([]byte, 0, len(p))
	at := int64(0)
	for _, c := range cuts {
		out = append(out, p[at:c[0]]...)
		at = c[1]
	}
	return append(out, p[at:]...)
}

func length(pieces []piece) (n int64) {
	for _, p := range pieces {
		n += int64(len(p.data)) + p.n
	}
	return n
}

// item is a field and where its bytes stand, relative to the block.
type item struct {
	Field
	from, to int64
	head     int64 // bytes of the box header at from, in MP4; 0: from is no box
}

func (b *block) add(name, value string, from, to int64) {
	if len(b.items) >= MaxFields {
		return
	}
	f := Field{Source: b.source, Name: clean(name, 200), Value: clean(value, MaxRunes)}
	f.Personal, f.Why = personal(f)
	b.items = append(b.items, item{Field: f, from: from, to: to})
}

// opaque lists bytes that are not text.
func (b *block) opaque(name, what string, size, from, to int64, why string) {
	if len(b.items) >= MaxFields {
		return
	}
	f := Field{Source: b.source, Name: clean(name, 200), Value: fmt.Sprintf("%s, %d bytes", clean(what, 100), size), Personal: why != "", Why: why}
	b.items = append(b.items, item{Field: f, from: from, to: to})
}

// parse cuts the file into blocks. Between and behind the blocks listed lie bytes without tags.
func parse(in *input, k sniff.Kind) []*block {
	switch k.Container {
	case "wav", "rf64", "bw64", "aiff", "aifc":
		return parseIFF(in)
	case "flac":
		return parseFLAC(in)
	case "mp3", "adts":
		return parseMP3(in)
	case "ogg":
		return parseOgg(in)
	case "mp4":
		return parseMP4(in)
	case "wavpack", "ape", "tta":
		return trailers(in)
	}
	return nil
}
