// Package blobtest is the contract of blob.Store as a test. Every store runs it.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"audiomicro/internal/blob"
)

// Clock is the moment a store under test believes in.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock starts at the present.
func NewClock() *Clock { return &Clock{t: time.Now()} }

// Now is the store's Now.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Bytes makes n reproducible bytes that no other seed makes.
func Bytes(seed uint64, n int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	p := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(p) // documented never to fail
	return p
}

// RefOf hashes content.
func RefOf(p []byte) blob.Ref {
	sum := sha256.Sum256(p)
	return blob.Ref(hex.EncodeToString(sum[:]))
}

// Run tests the contract on stores made by open, each empty and with its clock.
func Run(t *testing.T, open func(t *testing.T) (blob.Store, *Clock)) {
	for name, test := range map[string]func(*testing.T, blob.Store, *Clock){
		"put and read":  putAndRead,
		"ranges":        ranges,
		"stages":        stages,
		"broken append": brokenAppend,
		"commit":        commit,
		"stage expiry":  stageExpiry,
		"trash":         trash,
		"erase":         erase,
		"marker":        marker,
		"names":         names,
		"list":          list,
		"same content":  sameContent,
		"take-over":     oneAppendWins,
		"come and go":   stagesComeAndGo,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, clock := open(t)
			test(t, s, clock)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// Content reads all of ref.
func Content(t *testing.T, s blob.Store, ref blob.Ref) []byte {
	t.Helper()
	f, err := s.Open(t.Context(), ref)
	must(t, err)
	defer f.Close()
	p, err := io.ReadAll(f)
	must(t, err)
	if int64(len(p)) != f.Size() {
		t.Fatalf("read %d bytes of a file of %d", len(p), f.Size())
	}
	return p
}

func put(t *testing.T, s blob.Store, p []byte) blob.Ref {
	t.Helper()
	ref, n, err := s.Put(t.Context(), bytes.NewReader(p))
	must(t, err)
	if ref != RefOf(p) || n != int64(len(p)) {
		t.Fatalf("put gave %s of %d bytes, want %s of %d", ref, n, RefOf(p), len(p))
	}
	return ref
}

func putAndRead(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	for _, size := range []int{0, 1, 4096, 300_000, 9 << 20} {
		p := Bytes(uint64(size), size)
		ref := put(t, s, p)
		if !bytes.Equal(Content(t, s, ref), p) {
			t.Fatalf("%d bytes came back changed", size)
		}
		n, err := s.Stat(ctx, ref)
		must(t, err)
		if n != int64(size) {
			t.Fatalf("stat says %d, want %d", n, size)
		}
		must(t, s.Verify(ctx, ref))
	}
	missing := RefOf([]byte("never stored"))
	_, err := s.Open(ctx, missing)
	wantErr(t, err, blob.ErrNotFound)
	_, err = s.Stat(ctx, missing)
	wantErr(t, err, blob.ErrNotFound)
	_, err = s.OpenRange(ctx, missing, 0, 1)
	wantErr(t, err, blob.ErrNotFound)
	wantErr(t, s.Verify(ctx, missing), blob.ErrNotFound)

	broken := errors.New("the source broke")
	_, _, err = s.Put(ctx, io.MultiReader(bytes.NewReader(Bytes(7, 100_000)), iotest.ErrReader(broken)))
	wantErr(t, err, broken)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = s.Put(canceled, bytes.NewReader(Bytes(8, 100)))
	wantErr(t, err, context.Canceled)
}

func ranges(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	p := Bytes(2, 700_001)
	ref := put(t, s, p)
	for _, c := range []struct{ offset, length, from, to int64 }{
		{0, 10, 0, 10}, {5, -1, 5, 700_001}, {700_000, 5, 700_000, 700_001}, {700_001, 5, 700_001, 700_001}, {3, 0, 3, 3},
	} {
		r, err := s.OpenRange(ctx, ref, c.offset, c.length)
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		if !bytes.Equal(got, p[c.from:c.to]) {
			t.Fatalf("range %d+%d: %d bytes, want %d", c.offset, c.length, len(got), c.to-c.from)
		}
	}
	f, err := s.Open(ctx, ref)
	must(t, err)
	defer f.Close()
	at := make([]byte, 1000)
	_, err = f.ReadAt(at, 650_000)
	must(t, err)
	if !bytes.Equal(at, p[650_000:651_000]) {
		t.Fatal("ReadAt read something else")
	}
	n, err := f.ReadAt(at, 700_001-10)
	if n != 10 || err != io.EOF {
		t.Fatalf("ReadAt at the end: %d, %v", n, err)
	}
	pos, err := f.Seek(-100, io.SeekEnd)
	must(t, err)
	rest, err := io.ReadAll(f)
	must(t, err)
	if pos != 700_001-100 || !bytes.Equal(rest, p[pos:]) {
		t.Fatalf("after Seek to %d: %d bytes", pos, len(rest))
	}
	_, err = f.Seek(1, io.SeekStart)
	must(t, err)
	_, err = io.ReadFull(f, at)
	must(t, err)
	if !bytes.Equal(at, p[1:1001]) {
		t.Fatal("Seek back read something else")
	}
}

func appendTo(t *testing.T, s blob.Store, id string, offset int64, p []byte) {
	t.Helper()
	n, err := s.Append(t.Context(), id, offset, bytes.NewReader(p))
	must(t, err)
	if n != int64(len(p)) {
		t.Fatalf("append took %d of %d bytes", n, len(p))
	}
	wantStage(t, s, id, offset+int64(len(p)))
}

func wantStage(t *testing.T, s blob.Store, id string, want int64) {
	t.Helper()
	size, err := s.StageSize(t.Context(), id)
	must(t, err)
	if size != want {
		t.Fatalf("stage %s holds %d bytes, want %d", id, size, want)
	}
}

func staged(t *testing.T, s blob.Store, id string) []byte {
	t.Helper()
	r, err := s.OpenStage(t.Context(), id)
	must(t, err)
	defer r.Close()
	p, err := io.ReadAll(r)
	must(t, err)
	return p
}

func stages(t *testing.T, s blob.Store, _ *Clock) {
	ctx, id := t.Context(), "stage-0001"
	p := Bytes(3, 500_000)
	wantStage(t, s, id, 0)
	_, err := s.OpenStage(ctx, id)
	wantErr(t, err, blob.ErrNotFound)
	_, err = s.Append(ctx, id, 5, bytes.NewReader(p[:5]))
	wantErr(t, err, blob.ErrOffset)
	appendTo(t, s, id, 0, p[:100_000])
	appendTo(t, s, id, 100_000, p[100_000:100_001])
	appendTo(t, s, id, 100_001, nil)
	for _, wrong := range []int64{0, 100_000, 100_002} {
		_, err = s.Append(ctx, id, wrong, bytes.NewReader(p[:5]))
		wantErr(t, err, blob.ErrOffset)
	}
	wantStage(t, s, id, 100_001)
	appendTo(t, s, id, 100_001, p[100_001:])
	if !bytes.Equal(staged(t, s, id), p) {
		t.Fatal("the stage holds something else")
	}
	wantErr(t, s.Truncate(ctx, id, 500_001), blob.ErrOffset)
	must(t, s.Truncate(ctx, id, 500_000))
	must(t, s.Truncate(ctx, id, 50_000)) // inside a piece
	wantStage(t, s, id, 50_000)
	appendTo(t, s, id, 50_000, p[50_000:])
	if !bytes.Equal(staged(t, s, id), p) {
		t.Fatal("the stage holds something else after Truncate")
	}
	must(t, s.Truncate(ctx, id, 0))
	wantStage(t, s, id, 0)
	appendTo(t, s, id, 0, p[:10])
	must(t, s.Abort(ctx, id))
	must(t, s.Abort(ctx, id))
	wantStage(t, s, id, 0)
}

func brokenAppend(t *testing.T, s blob.Store, _ *Clock) {
	ctx, id := t.Context(), "stage-0002"
	p := Bytes(4, 300_000)
	broken := errors.New("the line broke")
	n, err := s.Append(ctx, id, 0, io.MultiReader(bytes.NewReader(p[:200_000]), iotest.ErrReader(broken)))
	wantErr(t, err, broken)
	if n != 200_000 {
		t.Fatalf("kept %d bytes, want all 200000 that came", n)
	}
	wantStage(t, s, id, 200_000)
	canceled, cancel := context.WithCancel(ctx)
	n, err = s.Append(canceled, id, 200_000, io.MultiReader(bytes.NewReader(p[200_000:250_000]), readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, canceled.Err()
	})))
	wantErr(t, err, context.Canceled)
	if n != 50_000 {
		t.Fatalf("kept %d bytes, want 50000", n)
	}
	appendTo(t, s, id, 250_000, p[250_000:])
	must(t, s.Commit(ctx, id, RefOf(p), 300_000))
	must(t, s.Verify(ctx, RefOf(p)))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func commit(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	for name, cuts := range map[string][]int{
		"one-piece": {1000}, "many-small": {1, 2, 3, 1000, 5000}, "large-pieces": {6 << 20, 12 << 20, 13 << 20},
	} {
		size := cuts[len(cuts)-1]
		p := Bytes(uint64(size), size)
		from := 0
		for _, to := range cuts {
			appendTo(t, s, name, int64(from), p[from:to])
			from = to
		}
		ref := RefOf(p)
		wantErr(t, s.Commit(ctx, name, ref, int64(size)+1), blob.ErrSize)
		wantStage(t, s, name, int64(size))
		must(t, s.Commit(ctx, name, ref, int64(size)))
		must(t, s.Commit(ctx, name, ref, int64(size)))
		wantStage(t, s, name, 0)
		if !bytes.Equal(Content(t, s, ref), p) {
			t.Fatalf("%s: committed content differs", name)
		}
		must(t, s.Verify(ctx, ref))
	}
	wantErr(t, s.Commit(ctx, "never-staged", RefOf([]byte("x")), 1), blob.ErrNotFound)
	// A hash that is not the content's is found by Verify.
	appendTo(t, s, "wrong-hash", 0, []byte("some bytes"))
	must(t, s.Commit(ctx, "wrong-hash", RefOf([]byte("other bytes")), 10))
	wantErr(t, s.Verify(ctx, RefOf([]byte("other bytes"))), blob.ErrCorrupt)
}

func stageExpiry(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	appendTo(t, s, "stage-0003", 0, []byte("abc"))
	appendTo(t, s, "stage-0003", 3, []byte("def"))
	appendTo(t, s, "stage-0004", 0, []byte("abc"))
	old, err := s.ListStages(ctx, time.Now().Add(-time.Hour))
	must(t, err)
	if len(old) != 0 {
		t.Fatalf("stages older than an hour: %v", old)
	}
	all, err := s.ListStages(ctx, time.Now().Add(time.Hour))
	must(t, err)
	slices.Sort(all)
	if !slices.Equal(all, []string{"stage-0003", "stage-0004"}) {
		t.Fatalf("stages: %v", all)
	}
}

func trash(t *testing.T, s blob.Store, clock *Clock) {
	ctx := t.Context()
	p := Bytes(5, 1000)
	ref := put(t, s, p)
	wantErr(t, s.Restore(ctx, RefOf([]byte("unknown"))), blob.ErrNotFound)
	must(t, s.Restore(ctx, ref))
	must(t, s.Delete(ctx, ref))
	_, err := s.Open(ctx, ref)
	wantErr(t, err, blob.ErrNotFound)
	wantErr(t, s.Delete(ctx, ref), blob.ErrNotFound)
	must(t, s.Restore(ctx, ref))
	if !bytes.Equal(Content(t, s, ref), p) {
		t.Fatal("restored content differs")
	}
	must(t, s.Delete(ctx, ref))
	must(t, s.Delete(ctx, put(t, s, p))) // twice in the trash
	clock.Advance(31 * 24 * time.Hour)
	young := put(t, s, Bytes(6, 10))
	must(t, s.Delete(ctx, young))
	blobs, size, err := s.Purge(ctx, clock.Now().Add(-30*24*time.Hour))
	must(t, err)
	// Two copies where the folder keeps both; the clock stood still, so both may also share one name.
	if blobs < 1 || blobs > 2 || size != int64(blobs)*1000 {
		t.Fatalf("purged %d blobs, %d bytes", blobs, size)
	}
	wantErr(t, s.Restore(ctx, ref), blob.ErrNotFound)
	must(t, s.Restore(ctx, young))
}

func erase(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	p := Bytes(9, 1000)
	ref := put(t, s, p)
	must(t, s.Delete(ctx, ref))
	put(t, s, p)
	must(t, s.DeleteNow(ctx, ref))
	_, err := s.Stat(ctx, ref)
	wantErr(t, err, blob.ErrNotFound)
	wantErr(t, s.Restore(ctx, ref), blob.ErrNotFound)
	must(t, s.DeleteNow(ctx, ref))
}

func marker(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	_, err := s.Marker(ctx)
	wantErr(t, err, blob.ErrNotFound)
	if err := s.SetMarker(ctx, ""); err == nil {
		t.Fatal("an empty marker was taken")
	}
	must(t, s.SetMarker(ctx, "instance-1"))
	must(t, s.SetMarker(ctx, "instance-1"))
	wantErr(t, s.SetMarker(ctx, "instance-2"), blob.ErrMarker)
	id, err := s.Marker(ctx)
	must(t, err)
	if id != "instance-1" {
		t.Fatalf("marker %q", id)
	}
}

func names(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	for _, id := range []string{"", "short", "../../../../etc/x", "with/slash-1", "dots..dots..", "nul\x00nul\x00nul", strings.Repeat("a", 65)} {
		if _, err := s.Append(ctx, id, 0, strings.NewReader("x")); err == nil {
			t.Fatalf("stage id %q was taken", id)
		}
		if _, err := s.StageSize(ctx, id); err == nil {
			t.Fatalf("stage id %q has a size", id)
		}
	}
	for _, ref := range []blob.Ref{"", "abc", blob.Ref(strings.Repeat("A", 64)), blob.Ref("../" + strings.Repeat("a", 61))} {
		if _, err := s.Open(ctx, ref); err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Fatalf("ref %q: %v", ref, err)
		}
		if err := s.Delete(ctx, ref); err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Fatalf("delete ref %q: %v", ref, err)
		}
		if _, ok := s.Path(ref); ok {
			t.Fatalf("ref %q has a path", ref)
		}
	}
}

