package spectrum_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"audiomicro/internal/audio/spectrum"
)

func sine(rate int, seconds, hz, amplitude float64) []float32 {
	x := make([]float32, int(seconds*float64(rate)))
	for i := range x {
		x[i] = float32(amplitude * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return x
}

func noise(frames int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 5))
	x := make([]float32, frames)
	for i := range x {
		x[i] = float32(0.2 * rng.NormFloat64())
	}
	return x
}

func analyze(rate, block int, planar ...[]float32) *spectrum.Result {
	a := spectrum.New(rate, len(planar))
	view := make([][]float32, len(planar))
	for at := 0; at < len(planar[0]); at += block {
		for c := range planar {
			view[c] = planar[c][at:min(at+block, len(planar[c]))]
		}
		a.Write(view)
	}
	return a.Result()
}

// TestToneClasses: k = clamp(floor(8 log2(c/350) / log2(7000/350)), 0, 7), for short and long sounds and other rates.
func TestToneClasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hz   float64
		tone uint8
	}{
		{100, 0}, {480, 0}, {600, 1}, {900, 2}, {1300, 3}, {1900, 4}, {2800, 5}, {4000, 6}, {5500, 7}, {12000, 7},
	} {
		if got := spectrum.Tone(c.hz); got != c.tone {
			t.Errorf("Tone(%g) = %d, want %d", c.hz, got, c.tone)
		}
		for _, rate := range []int{44100, 48000, 96000} {
			for _, seconds := range []float64{0.3, 14} {
				r := analyze(rate, 4096, sine(rate, seconds, c.hz, 0.5))
				for i, bar := range r.Row.Bars[15 : spectrum.RowBars-15] { // the edges of a sine click
					if bar.Tone != c.tone || bar.Height < spectrum.RowHeight-1 {
						t.Fatalf("%g Hz at %d Hz, %g s: bar %d is %+v, want tone %d", c.hz, rate, seconds, i+15, bar, c.tone)
					}
				}
				if math.Abs(r.Centroid-c.hz) > 0.05*c.hz+20 {
					t.Errorf("%g Hz at %d Hz, %g s: centroid %.0f", c.hz, rate, seconds, r.Centroid)
				}
				if r.Bands[c.tone] != 1 {
					t.Errorf("%g Hz: bands %.2f", c.hz, r.Bands)
				}
			}
		}
	}
	for _, hz := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := spectrum.Tone(hz); got >= spectrum.Tones {
			t.Errorf("Tone(%g) = %d", hz, got)
		}
	}
}

// TestQuietBarsKeepTheirNeighborsTone: 42 dB under the peak a bar keeps the class of the bar before it.
func TestQuietBarsKeepTheirNeighborsTone(t *testing.T) {
	t.Parallel()
	quiet := sine(44100, 10, 9000, 0.5*math.Pow(10, -44.0/20))
	audible := sine(44100, 10, 9000, 0.5*math.Pow(10, -38.0/20))
	low := sine(44100, 10, 200, 0.5)
	for _, c := range []struct {
		name              string
		parts             [][]float32
		first, last, wide uint8
	}{
		{"quiet tail", [][]float32{low, quiet}, 0, 0, 0},
		{"audible tail", [][]float32{low, audible}, 0, 7, 7},
		{"quiet start", [][]float32{quiet, low}, 0, 0, 0},
		{"quiet start before high", [][]float32{make([]float32, 441000), sine(44100, 10, 9000, 0.5)}, 7, 7, 7},
	} {
		var x []float32
		for _, p := range c.parts {
			x = append(x, p...)
		}
		r := analyze(44100, 4096, x)
		bars := r.Row.Bars
		if bars[5].Tone != c.first || bars[115].Tone != c.last || r.Wide.Bars[400].Tone != c.wide {
			t.Errorf("%s: tones %d … %d, wide %d; want %d … %d", c.name, bars[5].Tone, bars[115].Tone, r.Wide.Bars[400].Tone, c.first, c.last)
		}
	}
}

