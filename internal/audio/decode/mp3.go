package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/sniff"
)

// mp3Decoder finds the frames of an MP3 stream, drops the encoder's delay and padding when the file tells them, and passes
// over tags and junk between frames. The sound itself is mp3Layer3's matter.
type mp3Decoder struct {
	src    *source
	info   audio.Info
	first  sniff.MPEGHeader
	layer3 mp3Layer3
	out    planar
	free   int // bytes of a free-format frame without its padding byte; 0 until measured

	frames int64 // frames decoded
	pos    int64 // samples decoded, dropped ones included
	start  int64 // samples to drop from the start
	endLo  int64 // samples in [endLo, endHi) are the encoder's padding
	endHi  int64
}

const (
	// mp3DecoderDelay is what every layer III decoder adds: 528 samples of filter bank and one more (LAME tag specification).
	mp3DecoderDelay = 529
	// maxMP3Junk is how much may lie between two frames; a larger hole is damage.
	maxMP3Junk = 256 << 10
)

func openMP3(src *source) (audio.Decoder, error) {
	d := &mp3Decoder{src: src}
	if flac, err := d.behindTags(); flac || err != nil {
		if err != nil {
			return nil, err
		}
		return openFLACStream(src, "flac")
	}
	h, frame, err := d.next()
	if err != nil {
		if err == io.EOF {
			err = fmt.Errorf("%w: no MPEG frame", audio.ErrDamaged)
		}
		return nil, err
	}
	d.first = h
	d.info = audio.Info{Container: "mp3", Codec: "mp3", SampleRate: h.SampleRate, Channels: h.Channels()}
	d.layer3.init(h)
	if !d.infoFrame(h, frame) {
		return &mp3Start{mp3Decoder: d, header: h, frame: bytes.Clone(frame)}, nil
	}
	return d, nil
}

// behindTags passes over the ID3v2 tags in front and reports whether a FLAC stream follows: when the tags are longer than what
// package sniff sees, only now can that be known.
func (d *mp3Decoder) behindTags() (flac bool, err error) {
	for {
		head, err := d.src.Peek(10)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		n := mp3Tag(head)
		if n == 0 || head[0] != 'I' {
			return bytes.HasPrefix(head, []byte("fLaC")), nil
		}
		if err := d.src.skip(n); err != nil {
			return false, fmt.Errorf("%w: a tag is larger than the file", audio.ErrDamaged)
		}
	}
}

// mp3Start plays the frame that was read to learn about the stream, then the rest.
type mp3Start struct {
	*mp3Decoder
	header sniff.MPEGHeader
	frame  []byte
}

func (s *mp3Start) Next() ([][]float32, error) {
	if s.frame != nil {
		frame := s.frame
		s.frame = nil
		if block := s.play(s.header, frame); block != nil {
			return block, nil
		}
	}
	return s.mp3Decoder.Next()
}

// infoFrame reads a Xing, Info or VBRI frame, which holds no sound, and the delay and padding in the LAME part of it.
func (d *mp3Decoder) infoFrame(h sniff.MPEGHeader, frame []byte) bool {
	side := mp3SideSize(h)
	if at := 4 + side; len(frame) >= at+8 {
		b := frame[at:]
		if tag := string(b[:4]); tag == "Xing" || tag == "Info" {
			flags := binary.BigEndian.Uint32(b[4:])
			frames, off := int64(0), 8
			if flags&1 != 0 && len(b) >= off+4 {
				frames = int64(binary.BigEndian.Uint32(b[off:]))
			}
			for i, n := range []int{4, 4, 100, 4} {
				if flags>>i&1 != 0 {
					off += n
				}
			}
			if len(b) < off+24 {
				return true
			}
			switch string(b[off : off+4]) {
			case "LAME", "Lavf", "Lavc":
				delay := int64(b[off+21])<<4 | int64(b[off+22])>>4
				padding := int64(b[off+22]&15)<<8 | int64(b[off+23])
				d.start = delay + mp3DecoderDelay
				if frames > 0 {
					d.info.Frames = max(0, frames*int64(h.Samples)-delay-padding)
					d.endHi = frames * int64(h.Samples)
					d.endLo = d.endHi - padding + mp3DecoderDelay
				}
			}
			return true
		}
	}
	return len(frame) >= 40 && string(frame[36:40]) == "VBRI"
}

func mp3SideSize(h sniff.MPEGHeader) int {
	switch {
	case h.Version == 1 && h.Mode == 3:
		return 17
	case h.Version == 1:
		return 32
	case h.Mode == 3:
		return 9
	}
	return 17
}

func (d *mp3Decoder) Info() audio.Info { return d.info }

func (d *mp3Decoder) Close() error { return nil }

