package decode

import (
	"encoding/binary"
	"math"

	"audiomicro/internal/audio/layer3"
	"audiomicro/internal/audio/sniff"
)

// mp3Layer3 decodes the frames of one layer III stream to floats (ISO/IEC 11172-3 §2.4.3.4 and annex A; 13818-3 for low rates).
// Overs keep their value. A frame whose bits are missing or contradict themselves sounds as silence, as in all players.
type mp3Layer3 struct {
	trees   [34]*mp3Huffman
	layouts [3]mp3Bands
	pow43   [8207]float32 // |x|^(4/3)
	gain    [512]float32  // 2^((i-400)/4)

	data  []byte // the bit reservoir and this frame's main data, with 8 bytes of zeros behind
	begin int    // where this frame's main data starts in data
	end   int    // in data, in bytes, without the zeros

	prev  [2][39]uint8 // scale factors of granule 0, for granule 1 to share
	lines [2][576]float32
	bank  mp3Filterbank
}

// mp3Granule is the side information of one granule and channel, and what was decoded with it.
type mp3Granule struct {
	part23, bigValues, globalGain, compress int
	window                                  bool
	blockType                               int
	mixed                                   bool
	table                                   [3]int
	subGain                                 [3]int
	region                                  [2]int // lines where regions 1 and 2 begin
	preflag                                 bool
	scaleShift                              uint // 1 or 2: scale factors count in half or whole powers of two
	count1                                  int

	scale   [39]uint8
	limit   [39]uint8 // the illegal intensity position of each band, 255 for none (low rates)
	nonzero int       // lines behind it are zero
}

func (l *mp3Layer3) init(h sniff.MPEGHeader) {
	l.trees = mp3Trees()
	l.layouts = mp3Layouts(h)
	for i := range l.pow43 {
		l.pow43[i] = float32(float64(i) * math.Cbrt(float64(i)))
	}
	for i := range l.gain {
		l.gain[i] = float32(math.Exp2(float64(i-400) / 4))
	}
	l.bank.init()
}

// mp3Bits reads main data; beyond its end come zeros.
type mp3Bits struct {
	b   []byte
	pos int
}

func (r *mp3Bits) window() uint64 {
	return binary.BigEndian.Uint64(r.b[r.pos>>3:]) << (r.pos & 7)
}

func (r *mp3Bits) bits(n uint) int {
	if n == 0 || r.pos>>3+8 > len(r.b) {
		r.pos += int(n)
		return 0
	}
	v := r.window() >> (64 - n)
	r.pos += int(n)
	return int(v)
}

// frame decodes one frame into out, which has the header's number of channels and samples.
func (l *mp3Layer3) frame(h sniff.MPEGHeader, frame []byte, out [][]float32) {
	for c := range out {
		clear(out[c])
	}
	at := 4
	if h.CRC {
		at += 2
	}
	sideEnd := at + mp3SideSize(h)
	if sideEnd > len(frame) {
		return
	}
	side := make([]byte, 0, 48)
	side = append(append(side, frame[at:sideEnd]...), 0, 0, 0, 0, 0, 0, 0, 0)
	s := mp3Bits{b: side}
	complete := l.reserve(&s, h, frame[sideEnd:])
	granules, channels := h.Samples/576, h.Channels()
	var gr [2][2]mp3Granule
	var share [2]int
	if h.Version == 1 {
		s.bits(uint(5 - 2*(channels-1)))
		for c := range channels {
			share[c] = s.bits(4)
		}
	} else {
		s.bits(uint(channels))
	}
	for g := range granules {
		for c := range channels {
			gr[g][c].side(&s, h)
		}
	}
	pos := l.begin * 8
	for g := range granules {
		for c := range channels {
			gc := &gr[g][c]
			lines := &l.lines[c]
			clear(lines[:])
			next := pos + gc.part23
			if complete && next <= l.end*8 && gc.bigValues <= 288 {
				r := &mp3Bits{b: l.data, pos: pos}
				if h.Version == 1 {
					l.scaleFactors(r, gc, c, g == 1, share[c])
				} else {
					l.scaleFactorsLSF(r, gc, c == 1 && h.Mode == 1 && h.ModeExt&1 != 0)
				}
				l.spectrum(r, gc, lines, next)
				l.dequantize(gc, lines)
			}
			pos = next
		}
		if h.Mode == 1 {
			l.stereo(h, &gr[g][0], &gr[g][1])
		}
		for c := range channels {
			gc := &gr[g][c]
			if gc.blockType == 2 {
				l.reorder(gc, &l.lines[c])
			}
			l.bank.granule(c, gc, &l.lines[c], out[c][g*576:(g+1)*576])
		}
	}
}

