// Package likeness compares sounds by the features of package describe.
//
// A feature vector is normalized (mean 0 and deviation 1 over a reference set, cut at ±4) and kept as one signed byte each: that is what
// the database holds, so that a better space can be learned later without listening to every recording again. Project takes it into the
// space in which the cosine of two vectors says how alike two sounds are: 54 directions of the reference set's largest spread, half
// whitened (each divided by the fourth root of its variance), so that all recordings are spread out, and 10 directions that a linear
// discriminant analysis (Fisher 1936; regularized as Friedman 1989) finds to tell eleven kinds of drums apart across drum kits.
//
// Both were learned by package likeness/train, which says on what, and measures the result on kits that it never saw.
package likeness

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio/describe"
)

// Version names the features and the space. What was packed with another one does not compare.
const Version = describe.VectorVersion

// Size is the length of a packed vector in bytes; Dims that of a projected one.
const (
	Size = describe.VectorSize
	Dims = 64
)

const (
	limit = 4.0           // standard deviations
	scale = 127.0 / limit // bytes to one
	// pitchWeight is how much the pitch classes count: of 0, ½ and 1, ½ found drums of the same kind in other kits most often.
	pitchWeight = 0.5
)

// spaceFile holds little-endian float32: Size means, Size deviations, Dims rows of Size, Dims offsets.
//
//go:embed space.bin
var spaceFile []byte

// Space projects packed vectors. It is safe for concurrent use.
type Space struct {
	means, deviations []float32
	rows              [][]float32
	offsets           []float32
	// ID tells two spaces apart: what was projected by one does not compare with what another projected.
	ID string
}

// Open reads the space that the program ships.
func Open() (*Space, error) { return read(spaceFile) }

func read(b []byte) (*Space, error) {
	if want := 4 * (2*Size + Dims*Size + Dims); len(b) != want {
		return nil, fmt.Errorf("read sound space: %d bytes, not %d", len(b), want)
	}
	next := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		b = b[4*n:]
		return out
	}
	s := &Space{ID: fmt.Sprintf("%d-%08x", Version, crc32.ChecksumIEEE(b)), means: next(Size), deviations: next(Size)}
	for range Dims {
		s.rows = append(s.rows, next(Size))
	}
	s.offsets = next(Dims)
	return s, nil
}

// Pack normalizes the features of a sound. It returns nil for features of another length (silence has none).
func (s *Space) Pack(features []float64) []byte {
	if len(features) != Size {
		return nil
	}
	out := make([]byte, Size)
	for i, z := range Normalize(features, s.means, s.deviations) {
		out[i] = byte(int8(math.Round(z * scale)))
	}
	return out
}

// Normalize brings features to mean 0 and deviation 1, and cuts them at ±limit.
func Normalize(features []float64, means, deviations []float32) []float64 {
	z := slices.Clone(features)
	for i, x := range z {
		z[i] = (x - float64(means[i])) / float64(deviations[i])
		if math.IsNaN(z[i]) {
			z[i] = 0
		}
		z[i] = min(max(z[i], -limit), limit)
		if describe.IsPitchClass(i) {
			z[i] *= pitchWeight
		}
	}
	return z
}

// Project takes a packed vector into the space: Dims values whose cosine compares. It returns nil for one of another length.
func (s *Space) Project(packed []byte) []float32 {
	if len(packed) != Size {
		return nil
	}
	z := make([]float32, Size)
	for i, b := range packed {
		z[i] = float32(int8(b)) / scale
	}
	out := make([]float32, Dims)
	for d, row := range s.rows {
		out[d] = f32.DotProduct(row, z) + s.offsets[d]
	}
	return out
}
