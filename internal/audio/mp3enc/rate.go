package mp3enc

import "math"

const (
	// levelStep is how finely the level is searched: in units of global_gain, which granules round at different places.
	levelStep = .25
	// maxPart23 is the largest size of a granule's scale factors and lines that the side information can say, in bits.
	maxPart23 = 1<<12 - 1
	// lowest keeps the level of silence and pure tones from falling for ever: noise there is 100 dB below full scale.
	lowest = 60
)

// rate quantizes the frame at the level of the frames before when the reservoir allows, and else at the nearest that it does. mean
// is the size of a frame's body in bits. It returns what the frame wished for at the level of those before, and what it takes.
func (r *framer) rate(mean int) (wish, bits int) {
	held := 8 * r.reservoir
	most := mean + held*9/10
	room := 8*r.form.maxReservoir() - held // that the reservoir still takes
	least := max(0, mean-room)
	if !r.started {
		r.started = true
		r.level = r.start(mean)
		r.each(func(g *granule) { // their shape was found for another level
			l, _ := r.layout(g)
			g.shape(l, r.level, r.form.lsf)
			g.shared, g.quantized = 0, false
		})
	}
	wish = r.at(r.level)
	level := r.level
	bits = wish
	switch {
	case wish > most:
		for stride := float32(2); stride >= levelStep; stride /= 2 {
			for bits > most {
				level += stride
				bits = r.at(level)
			}
			if stride > levelStep {
				level -= stride
				bits = r.at(level)
			}
		}
		for bits > most {
			level += levelStep
			bits = r.at(level)
		}
	case wish < least && level > lowest:
		for bits < least && level > lowest {
			level--
			bits = r.at(level)
		}
		if bits > most {
			level++
			bits = r.at(level)
		}
	}
	r.each(func(g *granule) {
		l, _ := r.layout(g)
		for g.bits() > maxPart23 {
			g.quantize(g.gain+1, l, r.tables)
		}
	})
	return wish, min(bits, most)
}

// finest looks for the code that takes the least.
func (r *framer) finest() {
	r.each(func(g *granule) {
		if g.blockType == 0 {
			r.tables.coder.tail(&g.ix, g.coding.big+4*g.coding.quads, &g.coding)
			r.tables.coder.best(&g.ix, &g.coding, &r.tables.long)
		}
	})
}

// steer sets the level for the next frame.
func (r *framer) steer(mean, wish, bits int) {
	// The wish, not what was granted, tells how loud the music is in bits.
	off := float32(wish-mean) / float32(mean)
	fill := float32(8*r.reservoir+mean-bits)/float32(8*r.form.maxReservoir()) - .6
	r.level += 2*max(-1, min(off, 1)) - 1*fill
	r.level = max(lowest, min(r.level, 300))
}

// start finds the level at which the first frame fits into the mean.
func (r *framer) start(mean int) float32 {
	level := float32(lowest)
	for stride := float32(64); stride >= 1; stride /= 2 {
		for level < 400 && r.at(level+stride) > mean {
			level += stride
		}
	}
	return level + 1
}

// at quantizes the frame at a level and says how many bits it takes.
func (r *framer) at(level float32) int {
	bits := 0
	r.each(func(g *granule) {
		l, _ := r.layout(g)
		g.quantize(int(math.Floor(float64(g.top+level+.5))), l, r.tables)
		bits += g.bits()
	})
	return bits
}
