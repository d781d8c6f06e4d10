//go:build truth

package worker_test

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/fingerprint"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/ingest/worker"
)

// figure is one thing that is compared over all files.
type figure struct {
	key   string
	name  string
	bound float64
	unit  string
	files []deviation
}

// deviation is how far one file is from the reference.
type deviation struct {
	file  string
	value float64
}

// figures of the truth table by their keys. A bound of 0 asks for equality, and a value of 1 means that it is not there.
func figures() map[string]*figure {
	all := map[string]*figure{}
	for _, f := range []figure{
		{key: "duration", name: "duration, against the samples that `ffmpeg -f null` decodes", bound: 5, unit: "ms"},
		{key: "lossy", name: "every sample of lossy formats, against ffmpeg", bound: 1e-4, unit: "of full scale"},
		{key: "lossless", name: "MD5 of the samples of lossless formats, against ffmpeg", unit: "different"},
		{key: "channels", name: "channels, against ffprobe", unit: "different"},
		{key: "rate", name: "sample rate, against ffprobe", unit: "different"},
		{key: "depth", name: "bit depth of lossless formats, against ffprobe", unit: "different"},
		{key: "soxi", name: "channels, rate and depth, against soxi", unit: "different"},
		{key: "lufs", name: "integrated loudness, against ffmpeg ebur128", bound: .1, unit: "LU"},
		{key: "range", name: "loudness range, against ffmpeg ebur128", bound: 1, unit: "LU"},
		{key: "peak", name: "true peak, against ffmpeg ebur128", bound: .2, unit: "dB"},
		{key: "fingerprint", name: "fingerprint bits, against fpcalc", bound: .1, unit: "% differ"},
	} {
		all[f.key] = &f
	}
	return all
}

// TestTruth compares what a pass finds with what ffmpeg, ffprobe, fpcalc and soxi say of the same files, and writes the table.
// scripts/truth.sh fetches the files and runs it.
func TestTruth(t *testing.T) {
	folder := os.Getenv("AUDIOMICRO_TRUTH")
	if folder == "" {
		t.Fatal("AUDIOMICRO_TRUTH names no folder: run scripts/truth.sh")
	}
	ffmpeg := tool(t, "ffmpeg")
	paths, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	table := &truth{figures: figures(), formats: map[string]int{}, settled: map[string]string{}, ffmpeg: ffmpeg}
	var group sync.WaitGroup
	work := make(chan string)
	for range runtime.NumCPU() {
		group.Go(func() {
			for path := range work {
				if err := table.file(t, path); err != nil {
					t.Errorf("%s: %v", filepath.Base(path), err)
				}
			}
		})
	}
	for _, path := range paths {
		work <- path
	}
	close(work)
	group.Wait()
	text := table.markdown(len(paths))
	t.Log("\n" + text)
	if out := os.Getenv("AUDIOMICRO_TRUTH_TABLE"); out != "" {
		if err := os.WriteFile(out, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range table.figures {
		for _, d := range f.files {
			if d.value > f.bound && table.excuse(f, d.file) == "" {
				t.Errorf("%s: %s differs by %.4g %s", d.file, f.name, d.value, f.unit)
			}
		}
	}
}

// exemptions are files whose reference is known to be wrong, or measures something else, each with its reason.
var exemptions = []struct{ figure, file, why string }{
	{"every sample", "*abr70.mp3", "lame --decode gives our samples within half a step of 16 bits; ffmpeg is off at this rate of 24 kHz."},
	{"fingerprint", "*surround*", "fpcalc folds six channels another way."},
	{"fingerprint", "asc-music-machine_wars.mp3", "fpcalc decodes with ffmpeg, whose samples libmad contradicts."},
	{"fingerprint", "*adpcm.wav", "fpcalc reads the blocks as if they were plain samples."},
}

// excuse tells why a file may be out of a figure's bound: what a third program said of it in this run, or an exemption. It is
// "" when nothing excuses it.
func (tr *truth) excuse(f *figure, file string) string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if why := tr.settled[f.key+" "+file]; why != "" {
		return why
	}
	for _, e := range exemptions {
		if ok, err := filepath.Match(e.file, file); err == nil && ok && strings.HasPrefix(f.name, e.figure) {
			return e.why
		}
	}
	return ""
}

// truth collects the table.
type truth struct {
	mu      sync.Mutex
	figures map[string]*figure
	formats map[string]int
	settled map[string]string // by figure and file: what a third program says where two differ
	ffmpeg  string
}

func (tr *truth) settle(key, file, why string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.settled[key+" "+file] = why
}

func (tr *truth) note(key, file string, value float64) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	f := tr.figures[key]
	if f == nil {
		panic("no figure " + key)
	}
	f.files = append(f.files, deviation{file, value})
}

