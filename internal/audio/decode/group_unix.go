//go:build unix

package decode

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the command into a process group of its own and ends the whole group when it is canceled.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
