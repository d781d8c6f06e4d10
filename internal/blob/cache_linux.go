package blob

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropCache asks the kernel to forget f's pages, so that the next read comes from the disk and a damaged sector shows.
func dropCache(f diskFile) {
	if file, ok := f.(*os.File); ok {
		_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED) // advice: a kernel that refuses still reads correctly
	}
}
