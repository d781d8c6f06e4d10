package spectrum

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
)

const (
	// Tones is the number of tone classes: 0 is below 510 Hz, 7 above 4.8 kHz, evenly on a logarithmic scale between.
	Tones = 8
	// RowBars and WideBars are the bars of the two drawn waveforms.
	RowBars  = 120
	WideBars = 420
	// RowHeight is the largest height of a row's bar; the smallest is 1.
	RowHeight = 16

	toneLow, toneHigh = 350.0, 7000.0
	keepBelow         = 0.00794328 // 42 dB under the peak a bar keeps its neighbor's tone
)

// ErrEncoding means that a string was not made by Encode.
var ErrEncoding = errors.New("not an encoded waveform")

// Tone is the class of a spectral centroid in Hz.
func Tone(centroid float64) uint8 {
	if !(centroid > toneLow) {
		return 0
	}
	return uint8(min(Tones*math.Log2(centroid/toneLow)/math.Log2(toneHigh/toneLow), Tones-1))
}

// toneEdge is the frequency in Hz at which class k begins.
func toneEdge(k int) float64 {
	return toneLow * math.Pow(toneHigh/toneLow, float64(k)/Tones)
}

// Bar is one bar of a row waveform, symmetric about the middle.
type Bar struct {
	Height uint8 `json:"height"` // 1…RowHeight
	Tone   uint8 `json:"tone"`   // 0…7
}

// Row is the waveform of a list row: RowBars bars of equal duration.
type Row struct {
	Bars []Bar `json:"bars"`
}

// Encode packs a row into text of at most 140 characters (base64url of 7 bits a bar: height-1, tone).
func (r Row) Encode() string {
	var b []byte
	var acc, n uint
	for _, bar := range r.Bars {
		acc = acc<<7 | uint(min(max(bar.Height, 1), RowHeight)-1)<<3 | uint(bar.Tone&7)
		for n += 7; n >= 8; n -= 8 {
			b = append(b, byte(acc>>(n-8)))
		}
		acc &= 1<<n - 1
	}
	if n > 0 {
		b = append(b, byte(acc<<(8-n)))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeRow unpacks what Encode made. An empty string is an empty row; anything but RowBars bars is an error that wraps ErrEncoding.
func DecodeRow(s string) (Row, error) {
	if s == "" {
		return Row{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != RowBars*7/8 {
		return Row{}, fmt.Errorf("decode row of %d characters: %w", len(s), ErrEncoding)
	}
	r := Row{Bars: make([]Bar, 0, RowBars)}
	var acc, n uint
	for _, v := range b {
		acc = acc<<8 | uint(v)
		for n += 8; n >= 7; n -= 7 {
			bar := acc >> (n - 7) & 127
			r.Bars = append(r.Bars, Bar{Height: uint8(bar>>3) + 1, Tone: uint8(bar & 7)})
		}
		acc &= 1<<n - 1
	}
	return r, nil
}

// WideBar is one bar of the big waveform, in 127ths of the file's peak.
type WideBar struct {
	Low  int8  `json:"low"`  // -127…127, at most High
	High int8  `json:"high"` // -127…127
	Tone uint8 `json:"tone"` // 0…7
}

// Wide is the big waveform of a recording's page: WideBars bars with their true minimum and maximum.
type Wide struct {
	Bars []WideBar `json:"bars"`
}

// Encode packs the big waveform into 1680 characters (base64url of 3 bytes a bar).
func (w Wide) Encode() string {
	b := make([]byte, 0, 3*len(w.Bars))
	for _, bar := range w.Bars {
		b = append(b, byte(bar.Low), byte(bar.High), bar.Tone)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeWide unpacks what Wide.Encode made; other text is an error that wraps ErrEncoding.
func DecodeWide(s string) (Wide, error) {
	if s == "" {
		return Wide{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 3*WideBars {
		return Wide{}, fmt.Errorf("decode wide waveform of %d characters: %w", len(s), ErrEncoding)
	}
	w := Wide{Bars: make([]WideBar, WideBars)}
	for i := range w.Bars {
		bar := WideBar{Low: int8(b[3*i]), High: int8(b[3*i+1]), Tone: b[3*i+2]}
		if bar.Low == -128 || bar.High == -128 || bar.Low > bar.High || bar.Tone >= Tones {
			return Wide{}, fmt.Errorf("decode wide waveform, bar %d: %w", i, ErrEncoding)
		}
		w.Bars[i] = bar
	}
	return w, nil
}

// Result is what a stream looked like. Its methods draw pictures of any size from the grids it holds (about 1.4 MB).
type Result struct {
	Rate     int            // Hz
	Frames   int64          // samples per channel
	Row      Row            // for lists
	Wide     Wide           // for the recording's page
	Bands    [Tones]float64 // mean magnitude in each tone band, relative to the strongest: 0…1
	Centroid float64        // Hz, mean of all frames' centroids weighted by their power; 0 in silence

	extremes extremes
	looks    []look // evenly over the stream
	energy   [][]float32
	fine     []uint8 // bins of each column of fineSeconds
	rows     *rowMap

	fineSeconds float64
}

// tones classes n bars of equal duration by the centroid at the middle of each. A bar far below the peak keeps the class of the
// bar before it; so does one whose middle is as far below the strongest frame, because the sound begins behind it. Quiet bars
// at the start take the class of the first loud one.
func (r *Result) tones(n int) []uint8 {
	tones := make([]uint8, n)
	quietPeak := r.extremes.peak() * keepBelow
	var strongest float32
	for _, l := range r.looks {
		strongest = max(strongest, l.power)
	}
	quietPower := strongest * keepBelow * keepBelow
	known := false
	for i := range tones {
		low, high := r.extremes.span(i, n)
		var here look
		if len(r.looks) > 0 {
			here = r.looks[min((2*i+1)*len(r.looks)/(2*n), len(r.looks)-1)]
		}
		if max(-low, high) <= quietPeak || here.power <= quietPower {
			if i > 0 {
				tones[i] = tones[i-1]
			}
			continue
		}
		tones[i] = Tone(float64(here.centroid))
		if !known {
			for k := range i {
				tones[k] = tones[i]
			}
			known = true
		}
	}
	return tones
}

func (r *Result) row() Row {
	peak := r.extremes.peak()
	row := Row{Bars: make([]Bar, RowBars)}
	for i, tone := range r.tones(RowBars) {
		low, high := r.extremes.span(i, RowBars)
		height := 1.0
		if peak > 0 {
			height = max(1, math.Round(RowHeight*math.Pow(float64(max(-low, high)/peak), 0.8)))
		}
		row.Bars[i] = Bar{Height: uint8(min(height, RowHeight)), Tone: tone}
	}
	return row
}

func (r *Result) wide() Wide {
	peak := r.extremes.peak()
	wide := Wide{Bars: make([]WideBar, WideBars)}
	scale := 0.0
	if peak > 0 {
		scale = 127 / float64(peak)
	}
	for i, tone := range r.tones(WideBars) {
		low, high := r.extremes.span(i, WideBars)
		wide.Bars[i] = WideBar{Low: int8(math.Round(float64(low) * scale)), High: int8(math.Round(float64(high) * scale)), Tone: tone}
	}
	return wide
}
