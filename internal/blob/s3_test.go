package blob_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"audiomicro/internal/blob"
	"audiomicro/internal/blob/blobtest"
)

// server runs versitygw, a real S3 server, over a temporary folder, and returns its address.
func server(t *testing.T) string {
	t.Helper()
	bin := gateway(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command(bin, "--access", "test-key", "--secret", "test-secret", "--port", addr, "--quiet", "posix", t.TempDir())
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: its error is expected
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
		if time.Now().After(deadline) {
			t.Fatalf("the S3 server did not start: %s", log.String())
		}
	}
}

// gateway builds versitygw from tools/go.mod, once per version and machine.
func gateway(t *testing.T) string {
	t.Helper()
	const pkg = "github.com/versity/versitygw/cmd/versitygw"
	cache, err := os.UserCacheDir()
	if err != nil {
		missing(t, "no cache folder: %v", err)
	}
	tools, err := filepath.Abs("../../tools")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "-C", tools, "-f", "{{.Module.Version}}", pkg)
	version, err := list.Output()
	if err != nil {
		missing(t, "tools/go.mod has no versitygw: %v", err)
	}
	bin := filepath.Join(cache, "audiomicro-tools", "versitygw-"+strings.TrimSpace(string(version)))
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	t.Logf("building the S3 server for tests, once: it takes minutes")
	part := fmt.Sprintf("%s.%d", bin, os.Getpid())
	build := exec.Command("go", "build", "-C", tools, "-trimpath", "-o", part, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		missing(t, "versitygw cannot be built: %v\n%s", err, out)
	}
	if err := os.Rename(part, bin); err != nil {
		t.Fatal(err)
	}
	return bin
}

func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI needs it: "+format, args...)
	}
	t.Skipf("SKIPPED, NOT TESTED: "+format, args...)
}

// bucket makes the bucket "blobs".
func bucket(t *testing.T, addr string) {
	t.Helper()
	client, err := minio.New(addr, &minio.Options{Creds: credentials.NewStaticV4("test-key", "test-secret", "")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	if err := client.MakeBucket(ctx, "blobs", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
}

// openS3 opens the store that lives below prefix.
func openS3(t *testing.T, addr, prefix string, now ...func() time.Time) (*blob.S3, error) {
	t.Helper()
	address := url.URL{Scheme: "s3", User: url.UserPassword("test-key", "test-secret"), Host: addr, RawQuery: "insecure=1", Path: "/blobs/" + prefix}
	return blob.OpenS3(t.Context(), address.String(), append(now, time.Now)[0])
}

func TestS3(t *testing.T) {
	t.Parallel()
	addr := server(t)
	bucket(t, addr)
	var n atomic.Int64
	open := func(t *testing.T) (blob.Store, *blobtest.Clock) {
		clock := blobtest.NewClock()
		s, err := openS3(t, addr, fmt.Sprintf("store-%d", n.Add(1)), clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		return s, clock
	}
	t.Run("contract", func(t *testing.T) { blobtest.Run(t, open) })
	t.Run("addresses", func(t *testing.T) {
		for _, bad := range []string{
			"", "http://key:secret@" + addr + "/blobs", "s3://" + addr + "/blobs?insecure=1",
			"s3://test-key:test-secret@" + addr + "/no-such-bucket?insecure=1", "s3://test-key:wrong-secret@" + addr + "/blobs?insecure=1",
		} {
			_, err := blob.OpenS3(t.Context(), bad, time.Now)
			if err == nil {
				t.Errorf("%s was opened", bad)
			} else if strings.Contains(err.Error(), "secret@") {
				t.Errorf("the error repeats the secret: %v", err)
			}
		}
	})
}
