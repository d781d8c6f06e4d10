package query

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// PriceLow is the highest price, in minor units, of the price band "low": three units of a currency that has so many minor ones each
// (the picture's "Up to $3"), and 300 of one that has none, whose units are small.
func PriceLow(minorUnits int64) int64 { return max(3*minorUnits, 300) }

// ToneClass is the brightness of a sound from its spectral centroid in Hz: eight steps of log2 from 350 Hz to 7 kHz, 0 the
// darkest, -1 when the centroid is not known. The tone ramp of rows, waveforms and spectrograms uses the same steps.
func ToneClass(centroidHz float64) int {
	if !(centroidHz > 0) || math.IsInf(centroidHz, 1) {
		return -1
	}
	k := math.Floor(8 * math.Log2(centroidHz/350) / math.Log2(7000.0/350))
	return int(min(max(k, 0), 7))
}

// PriceBand is "free", "low" (up to PriceLow) or "high"; "" for what has no price, for nothing is offered of it now.
func PriceBand(free bool, minor, minorUnits int64) string {
	switch {
	case free:
		return "free"
	case minor < 0:
		return ""
	case minor <= PriceLow(minorUnits):
		return "low"
	}
	return "high"
}

// Keys lists the 24 keys in the order of the keyboard, each major before its minor: "C", "Cm", "C#", … "Bm".
func Keys() []string {
	var keys []string
	for _, note := range []string{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"} {
		keys = append(keys, note, note+"m")
	}
	return keys
}

// CanonicalKey reads a key as people and programs write it ("Am", "A minor", "Bb min", "C♯", "f# maj") and gives it as Keys
// does; "" when it is none.
func CanonicalKey(s string) string {
	s = strings.NewReplacer("♯", "#", "♭", "b", "-", " ", "_", " ").Replace(strings.TrimSpace(s))
	if s == "" {
		return ""
	}
	semitone, ok := map[byte]int{'c': 0, 'd': 2, 'e': 4, 'f': 5, 'g': 7, 'a': 9, 'b': 11}[s[0]|0x20]
	if !ok {
		return ""
	}
	rest := s[1:]
	switch {
	case strings.HasPrefix(rest, "#"):
		semitone, rest = semitone+1, rest[1:]
	case strings.HasPrefix(strings.ToLower(rest), "sharp"):
		semitone, rest = semitone+1, rest[5:]
	case strings.HasPrefix(rest, "b"):
		semitone, rest = semitone+11, rest[1:]
	}
	minor := 0
	switch rest = strings.TrimSpace(rest); {
	case rest == "", rest == "M", strings.EqualFold(rest, "maj"), strings.EqualFold(rest, "major"):
	case rest == "m", strings.EqualFold(rest, "min"), strings.EqualFold(rest, "minor"):
		minor = 1
	default:
		return ""
	}
	return Keys()[semitone%12*2+minor]
}

// TagKey is the form in which tags are compared: Fold, with hyphens for blanks and underscores.
func TagKey(s string) string {
	return strings.Join(strings.FieldsFunc(Fold(s), func(r rune) bool { return r == ' ' || r == '_' || r == '\t' || r == '\n' }), "-")
}

// LicenseFamily is a license code less its version: "cc-by" for "cc-by-4.0"; the code itself when it has none.
func LicenseFamily(code string) string {
	i := strings.LastIndexByte(code, '-')
	if i < 0 || i+1 == len(code) {
		return code
	}
	for _, r := range code[i+1:] {
		if (r < '0' || r > '9') && r != '.' {
			return code
		}
	}
	return code[:i]
}

// NameKey is the form in which names of people and packs are compared: Fold, without blanks around it, which folding can bring (´ is a blank
// with an accent).
func NameKey(s string) string { return strings.TrimSpace(Fold(s)) }

