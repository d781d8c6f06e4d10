package mp3enc_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/mp3enc"
	"audiomicro/internal/audio/resample"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/audio/synth"
)

// encode writes planar sound into a file, in blocks of odd sizes.
func encode(t testing.TB, planar [][]float32, opt mp3enc.Options) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "a.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, err := mp3enc.New(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	for at, n := 0, 1; at < len(planar[0]); n = n*7%4096 + 1 {
		to := min(at+n, len(planar[0]))
		block := make([][]float32, len(planar))
		for c := range block {
			block[c] = planar[c][at:to]
		}
		if err := e.Write(block); err != nil {
			t.Fatal(err)
		}
		at = to
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// decoded is the sound of a file by our own decoder.
func decoded(t testing.TB, path string) (planar [][]float32, rate int) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind, err := sniff.Detect(file[:min(len(file), sniff.HeadSize)])
	if err != nil {
		t.Fatal(err)
	}
	d, err := decode.Open(bytes.NewReader(file), kind, decode.Options{Size: int64(len(file))})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	planar = make([][]float32, d.Info().Channels)
	for {
		block, err := d.Next()
		if errors.Is(err, io.EOF) {
			return planar, d.Info().SampleRate
		}
		if err != nil {
			t.Fatal(err)
		}
		for c := range block {
			planar[c] = append(planar[c], block[c]...)
		}
	}
}

// resampled changes the rate of a whole sound.
func resampled(t testing.TB, planar [][]float32, from, to int) [][]float32 {
	t.Helper()
	if from == to {
		return planar
	}
	r, err := resample.New(from, to, len(planar), resample.Encode)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(planar))
	add := func(block [][]float32) {
		for c := range block {
			out[c] = append(out[c], block[c]...)
		}
	}
	add(r.Write(planar))
	add(r.Flush())
	return out
}

// snr of b as a copy of a, in dB. fit undoes a gain first: lame makes everything 0.45 dB quieter at constant bitrates.
func snr(a, b [][]float32, fit bool) float64 {
	gain := 1.
	if fit {
		var ab, bb float64
		for c := range a {
			for i, v := range b[c][:min(len(a[c]), len(b[c]))] {
				ab += float64(a[c][i]) * float64(v)
				bb += float64(v) * float64(v)
			}
		}
		gain = ab / bb
	}
	var signal, noise float64
	for c := range a {
		for i, v := range a[c] {
			d := float64(v)
			signal += d * d
			if i < len(b[c]) {
				d -= gain * float64(b[c][i])
			}
			noise += d * d
		}
	}
	return 10 * math.Log10(signal/(noise+1e-20))
}

func lufs(planar [][]float32, rate int) float64 {
	m := loudness.New(rate, len(planar))
	m.Write(planar)
	return m.Result().Integrated
}

// sounds are materials of different kinds at 44.1 kHz: what the site's own catalog has, and the extremes.
func sounds() map[string][][]float32 {
	all := map[string][][]float32{}
	for _, s := range synth.Catalog() {
		planar := s.Render()
		for c := range planar {
			planar[c] = planar[c][:min(len(planar[c]), 8*synth.SampleRate)]
		}
		all[s.Name] = planar
	}
	const n = 2 * 44100
	r := rand.New(rand.NewPCG(1, 2))
	make2 := func(f func(i int) float32) [][]float32 {
		p := [][]float32{make([]float32, n), make([]float32, n)}
		for i := range n {
			p[0][i], p[1][i] = f(i), f(i)
		}
		return p
	}
	all["silence"] = make2(func(int) float32 { return 0 })
	all["square"] = make2(func(i int) float32 { return float32(1 - 2*(i/50%2)) })
	all["impulses"] = make2(func(i int) float32 {
		if i%9973 == 5000 {
			return 1
		}
		return 0
	})
	all["noise"] = make2(func(int) float32 { return r.Float32() - .5 })
	all["overs"] = make2(func(i int) float32 { return 3 * float32(math.Sin(float64(i)/20)) })
	all["nan"] = make2(func(i int) float32 { return float32(math.Log(float64(i%100 - 50))) })
	all["quiet"] = make2(func(int) float32 { return (r.Float32() - .5) / 16384 })
	return all
}

// TestLength encodes sounds of every awkward length and kind, and finds each sample back in its place.
func TestLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 47, 48, 575, 576, 577, 622, 623, 624, 1151, 1152, 1153, 5000} {
		for channels := 1; channels <= 2; channels++ {
			for _, rate := range []int{48000, 44100, 32000, 24000, 22050, 16000} {
				planar := make([][]float32, channels)
				for c := range planar {
					planar[c] = make([]float32, n)
					for i := range planar[c] {
						planar[c][i] = float32(math.Sin(float64(i)/7) * .5)
					}
				}
				path := encode(t, planar, mp3enc.Options{InputRate: rate, Channels: channels, Bitrate: 128000})
				back, fileRate := decoded(t, path)
				if fileRate != rate || len(back) != channels || len(back[0]) != n {
					t.Errorf("%d samples of %d channels at %d Hz came back as %d of %d at %d Hz", n, channels, rate, len(back[0]), len(back), fileRate)
				}
				if n > 500 {
					if got := snr(planar, back, false); got < 25 {
						t.Errorf("%d samples of %d channels at %d Hz: %.1f dB", n, channels, rate, got)
					}
				}
			}
		}
	}
}
