package meta

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// clean makes text safe to keep and to show: valid UTF-8, lines ended by \n, no other control characters and none of the
// invisible characters that reverse text, trimmed, at most limit runes.
func clean(s string, limit int) string {
	if len(s) > limit*4 {
		s = s[:limit*4]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0xfeff, r >= 0xfff0 && r < 0xfffd, r >= 0xe0000 && r < 0xe0080:
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > limit {
		s = strings.TrimSpace(string([]rune(s)[:limit]))
	}
	return s
}

// guess decodes bytes of unknown encoding: UTF-16 with a byte-order mark, UTF-8 when valid, else Windows-1252.
func guess(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return utf16Text(b, false)
	case utf8.Valid(b):
		return string(b)
	}
	return latin1(b)
}

// windows1252 has the characters of 0x80 to 0x9f, where Windows differs from Latin-1.
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

func latin1(b []byte) string {
	high := []rune(windows1252)
	var s strings.Builder
	for _, c := range b {
		if c >= 0x80 && c < 0xa0 {
			s.WriteRune(high[c-0x80])
		} else {
			s.WriteRune(rune(c))
		}
	}
	return s.String()
}

// utf16Text decodes UTF-16; without a byte-order mark the caller says whether it is big-endian.
func utf16Text(b []byte, big bool) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		b, big = b[2:], false
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		b, big = b[2:], true
	}
	u := make([]uint16, len(b)/2)
	for i := range u {
		if big {
			u[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		} else {
			u[i] = uint16(b[2*i+1])<<8 | uint16(b[2*i])
		}
	}
	return string(utf16.Decode(u))
}

