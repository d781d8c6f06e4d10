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

// suggest finishes what is typed in the search box.
func (s *Store) suggest(w http.ResponseWriter, r *http.Request) error {
	type suggestion struct {
		Text  string `json:"text"`
		Tag   bool   `json:"tag"`
		Count int    `json:"count"`
		URL   string `json:"url"`
	}
	out := []suggestion{}
	text := r.URL.Query().Get("q")
	if len(text) <= query.MaxText && strings.TrimSpace(text) != "" {
		found := s.ix.Suggest(text, 8)
		titles, err := s.titlesOf(r.Context(), found)
		if err != nil {
			return err
		}
		for _, g := range found {
			title, published := titles[g.ID]
			switch {
			case g.Tag:
				out = append(out, suggestion{g.Text, true, g.Count, "/search?" + url.Values{"tag": {g.Text}}.Encode()})
			case published:
				title = plainly(title) // the text goes into the search box as it is
				out = append(out, suggestion{title, false, g.Count, address(query.Query{Text: title})})
			}
		}
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
