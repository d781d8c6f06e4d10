package spectrum

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"github.com/tphakala/simd/f32"
)

// The spectrogram of a long sound comes in levels, of which a page fetches the blocks that it shows (WriteLevels).
const (
	// LongSeconds is the length in seconds from which on there are levels. A shorter sound is computed in the browser, from its preview,
	// wherever the picture of the whole is too coarse.
	LongSeconds = 1200
	// levelSeconds is about how long a column of the finest level is: LongSeconds fill a page that is 1024 columns wide.
	levelSeconds = LongSeconds / 1024.0
	levelJoin    = 4    // columns of a level that are one of the next
	levelEnough  = 2048 // columns of the coarsest level, at most
	levelBlock   = 512  // columns of a block
	levelRows    = 160  // as many as a page computes itself
)

// Powers are kept in steps of 0.75 dB from -180 dB on, a byte each: a day of sound has 74,000 columns.
const (
	dbLowest = -180.0
	dbStep   = 0.75
)

// fine keeps the mean power of each row over columns of about levelSeconds, to any length.
type fine struct {
	per  int // frames of a column
	seen int // frames of the open one
	open []float32
	db   []uint8 // bins of each column
}

func newFine(rate, hop int) fine {
	return fine{per: max(int(math.Round(levelSeconds*float64(rate)/float64(hop))), 1), open: make([]float32, bins)}
}

func (f *fine) add(power []float32) {
	f32.Add(f.open, f.open, power)
	if f.seen++; f.seen == f.per {
		f.push()
	}
}

func (f *fine) push() {
	f32.Scale(f.open, f.open, 1/float32(f.seen))
	for _, p := range f.open {
		f.db = append(f.db, quantize(p))
	}
	clear(f.open)
	f.seen = 0
}

func (f *fine) close() []uint8 {
	if f.seen > 0 {
		f.push()
	}
	return f.db
}

func quantize(power float32) uint8 {
	if power <= 0 {
		return 0
	}
	return uint8(min(max(math.Round((10*math.Log10(float64(power))-dbLowest)/dbStep), 0), 255))
}

// Long tells whether the sound has levels.
func (r *Result) Long() bool {
	return float64(r.Frames) > LongSeconds*float64(r.Rate)
}

// WriteLevels writes the spectrogram of a long sound at several widths, for a page to fetch the parts it shows by Range. All numbers are
// little-endian:
//
//	"AMSL"  rows uint32  columns of a block uint32  number of levels uint32
//	for each level, the finest first:
//	  columns uint32  seconds of a column float64  where each of its blocks ends, from the start of the file, uint32…
//	the blocks of the first level, those of the second, …
//
// The first block begins after the header, each other one where that before it ends. A block is a PNG as WriteEnergyPNG makes them: rows
// from 60 Hz (bottom) to 18 kHz, all levels in the same shades. The last of a level is as wide as there are columns left.
func (r *Result) WriteLevels(w io.Writer) error {
	levels := [][]uint8{shrink(r.fine)}
	for len(levels[len(levels)-1]) > levelEnough*levelRows {
		levels = append(levels, join(levels[len(levels)-1]))
	}
	steps := r.steps(levels[0])
	header := binary.LittleEndian.AppendUint32([]byte("AMSL"), levelRows)
	header = binary.LittleEndian.AppendUint32(header, levelBlock)
	header = binary.LittleEndian.AppendUint32(header, uint32(len(levels)))
	size := len(header)
	for _, l := range levels {
		size += 4 + 8 + 4*((len(l)/levelRows+levelBlock-1)/levelBlock)
	}
	var blocks bytes.Buffer
	seconds := r.fineSeconds
	for _, l := range levels {
		header = binary.LittleEndian.AppendUint32(header, uint32(len(l)/levelRows))
		header = binary.LittleEndian.AppendUint64(header, math.Float64bits(seconds))
		seconds *= levelJoin
		for at := 0; at < len(l); at += levelBlock * levelRows {
			if err := writeBlock(&blocks, l[at:min(at+levelBlock*levelRows, len(l))], steps); err != nil {
				return err
			}
			header = binary.LittleEndian.AppendUint32(header, uint32(size+blocks.Len()))
		}
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err := blocks.WriteTo(w)
	return err
}

func writeBlock(w io.Writer, columns []uint8, steps *[levelRows][256]uint8) error {
	width := len(columns) / levelRows
	img := image.NewPaletted(image.Rect(0, 0, width, levelRows), energyInk())
	for x := range width {
		for k, v := range columns[x*levelRows : (x+1)*levelRows] {
			img.Pix[(levelRows-1-k)*width+x] = steps[k][v]
		}
	}
	enc := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := enc.Encode(w, img); err != nil {
		return fmt.Errorf("draw a block of energy: %w", err)
	}
	return nil
}

// shrink brings columns from bins to levelRows: a row takes the strongest of those that it covers.
func shrink(db []uint8) []uint8 {
	out := make([]uint8, 0, len(db)/bins*levelRows)
	const ratio = float64(bins) / levelRows
	for ; len(db) >= bins; db = db[bins:] {
		for k := range levelRows {
			from := int(math.Round(float64(k) * ratio))
			top := db[from]
			for _, v := range db[from:min(max(int(math.Round(float64(k+1)*ratio)), from+1), bins)] {
				top = max(top, v)
			}
			out = append(out, top)
		}
	}
	return out
}

// join makes of each levelJoin columns one of their mean power.
func join(columns []uint8) []uint8 {
	var power [256]float32
	for v := range power {
		power[v] = float32(math.Pow(10, (dbLowest+dbStep*float64(v))/10))
	}
	n := len(columns) / levelRows
	out := make([]uint8, 0, (n+levelJoin-1)/levelJoin*levelRows)
	for x := 0; x < n; x += levelJoin {
		count := min(levelJoin, n-x)
		for k := range levelRows {
			sum := float32(0)
			for i := range count {
				sum += power[columns[(x+i)*levelRows+k]]
			}
			out = append(out, quantize(sum/float32(count)))
		}
	}
	return out
}

// steps tabulates the shade of every level of power in each row, as shade gives it: tilted, below the strongest point, in the range that holds
// nine tenths of the points.
func (r *Result) steps(columns []uint8) *[levelRows][256]uint8 {
	var count [levelRows][256]int
	for at := 0; at < len(columns); at += levelRows {
		for k, v := range columns[at : at+levelRows] {
			count[k][v]++
		}
	}
	level := func(k, v int) float64 {
		return dbLowest + dbStep*float64(v) + tiltPerOct*math.Log2(rowHz((float64(k)+0.5)*bins/levelRows)/1000)
	}
	out, top := new([levelRows][256]uint8), math.Inf(-1)
	for k := range count {
		for v, n := range count[k] {
			if n > 0 && dbLowest+dbStep*float64(v) > 10*math.Log10(silencePower) {
				top = max(top, level(k, v))
			}
		}
	}
	if math.IsInf(top, -1) {
		return out
	}
	var below [int(fullRange)]int
	total := 0
	for k := range levelRows * r.rows.limit / bins { // rows above Nyquist hold nothing
		for v, n := range count[k] {
			below[min(max(int(top-level(k, v)), 0), len(below)-1)] += n
			total += n
		}
	}
	shades := alphas(shownRange(&below, total))
	for k := range out {
		for v := range out[k] {
			out[k][v] = shades[min(max(int((top-level(k, v))*alphaPerDB), 0), len(shades)-1)]
		}
	}
	return out
}
