package loudness

import "math"

const (
	absoluteGate = -70.0 // LUFS, BS.1770-5 annex 1
	relativeGate = -10.0 // LU below the mean of what passes the absolute gate
	rangeGate    = -20.0 // LU, EBU Tech 3342 section 3
	perLU        = 100   // bins per LU
	highest      = 50    // LUFS above which blocks share the last bin
	bins         = (highest + 70) * perLU
)

// histogram counts blocks by loudness above the absolute gate and adds up their energies.
type histogram struct {
	count  [bins]int64
	energy [bins]float64
}

func (h *histogram) add(mean float64) {
	l := lufs(mean)
	if !(l > absoluteGate) {
		return
	}
	i := min(int((l-absoluteGate)*perLU), bins-1)
	h.count[i]++
	h.energy[i] += mean
}

// above returns the number and energy of blocks in bins from the one that holds level upward.
func (h *histogram) above(level float64) (first int, count int64, energy float64) {
	first = min(max(int(math.Ceil((level-absoluteGate)*perLU-0.5)), 0), bins-1)
	for i := first; i < bins; i++ {
		count += h.count[i]
		energy += h.energy[i]
	}
	return first, count, energy
}

// integrated is the gated loudness of BS.1770-5 equations 4 to 7.
func (h *histogram) integrated() (float64, bool) {
	_, n, e := h.above(absoluteGate)
	if n == 0 {
		return 0, false
	}
	_, n, e = h.above(lufs(e/float64(n)) + relativeGate)
	if n == 0 { // cannot happen: the mean lies within the blocks
		return 0, false
	}
	return lufs(e / float64(n)), true
}

// spread is the loudness range of EBU Tech 3342: from the 10th to the 95th percentile of the gated short-term loudness.
func (h *histogram) spread() float64 {
	_, n, e := h.above(absoluteGate)
	if n == 0 {
		return 0
	}
	first, n, _ := h.above(lufs(e/float64(n)) + rangeGate)
	if n == 0 {
		return 0
	}
	low := h.percentile(first, int64(math.Round(float64(n-1)*0.10)))
	high := h.percentile(first, int64(math.Round(float64(n-1)*0.95)))
	return high - low
}

// percentile is the loudness of the block with the given rank, counted from the bin first upward.
func (h *histogram) percentile(first int, rank int64) float64 {
	for i := first; i < bins; i++ {
		if rank -= h.count[i]; rank < 0 {
			return absoluteGate + (float64(i)+0.5)/perLU
		}
	}
	return absoluteGate
}
