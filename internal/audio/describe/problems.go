package describe

import (
	"math"
	"slices"
)

// Problems are what a listener may hear as faults of a recording. Counts are over all channels. They are guesses: a recording of
// clicks has clicks.
type Problems struct {
	Clicks     int     `json:"clicks,omitempty"`      // single samples far off the curve of their neighbors (after Vaseghi 2008, with the second difference for the model)
	Clipped    int     `json:"clipped,omitempty"`     // flat tops at full scale: 3 samples or more within 0.001 of each other above -0.1 dBFS (after Essentia's SaturationDetector)
	Dropouts   int     `json:"dropouts,omitempty"`    // silences of 3 to 500 ms in all channels between loud sound (after Essentia's GapsDetector)
	Offset     float64 `json:"dc_offset,omitempty"`   // largest mean of a channel, full scale is 1
	Hum        float64 `json:"hum,omitempty"`         // Hz: mains hum of 50 or 60 Hz with its second or third multiple in nearly every frame; 0 for none
	NoiseFloor float64 `json:"noise_floor,omitempty"` // dBFS, level of the 5 % quietest frames; at least -120
}

// MostOffset is the DC offset from which it is a problem; full scale is 1.
const MostOffset = 0.01

const (
	leastClips  = 3     // flat tops that are one
	clipLevel   = 0.989 // -0.1 dBFS
	clipFlat    = 0.001
	clipRun     = 3
	clickBlock  = 512  // samples that a click is compared with
	clickOver   = 16.0 // times the root mean square of the second difference around it
	clickLeast  = 0.02 // second difference, full scale is 1
	clickWide   = 4    // samples on each side that belong to it
	gapShortest = 0.003
	gapLongest  = 0.5
	gapSilence  = 1e-7
	gapLoud     = 0.01 // mean amplitude on both sides, over gapSide
	gapSide     = 0.01 // s
)

// Any tells whether something is there that most would call a fault.
func (p *Problems) Any() bool {
	return p.Clicks > 0 || p.Clipped >= leastClips || p.Dropouts > 0 || p.Offset >= MostOffset || p.Hum > 0
}

// problems watches the samples of each channel.
type problems struct {
	rate     int
	channels []channelWatch
	samples  float64
	clicks   int
	clipped  int
	dropouts int

	mean   float64 // running mean amplitude over all channels, for gaps
	before float64 // what it was when the silence began
	silent int     // samples of the running silence
	after  int     // samples to wait until the sound after a silence is judged; 0 when none is
}

type channelWatch struct {
	sum       float64
	run       int     // samples of the running flat top
	last      float32 // sample before
	x1, x2    float32 // the two samples before
	block     [clickBlock]float32
	n         int
	lastPower float64 // of the second difference in the block before; negative: none
	pending   bool    // a click at the end of the block before needs the next block's power
	pendPower float64
}

func newProblems(rate, channels int) *problems {
	p := &problems{rate: rate, channels: make([]channelWatch, max(channels, 1))}
	for c := range p.channels {
		p.channels[c].lastPower = -1
	}
	return p
}

func (p *problems) write(planar [][]float32) {
	if len(planar) < len(p.channels) || len(planar) == 0 {
		return
	}
	p.samples += float64(len(planar[0]))
	for c := range p.channels {
		p.channel(&p.channels[c], planar[c])
	}
	p.gaps(planar[:len(p.channels)])
}

// channel counts flat tops and clicks.
func (p *problems) channel(w *channelWatch, x []float32) {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
		if v >= clipLevel || v <= -clipLevel {
			if d := v - w.last; w.run > 0 && d < clipFlat && d > -clipFlat {
				if w.run++; w.run == clipRun {
					p.clipped++
				}
			} else {
				w.run = 1
			}
		} else {
			w.run = 0
		}
		w.last = v
		w.block[w.n] = v - 2*w.x1 + w.x2
		w.x2, w.x1 = w.x1, v
		if w.n++; w.n == clickBlock {
			p.click(w)
			w.n = 0
		}
	}
	w.sum += sum
}

