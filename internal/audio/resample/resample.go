// Package resample changes the sample rate of a stream with a polyphase windowed-sinc filter, block by block.
//
// It holds one history of input samples per channel and one bank of filter phases; both are bounded for any pair of rates.
// It promises an exact length, ceil(frames × to / from), with the filter's delay taken out: output sample k lies at input
// time k × from / to. Samples before the first and after the last are taken as zero.
//
//	r, err := resample.New(44100, 48000, 2, resample.Encode)
//	for each block { out := r.Write(block) … }
//	rest := r.Flush()
//
// Blocks returned are borrowed until the next call. A NaN spreads over the filter's length and no further.
package resample

import (
	"fmt"
	"math"

	"github.com/tphakala/simd/f32"
)

// Quality describes the low-pass filter as a Kaiser-windowed sinc.
type Quality struct {
	HalfWidth int     // zero crossings of the sinc on each side at full bandwidth
	Beta      float64 // Kaiser window shape; 10.06 gives 100 dB, 12.27 gives 120 dB
	Cutoff    float64 // -6 dB point as a fraction of the lower of the two Nyquist frequencies; at most the higher one
}

// Encode is for sound that people hear: stop band below -100 dB, pass band flat to 20 kHz at 44.1 kHz. With 32 zero crossings
// a side the transition is 0.2 of Nyquist wide (Kaiser 1974), here centered a little below Nyquist: what folds back lies
// above 20 kHz and is already attenuated.
var Encode = Quality{HalfWidth: 40, Beta: 10.06, Cutoff: 0.97}

// Heard is for a coder at rate to (Hz) that keeps nothing above 20 kHz, as Opus (RFC 6716 section 2): stop band below -100 dB
// and pass band flat to 20 kHz, for whatever lands below 20 kHz. What lands above may fold there freely, so from 40 kHz on
// the transition reaches from 20 kHz to where folding comes down to it again, and half of Encode's taps suffice
// (Kaiser 1974: 19.2 zero crossings for 100 dB at 48 kHz).
func Heard(from, to int) Quality {
	const edge = 20000
	if from < 2*edge || to < 2*edge+8000 {
		return Encode
	}
	return Quality{HalfWidth: 20, Beta: 10.06, Cutoff: float64(to) / float64(min(from, to))}
}

// Fingerprint is the filter Chromaprint has been computed with since 2010: 8 zero crossings a side, beta 9, cutoff 0.8.
var Fingerprint = Quality{HalfWidth: 8, Beta: 9, Cutoff: 0.8}

const (
	maxRate     = 768000
	maxRatio    = 128     // bounds the filter's length
	maxCoeffs   = 1 << 20 // 4 MB of phases; above it neighboring phases are interpolated
	interpolate = 1024    // phases when interpolating: error below -110 dB
)

// Resampler converts one stream; it is not safe for concurrent use.
type Resampler struct {
	up, down int64 // to/g and from/g
	channels int
	taps     int         // filter length in input samples
	phases   int         // rows in bank, without the extra one used by interpolation
	exact    bool        // phases == up: no interpolation needed
	bank     [][]float32 // phases+1 rows of taps coefficients
	step     int64       // input samples per output sample, whole part
	frac     int64       // and rest, in 1/up
	hist     [][]float32 // input not yet consumed, starting taps/2-1 samples before the next output
	pos      int         // index in hist of the first tap of the next output
	sub      int64       // its phase, 0 ≤ sub < up
	in, out  int64       // frames taken and given
	buf      [][]float32
	view     [][]float32
	phase    []float32 // outputs of one phase
	flushed  bool
}

// New prepares a conversion from one rate to another (Hz) for a number of channels. Rates outside 1 Hz…768 kHz, a
// ratio above 128 and a channel count below 1 are errors.
func New(from, to, channels int, q Quality) (*Resampler, error) {
	if from < 1 || to < 1 || from > maxRate || to > maxRate || from/to > maxRatio || to/from > maxRatio {
		return nil, fmt.Errorf("resample %d Hz to %d Hz: rate out of range", from, to)
	}
	if channels < 1 || q.HalfWidth < 1 || q.Cutoff <= 0 || q.Cutoff*float64(min(from, to)) > float64(max(from, to))+.5 {
		return nil, fmt.Errorf("resample %d channels: bad parameters", channels)
	}
	g := gcd(from, to)
	r := &Resampler{up: int64(to / g), down: int64(from / g), channels: channels}
	r.step, r.frac = r.down/r.up, r.down%r.up
	bandwidth := q.Cutoff * math.Min(1, float64(to)/float64(from))
	half := int(math.Ceil(float64(q.HalfWidth) / bandwidth))
	half = (half + 3) &^ 3 // whole vectors
	r.taps = 2 * half
	r.phases, r.exact = int(r.up), true
	if int64(r.taps)*r.up > maxCoeffs && r.up > interpolate {
		r.phases, r.exact = interpolate, false
	}
	r.bank = filterBank(r.phases, half, bandwidth, q.Beta)
	r.hist = make([][]float32, channels)
	r.buf = make([][]float32, channels)
	r.view = make([][]float32, channels)
	for c := range r.hist {
		r.hist[c] = make([]float32, half-1, half-1+32768) // zeros before the first sample
	}
	return r, nil
}

