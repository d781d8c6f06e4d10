package search

import (
	"fmt"
	"strconv"
	"strings"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web/ui"
)

// termChips are the parts of the text that are more than bare words, each with the search without it.
func (s *Store) termChips(q query.Query) []ui.Chip {
	parsed, err := query.Parse(q.Text, false)
	if err != nil { // the search itself was refused before
		return nil
	}
	var out []ui.Chip
	for _, t := range parsed.Terms {
		without := q
		without.Text, without.Page = t.Rest, 0
		out = append(out, ui.Chip{Label: termLabel(t), Value: s.termValue(t), Remove: address(without)})
	}
	return out
}

// bare is the search for the bare words of q alone.
func bare(q query.Query) query.Query {
	q = q.Bare()
	for {
		parsed, err := query.Parse(q.Text, false)
		if err != nil || len(parsed.Terms) == 0 {
			return q
		}
		q.Text = parsed.Terms[0].Rest // shorter each time
	}
}

func termLabel(t query.Term) string {
	name := map[query.Field]string{query.Title: "Title", query.Description: "Description", query.PackWord: "Pack", query.ID: "Number", query.Downloads: "Downloads",
		query.Rating: "Rating", query.Published: "Published", query.Centroid: "Centroid"}[t.Field]
	if name == "" {
		name = titles[t.Field]
	}
	switch {
	case t.Not && name != "":
		return "Without " + strings.ToLower(name)
	case t.Not:
		return "Without"
	case name != "":
		return name
	}
	return "Exactly"
}

func (s *Store) termValue(t query.Term) string {
	if canonical, ok := query.Canonical(t.Field, t.Value); ok {
		return s.label(t.Field, canonical, t.Value)
	}
	return t.Value
}

// packSwitch turns the grouping by packs on or off.
func packSwitch(q query.Query) *ui.Link {
	l := &ui.Link{Text: "One per pack"}
	if q.GroupByPack {
		l.Text = "All of each pack"
	}
	q.GroupByPack, q.Page = !q.GroupByPack, 0
	l.URL = address(q)
	return l
}

// tellPacks says on each row how many others of its pack were found. Rows may lack hits that are not public any more.
func tellPacks(q query.Query, hits []index.Hit, sounds []ui.Sound) {
	others := map[int64]int{}
	for _, h := range hits {
		others[h.ID] = h.FromPack - 1
	}
	for i := range sounds {
		if n := others[sounds[i].ID]; n > 0 && sounds[i].Note == nil {
			sounds[i].Note = &ui.Tag{Text: fmt.Sprintf("and %s more of its pack", strconv.Itoa(n))}
		}
	}
}

func (s *Store) chips(q query.Query, all index.Facets) []ui.Chip {
	var out []ui.Chip
	for _, c := range q.Chips() {
		value := s.label(c.Field, c.Value, "")
		for _, row := range all.Of(c.Field).Rows {
			if row.Value == c.Value { // contributors and tags as they write themselves
				value = s.label(c.Field, c.Value, row.Label)
			}
		}
		if c.Field.Numeric() {
			low, high, _ := strings.Cut(c.Value, "..")
			unit := map[query.Field]string{query.Length: " s", query.Tempo: " BPM", query.Loudness: " LUFS"}[c.Field]
			switch {
			case low == "":
				value = "up to " + high + unit
			case high == "":
				value = "from " + low + unit
			default:
				value = low + "–" + high + unit
			}
		}
		out = append(out, ui.Chip{Label: titles[c.Field], Value: value, Remove: address(q.Without(c.Field, c.Value))})
	}
	return out
}
