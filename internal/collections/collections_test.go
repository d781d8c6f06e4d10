package collections_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/audio/synth"
	"audiomicro/internal/collections"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/uploads"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func quick(c *config.Config) { c.Moderation, c.FFmpeg = "off", "off" }

// published makes a published recording under an offer.
func published(t *testing.T, s *testkit.Site, owner *testkit.Person, title, offer string) int64 {
	t.Helper()
	block := make([]float32, 8820)
	for i := range block {
		block[i] = float32(.3 * math.Sin(float64(i)*.02*float64(len(title))))
	}
	var wav bytes.Buffer
	if err := synth.WriteWAV(&wav, [][]float32{block}, 44_100); err != nil {
		t.Fatal(err)
	}
	taken, err := s.Uploads.Take(t.Context(), owner.ID, title+".wav", &wav, uploads.Extra{})
	if err != nil {
		t.Fatal(err)
	}
	id := taken.Recording.ID
	got := owner.Post(fmt.Sprintf("/recordings/%d/edit", id), url.Values{"title": {title}, "tags": {"one, two, three"}, "category": {"fx-el"}, "offer": {offer}, "rights": {"on"}, "act": {"submit"}})
	if got.Status != http.StatusSeeOther {
		t.Fatalf("submit: %d %s", got.Status, got.Text)
	}
	testkit.Eventually(t, title+" is published and found", func() bool {
		rec, err := s.Recordings.ByID(t.Context(), s.DB, id)
		if err != nil || rec.Processing == recordings.Failed {
			t.Fatalf("%v %s", err, rec.ProcessingNote)
		}
		return rec.State == recordings.Published && s.Search.Index().Has(id)
	})
	return id
}

// site is a furnished site with who uses it.
type site struct {
	*testkit.Site
	t                      *testing.T
	maker, fan, other, mod *testkit.Person
	ids                    []int64 // published: free, paid, free
}

func each(t *testing.T, f func(s site)) {
	testkit.EachSite(t, quick, func(t *testing.T, k *testkit.Site) {
		k.Site.Limits.Off = true
		s := site{Site: k, t: t, maker: k.Person("Maker", "contributor"), fan: k.Person("Fan", "member"), other: k.Person("Other", "member"), mod: k.Person("Mod", "moderator")}
		for title, offer := range map[string]string{"Alder creak": "cc0", "Birch knock, paid": "standard", "Cedar snap": "cc0"} {
			published(t, k, s.maker, title, offer)
		}
		recs, err := k.Recordings.List(t.Context(), recordings.Filter{OwnerID: s.maker.ID})
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(recs, func(a, b recordings.Recording) int { return strings.Compare(a.Title, b.Title) })
		for _, r := range recs {
			s.ids = append(s.ids, r.ID)
		}
		f(s)
	})
}

func (s site) post(who *testkit.Person, path string, status int, form ...string) testkit.Answer {
	s.t.Helper()
	v := url.Values{}
	for i := 0; i < len(form); i += 2 {
		v.Add(form[i], form[i+1])
	}
	got := who.Post(path, v)
	if got.Status != status {
		s.t.Fatalf("%s %v: %d, want %d", path, form, got.Status, status)
	}
	return got
}

func (s site) holds(who *testkit.Person, path string, want, not []string) testkit.Answer {
	s.t.Helper()
	got := who.Get(path)
	for _, text := range want {
		if !strings.Contains(got.Text, text) {
			s.t.Errorf("%s (%d) does not hold %q", path, got.Status, text)
		}
	}
	for _, text := range not {
		if strings.Contains(got.Text, text) {
			s.t.Errorf("%s holds %q", path, text)
		}
	}
	return got
}

