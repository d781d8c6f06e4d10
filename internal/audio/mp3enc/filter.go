package mp3enc

import (
	"math"

	"audiomicro/internal/audio/layer3"
)

const (
	subbands = 32
	slots    = 18 // samples of each subband in a granule
	lines    = 576
)

// block is one granule of one channel as the polyphase filter leaves it: 18 samples of each subband, odd ones of odd subbands
// already negated (ISO/IEC 11172-3 §2.4.3.4.10.4 read backwards).
type block [slots][subbands]float32

// filterbank holds the fixed numbers of the hybrid analysis: the 32-band polyphase filter, the MDCT and the alias butterflies.
type filterbank struct {
	window [512]float32
	dct    [16 + 8 + 4 + 2 + 1]float32
	long   [18][18]float32 // DCT-IV, with the scale that makes analysis and synthesis cancel
	short  [6][6]float32
	shapes [4][36]float32 // windows of the block types
	cs, ca [8]float32
	bands  int // subbands computed; those above hold nothing that is coded
}

func newFilterbank(cutoff int) *filterbank {
	f := &filterbank{bands: min(cutoff/18+2, subbands)}
	for i, d := range layer3.Window() {
		f.window[i] = d / 32 // table C.1
	}
	at := 0
	for n := 16; n >= 1; n /= 2 {
		for i := range n {
			f.dct[at] = float32(.5 / math.Cos(math.Pi*(2*float64(i)+1)/float64(4*n)))
			at++
		}
	}
	for k := range 18 {
		for n := range 18 {
			f.long[k][n] = float32(math.Cos(math.Pi/18*(float64(n)+.5)*(float64(k)+.5)) / 9)
		}
	}
	for k := range 6 {
		for n := range 6 {
			f.short[k][n] = float32(math.Cos(math.Pi/6*(float64(n)+.5)*(float64(k)+.5)) / 3)
		}
	}
	for i := range 36 { // §2.4.3.4.10.3
		f.shapes[0][i] = float32(math.Sin(math.Pi / 36 * (float64(i) + .5)))
		switch {
		case i < 18:
			f.shapes[1][i] = f.shapes[0][i]
		case i < 24:
			f.shapes[1][i] = 1
		case i < 30:
			f.shapes[1][i] = float32(math.Sin(math.Pi / 12 * (float64(i-18) + .5)))
		}
		if i < 12 {
			f.shapes[2][i] = float32(math.Sin(math.Pi / 12 * (float64(i) + .5)))
		}
	}
	for i := range 36 {
		f.shapes[3][i] = f.shapes[1][35-i]
	}
	for i, c := range layer3.Aliasing {
		f.cs[i] = float32(1 / math.Sqrt(1+c*c))
		f.ca[i] = float32(c / math.Sqrt(1+c*c))
	}
	return f
}

// polyphase filters one granule. x holds the 480 samples before it and then its 576.
func (f *filterbank) polyphase(x *[480 + lines]float32, out *block) {
	var y [64]float32
	for s := range slots {
		v := (*[512]float32)(x[s*32:])
		// The window runs against time. Each of its eight parts of 64 is folded on the next (§C.1.3).
		for i := range 64 {
			var sum float32
			for j := i; j < 512; j += 64 {
				sum += f.window[j] * v[511-j]
			}
			y[i] = sum
		}
		// The matrix cos((2i+1)(k-16)π/64) is a DCT-III of the values folded around k = 16.
		row := &out[s]
		row[0] = y[16]
		for m := 1; m <= 16; m++ {
			row[m] = y[16+m] + y[16-m]
		}
		for m := 17; m < 32; m++ {
			row[m] = y[16+m] - y[80-m]
		}
		f.dct3(row[:], f.dct[:])
		if s&1 == 1 {
			for sb := 1; sb < subbands; sb += 2 {
				row[sb] = -row[sb]
			}
		}
	}
}

// dct3 is the transpose of the DCT-II by Lee's decomposition (B. G. Lee, IEEE Trans. ASSP 32, 1984), in place: even inputs and
// sums of neighboring odd ones are transformed by themselves, and their sum and difference are the two halves of the output.
func (f *filterbank) dct3(x, c []float32) {
	n := len(x)
	if n == 2 {
		a, b := x[0], x[1]*c[0]
		x[0], x[1] = a+b, a-b
		return
	}
	var buf [32]float32
	h := n / 2
	s, d := buf[:h], buf[h:n]
	s[0], d[0] = x[0], x[1]
	for i := 1; i < h; i++ {
		s[i], d[i] = x[2*i], x[2*i+1]+x[2*i-1]
	}
	f.dct3(s, c[h:])
	f.dct3(d, c[h:])
	for i := range h {
		t := d[i] * c[i]
		x[i], x[n-1-i] = s[i]+t, s[i]-t
	}
}

// mdct transforms a granule with the one before it into 576 lines: by frequency, in short blocks the three windows line by line.
func (f *filterbank) mdct(before, now *block, blockType int, out *[lines]float32) {
	var z [36]float32
	for sb := range f.bands {
		for t := range slots {
			z[t], z[18+t] = before[t][sb], now[t][sb]
		}
		o := (*[18]float32)(out[sb*18:])
		if blockType == 2 {
			f.mdct12(&z, o)
			continue
		}
		w := &f.shapes[blockType]
		var v [18]float32
		for n := range 9 {
			v[n] = -z[26-n]*w[26-n] - z[27+n]*w[27+n]
			v[9+n] = z[n]*w[n] - z[17-n]*w[17-n]
		}
		for k := range o {
			r := &f.long[k]
			var a, b, c float32
			for n := 0; n < 18; n += 3 {
				a += v[n] * r[n]
				b += v[n+1] * r[n+1]
				c += v[n+2] * r[n+2]
			}
			o[k] = a + b + c
		}
	}
	clear(out[f.bands*18:])
	if blockType == 2 {
		return
	}
	for sb := 1; sb < f.bands; sb++ { // the inverse of §2.4.3.4.10.1
		below, above := out[sb*18-8:sb*18], out[sb*18:sb*18+8]
		for i := range 8 {
			u, d := below[7-i], above[i]
			below[7-i], above[i] = u*f.cs[i]+d*f.ca[i], d*f.cs[i]-u*f.ca[i]
		}
	}
}

func (f *filterbank) mdct12(z *[36]float32, o *[18]float32) {
	w := &f.shapes[2]
	for n := range 3 {
		x := z[6+6*n : 18+6*n]
		var v [6]float32
		for i := range 3 {
			v[i] = -x[8-i]*w[8-i] - x[9+i]*w[9+i]
			v[3+i] = x[i]*w[i] - x[5-i]*w[5-i]
		}
		for k := range 6 {
			var sum float32
			for i, c := range f.short[k] {
				sum += v[i] * c
			}
			o[3*k+n] = sum
		}
	}
}
