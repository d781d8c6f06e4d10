package index_test

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// demoCatalog is the demo's catalog, whose table cmd/audiomicro keeps, as the index holds it.
func demoCatalog(t *testing.T) []index.Document {
	t.Helper()
	f, err := os.Open("testdata/demo.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var docs []index.Document
	for i, r := range rows[1:] {
		docs = append(docs, index.Document{
			ID: int64(i + 1), Contributor: r[0], Title: r[1], Description: r[2], Tags: strings.Fields(r[3]), Category: r[4], Pack: r[5], Licenses: []string{r[6]},
		})
	}
	return docs
}

// judged is one query with what it should find.
type judged struct {
	text   string
	grades map[int64]int // by recording
}

// judgments reads the grades; each line must fit a title.
func judgments(t *testing.T, docs []index.Document) []judged {
	t.Helper()
	text, err := os.ReadFile("testdata/grades.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []judged
	for n, line := range strings.Split(string(text), "\n") {
		mark, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch mark {
		case "", "#":
			continue
		case "?":
			list = append(list, judged{rest, map[int64]int{}})
			continue
		}
		grade, err := strconv.Atoi(mark)
		begin, many := strings.CutSuffix(rest, "*")
		fits := 0
		for _, d := range docs {
			if d.Title == rest || many && strings.HasPrefix(d.Title, begin) {
				fits++
				if g := list[len(list)-1].grades; g[d.ID] == 0 { // the first line counts: the exact one stands before the wide one
					g[d.ID] = grade
				}
			}
		}
		if err != nil || fits == 0 {
			t.Fatalf("grades.txt line %d fits no title: %q", n+1, line)
		}
	}
	return list
}

// ndcg is the normalized discounted cumulative gain of the first ten (Järvelin and Kekäläinen, 2002; gain 2^grade-1).
func ndcg(hits []index.Hit, grades map[int64]int) float64 {
	gain := func(grade, place int) float64 { return (math.Exp2(float64(grade)) - 1) / math.Log2(float64(place+2)) }
	got, best := 0.0, 0.0
	for i, h := range hits[:min(len(hits), 10)] {
		got += gain(grades[h.ID], i)
	}
	var ideal []int
	for _, g := range grades {
		ideal = append(ideal, g)
	}
	slices.SortFunc(ideal, func(a, b int) int { return b - a })
	for i, g := range ideal[:min(len(ideal), 10)] {
		best += gain(g, i)
	}
	return got / best
}

// TestJudgedRelevance searches the demo's catalog for what people would type and compares with the grades that were written down
// before relevance was tuned.
func TestJudgedRelevance(t *testing.T) {
	t.Parallel()
	docs := demoCatalog(t)
	ix := filled(t, docs...)
	synonyms, err := query.ParseSynonyms(query.ShippedSynonyms())
	if err != nil {
		t.Fatal(err)
	}
	ix.SetSynonyms(synonyms)
	list := judgments(t, docs)
	if len(list) != 40 {
		t.Fatalf("%d queries are judged", len(list))
	}
	sum := 0.0
	for _, j := range list {
		r := search(t, ix, query.Query{Text: j.text, SomeWords: true})
		one := ndcg(r.Hits, j.grades)
		sum += one
		t.Logf("%.3f  %s (%d hits, also %q, only some words: %v)", one, j.text, r.Total, r.Also, r.Some)
	}
	mean := sum / float64(len(list))
	t.Logf("NDCG@10 %.3f", mean)
	if mean < .85 {
		t.Errorf("NDCG@10 is %.3f, below 0.85", mean)
	}
}
