package decode

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"

	"audiomicro/internal/audio"
)

// vorbisModes is what a packet's first bits choose from.
type vorbisModes struct {
	bits uint
	long []bool
}

// maxVorbisEntries bounds the codebook entries of a stream, with and without their dimensions. Encoders stay below 50,000.
const maxVorbisEntries = 1 << 20

// lsbReader reads the little-endian bit fields of Vorbis I §2.
type lsbReader struct {
	b    []byte
	pos  int // in bits
	over bool
	// floors without partitions (libvorbis writes them for the low-frequency channel): see completeFloors
	bare []int
}

func (r *lsbReader) bits(n int) uint32 {
	if r.pos+n > len(r.b)*8 {
		r.over = true
		return 0
	}
	v := uint32(0)
	for i := range n {
		v |= uint32(r.b[(r.pos+i)>>3]>>((r.pos+i)&7)&1) << i
	}
	r.pos += n
	return v
}

// checkVorbisSetup walks through a setup header (Vorbis I §4.2.4) and refuses everything that would make the library allocate
// what the file declares or loop for ever: it trusts codebooks to be complete trees of at least one dimension.
// It returns the header as the library can read it.
func checkVorbisSetup(p []byte, channels int) (m vorbisModes, setup []byte, err error) {
	bad := func(what string) (vorbisModes, []byte, error) {
		return vorbisModes{}, nil, fmt.Errorf("%w: a bad Vorbis setup header (%s)", audio.ErrDamaged, what)
	}
	if !bytes.HasPrefix(p, []byte("\x05vorbis")) {
		return bad("missing")
	}
	r := &lsbReader{b: p[7:]}
	books := int(r.bits(8)) + 1
	total := 0
	dims := make([]int, books)
	for i := range books {
		entries, d, ok := checkCodebook(r, maxVorbisEntries-total)
		if !ok {
			return bad("codebook")
		}
		total += entries
		dims[i] = d
	}
	for range r.bits(6) + 1 {
		if r.bits(16) != 0 {
			return bad("time domain transform")
		}
	}
	floors := int(r.bits(6)) + 1
	for range floors {
		if !checkFloor(r, books) {
			return bad("floor")
		}
	}
	residues := int(r.bits(6)) + 1
	for range residues {
		if !checkResidue(r, dims) {
			return bad("residue")
		}
	}
	mappings := int(r.bits(6)) + 1
	for range mappings {
		if !checkMapping(r, channels, floors, residues) {
			return bad("mapping")
		}
	}
	modes := int(r.bits(6)) + 1
	m.bits = uint(bits.Len(uint(modes - 1)))
	for range modes {
		m.long = append(m.long, r.bits(1) == 1)
		window, transform := r.bits(16), r.bits(16)
		if window != 0 || transform != 0 || int(r.bits(8)) >= mappings {
			return bad("mode")
		}
	}
	if r.bits(1) != 1 || r.over {
		return bad("framing")
	}
	return m, append(p[:7:7], r.completeFloors()...), nil
}

// completeFloors gives each floor without partitions the description of one class that nothing uses. Such a floor has no
// classes (Vorbis I §7.2.2: the largest class number is -1), but the library reads one all the same.
func (r *lsbReader) completeFloors() []byte {
	if len(r.bare) == 0 {
		return r.b
	}
	const class = 3 + 2 + 8 // bits: dimensions, subclasses, one book
	out := make([]byte, len(r.b)+(len(r.bare)*class+7)/8)
	at, next := 0, 0
	for i := range len(r.b) * 8 {
		if next < len(r.bare) && r.bare[next] == i {
			at += class
			next++
		}
		out[at>>3] |= r.b[i>>3] >> (i & 7) & 1 << (at & 7)
		at++
	}
	return out
}

