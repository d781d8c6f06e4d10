package search_test

import (
	"errors"
	"html"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"audiomicro/internal/app"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// TestServesWhileFilling starts a site whose snapshot is gone and whose index cannot be filled yet, for a table is away: it serves all the
// same, says so where somebody searches, is ready when the table is back, and can be stopped meanwhile.
func TestServesWhileFilling(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		mara := s.Person("Mara", "contributor")
		fill(t, s, mara.ID, []piece{{"Kettle", "fx-o", "wav", "kettle", "cc0", 0}, {"Wardrobe", "fx-o", "wav", "door", "cc0", 0}, {"Gate", "fx-o", "wav", "door", "cc0", 0}})
		v := s.Visitor()
		reader := s.Person("Reader", "member")
		reader.Post("/searches", url.Values{"search": {"q=kettle"}})
		away := func(d *db.DB, from, to string) {
			t.Helper()
			if _, err := db.Exec(t.Context(), d, `ALTER TABLE `+from+` RENAME TO `+to); err != nil {
				t.Fatal(err)
			}
		}
		start := func() (*app.App, *app.Server) {
			t.Helper()
			if err := os.Remove(s.Search.SnapshotFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			a, err := app.Open(t.Context(), s.Config, app.Options{Version: "test", Log: slog.New(slog.DiscardHandler), Serve: true})
			if err != nil {
				t.Fatal(err)
			}
			var l net.Listener
			testkit.Eventually(t, "the address is free again", func() bool { // a process forked meanwhile holds it until its exec
				l, err = net.Listen("tcp", s.Config.Listen)
				return err == nil
			})
			server, err := a.Start(t.Context(), l)
			if err != nil {
				t.Fatal(err)
			}
			return a, server
		}
		away(s.DB, "search_synonyms", "elsewhere")
		s.Stop()

		a, server := start()
		for path, want := range map[string]int{
			"/readyz": 503, "/search?q=kettle": 503, "/search.atom": 503, "/search/suggest?q=ke": 503, "/api/v1/search?q=kettle": 503, "/api/v1/recordings/1/similar": 503,
			"/healthz": 200, "/": 200, "/recordings/1": 200, "/people/Mara": 200, "/people/Mara/feed.atom": 200, "/api/v1/site": 200,
		} {
			got := v.Get(path)
			if got.Status == http.StatusMovedPermanently || got.Status == http.StatusSeeOther { // to the recording's own address
				got = v.Get(got.Location)
			}
			if got.Status != want {
				t.Errorf("%s while the index is filled: %d %s", path, got.Status, got.Text)
			}
			if want == 503 && got.Header.Get("Retry-After") != "5" {
				t.Errorf("%s: Retry-After %q", path, got.Header.Get("Retry-After"))
			}
		}
		saved := reader.Get("/searches")
		open := regexp.MustCompile(`/searches/\d+/open`).FindString(saved.Text)
		if saved.Status != http.StatusOK || open == "" || !strings.Contains(saved.Text, "The search index is being filled") || strings.Contains(saved.Text, "0 sounds") {
			t.Errorf("saved searches while the index is filled: %d %s", saved.Status, saved.Text)
		}
		feed := strings.TrimPrefix(html.UnescapeString(regexp.MustCompile(`[^"]*/searches/[^"/]+\.atom`).FindString(saved.Text)), s.URL)
		for _, path := range []string{open, feed, "/apiv2/search/?token=" + reader.Key, "/apiv2/search/text/?token=" + reader.Key, "/apiv2/search/?sort=duration:1&token=" + reader.Key, "/apiv2/search/?similar_to=1&token=" + reader.Key} {
			got := reader.Get(path)
			if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "5" {
				t.Errorf("%s while the index is filled: %d %s", path, got.Status, got.Text)
			}
			if strings.HasPrefix(path, "/apiv2/") && !strings.Contains(got.Text, `{"detail":"The search index is being filled`) {
				t.Errorf("%s tells it otherwise than its other errors: %s", path, got.Text)
			}
		}
		if got := v.Get("/api/v1/search?q=kettle"); got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("the JSON API tells it as %s: %s", got.Header.Get("Content-Type"), got.Text)
		}
		testkit.Eventually(t, "search tells how far the filling is", func() bool {
			return strings.Contains(v.Get("/search?q=kettle").Text, "The search index is being filled: 3 of 3 recordings.")
		})
		if home := v.Get("/").Text; !strings.Contains(home, "The search index is being filled") || !strings.Contains(home, "Wardrobe") {
			t.Errorf("home says neither what is new nor why there is no more: %s", home)
		}
		if site := v.Get("/api/v1/site").Text; !strings.Contains(site, `"recordings":3`) {
			t.Errorf("the site has lost its recordings: %s", site)
		}
		away(a.DB, "elsewhere", "search_synonyms")
		testkit.Eventually(t, "the site is ready", func() bool { return v.Get("/readyz").Status == http.StatusOK })
		if got := v.Get("/search?q=kettle"); got.Status != http.StatusOK || !strings.Contains(got.Text, "Kettle") {
			t.Errorf("once it is ready: %d", got.Status)
		}

		away(a.DB, "search_synonyms", "elsewhere")
		stop := func() {
			t.Helper()
			if err := errors.Join(server.Stop(t.Context()), a.Close()); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		a, server = start()
		stop() // although it has not been filled
		a, server = start()
		away(a.DB, "elsewhere", "search_synonyms")
		stop()
		s.Restart()
		if got := s.Visitor().Get("/search?q=kettle"); got.Status != http.StatusOK || !strings.Contains(got.Text, "Kettle") {
			t.Errorf("after a start that was stopped: %d", got.Status)
		}
	})
}
