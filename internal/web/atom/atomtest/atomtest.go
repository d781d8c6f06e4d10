// Package atomtest checks feeds against the rules of RFC 4287, for tests. It is strict: what the RFC leaves to extensions (elements of
// other namespaces, RFC 4287 section 6) is a fault here, for this site writes none; of link relations it knows the registered ones that
// the site uses.
package atomtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
)

const namespace = "http://www.w3.org/2005/Atom" // section 2

// element is an XML element with what is in it.
type element struct {
	name  string
	attrs map[string]string
	kids  []*element
	text  string
}

func (e *element) all(name string) (out []*element) {
	for _, k := range e.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// checker collects faults.
type checker struct{ faults []string }

func (c *checker) say(section, format string, args ...any) {
	c.faults = append(c.faults, "RFC 4287 section "+section+": "+fmt.Sprintf(format, args...))
}

// Check lists what is wrong with a feed document; nothing when it is right.
func Check(doc []byte) []string {
	c := &checker{}
	if !utf8.Valid(doc) || !bytes.HasPrefix(doc, []byte(xml.Header)) {
		c.say("2", "the document is not UTF-8 with an XML declaration")
	}
	root, err := c.parse(doc)
	if err != nil {
		c.say("2", "not well-formed: %v", err)
		return c.faults
	}
	if root == nil || root.name != "feed" {
		c.say("4.1.1", "the document element is no atom:feed")
		return c.faults
	}
	c.feed(root)
	return c.faults
}

// parse reads the document into elements of the Atom namespace.
func (c *checker) parse(doc []byte) (root *element, err error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	var open []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch x := token.(type) {
		case xml.StartElement:
			if x.Name.Space != namespace {
				c.say("2", "element %s is of another namespace: %q", x.Name.Local, x.Name.Space)
			}
			e := &element{name: x.Name.Local, attrs: map[string]string{}}
			for _, a := range x.Attr {
				if a.Name.Local != "xmlns" {
					e.attrs[a.Name.Local] = a.Value
				}
			}
			if len(open) == 0 {
				if root != nil {
					return nil, errors.New("two document elements")
				}
				root = e
			} else {
				top := open[len(open)-1]
				top.kids = append(top.kids, e)
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(x)
			}
		case xml.Directive:
			c.say("2", "a document type declaration: %s", x)
		}
	}
}

// kinds are what may stand in a feed, an entry and a person: how often at least and at most (0: any number).
var (
	inFeed = map[string][2]int{"id": {1, 1}, "title": {1, 1}, "updated": {1, 1}, "subtitle": {0, 1}, "generator": {0, 1}, "icon": {0, 1}, "logo": {0, 1}, "rights": {0, 1},
		"author": {}, "contributor": {}, "category": {}, "link": {}, "entry": {}}
	inEntry = map[string][2]int{"id": {1, 1}, "title": {1, 1}, "updated": {1, 1}, "published": {0, 1}, "content": {0, 1}, "summary": {0, 1}, "rights": {0, 1}, "source": {0, 1},
		"author": {}, "contributor": {}, "category": {}, "link": {}}
	inPerson = map[string][2]int{"name": {1, 1}, "uri": {0, 1}, "email": {0, 1}}
)

// holds checks which elements are in e and how often.
func (c *checker) holds(section string, e *element, want map[string][2]int) {
	for _, k := range e.kids {
		if _, ok := want[k.name]; !ok {
			c.say(section, "%s in %s", k.name, e.name)
		}
	}
	for name, n := range want {
		have := len(e.all(name))
		if have < n[0] || n[1] > 0 && have > n[1] {
			c.say(section, "%d of %s in %s", have, name, e.name)
		}
	}
}

