// Package query says what a visitor looks for: the words typed, the facets chosen, the order wanted.
//
// It holds the types (Query, Filter, Pick, Range, Sort), the parser of the search box's language (Parse), the codec between a
// Query and the search page's address (FromValues, Values), and the parser of the Freesound API's filter language
// (ParseFreesound). Both languages compile to one tree of Filters, which package index evaluates. Nothing here keeps state or
// looks at a recording; parsing is bounded (MaxText, MaxTerms, MaxPicks) and never panics.
package query

import (
	"math"
	"slices"
	"strconv"
)

// Bounds of one query. What exceeds them is refused with a *ValueError.
const (
	MaxText   = 1000  // characters in the search box
	MaxTerms  = 32    // words, phrases and field terms in the search box
	MaxPicks  = 64    // facet values chosen at once
	MaxLimit  = 150   // hits on one page (the Freesound API's largest page)
	MaxOffset = 10000 // hits before the page that is shown
)

// DefaultLimit is how many hits a page shows when the Query does not say.
const DefaultLimit = 24

// Field names something of a recording that can be searched, chosen or counted.
type Field string

// Text fields: their words are matched by stem, phrase and prefix. Any means all of them.
const (
	Any         Field = ""
	Title       Field = "title"
	Description Field = "description"
	TagWord     Field = "tagword" // a word inside a tag
	PackWord    Field = "packword"
	ByWord      Field = "byword" // a word of the contributor's name
)

// Value fields: compared whole, in the canonical form that Canonical gives.
const (
	ID         Field = "id"
	Tag        Field = "tag"
	Category   Field = "category" // Broad Sound Taxonomy code; "fx" holds for every "fx-…"
	License    Field = "license"  // offer code; "cc-by" holds for "cc-by-4.0" and "cc-by-3.0"
	Price      Field = "price"    // "free", "low", "high"
	Type       Field = "type"     // "wav", "flac", …
	Key        Field = "key"      // "C", "Cm", "C#", … "Bm"
	Channels   Field = "channels"
	Rate       Field = "rate"       // sample rate in Hz
	Depth      Field = "depth"      // bits per sample; 0 for lossy codecs
	Brightness Field = "brightness" // tone class 0 to 7
	Loop       Field = "loop"       // "yes", "no"
	By         Field = "by"         // contributor's name
	ByID       Field = "by_id"
	Pack       Field = "pack" // pack's name
	PackID     Field = "pack_id"
	Year       Field = "year" // of publishing, UTC
)

// Number fields: compared by range.
const (
	Length    Field = "length"   // seconds
	Tempo     Field = "tempo"    // beats per minute; only tempi the analysis is sure of
	Loudness  Field = "loudness" // LUFS
	Centroid  Field = "centroid" // Hz
	Amount    Field = "amount"   // lowest paid price in units of the currency; 0 for free recordings
	Published Field = "published"
	Downloads Field = "downloads"
	Rating    Field = "rating"
)

// Numeric reports whether f is compared by range.
func (f Field) Numeric() bool {
	switch f {
	case Length, Tempo, Loudness, Centroid, Amount, Published, Downloads, Rating:
		return true
	}
	return false
}

// Textual reports whether f is matched word by word.
func (f Field) Textual() bool {
	switch f {
	case Any, Title, Description, TagWord, PackWord, ByWord:
		return true
	}
	return false
}

// Narrows reports whether several chosen values of f must all hold (tags: a recording has many), rather than any of them.
func (f Field) Narrows() bool { return f == Tag }

// Sort is the order of the hits. Ties go to the newer recording, then to the larger id.
type Sort string

// The orders. The names are those of the search page's sort parameter.
const (
	ByRelevance    Sort = "relevance"
	ByNewest       Sort = "new"
	ByOldest       Sort = "old"
	ByDownloads    Sort = "downloads"
	ByFewDownloads Sort = "downloads-asc"
	ByRating       Sort = "rating"
	ByLowRating    Sort = "rating-asc"
	ByShortest     Sort = "short"
	ByLongest      Sort = "long"
	ByCheapest     Sort = "cheap"
	ByDearest      Sort = "dear"
	ByTitle        Sort = "title"
)

// Sorts lists every order, the default first.
func Sorts() []Sort {
	return []Sort{ByRelevance, ByNewest, ByOldest, ByDownloads, ByFewDownloads, ByRating, ByLowRating, ByShortest, ByLongest,
		ByCheapest, ByDearest, ByTitle}
}

