package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FilterError says why a Freesound filter is refused. Error is the API's "detail" text, word for word as its clients know it.
type FilterError struct {
	Kind  FilterFault
	Field string // the field it is about, "" for none
	Text  string
}

// FilterFault is the kind of a FilterError.
type FilterFault uint8

// The faults of a filter.
const (
	FilterEmpty       FilterFault = iota // present but empty
	FilterSyntax                         // not in the language
	FilterUnknown                        // no such field
	FilterUnsupported                    // a field or form of the language that this program does not have
	FilterType                           // a value that its field cannot have
)

func (e *FilterError) Error() string { return e.Text }

const filterHint = " (please check that your filter syntax and field names are correct)"

func filterFault(kind FilterFault, field, format string, args ...any) error {
	return &FilterError{kind, field, "Search server error: " + fmt.Sprintf(format, args...) + filterHint}
}

// Bounds of a Freesound filter.
const (
	maxFilterText    = 4000 // bytes
	maxFilterClauses = 100
	maxFilterDepth   = 20
)

// ParseFreesound reads the filter parameter of the Freesound API: clauses field:value, with a blank or AND between those that must
// all hold, OR, NOT, +, - and parentheses; a value is a word, a "quoted text", a range [a TO b] (with * for an open end, and date
// arithmetic such as NOW-1YEAR/DAY, which counts from now), or several in parentheses. The error is a *FilterError.
func ParseFreesound(s string, now time.Time) (*Filter, error) {
	if strings.TrimSpace(s) == "" {
		return nil, &FilterError{FilterEmpty, "", "Invalid filter."}
	}
	if len(s) > maxFilterText {
		return nil, filterFault(FilterSyntax, "", "the filter is longer than %d bytes", maxFilterText)
	}
	p := filterParser{in: s, now: now.UTC()}
	f, err := p.either(0, "")
	if err != nil {
		return nil, err
	}
	if p.blanks(); p.at < len(p.in) {
		return nil, p.fault("unexpected %q", p.in[p.at:p.at+1])
	}
	return f, nil
}

// filterParser is a recursive descent over the text. Inside field:( … ) clauses are bare values of that field.
type filterParser struct {
	in      string
	at      int
	clauses int
	now     time.Time
}

func (p *filterParser) fault(format string, args ...any) error {
	return filterFault(FilterSyntax, "", "cannot parse the filter at character %d: %s", p.at+1, fmt.Sprintf(format, args...))
}

func (p *filterParser) blanks() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

// keyword takes the word when it stands here on its own.
func (p *filterParser) keyword(words ...string) bool {
	p.blanks()
	for _, w := range words {
		rest, ok := strings.CutPrefix(p.in[p.at:], w)
		if ok && (rest == "" || strings.IndexByte(" \t\r\n(+-\"", rest[0]) >= 0 || w == "&&" || w == "||") {
			p.at += len(w)
			return true
		}
	}
	return false
}

// either reads clauses joined by OR; AND and blanks bind closer.
func (p *filterParser) either(depth int, field string) (*Filter, error) {
	if depth > maxFilterDepth {
		return nil, p.fault("more than %d parentheses within each other", maxFilterDepth)
	}
	var any []*Filter
	for {
		f, err := p.all(depth, field)
		if err != nil {
			return nil, err
		}
		any = append(any, f)
		if !p.keyword("OR", "||") {
			return Either(any...), nil
		}
	}
}

// all reads clauses that must all hold, at least one.
func (p *filterParser) all(depth int, field string) (*Filter, error) {
	var all []*Filter
	for {
		f, err := p.clause(depth, field)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
		and := p.keyword("AND", "&&")
		p.blanks()
		if !and {
			was := p.at
			if p.at == len(p.in) || p.in[p.at] == ')' || p.keyword("OR", "||") {
				p.at = was
				return All(all...), nil
			}
		}
	}
}

// clause reads one condition.
func (p *filterParser) clause(depth int, field string) (*Filter, error) {
	if p.clauses++; p.clauses > maxFilterClauses {
		return nil, p.fault("more than %d conditions", maxFilterClauses)
	}
	not := false
	for {
		p.blanks()
		if p.keyword("NOT") {
			not = !not
		} else if p.at < len(p.in) && (p.in[p.at] == '-' || p.in[p.at] == '!') && (field == "" || !numericFreesound(field)) {
			not = !not
			p.at++
		} else if p.at < len(p.in) && p.in[p.at] == '+' {
			p.at++
		} else {
			break
		}
	}
	f, err := p.condition(depth, field)
	if err == nil && not {
		f = Except(f)
	}
	return f, err
}

