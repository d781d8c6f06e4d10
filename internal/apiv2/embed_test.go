package apiv2_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"audiomicro/internal/testkit"
)

// TestEmbedding shows a sound on other sites: oEmbed to its specification, the frame, the short link, the credit line.
func TestEmbedding(t *testing.T) {
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		ids := catalog(t, s, 1)
		nobody := with(t, s, "")
		page := fmt.Sprintf("%s/recordings/%d", s.URL, ids[0])
		ask := func(query string) testkit.Answer { return nobody.get("/oembed?url=" + url.QueryEscape(page) + query) }
		v := want(t, "oembed", ask(""), http.StatusOK)
		frame := fmt.Sprintf("/embed/sound/iframe/%d/simple/medium/", ids[0])
		for field, is := range map[string]any{"type": "rich", "version": "1.0", "title": "Sound 01", "author_name": "Maker", "author_url": s.URL + "/people/Maker", "provider_name": "AudioMicro", "provider_url": s.URL, "width": 481.0, "height": 130.0,
			"html": fmt.Sprintf(`<iframe src="%s%s" width="481" height="130" frameborder="0" scrolling="no" title="Sound 01"></iframe>`, s.URL, frame), "thumbnail_width": 900.0} {
			if v[field] != is {
				t.Errorf("%s is %v, want %v", field, v[field], is)
			}
		}
		if got := nobody.get(strings.TrimPrefix(v["thumbnail_url"].(string), s.URL)); got.Status != http.StatusOK || got.Header.Get("Content-Type") != "image/png" {
			t.Errorf("thumbnail: %d", got.Status)
		}
		for query, size := range map[string][2]float64{"&size=large": {920, 245}, "&size=small": {375, 84}, "&maxwidth=300": {300, 245}, "&maxheight=100": {375, 84}, "&maxwidth=400&maxheight=200": {400, 130}, "&size=large&maxheight=100": {375, 84}, "&maxwidth=x": {920, 245}} {
			if v := want(t, query, ask(query), http.StatusOK); v["width"] != size[0] || v["height"] != size[1] {
				t.Errorf("%s: %v x %v, want %v", query, v["width"], v["height"], size)
			}
		}
		if v := want(t, "small", ask("&maxwidth=300"), http.StatusOK); v["thumbnail_width"] != 120.0 {
			t.Errorf("thumbnail within 300: %v", v["thumbnail_width"])
		}
		var x struct {
			XMLName xml.Name `xml:"oembed"`
			Version string   `xml:"version"`
			Author  string   `xml:"author_name"`
			HTML    string   `xml:"html"`
			Width   int      `xml:"width"`
		}
		if got := ask("&format=xml"); xml.Unmarshal([]byte(got.Text), &x) != nil || got.Header.Get("Content-Type") != "text/xml; charset=utf-8" || x.Version != "1.0" || x.Author != "Maker" || x.HTML != v["html"] || x.Width != 481 {
			t.Errorf("XML: %+v in %s", x, got.Text)
		}
		for query, status := range map[string]int{"/oembed?url=" + url.QueryEscape(page) + "&format=yaml": 501, "/oembed": 404, "/oembed/?url=https://elsewhere.example/recordings/1": 404, "/oembed/?url=" + url.QueryEscape(s.URL+"/packs/1"): 404,
			"/oembed/?url=" + url.QueryEscape(s.URL+"/recordings/99999"): 404, "/oembed/?maxheight=10&url=" + url.QueryEscape(page): 404, "/oembed/?maxwidth=10&url=" + url.QueryEscape(page): 404} {
			if got := nobody.get(query); got.Status != status {
				t.Errorf("%s: %d, want %d", query, got.Status, status)
			}
		}
		for _, address := range []string{fmt.Sprintf("/s/%d/", ids[0]), fmt.Sprintf("/people/Maker/sounds/%d/", ids[0])} {
			want(t, address, nobody.get("/oembed/?url="+url.QueryEscape(s.URL+address)), http.StatusOK)
			if got := nobody.get(address); got.Status != http.StatusMovedPermanently || got.Location != fmt.Sprintf("/recordings/%d", ids[0]) {
				t.Errorf("%s: %d %s", address, got.Status, got.Location)
			}
		}
		// A page leads to its oEmbed, and is not shown in frames itself.
		whole := nobody.get(strings.TrimPrefix(page, s.URL))
		if !strings.Contains(whole.Text, `type="application/json+oembed"`) || !strings.Contains(whole.Text, `type="text/xml+oembed"`) || !strings.Contains(whole.Text, "&lt;iframe") {
			t.Error("the page does not say how to embed it")
		}
		if csp := whole.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("the page may be framed: %s", csp)
		}
		for _, size := range []string{"small", "medium", "large"} {
			got := nobody.get(strings.Replace(frame, "medium", size, 1))
			if csp := got.Header.Get("Content-Security-Policy"); got.Status != http.StatusOK || !strings.Contains(csp, "frame-ancestors *") || !strings.Contains(csp, "default-src 'none'") || len(got.Text) > 80_000 {
				t.Errorf("%s: %d, %d bytes, %s", size, got.Status, len(got.Text), csp)
			}
			if !strings.Contains(got.Text, "<audio controls") || strings.Contains(got.Text, "<script") || !strings.Contains(got.Text, page) {
				t.Errorf("%s: %s", size, got.Text)
			}
		}
		credits(t, s, nobody, ids[0])
		unpublish(t, s, ids[0])
		for _, path := range []string{frame, fmt.Sprintf("/recordings/%d/attribution", ids[0]), "/oembed?url=" + url.QueryEscape(page), strings.Replace(frame, "medium", "huge", 1)} {
			if got := nobody.get(path); got.Status != http.StatusNotFound {
				t.Errorf("%s of a withdrawn sound: %d", path, got.Status)
			}
		}
	})
}

