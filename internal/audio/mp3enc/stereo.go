package mp3enc

import "math"

// stereo decides whether the frame is coded as left and right or as middle and side, by an estimate of the bits that each takes,
// and turns the lines.
func (r *framer) stereo() {
	var apart, together float64
	for n := range r.form.granules {
		a, b := &r.gr[n][0], &r.gr[n][1]
		l, _ := r.layout(a)
		for i := range l.edges[:len(l.edges)-1] {
			from, to := l.edges[i], l.edges[i+1]
			if from >= r.form.cutoff {
				break
			}
			var cross float32
			for k, v := range a.x[from:to] {
				cross += v * b.x[from+k]
			}
			width := float64(to - from)
			cross /= float32(width)
			ea, eb := a.energy[i], b.energy[i]
			na, nb := a.noise(i, r.level), b.noise(i, r.level)
			least := min(na, nb)
			mid := (ea+eb)/2 + cross
			side := max(0, (ea+eb)/2-cross)
			apart += width * math.Log2(float64((1+ea/na)*(1+eb/nb)))
			together += width * math.Log2(float64((1+mid/least)*(1+side/least)))
		}
	}
	if r.midSide { // changing costs a little in the overlap
		together *= .98
	} else {
		apart *= .98
	}
	if r.midSide = together < apart; !r.midSide {
		return
	}
	for n := range r.form.granules {
		a, b := &r.gr[n][0], &r.gr[n][1]
		l, _ := r.layout(a)
		for i, x := range a.x {
			y := b.x[i]
			a.x[i], b.x[i] = (x+y)*(math.Sqrt2/2), (x-y)*(math.Sqrt2/2)
		}
		for i := range l.edges[:len(l.edges)-1] { // the noise of both goes into both ears
			a.wanted[i] = min(a.wanted[i], b.wanted[i])
		}
		b.wanted = a.wanted
		for _, g := range []*granule{a, b} {
			g.measure(l)
			g.toGain(l)
		}
	}
}

// noise estimates the noise that a band gets at a level, as energy of a line.
func (g *granule) noise(b int, level float32) float32 {
	gain := float64(g.target[b] + level - 210)
	return float32(math.Exp2(gain*3/8)*16/9/12) * float32(math.Sqrt(float64(g.energy[b])+1e-12))
}
