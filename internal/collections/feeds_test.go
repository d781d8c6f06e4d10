package collections_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web/atom/atomtest"
)

// feed is what RFC 4287 asks for, as a reader sees it.
type feed struct {
	XMLName xml.Name
	ID      string     `xml:"http://www.w3.org/2005/Atom id"`
	Title   string     `xml:"http://www.w3.org/2005/Atom title"`
	Updated time.Time  `xml:"http://www.w3.org/2005/Atom updated"`
	Authors []string   `xml:"http://www.w3.org/2005/Atom author>name"`
	Links   []feedLink `xml:"http://www.w3.org/2005/Atom link"`
	Entries []struct {
		ID        string     `xml:"http://www.w3.org/2005/Atom id"`
		Title     string     `xml:"http://www.w3.org/2005/Atom title"`
		Updated   time.Time  `xml:"http://www.w3.org/2005/Atom updated"`
		Published time.Time  `xml:"http://www.w3.org/2005/Atom published"`
		Authors   []string   `xml:"http://www.w3.org/2005/Atom author>name"`
		Links     []feedLink `xml:"http://www.w3.org/2005/Atom link"`
		Rights    string     `xml:"http://www.w3.org/2005/Atom rights"`
	} `xml:"http://www.w3.org/2005/Atom entry"`
}

type feedLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

// readFeed checks a feed against RFC 4287, and what this site promises beyond it, and gives it.
func readFeed(t *testing.T, got testkit.Answer, self string) feed {
	t.Helper()
	var f feed
	if got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/atom+xml") {
		t.Fatalf("feed %s: %d %s", self, got.Status, got.Header)
	}
	if err := xml.Unmarshal([]byte(got.Text), &f); err != nil {
		t.Fatalf("feed %s: %v in %s", self, err, got.Text)
	}
	for _, fault := range atomtest.Check([]byte(got.Text)) {
		t.Errorf("feed %s: %s", self, fault)
	}
	rels := map[string]string{}
	for _, l := range f.Links {
		rels[l.Rel] = l.Href
	}
	if rels["self"] != self || rels["alternate"] == "" {
		t.Errorf("feed %s names itself %q", self, rels["self"])
	}
	for i, e := range f.Entries {
		rels := map[string]feedLink{}
		for _, l := range e.Links {
			rels[l.Rel] = l
		}
		if len(e.Authors) != 1 || rels["alternate"].Href == "" || rels["license"].Href == "" || rels["enclosure"].Type != "audio/ogg" || e.Rights == "" {
			t.Errorf("entry %d of %s: %+v", i, self, e)
		}
	}
	return f
}

// TestFeedsOfListsMadeByHand reads the feeds of a collection and of a pack: what was published long ago and is put in now comes first, and a
// reader that asks with a time alone (RFC 9110, section 13.1.3) is told of it.
func TestFeedsOfListsMadeByHand(t *testing.T) {
	each(t, func(s site) {
		nobody, one := s.Visitor(), func(i int) []string { return []string{"recording", fmt.Sprint(s.ids[i]), "name", "Wood & <bark>"} }
		s.post(s.fan, "/collections/add", http.StatusSeeOther, one(2)...)
		list, err := s.Collections.Of(t.Context(), s.fan.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v %v", list, err)
		}
		path := list[0].Path()
		if got := nobody.Get(path + "/feed.atom"); got.Status != http.StatusNotFound {
			t.Errorf("feed of a private one: %d", got.Status)
		}
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "public")
		got := nobody.Get(path + "/feed.atom")
		before := readFeed(t, got, s.URL+path+"/feed.atom")
		time.Sleep(1100 * time.Millisecond) // the times of HTTP have no parts of a second
		s.post(s.fan, "/collections/add", http.StatusSeeOther, one(0)...)
		again := nobody.Do("GET", path+"/feed.atom", http.Header{"If-Modified-Since": {got.Header.Get("Last-Modified")}}, nil)
		after := readFeed(t, again, s.URL+path+"/feed.atom")
		if len(before.Entries) != 1 || len(after.Entries) != 2 || after.ID != before.ID || !strings.HasPrefix(after.Entries[0].Title, "Alder") || after.Entries[1].ID != before.Entries[0].ID {
			t.Errorf("before %+v, after %+v", before.Entries, after.Entries)
		}
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "link")
		if list, err = s.Collections.Of(t.Context(), s.fan.ID); err != nil {
			t.Fatal(err)
		}
		secret := path + "/feed.atom?key=" + list[0].Token
		if f := readFeed(t, nobody.Get(secret), s.URL+secret); len(f.Entries) != 2 {
			t.Errorf("by link: %+v", f.Entries)
		}
		if got := nobody.Get(path + "/feed.atom"); got.Status != http.StatusNotFound {
			t.Errorf("without the link: %d", got.Status)
		}
		if _, err := db.Exec(t.Context(), s.DB, `INSERT INTO pack (id, owner_id, name, name_folded, created_at) VALUES (7, $1, 'Trees', 'trees', 1700000000000000)`, s.maker.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), s.DB, `UPDATE recording SET pack_id = 7 WHERE owner_id = $1`, s.maker.ID); err != nil {
			t.Fatal(err)
		}
		if f := readFeed(t, nobody.Get("/packs/7/feed.atom"), s.URL+"/packs/7/feed.atom"); len(f.Entries) != 3 {
			t.Errorf("pack: %+v", f.Entries)
		}
	})
}

