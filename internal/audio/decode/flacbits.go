package decode

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"audiomicro/internal/audio"
)

// bitReader reads big-endian bit fields from a stream through a 64-bit cache and keeps the CRC-16 of what it consumed.
type bitReader struct {
	r      io.Reader
	buf    []byte // window of the file
	pos    int    // first byte of buf that is not in the cache
	cache  uint64 // the next bits, from the top
	n      uint   // how many of them
	crc    uint16
	crcPos int // first byte of buf that is not in crc
	err    error
	table  *crcTables
}

const flacWindow = 64 << 10

func newBitReader(r io.Reader) *bitReader {
	return &bitReader{r: r, buf: make([]byte, 0, flacWindow), table: newCRCTables()}
}

// fill makes sure that at least 57 bits are cached, or all that is left of the stream.
func (b *bitReader) fill() {
	if len(b.buf)-b.pos >= 8 {
		b.cache |= binary.BigEndian.Uint64(b.buf[b.pos:]) >> b.n
		took := (63 - b.n) >> 3
		b.pos += int(took)
		b.n += took << 3
		// Bits below n in the cache are the true ones that follow: or-ing them again later gives the same value.
		return
	}
	b.fillSlow()
}

func (b *bitReader) fillSlow() {
	if b.n < 64 {
		b.cache &= ^uint64(0) << (64 - b.n) // drop bits that fill read ahead of pos
	}
	if len(b.buf)-b.pos < 8 && b.err == nil {
		b.slide()
	}
	for b.n <= 56 && b.pos < len(b.buf) {
		b.cache |= uint64(b.buf[b.pos]) << (56 - b.n)
		b.pos++
		b.n += 8
	}
}

// slide moves the window on, keeping the bytes whose bits are still cached.
func (b *bitReader) slide() {
	keep := b.pos - int(b.n/8)
	b.sum(keep)
	rest := copy(b.buf[:cap(b.buf)], b.buf[keep:])
	b.buf, b.pos, b.crcPos = b.buf[:rest], b.pos-keep, 0
	for len(b.buf)-b.pos < 8 && b.err == nil {
		n, err := b.r.Read(b.buf[len(b.buf):cap(b.buf)])
		b.buf = b.buf[:len(b.buf)+n]
		b.err = err
	}
}

// sum takes the bytes before end into the CRC.
func (b *bitReader) sum(end int) {
	if end > b.crcPos {
		b.crc = b.table.update(b.crc, b.buf[b.crcPos:end])
		b.crcPos = end
	}
}

// startCRC begins a new sum at the next (byte-aligned) bit.
func (b *bitReader) startCRC() { b.crc, b.crcPos = 0, b.pos-int(b.n/8) }

// endCRC is the sum of the bytes consumed since startCRC.
func (b *bitReader) endCRC() uint16 {
	b.sum(b.pos - int(b.n/8))
	return b.crc
}

// errShort is panicked inside a frame and turned into audio.ErrDamaged by the frame reader: checking every bit field would
// cost more than decoding it.
type errShort struct{ err error }

func (b *bitReader) short() {
	err := b.err
	if err == nil || err == io.EOF {
		err = fmt.Errorf("%w: the file ends within a frame", audio.ErrDamaged)
	}
	panic(errShort{err})
}

// bits reads n ≤ 57 bits.
func (b *bitReader) bits(n uint) uint64 {
	if n == 0 {
		return 0
	}
	if b.n < n {
		if b.fill(); b.n < n {
			b.short()
		}
	}
	v := b.cache >> (64 - n)
	b.cache <<= n
	b.n -= n
	return v
}

// signed reads n ≤ 57 bits in two's complement.
func (b *bitReader) signed(n uint) int64 {
	if n == 0 {
		return 0
	}
	v := int64(b.bits(n) << (64 - n))
	return v >> (64 - n)
}

// unary counts zero bits up to the next one bit and takes that too. A run longer than any real residual is damage.
func (b *bitReader) unary() uint32 {
	total := uint32(0)
	for {
		if z := uint(bits.LeadingZeros64(b.cache)); z < b.n {
			b.cache <<= z + 1
			b.n -= z + 1
			return total + uint32(z)
		}
		total += uint32(b.n)
		b.cache, b.n = 0, 0
		if total > 1<<28 {
			panic(errShort{fmt.Errorf("%w: a residual without end", audio.ErrDamaged)})
		}
		if b.fill(); b.n == 0 {
			b.short()
		}
	}
}

// align drops the bits up to the next byte and reports whether they were zero.
func (b *bitReader) align() bool { return b.bits(b.n&7) == 0 }

// atEnd reports whether no byte is left.
func (b *bitReader) atEnd() bool {
	if b.n < 8 {
		b.fill()
	}
	return b.n == 0
}

// readError is the error of the underlying reader other than the end of the file.
func (b *bitReader) readError() error {
	if b.err == io.EOF {
		return nil
	}
	return b.err
}

// crcTables sums eight bytes at a time: CRC-16 with polynomial 0x8005 (RFC 9639 §9.3), CRC-8 with 0x07 (§9.1.8).
type crcTables struct {
	t16 [8][256]uint16
	t8  [256]byte
}

func newCRCTables() *crcTables {
	var t crcTables
	for i := range 256 {
		c, d := uint16(i)<<8, byte(i)
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x8005
			} else {
				c <<= 1
			}
			if d&0x80 != 0 {
				d = d<<1 ^ 7
			} else {
				d <<= 1
			}
		}
		t.t16[0][i], t.t8[i] = c, d
	}
	for i := range 256 {
		for k := 1; k < 8; k++ {
			prev := t.t16[k-1][i]
			t.t16[k][i] = prev<<8 ^ t.t16[0][prev>>8]
		}
	}
	return &t
}

func (t *crcTables) update(crc uint16, p []byte) uint16 {
	for len(p) >= 8 {
		crc = t.t16[7][p[0]^byte(crc>>8)] ^ t.t16[6][p[1]^byte(crc)] ^ t.t16[5][p[2]] ^ t.t16[4][p[3]] ^
			t.t16[3][p[4]] ^ t.t16[2][p[5]] ^ t.t16[1][p[6]] ^ t.t16[0][p[7]]
		p = p[8:]
	}
	for _, c := range p {
		crc = crc<<8 ^ t.t16[0][byte(crc>>8)^c]
	}
	return crc
}
