// Package audio names what every signal package of AudioMicro shares: what a stream is and how its samples travel.
//
// Samples travel as planar float32 blocks: one slice per channel, all of the same length, nominally in [-1, 1] (decoded
// overs may exceed it). Blocks are borrowed: the producer reuses their memory after the next call.
package audio

import "errors"

// Info describes a decoded stream as its container declares it and the decoder confirmed it.
type Info struct {
	Container  string // wav, rf64, aiff, aifc, flac, ogg, mp3, or what ffmpeg named
	Codec      string // pcm_s16, pcm_s24, pcm_s32, pcm_f32, pcm_f64, pcm_u8, flac, mp3, vorbis, opus, …
	SampleRate int    // Hz
	Channels   int
	BitDepth   int   // bits per sample of a lossless stream; 0 for lossy codecs
	Lossless   bool  // true when decoding gives the exact samples of the source
	Frames     int64 // frames the header declares; 0 when unknown. Never trusted for allocation.
}

// MaxBlockFrames is the largest number of frames a Decoder returns at once.
const MaxBlockFrames = 16384

// Decoder yields a stream's samples in order. Next returns io.EOF after the last block; the planar slices it returns stay
// valid until the next call. A damaged stream gives an error that wraps ErrDamaged after the samples that could be read.
type Decoder interface {
	Info() Info
	Next() (planar [][]float32, err error)
	Close() error
}

// ErrDamaged means that the bytes are of a known format but cannot be decoded to the end.
var ErrDamaged = errors.New("damaged audio")

// ErrUnsupported means that this instance has no decoder for the bytes.
var ErrUnsupported = errors.New("unsupported audio")
