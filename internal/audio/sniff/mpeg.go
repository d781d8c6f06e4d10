package sniff

import "bytes"

// maxMPEGJunk is how far behind the tags the first MPEG frame may begin. Cutters and streams leave a partial frame or padding.
const maxMPEGJunk = 8 << 10

// detectMPEG recognizes MPEG audio (layer III for the program itself, others for ffmpeg) and ADTS AAC. A sync word alone
// occurs in every kind of data, so two more frames must follow where the first one says, or the head must end there.
func detectMPEG(h []byte) (Kind, bool) {
	start := id3Size(h)
	if start > 0 && start >= len(h) {
		// The tag is longer than the head (a picture inside). Only MP3 and AAC files are known to begin like this here; the
		// decoder finds out.
		return kindMP3, true
	}
	for start < len(h) && h[start] == 0 { // padding behind the tag
		start++
	}
	for off := start; off+4 <= len(h) && off-start <= maxMPEGJunk; off++ {
		if h[off] != 0xff {
			continue
		}
		need := 2
		if off > start {
			need = 3 // behind junk more proof is wanted
		}
		if n, layer := mpegRun(h[off:], need); n {
			switch layer {
			case 3:
				return kindMP3, true
			case 2:
				return Kind{Container: "mp3", Codec: "mp2", NeedsFFmpeg: true, Ext: "mp2", MIME: "audio/mpeg"}, true
			case 1:
				return Kind{Container: "mp3", Codec: "mp1", NeedsFFmpeg: true, Ext: "mp1", MIME: "audio/mpeg"}, true
			}
		}
		if adtsRun(h[off:], need) {
			return Kind{Container: "adts", Codec: "aac", NeedsFFmpeg: true, Ext: "aac", MIME: "audio/aac"}, true
		}
	}
	return Kind{}, false
}

var kindMP3 = Kind{Container: "mp3", Codec: "mp3", Ext: "mp3", MIME: "audio/mpeg"}

// mpegRun reports whether need frames of one layer, version and rate follow each other from the start of h, and the layer.
// A file that ends (or is cut by HeadSize, or continues with a tag) behind at least one whole frame passes as well.
func mpegRun(h []byte, need int) (ok bool, layer int) {
	var first MPEGHeader
	for i, off := 0, 0; ; i++ {
		rest := h[off:]
		if i > 0 && (len(rest) < 4 || bytes.HasPrefix(rest, []byte("TAG")) || bytes.HasPrefix(rest, []byte("APETAGEX"))) {
			return need <= 2 && len(h) < HeadSize || i >= need, first.Layer
		}
		hd, ok := ParseMPEG(rest)
		if !ok || hd.FreeFormat && i == 0 && need > 2 {
			return false, 0
		}
		if i == 0 {
			first = hd
		} else if hd.Layer != first.Layer || hd.SampleRate != first.SampleRate {
			return false, 0
		}
		if hd.FreeFormat {
			n := freeFormatSize(rest)
			if n == 0 {
				return false, 0
			}
			hd.Size = n
		}
		if i+1 >= need {
			return true, first.Layer
		}
		if off += hd.Size; off > len(h) {
			return false, 0 // not even one whole frame in the file
		}
	}
}

// MPEGHeader is a decoded MPEG audio frame header (ISO/IEC 11172-3 §2.4.1.3, ISO/IEC 13818-3 §2.4.1.3).
type MPEGHeader struct {
	Version    int // 1 for MPEG-1, 2 for MPEG-2 LSF, 25 for the unofficial MPEG-2.5
	Layer      int // 1, 2 or 3
	CRC        bool
	Bitrate    int // bit/s; 0 for free format
	SampleRate int // Hz
	Padding    bool
	Mode       int // 0 stereo, 1 joint stereo, 2 dual channel, 3 mono
	ModeExt    int // joint stereo: bit 0 intensity, bit 1 mid/side
	Size       int // bytes of the frame with its header; 0 for free format
	Samples    int // per channel
	FreeFormat bool
}

// Channels is 1 for mono and 2 otherwise.
func (h MPEGHeader) Channels() int {
	if h.Mode == 3 {
		return 1
	}
	return 2
}

var mpegBitrates = [2][3][15]int{ // kbit/s; [LSF][layer-1][index]
	{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	},
	{
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	},
}

// ParseMPEG reads the frame header at the start of b. ok is false when there is none.
func ParseMPEG(b []byte) (h MPEGHeader, ok bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return h, false
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	rate, index := b[2]>>2&3, b[2]>>4
	if version == 1 || layer == 0 || rate == 3 || index == 15 || b[3]&3 == 2 {
		return h, false
	}
	h = MPEGHeader{
		Layer: 4 - int(layer), CRC: b[1]&1 == 0, Padding: b[2]&2 != 0, Mode: int(b[3] >> 6), ModeExt: int(b[3] >> 4 & 3),
		SampleRate: [3]int{44100, 48000, 32000}[rate], FreeFormat: index == 0,
	}
	lsf := 1
	switch version {
	case 3:
		h.Version, lsf = 1, 0
	case 2:
		h.Version, h.SampleRate = 2, h.SampleRate/2
	default:
		h.Version, h.SampleRate = 25, h.SampleRate/4
		if h.Layer != 3 {
			return h, false
		}
	}
	h.Bitrate = mpegBitrates[lsf][h.Layer-1][index] * 1000
	pad := 0
	if h.Padding {
		pad = 1
	}
	switch h.Layer {
	case 1:
		h.Samples, h.Size = 384, (12*h.Bitrate/h.SampleRate+pad)*4
	case 2:
		h.Samples, h.Size = 1152, 144*h.Bitrate/h.SampleRate+pad
	default:
		h.Samples = 1152 >> lsf
		h.Size = h.Samples/8*h.Bitrate/h.SampleRate + pad
	}
	if h.FreeFormat {
		h.Size = 0
	}
	return h, true
}

// freeFormatSize finds the distance to the next frame of the same kind: free format does not state it (§2.4.2.3).
func freeFormatSize(b []byte) int {
	const maxFrame = 4096
	first, _ := ParseMPEG(b)
	for n := 24; n+4 <= len(b) && n <= maxFrame; n++ {
		if h, ok := ParseMPEG(b[n:]); ok && h.FreeFormat && h.Layer == first.Layer && h.SampleRate == first.SampleRate && h.Mode == first.Mode {
			return n
		}
	}
	return 0
}

// adtsRun reports whether need ADTS frames (ISO/IEC 13818-7 §6.2) follow each other.
func adtsRun(h []byte, need int) bool {
	for i, off := 0, 0; i < need; i++ {
		if off+7 > len(h) {
			return i > 0 && len(h) < HeadSize
		}
		b := h[off:]
		if b[0] != 0xff || b[1]&0xf6 != 0xf0 || b[2]>>2&15 > 12 {
			return false
		}
		n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
		if n < 8 {
			return false
		}
		off += n
	}
	return true
}
