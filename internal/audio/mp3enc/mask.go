package mp3enc

import (
	"math"

	"audiomicro/internal/audio/layer3"
)

// shaping is how far the noise follows the masked threshold, from 0 (as even as can be, the least error) to 1 (as the ear has it).
const shaping = .25

// newLayout cuts the lines of long or short blocks at a sample rate.
func newLayout(rate int, short bool) *layout {
	l := &layout{edges: []int{0}, scaled: 21}
	at, windows := 0, 1
	widths := append([]int{}, widthsOf(rate, short)...)
	if short {
		l.scaled, windows = 36, 3
	}
	for _, w := range widths {
		hz := (float64(at) + float64(w)/2) * float64(rate) / 2 / float64(lines/windows)
		at += w
		for range windows {
			l.edges = append(l.edges, l.edges[len(l.edges)-1]+w)
			l.bark = append(l.bark, float32(bark(hz)))
			l.quiet = append(l.quiet, float32(math.Pow(10, (quiet(hz)-100)/10)))
		}
	}
	return l
}

func widthsOf(rate int, short bool) []int {
	if short {
		w := layer3.ShortBands[rate]
		return w[:]
	}
	w := layer3.LongBands[rate]
	return w[:]
}

// bark is the critical band rate (E. Zwicker and E. Terhardt, JASA 68, 1980).
func bark(hz float64) float64 {
	return 13*math.Atan(.00076*hz) + 3.5*math.Atan(hz/7500*hz/7500)
}

// quiet is the threshold in quiet in dB SPL (E. Terhardt, Hearing Research 1, 1979).
func quiet(hz float64) float64 {
	k := max(hz, 50) / 1000
	return min(3.64*math.Pow(k, -.8)-6.5*math.Exp(-.6*(k-3.3)*(k-3.3))+1e-3*math.Pow(k, 4), 60)
}

// spread is how much of a band's energy masks another one, by bands: 27 dB/Bark toward low sound and 12 dB/Bark toward high (the
// slopes of ISO/IEC 11172-3 annex D.1 at middle levels).
func (l *layout) spread(windows int) [][]float32 {
	n := len(l.bark)
	m := make([][]float32, n)
	for b := range m {
		m[b] = make([]float32, n)
		for from := b % windows; from < n; from += windows {
			d := float64(l.bark[b] - l.bark[from])
			slope := -12 * d
			if d < 0 {
				slope = 27 * d
			}
			m[b][from] = float32(math.Pow(10, slope/10))
		}
	}
	return m
}

// aim sets where the noise of each band should lie at level 0.
func (g *granule) aim(l *layout, spread [][]float32) {
	windows := 1
	if g.blockType == 2 {
		windows = 3
	}
	bands := len(l.edges) - 1
	for b := range bands {
		var masked float32
		row := spread[b]
		for from := b % windows; from < bands; from += windows {
			masked = max(masked, row[from]*g.energy[from])
		}
		g.wanted[b] = shaping * dB(max(masked, l.quiet[b]))
	}
	g.toGain(l)
}

// toGain finds the gains that give the wanted noise. A value x quantized with gain n has noise of 1.129 n + 2.5 log10 x² dB and a
// constant, for the quantizer works on x^(3/4).
func (g *granule) toGain(l *layout) {
	for b := range l.edges[:len(l.edges)-1] {
		g.target[b] = (g.wanted[b] - .25*dB(max(g.energy[b], l.quiet[b]*.01))) / 1.129
	}
}
