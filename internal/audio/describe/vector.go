package describe

import "math"

// vectorMeans are the 42 features whose means and standard deviations lead the vector.
var vectorMeans = func() (at [42]int) {
	n := 0
	for k := 1; k < mfccCount; k++ { // c0 is loudness
		at[n] = featMFCC + k
		n++
	}
	for f := featChroma; f <= featLevel; f++ {
		at[n] = f
		n++
	}
	return at
}()

// vector lays the raw features out: 42 means, 42 standard deviations, 20 mean changes of MFCC, 6 of the envelope.
func vector(s *statistics, e shape, seconds float64, onsets int) (v [VectorSize]float64) {
	n := 0
	for _, f := range vectorMeans {
		v[n] = s.mean[f]
		if f == featLevel {
			v[n] -= s.loudest // gain does not matter
		}
		v[n+len(vectorMeans)] = s.std[f]
		n++
	}
	n *= 2
	for k := range mfccCount {
		v[n] = s.mean[featDelta+k]
		n++
	}
	seconds = max(seconds, 1e-3)
	copy(v[n:], []float64{
		math.Log2(seconds), e.centroid / seconds, e.attackEnd / seconds, math.Log10(e.attack), e.effective / seconds,
		math.Log2(1 + float64(onsets)/max(seconds, 0.25)),
	})
	return v
}

// pitchWeight is how much the pitch classes count: of 0, ½ and 1, ½ found drums of the same kind in other kits most often.
const pitchWeight = 0.5

// normalize brings every feature to mean 0 and deviation 1 over the reference set, cuts at ±4 and weighs it.
func normalize(raw [VectorSize]float64) (v [VectorSize]float32) {
	for i, x := range raw {
		z := (x - reference[i].mean) / reference[i].deviation
		if math.IsNaN(z) {
			z = 0
		}
		z = min(max(z, -4), 4)
		if k := i % len(vectorMeans); i < 2*len(vectorMeans) && vectorMeans[k] >= featChroma && vectorMeans[k] < featContrast {
			z *= pitchWeight
		}
		v[i] = float32(z)
	}
	return v
}
