package spectrum

import (
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	maxExtremes = 1 << 14
	maxLooks    = 1 << 13
	maxColumns  = 1600
	bins        = 200 // rows of the energy grid
	lowestHz    = 60.0
	highestHz   = 18000.0
)

// extremes keeps the lowest and highest sample over all channels on a grid of at most maxExtremes cells.
type extremes struct {
	low, high []float32
	zoom      int // frames per cell
	filled    int // frames in the open cell
	a, b      float32
}

func (e *extremes) write(planar [][]float32) {
	n := len(planar[0])
	for at := 0; at < n; {
		end := at + min(n-at, e.zoom-e.filled)
		if e.filled == 0 {
			e.a, e.b = planar[0][at], planar[0][at]
		}
		for _, ch := range planar {
			if part := ch[at:end]; len(part) >= 16 {
				e.a, e.b = min(e.a, f32.Min(part)), max(e.b, f32.Max(part))
			} else {
				for _, v := range part {
					e.a, e.b = min(e.a, v), max(e.b, v)
				}
			}
		}
		e.filled += end - at
		at = end
		if e.filled == e.zoom {
			e.push()
		}
	}
}

func (e *extremes) push() {
	e.low, e.high, e.filled = append(e.low, e.a), append(e.high, e.b), 0
	if len(e.low) < maxExtremes {
		return
	}
	for i := range maxExtremes / 2 {
		e.low[i] = min(e.low[2*i], e.low[2*i+1])
		e.high[i] = max(e.high[2*i], e.high[2*i+1])
	}
	e.low, e.high = e.low[:maxExtremes/2], e.high[:maxExtremes/2]
	e.zoom *= 2
}

func (e *extremes) close() extremes {
	if e.filled > 0 {
		e.low, e.high, e.filled = append(e.low, e.a), append(e.high, e.b), 0
	}
	return *e
}

// span is the lowest and highest sample of column i of n.
func (e *extremes) span(i, n int) (low, high float32) {
	length := int64(len(e.low))
	if length == 0 {
		return 0, 0
	}
	from := int64(i) * length / int64(n)
	to := max(int64(i+1)*length/int64(n), from+1)
	low, high = e.low[from], e.high[from]
	for k := from + 1; k < to; k++ {
		low, high = min(low, e.low[k]), max(high, e.high[k])
	}
	return low, high
}

// peak is the largest magnitude of the stream.
func (e *extremes) peak() float32 {
	var p float32
	for i := range e.low {
		p = max(p, -e.low[i], e.high[i])
	}
	return p
}

// look is what one frame says about the tone of its place.
type look struct {
	centroid float32 // Hz
	power    float32 // of the whole frame
}

// looks keeps them evenly over the stream. When two cells join, the later one's stays: it was taken at the middle of both.
type looks struct {
	cells []look
	per   int // frames per cell
	seen  int // frames of the open cell
	pick  look
}

func (l *looks) add(v look) {
	if l.seen == l.per/2 {
		l.pick = v
	}
	if l.seen++; l.seen < l.per {
		return
	}
	l.cells, l.seen = append(l.cells, l.pick), 0
	if len(l.cells) < maxLooks {
		return
	}
	for i := range maxLooks / 2 {
		l.cells[i] = l.cells[2*i+1]
	}
	l.cells = l.cells[:maxLooks/2]
	l.per *= 2
}

func (l *looks) close() []look {
	if l.seen > l.per/2 {
		l.cells = append(l.cells, l.pick)
	}
	return l.cells
}

// columns keeps the mean power of each row of the spectrogram over a number of frames.
type columns struct {
	power [][]float32
	per   int
	open  []float32
	seen  int
	spare [][]float32
	now   [bins]float32
}

func (c *columns) add(rows *rowMap, magnitude []float32) {
	if c.open == nil {
		if n := len(c.spare); n > 0 {
			c.open, c.spare = c.spare[n-1], c.spare[:n-1]
			clear(c.open)
		} else {
			c.open = make([]float32, bins)
		}
	}
	rows.power(c.now[:], magnitude)
	f32.Add(c.open, c.open, c.now[:])
	if c.seen++; c.seen == c.per {
		c.push()
	}
}

func (c *columns) push() {
	f32.Scale(c.open, c.open, 1/float32(c.seen))
	c.power = append(c.power, c.open)
	c.open, c.seen = nil, 0
	if len(c.power) < maxColumns {
		return
	}
	for i := range maxColumns / 2 {
		a, b := c.power[2*i], c.power[2*i+1]
		f32.Add(a, a, b)
		f32.Scale(a, a, 0.5)
		c.power[i] = a
		c.spare = append(c.spare, b)
	}
	c.power = c.power[:maxColumns/2]
	c.per *= 2
}

func (c *columns) close() [][]float32 {
	if c.seen > 0 {
		c.push()
	}
	return c.power
}

// rowMap says which transform bins make up each row of the spectrogram: rows lie evenly on a logarithmic scale from lowestHz to
// highestHz. A row as wide as several bins takes the strongest of them; a narrower one lies between two bins.
type rowMap struct {
	from, to []int     // bins [from, to)
	between  []float32 // weight of bin from+1 where to == from+2 and the row is narrow; else -1
	limit    int       // rows below Nyquist
}

func newRowMap(rate, window int) *rowMap {
	m := &rowMap{from: make([]int, bins), to: make([]int, bins), between: make([]float32, bins)}
	perHz := float64(window) / float64(rate)
	for r := range bins {
		low, high := rowHz(float64(r))*perHz, rowHz(float64(r+1))*perHz
		if high > float64(window/2) {
			break
		}
		m.limit = r + 1
		first, last := int(math.Ceil(low)), int(math.Floor(high))
		if last-first >= 1 {
			m.from[r], m.to[r], m.between[r] = first, min(last+1, window/2+1), -1
			continue
		}
		at := (low + high) / 2
		m.from[r] = min(int(at), window/2-1)
		m.to[r] = m.from[r] + 2
		m.between[r] = float32(at - float64(m.from[r]))
	}
	return m
}

// rowHz is the frequency at the lower edge of a row.
func rowHz(row float64) float64 { return lowestHz * math.Pow(highestHz/lowestHz, row/bins) }

// power fills dst with the power of each row.
func (m *rowMap) power(dst, magnitude []float32) {
	for r := range m.limit {
		from := m.from[r]
		if w := m.between[r]; w >= 0 {
			v := magnitude[from] + w*(magnitude[from+1]-magnitude[from])
			dst[r] = v * v
			continue
		}
		var top float32
		for _, v := range magnitude[from:m.to[r]] {
			top = max(top, v)
		}
		dst[r] = top * top
	}
}
