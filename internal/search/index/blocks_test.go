package index_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// scoredDocs are recordings with nothing but what relevance is made of.
type scoredDocs map[int64]index.Document

// bm25f is the relevance of a recording for words that are given as their forms, the word as typed first ("" where nothing has it), computed
// as the literature writes it down.
func (ds scoredDocs) bm25f(d index.Document, words [][]string, means [2]float64, counts map[string]int) float64 {
	const k1, exactForm = 1.6, .2
	n := float64(len(ds))
	score := .05 * math.Log1p(float64(d.Downloads))
	idf := func(forms []string) float64 {
		df := 0.0
		for _, f := range forms {
			df += float64(counts[f])
		}
		df = min(df, n)
		return math.Log1p((n - df + .5) / (df + .5))
	}
	saturated := func(forms []string) float64 {
		title := strings.Fields(d.Title)
		t := 0.0
		for _, f := range forms {
			inTitle, inTags := 0, 0
			for _, w := range title {
				if w == f {
					inTitle++
				}
			}
			for _, w := range d.Tags {
				if w == f {
					inTags++
				}
			}
			t += 4 * float64(min(inTitle, 3)) / (.6 + .4*float64(len(title))/means[0])
			t += 4 * float64(min(inTags, 3)) / (.7 + .3*float64(2*len(d.Tags)-1)/means[1]) // a gap between two tags counts as a word
		}
		return t * (k1 + 1) / (k1 + t)
	}
	for _, forms := range words {
		score += idf(forms) * saturated(forms)
		if typed := forms[:1]; counts[typed[0]] > 0 {
			score += exactForm * idf(typed) * saturated(typed)
		}
	}
	return score
}

