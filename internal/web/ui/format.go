package ui

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Length writes how long a sound of a number of seconds is, as Clock does; below one second it says 0.05 s, for there 0:00.1 would be
// anything.
func Length(seconds float64) string { return At(seconds, seconds) }

// At writes a position in a sound that is `of` seconds long: as Clock does, and in a sound of less than a second with two decimals,
// 0.05 s, or three when it has less than 20 ms.
func At(seconds, of float64) string {
	if !(of > 0) || math.Round(of*100) >= 100 {
		return Clock(seconds)
	}
	decimals := 2
	if of < .02 {
		decimals = 3
	}
	return strconv.FormatFloat(max(seconds, 0), 'f', decimals, 64) + " s"
}

// Clock writes a length or position in seconds as 0:04.7 (tenths below ten minutes, whole seconds above): 0:04.7, 9:59.9,
// 12:04, 1:02:03. Negative and not-a-number count as zero.
func Clock(seconds float64) string {
	if !(seconds > 0) || math.IsInf(seconds, 0) {
		seconds = 0
	}
	tenths := int64(math.Round(seconds * 10))
	if tenths >= 6000 {
		s := int64(math.Round(seconds))
		if s >= 3600 {
			return strconv.FormatInt(s/3600, 10) + ":" + two(s/60%60) + ":" + two(s%60)
		}
		return strconv.FormatInt(s/60, 10) + ":" + two(s%60)
	}
	return strconv.FormatInt(tenths/600, 10) + ":" + two(tenths/10%60) + "." + strconv.FormatInt(tenths%10, 10)
}

func two(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// ISOSeconds writes a length as an ISO 8601 duration for <time datetime> and JSON-LD: PT4.7S; below a second to the millisecond.
func ISOSeconds(seconds float64) string {
	if !(seconds > 0) || math.IsInf(seconds, 0) {
		seconds = 0
	}
	parts := 10.0
	if seconds < 1 {
		parts = 1000
	}
	return "PT" + strconv.FormatFloat(math.Round(seconds*parts)/parts, 'f', -1, 64) + "S"
}

// Bytes writes a size in decimal units with one digit below ten: 812 B, 4.2 MB, 38 MB, 1.9 GB.
func Bytes(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(max(n, 0), 10) + " B"
	}
	v, unit := float64(n), 0
	for v >= 999.5 && unit < 5 {
		v /= 1000
		unit++
	}
	digits := 0
	if v < 9.95 {
		digits = 1
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', digits, 64), ".0") + " " + []string{"B", "kB", "MB", "GB", "TB", "PB"}[unit]
}

// Count writes a whole number with commas: 48,210.
func Count(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Plural writes a count with its noun: "1 sound", "412 sounds".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Date writes Unix microseconds as a day in UTC: 23 November 2026.
func Date(at int64) string { return time.UnixMicro(at).UTC().Format("2 January 2006") }

// ShortDate writes Unix microseconds as a day in UTC: 23 Nov 2026.
func ShortDate(at int64) string { return time.UnixMicro(at).UTC().Format("2 Jan 2006") }

// DateTime writes Unix microseconds as a minute in UTC: 23 Nov 2026, 15:04 UTC.
func DateTime(at int64) string { return time.UnixMicro(at).UTC().Format("2 Jan 2006, 15:04 UTC") }

// machine writes Unix microseconds for <time datetime>.
func machine(at int64) string { return time.UnixMicro(at).UTC().Format(time.RFC3339) }

// Initials takes up to two letters of a name: "Mara Lind" → ML, "fieldnote" → F. A name without letters gives "?".
func Initials(name string) string {
	var out []rune
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		r, _ := utf8.DecodeRuneInString(word)
		if out = append(out, unicode.ToUpper(r)); len(out) == 2 {
			break
		}
	}
	if len(out) == 0 {
		return "?"
	}
	return string(out)
}

// CellName is the form field name of one cell of the describe sheet: column "title" of recording 48113 is "title.48113". The
// columns are title, description, tags, category, pack, license, price, rights and ai.
func CellName(id int64, column string) string { return column + "." + strconv.FormatInt(id, 10) }

func itoa(n int) string { return strconv.Itoa(n) }

func id64(n int64) string { return strconv.FormatInt(n, 10) }

func decimal(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
