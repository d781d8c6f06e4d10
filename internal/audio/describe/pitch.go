package describe

import (
	"fmt"
	"math"
	"slices"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/fft"
	"audiomicro/internal/audio/spectrum"
)

const (
	pitchFrames  = 450 // that pitch and note are of: 10 s at 44.1 kHz
	lowestPitch  = 60.0
	highestPitch = 2500.0
	lagCost      = 0.02 // per octave, so that a tone's own period wins over its multiples
	voicedFrom   = 0.8  // correlation of a period with the next
	pitchRange   = 30.0 // dB below the loudest frame that count
	leastVoiced  = 0.3  // share of frames for a pitch
	oneNote      = 0.6  // share of frames within half a semitone for a note
	noteSeconds  = 30.0 // longest sound that may be one note
)

// pitcher finds the fundamental of each of the first frames by the autocorrelation under the window, divided by that of the window
// (Boersma, "Accurate short-term analysis of the fundamental frequency", 1993).
type pitcher struct {
	rate     float64
	plan     *fft.Plan
	window   []float32 // autocorrelation of the window, 1 at lag 0
	power    []float32
	corr     []float32
	from, to int // lags
	most     int // frames looked at: those whose melody is kept
	found    []heard
}

// heard is one frame's fundamental.
type heard struct {
	hz       float64
	strength float64 // correlation, up to 1
	level    float64 // dB
}

func newPitcher(rate, window int) (*pitcher, error) {
	plan, err := fft.New(window)
	if err != nil {
		return nil, fmt.Errorf("find pitch: %w", err)
	}
	n := window/2 + 1
	p := &pitcher{rate: float64(rate), most: max(pitchFrames, int(contour.Seconds*float64(rate)/float64(window/2))), plan: plan, window: make([]float32, n), power: make([]float32, n), corr: make([]float32, n)}
	ones, hann := make([]float32, window), make([]float32, window)
	for i := range hann {
		ones[i] = 1
		hann[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(window)))
	}
	plan.Power(p.power, ones, hann)
	plan.Autocorrelation(p.window, p.power)
	for i := len(p.window) - 1; i >= 0; i-- {
		p.window[i] /= p.window[0]
	}
	p.from = max(int(p.rate/highestPitch), 3)
	p.to = min(int(p.rate/lowestPitch), n*4/5)
	return p, nil
}

func (p *pitcher) frame(f *spectrum.Frame, first int, level float64) {
	if len(p.found) >= p.most || p.from+2 >= p.to {
		return
	}
	h := heard{level: level}
	if f.Total > 1e-12 {
		clear(p.power[:first])
		copy(p.power[first:], f.Power[first:])
		p.plan.Autocorrelation(p.corr, p.power)
		h.hz, h.strength = p.period()
	}
	p.found = append(p.found, h)
}

// period returns the best fundamental in Hz and its strength; 0 when no lag stands out.
func (p *pitcher) period() (hz, strength float64) {
	scale := 1 / p.corr[0]
	value := func(lag int) float32 { return p.corr[lag] * scale / p.window[lag] }
	best := 0.0
	a, b := value(p.from-1), value(p.from)
	for lag := p.from; lag < p.to; lag++ {
		c := value(lag + 1)
		if b > 0.3 && b > a && b >= c {
			shift, top := 0.0, float64(b)
			if d := float64(a - 2*b + c); d < 0 {
				shift = 0.5 * float64(a-c) / d
				top -= 0.25 * float64(a-c) * shift
			}
			if v := top - lagCost*math.Log2(float64(lag)/float64(p.from)); v > best {
				best, strength, hz = v, min(top, 1), p.rate/(float64(lag)+shift)
			}
		}
		a, b = b, c
	}
	return hz, strength
}

// pitch fills in what the frames say together.
func (r *Result) pitch(found []heard, seconds float64) {
	found = found[:min(len(found), pitchFrames)]
	loudest := math.Inf(-1)
	for _, h := range found {
		loudest = max(loudest, h.level)
	}
	var hz []float64
	active, sum := 0, 0.0
	for _, h := range found {
		if h.level < loudest-pitchRange || h.level < levelLow {
			continue
		}
		active++
		if h.strength >= voicedFrom {
			hz = append(hz, h.hz)
			sum += h.strength
		}
	}
	if active == 0 || float64(len(hz)) < leastVoiced*float64(active) {
		return
	}
	share, strength := float64(len(hz))/float64(active), sum/float64(len(hz))
	slices.Sort(hz)
	var mean, square float64
	for _, v := range hz {
		mean += v / float64(len(hz))
		square += v * v / float64(len(hz))
	}
	r.Pitch, r.PitchConfidence = round(mean, 1e-2), round(share*strength, 1e-3)
	r.PitchMin, r.PitchMax = round(hz[len(hz)/20], 1e-2), round(hz[len(hz)-1-len(hz)/20], 1e-2)
	r.PitchVar = max(square-mean*mean, 0)
	note := 69 + 12*math.Log2(hz[len(hz)/2]/440)
	near := 0
	for _, v := range hz {
		if math.Abs(69+12*math.Log2(v/440)-note) <= 0.5 {
			near++
		}
	}
	if same := float64(near) / float64(active); same >= oneNote && seconds <= noteSeconds {
		midi := int(math.Round(note))
		r.NoteMIDI, r.NoteName = midi, fmt.Sprint(pitchNames[midi%12], midi/12-1)
		r.NoteConfidence = round(same*strength, 1e-3)
	}
}
