// Package spectrum looks at a stream through one short-time Fourier transform and keeps what AudioMicro draws from it: the row
// waveform with a tone class per bar, the big waveform, the spectrogram's energy, and how the sound is spread over the eight
// tone bands. Other analyzers share the transform through OnFrame.
//
//	a := spectrum.New(44100, 2)
//	a.OnFrame = d.Frame          // optional, before the first Write
//	for each block { a.Write(block) }
//	r := a.Result()              // also hands out the last frames
//	r.Row.Encode()               // 140 characters for the database
//	r.WriteEnergyPNG(w, 800, 200)
//
// The length of a stream is not known while it is read, so everything is collected on fine grids whose cells are joined two by
// two when they fill up. Until the stream is longer than ShortFrames its mono mix is kept as well, and a short sound is
// looked at once more at exactly the places that are drawn. The spectrogram of a long one (LongSeconds) is kept finer besides, a byte for each
// point. Memory stays below 6 MB, and 600 KB for each hour.
//
// Frames are centered: frame k looks at samples around k × Hop, with silence before the first and after the last sample. The window is
// a Hann of about 46 ms: 2048 samples at 44.1 and 48 kHz, 4096 at 96 kHz. The spectrum is that of the mean of all channels,
// or of the first channel when the channels cancel each other where the stream begins to sound.
// A block that is not finite is made so in place (audio.Scrub).
package spectrum

import (
	"math"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/fft"
)

// ShortFrames is the longest stream, in frames, that is kept whole and looked at again.
const ShortFrames = 1 << 19

// canceled is the share of the channels' mean power below which their mean is no picture of them; unrelated stereo has ½.
const canceled = 0.02

// Frame is one look at the spectrum. Its slices are borrowed until the callback returns.
type Frame struct {
	Index     int64     // the window is centered on sample Index × Hop
	Hop       int       // samples between frames
	BinHz     float64   // width of a bin in Hz
	Power     []float32 // per bin from 0 Hz to Nyquist; a full-scale sine on a bin has 1
	Magnitude []float32 // square roots of Power
	Sum       float32   // of Magnitude from 40 Hz up
	Total     float32   // of Power from 40 Hz up
	Centroid  float32   // Hz, weighted by Magnitude from 40 Hz up; 0 in silence
	Samples   []float32 // the mono samples under the window, without the window applied; the middle is len/2
}

// WindowSize is the transform's length in samples at a rate: the power of two next to 46 ms.
func WindowSize(rate int) int {
	n := math.Round(math.Log2(float64(max(rate, 1)) * 2048 / 46000))
	return 1 << int(min(max(n, 6), 15))
}

// transform turns windows of mono samples into Frames.
type transform struct {
	plan   *fft.Plan
	window []float32
	hz     []float32 // frequency of each bin from 40 Hz up, 0 below
	first  int       // first bin at or above 40 Hz
	frame  Frame
}

func newTransform(rate int) *transform {
	n := WindowSize(rate)
	plan, err := fft.New(n)
	if err != nil {
		panic("spectrum: " + err.Error()) // WindowSize returns powers of two only
	}
	t := &transform{plan: plan, window: make([]float32, n), hz: make([]float32, n/2+1)}
	for i := range t.window {
		t.window[i] = float32((1 - math.Cos(2*math.Pi*float64(i)/float64(n))) * 2 / float64(n)) // sums to 2
	}
	t.frame = Frame{Hop: n / 2, BinHz: float64(rate) / float64(n), Power: make([]float32, n/2+1), Magnitude: make([]float32, n/2+1)}
	for i := range t.hz {
		t.hz[i] = float32(float64(i) * t.frame.BinHz)
	}
	t.first = min(int(math.Ceil(40/t.frame.BinHz)), n/2)
	return t
}

// look transforms one window of samples.
func (t *transform) look(samples []float32, index int64) *Frame {
	f := &t.frame
	t.plan.Power(f.Power, samples, t.window)
	f32.Sqrt(f.Magnitude, f.Power)
	f.Index, f.Samples = index, samples
	f.Sum, f.Total = f32.Sum(f.Magnitude[t.first:]), f32.Sum(f.Power[t.first:])
	f.Centroid = 0
	if f.Sum > 1e-9 {
		f.Centroid = f32.DotProduct(f.Magnitude[t.first:], t.hz[t.first:]) / f.Sum
	}
	return f
}

// Analyzer collects one stream; it is not safe for concurrent use.
type Analyzer struct {
	// OnFrame, when set before the first Write, is called with every frame in order.
	OnFrame func(*Frame)

	rate, channels int
	mixed          int // channels in the mono mix: all of them, or the first alone; 0 while nothing was heard
	transform      *transform
	mono           []float32 // samples from the start of the next window on
	fill           int       // valid samples in mono
	index          int64     // of the next frame
	frames         int64     // samples per channel so far
	short          []float32 // the whole mono mix, while it is short

	extremes extremes
	looks    looks
	rows     *rowMap
	columns  columns
	fine     fine
	bands    [Tones]float64
	bandEdge [Tones + 1]int
	energy   float64 // total power, and times centroid
	weighted float64
	result   *Result
}

