package apiv1

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/search"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// Found is a page of a search.
type Found struct {
	Items      []FoundRecording `json:"items"`
	Total      int              `json:"total" doc:"How many were found; with group=pack, groups."`
	Next       string           `json:"next,omitempty" format:"uri" doc:"The next page; left out on the last."`
	DidYouMean string           `json:"did_you_mean,omitempty" doc:"The words with a mistyped one put right, where nothing was found."`
	Also       []string         `json:"also,omitempty" doc:"Synonyms that some of what was found has."`
	SomeWords  bool             `json:"some_words" doc:"Nothing has all the words: these have some of them."`
	Facets     []Facet          `json:"facets" doc:"Those that facet= asked for."`
	Among      int              `json:"among,omitempty" doc:"In a search by a sound: how many recordings there were to compare with it. The nearest of them are listed."`
}

// FoundRecording is a recording that was found.
type FoundRecording struct {
	Recording
	Likeness  *float64 `json:"likeness,omitempty" doc:"In a search by a sound: 1 is the same, 0 nothing alike. Each way of comparing has a scale of its own."`
	Closeness string   `json:"closeness,omitempty" enum:"very close,close,somewhat like it,far" doc:"The same in a word."`
}

// Facet counts what was found by the values of a field.
type Facet struct {
	Field  string       `json:"field"`
	Total  int          `json:"total" doc:"What the counts are counted among: what is found without the choice in this field."`
	Values []FacetValue `json:"values"`
}

// FacetValue is one value of a facet, or one bin of a histogram.
type FacetValue struct {
	Value  string   `json:"value" doc:"As the parameter of the same name takes it; the number of the bin in a histogram."`
	Label  string   `json:"label" doc:"As people write it."`
	Low    *float64 `json:"low,omitempty" doc:"Lower end of a histogram's bin."`
	High   *float64 `json:"high,omitempty" doc:"Upper end of a histogram's bin, not part of it."`
	Count  int      `json:"count"`
	Chosen bool     `json:"chosen"`
}

// searchIn documents what query.FromValues reads; the search itself is read there, as the page's is.
type searchIn struct {
	Text       string   `query:"q" maxLength:"1000" doc:"Words, \"phrases\", -exclusions, and terms as tag:rain license:cc0 duration:[1 TO 20] bpm:120..130 key:Am."`
	Category   []string `query:"category,explode" doc:"Codes of the Broad Sound Taxonomy, or of its groups."`
	Brightness []string `query:"brightness,explode" doc:"0 (dark) to 7 (bright)."`
	License    []string `query:"license,explode" doc:"Codes of licenses; cc-by stands for all its versions."`
	Key        []string `query:"key,explode" doc:"C, Cm, C#, … Bm."`
	Price      []string `query:"price,explode" doc:"free, low, high."`
	Type       []string `query:"type,explode" doc:"wav, flac, …"`
	Channels   []string `query:"channels,explode"`
	Rate       []string `query:"rate,explode" doc:"Sample rate in Hz."`
	Depth      []string `query:"depth,explode" doc:"Bits per sample; 0 for lossy codecs."`
	Loop       []string `query:"loop,explode" doc:"yes, no."`
	Tag        []string `query:"tag,explode" doc:"All of them must be there."`
	By         []string `query:"by,explode" doc:"Names of contributors."`
	Pack       []string `query:"pack_id,explode"`
	Year       []string `query:"year,explode" doc:"Of publishing, UTC."`
	LengthMin  float64  `query:"length_min" doc:"Seconds."`
	LengthMax  float64  `query:"length_max" doc:"Seconds."`
	TempoMin   float64  `query:"tempo_min" doc:"Beats per minute."`
	TempoMax   float64  `query:"tempo_max" doc:"Beats per minute."`
	LoudMin    float64  `query:"loudness_min" doc:"LUFS."`
	LoudMax    float64  `query:"loudness_max" doc:"LUFS."`
	Like       string   `query:"like" maxLength:"256" doc:"An example from /search/examples: the nearest come first, at most 240. One of like, melody and rhythm; every filter may stand beside it, and the words narrow."`
	Melody     string   `query:"melody" maxLength:"256" doc:"As like, compared by melody."`
	Rhythm     string   `query:"rhythm" maxLength:"256" doc:"As like, compared by rhythm."`
	Sort       string   `query:"sort" enum:"relevance,new,old,downloads,downloads-asc,rating,rating-asc,short,long,cheap,dear,title" default:"relevance"`
	Group      string   `query:"group" enum:"pack" doc:"Only the best of each pack."`
	Words      string   `query:"words" enum:"typed" doc:"Without synonyms."`
	Facet      []string `query:"facet,explode" enum:"category,brightness,length,license,tempo,key,price,tag,type,channels,rate,depth,loudness,loop,by,year,pack_id" doc:"Count what was found by these."`
	Page       int      `query:"page" minimum:"1" maximum:"10000" default:"1"`
	Size       int      `query:"page_size" minimum:"1" maximum:"150" default:"24" doc:"How many at once."`
}

