package query

// CategoryName is one entry of the Broad Sound Taxonomy (Anastasopoulou and others, 2024), which Freesound uses too.
type CategoryName struct {
	Code string // "fx", or "fx-a" below it
	Name string
}

// Categories lists the Broad Sound Taxonomy, each top category before those below it.
func Categories() []CategoryName {
	return []CategoryName{
		{"m", "Music"}, {"m-sp", "Solo percussion"}, {"m-si", "Solo instrument"}, {"m-m", "Multiple instruments"}, {"m-other", "Other"},
		{"is", "Instrument samples"}, {"is-p", "Percussion"}, {"is-s", "String"}, {"is-w", "Wind"}, {"is-k", "Piano / Keyboard instruments"},
		{"is-e", "Synths / Electronic"}, {"is-other", "Other"},
		{"sp", "Speech"}, {"sp-s", "Solo speech"}, {"sp-c", "Conversation / Crowd"}, {"sp-p", "Processed / Synthetic"}, {"sp-other", "Other"},
		{"fx", "Sound effects"}, {"fx-o", "Objects / House appliances"}, {"fx-v", "Vehicles"},
		{"fx-m", "Other mechanisms, engines, machines"}, {"fx-h", "Human sounds and actions"}, {"fx-a", "Animals"},
		{"fx-n", "Natural elements and explosions"}, {"fx-ex", "Experimental"}, {"fx-el", "Electronic / Design"}, {"fx-other", "Other"},
		{"ss", "Soundscapes"}, {"ss-n", "Nature"}, {"ss-i", "Indoors"}, {"ss-u", "Urban"}, {"ss-s", "Synthetic / Artificial"},
		{"ss-other", "Other"},
	}
}
