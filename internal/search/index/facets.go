package index

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/search/query"

	"github.com/RoaringBitmap/roaring/v2"
)

// How many rows a facet with many values shows; chosen ones are shown beyond that.
const (
	topTags         = 30
	topContributors = 20
)

// Facets are the facets counted, in the order asked for.
type Facets []Facet

// Facet tells how many hits have each value of a field.
type Facet struct {
	Field query.Field
	Total int // hits as they were without the choice in this field: what the counts are counted among
	Rows  []Row
}

// Row is one value of a facet.
type Row struct {
	Value     string  // as query.Pick takes it; the bin's number in a histogram
	Label     string  // how contributors, packs and tags write it; else the value
	Low, High float64 // of a histogram's bin, from Low up to, not including, High; outer ends are infinite or 0
	Count     int
	Chosen    bool // the query has it; in a histogram, the chosen range touches the bin
}

// Of is the facet of field; its zero value when it was not counted.
func (fs Facets) Of(field query.Field) Facet {
	for _, f := range fs {
		if f.Field == field {
			return f
		}
	}
	return Facet{}
}

// AllFacets lists every field whose values can be counted.
func AllFacets() []query.Field {
	return []query.Field{query.Category, query.Brightness, query.Length, query.License, query.Key, query.Price, query.Tempo, query.Type,
		query.Channels, query.Rate, query.Depth, query.Loudness, query.Loop, query.Tag, query.By, query.Pack, query.Year}
}

// count counts the facets. A facet's own choice does not narrow its counts, except for tags, where each choice narrows. The caller
// holds the lock.
func (ix *Index) count(q query.Query, s found, fields []query.Field) Facets {
	facets := make(Facets, 0, len(fields))
	shared := map[*roaring.Bitmap]*tally{} // facets with the same hits share one walk
	defer func() {
		for _, t := range shared {
			ix.scratches.Put(t.s)
		}
	}()
	for _, field := range fields {
		d, ok := fieldDict(field)
		if !ok {
			continue
		}
		set := s.hits
		if !field.Narrows() {
			set = s.leftOut(field)
		}
		t := shared[set]
		if t == nil {
			t = &tally{ix: ix, set: set, total: int(set.GetCardinality()), s: ix.borrow()}
			for _, other := range fields {
				if d, ok := fieldDict(other); ok && (other.Narrows() && set == s.hits || !other.Narrows() && s.leftOut(other) == set) {
					t.wanted = append(t.wanted, d)
				}
			}
			shared[set] = t
		}
		f := Facet{Field: field, Total: t.total}
		if many(d) {
			f.Rows = ix.topRows(q, d, field, t)
		} else {
			f.Rows = ix.rows(q, d, field, t)
		}
		facets = append(facets, f)
	}
	return facets
}

// many reports whether the dictionary has so many values that only the most frequent are shown.
func many(d int) bool { return d == dTag || d == dBy || d == dPack || d == dByID || d == dPackID }

// rows lists the values of a dictionary with few of them. Those that any recording has keep their place, with a count of zero
// too, so that the list does not jump from search to search.
func (ix *Index) rows(q query.Query, d int, field query.Field, t *tally) []Row {
	dict, counts := ix.values[d], t.of(d)
	number := func(name string) int {
		if id, ok := dict.of(name); ok {
			return int(counts[id])
		}
		return 0
	}
	var rows []Row
	fixed := func(names ...string) {
		for _, n := range names {
			rows = append(rows, Row{Value: n, Label: n, Count: number(n), Chosen: q.Has(field, n)})
		}
	}
	switch d {
	case dPrice:
		fixed("free", "low", "high")
	case dKey:
		fixed(query.Keys()...)
	case dBrightness:
		fixed("0", "1", "2", "3", "4", "5", "6", "7")
	case dLoop:
		fixed("yes", "no")
	case dLength, dTempo, dLoudness:
		r, chosen := q.Range(field)
		for i := range binEdges(d) {
			low, high := binSpan(d, i)
			rows = append(rows, Row{Value: binName(i), Label: binName(i), Low: low, High: high, Count: number(binName(i)),
				Chosen: chosen && r.High >= low && r.Low < high})
		}
	default:
		return ix.openRows(q, d, field, t)
	}
	return rows
}

// openRows lists the values that the catalog happens to have: the most frequent of the whole catalog first, numbers by size.
// Categories come below the top category they belong to, whose count is their sum.
func (ix *Index) openRows(q query.Query, d int, field query.Field, t *tally) []Row {
	dict, counts := ix.values[d], t.of(d)
	rank := map[string]int{}
	index := map[string]int{}
	var rows []Row
	row := func(value string, count, ofAll uint32) {
		i, ok := index[value]
		if !ok {
			i = len(rows)
			index[value] = i
			rows = append(rows, Row{Value: value, Label: value, Chosen: q.Has(field, value)})
		}
		rows[i].Count += int(count)
		rank[value] += int(ofAll)
	}
	top := func(value string) string {
		if t, _, ok := strings.Cut(value, "-"); ok && d == dCategory {
			return t
		}
		return value
	}
	for id, name := range dict.names {
		if dict.counts[id] == 0 {
			continue
		}
		row(name, counts[id], dict.counts[id])
		if t := top(name); t != name {
			row(t, counts[id], dict.counts[id])
		}
	}
	for _, p := range q.Picks {
		if p.Field == field {
			if _, ok := index[p.Value]; !ok {
				row(p.Value, uint32(ix.equal(query.Is(field, p.Value)).AndCardinality(t.set)), 0)
			}
		}
	}
	slices.SortFunc(rows, func(a, b Row) int {
		switch d {
		case dChannels, dRate, dDepth, dYear:
			x, _ := strconv.Atoi(a.Value) // canonical numbers; anything else sorts as 0
			y, _ := strconv.Atoi(b.Value)
			if d == dYear {
				x, y = y, x
			}
			return cmp.Compare(x, y)
		}
		ta, tb := top(a.Value), top(b.Value)
		return cmp.Or(cmp.Compare(rank[tb], rank[ta]), strings.Compare(ta, tb), cmp.Compare(boolInt(b.Value == tb), boolInt(a.Value == ta)),
			cmp.Compare(rank[b.Value], rank[a.Value]), strings.Compare(a.Value, b.Value))
	})
	return rows
}

// boolInt is 1 for true.
func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// topRows lists the most frequent values of a dictionary with many, and the chosen ones.
func (ix *Index) topRows(q query.Query, d int, field query.Field, t *tally) []Row {
	dict := ix.values[d]
	n := topContributors
	if d == dTag {
		n = topTags
	}
	var rows []Row
	for _, c := range t.top(d, n) {
		name := dict.names[c.id]
		rows = append(rows, Row{Value: name, Label: dict.label(c.id), Count: c.n, Chosen: q.Has(field, name)})
	}
	for _, p := range q.Picks {
		if p.Field != field || slices.ContainsFunc(rows, func(r Row) bool { return r.Value == p.Value }) {
			continue
		}
		r := Row{Value: p.Value, Label: p.Value, Chosen: true}
		if id, ok := dict.of(p.Value); ok {
			r.Label, r.Count = dict.label(id), t.overlap(&dict.postings[id])
		}
		rows = append(rows, r)
	}
	return rows
}
