package uploads_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web/ui"
)

// several uploads n tones in one form and gives their ids in the order of their names.
func several(t *testing.T, p *testkit.Person, n int) []int64 {
	t.Helper()
	files := map[string][]byte{}
	for i := range n {
		files[fmt.Sprintf("tone%d.wav", i)] = tone(t, 10+i)
	}
	res := p.Upload(files)
	if !strings.HasPrefix(res.Location, "/upload/describe?ids=") {
		t.Fatalf("upload of %d: %d %s %s", n, res.Status, res.Location, res.Text)
	}
	ids := make([]int64, n)
	for _, text := range strings.Split(strings.TrimPrefix(res.Location, "/upload/describe?ids="), ",") {
		var id int64
		var i int
		fmt.Sscan(text, &id)
		if _, err := fmt.Sscanf(find(t, p.Site, id).FileName, "tone%d.wav", &i); err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	return ids
}

func sheetURL(ids []int64) string {
	return "/upload/describe?ids=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]")
}

// cells are one row of the sheet's form.
func cells(form url.Values, id int64, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		form.Set(ui.CellName(id, pairs[i]), pairs[i+1])
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, bob := s.Person("Ann", "contributor"), s.Person("Bob", "contributor")
		ids := several(t, ann, 3)
		for _, id := range ids {
			ready(t, s, id)
		}
		at := sheetURL(ids)
		wants(t, ann.Get(at), 200, "Describe 3 recordings", "tone1.wav", "3 recordings need you.", "Broadcast 1M")
		if res := bob.Get(at); res.Status != http.StatusNotFound {
			t.Fatalf("another's sheet: %d", res.Status)
		}
		if res := bob.Post("/upload/describe", url.Values{"ids": {fmt.Sprint(ids[0])}, ui.CellName(ids[0], "title"): {"Mine"}}); res.Status != http.StatusNotFound {
			t.Fatalf("save another's sheet: %d", res.Status)
		}

		form := url.Values{"ids": {strings.TrimPrefix(at, "/upload/describe?ids=")}, "act": {"submit"}}
		cells(form, ids[0], "title", "One", "tags", "a, b, c", "category", "fx-o", "license", "cc0", "price", "", "description", "", "pack", "")
		cells(form, ids[1], "title", "Two", "tags", "a, b", "category", "fx-o", "license", "standard", "price", "0.01", "description", "", "pack", "Set")
		cells(form, ids[2], "title", "Three", "tags", "a, b, c", "category", "no-such", "license", "standard+broadcast-1m", "price", "4", "description", "", "pack", "Set")
		res := ann.Post("/upload/describe", form)
		wants(t, res, 422, "Declare that you hold the rights", "Standard costs at least $1 here.", "This is no kind of this site.")
		form.Set("rights", "on")
		res = ann.Post("/upload/describe", form)
		wants(t, res, 422, "Describe 2 recordings", "1 recording is submitted for review.", "This is no kind of this site.", `value="0.01"`) // what is wrong is there as typed
		for i, want := range []recordings.State{recordings.Submitted, recordings.Draft, recordings.Draft} {
			if got := find(t, s, ids[i]); got.State != want {
				t.Errorf("%s: %s, want %s", got.Title, got.State, want)
			}
		}
		three, err := s.Licensing.Offers(context.Background(), s.DB, ids[2])
		if err != nil || len(three) != 2 || three[0].Price.Minor != 400 || three[1].Price.Minor != 900 {
			t.Errorf("offers of the third: %v, %v", three, err)
		}

		row := url.Values{"id": {fmt.Sprint(ids[1])}, "title": {"Two bells"}, "tags": {"a, b, c"}, "category": {"fx-o"}, "license": {"standard"}, "price": {"7"}, "description": {"x"}, "pack": {"Set"}}
		res = ann.Post("/upload/describe/row?"+strings.TrimPrefix(at, "/upload/describe?"), row)
		var saved ui.BatchSaved
		res.JSON(t, &saved)
		if saved.Check != "Ready" || saved.Ready != 1 || len(saved.Errors) != 0 {
			t.Fatalf("autosave: %+v", saved)
		}
		wants(t, ann.Post("/upload/describe", url.Values{"ids": {fmt.Sprint(ids[1])}, "act": {"save"}, ui.CellName(ids[1], "title"): {"Two bells"}, ui.CellName(ids[1], "place"): {"at <home>"}}), 422,
			recordings.PlaceRefused, `value="at &lt;home&gt;"`)
		row.Set("price", "many")
		ann.Post("/upload/describe/row?"+strings.TrimPrefix(at, "/upload/describe?"), row).JSON(t, &saved)
		if saved.Errors["price"] == "" || saved.Tone != "bad" {
			t.Fatalf("autosave of a wrong price: %+v", saved)
		}
		long := url.Values{"id": row["id"], "title": {strings.Repeat("x", 121)}, "pack": {strings.Repeat("y", 101)}}
		ann.Post("/upload/describe/row?"+strings.TrimPrefix(at, "/upload/describe?"), long).JSON(t, &saved)
		if saved.Errors["title"] == "" || saved.Errors["pack"] == "" || find(t, s, ids[1]).Title != "Two bells" {
			t.Fatalf("autosave of texts that do not fit: %+v", saved)
		}
		if res := bob.Post("/upload/describe/row", row); res.Status != http.StatusNotFound {
			t.Fatalf("autosave of another's row: %d", res.Status)
		}
		row.Set("id", fmt.Sprint(ids[0]))
		ann.Post("/upload/describe/row", row).JSON(t, &saved)
		if saved.Errors["title"] == "" || find(t, s, ids[0]).Title != "One" {
			t.Fatalf("autosave during the review: %+v", saved)
		}
	})
}

