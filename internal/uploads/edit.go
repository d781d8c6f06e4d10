package uploads

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// editing is one recording in its form: what is kept, and what was typed.
type editing struct {
	rec     recordings.Recording
	desc    recordings.Description
	had     []licensing.Offered
	choices []ui.OfferChoice
	file    fileTags
	keep    map[string]bool // personal fields that stay, by key
	tags    string          // as typed
	place   string          // as typed
	seen    string          // marks of what the form showed when it was opened
	errs    []ui.FormError
	note    *ui.Note
	status  int // of the page; 0: what errs say
}

func (s *Store) startEditing(ctx context.Context, rec recordings.Recording) (editing, error) {
	e := editing{rec: rec, keep: map[string]bool{}}
	var err error
	if e.desc, err = s.describing(ctx, s.DB, rec); err != nil {
		return e, err
	}
	e.tags, e.place = strings.Join(e.desc.Tags, ", "), e.desc.Place.String()
	if e.had, err = s.Licensing.Offers(ctx, s.DB, rec.ID); err != nil {
		return e, err
	}
	e.seen = said{e.desc, offersOf(e.had)}.marks()
	models, err := s.offerable(ctx, e.had)
	if err != nil {
		return e, err
	}
	e.choices = s.offerChoices(models, e.had, rec.Category)
	if e.file, err = s.fileTags(ctx, rec); err != nil {
		return e, err
	}
	for _, f := range e.file.personal {
		e.keep[f.Key] = true
	}
	return e, nil
}

func (s *Store) editPage(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.editable(r)
	if err != nil {
		return err
	}
	e, err := s.startEditing(r.Context(), rec)
	if err != nil {
		return err
	}
	return s.showEditing(w, r, e)
}

// editForm saves the form (act=save) and perhaps submits the recording (act=submit). What is saved stays saved when the
// submission is refused.
func (s *Store) editForm(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.editable(r)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	e, err := s.startEditing(r.Context(), rec)
	if err != nil {
		return err
	}
	edit := s.typed(&e, r.PostForm)
	if edit.Seen = clip(r.PostForm.Get("seen"), 200); edit.Seen != "" {
		e.seen = edit.Seen
	}
	if len(e.errs) > 0 {
		return s.showEditing(w, r, e)
	}
	err = s.Save(r.Context(), access.From(r.Context()), rec.ID, edit)
	var old *stale
	if errors.As(err, &old) {
		if e, err = s.besideAnother(r, e, old); err != nil {
			return err
		}
		return s.showEditing(w, r, e)
	}
	if e.refuse("offer", err) {
		return s.showEditing(w, r, e)
	}
	if err != nil {
		return err
	}
	if refused := e.refusedFields(); len(refused) > 0 && r.PostForm.Has("personal") {
		err := s.Strip(r.Context(), rec.ID, refused)
		if e.refuse("", err) {
			return s.showEditing(w, r, e)
		}
		if err != nil {
			return err
		}
	}
	if r.PostForm.Get("act") != "submit" {
		now, err := s.kept(r.Context(), s.DB, rec)
		if err != nil {
			return err
		}
		text := "Saved."
		typed := said{edit.Description, edit.Offers}
		typed.desc.Rights = now.desc.Rights // not asked once it is published
		if now.marks() != typed.marks() {
			text = "Saved, together with what another page changed meanwhile."
		}
		web.Notify(w, s.Site.Secure, text)
		return web.See(w, r, editURL(rec.ID))
	}
	problems, waits, err := s.problems(r.Context(), rec.ID)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		if e.rec, err = s.Recordings.ByID(r.Context(), s.DB, rec.ID); err != nil {
			return err
		}
		if e, err = s.startEditing(r.Context(), e.rec); err != nil {
			return err
		}
		for _, p := range problems {
			e.errs = append(e.errs, ui.FormError{Field: formField(p.Field), Text: p.Text})
		}
		e.note = &ui.Note{Tone: ui.ToneWarn, Text: "It is saved, but not submitted: something is missing."}
		return s.showEditing(w, r, e)
	}
	if err := s.DB.Tx(r.Context(), func(tx *db.Tx) error { return s.Recordings.SubmitWhenReady(r.Context(), tx, rec.ID) }); err != nil {
		return err
	}
	if waits {
		web.Notify(w, s.Site.Secure, "It goes to review as soon as it is analyzed. You hear from us by mail.")
		return web.See(w, r, "/my-sounds")
	}
	web.Notify(w, s.Site.Secure, "Submitted for review. You hear from us by mail.")
	return web.See(w, r, "/my-sounds")
}

