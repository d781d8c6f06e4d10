package loudness_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"audiomicro/internal/audio/loudness"
)

// part is a stretch of 1 kHz sine, one level in dBFS per channel.
type part struct {
	seconds float64
	levels  []float64
}

func sines(rate int, parts ...part) [][]float32 {
	out := make([][]float32, len(parts[0].levels))
	at := 0
	for _, p := range parts {
		n := int(math.Round(p.seconds * float64(rate)))
		for c, db := range p.levels {
			a := math.Pow(10, db/20)
			for i := range n {
				out[c] = append(out[c], float32(a*math.Sin(2*math.Pi*1000*float64(at+i)/float64(rate))))
			}
		}
		at += n
	}
	return out
}

func stereo(seconds, db float64) part { return part{seconds, []float64{db, db}} }

func measure(rate int, planar [][]float32, block int) loudness.Result {
	m := loudness.New(rate, len(planar))
	view := make([][]float32, len(planar))
	for at := 0; at < len(planar[0]); at += block {
		for c := range planar {
			view[c] = planar[c][at:min(at+block, len(planar[c]))]
		}
		m.Write(view)
	}
	return m.Result()
}

// TestMinimumRequirements generates the signals of EBU Tech 3341 (cases 1-6) and Tech 3342 (cases 1-4).
func TestMinimumRequirements(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name       string
		parts      []part
		integrated float64 // NaN: not asked
		spread     float64
	}{
		{"3341-1", []part{stereo(20, -23)}, -23, 0},
		{"3341-2", []part{stereo(20, -33)}, -33, 0},
		{"3341-3", []part{stereo(10, -36), stereo(60, -23), stereo(10, -36)}, -23, math.NaN()},
		{"3341-4", []part{stereo(10, -72), stereo(10, -36), stereo(60, -23), stereo(10, -36), stereo(10, -72)}, -23, math.NaN()},
		{"3341-5", []part{stereo(20, -26), stereo(20.1, -20), stereo(20, -26)}, -23, math.NaN()},
		{"3341-6", []part{{20, []float64{-28, -28, -24, -30, -30}}}, -23, 0},
		{"3341-6 with LFE", []part{{20, []float64{-28, -28, -24, 0, -30, -30}}}, -23, 0},
		{"3342-1", []part{stereo(20, -20), stereo(20, -30)}, math.NaN(), 10},
		{"3342-2", []part{stereo(20, -20), stereo(20, -15)}, math.NaN(), 5},
		{"3342-3", []part{stereo(20, -40), stereo(20, -20)}, math.NaN(), 20},
		{"3342-4", []part{stereo(20, -50), stereo(20, -35), stereo(20, -20), stereo(20, -35), stereo(20, -50)}, math.NaN(), 15},
	}
	for _, c := range cases {
		for _, rate := range []int{48000, 44100, 11025} {
			t.Run(fmt.Sprint(c.name, "/", rate), func(t *testing.T) {
				t.Parallel()
				r := measure(rate, sines(rate, c.parts...), 4096)
				if d := r.Integrated - c.integrated; math.Abs(d) > 0.1 {
					t.Errorf("integrated %.2f LUFS, want %.1f ± 0.1", r.Integrated, c.integrated)
				}
				if d := r.Range - c.spread; math.Abs(d) > 1 {
					t.Errorf("range %.2f LU, want %g ± 1", r.Range, c.spread)
				}
				if !r.HasLoudness || r.Short {
					t.Errorf("HasLoudness %v, Short %v", r.HasLoudness, r.Short)
				}
			})
		}
	}
}

// TestTruePeak generates the sines of EBU Tech 3341 cases 15-19, whose samples miss their crests.
func TestTruePeak(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		divisor, degrees, amplitude, want float64
	}{
		{4, 0, 0.5, -6}, {4, 45, 0.5, -6}, {6, 60, 0.5, -6}, {8, 67.5, 0.5, -6}, {4, 45, 1.41, 3},
	} {
		for _, rate := range []int{48000, 96000} {
			x := make([]float32, rate)
			for i := range x {
				fade := min(1, float64(i)/1000, float64(len(x)-1-i)/1000)
				x[i] = float32(fade * c.amplitude * math.Sin(2*math.Pi*float64(i)/c.divisor+c.degrees*math.Pi/180))
			}
			r := measure(rate, [][]float32{x, make([]float32, rate)}, 1000)
			if rate == 48000 && (r.TruePeak < c.want-0.4 || r.TruePeak > c.want+0.2) {
				t.Errorf("fs/%g at %g° × %g: %.2f dBTP, want %g", c.divisor, c.degrees, c.amplitude, r.TruePeak, c.want)
			}
			if r.TruePeak < r.SamplePeak {
				t.Errorf("true peak %.2f below sample peak %.2f", r.TruePeak, r.SamplePeak)
			}
		}
	}
}