func (tr *truth) equal(key, file string, same bool) {
	if same {
		tr.note(key, file, 0)
	} else {
		tr.note(key, file, 1)
	}
}

func (tr *truth) file(t *testing.T, path string) error {
	name := filepath.Base(path)
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	stat, err := src.Stat()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err
	}
	r, err := worker.Start(t.Context(), worker.Request{Size: stat.Size(), Outputs: []worker.Output{worker.Analysis}, FFmpegPath: tr.ffmpeg}, src, dir, nil)
	if err != nil {
		return err
	}
	native := ""
	if kind, err := kindOf(path); err == nil && kind.NeedsFFmpeg {
		native = " (through ffmpeg)"
	}
	tr.mu.Lock()
	tr.formats[r.Container+" "+r.Info.Codec+native]++
	tr.mu.Unlock()
	for _, step := range []func(string, string, worker.Result) error{tr.samples, tr.probe, tr.sox, tr.loudness, tr.fingerprint} {
		if err := step(path, name, r); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(path string) (sniff.Kind, error) {
	f, err := os.Open(path)
	if err != nil {
		return sniff.Kind{}, err
	}
	defer f.Close()
	head := make([]byte, sniff.HeadSize)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return sniff.Kind{}, err
	}
	return sniff.Detect(head[:n])
}

// opusByLibrary makes ffmpeg decode Opus with libopus: its own decoder aligns the speech coder otherwise. Samples beyond full
// scale stay, as they do here.
func opusByLibrary(codec string) []string {
	if codec == "opus" {
		return []string{"-c:a", "libopus", "-request_sample_fmt", "flt"}
	}
	return nil
}

// samples decodes in this process and in ffmpeg at once, and compares sample by sample.
func (tr *truth) samples(path, name string, r worker.Result) error {
	args := append([]string{"-v", "fatal", "-nostdin"}, opusByLibrary(r.Info.Codec)...)
	cmd := exec.Command(tr.ffmpeg, append(args, "-i", path, "-map", "0:a:0", "-f", "f32le", "-")...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	kind, err := kindOf(path)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := decode.Open(f, kind, decode.Options{FFmpegPath: tr.ffmpeg})
	if err != nil {
		return err
	}
	defer d.Close()
	theirs := bufio.NewReaderSize(pipe, 1<<20)
	sums := [2]hash.Hash{md5.New(), md5.New()}
	worst, ours, got := 0.0, int64(0), int64(0)
	ended := false
	frame := make([]byte, 4*r.Info.Channels)
	var both [2][]byte
	for {
		block, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		both[0], both[1] = both[0][:0], both[1][:0]
		for i := range block[0] {
			ours++
			if !ended {
				if _, err := io.ReadFull(theirs, frame); err != nil {
					ended = true
				} else {
					got++
					both[1] = append(both[1], frame...)
				}
			}
			for c := range block {
				both[0] = binary.LittleEndian.AppendUint32(both[0], math.Float32bits(block[c][i]))
				if !ended {
					v := math.Float32frombits(binary.LittleEndian.Uint32(frame[4*c:]))
					worst = max(worst, math.Abs(float64(v-block[c][i])))
				}
			}
		}
		for i := range sums {
			sums[i].Write(both[i])
		}
	}
	rest, err := io.Copy(sums[1], theirs)
	if err != nil {
		return err
	}
	got += rest / int64(len(frame))
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("ffmpeg: %w", err)
	}
	if ours != r.Frames {
		return fmt.Errorf("%d frames here, %d in the worker", ours, r.Frames)
	}
	tr.note("duration", name, math.Abs(r.Duration-float64(got)/float64(r.Info.SampleRate))*1000)
	if r.Info.Codec == "vorbis" && got != r.Frames {
		// ffmpeg 5.1 leaves alone what a first page's position takes from the start, and a single page's from the end.
		if out, err := exec.Command("soxi", "-s", path).Output(); err == nil && strings.TrimSpace(string(out)) == strconv.FormatInt(r.Frames, 10) {
			tr.settle("duration", name, "libvorbis (soxi -s) counts our samples.")
		}
	}
	if r.Info.Codec == "mp3" && worst > 1e-4 {
		if err := tr.libmad(path, name, kind); err != nil {
			return err
		}
	}
	if r.Info.Lossless {
		tr.equal("lossless", name, bytes.Equal(sums[0].Sum(nil), sums[1].Sum(nil)))
	} else {
		tr.note("lossy", name, worst)
	}
	return nil
}

