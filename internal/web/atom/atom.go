// Package atom writes feeds in the Atom Syndication Format (RFC 4287) with ids that are tag URIs (RFC 4151), and answers conditional
// requests for them.
package atom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxEntries is how many entries a feed has at most: the newest.
const MaxEntries = 50

// ContentType of a feed.
const ContentType = "application/atom+xml; charset=utf-8"

// Feed is a list of entries, newest first.
type Feed struct {
	ID       string // see Tag
	Title    string
	Subtitle string
	Self     string // absolute address of the feed
	Page     string // absolute address of the page that shows the same
	Author   string // of entries without one: the site
	Updated  time.Time
	Entries  []Entry
}

// Entry is one thing that was published.
type Entry struct {
	ID         string
	Title      string
	Page       string // absolute address
	Author     Person
	Published  time.Time
	Updated    time.Time
	HTML       string // sanitized
	Rights     string
	License    string // absolute address of the license (RFC 4946)
	Categories []string
	Enclosures []Enclosure
}

// Person is who made something.
type Person struct{ Name, Page string }

// Enclosure is a file that belongs to an entry.
type Enclosure struct {
	URL   string
	Type  string
	Bytes int64 // 0: unknown
}

// Tag is an id for a thing of a site that stays the same wherever it is shown: the site's host held its name at that time (RFC 4151).
func Tag(site string, at time.Time, thing string) string {
	u, err := url.Parse(site)
	host := "localhost"
	if err == nil && u.Hostname() != "" {
		host = strings.ToLower(u.Hostname()) // RFC 4151, section 2.1: compared letter by letter
	}
	return "tag:" + host + "," + at.UTC().Format(time.DateOnly) + ":" + (&url.URL{Path: thing}).EscapedPath()
}

type link struct {
	Rel    string `xml:"rel,attr"`
	Type   string `xml:"type,attr,omitempty"`
	Href   string `xml:"href,attr"`
	Length int64  `xml:"length,attr,omitempty"`
}

type person struct {
	Name string `xml:"name"`
	URI  string `xml:"uri,omitempty"`
}

type category struct {
	Term string `xml:"term,attr"`
}

type content struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

type entry struct {
	ID         string     `xml:"id"`
	Title      string     `xml:"title"`
	Updated    string     `xml:"updated"`
	Published  string     `xml:"published"`
	Author     person     `xml:"author"`
	Links      []link     `xml:"link"`
	Categories []category `xml:"category"`
	Rights     string     `xml:"rights,omitempty"`
	Content    *content   `xml:"content"`
}

type feed struct {
	XMLName   xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Subtitle  string   `xml:"subtitle,omitempty"`
	Updated   string   `xml:"updated"`
	Author    person   `xml:"author"`
	Links     []link   `xml:"link"`
	Generator string   `xml:"generator"`
	Entries   []entry  `xml:"entry"`
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Bytes is the document.
func (f Feed) Bytes() ([]byte, error) {
	out := feed{ID: f.ID, Title: f.Title, Subtitle: f.Subtitle, Updated: stamp(f.Updated), Author: person{Name: f.Author}, Generator: "AudioMicro",
		Links: []link{{Rel: "self", Type: "application/atom+xml", Href: f.Self}, {Rel: "alternate", Type: "text/html", Href: f.Page}}}
	for _, e := range f.Entries[:min(len(f.Entries), MaxEntries)] {
		x := entry{ID: e.ID, Title: e.Title, Updated: stamp(e.Updated), Published: stamp(e.Published), Author: person{e.Author.Name, e.Author.Page}, Rights: e.Rights,
			Links: []link{{Rel: "alternate", Type: "text/html", Href: e.Page}}}
		if e.HTML != "" {
			x.Content = &content{"html", e.HTML}
		}
		if e.License != "" {
			x.Links = append(x.Links, link{Rel: "license", Type: "text/html", Href: e.License})
		}
		for _, c := range e.Enclosures {
			x.Links = append(x.Links, link{Rel: "enclosure", Type: c.Type, Href: c.URL, Length: c.Bytes})
		}
		for _, c := range e.Categories {
			x.Categories = append(x.Categories, category{c})
		}
		out.Entries = append(out.Entries, x)
	}
	var buf bytes.Buffer
	buf.WriteString(xml.Header)
	if err := xml.NewEncoder(&buf).Encode(out); err != nil {
		return nil, fmt.Errorf("write feed: %w", err)
	}
	return buf.Bytes(), nil
}

// Write sends a feed, or 304 to a reader that has it as it stands (RFC 9110, section 13).
func Write(w http.ResponseWriter, r *http.Request, f Feed) error {
	body, err := f.Bytes()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "public, max-age=300")
	}
	http.ServeContent(w, r, "", f.Updated, bytes.NewReader(body))
	return nil
}
