package collections

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Sizes.
const (
	pageRows  = 100
	maxPage   = MaxItems / pageRows
	feedRows  = 50
	formLimit = 64 << 10 // bytes
)

// Routes lists the pages and forms.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /collections", Action: access.UseAccount, Handle: s.mine},
		{Pattern: "POST /collections", Action: access.UseAccount, Handle: s.make},
		{Pattern: "GET /collections/add", Action: access.UseAccount, Handle: s.choose},
		{Pattern: "POST /collections/add", Action: access.UseAccount, Handle: s.add},
		{Pattern: "GET /collections/{id}", Action: access.SeeCollection, Handle: s.page},
		{Pattern: "GET /collections/{id}/list.csv", Action: access.SeeCollection, Handle: s.csv},
		{Pattern: "GET /collections/{id}/feed.atom", Action: access.SeeCollection, Handle: s.feed},
		{Pattern: "POST /collections/{id}", Action: access.ChangeOwn, Handle: s.changeIt},
		{Pattern: "POST /collections/{id}/items", Action: access.ChangeOwn, Handle: s.changeItem},
		{Pattern: "POST /collections/{id}/undo", Action: access.ChangeOwn, Handle: s.undo},
		{Pattern: "POST /collections/{id}/report", Action: access.React, Handle: s.report},
		{Pattern: "GET /review/collections", Action: access.Review, Handle: s.reported},
		{Pattern: "POST /review/collections/{id}", Action: access.Review, Handle: s.decide},
		{Pattern: "POST /collections/{id}/cart", Action: access.SeeCollection, Handle: s.toCart},
		{Pattern: "POST /collections/{id}/download", Action: access.SeeCollection, Handle: s.download, Stream: true},
	}
}

// find finds the collection of the path and asks whether the route's action may be done to it. To whom it is not shared it does not
// exist, moderators included.
func (s *Store) find(r *http.Request, key string) (Collection, error) {
	id, err := web.PathID(r, "id")
	if err != nil {
		return Collection{}, err
	}
	c, err := s.ByID(r.Context(), s.DB, id)
	if err != nil {
		return c, err
	}
	if !access.Can(access.From(r.Context()), access.SeeCollection, c.Object(key)) {
		return c, web.NotFound()
	}
	return c, web.Allow(r, c.Object(key))
}

// posted finds the collection that a form of its page is about; the form of whoever came by a shared link brings its key.
func (s *Store) posted(w http.ResponseWriter, r *http.Request) (c Collection, key string, err error) {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return c, "", err
	}
	key = r.PostForm.Get("key")
	c, err = s.find(r, key)
	return c, key, err
}

func (s *Store) mine(w http.ResponseWriter, r *http.Request) error {
	return s.showMine(w, r, "", nil)
}

func (s *Store) showMine(w http.ResponseWriter, r *http.Request, typed string, errs []ui.FormError) error {
	me := access.From(r.Context()).ID
	list, err := s.Of(r.Context(), me)
	if err != nil {
		return err
	}
	p := ui.CollectionsPage{Typed: typed, Errors: errs}
	if p.Favorites, err = s.Favorites(r.Context(), me); err != nil {
		return err
	}
	for _, c := range list {
		p.List = append(p.List, ui.CollectionCard{URL: c.Path(), Name: c.Name, Sounds: int(c.Shown), Shared: tagOf(c.Shared)})
	}
	v := web.View{Title: "Collections", Edit: func(f *ui.Frame) { f.NoIndex = true }}
	if len(errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, v, ui.Collections(p))
}

func tagOf(with Shared) ui.Tag {
	switch with {
	case Public:
		return ui.Tag{Text: "Public", Icon: "users"}
	case ByLink:
		return ui.Tag{Text: "By link", Icon: "link"}
	}
	return ui.Tag{Text: "Private", Icon: "lock"}
}

// forForm splits what a Store refused for its form from other errors.
func forForm(err error, field string) ([]ui.FormError, error) {
	var p *web.Public
	if errors.As(err, &p) && (p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusConflict) {
		return []ui.FormError{{Field: field, Text: p.Text}}, nil
	}
	return nil, err
}

func (s *Store) make(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	name := r.PostForm.Get("name")
	c, err := s.Make(r.Context(), access.From(r.Context()).ID, name)
	if err != nil {
		errs, err := forForm(err, "name")
		if err != nil {
			return err
		}
		return s.showMine(w, r, name, errs)
	}
	return web.See(w, r, c.Path())
}

func pageOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("page")
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, web.NotFound()
	}
	return n, nil
}

func (s *Store) page(w http.ResponseWriter, r *http.Request) error {
	c, err := s.find(r, r.URL.Query().Get("key"))
	if err != nil {
		return err
	}
	return s.show(w, r, c, r.URL.Query().Get("key"), ui.CollectionPage{})
}

// show is a collection's page; p brings what went wrong with a form.
func (s *Store) show(w http.ResponseWriter, r *http.Request, c Collection, key string, p ui.CollectionPage) error {
	ctx, me := r.Context(), access.From(r.Context())
	page, err := pageOf(r)
	if err != nil {
		return err
	}
	own := me.ID == c.AccountID
	if c.DeletedAt != 0 {
		return s.Site.Page(w, r, web.View{Title: c.Name, Status: http.StatusGone, Edit: func(f *ui.Frame) { f.NoIndex = true }},
			ui.Plain(ui.PlainPage{Title: c.Name, Crumb: &ui.Link{Text: "Collections", URL: "/collections"}, Intro: "This collection is deleted. For a day it can be brought back."},
				ui.RowFormPart(ui.RowForm{Action: c.Path() + "/undo?deleted=1", Button: ui.Button{Label: "Bring it back", Icon: "undo-2"}})))
	}
	items, err := s.Items(ctx, c.ID, pageRows, (page-1)*pageRows)
	if err != nil {
		return err
	}
	if p.Sounds, err = s.rows(r, c, items, own); err != nil {
		return err
	}
	suffix := ""
	if !own && key != "" {
		suffix = "?key=" + url.QueryEscape(key)
		p.Key = key
	}
	p.ID, p.Name, p.Description, p.Own, p.Shared = c.ID, c.Name, c.Description, own, string(c.Shared)
	p.Facts = ui.Plural(int(c.Shown), "sound", "sounds") + ", changed " + ui.ShortDate(c.ChangedAt)
	switch {
	case c.Gone == 1:
		p.Gone = "1 is no longer here"
	case c.Gone > 1:
		p.Gone = ui.Count(int(c.Gone)) + " are no longer here"
	}
	for _, row := range p.Sounds {
		switch row.Action {
		case ui.ActionCart:
			p.ForSale++
			p.Unlicensed++
		case ui.ActionInCart:
			p.Unlicensed++
		}
	}
	p.Page = page
	if last := min(page*pageRows, int(c.Shown)); c.Shown > pageRows {
		p.Part = fmt.Sprintf("sounds %d to %d", (page-1)*pageRows+1, last)
	}
	p.CSVURL = c.Path() + "/list.csv" + suffix
	p.Hidden, p.CanReport = c.HiddenWhy, !own && access.Can(me, access.React, c.Object(key))
	if c.Shared != Private && c.HiddenAt == 0 {
		p.FeedURL = c.Path() + "/feed.atom" + suffix
		if own {
			p.LinkURL = s.Site.URL + c.LinkPath()
			if c.Shared == ByLink {
				p.FeedURL = c.Path() + "/feed.atom?key=" + c.Token
			}
		}
	}
	people, err := s.People(ctx, []int64{c.AccountID})
	if err != nil {
		return err
	}
	p.By, p.Pager = people[c.AccountID], pager(c.Path()+suffix, page, int(c.Shown))
	v := web.View{Title: c.Name, Section: ui.SectionSounds, Edit: func(f *ui.Frame) {
		if f.NoIndex = c.Shared != Public || c.HiddenAt != 0; p.FeedURL != "" {
			f.Feeds = append(f.Feeds, ui.Feed{Type: "application/atom+xml", URL: p.FeedURL, Title: c.Name})
		}
	}}
	switch {
	case p.Clash != nil:
		v.Status = http.StatusConflict
	case len(p.Errors) > 0:
		v.Status = http.StatusUnprocessableEntity
	}
	if c.Shared == Public {
		v.Canonical = c.Path()
	}
	return s.Site.Page(w, r, v, ui.CollectionBody(p))
}

// rows makes the rows of items, each with its note and, for the owner, what moves and removes it.
func (s *Store) rows(r *http.Request, c Collection, items []Item, own bool) ([]ui.Sound, error) {
	ids := make([]int64, len(items))
	of := map[int64]Item{}
	for i, it := range items {
		ids[i], of[it.RecordingID] = it.RecordingID, it
	}
	rows, err := s.Rows(r.Context(), ids)
	for i := range rows {
		it := of[rows[i].ID]
		if own || it.Note != "" {
			rows[i].Foot = ui.CollectionItemPart(ui.CollectionItem{Collection: c.ID, Item: it.ID, Title: rows[i].Title, Note: it.Note, Own: own})
		}
	}
	return rows, err
}

