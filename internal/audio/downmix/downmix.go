// Package downmix folds many channels into the one or two of a preview.
//
// Channels are taken in the order of WAVEFORMATEXTENSIBLE (front left, front right, center, low frequency, back left, back
// right, side left, side right). Center and surrounds enter at -3 dB as ITU-R BS.775 annex 4 has it, the low-frequency
// channel is left out, and the sum is scaled so that full scale on every channel stays full scale. It keeps no state beyond
// one reused block.
package downmix

import "math"

// Mixer turns planar blocks of Channels into planar blocks of at most two channels.
type Mixer struct {
	matrix [2][]float32 // nil when the input passes through
	out    [2][]float32
}

// New returns a Mixer for blocks of the given number of channels. One and two channels pass through untouched.
func New(channels int) *Mixer {
	m := &Mixer{}
	if channels > 2 {
		m.matrix = matrix(channels)
	}
	return m
}

// Outputs returns how many channels come out: 1 for mono, else 2.
func Outputs(channels int) int { return min(channels, 2) }

// Mix returns the block folded to two channels. The answer is borrowed until the next call; for mono and stereo it is the
// input itself.
func (m *Mixer) Mix(planar [][]float32) [][]float32 {
	if m.matrix[0] == nil {
		return planar
	}
	frames := len(planar[0])
	for side, row := range m.matrix {
		if cap(m.out[side]) < frames {
			m.out[side] = make([]float32, frames)
		}
		out := m.out[side][:frames]
		clear(out)
		for c, gain := range row {
			if gain == 0 {
				continue
			}
			for i, x := range planar[c] {
				out[i] += gain * x
			}
		}
		m.out[side] = out
	}
	return m.out[:]
}

func matrix(channels int) [2][]float32 {
	const half = math.Sqrt2 / 2
	var layout [][2]float64
	switch channels {
	case 3: // left, right, center
		layout = [][2]float64{{1, 0}, {0, 1}, {half, half}}
	case 4: // quadraphonic
		layout = [][2]float64{{1, 0}, {0, 1}, {half, 0}, {0, half}}
	case 5: // 5.0
		layout = [][2]float64{{1, 0}, {0, 1}, {half, half}, {half, 0}, {0, half}}
	case 6: // 5.1
		layout = [][2]float64{{1, 0}, {0, 1}, {half, half}, {0, 0}, {half, 0}, {0, half}}
	case 7: // 6.1: back center to both sides
		layout = [][2]float64{{1, 0}, {0, 1}, {half, half}, {0, 0}, {.5, .5}, {half, 0}, {0, half}}
	case 8: // 7.1
		layout = [][2]float64{{1, 0}, {0, 1}, {half, half}, {0, 0}, {half, 0}, {0, half}, {half, 0}, {0, half}}
	default: // an unknown array of microphones: every other channel to each side
		for c := range channels {
			layout = append(layout, [2]float64{float64(1 - c%2), float64(c % 2)})
		}
	}
	var m [2][]float32
	for side := range m {
		sum := 0.0
		for _, gains := range layout {
			sum += gains[side]
		}
		for _, gains := range layout {
			m[side] = append(m[side], float32(gains[side]/sum))
		}
	}
	return m
}
