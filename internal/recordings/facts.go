package recordings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"audiomicro/internal/audio/describe"
	"audiomicro/internal/db"
	"audiomicro/internal/web/ui"
)

// measured lists, of what the second pass found in a recording, what people understand; nothing as long as it has not been.
func (s *Store) measured(ctx context.Context, id int64) ([]ui.Fact, error) {
	text, err := db.Get[string](ctx, s.DB, `SELECT descriptors FROM recording_detail WHERE recording_id = $1`, id)
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("details of recording %d: %w", id, err)
	}
	var d describe.Detail
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("details of recording %d: %w", id, err)
	}
	var out []ui.Fact
	for _, m := range []struct {
		label, form string
		value       *float64
	}{
		{"Felt brightness", "%.0f of 100", d.Brightness}, {"Warmth", "%.0f of 100", d.Warmth}, {"Hardness", "%.0f of 100", d.Hardness}, {"Depth", "%.0f of 100", d.Depth}, {"Boominess", "%.0f of 100", d.Boominess},
		{"Roughness", "%.0f of 100", d.Roughness}, {"Sharpness", "%.2f acum", d.Acum}, {"Clear pitch", "%.2f of 1", d.Salience},
	} {
		if m.value != nil {
			out = append(out, ui.Fact{Label: m.label, Value: fmt.Sprintf(m.form, *m.value)})
		}
	}
	if d.Reverbness != nil {
		heard := "not heard"
		if *d.Reverbness {
			heard = "heard"
		}
		out = append(out, ui.Fact{Label: "Reverberation", Value: heard})
	}
	if d.Problems != nil {
		out = append(out, ui.Fact{Label: "Noise floor", Value: minus(fmt.Sprintf("%.0f dBFS", d.Problems.NoiseFloor))}, ui.Fact{Label: "Possible faults", Value: faults(*d.Problems)})
	}
	return out, nil
}

// faults names what may be wrong with a recording.
func faults(p describe.Problems) string {
	var list []string
	count := func(n int, one, many string) {
		switch {
		case n == 1:
			list = append(list, "1 "+one)
		case n > 1:
			list = append(list, fmt.Sprint(n, " ", many))
		}
	}
	if !p.Any() {
		return "none found"
	}
	count(p.Clicks, "click", "clicks")
	count(p.Clipped, "clipped peak", "clipped peaks")
	count(p.Dropouts, "dropout", "dropouts")
	if p.Hum > 0 {
		list = append(list, fmt.Sprintf("hum at %.0f Hz", p.Hum))
	}
	if p.Offset >= describe.MostOffset {
		list = append(list, fmt.Sprintf("DC offset of %.1f percent", 100*p.Offset))
	}
	return strings.Join(list, ", ")
}
