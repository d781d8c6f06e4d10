package worker_test

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
	for _, c := range []struct{ file, codec string }{{"a.m4a", "aac"}, {"b.m4a", "alac"}, {"a.wv", "wavpack"}, {"a.caf", "pcm_s16le"}, {"a.wma", "wmav2"}, {"b.wma", "wmav1"}} {
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
			if lossless := c.codec == "alac" || c.codec == "wavpack"; c.file != "a.caf" && filepath.Ext(c.file) != ".wma" && (r.Info.Codec != c.codec || r.Info.Lossless != lossless) { // ffmpeg leaves the movie box at the end
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

// TestHEAAC: what package decode's testdata has of HE-AAC is analyzed and gets previews, behind the same walls.
func TestHEAAC(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	for _, name := range []string{"he-aac.m4a", "he-aac-v2.m4a", "he-aac.aac", "he-aac-v2.aac"} {
		data, err := os.ReadFile(filepath.Join("../../audio/decode/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := run(t, worker.Request{Outputs: everything, FFmpegPath: ffmpeg}, data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Info.SampleRate != 48_000 || r.Info.Channels != 2 || r.Info.Codec != "aac" || r.Duration < 1 || r.Duration > 1.25 || len(r.Previews) != 4 || !slices.Equal(r.Usage.Walls, kernelWalls()) {
			t.Errorf("%s: %+v", name, r)
		}
		_, _, err = run(t, worker.Request{Outputs: everything}, data)
		wantFailure(t, err, worker.Unsupported)
	}
}

// TestBrokenDecoder: when ffmpeg does not run, or was built without what the file needs, the decoder is blamed and not the file; a file that is
// broken still is.
func TestBrokenDecoder(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	dir := t.TempDir()
	original, made := filepath.Join(dir, "a.wav"), filepath.Join(dir, "a.m4a")
	if err := os.WriteFile(original, wav(tones(2, 48000, 3*48000), 48000), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(ffmpeg, "-v", "error", "-nostdin", "-i", original, "-c:a", "aac", made).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, text)
	}
	data, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ script, code string }{
		{"exit 3", worker.Undecoded},
		{"echo \"$0: error while loading shared libraries: libavformat.so.59: cannot open shared object file\" >&2; exit 127", worker.Undecoded},
		{"echo \"Unknown input format: 'mov'\" >&2; exit 1", worker.Undecoded},
		{"echo 'Decoder (codec aac) not found for input stream #0:0' >&2; exit 1", worker.Undecoded},
		{"echo 'Decoder (codec none) not found for input stream #0:0' >&2; exit 1", worker.Damaged}, // the file names a codec that nobody knows
		{"echo 'pipe:0: Invalid data found when processing input' >&2; exit 1", worker.Damaged},
	} {
		fake := filepath.Join(dir, "ffmpeg-"+strconv.Itoa(i))
		if err := os.WriteFile(fake, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, _, err := run(t, worker.Request{Outputs: everything, FFmpegPath: fake}, data)
		f := wantFailure(t, err, c.code)
		if blamesFile := strings.Contains(f.Text, "is damaged"); blamesFile != (c.code == worker.Damaged) {
			t.Errorf("%s: %q", c.script, f.Text)
		}
	}
	_, _, err = run(t, worker.Request{Outputs: everything, FFmpegPath: filepath.Join(dir, "none")}, data)
	wantFailure(t, err, worker.Undecoded)
	_, _, err = run(t, worker.Request{Outputs: everything, FFmpegPath: ffmpeg}, data[:len(data)/2])
	wantFailure(t, err, worker.Damaged)
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

// TestMP3Previews: the files are as long as their source to the sample, at the source's rate or half of it, and ffmpeg decodes them
// without a word.
func TestMP3Previews(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	outputs := []worker.Output{worker.MP3HQ, worker.MP3LQ, worker.MarkedMP3HQ, worker.MarkedMP3LQ}
	for _, c := range []struct{ rate, hq, lq int }{{44100, 44100, 22050}, {48000, 48000, 24000}, {32000, 32000, 16000}, {22050, 48000, 24000}, {96000, 48000, 24000}} {
		t.Run(strconv.Itoa(c.rate), func(t *testing.T) {
			t.Parallel()
			r, dir, err := run(t, worker.Request{Outputs: outputs}, wav(tones(2, c.rate, 3*c.rate), c.rate))
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outputs {
				rate, kbit := c.hq, 128
				if o == worker.MP3LQ || o == worker.MarkedMP3LQ {
					rate, kbit = c.lq, 64
				}
				f := r.Previews[o]
				text, err := exec.Command(ffmpeg, "-v", "warning", "-nostdin", "-i", filepath.Join(dir, f.Name), "-f", "s16le", "-").CombinedOutput()
				if err != nil || len(text) != 3*rate*4 {
					t.Errorf("%s: ffmpeg gives %d samples at %d Hz, %v", o, len(text)/4, rate, err)
				}
				if got := float64(f.Size) * 8 / 3 / 1000; math.Abs(got-float64(kbit)) > float64(kbit)/12 || f.MIME != "audio/mpeg" {
					t.Errorf("%s: %.0f kbit/s of %s", o, got, f.MIME)
				}
			}
		})
	}
}
