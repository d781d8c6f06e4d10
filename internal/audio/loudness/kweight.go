package loudness

import (
	"math"
	"math/cmplx"
)

// biquad is a second-order section in transposed direct form II.
type biquad struct {
	b0, b1, b2, a1, a2 float64
	s1, s2             float64
}

// kFilter is the K weighting of BS.1770-5 annex 1: a high shelf for the head, then a high-pass.
type kFilter struct{ shelf, high biquad }

// newKFilter derives both sections for any rate from the analog prototypes that reproduce the coefficients BS.1770 gives at
// 48 kHz (tables 1 and 2): a +4 dB shelf at 1682 Hz and a high-pass at 38 Hz.
func newKFilter(rate float64) kFilter {
	const (
		shelfHz, shelfDB, shelfQ = 1681.974450955533, 3.999843853973347, 0.7071752369554196
		highHz, highQ            = 38.13547087602444, 0.5003270373238773
	)
	var f kFilter
	f.shelf.b0 = 1
	if shelfHz < 0.49*rate { // below, the shelf lies above everything the stream can hold
		k := math.Tan(math.Pi * shelfHz / rate)
		vh := math.Pow(10, shelfDB/20)
		vb := math.Pow(vh, 0.4996667741545416)
		a0 := 1 + k/shelfQ + k*k
		f.shelf = biquad{
			b0: (vh + vb*k/shelfQ + k*k) / a0,
			b1: 2 * (k*k - vh) / a0,
			b2: (vh - vb*k/shelfQ + k*k) / a0,
			a1: 2 * (k*k - 1) / a0,
			a2: (1 - k/shelfQ + k*k) / a0,
		}
	}
	f.high.b0 = 1
	if highHz < 0.49*rate {
		k := math.Tan(math.Pi * highHz / rate)
		a0 := 1 + k/highQ + k*k
		f.high = biquad{b0: 1, b1: -2, b2: 1, a1: 2 * (k*k - 1) / a0, a2: (1 - k/highQ + k*k) / a0}
	}
	return f
}

// Weigher is the K weighting of one channel by itself, for those who compare sounds before and after something.
type Weigher struct{ filter kFilter }

// NewWeigher weighs samples at a rate in Hz.
func NewWeigher(rate int) *Weigher { return &Weigher{newKFilter(float64(rate))} }

// Energy is the sum of squares of the weighted samples.
func (w *Weigher) Energy(x []float32) float64 { return w.filter.filter(x) }

// Response is the power gain of the K weighting at a frequency in Hz, for streams of a rate in Hz.
func Response(hz float64, rate int) float64 {
	f := newKFilter(float64(rate))
	w := 2 * math.Pi * hz / float64(rate)
	gain := 1.0
	for _, s := range []biquad{f.shelf, f.high} {
		z := cmplx.Exp(complex(0, -w))
		at := func(c0, c1, c2 float64) complex128 { return complex(c0, 0) + z*(complex(c1, 0)+z*complex(c2, 0)) }
		h := cmplx.Abs(at(s.b0, s.b1, s.b2) / at(1, s.a1, s.a2))
		gain *= h * h
	}
	return gain
}

// filter runs x through both sections and returns the sum of squares.
func (f *kFilter) filter(x []float32) (energy float64) {
	s, h := f.shelf, f.high
	for _, v := range x {
		in := float64(v)
		y := s.b0*in + s.s1
		s.s1 = s.b1*in - s.a1*y + s.s2
		s.s2 = s.b2*in - s.a2*y
		z := h.b0*y + h.s1
		h.s1 = h.b1*y - h.a1*z + h.s2
		h.s2 = h.b2*y - h.a2*z
		energy += z * z
	}
	f.shelf, f.high = s, h
	f.settle()
	return energy
}

// filterPair is filter for two channels at once.
func filterPair(f, g *kFilter, x, y []float32) (ex, ey float64) {
	s, h := f.shelf, f.high
	fs1, fs2, fh1, fh2 := f.shelf.s1, f.shelf.s2, f.high.s1, f.high.s2
	gs1, gs2, gh1, gh2 := g.shelf.s1, g.shelf.s2, g.high.s1, g.high.s2
	y = y[:len(x)]
	for i, v := range x {
		a, b := float64(v), float64(y[i])
		p := s.b0*a + fs1
		q := s.b0*b + gs1
		fs1 = s.b1*a - s.a1*p + fs2
		gs1 = s.b1*b - s.a1*q + gs2
		fs2 = s.b2*a - s.a2*p
		gs2 = s.b2*b - s.a2*q
		u := h.b0*p + fh1
		w := h.b0*q + gh1
		fh1 = h.b1*p - h.a1*u + fh2
		gh1 = h.b1*q - h.a1*w + gh2
		fh2 = h.b2*p - h.a2*u
		gh2 = h.b2*q - h.a2*w
		ex += u * u
		ey += w * w
	}
	f.shelf.s1, f.shelf.s2, f.high.s1, f.high.s2 = fs1, fs2, fh1, fh2
	g.shelf.s1, g.shelf.s2, g.high.s1, g.high.s2 = gs1, gs2, gh1, gh2
	f.settle()
	g.settle()
	return ex, ey
}

// settle ends the exponential tail of the recursion before it reaches denormal numbers, which some processors handle a
// hundred times slower.
func (f *kFilter) settle() {
	for _, s := range []*float64{&f.shelf.s1, &f.shelf.s2, &f.high.s1, &f.high.s2} {
		if math.Abs(*s) < 1e-30 {
			*s = 0
		}
	}
}
