package decode_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/sniff"
)

func f32(order interface {
	AppendUint32([]byte, uint32) []byte
}, v float32) string {
	return string(order.AppendUint32(nil, math.Float32bits(v)))
}

// TestSampleFormats decodes one frame of two samples in every form and knows the answer.
func TestSampleFormats(t *testing.T) {
	t.Parallel()
	f64 := func(v float64) string { return string(le.AppendUint64(nil, math.Float64bits(v))) }
	b64 := func(v float64) string { return string(be.AppendUint64(nil, math.Float64bits(v))) }
	for _, c := range []struct {
		name, codec string
		file        []byte
		left, right float32
	}{
		{"u8", "pcm_u8", wav(format(1, 2, 44100, 2, 8), "\x00\xc0"), -1, .5},
		{"s16", "pcm_s16", wav(format(1, 2, 44100, 4, 16), "\x00\x80\x00\x40"), -1, .5},
		{"s24", "pcm_s24", wav(format(1, 2, 44100, 6, 24), "\x01\x00\x00\x00\x00\xc0"), 1.0 / (1 << 23), -.5},
		{"s32", "pcm_s32", wav(format(1, 2, 44100, 8, 32), "\x00\x00\x00\x80\x00\x00\x00\x20"), -1, .25},
		{"24 in 32", "pcm_s32", wav(extensible(1, 2, 44100, 8, 32, 24, guidTail), "\x00\x01\x00\x00\x00\x00\x00\x40"), 1.0 / (1 << 23), .5},
		{"20 in 24", "pcm_s24", wav(extensible(1, 2, 44100, 6, 24, 20, guidTail), "\x10\x00\x00\x00\x00\x40"), 1.0 / (1 << 19), .5},
		{"f32 with overs", "pcm_f32", wav(format(3, 2, 44100, 8, 32), f32(le, 1.5)+f32(le, -.25)), 1.5, -.25},
		{"f32 that is not finite", "pcm_f32", wav(format(3, 2, 44100, 8, 32), f32(le, float32(math.NaN()))+f32(le, float32(math.Inf(-1)))), 0, 0},
		{"f32 beyond measure", "pcm_f32", wav(format(3, 2, 44100, 8, 32), f32(le, 1e38)+f32(le, -1e38)), decode.MaxMagnitude, -decode.MaxMagnitude},
		{"f64", "pcm_f64", wav(format(3, 2, 44100, 16, 64), f64(.5)+f64(-.75)), .5, -.75},
		{"mu-law", "mulaw", wav(format(7, 2, 44100, 2, 8), "\x80\xff"), 32124.0 / 32768, 0},
		{"A-law", "alaw", wav(format(6, 2, 44100, 2, 8), "\xaa\x2a"), 32256.0 / 32768, -32256.0 / 32768},
		{"AIFF s16", "pcm_s16", aiff(comm(2, 1, 16, rate44100, ""), "\x80\x00\x40\x00"), -1, .5},
		{"AIFF s8", "pcm_s8", aiff(comm(2, 1, 8, rate44100, ""), "\x80\x40"), -1, .5},
		{"AIFF 12 bit", "pcm_s16", aiff(comm(2, 1, 12, rate44100, ""), "\x80\x00\x40\x00"), -1, .5},
		{"AIFC sowt", "pcm_s16", aiff(comm(2, 1, 16, rate44100, "sowt"), "\x00\x80\x00\x40"), -1, .5},
		{"AIFC in24", "pcm_s24", aiff(comm(2, 1, 24, rate44100, "in24"), "\x80\x00\x00\x40\x00\x00"), -1, .5},
		{"AIFC fl32", "pcm_f32", aiff(comm(2, 1, 32, rate44100, "fl32"), f32(be, 1.5)+f32(be, -.25)), 1.5, -.25},
		{"AIFC fl64", "pcm_f64", aiff(comm(2, 1, 64, rate44100, "FL64"), b64(.5)+b64(-.75)), .5, -.75},
		{"AIFC raw", "pcm_u8", aiff(comm(2, 1, 8, rate44100, "raw "), "\x00\xc0"), -1, .5},
	} {
		d := decodeBytes(c.file, decode.Options{})
		if d.err != nil || d.frames() != 1 {
			t.Errorf("%s: %d frames, %v", c.name, d.frames(), d.err)
			continue
		}
		if l, r := d.samples[0][0], d.samples[1][0]; l != c.left || r != c.right || d.info.Codec != c.codec || d.info.SampleRate != 44100 {
			t.Errorf("%s: %v %v, %+v; want %v %v, %s", c.name, l, r, d.info, c.left, c.right, c.codec)
		}
	}
}

