package search_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/search/query"
	"audiomicro/internal/testkit"
)

// piece is one published recording of a test's catalog.
type piece struct {
	title, category, ext, tags string
	license                    string
	minor                      int64
}

// fill publishes pieces through the tables, as the domains do it: rows, then a line in the feed. The first has id 1.
func fill(t *testing.T, s *testkit.Site, owner int64, pieces []piece) {
	t.Helper()
	err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		for i, p := range pieces {
			id := int64(i + 1)
			_, err := db.Exec(t.Context(), tx, `INSERT INTO recording (id, owner_id, token, state, processing, title, category, file_name, byte_size, sha256, md5, container,
				codec, ext, seconds, created_at, updated_at, published_at, paid) VALUES ($1, $2, $3, 'published', 'ready', $4, $5, 'a.wav', 1, $3, $3, $6, $6, $6, 2, $1, $1, $1, $7)`,
				id, owner, fmt.Sprintf("token%d", id), p.title, p.category, p.ext, db.Bool(p.minor > 0))
			if err != nil {
				return err
			}
			for n, tag := range strings.Fields(p.tags) {
				if _, err := db.Exec(t.Context(), tx, `INSERT INTO recording_tag (recording_id, tag, position) VALUES ($1, $2, $3)`, id, tag, n); err != nil {
					return err
				}
			}
			if _, err := db.Exec(t.Context(), tx, `INSERT INTO offer (recording_id, model_code, price_minor, currency, created_at) VALUES ($1, $2, $3, 'USD', 1)`, id, p.license, p.minor); err != nil {
				return err
			}
			s.Feed.Note(t.Context(), tx, "recording", id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the catalog is searchable", func() bool { return s.Search.Index().Len() == len(pieces) })
}

var soundsFound = regexp.MustCompile(`<p>([0-9,]+) sounds? ?</p>`)

// found is how many sounds a search page says it has.
func found(t *testing.T, who *testkit.Person, address string) string {
	t.Helper()
	got := who.Get(address)
	m := soundsFound.FindStringSubmatch(got.Text)
	if got.Status != http.StatusOK || m == nil {
		t.Fatalf("%s: %d %.300s", address, got.Status, got.Text)
	}
	return m[1]
}

// TestNoDeadEnds follows every way out of searches that find nothing: each leads to something.
func TestNoDeadEnds(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.SiteName = "Test" }, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		mara, visitor := s.Person("Mara", "contributor"), s.Visitor()
		fill(t, s, mara.ID, []piece{
			{"Footsteps on gravel", "fx-h", "wav", "footstep gravel walk", "cc0", 0},
			{"Rain on tin", "ss-n", "flac", "rain roof wet", "cc-by-4.0", 0},
			{"Kick, boomy", "is-p", "wav", "kick drum low", "standard", 900},
		})
		empty := regexp.MustCompile(`(?s)(<p class="mean">.*?</p>)?<div class="empty card">.*?</div>`)
		links := regexp.MustCompile(`href="([^"]+)"`)
		for _, c := range []struct{ address, says string }{
			{"/search?q=zebra", "Nothing matches “zebra”"},
			{"/search?q=footste&type=flac", "footste* (1)"},
			{"/search?q=raim&type=wav", "Did you mean"},
			{"/search?q=zebra&type=wav", "All sounds"},
			{"/search?q=rain&type=wav", "Without the file type filter there is 1."},
			{"/search?q=kick&pack_id=99&type=wav", "Without the pack filter there is 1."},
			{"/search?tag=kick&tag=rain", "Without the tags filter there are 3."},
			{"/search?tag=nothing", "Nothing matches this filter"},
			{"/search?tag=nothing&year=1999", "Nothing matches these 2 filters"},
			{"/search?length_min=5000", "Without the length filter there are 3."},
		} {
			got := visitor.Get(c.address)
			part := empty.FindString(got.Text)
			if got.Status != http.StatusOK || !strings.Contains(strings.Join(strings.Fields(part), " "), c.says) {
				t.Errorf("%s: %d, want %q in %q", c.address, got.Status, c.says, part)
			}
			ways := links.FindAllStringSubmatch(part, -1)
			if len(ways) == 0 {
				t.Errorf("%s: no way out", c.address)
			}
			for _, way := range ways {
				if n := found(t, visitor, html.UnescapeString(way[1])); n == "0" {
					t.Errorf("%s leads to %s, where there is nothing either", c.address, way[1])
				}
			}
		}
		if got := visitor.Get("/search?q=%F0%9F%94%A5"); strings.Contains(got.Text, "<h1 id=\"results\">\U0001F525") {
			t.Error("a text without a word heads all sounds")
		}
		got := visitor.Get("/search?sort=title&page=7&type=wav")
		if got.Status != http.StatusSeeOther || got.Header.Get("Location") != "/search?sort=title&type=wav" {
			t.Errorf("a page beyond the last: %d %s", got.Status, got.Header.Get("Location"))
		}
		if got := visitor.Get("/people/Mara?page=7"); got.Status != http.StatusSeeOther || got.Header.Get("Location") != "/people/Mara?page=1" {
			t.Errorf("a profile's page beyond the last: %d %s", got.Status, got.Header.Get("Location"))
		}
		if got := visitor.Get("/search?license=cc-by-4.0").Text; !strings.Contains(got, "<b>CC BY 4.0</b>") {
			t.Error("the chip of a license does not tell its version")
		}
		if got := visitor.Get("/search?by=mara").Text; !strings.Contains(got, "<b>Mara</b>") {
			t.Error("the chip of a contributor does not write the name as the contributor does")
		}
	})
}

