package index

import "math"

// codes keeps for each slot the ids of its values in the dictionaries with few values, plus 1; 0 for none. A byte each does: few catalogs have
// more than 254 sample rates, and those that do keep the rest apart.
type codes struct {
	rows [][columnDicts]uint8
	odd  map[oddCode]uint16 // what does not fit, by its place in rows, which is beyondByte
}

type oddCode struct {
	slot uint32
	dict uint8
}

const (
	beyondByte = math.MaxUint8  // stands for a code of odd
	maxCode    = math.MaxUint16 // a value with a larger code is not kept: no catalog has so many
)

func (c *codes) of(slot uint32, d int) uint16 {
	code := uint16(c.rows[slot][d])
	if code == beyondByte {
		code = c.odd[oddCode{slot, uint8(d)}]
	}
	return code
}

func (c *codes) set(slot uint32, d int, code uint16) {
	place := oddCode{slot, uint8(d)}
	if c.rows[slot][d] == beyondByte {
		delete(c.odd, place)
	}
	c.rows[slot][d] = uint8(min(code, beyondByte))
	if code >= beyondByte {
		if c.odd == nil {
			c.odd = map[oddCode]uint16{}
		}
		c.odd[place] = code
	}
}

// count adds how many of slots have each code.
func (c *codes) count(slots []uint32, d int, counts []uint32) {
	var small [beyondByte + 1]uint32
	for _, slot := range slots {
		small[c.rows[slot][d]]++
	}
	for code, n := range small[:min(beyondByte, len(counts))] {
		counts[code] += n
	}
	if small[beyondByte] > 0 {
		for _, slot := range slots {
			if c.rows[slot][d] == beyondByte {
				counts[c.of(slot, d)]++
			}
		}
	}
}
