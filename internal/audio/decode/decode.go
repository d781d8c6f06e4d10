// Package decode turns files into float32 blocks, reading forward only.
//
// WAV (with RF64, BW64 and W64), AIFF and AIFF-C, FLAC, MP3, Ogg Vorbis, Ogg Opus and Ogg FLAC are decoded by the program
// itself; every other format that package sniff names needs a native ffmpeg. What a header declares is never believed: it
// bounds nothing but the bytes that are read, allocates nothing, and the frames counted are the frames decoded. Memory is
// independent of the file's length.
//
// Channels come in WAVE order (L R C LFE Ls Rs …) whatever the container's own order. Integer samples of up to 24 bits and
// 32-bit floats arrive exactly; 32-bit integers and 64-bit floats are rounded to float32. Samples that are not finite
// become 0, and magnitudes are limited to MaxMagnitude so that no later sum overflows.
package decode

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/sniff"
)

// Limits that every stream keeps; a file beyond them is refused with a sentence.
const (
	MaxChannels   = 32
	MinSampleRate = 1000   // Hz
	MaxSampleRate = 768000 // Hz
	MaxMagnitude  = 65536  // +96 dBFS
)

// ErrTooLong means that the stream holds more frames than Options.MaxFrames. It follows the frames allowed.
var ErrTooLong = errors.New("longer than allowed")

// Options are what Open cannot learn from the bytes.
type Options struct {
	Size       int64  // bytes of the whole file; 0 when unknown
	MaxFrames  int64  // the stream ends with ErrTooLong behind this many frames; 0 for no limit
	FFmpegPath string // a native ffmpeg; "" when there is none
	TempDir    string // where a file that ffmpeg must seek in is kept meanwhile when r is not a file; "" for the system's
}

// Open starts decoding r, which must stand at the file's first byte and be of kind k. The decoder reads r and never closes
// it. Errors wrap audio.ErrUnsupported or audio.ErrDamaged, or come from r.
func Open(r io.Reader, k sniff.Kind, opt Options) (d audio.Decoder, err error) {
	defer func() {
		if p := recover(); p != nil {
			d, err = nil, fmt.Errorf("open %s: %w: %v", k, audio.ErrDamaged, p)
		}
	}()
	d, err = open(r, k, opt)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", k, err)
	}
	if err := checkInfo(d.Info()); err != nil {
		d.Close()
		return nil, fmt.Errorf("open %s: %w", k, err)
	}
	return &guard{d: d, kind: k, left: opt.MaxFrames, limited: opt.MaxFrames > 0}, nil
}

func open(r io.Reader, k sniff.Kind, opt Options) (audio.Decoder, error) {
	if k.NeedsFFmpeg {
		return openFFmpeg(r, k, opt)
	}
	src := newSource(r, opt.Size)
	switch k.Container {
	case "wav", "rf64", "bw64":
		return openWAV(src, k)
	case "w64":
		return openW64(src)
	case "aiff", "aifc":
		return openAIFF(src)
	case "flac":
		return openFLAC(src)
	case "mp3":
		return openMP3(src)
	case "ogg":
		switch k.Codec {
		case "vorbis":
			return openOgg(src, "vorbis", newVorbisLink)
		case "opus":
			return openOgg(src, "opus", newOpusLink)
		case "flac":
			return openOggFLAC(src)
		}
	}
	return nil, fmt.Errorf("%w: no decoder for %s", audio.ErrUnsupported, k)
}

func checkInfo(i audio.Info) error {
	switch {
	case i.Channels < 1:
		return fmt.Errorf("%w: the header declares no channels", audio.ErrDamaged)
	case i.Channels > MaxChannels:
		return fmt.Errorf("%w: %d channels, at most %d are supported", audio.ErrUnsupported, i.Channels, MaxChannels)
	case i.SampleRate < MinSampleRate || i.SampleRate > MaxSampleRate:
		return fmt.Errorf("%w: a sample rate of %d Hz, supported are %d to %d Hz", audio.ErrUnsupported, i.SampleRate, MinSampleRate, MaxSampleRate)
	}
	return nil
}

// guard stands before every decoder: it limits length and block size, cleans samples and turns panics of code that reads
// hostile bytes into errors.
type guard struct {
	d       audio.Decoder
	kind    sniff.Kind
	pending [][]float32 // what of the decoder's block is not handed out yet
	view    [][]float32
	err     error
	left    int64
	limited bool
}

func (g *guard) Info() audio.Info { return g.d.Info() }

func (g *guard) Close() error {
	g.pending, g.err = nil, fmt.Errorf("decode %s: %w", g.kind, os.ErrClosed)
	return g.d.Close()
}

