package certificate

import (
	"fmt"
	"math"

	"rsc.io/qr"
)

// Bar is one bar of a recording's drawing: how far it reaches above and below the middle line, each 0..1, and its tone class,
// 0 (low, warm) to 7 (high, cool).
type Bar struct {
	Up, Down float64
	Tone     int
}

// sealBars is the number of radial bars of a seal.
const sealBars = 264

// Stroke is a straight line of a drawing, in units of its radius, center at 0,0, y downward.
type Stroke struct {
	X1, Y1, X2, Y2 float64
	Tone           int
}

// Rings of the seal, as parts of its radius: outer ring, base line of the bars, inner ring.
const (
	sealOuter = 1.0
	sealBase  = 0.50
	sealInner = 0.25
)

// Seal draws a sound as a ring of 264 bars, clockwise from the top: the upper half of the waveform outward from the base
// circle, the lower half inward. Without bars it gives none; the two thin rings (radius 1 and 0.25) are the caller's.
func Seal(bars []Bar) []Stroke {
	if len(bars) == 0 {
		return nil
	}
	strokes := make([]Stroke, sealBars)
	for i := range strokes {
		b := strongest(bars, i*len(bars)/sealBars, (i+1)*len(bars)/sealBars)
		angle := 2*math.Pi*float64(i)/sealBars - math.Pi/2
		cos, sin := math.Cos(angle), math.Sin(angle)
		out := sealBase + clamp(b.Up)*(sealOuter-sealBase-.06)
		in := sealBase - clamp(b.Down)*(sealBase-sealInner-.04)
		strokes[i] = Stroke{X1: in * cos, Y1: in * sin, X2: out * cos, Y2: out * sin, Tone: b.Tone & 7}
	}
	return strokes
}

// strongest folds bars[from:to] into their outline; an empty range takes bars[from].
func strongest(bars []Bar, from, to int) Bar {
	b := bars[from]
	for _, other := range bars[min(from+1, len(bars)):max(to, min(from+1, len(bars)))] {
		if other.Up+other.Down > b.Up+b.Down {
			b.Tone = other.Tone
		}
		b.Up, b.Down = max(b.Up, other.Up), max(b.Down, other.Down)
	}
	return b
}

func clamp(v float64) float64 {
	if !(v > 0) { // also NaN
		return 0
	}
	return min(v, 1)
}

// QR gives the modules of a QR code (ISO/IEC 18004, level M) of text, row by row, true for dark. The quiet zone of four
// modules around it is the drawer's.
func QR(text string) ([][]bool, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	rows := make([][]bool, code.Size)
	for y := range rows {
		rows[y] = make([]bool, code.Size)
		for x := range rows[y] {
			rows[y][x] = code.Black(x, y)
		}
	}
	return rows, nil
}

// eachRun calls draw for every horizontal run of n black modules.
func eachRun(code *qr.Code, draw func(x, y, n int)) {
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			n := 0
			for x+n < code.Size && code.Black(x+n, y) {
				n++
			}
			if n > 0 {
				draw(x, y, n)
				x += n
			}
		}
	}
}
