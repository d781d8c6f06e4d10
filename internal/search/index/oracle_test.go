package index_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"

	"github.com/kljensen/snowball"
)

// oracle answers queries by looking at every document, with nothing clever in it.
type oracle map[int64]index.Document

// cache remembers what cutting and stemming give, for the oracle does both again and again.
type cache struct {
	tokens map[string][]query.Token
	stems  map[string]string
}

// words are the words of one text field, tags kept apart, and the extra words beside them.
func (c cache) words(d index.Document, f query.Field) (runs [][]string, extra []string) {
	var texts []string
	switch f {
	case query.Title:
		texts = []string{d.Title}
	case query.TagWord:
		texts = d.Tags
	case query.Description:
		texts = []string{d.Description}
	case query.ByWord:
		texts = []string{d.Contributor}
	case query.PackWord:
		texts = []string{d.Pack}
	}
	for _, t := range texts {
		var run []string
		tokens, ok := c.tokens[t]
		if !ok {
			tokens = query.Tokens(t, 1000)
			c.tokens[t] = tokens
		}
		for _, token := range tokens {
			if token.Extra {
				extra = append(extra, token.Text)
			} else {
				run = append(run, token.Text)
			}
		}
		runs = append(runs, run)
	}
	return runs, extra
}

func (c cache) stem(t testing.TB, w string) string {
	if s, ok := c.stems[w]; ok {
		return s
	}
	s, err := snowball.Stem(w, "english", true)
	if err != nil {
		t.Fatal(err)
	}
	c.stems[w] = s
	return s
}

// holds evaluates a filter on one document.
func (o oracle) holds(t testing.TB, c cache, f *query.Filter, d index.Document) bool {
	if f == nil {
		return true
	}
	switch f.Op {
	case query.And:
		return !slices.ContainsFunc(f.Kids, func(k *query.Filter) bool { return !o.holds(t, c, k, d) })
	case query.Or:
		return slices.ContainsFunc(f.Kids, func(k *query.Filter) bool { return o.holds(t, c, k, d) })
	case query.Not:
		return !o.holds(t, c, f.Kids[0], d)
	case query.Equal:
		return slices.ContainsFunc(o.values(d, f.Field), func(v string) bool {
			return v == f.Value || f.Field == query.Category && strings.HasPrefix(v, f.Value+"-") ||
				f.Field == query.License && query.LicenseFamily(v) == f.Value
		})
	case query.Span:
		v, ok := o.number(d, f.Field)
		switch f.Field { // columns of float32 round both sides alike
		case query.Length, query.Tempo, query.Loudness, query.Centroid, query.Rating:
			return ok && float32(v) >= float32(f.Low) && float32(v) <= float32(f.High)
		}
		return ok && v >= f.Low && v <= f.High
	}
	for _, field := range []query.Field{query.Title, query.TagWord, query.Description, query.ByWord, query.PackWord} {
		if f.Field != query.Any && f.Field != field {
			continue
		}
		runs, extra := c.words(d, field)
		if f.Op != query.Phrase {
			runs = append(runs, extra)
		}
		for _, run := range runs {
			for i, w := range run {
				switch {
				case f.Op == query.Exact && w == f.Words[0],
					(f.Op == query.Word || f.Op == query.Prefix) && c.stem(t, w) == c.stem(t, f.Words[0]),
					f.Op == query.Prefix && strings.HasPrefix(w, f.Words[0]),
					f.Op == query.Phrase && i+len(f.Words) <= len(run) && slices.Equal(run[i:i+len(f.Words)], f.Words):
					return true
				}
			}
		}
	}
	return false
}

