package decode

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"audiomicro/internal/audio"
)

// pcmFormat is how one sample lies in the file.
type pcmFormat struct {
	bytes    int // per sample
	big      bool
	float    bool
	unsigned bool // 8-bit only
	law      byte // 'a' for A-law, 'u' for µ-law
}

func (f pcmFormat) codec() string {
	switch {
	case f.law == 'a':
		return "alaw"
	case f.law == 'u':
		return "mulaw"
	case f.float:
		return fmt.Sprintf("pcm_f%d", f.bytes*8)
	case f.unsigned:
		return "pcm_u8"
	}
	return fmt.Sprintf("pcm_s%d", f.bytes*8)
}

// pcmDecoder reads interleaved samples until data bytes are used up.
type pcmDecoder struct {
	src    *source
	info   audio.Info
	format pcmFormat
	data   int64 // bytes left to read; <0 until the end of the file
	raw    []byte
	out    planar
	law    *[256]float32
}

const pcmFrames = 8192

func newPCM(src *source, info audio.Info, f pcmFormat, data int64) (*pcmDecoder, error) {
	if err := checkInfo(info); err != nil {
		return nil, err
	}
	info.Codec = f.codec()
	info.Lossless = f.law == 0
	if f.law != 0 {
		info.BitDepth = 0
	}
	frame := f.bytes * info.Channels
	if data >= 0 {
		info.Frames = data / int64(frame)
	}
	d := &pcmDecoder{src: src, info: info, format: f, data: data, raw: make([]byte, pcmFrames*frame)}
	switch f.law {
	case 'a':
		d.law = alawTable()
	case 'u':
		d.law = mulawTable()
	}
	return d, nil
}

func (d *pcmDecoder) Info() audio.Info { return d.info }

func (d *pcmDecoder) Close() error { return nil }

func (d *pcmDecoder) Next() ([][]float32, error) {
	if d.data == 0 {
		return nil, io.EOF
	}
	frame := d.format.bytes * d.info.Channels
	raw := d.raw
	if d.data > 0 && d.data < int64(len(raw)) {
		raw = raw[:d.data]
	}
	n, err := io.ReadFull(d.src, raw)
	switch {
	case err == nil:
		if d.data > 0 {
			d.data -= int64(n)
		}
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		err = nil
		if d.data > 0 {
			err = fmt.Errorf("%w: the file ends %d bytes before its samples should", audio.ErrDamaged, d.data-int64(n))
		}
		d.data = 0
	}
	frames := n / frame
	if frames == 0 {
		if err == nil {
			err = io.EOF
		}
		return nil, err
	}
	out := d.out.size(d.info.Channels, frames)
	d.convert(out, raw[:frames*frame])
	return out, err
}

func (d *pcmDecoder) convert(out [][]float32, raw []byte) {
	ch := len(out)
	step := d.format.bytes * ch
	for c, row := range out {
		b := raw[c*d.format.bytes:]
		if d.law != nil {
			for i := range row {
				row[i] = d.law[b[i*step]]
			}
			continue
		}
		switch f := d.format; {
		case f.float && f.bytes == 4 && f.big:
			for i := range row {
				row[i] = math.Float32frombits(binary.BigEndian.Uint32(b[i*step:]))
			}
		case f.float && f.bytes == 4:
			for i := range row {
				row[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[i*step:]))
			}
		case f.float && f.big:
			for i := range row {
				row[i] = float32(math.Float64frombits(binary.BigEndian.Uint64(b[i*step:])))
			}
		case f.float:
			for i := range row {
				row[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[i*step:])))
			}
		case f.bytes == 1 && f.unsigned:
			for i := range row {
				row[i] = float32(int(b[i*step])-128) * (1.0 / 128)
			}
		case f.bytes == 1:
			for i := range row {
				row[i] = float32(int8(b[i*step])) * (1.0 / 128)
			}
		case f.bytes == 2 && f.big:
			for i := range row {
				row[i] = float32(int16(binary.BigEndian.Uint16(b[i*step:]))) * (1.0 / 32768)
			}
		case f.bytes == 2:
			for i := range row {
				row[i] = float32(int16(binary.LittleEndian.Uint16(b[i*step:]))) * (1.0 / 32768)
			}
		case f.bytes == 3 && f.big:
			for i := range row {
				s := b[i*step : i*step+3]
				row[i] = float32(int32(uint32(s[0])<<24|uint32(s[1])<<16|uint32(s[2])<<8)) * (1.0 / (1 << 31))
			}
		case f.bytes == 3:
			for i := range row {
				s := b[i*step : i*step+3]
				row[i] = float32(int32(uint32(s[2])<<24|uint32(s[1])<<16|uint32(s[0])<<8)) * (1.0 / (1 << 31))
			}
		case f.big:
			for i := range row {
				row[i] = float32(int32(binary.BigEndian.Uint32(b[i*step:]))) * (1.0 / (1 << 31))
			}
		default:
			for i := range row {
				row[i] = float32(int32(binary.LittleEndian.Uint32(b[i*step:]))) * (1.0 / (1 << 31))
			}
		}
	}
}

// mulawTable expands ITU-T G.711 µ-law codes.
func mulawTable() *[256]float32 {
	var t [256]float32
	for i := range t {
		c := ^byte(i)
		v := (int(c&15)<<3 + 0x84) << (c >> 4 & 7)
		v -= 0x84
		if c&0x80 != 0 {
			v = -v
		}
		t[i] = float32(v) / 32768
	}
	return &t
}

// alawTable expands ITU-T G.711 A-law codes.
func alawTable() *[256]float32 {
	var t [256]float32
	for i := range t {
		c := byte(i) ^ 0x55
		v := int(c&15)<<4 + 8
		if e := c >> 4 & 7; e > 0 {
			v = (v + 0x100) << (e - 1)
		}
		if c&0x80 == 0 {
			v = -v
		}
		t[i] = float32(v) / 32768
	}
	return &t
}