// fill makes a collection of the fan with all three recordings in it.
func (s site) fill(name string) string {
	s.t.Helper()
	form := []string{"name", name, "back", "/search"}
	for _, id := range s.ids {
		form = append(form, "recording", fmt.Sprint(id))
	}
	s.post(s.fan, "/collections/add", http.StatusSeeOther, form...)
	list, err := s.Collections.Of(s.t.Context(), s.fan.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range list {
		if c.Name == name {
			return c.Path()
		}
	}
	s.t.Fatalf("no collection %q in %v", name, list)
	return ""
}

var titles = regexp.MustCompile(`class="row-title"[^>]*>([A-Z])`)

// order is the first letters of a page's rows.
func order(got testkit.Answer) string {
	out := ""
	for _, m := range titles.FindAllStringSubmatch(got.Text, -1) {
		out += m[1]
	}
	return out
}

// items are the numbers of a collection's items, by the first letter of their titles.
func (s site) items(path string) map[string]string {
	got, out := s.fan.Get(path), map[string]string{}
	found := regexp.MustCompile(`data-item="(\d+)"`).FindAllStringSubmatch(got.Text, -1)
	for i, letter := range strings.Split(order(got), "") {
		out[letter] = found[i][1]
	}
	return out
}

// TestCollectByForms walks a collection through plain forms: made while adding, noted, ordered, emptied, undone, exported.
func TestCollectByForms(t *testing.T) {
	each(t, func(s site) {
		s.holds(s.fan, fmt.Sprintf("/collections/add?recording=%d", s.ids[0]), []string{"Add Alder creak to a collection", "Make and add"}, nil)
		s.holds(s.fan, "/search", []string{fmt.Sprintf("/collections/add?recording=%d", s.ids[0])}, nil)
		s.holds(s.Visitor(), "/search", nil, []string{"/collections/add"})
		path := s.fill("Wood & <b>bark</b>")
		// The toast brings the undo; taking it back takes the collection too, which held nothing else.
		got := s.holds(s.fan, "/search", []string{"3 sounds added to Wood &amp; &lt;b&gt;bark", path + "/undo?added="}, nil)
		undo := strings.ReplaceAll(regexp.MustCompile(regexp.QuoteMeta(path)+`/undo\?[^"]+`).FindString(got.Text), "&amp;", "&")
		s.post(s.fan, undo, http.StatusSeeOther)
		s.holds(s.fan, "/collections", []string{"No collection yet"}, []string{"Wood"})
		path = s.fill("Wood")
		if got := order(s.fan.Get(path)); got != "ABC" {
			t := s.t
			t.Fatalf("order %q", got)
		}
		items := s.items(path)
		for _, step := range []struct{ item, act, other, want string }{
			{"C", "up", "", "ACB"}, {"C", "up", "", "CAB"}, {"C", "up", "", "CAB"}, {"C", "down", "", "ACB"}, {"B", "first", "", "BAC"}, {"B", "behind", "C", "ACB"}, {"B", "before", "A", "BAC"}, {"C", "before", "A", "BCA"}, {"A", "down", "", "BCA"},
		} {
			s.post(s.fan, path+"/items", http.StatusSeeOther, "item", items[step.item], "act", step.act, "other", items[step.other])
			if got := order(s.fan.Get(path)); got != step.want {
				s.t.Errorf("%s %s %s: %q, want %q", step.item, step.act, step.other, got, step.want)
			}
		}
		// A note, in two windows: the second does not overwrite what it did not see.
		s.post(s.fan, path+"/items", http.StatusSeeOther, "item", items["A"], "act", "note", "was", "", "note", "for the =gate\u202e")
		clash := s.post(s.fan, path+"/items", http.StatusConflict, "item", items["A"], "act", "note", "was", "", "note", "for the roof")
		for _, text := range []string{"for the =gate", "for the roof", "Changed in another window"} {
			if !strings.Contains(clash.Text, text) {
				s.t.Errorf("the clash does not show %q", text)
			}
		}
		s.post(s.fan, path+"/items", http.StatusUnprocessableEntity, "item", items["A"], "act", "note", "was", "for the =gate", "note", strings.Repeat("x", 501))
		s.post(s.fan, path, http.StatusSeeOther, "act", "describe", "was_name", "Wood", "was_description", "", "name", "Timber", "description", "One\r\ntwo")
		s.post(s.fan, path, http.StatusSeeOther, "act", "describe", "was_name", "Timber", "was_description", "One\r\ntwo", "name", "Timber", "description", "Two")
		clash = s.post(s.fan, path, http.StatusConflict, "act", "describe", "was_name", "Wood", "was_description", "", "name", "Lumber", "description", "")
		if !strings.Contains(clash.Text, "Lumber") || !strings.Contains(clash.Text, "Timber") {
			s.t.Error("a clash of names does not show both")
		}
		s.post(s.fan, "/collections", http.StatusUnprocessableEntity, "name", "TIMBER")
		s.post(s.fan, "/collections", http.StatusUnprocessableEntity, "name", " ")
		table, err := csv.NewReader(strings.NewReader(s.fan.Get(path + "/list.csv").Text)).ReadAll()
		if err != nil || len(table) != 4 || !strings.HasPrefix(table[1][2], "Birch") || table[3][7] != "for the =gate" {
			s.t.Errorf("csv: %v %v", table, err)
		}
		s.removed(path, items)
	})
}

// removed takes out an item, a recording and the whole collection, and brings each back.
func (s site) removed(path string, items map[string]string) {
	s.post(s.fan, path+"/items", http.StatusSeeOther, "item", items["C"], "act", "remove")
	s.post(s.fan, path+"/items", http.StatusNotFound, "item", items["C"], "act", "remove")
	s.post(s.fan, path+"/items", http.StatusConflict, "item", items["A"], "act", "before", "other", items["C"])
	if got := order(s.fan.Get(path)); got != "BA" {
		s.t.Errorf("after a removal %q", got)
	}
	s.post(s.fan, path+"/undo?removed="+items["C"], http.StatusSeeOther)
	if got := order(s.fan.Get(path)); got != "BCA" {
		s.t.Errorf("after taking it back %q", got)
	}
	// What its contributor withdraws is counted, not named, and returns to its place.
	s.post(s.maker, fmt.Sprintf("/recordings/%d/unpublish", s.ids[2]), http.StatusSeeOther)
	s.holds(s.fan, path, []string{"1 is no longer here", "2 sounds"}, []string{"Cedar"})
	s.post(s.maker, fmt.Sprintf("/recordings/%d/republish", s.ids[2]), http.StatusSeeOther)
	if got := order(s.fan.Get(path)); got != "BCA" {
		s.t.Errorf("after publishing again %q", got)
	}
	s.post(s.fan, path, http.StatusSeeOther, "act", "delete")
	s.holds(s.fan, "/collections", []string{"Timber is deleted.", "/undo?deleted=1"}, []string{`href="` + path + `"`})
	s.post(s.fan, path+"/items", http.StatusNotFound, "item", items["C"], "act", "remove")
	if got := s.holds(s.fan, path, []string{"Bring it back"}, nil); got.Status != http.StatusGone {
		s.t.Errorf("a deleted collection: %d", got.Status)
	}
	s.post(s.fan, path+"/undo?deleted=1", http.StatusSeeOther)
	s.holds(s.fan, path, []string{"Timber", "Birch"}, nil)
	// A day later a deletion is final.
	s.post(s.fan, path, http.StatusSeeOther, "act", "delete")
	s.sweepAfter(23*time.Hour, 2) // it, and the one that was taken back with its adding
	s.sweepAfter(25*time.Hour, 0)
	s.post(s.fan, path+"/undo?deleted=1", http.StatusNotFound)
}

func (s site) sweepAfter(d time.Duration, left int64) {
	s.t.Helper()
	swept := *s.Collections
	swept.Now = func() time.Time { return time.Now().Add(d) }
	if err := swept.Sweep(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	n, err := db.Get[int64](s.t.Context(), s.DB, `SELECT count(*) FROM collection`)
	if err != nil || n != left {
		s.t.Errorf("after %v %d collections are left, want %d: %v", d, n, left, err)
	}
}

// TestWhoSeesACollection walks the three ways to share, as everybody.
func TestWhoSeesACollection(t *testing.T) {
	each(t, func(s site) {
		path := s.fill("Wood")
		see := func(at string, want map[*testkit.Person]int) {
			s.t.Helper()
			for who, status := range want {
				for _, part := range []string{"", "/list.csv"} {
					u, query, _ := strings.Cut(at, "?")
					if got := who.Get(u + part + "?" + query); got.Status != status {
						s.t.Errorf("%s%s as %s: %d, want %d", at, part, who.Name, got.Status, status)
					}
				}
			}
		}
		nobody := s.Visitor()
		see(path, map[*testkit.Person]int{s.fan: 200, s.other: 404, s.mod: 404, nobody: 404})
		for _, act := range []string{"", "/items", "/undo?deleted=1"} {
			for _, who := range []*testkit.Person{s.other, s.mod} {
				s.post(who, path+act, http.StatusNotFound, "act", "delete")
			}
		}
		s.post(s.other, path+"/cart", http.StatusNotFound)
		s.post(s.other, "/collections/add", http.StatusNotFound, "recording", fmt.Sprint(s.ids[0]), "collection", strings.TrimPrefix(path, "/collections/"))
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "link")
		c, err := s.Collections.Of(t.Context(), s.fan.ID)
		if err != nil || len(c) != 1 || len(c[0].Token) < 26 {
			s.t.Fatalf("%v %v", c, err)
		}
		link := c[0].LinkPath()
		see(path, map[*testkit.Person]int{s.other: 404, nobody: 404})
		see(path+"?key=A"+c[0].Token[1:len(c[0].Token)-1]+"x", map[*testkit.Person]int{nobody: 404})
		see(link, map[*testkit.Person]int{s.other: 200, nobody: 200, s.mod: 200})
		s.holds(nobody, link, []string{"Alder", `rel="alternate" type="application/atom+xml"`, `content="noindex"`}, []string{"Delete collection", "Add a note", "Who sees it"})
		s.holds(nobody, "/people/Fan", nil, []string{"Wood"})
		// Whoever has the link buys all of it: one recording is for sale.
		s.post(nobody, path+"/cart", http.StatusSeeOther, "key", c[0].Token)
		s.holds(nobody, "/cart", []string{"Birch knock", "1 license is new in your cart"}, []string{"Alder"})
		s.post(s.other, path, http.StatusNotFound, "act", "delete", "key", c[0].Token)
		s.post(s.fan, path, http.StatusSeeOther, "act", "renew")
		see(link, map[*testkit.Person]int{s.other: 404, nobody: 404})
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "public")
		see(path, map[*testkit.Person]int{s.other: 200, nobody: 200})
		s.holds(nobody, "/people/Fan", []string{"Wood", path}, nil)
		s.post(s.other, path+"/items", http.StatusForbidden, "act", "remove", "item", s.items(path)["A"])
		s.post(s.fan, path, http.StatusUnprocessableEntity, "act", "share", "shared", "x")
		feed := nobody.Get(path + "/feed.atom")
		if feed.Status != 200 || strings.Count(feed.Text, "<entry>") != 3 {
			s.t.Errorf("feed: %d %s", feed.Status, feed.Text)
		}
		if err := s.Accounts.Suspend(t.Context(), s.fan.ID); err != nil {
			s.t.Fatal(err)
		}
		see(path, map[*testkit.Person]int{s.other: 404, nobody: 404})
	})
}

