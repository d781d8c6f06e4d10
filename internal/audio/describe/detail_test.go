package describe_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/spectrum"
)

// look measures the details of a stream in blocks of odd length.
func look(rate int, bpm float64, planar ...[]float32) *describe.Detail {
	s := spectrum.New(rate, len(planar))
	d := describe.NewDetail(rate, len(planar))
	s.OnFrame = d.Frame
	view := make([][]float32, len(planar))
	for at := 0; at < len(planar[0]); at += 1789 {
		for c := range planar {
			view[c] = planar[c][at:min(at+1789, len(planar[c]))]
		}
		s.Write(view)
		d.Write(view)
	}
	return d.Result(s.Result().Frames, bpm)
}

func mixed(parts ...[]float32) []float32 {
	out := make([]float32, len(parts[0]))
	for _, p := range parts {
		for i, v := range p {
			out[i] += v
		}
	}
	return out
}

func value(t *testing.T, what string, v *float64) float64 {
	t.Helper()
	if v == nil {
		t.Fatalf("%s: there is no value", what)
	}
	return *v
}

// TestDissonance: two sines are roughest about a quarter of a critical band apart, less so closer, and not at all an octave apart.
func TestDissonance(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	two := func(hz, apart float64) *describe.Detail {
		return look(rate, 0, mixed(sine(rate, 3, hz, 0.3), sine(rate, 3, hz+apart, 0.3)))
	}
	for _, hz := range []float64{500, 1000, 2000} {
		s := 0.24 / (0.0207*hz + 18.96)
		worst := math.Log(5.75/3.5) / (5.75 - 3.5) / s // Hz, where the two exponentials differ most
		d := two(hz, worst)
		if v := value(t, "dissonance", d.Dissonance); math.Abs(v-1) > 0.05 {
			t.Errorf("at %.0f Hz, %.0f Hz apart: dissonance %.3f, want 1", hz, worst, v)
		}
		for _, times := range []float64{2, 3} {
			x := times * worst * s
			want := (math.Exp(-3.5*x) - math.Exp(-5.75*x)) / 0.1809
			if v := value(t, "dissonance", two(hz, times*worst).Dissonance); math.Abs(v-want) > 0.05 {
				t.Errorf("at %.0f Hz, %.0f times as far: dissonance %.3f, want %.3f", hz, times, v, want)
			}
		}
		octave := two(hz, hz)
		if v := value(t, "dissonance", octave.Dissonance); v > 0.02 {
			t.Errorf("an octave at %.0f Hz: dissonance %.3f", hz, v)
		}
		if r, o := value(t, "roughness", d.Roughness), value(t, "roughness", octave.Roughness); r < 20 || o > r-20 {
			t.Errorf("at %.0f Hz: roughness %.1f, of an octave %.1f", hz, r, o)
		}
		// Vassilakis: equal amplitudes a give X^0.1 = a^0.2, Y = 1, so that roughness is half of that times the curve.
		want := 13.98779569*math.Log10(3.5884*math.Pow(0.3, 0.2)*0.5*0.1809) + 48.97606571545886
		if r := value(t, "roughness", d.Roughness); math.Abs(r-want) > 0.7 {
			t.Errorf("at %.0f Hz: roughness %.2f, want %.2f", hz, r, want)
		}
	}
}

// partials is a tone of given amplitudes at the multiples of hz, each stretched as a string of stiffness b stretches them.
func partials(rate int, hz, b float64, amplitudes ...float64) []float32 {
	x := make([]float32, 3*rate)
	for n, a := range amplitudes {
		k := float64(n + 1)
		for i, v := range sine(rate, 3, k*hz*math.Sqrt(1+b*k*k), a) {
			x[i] += v
		}
	}
	return x
}

