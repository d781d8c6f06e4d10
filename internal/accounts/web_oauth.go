package accounts

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Addresses of the code grant, as clients of the Freesound API know them.
const (
	authorizePath = "/apiv2/oauth2/authorize/"
	codePath      = "/home/app_permissions/permission_granted/"
)

// asking is what an application asks a person for.
type asking struct {
	app       Application
	redirect  string // where the answer goes; empty: the page that shows the code
	given     string // redirect_uri as it came
	state     string
	scope     string
	challenge string
	raw       url.Values
}

// readAsking checks what cannot be told to the application itself: who it is, and where it wants the answer. refusal is for the
// person then.
func (p *Pages) readAsking(r *http.Request, q url.Values) (a asking, refusal string, err error) {
	a = asking{given: q.Get("redirect_uri"), state: q.Get("state"), raw: q}
	a.app, err = p.Store.ApplicationByClient(r.Context(), q.Get("client_id"))
	if errors.Is(err, db.ErrNotFound) {
		return a, "Invalid client_id parameter value.", nil
	}
	if err != nil {
		return a, "", err
	}
	to, ok := a.app.Sends(a.given)
	if !ok {
		return a, "Mismatching redirect URI: this application registered another address to send people back to.", nil
	}
	a.redirect = to
	return a, "", nil
}

// fault names what is wrong with the rest, as RFC 6749, section 4.1.2.1 does; "" when nothing is.
func (a *asking) fault() string {
	switch kind := a.raw.Get("response_type"); kind {
	case "code":
	case "":
		return "invalid_request"
	case "token":
		return "unauthorized_client"
	default:
		return "unsupported_response_type"
	}
	var err error
	if a.scope, err = CleanScope(a.raw.Get("scope")); err != nil {
		return "invalid_scope"
	}
	if challenge := a.raw.Get("code_challenge"); challenge != "" {
		method := a.raw.Get("code_challenge_method")
		if method == "" {
			method = "plain"
		}
		if method != "plain" && method != "S256" || len(challenge) > 128 {
			return "invalid_request"
		}
		a.challenge = method + ":" + challenge
	}
	return ""
}

// back sends the person back to the application with an answer.
func (p *Pages) back(w http.ResponseWriter, r *http.Request, a asking, answer url.Values) error {
	if a.state != "" {
		answer.Set("state", a.state)
	}
	to := a.redirect
	if to == "" {
		to = p.Site.URL + codePath
	}
	if strings.Contains(to, "?") {
		to += "&" + answer.Encode()
	} else {
		to += "?" + answer.Encode()
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", to) // not through http.Redirect, which would take a program's own scheme for a path
	w.WriteHeader(http.StatusFound)
	return nil
}

func (p *Pages) allow(w http.ResponseWriter, r *http.Request, a asking) error {
	code, err := p.Store.Authorize(r.Context(), a.app, access.From(r.Context()).ID, a.given, a.scope, a.challenge)
	if err != nil {
		return err
	}
	return p.back(w, r, a, url.Values{"code": {code}})
}

// asked reads a request to act for somebody up to the point where the person has to decide; done says that it is answered.
func (p *Pages) asked(w http.ResponseWriter, r *http.Request, q url.Values) (a asking, done bool, err error) {
	a, refusal, err := p.readAsking(r, q)
	if err != nil {
		return a, true, err
	}
	if refusal != "" {
		return a, true, p.say(w, r, http.StatusBadRequest, "This application made a mistake", refusal, nil)
	}
	if fault := a.fault(); fault != "" {
		return a, true, p.back(w, r, a, url.Values{"error": {fault}})
	}
	if access.From(r.Context()).Session == 0 {
		// After the sign-in the same is asked again.
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/apiv2/login/?next="+url.QueryEscape(authorizePath+"?"+q.Encode()), http.StatusFound)
		return a, true, nil
	}
	return a, false, nil
}

func (p *Pages) authorizeForm(w http.ResponseWriter, r *http.Request) error {
	a, done, err := p.asked(w, r, r.URL.Query())
	if done {
		return err
	}
	me := access.From(r.Context())
	granted, err := p.Store.Granted(r.Context(), a.app.ID, me.ID, a.scope)
	if err != nil {
		return err
	}
	if granted {
		return p.allow(w, r, a)
	}
	return p.ask(w, r, a)
}

// ask shows who wants to act for the person, and what it may do then.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request, a asking) error {
	page := ui.AuthorizePage{App: a.app.Name, URL: a.app.URL, Description: a.app.Description, Person: access.From(r.Context()).Name, May: scopeWords(a.scope), Action: authorizePath,
		Other: "/apiv2/oauth2/logout_and_authorize/?" + a.raw.Encode()}
	for _, name := range []string{"client_id", "response_type", "state", "redirect_uri", "scope", "code_challenge", "code_challenge_method"} {
		if v := a.raw.Get(name); v != "" {
			page.Hidden = append(page.Hidden, ui.Hidden{Name: name, Value: v})
		}
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	// Browsers hold the address that a form's answer redirects to against form-action too.
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "form-action 'self'", "form-action 'self'"+source(a.redirect), 1))
	return p.Site.Page(w, r, web.View{Title: "Let " + a.app.Name + " act for you?", Edit: noIndex}, ui.Authorize(page))
}

// source is an address as a Content-Security-Policy names where it leads: " https://host" or " scheme:".
func source(address string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return " " + u.Scheme + "://" + u.Host
	}
	return " " + u.Scheme + ":"
}

func (p *Pages) authorize(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	a, done, err := p.asked(w, r, r.PostForm)
	if done {
		return err
	}
	if r.PostForm.Get("allow") == "" {
		return p.back(w, r, a, url.Values{"error": {"access_denied"}})
	}
	return p.allow(w, r, a)
}

// logoutAndAuthorize asks somebody else: who is signed in is signed out first.
func (p *Pages) logoutAndAuthorize(w http.ResponseWriter, r *http.Request) error {
	if me := access.From(r.Context()); me.Session != 0 {
		if err := p.Store.SignOut(r.Context(), me.ID, me.Session); err != nil {
			return err
		}
		p.clearSession(w)
	}
	http.Redirect(w, r, "/apiv2/login/?next="+url.QueryEscape(authorizePath+"?"+r.URL.Query().Encode()), http.StatusFound)
	return nil
}

// apiLogin leads to the sign-in page of this site.
func (p *Pages) apiLogin(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, withNext("/sign-in", web.SafePath(r.URL.Query().Get("next"))), http.StatusFound)
	return nil
}

var codeShape = regexp.MustCompile(`^[A-Za-z0-9]{1,100}$`)

// showCode is where people read the code when their program cannot receive it.
func (p *Pages) showCode(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	code := r.URL.Query().Get("code")
	if !codeShape.MatchString(code) { // whatever else stands in the address is not shown on a page of this site
		return p.say(w, r, http.StatusOK, "Nothing was allowed", "The application was not let in. You can close this page.", nil)
	}
	return p.Site.Page(w, r, web.View{Title: "Copy the code", Edit: noIndex}, ui.Plain(ui.PlainPage{Title: "Copy the code", Intro: "Paste it into the application within ten minutes.", Read: true},
		templ.Component(ui.CopyLine("Code", code))))
}