// TestSuspended counts and finds nothing of an account that is shut out.
func TestSuspended(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		mara, jona, visitor := s.Person("Mara", "contributor"), s.Person("Jona", "contributor"), s.Visitor()
		fill(t, s, mara.ID, []piece{{"Quarry hoist", "ss-n", "wav", "hoist", "cc0", 0}, {"Dry well", "ss-n", "wav", "well", "cc0", 0}})
		err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			s.Feed.Note(t.Context(), tx, "recording", 2)
			_, err := db.Exec(t.Context(), tx, `UPDATE recording SET owner_id = $1 WHERE id = 2`, jona.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "home counts both", func() bool { return strings.Contains(visitor.Get("/").Text, "2 people") })
		if err := s.Accounts.Suspend(t.Context(), mara.ID); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the index lets go", func() bool { return s.Search.Index().Len() == 1 })
		if got := visitor.Get("/").Text; strings.Contains(got, "2 people") || strings.Contains(got, "Quarry") {
			t.Error("home still counts the person, or shows the recording")
		}
		if n := found(t, visitor, "/search?q=hoist"); n != "0" {
			t.Errorf("the search finds %s", n)
		}
	})
}

// TestSuggestions writes titles as their recordings do, less what the search box would read as its language, and leads to them.
func TestSuggestions(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		mara, visitor := s.Person("Mara", "contributor"), s.Visitor()
		long := "Zoom " + strings.Repeat("very long ", 9) + "walk"
		titles := []string{"Zap -18 dBFS", `Zap "one": title`, "Zap Ball Bounce Back", long}
		var pieces []piece
		for _, title := range titles {
			pieces = append(pieces, piece{title, "fx-h", "wav", "a b c", "cc0", 0})
		}
		fill(t, s, mara.ID, pieces)
		var seen []string
		for _, typed := range []string{"za", "zoom", "b"} {
			var list []struct {
				Text  string
				Tag   bool
				Count int
				URL   string
			}
			visitor.Get("/search/suggest?"+url.Values{"q": {typed}}.Encode()).JSON(t, &list)
			for _, one := range list {
				if one.Tag {
					continue
				}
				seen = append(seen, one.Text)
				for _, address := range []string{one.URL, "/search?" + url.Values{"q": {one.Text}}.Encode()} {
					if n := found(t, visitor, address); n != fmt.Sprint(one.Count) {
						t.Errorf("%q is said to have %d and leads to %s by %s", one.Text, one.Count, n, address)
					}
				}
			}
		}
		for _, title := range []string{"zap 18 dbfs", "zap one title", titles[2], titles[3]} {
			if !slices.Contains(seen, title) {
				t.Errorf("%q is not among %q", title, seen)
			}
		}
	})
}

