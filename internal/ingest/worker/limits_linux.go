package worker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// executable names the running program even after its file was replaced by an upgrade.
func executable() (string, error) { return "/proc/self/exe", nil }

// processAttributes put the worker into a session of its own and let it die with the thread that started it.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// killSession ends the worker and everything it started, also what went into a process group of its own: all of it is in
// the session that the worker leads. A second look catches what was born during the first.
func killSession(pid int) error {
	err := syscall.Kill(-pid, syscall.SIGKILL)
	for range 2 {
		stats, globErr := filepath.Glob("/proc/[0-9]*/stat")
		if globErr != nil {
			return errors.Join(err, globErr)
		}
		for _, path := range stats {
			b, readErr := os.ReadFile(path)
			if readErr != nil {
				continue // ended meanwhile
			}
			// pid (name) state ppid pgrp session …; the name may hold spaces and parentheses
			fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
			if len(fields) < 4 || fields[3] != strconv.Itoa(pid) {
				continue
			}
			if member, numErr := strconv.Atoi(filepath.Base(filepath.Dir(path))); numErr == nil {
				err = syscall.Kill(member, syscall.SIGKILL)
			}
		}
	}
	return err
}

// addressSpace is what this process has mapped already, in bytes. Go reserves more than a gigabyte at its start without
// using it, how much differs from start to start; a limit that counted it would now and then leave nothing to work with.
func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read the address space: %w", err)
	}
	pages, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseUint(pages, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the address space: %w", err)
	}
	return n * uint64(os.Getpagesize()), nil
}

// confine sets the limits of this process; children inherit them.
func confine(l Limits, maxSeconds float64) error {
	cpu := uint64(l.CPUBase + maxSeconds*l.CPUPerSecond)
	reserved, err := addressSpace()
	if err != nil {
		return err
	}
	for _, limit := range []struct {
		name     string
		resource int
		value    uint64
	}{
		{"address space", unix.RLIMIT_AS, reserved + uint64(l.AddressSpace)},
		{"file size", unix.RLIMIT_FSIZE, uint64(l.FileSize)},
		{"open files", unix.RLIMIT_NOFILE, l.OpenFiles},
		{"core size", unix.RLIMIT_CORE, 0},
		{"cpu", unix.RLIMIT_CPU, cpu},
	} {
		// syscall.Setrlimit, for Go would give its children the old number of open files otherwise. The operator may
		// have set a stricter limit already, which cannot be raised and need not be.
		var r syscall.Rlimit
		if err := syscall.Getrlimit(limit.resource, &r); err != nil {
			return fmt.Errorf("read limit of %s: %w", limit.name, err)
		}
		r.Max = min(r.Max, limit.value)
		r.Cur = r.Max
		if err := syscall.Setrlimit(limit.resource, &r); err != nil {
			return fmt.Errorf("limit %s to %d: %w", limit.name, limit.value, err)
		}
	}
	return nil
}

// grantCPU moves the soft CPU limit of this process; SIGXCPU comes when it is reached, SIGKILL at the hard limit.
func grantCPU(seconds float64) error {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CPU, &r); err != nil {
		return err
	}
	r.Cur = min(uint64(seconds)+1, r.Max)
	return unix.Setrlimit(unix.RLIMIT_CPU, &r)
}

// threadCPU returns the CPU time of the calling thread. The caller must have locked its thread.
func threadCPU() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0 // a measurement, not worth failing for
	}
	return time.Duration(ts.Nano())
}

// account reads what the process has used. Its file is opened early, for Landlock would refuse it later.
type account struct{ status *os.File }

func newAccount() account {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return account{} // a measurement, not worth failing for
	}
	return account{f}
}

// spent returns CPU seconds and peak resident bytes of this process and its finished children.
func (a account) spent() (cpu float64, rss int64) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var r unix.Rusage
		if err := unix.Getrusage(who, &r); err != nil {
			continue // a measurement, not worth failing for
		}
		cpu += float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
		if who == unix.RUSAGE_CHILDREN {
			rss = r.Maxrss * 1024
		}
	}
	if a.status == nil {
		return cpu, rss
	}
	// The kernel's maxrss counts the parent's size at the fork; the high-water mark of the address space does not.
	status := make([]byte, 8<<10)
	n, _ := a.status.ReadAt(status, 0) // it ends before the buffer does, which is an EOF
	for line := range strings.Lines(string(status[:n])) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err == nil {
				rss += kb * 1024
			}
		}
	}
	return cpu, rss
}
