package worker_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audiomicro/internal/ingest/worker"
)

func TestFormatsThatNeedFFmpeg(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	dir := t.TempDir()
	original := filepath.Join(dir, "a.wav")
	if err := os.WriteFile(original, wav(tones(2, 48000, 3*48000), 48000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, codec string }{{"a.m4a", "aac"}, {"b.m4a", "alac"}, {"a.wv", "wavpack"}, {"a.caf", "pcm_s16le"}} {
		t.Run(c.file+" "+c.codec, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, c.file)
			if text, err := exec.Command(ffmpeg, "-v", "error", "-nostdin", "-i", original, "-c:a", c.codec, path).CombinedOutput(); err != nil {
				t.Fatalf("ffmpeg: %v: %s", err, text)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r, _, err := run(t, worker.Request{Outputs: everything, FFmpegPath: ffmpeg}, data)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(r.Duration-3) > .05 || r.Info.Channels != 2 || len(r.Previews) != 4 {
				t.Errorf("result %+v", r)
			}
			if lossless := c.codec == "alac" || c.codec == "wavpack"; c.file != "a.caf" && (r.Info.Codec != c.codec || r.Info.Lossless != lossless) { // ffmpeg leaves the movie box at the end
				t.Errorf("codec %q, lossless %v", r.Info.Codec, r.Info.Lossless)
			}
			if !slices.Equal(r.Usage.Walls, kernelWalls()) {
				t.Errorf("walls %v", r.Usage.Walls)
			}
			_, _, err = run(t, worker.Request{Outputs: everything}, data)
			wantFailure(t, err, worker.Unsupported)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			go func() {
				write.Write(data) // a failure shows as a damaged sound below
				write.Close()
			}()
			if _, err := worker.Start(t.Context(), worker.Request{Outputs: everything, FFmpegPath: ffmpeg}, read, t.TempDir(), nil); err != nil {
				t.Errorf("through a pipe: %v", err)
			}
		})
	}
}

// TestFilm: a film has sound too, but whoever downloads a recording expects no pictures.
func TestFilm(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	path := filepath.Join(t.TempDir(), "a.mp4")
	args := []string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=d=2:s=640x480", "-f", "lavfi", "-i", "anoisesrc=d=2", "-c:v", "mpeg4", "-q:v", "2", "-c:a", "aac", path}
	if text, err := exec.Command(ffmpeg, args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, text)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = run(t, worker.Request{Outputs: everything, FFmpegPath: ffmpeg}, data)
	if f := wantFailure(t, err, worker.Unsupported); !strings.Contains(f.Text, "a film") {
		t.Errorf("%q", f.Text)
	}
}

func TestMP3Previews(t *testing.T) {
	t.Parallel()
	probe := tool(t, "ffprobe")
	data := wav(tones(2, 44100, 3*44100), 44100)
	outputs := []worker.Output{worker.MP3HQ, worker.MP3LQ, worker.MarkedMP3LQ}
	for name, req := range map[string]worker.Request{
		"ffmpeg": {Outputs: outputs, FFmpegPath: tool(t, "ffmpeg")},
		"lame":   {Outputs: outputs, LamePath: tool(t, "lame")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, dir, err := run(t, req, data)
			if err != nil {
				var f *worker.Failure
				if errors.As(err, &f) {
					t.Fatalf("%v (%s)", err, f.Detail)
				}
				t.Fatal(err)
			}
			for _, o := range outputs {
				text, err := exec.Command(probe, "-v", "error", "-show_entries", "format=duration,bit_rate:stream=codec_name,channels", "-of", "json", filepath.Join(dir, r.Previews[o].Name)).Output()
				if err != nil {
					t.Fatalf("%s: %v", o, err)
				}
				var got struct {
					Streams []struct {
						Codec    string `json:"codec_name"`
						Channels int
					}
					Format struct {
						Duration float64 `json:",string"`
						BitRate  float64 `json:"bit_rate,string"`
					}
				}
				if err := json.Unmarshal(text, &got); err != nil {
					t.Fatal(err)
				}
				want := 64000.
				if o == worker.MP3HQ {
					want = 128000
				}
				if len(got.Streams) != 1 || got.Streams[0].Codec != "mp3" || got.Streams[0].Channels != 2 || math.Abs(got.Format.Duration-3) > .06 || math.Abs(got.Format.BitRate-want) > want/20 {
					t.Errorf("%s: %s", o, text)
				}
			}
		})
	}
}

func TestNoMP3Encoder(t *testing.T) {
	t.Parallel()
	data := wav(tones(1, 48000, 4800), 48000)
	for name, req := range map[string]worker.Request{
		"none":      {Outputs: []worker.Output{worker.MP3HQ}},
		"not there": {Outputs: []worker.Output{worker.MP3HQ, worker.HQ}, LamePath: "/nonexistent/lame"},
		"breaks":    {Outputs: []worker.Output{worker.HQ, worker.MP3HQ}, LamePath: tool(t, "false")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := run(t, req, data)
			wantFailure(t, err, worker.NoEncoder)
		})
	}
}