// reserve joins the main data that earlier frames left to this frame's. It reports whether all that the frame points back to is there.
func (l *mp3Layer3) reserve(s *mp3Bits, h sniff.MPEGHeader, body []byte) bool {
	back := uint(9)
	if h.Version != 1 {
		back = 8
	}
	begin := s.bits(back)
	keep := min(l.end, 511)
	old := l.data[max(0, l.end-keep):l.end]
	if cap(l.data) < 511+len(body)+8 {
		l.data = append(make([]byte, 0, 511+len(body)+4096), old...)
	} else {
		l.data = append(l.data[:0], old...)
	}
	l.data = append(l.data, body...)
	l.end = len(l.data)
	l.data = append(l.data, 0, 0, 0, 0, 0, 0, 0, 0)
	l.begin = keep - begin
	if l.begin < 0 {
		l.begin = 0
		return false
	}
	return true
}

// side reads the side information of a granule and channel (§2.4.1.7).
func (g *mp3Granule) side(s *mp3Bits, h sniff.MPEGHeader) {
	g.part23, g.bigValues, g.globalGain = s.bits(12), s.bits(9), s.bits(8)
	if h.Version == 1 {
		g.compress = s.bits(4)
	} else {
		g.compress = s.bits(9)
	}
	g.region = [2]int{576, 576}
	if g.window = s.bits(1) == 1; g.window {
		g.blockType, g.mixed = s.bits(2), s.bits(1) == 1
		g.table[0], g.table[1] = s.bits(5), s.bits(5)
		for i := range g.subGain {
			g.subGain[i] = s.bits(3)
		}
		g.mixed = g.mixed && g.blockType == 2
		long := layer3.LongBands[h.SampleRate]
		short := layer3.ShortBands[h.SampleRate]
		if g.blockType == 2 && !g.mixed {
			g.region[0] = 3 * (short[0] + short[1] + short[2])
		} else if g.mixed {
			g.region[0] = 36
			if h.SampleRate == 8000 {
				g.region[0] = 72
			}
		} else {
			g.region[0] = 0
			for _, w := range long[:8] {
				g.region[0] += w
			}
		}
	} else {
		for i := range g.table {
			g.table[i] = s.bits(5)
		}
		n0, n1 := s.bits(4)+1, s.bits(3)+1
		sum := 0
		for i, w := range layer3.LongBands[h.SampleRate] {
			if i == n0 {
				g.region[0] = sum
			}
			if i == n0+n1 {
				g.region[1] = sum
			}
			sum += w
		}
	}
	if h.Version == 1 {
		g.preflag = s.bits(1) == 1
	}
	g.scaleShift = uint(s.bits(1)) + 1
	g.count1 = s.bits(1)
}

// layout is 0 for long, 1 for short, 2 for mixed blocks.
func (g *mp3Granule) layout() int {
	switch {
	case g.blockType != 2:
		return 0
	case g.mixed:
		return 2
	}
	return 1
}

// scaleFactors reads them for MPEG-1 (§2.4.2.7).
func (l *mp3Layer3) scaleFactors(r *mp3Bits, g *mp3Granule, c int, second bool, share int) {
	bits := [2]uint{
		[16]uint{0, 0, 0, 0, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4}[g.compress],
		[16]uint{0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 3}[g.compress],
	}
	i := 0
	read := func(n int, width uint) {
		for range n {
			g.scale[i] = uint8(r.bits(width))
			i++
		}
	}
	for k := range g.limit {
		g.limit[k] = 7
	}
	switch g.layout() {
	case 1:
		read(18, bits[0])
		read(18, bits[1])
	case 2:
		read(8+9, bits[0])
		read(18, bits[1])
	default:
		for group, n := range [4]int{6, 5, 5, 5} {
			if second && share>>(3-group)&1 == 1 {
				copy(g.scale[i:i+n], l.prev[c][i:])
				i += n
			} else {
				read(n, bits[group/2])
			}
		}
	}
	if !second {
		l.prev[c] = g.scale
	}
}

// scaleFactorsLSF reads them for MPEG-2 (13818-3 §2.4.3.2). intensity marks the right channel of an intensity stereo frame.
func (l *mp3Layer3) scaleFactorsLSF(r *mp3Bits, g *mp3Granule, intensity bool) {
	var bits [4]uint
	var row int
	set := func(a, b, c, d int) { bits = [4]uint{uint(a), uint(b), uint(c), uint(d)} }
	switch k := g.compress; {
	case intensity && k>>1 < 180:
		k >>= 1
		row = 3
		set(k/36, k%36/6, k%6, 0)
	case intensity && k>>1 < 244:
		k = k>>1 - 180
		row = 4
		set(k&63>>4, k&15>>2, k&3, 0)
	case intensity:
		k = k>>1 - 244
		row = 5
		set(k/3, k%3, 0, 0)
	case k < 400:
		set(k>>4/5, k>>4%5, k&15>>2, k&3)
	case k < 500:
		k -= 400
		row = 1
		set(k>>2/5, k>>2%5, k&3, 0)
	default:
		k -= 500
		row = 2
		set(k/3, k%3, 0, 0)
		g.preflag = true
	}
	counts := [6][3][4]int{
		{{6, 5, 5, 5}, {9, 9, 9, 9}, {6, 9, 9, 9}},
		{{6, 5, 7, 3}, {9, 9, 12, 6}, {6, 9, 12, 6}},
		{{11, 10, 0, 0}, {18, 18, 0, 0}, {15, 18, 0, 0}},
		{{7, 7, 7, 0}, {12, 12, 12, 0}, {6, 15, 12, 0}},
		{{6, 6, 6, 3}, {12, 9, 9, 6}, {6, 12, 9, 6}},
		{{8, 8, 5, 0}, {15, 12, 9, 0}, {6, 18, 9, 0}},
	}[row][g.layout()]
	i := 0
	for part, n := range counts {
		for range n {
			g.scale[i] = uint8(r.bits(bits[part]))
			g.limit[i] = 255
			if bits[part] > 0 {
				g.limit[i] = 1<<bits[part] - 1
			}
			i++
		}
	}
	for ; i < len(g.limit); i++ {
		g.limit[i] = 255
	}
}

