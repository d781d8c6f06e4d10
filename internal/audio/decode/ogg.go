package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"audiomicro/internal/audio"
)

// maxOggPacket bounds a packet that spans pages. Audio packets stay far below; comment packets with pictures are passed over
// without being kept.
const maxOggPacket = 1 << 20

// oggPage is one page (RFC 3533 §6). Its memory is reused by the next read.
type oggPage struct {
	flags    byte
	granule  int64
	serial   uint32
	segments []byte
	body     []byte
}

const (
	oggContinued = 1
	oggFirst     = 2
	oggLast      = 4
)

// oggPages reads pages and checks their sums.
type oggPages struct {
	r     io.Reader
	mem   [27 + 255 + 255*255]byte
	table [256]uint32
	n     int64
}

func newOggPages(r io.Reader) *oggPages {
	p := &oggPages{r: r}
	for i := range p.table {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		p.table[i] = c
	}
	return p
}

// errNotOgg means that something other than a page stands where one should begin.
var errNotOgg = fmt.Errorf("%w: no Ogg page where one should begin", audio.ErrDamaged)

// next reads a page. io.EOF comes only between pages.
func (p *oggPages) next() (page oggPage, err error) {
	b := p.mem[:27]
	n, err := io.ReadFull(p.r, b)
	if err == io.ErrUnexpectedEOF && !bytes.HasPrefix(b, []byte("OggS")[:min(n, 4)]) {
		return page, errNotOgg
	}
	if err == io.EOF {
		return page, err
	}
	if err == nil && (string(b[:4]) != "OggS" || b[4] != 0) {
		return page, errNotOgg
	}
	short := func(err error) error {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("%w: the file ends within Ogg page %d", audio.ErrDamaged, p.n)
		}
		return err
	}
	if err != nil {
		return page, short(err)
	}
	table := p.mem[27 : 27+int(b[26])]
	if _, err := io.ReadFull(p.r, table); err != nil {
		return page, short(err)
	}
	size := 0
	for _, s := range table {
		size += int(s)
	}
	end := 27 + len(table) + size
	body := p.mem[27+len(table) : end]
	if _, err := io.ReadFull(p.r, body); err != nil {
		return page, short(err)
	}
	want := binary.LittleEndian.Uint32(b[22:])
	clear(b[22:26])
	sum := uint32(0)
	for _, c := range p.mem[:end] {
		sum = sum<<8 ^ p.table[byte(sum>>24)^c]
	}
	if sum != want {
		return page, fmt.Errorf("%w: wrong check sum in Ogg page %d", audio.ErrDamaged, p.n)
	}
	p.n++
	return oggPage{
		flags: b[5], granule: int64(binary.LittleEndian.Uint64(b[6:])), serial: binary.LittleEndian.Uint32(b[14:]), segments: table, body: body,
	}, nil
}

// oggLink decodes one logical stream of a chain, packet by packet.
type oggLink interface {
	// info is complete once header has answered done.
	info() audio.Info
	// header takes the next header packet (nil for one that was too large to keep) and says whether it was the last.
	header(p []byte) (done bool, err error)
	// skip is the number of frames to drop from the start.
	skip() int64
	// duration is the frames a packet will give, or -1 when only decoding tells.
	duration(p []byte) int64
	// decode appends the packet's frames to out.
	decode(p []byte, out [][]float32) ([][]float32, error)
}

// oggDecoder plays a chain of logical streams of one codec and passes over streams multiplexed with them.
type oggDecoder struct {
	pages  *oggPages
	codec  string
	make   func(first []byte) (oggLink, error) // nil, nil when the packet begins another codec
	link   oggLink
	serial uint32
	inf    audio.Info
	ready  bool // the link's headers are read

	packet    []byte // of the packet that goes on in the next page
	oversized bool
	page      oggPage
	queue     [][]byte // packets that end in page
	lastPage  bool     // page is the link's last one
	ended     bool     // the link's last page was seen
	firstData bool     // no audio page was seen yet

	drop    int64 // frames still to drop from the start
	emitted int64 // frames decoded since the start of the link, dropped ones included
	base    int64 // granule position of the link's first frame
	end     int64 // emitted may not pass it; -1 when unknown
	out     [][]float32
}

