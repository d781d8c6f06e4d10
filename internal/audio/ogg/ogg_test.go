package ogg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"audiomicro/internal/audio/ogg"
)

type page struct {
	flags    byte
	granule  int64
	serial   uint32
	sequence uint32
	lacing   []byte
	body     []byte
}

// split reads pages back by the words of RFC 3533 section 6, independently of the writer.
func split(t *testing.T, stream []byte) (pages []page) {
	t.Helper()
	for len(stream) > 0 {
		if len(stream) < 27 || string(stream[:5]) != "OggS\x00" {
			t.Fatalf("page %d does not begin with the capture pattern", len(pages))
		}
		p := page{
			flags: stream[5], granule: int64(binary.LittleEndian.Uint64(stream[6:])),
			serial: binary.LittleEndian.Uint32(stream[14:]), sequence: binary.LittleEndian.Uint32(stream[18:]),
			lacing: stream[27 : 27+int(stream[26])],
		}
		size := 0
		for _, l := range p.lacing {
			size += int(l)
		}
		end := 27 + len(p.lacing) + size
		p.body = stream[27+len(p.lacing) : end]
		plain := bytes.Clone(stream[:end])
		clear(plain[22:26])
		if got, want := binary.LittleEndian.Uint32(stream[22:]), slowChecksum(plain); got != want {
			t.Fatalf("page %d: checksum %08x, want %08x", len(pages), got, want)
		}
		pages = append(pages, p)
		stream = stream[end:]
	}
	return pages
}

func slowChecksum(b []byte) (crc uint32) {
	for _, x := range b {
		for bit := 7; bit >= 0; bit-- {
			top := crc>>31 ^ uint32(x>>bit)&1
			crc = crc<<1 ^ top*0x04c11db7
		}
	}
	return crc
}

// packets joins lacing values back into packets.
func packets(pages []page) (all [][]byte) {
	var now []byte
	for _, p := range pages {
		body := p.body
		for _, l := range p.lacing {
			now = append(now, body[:l]...)
			body = body[l:]
			if l < 255 {
				all, now = append(all, now), nil
			}
		}
	}
	return all
}

func TestPacketsComeBackFromPages(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		sizes []int
		step  int64
		span  int64
		pages int
	}{
		{"one packet", []int{10}, 960, 48000, 1},
		{"sizes at the lacing border", []int{0, 254, 255, 256, 510, 511}, 960, 48000, 1},
		{"a second per page", repeat(100, 120), 960, 48000, 2},
		{"three seconds", repeat(150, 120), 960, 48000, 3},
		{"no span: only full pages end", repeat(300, 1), 960, 0, 2},
		{"a packet larger than a page", []int{10, 255*255 + 700, 20}, 960, 48000, 2},
		{"a packet that fills a page exactly", []int{255*254 + 3, 7}, 960, 48000, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			var out bytes.Buffer
			w := ogg.New(&out, 77, c.span)
			var want [][]byte
			granule := int64(0)
			for _, size := range c.sizes {
				p := make([]byte, size)
				for i := range p {
					p[i] = byte(random.Uint32())
				}
				granule += c.step
				want = append(want, p)
				if err := w.Packet(p, granule); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			pages := split(t, out.Bytes())
			if len(pages) != c.pages {
				t.Errorf("%d pages, want %d", len(pages), c.pages)
			}
			got := packets(pages)
			if len(got) != len(want) {
				t.Fatalf("%d packets, want %d", len(got), len(want))
			}
			for i := range want {
				if !bytes.Equal(got[i], want[i]) {
					t.Errorf("packet %d differs", i)
				}
			}
			base := int64(0)
			for i, p := range pages {
				if p.serial != 77 || p.sequence != uint32(i) {
					t.Errorf("page %d: serial %d sequence %d", i, p.serial, p.sequence)
				}
				if first := p.flags&2 != 0; first != (i == 0) {
					t.Errorf("page %d: first flag %v", i, first)
				}
				if last := p.flags&4 != 0; last != (i == len(pages)-1) {
					t.Errorf("page %d: last flag %v", i, last)
				}
				if i > 0 {
					before := pages[i-1].lacing
					if continued := p.flags&1 != 0; continued != (before[len(before)-1] == 255) {
						t.Errorf("page %d: continued flag %v", i, continued)
					}
				}
				if p.granule != ogg.NoGranule {
					if c.span > 0 && p.granule-base > c.span {
						t.Errorf("page %d spans %d", i, p.granule-base)
					}
					base = p.granule
				}
			}
			if last := pages[len(pages)-1].granule; last != granule {
				t.Errorf("last granule %d, want %d", last, granule)
			}
		})
	}
}

func repeat(n, size int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = size
	}
	return all
}

func TestCloseAfterFlushWritesAnEmptyLastPage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := ogg.New(&out, 1, 0)
	for _, step := range []error{w.Packet([]byte("head"), 0), w.Flush(), w.Flush(), w.Packet([]byte("x"), 960), w.Flush(), w.Close()} {
		if step != nil {
			t.Fatal(step)
		}
	}
	pages := split(t, out.Bytes())
	if len(pages) != 3 || pages[2].flags != 4 || pages[2].granule != 960 || len(pages[2].body) != 0 {
		t.Fatalf("pages %+v", pages)
	}
	if err := w.Packet(nil, 0); !errors.Is(err, ogg.ErrClosed) {
		t.Errorf("packet after close: %v", err)
	}
}

type brokenWriter struct{ left int }

func (b *brokenWriter) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

var errBroken = errors.New("disk full")

func TestWriteErrorStays(t *testing.T) {
	t.Parallel()
	w := ogg.New(&brokenWriter{left: 1}, 1, 10)
	var first error
	for i := int64(1); i < 20 && first == nil; i++ {
		first = w.Packet([]byte("data"), i*10)
	}
	if !errors.Is(first, errBroken) {
		t.Fatalf("got %v", first)
	}
	if err := w.Close(); !errors.Is(err, errBroken) {
		t.Errorf("close after a failed write: %v", err)
	}
}
