package apiv2

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// frameSize is a size of the embedded player in CSS pixels.
type frameSize struct {
	name          string
	width, height int
}

// frameSizes lists the sizes, the largest first.
func frameSizes() []frameSize {
	return []frameSize{{"large", 920, 245}, {"medium", 481, 130}, {"small", 375, 84}}
}

// Embeds lists what other sites show of a sound: the player in a frame, oEmbed, the short link and the credit line.
func (f *Face) Embeds() []web.Route {
	return []web.Route{
		{Pattern: "GET /embed/sound/iframe/{id}/simple/{size}/{$}", Action: access.SeeRecording, Handle: f.frame},
		{Pattern: "GET /oembed", Action: access.Look, Handle: f.oembed, API: true, Cross: true, Alike: true},
		{Pattern: "GET /oembed/{$}", Action: access.Look, Handle: f.oembed, API: true, Cross: true, Alike: true},
		{Pattern: "GET /s/{id}/{$}", Action: access.Look, Handle: f.short},
		{Pattern: "GET /people/{name}/sounds/{id}/{$}", Action: access.Look, Handle: f.short},
		{Pattern: "GET /people/{name}/packs/{id}/{$}", Action: access.Look, Handle: f.shortPack},
		{Pattern: "GET /recordings/{id}/attribution", Action: access.SeeRecording, Handle: f.attribution, Cross: true},
	}
}

// short leads from Freesound's addresses of a sound to this site's. Whether it may be seen, that page decides.
func (f *Face) short(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	http.Redirect(w, r, fmt.Sprintf("/recordings/%d", id), http.StatusMovedPermanently)
	return nil
}

func (f *Face) shortPack(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	http.Redirect(w, r, fmt.Sprintf("/packs/%d", id), http.StatusMovedPermanently)
	return nil
}

// Feeds are the forms of a recording's page that programs read (oEmbed 1.0, section 4).
func (f *Face) Feeds(rec recordings.Recording) []ui.Feed {
	at := f.at("/oembed?url=%s", url.QueryEscape(f.at("/recordings/%d", rec.ID)))
	return []ui.Feed{{Type: "application/json+oembed", URL: at + "&format=json", Title: rec.Title}, {Type: "text/xml+oembed", URL: at + "&format=xml", Title: rec.Title}}
}

// Credits leads to the forms of the credit line.
func (f *Face) Credits(rec recordings.Recording) []ui.Link {
	at := fmt.Sprintf("/recordings/%d/attribution?format=", rec.ID)
	return []ui.Link{{Text: "Credit as HTML", URL: at + "html"}, {Text: "Credit as JSON", URL: at + "json"}}
}

// credit is who is to be named for a sound, and how.
type credit struct {
	sound, author, license ui.Link // absolute addresses
}

func (f *Face) creditOf(ctx context.Context, rec recordings.Recording) (credit, error) {
	a, err := f.around(ctx, []recordings.Recording{rec})
	if err != nil {
		return credit{}, err
	}
	c := credit{sound: ui.Link{Text: rec.Title, URL: f.at("/s/%d/", rec.ID)}, author: ui.Link{Text: "A former member"}, license: ui.Link{Text: "see its page", URL: f.license(a.offers[rec.ID])}}
	if name := a.names[rec.OwnerID]; name != "" {
		c.author = ui.Link{Text: name, URL: f.at("/people/%s", url.PathEscape(name))}
	}
	if rec.Credit != "" {
		c.author = ui.Link{Text: rec.Credit, URL: c.author.URL}
	}
	for _, o := range a.offers[rec.ID] {
		if f.Licensing.DeedURL(o.Model) == c.license.URL {
			c.license.Text = o.Model.Name
		}
	}
	return c, nil
}