func (d *mp3Decoder) Next() ([][]float32, error) {
	for {
		h, frame, err := d.next()
		if err != nil {
			if err == io.EOF && d.frames == 0 {
				err = fmt.Errorf("%w: no MPEG frame", audio.ErrDamaged)
			}
			return nil, err
		}
		if h.SampleRate != d.first.SampleRate || h.Channels() != d.first.Channels() {
			return nil, fmt.Errorf("%w: the stream changes from %d channels at %d Hz to %d channels at %d Hz midway", audio.ErrUnsupported,
				d.first.Channels(), d.first.SampleRate, h.Channels(), h.SampleRate)
		}
		if block := d.play(h, frame); block != nil {
			return block, nil
		}
	}
}

// play decodes a frame and cuts delay and padding from it. It answers nil when nothing is left.
func (d *mp3Decoder) play(h sniff.MPEGHeader, frame []byte) [][]float32 {
	out := d.out.size(d.info.Channels, h.Samples)
	d.layer3.frame(h, frame, out)
	d.frames++
	n := int64(h.Samples)
	from := min(max(0, d.start-d.pos), n)
	to := n
	if d.endLo < d.endHi && d.pos+n > d.endLo && d.pos < d.endHi {
		to = max(from, d.endLo-d.pos)
	}
	d.pos += n
	if to <= from {
		return nil
	}
	for c := range out {
		out[c] = out[c][from:to]
	}
	return out
}

// next finds the next frame. Its memory is reused by the call after.
func (d *mp3Decoder) next() (h sniff.MPEGHeader, frame []byte, err error) {
	for skipped := int64(0); ; {
		head, err := d.src.Peek(10)
		if len(head) < 4 {
			if err != nil && !errors.Is(err, io.EOF) {
				return h, nil, err
			}
			return h, nil, io.EOF
		}
		if n := mp3Tag(head); n > 0 {
			if d.src.skip(n) != nil { // a tag cut short ends the file
				return h, nil, io.EOF
			}
			continue
		}
		h, ok := sniff.ParseMPEG(head)
		if ok && h.Layer == 3 {
			size, good := d.verify(&h, skipped > 0 || d.frames == 0)
			if good {
				frame, err := d.src.Peek(size)
				if err != nil && len(frame) < size {
					if !errors.Is(err, io.EOF) {
						return h, nil, err
					}
					return h, nil, io.EOF // the last frame was cut; players drop it
				}
				d.src.drop(size)
				return h, frame, nil
			}
		}
		d.src.drop(1)
		if skipped++; skipped > maxMP3Junk {
			return h, nil, fmt.Errorf("%w: no MPEG frame in %d bytes", audio.ErrDamaged, skipped)
		}
	}
}

// verify decides whether the header at the reader's place begins a frame, and how long that is. In sequence a header like the
// first one is believed; behind junk, at the start, and where the format changes, another header must follow the frame.
func (d *mp3Decoder) verify(h *sniff.MPEGHeader, strict bool) (size int, ok bool) {
	size = h.Size
	if h.FreeFormat {
		pad := 0
		if h.Padding {
			pad = 1
		}
		if d.free == 0 {
			b, _ := d.src.Peek(8 << 10)
			if d.free = freeFormat(b, *h) - pad; d.free <= 0 {
				d.free = 0
				return 0, false
			}
		}
		size = d.free + pad
	}
	if size < 4+mp3SideSize(*h) {
		return 0, false
	}
	same := d.first.SampleRate == h.SampleRate && d.first.Version == h.Version && d.first.Channels() == h.Channels()
	if same && !strict {
		return size, true
	}
	b, _ := d.src.Peek(size + 10)
	if len(b) < size {
		return 0, false
	}
	if b = b[size:]; len(b) < 4 || mp3Tag(b) > 0 {
		return size, same || d.frames == 0
	}
	following, ok := sniff.ParseMPEG(b)
	return size, ok && following.Layer == 3 && following.SampleRate == h.SampleRate && following.Version == h.Version
}

// freeFormat measures a free-format frame: the distance to the next header of the same kind (ISO/IEC 11172-3 §2.4.2.3).
func freeFormat(b []byte, h sniff.MPEGHeader) int {
	for n := 24; n+4 <= len(b); n++ {
		f, ok := sniff.ParseMPEG(b[n:])
		if ok && f.FreeFormat && f.Layer == h.Layer && f.SampleRate == h.SampleRate && f.Version == h.Version && f.Mode == h.Mode {
			return n
		}
	}
	return 0
}

// mp3Tag is the length of the ID3v1, ID3v2 or APEv2 tag that begins with head, or 0.
func mp3Tag(head []byte) int64 {
	switch {
	case bytes.HasPrefix(head, []byte("TAG")):
		return 128
	case bytes.HasPrefix(head, []byte("APETAGEX")):
		return 32 // the items behind the header are passed over as junk
	case bytes.HasPrefix(head, []byte("ID3")) && len(head) >= 10:
		n := int64(head[6]&0x7f)<<21 | int64(head[7]&0x7f)<<14 | int64(head[8]&0x7f)<<7 | int64(head[9]&0x7f)
		if head[5]&0x10 != 0 {
			n += 10
		}
		return n + 10
	}
	return 0
}
