package app_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// hostileTexts are what somebody may put into any field.
var hostileTexts = map[string]string{
	"script":               `"'><script>alert(1)</script><img src=x onerror=alert(1)>`,
	"right left":           "abc\u202egnp.exe \u2066\u05d0\u05d1\u05d2\u2069 \u200fmix",
	"NUL":                  "before\x00after",
	"not UTF-8":            "caf\xe9 \xff\xfe",
	"a megabyte":           strings.Repeat("A", 1<<20),
	"a megabyte of markup": strings.Repeat(`[x](javascript:alert(1)) **b** > `, 32_000),
}

// hostileForm is a form of a page: where it goes and what a browser would send.
type hostileForm struct {
	action string
	values url.Values
	fields []string // that take text
}

// hostileForms finds the forms of a page that are sent by POST.
func hostileForms(t *testing.T, page string) []hostileForm {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []hostileForm
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || !strings.EqualFold(nodeAttr(n, "method"), "post") {
			continue
		}
		f := hostileForm{action: nodeAttr(n, "action"), values: url.Values{}}
		for in := range n.Descendants() {
			name := nodeAttr(in, "name")
			if in.Type != html.ElementNode || name == "" {
				continue
			}
			kind := nodeAttr(in, "type")
			switch {
			case in.Data == "textarea":
				text := ""
				for c := range in.Descendants() {
					text += c.Data
				}
				f.values.Set(name, text)
			case in.Data == "select":
				for o := range in.Descendants() {
					if o.Data == "option" && !f.values.Has(name) && nodeAttr(o, "value") != "" {
						f.values.Set(name, nodeAttr(o, "value"))
					}
				}
			case in.Data == "input" && (kind == "checkbox" || kind == "radio"):
				if !f.values.Has(name) {
					f.values.Set(name, nodeAttr(in, "value"))
				}
			case in.Data == "button" && f.values.Has(name), kind == "file":
				continue
			case in.Data == "input" || in.Data == "button":
				f.values.Set(name, nodeAttr(in, "value"))
			}
			if f.values.Has(name) && !slices.Contains(f.fields, name) {
				f.fields = append(f.fields, name)
			}
		}
		out = append(out, f)
	}
	return out
}

func nodeAttr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// safe checks an answer to hostile text: no fault of the server, no flood, and nothing of the text at work in the page.
func safe(t *testing.T, what string, got testkit.Answer) {
	t.Helper()
	if got.Status >= 500 {
		t.Errorf("%s: %d %.300s", what, got.Status, got.Text)
	}
	if len(got.Text) > 600_000 {
		t.Errorf("%s: the answer has %d bytes", what, len(got.Text))
	}
	if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		return
	}
	if !utf8.ValidString(got.Text) || strings.ContainsRune(got.Text, 0) {
		t.Errorf("%s: the page is no text", what)
	}
	root, err := html.Parse(strings.NewReader(got.Text))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || (a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				t.Errorf("%s: <%s %s=%q> is in the page", what, n.Data, a.Key, a.Val)
			}
		}
		if n.Data == "script" && nodeAttr(n, "type") == "application/ld+json" { // data, which may quote the text
			if n.FirstChild == nil || !json.Valid([]byte(n.FirstChild.Data)) || strings.Contains(n.FirstChild.Data, "<") {
				t.Errorf("%s: the text broke out of the structured data", what)
			}
			continue
		}
		if n.Data == "script" && n.FirstChild != nil && strings.Contains(n.FirstChild.Data, "alert(") || n.Data == "img" && nodeAttr(n, "src") == "x" {
			t.Errorf("%s: a <%s> of the text is in the page", what, n.Data)
		}
	}
}

