package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

type localFile struct {
	diskFile
	size int64
}

func (f localFile) Size() int64 { return f.size }

func (l *Local) open(ref Ref) (localFile, error) {
	if err := checkRef(ref); err != nil {
		return localFile{}, err
	}
	f, err := l.disk.open(ref.path(), os.O_RDONLY)
	if err != nil {
		return localFile{}, fmt.Errorf("open blob %s: %w", ref, diskError(err))
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return localFile{}, fmt.Errorf("open blob %s: %w", ref, err)
	}
	return localFile{f, info.Size()}, nil
}

// Open implements Store.
func (l *Local) Open(_ context.Context, ref Ref) (File, error) {
	f, err := l.open(ref)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// OpenRange implements Store.
func (l *Local) OpenRange(_ context.Context, ref Ref, offset, length int64) (io.ReadCloser, error) {
	f, err := l.open(ref)
	if err != nil {
		return nil, err
	}
	if length < 0 || length > f.size-offset {
		length = max(0, f.size-offset)
	}
	return rangeReader{io.NewSectionReader(f, offset, length), f}, nil
}

type rangeReader struct {
	io.Reader
	io.Closer
}

// Stat implements Store.
func (l *Local) Stat(_ context.Context, ref Ref) (int64, error) {
	if err := checkRef(ref); err != nil {
		return 0, err
	}
	info, err := l.disk.stat(ref.path())
	if err != nil {
		return 0, fmt.Errorf("stat blob %s: %w", ref, diskError(err))
	}
	return info.Size(), nil
}

// Path implements Store.
func (l *Local) Path(ref Ref) (string, bool) {
	if checkRef(ref) != nil {
		return "", false
	}
	return l.disk.path(ref.path())
}

// Verify implements Store.
func (l *Local) Verify(ctx context.Context, ref Ref) error {
	f, err := l.open(ref)
	if err != nil {
		return err
	}
	defer f.Close()
	dropCache(f.diskFile)
	if err := rehash(ctxReader{ctx, f}, ref); err != nil {
		return fmt.Errorf("verify blob %s: %w", ref, err)
	}
	return nil
}

// List implements Store.
func (l *Local) List(ctx context.Context, f func(ref Ref, size int64) error) error {
	if err := l.list(ctx, "blobs", 0, f); err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	return nil
}

func (l *Local) list(ctx context.Context, dir string, depth int, f func(ref Ref, size int64) error) error {
	entries, err := l.disk.list(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if depth < 2 {
			if e.IsDir() {
				err = l.list(ctx, dir+"/"+e.Name(), depth+1, f)
			}
		} else if ref, perr := ParseRef(e.Name()); perr == nil {
			var info fs.FileInfo
			info, err = e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // deleted since the folder was read
			}
			if err == nil {
				err = f(ref, info.Size())
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Delete implements Store.
func (l *Local) Delete(_ context.Context, ref Ref) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	err := l.disk.rename(ref.path(), "trash/"+trashName(l.Now(), ref))
	// The trash first: a crash between the two leaves the content in place, or in both.
	if err == nil {
		err = l.syncDir("trash")
	}
	if err == nil {
		err = l.syncDir(parent(ref.path()))
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", ref, diskError(err))
	}
	return nil
}

// eachTrash calls f for what is in the trash.
func (l *Local) eachTrash(f func(name string, at time.Time, ref Ref) error) error {
	entries, err := l.disk.list("trash")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if at, ref, ok := parseTrash(e.Name()); ok {
			if err := f("trash/"+e.Name(), at, ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// Restore implements Store.
func (l *Local) Restore(ctx context.Context, ref Ref) error {
	if _, err := l.Stat(ctx, ref); !errors.Is(err, ErrNotFound) {
		return err
	}
	from := ""
	err := l.eachTrash(func(name string, _ time.Time, have Ref) error {
		if have == ref {
			from = name
		}
		return nil
	})
	if err == nil && from == "" {
		err = ErrNotFound
	}
	if err == nil {
		err = l.place(from, ref)
	}
	if err != nil {
		return fmt.Errorf("restore blob %s: %w", ref, diskError(err))
	}
	return nil
}

// DeleteNow implements Store.
func (l *Local) DeleteNow(_ context.Context, ref Ref) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	err := l.disk.remove(ref.path())
	if err == nil {
		err = l.syncDir(parent(ref.path()))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = l.eachTrash(func(name string, _ time.Time, have Ref) error {
			if have != ref {
				return nil
			}
			return l.disk.remove(name)
		})
	}
	if err == nil {
		err = l.syncDir("trash")
	}
	if err != nil {
		return fmt.Errorf("erase blob %s: %w", ref, err)
	}
	return nil
}

// Purge implements Store.
func (l *Local) Purge(ctx context.Context, before time.Time) (blobs int, bytes int64, err error) {
	err = l.eachTrash(func(name string, at time.Time, _ Ref) error {
		if !at.Before(before) {
			return ctx.Err()
		}
		info, err := l.disk.stat(name)
		if err != nil {
			return err
		}
		if err := l.disk.remove(name); err != nil {
			return err
		}
		blobs, bytes = blobs+1, bytes+info.Size()
		return ctx.Err()
	})
	if err == nil {
		err = l.eachTemp(putPrefix, l.Now().Add(-putLife), func(name string) error { return l.disk.remove("tmp/" + name) })
	}
	if err != nil {
		return blobs, bytes, fmt.Errorf("purge the trash: %w", err)
	}
	return blobs, bytes, nil
}

// Marker implements Store.
func (l *Local) Marker(context.Context) (string, error) {
	f, err := l.disk.open(markerName, os.O_RDONLY)
	if err != nil {
		return "", fmt.Errorf("read the instance marker: %w", diskError(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 200))
	if err != nil {
		return "", fmt.Errorf("read the instance marker: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// SetMarker implements Store.
func (l *Local) SetMarker(ctx context.Context, id string) error {
	if err := checkMarker(id); err != nil {
		return err
	}
	switch have, err := l.Marker(ctx); {
	case err == nil && have == id:
		return nil
	case err == nil && have != "":
		return fmt.Errorf("mark the store as %s: it is %s: %w", id, have, ErrMarker)
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	if err := l.writeMarker(id); err != nil {
		return fmt.Errorf("mark the store as %s: %w", id, diskError(err))
	}
	return nil
}

func (l *Local) writeMarker(id string) error {
	name := "tmp/" + putPrefix + markerName
	f, err := l.disk.open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(id+"\n"), 0); err != nil {
		return err
	}
	if err := l.syncFile(f); err != nil {
		return err
	}
	if err := l.disk.rename(name, markerName); err != nil {
		return err
	}
	return l.syncDir(".")
}
