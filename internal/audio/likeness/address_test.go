package likeness

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzAddress: a vector's address reads back to its direction, and whatever else stands in an address gets a vector or an error.
func FuzzAddress(f *testing.F) {
	s, err := Open()
	if err != nil {
		f.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	v := make([]float32, Dims)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	written := s.Address(v)
	back, err := s.FromAddress(written)
	if err != nil {
		f.Fatal(err)
	}
	if c := cosine(v, back); c < .999 {
		f.Fatalf("the address points elsewhere, cosine %g", c)
	}
	f.Add(written)
	f.Add(written[:40] + strings.Repeat("\n", len(written)-40)) // as long, and less in it
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := s.FromAddress(text)
		if err != nil {
			return
		}
		again, err := s.FromAddress(s.Address(v))
		if err != nil || cosine(v, again) < .999 {
			t.Fatalf("%q is read as another direction when it is written again: %v", text, err)
		}
	})
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}
