package mp3enc

import (
	"math"

	"audiomicro/internal/audio/layer3"
)

// layout is how the 576 lines fall into scale factor bands: long bands, or short ones with the three windows of each in turn.
type layout struct {
	edges  []int     // of the bands, one more than there are
	scaled int       // bands that have a scale factor; the ones above do not
	quiet  []float32 // threshold in quiet, as energy of a line
	bark   []float32 // of the middle
}

// granule is one granule of one channel on its way into bits.
type granule struct {
	blockType int
	x         [lines]float32 // in the order of the stream
	root      [lines]float32 // |x|^(3/4)
	peak      [39]float32    // largest root, by band
	energy    [39]float32    // mean of a line, by band
	wanted    [39]float32    // noise of a line at level 0, in dB, but for a constant
	target    [39]float32    // the gain that a band should have at level 0, in the units of global_gain (1.5 dB)

	scale    [39]uint8
	shift    uint // 1 or 2: scale factors count in half or whole powers of two
	subGain  [3]int
	down     [39]int // how far a band's gain lies below global_gain
	top      float32 // global_gain at level 0
	compress int
	scaled   int // bits of the scale factors
	shared   int // scfsi: groups taken from the granule before, of which bit 3 is the lowest

	quantized bool
	gain      int // global_gain
	floor     int // and its least: no line may be too large for the code
	ix        [lines]int32
	coding    coding
}

// dB is 10 log10 x, and -150 for nothing.
func dB(x float32) float32 {
	if x < 1e-15 {
		return -150
	}
	return float32(10 * math.Log10(float64(x)))
}

// measure finds the energies of the bands.
func (g *granule) measure(l *layout) {
	for b := range l.edges[:len(l.edges)-1] {
		band := g.x[l.edges[b]:l.edges[b+1]]
		var sum float32
		for _, v := range band {
			sum += v * v
		}
		g.energy[b] = sum / float32(len(band))
	}
}

// raise multiplies the lines. Where the noise should lie stays.
func (g *granule) raise(by float32) {
	for i := range g.x {
		g.x[i] *= by
	}
	for b := range g.energy {
		g.energy[b] *= by * by
	}
}

// roots prepares the lines for the quantizer.
func (g *granule) roots(l *layout) {
	g.quantized = false
	for b := range l.edges[:len(l.edges)-1] {
		band := g.x[l.edges[b]:l.edges[b+1]]
		root := g.root[l.edges[b]:l.edges[b+1]][:len(band)]
		var peak float32
		for i, v := range band {
			v = float32(math.Abs(float64(v)))
			v = float32(math.Sqrt(float64(v * float32(math.Sqrt(float64(v))))))
			root[i] = v
			peak = max(peak, v)
		}
		g.peak[b] = peak
	}
}

// slen1 and slen2 are the widths of the scale factors of the lower and upper bands by scalefac_compress (§2.4.2.7).
var (
	slen1 = [16]uint8{0, 0, 0, 0, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4}
	slen2 = [16]uint8{0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 3}
)

// parts are the groups of bands whose scale factors have the same width: two in MPEG-1, four in MPEG-2 (13818-3 §2.4.3.2).
func parts(lsf, short bool) []int {
	switch {
	case lsf && short:
		return []int{9, 9, 9, 9}
	case lsf:
		return []int{6, 5, 5, 5}
	case short:
		return []int{18, 18}
	}
	return []int{11, 10}
}

// limits are the largest scale factors of those groups.
func limits(lsf bool) []uint8 {
	if lsf {
		return []uint8{15, 15, 7, 7}
	}
	return []uint8{15, 7}
}

// shape turns the targets into scale factors. level is about where the gains will be: bands that come out empty there have no say.
func (g *granule) shape(l *layout, level float32, lsf bool) {
	short := g.blockType == 2
	bands := len(l.edges) - 1
	g.top = -1000
	var alive [39]bool
	for b := range bands {
		if b >= l.scaled && !short {
			break
		}
		if g.peak[b]*step(g.target[b]+level) > .6 {
			alive[b] = true
			g.top = max(g.top, g.target[b])
		}
	}
	if g.top == -1000 { // all of it lies in the last band, or nothing will be left
		g.top = g.target[bands-1]
	}
	var wish [39]float32
	for b := range bands {
		if alive[b] {
			wish[b] = g.top - g.target[b]
		}
	}
	g.subGain = [3]int{}
	if short {
		for w := range 3 {
			least := float32(1000)
			for b := w; b < bands; b += 3 {
				if alive[b] {
					least = min(least, wish[b])
				}
			}
			if least < 1000 {
				g.subGain[w] = min(int(least)/8, 7)
			}
			for b := w; b < bands; b += 3 {
				wish[b] = max(0, wish[b]-float32(8*g.subGain[w]))
			}
		}
	}
	for g.shift = 1; g.shift <= 2; g.shift++ {
		fits := true
		at := 0
		for part, n := range parts(lsf, short) {
			top := limits(lsf)[part]
			for b := at; b < at+n; b++ {
				s := int(wish[b]/float32(int(1)<<g.shift) + .5)
				if s > int(top) {
					s, fits = int(top), false
				}
				g.scale[b] = uint8(s)
			}
			at += n
		}
		if fits || g.shift == 2 {
			break
		}
	}
	g.lower(l)
	g.compression(lsf)
}

