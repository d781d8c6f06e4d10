// Package fingerprint recognizes a recording by Chromaprint's algorithm 2 ("TEST2"), so that its fingerprints compare with those
// of fpcalc and AcoustID.
//
// A stream is mixed to mono and brought to 11025 Hz; every 1365 samples a spectrum of 4096 samples is folded into twelve pitch
// classes, smoothed over five frames and normalized; sixteen filters over sixteen such frames give two bits each. So there are
// about eight 32-bit items a second, and none at all below 2.73 s. (Lukáš Lalinský, "How does Chromaprint work?", 2011;
// Ke, Hoiem, Sukthankar, "Computer vision for music identification", 2005.)
//
// It holds the items (4 bytes each, 2.8 MB for a day of sound) and a window of samples.
//
//	f, err := fingerprint.New(44100, 2)
//	for each block { f.Write(block) }
//	items := f.Result()              // what fpcalc -raw -length 0 prints
//	text := fingerprint.Encode(items) // what fpcalc prints
//
// A block that is not finite is made so in place (audio.Scrub).
package fingerprint

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/fft"
	"audiomicro/internal/audio/resample"
)

const (
	rate       = 11025
	window     = 4096
	hop        = window / 3
	pitches    = 12
	lowestHz   = 28
	highestHz  = 3520
	width      = 16 // frames under the widest filter
	smoothing  = 5
	quietest   = 0.01 // norm below which a frame counts as silence
	int16Scale = 32768
)

// Analyzer fingerprints one stream; it is not safe for concurrent use.
type Analyzer struct {
	channels int
	resample *resample.Resampler
	mono     []float32
	plan     *fft.Plan
	hamming  []float32
	pitch    [window/2 + 1]int8 // pitch class of each bin, -1 outside the range
	buf      []float32          // samples at 11025 Hz not yet consumed
	power    []float32
	recent   [smoothing][pitches]float64
	frames   int                         // pitch frames so far
	image    [width][pitches + 1]float64 // ring of the last normalized frames, summed over pitch
	columns  int                         // normalized frames so far
	items    []uint32
	done     bool
}

// New prepares a fingerprint of a stream of the given rate in Hz. A rate that cannot be brought to 11025 Hz is an error.
func New(from, channels int) (*Analyzer, error) {
	q := resample.Fingerprint
	if from < rate { // Chromaprint's cutoff counts from the output's Nyquist frequency
		q.Cutoff = math.Min(1, q.Cutoff*rate/float64(max(from, 1)))
	}
	r, err := resample.New(from, rate, 1, q)
	if err != nil {
		return nil, fmt.Errorf("fingerprint: %w", err)
	}
	plan, err := fft.New(window)
	if err != nil {
		return nil, fmt.Errorf("fingerprint: %w", err)
	}
	a := &Analyzer{channels: max(channels, 1), resample: r, plan: plan, hamming: make([]float32, window), power: make([]float32, window/2+1)}
	for i := range a.hamming {
		a.hamming[i] = float32((0.54 - 0.46*math.Cos(2*math.Pi*float64(i)/(window-1))) / math.MaxInt16)
	}
	first := int(math.Round(window * lowestHz / float64(rate)))
	last := int(math.Round(window * highestHz / float64(rate)))
	for i := range a.pitch {
		a.pitch[i] = -1
		if i >= first && i < last {
			octave := math.Log2(float64(i) * rate / window / (440.0 / 16))
			a.pitch[i] = int8(pitches * (octave - math.Floor(octave)))
		}
	}
	return a, nil
}

// Write takes a block of any length.
func (a *Analyzer) Write(planar [][]float32) {
	if len(planar) < a.channels || len(planar[0]) == 0 || a.done {
		return
	}
	planar = planar[:a.channels]
	audio.Scrub(planar)
	x := planar[0]
	if a.channels > 1 {
		a.mono = append(a.mono[:0], x...)
		for _, ch := range planar[1:] {
			f32.Add(a.mono, a.mono, ch[:len(a.mono)])
		}
		f32.Scale(a.mono, a.mono, 1/float32(a.channels))
		x = a.mono
	}
	a.take(a.resample.Write([][]float32{x})[0])
}

