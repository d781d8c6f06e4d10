package worker

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"audiomicro/internal/audio/mp3enc"
	"audiomicro/internal/audio/opusenc"
)

// laneDepth is how many blocks an encoder may lag behind the decoder.
const laneDepth = 3

func (o Output) marked() bool { return strings.HasPrefix(string(o), "marked-") }

func (o Output) mp3() bool { return strings.Contains(string(o), "mp3") }

func (o Output) mime() string {
	if o.mp3() {
		return "audio/mpeg"
	}
	return "audio/ogg"
}

// bitrate in bit/s. MP3 has the rates Freesound's clients expect.
func (o Output) bitrate() int {
	high := strings.HasSuffix(string(o), "hq")
	switch {
	case o.mp3() && high:
		return 128000
	case o.mp3():
		return 64000
	case high:
		return 96000
	}
	return 48000
}

// sink is one encoder; opus and mp3 are the two kinds.
type sink interface {
	write(planar [][]float32) error
	close() error // ends the file
}

// lane is one encoder on a goroutine of its own.
type lane struct {
	output Output
	name   string // of its file
	sink   sink
	in     chan *block
	done   chan struct{}
	failed atomic.Bool   // set after err
	err    error         // also safe to read once done is closed
	cpu    time.Duration // of its thread
}

// newLane makes an encoder of sound at rate Hz. Opus takes only its own.
func newLane(req Request, output Output, channels, rate, sourceRate int) (*lane, error) {
	l := &lane{output: output, in: make(chan *block, laneDepth), done: make(chan struct{})}
	var err error
	switch output {
	case HQ, LQ, MarkedHQ, MarkedLQ:
		l.name = "preview-" + string(output) + ".opus"
		l.sink, err = newOpusSink(l.name, opusenc.Options{
			Bitrate: output.bitrate(), Channels: channels, Complexity: req.Complexity, InputRate: sourceRate,
		})
	case MP3HQ, MP3LQ, MarkedMP3HQ, MarkedMP3LQ:
		l.name = "preview-" + string(output) + ".mp3"
		l.sink, err = newMP3Sink(l.name, mp3enc.Options{InputRate: rate, Channels: channels, Bitrate: output.bitrate()})
	default:
		return nil, fmt.Errorf("make output %q: no such output", output)
	}
	if err != nil {
		return nil, err
	}
	go l.run()
	return l, nil
}

func (l *lane) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(l.done)
	for b := range l.in {
		if l.err == nil {
			if l.err = l.sink.write(b.planar); l.err != nil {
				l.failed.Store(true)
			}
		}
		b.release()
	}
	if l.err == nil {
		l.err = l.sink.close()
	}
	l.cpu = threadCPU()
}

// block is a copy of some sound that several encoders read.
type block struct {
	planar [][]float32
	refs   atomic.Int32
	home   *sync.Pool
}

func (b *block) release() {
	if b.refs.Add(-1) == 0 {
		b.home.Put(b)
	}
}

// fan hands the same sound to several lanes.
type fan struct {
	lanes []*lane
	spare sync.Pool
}

// write copies the sound once and hands it to every lane, waiting for those that lag. It fails once an encoder has failed.
func (f *fan) write(sound [][]float32) error {
	for _, l := range f.lanes {
		if l.failed.Load() { // err was set before
			return fmt.Errorf("encode %s: %w", l.output, l.err)
		}
	}
	b, _ := f.spare.Get().(*block)
	if b == nil {
		b = &block{planar: make([][]float32, len(sound)), home: &f.spare}
	}
	b.refs.Store(int32(len(f.lanes)))
	for c := range sound {
		b.planar[c] = append(b.planar[c][:0], sound[c]...)
	}
	for _, l := range f.lanes {
		l.in <- b
	}
	return nil
}

// opusSink writes an Ogg Opus file.
type opusSink struct {
	file *os.File
	enc  *opusenc.Encoder
}

func newOpusSink(name string, opt opusenc.Options) (*opusSink, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	enc, err := opusenc.New(f, opt)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &opusSink{f, enc}, nil
}

func (s *opusSink) write(planar [][]float32) error { return s.enc.Write(planar) }

func (s *opusSink) close() error { return errors.Join(s.enc.Close(), s.file.Close()) }

// mp3Sink writes an MP3 file.
type mp3Sink struct {
	file *os.File
	enc  *mp3enc.Encoder
}

func newMP3Sink(name string, opt mp3enc.Options) (*mp3Sink, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	enc, err := mp3enc.New(f, opt)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &mp3Sink{f, enc}, nil
}

func (s *mp3Sink) write(planar [][]float32) error { return s.enc.Write(planar) }

func (s *mp3Sink) close() error { return errors.Join(s.enc.Close(), s.file.Close()) }
