package fingerprint_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"audiomicro/internal/audio/fingerprint"
)

// tune plays random chords with a noisy beat; the same seed gives the same tune at any rate.
func tune(rate int, seconds float64, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 11))
	x := make([]float32, int(seconds*float64(rate)))
	const note = 0.23
	var hz [3]float64
	var beat float64
	phase := [3]float64{}
	for i := range x {
		if t := float64(i) / float64(rate); i == 0 || int(t/note) != int((t-1/float64(rate))/note) {
			for k := range hz {
				hz[k] = 110 * math.Pow(2, float64(rng.IntN(36))/12)
			}
			beat = 1
		}
		v := 0.0
		for k := range hz {
			phase[k] += 2 * math.Pi * hz[k] / float64(rate)
			v += 0.12 * (math.Sin(phase[k]) + 0.4*math.Sin(2*phase[k]) + 0.2*math.Sin(3*phase[k]))
		}
		beat *= math.Exp(-20 / float64(rate))
		x[i] = float32(v * (0.4 + 0.6*beat))
	}
	return x
}

func print(t testing.TB, rate, block int, planar ...[]float32) []uint32 {
	t.Helper()
	a, err := fingerprint.New(rate, len(planar))
	if err != nil {
		t.Fatal(err)
	}
	view := make([][]float32, len(planar))
	for at := 0; at < len(planar[0]); at += block {
		for c := range planar {
			view[c] = planar[c][at:min(at+block, len(planar[c]))]
		}
		a.Write(view)
	}
	return a.Result()
}

func writeWAV(t testing.TB, path string, rate int, planar ...[]float32) {
	t.Helper()
	var b bytes.Buffer
	size := len(planar[0]) * len(planar) * 2
	b.WriteString("RIFF")
	field := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a bytes.Buffer never fails
	field(uint32(36 + size))
	b.WriteString("WAVEfmt ")
	field(uint32(16))
	field(uint16(1))
	field(uint16(len(planar)))
	field(uint32(rate))
	field(uint32(rate * len(planar) * 2))
	field(uint16(2 * len(planar)))
	field(uint16(16))
	b.WriteString("data")
	field(uint32(size))
	for i := range planar[0] {
		for _, ch := range planar {
			b.Write(binary.LittleEndian.AppendUint16(nil, uint16(int16(math.Round(float64(ch[i])*32767)))))
		}
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func fpcalc(t *testing.T, path string, flags ...string) string {
	t.Helper()
	tool, err := exec.LookPath("fpcalc")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NOT COMPARED: fpcalc is not installed")
	}
	// Debian's fpcalc 1.5.1 takes the end of a WAV file for an error: it prints the fingerprint and exits with 3.
	out, err := exec.Command(tool, append(flags, "-length", "0", path)...).Output()
	_, text, ok := strings.Cut(string(out), "FINGERPRINT=")
	if !ok {
		t.Fatalf("fpcalc printed %q: %v", out, err)
	}
	return strings.TrimSpace(text)
}

// TestAgainstFpcalc allows one bit in a thousand to differ.
func TestAgainstFpcalc(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		rate     int
		channels int
		seconds  float64
	}{
		{"mono", 44100, 1, 60}, {"stereo", 44100, 2, 60}, {"48k", 48000, 2, 40}, {"11k", 11025, 1, 30}, {"96k", 96000, 1, 20}, {"22k", 22050, 1, 30}, {"8k", 8000, 1, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			planar := [][]float32{tune(c.rate, c.seconds, 1), tune(c.rate, c.seconds, 2)}[:c.channels]
			for _, ch := range planar {
				for i, v := range ch { // what the file will hold
					ch[i] = float32(math.Round(float64(v)*32767)) / 32768
				}
			}
			path := filepath.Join(t.TempDir(), "a.wav")
			writeWAV(t, path, c.rate, planar...)
			var want []uint32
			for _, s := range strings.Split(fpcalc(t, path, "-raw"), ",") {
				v, err := strconv.ParseUint(s, 10, 32)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, uint32(v))
			}
			got := print(t, c.rate, 4096, planar...)
			if d := len(got) - len(want); d < -1 || d > 1 {
				t.Fatalf("%d items, fpcalc %d", len(got), len(want))
			}
			wrong, n := 0, min(len(got), len(want))
			for i := range n {
				wrong += bits.OnesCount32(got[i] ^ want[i])
			}
			t.Logf("%d of %d bits differ", wrong, 32*n)
			if wrong*1000 > 32*n {
				t.Errorf("%d of %d bits differ from fpcalc's", wrong, 32*n)
			}
			text := fpcalc(t, path)
			if decoded, err := fingerprint.Decode(text); err != nil || !slices.Equal(decoded, want) {
				t.Errorf("fpcalc's text decodes to something else (%v)", err)
			}
			if fingerprint.Encode(want) != text {
				t.Error("encoding fpcalc's items gives other text")
			}
		})
	}
}

