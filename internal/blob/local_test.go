package blob_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/blob/blobtest"
)

func TestLocal(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) (blob.Store, *blobtest.Clock) {
		clock := blobtest.NewClock()
		s, err := blob.OpenLocal(t.TempDir(), clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		return s, clock
	})
}

func TestLocalDamage(t *testing.T) {
	t.Parallel()
	s, err := blob.OpenLocal(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p := blobtest.Bytes(1, 1000)
	appendAll(t, s, "stage-0001", p)
	ref := blobtest.RefOf(p)
	if err := s.Commit(t.Context(), "stage-0001", ref, 1000); err != nil {
		t.Fatal(err)
	}
	path, ok := s.Path(ref)
	if !ok || filepath.Base(path) != string(ref) {
		t.Fatalf("path %q", path)
	}
	p[500] ^= 1
	if err := os.WriteFile(path, p, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), ref); err == nil {
		t.Fatal("one flipped bit was not found")
	}
	// The right bytes put again heal the copy.
	p[500] ^= 1
	appendAll(t, s, "stage-0002", p)
	if err := s.Commit(t.Context(), "stage-0002", ref, 1000); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
}

func appendAll(t *testing.T, s blob.Store, id string, p []byte) {
	t.Helper()
	if _, err := s.Append(t.Context(), id, 0, bytes.NewReader(p)); err != nil {
		t.Fatal(err)
	}
}
