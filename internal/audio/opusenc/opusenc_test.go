package opusenc_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"audiomicro/internal/audio/opusenc"
)

// tool finds a program or skips the test; in CI a missing program is a failure.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", name)
		}
		t.Skipf("SKIPPED: %s is not installed", name)
	}
	return path
}

// music is a chord with a slow swell and a little noise: enough for every part of the codec to work.
func music(channels, frames int) [][]float32 {
	planar := make([][]float32, channels)
	seed := uint32(1)
	for c := range planar {
		planar[c] = make([]float32, frames)
		for i := range planar[c] {
			at := float64(i) / opusenc.SampleRate
			seed = seed*1664525 + 1013904223
			noise := float64(int32(seed)) / (1 << 31)
			x := .2*math.Sin(2*math.Pi*220*at) + .15*math.Sin(2*math.Pi*(277.2+float64(c))*at) + .1*math.Sin(2*math.Pi*1320*at)
			planar[c][i] = float32(x*(.6+.4*math.Sin(2*math.Pi*.5*at)) + .005*noise)
		}
	}
	return planar
}

func encode(t *testing.T, planar [][]float32, block int, opt opusenc.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	e, err := opusenc.New(&out, opt)
	if err != nil {
		t.Fatal(err)
	}
	frames := len(planar[0])
	for at := 0; at < frames; at += block {
		part := make([][]float32, len(planar))
		for c := range part {
			part[c] = planar[c][at:min(at+block, frames)]
		}
		if err := e.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e.Samples() != int64(frames) {
		t.Fatalf("encoder counted %d samples of %d", e.Samples(), frames)
	}
	return out.Bytes()
}

func TestLengthIsExact(t *testing.T) {
	t.Parallel()
	decoder := tool(t, "opusdec")
	probe := tool(t, "ffprobe")
	cases := []struct {
		frames, channels, out, bitrate, block int
	}{
		{1, 1, 1, 48000, 1}, {959, 1, 1, 48000, 100}, {960, 2, 2, 96000, 960}, {961, 2, 2, 96000, 7},
		{648, 1, 1, 96000, 16384}, {649, 1, 1, 96000, 16384}, {48000, 2, 2, 48000, 4096}, {100001, 2, 1, 48000, 4096},
		{200003, 6, 2, 96000, 16384}, {50000, 1, 2, 96000, 16384},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d frames %d to %d channels", c.frames, c.channels, c.out), func(t *testing.T) {
			t.Parallel()
			data := encode(t, music(c.channels, c.frames), c.block, opusenc.Options{Bitrate: c.bitrate, Channels: c.out, Complexity: 5})
			dir := t.TempDir()
			file, raw := filepath.Join(dir, "a.opus"), filepath.Join(dir, "a.raw")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if text, err := exec.Command(decoder, "--quiet", "--rate", "48000", "--float", file, raw).CombinedOutput(); err != nil {
				t.Fatalf("opusdec: %v: %s", err, text)
			}
			stat, err := os.Stat(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := stat.Size() / int64(4*c.out); got != int64(c.frames) {
				t.Errorf("opusdec gave %d samples, want %d", got, c.frames)
			}
			text, err := exec.Command(probe, "-v", "error", "-show_entries", "stream=duration_ts,start_pts,channels", "-of", "default=nw=1", file).CombinedOutput()
			if err != nil {
				t.Fatalf("ffprobe: %v: %s", err, text)
			}
			number := func(key string) int64 {
				m := regexp.MustCompile(key + `=(-?\d+)`).FindSubmatch(text)
				if m == nil {
					t.Fatalf("no %s in %s", key, text)
				}
				n, _ := strconv.ParseInt(string(m[1]), 10, 64)
				return n
			}
			// ffprobe counts the pre-skip in: the stream runs from 0 to pre-skip + samples.
			preSkip := int64(binary.LittleEndian.Uint16(data[28+10:]))
			if got := number("duration_ts") - preSkip; got < int64(c.frames)-1 || got > int64(c.frames)+1 {
				t.Errorf("ffprobe gave %d samples, want %d (pre-skip %d, start %d)", got, c.frames, preSkip, number("start_pts"))
			}
			if got := number("channels"); got != int64(c.out) {
				t.Errorf("%d channels, want %d", got, c.out)
			}
		})
	}
}

func TestSoundSurvives(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	for _, c := range []struct {
		name            string
		channels, rate  int
		minimumSNR, max float64
	}{{"stereo 96", 2, 96000, 18, .3}, {"stereo 48", 2, 48000, 12, .3}, {"mono 96", 1, 96000, 18, .3}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source := music(c.channels, 10*opusenc.SampleRate)
			data := encode(t, source, 4096, opusenc.Options{Bitrate: c.rate, Channels: c.channels, Complexity: 5})
			file := filepath.Join(t.TempDir(), "a.opus")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			raw, err := exec.Command(ffmpeg, "-v", "error", "-nostdin", "-c:a", "libopus", "-i", file, "-f", "f32le", "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			var signal, noise, decoded float64
			for i := range len(raw) / 4 / c.channels {
				for ch := range c.channels {
					got := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(i*c.channels+ch):])))
					want := float64(source[ch][i])
					signal += want * want
					decoded += got * got
					noise += (got - want) * (got - want)
				}
			}
			if snr := 10 * math.Log10(signal/noise); snr < c.minimumSNR {
				t.Errorf("SNR %.1f dB, want at least %.0f", snr, c.minimumSNR)
			} else {
				t.Logf("SNR %.1f dB", snr)
			}
			if change := 10 * math.Log10(decoded/signal); math.Abs(change) > c.max {
				t.Errorf("level changed by %.2f dB", change)
			}
		})
	}
}

func TestFileHasNoPersonalData(t *testing.T) {
	t.Parallel()
	data := encode(t, music(1, 5000), 5000, opusenc.Options{Bitrate: 48000, Channels: 1, Complexity: 5})
	at := bytes.Index(data, []byte("OpusTags"))
	want := "OpusTags\x0a\x00\x00\x00AudioMicro\x00\x00\x00\x00OggS"
	if at < 0 || !bytes.HasPrefix(data[at:], []byte(want)) {
		t.Errorf("comment header is %q", data[max(at, 0):at+40])
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]opusenc.Options{
		"no channels":     {Bitrate: 48000},
		"three channels":  {Bitrate: 48000, Channels: 3},
		"bitrate too low": {Bitrate: 10, Channels: 1},
		"complexity":      {Bitrate: 48000, Channels: 1, Complexity: 11},
	} {
		if _, err := opusenc.New(&bytes.Buffer{}, opt); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	e, err := opusenc.New(&bytes.Buffer{}, opusenc.Options{Bitrate: 48000, Channels: 2, Complexity: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Write(music(2, 100)); err != nil {
		t.Fatal(err)
	}
	if err := e.Write(music(1, 100)); err == nil {
		t.Error("a change of channels was accepted")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Write(music(2, 100)); err == nil {
		t.Error("a write after close was accepted")
	}
}
