package search

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Routes lists the pages of finding.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /{$}", Action: access.Look, Handle: s.home},
		{Pattern: "GET /search", Action: access.Look, Handle: s.searching(s.results)},
		{Pattern: "GET /compare", Action: access.Look, Handle: s.compare},
		{Pattern: "GET /search/sound", Action: access.Look, Handle: s.soundForm},
		{Pattern: "POST /search/sound", Action: access.Look, Handle: s.searching(s.soundSend)},
		{Pattern: "GET /recordings/{id}/like", Action: access.HearMarked, Handle: s.searching(s.likePart)},
		{Pattern: "GET /search/suggest", Action: access.Look, Handle: s.searching(s.suggest), API: true},
		{Pattern: "GET /search.atom", Action: access.Look, Handle: s.searching(s.searchFeed), Alike: true},
		{Pattern: "GET /people/{name}/feed.atom", Action: access.Look, Handle: s.contributorFeed, Alike: true},
		{Pattern: "GET /packs/{id}/feed.atom", Action: access.Look, Handle: s.packFeed, Alike: true},
		{Pattern: "GET /searches", Action: access.UseAccount, Handle: s.searches},
		{Pattern: "POST /searches", Action: access.UseAccount, Handle: s.save},
		{Pattern: "GET /searches/{file}", Action: access.Look, Handle: s.searching(s.savedFeed), Alike: true},
		{Pattern: "GET /searches/{id}/open", Action: access.UseAccount, Handle: s.searching(s.openSaved)}, // or what is new would count as seen,
		{Pattern: "POST /searches/{id}", Action: access.UseAccount, Handle: s.editSaved},
		{Pattern: "GET /admin/synonyms", Action: access.Administer, Handle: s.synonymsForm},
		{Pattern: "POST /admin/synonyms", Action: access.Administer, Handle: s.synonymsSave},
	}
}

// shownFacets are the blocks of the rail, from the top.
var shownFacets = []query.Field{query.Category, query.Brightness, query.Length, query.License, query.Tempo, query.Key, query.Price, query.Tag, query.Type, query.Channels, query.Rate, query.Depth, query.Loudness, query.Loop, query.By, query.Year}

func (s *Store) results(w http.ResponseWriter, r *http.Request) error {
	part, limit := web.WantsPart(w, r, ui.PartResults), web.SearchByIP
	if part && !r.URL.Query().Has("page") { // who turns pages is not typing
		limit = web.TypingByIP
	}
	if err := s.Site.Limits.Take(limit, web.IPKey(s.Site.ClientIP(r)), s.Site.Now()); err != nil {
		return err
	}
	q, err := query.FromValues(r.URL.Query())
	var bad *query.ValueError
	if errors.As(err, &bad) {
		return web.Refuse(http.StatusBadRequest, "%s", bad.Text)
	}
	if err != nil {
		return err
	}
	q.SomeWords = true
	res, begun, off, err := s.find(r.Context(), q)
	if errors.As(err, &bad) {
		return web.Refuse(http.StatusBadRequest, "%s", bad.Text)
	}
	if err != nil {
		return err
	}
	pages := pager(q, res.Total)
	if res.Total > 0 && q.Page > pages.Pages { // an old address, from when there was more to find
		q.Page = pages.Pages
		return web.See(w, r, address(q))
	}
	ids := make([]int64, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.ID
	}
	sounds, err := s.Published(r.Context(), ids)
	if err != nil {
		return err
	}
	if q.GroupByPack {
		tellPacks(q, res.Hits, sounds)
	}
	page := ui.SearchPage{
		Query: q.Text, Heading: heading(q), Total: res.Total, Facets: s.facets(q, res.Facets), Chips: append(s.termChips(q), s.chips(q, res.Facets)...), ResetURL: address(bare(q)),
		Sorts: sorts(q), Hidden: hidden(q), Sounds: sounds, Pager: pages, Also: res.Also, Some: res.Some, Packs: packSwitch(q), Begun: begun,
	}
	if len(res.Also) > 0 {
		typed := q
		typed.AsTyped, typed.Page = true, 0
		page.Typed = &ui.Link{Text: "Only the words typed", URL: address(typed)}
	}
	page.BySound = bySound(q)
	if len(page.Chips) == 0 {
		page.ResetURL = ""
	}
	if res.DidYouMean != "" {
		again := q.Bare()
		again.Text = res.DidYouMean
		page.DidYouMean = &ui.Link{Text: res.DidYouMean, URL: address(again)}
	}
	if res.Total == 0 && !q.Example.Is() {
		if page.Empty, err = s.empty(q); err != nil {
			return err
		}
		if page.DidYouMean == nil && len(q.Chosen()) > 0 {
			if page.DidYouMean, err = s.mended(q.Bare()); err != nil {
				return err
			}
		}
	}
	s.exampleOf(q, off, &page)
	page.Save = saveForm(access.From(r.Context()), q)
	if part {
		return s.Site.Part(w, r, ui.SearchParts(page))
	}
	return s.Site.Page(w, r, web.View{Title: page.Heading, Section: ui.SectionSounds, Query: q.Text, Canonical: address(q), Description: described(q, res.Total), Edit: func(f *ui.Frame) {
		f.Feeds = append(f.Feeds, ui.Feed{Type: "application/atom+xml", URL: feedAddress(q), Title: page.Heading + ", newest first"})
	}}, ui.SearchResults(page))
}

