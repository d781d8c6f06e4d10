package accounts

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// SettingsNav is the rail of all settings pages; current is the path of the page shown.
func SettingsNav(current string) []ui.Link {
	list := []ui.Link{
		{Text: "Account", URL: "/settings"},
		{Text: "Profile", URL: "/settings/profile"},
		{Text: "E-mail", URL: "/settings/email"},
		{Text: "Password", URL: "/settings/password"},
		{Text: "Sign-ins", URL: "/settings/sessions"},
		{Text: "Applications", URL: "/settings/applications"},
		{Text: "API", URL: "/settings/api"},
	}
	for i := range list {
		list[i].Current = list[i].URL == current
	}
	return list
}

func (p *Pages) settingsPage(w http.ResponseWriter, r *http.Request, status int, path, title, intro string, body templ.Component) error {
	page := ui.SettingsPage{Title: title, Intro: intro, Nav: SettingsNav(path)}
	return p.Site.Page(w, r, web.View{Title: title, Status: status, Edit: noIndex}, ui.Settings(page, body))
}

func (p *Pages) settings(w http.ResponseWriter, r *http.Request) error {
	a, err := p.Store.ByID(r.Context(), access.From(r.Context()).ID)
	if err != nil {
		return err
	}
	facts := []ui.Fact{
		{Label: "Name", Value: a.Name, URL: "/people/" + a.Name},
		{Label: "E-mail", Value: a.Email},
		{Label: "Role", Value: string(a.Role)},
		{Label: "Member since", Value: ui.Date(a.CreatedAt)},
	}
	if a.Contributor() {
		facts = append(facts, ui.Fact{Label: "Contributor since", Value: ui.Date(a.ContributorSince), URL: "/contributor-terms"})
	} else {
		facts = append(facts, ui.Fact{Label: "Contributor", Value: "not yet: read the terms", URL: "/contributor-terms"})
	}
	var parts []templ.Component
	if a.State == Unconfirmed {
		parts = append(parts,
			ui.NotePart(&ui.Note{Tone: ui.ToneWarn, Text: "Your address is not confirmed: follow the link in the mail that we sent. Until then you can neither buy nor upload."}),
			ui.RowFormPart(ui.RowForm{Action: "/settings/confirm", Button: ui.Button{Label: "Send the mail again"}}))
	}
	parts = append(parts, ui.Box("Details", ui.Facts(facts)), ui.Box("Looks", ui.FormBody(ui.FormPage{
		Action: "/theme", Submit: "Keep", Native: true, Hidden: []ui.Hidden{{Name: "next", Value: "/settings"}},
		Fields: []ui.Field{{Name: "theme", Label: "Theme", Type: "radio", Options: []ui.Option{
			{Value: "", Label: "As the system", Selected: Theme(r) == ""},
			{Value: "light", Label: "Light", Selected: Theme(r) == "light"},
			{Value: "dark", Label: "Dark", Selected: Theme(r) == "dark"},
		}}},
	})))
	return p.settingsPage(w, r, 0, "/settings", "Account", "", ui.Stack(parts...))
}

func (p *Pages) resendConfirm(w http.ResponseWriter, r *http.Request) error {
	a := access.From(r.Context())
	if err := p.Site.Limits.Take(web.ResetByAddress, "confirm "+strconv.FormatInt(a.ID, 10), p.Site.Now()); err != nil {
		return err
	}
	if err := p.Store.ResendConfirm(r.Context(), a.ID); err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "The mail is on its way.")
	return web.See(w, r, "/settings")
}