func TestHeightsFollowThePeakOfAllChannels(t *testing.T) {
	t.Parallel()
	left := append(sine(44100, 2, 500, 0.8), sine(44100, 2, 500, 0.1)...)
	right := append(make([]float32, 2*44100), sine(44100, 2, 500, 0.4)...)
	r := analyze(44100, 4096, left, right)
	if h := r.Row.Bars[30].Height; h != 16 {
		t.Errorf("loud half has height %d", h)
	}
	if h, want := r.Row.Bars[90].Height, uint8(math.Round(16*math.Pow(0.5, 0.8))); h != want {
		t.Errorf("half as loud has height %d, want %d", h, want)
	}
	if b := r.Wide.Bars[300]; b.Low > -60 || b.Low < -66 || b.High < 60 || b.High > 66 {
		t.Errorf("wide bar %+v, want about ±64", b)
	}
	dc := make([]float32, 44100)
	for i := range dc {
		dc[i] = 0.5
	}
	if b := analyze(44100, 512, dc).Wide.Bars[200]; b.Low != 127 || b.High != 127 {
		t.Errorf("DC gave %+v: minimum and maximum must be true", b)
	}
}

// TestCancellingChannels: the mean of opposite channels is silence, but the sound is not.
func TestCancellingChannels(t *testing.T) {
	t.Parallel()
	left := append(make([]float32, 9000), sine(44100, 2, 3000, 0.5)...)
	right := make([]float32, len(left))
	for i, v := range left {
		right[i] = -v
	}
	r := analyze(44100, 4096, left, right)
	if math.Abs(r.Centroid-3000) > 60 || r.Row.Bars[80].Tone != spectrum.Tone(3000) {
		t.Errorf("centroid %.0f Hz, bar %+v", r.Centroid, r.Row.Bars[80])
	}
	low := sine(44100, 2, 200, 0.5)
	if r := analyze(44100, 4096, low, make([]float32, len(low))); math.Abs(r.Centroid-200) > 20 {
		t.Errorf("one silent channel: centroid %.0f Hz", r.Centroid)
	}
}

func TestBlockSizeDoesNotMatter(t *testing.T) {
	t.Parallel()
	x := noise(60000, 1)
	want := analyze(22050, 1<<20, x)
	for _, block := range []int{1, 100, 16384} {
		got := analyze(22050, block, x)
		if !reflect.DeepEqual(got.Row, want.Row) || !reflect.DeepEqual(got.Wide, want.Wide) || math.Abs(got.Centroid-want.Centroid) > 1e-6 {
			t.Errorf("blocks of %d give another picture", block)
		}
	}
}

func TestFramesAreCentered(t *testing.T) {
	t.Parallel()
	const rate, hop = 44100, 1024
	for _, n := range []int{0, 1, 1024, 1025, 50000} {
		x := make([]float32, n)
		for k := 0; k < n; k += hop {
			x[k] = float32(k/hop + 1)
		}
		a := spectrum.New(rate, 1)
		var seen int64
		a.OnFrame = func(f *spectrum.Frame) {
			if f.Index != seen || f.Hop != hop || f.Samples[len(f.Samples)/2] != float32(f.Index+1) {
				t.Errorf("frame %d (index %d, hop %d) has %g in its middle", seen, f.Index, f.Hop, f.Samples[len(f.Samples)/2])
			}
			seen++
		}
		a.Write([][]float32{x})
		a.Result()
		a.Result()
		if want := int64((n + hop - 1) / hop); seen != want {
			t.Errorf("%d samples gave %d frames, want %d", n, seen, want)
		}
	}
}

func TestFullScaleSineHasPowerOne(t *testing.T) {
	t.Parallel()
	a := spectrum.New(48000, 1)
	var top float32
	a.OnFrame = func(f *spectrum.Frame) {
		for _, p := range f.Power {
			top = max(top, p)
		}
	}
	a.Write([][]float32{sine(48000, 1, 48000.0/2048*100, 1)})
	a.Result()
	if math.Abs(float64(top)-1) > 0.01 {
		t.Errorf("peak bin has power %.3f", top)
	}
}

