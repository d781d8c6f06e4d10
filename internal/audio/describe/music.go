package describe

import (
	"math"

	"github.com/tphakala/simd/f32"
)

const (
	slowest, fastest = 40.0, 240.0 // BPM searched
	favorite         = 132.0       // BPM that breaks ties between octaves
	octaveWidth      = 0.9         // standard deviation of that preference, octaves
	tempoFrames      = 1 << 15     // of onset strength looked at: 12 minutes
	longestLag       = 2048
	leastPeriods     = 3
	surePeriods      = 8    // beats that full confidence takes
	loopSeconds      = 40.0 // below it a sound may be a loop, cut to whole bars
	loopBonus        = 1.7
	loopSlack        = 0.06  // beats
	otherTempo       = 0.12  // octaves that a tempo must be away to be another one
	evenLead         = -0.15 // lead over the best other tempo at which nine of ten are right
	keyLead          = 0.075 // in correlation over the next key, at which nine of ten are right
	keySlope         = 4.0
	keySeconds       = 3.0 // of sound that a sure key takes
)

// tempo estimates beats a minute from the onset strength and how surely (0…1). It is 0, 0 when nothing repeats: the
// autocorrelation of the strength above its surroundings is summed at multiples of each beat length and weighted by a broad
// preference for 132 (after Ellis, "Beat tracking by dynamic programming", 2007). In a short sound a beat of which a multiple
// of four fills the length is preferred too, because loops are cut that way. regular is how surely the sound repeats at all; the confidence is
// low besides where another tempo, half as fast perhaps, explains the strokes as well (doc/tempo-and-key.md has how often each is right).
func tempo(flux []float32, fps, seconds float64) (bpm, confidence, regular float64) {
	flux = flux[:min(len(flux), tempoFrames)]
	strength := standOut(flux, int(math.Round(fps*0.5)))
	n := len(strength)
	if float64(n)/fps < leastPeriods*60/fastest {
		return 0, 0, 0
	}
	power := f32.SumOfSquares(strength)
	if power < 1e-6 {
		return 0, 0, 0
	}
	corr := make([]float32, min(longestLag, n*3/4)+1)
	for lag := range corr {
		corr[lag] = f32.DotProduct(strength[:n-lag], strength[lag:]) / power * float32(n) / float32(n-lag)
	}
	best, bestLag, raw := 0.0, 0.0, 0.0
	var combs []float64 // by lag, each 0.2 % longer
	for lag := fps * 60 / fastest; lag <= fps*60/slowest; lag *= 1.002 {
		if 2*lag > float64(len(corr)-1) {
			break
		}
		c := comb(corr, lag, 4)
		combs = append(combs, c)
		octaves := math.Log2(60 * fps / lag / favorite)
		v := c * math.Exp(-0.5*octaves*octaves/(octaveWidth*octaveWidth))
		if off, ok := offBar(seconds, 60*fps/lag); ok {
			v *= 1 + (loopBonus-1)*math.Exp(-0.5*off*off/(loopSlack*loopSlack))
		}
		if v > best {
			best, bestLag, raw = v, lag, c
		}
	}
	if bestLag == 0 {
		return 0, 0, 0
	}
	rival := 0.0 // strongest other tempo: where half or twice as fast fits better, the ear may have it so
	for i, c := range combs {
		if math.Abs(math.Log2(fps*60/fastest*math.Pow(1.002, float64(i))/bestLag)) > otherTempo {
			rival = max(rival, c)
		}
	}
	lead := 1 - rival/max(raw, 1e-9)
	center, top := bestLag, math.Inf(-1)
	for lag := center * 0.985; lag <= center*1.015; lag *= 1.0003 { // many beats tell the length of one
		if v := comb(corr, lag, 32); v > top {
			bestLag, top = lag, v
		}
	}
	bpm = 60 * fps / bestLag
	if off, ok := offBar(seconds, bpm); ok && math.Abs(off) < 2*loopSlack && math.Abs(off) < 0.01*seconds*bpm/60 {
		bpm -= off * 60 / seconds // the cut is more exact than the frames
	}
	regular = min(max((raw-0.08)/0.5, 0), 1) * min(float64(n)/bestLag/surePeriods, 1)
	confidence = max(min(regular, 0.5+lead-evenLead), 0.1*regular)
	return bpm, confidence, regular
}

