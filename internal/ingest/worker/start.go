package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxLine   = 16 << 20 // bytes of one protocol line: a day's fingerprint takes about 3 MB
	maxStderr = 16 << 10
)

var (
	errWall   = errors.New("wall time used up")
	errReport = errors.New("worker broke the protocol")
)

// Start runs a worker on src and waits for it. Outputs appear in dir, which must exist, be empty and belong to this job
// alone. progress may be nil; it is called on the caller's goroutine, at most about ten times a second. src is not closed.
//
// The error is a *Failure when the sound or the worker is the cause, and wraps ctx's error when ctx ended; then the worker and
// all it started were killed.
func Start(ctx context.Context, req Request, src *os.File, dir string, progress func(Progress)) (Result, error) {
	req.setDefaults()
	self, err := executable()
	if err != nil {
		return Result{}, fmt.Errorf("start worker: %w", err)
	}
	// The worker dies with the thread that started it (see processAttributes), so this goroutine keeps its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	line, err := json.Marshal(req)
	if err != nil {
		return Result{}, fmt.Errorf("start worker: %w", err)
	}
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	cmd := exec.CommandContext(run, self, "worker", "ingest")
	cmd.Args[0] = "audiomicro" // for whoever looks at the list of processes
	cmd.Env = []string{}
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(append(line, '\n'))
	cmd.ExtraFiles = []*os.File{src}
	cmd.SysProcAttr = processAttributes()
	cmd.Cancel = func() error { return killSession(cmd.Process.Pid) }
	cmd.WaitDelay = 2 * time.Second
	stderr := &headBuffer{left: maxStderr}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return Result{}, fmt.Errorf("start worker: %w", err)
	}

	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Result{}, &Failure{Code: Storage, Text: "The worker could not be started. The site will try again.", Detail: err.Error()}
	}
	limit := func(decoded float64) time.Duration {
		return time.Duration((req.Limits.WallBase + decoded*req.Limits.WallPerSecond) * float64(time.Second))
	}
	clock := time.AfterFunc(limit(0), func() { stop(errWall) })
	defer clock.Stop()

	last, readErr := listen(stdout, func(p Progress) {
		clock.Reset(limit(min(p.Seconds, req.MaxSeconds)) - time.Since(began))
		if progress != nil {
			progress(p)
		}
	})
	if readErr != nil {
		stop(errReport)
	}
	waitErr := cmd.Wait()
	if waitErr != nil {
		_ = killSession(cmd.Process.Pid) // what a dead worker left running; usually nothing is, and that is its error
	}

	switch {
	case ctx.Err() != nil:
		return Result{}, fmt.Errorf("run worker: %w", context.Cause(ctx))
	case context.Cause(run) == errWall:
		return Result{}, timedOut("wall clock: " + time.Since(began).String())
	case last.Failure != nil:
		return Result{}, last.Failure
	case waitErr == nil && last.Result != nil && readErr == nil:
		result := *last.Result
		result.Usage.WallSeconds = time.Since(began).Seconds()
		if err := result.check(dir); err != nil {
			return Result{}, &Failure{Code: Crashed, Text: crashText, Detail: err.Error()}
		}
		return result, nil
	}
	return Result{}, autopsy(cmd.ProcessState, stderr.String(), errors.Join(waitErr, readErr), req.Limits)
}

const crashText = "Something in this file made the analysis fail. Export it again, as WAV or FLAC if you can, and send that."

func timedOut(detail string) *Failure {
	return &Failure{Code: Timeout, Text: "The analysis took far longer than a sound of this length should. Export the file again, as WAV or FLAC if you can, and send that.", Detail: detail}
}

func outOfMemory(detail string) *Failure {
	return &Failure{Code: OutOfMemory, Text: "The analysis needed more memory than a sound may take. Export the file again, as WAV or FLAC with fewer channels if you can, and send that.", Detail: detail}
}

// autopsy names the cause of death of a worker that gave neither result nor failure.
func autopsy(state *os.ProcessState, stderr string, err error, limits Limits) *Failure {
	cpu := (state.UserTime() + state.SystemTime()).Seconds()
	detail := fmt.Sprintf("%v after %.1f CPU seconds; %s", err, cpu, strings.TrimSpace(stderr))
	status, _ := state.Sys().(syscall.WaitStatus)
	lower := strings.ToLower(stderr)
	switch {
	case status.Signaled() && status.Signal() == syscall.SIGXCPU, status.Signaled() && status.Signal() == syscall.SIGKILL && cpu > limits.CPUBase-1:
		return timedOut(detail)
	case strings.Contains(lower, "out of memory"), strings.Contains(lower, "cannot allocate memory"), strings.Contains(lower, "failed to create new os thread"), status.Signaled() && status.Signal() == syscall.SIGKILL:
		return outOfMemory(detail)
	}
	return &Failure{Code: Crashed, Text: crashText, Detail: detail}
}

// listen reads protocol lines until the worker closes its output and returns the last result or failure.
func listen(r io.Reader, progress func(Progress)) (last message, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return last, fmt.Errorf("%w: %w", errReport, err)
		}
		switch {
		case m.Progress != nil:
			progress(*m.Progress)
		case m.Result != nil || m.Failure != nil:
			last = m
		}
	}
	if err := lines.Err(); err != nil {
		return last, fmt.Errorf("%w: %w", errReport, err)
	}
	return last, nil
}

// check makes sure that every file the worker names is a plain file of that size in dir: the worker is not trusted.
func (r *Result) check(dir string) error {
	files := []File{}
	for _, f := range r.Previews {
		files = append(files, f)
	}
	if r.Analyzed != nil {
		files = append(files, r.Analyzed.Peaks)
		for _, f := range r.Analyzed.Images {
			files = append(files, f)
		}
	}
	for _, f := range files {
		if f.Name == "" || f.Name != filepath.Base(f.Name) || strings.HasPrefix(f.Name, ".") {
			return fmt.Errorf("check output %q: not a plain name", f.Name)
		}
		stat, err := os.Lstat(filepath.Join(dir, f.Name))
		if err != nil {
			return fmt.Errorf("check output %q: %w", f.Name, err)
		}
		if !stat.Mode().IsRegular() || stat.Size() != f.Size {
			return fmt.Errorf("check output %q: %v of %d bytes, reported %d", f.Name, stat.Mode(), stat.Size(), f.Size)
		}
	}
	if r.Frames <= 0 || r.Info.SampleRate <= 0 || r.Info.Channels <= 0 {
		return fmt.Errorf("check result: %d frames of %d channels at %d Hz", r.Frames, r.Info.Channels, r.Info.SampleRate)
	}
	return nil
}

// FindTool resolves a setting that names a native program: "auto" searches the PATH and gives "" when it is not there, "off"
// gives "", anything else must be a program's path.
func FindTool(setting, name string) (string, error) {
	switch setting {
	case "off":
		return "", nil
	case "auto":
		path, err := exec.LookPath(name)
		if err != nil {
			return "", nil // not having it is fine
		}
		return filepath.Abs(path)
	}
	path, err := exec.LookPath(setting)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	return filepath.Abs(path)
}

// headBuffer keeps the first bytes written to it: a crash names its cause first.
type headBuffer struct {
	mu   sync.Mutex
	b    []byte
	left int
}

func (h *headBuffer) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := min(len(p), h.left)
	h.b = append(h.b, p[:n]...)
	h.left -= n
	return len(p), nil
}

func (h *headBuffer) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.ToValidUTF8(string(h.b), "�")
}
