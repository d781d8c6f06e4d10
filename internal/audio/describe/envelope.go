package describe

import (
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	maxCells     = 8192
	cellsPerHop  = 4    // about 6 ms each
	onsetGap     = 0.06 // seconds between onsets at least
	maxOnsets    = 1000 // onset times returned
	tenthOfPower = 0.01 // a tenth of the amplitude
)

// envelope is the mean power over short cells of equal length.
type envelope struct {
	cell  int // samples in the finest cell
	per   int // finest cells per cell
	power []float32
	sum   float32
	seen  int
	rate  float64
}

func newEnvelope(rate, hop int) envelope {
	return envelope{cell: hop / cellsPerHop, per: 1, rate: float64(rate)}
}

func (v *envelope) add(x []float32) {
	for at := 0; at+v.cell <= len(x); at += v.cell {
		v.sum += f32.SumOfSquares(x[at:at+v.cell]) / float32(v.cell)
		if v.seen++; v.seen < v.per {
			continue
		}
		v.power = append(v.power, v.sum/float32(v.seen))
		v.sum, v.seen = 0, 0
		if len(v.power) == maxCells {
			for i := range maxCells / 2 {
				v.power[i] = (v.power[2*i] + v.power[2*i+1]) / 2
			}
			v.power = v.power[:maxCells/2]
			v.per *= 2
		}
	}
}

// step is the length of a cell in seconds.
func (v *envelope) step() float64 { return float64(v.cell*v.per) / v.rate }

// shape is what an envelope says about how a sound begins, lasts and ends.
type shape struct {
	peak      float64 // mean power of the loudest cell
	start     float64 // s, first cell above a tenth of the peak's amplitude
	attack    float64 // s from a fifth to nine tenths of the peak's amplitude, at least 1 ms
	attackEnd float64 // s, when nine tenths are reached
	effective float64 // s above a tenth of the peak's amplitude
	centroid  float64 // s, weighted by amplitude
	spread    float64 // s² about the centroid
	skewness  float64
	decay     float64 // dB from the peak to the mean of the last tenth
}

func (v *envelope) shape(seconds float64) (s shape) {
	step := v.step()
	n := min(len(v.power), int(math.Ceil(seconds/step))) // the last frame is filled up with silence
	cells := v.power[:n]
	if n == 0 {
		return s
	}
	s.peak = float64(f32.Max(cells))
	if s.peak < 1e-14 {
		return shape{}
	}
	s.start = -1
	low, high := -1, -1
	var m0, m1, m2, m3 float64
	for i, p := range cells {
		rel := float64(p) / s.peak
		t := (float64(i) + 0.5) * step
		amplitude := math.Sqrt(float64(p))
		m0 += amplitude
		m1 += amplitude * t
		m2 += amplitude * t * t
		if rel >= tenthOfPower {
			s.effective += step
			if s.start < 0 {
				s.start = float64(i) * step
			}
		}
		if low < 0 && rel >= 0.04 {
			low = i
		}
		if high < 0 && rel >= 0.81 {
			high = i
		}
	}
	s.effective = min(s.effective, seconds)
	s.attack = max(float64(high-low)*step, 0.001)
	s.attackEnd = min((float64(high)+0.5)*step, seconds)
	s.centroid = min(m1/m0, seconds)
	s.spread = max(m2/m0-s.centroid*s.centroid, 0)
	for i, p := range cells {
		d := (float64(i)+0.5)*step - s.centroid
		m3 += math.Sqrt(float64(p)) * d * d * d
	}
	if s.spread > 1e-12 {
		s.skewness = m3 / m0 / math.Pow(s.spread, 1.5)
	}
	tail := cells[n-max(n/10, 1):]
	s.decay = -10 * math.Log10(max(float64(f32.Mean(tail))/s.peak, 1e-12))
	return s
}

// onsets picks peaks of the flux that stand out from their surroundings, as times in seconds.
func onsets(flux []float32, fps float64) []float64 {
	if len(flux) == 0 {
		return nil
	}
	loudest := f32.Max(flux)
	if loudest < 0.05 {
		return nil
	}
	const reach = 8 // frames on each side
	gap := max(int(math.Round(onsetGap*fps)), 1)
	var times []float64
	last := -gap
	for i, v := range flux {
		if i > 0 && v < flux[i-1] || i+1 < len(flux) && v <= flux[i+1] {
			continue
		}
		near := flux[max(i-reach, 0):min(i+reach+1, len(flux))]
		if v < 1.6*f32.Mean(near)+0.08*loudest || i-last < gap {
			continue
		}
		last = i
		times = append(times, float64(i)/fps)
	}
	return times
}

// ends remembers how a stream begins and ends, to guess whether it loops.
type ends struct {
	first features // mean of the first frames' features
	begin int
	tail  [4]features
	count int
}

func (e *ends) add(f features) {
	if e.begin < len(e.tail) {
		for i, v := range f {
			e.first[i] += v / float64(len(e.tail))
		}
		e.begin++
	}
	e.tail[e.count%len(e.tail)] = f
	e.count++
}

// close returns the means; the very last frame is left out, because it is partly filled up with silence.
func (e *ends) close() (first, last features, ok bool) {
	if e.count < 2*len(e.tail) {
		return first, last, false
	}
	n := len(e.tail)
	for k := 2; k <= n; k++ {
		for i, v := range e.tail[(e.count-k)%n] {
			last[i] += v / float64(n-1)
		}
	}
	return e.first, last, true
}