func (o oracle) number(d index.Document, f query.Field) (float64, bool) {
	switch f {
	case query.Length:
		return d.Seconds, true
	case query.Tempo:
		return d.Tempo, d.Tempo > 0 && d.TempoConfidence >= .5
	case query.Loudness:
		return d.LUFS, d.LUFS != 0
	case query.Centroid:
		return d.CentroidHz, d.CentroidHz > 0
	case query.Amount:
		if d.Free || d.PriceMinor < 0 {
			return 0, true
		}
		return float64(d.PriceMinor) / 100, true
	case query.Published:
		return float64(d.PublishedAt), true
	case query.Downloads:
		return float64(d.Downloads), true
	case query.Rating:
		return d.Rating, true
	case query.ID:
		return float64(d.ID), true
	case query.Rate:
		return float64(d.SampleRate), true
	}
	panic("no number " + f)
}

// values are the values of a document in a facet, written anew from the fields.
func (o oracle) values(d index.Document, f query.Field) []string {
	switch f {
	case query.Tag:
		var tags []string
		for _, tag := range d.Tags {
			if k := query.TagKey(tag); k != "" && !slices.Contains(tags, k) {
				tags = append(tags, k)
			}
		}
		return tags
	case query.ID:
		return []string{strconv.FormatInt(d.ID, 10)}
	case query.Category:
		return []string{d.Category}
	case query.License:
		return d.Licenses
	case query.Price:
		switch {
		case d.Free:
			return []string{"free"}
		case d.PriceMinor <= 300:
			return []string{"low"}
		}
		return []string{"high"}
	case query.Type:
		return []string{d.Type}
	case query.Key:
		if d.Key == "" {
			return nil
		}
		return []string{d.Key}
	case query.Channels:
		return []string{strconv.Itoa(d.Channels)}
	case query.Rate:
		return []string{strconv.Itoa(d.SampleRate)}
	case query.Depth:
		return []string{strconv.Itoa(d.BitDepth)}
	case query.Brightness:
		if d.CentroidHz <= 0 {
			return nil
		}
		k := int(math.Floor(8 * math.Log2(d.CentroidHz/350) / math.Log2(20)))
		return []string{strconv.Itoa(min(max(k, 0), 7))}
	case query.Loop:
		if d.Loopable {
			return []string{"yes"}
		}
		return []string{"no"}
	case query.By:
		return []string{strings.ToLower(d.Contributor)}
	case query.Pack:
		if d.Pack == "" {
			return nil
		}
		return []string{strings.ToLower(d.Pack)}
	case query.Year:
		return []string{strconv.Itoa(time.UnixMicro(d.PublishedAt).UTC().Year())}
	}
	panic("no values " + f)
}

