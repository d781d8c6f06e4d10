package index

import (
	"hash/maphash"
	"math/bits"
)

// lookup finds a number by the hash of what it stands for. It holds no keys: whoever asks tells whether a number is the one meant. At a
// million recordings it takes half of a map's memory, and nothing for the collector to visit.
type lookup struct {
	cells []uint64 // 32 bits of the hash, then the number plus 1; 0 is free. Collisions go on in the next cell.
	n     int
}

// find is the number with the hash for which is says true.
func (l *lookup) find(hash uint32, is func(v uint32) bool) (uint32, bool) {
	if len(l.cells) == 0 {
		return 0, false
	}
	for at := l.home(hash); ; at = l.next(at) {
		c := l.cells[at]
		if c == 0 {
			return 0, false
		}
		if v := uint32(c) - 1; uint32(c>>32) == hash && is(v) {
			return v, true
		}
	}
}

// add puts a number in that is not there.
func (l *lookup) add(hash, v uint32) {
	if l.n++; l.n > len(l.cells)*3/4 {
		l.resize(max(2*len(l.cells), 64))
	}
	l.put(uint64(hash)<<32 | uint64(v+1))
}

// reserve makes room for n numbers.
func (l *lookup) reserve(n int) {
	if size := 1 << bits.Len(uint(n*4/3)); size > max(len(l.cells), 64) {
		l.resize(size)
	}
}

func (l *lookup) resize(size int) {
	old := l.cells
	l.cells = make([]uint64, size)
	for _, c := range old {
		if c != 0 {
			l.put(c)
		}
	}
}

func (l *lookup) put(c uint64) {
	at := l.home(uint32(c >> 32))
	for l.cells[at] != 0 {
		at = l.next(at)
	}
	l.cells[at] = c
}

// remove takes a number out, which is there.
func (l *lookup) remove(hash, v uint32) {
	at := l.home(hash)
	for l.cells[at] != uint64(hash)<<32|uint64(v+1) {
		at = l.next(at)
	}
	l.n--
	l.cells[at] = 0
	for at = l.next(at); l.cells[at] != 0; at = l.next(at) { // what collided with it moves up
		c := l.cells[at]
		l.cells[at] = 0
		l.put(c)
	}
}

// home is the cell of a hash, by its upper bits: tables of any size then keep the order of hashes.
func (l *lookup) home(hash uint32) int { return int(uint64(hash) * uint64(len(l.cells)) >> 32) }

func (l *lookup) next(at int) int {
	if at++; at == len(l.cells) {
		return 0
	}
	return at
}

// hashID spreads ids, which come in rows.
func hashID(id int64) uint32 { return uint32(uint64(id) * 0x9e3779b97f4a7c15 >> 32) }

// hashText is the hash of a word in this index.
func (ix *Index) hashText(s string) uint32 { return uint32(maphash.String(ix.seed, s) >> 32) }