// attribution writes the line that credits a sound as text, HTML or JSON.
func (f *Face) attribution(w http.ResponseWriter, r *http.Request) error {
	rec, err := f.shown(r)
	if err != nil {
		return err
	}
	c, err := f.creditOf(r.Context(), rec)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=300")
	open(w)
	switch r.URL.Query().Get("format") {
	case "json":
		return web.WriteJSON(w, http.StatusOK, map[string]string{"sound_url": c.sound.URL, "sound_name": c.sound.Text, "author_url": c.author.URL, "author_name": c.author.Text,
			"license_url": c.license.URL, "license_name": c.license.Text})
	case "html": // as text: it is to be copied, not shown
		h.Set("Content-Type", "text/plain; charset=utf-8")
		_, err = fmt.Fprintf(w, "%s by %s -- License: %s\n", anchor(c.sound), anchor(c.author), anchor(c.license))
		return err
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	_, err = fmt.Fprintf(w, "%s by %s -- %s -- License: %s\n", c.sound.Text, c.author.Text, c.sound.URL, c.license.Text)
	return err
}

func anchor(l ui.Link) string {
	if l.URL == "" {
		return html.EscapeString(l.Text)
	}
	return fmt.Sprintf(`<a href="%s">%s</a>`, html.EscapeString(l.URL), html.EscapeString(l.Text))
}

// shown finds the recording of the path; only what is published has these pages.
func (f *Face) shown(r *http.Request) (recordings.Recording, error) {
	rec, err := f.published(r)
	if err != nil {
		return rec, err
	}
	return rec, web.Allow(r, rec.Object(false))
}

// frame is the player for other sites' pages. It is the one page that they may show in a frame: nothing can be done in it.
func (f *Face) frame(w http.ResponseWriter, r *http.Request) error {
	size := r.PathValue("size")
	if size != "small" && size != "medium" && size != "large" {
		return web.NotFound()
	}
	rec, err := f.shown(r)
	if err != nil {
		return err
	}
	// The same for everybody: what is embedded is what everybody may hear.
	ctx := access.WithActor(r.Context(), access.Actor{})
	rows, err := f.Search.Sounds(ctx, []int64{rec.ID})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return web.NotFound()
	}
	c, err := f.creditOf(ctx, rec)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	page := ui.EmbedPage{Sound: rows[0], BigBars: rec.Wave, URL: f.at("/recordings/%d", rec.ID), By: c.author, License: c.license, SiteName: f.Site.Name, SiteURL: f.Site.URL, Size: size}
	if err := ui.Embed(page).Render(ctx, &b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; media-src 'self'; style-src "+ui.EmbedStyle()+"; base-uri 'none'; form-action 'none'; frame-ancestors *")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	_, err = w.Write(b.Bytes())
	return err
}

// oembed answers what an address of a sound can be shown as (oEmbed 1.0): JSON, or XML when it is asked for.
func (f *Face) oembed(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	open(w)
	format := q.Get("format")
	if format == "" {
		format = "json"
	}
	if format != "json" && format != "xml" {
		return web.Refuse(http.StatusNotImplemented, "oEmbed is answered as json and xml.")
	}
	id, ok := f.soundAddress(q.Get("url"))
	if !ok {
		return web.NotFound()
	}
	rec, err := f.Recordings.ByID(r.Context(), f.Recordings.DB, id)
	if err != nil {
		return err
	}
	if rec.State != recordings.Published {
		return web.NotFound()
	}
	size, ok := fitting(q)
	if !ok {
		return web.NotFound()
	}
	c, err := f.creditOf(r.Context(), rec)
	if err != nil {
		return err
	}
	o := object{
		{"type", "rich"}, {"version", "1.0"}, {"title", rec.Title}, {"author_name", c.author.Text}, {"author_url", c.author.URL}, {"provider_name", f.Site.Name}, {"provider_url", f.Site.URL},
		{"cache_age", 3600},
		{"html", f.frameCode(rec, size)}, {"width", size.width}, {"height", size.height},
	}
	o = append(o, f.thumbnail(rec, q)...)
	var b bytes.Buffer
	h := w.Header()
	if format == "xml" {
		h.Set("Content-Type", "text/xml; charset=utf-8")
		b.WriteString(xml.Header[:len(xml.Header)-3] + ` standalone="yes"?>` + "\n<oembed>")
		err = writeXML(&b, o)
		b.WriteString("</oembed>")
	} else {
		h.Set("Content-Type", "application/json; charset=utf-8")
		err = encode(&b, o)
	}
	if err != nil {
		return err
	}
	h.Set("Cache-Control", "public, max-age=3600")
	_, err = w.Write(b.Bytes())
	return err
}

// soundAddress reads the id of a recording from one of the addresses that its page has here.
func (f *Face) soundAddress(address string) (int64, bool) {
	given, err := url.Parse(address)
	if err != nil {
		return 0, false
	}
	here, err := url.Parse(f.Site.URL)
	if err != nil || !strings.EqualFold(given.Host, here.Host) || given.Scheme != "http" && given.Scheme != "https" {
		return 0, false
	}
	p := strings.TrimSuffix(given.Path, "/")
	dir, last := path.Split(p)
	person, isPerson := strings.CutPrefix(dir, "/people/")
	if dir != "/recordings/" && dir != "/s/" && !(isPerson && strings.HasSuffix(person, "/sounds/") && strings.Count(person, "/") == 2) {
		return 0, false
	}
	id, err := strconv.ParseInt(last, 10, 64)
	return id, err == nil && id > 0
}

// fitting is the size that was asked for, or the largest below it that is no larger than maxwidth and maxheight; without a word
// it is medium. A frame may be narrower than its size: its content bends.
func fitting(q url.Values) (s frameSize, ok bool) {
	const narrowest = 200
	width, height := most(q, "maxwidth"), most(q, "maxheight")
	sizes := frameSizes()
	named := q.Get("size")
	if named == "" && !q.Has("maxwidth") && !q.Has("maxheight") {
		named = "medium"
	}
	if i := slices.IndexFunc(sizes, func(s frameSize) bool { return s.name == named }); i >= 0 {
		sizes = sizes[i:]
	}
	for _, s := range sizes {
		if s.height <= height && width >= narrowest {
			s.width = min(s.width, width)
			return s, true
		}
	}
	return frameSize{}, false
}

// most reads a bound in pixels; what is none bounds nothing.
func most(q url.Values, key string) int {
	if n, err := strconv.Atoi(q.Get(key)); err == nil && n > 0 {
		return n
	}
	return 1 << 30
}

// thumbnail is the largest picture of a recording within the bounds, if there is one.
func (f *Face) thumbnail(rec recordings.Recording, q url.Values) object {
	for _, p := range []struct {
		end           string
		width, height int
	}{{"_wave_L.png", 900, 201}, {"_wave_M.png", 120, 71}} {
		if p.width <= most(q, "maxwidth") && p.height <= most(q, "maxheight") {
			return object{{"thumbnail_url", f.Site.URL + dataPath("displays", rec, p.end)}, {"thumbnail_width", p.width}, {"thumbnail_height", p.height}}
		}
	}
	return nil
}

// frameCode is the HTML that shows a sound on another site's page.
func (f *Face) frameCode(rec recordings.Recording, s frameSize) string {
	return fmt.Sprintf(`<iframe src="%s" width="%d" height="%d" frameborder="0" scrolling="no" title="%s"></iframe>`,
		html.EscapeString(f.at("/embed/sound/iframe/%d/simple/%s/", rec.ID, s.name)), s.width, s.height, html.EscapeString(rec.Title))
}

// Embed is the code by which people show a published recording on their own pages.
func (f *Face) Embed(rec recordings.Recording) string { return f.frameCode(rec, frameSizes()[1]) }
