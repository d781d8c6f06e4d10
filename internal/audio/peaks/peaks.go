// Package peaks keeps the lowest and highest sample of every few hundred frames: what a player draws a waveform from.
//
// The numbers are those of the BBC's audiowaveform, byte for byte: samples are taken to 16 bits by rounding down, channels are
// summed and divided as integers (toward zero), 8-bit output divides by 256 (toward zero). The file format is audiowaveform's
// .dat, version 1 for one channel and 2 for several.
//
// It holds at most MaxPairs pairs: when a stream is longer, neighboring pairs are folded and the zoom doubles, which gives
// exactly what a run at the doubled zoom would have given. One hour and forty minutes at 44.1 kHz fit at zoom 256; a day ends at
// zoom 4096.
package peaks

import (
	"fmt"
	"math"
)

// MaxPairs bounds the pairs kept over all channels (4 bytes each).
const MaxPairs = 1 << 20

// Options choose what is kept.
type Options struct {
	Zoom  int  // frames per pair; 256 when 0
	Split bool // a row of pairs for each channel instead of one for their mean
}

// Analyzer collects one stream; it is not safe for concurrent use.
type Analyzer struct {
	rate, zoom int
	split      bool
	channels   int
	rows       int
	pairs      []pair // row after row within each step, as in the file
	open       []pair // the pair being filled, one per row
	filled     int    // frames in it
}

type pair struct{ low, high int16 }

var empty = pair{math.MaxInt16, math.MinInt16}

// New prepares an analyzer for a stream of the given rate (Hz) and channels.
func New(rate, channels int, o Options) *Analyzer {
	if o.Zoom < 1 {
		o.Zoom = 256
	}
	a := &Analyzer{rate: rate, zoom: o.Zoom, split: o.Split, channels: channels, rows: 1}
	if o.Split {
		a.rows = channels
	}
	a.open = make([]pair, a.rows)
	a.clear()
	return a
}

func (a *Analyzer) clear() {
	for r := range a.open {
		a.open[r] = empty
	}
	a.filled = 0
}

// Write takes a block of any length. NaN counts as the lowest value; audio.Scrub avoids that.
func (a *Analyzer) Write(planar [][]float32) {
	if a.channels < 1 || len(planar) < a.channels {
		return
	}
	planar = planar[:a.channels]
	n := len(planar[0])
	for at := 0; at < n; {
		end := at + min(n-at, a.zoom-a.filled)
		switch {
		case a.split || a.channels == 1:
			for r := range a.open {
				a.open[r].extend(planar[r][at:end])
			}
		case a.channels == 2:
			a.open[0].extendMean2(planar[0][at:end], planar[1][at:end])
		default:
			a.open[0].extendMean(planar, at, end)
		}
		a.filled += end - at
		at = end
		if a.filled == a.zoom {
			a.pairs = append(a.pairs, a.open...)
			a.clear()
			if len(a.pairs) >= MaxPairs {
				a.fold()
			}
		}
	}
}

// fold joins neighbors and doubles the zoom. With an odd number of pairs the last one opens again.
func (a *Analyzer) fold() {
	steps := len(a.pairs) / a.rows
	for s := range steps / 2 {
		for r := range a.rows {
			p := a.pairs[2*s*a.rows+r]
			p.join(a.pairs[(2*s+1)*a.rows+r])
			a.pairs[s*a.rows+r] = p
		}
	}
	if steps%2 == 1 {
		for r := range a.open {
			a.open[r].join(a.pairs[(steps-1)*a.rows+r])
		}
		a.filled += a.zoom
	}
	a.pairs = a.pairs[:steps/2*a.rows]
	a.zoom *= 2
}

// Folded joins every n neighbors into one pair: what a run at n times the zoom would have given, so that a page can draw hours
// without reading all of them. The last pair may stand for fewer frames.
func (p *Peaks) Folded(n int) *Peaks {
	if n < 2 {
		return p
	}
	steps := (p.Len() + n - 1) / n
	f := &Peaks{Rate: p.Rate, Zoom: p.Zoom * n, Channels: p.Channels, Low: make([]int16, steps*p.Channels), High: make([]int16, steps*p.Channels)}
	for s := range steps {
		for c := range p.Channels {
			to := empty
			for i := s * n; i < min((s+1)*n, p.Len()); i++ {
				at := i*p.Channels + c
				to.join(pair{p.Low[at], p.High[at]})
			}
			f.Low[s*p.Channels+c], f.High[s*p.Channels+c] = to.low, to.high
		}
	}
	return f
}

