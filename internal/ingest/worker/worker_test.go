package worker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/fingerprint"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/peaks"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/audio/spectrum"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/ingest/worker"
)

// The test binary is its own worker, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		worker.Main(os.Args[2:])
	}
	if len(os.Args) > 2 && os.Args[1] == "parent" { // a server for TestWorkerDiesWithItsServer, with standard input as the source
		_, err := worker.Start(context.Background(), worker.Request{Outputs: everything}, os.Stdin, os.Args[2], nil)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// tool finds a program or skips the test; in CI a missing program is a failure.
func tool(t testing.TB, name string) string {
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

// tones renders a mix of tones: frames per channel at a rate.
func tones(channels, rate, frames int) [][]float32 {
	planar := make([][]float32, channels)
	for c := range planar {
		planar[c] = make([]float32, frames)
		for i := range planar[c] {
			at := float64(i) / float64(rate)
			planar[c][i] = float32(.3*math.Sin(2*math.Pi*330*at) + .2*math.Sin(2*math.Pi*(990+3*float64(c))*at*(1+.01*math.Sin(at))))
		}
	}
	return planar
}

// wav builds a 16-bit WAV file with any number of channels.
func wav(planar [][]float32, rate int) []byte {
	channels, frames := len(planar), len(planar[0])
	b := append(make([]byte, 0, 44+2*channels*frames), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(36+2*channels*frames))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*2))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*2))
	b = append(b, 16, 0)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*channels*frames))
	for i := range frames {
		for c := range channels {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(float64(planar[c][i])*32767))))
		}
	}
	return b
}

