package audio

import "github.com/tphakala/simd/f32"

// MaxSample is the largest magnitude Scrub lets through. It leaves room for float files that hold integer-scaled samples,
// and keeps every power spectrum of them far from float32's limit.
const MaxSample = 1e6

// Scrub makes every sample of a block finite, in place: NaN and ±Inf become 0, larger magnitudes than MaxSample become
// ±MaxSample. It returns how many samples it changed. A float file may hold anything; one NaN would otherwise stay in
// every recursive filter behind the decoder until the end of the stream. A block that needs nothing costs almost nothing: its sum of
// squares tells.
func Scrub(planar [][]float32) (changed int) {
	for _, ch := range planar {
		if s := f32.SumOfSquares(ch); s <= MaxSample*MaxSample { // false for NaN
			continue
		}
		for i, v := range ch {
			if v >= -MaxSample && v <= MaxSample {
				continue
			}
			changed++
			switch {
			case v > MaxSample && v <= maxFloat32:
				ch[i] = MaxSample
			case v < -MaxSample && v >= -maxFloat32:
				ch[i] = -MaxSample
			default:
				ch[i] = 0
			}
		}
	}
	return changed
}

const maxFloat32 = 0x1p127 * (1 + (1 - 0x1p-23))
