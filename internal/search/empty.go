package search

import (
	"fmt"
	"strings"

	"audiomicro/internal/search/query"
	"audiomicro/internal/web/ui"
)

// empty says what was looked for and leads on to what there is: each way out is a search that was tried and found something.
func (s *Store) empty(q query.Query) (*ui.Empty, error) {
	chosen := q.Chosen()
	e := &ui.Empty{Title: "Nothing here yet", Text: "No recording is published on this site so far."}
	switch {
	case q.Text == "" && len(chosen) == 0:
		return e, nil
	case len(chosen) == 0:
		e.Title = fmt.Sprintf("Nothing matches “%s”", q.Text)
	case q.Text != "":
		e.Title = fmt.Sprintf("Nothing matches “%s” with %s", q.Text, ui.Plural(len(chosen), "filter", "filters"))
	case len(chosen) == 1:
		e.Title = "Nothing matches this filter"
	default:
		e.Title = fmt.Sprintf("Nothing matches these %d filters", len(chosen))
	}
	best, most := query.Field(""), 0
	for _, f := range chosen {
		n, err := s.total(q.Without(f, ""))
		if err != nil {
			return nil, err
		}
		if n > most {
			best, most = f, n
		}
	}
	if most > 0 {
		name := strings.ToLower(titles[best])
		e.Text = fmt.Sprintf("Without the %s filter there are %s.", name, ui.Count(most))
		if most == 1 {
			e.Text = fmt.Sprintf("Without the %s filter there is 1.", name)
		}
		e.Out = &ui.Link{Text: fmt.Sprintf("Drop the %s filter", name), URL: address(q.Without(best, ""))}
		return e, nil
	}
	bare, err := s.total(q.Bare())
	switch {
	case err != nil:
		return nil, err
	case bare > 0 && len(chosen) > 0:
		e.Text, e.Out = "", &ui.Link{Text: "Drop all filters", URL: address(q.Bare())}
		return e, nil
	}
	e.Text, e.Out = "Try fewer words, or a broader one.", &ui.Link{Text: "All sounds", URL: "/search"}
	longer, err := s.longer(q)
	if longer != nil {
		e.Text, e.Also = "Perhaps the word goes on:", []ui.Link{*longer}
	}
	return e, err
}

// total is how many recordings a search finds.
func (s *Store) total(q query.Query) (int, error) {
	q.Page, q.Limit = 0, 1
	res, err := s.ix.Search(q)
	return res.Total, err
}

// longer is the search for words that begin like a last word which is perhaps unfinished, nil when it finds nothing either.
func (s *Store) longer(q query.Query) (*ui.Link, error) {
	words := query.Words(q.Text)
	if last := len(words) - 1; last < 0 || !strings.HasSuffix(strings.ToLower(q.Text), words[last]) {
		return nil, nil
	}
	again := query.Query{Text: q.Text + "*"}
	n, err := s.total(again)
	if err != nil || n == 0 {
		return nil, err
	}
	return &ui.Link{Text: fmt.Sprintf("%s (%s)", again.Text, ui.Count(n)), URL: address(again)}, nil
}

// mended is a search with a typing mistake put right, nil when there is none.
func (s *Store) mended(q query.Query) (*ui.Link, error) {
	res, err := s.ix.Search(q)
	if err != nil || res.DidYouMean == "" {
		return nil, err
	}
	q.Text = res.DidYouMean
	return &ui.Link{Text: q.Text, URL: address(q)}, nil
}
