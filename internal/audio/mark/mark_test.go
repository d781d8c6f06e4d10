package mark_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"audiomicro/internal/audio/mark"
)

const rate = 48000

// run marks a program in blocks and returns the output.
func run(t *testing.T, planar [][]float32, block int, opt mark.Options) [][]float32 {
	t.Helper()
	out := make([][]float32, len(planar))
	m := mark.New(rate, len(planar), opt, func(b [][]float32) error {
		for c := range b {
			out[c] = append(out[c], b[c]...)
		}
		return nil
	})
	frames := len(planar[0])
	for at := 0; at < frames; at += block {
		part := make([][]float32, len(planar))
		for c := range part {
			part[c] = planar[c][at:min(at+block, frames)]
		}
		if err := m.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func tone(channels int, seconds, amplitude float64) [][]float32 {
	planar := make([][]float32, channels)
	for c := range planar {
		planar[c] = make([]float32, int(seconds*rate))
		for i := range planar[c] {
			planar[c][i] = float32(amplitude * math.Sin(2*math.Pi*110*float64(i)/rate))
		}
	}
	return planar
}

// marks finds where the output differs from the program: the beginning and end of each mark in seconds, and the peak of
// the difference.
func marks(in, out []float32) (spans [][2]float64, peak float64) {
	last := -rate
	for i := range in {
		d := math.Abs(float64(out[i] - in[i]))
		peak = max(peak, d)
		if d < 1e-5 {
			continue
		}
		if i-last > rate/10 {
			spans = append(spans, [2]float64{float64(i) / rate})
		}
		spans[len(spans)-1][1] = float64(i) / rate
		last = i
	}
	return spans, peak
}

func TestWhereMarksStand(t *testing.T) {
	t.Parallel()
	cases := []struct {
		seconds, interval float64
		want              []float64 // begin of each mark, within the wander
	}{
		{20, 0, []float64{1.5, 7.5, 13.5, 19.5}},
		{20, 3, []float64{1.5, 4.5, 7.5, 10.5, 13.5, 16.5, 19.5}},
		{1.92, 0, []float64{1.5}},
		{1.91, 0, []float64{.745}}, // too short for the first mark: one in the middle
		{1, 0, []float64{.29}},
		{.2, 0, []float64{0}},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%g s every %g s", c.seconds, c.interval), func(t *testing.T) {
			t.Parallel()
			in := tone(2, c.seconds, .3)
			for _, block := range []int{333, 4096, 16384} {
				out := run(t, in, block, mark.Options{Interval: c.interval, Seed: 5})
				if len(out[0]) != len(in[0]) || len(out[1]) != len(in[1]) {
					t.Fatalf("%d frames became %d", len(in[0]), len(out[0]))
				}
				got, _ := marks(in[0], out[0])
				if len(got) != len(c.want) {
					t.Fatalf("marks at %v, want %v", got, c.want)
				}
				for i := range got {
					if math.Abs(got[i][0]-c.want[i]) > .02+float64(i)*.6 {
						t.Errorf("mark %d at %.3f s, want about %.3f s", i, got[i][0], c.want[i])
					}
				}
			}
		})
	}
}

func TestLevelFollowsTheProgram(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ program, from, to float64 }{
		{0, -27, -25}, {.01, -27, -25}, {.18, -13, -11}, {1, -7, -4},
	} {
		in := tone(1, 5, c.program)
		out := run(t, in, 4096, mark.Options{})
		_, peak := marks(in[0], out[0])
		db := 20 * math.Log10(peak)
		// The difference also holds the dip of the program under the mark, at most as large as the mark's share of it.
		slack := 20 * math.Log10(1+c.program)
		if db < c.from || db > c.to+slack {
			t.Errorf("program peak %g: mark at %.1f dBFS, want %.0f to %.0f", c.program, db, c.from, c.to+slack)
		}
	}
}

func TestNeverLouderThanFullScale(t *testing.T) {
	t.Parallel()
	square := tone(2, 10, 1)
	for c := range square {
		for i, x := range square[c] {
			square[c][i] = float32(math.Copysign(1, float64(x)))
		}
	}
	for _, channel := range run(t, square, 1000, mark.Options{Interval: 2, Level: 20}) {
		if high, low := slices.Max(channel), slices.Min(channel); high > 1 || low < -1 {
			t.Errorf("peaks %v %v", low, high)
		}
	}
}

func TestSeedDecides(t *testing.T) {
	t.Parallel()
	in := tone(1, 15, .2)
	a, b := run(t, in, 4096, mark.Options{Seed: 1}), run(t, in, 999, mark.Options{Seed: 1})
	if !slices.Equal(a[0], b[0]) {
		t.Error("the same seed gave another sound with other blocks")
	}
	if c := run(t, in, 4096, mark.Options{Seed: 2}); slices.Equal(a[0], c[0]) {
		t.Error("another seed gave the same marks")
	}
}

func TestNothingInNothingOut(t *testing.T) {
	t.Parallel()
	if out := run(t, [][]float32{{}, {}}, 100, mark.Options{}); len(out[0]) != 0 {
		t.Errorf("%d frames came from nothing", len(out[0]))
	}
}