// click looks for a click in the block of second differences: they stand far above the rest of the block, and the blocks before and after
// are no louder than the rest, as they are where a note begins.
func (p *problems) click(w *channelWatch) {
	at, top, total := 0, float32(0), 0.0
	for i, v := range w.block {
		total += float64(v) * float64(v)
		if v < 0 {
			v = -v
		}
		if v > top {
			at, top = i, v
		}
	}
	if top < clickLeast || float64(top)*float64(top)*3 < total { // a click holds most of its block: 1, 4, 1 of 6 parts
		if w.pending && total/clickBlock < 4*w.pendPower {
			p.clicks++
		}
		w.pending = false
		w.lastPower = total / clickBlock
		return
	}
	rest, n := 0.0, 0
	for i, v := range w.block {
		if i < at-clickWide || i > at+clickWide {
			rest += float64(v) * float64(v)
			n++
		}
	}
	power := rest / float64(n)
	w.pending = float64(top) > clickOver*math.Sqrt(power) && w.lastPower >= 0 && w.lastPower < 4*power+1e-9 && power < 4*w.lastPower+1e-9
	w.pendPower = max(power, 1e-9)
	w.lastPower = power
}

// gaps counts silences that begin and end in loud sound.
func (p *problems) gaps(planar [][]float32) {
	decay := 1 - math.Exp(-1/(gapSide*float64(p.rate)))
	for i := range planar[0] {
		loudest := float32(0)
		for _, x := range planar {
			loudest = max(loudest, x[i], -x[i])
		}
		if loudest < gapSilence {
			if p.silent == 0 {
				p.before = p.mean
			}
			p.silent++
			continue
		}
		if p.silent > 0 {
			seconds := float64(p.silent) / float64(p.rate)
			p.silent = 0
			if seconds >= gapShortest {
				p.mean, p.after = 0, 0
				if p.before >= gapLoud && seconds <= gapLongest {
					p.after = max(int(gapSide*float64(p.rate)), 1)
				}
			}
		}
		p.mean += decay * (float64(loudest) - p.mean)
		if p.after > 0 {
			if p.after--; p.after == 0 && p.mean >= gapLoud {
				p.dropouts++
			}
		}
	}
}

// close tells what was found. level is the power of each frame.
func (p *problems) close(hum float64, level []float32) *Problems {
	r := &Problems{Clicks: p.clicks, Clipped: p.clipped, Dropouts: p.dropouts, Hum: hum}
	for _, w := range p.channels {
		if p.samples > 0 {
			r.Offset = max(r.Offset, math.Abs(w.sum)/p.samples)
		}
	}
	r.Offset = round(r.Offset, 1e-5)
	if len(level) > 0 {
		sorted := slices.Clone(level)
		slices.Sort(sorted)
		r.NoiseFloor = round(10*math.Log10(max(float64(sorted[len(sorted)/20]), 1e-12)), 1e-1)
	}
	return r
}

const (
	humFrames = 20   // long frames at least: about 2 s
	humOver   = 10.0 // times the median of the bins around, in power
	humShare  = 0.95 // of the frames
)

// hum looks for mains hum in the spectra of long windows.
type hum struct {
	binHz  float64
	frames int
	seen   [2]int // frames with hum of 50 and 60 Hz
	around []float32
}

func newHum(binHz float64) hum { return hum{binHz: binHz} }

func (h *hum) frame(power []float32) {
	h.frames++
	for k, mains := range [2]float64{50, 60} {
		if h.stands(power, mains) && (h.stands(power, 2*mains) || h.stands(power, 3*mains)) {
			h.seen[k]++
		}
	}
}

// stands tells whether a line stands out at a frequency.
func (h *hum) stands(power []float32, hz float64) bool {
	at := int(math.Round(hz / h.binHz))
	if at < 6 || at+8 >= len(power) {
		return false // the bins are too wide for it
	}
	line := max(power[at-1], power[at], power[at+1])
	h.around = append(append(h.around[:0], power[max(at-7, 1):at-2]...), power[at+3:at+8]...)
	slices.Sort(h.around)
	return line > 1e-10 && line > humOver*h.around[len(h.around)/2]
}

// found is the frequency of the hum, or 0.
func (h *hum) found() float64 {
	for k, mains := range [2]float64{50, 60} {
		if h.frames >= humFrames && float64(h.seen[k]) >= humShare*float64(h.frames) {
			return mains
		}
	}
	return 0
}
