//go:build linux || darwin || freebsd

package db

import "syscall"

// diskRoom is how many bytes a program may still write below dir.
func diskRoom(dir string) (bytes uint64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(max(0, int64(s.Bavail))) * uint64(s.Bsize), true
}
