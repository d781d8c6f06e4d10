package demo

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// kind is a group of Sonic Pi's samples: the first word of the file's name.
type kind struct {
	pack, category string
	tags           []string
	title          func(words string) string
}

func before(lead string) func(string) string { return func(w string) string { return lead + " " + w } }
func after(tail string) func(string) string  { return func(w string) string { return w + " " + tail } }
func comma(lead string) func(string) string  { return func(w string) string { return lead + ", " + w } }
func alone(w string) string                  { return w }

func sonicKinds() map[string]kind {
	return map[string]kind{
		"ambi":     {"Ambient", "ss-s", []string{"ambient", "texture", "atmosphere"}, before("ambient")},
		"bass":     {"Bass notes", "is-e", []string{"bass", "synth", "one-shot"}, after("bass in C")},
		"bd":       {"Kicks", "is-p", []string{"kick", "bass-drum", "drum", "one-shot"}, comma("kick")},
		"drum":     {"Acoustic drum kit", "is-p", []string{"drum", "percussion", "one-shot"}, alone},
		"elec":     {"Electric sounds", "is-e", []string{"electronic", "blip", "one-shot"}, before("electric")},
		"glitch":   {"Glitch", "fx-ex", []string{"glitch", "digital", "noise"}, before("glitch")},
		"guit":     {"Guitar", "is-s", []string{"guitar", "electric-guitar", "string"}, before("guitar")},
		"loop":     {"Loops", "m-sp", []string{"loop", "beat", "rhythm"}, after("loop")},
		"mehackit": {"Mehackit", "fx-el", []string{"electronic", "mehackit", "design"}, before("Mehackit")},
		"misc":     {"Odds and ends", "fx-other", []string{"effect", "one-shot"}, alone},
		"perc":     {"Percussive things", "fx-o", []string{"percussion", "hit", "one-shot"}, alone},
		"sn":       {"Snares", "is-p", []string{"snare", "drum", "one-shot"}, comma("snare")},
		"tabla":    {"Tabla", "is-p", []string{"tabla", "drum", "india", "one-shot"}, before("tabla stroke")},
		"vinyl":    {"Vinyl", "fx-o", []string{"vinyl", "turntable", "record"}, before("vinyl")},
		"rand":     {"Odds and ends", "fx-el", []string{"noise", "random", "data"}, alone},
	}
}

// sonicTitles are the titles that the pattern of their kind would spoil, and sonicCategories the files that fall out of it.
func sonicTitles() map[string]string {
	return map[string]string{
		"ambi_dark_woosh": "Ambient dark whoosh", "bass_dnb_f": "Drum and bass tone in F", "bass_drop_c": "Bass drop in C", "bass_hit_c": "Bass hit in C",
		"bass_voxy_hit_c": "Voxy bass hit in C", "bass_hard_c": "Hard bass in C", "bass_thick_c": "Thick bass in C", "bass_trance_c": "Trance bass in C",
		"bass_voxy_c": "Voxy bass in C", "bass_woodsy_c": "Woodsy bass in C", "bd_boom": "Kick, boomy", "bd_ada": "Kick, Ada", "bd_mehackit": "Kick, Mehackit",
		"bd_sone": "Kick, Sone", "bd_zome": "Kick, Zome", "bd_tek": "Kick, techno", "bd_haus": "Kick, house", "bd_klub": "Kick, club",
		"drum_bass_hard": "Bass drum, hard", "drum_bass_soft": "Bass drum, soft", "drum_cymbal_closed": "Hi-hat, closed", "drum_cymbal_open": "Hi-hat, open",
		"drum_cymbal_pedal": "Hi-hat, pedal", "drum_cymbal_hard": "Cymbal, hard", "drum_cymbal_soft": "Cymbal, soft", "drum_roll": "Drum roll",
		"drum_snare_hard": "Snare, hard", "drum_snare_soft": "Snare, soft", "drum_splash_hard": "Splash cymbal, hard", "drum_splash_soft": "Splash cymbal, soft",
		"drum_tom_hi_hard": "High tom, hard", "drum_tom_hi_soft": "High tom, soft", "drum_tom_mid_hard": "Middle tom, hard", "drum_tom_mid_soft": "Middle tom, soft",
		"drum_tom_lo_hard": "Low tom, hard", "drum_tom_lo_soft": "Low tom, soft", "elec_filt_snare": "Electric filtered snare", "elec_hi_snare": "Electric high snare",
		"elec_lo_snare": "Electric low snare", "elec_mid_snare": "Electric middle snare", "glitch_bass_g": "Glitch bass in G", "guit_e_fifths": "Guitar, fifths on E",
		"guit_e_slide": "Guitar slide on E", "guit_em9": "Guitar chord, E minor ninth", "loop_3d_printer": "3D printer loop", "loop_amen": "Amen break loop",
		"loop_amen_full": "Amen break loop, full", "loop_drone_g_97": "Drone loop in G, 97 BPM", "misc_cineboom": "Cinematic boom", "perc_bell": "Bell, struck",
		"perc_bell2": "Bell, struck 2", "perc_door": "Door, closing hit", "perc_snap": "Finger snap", "perc_snap2": "Finger snap 2", "perc_till": "Cash register till",
		"sn_dolf": "Snare, Dolf", "sn_zome": "Snare, Zome", "tabla_na_o": "Tabla stroke na, open", "tabla_na_s": "Tabla stroke na, short", "tabla_te_m": "Tabla stroke te, muted",
		"rand-stream": "Stream of random numbers",
	}
}

