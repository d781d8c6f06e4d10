package peaks_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"audiomicro/internal/audio/peaks"
)

// readWAV reads the plain PCM files in testdata.
func readWAV(t testing.TB, path string) (rate int, planar [][]float32) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var channels, bits int
	for at := 12; at+8 <= len(b); {
		id, n := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8 : min(at+8+n, len(b))]
		switch id {
		case "fmt ":
			channels = int(binary.LittleEndian.Uint16(body[2:]))
			rate = int(binary.LittleEndian.Uint32(body[4:]))
			bits = int(binary.LittleEndian.Uint16(body[14:]))
		case "data":
			width := bits / 8
			planar = make([][]float32, channels)
			for i := 0; i+width <= len(body); i += width {
				v := int32(0)
				for k := range width {
					v |= int32(body[i+k]) << (32 - bits + 8*k)
				}
				c := i / width % channels
				planar[c] = append(planar[c], float32(v)/(1<<31))
			}
		}
		at += 8 + n + n%2
	}
	return rate, planar
}

func analyze(rate int, planar [][]float32, block int, o peaks.Options) *peaks.Peaks {
	a := peaks.New(rate, len(planar), o)
	view := make([][]float32, len(planar))
	for at := 0; at < len(planar[0]); at += block {
		for c := range planar {
			view[c] = planar[c][at:min(at+block, len(planar[c]))]
		}
		a.Write(view)
	}
	return a.Result()
}

// TestByteIdenticalToAudiowaveform compares with files that audiowaveform 1.10.3 wrote.
func TestByteIdenticalToAudiowaveform(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sweep-mono-44100-16", "noise-stereo-48000-24", "pulses-stereo-44100-16"} {
		rate, planar := readWAV(t, filepath.Join("testdata", name+".wav"))
		for _, c := range []struct {
			suffix string
			bits   int
			o      peaks.Options
		}{
			{"z256.b8", 8, peaks.Options{Zoom: 256}},
			{"z256.b16", 16, peaks.Options{Zoom: 256}},
			{"z512.b8.split", 8, peaks.Options{Zoom: 512, Split: true}},
		} {
			want, err := os.ReadFile(filepath.Join("testdata", name+"."+c.suffix+".dat"))
			if err != nil {
				t.Fatal(err)
			}
			for _, block := range []int{1000, 4096} {
				var got bytes.Buffer
				if err := analyze(rate, planar, block, c.o).WriteDat(&got, c.bits); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("%s %s in blocks of %d: %d bytes differ from audiowaveform's %d (first at %d)", name, c.suffix, block, got.Len(), len(want), firstDifference(got.Bytes(), want))
				}
			}
		}
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)*0.37)) * float32(i%5000) / 5000
	}
	return x
}

func TestFoldEqualsCoarserRun(t *testing.T) {
	t.Parallel()
	planar := [][]float32{ramp(100001), ramp(100001)}
	slices.Reverse(planar[1])
	for _, split := range []bool{false, true} {
		fine := analyze(44100, planar, 999, peaks.Options{Zoom: 64, Split: split})
		for _, zoom := range []int{64, 128, 512, 4096, 64 * 7} {
			got, err := fine.Fold(zoom)
			if err != nil {
				t.Fatal(err)
			}
			want := analyze(44100, planar, 999, peaks.Options{Zoom: zoom, Split: split})
			if !slices.Equal(got.Low, want.Low) || !slices.Equal(got.High, want.High) || got.Zoom != zoom {
				t.Errorf("split %v: folding to %d differs from a run at %d", split, zoom, zoom)
			}
		}
		if _, err := fine.Fold(100); err == nil {
			t.Error("folding to no multiple was accepted")
		}
	}
}

