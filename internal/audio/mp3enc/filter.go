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
	window [8][64]float32
	dct    [16 + 8 + 4 + 2 + 1]float32
	long   [18][18]float32 // DCT-IV, with the scale that makes analysis and synthesis cancel
	short  [6][6]float32
	shapes [4][36]float32 // windows of the block types
	cs, ca [8]float32
}

func newFilterbank() *filterbank {
	f := &filterbank{}
	for i, d := range layer3.Window() {
		f.window[(511-i)/64][(511-i)%64] = d / 32 // table C.1
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
		// The window's eight parts of 64 are folded on each other (§C.1.3); it is stored against time, as the samples lie.
		a0, a1, a2, a3 := (*[64]float32)(v[0:]), (*[64]float32)(v[64:]), (*[64]float32)(v[128:]), (*[64]float32)(v[192:])
		a4, a5, a6, a7 := (*[64]float32)(v[256:]), (*[64]float32)(v[320:]), (*[64]float32)(v[384:]), (*[64]float32)(v[448:])
		w0, w1, w2, w3 := &f.window[0], &f.window[1], &f.window[2], &f.window[3]
		w4, w5, w6, w7 := &f.window[4], &f.window[5], &f.window[6], &f.window[7]
		for k := range 64 {
			y[63-k] = a0[k]*w0[k] + a1[k]*w1[k] + a2[k]*w2[k] + a3[k]*w3[k] + (a4[k]*w4[k] + a5[k]*w5[k] + a6[k]*w6[k] + a7[k]*w7[k])
		}
		// The matrix cos((2i+1)(k-16)π/64) is a DCT-III of the values folded around k = 16.
		var row [subbands]float32
		row[0] = y[16]
		for m := 1; m <= 16; m++ {
			row[m] = y[16+m] + y[16-m]
		}
		for m := 17; m < 32; m++ {
			row[m] = y[16+m] - y[80-m]
		}
		f.dct32(&row, &out[s])
		if s&1 == 1 {
			for sb := 1; sb < subbands; sb += 2 {
				out[s][sb] = -out[s][sb]
			}
		}
	}
}

// dct32 is a DCT-III, the transpose of the DCT-II by Lee's decomposition (B. G. Lee, IEEE Trans. ASSP 32, 1984): even inputs and
// sums of neighboring odd ones are transformed by themselves, and their sums and differences are the two halves of the output.
// Arrays of fixed size keep the compiler from checking bounds.
func (f *filterbank) dct32(in, out *[32]float32) {
	var s, d [16]float32
	s[0], d[0] = in[0], in[1]
	for i := 1; i < 16; i++ {
		s[i], d[i] = in[2*i], in[2*i+1]+in[2*i-1]
	}
	f.dct16(&s)
	f.dct16(&d)
	c := (*[16]float32)(f.dct[:16])
	for i := range 16 {
		t := d[i] * c[i]
		out[i], out[31-i] = s[i]+t, s[i]-t
	}
}

func (f *filterbank) dct16(x *[16]float32) {
	var s, d [8]float32
	s[0], d[0] = x[0], x[1]
	for i := 1; i < 8; i++ {
		s[i], d[i] = x[2*i], x[2*i+1]+x[2*i-1]
	}
	f.dct8(&s)
	f.dct8(&d)
	c := (*[8]float32)(f.dct[16:24])
	for i := range 8 {
		t := d[i] * c[i]
		x[i], x[15-i] = s[i]+t, s[i]-t
	}
}

func (f *filterbank) dct8(x *[8]float32) {
	c, p, q, r := (*[4]float32)(f.dct[24:28]), f.dct[28], f.dct[29], f.dct[30]
	s0, s1, s2, s3 := dct4(x[0], x[2], x[4], x[6], p, q, r)
	d0, d1, d2, d3 := dct4(x[1], x[3]+x[1], x[5]+x[3], x[7]+x[5], p, q, r)
	d0, d1, d2, d3 = d0*c[0], d1*c[1], d2*c[2], d3*c[3]
	*x = [8]float32{s0 + d0, s1 + d1, s2 + d2, s3 + d3, s3 - d3, s2 - d2, s1 - d1, s0 - d0}
}

func dct4(a, b, c, d, p, q, r float32) (float32, float32, float32, float32) {
	s0, s1 := a+c*r, a-c*r
	t := (d + b) * r
	d0, d1 := (b+t)*p, (b-t)*q
	return s0 + d0, s1 + d1, s1 - d1, s0 - d0
}

// mdct transforms a granule with the one before it into 576 lines: by frequency, in short blocks the three windows line by line.
func (f *filterbank) mdct(before, now *block, blockType int, out *[lines]float32) {
	var z [36]float32
	for sb := range subbands {
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
	if blockType == 2 {
		return
	}
	for sb := 1; sb < subbands; sb++ { // the inverse of §2.4.3.4.10.1
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