// described says in one sentence what the page holds, for other search engines.
func described(q query.Query, total int) string {
	return fmt.Sprintf("%s: %s to hear in full length, each with its license and price.", heading(q), ui.Plural(total, "sound", "sounds"))
}

// find searches for q, in the order of likeness where it has an example. Where no recording has all of the words, the last one may be unfinished: begun is that word then. It is
// so for every address, whether somebody is typing it or follows a link to it.
func (s *Store) find(ctx context.Context, q query.Query) (res index.Result, begun string, off Nearness, err error) {
	if q.Example.Is() {
		res, off, err = s.FindLike(ctx, q, shownFacets...)
		return res, "", off, err
	}
	words := query.Words(q.Text)
	all := q
	all.SomeWords = false
	res, err = s.ix.Search(all, shownFacets...)
	if err != nil || res.Total > 0 || len(words) == 0 {
		return res, "", off, err
	}
	all.Prefix = true
	longer, err := s.ix.Search(all, shownFacets...)
	if err == nil && longer.Total > 0 {
		longer.DidYouMean = res.DidYouMean
		return longer, words[len(words)-1], off, nil
	}
	if err == nil && q.SomeWords { // last, for it finds much that is thrown away while a word is being typed
		res, err = s.ix.Search(q, shownFacets...)
	}
	return res, "", off, err
}

// Published makes rows of those of ids that are published now, whoever looks: what the index returned is checked here.
func (s *Store) Published(ctx context.Context, ids []int64) ([]ui.Sound, error) {
	all, err := s.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	return s.rowsOf(ctx, slices.DeleteFunc(all, func(r recordings.Recording) bool { return r.State != recordings.Published }))
}

func address(q query.Query) string {
	v := q.Values().Encode()
	if v == "" {
		return "/search"
	}
	return "/search?" + v
}

func heading(q query.Query) string {
	if len(query.Words(q.Text)) > 0 {
		return q.Text
	}
	if len(q.Picks) == 1 && len(q.Ranges) == 0 {
		switch p := q.Picks[0]; p.Field {
		case query.Category:
			return categoryName(p.Value)
		case query.Tag, query.By:
			return p.Value
		}
	}
	return "All sounds"
}

func categoryName(code string) string {
	if c, ok := taxonomy.Find(code); ok {
		return c.Name
	}
	for _, g := range taxonomy.Groups() {
		if g.Code == code {
			return g.Name
		}
	}
	return code
}

