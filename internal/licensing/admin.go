package licensing

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

func (s *Store) adminList(w http.ResponseWriter, r *http.Request) error {
	models, err := s.Models(r.Context(), s.DB)
	if err != nil {
		return err
	}
	t := ui.Table{Caption: "License models", Head: []ui.Column{{Title: "License"}, {Title: "Code"}, {Title: "Version", Figure: true}, {Title: "Floor", Figure: true},
		{Title: "Music", Figure: true}, {Title: "Effects", Figure: true}, {Title: "Offered"}}}
	for _, m := range models {
		offered := ui.Cell{Text: "yes"}
		switch {
		case !m.Active:
			offered = ui.Cell{Tag: &ui.Tag{Text: "no longer"}}
		case m.ImportsOnly:
			offered = ui.Cell{Text: "imports only"}
		}
		price := func(minor int64) ui.Cell {
			if m.IsFree() {
				return ui.Cell{Text: "free"}
			}
			return ui.Cell{Text: money.Of(minor, s.Currency).String()}
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: m.Name, URL: "/admin/licenses/" + m.Code, Sub: m.Summary}, {Text: m.Code, Mono: true}, {Text: strconv.FormatInt(m.Version, 10)},
			price(m.FloorMinor), price(m.MusicMinor), price(m.SFXMinor), offered})
	}
	p := ui.PlainPage{Title: "License models", Intro: "What is legal in a model has versions: licenses that were sold keep theirs. Prices and whether a model is offered change at once."}
	return s.Site.Page(w, r, web.View{Title: p.Title}, ui.Plain(p, ui.TablePart(t)))
}

func (s *Store) adminForm(w http.ResponseWriter, r *http.Request) error {
	m, err := s.Model(r.Context(), s.DB, r.PathValue("code"), 0)
	if err != nil {
		return err
	}
	return s.showForm(w, r, m, s.formValues(m), nil, http.StatusOK)
}

// numbers are the limits of the form, in its order.
var numbers = []struct {
	name, label, hint string
	at                func(*Terms) *int64
}{
	{"term_months", "Term in months", "0 = perpetual", func(t *Terms) *int64 { return &t.TermMonths }},
	{"projects", "Projects", "-1 = any number", func(t *Terms) *int64 { return &t.Projects }},
	{"seats", "People with the file", "-1 = any number", func(t *Terms) *int64 { return &t.Seats }},
	{"copies", "Copies", "-1 = any number", func(t *Terms) *int64 { return &t.Copies }},
	{"ad_reach", "People reached by paid ads", "0 = no ads, -1 = any number", func(t *Terms) *int64 { return &t.AdReach }},
	{"audience", "Broadcast audience", "-1 = any number", func(t *Terms) *int64 { return &t.Audience }},
}

// switches are its yes/no questions.
var switches = []struct {
	name, label string
	at          func(*Terms) *bool
}{
	{"commercial", "Commercial work", func(t *Terms) *bool { return &t.Commercial }},
	{"client_work", "Client work", func(t *Terms) *bool { return &t.ClientWork }},
	{"broadcast", "Broadcast", func(t *Terms) *bool { return &t.Broadcast }},
	{"theatrical", "Cinema", func(t *Terms) *bool { return &t.Theatrical }},
	{"standalone", "Passing the sound on by itself", func(t *Terms) *bool { return &t.Standalone }},
	{"attribution", "Credit required", func(t *Terms) *bool { return &t.Attribution }},
	{"share_alike", "Share alike required", func(t *Terms) *bool { return &t.ShareAlike }},
	{"contract", "Signed contract required", func(t *Terms) *bool { return &t.Contract }},
}

// formValues are a model's values as the form shows them.
func (s *Store) formValues(m Model) url.Values {
	v := url.Values{"name": {m.Name}, "summary": {m.Summary}, "text": {m.Text}, "territory": {m.Terms.Territory}, "performance": {m.Terms.Performance}, "ai_training": {m.Terms.AITraining},
		"floor": {money.Of(m.FloorMinor, s.Currency).Decimal()}, "music": {money.Of(m.MusicMinor, s.Currency).Decimal()}, "sfx": {money.Of(m.SFXMinor, s.Currency).Decimal()},
		"indemnity": {money.Of(m.Terms.Indemnity, s.Currency).Decimal()}}
	for _, n := range numbers {
		v.Set(n.name, strconv.FormatInt(*n.at(&m.Terms), 10))
	}
	for _, b := range switches {
		if *b.at(&m.Terms) {
			v.Set(b.name, "on")
		}
	}
	if m.Active {
		v.Set("active", "on")
	}
	return v
}

