package describe

import "math"

// Result describes a whole stream. Its JSON names are those of the Freesound API; a value that was not computed, because the
// sound has no such property or is too short, is left out. Times are seconds from the start. Means and variances are over the frames within
// 60 dB of the loudest.
type Result struct {
	Vector []float64 `json:"-"` // VectorSize features for "sounds like" in their own units; nil for silence
	Melody []byte    `json:"-"` // packed by package contour, of the first 30 s; nil where no single voice sings
	Rhythm []byte    `json:"-"` // the same of the strokes; nil where there are fewer than five

	BPM           float64 `json:"bpm,omitempty"`            // beats a minute, 40…240; 0 when nothing repeats
	BPMConfidence float64 `json:"bpm_confidence,omitempty"` // 0…1
	BeatCount     int     `json:"beat_count,omitempty"`     // beats of that tempo in the duration
	Tonality      string  `json:"tonality,omitempty"`       // "C# minor"; "" when there are no pitches
	Confidence    float64 `json:"tonality_confidence,omitempty"`

	Pitch           float64 `json:"pitch,omitempty"`            // Hz, mean over the frames of the first 10 s that have one
	PitchMin        float64 `json:"pitch_min,omitempty"`        // Hz, 5th percentile
	PitchMax        float64 `json:"pitch_max,omitempty"`        // Hz, 95th percentile
	PitchVar        float64 `json:"pitch_var,omitempty"`        // Hz²
	PitchConfidence float64 `json:"pitch_confidence,omitempty"` // 0…1
	NoteName        string  `json:"note_name,omitempty"`        // "A4", for a sound of one note
	NoteMIDI        int     `json:"note_midi,omitempty"`
	NoteConfidence  float64 `json:"note_confidence,omitempty"`

	OnsetCount  int       `json:"onset_count"`           // in the first 2¹⁸ frames (100 minutes at 44.1 kHz)
	OnsetTimes  []float64 `json:"onset_times,omitempty"` // at most 1000
	SingleEvent bool      `json:"single_event"`          // one sound that begins, and dies away or stops
	Loopable    bool      `json:"loopable"`              // a guess: end and start fit, and the length is whole beats or the sound is steady

	StartTime        float64   `json:"start_time"`              // first moment above a tenth of the loudest 6 ms
	LogAttackTime    float64   `json:"log_attack_time"`         // log10 of the seconds from a fifth to nine tenths of it
	Effective        float64   `json:"duration_effective"`      // seconds above a tenth of it
	TemporalCentroid float64   `json:"temporal_centroid"`       // center of the amplitude envelope
	CentroidRatio    float64   `json:"temporal_centroid_ratio"` // the same as a share of the duration
	TemporalSpread   float64   `json:"temporal_spread"`         // s², variance about that center
	TemporalSkewness float64   `json:"temporal_skewness"`       // of the amplitude envelope
	SilenceRate      float64   `json:"silence_rate"`            // share of frames below -60 dBFS
	PeakRatio        float64   `json:"amplitude_peak_ratio"`    // loudest 6 ms over the mean, in amplitude
	ZeroCrossingRate float64   `json:"zero_crossing_rate"`      // per sample
	Centroid         float64   `json:"spectral_centroid"`       // Hz
	Spread           float64   `json:"spectral_spread"`         // Hz
	Skewness         float64   `json:"spectral_skewness"`       //
	Flatness         float64   `json:"spectral_flatness"`       // dB: 0 is white
	Rolloff          float64   `json:"spectral_rolloff"`        // Hz below which 85 % of the power lies
	Entropy          float64   `json:"spectral_entropy"`        // bits
	Crest            float64   `json:"spectral_crest"`          // strongest bin over the mean
	Energy           float64   `json:"spectral_energy"`         // mean power; a full-scale sine has 1.5
	Complexity       float64   `json:"spectral_complexity"`     // mean number of peaks up to 5 kHz
	MFCC             []float64 `json:"mfcc,omitempty"`          // 13 means
	MFCCVar          []float64 `json:"mfcc_var,omitempty"`      // 13 variances
	HPCP             []float64 `json:"hpcp,omitempty"`          // 12 pitch classes from C, largest of a frame is 1
	HPCPVar          []float64 `json:"hpcp_var,omitempty"`      //
	HPCPCrest        float64   `json:"hpcp_crest,omitempty"`    // largest over mean
	HPCPEntropy      float64   `json:"hpcp_entropy,omitempty"`  // bits
}

