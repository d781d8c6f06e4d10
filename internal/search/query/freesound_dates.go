package query

import (
	"strconv"
	"strings"
	"time"
)

// instant reads an ISO instant or date, or NOW, followed by Solr's date arithmetic: +1YEAR, -6MONTHS, /DAY.
func instant(s string, now time.Time) (time.Time, bool) {
	t, rest := now, ""
	if after, ok := strings.CutPrefix(s, "NOW"); ok {
		rest = after
	} else {
		end := len(s)
		if i := strings.IndexByte(s, 'Z'); i >= 0 {
			end = i + 1
		}
		rest = s[end:]
		var err error
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
			if t, err = time.Parse(layout, s[:end]); err == nil {
				break
			}
		}
		if err != nil {
			return t, false
		}
		t = t.UTC()
	}
	for steps := 0; rest != ""; steps++ {
		sign := rest[0]
		i := 1
		for i < len(rest) && strings.IndexByte("+-/", rest[i]) < 0 {
			i++
		}
		step := rest[1:i]
		rest = rest[i:]
		digits := len(step) - len(strings.TrimLeft(step, "0123456789"))
		unit := strings.TrimSuffix(step[digits:], "S")
		if steps > 20 || digits > 6 || (sign == '/') != (digits == 0) {
			return t, false
		}
		n, _ := strconv.Atoi(step[:digits]) // digits only, checked
		if sign == '-' {
			n = -n
		}
		var ok bool
		if sign == '/' {
			t, ok = roundDown(t, unit)
		} else if sign == '+' || sign == '-' {
			t, ok = move(t, n, unit)
		}
		if !ok || t.Year() < 1 || t.Year() > 9999 {
			return t, false
		}
	}
	return t, true
}

func move(t time.Time, n int, unit string) (time.Time, bool) {
	switch unit {
	case "YEAR":
		return t.AddDate(n, 0, 0), true
	case "MONTH":
		return t.AddDate(0, n, 0), true
	case "WEEK":
		return t.AddDate(0, 0, 7*n), true
	case "DAY":
		return t.AddDate(0, 0, n), true
	case "HOUR":
		return t.Add(time.Duration(n) * time.Hour), true
	case "MINUTE":
		return t.Add(time.Duration(n) * time.Minute), true
	case "SECOND":
		return t.Add(time.Duration(n) * time.Second), true
	}
	return t, false
}

func roundDown(t time.Time, unit string) (time.Time, bool) {
	y, m, d := t.Date()
	switch unit {
	case "YEAR":
		return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), true
	case "MONTH":
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), true
	case "DAY":
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), true
	case "HOUR":
		return t.Truncate(time.Hour), true
	case "MINUTE":
		return t.Truncate(time.Minute), true
	case "SECOND":
		return t.Truncate(time.Second), true
	}
	return t, false
}
