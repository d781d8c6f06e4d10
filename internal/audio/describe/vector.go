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

// wholeSize is the number of features of the whole sound.
const wholeSize = 2*len(vectorMeans) + mfccCount + 6

// vector lays the features out: 42 means, 42 standard deviations, 20 mean changes of MFCC, 6 of the envelope, and the levels of the
// opening's bands, step by step.
func vector(s *statistics, e shape, o *opening, seconds float64, onsets int) (v [VectorSize]float64) {
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
	levels := o.levels()
	copy(v[wholeSize:], levels[:])
	return v
}

// IsPitchClass tells whether place i of a vector is about one of the twelve pitch classes, which a comparison of timbre may want to
// weigh less.
func IsPitchClass(i int) bool {
	k := i % len(vectorMeans)
	return i < 2*len(vectorMeans) && vectorMeans[k] >= featChroma && vectorMeans[k] < featContrast
}