// Canonical is value as field compares it; ok is false when field cannot have it.
func Canonical(field Field, value string) (canonical string, ok bool) {
	value = strings.TrimSpace(value)
	switch field {
	case Tag:
		value = TagKey(value)
	case Category, License, Type:
		value = strings.ToLower(value)
	case By, Pack:
		value = NameKey(value)
	case Key:
		value = CanonicalKey(value)
	case Price:
		if value = strings.ToLower(value); value != "free" && value != "low" && value != "high" {
			return "", false
		}
	case Loop:
		switch strings.ToLower(value) {
		case "yes", "true", "1":
			value = "yes"
		case "no", "false", "0":
			value = "no"
		default:
			return "", false
		}
	case ID, ByID, PackID, Channels, Rate, Depth, Brightness, Year:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 || (field == Brightness && n > 7) {
			return "", false
		}
		value = strconv.FormatInt(n, 10)
	default:
		return "", false
	}
	return value, value != "" && len(value) <= 200
}

// number reads one end of a range: a plain number (a unit such as s, ms, k or bpm may follow), a date for Published, "*" or ""
// for an open end.
func number(field Field, s string, whenOpen float64) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || s == "*" {
		return whenOpen, true
	}
	if field == Published {
		for _, layout := range []string{time.RFC3339, "2006-01-02", "2006-01", "2006"} {
			if t, err := time.Parse(layout, s); err == nil {
				if math.IsInf(whenOpen, 1) { // the end of that day, month or year
					switch layout {
					case "2006-01-02":
						t = t.AddDate(0, 0, 1).Add(-time.Microsecond)
					case "2006-01":
						t = t.AddDate(0, 1, 0).Add(-time.Microsecond)
					case "2006":
						t = t.AddDate(1, 0, 0).Add(-time.Microsecond)
					}
				}
				return float64(t.UnixMicro()), true
			}
		}
		return 0, false
	}
	lower, scale := strings.ToLower(s), 1.0
	for _, unit := range []struct {
		suffix string
		scale  float64
		field  Field
	}{{"ms", .001, Length}, {"sec", 1, Length}, {"min", 60, Length}, {"s", 1, Length}, {"m", 60, Length}, {"bpm", 1, Tempo},
		{"lufs", 1, Loudness}, {"khz", 1000, Centroid}, {"hz", 1, Centroid}} {
		if unit.field == field && strings.HasSuffix(lower, unit.suffix) {
			lower, scale = strings.TrimSuffix(lower, unit.suffix), unit.scale
			break
		}
	}
	v, err := strconv.ParseFloat(lower, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || strings.ContainsAny(lower, "xXpP_") {
		return 0, false
	}
	return v * scale, true
}

// span reads "1..20", "[1 TO 20]", "<5", ">=2" or a single number. Both ends belong to it.
func span(field Field, s string) (low, high float64, ok bool) {
	low, high = open()
	a, b, found := "", "", false
	strict := (strings.HasPrefix(s, "<") || strings.HasPrefix(s, ">")) && !strings.HasPrefix(s[1:], "=") && field != Published
	switch {
	case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
		a, b, found = strings.Cut(s[1:len(s)-1], " TO ")
		if !found {
			return 0, 0, false
		}
	case strings.HasPrefix(s, "<"):
		b, found = strings.TrimPrefix(s[1:], "="), true
	case strings.HasPrefix(s, ">"):
		a, found = strings.TrimPrefix(s[1:], "="), true
	default:
		if a, b, found = strings.Cut(s, ".."); !found {
			a, b = s, s
		}
	}
	if !found && strings.TrimSpace(s) == "" {
		return 0, 0, false
	}
	if low, ok = number(field, a, low); !ok {
		return 0, 0, false
	}
	if high, ok = number(field, b, high); !ok {
		return 0, 0, false
	}
	if strict && !math.IsInf(low, 0) {
		low = beyond(field, low, 1)
	}
	if strict && !math.IsInf(high, 0) {
		high = beyond(field, high, -1)
	}
	if !found && field == Tempo { // 120 bpm means what rounds to it
		low, high = low-.5, high+.5
	}
	return low, high, true
}
