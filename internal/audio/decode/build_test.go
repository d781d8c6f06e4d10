package decode_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/sniff"
)

// Files for the tests, made by hand.

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// chunk is an IFF chunk with its padding; size overrides the size it declares when it is not negative.
func chunk(order binary.ByteOrder, id, body string, size int64) string {
	if size < 0 {
		size = int64(len(body))
	}
	h := make([]byte, 4)
	order.PutUint32(h, uint32(size))
	return id + string(h) + body + strings.Repeat("\x00", len(body)&1)
}

// format is a WAVEFORMATEX body.
func format(tag, channels, rate, align, bits int) string {
	b := le.AppendUint16(nil, uint16(tag))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*align))
	b = le.AppendUint16(b, uint16(align))
	return string(le.AppendUint16(b, uint16(bits)))
}

const guidTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

func extensible(tag, channels, rate, align, bits, valid int, guid string) string {
	b := []byte(format(0xfffe, channels, rate, align, bits))
	b = le.AppendUint16(b, 22)
	b = le.AppendUint16(b, uint16(valid))
	b = le.AppendUint32(b, 3)
	b = le.AppendUint16(b, uint16(tag))
	return string(b) + guid
}

// wav is a RIFF file with the format chunk and the samples.
func wav(format, data string) []byte {
	return []byte(chunk(le, "RIFF", "WAVE"+chunk(le, "fmt ", format, -1)+chunk(le, "data", data, -1), -1))
}

func comm(channels, frames, bits int, rate, compression string) string {
	b := be.AppendUint16(nil, uint16(channels))
	b = be.AppendUint32(b, uint32(frames))
	b = be.AppendUint16(b, uint16(bits))
	return string(b) + rate + compression
}

const rate44100 = "\x40\x0e\xac\x44\x00\x00\x00\x00\x00\x00"

func aiff(comm, data string) []byte {
	form := "AIFF"
	if len(comm) > 18 {
		form = "AIFC"
		comm += "\x00\x00"
	}
	return []byte(chunk(be, "FORM", form+chunk(be, "COMM", comm, -1)+chunk(be, "SSND", strings.Repeat("\x00", 8)+data, -1), -1))
}

// flacStream is a stream of n constant 16-bit frames of block samples each.
func flacStream(channels, rate, block, n int, declared int64, value int16) []byte {
	b := []byte("fLaC\x80\x00\x00\x22")
	b = be.AppendUint16(b, 16)
	b = be.AppendUint16(b, uint16(block))
	b = append(b, 0, 0, 0, 0, 0, 0)
	b = be.AppendUint64(b, uint64(rate)<<44|uint64(channels-1)<<41|15<<36|uint64(declared))
	b = append(b, make([]byte, 16)...)
	for i := range n {
		b = append(b, flacFrame(channels, block, i, value)...)
	}
	return b
}

func flacFrame(channels, block, number int, value int16) []byte {
	f := []byte{0xff, 0xf8, 0x70, byte(channels-1) << 4}
	f = append(f, string(rune(number))...) // the coded number looks like UTF-8
	f = be.AppendUint16(f, uint16(block-1))
	f = append(f, crc8(f))
	for range channels {
		f = append(f, 0)
		f = be.AppendUint16(f, uint16(value))
	}
	return be.AppendUint16(f, crc16(f))
}

func crc8(p []byte) (c byte) {
	for _, b := range p {
		c ^= b
		for range 8 {
			if c&0x80 != 0 {
				c = c<<1 ^ 7
			} else {
				c <<= 1
			}
		}
	}
	return c
}

func crc16(p []byte) (c uint16) {
	for _, b := range p {
		c ^= uint16(b) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x8005
			} else {
				c <<= 1
			}
		}
	}
	return c
}

// oggPage is one page that holds whole packets.
func oggPage(flags byte, granule int64, serial, number uint32, packets ...string) []byte {
	p := []byte("OggS\x00")
	p = append(p, flags)
	p = le.AppendUint64(p, uint64(granule))
	p = le.AppendUint32(p, serial)
	p = le.AppendUint32(p, number)
	p = append(p, 0, 0, 0, 0)
	var table, body []byte
	for _, k := range packets {
		n := len(k)
		for ; n >= 255; n -= 255 {
			table = append(table, 255)
		}
		table = append(table, byte(n))
		body = append(body, k...)
	}
	p = append(append(append(p, byte(len(table))), table...), body...)
	return oggSum(p)
}