// upToNUL cuts a fixed field at its first zero byte.
func upToNUL(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// personalNames tell about a person by what they are for. Keys are source:name in lower case, or the last part of an iXML path.
var personalNames = func() map[string]string {
	m := map[string]string{}
	for why, list := range map[string]string{
		"Names who made the recording.": "id3v2:tpe1 id3v2:tpe2 id3v2:tpe3 id3v2:tpe4 id3v2:tcom id3v2:text id3v2:toly id3v2:tope id3v2:tipl id3v2:tmcl id3v2:ipls " +
			"id3v2:tp1 id3v2:tp2 id3v2:tp3 id3v2:tp4 id3v2:tcm id3v2:txt id3v2:tol id3v2:toa id3v2:ipl id3v2:mvin id3v1:artist ape:artist ape:composer ape:performer ape:conductor " +
			"vorbis:artist vorbis:performer vorbis:composer vorbis:author vorbis:lyricist vorbis:conductor vorbis:arranger vorbis:albumartist vorbis:ensemble vorbis:producer vorbis:engineer vorbis:mixer vorbis:remixer " +
			"info:iart info:ieng info:itch info:ipro info:icnm info:idst info:istr info:iwri info:iedt info:icms aiff:auth mp4:©art mp4:©wrt mp4:aart mp4:©aut mp4:©dir mp4:©prd " +
			"ixml:artist ixml:designer ixml:recordist ixml:engineer ixml:recengineer ixml:originator ixml:bwf_originator ixml:editor ixml:mixer ixml:producer ixml:composer ixml:director ixml:performer ixml:user ixml:author ixml:authorname ixml:talentname ixml:actor ixml:actorname ixml:writer ixml:sound_mixer ixml:sound_mixer_name ixml:show_mixer ixml:creator ixml:creatorid ixml:manufacturer " +
			"bext:originator",
		"Names who holds the rights; the site shows its own statement of them.": "id3v2:tcop id3v2:tcr id3v2:town id3v2:tpro id3v2:owne id3v2:own id3v2:tpub ape:copyright vorbis:copyright vorbis:organization vorbis:label info:icop aiff:(c) mp4:cprt ixml:copyright ixml:rightsowner",
		"Names the person or computer that encoded the file.":                   "id3v2:tenc id3v2:ten vorbis:encoded-by vorbis:encodedby vorbis:encoded_by mp4:©enc mp4:ownr mp4:apid mp4:purd mp4:akid ape:encodedby",
		"May say how to reach a person.":                                        "vorbis:contact vorbis:email vorbis:phone vorbis:address ixml:contact ixml:email ixml:phone ixml:address id3v2:woar id3v2:wors id3v2:wpub id3v2:war vorbis:website ixml:url info:iurl",
		"Tells where the recording was made.": "vorbis:location vorbis:gps vorbis:geo vorbis:latitude vorbis:longitude vorbis:geotag vorbis:recordinglocation info:iarl info:iloc info:igps mp4:©xyz mp4:loci mp4:locinfo ape:location " +
			"ixml:location_name ixml:location_gps ixml:location_altitude ixml:location_type ixml:location_time ixml:location ixml:gps ixml:latitude ixml:longitude ixml:altitude ixml:city ixml:place ixml:reclocation ixml:geotag",
		"May hold the serial number of a device.":    "bext:originatorreference ixml:bwf_originator_reference ixml:file_uid ixml:family_uid ixml:serial ixml:serial_number ixml:device_serial_number ixml:serialnumber vorbis:serial info:isrn",
		"May hold the hardware address of a device.": "bext:umid ixml:bwf_umid",
	} {
		for _, n := range strings.Split(list, " ") {
			m[n] = why
		}
	}
	m["ape:record location"] = "Tells where the recording was made."
	return m
}()

var (
	emailPattern  = regexp.MustCompile(`[\pL\pN._%+\-]+@[\pL\pN\-]+(\.[\pL\pN\-]+)+`)
	phonePattern  = regexp.MustCompile(`(?:\+|\b00|\(0|\b0|\b1[ .\-])[0-9 ()./\-]{7,}[0-9]`)
	gpsPattern    = regexp.MustCompile(`[+\-]?\d{1,2}\.\d{3,}°?\s*[NS]?\s*[,;/ ]?\s*[+\-]?\d{1,3}\.\d{3,}|\d{1,3}°\s*\d{1,2}['′]`)
	serialPattern = regexp.MustCompile(`(?i)\b(?:serial|s/n|sn)\s*(?:no|number|#)?[.:# =]+[A-Z0-9\-]{4,}`)
	datePattern   = regexp.MustCompile(`\b(?:\d{4}[-/.]\d{2}[-/.]\d{2}|\d{2}[-/.]\d{2}[-/.]\d{4})(?:[T ]?\d{2}[:.]\d{2}(?:[:.]\d{2})?)?`)
	pathPattern   = regexp.MustCompile(`(?i)(?:[a-z]:\\users\\|/users/|/home/)[^\\/\s]+`)
)

// personal decides whether a field tells something about a person, by its name, then by what its value looks like.
func personal(f Field) (bool, string) {
	n := strings.ToLower(f.Name)
	if f.Source == "ixml" {
		n = n[strings.LastIndexByte(n, '/')+1:]
	}
	if f.Source == "id3v2" || f.Source == "vorbis" {
		n, _, _ = strings.Cut(n, ":") // COMM:description
	}
	if f.Value == "" {
		return false, ""
	}
	if why, ok := personalNames[f.Source+":"+n]; ok {
		return true, why
	}
	if why := personalWords(strings.ToLower(f.Name)); why != "" {
		return true, why
	}
	switch v := f.Value; {
	case emailPattern.MatchString(v):
		return true, "Holds an e-mail address."
	case gpsPattern.MatchString(v):
		return true, "Looks like a place on the map."
	case serialPattern.MatchString(v):
		return true, "May hold the serial number of a device."
	case pathPattern.MatchString(v):
		return true, "Holds the name of a computer user."
	case phoneLike(v):
		return true, "Looks like a telephone number."
	}
	return false, ""
}

// personalWords looks for telling words in names that people and programs made up (TXXX, Vorbis comments, iXML).
func personalWords(name string) string {
	for _, w := range []struct{ word, why string }{
		{"gps", "Tells where the recording was made."}, {"latitude", "Tells where the recording was made."}, {"longitude", "Tells where the recording was made."},
		{"location", "Tells where the recording was made."}, {"geotag", "Tells where the recording was made."},
		{"mail", "Holds an e-mail address."}, {"phone", "Looks like a telephone number."}, {"serial", "May hold the serial number of a device."},
		{"recordist", "Names who made the recording."}, {"engineer", "Names who made the recording."}, {"artist", "Names who made the recording."}, {"author", "Names who made the recording."},
		{"originator", "Names who made the recording."}, {"owner", "Names who holds the rights; the site shows its own statement of them."},
	} {
		if strings.Contains(name, w.word) {
			return w.why
		}
	}
	return ""
}

// phoneLike wants 8 to 15 digits (ITU-T E.164) in the shape of a number to dial; dates and times do not count.
func phoneLike(v string) bool {
	if len(v) > 2000 {
		v = strings.ToValidUTF8(v[:2000], "")
	}
	for _, m := range phonePattern.FindAllString(datePattern.ReplaceAllString(v, " "), 20) {
		digits := 0
		for _, c := range m {
			if c >= '0' && c <= '9' {
				digits++
			}
		}
		separated := strings.ContainsAny(m, " ()/-") || m[0] == '+'
		if digits >= 8 && digits <= 15 && separated && !strings.Contains(m, "00000") && strings.Count(m, ".") < 2 {
			return true
		}
	}
	return false
}
