// Package ogg writes Ogg bitstreams: it packs the packets of one logical stream into pages with the right flags, granule
// positions and checksums (RFC 3533).
//
// It holds one page in memory and keeps nothing else. Pages end at packet borders wherever a packet fits into a page, so
// that a player can seek to any page and start there. The package promises that a stream closed with Close carries the
// end-of-stream flag on its last page, and that no page spans more than the time given to New, so that a listener who
// seeks never waits for more than that.
package ogg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// NoGranule is the granule position of a page on which no packet ends (RFC 3533 section 6, field 3).
const NoGranule int64 = -1

// Header type flags of a page (RFC 3533 section 6, field 2).
const (
	flagContinued = 1 << iota
	flagFirst
	flagLast
)

const (
	maxSegments = 255
	headerSize  = 27
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("ogg stream is closed")

// Writer packs packets of one logical stream into pages. It is not safe for concurrent use.
type Writer struct {
	w        io.Writer
	serial   uint32
	span     int64
	sequence uint32

	lacing    []byte
	page      []byte // header space, segment table space, then the body; sent with one Write
	granule   int64  // of the last packet that ends on the pending page
	base      int64  // granule position at which the pending page began
	last      int64  // granule position of the last packet ever given
	continued bool
	closed    bool
	err       error
}

// New returns a Writer for one logical stream with the given serial number. A page is ended before a packet whose granule
// position lies more than span units after the page's beginning; span <= 0 means that pages end only when they are full.
func New(w io.Writer, serial uint32, span int64) *Writer {
	return &Writer{
		w: w, serial: serial, span: span, granule: NoGranule,
		lacing: make([]byte, 0, maxSegments),
		page:   make([]byte, headerSize+maxSegments, headerSize+maxSegments+maxSegments*255),
	}
}

// Packet appends one packet that ends at the given granule position (0 for header packets). The bytes are copied.
func (o *Writer) Packet(data []byte, granule int64) error {
	if o.closed {
		return ErrClosed
	}
	need := len(data)/255 + 1
	tooLong := o.span > 0 && granule-o.base > o.span
	tooFull := need <= maxSegments && len(o.lacing)+need > maxSegments
	if len(o.lacing) > 0 && (tooLong || tooFull) {
		if err := o.flush(0); err != nil {
			return err
		}
	}
	for {
		n := min(len(data), 255)
		if len(o.lacing) == maxSegments {
			if err := o.flush(0); err != nil {
				return err
			}
			o.continued = true
		}
		o.lacing = append(o.lacing, byte(n))
		o.page = append(o.page, data[:n]...)
		data = data[n:]
		if n < 255 {
			break
		}
	}
	o.granule, o.last = granule, granule
	return o.err
}

// Flush ends the pending page, if there is one. Header packets must stand on pages of their own: call it after them.
func (o *Writer) Flush() error {
	if o.closed {
		return ErrClosed
	}
	if len(o.lacing) == 0 {
		return o.err
	}
	return o.flush(0)
}

// Close writes the pending page with the end-of-stream flag. When nothing is pending it writes an empty last page. It does
// not close the underlying writer.
func (o *Writer) Close() error {
	if o.closed {
		return o.err
	}
	err := o.flush(flagLast)
	o.closed = true
	return err
}

func (o *Writer) flush(flags byte) error {
	if o.err != nil {
		return o.err
	}
	if o.continued {
		flags |= flagContinued
	}
	if o.sequence == 0 {
		flags |= flagFirst
	}
	granule := o.granule
	if len(o.lacing) == 0 {
		granule = o.last
	}
	// The body starts at a fixed place; the header is written right before it, so a page goes out in one piece.
	start := maxSegments - len(o.lacing)
	head := o.page[start : headerSize+maxSegments]
	copy(head, "OggS\x00")
	head[5] = flags
	binary.LittleEndian.PutUint64(head[6:], uint64(granule))
	binary.LittleEndian.PutUint32(head[14:], o.serial)
	binary.LittleEndian.PutUint32(head[18:], o.sequence)
	binary.LittleEndian.PutUint32(head[22:], 0)
	head[26] = byte(len(o.lacing))
	copy(head[headerSize:], o.lacing)
	page := o.page[start:]
	binary.LittleEndian.PutUint32(page[22:], Checksum(page))
	if _, err := o.w.Write(page); err != nil {
		o.err = fmt.Errorf("write ogg page %d: %w", o.sequence, err)
		return o.err
	}
	o.sequence++
	o.lacing = o.lacing[:0]
	o.page = o.page[:headerSize+maxSegments]
	o.base = o.last
	o.granule = NoGranule
	o.continued = false
	return nil
}

// Checksum computes the CRC-32 of a whole page whose checksum field is zero: generator 0x04c11db7, not reflected, initial
// value and final XOR zero (RFC 3533 section 6, field 6).
func Checksum(page []byte) uint32 {
	var crc uint32
	for _, b := range page {
		crc = crc<<8 ^ crcTable[byte(crc>>24)^b]
	}
	return crc
}

var crcTable = func() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		table[i] = r
	}
	return table
}()
