package describe

import (
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	reverbCell  = 1. / 240 // s between two looks (Löllmann: 100 of 24,000 samples)
	reverbPart  = 7        // cells in a part of a look (700 samples)
	reverbParts = 7        // parts in a look
	reverbLeast = 3        // parts, each quieter than the one before, that a decay takes
	reverbTimes = 10       // candidates: 0.2, 0.3 … 1.1 s
	reverbFirst = 0.2      // s
	reverbStep  = 0.1      // s
	reverbBegin = 0.3      // s assumed before anything is heard
	reverbSlow  = 0.995    // of the estimate that stays, per look
	reverbFew   = 16       // looks with a decay, and
	reverbRare  = 0.0015   // share of the looks at something, below which what dies away does so by chance
	reverbCells = reverbPart * reverbParts
)

// reverb estimates the reverberation time of one channel blindly: where variance and both extremes shrink from part to part, an exponential
// decay with Laplacian noise is fitted by maximum likelihood, and the most frequent of the latest results is smoothed (Löllmann, Yilmaz, Jeub
// and Vary, "An improved algorithm for blind reverberation time estimation", IWAENC 2010; Jan and Wang, "Blind reverberation time estimation based on Laplace
// distribution", EUSIPCO 2012). It is what the AudioCommons model of reverb stands on. The effective value of cells
// of 4 ms, within which the decay looked for changes by less than 1.3 dB, around the mean of their part, so that an offset says nothing, stands for the
// samples. A decay that outlasts the look counts too; and a few decays in a long sound count as none: steady noise, such as rain, has them by
// chance, and the smoothing goes on to the last one.
type reverb struct {
	size         int // samples in a cell
	held         []float32
	cells        [reverbCells]reverbSums // the latest; next is the oldest
	next, seen   int
	rise         [reverbTimes][reverbCells]float64 // what undoes a decay, by cell
	fall         [reverbTimes]float64              // ln of the decay per cell
	counts       [reverbTimes]int
	recent       []uint8 // results that counts holds
	at           int
	most         int
	current, now float64 // s, the smoothed estimate, and what it moves to
	sum          float64 // of the smoothed estimate where there was a decay
	decays       int
	heard        int // looks at something
}

// reverbSums are over the samples of a cell.
type reverbSums struct {
	sum, square float64
	low, high   float32
}

func newReverb(rate float64) *reverb {
	r := &reverb{size: max(int(math.Round(rate*reverbCell)), 1), most: max(int(rate/60), 1), current: reverbBegin, now: reverbBegin}
	r.held = make([]float32, 0, r.size)
	for k := range reverbTimes {
		seconds := reverbFirst + reverbStep*float64(k)
		r.fall[k] = -3 * math.Ln10 * float64(r.size) / rate / seconds
		for i := range reverbCells {
			r.rise[k][i] = math.Exp(-r.fall[k] * float64(i))
		}
	}
	return r
}

func (r *reverb) write(x []float32) {
	for len(x) > 0 {
		n := min(r.size-len(r.held), len(x))
		r.held, x = append(r.held, x[:n]...), x[n:]
		if len(r.held) == r.size {
			r.cell(r.held)
			r.held = r.held[:0]
		}
	}
}

func (r *reverb) cell(x []float32) {
	r.cells[r.next] = reverbSums{sum: float64(f32.Sum(x)), square: float64(f32.SumOfSquares(x)), low: f32.Min(x), high: f32.Max(x)}
	r.next = (r.next + 1) % reverbCells
	if r.seen++; r.seen < reverbCells {
		return
	}
	found, ok := r.look()
	if ok {
		if len(r.recent) < r.most {
			r.recent = append(r.recent, found)
		} else {
			r.counts[r.recent[r.at]]--
			r.recent[r.at] = found
			r.at = (r.at + 1) % r.most
		}
		r.counts[found]++
		often := 0
		for k, n := range r.counts {
			if n > r.counts[often] {
				often = k
			}
		}
		r.now = reverbFirst + reverbStep*float64(often)
	}
	r.current = reverbSlow*r.current + (1-reverbSlow)*r.now
	if ok {
		r.sum += r.current
		r.decays++
	}
}

// look fits a decay at the beginning of what is held, if there is one.
func (r *reverb) look() (time uint8, ok bool) {
	past := r.part(0)
	if past.high > past.low {
		r.heard++
	}
	count := 0
	for k := 1; k < reverbParts; k++ {
		now := r.part(k)
		n := float64(reverbPart * r.size)
		variance := func(s reverbSums) float64 { return s.square/n - s.sum/n*s.sum/n }
		if variance(now) >= variance(past) || now.high >= past.high || now.low <= past.low {
			break
		}
		count++
		past = now
	}
	if count < reverbLeast {
		return 0, false
	}
	cells := count * reverbPart
	var size [reverbCells]float64
	for i := range cells {
		c, mean := &r.cells[(r.next+i)%reverbCells], r.part(i/reverbPart).sum/float64(reverbPart*r.size)
		size[i] = math.Sqrt(max(c.square-2*mean*c.sum+mean*mean*float64(r.size), 0))
	}
	best := math.Inf(1)
	for k := range reverbTimes {
		sum := 0.0
		for i := range cells {
			sum += r.rise[k][i] * size[i]
		}
		if v := math.Log(sum) + r.fall[k]*float64(cells-1)/2; v < best {
			best, time = v, uint8(k)
		}
	}
	return time, true
}

func (r *reverb) part(k int) reverbSums {
	s := r.cells[(r.next+k*reverbPart)%reverbCells]
	for i := 1; i < reverbPart; i++ {
		c := &r.cells[(r.next+k*reverbPart+i)%reverbCells]
		s.sum += c.sum
		s.square += c.square
		s.low, s.high = min(s.low, c.low), max(s.high, c.high)
	}
	return s
}

// seconds is the estimate; the shortest candidate where nothing dies away.
func (r *reverb) seconds() float64 {
	if r.decays < reverbFew || float64(r.decays) < reverbRare*float64(r.heard) {
		return reverbFirst
	}
	return r.sum / float64(r.decays)
}

// reverberant is the AudioCommons verdict on the mean of the first two channels (deliverable D5.8: logistic regression), true from 0.488 s on.
func reverberant(channels []*reverb) bool {
	mean := 0.0
	for _, r := range channels {
		mean += r.seconds() / float64(len(channels))
	}
	return 2.97126461*mean-1.45082989 >= 0
}
