package decode_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/sniff"
)

// fuzzDecode decodes bytes as kind k. Whatever they are, the answer is samples within the limits and one of the known errors.
func fuzzDecode(t *testing.T, file []byte, k sniff.Kind) {
	const limit = 1 << 21
	d, err := decode.Open(bytes.NewReader(file), k, decode.Options{Size: int64(len(file)), MaxFrames: limit})
	if err != nil {
		knownError(t, err)
		return
	}
	defer d.Close()
	info := d.Info()
	if info.Channels < 1 || info.Channels > decode.MaxChannels || info.SampleRate < decode.MinSampleRate || info.SampleRate > decode.MaxSampleRate {
		t.Fatalf("%+v", info)
	}
	total := 0
	for {
		block, err := d.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				knownError(t, err)
			}
			return
		}
		if len(block) != info.Channels || len(block[0]) == 0 || len(block[0]) > audio.MaxBlockFrames {
			t.Fatalf("a block of %d channels", len(block))
		}
		for _, row := range block {
			if len(row) != len(block[0]) {
				t.Fatal("channels of different lengths")
			}
			for _, v := range row {
				if !(v >= -decode.MaxMagnitude && v <= decode.MaxMagnitude) {
					t.Fatalf("sample %v", v)
				}
			}
		}
		if total += len(block[0]); total > limit {
			t.Fatalf("%d frames", total)
		}
	}
}

func knownError(t *testing.T, err error) {
	if !errors.Is(err, audio.ErrDamaged) && !errors.Is(err, audio.ErrUnsupported) && !errors.Is(err, decode.ErrTooLong) {
		t.Fatal(err)
	}
	if strings.Contains(err.Error(), "runtime error") && !strings.Contains(err.Error(), "Ogg") {
		t.Fatalf("a panic in code of our own: %v", err)
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(wav(format(1, 2, 44100, 4, 16), "abcdefgh"))
	f.Add(wav(extensible(3, 1, 48000, 4, 32, 32, guidTail), "abcdefgh"))
	f.Add([]byte(chunk(le, "RF64", "WAVE"+chunk(le, "ds64", strings.Repeat("\x08", 28), -1)+chunk(le, "fmt ", format(7, 1, 8000, 1, 8), -1)+chunk(le, "data", "12345678", 0xffffffff), -1)))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, c := range []string{"wav", "rf64", "w64"} {
			fuzzDecode(t, file, sniff.Kind{Container: c, Codec: "pcm"})
		}
	})
}

func FuzzAIFF(f *testing.F) {
	f.Add(aiff(comm(2, 1, 16, rate44100, ""), "abcd"))
	f.Add(aiff(comm(1, 2, 32, rate44100, "fl32"), "abcdefgh"))
	f.Fuzz(func(t *testing.T, file []byte) { fuzzDecode(t, file, sniff.Kind{Container: "aiff", Codec: "pcm"}) })
}

func FuzzFLAC(f *testing.F) {
	f.Add(flacStream(2, 44100, 64, 3, 0, 77))
	for _, args := range [][]string{{"-8"}, {"-0"}, {"-5", "--lax", "-l", "32", "-b", "64"}} {
		if file := encoded(f, "flac", "a.flac", append(args, "-s", "IN", "-o", "OUT")...); file != nil {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) { fuzzDecode(t, file, sniff.Kind{Container: "flac", Codec: "flac"}) })
}