// applyTable sends a CSV file for the sheet.
// TestSheetTwice sends the same sheet from two pages without script: what only one of them changed is joined, what both changed is
// told with both texts, and is replaced when it is sent again.
func TestSheetTwice(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		ids := several(t, ann, 2)
		for _, id := range ids {
			ready(t, s, id)
		}
		at := sheetURL(ids)
		version := func(res testkit.Answer, id int64) string {
			_, rest, ok := strings.Cut(res.Text, fmt.Sprintf(`name="seen.%d" value="`, id))
			if !ok {
				t.Fatalf("row %d carries no version", id)
			}
			v, _, _ := strings.Cut(rest, `"`)
			return v
		}
		opened := ann.Get(at)
		form := func(res testkit.Answer, pairs ...string) url.Values {
			f := url.Values{"ids": {strings.TrimPrefix(at, "/upload/describe?ids=")}, "act": {"save"}}
			for _, id := range ids {
				cells(f, id, "title", "tone", "tags", "", "category", "", "license", "", "price", "", "description", "", "pack", "", "seen", version(res, id))
			}
			cells(f, ids[0], pairs...)
			return f
		}
		ann.Post("/upload/describe", form(opened)) // without what the files brought
		opened = ann.Get(at)
		if res := ann.Post("/upload/describe", form(opened, "title", "Mine", "tags", "a, b, c", "license", "standard", "price", "4")); res.Status != http.StatusSeeOther {
			t.Fatalf("first page: %d %s", res.Status, res.Text)
		}
		res := ann.Post("/upload/describe", form(opened, "title", "Yours", "description", "Only here", "license", "standard", "price", "5"))
		wants(t, res, http.StatusConflict, "Saved, except for what is marked.", "Title: another page saved “Mine” here", "Licenses: another page saved “Standard", `value="Yours"`, `value="5"`, `value="a, b, c"`)
		rec := find(t, s, ids[0])
		if rec.Title != "Mine" || rec.Description != "Only here" {
			t.Errorf("kept: %q, %q", rec.Title, rec.Description)
		}
		if had, err := s.Licensing.Offers(t.Context(), s.DB, ids[0]); err != nil || len(had) != 1 || had[0].Price.Minor != 400 {
			t.Errorf("offers: %v, %v", had, err)
		}
		// Sent again as it stands there, it replaces.
		if res = ann.Post("/upload/describe", form(res, "title", "Yours", "description", "Only here", "tags", "a, b, c", "license", "standard", "price", "5")); res.Status != http.StatusSeeOther {
			t.Fatalf("sent again: %d %s", res.Status, res.Text)
		}
		if rec = find(t, s, ids[0]); rec.Title != "Yours" {
			t.Errorf("sent again: %q", rec.Title)
		}
		if had, err := s.Licensing.Offers(t.Context(), s.DB, ids[0]); err != nil || len(had) != 1 || had[0].Price.Minor != 500 {
			t.Errorf("offers: %v, %v", had, err)
		}
		// What is wrong in a cell stands there as it was typed.
		res = ann.Post("/upload/describe", form(ann.Get(at), "title", strings.Repeat("long ", 60), "description", "Only here"))
		wants(t, res, http.StatusUnprocessableEntity, `value="long long`)
	})
}

