package recordings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"audiomicro/internal/db"
)

// measures are the columns of recording_measure that hold numbers, as the descriptors are called.
func measures() []string {
	return strings.Fields(`amplitude_peak_ratio beat_count beat_loudness boominess bpm bpm_confidence brightness decay_strength depth dissonance duration_effective hardness hpcp_crest hpcp_entropy
		inharmonicity log_attack_time note_confidence note_midi onset_count pitch pitch_confidence pitch_max pitch_min pitch_salience pitch_var roughness sharpness
		silence_rate spectral_centroid spectral_complexity spectral_crest spectral_energy spectral_entropy spectral_flatness spectral_rolloff spectral_skewness
		spectral_spread start_time temporal_centroid temporal_centroid_ratio temporal_decrease temporal_skewness temporal_spread tonality_confidence warmth zero_crossing_rate
		single_event has_audio_problems reverbness`)
}

// noteName is the column of recording_measure that holds a text.
const noteName = "note_name"

// measureBatch is how many recordings FillMeasures reads in one transaction.
const measureBatch = 500

// saveMeasures writes the columns that repeat what was measured of a recording, in tx.
func (s *Store) saveMeasures(ctx context.Context, tx *db.Tx, id int64) error {
	type texts struct {
		Core   string `db:"core"`
		Detail string `db:"detail"`
	}
	of, err := db.Get[texts](ctx, tx, `SELECT a.descriptors AS core, coalesce(d.descriptors, '') AS detail FROM recording_analysis a
		LEFT JOIN recording_detail d ON d.recording_id = a.recording_id WHERE a.recording_id = $1`, id)
	if errors.Is(err, db.ErrNotFound) {
		return nil // its first pass is not over
	}
	if err != nil {
		return fmt.Errorf("measures of recording %d: %w", id, err)
	}
	values := map[string]any{}
	for _, text := range []string{of.Core, of.Detail} {
		if text == "" {
			continue // of before there were any, or not yet
		}
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return fmt.Errorf("measures of recording %d: %w", id, err)
		}
	}
	names, marks, set, args := append(measures(), noteName), []string{"$1"}, []string{}, []any{id}
	for _, name := range names {
		var v any
		switch x := values[name].(type) {
		case float64:
			v = float64(float32(x))
		case bool:
			v = 0.0
			if x {
				v = 1.0
			}
		case string:
			v = x
		}
		args = append(args, v)
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
		set = append(set, name+" = excluded."+name)
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO recording_measure (recording_id, `+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)
		ON CONFLICT (recording_id) DO UPDATE SET `+strings.Join(set, ", "), args...)
	if err != nil {
		return fmt.Errorf("measures of recording %d: %w", id, err)
	}
	return nil
}