// FuzzFLACFrame gets behind the check sum of the frame header: the bytes are the subframes of one frame.
func FuzzFLACFrame(f *testing.F) {
	f.Add(byte(0x18), byte(16), uint16(15), []byte{0, 1, 2, 0, 3, 4})
	f.Add(byte(0x88), byte(24), uint16(31), []byte("\x18\x00\x01\x00\x02\x11\x22\x33\x44\x55\x66\x77\x88\x99"))
	f.Add(byte(0xa0), byte(32), uint16(63), []byte("\x4e\x00\x01\x00\x02\x11\x22\x33\x44\x55\x66\x77\x88\x99"))
	f.Fuzz(func(t *testing.T, channels, depth byte, block uint16, subframes []byte) {
		n := int(channels>>4) + 1
		if n > 8 {
			n = 2
		}
		file := flacStream(n, 44100, 16, 0, 0, 0)
		bits := uint64(depth-1) & 31
		be.PutUint64(file[18:], 44100<<44|uint64(n-1)<<41|bits<<36)
		frame := []byte{0xff, 0xf8, 0x70, channels & 0xf0, 0}
		frame = be.AppendUint16(frame, block)
		frame = append(frame, crc8(frame))
		fuzzDecode(t, append(append(file, frame...), subframes...), sniff.Kind{Container: "flac", Codec: "flac"})
	})
}

func FuzzMP3(f *testing.F) {
	f.Add([]byte(strings.Repeat("\xff\xfb\x90\x64"+strings.Repeat("\x00", 413), 3)))
	f.Add(xing(3, strings.Repeat("\xff\xfb\x90\x64"+strings.Repeat("\x00", 413), 3)))
	for _, args := range [][]string{{"-b", "32", "-m", "j"}, {"-b", "8", "--resample", "8"}, {"-V", "0"}} {
		if file := encoded(f, "lame", "a.mp3", append(args, "--quiet", "IN", "OUT")...); file != nil {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) { fuzzDecode(t, file, sniff.Kind{Container: "mp3", Codec: "mp3"}) })
}

// FuzzOgg also mends the check sums of the pages, or no changed byte would reach a codec.
func FuzzOgg(f *testing.F) {
	f.Add(opusFile(opusHead(1, 312, 0, 0, ""), 1500, silentOpus, silentOpus))
	f.Add(opusFile(opusHead(3, 0, 0, 1, "\x02\x01\x00\x01\x02"), 960, silentOpus))
	f.Add(append(oggPage(2, 0, 1, 0, "\x7fFLAC\x01\x00\x00\x00"+string(flacStream(1, 8000, 16, 0, 0, 0))), oggPage(4, 16, 1, 1, string(flacFrame(1, 16, 0, 5)))...))
	for _, j := range [][]string{{"oggenc", "-Q", "-q", "-1", "IN", "-o", "OUT"}, {"opusenc", "--quiet", "--bitrate", "8", "IN", "OUT"}} {
		if file := encoded(f, j[0], "a.ogg", j[1:]...); file != nil {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		file = bytes.Clone(file)
		for off := 0; off+27 <= len(file) && string(file[off:off+4]) == "OggS"; {
			end := off + 27 + int(file[off+26])
			if end > len(file) {
				break
			}
			for _, s := range file[off+27 : end] {
				end += int(s)
			}
			if end > len(file) {
				break
			}
			oggSum(file[off:end])
			off = end
		}
		for _, codec := range []string{"vorbis", "opus", "flac"} {
			fuzzDecode(t, file, sniff.Kind{Container: "ogg", Codec: codec})
		}
	})
}

// encoded is a tenth of a second of noise as a real encoder writes it, or nil where the encoder is missing: fuzzing then starts from
// the hand-made seeds alone.
func encoded(f *testing.F, program, name string, args ...string) []byte {
	path, err := exec.LookPath(program)
	if err != nil {
		f.Logf("no seed from %s: not installed", program)
		return nil
	}
	dir := f.TempDir()
	noise := make([]byte, 2*800)
	x := uint32(1)
	for i := range noise {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, name)
	if err := os.WriteFile(in, wav(format(1, 1, 8000, 2, 16), string(noise)), 0o600); err != nil {
		f.Fatal(err)
	}
	for i, a := range args {
		args[i] = strings.NewReplacer("IN", in, "OUT", out).Replace(a)
	}
	if msg, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		f.Fatalf("%s: %v: %s", program, err, msg)
	}
	file, err := os.ReadFile(out)
	if err != nil {
		f.Fatal(err)
	}
	return file
}