// find lists the documents that a query finds; leaveOut as for a facet's counts.
func (o oracle) find(t testing.TB, c cache, q query.Query, leaveOut query.Field) []index.Document {
	parsed, err := query.Parse(q.Text, q.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	var out []index.Document
	for _, d := range o {
		ok := o.holds(t, c, parsed.Where, d) && o.holds(t, c, q.Where, d)
		for _, f := range q.Chosen() {
			if f == leaveOut && !f.Narrows() {
				continue
			}
			if r, isRange := q.Range(f); isRange {
				ok = ok && o.holds(t, c, query.Between(f, r.Low, r.High), d)
				continue
			}
			some, all := false, true
			for _, p := range q.Picks {
				if p.Field == f {
					has := o.holds(t, c, query.Is(f, p.Value), d)
					some, all = some || has, all && has
				}
			}
			ok = ok && (f.Narrows() && all || !f.Narrows() && some)
		}
		if ok {
			out = append(out, d)
		}
	}
	return out
}

// order puts documents into an order that does not need relevance.
func order(sort query.Sort, ds []index.Document) {
	price := func(d index.Document) int64 {
		if d.Free {
			return 0
		}
		return max(d.PriceMinor, 0)
	}
	slices.SortFunc(ds, func(a, b index.Document) int {
		c := 0
		switch sort {
		case query.ByOldest:
			c = cmp.Compare(a.PublishedAt, b.PublishedAt)
		case query.ByDownloads:
			c = cmp.Compare(b.Downloads, a.Downloads)
		case query.ByFewDownloads:
			c = cmp.Compare(a.Downloads, b.Downloads)
		case query.ByRating:
			c = cmp.Compare(b.Rating, a.Rating)
		case query.ByLowRating:
			c = cmp.Compare(a.Rating, b.Rating)
		case query.ByShortest:
			c = cmp.Compare(a.Seconds, b.Seconds)
		case query.ByLongest:
			c = cmp.Compare(b.Seconds, a.Seconds)
		case query.ByCheapest:
			c = cmp.Compare(price(a), price(b))
		case query.ByDearest:
			c = cmp.Compare(price(b), price(a))
		case query.ByTitle:
			c = strings.Compare(query.Fold(a.Title), query.Fold(b.Title))
		}
		return cmp.Or(c, cmp.Compare(b.PublishedAt, a.PublishedAt), cmp.Compare(b.ID, a.ID))
	})
}

var vocabulary = strings.Fields(`rain rains raining rainy RainForest door doors wood wooden metal lo-fi lofi kick kick01 kick02 808 Café cafe
	loop loops looping wind winds the of in water waters bell Bells far away thunder it's don't 雨音 ambience ambiences city-night-walk`)

func anyWord(r *rand.Rand) string {
	i := min(r.IntN(len(vocabulary)), r.IntN(len(vocabulary))) // the first words are more frequent
	return vocabulary[i]
}

func someWords(r *rand.Rand, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = anyWord(r)
	}
	return strings.Join(out, " ")
}