// spectrum reads the Huffman-coded lines up to bit end (§2.4.2.7, annex B table B.7): values, not yet scaled.
func (l *mp3Layer3) spectrum(r *mp3Bits, g *mp3Granule, lines *[576]float32, end int) {
	i, top := 0, 2*g.bigValues
	data := l.data
	for region := range 3 {
		stop := top
		if region < 2 {
			stop = min(top, g.region[region])
		}
		tree, linbits := l.trees[g.table[region]], layer3.Linbits[g.table[region]]
		if tree == nil {
			i = max(i, stop)
			continue
		}
		pos := r.pos
		for ; i < stop && pos < end; i += 2 {
			w := binary.BigEndian.Uint64(data[pos>>3:]) << (pos & 7)
			e := tree.first[w>>56]
			if e&0x8000 != 0 {
				s := &tree.sub[e&0x7fff]
				e = s.entry[w<<8>>(64-s.bits)]
			}
			n := uint(e >> 8)
			w <<= n
			if e&0xff == 0 {
				pos += int(n)
				continue
			}
			x, y := uint(e>>4&15), uint(e&15)
			if x != 0 {
				if x == 15 && linbits > 0 {
					x += uint(w >> (64 - linbits))
					w <<= linbits
					n += linbits
				}
				v := l.pow43[x]
				if w>>63 != 0 {
					v = -v
				}
				lines[i] = v
				w <<= 1
				n++
			}
			if y != 0 {
				if y == 15 && linbits > 0 {
					y += uint(w >> (64 - linbits))
					w <<= linbits
					n += linbits
				}
				v := l.pow43[y]
				if w>>63 != 0 {
					v = -v
				}
				lines[i+1] = v
				n++
			}
			pos += int(n)
		}
		r.pos = pos
	}
	tree := l.trees[32+g.count1]
	for i <= 572 && r.pos < end {
		w := r.window()
		e := tree.first[w>>56]
		n := uint(e >> 8)
		w <<= n
		at := r.pos + int(n)
		for k := range 4 {
			if e>>(3-k)&1 != 0 {
				lines[i+k] = 1
				if w>>63 != 0 {
					lines[i+k] = -1
				}
				w <<= 1
				at++
			}
		}
		if at > end { // the last word was made of padding bits
			clear(lines[i : i+4])
			break
		}
		r.pos = at
		i += 4
	}
	g.nonzero = min(i, 576)
}

// dequantize scales the lines band by band (§2.4.3.4.7).
func (l *mp3Layer3) dequantize(g *mp3Granule, lines *[576]float32) {
	layout := &l.layouts[g.layout()]
	at := 0
	for i, width := range layout.width {
		if at >= g.nonzero {
			break
		}
		e := g.globalGain - 210
		scale := int(g.scale[i])
		if i < layout.long {
			if g.preflag && layout.long == 22 {
				scale += int(layer3.Pretab[i])
			}
		} else {
			e -= 8 * g.subGain[(i-layout.long)%3]
		}
		e -= scale << g.scaleShift
		gain := l.gain[max(0, min(e+400, len(l.gain)-1))]
		band := lines[at:min(at+width, 576)]
		for k := range band {
			band[k] *= gain
		}
		at += width
	}
}

// reorder sorts the lines of short blocks, which come band by band and within a band window by window, so that the three
// windows alternate line by line, as the inverse transform wants them.
func (l *mp3Layer3) reorder(g *mp3Granule, lines *[576]float32) {
	layout := &l.layouts[g.layout()]
	at := 0
	for _, w := range layout.width[:layout.long] {
		at += w
	}
	var tmp [576]float32
	for i := layout.long; i+2 < len(layout.width); i += 3 {
		w := layout.width[i]
		src := lines[at : at+3*w]
		for k := range w {
			tmp[3*k], tmp[3*k+1], tmp[3*k+2] = src[k], src[w+k], src[2*w+k]
		}
		copy(src, tmp[:3*w])
		at += 3 * w
	}
}
