package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// ofAMillion is what SQLite's ANALYZE says of a site of a million recordings (bench serve --docs 1000000, and as many reactions): table,
// index, rows and rows to one value of each column of the index.
const ofAMillion = `account|sqlite_autoindex_account_1|10050 1
account|sqlite_autoindex_account_2|10050 1
account|sqlite_autoindex_account_3|10050 1
offer|sqlite_autoindex_offer_1|1179930 2 1
pack|sqlite_autoindex_pack_1|65943 1
pack|sqlite_autoindex_pack_2|65943 20 1
recording|recording_md5|1000000 1
recording|recording_owner|1000000 10001 10001 1
recording|recording_pack|1000000 339
recording|recording_place|1000 2
recording|recording_sha256|1000000 1
recording|recording_state|1000000 10001 1
recording|sqlite_autoindex_recording_1|1000000 1
recording|sqlite_autoindex_recording_2|1000000 1
recording_analysis|recording_analysis_described|1000000 10001 1
recording_analysis|recording_analysis_pcm|1000000 1
recording_analysis|sqlite_autoindex_recording_analysis_1|1000000 1
recording_measure|sqlite_autoindex_recording_measure_1|1000000 1
recording_tag|recording_tag_tag|5946390 10001
recording_tag|sqlite_autoindex_recording_tag_1|5946390 6 1
license_model|sqlite_autoindex_license_model_1|13 1
api_credential|sqlite_autoindex_api_credential_1|1000 1
collection|sqlite_autoindex_collection_1|200000 1
collection|collection_hidden|100 1
collection_report|collection_report_open|100 2`

// wholeTables are the statements that may read a whole table, by their beginning, and why.
var wholeTables = map[string]string{
	"SELECT (SELECT count(*) FROM recording_analysis) AS analyzed":          "/admin/formats counts, in indexes alone",
	"SELECT id, kind, account_id, recipient, subject, text_body, html_body": "/dev/mail is there while developing only",
	"SELECT c.id, c.account_id, c.name, c.client_id, c.url, c.redirect_uri": "/admin/api lists the programs, which are few, by their requests",
}

// smallTables hold what operators and the house make, or what went wrong, not what people bring: they stay small.
var smallTables = []string{"license_model", "license_text", "signing_key", "job_schedule", "instance", "node_lease", "synonym", "feed_head", "recording_unheard", "river_job", "river_queue", "schema_version"}

// smallIndexes hold the few rows of a table that wait for staff.
var smallIndexes = []string{"collection_report_open"}

var (
	named  = regexp.MustCompile(`(?i)\b(?:FROM|JOIN)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?`)
	inner  = regexp.MustCompile(`\)\s+(?:AS\s+)?(\w+)\s+(?:ON|WHERE|JOIN|LEFT)`)
	digits = regexp.MustCompile(`\d+`)
	params = regexp.MustCompile(`\$(\d+)`)
)

