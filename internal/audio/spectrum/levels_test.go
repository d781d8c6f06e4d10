package spectrum_test

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"math"
	"testing"

	"audiomicro/internal/audio/spectrum"
)

// TestLevels: a long sound whose tone rises by an octave every 100 s is drawn truly at each width, in levels of the same shades; the blocks are
// PNGs that end where the header says, and cover the sound. A short one has none.
func TestLevels(t *testing.T) {
	t.Parallel()
	const rate, seconds = 8000, 2600 // 100 s at each octave from 200 to 3200 Hz, again and again
	hz := func(t float64) float64 { return 200 * math.Pow(2, math.Floor(math.Mod(t/100, 5))) }
	a, phase, block := spectrum.New(rate, 1), 0.0, make([]float32, rate)
	for s := range seconds {
		for i := range block {
			phase += 2 * math.Pi * hz(float64(s)) / rate
			block[i] = float32(0.5 * math.Sin(phase))
		}
		a.Write([][]float32{block})
	}
	r := a.Result()
	if !r.Long() || analyze(rate, rate, sine(rate, 30, 440, .5)).Long() {
		t.Fatal("only the long one has levels")
	}
	var file bytes.Buffer
	if err := r.WriteLevels(&file); err != nil {
		t.Fatal(err)
	}
	data := file.Bytes()
	number := func(at int) int { return int(binary.LittleEndian.Uint32(data[at:])) }
	if string(data[:4]) != "AMSL" || number(12) != 2 {
		t.Fatalf("header %x", data[:16])
	}
	rows, width, at := number(4), number(8), 16
	type level struct {
		columns int
		seconds float64
		ends    []int
	}
	levels := make([]level, number(12))
	for i := range levels {
		levels[i] = level{columns: number(at), seconds: math.Float64frombits(binary.LittleEndian.Uint64(data[at+4:]))}
		at += 12
		for range (levels[i].columns + width - 1) / width {
			levels[i].ends = append(levels[i].ends, number(at))
			at += 4
		}
	}
	for i, l := range levels {
		if covered := float64(l.columns) * l.seconds; covered < seconds || covered > seconds+2*l.seconds || i == 0 && math.Abs(l.seconds-1200.0/1024) > .13 {
			t.Errorf("level %d: %d columns of %g s cover %g s", i, l.columns, l.seconds, covered)
		}
		x, wrong := 0, 0
		for _, end := range l.ends {
			img, err := png.Decode(bytes.NewReader(data[at:end]))
			if err != nil {
				t.Fatal(err)
			}
			at = end
			size := img.Bounds()
			if size.Dy() != rows || size.Dx() != min(width, l.columns-x) {
				t.Fatalf("level %d: a block of %v", i, size)
			}
			for k := range size.Dx() {
				from, to := (float64(x+k))*l.seconds, (float64(x+k+1))*l.seconds
				if hz(from) != hz(to-.2) || to > seconds { // the tone changes within the column
					continue
				}
				first, last, most := 0, 0, uint32(0) // the rows of the strongest shade: several where a bin is wider
				for y := range rows {
					if _, _, _, alpha := img.At(k, y).RGBA(); alpha > most {
						first, last, most = y, y, alpha
					} else if alpha == most {
						last = y
					}
				}
				want := float64(rows) * (1 - math.Log2(hz(from)/60)/math.Log2(18000.0/60))
				if math.Abs(float64(first+last+1)/2-want) > 2 || last-first > 9 || most < 0xd000 {
					wrong++
				}
			}
			x += size.Dx()
		}
		if x != l.columns || wrong > 0 {
			t.Errorf("level %d: %d of %d columns drawn, %d show another tone", i, x, l.columns, wrong)
		}
	}
	if at != len(data) {
		t.Errorf("%d bytes after the last block", len(data)-at)
	}
	t.Logf("%d bytes for %d s", len(data), seconds)
}
