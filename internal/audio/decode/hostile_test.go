package decode_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/sniff"
)

// TestHostile decodes files that lie. Each must end with the error and the frames named, and without much memory.
func TestHostile(t *testing.T) {
	t.Parallel()
	pcm16 := format(1, 2, 44100, 4, 16)
	data := strings.Repeat("\x00\x10", 2000) // 1000 frames
	riff := func(chunks ...string) []byte { return []byte(chunk(le, "RIFF", "WAVE"+strings.Join(chunks, ""), -1)) }
	fmtChunk := chunk(le, "fmt ", pcm16, -1)
	rf64 := func(dataSize uint64, declared int64) []byte {
		ds64 := le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, 1<<40), dataSize), 0)
		return []byte(chunk(le, "RF64", "WAVE"+chunk(le, "ds64", string(ds64)+"\x00\x00\x00\x00", -1)+fmtChunk+chunk(le, "data", data, declared), 0xffffffff))
	}
	flac := flacStream(2, 44100, 1000, 3, 3000, 77)
	badCRC := bytes.Clone(flac)
	badCRC[len(badCRC)-1] ^= 1
	badMD5 := bytes.Clone(flac)
	badMD5[30] ^= 1
	mp3 := strings.Repeat("\xff\xfb\x90\x64"+strings.Repeat("\x00", 413), 10)
	none := error(nil)
	for _, c := range []struct {
		name   string
		file   []byte
		frames int
		err    error
	}{
		{"WAV data size 0 of a crashed recorder", []byte("RIFF\x00\x00\x00\x00WAVE" + fmtChunk + "data\x00\x00\x00\x00" + data), 1000, none},
		{"WAV data size 0 in a whole file", riff(fmtChunk, chunk(le, "data", "", -1), chunk(le, "LIST", "INFO", -1)), 0, none},
		{"WAV data size all ones", []byte("RIFF\xff\xff\xff\xffWAVE" + fmtChunk + "data\xff\xff\xff\xff" + data), 1000, none},
		{"WAV data larger than the file", riff(fmtChunk, chunk(le, "data", data, 1<<30)), 1000, audio.ErrDamaged},
		{"WAV data of 2 GB", riff(fmtChunk, chunk(le, "data", data, 1<<31)), 1000, audio.ErrDamaged},
		{"WAV cut within a frame", wav(pcm16, data[:3999]), 999, none},
		{"WAV chunk of 2 GB before the format", riff(chunk(le, "JUNK", "", 1<<31), fmtChunk, chunk(le, "data", data, -1)), 0, audio.ErrDamaged},
		{"WAV odd chunk without padding", []byte("RIFF\x00\x00\x00\x00WAVE" + fmtChunk + "odd \x01\x00\x00\x00x" + chunk(le, "data", data, -1)), 1000, none},
		{"WAV odd chunks without padding, an unknown one behind", []byte("RIFF\x00\x00\x00\x00WAVEodd \x01\x00\x00\x00x" + "rare\x03\x00\x00\x00xyz" + fmtChunk + chunk(le, "data", data, -1)), 1000, none},
		{"WAV odd chunk padded with a letter", []byte("RIFF\x00\x00\x00\x00WAVEodd \x01\x00\x00\x00xP" + fmtChunk + chunk(le, "data", data, -1)), 1000, none},
		{"WAV odd chunk at the end of the file", []byte("RIFF\x00\x00\x00\x00WAVE" + fmtChunk + "odd \x01\x00\x00\x00x"), 0, audio.ErrDamaged},
		{"WAV format behind the samples", riff(chunk(le, "data", data, -1), fmtChunk), 0, audio.ErrDamaged},
		{"WAV two formats and two runs of samples", riff(fmtChunk, chunk(le, "fmt ", format(1, 1, 8000, 1, 8), -1), chunk(le, "data", data, -1), chunk(le, "data", data, -1)), 1000, none},
		{"WAV without samples", riff(fmtChunk), 0, audio.ErrDamaged},
		{"WAV header cut", wav(pcm16, data)[:30], 0, audio.ErrDamaged},
		{"WAV format of 4 bytes", riff(chunk(le, "fmt ", "\x01\x00\x02\x00", -1), chunk(le, "data", data, -1)), 0, audio.ErrDamaged},
		{"WAV of 0 channels", wav(format(1, 0, 44100, 0, 16), data), 0, audio.ErrDamaged},
		{"WAV of 65535 channels", wav(format(1, 65535, 44100, 65534, 16), data), 0, audio.ErrUnsupported},
		{"WAV at 0 Hz", wav(format(1, 2, 0, 4, 16), data), 0, audio.ErrUnsupported},
		{"WAV at 2^32-1 Hz", wav(format(1, 2, 1<<32-1, 4, 16), data), 0, audio.ErrUnsupported},
		{"WAV of 0 bits", wav(format(1, 2, 44100, 4, 0), data), 0, audio.ErrUnsupported},
		{"WAV of 7 bits", wav(format(1, 2, 44100, 2, 7), data), 2000, none},
		{"WAV of 16-bit floats", wav(format(3, 2, 44100, 4, 16), data), 0, audio.ErrUnsupported},
		{"WAV with wrong alignment", wav(format(1, 2, 44100, 3, 16), data), 0, audio.ErrDamaged},
		{"WAV with an odd GUID", wav(extensible(1, 2, 44100, 4, 16, 16, "\xde\xad\xbe\xef\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"), data), 0, audio.ErrUnsupported},
		{"RF64", rf64(4000, 0xffffffff), 1000, none},
		{"RF64 whose ds64 claims 2^60 bytes", rf64(1<<60, 0xffffffff), 1000, audio.ErrDamaged},
		{"RF64 whose ds64 claims -1", rf64(1<<64-1, 0xffffffff), 1000, audio.ErrDamaged},
		{"AIFF rate not a number", aiff(comm(2, 1, 16, "\x7f\xff\xc0\x00\x00\x00\x00\x00\x00\x00", ""), data), 0, audio.ErrDamaged},
		{"AIFF rate 2^16000", aiff(comm(2, 1, 16, "\x7f\xf0\xc0\x00\x00\x00\x00\x00\x00\x00", ""), data), 0, audio.ErrDamaged},
		{"AIFF of -1 channels", aiff(comm(65535, 1, 16, rate44100, ""), data), 0, audio.ErrDamaged},
		{"AIFF of 200 bits", aiff(comm(2, 1, 200, rate44100, ""), data), 0, audio.ErrUnsupported},
		{"AIFF with more frames declared than there are", aiff(comm(2, 1<<30, 16, rate44100, ""), data), 1000, none},
		{"AIFF offset beyond the file", []byte(chunk(be, "FORM", "AIFF"+chunk(be, "COMM", comm(2, 1, 16, rate44100, ""), -1)+chunk(be, "SSND", "\x7f\xff\xff\xff\x00\x00\x00\x00"+data, -1), -1)), 0, audio.ErrDamaged},
		{"AIFF without samples", []byte(chunk(be, "FORM", "AIFF"+chunk(be, "COMM", comm(2, 0, 16, rate44100, ""), -1), -1)), 0, none},
		{"FLAC", flac, 3000, none},
		{"FLAC that declares no length", flacStream(2, 44100, 1000, 3, 0, 1), 3000, none},
		{"FLAC that declares 2^36-1 frames", flacStream(2, 44100, 1000, 3, 1<<36-1, 1), 3000, audio.ErrDamaged},
		{"FLAC that declares too few", flacStream(2, 44100, 1000, 3, 10, 1), 3000, none},
		{"FLAC of 8 channels in blocks of 65535", flacStream(8, 44100, 65535, 2, 0, 1), 131070, none},
		{"FLAC with wrong check sum", badCRC, 2000, audio.ErrDamaged},
		{"FLAC with wrong MD5", badMD5, 3000, none},
		{"FLAC cut", flac[:len(flac)-3], 2000, audio.ErrDamaged},
		{"FLAC with a tag behind", append(bytes.Clone(flac), "TAG"+strings.Repeat("\x00", 125)...), 3000, none},
		{"FLAC that changes its channels", append(flacStream(2, 44100, 1000, 1, 0, 1), flacFrame(1, 1000, 1, 1)...), 1000, audio.ErrUnsupported},
		{"FLAC at 0 Hz", flacStream(2, 0, 1000, 1, 0, 1), 0, audio.ErrUnsupported},
		{"FLAC with garbage for frames", append(flacStream(2, 44100, 1000, 0, 0, 1), strings.Repeat("garbage!", 900)...), 0, audio.ErrDamaged},
		{"FLAC behind a tag of 100 kB", append([]byte("ID3\x03\x00\x00\x00\x06\x0d\x20"+strings.Repeat("\x00", 100000)), flac...), 3000, none},
		{"ID3 tag larger than the file", []byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7f" + mp3), 0, audio.ErrDamaged},
		{"MP3 of silence", []byte(mp3), 11520, none},
		{"MP3 with junk between frames", []byte(mp3[:417*3] + strings.Repeat("junk", 300) + mp3), 13 * 1152, none},
		{"MP3 with its last frame cut", []byte(mp3[:417*10-5]), 9 * 1152, none},
		{"MP3 that changes its rate", []byte(mp3 + strings.Repeat("\xff\xfb\x94\x64"+strings.Repeat("\x00", 380), 10)), 11520, audio.ErrUnsupported},
		{"MP3 and half a megabyte of nothing", []byte(mp3 + strings.Repeat("nothing.", 1<<16)), 11520, audio.ErrDamaged},
		{"Xing frame that claims 2^32-1 frames", xing(1<<32-1, mp3), 10*1152 - 529 - 576, none},
		{"Xing frame that claims 1 frame", xing(1, mp3), 10*1152 - 529 - 576, none},
		{"Ogg of empty pages", bytes.Repeat(oggPage(2, 0, 1, 0, "\x01vorbis"), 5000), 0, audio.ErrDamaged},
		{"Ogg with a wrong check sum", flip(opusFile(opusHead(1, 0, 0, 0, ""), 960, silentOpus), -1), 0, audio.ErrDamaged},
		{"Vorbis that claims 255 channels", vorbisHead("\xff\x44\xac\x00\x00", "\xb8"), 0, audio.ErrUnsupported},
		{"Vorbis with blocks of 32768", vorbisHead("\x02\x44\xac\x00\x00", "\xff"), 0, audio.ErrDamaged},
		{"Vorbis codebook of no entries", vorbisSetup("BCV\x01\x00\x00\x00\x00"), 0, audio.ErrDamaged},
		{"Vorbis codebook of 2^24-1 entries", vorbisSetup("BCV\xff\xff\xff\xff\xff\x00"), 0, audio.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decodeBytes(c.file, decode.Options{MaxFrames: 1 << 24})
			if !errors.Is(d.err, c.err) || c.err == nil && d.err != nil {
				t.Errorf("error %v, want %v", d.err, c.err)
			}
			if d.frames() != c.frames {
				t.Errorf("%d frames, want %d", d.frames(), c.frames)
			}
			if d.err != nil && strings.ContainsAny(d.err.Error(), "\n\x00") {
				t.Errorf("a message of more than one line: %q", d.err)
			}
		})
	}
}

