package demo

import (
	"slices"
	"strings"
	"testing"
)

const paper = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Files-Excluded:
 secret/*

Files: *
Copyright: 2016 Ann Example <ann@example.org>
License: MIT

Files:
 audio/music/*
 audio/menu.og?
Copyright: 2011-2012, Bo Beat,
           2015, Cy Chord
License: CC-BY-SA-3.0

Files: audio/music/free.ogg
Copyright: 2014 Dee
http://sounds.example/dee/7/
License: CC0
 The text of the license.

License: MIT
 Permission is granted …
`

func TestCopyright(t *testing.T) {
	c := parseCopyright([]byte(paper))
	for _, want := range []struct{ file, license, names string }{
		{"readme", "MIT", "Ann Example"},
		{"audio/music/deep/a.ogg", "CC-BY-SA-3.0", "Bo Beat, Cy Chord"},
		{"audio/menu.ogg", "CC-BY-SA-3.0", "Bo Beat, Cy Chord"},
		{"audio/menu.oggs", "MIT", "Ann Example"},
		{"audio/music/free.ogg", "CC0", "Dee"},
	} {
		s, ok := c.of(want.file)
		if !ok || s.license != want.license || strings.Join(s.names(), ", ") != want.names {
			t.Errorf("%s: %v %q by %q, want %q by %q", want.file, ok, s.license, s.names(), want.license, want.names)
		}
	}
	if _, ok := parseCopyright([]byte("Files: a/*\nLicense: MIT\n")).of("b/c"); ok {
		t.Error("a file that no stanza names has a license")
	}
}

func TestCode(t *testing.T) {
	for name, want := range map[string]string{"CC0": "cc0", "CC0-1.0": "cc0", "Expat": "mit", "CC-BY-SA-3.0": "cc-by-sa-3.0", "public-domain": "public-domain",
		"GPL-2+": "", "CC-BY-NC-3.0": "", "": ""} {
		if got := code(name); got != want {
			t.Errorf("license %q became %q, want %q", name, got, want)
		}
	}
}

// FuzzCopyright feeds any bytes: every stanza names files, and its own literal names match it or a later one.
func FuzzCopyright(f *testing.F) {
	f.Add([]byte(paper))
	f.Add([]byte("Files:\n\nFiles: a\nFiles: *\n License: x\n:"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := parseCopyright(data)
		for _, s := range c.stanzas {
			if len(s.files) == 0 {
				t.Fatal("a stanza without files")
			}
			for _, n := range s.names() {
				if strings.TrimSpace(n) == "" {
					t.Fatalf("an empty name in %q", s.holders)
				}
			}
			if i := slices.IndexFunc(s.files, func(p string) bool { return !strings.ContainsAny(p, "*?") }); i >= 0 {
				if _, ok := c.of(s.files[i]); !ok {
					t.Fatalf("%q does not match itself", s.files[i])
				}
			}
		}
	})
}