// TestHarmonics: tristimulus, inharmonicity and salience of tones whose partials are known.
func TestHarmonics(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	amplitudes := []float64{.3, .15, .1, .05, .03, .02}
	d := look(rate, 0, partials(rate, 220, 0, amplitudes...))
	sum := .65
	for i, want := range []float64{.3 / sum, .3 / sum, .05 / sum} {
		if len(d.Tristimulus) != 3 || math.Abs(d.Tristimulus[i]-want) > 0.01 {
			t.Fatalf("tristimulus %v, place %d should be %.3f", d.Tristimulus, i, want)
		}
	}
	if v := value(t, "inharmonicity", d.Inharmonicity); v > 0.005 {
		t.Errorf("inharmonicity of multiples: %.4f", v)
	}
	if v := value(t, "salience", d.Salience); v < 0.97 {
		t.Errorf("salience of a tone: %.3f", v)
	}
	if v := value(t, "salience", look(rate, 0, noise(3*rate, 0.3, 1)).Salience); v > 0.35 {
		t.Errorf("salience of noise: %.3f", v)
	}
	const b = 0.0008
	first := math.Sqrt(1 + b)
	var off, energy float64
	for n, a := range amplitudes {
		k := float64(n + 1)
		off += math.Abs(k*math.Sqrt(1+b*k*k)/first-k) * a * a
		energy += a * a
	}
	want := 2 * off / energy
	if v := value(t, "inharmonicity", look(rate, 0, partials(rate, 220, b, amplitudes...)).Inharmonicity); math.Abs(v-want) > 0.1*want {
		t.Errorf("inharmonicity of stretched partials: %.5f, want %.5f", v, want)
	}
}

// band is noise between two frequencies at a root mean square.
func band(rate int, low, high, rms float64, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 9))
	x := make([]float32, 3*rate)
	const lines = 60
	for range lines {
		hz, phase := low+(high-low)*rng.Float64(), 2*math.Pi*rng.Float64()
		for i := range x {
			x[i] += float32(rms * math.Sqrt(2./lines) * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)+phase))
		}
	}
	return x
}

// TestSharpness: a critical band of noise around 1 kHz at 60 dB defines 1 acum (DIN 45692), and one higher up is sharper by the formula.
func TestSharpness(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	last := 0.0
	for _, c := range []struct{ low, high, acum, slack float64 }{
		{920, 1080, 1, 0.1}, {2700, 3150, 1.8, 0.3}, {9500, 12_000, 0.11 * 22.5 * (0.15*math.Exp(0.42*(22.5-15.8)) + 0.85), 0.8},
	} {
		d := look(rate, 0, band(rate, c.low, c.high, 0.01, 3))
		v := value(t, "acum", d.Acum)
		if math.Abs(v-c.acum) > c.slack || v <= last {
			t.Errorf("%.0f to %.0f Hz: %.2f acum, want %.2f", c.low, c.high, v, c.acum)
		}
		if s := value(t, "sharpness", d.Sharpness); math.Abs(s-min(102.50508921364404*math.Log10(v)+34.432655185001735, 100)) > 0.1 {
			t.Errorf("sharpness %.1f of %.2f acum", s, v)
		}
		last = v
	}
}

// TestTimbre: brightness has its formula for one sine, and low sounds are dark, deep and booming.
func TestTimbre(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	high, low := look(rate, 0, sine(rate, 3, 4000, 0.3)), look(rate, 0, sine(rate, 3, 70, 0.3))
	ratio := math.Pow(1/(1+math.Pow(2000./4000, 4)), 3)
	want := 4.613128018020465*math.Log10(ratio) + 17.378889309312974*math.Log10(4000) + 17.434733750553022
	if v := value(t, "brightness", high.Brightness); math.Abs(v-want) > 0.2 {
		t.Errorf("brightness of 4 kHz: %.2f, want %.2f", v, want)
	}
	for _, c := range []struct {
		name    string
		of, not *float64
	}{{"brightness", high.Brightness, low.Brightness}, {"depth", low.Depth, high.Depth}, {"boominess", low.Boominess, high.Boominess}} {
		if a, b := value(t, c.name, c.of), value(t, c.name, c.not); a < b+20 {
			t.Errorf("%s: %.1f, and of the other %.1f", c.name, a, b)
		}
	}
}

