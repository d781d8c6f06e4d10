package query

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// pickFields are the fields chosen value by value, by their parameter's name, in the order of the page's facets.
var pickFields = []Field{Category, Brightness, License, Key, Price, Type, Channels, Rate, Depth, Loop, Tag, By, PackID, Year}

// rangeFields are the fields chosen by NAME_min and NAME_max.
var rangeFields = []Field{Length, Tempo, Loudness}

// FromValues reads the search page's address:
//
//	q=TEXT  category= brightness= license= key= price= type= channels= rate= depth= loop= tag= by= pack_id= year= (each may repeat)
//	length_min= length_max= (seconds)  tempo_min= tempo_max= (bpm)  loudness_min= loudness_max= (LUFS)
//	like= melody= rhythm= (one of them: an Example)
//	sort= (see Sorts)  page=N  group=pack  words=typed (no synonyms)
//
// Empty and unknown parameters are left out (an address carries many a campaign's letters); a value that its parameter cannot
// have is a *ValueError with a sentence for the visitor. Text beyond the bounds of Parse is refused too.
func FromValues(v url.Values) (Query, error) {
	q := Query{Text: strings.TrimSpace(v.Get("q"))}
	if _, err := Parse(q.Text, false); err != nil {
		return Query{}, err
	}
	for _, field := range pickFields {
		for _, value := range v[string(field)] {
			if strings.TrimSpace(value) == "" {
				continue
			}
			canonical, ok := Canonical(field, value)
			if !ok {
				return Query{}, valueError(string(field), value)
			}
			if !q.Has(field, canonical) {
				q.Picks = append(q.Picks, Pick{field, canonical})
			}
		}
	}
	if len(q.Picks) > MaxPicks {
		return Query{}, &ValueError{"", "", fmt.Sprintf("Choose at most %d filters at once.", MaxPicks)}
	}
	for _, field := range rangeFields {
		r := Range{Field: field}
		low, high := open()
		var ok bool
		if r.Low, ok = number(field, v.Get(string(field)+"_min"), low); !ok {
			return Query{}, valueError(string(field)+"_min", v.Get(string(field)+"_min"))
		}
		if r.High, ok = number(field, v.Get(string(field)+"_max"), high); !ok {
			return Query{}, valueError(string(field)+"_max", v.Get(string(field)+"_max"))
		}
		if !math.IsInf(r.Low, -1) || !math.IsInf(r.High, 1) {
			q.Ranges = append(q.Ranges, r)
		}
	}
	for _, kind := range Kinds() {
		if value := v.Get(string(kind)); value != "" && !q.Example.Is() {
			if len(value) > maxExample {
				return Query{}, valueError(string(kind), value)
			}
			q.Example = Example{kind, value}
		}
	}
	if s := Sort(v.Get("sort")); s != "" && s != ByRelevance {
		if !slices.Contains(Sorts(), s) {
			return Query{}, valueError("sort", string(s))
		}
		q.Sort = s
	}
	if s := v.Get("page"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return Query{}, valueError("page", s)
		}
		if n > 1 {
			q.Page = n
		}
	}
	q.GroupByPack = v.Get("group") == "pack"
	q.AsTyped = v.Get("words") == "typed"
	return q, nil
}

func valueError(param, value string) error {
	shown := value
	if r := []rune(shown); len(r) > 40 {
		shown = string(r[:40]) + "…"
	}
	return &ValueError{param, value, fmt.Sprintf("The search cannot use %q as %s.", shown, strings.ReplaceAll(param, "_", " "))}
}

// Values writes q as the search page's address, the inverse of FromValues; defaults are left out. Where, Limit, Prefix,
// NumberIsID and SomeWords are not part of an address.
func (q Query) Values() url.Values {
	v := url.Values{}
	if q.Text != "" {
		v.Set("q", q.Text)
	}
	for _, p := range q.Picks {
		v.Add(string(p.Field), p.Value)
	}
	for _, r := range q.Ranges {
		if !math.IsInf(r.Low, -1) {
			v.Set(string(r.Field)+"_min", strconv.FormatFloat(r.Low, 'f', -1, 64))
		}
		if !math.IsInf(r.High, 1) {
			v.Set(string(r.Field)+"_max", strconv.FormatFloat(r.High, 'f', -1, 64))
		}
	}
	if q.Example.Is() {
		v.Set(string(q.Example.Kind), q.Example.Value)
	}
	if q.Sort != "" && q.Sort != ByRelevance {
		v.Set("sort", string(q.Sort))
	}
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	if q.GroupByPack {
		v.Set("group", "pack")
	}
	if q.AsTyped {
		v.Set("words", "typed")
	}
	return v
}
