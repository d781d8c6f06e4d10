package describe

import (
	"math"
	"slices"
)

const (
	beatTightness = 100.0 // how dearly a beat off its place is paid for (Ellis 2007: 100 for the square of the log ratio)
)

// beats places the beats of a known tempo where the onsets are strongest (Ellis 2007: the best chain by dynamic programming), and measures how
// loud they are.
func (d *Detailer) beats(r *Detail, bpm, seconds float64) {
	strength := standOut(d.flux, int(math.Round(d.fps*0.5)))
	for _, at := range chain(strength, d.fps*60/bpm) {
		t := at / d.fps
		if t > seconds || len(r.BeatTimes) == maxBeats {
			break
		}
		r.BeatTimes = append(r.BeatTimes, round(t, 1e-3))
	}
	if len(r.BeatTimes) == 0 {
		return
	}
	sum := 0.0
	for _, t := range r.BeatTimes {
		from, to := max(int((t-beatReach)*d.fps), 0), min(int((t+beatReach)*d.fps)+1, len(d.level)-1)
		loudest := float32(0)
		for i := from; i <= to; i++ {
			loudest = max(loudest, d.level[i])
		}
		sum += float64(loudest)
	}
	r.BeatLoudness = known(sum / float64(len(r.BeatTimes)))
}

// chain returns the places, in frames, of beats a period apart. Between frames they lie where a parabola through the strength has its top.
func chain(strength []float32, period float64) (at []float64) {
	n := len(strength)
	from, to := int(math.Round(period/2)), int(math.Round(2*period))
	if n == 0 || from < 1 {
		return nil
	}
	power := 0.0
	for _, v := range strength {
		power += float64(v) * float64(v)
	}
	scale := math.Sqrt(power / float64(n))
	if scale <= 0 {
		return nil
	}
	cost := make([]float64, to-from+1)
	for i := range cost {
		l := math.Log(float64(from+i) / period)
		cost[i] = -beatTightness * l * l
	}
	score, before := make([]float64, n), make([]int32, n)
	for i, v := range strength {
		best, prev := 0.0, -1 // a chain may begin anywhere
		for k, c := range cost {
			j := i - from - k
			if j < 0 {
				break
			}
			if s := score[j] + c; s > best {
				best, prev = s, j
			}
		}
		score[i], before[i] = best+float64(v)/scale, int32(prev)
	}
	last := n - 1 // the best end lies in the last period, unless the sound has died away before
	for i := max(n-to, 0); i < n; i++ {
		if score[i] > score[last] {
			last = i
		}
	}
	for i := int32(last); i >= 0; i = before[i] {
		shift := 0.0
		if i > 0 && int(i)+1 < n {
			a, b, c := strength[i-1], strength[i], strength[i+1]
			if d := float64(a - 2*b + c); d < 0 && b >= a && b >= c {
				shift = 0.5 * float64(a-c) / d
			}
		}
		at = append(at, max(float64(i)+shift, 0))
	}
	slices.Reverse(at)
	return at
}