// TestWithdrawnModel takes a paid license out of the offer and back: what nobody can license has no price, and is not free.
func TestWithdrawnModel(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		mara := s.Person("Mara", "contributor")
		fill(t, s, mara.ID, []piece{
			{"Kick", "is-p", "wav", "kick", "standard", 900}, {"Snare", "is-p", "wav", "snare", "personal", 200}, {"Rain", "ss-n", "wav", "rain", "cc0", 0},
		})
		is := func(band string, want int, order ...int64) {
			t.Helper()
			testkit.Eventually(t, fmt.Sprintf("%s has %d", band, want), func() bool {
				res, err := s.Search.Index().Search(query.Query{}.With(query.Price, band))
				return err == nil && res.Total == want
			})
			res, err := s.Search.Index().Search(query.Query{Sort: query.ByCheapest})
			var ids []int64
			for _, h := range res.Hits {
				ids = append(ids, h.ID)
			}
			if err != nil || !slices.Equal(ids, order) {
				t.Errorf("%s: cheapest first %v, want %v, %v", band, ids, order, err)
			}
		}
		set := func(active bool) {
			t.Helper()
			m, err := s.Licensing.Model(t.Context(), s.DB, "personal", 0)
			if err == nil {
				m.Active = active
				_, err = s.Licensing.SaveModel(t.Context(), m)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		is("low", 1, 3, 2, 1)
		set(false)
		is("low", 0, 3, 1, 2)
		is("free", 1, 3, 1, 2)
		set(true)
		is("low", 1, 3, 2, 1)
	})
}

// TestSynonyms looks for words that mean the same, says so, and follows the operator's list within a second.
func TestSynonyms(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		mara, visitor, admin := s.Person("Mara", "contributor"), s.Visitor(), s.Person("Root", "admin")
		fill(t, s, mara.ID, []piece{{"Crow", "fx-a", "wav", "crow bird", "cc0", 0}, {"Kettle boils", "fx-o", "wav", "kettle boiling", "cc0", 0}, {"Samovar", "fx-o", "wav", "tea", "cc0", 0}})
		counts := func(address, want string) {
			t.Helper()
			testkit.Eventually(t, address+" has "+want, func() bool {
				got := visitor.Get(address)
				return strings.Contains(got.Text, "<p>"+want+" sound")
			})
		}
		counts("/search?q=raven", "1")
		got := visitor.Get("/search?q=raven").Text
		if !strings.Contains(got, "Also searched: crow") || !strings.Contains(got, `href="/search?q=raven&amp;words=typed"`) {
			t.Error("the page does not say what else was searched for")
		}
		counts("/search?q=raven&words=typed", "0")
		counts("/search?q=samovar", "1")
		save := func(list string) int {
			return admin.Post("/admin/synonyms", url.Values{"list": {list}}).Status
		}
		if form := admin.Get("/admin/synonyms"); !strings.Contains(form.Text, "raven, crow") {
			t.Errorf("the form does not show the list: %d", form.Status)
		}
		if got := save("kettle"); got != http.StatusUnprocessableEntity {
			t.Errorf("a list that cannot be read: %d", got)
		}
		if got := save("kettle, Samovar\r\n"); got != http.StatusSeeOther {
			t.Errorf("save: %d", got)
		}
		counts("/search?q=samovar", "2")
		counts("/search?q=raven", "0")
		s.Restart()
		counts("/search?q=samovar", "2")
		if got := save(" "); got != http.StatusSeeOther {
			t.Errorf("back to the list of the program: %d", got)
		}
		counts("/search?q=samovar", "1")
		if got := visitor.Get("/search?q=crow+boils").Text; !strings.Contains(got, "No sound has all of these words") || !strings.Contains(got, "<p>2 sounds") {
			t.Errorf("some of the words are not enough: %.3000s", got[strings.Index(got, "<main"):])
		}
	})
}

