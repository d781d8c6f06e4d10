package apiv2

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
)

// FuzzAddress: whatever stands in an address, the parameters are text, survive being written into a link, and name a page that
// the index counts to or none.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"", "&&a=b", "query=%22rain%20forest%22&filter=tag%3A%22nature%22+duration%3A%255B1%2520TO%252020%255D", "page=-1", "page=99999999999999999999&page_size=1000", "a;b=c;d", "query=%zz%",
		"filter=%25%32%35", "token=x&token=y", "fields=*,id", "\xff=\xfe", "page=1_0", "=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p := parse(raw)
		again := parse(p.encode())
		if len(p) != len(again) {
			t.Fatalf("%q: %v became %v", raw, p, again)
		}
		for i := range p {
			if p[i] != again[i] || !utf8.ValidString(p[i].key) || !utf8.ValidString(p[i].value) {
				t.Fatalf("%q: %v became %v", raw, p[i], again[i])
			}
		}
		if v, _ := p.twice("filter"); !utf8.ValidString(v) {
			t.Fatalf("%q: filter %q", raw, v)
		}
		w, err := windowOf(p)
		var public *web.Public
		if err != nil && !errors.As(err, &public) || err == nil && (w.page < 1 || w.size < 1 || w.size > maxPageSize || w.offset() < 0 || w.offset() > query.MaxOffset) {
			t.Fatalf("%q: %+v, %v", raw, w, err)
		}
		if strings.Contains("&"+p.without("token").encode(), "&token=") {
			t.Fatalf("%q keeps its token", raw)
		}
	})
}

// FuzzForm: whatever JSON is sent, a form of valid texts or a refusal; and its tags are tags.
func FuzzForm(f *testing.F) {
	for _, s := range []string{`{}`, `{"tags":["a","b"],"name":null,"geotag":1.5}`, `{"tags":{"a":1}}`, `[1]`, `{"tags":[["a"]]}`, "{\"name\":\"\xff\"}", `{"tags":"field-recording, the Rain & ROOF"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		form, err := jsonForm(body)
		var public *web.Public
		var wrong faults
		if err != nil {
			if !errors.As(err, &public) && !errors.As(err, &wrong) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		for key, list := range form {
			for _, v := range list {
				if !utf8.ValidString(v) {
					t.Fatalf("%q: %s is %q", body, key, v)
				}
			}
		}
		for _, tag := range tags(strings.Join(form["tags"], " ")) {
			if clean := recordings.CleanTags([]string{tag}); len(clean) != 1 || clean[0] != tag || strings.Contains(tag, " ") {
				t.Fatalf("%q: tag %q is kept as %q", body, tag, clean)
			}
		}
	})
}

// FuzzAnswer: whatever text a recording has, both formats give it back, but for what XML cannot hold.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"", "Rain & <tin>", "a\x00b", "\u2028 \u202e", "\U0001F50A", `"quoted" \`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = text(s)
		var b bytes.Buffer
		if err := encode(&b, object{{"name", s}, {"list", []string{s}}, {"number", decimal(1)}}); err != nil {
			t.Fatal(err)
		}
		var back struct {
			Name   string
			List   []string
			Number json.Number
		}
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.Name != s || len(back.List) != 1 || back.List[0] != s || back.Number != "1.0" {
			t.Fatalf("%q became %+v, %v in %s", s, back, err, b.Bytes())
		}
		b.Reset()
		if err := element(&b, "root", object{{"name", s}}); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Name string `xml:"name"`
		}
		if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatalf("%q: %v in %s", s, err, b.Bytes())
		}
		if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0xFFFE || r == 0xFFFF }) && doc.Name != s {
			t.Fatalf("%q became %q", s, doc.Name)
		}
	})
}
