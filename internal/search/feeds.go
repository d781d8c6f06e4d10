package search

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
	"audiomicro/internal/web/atom"
)

// FeedHead is what a feed of recordings says of itself.
type FeedHead struct {
	Path      string // of the feed, with its query
	Page      string // path of the page that shows the same
	ID        string // unique within the site
	Title     string
	CreatedAt int64 // unix microseconds; of a feed without entries the time of its last change
	ChangedAt int64 // when its list was changed by hand, unix microseconds; 0: it is not made by hand
}

// WriteFeed writes recordings as an Atom feed, in the order of ids, as a visitor may see and hear them: of paid ones the marked preview.
func (s *Store) WriteFeed(w http.ResponseWriter, r *http.Request, head FeedHead, ids []int64) error {
	entries, err := s.entries(r.Context(), ids)
	if err != nil {
		return err
	}
	created := time.UnixMicro(head.CreatedAt)
	f := atom.Feed{ID: atom.Tag(s.Site.URL, created, head.ID), Title: head.Title + " · " + s.Site.Name, Self: s.Site.URL + head.Path, Page: s.Site.URL + head.Page, Author: s.Site.Name,
		Updated: time.UnixMicro(max(head.CreatedAt, head.ChangedAt)), Entries: entries}
	for _, e := range entries {
		if e.Updated.After(f.Updated) {
			f.Updated = e.Updated
		}
	}
	return atom.Write(w, r, f)
}

// entries makes entries of those of ids that are published.
func (s *Store) entries(ctx context.Context, ids []int64) ([]atom.Entry, error) {
	all, err := s.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	owners := make([]int64, len(all))
	for i, r := range all {
		owners[i] = r.OwnerID
	}
	people, err := s.People(ctx, owners)
	if err != nil {
		return nil, err
	}
	prices, err := s.prices(ctx, ids)
	if err != nil {
		return nil, err
	}
	tags, err := s.Recordings.TagsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []atom.Entry
	for _, rec := range all {
		if rec.State != recordings.Published {
			continue
		}
		p, id := prices[rec.ID], strconv.FormatInt(rec.ID, 10)
		row := s.Sound(rec, people[rec.OwnerID], p)
		e := atom.Entry{ID: atom.Tag(s.Site.URL, time.UnixMicro(rec.CreatedAt), "recordings/"+id), Title: row.Title, Page: s.Site.URL + row.URL,
			Author: atom.Person{Name: row.Contributor}, Published: time.UnixMicro(rec.PublishedAt), Updated: time.UnixMicro(max(rec.PublishedAt, rec.UpdatedAt)),
			HTML: recordings.HTML(rec.Description), Categories: tags[rec.ID]}
		if row.ContributorURL != "" {
			e.Author.Page = s.Site.URL + row.ContributorURL
		}
		code := p.FreeCode
		if code == "" {
			code = p.Model
		}
		if code != "" {
			e.License = s.Site.URL + "/licenses/" + url.PathEscape(code)
			e.Rights = row.LicenseLabel + ", " + strings.ToLower(row.PriceLabel)
			if !row.Free {
				e.Rights = row.LicenseLabel + " license, " + row.PriceLabel + ". The preview is marked."
			}
		}
		if hq, _ := s.Listening.Hears(access.Actor{}, rec, false); hq != "" {
			e.Enclosures = []atom.Enclosure{{URL: s.Site.URL + hq, Type: "audio/ogg"}}
		}
		out = append(out, e)
	}
	return out, nil
}

// searchFeed is any search for feed readers: what was published last comes first.
func (s *Store) searchFeed(w http.ResponseWriter, r *http.Request) error {
	if err := s.Site.Limits.Take(web.SearchByIP, web.IPKey(s.Site.ClientIP(r)), s.Site.Now()); err != nil {
		return err
	}
	q, err := asked(r.URL.Query())
	if err != nil {
		return err
	}
	return s.writeSearch(w, r, q, FeedHead{Path: feedAddress(q), ID: "search/" + q.Values().Encode(), Title: s.inWords(q), CreatedAt: s.Since})
}

// asked reads a search; what it cannot mean is said.
func asked(v url.Values) (query.Query, error) {
	q, err := query.FromValues(v)
	var bad *query.ValueError
	if errors.As(err, &bad) {
		return q, web.Refuse(http.StatusBadRequest, "%s", bad.Text)
	}
	return newest(q), err
}

// newest is a search for the same, the newest first and whole.
func newest(q query.Query) query.Query {
	q.Sort, q.Page, q.GroupByPack = query.ByNewest, 0, false
	return q
}

// feedAddress is the path of a search's feed. Every feed is of the newest, so the order is no part of it.
func feedAddress(q query.Query) string {
	q = newest(q)
	q.Sort = ""
	if v := q.Values().Encode(); v != "" {
		return "/search.atom?" + v
	}
	return "/search.atom"
}

func (s *Store) writeSearch(w http.ResponseWriter, r *http.Request, q query.Query, head FeedHead) error {
	q.Limit = atom.MaxEntries
	res, err := s.findNewest(r.Context(), q)
	var bad *query.ValueError
	if errors.As(err, &bad) {
		return web.Refuse(http.StatusBadRequest, "%s", bad.Text)
	}
	if err != nil {
		return err
	}
	ids := make([]int64, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.ID
	}
	head.Page = address(q)
	return s.WriteFeed(w, r, head, ids)
}

// contributorFeed is what a contributor published, the newest first.
func (s *Store) contributorFeed(w http.ResponseWriter, r *http.Request) error {
	type person struct {
		ID    int64  `db:"id"`
		Name  string `db:"name"`
		Since int64  `db:"since"`
	}
	name := r.PathValue("name")
	who, err := db.Get[person](r.Context(), s.DB, `SELECT id, name, since FROM account_public WHERE name = $1`, name)
	if err != nil {
		return err
	}
	shown, err := s.People(r.Context(), []int64{who.ID})
	if err != nil {
		return err
	}
	ids, _, err := s.Recordings.PublishedBy(r.Context(), who.ID, atom.MaxEntries, 0)
	if err != nil {
		return err
	}
	at := "/people/" + url.PathEscape(who.Name)
	return s.WriteFeed(w, r, FeedHead{Path: at + "/feed.atom", Page: at, ID: "people/" + who.Name, Title: shown[who.ID].Text, CreatedAt: who.Since}, ids)
}

// packFeed is a pack, the newest first.
func (s *Store) packFeed(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	pack, err := s.Recordings.PackByID(r.Context(), s.DB, id)
	if err != nil {
		return err
	}
	ids, err := db.Query[int64](r.Context(), s.DB, `SELECT id FROM recording WHERE pack_id = $1 AND state = 'published' ORDER BY published_at DESC, id DESC LIMIT $2`, id, atom.MaxEntries)
	if err == nil && len(ids) == 0 {
		err = web.NotFound() // a pack is public by its recordings
	}
	if err != nil {
		return err
	}
	at := "/packs/" + strconv.FormatInt(id, 10)
	return s.WriteFeed(w, r, FeedHead{Path: at + "/feed.atom", Page: at, ID: "packs/" + strconv.FormatInt(id, 10), Title: pack.Name, CreatedAt: pack.CreatedAt}, ids)
}