// besideAnother is the form again after another page saved some of its fields: what was typed is kept where both changed
// something, elsewhere stands what both pages made together. Sent again, it replaces what the other page saved.
func (s *Store) besideAnother(r *http.Request, typed editing, old *stale) (editing, error) {
	rec, err := s.Recordings.ByID(r.Context(), s.DB, typed.rec.ID)
	if err != nil {
		return typed, err
	}
	e, err := s.startEditing(r.Context(), rec)
	if err != nil {
		return e, err
	}
	e.desc, e.keep, e.seen = old.merged.desc, typed.keep, old.kept.marks()
	if e.tags = strings.Join(e.desc.Tags, ", "); old.has("tags") {
		e.tags = typed.tags
	}
	if e.place = e.desc.Place.String(); old.has("place") {
		e.place = typed.place
	}
	if old.has("offer") || offersText(old.merged.offers) != offersText(old.kept.offers) {
		e.choices = typed.choices
	}
	models, err := s.Licensing.Models(r.Context(), s.DB)
	if err != nil {
		return e, err
	}
	prices := map[string]string{}
	for _, o := range old.kept.offers {
		prices[o.Code] = ""
		if o.Price.Minor != 0 {
			prices[o.Code] = o.Price.Decimal()
		}
	}
	e.errs = old.errors(s.offersInWords(models, prices))
	e.note = &ui.Note{Tone: ui.ToneWarn, Lead: "Not saved yet.", Text: "This recording was saved on another page after you opened this one, and both changed the same. What you typed stands here, with what only the other page changed."}
	e.status = http.StatusConflict
	return e, nil
}

// refuse takes up an error written for visitors as one of the form; false means that it is none of a form's.
func (e *editing) refuse(field string, err error) bool {
	var p *web.Public
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity {
		return false
	}
	e.errs = append(e.errs, ui.FormError{Field: field, Text: p.Text})
	return true
}

// formField is the form's name of a field that recordings.Problems names.
func formField(problem string) string {
	switch problem {
	case "offers":
		return "offer"
	case "file":
		return ""
	}
	return problem
}

// problems lists what the contributor must mend before a recording can be submitted; waits tells that its analysis is not done,
// which mends itself.
func (s *Store) problems(ctx context.Context, id int64) (list []recordings.Problem, waits bool, err error) {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if err != nil {
		return nil, false, err
	}
	tags, err := s.Recordings.Tags(ctx, s.DB, id)
	if err != nil {
		return nil, false, err
	}
	offered, err := s.Licensing.HasOffer(ctx, s.DB, id)
	if err != nil {
		return nil, false, err
	}
	if waits = rec.Processing == recordings.Queued || rec.Processing == recordings.Analyzing; waits {
		rec.Processing = recordings.Ready
	}
	return recordings.Problems(rec, tags, offered), waits, nil
}

// typed reads the form into e and the edit it asks for.
func (s *Store) typed(e *editing, form url.Values) Edit {
	e.tags = clip(form.Get("tags"), 4000) // shown again as typed, whatever came
	e.desc = recordings.Description{
		Title: form.Get("title"), Description: form.Get("description"), Tags: recordings.SplitTags(e.tags), Category: form.Get("category"),
		Pack: form.Get("pack"), AITraining: form.Get("ai") != "", Rights: form.Get("rights") != "",
	}.Clean()
	if _, ok := taxonomy.Find(e.desc.Category); !ok && e.desc.Category != "" {
		e.errs = append(e.errs, ui.FormError{Field: "category", Text: "Choose one of the categories."})
	}
	if text := recordings.TagsRefused(e.tags); text != "" {
		e.errs = append(e.errs, ui.FormError{Field: "tags", Text: text})
	}
	e.place = clip(form.Get("place"), 100)
	if place, ok := recordings.ParsePlace(e.place); ok {
		e.desc.Place = place
	} else {
		e.errs = append(e.errs, ui.FormError{Field: "place", Text: recordings.PlaceRefused})
	}
	offers, errs := s.typedOffers(e.choices, form)
	for _, code := range form["offer"] {
		if !slices.ContainsFunc(e.choices, func(c ui.OfferChoice) bool { return c.Code == code }) {
			errs = append(errs, ui.FormError{Field: "offer", Text: "This site does not offer the license " + strconv.Quote(clip(code, 40)) + "."})
		}
	}
	e.errs = append(e.errs, errs...)
	if form.Has("personal") {
		for key := range e.keep {
			e.keep[key] = slices.Contains(form["keep"], key)
		}
	}
	return Edit{Description: e.desc, Offers: offers, SetOffers: true}
}

