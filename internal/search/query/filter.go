package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Op is what a Filter does.
type Op uint8

// The operations. And and Or of nothing hold for every and for no recording.
const (
	And    Op = iota // all Kids hold
	Or               // any of Kids holds
	Not              // Kids[0] does not hold
	Word             // Words[0] occurs in Field, in any form with the same stem
	Exact            // Words[0] occurs in Field as written
	Phrase           // Words occur in Field as written, one after the other
	Prefix           // a word of Field begins with Words[0], or has its stem
	Equal            // Field has Value
	Span             // Low <= Field <= High
	Listed           // the recording is one of IDs
)

// Filter is a condition on a recording: a leaf on one field, or a combination of others. A nil Filter holds for all.
type Filter struct {
	Op        Op
	Field     Field
	Words     []string  // for Word, Exact, Phrase, Prefix: as Words gives them
	Value     string    // for Equal: as Canonical gives it
	Low, High float64   // for Span: both ends included
	Kids      []*Filter // for And, Or, Not
	IDs       []int64   // for Listed, in no order
}

// All holds where every filter does; nil ones are left out.
func All(kids ...*Filter) *Filter { return join(And, kids) }

// Either holds where one of the filters does.
func Either(kids ...*Filter) *Filter { return join(Or, kids) }

func join(op Op, kids []*Filter) *Filter {
	some := make([]*Filter, 0, len(kids))
	for _, k := range kids {
		if k != nil {
			some = append(some, k)
		}
	}
	if len(some) == 1 {
		return some[0]
	}
	return &Filter{Op: op, Kids: some}
}

// Except holds where f does not.
func Except(f *Filter) *Filter { return &Filter{Op: Not, Kids: []*Filter{f}} }

// Is holds where field has the canonical value.
func Is(field Field, value string) *Filter { return &Filter{Op: Equal, Field: field, Value: value} }

// OneOf holds for the recordings of these ids.
func OneOf(ids []int64) *Filter { return &Filter{Op: Listed, IDs: ids} }

// Between holds where low <= field <= high.
func Between(field Field, low, high float64) *Filter {
	return &Filter{Op: Span, Field: field, Low: low, High: high}
}

// Text holds where field has the words of s next to each other (each by stem when it is one word). A text without any word
// holds for every recording.
func Text(field Field, s string) *Filter {
	switch words := Words(s); len(words) {
	case 0:
		return nil
	case 1:
		return &Filter{Op: Word, Field: field, Words: words}
	default:
		return &Filter{Op: Phrase, Field: field, Words: words}
	}
}

// Filter is the condition that q's chosen values make, leaving out one field (use "-" for none): the counts of a facet ignore
// the choice made in it. It is nil when nothing is chosen.
func (q Query) Filter(leaveOut Field) *Filter {
	var all []*Filter
	for _, field := range q.Chosen() {
		if field != leaveOut {
			all = append(all, q.FieldFilter(field))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return All(all...)
}

// FieldFilter is the condition that q's choice in one field makes, nil when there is none.
func (q Query) FieldFilter(field Field) *Filter {
	if r, ok := q.Range(field); ok {
		return Between(field, r.Low, r.High)
	}
	var picks []*Filter
	for _, p := range q.Picks {
		if p.Field == field {
			picks = append(picks, Is(field, p.Value))
		}
	}
	switch {
	case len(picks) == 0:
		return nil
	case field.Narrows():
		return All(picks...)
	}
	return Either(picks...)
}

// String writes f in one line, for logs and tests.
func (f *Filter) String() string {
	if f == nil {
		return "all"
	}
	switch f.Op {
	case And, Or, Not:
		kids := make([]string, len(f.Kids))
		for i, k := range f.Kids {
			kids[i] = k.String()
		}
		return [...]string{"and", "or", "not"}[f.Op] + "(" + strings.Join(kids, " ") + ")"
	case Equal:
		return string(f.Field) + "=" + strconv.Quote(f.Value)
	case Span:
		return fmt.Sprintf("%s[%s]", f.Field, Range{f.Field, f.Low, f.High})
	}
	text := strings.Join(f.Words, " ")
	switch f.Op {
	case Exact:
		text = "=" + text
	case Phrase:
		text = strconv.Quote(text)
	case Prefix:
		text += "*"
	}
	return string(f.Field) + ":" + text
}

// open is the range without ends.
func open() (float64, float64) { return math.Inf(-1), math.Inf(1) }
