package describe

import (
	"math"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio/fft"
	"audiomicro/internal/audio/spectrum"
)

const (
	openingBands   = 24
	openingSeconds = 12.0 // looked at, from the first sample above openingGate
	openingGate    = 1e-3 // amplitude, -60 dBFS
	openingFloor   = 1e-8 // of the loudest frame: 80 dB
	openingFirst   = 0.01 // of the loudest frame's power: where the sound begins
)

// openingEdges are seconds behind the beginning of a sound: its attack, body and decay are looked at in seven steps, each twice as long
// as the one before, for struck and plucked sounds differ most in how each band dies away.
var openingEdges = [openingSteps + 1]float64{0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6}

const openingSteps = 7

// opening follows the first seconds of a sound in windows of about 23 ms, four times as dense as the spectrum's.
type opening struct {
	plan   *fft.Plan
	window []float32
	power  []float32
	mel    filters
	hop    int
	step   float64   // seconds between frames
	most   int       // frames at most
	held   []float32 // samples not yet followed
	begun  bool
	frames []float32 // openingBands each
	energy []float32 // of each frame
}

func newOpening(rate int) *opening {
	n := max(spectrum.WindowSize(rate)/2, 64)
	plan, err := fft.New(n)
	if err != nil {
		panic("describe: " + err.Error()) // WindowSize returns powers of two only
	}
	o := &opening{
		plan: plan, window: make([]float32, n), power: make([]float32, n/2+1), hop: n / 4,
		mel: melFilters(n/2+1, float64(rate)/float64(n), openingBands),
	}
	o.step = float64(o.hop) / float64(max(rate, 1))
	o.most = int(openingSeconds / o.step)
	for i := range o.window {
		o.window[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n)))
	}
	return o
}

// add takes the next samples of the stream.
func (o *opening) add(x []float32) {
	if len(o.energy) >= o.most {
		return
	}
	if !o.begun {
		at := 0
		for at < len(x) && x[at] < openingGate && x[at] > -openingGate {
			at++
		}
		if at == len(x) {
			return
		}
		x, o.begun = x[at:], true
	}
	o.held = append(o.held, x...)
	n, at := len(o.window), 0
	for ; at+n <= len(o.held) && len(o.energy) < o.most; at += o.hop {
		o.frame(o.held[at : at+n])
	}
	o.held = o.held[:copy(o.held, o.held[at:])]
}

func (o *opening) frame(x []float32) {
	o.plan.Power(o.power, x, o.window)
	sum := float32(0)
	for b, w := range o.mel.weights {
		v := float32(0)
		if len(w) > 0 {
			v = f32.DotProduct(w, o.power[o.mel.from[b]:])
		}
		sum += v
		o.frames = append(o.frames, v)
	}
	o.energy = append(o.energy, sum)
}

// levels are the mean levels of the bands in each step, in dB of the loudest frame's sum over the bands, at least -80. A sound that
// has ended has -80.
func (o *opening) levels() (v [openingSteps * openingBands]float64) {
	for i := range v {
		v[i] = 10 * math.Log10(openingFloor)
	}
	if len(o.energy) < o.most && len(o.held) > 0 { // what was left over of a short sound
		o.frame(append(o.held, make([]float32, len(o.window))...)[:len(o.window)])
	}
	if len(o.energy) == 0 {
		return v
	}
	loudest := f32.Max(o.energy)
	if loudest <= 0 {
		return v
	}
	first := 0
	for o.energy[first] < openingFirst*loudest {
		first++
	}
	for s := range openingSteps {
		from := first + int(math.Round(openingEdges[s]/o.step))
		to := min(max(first+int(math.Round(openingEdges[s+1]/o.step)), from+1), len(o.energy))
		for b := range openingBands {
			sum := 0.0
			for i := from; i < to; i++ {
				sum += float64(o.frames[i*openingBands+b])
			}
			if to > from {
				v[s*openingBands+b] = 10 * math.Log10(max(sum/float64(to-from)/float64(loudest), openingFloor))
			}
		}
	}
	return v
}
