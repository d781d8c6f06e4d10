package likeness

import (
	"math"
	"math/rand/v2"
	"testing"

	"audiomicro/internal/audio/describe"
)

// TestPack keeps every feature within half a step of its normalized value, and refuses what is no vector.
func TestPack(t *testing.T) {
	t.Parallel()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	features := make([]float64, Size)
	for i := range features {
		features[i] = float64(s.means[i]) + float64(s.deviations[i])*r.NormFloat64()*3 // some beyond the limit
	}
	features[7], features[9] = math.Inf(1), math.NaN()
	packed := s.Pack(features)
	if len(packed) != Size {
		t.Fatalf("packed to %d bytes", len(packed))
	}
	cut := 0
	for i, z := range Normalize(features, s.means, s.deviations) {
		if got := float64(int8(packed[i])) / scale; math.Abs(got-z) > .51/scale {
			t.Errorf("feature %d: %g for %g", i, got, z)
		}
		most := limit
		if describe.IsPitchClass(i) {
			most *= pitchWeight
		}
		if math.Abs(z) > most {
			t.Errorf("feature %d is %g", i, z)
		}
		if math.Abs(z) == most {
			cut++
		}
	}
	if cut < 10 {
		t.Errorf("%d features were cut", cut)
	}
	if packed[9] != 0 || int8(packed[7]) != int8(limit*scale) {
		t.Errorf("not a number %d, infinite %d", int8(packed[9]), int8(packed[7]))
	}
	if s.Pack(nil) != nil || s.Pack(features[1:]) != nil || s.Project(nil) != nil || s.Project(packed[1:]) != nil {
		t.Error("a vector of another length was taken")
	}
	if _, err := read(spaceFile[4:]); err == nil {
		t.Error("a cut space was read")
	}
}

// TestMeasure on five sounds whose neighbors are known.
func TestMeasure(t *testing.T) {
	t.Parallel()
	sounds := []Labeled{
		{[]float32{1, 0}, "kick", "a"}, {[]float32{1, .1}, "kick", "b"}, {[]float32{0, 1}, "snare", "a"}, {[]float32{.1, 1}, "kick", "b"},
		{[]float32{1, 1}, "bell", "b"}, // asks in vain
	}
	// The kick of a finds a kick, the bell, a kick: (1 + 2/3)/2. That of b finds the first kick: 1. The snare has no other. The false kick
	// finds the snare first: 1/2.
	got := Measure(sounds, nil)
	if got.Queries != 3 || math.Abs(got.P1-2./3) > 1e-9 || math.Abs(got.MAP-(5./6+1+.5)/3) > 1e-9 || math.Abs(got.P5-(.4+.2+.2)/3) > 1e-9 {
		t.Errorf("measured %+v", got)
	}
	if one := Measure(sounds, func(l Labeled) bool { return l.Group == "a" }); one.Queries != 1 || one.P1 != 1 {
		t.Errorf("measured for one group %+v", one)
	}
}

// TestDrumKind on names of several collections' habits.
func TestDrumKind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"kit/BD_01.aiff": "kick", "kit/PearlSnareRimshot-Hard.wav": "rim", "kit/HiHatSemiopen-1.wav": "open hat", "kit/SabianHatClosed-Soft.wav": "closed hat",
		"kit/t1_02.flac": "tom", "kit/floortom_01.flac": "tom", "kit/crash20i__crash.flac": "crash", "kit/cc_01.flac": "crash", "kit/crash16i__ride2.flac": "ride",
		"kit/emptySample.flac": "", "clap/beats_01-10.flac": "", "kit/mc_cb.flac": "cowbell", "kit/CajonSlaps-Med.wav": "hand drum",
	} {
		if got := DrumKind(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
}
