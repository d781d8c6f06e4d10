package uploads_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestFromFileToPublic walks the whole way by plain forms: upload, describe, submit, return, mend, approve, edit, unpublish.
func TestFromFileToPublic(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, mod := s.Person("Ann", "contributor"), s.Person("Mod", "moderator")
		rec := draft(t, ann, "hall bell.wav", 1)
		edit, review := fmt.Sprintf("/recordings/%d/edit", rec.ID), fmt.Sprintf("/review/%d", rec.ID)
		ready(t, s, rec.ID)

		page := ann.Get(edit)
		wants(t, page, 200, "hall bell.wav", "Licenses you offer", "Submit for review", recordings.RightsText)
		form := described("Hall bell")
		form.Del("category")
		form.Set("act", "submit")
		wants(t, ann.Post(edit, form), 422, "Choose a category.", "It is saved, but not submitted")
		if got := find(t, s, rec.ID); got.Title != "Hall bell" || got.State != recordings.Draft {
			t.Fatalf("after a refused submission: %q %s", got.Title, got.State)
		}
		form.Set("category", "fx-o")
		many := make([]string, 31)
		for i := range many {
			many[i] = fmt.Sprint("tag", i)
		}
		typed := form.Get("tags")
		form.Set("tags", strings.Join(many, ", "))
		wants(t, ann.Post(edit, form), 422, "These are 31 tags, and a recording may have 30.", "tag30")
		form.Set("tags", typed+", "+strings.Repeat("long", 11))
		wants(t, ann.Post(edit, form), 422, "is too long for a tag")
		wants(t, applyTable(t, ann, []int64{rec.ID}, fmt.Sprintf("id,tags\n%d,%q\n", rec.ID, strings.Join(many, ", "))), 422, "Line 2, tags: These are 31 tags")
		form.Set("tags", typed)
		if res := ann.Post(edit, form); res.Location != "/my-sounds" {
			t.Fatalf("submit: %d %s", res.Status, res.Text)
		}
		wants(t, ann.Get("/my-sounds"), 200, "Hall bell", "In review")
		wants(t, ann.Get(edit), 200, "In review.")
		if res := ann.Post(edit, form); res.Status != http.StatusConflict {
			t.Fatalf("edit during the review: %d", res.Status)
		}

		wants(t, mod.Get("/review"), 200, "Hall bell", "1 recording waits", "Ann", "CC BY", "Recorded <em>outside</em>")
		if page := mod.Get(review); strings.Contains(page.Text, `href=""`) {
			t.Error("the review has a link that leads nowhere")
		}
		wants(t, mod.Post(review, map[string][]string{"decision": {"return"}}), 422, "Choose why it is returned.")
		if res := mod.Post(review, map[string][]string{"decision": {"return"}, "reason": {"described"}, "note": {"Say where it hangs."}}); res.Location != "/review" {
			t.Fatalf("return: %d %s", res.Status, res.Text)
		}
		wants(t, ann.Get("/my-sounds?state=returned"), 200, "Say where it hangs.")
		wants(t, ann.Get(edit), 200, "Say where it hangs.", "Submit again")
		if link := ann.LinkIn("/edit"); !strings.HasSuffix(link, edit) {
			t.Fatalf("letter links to %s", link)
		}

		form.Set("description", "Hangs in the town hall.")
		if res := ann.Post(edit, form); res.Location != "/my-sounds" {
			t.Fatalf("submit again: %d %s", res.Status, res.Text)
		}
		if res := mod.Post(review, map[string][]string{"decision": {"approve"}, "note": {"Lovely."}}); res.Location != "/review" {
			t.Fatalf("approve: %d %s", res.Status, res.Text)
		}
		if got := find(t, s, rec.ID); got.State != recordings.Published || got.Paid != 0 {
			t.Fatalf("after approval: %s, paid %d", got.State, got.Paid)
		}
		if res := mod.Post(review, map[string][]string{"decision": {"approve"}}); res.Status != http.StatusConflict {
			t.Fatalf("approve twice: %d", res.Status)
		}

		form.Set("title", "Town hall bell")
		form.Set("act", "save")
		if res := ann.Post(edit, form); res.Status != http.StatusSeeOther {
			t.Fatalf("edit after publishing: %d %s", res.Status, res.Text)
		}
		wants(t, ann.Get(edit), 200, "Earlier versions", "Title was “Hall bell”")
		form.Del("offer")
		wants(t, ann.Post(edit, form), 422, "at least one license")
		form["offer"] = []string{"standard"}
		if res := ann.Post(edit, form); res.Status != http.StatusSeeOther {
			t.Fatalf("make it paid: %d %s", res.Status, res.Text)
		}
		if got := find(t, s, rec.ID); got.Paid != 1 || got.Token == rec.Token {
			t.Fatalf("paid %d, token changed %v", got.Paid, got.Token != rec.Token)
		}
		own := fmt.Sprintf("/recordings/%d/", rec.ID)
		for _, step := range []struct {
			act   string
			state recordings.State
		}{{"unpublish", recordings.Unpublished}, {"republish", recordings.Published}} {
			if res := ann.Post(own+step.act, nil); res.Status != http.StatusSeeOther {
				t.Fatalf("%s: %d %s", step.act, res.Status, res.Text)
			}
			if got := find(t, s, rec.ID).State; got != step.state {
				t.Fatalf("after %s: %s", step.act, got)
			}
		}
		if res := ann.Post(own+"delete", nil); res.Status != http.StatusConflict {
			t.Fatalf("delete what was published: %d", res.Status)
		}
	})
}

// wants checks an answer's status and that its text holds all parts.
func wants(t *testing.T, a testkit.Answer, status int, parts ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Text)
	}
	for _, p := range parts {
		if !strings.Contains(a.Text, p) {
			t.Errorf("%q is missing in %s", p, a.Text)
		}
	}
}
