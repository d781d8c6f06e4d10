package atom_test

import (
	"strings"
	"testing"
	"time"

	"audiomicro/internal/web/atom"
	"audiomicro/internal/web/atom/atomtest"
)

// full is a feed with everything that a feed here can have.
func full() atom.Feed {
	at := time.Date(2026, 11, 3, 4, 5, 6, 7000, time.FixedZone("", 3600))
	return atom.Feed{ID: atom.Tag("https://Sounds.example:8443", at, "search/q=a b&license=cc0"), Title: "Rain & <wind>", Subtitle: "new", Self: "https://sounds.example/search.atom?q=a+b&license=cc0",
		Page: "https://sounds.example/search?q=a+b", Author: "Sounds", Updated: at,
		Entries: []atom.Entry{
			{ID: atom.Tag("https://sounds.example", at, "recordings/1"), Title: "Rain\u0001 \ufffe <b>", Page: "https://sounds.example/recordings/1", Author: atom.Person{Name: "Ana", Page: "https://sounds.example/people/Ana"},
				Published: at, Updated: at.Add(time.Hour), HTML: "<p>A <em>roof</em>.<br/>Tin &amp; rain.</p>", Rights: "CC0, free", License: "https://sounds.example/licenses/cc0", Categories: []string{"rain", "<tin>"},
				Enclosures: []atom.Enclosure{{URL: "https://sounds.example/media/x/preview-hq.opus", Type: "audio/ogg", Bytes: 9}}},
			{ID: atom.Tag("https://sounds.example", at, "recordings/2"), Title: "Wind", Page: "https://sounds.example/recordings/2", Author: atom.Person{Name: "Bo"}, Published: at, Updated: at},
		}}
}

// TestFeedsKeepTheRFC writes a feed of everything and an empty one.
func TestFeedsKeepTheRFC(t *testing.T) {
	empty := full()
	empty.Entries = nil
	for name, f := range map[string]atom.Feed{"full": full(), "empty": empty} {
		doc, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range atomtest.Check(doc) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// TestCheckFindsFaults breaks a right feed in one place after the other: the checker says which section forbids it.
func TestCheckFindsFaults(t *testing.T) {
	right, err := full().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, put, section string }{
		{"<?xml", "<!--", "2"}, {"</feed>", "", "2"}, {"</feed>", "</feed><feed/>", "2"}, {`xmlns="http://www.w3.org/2005/Atom"`, `xmlns="http://www.w3.org/2005/atom"`, "2"},
		{"<feed", "<!DOCTYPE feed><feed", "2"}, {"<id>", "<id/><id>", "4.1.1"}, {"<updated>", "<x/><updated>", "4.1.1"}, {"<entry>", "<entry/><logo>l</logo><entry>", "B"},
		{"Rain &amp; &lt;wind&gt;", " ", "4.2.14"}, {"<subtitle>new", "<subtitle>n<b/>", "3.1.1"}, {"<subtitle>", `<subtitle type="xhtml">`, "3.1.1"},
		{"2026-11-03T03:05:06Z", "2026-11-03t03:05:06z", "3.3"}, {"2026-11-03T03:05:06Z", "03 Nov 2026", "3.3"}, {"2026-11-03T04:05:06Z", "2026-11-02T04:05:06Z", "4.2.15"},
		{"<id>tag:", "<id>TAG:", "4.2.6"}, {"<id>tag:", "<id>/", "4.2.6"}, {"recordings/2", "recordings/1", "4.1.1"}, {"<name>Bo", "<name>", "3.2.1"}, {"<name>Bo</name>", "", "3.2"},
		{"<uri>https://sounds.example", "<uri>", "3.2.2"}, {`rel="self"`, `rel="next door"`, "4.2.7.2"}, {`rel="self"`, `rel="via"`, "4.1.1"}, {`href="https://sounds.example/search?`, `href="/search?`, "4.2.7.1"},
		{`type="audio/ogg"`, `type="ogg"`, "4.2.7.3"}, {` type="audio/ogg"`, "", "4.2.7.3"}, {`length="9"`, `length="x"`, "4.2.7.6"}, {`term="rain"`, `term=""`, "4.2.2"}, {">AudioMicro<", "><", "4.2.4"},
		{"&lt;/em&gt;", "", "3.1.1.2"}, {"&lt;p&gt;A", "&lt;script&gt;A", "3.1.1.2"}, {"&lt;p&gt;A", "&lt;p onclick=1&gt;A", "8.1"}, {`type="html"`, `type="text/plain"`, "4.1.3"},
	} {
		broken := strings.Replace(string(right), c.old, c.put, 1)
		if broken == string(right) {
			t.Errorf("%q is not in the feed", c.old)
			continue
		}
		found := strings.Join(atomtest.Check([]byte(broken)), "\n")
		if !strings.Contains(found, "section "+c.section+":") && !strings.Contains(found, "section "+c.section+".") {
			t.Errorf("%q for %q: want section %s, found %s", c.put, c.old, c.section, found)
		}
	}
	if got := atomtest.Check([]byte("<a/>")); len(got) == 0 {
		t.Error("another document is a feed")
	}
}
