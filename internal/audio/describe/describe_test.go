package describe_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/audio/spectrum"
)

// run describes a stream in blocks.
func run(rate, block int, planar ...[]float32) *describe.Result {
	s := spectrum.New(rate, len(planar))
	d := describe.New(rate)
	s.OnFrame = d.Frame
	view := make([][]float32, len(planar))
	for at := 0; at < len(planar[0]); at += block {
		for c := range planar {
			view[c] = planar[c][at:min(at+block, len(planar[c]))]
		}
		s.Write(view)
	}
	return d.Result(s.Result().Frames)
}

func sine(rate int, seconds, hz, amplitude float64) []float32 {
	x := make([]float32, int(seconds*float64(rate)))
	for i := range x {
		x[i] = float32(amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return x
}

func noise(frames int, amplitude float64, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 5))
	x := make([]float32, frames)
	for i := range x {
		x[i] = float32(amplitude * rng.NormFloat64())
	}
	return x
}

// hit adds a decaying burst of noise or tone at a time.
func hit(x []float32, rate int, at, hz, decay, amplitude float64, rng *rand.Rand) {
	from := int(at * float64(rate))
	for i := from; i < len(x) && i < from+rate; i++ {
		t := float64(i-from) / float64(rate)
		v := rng.NormFloat64() * 0.4
		if hz > 0 {
			v = math.Sin(2 * math.Pi * hz * t)
		}
		x[i] += float32(amplitude * v * math.Exp(-t*decay))
	}
}

// beat plays a drum pattern: kick on every beat, louder noise on every second, quiet noise on the halves.
func beat(rate int, seconds, bpm float64) []float32 {
	rng := rand.New(rand.NewPCG(3, uint64(bpm)))
	x := make([]float32, int(seconds*float64(rate)))
	for k := 0; float64(k)*60/bpm < seconds; k++ {
		t := float64(k) * 60 / bpm
		hit(x, rate, t, 60, 18, 0.7, rng)
		if k%2 == 1 {
			hit(x, rate, t, 0, 25, 0.6, rng)
		}
		hit(x, rate, t+30/bpm, 0, 60, 0.15, rng)
	}
	return x
}

func TestTempo(t *testing.T) {
	t.Parallel()
	for _, bpm := range []float64{72, 90, 101.3, 120, 128, 140, 174} {
		for _, rate := range []int{44100, 96000} {
			if rate == 96000 && bpm != 120 {
				continue
			}
			r := run(rate, 4096, beat(rate, 30, bpm))
			octave := math.Round(math.Log2(r.BPM / bpm))
			if got := r.BPM / math.Exp2(octave); math.Abs(got-bpm) > 0.01*bpm || math.Abs(octave) > 1 {
				t.Errorf("%g BPM at %d Hz: %.2f", bpm, rate, r.BPM)
			}
			if bpm >= 90 && bpm <= 128 && octave != 0 {
				t.Errorf("%g BPM: octave error, %.2f", bpm, r.BPM)
			}
			if r.BPMConfidence < 0.05 { // every second stroke is louder: half as fast would do as well, so it is not sure
				t.Errorf("%g BPM: confidence %.2f", bpm, r.BPMConfidence)
			}
			if want := int(r.BPM * 30 / 60); r.BeatCount < want-1 || r.BeatCount > want+1 {
				t.Errorf("%g BPM: %d beats in 30 s", r.BPM, r.BeatCount)
			}
		}
	}
	even, rng := make([]float32, 44100*30), rand.New(rand.NewPCG(9, 9))
	for k := range 60 {
		hit(even, 44100, float64(k)/2, 60, 18, 0.7, rng)
	}
	if r := run(44100, 4096, even); math.Abs(r.BPM-120) > 1 || r.BPMConfidence < 0.5 {
		t.Errorf("60 even strokes in 30 s: %.1f BPM with confidence %.2f", r.BPM, r.BPMConfidence)
	}
	for name, x := range map[string][]float32{"noise": noise(44100*20, 0.1, 1), "sine": sine(44100, 20, 440, 0.5), "hit": beat(44100, 0.4, 60)} {
		if r := run(44100, 4096, x); r.BPMConfidence > 0.2 {
			t.Errorf("%s has %.1f BPM with confidence %.2f", name, r.BPM, r.BPMConfidence)
		}
	}
}