// TestLongStreams runs far beyond every grid at a low rate.
func TestLongStreams(t *testing.T) {
	t.Parallel()
	const rate = 2000
	a := spectrum.New(rate, 1)
	low, high := sine(rate, 100, 200, 0.5), sine(rate, 100, 800, 0.25)
	for i := range 60 {
		if i < 30 {
			a.Write([][]float32{low})
		} else {
			a.Write([][]float32{high})
		}
	}
	r := a.Result()
	for i, bar := range r.Row.Bars {
		want := spectrum.Bar{Height: 16, Tone: 0}
		if i >= 60 {
			want = spectrum.Bar{Height: 9, Tone: spectrum.Tone(800)}
		}
		if bar != want && i != 59 && i != 60 {
			t.Errorf("bar %d is %+v, want %+v", i, bar, want)
		}
	}
}

func draw(t *testing.T, r *spectrum.Result, w, h int) (img *image.Paletted, size int) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteEnergyPNG(&b, w, h); err != nil {
		t.Fatal(err)
	}
	size = b.Len()
	decoded, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	img, ok := decoded.(*image.Paletted)
	if !ok || img.Rect.Dx() != w || img.Rect.Dy() != h {
		t.Fatalf("energy is %T %v", decoded, decoded.Bounds())
	}
	return img, size
}

func TestEnergyPicture(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ hz, seconds float64 }{{100, 1}, {1000, 0.2}, {1000, 90}, {10000, 3}} {
		img, size := draw(t, analyze(44100, 4096, sine(44100, c.seconds, c.hz, 0.1)), 800, 200)
		want := 200 - int(200*math.Log(c.hz/60)/math.Log(300)) - 1
		best, at := uint32(0), 0
		for y := range 200 {
			r, g, b, a := img.At(400, y).RGBA()
			if a > best {
				best, at = a, y
			}
			if nrgba := color.NRGBAModel.Convert(img.Palette[img.ColorIndexAt(400, y)]).(color.NRGBA); a > 0 && (nrgba.R != 255 || nrgba.G != 255 || nrgba.B != 255) {
				t.Fatalf("pixel %d,%d,%d,%d is not white", r, g, b, a)
			}
		}
		if best != 0xffff || at < want-5 || at > want+5 || c.hz >= 1000 && at != min(max(at, want-1), want+1) {
			t.Errorf("%g Hz, %g s: strongest row %d (alpha %x), want %d", c.hz, c.seconds, at, best, want)
		}
		if img.ColorIndexAt(400, 100+int(math.Copysign(80, float64(100-at)))) != 0 {
			t.Errorf("%g Hz: energy far from the tone", c.hz)
		}
		if size > 22000 {
			t.Errorf("a sine takes %d bytes", size)
		}
	}
	for _, frames := range []int{44100 * 3, 44100 * 60} {
		r := analyze(44100, 16384, noise(frames, 3))
		if _, size := draw(t, r, 800, 200); size > 80000 {
			t.Errorf("noise takes %d bytes", size)
		}
		if _, size := draw(t, r, 320, 120); size > 20000 {
			t.Errorf("a noise tile takes %d bytes", size)
		}
	}
}

func TestPicturesForTheAPI(t *testing.T) {
	t.Parallel()
	r := analyze(44100, 4096, append(sine(44100, 2, 300, 0.5), sine(44100, 2, 3000, 0.1)...))
	for _, size := range []image.Point{{120, 71}, {900, 201}} {
		var wave, spectral bytes.Buffer
		if err := r.WriteWaveformPNG(&wave, size.X, size.Y); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteSpectralJPG(&spectral, size.X, size.Y); err != nil {
			t.Fatal(err)
		}
		w, err := png.Decode(&wave)
		if err != nil || w.Bounds().Size() != size {
			t.Fatalf("waveform: %v %v", err, w.Bounds())
		}
		if _, err := jpeg.DecodeConfig(&spectral); err != nil {
			t.Fatal(err)
		}
		lit := func(x int) (n int) {
			for y := range size.Y {
				if r, g, b, _ := w.At(x, y).RGBA(); r+g+b > 0x18000/2 {
					n++
				}
			}
			return n
		}
		if loud, quiet := lit(size.X/4), lit(size.X*3/4); loud < size.Y*9/10 || quiet < size.Y/8 || quiet > size.Y/3 {
			t.Errorf("%v: %d and %d pixels lit", size, loud, quiet)
		}
	}
}

