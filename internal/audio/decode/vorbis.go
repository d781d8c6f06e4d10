package decode

import (
	"bytes"
	"fmt"

	"github.com/jfreymuth/vorbis"

	"audiomicro/internal/audio"
)

// vorbisLink decodes an Ogg Vorbis stream (Vorbis I).
type vorbisLink struct {
	dec     vorbis.Decoder
	headers int
	pcm     []float32
	blocks  [2]int // block sizes
	modes   vorbisModes
	last    int // size of the previous block, 0 before the first
}

func newVorbisLink(p []byte) (oggLink, error) {
	if !bytes.HasPrefix(p, []byte("\x01vorbis")) {
		return nil, nil
	}
	// Vorbis I §4.2.2. The library checks neither the block sizes nor the number of channels.
	if len(p) < 30 {
		return nil, fmt.Errorf("%w: a bad Vorbis header", audio.ErrDamaged)
	}
	l := &vorbisLink{blocks: [2]int{1 << (p[28] & 15), 1 << (p[28] >> 4)}}
	if l.blocks[0] < 64 || l.blocks[1] > 8192 || l.blocks[0] > l.blocks[1] {
		return nil, fmt.Errorf("%w: a bad Vorbis header", audio.ErrDamaged)
	}
	if err := checkInfo(audio.Info{Channels: int(p[11]), SampleRate: int(p[12]) | int(p[13])<<8 | int(p[14])<<16 | int(p[15])<<24}); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *vorbisLink) info() audio.Info {
	return audio.Info{Container: "ogg", Codec: "vorbis", SampleRate: l.dec.SampleRate(), Channels: l.dec.Channels()}
}

// header sees the identification, comment and setup packets. Comments never reach the library: it would allocate what they declare.
func (l *vorbisLink) header(p []byte) (bool, error) {
	l.headers++
	switch {
	case p == nil && l.headers != 2:
		return false, fmt.Errorf("%w: a Vorbis header of more than %d bytes", audio.ErrUnsupported, maxOggPacket)
	case l.headers == 2:
		if p != nil && !bytes.HasPrefix(p, []byte("\x03vorbis")) {
			return false, fmt.Errorf("%w: no Vorbis comment header", audio.ErrDamaged)
		}
		return false, nil
	case l.headers == 3:
		modes, setup, err := checkVorbisSetup(p, l.dec.Channels())
		if err != nil {
			return false, err
		}
		l.modes, p = modes, setup
	}
	if err := l.dec.ReadHeader(p); err != nil {
		return false, fmt.Errorf("%w: %w", audio.ErrDamaged, err)
	}
	if l.headers == 3 {
		l.pcm = make([]float32, l.dec.BufferSize())
	}
	return l.headers == 3, nil
}

func (l *vorbisLink) skip() int64 { return 0 }

// duration is the distance between the centers of this block and the one before (Vorbis I §4.3.8).
func (l *vorbisLink) duration(p []byte) int64 {
	if len(p) == 0 || p[0]&1 != 0 {
		return 0
	}
	mode := int(p[0]>>1) & (1<<l.modes.bits - 1)
	if mode >= len(l.modes.long) {
		return 0
	}
	size := l.blocks[0]
	if l.modes.long[mode] {
		size = l.blocks[1]
	}
	n := 0
	if l.last > 0 {
		n = l.last/4 + size/4
	}
	l.last = size
	return int64(n)
}

func (l *vorbisLink) decode(p []byte, out [][]float32) ([][]float32, error) {
	channels := l.dec.Channels()
	if len(out) != channels {
		out = make([][]float32, channels)
	}
	if len(p) == 0 || p[0]&1 != 0 { // empty packets and stray headers hold no sound
		return out, nil
	}
	pcm, err := l.dec.DecodeInto(p, l.pcm)
	if err != nil {
		return out, fmt.Errorf("%w: %w", audio.ErrDamaged, err)
	}
	n := len(pcm) / channels
	for c := range channels {
		to := c
		if channels <= len(vorbisOrder) {
			to = vorbisOrder[channels-1][c]
		}
		row := out[to][:0]
		if cap(row) < n {
			row = make([]float32, 0, l.blocks[1])
		}
		row = row[:n]
		for i := range row {
			row[i] = pcm[i*channels+c]
		}
		out[to] = row
	}
	return out, nil
}