// TestEnvelopeSlope: an amplitude that falls evenly to nothing in 2 s falls by half a peak each second.
func TestEnvelopeSlope(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	x := noise(2*rate, 0.5, 4)
	steady := look(rate, 0, x)
	for i := range x {
		x[i] = float32(math.Copysign(0.5*(1-float64(i)/float64(len(x))), float64(x[i])))
	}
	falling := look(rate, 0, x)
	if v := value(t, "temporal_decrease", falling.Decrease); math.Abs(v+0.5) > 0.03 {
		t.Errorf("slope %.3f, want -0.5", v)
	}
	if v := value(t, "temporal_decrease", steady.Decrease); math.Abs(v) > 0.05 {
		t.Errorf("slope of steady noise %.3f", v)
	}
	// ∫ (0.5 (1 - t/2))² dt = 1/6 over 2 s, and the centroid of the falling amplitude lies at a third of them.
	if v, want := value(t, "decay_strength", falling.Decay), math.Sqrt(44_100/6./(2./3)); math.Abs(v/want-1) > 0.05 {
		t.Errorf("decay strength %.1f, want %.1f", v, want)
	}
}

// TestBeats: the beats of a metronome are where they were put, and as loud.
func TestBeats(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	for _, bpm := range []float64{73, 120, 151} {
		x := make([]float32, 20*rate)
		rng := rand.New(rand.NewPCG(1, 1))
		var at []float64
		for b := 0; ; b++ {
			when := 0.31 + float64(b)*60/bpm
			if when > 19.8 {
				break
			}
			hit(x, rate, when, 900, 30, 0.5, rng)
			at = append(at, when)
		}
		d := look(rate, bpm, x)
		found := 0
		for _, want := range at {
			for _, got := range d.BeatTimes {
				if math.Abs(got-want) < 0.035 {
					found++
					break
				}
			}
		}
		if found < len(at)-2 || len(d.BeatTimes) > len(at)+2 {
			t.Errorf("%.0f BPM: %d of %d beats among %d: %v", bpm, found, len(at), len(d.BeatTimes), d.BeatTimes)
		}
		if v := value(t, "beat_loudness", d.BeatLoudness); v < 1e-4 || v > 0.2 {
			t.Errorf("%.0f BPM: beat loudness %g", bpm, v)
		}
		if look(rate, 0, x).BeatTimes != nil {
			t.Errorf("%.0f BPM: beats without a tempo", bpm)
		}
	}
}

// TestProblems puts faults into a clean recording and looks for each; the clean ones have none.
func TestProblems(t *testing.T) {
	t.Parallel()
	const rate = 44_100
	clean := func() []float32 { return mixed(scale(rate, 220, false), noise(len(scale(rate, 220, false)), 0.003, 2)) }
	drums := beat(rate, 10, 120)
	quiet := noise(8*rate, 0.001, 8)
	for _, c := range []struct {
		name string
		x    [][]float32
		see  func(p *describe.Problems) bool
		any  bool
	}{
		{"clean music", [][]float32{clean()}, func(p *describe.Problems) bool {
			return *p == describe.Problems{NoiseFloor: p.NoiseFloor} || p.Offset < 0.001
		}, false},
		{"drums", [][]float32{drums}, func(p *describe.Problems) bool { return p.Clicks == 0 && p.Dropouts == 0 }, false},
		{"noise", [][]float32{noise(5*rate, 0.5, 3)}, func(p *describe.Problems) bool { return p.Clicks == 0 }, false},
		{"silence", [][]float32{make([]float32, 3*rate)}, func(p *describe.Problems) bool { return *p == describe.Problems{NoiseFloor: -120} }, false},
		{"clicks", [][]float32{clean(), func() []float32 {
			x := clean()
			for k := range 7 {
				x[20_011+k*30_000] += 0.3
			}
			return x
		}()}, func(p *describe.Problems) bool { return p.Clicks >= 6 && p.Clicks <= 8 }, true},
		{"clipping", [][]float32{func() []float32 {
			x := sine(rate, 3, 300, 1.5)
			for i, v := range x {
				x[i] = min(max(v, -1), 1)
			}
			return x
		}()}, func(p *describe.Problems) bool { return math.Abs(float64(p.Clipped)-2*900) < 20 }, true},
		{"a full-scale sine", [][]float32{sine(rate, 3, 300, 0.98)}, func(p *describe.Problems) bool { return p.Clipped == 0 }, false},
		{"dropouts", [][]float32{func() []float32 {
			x := sine(rate, 5, 300, 0.3)
			for k := range 4 {
				clear(x[(k+1)*40_000 : (k+1)*40_000+800])
			}
			return x
		}()}, func(p *describe.Problems) bool { return p.Dropouts == 4 }, true},
		{"DC", [][]float32{clean(), func() []float32 {
			x := clean()
			for i := range x {
				x[i] += 0.05
			}
			return x
		}()}, func(p *describe.Problems) bool { return math.Abs(p.Offset-0.05) < 0.002 }, true},
		{"hum of 50 Hz", [][]float32{mixed(quiet, sine(rate, 8, 50, 0.01), sine(rate, 8, 100, 0.006))}, func(p *describe.Problems) bool { return p.Hum == 50 }, true},
		{"hum of 60 Hz", [][]float32{mixed(quiet, sine(rate, 8, 60, 0.01), sine(rate, 8, 180, 0.006))}, func(p *describe.Problems) bool { return p.Hum == 60 }, true},
		{"noise floor", [][]float32{quiet}, func(p *describe.Problems) bool { return math.Abs(p.NoiseFloor-20*math.Log10(0.001)) < 3 }, false},
	} {
		d := look(rate, 0, c.x...)
		if !c.see(d.Problems) || *d.HasProblems != c.any {
			t.Errorf("%s: %+v, any %t", c.name, *d.Problems, *d.HasProblems)
		}
	}
}