func oggSum(p []byte) []byte {
	clear(p[22:26])
	c := uint32(0)
	for _, b := range p {
		c ^= uint32(b) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
	}
	le.PutUint32(p[22:], c)
	return p
}

func opusHead(channels byte, preSkip uint16, gain int16, family byte, mapping string) string {
	b := []byte("OpusHead\x01")
	b = append(b, channels)
	b = le.AppendUint16(b, preSkip)
	b = le.AppendUint32(b, 48000)
	b = le.AppendUint16(b, uint16(gain))
	return string(append(b, family)) + mapping
}

const opusTags = "OpusTags\x00\x00\x00\x00\x00\x00\x00\x00"

// silentOpus is a 20 ms packet of a mono CELT frame that holds nothing.
const silentOpus = "\xf8\xff\xfe"

func opusFile(head string, last int64, packets ...string) []byte {
	f := append(oggPage(2, 0, 7, 0, head), oggPage(0, 0, 7, 1, opusTags)...)
	return append(f, oggPage(4, last, 7, 2, packets...)...)
}

// decoded is everything a file gives.
type decoded struct {
	info    audio.Info
	samples [][]float32
	err     error // nil when the stream ended well
}

func (d decoded) frames() int {
	if len(d.samples) == 0 {
		return 0
	}
	return len(d.samples[0])
}

func decodeAll(r io.Reader, head []byte, opt decode.Options) (d decoded) {
	k, err := sniff.Detect(head)
	if err != nil {
		return decoded{err: err}
	}
	dec, err := decode.Open(r, k, opt)
	if err != nil {
		return decoded{err: err}
	}
	defer dec.Close()
	d.info = dec.Info()
	d.samples = make([][]float32, d.info.Channels)
	for {
		block, err := dec.Next()
		for c, row := range block {
			if len(row) > audio.MaxBlockFrames || len(row) != len(block[0]) || len(block) != d.info.Channels {
				d.err = errors.New("a block of the wrong shape")
				return d
			}
			d.samples[c] = append(d.samples[c], row...)
		}
		if err == io.EOF {
			return d
		}
		if err != nil {
			d.err = err
			return d
		}
	}
}

func decodeBytes(file []byte, opt decode.Options) decoded {
	opt.Size = int64(len(file))
	return decodeAll(bytes.NewReader(file), file, opt)
}

func decodeFile(t *testing.T, path string, opt decode.Options) decoded {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head := make([]byte, sniff.HeadSize)
	n, _ := io.ReadFull(f, head)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	opt.Size = st.Size()
	return decodeAll(f, head[:n], opt)
}

// tool answers the path of a program, or skips the test where it is missing (but not in CI).
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("SKIPPED: %s is not installed (Debian packages ffmpeg, flac, lame, vorbis-tools, opus-tools, wavpack)", name)
	}
	return path
}

func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", filepath.Base(name), strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// reference is what ffmpeg makes of a file. For Opus it uses libopus: its own decoder aligns the speech coder otherwise.
func reference(t *testing.T, path string, channels int) [][]float32 {
	t.Helper()
	args := []string{"-v", "fatal", "-nostdin"}
	if strings.HasSuffix(path, ".opus") {
		args = append(args, "-c:a", "libopus")
	}
	raw := run(t, tool(t, "ffmpeg"), append(args, "-i", path, "-map", "0:a:0", "-f", "f32le", "-")...)
	out := make([][]float32, channels)
	for i := 0; i+4 <= len(raw); i += 4 {
		c := i / 4 % channels
		out[c] = append(out[c], math.Float32frombits(le.Uint32(raw[i:])))
	}
	return out
}

// difference is the largest one between two recordings of the same length, and -1 when the lengths differ.
func difference(a, b [][]float32) float64 {
	worst := 0.0
	for c := range a {
		if len(a[c]) != len(b[c]) {
			return -1
		}
		for i, v := range a[c] {
			worst = max(worst, math.Abs(float64(v-b[c][i])))
		}
	}
	return worst
}
