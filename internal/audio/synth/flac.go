package synth

import (
	"bufio"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

const flacBlock = 4096 // samples per channel in a frame

// WriteFLAC writes planar samples as a 24-bit FLAC file (RFC 9639): fixed predictors, Rice-coded residuals, one or two
// independent channels. It decodes to exactly what WriteWAV stores. The rate is in Hz, at most 655350.
func WriteFLAC(w io.Writer, planar [][]float32, rate int) error {
	if len(planar) != 1 && len(planar) != 2 {
		return fmt.Errorf("write flac: %d channels, want 1 or 2", len(planar))
	}
	if rate < 1 || rate > 655350 {
		return fmt.Errorf("write flac: %d Hz is out of range", rate)
	}
	frames := len(planar[0])
	samples := make([][]int32, len(planar))
	sum := md5.New()
	for c := range planar {
		samples[c] = make([]int32, frames)
		for i, x := range planar[c] {
			samples[c][i] = quantize(x)
		}
	}
	packed := make([]byte, 0, 3*len(planar)*flacBlock)
	for at := 0; at < frames; at += flacBlock {
		packed = packed[:0]
		for i := at; i < min(at+flacBlock, frames); i++ {
			for c := range samples {
				v := samples[c][i]
				packed = append(packed, byte(v), byte(v>>8), byte(v>>16))
			}
		}
		sum.Write(packed)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	// STREAMINFO, section 8.2: block sizes, frame sizes (unknown), then 20 bits of rate, 3 of channels, 5 of depth, 36 of length.
	head := append(make([]byte, 0, 42), "fLaC\x80\x00\x00\x22"...)
	head = binary.BigEndian.AppendUint16(head, flacBlock)
	head = binary.BigEndian.AppendUint16(head, flacBlock)
	head = append(head, 0, 0, 0, 0, 0, 0)
	head = binary.BigEndian.AppendUint64(head, uint64(rate)<<44|uint64(len(planar)-1)<<41|23<<36|uint64(frames))
	out.Write(sum.Sum(head)) // bufio keeps the first error for Flush
	var frame bitWriter
	for at := 0; at < frames; at += flacBlock {
		n := min(flacBlock, frames-at)
		frame.begin(at/flacBlock, n, len(planar))
		for c := range samples {
			frame.subframe(samples[c][at : at+n])
		}
		frame.end()
		out.Write(frame.b)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write flac: %w", err)
	}
	return nil
}

// bitWriter collects one frame, most significant bit first.
type bitWriter struct {
	b    []byte
	acc  uint64
	fill int // bits in acc
	best []int32
	next []int32
}

func (w *bitWriter) put(value uint64, width int) {
	w.acc = w.acc<<width | value&(1<<width-1)
	for w.fill += width; w.fill >= 8; w.fill -= 8 {
		w.b = append(w.b, byte(w.acc>>(w.fill-8)))
	}
}

// begin writes the frame header (section 9.1): sample rate from STREAMINFO, 24 bits, the size of a short block in 16 bits.
func (w *bitWriter) begin(number, size, channels int) {
	w.b, w.acc, w.fill = w.b[:0], 0, 0
	w.put(0xfff8, 16)
	if size == flacBlock {
		w.put(12<<4, 8) // 256 << (12-8)
	} else {
		w.put(7<<4, 8)
	}
	w.put(uint64(channels-1)<<4|6<<1, 8)
	w.b = appendCoded(w.b, uint64(number))
	if size != flacBlock {
		w.put(uint64(size-1), 16)
	}
	var crc byte
	for _, x := range w.b {
		crc ^= x
		for range 8 {
			crc = crc<<1 ^ crc>>7*0x07
		}
	}
	w.put(uint64(crc), 8)
}

// appendCoded is the number coding of section 9.1.5, UTF-8 stretched to 36 bits.
func appendCoded(b []byte, n uint64) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	extra := 1
	for n >= 1<<(5*extra+6) {
		extra++
	}
	b = append(b, byte(uint16(0xff00)>>(extra+1))|byte(n>>(6*extra)))
	for extra--; extra >= 0; extra-- {
		b = append(b, 0x80|byte(n>>(6*extra))&0x3f)
	}
	return b
}

// subframe writes one channel (section 9.2): a constant, or the best fixed predictor with partitioned Rice codes.
func (w *bitWriter) subframe(x []int32) {
	constant := true
	for _, v := range x {
		if v != x[0] {
			constant = false
			break
		}
	}
	if constant {
		w.put(0, 8)
		w.put(uint64(uint32(x[0])), 24)
		return
	}
	order, least := 0, ^uint64(0)
	w.next = append(w.next[:0], x...)
	for o := 0; o <= min(4, len(x)-1); o++ {
		if o > 0 { // one difference more; the first o samples stay warm-up
			for i := len(x) - 1; i >= o; i-- {
				w.next[i] -= w.next[i-1]
			}
		}
		sum := uint64(0)
		for _, v := range w.next[o:] {
			sum += uint64(zigzag(v))
		}
		if sum < least {
			order, least = o, sum
			w.best = append(w.best[:0], w.next...)
		}
	}
	w.put(uint64(8|order)<<1, 8)
	for _, v := range x[:order] {
		w.put(uint64(uint32(v)), 24)
	}
	w.residual(w.best, order)
}

// residual writes Rice codes with five-bit parameters (section 9.2.7), split as finely as pays.
func (w *bitWriter) residual(x []int32, order int) {
	size := len(x)
	best, cost := 0, ^uint64(0)
	var params, chosen [64]int
	for p := 0; p <= 6 && size%(1<<p) == 0 && size>>p > order; p++ {
		total := uint64(0)
		for i := range 1 << p {
			from, to := max(i*(size>>p), order), (i+1)*(size>>p)
			sum := uint64(0)
			for _, v := range x[from:to] {
				sum += uint64(zigzag(v))
			}
			k := 0
			if mean := sum / uint64(to-from); mean > 0 {
				k = min(bits.Len64(mean)-1, 30)
			}
			params[i] = k
			total += 5 + uint64(to-from)*uint64(k+1) + sum>>k
		}
		if total < cost {
			best, cost, chosen = p, total, params
		}
	}
	w.put(1, 2)
	w.put(uint64(best), 4)
	for i := range 1 << best {
		k := chosen[i]
		w.put(uint64(k), 5)
		for _, v := range x[max(i*(size>>best), order) : (i+1)*(size>>best)] {
			u := zigzag(v)
			for q := u >> k; q > 0; {
				n := min(q, 32)
				w.put(0, int(n))
				q -= n
			}
			w.put(1, 1)
			w.put(uint64(u), k)
		}
	}
}

// zigzag folds the sign into the lowest bit.
func zigzag(v int32) uint32 { return uint32(v<<1) ^ uint32(v>>31) }

// end pads to a whole byte and writes the frame's CRC-16 (section 9.3).
func (w *bitWriter) end() {
	if w.fill > 0 {
		w.put(0, 8-w.fill)
	}
	var crc uint16
	for _, x := range w.b {
		crc ^= uint16(x) << 8
		for range 8 {
			crc = crc<<1 ^ crc>>15*0x8005
		}
	}
	w.put(uint64(crc), 16)
}