func TestEdges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate int
		x    []float32
	}{
		{44100, nil}, {44100, []float32{1}}, {44100, []float32{0, 1e6}}, {44100, make([]float32, 100000)}, {1, noise(100, 1)}, {1000, noise(5000, 1)},
		{768000, noise(100000, 1)}, {0, noise(10, 1)}, {44100, sine(44100, 1, 0, 1)}, {192000, noise(500000, 2)},
	} {
		name := fmt.Sprintf("%d Hz, %d samples", c.rate, len(c.x))
		a := spectrum.New(c.rate, 1)
		a.Write([][]float32{c.x})
		r := a.Result()
		if len(r.Row.Bars) != spectrum.RowBars || len(r.Wide.Bars) != spectrum.WideBars {
			t.Fatalf("%s: %d and %d bars", name, len(r.Row.Bars), len(r.Wide.Bars))
		}
		for _, v := range append(r.Bands[:], r.Centroid) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: bands %v centroid %v", name, r.Bands, r.Centroid)
			}
		}
		if back, err := spectrum.DecodeRow(r.Row.Encode()); err != nil || !reflect.DeepEqual(back, r.Row) {
			t.Errorf("%s: row does not survive encoding: %v", name, err)
		}
		draw(t, r, 800, 200)
		var b bytes.Buffer
		if err := errors.Join(r.WriteSpectralJPG(&b, 120, 71), r.WriteWaveformPNG(&b, 120, 71)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncoding(t *testing.T) {
	t.Parallel()
	r := analyze(44100, 4096, noise(100000, 9))
	s, w := r.Row.Encode(), r.Wide.Encode()
	if len(s) > 140 || len(w) != 1680 {
		t.Errorf("row takes %d, wide %d characters", len(s), len(w))
	}
	back, err := spectrum.DecodeWide(w)
	if err != nil || !reflect.DeepEqual(back, r.Wide) {
		t.Errorf("wide does not survive encoding: %v", err)
	}
	for _, bad := range []string{"x", s[1:], s + "AA", w, "!" + s[1:], s[:139] + "\x00"} {
		if _, err := spectrum.DecodeRow(bad); !errors.Is(err, spectrum.ErrEncoding) {
			t.Errorf("DecodeRow(%.20q…) gave %v", bad, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r := analyze(8000, 4096, noise(9000, 4))
	f.Add(r.Row.Encode())
	f.Add(r.Wide.Encode())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if row, err := spectrum.DecodeRow(s); err == nil {
			for _, b := range row.Bars {
				if b.Height < 1 || b.Height > spectrum.RowHeight || b.Tone >= spectrum.Tones {
					t.Fatalf("bar %+v", b)
				}
			}
			if len(row.Bars) > 0 {
				if again, err := spectrum.DecodeRow(row.Encode()); err != nil || !reflect.DeepEqual(again, row) {
					t.Fatalf("row changed: %v", err)
				}
			}
		}
		if wide, err := spectrum.DecodeWide(s); err == nil && len(wide.Bars) > 0 {
			if again, err := spectrum.DecodeWide(wide.Encode()); err != nil || !reflect.DeepEqual(again, wide) {
				t.Fatalf("wide waveform changed: %v", err)
			}
		}
	})
}

func BenchmarkStereo44100(b *testing.B) {
	x := noise(44100*4, 1)
	a := spectrum.New(44100, 2)
	for b.Loop() {
		for at := 0; at < len(x); at += 4096 {
			end := min(at+4096, len(x))
			a.Write([][]float32{x[at:end], x[at:end]})
		}
	}
	b.ReportMetric(float64(b.N)*4/b.Elapsed().Seconds(), "x-realtime")
}

func BenchmarkEnergyPNG(b *testing.B) {
	r := analyze(44100, 16384, noise(44100*60, 1))
	for b.Loop() {
		var buf bytes.Buffer
		if err := r.WriteEnergyPNG(&buf, 800, 200); err != nil {
			b.Fatal(err)
		}
	}
}
