package mp3enc_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/mp3enc"
	"audiomicro/internal/audio/resample"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/audio/synth"
)

// encode writes planar sound into a file, in blocks of odd sizes.
func encode(t testing.TB, planar [][]float32, opt mp3enc.Options) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "a.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, err := mp3enc.New(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	for at, n := 0, 1; at < len(planar[0]); n = n*7%4096 + 1 {
		to := min(at+n, len(planar[0]))
		block := make([][]float32, len(planar))
		for c := range block {
			block[c] = planar[c][at:to]
		}
		if err := e.Write(block); err != nil {
			t.Fatal(err)
		}
		at = to
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// decoded is the sound of a file by our own decoder.
func decoded(t testing.TB, path string) (planar [][]float32, rate int) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind, err := sniff.Detect(file[:min(len(file), sniff.HeadSize)])
	if err != nil {
		t.Fatal(err)
	}
	d, err := decode.Open(bytes.NewReader(file), kind, decode.Options{Size: int64(len(file))})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	planar = make([][]float32, d.Info().Channels)
	for {
		block, err := d.Next()
		if errors.Is(err, io.EOF) {
			return planar, d.Info().SampleRate
		}
		if err != nil {
			t.Fatal(err)
		}
		for c := range block {
			planar[c] = append(planar[c], block[c]...)
		}
	}
}

// resampled changes the rate of a whole sound.
func resampled(t testing.TB, planar [][]float32, from, to int) [][]float32 {
	t.Helper()
	if from == to {
		return planar
	}
	r, err := resample.New(from, to, len(planar), resample.Encode)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(planar))
	add := func(block [][]float32) {
		for c := range block {
			out[c] = append(out[c], block[c]...)
		}
	}
	add(r.Write(planar))
	add(r.Flush())
	return out
}

// fit is the gain that brings b nearest to a.
func fit(a, b [][]float32) float32 {
	var ab, bb float64
	for c := range a {
		for i, v := range b[c][:min(len(a[c]), len(b[c]))] {
			ab += float64(a[c][i]) * float64(v)
			bb += float64(v) * float64(v)
		}
	}
	return float32(ab / bb)
}

// snr of b as a copy of a, in dB.
func snr(a, b [][]float32) float64 {
	var signal, noise float64
	for c := range a {
		for i, v := range a[c] {
			d := float64(v)
			signal += d * d
			if i < len(b[c]) {
				d -= float64(b[c][i])
			}
			noise += d * d
		}
	}
	return 10 * math.Log10(signal/(noise+1e-20))
}

func lufs(planar [][]float32, rate int) float64 {
	m := loudness.New(rate, len(planar))
	m.Write(planar)
	return m.Result().Integrated
}

// sounds are materials of different kinds at 48 kHz: what the site's own catalog has, and the extremes.
func sounds() map[string][][]float32 {
	all := map[string][][]float32{}
	for _, s := range synth.Catalog() {
		planar := s.Render()
		for c := range planar {
			planar[c] = planar[c][:min(len(planar[c]), 6*synth.SampleRate)]
		}
		all[s.Name] = planar
	}
	const n = 2 * synth.SampleRate
	r := rand.New(rand.NewPCG(1, 2))
	make2 := func(f func(i int) float32) [][]float32 {
		p := [][]float32{make([]float32, n), make([]float32, n)}
		for i := range n {
			p[0][i], p[1][i] = f(i), f(i)
		}
		return p
	}
	all["silence"] = make2(func(int) float32 { return 0 })
	all["square"] = make2(func(i int) float32 { return float32(1 - 2*(i/50%2)) })
	all["impulses"] = make2(func(i int) float32 {
		if i%9973 == 5000 {
			return 1
		}
		return 0
	})
	all["noise"] = make2(func(int) float32 { return r.Float32() - .5 })
	all["overs"] = make2(func(i int) float32 { return 3 * float32(math.Sin(float64(i)/20)) })
	all["nan"] = make2(func(i int) float32 { return float32(math.Log(float64(i%100 - 50))) })
	var pink, brown [2]float32
	side := 0                                 // of the next call
	all["rumble"] = make2(func(int) float32 { // brown noise under a pink one, as traffic has them
		side ^= 1
		brown[side] = .995*brown[side] + .03*(r.Float32()-.5)
		pink[side] = .9*pink[side] + .1*(r.Float32()-.5)
		return brown[side] + pink[side]
	})
	all["clicks"] = make2(func(i int) float32 { // of a vinyl record: irregular, of all sizes, over hiss
		v := (r.Float32() - .5) * .002
		if r.IntN(3000) == 0 {
			v += (r.Float32() - .5) * 1.5
		}
		return v
	})
	all["sine"] = make2(func(i int) float32 { return .25 * float32(math.Sin(2*math.Pi*997*float64(i)/synth.SampleRate)) })
	all["high sine"] = make2(func(i int) float32 { return .25 * float32(math.Sin(2*math.Pi*9000*float64(i)/synth.SampleRate)) })
	all["loud noise"] = make2(func(int) float32 { return 2*r.Float32() - 1 })
	all["speech"] = speech(n)
	all["quiet"] = make2(func(int) float32 { return (r.Float32() - .5) / 16384 })
	return all
}

