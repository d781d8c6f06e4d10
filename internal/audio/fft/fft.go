// Package fft computes power spectra of real signals in float32.
//
// A real transform of n samples runs as a complex one of n/2: radix-4 steps in Stockham's self-sorting order (Cochran et al., "What is the
// fast Fourier transform?", 1967), on separate arrays for real and imaginary parts, so that the later steps are long runs
// of equal operations for vector units. The error stays below 1e-6 of the largest bin's amplitude.
package fft

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/tphakala/simd/f32"
)

// vectorRun is the run length from which calls into vector kernels beat a plain loop.
const vectorRun = 64

// Plan holds the tables and scratch for one length; it is not safe for concurrent use.
type Plan struct {
	n      int
	steps  []step
	wr, wi []float32 // e^(-2πik/n) for k < n/4+1, to split the packed spectrum
	a, b   [2][]float32
	tmp    [8][]float32
}

// step is one radix-4 pass: sub transforms of length 4 × quarter, interleaved with a stride.
type step struct {
	quarter, stride int
	twiddle         [][6]float32 // w, w², w³ as re, im
}

// New prepares transforms of n real samples; n must be a power of two from 8 to 2²⁰.
func New(n int) (*Plan, error) {
	if n < 8 || n > 1<<20 || bits.OnesCount(uint(n)) != 1 {
		return nil, fmt.Errorf("plan transform of %d samples: not a power of two from 8 to %d", n, 1<<20)
	}
	p := &Plan{n: n}
	m := n / 2
	for size, stride := m, 1; size >= 4; size, stride = size/4, stride*4 {
		s := step{quarter: size / 4, stride: stride, twiddle: make([][6]float32, size/4)}
		for k := range s.twiddle {
			for j := range 3 {
				sin, cos := math.Sincos(-2 * math.Pi * float64((j+1)*k) / float64(size))
				s.twiddle[k][2*j], s.twiddle[k][2*j+1] = float32(cos), float32(sin)
			}
		}
		p.steps = append(p.steps, s)
	}
	p.wr, p.wi = make([]float32, m/2+1), make([]float32, m/2+1)
	for k := range p.wr {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
		p.wr[k], p.wi[k] = float32(cos), float32(sin)
	}
	for i := range 2 {
		p.a[i], p.b[i] = make([]float32, m), make([]float32, m)
	}
	for i := range p.tmp {
		p.tmp[i] = make([]float32, m/4)
	}
	return p, nil
}

// Len is the number of samples of a transform.
func (p *Plan) Len() int { return p.n }

// Power writes |X|² of x times window into dst, from 0 Hz to Nyquist: n/2+1 bins. x and window hold n samples.
func (p *Plan) Power(dst, x, window []float32) {
	re, im := p.a[0], p.a[1]
	x, window = x[:p.n], window[:p.n]
	for i := range re {
		re[i] = x[2*i] * window[2*i]
		im[i] = x[2*i+1] * window[2*i+1]
	}
	re, im = p.transform()
	p.split(dst[:p.n/2+1], re, im)
}

// Autocorrelation writes the circular autocorrelation of the signal whose power spectrum Power computed, for lags 0 to n/2.
func (p *Plan) Autocorrelation(dst, power []float32) {
	m := p.n / 2
	power = power[:m+1]
	re, im := p.a[0], p.a[1]
	for i := range m / 2 {
		re[i], im[i] = power[2*i], power[2*i+1]
		re[m-1-i], im[m-1-i] = power[2*i+2], power[2*i+1]
	}
	re, im = p.transform()
	dst = dst[:m+1]
	scale := 1 / float32(p.n)
	dst[0], dst[m] = (re[0]+im[0])*scale, (re[0]-im[0])*scale
	for k := 1; k < len(p.wr); k++ { // split, for a spectrum that is real
		even, or, oi := re[k]+re[m-k], im[k]+im[m-k], re[m-k]-re[k]
		odd := p.wr[k]*or - p.wi[k]*oi
		dst[k], dst[m-k] = 0.5*(even+odd)*scale, 0.5*(even-odd)*scale
	}
}

