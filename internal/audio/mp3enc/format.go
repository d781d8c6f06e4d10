package mp3enc

import (
	"fmt"
	"slices"
)

// format is what all frames of a file have in common.
type format struct {
	rate     int // Hz
	bitrate  int // bit/s
	channels int
	lsf      bool // MPEG-2: half the rates, one granule a frame
	granules int
	cutoff   int // lines that are coded; those above are left out
}

// Bitrates of layer III in kbit/s, by index from 1 (ISO/IEC 11172-3 §2.4.2.3, 13818-3 §2.4.2.3).
var (
	bitrates1 = []int{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	bitrates2 = []int{8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
	rates1    = []int{44100, 48000, 32000} // by index
	rates2    = []int{22050, 24000, 16000}
)

func formatFor(opt Options) (f format, err error) {
	if opt.Channels != 1 && opt.Channels != 2 {
		return f, fmt.Errorf("%d channels, want 1 or 2", opt.Channels)
	}
	if opt.InputRate < 1 {
		return f, fmt.Errorf("samples at %d Hz", opt.InputRate)
	}
	f = format{bitrate: opt.Bitrate, channels: opt.Channels, rate: fileRate(opt)}
	f.lsf = !slices.Contains(rates1, f.rate)
	f.granules = 2
	if f.lsf {
		f.granules = 1
	}
	if f.bitrate%1000 != 0 || !slices.Contains(f.bitrates(), f.bitrate/1000) {
		return f, fmt.Errorf("%d bit/s is no bitrate of MP3 at %d Hz", opt.Bitrate, f.rate)
	}
	f.cutoff = min(lines, int(float64(bandwidth(opt))*2*lines/float64(f.rate)))
	return f, nil
}

func (f format) bitrates() []int {
	if f.lsf {
		return bitrates2
	}
	return bitrates1
}

// fileRate is the sample rate of the file: the input's where MP3 has it and the bits suffice, half of it below 40 kbit/s a
// channel, and else the next one that holds the input's whole band.
func fileRate(opt Options) int {
	want := opt.InputRate
	for want > 48000 { // 88.2 and 96 kHz become what they are twice of
		want /= 2
	}
	if opt.Bitrate < 40000*opt.Channels && want > 24000 {
		want /= 2
	}
	if opt.Bitrate > 160000 { // the most that MPEG-2 has
		want = max(want, 32000)
	}
	if opt.Bitrate < 32000 {
		want = min(want, 24000)
	}
	for _, rate := range []int{16000, 22050, 24000, 32000, 44100, 48000} {
		if rate >= want {
			return rate
		}
	}
	return 48000
}

// bandwidth in Hz that the bits suffice for. More lines would only take bits from those that are heard.
func bandwidth(opt Options) int {
	perChannel := opt.Bitrate / 1000
	if opt.Channels == 2 { // two channels share much
		perChannel = perChannel * 5 / 8
	}
	for _, step := range []struct{ kbit, hz int }{{20, 5500}, {30, 8000}, {38, 10000}, {45, 11200}, {60, 14500}, {79, 16000}, {99, 17200}, {119, 18500}, {159, 19500}} {
		if perChannel < step.kbit {
			return step.hz
		}
	}
	return 20500
}

// frameSize is how many bytes a frame has without its padding byte, and the rest of the division in units of 1/rate.
func (f format) frameSize() (size, rest int) {
	n := f.granules * lines / 8 * f.bitrate
	return n / f.rate, n % f.rate
}

// sideSize is the length of the side information in bytes.
func (f format) sideSize() int {
	switch {
	case f.lsf && f.channels == 1:
		return 9
	case f.lsf:
		return 17
	case f.channels == 1:
		return 17
	}
	return 32
}

// maxReservoir is how far back main_data_begin can point, in bytes.
func (f format) maxReservoir() int {
	if f.lsf {
		return 255
	}
	return 511
}

// header is the 32 bits in front of a frame (§2.4.1.3): no CRC, original, no emphasis.
func (f format) header(bitrate int, padding, midSide bool) []byte {
	index := slices.Index(f.bitrates(), bitrate/1000) + 1
	b := []byte{0xff, 0xfb, byte(index << 4), 0x04}
	rates := rates1
	if f.lsf {
		b[1], rates = 0xf3, rates2
	}
	b[2] |= byte(slices.Index(rates, f.rate) << 2)
	if padding {
		b[2] |= 2
	}
	switch {
	case f.channels == 1:
		b[3] |= 3 << 6
	default:
		b[3] |= 1 << 6
		if midSide {
			b[3] |= 2 << 4
		}
	}
	return b
}
