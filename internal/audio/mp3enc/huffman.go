package mp3enc

import "audiomicro/internal/audio/layer3"

// code is one Huffman code without signs and linbits.
type code struct {
	bits uint32
	n    uint8
}

// coder knows what each code table takes and writes for a pair or a quadruple of values.
type coder struct {
	pair [32][256]code // by x<<4 | y
	quad [2][16]code   // by v<<3 | w<<2 | x<<1 | y
	// cost is what a pair takes in each table of a class, signs included, packed as three numbers of 21 bits.
	cost [len(classes)][256]uint64
	// quadCost is the same for quadruples, packed as two numbers of 32 bits.
	quadCost [16]uint64
}

// classes are the tables that hold values up to the same largest one; 16 and 24 stand for all with the same codes and other linbits.
var classes = [...]struct {
	largest int32
	tables  []int
}{
	{0, []int{0}}, {1, []int{1}}, {2, []int{2, 3}}, {3, []int{5, 6}}, {5, []int{7, 8, 9}}, {7, []int{10, 11, 12}}, {15, []int{13, 15}},
	{1<<13 + 14, []int{16, 24}},
}

const escape = len(classes) - 1 // the class of tables with linbits

// classOf is the class for values up to v.
func classOf(v int32) int {
	c := 0
	for classes[c].largest < v {
		c++
	}
	return c
}

func newCoder() *coder {
	c := &coder{}
	for number, leaves := range layer3.Codes {
		// Codes come in ascending order, so the code of a leaf is the sum of the widths of the leaves before it.
		at := uint32(0) // in units of 2^-19
		for _, leaf := range leaves {
			depth := uint(leaf >> 8)
			k := code{at >> (19 - depth), uint8(depth)}
			if number < 32 {
				c.pair[number][leaf&0xff] = k
			} else {
				c.quad[number-32][leaf&15] = k
			}
			at += 1 << (19 - depth)
		}
	}
	for t := 17; t < 24; t++ {
		c.pair[t] = c.pair[16]
	}
	for t := 25; t < 32; t++ {
		c.pair[t] = c.pair[24]
	}
	for class, k := range classes {
		if class == 0 {
			continue
		}
		for xy := range 256 {
			signs := 0
			if xy>>4 > 0 {
				signs++
			}
			if xy&15 > 0 {
				signs++
			}
			for i, t := range k.tables {
				c.cost[class][xy] |= uint64(int(c.pair[t][xy].n)+signs) << (21 * i)
			}
		}
	}
	for v := range 16 {
		signs := v&1 + v>>1&1 + v>>2&1 + v>>3
		c.quadCost[v] = uint64(int(c.quad[0][v].n)+signs) | uint64(int(c.quad[1][v].n)+signs)<<32
	}
	return c
}

// cheapest picks the table of a class by the packed costs. largest and escapes (how many values are 15 or more) matter for linbits.
func cheapest(class int, packed uint64, largest int32, escapes int) (bits, table int) {
	if class == 0 {
		return 0, 0
	}
	if class == escape {
		bits = 1 << 30
		for i, first := range classes[escape].tables {
			for t := first; t < first+8; t++ {
				if int32(15)+1<<layer3.Linbits[t]-1 >= largest {
					if b := int(packed>>(21*i)&(1<<21-1)) + escapes*int(layer3.Linbits[t]); b < bits {
						bits, table = b, t
					}
					break
				}
			}
		}
		return bits, table
	}
	bits = 1 << 30
	for i, t := range classes[class].tables {
		if b := int(packed >> (21 * i) & (1<<21 - 1)); b < bits {
			bits, table = b, t
		}
	}
	return bits, table
}

// region finds the cheapest table for the values ix, an even number of them.
func (c *coder) region(ix []int32, largest int32) (bits, table int) {
	class := classOf(largest)
	if class == 0 {
		return 0, 0
	}
	cost := &c.cost[class]
	var sum uint64
	if class < escape {
		for i := 0; i+1 < len(ix); i += 2 {
			sum += cost[uint32(ix[i]<<4|ix[i+1])&255]
		}
		return cheapest(class, sum, largest, 0)
	}
	escapes := 0
	for i := 0; i+1 < len(ix); i += 2 {
		x, y := ix[i], ix[i+1]
		if x >= 15 {
			x = 15
			escapes++
		}
		if y >= 15 {
			y = 15
			escapes++
		}
		sum += cost[uint32(x<<4|y)&255]
	}
	return cheapest(class, sum, largest, escapes)
}

