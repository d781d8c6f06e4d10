package decode_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"audiomicro/internal/audio/decode"
)

// bitWriter packs fields from the top.
type bitWriter struct {
	b []byte
	n int
}

func (w *bitWriter) put(v, bits int) {
	for i := bits - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

// randomMP3 is a stream of MPEG-1 frames at 128 kbit/s whose side information is drawn at random and whose main data is noise:
// every Huffman code is complete, so noise is valid, and it reaches what encoders seldom write: intensity stereo with every
// position, mixed blocks, subblock gains, all code tables.
func randomMP3(r *rand.Rand, frames, blockType, modeExt int, mixed bool) []byte {
	const size, sideSize = 417, 32
	tables := []int{1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 24, 25}
	var file []byte
	for range frames {
		w := &bitWriter{b: []byte{0xff, 0xfb, 0x90, byte(0x40 | modeExt<<4)}, n: 32}
		w.put(0, 9+3)
		for range 2 {
			share := 0
			if blockType == 0 {
				share = r.IntN(16)
			}
			w.put(share, 4)
		}
		for range 2 {
			for channel := range 2 {
				// The right channel ends early, so that intensity stereo has bands to work on. The left one ends before the last
				// line: ffmpeg keeps a quadruple there that runs over the end of its part.
				bits, big := 300+r.IntN(250), 2+r.IntN(20)
				if channel == 1 {
					bits, big = 120+r.IntN(140), r.IntN(5)
				}
				w.put(bits, 12)
				w.put(big, 9)
				w.put(165+r.IntN(20), 8)
				w.put(r.IntN(16), 4)
				if blockType == 0 {
					w.put(0, 1)
					for range 3 {
						w.put(tables[r.IntN(len(tables))], 5)
					}
					w.put(r.IntN(16), 4)
					w.put(r.IntN(8), 3)
				} else {
					w.put(1, 1)
					w.put(blockType, 2)
					w.put(map[bool]int{true: 1}[mixed], 1)
					for range 2 {
						w.put(tables[r.IntN(len(tables))], 5)
					}
					for range 3 {
						w.put(r.IntN(8), 3)
					}
				}
				w.put(r.IntN(8), 3) // preflag, scale, count1 table
			}
		}
		for range size - 4 - sideSize {
			w.put(r.IntN(256), 8)
		}
		file = append(file, w.b...)
	}
	return file
}

// TestMP3Noise decodes random streams as ffmpeg does.
func TestMP3Noise(t *testing.T) {
	t.Parallel()
	tool(t, "ffmpeg")
	dir := t.TempDir()
	for _, c := range []struct {
		blockType int
		mixed     bool
	}{{0, false}, {2, false}, {2, true}} {
		for modeExt := range 4 {
			name := fmt.Sprintf("type %d mixed %v mode %d", c.blockType, c.mixed, modeExt)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				const frames = 40
				path := filepath.Join(dir, fmt.Sprintf("%d%v%d.mp3", c.blockType, c.mixed, modeExt))
				r := rand.New(rand.NewPCG(uint64(c.blockType), uint64(modeExt)))
				if err := os.WriteFile(path, randomMP3(r, frames, c.blockType, modeExt, c.mixed), 0o600); err != nil {
					t.Fatal(err)
				}
				d := decodeFile(t, path, decode.Options{})
				if d.err != nil || d.frames() != frames*1152 {
					t.Fatalf("%d frames, %v", d.frames(), d.err)
				}
				want := reference(t, path, 2)
				if diff := difference(d.samples, want); diff < 0 || diff > 1e-4 {
					t.Errorf("differs from ffmpeg by %g", diff)
				}
				if rms(d.samples[0]) < 1e-3 || rms(d.samples[1]) < 1e-4 {
					t.Error("the stream is nearly silent and proves nothing")
				}
			})
		}
	}
}