// TestSearchLanguageOnThePage follows the chips of a text: each leads to the search without its part.
func TestSearchLanguageOnThePage(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		mara, visitor := s.Person("Mara", "contributor"), s.Visitor()
		fill(t, s, mara.ID, []piece{
			{"Oak door closes", "fx-o", "wav", "door wood", "standard", 250}, {"Door of oak", "fx-o", "wav", "door wood", "cc0", 0}, {"Oak door in rain", "fx-o", "flac", "door rain", "standard", 900},
		})
		for _, c := range []struct{ text, found, chip, without string }{
			{`"oak door"`, "2", "<span>Exactly</span> <b>oak door</b>", "3"},
			{`oak -rain`, "2", "<span>Without</span> <b>rain</b>", "3"},
			{`door price:<3`, "2", "<span>Price</span> <b>&lt;3</b>", "3"},
			{`door price:1..3`, "1", "<span>Price</span> <b>1..3</b>", "3"},
			{`door -license:cc0`, "2", "<span>Without license</span> <b>CC0</b>", "3"},
			{`door tag:rain`, "1", "<span>Tags</span> <b>rain</b>", "3"},
			{`door type:flac`, "1", "<span>File type</span> <b>FLAC</b>", "3"},
			{`door duration:[1 TO 2]`, "3", "<span>Length</span> <b>[1 TO 2]</b>", "3"},
			{`door title:closes`, "1", "<span>Title</span> <b>closes</b>", "3"},
		} {
			at := "/search?" + url.Values{"q": {c.text}}.Encode()
			if n := found(t, visitor, at); n != c.found {
				t.Errorf("%s finds %s, want %s", c.text, n, c.found)
			}
			page := strings.Join(strings.Fields(visitor.Get(at).Text), " ")
			i := strings.Index(page, c.chip)
			if i < 0 {
				t.Errorf("%s: no chip %s", c.text, c.chip)
				continue
			}
			begin := strings.LastIndex(page[:i], `href="`) + len(`href="`)
			remove := page[begin : begin+strings.IndexByte(page[begin:], '"')]
			if n := found(t, visitor, html.UnescapeString(remove)); n != c.without {
				t.Errorf("%s without its chip (%s) finds %s, want %s", c.text, remove, n, c.without)
			}
			if !strings.Contains(page, "What the search box understands") {
				t.Errorf("%s: no help", c.text)
			}
		}
	})
}

// TestOnePerPack shows the best of each pack and says how many others there are.
func TestOnePerPack(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		mara, visitor := s.Person("Mara", "contributor"), s.Visitor()
		if _, err := db.Exec(t.Context(), s.DB, `INSERT INTO pack (id, owner_id, name, name_folded, description, created_at) VALUES (7, $1, 'Drums', 'drums', '', 1)`, mara.ID); err != nil {
			t.Fatal(err)
		}
		fill(t, s, mara.ID, []piece{{"Kick one", "is-p", "wav", "kick", "cc0", 0}, {"Kick two", "is-p", "wav", "kick", "cc0", 0}, {"Kick three", "is-p", "wav", "kick", "cc0", 0}})
		err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			s.Feed.Note(t.Context(), tx, "recording", 1)
			s.Feed.Note(t.Context(), tx, "recording", 2)
			_, err := db.Exec(t.Context(), tx, `UPDATE recording SET pack_id = 7 WHERE id < 3`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the pack is known", func() bool { return found(t, visitor, "/search?q=kick&group=pack") == "2" })
		page := visitor.Get("/search?q=kick&group=pack").Text
		if !strings.Contains(page, "and 1 more of its pack") || !strings.Contains(page, `href="/search?q=kick"`) {
			t.Error("the page does not say that there is more of the pack, or does not lead back")
		}
		if page := visitor.Get("/search?q=kick").Text; !strings.Contains(page, `href="/search?group=pack&amp;q=kick"`) || strings.Contains(page, "more of its pack") {
			t.Error("the page does not lead to one per pack")
		}
	})
}

// TestPricesInYen asks for prices in a currency without minor units, whose bands are wider.
func TestPricesInYen(t *testing.T) {
	yen := func(c *config.Config) { c.Currency = "JPY" }
	testkit.EachSite(t, yen, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		mara, visitor := s.Person("Mara", "contributor"), s.Visitor()
		fill(t, s, mara.ID, []piece{
			{"Oak door", "fx-o", "wav", "door", "standard", 300}, {"Door of oak", "fx-o", "wav", "door", "standard", 301}, {"Free door", "fx-o", "wav", "door", "cc0", 0},
		})
		for text, want := range map[string]string{"door price:<301": "2", "door price:301": "1", "door price:250..350": "2", "door price:<4": "1", "door price:low": "1", "door price:high": "1"} {
			if n := found(t, visitor, "/search?"+url.Values{"q": {text}}.Encode()); n != want {
				t.Errorf("%s: %s, want %s", text, n, want)
			}
		}
		if got := visitor.Get("/search?q=door").Text; !strings.Contains(got, "Up to ¥300") || !strings.Contains(got, "Over ¥300") {
			t.Error("the bands are not told in yen")
		}
	})
}