func pager(at string, page, total int) ui.Pager {
	u, err := url.Parse(at)
	if err != nil {
		return ui.Pager{}
	}
	p := ui.Pager{Page: page, Pages: (total + pageRows - 1) / pageRows}
	address := func(n int) string {
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		return u.Path + "?" + q.Encode()
	}
	if page > 1 {
		p.Prev = address(page - 1)
	}
	if page < p.Pages {
		p.Next = address(page + 1)
	}
	for n := 1; n <= p.Pages; n++ {
		p.Links = append(p.Links, ui.Link{Text: strconv.Itoa(n), URL: address(n), Current: n == page})
	}
	return p
}

// changeIt describes, shares or deletes a collection.
func (s *Store) changeIt(w http.ResponseWriter, r *http.Request) error {
	c, err := s.find(r, "")
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	ctx, me, form := r.Context(), access.From(r.Context()), r.PostForm
	switch form.Get("act") {
	case "describe":
		text := ui.CollectionText{Name: form.Get("name"), Description: form.Get("description")}
		err := s.Describe(ctx, me.ID, c.ID, form.Get("was_name"), form.Get("was_description"), text.Name, text.Description)
		if errors.Is(err, ErrChanged) {
			now := c.Name + "\n" + c.Description
			return s.show(w, r, c, "", ui.CollectionPage{Clash: &ui.CollectionClash{What: "name or description", Mine: text.Name + "\n" + text.Description, Now: now}})
		}
		if err != nil {
			errs, err := forForm(err, "name")
			if err != nil {
				return err
			}
			return s.show(w, r, c, "", ui.CollectionPage{Errors: errs, Typed: &text})
		}
		return s.told(w, r, done{Text: "The description is saved."}, c.Path())
	case "share", "renew":
		with := Shared(form.Get("shared"))
		if form.Get("act") == "renew" {
			with = c.Shared
		}
		if with != Private && !me.Confirmed {
			return web.Refuse(http.StatusForbidden, "Confirm your e-mail address before you share: follow the link in the mail that we sent.")
		}
		if err := s.Share(ctx, me.ID, c.ID, with, form.Get("act") == "renew"); err != nil {
			errs, err := forForm(err, "")
			if err != nil {
				return err
			}
			return s.show(w, r, c, "", ui.CollectionPage{Errors: errs})
		}
		return s.told(w, r, done{Text: map[Shared]string{Private: "Only you see it now.", ByLink: "Whoever has the link sees it now.", Public: "Everybody sees it now, on your page too."}[with]}, c.Path())
	case "delete":
		if err := s.Delete(ctx, me.ID, c.ID); err != nil {
			return err
		}
		return s.told(w, r, done{Text: c.Name + " is deleted.", Undo: c.Path() + "/undo?deleted=1"}, "/collections")
	}
	return web.Refuse(http.StatusUnprocessableEntity, "Choose what to do with the collection.")
}

// changeItem moves, annotates or removes one item.
func (s *Store) changeItem(w http.ResponseWriter, r *http.Request) error {
	c, err := s.find(r, "")
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	ctx, me, form := r.Context(), access.From(r.Context()), r.PostForm
	item, err := strconv.ParseInt(form.Get("item"), 10, 64)
	if err != nil {
		return web.NotFound()
	}
	d := done{}
	switch act := form.Get("act"); act {
	case "remove":
		d = done{Text: "Removed from " + c.Name + ".", Undo: fmt.Sprintf("%s/undo?removed=%d", c.Path(), item)}
		err = s.Remove(ctx, me.ID, c.ID, item)
	case "note":
		d.Text = "The note is saved."
		err = s.Annotate(ctx, me.ID, c.ID, item, form.Get("was"), form.Get("note"))
		if errors.Is(err, ErrChanged) {
			now, err := db.Get[string](ctx, s.DB, `SELECT note FROM collection_item WHERE id = $1 AND collection_id = $2`, item, c.ID)
			if err != nil {
				return err
			}
			return s.show(w, r, c, "", ui.CollectionPage{Clash: &ui.CollectionClash{What: "note", Mine: form.Get("note"), Now: now}})
		}
	case Up, Down, First, Before, Behind:
		other, _ := strconv.ParseInt(form.Get("other"), 10, 64) // none is no item's number
		d.Text = "Moved."
		if err = s.Move(ctx, me.ID, c.ID, item, act, other); errors.Is(err, db.ErrNotFound) {
			return web.Refuse(http.StatusConflict, "The collection was changed in another window. Reload it to see how it stands.")
		}
	default:
		return web.Refuse(http.StatusUnprocessableEntity, "Choose what to do with the sound.")
	}
	if err != nil {
		return err
	}
	return s.told(w, r, d, c.Path())
}