func list(t *testing.T, s blob.Store, _ *Clock) {
	ctx := t.Context()
	want := map[blob.Ref]int64{}
	for i := range 20 {
		want[put(t, s, Bytes(uint64(100+i), i*10))] = int64(i * 10)
	}
	gone := put(t, s, Bytes(200, 10))
	must(t, s.Delete(ctx, gone))
	appendTo(t, s, "stage-0005", 0, []byte("abc"))
	must(t, s.SetMarker(ctx, "instance-1"))
	got := map[blob.Ref]int64{}
	must(t, s.List(ctx, func(ref blob.Ref, size int64) error {
		got[ref] = size
		return nil
	}))
	if len(got) != len(want) {
		t.Fatalf("listed %d blobs, want %d", len(got), len(want))
	}
	for ref, size := range want {
		if got[ref] != size {
			t.Fatalf("%s listed with %d bytes, want %d", ref, got[ref], size)
		}
	}
	stop := errors.New("enough")
	wantErr(t, s.List(ctx, func(blob.Ref, int64) error { return stop }), stop)
}

func sameContent(t *testing.T, s blob.Store, _ *Clock) {
	p := Bytes(10, 100_000)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if i%2 == 0 {
				if _, _, err := s.Put(t.Context(), bytes.NewReader(p)); err != nil {
					t.Error(err)
				}
				return
			}
			id := "same-content-" + string(rune('0'+i))
			if _, err := s.Append(t.Context(), id, 0, bytes.NewReader(p)); err != nil {
				t.Error(err)
			}
			if err := s.Commit(t.Context(), id, RefOf(p), int64(len(p))); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	n := 0
	must(t, s.List(t.Context(), func(blob.Ref, int64) error { n++; return nil }))
	if n != 1 {
		t.Fatalf("%d blobs of one content", n)
	}
	must(t, s.Verify(t.Context(), RefOf(p)))
}