var titles = map[query.Field]string{
	query.Category: "Kind", query.Brightness: "Brightness", query.Length: "Length", query.License: "License", query.Tempo: "Tempo", query.Key: "Key", query.Price: "Price",
	query.Tag: "Tags", query.Type: "File type", query.Channels: "Channels", query.Rate: "Sample rate", query.Depth: "Bit depth", query.Loop: "Loops", query.By: "Contributor",
	query.PackID: "Pack", query.Year: "Year", query.Loudness: "Loudness",
}

var tones = []string{"sub, hum, boom", "low", "voice body, toms", "low middle", "presence", "high middle", "metal, breath", "air, hiss, glass"}

// label writes a facet's value for people.
func (s *Store) label(f query.Field, value, written string) string {
	switch f {
	case query.Category:
		return categoryName(value)
	case query.Brightness:
		if n, err := strconv.Atoi(value); err == nil && n >= 0 && n < len(tones) {
			return tones[n]
		}
	case query.License:
		return licenseName(value)
	case query.Price:
		low := money.Of(query.PriceLow(s.minorUnits()), s.Currency).String()
		return map[string]string{"free": "Free", "low": "Up to " + low, "high": "Over " + low}[value]
	case query.Type:
		return strings.ToUpper(value)
	case query.Channels:
		switch value {
		case "1":
			return "Mono"
		case "2":
			return "Stereo"
		}
		return value + " channels"
	case query.Rate:
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			return strconv.FormatFloat(n/1000, 'f', -1, 64) + " kHz"
		}
	case query.Depth:
		if value == "0" {
			return "Compressed"
		}
		return value + " bit"
	case query.Loop:
		return map[string]string{"yes": "Loops cleanly", "no": "Does not loop"}[value]
	case query.Key:
		if root, ok := strings.CutSuffix(value, "m"); ok {
			return strings.ReplaceAll(root, "#", "♯") + " min"
		}
		return strings.ReplaceAll(value, "#", "♯")
	}
	if written != "" {
		return written
	}
	return value
}

func licenseName(code string) string {
	switch code {
	case "personal":
		return "Personal"
	case "standard":
		return "Standard"
	case "broadcast-1m":
		return "Broadcast 1M"
	case "broadcast-10m":
		return "Broadcast 10M and film"
	case "unlimited":
		return "Unlimited"
	}
	name := shortLicense(code)
	if family := query.LicenseFamily(code); family != code { // two versions of a license are two values
		name += " " + strings.TrimPrefix(code, family+"-")
	}
	return name
}

// most is how many values of a facet are shown before the page says how many more there are.
const most = 8

func (s *Store) facets(q query.Query, all index.Facets) []ui.Facet {
	var out []ui.Facet
	for i, field := range shownFacets {
		f := all.Of(field)
		block := ui.Facet{Name: string(field), Title: titles[field], Kind: ui.FacetCheck, Closed: i > 6}
		switch field {
		case query.Length, query.Tempo, query.Loudness:
			block = rangeFacet(q, f, block)
			if field != query.Length && !counted(f) {
				continue
			}
		case query.Brightness:
			block.Kind = ui.FacetBrightness
			for _, row := range f.Rows {
				block.Histogram = append(block.Histogram, row.Count)
				block.Options = append(block.Options, s.option(field, row))
			}
		case query.Key:
			block = s.keyFacet(q, f, block)
			if !counted(f) {
				continue
			}
		default:
			if block.Options = s.options(field, f); len(block.Options) == 0 {
				continue
			}
		}
		out = append(out, block)
	}
	return out
}

func counted(f index.Facet) bool {
	for _, r := range f.Rows {
		if r.Count > 0 || r.Chosen {
			return true
		}
	}
	return false
}

func (s *Store) option(field query.Field, row index.Row) ui.FacetOption {
	return ui.FacetOption{Value: row.Value, Label: s.label(field, row.Value, row.Label), Count: row.Count, Selected: row.Chosen}
}