func TestBlockSizeDoesNotMatter(t *testing.T) {
	t.Parallel()
	x := tune(44100, 6, 3)
	want := print(t, 44100, 1<<20, x)
	if len(want) < 20 {
		t.Fatalf("only %d items", len(want))
	}
	for _, block := range []int{100, 1365, 16384} {
		if !slices.Equal(print(t, 44100, block, x), want) {
			t.Errorf("blocks of %d give other items", block)
		}
	}
}

func TestShortStreamsHaveNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ samples, items int }{{0, 0}, {1, 0}, {4096 + 19*1365 - 1, 0}, {4096 + 19*1365, 1}, {4096 + 20*1365, 2}} {
		if got := print(t, 11025, 4096, tune(11025, 4, 1)[:c.samples]); len(got) != c.items {
			t.Errorf("%d samples gave %d items, want %d", c.samples, len(got), c.items)
		}
	}
	if _, err := fingerprint.New(0, 1); err == nil {
		t.Error("a rate of 0 was accepted")
	}
}

func TestSimilarity(t *testing.T) {
	t.Parallel()
	long := tune(22050, 40, 5)
	a := print(t, 22050, 4096, long)
	noisy := slices.Clone(long)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range noisy {
		noisy[i] = noisy[i]*0.5 + float32(0.005*rng.NormFloat64())
	}
	cut := long[10*22050:]
	big := make([]uint32, 20000)
	for i := range big {
		big[i] = rng.Uint32()
	}
	for _, c := range []struct {
		name       string
		a, b       []uint32
		low, high  float64
		from, upto int
	}{
		{"itself", a, a, 0, 0, 0, 0},
		{"quieter with noise", a, print(t, 22050, 4096, noisy), 0, 0.1, 0, 0},
		{"without the first 10 s", a, print(t, 22050, 4096, cut), 0, 0.15, 80, 82},
		{"the other way round", print(t, 22050, 4096, cut), a, 0, 0.15, -82, -80},
		{"another tune", a, print(t, 22050, 4096, tune(22050, 40, 6)), 0.3, 0.5, -1000, 1000},
		{"empty", a, nil, 1, 1, 0, 0},
		{"large, voted", big, big[7000:], 0, 0, 7000, 7000},
		{"one item", a, a[5:6], 0, 0, 5, 5},
	} {
		e, off := fingerprint.Similarity(c.a, c.b)
		if e < c.low || e > c.high || off < c.from || off > c.upto {
			t.Errorf("%s: error %.3f at %d, want %.2f…%.2f at %d…%d", c.name, e, off, c.low, c.high, c.from, c.upto)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(fingerprint.Encode(nil))
	f.Add(fingerprint.Encode([]uint32{0, 1, 0x80000000, 0xffffffff, 12345}))
	f.Add("AQAAA0mUaEkSRUoSAAAAAA")
	f.Add("____")
	f.Fuzz(func(t *testing.T, text string) {
		items, err := fingerprint.Decode(text)
		if err != nil {
			if !errors.Is(err, fingerprint.ErrEncoding) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		back, err := fingerprint.Decode(fingerprint.Encode(items))
		if err != nil || !slices.Equal(back, items) {
			t.Fatalf("%d items do not survive: %v", len(items), err)
		}
	})
}

func BenchmarkStereo44100(b *testing.B) {
	x := tune(44100, 10, 1)
	a, err := fingerprint.New(44100, 2)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for at := 0; at < len(x); at += 4410 {
			a.Write([][]float32{x[at : at+4410], x[at : at+4410]})
		}
	}
	b.ReportMetric(float64(b.N)*10/b.Elapsed().Seconds(), "x-realtime")
}
