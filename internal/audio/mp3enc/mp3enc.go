// Package mp3enc encodes planar blocks into MP3 files: MPEG-1 and MPEG-2 layer III at a constant bitrate (ISO/IEC 11172-3 and
// 13818-3).
//
// It promises an exact length: the first frame is an "Info" frame with LAME's extension, which says how many samples the encoder
// added in front and behind, so a decoder that reads it gives back as many samples as went in, in their places. Memory is
// bounded by a few frames. The frames are coded so that the noise, not the bits, stays even from frame to frame as far as the
// bit reservoir allows; within a frame it follows the masked threshold some of the way (shaping), and no further, because every
// step of that way costs signal-to-noise ratio.
package mp3enc

import (
	"errors"
	"fmt"
	"io"

	"audiomicro/internal/audio/downmix"
	"audiomicro/internal/audio/resample"
)

// Options says how to encode.
type Options struct {
	InputRate int // Hz of the samples that are written
	Channels  int // of the file: 1 or 2
	Bitrate   int // bit/s, one of the standard's for the sample rate of the file
}

// Encoder writes one MP3 file. It is not safe for concurrent use.
type Encoder struct {
	out     io.WriteSeeker
	opt     Options
	form    format
	mixer   *downmix.Mixer
	inputs  int
	rate    *resample.Resampler // nil when the file has the input's rate
	samples int64               // per channel, at the file's rate

	bank   *filterbank
	frames *framer
	cell   [][]float32             // of the source, being filled
	input  [2][480 + lines]float32 // the 480 samples before and the granule being filled
	filled int
	blocks [2][3]block // before, now and next
	attack [2]transient
	early  [3]bool // an attack in the first two thirds of those blocks
	late   [3]bool // and in the last third or two
	short  [3]bool
	closed bool
}

// delay is how many samples the file's sound comes later than the source's, without what decoders add (mp3DecoderDelay of
// package decode): a granule of lookahead and one of overlap, less the part of the polyphase filter's delay that decoders count.
const delay = 2*lines - 48

// decoderDelay is what every layer III decoder adds: 528 samples of filter bank and one more (LAME tag specification).
const decoderDelay = 529

// New returns an Encoder that writes to out from its current position, which must be the start of the file, for Close comes
// back to it. Blocks given to Write may have any number of channels; more than two are folded to stereo.
func New(out io.WriteSeeker, opt Options) (*Encoder, error) {
	form, err := formatFor(opt)
	if err != nil {
		return nil, fmt.Errorf("open mp3 encoder: %w", err)
	}
	e := &Encoder{out: out, opt: opt, form: form, bank: newFilterbank()}
	if form.rate != opt.InputRate {
		if e.rate, err = resample.New(opt.InputRate, form.rate, opt.Channels, resample.Encode); err != nil {
			return nil, fmt.Errorf("open mp3 encoder: %w", err)
		}
	}
	e.frames = newFramer(out, opt, form)
	e.cell = make([][]float32, opt.Channels)
	if err := e.frames.begin(); err != nil {
		return nil, fmt.Errorf("open mp3 encoder: %w", err)
	}
	return e, nil
}

// SampleRate is the file's, in Hz.
func (e *Encoder) SampleRate() int { return e.form.rate }

