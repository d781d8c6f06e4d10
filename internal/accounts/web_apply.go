package accounts

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

func (p *Pages) credentials(w http.ResponseWriter, r *http.Request) error {
	return p.showCredentials(w, r, NewCredential{}, Application{}, nil)
}

// applicationFields are what a person says about a program.
func applicationFields(a Application) []ui.Field {
	return []ui.Field{
		{Name: "name", Label: "Name of the program", Value: a.Name, Hint: "Who is asked to let it act for them reads this.", MaxLength: 60},
		{Name: "url", Label: "Its page", Type: "url", Value: a.URL, Optional: true, MaxLength: 500},
		{Name: "redirect_uri", Label: "Where people are sent back to", Value: a.RedirectURI, Optional: true, MaxLength: 2000,
			Hint: "For OAuth2. Leave it empty for a program that cannot receive a redirect: people copy the code then."},
		{Name: "description", Label: "What it does", Type: "textarea", Value: a.Description, Optional: true, MaxLength: 2000},
	}
}

func typedApplication(r *http.Request) Application {
	f := r.PostForm
	return Application{Name: f.Get("name"), URL: f.Get("url"), RedirectURI: f.Get("redirect_uri"), Description: f.Get("description")}
}

// showCredentials lists the applications of the account; fresh is the one just made, whose secrets are shown this once.
func (p *Pages) showCredentials(w http.ResponseWriter, r *http.Request, fresh NewCredential, typed Application, errs []ui.FormError) error {
	list, err := p.Store.Credentials(r.Context(), access.From(r.Context()).ID)
	if err != nil {
		return err
	}
	var parts []templ.Component
	if fresh.ID != 0 {
		parts = append(parts,
			ui.NotePart(&ui.Note{Tone: ui.ToneWarn, Lead: "Copy these now.", Text: "They are not kept and cannot be shown again."}),
			ui.CopyLine("API key (client secret): reads", fresh.Secret),
			ui.CopyLine("Access token: reads and writes as you for one year, as Authorization: Bearer", fresh.Bearer),
			ui.CopyLine("Client id", fresh.ClientID))
	}
	if len(list) > 0 {
		t := ui.Table{Caption: "Your API credentials", Head: []ui.Column{{Title: "Program and client id"}, {Title: "Made"}, {Title: "Requests"}, {Title: "Revoke"}}}
		for _, c := range list {
			t.Rows = append(t.Rows, []ui.Cell{
				{Text: c.Name, URL: credentialURL(c, "edit"), Sub: c.ClientID}, {Text: ui.ShortDate(c.CreatedAt)},
				{Text: "By day", URL: credentialURL(c, "monitor")},
				{Form: &ui.RowForm{Action: "/settings/api/revoke", Hidden: []ui.Hidden{{Name: "credential", Value: strconv.FormatInt(c.ID, 10)}},
					Button: ui.Button{Label: "Revoke", Of: c.Name, Kind: "stop"}}},
			})
		}
		parts = append(parts, ui.TablePart(t))
	}
	parts = append(parts, ui.FormBody(ui.FormPage{Action: "/settings/api", Submit: "Create a credential", Native: true, Errors: errs, Fields: applicationFields(typed)}))
	status := 0
	if len(errs) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return p.settingsPage(w, r, status, "/settings/api", "API", "Programs use your account through a credential. Revoking one shuts the program out at once.", ui.Stack(parts...))
}

// credentialURL is the address of one of the pages of a credential. It names the client id: an API key does not belong into
// addresses, though one is taken there too.
func credentialURL(a Application, page string) string {
	return "/apiv2/apply/credentials/" + a.ClientID + "/" + page + "/"
}

func (p *Pages) addCredential(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	typed := typedApplication(r)
	fresh, err := p.Store.AddCredential(r.Context(), access.From(r.Context()).ID, typed, false)
	if list, ok := formErrors(err); ok {
		return p.showCredentials(w, r, NewCredential{}, typed, list)
	}
	if err != nil {
		return err
	}
	return p.showCredentials(w, r, fresh, Application{}, nil)
}

func (p *Pages) revokeCredential(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostForm.Get("credential"), 10, 64)
	if err != nil {
		return web.NotFound()
	}
	return p.revoked(w, r, id)
}