// TestDetailOfAnything: silence, one sample, every rate and many channels give numbers or nothing, and JSON that parses.
func TestDetailOfAnything(t *testing.T) {
	t.Parallel()
	inf := make([]float32, 5000)
	for i := range inf {
		inf[i] = float32(math.Inf(1 - 2*(i%2)))
	}
	six := make([][]float32, 6)
	for c := range six {
		six[c] = sine(48_000, 1, 300+100*float64(c), 0.1)
	}
	for name, d := range map[string]*describe.Detail{
		"silence":    look(44_100, 0, make([]float32, 44_100)),
		"one sample": look(44_100, 120, []float32{0.5}),
		"short":      look(44_100, 120, sine(44_100, 0.02, 500, 0.3)),
		"8 kHz":      look(8000, 120, sine(8000, 2, 500, 0.3)),
		"192 kHz":    look(192_000, 120, sine(192_000, 2, 500, 0.3)),
		"1 Hz":       look(1, 120, sine(1, 50, 0.2, 0.3)),
		"six":        look(48_000, 120, six...),
		"infinite":   look(44_100, 120, inf),
	} {
		text, err := json.Marshal(d)
		if err != nil || strings.Contains(string(text), "e+3") {
			t.Errorf("%s: %v %s", name, err, text)
		}
		if name == "silence" && (d.Dissonance != nil || d.Hardness != nil || d.Warmth != nil || d.Reverbness != nil || d.Brightness != nil || d.Decay != nil || d.Tristimulus != nil) {
			t.Errorf("silence has %s", text)
		}
		if (name == "8 kHz" || name == "192 kHz" || name == "six") && (d.Dissonance == nil || d.Brightness == nil || d.Acum == nil || d.Depth == nil || d.Boominess == nil ||
			d.Hardness == nil || d.Warmth == nil || d.Reverbness == nil) {
			t.Errorf("%s lacks something: %s", name, text)
		}
	}
}

func BenchmarkDetail(b *testing.B) {
	const rate = 44_100
	left, right := beat(rate, 20, 120), noise(20*rate, 0.1, 2)
	for i := range left {
		right[i] += left[i]
	}
	b.ReportAllocs()
	for b.Loop() {
		look(rate, 120, left, right)
	}
	b.ReportMetric(20*float64(b.N)/b.Elapsed().Seconds(), "x-realtime")
}
