package describe

import "math"

const (
	notch     = 0.2 // of the highest, by which a peak stands out on both sides
	warmMost  = 12_000.0
	warmTimes = 3.5 // the lowest partial: what is above is no longer warm
	warmLow   = 260.0
)

// warmth follows the AudioCommons model (Pearce, Brookes and Mason, deliverables D5.6 and D5.8, version 0.4), whose regression it has: a low centroid, much
// loudness from 1 to 4 Bark and little above 8, energy between the lowest partial and 260 Hz, and a spectrum that falls evenly above. The model looks at each event
// of the sound apart and takes means; here the sound is one event, and specific loudness is shorter than the standard's (bark; doc/timbre.md). felt is how
// loud the sound is at -24 LUFS; nil is the answer for a sound that is nothing but an offset.
func (d *Detailer) warmth(felt felt) *float64 {
	binHz := d.rate / float64(len(d.window))
	top, total, moment := 0.0, 0.0, 0.0
	clear(d.mean[:offsetBins])
	for i, p := range d.mean {
		top = max(top, p)
		total += p
		moment += p * float64(i) * binHz
	}
	if total <= 0 || moment <= 0 {
		return nil
	}
	first := lowest(d.mean, top*notch)
	limit := warmTimes * float64(first) * binHz
	if limit > warmMost {
		limit = warmMost
	}
	ratio := 0.0
	for i := first; float64(i)*binHz < warmLow && i < len(d.mean); i++ {
		ratio += d.mean[i] / total
	}
	return hundred(-4.464258317026696*math.Log10(moment/total) - 0.08819320850778556*felt.high + 0.29156539973575546*felt.warm +
		17.274733561081554*evenness(d.mean, int(limit/binHz)+1, top) + 8.403340066029507*ratio + 45.21212125085579)
}

// lowest is the first peak that stands out by depth on both sides; the highest one where none does.
func lowest(x []float64, depth float64) int {
	low, at, highest := 0.0, 0, 0
	for i, v := range x {
		if v > x[highest] {
			highest = i
		}
		switch {
		case v > x[at]:
			at = i
		case x[at]-low >= depth && v <= x[at]-depth:
			return at
		case v < low || x[at]-low < depth && v < x[at]:
			low, at = min(low, v), i
		}
	}
	return highest
}

// evenness is how well a line through the logarithms of power over those of frequency explains the spectrum from a bin on: the square of
// the correlation, 0 to 1.
func evenness(x []float64, from int, top float64) float64 {
	var n, sx, sy, sxx, sxy, syy float64
	for i := max(from, 1); i < len(x); i++ {
		u, v := math.Log10(float64(i)), math.Log10(max(x[i]/top, 1e-16))
		n++
		sx += u
		sy += v
		sxx += u * u
		sxy += u * v
		syy += v * v
	}
	xx, yy, xy := n*sxx-sx*sx, n*syy-sy*sy, n*sxy-sx*sy
	if n < 3 || xx <= 0 || yy <= 1e-9*n*n {
		return 0
	}
	return min(xy*xy/(xx*yy), 1)
}

// toNormal is the factor of power that takes the sum of the channels to -24 LUFS, where the AudioCommons models look at every sound, but not beyond full
// scale; false for what is too quiet to be loud at all. It measures as package loudness does (BS.1770, blocks of 0.4 s), on the spectrum.
func (d *Detailer) toNormal() (gain float64, ok bool) {
	block := max(int(math.Round(0.4*d.fps)), 1)
	step := max(block/4, 1)
	var means []float64
	for at := 0; at == 0 || at+block <= len(d.weighted); at += step {
		sum := 0.0
		for _, v := range d.weighted[at:min(at+block, len(d.weighted))] {
			sum += float64(v)
		}
		means = append(means, sum/float64(block))
	}
	gated := func(least float64) float64 {
		sum, n := 0.0, 0.0
		for _, v := range means {
			if v > least {
				sum += v
				n++
			}
		}
		return sum / max(n, 1)
	}
	const offset = 0.691 // dB (BS.1770)
	mean := gated(math.Pow(10, (-70+offset)/10))
	mean = gated(max(mean/10, math.Pow(10, (-70+offset)/10)))
	if mean <= 0 || d.peak <= 0 {
		return 0, false
	}
	return min(math.Pow(10, (normalLoudness+offset)/10)/mean, 1/(d.peak*d.peak)), true
}