// xing puts an Info frame with the LAME part before frames of silence: a delay of 576 and no padding.
func xing(frames uint32, mp3 string) []byte {
	f := []byte("\xff\xfb\x90\x64" + strings.Repeat("\x00", 32) + "Info\x00\x00\x00\x01")
	f = be.AppendUint32(f, frames)
	f = append(f, "LAME3.100"...)
	f = append(f, make([]byte, 12)...)
	f = append(f, 576>>4, 576&15<<4, 0)
	f = append(f, make([]byte, 417-len(f))...)
	return append(f, mp3...)
}

func flip(file []byte, at int) []byte {
	if at < 0 {
		at += len(file)
	}
	file[at] ^= 0x55
	return file
}

func vorbisHead(channelsAndRate, blocks string) []byte {
	return oggPage(2, 0, 1, 0, "\x01vorbis\x00\x00\x00\x00"+channelsAndRate+strings.Repeat("\x00", 12)+blocks+"\x01")
}

func vorbisSetup(books string) []byte {
	f := vorbisHead("\x02\x44\xac\x00\x00", "\xb8")
	return append(f, oggPage(0, 0, 1, 1, "\x03vorbis\x00\x00\x00\x00\xff\xff\xff\xff\x01", "\x05vorbis\x00"+books+strings.Repeat("\x00", 100))...)
}

