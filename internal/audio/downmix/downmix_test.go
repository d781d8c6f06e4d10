package downmix_test

import (
	"math"
	"testing"

	"audiomicro/internal/audio/downmix"
)

func TestMix(t *testing.T) {
	t.Parallel()
	const s = math.Sqrt2 / 2
	cases := []struct {
		name        string
		in          []float32 // one frame
		left, right float64
	}{
		{"stereo passes", []float32{.5, -.25}, .5, -.25},
		{"5.1 full scale stays full scale", []float32{1, 1, 1, 1, 1, 1}, 1, 1},
		{"5.1 center goes to both", []float32{0, 0, 1, 0, 0, 0}, s / (1 + 2*s), s / (1 + 2*s)},
		{"5.1 low frequency is left out", []float32{0, 0, 0, 1, 0, 0}, 0, 0},
		{"5.1 back left stays left", []float32{0, 0, 0, 0, 1, 0}, s / (1 + 2*s), 0},
		{"7.1 side right stays right", []float32{0, 0, 0, 0, 0, 0, 0, 1}, 0, s / (1 + 3*s)},
		{"quad", []float32{1, 0, 1, 0}, 1, 0},
		{"3.0", []float32{1, 0, 0}, 1 / (1 + s), 0},
		{"12 microphones alternate", []float32{1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, 1, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			planar := make([][]float32, len(c.in))
			for i, x := range c.in {
				planar[i] = []float32{x, x, x}
			}
			m := downmix.New(len(c.in))
			for range 2 { // the second block must not see the first
				out := m.Mix(planar)
				if len(out) != 2 || len(out[0]) != 3 {
					t.Fatalf("%d channels of %d frames", len(out), len(out[0]))
				}
				if math.Abs(float64(out[0][2])-c.left) > 1e-6 || math.Abs(float64(out[1][2])-c.right) > 1e-6 {
					t.Errorf("got %v %v, want %v %v", out[0][2], out[1][2], c.left, c.right)
				}
			}
		})
	}
	if mono := downmix.New(1).Mix([][]float32{{.5}}); len(mono) != 1 || mono[0][0] != .5 {
		t.Errorf("mono became %v", mono)
	}
}
