package demo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unpack writes a made-up package; the bytes of a sound are its path unless given.
func unpack(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for file, text := range files {
		path := filepath.Join(root, name, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if text == "" {
			text = file
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// read reads the made-up package and gives its sounds by the base name of their files.
func read(t *testing.T, name, root string) (Collection, map[string]Sound) {
	t.Helper()
	i := slices.IndexFunc(Packages(), func(p Package) bool { return p.Name == name })
	c, err := Packages()[i].Read(root)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Sound{}
	for _, s := range c.Sounds {
		out[filepath.Base(s.File)] = s
		if len(s.Tags) < 3 || s.Category == "" || s.Pack == "" || s.Credit == "" || c.Packs[s.Pack] == "" {
			t.Errorf("%s is described by halves: %+v", s.File, s)
		}
	}
	return c, out
}

func TestSonicPi(t *testing.T) {
	const at = "usr/share/sonic-pi/samples/"
	root := unpack(t, "sonic-pi-samples", map[string]string{
		"usr/share/doc/sonic-pi-samples/copyright": "Files: *\nCopyright: 2016 Samuel Aaron <s@example.org>\nLicense: MIT\n\n" +
			"Files: etc/samples/bass_voxy_c.flac\nCopyright: 2012 somebody\nSource: http://sounds.example/9/\nLicense: CC0\n\n" +
			"Files: etc/samples/elec_blip2.flac\nCopyright: 2012 nobody\nLicense: GPL-2+\n",
		at + "README.md":        "* `:perc_bell_2`- https://freesound.example/people/hul%20lum/sounds/4/\n",
		at + "bass_voxy_c.flac": "", at + "perc_bell2.flac": "", at + "elec_blip2.flac": "", at + "unheard_of.flac": "",
	})
	c, got := read(t, "sonic-pi-samples", root)
	if s := got["bass_voxy_c.flac"]; s.Title != "Voxy bass in C" || s.License != "cc0" || s.Credit != "somebody" || s.Source != "http://sounds.example/9/" {
		t.Errorf("a sample with a stanza of its own: %+v", s)
	}
	if s := got["perc_bell2.flac"]; s.License != "mit" || s.Credit != "hul lum; Samuel Aaron (Sonic Pi)" || !strings.Contains(s.Description, "stricter") {
		t.Errorf("a sample that two papers disagree about: %+v", s)
	}
	if want := []string{"samples/elec_blip2.flac", "samples/unheard_of.flac"}; !slices.Equal(c.LeftOut, want) {
		t.Errorf("left out %q, want %q: one has a license without a model, one is unknown", c.LeftOut, want)
	}
}

func TestMinetest(t *testing.T) {
	const mods = "usr/share/games/minetest/games/minetest_game/mods/"
	root := unpack(t, "minetest-data", map[string]string{
		"usr/share/doc/minetest-data/copyright": "Files: *.ogg\nCopyright: many\nLicense: CC-BY-SA-3.0\n\nFiles: mtg/mods/carts/*\nLicense: Expat\n",
		mods + "default/README.txt": "Ryding (CC0 1.0):\nhttp://freesound.org/people/Ryding/sounds/94337/\n  default_snow_footstep.*.ogg\n\n" +
			"Erdie (CC BY 4.0):\nhttps://freesound.org/people/Erdie/sounds/41579/\n  default_hard_footstep.*.ogg\n",
		mods + "default/sounds/default_snow_footstep.2.ogg": "",
		mods + "default/sounds/default_hard_footstep.1.ogg": "", // its README says another thing than it used to
		mods + "default/sounds/default_dig_choppy.1.ogg":    "", // its README says nothing any more
		mods + "carts/sounds/carts_cart_moving.1.ogg":       "same",
		mods + "carts/sounds/carts_cart_moving.2.ogg":       "same",
	})
	c, got := read(t, "minetest-data", root)
	if s := got["default_snow_footstep.2.ogg"]; s.Title != "Footstep on snow 2" || s.License != "cc0" || s.Credit != "Ryding" {
		t.Errorf("a sound of which the README speaks: %+v", s)
	}
	if s := got["carts_cart_moving.1.ogg"]; s.License != "mit" {
		t.Errorf("a sound of which only the copyright file speaks: %+v", s)
	}
	if len(c.LeftOut) != 2 || len(c.Repeated) != 1 || len(got) != 2 {
		t.Errorf("%d sounds, left out %q, repeated %q", len(got), c.LeftOut, c.Repeated)
	}
}

func TestMars(t *testing.T) {
	const at = "usr/share/games/marsshooter/audio/"
	root := unpack(t, "marsshooter-data", map[string]string{
		"usr/share/doc/marsshooter-data/copyright": "Files: data/*\nCopyright: 2009, Mike\n           2010, Simon, Felix <f@example.org>\nLicense: CC-BY-3.0\n\n" +
			"Files: data/audio/music/*\nCopyright: 2011, Obsidian\nLicense: CC-BY-SA-3.0\n\nFiles: data/audio/toon/*\nLicense: public-domain\n",
		at + "music/06_-_Elveszett_Lelkek.ogg": "", at + "music/09_wings_of_cruelty.ogg": "", at + "toon/noFuel.wav": "", at + "interface/tab.wav": "", at + "toon/other.wav": "",
	})
	c, got := read(t, "marsshooter-data", root)
	for file, want := range map[string][3]string{
		"06_-_Elveszett_Lelkek.ogg": {"Elveszett Lelkek", "cc-by-sa-3.0", "Obsidian"}, "09_wings_of_cruelty.ogg": {"Wings of Cruelty", "cc-by-sa-3.0", "Obsidian"},
		"noFuel.wav": {"Out of fuel", "public-domain", "unnamed author, M.A.R.S."}, "tab.wav": {"Interface tab", "cc-by-3.0", "Mike, Simon, Felix"},
	} {
		if s := got[file]; [3]string{s.Title, s.License, s.Credit} != want {
			t.Errorf("%s: %+v, want %q", file, s, want)
		}
	}
	if len(c.LeftOut) != 1 {
		t.Errorf("left out %q", c.LeftOut)
	}
	if n := c.Licenses()["cc-by-sa-3.0"]; n != 2 {
		t.Errorf("%d pieces of music", n)
	}
	if lines := strings.Count(string(c.CSV()), "\n"); lines != 5 {
		t.Errorf("a table of %d lines, want a head and 4", lines)
	}
}

func TestMissingPackage(t *testing.T) {
	for _, p := range Packages() {
		if _, err := p.Read(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