// scale plays tones of a key, the tonic triad longer.
func scale(rate int, tonic float64, minor bool) []float32 {
	steps := []int{0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0, 4, 7, 12, 0}
	if minor {
		steps = []int{0, 2, 3, 5, 7, 8, 11, 12, 7, 3, 0, 3, 7, 12, 0}
	}
	var x []float32
	for _, s := range steps {
		note := make([]float32, rate/2)
		for h := 1; h <= 3; h++ {
			for i, v := range sine(rate, 0.5, tonic*math.Exp2(float64(s)/12)*float64(h), 0.2/float64(h)) {
				note[i] += v * float32(math.Exp(-3*float64(i)/float64(rate)))
			}
		}
		x = append(x, note...)
	}
	return x
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hz    float64
		minor bool
		want  string
	}{
		{261.63, false, "C major"}, {220, true, "A minor"}, {277.18, true, "C# minor"}, {392, false, "G major"}, {466.16, false, "A# major"}, {329.63, true, "E minor"},
	} {
		r := run(44100, 4096, scale(44100, c.hz, c.minor))
		if r.Tonality != c.want || r.Confidence < 0.4 {
			t.Errorf("%s was heard as %s (%.2f)", c.want, r.Tonality, r.Confidence)
		}
	}
	if r := run(44100, 4096, noise(44100*10, 0.1, 2)); r.Confidence > 0.15 {
		t.Errorf("noise is in %s with confidence %.2f", r.Tonality, r.Confidence)
	}
}

// saw adds up harmonics of a fundamental that may bend by a number of semitones.
func saw(rate int, seconds, hz, bend float64) []float32 {
	x := make([]float32, int(seconds*float64(rate)))
	phase := 0.0
	for i := range x {
		phase += hz * math.Exp2(bend*float64(i)/float64(len(x))/12) / float64(rate)
		for h := 1; h <= 12; h++ {
			x[i] += float32(0.3 / float64(h) * math.Sin(2*math.Pi*phase*float64(h)))
		}
	}
	return x
}

func TestPitch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		rate int
		x    []float32
		hz   float64 // 0: none
		note string
	}{
		{"sine A4", 44100, sine(44100, 2, 440, 0.5), 440, "A4"},
		{"saw A2", 44100, saw(44100, 2, 110, 0), 110, "A2"},
		{"saw C4 at 96 kHz", 96000, saw(96000, 1, 261.63, 0), 261.63, "C4"},
		{"saw E1 is too low", 44100, saw(44100, 2, 41.2, 0), 82.4, ""},
		{"sine C7", 44100, sine(44100, 1, 2093, 0.5), 2093, "C7"},
		{"short A3", 22050, saw(22050, 0.2, 220, 0), 220, "A3"},
		{"gliding saw", 44100, saw(44100, 4, 110, 12), 159, ""},
		{"noise", 44100, noise(88200, 0.1, 1), 0, ""},
		{"silence", 44100, make([]float32, 44100), 0, ""},
	} {
		r := run(c.rate, 4096, c.x)
		if c.name == "saw E1 is too low" {
			if r.NoteName != "" && r.NoteName != "E1" && r.NoteName != "E2" {
				t.Errorf("%s: %s", c.name, r.NoteName)
			}
			continue
		}
		if math.Abs(r.Pitch-c.hz) > 0.006*c.hz || r.NoteName != c.note || (c.note != "") != (r.NoteConfidence > 0.7) {
			t.Errorf("%s: %.2f Hz (%.2f), note %q (%.2f); want %g, %q", c.name, r.Pitch, r.PitchConfidence, r.NoteName, r.NoteConfidence, c.hz, c.note)
		}
	}
}