// FillMeasures writes the columns of recordings that were measured before there were columns.
func (s *Store) FillMeasures(ctx context.Context) error {
	for after := int64(0); ; {
		ids, err := db.Query[int64](ctx, s.DB, `SELECT a.recording_id FROM recording_analysis a LEFT JOIN recording_measure m ON m.recording_id = a.recording_id
			WHERE m.recording_id IS NULL AND a.recording_id > $1 ORDER BY a.recording_id LIMIT $2`, after, measureBatch)
		if err != nil {
			return fmt.Errorf("recordings without measures: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		after = ids[len(ids)-1]
		err = s.DB.Tx(ctx, func(tx *db.Tx) error {
			for _, id := range ids {
				if err := s.saveMeasures(ctx, tx, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// figure is the SQL of a number that programs filter and order recordings by, over recording r and recording_measure m; empty for what
// is not computed. alone is whether it needs m only.
func figure(name string) (sql string, alone bool) {
	switch name {
	case "filesize":
		return "r.byte_size", false
	case "bitrate": // kilobits a second, with a fraction
		return "CASE WHEN r.seconds > 0 THEN r.byte_size * 8.0 / r.seconds / 1000 ELSE 0 END", false
	case "duration":
		return "r.seconds", false
	case "samplerate":
		return "r.sample_rate", false
	case "channels":
		return "r.channels", false
	case "bitdepth":
		return "r.bit_depth", false
	case "num_downloads":
		return "r.downloads", false
	case "loudness":
		return "r.lufs", false
	case "dynamic_range":
		return "r.loudness_range", false
	}
	if slices.Contains(measures(), name) {
		return "m." + name, true
	}
	return "", false
}

// Between lists the recordings of which a figure (a descriptor, "filesize", "bitrate" …) is known and lies between two values, both
// included, published or not, in no order. It reads one column of all recordings.
func (s *Store) Between(ctx context.Context, name string, low, high float64) ([]int64, error) {
	sql, alone := figure(name)
	if sql == "" {
		return nil, nil
	}
	query := `SELECT r.id FROM recording r WHERE CAST(` + sql + ` AS DOUBLE PRECISION) BETWEEN $1 AND $2` // open ends are beyond what a whole number holds
	switch {
	case name == "bitrate": // is told without its fraction
		low, high = math.Ceil(low), math.Nextafter(math.Floor(high)+1, 0)
	case alone: // columns have the digits of float32
		low, high = float64(float32(low)), float64(float32(high))
		query = `SELECT m.recording_id FROM recording_measure m WHERE ` + sql + ` BETWEEN $1 AND $2`
	case name == "dynamic_range":
		low, high = widen(low, high)
	}
	list, err := db.Query[int64](ctx, s.DB, query, low, high)
	if err != nil {
		return nil, fmt.Errorf("recordings by %s: %w", name, err)
	}
	return list, nil
}

// widen makes bounds that numbers of float64 keep when they keep the given ones with the digits of float32.
func widen(low, high float64) (float64, float64) {
	half := func(v, to float64) float64 {
		at := float32(v)
		return (float64(at) + float64(math.Nextafter32(at, float32(to)))) / 2
	}
	return half(low, math.Inf(-1)), half(high, math.Inf(1))
}

// Marked lists the recordings of which a mark or text ("single_event", "note_name", "ai_training") has a value in lower case: "true" and "false" for marks.
func (s *Store) Marked(ctx context.Context, name, value string) ([]int64, error) {
	var query string
	var arg any = value
	switch {
	case name == "ai_training":
		query = `SELECT id FROM recording WHERE ai_training = $1`
	case name == noteName:
		query = `SELECT recording_id FROM recording_measure WHERE lower(note_name) = $1`
	case slices.Contains(measures(), name):
		query = `SELECT recording_id FROM recording_measure WHERE ` + name + ` = $1`
		arg = 0.0
		if value == "true" {
			arg = 1.0
		}
	default:
		return nil, nil
	}
	list, err := db.Query[int64](ctx, s.DB, query, arg)
	if err != nil {
		return nil, fmt.Errorf("recordings by %s: %w", name, err)
	}
	return list, nil
}

// EachFigure calls f with figures of every published recording, in no order: those that are not known are NaN. f must not keep the slice.
func (s *Store) EachFigure(ctx context.Context, names []string, f func(id, published int64, values []float64)) error {
	columns := make([]string, len(names))
	for i, name := range names {
		if columns[i], _ = figure(name); columns[i] == "" {
			columns[i] = "NULL"
		}
	}
	values := make([]float64, len(names))
	err := db.Rows(ctx, s.DB, func(row []any) error {
		for i, v := range row[2:] {
			switch v := v.(type) {
			case float64:
				values[i] = v
			case int64:
				values[i] = float64(v)
			default:
				values[i] = math.NaN()
			}
			if names[i] == "bitrate" {
				values[i] = math.Trunc(values[i])
			}
		}
		f(row[0].(int64), row[1].(int64), values)
		return nil
	}, `SELECT r.id, r.published_at, `+strings.Join(columns, ", ")+` FROM recording r LEFT JOIN recording_measure m ON m.recording_id = r.id WHERE r.state = 'published'`)
	if err != nil {
		return fmt.Errorf("figures of recordings: %w", err)
	}
	return nil
}