func TestLongStreamsStayBounded(t *testing.T) {
	t.Parallel()
	block := [][]float32{ramp(16384)}
	for _, channels := range []int{1, 3} {
		planar := [][]float32{block[0], block[0], block[0]}[:channels]
		a := peaks.New(44100, channels, peaks.Options{Zoom: 1, Split: true})
		coarse := peaks.New(44100, channels, peaks.Options{Zoom: 8, Split: true})
		for range 3 * peaks.MaxPairs / 16384 {
			a.Write(planar)
			coarse.Write(planar)
		}
		p := a.Result()
		if len(p.Low) > peaks.MaxPairs || p.Zoom < 4 {
			t.Fatalf("%d channels: %d pairs at zoom %d", channels, len(p.Low), p.Zoom)
		}
		want, err := coarse.Result().Fold(max(8, p.Zoom))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Fold(want.Zoom)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Low, want.Low) || !slices.Equal(got.High, want.High) {
			t.Errorf("%d channels: folded while running differs from a coarse run", channels)
		}
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	p := &peaks.Peaks{Rate: 8000, Zoom: 256, Channels: 1, Low: []int16{-1, -2, -3, -4}, High: []int16{1, 2, 3, 4}}
	for _, c := range []struct {
		n    int
		want string
	}{
		{2, "[{-2 2} {-4 4}]"}, {4, "[{-1 1} {-2 2} {-3 3} {-4 4}]"}, {8, "[{-1 1} {-1 1} {-2 2} {-2 2} {-3 3} {-3 3} {-4 4} {-4 4}]"}, {0, "[]"}, {1, "[{-4 4}]"},
	} {
		if got := fmt.Sprint(p.Bars(c.n)); got != c.want {
			t.Errorf("%d bars: %s, want %s", c.n, got, c.want)
		}
	}
	if got := fmt.Sprint((&peaks.Peaks{Channels: 1}).Bars(2)); got != "[{0 0} {0 0}]" {
		t.Errorf("bars of nothing: %s", got)
	}
}

func TestClipping(t *testing.T) {
	t.Parallel()
	p := analyze(8000, [][]float32{{2, -3, 1e6, -1e6}, {2, -3, 1e6, -1e6}}, 4, peaks.Options{Zoom: 4})
	if p.Low[0] != -32768 || p.High[0] != 32767 {
		t.Errorf("overs gave %d…%d", p.Low[0], p.High[0])
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, channels := range []int{1, 2, 5} {
		planar := make([][]float32, channels)
		for c := range planar {
			planar[c] = ramp(5000)
		}
		p := analyze(44100, planar, 512, peaks.Options{Split: true})
		var file, js bytes.Buffer
		if err := p.WriteDat(&file, 16); err != nil {
			t.Fatal(err)
		}
		q, err := peaks.Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		if q.Rate != p.Rate || q.Zoom != p.Zoom || q.Channels != p.Channels || !slices.Equal(q.Low, p.Low) || !slices.Equal(q.High, p.High) {
			t.Errorf("%d channels: read back %+v", channels, q)
		}
		if err := p.WriteJSON(&js, 8); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Channels, Length int
			Data             []int8
		}
		if err := json.Unmarshal(js.Bytes(), &doc); err != nil || doc.Channels != channels || len(doc.Data) != 2*channels*doc.Length {
			t.Errorf("JSON: %v, %+v", err, doc)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"sweep-mono-44100-16.z256.b8.dat", "pulses-stereo-44100-16.z512.b8.split.dat", "noise-stereo-48000-24.z256.b16.dat"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:23])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := peaks.Read(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, peaks.ErrFormat) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if len(p.Low) != len(p.High) || len(p.Low) != p.Len()*p.Channels || 2*len(p.Low) > len(b) {
			t.Fatalf("%d bytes gave %d × %d pairs", len(b), p.Channels, p.Len())
		}
		p.Bars(120)
	})
}

func BenchmarkStereo44100(b *testing.B) {
	x := ramp(44100)
	a := peaks.New(44100, 2, peaks.Options{})
	for b.Loop() {
		for at := 0; at < 44100; at += 4410 {
			a.Write([][]float32{x[at : at+4410], x[at : at+4410]})
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "x-realtime")
}

// TestFolded compares what neighbors give with what an own run at the wider zoom gives: the same bytes.
func TestFolded(t *testing.T) {
	planar := [][]float32{make([]float32, 100_003), make([]float32, 100_003)}
	for i := range planar[0] {
		planar[0][i] = float32(math.Sin(float64(i)/41) * math.Exp(-float64(i)/70_000))
		planar[1][i] = float32(math.Sin(float64(i*i)/9e5)) / 3
	}
	for _, split := range []bool{false, true} {
		for _, n := range []int{2, 8, 64} {
			var got, want bytes.Buffer
			if err := analyze(44100, planar, 4096, peaks.Options{Zoom: 256, Split: split}).Folded(n).WriteDat(&got, 8); err != nil {
				t.Fatal(err)
			}
			if err := analyze(44100, planar, 4096, peaks.Options{Zoom: 256 * n, Split: split}).WriteDat(&want, 8); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("split %v, %d joined: %d bytes that differ from the %d of an own run", split, n, got.Len(), want.Len())
			}
		}
	}
}