func TestSpectralShape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		x      []float32
		value  func(*describe.Result) float64
		lo, hi float64
	}{
		{"centroid of 1 kHz", sine(44100, 2, 1000, 0.5), func(r *describe.Result) float64 { return r.Centroid }, 980, 1030},
		{"rolloff of 1 kHz", sine(44100, 2, 1000, 0.5), func(r *describe.Result) float64 { return r.Rolloff }, 960, 1040},
		{"zero crossings of 1 kHz", sine(44100, 2, 1000, 0.5), func(r *describe.Result) float64 { return r.ZeroCrossingRate }, 0.044, 0.0465},
		{"energy of full scale", sine(44100, 2, 1000, 1), func(r *describe.Result) float64 { return r.Energy }, 1.4, 1.55},
		{"flatness of white noise", noise(88200, 0.1, 1), func(r *describe.Result) float64 { return r.Flatness }, -3.2, -2},
		{"flatness of a sine", sine(44100, 2, 1000, 0.5), func(r *describe.Result) float64 { return r.Flatness }, -200, -40},
		{"centroid of white noise", noise(88200, 0.1, 1), func(r *describe.Result) float64 { return r.Centroid }, 10800, 11300},
		{"entropy of white noise", noise(88200, 0.1, 1), func(r *describe.Result) float64 { return r.Entropy }, 9, 10.1},
		{"entropy of a sine", sine(44100, 2, 1000, 0.5), func(r *describe.Result) float64 { return r.Entropy }, 0.5, 2.5},
		{"peaks of a sine", sine(44100, 2, 1000, 0.5), func(r *describe.Result) float64 { return r.Complexity }, 1, 4},
		{"silence of noise", noise(88200, 0.1, 1), func(r *describe.Result) float64 { return r.SilenceRate }, 0, 0},
		{"silence of half silence", append(noise(88200, 0.1, 1), make([]float32, 88200)...), func(r *describe.Result) float64 { return r.SilenceRate }, 0.47, 0.53},
		{"temporal centroid of half silence", append(noise(88200, 0.1, 1), make([]float32, 88200)...), func(r *describe.Result) float64 { return r.CentroidRatio }, 0.24, 0.26},
		{"effective duration of half silence", append(noise(88200, 0.1, 1), make([]float32, 88200)...), func(r *describe.Result) float64 { return r.Effective }, 1.95, 2.05},
		{"start after a second", append(make([]float32, 44100), noise(88200, 0.1, 1)...), func(r *describe.Result) float64 { return r.StartTime }, 0.99, 1.01},
		{"class A of 440 Hz", sine(44100, 2, 440, 0.5), func(r *describe.Result) float64 { return r.HPCP[9] }, 0.95, 1},
		{"crest of one class", sine(44100, 2, 440, 0.5), func(r *describe.Result) float64 { return r.HPCPCrest }, 9, 12},
	} {
		if v := c.value(run(44100, 4096, c.x)); !(v >= c.lo && v <= c.hi) {
			t.Errorf("%s is %.4g, want %g…%g", c.name, v, c.lo, c.hi)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 8))
	drum := make([]float32, 44100)
	hit(drum, 44100, 0.05, 180, 12, 0.8, rng)
	four := make([]float32, 3*44100)
	for k := range 4 {
		hit(four, 44100, 0.3+0.6*float64(k)+0.05*float64(k*k%3), 0, 30, 0.5, rng)
	}
	loop := beat(44100, 4, 120) // eight beats
	for _, c := range []struct {
		name           string
		x              []float32
		onsets         int
		single, looped bool
	}{
		{"one drum", drum, 1, true, false},
		{"four noises", four, 4, false, false},
		{"eight beats", loop, 16, false, true},
		{"eight beats and a half", beat(44100, 4.25, 120), 17, false, false},
		{"steady noise", noise(44100*5, 0.1, 2), 1, false, true},
		{"silence", make([]float32, 44100), 0, false, false},
	} {
		r := run(44100, 4096, c.x)
		if r.OnsetCount < c.onsets*3/4 || r.OnsetCount > c.onsets+1 || r.SingleEvent != c.single || r.Loopable != c.looped {
			t.Errorf("%s: %d onsets, single %v, loopable %v (%.1f BPM %.2f); want %d, %v, %v", c.name, r.OnsetCount, r.SingleEvent, r.Loopable, r.BPM, r.BPMConfidence, c.onsets, c.single, c.looped)
		}
		if len(r.OnsetTimes) != r.OnsetCount {
			t.Errorf("%s: %d times for %d onsets", c.name, len(r.OnsetTimes), r.OnsetCount)
		}
	}
	r := run(44100, 4096, four)
	if len(r.OnsetTimes) == 4 {
		for k, at := range r.OnsetTimes {
			if want := 0.3 + 0.6*float64(k) + 0.05*float64(k*k%3); math.Abs(at-want) > 0.03 {
				t.Errorf("onset %d at %.3f s, want %.3f", k, at, want)
			}
		}
	}
}