// offBar is how many beats a short sound is longer than its nearest whole number of bars of four; false when it is long or has no bar.
func offBar(seconds, bpm float64) (beats float64, ok bool) {
	bars := seconds * bpm / 240
	if seconds >= loopSeconds || bars < 0.9 {
		return 0, false
	}
	return 4 * (bars - math.Round(bars)), true
}

// standOut is the flux above its mean over ±reach frames, negative values cut, mean removed, slightly smoothed.
func standOut(flux []float32, reach int) []float32 {
	out := make([]float32, len(flux))
	sum := 0.0
	from, to := 0, 0
	for i, v := range flux {
		for to < len(flux) && to <= i+reach {
			sum += float64(flux[to])
			to++
		}
		for from < i-reach {
			sum -= float64(flux[from])
			from++
		}
		out[i] = max(v-float32(sum/float64(to-from)), 0)
	}
	smooth := make([]float32, len(out))
	for i := range out {
		smooth[i] = 0.5*out[i] + 0.25*(out[max(i-1, 0)]+out[min(i+1, len(out)-1)])
	}
	if len(smooth) > 0 {
		f32.AddScalar(smooth, smooth, -f32.Mean(smooth))
	}
	return smooth
}

// comb is the mean autocorrelation at up to count multiples of a lag.
func comb(corr []float32, lag float64, count int) float64 {
	sum, n := 0.0, 0
	for k := 1; k <= count && float64(k)*lag < float64(len(corr)-1); k++ {
		sum += at(corr, float64(k)*lag)
		n++
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// at interpolates between lags by a cubic through four points (Catmull-Rom).
func at(x []float32, pos float64) float64 {
	i := min(max(int(pos), 0), len(x)-1)
	t := pos - float64(i)
	v := func(k int) float64 { return float64(x[min(max(k, 0), len(x)-1)]) }
	p0, p1, p2, p3 := v(i-1), v(i), v(i+1), v(i+2)
	return p1 + 0.5*t*(p2-p0+t*(2*p0-5*p1+4*p2-p3+t*(3*(p1-p2)+p3-p0)))
}

var pitchNames = [12]string{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"}

// key names the major or minor key whose profile the mean pitch classes resemble most, and how surely (0…1): by its lead over the next key, how much
// the classes differ at all, and the length, because one hit of a drum has a pitch but hardly a key. The profiles are those of J. Albrecht and D. Shanahan,
// "The Use of Large Corpora to Train a New Type of Key-Finding Algorithm" (Music Perception 31, 2013); the classes are compared by the square root, so that
// one long note does not outweigh the scale.
func key(chroma [12]float64, seconds float64) (name string, confidence float64) {
	major := [12]float64{0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081}
	minor := [12]float64{0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052}
	low, high := chroma[0], chroma[0]
	var roots [12]float64
	for i, v := range chroma {
		low, high = min(low, v), max(high, v)
		roots[i] = math.Sqrt(max(v, 0))
	}
	if high <= 0 {
		return "", 0
	}
	best, second := math.Inf(-1), math.Inf(-1)
	for tonic := range 12 {
		for mode, profile := range [2][12]float64{major, minor} {
			r := correlate(roots, profile, tonic)
			if r > best {
				best, second = r, best
				name = pitchNames[tonic] + [2]string{" major", " minor"}[mode]
			} else if r > second {
				second = r
			}
		}
	}
	contrast := min((high-low)/high*1.25, 1)
	confidence = min(max(0.5+keySlope*(best-second-keyLead), 0), 1) * max(best, 0) * contrast * contrast * min(seconds/keySeconds, 1)
	return name, min(max(confidence, 0), 1)
}

// correlate is Pearson's correlation of the classes, seen from a tonic, with a profile.
func correlate(chroma, profile [12]float64, tonic int) float64 {
	var mx, my float64
	for i := range 12 {
		mx += chroma[i] / 12
		my += profile[i] / 12
	}
	var xy, xx, yy float64
	for i := range 12 {
		x, y := chroma[(i+tonic)%12]-mx, profile[i]-my
		xy += x * y
		xx += x * x
		yy += y * y
	}
	if xx*yy <= 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}