// libmad asks madplay about an MP3 file on which ffmpeg differs from us. It writes whole numbers of 24 bits, cut at full scale.
func (tr *truth) libmad(path, name string, kind sniff.Kind) error {
	theirs, err := exec.Command("madplay", "-Q", "-b", "24", "-o", "raw:-", path).Output()
	if err != nil {
		return fmt.Errorf("madplay: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := decode.Open(f, kind, decode.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	worst := 0.0
	for {
		block, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		for i := range block[0] {
			for c := range block {
				if len(theirs) < 3 {
					return nil // another length: nothing is settled
				}
				v := float64(int32(uint32(theirs[0])<<8|uint32(theirs[1])<<16|uint32(theirs[2])<<24)) / (1 << 31)
				theirs = theirs[3:]
				worst = max(worst, math.Abs(v-min(1-1./(1<<23), max(-1, float64(block[c][i])))))
			}
		}
	}
	if len(theirs) == 0 && worst <= 1e-5 {
		tr.settle("lossy", name, fmt.Sprintf("libmad (madplay) gives our samples within %.2g.", worst))
	}
	return nil
}

func (tr *truth) probe(path, name string, r worker.Result) error {
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "a:0", "-show_entries", "stream=channels,sample_rate,bits_per_sample,bits_per_raw_sample", "-of", "json", path).Output()
	if err != nil {
		return fmt.Errorf("ffprobe: %w", err)
	}
	var p struct {
		Streams []struct {
			Channels int    `json:"channels"`
			Rate     string `json:"sample_rate"`
			Bits     int    `json:"bits_per_sample"`
			Raw      string `json:"bits_per_raw_sample"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(out, &p); err != nil || len(p.Streams) != 1 {
		return fmt.Errorf("ffprobe: %v: %s", err, out)
	}
	s := p.Streams[0]
	tr.equal("channels", name, s.Channels == r.Info.Channels)
	tr.equal("rate", name, s.Rate == strconv.Itoa(r.Info.SampleRate))
	depth, _ := strconv.Atoi(s.Raw) // "N/A" for what has none
	if depth = cmp.Or(depth, s.Bits); r.Info.Lossless && depth != 0 {
		tr.equal("depth", name, depth == r.Info.BitDepth)
	}
	return nil
}

// sox asks a third program about the formats that it reads.
func (tr *truth) sox(path, name string, r worker.Result) error {
	if !slices.Contains([]string{".wav", ".aiff", ".flac", ".ogg", ".mp3", ".w64", ".au", ".caf"}, filepath.Ext(path)) {
		return nil
	}
	ask := func(flag string) (int, error) {
		out, err := exec.Command("soxi", flag, path).Output()
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(string(out)))
	}
	channels, err := ask("-c")
	if err != nil {
		return nil // a variant that sox does not read
	}
	rate, err := ask("-r")
	if err != nil {
		return err
	}
	bits, err := ask("-b")
	if err != nil {
		return err
	}
	same := channels == r.Info.Channels && rate == r.Info.SampleRate && (!r.Info.Lossless || bits == r.Info.BitDepth)
	tr.equal("soxi", name, same)
	return nil
}

var (
	summaryPeak  = regexp.MustCompile(`True peak:\s+Peak:\s+(\S+) dBFS`)
	summaryRange = regexp.MustCompile(`LRA:\s+(\S+) LU\n`)
	lastI        = regexp.MustCompile(`lavfi\.r128\.I=(\S+)`)
)

func (tr *truth) loudness(path, name string, r worker.Result) error {
	l := r.Analyzed.Loudness
	args := append([]string{"-v", "info", "-nostats", "-nostdin"}, opusByLibrary(r.Info.Codec)...)
	cmd := exec.Command(tr.ffmpeg, append(args, "-i", path, "-map", "0:a:0", "-af", "ebur128=peak=true:metadata=1:framelog=verbose,ametadata=mode=print:key=lavfi.r128.I:file=-", "-f", "null", "-")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("ffmpeg ebur128: %w: %s", err, stderr.Bytes())
	}
	if found := lastI.FindAllSubmatch(out, -1); len(found) > 0 && r.Duration >= .5 {
		want, err := strconv.ParseFloat(string(found[len(found)-1][1]), 64)
		if err != nil {
			return err
		}
		switch {
		case want <= -70:
			tr.equal("lufs", name, !l.HasLoudness)
		default:
			tr.note("lufs", name, math.Abs(l.Integrated-want))
		}
	}
	if found := summaryRange.FindSubmatch(stderr.Bytes()); found != nil && r.Duration >= 10 {
		want, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return err
		}
		tr.note("range", name, math.Abs(l.Range-want))
	}
	if found := summaryPeak.FindSubmatch(stderr.Bytes()); found != nil {
		want, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return err
		}
		// The summary has one decimal: half a step of it is no difference.
		if !math.IsInf(want, 0) {
			tr.note("peak", name, max(0, math.Abs(l.TruePeak-want)-.05))
		}
	}
	return nil
}

func (tr *truth) fingerprint(path, name string, r worker.Result) error {
	out, err := exec.Command("fpcalc", "-raw", "-length", "0", "-plain", path).Output()
	// It fails with 3 where something at the end of a file is no sound, and has the fingerprint all the same.
	if len(bytes.TrimSpace(out)) == 0 || r.Analyzed.Fingerprint == "" {
		if r.Duration < 3 {
			return nil // too short for an item
		}
		return fmt.Errorf("fpcalc: %v; here %d items", err, r.Analyzed.FingerprintLen)
	}
	ours, err := fingerprint.Decode(r.Analyzed.Fingerprint)
	if err != nil {
		return err
	}
	differ, n := 0, 0
	for i, text := range strings.Split(strings.TrimSpace(string(out)), ",") {
		item, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("fpcalc: %w", err)
		}
		n++
		if i < len(ours) {
			differ += bits.OnesCount32(uint32(item) ^ ours[i])
		} else {
			differ += 32
		}
	}
	differ += 32 * max(0, len(ours)-n)
	if differ == 1 {
		tr.settle("fingerprint", name, fmt.Sprintf("One bit of %d.", 32*max(n, len(ours))))
	}
	tr.note("fingerprint", name, 100*float64(differ)/float64(32*max(n, len(ours))))
	return nil
}

// markdown is the table that doc/truth.md shows.
func (tr *truth) markdown(files int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# How true the numbers are\n`scripts/truth.sh` made this page. It compared what one pass found in %d real files with other programs' answers.\n\n", files)
	b.WriteString("| figure | files | bound | worst | at | within |\n|---|---|---|---|---|---|\n")
	var out []string
	for _, key := range []string{"duration", "channels", "rate", "depth", "soxi", "lossless", "lossy", "lufs", "range", "peak", "fingerprint"} {
		f := tr.figures[key]
		if len(f.files) == 0 {
			continue
		}
		worst, within := deviation{}, 0
		for _, d := range f.files {
			if d.value >= worst.value {
				worst = d
			}
			if d.value <= f.bound {
				within++
				continue
			}
			out = append(out, strings.TrimSpace(fmt.Sprintf("- %s: %s, %.4g %s. %s", d.file, f.name, d.value, f.unit, tr.excuse(f, d.file))))
		}
		at := worst.file
		if worst.value == 0 {
			at = ""
		}
		bound := "equal"
		if f.bound > 0 {
			bound = fmt.Sprintf("%g %s", f.bound, f.unit)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %.3g %s | %s | %.1f %% |\n", f.name, len(f.files), bound, worst.value, f.unit, at, 100*float64(within)/float64(len(f.files)))
	}
	b.WriteString("\nPeaks are compared byte by byte with audiowaveform's in `internal/audio/peaks`. Opus is decoded by ffmpeg with libopus.\n")
	if len(out) > 0 {
		slices.Sort(out)
		fmt.Fprintf(&b, "\nOut of bounds:\n\n%s\n", strings.Join(out, "\n"))
	}
	formats := make([]string, 0, len(tr.formats))
	for name, n := range tr.formats {
		formats = append(formats, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(formats)
	fmt.Fprintf(&b, "\nFormats: %s.\n", strings.Join(formats, ", "))
	for _, line := range [][]string{{"ffmpeg", "-version"}, {"fpcalc", "-version"}, {"soxi", "--version"}} {
		if text, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err == nil {
			first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
			first, _, _ = strings.Cut(first, " Copyright")
			fmt.Fprintf(&b, "\n%s: %s.", line[0], strings.TrimSpace(first))
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