// checkCodebook reads a codebook (Vorbis I §3.2.1) of at most limit entries times dimensions.
func checkCodebook(r *lsbReader, limit int) (entries, dims int, ok bool) {
	if r.bits(24) != 0x564342 {
		return 0, 0, false
	}
	dims, entries = int(r.bits(16)), int(r.bits(24))
	if dims < 1 || entries < 2 || entries*dims > limit {
		return 0, 0, false
	}
	// A code is a complete tree when the widths of its leaves add up to the whole.
	sum := uint64(0)
	if r.bits(1) == 0 {
		sparse := r.bits(1) == 1
		for range entries {
			if !sparse || r.bits(1) == 1 {
				sum += 1 << (32 - (r.bits(5) + 1))
			}
			if r.over {
				return 0, 0, false
			}
		}
	} else {
		length := r.bits(5) + 1
		for at := 0; at < entries; length++ {
			n := int(r.bits(bits.Len(uint(entries - at))))
			if length > 32 || at+n > entries || r.over {
				return 0, 0, false
			}
			sum += uint64(n) << (32 - length)
			at += n
		}
	}
	if sum != 1<<32 {
		return 0, 0, false
	}
	switch lookup := r.bits(4); lookup {
	case 0:
	case 1, 2:
		r.bits(32)
		r.bits(32)
		width := int(r.bits(4)) + 1
		r.bits(1)
		n := entries * dims
		if lookup == 1 {
			n = int(math.Floor(math.Pow(float64(entries), 1/float64(dims))))
		}
		if r.pos+n*width > len(r.b)*8 {
			return 0, 0, false
		}
		r.pos += n * width
	default:
		return 0, 0, false
	}
	return entries * dims, dims, !r.over
}

func checkFloor(r *lsbReader, books int) bool {
	switch r.bits(16) {
	case 0: // §6.2.1
		order, rate, mapSize := r.bits(8), r.bits(16), r.bits(16)
		r.bits(6)
		r.bits(8)
		n := int(r.bits(4)) + 1
		for range n {
			if int(r.bits(8)) >= books {
				return false
			}
		}
		return order > 0 && rate > 0 && mapSize > 0 && !r.over
	case 1: // §7.2.2
		partitions := int(r.bits(5))
		if partitions == 0 {
			r.bare = append(r.bare, r.pos)
		}
		classes := make([]int, partitions)
		top := -1
		for i := range classes {
			classes[i] = int(r.bits(4))
			top = max(top, classes[i])
		}
		var size [16]int
		for c := 0; c <= top; c++ {
			size[c] = int(r.bits(3)) + 1
			sub := r.bits(2)
			if sub > 0 && int(r.bits(8)) >= books {
				return false
			}
			for range 1 << sub {
				if int(r.bits(8))-1 >= books {
					return false
				}
			}
		}
		r.bits(2)
		width := int(r.bits(4))
		points := map[uint32]bool{0: true, 1 << width: true}
		for _, c := range classes {
			for range size[c] {
				x := r.bits(width)
				if points[x] || len(points) > 65 || r.over {
					return false
				}
				points[x] = true
			}
		}
		return !r.over
	}
	return false
}

func checkResidue(r *lsbReader, dims []int) bool { // §8.6.1
	if r.bits(16) > 2 {
		return false
	}
	begin, end := r.bits(24), r.bits(24)
	r.bits(24)
	classes, classbook := int(r.bits(6))+1, int(r.bits(8))
	if begin > end || classbook >= len(dims) {
		return false
	}
	cascade := make([]uint32, classes)
	for i := range cascade {
		cascade[i] = r.bits(3)
		if r.bits(1) == 1 {
			cascade[i] |= r.bits(5) << 3
		}
	}
	for _, c := range cascade {
		for ; c != 0; c &= c - 1 {
			if int(r.bits(8)) >= len(dims) {
				return false
			}
		}
	}
	return !r.over
}

func checkMapping(r *lsbReader, channels, floors, residues int) bool { // §4.2.4
	if r.bits(16) != 0 {
		return false
	}
	submaps := 1
	if r.bits(1) == 1 {
		submaps = int(r.bits(4)) + 1
	}
	if r.bits(1) == 1 {
		width := bits.Len(uint(channels - 1))
		for range r.bits(8) + 1 {
			magnitude, angle := r.bits(width), r.bits(width)
			if magnitude == angle || int(magnitude) >= channels || int(angle) >= channels {
				return false
			}
		}
	}
	if r.bits(2) != 0 {
		return false
	}
	if submaps > 1 {
		for range channels {
			if int(r.bits(4)) >= submaps {
				return false
			}
		}
	}
	for range submaps {
		r.bits(8)
		if int(r.bits(8)) >= floors || int(r.bits(8)) >= residues {
			return false
		}
	}
	return !r.over
}
