package decode

import (
	"math"

	"audiomicro/internal/audio/layer3"
)

// mp3Filterbank is the hybrid synthesis: alias reduction, inverse MDCT with overlap, and the 32-band polyphase filter.
type mp3Filterbank struct {
	overlap [2][32][18]float32
	ring    [2][16][64]float32
	head    [2]int

	cs, ca [8]float32
	window [4][36]float32  // of the block types
	long   [18][18]float32 // the values of the 36-point transform that differ: outputs 0-8 and 18-26
	short  [6][6]float32   // of the 12-point transform: outputs 0-2 and 6-8
	dct    [16 + 8 + 4 + 2 + 1]float32
	synth  [16][32]float32
}

func (f *mp3Filterbank) init() {
	for i, c := range layer3.Aliasing {
		f.cs[i] = float32(1 / math.Sqrt(1+c*c))
		f.ca[i] = float32(c / math.Sqrt(1+c*c))
	}
	for i := range 36 { // §2.4.3.4.10.3
		s36 := math.Sin(math.Pi / 36 * (float64(i) + .5))
		f.window[0][i] = float32(s36)
		switch {
		case i < 18:
			f.window[1][i] = float32(s36)
		case i < 24:
			f.window[1][i] = 1
		case i < 30:
			f.window[1][i] = float32(math.Sin(math.Pi / 12 * (float64(i-18) + .5)))
		}
		if i < 12 {
			f.window[2][i] = float32(math.Sin(math.Pi / 12 * (float64(i) + .5)))
		}
	}
	for i := range 36 {
		f.window[3][i] = f.window[1][35-i]
	}
	transform := func(n, out, k int) float32 {
		return float32(math.Cos(math.Pi / float64(2*n) * float64(2*out+1+n/2) * float64(2*k+1)))
	}
	for i := range 18 {
		out := i
		if i >= 9 {
			out = i + 9
		}
		for k := range 18 {
			f.long[i][k] = transform(36, out, k)
		}
	}
	for i := range 6 {
		out := i
		if i >= 3 {
			out = i + 3
		}
		for k := range 6 {
			f.short[i][k] = transform(12, out, k)
		}
	}
	at := 0
	for n := 16; n >= 1; n /= 2 {
		for i := range n {
			f.dct[at] = float32(.5 / math.Cos(math.Pi*(2*float64(i)+1)/float64(4*n)))
			at++
		}
	}
	for i, d := range layer3.Window() {
		f.synth[i/32][i%32] = d
	}
}

// granule turns 576 lines of channel c into 576 samples.
func (f *mp3Filterbank) granule(c int, g *mp3Granule, lines *[576]float32, out []float32) {
	longBands := 32
	if g.blockType == 2 {
		longBands = 0
		if g.mixed {
			longBands = 2
		}
	}
	// Above the last line that is not zero nothing has to be computed but the rest of the overlap.
	used := 32
	for used > 0 && isZero(lines[(used-1)*18:used*18]) {
		used--
	}
	for sb := 1; sb < longBands && sb <= used; sb++ { // §2.4.3.4.10.1
		below, above := lines[sb*18-8:sb*18], lines[sb*18:sb*18+8]
		for i := range 8 {
			u, d := below[7-i], above[i]
			below[7-i], above[i] = u*f.cs[i]-d*f.ca[i], d*f.cs[i]+u*f.ca[i]
		}
	}
	used = min(used+1, 32)
	var bands [18][32]float32
	var y [36]float32
	for sb := range 32 {
		over := &f.overlap[c][sb]
		if sb >= used {
			for i := range 18 {
				bands[i][sb] = over[i]
			}
			clear(over[:])
		} else {
			in := (*[18]float32)(lines[sb*18:])
			blockType := g.blockType
			if g.mixed && sb < 2 {
				blockType = 0
			}
			if blockType == 2 {
				f.imdct12(in, &y)
			} else {
				f.imdct36(in, &y, &f.window[blockType])
			}
			for i := range 18 {
				bands[i][sb] = y[i] + over[i]
				over[i] = y[18+i]
			}
		}
		if sb&1 == 1 { // frequency inversion
			for i := 1; i < 18; i += 2 {
				bands[i][sb] = -bands[i][sb]
			}
		}
	}
	for i := range 18 {
		f.polyphase(c, &bands[i], out[i*32:i*32+32])
	}
}

func isZero(x []float32) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}