func applyTable(t *testing.T, p *testkit.Person, ids []int64, table string) testkit.Answer {
	t.Helper()
	var body bytes.Buffer
	mw := multipart.NewWriter(&body)
	mw.WriteField("ids", strings.TrimPrefix(sheetURL(ids), "/upload/describe?ids="))
	w, err := mw.CreateFormFile("csv", "sheet.csv")
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(table))
	mw.Close()
	return p.Do(http.MethodPost, "/upload/describe.csv", http.Header{"Content-Type": {mw.FormDataContentType()}, "Sec-Fetch-Site": {"same-origin"}}, &body)
}

func TestTable(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		ids := several(t, ann, 3)
		hostile := []string{`=HYPERLINK("http://x")`, "'quoted", "-1 \"x\", y"}
		for i, id := range ids {
			row := url.Values{"id": {fmt.Sprint(id)}, "title": {hostile[i]}, "tags": {"a, b, c"}, "category": {"fx-o"}, "license": {"standard"}, "price": {"7.50"}, "description": {"two\nlines"}, "pack": {"@pack"}, "place": {"-33.90, 151.2"}}
			var saved ui.BatchSaved
			ann.Post("/upload/describe/row", row).JSON(t, &saved)
			if len(saved.Errors) != 0 {
				t.Fatalf("row: %+v", saved)
			}
		}
		res := ann.Get(strings.Replace(sheetURL(ids), "describe?", "describe.csv?", 1))
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") || !strings.Contains(res.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("headers %v", res.Header)
		}
		records, err := csv.NewReader(strings.NewReader(res.Text)).ReadAll()
		if err != nil || len(records) != 4 {
			t.Fatalf("%v in %s", err, res.Text)
		}
		for _, record := range records[1:] {
			for _, v := range record {
				if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
					t.Errorf("a spreadsheet would compute %q", v)
				}
			}
		}
		if out := applyTable(t, ann, ids, res.Text); out.Status != http.StatusSeeOther {
			t.Fatalf("apply the same table: %d %s", out.Status, out.Text)
		}
		for i, id := range ids {
			if got := find(t, s, id).Title; got != hostile[i] {
				t.Errorf("title %q after the round trip, want %q", got, hostile[i])
			}
			if got := find(t, s, id).Place().String(); got != "-33.9, 151.2" {
				t.Errorf("place %q after the round trip", got)
			}
		}

		bad := fmt.Sprintf("id,title,category,license,price,ai_training\n%d,Fine,fx-a,cc0,,no\n%d,Changed,fx-zzz,standard,0.2,maybe\n999999,X,,,,\n%d,Again,,,,\n", ids[0], ids[1], ids[0])
		wants(t, applyTable(t, ann, ids, bad), 422, "The CSV was not applied.", "Line 3, category: This is no kind", "Line 3, price: Standard costs at least $1",
			"Line 3, ai_training: Write yes or no.", "Line 4, id: There is no such recording", "Line 5, id: Line 2 is about the same recording", "#f-price."+fmt.Sprint(ids[1]))
		if got := find(t, s, ids[0]).Title; got != hostile[0] {
			t.Errorf("a refused table changed a title to %q", got)
		}
		places := fmt.Sprintf("id,geotag,latitude,longitude\n%d,\"41.4, 2.2\",,\n%d,,41.40,\n%d,\"91, 0\",,\n", ids[0], ids[1], ids[2])
		wants(t, applyTable(t, ann, ids, places), 422, "Line 3, longitude: The latitude stands alone", "Line 4, geotag: Write a place as latitude and longitude", "#f-place."+fmt.Sprint(ids[2]))
		if got := find(t, s, ids[0]).Place().String(); got != "-33.9, 151.2" {
			t.Errorf("a refused table moved a recording to %q", got)
		}
		places = fmt.Sprintf("id,latitude,longitude\n%d,41.40,2.2\n%d,,\n", ids[0], ids[1])
		if out := applyTable(t, ann, ids, places); out.Status != http.StatusSeeOther || find(t, s, ids[0]).Place().String() != "41.4, 2.2" || find(t, s, ids[1]).Place() != nil || find(t, s, ids[2]).Place() == nil {
			t.Errorf("latitude and longitude: %d, %s, %s, %s", out.Status, find(t, s, ids[0]).Place(), find(t, s, ids[1]).Place(), find(t, s, ids[2]).Place())
		}
		for _, c := range []struct{ name, table, want string }{
			{"empty", "", "first line must name the columns"},
			{"unknown column", "id,colour\n1,red\n", "There is no column &#34;colour&#34;"},
			{"column twice", "id,ID\n1,1\n", "stands there twice"},
			{"ragged", "id,title\n1\n", "more or fewer cells"},
			{"quote", "id,title\n1,\"x\n", "quotation mark"},
			{"latin 1", "id,title\n1,caf\xe9\n", "not UTF-8"},
			{"no key", "title\nx\n", "There is no such recording"},
		} {
			t.Run(c.name, func(t *testing.T) { wants(t, applyTable(t, ann, ids, c.table), 422, c.want) })
		}
		semicolons := "\xef\xbb\xbfFile;Title;Tags\r\ntone2.wav;Renamed;x, y, z\r\n"
		if out := applyTable(t, ann, ids, semicolons); out.Status != http.StatusSeeOther || find(t, s, ids[2]).Title != "Renamed" {
			t.Fatalf("semicolons, BOM, CRLF and file names: %d %s", out.Status, out.Text)
		}
	})
}

