package contour

import (
	"math"
	"math/bits"
)

// Sketch is a set of 512: the turns of two and of three steps that a contour has, hashed. Two contours with a part in common share
// bits.
type Sketch [8]uint64

func (s *Sketch) add(half, hash uint64) {
	hash *= 0x9E3779B97F4A7C15 // Fibonacci hashing (Knuth, volume 3, 6.4)
	bit := half<<8 | hash>>56
	s[bit>>6] |= 1 << (bit & 63)
}

// Hits is how many more turns of a query are in s than chance puts there.
func (s *Sketch) Hits(query *Sketch) float64 {
	hits, filled, asked := 0, 0, 0
	for i, w := range s {
		hits += bits.OnesCount64(w & query[i])
		filled += bits.OnesCount64(w)
		asked += bits.OnesCount64(query[i])
	}
	return float64(hits) - float64(asked*filled)/512
}

// MelodySketch sketches a packed melody. A query's steps that lie between two semitones count as both.
func MelodySketch(packed []byte, query bool) (s Sketch) {
	events := melodyEvents(packed)
	var last, before []int
	for i := 1; i < len(events); i++ {
		step := events[i].value - events[i-1].value
		near := []int{int(math.Round(step))}
		if frac := step - math.Floor(step); query && frac > .2 && frac < .8 {
			near = []int{int(math.Floor(step)), int(math.Ceil(step))}
		}
		for _, c := range near {
			for _, b := range last {
				s.add(0, uint64(b+200)<<16|uint64(c+200))
				for _, a := range before {
					s.add(1, uint64(a+200)<<32|uint64(b+200)<<16|uint64(c+200))
				}
			}
		}
		before, last = last, near
	}
	return s
}

// RhythmSketch sketches a packed rhythm, which begins again at its end: kinds of strokes, and how much longer one time is than the one before.
func RhythmSketch(packed []byte, query bool) (s Sketch) {
	n := len(packed) / 2
	wrap := n
	if query {
		wrap = n - 2 // nobody ends on the beat
	}
	kind := func(i int) uint64 { return uint64(packed[2*(i%n)]) }
	ratio := func(i int) uint64 {
		return uint64(4 + min(max(math.Round((float64(packed[2*((i+1)%n)+1])-float64(packed[2*(i%n)+1]))/perOctave), -2), 2))
	}
	for i := range max(wrap, 0) {
		s.add(0, kind(i)<<16|kind(i+1)<<8|ratio(i))
		s.add(1, kind(i)<<24|kind(i+1)<<16|kind(i+2)<<8|ratio(i))
	}
	return s
}
