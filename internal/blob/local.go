package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Local is a Store in a folder of this machine. One process may have it open for writing beside any number of readers.
type Local struct {
	// Now dates what goes to the trash.
	Now func() time.Time

	disk   disk
	noSync bool // set by tests that must then fail

	mu     sync.Mutex             // guards what follows
	stages map[string]*sync.Mutex // one writer at a time per stage; a stale writer meets ErrOffset
	leaves [65536 / 64]uint64     // folders blobs/ab/cd that this process knows to be durable
}

var _ Store = (*Local)(nil)

// OpenLocal opens the folder dir and makes it when it is missing. It writes no marker.
func OpenLocal(dir string, now func() time.Time) (*Local, error) {
	d, err := openDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob folder %s: %w", dir, diskError(err))
	}
	return newLocal(d, now)
}

// Close lets go of the folder. What was opened before may still be read.
func (l *Local) Close() error {
	if c, ok := l.disk.(io.Closer); ok { // a real folder; what tests simulate holds nothing
		return c.Close()
	}
	return nil
}

func newLocal(d disk, now func() time.Time) (*Local, error) {
	l := &Local{Now: now, disk: d, noSync: !fsync, stages: map[string]*sync.Mutex{}}
	for _, dir := range []string{"blobs", "tmp", "trash"} {
		if err := l.makeDir(dir); err != nil {
			return nil, fmt.Errorf("open blob folder: %w", diskError(err))
		}
	}
	return l, nil
}

// makeDir makes one folder and makes it durable in its parent.
func (l *Local) makeDir(dir string) error {
	err := l.disk.mkdir(dir)
	if errors.Is(err, fs.ErrExist) {
		// Somebody else may have made it a moment ago and not have synced it yet.
		return nil
	}
	if err != nil {
		return err
	}
	return l.syncDir(parent(dir))
}

func parent(name string) string {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "."
	}
	return name[:i]
}

func (l *Local) syncDir(dir string) error {
	if l.noSync {
		return nil
	}
	if err := l.disk.syncDir(dir); err != nil {
		return fmt.Errorf("%w: folder %s: %w", ErrSync, dir, err)
	}
	return nil
}

func (l *Local) syncFile(f diskFile) error {
	if l.noSync {
		return nil
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("%w: %w", ErrSync, err)
	}
	return nil
}

// place moves a synced file to its content address. A copy that is already there is replaced by the bytes just written:
// they have the same hash, and the older copy may have suffered.
func (l *Local) place(from string, ref Ref) error {
	to := ref.path()
	leaf := parent(to)
	top := parent(leaf)
	known := l.knows(ref)
	if !known {
		for _, dir := range []string{top, leaf} {
			if err := l.makeDir(dir); err != nil {
				return err
			}
		}
	}
	if err := l.disk.rename(from, to); err != nil {
		return err
	}
	if err := l.syncDir(leaf); err != nil || known {
		return err
	}
	// The folders on the way are synced once by each process, also when another writer made them: its own sync may still be
	// under way, or may have been cut off by a crash.
	for _, dir := range []string{top, "blobs"} {
		if err := l.syncDir(dir); err != nil {
			return err
		}
	}
	l.know(ref)
	return nil
}

// leafBit is the bit of ref's folder among all 65,536.
func leafBit(ref Ref) (word int, bit uint64) {
	n, err := strconv.ParseUint(string(ref[:4]), 16, 16)
	if err != nil {
		panic(err) // refs are checked at every door
	}
	return int(n / 64), 1 << (n % 64)
}

func (l *Local) knows(ref Ref) bool {
	word, bit := leafBit(ref)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leaves[word]&bit != 0
}

func (l *Local) know(ref Ref) {
	word, bit := leafBit(ref)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaves[word] |= bit
}

func (l *Local) stageLock(id string) *sync.Mutex {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.stages[id]
	if m == nil {
		m = &sync.Mutex{}
		l.stages[id] = m
	}
	return m
}

func (l *Local) forgetLock(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.stages, id)
}

func stageFile(id string) string { return "tmp/" + stagePrefix + id }

// Append implements Store.
func (l *Local) Append(ctx context.Context, id string, offset int64, r io.Reader) (int64, error) {
	if err := checkStage(id); err != nil {
		return 0, err
	}
	n, err := l.append(ctx, id, offset, r)
	if err != nil {
		return n, fmt.Errorf("append to stage %s: %w", id, diskError(err))
	}
	return n, nil
}

func (l *Local) append(ctx context.Context, id string, offset int64, r io.Reader) (int64, error) {
	size, err := l.StageSize(ctx, id)
	if err != nil {
		return 0, err
	}
	if size != offset {
		return 0, ErrOffset
	}
	name := stageFile(id)
	// A stage that goes on must exist: making it anew would turn lost bytes into a hole.
	flag := os.O_RDWR
	if offset == 0 {
		flag |= os.O_CREATE
	}
	f, err := l.disk.open(name, flag)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, rerr, werr := l.copyTo(f, id, offset, ctxReader{ctx, r})
	if werr == nil {
		werr = l.syncFile(f)
	}
	if werr == nil && offset == 0 {
		werr = l.syncDir("tmp")
	}
	switch {
	case errors.Is(werr, ErrOffset):
		// Another writer took the stage over; its bytes are not ours to cut.
		return 0, ErrOffset
	case werr != nil:
		l.drop(f, id, offset, n)
		return 0, werr
	}
	return n, rerr
}