// cosine says how alike two descriptions are in the space that the program ships.
func cosine(t *testing.T, x, y []float64) float64 {
	t.Helper()
	space, err := likeness.Open()
	if err != nil {
		t.Fatal(err)
	}
	a, b := space.Project(space.Pack(x)), space.Project(space.Pack(y))
	if len(a) != likeness.Dims || len(b) != likeness.Dims {
		t.Fatalf("projected to %d and %d dimensions", len(a), len(b))
	}
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// TestVectorHearsThrough gain, noise, padding and another rate, and tells other sounds apart.
func TestVectorHearsThrough(t *testing.T) {
	t.Parallel()
	original := beat(44100, 6, 110)
	base := run(44100, 4096, original)
	quieter := make([]float32, len(original))
	noisy := make([]float32, len(original))
	for i, v := range original {
		quieter[i] = v / 8
		noisy[i] = v
	}
	for i, v := range noise(len(original), 0.0005, 4) {
		noisy[i] += v
	}
	for name, x := range map[string][]float32{"quieter": quieter, "noisy": noisy} {
		if c := cosine(t, base.Vector, run(44100, 4096, x).Vector); c < 0.85 {
			t.Errorf("%s: cosine %.3f", name, c)
		}
	}
	if c := cosine(t, base.Vector, run(44100, 4096, quieter).Vector); c < 0.999 {
		t.Errorf("gain changes the vector: cosine %.4f", c)
	}
	if c := cosine(t, base.Vector, run(44100, 777, original, original).Vector); c < 0.9999 {
		t.Errorf("a second equal channel or other blocks change the vector: cosine %.5f", c)
	}
	for name, x := range map[string][]float32{"scale": scale(44100, 220, true), "noise": noise(44100*6, 0.1, 1)} {
		if c := cosine(t, base.Vector, run(44100, 4096, x).Vector); c > 0.6 {
			t.Errorf("a beat sounds like %s: cosine %.3f", name, c)
		}
	}
}

func TestNothingIsEverInfinite(t *testing.T) {
	t.Parallel()
	dc := make([]float32, 30000)
	huge := noise(30000, 1e5, 3)
	impulse := make([]float32, 30000)
	for i := range dc {
		dc[i] = 1
	}
	impulse[15000] = 1
	square := make([]float32, 30000)
	for i := range square {
		square[i] = float32(1 - 2*(i/50%2))
	}
	for name, x := range map[string][]float32{
		"empty": {}, "one sample": {0.5}, "silence": make([]float32, 30000), "DC": dc, "huge": huge, "impulse": impulse, "square": square,
		"whisper": noise(30000, 1e-7, 1), "subnormal": noise(30000, 1e-40, 1), "short": noise(441, 0.1, 1),
	} {
		for _, rate := range []int{44100, 1000, 768000, 1, 0} {
			what := fmt.Sprintf("%s at %d Hz", name, rate)
			r := run(rate, 4096, x)
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			for i, v := range r.Vector {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s: vector[%d] = %g", what, i, v)
				}
			}
		}
	}
}

func BenchmarkSpectrumAndDescription(b *testing.B) {
	x := beat(44100, 20, 120)
	for b.Loop() {
		run(44100, 4096, x, x)
	}
	b.ReportMetric(float64(b.N)*20/b.Elapsed().Seconds(), "x-realtime")
}