// TestSavedSearchesAndFeeds saves a search, counts what is new since the last look, and reads every feed as a program does, without a
// session.
func TestSavedSearchesAndFeeds(t *testing.T) {
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		maker, fan, other, nobody := s.Person("Maker", "contributor"), s.Person("Fan", "member"), s.Person("Other", "member"), s.Visitor()
		first := published(t, s, maker, "Rain on tin", "cc0")
		page := fan.Get("/search?q=rain&license=cc0&sort=short&page=1")
		for _, text := range []string{"Save this search", `name="search" value="license=cc0&amp;q=rain"`, `type="application/atom+xml" href="/search.atom?license=cc0&amp;q=rain"`} {
			if !strings.Contains(page.Text, text) {
				t.Errorf("the search page lacks %s", text)
			}
		}
		for who, at := range map[*testkit.Person]string{nobody: "/search?q=rain", fan: "/search"} {
			if strings.Contains(who.Get(at).Text, "Save this search") {
				t.Errorf("%s offers to save as %s", at, who.Name)
			}
		}
		for range 2 {
			if got := fan.Post("/searches", url.Values{"search": {"license=cc0&q=rain"}}); got.Status != http.StatusSeeOther {
				t.Fatalf("save: %d", got.Status)
			}
		}
		for params, status := range map[string]int{"": 422, "sort=new": 422, "tempo_min=x": 400, "%zz": 422} {
			if got := fan.Post("/searches", url.Values{"search": {params}}); got.Status != status {
				t.Errorf("save %q: %d, want %d", params, got.Status, status)
			}
		}
		list, err := s.Search.SavedBy(t.Context(), fan.ID)
		if err != nil || len(list) != 1 || len(list[0].Token) < 26 || list[0].Name != "rain · License: CC0" {
			t.Fatalf("saved: %+v %v", list, err)
		}
		holds := func(want string, not string) {
			t.Helper()
			text := fan.Get("/searches").Text
			if !strings.Contains(text, want) || not != "" && strings.Contains(text, not) {
				t.Errorf("/searches lacks %q or holds %q", want, not)
			}
		}
		holds("1 sound", " new<")
		second := published(t, s, maker, "Rain in a gutter", "cc0")
		holds("1 new", "")
		at := fmt.Sprintf("/searches/%d", list[0].ID)
		if got := other.Get(at + "/open"); got.Status != http.StatusNotFound {
			t.Errorf("another's search: %d", got.Status)
		}
		if got := fan.Get(at + "/open"); got.Location != "/search?license=cc0&q=rain&sort=new" {
			t.Errorf("open leads to %s", got.Location)
		}
		holds("2 sounds", "1 new")

		path := "/searches/" + list[0].Token + ".atom"
		got := nobody.Get(path)
		f := readFeed(t, got, s.URL+path)
		if len(f.Entries) != 2 || f.Entries[0].Published.Before(f.Entries[1].Published) || f.Entries[0].Title != "Rain in a gutter" || !strings.HasSuffix(f.Entries[1].ID, fmt.Sprintf(":recordings/%d", first)) {
			t.Errorf("entries: %+v", f.Entries)
		}
		// What a reader has, it is not sent again.
		for name, value := range map[string]string{"If-None-Match": got.Header.Get("ETag"), "If-Modified-Since": got.Header.Get("Last-Modified")} {
			if again := nobody.Do("GET", path, http.Header{name: {value}}, nil); again.Status != http.StatusNotModified || again.Text != "" || value == "" {
				t.Errorf("%s %q: %d", name, value, again.Status)
			}
		}
		paid := published(t, s, maker, "Rain, heavier", "standard")
		testkit.Eventually(t, "its marked preview is made", func() bool {
			rec, err := s.Recordings.ByID(t.Context(), s.DB, paid)
			return err == nil && rec.Marked == 1
		})
		all := nobody.Get("/search.atom?q=rain")
		f = readFeed(t, all, s.URL+"/search.atom?q=rain")
		if len(f.Entries) != 3 || !strings.Contains(all.Text, "marked-hq.opus") || !strings.Contains(f.Entries[0].Rights, "marked") {
			t.Errorf("the paid recording %d is not there with its marked preview: %s", paid, all.Text)
		}
		rec, err := s.Recordings.ByID(t.Context(), s.DB, paid)
		if err != nil || strings.Contains(all.Text, rec.Token+"/preview-hq.opus") {
			t.Errorf("the feed gives away an unmarked preview: %v", err)
		}
		for _, l := range f.Entries[0].Links {
			if l.Rel == "enclosure" {
				if got := nobody.Do("HEAD", l.Href, nil, nil); got.Status != http.StatusOK {
					t.Errorf("enclosure %s: %d", l.Href, got.Status)
				}
			}
		}
		readFeed(t, nobody.Get("/people/Maker/feed.atom"), s.URL+"/people/Maker/feed.atom")
		readFeed(t, nobody.Get("/search.atom?q=kazoo"), s.URL+"/search.atom?q=kazoo")
		// An edit changes the entry's time and text, never its id.
		id := f.Entries[2].ID
		if _, err := db.Exec(t.Context(), s.DB, `UPDATE recording SET title = 'A <b>&"\u0001', updated_at = updated_at + 5000000 WHERE id = $1`, first); err != nil {
			t.Fatal(err)
		}
		f = readFeed(t, nobody.Get("/search.atom?q=rain"), s.URL+"/search.atom?q=rain")
		if last := f.Entries[2]; last.ID != id || !last.Updated.After(last.Published) || !strings.HasPrefix(last.Title, `A <b>&"`) {
			t.Errorf("after an edit: %+v", last)
		}
		if got := maker.Post(fmt.Sprintf("/recordings/%d/unpublish", second), nil); got.Status != http.StatusSeeOther {
			t.Fatalf("unpublish: %d", got.Status)
		}
		if f = readFeed(t, nobody.Get("/search.atom?q=rain"), s.URL+"/search.atom?q=rain"); len(f.Entries) != 2 {
			t.Errorf("a withdrawn recording is in the feed: %+v", f.Entries)
		}
		for path, status := range map[string]int{"/searches/x.atom": 404, "/searches/" + list[0].Token: 404, "/people/Nobody/feed.atom": 404, "/search.atom?tempo_min=x": 400, "/packs/1/feed.atom": 404} {
			if got := nobody.Get(path); got.Status != status {
				t.Errorf("%s: %d, want %d", path, got.Status, status)
			}
		}
		for _, step := range []struct {
			who    *testkit.Person
			form   url.Values
			status int
		}{
			{other, url.Values{"act": {"delete"}}, 404}, {fan, url.Values{"act": {"rename"}, "name": {" "}}, 422}, {fan, url.Values{"act": {"x"}}, 422},
			{fan, url.Values{"act": {"rename"}, "name": {"Roofs"}}, 303}, {fan, url.Values{"act": {"renew"}}, 303},
		} {
			if got := step.who.Post(at, step.form); got.Status != step.status {
				t.Errorf("%v: %d, want %d", step.form, got.Status, step.status)
			}
		}
		holds("Roofs", "")
		if got := nobody.Get(path); got.Status != http.StatusNotFound {
			t.Errorf("the old address of a feed: %d", got.Status)
		}
		fan.Post(at, url.Values{"act": {"delete"}})
		holds("No saved search yet", "Roofs<")
	})
}
