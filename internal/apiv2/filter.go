package apiv2

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
)

// settle puts lists of recordings in the place of conditions on fields that the index does not hold: SQL knows those.
func (f *Face) settle(ctx context.Context, q query.Query) (query.Query, error) {
	var err error
	q.Where, err = rewrite(q.Where, func(leaf *query.Filter) (*query.Filter, error) {
		name, _ := leaf.Field.Outside()
		switch name {
		case "num_ratings":
			return f.counted(ctx, leaf, func(e reactions.Echo) int64 { return e.Ratings })
		case "num_comments":
			return f.counted(ctx, leaf, func(e reactions.Echo) int64 { return e.Comments })
		}
		list, err := f.where(ctx, name, leaf)
		return query.OneOf(list), err
	})
	return q, err
}

// where lists the recordings for which a condition on a field that the index does not hold is met.
func (f *Face) where(ctx context.Context, name string, leaf *query.Filter) ([]int64, error) {
	switch {
	case name == "md5":
		return f.Recordings.ByMD5(ctx, leaf.Value)
	case name == "geotag":
		return f.Recordings.Placed(ctx, areaOf(leaf.Value))
	case name == "comment":
		words := query.Words(leaf.Value)
		if len(words) == 0 {
			return nil, nil // a text without a word is nowhere
		}
		return f.Reactions.Mentioned(ctx, words, query.Words)
	case name == "gen_ai_preference":
		for _, training := range []string{"yes", "no"} {
			if genAI(training) == leaf.Value {
				return f.Recordings.Marked(ctx, "ai_training", training)
			}
		}
		return nil, nil
	case leaf.Op == query.Span:
		return f.Recordings.Between(ctx, name, leaf.Low, leaf.High)
	}
	return f.Recordings.Marked(ctx, name, leaf.Value)
}

// areaOf reads an area as a filter writes it: everywhere, within kilometers of a point, or between corners.
func areaOf(value string) recordings.Area {
	var n []float64
	for part := range strings.SplitSeq(value, ",") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil {
			break // "*"
		}
		n = append(n, v)
	}
	switch len(n) {
	case 3:
		return recordings.Around(n[0], n[1], n[2])
	case 4:
		return recordings.Area{South: n[0], West: n[1], North: n[2], East: n[3]}
	}
	return recordings.Area{South: -90, West: -180, North: 90, East: 180}
}

// counted is a condition on how often people reacted. Most recordings have none, so that those are listed that are to be left out where none is enough.
func (f *Face) counted(ctx context.Context, leaf *query.Filter, of func(reactions.Echo) int64) (*query.Filter, error) {
	within := func(n int64) bool { return float64(n) >= leaf.Low && float64(n) <= leaf.High }
	var list []int64
	err := f.Reactions.EachEcho(ctx, func(id int64, e reactions.Echo) {
		if within(of(e)) != within(0) {
			list = append(list, id)
		}
	})
	if within(0) {
		return query.Except(query.OneOf(list)), err
	}
	return query.OneOf(list), err
}

// rewrite copies a condition with something else in the place of each leaf on a field that the index does not hold.
func rewrite(w *query.Filter, leaf func(l *query.Filter) (*query.Filter, error)) (*query.Filter, error) {
	if w == nil {
		return nil, nil // no condition at all
	}
	if _, outside := w.Field.Outside(); outside {
		return leaf(w)
	}
	if len(w.Kids) == 0 {
		return w, nil
	}
	out := *w
	out.Kids = make([]*query.Filter, len(w.Kids))
	for i, k := range w.Kids {
		var err error
		if out.Kids[i], err = rewrite(k, leaf); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

// target is a point that sounds are ordered by their distance to.
type target []aim

// aim is one coordinate of a target.
type aim struct {
	field string
	value float64
}

// maxAims is how many coordinates a target has at most: there are about sixty fields to aim at.
const maxAims = 100

// targetOf reads sort=field:value,field:value; ok is false for anything else, which is a sort by relevance.
func targetOf(sort string) (t target, ok bool) {
	for part := range strings.SplitSeq(sort, ",") {
		name, text, found := strings.Cut(strings.TrimSpace(part), ":")
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if !found || err != nil || math.IsNaN(v) || math.IsInf(v, 0) || !query.FreesoundNumber(name) || len(t) == maxAims {
			return nil, false
		}
		t = append(t, aim{name, v})
	}
	return t, true
}

// away is a recording and its distance to a target.
type away struct {
	id, published int64
	far           float64
}

// distances tells how far recordings are from the target, the nearest first and the newest of those that are as far. One that lacks a
// coordinate is infinitely far.
func (f *Face) distances(ctx context.Context, t target, ids []int64) ([]away, error) {
	slices.Sort(ids)
	echoes := map[int64]reactions.Echo{}
	names := make([]string, len(t))
	for i, a := range t {
		names[i] = a.field
		if len(echoes) == 0 && slices.Contains([]string{"num_ratings", "num_comments", "avg_rating"}, a.field) {
			if err := f.Reactions.EachEcho(ctx, func(id int64, e reactions.Echo) { echoes[id] = e }); err != nil {
				return nil, err
			}
		}
	}
	out := make([]away, 0, len(ids))
	err := f.Recordings.EachFigure(ctx, names, func(id, published int64, values []float64) {
		if _, asked := slices.BinarySearch(ids, id); !asked {
			return
		}
		sum := 0.0
		for i, a := range t {
			v := values[i]
			switch e := echoes[id]; a.field {
			case "num_ratings":
				v = float64(e.Ratings)
			case "num_comments":
				v = float64(e.Comments)
			case "avg_rating":
				v = e.Average()
			}
			sum += (v - a.value) * (v - a.value)
		}
		if math.IsNaN(sum) {
			sum = math.Inf(1)
		}
		out = append(out, away{id, published, math.Sqrt(sum)})
	})
	slices.SortFunc(out, func(a, b away) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(b.published, a.published), cmp.Compare(a.id, b.id))
	})
	return out, err
}
