package ui

import (
	"math"
	"strconv"
	"strings"

	"audiomicro/internal/audio/spectrum"
)

// tonePaths holds one SVG path per tone class.
type tonePaths [8]string

// pen writes one path of vertical strokes with relative moves, the shortest form that brotli still packs well.
type pen struct {
	b    strings.Builder
	x, y int
}

// stroke draws from (x, y) down by height.
func (p *pen) stroke(x, y, height int) {
	p.b.WriteByte('m')
	p.b.WriteString(strconv.Itoa(x - p.x))
	if dy := y - p.y; dy >= 0 {
		p.b.WriteByte(' ')
		p.b.WriteString(strconv.Itoa(dy))
	} else {
		p.b.WriteString(strconv.Itoa(dy))
	}
	p.b.WriteByte('v')
	p.b.WriteString(strconv.Itoa(height))
	p.x, p.y = x, y+height
}

// rowPaths draws 120 bars on a grid of 360 x 32. Missing bars are one unit high.
func rowPaths(bars []spectrum.Bar) tonePaths {
	var pens [8]pen
	for i := range rowBars {
		b := spectrum.Bar{Height: 1}
		if i < len(bars) {
			b = bars[i]
		}
		h := min(max(int(b.Height), 1), 16)
		pens[b.Tone&7].stroke(3*i+1, 16-h, 2*h)
	}
	return finish(&pens)
}

// bigPaths draws 420 bars on a grid of 1260 x 200. Missing bars are two units high.
func bigPaths(bars []spectrum.WideBar) tonePaths {
	var pens [8]pen
	for i := range bigBars {
		b := spectrum.WideBar{Low: -1, High: 1}
		if i < len(bars) {
			b = bars[i]
		}
		top, bottom := 100-int(b.High)*100/127, 100-int(b.Low)*100/127
		if bottom-top < 2 {
			middle := (top + bottom) / 2
			top, bottom = middle-1, middle+1
		}
		top, bottom = max(top, 0), min(bottom, 200)
		pens[b.Tone&7].stroke(3*i+1, top, max(bottom-top, 1))
	}
	return finish(&pens)
}

// sealBars is the number of radial bars of a certificate's seal.
const sealBars = 264

// sealPaths draws the sound as radial bars on a grid of 400 x 400: outside the maximum, inside the minimum.
func sealPaths(bars []spectrum.WideBar) tonePaths {
	var out [8]strings.Builder
	if len(bars) == 0 {
		bars = make([]spectrum.WideBar, bigBars)
	}
	const base, reach = 128.0, 66.0
	loudest := 1.0
	for _, b := range bars {
		loudest = max(loudest, math.Abs(float64(b.Low)), math.Abs(float64(b.High)))
	}
	for i := range sealBars {
		lo, hi := i*len(bars)/sealBars, max((i+1)*len(bars)/sealBars, i*len(bars)/sealBars+1)
		b := bars[lo]
		for _, c := range bars[lo:min(hi, len(bars))] {
			if int(c.High)-int(c.Low) > int(b.High)-int(b.Low) {
				b = c
			}
		}
		angle := 2*math.Pi*float64(i)/sealBars - math.Pi/2
		sin, cos := math.Sincos(angle)
		outer := base + max(float64(b.High)/loudest*reach, 1)
		inner := base + min(float64(b.Low)/loudest*reach*.7, -1)
		p := &out[b.Tone&7]
		p.WriteString("M" + tenth(200+cos*inner) + " " + tenth(200+sin*inner) + "L" + tenth(200+cos*outer) + " " + tenth(200+sin*outer))
	}
	var paths tonePaths
	for i := range out {
		paths[i] = out[i].String()
	}
	return paths
}

func finish(pens *[8]pen) tonePaths {
	var paths tonePaths
	for i := range pens {
		paths[i] = pens[i].b.String()
	}
	return paths
}

func tenth(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// rect is one bar of a histogram in SVG units.
type rect struct {
	X, Y, W, H string
	Class      string
}

// histogram lays bins out on a grid of 240 x 48, at least one unit high; class names the fill of each bin.
func histogram(bins []int, class func(i int) string) []rect {
	top := 1
	for _, n := range bins {
		top = max(top, n)
	}
	out := make([]rect, len(bins))
	for i, n := range bins {
		w := 240 / float64(len(bins))
		h := max(48*float64(max(n, 0))/float64(top), 1)
		out[i] = rect{tenth(float64(i) * w), tenth(48 - h), tenth(w - 1.5), tenth(h), class(i)}
	}
	return out
}

// facetBins picks what a range or brightness facet draws.
func facetBins(f Facet) []rect {
	if f.Kind == FacetBrightness {
		bins := make([]int, len(f.Options))
		for i, o := range f.Options {
			bins[i] = o.Count
		}
		return histogram(bins, func(i int) string { return "f" + strconv.Itoa(min(i, 7)) })
	}
	return histogram(f.Histogram, func(i int) string {
		if f.ChosenHi > 0 && (i < f.ChosenLo || i >= f.ChosenHi) {
			return "off"
		}
		return "on"
	})
}

// avatarBars folds eight tone bands into five bars on a grid of 40 x 40, or nil when there is no sound to draw.
func avatarBars(tones [8]uint8) []rect {
	top := uint8(0)
	for _, t := range tones {
		top = max(top, t)
	}
	if top == 0 {
		return nil
	}
	out := make([]rect, 5)
	for i, tone := range [5]int{0, 2, 3, 5, 7} {
		h := max(18*float64(tones[tone])/float64(top), 2)
		out[i] = rect{tenth(9 + 4.6*float64(i)), tenth(29 - h), "3.6", tenth(h), "f" + strconv.Itoa(tone)}
	}
	return out
}

// spectrumBars lays out eight tone bands on a grid of 240 x 80.
func spectrumBars(tones [8]uint8) []rect {
	top := uint8(1)
	for _, t := range tones {
		top = max(top, t)
	}
	out := make([]rect, len(tones))
	for i, t := range tones {
		h := max(80*float64(t)/float64(top), 2)
		out[i] = rect{tenth(float64(i)*30 + 1), tenth(80 - h), "27", tenth(h), "f" + strconv.Itoa(i)}
	}
	return out
}

// qrPath draws a QR code's dark modules as one path, a quiet zone of four modules around it, and the side of its view box.
func qrPath(modules [][]bool) (path string, side int) {
	var b strings.Builder
	for y, row := range modules {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			start := x
			for x+1 < len(row) && row[x+1] {
				x++
			}
			n := strconv.Itoa(x - start + 1)
			b.WriteString("M" + strconv.Itoa(start+4) + " " + strconv.Itoa(y+4) + "h" + n + "v1h-" + n + "z")
		}
	}
	return b.String(), len(modules) + 8
}

// timeTicks spreads at most six round labels over a length in seconds; X is in percent of the width.
func timeTicks(seconds float64) []Tick {
	if !(seconds > 0) || math.IsInf(seconds, 0) {
		return []Tick{{Label: "0:00"}}
	}
	step := .001
	for _, s := range []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400} {
		if step = s; seconds/s <= 6 {
			break
		}
	}
	for seconds/step > 6 {
		step *= 2
	}
	var out []Tick
	for i := 0; float64(i)*step <= seconds*.94; i++ {
		at := float64(i) * step
		label := At(at, seconds)
		if step >= 1 {
			label = strings.TrimSuffix(label, ".0")
		}
		out = append(out, Tick{Label: label, Height: at / seconds})
	}
	return out
}

func percent(share float64) string { return tenth(min(max(share, 0), 1)*100) + "%" }