func (p *filterParser) condition(depth int, field string) (*Filter, error) {
	if p.at == len(p.in) {
		return nil, p.fault("a condition is missing at the end")
	}
	if p.in[p.at] == '(' {
		p.at++
		f, err := p.either(depth+1, field)
		if err != nil {
			return nil, err
		}
		if p.blanks(); p.at == len(p.in) || p.in[p.at] != ')' {
			return nil, p.fault("a closing parenthesis is missing")
		}
		p.at++
		return f, nil
	}
	if field != "" {
		return p.value(field)
	}
	if strings.HasPrefix(p.in[p.at:], "{!") {
		return p.around()
	}
	start := p.at
	for p.at < len(p.in) && (p.in[p.at] == '_' || p.in[p.at] >= 'a' && p.in[p.at] <= 'z' || p.in[p.at] >= 'A' && p.in[p.at] <= 'Z' || p.in[p.at] >= '0' && p.in[p.at] <= '9') {
		p.at++
	}
	name := p.in[start:p.at]
	if name == "" || p.at == len(p.in) || p.in[p.at] != ':' {
		return nil, p.fault("a field name and a colon were expected")
	}
	p.at++
	if err := knownFreesound(name); err != nil {
		return nil, err
	}
	p.blanks() // Ardour writes one after the colon
	if p.at < len(p.in) && p.in[p.at] == '(' {
		return p.condition(depth, name)
	}
	return p.value(name)
}

// value reads a word, a quoted text or a range, and makes the condition of it.
func (p *filterParser) value(field string) (*Filter, error) {
	if p.at == len(p.in) {
		return nil, p.fault("a value of %s is missing", field)
	}
	switch p.in[p.at] {
	case '"':
		var text strings.Builder
		for p.at++; p.at < len(p.in) && p.in[p.at] != '"'; p.at++ {
			if p.in[p.at] == '\\' && p.at+1 < len(p.in) {
				p.at++
			}
			text.WriteByte(p.in[p.at])
		}
		if p.at == len(p.in) {
			return nil, p.fault("a closing quote is missing")
		}
		p.at++
		return p.compile(field, text.String(), true)
	case '[', '{':
		end := strings.IndexAny(p.in[p.at:], "]}")
		if end < 0 {
			return nil, p.fault("a closing bracket is missing")
		}
		body := p.in[p.at+1 : p.at+end]
		openLow, openHigh := p.in[p.at] == '{', p.in[p.at+end] == '}'
		low, high, ok := strings.Cut(body, " TO ")
		if !ok {
			return nil, p.fault("a range is written [a TO b]")
		}
		p.at += end + 1
		return p.span(field, unquote(low), unquote(high), openLow, openHigh)
	}
	var text strings.Builder
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n()[]{}\"", p.in[p.at]) < 0 {
		if p.in[p.at] == '\\' && p.at+1 < len(p.in) {
			p.at++
		}
		text.WriteByte(p.in[p.at])
		p.at++
	}
	if text.Len() == 0 {
		return nil, p.fault("a value of %s is missing", field)
	}
	return p.compile(field, text.String(), false)
}

func unquote(s string) string { return strings.Trim(strings.TrimSpace(s), `"`) }

func typeFault(field, kind, value string) error {
	return &FilterError{FilterType, field, fmt.Sprintf("Filter parsing error: '%s' value must be %s, got '%s'", field, kind, value)}
}