// options lists the values of a facet: leaves of the taxonomy only, the most frequent first, chosen ones always.
func (s *Store) options(field query.Field, f index.Facet) []ui.FacetOption {
	var out []ui.FacetOption
	for _, row := range f.Rows {
		if field == query.Category && !strings.Contains(row.Value, "-") {
			continue
		}
		if row.Count == 0 && !row.Chosen && len(f.Rows) > most {
			continue
		}
		if len(out) >= most && !row.Chosen {
			continue
		}
		out = append(out, s.option(field, row))
	}
	return out
}

func rangeFacet(q query.Query, f index.Facet, block ui.Facet) ui.Facet {
	block.Kind, block.MinName, block.MaxName, block.Unit = ui.FacetRange, block.Name+"_min", block.Name+"_max", "s"
	switch f.Field {
	case query.Tempo:
		block.Unit = "BPM"
	case query.Loudness:
		block.Unit = "LUFS"
	}
	values := q.Values()
	block.MinValue, block.MaxValue = values.Get(block.MinName), values.Get(block.MaxName)
	first, last := -1, -1
	for i, row := range f.Rows {
		block.Histogram = append(block.Histogram, row.Count)
		if row.Chosen {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first >= 0 {
		block.ChosenLo, block.ChosenHi = first, last+1
	}
	return block
}

// keyFacet counts the twelve notes of an octave, major keys; minor ones that are chosen or there follow as values of their own.
func (s *Store) keyFacet(q query.Query, f index.Facet, block ui.Facet) ui.Facet {
	block.Kind = ui.FacetKey
	counts := map[string]index.Row{}
	for _, row := range f.Rows {
		counts[row.Value] = row
	}
	for i, key := range query.Keys() {
		if i%2 == 0 {
			row := counts[key]
			block.Options = append(block.Options, ui.FacetOption{Value: key, Label: s.label(query.Key, key, ""), Count: row.Count, Selected: q.Has(query.Key, key)})
		}
	}
	return block
}

func sorts(q query.Query) []ui.Option {
	var out []ui.Option
	for _, s := range []struct {
		by   query.Sort
		name string
	}{
		{query.ByRelevance, "Best match"}, {query.ByNewest, "Newest"}, {query.ByDownloads, "Most downloaded"}, {query.ByRating, "Best rated"}, {query.ByShortest, "Shortest"},
		{query.ByLongest, "Longest"}, {query.ByCheapest, "Lowest price"}, {query.ByDearest, "Highest price"}, {query.ByTitle, "Title"},
	} {
		out = append(out, ui.Option{Value: string(s.by), Label: s.name, Selected: q.Sort == s.by || q.Sort == "" && s.by == query.ByRelevance})
	}
	return out
}

// hidden carries the parameters that no control of the page holds.
func hidden(q query.Query) []ui.Hidden {
	var out []ui.Hidden
	for key, values := range q.Values() {
		switch query.Field(key) {
		case "q", "sort", "page", query.Category, query.Brightness, query.License, query.Key, query.Price, query.Tag, query.Type, query.Channels, query.Rate, query.Depth, query.Loop, query.By,
			query.Year, "length_min", "length_max", "tempo_min", "tempo_max", "loudness_min", "loudness_max":
			continue
		}
		for _, v := range values {
			out = append(out, ui.Hidden{Name: key, Value: v})
		}
	}
	return out
}

func pager(q query.Query, total int) ui.Pager {
	_, limit := q.Window()
	pages := min((total+limit-1)/limit, query.MaxOffset/limit)
	page := max(q.Page, 1)
	at := func(n int) string {
		q.Page = n
		return address(q)
	}
	p := ui.Pager{Page: page, Pages: pages}
	if page > 1 {
		p.Prev = at(page - 1)
	}
	if page < pages {
		p.Next = at(page + 1)
	}
	for n := 1; n <= pages; n++ {
		if n == 1 || n == pages || n >= page-2 && n <= page+2 {
			p.Links = append(p.Links, ui.Link{Text: strconv.Itoa(n), URL: at(n), Current: n == page})
		} else if last := len(p.Links) - 1; p.Links[last].URL != "" {
			p.Links = append(p.Links, ui.Link{Text: "…"})
		}
	}
	return p
}