// TestPlansAtAMillion walks the site as each kind of person and asks SQLite how it would read a site of a million with every statement
// that was used: none may read a whole table of what people bring, or sort all that is published to show a page. SQLite only, for its
// planner goes by statistics that a test can write; a statement that it finds by an index, PostgreSQL does too.
func TestPlansAtAMillion(t *testing.T) {
	s := testkit.NewSite(t, db.SQLite, nil)
	var mu sync.Mutex
	statements := map[string]bool{}
	s.DB.Watch(func(statement string, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		statements[statement] = true
	})
	maker, buyer, admin, visitor := s.Person("Maker", "contributor"), s.Person("Buyer", "member"), s.Person("Admin", "admin"), s.Visitor()
	rec := stock(t, maker, "Tone", tone(t, 1), standard())
	other := stock(t, maker, "Second tone", tone(t, 2), standard())
	purchase(t, buyer, rec.ID)
	shelf, _ := shelves(t, s, buyer, maker.ID, []int64{rec.ID, other.ID})
	for _, id := range []int64{rec.ID, other.ID} {
		buyer.Post("/cart", url.Values{"recording": {fmt.Sprint(id)}, "model": {"standard"}})
		buyer.Post(fmt.Sprintf("/recordings/%d/favorite", id), url.Values{"on": {"1"}})
	}
	start := []string{"/", "/search", "/search?q=tone&sort=downloads", "/search.atom?q=tone", "/search/suggest?q=to", "/people/Maker", fmt.Sprintf("/recordings/%d", rec.ID), shelf, "/favorites", "/collections",
		"/searches", "/my-sounds", "/earnings", "/packs", "/library", "/orders", "/cart", "/settings", "/settings/api", "/upload", "/upload/describe", "/review", "/admin/orders", "/admin/licenses", "/admin/formats", "/admin/api",
		"/api/v1/search?q=tone", fmt.Sprintf("/api/v1/recordings/%d", rec.ID), "/apiv2/search/text/?query=tone", fmt.Sprintf("/apiv2/sounds/%d/", rec.ID), fmt.Sprintf("/apiv2/sounds/%d/similar/", rec.ID),
		"/apiv2/users/Maker/", "/apiv2/users/Maker/sounds/", "/apiv2/users/Maker/packs/", "/apiv2/me/", "/oembed?url=" + url.QueryEscape(s.URL+fmt.Sprintf("/recordings/%d", rec.ID))}
	pages := 0
	for _, p := range []*testkit.Person{visitor, buyer, maker, admin} {
		pages += walk(t, p, start)
	}
	if pages < 120 {
		t.Errorf("only %d pages were walked", pages)
	}

	mu.Lock()
	list := make([]string, 0, len(statements))
	for one := range statements {
		list = append(list, one)
	}
	mu.Unlock()
	slices.Sort(list)
	views, err := db.Query[string](t.Context(), s.DB, `SELECT sql FROM sqlite_master WHERE type = 'view'`)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DB.Analyze(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(t.Context(), s.DB, `DELETE FROM sqlite_stat1`)
	for line := range strings.Lines(ofAMillion) {
		if part := strings.Split(strings.TrimSpace(line), "|"); err == nil {
			_, err = db.Exec(t.Context(), s.DB, `INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ($1, $2, $3)`, part[0], part[1], part[2])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	again, err := db.Open(t.Context(), db.Options{File: s.Config.SQLiteFile()}) // which plans by these numbers
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, statement := range list {
		for _, fault := range faults(t, again, statement, views) {
			t.Errorf("%s\n\t%s", strings.Join(strings.Fields(statement), " "), fault)
		}
	}
	t.Logf("%d statements on %d pages", len(list), pages)
}

// walk follows the links of pages, two of each kind, and returns how many answered.
func walk(t *testing.T, p *testkit.Person, next []string) (pages int) {
	seen, kinds := map[string]bool{}, map[string]int{}
	next = slices.Clone(next)
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		kind, _, _ := strings.Cut(digits.ReplaceAllString(at, "0"), "?")
		if seen[at] || kinds[kind] > 3 || strings.Contains(at, "sign-out") {
			continue
		}
		seen[at] = true
		kinds[kind]++
		got := p.Get(at)
		if got.Status >= http.StatusInternalServerError {
			t.Errorf("%s: %d %.200s", at, got.Status, got.Text)
		}
		if got.Status != http.StatusOK {
			continue
		}
		pages++
		if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
			continue
		}
		root, err := html.Parse(strings.NewReader(got.Text))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && n.Data == "a" {
				if to := nodeAttr(n, "href"); strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/media/") {
					next = append(next, to)
				}
			}
		}
	}
	return pages
}

// faults are the steps of a statement's plan that would take long at a million.
func faults(t *testing.T, d *db.DB, statement string, views []string) (out []string) {
	for beginning := range wholeTables {
		if strings.HasPrefix(strings.Join(strings.Fields(statement), " "), beginning) {
			return nil
		}
	}
	n := 0
	for _, m := range params.FindAllStringSubmatch(statement, -1) {
		var i int
		fmt.Sscan(m[1], &i)
		n = max(n, i)
	}
	type step struct {
		ID     int64  `db:"id"`
		Parent int64  `db:"parent"`
		Unused int64  `db:"notused"`
		Detail string `db:"detail"`
	}
	steps, err := db.Query[step](t.Context(), d, "EXPLAIN QUERY PLAN "+statement, make([]any, n)...)
	if err != nil {
		t.Errorf("%s: %v", statement, err)
		return nil
	}
	tables := map[string]string{}
	for _, text := range append([]string{statement}, views...) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			for _, name := range m[1:] {
				if tables[name] == "" {
					tables[name] = m[1]
				}
			}
		}
	}
	for _, m := range inner.FindAllStringSubmatch(statement, -1) { // what a SELECT of its own gave, whose steps are judged themselves
		tables[m[1]] = smallTables[0]
	}
	sorts := slices.ContainsFunc(steps, func(s step) bool { return s.Detail == "USE TEMP B-TREE FOR ORDER BY" && s.Parent == 0 })
	stops := strings.Contains(statement, "LIMIT")
	steps = slices.DeleteFunc(steps, func(s step) bool {
		words := strings.Fields(s.Detail)
		return words[0] == "SCAN" && slices.Contains(smallIndexes, words[len(words)-1])
	})
	for _, one := range steps {
		words := strings.Fields(one.Detail)
		switch {
		case words[0] == "SCAN" && words[1] != "CONSTANT" && !slices.ContainsFunc(views, func(sql string) bool { return strings.HasPrefix(sql, "CREATE VIEW "+words[1]+" ") }) && !slices.Contains(smallTables, tables[words[1]]) && (sorts || !stops):
			out = append(out, one.Detail)
		case strings.Contains(one.Detail, "recording_state (state=?)") && (sorts || !stops):
			out = append(out, one.Detail)
		}
	}
	return out
}
