package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestDetail uploads a tone: its details come after it is ready, through a job of their own, and again in the background when an older
// version of the program left them, when they are gone, or when the recording was analyzed again. What is no sound any more keeps what it has and is asked once.
func TestDetail(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx := context.Background()
		ann := s.Person("Ann", "contributor")
		detail := func(id int64) string {
			t.Helper()
			figures, err := s.Recordings.FiguresOf(ctx, []int64{id})
			if err != nil {
				t.Fatal(err)
			}
			return figures[id].Detail
		}
		var ids []int64
		for i := range 2 {
			block := make([]float32, 96_000)
			for k := range block {
				block[k] = float32(0.3 * math.Sin(2*math.Pi*440*float64(i+1)*float64(k)/48_000))
			}
			id := uploadMono(t, ann, fmt.Sprintf("tone%d.wav", i), block, 48_000)
			testkit.Eventually(t, "its details are measured", func() bool {
				if detail(id) == "" {
					return false
				}
				rec, err := s.Recordings.ByID(ctx, s.DB, id)
				if err != nil || rec.Processing != recordings.Ready {
					t.Errorf("details of a recording that is %s, %v", rec.Processing, err)
				}
				return true
			})
			ids = append(ids, id)
		}
		first := detail(ids[0])
		var v struct {
			Tristimulus []float64 `json:"tristimulus"`
			Salience    float64   `json:"pitch_salience"`
			Problems    *bool     `json:"has_audio_problems"`
		}
		if err := json.Unmarshal([]byte(first), &v); err != nil || len(v.Tristimulus) != 3 || v.Tristimulus[0] < .95 || v.Salience < .95 || v.Problems == nil || *v.Problems {
			t.Fatalf("details of a tone: %v %s", err, first)
		}
		if page := ann.Get(fmt.Sprintf("/recordings/%d", ids[0])).Text; !strings.Contains(page, "More measurements") || !strings.Contains(page, "Sharpness") || !strings.Contains(page, "Hardness") || !strings.Contains(page, "Warmth") || !strings.Contains(page, "Reverberation") {
			t.Error("the page shows no more measurements")
		}
		// As a kill between the commit of the analysis and the second pass, or an older program, leaves them.
		if _, err := db.Exec(ctx, s.DB, `DELETE FROM recording_detail WHERE recording_id = $1`, ids[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, s.DB, `UPDATE recording_detail SET version = 0, descriptors = '{"dissonance":9}' WHERE recording_id = $1`, ids[1]); err != nil {
			t.Fatal(err)
		}
		// What stands under the second one's hash is no sound any more.
		ref, _, err := s.Blobs.Put(ctx, bytes.NewReader(make([]byte, 5000)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, s.DB, `UPDATE recording SET sha256 = $1, byte_size = 5000 WHERE id = $2`, string(ref), ids[1]); err != nil {
			t.Fatal(err)
		}
		if err := s.Ingest.RefreshDetail(ctx, s.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if again := detail(ids[0]); again != first {
			t.Errorf("measured again: %s", again)
		}
		if again := detail(ids[1]); again != `{"dissonance":9}` {
			t.Errorf("no sound any more: %s", again)
		}
		if list, err := s.Recordings.Unheard(ctx, 1); err != nil || len(list) != 1 || list[0].Reason != "unsupported" || list[0].Count != 1 {
			t.Errorf("no sound any more is noted as %+v, %v", list, err)
		}
		if _, err := db.Exec(ctx, s.DB, `UPDATE recording_analysis SET described = 1 WHERE recording_id = $1`, ids[0]); err != nil {
			t.Fatal(err)
		}
		if err := s.Ingest.Refresh(ctx, s.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "what was analyzed again is measured again", func() bool { return detail(ids[0]) == first })
	})
}