func (e *editing) refusedFields() []string {
	var out []string
	for _, f := range e.file.personal {
		if !e.keep[f.Key] {
			out = append(out, f.Key)
		}
	}
	return out
}

func (s *Store) showEditing(w http.ResponseWriter, r *http.Request, e editing) error {
	a := access.From(r.Context())
	packs, err := s.Recordings.Packs(r.Context(), e.rec.OwnerID)
	if err != nil {
		return err
	}
	history, err := s.EditLog(r.Context(), e.rec)
	if err != nil {
		return err
	}
	page := s.describePage(a, e)
	parts := []templ.Component{ui.Describe(page), packList(packs)}
	if forms := stateForms(e.rec); len(forms) > 0 {
		var list []templ.Component
		for _, f := range forms {
			list = append(list, ui.RowFormPart(f))
		}
		parts = append(parts, below("This recording", stack(list...)))
	}
	if len(history) > 0 {
		parts = append(parts, below("Earlier versions", ui.LogLines(history)))
	}
	v := web.View{Title: "Describe " + nameOf(e.rec), Section: ui.SectionUpload, Edit: noIndex}
	if v.Status = e.status; v.Status == 0 && len(e.errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, v, stack(parts...))
}

func (s *Store) describePage(a access.Actor, e editing) ui.DescribePage {
	rec := e.rec
	page := ui.DescribePage{
		Title: "Describe " + nameOf(rec), Sound: s.sound(a, rec, rec.FileName), Action: editURL(rec.ID), Offers: e.choices, Errors: e.errs, Note: e.note,
		Hidden: []ui.Hidden{{Name: "seen", Value: e.seen}}, Save: "Save", Tech: s.tech(e), TagIdeas: e.tagIdeas(),
		Fields: []ui.Field{
			{Name: "title", Label: "Title", Value: e.desc.Title, Wide: true, MaxLength: recordings.MaxTitle, Hint: "What can be heard, in plain words."},
			{Name: "description", Label: "Description", Type: "textarea", Rows: 6, Wide: true, Value: e.desc.Description, Optional: true, MaxLength: recordings.MaxDescription, Hint: "Markdown. Where, when, with what."},
			{Name: "tags", Label: "Tags", Value: e.tags, Wide: true, MaxLength: 1300, Hint: fmt.Sprintf("%d to %d, comma between.", recordings.MinTags, recordings.MaxTags)},
			{Name: "category", Label: "Category", Type: "select", Value: e.desc.Category, Options: categoryOptions()},
			{Name: "pack", Label: "Pack", Value: e.desc.Pack, Optional: true, MaxLength: 100, List: "packs", Hint: "Recordings that belong together. A new name makes a new pack."},
			{Name: "place", Label: "Recorded at", Value: e.place, Optional: true, MaxLength: 60, Hint: "Latitude, longitude: 41.40, 2.17. Everybody sees it; one decimal is a matter of 10 km, four of 10 m."},
		},
		AITraining: ui.Field{Name: "ai", Type: "checkbox", Label: "This recording may be used to train machine learning models.", Hint: "No unless you tick it."},
	}
	if e.desc.AITraining {
		page.AITraining.Value = "on"
	}
	if rec.PublishedAt == 0 {
		page.Rights = ui.Field{Name: "rights", Type: "checkbox", Label: recordings.RightsText}
		if e.desc.Rights {
			page.Rights.Value = "on"
		}
	}
	if len(e.file.personal) > 0 && e.file.canStrip && rec.PublishedAt == 0 {
		page.Hidden = append(page.Hidden, ui.Hidden{Name: "personal", Value: "1"})
		for _, f := range e.file.personal {
			page.Personal = append(page.Personal, ui.PersonalField{Key: f.Key, Source: f.Source, Name: f.Name, Value: clip(f.Value, 300), Why: f.Why, Keep: e.keep[f.Key]})
		}
	}
	s.describeState(&page, e)
	return page
}

