package query

import (
	"slices"
	"strings"

	"audiomicro/internal/audio/taxonomy"
)

// numericFreesound reports whether a value of the field may begin with a minus sign.
func numericFreesound(field string) bool {
	n, _ := freesoundNumber(field)
	k := freesoundOutside(field)
	return n != Any || k == 'i' || k == 'f'
}

// freesoundNumber is the number field behind a name, and whether its values are whole.
func freesoundNumber(name string) (f Field, whole bool) {
	switch name {
	case "duration":
		return Length, false
	case "num_downloads":
		return Downloads, true
	case "avg_rating":
		return Rating, false
	case "created":
		return Published, false
	case "bpm":
		return Tempo, false
	case "loudness":
		return Loudness, false
	}
	return Any, false
}

// freesoundValue is the value field behind a name, and whether its values are whole numbers.
func freesoundValue(name string) (f Field, whole bool) {
	switch name {
	case "id":
		return ID, true
	case "samplerate":
		return Rate, true
	case "bitdepth":
		return Depth, true
	case "channels":
		return Channels, true
	case "type":
		return Type, false
	case "license":
		return License, false
	case "username":
		return By, false
	case "category", "subcategory":
		return Category, false
	case "tonality":
		return Key, false
	case "loopable":
		return Loop, false
	case "pack_grouping":
		return PackID, false
	}
	return Any, false
}

// freesoundText is the text field behind a name.
func freesoundText(name string) Field {
	switch name {
	case "name":
		return Title
	case "description":
		return Description
	case "tag":
		return TagWord
	case "pack":
		return PackWord
	}
	return Any
}

// knownFreesound refuses a name that is no field.
func knownFreesound(name string) error {
	number, _ := freesoundNumber(name)
	value, _ := freesoundValue(name)
	if number != Any || value != Any || freesoundText(name) != Any || name == placeField || name == "is_geotagged" || slices.Contains(neverTrue(), name) || freesoundOutside(name) != 0 {
		return nil
	}
	return filterFault(FilterUnknown, name, "undefined field %s", name)
}

// outsidePrefix marks the fields of Freesound that the index does not hold.
const outsidePrefix = "outside:"

// Outside is the Freesound name of a field that the index does not hold. ParseFreesound leaves conditions on such fields in its
// Filter, Equal with a folded value or Span; who searches puts conditions on ids in their place.
func (f Field) Outside() (name string, ok bool) { return strings.CutPrefix(string(f), outsidePrefix) }

// neverTrue are marks that no recording here has.
func neverTrue() []string { return []string{"is_remix", "was_remixed", "is_explicit"} }

// kind says what values a field has: 'i' whole numbers, 'f' numbers, 'b' true or false, 's' texts; 0 is no field.
type kind byte

// freesoundOutside is the kind of the values of a field that the index does not hold.
func freesoundOutside(name string) kind {
	for _, group := range []struct {
		kind  kind
		names string
	}{
		{'i', `filesize bitrate num_ratings num_comments beat_count note_midi onset_count`},
		{'b', `reverbness single_event has_audio_problems`},
		{'s', `md5 comment gen_ai_preference note_name birdnet_detected_class fsdsinet_detected_class`},
		{'f', `amplitude_peak_ratio beat_loudness boominess bpm_confidence brightness decay_strength depth dissonance duration_effective dynamic_range hardness
			hpcp_crest hpcp_entropy inharmonicity log_attack_time note_confidence pitch pitch_max pitch_min pitch_confidence pitch_salience pitch_var roughness
			sharpness silence_rate spectral_centroid spectral_complexity spectral_crest spectral_energy spectral_entropy spectral_flatness spectral_rolloff spectral_skewness
			spectral_spread start_time temporal_centroid temporal_centroid_ratio temporal_decrease temporal_skewness temporal_spread tonality_confidence warmth
			zero_crossing_rate`},
	} {
		if slices.Contains(strings.Fields(group.names), name) {
			return group.kind
		}
	}
	return 0
}

// FreesoundNumber reports whether values of a Freesound field are numbers, so that a target can be near or far.
func FreesoundNumber(name string) bool {
	number, _ := freesoundNumber(name)
	_, whole := freesoundValue(name)
	k := freesoundOutside(name)
	return number != Any && number != Published || whole && name != "id" || k == 'i' || k == 'f'
}

// freesoundLicense reads the names that Freesound's clients use, in any case, and our own codes.
func freesoundLicense(name string) *Filter {
	switch strings.Join(strings.Fields(strings.ToLower(name)), " ") {
	case "attribution":
		return Is(License, "cc-by")
	case "attribution noncommercial":
		return Is(License, "cc-by-nc")
	case "creative commons 0":
		return Is(License, "cc0")
	}
	if code, ok := Canonical(License, name); ok {
		return Is(License, code)
	}
	return Either()
}

// freesoundCategory reads a category by its name in the Broad Sound Taxonomy, or by its code. Several subcategories share the name
// "Other".
func freesoundCategory(name string, sub bool) *Filter {
	wanted := strings.ToLower(strings.TrimSpace(name))
	var any []*Filter
	if !sub {
		for _, g := range taxonomy.Groups() {
			if strings.ToLower(g.Name) == wanted || g.Code == wanted {
				any = append(any, Is(Category, g.Code))
			}
		}
	}
	for _, c := range taxonomy.Categories() {
		if sub && strings.ToLower(c.Leaf()) == wanted || c.Code == wanted {
			any = append(any, Is(Category, c.Code))
		}
	}
	return Either(any...)
}
