//go:build unix

package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPatience is how long to wait for a lock: when a server is killed while it starts a decoder, that process holds its
// files until it has begun.
const lockPatience = 2 * time.Second

// lockFolder makes sure that one server at a time works on a SQLite data folder. The system drops the lock when the
// process ends, however it ends.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "serve.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	began := time.Now()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if time.Since(began) > lockPatience {
			err = fmt.Errorf("%w: stop the one on %s first, or use PostgreSQL to run several", ErrServed, dir)
			return nil, errors.Join(err, f.Close())
		}
		time.Sleep(50 * time.Millisecond)
	}
}
