package decode

import (
	"math"

	"audiomicro/internal/audio/sniff"
)

// stereo undoes mid/side and intensity coding (ISO/IEC 11172-3 §2.4.3.4.9, 13818-3 §2.4.3.2).
func (l *mp3Layer3) stereo(h sniff.MPEGHeader, left, right *mp3Granule) {
	a, b := &l.lines[0], &l.lines[1]
	ms := h.ModeExt&2 != 0
	if h.ModeExt&1 == 0 {
		if ms {
			n := max(left.nonzero, right.nonzero)
			midSide(a[:n], b[:n])
			left.nonzero, right.nonzero = n, n
		}
		return
	}
	layout := &l.layouts[right.layout()]
	top := intensityStart(layout, b)
	at := 0
	for i, w := range layout.width {
		x, y := a[at:at+w], b[at:at+w]
		at += w
		above := i > max(top[0], top[1], top[2])
		if i >= layout.long {
			above = i > top[(i-layout.long)%3]
		}
		pos, legal := 0, false
		if above {
			pos, legal = intensityPosition(h, layout, right, i, top)
		}
		switch {
		case legal:
			kl, kr := intensityGains(h, right, pos)
			for k, v := range x {
				x[k], y[k] = v*kl, v*kr
			}
		case ms:
			midSide(x, y)
		}
	}
	left.nonzero, right.nonzero = 576, 576
}

func midSide(a, b []float32) {
	b = b[:len(a)]
	const r = math.Sqrt2 / 2
	for i, m := range a {
		s := b[i]
		a[i], b[i] = (m+s)*r, (m-s)*r
	}
}

// intensityStart finds, for each window, the last band in which the right channel has a line of its own; intensity coding
// begins above it. Long bands count for all windows.
func intensityStart(layout *mp3Bands, right *[576]float32) [3]int {
	top := [3]int{-1, -1, -1}
	at := 0
	for i, w := range layout.width {
		for _, v := range right[at : at+w] {
			if v == 0 {
				continue
			}
			if i < layout.long {
				top = [3]int{i, i, i}
			} else {
				top[(i-layout.long)%3] = i
			}
			break
		}
		at += w
	}
	return top
}

// intensityPosition is the position coded in place of the right channel's scale factor. The last band has none: it shares the
// one before, or stands in the middle when that is not intensity coded.
//
// At low rates the illegal position, which means that the band is not intensity coded, is the largest number its bits can hold.
// (Decoders differ: ffmpeg knows none below 16, mpg123 takes 7, libmad reads it so too. Encoders settle it: in the 22 kHz files of Debian's asc-music
// 4-bit positions are 0 to 6 and 15, 5-bit positions 0 to 6 and 31, and nothing between.)
func intensityPosition(h sniff.MPEGHeader, layout *mp3Bands, right *mp3Granule, i int, top [3]int) (pos int, legal bool) {
	step := 1
	if layout.long < len(layout.width) {
		step = 3
	}
	if i >= len(layout.width)-step {
		window := 0
		if step == 3 {
			window = (i - layout.long) % 3
		}
		i -= step
		if top[window] >= i {
			if h.Version == 1 {
				return 3, true
			}
			return 0, true
		}
	}
	pos = int(right.scale[i])
	return pos, right.limit[i] == 255 || pos < int(right.limit[i])
}

// intensityGains are the factors of the left and right channel.
func intensityGains(h sniff.MPEGHeader, right *mp3Granule, pos int) (float32, float32) {
	if h.Version == 1 {
		if pos >= 6 {
			return 1, 0
		}
		t := math.Tan(float64(pos) * math.Pi / 12)
		return float32(t / (1 + t)), float32(1 / (1 + t))
	}
	base := math.Exp2(-.25)
	if right.compress&1 == 1 {
		base = math.Sqrt2 / 2
	}
	switch {
	case pos == 0:
		return 1, 1
	case pos&1 == 1:
		return float32(math.Pow(base, float64((pos+1)/2))), 1
	}
	return 1, float32(math.Pow(base, float64(pos/2)))
}
