// Package demo knows three Debian packages of real recordings and turns each into a table that can be imported: file,
// title, description, tags, category, pack, license, credit and source of every sound.
//
// It holds no sound and fetches none: it reads unpacked packages (`dpkg-deb -x`). What a file may be used for comes from the
// package alone: its machine-readable copyright file, and for Minetest the README beside the sounds, which is more exact.
// Every sentence of a README on which a license here rests is looked up in the README first. A file whose license is not
// found that way is left out and named.
package demo

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sound is one file of a package and what its page says.
type Sound struct {
	File        string // path below the package's folder
	Title       string
	Description string
	Tags        []string
	Category    string // a code of the Broad Sound Taxonomy
	Pack        string
	License     string // the code of a license model
	Credit      string // who made it
	Source      string // where the package says it is from; may be empty
}

// Collection is a package as one contributor brings it in.
type Collection struct {
	Account, About, Website string
	Packs                   map[string]string // name and description
	Dir                     string            // the unpacked package
	Sounds                  []Sound
	LeftOut                 []string // sounds whose license could not be read
	Repeated                []string // sounds with the bytes of another one
}

// Package is a Debian package that the demo knows.
type Package struct {
	Name string
	read func(dir string) (Collection, error)
}

// Packages lists them.
func Packages() []Package {
	return []Package{{"sonic-pi-samples", sonicPi}, {"minetest-data", minetest}, {"marsshooter-data", mars}}
}

// Read reads the package that was unpacked into the folder of its name below root; an error that is fs.ErrNotExist says that it is not there.
func (p Package) Read(root string) (Collection, error) {
	dir := filepath.Join(root, p.Name)
	if _, err := os.Stat(dir); err != nil {
		return Collection{}, err
	}
	c, err := p.read(dir)
	if err != nil {
		return c, fmt.Errorf("read %s: %w", p.Name, err)
	}
	c.Dir = dir
	return c, nil
}

// CSV writes the table that `audiomicro import` takes. price is joined to each license that is paid; here none is.
func (c Collection) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"file", "title", "description", "tags", "category", "pack", "license", "credit", "source_url"})
	for _, s := range c.Sounds {
		w.Write([]string{s.File, s.Title, s.Description, strings.Join(s.Tags, ", "), s.Category, s.Pack, s.License, s.Credit, s.Source})
	}
	w.Flush()
	return b.Bytes()
}

// Licenses counts the sounds by license code.
func (c Collection) Licenses() map[string]int {
	out := map[string]int{}
	for _, s := range c.Sounds {
		out[s.License]++
	}
	return out
}

// code gives the license model for a license as packages name it; empty for one that the site has no model for.
func code(name string) string {
	switch strings.ToLower(strings.ReplaceAll(name, " ", "-")) {
	case "cc0", "cc0-1.0":
		return "cc0"
	case "mit", "expat":
		return "mit"
	case "cc-by-3.0":
		return "cc-by-3.0"
	case "cc-by-4.0":
		return "cc-by-4.0"
	case "cc-by-sa-3.0":
		return "cc-by-sa-3.0"
	case "cc-by-sa-4.0":
		return "cc-by-sa-4.0"
	case "public-domain":
		return "public-domain"
	}
	return ""
}

// sounds lists the files with one of the endings below dir, sorted, as slash paths below dir.
func sounds(dir string, endings ...string) ([]string, error) {
	var out []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains(endings, path.Ext(name)) {
			out = append(out, name)
		}
		return err
	})
	return out, err
}

// readCopyright reads a package's debian/copyright.
func readCopyright(dir, name string) (copyright, error) {
	data, err := os.ReadFile(filepath.Join(dir, "usr/share/doc", name, "copyright"))
	if err != nil {
		return copyright{}, err
	}
	return parseCopyright(data), nil
}

// upper makes the first letter a capital.
func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// tags joins lists of tags and the words of a title, without repeats, numbers and very short words.
func tags(title string, lists ...[]string) []string {
	var out []string
	add := func(t string) {
		if t = strings.ToLower(t); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, l := range lists {
		for _, t := range l {
			add(t)
		}
	}
	for _, w := range strings.FieldsFunc(title, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' }) {
		if utf8.RuneCountInString(w) > 2 && !slices.Contains([]string{"the", "and", "for", "with", "from"}, strings.ToLower(w)) {
			add(w)
		}
	}
	return out
}
