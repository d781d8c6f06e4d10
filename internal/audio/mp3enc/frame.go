package mp3enc

import (
	"fmt"
	"io"
)

// framer makes frames of granules and lays them into the stream.
type framer struct {
	out     io.WriteSeeker
	form    format
	tables  *tables
	layouts [2]*layout
	spreads [2][][]float32

	gr      [2][2]granule // by granule and channel
	ready   int           // granules of the frame that are coded
	midSide bool          // of the frame before

	makeup   *makeup
	energies energies

	level     float32 // added to all targets; steered so that the reservoir stays half full
	started   bool
	reservoir int // bytes of earlier frames that are still free
	rest      int // of the frame sizes, in 1/rate of a byte
	written   int64

	w      bitWriter
	body   []byte // main data not yet written
	queue  []slot // frames whose body is not full yet
	info   *infoFrame
	buffer []byte
}

// slot is a frame in the stream: its head and side information, and room for main data, its own or a later frame's.
type slot struct {
	head []byte
	room int
}

func newFramer(out io.WriteSeeker, opt Options, f format) *framer {
	r := &framer{out: out, form: f, tables: newTables(f.rate), info: newInfoFrame(f)}
	for i, windows := range []int{1, 3} {
		r.layouts[i] = newLayout(f.rate, windows == 3)
		r.spreads[i] = r.layouts[i].spread(windows)
	}
	r.makeup = newMakeup(f, opt, r.layouts[1])
	return r
}

// begin leaves room for the first frame, which can only be made at the end.
func (r *framer) begin() error {
	_, err := r.out.Write(r.info.encode())
	return err
}

// granule is where the next granule's lines belong, by channel.
func (r *framer) granule() []granule { return r.gr[r.ready][:r.form.channels] }

// layout of a granule.
func (r *framer) layout(g *granule) (*layout, [][]float32) {
	if g.blockType == 2 {
		return r.layouts[1], r.spreads[1]
	}
	return r.layouts[0], r.spreads[0]
}

// coded takes the lines of the granule just filled, and makes a frame once it is full.
func (r *framer) coded() error {
	for c := range r.form.channels {
		g := &r.gr[r.ready][c]
		l, spread := r.layout(g)
		r.energies.add(&g.x, r.makeup, r.form.cutoff)
		clear(g.x[r.form.cutoff:])
		if g.blockType == 2 {
			x := g.x
			l.sort(&x, &g.x)
		}
		g.measure(l)
		g.aim(l, spread)
	}
	if r.ready++; r.ready < r.form.granules {
		return nil
	}
	r.ready = 0
	return r.frame()
}

// sort puts lines of short blocks from frequency by frequency into band by band, and within a band window by window.
func (l *layout) sort(x, sorted *[lines]float32) {
	for b := 0; b+2 < len(l.edges)-1; b += 3 {
		at := l.edges[b]
		n := l.edges[b+1] - at
		for k := range n {
			for w := range 3 {
				sorted[at+w*n+k] = x[at+3*k+w]
			}
		}
	}
}

// frame codes the granules and queues the frame.
func (r *framer) frame() error {
	size, part := r.form.frameSize()
	r.rest += part
	padding := r.rest >= r.form.rate
	if padding {
		r.rest -= r.form.rate
		size++
	}
	room := size - 4 - r.form.sideSize()
	energy := r.energies
	energy.weighted *= r.makeup.lost()
	r.energies = energies{}
	gain := r.makeup.gain(energy)
	r.each(func(g *granule) { g.raise(float32(gain)) })
	if r.form.channels == 2 {
		r.stereo()
	}
	for n := range r.form.granules {
		for c := range r.form.channels {
			g := &r.gr[n][c]
			l, _ := r.layout(g)
			g.roots(l)
			g.shape(l, r.level, r.form.lsf)
			g.shared = 0
			if n == 1 {
				g.share(&r.gr[0][c], l)
			}
		}
	}
	wish, bits := r.rate(8 * room)
	coded := r.decoded()
	for range 2 {
		more := r.makeup.again(energy, coded, gain)
		if more == 1 {
			break
		}
		gain *= more
		r.each(func(g *granule) {
			l, _ := r.layout(g)
			g.raise(float32(more))
			g.roots(l)
			g.lower(l)
		})
		wish, bits = r.rate(8 * room)
		coded = r.decoded()
	}
	r.makeup.done(energy.weighted, coded, gain)
	r.finest()
	r.steer(8*room, wish, bits)
	head := r.form.header(r.form.bitrate, padding, r.midSide)
	w := &r.w
	w.b = head
	if r.form.lsf {
		w.put(uint32(r.reservoir), 8)
		w.put(0, uint(r.form.channels)) // private bits
	} else {
		w.put(uint32(r.reservoir), 9)
		w.put(0, uint(5-2*(r.form.channels-1)))
		for c := range r.form.channels {
			w.put(uint32(r.gr[1][c].shared), 4)
		}
	}
	r.each(func(g *granule) { g.side(w, r.form.lsf) })
	r.queue = append(r.queue, slot{w.b, room})
	w.b = r.body
	before := len(w.b)
	r.each(func(g *granule) { g.main(w, r.tables, r.form.lsf) })
	w.align()
	r.reservoir += room - (len(w.b) - before)
	for ; r.reservoir > r.form.maxReservoir(); r.reservoir-- { // the next frame could not point back so far
		w.b = append(w.b, 0)
	}
	r.body = w.b
	w.b = nil
	if r.reservoir < 0 {
		return fmt.Errorf("code mp3 frame %d: %d bytes too many", r.written, -r.reservoir)
	}
	r.written++
	return r.flush()
}

// decoded is the weighted energy that a decoder makes of the frame.
func (r *framer) decoded() (sum float64) {
	r.each(func(g *granule) {
		l, _ := r.layout(g)
		sum += r.makeup.decoded(g, l)
	})
	return sum
}

func (r *framer) each(f func(g *granule)) {
	for n := range r.form.granules {
		for c := range r.form.channels {
			f(&r.gr[n][c])
		}
	}
}

// flush writes the frames whose bodies are full.
func (r *framer) flush() error {
	r.buffer = r.buffer[:0]
	for len(r.queue) > 0 && len(r.body) >= r.queue[0].room {
		s := r.queue[0]
		r.buffer = append(append(r.buffer, s.head...), r.body[:s.room]...)
		r.body = r.body[:copy(r.body, r.body[s.room:])]
		r.queue = r.queue[:copy(r.queue, r.queue[1:])]
	}
	if len(r.buffer) == 0 {
		return nil
	}
	r.info.music = r.info.crc.add(r.info.music, r.buffer)
	r.info.bytes += int64(len(r.buffer))
	if _, err := r.out.Write(r.buffer); err != nil {
		return fmt.Errorf("write mp3 frame: %w", err)
	}
	return nil
}

// finish fills the bodies of the last frames and writes the first.
func (r *framer) finish(delay, padding int) error {
	r.body = append(r.body, make([]byte, r.reservoir)...)
	if err := r.flush(); err != nil {
		return err
	}
	r.info.frames, r.info.delay, r.info.padding = r.written, delay, padding
	r.info.bytes += int64(r.info.size)
	if _, err := r.out.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := r.out.Write(r.info.encode()); err != nil {
		return err
	}
	_, err := r.out.Seek(0, io.SeekEnd)
	return err
}