// take rounds samples to 16 bits, as the original is fed, and looks at every complete window.
func (a *Analyzer) take(x []float32) {
	at := len(a.buf)
	a.buf = append(a.buf, x...)
	for i, v := range a.buf[at:] {
		a.buf[at+i] = float32(math.RoundToEven(min(max(float64(v)*int16Scale, math.MinInt16), math.MaxInt16)))
	}
	used := 0
	for ; len(a.buf)-used >= window; used += hop {
		a.look(a.buf[used : used+window])
	}
	a.buf = a.buf[:copy(a.buf, a.buf[used:])]
}

func (a *Analyzer) look(x []float32) {
	a.plan.Power(a.power, x, a.hamming)
	frame := &a.recent[a.frames%smoothing]
	clear(frame[:])
	for i, p := range a.pitch {
		if p >= 0 {
			frame[p] += float64(a.power[i])
		}
	}
	a.frames++
	if a.frames < smoothing {
		return
	}
	var smooth [pitches]float64
	norm := 0.0
	for p := range smooth {
		for j, weight := range [smoothing]float64{0.25, 0.75, 1, 0.75, 0.25} {
			smooth[p] += weight * a.recent[(a.frames+j)%smoothing][p]
		}
		norm += smooth[p] * smooth[p]
	}
	norm = math.Sqrt(norm)
	column := &a.image[a.columns%width]
	for p, v := range smooth {
		if norm < quietest {
			v = 0
		} else {
			v /= norm
		}
		column[p+1] = column[p] + v
	}
	a.columns++
	if a.columns >= width {
		a.items = append(a.items, a.item())
	}
}

// Result ends the stream and returns its items; none for a stream shorter than 2.73 s.
func (a *Analyzer) Result() []uint32 {
	if !a.done {
		a.take(a.resample.Flush()[0])
		a.done = true
	}
	return a.items
}

// filter is one of Chromaprint's trained Haar-like filters with the thresholds of its quantizer.
type filter struct {
	kind, pitch, height, width int
	limits                     [3]float64
}

// filters are the published constants of algorithm 2.
var filters = [16]filter{
	{0, 4, 3, 15, [3]float64{1.98215, 2.35817, 2.63523}},
	{4, 4, 6, 15, [3]float64{-1.03809, -0.651211, -0.282167}},
	{1, 0, 4, 16, [3]float64{-0.298702, 0.119262, 0.558497}},
	{3, 8, 2, 12, [3]float64{-0.105439, 0.0153946, 0.135898}},
	{3, 4, 4, 8, [3]float64{-0.142891, 0.0258736, 0.200632}},
	{4, 0, 3, 5, [3]float64{-0.826319, -0.590612, -0.368214}},
	{1, 2, 2, 9, [3]float64{-0.557409, -0.233035, 0.0534525}},
	{2, 7, 3, 4, [3]float64{-0.0646826, 0.00620476, 0.0784847}},
	{2, 6, 2, 16, [3]float64{-0.192387, -0.029699, 0.215855}},
	{2, 1, 3, 2, [3]float64{-0.0397818, -0.00568076, 0.0292026}},
	{5, 10, 1, 15, [3]float64{-0.53823, -0.369934, -0.190235}},
	{3, 6, 2, 10, [3]float64{-0.124877, 0.0296483, 0.139239}},
	{2, 1, 1, 14, [3]float64{-0.101475, 0.0225617, 0.231971}},
	{3, 5, 6, 4, [3]float64{-0.0799915, -0.00729616, 0.063262}},
	{1, 9, 2, 12, [3]float64{-0.272556, 0.019424, 0.302559}},
	{3, 4, 2, 14, [3]float64{-0.164292, -0.0321188, 0.0846339}},
}

// item applies all filters to the last sixteen frames.
func (a *Analyzer) item() uint32 {
	var item uint32
	for i := range filters {
		f := &filters[i]
		plus, minus := a.apply(f)
		v := math.Log((1 + plus) / (1 + minus))
		level := uint32(0)
		for _, limit := range f.limits {
			if v >= limit {
				level++
			}
		}
		item = item<<2 | (level ^ level>>1) // Gray code
	}
	return item
}

