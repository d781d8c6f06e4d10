package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"audiomicro/internal/app"
	"audiomicro/internal/config"
	"audiomicro/internal/testkit"
)

// TestNodesStartTogether starts several nodes at once on a new database and an empty bucket: they are one site, and none takes
// the bucket that another just marked for a lost one.
func TestNodesStartTogether(t *testing.T) {
	t.Parallel()
	bucket := testkit.S3(t)
	for i := range 5 {
		c := config.Default()
		c.Database, c.MailFrom = testkit.PostgresURL(t), "audiomicro@example.org"
		c.Blobs = strings.Replace(bucket, "/blobs?", fmt.Sprintf("/blobs/site-%d?", i), 1)
		var wg sync.WaitGroup
		for range 6 {
			node := c
			node.Data = t.TempDir()
			wg.Go(func() {
				a, err := app.Open(t.Context(), node, app.Options{Version: "test"})
				if err != nil {
					t.Error(err)
					return
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// TestLostBlobs opens a site whose blob folder is gone, as when a disk is not mounted, or is another site's: it is refused.
func TestLostBlobs(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Stop()
		refused := func(want string) {
			t.Helper()
			a, err := app.Open(t.Context(), s.Config, app.Options{Version: "test"})
			if err == nil {
				a.Close()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("opened with %v, want %q", err, want)
			}
		}
		blobs := filepath.Join(s.Config.Data, "blobs")
		if err := os.Rename(blobs, blobs+"-away"); err != nil {
			t.Fatal(err)
		}
		refused("is the disk mounted")
		if err := os.RemoveAll(blobs); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(blobs+"-away", blobs); err != nil {
			t.Fatal(err)
		}
		marker := filepath.Join(blobs, "instance")
		was, err := os.ReadFile(marker)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(marker, []byte(strings.Repeat("0", 32)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused("belongs to another installation")
		if err := os.WriteFile(marker, was, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := app.Open(t.Context(), s.Config, app.Options{Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
	})
}