// speech is like it in what matters to a coder: a voice of 90 to 160 Hz through three formants that change every eighth of a second, hissed
// consonants between them, and pauses. One channel.
func speech(n int) [][]float32 {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, n)
	var phase, hz float64
	var formants [3][2]float64 // state
	var at [3]float64
	kind := 0
	for i := range x {
		if i%(synth.SampleRate/8) == 0 {
			kind = r.IntN(6)
			at = [3]float64{300 + 500*r.Float64(), 900 + 1300*r.Float64(), 2400 + 600*r.Float64()}
			hz = 90 + 70*r.Float64()
		}
		var in float64
		switch {
		case kind == 0: // a pause
		case kind == 1:
			x[i] = float32(r.NormFloat64() * .04)
		default:
			if phase += hz / synth.SampleRate; phase >= 1 {
				phase--
				in = 1
			}
			in += r.NormFloat64() * .005
		}
		for f, hz := range at {
			s := &formants[f]
			radius := math.Exp(-math.Pi * 90 / synth.SampleRate)
			y := in + 2*radius*math.Cos(2*math.Pi*hz/synth.SampleRate)*s[0] - radius*radius*s[1]
			s[1], s[0] = s[0], y
			x[i] += float32(y * .02)
		}
	}
	return [][]float32{x}
}

// TestLength encodes sounds of every awkward length and kind, and finds each sample back in its place.
func TestLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 47, 48, 575, 576, 577, 622, 623, 624, 1151, 1152, 1153, 5000} {
		for channels := 1; channels <= 2; channels++ {
			for _, rate := range []int{48000, 44100, 32000, 24000, 22050, 16000} {
				planar := make([][]float32, channels)
				for c := range planar {
					planar[c] = make([]float32, n)
					for i := range planar[c] {
						planar[c][i] = float32(math.Sin(float64(i)/7) * .5)
					}
				}
				path := encode(t, planar, mp3enc.Options{InputRate: rate, Channels: channels, Bitrate: 128000})
				back, fileRate := decoded(t, path)
				if fileRate != rate || len(back) != channels || len(back[0]) != n {
					t.Errorf("%d samples of %d channels at %d Hz came back as %d of %d at %d Hz", n, channels, rate, len(back[0]), len(back), fileRate)
				}
				if n > 500 {
					if got := snr(planar, back); got < 25 {
						t.Errorf("%d samples of %d channels at %d Hz: %.1f dB", n, channels, rate, got)
					}
				}
			}
		}
	}
}

// tool is a program that a test compares with.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and CI tests everything (make setup installs it)", name)
		}
		t.Skipf("SKIPPED, NOT TESTED: %s is not installed (make setup installs it)", name)
	}
	return path
}

// run starts a program and wants silence on its standard error.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Errorf("%s %v: %v: %s", filepath.Base(name), args, err, said.String())
	}
	return out
}

// checkStream walks the frames and wants each one's main data to begin where the reservoir has room for it.
func checkStream(t testing.TB, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	free := 0 // bytes of earlier bodies that no frame's main data has taken
	frames := 0
	for at := 0; at < len(file); frames++ {
		h, ok := sniff.ParseMPEG(file[at:])
		if !ok || at+h.Size > len(file) {
			t.Fatalf("no frame at byte %d of %d", at, len(file))
		}
		frame := file[at : at+h.Size]
		at += h.Size
		if frames == 0 {
			continue // the Info frame
		}
		side, bits := 4, 0
		field := func(n int) (v int) {
			for range n {
				v = v<<1 | int(frame[side+bits/8]>>(7-bits%8)&1)
				bits++
			}
			return v
		}
		begin, granules, size := 0, 1, 9
		if h.Version == 1 {
			granules, size = 2, 17
			begin = field(9)
			field(map[int]int{1: 5, 2: 3}[h.Channels()] + 4*h.Channels())
		} else {
			begin = field(8)
			field(h.Channels())
		}
		if h.Channels() == 2 {
			size = map[int]int{1: 32, 2: 17}[h.Version]
		}
		used := 0
		for range granules * h.Channels() {
			used += field(12)
			field(map[int]int{1: 47, 2: 51}[h.Version])
		}
		room := h.Size - 4 - size
		if begin > free || (used+7)/8 > begin+room {
			t.Fatalf("frame %d begins %d bytes back of %d and has %d bits in %d bytes", frames, begin, free, used, begin+room)
		}
		free = begin + room - (used+7)/8
	}
}

