package meta_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"audiomicro/internal/audio/meta"
	"audiomicro/internal/audio/sniff"
)

// riffChunk is a chunk with its padding.
func riffChunk(order binary.ByteOrder, id, body string) string {
	h := make([]byte, 4)
	order.PutUint32(h, uint32(len(body)))
	if len(body)%2 == 1 {
		return id + string(h) + body + "\x00"
	}
	return id + string(h) + body
}

var sound = strings.Repeat("\x01\x02\xff\x7f", 500)

// wav is a 16-bit stereo file with chunks before and behind its samples.
func wav(before, behind string) []byte {
	le := binary.LittleEndian
	body := "WAVE" + riffChunk(le, "fmt ", "\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02\x00\x04\x00\x10\x00") + before + riffChunk(le, "data", sound) + behind
	return []byte(riffChunk(le, "RIFF", body))
}

func aiff(extra string) []byte {
	be := binary.BigEndian
	comm := riffChunk(be, "COMM", "\x00\x02\x00\x00\x01\xf4\x00\x10\x40\x0e\xac\x44\x00\x00\x00\x00\x00\x00")
	return []byte(riffChunk(be, "FORM", "AIFF"+comm+extra+riffChunk(be, "SSND", "\x00\x00\x00\x00\x00\x00\x00\x00"+sound)))
}

// bareChunk is a chunk without padding, as many programs write it.
func bareChunk(id, body string) string {
	return id + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
}

func pad(s string, n int) string { return s + strings.Repeat("\x00", n-len(s)) }

func bext(description, originator, reference string) string {
	return pad(description, 256) + pad(originator, 32) + pad(reference, 32) + "2024:05:06" + "12:34:56" + strings.Repeat("\x00", 10) + strings.Repeat("\x07", 64) +
		strings.Repeat("\x00", 190) + "A=PCM,F=48000,W=24,M=stereo\r\n"
}

// id3 is an ID3v2 tag of text frames, id and value in turn (Latin-1), with raw frames behind.
func id3(version byte, raw string, pairs ...string) string {
	frames := ""
	for i := 0; i < len(pairs); i += 2 {
		body := "\x03" + pairs[i+1]
		frames += id3Frame(version, pairs[i], body)
	}
	frames += raw
	n := len(frames) + 20
	return "ID3" + string([]byte{version, 0, 0, byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}) + frames + strings.Repeat("\x00", 20)
}

func id3Frame(version byte, id, body string) string {
	n := len(body)
	switch version {
	case 2:
		return id + string([]byte{byte(n >> 16), byte(n >> 8), byte(n)}) + body
	case 4:
		return id + string([]byte{byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127), 0, 0}) + body
	}
	return id + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 0, 0}) + body
}

