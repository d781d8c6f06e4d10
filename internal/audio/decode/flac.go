package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"audiomicro/internal/audio"
)

// flacDecoder decodes FLAC (RFC 9639): 1 to 8 channels, 4 to 32 bits, fixed and variable block sizes.
type flacDecoder struct {
	br     *bitReader
	info   audio.Info
	out    planar
	narrow [8][]int32 // samples of up to 31 bits and their side channels
	wide   [8][]int64 // 32-bit samples, whose side channel has 33 bits
	done   int64      // frames decoded
	header [16]byte
}

// openFLAC expects "fLaC", perhaps behind ID3v2 tags that some taggers put there.
func openFLAC(src *source) (audio.Decoder, error) {
	for {
		head, err := src.Peek(10)
		if err != nil {
			return nil, fmt.Errorf("%w: the file ends within its header", audio.ErrDamaged)
		}
		if string(head[:3]) != "ID3" {
			break
		}
		size := int64(head[6]&0x7f)<<21 | int64(head[7]&0x7f)<<14 | int64(head[8]&0x7f)<<7 | int64(head[9]&0x7f) + 10
		if head[5]&0x10 != 0 {
			size += 10
		}
		if err := src.skip(size); err != nil {
			return nil, fmt.Errorf("%w: a tag is larger than the file", audio.ErrDamaged)
		}
	}
	return openFLACStream(src, "flac")
}

func openFLACStream(r io.Reader, container string) (d *flacDecoder, err error) {
	d = &flacDecoder{br: newBitReader(r)}
	defer catchShort(&err)
	if d.br.bits(32) != 0x664c6143 {
		return nil, fmt.Errorf("%w: no fLaC marker", audio.ErrDamaged)
	}
	for first := true; ; first = false {
		last, kind, size := d.br.bits(1) == 1, d.br.bits(7), int(d.br.bits(24))
		if first {
			if kind != 0 || size < 34 {
				return nil, fmt.Errorf("%w: no STREAMINFO", audio.ErrDamaged)
			}
			d.br.bits(16) // smallest and largest block and frame: declared, not needed
			d.br.bits(16)
			d.br.bits(24)
			d.br.bits(24)
			d.info = audio.Info{
				Container: container, Codec: "flac", Lossless: true,
				SampleRate: int(d.br.bits(20)), Channels: int(d.br.bits(3)) + 1, BitDepth: int(d.br.bits(5)) + 1,
			}
			d.info.Frames = int64(d.br.bits(36))
			size -= 18
			if d.info.BitDepth < 4 {
				return nil, fmt.Errorf("%w: %d bits per sample", audio.ErrUnsupported, d.info.BitDepth)
			}
		}
		for ; size > 0; size-- {
			d.br.bits(8)
		}
		if last {
			return d, nil
		}
	}
}

// catchShort turns the bit reader's panics into the error they carry.
func catchShort(err *error) {
	switch p := recover().(type) {
	case nil:
	case errShort:
		*err = p.err
	default:
		panic(p)
	}
}

func (d *flacDecoder) Info() audio.Info { return d.info }

func (d *flacDecoder) Close() error { return nil }

func (d *flacDecoder) Next() (block [][]float32, err error) {
	if d.br.atEnd() {
		if err := d.br.readError(); err != nil {
			return nil, err
		}
		if d.info.Frames > 0 && d.done < d.info.Frames {
			return nil, fmt.Errorf("%w: the file ends after %d of %d frames", audio.ErrDamaged, d.done, d.info.Frames)
		}
		return nil, io.EOF
	}
	defer func() {
		// Trailing tags and padding end a complete stream; anything else that is no frame is damage.
		if errors.Is(err, errTrailer) || errors.Is(err, audio.ErrDamaged) && d.info.Frames > 0 && d.done >= d.info.Frames {
			block, err = nil, io.EOF
		}
	}()
	defer catchShort(&err)
	return d.frame()
}

var (
	errNoSync  = fmt.Errorf("%w: no frame where one should begin", audio.ErrDamaged)
	errTrailer = errors.New("a tag behind the last frame")
)

// flacHeader is a frame header (RFC 9639 §9.1).
type flacHeader struct {
	blockSize, rate, channels, assignment, depth int
}