func (p *pair) join(q pair) {
	p.low = min(p.low, q.low)
	p.high = max(p.high, q.high)
}

// extend works on floats, because rounding down keeps their order.
func (p *pair) extend(x []float32) {
	if len(x) == 0 {
		return
	}
	low, high := x[0], x[0]
	for _, v := range x {
		low = min(low, v)
		high = max(high, v)
	}
	p.join(pair{int16(sample16(low)), int16(sample16(high))})
}

func (p *pair) extendMean2(x, y []float32) {
	y = y[:len(x)]
	low, high := math.MaxInt, math.MinInt
	for i, v := range x {
		sum := sample16(v) + sample16(y[i])
		low = min(low, sum)
		high = max(high, sum)
	}
	if len(x) > 0 {
		p.join(pair{int16(low / 2), int16(high / 2)})
	}
}

func (p *pair) extendMean(planar [][]float32, from, to int) {
	for i := from; i < to; i++ {
		sum := 0
		for _, x := range planar {
			sum += sample16(x[i])
		}
		m := int16(sum / len(planar))
		p.join(pair{m, m})
	}
}

// sample16 takes a sample to 16 bits as shifting a wider integer right does.
func sample16(v float32) int {
	v *= 32768
	if !(v > -32768) { // also NaN
		return -32768
	}
	if v >= 32767 {
		return 32767
	}
	n := int(v)
	if float32(n) > v {
		n--
	}
	return n
}

// Result returns the pairs of everything written so far; an incomplete last pair counts.
func (a *Analyzer) Result() *Peaks {
	p := &Peaks{Rate: a.rate, Zoom: a.zoom, Channels: a.rows}
	n := len(a.pairs)
	p.Low, p.High = make([]int16, n, n+a.rows), make([]int16, n, n+a.rows)
	for i, q := range a.pairs {
		p.Low[i], p.High[i] = q.low, q.high
	}
	if a.filled > 0 {
		for _, q := range a.open {
			p.Low, p.High = append(p.Low, q.low), append(p.High, q.high)
		}
	}
	return p
}

// Peaks are the pairs of one stream. Low and High have Len × Channels entries, channel after channel within each step.
type Peaks struct {
	Rate      int // Hz
	Zoom      int // frames per pair
	Channels  int // rows; 1 for the mean of all channels
	Low, High []int16
}

// Len is the number of pairs of each row.
func (p *Peaks) Len() int {
	if p.Channels < 1 {
		return 0
	}
	return len(p.Low) / p.Channels
}

// Fold returns the peaks at a coarser zoom, a multiple of the present one.
func (p *Peaks) Fold(zoom int) (*Peaks, error) {
	if p.Zoom < 1 || zoom < p.Zoom || zoom%p.Zoom != 0 {
		return nil, fmt.Errorf("fold peaks from zoom %d to %d: not a multiple", p.Zoom, zoom)
	}
	by := zoom / p.Zoom
	steps := (p.Len() + by - 1) / by
	q := &Peaks{Rate: p.Rate, Zoom: zoom, Channels: p.Channels, Low: make([]int16, steps*p.Channels), High: make([]int16, steps*p.Channels)}
	for s := range steps {
		for r := range p.Channels {
			low, high := p.span(r, s*by, min((s+1)*by, p.Len()))
			q.Low[s*p.Channels+r], q.High[s*p.Channels+r] = low, high
		}
	}
	return q, nil
}

// Bar is one column of a drawn waveform, in 16-bit units.
type Bar struct{ Low, High int16 }

// Bars draws all channels together as n columns of equal duration. A stream with fewer pairs than columns repeats them; an empty
// one gives zero bars.
func (p *Peaks) Bars(n int) []Bar {
	bars := make([]Bar, max(n, 0))
	length := p.Len()
	if length == 0 {
		return bars
	}
	for i := range bars {
		from := int(int64(i) * int64(length) / int64(n))
		to := max(int(int64(i+1)*int64(length)/int64(n)), from+1)
		b := Bar{math.MaxInt16, math.MinInt16}
		for r := range p.Channels {
			low, high := p.span(r, from, to)
			b.Low, b.High = min(b.Low, low), max(b.High, high)
		}
		bars[i] = b
	}
	return bars
}

func (p *Peaks) span(row, from, to int) (low, high int16) {
	low, high = math.MaxInt16, math.MinInt16
	for s := from; s < to; s++ {
		low = min(low, p.Low[s*p.Channels+row])
		high = max(high, p.High[s*p.Channels+row])
	}
	return low, high
}
