package decode_test

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/decode"
)

// TestHEAAC decodes what ffmpeg cannot encode: AAC with spectral band replication, and with parametric stereo too. testdata holds a second of
// tones of 500 Hz on the left and 750 Hz on the right under noise at 48 kHz, made with fdkaac 1.0.0 (profiles 5 at 40 and 29 at 24 kbit/s; in M4A, where
// the extension is told, and in ADTS, where a decoder has to look for it). The core has 24 kHz, and of version 2 one channel: a decoder that
// does not know the extensions finds nothing above 12 kHz, at half the rate, and the same on both sides.
func TestHEAAC(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	const rate = 48_000
	for _, name := range []string{"he-aac.m4a", "he-aac.aac", "he-aac-v2.m4a", "he-aac-v2.aac"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", name)
			if d := decodeFile(t, path, decode.Options{}); !errors.Is(d.err, audio.ErrUnsupported) {
				t.Errorf("without ffmpeg: %v", d.err)
			}
			d := decodeFile(t, path, decode.Options{FFmpegPath: ffmpeg, TempDir: t.TempDir()})
			if d.err != nil {
				t.Fatal(d.err)
			}
			if d.info.SampleRate != rate || d.info.Channels != 2 || d.info.Codec != "aac" || d.info.Lossless {
				t.Fatalf("%+v", d.info)
			}
			if d.info.Frames != 0 && d.info.Frames != int64(d.frames()) {
				t.Errorf("the header says %d frames, there are %d", d.info.Frames, d.frames())
			}
			if s := float64(d.frames()) / rate; s < 1 || s > 1.25 { // the padding of the encoder, which ADTS cannot tell
				t.Errorf("%.3f s", s)
			}
			if diff := difference(d.samples, reference(t, path, 2)); diff < 0 || diff > 1e-6 {
				t.Errorf("differs from ffmpeg by %g", diff)
			}
			for c, want := range []float64{500, 750} {
				x := d.samples[c][rate/4 : 3*rate/4]
				own, other := tone(x, want, rate), tone(x, 1250-want, rate)
				if math.Abs(own-0.25) > 0.05 || other > own/3 {
					t.Errorf("channel %d: %.3f of its own tone, %.3f of the other's", c, own, other)
				}
				highs := 0.0
				for hz := 12_600.0; hz < 15_000; hz += 24 { // every twelfth of the frequencies that half a second tells apart
					a := tone(x, hz, rate)
					highs += 12 * a * a / 2
				}
				if db := 10 * math.Log10(highs+1e-20); db < -60 || db > -35 {
					t.Errorf("channel %d: %.1f dB above 12.6 kHz", c, db)
				}
			}
		})
	}
}

// tone is the amplitude of a frequency in half a second of x.
func tone(x []float32, hz, rate float64) float64 {
	var re, im float64
	step := 2 * math.Pi * hz / rate
	for i, v := range x {
		re += float64(v) * math.Cos(step*float64(i))
		im += float64(v) * math.Sin(step*float64(i))
	}
	return 2 * math.Hypot(re, im) / float64(len(x))
}
