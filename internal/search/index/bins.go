package index

import (
	"math"
	"strconv"
)

// The edges of the histograms; a bin is from its edge up to, not including, the next, and the last is open.
var (
	lengthEdges   = []float32{0, .25, .5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 30, 60, 120, 300, 600}             // seconds
	tempoEdges    = []float32{0, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 200}          // beats per minute
	loudnessEdges = []float32{float32(math.Inf(-1)), -45, -40, -36, -32, -28, -25, -22, -19, -16, -13, -10} // LUFS
)

// binEdges are the edges of a histogram's dictionary, nil for other dictionaries.
func binEdges(d int) []float32 {
	switch d {
	case dLength:
		return lengthEdges
	case dTempo:
		return tempoEdges
	case dLoudness:
		return loudnessEdges
	}
	return nil
}

// binOf is the bin of v.
func binOf(d int, v float32) int {
	edges := binEdges(d)
	for i := len(edges) - 1; i > 0; i-- {
		if v >= edges[i] {
			return i
		}
	}
	return 0
}

func binName(i int) string { return strconv.Itoa(i) }

// binSpan is the span of a bin, from low up to, not including, high.
func binSpan(d, i int) (low, high float64) {
	edges := binEdges(d)
	low, high = float64(edges[i]), math.Inf(1)
	if i+1 < len(edges) {
		high = float64(edges[i+1])
	}
	return low, high
}