// transform runs the complex transform of what lies in a and returns where the result lies.
func (p *Plan) transform() (re, im []float32) {
	m := p.n / 2
	from, to := p.a, p.b
	for i := range p.steps {
		p.steps[i].run(&p.tmp, from[0], from[1], to[0], to[1])
		from, to = to, from
	}
	if bits.TrailingZeros(uint(m))%2 == 1 {
		half := m / 2
		f32.AddSub(to[0][:half], to[0][half:], from[0][:half], from[0][half:])
		f32.AddSub(to[1][:half], to[1][half:], from[1][:half], from[1][half:])
		from = to
	}
	return from[0], from[1]
}

// split turns the spectrum of the packed signal into the power of the real one.
func (p *Plan) split(dst, re, im []float32) {
	m := len(re)
	sum, diff := re[0]+im[0], re[0]-im[0]
	dst[0], dst[m] = sum*sum, diff*diff
	wr, wi := p.wr, p.wi[:len(p.wr)]
	for k := 1; k < len(wr); k++ {
		zr, zi, yr, yi := re[k], im[k], re[m-k], im[m-k]
		er, ei := zr+yr, zi-yi
		or, oi := zi+yi, yr-zr
		tr, ti := wr[k]*or-wi[k]*oi, wr[k]*oi+wi[k]*or
		a, b, c, d := er+tr, ei+ti, er-tr, ei-ti
		dst[k] = 0.25 * (a*a + b*b)
		dst[m-k] = 0.25 * (c*c + d*d)
	}
}

func (s *step) run(tmp *[8][]float32, xr, xi, yr, yi []float32) {
	switch {
	case s.stride == 1:
		s.first(xr, xi, yr, yi)
	case s.stride == 4:
		s.four(xr, xi, yr, yi)
	case s.stride < vectorRun:
		s.plain(xr, xi, yr, yi)
	default:
		s.vector(tmp, xr, xi, yr, yi)
	}
}

// first is the step of stride 1: every butterfly has its own twiddles.
func (s *step) first(xr, xi, yr, yi []float32) {
	n := s.quarter
	ar, br, cr, dr := xr[:n], xr[n:2*n], xr[2*n:3*n], xr[3*n:4*n]
	ai, bi, ci, di := xi[:n], xi[n:2*n], xi[2*n:3*n], xi[3*n:4*n]
	for k := range s.twiddle {
		w := &s.twiddle[k]
		pr, pi, mr, mi := ar[k]+cr[k], ai[k]+ci[k], ar[k]-cr[k], ai[k]-ci[k]
		qr, qi, nr, ni := br[k]+dr[k], bi[k]+di[k], br[k]-dr[k], bi[k]-di[k]
		or := (*[4]float32)(yr[4*k:])
		oi := (*[4]float32)(yi[4*k:])
		or[0], oi[0] = pr+qr, pi+qi
		r, i := mr+ni, mi-nr
		or[1], oi[1] = w[0]*r-w[1]*i, w[0]*i+w[1]*r
		r, i = pr-qr, pi-qi
		or[2], oi[2] = w[2]*r-w[3]*i, w[2]*i+w[3]*r
		r, i = mr-ni, mi+nr
		or[3], oi[3] = w[4]*r-w[5]*i, w[4]*i+w[5]*r
	}
}

// four is the step of stride 4.
func (s *step) four(xr, xi, yr, yi []float32) {
	n := 4 * s.quarter
	for k := range s.twiddle {
		w := s.twiddle[k]
		at := 4 * k
		ar, br, cr, dr := (*[4]float32)(xr[at:]), (*[4]float32)(xr[at+n:]), (*[4]float32)(xr[at+2*n:]), (*[4]float32)(xr[at+3*n:])
		ai, bi, ci, di := (*[4]float32)(xi[at:]), (*[4]float32)(xi[at+n:]), (*[4]float32)(xi[at+2*n:]), (*[4]float32)(xi[at+3*n:])
		or, oi := (*[16]float32)(yr[16*k:]), (*[16]float32)(yi[16*k:])
		for q := range 4 {
			pr, pi, mr, mi := ar[q]+cr[q], ai[q]+ci[q], ar[q]-cr[q], ai[q]-ci[q]
			qr, qi, nr, ni := br[q]+dr[q], bi[q]+di[q], br[q]-dr[q], bi[q]-di[q]
			or[q], oi[q] = pr+qr, pi+qi
			r, i := mr+ni, mi-nr
			or[q+4], oi[q+4] = w[0]*r-w[1]*i, w[0]*i+w[1]*r
			r, i = pr-qr, pi-qi
			or[q+8], oi[q+8] = w[2]*r-w[3]*i, w[2]*i+w[3]*r
			r, i = mr-ni, mi+nr
			or[q+12], oi[q+12] = w[4]*r-w[5]*i, w[4]*i+w[5]*r
		}
	}
}