func (c *checker) feed(f *element) {
	c.holds("4.1.1", f, inFeed)
	self, entries := "", f.all("entry")
	for i, k := range f.kids { // appendix B: entries come last
		if k.name == "entry" && i < len(f.kids)-len(entries) {
			c.say("B", "an entry before %s", f.kids[i+1].name)
		}
	}
	c.common(f)
	for _, l := range f.all("link") {
		if l.attrs["rel"] == "self" {
			self = l.attrs["href"]
		}
	}
	if self == "" {
		c.say("4.1.1", "a feed should have a link to itself")
	}
	seen := map[string]bool{}
	for _, e := range entries {
		c.entry(e, len(f.all("author")) > 0)
		for _, id := range e.all("id") {
			if seen[id.text] {
				c.say("4.1.1", "two entries with the id %s", id.text)
			}
			seen[id.text] = true
		}
	}
}

func (c *checker) entry(e *element, authored bool) {
	c.holds("4.1.2", e, inEntry)
	c.common(e)
	if !authored && len(e.all("author")) == 0 {
		c.say("4.1.2", "an entry without author in a feed without author")
	}
	alternate := slices.ContainsFunc(e.all("link"), func(l *element) bool { return l.attrs["rel"] == "" || l.attrs["rel"] == "alternate" })
	if len(e.all("content")) == 0 && !alternate {
		c.say("4.1.2", "an entry has neither content nor a link that stands for it")
	}
	for _, content := range e.all("content") { // section 4.1.3; this site has its content inline
		if content.attrs["src"] != "" || content.attrs["type"] != "html" && content.attrs["type"] != "text" && content.attrs["type"] != "" {
			c.say("4.1.3", "content of type %q", content.attrs["type"])
		}
		c.textConstruct("4.1.3.3", content)
	}
	published, updated := c.date(e, "published"), c.date(e, "updated")
	if !published.IsZero() && updated.Before(published) {
		c.say("4.2.15", "updated %v before it was published, %v", updated, published)
	}
}

// common checks what feeds and entries share.
func (c *checker) common(e *element) {
	for _, name := range []string{"title", "subtitle", "summary", "rights"} {
		for _, k := range e.all(name) {
			c.textConstruct("3.1.1", k)
		}
	}
	for _, k := range e.all("title") {
		if strings.TrimSpace(k.text) == "" {
			c.say("4.2.14", "an empty title")
		}
	}
	for _, k := range append(e.all("author"), e.all("contributor")...) {
		c.person(k)
	}
	for _, k := range e.all("id") {
		c.id(k)
	}
	for _, k := range e.all("category") {
		if k.attrs["term"] == "" || len(k.kids) > 0 {
			c.say("4.2.2", "a category without term")
		}
	}
	for _, k := range e.all("generator") {
		if k.text == "" {
			c.say("4.2.4", "a generator without name")
		}
	}
	c.date(e, "updated")
	alternates := map[string]bool{}
	for _, k := range e.all("link") {
		c.link(k)
		if rel := k.attrs["rel"]; rel == "" || rel == "alternate" {
			key := k.attrs["type"] + " " + k.attrs["hreflang"]
			if alternates[key] {
				c.say("4.1.1", "two alternates of type and language %q", key)
			}
			alternates[key] = true
		}
	}
}

// textConstruct checks text for people (section 3.1).
func (c *checker) textConstruct(section string, e *element) {
	switch typ := e.attrs["type"]; typ {
	case "", "text", "html":
		if len(e.kids) > 0 {
			c.say(section+".1", "%s holds elements", e.name)
		}
		if typ == "html" { // section 3.1.1.2: what is escaped is HTML that can stand in a <div>
			c.markup(e)
		}
	default:
		c.say(section, "%s of type %q", e.name, typ)
	}
}