func credits(t *testing.T, s *testkit.Site, nobody client, id int64) {
	at := fmt.Sprintf("/recordings/%d/attribution", id)
	if got := nobody.get(at); got.Text != fmt.Sprintf("Sound 01 by Maker -- %s/s/%d/ -- License: CC0\n", s.URL, id) {
		t.Errorf("text: %s", got.Text)
	}
	if got := nobody.get(at + "?format=html"); !strings.Contains(got.Text, fmt.Sprintf(`<a href="%s/s/%d/">Sound 01</a> by <a href="%s/people/Maker">Maker</a> -- License: <a href="http://creativecommons.org/publicdomain/zero/1.0/">`, s.URL, id, s.URL)) {
		t.Errorf("HTML: %s", got.Text)
	}
	v := want(t, "JSON", nobody.get(at+"?format=json"), http.StatusOK)
	if len(v) != 6 || v["sound_name"] != "Sound 01" || v["author_name"] != "Maker" || v["license_url"] != "http://creativecommons.org/publicdomain/zero/1.0/" || v["license_name"] == "" || v["author_url"] == "" {
		t.Errorf("JSON: %v", v)
	}
}

// TestEmbedPlays opens a page of another site in Chromium that shows the player in a frame, and plays it.
func TestEmbedPlays(t *testing.T) {
	s := testkit.NewSite(t, "sqlite", quick)
	s.Site.Limits.Off = true
	ids := catalog(t, s, 1)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>A page</title><iframe id="sound" src="%s/embed/sound/iframe/%d/simple/large/" width="920" height="245"></iframe><iframe id="page" src="%[1]s/recordings/%[2]d"></iframe>`, s.URL, ids[0])
	}))
	t.Cleanup(page.Close)
	// Without isolation the test looks into frames of another origin.
	tab := testkit.Browser(t, "disable-web-security", "disable-site-isolation-trials")(t)
	tab.Open(page.URL)
	tab.Wait(`document.querySelector("#sound").contentDocument.querySelector("audio")`)
	tab.Eval(`document.querySelector("#sound").contentDocument.querySelector("audio").play().then(() => { window.played = true }, e => { window.played = String(e) })`)
	tab.Wait(`window.played === true`)
	if got := tab.Eval(`[...document.querySelector("#sound").contentDocument.querySelectorAll(".wave path")].length > 0 && getComputedStyle(document.querySelector("#sound").contentDocument.querySelector("main")).display`); got != "flex" {
		t.Errorf("the frame is not drawn: %s", got)
	}
	if got := tab.Eval(`document.querySelector("#page").contentDocument === null || document.querySelector("#page").contentDocument.querySelector("#main") === null`); got != "true" {
		t.Error("the page itself is shown in a frame")
	}
}
