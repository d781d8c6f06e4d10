package describe

import (
	"math"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio/spectrum"
)

// timbre follows the AudioCommons models of brightness and depth (Pearce, Brookes and Mason, deliverable D5.7, 2018). Their filters,
// Butterworth of the second order used three times, are weights on the power spectrum here.
type timbre struct {
	binHz                   float64
	above, bright, brightHz []float32 // above 20 Hz; above 2 kHz; above 100 Hz, and times the frequency
	hundreds                []float32
	low, lowHz, deep        []float32 // below 2 kHz, and times the frequency; below 500 Hz
	total, ratio            float64   // sums over frames, weighted by power
	centroid, centroidPower float64
	lowCentroid, lowRatio   float64
	mean                    []float64 // power spectrum of the whole
}

func newTimbre(n int, binHz float64) timbre {
	t := timbre{binHz: binHz, mean: make([]float64, n)}
	weights := func(f func(hz float64) float64) []float32 {
		w := make([]float32, n)
		for i := range w {
			w[i] = float32(f(float64(i) * binHz))
		}
		return w
	}
	high := func(hz, edge float64) float64 {
		if hz == 0 {
			return 0
		}
		return math.Pow(1/(1+math.Pow(edge/hz, 4)), 3)
	}
	lowpass := func(hz, edge float64) float64 { return math.Pow(1/(1+math.Pow(hz/edge, 4)), 3) }
	t.above = weights(func(hz float64) float64 { return high(hz, 20) })
	t.bright = weights(func(hz float64) float64 { return high(hz, 20) * high(hz, 2000) })
	t.hundreds = weights(func(hz float64) float64 { return high(hz, 20) * high(hz, 100) })
	t.brightHz = weights(func(hz float64) float64 { return high(hz, 20) * high(hz, 100) * hz })
	t.low = weights(func(hz float64) float64 { return high(hz, 20) * lowpass(hz, 2000) })
	t.lowHz = weights(func(hz float64) float64 { return high(hz, 20) * lowpass(hz, 2000) * hz })
	t.deep = weights(func(hz float64) float64 { return high(hz, 20) * lowpass(hz, 500) })
	return t
}

func (t *timbre) frame(f *spectrum.Frame) {
	total := float64(f32.DotProduct(f.Power, t.above))
	if total < 1e-14 {
		return
	}
	// The models average ratios weighted by power: the sums of their numerators say the same.
	t.total += total
	t.ratio += float64(f32.DotProduct(f.Power, t.bright))
	t.centroid += float64(f32.DotProduct(f.Power, t.brightHz))
	t.centroidPower += float64(f32.DotProduct(f.Power, t.hundreds))
	if low := float64(f32.DotProduct(f.Power, t.low)); low > 0 {
		t.lowCentroid += total * float64(f32.DotProduct(f.Power, t.lowHz)) / low
	}
	t.lowRatio += float64(f32.DotProduct(f.Power, t.deep))
	for i, p := range f.Power {
		t.mean[i] += float64(p)
	}
}

// brightness is nil for a sound without anything above 100 Hz.
func (t *timbre) brightness() *float64 {
	if t.ratio <= 0 || t.centroid <= 0 {
		return nil
	}
	return hundred(4.613128018020465*math.Log10(t.ratio/t.total) + 17.378889309312974*math.Log10(t.centroid/t.centroidPower) + 17.434733750553022)
}

// depth needs how long each event of the sound lasts, in seconds.
func (t *timbre) depth(durations []float64) *float64 {
	if t.total <= 0 || len(durations) == 0 {
		return nil
	}
	length := 0.0
	for _, v := range durations {
		length += v / float64(len(durations))
	}
	lowest, top := 0.0, 0.0
	for _, p := range t.mean {
		top = max(top, p)
	}
	for i := 1; i+1 < len(t.mean); i++ {
		if p := t.mean[i]; p > 0.01*top && p > t.mean[i-1] && p >= t.mean[i+1] {
			lowest = math.Log10(float64(i) * t.binHz)
			break
		}
	}
	centroid, ratio, log := min(t.lowCentroid/t.total, 2000), t.lowRatio/t.total, math.Log10(length)
	return hundred(-0.0043703565847874465*centroid + 32.83743202462131*ratio + 4.750862716905235*log - 14.217438690256062*lowest +
		3.8782339862813924*ratio*log - 0.8544826091735516*log/(1+math.Exp(-ratio)) + 66.69534393444391)
}