func (g *guard) Next() (block [][]float32, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.err = fmt.Errorf("decode %s: %w: %v", g.kind, audio.ErrDamaged, p)
			block, err = nil, g.err
		}
	}()
	for len(g.pending) == 0 || len(g.pending[0]) == 0 {
		if g.err != nil {
			return nil, g.err
		}
		block, err := g.d.Next()
		if err != nil {
			g.err = err
			if !errors.Is(err, io.EOF) {
				g.err = fmt.Errorf("decode %s: %w", g.kind, err)
			}
		}
		if len(block) > 0 {
			if len(block) != g.d.Info().Channels {
				panic("the number of channels changed")
			}
			g.pending = append(g.pending[:0], block...)
			for _, ch := range block {
				clean(ch)
			}
		}
	}
	n := min(len(g.pending[0]), audio.MaxBlockFrames)
	if g.limited {
		if g.left == 0 {
			g.pending, g.err = nil, fmt.Errorf("decode %s: %w", g.kind, ErrTooLong)
			return nil, g.err
		}
		n = int(min(int64(n), g.left))
		g.left -= int64(n)
	}
	g.view = g.view[:0]
	for c, ch := range g.pending {
		g.view = append(g.view, ch[:n:n])
		g.pending[c] = ch[n:]
	}
	return g.view, nil
}

// clean replaces what is not finite by 0 and limits magnitudes. The common case is one predictable comparison per sample.
func clean(x []float32) {
	for i, v := range x {
		if v <= MaxMagnitude && v >= -MaxMagnitude {
			continue
		}
		switch {
		case v != v || math.IsInf(float64(v), 0):
			x[i] = 0
		case v > 0:
			x[i] = MaxMagnitude
		default:
			x[i] = -MaxMagnitude
		}
	}
}

// source is the file as the container readers see it: forward only, counting.
type source struct {
	*bufio.Reader
	pos  int64
	size int64 // 0 when unknown
}

func newSource(r io.Reader, size int64) *source {
	return &source{Reader: bufio.NewReaderSize(r, 128<<10), size: max(size, 0)}
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.pos += int64(n)
	return n, err
}

// full fills p; a file that ends before is damaged.
func (s *source) full(p []byte) error {
	_, err := io.ReadFull(s, p)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: the file ends within its header", audio.ErrDamaged)
	}
	return err
}

// skip passes over n bytes and reports io.EOF when the file ends before.
func (s *source) skip(n int64) error {
	if n <= 0 {
		return nil
	}
	_, err := io.CopyN(io.Discard, struct{ io.Reader }{s}, n)
	return err
}

// skipChunk passes over the rest of a chunk of size bytes, used of which were read, and over its padding byte when it has one.
func (s *source) skipChunk(size, used int64) error {
	if err := s.skip(size - used); err != nil || size&1 == 0 {
		return err
	}
	if next, _ := s.Peek(5); sniff.Padded(next) { // at the end of the file next is shorter, which the caller's read reports
		s.drop(1)
	}
	return nil
}

// drop takes n bytes that were peeked at.
func (s *source) drop(n int) {
	n, _ = s.Discard(n)
	s.pos += int64(n)
}

// left bounds a declared size by the bytes the file has left, as far as its size is known.
func (s *source) left(declared int64) int64 {
	if s.size > 0 {
		return max(0, min(declared, s.size-s.pos))
	}
	return declared
}

// planar is a reusable block of channels.
type planar struct {
	mem  []float32
	rows [][]float32
}

// size returns rows of frames samples each, reusing memory. Their content is undefined.
func (p *planar) size(channels, frames int) [][]float32 {
	if need := channels * frames; cap(p.mem) < need {
		p.mem = make([]float32, need)
	}
	if cap(p.rows) < channels {
		p.rows = make([][]float32, channels)
	}
	p.rows = p.rows[:channels]
	for c := range p.rows {
		p.rows[c] = p.mem[c*frames : (c+1)*frames : (c+1)*frames]
	}
	return p.rows
}

// vorbisOrder[n-1][i] is the place in WAVE order of channel i of a Vorbis or Opus stream with n channels
// (Vorbis I §4.3.9, RFC 7845 §5.1.1.2).
var vorbisOrder = [8][]int{
	{0}, {0, 1}, {0, 2, 1}, {0, 1, 2, 3}, {0, 2, 1, 3, 4}, {0, 2, 1, 4, 5, 3}, {0, 2, 1, 5, 6, 4, 3}, {0, 2, 1, 6, 7, 4, 5, 3},
}
