package describe

import (
	"math"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio/spectrum"
)

const (
	mfccCount     = 20
	melBands      = 40
	melLow        = 40.0
	melHigh       = 15000.0
	contrastBands = 6
	rolloffShare  = 0.85
	melFloor      = 1e-6 // of the frame's strongest band: 60 dB
	fluxFloor     = 1e-4 // of the strongest band so far
)

// Places of the features of one frame.
const (
	featMFCC       = 0                            // c0…c19
	featChroma     = featMFCC + mfccCount         // 12 pitch classes from C, largest 1
	featContrast   = featChroma + 12              // log(strongest / mean magnitude) in six bands
	featCentroid   = featContrast + contrastBands // log2 Hz
	featRolloff    = featCentroid + 1             // log2 Hz
	featZCR        = featRolloff + 1              // sign changes per sample
	featFlux       = featZCR + 1
	featLevel      = featFlux + 1 // dB
	featCentroidHz = featLevel + 1
	featSpread     = featCentroidHz + 1 // Hz
	featSkewness   = featSpread + 1
	featFlatness   = featSkewness + 1 // dB
	featRolloffHz  = featFlatness + 1
	featEntropy    = featRolloffHz + 1 // bits
	featCrest      = featEntropy + 1
	featEnergy     = featCrest + 1
	featComplexity = featEnergy + 1     // spectral peaks
	featDelta      = featComplexity + 1 // |change| of each MFCC
	featureCount   = featDelta + mfccCount
)

type features [featureCount]float64

// extractor computes the features of a frame; it holds the tables and scratch for one window size.
type extractor struct {
	binHz    float64
	first    int // lowest bin looked at, 40 Hz
	hz       []float32
	hz2, hz3 []float32
	mel      filters
	dct      [][]float32
	contrast [contrastBands + 1]int
	chromaTo int

	bands, logs []float32 // of the current frame
	heard, past []float32 // compressed bands for the flux
	reference   float32   // strongest band so far
	logPower    []float32
}

func newExtractor(rate, window int) *extractor {
	n := window/2 + 1
	e := &extractor{
		binHz: float64(rate) / float64(window), hz: make([]float32, n), hz2: make([]float32, n), hz3: make([]float32, n),
		bands: make([]float32, melBands), logs: make([]float32, melBands), heard: make([]float32, melBands), past: make([]float32, melBands),
		logPower: make([]float32, n), reference: 1e-9,
	}
	e.first = min(int(math.Ceil(40/e.binHz)), n-1)
	for i := range e.hz {
		khz := float64(i) * e.binHz / 1000 // keeps the cubes small
		e.hz[i], e.hz2[i], e.hz3[i] = float32(khz), float32(khz*khz), float32(khz*khz*khz)
	}
	bin := func(hz float64) int { return min(int(math.Round(hz/e.binHz)), n) }
	for i, hz := range [contrastBands + 1]float64{60, 300, 700, 1500, 3200, 6800, 15000} {
		e.contrast[i] = bin(hz)
	}
	e.chromaTo = min(bin(5000), n-1)
	e.mel, e.dct = melFilters(n, e.binHz, melBands), cosines()
	return e
}

// filters are triangles over bins, each of sum 1.
type filters struct {
	from    []int // first bin of each
	weights [][]float32
}

// melFilters builds triangles of equal width on the mel scale (O'Shaughnessy: 2595 log10(1 + f/700)) over n bins.
func melFilters(n int, binHz float64, bands int) (m filters) {
	mel := func(hz float64) float64 { return 2595 * math.Log10(1+hz/700) }
	edge := func(i int) float64 {
		at := mel(melLow) + (mel(melHigh)-mel(melLow))*float64(i)/float64(bands+1)
		return 700 * (math.Pow(10, at/2595) - 1) / binHz
	}
	for b := range bands {
		low, middle, high := edge(b), edge(b+1), edge(b+2)
		from := int(math.Ceil(low))
		var w []float32
		sum := 0.0
		for i := from; i < n && float64(i) < high; i++ {
			v := min((float64(i)-low)/(middle-low), (high-float64(i))/(high-middle))
			w = append(w, float32(v))
			sum += v
		}
		if sum < 0.5 && int(math.Round(middle)) < n { // narrower than a bin: take the nearest
			from, w, sum = int(math.Round(middle)), []float32{1}, 1
		}
		for i := range w {
			w[i] /= float32(sum)
		}
		m.from, m.weights = append(m.from, from), append(m.weights, w)
	}
	return m
}

// cosines are the rows of an orthonormal DCT-II over the mel bands.
func cosines() (rows [][]float32) {
	for k := range mfccCount {
		row := make([]float32, melBands)
		scale := math.Sqrt(2.0 / melBands)
		if k == 0 {
			scale = math.Sqrt(1.0 / melBands)
		}
		for b := range row {
			row[b] = float32(scale * math.Cos(math.Pi*float64(k)*(float64(b)+0.5)/melBands))
		}
		rows = append(rows, row)
	}
	return rows
}

// frame fills out with everything but level, flux and deltas, and returns the flux.
func (e *extractor) frame(f *spectrum.Frame, out *features) (flux float32) {
	*out = features{}
	flux = e.timbre(f, out)
	e.shape(f, out)
	e.contrasts(f, out)
	e.pitches(f.Magnitude, out)
	out[featZCR] = crossings(f.Samples[len(f.Samples)/2:])
	return flux
}

