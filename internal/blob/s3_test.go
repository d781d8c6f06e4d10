package blob_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/blob/blobtest"
	"audiomicro/internal/testkit"
)

// server runs a real S3 server with a bucket "blobs", and returns its address.
func server(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(testkit.S3(t))
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
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
