package index_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

func filled(t testing.TB, docs ...index.Document) *index.Index {
	t.Helper()
	ix := index.New(index.Config{VectorDims: 3})
	for _, d := range docs {
		if err := ix.Put(d); err != nil {
			t.Fatal(err)
		}
	}
	return ix
}

func ids(hits []index.Hit) []int64 {
	out := []int64{}
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

func search(t testing.TB, ix *index.Index, q query.Query, facets ...query.Field) index.Result {
	t.Helper()
	r, err := ix.Search(q, facets...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRelevance states what a listener would expect to stand first.
func TestRelevance(t *testing.T) {
	t.Parallel()
	filler := func(id int64) index.Document {
		return index.Document{ID: id, Title: fmt.Sprintf("Street %d", id), Description: "cars passing by in the afternoon", Tags: []string{"city"}}
	}
	docs := []index.Document{
		{ID: 1, Title: "Rain", Description: "On a tin roof", Tags: []string{"rain", "weather"}},
		{ID: 2, Title: "Garden at night", Description: "Crickets, and some rain far away", Tags: []string{"night"}},
		{ID: 3, Title: "Raining hard", Description: "Storm", Tags: []string{"weather"}},
		{ID: 4, Title: "Rain", Description: strings.Repeat("Long talk about microphones and trees. ", 40), Tags: []string{"microphone"}},
		{ID: 5, Title: "Thunder", Contributor: "rain", Tags: []string{"storm"}},
		{ID: 6, Title: "Oak door, slow creak", Tags: []string{"door", "creak"}},
		{ID: 7, Title: "Creak of a metal gate", Description: "not the door", Tags: []string{"gate"}},
	}
	for id := int64(100); id < 160; id++ {
		docs = append(docs, filler(id))
	}
	ix := filled(t, docs...)
	for _, c := range []struct {
		text string
		want []int64
	}{
		{"rain", []int64{1, 4, 3, 2, 5}}, // tag and title, title, another form in the title, description, contributor
		{"raining", []int64{3, 1, 4, 2, 5}},
		{`"raining"`, []int64{3}},
		{"door creak", []int64{6, 7}},
		{"creak of the door", []int64{6, 7}}, // stop words ask for nothing
		{`"oak door"`, []int64{6}},
		{`"door oak"`, []int64{}},
		{"rain -thunder -night", []int64{1, 4, 3}},
		{"by:rain", []int64{5}},
		{"the not", []int64{7}},
	} {
		got := search(t, ix, query.Query{Text: c.text})
		if !slices.Equal(ids(got.Hits), c.want) {
			t.Errorf("%q finds %v, want %v", c.text, ids(got.Hits), c.want)
		}
		for i := 1; i < len(got.Hits); i++ {
			if got.Hits[i].Score > got.Hits[i-1].Score {
				t.Errorf("%q: score rises at hit %d", c.text, i)
			}
		}
	}
}

// TestPopularBreaksTies: of equal matches the one downloaded more stands first, and without words the newest of equals.
func TestPopularBreaksTies(t *testing.T) {
	t.Parallel()
	ix := filled(t,
		index.Document{ID: 1, Title: "Bell", PublishedAt: 5}, index.Document{ID: 2, Title: "Bell", Downloads: 400, PublishedAt: 1},
		index.Document{ID: 3, Title: "Bell", PublishedAt: 9}, index.Document{ID: 4, Title: "Bell", PublishedAt: 9})
	for _, text := range []string{"bell", ""} {
		if got := ids(search(t, ix, query.Query{Text: text}).Hits); !slices.Equal(got, []int64{2, 4, 3, 1}) {
			t.Errorf("%q gives %v", text, got)
		}
	}
}

func TestAsYouType(t *testing.T) {
	t.Parallel()
	ix := filled(t,
		index.Document{ID: 1, Title: "Footsteps on gravel", Tags: []string{"footsteps", "Field Recording"}, Downloads: 3},
		index.Document{ID: 2, Title: "Footstep", Tags: []string{"foley", "field-recording"}, Downloads: 9},
		index.Document{ID: 3, Title: "Fountain", Tags: []string{"water", "footsteps"}})
	for _, c := range []struct {
		text   string
		prefix bool
		want   []int64
	}{
		{"foots", true, []int64{1, 2, 3}}, {"foots", false, []int64{}}, {"footsteps", true, []int64{1, 2, 3}},
		{"foots ", true, []int64{}}, // the blank says that the word is finished
		{"footsteps grav", true, []int64{1}}, {"foot*", false, []int64{1, 2, 3}}, {"title:foun*", false, []int64{3}},
	} {
		got := ids(search(t, ix, query.Query{Text: c.text, Prefix: c.prefix}).Hits)
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%q (prefix %v) finds %v, want %v", c.text, c.prefix, got, c.want)
		}
	}
	for _, c := range []struct {
		prefix string
		want   []index.Suggestion
	}{
		{"foo", []index.Suggestion{{Text: "footsteps", Tag: true, Count: 2}, {Text: "footstep", Count: 1, ID: 2}, {Text: "footsteps on gravel", Count: 1, ID: 1}}},
		{"Field r", []index.Suggestion{{Text: "field-recording", Tag: true, Count: 2}}},
		{"gravel foot", []index.Suggestion{{Text: "footsteps on gravel", Count: 1, ID: 1}}},
		{"zz", nil}, {"", nil}, {"--", nil},
	} {
		if got := ix.Suggest(c.prefix, 3); !slices.Equal(got, c.want) {
			t.Errorf("Suggest(%q) = %v, want %v", c.prefix, got, c.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	ix := filled(t, index.Document{ID: 1, Title: "Thunder over the lake", Category: "fx-n"}, index.Document{ID: 2, Title: "Rain"},
		index.Document{ID: 3, Title: "Rails"})
	for text, want := range map[string]string{
		"thunde": "thunder", "thnuder lake": "thunder lake", "lake thunderr": "lake thunder", "tqunder": "thunder", "rian": "rain",
		"thunder": "", "thxxnder": "", "thunder rain": "", "raix lake": "", "": "",
	} {
		if got := search(t, ix, query.Query{Text: text}).DidYouMean; got != want {
			t.Errorf("%q: did you mean %q, want %q", text, got, want)
		}
	}
	if got := search(t, ix, query.Query{Text: "thunde"}.With(query.Category, "m-m")).DidYouMean; got != "" {
		t.Errorf("suggests %q, which the chosen category does not have", got)
	}
}

func TestGroupByPack(t *testing.T) {
	t.Parallel()
	ix := filled(t,
		index.Document{ID: 1, Title: "Kick", PackID: 7, Pack: "Drums", Downloads: 5}, index.Document{ID: 2, Title: "Kick", PackID: 7, Pack: "Drums", Downloads: 9},
		index.Document{ID: 3, Title: "Kick", Downloads: 1}, index.Document{ID: 4, Title: "Kick", Downloads: 2},
		index.Document{ID: 5, Title: "Kick", PackID: 8, Pack: "More", Downloads: 3}, index.Document{ID: 6, Title: "Kick", PackID: 7, Pack: "Drums", Downloads: 7})
	q := query.Query{Text: "kick", Sort: query.ByDownloads, GroupByPack: true, Limit: 3}
	got := search(t, ix, q, query.Pack)
	if want := []index.Hit{{ID: 2, FromPack: 3}, {ID: 5, FromPack: 1}, {ID: 4, FromPack: 1}}; got.Total != 4 || !slices.Equal(got.Hits, want) {
		t.Errorf("page 1 of %d: %v, want %v", got.Total, got.Hits, want)
	}
	if rows := got.Facets.Of(query.Pack).Rows; len(rows) != 2 || rows[0].Label != "Drums" || rows[0].Value != "drums" || rows[0].Count != 3 {
		t.Errorf("pack facet is %v", rows)
	}
	q.Page = 2
	if got := search(t, ix, q); !slices.Equal(ids(got.Hits), []int64{3}) {
		t.Errorf("page 2: %v", got.Hits)
	}
}

// TestZeroRowsStay: a search changes counts, never which rows of a small facet there are, nor their order.
func TestZeroRowsStay(t *testing.T) {
	t.Parallel()
	ix := filled(t,
		index.Document{ID: 1, Title: "Rain", Category: "ss-n", Licenses: []string{"cc0"}, Free: true},
		index.Document{ID: 2, Title: "Kick", Category: "is-p", Licenses: []string{"standard"}, PriceMinor: 300},
		index.Document{ID: 3, Title: "Snare", Category: "is-p", Licenses: []string{"standard", "broadcast"}, PriceMinor: 301})
	values := func(q query.Query, f query.Field) (out []string) {
		for _, r := range search(t, ix, q, f).Facets.Of(f).Rows {
			out = append(out, fmt.Sprintf("%s %d", r.Value, r.Count))
		}
		return out
	}
	for _, c := range []struct {
		q     query.Query
		field query.Field
		want  []string
	}{
		{query.Query{}, query.License, []string{"standard 2", "broadcast 1", "cc0 1"}},
		{query.Query{Text: "rain"}, query.License, []string{"standard 0", "broadcast 0", "cc0 1"}},
		{query.Query{}.With(query.License, "cc0"), query.License, []string{"standard 2", "broadcast 1", "cc0 1"}},
		{query.Query{}.With(query.License, "cc0"), query.Price, []string{"free 1", "low 0", "high 0"}},
		{query.Query{}, query.Price, []string{"free 1", "low 1", "high 1"}},
		{query.Query{Text: "kick"}, query.Category, []string{"is 1", "is-p 1", "ss 0", "ss-n 0"}},
		{query.Query{}.With(query.Category, "fx-a"), query.Category, []string{"is 2", "is-p 2", "ss 1", "ss-n 1", "fx-a 0"}},
		{query.Query{}.With(query.Tag, "nothing"), query.Tag, []string{"nothing 0"}},
	} {
		if got := values(c.q, c.field); !slices.Equal(got, c.want) {
			t.Errorf("%q %v: %s rows %q, want %q", c.q.Text, c.q.Chips(), c.field, got, c.want)
		}
	}
}

func TestSimilar(t *testing.T) {
	t.Parallel()
	ix := filled(t,
		index.Document{ID: 1, Vector: []float32{1, 0, 0}, Type: "wav"}, index.Document{ID: 2, Vector: []float32{.9, .1, 0}, Type: "flac"},
		index.Document{ID: 3, Vector: []float32{0, 1, 0}, Type: "wav"}, index.Document{ID: 4, Vector: []float32{-1, 0, 0}, Type: "wav"},
		index.Document{ID: 5, Type: "wav"}, index.Document{ID: 6, Vector: []float32{0, 0, 0}}, index.Document{ID: 7, Vector: []float32{float32(math.NaN()), 1, 1}})
	hits, known := ix.Similar(1, 10, nil)
	if !known || !slices.Equal(ids(hits), []int64{2, 3, 4}) {
		t.Errorf("similar to 1: %v %v", ids(hits), known)
	}
	if math.Abs(hits[0].Score-.9939) > .01 || math.Abs(hits[2].Score+1) > .01 {
		t.Errorf("cosines %v", hits)
	}
	if hits, _ := ix.Similar(1, 1, query.Is(query.Type, "wav")); !slices.Equal(ids(hits), []int64{3}) {
		t.Errorf("similar wav to 1: %v", ids(hits))
	}
	if got := ids(ix.Like([]float32{0, 5, 1}, 1, nil)); !slices.Equal(got, []int64{3}) {
		t.Errorf("like a vector: %v", got)
	}
	for _, id := range []int64{5, 6, 7, 99} {
		if _, known := ix.Similar(id, 5, nil); known {
			t.Errorf("%d has no vector, but is known", id)
		}
	}
	if got := ix.Like([]float32{1, 2}, 5, nil); got != nil {
		t.Errorf("a vector of another length is like %v", got)
	}
	ix.Delete(2)
	if hits, _ := ix.Similar(1, 10, nil); !slices.Equal(ids(hits), []int64{3, 4}) {
		t.Errorf("after deletion: %v", ids(hits))
	}
}

// TestSimilarIsNearExact: int8 finds nearly the neighbors that float64 does, on vectors without any structure, the hardest.
func TestSimilarIsNearExact(t *testing.T) {
	t.Parallel()
	ix, vectors := index.New(index.Config{}), map[int64][]float32{}
	next := index.Synthetic(2000, 3)
	for d, ok := next(); ok; d, ok = next() {
		vectors[d.ID] = d.Vector
		if err := ix.Put(d); err != nil {
			t.Fatal(err)
		}
	}
	cosine := func(a, b []float32) float64 {
		var ab, aa, bb float64
		for i := range a {
			ab, aa, bb = ab+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
		}
		return ab / math.Sqrt(aa*bb)
	}
	found := 0
	for id := int64(1); id <= 50; id++ {
		var exact []int64
		to := map[int64]float64{}
		for other, v := range vectors {
			if other != id {
				exact, to[other] = append(exact, other), cosine(vectors[id], v)
			}
		}
		slices.SortFunc(exact, func(a, b int64) int { return cmp.Compare(to[b], to[a]) })
		hits, _ := ix.Similar(id, 10, nil)
		for _, h := range hits {
			if math.Abs(h.Score-to[h.ID]) > .01 {
				t.Errorf("%d to %d: cosine %v", id, h.ID, h.Score)
			}
			if slices.Contains(exact[:10], h.ID) {
				found++
			}
		}
	}
	if found < 475 { // recall@10 of 0.95
		t.Errorf("found %d of 500 nearest", found)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	ix := filled(t, index.Document{ID: 1, Title: "Rain"})
	for _, d := range []index.Document{{ID: 0}, {ID: -4}, {ID: 1, Vector: []float32{1}}} {
		if err := ix.Put(d); !errors.Is(err, index.ErrDocument) {
			t.Errorf("Put(%+v) = %v", d, err)
		}
	}
	if got := search(t, ix, query.Query{Text: "rain"}); got.Total != 1 {
		t.Errorf("a refused Put changed the index: %d hits", got.Total)
	}
	var bad *query.ValueError
	if _, err := ix.Search(query.Query{Text: strings.Repeat("a", 1001)}); !errors.As(err, &bad) {
		t.Errorf("a long text gives %v", err)
	}
	if got := search(t, ix, query.Query{Page: 1 << 40, Limit: 1 << 40}); got.Total != 1 || len(got.Hits) != 0 {
		t.Errorf("a far page gives %+v", got)
	}
	ix.Delete(77)
}

// TestSearchWhileWriting runs writers beside searchers: every answer belongs to one state. Each document
// carries "always" and one of the other words, whatever is put, so their counts are known.
func TestSearchWhileWriting(t *testing.T) {
	t.Parallel()
	const documents = 300
	ix := index.New(index.Config{})
	put := func(id int64, word string) {
		d := index.Document{ID: id, Title: word + " sound", Tags: []string{word, "always"}, Category: "fx-a", Type: word, Vector: make([]float32, 64)}
		d.Vector[id%64] = 1
		if err := ix.Put(d); err != nil {
			t.Error(err)
		}
	}
	for id := range int64(documents) {
		put(id+1, "red")
	}
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 2 {
		writers.Add(1)
		go func() {
			defer writers.Done()
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for i := range 600 {
				put(1+r.Int64N(documents), one(r, "red", "blue", "blues"))
				if i%20 == 0 { // one more, gone again
					id := int64(documents + 1 + w)
					put(id, "green")
					ix.Delete(id)
				}
			}
		}()
	}
	for range 3 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for n := 0; ; n++ {
				select {
				case <-stop:
					if n > 0 {
						return
					}
				default:
				}
				r, err := ix.Search(query.Query{Text: "always -green"}, index.AllFacets()...)
				if err != nil || r.Total != documents {
					t.Errorf("found %d of %d, %v", r.Total, documents, err)
					return
				}
				sum := 0
				for _, row := range r.Facets.Of(query.Type).Rows {
					sum += row.Count
				}
				if sum != documents {
					t.Errorf("types sum to %d", sum)
					return
				}
				ix.Suggest("b", 5)
				ix.Similar(1, 5, nil)
			}
		}()
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	red, blue := search(t, ix, query.Query{Text: "red"}).Total, search(t, ix, query.Query{Text: "blue"}).Total
	if red+blue != documents || red == 0 || blue == 0 {
		t.Errorf("red %d and blue %d are not %d", red, blue, documents)
	}
}

// FuzzQuery throws text at an index: no panic, and the hits shown are as many as they should be.
func FuzzQuery(f *testing.F) {
	ix := index.New(index.Config{})
	if err := ix.PutAll(index.Synthetic(300, 5)); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"rain wind", `"rain wind" -door`, `tag:rain license:cc0 duration:[1 TO 20] bpm:120..130 key:Am`, "lo-fi", `title:"a`, "-", `""`,
		"tag:", "is:free", "foo*", "*", "published:2021-13..", "雨の音", "\x00\xff", "duration:1e400", "id:99999999999999999999", "a-b-c-d-e-f-g", "rain\u0301"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, prefix bool) {
		q := query.Query{Text: text, Prefix: prefix, NumberIsID: prefix}
		r, err := ix.Search(q, index.AllFacets()...)
		if err != nil {
			var bad *query.ValueError
			if !errors.As(err, &bad) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if want := min(r.Total, query.DefaultLimit); len(r.Hits) != want {
			t.Fatalf("%q: %d hits shown of %d", text, len(r.Hits), r.Total)
		}
		if r.DidYouMean != "" {
			q.Text = r.DidYouMean
			if again, err := ix.Search(q); err != nil || again.Total == 0 {
				t.Fatalf("%q: did you mean %q, which finds %d, %v", text, q.Text, again.Total, err)
			}
		}
		ix.Suggest(text, 5)
	})
}

func BenchmarkSearch(b *testing.B) {
	ix := index.New(index.Config{})
	if err := ix.PutAll(index.Synthetic(100_000, 1)); err != nil {
		b.Fatal(err)
	}
	filters := query.Query{Text: "rain wind"}.With(query.License, "standard").With(query.Channels, "2")
	filters.Ranges = []query.Range{{Field: query.Length, Low: 1, High: 20}}
	seven := index.AllFacets()[:7]
	for _, c := range []struct {
		name   string
		q      query.Query
		facets []query.Field
	}{
		{"rare-word", query.Query{Text: "badabada"}, nil}, {"common-word", query.Query{Text: "rain"}, nil},
		{"two-words-facets", filters, seven}, {"all-facets", query.Query{}, index.AllFacets()}, {"phrase", query.Query{Text: `"rain wind"`}, nil},
		{"prefix", query.Query{Text: "st", Prefix: true}, nil}, {"short-prefix-facets", query.Query{Text: "no", Prefix: true}, index.AllFacets()},
		{"word-and-prefix-facets", query.Query{Text: "rain wi", Prefix: true}, index.AllFacets()}, {"typo", query.Query{Text: "rian"}, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ix.Search(c.q, c.facets...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("put", func(b *testing.B) {
		next := index.Synthetic(1<<30, 9)
		for b.Loop() {
			d, _ := next()
			d.ID = d.ID%100_000 + 1
			if err := ix.Put(d); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		var file bytes.Buffer
		if err := ix.Save(&file); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := index.Load(bytes.NewReader(file.Bytes()), index.Config{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("similar", func(b *testing.B) {
		for b.Loop() {
			ix.Similar(5, 20, nil)
		}
	})
}