func (p *Pages) revoked(w http.ResponseWriter, r *http.Request, id int64) error {
	if err := p.Store.RevokeCredential(r.Context(), access.From(r.Context()).ID, id); err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "The credential is revoked.")
	return web.See(w, r, "/settings/api")
}

// application finds the credential of the path among one's own.
func (p *Pages) application(r *http.Request) (Application, error) {
	return p.Store.ApplicationOf(r.Context(), access.From(r.Context()).ID, r.PathValue("key"))
}

func (p *Pages) editApplicationForm(w http.ResponseWriter, r *http.Request) error {
	a, err := p.application(r)
	if err != nil {
		return err
	}
	return p.showApplication(w, r, a, a, nil)
}

func (p *Pages) showApplication(w http.ResponseWriter, r *http.Request, a, typed Application, errs []ui.FormError) error {
	status := 0
	if len(errs) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return p.settingsPage(w, r, status, "/settings/api", a.Name, "Client id "+a.ClientID+".", ui.FormBody(ui.FormPage{Action: credentialURL(a, "edit"), Submit: "Save", Native: true,
		Fields: applicationFields(typed), Errors: errs, Cancel: &ui.Link{Text: "Back", URL: "/settings/api"}}))
}

func (p *Pages) editApplication(w http.ResponseWriter, r *http.Request) error {
	a, err := p.application(r)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	typed := typedApplication(r)
	typed.ID = a.ID
	err = p.Store.EditApplication(r.Context(), access.From(r.Context()).ID, typed)
	if list, ok := formErrors(err); ok {
		return p.showApplication(w, r, a, typed, list)
	}
	if err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "Saved.")
	return web.See(w, r, "/settings/api")
}

func (p *Pages) deleteApplicationForm(w http.ResponseWriter, r *http.Request) error {
	a, err := p.application(r)
	if err != nil {
		return err
	}
	return p.settingsPage(w, r, 0, "/settings/api", "Revoke "+a.Name, "The program is shut out at once, for everybody who let it act for them. This cannot be undone.",
		ui.FormBody(ui.FormPage{Action: credentialURL(a, "delete"), Submit: "Revoke", Stop: true, Native: true, Cancel: &ui.Link{Text: "Keep it", URL: "/settings/api"}}))
}

func (p *Pages) deleteApplication(w http.ResponseWriter, r *http.Request) error {
	a, err := p.application(r)
	if err != nil {
		return err
	}
	return p.revoked(w, r, a.ID)
}

// monitor shows the owner of a credential how often it asked.
func (p *Pages) monitor(w http.ResponseWriter, r *http.Request) error {
	a, err := p.application(r)
	if err != nil {
		return err
	}
	list, err := p.Store.UsageOf(r.Context(), a.ID, usageDays)
	if err != nil {
		return err
	}
	t := ui.Table{Caption: "Requests by day", Head: []ui.Column{{Title: "Day"}, {Title: "Reads", Figure: true}, {Title: "Writes", Figure: true}}}
	reads, writes := int64(0), int64(0)
	for _, u := range list {
		t.Rows = append(t.Rows, []ui.Cell{{Text: time.Unix(u.Day*24*60*60, 0).UTC().Format("2 Jan 2006")}, {Text: ui.Count(int(u.Reads))}, {Text: ui.Count(int(u.Writes))}})
		reads, writes = reads+u.Reads, writes+u.Writes
	}
	t.Foot = []ui.Cell{{Text: "Together"}, {Text: ui.Count(int(reads))}, {Text: ui.Count(int(writes))}}
	return p.settingsPage(w, r, 0, "/settings/api", a.Name, fmt.Sprintf("Requests of the last %d days, by day in UTC. Level %d.", usageDays, a.Level), ui.TablePart(t))
}

