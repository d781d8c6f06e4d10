package ingest_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestOriginalsGone: a disk lost most originals, and the background is to listen to all again. What is gone or altered is noted and told to
// the operator, keeps nothing else waiting, and is listened to once its bytes are back; a full disk is nothing of the kind.
func TestOriginalsGone(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, later := context.Background(), s.Now().Add(time.Hour)
		admin, ann := s.Person("Ada", "admin"), s.Person("Ann", "contributor")
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := db.Exec(ctx, s.DB, query, args...); err != nil {
				t.Fatal(err)
			}
		}
		var ids []int64
		for i := range 8 {
			block := make([]float32, 24_000)
			for k := range block {
				block[k] = float32(0.3 * math.Sin(2*math.Pi*220*float64(i+1)*float64(k)/48_000))
			}
			id := uploadMono(t, ann, fmt.Sprintf("tone%d.wav", i), block, 48_000)
			ids = append(ids, id)
		}
		testkit.Eventually(t, "all are measured", func() bool {
			f, err := s.Recordings.Freshness(ctx, describe.Version, describe.DetailVersion)
			return err == nil && f.Analyzed == int64(len(ids)) && f.Undetailed == 0
		})
		path := func(id int64) string {
			rec, err := s.Recordings.ByID(ctx, s.DB, id)
			if err != nil {
				t.Fatal(err)
			}
			p, ok := s.Blobs.Path(blob.Ref(rec.SHA256))
			if !ok {
				t.Fatal("originals are no local files")
			}
			return p
		}
		// The one whose bytes are whole is the oldest: it comes last.
		before := func() {
			exec(`UPDATE recording_analysis SET described = 1`)
			exec(`UPDATE recording_analysis SET created_at = 1 WHERE recording_id = $1`, ids[0])
			exec(`UPDATE recording_detail SET version = 0, created_at = 2`)
			exec(`UPDATE recording_detail SET created_at = 1 WHERE recording_id = $1`, ids[0])
			exec(`DELETE FROM recording_contour`)
		}
		// A full disk fails the first of them and tells it in a line; the next round begins with the others.
		before()
		dir := s.Ingest.Dir
		s.Ingest.Dir = filepath.Join(path(ids[0]), "full")
		seen := map[string]bool{}
		for range 2 {
			err := s.Ingest.RefreshDetail(ctx, later)
			if err == nil || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") || len(seen) == 0 && !strings.Contains(err.Error(), "and 4 more recordings failed") {
				t.Fatalf("a full disk: %v", err)
			}
			which, _, _ := strings.Cut(err.Error(), ":")
			seen[which] = true
		}
		if list, err := s.Recordings.Unheard(ctx, 3); err != nil || len(list) > 0 || len(seen) != 2 {
			t.Errorf("a full disk: failed %v, noted %+v, %v", seen, list, err)
		}
		s.Ingest.Dir = dir
		whole := map[string][]byte{}
		for _, id := range ids[1:] {
			data, err := os.ReadFile(path(id))
			if err != nil {
				t.Fatal(err)
			}
			whole[path(id)] = data
			if err := os.Remove(path(id)); err != nil {
				t.Fatal(err)
			}
		}
		altered := path(ids[1])
		if err := os.WriteFile(altered, make([]byte, len(whole[altered])), 0o600); err != nil {
			t.Fatal(err)
		}
		round := func() error {
			if err := s.Ingest.Refresh(ctx, later); err != nil {
				return err
			}
			return s.Ingest.RefreshDetail(ctx, later)
		}
		measured := func(id int64) bool {
			n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM recording_analysis a JOIN recording_contour c ON c.recording_id = a.recording_id WHERE a.recording_id = $1 AND described = $2 AND c.version = $3
				AND NOT EXISTS (SELECT 1 FROM recording_unheard u WHERE u.recording_id = a.recording_id)`, id, describe.Version, contour.Version)
			if err != nil {
				t.Fatal(err)
			}
			return n == 1
		}

		before()
		if err := round(); err != nil {
			t.Errorf("originals are gone: %v", err)
		}
		if !measured(ids[0]) {
			t.Error("the one whose bytes are whole did not get its turn")
		}
		list, err := s.Recordings.Unheard(ctx, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 2 || list[0].Reason != recordings.Missing || list[0].Count != 6 || len(list[0].IDs) != 3 || list[1].Reason != recordings.Altered || !slices.Equal(list[1].IDs, ids[1:2]) {
			t.Errorf("noted: %+v", list)
		}
		page := admin.Get("/admin/formats").Text
		for _, text := range []string{"Bytes are missing", "Bytes are altered", fmt.Sprintf(`href="/recordings/%d"`, ids[7])} {
			if !strings.Contains(page, text) {
				t.Errorf("the page does not say %q", text)
			}
		}
		d, err := s.Doctor(ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		if notes := strings.Join(d.Notes, "\n"); !strings.Contains(notes, "(missing): 6, of recordings") || !strings.Contains(notes, fmt.Sprintf("(altered): 1, of recordings %d;", ids[1])) {
			t.Errorf("doctor notes: %s", notes)
		}
		if gone := strings.Count(strings.Join(d.Problems, "\n"), "are not in the blob store"); gone != 6 {
			t.Errorf("doctor misses %d originals: %s", gone, d.Problems)
		}
		// Nothing is tried again while nothing has changed.
		exec(`UPDATE recording_unheard SET looked_at = 0`)
		if err := s.Ingest.LookAgain(ctx, later); err != nil {
			t.Fatal(err)
		}
		if again, err := s.Recordings.Unheard(ctx, 3); err != nil || fmt.Sprint(again) != fmt.Sprint(list) {
			t.Errorf("looked at again: %+v %v", again, err)
		}
		// A backup brings them back.
		for p, data := range whole {
			if err := os.WriteFile(p, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Ingest.LookAgain(ctx, later); err != nil { // looked at a moment ago
			t.Fatal(err)
		}
		if measured(ids[7]) {
			t.Error("bytes are looked for all the time")
		}
		exec(`UPDATE recording_unheard SET looked_at = 0`)
		if err := s.Ingest.LookAgain(ctx, later); err != nil {
			t.Fatal(err)
		}
		if err := round(); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if !measured(id) {
				t.Errorf("recording %d is not listened to though its bytes are back", id)
			}
		}
		// What only the decoder refuses is tried again when the operator says so.
		exec(`INSERT INTO recording_unheard (recording_id, pass, reason, noted_at, looked_at) VALUES ($1, 'describe', 'undecoded', 1, $2)`, ids[3], s.Now().UnixMicro())
		if res := ann.Post("/admin/formats", url.Values{"reason": {"undecoded"}}); res.Status != http.StatusNotFound && res.Status != http.StatusForbidden {
			t.Errorf("a contributor asks to try again: %d", res.Status)
		}
		if res := admin.Post("/admin/formats", url.Values{"reason": {"undecoded"}}); res.Status != http.StatusSeeOther {
			t.Errorf("try again: %d %s", res.Status, res.Text)
		}
		if err := round(); err != nil || !measured(ids[3]) {
			t.Errorf("tried again: %v", err)
		}
	})
}
