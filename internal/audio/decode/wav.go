package decode

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/sniff"
)

// openWAV reads RIFF WAVE (Microsoft/IBM 1991, WAVEFORMATEXTENSIBLE), RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088).
func openWAV(src *source, k sniff.Kind) (audio.Decoder, error) {
	var head [12]byte
	if err := src.full(head[:]); err != nil {
		return nil, err
	}
	riffSize := binary.LittleEndian.Uint32(head[4:])
	var info audio.Info
	var f pcmFormat
	data64 := int64(-1)
	for haveFmt := false; ; {
		var h [8]byte
		if _, err := io.ReadFull(src, h[:]); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil, fmt.Errorf("%w: no data chunk", audio.ErrDamaged)
			}
			return nil, err
		}
		size := int64(binary.LittleEndian.Uint32(h[4:]))
		used := int64(0)
		switch id := string(h[:4]); {
		case id == "fmt " && !haveFmt:
			body := make([]byte, min(src.left(size), 40))
			if err := src.full(body); err != nil {
				return nil, err
			}
			used = int64(len(body))
			var err error
			if info, f, err = parseFmt(body); err != nil {
				return nil, err
			}
			info.Container = k.Container
			haveFmt = true
		case id == "ds64" && k.Container != "wav":
			body := make([]byte, min(src.left(size), 28))
			if err := src.full(body); err != nil {
				return nil, err
			}
			used = int64(len(body))
			if len(body) >= 16 {
				data64 = int64(binary.LittleEndian.Uint64(body[8:]) & math.MaxInt64)
			}
		case id == "data":
			if !haveFmt {
				return nil, fmt.Errorf("%w: the samples stand before their format", audio.ErrDamaged)
			}
			return newPCM(src, info, f, wavData(src, size, riffSize, data64))
		}
		if err := src.skipChunk(size, used); err != nil {
			if err == io.EOF {
				err = fmt.Errorf("%w: chunk %q is larger than the file", audio.ErrDamaged, printable(h[:4]))
			}
			return nil, err
		}
	}
}

// wavData is the number of bytes to read as samples; -1 means up to the end of the file. Recorders and pipes that could not
// go back to the header leave 0 or all ones in it.
func wavData(src *source, size int64, riffSize uint32, data64 int64) int64 {
	switch {
	case size == math.MaxUint32 && data64 >= 0:
		return data64
	case size >= math.MaxUint32-1024 && (riffSize >= math.MaxUint32-1024 || riffSize == 0):
		return -1
	case size == math.MaxUint32:
		return -1
	case size == 0 && (riffSize == 0 || riffSize == math.MaxUint32 || int64(riffSize)+8 == src.pos):
		return -1
	}
	return size
}

// parseFmt reads a WAVEFORMATEX or WAVEFORMATEXTENSIBLE body.
func parseFmt(b []byte) (info audio.Info, f pcmFormat, err error) {
	if len(b) < 16 {
		return info, f, fmt.Errorf("%w: the format chunk has only %d bytes", audio.ErrDamaged, len(b))
	}
	tag := binary.LittleEndian.Uint16(b)
	info.Channels = int(binary.LittleEndian.Uint16(b[2:]))
	info.SampleRate = int(binary.LittleEndian.Uint32(b[4:]))
	align := int(binary.LittleEndian.Uint16(b[12:]))
	bits := int(binary.LittleEndian.Uint16(b[14:]))
	info.BitDepth = bits
	if tag == 0xfffe {
		if len(b) < 40 {
			return info, f, fmt.Errorf("%w: the extensible format chunk has only %d bytes", audio.ErrDamaged, len(b))
		}
		if valid := int(binary.LittleEndian.Uint16(b[18:])); valid > 0 && valid < bits {
			info.BitDepth = valid
		}
		// KSDATAFORMAT_SUBTYPE_…: the tag followed by a fixed GUID; ambisonic files carry another one with the same meaning.
		guid := string(b[26:40])
		if guid != "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71" && guid != "\x00\x00\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\x00\x00\x00" {
			return info, f, fmt.Errorf("%w: an unknown WAVE sub-format", audio.ErrUnsupported)
		}
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	f.bytes = (bits + 7) / 8
	switch tag {
	case 1:
		if bits < 1 || bits > 32 {
			return info, f, fmt.Errorf("%w: %d bits per sample", audio.ErrUnsupported, bits)
		}
		f.unsigned = f.bytes == 1
	case 3:
		if bits != 32 && bits != 64 {
			return info, f, fmt.Errorf("%w: %d-bit floating-point samples", audio.ErrUnsupported, bits)
		}
		f.float = true
	case 6, 7:
		f.bytes, f.law = 1, map[uint16]byte{6: 'a', 7: 'u'}[tag]
	default:
		return info, f, fmt.Errorf("%w: WAVE codec %#04x", audio.ErrUnsupported, tag)
	}
	if err := checkInfo(info); err != nil {
		return info, f, err
	}
	if align != f.bytes*info.Channels {
		// 24 bits in 4 bytes and the like: the value stands in the high bytes of a wider container.
		if f.float || f.law != 0 || align%info.Channels != 0 || align/info.Channels < f.bytes || align/info.Channels > 4 {
			return info, f, fmt.Errorf("%w: frames of %d bytes do not fit %d channels of %d bits", audio.ErrDamaged, align, info.Channels, bits)
		}
		f.bytes = align / info.Channels
		f.unsigned = false
	}
	return info, f, nil
}

// openW64 reads Sony Wave64: RIFF with GUIDs as ids, 64-bit sizes that include the 24-byte header, and 8-byte alignment.
func openW64(src *source) (audio.Decoder, error) {
	if err := src.skip(40); err != nil {
		return nil, fmt.Errorf("%w: the file ends within its header", audio.ErrDamaged)
	}
	var info audio.Info
	var f pcmFormat
	for haveFmt := false; ; {
		var h [24]byte
		if err := src.full(h[:]); err != nil {
			return nil, err
		}
		size := int64(binary.LittleEndian.Uint64(h[16:])) - 24
		if size < 0 {
			return nil, fmt.Errorf("%w: a chunk smaller than its header", audio.ErrDamaged)
		}
		used := int64(0)
		switch string(h[:4]) {
		case "fmt ":
			body := make([]byte, min(src.left(size), 40))
			if err := src.full(body); err != nil {
				return nil, err
			}
			used = int64(len(body))
			var err error
			if info, f, err = parseFmt(body); err != nil {
				return nil, err
			}
			info.Container = "w64"
			haveFmt = true
		case "data":
			if !haveFmt {
				return nil, fmt.Errorf("%w: the samples stand before their format", audio.ErrDamaged)
			}
			return newPCM(src, info, f, size)
		}
		if err := src.skip(size - used + (8-size&7)&7); err != nil {
			return nil, fmt.Errorf("%w: a chunk is larger than the file", audio.ErrDamaged)
		}
	}
}

// printable makes a chunk id safe to show.
func printable(id []byte) string {
	out := make([]byte, len(id))
	for i, c := range id {
		out[i] = '.'
		if c >= ' ' && c < 0x7f {
			out[i] = c
		}
	}
	return string(out)
}
