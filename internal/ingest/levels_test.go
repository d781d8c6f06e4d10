package ingest_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestLongSpectrogram: a recording of over twenty minutes gets a spectrogram in levels, which its page names and anybody who sees it may fetch
// in parts; one that was analyzed before there were any gets it in the background, and nothing else of it changes. A short one has none.
func TestLongSpectrogram(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ann := context.Background(), s.Person("Ann", "contributor")
		upload := func(seconds int) recordings.Recording {
			const rate = 8000
			block := make([]float32, seconds*rate)
			for i := range block {
				block[i] = float32(.3 * math.Sin(2*math.Pi*float64(400+i/rate)*float64(i)/rate))
			}
			id := uploadMono(t, ann, fmt.Sprintf("sweep%d.wav", seconds), block, rate)
			var rec recordings.Recording
			testkit.Eventually(t, "it is analyzed", func() bool {
				var err error
				if rec, err = s.Recordings.ByID(ctx, s.DB, id); err != nil || rec.Processing == recordings.Failed {
					t.Fatalf("a sound of %d s is %s: %v", seconds, rec.Processing, err)
				}
				return rec.Processing == recordings.Ready
			})
			return rec
		}
		short, long := upload(3), upload(1210)
		if page := ann.Get(fmt.Sprintf("/recordings/%d", short.ID)).Text; strings.Contains(page, "data-levels") {
			t.Error("a short one has levels")
		}
		at := "/media/" + long.Token + "/spectrum-levels.dat"
		if page := ann.Get(fmt.Sprintf("/recordings/%d", long.ID)).Text; !strings.Contains(page, `data-levels="`+at+`"`) {
			t.Error("the page of a long one names no levels")
		}
		part := func() string {
			res := ann.Do(http.MethodGet, at, http.Header{"Range": {"bytes=0-3"}}, nil)
			return fmt.Sprint(res.Status, " ", res.Text)
		}
		if got := part(); got != "206 AMSL" {
			t.Errorf("its first bytes: %s", got)
		}
		if _, err := db.Exec(ctx, s.DB, `DELETE FROM recording_media WHERE name = $1`, recordings.SpectrumLevels); err != nil {
			t.Fatal(err)
		}
		row := func() string {
			v, err := db.Get[string](ctx, s.DB, `SELECT count(*) || ' ' || sum(m.created_at) || ' ' || max(a.created_at) FROM recording_media m JOIN recording_analysis a ON a.recording_id = m.recording_id
				WHERE m.recording_id = $1 AND m.name <> $2`, long.ID, recordings.SpectrumLevels)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		before := row()
		if err := s.Ingest.Refresh(ctx, s.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := part(); got != "206 AMSL" || row() != before {
			t.Errorf("drawn in the background: %s, media %s before and %s after", got, before, row())
		}
	})
}