func sonicCategories() map[string]string {
	return map[string]string{
		"ambi_choir": "is-other", "ambi_piano": "is-k", "ambi_sauna": "ss-i", "loop_drone_g_97": "m-other", "loop_3d_printer": "fx-m", "loop_electric": "m-other",
		"loop_compus": "m-other", "loop_garzul": "m-m", "loop_weirdo": "m-other", "loop_mika": "m-m", "misc_burp": "fx-h", "misc_cineboom": "fx-el", "misc_crow": "fx-a",
		"perc_bell": "is-p", "perc_bell2": "is-p", "perc_snap": "fx-h", "perc_snap2": "fx-h", "perc_swash": "fx-el", "perc_swoosh": "fx-el",
	}
}

var (
	number   = regexp.MustCompile(`([a-z])(\d+)$`)
	readLine = regexp.MustCompile("(?m)^\\* `:([a-z0-9_]+)` *- *(https?://\\S+)")
)

// sonicPi reads sonic-pi-samples. 130 files have a stanza of their own in the copyright file. The rest fall under its first,
// MIT, though the samples' README says CC0 of all of them: the stricter word is kept, and the README tells who recorded them.
func sonicPi(dir string) (Collection, error) {
	c := Collection{Account: "SonicPi", Website: "https://sonic-pi.net/",
		About: "The samples that come with Sonic Pi, the live coding program by Sam Aaron: most were recorded by people on Freesound, and each page here names " +
			"who. Brought in from Debian's package sonic-pi-samples for this demo."}
	papers, err := readCopyright(dir, "sonic-pi-samples")
	if err != nil {
		return c, err
	}
	base := "usr/share/sonic-pi"
	readme, err := os.ReadFile(filepath.Join(dir, base, "samples/README.md"))
	if err != nil {
		return c, err
	}
	origins := map[string]string{}
	for _, m := range readLine.FindAllStringSubmatch(string(readme), -1) {
		origins[strings.ReplaceAll(m[1], "_", "")] = m[2]
	}
	files, err := sounds(filepath.Join(dir, base), ".flac", ".wav")
	if err != nil {
		return c, err
	}
	kinds, titles, categories := sonicKinds(), sonicTitles(), sonicCategories()
	c.Packs = map[string]string{}
	for _, file := range files {
		s, ok := papers.of("etc/" + file)
		license := code(s.license)
		name := strings.TrimSuffix(path.Base(file), path.Ext(file))
		group, _, _ := strings.Cut(strings.ReplaceAll(name, "-", "_"), "_")
		k, known := kinds[group]
		if !ok || license == "" || !known {
			c.LeftOut = append(c.LeftOut, file)
			continue
		}
		_, words, _ := strings.Cut(name, "_")
		title := titles[name]
		if title == "" {
			words = number.ReplaceAllString(words, "$1 $2")
			words, n, _ := strings.Cut(words, " ") // the number goes to the end, also after words that the kind adds
			title = strings.TrimSpace(upper(k.title(strings.ReplaceAll(longer(words), "_", " "))) + " " + n)
		}
		category := categories[name]
		if category == "" {
			category = k.category
		}
		one := Sound{File: base + "/" + file, Title: title, Tags: tags(title, k.tags), Category: category, Pack: k.pack, License: license, Source: s.source}
		origin := origins[strings.ReplaceAll(name, "_", "")]
		if one.Source == "" {
			one.Source = origin
		}
		one.Credit, one.Description = sonicCredit(s, freesoundName(origin))
		c.Sounds = append(c.Sounds, one)
		c.Packs[k.pack] = "Samples of Sonic Pi, each by the person named on its page and under its own license."
	}
	return c, nil
}

// longer writes out a word that the names shorten.
func longer(w string) string {
	if w == "perc" {
		return "percussion"
	}
	return w
}

// sonicCredit names who made a sample and tells where it comes from.
func sonicCredit(s stanza, recordist string) (credit, description string) {
	names := strings.Join(s.names(), ", ")
	switch {
	case s.source != "" || code(s.license) == "cc0":
		return names, "Recorded by " + names + " and shared on Freesound under CC0. Trimmed for Sonic Pi, the live coding program, whose sample set it belongs to."
	case recordist != "":
		return recordist + "; " + names + " (Sonic Pi)", "From the sample set of Sonic Pi, after a recording by " + recordist + " on Freesound. The package's copyright " +
			"file puts it under the MIT license (copyright " + strings.ReplaceAll(s.holders, "\n", ", ") + "), while its README calls all samples CC0: the stricter word counts here."
	}
	return names + " (Sonic Pi)", "From Sonic Pi, which reads its random numbers out of this file: ten seconds of them, heard as noise. Copyright " + strings.ReplaceAll(s.holders, "\n", ", ") + "."
}

// freesoundName reads the person's name out of https://freesound.org/people/NAME/sounds/ID/.
func freesoundName(address string) string {
	_, rest, ok := strings.Cut(address, "/people/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}
