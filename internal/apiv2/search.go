package apiv2

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
)

// searchPath is the address of searches in links, whichever alias was asked.
const searchPath = "/apiv2/search/"

// search lists the published recordings that query, filter and sort ask for.
func (f *Face) search(w http.ResponseWriter, r *http.Request) error {
	p := parse(r.URL.RawQuery)
	win, err := windowOf(p)
	if err != nil {
		return err
	}
	q, err := f.queryOf(p)
	if err != nil {
		return err
	}
	q.Page, q.Limit = win.page, win.size
	if !f.Search.Ready() {
		return web.Refuse(http.StatusServiceUnavailable, "Search server error: the index is not ready yet.")
	}
	res, err := f.find(q)
	if err != nil {
		return err
	}
	if res.Total > 0 && win.offset() >= res.Total {
		return web.NotFound()
	}
	results, err := f.results(r, p, q, res)
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, f.list(searchPath, p, win, res.Total, results))
}

// queryOf reads what is searched for.
func (f *Face) queryOf(p params) (query.Query, error) {
	if v, _ := p.get("similar_to"); strings.TrimSpace(v) != "" {
		return query.Query{}, web.Refuse(http.StatusBadRequest, "The 'similar_to' parameter is not supported by this server yet.")
	}
	q := query.Query{NumberIsID: true, Sort: query.ByRelevance}
	words, _ := p.twice("query")
	if words = strings.TrimSpace(words); strings.Trim(words, `"' `) != "" {
		q.Text = words
	}
	if by, ok := map[string]query.Sort{
		"duration_desc": query.ByLongest, "duration_asc": query.ByShortest, "created_desc": query.ByNewest, "created_asc": query.ByOldest,
		"downloads_desc": query.ByDownloads, "downloads_asc": query.ByFewDownloads, "rating_desc": query.ByRating, "rating_asc": query.ByLowRating,
	}[value(p, "sort")]; ok {
		q.Sort = by
	}
	q.GroupByPack = value(p, "group_by_pack") == "1"
	if filter, given := p.twice("filter"); given {
		where, err := query.ParseFreesound(filter, f.Site.Now())
		var wrong *query.FilterError
		if errors.As(err, &wrong) {
			return q, web.Refuse(http.StatusBadRequest, "%s", wrong.Text)
		}
		if err != nil {
			return q, err
		}
		q.Where = where
	}
	return q, nil
}

func value(p params, key string) string {
	v, _ := p.get(key)
	return strings.TrimSpace(v)
}

// find searches. A query that is one phrase and is nowhere is tried again as words: a client puts quotes around whatever is
// typed.
func (f *Face) find(q query.Query) (index.Result, error) {
	res, err := f.Search.Index().Search(q)
	if inner, ok := phrase(q.Text); ok && err == nil && res.Total == 0 {
		q.Text = inner
		res, err = f.Search.Index().Search(q)
	}
	var wrong *query.ValueError
	if errors.As(err, &wrong) {
		return res, web.Refuse(http.StatusBadRequest, "%s", wrong.Text)
	}
	return res, err
}

// phrase is what stands between the quotes of a text that is nothing else.
func phrase(s string) (inner string, ok bool) {
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", false
	}
	inner = s[1 : len(s)-1]
	return inner, !strings.Contains(inner, `"`)
}

// results describes the hits of a page. What the index still holds and is not published any more is left out.
func (f *Face) results(r *http.Request, p params, q query.Query, res index.Result) ([]object, error) {
	ids := make([]int64, len(res.Hits))
	hits := map[int64]index.Hit{}
	for i, h := range res.Hits {
		ids[i], hits[h.ID] = h.ID, h
	}
	all, err := f.Recordings.ByIDs(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	var list []recordings.Recording
	for _, rec := range all {
		if rec.State == recordings.Published {
			list = append(list, rec)
		}
	}
	sounds, err := f.sounds(r.Context(), list)
	if err != nil {
		return nil, err
	}
	fields := fieldsOf(p, choice{names: []string{"id", "name", "tags", "username", "license"}})
	out := make([]object, len(list))
	for i, rec := range list {
		var score any
		if q.Sort == query.ByRelevance {
			score = decimal(hits[rec.ID].Score)
		}
		out[i] = fields.of(append(sounds[i], member{"score", score}))
		if n := hits[rec.ID].FromPack; q.GroupByPack && n > 1 {
			more, err := f.moreFromPack(r, p, rec)
			if err != nil {
				return nil, err
			}
			out[i] = append(out[i], member{"n_from_same_pack", n}, member{"more_from_same_pack", more})
		}
	}
	return out, nil
}

// moreFromPack is the search that lists what grouping left out.
func (f *Face) moreFromPack(r *http.Request, p params, rec recordings.Recording) (string, error) {
	pack, err := f.Recordings.PackByID(r.Context(), f.Recordings.DB, rec.PackID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return "", err
	}
	name := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%25").Replace(pack.Name)
	filter := fmt.Sprintf(`pack_grouping:"%d_%s"`, rec.PackID, name)
	if was, given := p.get("filter"); given {
		filter = "(" + was + ") " + filter
	}
	p = p.without("token", "page").with("filter", filter).with("group_by_pack", "0")
	return f.at("%s?%s", searchPath, p.encode()), nil
}