// Result returns the description of a stream of the given number of sample frames. Ask after the spectrum's Result, which hands
// out the last frames.
func (a *Analyzer) Result(sampleFrames int64) *Result {
	r := &Result{}
	seconds := float64(sampleFrames) / a.rate
	if a.frames > 0 {
		r.SilenceRate = float64(a.quiet) / float64(a.frames)
	}
	s := a.statistics()
	shape := a.envelope.shape(seconds)
	if s.count == 0 || shape.peak == 0 {
		return r
	}
	r.spectral(&s)
	times := onsets(a.flux, a.fps)
	r.OnsetCount = len(times)
	for _, t := range times[:min(len(times), maxOnsets)] {
		r.OnsetTimes = append(r.OnsetTimes, round(t, 1e-3))
	}
	r.temporal(shape, seconds)
	if mean := math.Sqrt(a.envelope.mean()); mean > 0 {
		r.PeakRatio = math.Sqrt(shape.peak) / mean
	}
	r.SingleEvent = seconds < 10 && len(times) <= 1 && shape.attackEnd < 0.5*seconds && shape.decay > 20
	regular := 0.0
	if !r.SingleEvent && len(times) >= 3 {
		var bpm, sure float64
		if bpm, sure, regular = tempo(a.flux, a.fps, seconds); sure >= leastSure {
			r.BPM, r.BPMConfidence = round(bpm, 1e-2), round(sure, 1e-3)
			r.BeatCount = int(bpm * seconds / 60)
		}
	}
	if name, sure := key(a.chroma, shape.effective); sure >= leastSure {
		r.Tonality, r.Confidence = name, round(sure, 1e-3)
	}
	r.pitch(a.pitch.found, seconds)
	r.Melody, r.Rhythm = melody(a.pitch.found, a.fps), a.strokes.rhythm(a.fps, seconds)
	r.Loopable = a.loops(&s, r, regular, seconds)
	v := vector(&s, shape, a.opening, seconds, len(times))
	r.Vector = v[:]
	return r
}

func (r *Result) spectral(s *statistics) {
	r.ZeroCrossingRate, r.Centroid, r.Spread, r.Skewness = s.mean[featZCR], s.mean[featCentroidHz], s.mean[featSpread], s.mean[featSkewness]
	r.Flatness, r.Rolloff, r.Entropy, r.Crest = s.mean[featFlatness], s.mean[featRolloffHz], s.mean[featEntropy], s.mean[featCrest]
	r.Energy, r.Complexity = s.mean[featEnergy], s.mean[featComplexity]
	for k := range 13 {
		r.MFCC = append(r.MFCC, round(s.mean[featMFCC+k], 1e-4))
		r.MFCCVar = append(r.MFCCVar, round(s.std[featMFCC+k]*s.std[featMFCC+k], 1e-4))
	}
	sum, top := 0.0, 0.0
	for p := range 12 {
		v := s.mean[featChroma+p]
		r.HPCP = append(r.HPCP, round(v, 1e-4))
		r.HPCPVar = append(r.HPCPVar, round(s.std[featChroma+p]*s.std[featChroma+p], 1e-4))
		sum += v
		top = max(top, v)
	}
	if sum <= 0 {
		r.HPCP, r.HPCPVar = nil, nil
		return
	}
	r.HPCPCrest = top * 12 / sum
	for p := range 12 {
		if q := s.mean[featChroma+p] / sum; q > 0 {
			r.HPCPEntropy -= q * math.Log2(q)
		}
	}
}

func (r *Result) temporal(s shape, seconds float64) {
	r.StartTime, r.Effective = round(s.start, 1e-3), round(s.effective, 1e-3)
	r.LogAttackTime = math.Log10(s.attack)
	r.TemporalCentroid, r.TemporalSpread, r.TemporalSkewness = s.centroid, s.spread, s.skewness
	if seconds > 0 {
		r.CentroidRatio = s.centroid / seconds
	}
}

// mean is the mean power of the envelope.
func (v *envelope) mean() float64 {
	sum := 0.0
	for _, p := range v.power {
		sum += float64(p)
	}
	return sum / float64(max(len(v.power), 1))
}

// loops guesses whether a sound repeats without a seam: it starts at once and is a whole number of bars of four of a regular beat long, or it
// is steady and its ends are alike.
func (a *Analyzer) loops(s *statistics, r *Result, regular, seconds float64) bool {
	first, last, ok := a.ends.close()
	if !ok || seconds < 0.4 || seconds > 120 || r.SingleEvent || first[featLevel] < s.mean[featLevel]-12 {
		return false
	}
	if regular >= 0.3 {
		bars := r.BPM * seconds / 240
		return math.Round(bars) >= 1 && math.Abs(bars-math.Round(bars)) < 0.02
	}
	distance := 0.0
	for k := 1; k < 13; k++ {
		d := first[featMFCC+k] - last[featMFCC+k]
		distance += d * d
	}
	return s.std[featLevel] < 3 && math.Abs(first[featLevel]-last[featLevel]) < 4 && distance < 16
}

// leastSure is the confidence below which a tempo or key is not told at all.
const leastSure = 0.01

// round keeps numbers short in JSON.
func round(v, to float64) float64 {
	per := math.Round(1 / to)
	return math.Round(v*per) / per
}
