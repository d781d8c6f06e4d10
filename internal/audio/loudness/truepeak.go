package loudness

import (
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	peakTaps  = 24  // per phase; BS.1770-5 annex 2 asks for 12
	peakBlock = 128 // samples decided on at once; at least peakTaps-1
)

// truePeak follows the largest sample and the largest point between samples. Points between samples are computed only where
// they could exceed what was already found: no interpolated value is larger than the largest sample under the kernel times
// the kernel's L1 norm. That leaves out most of the work and changes no result.
type truePeak struct {
	kernels [][]float32 // phases between the samples; none when the rate needs no oversampling
	norm    float32
	sample  float64
	between float64
	state   []peakState
	sum     [peakBlock]float32
}

type peakState struct {
	buf  []float32 // peakTaps-1 samples of history, then what is not yet decided on
	last float32   // largest magnitude in that history or before it in the previous block
}

func newTruePeak(rate, channels int) truePeak {
	t := truePeak{state: make([]peakState, channels)}
	factor := 4
	switch {
	case rate >= 176400:
		factor = 1
	case rate >= 88200:
		factor = 2
	}
	for p := 1; p < factor; p++ {
		k := make([]float32, peakTaps)
		var sum, norm float64
		w := make([]float64, peakTaps)
		for i := range w {
			x := float64(i-peakTaps/2+1) - float64(p)/float64(factor)
			cos := math.Cos(math.Pi * x / peakTaps)
			w[i] = math.Sin(math.Pi*x) / (math.Pi * x) * cos * cos
			sum += w[i]
		}
		for i, v := range w {
			k[i] = float32(v / sum)
			norm += math.Abs(v / sum)
		}
		t.kernels = append(t.kernels, k)
		t.norm = max(t.norm, float32(norm*1.00001)) // rounding of the float32 sums
	}
	for c := range t.state {
		t.state[c].buf = make([]float32, peakTaps-1, peakTaps+8*peakBlock)
	}
	return t
}

func (t *truePeak) write(planar [][]float32) {
	for c, x := range planar {
		if len(t.kernels) == 0 {
			t.sample = max(t.sample, float64(f32.MaxAbs(x)))
			continue
		}
		s := &t.state[c]
		for len(x) > 0 {
			n := min(len(x), cap(s.buf)-len(s.buf))
			s.buf = append(s.buf, x[:n]...)
			x = x[n:]
			t.scan(s)
		}
	}
}

// scan decides on every whole block in the buffer.
func (t *truePeak) scan(s *peakState) {
	at := 0
	for len(s.buf)-at >= peakTaps-1+peakBlock {
		t.decide(s, s.buf[at:at+peakTaps-1+peakBlock])
		at += peakBlock
	}
	if at > 0 {
		n := copy(s.buf, s.buf[at:])
		s.buf = s.buf[:n]
	}
}

// decide looks at one block behind its peakTaps-1 samples of history.
func (t *truePeak) decide(s *peakState, x []float32) {
	m := f32.MaxAbs(x[peakTaps-1:])
	t.sample = max(t.sample, float64(m))
	bound := max(m, s.last) * t.norm
	s.last = m
	if float64(bound) > max(t.between, t.sample) {
		t.between = max(t.between, float64(t.crest(x)))
	}
}

// crest is the largest magnitude between the samples of a stretch. It adds up the kernel tap by tap over up to a block of points, which
// keeps vector units busy where a dot product for each point would not.
func (t *truePeak) crest(x []float32) (top float32) {
	for len(x) >= peakTaps {
		n := min(len(x)-peakTaps+1, peakBlock)
		sum := t.sum[:n]
		for _, kernel := range t.kernels {
			f32.Scale(sum, x[:n], kernel[0])
			for k := 1; k < peakTaps; k++ {
				f32.AddScaled(sum, kernel[k], x[k:k+n])
			}
			top = max(top, f32.MaxAbs(sum))
		}
		x = x[n:]
	}
	return top
}

// result is the true peak with the stream continued by silence. It leaves the state as it is.
func (t *truePeak) result() float64 {
	end := *t
	for _, s := range t.state {
		if len(t.kernels) == 0 {
			break
		}
		rest := append([]float32(nil), s.buf...)
		rest = append(rest, make([]float32, peakTaps)...)
		end.sample = max(end.sample, float64(f32.MaxAbs(rest)))
		end.between = max(end.between, float64(end.crest(rest)))
	}
	return max(end.sample, end.between)
}
