package describe

import (
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	barkCells  = 96   // of a quarter Bark
	perBark    = 4    //
	fullScale  = 100  // dB of a power of one, as the AudioCommons models set it
	lowerSlope = 27.0 // dB a Bark below a masker (Terhardt 1979)
	maxKept    = 2048 // frames' cells
	boomCells  = 2.5  // of the tenths of a Bark, which the models count in, in a cell
)

// bark follows the specific loudness N' over the critical bands: levels of bands one Bark wide, spread upwards and downwards by the slopes of
// Terhardt ("Calculating virtual pitch", 1979), through the formula of Zwicker and Fastl (DIN 45631). It is shorter than the
// standard, which has tables for its slopes, and is meant for ratios, of which sharpness and the booming index are made.
type bark struct {
	edges      [barkCells + 1]int // bins
	slope      [barkCells]float64 // dB a Bark upwards from a cell at level 0
	quiet      [barkCells]float64 // threshold in quiet, dB
	floor      [barkCells]float64 // and its fortieth as a power of ten
	ear        [barkCells]float64 // what the ear lets through, dB
	sharp      [barkCells]float64 // z times the weight of DIN 45692
	boom       [barkCells]float64 // Hatano and Hashimoto's weight
	low        [barkCells]float64 // weight of the level of low frequencies
	split      int                // first cell from 280 Hz
	power      float64            // sum of frames' power
	acum, boo  float64            // weighted by it
	lows       float64
	frames     float64
	cells, out [barkCells]float64
	kept       [][barkCells]float32 // cells of every every-th frame, for what is felt at another level
	every      int
	count      int
}

func newBark(n int, binHz float64) *bark {
	b := &bark{every: 1}
	number := func(hz float64) float64 { return 13*math.Atan(0.76e-3*hz) + 3.5*math.Atan(hz/7500*hz/7500) }
	cell := 0
	for i := range n {
		for cell < barkCells && number((float64(i)-0.5)*binHz) >= float64(cell)/perBark {
			b.edges[cell] = i
			cell++
		}
	}
	for ; cell <= barkCells; cell++ {
		b.edges[cell] = n
	}
	for i := range b.edges {
		b.edges[i] = max(b.edges[i], min(offsetBins, n)) // nobody hears an offset
	}
	// Upper ends of the critical bands of DIN 45631, their threshold in quiet and what the ear takes away, in dB.
	ends := [20]float64{0.9, 1.8, 2.8, 3.5, 4.4, 5.4, 6.6, 7.9, 9.2, 10.6, 12.3, 13.8, 15.2, 16.7, 18.1, 19.3, 20.6, 21.8, 22.7, 24}
	quiet := [20]float64{30, 18, 12, 8, 7, 6, 5, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3}
	ear := [20]float64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -0.5, -1.6, -3.2, -5.4, -5.6, -4, -1.5, 2, 5, 12}
	b.split = barkCells
	band := 0
	for i := range barkCells {
		z := (float64(i) + 0.5) / perBark
		for z > ends[band] {
			band++
		}
		b.quiet[i], b.ear[i], b.floor[i] = quiet[band], -ear[band], math.Pow(10, 0.025*quiet[band])
		hz := 600 * math.Sinh(z/6)
		b.slope[i] = 24 + 230/hz
		g := 1.0 // DIN 45692
		if z > 15.8 {
			g = 0.15*math.Exp(0.42*(z-15.8)) + 0.85
		}
		b.sharp[i] = z * g
		third := math.Log10(hz/25)/math.Log10(31.5/25) + 1
		b.boom[i] = 2.13 * math.Exp(-0.151*max(third, 0))
		if hz >= 280 {
			b.split = min(b.split, i)
		}
	}
	b.low = bell(0, 70)
	return b
}

// frame takes a power spectrum in which a full-scale sine on a bin has 1.
func (b *bark) frame(power []float32) {
	total := 0.0
	for i := range barkCells {
		b.cells[i] = 0
		if from, to := b.edges[i], b.edges[i+1]; from < to {
			b.cells[i] = float64(f32.Sum(power[from:to])) / 3 // the window spreads a sine over bins of 1.5 in all, and its power is a half
		}
		total += b.cells[i]
	}
	b.keep()
	if total < 1e-10 {
		return
	}
	b.spread(fullScale)
	var loudness, sharp, booming, below, lows float64
	for i := range barkCells {
		n := b.specific(i)
		loudness += n
		sharp += n * b.sharp[i]
		booming += boomCells * math.Exp(math.Ln10/10*n*b.boom[i])
		lows += boomCells * n * b.low[i]
		if i < b.split {
			below += n
		}
	}
	b.frames++
	b.lows += lows
	if loudness <= 0 {
		return
	}
	b.power += total
	b.acum += total * 0.11 * sharp / loudness
	b.boo += total * 10 * math.Log10(booming) * below / loudness
}

