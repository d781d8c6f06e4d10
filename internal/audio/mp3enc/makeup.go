package mp3enc

import (
	"math"

	"audiomicro/internal/audio/loudness"
)

const (
	makeupCell = 1152 // samples of the source that are weighed at once
	makeupTime = .4   // s that losses are averaged over: a block of BS.1770, which is what loudness is counted in
	mostMakeup = 2    // amplitude: white noise at 64 kbit/s, which ends at 11 kHz, takes 1.55, and clicks a little more
	leastMade  = .9
	overshoot  = 1.12 // amplitude that a full-scale sound may be raised to: 1 dB, about what any lossy coder adds at its peaks
	nothing    = .003 // of the energy that may be lost without a gain: changing gains disturb pure tones more than .013 LU do
	warped     = .012 // by how much the energies of the K curve at two rates differ without any loss: .046 dB at 9 kHz
	begun      = .1   // of a first frame's energy that tells nothing of those that follow: a tone that begins is spread over more lines
	offEnough  = .03  // of a frame's energy that may be missing or too much without coding it again
)

// makeup keeps the loudness. Few bits leave lines empty, and what lies above the coded band is lost altogether: white noise lost
// 1.5 LU at 128 kbit/s and 3.7 at 64. MP3 has no noise to put in their place, so the lines that are coded are raised by as
// much, all alike: of all ways to come to the energy wanted that one has the least error (minimize the error of g·y against x for a given energy of
// g·y, where y is what the quantizer makes of x with the least error: g is the same everywhere).
// Energies are those of lines, weighted by the K curve of BS.1770 so that they add up to loudness.
type makeup struct {
	weight  [lines]float32 // of the K curve, by frequency
	ordered [lines]float32 // and in the order of short blocks
	power   []float32      // n^(8/3): energy of a line by its value
	gate    float64        // energy of a frame at -70 LUFS, below which loudness does not count and error is all there is
	leak    float64        // of the averages, by frame

	in, out     []*loudness.Weigher // of the source and of what the resampler makes of it; nil without one
	heard, kept float64             // their energies, leaking
	cellLeak    float64
	ratio       float64 // of the sample rates
	peak        float32 // at the file's rate, falling slowly

	wanted, coded float64 // energies of the lines before coding, and after it without the gain, leaking
	debt          float64 // energy that frames before had too little
}

// energies of a frame's lines before coding.
type energies struct{ weighted, within, all float64 }

func newMakeup(f format, opt Options, short *layout) *makeup {
	m := &makeup{power: make([]float32, 1<<13+16)}
	for i := range m.weight {
		m.weight[i] = float32(loudness.Response((float64(i)+.5)*float64(f.rate)/2/lines, opt.InputRate))
	}
	short.sort(&m.weight, &m.ordered)
	for n := range m.power {
		m.power[n] = float32(math.Pow(float64(n), 8./3))
	}
	m.gate = math.Pow(10, (-70+.691)/10) * float64(f.granules*lines) / 288 // a line of white noise has 1/288 of its variance as energy
	m.leak = math.Exp(-float64(f.granules*lines) / float64(f.rate) / makeupTime)
	m.ratio = float64(opt.InputRate) / float64(f.rate)
	m.cellLeak = math.Exp(-makeupCell / float64(opt.InputRate) / makeupTime)
	if f.rate != opt.InputRate {
		for range opt.Channels {
			m.in, m.out = append(m.in, loudness.NewWeigher(opt.InputRate)), append(m.out, loudness.NewWeigher(f.rate))
		}
	}
	return m
}

// source weighs a cell of the source and what the resampler makes of it, which lies a little before:
// what begins suddenly is taken to be lost for a moment, so that a single click is raised in time.
func (m *makeup) source(cell, resampled [][]float32) {
	m.peak *= float32(math.Sqrt(m.cellLeak))
	for _, x := range resampled {
		for _, v := range x {
			m.peak = max(m.peak, v, -v)
		}
	}
	if m.in == nil {
		return
	}
	m.heard *= m.cellLeak
	m.kept *= m.cellLeak
	for c, x := range cell {
		m.heard += m.in[c].Energy(x)
	}
	for c, x := range resampled {
		m.kept += m.out[c].Energy(x) * m.ratio
	}
}

// lost is by how much less energy the file's band has than the source's.
func (m *makeup) lost() float64 {
	if m.kept <= 0 || m.heard < m.kept*(1+warped) {
		return 1
	}
	return m.heard / m.kept
}

// add takes the lines of a long or short block before coding, by frequency.
func (e *energies) add(x *[lines]float32, m *makeup, cutoff int) {
	for i, v := range x {
		v *= v
		e.weighted += float64(v * m.weight[i])
		if i < cutoff {
			e.within += float64(v)
		}
		e.all += float64(v)
	}
}

// decoded is the energy that a decoder makes of a granule.
func (m *makeup) decoded(g *granule, l *layout) (sum float64) {
	weight := &m.weight
	if g.blockType == 2 {
		weight = &m.ordered
	}
	end := g.coding.big + 4*g.coding.quads
	for b := 0; b < len(l.edges)-1 && l.edges[b] < end; b++ {
		from, to := l.edges[b], l.edges[b+1]
		w := weight[from:to]
		var band float32
		for i, n := range g.ix[from:to] {
			if n != 0 {
				band += m.power[n] * w[i]
			}
		}
		sum += float64(band) * math.Exp2(float64(g.gain-g.down[b]-210)/2)
	}
	return sum
}

// limit bounds a gain: a sound near full scale has no room for one, but for what it loses above the coded band, which takes from its peaks
// at least as much as from the amplitudes on the whole.
func (m *makeup) limit(gain float64, e energies) float64 {
	peak := float64(m.peak) * math.Sqrt(e.within/max(e.all, 1e-20))
	return max(leastMade, min(gain, mostMakeup, overshoot*max(1, 1/max(peak, 1e-3))))
}

// gain for a frame, from what the frames before lost.
func (m *makeup) gain(e energies) float64 {
	if m.coded <= 0 || e.weighted < m.gate {
		return 1
	}
	if math.Abs(m.wanted-m.coded) < nothing*m.wanted {
		return 1
	}
	due := max(e.weighted+m.debt/4, e.weighted/2)
	return m.limit(math.Sqrt(due/e.weighted*m.wanted/m.coded), e)
}

// again is what the lines of a frame still are to be multiplied with, after a gain, for the energy to come out right; 1 where that is near enough.
func (m *makeup) again(e energies, coded, gain float64) float64 {
	energy := e.weighted
	if coded <= 0 || energy < m.gate {
		return 1
	}
	off := energy - coded
	if math.Abs(off) < offEnough*max(energy, m.wanted*(1-m.leak)) {
		return 1
	}
	return m.limit(gain*math.Sqrt(energy/coded), e) / gain
}

// done takes what became of a frame.
func (m *makeup) done(energy, coded, gain float64) {
	lasting := coded / (gain * gain)
	if m.wanted == 0 && math.Abs(energy-lasting) < energy*begun { // what little a tone's beginning loses is no measure for the tone
		lasting = energy
	}
	m.wanted = m.wanted*m.leak + energy
	m.coded = m.coded*m.leak + lasting
	m.debt = m.debt*m.leak + energy - coded
	m.debt = max(-m.wanted/4, min(m.debt, m.wanted/4))
}
