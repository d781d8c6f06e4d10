package uploads_test

import (
	"bufio"
	"context"
	"net/http"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// TestStopBesideAHangingUpload stops the server while a connection hangs in the middle of its PATCH: that is no failure and
// does not take the whole time to drain; the client is told to come back, and the upload goes on afterwards.
func TestStopBesideAHangingUpload(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, data := s.Person("Ann", "contributor"), tone(t, 75)
		at := create(t, ann, "long.wav", len(data))
		if res := patch(ann, at, 0, data[:9000]); res.Status != http.StatusNoContent {
			t.Fatalf("%d %s", res.Status, res.Text)
		}
		c := hang(t, ann, at, 9000, len(data)-9000, data[9000:9500])
		testkit.Eventually(t, "the hanging PATCH has the lease", func() bool {
			lease, err := db.Get[string](context.Background(), s.DB, `SELECT lease FROM upload`)
			return err == nil && lease != ""
		})
		start := time.Now()
		s.Restart() // fails the test when the stop reports an error
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("stopped and started again after %s", took)
		}
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("the hanging client is told %+v, %v", res, err)
		}
		stands(t, ann, at, 9000)
		whole(t, s, patch(ann, at, 9000, data[9000:]), data)
	})
}
