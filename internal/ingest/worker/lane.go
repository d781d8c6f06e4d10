package worker

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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
	abort()       // frees what would outlive the process
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
	ended  bool
}

func newLane(req Request, output Output, channels, sourceRate int) (*lane, error) {
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
		l.sink, err = newMP3Sink(req, l.name, output.bitrate(), channels)
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

func (s *opusSink) abort() {}

// mp3Sink feeds a native ffmpeg or lame with 16-bit samples.
type mp3Sink struct {
	cmd    *exec.Cmd
	pipe   *os.File
	stderr *headBuffer
	bytes  []byte
	dither *rand.Rand
}

func newMP3Sink(req Request, name string, bitrate, channels int) (*mp3Sink, error) {
	rate, kbit := strconv.Itoa(opusenc.SampleRate), strconv.Itoa(bitrate/1000)
	var cmd *exec.Cmd
	switch {
	case req.LamePath != "":
		mode := []string{"-m", "j"}
		if channels == 1 {
			mode = []string{"-m", "m"}
		}
		args := append([]string{"--quiet", "-r", "-s", "48", "--bitwidth", "16", "--signed", "--little-endian", "-b", kbit, "-q", "5", "--noreplaygain"}, mode...)
		cmd = exec.Command(req.LamePath, append(args, "-", name)...)
	case req.FFmpegPath != "":
		cmd = exec.Command(req.FFmpegPath, "-v", "error", "-f", "s16le", "-ar", rate, "-ac", strconv.Itoa(channels), "-protocol_whitelist", "pipe,file", "-i", "pipe:0",
			"-map_metadata", "-1", "-threads", "1", "-c:a", "libmp3lame", "-b:a", kbit+"k", "-id3v2_version", "0", "-f", "mp3", "file:"+name)
	default:
		return nil, &Failure{Code: NoEncoder, Text: "This site has no MP3 encoder. The operator can install ffmpeg or lame."}
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start mp3 encoder: %w", err)
	}
	s := &mp3Sink{cmd: cmd, pipe: write, stderr: &headBuffer{left: 4096}, dither: rand.New(rand.NewPCG(1, 1))}
	cmd.Stdin, cmd.Stderr, cmd.Env = read, s.stderr, []string{}
	err = cmd.Start()
	read.Close() // the child has its own
	if err != nil {
		write.Close()
		return nil, &Failure{Code: NoEncoder, Text: "The MP3 encoder of this site does not start. The operator can repair it.", Detail: err.Error()}
	}
	if err := grantChildCPU(cmd.Process.Pid); err != nil {
		s.abort()
		return nil, fmt.Errorf("grant processor time to the mp3 encoder: %w", err)
	}
	return s, nil
}

// write rounds to 16 bits with triangular dither of one step to each side.
func (s *mp3Sink) write(planar [][]float32) error {
	s.bytes = s.bytes[:0]
	for i := range planar[0] {
		for _, channel := range planar {
			bits := s.dither.Uint64()
			noise := (float64(uint32(bits)) - float64(uint32(bits>>32))) / (1 << 32)
			v := int16(math.Round(min(max(float64(channel[i])*32767+noise, -32768), 32767)))
			s.bytes = append(s.bytes, byte(v), byte(uint16(v)>>8))
		}
	}
	if _, err := s.pipe.Write(s.bytes); err != nil {
		return s.failure(err)
	}
	return nil
}

func (s *mp3Sink) close() error {
	err := errors.Join(s.pipe.Close(), s.cmd.Wait())
	if err != nil {
		return s.failure(err)
	}
	return nil
}

func (s *mp3Sink) failure(err error) error {
	return &Failure{Code: NoEncoder, Text: "The MP3 encoder of this site failed. The operator can repair it.",
		Detail: fmt.Sprintf("%v: %s", err, strings.TrimSpace(s.stderr.String()))}
}

func (s *mp3Sink) abort() {
	s.pipe.Close()
	_ = s.cmd.Process.Kill() // it may have ended already
}