// markup checks that HTML is whole, and holds nothing that a reader would have to throw away (section 8.1).
func (c *checker) markup(e *element) {
	var open []string
	z := html.NewTokenizer(strings.NewReader(e.text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				c.say("3.1.1.2", "<%s> is not closed in %s", open[len(open)-1], e.name)
			}
			return
		case html.StartTagToken:
			t := z.Token()
			if slices.Contains([]string{"html", "head", "body", "script", "style", "iframe", "object", "form"}, t.Data) {
				c.say("3.1.1.2", "<%s> in %s", t.Data, e.name)
			}
			for _, a := range t.Attr {
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
					c.say("8.1", "<%s %s=%q> in %s", t.Data, a.Key, a.Val, e.name)
				}
			}
			if !slices.Contains([]string{"br", "hr", "img", "wbr"}, t.Data) {
				open = append(open, t.Data)
			}
		case html.EndTagToken:
			if t := z.Token(); len(open) == 0 || open[len(open)-1] != t.Data {
				c.say("3.1.1.2", "</%s> closes nothing in %s", t.Data, e.name)
			} else {
				open = open[:len(open)-1]
			}
		}
	}
}

var email = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)

func (c *checker) person(e *element) {
	c.holds("3.2", e, inPerson)
	for _, k := range e.all("name") {
		if strings.TrimSpace(k.text) == "" || len(k.kids) > 0 {
			c.say("3.2.1", "a person without name")
		}
	}
	for _, k := range e.all("uri") {
		c.absolute("3.2.2", k.text)
	}
	for _, k := range e.all("email") {
		if !email.MatchString(k.text) {
			c.say("3.2.3", "the address %q", k.text)
		}
	}
}

// stamp is what section 3.3 allows of RFC 3339: capital T and Z.
var stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

func (c *checker) date(e *element, name string) (at time.Time) {
	for _, k := range e.all(name) {
		var err error
		if at, err = time.Parse(time.RFC3339, k.text); err != nil || !stamp.MatchString(k.text) || at.Year() < 2000 {
			c.say("3.3", "%s is %q", name, k.text)
		}
	}
	return at
}

// tagURI is RFC 4151: an authority in lower case, a date, and what it named then.
var tagURI = regexp.MustCompile(`^tag:[a-z0-9.-]+,\d{4}-\d\d-\d\d:[A-Za-z0-9._~!$&'()*+,;=:@/?%-]+$`)

// id checks an id: an IRI with a scheme, in normal form, the same wherever it is shown (section 4.2.6). This site's are tag URIs.
func (c *checker) id(e *element) {
	if e.text != strings.TrimSpace(e.text) || !tagURI.MatchString(e.text) {
		c.say("4.2.6", "the id %q is no tag URI", e.text)
	}
}

// absolute checks an address: where a feed is read there is no base that could complete it.
func (c *checker) absolute(section, text string) {
	u, err := url.Parse(text)
	if err != nil || !u.IsAbs() || u.Host == "" || strings.ContainsAny(text, " \t\n<>\"{}|\\^`") {
		c.say(section, "the address %q", text)
	}
}

// relations are those of section 4.2.7.2, and RFC 4946's.
var relations = []string{"alternate", "related", "self", "enclosure", "via", "license"}

func (c *checker) link(e *element) {
	if len(e.kids) > 0 || strings.TrimSpace(e.text) != "" {
		c.say("4.2.7", "a link holds something")
	}
	c.absolute("4.2.7.1", e.attrs["href"])
	if rel, ok := e.attrs["rel"]; ok && !slices.Contains(relations, rel) {
		c.say("4.2.7.2", "the relation %q", rel)
	}
	if typ, ok := e.attrs["type"]; ok {
		if media, _, err := mime.ParseMediaType(typ); err != nil || !strings.Contains(media, "/") {
			c.say("4.2.7.3", "the type %q", typ)
		}
	}
	if e.attrs["rel"] == "enclosure" && e.attrs["type"] == "" {
		c.say("4.2.7.3", "an enclosure without type: no reader knows whether it can play it")
	}
	if n, ok := e.attrs["length"]; ok {
		if size, err := strconv.ParseInt(n, 10, 64); err != nil || size <= 0 {
			c.say("4.2.7.6", "the length %q", n)
		}
	}
	for name := range e.attrs {
		if !slices.Contains([]string{"href", "rel", "type", "hreflang", "title", "length"}, name) {
			c.say("4.2.7", "the attribute %s of a link", name)
		}
	}
}
