package describe_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"audiomicro/internal/audio/describe"
)

// swell lets a sound of 3 s come and go.
func swell(rate int, x []float32, seconds float64) []float32 {
	out := slices.Clone(x)
	for i := range out {
		at := float64(i) / float64(rate)
		out[i] *= float32(min(at/seconds, 1, (3-at)/seconds))
	}
	return out
}

// strokes are four strokes of noise in 3 s: they reach their height within attack seconds and die away, half in 7 ms.
func strokes(rate int, attack float64) []float32 {
	x := make([]float32, 3*rate)
	rng := rand.New(rand.NewPCG(4, 2))
	for k := range 4 {
		for i := range rate / 2 {
			at := float64(i) / float64(rate)
			x[k*3*rate/4+i+rate/10] = float32(0.5 * min(at/attack, 1) * math.Exp(-max(at-attack, 0)*100) * rng.NormFloat64() / 2)
		}
	}
	return x
}

// lowpass leaves less of x above hz, by 12 dB an octave.
func lowpass(rate int, x []float32, hz float64) []float32 {
	out := slices.Clone(x)
	share := float32(1 - math.Exp(-2*math.Pi*hz/float64(rate)))
	for range 2 {
		y := float32(0)
		for i, v := range out {
			y += share * (v - y)
			out[i] = y
		}
	}
	return out
}

// TestHardness: a stroke is harder the faster it comes and the more highs it has, and soft chords are not hard at all; the level says nothing.
func TestHardness(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{44_100, 96_000} {
		hard := func(x []float32) float64 {
			t.Helper()
			v := value(t, "hardness", look(rate, 0, x).Hardness)
			if v < 0 || v > 100 {
				t.Errorf("hardness %g", v)
			}
			return v
		}
		pad := swell(rate, partials(rate, 220, 0, .2, .1, .07, .05), 1.2)
		sudden := strokes(rate, 0.0002)
		list := []float64{hard(sudden), hard(strokes(rate, 0.02)), hard(lowpass(rate, strokes(rate, 0.02), 500)), hard(pad)}
		for i, least := range []float64{4, 15, 10} {
			if list[i] < list[i+1]+least {
				t.Errorf("at %d Hz: strokes, slower, duller, a pad: %.1f", rate, list)
			}
		}
		quiet := slices.Clone(sudden)
		for i := range quiet {
			quiet[i] /= 10
		}
		if v := hard(quiet); math.Abs(v-list[0]) > 0.5 {
			t.Errorf("at %d Hz: 20 dB less makes %.1f of %.1f", rate, v, list[0])
		}
		if silence := look(rate, 0, make([]float32, rate)).Hardness; silence != nil {
			t.Errorf("silence is hard: %g", *silence)
		}
	}
}

// TestWarmth: low harmonics that fall off are warm, what lies high or has no lows is thin; the level says nothing.
func TestWarmth(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{44_100, 96_000} {
		warm := func(x []float32) float64 {
			t.Helper()
			v := value(t, "warmth", look(rate, 0, x).Warmth)
			if v < 0 || v > 100 {
				t.Errorf("warmth %g", v)
			}
			return v
		}
		low := partials(rate, 110, 0, .3, .2, .1, .05, .02)
		loud := warm(low)
		if thin := warm(partials(rate, 1320, 0, .3, .2, .1, .05, .02)); thin > loud-20 {
			t.Errorf("at %d Hz: warmth %.1f, and three and a half octaves above %.1f", rate, loud, thin)
		}
		if hiss := warm(mixed(low, noise(3*rate, .3, 5))); hiss > loud-15 {
			t.Errorf("at %d Hz: warmth %.1f, and with hiss %.1f", rate, loud, hiss)
		}
		for i := range low {
			low[i] /= 10
		}
		if v := warm(low); math.Abs(v-loud) > 0.5 {
			t.Errorf("at %d Hz: 20 dB less makes %.1f of %.1f", rate, v, loud)
		}
	}
}

// TestReverb: words in a room are reverberant when it takes long enough, in one channel or two; the same without a room, and lasting sounds, are not.
func TestReverb(t *testing.T) {
	t.Parallel()
	const rate = 16_000
	rng := rand.New(rand.NewPCG(1, 1))
	dry := make([]float32, 8*rate)
	for k := range 8 {
		for i := range rate / 20 {
			dry[k*rate+i] = float32(0.3 * rng.NormFloat64())
		}
	}
	room := func(seconds float64) []float32 {
		tail := make([]float32, int(seconds*rate))
		for i := range tail {
			tail[i] = float32(0.03 * rng.NormFloat64() * math.Pow(10, -3*float64(i)/float64(len(tail))))
		}
		out := slices.Clone(dry)
		for i, v := range dry {
			if v == 0 {
				continue
			}
			for k := range min(len(tail), len(out)-i) {
				out[i+k] += v * tail[k]
			}
		}
		return out
	}
	hall, bath := room(1.5), room(0.8)
	for _, c := range []struct {
		name string
		d    *describe.Detail
		want bool
	}{
		{"dry", look(rate, 0, dry), false}, {"a dead room", look(rate, 0, room(0.25)), false}, {"a bathroom", look(rate, 0, bath), true},
		{"a hall", look(rate, 0, hall), true}, {"a hall, in stereo", look(rate, 0, hall, bath), true}, {"noise", look(rate, 0, noise(5*rate, .3, 3)), false},
		{"a tone", look(rate, 0, sine(rate, 3, 440, .3)), false}, {"a click", look(rate, 0, append(make([]float32, 500), 0.5, -0.5, 0)), false},
	} {
		if c.d.Reverbness == nil || *c.d.Reverbness != c.want {
			t.Errorf("%s: reverberant is %t", c.name, !c.want)
		}
	}
}

// TestSteadyNoise: a minute of rain is no room, though it dies away by chance now and then; one stroke in a hall, in the same minute of quiet hiss, is heard.
func TestSteadyNoise(t *testing.T) {
	t.Parallel()
	const rate = 8_000
	for hz, name := range map[float64]string{rate: "hiss", 300: "traffic", 30: "rumble"} {
		for seed := range uint64(3) {
			x := noise(60*rate, .3, seed)
			if hz < rate {
				x = lowpass(rate, x, hz)
			}
			if wet := look(rate, 0, x).Reverbness; wet == nil || *wet {
				t.Errorf("%s %d is reverberant", name, seed)
			}
		}
	}
	hall, stroke := noise(60*rate, .0003, 1), noise(3*rate, .3, 2)
	for i, v := range stroke {
		hall[rate+i] += v * float32(math.Pow(10, -3*float64(i)/(1.5*rate)))
	}
	if wet := look(rate, 0, hall).Reverbness; wet == nil || !*wet {
		t.Error("a stroke in a hall is not reverberant")
	}
}

// TestOffset: nobody hears an offset, so it makes nothing harder, warmer or more reverberant.
func TestOffset(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	x := strokes(rate, 0.002)
	plain := look(rate, 0, x)
	for i := range x {
		x[i] += 0.001
	}
	d := look(rate, 0, x)
	if *plain.Reverbness || *d.Reverbness {
		t.Errorf("strokes are reverberant: %t, and with an offset %t", *plain.Reverbness, *d.Reverbness)
	}
	if h, w := value(t, "hardness", d.Hardness), value(t, "warmth", d.Warmth); math.Abs(h-*plain.Hardness) > 0.5 || math.Abs(w-*plain.Warmth) > 0.5 {
		t.Errorf("an offset makes hardness %.1f of %.1f and warmth %.1f of %.1f", h, *plain.Hardness, w, *plain.Warmth)
	}
}
