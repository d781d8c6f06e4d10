package audio_test

import (
	"math"
	"testing"

	"audiomicro/internal/audio"
)

func TestScrubMakesEverySampleFinite(t *testing.T) {
	t.Parallel()
	inf := float32(math.Inf(1))
	block := [][]float32{
		{0.5, float32(math.NaN()), -1.5, inf, -inf, 1e30, -1e30, math.MaxFloat32, 32768},
	}
	want := []float32{0.5, 0, -1.5, 0, 0, audio.MaxSample, -audio.MaxSample, audio.MaxSample, 32768}
	if n := audio.Scrub(block); n != 6 {
		t.Errorf("changed %d samples, want 6", n)
	}
	for i, v := range block[0] {
		if v != want[i] {
			t.Errorf("sample %d is %g, want %g", i, v, want[i])
		}
	}
}
