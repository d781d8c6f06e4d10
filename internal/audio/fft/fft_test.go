package fft_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"audiomicro/internal/audio/fft"
)

// TestAgainstTheDefinition compares with the sum that defines the transform, in float64.
func TestAgainstTheDefinition(t *testing.T) {
	t.Parallel()
	for _, n := range []int{8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096} {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		x, w := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
			w[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n)))
		}
		p, err := fft.New(n)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, n/2+1)
		p.Power(got, x, w)
		first := append([]float32(nil), got...)
		p.Power(got, x, w)
		want := make([]float64, n/2+1)
		top := 0.0
		for k := range want {
			var re, im float64
			for i := range x {
				v := float64(x[i] * w[i])
				sin, cos := math.Sincos(-2 * math.Pi * float64(k*i%n) / float64(n))
				re += v * cos
				im += v * sin
			}
			want[k] = math.Hypot(re, im)
			top = max(top, want[k])
		}
		for k, v := range got {
			if d := math.Abs(math.Sqrt(float64(v)) - want[k]); d > 1e-6*top || v != first[k] {
				t.Fatalf("length %d, bin %d: %g (first run %g), want %g", n, k, math.Sqrt(float64(v)), math.Sqrt(float64(first[k])), want[k])
			}
		}
	}
}

func TestAutocorrelation(t *testing.T) {
	t.Parallel()
	for _, n := range []int{8, 16, 64, 512, 2048} {
		rng := rand.New(rand.NewPCG(uint64(n), 2))
		x, w := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], w[i] = float32(rng.NormFloat64()), 1
		}
		p, err := fft.New(n)
		if err != nil {
			t.Fatal(err)
		}
		power, got := make([]float32, n/2+1), make([]float32, n/2+1)
		p.Power(power, x, w)
		p.Autocorrelation(got, power)
		energy := 0.0
		for _, v := range x {
			energy += float64(v) * float64(v)
		}
		for lag, v := range got {
			want := 0.0
			for i := range x {
				want += float64(x[i]) * float64(x[(i+lag)%n])
			}
			if math.Abs(float64(v)-want) > 1e-5*energy {
				t.Fatalf("length %d, lag %d: %g, want %g", n, lag, v, want)
			}
		}
	}
}

func TestOddLengthsAreRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-8, 0, 4, 9, 1000, 1 << 21} {
		if _, err := fft.New(n); err == nil {
			t.Errorf("length %d was accepted", n)
		}
	}
}

func BenchmarkPower2048(b *testing.B) {
	p, err := fft.New(2048)
	if err != nil {
		b.Fatal(err)
	}
	x, w, dst := make([]float32, 2048), make([]float32, 2048), make([]float32, 1025)
	for i := range x {
		x[i], w[i] = float32(i%77)/77, 1
	}
	for b.Loop() {
		p.Power(dst, x, w)
	}
}
