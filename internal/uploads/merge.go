package uploads

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web/ui"
)

// said is what the form of one recording says.
type said struct {
	desc   recordings.Description
	offers []licensing.Offer
}

// saidField is one field of the form: its text, to compare it, and how to take it from another saying.
type saidField struct {
	name, label string
	text        func(said) string
	take        func(to *said, from said)
}

// saidFields are the form's fields in the order of a said's marks.
func saidFields() []saidField {
	yes := func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }
	return []saidField{
		{"title", "Title", func(s said) string { return s.desc.Title }, func(to *said, from said) { to.desc.Title = from.desc.Title }},
		{"description", "Description", func(s said) string { return s.desc.Description }, func(to *said, from said) { to.desc.Description = from.desc.Description }},
		{"tags", "Tags", func(s said) string { return strings.Join(s.desc.Tags, ", ") }, func(to *said, from said) { to.desc.Tags = from.desc.Tags }},
		{"category", "Category", func(s said) string { return s.desc.Category }, func(to *said, from said) { to.desc.Category = from.desc.Category }},
		{"pack", "Pack", func(s said) string { return s.desc.Pack }, func(to *said, from said) { to.desc.Pack = from.desc.Pack }},
		{"place", "Place", func(s said) string { return s.desc.Place.String() }, func(to *said, from said) { to.desc.Place = from.desc.Place }},
		{"ai", "AI training", func(s said) string { return yes(s.desc.AITraining) }, func(to *said, from said) { to.desc.AITraining = from.desc.AITraining }},
		{"rights", "Rights", func(s said) string { return yes(s.desc.Rights) }, func(to *said, from said) { to.desc.Rights = from.desc.Rights }},
		{"offer", "Licenses", func(s said) string { return offersText(s.offers) }, func(to *said, from said) { to.offers = from.offers }},
	}
}

// offersText names offers by their codes and prices, in the order of the codes: "cc0, standard 3.00".
func offersText(offers []licensing.Offer) string {
	out := make([]string, len(offers))
	for i, o := range offers {
		if out[i] = o.Code; o.Price.Minor != 0 {
			out[i] += " " + o.Price.Decimal()
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func mark(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// marks stand for what a form showed when it was opened, field by field. The form carries them as its version.
func (s said) marks() string {
	var out []string
	for _, f := range saidFields() {
		out = append(out, mark(f.text(s)))
	}
	return strings.Join(out, "-")
}

// merge joins what was typed in a form, which showed what seen marks when it was opened, with what is kept now. A field that was
// not touched in the form stays as it is kept; one that nobody else touched becomes what was typed. What was changed on both sides
// comes back in both, and out holds what was typed there.
func merge(kept, typed said, seen string) (out said, both []saidField) {
	out = typed
	base := strings.Split(seen, "-")
	for i, f := range saidFields() {
		was := ""
		if i < len(base) {
			was = base[i]
		}
		k, t := f.text(kept), f.text(typed)
		switch {
		case k == t || mark(k) == was:
		case mark(t) == was:
			f.take(&out, kept)
		default:
			both = append(both, f)
		}
	}
	return out, both
}

// marksSeen are the marks of a row that shows what seen marks, except in the columns that were sent: there it shows what now marks.
func marksSeen(seen, now string, columns []string) string {
	was, is := strings.Split(seen, "-"), strings.Split(now, "-")
	if len(was) != len(is) {
		return now
	}
	for i, f := range saidFields() {
		if column := sheetColumn(f.name); slices.Contains(columns, column) || column == "license" && slices.Contains(columns, "price") {
			was[i] = is[i]
		}
	}
	return strings.Join(was, "-")
}

// stale is the refusal of a form some of whose fields were saved on another page after it was opened.
type stale struct {
	kept, merged said
	both         []saidField
}

// ErrStale is wrapped by the refusal of an edit whose fields somebody else saved meanwhile.
var ErrStale = errors.New("saved elsewhere meanwhile")

// Unwrap makes errors.Is find ErrStale.
func (e *stale) Unwrap() error { return ErrStale }

func (e *stale) Error() string {
	return fmt.Sprintf("%d fields were saved on another page meanwhile", len(e.both))
}

// errors says of each field what the other page saved; offers are its offers in words.
func (e *stale) errors(offers string) []ui.FormError {
	var out []ui.FormError
	for _, f := range e.both {
		there := f.text(e.kept)
		if f.name == "offer" {
			there = offers
		}
		if there = "“" + clip(there, 200) + "”"; there == "“”" {
			there = "nothing"
		}
		out = append(out, ui.FormError{Field: f.name, Text: f.label + ": another page saved " + there + " here after you opened this one. Save again to put yours in its place."})
	}
	return out
}

// has tells whether a field was changed on both sides.
func (e *stale) has(name string) bool {
	return slices.ContainsFunc(e.both, func(f saidField) bool { return f.name == name })
}

func offersOf(had []licensing.Offered) []licensing.Offer {
	out := make([]licensing.Offer, len(had))
	for i, o := range had {
		out[i] = licensing.Offer{Code: o.Model.Code, Price: o.Price}
	}
	return out
}