// applications lists whom the person lets act for them.
func (p *Pages) applications(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Store.Grants(r.Context(), access.From(r.Context()).ID)
	if err != nil {
		return err
	}
	var body templ.Component = ui.EmptyPart(ui.Empty{Title: "No application acts for you", Text: "When you let one, it is listed here."})
	if len(list) > 0 {
		t := ui.Table{Caption: "Applications that act for you", Head: []ui.Column{{Title: "Application"}, {Title: "May"}, {Title: "Since"}, {Title: "Revoke"}}}
		for _, g := range list {
			t.Rows = append(t.Rows, []ui.Cell{{Text: g.Name, URL: g.URL}, {Text: scopeWords(g.Scope)}, {Text: ui.ShortDate(g.CreatedAt)},
				{Form: &ui.RowForm{Action: "/settings/applications/revoke", Hidden: []ui.Hidden{{Name: "application", Value: strconv.FormatInt(g.AppID, 10)}},
					Button: ui.Button{Label: "Revoke", Of: g.Name, Kind: "stop"}}}})
		}
		body = ui.TablePart(t)
	}
	return p.settingsPage(w, r, 0, "/settings/applications", "Applications", "Programs of others that you let act for you.", body)
}

func scopeWords(scope string) string {
	if scope == "read" {
		return "read what you can read, and download"
	}
	return "read, download, upload, rate, comment and keep favorites as you"
}

func (p *Pages) revokeGrant(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostForm.Get("application"), 10, 64)
	if err != nil {
		return web.NotFound()
	}
	if err := p.Store.RevokeGrant(r.Context(), access.From(r.Context()).ID, id); err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "That application cannot act for you any more.")
	return web.See(w, r, "/settings/applications")
}

// adminAPI lists the applications that ask most, to slow one down or let it ask more.
func (p *Pages) adminAPI(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Store.Busiest(r.Context(), 200)
	if err != nil {
		return err
	}
	t := ui.Table{Caption: "Applications by requests", Head: []ui.Column{{Title: "Application"}, {Title: "Owner"}, {Title: "Requests in 30 days", Figure: true}, {Title: "Level", Figure: true}, {Title: "Change"}}}
	for _, a := range list {
		level, next := strconv.FormatInt(a.Level, 10), int64(0)
		label := "Suspend"
		if a.Level == 0 {
			next, label = firstLevel, "Let it ask again"
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: a.Name, Sub: a.Description}, {Text: a.Owner, URL: "/people/" + a.Owner}, {Text: ui.Count(int(a.Requests))}, {Text: level, URL: "/admin/api/" + a.ClientID},
			{Form: &ui.RowForm{Action: "/admin/api/" + a.ClientID, Hidden: []ui.Hidden{{Name: "level", Value: strconv.FormatInt(next, 10)}}, Button: ui.Button{Label: label, Of: a.Name}}}})
	}
	return p.Site.Page(w, r, web.View{Title: "API", Edit: noIndex}, ui.Plain(ui.PlainPage{Title: "API", Intro: "Who asks most. Level 1 may read 60 times a minute and 2,000 times a day; open a level to change it."}, ui.TablePart(t)))
}

func (p *Pages) adminLevelForm(w http.ResponseWriter, r *http.Request) error {
	a, err := p.Store.ApplicationByClient(r.Context(), r.PathValue("client"))
	if err != nil {
		return err
	}
	var options []ui.Option
	for _, l := range Levels() {
		text := strconv.FormatInt(l, 10)
		options = append(options, ui.Option{Value: text, Label: levelWords(l), Selected: l == a.Level})
	}
	return p.form(w, r, ui.FormPage{Title: a.Name, Intro: "How fast may it ask?", Action: "/admin/api/" + a.ClientID, Submit: "Save", Cancel: &ui.Link{Text: "Back", URL: "/admin/api"},
		Fields: []ui.Field{{Name: "level", Label: "Level", Type: "radio", Options: options}}})
}

func levelWords(level int64) string {
	switch level {
	case 0:
		return "0: suspended"
	case 1:
		return "1: 60 reads a minute, 2,000 a day; 30 writes a minute, 500 a day"
	case 2:
		return "2: 300 reads a minute, 5,000 a day; 60 writes a minute, 1,000 a day"
	case 3:
		return "3: 300 reads a minute, 15,000 a day; 60 writes a minute, 3,000 a day"
	}
	return "99: no limit"
}

func (p *Pages) adminLevel(w http.ResponseWriter, r *http.Request) error {
	a, err := p.Store.ApplicationByClient(r.Context(), r.PathValue("client"))
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	level, err := strconv.ParseInt(r.PostForm.Get("level"), 10, 64)
	if err != nil {
		level = -1 // refused as no level
	}
	if err := p.Store.SetLevel(r.Context(), a.ID, level); err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "Saved.")
	return web.See(w, r, "/admin/api")
}
