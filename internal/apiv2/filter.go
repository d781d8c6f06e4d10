package apiv2

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
)

// maxCandidates bounds the sounds that are looked at one by one: for fields that the index does not hold, and for targets.
const maxCandidates = query.MaxOffset

// tooMany refuses what would need to look at more.
func tooMany(n int) error {
	return web.Refuse(http.StatusBadRequest, "Search server error: this looks at each of %d sounds, and at most %d can be looked at; narrow the search by its other fields", n, maxCandidates)
}

// facts are what a sound is compared by outside of the index.
type facts struct {
	recordings.Figures
	echo     reactions.Echo
	measured map[string]any
	comments string
}

// factsOf reads the facts of several sounds.
func (f *Face) factsOf(ctx context.Context, ids []int64, withComments bool) (map[int64]facts, error) {
	figures, err := f.Recordings.FiguresOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]facts, len(figures))
	for part := range slices.Chunk(ids, 1000) { // engines bound the number of parameters
		echoes, err := f.Reactions.Echoes(ctx, part)
		if err != nil {
			return nil, err
		}
		texts := map[int64]string{}
		if withComments {
			if texts, err = f.Reactions.CommentTexts(ctx, part); err != nil {
				return nil, err
			}
		}
		for _, id := range part {
			g, ok := figures[id]
			if !ok {
				continue
			}
			values, err := measured(g)
			if err != nil {
				return nil, err
			}
			out[id] = facts{g, echoes[id], values, texts[id]}
		}
	}
	return out, nil
}

// number is the value of a field of numbers; ok is false when it is not known.
func (g facts) number(name string) (v float64, ok bool) {
	switch name {
	case "filesize":
		return float64(g.ByteSize), true
	case "bitrate":
		return float64(kilobits(g.ByteSize, g.Seconds)), true
	case "duration":
		return g.Seconds, true
	case "samplerate":
		return float64(g.SampleRate), true
	case "channels":
		return float64(g.Channels), true
	case "bitdepth":
		return float64(g.BitDepth), true
	case "num_downloads":
		return float64(g.Downloads), true
	case "num_ratings":
		return float64(g.echo.Ratings), true
	case "num_comments":
		return float64(g.echo.Comments), true
	case "avg_rating":
		return g.echo.Average(), true
	}
	switch v := g.measured[name].(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case decimal:
		return float64(v), true
	}
	return 0, false
}

// has tells whether a field that the index does not hold has a value, in lower case.
func (g facts) has(name, value string) bool {
	switch name {
	case "comment":
		words := query.Words(g.comments)
		return !slices.ContainsFunc(query.Words(value), func(w string) bool { return !slices.Contains(words, w) })
	case "gen_ai_preference":
		return genAI(g.AITraining) == value
	}
	switch v := g.measured[name].(type) {
	case string:
		return strings.ToLower(v) == value
	case bool:
		return strconv.FormatBool(v) == value
	}
	return false
}

// holds tells whether a condition on a field that the index does not hold is met.
func (g facts) holds(name string, leaf *query.Filter) bool {
	if leaf.Op == query.Span {
		v, ok := g.number(name)
		// Values are compared as the filter writes them: with the digits of float32.
		return ok && float32(v) >= float32(leaf.Low) && float32(v) <= float32(leaf.High)
	}
	return g.has(name, leaf.Value)
}

// settle puts conditions on ids in the place of those on fields that the index does not hold. It looks at each sound that the
// rest of the query allows.
func (f *Face) settle(ctx context.Context, q query.Query) (query.Query, error) {
	var err error
	q.Where, err = rewrite(q.Where, false, func(leaf *query.Filter, _ bool) (*query.Filter, error) {
		if name, _ := leaf.Field.Outside(); name != "md5" {
			return leaf, nil
		}
		list, err := f.Recordings.ByMD5(ctx, leaf.Value)
		return oneOf(list), err
	})
	if err != nil {
		return q, err
	}
	left, comments := 0, false
	wide, err := rewrite(q.Where, false, func(leaf *query.Filter, negated bool) (*query.Filter, error) {
		left++
		name, _ := leaf.Field.Outside()
		comments = comments || name == "comment"
		if negated {
			return query.Either(), nil
		}
		return query.All(), nil
	})
	if err != nil || left == 0 {
		return q, err
	}
	ids, err := f.candidates(query.Query{Text: q.Text, NumberIsID: q.NumberIsID, Where: wide})
	if err != nil {
		return q, err
	}
	known, err := f.factsOf(ctx, ids, comments)
	if err != nil {
		return q, err
	}
	q.Where, err = rewrite(q.Where, false, func(leaf *query.Filter, _ bool) (*query.Filter, error) {
		name, _ := leaf.Field.Outside()
		var list []int64
		for _, id := range ids {
			if g, ok := known[id]; ok && g.holds(name, leaf) {
				list = append(list, id)
			}
		}
		return oneOf(list), nil
	})
	return q, err
}

// candidates lists what a query finds, or refuses because that is too much.
func (f *Face) candidates(q query.Query) ([]int64, error) {
	ids, total, err := f.Search.Index().IDs(q, maxCandidates)
	var wrong *query.ValueError
	if errors.As(err, &wrong) {
		return nil, web.Refuse(http.StatusBadRequest, "%s", wrong.Text)
	}
	if err == nil && total > maxCandidates {
		err = tooMany(total)
	}
	return ids, err
}

func oneOf(ids []int64) *query.Filter {
	list := make([]*query.Filter, len(ids))
	for i, id := range ids {
		list[i] = query.Is(query.ID, strconv.FormatInt(id, 10))
	}
	return query.Either(list...)
}

// rewrite copies a condition with something else in the place of each leaf on a field that the index does not hold; negated
// tells whether a leaf stands under an odd number of Nots.
func rewrite(w *query.Filter, negated bool, leaf func(l *query.Filter, negated bool) (*query.Filter, error)) (*query.Filter, error) {
	if w == nil {
		return nil, nil // no condition at all
	}
	if _, outside := w.Field.Outside(); outside {
		return leaf(w, negated)
	}
	if len(w.Kids) == 0 {
		return w, nil
	}
	out := *w
	out.Kids = make([]*query.Filter, len(w.Kids))
	for i, k := range w.Kids {
		var err error
		if out.Kids[i], err = rewrite(k, negated != (w.Op == query.Not), leaf); err != nil {
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

// targetOf reads sort=field:value,field:value; ok is false for anything else, which is a sort by relevance.
func targetOf(sort string) (t target, ok bool) {
	for part := range strings.SplitSeq(sort, ",") {
		name, text, found := strings.Cut(strings.TrimSpace(part), ":")
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if !found || err != nil || math.IsNaN(v) || math.IsInf(v, 0) || !query.FreesoundNumber(name) {
			return nil, false
		}
		t = append(t, aim{name, v})
	}
	return t, true
}

// distance is the Euclidean distance of a sound to the target; one that lacks a coordinate is infinitely far.
func (t target) distance(g facts) float64 {
	sum := 0.0
	for _, a := range t {
		v, ok := g.number(a.field)
		if !ok {
			return math.Inf(1)
		}
		sum += (v - a.value) * (v - a.value)
	}
	return math.Sqrt(sum)
}