// TestSounds encodes all kinds of sounds at both preview bitrates: every decoder gives back the source's length, in place, within .1 LU of
// its loudness, with at most 1 dB more noise than lame's.
func TestSounds(t *testing.T) {
	t.Parallel()
	ffmpeg, lame := tool(t, "ffmpeg"), tool(t, "lame")
	for name, planar := range sounds() {
		for _, kbit := range []int{128, 64} {
			t.Run(name+" "+strconv.Itoa(kbit), func(t *testing.T) {
				t.Parallel()
				n := len(planar[0])
				path := encode(t, planar, mp3enc.Options{InputRate: synth.SampleRate, Channels: len(planar), Bitrate: kbit * 1000})
				checkStream(t, path)
				back, rate := decoded(t, path)
				want := (n*rate + synth.SampleRate - 1) / synth.SampleRate
				if len(back[0]) != want || len(back) != len(planar) {
					t.Fatalf("%d samples of %d channels came back, want %d of %d", len(back[0]), len(back), want, len(planar))
				}
				if got := len(run(t, ffmpeg, "-v", "warning", "-nostdin", "-i", path, "-f", "f32le", "-")) / 4 / len(planar); got != want {
					t.Errorf("ffmpeg gives %d samples, want %d", got, want)
				}
				if got := len(run(t, lame, "--quiet", "--decode", "-t", path, "-")) / 2 / len(planar); got != want {
					t.Errorf("lame gives %d samples, want %d", got, want)
				}
				source := planar
				if name == "nan" {
					return // what it should sound like, nobody knows
				}
				loud := lufs(source, synth.SampleRate)
				change := lufs(back, rate) - loud // at the file's rate, for a resampler's edge takes some
				back = resampled(t, back, rate, synth.SampleRate)
				if math.IsInf(loud, -1) {
					for _, v := range back[0] {
						if v > 1e-4 || v < -1e-4 {
							t.Fatalf("silence became %g", v)
						}
					}
					return
				}
				wav := filepath.Join(t.TempDir(), "a.wav")
				f, err := os.Create(wav)
				if err != nil {
					t.Fatal(err)
				}
				if err := synth.WriteWAV(f, source, synth.SampleRate); err != nil {
					t.Fatal(err)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				mp3 := filepath.Join(t.TempDir(), "b.mp3")
				run(t, lame, "--quiet", "-b", strconv.Itoa(kbit), "-q", "5", "-m", map[int]string{1: "m", 2: "j"}[len(source)], wav, mp3)
				other, otherRate := decoded(t, mp3)
				other = resampled(t, other, otherRate, synth.SampleRate)
				gain := fit(source, other) // lame makes everything 0.45 dB quieter at constant bitrates
				for _, row := range other {
					for i := range row {
						row[i] *= gain
					}
				}
				ours, lames := snr(source, back), snr(source, other)
				theirs := lufs(other, synth.SampleRate) - loud
				t.Logf("%-20s %3d SNR %.2f dB, lame %.2f dB; loudness %+.3f LU, lame %+.3f LU", name, kbit, ours, lames, change, theirs)
				if ours < lames-1 {
					t.Errorf("SNR %.2f dB, lame's %.2f dB", ours, lames)
				}
				// A sound at full scale has no room to be raised by what it loses above the band: noise of ±1 at 64 kbit/s, whose upper half is
				// not coded, may clip by 1 dB at most, and is .87 LU quieter (lame's 5.6).
				most := .1
				if name == "loud noise" && kbit == 64 {
					most = .9
				}
				if math.Abs(change) > most {
					t.Errorf("louder by %.3f LU, lame's by %.3f", change, theirs)
				}
			})
		}
	}
}

// FuzzEncode encodes whatever samples, rates and sizes: the file always decodes, to the right length.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint8(0), uint8(0), true)
	f.Add(bytes.Repeat([]byte{0, 127, 128, 255, 3}, 3000), uint8(3), uint8(7), false)
	f.Add(bytes.Repeat([]byte{0}, 9000), uint8(5), uint8(4), true)
	f.Fuzz(func(t *testing.T, data []byte, rate, bitrate uint8, stereo bool) {
		rates := []int{48000, 44100, 32000, 24000, 22050, 16000, 96000, 8000}
		opt := mp3enc.Options{InputRate: rates[int(rate)%len(rates)], Channels: 1, Bitrate: []int{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 320}[bitrate%11] * 1000}
		if stereo {
			opt.Channels = 2
		}
		planar := make([][]float32, opt.Channels)
		for i := 0; i+opt.Channels <= len(data) && i < 1<<15; i += opt.Channels {
			for c := range planar {
				v := float32(int8(data[i+c])) / 128
				if data[0]&1 == 1 { // wilder than any recording
					v = float32(math.Tan(float64(v) * math.Pi / 2))
				}
				planar[c] = append(planar[c], v)
			}
		}
		if len(planar[0]) == 0 {
			return
		}
		path := encode(t, planar, opt)
		checkStream(t, path)
		back, fileRate := decoded(t, path)
		if want := (len(planar[0])*fileRate + opt.InputRate - 1) / opt.InputRate; len(back[0]) != want || len(back) != opt.Channels {
			t.Fatalf("%d samples of %d channels, want %d", len(back[0]), len(back), want)
		}
	})
}