// oneAppendWins has a second connection take over from a first that still dribbles: what is staged stays in order.
func oneAppendWins(t *testing.T, s blob.Store, _ *Clock) {
	id := "taken-over"
	p := Bytes(11, 100_000)
	slow, feed := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := s.Append(t.Context(), id, 0, slow)
		done <- err
	}()
	if _, err := feed.Write(p[:1]); err != nil {
		t.Fatal(err)
	}
	// Local has the byte now or in a moment, S3 still collects its piece: the newcomer goes on from whatever is there, as a
	// client does that is told its offset is wrong.
	for {
		size, err := s.StageSize(t.Context(), id)
		must(t, err)
		n, err := s.Append(t.Context(), id, size, bytes.NewReader(p[size:]))
		if errors.Is(err, blob.ErrOffset) {
			continue
		}
		must(t, err)
		wantStage(t, s, id, size+n)
		break
	}
	go func() {
		_, _ = feed.Write(Bytes(12, 50_000)) // the old connection dribbles on; its fate is Append's answer
		feed.Close()
	}()
	wantErr(t, <-done, blob.ErrOffset)
	if !bytes.Equal(staged(t, s, id), p) {
		t.Fatal("the old connection disturbed the stage")
	}
}

// stagesComeAndGo has many files arrive side by side, so that each stage begins while others end: none disturbs another.
func stagesComeAndGo(t *testing.T, s blob.Store, _ *Clock) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				id, p := fmt.Sprintf("stage-%d-%d", w, i), Bytes(uint64(1000*w+i), 3000)
				_, err := s.Append(t.Context(), id, 0, bytes.NewReader(p))
				if err == nil {
					err = s.Commit(t.Context(), id, RefOf(p), int64(len(p)))
				}
				if err != nil {
					t.Errorf("file %d of %d: %v", i, w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	n := 0
	must(t, s.List(t.Context(), func(blob.Ref, int64) error { n++; return nil }))
	if n != 8*25 && !t.Failed() {
		t.Errorf("%d files are there, want %d", n, 8*25)
	}
}