// TestPruningChangesNothing compares the pruned true peak with that of the same sound looked at without any earlier peak.
func TestPruningChangesNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 60000)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * 0.1 * math.Sin(float64(i)/9000))
	}
	whole := measure(44100, [][]float32{x}, 777)
	best := loudness.Floor
	for at := 0; at+400 <= len(x); at += 200 { // windows that overlap by more than the kernel
		if r := measure(44100, [][]float32{x[at : at+400]}, 400); r.TruePeak > best {
			best = r.TruePeak
		}
	}
	if whole.TruePeak > best+1e-6 || best > whole.TruePeak+0.3 {
		t.Errorf("pruned %.4f dBTP, piecewise %.4f", whole.TruePeak, best)
	}
}

func TestBlockSizeDoesNotMatter(t *testing.T) {
	t.Parallel()
	x := noise(3, 44100*7/2)
	want := measure(44100, x, 1<<20)
	for _, block := range []int{1, 63, 4410, 5000} {
		got := measure(44100, x, block)
		if math.Abs(got.Integrated-want.Integrated) > 1e-9 || got.TruePeak != want.TruePeak || got.Range != want.Range {
			t.Errorf("blocks of %d: %+v, whole %+v", block, got, want)
		}
	}
}

func TestEdges(t *testing.T) {
	t.Parallel()
	one := func(n int, v float32) [][]float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = v
		}
		return [][]float32{x}
	}
	for _, c := range []struct {
		name  string
		rate  int
		x     [][]float32
		has   bool
		short bool
	}{
		{"empty", 44100, one(0, 0), false, true},
		{"one sample", 44100, one(1, 0.5), true, true},
		{"silence", 44100, one(100000, 0), false, false},
		{"DC", 44100, one(100000, 1), true, false},
		{"10 ms", 44100, sines(44100, part{0.01, []float64{-6}}), true, true},
		{"huge", 44100, one(100000, 1e6), true, false},
		{"1 Hz", 1, one(100, 0.1), true, false},
		{"1 kHz rate", 1000, noise(1, 5000), true, false},
		{"0 Hz", 0, one(100, 0.1), true, false},
	} {
		r := measure(c.rate, c.x, 512)
		if r.HasLoudness != c.has || r.Short != c.short {
			t.Errorf("%s: HasLoudness %v Short %v, want %v %v", c.name, r.HasLoudness, r.Short, c.has, c.short)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func noise(channels, frames int) [][]float32 {
	rng := rand.New(rand.NewPCG(7, uint64(channels)))
	out := make([][]float32, channels)
	for c := range out {
		out[c] = make([]float32, frames)
		low := 0.0
		for i := range out[c] {
			low += 0.05 * (rng.NormFloat64() - low)
			out[c][i] = float32(0.4 * low * (1 + math.Sin(float64(i)/30000)))
		}
	}
	return out
}

// TestAgainstFFmpeg measures the same samples with ffmpeg's ebur128 filter.
func TestAgainstFFmpeg(t *testing.T) {
	t.Parallel()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NOT COMPARED: ffmpeg is not installed")
	}
	for _, c := range []struct {
		name string
		rate int
		x    [][]float32
	}{
		{"stereo noise", 48000, noise(2, 48000*20)},
		{"mono noise", 44100, noise(1, 44100*15)},
		{"5.1 noise", 48000, noise(6, 48000*8)},
		{"96 kHz", 96000, noise(2, 96000*6)},
		{"sines", 44100, sines(44100, stereo(8, -30), stereo(8, -12), stereo(8, -20))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var pcm bytes.Buffer
			for i := range c.x[0] {
				for ch := range c.x {
					pcm.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(c.x[ch][i])))
				}
			}
			cmd := exec.Command(ffmpeg, "-hide_banner", "-f", "f32le", "-ar", strconv.Itoa(c.rate), "-ac", strconv.Itoa(len(c.x)),
				"-i", "-", "-af", "ebur128=peak=true+sample", "-f", "null", "-")
			cmd.Stdin = &pcm
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("ffmpeg: %v\n%s", err, out)
			}
			r := measure(c.rate, c.x, 16384)
			for _, q := range []struct {
				what, pattern string
				got, allow    float64
			}{
				{"integrated", `I:\s+(\S+) LUFS`, r.Integrated, 0.1},
				{"range", `LRA:\s+(\S+) LU`, r.Range, 0.15},
				{"sample peak", `Sample peak:\s+Peak:\s+(\S+) dBFS`, r.SamplePeak, 0.06},
				{"true peak", `True peak:\s+Peak:\s+(\S+) dBFS`, r.TruePeak, 0.2},
			} {
				m := regexp.MustCompile(q.pattern).FindAllSubmatch(out, -1)
				if len(m) == 0 {
					t.Fatalf("no %s in ffmpeg's answer:\n%s", q.what, out)
				}
				want, err := strconv.ParseFloat(string(m[len(m)-1][1]), 64)
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(q.got-want) > q.allow {
					t.Errorf("%s %.2f, ffmpeg %.1f", q.what, q.got, want)
				}
			}
		})
	}
}

func BenchmarkStereo44100(b *testing.B) {
	x := noise(2, 44100*10)
	m := loudness.New(44100, 2)
	view := make([][]float32, 2)
	for b.Loop() {
		for at := 0; at < 441000; at += 4410 {
			view[0], view[1] = x[0][at:at+4410], x[1][at:at+4410]
			m.Write(view)
		}
	}
	b.ReportMetric(float64(b.N)*10/b.Elapsed().Seconds(), "x-realtime")
}
