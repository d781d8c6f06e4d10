package ui

import "audiomicro/web"

// SoundForm is /search/sound.
type SoundForm struct {
	Query    string
	Hidden   []Hidden // the search within which is looked
	Within   []string // the same in words
	As       string   // what is looked for: like, melody, rhythm
	Problem  string   // why the sound sent before could not be used
	MaxBytes int64
	Seconds  int // of the sound that count
}

// exampleChoices are what a sound may be searched by.
var exampleChoices = []struct{ Value, Label, Hint, Finds string }{
	{"like", "Sounds like it", "Any sound: a hit, a room, a machine.",
		"Sounds of the same tone color that rise and die away alike. Words, melody and what made the sound are not compared: a dog and a door may be neighbors."},
	{"melody", "This melody", "Hum six notes or more, one after the other, on “da”. Any key, any tempo.",
		"Recordings that begin with a single voice: one instrument, one singer. Chords and full mixes are seldom found."},
	{"rhythm", "This rhythm", "Beat a bar or two with mouth or hands: low, middle and high strokes.",
		"Loops and beats with clear strokes, at any tempo. Dense mixes are seldom found, and simple patterns are like many."},
}

func exampleModule() string { return web.URL("example.js") }

func partModule() string { return web.URL("part.js") }

// withoutQuery leaves out the field that the form has itself.
func withoutQuery(list []Hidden) []Hidden {
	var out []Hidden
	for _, h := range list {
		if h.Name != "q" {
			out = append(out, h)
		}
	}
	return out
}
