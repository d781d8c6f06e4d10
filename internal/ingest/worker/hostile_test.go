package worker_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"audiomicro/internal/ingest/worker"
)

func noise(size int) []byte {
	random := rand.New(rand.NewPCG(9, 9))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// zeros is an endless source of silence.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// silentFLAC packs seconds of 16-bit stereo silence at 44.1 kHz: a few kilobytes for every minute.
func silentFLAC(t *testing.T, seconds int64) []byte {
	t.Helper()
	flac := tool(t, "flac")
	out := filepath.Join(t.TempDir(), "silence.flac")
	cmd := exec.Command(flac, "-s", "--force-raw-format", "--endian=little", "--sign=signed", "--channels=2", "--bps=16", "--sample-rate=44100", "-1", "-o", out, "-")
	cmd.Stdin = io.LimitReader(zeros{}, seconds*44100*4)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("flac: %v: %s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func packFLAC(t *testing.T, data []byte) []byte {
	t.Helper()
	flac := tool(t, "flac")
	cmd := exec.Command(flac, "-s", "-c", "-")
	cmd.Stdin = bytes.NewReader(data)
	packed, err := cmd.Output()
	if err != nil {
		t.Fatalf("flac: %v", err)
	}
	return packed
}

func TestHostileFiles(t *testing.T) {
	t.Parallel()
	sound := wav(tones(2, 44100, 44100), 44100)
	cases := []struct {
		name string
		data []byte
		code string
	}{
		{"nothing", nil, worker.Unsupported},
		{"one byte", []byte{0}, worker.Unsupported},
		{"noise", noise(300_000), worker.Unsupported},
		{"a web page", []byte("<!DOCTYPE html><script>alert(1)</script>" + strings.Repeat(" ", 5000)), worker.Unsupported},
		{"a playlist", []byte("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), worker.Unsupported},
		{"an archive", append([]byte("PK\x03\x04"), noise(5000)...), worker.Unsupported},
		{"a script for ffmpeg", []byte("ffconcat version 1.0\nfile /etc/passwd\n"), worker.Unsupported},
		{"a header and no sample", wav([][]float32{{}}, 44100), worker.Empty},
		{"a FLAC cut in the middle", packFLAC(t, sound)[:len(packFLAC(t, sound))/2], worker.Damaged},
		{"a FLAC with noise inside", func() []byte {
			b := packFLAC(t, sound)
			copy(b[len(b)/2:], noise(2000))
			return b
		}(), worker.Damaged},
		{"an Ogg of noise", append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x02"), noise(20_000)...), ""},
		{"an MP3 of noise", append([]byte("ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00"), noise(20_000)...), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := run(t, worker.Request{Outputs: everything}, c.data)
			if c.code == "" { // any clear refusal will do
				var f *worker.Failure
				if !errors.As(err, &f) || f.Code == worker.Crashed || f.Code == worker.OutOfMemory || f.Code == worker.Timeout {
					t.Errorf("got %v", err)
				}
				return
			}
			f := wantFailure(t, err, c.code)
			if c.code == worker.Unsupported && !strings.Contains(f.Text, "FLAC") {
				t.Errorf("%q does not say what is accepted", f.Text)
			}
			if f.Retry() {
				t.Error("the sound is the cause, but a retry is proposed")
			}
		})
	}
}

// TestUnsupportedSaysWhy: a file of an accepted format that is refused must not read only that its format is accepted.
func TestUnsupportedSaysWhy(t *testing.T) {
	t.Parallel()
	crowd := wav(tones(2, 44100, 44100), 44100)
	binary.LittleEndian.PutUint16(crowd[22:], 33)
	binary.LittleEndian.PutUint16(crowd[32:], 66)
	_, _, err := run(t, worker.Request{Outputs: everything}, crowd)
	f := wantFailure(t, err, worker.Unsupported)
	if want := "This site cannot read this file: 33 channels, at most 32 are supported. This site accepts WAV"; !strings.HasPrefix(f.Text, want) {
		t.Errorf("%q, want %q", f.Text, want)
	}
}

func TestOddSamplesGiveNumbers(t *testing.T) {
	t.Parallel()
	float := func(values ...float32) []byte {
		b := wav([][]float32{make([]float32, 2*44100*2)}, 44100)
		b[20], b[34] = 3, 32 // float, 32 bits
		binary.LittleEndian.PutUint32(b[28:], 44100*4)
		b[32] = 4
		for i := range (len(b) - 44) / 4 {
			binary.LittleEndian.PutUint32(b[44+4*i:], math.Float32bits(values[i%len(values)]))
		}
		return b
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, data := range map[string][]byte{
		"silence":      wav([][]float32{make([]float32, 44100)}, 44100),
		"one constant": float(.5),
		"not a number": float(nan),
		"infinite":     float(inf, -inf, 0),
		"very large":   float(3e38, -3e38, 1e30),
		"denormal":     float(1e-42, -1e-42),
		"square":       float(1, 1, 1, 1, -1, -1, -1, -1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _, err := run(t, worker.Request{Outputs: everything}, data)
			if err != nil {
				var f *worker.Failure
				if errors.As(err, &f) {
					t.Fatalf("%v (%s)", err, f.Detail)
				}
				t.Fatal(err)
			}
			if r.Analyzed == nil || len(r.Previews) != 4 {
				t.Errorf("result %+v", r)
			}
		})
	}
}

// TestCompressionBomb sends half an hour of silence in a small file: the length limit stops it, and without the limit
// memory stays where it is.
func TestCompressionBomb(t *testing.T) {
	t.Parallel()
	bomb := silentFLAC(t, 1800)
	if len(bomb) > 2<<20 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	_, _, err := run(t, worker.Request{Outputs: everything, MaxSeconds: 60}, bomb)
	if f := wantFailure(t, err, worker.TooLong); !strings.Contains(f.Text, "1:00 min") {
		t.Errorf("%q does not name the limit", f.Text)
	}
	_, _, err = run(t, worker.Request{Outputs: everything, Limits: worker.Limits{DecodedBytes: 44100 * 8 * 30}}, bomb)
	if f := wantFailure(t, err, worker.TooLong); !strings.Contains(f.Text, "30 s") {
		t.Errorf("%q does not name the limit", f.Text)
	}
	r, _, err := run(t, worker.Request{Outputs: []worker.Output{worker.Analysis}}, bomb)
	if err != nil {
		t.Fatal(err)
	}
	if r.Duration != 1800 || r.Analyzed.Loudness.HasLoudness {
		t.Errorf("%g s, loudness %+v", r.Duration, r.Analyzed.Loudness)
	}
	if r.Usage.PeakRSSBytes > 96<<20 {
		t.Errorf("%d MB resident", r.Usage.PeakRSSBytes>>20)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	data := wav(tones(2, 44100, 150*44100), 44100)
	r, _, err := run(t, worker.Request{Outputs: everything}, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB resident, %.1f CPU seconds for %.0f s: %v", r.Usage.PeakRSSBytes>>20, r.Usage.CPUSeconds, r.Duration, r.Usage.Stages)
	if r.Usage.PeakRSSBytes > 96<<20 {
		t.Errorf("%d MB resident, want at most 96", r.Usage.PeakRSSBytes>>20)
	}
}

func TestLimitsEndTheWorker(t *testing.T) {
	t.Parallel()
	long := wav(tones(2, 44100, 60*44100), 44100)
	t.Run("processor time", func(t *testing.T) {
		t.Parallel()
		limits := worker.Limits{CPUBase: 1, CPUPerSecond: 1e-9}
		_, _, err := run(t, worker.Request{Outputs: everything, Complexity: 10, Limits: limits}, long)
		wantFailure(t, err, worker.Timeout)
	})
	t.Run("address space", func(t *testing.T) {
		t.Parallel()
		// Less than it has already: what the runtime has reserved at the start would else be enough now and then.
		_, _, err := run(t, worker.Request{Outputs: everything, Limits: worker.Limits{AddressSpace: -8 << 20}}, long)
		var f *worker.Failure
		// Starved that much, the Go runtime mostly says that memory is out, and sometimes dies before it can.
		if !errors.As(err, &f) || f.Code != worker.OutOfMemory && f.Code != worker.Crashed {
			t.Errorf("got %v", err)
		}
	})
	t.Run("file size", func(t *testing.T) {
		t.Parallel()
		_, _, err := run(t, worker.Request{Outputs: []worker.Output{worker.HQ}, Limits: worker.Limits{FileSize: 100_000}}, long)
		wantFailure(t, err, worker.Storage)
	})
	t.Run("wall time", func(t *testing.T) {
		t.Parallel()
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		defer write.Close() // nothing ever comes
		_, err = worker.Start(t.Context(), worker.Request{Outputs: everything, Limits: worker.Limits{WallBase: .3}}, read, t.TempDir(), nil)
		wantFailure(t, err, worker.Timeout)
	})
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !yes() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// processesIn lists the processes whose current folder is dir.
func processesIn(t *testing.T, dir string) (pids []int) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if at, err := os.Readlink(link); err == nil && strings.TrimSuffix(at, " (deleted)") == dir {
			if pid, err := strconv.Atoi(strings.Split(link, "/")[2]); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// processIn waits for the process whose current folder is dir.
func processIn(t *testing.T, dir string) (pid int) {
	t.Helper()
	eventually(t, "a worker runs", func() bool {
		pids := processesIn(t, dir)
		if len(pids) > 0 {
			pid = pids[0]
		}
		return len(pids) > 0
	})
	return pid
}

func TestDeathHasAName(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		t.Skip("SKIPPED: needs /proc to find the worker")
	}
	for signal, code := range map[syscall.Signal]string{syscall.SIGKILL: worker.OutOfMemory, syscall.SIGABRT: worker.Crashed, syscall.SIGXCPU: worker.Timeout} {
		t.Run(fmt.Sprint(signal), func(t *testing.T) {
			t.Parallel()
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			defer write.Close()
			dir := t.TempDir()
			alive := make(chan struct{}, 100)
			done := make(chan error, 1)
			go func() {
				_, err := worker.Start(t.Context(), worker.Request{Outputs: everything}, read, dir, func(worker.Progress) { alive <- struct{}{} })
				done <- err
			}()
			data := wav(tones(2, 48000, 4*48000), 48000)
			binary.LittleEndian.PutUint32(data[40:], 1<<30) // promises more than ever comes
			if _, err := write.Write(data); err != nil {
				t.Fatal(err)
			}
			<-alive
			if err := syscall.Kill(processIn(t, dir), signal); err != nil {
				t.Fatal(err)
			}
			f := wantFailure(t, <-done, code)
			if signal == syscall.SIGABRT && !strings.Contains(f.Detail, "SIGABRT") {
				t.Errorf("detail %q does not name the cause", f.Detail)
			}
		})
	}
}

// TestNothingOutlivesTheWorker stops a worker whose native decoder hangs in a process group of its own.
func TestNothingOutlivesTheWorker(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		t.Skip("SKIPPED: needs /proc to find the decoder")
	}
	hang := filepath.Join(t.TempDir(), "ffmpeg")
	dir := t.TempDir()
	// Decoders start in the folder for temporary files; this one moves to where it can be found.
	if err := os.WriteFile(hang, []byte("#!/bin/sh\ncd '"+dir+"'\nset -m\nsleep 1000 &\nwait\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	req := worker.Request{Outputs: []worker.Output{worker.HQ}, FFmpegPath: hang, Limits: worker.Limits{WallBase: 1}}
	done := make(chan error, 1)
	go func() {
		_, err := worker.Start(t.Context(), req, read, dir, nil)
		done <- err
	}()
	if _, err := write.Write(append([]byte("caff\x00\x01\x00\x00desc"), make([]byte, 8192)...)); err != nil {
		t.Fatal(err)
	}
	write.Close() // the decoder gets the whole file
	eventually(t, "the decoder hangs", func() bool { return len(processesIn(t, dir)) > 1 })
	wantFailure(t, <-done, worker.Timeout)
	eventually(t, "the decoder is gone", func() bool { return len(processesIn(t, dir)) == 0 })
}

// TestWorkerDiesWithItsServer kills a server outright: its worker, waiting for more of the source, must not live on.
func TestWorkerDiesWithItsServer(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		t.Skip("SKIPPED: needs /proc to find the worker")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	dir := t.TempDir()
	server := exec.Command(self, "parent", dir)
	server.Stdin = read
	err = server.Start()
	read.Close()
	if err != nil {
		t.Fatal(err)
	}
	pid := processIn(t, dir)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err == nil {
		t.Error("the server ended by itself")
	}
	eventually(t, "the worker is gone", func() bool { return !slices.Contains(processesIn(t, dir), pid) })
}

func TestWorkerSeesNothingOfItsParent(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("SKIPPED: needs /proc to look at the worker")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	dir := t.TempDir()
	done := make(chan error, 1)
	go func() {
		_, err := worker.Start(t.Context(), worker.Request{Outputs: everything}, read, dir, nil)
		done <- err
	}()
	if _, err := write.Write([]byte("RIFF")); err != nil {
		t.Fatal(err)
	}
	pid := processIn(t, dir)
	environment := func() string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var descriptors []string
	eventually(t, "the worker has limited itself", func() bool {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(b)[strings.Index(string(b), "Max address space"):])
		limit, err := strconv.ParseUint(fields[3], 10, 64) // "unlimited" is no number
		return err == nil && limit >= 2<<30
	})
	if env := environment(); env != "" {
		t.Errorf("environment %q", env)
	}
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, e.Name()))
		// The Go runtime itself reads its share of the processor and opens /dev/null; the worker reads its own status.
		if err == nil && !strings.HasPrefix(to, "pipe:") && !strings.HasPrefix(to, "anon_inode:") && to != "/dev/null" && !strings.HasPrefix(to, "/proc/") && !strings.HasPrefix(to, "/sys/fs/cgroup/") {
			descriptors = append(descriptors, to)
		}
	}
	if len(descriptors) > 0 {
		t.Errorf("open in the worker: %v", descriptors)
	}
	write.Close()
	wantFailure(t, <-done, worker.Unsupported)
}
