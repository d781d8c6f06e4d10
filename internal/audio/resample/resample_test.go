package resample_test

import (
	"math"
	"testing"

	"audiomicro/internal/audio/resample"
)

func tone(n, rate int, hz float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Sin(2 * math.Pi * hz * float64(i) / float64(rate)))
	}
	return x
}

// convert runs x through a resampler in blocks of the given length.
func convert(t testing.TB, x []float32, from, to, block int, q resample.Quality) []float32 {
	t.Helper()
	r, err := resample.New(from, to, 1, q)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for len(x) > 0 {
		n := min(block, len(x))
		out = append(out, r.Write([][]float32{x[:n]})[0]...)
		x = x[n:]
	}
	return append(out, r.Flush()[0]...)
}

func TestLengthIsExactForAnyBlockSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to int }{
		{44100, 48000}, {48000, 44100}, {44100, 11025}, {96000, 48000}, {8000, 48000}, {48000, 48000}, {44056, 48000}, {37813, 48000}, {192000, 11025}, {1000, 48000},
	} {
		for _, n := range []int{0, 1, 2, 100, 4410, 10007} {
			want := (n*c.to + c.from - 1) / c.from
			x := tone(n, c.from, float64(c.from)/50)
			whole := convert(t, x, c.from, c.to, 1<<20, resample.Encode)
			if len(whole) != want {
				t.Errorf("%d → %d: %d frames gave %d, want %d", c.from, c.to, n, len(whole), want)
			}
			parts := convert(t, x, c.from, c.to, 37, resample.Encode)
			if len(parts) != len(whole) {
				t.Fatalf("%d → %d: blocks gave %d frames, whole %d", c.from, c.to, len(parts), len(whole))
			}
			for i := range parts {
				if parts[i] != whole[i] {
					t.Fatalf("%d → %d: frame %d differs by block size", c.from, c.to, i)
				}
			}
		}
	}
}

// errorDB is the level of the difference to the ideal tone over the middle of the signal, relative to the tone.
func errorDB(got []float32, rate int, hz float64) float64 {
	ideal := tone(len(got), rate, hz)
	var e, s float64
	for i := len(got) / 4; i < 3*len(got)/4; i++ {
		d := float64(got[i] - ideal[i])
		e += d * d
		s += float64(ideal[i]) * float64(ideal[i])
	}
	return 10 * math.Log10(e/s)
}

func TestTonesKeepPhaseAndLevel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to int
		hz       float64
	}{
		{44100, 48000, 997}, {44100, 48000, 15000}, {44100, 48000, 19000}, {48000, 44100, 17000}, {96000, 48000, 19000}, {22050, 48000, 9000},
		{8000, 48000, 3000}, {37813, 48000, 12000}, {767999, 48000, 12000}, {48000, 11025, 4000},
	} {
		out := convert(t, tone(c.from, c.from, c.hz), c.from, c.to, 4096, resample.Encode)
		if db := errorDB(out, c.to, c.hz); db > -95 {
			t.Errorf("%d → %d at %g Hz: error %.1f dB, want below -95", c.from, c.to, c.hz, db)
		}
	}
}

func TestStopBandIsBelow100dB(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to int
		hz       float64
	}{
		{96000, 48000, 27000}, {96000, 48000, 40000}, {48000, 11025, 6600}, {48000, 11025, 20000}, {192000, 44100, 25000}, {44100, 11025, 7000},
	} {
		out := convert(t, tone(c.from, c.from, c.hz), c.from, c.to, 4096, resample.Encode)
		var e float64
		mid := out[len(out)/4 : 3*len(out)/4]
		for _, v := range mid {
			e += float64(v) * float64(v)
		}
		if db := 10 * math.Log10(e/float64(len(mid))/0.5); db > -100 {
			t.Errorf("%d → %d: %g Hz comes through at %.1f dB", c.from, c.to, c.hz, db)
		}
	}
}

// TestHeardBand: below 20 kHz a tone arrives unchanged, and nothing else arrives, wherever the tone lies.
func TestHeardBand(t *testing.T) {
	t.Parallel()
	const to = 48000
	for _, from := range []int{8000, 22050, 32000, 40000, 44100, 64000, 88200, 96000, 176400, 192000, 352800} {
		q := resample.Heard(from, to)
		for _, hz := range []float64{997, 11000, 15000, 19000, 20000, 21900, 23000, 26000, 28200, 29000, 40000, 68500} {
			if hz > .43*float64(from) && (from < 40000 || hz > .499*float64(from)) { // what the usual filter takes with it, or no tone of this rate
				continue
			}
			// What lies above 20 kHz is not heard: a steep filter takes it away.
			const audible = 39200
			out := convert(t, convert(t, tone(2*from, from, hz), from, to, 4096, q), to, audible, 4096, resample.Quality{HalfWidth: 400, Beta: 10.06, Cutoff: .99})
			if hz < 19100 {
				if db := errorDB(out, audible, hz); db > -90 {
					t.Errorf("%d Hz, a tone at %g Hz: error %.1f dB", from, hz, db)
				}
				continue
			}
			var e float64
			mid := out[len(out)/4 : 3*len(out)/4]
			for _, v := range mid {
				e += float64(v) * float64(v)
			}
			if db := 10 * math.Log10(e/float64(len(mid))/0.5+1e-20); db > -98 {
				t.Errorf("%d Hz, a tone at %g Hz: %.1f dB below 20 kHz", from, hz, db)
			}
		}
	}
}

func TestBadParametersAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]int{{0, 48000, 1}, {48000, 0, 1}, {-1, 48000, 1}, {48000, 1 << 30, 1}, {44100, 48000, 0}, {768000, 1000, 1}} {
		if _, err := resample.New(c[0], c[1], c[2], resample.Encode); err == nil {
			t.Errorf("New(%v) was accepted", c)
		}
	}
}

func Benchmark44100to48000Stereo(b *testing.B) {
	r, err := resample.New(44100, 48000, 2, resample.Heard(44100, 48000))
	if err != nil {
		b.Fatal(err)
	}
	block := [][]float32{tone(44100/4, 44100, 440), tone(44100/4, 44100, 550)}
	for b.Loop() {
		r.Write(block)
	}
	b.ReportMetric(float64(b.N)/4/b.Elapsed().Seconds(), "x-realtime")
}
