package synth_test

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"audiomicro/internal/audio/synth"
)

var name = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func TestCatalog(t *testing.T) {
	t.Parallel()
	catalog := synth.Catalog()
	if len(catalog) < 12 {
		t.Errorf("%d sounds, want about twelve", len(catalog))
	}
	categories := regexp.MustCompile(`^(m-(sp|si|m|other)|is-(p|s|w|k|e|other)|sp-(s|c|p|other)|fx-(o|v|m|h|a|n|ex|el|other)|ss-(n|i|u|s|other))$`)
	seen := map[string]bool{}
	for _, s := range catalog {
		if !name.MatchString(s.Name) || seen[s.Name] || seen[s.Title] {
			t.Errorf("%q: name or title is not fit or not unique", s.Name)
		}
		seen[s.Name], seen[s.Title] = true, true
		if len(s.Tags) < 3 || len(s.Tags) > 30 {
			t.Errorf("%s: %d tags", s.Name, len(s.Tags))
		}
		for _, tag := range s.Tags {
			if !name.MatchString(tag) {
				t.Errorf("%s: tag %q", s.Name, tag)
			}
		}
		if !categories.MatchString(s.Category) {
			t.Errorf("%s: category %q", s.Name, s.Category)
		}
		if len(s.Description) < 40 || s.Seconds < 1 || s.Seconds > 12 {
			t.Errorf("%s: description %q, %g s", s.Name, s.Description, s.Seconds)
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, s := range synth.Catalog() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			planar := s.Render()
			if len(planar) != 2 || len(planar[0]) != s.Frames() || len(planar[1]) != s.Frames() {
				t.Fatalf("%d channels of %d frames, want 2 of %d", len(planar), len(planar[0]), s.Frames())
			}
			peak, energy := 0.0, 0.0
			for _, side := range planar {
				for i, x := range side {
					if x != x || math.IsInf(float64(x), 0) {
						t.Fatalf("sample %d is %v", i, x)
					}
					peak = max(peak, math.Abs(float64(x)))
					energy += float64(x) * float64(x)
				}
			}
			if db := 20 * math.Log10(peak); math.Abs(db-s.Peak) > .01 || db > -.99 {
				t.Errorf("peak %.2f dBFS, want %.2f", db, s.Peak)
			}
			if rms := 10 * math.Log10(energy/float64(2*s.Frames())); rms < -45 {
				t.Errorf("only %.1f dBFS RMS", rms)
			}
			for side, channel := range planar {
				first, last := float64(channel[0]), float64(channel[len(channel)-1])
				if !s.Loop && (math.Abs(first) > .01 || math.Abs(last) > .001) {
					t.Errorf("channel %d begins at %g and ends at %g", side, first, last)
				}
				if s.Loop { // the step across the seam is no larger than steps within
					largest := 0.0
					for i := 1; i < len(channel); i++ {
						largest = max(largest, math.Abs(float64(channel[i]-channel[i-1])))
					}
					if step := math.Abs(first - last); step > largest {
						t.Errorf("channel %d jumps by %g at the seam, %g within", side, step, largest)
					}
				}
			}
		})
	}
}

func TestRenderIsTheSameEveryTimeAndDiffers(t *testing.T) {
	t.Parallel()
	seen := map[uint64]string{}
	for _, s := range synth.Catalog() {
		sum := func() uint64 {
			h := fnv.New64a()
			for _, side := range s.Render() {
				if err := binary.Write(h, binary.LittleEndian, side); err != nil {
					t.Fatal(err)
				}
			}
			return h.Sum64()
		}
		first := sum()
		if s.Seconds < 3 && sum() != first {
			t.Errorf("%s differs from run to run", s.Name)
		}
		if other := seen[first]; other != "" {
			t.Errorf("%s equals %s", s.Name, other)
		}
		seen[first] = s.Name
	}
}