// TestAgainstFFmpeg decodes what real encoders make of noise and compares every sample with ffmpeg's.
func TestAgainstFFmpeg(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	dir := t.TempDir()
	source := func(name, layout, rate string, codec string) string {
		path := filepath.Join(dir, name)
		// A sweep per channel under noise, with a gap of silence and overs of the quantizer's full scale.
		run(t, ffmpeg, "-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=2.3:r="+rate+":a=0.2:seed=7", "-filter_complex",
			"[0]aformat=channel_layouts=mono,asplit=2[a][b];[b]volume=enable='between(t,1,1.2)':volume=0[c];[a]vibrato=f=3:d=0.9[d];[c][d]amix[e];[e]pan="+layout+"[out]",
			"-map", "[out]", "-c:a", codec, path)
		return path
	}
	stereo := source("stereo.wav", "stereo|c0=c0|c1=0.5*c0", "44100", "pcm_s16le")
	high := source("high.wav", "stereo|c0=c0|c1=-0.7*c0", "96000", "pcm_s24le")
	surround := source("surround.wav", "5.1|c0=.9*c0|c1=.8*c0|c2=.7*c0|c3=.6*c0|c4=.5*c0|c5=.4*c0", "48000", "pcm_s16le")
	type job struct {
		name   string
		args   []string
		within float64
		ffmpeg bool
		bits   int // that only the header of a format tells which ffmpeg decodes
	}
	to := func(src string, args ...string) []string {
		return append([]string{ffmpeg, "-v", "error", "-i", src}, args...)
	}
	for _, j := range []job{
		{name: "a.flac", args: []string{"flac", "-s", stereo, "-o"}},
		{name: "b.flac", args: []string{"flac", "-s", "-8", "-p", "-e", high, "-o"}},
		{name: "c.flac", args: []string{"flac", "-s", "-0", "--no-seektable", surround, "-o"}},
		{name: "d.flac", args: []string{"flac", "-s", "-l", "32", "--lax", "-b", "16384", high, "-o"}},
		{name: "e.oga", args: []string{"flac", "-s", "--ogg", stereo, "-o"}},
		{name: "f.aiff", args: to(high, "-c:a", "pcm_s24be")},
		{name: "g.w64", args: to(high, "-c:a", "pcm_f32le")},
		{name: "h.wav", args: to(surround, "-rf64", "always", "-c:a", "pcm_s24le")},
		{name: "i.ogg", args: []string{"oggenc", "-Q", "-q", "6", stereo, "-o"}, within: 1e-5},
		{name: "j.ogg", args: []string{"oggenc", "-Q", "-q", "-1", high, "-o"}, within: 1e-5},
		{name: "k.ogg", args: []string{"oggenc", "-Q", surround, "-o"}, within: 1e-5},
		{name: "l.opus", args: []string{"opusenc", "--quiet", "--bitrate", "96", stereo}, within: 1e-4},
		{name: "m.opus", args: []string{"opusenc", "--quiet", "--bitrate", "12", "--downmix-mono", stereo}, within: 1e-4},
		{name: "n.opus", args: []string{"opusenc", "--quiet", surround}, within: 1e-4},
		{name: "o.mp3", args: []string{"lame", "--quiet", "-V", "2", stereo}, within: 1e-4},
		{name: "p.mp3", args: []string{"lame", "--quiet", "-b", "64", "-m", "j", "--resample", "22.05", stereo}, within: 1e-4},
		{name: "q.mp3", args: []string{"lame", "--quiet", "-b", "320", "-m", "s", "--resample", "48", stereo}, within: 1e-4},
		{name: "r.mp3", args: []string{"lame", "--quiet", "-b", "32", "-m", "m", "--resample", "22.05", stereo}, within: 1e-4},
		{name: "s.mp3", args: []string{"lame", "--quiet", "-b", "16", "-m", "j", "--resample", "11.025", stereo}, within: 1e-4},
		{name: "t.mp3", args: []string{"lame", "--quiet", "-b", "8", "--resample", "8", stereo}, within: 1e-4},
		{name: "u.mp3", args: []string{"lame", "--quiet", "-b", "128", "-t", "--resample", "32", "-p", stereo}, within: 1e-4},
		{name: "v.m4a", args: to(stereo, "-c:a", "aac"), ffmpeg: true},
		{name: "w.m4a", args: to(stereo, "-c:a", "alac"), ffmpeg: true},
		{name: "w24.m4a", args: to(high, "-c:a", "alac", "-sample_fmt", "s32p", "-movflags", "faststart"), ffmpeg: true, bits: 24},
		{name: "w16.m4a", args: to(stereo, "-c:a", "alac", "-movflags", "faststart"), ffmpeg: true, bits: 16},
		{name: "x.wv", args: []string{"wavpack", "-q", stereo, "-o"}, ffmpeg: true, bits: 16},
		{name: "x24.wv", args: []string{"wavpack", "-q", high, "-o"}, ffmpeg: true, bits: 24},
		{name: "x.tta", args: to(stereo, "-c:a", "tta"), ffmpeg: true, bits: 16},
		{name: "y.wav", args: to(stereo, "-c:a", "adpcm_ms"), ffmpeg: true},
		{name: "z.webm", args: to(stereo, "-c:a", "libopus"), ffmpeg: true},
	} {
		t.Run(j.name+" "+j.args[0], func(t *testing.T) {
			t.Parallel()
			tool(t, j.args[0])
			path := filepath.Join(dir, j.name)
			run(t, j.args[0], append(j.args[1:], path)...)
			if j.ffmpeg {
				if d := decodeFile(t, path, decode.Options{}); !errors.Is(d.err, audio.ErrUnsupported) {
					t.Errorf("without ffmpeg: %v", d.err)
				}
			}
			d := decodeFile(t, path, decode.Options{FFmpegPath: ffmpeg, TempDir: dir})
			if d.err != nil {
				t.Fatal(d.err)
			}
			want := reference(t, path, d.info.Channels)
			switch diff := difference(d.samples, want); {
			case diff < 0:
				t.Errorf("%d frames, ffmpeg has %d", d.frames(), len(want[0]))
			case diff > j.within:
				t.Errorf("differs from ffmpeg by %g, at most %g is allowed", diff, j.within)
			}
			if j.bits != 0 && d.info.BitDepth != j.bits {
				t.Errorf("%d bits, want %d", d.info.BitDepth, j.bits)
			}
			if d.info.Frames != 0 && d.info.Frames != int64(d.frames()) {
				t.Errorf("the header says %d frames, there are %d", d.info.Frames, d.frames())
			}
		})
	}
}

