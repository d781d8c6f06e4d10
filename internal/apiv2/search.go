package apiv2

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
)

// searchPath is the address of searches in links, whichever alias was asked.
const searchPath = "/apiv2/search/"

// found is a page of sounds with what is said of each beside its fields.
type found struct {
	total int
	hits  []index.Hit
	far   map[int64]float64 // distance to the target, when there is one
}

// search lists the published recordings that query, filter and sort ask for, or that sound like something.
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
	if err := f.Search.NotReady(); err != nil {
		return err
	}
	if q, err = f.settle(r.Context(), q); err != nil {
		return err
	}
	var res found
	like := value(p, "similar_to")
	t, aimed := targetOf(value(p, "sort"))
	switch {
	case like != "":
		res, err = f.findLike(r, p, q, like)
	case aimed:
		res, err = f.findNear(r, q, t)
	default:
		res, err = f.find(q)
	}
	if err != nil {
		return err
	}
	if res.total > 0 && win.offset() >= res.total {
		return web.NotFound()
	}
	results, err := f.results(r, p, q, res)
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, f.list(searchPath, p, win, res.total, results))
}

// knownSpace refuses to compare sounds in a space that is not computed here.
func knownSpace(p params) error {
	if v := value(p, "similarity_space"); v != "" && v != spaceName {
		return web.Refuse(http.StatusBadRequest, "The 'similarity_space' parameter is not valid: this site compares sounds in the space '%s'.", spaceName)
	}
	return nil
}

// findLike finds what sounds like a recording, named by its id, or like a vector, among what q allows.
func (f *Face) findLike(r *http.Request, p params, q query.Query, like string) (found, error) {
	if err := knownSpace(p); err != nil {
		return found{}, err
	}
	parsed, err := query.Parse(q.Text, false)
	if err != nil {
		return found{}, refused(err)
	}
	where := query.All(parsed.Where, q.Where)
	var hits []index.Hit
	if strings.Contains(like, ",") && !strings.HasPrefix(like, "[") {
		like = "[" + like + "]" // a client leaves the brackets out
	}
	if strings.HasPrefix(like, "[") {
		var vector []float32
		if err := json.Unmarshal([]byte(like), &vector); err != nil || !f.Search.Index().Fits(vector) {
			return found{}, web.Refuse(http.StatusBadRequest, "The 'similar_to' parameter is not a valid serialized vector")
		}
		hits = f.Search.Index().Like(vector, query.MaxOffset, where)
	} else {
		id, err := strconv.ParseInt(like, 10, 64)
		known := err == nil
		if known {
			hits, known = f.Search.Index().Similar(id, query.MaxOffset, where)
		}
		if !known {
			return found{}, web.Refuse(http.StatusBadRequest, "The 'similar_to' parameter is not a valid sound ID")
		}
	}
	return found{total: len(hits), hits: pageOfHits(q, hits)}, nil
}

func pageOfHits(q query.Query, hits []index.Hit) []index.Hit {
	offset, limit := q.Window()
	offset = min(offset, len(hits))
	return hits[offset:min(offset+limit, len(hits))]
}

// findNear finds what q asks for, the nearest to the target first. Sounds that lack one of its coordinates come last.
func (f *Face) findNear(r *http.Request, q query.Query, t target) (found, error) {
	ids, total, err := f.Search.Index().IDs(q, math.MaxInt)
	if err != nil {
		return found{}, refused(err)
	}
	all, err := f.distances(r.Context(), t, ids)
	if err != nil {
		return found{}, err
	}
	res := found{total: total, far: map[int64]float64{}}
	offset, limit := q.Window()
	for _, a := range all[min(offset, len(all)):min(offset+limit, len(all))] {
		res.far[a.id] = a.far
		res.hits = append(res.hits, index.Hit{ID: a.id, FromPack: 1})
	}
	return res, nil
}

// queryOf reads what is searched for.
func (f *Face) queryOf(p params) (query.Query, error) {
	q := query.Query{NumberIsID: true, AsTyped: true, Sort: query.ByRelevance}
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
	q.Weights = weightsOf(value(p, "weights"))
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

// weightsOf reads weights=name:4,tag:2; what is malformed is no weights at all.
func weightsOf(text string) map[query.Field]float64 {
	fields := map[string]query.Field{"name": query.Title, "tag": query.TagWord, "description": query.Description, "username": query.ByWord, "pack": query.PackWord, "pack_name": query.PackWord}
	out := map[query.Field]float64{}
	for part := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), ":")
		v, err := strconv.Atoi(number)
		field, known := fields[name]
		switch {
		case err != nil || v < 0 || v > 1000 || !known && name != "id":
			return nil
		case known:
			out[field] = float64(v)
		}
	}
	return out
}

func value(p params, key string) string {
	v, _ := p.get(key)
	return strings.TrimSpace(v)
}

// refused turns an error about a text into the API's answer.
func refused(err error) error {
	var wrong *query.ValueError
	if errors.As(err, &wrong) {
		return web.Refuse(http.StatusBadRequest, "%s", wrong.Text)
	}
	return err
}

// find searches. A query that is one phrase and is nowhere is tried again as words: a client puts quotes around whatever is
// typed.
func (f *Face) find(q query.Query) (found, error) {
	res, err := f.Search.Index().Search(q)
	if inner, ok := phrase(q.Text); ok && err == nil && res.Total == 0 {
		q.Text = inner
		res, err = f.Search.Index().Search(q)
	}
	return found{total: res.Total, hits: res.Hits}, refused(err)
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
func (f *Face) results(r *http.Request, p params, q query.Query, res found) ([]object, error) {
	ids := make([]int64, len(res.hits))
	hits := map[int64]index.Hit{}
	for i, h := range res.hits {
		ids[i], hits[h.ID] = h.ID, h
	}
	list, err := f.publishedOf(r, ids)
	if err != nil {
		return nil, err
	}
	fields := fieldsOf(p, byList())
	out, err := f.sounds(r.Context(), list, fields)
	if err != nil {
		return nil, err
	}
	for i, rec := range list {
		if fields.all || slices.Contains(fields.names, "score") {
			var score any
			if res.far == nil && q.Sort == query.ByRelevance {
				score = decimal(hits[rec.ID].Score)
			}
			out[i] = append(out[i], member{"score", score})
		}
		if far, ok := res.far[rec.ID]; ok {
			var distance any
			if !math.IsInf(far, 0) {
				distance = decimal(far)
			}
			out[i] = append(out[i], member{"distance_to_target", distance})
		}
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
