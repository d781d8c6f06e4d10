package describe

import (
	"math"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio/fft"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/spectrum"
)

// DetailVersion names the formulas of Detail. What an older version measured is measured again in the background.
const DetailVersion = 3

// Detail is what takes longer to measure than Result, and can wait: a second pass over the same stream. Its JSON names are those of
// the Freesound API, but for those under Problems and for acum; a value that the sound does not have is left out. Means are over frames,
// weighted by their amplitude, unless something else is said.
type Detail struct {
	BeatTimes    []float64 `json:"beat_times,omitempty"`    // s from the start, at most 4000; only with a tempo (Ellis, "Beat tracking by dynamic programming", 2007)
	BeatLoudness *float64  `json:"beat_loudness,omitempty"` // mean power of the 50 ms around each beat, 0…1 (after Gouyon and Herrera 2001)

	Dissonance *float64 `json:"dissonance,omitempty"` // 0 and up: 1 for two equal sines as rough as can be (Plomp and Levelt 1965, by the curves of Sethares 1993)
	Roughness  *float64 `json:"roughness,omitempty"`  // 0…100, the AudioCommons scale over Vassilakis' model of 2001 (Pearce et al., deliverable D5.8)
	Sharpness  *float64 `json:"sharpness,omitempty"`  // 0…100, the AudioCommons scale over acum (D5.8)
	Acum       *float64 `json:"acum,omitempty"`       // sharpness by DIN 45692: 1 is a critical band of noise at 1 kHz and 60 dB, where full scale is 100 dB
	Boominess  *float64 `json:"boominess,omitempty"`  // 0…100, the AudioCommons scale over Hatano and Hashimoto's index of 2000 (D5.8)
	Brightness *float64 `json:"brightness,omitempty"` // 0…100, AudioCommons: share above 2 kHz and centroid above 100 Hz (D5.7)
	Depth      *float64 `json:"depth,omitempty"`      // 0…100, AudioCommons: low centroid, share below 500 Hz, duration and lowest peak (D5.7)

	Hardness   *float64 `json:"hardness,omitempty"`   // 0…100, AudioCommons, after their model 0.4 (see the method)
	Warmth     *float64 `json:"warmth,omitempty"`     // 0…100, AudioCommons, after their model 0.4 (see the method)
	Reverbness *bool    `json:"reverbness,omitempty"` // whether it sounds reverberant, AudioCommons (D5.8), from the time that decays take

	Inharmonicity *float64  `json:"inharmonicity,omitempty"`  // 0…1, energy-weighted distance of the partials from multiples of the first (Peeters 2004)
	Tristimulus   []float64 `json:"tristimulus,omitempty"`    // shares of amplitude in partial 1, in 2 to 4, and above (Pollard and Jansson 1982)
	Salience      *float64  `json:"pitch_salience,omitempty"` // 0…1, highest peak of the autocorrelation over its value at lag 0 (Ricard 2004)

	Decay    *float64 `json:"decay_strength,omitempty"`    // root of energy over temporal centroid, on Essentia's scale at 44.1 kHz (StrongDecay, after Gouyon and Herrera 2001)
	Decrease *float64 `json:"temporal_decrease,omitempty"` // 1/s, slope of the line through the amplitude envelope, whose peak is 1 (Essentia's Decrease)

	HasProblems *bool     `json:"has_audio_problems,omitempty"` // clicks, clipping, hum, dropouts or DC, as in Problems
	Problems    *Problems `json:"problems,omitempty"`
}

const (
	longWindows  = 4    // of the spectrum's window that partials are told apart in: 186 ms
	voicedLong   = 0.8  // strength of a period from which partials are looked at
	maxBeats     = 4000 // beat times returned
	beatReach    = 0.025
	energyScale  = 44_100
	leastPartial = 0.01 // of the strongest peak
)

// Detailer measures a Detail; like Analyzer, it looks at the frames of package spectrum, and besides at the samples of each channel.
// It is not safe for concurrent use. Its memory stays below 8 MB.
type Detailer struct {
	rate, fps float64
	extract   *extractor
	frames    int64
	flux      []float32
	level     []float32 // power of each frame of flux
	envelope  envelope
	energy    float64 // sum of squares of the mono samples
	timbre    timbre
	bark      *bark
	problems  *problems

	long   *fft.Plan // of longWindows windows
	window []float32
	held   []float32 // samples for the next long window
	power  []float32
	pitch  *pitcher
	tones  tones
	curves *curves
	hum    hum

	mean       []float64 // power spectrum of all long windows
	attacks    *attacks
	percussion *percussion
	reverbs    []*reverb // of the first two channels
	weights    []float32 // of BS.1770, for each bin
	weighted   []float32 // and what each frame has under them
	peak       float64   // of the mono samples
}

