package web

import "strings"

// Cell makes text safe for a spreadsheet: a cell that would begin a formula (= + - @, tab or line end, also behind spaces or
// in full width; OWASP "CSV Injection") gets an apostrophe before it, and control characters become spaces.
func Cell(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfeff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	first := strings.TrimLeft(text, " \u00a0\u200b\u3000")
	for _, sign := range []string{"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212"} {
		if strings.HasPrefix(first, sign) {
			return "'" + text
		}
	}
	return text
}
