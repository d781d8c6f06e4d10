package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/sniff"
)

const (
	sourceDescriptor = 3
	progressEvery    = 100 * time.Millisecond
	maxRequest       = 64 << 10
)

// Main is the worker process: it reads the request from descriptor 0 and the source from descriptor 3, does the work and
// exits. args is what followed "worker" on the command line. Only a freshly started process may call it, for it limits the
// whole process for good.
func Main(args []string) {
	if len(args) != 1 || args[0] != "ingest" {
		fmt.Fprintln(os.Stderr, "audiomicro: worker is started by the server, not by hand")
		os.Exit(2)
	}
	os.Exit(serve())
}

func serve() int {
	out := &reporter{w: os.Stdout}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, maxRequest)).ReadBytes('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr, "audiomicro worker is started by the server, not by hand: it expects a request line on standard input.")
		return 2
	}
	var req Request
	if err := json.Unmarshal(line, &req); err != nil {
		fmt.Fprintln(os.Stderr, "audiomicro worker: read request:", err)
		return 2
	}
	req.setDefaults()
	runtime.GOMAXPROCS(req.Threads)
	debug.SetMemoryLimit(req.Limits.Heap)
	debug.SetGCPercent(50)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGXCPU)
	if err := confine(req.Limits, req.MaxSeconds); err != nil {
		fmt.Fprintln(os.Stderr, "audiomicro worker: set limits:", err)
		return 1
	}
	go func() {
		<-signals
		out.fail(timedOut("processor time used up"))
		os.Exit(1)
	}()
	account := newAccount()
	src := os.NewFile(sourceDescriptor, "source")
	if src == nil {
		fmt.Fprintln(os.Stderr, "audiomicro worker: no source on descriptor 3")
		return 2
	}
	result, err := ingest(req, src, out)
	if err != nil {
		out.fail(explain(err, req))
		return 1
	}
	result.Usage.CPUSeconds, result.Usage.PeakRSSBytes = account.spent()
	if err := out.send(message{Result: result}); err != nil {
		fmt.Fprintln(os.Stderr, "audiomicro worker: report result:", err)
		return 1
	}
	return 0
}

// reporter writes protocol lines.
type reporter struct {
	mu   sync.Mutex
	w    io.Writer
	last time.Time
}

func (r *reporter) send(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.w.Write(append(line, '\n'))
	return err
}

// fail reports a failure. When even that cannot be written, the parent is gone and nobody is left to tell.
func (r *reporter) fail(f *Failure) { _ = r.send(message{Failure: f}) }

// progress reports at most ten times a second, and grants the CPU time that goes with the sound decoded so far.
func (r *reporter) progress(p Progress, l Limits, force bool) error {
	now := time.Now()
	if !force && now.Sub(r.last) < progressEvery {
		return nil
	}
	r.last = now
	if err := grantCPU(l.CPUBase + p.Seconds*l.CPUPerSecond); err != nil {
		return fmt.Errorf("grant processor time: %w", err)
	}
	return r.send(message{Progress: &p})
}

// sourceError marks an error of reading the source itself, as opposed to one of its content.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// meter counts what is read from the source.
type meter struct {
	r    io.Reader
	read int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.read += int64(n)
	if err != nil && err != io.EOF {
		err = sourceError{err}
	}
	return n, err
}

// source is the opened file on its way into a decoder.
type source struct {
	audio.Decoder
	kind  sniff.Kind
	read  func() int64 // bytes read so far
	walls []string
}

// open sniffs the source, shuts the process in, and opens the decoder. Sniffing comes first because what the bytes are
// decides whether a native decoder must run; it looks at a few kilobytes and starts nothing.
func open(req Request, src *os.File) (*source, error) {
	head := make([]byte, sniff.HeadSize)
	n, err := io.ReadFull(src, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, sourceError{err}
	}
	head = head[:n]
	s := &source{}
	if s.kind, err = sniff.Detect(head); err != nil {
		return nil, err
	}
	stat, err := src.Stat()
	if err != nil {
		return nil, sourceError{err}
	}
	s.walls = wall(src, req.tools(s.kind))
	opt := decode.Options{Size: req.Size, FFmpegPath: req.FFmpegPath, TempDir: "."}
	if s.kind.NeedsFFmpeg && stat.Mode().IsRegular() {
		if s.kind, err = sniff.Movie(src, stat.Size(), s.kind); err != nil {
			return nil, err
		}
		// ffmpeg gets the file itself: some containers keep their index at the end.
		if _, err := src.Seek(0, io.SeekStart); err != nil {
			return nil, sourceError{err}
		}
		s.read = func() int64 {
			at, err := src.Seek(0, io.SeekCurrent)
			if err != nil {
				return 0
			}
			return at
		}
		s.Decoder, err = decode.Open(src, s.kind, opt)
		return s, err
	}
	m := &meter{r: io.MultiReader(bytes.NewReader(head), src)}
	s.read = func() int64 { return m.read }
	s.Decoder, err = decode.Open(m, s.kind, opt)
	return s, err
}

// tools are the native programs that this job may start.
func (r *Request) tools(kind sniff.Kind) (paths []string) {
	if r.FFmpegPath != "" && kind.NeedsFFmpeg {
		paths = append(paths, r.FFmpegPath)
	}
	return paths
}

// explain turns an error of the pass into what the parent is told.
func explain(err error, req Request) *Failure {
	var failure *Failure
	var refused *sniff.RefusedError
	var source sourceError
	var path *fs.PathError
	detail := err.Error()
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.As(err, &source):
		return &Failure{Code: Storage, Text: "The file could not be read from the site's storage. The site will try again.", Detail: detail}
	case errors.Is(err, decode.ErrDecoder):
		return &Failure{Code: Undecoded, Text: "This site's decoder for this format does not work, so the file could not be read. Nothing is wrong with it as far as the site knows. Send it as FLAC or WAV, or ask the operator to repair the decoder.", Detail: detail}
	case errors.Is(err, decode.ErrTooLong):
		return tooLong(req.MaxSeconds)
	case errors.As(err, &refused):
		return &Failure{Code: Unsupported, Text: sentence(refused.Error()) + " " + sniff.Accepted(req.FFmpegPath != ""), Detail: detail}
	case errors.Is(err, audio.ErrUnsupported):
		return &Failure{Code: Unsupported, Text: "This site cannot read this file" + reason(detail) + ". " + sniff.Accepted(req.FFmpegPath != ""), Detail: detail}
	case errors.Is(err, audio.ErrDamaged):
		return &Failure{Code: Damaged, Text: "The file is damaged. Export it again and send the new file.", Detail: detail}
	case errors.As(err, &path), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &Failure{Code: Storage, Text: "The site has no room to work on this file. It will try again.", Detail: detail}
	}
	return &Failure{Code: Crashed, Text: crashText, Detail: detail}
}

// reason is what a decoder says about content that it does not take: the format alone would be named among those accepted.
func reason(detail string) string {
	_, why, ok := strings.Cut(detail, audio.ErrUnsupported.Error()+": ")
	if !ok {
		return ""
	}
	return ": " + why
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]&^0x20) + s[1:] + "."
}
