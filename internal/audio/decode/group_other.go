//go:build !unix

package decode

import "os/exec"

// ownGroup leaves the command as it is: only Unix has process groups.
func ownGroup(*exec.Cmd) {}
