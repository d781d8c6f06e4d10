package decode

import (
	"audiomicro/internal/audio/layer3"
	"audiomicro/internal/audio/sniff"
)

// mp3Bands is one way of cutting the 576 lines of a granule into bands: long bands first, then short bands, each three
// times (one per window).
type mp3Bands struct {
	width []int
	long  int // how many of them are long
}

// mp3Layouts are the three ways for a sample rate: long, short, mixed.
func mp3Layouts(h sniff.MPEGHeader) (l [3]mp3Bands) {
	long, short := layer3.LongBands[h.SampleRate], layer3.ShortBands[h.SampleRate]
	l[0] = mp3Bands{width: long[:], long: 22}
	for _, w := range short {
		l[1].width = append(l[1].width, w, w, w)
	}
	// The long part of a mixed block is two subbands (36 lines) wide, whatever the rate; the short bands go on behind it.
	n := 8
	if h.Version != 1 {
		n = 6
	}
	l[2] = mp3Bands{width: append([]int{}, long[:n]...), long: n}
	total := 0
	for _, w := range l[2].width {
		total += w
	}
	for _, w := range short[3:] {
		if total+3*w > 576 {
			w = (576 - total) / 3
		}
		total += 3 * w
		l[2].width = append(l[2].width, w, w, w)
	}
	return l
}

// mp3Huffman is a code table for lookup by the next 8 bits, and by further bits through sub for longer codes.
type mp3Huffman struct {
	first [256]uint16 // depth<<8 | symbol, or 0x8000 | index into sub
	sub   []mp3Sub
}

type mp3Sub struct {
	bits  uint // further bits that choose the entry
	entry []uint16
}

// mp3Trees builds the lookup tables from the leaves in layer3.Codes. Codes come in ascending order, so the code of a leaf is the
// sum of the widths of the leaves before it.
func mp3Trees() (t [34]*mp3Huffman) {
	for number, leaves := range layer3.Codes {
		h := &mp3Huffman{}
		at := uint32(0) // in units of 2^-19
		longest := map[uint32]uint{}
		for _, leaf := range leaves {
			if depth := uint(leaf >> 8); depth > 8 {
				longest[at>>11] = max(longest[at>>11], depth-8)
			}
			at += 1 << (19 - leaf>>8)
		}
		at = 0
		for _, leaf := range leaves {
			depth := uint(leaf >> 8)
			if p := at >> 11; depth <= 8 {
				for i := range uint32(1) << (8 - depth) {
					h.first[p+i] = leaf
				}
			} else {
				n := longest[p]
				if h.first[p] == 0 {
					h.first[p] = 0x8000 | uint16(len(h.sub))
					h.sub = append(h.sub, mp3Sub{bits: n, entry: make([]uint16, 1<<n)})
				}
				s := h.sub[h.first[p]&0x7fff]
				from := at & 0x7ff >> (11 - n)
				for i := range uint32(1) << (8 + n - depth) {
					s.entry[from+i] = leaf
				}
			}
			at += 1 << (19 - depth)
		}
		t[number] = h
	}
	for i := 17; i <= 23; i++ {
		t[i] = t[16]
	}
	for i := 25; i <= 31; i++ {
		t[i] = t[24]
	}
	return t
}
