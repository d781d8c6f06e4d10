package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/thesyncim/gopus"

	"audiomicro/internal/audio"
)

const opusRate = 48000

// opusMaxFrames is the longest packet, 120 ms (RFC 6716 §2.1.4).
const opusMaxFrames = 5760

// opusLink decodes an Ogg Opus stream (RFC 7845) at 48 kHz.
type opusLink struct {
	channels int
	preSkip  int64
	gain     float32
	order    []int // place of each decoded channel; nil when it is the same
	dec      interface {
		Decode(data []byte, pcm []float32) (int, error)
	}
	pcm     []float32
	headers int
	streams int
}

func newOpusLink(p []byte) (oggLink, error) {
	if !bytes.HasPrefix(p, []byte("OpusHead")) {
		return nil, nil
	}
	if len(p) < 19 || p[8]&0xf0 != 0 {
		return nil, fmt.Errorf("%w: a bad Opus header", audio.ErrDamaged)
	}
	l := &opusLink{
		channels: int(p[9]), preSkip: int64(binary.LittleEndian.Uint16(p[10:])),
		gain: float32(math.Pow(10, float64(int16(binary.LittleEndian.Uint16(p[16:])))/(20*256))),
	}
	if err := checkInfo(l.info()); err != nil {
		return nil, err
	}
	var err error
	switch family := p[18]; {
	case family == 0:
		if l.channels > 2 {
			return nil, fmt.Errorf("%w: a bad Opus header", audio.ErrDamaged)
		}
		l.streams = 1
		l.dec, err = gopus.NewDecoder(gopus.DefaultDecoderConfig(opusRate, l.channels))
	case family == 1 || family == 2 || family == 255:
		if len(p) < 21+l.channels || family == 1 && l.channels > 8 {
			return nil, fmt.Errorf("%w: a bad Opus channel mapping", audio.ErrDamaged)
		}
		if family == 1 {
			l.order = vorbisOrder[l.channels-1]
		}
		l.streams = int(p[19])
		if int(p[20]) > l.streams || l.streams == 0 || l.streams+int(p[20]) > 2*MaxChannels {
			return nil, fmt.Errorf("%w: a bad Opus channel mapping", audio.ErrDamaged)
		}
		l.dec, err = gopus.NewMultistreamDecoder(opusRate, l.channels, l.streams, int(p[20]), bytes.Clone(p[21:21+l.channels]))
	default:
		return nil, fmt.Errorf("%w: Opus channel mapping family %d", audio.ErrUnsupported, family)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", audio.ErrDamaged, err)
	}
	l.pcm = make([]float32, opusMaxFrames*l.channels)
	return l, nil
}

func (l *opusLink) info() audio.Info {
	return audio.Info{Container: "ogg", Codec: "opus", SampleRate: opusRate, Channels: l.channels}
}

// header sees the identification packet and the comment packet.
func (l *opusLink) header(p []byte) (bool, error) {
	l.headers++
	if l.headers == 2 && p != nil && !bytes.HasPrefix(p, []byte("OpusTags")) {
		return false, fmt.Errorf("%w: no Opus comment header", audio.ErrDamaged)
	}
	return l.headers == 2, nil
}

func (l *opusLink) skip() int64 { return l.preSkip }

// duration reads the table-of-contents byte (RFC 6716 §3.1).
func (l *opusLink) duration(p []byte) int64 {
	if len(p) == 0 {
		return 0
	}
	var frame int64
	switch config := p[0] >> 3; {
	case config < 12:
		frame = [4]int64{480, 960, 1920, 2880}[config&3]
	case config < 16:
		frame = [2]int64{480, 960}[config&1]
	default:
		frame = 120 << (config & 3)
	}
	switch p[0] & 3 {
	case 0:
		return frame
	case 3:
		if len(p) < 2 {
			return 0
		}
		return min(frame*int64(p[1]&63), opusMaxFrames)
	}
	return 2 * frame
}

func (l *opusLink) decode(p []byte, out [][]float32) ([][]float32, error) {
	if len(out) != l.channels {
		out = make([][]float32, l.channels)
	}
	if len(p) == 0 { // no valid packet is empty; nothing is known about its length
		return out, nil
	}
	n, err := l.dec.Decode(p, l.pcm)
	if err != nil {
		return out, fmt.Errorf("%w: opus: %w", audio.ErrDamaged, err)
	}
	for c := range l.channels {
		to := c
		if l.order != nil {
			to = l.order[c]
		}
		row := out[to][:0]
		if cap(row) < n {
			row = make([]float32, 0, opusMaxFrames)
		}
		row = row[:n]
		pcm := l.pcm[c:]
		for i := range row {
			row[i] = pcm[i*l.channels] * l.gain
		}
		out[to] = row
	}
	return out, nil
}