// tones are sums over long frames, weighted by amplitude.
type tones struct {
	weight, dissonance, salience float64
	count, rough                 float64 // unweighted, as the AudioCommons model has it
	voiced, inharmonic           float64
	parts                        [3]float64
	peaks                        []peak
}

// NewDetail prepares a second pass over a stream of the given rate in Hz.
func NewDetail(rate, channels int) *Detailer {
	rate = max(rate, 1)
	window := spectrum.WindowSize(rate)
	n := window * longWindows
	plan, err := fft.New(n)
	if err != nil {
		panic("describe: " + err.Error()) // WindowSize returns powers of two only
	}
	pitch, err := newPitcher(rate, n)
	if err != nil {
		panic("describe: " + err.Error())
	}
	binHz := float64(rate) / float64(window)
	d := &Detailer{
		rate: float64(rate), fps: float64(rate) / float64(window/2), extract: newExtractor(rate, window), envelope: newEnvelope(rate, window/2),
		timbre: newTimbre(window/2+1, binHz), bark: newBark(window/2+1, binHz), problems: newProblems(rate, channels),
		long: plan, window: make([]float32, n), power: make([]float32, n/2+1), pitch: pitch, curves: newCurves(), hum: newHum(float64(rate) / float64(n)),
	}
	d.mean, d.attacks, d.percussion = make([]float64, n/2+1), newAttacks(float64(rate), window), newPercussion(window/2+1, binHz)
	for range min(channels, 2) {
		d.reverbs = append(d.reverbs, newReverb(float64(rate)))
	}
	d.weights = make([]float32, window/2+1)
	for i := range d.weights {
		d.weights[i] = float32(loudness.Response(float64(i)*binHz, rate) / 3) // as in bark: the sum over the bins of a sound is three times its mean square
	}
	for i := range d.window {
		d.window[i] = float32((1 - math.Cos(2*math.Pi*float64(i)/float64(n))) * 2 / float64(n)) // as spectrum's: a full-scale sine has power 1
	}
	return d
}

// Write takes a block of the channels as they were decoded.
func (d *Detailer) Write(planar [][]float32) {
	d.problems.write(planar)
	for c, r := range d.reverbs {
		r.write(planar[c])
	}
}

// Frame takes the next frame of the stream; it has the shape of spectrum.Analyzer.OnFrame.
func (d *Detailer) Frame(f *spectrum.Frame) {
	d.frames++
	heard := f.Samples[len(f.Samples)/2:] // the earlier half came with the frame before
	d.envelope.add(heard)
	d.energy += float64(f32.SumOfSquares(heard))
	var ignored features
	if flux := d.extract.timbre(f, &ignored); len(d.flux) < maxFlux {
		d.flux = append(d.flux, flux)
		d.level = append(d.level, f32.SumOfSquares(heard)/float32(len(heard)))
		d.weighted = append(d.weighted, f32.DotProduct(f.Power, d.weights))
	}
	d.peak = max(d.peak, float64(f32.MaxAbs(heard)))
	d.attacks.frame(f, d.extract.bands, d.extract.reference, d.flux)
	d.percussion.frame(f.Magnitude)
	d.timbre.frame(f)
	if d.frames%2 == 0 { // the windows overlap by half, and the loudness of every second one tells enough
		d.bark.frame(f.Power)
	}
	d.held = append(d.held, heard...)
	if len(d.held) >= len(d.window) {
		d.tone(f.BinHz / longWindows)
		d.held = d.held[:copy(d.held, d.held[len(d.window)/2:])]
	}
}

// tone looks at the partials in the long window that is held; binHz is the width of its bins.
func (d *Detailer) tone(binHz float64) {
	d.long.Power(d.power, d.held[:len(d.window)], d.window)
	first := min(int(math.Ceil(40/binHz)), len(d.power)-1)
	total := float64(f32.Sum(d.power[first:]))
	d.hum.frame(d.power)
	if total < 1e-12 {
		return
	}
	for i, p := range d.power {
		d.mean[i] += float64(p)
	}
	t := &d.tones
	weight := math.Sqrt(total)
	t.peaks = findPeaks(t.peaks[:0], d.power, first, binHz)
	t.weight += weight
	t.count++
	dissonance, rough := d.curves.sensory(t.peaks)
	t.dissonance += weight * dissonance
	t.rough += rough
	clear(d.pitch.power[:first])
	copy(d.pitch.power[first:], d.power[first:])
	d.pitch.plan.Autocorrelation(d.pitch.corr, d.pitch.power)
	hz, strength := d.pitch.period()
	t.salience += weight * min(max(strength, 0), 1)
	if strength < voicedLong || hz <= 0 {
		return
	}
	inharmonic, parts, ok := harmonics(t.peaks, hz)
	if !ok {
		return
	}
	t.voiced += weight
	t.inharmonic += weight * inharmonic
	for i, v := range parts {
		t.parts[i] += weight * v
	}
}