// plain is a step whose runs are too short for vector kernels.
func (s *step) plain(xr, xi, yr, yi []float32) {
	l, n := s.stride, s.quarter*s.stride
	for k := range s.twiddle {
		w := s.twiddle[k]
		at := l * k
		ar, br, cr, dr := xr[at:at+l], xr[at+n:][:l], xr[at+2*n:][:l], xr[at+3*n:][:l]
		ai, bi, ci, di := xi[at:][:l], xi[at+n:][:l], xi[at+2*n:][:l], xi[at+3*n:][:l]
		o0r, o1r, o2r, o3r := yr[4*at:][:l], yr[4*at+l:][:l], yr[4*at+2*l:][:l], yr[4*at+3*l:][:l]
		o0i, o1i, o2i, o3i := yi[4*at:][:l], yi[4*at+l:][:l], yi[4*at+2*l:][:l], yi[4*at+3*l:][:l]
		for q := range l {
			pr, pi, mr, mi := ar[q]+cr[q], ai[q]+ci[q], ar[q]-cr[q], ai[q]-ci[q]
			qr, qi, nr, ni := br[q]+dr[q], bi[q]+di[q], br[q]-dr[q], bi[q]-di[q]
			o0r[q], o0i[q] = pr+qr, pi+qi
			r, i := mr+ni, mi-nr
			o1r[q], o1i[q] = w[0]*r-w[1]*i, w[0]*i+w[1]*r
			r, i = pr-qr, pi-qi
			o2r[q], o2i[q] = w[2]*r-w[3]*i, w[2]*i+w[3]*r
			r, i = mr-ni, mi+nr
			o3r[q], o3i[q] = w[4]*r-w[5]*i, w[4]*i+w[5]*r
		}
	}
}

// vector is a step with long runs.
func (s *step) vector(tmp *[8][]float32, xr, xi, yr, yi []float32) {
	l, n := s.stride, s.quarter*s.stride
	pr, pi, mr, mi := tmp[0][:l], tmp[1][:l], tmp[2][:l], tmp[3][:l]
	qr, qi, nr, ni := tmp[4][:l], tmp[5][:l], tmp[6][:l], tmp[7][:l]
	for k := range s.twiddle {
		at := l * k
		f32.AddSub(pr, mr, xr[at:at+l], xr[at+2*n:at+2*n+l])
		f32.AddSub(pi, mi, xi[at:at+l], xi[at+2*n:at+2*n+l])
		f32.AddSub(qr, nr, xr[at+n:at+n+l], xr[at+3*n:at+3*n+l])
		f32.AddSub(qi, ni, xi[at+n:at+n+l], xi[at+3*n:at+3*n+l])
		out := func(j int) (re, im []float32) {
			o := 4*at + j*l
			return yr[o : o+l], yi[o : o+l]
		}
		o0r, o0i := out(0)
		o1r, o1i := out(1)
		o2r, o2i := out(2)
		o3r, o3i := out(3)
		if k == 0 { // all twiddles are 1
			f32.AddSub(o0r, o2r, pr, qr)
			f32.AddSub(o0i, o2i, pi, qi)
			f32.AddSub(o1r, o3r, mr, ni)
			f32.AddSub(o3i, o1i, mi, nr)
			continue
		}
		w := &s.twiddle[k]
		f32.AddSub(o0r, pr, pr, qr) // only the difference may replace an operand: the sum is written first
		f32.AddSub(o0i, pi, pi, qi)
		f32.AddSub(qr, ni, mr, ni)
		f32.AddSub(qi, nr, mi, nr)
		rotate(o1r, o1i, qr, nr, w[0], w[1])
		rotate(o2r, o2i, pr, pi, w[2], w[3])
		rotate(o3r, o3i, ni, qi, w[4], w[5])
	}
}

// rotate multiplies a run by one complex number.
func rotate(yr, yi, xr, xi []float32, wr, wi float32) {
	f32.Scale(yr, xr, wr)
	f32.AddScaled(yr, -wi, xi)
	f32.Scale(yi, xi, wr)
	f32.AddScaled(yi, wi, xr)
}