// undo takes back an adding, a removal or a deletion.
func (s *Store) undo(w http.ResponseWriter, r *http.Request) error {
	c, err := s.find(r, "")
	if err != nil {
		return err
	}
	ctx, me, q := r.Context(), access.From(r.Context()), r.URL.Query()
	number := func(name string) int64 {
		n, err := strconv.ParseInt(q.Get(name), 10, 64)
		if err != nil {
			return 0 // the number of nothing
		}
		return n
	}
	back := c.Path()
	switch {
	case q.Has("added"):
		if q.Has("back") {
			back = web.SafePath(q.Get("back"))
		}
		err = s.Unadd(ctx, me.ID, c.ID, number("added"))
	case q.Has("removed"):
		err = s.Unremove(ctx, me.ID, c.ID, number("removed"))
	default:
		err = s.Restore(ctx, me.ID, c.ID)
	}
	if err != nil {
		return err
	}
	return s.told(w, r, done{Text: "Taken back."}, back)
}

// toCart puts what is for sale into the cart, under the license that the rows name.
func (s *Store) toCart(w http.ResponseWriter, r *http.Request) error {
	c, _, err := s.posted(w, r)
	if err != nil {
		return err
	}
	items, err := s.Items(r.Context(), c.ID, MaxItems, 0)
	if err != nil {
		return err
	}
	rows, err := s.rows(r, c, items, false)
	if err != nil {
		return err
	}
	n, err := s.Fill(w, r, rows)
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, ui.Plural(n, "license is", "licenses are")+" new in your cart.")
	return web.See(w, r, "/cart")
}

// download sends the recordings of one page of the collection as an archive, as far as the reader may have them.
func (s *Store) download(w http.ResponseWriter, r *http.Request) error {
	c, key, err := s.posted(w, r)
	if err != nil {
		return err
	}
	if c.DeletedAt != 0 {
		return web.NotFound()
	}
	if !access.From(r.Context()).SignedIn() {
		at := c.Path()
		if key != "" {
			at += "?key=" + url.QueryEscape(key)
		}
		return web.See(w, r, "/sign-in?next="+url.QueryEscape(at))
	}
	page, err := strconv.Atoi(r.PostForm.Get("page"))
	if err != nil || page < 1 || page > maxPage {
		return web.NotFound()
	}
	items, err := s.Items(r.Context(), c.ID, pageRows, (page-1)*pageRows)
	if err != nil {
		return err
	}
	ids := make([]int64, len(items))
	for i, it := range items {
		ids[i] = it.RecordingID
	}
	name := c.Name
	if c.Shown > pageRows {
		name += " " + strconv.Itoa(page)
	}
	return s.Bundle(w, r, name, ids)
}

// feed is a shared collection for feed readers: what was added last comes first.
func (s *Store) feed(w http.ResponseWriter, r *http.Request) error {
	key := r.URL.Query().Get("key")
	c, err := s.find(r, key)
	if err != nil {
		return err
	}
	if c.Shared == Private || c.DeletedAt != 0 || c.HiddenAt != 0 {
		return web.NotFound()
	}
	ids, err := db.Query[int64](r.Context(), s.DB, `SELECT i.recording_id FROM collection_item i JOIN recording r ON r.id = i.recording_id
		WHERE i.collection_id = $1 AND i.removed_at = 0 AND r.state = 'published' ORDER BY i.added_at DESC, i.place DESC LIMIT $2`, c.ID, feedRows)
	if err != nil {
		return fmt.Errorf("feed of collection %d: %w", c.ID, err)
	}
	suffix := ""
	if key != "" {
		suffix = "?key=" + url.QueryEscape(key)
	}
	return s.Feed(w, r, FeedHead{Path: c.Path() + "/feed.atom" + suffix, Page: c.Path() + suffix, ID: "collections/" + strconv.FormatInt(c.ID, 10), Title: c.Name, CreatedAt: c.CreatedAt, ChangedAt: c.ChangedAt}, ids)
}
