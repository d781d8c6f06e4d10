package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// acked is what a store has promised.
type acked struct {
	staged  map[string]int64 // bytes durable per stage
	content map[Ref][]byte   // committed or put
	trashed map[Ref][]byte
	erased  []Ref
	marker  string
}

func hashOf(p []byte) Ref {
	sum := sha256.Sum256(p)
	return Ref(hex.EncodeToString(sum[:]))
}

func sample(seed, n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1}).Read(p) // documented never to fail
	return p
}

var uploads = map[string][]byte{"upload-one": sample(1, 5000), "upload-two": sample(2, 3000)}

// useStore does what a busy day does, and notes each promise as it is made. It ends at the first loss of power.
func useStore(ctx context.Context, l *Local, a *acked) error {
	add := func(id string, to int, tail error) error {
		from := a.staged[id]
		var r io.Reader = bytes.NewReader(uploads[id][from:to])
		if tail != nil {
			r = io.MultiReader(r, iotest.ErrReader(tail))
		}
		n, err := l.Append(ctx, id, from, r)
		a.staged[id] = from + n
		if tail != nil && errors.Is(err, tail) {
			return nil
		}
		return err
	}
	put := func(p []byte) error {
		ref, _, err := l.Put(ctx, bytes.NewReader(p))
		if err == nil {
			a.content[ref] = p
		}
		return err
	}
	commit := func(id string) error {
		p := uploads[id]
		err := l.Commit(ctx, id, hashOf(p), int64(len(p)))
		if err == nil {
			delete(a.staged, id)
			a.content[hashOf(p)] = p
		}
		return err
	}
	// A promise about content ends when the call that takes it away begins.
	forget := func(p []byte, call func(context.Context, Ref) error, done func()) error {
		delete(a.content, hashOf(p))
		delete(a.trashed, hashOf(p))
		err := call(ctx, hashOf(p))
		if err == nil {
			done()
		}
		return err
	}
	small, other := sample(3, 100), sample(4, 200)
	for _, step := range []func() error{
		func() error {
			err := l.SetMarker(ctx, "instance-1")
			if err == nil {
				a.marker = "instance-1"
			}
			return err
		},
		func() error { return add("upload-one", 2000, nil) },
		func() error { return put(small) },
		func() error { return add("upload-two", 1000, errors.New("the line broke")) },
		func() error { return add("upload-one", 2500, nil) },
		func() error {
			a.staged["upload-one"] = 1500
			return l.Truncate(ctx, "upload-one", 1500)
		},
		func() error { return add("upload-one", 5000, nil) },
		func() error { return commit("upload-one") },
		func() error { return put(other) },
		func() error { return add("upload-two", 3000, nil) },
		func() error { return forget(small, l.Delete, func() { a.trashed[hashOf(small)] = small }) },
		func() error { return put(other) },
		func() error { return forget(other, l.DeleteNow, func() { a.erased = append(a.erased, hashOf(other)) }) },
		func() error { return commit("upload-two") },
		func() error { return forget(small, l.Restore, func() { a.content[hashOf(small)] = small }) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// keptPromises looks at the store after a reboot.
func keptPromises(ctx context.Context, l *Local, a *acked) error {
	if a.marker != "" {
		if got, err := l.Marker(ctx); err != nil || got != a.marker {
			return fmt.Errorf("marker %q, %w", got, err)
		}
	}
	for id, n := range a.staged {
		if n == int64(len(uploads[id])) {
			continue // its Commit may have been under way: seen to below
		}
		size, err := l.StageSize(ctx, id)
		if err != nil || size < n {
			return fmt.Errorf("stage %s holds %d of %d acknowledged bytes: %w", id, size, n, err)
		}
		if n == 0 {
			continue
		}
		r, err := l.OpenStage(ctx, id)
		if err != nil {
			return err
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, uploads[id][:n]) {
			return fmt.Errorf("stage %s: acknowledged bytes changed: %w", id, err)
		}
	}
	for ref, p := range a.content {
		if err := same(ctx, l, ref, p); err != nil {
			return err
		}
	}
	// Whatever bears a name has the content of that name.
	if err := l.List(ctx, func(ref Ref, _ int64) error { return l.Verify(ctx, ref) }); err != nil {
		return err
	}
	for _, ref := range a.erased {
		if _, err := l.Stat(ctx, ref); !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("erased %s is back: %w", ref, err)
		}
	}
	for ref, p := range a.trashed {
		if _, err := l.Stat(ctx, ref); !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("deleted %s is back: %w", ref, err)
		}
		if err := l.Restore(ctx, ref); err != nil {
			return err
		}
		if err := same(ctx, l, ref, p); err != nil {
			return err
		}
	}
	// And the uploads can go on from where they were acknowledged.
	for id, n := range a.staged {
		p := uploads[id]
		if n < int64(len(p)) {
			if err := l.Truncate(ctx, id, n); err != nil {
				return err
			}
			if _, err := l.Append(ctx, id, n, bytes.NewReader(p[n:])); err != nil {
				return err
			}
		}
		if err := l.Commit(ctx, id, hashOf(p), int64(len(p))); err != nil {
			return err
		}
		if err := same(ctx, l, hashOf(p), p); err != nil {
			return err
		}
	}
	return nil
}

func same(ctx context.Context, l *Local, ref Ref, want []byte) error {
	f, err := l.Open(ctx, ref)
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("%s changed: %d bytes, %w", ref, len(got), err)
	}
	return nil
}