func openOgg(src *source, codec string, make func([]byte) (oggLink, error)) (audio.Decoder, error) {
	d := &oggDecoder{pages: newOggPages(src), codec: codec, make: make}
	for !d.ready {
		if err := d.readPage(); err != nil {
			if err == io.EOF {
				err = fmt.Errorf("%w: the file ends within its headers", audio.ErrDamaged)
			}
			return nil, err
		}
	}
	return d, nil
}

func (d *oggDecoder) Info() audio.Info { return d.inf }

func (d *oggDecoder) Close() error { return nil }

// readPage takes the next page of the link (or of a new link) and queues the audio packets that end in it.
func (d *oggDecoder) readPage() error {
	page, err := d.pages.next()
	if err != nil {
		if errors.Is(err, errNotOgg) && d.ended {
			return io.EOF // tags and padding behind the last page
		}
		if err == io.EOF && d.link != nil && !d.ended && len(d.packet) > 0 {
			return fmt.Errorf("%w: the file ends within a packet", audio.ErrDamaged)
		}
		return err
	}
	if page.flags&oggFirst != 0 && (d.link == nil || d.ended) {
		if err := d.begin(page); err != nil || d.link == nil {
			return err
		}
	}
	if d.link == nil || !d.ready && d.ended || page.serial != d.serial {
		return nil
	}
	if d.ended {
		// The link goes on behind its last page: a damaged file, whose rest players play all the same (oggdec and ffmpeg do).
		d.packet, d.oversized = d.packet[:0], false
		if d.end >= 0 {
			d.emitted = min(d.emitted, d.end)
		}
	}
	d.page, d.queue = page, d.queue[:0]
	d.lastPage = page.flags&oggLast != 0
	d.ended = d.lastPage
	return d.split()
}

// begin starts a link when the page's packet is of the right codec.
func (d *oggDecoder) begin(page oggPage) error {
	link, err := d.make(page.body)
	if err != nil || link == nil {
		return err
	}
	d.link, d.serial, d.ready, d.ended = link, page.serial, false, false
	d.packet, d.oversized, d.firstData = d.packet[:0], false, true
	d.emitted, d.base, d.end = 0, 0, -1
	return nil
}

// split cuts the page into packets; headers go to the link at once.
func (d *oggDecoder) split() error {
	body, size := d.page.body, 0
	fresh := len(d.packet) == 0 && !d.oversized
	if fresh && d.page.flags&oggContinued != 0 {
		// The start of this packet was lost; pass over its rest.
		d.oversized = true
	}
	if !fresh && d.page.flags&oggContinued == 0 {
		return fmt.Errorf("%w: a packet without end before Ogg page %d", audio.ErrDamaged, d.pages.n)
	}
	for _, s := range d.page.segments {
		size += int(s)
		if s == 255 {
			continue
		}
		part := body[:size]
		body, size = body[size:], 0
		if len(d.packet) > 0 {
			// A packet begun on an earlier page is unique per page, so d.packet can hold it until the queue is used up.
			d.packet = append(d.packet, part...)
			part = d.packet
		}
		if d.oversized || len(part) > maxOggPacket {
			part = nil
		}
		done := d.oversized
		d.oversized, d.packet = false, d.packet[:0]
		if !d.ready {
			if err := d.header(part); err != nil {
				return err
			}
			continue
		}
		if done {
			continue
		}
		d.queue = append(d.queue, part)
	}
	if size > 0 {
		if len(d.packet)+size > maxOggPacket {
			d.oversized, d.packet = true, d.packet[:0]
		} else if !d.oversized {
			if len(d.queue) > 0 && len(d.packet) == 0 {
				// The first queued packet may live in d.packet's memory: continue in fresh memory.
				d.packet = nil
			}
			d.packet = append(d.packet, body[:size]...)
		}
	}
	if d.ready && len(d.queue) > 0 {
		return d.clock()
	}
	return nil
}

