package recordings

// Category is a leaf of the Broad Sound Taxonomy (Font et al.; the codes that the Freesound API uses).
type Category struct {
	Code  string // "fx-a"
	Group string // "Sound effects"
	Name  string // "Animals"
}

// Music tells whether the category's prices are those of music: codes m-* and is-*.
func (c Category) Music() bool {
	return len(c.Code) > 2 && (c.Code[:2] == "m-" || c.Code[:3] == "is-")
}

// Categories lists the taxonomy in its own order.
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

// CategoryOf finds a category by its code.
func CategoryOf(code string) (Category, bool) {
	for _, c := range Categories() {
		if c.Code == code {
			return c, true
		}
	}
	return Category{}, false
}
