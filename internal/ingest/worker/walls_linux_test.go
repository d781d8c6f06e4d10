package worker_test

import (
	"os"
	"strings"
	"syscall"
)

// kernelWalls asks the kernel, by other means than the worker's, what it could shut a process in with. A binary built with
// cgo (as the race detector needs) cannot change all its threads, and goes without.
func kernelWalls() (walls []string) {
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_GETPPID, 0, 0, 0); errno == syscall.ENOTSUP {
		return nil
	}
	if _, _, errno := syscall.Syscall(444, 0, 0, 1); errno == 0 { // landlock_create_ruleset, asked for its version
		walls = append(walls, "landlock")
	}
	if b, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail"); err == nil && strings.Contains(string(b), "errno") {
		walls = append(walls, "seccomp")
	}
	return walls
}