func one[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

func randomDocument(r *rand.Rand, id int64) index.Document {
	d := index.Document{
		ID: id, Title: someWords(r, 1+r.IntN(4)), Description: someWords(r, r.IntN(12)), Contributor: fmt.Sprintf("maker %d", r.IntN(30)),
		ContributorID: 1, Category: one(r, "fx-a", "fx-n", "fx-other", "m-m", "ss-n"), PriceMinor: -1, Type: one(r, "wav", "flac", "mp3"),
		Key: one(r, "", "", "C", "Am", "F#m"), Channels: 1 + r.IntN(2), SampleRate: one(r, 44100, 48000, 96000), BitDepth: one(r, 0, 16, 24),
		Seconds: float64(r.IntN(400)) / 10, LUFS: float64(-r.IntN(50)), CentroidHz: float64(r.IntN(9000)), Loopable: r.IntN(4) == 0,
		PublishedAt: int64(1_600_000_000+r.IntN(100_000_000)) * 1_000_000, Downloads: int64(r.IntN(60)), Rating: float64(r.IntN(6)),
		Tempo: float64(r.IntN(3) * (60 + r.IntN(100))), TempoConfidence: r.Float64(),
	}
	for range 1 + r.IntN(5) {
		d.Tags = append(d.Tags, someWords(r, 1+r.IntN(2)))
	}
	if r.IntN(2) == 0 {
		d.Free, d.Licenses = true, []string{one(r, "cc0", "cc-by-4.0", "cc-by-3.0", "cc-by-nc-4.0")}
	} else {
		d.PriceMinor, d.Licenses = one[int64](r, 100, 300, 301, 900), []string{"standard"}
		if r.IntN(3) == 0 {
			d.Licenses = append(d.Licenses, "broadcast")
		}
	}
	if r.IntN(3) == 0 {
		d.PackID = int64(1 + r.IntN(200))
		d.Pack = fmt.Sprintf("Pack %d", d.PackID)
	}
	return d
}

// randomText writes a query in the language of the search box.
func randomText(r *rand.Rand) string {
	var terms []string
	for range r.IntN(4) {
		s := one(r, anyWord(r), anyWord(r), `"`+someWords(r, 1+r.IntN(2))+`"`, "tag:"+anyWord(r), "title:"+anyWord(r),
			`description:"`+someWords(r, 2)+`"`, "duration:1..20", "duration:[2 TO *]", "bpm:60..120", "key:Am", "license:cc-by,cc0",
			"is:free", "is:loop", "type:wav", "loudness:-30..-10", "downloads:>20", "category:fx", "published:2021", "pack:12", "rai*", "zebra")
		terms = append(terms, one(r, "", "", "", "-")+s)
	}
	return strings.Join(terms, " ")
}

func randomQuery(r *rand.Rand) query.Query {
	q := query.Query{Text: randomText(r), Sort: one(r, query.Sorts()...), Page: 1 + r.IntN(3), Limit: 1 + r.IntN(20), Prefix: r.IntN(3) == 0}
	picks := map[query.Field][]string{
		query.Category: {"fx-a", "m-m", "fx", "none"}, query.License: {"cc0", "cc-by", "standard", "broadcast"}, query.Price: {"free", "low", "high"},
		query.Type: {"wav", "flac", "ogg"}, query.Key: {"C", "Am"}, query.Channels: {"1", "2"}, query.Rate: {"44100", "96000"}, query.Depth: {"0", "24"},
		query.Brightness: {"0", "3", "7"}, query.Loop: {"yes"}, query.Tag: {"rain", "wind", "rain-rain"}, query.By: {"maker 3"}, query.Year: {"2021"},
	}
	for _, f := range []query.Field{query.Category, query.License, query.Price, query.Type, query.Key, query.Channels, query.Rate, query.Depth,
		query.Brightness, query.Loop, query.Tag, query.By, query.Year} {
		for r.IntN(8) == 0 {
			q = q.With(f, one(r, picks[f]...))
		}
	}
	if r.IntN(4) == 0 {
		q.Ranges = append(q.Ranges, query.Range{Field: query.Length, Low: float64(r.IntN(10)) / 10, High: one(r, .5, 15, math.Inf(1))})
	}
	if r.IntN(6) == 0 {
		q.Ranges = append(q.Ranges, query.Range{Field: query.Tempo, Low: math.Inf(-1), High: 130})
	}
	if r.IntN(5) == 0 {
		q.Where = query.Either(query.Is(query.Type, "mp3"), query.Except(query.Between(query.Rate, 48000, 1e9)), query.Text(query.TagWord, anyWord(r)))
	}
	return q
}

// TestAgainstOracle asks random questions of a random catalog that changes meanwhile, and compares hits, order and every count with
// a scan of the documents.
func TestAgainstOracle(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ documents, queries int }{{60, 500}, {5000, 100}} { // 5,000: beyond the count up to which facets go hit by hit
		t.Run(strconv.Itoa(size.documents), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(7, uint64(size.documents)))
			ix, o, c := index.New(index.Config{}), oracle{}, cache{map[string][]query.Token{}, map[string]string{}}
			for id := range int64(size.documents) {
				d := randomDocument(r, id+1)
				o[d.ID] = d
				if err := ix.Put(d); err != nil {
					t.Fatal(err)
				}
			}
			for n := range size.queries {
				for range size.documents / 50 {
					d := randomDocument(r, 1+r.Int64N(int64(size.documents)+20))
					if r.IntN(3) == 0 {
						delete(o, d.ID)
						ix.Delete(d.ID)
						continue
					}
					o[d.ID] = d
					if err := ix.Put(d); err != nil {
						t.Fatal(err)
					}
				}
				if ix.Len() != len(o) {
					t.Fatalf("index holds %d, want %d", ix.Len(), len(o))
				}
				q := randomQuery(r)
				if n%4 == 0 { // wide ones, whose counts are made value by value
					q = query.Query{Text: one(r, "-type:mp3", "-is:loop", "-tag:rain", "duration:1..38", "-bells"), Sort: one(r, query.Sorts()...)}
				}
				compare(t, fmt.Sprintf("query %d %q %v", n, q.Text, q.Chips()), ix, o, c, q)
				if t.Failed() {
					return
				}
			}
		})
	}
}

