package collections_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// mails counts the letters to a person about hidden collections that hold a text.
func (s site) mails(who *testkit.Person, text string) int64 {
	s.t.Helper()
	n, err := db.Get[int64](s.t.Context(), s.DB, `SELECT count(*) FROM outgoing_mail WHERE account_id = $1 AND kind = 'collection-hidden' AND text_body LIKE $2`, who.ID, "%"+text+"%")
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestReportedCollection reports a shared collection, hides it, and shows it again: who sees what, and who may.
func TestReportedCollection(t *testing.T) {
	each(t, func(s site) {
		path, nobody := s.fill("Wood"), s.Visitor()
		s.post(s.other, path+"/report", http.StatusNotFound, "why", "It is private.")
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "public")
		s.holds(s.other, path, []string{"Report this collection"}, nil)
		s.holds(s.fan, path, nil, []string{"Report this collection"})
		s.holds(nobody, path, nil, []string{"Report this collection"})
		if got := nobody.Post(path+"/report", nil); got.Status != http.StatusSeeOther || !strings.HasPrefix(got.Location, "/sign-in") {
			s.t.Errorf("a visitor reports: %d %s", got.Status, got.Location)
		}
		s.post(s.other, path+"/report", http.StatusUnprocessableEntity, "why", " ")
		if got := s.other.Post(path+"/report", map[string][]string{"why": {" "}}); !strings.Contains(got.Text, `<details class="fold" open`) || !strings.Contains(got.Text, `id="e-why">Write what is wrong`) {
			s.t.Error("a report without a reason does not give the form back with the error at its field")
		}
		s.post(s.fan, path+"/report", http.StatusUnprocessableEntity, "why", "mine")
		s.post(s.other, path+"/report", http.StatusSeeOther, "why", "Rude name.")
		s.post(s.other, path+"/report", http.StatusSeeOther, "why", "A rude <b>name.")
		s.holds(s.mod, "/review/collections", []string{"Wood", "A rude &lt;b&gt;name.", `href="` + path + `"`}, []string{"Rude name.", "No report waits"})
		s.holds(s.mod, "/review", []string{"1 reported collection"}, nil)
		at := "/review" + path
		field := "why-" + path[strings.LastIndex(path, "/")+1:]
		for _, who := range []*testkit.Person{s.other, s.fan} {
			s.post(who, at, http.StatusNotFound, "act", "hide", field, "x")
			if got := who.Get("/review/collections"); got.Status != http.StatusNotFound {
				s.t.Errorf("%s reads reports: %d", who.Name, got.Status)
			}
		}
		// Without a reason the page comes again, with the error at the field of this collection.
		refused := s.mod.Post(at, map[string][]string{"act": {"hide"}, field: {" "}})
		if refused.Status != http.StatusUnprocessableEntity || !strings.Contains(refused.Text, "A rude &lt;b&gt;name.") ||
			!strings.Contains(refused.Text, `href="#f-`+field+`"`) || !strings.Contains(refused.Text, `id="e-`+field+`">Write why: the owner reads the reason.`) {
			s.t.Errorf("hidden without a reason: %d, and the form is not given back with the error at its field", refused.Status)
		}
		s.post(s.mod, at, http.StatusUnprocessableEntity, "act", "x")
		s.post(s.mod, at, http.StatusSeeOther, "act", "hide", field, "The name insults carpenters.")
		// Nobody else sees it, in no form; its owner sees it and why.
		for _, who := range []*testkit.Person{nobody, s.other, s.mod} {
			for _, part := range []string{"", "/list.csv", "/feed.atom"} {
				if got := who.Get(path + part); got.Status != http.StatusNotFound {
					s.t.Errorf("%s%s when hidden, as %s: %d", path, part, who.Name, got.Status)
				}
			}
		}
		s.post(s.other, path+"/download", http.StatusNotFound, "page", "1")
		s.post(s.other, path+"/cart", http.StatusNotFound)
		s.holds(nobody, "/people/Fan", nil, []string{path})
		s.holds(s.fan, path, []string{"Hidden by a moderator", "The name insults carpenters.", `content="noindex"`}, []string{"feed.atom"})
		if got := s.fan.Get(path + "/feed.atom"); got.Status != http.StatusNotFound {
			s.t.Errorf("the feed, as its owner: %d", got.Status)
		}
		if s.mails(s.fan, "insults carpenters") != 1 {
			s.t.Error("the owner was not written to, or twice")
		}
		// Sharing anew does not bring it back.
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "link")
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "public")
		if got := nobody.Get(path); got.Status != http.StatusNotFound {
			s.t.Errorf("shared anew: %d", got.Status)
		}
		s.holds(s.mod, "/review/collections", []string{"No report waits", "insults carpenters", "Show it again"}, nil)
		s.post(s.mod, at, http.StatusSeeOther, "act", "leave")
		s.holds(nobody, path, []string{"Wood"}, nil)
		s.holds(s.fan, path, nil, []string{"Hidden by"})
		// A report that is left closes; who reports again is heard again.
		s.post(s.other, path+"/report", http.StatusSeeOther, "why", "Still rude.")
		s.post(s.mod, at, http.StatusSeeOther, "act", "leave")
		s.holds(s.mod, "/review/collections", []string{"No report waits"}, []string{"Still rude"})
		// Nobody decides on what is their own.
		s.post(s.mod, "/collections/add", http.StatusSeeOther, "recording", fmt.Sprint(s.ids[0]), "name", "Mine")
		list, err := s.Collections.Of(t.Context(), s.mod.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v %v", list, err)
		}
		s.post(s.mod, "/review"+list[0].Path(), http.StatusForbidden, "act", "leave")
		// What is deleted goes for good a day later, with the reports on it.
		s.post(s.fan, path, http.StatusSeeOther, "act", "delete")
		s.sweepAfter(25*time.Hour, 1)
	})
}