// coding is how the lines of a granule are coded.
type coding struct {
	big      int    // lines in big_values, even
	quads    int    // quadruples behind them
	count1   int    // table of the quadruples: 0 or 1
	tables   [3]int //
	r0, r1   int    // region0_count and region1_count, long blocks only
	boundary [2]int // lines where regions 1 and 2 begin
	bits     int    // of it all
}

// tail finds where the quadruples begin and what they take. end is behind the last line that is not zero.
func (c *coder) tail(ix *[lines]int32, end int, k *coding) {
	i := (end + 1) &^ 1
	var sum uint64
	k.quads = 0
	for i >= 4 {
		q := (*[4]int32)(ix[i-4:])
		if uint32(q[0]|q[1]|q[2]|q[3]) > 1 {
			break
		}
		sum += c.quadCost[(q[0]<<3|q[1]<<2|q[2]<<1|q[3])&15]
		i -= 4
		k.quads++
	}
	k.big = i
	k.bits, k.count1 = int(uint32(sum)), 0
	if b := int(sum >> 32); b < k.bits {
		k.bits, k.count1 = b, 1
	}
}

// split finds what the lines take with regions cut by a rule of thumb; best finds the best cut. edges are the ends of the
// long bands.
func (c *coder) split(ix *[lines]int32, k *coding, edges *[23]int) {
	last := 0
	for last < 22 && edges[last+1] < k.big {
		last++
	}
	k.r0 = min(max(last/3, 0), 15)
	k.r1 = min(max((last-k.r0)/2, 0), 7)
	k.boundary = [2]int{edges[k.r0+1], edges[min(k.r0+k.r1+2, 22)]}
	c.fixed(ix, k)
}

// fixed finds the tables for the regions as they are.
func (c *coder) fixed(ix *[lines]int32, k *coding) {
	from := 0
	for i := range 3 {
		to := k.big
		if i < 2 {
			to = min(to, k.boundary[i])
		}
		part := ix[from:max(to, from)]
		var bits int
		bits, k.tables[i] = c.region(part, largest(part))
		k.bits += bits
		from = max(to, from)
	}
}

func largest(ix []int32) int32 {
	var m int32
	for _, v := range ix {
		m = max(m, v)
	}
	return m
}

// best finds the cut into regions that takes the fewest bits.
func (c *coder) best(ix *[lines]int32, k *coding, edges *[23]int) {
	var cost [23][len(classes)]uint64 // of all bands before
	var tops [23]int32
	var escapes [23]int
	n := 0
	for n < 22 && edges[n] < k.big {
		band := ix[edges[n]:min(edges[n+1], k.big)]
		top := largest(band)
		tops[n], escapes[n+1] = top, escapes[n]
		cost[n+1] = cost[n]
		for class := max(classOf(top), 1); class < len(classes); class++ {
			sum := cost[n][class]
			t := &c.cost[class]
			for i := 0; i+1 < len(band); i += 2 {
				sum += t[uint32(min(band[i], 15)<<4|min(band[i+1], 15))&255]
			}
			cost[n+1][class] = sum
		}
		if top >= 15 {
			for _, v := range band {
				if v >= 15 {
					escapes[n+1]++
				}
			}
		}
		n++
	}
	type choice struct{ bits, table int }
	of := func(from, to int, top int32) choice {
		class := classOf(top)
		bits, table := cheapest(class, cost[to][class]-cost[from][class], top, escapes[to]-escapes[from])
		return choice{bits, table}
	}
	// What lies behind the second cut, by where it is.
	var rest [24]choice
	var top int32
	for from := n - 1; from >= 0; from-- {
		top = max(top, tops[from])
		rest[from] = of(from, n, top)
	}
	without := k.bits
	found := 1 << 30
	var first int32
	for r0 := range 16 {
		end0 := min(r0+1, n)
		if r0 < n {
			first = max(first, tops[r0])
		}
		a := of(0, end0, first)
		var second int32
		for r1 := range 8 {
			if r0+r1+2 > 22 {
				break
			}
			end1 := min(r0+r1+2, n)
			if r0+1+r1 < n {
				second = max(second, tops[r0+1+r1])
			}
			b := of(end0, end1, second)
			if sum := a.bits + b.bits + rest[end1].bits; sum < found {
				found = sum
				k.r0, k.r1, k.tables = r0, r1, [3]int{a.table, b.table, rest[end1].table}
				k.boundary = [2]int{edges[r0+1], edges[r0+r1+2]}
			}
			if end1 == n {
				break
			}
		}
		if end0 == n {
			break
		}
	}
	k.bits = without + found
}