// TestHostileText puts script, direction marks, NUL, bytes that are no text and a megabyte into every field of every form that
// people of each role see, one after the other: no fault, no flood, and the pages that show the site afterwards are safe.
func TestHostileText(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		maker, buyer, admin, visitor := s.Person("Maker", "contributor"), s.Person("Buyer", "member"), s.Person("Admin", "admin"), s.Visitor()
		rec := stock(t, maker, "Tone", tone(t, 1), standard())
		if got := maker.Upload(map[string][]byte{"<script>alert(1)</script>\u202e.wav": tone(t, 2)}); got.Status != http.StatusSeeOther {
			t.Fatalf("upload: %d %s", got.Status, got.Text)
		}
		drafts, err := db.Query[int64](t.Context(), s.DB, `SELECT id FROM recording WHERE state = 'draft'`)
		if err != nil || len(drafts) != 1 {
			t.Fatalf("drafts: %v %v", drafts, err)
		}
		draft := drafts[0]
		testkit.Eventually(t, "all is analyzed", func() bool { return waiting(t, s.App) == 0 })
		purchase(t, buyer, rec.ID)
		if got := buyer.Post("/cart", url.Values{"recording": {fmt.Sprint(rec.ID)}, "model": {"standard"}}); got.Status != http.StatusSeeOther {
			t.Fatalf("cart: %d %s", got.Status, got.Text)
		}
		form := url.Values{"title": {"Another tone"}, "description": {"A *tone*."}, "tags": {"tone, sine, test"}, "category": {"fx-o"}, "offer": {"standard"}, "price-standard": {"3"}, "rights": {"on"}, "act": {"submit"}}
		if got := maker.Post(fmt.Sprintf("/recordings/%d/edit", draft), form); got.Status != http.StatusSeeOther {
			t.Fatalf("submit: %d %s", got.Status, got.Text)
		}

		shelf, _ := shelves(t, s, buyer, maker.ID, []int64{rec.ID})
		tried, fields := 0, 0
		seen := map[string]bool{}
		for _, part := range []struct {
			who   *testkit.Person
			name  string
			pages []string
		}{
			{visitor, "visitor", []string{"/sign-in", "/sign-up", "/reset", "/verify"}},
			{admin, "admin", []string{"/review", fmt.Sprintf("/review/%d", draft), "/admin/licenses", "/admin/licenses/standard", "/admin/orders", "/admin/orders/1", "/contributor-terms"}},
			{buyer, "buyer", []string{"/settings", "/settings/profile", "/settings/api", "/cart", "/checkout", "/library", "/orders", fmt.Sprintf("/recordings/%d", rec.ID), shelf, "/collections", fmt.Sprintf("/collections/add?recording=%d", rec.ID), "/searches"}},
			{maker, "maker", []string{"/settings/profile", "/upload", "/upload/describe", "/my-sounds", fmt.Sprintf("/recordings/%d/edit", rec.ID), fmt.Sprintf("/recordings/%d/edit", draft)}},
			// The secrets come last: a hit would sign everybody out.
			{buyer, "buyer", []string{"/settings/email", "/settings/password"}},
		} {
			for _, page := range part.pages {
				got := part.who.Get(page)
				if got.Status != http.StatusOK {
					continue // an order's number may be another; what must be there is counted below
				}
				safe(t, page, got)
				for _, f := range hostileForms(t, got.Text) {
					if strings.Contains(f.action, "sign-out") || strings.Contains(f.action, "/delete") || strings.Contains(f.action, "everywhere") || strings.Contains(f.action, "/revoke") || strings.Contains(f.action, "unpublish") {
						continue
					}
					if f.action == "" {
						f.action = page
					}
					for _, field := range f.fields {
						key := part.name + " " + f.action + " " + field
						if seen[key] {
							continue
						}
						seen[key] = true
						fields++
						for kind, text := range hostileTexts {
							values := url.Values{}
							for k, v := range f.values {
								values[k] = v
							}
							values.Set(field, text)
							tried++
							safe(t, fmt.Sprintf("%s in %s of %s by %s", kind, field, f.action, part.name), part.who.Post(f.action, values))
						}
					}
				}
			}
		}
		for kind, text := range hostileTexts {
			if len(text) > 60_000 {
				text = text[:60_000]
			}
			for _, at := range []string{"/search?q=", "/search?sort=", "/search/suggest?q=", "/verify/", "/people/", "/licenses/"} {
				tried++
				// What is too long for an address is refused by the server itself.
				got := visitor.Get(at + url.QueryEscape(text))
				safe(t, kind+" in "+at, got)
			}
			tried += 2
			safe(t, kind+" as a file name", maker.Upload(map[string][]byte{strings.ReplaceAll(text[:min(len(text), 9000)], "\x00", "%00") + ".wav": tone(t, 3)}))
			got := maker.Do(http.MethodPost, "/uploads/", http.Header{"Tus-Resumable": {"1.0.0"}, "Upload-Length": {"100"}, "Sec-Fetch-Site": {"same-origin"},
				"Upload-Metadata": {"filename " + base64.StdEncoding.EncodeToString([]byte(text[:min(len(text), 20_000)]))}}, nil)
			safe(t, kind+" as a file name by tus", got)
		}
		for _, p := range []*testkit.Person{visitor, maker, buyer, admin} {
			for _, page := range []string{"/", "/search", "/people/Maker", "/people/Buyer", fmt.Sprintf("/recordings/%d", rec.ID), fmt.Sprintf("/recordings/%d", draft), fmt.Sprintf("/recordings/%d/edit", draft),
				"/my-sounds", "/upload", "/upload/describe", "/review", "/review/collections", fmt.Sprintf("/review/%d", draft), "/settings/profile", "/settings/api", "/cart", "/orders", "/library", "/licenses", "/licenses/standard", "/admin/licenses/standard", "/admin/orders", "/earnings", "/packs", "/dev/mail", shelf, shelf + "/feed.atom", "/collections", "/searches"} {
				got := p.Get(page)
				safe(t, page+" afterwards", got)
				if strings.ContainsAny(got.Text, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") {
					t.Errorf("%s afterwards turns the direction of its text", page)
				}
			}
		}
		if fields < 60 {
			t.Errorf("only %d fields were found: the test has lost its forms", fields)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.Sys > 2<<30 {
			t.Errorf("the process took %d MB", m.Sys>>20)
		}
		t.Logf("%d fields, %d requests", fields, tried)
	})
}
