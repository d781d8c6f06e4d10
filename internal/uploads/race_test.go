package uploads_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestAtTheSameMoment sends one file several times at once, and saves and submits one draft several times at once, as a page
// that saves by itself does: there is one draft, and nothing fails.
func TestAtTheSameMoment(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		data := tone(t, 91)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if got := ann.Upload(map[string][]byte{"same.wav": data}); got.Status != http.StatusSeeOther {
					t.Errorf("upload: %d", got.Status)
				}
			})
		}
		wg.Wait()
		list, err := s.Recordings.List(t.Context(), recordings.Filter{OwnerID: ann.ID})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d drafts of one file, %v", len(list), err)
		}
		id := ready(t, s, list[0].ID).ID
		edit := fmt.Sprintf("/recordings/%d/edit", id)
		for i := range 12 {
			wg.Go(func() {
				form := described(fmt.Sprintf("Title %d", i))
				if i%4 == 0 {
					form.Set("act", "submit")
				} else {
					form.Set("act", "save")
				}
				if got := ann.Post(edit, form); got.Status >= http.StatusInternalServerError {
					t.Errorf("save: %d %s", got.Status, got.Text)
				}
			})
		}
		wg.Wait()
		if tags, err := s.Recordings.Tags(t.Context(), s.DB, id); err != nil || len(tags) < recordings.MinTags {
			t.Errorf("tags %v, %v", tags, err)
		}
		if st := find(t, s, id).State; st != recordings.Submitted {
			t.Errorf("the recording is %s", st)
		}
	})
}