func (f *Face) searchOperations() {
	add(f, operation{route: "GET /search", id: "search", tag: tagSearch, summary: "Search recordings", action: access.Look,
		text: "The parameters are those of the search page; values of one field are alternatives, tags narrow. At most the first 10,000 can be read."}, f.search)
	add(f, operation{route: "GET /search/suggest", id: "suggest", tag: tagSearch, summary: "Finish what is typed", action: access.Look}, f.suggest)
}

func (f *Face) search(ctx context.Context, in *searchIn) (*body[Found], error) {
	if err := f.Search.NotReady(); err != nil {
		return nil, err
	}
	q, err := query.FromValues(from(ctx).r.URL.Query())
	if err != nil {
		return nil, refusedQuery(err)
	}
	q.SomeWords, q.Limit = true, in.Size
	if (in.Page-1)*in.Size >= query.MaxOffset {
		return nil, wrong("query.page", "At most the first %d can be read. Narrow the search.", query.MaxOffset)
	}
	fields := make([]query.Field, len(in.Facet))
	for i, name := range in.Facet {
		fields[i] = query.Field(name)
	}
	if examples := slices.DeleteFunc([]string{in.Like, in.Melody, in.Rhythm}, func(v string) bool { return v == "" }); len(examples) > 1 {
		return nil, wrong("query.like", "Search by one of like, melody and rhythm at a time.")
	}
	var res index.Result
	var near search.Nearness
	if q.Example.Is() {
		res, near, err = f.Search.FindLike(ctx, q, fields...)
	} else {
		res, err = f.Search.Index().Search(q, fields...)
	}
	if err != nil {
		return nil, refusedQuery(err)
	}
	ids := make([]int64, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.ID
	}
	items, err := f.public(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := []FoundRecording{}
	for _, rec := range items {
		hit := FoundRecording{Recording: rec}
		if off, ok := near.Off[rec.ID]; ok {
			likeness := 1 - off
			hit.Likeness, hit.Closeness = &likeness, strings.ToLower(search.Closeness(q.Example.Kind, off))
		}
		found = append(found, hit)
	}
	out := Found{Items: found, Among: near.Among, Total: res.Total, DidYouMean: res.DidYouMean, Also: res.Also, SomeWords: res.Some, Facets: []Facet{}}
	if end := in.Page * in.Size; end < min(res.Total, query.MaxOffset) {
		out.Next = f.nextPage(ctx, in.Page)
	}
	for _, facet := range res.Facets {
		out.Facets = append(out.Facets, facetOf(facet))
	}
	return answer(out), nil
}

func facetOf(facet index.Facet) Facet {
	out := Facet{Field: string(facet.Field), Total: facet.Total, Values: []FacetValue{}}
	finite := func(v float64) *float64 {
		if math.IsInf(v, 0) || !facet.Field.Numeric() {
			return nil
		}
		return &v
	}
	for _, row := range facet.Rows {
		v := FacetValue{Value: row.Value, Label: row.Label, Low: finite(row.Low), High: finite(row.High), Count: row.Count, Chosen: row.Chosen}
		if v.Label == "" {
			v.Label = row.Value
		}
		out.Values = append(out.Values, v)
	}
	return out
}

// refusedQuery says which parameter a search cannot use.
func refusedQuery(err error) error {
	var bad *query.ValueError
	if !errors.As(err, &bad) {
		return err
	}
	param := bad.Param
	if param == "" {
		param = "q"
	}
	return wrong("query."+param, "%s", bad.Text)
}

// Suggestion is a way to finish what is typed.
type Suggestion struct {
	Text  string `json:"text"`
	Tag   bool   `json:"tag" doc:"A tag, else the title of a recording."`
	Count int    `json:"count" doc:"Recordings that have it."`
}

func (f *Face) suggest(ctx context.Context, in *struct {
	Text string `query:"q" required:"true" minLength:"1" maxLength:"100"`
}) (*body[List[Suggestion]], error) {
	if err := f.Search.NotReady(); err != nil {
		return nil, err
	}
	list, err := f.Search.Suggest(ctx, in.Text)
	if err != nil {
		return nil, err
	}
	out := List[Suggestion]{Items: []Suggestion{}, Total: len(list)}
	for _, g := range list {
		out.Items = append(out.Items, Suggestion{g.Text, g.Tag, g.Count})
	}
	return answer(out), nil
}
