// Package opusenc encodes 48 kHz planar blocks into Ogg Opus files (RFC 6716 for the codec, RFC 7845 for the file).
//
// The codec is gopus; the pages come from the ogg package. It promises an exact length: pre-skip is the codec's lookahead
// and the last granule position is pre-skip plus the samples that were written, so a decoder that follows RFC 7845 gives
// back exactly as many samples as went in. The file carries no metadata but the name of this program. Memory is bounded by
// one packet and one page of at most a second.
package opusenc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"audiomicro/internal/audio/downmix"
	"audiomicro/internal/audio/ogg"

	"github.com/thesyncim/gopus"
)

// SampleRate is the only rate of the input, in Hz. It is also the clock of Ogg Opus granule positions (RFC 7845 section 4).
const SampleRate = 48000

const (
	frameSamples = SampleRate / 50 // 20 ms packets, the codec's best trade for music
	pageSpan     = SampleRate      // a page holds at most one second
	maxPacket    = 4000            // bytes; enough for any 20 ms packet of two channels
	vendor       = "AudioMicro"
)

// Options says how to encode.
type Options struct {
	Bitrate    int    // bit/s, variable around it; 6000 to 510000
	Channels   int    // of the file: 1 or 2
	Complexity int    // 0 (fast) to 10 (best)
	InputRate  int    // Hz of the original, for information only; 0 when unknown
	Serial     uint32 // Ogg serial number; 0 for a fixed one, which will do, for a file holds one stream
}

// Encoder writes one Ogg Opus file. It is not safe for concurrent use.
type Encoder struct {
	codec   *gopus.Encoder
	pages   *ogg.Writer
	mixer   *downmix.Mixer
	inputs  int
	opt     Options
	preSkip int64

	frame   []float32 // interleaved samples of the packet being filled
	filled  int       // frames in it
	held    []byte    // the packet before, kept until it is known not to be the last
	isHeld  bool
	packets int64
	samples int64
	scratch []byte
	closed  bool
}

// New writes the headers to w and returns an Encoder. Blocks given to Write may have any number of channels; more than two
// are folded to stereo.
func New(w io.Writer, opt Options) (*Encoder, error) {
	if opt.Channels != 1 && opt.Channels != 2 {
		return nil, fmt.Errorf("open opus encoder: %d channels, want 1 or 2", opt.Channels)
	}
	if opt.Bitrate < 6000 || opt.Bitrate > 510000 { // RFC 6716 section 2.1.1
		return nil, fmt.Errorf("open opus encoder: %d bit/s, want 6000 to 510000", opt.Bitrate)
	}
	if opt.Serial == 0 { // legal, but opusinfo warns that some tools trip over it
		opt.Serial = 0x4d43524f
	}
	codec, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: SampleRate, Channels: opt.Channels, Application: gopus.ApplicationAudio})
	if err != nil {
		return nil, fmt.Errorf("open opus encoder: %w", err)
	}
	settings := []error{codec.SetBitrate(opt.Bitrate), codec.SetComplexity(opt.Complexity), codec.SetFrameSize(frameSamples)}
	if err := errors.Join(settings...); err != nil {
		return nil, fmt.Errorf("set up opus encoder for %d bit/s: %w", opt.Bitrate, err)
	}
	codec.SetVBR(true)
	e := &Encoder{
		codec: codec, opt: opt, preSkip: int64(codec.Lookahead()),
		pages:   ogg.New(w, opt.Serial, pageSpan),
		frame:   make([]float32, frameSamples*opt.Channels),
		scratch: make([]byte, maxPacket),
		held:    make([]byte, 0, maxPacket),
	}
	for _, header := range [][]byte{e.head(), tags()} {
		if err := e.pages.Packet(header, 0); err != nil {
			return nil, fmt.Errorf("write opus header: %w", err)
		}
		if err := e.pages.Flush(); err != nil {
			return nil, fmt.Errorf("write opus header: %w", err)
		}
	}
	return e, nil
}

// head is the identification header, channel mapping family 0 (RFC 7845 section 5.1).
func (e *Encoder) head() []byte {
	b := append(make([]byte, 0, 19), "OpusHead"...)
	b = append(b, 1, byte(e.opt.Channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(e.preSkip))
	b = binary.LittleEndian.AppendUint32(b, uint32(e.opt.InputRate))
	return append(b, 0, 0, 0) // no output gain, family 0
}

// tags is the comment header with no comments (RFC 7845 section 5.2).
func tags() []byte {
	b := append([]byte(nil), "OpusTags"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(vendor)))
	b = append(b, vendor...)
	return binary.LittleEndian.AppendUint32(b, 0)
}

// Samples returns how many samples per channel were written so far.
func (e *Encoder) Samples() int64 { return e.samples }

// Write encodes a block of planar samples at 48 kHz. Every block must have the same number of channels.
func (e *Encoder) Write(planar [][]float32) error {
	if e.closed {
		return errors.New("write to a closed opus encoder")
	}
	if len(planar) == 0 || len(planar[0]) == 0 {
		return nil
	}
	if e.mixer == nil {
		e.inputs, e.mixer = len(planar), downmix.New(len(planar))
	}
	if len(planar) != e.inputs {
		return fmt.Errorf("write opus: block of %d channels after blocks of %d", len(planar), e.inputs)
	}
	block := e.mixer.Mix(planar)
	frames := len(block[0])
	for at := 0; at < frames; {
		n := min(frames-at, frameSamples-e.filled)
		e.fill(block, at, n)
		at += n
		e.samples += int64(n)
		if e.filled == frameSamples {
			if err := e.encode(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Encoder) fill(block [][]float32, at, n int) {
	dst := e.frame[e.filled*e.opt.Channels:]
	switch {
	case e.opt.Channels == 1 && len(block) == 1:
		copy(dst, block[0][at:at+n])
	case e.opt.Channels == 1:
		left, right := block[0][at:at+n], block[1][at:at+n]
		for i := range left {
			dst[i] = (left[i] + right[i]) / 2
		}
	default:
		left, right := block[0][at:at+n], block[len(block)-1][at:at+n]
		for i := range left {
			dst[2*i], dst[2*i+1] = left[i], right[i]
		}
	}
	e.filled += n
}

// encode makes a packet of the full frame and hands on the one before: only Close knows which packet is the last.
func (e *Encoder) encode() error {
	n, err := e.codec.Encode(e.frame, e.scratch)
	if err != nil {
		return fmt.Errorf("encode opus packet %d: %w", e.packets, err)
	}
	e.filled = 0
	if err := e.release(e.packets * frameSamples); err != nil {
		return err
	}
	e.held, e.isHeld = append(e.held[:0], e.scratch[:n]...), true
	e.packets++
	return nil
}

func (e *Encoder) release(granule int64) error {
	if !e.isHeld {
		return nil
	}
	e.isHeld = false
	return e.pages.Packet(e.held, granule)
}

// Close pads the last packet with silence, pushes the codec's delay out and writes the last page, whose granule position
// cuts the padding off again (RFC 7845 section 4.4). It does not close the underlying writer.
func (e *Encoder) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	end := e.preSkip + e.samples
	for e.packets*frameSamples < end || e.packets == 0 {
		clear(e.frame[e.filled*e.opt.Channels:])
		if err := e.encode(); err != nil {
			return err
		}
	}
	if err := e.release(end); err != nil {
		return fmt.Errorf("close opus file: %w", err)
	}
	return e.pages.Close()
}
