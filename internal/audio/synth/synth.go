// Package synth makes the sounds that AudioMicro brings along: about a dozen, computed from formulas, so that a demo or a
// test has real material to sell, search and play without anybody's recording.
//
// It holds no files: Catalog lists the sounds with title, description, tags and category, Render computes one. The same
// program gives the same samples on every run (each sound seeds its own noise). Samples are planar float32 at 48 kHz, two
// channels, peaks at or below -1 dBFS. WriteWAV and WriteFLAC store
// them with 24 bits.
package synth

import (
	"math"
	"math/rand/v2"
)

// SampleRate of every rendered sound, in Hz.
const SampleRate = 48000

// Sound is one synthesized sound and what its page says about it.
type Sound struct {
	Name        string   // stable short name, fit for a file name
	Title       string   //
	Description string   // plain text
	Tags        []string // at least three, lower case
	Category    string   // Broad Sound Taxonomy code
	Seconds     float64  // length
	Peak        float64  // dBFS of its loudest sample
	Loop        bool     // true when the end joins the beginning
	draw        func(*canvas)
}

// Frames returns the length in samples per channel.
func (s Sound) Frames() int { return int(math.Round(s.Seconds * SampleRate)) }

// Render computes the sound: two channels of Frames samples.
func (s Sound) Render() [][]float32 {
	frames := s.Frames()
	c := &canvas{left: make([]float64, frames), right: make([]float64, frames), loop: s.Loop}
	for i := range s.Name { // each sound its own noise, the same on every run
		c.seed = c.seed*31 + uint64(s.Name[i])
	}
	c.random = rand.New(rand.NewPCG(c.seed, 48000))
	s.draw(c)
	return c.finish(s.Peak)
}

// canvas is the stereo sound being drawn.
type canvas struct {
	left, right []float64
	loop        bool // what is drawn past the end goes on at the beginning
	seed        uint64
	random      *rand.Rand
}

// add puts a mono sample at frame i, pan -1 (left) to 1 (right) with equal power.
func (c *canvas) add(i int, pan, x float64) {
	if i >= len(c.left) {
		if !c.loop {
			return
		}
		i %= len(c.left)
	}
	angle := (pan + 1) * math.Pi / 4
	c.left[i] += x * math.Cos(angle)
	c.right[i] += x * math.Sin(angle)
}

// noise returns white noise in [-1, 1).
func (c *canvas) noise() float64 { return 2*c.random.Float64() - 1 }

// each calls f for every frame with its time in seconds.
func (c *canvas) each(f func(i int, t float64)) {
	for i := range c.left {
		f(i, float64(i)/SampleRate)
	}
}

// fade shapes both ends with raised cosines of the given seconds.
func (c *canvas) fade(in, out float64) {
	n := len(c.left)
	c.each(func(i int, t float64) {
		g := 1.0
		if t < in {
			g = .5 - .5*math.Cos(math.Pi*t/in)
		}
		if left := float64(n-1-i) / SampleRate; left < out {
			g *= .5 - .5*math.Cos(math.Pi*left/out)
		}
		c.left[i] *= g
		c.right[i] *= g
	})
}

// finish removes a constant offset, closes the ends of a sound that is no loop and brings the peak to the wanted level.
func (c *canvas) finish(peak float64) [][]float32 {
	sides := [2][]float64{c.left, c.right}
	for _, side := range sides {
		mean := 0.0
		for _, x := range side {
			mean += x
		}
		mean /= float64(len(side))
		for i := range side {
			side[i] -= mean
		}
	}
	if !c.loop {
		c.fade(.001, .012)
	}
	top := 0.0
	for _, side := range sides {
		for _, x := range side {
			top = max(top, math.Abs(x))
		}
	}
	out := make([][]float32, 2)
	gain := math.Pow(10, peak/20) / max(top, 1e-9)
	for s, side := range sides {
		out[s] = make([]float32, len(side))
		for i, x := range side {
			out[s][i] = float32(x * gain)
		}
	}
	return out
}

// filter is a two-pole state-variable filter (Andrew Simper's trapezoidal form), stable under fast changes of frequency.
type filter struct{ s1, s2 float64 }

// step filters one sample; hz is the corner, q the resonance (0.7 is flat). It returns the low, band and high outputs.
func (f *filter) step(x, hz, q float64) (low, band, high float64) {
	g := math.Tan(math.Pi * min(hz, .45*SampleRate) / SampleRate)
	k := 1 / q
	a := 1 / (1 + g*(g+k))
	band = a * (f.s1 + g*(x-f.s2))
	low = f.s2 + g*band
	f.s1 = 2*band - f.s1
	f.s2 = 2*low - f.s2
	return low, band, x - k*band - low
}

// saw is a band-limited sawtooth in [-1, 1] (polynomial band-limited steps); step is hz/SampleRate.
func saw(phase, step float64) float64 {
	phase -= math.Floor(phase)
	return 2*phase - 1 - blep(phase, step)
}

func blep(phase, step float64) float64 {
	switch {
	case phase < step:
		x := phase / step
		return x + x - x*x - 1
	case phase > 1-step:
		x := (phase - 1) / step
		return x*x + x + x + 1
	}
	return 0
}

// room adds reverberation: eight delay lines mixed by a Householder matrix (Jot's feedback delay network), each damped.
// seconds is the time to fall by 60 dB, bright the damping corner in Hz, wet the added level.
func (c *canvas) room(seconds, bright, wet float64) {
	lengths := [8]int{1553, 1753, 2017, 2251, 2539, 2897, 3259, 3541}
	var lines [8][]float64
	var damp, feed [8]float64
	var at [8]int
	for i, n := range lengths {
		lines[i] = make([]float64, n)
		feed[i] = math.Pow(10, -3*float64(n)/SampleRate/seconds)
	}
	soft := 1 - math.Exp(-2*math.Pi*bright/SampleRate)
	turns := 1
	if c.loop { // a first turn fills the room, so that the loop's end rings into its beginning
		turns = 2
	}
	dryLeft, dryRight := append([]float64(nil), c.left...), append([]float64(nil), c.right...)
	for turn := range turns {
		for i := range c.left {
			var taps [8]float64
			sum := 0.0
			for k := range lines {
				damp[k] += soft * (lines[k][at[k]] - damp[k])
				taps[k] = damp[k] * feed[k]
				sum += taps[k]
			}
			for k := range lines {
				in := dryLeft[i]
				if k%2 == 1 {
					in = dryRight[i]
				}
				lines[k][at[k]] = in*.35 + taps[k] - sum/4
				if at[k]++; at[k] == len(lines[k]) {
					at[k] = 0
				}
			}
			if turn == turns-1 {
				c.left[i] += wet * (taps[0] + taps[2] - taps[4] + taps[6])
				c.right[i] += wet * (taps[1] + taps[3] - taps[5] + taps[7])
			}
		}
	}
}

// note returns the frequency in Hz of a MIDI note number (69 is 440 Hz).
func note(n float64) float64 { return 440 * math.Pow(2, (n-69)/12) }