// powerLoss runs the day with the power failing before operation n, and tells the first broken promise. ran is the number of
// operations of an undisturbed day.
func powerLoss(ctx context.Context, n int, rng *rand.Rand, noSync bool) (ran int, broken error) {
	d := newSimDisk(n)
	a := &acked{staged: map[string]int64{}, content: map[Ref][]byte{}, trashed: map[Ref][]byte{}}
	l, err := newLocal(d, time.Now)
	if err == nil {
		l.noSync = l.noSync || noSync
		err = useStore(ctx, l, a)
	}
	if err != nil && !errors.Is(err, errPower) {
		return d.ops, fmt.Errorf("before the power went: %w", err)
	}
	again, err := newLocal(d.reboot(rng), time.Now)
	if err != nil {
		return d.ops, err
	}
	return d.ops, keptPromises(ctx, again, a)
}

// TestPowerLoss cuts the power before every single operation of the day, with nothing unsynced surviving and with many
// mixtures of what may survive.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	ops, err := powerLoss(t.Context(), 0, nil, false)
	if err != nil {
		t.Fatalf("without any loss: %v", err)
	}
	const mixtures = 30
	for n := 1; n <= ops+1; n++ {
		if _, err := powerLoss(t.Context(), n, nil, false); err != nil {
			t.Fatalf("power lost before operation %d of %d, nothing unsynced survives: %v", n, ops, err)
		}
		for seed := range uint64(mixtures) {
			if _, err := powerLoss(t.Context(), n, rand.New(rand.NewPCG(seed, uint64(n))), false); err != nil {
				t.Fatalf("power lost before operation %d of %d, mixture %d: %v", n, ops, seed, err)
			}
		}
	}
	t.Logf("%d operations, %d losses of power", ops, ops*(mixtures+1))
}

// TestPowerLossIsNoticed shows that the test above can fail: without fsync promises break.
func TestPowerLossIsNoticed(t *testing.T) {
	t.Parallel()
	ops, _ := powerLoss(t.Context(), 0, nil, true)
	broken := 0
	for n := 1; n <= ops; n++ {
		if _, err := powerLoss(t.Context(), n, nil, true); err != nil {
			broken++
		}
	}
	if broken < ops/2 {
		t.Fatalf("only %d of %d losses of power without fsync were noticed", broken, ops)
	}
}

// TestDiskFaults fails every write and every sync of an upload and a Put in turn: the call says so, nothing of it stays, and
// the next call succeeds.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, c := range []struct {
		op         string
		fail, want error
	}{
		{"write", syscall.ENOSPC, ErrFull}, {"sync", syscall.ENOSPC, ErrFull}, {"write", syscall.EDQUOT, ErrFull},
		{"sync", syscall.EIO, ErrSync}, {"write", syscall.EIO, syscall.EIO},
	} {
		t.Run(c.op+" "+c.fail.Error(), func(t *testing.T) {
			t.Parallel()
			d := newSimDisk(0)
			l, err := newLocal(d, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			p := uploads["upload-one"]
			if _, err := l.Append(ctx, "upload-one", 0, bytes.NewReader(p[:1000])); err != nil {
				t.Fatal(err)
			}
			d.fault = func(op string) error {
				if op == c.op {
					return c.fail
				}
				return nil
			}
			n, err := l.Append(ctx, "upload-one", 1000, bytes.NewReader(p[1000:]))
			if n != 0 || !errors.Is(err, c.want) {
				t.Fatalf("append: %d, %v", n, err)
			}
			if _, _, err := l.Put(ctx, bytes.NewReader(p)); !errors.Is(err, c.want) {
				t.Fatalf("put: %v", err)
			}
			if size, err := l.StageSize(ctx, "upload-one"); err != nil || size != 1000 {
				t.Fatalf("stage holds %d bytes, %v", size, err)
			}
			if c.op == "sync" {
				if err := l.Commit(ctx, "upload-one", hashOf(p[:1000]), 1000); !errors.Is(err, c.want) {
					t.Fatalf("commit: %v", err)
				}
			}
			if err := l.List(ctx, func(ref Ref, _ int64) error { return fmt.Errorf("%s is there", ref) }); err != nil {
				t.Fatal(err)
			}
			if left, err := d.list("tmp"); err != nil || len(left) != 1 {
				t.Fatalf("temporary files: %v, %v", left, err)
			}
			d.fault = nil
			if _, err := l.Append(ctx, "upload-one", 1000, bytes.NewReader(p[1000:])); err != nil {
				t.Fatal(err)
			}
			if err := l.Commit(ctx, "upload-one", hashOf(p), int64(len(p))); err != nil {
				t.Fatal(err)
			}
			if err := same(ctx, l, hashOf(p), p); err != nil {
				t.Fatal(err)
			}
		})
	}
}