// timbre computes the MFCC and the flux from the mel bands.
func (e *extractor) timbre(f *spectrum.Frame, out *features) (flux float32) {
	var top float32
	for b, w := range e.mel.weights {
		e.bands[b] = 0
		if len(w) > 0 {
			e.bands[b] = f32.DotProduct(w, f.Power[e.mel.from[b]:])
		}
		top = max(top, e.bands[b])
	}
	floor := max(top*melFloor, 1e-20)
	for b, v := range e.bands {
		e.logs[b] = max(v, floor)
	}
	f32.Log(e.logs, e.logs)
	for k, row := range e.dct {
		out[featMFCC+k] = float64(f32.DotProduct(row, e.logs))
	}
	e.reference = max(e.reference, top)
	e.heard, e.past = e.past, e.heard
	f32.Scale(e.heard, e.bands, 1/(e.reference*fluxFloor))
	f32.AddScalar(e.heard, e.heard, 1)
	f32.Log(e.heard, e.heard)
	for b, v := range e.heard {
		flux += max(v-e.past[b], 0)
	}
	return flux / melBands
}

// shape computes the moments, roll-off, flatness, entropy and crest of the power spectrum.
func (e *extractor) shape(f *spectrum.Frame, out *features) {
	out[featCentroid], out[featRolloff] = math.Log2(40), math.Log2(40)
	out[featFlatness] = -100
	out[featEnergy] = float64(f.Total)
	if f.Total < 1e-16 {
		return
	}
	power, first := f.Power[e.first:], e.first
	total := float64(f.Total)
	m1 := float64(f32.DotProduct(power, e.hz[first:])) / total
	m2 := float64(f32.DotProduct(power, e.hz2[first:])) / total
	m3 := float64(f32.DotProduct(power, e.hz3[first:])) / total
	variance := max(m2-m1*m1, 0)
	out[featSpread] = 1000 * math.Sqrt(variance)
	if variance > 1e-9 {
		out[featSkewness] = (m3 - 3*m1*variance - m1*m1*m1) / math.Pow(variance, 1.5)
	}
	out[featCentroidHz] = float64(f.Centroid)
	out[featCentroid] = math.Log2(max(float64(f.Centroid), 40))
	logs := e.logPower[first:]
	f32.AddScalar(logs, power, f.Total*1e-12)
	f32.Log(logs, logs)
	mean := float64(f32.Sum(logs)) / float64(len(logs))
	out[featFlatness] = 10 / math.Ln10 * (mean - math.Log(total/float64(len(logs))))
	out[featEntropy] = max((math.Log(total)-float64(f32.DotProduct(power, logs))/total)/math.Ln2, 0)
	out[featCrest] = float64(f32.Max(power)) * float64(len(power)) / total
	left := f.Total * rolloffShare
	at := first
	for at+32 <= len(f.Power) { // whole stretches first
		s := f32.Sum(f.Power[at : at+32])
		if s >= left {
			break
		}
		left -= s
		at += 32
	}
	for at < len(f.Power)-1 && left > f.Power[at] {
		left -= f.Power[at]
		at++
	}
	hz := max(float64(at)*e.binHz, 40)
	out[featRolloffHz], out[featRolloff] = hz, math.Log2(hz)
}

func (e *extractor) contrasts(f *spectrum.Frame, out *features) {
	floor := float32(1e-5*math.Sqrt(float64(f.Total))) + 1e-12 // 100 dB below the frame: what rounding leaves says nothing
	for b := range contrastBands {
		from, to := e.contrast[b], e.contrast[b+1]
		if from >= to {
			continue
		}
		part := f.Magnitude[from:to]
		out[featContrast+b] = math.Log(float64((f32.Max(part) + floor) / (f32.Mean(part) + floor)))
	}
}

// pitches finds spectral peaks from 80 Hz to 5 kHz, places them between bins by a parabola through three log magnitudes, and adds their
// magnitudes up by pitch class (A = 440 Hz), each shared between the two nearest classes.
func (e *extractor) pitches(magnitude []float32, out *features) {
	from := max(int(80/e.binHz), 2)
	if from+2 >= e.chromaTo {
		return
	}
	floor := max(f32.Max(magnitude[from:e.chromaTo])*0.005, 1e-7)
	var classes [12]float64
	peaks := 0
	prev, here := magnitude[from-1], magnitude[from]
	for i := from; i < e.chromaTo; i++ {
		next := magnitude[i+1]
		if here > floor && here > prev && here >= next {
			peaks++
			// log power was computed by shape for the same frame
			a, b, c := e.logPower[i-1], e.logPower[i], e.logPower[i+1]
			shift := 0.0
			if d := float64(a - 2*b + c); d < 0 {
				shift = 0.5 * float64(a-c) / d
			}
			hz := (float64(i) + min(max(shift, -0.5), 0.5)) * e.binHz
			class := 12*math.Log2(hz/440) + 69 // MIDI note
			class -= 12 * math.Floor(class/12)
			low := int(class)
			w := class - float64(low)
			w = w * w * (3 - 2*w) // favors the nearer
			classes[low%12] += float64(here) * (1 - w)
			classes[(low+1)%12] += float64(here) * w
		}
		prev, here = here, next
	}
	out[featComplexity] = float64(peaks)
	top := 0.0
	for _, v := range classes {
		top = max(top, v)
	}
	if top > 0 {
		for p, v := range classes {
			out[featChroma+p] = v / top
		}
	}
}

// crossings is the share of neighbors with different signs.
func crossings(x []float32) float64 {
	if len(x) < 2 {
		return 0
	}
	n := uint32(0)
	last := math.Float32bits(x[0])
	for _, v := range x[1:] {
		b := math.Float32bits(v)
		n += (b ^ last) >> 31
		last = b
	}
	return float64(n) / float64(len(x)-1)
}