// describeState fits the page to the recording's state.
func (s *Store) describeState(page *ui.DescribePage, e editing) {
	rec := e.rec
	note := func(tone, lead, text string) {
		if page.Note == nil {
			page.Note = &ui.Note{Tone: tone, Lead: lead, Text: text}
		}
	}
	switch rec.State {
	case recordings.Draft:
		page.Submit = "Submit for review"
		page.Intro = "Nothing is public until a person has reviewed it."
	case recordings.Returned:
		page.Submit = "Submit again"
		note(ui.ToneWarn, "Returned by the reviewer.", rec.ReturnNote)
	case recordings.Submitted:
		page.Save = ""
		note("", "In review.", "It can be changed again when a person has looked at it.")
	case recordings.Published:
		page.Intro = "It is published: changes show at once, and what it said before is kept in its history."
		if i := slices.IndexFunc(e.had, licensing.Offered.BelowFloor); i >= 0 {
			note(ui.ToneWarn, "A price is too low.", e.had[i].BelowFloorText())
		}
	case recordings.Unpublished:
		page.Intro = "It is unpublished: nobody else sees it."
	}
	switch rec.Processing {
	case recordings.Queued, recordings.Analyzing:
		text := "You can describe and submit it meanwhile; it goes to review when the analysis is done."
		if rec.SubmitWhenReady != 0 {
			text = "It is submitted, and goes to review when the analysis is done."
		}
		note("", "Being analyzed.", text)
	case recordings.Failed:
		note(ui.ToneBad, "This file cannot be used.", rec.ProcessingNote)
	}
}

// tech lists what was measured and what the file says that is not in the form.
func (s *Store) tech(e editing) []ui.Fact {
	rec := e.rec
	out := []ui.Fact{{Label: "File", Value: rec.FileName, Mono: true}, {Label: "Size", Value: ui.Bytes(rec.ByteSize)}, {Label: "Format", Value: formatOf(rec)}}
	if rec.Seconds > 0 {
		out = append(out, ui.Fact{Label: "Length", Value: ui.Length(rec.Seconds)})
	}
	if rec.LUFS != nil {
		out = append(out, ui.Fact{Label: "Loudness", Value: fmt.Sprintf("%.1f LUFS", *rec.LUFS)})
	}
	for _, f := range []struct{ label, value string }{{"Creator in the file", e.file.Artist}, {"Date in the file", e.file.Date}, {"Copyright in the file", e.file.Copyright}} {
		if f.value != "" {
			out = append(out, ui.Fact{Label: f.label, Value: clip(f.value, 100)})
		}
	}
	if !e.file.canStrip {
		for _, f := range e.file.personal {
			out = append(out, ui.Fact{Label: "In the file: " + f.Name, Value: clip(f.Value, 100)})
		}
	}
	return append(out, ui.Fact{Label: "SHA-256", Value: rec.SHA256, Mono: true})
}

// formatOf writes the technical format: "FLAC, 48 kHz, 24 bit, stereo".
func formatOf(rec recordings.Recording) string {
	parts := []string{strings.ToUpper(rec.Container)}
	if rec.SampleRate > 0 {
		parts = append(parts, strconv.FormatFloat(float64(rec.SampleRate)/1000, 'f', -1, 64)+" kHz")
	}
	if rec.BitDepth > 0 {
		parts = append(parts, fmt.Sprintf("%d bit", rec.BitDepth))
	}
	switch rec.Channels {
	case 0:
	case 1:
		parts = append(parts, "mono")
	case 2:
		parts = append(parts, "stereo")
	default:
		parts = append(parts, fmt.Sprintf("%d channels", rec.Channels))
	}
	return strings.Join(parts, ", ")
}

// tagIdeas are words of the file and its name that are not among the tags yet.
func (e *editing) tagIdeas() []string {
	ideas := recordings.CleanTags(append(append(slices.Clone(e.file.Keywords), splitGenre(e.file.Genre)...), e.file.nameTags...))
	ideas = slices.DeleteFunc(ideas, func(t string) bool { return slices.Contains(e.desc.Tags, t) })
	return ideas[:min(len(ideas), 12)]
}

// packList names the owner's packs for the pack field's suggestions.
func packList(packs []recordings.Pack) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		b.WriteString(`<datalist id="packs">`)
		for _, p := range packs {
			b.WriteString(`<option value="` + html.EscapeString(p.Name) + `"></option>`)
		}
		b.WriteString(`</datalist>`)
		_, err := io.WriteString(w, b.String())
		return err
	})
}
