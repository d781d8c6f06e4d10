package apiv1

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// fuzzSite serves two operations without any Store: one that amends a description, and one that lists pages.
func fuzzSite() *web.Site {
	f := &Face{Site: &web.Site{Name: "Test", URL: "http://test.example", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now}}
	f.Site.Limits.Off = true
	f.known, f.cross = http.NewServeMux(), http.NewCrossOriginProtection()
	f.api = f.newAPI()
	add(f, operation{route: "PATCH /recordings/{id}", id: "edit", tag: tagRecordings, action: access.FillCart}, func(_ context.Context, in *editIn) (*body[Edit], error) {
		d, err := amend(recordings.Description{}, in.Body)
		return answer(Edit{Title: &d.Title, Tags: d.Tags}), err
	})
	add(f, operation{route: "GET /list", id: "list", tag: tagSearch, action: access.Look}, func(ctx context.Context, in *struct {
		Paging
		searchIn
	}) (*body[List[int]], error) {
		return page(ctx, f, in.Paging, cut(in.Paging, make([]int, 50)), 50), nil
	})
	f.finish()
	f.Site.Mount(f.routes...)
	return f.Site
}

// FuzzRequests sends any path, query, header and body: an answer is what was asked for or a problem with a sentence, never a failure of
// the server.
func FuzzRequests(f *testing.F) {
	f.Add("PATCH", "/api/v1/recordings/1", "", `{"title": "Rain", "tags": ["a", "b"]}`, `"abc"`)
	f.Add("PATCH", "/api/v1/recordings/01", "x=1", `{"offers": [{"license": "cc0", "price": {"minor": 1e99, "currency": "USD"}}]}`, "W/\"")
	f.Add("GET", "/api/v1/list", "page=2&page_size=10&channels=1&channels=2&length_min=1e3", "", "")
	f.Add("GET", "/api/v1/list", "page=-1&page_size=%00", "[", "*")
	f.Add("OPTIONS", "/api/v1/recordings/1", "", "", "")
	site := fuzzSite()
	f.Fuzz(func(t *testing.T, method, path, query, body, match string) {
		if method != "GET" && method != "PATCH" && method != "OPTIONS" || !strings.HasPrefix(path, Prefix+"/") {
			t.Skip("not of this API")
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL = &url.URL{Path: path, RawQuery: query}
		if r.Header.Set("If-Match", match); body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code == http.StatusNoContent || w.Code >= 300 && w.Code < 400 {
			return
		}
		if w.Code >= 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var v struct{ Detail, Next string }
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			t.Fatalf("%d %v: %s", w.Code, err, w.Body)
		}
		if w.Code >= 400 && (v.Detail == "" || w.Header().Get("Content-Type") != problemType) {
			t.Fatalf("%d without a sentence: %s", w.Code, w.Body)
		}
		if _, err := url.Parse(v.Next); err != nil {
			t.Fatal(err)
		}
	})
}
