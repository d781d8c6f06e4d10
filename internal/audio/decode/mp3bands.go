package decode

import "audiomicro/internal/audio/sniff"

// Widths of the scale factor bands (ISO/IEC 11172-3 table B.8, 13818-3 tables B.2; MPEG-2.5 as its decoders agree on), by rate.
// At 24 kHz the 19th band ends at line 332, as LAME and mpg123 have it, not at 330 as in ffmpeg: LAME's files come out nearer
// to their source that way (24.67 dB against 24.38 dB on pink noise).
var mp3LongBands = map[int][22]int{
	44100: {4, 4, 4, 4, 4, 4, 6, 6, 8, 8, 10, 12, 16, 20, 24, 28, 34, 42, 50, 54, 76, 158},
	48000: {4, 4, 4, 4, 4, 4, 6, 6, 6, 8, 10, 12, 16, 18, 22, 28, 34, 40, 46, 54, 54, 192},
	32000: {4, 4, 4, 4, 4, 4, 6, 6, 8, 10, 12, 16, 20, 24, 30, 38, 46, 56, 68, 84, 102, 26},
	22050: {6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 38, 46, 52, 60, 68, 58, 54},
	24000: {6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 18, 22, 26, 32, 38, 46, 54, 62, 70, 76, 36},
	16000: {6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 38, 46, 52, 60, 68, 58, 54},
	11025: {6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 38, 46, 52, 60, 68, 58, 54},
	12000: {6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 38, 46, 52, 60, 68, 58, 54},
	8000:  {12, 12, 12, 12, 12, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 76, 90, 2, 2, 2, 2, 2},
}

var mp3ShortBands = map[int][13]int{
	44100: {4, 4, 4, 4, 6, 8, 10, 12, 14, 18, 22, 30, 56},
	48000: {4, 4, 4, 4, 6, 6, 10, 12, 14, 16, 20, 26, 66},
	32000: {4, 4, 4, 4, 6, 8, 12, 16, 20, 26, 34, 42, 12},
	22050: {4, 4, 4, 6, 6, 8, 10, 14, 18, 26, 32, 42, 18},
	24000: {4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 32, 44, 12},
	16000: {4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 30, 40, 18},
	11025: {4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 30, 40, 18},
	12000: {4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 30, 40, 18},
	8000:  {8, 8, 8, 12, 16, 20, 24, 28, 36, 2, 2, 2, 26},
}

// mp3Bands is one way of cutting the 576 lines of a granule into bands: long bands first, then short bands, each three
// times (one per window).
type mp3Bands struct {
	width []int
	long  int // how many of them are long
}

// mp3Layouts are the three ways for a sample rate: long, short, mixed.
func mp3Layouts(h sniff.MPEGHeader) (l [3]mp3Bands) {
	long, short := mp3LongBands[h.SampleRate], mp3ShortBands[h.SampleRate]
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

// mp3Trees builds the lookup tables from the leaves in mp3Codes. Codes come in ascending order, so the code of a leaf is the
// sum of the widths of the leaves before it.
func mp3Trees() (t [34]*mp3Huffman) {
	for number, leaves := range mp3Codes {
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

var mp3Linbits = [32]uint{16: 1, 2, 3, 4, 6, 8, 10, 13, 4, 5, 6, 7, 8, 9, 11, 13}
