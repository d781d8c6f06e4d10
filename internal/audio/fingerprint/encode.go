package fingerprint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/bits"
)

// ErrEncoding means that text is not a compressed Chromaprint fingerprint of algorithm 2.
var ErrEncoding = errors.New("not a fingerprint")

const (
	algorithm = 1 // Chromaprint counts from 0
	headBytes = 4
	maxNormal = 7       // largest gap that fits into three bits
	maxItems  = 1 << 24 // the header's count has 24 bits
)

// Encode compresses a fingerprint into the text that fpcalc prints and AcoustID takes: each item XOR its predecessor, the gaps
// between set bits in three bits each (a zero ends an item), larger gaps completed by five bits in a second run, base64url
// without padding. More than 2²⁴-1 items (24 days) are cut off.
func Encode(items []uint32) string {
	items = items[:min(len(items), maxItems-1)]
	var normal, large bitWriter
	var last uint32
	for _, item := range items {
		x := item ^ last
		last = item
		previous := -1
		for x != 0 {
			bit := bits.TrailingZeros32(x)
			x &= x - 1
			gap := uint32(bit - previous)
			previous = bit
			normal.put(min(gap, maxNormal), 3)
			if gap >= maxNormal {
				large.put(gap-maxNormal, 5)
			}
		}
		normal.put(0, 3)
	}
	out := []byte{algorithm, byte(len(items) >> 16), byte(len(items) >> 8), byte(len(items))}
	out = append(append(out, normal.close()...), large.close()...)
	return base64.RawURLEncoding.EncodeToString(out)
}

// Decode reads what Encode (or fpcalc) wrote. Anything else is an error that wraps ErrEncoding.
func Decode(text string) ([]uint32, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < headBytes || b[0] != algorithm {
		return nil, fmt.Errorf("decode fingerprint of %d characters: %w", len(text), ErrEncoding)
	}
	count := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	body := b[headBytes:]
	if count > len(body)*8/3 {
		return nil, fmt.Errorf("decode fingerprint, %d items in %d bytes: %w", count, len(body), ErrEncoding)
	}
	var gaps []uint32
	at := 0
	for ended := 0; ended < count; at += 3 {
		gap, ok := bitsAt(body, at, 3)
		if !ok {
			return nil, fmt.Errorf("decode fingerprint, item %d: %w", ended, ErrEncoding)
		}
		gaps = append(gaps, gap)
		if gap == 0 {
			ended++
		}
	}
	at = (at + 7) / 8 * 8
	items := make([]uint32, 0, count)
	var last, x uint32
	bit := -1
	for _, gap := range gaps {
		if gap == 0 {
			last ^= x
			items = append(items, last)
			x, bit = 0, -1
			continue
		}
		if gap == maxNormal {
			more, ok := bitsAt(body, at, 5)
			if !ok {
				return nil, fmt.Errorf("decode fingerprint, item %d: %w", len(items), ErrEncoding)
			}
			at += 5
			gap += more
		}
		if bit += int(gap); bit > 31 {
			return nil, fmt.Errorf("decode fingerprint, item %d: %w", len(items), ErrEncoding)
		}
		x |= 1 << bit
	}
	return items, nil
}

// bitWriter packs values from the lowest bit of each byte upward.
type bitWriter struct {
	out []byte
	acc uint32
	n   uint
}

func (w *bitWriter) put(v uint32, n uint) {
	w.acc |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

func (w *bitWriter) close() []byte {
	if w.n > 0 {
		w.out = append(w.out, byte(w.acc))
	}
	return w.out
}

func bitsAt(b []byte, at, n int) (v uint32, ok bool) {
	if at+n > 8*len(b) {
		return 0, false
	}
	for i := range n {
		v |= uint32(b[(at+i)/8]>>((at+i)%8)&1) << i
	}
	return v, true
}