// source writes bytes to a file and opens it.
func source(t testing.TB, data []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// run starts a worker on bytes and returns its result, folder and error.
func run(t testing.TB, req worker.Request, data []byte) (worker.Result, string, error) {
	t.Helper()
	dir := t.TempDir()
	req.Size = int64(len(data))
	result, err := worker.Start(t.Context(), req, source(t, data), dir, nil)
	return result, dir, err
}

var everything = []worker.Output{worker.Analysis, worker.HQ, worker.LQ, worker.MarkedHQ, worker.MarkedLQ}

func TestOnePassMakesEverything(t *testing.T) {
	t.Parallel()
	const rate, frames = 44100, 5*44100 + 7
	data := wav(tones(2, rate, frames), rate)
	var seen []worker.Progress
	dir := t.TempDir()
	r, err := worker.Start(t.Context(), worker.Request{Size: int64(len(data)), Outputs: everything}, source(t, data), dir,
		func(p worker.Progress) { seen = append(seen, p) })
	if err != nil {
		t.Fatal(err)
	}
	if r.Frames != frames || math.Abs(r.Duration-float64(frames)/rate) > 1e-9 || r.Container != "wav" || r.Info.Channels != 2 || r.Info.SampleRate != rate {
		t.Errorf("result %+v", r)
	}
	if len(seen) == 0 || seen[len(seen)-1].Stage != "finish" || seen[len(seen)-1].Fraction < .99 {
		t.Errorf("progress %+v", seen)
	}
	for _, o := range everything[1:] {
		f, ok := r.Previews[o]
		if !ok {
			t.Errorf("no preview %s", o)
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		// The last page's granule position less the pre-skip is the exact length at 48 kHz.
		last := bytes.LastIndex(data, []byte("OggS"))
		preSkip := int64(binary.LittleEndian.Uint16(data[28+10:]))
		want := int64(math.Ceil(float64(frames) * 48000 / rate))
		if got := int64(binary.LittleEndian.Uint64(data[last+6:])) - preSkip; got != want {
			t.Errorf("preview %s is %d samples long, want %d", o, got, want)
		}
	}
	if hq, lq := r.Previews[worker.HQ].Size, r.Previews[worker.LQ].Size; hq < lq*14/10 {
		t.Errorf("hq has %d bytes, lq %d", hq, lq)
	}
	a := r.Analyzed
	if a == nil {
		t.Fatal("no analysis")
	}
	if !a.Loudness.HasLoudness || a.Loudness.Integrated > -5 || a.Loudness.Integrated < -25 {
		t.Errorf("loudness %+v", a.Loudness)
	}
	if _, err := spectrum.DecodeRow(a.RowBars); err != nil {
		t.Errorf("row bars: %v", err)
	}
	if _, err := spectrum.DecodeWide(a.BigBars); err != nil {
		t.Errorf("big bars: %v", err)
	}
	if a.Centroid < 300 || a.Centroid > 3000 {
		t.Errorf("centroid %g Hz", a.Centroid)
	}
	var found map[string]any
	if err := json.Unmarshal(a.Descriptors, &found); err != nil || found["loudness"] == nil || found["spectral_centroid"] == nil || found["dynamic_range"] == nil {
		t.Errorf("descriptors: %v, %s", err, a.Descriptors)
	}
	if len(a.Vector) != describe.VectorSize || a.VectorVersion != describe.VectorVersion {
		t.Errorf("vector of %d, version %d", len(a.Vector), a.VectorVersion)
	}
	if items, err := fingerprint.Decode(a.Fingerprint); err != nil || len(items) != a.FingerprintLen || len(items) < 10 {
		t.Errorf("fingerprint: %v, %d items of %d", err, len(items), a.FingerprintLen)
	}
	dat, err := os.Open(filepath.Join(dir, a.Peaks.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer dat.Close()
	p, err := peaks.Read(dat)
	if err != nil || p.Len() != (frames+255)/256 {
		t.Errorf("peaks: %v, %d pairs, want %d", err, p.Len(), (frames+255)/256)
	}
	for kind, size := range map[string]image.Point{"energy": {800, 200}, "energy-tile": {320, 120}, "waveform-m": {120, 71}, "waveform-l": {900, 201}, "spectral-m": {120, 71}, "spectral-l": {900, 201}} {
		f, err := os.Open(filepath.Join(dir, a.Images[kind].Name))
		if err != nil {
			t.Errorf("image %s: %v", kind, err)
			continue
		}
		c, _, err := image.DecodeConfig(f)
		f.Close()
		if err != nil || c.Width != size.X || c.Height != size.Y {
			t.Errorf("image %s: %v, %d x %d", kind, err, c.Width, c.Height)
		}
	}
	if r.Usage.CPUSeconds <= 0 || r.Usage.WallSeconds <= 0 || r.Usage.PeakRSSBytes < 1<<20 || r.Usage.Stages["encode hq"] <= 0 || r.Usage.Stages["decode"] <= 0 {
		t.Errorf("usage %+v", r.Usage)
	}
	t.Logf("walls: %v", r.Usage.Walls)
	if kernel := kernelWalls(); !slices.Equal(r.Usage.Walls, kernel) {
		t.Errorf("walls %v, this kernel has %v", r.Usage.Walls, kernel)
	}
	named := map[string]bool{}
	for _, f := range r.Previews {
		named[f.Name] = true
	}
	for _, f := range a.Images {
		named[f.Name] = true
	}
	named[a.Peaks.Name] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !named[e.Name()] {
			t.Errorf("the folder holds %s, which the result does not name", e.Name())
		}
	}
}

func TestSamplesHaveOneHash(t *testing.T) {
	t.Parallel()
	flac := tool(t, "flac")
	planar := tones(2, 48000, 60001)
	data := wav(planar, 48000)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.wav"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(flac, "-s", filepath.Join(dir, "a.wav")).CombinedOutput(); err != nil {
		t.Fatalf("flac: %v: %s", err, text)
	}
	packed, err := os.ReadFile(filepath.Join(dir, "a.flac"))
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(data)
	other[len(other)-1] ^= 1
	hashes := map[string]string{}
	for name, data := range map[string][]byte{"wav": data, "flac": packed, "one bit off": other, "mono": wav(planar[:1], 48000), "other rate": wav(planar, 44100)} {
		r, _, err := run(t, worker.Request{}, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(r.PCMSHA256) != 64 {
			t.Errorf("%s: hash %q", name, r.PCMSHA256)
		}
		hashes[name] = r.PCMSHA256
	}
	if hashes["wav"] != hashes["flac"] {
		t.Error("WAV and FLAC of the same samples have different hashes")
	}
	for _, name := range []string{"one bit off", "mono", "other rate"} {
		if hashes[name] == hashes["wav"] {
			t.Errorf("%s has the hash of another sound", name)
		}
	}
}

func TestPipeAsSource(t *testing.T) {
	t.Parallel()
	data := wav(tones(1, 48000, 48000), 48000)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	go func() {
		write.Write(data) // a failure shows as a damaged sound below
		write.Close()
	}()
	r, err := worker.Start(t.Context(), worker.Request{Outputs: []worker.Output{worker.Analysis, worker.LQ}}, read, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Frames != 48000 || r.Previews[worker.LQ].Size == 0 {
		t.Errorf("result %+v", r)
	}
}

// TestMarkIsHeard marks silence: what sounds in a marked preview is the mark, in Opus and in MP3 at both bitrates, and the unmarked ones
// stay silent.
func TestMarkIsHeard(t *testing.T) {
	t.Parallel()
	silence := wav([][]float32{make([]float32, 10*48000)}, 48000)
	outputs := append(slices.Clone(everything), worker.MP3HQ, worker.MP3LQ, worker.MarkedMP3HQ, worker.MarkedMP3LQ)
	r, dir, err := run(t, worker.Request{Outputs: outputs, MarkInterval: 3, MarkSeed: 7}, silence)
	if err != nil {
		t.Fatal(err)
	}
	opus, mp3 := sniff.Kind{Container: "ogg", Codec: "opus"}, sniff.Kind{Container: "mp3", Codec: "mp3"}
	for o, want := range map[worker.Output]struct {
		kind  sniff.Kind
		marks int
	}{
		worker.HQ: {opus, 0}, worker.LQ: {opus, 0}, worker.MarkedHQ: {opus, 3}, worker.MarkedLQ: {opus, 3},
		worker.MP3HQ: {mp3, 0}, worker.MP3LQ: {mp3, 0}, worker.MarkedMP3HQ: {mp3, 3}, worker.MarkedMP3LQ: {mp3, 3},
	} {
		f, err := os.Open(filepath.Join(dir, r.Previews[o].Name))
		if err != nil {
			t.Fatal(err)
		}
		d, err := decode.Open(f, want.kind, decode.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rate := d.Info().SampleRate
		marks, frames, last := 0, 0, -rate
		for {
			block, err := d.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range block[0] {
				if math.Abs(float64(x)) > .01 {
					if at := frames + i; at-last > rate/2 {
						marks++
					}
					last = frames + i
				}
			}
			frames += len(block[0])
		}
		f.Close()
		if marks != want.marks || frames != 10*rate {
			t.Errorf("%s: %d marks in %d frames, want %d in %d", o, marks, frames, want.marks, 10*rate)
		}
	}
}

func TestManyChannelsAndRates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ channels, rate, frames int }{
		{6, 48000, 20000}, {8, 192000, 50000}, {1, 8000, 3}, {1, 1000, 2000}, {32, 44100, 9000}, {2, 44100, 1}, {1, 96000, 100000}, {2, 768000, 80000},
	} {
		t.Run(fmt.Sprintf("%d channels at %d Hz", c.channels, c.rate), func(t *testing.T) {
			t.Parallel()
			r, _, err := run(t, worker.Request{Outputs: everything}, wav(tones(c.channels, c.rate, c.frames), c.rate))
			if err != nil {
				t.Fatal(err)
			}
			if r.Frames != int64(c.frames) || r.Previews[worker.HQ].Size == 0 {
				t.Errorf("result %+v", r)
			}
		})
	}
}

// TestPreviewsOfManyChannelsAreMeasured: a fold to two channels is quieter than the original, and the measured loudness is that of the file.
func TestPreviewsOfManyChannelsAreMeasured(t *testing.T) {
	t.Parallel()
	for _, channels := range []int{1, 2, 3, 6} {
		r, dir, err := run(t, worker.Request{Outputs: everything}, wav(tones(channels, 44100, 4*44100), 44100))
		if err != nil {
			t.Fatal(err)
		}
		if channels <= 2 {
			if r.Analyzed.Preview != nil {
				t.Errorf("%d channels: previews measured apart from the original: %+v", channels, r.Analyzed.Preview)
			}
			continue
		}
		f, err := os.Open(filepath.Join(dir, r.Previews[worker.HQ].Name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d, err := decode.Open(f, sniff.Kind{Container: "ogg", Codec: "opus"}, decode.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := loudness.New(48000, 2)
		for {
			block, err := d.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			m.Write(block)
		}
		got, want := r.Analyzed.Preview, m.Result()
		if got == nil || math.Abs(got.Integrated-want.Integrated) > .2 || math.Abs(got.TruePeak-want.TruePeak) > .5 {
			t.Errorf("%d channels: measured %+v, the preview has %+v", channels, got, want)
		}
		if down := r.Analyzed.Loudness.Integrated - want.Integrated; down < 2 {
			t.Errorf("%d channels: the fold is only %.1f LU quieter: the test proves nothing", channels, down)
		}
	}
}

func wantFailure(t *testing.T, err error, code string) *worker.Failure {
	t.Helper()
	var f *worker.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a failure %s", err, code)
	}
	if f.Code != code {
		t.Fatalf("got %s (%s; %s), want %s", f.Code, f.Text, f.Detail, code)
	}
	if len(f.Text) < 20 || !strings.HasSuffix(f.Text, ".") {
		t.Errorf("text %q", f.Text)
	}
	return f
}

func TestSynthesizedSoundsPass(t *testing.T) {
	t.Parallel()
	for _, s := range synth.Catalog() {
		if s.Seconds > 3 && s.Name != "click-loop-120" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := synth.WriteWAV(&b, s.Render(), synth.SampleRate); err != nil {
				t.Fatal(err)
			}
			r, _, err := run(t, worker.Request{Outputs: everything}, b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(r.Duration-s.Seconds) > 1e-9 || math.Abs(r.Analyzed.Loudness.SamplePeak-s.Peak) > .05 {
				t.Errorf("%g s, peak %g dBFS; want %g s, %g dBFS", r.Duration, r.Analyzed.Loudness.SamplePeak, s.Seconds, s.Peak)
			}
			if s.Name == "click-loop-120" && math.Abs(r.Analyzed.Tempo-120) > 1 {
				t.Errorf("tempo %g (sure %g), want 120", r.Analyzed.Tempo, r.Analyzed.TempoSure)
			}
		})
	}
}

func TestBench(t *testing.T) {
	t.Parallel()
	files := []string{source(t, wav(tones(2, 44100, 44100), 44100)).Name(), source(t, wav(tones(1, 48000, 96000), 48000)).Name()}
	bench := worker.Bench{Runs: 2, Request: worker.Request{Outputs: []worker.Output{worker.Analysis, worker.HQ}}}
	report, err := bench.Run(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Files) != 2 || report.Total.Seconds != 3 || report.Total.Speed <= 0 || report.Files[1].Stages["encode hq"] <= 0 || report.Files[0].PeakRSS <= 1 || report.Total.Temp != 0 {
		t.Errorf("report %+v", report)
	}
	if _, err := bench.Run(t.Context(), []string{"/nonexistent.wav"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestBenchBesideOthers: the commands of the peers run, and what they leave on disk is counted.
func TestBenchBesideOthers(t *testing.T) {
	for _, name := range []string{"ffmpeg", "lame", "oggenc", "flac"} {
		tool(t, name)
	}
	data := wav(tones(2, 44100, 5*44100), 44100)
	path := source(t, data).Name()
	bench := worker.Bench{Peers: worker.Peers[:], Request: worker.Request{Outputs: []worker.Output{worker.Analysis, worker.HQ, worker.LQ}}}
	report, err := bench.Run(t.Context(), []string{path, path})
	if err != nil {
		t.Fatal(err)
	}
	one, both := report.Total.Peers["ffmpeg"], report.Total.Peers["freesound"]
	if one.CPU <= 0 || one.Ratio <= 0 || one.Temp != 0 || len(both.Steps) != 6 || both.Steps["lame --abr 192"] <= 0 || both.Temp < int64(len(data))*9/10 {
		t.Errorf("ffmpeg %+v, freesound %+v", one, both)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := bench.Run(t.Context(), []string{path}); err == nil || !strings.Contains(err.Error(), "ffmpeg is not installed") {
		t.Errorf("without tools: %v", err)
	}
}

func TestFindTool(t *testing.T) {
	t.Parallel()
	sh := tool(t, "sh")
	for _, c := range []struct{ setting, name, want string }{
		{"off", "sh", ""}, {"auto", "sh", sh}, {"auto", "no-such-program", ""}, {sh, "lame", sh},
	} {
		if got, err := worker.FindTool(c.setting, c.name); err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v", c.setting, c.name, got, err)
		}
	}
	if _, err := worker.FindTool("/nonexistent/lame", "lame"); err == nil {
		t.Error("a path that does not exist was taken")
	}
}

func TestContextKillsTheWholeGroup(t *testing.T) {
	t.Parallel()
	// A source that never ends: the worker would wait for it forever.
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		data := wav(tones(2, 48000, 48000), 48000)
		binary.LittleEndian.PutUint32(data[40:], 1<<30)
		for {
			if _, err := write.Write(data); err != nil {
				return
			}
		}
	}()
	began := time.Now()
	_, err = worker.Start(ctx, worker.Request{Outputs: everything}, read, t.TempDir(), func(worker.Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want canceled", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}
