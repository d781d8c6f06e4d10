package accounts

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/mail"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Pages are the account pages of a site.
type Pages struct {
	Store *Store
	Site  *web.Site
	Mail  *mail.Mailer // read by /dev/mail, in dev mode only
	// SignedIn is told of every sign-in before the answer goes out, so that a guest's cart can move in; nil: nobody asks.
	SignedIn func(w http.ResponseWriter, r *http.Request, account int64) error
}

// formLimit bounds the body of every account form in bytes.
const formLimit = 64 << 10

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	list := []web.Route{
		{Pattern: "GET /sign-up", Action: access.Look, Handle: p.signUpForm},
		{Pattern: "POST /sign-up", Action: access.Look, Handle: p.signUp},
		{Pattern: "GET /sign-in", Action: access.Look, Handle: p.signInForm},
		{Pattern: "POST /sign-in", Action: access.Look, Handle: p.signIn},
		{Pattern: "POST /sign-out", Action: access.Look, Handle: p.signOut},
		{Pattern: "GET /confirm/{token}", Action: access.Look, Handle: p.confirmForm},
		{Pattern: "POST /confirm/{token}", Action: access.Look, Handle: p.confirm},
		{Pattern: "GET /reset", Action: access.Look, Handle: p.resetForm},
		{Pattern: "POST /reset", Action: access.Look, Handle: p.requestReset},
		{Pattern: "GET /reset/{token}", Action: access.Look, Handle: p.newPasswordForm},
		{Pattern: "POST /reset/{token}", Action: access.Look, Handle: p.newPassword},
		{Pattern: "GET /setup/{token}", Action: access.Look, Handle: p.setupForm},
		{Pattern: "POST /setup/{token}", Action: access.Look, Handle: p.setup},
		{Pattern: "POST /theme", Action: access.Look, Handle: p.theme},
		{Pattern: "GET /settings", Action: access.UseAccount, Handle: p.own(p.settings)},
		{Pattern: "POST /settings/confirm", Action: access.UseAccount, Handle: p.own(p.resendConfirm)},
		{Pattern: "GET /settings/password", Action: access.UseAccount, Handle: p.own(p.passwordForm)},
		{Pattern: "POST /settings/password", Action: access.UseAccount, Handle: p.own(p.password)},
		{Pattern: "GET /settings/email", Action: access.UseAccount, Handle: p.own(p.emailForm)},
		{Pattern: "POST /settings/email", Action: access.UseAccount, Handle: p.own(p.email)},
		{Pattern: "GET /settings/sessions", Action: access.UseAccount, Handle: p.own(p.sessions)},
		{Pattern: "POST /settings/sessions/revoke", Action: access.UseAccount, Handle: p.own(p.revoke)},
		{Pattern: "POST /settings/sessions/everywhere", Action: access.UseAccount, Handle: p.own(p.signOutEverywhere)},
		{Pattern: "GET /settings/api", Action: access.UseAccount, Handle: p.own(p.credentials)},
		{Pattern: "POST /settings/api", Action: access.UseAccount, Handle: p.own(p.addCredential)},
		{Pattern: "POST /settings/api/revoke", Action: access.UseAccount, Handle: p.own(p.revokeCredential)},
		{Pattern: "GET /settings/applications", Action: access.UseAccount, Handle: p.own(p.applications)},
		{Pattern: "POST /settings/applications/revoke", Action: access.UseAccount, Handle: p.own(p.revokeGrant)},
		{Pattern: "GET /apiv2/apply/{$}", Action: access.UseAccount, Handle: p.own(p.credentials)},
		{Pattern: "POST /apiv2/apply/{$}", Action: access.UseAccount, Handle: p.own(p.addCredential)},
		{Pattern: "GET /apiv2/apply/credentials/{key}/edit/{$}", Action: access.UseAccount, Handle: p.own(p.editApplicationForm)},
		{Pattern: "POST /apiv2/apply/credentials/{key}/edit/{$}", Action: access.UseAccount, Handle: p.own(p.editApplication)},
		{Pattern: "GET /apiv2/apply/credentials/{key}/delete/{$}", Action: access.UseAccount, Handle: p.own(p.deleteApplicationForm)},
		{Pattern: "POST /apiv2/apply/credentials/{key}/delete/{$}", Action: access.UseAccount, Handle: p.own(p.deleteApplication)},
		{Pattern: "GET /apiv2/apply/credentials/{key}/monitor/{$}", Action: access.UseAccount, Handle: p.own(p.monitor)},
		{Pattern: "GET /apiv2/login/{$}", Action: access.Look, Handle: p.apiLogin},
		{Pattern: "GET /apiv2/oauth2/authorize", Action: access.Look, Handle: p.authorizeForm},
		{Pattern: "GET /apiv2/oauth2/authorize/{$}", Action: access.Look, Handle: p.authorizeForm},
		{Pattern: "POST /apiv2/oauth2/authorize/{$}", Action: access.Look, Handle: p.authorize},
		{Pattern: "GET /apiv2/oauth2/logout_and_authorize/{$}", Action: access.Look, Handle: p.logoutAndAuthorize},
		{Pattern: "GET /home/app_permissions/permission_granted/{$}", Action: access.Look, Handle: p.showCode},
		{Pattern: "GET /admin/api", Action: access.Administer, Handle: p.own(p.adminAPI)},
		{Pattern: "GET /admin/api/{client}", Action: access.Administer, Handle: p.own(p.adminLevelForm)},
		{Pattern: "POST /admin/api/{client}", Action: access.Administer, Handle: p.own(p.adminLevel)},
		{Pattern: "GET /contributor-terms", Action: access.Look, Handle: p.termsPage},
		{Pattern: "POST /contributor-terms", Action: access.UseAccount, Handle: p.own(p.acceptTerms)},
	}
	if p.Site.Dev {
		list = append(list,
			web.Route{Pattern: "GET /dev/mail", Action: access.SeeDevMail, Handle: p.devMail},
			web.Route{Pattern: "GET /dev/mail/{id}", Action: access.SeeDevMail, Handle: p.devMailOne})
	}
	return list
}

