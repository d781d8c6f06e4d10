package testkit

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 runs versitygw, a real S3 server, over a temporary folder until the test ends, makes a bucket, and returns what the
// setting blobs takes.
func S3(t testing.TB) string {
	t.Helper()
	addr := Address(t)
	cmd := exec.Command(gateway(t), "--access", "test-key", "--secret", "test-secret", "--port", addr, "--quiet", "posix", t.TempDir())
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: its error is expected
		if t.Failed() {
			t.Logf("the S3 server said: %s", log.String())
		}
	})
	Eventually(t, "the S3 server listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	client, err := minio.New(addr, &minio.Options{Creds: credentials.NewStaticV4("test-key", "test-secret", "")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	if err := client.MakeBucket(ctx, "blobs", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	address := url.URL{Scheme: "s3", User: url.UserPassword("test-key", "test-secret"), Host: addr, RawQuery: "insecure=1", Path: "/blobs"}
	return address.String()
}

var gatewayLock sync.Mutex

// gateway finds versitygw in the cache where scripts/tools.sh puts it, or builds it there from tools/go.mod, once per version
// and machine.
func gateway(t testing.TB) string {
	t.Helper()
	gatewayLock.Lock()
	defer gatewayLock.Unlock()
	const pkg = "github.com/versity/versitygw/cmd/versitygw"
	cache, err := os.UserCacheDir()
	if err != nil {
		Missing(t, "no cache folder: %v", err)
	}
	root, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		Missing(t, "go env: %v", err)
	}
	tools := filepath.Join(filepath.Dir(strings.TrimSpace(string(root))), "tools")
	version, err := exec.Command("go", "list", "-C", tools, "-f", "{{.Module.Version}}", pkg).Output()
	if err != nil {
		Missing(t, "tools/go.mod has no versitygw: %v", err)
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
		Missing(t, "versitygw cannot be built: %v\n%s", err, out)
	}
	if err := os.Rename(part, bin); err != nil {
		t.Fatal(err)
	}
	return bin
}