// settingsForm shows one of the settings' forms; with errors the status is 422.
func (p *Pages) settingsForm(w http.ResponseWriter, r *http.Request, path, title, intro string, f ui.FormPage) error {
	status := 0
	if len(f.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	f.Action, f.Native = path, true
	return p.settingsPage(w, r, status, path, title, intro, ui.FormBody(f))
}

func currentField() ui.Field {
	return ui.Field{Name: "current", Label: "Current password", Type: "password", Autocomplete: "current-password", MaxLength: longest}
}

func (p *Pages) showPassword(w http.ResponseWriter, r *http.Request, errs []ui.FormError) error {
	return p.settingsForm(w, r, "/settings/password", "Password", "A new password signs out all other browsers. Programs keep their credentials: revoke those under API. If somebody else got in, set a new password by mail instead; that revokes them too.",
		ui.FormPage{Submit: "Change the password", Fields: []ui.Field{currentField(), newPasswordField()}, Errors: errs})
}

func (p *Pages) passwordForm(w http.ResponseWriter, r *http.Request) error {
	return p.showPassword(w, r, nil)
}

// limitCurrent counts tries of the current password by account, so that a stolen session cannot guess it.
func (p *Pages) limitCurrent(r *http.Request) error {
	return p.Site.Limits.Take(web.SignInByAccount, "current "+strconv.FormatInt(access.From(r.Context()).ID, 10), p.Site.Now())
}

func (p *Pages) password(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	if err := p.limitCurrent(r); err != nil {
		return err
	}
	a := access.From(r.Context())
	session, err := p.Store.ChangePassword(r.Context(), a.ID, r.PostForm.Get("current"), r.PostForm.Get("password"), p.visit(r))
	if list, ok := formErrors(err); ok {
		return p.showPassword(w, r, list)
	}
	if err != nil {
		return err
	}
	p.setSession(w, session)
	web.Notify(w, p.Site.Secure, "The password is changed. All other browsers are signed out.")
	return web.See(w, r, "/settings/password")
}

func (p *Pages) showEmail(w http.ResponseWriter, r *http.Request, typed string, errs []ui.FormError) error {
	a, err := p.Store.ByID(r.Context(), access.From(r.Context()).ID)
	if err != nil {
		return err
	}
	return p.settingsForm(w, r, "/settings/email", "E-mail", "Mail goes to "+a.Email+". A new address counts once you open the link that we send to it.",
		ui.FormPage{Submit: "Send the link", Errors: errs, Fields: []ui.Field{
			{Name: "email", Label: "New address", Type: "email", Value: typed, Autocomplete: "email", MaxLength: 254}, currentField(),
		}})
}

func (p *Pages) emailForm(w http.ResponseWriter, r *http.Request) error {
	return p.showEmail(w, r, "", nil)
}

func (p *Pages) email(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	if err := p.limitCurrent(r); err != nil {
		return err
	}
	typed := r.PostForm.Get("email")
	if folded, ok := FoldEmail(typed); ok {
		if err := p.Site.Limits.Take(web.ResetByAddress, folded, p.Site.Now()); err != nil {
			return err
		}
	}
	err := p.Store.RequestEmailChange(r.Context(), access.From(r.Context()).ID, r.PostForm.Get("current"), typed)
	if list, ok := formErrors(err); ok {
		return p.showEmail(w, r, typed, list)
	}
	if err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "We wrote to the new address. Open the link in that mail.")
	return web.See(w, r, "/settings/email")
}

func (p *Pages) sessions(w http.ResponseWriter, r *http.Request) error {
	actor := access.From(r.Context())
	a, err := p.Store.ByID(r.Context(), actor.ID)
	if err != nil {
		return err
	}
	list, err := p.Store.Sessions(r.Context(), a)
	if err != nil {
		return err
	}
	rows := make([]ui.SessionRow, len(list))
	for i, s := range list {
		rows[i] = ui.SessionRow{
			ID: strconv.FormatInt(s.ID, 10), Device: s.Browser, Place: s.Network, StartAt: s.CreatedAt, SeenAt: s.SeenAt, Current: s.ID == actor.Session,
		}
	}
	return p.settingsPage(w, r, 0, "/settings/sessions", "Sign-ins", "Where your account is signed in. Times are in UTC, addresses are shortened.",
		ui.Sessions(rows, "/settings/sessions/revoke", "/settings/sessions/everywhere"))
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostForm.Get("session"), 10, 64)
	if err != nil {
		return web.NotFound()
	}
	if err := p.Store.Revoke(r.Context(), access.From(r.Context()).ID, id); err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "That browser is signed out.")
	return web.See(w, r, "/settings/sessions")
}

func (p *Pages) signOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	if err := p.Store.SignOutEverywhere(r.Context(), access.From(r.Context()).ID); err != nil {
		return err
	}
	p.clearSession(w)
	web.Notify(w, p.Site.Secure, "All browsers are signed out, this one too.")
	return web.See(w, r, "/")
}