func (d *flacDecoder) frameHeader() (h flacHeader, err error) {
	br := d.br
	hdr := d.header[:0]
	next := func() byte {
		c := byte(br.bits(8))
		hdr = append(hdr, c)
		return c
	}
	b0, b1 := next(), next()
	if b0 != 0xff || b1&0xfe != 0xf8 {
		if rest := []byte{b0, b1, next()}; bytes.Equal(rest, []byte("TAG")) || bytes.Equal(rest, []byte("APE")) || bytes.Equal(rest, []byte("ID3")) {
			return h, fmt.Errorf("%w: %w", errNoSync, errTrailer)
		}
		return h, errNoSync
	}
	b2, b3 := next(), next()
	for extra := bits.LeadingZeros8(^next()) - 1; extra > 0; extra-- { // the coded number, like UTF-8; blocks are in order anyway
		if len(hdr) > 11 || next()&0xc0 != 0x80 {
			return h, errNoSync
		}
	}
	switch c := int(b2 >> 4); {
	case c == 0:
		return h, errNoSync
	case c == 1:
		h.blockSize = 192
	case c <= 5:
		h.blockSize = 576 << (c - 2)
	case c == 6:
		h.blockSize = int(next()) + 1
	case c == 7:
		h.blockSize = int(next())<<8 + 1
		h.blockSize += int(next())
	default:
		h.blockSize = 256 << (c - 8)
	}
	switch c := b2 & 15; c {
	case 0:
		h.rate = d.info.SampleRate
	case 12:
		h.rate = int(next()) * 1000
	case 13:
		h.rate = int(next()) << 8
		h.rate += int(next())
	case 14:
		h.rate = int(next()) << 8
		h.rate = (h.rate + int(next())) * 10
	case 15:
		return h, errNoSync
	default:
		h.rate = [12]int{0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000}[c]
	}
	switch h.assignment = int(b3 >> 4); {
	case h.assignment < 8:
		h.channels = h.assignment + 1
	case h.assignment <= 10:
		h.channels = 2
	default:
		return h, errNoSync
	}
	h.depth = [8]int{d.info.BitDepth, 8, 12, -1, 16, 20, 24, 32}[b3>>1&7]
	if h.depth < 0 || b3&1 != 0 {
		return h, errNoSync
	}
	var sum byte
	for _, c := range hdr {
		sum = br.table.t8[sum^c]
	}
	if byte(br.bits(8)) != sum {
		return h, errNoSync
	}
	return h, nil
}

func (d *flacDecoder) frame() ([][]float32, error) {
	d.br.startCRC()
	h, err := d.frameHeader()
	if err != nil {
		return nil, err
	}
	if h.channels != d.info.Channels || h.rate != d.info.SampleRate || h.depth != d.info.BitDepth {
		return nil, fmt.Errorf("%w: the stream changes from %d to %d channels, %d to %d Hz or %d to %d bits midway", audio.ErrUnsupported,
			d.info.Channels, h.channels, d.info.SampleRate, h.rate, d.info.BitDepth, h.depth)
	}
	if h.depth == 32 {
		if err := flacSubframes(d.br, &d.wide, h); err != nil {
			return nil, err
		}
	} else if err := flacSubframes(d.br, &d.narrow, h); err != nil {
		return nil, err
	}
	d.br.align()
	want := d.br.endCRC()
	if uint16(d.br.bits(16)) != want {
		return nil, fmt.Errorf("%w: wrong check sum in the frame at sample %d", audio.ErrDamaged, d.done)
	}
	out := d.out.size(h.channels, h.blockSize)
	scale := 1 / float32(int64(1)<<(h.depth-1))
	for c, row := range out {
		if h.depth == 32 {
			for i, v := range d.wide[c][:len(row)] {
				row[i] = float32(v) * scale
			}
		} else {
			for i, v := range d.narrow[c][:len(row)] {
				row[i] = float32(v) * scale
			}
		}
	}
	d.done += int64(h.blockSize)
	return out, nil
}

// flacSubframes decodes the channels of a frame and undoes the stereo decorrelation (§4.2).
func flacSubframes[T int32 | int64](br *bitReader, rows *[8][]T, h flacHeader) error {
	for c := range h.channels {
		if cap(rows[c]) < h.blockSize {
			rows[c] = make([]T, h.blockSize)
		}
		rows[c] = rows[c][:h.blockSize]
		depth := uint(h.depth)
		if h.assignment == 8 && c == 1 || h.assignment == 9 && c == 0 || h.assignment == 10 && c == 1 {
			depth++
		}
		if err := flacSubframe(br, rows[c], depth); err != nil {
			return err
		}
	}
	a := rows[0]
	switch h.assignment {
	case 8: // left, side
		b := rows[1][:len(a)]
		for i, l := range a {
			b[i] = l - b[i]
		}
	case 9: // side, right
		b := rows[1][:len(a)]
		for i, r := range b {
			a[i] += r
		}
	case 10: // mid, side
		b := rows[1][:len(a)]
		for i, s := range b {
			m := a[i]<<1 | s&1
			a[i], b[i] = (m+s)>>1, (m-s)>>1
		}
	}
	return nil
}

