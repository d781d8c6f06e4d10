package search

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

func (s *Store) home(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := ui.HomePage{CanUpload: access.From(ctx).Contributor}
	fill := s.homeFound
	if !s.Ready() {
		fill = s.homeMeanwhile
	}
	if err := fill(ctx, &page); err != nil {
		return err
	}
	return s.Site.Page(w, r, web.View{Description: "Sounds to hear first and license for good.", Section: ui.SectionSounds, HideSearch: true, Canonical: "/"}, ui.Home(page))
}

// homeNew is how many new recordings home shows.
const homeNew = 9

// homeFound puts on home what the index finds.
func (s *Store) homeFound(ctx context.Context, page *ui.HomePage) error {
	page.Recordings, page.People = s.ix.Len(), s.ix.Contributors()
	fresh, err := s.list(ctx, query.Query{Sort: query.ByNewest, Limit: homeNew})
	if err != nil {
		return err
	}
	popular, err := s.list(ctx, query.Query{Sort: query.ByDownloads, Limit: 5})
	if err != nil {
		return err
	}
	page.New, page.NewNote = fresh, ui.Plural(s.ix.Len(), "recording", "recordings")+" so far"
	for _, p := range popular {
		rec, err := s.Recordings.ByID(ctx, s.DB, p.ID)
		if err != nil {
			return err
		}
		if rec.Downloads > 0 {
			page.Popular = append(page.Popular, p)
		}
	}
	if page.Featured, err = s.featured(ctx); err != nil {
		return err
	}
	if page.Kinds, err = s.kinds(ctx); err != nil {
		return err
	}
	for _, sug := range s.try() {
		page.Try = append(page.Try, ui.Link{Text: sug, URL: address(query.Query{Text: sug})})
	}
	return nil
}

func (s *Store) list(ctx context.Context, q query.Query) ([]ui.Sound, error) {
	res, err := s.ix.Search(q)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.ID
	}
	return s.Published(ctx, ids)
}

// try names the three most used tags as searches to try.
func (s *Store) try() []string {
	res, err := s.ix.Search(query.Query{Limit: 1}, query.Tag)
	if err != nil {
		return nil
	}
	var out []string
	for _, row := range res.Facets.Of(query.Tag).Rows {
		if len(out) < 3 && row.Count > 0 {
			out = append(out, row.Label)
		}
	}
	return out
}

// featured is the recording of the day: one of those between four seconds and a minute, chosen by the date, the same for
// everybody all day.
func (s *Store) featured(ctx context.Context) (*ui.Featured, error) {
	q := query.Query{Sort: query.ByOldest, Limit: query.MaxLimit, Ranges: []query.Range{{Field: query.Length, Low: 4, High: 60}}}
	res, err := s.ix.Search(q)
	if err != nil || len(res.Hits) == 0 {
		return nil, err
	}
	day := s.Site.Now().UTC().Unix() / 86400
	id := res.Hits[int(day)%len(res.Hits)].ID
	sounds, err := s.Published(ctx, []int64{id})
	if err != nil || len(sounds) == 0 {
		return nil, err
	}
	u, err := s.picture(ctx, id, recordings.SpectrumPNG)
	return &ui.Featured{Sound: sounds[0], SpectrogramURL: u, Why: "Recording of the day"}, err
}

func (s *Store) picture(ctx context.Context, id int64, name string) (string, error) {
	r, err := s.Recordings.ByID(ctx, s.DB, id)
	if err != nil || r.Processing != recordings.Ready {
		return "", err
	}
	return "/media/" + r.Token + "/" + name, nil
}

// kinds are the eight largest categories, each with the picture of its most downloaded recording.
func (s *Store) kinds(ctx context.Context) ([]ui.Tile, error) {
	res, err := s.ix.Search(query.Query{Limit: 1}, query.Category)
	if err != nil {
		return nil, err
	}
	rows := slices.Clone(res.Facets.Of(query.Category).Rows)
	slices.SortStableFunc(rows, func(a, b index.Row) int { return b.Count - a.Count })
	var out []ui.Tile
	for _, row := range rows {
		c, leaf := taxonomy.Find(row.Value)
		if !leaf || row.Count == 0 {
			continue
		}
		if len(out) == 8 {
			break
		}
		q := query.Query{Limit: 1, Sort: query.ByDownloads}.With(query.Category, c.Code)
		best, err := s.ix.Search(q)
		if err != nil {
			return nil, err
		}
		t := ui.Tile{Title: c.Name, URL: address(query.Query{}.With(query.Category, c.Code)), Count: row.Count}
		if len(best.Hits) > 0 {
			if t.SpectrogramURL, err = s.picture(ctx, best.Hits[0].ID, recordings.SpectrumTile); err != nil {
				return nil, fmt.Errorf("picture of kind %s: %w", c.Code, err)
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// SoundsOf makes rows of a contributor's published recordings, newest first, and tells how many there are. The tables tell: a person's page
// is there while the index is filled.
func (s *Store) SoundsOf(ctx context.Context, owner int64, page int) ([]ui.Sound, int, error) {
	offset, limit := query.Query{Page: page}.Window()
	ids, total, err := s.Recordings.PublishedBy(ctx, owner, limit, offset)
	if err != nil {
		return nil, 0, err
	}
	list, err := s.Published(ctx, ids)
	return list, total, err
}
