package apiv2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"audiomicro/internal/recordings"
)

// spaceName is the space in which this site compares sounds; Freesound's own are not computed here.
const spaceName = "audiomicro"

// spaces are the names of similarity spaces that fields= knows: this site's, and Freesound's, whose vectors are null.
func spaces() []string { return []string{spaceName, "laion_clap", "freesound_classic"} }

// descriptors are the names of what is measured, as the API has them. What was not computed is null.
func descriptors() []string {
	return strings.Fields(`amplitude_peak_ratio beat_count beat_loudness beat_times boominess bpm bpm_confidence brightness decay_strength depth dissonance
		duration_effective dynamic_range hardness hpcp hpcp_var hpcp_crest hpcp_entropy inharmonicity log_attack_time loopable loudness mfcc mfcc_var note_confidence
		note_midi note_name onset_count onset_times pitch pitch_max pitch_min pitch_confidence pitch_salience pitch_var reverbness roughness sharpness silence_rate
		single_event spectral_centroid spectral_complexity spectral_crest spectral_energy spectral_entropy spectral_flatness spectral_rolloff spectral_skewness
		spectral_spread start_time temporal_centroid temporal_centroid_ratio temporal_decrease temporal_skewness temporal_spread tonality tonality_confidence
		tristimulus warmth zero_crossing_rate has_audio_problems birdnet_detected_class birdnet_detections birdnet_detections_count fsdsinet_detected_class
		fsdsinet_detections fsdsinet_detections_count`)
}

// measured reads what was measured of a recording, by name. Numbers are json.Number.
func measured(g recordings.Figures) (map[string]any, error) {
	out := map[string]any{}
	if g.Descriptors == "" {
		return out, nil
	}
	for _, text := range []string{g.Descriptors, g.Detail} {
		if text == "" {
			continue // the second pass comes later
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&out); err != nil {
			return nil, fmt.Errorf("descriptors of recording %d: %w", g.ID, err)
		}
	}
	for name, v := range map[string]*float64{"loudness": g.LUFS, "dynamic_range": g.Range} {
		if v != nil {
			out[name] = decimal(*v)
		}
	}
	return out, nil
}

// vectorOf is the vector of a recording in the space in which sounds are compared; nil without one.
func (f *Face) vectorOf(g recordings.Figures) any {
	v := f.Search.Space.Project(g.Vector)
	if len(v) == 0 {
		return nil
	}
	out := make([]any, len(v))
	for i := range v {
		out[i] = decimal(v[i])
	}
	return out
}

// choice is which fields of a sound are shown.
type choice struct {
	all         bool     // of those without descriptors
	names       []string // beside those
	descriptors bool     // all of them
	vectors     bool
}

// fieldsOf reads fields=; absent or empty is byDefault, * is all with descriptors and vectors. Names that there are not are
// left out.
func fieldsOf(p params, byDefault choice) choice {
	v, _ := p.get("fields")
	var c choice
	for name := range strings.SplitSeq(v, ",") {
		switch name = strings.TrimSpace(name); name {
		case "":
		case "*":
			c.all, c.descriptors, c.vectors = true, true, true
		case "all_descriptors":
			c.descriptors = true
		case "all_similarity_spaces":
			c.vectors = true
		default:
			c.names = append(c.names, name)
		}
	}
	if len(c.names) == 0 && !c.all && !c.descriptors && !c.vectors {
		return byDefault
	}
	return c
}

// byList are the fields of a sound in a list, when the request does not say.
func byList() choice { return choice{names: []string{"id", "name", "tags", "username", "license"}} }

// wants tells whether a field that is measured is shown.
func (c choice) wants(name string) bool {
	if slices.Contains(spaces(), name) {
		return c.vectors || slices.Contains(c.names, name)
	}
	return c.descriptors || slices.Contains(c.names, name)
}

// measures tells whether any field is shown that is measured.
func (c choice) measures() bool {
	return c.descriptors || c.vectors || slices.ContainsFunc(c.names, func(n string) bool {
		return slices.Contains(descriptors(), n) || slices.Contains(spaces(), n)
	})
}

// of leaves of a sound without descriptors what is shown.
func (c choice) of(o object) object {
	if c.all {
		return o
	}
	var out object
	for _, m := range o {
		if slices.Contains(c.names, m.key) {
			out = append(out, m)
		}
	}
	return out
}

// measuredOf are the measured fields of a sound that a choice shows.
func (f *Face) measuredOf(c choice, g recordings.Figures) (object, error) {
	values, err := measured(g)
	if err != nil {
		return nil, err
	}
	var out object
	for _, name := range descriptors() {
		if c.wants(name) {
			out = append(out, member{name, values[name]})
		}
	}
	for _, name := range spaces() {
		if !c.wants(name) {
			continue
		}
		var v any
		if name == spaceName {
			v = f.vectorOf(g)
		}
		out = append(out, member{name, v})
	}
	return out, nil
}
