package describe

import (
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	medianTaps    = 9    // of both filters
	medianFrames  = 2    // frames between taps: 17 frames, 0.39 s
	medianBins    = 4    // bins between taps: 33 bins, 710 Hz
	percussionTop = 10e3 // Hz up to which it looks
)

// percussion parts a sound into what lasts and what strikes: a median along time keeps what lasts, one along frequency what strikes, and each bin
// is shared by the squares of both (Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010). AudioCommons has librosa's, with 31
// taps at every frame and bin; here 9 taps span as much, and amplitudes are told from the spectrum.
type percussion struct {
	n       int
	ring    [medianFrames*(medianTaps-1) + 1][]float32 // magnitudes, with medianBins*(medianTaps/2) zeros at both ends
	frames  int
	taps    [medianTaps][]float32
	a, b, c []float32
	strikes float64 // sums of amplitudes
	lasts   float64
}

// offsetBins hold what an offset is under a Hann window: it lasts, and nobody hears it.
const offsetBins = 2

const medianMargin = medianBins * (medianTaps / 2)

func newPercussion(bins int, binHz float64) *percussion {
	p := &percussion{n: min(bins, int(percussionTop/binHz)+1)}
	for i := range p.ring {
		p.ring[i] = make([]float32, p.n+2*medianMargin)
	}
	for i := range p.taps {
		p.taps[i] = make([]float32, p.n)
	}
	p.a, p.b, p.c = make([]float32, p.n), make([]float32, p.n), make([]float32, p.n)
	return p
}

// frame takes the magnitudes of the next frame; nil is silence.
func (p *percussion) frame(magnitude []float32) {
	into := p.ring[p.frames%len(p.ring)][medianMargin:]
	if magnitude == nil {
		clear(into[:p.n])
	} else {
		copy(into[:p.n], magnitude)
		clear(into[:min(offsetBins, p.n)])
	}
	p.frames++
	half := len(p.ring) / 2
	if p.frames <= half {
		return
	}
	center := p.frames - 1 - half
	x := p.ring[center%len(p.ring)]
	here := x[medianMargin : medianMargin+p.n]
	if f32.Max(here) < 1e-7 {
		return
	}
	for k := range medianTaps {
		at := (p.frames - 1 - k*medianFrames + 2*len(p.ring)) % len(p.ring)
		copy(p.taps[k], p.ring[at][medianMargin:medianMargin+p.n])
	}
	p.median()
	copy(p.a, p.taps[medianTaps/2]) // what lasts
	for k := range medianTaps {
		copy(p.taps[k], x[k*medianBins:k*medianBins+p.n])
	}
	p.median()
	strikes, lasts := p.taps[medianTaps/2], p.a
	f32.Mul(strikes, strikes, strikes)
	f32.Mul(lasts, lasts, lasts)
	f32.Add(p.b, strikes, lasts)
	f32.AddScalar(p.b, p.b, 1e-20)
	f32.Div(strikes, strikes, p.b) // shares
	f32.Div(lasts, lasts, p.b)
	f32.Mul(p.b, strikes, here)
	f32.Mul(p.c, lasts, here)
	p.strikes += math.Sqrt(float64(f32.SumOfSquares(p.b)))
	p.lasts += math.Sqrt(float64(f32.SumOfSquares(p.c)))
}

// median leaves the median of the taps in the middle one, by Smith's network of 19 comparisons ("Implementing median filters in XC4000E FPGAs", 1996).
func (p *percussion) median() {
	for _, c := range [19][2]int{{1, 2}, {4, 5}, {7, 8}, {0, 1}, {3, 4}, {6, 7}, {1, 2}, {4, 5}, {7, 8}, {0, 3}, {5, 8}, {4, 7}, {3, 6}, {1, 4}, {2, 5}, {4, 7}, {4, 2}, {6, 4}, {4, 2}} {
		low, high := p.taps[c[0]], p.taps[c[1]]
		f32.Sub(p.b, low, high) // what the lower one has too much
		f32.ReLU(p.b, p.b)
		f32.Sub(low, low, p.b)
		f32.Add(high, high, p.b)
	}
}

// share is how much of the amplitude strikes, 0 to 1, once all frames were taken.
func (p *percussion) share() (float64, bool) {
	for range len(p.ring) / 2 {
		p.frame(nil)
	}
	return p.strikes / max(p.strikes+p.lasts, 1e-12), p.strikes+p.lasts > 0
}