func compare(t *testing.T, name string, ix *index.Index, o oracle, c cache, q query.Query) {
	t.Helper()
	got, err := ix.Search(q, index.AllFacets()...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	want := o.find(t, c, q, "-")
	if got.Total != len(want) {
		t.Errorf("%s: %d hits, want %d", name, got.Total, len(want))
		return
	}
	ids := map[int64]bool{}
	for _, d := range want {
		ids[d.ID] = true
	}
	if q.Sort != query.ByRelevance {
		order(q.Sort, want)
		offset, limit := q.Window()
		page := want[min(offset, len(want)):min(offset+limit, len(want))]
		if len(page) != len(got.Hits) {
			t.Errorf("%s: %d hits on the page, want %d", name, len(got.Hits), len(page))
			return
		}
		for i, d := range page {
			if got.Hits[i].ID != d.ID {
				t.Errorf("%s by %s: hit %d is %d, want %d", name, q.Sort, i, got.Hits[i].ID, d.ID)
				return
			}
		}
	}
	for _, h := range got.Hits {
		if !ids[h.ID] {
			t.Errorf("%s: %d should not be found", name, h.ID)
		}
	}
	for _, f := range got.Facets {
		among := want
		if slices.Contains(q.Chosen(), f.Field) {
			among = o.find(t, c, q, f.Field)
		}
		compareFacet(t, name, f, o, q, among)
	}
}

func compareFacet(t *testing.T, name string, f index.Facet, o oracle, q query.Query, among []index.Document) {
	t.Helper()
	if f.Total != len(among) {
		t.Errorf("%s: facet %s counts among %d, want %d", name, f.Field, f.Total, len(among))
	}
	want := map[string]int{}
	shown := map[string]bool{}
	for _, r := range f.Rows {
		shown[r.Value] = true
		if f.Field.Numeric() {
			n := 0
			for _, d := range among {
				if v, ok := o.number(d, f.Field); ok && float64(float32(v)) >= r.Low && float64(float32(v)) < r.High {
					n++
				}
			}
			if n != r.Count {
				t.Errorf("%s: facet %s bin %v-%v counts %d, want %d", name, f.Field, r.Low, r.High, r.Count, n)
			}
		}
	}
	if f.Field.Numeric() {
		return
	}
	for _, d := range among {
		for _, v := range o.values(d, f.Field) {
			want[v]++
			if top, _, ok := strings.Cut(v, "-"); ok && f.Field == query.Category {
				want[top]++
			}
		}
	}
	least, rows := math.MaxInt, 0
	for _, r := range f.Rows {
		n := want[r.Value]
		if f.Field == query.License && q.Has(f.Field, r.Value) && r.Value == "cc-by" {
			n = want["cc-by-4.0"] + want["cc-by-3.0"]
		}
		if r.Count != n {
			t.Errorf("%s: facet %s value %q counts %d, want %d", name, f.Field, r.Value, r.Count, n)
		}
		if r.Chosen != q.Has(f.Field, r.Value) {
			t.Errorf("%s: facet %s value %q chosen is %v", name, f.Field, r.Value, r.Chosen)
		}
		if !r.Chosen || r.Count > 0 {
			rows++
		}
		if !r.Chosen {
			least = min(least, r.Count)
		}
	}
	limit := map[query.Field]int{query.Tag: 30, query.By: 20, query.Pack: 20}[f.Field]
	for v, n := range want {
		if !shown[v] && (limit == 0 || rows < limit || n > least) {
			t.Errorf("%s: facet %s lacks %q with %d (rows %d, least %d)", name, f.Field, v, n, rows, least)
		}
	}
	for _, p := range q.Picks {
		if p.Field == f.Field && !shown[p.Value] {
			t.Errorf("%s: facet %s lacks the chosen %q", name, f.Field, p.Value)
		}
	}
}