// TestScoresOfManyBlocks compares relevance with the formula where a catalog is so large that it is scored block by block, for many hits and
// few, for words, prefixes and both, after changes.
func TestScoresOfManyBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	ra := []string{"rain", "raining", "rains", "raft", "ramp", "rasp", "rattle", "razor"}
	others := []string{"hum", "clack", "drip", "thud", "whoosh", "buzz"}
	document := func(id int64) index.Document {
		d := index.Document{ID: id, Downloads: int64(math.Exp(r.Float64() * 9)), Seconds: 1, PublishedAt: id, PriceMinor: -1}
		var title []string
		for range 1 + r.IntN(4) {
			if r.IntN(3) == 0 {
				title = append(title, ra[min(r.IntN(len(ra)), r.IntN(len(ra)))])
			} else {
				title = append(title, others[r.IntN(len(others))])
			}
		}
		if id%2500 == 0 {
			title = append(title, "zither")
		}
		if id%50 == 0 {
			title = append(title, "gong")
		}
		d.Title = strings.Join(title, " ")
		d.Tags = []string{others[r.IntN(len(others))], "t" + strconv.Itoa(r.IntN(5000))}
		if r.IntN(9) == 0 {
			d.Tags = append(d.Tags, "rain")
		}
		return d
	}
	const n = 3*65536 - 1000
	docs, next := scoredDocs{}, int64(0)
	ix := index.New(index.Config{})
	err := ix.PutAll(func() (index.Document, bool) {
		if next++; next > n {
			return index.Document{}, false
		}
		docs[next] = document(next)
		return docs[next], true
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 500 { // postings that were packed together part, shrink and grow
		id := 1 + r.Int64N(n)
		if r.IntN(3) == 0 {
			ix.Delete(id)
			delete(docs, id)
			continue
		}
		docs[id] = document(id)
		if err := ix.Put(docs[id]); err != nil {
			t.Fatal(err)
		}
	}
	counts, means := map[string]int{}, [2]float64{}
	for _, d := range docs {
		title := strings.Fields(d.Title)
		means[0] += float64(len(title)) / float64(len(docs))
		means[1] += float64(2*len(d.Tags)-1) / float64(len(docs))
		words := slices.Concat(title, d.Tags)
		slices.Sort(words)
		for _, w := range slices.Compact(words) {
			counts[w]++
		}
	}
	rain, prefixed := []string{"rain", "raining", "rains"}, append([]string{""}, ra...)
	for _, c := range []struct {
		text   string
		prefix bool
		words  [][]string
	}{
		{"rain", false, [][]string{rain}},
		{"raining", false, [][]string{{"raining", "rain", "rains"}}},
		{"rain hum", false, [][]string{rain, {"hum"}}},
		{"ra", true, [][]string{prefixed}},
		{"hum ra", true, [][]string{{"hum"}, prefixed}},
		{"gong ra", true, [][]string{{"gong"}, prefixed}},
		{"zither rain", false, [][]string{{"zither"}, rain}},
		{"zither ra", true, [][]string{{"zither"}, prefixed}},
	} {
		type hit struct {
			id    int64
			score float64
		}
		var want []hit
		for id, d := range docs {
			fits := !slices.ContainsFunc(c.words, func(forms []string) bool {
				return !slices.ContainsFunc(forms, func(f string) bool {
					return slices.Contains(strings.Fields(d.Title), f) || slices.Contains(d.Tags, f)
				})
			})
			if fits {
				want = append(want, hit{id, docs.bm25f(d, c.words, means, counts)})
			}
		}
		slices.SortFunc(want, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
		got, err := ix.Search(query.Query{Text: c.text, Prefix: c.prefix, Limit: 50})
		if err != nil || got.Total != len(want) || len(got.Hits) != min(50, len(want)) {
			t.Fatalf("%q: %d hits, %d on the page, want %d, %v", c.text, got.Total, len(got.Hits), len(want), err)
		}
		for i, h := range got.Hits {
			own := docs.bm25f(docs[h.ID], c.words, means, counts)
			if math.Abs(h.Score-own) > 1e-4*own || math.Abs(h.Score-want[i].score) > 1e-4*own {
				t.Fatalf("%q: hit %d is recording %d with %.6f, by the formula %.6f, and the hit there %.6f", c.text, i, h.ID, h.Score, own, want[i].score)
			}
		}
	}
}

// TestManySampleRates has more values in a dictionary with few than a byte counts.
func TestManySampleRates(t *testing.T) {
	ix := index.New(index.Config{})
	document := func(id int64, rate int) index.Document {
		return index.Document{ID: id, Title: "tone", SampleRate: rate, Seconds: 1, PublishedAt: id, PriceMinor: -1}
	}
	want := map[string]int{}
	put := func(id int64, rate int) {
		if err := ix.Put(document(id, rate)); err != nil {
			t.Fatal(err)
		}
	}
	for id := range int64(600) {
		put(id+1, 8000+int(id)%400)
	}
	for id := int64(1); id <= 600; id += 7 { // from what fits a byte to what does not, and back
		put(id, 8000+int(id*131)%400)
	}
	ix.Delete(599)
	for id := int64(1); id <= 600; id++ {
		rate := 8000 + int(id-1)%400
		if (id-1)%7 == 0 {
			rate = 8000 + int(id*131)%400
		}
		if id != 599 {
			want[strconv.Itoa(rate)]++
		}
	}
	put(1000, 44100) // so that not all are found
	if err := ix.Put(index.Document{ID: 1001, Title: "noise", SampleRate: 8399, Seconds: 1, PublishedAt: 1, PriceMinor: -1}); err != nil {
		t.Fatal(err)
	}
	want["44100"] = 1
	var file bytes.Buffer
	if err := ix.Save(&file); err != nil {
		t.Fatal(err)
	}
	loaded, err := index.Load(&file, index.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, ix := range map[string]*index.Index{"made": ix, "loaded": loaded} {
		r, err := ix.Search(query.Query{Text: "tone"}, query.Rate, query.Type)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, row := range r.Facets.Of(query.Rate).Rows {
			if row.Count > 0 {
				got[row.Value] = row.Count
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