func flacSubframe[T int32 | int64](br *bitReader, s []T, depth uint) error {
	if br.bits(1) != 0 {
		return fmt.Errorf("%w: a bad subframe", audio.ErrDamaged)
	}
	kind := int(br.bits(6))
	wasted := uint(0)
	if br.bits(1) == 1 {
		wasted = uint(br.unary()) + 1
		if wasted >= depth {
			return fmt.Errorf("%w: a bad subframe", audio.ErrDamaged)
		}
		depth -= wasted
	}
	switch {
	case kind == 0: // constant
		v := T(br.signed(depth))
		for i := range s {
			s[i] = v
		}
	case kind == 1: // verbatim
		for i := range s {
			s[i] = T(br.signed(depth))
		}
	case kind >= 8 && kind <= 12:
		order := kind - 8
		if err := flacWarmup(br, s, order, depth); err != nil {
			return err
		}
		flacFixed(s, order)
	case kind >= 32:
		order := kind - 31
		if order > len(s) {
			return fmt.Errorf("%w: a predictor longer than its block", audio.ErrDamaged)
		}
		for i := range order {
			s[i] = T(br.signed(depth))
		}
		precision := uint(br.bits(4)) + 1
		shift := br.signed(5)
		if precision == 16 || shift < 0 {
			return fmt.Errorf("%w: a bad predictor", audio.ErrDamaged)
		}
		var coef [32]int32
		for i := range order {
			coef[i] = int32(br.signed(precision))
		}
		if err := flacResidual(br, s, order); err != nil {
			return err
		}
		if depth+precision+uint(bits.Len(uint(order))) <= 32 {
			flacLPC32(s, coef[:order], uint(shift))
		} else {
			flacLPC64(s, coef[:order], uint(shift))
		}
	default:
		return fmt.Errorf("%w: a reserved subframe type", audio.ErrDamaged)
	}
	if wasted > 0 {
		for i := range s {
			s[i] <<= wasted
		}
	}
	return nil
}

func flacWarmup[T int32 | int64](br *bitReader, s []T, order int, depth uint) error {
	if order > len(s) {
		return fmt.Errorf("%w: a predictor longer than its block", audio.ErrDamaged)
	}
	for i := range order {
		s[i] = T(br.signed(depth))
	}
	return flacResidual(br, s, order)
}

// flacFixed adds the fixed polynomial predictors (§9.2.5) to the residual in place.
func flacFixed[T int32 | int64](s []T, order int) {
	switch order {
	case 1:
		for i := 1; i < len(s); i++ {
			s[i] += s[i-1]
		}
	case 2:
		for i := 2; i < len(s); i++ {
			s[i] += 2*s[i-1] - s[i-2]
		}
	case 3:
		for i := 3; i < len(s); i++ {
			s[i] += 3*(s[i-1]-s[i-2]) + s[i-3]
		}
	case 4:
		for i := 4; i < len(s); i++ {
			s[i] += 4*(s[i-1]+s[i-3]) - 6*s[i-2] - s[i-4]
		}
	}
}

// flacResidual reads the Rice-coded residual behind the warm-up samples (§9.2.7).
func flacResidual[T int32 | int64](br *bitReader, s []T, order int) error {
	method := br.bits(2)
	if method > 1 {
		return fmt.Errorf("%w: a reserved residual coding", audio.ErrDamaged)
	}
	parameterBits := 4 + uint(method)
	partitionOrder := uint(br.bits(4))
	size := len(s) >> partitionOrder
	if size<<partitionOrder != len(s) || size < order {
		return fmt.Errorf("%w: a bad residual partition", audio.ErrDamaged)
	}
	i := order
	for p := range 1 << partitionOrder {
		end := (p + 1) * size
		k := uint(br.bits(parameterBits))
		if k == 1<<parameterBits-1 {
			raw := uint(br.bits(5))
			for ; i < end; i++ {
				s[i] = T(br.signed(raw))
			}
			continue
		}
		flacRice(br, s[i:end], k)
		i = end
	}
	return nil
}

// flacRice reads Rice codes with parameter k: the hot loop of the whole decoder. Codes that lie in the cache whole are taken
// from it in one step.
func flacRice[T int32 | int64](br *bitReader, s []T, k uint) {
	cache, n := br.cache, br.n
	for i := range s {
		if n < 32 {
			br.cache, br.n = cache, n
			br.fill()
			cache, n = br.cache, br.n
		}
		z := uint(bits.LeadingZeros64(cache))
		if z+1+k <= n {
			u := uint64(z)<<k | (cache<<(z+1))>>1>>(63-k)
			cache <<= z + 1 + k
			n -= z + 1 + k
			s[i] = T(u>>1) ^ -T(u&1)
			continue
		}
		br.cache, br.n = cache, n
		u := uint64(br.unary())<<k | br.bits(k)
		cache, n = br.cache, br.n
		s[i] = T(u>>1) ^ -T(u&1)
	}
	br.cache, br.n = cache, n
}
