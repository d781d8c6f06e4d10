package demo

import (
	"bytes"
	"strings"
)

// copyright is a machine-readable debian/copyright (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
type copyright struct{ stanzas []stanza }

type stanza struct {
	files   []string // patterns: * is any text, also with slashes, ? one character
	holders string   // the Copyright field in one line
	license string   // the short name
	source  string   // the Source field, an extension some packages use
}

// parseCopyright reads the stanzas that name files. Lines that are no field are taken as going on with the last one, as
// writers of such files forget the indent.
func parseCopyright(data []byte) copyright {
	var c copyright
	var s stanza
	field := ""
	flush := func() {
		if len(s.files) > 0 {
			c.stanzas = append(c.stanzas, s)
		}
		s, field = stanza{}, ""
	}
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(string(line), "\r\n")
		if strings.TrimSpace(text) == "" {
			flush()
			continue
		}
		value := strings.TrimSpace(text)
		first := false
		if name, v, ok := strings.Cut(text, ":"); ok && name != "" && !strings.ContainsAny(name, " \t") && !strings.HasPrefix(v, "//") {
			field, value, first = strings.ToLower(name), strings.TrimSpace(v), true
		}
		switch field {
		case "files":
			s.files = append(s.files, strings.Fields(value)...)
		case "copyright":
			if value != "" && s.holders != "" {
				s.holders += "\n"
			}
			s.holders += value
		case "source":
			s.source = strings.TrimSpace(s.source + " " + value)
		case "license":
			if first {
				s.license = value
			}
		}
	}
	flush()
	return c
}

// of finds the stanza that holds for a path of the source: the last one that matches, as the format says.
func (c copyright) of(file string) (stanza, bool) {
	for i := len(c.stanzas) - 1; i >= 0; i-- {
		for _, p := range c.stanzas[i].files {
			if match(p, file) {
				return c.stanzas[i], true
			}
		}
	}
	return stanza{}, false
}

// match tells whether a pattern of the Files field fits a whole path. It takes time in the product of the lengths at most.
func match(pattern, name string) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// names lists the holders without years and addresses: "2008 Rutger Muller <r@example.org>" becomes "Rutger Muller".
func (s stanza) names() []string {
	var out []string
	for _, line := range strings.Split(s.holders, "\n") {
		line, _, _ = strings.Cut(line, "<")
		if strings.Contains(line, "://") { // an address that lost the name of its field
			continue
		}
		line = strings.TrimLeft(line, "0123456789-, ©")
		for _, n := range strings.Split(line, ",") {
			if n = strings.TrimSpace(n); n != "" {
				out = append(out, n)
			}
		}
	}
	return out
}
