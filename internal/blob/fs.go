package blob

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// disk is the few file operations Local needs. The tests put a disk under it that loses what was not synced.
type disk interface {
	open(name string, flag int) (diskFile, error)
	mkdir(name string) error
	rename(from, to string) error
	remove(name string) error
	stat(name string) (fs.FileInfo, error)
	list(dir string) ([]fs.DirEntry, error)
	syncDir(dir string) error
	path(name string) (string, bool)
}

type diskFile interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	Sync() error
}

// osDisk is a real folder. os.Root refuses every name that would leave it.
type osDisk struct {
	root *os.Root
}

func openDisk(dir string) (*osDisk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &osDisk{root: root}, nil
}

func (d *osDisk) open(name string, flag int) (diskFile, error) {
	f, err := d.root.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err // not f: a nil *os.File in the interface would not be nil
	}
	return f, nil
}

func (d *osDisk) Close() error                           { return d.root.Close() }
func (d *osDisk) mkdir(name string) error                { return d.root.Mkdir(name, 0o700) }
func (d *osDisk) rename(from, to string) error           { return d.root.Rename(from, to) }
func (d *osDisk) remove(name string) error               { return d.root.Remove(name) }
func (d *osDisk) stat(name string) (fs.FileInfo, error)  { return d.root.Stat(name) }
func (d *osDisk) path(name string) (string, bool)        { return d.root.Name() + "/" + name, true }
func (d *osDisk) list(dir string) ([]fs.DirEntry, error) { return fs.ReadDir(d.root.FS(), dir) }

func (d *osDisk) syncDir(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// diskError names what callers tell apart.
func diskError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w (%w)", ErrNotFound, err)
	}
	return err
}
