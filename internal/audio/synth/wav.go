package synth

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// WriteWAV writes planar samples as a 24-bit PCM WAV file. Samples beyond full scale are limited. The block may have
// one to eight channels, in WAVE order, and must stay under 4 GB, the limit of RIFF.
func WriteWAV(w io.Writer, planar [][]float32, rate int) error {
	if len(planar) < 1 || len(planar) > 8 {
		return fmt.Errorf("write wav: %d channels, want 1 to 8", len(planar))
	}
	frames := len(planar[0])
	frame := 3 * len(planar)
	size := int64(frames) * int64(frame)
	if size > math.MaxUint32-64 {
		return fmt.Errorf("write wav: %d bytes of samples do not fit into a RIFF file", size)
	}
	pad := size % 2
	b := bufio.NewWriterSize(w, 64<<10)
	head := append(make([]byte, 0, 44), "RIFF"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(36+size+pad))
	head = append(head, "WAVEfmt "...)
	head = binary.LittleEndian.AppendUint32(head, 16)
	head = binary.LittleEndian.AppendUint16(head, 1) // WAVE_FORMAT_PCM
	head = binary.LittleEndian.AppendUint16(head, uint16(len(planar)))
	head = binary.LittleEndian.AppendUint32(head, uint32(rate))
	head = binary.LittleEndian.AppendUint32(head, uint32(rate*frame))
	head = binary.LittleEndian.AppendUint16(head, uint16(frame))
	head = binary.LittleEndian.AppendUint16(head, 24)
	head = append(head, "data"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(size))
	b.Write(head) // bufio keeps the first error for Flush
	for i := range frames {
		for _, channel := range planar {
			v := quantize(channel[i])
			b.Write([]byte{byte(v), byte(v >> 8), byte(v >> 16)})
		}
	}
	if pad == 1 {
		b.WriteByte(0)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write wav: %w", err)
	}
	return nil
}

// quantize rounds to 24 bits.
func quantize(x float32) int32 {
	return int32(math.Round(min(max(float64(x)*(1<<23), -(1<<23)), 1<<23-1)))
}
