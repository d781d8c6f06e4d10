package describe

import (
	"math"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio/spectrum"
)

const (
	attackReach    = 8     // frames on each side of a stroke, as in onsets
	attackFrames   = 5     // frames after it that are its attack: 116 ms
	attackRing     = 16    // frames remembered
	attackEdges    = 32    // of the rolloff, four an octave from attackLow
	attackLow      = 80.0  // Hz
	attackMost     = 0.1   // s, longest attack
	attackHold     = 0.01  // s that the envelope holds a peak
	attackRelease  = 0.1   // s from the highest peak to nothing
	attackLevels   = 9     // heights between a tenth and nine tenths
	attackEffort   = 3     // times the mean step, beyond which a step is no attack
	attackRecords  = 4096  // strokes kept
	bandFloor      = 1e-8  // of the strongest band so far: 80 dB
	bandHop        = 0.7   // of a step of 1024 samples, what one of 512 has: a half for slow swells, four fifths for a sudden beginning
	bandwidthFloor = -75.0 // dB a Hz from which there is something at a frequency
	normalLoudness = -24.0 // LUFS to which the AudioCommons models set every sound
)

// attacks looks at the beginnings of strokes, for hardness.
type attacks struct {
	rate, fps   float64
	edges       [attackEdges]int // bins
	ring        [attackRing]instant
	samples     [attackRing][]float32 // absolute values
	bands, past []float32             // dB
	frames      int
	loudest     float32
	records     []attack
	envelope    []float32
}

// instant is one frame.
type instant struct {
	sum, moment float32              // of the magnitude, and times Hz
	rollon      float32              // Hz below which a twentieth of the magnitude lies
	strength    float32              // dB by which the bands rose, on average
	tail        [attackEdges]float32 // highest power from each edge up
}

// attack is the beginning of a stroke.
type attack struct {
	frame    int
	seconds  float64 // that it took
	peak     float64 // highest sample
	centroid float64 // Hz
	rollon   float64
	strength float64
	tail     [attackEdges]float32
}

func newAttacks(rate float64, window int) *attacks {
	binHz, n := rate/float64(window), window/2+1
	a := &attacks{rate: rate, fps: 2 * binHz, bands: make([]float32, melBands), past: make([]float32, melBands)}
	for k := range a.edges {
		a.edges[k] = min(int(math.Ceil(attackLow*math.Exp2(float64(k)/4)/binHz)), n)
	}
	for i := range a.samples {
		a.samples[i] = make([]float32, window/2)
	}
	return a
}

// frame takes the next frame, its mel bands with the strongest so far, and the flux up to it.
func (a *attacks) frame(f *spectrum.Frame, mel []float32, strongest float32, flux []float32) {
	slot := a.frames % attackRing
	heard := f.Samples[len(f.Samples)/2:]
	f32.Abs(a.samples[slot], heard)
	i := &a.ring[slot]
	i.sum, i.moment = f.Sum, f.Sum*f.Centroid
	at := min(offsetBins, len(f.Magnitude)-1)
	below := 0.05 * f32.Sum(f.Magnitude[at:])
	for at < len(f.Magnitude)-1 && below > f.Magnitude[at] {
		below -= f.Magnitude[at]
		at++
	}
	i.rollon = float32(float64(at) * f.BinHz)
	top := float32(0)
	for k, to := attackEdges-1, len(f.Power); k >= 0; k-- {
		if from := a.edges[k]; from < to {
			top, to = max(top, f32.Max(f.Power[from:to])), from
		}
		i.tail[k] = top
	}
	a.bands, a.past = a.past, a.bands
	for b, v := range mel {
		a.bands[b] = max(v, strongest*bandFloor)
	}
	f32.Log10(a.bands, a.bands)
	i.strength = 0
	for b, v := range a.bands {
		before := a.past[b]
		if a.frames == 0 {
			before = float32(math.Log10(float64(strongest * bandFloor)))
		}
		i.strength += max(v-before, 0) * 10 / melBands
	}
	a.frames++
	if len(flux) < a.frames {
		return // beyond what onsets looks at
	}
	a.loudest = max(a.loudest, flux[a.frames-1])
	if c := a.frames - 1 - attackReach; c >= 0 {
		a.look(c, flux)
	}
}

// look keeps what frame c is the beginning of, if onsets may find it at the end.
func (a *attacks) look(c int, flux []float32) {
	v := flux[c]
	first := len(a.records) == 0 && a.ring[c%attackRing].sum > 1e-6
	if !first && (c > 0 && v < flux[c-1] || c+1 < len(flux) && v <= flux[c+1] || v < 0.08*a.loudest ||
		v < 1.6*f32.Mean(flux[max(c-attackReach, 0):min(c+attackReach+1, len(flux))])) || len(a.records) == attackRecords {
		return
	}
	r := attack{frame: c, rollon: math.Inf(1)}
	a.envelope = a.envelope[:0]
	if c == 0 {
		a.envelope = append(a.envelope, 0)
	}
	var sum, moment float64
	for k := max(c-1, 0); k <= min(c+attackFrames, a.frames-1); k++ {
		i := &a.ring[k%attackRing]
		a.envelope = append(a.envelope, a.samples[k%attackRing]...)
		r.strength = max(r.strength, float64(i.strength)*bandHop)
		if k < c {
			continue
		}
		sum += float64(i.sum)
		moment += float64(i.moment)
		r.rollon = min(r.rollon, float64(i.rollon))
		for e, p := range i.tail {
			r.tail[e] = max(r.tail[e], p)
		}
	}
	if sum > 0 {
		r.centroid = moment / sum
	}
	r.peak = float64(f32.Max(a.envelope))
	r.seconds = attackTime(a.envelope, a.rate)
	a.records = append(a.records, r)
}

