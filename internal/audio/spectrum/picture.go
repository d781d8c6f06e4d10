package spectrum

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	alphaSteps   = 16
	fullRange    = 72.0 // dB shown
	noiseRange   = 45.0 // dB shown of steady noise, so that its texture is seen
	tiltPerOct   = 2.0  // dB added per octave
	alphaGamma   = 1.35
	silencePower = 1e-14 // -140 dB: nothing is drawn of a stream that never exceeds it
)

// shade returns the energy as steps 0…15 for a picture of the given size, row 0 at the top (18 kHz).
func (r *Result) shade(width, height int) []uint8 {
	pix := make([]uint8, width*height)
	if len(r.energy) == 0 || r.rows.limit == 0 {
		return pix
	}
	tilt := make([]float32, height)
	for k := range tilt {
		tilt[k] = float32(tiltPerOct * math.Log2(rowHz((float64(k)+0.5)*bins/float64(height))/1000))
	}
	db := make([]float32, width*height) // column after column, from the bottom up
	top := float32(math.Inf(-1))
	rows := make([]float32, bins)
	for x := range width {
		r.column(rows, x, width)
		column := db[x*height : (x+1)*height]
		loudest := resample(column, rows)
		f32.AddScalar(column, column, silencePower/1e4)
		f32.Log10(column, column)
		f32.Scale(column, column, 10)
		f32.Add(column, column, tilt)
		if loudest > silencePower {
			top = max(top, f32.Max(column))
		}
	}
	if math.IsInf(float64(top), -1) {
		return pix
	}
	steps := alphas(r.span(db, height, top))
	for x := range width {
		for k, v := range db[x*height : (x+1)*height] {
			pix[(height-1-k)*width+x] = steps[min(max(int((top-v)*alphaPerDB), 0), len(steps)-1)]
		}
	}
	return pix
}

const alphaPerDB = 16 // resolution of the table

// alphas tabulates the step for every level below the top, in 1/alphaPerDB dB.
func alphas(span float64) []uint8 {
	steps := make([]uint8, int(span*alphaPerDB)+2)
	for i := range steps {
		a := min(max(1-float64(i)/alphaPerDB/span, 0), 1)
		steps[i] = uint8(math.Round(math.Pow(a, alphaGamma) * (alphaSteps - 1)))
	}
	return steps
}

// span is the range in dB to show: as much as lies between the strongest point and the weakest tenth, within the two limits.
func (r *Result) span(db []float32, height int, top float32) float64 {
	below := height * r.rows.limit / bins // rows above Nyquist hold nothing
	var count [int(fullRange)]int         // points by whole dB below the top
	total := 0
	for at := 0; at < len(db); at += height {
		for _, v := range db[at : at+below] {
			count[min(max(int(top-v), 0), len(count)-1)]++
		}
		total += below
	}
	return shownRange(&count, total)
}

// shownRange is span of points that are counted by whole dB below the top.
func shownRange(count *[int(fullRange)]int, total int) float64 {
	weakest := total / 10
	for i := len(count) - 1; i > 0; i-- {
		if weakest -= count[i]; weakest < 0 {
			return min(max(float64(i), noiseRange), fullRange)
		}
	}
	return noiseRange
}

// column fills dst with the mean power of each row over column x of a picture.
func (r *Result) column(dst []float32, x, width int) {
	n := len(r.energy)
	from := x * n / width
	to := max((x+1)*n/width, from+1)
	clear(dst)
	for _, c := range r.energy[from:to] {
		f32.Add(dst, dst, c)
	}
	f32.Scale(dst, dst, 1/float32(to-from))
}

// resample brings the rows of a column to a picture's height and returns the largest: fewer pixels take the strongest of
// their rows, more pixels interpolate.
func resample(dst, rows []float32) (loudest float32) {
	if len(dst) == len(rows) {
		copy(dst, rows)
		return f32.Max(rows)
	}
	ratio := float64(len(rows)) / float64(len(dst))
	for k := range dst {
		low, high := float64(k)*ratio, float64(k+1)*ratio
		if ratio < 1 {
			at := min(max((low+high)/2-0.5, 0), float64(len(rows)-1))
			i := min(int(at), len(rows)-2)
			w := float32(at - float64(i))
			dst[k] = rows[i]*(1-w) + rows[i+1]*w
			continue
		}
		from := int(math.Round(low))
		dst[k] = f32.Max(rows[from:min(max(int(math.Round(high)), from+1), len(rows))])
	}
	return f32.Max(dst)
}

// WriteEnergyPNG draws the spectrogram as a mask: white pixels whose alpha, in 16 steps, is the energy from 60 Hz (bottom) to 18 kHz
// (top). The page's theme paints it. Usual sizes are 800 × 200 and 320 × 120.
func (r *Result) WriteEnergyPNG(w io.Writer, width, height int) error {
	img := image.NewPaletted(image.Rect(0, 0, width, height), energyInk())
	img.Pix = r.shade(width, height)
	enc := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := enc.Encode(w, img); err != nil {
		return fmt.Errorf("draw energy %d × %d: %w", width, height, err)
	}
	return nil
}

// energyInk is white in 16 steps of alpha.
func energyInk() color.Palette {
	palette := make(color.Palette, alphaSteps)
	for i := range palette {
		palette[i] = color.NRGBA{255, 255, 255, uint8(i * 17)}
	}
	return palette
}

// WriteSpectralJPG draws the spectrogram in the tone colors on a dark ground. Usual sizes are 120 × 71 and 900 × 201.
func (r *Result) WriteSpectralJPG(w io.Writer, width, height int) error {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	pix := r.shade(width, height)
	for y := range height {
		ink := rampAt(rowHz((float64(height-1-y) + 0.5) * bins / float64(height)))
		for x := range width {
			img.SetRGBA(x, y, blend(ground, ink, float64(pix[y*width+x])/(alphaSteps-1)))
		}
	}
	if err := jpeg.Encode(w, img, &jpeg.Options{Quality: 82}); err != nil {
		return fmt.Errorf("draw spectrogram %d × %d: %w", width, height, err)
	}
	return nil
}

// WriteWaveformPNG draws the waveform on a dark ground, each column in its tone. Usual sizes are 120 × 71 and 900 × 201.
func (r *Result) WriteWaveformPNG(w io.Writer, width, height int) error {
	palette := color.Palette{ground}
	for _, c := range toneInk {
		palette = append(palette, c)
	}
	for _, c := range toneInk {
		palette = append(palette, blend(ground, c, 0.5)) // where a column ends within a pixel
	}
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	peak := max(float64(r.extremes.peak()), 1e-9)
	middle := float64(height) / 2
	for x, tone := range r.tones(width) {
		low, high := r.extremes.span(x, width)
		top := middle - float64(high)/peak*(middle-1)
		bottom := max(middle-float64(low)/peak*(middle-1), top+1)
		for y := max(int(top), 0); y < min(int(math.Ceil(bottom)), height); y++ {
			cover := min(bottom, float64(y+1)) - max(top, float64(y))
			switch {
			case cover > 0.75:
				img.SetColorIndex(x, y, 1+tone)
			case cover > 0.25:
				img.SetColorIndex(x, y, 1+Tones+tone)
			}
		}
	}
	enc := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := enc.Encode(w, img); err != nil {
		return fmt.Errorf("draw waveform %d × %d: %w", width, height, err)
	}
	return nil
}
