package blob

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// errPower is what every operation answers once the power is gone.
var errPower = errors.New("power lost")

// simDisk is a disk whose power fails before operation failAt. It keeps file contents apart from names, as a journaling file
// system does: names change in an ordered journal of which a prefix survives, at least up to the last synced folder; of
// contents survives what was synced, and anything at all of the rest.
type simDisk struct {
	mu      sync.Mutex
	ops     int
	failAt  int // 0: never
	failing bool
	fault   func(op string) error // fails "write" or "sync" operations of a disk that has power

	journal []nameOp
	durable int // so many operations of the journal are on the disk
	live    map[string]*inode
}

// nameOp is one change of names: a creation (from ""), a removal (to "") or a rename.
type nameOp struct {
	from, to string
	node     *inode
}

func (op nameOp) touches(dir string) bool {
	return op.from != "" && parent(op.from) == dir || op.to != "" && parent(op.to) == dir
}

type inode struct {
	dir          bool
	data, synced []byte
	at           time.Time
}

func newSimDisk(failAt int) *simDisk {
	return &simDisk{failAt: failAt, live: map[string]*inode{}}
}

// step counts an operation that changes the disk.
func (d *simDisk) step() error {
	if d.ops++; d.failAt > 0 && d.ops >= d.failAt {
		d.failing = true
	}
	return d.alive()
}

func (d *simDisk) alive() error {
	if d.failing {
		return errPower
	}
	return nil
}

func (d *simDisk) do(op nameOp) {
	d.journal = append(d.journal, op)
	apply(d.live, op)
}

func apply(names map[string]*inode, op nameOp) {
	if op.from != "" {
		delete(names, op.from)
	}
	if op.to != "" {
		names[op.to] = op.node
	}
}

// reboot is the disk after the power came back. rng decides what survived of the rest; nil means nothing.
func (d *simDisk) reboot(rng *rand.Rand) *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	keep := d.durable
	if rng != nil {
		keep += rng.IntN(len(d.journal) - d.durable + 1)
	}
	after := newSimDisk(0)
	names := map[string]*inode{}
	for _, op := range d.journal[:keep] {
		apply(names, op)
	}
	for name, old := range names {
		node := &inode{dir: old.dir, data: slices.Clone(old.synced), at: old.at}
		if rng != nil && !old.dir {
			node.data = survive(old, rng)
		}
		node.synced = slices.Clone(node.data)
		after.do(nameOp{to: name, node: node})
	}
	after.durable = len(after.journal)
	return after
}

// survive makes up what may be found of a file that was written since its last sync.
func survive(n *inode, rng *rand.Rand) []byte {
	switch rng.IntN(3) {
	case 0:
		return slices.Clone(n.synced)
	case 1:
		return slices.Clone(n.data)
	}
	// The size got through and the bytes did not, or only some of them.
	got := slices.Clone(n.data)
	for i := range got {
		if (i >= len(n.synced) || n.synced[i] != got[i]) && rng.IntN(2) == 0 {
			got[i] = 0
		}
	}
	return got
}

func (d *simDisk) hasDir(name string) bool {
	return name == "." || d.live[name] != nil && d.live[name].dir
}

func (d *simDisk) open(name string, flag int) (diskFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(); err != nil {
		return nil, err
	}
	node := d.live[name]
	switch {
	case node != nil && flag&os.O_EXCL != 0:
		return nil, fs.ErrExist
	case node == nil && flag&os.O_CREATE == 0, !d.hasDir(parent(name)):
		return nil, fs.ErrNotExist
	case node == nil:
		if err := d.step(); err != nil {
			return nil, err
		}
		node = &inode{at: time.Now()}
		d.do(nameOp{to: name, node: node})
	case flag&os.O_TRUNC != 0:
		if err := d.step(); err != nil {
			return nil, err
		}
		node.data = nil
	}
	return &simFile{d: d, name: name, node: node}, nil
}

func (d *simDisk) mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(); err != nil {
		return err
	}
	if d.live[name] != nil {
		return fs.ErrExist
	}
	if err := d.step(); err != nil {
		return err
	}
	d.do(nameOp{to: name, node: &inode{dir: true, at: time.Now()}})
	return nil
}

func (d *simDisk) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(); err != nil {
		return err
	}
	node := d.live[from]
	if node == nil || !d.hasDir(parent(to)) {
		return fs.ErrNotExist
	}
	if err := d.step(); err != nil {
		return err
	}
	d.do(nameOp{from: from, to: to, node: node})
	return nil
}

func (d *simDisk) remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(); err != nil {
		return err
	}
	if d.live[name] == nil {
		return fs.ErrNotExist
	}
	if err := d.step(); err != nil {
		return err
	}
	d.do(nameOp{from: name})
	return nil
}

func (d *simDisk) syncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	for i := len(d.journal); i > d.durable; i-- {
		if d.journal[i-1].touches(dir) {
			d.durable = i
			break
		}
	}
	return nil
}

func (d *simDisk) stat(name string) (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(); err != nil {
		return nil, err
	}
	node := d.live[name]
	if node == nil {
		return nil, fs.ErrNotExist
	}
	return simInfo{path.Base(name), int64(len(node.data)), node}, nil
}

func (d *simDisk) list(dir string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(); err != nil {
		return nil, err
	}
	var out []fs.DirEntry
	for name, node := range d.live {
		if parent(name) == dir {
			out = append(out, fs.FileInfoToDirEntry(simInfo{path.Base(name), int64(len(node.data)), node}))
		}
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

func (d *simDisk) path(string) (string, bool) { return "", false }

type simInfo struct {
	name string
	size int64
	node *inode
}

func (i simInfo) Name() string       { return i.name }
func (i simInfo) Size() int64        { return i.size }
func (i simInfo) ModTime() time.Time { return i.node.at }
func (i simInfo) IsDir() bool        { return i.node.dir }
func (i simInfo) Sys() any           { return nil }
func (i simInfo) Mode() fs.FileMode {
	if i.node.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}

type simFile struct {
	d    *simDisk
	name string
	node *inode
	pos  int64
}

func (f *simFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *simFile) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.alive(); err != nil {
		return 0, err
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *simFile) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.step(); err != nil {
		return 0, err
	}
	if f.d.fault != nil {
		if err := f.d.fault("write"); err != nil {
			return 0, err
		}
	}
	data := slices.Clone(f.node.data)
	if grow := off + int64(len(p)) - int64(len(data)); grow > 0 {
		data = append(data, make([]byte, grow)...)
	}
	copy(data[off:], p)
	f.node.data = data
	return len(p), nil
}

func (f *simFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += int64(len(f.node.data))
	}
	f.pos = offset
	return offset, nil
}

func (f *simFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.step(); err != nil {
		return err
	}
	f.node.data = slices.Clone(f.node.data[:size])
	return nil
}

func (f *simFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.step(); err != nil {
		return err
	}
	if f.d.fault != nil {
		if err := f.d.fault("sync"); err != nil {
			return err
		}
	}
	f.node.synced = slices.Clone(f.node.data)
	return nil
}

func (f *simFile) Stat() (fs.FileInfo, error) { return f.d.stat(f.name) }
func (f *simFile) Close() error               { return nil }