// Pick is one facet value chosen. Values of one field are alternatives, except where Field.Narrows.
type Pick struct {
	Field Field
	Value string
}

// Range is a chosen span of a number field, both ends included; an infinite end is open.
type Range struct {
	Field     Field
	Low, High float64
}

// String writes the range as the search box reads it: "0.5..15", "..20".
func (r Range) String() string {
	s := ".."
	if !math.IsInf(r.Low, -1) {
		s = strconv.FormatFloat(r.Low, 'f', -1, 64) + s
	}
	if !math.IsInf(r.High, 1) {
		s += strconv.FormatFloat(r.High, 'f', -1, 64)
	}
	return s
}

// Query is everything one search asks. The zero value asks for every recording, best first.
type Query struct {
	Text        string            // what was typed in the search box, in the language of Parse
	Picks       []Pick            // facet values, in the order they were chosen
	Ranges      []Range           // at most one for each field
	Example     Example           // a sound whose likes are sought
	Where       *Filter           // a further condition, such as a parsed Freesound filter; nil for none
	Sort        Sort              // "" is ByRelevance
	Page        int               // from 1; 0 is 1
	Limit       int               // hits on a page; 0 is DefaultLimit
	GroupByPack bool              // only the best hit of each pack
	Prefix      bool              // the last word may be unfinished (search as you type)
	NumberIsID  bool              // a word of digits also matches the recording of that id (Freesound API)
	AsTyped     bool              // no synonyms
	SomeWords   bool              // where nothing has all the words, find what has the most of them
	Weights     map[Field]float64 // of text fields in the relevance; nil: the index's own
}

// Has reports whether value is chosen in field.
func (q Query) Has(field Field, value string) bool {
	return slices.Contains(q.Picks, Pick{field, value})
}

// Range is the span chosen in field; both ends are open when none is.
func (q Query) Range(field Field) (r Range, chosen bool) {
	for _, r := range q.Ranges {
		if r.Field == field {
			return r, true
		}
	}
	return Range{field, math.Inf(-1), math.Inf(1)}, false
}

// With is q with one more value chosen, back on the first page.
func (q Query) With(field Field, value string) Query {
	q.Page = 0
	if !q.Has(field, value) {
		q.Picks = append(slices.Clone(q.Picks), Pick{field, value})
	}
	return q
}

// Without is q less one chosen value, back on the first page. For a number field, or with value "", it drops everything that
// is chosen in the field.
func (q Query) Without(field Field, value string) Query {
	q.Page = 0
	q.Picks = slices.DeleteFunc(slices.Clone(q.Picks), func(p Pick) bool {
		return p.Field == field && (value == "" || p.Value == value)
	})
	q.Ranges = slices.DeleteFunc(slices.Clone(q.Ranges), func(r Range) bool { return r.Field == field })
	return q
}

// Bare is q without any facet choice, back on the first page: "Reset all" keeps the words and the order.
func (q Query) Bare() Query {
	q.Page, q.Picks, q.Ranges = 0, nil, nil
	return q
}

// Chips lists what is chosen, for the row of removable chips: the picks, then the ranges written as "0.5..15". Each goes away
// through Without(chip.Field, chip.Value).
func (q Query) Chips() []Pick {
	chips := slices.Clone(q.Picks)
	for _, r := range q.Ranges {
		chips = append(chips, Pick{r.Field, r.String()})
	}
	return chips
}

// Chosen lists the fields in which something is chosen, each once.
func (q Query) Chosen() []Field {
	var fields []Field
	for _, c := range q.Chips() {
		if !slices.Contains(fields, c.Field) {
			fields = append(fields, c.Field)
		}
	}
	return fields
}

// Window is the span of hits the page shows, from offset on, at most limit, within the bounds.
func (q Query) Window() (offset, limit int) {
	limit = q.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, MaxLimit)
	page := min(max(q.Page, 1), MaxOffset+1)
	return min((page-1)*limit, MaxOffset), limit
}

// ValueError says which part of a query is not understood. Text is a sentence for the visitor.
type ValueError struct {
	Param string // parameter of the address, or "q"
	Value string
	Text  string
}

func (e *ValueError) Error() string { return e.Text }