// TestEvents reads the progress of an upload from the stream, breaks off, and goes on from the last event.
func TestEvents(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, bob := s.Person("Ann", "contributor"), s.Person("Bob", "contributor")
		read, stop := stream(t, ann, "")
		draft(t, bob, "foreign.wav", 30)
		rec := draft(t, ann, "own.wav", 31)
		var first string
		for e := range read {
			if e.ID != rec.ID {
				t.Fatalf("an event about recording %d of somebody else", e.ID)
			}
			if first == "" {
				first = e.seq
			}
			if e.State == "ready" {
				break
			}
		}
		stop()
		again, stop := stream(t, ann, first)
		defer stop()
		for e := range again {
			if e.ID == rec.ID && e.State == "ready" {
				return
			}
		}
		t.Fatal("the stream ended without what was missed")
	})
}

type event struct {
	seq   string
	ID    int64
	State string
	Text  string
}

func stream(t *testing.T, p *testkit.Person, last string) (<-chan event, func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Site.URL+"/upload/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := p.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("stream: %d %v", res.StatusCode, res.Header)
	}
	out := make(chan event)
	go func() {
		defer close(out)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		var e event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.seq = value
			case "data":
				if json.Unmarshal([]byte(value), &e) != nil {
					return
				}
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, cancel
}