// TestLength stops a stream that unpacks to days of silence.
func TestLength(t *testing.T) {
	t.Parallel()
	const limit = 20_000_000
	file := flacStream(8, 48000, 65535, 10, 0, 0)
	frame := flacFrame(8, 65535, 3, 0)
	bomb := io.MultiReader(bytes.NewReader(file), &repeat{block: frame, n: 1000})
	k, err := sniff.Detect(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := decode.Open(bomb, k, decode.Options{MaxFrames: limit})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	total := 0
	for {
		block, err := d.Next()
		if err != nil {
			if !errors.Is(err, decode.ErrTooLong) {
				t.Fatal(err)
			}
			break
		}
		total += len(block[0])
	}
	if total != limit {
		t.Errorf("%d frames before the limit of %d", total, limit)
	}
}

// repeat reads a block n times.
type repeat struct {
	block []byte
	n     int
	at    int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.block[r.at:])
	if r.at += n; r.at == len(r.block) {
		r.at = 0
		r.n--
	}
	return n, nil
}

// TestMemory counts allocations while blocks flow: after the first ones there are none, whatever the length.
func TestMemory(t *testing.T) {
	file := flacStream(8, 48000, 65535, 10, 0, 0)
	pcm := wav(format(1, 2, 44100, 4, 16), strings.Repeat("\x00\x10", 1<<20))
	mp3 := []byte(strings.Repeat("\xff\xfb\x90\x64"+strings.Repeat("\x00", 413), 300))
	for name, file := range map[string][]byte{"FLAC": file, "WAV": pcm, "MP3": mp3} {
		k, err := sniff.Detect(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := decode.Open(bytes.NewReader(file), k, decode.Options{Size: int64(len(file))})
		if err != nil {
			t.Fatal(err)
		}
		next := func() {
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
		}
		for range 8 {
			next()
		}
		if n := testing.AllocsPerRun(20, next); n > 0.5 {
			t.Errorf("%s: %.1f allocations per block", name, n)
		}
		d.Close()
	}
}
