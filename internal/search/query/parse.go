package query

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parsed is what the search box asks for.
type Parsed struct {
	Where  *Filter   // every condition; nil when there is none
	Scored []*Filter // the wanted words, phrases and prefixes: what relevance is computed from
	Terms  []Term    // what the text says beyond bare words
}

// Term is a part of the text that is more than a bare word: an exclusion, a text in quotes or a field term.
type Term struct {
	Source string // as it stands in the text
	Rest   string // the text without it
	Not    bool   // it is excluded
	Field  Field  // of a field term, else Any
	Value  string // what is asked for, without quotes, sign and field name
}

// fieldNames are the names a field term may use before its colon.
var fieldNames = map[string]Field{
	"title": Title, "name": Title, "description": Description, "desc": Description,
	"tag": Tag, "tags": Tag, "category": Category, "cat": Category, "license": License, "licence": License, "type": Type, "format": Type,
	"price": Price, "key": Key, "channels": Channels, "rate": Rate, "samplerate": Rate, "depth": Depth, "bitdepth": Depth,
	"brightness": Brightness, "loop": Loop, "loopable": Loop, "by": By, "user": By, "username": By, "contributor": By,
	"pack": PackWord, "year": Year, "id": ID,
	"duration": Length, "length": Length, "bpm": Tempo, "tempo": Tempo, "loudness": Loudness, "lufs": Loudness, "centroid": Centroid,
	"downloads": Downloads, "rating": Rating, "published": Published, "created": Published,
}

// Parse reads the language of the search box:
//
//	rain forest            both words, in any form with the same stem
//	"oak door"             exactly these words, next to each other
//	-thunder  -"far away"  without them
//	foot*                  words that begin so
//	tag:rain  license:cc0,cc-by  key:Am  type:wav  by:name  is:free  is:loop
//	duration:[1 TO 20]  duration:1..20  bpm:120..130  downloads:>100  published:2026-01..2026-03
//	title:rain  description:"oak door"  pack:drums  price:<3  price:1..9.50
//
// Whatever it does not understand is read as words, so that no text is wrong; only one that is too long is refused, with a
// *ValueError. With prefix, the last word may be unfinished.
func Parse(s string, prefix bool) (Parsed, error) {
	if utf8.RuneCountInString(s) > MaxText {
		return Parsed{}, &ValueError{"q", "", fmt.Sprintf("Search for at most %d characters.", MaxText)}
	}
	p := boxParser{rest: s}
	prefix = prefix && s != "" && !unicode.IsSpace(rune(s[len(s)-1]))
	for p.next() {
		if p.count++; p.count > MaxTerms {
			return Parsed{}, &ValueError{"q", "", fmt.Sprintf("Search for at most %d words at once.", MaxTerms)}
		}
		at, n := len(s)-len(p.rest), len(p.all)
		p.term(prefix)
		if len(p.all) > n {
			p.note(s[:at], s[at:len(s)-len(p.rest)], p.all[n])
		}
	}
	return p.done(), nil
}

// boxParser walks over the text of the search box term by term.
type boxParser struct {
	rest  string
	count int
	all   []*Filter // conditions, in order
	want  []*Filter // scored leaves
	stops []*Filter // stop words, wanted only when there is nothing else
	terms []Term
	field Field // of the field term that was read last
}

// note keeps a term that is more than a bare word.
func (p *boxParser) note(before, source string, f *Filter) {
	t := Term{Source: strings.TrimSpace(source), Rest: strings.Join(strings.Fields(before+" "+p.rest), " "), Not: f.Op == Not, Field: p.field}
	t.Value = strings.TrimLeft(t.Source, "+-")
	if p.field != Any {
		_, t.Value, _ = strings.Cut(t.Value, ":")
	}
	quoted := strings.HasPrefix(t.Value, `"`)
	if t.Value = strings.Trim(t.Value, `"`); t.Not || quoted || p.field != Any {
		p.terms = append(p.terms, t)
	}
	p.field = Any
}

// next skips blanks; false at the end.
func (p *boxParser) next() bool {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	return p.rest != ""
}

// cut takes the text up to the first blank.
func (p *boxParser) cut() string {
	i := strings.IndexFunc(p.rest, unicode.IsSpace)
	if i < 0 {
		i = len(p.rest)
	}
	s := p.rest[:i]
	p.rest = p.rest[i:]
	return s
}

// quoted takes a quoted text, whose first character is the quote; a missing end quote is the end of the text.
func (p *boxParser) quoted() string {
	s := p.rest[1:]
	i := strings.IndexByte(s, '"')
	if i < 0 {
		p.rest = ""
		return s
	}
	p.rest = s[i+1:]
	return s[:i]
}

// term reads one term.
func (p *boxParser) term(prefix bool) {
	not := false
	for p.rest != "" && (p.rest[0] == '-' || p.rest[0] == '+') {
		not = p.rest[0] == '-'
		p.rest = p.rest[1:]
	}
	if p.rest == "" || unicode.IsSpace(rune(p.rest[0])) {
		return
	}
	if p.rest[0] == '"' {
		p.add(not, quotedFilter(Any, p.quoted()))
		return
	}
	if p.fieldTerm(not) {
		return
	}
	word := p.cut()
	last := prefix && strings.TrimLeftFunc(p.rest, unicode.IsSpace) == ""
	if i := strings.IndexByte(word, '"'); i >= 0 { // a quote in the middle begins a phrase of its own
		p.rest = word[i:] + p.rest
		word, last = word[:i], false
	}
	f := wordFilter(Any, word, last || strings.HasSuffix(word, "*"))
	if f != nil && f.Op == Word && !not && stopWord(f.Words[0]) {
		p.stops = append(p.stops, f)
		return
	}
	p.add(not, f)
}