func (d *oggDecoder) header(p []byte) error {
	done, err := d.link.header(p)
	if err != nil || !done {
		return err
	}
	info := d.link.info()
	info.Container = "ogg"
	if d.inf.Channels == 0 {
		if err := checkInfo(info); err != nil {
			return err
		}
		d.inf = info
	} else if d.inf.Channels != info.Channels || d.inf.SampleRate != info.SampleRate {
		return fmt.Errorf("%w: the stream changes from %d channels at %d Hz to %d channels at %d Hz midway", audio.ErrUnsupported,
			d.inf.Channels, d.inf.SampleRate, info.Channels, info.SampleRate)
	}
	d.ready, d.drop = true, d.link.skip()
	return nil
}

// clock learns from the page's granule position where the link begins and ends. A page's position counts the frames up to the
// end of the last packet that ends in it; the last page may take frames away (RFC 7845 §4.4, Vorbis I §A.2).
func (d *oggDecoder) clock() error {
	if d.page.granule < 0 {
		return nil
	}
	if d.firstData {
		d.firstData = false
		total, known := int64(0), true
		for _, p := range d.queue {
			n := d.link.duration(p)
			known = known && n >= 0
			total += n
		}
		// A stream cut from a longer one begins late; end positions are then relative to that. A first page that gives
		// more frames than its position says drops them from the start (Vorbis), unless it is the last page as well.
		if start := d.page.granule - total; known && start > 0 {
			d.base = start
		} else if known && start < 0 && !d.lastPage && d.codec == "vorbis" {
			d.base, d.drop = start, -start
		}
	}
	if d.lastPage {
		d.end = max(0, d.page.granule-d.base)
	}
	return nil
}

func (d *oggDecoder) Next() ([][]float32, error) {
	for {
		for len(d.queue) == 0 {
			if err := d.readPage(); err != nil {
				return nil, err
			}
		}
		p := d.queue[0]
		d.queue = d.queue[1:]
		for c := range d.out {
			d.out[c] = d.out[c][:0]
		}
		out, err := d.link.decode(p, d.out)
		d.out = out
		if err != nil {
			return nil, err
		}
		if block := d.trim(); len(block) > 0 && len(block[0]) > 0 {
			return block, nil
		}
	}
}

// trim cuts what lies before the start and behind the end of the link from the decoded packet.
func (d *oggDecoder) trim() [][]float32 {
	if len(d.out) == 0 {
		return nil
	}
	n := int64(len(d.out[0]))
	from, to := min(d.drop, n), n
	if d.lastPage && d.end >= 0 {
		to = min(to, d.end-d.emitted)
	}
	d.drop -= from
	d.emitted += n
	if to <= from {
		return nil
	}
	for c := range d.out {
		d.out[c] = d.out[c][from:to]
	}
	return d.out
}

// openOggFLAC joins the packets of a FLAC-in-Ogg stream (the mapping of RFC 9639 §10.1) into a native stream.
func openOggFLAC(src *source) (audio.Decoder, error) {
	r := &oggPackets{pages: newOggPages(src)}
	return openFLACStream(r, "ogg")
}

// oggPackets reads the bodies of the first FLAC stream's pages as one run of bytes: FLAC frames delimit themselves.
type oggPackets struct {
	pages  *oggPages
	serial uint32
	begun  bool
	ended  bool
	rest   []byte
}

func (o *oggPackets) Read(p []byte) (int, error) {
	for len(o.rest) == 0 {
		page, err := o.pages.next()
		if err != nil {
			if errors.Is(err, errNotOgg) && o.ended {
				err = io.EOF
			}
			return 0, err
		}
		if page.flags&oggFirst != 0 && bytes.HasPrefix(page.body, []byte("\x7fFLAC")) && len(page.body) >= 13 {
			if o.begun {
				return 0, fmt.Errorf("%w: chained FLAC streams", audio.ErrUnsupported)
			}
			o.begun, o.serial = true, page.serial
			page.body = page.body[9:] // 0x7F "FLAC", version, header count
		}
		if !o.begun || page.serial != o.serial {
			continue
		}
		o.ended = page.flags&oggLast != 0
		o.rest = page.body
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}