// apply sums the two areas that a filter compares.
func (a *Analyzer) apply(f *filter) (plus, minus float64) {
	y, h, w := f.pitch, f.height, f.width
	switch f.kind {
	case 0:
		return a.area(0, w, y, y+h), 0
	case 1:
		return a.area(0, w, y+h/2, y+h), a.area(0, w, y, y+h/2)
	case 2:
		return a.area(w/2, w, y, y+h), a.area(0, w/2, y, y+h)
	case 3:
		return a.area(0, w/2, y+h/2, y+h) + a.area(w/2, w, y, y+h/2), a.area(0, w/2, y, y+h/2) + a.area(w/2, w, y+h/2, y+h)
	case 4:
		return a.area(0, w, y+h/3, y+2*(h/3)), a.area(0, w, y, y+h/3) + a.area(0, w, y+2*(h/3), y+h)
	default:
		return a.area(w/3, 2*(w/3), y, y+h), a.area(0, w/3, y, y+h) + a.area(2*(w/3), w, y, y+h)
	}
}

// area sums pitches [low, high) over frames [from, to) of the sixteen in view.
func (a *Analyzer) area(from, to, low, high int) (sum float64) {
	for x := from; x < to; x++ {
		column := &a.image[(a.columns+x)%width]
		sum += column[high] - column[low]
	}
	return sum
}

const (
	bruteForce = 1 << 24 // pairs of items up to which every offset is tried
	minOverlap = 8       // items two fingerprints must share, unless one is shorter
	candidates = 12
)

// Similarity aligns two fingerprints. The error is the share of bits that differ over the overlap at the best offset: 0 for
// the same recording, 0.5 for unrelated ones (and 1 when one is empty). The offset is where b
// begins in a, in items of 0.124 s.
func Similarity(a, b []uint32) (bitError float64, offset int) {
	if len(a) == 0 || len(b) == 0 {
		return 1, 0
	}
	need := min(minOverlap, len(a), len(b))
	best, at := 1.0, 0
	try := func(off int) {
		if e, n := errorAt(a, b, off); n >= need && e < best {
			best, at = e, off
		}
	}
	if len(a)*len(b) <= bruteForce {
		for off := need - len(b); off <= len(a)-need; off++ {
			try(off)
		}
		return best, at
	}
	for _, off := range voted(a, b) {
		for d := -2; d <= 2; d++ {
			try(off + d)
		}
	}
	return best, at
}

// errorAt is the share of differing bits when b begins at item off of a, and the number of items compared.
func errorAt(a, b []uint32, off int) (float64, int) {
	if off < 0 {
		if -off >= len(b) {
			return 1, 0
		}
		b = b[-off:]
	} else {
		if off >= len(a) {
			return 1, 0
		}
		a = a[off:]
	}
	n := min(len(a), len(b))
	wrong := 0
	b = b[:n]
	for i, v := range a[:n] {
		wrong += bits.OnesCount32(v ^ b[i])
	}
	return float64(wrong) / float64(32*n), n
}

// voted returns the offsets at which most items agree in their upper 20 bits.
func voted(a, b []uint32) []int {
	const common = 64 // an item seen more often says nothing about place
	places := make(map[uint32][]int32)
	for i, v := range b {
		if p := places[v>>12]; len(p) < common {
			places[v>>12] = append(p, int32(i))
		}
	}
	votes := make([]int32, len(a)+len(b))
	for i, v := range a {
		p := places[v>>12]
		if len(p) == common {
			continue
		}
		for _, j := range p {
			votes[i-int(j)+len(b)]++
		}
	}
	var offsets []int
	for range candidates {
		best := 0
		for i, n := range votes {
			if n > votes[best] {
				best = i
			}
		}
		if votes[best] == 0 {
			break
		}
		offsets = append(offsets, best-len(b))
		votes[best] = 0
	}
	return offsets
}
