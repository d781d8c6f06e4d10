package decode

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"audiomicro/internal/audio"
)

// openAIFF reads AIFF 1.3 (Apple 1989) and AIFF-C (Apple 1991) with uncompressed, floating-point or G.711 samples.
func openAIFF(src *source) (audio.Decoder, error) {
	var head [12]byte
	if err := src.full(head[:]); err != nil {
		return nil, err
	}
	var info audio.Info
	var f pcmFormat
	declared := int64(0)
	for haveCOMM := false; ; {
		var h [8]byte
		if _, err := io.ReadFull(src, h[:]); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				if haveCOMM && declared == 0 { // a sound without samples need not have a sample chunk
					return newPCM(src, info, f, 0)
				}
				return nil, fmt.Errorf("%w: no SSND chunk", audio.ErrDamaged)
			}
			return nil, err
		}
		size := int64(binary.BigEndian.Uint32(h[4:]))
		used := int64(0)
		switch string(h[:4]) {
		case "COMM":
			body := make([]byte, min(src.left(size), 22))
			if err := src.full(body); err != nil {
				return nil, err
			}
			used = int64(len(body))
			var err error
			if info, f, err = parseCOMM(body, string(head[8:12]) == "AIFC"); err != nil {
				return nil, err
			}
			declared = info.Frames
			haveCOMM = true
		case "SSND":
			if !haveCOMM {
				return nil, fmt.Errorf("%w: an AIFF file whose samples stand before their description", audio.ErrUnsupported)
			}
			var b [8]byte
			if err := src.full(b[:]); err != nil {
				return nil, err
			}
			offset := int64(binary.BigEndian.Uint32(b[:]))
			if err := src.skip(offset); err != nil {
				return nil, fmt.Errorf("%w: the samples begin behind the end of the file", audio.ErrDamaged)
			}
			data := size - 8 - offset
			if size == 0 || size == math.MaxUint32 {
				data = -1
			} else if data < 0 {
				return nil, fmt.Errorf("%w: the sample chunk is smaller than its header", audio.ErrDamaged)
			}
			// COMM may declare fewer frames than the chunk holds (padding), and then says the truth in practice.
			if want := declared * int64(f.bytes*info.Channels); data > want && declared > 0 {
				data = want
			}
			return newPCM(src, info, f, data)
		}
		if err := src.skipChunk(size, used); err != nil {
			if err == io.EOF {
				err = fmt.Errorf("%w: chunk %q is larger than the file", audio.ErrDamaged, printable(h[:4]))
			}
			return nil, err
		}
	}
}

func parseCOMM(b []byte, aifc bool) (info audio.Info, f pcmFormat, err error) {
	if len(b) < 18 || aifc && len(b) < 22 {
		return info, f, fmt.Errorf("%w: the COMM chunk has only %d bytes", audio.ErrDamaged, len(b))
	}
	info.Container = "aiff"
	info.Channels = int(int16(binary.BigEndian.Uint16(b)))
	info.Frames = int64(binary.BigEndian.Uint32(b[2:]))
	bits := int(int16(binary.BigEndian.Uint16(b[6:])))
	info.BitDepth = bits
	rate := extended(b[8:18])
	if math.IsNaN(rate) || rate < 0 || rate > math.MaxInt32 {
		return info, f, fmt.Errorf("%w: an impossible sample rate", audio.ErrDamaged)
	}
	info.SampleRate = int(math.Round(rate))
	f = pcmFormat{bytes: (bits + 7) / 8, big: true}
	if aifc {
		info.Container = "aifc"
		switch c := string(b[18:22]); c {
		case "NONE", "twos":
		case "sowt":
			f.big = false
		case "in24":
			f.bytes, info.BitDepth = 3, 24
		case "in32":
			f.bytes, info.BitDepth = 4, 32
		case "23ni":
			f.bytes, f.big, info.BitDepth = 4, false, 32
		case "42ni":
			f.bytes, f.big, info.BitDepth = 3, false, 24
		case "fl32", "FL32":
			f.bytes, f.float, info.BitDepth = 4, true, 32
		case "fl64", "FL64":
			f.bytes, f.float, info.BitDepth = 8, true, 64
		case "raw ":
			f.unsigned = true
			if bits != 8 {
				return info, f, fmt.Errorf("%w: raw samples of %d bits", audio.ErrUnsupported, bits)
			}
		case "ulaw", "ULAW":
			f.bytes, f.law = 1, 'u'
		case "alaw", "ALAW":
			f.bytes, f.law = 1, 'a'
		default:
			return info, f, fmt.Errorf("%w: AIFF-C compression %q", audio.ErrUnsupported, printable(b[18:22]))
		}
	}
	if f.bytes < 1 || f.bytes > 4 && !f.float {
		return info, f, fmt.Errorf("%w: %d bits per sample", audio.ErrUnsupported, bits)
	}
	return info, f, checkInfo(info)
}

// extended reads an 80-bit IEEE 754 number as the 68881 wrote it: sign and exponent, then a mantissa with explicit one.
func extended(b []byte) float64 {
	exp := int(binary.BigEndian.Uint16(b) & 0x7fff)
	mantissa := binary.BigEndian.Uint64(b[2:])
	if exp == 0x7fff {
		return math.NaN()
	}
	v := math.Ldexp(float64(mantissa), exp-16383-63)
	if b[0]&0x80 != 0 {
		return -v
	}
	return v
}
