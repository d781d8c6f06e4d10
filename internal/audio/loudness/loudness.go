// Package loudness measures a stream as ITU-R BS.1770-5 and EBU R 128 ask: integrated loudness, loudness range, the loudest
// moment, sample peak and true peak.
//
// It holds two filter states per channel, the energies of the last 30 steps of 100 ms, and two histograms in bins of
// 0.01 LU that also keep each bin's energy; so memory does not grow with the stream, and gating is exact except for which
// side of a relative gate a block within 0.01 LU of it falls. Result may be asked at any time and never contains NaN or Inf.
//
//	m := loudness.New(48000, 2)
//	for each block { m.Write(block) }
//	r := m.Result()
//
// A block that is not finite is made so in place (audio.Scrub).
package loudness

import (
	"math"

	"audiomicro/internal/audio"
)

// Floor stands in a Result for a level that is lower or does not exist (digital silence, an empty stream), in LUFS or dB.
const Floor = -120.0

// Result is what was measured so far. Levels are LUFS (K-weighted, full scale) or dB relative to full scale.
type Result struct {
	Integrated   float64 `json:"integrated"`     // LUFS, gated (EBU R 128); Floor when HasLoudness is false
	HasLoudness  bool    `json:"has_loudness"`   // false when nothing passed the absolute gate of -70 LUFS
	Short        bool    `json:"short"`          // shorter than one 400 ms block: Integrated is the ungated mean of all there is
	Range        float64 `json:"range"`          // loudness range in LU (EBU Tech 3342); 0 below 3 s
	MaxMomentary float64 `json:"max_momentary"`  // LUFS over 400 ms
	MaxShortTerm float64 `json:"max_short_term"` // LUFS over 3 s; Floor below 3 s
	SamplePeak   float64 `json:"sample_peak"`    // dBFS of the largest sample
	TruePeak     float64 `json:"true_peak"`      // dBTP, from 4 × oversampling (2 × from 88.2 kHz, none from 176.4 kHz)
	Frames       int64   `json:"frames"`         // frames measured
}

const (
	momentarySteps = 4  // 400 ms
	shortSteps     = 30 // 3 s
)

// Meter measures one stream; it is not safe for concurrent use.
type Meter struct {
	rate    int
	weights []float64
	filters []kFilter
	peak    truePeak

	frames   int64
	nextStep int64 // frame at which the running step of 100 ms ends
	stepAt   int64 // frame at which it began
	energy   float64
	total    float64            // weighted energy of the whole stream
	steps    [shortSteps]window // ring of the last steps
	count    int64              // steps completed

	blocks, shorts histogram
	maxM, maxS     float64
}

type window struct {
	energy float64
	frames int64
}

// New prepares a meter for a stream of the given rate in Hz. Channel weights follow BS.1770-5 table 4 for the usual
// channel orders (mono, stereo, 3.0, quad, 5.0, 5.1, 6.1, 7.1): surround at ±60…120° counts 1.41, the LFE nothing; other counts
// weigh every channel 1.
func New(rate, channels int) *Meter {
	m := &Meter{rate: max(rate, 1), weights: channelWeights(channels), maxM: math.Inf(-1), maxS: math.Inf(-1)}
	m.filters = make([]kFilter, channels)
	for c := range m.filters {
		m.filters[c] = newKFilter(float64(m.rate))
	}
	m.peak = newTruePeak(m.rate, channels)
	m.nextStep = m.boundary(1)
	return m
}

func channelWeights(channels int) []float64 {
	w := make([]float64, channels)
	for c := range w {
		w[c] = 1
	}
	surround := func(at ...int) {
		for _, c := range at {
			w[c] = 1.41
		}
	}
	switch channels {
	case 4: // L R Ls Rs
		surround(2, 3)
	case 5: // L R C Ls Rs
		surround(3, 4)
	case 6: // L R C LFE Ls Rs
		w[3] = 0
		surround(4, 5)
	case 7: // L R C LFE Cb Ls Rs
		w[3] = 0
		surround(5, 6)
	case 8: // L R C LFE Lb Rb Ls Rs
		w[3] = 0
		surround(6, 7)
	}
	return w
}

// boundary is the frame at which step n ends: steps are 100 ms on average at any rate.
func (m *Meter) boundary(n int64) int64 { return (n*int64(m.rate) + 5) / 10 }

// Write measures a block of any length.
func (m *Meter) Write(planar [][]float32) {
	if len(planar) < len(m.filters) || len(m.filters) == 0 {
		return
	}
	planar = planar[:len(m.filters)]
	audio.Scrub(planar)
	m.peak.write(planar)
	n := len(planar[0])
	for at := 0; at < n; {
		part := int(min(int64(n-at), m.nextStep-m.frames))
		m.weigh(planar, at, at+part)
		m.frames += int64(part)
		at += part
		if m.frames == m.nextStep {
			m.endStep()
		}
	}
}

// weigh adds the K-weighted energy of frames [from, to). Channels go in pairs, because two recursions side by side hide each
// other's latency.
func (m *Meter) weigh(planar [][]float32, from, to int) {
	c := 0
	for ; c+1 < len(planar); c += 2 {
		a, b := filterPair(&m.filters[c], &m.filters[c+1], planar[c][from:to], planar[c+1][from:to])
		m.energy += m.weights[c]*a + m.weights[c+1]*b
	}
	if c < len(planar) && m.weights[c] != 0 {
		m.energy += m.weights[c] * m.filters[c].filter(planar[c][from:to])
	}
}

func (m *Meter) endStep() {
	m.steps[m.count%shortSteps] = window{m.energy, m.frames - m.stepAt}
	m.total += m.energy
	m.energy, m.stepAt = 0, m.frames
	m.count++
	m.nextStep = m.boundary(m.count + 1)
	if m.count >= momentarySteps {
		mean := m.mean(momentarySteps)
		m.maxM = max(m.maxM, lufs(mean))
		m.blocks.add(mean)
	}
	if m.count >= shortSteps {
		mean := m.mean(shortSteps)
		m.maxS = max(m.maxS, lufs(mean))
		m.shorts.add(mean)
	}
}

// mean is the mean weighted energy of the last n steps.
func (m *Meter) mean(n int64) float64 {
	var w window
	for i := m.count - n; i < m.count; i++ {
		s := m.steps[i%shortSteps]
		w.energy += s.energy
		w.frames += s.frames
	}
	return w.energy / float64(max(w.frames, 1))
}

// Result returns the measurement of everything written so far.
func (m *Meter) Result() Result {
	r := Result{
		Integrated: Floor, MaxMomentary: floored(m.maxM), MaxShortTerm: floored(m.maxS),
		SamplePeak: decibels(m.peak.sample), TruePeak: decibels(m.peak.result()), Frames: m.frames,
	}
	if m.count < momentarySteps {
		r.Short = true
		if m.frames > 0 {
			l := lufs((m.total + m.energy) / float64(m.frames))
			r.MaxMomentary = floored(l)
			if l > absoluteGate {
				r.Integrated, r.HasLoudness = l, true
			}
		}
		return r
	}
	if l, ok := m.blocks.integrated(); ok {
		r.Integrated, r.HasLoudness = floored(l), true
	}
	r.Range = m.shorts.spread()
	return r
}

// lufs is BS.1770-5 equation 2.
func lufs(energy float64) float64 { return -0.691 + 10*math.Log10(energy) }

func decibels(amplitude float64) float64 { return floored(20 * math.Log10(amplitude)) }

func floored(db float64) float64 {
	if !(db > Floor) { // also NaN
		return Floor
	}
	return min(db, -Floor)
}