// attackTime is how long an attack takes, by the least effort (Peeters 2004, as AudioCommons has it): the envelope crosses nine heights between
// its lowest point and its peak, and steps that take over three times the mean are not part of the attack. x holds absolute values, and
// the envelope of them afterwards.
func attackTime(x []float32, rate float64) float64 {
	top := f32.Max(x)
	release, hold := top/float32(attackRelease*rate), int(attackHold*rate)
	last, held := float32(0), 0
	peak := 0
	for i, v := range x {
		switch {
		case v >= last:
			last, held = v, 0
		case held < hold:
			held++
		default:
			last = max(last-release, v)
		}
		x[i] = last
		if last > x[peak] {
			peak = i
		}
	}
	low := 0
	for i, v := range x[:peak] {
		if v <= x[low] {
			low = i
		}
	}
	rise := x[low : peak+1]
	var at [attackLevels]int
	i := 0
	for k := range at {
		height := rise[0] + (rise[len(rise)-1]-rise[0])*float32(k+1)/(attackLevels+1)
		for i < len(rise)-1 && rise[i] < height {
			i++
		}
		at[k] = i
	}
	most := attackEffort * float64(at[attackLevels-1]-at[0]) / (attackLevels - 1)
	from, to := 0, attackLevels-1
	for from < attackLevels-2 && float64(at[from+1]-at[from]) > most {
		from++
	}
	for k := from; k < attackLevels-1; k++ {
		if d := float64(at[k+1] - at[k]); d >= most && d > 0 {
			to = k
			break
		}
	}
	if at[from] == at[to] {
		from, to = 0, attackLevels-1
	}
	return min(float64(at[to]-at[from]+1)/rate, attackMost)
}

// rolloff is the highest frequency at which a tail has the given power, between the edges along a line in decibels; 0 for none.
func rolloff(tail *[attackEdges]float32, power, nyquist float64) float64 {
	k := attackEdges - 1
	for k >= 0 && float64(tail[k]) < power {
		k--
	}
	if k < 0 {
		return 0
	}
	part := 0.0
	if k+1 < attackEdges {
		part = math.Log(float64(tail[k])/power) / math.Log(float64(tail[k])/max(float64(tail[k+1]), power*1e-6))
	}
	return min(attackLow*math.Exp2((float64(k)+part)/4), nyquist)
}

// leak is the frequency up to which the model's transform of 4096 samples shows something of a sound that has nothing there: it has no window,
// and what is cut off at a peak has the spectrum of a step. The regression was made with it, so low sounds owe it their hardness.
func leak(peak, rate float64) float64 {
	least := math.Pow(10, bandwidthFloor/20) * math.Sqrt(rate*4096)
	return rate / math.Pi * math.Asin(min(peak/(2*least), 1))
}

// hardness follows the AudioCommons model (Pearce, Brookes and Mason, deliverables D5.6 and D5.8, version 0.4), whose regression it has. It
// departs from it in the transform (46 ms under a Hann window, where the model has 93 ms under none, every 3 ms, whose leakage is added), so
// that the bandwidth of an attack is the largest of five frames, and its centroid their mean instead of that of one transform of 125 ms; in
// onsets, which are those of Result; in the strength of a stroke, from 40 bands instead of 128; in the median filters (percussion); and in
// specific loudness (bark). So values resemble the model's and are not equal to them (doc/timbre.md). times are onsets in seconds, gain the
// factor of power to -24 LUFS, and felt how loud the sound is then.
func (d *Detailer) hardness(times []float64, gain float64, felt felt) *float64 {
	a := d.attacks
	for c := max(a.frames-attackReach, 0); c < min(a.frames, len(d.flux)); c++ {
		a.look(c, d.flux[:min(a.frames, len(d.flux))])
	}
	share, ok := d.percussion.share()
	if len(a.records) == 0 || !ok {
		return nil
	}
	found := make([]attack, 0, len(times))
	for i, k := 0, 0; i < len(times) && k < len(a.records); {
		switch at := int(math.Round(times[i] * d.fps)); {
		case at == a.records[k].frame:
			found = append(found, a.records[k])
			i++
			k++
		case at < a.records[k].frame:
			i++
		default:
			k++
		}
	}
	if len(found) == 0 { // no stroke: the sound's own beginning
		found = a.records[:1]
	}
	power := 6 * d.rate / float64(2*len(a.samples[0])) * math.Pow(10, bandwidthFloor/10) / gain // a bin of noise under the window
	n := float64(len(found))
	var weight, bandwidth, centroid, strength, time float64
	for i := range found {
		r := &found[i]
		if w := max(rolloff(&r.tail, power, d.rate/2), leak(r.peak*math.Sqrt(gain), d.rate)); w > 0 {
			weight += r.strength
			bandwidth += r.strength * max(w-r.rollon, 0)
		}
		centroid += r.centroid
		strength += r.strength
		time += math.Log10(r.seconds)
	}
	if bandwidth = bandwidth / max(weight, 1e-9); bandwidth <= 512 {
		bandwidth = d.rate / 512
	}
	return hundred(12.079781720638145*math.Log10(bandwidth) + 18.52100377170042*math.Log10(max(centroid/n, 200)) + 14.139883645260355*math.Log10(max(felt.middle, 1e-2)) +
		5.567690321917516*math.Log10(max(share, 1e-3)) + 3.9346817690405635*math.Log10(max(strength/n, 1e-2)) - 4.326890461087848*time/n - 85.60352209068202)
}