// add keeps a condition, turned round by not.
func (p *boxParser) add(not bool, f *Filter) {
	switch {
	case f == nil:
	case not:
		p.all = append(p.all, Except(f))
	default:
		p.all = append(p.all, f)
		p.want = append(p.want, leaves(f)...)
	}
}

// fieldTerm reads name:value when the name and the value are known; otherwise it takes nothing.
func (p *boxParser) fieldTerm(not bool) bool {
	name, rest, ok := strings.Cut(p.rest, ":")
	if !ok || rest == "" || len(name) > 12 {
		return false
	}
	name = strings.ToLower(name)
	field, known := fieldNames[name]
	if !known && name != "is" {
		return false
	}
	was := p.rest
	p.rest = rest
	value, quote := "", false
	switch {
	case rest[0] == '"':
		value, quote = p.quoted(), true
	case rest[0] == '[' && strings.IndexByte(rest, ']') > 0:
		i := strings.IndexByte(rest, ']') + 1
		value, p.rest = rest[:i], rest[i:]
	default:
		value = p.cut()
	}
	f := fieldFilter(name, field, value, quote)
	if f == nil {
		p.rest = was
		return false
	}
	p.field = field
	if name == "is" {
		p.field = Price
		if strings.EqualFold(value, "loop") || strings.EqualFold(value, "loopable") {
			p.field = Loop
		}
	}
	p.add(not, f)
	return true
}

// fieldFilter compiles one field term, nil when the value does not fit the field.
func fieldFilter(name string, field Field, value string, quote bool) *Filter {
	switch {
	case name == "is":
		switch strings.ToLower(value) {
		case "free":
			return Is(Price, "free")
		case "paid":
			return Except(Is(Price, "free"))
		case "loop", "loopable":
			return Is(Loop, "yes")
		}
		return nil
	case field.Textual() && quote:
		return quotedFilter(field, value)
	case field.Textual():
		return wordFilter(field, value, strings.HasSuffix(value, "*"))
	case field == Price && priceSpan(value):
		low, high, _ := span(Amount, value)
		return Between(Amount, math.Max(low, 0), high) // what is not offered at all has no price, not a low one
	case field.Numeric():
		low, high, ok := span(field, value)
		if !ok {
			return nil
		}
		return Between(field, low, high)
	}
	values := []string{value}
	if !quote {
		values = strings.Split(value, ",")
	}
	var any []*Filter
	for _, v := range values[:min(len(values), MaxTerms)] {
		if v, ok := Canonical(field, v); ok {
			any = append(any, Is(field, v))
		}
	}
	if len(any) == 0 {
		return nil
	}
	return Either(any...)
}

// priceSpan reports whether a price is asked for by numbers ("<3", "1..9"), not by a band.
func priceSpan(value string) bool {
	_, _, ok := span(Amount, value)
	return ok
}

// quotedFilter asks for the words as written, next to each other.
func quotedFilter(field Field, s string) *Filter {
	switch words := Words(s); len(words) {
	case 0:
		return nil
	case 1:
		return &Filter{Op: Exact, Field: field, Words: words}
	default:
		return &Filter{Op: Phrase, Field: field, Words: words}
	}
}

// wordFilter asks for one word as typed between blanks. Several words in it ("lo-fi", "door_oak") are asked for as a phrase, or
// written as one.
func wordFilter(field Field, s string, prefix bool) *Filter {
	words := Words(s)
	n := len(words)
	switch {
	case n == 0:
		return nil
	case n == 1 && prefix && utf8.RuneCountInString(words[0]) >= 2:
		return &Filter{Op: Prefix, Field: field, Words: words}
	case n == 1:
		return &Filter{Op: Word, Field: field, Words: words}
	case prefix && n <= 4:
		var all []*Filter
		for i, w := range words {
			op := Word
			if i == n-1 && utf8.RuneCountInString(w) >= 2 {
				op = Prefix
			}
			all = append(all, &Filter{Op: op, Field: field, Words: []string{w}})
		}
		return All(all...)
	}
	phrase := &Filter{Op: Phrase, Field: field, Words: words}
	joined := strings.Join(words, "")
	if n > 3 || len(joined) > MaxWord {
		return phrase
	}
	return Either(phrase, &Filter{Op: Word, Field: field, Words: []string{joined}})
}

// leaves lists the word, phrase and prefix leaves under f that are wanted.
func leaves(f *Filter) []*Filter {
	switch f.Op {
	case And, Or:
		var all []*Filter
		for _, k := range f.Kids {
			all = append(all, leaves(k)...)
		}
		return all
	case Word, Exact, Phrase, Prefix:
		return []*Filter{f}
	}
	return nil
}

// done puts the terms together. Stop words count only in a query that wants no other word.
func (p *boxParser) done() Parsed {
	if len(p.want) == 0 {
		for _, f := range p.stops {
			p.add(false, f)
		}
	}
	if len(p.all) == 0 {
		return Parsed{}
	}
	return Parsed{All(p.all...), p.want, p.terms}
}