// drop takes back the n bytes this writer put at offset: after a failed write or sync nobody knows what the disk holds of
// them. When another writer has gone on meanwhile, they are its business.
func (l *Local) drop(f diskFile, id string, offset, n int64) {
	lock := l.stageLock(id)
	lock.Lock()
	defer lock.Unlock()
	if info, err := f.Stat(); err == nil && info.Size() == offset+n {
		_ = f.Truncate(offset) // the call fails already; a tail that stays is met by ErrOffset and Truncate
	}
}

// copyTo writes r at offset, piece by piece. Before each piece the file must end where this writer left it.
func (l *Local) copyTo(f diskFile, id string, offset int64, r io.Reader) (n int64, rerr, werr error) {
	lock := l.stageLock(id)
	buf := make([]byte, 128<<10)
	for {
		k, err := r.Read(buf)
		if k > 0 {
			lock.Lock()
			werr := writeAtEnd(f, offset+n, buf[:k])
			lock.Unlock()
			if werr != nil {
				return n, nil, werr
			}
			n += int64(k)
		}
		if err == io.EOF {
			return n, nil, nil
		}
		if err != nil {
			return n, err, nil
		}
	}
}

func writeAtEnd(f diskFile, end int64, p []byte) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != end {
		return ErrOffset
	}
	if _, err = f.WriteAt(p, end); err != nil {
		_ = f.Truncate(end) // half a piece is no piece; the error is reported anyway
	}
	return err
}

// StageSize implements Store.
func (l *Local) StageSize(_ context.Context, id string) (int64, error) {
	if err := checkStage(id); err != nil {
		return 0, err
	}
	info, err := l.disk.stat(stageFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("size of stage %s: %w", id, err)
	}
	return info.Size(), nil
}

// Truncate implements Store.
func (l *Local) Truncate(ctx context.Context, id string, size int64) error {
	have, err := l.StageSize(ctx, id)
	switch {
	case err != nil:
		return err
	case have == size:
		return nil
	case have < size:
		return fmt.Errorf("truncate stage %s to %d of %d bytes: %w", id, size, have, ErrOffset)
	}
	lock := l.stageLock(id)
	lock.Lock()
	defer lock.Unlock()
	f, err := l.disk.open(stageFile(id), os.O_RDWR)
	if err != nil {
		return fmt.Errorf("truncate stage %s: %w", id, diskError(err))
	}
	defer f.Close()
	if err = f.Truncate(size); err == nil {
		err = l.syncFile(f)
	}
	if err != nil {
		return fmt.Errorf("truncate stage %s: %w", id, diskError(err))
	}
	return nil
}

// OpenStage implements Store.
func (l *Local) OpenStage(_ context.Context, id string) (io.ReadCloser, error) {
	if err := checkStage(id); err != nil {
		return nil, err
	}
	f, err := l.disk.open(stageFile(id), os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("open stage %s: %w", id, diskError(err))
	}
	return f, nil
}

// Commit implements Store.
func (l *Local) Commit(ctx context.Context, id string, ref Ref, size int64) error {
	if err := errors.Join(checkStage(id), checkRef(ref)); err != nil {
		return err
	}
	if err := l.commit(ctx, id, ref, size); err != nil {
		return fmt.Errorf("commit stage %s: %w", id, diskError(err))
	}
	l.forgetLock(id)
	return nil
}

func (l *Local) commit(ctx context.Context, id string, ref Ref, size int64) error {
	f, err := l.disk.open(stageFile(id), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		// Committed before a crash, and the row that says so was not written.
		have, err := l.Stat(ctx, ref)
		if err != nil {
			return err
		}
		if have != size {
			return ErrSize
		}
		return l.syncDir(parent(ref.path()))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != size {
		return fmt.Errorf("%d bytes staged, %d named: %w", info.Size(), size, ErrSize)
	}
	if err := l.syncFile(f); err != nil {
		return err
	}
	return l.place(stageFile(id), ref)
}

// Abort implements Store.
func (l *Local) Abort(_ context.Context, id string) error {
	if err := checkStage(id); err != nil {
		return err
	}
	err := l.disk.remove(stageFile(id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("abort stage %s: %w", id, err)
	}
	l.forgetLock(id)
	return nil
}

// ListStages implements Store.
func (l *Local) ListStages(_ context.Context, olderThan time.Time) ([]string, error) {
	var out []string
	err := l.eachTemp(stagePrefix, olderThan, func(name string) error {
		out = append(out, strings.TrimPrefix(name, stagePrefix))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list stages: %w", err)
	}
	return out, nil
}

// eachTemp calls f with the names in tmp/ that begin with prefix and were last written before t.
func (l *Local) eachTemp(prefix string, t time.Time, f func(name string) error) error {
	entries, err := l.disk.list("tmp")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.ModTime().Before(t) {
			if err := f(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Put implements Store.
func (l *Local) Put(ctx context.Context, r io.Reader) (Ref, int64, error) {
	ref, n, err := l.put(ctx, r)
	if err != nil {
		return "", 0, fmt.Errorf("put blob: %w", diskError(err))
	}
	return ref, n, nil
}

func (l *Local) put(ctx context.Context, r io.Reader) (ref Ref, n int64, err error) {
	name := "tmp/" + putPrefix + rand.Text()
	f, err := l.disk.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return "", 0, err
	}
	defer func() {
		f.Close()
		if err != nil {
			_ = l.disk.remove(name) // what stays behind is swept by Purge
		}
	}()
	h := sha256.New()
	n, err = io.Copy(io.MultiWriter(f, h), ctxReader{ctx, r})
	if err != nil {
		return "", 0, err
	}
	if err = l.syncFile(f); err != nil {
		return "", 0, err
	}
	ref = Ref(hex.EncodeToString(h.Sum(nil)))
	return ref, n, l.place(name, ref)
}