func (f *mp3Filterbank) imdct36(x *[18]float32, y *[36]float32, window *[36]float32) {
	for i := range 9 {
		var a, b float32
		p, q := &f.long[i], &f.long[9+i]
		for k, v := range x {
			a += v * p[k]
			b += v * q[k]
		}
		y[i], y[17-i] = a*window[i], -a*window[17-i]
		y[18+i], y[35-i] = b*window[18+i], b*window[35-i]
	}
}

// imdct12 transforms the three interleaved short blocks and overlaps them in the middle of the long one.
func (f *mp3Filterbank) imdct12(x *[18]float32, y *[36]float32) {
	clear(y[:])
	w := &f.window[2]
	for n := range 3 {
		out := y[6+6*n : 18+6*n]
		for i := range 3 {
			var a, b float32
			for k := range 6 {
				v := x[3*k+n]
				a += v * f.short[i][k]
				b += v * f.short[3+i][k]
			}
			out[i] += a * w[i]
			out[5-i] -= a * w[5-i]
			out[6+i] += b * w[6+i]
			out[11-i] += b * w[11-i]
		}
	}
}

// polyphase is one step of the synthesis filter (§2.4.3.2.2): the matrixing as a 32-point DCT-II, whose outputs fill both
// halves of the 64 values by symmetry, then the window over the last 16 vectors.
func (f *mp3Filterbank) polyphase(c int, bands *[32]float32, out []float32) {
	var t [32]float32
	f.dct32(bands, &t)
	head := (f.head[c] - 1) & 15
	f.head[c] = head
	v := &f.ring[c][head]
	for i := range 16 {
		v[i] = t[16+i]
		v[48+i] = -t[i]
	}
	v[16] = 0
	for i := 17; i < 48; i++ {
		v[i] = -t[48-i]
	}
	sum := (*[32]float32)(out)
	clear(sum[:])
	for k := 0; k < 16; k += 2 {
		a := (*[32]float32)(f.ring[c][(head+k)&15][:32])
		b := (*[32]float32)(f.ring[c][(head+k+1)&15][32:])
		d, e := &f.synth[k], &f.synth[k+1]
		for j := range sum {
			sum[j] += a[j]*d[j] + b[j]*e[j]
		}
	}
}

// dct32 is the DCT-II by Lee's decomposition (B. G. Lee, IEEE Trans. ASSP 32, 1984): the sums and the scaled differences of
// opposite inputs are transformed by themselves; the first give the even outputs, neighbors of the second add up to the odd ones.
// Arrays of fixed size keep the compiler from checking bounds.
func (f *mp3Filterbank) dct32(in, out *[32]float32) {
	var s, d [16]float32
	c := (*[16]float32)(f.dct[:16])
	for i := range 16 {
		u, v := in[i], in[31-i]
		s[i], d[i] = u+v, (u-v)*c[i]
	}
	f.dct16(&s)
	f.dct16(&d)
	for i := range 15 {
		out[2*i], out[2*i+1] = s[i], d[i]+d[i+1]
	}
	out[30], out[31] = s[15], d[15]
}

func (f *mp3Filterbank) dct16(x *[16]float32) {
	var s, d [8]float32
	c := (*[8]float32)(f.dct[16:24])
	for i := range 8 {
		u, v := x[i], x[15-i]
		s[i], d[i] = u+v, (u-v)*c[i]
	}
	f.dct8(&s)
	f.dct8(&d)
	for i := range 7 {
		x[2*i], x[2*i+1] = s[i], d[i]+d[i+1]
	}
	x[14], x[15] = s[7], d[7]
}

func (f *mp3Filterbank) dct8(x *[8]float32) {
	c, r := (*[4]float32)(f.dct[24:28]), f.dct[30]
	p, q := f.dct[28], f.dct[29]
	s0, s1, s2, s3 := x[0]+x[7], x[1]+x[6], x[2]+x[5], x[3]+x[4]
	d0, d1, d2, d3 := (x[0]-x[7])*c[0], (x[1]-x[6])*c[1], (x[2]-x[5])*c[2], (x[3]-x[4])*c[3]
	s0, s1, s2, s3 = dct4(s0, s1, s2, s3, p, q, r)
	d0, d1, d2, d3 = dct4(d0, d1, d2, d3, p, q, r)
	*x = [8]float32{s0, d0 + d1, s1, d1 + d2, s2, d2 + d3, s3, d3}
}

func dct4(a, b, c, d, p, q, r float32) (float32, float32, float32, float32) {
	e, f := a+d, b+c
	g, h := (a-d)*p, (b-c)*q
	odd := (g - h) * r
	return e + f, g + h + odd, (e - f) * r, odd
}
