//go:build unix

package audio_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/fingerprint"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/peaks"
	"audiomicro/internal/audio/spectrum"
)

// band plays drums and changing chords, a little different in both channels, near full scale.
func band(rate int, seconds float64) [][]float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	n := int(seconds * float64(rate))
	out := [][]float32{make([]float32, n), make([]float32, n)}
	var hz [4]float64
	var phase [4]float64
	drum := 0.0
	for i := range n {
		if i%(rate/4) == 0 {
			drum = 1
			for k := range hz {
				hz[k] = 110 * math.Exp2(float64(rng.IntN(40))/12)
			}
		}
		drum *= math.Exp(-25 / float64(rate))
		v := 0.0
		for k := range hz {
			phase[k] += 2 * math.Pi * hz[k] / float64(rate)
			v += 0.12*math.Sin(phase[k]) + 0.06*math.Sin(3*phase[k])
		}
		hiss := 0.3 * drum * rng.NormFloat64()
		out[0][i] = float32(math.Tanh(1.5 * (v + hiss)))
		out[1][i] = float32(math.Tanh(1.5 * (0.8*v + 0.6*hiss)))
	}
	return out
}

// TestHostileSamples: whatever a float file holds, every number that comes out is finite and the rest of the stream is measured.
func TestHostileSamples(t *testing.T) {
	t.Parallel()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, bad := range map[string][]float32{
		"NaN": {nan}, "Inf": {inf, -inf}, "both": {nan, inf, -inf, nan}, "largest": {math.MaxFloat32, -math.MaxFloat32}, "1e38": {1e38, -1e38, 1e38},
		"subnormal": {1e-45, -1e-45},
	} {
		planar := band(44100, 4)
		for c := range planar {
			copy(planar[c][1000:], bad)
			copy(planar[c][100000:], bad)
		}
		l, s, d := loudness.New(44100, 2), spectrum.New(44100, 2), describe.New(44100)
		p := peaks.New(44100, 2, peaks.Options{})
		f, err := fingerprint.New(44100, 2)
		if err != nil {
			t.Fatal(err)
		}
		s.OnFrame = d.Frame
		for at := 0; at < len(planar[0]); at += 5000 {
			end := min(at+5000, len(planar[0]))
			view := [][]float32{planar[0][at:end], planar[1][at:end]}
			l.Write(view)
			p.Write(view)
			s.Write(view)
			f.Write(view)
		}
		seen := s.Result()
		loud, desc := l.Result(), d.Result(seen.Frames)
		if _, err := json.Marshal([]any{loud, desc, seen.Row, seen.Wide, seen.Bands, seen.Centroid}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "NaN" && (!loud.HasLoudness || loud.Integrated < -20 || desc.HPCP == nil || len(f.Result()) < 8) {
			t.Errorf("%s: the rest of the stream was not measured: %+v", name, loud)
		}
		if err := errors.Join(seen.WriteEnergyPNG(io.Discard, 800, 200), seen.WriteWaveformPNG(io.Discard, 120, 71), seen.WriteSpectralJPG(io.Discard, 120, 71)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyChannels: 32 channels of everything, the most a decoder lets through.
func TestManyChannels(t *testing.T) {
	t.Parallel()
	planar := make([][]float32, 32)
	for c := range planar {
		planar[c] = band(8000, 3)[c%2]
	}
	l, s, p := loudness.New(8000, 32), spectrum.New(8000, 32), peaks.New(8000, 32, peaks.Options{Split: true})
	l.Write(planar)
	s.Write(planar)
	p.Write(planar)
	if r := l.Result(); !r.HasLoudness {
		t.Errorf("loudness of 32 channels: %+v", r)
	}
	if r := s.Result(); r.Row.Bars[60].Height < 8 {
		t.Errorf("row of 32 channels: %+v", r.Row.Bars[60])
	}
	if r := p.Result(); r.Channels != 32 || r.Len() != (8000*3+255)/256 {
		t.Errorf("peaks of 32 channels: %d × %d", r.Channels, r.Len())
	}
}

// BenchmarkAllAnalysis runs everything that one upload is measured by, except decoding and encoding, on one goroutine. The CPU metric
// is seconds of audio per second of processor time, which other work on the machine hardly changes.
func BenchmarkAllAnalysis(b *testing.B) {
	const seconds = 60
	for _, c := range []struct {
		name string
		rate int
	}{{"44100", 44100}, {"96000", 96000}} {
		planar := band(c.rate, seconds)
		parts := map[string]func([][]float32){}
		order := []string{"scrub", "loudness", "peaks", "spectrum", "fingerprint"}
		b.Run(c.name, func(b *testing.B) {
			spent := map[string]float64{}
			start := cpu(b)
			for b.Loop() {
				l, p, s, d := loudness.New(c.rate, 2), peaks.New(c.rate, 2, peaks.Options{}), spectrum.New(c.rate, 2), describe.New(c.rate)
				f, err := fingerprint.New(c.rate, 2)
				if err != nil {
					b.Fatal(err)
				}
				s.OnFrame = d.Frame
				parts["scrub"] = func(x [][]float32) { audio.Scrub(x) }
				parts["loudness"], parts["peaks"], parts["spectrum"], parts["fingerprint"] = l.Write, p.Write, s.Write, f.Write
				view := make([][]float32, 2)
				for at := 0; at < len(planar[0]); at += 8192 {
					end := min(at+8192, len(planar[0]))
					view[0], view[1] = planar[0][at:end], planar[1][at:end]
					for _, name := range order {
						t := time.Now()
						parts[name](view)
						spent[name] += time.Since(t).Seconds()
					}
				}
				l.Result()
				p.Result()
				f.Result()
				d.Result(s.Result().Frames)
			}
			b.ReportMetric(float64(b.N)*seconds/(cpu(b)-start), "x-realtime-CPU")
			for name, t := range spent {
				b.ReportMetric(1e6*t/float64(b.N)/seconds, name+"-µs/s")
			}
		})
	}
}

// cpu is the processor time of this process so far, in seconds.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
