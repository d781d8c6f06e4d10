package search

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
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
	page.NewNote = ui.Plural(s.ix.Len(), "recording", "recordings") + " so far"
	c, err := s.choice.now(s)
	if err != nil {
		return err
	}
	if page.New, err = s.Published(ctx, c.fresh); err != nil {
		return err
	}
	popular, err := s.Published(ctx, c.popular)
	if err != nil {
		return err
	}
	for _, p := range popular {
		rec, err := s.Recordings.ByID(ctx, s.DB, p.ID)
		if err != nil {
			return err
		}
		if rec.Downloads > 0 {
			page.Popular = append(page.Popular, p)
		}
	}
	if page.Featured, err = s.featured(ctx, c.featured); err != nil {
		return err
	}
	for _, k := range c.kinds {
		t := ui.Tile{Title: k.title, URL: address(query.Query{}.With(query.Category, k.code)), Count: k.count}
		if t.SpectrogramURL, err = s.picture(ctx, k.best, recordings.SpectrumTile); err != nil {
			return fmt.Errorf("picture of kind %s: %w", k.code, err)
		}
		page.Kinds = append(page.Kinds, t)
	}
	for _, tag := range c.tags {
		page.Try = append(page.Try, ui.Link{Text: tag, URL: address(query.Query{Text: tag})})
	}
	return nil
}

// featured is the row of the recording of the day; nil when there is none.
func (s *Store) featured(ctx context.Context, id int64) (*ui.Featured, error) {
	sounds, err := s.Published(ctx, []int64{id})
	if err != nil || len(sounds) == 0 {
		return nil, err
	}
	u, err := s.picture(ctx, id, recordings.SpectrumPNG)
	return &ui.Featured{Sound: sounds[0], SpectrogramURL: u, Why: "Recording of the day"}, err
}

// picture is the address of a picture of a recording; empty when there is none to be shown.
func (s *Store) picture(ctx context.Context, id int64, name string) (string, error) {
	r, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) || err == nil && (r.Processing != recordings.Ready || r.State != recordings.Published) {
		return "", nil
	}
	return "/media/" + r.Token + "/" + name, err
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
