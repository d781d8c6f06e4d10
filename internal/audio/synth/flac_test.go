package synth_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/audio/synth"
)

func decoded(t *testing.T, file []byte) (planar [][]float32, rate int) {
	t.Helper()
	kind, err := sniff.Detect(file[:min(len(file), sniff.HeadSize)])
	if err != nil {
		t.Fatal(err)
	}
	d, err := decode.Open(bytes.NewReader(file), kind, decode.Options{})
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

func TestFLACHoldsWhatWAVHolds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 4))
	signal := func(frames int, f func(i int) float64) []float32 {
		x := make([]float32, frames)
		for i := range x {
			x[i] = float32(f(i))
		}
		return x
	}
	noise := func(int) float64 { return 2*random.Float64() - 1 }
	tone := func(i int) float64 { return .5 * math.Sin(float64(i)*.05) }
	cases := map[string][][]float32{
		"a tone":               {signal(10_000, tone)},
		"noise, full scale":    {signal(9000, noise), signal(9000, noise)},
		"square, full scale":   {signal(5000, func(i int) float64 { return float64(i/7%2*2 - 1) })},
		"silence and a tone":   {signal(8192, func(int) float64 { return 0 }), signal(8192, tone)},
		"one sample":           {{.25}},
		"three samples":        {{.25, -.5, 1}, {-1, 0, 1}},
		"one block exactly":    {signal(4096, tone)},
		"a click in silence":   {signal(4100, func(i int) float64 { return float64(i / 4000 % 2) })},
		"beyond full scale":    {signal(100, func(i int) float64 { return 3 * noise(i) })},
		"more than 128 frames": {signal(4096*130+5, tone)},
		"a synthesized sound":  synth.Catalog()[4].Render(),
	}
	flac, lookErr := exec.LookPath("flac")
	if lookErr != nil && os.Getenv("CI") == "true" {
		t.Fatal("flac is missing")
	}
	for name, planar := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var packed, plain bytes.Buffer
			if err := errors.Join(synth.WriteFLAC(&packed, planar, 48000), synth.WriteWAV(&plain, planar, 48000)); err != nil {
				t.Fatal(err)
			}
			got, rate := decoded(t, packed.Bytes())
			want, _ := decoded(t, plain.Bytes())
			if rate != 48000 || len(got) != len(want) || len(got[0]) != len(want[0]) {
				t.Fatalf("%d channels of %d frames at %d Hz", len(got), len(got[0]), rate)
			}
			for c := range want {
				for i := range want[c] {
					if got[c][i] != want[c][i] {
						t.Fatalf("channel %d frame %d: %v, want %v", c, i, got[c][i], want[c][i])
					}
				}
			}
			if lookErr != nil {
				t.Log("SKIPPED the check by flac: it is not installed")
				return
			}
			cmd := exec.Command(flac, "-s", "-t", "-w", "-")
			cmd.Stdin = bytes.NewReader(packed.Bytes())
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("flac -t: %v: %s", err, text)
			}
		})
	}
	var sound bytes.Buffer
	pad := synth.Catalog()[9].Render()
	if err := synth.WriteFLAC(&sound, pad, synth.SampleRate); err != nil {
		t.Fatal(err)
	}
	if ratio := float64(sound.Len()) / float64(6*len(pad[0])); ratio > .75 {
		t.Errorf("FLAC takes %.2f of PCM", ratio)
	}
	if err := synth.WriteFLAC(&sound, nil, 48000); err == nil {
		t.Error("a sound without channels was written")
	}
}