// keep remembers the cells of the frame, and of every second one only when there are too many.
func (b *bark) keep() {
	if b.count++; (b.count-1)%b.every != 0 {
		return
	}
	if len(b.kept) == maxKept {
		for i := range maxKept / 2 {
			b.kept[i] = b.kept[2*i]
		}
		b.kept = b.kept[:maxKept/2]
		b.every *= 2
		if (b.count-1)%b.every != 0 {
			return
		}
	}
	var c [barkCells]float32
	for i, v := range b.cells {
		c[i] = float32(v)
	}
	b.kept = append(b.kept, c)
}

// spread fills out with the levels that the cells excite, in dB; a power of one has the given level.
func (b *bark) spread(one float64) {
	for i := range barkCells { // the critical band around each cell
		sum := 0.0
		for k := max(i-1, 0); k <= min(i+1, barkCells-1); k++ {
			sum += b.cells[k]
		}
		sum += (b.cells[max(i-2, 0)] + b.cells[min(i+2, barkCells-1)]) / 2
		b.out[i] = one + 10*math.Log10(sum+1e-16)
	}
	level := math.Inf(-1)
	for i := range barkCells { // upwards: the louder, the wider
		if spread := level - max(b.slope[max(i-1, 0)]-0.2*level, 3)/perBark; spread > b.out[i] {
			b.out[i] = spread
		}
		level = b.out[i]
	}
	level = math.Inf(-1)
	for i := barkCells - 1; i >= 0; i-- {
		level = max(level-lowerSlope/perBark, b.out[i])
		b.out[i] = level
	}
}

// specific is the specific loudness of a cell after spread, in sone a Bark.
func (b *bark) specific(i int) float64 {
	l := b.out[i] + b.ear[i]
	if l <= b.quiet[i] {
		return 0
	}
	return 0.0635 * b.floor[i] * (math.Sqrt(math.Sqrt(0.75+0.25*math.Exp(math.Ln10*0.1*(l-b.quiet[i])))) - 1)
}

// felt is how loud parts of the range are, for the AudioCommons models of hardness and warmth: sums of the specific loudness, one for each tenth of a Bark, under
// bells over parts of the range, where a power of one has the given level.
type felt struct {
	middle float64 // 7 to 14 Bark, by frames' amplitude
	high   float64 // 8 to 24 Bark, by frames' amplitude
	warm   float64 // 1 to 4 Bark, over all frames
}

func (b *bark) felt(one float64) (f felt) {
	middle, high, warm := bell(70, 140), bell(80, 240), bell(10, 40)
	weight := 0.0
	for _, c := range b.kept {
		total := 0.0
		for i, v := range c {
			b.cells[i] = float64(v)
			total += float64(v)
		}
		if total < 1e-12 {
			continue
		}
		b.spread(one)
		var m, h, w float64
		for i := range barkCells {
			n := boomCells * b.specific(i)
			m += n * middle[i]
			h += n * high[i]
			w += n * warm[i]
		}
		amplitude := math.Sqrt(total)
		weight += amplitude
		f.middle += amplitude * m
		f.high += amplitude * h
		f.warm += w / float64(len(b.kept))
	}
	if weight > 0 {
		f.middle /= weight
		f.high /= weight
	}
	return f
}

// bell weighs cells between two tenths of a Bark: 1 in the middle, 0 at the ends and beyond.
func bell(from, to float64) (w [barkCells]float64) {
	curve := func(d float64) float64 { return math.Exp(-0.5 * d * d * 1e-4) }
	edge := curve((to - from) / 2)
	for i := range barkCells {
		w[i] = max(curve(10*(float64(i)+0.5)/perBark-(from+to)/2)-edge, 0) / (1 - edge)
	}
	return w
}

// tell returns sharpness in acum, and the AudioCommons scales of sharpness and boominess (deliverable D5.8, 2019); nil for what cannot be heard.
func (b *bark) tell() (acum, sharpness, boominess *float64) {
	if b.power <= 0 {
		return nil, nil, nil
	}
	a := b.acum / b.power
	acum = known(a)
	if a > 0 {
		sharpness = hundred(102.50508921364404*math.Log10(a) + 34.432655185001735)
	}
	if boo, lows := b.boo/b.power, b.lows/b.frames; boo > 0 && lows > 0 {
		boominess = hundred(43.67402696195865*math.Log10(boo) - 10.90054738389845*math.Log10(lows) + 26.836530575185435)
	} else {
		boominess = known(0)
	}
	return acum, sharpness, boominess
}
