package trial_test

import (
	"testing"

	"audiomicro/internal/audio/contour/trial"
)

// TestImitationsAreFound holds the figures of doc/humming.md, with some room, on a small catalog.
func TestImitationsAreFound(t *testing.T) {
	t.Parallel()
	r := trial.Run(40, 1, .5, .05)
	t.Logf("%+v", r)
	if r.HeardMelodies < 38 || r.HeardRhythms < 38 {
		t.Errorf("heard %d melodies and %d rhythms of 40", r.HeardMelodies, r.HeardRhythms)
	}
	if r.Melody.MRR < .6 || r.Melody.Hit10 < .75 {
		t.Errorf("melodies: %+v", r.Melody)
	}
	if r.Rhythm.MRR < .5 || r.Rhythm.Hit10 < .7 {
		t.Errorf("rhythms: %+v", r.Rhythm)
	}
}
