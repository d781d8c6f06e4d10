package peaks

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrFormat means that bytes are not an audiowaveform .dat file that Read understands.
var ErrFormat = errors.New("not a waveform data file")

const flag8Bit = 1

// WriteDat writes audiowaveform's binary format with 8 or 16 bits a value.
func (p *Peaks) WriteDat(w io.Writer, bits int) error {
	if bits != 8 && bits != 16 {
		return fmt.Errorf("write peaks: %d bits", bits)
	}
	head := make([]byte, 0, 24)
	version, flags := uint32(1), uint32(0)
	if p.Channels > 1 {
		version = 2
	}
	if bits == 8 {
		flags = flag8Bit
	}
	for _, v := range []uint32{version, flags, uint32(p.Rate), uint32(p.Zoom), uint32(p.Len())} {
		head = binary.LittleEndian.AppendUint32(head, v)
	}
	if version == 2 {
		head = binary.LittleEndian.AppendUint32(head, uint32(p.Channels))
	}
	b := bufio.NewWriter(w)
	b.Write(head) // bufio keeps the first error for Flush
	for i, low := range p.Low {
		if bits == 8 {
			b.WriteByte(byte(low / 256))
			b.WriteByte(byte(p.High[i] / 256))
			continue
		}
		b.WriteByte(byte(low))
		b.WriteByte(byte(low >> 8))
		b.WriteByte(byte(p.High[i]))
		b.WriteByte(byte(p.High[i] >> 8))
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write peaks: %w", err)
	}
	return nil
}

// WriteJSON writes audiowaveform's JSON (version 2), which browser players read directly.
func (p *Peaks) WriteJSON(w io.Writer, bits int) error {
	if bits != 8 && bits != 16 {
		return fmt.Errorf("write peaks: %d bits", bits)
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `{"version":2,"channels":%d,"sample_rate":%d,"samples_per_pixel":%d,"bits":%d,"length":%d,"data":[`, p.Channels, p.Rate, p.Zoom, bits, p.Len())
	div := int16(1)
	if bits == 8 {
		div = 256
	}
	num := make([]byte, 0, 16)
	for i, low := range p.Low {
		num = num[:0]
		if i > 0 {
			num = append(num, ',')
		}
		num = strconv.AppendInt(num, int64(low/div), 10)
		num = append(num, ',')
		b.Write(strconv.AppendInt(num, int64(p.High[i]/div), 10))
	}
	b.WriteString("]}")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write peaks: %w", err)
	}
	return nil
}

// Read parses a .dat file of version 1 or 2. Values of an 8-bit file come back times 256. It reads at most 4 × MaxPairs pairs and
// allocates only for bytes that are there; anything malformed is an error that wraps ErrFormat.
func Read(r io.Reader) (*Peaks, error) {
	b := bufio.NewReader(r)
	var head [20]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(head[4*i:]) }
	version, flags, rate, zoom, length := field(0), field(1), field(2), field(3), field(4)
	channels := uint32(1)
	if version == 2 {
		var c [4]byte
		if _, err := io.ReadFull(b, c[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		channels = binary.LittleEndian.Uint32(c[:])
	}
	total := uint64(length) * uint64(channels)
	if version < 1 || version > 2 || flags > 1 || rate == 0 || rate > 1<<30 || zoom == 0 || zoom > 1<<30 || channels == 0 || channels > 64 || total > 4*MaxPairs {
		return nil, fmt.Errorf("%w: version %d, flags %d, %d Hz, zoom %d, %d × %d pairs", ErrFormat, version, flags, rate, zoom, channels, length)
	}
	p := &Peaks{Rate: int(rate), Zoom: int(zoom), Channels: int(channels)}
	size := 4
	if flags&flag8Bit != 0 {
		size = 2
	}
	var v [4]byte
	for range total {
		if _, err := io.ReadFull(b, v[:size]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if size == 2 {
			p.Low, p.High = append(p.Low, int16(int8(v[0]))*256), append(p.High, int16(int8(v[1]))*256)
			continue
		}
		p.Low = append(p.Low, int16(binary.LittleEndian.Uint16(v[:])))
		p.High = append(p.High, int16(binary.LittleEndian.Uint16(v[2:])))
	}
	return p, nil
}