func (s *Store) showForm(w http.ResponseWriter, r *http.Request, m Model, v url.Values, errs []ui.FormError, status int) error {
	answers := func(name, label string) ui.Field {
		return ui.Field{Name: name, Label: label, Type: "select", Value: v.Get(name), Options: []ui.Option{{Value: certificate.Unstated, Label: "The license does not say"},
			{Value: certificate.Allowed, Label: "Included"}, {Value: certificate.Forbidden, Label: "Excluded"}}}
	}
	fields := []ui.Field{
		{Name: "active", Label: "Offered for new recordings and new sales", Type: "checkbox", Value: v.Get("active"), Wide: true},
	}
	if !m.IsFree() {
		fields = append(fields,
			ui.Field{Name: "floor", Label: "Lowest price, " + s.Currency, InputMode: "decimal", Value: v.Get("floor"), Hint: "What contributors ask at least"},
			ui.Field{Name: "music", Label: "Usual price for music", InputMode: "decimal", Value: v.Get("music")},
			ui.Field{Name: "sfx", Label: "Usual price for everything else", InputMode: "decimal", Value: v.Get("sfx")},
			ui.Field{Name: "indemnity", Label: "Indemnity", InputMode: "decimal", Value: v.Get("indemnity"), Hint: "The most you answer for; be insured for it"})
	}
	fields = append(fields,
		ui.Field{Name: "name", Label: "Name", Value: v.Get("name"), MaxLength: 60},
		ui.Field{Name: "summary", Label: "Summary", Value: v.Get("summary"), MaxLength: 200, Wide: true})
	for _, n := range numbers {
		fields = append(fields, ui.Field{Name: n.name, Label: n.label, Hint: n.hint, InputMode: "numeric", Value: v.Get(n.name)})
	}
	for _, b := range switches {
		fields = append(fields, ui.Field{Name: b.name, Label: b.label, Type: "checkbox", Value: v.Get(b.name)})
	}
	fields = append(fields, answers("performance", "Public performance"), answers("ai_training", "Training of AI models"),
		ui.Field{Name: "territory", Label: "Territory", Value: v.Get("territory"), MaxLength: 100},
		ui.Field{Name: "text", Label: "Text of the license", Type: "textarea", Rows: 24, Value: v.Get("text"), Wide: true, MaxLength: maxText, Hint: "Markdown. A change here, or of the terms, makes a new version."})
	p := ui.FormPage{Title: m.Name, Intro: fmt.Sprintf("%s, version %d.", m.Code, m.Version), Action: "/admin/licenses/" + m.Code, Fields: fields, Errors: errs, Submit: "Save",
		Cancel: &ui.Link{Text: "Back", URL: "/admin/licenses"}, Links: []ui.Link{{Text: "As visitors see it", URL: "/licenses/" + m.Code}}}
	return s.Site.Page(w, r, web.View{Title: "License " + m.Name, Status: status}, ui.FormFull(p))
}

func (s *Store) adminSave(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, 4*maxText); err != nil {
		return err
	}
	was, err := s.Model(r.Context(), s.DB, r.PathValue("code"), 0)
	if err != nil {
		return err
	}
	m, errs := s.readForm(was, r.PostForm)
	version := was.Version
	if len(errs) == 0 {
		version, err = s.SaveModel(r.Context(), m)
		var public *web.Public
		switch {
		case errors.As(err, &public) && public.Status == http.StatusUnprocessableEntity:
			errs = []ui.FormError{{Text: public.Text}}
		case err != nil:
			return err
		}
	}
	if len(errs) > 0 {
		return s.showForm(w, r, was, r.PostForm, errs, http.StatusUnprocessableEntity)
	}
	text := m.Name + " is saved."
	if version != was.Version {
		text = fmt.Sprintf("%s is saved as version %d. Licenses sold before keep theirs.", m.Name, version)
	}
	web.Notify(w, s.Site.Secure, text)
	return web.See(w, r, "/admin/licenses")
}

// readForm applies a form to a model; what cannot be read is listed field by field.
func (s *Store) readForm(m Model, v url.Values) (Model, []ui.FormError) {
	var errs []ui.FormError
	m.Active = v.Get("active") == "on"
	m.Name, m.Summary, m.Text = v.Get("name"), v.Get("summary"), v.Get("text")
	amounts := map[string]*int64{"floor": &m.FloorMinor, "music": &m.MusicMinor, "sfx": &m.SFXMinor, "indemnity": &m.Terms.Indemnity}
	if !m.IsFree() {
		for _, name := range []string{"floor", "music", "sfx", "indemnity"} {
			a, err := money.Parse(v.Get(name), s.Currency)
			if err != nil {
				errs = append(errs, ui.FormError{Field: name, Text: "Write an amount as 19 or 19.50."})
				continue
			}
			*amounts[name] = a.Minor
		}
	}
	for _, n := range numbers {
		i, err := strconv.ParseInt(v.Get(n.name), 10, 64)
		if err != nil {
			errs = append(errs, ui.FormError{Field: n.name, Text: "Write a whole number."})
			continue
		}
		*n.at(&m.Terms) = i
	}
	for _, b := range switches {
		*b.at(&m.Terms) = v.Get(b.name) == "on"
	}
	m.Terms.Performance, m.Terms.AITraining = v.Get("performance"), v.Get("ai_training")
	territory, ok := CleanField(v.Get("territory"))
	if !ok {
		errs = append(errs, ui.FormError{Field: "territory", Text: "At most 200 characters."})
	}
	m.Terms.Territory = territory
	return m, errs
}
