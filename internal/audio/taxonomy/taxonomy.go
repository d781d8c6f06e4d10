// Package taxonomy is the Broad Sound Taxonomy: what kinds of sound there are (Anastasopoulou and others, 2024). Its codes are
// those of the Freesound API.
package taxonomy

import "strings"

// Category is a leaf of the taxonomy.
type Category struct {
	Code  string // "fx-a"
	Group string // "Sound effects"
	Name  string // "Animals"
}

// Leaf is the category's name within its group: the "other" of each group is plainly "Other".
func (c Category) Leaf() string {
	if strings.HasSuffix(c.Code, "-other") {
		return "Other"
	}
	return c.Name
}

// Group is a top category.
type Group struct {
	Code string // "fx"
	Name string // "Sound effects"
}

// Groups lists the top categories in the taxonomy's own order.
func Groups() []Group {
	return []Group{{"m", "Music"}, {"is", "Instrument samples"}, {"sp", "Speech"}, {"fx", "Sound effects"}, {"ss", "Soundscapes"}}
}

// Categories lists the leaves in the taxonomy's own order.
func Categories() []Category {
	return []Category{
		{"m-sp", "Music", "Solo percussion"}, {"m-si", "Music", "Solo instrument"}, {"m-m", "Music", "Multiple instruments"}, {"m-other", "Music", "Other music"},
		{"is-p", "Instrument samples", "Percussion"}, {"is-s", "Instrument samples", "String"}, {"is-w", "Instrument samples", "Wind"},
		{"is-k", "Instrument samples", "Piano / Keyboard instruments"}, {"is-e", "Instrument samples", "Synths / Electronic"}, {"is-other", "Instrument samples", "Other instrument samples"},
		{"sp-s", "Speech", "Solo speech"}, {"sp-c", "Speech", "Conversation / Crowd"}, {"sp-p", "Speech", "Processed / Synthetic"}, {"sp-other", "Speech", "Other speech"},
		{"fx-o", "Sound effects", "Objects / House appliances"}, {"fx-v", "Sound effects", "Vehicles"}, {"fx-m", "Sound effects", "Other mechanisms, engines, machines"},
		{"fx-h", "Sound effects", "Human sounds and actions"}, {"fx-a", "Sound effects", "Animals"}, {"fx-n", "Sound effects", "Natural elements and explosions"},
		{"fx-ex", "Sound effects", "Experimental"}, {"fx-el", "Sound effects", "Electronic / Design"}, {"fx-other", "Sound effects", "Other sound effects"},
		{"ss-n", "Soundscapes", "Nature"}, {"ss-i", "Soundscapes", "Indoors"}, {"ss-u", "Soundscapes", "Urban"}, {"ss-s", "Soundscapes", "Synthetic / Artificial"}, {"ss-other", "Soundscapes", "Other soundscapes"},
	}
}

// Find finds a leaf by its code.
func Find(code string) (Category, bool) {
	for _, c := range Categories() {
		if c.Code == code {
			return c, true
		}
	}
	return Category{}, false
}