// TestBeats measures that the click loop really has a beat every half second.
func TestBeats(t *testing.T) {
	t.Parallel()
	for _, s := range synth.Catalog() {
		if s.Name != "click-loop-120" {
			continue
		}
		left := s.Render()[0]
		for beat := range 16 {
			energy := func(from, to int) (sum float64) {
				for i := from; i < to; i++ {
					x := left[(i+len(left))%len(left)]
					sum += float64(x) * float64(x)
				}
				return sum
			}
			at := beat * synth.SampleRate / 2
			if before, after := energy(at-480, at), energy(at, at+480); after < 50*before {
				t.Errorf("beat %d at %d: energy %g before, %g after", beat, at, before, after)
			}
		}
	}
}

// TestArpeggioIsInTune finds the strongest frequency of the first notes of the first bar, C E G C.
func TestArpeggioIsInTune(t *testing.T) {
	t.Parallel()
	for _, s := range synth.Catalog() {
		if s.Name != "pluck-arpeggio-100" {
			continue
		}
		left := s.Render()[0]
		for n, want := range []float64{261.63, 329.63, 392, 523.25} {
			best, at := 0.0, 0.0
			part := left[n*7200+300 : (n+1)*7200]
			for cents := -60.0; cents <= 60; cents += 2 {
				hz := want * math.Pow(2, cents/1200)
				var re, im float64
				for i, x := range part {
					window := .5 - .5*math.Cos(2*math.Pi*float64(i)/float64(len(part)))
					sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / synth.SampleRate)
					re, im = re+float64(x)*window*cos, im+float64(x)*window*sin
				}
				if power := re*re + im*im; power > best {
					best, at = power, cents
				}
			}
			if math.Abs(at) > 12 {
				t.Errorf("note %d is off by %.0f cents", n, at)
			}
		}
	}
}

func TestWriteWAV(t *testing.T) {
	t.Parallel()
	cases := []struct {
		planar [][]float32
		want   []byte // of the samples
	}{
		{[][]float32{{0, .5, -1, 1, 2, -2}}, []byte{0, 0, 0, 0, 0, 0x40, 0, 0, 0x80, 0xff, 0xff, 0x7f, 0xff, 0xff, 0x7f, 0, 0, 0x80}},
		{[][]float32{{.5}, {-.5}}, []byte{0, 0, 0x40, 0, 0, 0xc0}},
		{[][]float32{{.25}}, []byte{0, 0, 0x20, 0}}, // with its pad byte
	}
	for i, c := range cases {
		var b bytes.Buffer
		if err := synth.WriteWAV(&b, c.planar, 44100); err != nil {
			t.Fatal(err)
		}
		if got := b.Bytes()[44:]; !bytes.Equal(got, c.want) {
			t.Errorf("case %d: % x, want % x", i, got, c.want)
		}
		if size := binary.LittleEndian.Uint32(b.Bytes()[4:]); int(size) != b.Len()-8 {
			t.Errorf("case %d: RIFF size %d of %d bytes", i, size, b.Len())
		}
	}
	if err := synth.WriteWAV(&bytes.Buffer{}, nil, 48000); err == nil {
		t.Error("a sound without channels was written")
	}
}

func TestFFmpegReadsTheWAV(t *testing.T) {
	t.Parallel()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ffmpeg is missing")
		}
		t.Skip("SKIPPED: ffmpeg is not installed")
	}
	s := synth.Catalog()[3]
	planar := s.Render()
	file := filepath.Join(t.TempDir(), "a.wav")
	var b bytes.Buffer
	if err := synth.WriteWAV(&b, planar, synth.SampleRate); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var problems strings.Builder
	cmd := exec.Command(ffmpeg, "-v", "error", "-nostdin", "-i", file, "-f", "f32le", "-")
	cmd.Stderr = &problems
	raw, err := cmd.Output()
	if err != nil || problems.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, problems.String())
	}
	if len(raw) != 8*s.Frames() {
		t.Fatalf("ffmpeg read %d bytes, want %d", len(raw), 8*s.Frames())
	}
	for i := range s.Frames() {
		for c := range 2 {
			got := math.Float32frombits(binary.LittleEndian.Uint32(raw[8*i+4*c:]))
			if d := math.Abs(float64(got - planar[c][i])); d > 1.0/(1<<23) {
				t.Fatalf("frame %d channel %d: %v, want %v", i, c, got, planar[c][i])
			}
		}
	}
}
