package describe

import "math"

const (
	maxPeaks   = 48     // of one frame: the pairs among them are all looked at
	peakFloor  = 1e-6   // of the strongest, in power: 60 dB
	roughFirst = 3.5    // how fast two sines fall apart (Sethares 1993)
	roughLast  = 5.75   // and how fast they stop beating
	roughMost  = 0.1809 // largest difference of the two exponentials
	// roughLevel takes amplitudes, where full scale is 1, to those of the AudioCommons model: the transform of 50 ms at 44.1 kHz under a
	// Hamming window gives a sine 595 times its amplitude, and the model raises their product to the tenth.
	roughLevel = 3.5884
)

// peak is a partial of a frame.
type peak struct {
	hz, amplitude float64
}

// findPeaks appends the strongest peaks of a power spectrum from bin first on, lowest first, placed between bins by a parabola through log powers.
func findPeaks(list []peak, power []float32, first int, binHz float64) []peak {
	top := float32(0)
	for _, p := range power[first:] {
		top = max(top, p)
	}
	floor := max(top*peakFloor, 1e-14)
	for i := max(first, 1); i < len(power)-1; i++ {
		if power[i] <= floor || power[i] <= power[i-1] || power[i] < power[i+1] {
			continue
		}
		list = append(list, peak{float64(i), float64(power[i])})
	}
	list = strongest(list)
	for k := range list {
		i := int(list[k].hz)
		a, b, c := math.Log(float64(power[i-1])+1e-30), math.Log(float64(power[i])), math.Log(float64(power[i+1])+1e-30)
		shift := 0.0
		if d := a - 2*b + c; d < 0 {
			shift = min(max(0.5*(a-c)/d, -0.5), 0.5)
		}
		list[k] = peak{(float64(i) + shift) * binHz, math.Exp(0.5 * (b - 0.25*(a-c)*shift))}
	}
	return list
}

// strongest keeps the maxPeaks strongest of a list, in their order: the level above which they lie is found by halving, which takes a few
// looks at each where sorting takes many comparisons.
func strongest(list []peak) []peak {
	if len(list) <= maxPeaks {
		return list
	}
	low, high := math.Inf(1), 0.0
	for _, p := range list {
		low, high = min(low, p.amplitude), max(high, p.amplitude)
	}
	for range 40 {
		middle, n := math.Sqrt(low*high), 0
		for _, p := range list {
			if p.amplitude >= middle {
				n++
			}
		}
		if n == maxPeaks {
			low = middle
			break
		}
		if n > maxPeaks {
			low = middle
		} else {
			high = middle
		}
	}
	kept := list[:0]
	for _, p := range list {
		if p.amplitude >= low && len(kept) < maxPeaks {
			kept = append(kept, p)
		}
	}
	return kept
}

// sensory adds up how rough every two partials sound together, by how far apart they are in parts of the critical band (Plomp and Levelt
// 1965; curves and constants of Sethares, "Local consonance and the relationship between timbre and scale", 1993). dissonance weighs
// pairs by the weaker amplitude and is told for each half of the amplitude, so that it knows no level. rough weighs them as Vassilakis does
// ("Perceptual and physical properties of amplitude fluctuation and their musical significance", 2001).
func (c *curves) sensory(peaks []peak) (dissonance, rough float64) {
	sum := 0.0
	var tenths [maxPeaks]float64
	for i, p := range peaks {
		tenths[i] = math.Pow(p.amplitude, 0.1)
	}
	for i, low := range peaks {
		sum += low.amplitude
		s := 0.24 / (0.0207*low.hz + 18.96)
		for k, high := range peaks[i+1:] {
			x := s * (high.hz - low.hz)
			if x >= beatingEnd { // e^-8.75: nothing is left
				break
			}
			beating := along(&c.beating, x/beatingEnd)
			weak, strong := min(low.amplitude, high.amplitude), max(low.amplitude, high.amplitude)
			dissonance += weak * beating
			rough += tenths[i] * tenths[i+1+k] * 0.5 * along(&c.depth, 2*weak/(weak+strong)) * beating
		}
	}
	if sum <= 0 {
		return 0, 0
	}
	return dissonance / roughMost / (sum / 2), rough
}

// curves are tables of what sensory needs for every pair: two exponentials and a power each would take most of the second pass. Along the lines
// between their points they are true to 2e-5.
type curves struct {
	beating [curvePoints + 1]float64 // up to beatingEnd
	depth   [curvePoints + 1]float64 // of Vassilakis' fluctuation, over its degree from 0 to 1
}

const (
	curvePoints = 1024
	beatingEnd  = 2.5
)

func newCurves() *curves {
	c := &curves{}
	for i := range c.beating {
		part := float64(i) / curvePoints
		c.beating[i] = math.Exp(-roughFirst*beatingEnd*part) - math.Exp(-roughLast*beatingEnd*part)
		c.depth[i] = math.Pow(part, 3.11)
	}
	return c
}

// along reads a table at 0 to 1.
func along(table *[curvePoints + 1]float64, at float64) float64 {
	i := min(int(at*curvePoints), curvePoints-1)
	return table[i] + (at*curvePoints-float64(i))*(table[i+1]-table[i])
}

// roughScale is the AudioCommons regression from mean roughness to what people said.
func roughScale(mean float64) *float64 {
	mean *= roughLevel
	if mean < 0.01 {
		return known(0)
	}
	return hundred(13.98779569*math.Log10(mean) + 48.97606571545886)
}

// harmonics compares partials with the multiples of a fundamental. The first partial, where there is one near hz, takes its place.
func harmonics(peaks []peak, hz float64) (inharmonic float64, parts [3]float64, ok bool) {
	strongest, first := 0.0, 0.0
	for _, p := range peaks {
		strongest = max(strongest, p.amplitude)
	}
	for _, p := range peaks {
		if math.Abs(p.hz-hz) < 0.06*hz && p.amplitude >= leastPartial*strongest && p.amplitude > first {
			first = p.amplitude
		}
	}
	for _, p := range peaks {
		if p.amplitude == first {
			hz = p.hz
		}
	}
	var sum, off, energy float64
	for _, p := range peaks {
		n := math.Round(p.hz / hz)
		if n < 1 || p.amplitude < leastPartial*strongest {
			continue
		}
		energy += p.amplitude * p.amplitude
		off += math.Abs(p.hz-n*hz) * p.amplitude * p.amplitude
		sum += p.amplitude
		parts[class(n)] += p.amplitude
	}
	if sum <= 0 {
		return 0, parts, false
	}
	for i := range parts {
		parts[i] /= sum
	}
	return min(2*off/(hz*energy), 1), parts, true
}

// class is which part of the tristimulus a partial belongs to.
func class(n float64) int {
	switch {
	case n < 2:
		return 0
	case n < 5:
		return 1
	}
	return 2
}