// New prepares an analyzer for a stream of the given rate in Hz.
func New(rate, channels int) *Analyzer {
	rate, channels = max(rate, 1), max(channels, 1)
	a := &Analyzer{rate: rate, channels: channels, transform: newTransform(rate)}
	n := len(a.transform.window)
	a.mono = make([]float32, n+16384)
	a.fill = n / 2 // silence before the first sample
	a.extremes.zoom = 1
	a.rows = newRowMap(rate, n)
	a.columns.per = 1
	a.fine = newFine(rate, a.transform.frame.Hop)
	a.looks.per = 1
	for k := range a.bandEdge {
		a.bandEdge[k] = min(int(math.Ceil(toneEdge(k)/a.transform.frame.BinHz)), n/2+1)
	}
	a.bandEdge[0], a.bandEdge[Tones] = min(a.transform.first, a.bandEdge[1]), n/2+1
	return a
}

// Write takes a block of any length.
func (a *Analyzer) Write(planar [][]float32) {
	if len(planar) < a.channels || a.result != nil {
		return
	}
	planar = planar[:a.channels]
	audio.Scrub(planar)
	n := len(planar[0])
	a.frames += int64(n)
	a.extremes.write(planar)
	planar = planar[:a.mixable(planar)]
	for at := 0; at < n; {
		part := min(n-at, len(a.mono)-a.fill)
		dst := a.mono[a.fill : a.fill+part]
		mix(dst, planar, at)
		if a.frames <= ShortFrames {
			a.short = append(a.short, dst...)
		}
		a.fill += part
		at += part
		a.drain()
	}
	if a.frames > ShortFrames {
		a.short = nil
	}
}

// mixable says how many channels to mix. It decides once, on the first block that is not silent.
func (a *Analyzer) mixable(planar [][]float32) int {
	if a.mixed > 0 || len(planar) == 1 {
		return max(a.mixed, 1)
	}
	energy := float32(0)
	for _, ch := range planar {
		energy += f32.SumOfSquares(ch)
	}
	if energy < 1e-6 {
		return len(planar)
	}
	sum := make([]float32, len(planar[0]))
	mix(sum, planar, 0)
	a.mixed = len(planar)
	if f32.SumOfSquares(sum) < canceled*energy/float32(len(planar)) {
		a.mixed = 1
	}
	return a.mixed
}

// mix writes the mean of all channels from the given frame on.
func mix(dst []float32, planar [][]float32, at int) {
	copy(dst, planar[0][at:at+len(dst)])
	if len(planar) == 1 {
		return
	}
	for _, ch := range planar[1:] {
		f32.Add(dst, dst, ch[at:at+len(dst)])
	}
	f32.Scale(dst, dst, 1/float32(len(planar)))
}

// drain looks at every complete window and keeps the rest.
func (a *Analyzer) drain() {
	n, at := len(a.transform.window), 0
	for ; a.fill-at >= n; at += n / 2 {
		a.take(a.transform.look(a.mono[at:at+n], a.index))
		a.index++
	}
	if at > 0 {
		a.fill = copy(a.mono, a.mono[at:a.fill])
	}
}

func (a *Analyzer) take(f *Frame) {
	a.looks.add(look{f.Centroid, f.Total})
	a.columns.add(a.rows, f.Magnitude)
	a.fine.add(a.columns.now[:])
	a.energy += float64(f.Total)
	a.weighted += float64(f.Total) * float64(f.Centroid)
	for k := range a.bands {
		from, to := a.bandEdge[k], a.bandEdge[k+1]
		if from < to {
			a.bands[k] += float64(f32.Sum(f.Magnitude[from:to]))
		}
	}
	if a.OnFrame != nil {
		a.OnFrame(f)
	}
}

// finish looks at the windows that reach beyond the end, as long as their middle lies within the stream.
func (a *Analyzer) finish() {
	for a.index*int64(a.transform.frame.Hop) < a.frames {
		n := len(a.transform.window)
		clear(a.mono[a.fill:])
		a.fill = max(a.fill, n)
		a.drain()
	}
}

// Result ends the stream and returns what was collected; later Writes are ignored.
func (a *Analyzer) Result() *Result {
	if a.result != nil {
		return a.result
	}
	a.finish()
	r := &Result{Rate: a.rate, Frames: a.frames, extremes: a.extremes.close(), rows: a.rows}
	if a.energy > 0 {
		r.Centroid = a.weighted / a.energy
	}
	strongest := 0.0
	for k, v := range a.bands {
		if width := a.bandEdge[k+1] - a.bandEdge[k]; width > 0 {
			r.Bands[k] = v / float64(width)
		}
		strongest = max(strongest, r.Bands[k])
	}
	for k := range r.Bands {
		if strongest > 0 {
			r.Bands[k] /= strongest
		}
	}
	r.energy, r.looks = a.columns.close(), a.looks.close()
	r.fine, r.fineSeconds = a.fine.close(), float64(a.fine.per*a.transform.frame.Hop)/float64(a.rate)
	if a.frames > 0 && a.index < maxColumns/2 && len(a.short) > 0 {
		r.energy, r.looks = a.again()
	}
	r.Row, r.Wide = r.row(), r.wide()
	a.short, a.result = nil, r
	return r
}

// again looks at a short sound at the middle of each column that is drawn.
func (a *Analyzer) again() (energy [][]float32, looks []look) {
	n := len(a.transform.window)
	count := min(len(a.short), maxColumns/2)
	window := make([]float32, n)
	for i := range count {
		middle := int((int64(i)*2 + 1) * int64(len(a.short)) / int64(2*count))
		clear(window)
		from := middle - n/2
		copy(window[max(-from, 0):], a.short[max(from, 0):min(from+n, len(a.short))])
		f := a.transform.look(window, int64(i))
		column := make([]float32, bins)
		a.rows.power(column, f.Magnitude)
		energy, looks = append(energy, column), append(looks, look{f.Centroid, f.Total})
	}
	return energy, looks
}