// lower computes how far the bands lie below global_gain, and how low that may be for no value to exceed 8191+15, the largest code;
// a little less leaves room for rounding.
func (g *granule) lower(l *layout) {
	g.floor = 0
	for b := range len(l.edges) - 1 {
		g.down[b] = 0
		if b < l.scaled {
			g.down[b] = int(g.scale[b]) << g.shift
		}
		if g.blockType == 2 {
			g.down[b] += 8 * g.subGain[b%3]
		}
		if g.peak[b] > 0 {
			g.floor = max(g.floor, 210+g.down[b]+int(math.Ceil(16./3*math.Log2(float64(g.peak[b])/8200))))
		}
	}
}

// compression finds scalefac_compress and the bits that the scale factors take.
func (g *granule) compression(lsf bool) {
	var tops [4]int // bits that the largest of each group needs
	groups := parts(lsf, g.blockType == 2)
	at := 0
	for part, n := range groups {
		for _, s := range g.scale[at : at+n] {
			for s>>tops[part] > 0 {
				tops[part]++
			}
		}
		at += n
	}
	if lsf {
		g.compress = (tops[0]*5+tops[1])<<4 | tops[2]<<2 | tops[3]
		g.scaled = 0
		for part, n := range groups {
			g.scaled += n * tops[part]
		}
		return
	}
	g.scaled = 1 << 30
	for k := range 16 {
		if int(slen1[k]) >= tops[0] && int(slen2[k]) >= tops[1] {
			if n := groups[0]*int(slen1[k]) + groups[1]*int(slen2[k]); n < g.scaled {
				g.scaled, g.compress = n, k
			}
		}
	}
}

// scfsiBands are the groups of long bands that granule 1 can take from granule 0 (§2.4.2.7).
var scfsiBands = [5]int{0, 6, 11, 16, 21}

// share takes the scale factors of the granule before where they are the same, or nearly so and therefore not worth their bits.
func (g *granule) share(before *granule, l *layout) {
	g.shared = 0
	if g.blockType == 2 || before.blockType == 2 || g.scaled == 0 {
		return
	}
	if g.shift == before.shift {
		var off float32
		for b := range l.scaled {
			d := float32(g.down[b] - before.down[b])
			off += d * d
		}
		if off/float32(l.scaled) < 4 {
			g.scale = before.scale
			g.lower(l)
			g.shared, g.scaled, g.compress = 15, 0, 0
			return
		}
	}
	saved := 0
	for group := range 4 {
		from, to := scfsiBands[group], scfsiBands[group+1]
		if string(g.scale[from:to]) == string(before.scale[from:to]) {
			g.shared |= 8 >> group
			width := slen1[g.compress]
			if group >= 2 {
				width = slen2[g.compress]
			}
			saved += int(width) * (to - from)
		}
	}
	g.scaled -= saved
}

// step is the factor of a root at a gain: 2^(-3/16 (gain - 210)).
func step(gain float32) float32 { return float32(math.Exp2(float64(210-gain) * 3 / 16)) }

// rounding is what is added before a root is cut to a whole number. .4054 has the least error, and up to .3 dB more at the same size, but
// it empties more quiet lines, and what comes suddenly, before the makeup knows how much is lost, ends .09 LU quieter at 64 kbit/s.
const rounding = .44

// quantize finds the values at a global_gain and what they take.
func (g *granule) quantize(gain int, l *layout, e *tables) {
	gain = min(max(gain, g.floor), 255)
	if g.quantized && gain == g.gain {
		return
	}
	g.quantized, g.gain = true, gain
	end := 0
	for b := range len(l.edges) - 1 {
		from, to := l.edges[b], l.edges[b+1]
		s := e.step[gain-g.down[b]+stepZero]
		x := g.root[from:to]
		q := g.ix[from:to][:len(x)]
		var any int32
		for i, v := range x {
			n := int32(v*s + rounding)
			q[i] = n
			any |= n
		}
		if any != 0 {
			end = to
		}
	}
	for end > 0 && g.ix[end-1] == 0 {
		end--
	}
	k := &g.coding
	e.coder.tail(&g.ix, end, k)
	switch g.blockType {
	case 0:
		e.coder.split(&g.ix, k, &e.long)
	default:
		k.boundary = [2]int{e.long[8], lines}
		if g.blockType == 2 {
			k.boundary[0] = l.edges[9]
		}
		e.coder.fixed(&g.ix, k)
	}
}

// bits of part 2 and 3.
func (g *granule) bits() int { return g.scaled + g.coding.bits }

const stepZero = 256

// tables are the numbers that every granule needs.
type tables struct {
	coder *coder
	step  [stepZero + 256]float32 // by global_gain less a band's scale, from -stepZero
	long  [23]int                 // edges of the long bands
}

func newTables(rate int) *tables {
	t := &tables{coder: newCoder()}
	for i := range t.step {
		t.step[i] = step(float32(i - stepZero))
	}
	for b, w := range layer3.LongBands[rate] {
		t.long[b+1] = t.long[b] + w
	}
	return t
}