// compile makes the condition that field has a value.
func (p *filterParser) compile(field, value string, quoted bool) (*Filter, error) {
	if field == placeField {
		return p.place(value)
	}
	if value == "*" && !quoted {
		return All(), nil // any value
	}
	if inner, ok := quotedRange(value); quoted && ok && freesoundText(field) == Any { // a client quotes whatever it is given
		low, high, _ := strings.Cut(inner, " TO ")
		return p.span(field, unquote(low), unquote(high), false, false)
	}
	if field == "is_geotagged" {
		told := Is(outsidePrefix+placeField, "*")
		if yes, err := truth(field, value); err != nil || yes {
			return told, err
		}
		return Except(told), nil
	}
	if slices.Contains(neverTrue(), field) {
		yes, err := truth(field, value)
		if err != nil || yes {
			return Either(), err
		}
		return All(), nil
	}
	if k := freesoundOutside(field); k != 0 {
		return p.outside(field, k, value)
	}
	if text := freesoundText(field); text != Any {
		if !quoted && strings.HasSuffix(value, "*") {
			if f := wordFilter(text, value, true); f != nil {
				return f, nil
			}
		}
		if f := Text(text, value); f != nil {
			return f, nil
		}
		return Either(), nil // a text without a word is nowhere
	}
	if number, whole := freesoundNumber(field); number != Any {
		low, err := p.number(field, number, value, whole)
		if err != nil {
			return nil, err
		}
		if number == Tempo {
			return Between(number, low-.5, low+.5), nil
		}
		return Between(number, low, low), nil
	}
	target, whole := freesoundValue(field)
	if whole {
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return nil, typeFault(field, "int", value)
		}
	}
	switch field {
	case "license":
		return freesoundLicense(value), nil
	case "category", "subcategory":
		return freesoundCategory(value, field == "subcategory"), nil
	case "pack_grouping":
		value, _, _ = strings.Cut(value, "_")
	case "loopable":
		if _, err := truth(field, value); err != nil {
			return nil, err
		}
	}
	canonical, ok := Canonical(target, value)
	if !ok {
		return Either(), nil // a value that no recording can have
	}
	return Is(target, canonical), nil
}

// quotedRange is what stands between the brackets of a text that is a range.
func quotedRange(s string) (inner string, ok bool) {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' || !strings.Contains(s, " TO ") {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// truth reads true or false.
func truth(field, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, typeFault(field, "bool", value)
}

// outside makes the condition that a field that the index does not hold has a value.
func (p *filterParser) outside(field string, k kind, value string) (*Filter, error) {
	name := Field(outsidePrefix + field)
	switch k {
	case 'i', 'f':
		v, err := p.number(field, name, value, k == 'i')
		return Between(name, v, v), err
	case 'b':
		yes, err := truth(field, value)
		return Is(name, strconv.FormatBool(yes)), err
	}
	return Is(name, strings.ToLower(value)), nil
}

// span makes the condition that field lies between two values; open ends are left out themselves.
func (p *filterParser) span(field, a, b string, openLow, openHigh bool) (*Filter, error) {
	if field == placeField {
		return p.corners(a, b)
	}
	number, whole := freesoundNumber(field)
	if k := freesoundOutside(field); k == 'i' || k == 'f' {
		number, whole = Field(outsidePrefix+field), k == 'i'
	}
	value, wholeValue := freesoundValue(field)
	low, high := open()
	var err error
	switch {
	case number != Any:
		if a != "*" {
			if low, err = p.number(field, number, a, whole); err != nil {
				return nil, err
			}
		}
		if b != "*" {
			if high, err = p.number(field, number, b, whole); err != nil {
				return nil, err
			}
		}
		if openLow {
			low = beyond(number, low, 1)
		}
		if openHigh {
			high = beyond(number, high, -1)
		}
		return Between(number, low, high), nil
	case !wholeValue:
		return nil, filterFault(FilterUnsupported, field, "a range of %s is not supported", field)
	}
	for _, end := range []struct {
		text string
		to   *float64
		open bool
		step float64
	}{{a, &low, openLow, 1}, {b, &high, openHigh, -1}} {
		if end.text == "*" {
			continue
		}
		n, err := strconv.ParseInt(end.text, 10, 64)
		if err != nil {
			return nil, typeFault(field, "int", end.text)
		}
		if *end.to = float64(n); end.open {
			*end.to += end.step
		}
	}
	return Between(value, low, high), nil
}

// beyond is the next value after v towards step: columns are float32 or whole numbers.
func beyond(f Field, v, step float64) float64 {
	switch f {
	case Downloads, Published:
		return v + step
	}
	return float64(math.Nextafter32(float32(v), float32(math.Inf(int(step)))))
}

// number reads a number or an instant.
func (p *filterParser) number(name string, f Field, s string, whole bool) (float64, error) {
	if f == Published {
		t, ok := instant(s, p.now)
		if !ok {
			return 0, typeFault(name, "datetime", s)
		}
		return float64(t.UnixMicro()), nil
	}
	if whole {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, typeFault(name, "int", s)
		}
		return float64(n), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, typeFault(name, "float", s)
	}
	return v, nil
}
