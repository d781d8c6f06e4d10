package likeness

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// ErrAddress is returned for a text that no vector was written as; ErrOtherSpace for one of another version of the program.
var (
	ErrAddress    = errors.New("not the address of a sound vector")
	ErrOtherSpace = errors.New("the sound vector is of another space")
)

const addressSize = 4 + Dims

// Address writes the direction of a projected vector for an address, 91 characters: which space it is of, and a byte for each dimension. It is "" for
// a vector without a direction.
func (s *Space) Address(v []float32) string {
	peak := 0.0
	for _, x := range v {
		peak = max(peak, math.Abs(float64(x)))
	}
	if len(v) != Dims || !(peak > 0) || math.IsInf(peak, 0) {
		return ""
	}
	b := binary.BigEndian.AppendUint32(make([]byte, 0, addressSize), s.mark())
	for _, x := range v {
		b = append(b, byte(int8(math.Round(float64(x)/peak*127))))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// FromAddress reads what Address wrote.
func (s *Space) FromAddress(text string) ([]float32, error) {
	if len(text) != base64.RawURLEncoding.EncodedLen(addressSize) {
		return nil, ErrAddress
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != addressSize { // the decoder passes over line ends, so that less may come out
		return nil, ErrAddress
	}
	if binary.BigEndian.Uint32(b) != s.mark() {
		return nil, ErrOtherSpace
	}
	v := make([]float32, Dims)
	some := false
	for i := range v {
		v[i] = float32(int8(b[4+i]))
		some = some || v[i] != 0
	}
	if !some {
		return nil, ErrAddress
	}
	return v, nil
}

func (s *Space) mark() uint32 { return crc32.ChecksumIEEE([]byte(s.ID)) }
