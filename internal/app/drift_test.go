package app_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/access"
	"audiomicro/internal/apiv1"
	"audiomicro/internal/app"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/personal"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var update = flag.Bool("update", false, "write testdata/routes.txt anew")

// TestEveryColumnIsDeclared compares both engines' catalogs with the personal-data declarations, both ways.
func TestEveryColumnIsDeclared(t *testing.T) {
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		tables, err := d.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(tables) < 25 {
			t.Fatalf("only %d tables: is the schema there?", len(tables))
		}
		for _, problem := range personal.Undeclared(tables, app.Declarations(), app.LibraryTables()) {
			t.Error(problem)
		}
		// The test must be able to fail.
		tables["recording"] = append(tables["recording"], "shoe_size")
		tables["diary"] = []string{"id"}
		if n := len(personal.Undeclared(tables, app.Declarations(), app.LibraryTables())); n != 2 {
			t.Errorf("an undeclared column and table gave %d problems, want 2", n)
		}
	})
}

// TestRouteTable keeps the list of routes and their actions in sight: a change of policy shows in a diff.
func TestRouteTable(t *testing.T) {
	site := testkit.NewSite(t, db.SQLite, nil)
	var b strings.Builder
	for _, r := range site.Site.Routes() {
		flags := ""
		if r.API {
			flags += " api"
		}
		if r.Cross {
			flags += " cross-origin"
		}
		fmt.Fprintf(&b, "%-46s %s%s\n", r.Pattern, r.Action, flags)
	}
	file := filepath.Join("testdata", "routes.txt")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != b.String() {
		t.Errorf("testdata/routes.txt differs from the routes (go test ./internal/app -run TestRouteTable -update writes it): %v", err)
	}
}

// TestEveryRouteAsksForTheRole walks every route as every role, on another contributor's draft: nobody gets an answer whose
// action their role may not do, and nobody but its owner and staff learns that the draft exists.
func TestEveryRouteAsksForTheRole(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) {}, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		owner := s.Person("owner", "contributor")
		draft := makeDraft(t, s, owner)
		people := map[string]*testkit.Person{
			"visitor": s.Visitor(), "member": s.Person("plain", "member"), "contributor": s.Person("other", "contributor"), "owner": owner,
			"moderator": s.Person("judge", "moderator"), "admin": s.Person("boss", "admin"),
		}
		for name, p := range people {
			actor := access.Actor{}
			if p.ID != 0 {
				actor = p.Actor()
			}
			for _, route := range s.Site.Routes() {
				method, path, ok := strings.Cut(route.Pattern, " ")
				if !ok || route.Stream && strings.HasSuffix(path, "/events") || strings.Contains(path, "sign-out") || strings.Contains(path, "logout") || strings.Contains(path, "everywhere") {
					continue // streams never end; signing out would end the walk
				}
				path = fillPath(path, draft)
				changes := method != "GET" && method != "HEAD" && method != "OPTIONS"
				page := strings.TrimPrefix(path, apiv1.Prefix) // the same act by the API
				if actor.Is(access.Admin) && changes && (strings.HasPrefix(page, "/recordings/") || strings.HasPrefix(page, "/accounts/")) {
					continue // admins may change the draft and its owner: that is not what is asked here
				}
				if name == "owner" && changes || name == "moderator" && strings.HasPrefix(page, "/review/") {
					continue // it would change the draft that the others look for
				}
				got := p.Do(method, path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}, "Tus-Resumable": {"1.0.0"}}, strings.NewReader(""))
				refused := got.Status == 401 || got.Status == 403 || got.Status == 404 || got.Status == 303 && strings.HasPrefix(got.Location, "/sign-in")
				if !access.Might(actor, route.Action) && !refused {
					t.Errorf("%s %s as %s: %d, want a refusal", method, path, name, got.Status)
				}
				if got.Status >= 500 {
					t.Errorf("%s %s as %s: %d %s", method, path, name, got.Status, got.Text)
				}
				foreign := name == "visitor" || name == "member" || name == "contributor"
				if foreign && strings.Contains(route.Pattern, "/recordings/{id}") && got.Status < 300 {
					t.Errorf("%s %s as %s: %d for a draft of somebody else", method, path, name, got.Status)
				}
				if foreign && strings.Contains(got.Text, draft.Title) {
					t.Errorf("%s %s as %s shows the title of somebody else's draft", method, path, name)
				}
			}
		}
		if got := owner.Get(fmt.Sprintf("/recordings/%d", draft.ID)); got.Status != http.StatusOK || !strings.Contains(got.Text, draft.Title) {
			t.Errorf("the owner's own draft: %d", got.Status)
		}
	})
}

func fillPath(path string, draft recordings.Recording) string {
	id := fmt.Sprint(draft.ID)
	path = strings.NewReplacer("{$}", "", "{id}", id, "{recording}", id, "{name}", "owner", "{code}", "standard").Replace(path)
	for strings.Contains(path, "{") {
		open, end := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
		path = path[:open] + "1" + path[end+1:]
	}
	return path
}

// makeDraft makes a draft without bytes to decode: the walk needs only its row.
func makeDraft(t *testing.T, s *testkit.Site, owner *testkit.Person) recordings.Recording {
	t.Helper()
	ref, size, err := s.Blobs.Put(t.Context(), strings.NewReader("not sound"))
	if err != nil {
		t.Fatal(err)
	}
	var rec recordings.Recording
	err = s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		rec, err = s.Recordings.Create(t.Context(), tx, recordings.Original{
			OwnerID: owner.ID, FileName: "secret.wav", SHA256: string(ref), MD5: "0", Container: "wav", Codec: "pcm", Ext: "wav", ByteSize: size,
			Description: recordings.Description{Title: "Unheard of drawer", Tags: []string{"drawer"}},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestARouteWithoutAnActionDoesNotMount shows that forgetting the policy is noticed at start.
func TestARouteWithoutAnActionDoesNotMount(t *testing.T) {
	for name, action := range map[string]access.Action{"none": "", "unknown": "read minds"} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("the route was mounted")
				}
			}()
			(&web.Site{}).Mount(web.Route{Pattern: "GET /x", Action: action, Handle: func(http.ResponseWriter, *http.Request) error { return nil }})
		})
	}
}