// TestPipeForSeekingFormats feeds an M4A whose index stands at its end through a reader that cannot seek.
func TestPipeForSeekingFormats(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	path := filepath.Join(t.TempDir(), "a.m4a")
	run(t, ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=d=1:r=44100", "-c:a", "alac", path)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := decodeBytes(file, decode.Options{FFmpegPath: ffmpeg, TempDir: t.TempDir()})
	if d.err != nil || d.frames() != 44100 {
		t.Errorf("%d frames, %v", d.frames(), d.err)
	}
}

// TestChains joins streams: of one form they follow each other, of two forms they are refused.
func TestChains(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, program string, args ...string) []byte {
		path := filepath.Join(dir, name)
		run(t, tool(t, program), append(args, path)...)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tool(t, "oggenc")
	tool(t, "opusenc")
	file("a.wav", "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=1:r=44100", "-ac", "2")
	file("b.wav", "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=0.5:r=22050", "-ac", "1")
	a, b := filepath.Join(dir, "a.wav"), filepath.Join(dir, "b.wav")
	vorbis := file("a.ogg", "oggenc", "-Q", "-s", "1", a, "-o")
	other := file("b.ogg", "oggenc", "-Q", "-s", "2", b, "-o")
	opus := file("a.opus", "opusenc", "--quiet", "--serial", "1", a)
	again := file("c.opus", "opusenc", "--quiet", "--serial", "2", a)
	mono := file("b.opus", "opusenc", "--quiet", "--serial", "3", b)
	file("c.wav", "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=5:r=44100")
	early := file("c.ogg", "oggenc", "-Q", filepath.Join(dir, "c.wav"), "-o")
	last := bytes.LastIndex(early, []byte("OggS"))
	middle := early[bytes.LastIndex(early[:last], []byte("OggS")):last]
	middle[5] |= 4
	oggSum(middle)
	skeleton := append(oggPage(2, 0, 99, 0, "fishead\x00"+strings.Repeat("\x00", 56)), vorbis...)
	for _, c := range []struct {
		name   string
		file   []byte
		frames int
		err    error
	}{
		{"Vorbis", vorbis, 44100, nil},
		{"Vorbis twice", bytes.Join([][]byte{vorbis, vorbis}, nil), 88200, nil},
		{"Vorbis behind a skeleton", skeleton, 44100, nil},
		{"Vorbis that goes on behind its last page", early, 5 * 44100, nil},
		{"Vorbis with another rate", bytes.Join([][]byte{vorbis, other}, nil), 44100, audio.ErrUnsupported},
		{"Opus twice", bytes.Join([][]byte{opus, again}, nil), 96000, nil},
		{"Opus with other channels", bytes.Join([][]byte{opus, mono}, nil), 48000, audio.ErrUnsupported},
		{"tag behind the end", append(bytes.Clone(vorbis), "TAG"+strings.Repeat("\x00", 125)...), 44100, nil},
		{"cut in the middle of a page", vorbis[:len(vorbis)-100], -1, audio.ErrDamaged},
	} {
		d := decodeBytes(c.file, decode.Options{})
		if !errors.Is(d.err, c.err) || c.frames >= 0 && d.frames() != c.frames {
			t.Errorf("%s: %d frames, %v; want %d, %v", c.name, d.frames(), d.err, c.frames, c.err)
		}
	}
}

// TestOpusRules follows RFC 7845: pre-skip, end trimming and output gain.
func TestOpusRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		file   []byte
		frames int
		err    error
	}{
		{"pre-skip and last position", opusFile(opusHead(1, 312, 0, 0, ""), 1500, silentOpus, silentOpus), 1500 - 312, nil},
		{"pre-skip longer than the stream", opusFile(opusHead(1, 60000, 0, 0, ""), 1920, silentOpus, silentOpus), 0, nil},
		{"position beyond the packets", opusFile(opusHead(1, 0, 0, 0, ""), 1<<40, silentOpus), 960, nil},
		{"position -1", opusFile(opusHead(1, 0, 0, 0, ""), -1, silentOpus), 960, nil},
		{"empty packets", opusFile(opusHead(1, 0, 0, 0, ""), 960, "", silentOpus, ""), 960, nil},
		{"255 channels", opusFile(opusHead(255, 0, 0, 255, "\xff\x00"+strings.Repeat("\x00", 255)), 960, silentOpus), 0, audio.ErrUnsupported},
		{"no channels", opusFile(opusHead(0, 0, 0, 0, ""), 960, silentOpus), 0, audio.ErrDamaged},
		{"mapping cut short", opusFile(opusHead(6, 0, 0, 1, "\x04\x02\x00"), 960, silentOpus), 0, audio.ErrDamaged},
		{"more coupled than streams", opusFile(opusHead(2, 0, 0, 1, "\x01\x02\x00\x01"), 960, silentOpus), 0, audio.ErrDamaged},
		{"unknown family", opusFile(opusHead(2, 0, 0, 3, "\x01\x01\x00\x01"), 960, silentOpus), 0, audio.ErrUnsupported},
	} {
		d := decodeBytes(c.file, decode.Options{})
		if !errors.Is(d.err, c.err) || d.frames() != c.frames {
			t.Errorf("%s: %d frames, %v; want %d, %v", c.name, d.frames(), d.err, c.frames, c.err)
		}
	}
	dir := t.TempDir()
	path, quiet := filepath.Join(dir, "a.opus"), filepath.Join(dir, "a.wav")
	tool(t, "opusenc")
	run(t, tool(t, "ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "sine=d=1:r=48000", quiet)
	run(t, "opusenc", "--quiet", quiet, path)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plain := decodeBytes(file, decode.Options{})
	page := file[:27+int(file[26])+19]
	gain := int16(-6 * 256)
	le.PutUint16(page[28+16:], uint16(gain))
	oggSum(page)
	softer := decodeBytes(file, decode.Options{})
	if plain.err != nil || softer.err != nil {
		t.Fatal(plain.err, softer.err)
	}
	ratio := rms(softer.samples[0]) / rms(plain.samples[0])
	if want := math.Pow(10, -6.0/20); math.Abs(ratio-want) > 1e-4 {
		t.Errorf("a gain of -6 dB gives the factor %g, want %g", ratio, want)
	}
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}

// TestKindMismatch opens bytes as what they are not.
func TestKindMismatch(t *testing.T) {
	t.Parallel()
	file := wav(format(1, 2, 44100, 4, 16), strings.Repeat("\x00\x10", 4000))
	for _, k := range []sniff.Kind{
		{Container: "aiff", Codec: "pcm"}, {Container: "flac", Codec: "flac"}, {Container: "ogg", Codec: "vorbis"}, {Container: "ogg", Codec: "opus"}, {Container: "ogg", Codec: "flac"},
		{Container: "mp3", Codec: "mp3"}, {Container: "w64", Codec: "pcm"}, {Container: "nothing"}, {},
	} {
		d, err := decode.Open(bytes.NewReader(file), k, decode.Options{})
		if err == nil {
			d.Close()
			t.Errorf("%v opened", k)
		} else if !errors.Is(err, audio.ErrDamaged) && !errors.Is(err, audio.ErrUnsupported) {
			t.Errorf("%v: %v", k, err)
		}
	}
}

// TestMP3At24kHz compares with lame, whose scale factor bands at 24 kHz differ from ffmpeg's (see mp3LongBands). lame writes 16 bits.
func TestMP3At24kHz(t *testing.T) {
	t.Parallel()
	lame, dir := tool(t, "lame"), t.TempDir()
	in, coded, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, "a.mp3"), filepath.Join(dir, "out.wav")
	run(t, tool(t, "ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=3:r=24000:a=0.3:seed=5", "-ac", "2", in)
	run(t, lame, "--quiet", "-b", "96", "-m", "s", in, coded)
	run(t, lame, "--quiet", "--decode", coded, out)
	got, want := decodeFile(t, coded, decode.Options{}), decodeFile(t, out, decode.Options{})
	if got.err != nil || want.err != nil {
		t.Fatal(got.err, want.err)
	}
	if diff := difference(got.samples, want.samples); diff < 0 || diff > 1.5/32768 {
		t.Errorf("differs from lame by %g (%d and %d frames)", diff, got.frames(), want.frames())
	}
}

// TestCloseEarly ends a decoder that has much left to do: ffmpeg must go with it.
func TestCloseEarly(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	path := filepath.Join(t.TempDir(), "long.wv")
	run(t, ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=d=600:r=48000", path)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := decode.Open(f, sniff.Kind{Container: "wavpack", Codec: "wavpack", NeedsFFmpeg: true}, decode.Options{FFmpegPath: ffmpeg})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("closing took %v", took)
	}
	if _, err := d.Next(); err == nil {
		t.Error("a closed decoder goes on")
	}
}

// TestFFmpegRefusesPlaylists hands ffmpeg a playlist as every container it is asked to open: the named demuxer must refuse it.
func TestFFmpegRefusesPlaylists(t *testing.T) {
	t.Parallel()
	ffmpeg := tool(t, "ffmpeg")
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.wav")
	if err := os.WriteFile(secret, wav(format(1, 1, 8000, 2, 16), strings.Repeat("\x00\x10", 8000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + secret + "\n#EXT-X-ENDLIST\n", "concat": "ffconcat version 1.0\nfile '" + secret + "'\n",
	} {
		for _, container := range []string{"wav", "mp3", "mp4", "webm", "wavpack", "adts", "caf", "asf", "ogg", "flac"} {
			path := filepath.Join(dir, name+"."+container)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			d, err := decode.Open(f, sniff.Kind{Container: container, NeedsFFmpeg: true}, decode.Options{FFmpegPath: ffmpeg, TempDir: dir})
			if err == nil {
				t.Errorf("%s as %s was opened", name, container)
				d.Close()
			} else if !errors.Is(err, audio.ErrDamaged) {
				t.Errorf("%s as %s: %v", name, container, err)
			}
			f.Close()
		}
	}
}
