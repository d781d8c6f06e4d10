//go:build unix && !linux

package worker

import (
	"os"
	"syscall"
	"time"
)

func executable() (string, error) { return os.Executable() }

func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// killSession ends the worker's process group.
func killSession(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// confine limits CPU and file size; other systems have no dependable limit of the address space.
func confine(l Limits, maxSeconds float64) error {
	cpu := syscall.Rlimit{Cur: uint64(l.CPUBase + maxSeconds*l.CPUPerSecond)}
	cpu.Max = cpu.Cur
	if err := syscall.Setrlimit(syscall.RLIMIT_CPU, &cpu); err != nil {
		return err
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(l.FileSize), Max: uint64(l.FileSize)})
}

func grantCPU(float64) error { return nil }

func threadCPU() time.Duration { return 0 }

type account struct{}

func newAccount() account { return account{} }

func (account) spent() (cpu float64, rss int64) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if syscall.Getrusage(who, &r) == nil {
			cpu += float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
			rss += r.Maxrss
		}
	}
	return cpu, rss
}
