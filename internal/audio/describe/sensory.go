package describe

import (
	"cmp"
	"math"
	"slices"
)

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
	if len(list) > maxPeaks {
		slices.SortFunc(list, func(a, b peak) int { return cmp.Compare(b.amplitude, a.amplitude) })
		list = list[:maxPeaks]
		slices.SortFunc(list, func(a, b peak) int { return cmp.Compare(a.hz, b.hz) })
	}
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

// sensory adds up how rough every two partials sound together, by how far apart they are in parts of the critical band (Plomp and Levelt
// 1965; curves and constants of Sethares, "Local consonance and the relationship between timbre and scale", 1993). dissonance weighs
// pairs by the weaker amplitude and is told for each half of the amplitude, so that it knows no level. rough weighs them as Vassilakis does
// ("Perceptual and physical properties of amplitude fluctuation and their musical significance", 2001).
func sensory(peaks []peak) (dissonance, rough float64) {
	sum := 0.0
	for i, low := range peaks {
		sum += low.amplitude
		s := 0.24 / (0.0207*low.hz + 18.96)
		for _, high := range peaks[i+1:] {
			x := s * (high.hz - low.hz)
			if x > 2.5 { // e^-8.75: nothing is left
				break
			}
			beating := math.Exp(-roughFirst*x) - math.Exp(-roughLast*x)
			weak, strong := min(low.amplitude, high.amplitude), max(low.amplitude, high.amplitude)
			dissonance += weak * beating
			rough += math.Pow(weak*strong, 0.1) * 0.5 * math.Pow(2*weak/(weak+strong), 3.11) * beating
		}
	}
	if sum <= 0 {
		return 0, 0
	}
	return dissonance / roughMost / (sum / 2), rough
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
