package mp3enc

import "audiomicro/internal/audio/layer3"

// bitWriter packs fields from the top.
type bitWriter struct {
	b    []byte
	acc  uint64
	held uint // bits in acc
}

func (w *bitWriter) put(v uint32, n uint) {
	w.acc = w.acc<<n | uint64(v)
	w.held += n
	for w.held >= 8 {
		w.held -= 8
		w.b = append(w.b, byte(w.acc>>w.held))
	}
}

// align fills the last byte with zeros.
func (w *bitWriter) align() {
	if w.held > 0 {
		w.put(0, 8-w.held)
	}
}

// side writes the side information of a granule and channel (ISO/IEC 11172-3 §2.4.1.7).
func (g *granule) side(w *bitWriter, lsf bool) {
	k := &g.coding
	w.put(uint32(g.bits()), 12)
	w.put(uint32(k.big/2), 9)
	w.put(uint32(g.gain), 8)
	if lsf {
		w.put(uint32(g.compress), 9)
	} else {
		w.put(uint32(g.compress), 4)
	}
	if g.blockType != 0 {
		w.put(1, 1)
		w.put(uint32(g.blockType), 2)
		w.put(0, 1) // no mixed blocks
		w.put(uint32(k.tables[0]), 5)
		w.put(uint32(k.tables[1]), 5)
		for _, s := range g.subGain {
			w.put(uint32(s), 3)
		}
	} else {
		w.put(0, 1)
		for _, t := range k.tables {
			w.put(uint32(t), 5)
		}
		w.put(uint32(k.r0), 4)
		w.put(uint32(k.r1), 3)
	}
	if !lsf {
		w.put(0, 1) // no preflag
	}
	w.put(uint32(g.shift-1), 1)
	w.put(uint32(k.count1), 1)
}

// main writes the scale factors and the lines.
func (g *granule) main(w *bitWriter, e *tables, lsf bool) {
	g.writeScales(w, lsf)
	k := &g.coding
	from := 0
	for i := range 3 {
		to := k.big
		if i < 2 {
			to = min(to, k.boundary[i])
		}
		if to > from {
			g.writePairs(w, e, from, to, k.tables[i])
			from = to
		}
	}
	for at := k.big; at < k.big+4*k.quads; at += 4 {
		var v uint32
		var signs, n uint32
		for i := range 4 {
			v = v<<1 | uint32(g.ix[at+i])
			if g.ix[at+i] != 0 {
				signs = signs<<1 | sign(g.x[at+i])
				n++
			}
		}
		c := e.coder.quad[k.count1][v]
		w.put(c.bits, uint(c.n))
		w.put(signs, uint(n))
	}
}

func (g *granule) writeScales(w *bitWriter, lsf bool) {
	if g.shared == 15 {
		return
	}
	at := 0
	for part, n := range parts(lsf, g.blockType == 2) {
		width := uint(0)
		if lsf {
			width = [4]uint{uint(g.compress >> 4 / 5), uint(g.compress >> 4 % 5), uint(g.compress >> 2 & 3), uint(g.compress & 3)}[part]
		} else {
			width = [2]uint{uint(slen1[g.compress]), uint(slen2[g.compress])}[part]
		}
		for b := at; b < at+n; b++ {
			if g.shared>>(3-group(b))&1 == 0 {
				w.put(uint32(g.scale[b]), width)
			}
		}
		at += n
	}
}

// group is the scfsi group of a long band.
func group(b int) int {
	k := 0
	for k < 3 && b >= scfsiBands[k+1] {
		k++
	}
	return k
}

func (g *granule) writePairs(w *bitWriter, e *tables, from, to, table int) {
	if table == 0 {
		return
	}
	linbits := layer3.Linbits[table]
	for i := from; i < to; i += 2 {
		x, y := g.ix[i], g.ix[i+1]
		c := e.coder.pair[table][min(x, 15)<<4|min(y, 15)]
		w.put(c.bits, uint(c.n))
		if x != 0 {
			if x >= 15 && linbits > 0 {
				w.put(uint32(x-15), linbits)
			}
			w.put(sign(g.x[i]), 1)
		}
		if y != 0 {
			if y >= 15 && linbits > 0 {
				w.put(uint32(y-15), linbits)
			}
			w.put(sign(g.x[i+1]), 1)
		}
	}
}

func sign(x float32) uint32 {
	if x < 0 {
		return 1
	}
	return 0
}
