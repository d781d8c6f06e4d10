package blob_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/blob/blobtest"
)

// badLine forwards connections to addr and breaks each one in the middle of an answer, so that the client does not learn
// whether its request was carried out. It tells how many it broke.
func badLine(t *testing.T, addr string) (string, *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var broken atomic.Int64
	rng := rand.New(rand.NewPCG(1, 2))
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", addr)
			if err != nil {
				in.Close()
				continue
			}
			// An answer to a PUT has some 300 bytes, to a list some thousand; now and then a connection lasts for a download.
			answers := int64(20 + rng.IntN(3000))
			if rng.IntN(3) > 0 {
				answers += int64(rng.IntN(1 << 20))
			}
			go func() { _, _ = io.Copy(out, in) }()
			go func() {
				if n, _ := io.CopyN(in, out, answers); n == answers {
					broken.Add(1)
				}
				in.Close()
				out.Close()
			}()
		}
	}()
	return l.Addr().String(), &broken
}

// TestS3OverBadLine uploads, commits and deletes while answers get lost: what was acknowledged is right, nothing is lost or
// doubled.
func TestS3OverBadLine(t *testing.T) {
	t.Parallel()
	addr := server(t)
	line, broken := badLine(t, addr)
	s, err := openS3(t, line, "store")
	for deadline := time.Now().Add(90 * time.Second); err != nil; s, err = openS3(t, line, "store") {
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	p := blobtest.Bytes(1, 800_000)
	ref := blobtest.RefOf(p)
	insist := func(what string, f func() error) {
		t.Helper()
		for deadline := time.Now().Add(90 * time.Second); ; {
			err := f()
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	var acked int64
	for acked < int64(len(p)) {
		insist("append", func() error {
			size, err := s.StageSize(t.Context(), "upload-one")
			if err != nil {
				return err
			}
			if size < acked {
				t.Fatalf("the stage holds %d of %d acknowledged bytes", size, acked)
			}
			acked = size // a piece whose answer was lost is there all the same
			n, err := s.Append(t.Context(), "upload-one", acked, bytes.NewReader(p[acked:min(acked+100_000, int64(len(p)))]))
			acked += n
			return err
		})
	}
	insist("commit", func() error { return s.Commit(t.Context(), "upload-one", ref, int64(len(p))) })

	direct, err := openS3(t, addr, "store")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(blobtest.Content(t, direct, ref), p) {
		t.Fatal("the content differs")
	}
	if size, err := direct.StageSize(t.Context(), "upload-one"); err != nil || size != 0 {
		t.Fatalf("%d bytes are left of the stage, %v", size, err)
	}
	insist("put", func() error { _, _, err := s.Put(t.Context(), bytes.NewReader(p[:1000])); return err })
	insist("verify", func() error { return s.Verify(t.Context(), blobtest.RefOf(p[:1000])) })
	n := 0
	if err := direct.List(t.Context(), func(blob.Ref, int64) error { n++; return nil }); err != nil || n != 2 {
		t.Fatalf("%d blobs, %v", n, err)
	}
	if broken.Load() < 5 {
		t.Fatalf("only %d connections broke: nothing was tested", broken.Load())
	}
	t.Logf("%d connections broke", broken.Load())
}
