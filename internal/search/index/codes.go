package index

import "math"

// codes keeps for each slot the ids of its values in the dictionaries with few values, plus 1; 0 for none, and most of its tags. A byte each does: few catalogs have
// more than 254 sample rates, and those that do keep the rest apart.
type codes struct {
	rows []codeRow
	odd  map[oddCode]uint16 // what does not fit, by its place in rows, which is beyondByte
}

// codeRow is what facets count of one recording: 32 bytes, half of what a processor reads at once from memory, so that it waits once for all of
// them, and with the tags at an even place.
type codeRow struct {
	values [columnDicts]uint8
	_      [16 - columnDicts]uint8
	tags   tagRow
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
	code := uint16(c.rows[slot].values[d])
	if code == beyondByte {
		code = c.odd[oddCode{slot, uint8(d)}]
	}
	return code
}

func (c *codes) set(slot uint32, d int, code uint16) {
	place := oddCode{slot, uint8(d)}
	if c.rows[slot].values[d] == beyondByte {
		delete(c.odd, place)
	}
	c.rows[slot].values[d] = uint8(min(code, beyondByte))
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
		small[c.rows[slot].values[d]]++
	}
	for code, n := range small[:min(beyondByte, len(counts))] {
		counts[code] += n
	}
	if small[beyondByte] > 0 {
		for _, slot := range slots {
			if c.rows[slot].values[d] == beyondByte {
				counts[c.of(slot, d)]++
			}
		}
	}
}

// tagPlaces is how many tags of a recording stand in its row.
const tagPlaces = 8

// tagRow is the ids of a recording's tags, plus 1; 0 for none. Facets count the tags of thousands of hits at once, and a row is found and read
// with no step that waits for another, which a page's text is not. What does not fit, tags beyond the row or ids beyond its
// numbers, stands with the other values, and the last place says so.
type tagRow [tagPlaces]uint16

const tagsBeyond = math.MaxUint16 // in the last place

// add puts a tag in, if it fits.
func (r *tagRow) add(id uint32) bool {
	if id+1 < tagsBeyond {
		for i := range r {
			if r[i] == 0 {
				r[i] = uint16(id + 1)
				return true
			}
		}
	}
	return false
}

// beyond makes room for the word that there are others and gives the id that had to leave for it, if one had to.
func (r *tagRow) beyond() (left uint32, had bool) {
	last := r[tagPlaces-1]
	r[tagPlaces-1] = tagsBeyond
	return uint32(last) - 1, last != 0 && last != tagsBeyond
}

// each calls f for the tags in the row.
func (r *tagRow) each(f func(id uint32)) {
	for _, t := range r {
		if t != 0 && t != tagsBeyond {
			f(uint32(t) - 1)
		}
	}
}

// countTags adds how often the rows of slots have each tag, and lists in more the slots that have others beyond.
func countTags(rows []codeRow, slots []uint32, counts *[tagsBeyond + 1]uint32, more []uint32) []uint32 {
	for _, slot := range slots {
		row := &rows[slot].tags
		for _, t := range row { // empty places too: nobody can foretell how many there are
			counts[t]++
		}
		if row[tagPlaces-1] == tagsBeyond {
			more = append(more, slot)
		}
	}
	return more
}
