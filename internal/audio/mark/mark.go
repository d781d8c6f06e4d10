// Package mark puts an audible mark on a preview: a short two-tone chirp every few seconds, so that a preview of a paid
// sound can be judged but not used.
//
// It works on a stream and keeps only the first seconds of it, to learn whether the sound is a short one, which gets a
// single mark in its middle. The mark follows the loudness of the program, so that it is heard over a loud track and does
// not startle in a quiet one. The length of the sound never changes, and no sample exceeds what full scale or the program
// itself reached. Intervals and pitches wander a little with the seed, so that one mark cannot be subtracted from all.
package mark

import (
	"math"
	"math/rand/v2"
)

const (
	firstAt       = 1.5  // seconds from the beginning to the first mark
	chirpSeconds  = .42  // both tones together
	wander        = .08  // share of the interval by which a mark may come early or late
	followSeconds = .4   // time constant of the loudness follower
	reference     = -18. // dBFS RMS of a program that gets the mark at exactly Level
	below, above  = 14., 6.
)

// Options says what the mark is like. The zero value is usable.
type Options struct {
	Interval float64 // seconds between marks; 0 means 6; less than 1 counts as 1
	Level    float64 // peak of the mark in dBFS over a program of -18 dBFS RMS; 0 means -12. It follows the program from 14 dB below to 6 dB above.
	Seed     uint64  // of the small changes from mark to mark; the same seed gives the same sound
}

// Marker marks one stream. It is not safe for concurrent use.
type Marker struct {
	rate     int
	out      func(planar [][]float32) error
	interval float64
	level    float64
	random   *rand.Rand

	hold    [][]float32 // the beginning, until it is known to be longer than one mark needs
	holding bool
	block   [][]float32 // reused output

	position int64 // frames sent
	next     int64 // frame at which the next mark begins; may be negative for a very short sound
	tone     chirp
	decay    float64
	energy   float64 // followed mean square
	gain     float64 // of the mark that sounds now
	latched  bool
}

// New returns a Marker for planar blocks at the given rate in Hz. Marked blocks go to out, which must not keep them.
func New(rate, channels int, opt Options, out func(planar [][]float32) error) *Marker {
	if opt.Interval == 0 {
		opt.Interval = 6
	}
	if opt.Level == 0 {
		opt.Level = -12
	}
	m := &Marker{
		rate: rate, out: out, interval: max(opt.Interval, 1), level: opt.Level, holding: true,
		random: rand.New(rand.NewPCG(opt.Seed, 0x6d61726b)),
		hold:   make([][]float32, channels), block: make([][]float32, channels),
		next:  int64(firstAt * float64(rate)),
		decay: math.Exp(-1 / (followSeconds * float64(rate))),
	}
	m.tone = newChirp(rate, m.random)
	return m
}

// Write takes the next block. The block is not changed and not kept.
func (m *Marker) Write(planar [][]float32) error {
	if !m.holding {
		return m.send(planar)
	}
	for c := range m.hold {
		m.hold[c] = append(m.hold[c], planar[c]...)
	}
	if int64(len(m.hold[0])) < m.next+int64(m.tone.frames) {
		return nil
	}
	return m.release()
}

// Close marks and sends what is still held. A sound that ended before a whole first mark fits gets one in its middle.
func (m *Marker) Close() error {
	if !m.holding || len(m.hold) == 0 || len(m.hold[0]) == 0 {
		return nil
	}
	m.next = (int64(len(m.hold[0])) - int64(m.tone.frames)) / 2
	sum := 0.0
	for _, channel := range m.hold {
		for _, x := range channel {
			sum += float64(x) * float64(x)
		}
	}
	m.energy = sum / float64(len(m.hold)*len(m.hold[0]))
	m.decay = 1
	return m.release()
}

func (m *Marker) release() error {
	held := m.hold
	m.holding, m.hold = false, nil
	return m.send(held)
}

// send mixes the mark into a block and hands it on. Program and mark are crossed over, not added: with the mark's share g
// the sum stays within max(1, |program|).
func (m *Marker) send(planar [][]float32) error {
	frames := len(planar[0])
	for c := range m.block {
		m.block[c] = append(m.block[c][:0], planar[c]...)
	}
	perChannel := 1 / float64(len(planar))
	for i := range frames {
		square := 0.0
		for _, channel := range planar {
			square += float64(channel[i]) * float64(channel[i])
		}
		m.energy = m.decay*m.energy + (1-m.decay)*square*perChannel
		at := m.position + int64(i) - m.next
		if at < 0 {
			continue
		}
		if at >= int64(m.tone.frames) {
			m.schedule()
			continue
		}
		if !m.latched {
			m.latched, m.gain = true, m.loudness()
		}
		sample, window := m.tone.at(float64(at) / float64(m.rate))
		share := m.gain * window
		for c := range m.block {
			m.block[c][i] = float32(float64(m.block[c][i])*(1-share) + share*sample)
		}
	}
	m.position += int64(frames)
	return m.out(m.block)
}

// loudness is the mark's peak as a factor, following the program within its limits.
func (m *Marker) loudness() float64 {
	program := 10 * math.Log10(max(m.energy, 1e-12))
	follow := min(max(program-reference, -below), above)
	return min(math.Pow(10, (m.level+follow)/20), .9)
}

func (m *Marker) schedule() {
	gap := m.interval * (1 + wander*(2*m.random.Float64()-1))
	m.next += int64(gap * float64(m.rate))
	m.tone = newChirp(m.rate, m.random)
	m.latched = false
}

// chirp is two gliding tones: one up, one down a fourth higher.
type chirp struct {
	frames int
	pitch  float64 // Hz of the first tone
}

func newChirp(rate int, random *rand.Rand) chirp {
	return chirp{frames: int(chirpSeconds * float64(rate)), pitch: 880 * math.Pow(2, (random.Float64()-.5)/6)}
}

// at returns the chirp's wave in [-1, 1] and its window in [0, 1] at t seconds.
func (c chirp) at(t float64) (wave, window float64) {
	const half = chirpSeconds / 2
	f0, f1, local, turns := c.pitch, c.pitch*1.12, t, 0.
	if t >= half {
		turns = (f0 + f1) / 2 * half // the second tone goes on where the first ends, without a click
		f0, f1, local = c.pitch*1.5, c.pitch*1.335, t-half
	}
	phase := 2 * math.Pi * (turns + f0*local + (f1-f0)*local*local/(2*half))
	wave = (.8*math.Sin(phase) + .2*math.Sin(2*phase)) / .8808 // the sum peaks at .8807
	const edge = .02
	rise := min(1, t/edge, (chirpSeconds-t)/edge)
	dip := 1 - .6*max(0, 1-math.Abs(t-half)/edge) // a breath between the tones, never silent
	return wave, max(0, .5-.5*math.Cos(math.Pi*max(rise, 0))) * dip
}
