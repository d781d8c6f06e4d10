package listening

import (
	"encoding/binary"
	"errors"
	"io"
)

var errNotOgg = errors.New("preview is not an Ogg stream")

// sampleLength tells how many bytes of an Ogg Opus file hold its first seconds: whole pages up to the first whose granule
// position (48 kHz samples, RFC 7845 section 4) reaches them. Players take a stream that ends early without complaint.
func sampleLength(f io.ReaderAt, seconds int64) (int64, error) {
	var head [282]byte
	for at := int64(0); ; {
		n, err := f.ReadAt(head[:], at)
		if n == 0 && errors.Is(err, io.EOF) {
			return at, nil
		}
		if n < 27 || string(head[:4]) != "OggS" {
			return 0, errNotOgg
		}
		segments := int(head[26])
		if n < 27+segments {
			return 0, errNotOgg
		}
		size := int64(27 + segments)
		for _, s := range head[27 : 27+segments] {
			size += int64(s)
		}
		at += size
		if granule := int64(binary.LittleEndian.Uint64(head[6:])); granule >= seconds*48000 {
			return at, nil
		}
	}
}