// Write encodes a block of planar samples. Every block must have the same number of channels.
func (e *Encoder) Write(planar [][]float32) error {
	if e.closed {
		return errors.New("write to a closed mp3 encoder")
	}
	if len(planar) == 0 || len(planar[0]) == 0 {
		return nil
	}
	if e.mixer == nil {
		e.inputs, e.mixer = len(planar), downmix.New(len(planar))
	}
	if len(planar) != e.inputs {
		return fmt.Errorf("write mp3: block of %d channels after blocks of %d", len(planar), e.inputs)
	}
	block := e.mixer.Mix(planar)
	if len(block) > e.opt.Channels {
		mono := make([]float32, len(block[0]))
		for i, l := range block[0] {
			mono[i] = (l + block[1][i]) / 2
		}
		block = [][]float32{mono}
	} else if len(block) < e.opt.Channels {
		block = [][]float32{block[0], block[0]}
	}
	for at, n := 0, len(block[0]); at < n; { // by cells, so that the file does not depend on how the samples come
		have := len(e.cell[0])
		k := min(n-at, makeupCell-have)
		for c := range e.cell {
			for _, v := range block[c][at : at+k] {
				if !(v >= -loudest && v <= loudest) { // a NaN would spread over the whole file
					v = max(-loudest, min(v, loudest))
					if v != v {
						v = 0
					}
				}
				e.cell[c] = append(e.cell[c], v)
			}
		}
		at += k
		if have+k == makeupCell {
			if err := e.filter(); err != nil {
				return err
			}
		}
	}
	return nil
}

// filter hands the cell on, at the file's rate.
func (e *Encoder) filter() error {
	block := e.cell
	if e.rate != nil {
		block = e.rate.Write(block)
	}
	e.frames.makeup.source(e.cell, block)
	if err := e.take(block); err != nil {
		return err
	}
	for c := range e.cell {
		e.cell[c] = e.cell[c][:0]
	}
	return nil
}

// take fills granules at the file's rate.
func (e *Encoder) take(block [][]float32) error {
	if len(block) == 0 {
		return nil
	}
	n := len(block[0])
	e.samples += int64(n)
	for at := 0; at < n; {
		k := min(n-at, lines-e.filled)
		for c := range e.opt.Channels {
			copy(e.input[c][480+e.filled:], block[c][at:at+k])
		}
		at += k
		if e.filled += k; e.filled == lines {
			if err := e.granule(); err != nil {
				return err
			}
		}
	}
	return nil
}

// loudest is the largest sample that is coded; full scale is 1. The format reaches a little further.
const loudest = 8

// granule filters the full input and codes the granule before it, whose neighbors are known by now.
func (e *Encoder) granule() error {
	e.early, e.late, e.short = shift(e.early), shift(e.late), shift(e.short)
	for c := range e.opt.Channels {
		b := &e.blocks[c]
		b[0], b[1] = b[1], b[2]
		e.bank.polyphase(&e.input[c], &b[2])
		copy(e.input[c][:480], e.input[c][lines:])
		early, late := e.attack[c].find(&b[2], min(e.form.cutoff/18+2, subbands))
		e.early[2] = e.early[2] || early
		e.late[2] = e.late[2] || late
	}
	e.filled = 0
	e.short[2] = e.early[2] || e.late[1]
	blockType := 0
	switch before, now, next := e.short[0], e.short[1], e.short[2]; {
	case now || before && next:
		e.short[1] = true
		blockType = 2
	case next:
		blockType = 1
	case before:
		blockType = 3
	}
	g := e.frames.granule()
	for c := range e.opt.Channels {
		g[c].blockType = blockType
		e.bank.mdct(&e.blocks[c][0], &e.blocks[c][1], blockType, &g[c].x)
	}
	return e.frames.coded()
}

func shift(x [3]bool) [3]bool { return [3]bool{x[1], x[2], false} }

// Close pads the last frame with silence, writes what is left and comes back to the first frame to say how long the file is.
// It does not close the underlying writer.
func (e *Encoder) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	if err := e.filter(); err != nil {
		return err
	}
	if e.rate != nil {
		if err := e.take(e.rate.Flush()); err != nil {
			return err
		}
	}
	n := e.samples
	span := int64(e.form.granules * lines)
	total := (n + delay + decoderDelay + span - 1) / span
	silence := make([]float32, lines)
	for e.frames.written < total {
		if err := e.take([][]float32{silence, silence}[:e.opt.Channels]); err != nil {
			return err
		}
	}
	e.samples = n
	if err := e.frames.finish(delay, int(total*span-n-delay)); err != nil {
		return fmt.Errorf("close mp3 file: %w", err)
	}
	return nil
}
