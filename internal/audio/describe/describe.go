// Package describe turns a stream into numbers for search: a vector of 278 for "sounds like" (package likeness compares them), tempo, key, pitch, onsets, and the
// descriptors of the Freesound API that can be computed honestly from one short-time spectrum.
//
// It looks at the frames of package spectrum, so that the transform is shared:
//
//	s := spectrum.New(rate, channels)
//	d := describe.New(rate)
//	s.OnFrame = d.Frame
//	for each block { s.Write(block) }
//	pictures := s.Result()      // first: hands out the last frames
//	r := d.Result(pictures.Frames)
//	r.Vector, r.BPM, r.Tonality …
//
// It keeps running moments of every feature in steps of 1.5 dB of the frame's level, so that frames more than 60 dB below
// the loudest can be left out once that is known; an envelope that is folded two by two when it exceeds 8192 cells; and the
// onset strength of the first 100 minutes or so. Memory stays below 2 MB. No number it returns is NaN or infinite.
package describe

import (
	"math"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/spectrum"
)

// VectorVersion names the features of Vector and their order. Vectors of different versions do not compare.
const VectorVersion = 2

// Version names the formulas of Result. Raise it when one of them changes what recordings are told to be, as their tempo: what an older
// version described is listened to again in the background. VectorVersion counts its hundreds, so that raising that raises this too.
const Version = 100*VectorVersion + 1

// VectorSize is the length of Vector: 110 features of the whole sound, and how 24 bands of its opening rise and die away.
const VectorSize = wholeSize + openingSteps*openingBands

const (
	levelStep   = 1.5    // dB per bucket
	levelLow    = -150.0 // dB below which frames are silence
	levels      = 120    // buckets: up to +30 dB
	activeRange = 60.0   // dB below the loudest frame that still count
	activeFade  = 12.0   // dB over which they fade in, so that no frame decides anything by a hair
	maxFlux     = 1 << 18
)

// Analyzer collects one stream; it is not safe for concurrent use.
type Analyzer struct {
	rate     float64 // Hz
	fps      float64 // frames a second
	extract  *extractor
	pitch    *pitcher
	strokes  strokes
	now      features
	last     features
	started  bool
	moments  [levels]moments
	loudest  float64 // dB
	quiet    int64   // frames below -60 dBFS
	frames   int64
	flux     []float32
	envelope envelope
	opening  *opening
	ends     ends
	chroma   [12]float64 // frames' pitch classes weighted by amplitude
}

// moments are sums over the frames of one level.
type moments struct {
	count       int64
	sum, square [featureCount]float64
}

// New prepares an analyzer for frames of a stream of the given rate in Hz.
func New(rate int) *Analyzer {
	rate = max(rate, 1)
	window := spectrum.WindowSize(rate)
	pitch, err := newPitcher(rate, window)
	if err != nil {
		panic("describe: " + err.Error()) // WindowSize returns powers of two only
	}
	return &Analyzer{
		strokes: strokes{most: int(contour.Seconds * float64(rate) / float64(window/2))},
		pitch:   pitch, rate: float64(rate), fps: float64(rate) / float64(window/2), extract: newExtractor(rate, window),
		envelope: newEnvelope(rate, window/2), opening: newOpening(rate), loudest: levelLow,
	}
}

// Frame takes the next frame of the stream; it has the shape of spectrum.Analyzer.OnFrame.
func (a *Analyzer) Frame(f *spectrum.Frame) {
	a.frames++
	heard := f.Samples[len(f.Samples)/2:] // the earlier half came with the frame before
	a.envelope.add(heard)
	a.opening.add(heard)
	level := 10 * math.Log10(float64(f.Total)+1e-20)
	if level < -60 {
		a.quiet++
	}
	flux := a.extract.frame(f, &a.now)
	a.pitch.frame(f, a.extract.first, level)
	a.strokes.frame(f)
	if len(a.flux) < maxFlux {
		a.flux = append(a.flux, flux)
	}
	a.now[featLevel] = level
	a.now[featFlux] = float64(flux)
	for k := range mfccCount {
		d := 0.0
		if a.started {
			d = math.Abs(a.now[featMFCC+k] - a.last[featMFCC+k])
		}
		a.now[featDelta+k] = d
	}
	a.ends.add(a.now)
	if level < levelLow {
		a.started = false
		return
	}
	a.loudest = max(a.loudest, level)
	m := &a.moments[min(int((level-levelLow)/levelStep), levels-1)]
	m.count++
	for i, v := range a.now {
		m.sum[i] += v
		m.square[i] += v * v
	}
	amplitude := math.Sqrt(float64(f.Total))
	for p := range a.chroma {
		a.chroma[p] += amplitude * a.now[featChroma+p]
	}
	a.last, a.started = a.now, true
}

// statistics are means and standard deviations over the active frames, weighted.
type statistics struct {
	count     float64
	mean, std features
	loudest   float64 // dB
}

func (a *Analyzer) statistics() (s statistics) {
	s.loudest = a.loudest
	var sum, square features
	for b := range a.moments {
		m := &a.moments[b]
		above := levelLow + levelStep*(float64(b)+0.5) - (a.loudest - activeRange)
		weight := min(above/activeFade, 1)
		if m.count == 0 || weight <= 0 {
			continue
		}
		s.count += weight * float64(m.count)
		for i := range sum {
			sum[i] += weight * m.sum[i]
			square[i] += weight * m.square[i]
		}
	}
	if s.count == 0 {
		return s
	}
	n := s.count
	for i := range sum {
		s.mean[i] = sum[i] / n
		s.std[i] = math.Sqrt(max(square[i]/n-s.mean[i]*s.mean[i], 0))
	}
	return s
}