func detect(t *testing.T, file []byte) sniff.Kind {
	t.Helper()
	k, err := sniff.Detect(file)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func read(t *testing.T, file []byte) meta.Tags {
	t.Helper()
	tags, err := meta.Read(bytes.NewReader(file), int64(len(file)), detect(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return tags
}

// flat is the fields as source:name=value, with ! before personal ones.
func flat(tags meta.Tags) []string {
	var out []string
	for _, f := range tags.Fields {
		mark := ""
		if f.Personal {
			mark = "!"
		}
		out = append(out, fmt.Sprintf("%s%s:%s=%s", mark, f.Source, f.Name, f.Value))
	}
	return out
}

const mp3Frames = 20

// mp3Frame is a silent 128 kbit/s frame.
var mp3Frame = "\xff\xfb\x90\x00" + strings.Repeat("\x00", 413)

func TestRead(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	ixml := `<?xml version="1.0" encoding="UTF-8"?><BWFXML><IXML_VERSION>1.61</IXML_VERSION><NOTE>windy &amp; cold</NOTE>` +
		`<LOCATION><LOCATION_GPS>47.756787, -123.729977</LOCATION_GPS></LOCATION><USER><FXNAME>Door Slam</FXNAME><CATID>DOORWood</CATID><DESCRIPTION>Old oak door</DESCRIPTION>` +
		`<KEYWORDS>door, wood,slam</KEYWORDS><RECORDIST>Jane Doe</RECORDIST></USER><STEINBERG><ATTR_LIST><ATTR><TYPE>string</TYPE><NAME>MediaComment</NAME><VALUE>call +49 30 1234567</VALUE></ATTR></ATTR_LIST></STEINBERG></BWFXML>`
	for name, c := range map[string]struct {
		file   []byte
		check  func(meta.Tags) string
		want   string
		fields []string // that must be among the fields
	}{
		"bext and iXML": {
			file: wav(riffChunk(le, "bext", bext("sSPEED=024.000-ND\r\nsTAKE=03", "Field Recorder", "USID1234567890")), riffChunk(le, "iXML", ixml)),
			check: func(t meta.Tags) string {
				return t.Title + "|" + t.Description + "|" + t.Date + "|" + t.Category + "|" + strings.Join(t.Keywords, "+")
			},
			want: "Door Slam|Old oak door|2024-05-06|fx-o|door+wood+slam",
			fields: []string{
				"bext:Description=sSPEED=024.000-ND\nsTAKE=03", "!bext:Originator=Field Recorder", "!bext:OriginatorReference=USID1234567890", "bext:OriginationDate=2024-05-06",
				"bext:OriginationTime=12:34:56", "!bext:UMID=" + strings.Repeat("07", 64), "bext:CodingHistory=A=PCM,F=48000,W=24,M=stereo",
				"ixml:NOTE=windy & cold", "!ixml:LOCATION/LOCATION_GPS=47.756787, -123.729977", "!ixml:USER/RECORDIST=Jane Doe", "!ixml:STEINBERG/MediaComment=call +49 30 1234567",
			},
		},
		"short bext": {
			file:   wav(riffChunk(le, "bext", "A short one"), ""),
			check:  func(t meta.Tags) string { return t.Description },
			want:   "A short one",
			fields: []string{"bext:Description=A short one"},
		},
		"INFO in Windows-1252": {
			file:   wav("", riffChunk(le, "LIST", "INFO"+riffChunk(le, "INAM", "Caf\xe9\x00")+riffChunk(le, "IENG", "Bob")+riffChunk(le, "ICRD", "2020-02-03")+riffChunk(le, "ICMT", "write to bob@example.org"))),
			check:  func(t meta.Tags) string { return t.Title + "|" + t.Date },
			want:   "Café|2020-02-03",
			fields: []string{"info:INAM=Café", "!info:IENG=Bob", "info:ICRD=2020-02-03", "!info:ICMT=write to bob@example.org"},
		},
		"odd chunks without padding": {
			file:   wav("", bareChunk("odd ", "1")+bareChunk("LIST", "INFO"+bareChunk("INAM", "Oak")+bareChunk("IART", "Ann"))+bareChunk("iXML", "<BWFXML><NOTE>dry</NOTE></BWFXML> ")),
			check:  func(t meta.Tags) string { return t.Title + "|" + t.Artist },
			want:   "Oak|Ann",
			fields: []string{"info:INAM=Oak", "!info:IART=Ann", "ixml:NOTE=dry"},
		},
		"ID3 in WAV": {
			file:   wav("", riffChunk(le, "id3 ", id3(3, "", "TIT2", "Rain", "TPE1", "Ann", "TBPM", "120", "TKEY", "Am"))),
			check:  func(t meta.Tags) string { return t.Title + "|" + t.Artist + "|" + t.BPM + "|" + t.Key },
			want:   "Rain|Ann|120|Am",
			fields: []string{"id3v2:TIT2=Rain", "!id3v2:TPE1=Ann"},
		},
		"unknown chunk": {
			file: wav("", riffChunk(le, "XyZ ", "12345")), check: func(t meta.Tags) string { return "" },
			fields: []string{"!riff:XyZ=chunk, 5 bytes"},
		},
		"AIFF texts": {
			file: aiff(riffChunk(binary.BigEndian, "NAME", "Bell") + riffChunk(binary.BigEndian, "AUTH", "Ann") + riffChunk(binary.BigEndian, "(c) ", "2020 Ann") +
				riffChunk(binary.BigEndian, "ANNO", "in a tower") + riffChunk(binary.BigEndian, "ID3 ", id3(2, "", "TAL", "Towers"))),
			check: func(t meta.Tags) string {
				return t.Title + "|" + t.Artist + "|" + t.Copyright + "|" + t.Description + "|" + t.Album
			},
			want:   "Bell|Ann|2020 Ann|in a tower|Towers",
			fields: []string{"!aiff:AUTH=Ann", "!aiff:(c)=2020 Ann"},
		},
		"ID3v2.4, v1 and APE": {
			file: []byte(id3(4, id3Frame(4, "COMM", "\x03engremark\x00a comment")+id3Frame(4, "TXXX", "\x03latitude\x0048.1")+id3Frame(4, "APIC", "\x00image/png\x00\x03\x00PNG"), "TIT2", "Ståhl\x00second", "TCON", "(26)") +
				strings.Repeat(mp3Frame, mp3Frames) + ape("Artist", "Ann", "Genre", "Noise") + id3v1("Old", "Ann", "", "1999", "")),
			check: func(t meta.Tags) string {
				return t.Title + "|" + t.Genre + "|" + t.Artist + "|" + t.Date + "|" + t.Description
			},
			want: "Ståhl; second|Ambient|Ann|1999|",
			fields: []string{"id3v2:COMM:remark=a comment", "!id3v2:latitude=48.1", "!id3v2:APIC=picture, 16 bytes", "!ape:Artist=Ann", "ape:Genre=Noise",
				"id3v1:Title=Old", "!id3v1:Artist=Ann", "id3v1:Year=1999", "id3v1:Genre=Ambient"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tags := read(t, c.file)
			if got := c.check(tags); got != c.want {
				t.Errorf("tags %q, want %q", got, c.want)
			}
			all := flat(tags)
			for _, f := range c.fields {
				if !has(all, f) {
					t.Errorf("no field %q in\n%s", f, strings.Join(all, "\n"))
				}
			}
		})
	}
}

func has(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func id3v1(title, artist, album, year, comment string) string {
	return "TAG" + pad(title, 30) + pad(artist, 30) + pad(album, 30) + pad(year, 4) + pad(comment, 30) + "\x1a"
}

func ape(pairs ...string) string {
	items := ""
	for i := 0; i < len(pairs); i += 2 {
		items += string(binary.LittleEndian.AppendUint32(nil, uint32(len(pairs[i+1])))) + "\x00\x00\x00\x00" + pairs[i] + "\x00" + pairs[i+1]
	}
	foot := func(flags string) string {
		return "APETAGEX\xd0\x07\x00\x00" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(items)+32))) + string(binary.LittleEndian.AppendUint32(nil, uint32(len(pairs)/2))) + flags + strings.Repeat("\x00", 8)
	}
	return foot("\x00\x00\x00\xa0") + items + foot("\x00\x00\x00\x80")
}

// TestHostileTags reads tags that lie about their sizes, or whose text wants to do harm.
func TestHostileTags(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	deep := "<BWFXML>" + strings.Repeat("<A>", 5000) + "x"
	bomb := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><BWFXML><NOTE>&b;&b;</NOTE></BWFXML>`
	evil := "<script>alert(1)</script>\u202egpj\x00\x1b[31m\r\nline"
	for name, file := range map[string][]byte{
		"entity bomb":               wav("", riffChunk(le, "iXML", bomb)),
		"deep iXML":                 wav("", riffChunk(le, "iXML", deep)),
		"broken UTF-8 in iXML":      wav("", riffChunk(le, "iXML", "<BWFXML><NOTE>\xff\xfe\xfd</NOTE></BWFXML>")),
		"2 MB of iXML":              wav("", riffChunk(le, "iXML", "<BWFXML><NOTE>"+strings.Repeat("x", 2<<20)+"</NOTE></BWFXML>")),
		"script, RTL, NUL in bext":  wav(riffChunk(le, "bext", bext(evil, evil[:28], "")), ""),
		"INFO larger than file":     append(wav("", ""), "LIST\xff\xff\xff\x7fINFOINAM\xff\xff\xff\x7fx"...),
		"500 MB picture declared":   []byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7fAPIC\x1d\xcd\x65\x00\x00\x00" + strings.Repeat(mp3Frame, 4)),
		"unsynchronized 2^28":       []byte("ID3\x03\x00\x80\x7f\x7f\x7f\x7fTIT2\x00\x00\x00\x05\x00\x00\x00abcd" + strings.Repeat("\xff\x00", 3000) + strings.Repeat(mp3Frame, 4)),
		"long title":                []byte(id3(4, "", "TIT2", strings.Repeat("é", 60000)) + strings.Repeat(mp3Frame, 5)),
		"APE that claims the world": []byte(strings.Repeat(mp3Frame, 5) + "APETAGEX\xd0\x07\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"2^32-1 FLAC comments":      flacFile("\x00\x00\x00\x00\xff\xff\xff\xff" + strings.Repeat("\x01\x00\x00\x00=", 5000)),
		"comment of 4 GB":           flacFile("\xff\xff\xff\xff\x00\x00\x00\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counting := &countingReader{r: bytes.NewReader(file)}
			tags, err := meta.Read(counting, int64(len(file)), detect(t, file))
			if err != nil {
				t.Fatal(err)
			}
			if counting.n > meta.MaxRead {
				t.Errorf("read %d bytes", counting.n)
			}
			checkFields(t, tags)
			if strings.Contains(name, "iXML") || name == "entity bomb" || strings.Contains(name, "omment") {
				if len(tags.Fields) != 1 || !tags.Fields[0].Personal {
					t.Errorf("want one field that cannot be read, got %q", flat(tags))
				}
			}
			if name == "script, RTL, NUL in bext" && tags.Description != "<script>alert(1)</script>gpj" {
				t.Errorf("description %q", tags.Description) // a fixed field ends at NUL; HTML is the page's to escape
			}
		})
	}
}

func checkFields(t *testing.T, tags meta.Tags) {
	t.Helper()
	for _, f := range tags.Fields {
		if n := utf8.RuneCountInString(f.Value); n > meta.MaxRunes || !utf8.ValidString(f.Value) || strings.ContainsAny(f.Value+f.Name, "\x00\x1b\r\u202e\ufeff") {
			t.Errorf("field %s:%q is not clean (%d runes)", f.Source, f.Name, n)
		}
		if f.Personal != (f.Why != "") {
			t.Errorf("field %s:%q: personal %v, but why %q", f.Source, f.Name, f.Personal, f.Why)
		}
	}
}

type countingReader struct {
	r *bytes.Reader
	n int64
}

func (c *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// flacFile is a STREAMINFO block, a comment block with the body given, and something like frames.
func flacFile(comments string) []byte {
	n := len(comments)
	return []byte("fLaC\x00\x00\x00\x22" + strings.Repeat("\x10", 34) + "\x84" + string([]byte{byte(n >> 16), byte(n >> 8), byte(n)}) + comments + "\xff\xf8" + sound)
}

func TestReadErrorOfSource(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	_, err := meta.Read(failing{broken}, 1000, sniff.Kind{Container: "wav", Codec: "pcm"})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestFromFileName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, title, tags, category string }{
		{"AMBForst_Morning Birdsong_JD_Spring2024.wav", "Morning Birdsong", "morning birdsong ambience", "ss-n"},
		{"AMBUrbn_City Square_JD_01.wav", "City Square", "city square ambience", "ss-u"},
		{"DOORWood-Old_Slam Heavy_ABC_Lib.wav", "Slam Heavy", "slam heavy doors", "fx-o"},
		{"VOXSing_Choir_X_Y.flac", "Choir", "choir voices", "m-si"},
		{"WOODLAND_birds.wav", "WOODLAND birds", "woodland birds", ""},
		{"12345__some_user__rain-on-tin.wav", "rain on tin", "rain tin", ""},
		{"03 - KickDrum.hard.aiff", "KickDrum.hard", "kick drum hard", ""},
		{"../../etc/passwd", "passwd", "passwd", ""},
		{`C:\Users\bob\Thunder_01.wav`, "Thunder 01", "thunder", ""},
		{"\u202egnp.wav\x00", "gnp", "gnp", ""},
		{"...", "", "", ""},
		{"", "", "", ""},
	} {
		title, tags, category := meta.FromFileName(c.name)
		if title != c.title || strings.Join(tags, " ") != c.tags || category != c.category {
			t.Errorf("%q: %q, %q, %q; want %q, %q, %q", c.name, title, tags, category, c.title, c.tags, c.category)
		}
	}
}

// tool answers the path of a program, or skips the test where it is missing (but not in CI).
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("SKIPPED: %s is not installed (Debian packages ffmpeg, flac, lame, vorbis-tools, opus-tools)", name)
	}
	return path
}

func TestStrip(t *testing.T) {
	t.Parallel()
	le, be := binary.LittleEndian, binary.BigEndian
	ixml := `<BWFXML><NOTE>keep me</NOTE><USER><RECORDIST><![CDATA[Jane]]></RECORDIST><FXNAME>Door</FXNAME></USER></BWFXML>`
	info := riffChunk(le, "LIST", "INFO"+riffChunk(le, "INAM", "Title")+riffChunk(le, "IART", "Jane")+riffChunk(le, "ISFT", "Editor"))
	rf64 := wav(riffChunk(le, "ds64", string(le.AppendUint64(le.AppendUint64(nil, 0), uint64(len(sound))))+pad("", 12)), info)
	copy(rf64, "RF64\xff\xff\xff\xff")
	vorbis := "\x03\x00\x00\x00lib\x03\x00\x00\x00\x0a\x00\x00\x00TITLE=Rain\x0b\x00\x00\x00ARTIST=Jane\x0a\x00\x00\x00BPM=100000"
	for name, file := range map[string][]byte{
		"wav": wav(riffChunk(le, "bext", bext("A door", "Jane", "USID1"))+riffChunk(le, "odd ", "12345"), riffChunk(le, "iXML", ixml)+info+
			riffChunk(le, "id3 ", id3(3, id3Frame(3, "APIC", "\x00image/png\x00\x03\x00JanePNG"), "TIT2", "Title", "TPE1", "Jane"))),
		"rf64":                rf64,
		"wav without padding": wav(bareChunk("odd ", "12345")+bareChunk("iXML", ixml), bareChunk("LIST", "INFO"+bareChunk("INAM", "Oak")+bareChunk("IART", "Jane "))),
		"aiff":                aiff(riffChunk(be, "NAME", "Bell") + riffChunk(be, "AUTH", "Jane") + riffChunk(be, "ID3 ", id3(4, "", "TPE1", "Jane", "TIT2", "Bell"))),
		"flac":                flacFile(vorbis),
		"mp3": []byte(id3(4, id3Frame(4, "APIC", "\x00image/png\x00\x03\x00Jane"), "TIT2", "Title", "TPE1", "Jane", "TBPM", "99") + strings.Repeat(mp3Frame, mp3Frames) +
			ape("Artist", "Jane", "Genre", "Noise") + id3v1("Title", "Jane", "Album", "1999", "")),
		"mp3 of nothing but a name": []byte(id3(3, "", "TPE1", "Jane") + strings.Repeat(mp3Frame, mp3Frames)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := read(t, file)
			out := strip(t, file)
			after := read(t, out)
			if bytes.Contains(out, []byte("Jane")) {
				t.Errorf("the name is still in the file: %q", flat(after))
			}
			var want []string
			for _, f := range flat(before) {
				if !strings.HasPrefix(f, "!") {
					want = append(want, f)
				}
			}
			if got := flat(after); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("fields\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if len(want) == len(before.Fields) {
				t.Error("the test has nothing to strip")
			}
			probe := sound
			if strings.HasPrefix(name, "mp3") {
				probe = strings.Repeat(mp3Frame, mp3Frames)
			}
			if !bytes.Contains(out, []byte(probe)) {
				t.Error("the sound changed")
			}
			if again := strip(t, out); !bytes.Equal(again, out) {
				t.Error("a second time changes the file again")
			}
		})
	}
}

func strip(t *testing.T, file []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	err := meta.Strip(&out, bytes.NewReader(file), int64(len(file)), detect(t, file), func(f meta.Field) bool { return !f.Personal })
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestStripReal strips files that real encoders made; ffmpeg must find the same sound in them and nothing to complain about.
func TestStripReal(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	dir := t.TempDir()
	source := filepath.Join(dir, "source.wav")
	run(t, ffmpeg, "-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=3:r=48000:a=0.3", "-ac", "2", source)
	picture := filepath.Join(dir, "p.png")
	run(t, ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc=size=300x300:duration=1:rate=1", "-frames:v", "1", picture)
	for name, args := range map[string][]string{
		"a.flac": {"flac", "-s", "--picture", picture, "-T", "TITLE=Rain", "-T", "ARTIST=Jane Roe", source, "-o"},
		"a.oga":  {"flac", "-s", "--ogg", "-T", "TITLE=Rain", "-T", "ARTIST=Jane Roe", source, "-o"},
		"a.mp3":  {"lame", "--quiet", "--id3v2-only", "--tt", "Rain", "--ta", "Jane Roe", "--ti", picture, source},
		"a.ogg":  {"oggenc", "-Q", "-t", "Rain", "-a", "Jane Roe", "-c", "LONG=" + strings.Repeat("x", 70000), source, "-o"},
		"a.opus": {"opusenc", "--quiet", "--title", "Rain", "--artist", "Jane Roe", "--picture", picture, source},
		"a.wav":  {ffmpeg, "-v", "error", "-i", source, "-metadata", "title=Rain", "-metadata", "artist=Jane Roe", "-write_bext", "1"},
		"a.m4a":  {ffmpeg, "-v", "error", "-i", source, "-i", picture, "-c:a", "aac", "-c:v", "copy", "-disposition:v", "attached_pic", "-metadata", "title=Rain", "-metadata", "artist=Jane Roe", "-metadata", "location=+47.1+008.5/"},
		"b.m4a":  {ffmpeg, "-v", "error", "-i", source, "-c:a", "aac", "-movflags", "+faststart", "-metadata", "title=Rain", "-metadata", "artist=Jane Roe"},
		"a.aiff": {ffmpeg, "-v", "error", "-i", source, "-metadata", "title=Rain", "-metadata", "artist=Jane Roe", "-write_id3v2", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tool(t, args[0])
			path := filepath.Join(dir, name)
			run(t, args[0], append(args[1:], path)...)
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			before := read(t, file)
			if before.Title != "Rain" || before.Artist != "Jane Roe" {
				t.Fatalf("title %q, artist %q in %q", before.Title, before.Artist, flat(before))
			}
			out := strip(t, file)
			after := read(t, out)
			if after.Title != "Rain" || after.Artist != "" || bytes.Contains(out, []byte("Jane Roe")) {
				t.Errorf("title %q, artist %q left", after.Title, after.Artist)
			}
			stripped := filepath.Join(dir, "stripped-"+name)
			if err := os.WriteFile(stripped, out, 0o600); err != nil {
				t.Fatal(err)
			}
			if a, b := run(t, ffmpeg, "-v", "error", "-i", path, "-map", "0:a", "-f", "md5", "-"), run(t, ffmpeg, "-v", "error", "-i", stripped, "-map", "0:a", "-f", "md5", "-"); a != b {
				t.Errorf("the sound changed: %s, was %s", b, a)
			}
			if strings.HasPrefix(name, "a.o") {
				chained := append(bytes.Clone(file), file...)
				err := meta.Strip(&bytes.Buffer{}, bytes.NewReader(chained), int64(len(chained)), detect(t, chained), func(f meta.Field) bool { return !f.Personal })
				if !errors.Is(err, meta.ErrCannotStrip) {
					t.Errorf("a chain, of which only the first part is known, was stripped: %v", err)
				}
			}
			if args[0] == "flac" {
				run(t, "flac", "-t", "-s", stripped)
			}
		})
	}
}

// TestMP4 reads what ffmpeg writes.
func TestMP4(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.m4a")
	run(t, tool(t, "ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-metadata", "title=Rain", "-metadata", "artist=Jane Roe", "-metadata", "comment=on tin", "-metadata", "date=2024", path)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tags := read(t, file)
	if tags.Title != "Rain" || tags.Artist != "Jane Roe" || tags.Description != "on tin" || tags.Date != "2024" || !has(flat(tags), "!mp4:©ART=Jane Roe") {
		t.Errorf("%+v", tags)
	}
}

// run answers everything a program prints; it must succeed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}

func FuzzRead(f *testing.F) {
	le := binary.LittleEndian
	f.Add(wav(riffChunk(le, "bext", bext("A door", "Jane", "USID1")), riffChunk(le, "iXML", "<BWFXML><A><B>x</B></A></BWFXML>")))
	f.Add(wav("", riffChunk(le, "LIST", "INFO"+riffChunk(le, "INAM", "Title"))+riffChunk(le, "id3 ", id3(3, "", "TIT2", "x"))))
	f.Add(aiff(riffChunk(binary.BigEndian, "COMT", "\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02hi")))
	f.Add(flacFile("\x00\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00A=b"))
	f.Add([]byte(id3(4, id3Frame(4, "COMM", "\x01eng\xff\xfea\x00\x00\x00\xff\xfeb\x00"), "TIT2", "x") + strings.Repeat(mp3Frame, 3) + ape("Artist", "x") + id3v1("a", "b", "c", "d", "e")))
	f.Add([]byte("\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00isomiso2\x00\x00\x00\x40moov\x00\x00\x00\x38udta\x00\x00\x00\x30ilst\x00\x00\x00\x28\xa9nam\x00\x00\x00\x20data\x00\x00\x00\x01\x00\x00\x00\x00Title of 16 byte"))
	f.Add([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x08OpusHeadOggS\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x17OpusTags\x00\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00A=b"))
	f.Fuzz(func(t *testing.T, file []byte) {
		k, err := sniff.Detect(file)
		if err != nil {
			return
		}
		tags, err := meta.Read(bytes.NewReader(file), int64(len(file)), k)
		if err != nil {
			t.Fatal(err)
		}
		checkFields(t, tags)
		var out bytes.Buffer
		err = meta.Strip(&out, bytes.NewReader(file), int64(len(file)), k, func(f meta.Field) bool { return !f.Personal })
		if err != nil && !errors.Is(err, meta.ErrCannotStrip) {
			t.Fatal(err)
		}
		if err == nil && out.Len() > len(file)+16<<10 {
			t.Fatalf("%d bytes became %d", len(file), out.Len())
		}
	})
}

func FuzzFileName(f *testing.F) {
	f.Add("AMBForst_Morning Birdsong_JD_Spring2024.wav")
	f.Add("12345__some_user__rain-on-tin.wav")
	f.Add("../\x00\xff..\\a.b")
	f.Fuzz(func(t *testing.T, name string) {
		title, tags, _ := meta.FromFileName(name)
		if utf8.RuneCountInString(title) > 200 || !utf8.ValidString(title) || strings.ContainsAny(title, "/\\\x00\n") || len(tags) > 15 {
			t.Errorf("%q gives %q, %q", name, title, tags)
		}
	})
}