// own lets only browsers with a session through: a program's key must not change the account it belongs to.
func (p *Pages) own(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if access.From(r.Context()).Session == 0 {
			return web.Refuse(http.StatusForbidden, "Settings are changed in a browser, not with an API key.")
		}
		w.Header().Set("Cache-Control", "no-store")
		return h(w, r)
	}
}

// Actor tells who sends a request; it is the site's Actor func.
func (p *Pages) Actor(r *http.Request) (access.Actor, error) {
	return p.Store.actorOf(r, p.CookieName())
}

// CookieName is __Host-am_session over https: browsers then insist on Secure, Path=/ and no Domain.
func (p *Pages) CookieName() string {
	if p.Site.Secure {
		return "__Host-am_session"
	}
	return "am_session"
}

func (p *Pages) setSession(w http.ResponseWriter, token string) {
	// The server decides when a session ends; the cookie outlives it at most.
	http.SetCookie(w, &http.Cookie{
		Name: p.CookieName(), Value: token, Path: "/", MaxAge: int(fullLife / time.Second),
		HttpOnly: true, Secure: p.Site.Secure, SameSite: http.SameSiteLaxMode,
	})
}

func (p *Pages) clearSession(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: p.CookieName(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: p.Site.Secure, SameSite: http.SameSiteLaxMode})
}

func (p *Pages) visit(r *http.Request) Visit {
	v := Visit{IP: p.Site.ClientIP(r), UserAgent: r.UserAgent()}
	if c, err := r.Cookie(p.CookieName()); err == nil {
		v.Old = c.Value
	}
	return v
}

// limit counts one try under the address of who asks.
func (p *Pages) limit(r *http.Request, l web.Limit) error {
	return p.Site.Limits.Take(l, web.IPKey(p.Site.ClientIP(r)), p.Site.Now())
}

// themeCookie holds "light" or "dark"; scripts may set it too.
const themeCookie = "am_theme"

// Theme reads the visitor's choice of "light", "dark" or "" (the system's).
func Theme(r *http.Request) string {
	c, err := r.Cookie(themeCookie)
	if err != nil || c.Value != "light" && c.Value != "dark" {
		return ""
	}
	return c.Value
}

func (p *Pages) setTheme(w http.ResponseWriter, theme string) {
	c := &http.Cookie{Name: themeCookie, Value: theme, Path: "/", MaxAge: 365 * 24 * 3600, Secure: p.Site.Secure, SameSite: http.SameSiteLaxMode}
	if theme == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (p *Pages) theme(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	theme := r.PostForm.Get("theme")
	if theme != "light" && theme != "dark" {
		theme = ""
	}
	if a := access.From(r.Context()); a.SignedIn() && a.Session != 0 {
		if err := p.Store.SetTheme(r.Context(), a.ID, theme); err != nil {
			return err
		}
	}
	p.setTheme(w, theme)
	return web.See(w, r, r.PostForm.Get("next"))
}

// formErrors turns problems into what forms show; ok is false for any other error.
func formErrors(err error) (list []ui.FormError, ok bool) {
	var found Problems
	if !errors.As(err, &found) {
		return nil, false
	}
	for _, one := range found {
		list = append(list, ui.FormError{Field: one.Field, Text: one.Text})
	}
	return list, true
}

// say shows a page of one heading, one sentence and perhaps a way on.
func (p *Pages) say(w http.ResponseWriter, r *http.Request, status int, title, text string, out *ui.Link) error {
	page := ui.PlainPage{Title: title, Intro: text, Read: true}
	if out != nil {
		page.Actions = []ui.Button{{Label: out.Text, URL: out.URL, Kind: "main"}}
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.Site.Page(w, r, web.View{Title: title, Status: status, Edit: noIndex}, ui.Plain(page, templ.NopComponent))
}

func (p *Pages) deadLink(w http.ResponseWriter, r *http.Request) error {
	return p.say(w, r, http.StatusGone, "This link no longer works",
		"It was used before, replaced by a newer one, or is too old. Nothing was changed.", &ui.Link{Text: "Sign in", URL: "/sign-in"})
}

func noIndex(f *ui.Frame) { f.NoIndex = true }

// form shows a page of one form; with errors the status is 422.
func (p *Pages) form(w http.ResponseWriter, r *http.Request, page ui.FormPage) error {
	v := web.View{Title: page.Title, Edit: noIndex}
	if len(page.Errors) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.Site.Page(w, r, v, ui.FormFull(page))
}

// atoi reads a number of a date; anything else is -1, which no date has.
func atoi(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// withNext appends ?next= to a path when there is somewhere to go.
func withNext(path, next string) string {
	if next == "" || next == "/" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

func isGone(err error) bool { return errors.Is(err, ErrLink) || errors.Is(err, db.ErrNotFound) }
