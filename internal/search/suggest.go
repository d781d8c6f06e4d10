package search

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"audiomicro/internal/recordings"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
)

// Suggestion is a way to finish what is typed: a tag, or the title of a recording.
type Suggestion struct {
	Text  string
	Tag   bool
	Count int // recordings with the tag, or with the title among those looked at
}

// Suggest finishes what is typed in the search box.
func (s *Store) Suggest(ctx context.Context, text string) ([]Suggestion, error) {
	var out []Suggestion
	if len(text) > query.MaxText || strings.TrimSpace(text) == "" {
		return nil, nil
	}
	found := s.ix.Suggest(text, 8)
	titles, err := s.titlesOf(ctx, found)
	if err != nil {
		return nil, err
	}
	for _, g := range found {
		title, published := titles[g.ID]
		switch {
		case g.Tag:
			out = append(out, Suggestion{g.Text, true, g.Count})
		case published:
			out = append(out, Suggestion{plainly(title), false, g.Count}) // the text goes into the search box as it is
		}
	}
	return out, nil
}

// Page is the path of the search that a suggestion leads to.
func (g Suggestion) Page() string {
	if g.Tag {
		return "/search?" + url.Values{"tag": {g.Text}}.Encode()
	}
	return address(query.Query{Text: g.Text})
}

func (s *Store) suggest(w http.ResponseWriter, r *http.Request) error {
	type suggestion struct {
		Text  string `json:"text"`
		Tag   bool   `json:"tag"`
		Count int    `json:"count"`
		URL   string `json:"url"`
	}
	list, err := s.Suggest(r.Context(), r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	out := []suggestion{}
	for _, g := range list {
		out = append(out, suggestion{g.Text, g.Tag, g.Count, g.Page()})
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

// titlesOf reads the titles of suggested recordings as they are written; the index keeps them as they are compared.
func (s *Store) titlesOf(ctx context.Context, list []index.Suggestion) (map[int64]string, error) {
	var ids []int64
	for _, g := range list {
		if !g.Tag {
			ids = append(ids, g.ID)
		}
	}
	all, err := s.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := map[int64]string{}
	for _, r := range all {
		if r.State == recordings.Published {
			out[r.ID] = r.Title
		}
	}
	return out, nil
}

// plainly writes a title as words to search for: what the search box would read as its language is taken out.
func plainly(title string) string {
	words := query.Words(title)
	if len(words) > query.MaxTerms {
		return strings.Join(words[:query.MaxTerms], " ")
	}
	if strings.ContainsAny(title, `"*:+-`) {
		return strings.Join(words, " ")
	}
	return title
}
