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
			{"/search?q=footste", "footste* (1)"},
			{"/search?q=rain+gravel+zebra", "Try a part of it: <a"},
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
		if _, err := db.Exec(t.Context(), s.DB, `UPDATE recording SET owner_id = $1 WHERE id = 2`, jona.ID); err != nil {
			t.Fatal(err)
		}
		if got := visitor.Get("/").Text; !strings.Contains(got, "2 people") {
			t.Errorf("home does not count both: %.2000s", got[strings.Index(got, "<main"):])
		}
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