// TestCollectAsProgram is what the page's script does, and the bounds.
func TestCollectAsProgram(t *testing.T) {
	each(t, func(s site) {
		ask := func(path string, form url.Values) (out struct{ Text, Undo, At, Detail string }, status int) {
			got := s.fan.Do("POST", path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}, "Accept": {"application/json"}}, strings.NewReader(form.Encode()))
			if err := json.Unmarshal([]byte(got.Text), &out); err != nil {
				s.t.Fatalf("%s: %v %s", path, err, got.Text)
			}
			return out, got.Status
		}
		one := fmt.Sprint(s.ids[0])
		got, _ := ask("/collections/add", url.Values{"recording": {one}, "name": {"Wood"}})
		if got.Text != "Added to Wood." || got.Undo == "" {
			s.t.Errorf("%+v", got)
		}
		if got, _ = ask("/collections/add", url.Values{"recording": {one}, "name": {"wood"}}); got.Undo != "" || got.Text != "It is in Wood already." {
			s.t.Errorf("again: %+v", got)
		}
		if _, status := ask("/collections/add", url.Values{"recording": {"x"}, "name": {"Wood"}}); status != 404 {
			s.t.Errorf("no recording: %d", status)
		}
		if _, status := ask("/collections/add", url.Values{"recording": {one}, "name": {strings.Repeat("é", 129)}}); status != 422 {
			s.t.Errorf("a long name: %d", status)
		}
		// Thousands of moves into the same gap: places run out of room and are dealt anew, the order stays.
		path := s.fill("Trees")
		items := s.items(path)
		for n := range 80 {
			pair := []string{"A", "C"}
			if n%2 == 1 {
				pair = []string{"C", "A"}
			}
			ask(path+"/items", url.Values{"item": {items[pair[0]]}, "act": {"behind"}, "other": {items["B"]}})
			if want := "B" + pair[0] + pair[1]; order(s.fan.Get(path)) != want {
				s.t.Fatalf("move %d: %q, want %q", n, order(s.fan.Get(path)), want)
			}
		}
		c, err := s.Collections.Of(t.Context(), s.fan.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		for n := len(c); n < collections.MaxCollections; n++ {
			if _, err := s.Collections.Make(t.Context(), s.fan.ID, fmt.Sprint("Number ", n)); err != nil {
				s.t.Fatal(err)
			}
		}
		if got, status := ask("/collections/add", url.Values{"recording": {one}, "name": {"One more"}}); status != 422 || !strings.Contains(got.Detail, "500 collections") {
			s.t.Errorf("beyond the bound: %d %+v", status, got)
		}
	})
}
