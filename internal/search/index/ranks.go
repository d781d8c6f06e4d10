package index

import "math/bits"

// A posting of at least minRanked slots that holds at least one in rankedShare of all has a ranks beside it.
const (
	minRanked   = 8192
	rankedShare = 32
)

// rankBits is how many slots one entry of ranks.base stands for.
const rankBits = 512

// ranks is a set of slots as plain bits, which tells the place of a slot among them at once: relevance asks thousands of hits for their
// marks in a word that hundreds of thousands have.
type ranks struct {
	bits []uint64
	base []uint32 // slots before each rankBits of them
}

func (r *ranks) has(slot uint32) bool {
	i := int(slot / 64)
	return i < len(r.bits) && r.bits[i]>>(slot%64)&1 != 0
}

// of is the number of slots before slot.
func (r *ranks) of(slot uint32) int {
	block, word := int(slot/rankBits), int(slot/64)
	if block >= len(r.base) {
		block, word = len(r.base)-1, len(r.bits)
	}
	n := int(r.base[block])
	for i := block * rankBits / 64; i < word; i++ {
		n += bits.OnesCount64(r.bits[i])
	}
	if word < len(r.bits) {
		n += bits.OnesCount64(r.bits[word] & (1<<(slot%64) - 1))
	}
	return n
}

// add puts slot in, which is not there.
func (r *ranks) add(slot uint32) {
	for int(slot/rankBits) >= len(r.base) {
		last := uint32(0)
		if n := len(r.base); n > 0 {
			last = uint32(r.of(uint32(n * rankBits)))
		}
		r.base = append(r.base, last)
		r.bits = append(r.bits, make([]uint64, rankBits/64)...)
	}
	r.bits[slot/64] |= 1 << (slot % 64)
	for i := int(slot/rankBits) + 1; i < len(r.base); i++ {
		r.base[i]++
	}
}

// remove takes slot out, which is there.
func (r *ranks) remove(slot uint32) {
	r.bits[slot/64] &^= 1 << (slot % 64)
	for i := int(slot/rankBits) + 1; i < len(r.base); i++ {
		r.base[i]--
	}
}