// Latency returns how many input frames Write holds back until their successors are known.
func (r *Resampler) Latency() int { return r.taps / 2 }

// Write takes a block of input (one slice per channel) and returns the output frames that are complete now, possibly none.
func (r *Resampler) Write(planar [][]float32) [][]float32 {
	if len(planar) == 0 || len(planar[0]) == 0 || r.flushed {
		return r.cut(0)
	}
	r.in += int64(len(planar[0]))
	for c := range r.hist {
		r.hist[c] = append(r.hist[c], planar[c]...)
	}
	return r.produce(math.MaxInt64)
}

// Flush returns the remaining frames, so that the whole output has ceil(frames × to / from). Later calls return none.
func (r *Resampler) Flush() [][]float32 {
	if r.flushed {
		return r.cut(0)
	}
	r.flushed = true
	total := (r.in*r.up + r.down - 1) / r.down
	tail := make([]float32, r.taps)
	for c := range r.hist {
		r.hist[c] = append(r.hist[c], tail...)
	}
	return r.produce(total - r.out)
}

func (r *Resampler) cut(n int) [][]float32 {
	for c := range r.view {
		r.view[c] = r.buf[c][:n]
	}
	return r.view
}

// produce makes at most limit frames from the history and drops what no later frame needs.
func (r *Resampler) produce(limit int64) [][]float32 {
	room := int64(len(r.hist[0]) - r.taps - r.pos)
	n := int64(0)
	if room >= 0 {
		n = (room*r.up + r.up - 1 - r.sub) / r.down // last k with pos + floor((sub+k*down)/up) ≤ len-taps
		n = min(n+1, limit)
	}
	pos, sub := r.pos, r.sub
	for c := range r.hist {
		if int64(cap(r.buf[c])) < n {
			r.buf[c] = make([]float32, n+n/8)
		}
		r.buf[c] = r.buf[c][:n]
		pos, sub = r.channel(r.buf[c], r.hist[c])
	}
	r.pos, r.sub = pos, sub
	r.out += n
	drop := min(r.pos, len(r.hist[0]))
	for c := range r.hist {
		rest := copy(r.hist[c], r.hist[c][drop:])
		r.hist[c] = r.hist[c][:rest]
	}
	r.pos -= drop
	return r.cut(int(n))
}

func (r *Resampler) channel(dst, src []float32) (int, int64) {
	pos, sub := r.pos, r.sub
	step, frac := int(r.step), r.frac
	next := func() {
		pos += step
		if sub += frac; sub >= r.up {
			sub -= r.up
			pos++
		}
	}
	if r.exact {
		// Outputs of the same phase lie up apart and their inputs down: all of a phase in one call keeps the vector units busy.
		up := int(r.up)
		n := (len(dst) + up - 1) / up
		if cap(r.phase) < n {
			r.phase = make([]float32, n)
		}
		for k := 0; k < min(up, len(dst)); k++ {
			out := r.phase[:(len(dst)-k+up-1)/up]
			if up == 1 {
				out = dst
			}
			f32.ConvolveDecimate(out, src[pos:], r.bank[sub], int(r.down), 0)
			if up > 1 {
				for i, v := range out {
					dst[k+i*up] = v
				}
			}
			next()
		}
		end := r.sub + int64(len(dst))*r.down
		return r.pos + int(end/r.up), end % r.up
	}
	for k := range dst {
		window := src[pos : pos+r.taps]
		at := float64(sub) / float64(r.up) * float64(r.phases)
		p := int(at)
		w := float32(at - float64(p))
		a := f32.DotProductUnsafe(window, r.bank[p])
		b := f32.DotProductUnsafe(window, r.bank[p+1])
		dst[k] = a + w*(b-a)
		next()
	}
	return pos, sub
}

// filterBank computes phases+1 rows; row p weighs inputs for an output that lies p/phases behind the middle input. Each row
// sums to 1, so that a constant stays the same constant in every phase.
func filterBank(phases, half int, bandwidth, beta float64) [][]float32 {
	bank := make([][]float32, phases+1)
	row := make([]float64, 2*half)
	norm := bessel0(beta)
	for p := range bank {
		sum := 0.0
		for i := range row {
			x := float64(i-half+1) - float64(p)/float64(phases)
			t := x / float64(half)
			row[i] = 0
			if t > -1 && t < 1 {
				row[i] = sinc(x*bandwidth) * bessel0(beta*math.Sqrt(1-t*t)) / norm
			}
			sum += row[i]
		}
		bank[p] = make([]float32, 2*half)
		for i, v := range row {
			bank[p][i] = float32(v / sum)
		}
	}
	return bank
}

func sinc(x float64) float64 {
	if math.Abs(x) < 1e-9 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of the first kind and order zero, by its power series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