// Result returns the details of a stream of the given number of sample frames, whose tempo, in beats a minute, is known from Result of
// the first pass; 0 is none. Ask after the spectrum's Result, which hands out the last frames.
func (d *Detailer) Result(sampleFrames int64, bpm float64) *Detail {
	r := &Detail{}
	seconds := float64(sampleFrames) / d.rate
	if d.tones.count == 0 && len(d.held) > 0 { // shorter than a long window: what there is, and silence
		d.held = append(d.held, make([]float32, len(d.window))...)[:len(d.window)]
		d.tone(d.rate / float64(len(d.window)))
	}
	r.Problems = d.problems.close(d.hum.found(), d.level)
	has := r.Problems.Any()
	r.HasProblems = &has
	s := d.envelope.shape(seconds)
	if s.peak == 0 || seconds <= 0 {
		return r
	}
	d.tones.tell(r)
	r.Acum, r.Sharpness, r.Boominess = d.bark.tell()
	r.Brightness = d.timbre.brightness()
	times := onsets(d.flux, d.fps)
	r.Depth = d.timbre.depth(d.durations(times, seconds))
	if gain, ok := d.toNormal(); ok {
		felt := d.bark.felt(fullScale + 10*math.Log10(gain))
		r.Hardness, r.Warmth = d.hardness(times, gain, felt), d.warmth(felt)
	}
	wet := reverberant(d.reverbs)
	r.Reverbness = &wet
	r.Decay = known(math.Sqrt(d.energy / d.rate * energyScale / max(s.centroid, 1/d.rate)))
	r.Decrease = known(d.envelope.slope(seconds))
	if bpm > 0 {
		d.beats(r, bpm, seconds)
	}
	return r
}

func (t *tones) tell(r *Detail) {
	if t.weight <= 0 {
		return
	}
	r.Dissonance, r.Salience = known(t.dissonance/t.weight), known(t.salience/t.weight)
	r.Roughness = roughScale(t.rough / t.count)
	if t.voiced > 0 {
		r.Inharmonicity = known(t.inharmonic / t.voiced)
		for _, v := range t.parts {
			r.Tristimulus = append(r.Tristimulus, round(v/t.voiced, 1e-4))
		}
	}
}

// known points to a number as it is told, or is nil for none.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	if a := math.Abs(v); a > 1e-3 && a < 1e9 {
		v = round(v, 1e-4)
	}
	return &v
}

// hundred bounds a value of the AudioCommons scale, as their models do with clip_output.
func hundred(v float64) *float64 { return known(min(max(v, 0), 100)) }

// slope is that of the line through the amplitudes of the envelope, with the peak as 1, by least squares; in 1/s.
func (v *envelope) slope(seconds float64) float64 {
	step := v.step()
	n := min(len(v.power), int(math.Ceil(seconds/step)))
	if n < 2 {
		return 0
	}
	peak := math.Sqrt(float64(f32.Max(v.power[:n])))
	var sy, sxy, sxx float64
	middle := float64(n-1) / 2
	for i, p := range v.power[:n] {
		y, x := math.Sqrt(float64(p))/peak, float64(i)-middle
		sy += y
		sxy += x * y
		sxx += x * x
	}
	return sxy / sxx / step
}

// durations are the seconds from the loudest moment after each onset until the sound is 40 dB below it or the next onset comes.
func (d *Detailer) durations(onsets []float64, seconds float64) (list []float64) {
	if len(onsets) == 0 {
		onsets = []float64{0}
	}
	step := d.envelope.step()
	cells := d.envelope.power[:min(len(d.envelope.power), int(math.Ceil(seconds/step)))]
	for i, at := range onsets {
		to := len(cells)
		if i+1 < len(onsets) {
			to = min(to, int(onsets[i+1]/step))
		}
		from := min(int(at/step), to)
		top, peak := from, float32(0)
		for k := from; k < to; k++ {
			if cells[k] > peak {
				top, peak = k, cells[k]
			}
		}
		end := top
		for end < to && cells[end] >= peak*1e-4 {
			end++
		}
		if end > top {
			list = append(list, float64(end-top)*step)
		}
	}
	return list
}
