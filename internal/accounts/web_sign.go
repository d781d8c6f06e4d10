package accounts

import (
	"errors"
	"net/http"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

func (p *Pages) signUpForm(w http.ResponseWriter, r *http.Request) error {
	if access.From(r.Context()).SignedIn() {
		return web.See(w, r, r.URL.Query().Get("next"))
	}
	if p.Store.turnedAway(r) {
		return p.turnAway(w, r)
	}
	return p.Site.Page(w, r, web.View{Title: "Sign up"}, ui.SignUp(ui.SignUpPage{
		Next: web.SafePath(r.URL.Query().Get("next")), MinPassword: MinPassword,
	}))
}

func (p *Pages) signUp(w http.ResponseWriter, r *http.Request) error {
	// Before the form is even read: the browser was told no a while ago.
	if p.Store.turnedAway(r) {
		return p.turnAway(w, r)
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	f := r.PostForm
	a := Applicant{
		Name: f.Get("name"), Email: f.Get("email"), Password: f.Get("password"),
		Born: Born{atoi(f.Get("born_year")), atoi(f.Get("born_month")), atoi(f.Get("born_day"))}, Next: web.SafePath(f.Get("next")),
	}
	err := p.Store.CheckSignUp(r.Context(), a)
	if err == nil {
		// Only forms that would be taken are counted: who mistypes is not locked out.
		if err := p.limit(r, web.SignUpByIP); err != nil {
			return err
		}
		err = p.Store.SignUp(r.Context(), a)
	}
	if errors.Is(err, ErrTooYoung) {
		http.SetCookie(w, &http.Cookie{
			Name: ageCookie, Value: p.Store.ageStamp(), Path: "/sign-up", MaxAge: int(ageCookieLife.Seconds()),
			HttpOnly: true, Secure: p.Site.Secure, SameSite: http.SameSiteLaxMode,
		})
		return p.turnAway(w, r)
	}
	if list, ok := formErrors(err); ok {
		return p.Site.Page(w, r, web.View{Title: "Sign up", Status: http.StatusUnprocessableEntity}, ui.SignUp(ui.SignUpPage{
			Name: a.Name, Email: a.Email, Year: f.Get("born_year"), Month: f.Get("born_month"), Day: f.Get("born_day"),
			Next: a.Next, Errors: list, MinPassword: MinPassword,
		}))
	}
	if err != nil {
		return err
	}
	// One answer for known and unknown addresses; what differs is in the mail.
	if a.Born.under(minorUntil, p.Store.Now()) {
		return p.say(w, r, http.StatusOK, "A guardian is needed", guardianText, &ui.Link{Text: "Go on listening", URL: "/"})
	}
	text := "We wrote to " + cleanEmail(a.Email) + ". Open the link in that mail and enter your password; then the account is yours."
	var out *ui.Link
	if p.Site.Dev {
		text += " This copy runs in dev mode: mail that could not be sent is readable here."
		out = &ui.Link{Text: "Read the mail", URL: "/dev/mail"}
	}
	return p.say(w, r, http.StatusOK, "Look into your mail", text, out)
}

const guardianText = "At your age a parent or guardian has to agree before you can use an account. This site cannot take that agreement yet. Until then the account rests; listening needs none."

func (p *Pages) turnAway(w http.ResponseWriter, r *http.Request) error {
	return p.say(w, r, http.StatusForbidden, "No account this time",
		"With what you entered we cannot open an account, and we kept nothing of it. Listening needs no account.", &ui.Link{Text: "Go on listening", URL: "/"})
}

func (p *Pages) signInForm(w http.ResponseWriter, r *http.Request) error {
	next := web.SafePath(r.URL.Query().Get("next"))
	if access.From(r.Context()).SignedIn() {
		return web.See(w, r, next)
	}
	return p.Site.Page(w, r, web.View{Title: "Sign in"}, ui.SignIn(ui.SignInPage{Next: next}))
}

// longest is more bytes than any password of MaxPassword characters has.
const longest = 4 * MaxPassword

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	login, password, next := r.PostForm.Get("email"), r.PostForm.Get("password"), web.SafePath(r.PostForm.Get("next"))
	if err := p.limit(r, web.SignInByIP); err != nil {
		return err
	}
	if err := p.limitLogin(r, login); err != nil {
		return err
	}
	if len(password) > longest {
		password = "" // the same work and the same answer as any wrong password
	}
	token, a, err := p.Store.SignIn(r.Context(), login, password, p.visit(r))
	switch {
	case errors.Is(err, ErrCredentials):
		return p.Site.Page(w, r, web.View{Title: "Sign in", Status: http.StatusUnauthorized}, ui.SignIn(ui.SignInPage{
			Email: login, Next: next, Errors: []ui.FormError{{Field: "password", Text: "The address or the password is wrong."}},
		}))
	case errors.Is(err, ErrGuardian):
		return p.say(w, r, http.StatusForbidden, "A guardian is needed", guardianText, &ui.Link{Text: "Go on listening", URL: "/"})
	case errors.Is(err, ErrSuspended):
		return p.say(w, r, http.StatusForbidden, "This account is suspended", suspendedText, nil)
	case err != nil:
		return err
	}
	return p.welcome(w, r, token, a, next)
}

const suspendedText = "It cannot be used for now. What you licensed stays licensed. Write to the operator of this site if you think that this is wrong."

// limitLogin counts tries on one account from one address; the account is counted whether it exists or not.
func (p *Pages) limitLogin(r *http.Request, login string) error {
	key, ok := FoldEmail(login)
	if !ok {
		key = FoldName(login)
	}
	return p.Site.Limits.Take(web.SignInByAccount, key+"|"+web.IPKey(p.Site.ClientIP(r)), p.Site.Now())
}

// welcome sets the cookie of a new session and leads on.
func (p *Pages) welcome(w http.ResponseWriter, r *http.Request, token string, a Account, next string) error {
	if p.SignedIn != nil {
		if err := p.SignedIn(w, r, a.ID); err != nil {
			return err
		}
	}
	p.setSession(w, token)
	if a.Theme != "" {
		p.setTheme(w, a.Theme)
	}
	return web.See(w, r, next)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if a := access.From(r.Context()); a.Session != 0 {
		if err := p.Store.SignOut(r.Context(), a.ID, a.Session); err != nil {
			return err
		}
	}
	p.clearSession(w)
	return web.See(w, r, "/")
}

func (p *Pages) confirmForm(w http.ResponseWriter, r *http.Request) error {
	l, err := p.Store.ConfirmLink(r.Context(), r.PathValue("token"))
	if isGone(err) {
		return p.deadLink(w, r)
	}
	if err != nil {
		return err
	}
	return p.form(w, r, p.confirmPage(r, l, nil))
}

func (p *Pages) confirmPage(r *http.Request, l Link, errs []ui.FormError) ui.FormPage {
	page := ui.FormPage{
		Title: "Confirm your address", Intro: l.Email + " will belong to your account.",
		Action: "/confirm/" + r.PathValue("token"), Hidden: []ui.Hidden{{Name: "next", Value: web.SafePath(r.FormValue("next"))}},
		Submit: "Confirm", Errors: errs, Native: true,
	}
	if access.From(r.Context()).ID != l.Account {
		page.Intro = l.Email + " will belong to your account. Enter its password to show that it was you who asked."
		page.Submit = "Confirm and sign in"
		page.Fields = []ui.Field{{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password", MaxLength: longest}}
		page.Links = []ui.Link{{Text: "Forgotten password", URL: "/reset"}}
	}
	return page
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	if err := p.limit(r, web.SignInByIP); err != nil {
		return err
	}
	token, password := r.PathValue("token"), r.PostForm.Get("password")
	if len(password) > longest {
		password = ""
	}
	actor := access.From(r.Context())
	if actor.Session == 0 {
		actor = access.Actor{}
	}
	session, a, err := p.Store.Confirm(r.Context(), token, actor, password, p.visit(r))
	switch {
	case isGone(err):
		return p.deadLink(w, r)
	case errors.Is(err, ErrCredentials):
		if err := p.limitLogin(r, a.Email); err != nil {
			return err
		}
		l, err := p.Store.ConfirmLink(r.Context(), token)
		if err != nil {
			return err
		}
		return p.form(w, r, p.confirmPage(r, l, []ui.FormError{{Field: "password", Text: "This is not the password of the account."}}))
	case errors.Is(err, ErrGuardian):
		return p.say(w, r, http.StatusForbidden, "A guardian is needed", guardianText, nil)
	case errors.Is(err, ErrSuspended):
		return p.say(w, r, http.StatusForbidden, "This account is suspended", suspendedText, nil)
	case err != nil:
		return err
	}
	web.Notify(w, p.Site.Secure, "Your address is confirmed.")
	next := web.SafePath(r.PostForm.Get("next"))
	if session == "" {
		return web.See(w, r, next)
	}
	return p.welcome(w, r, session, a, next)
}

func resetPage(email string, errs []ui.FormError) ui.FormPage {
	return ui.FormPage{
		Title: "Set a new password", Intro: "We mail you a link that works for one hour.", Action: "/reset", Submit: "Send the link",
		Fields: []ui.Field{{Name: "email", Label: "E-mail", Type: "email", Value: email, Autocomplete: "email", MaxLength: 254}},
		Errors: errs, Links: []ui.Link{{Text: "Sign in", URL: "/sign-in"}},
	}
}

func (p *Pages) resetForm(w http.ResponseWriter, r *http.Request) error {
	return p.form(w, r, resetPage("", nil))
}

func (p *Pages) requestReset(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	address := r.PostForm.Get("email")
	if folded, ok := FoldEmail(address); ok {
		if err := p.limit(r, web.SignInByIP); err != nil {
			return err
		}
		if err := p.Site.Limits.Take(web.ResetByAddress, folded, p.Site.Now()); err != nil {
			return err
		}
	}
	err := p.Store.RequestReset(r.Context(), address)
	if list, ok := formErrors(err); ok {
		return p.form(w, r, resetPage(address, list))
	}
	if err != nil {
		return err
	}
	return p.say(w, r, http.StatusOK, "Look into your mail",
		"If "+strings.TrimSpace(address)+" has an account here, a link is on its way. It works for one hour.", &ui.Link{Text: "Sign in", URL: "/sign-in"})
}

func newPasswordPage(token string, errs []ui.FormError) ui.FormPage {
	return ui.FormPage{
		Title: "Set a new password", Intro: "Whoever is in the account now is shut out: every browser is signed out, and every API credential is revoked.",
		Action: "/reset/" + token, Submit: "Set the password", Fields: []ui.Field{newPasswordField()}, Errors: errs, Native: true,
	}
}

func newPasswordField() ui.Field {
	return ui.Field{Name: "password", Label: "New password", Type: "password", Hint: "At least 8 characters. A few words in a row are good.", Autocomplete: "new-password", MaxLength: longest}
}

func (p *Pages) newPasswordForm(w http.ResponseWriter, r *http.Request) error {
	err := p.Store.ResetLink(r.Context(), r.PathValue("token"))
	if isGone(err) {
		return p.deadLink(w, r)
	}
	if err != nil {
		return err
	}
	return p.form(w, r, newPasswordPage(r.PathValue("token"), nil))
}

func (p *Pages) newPassword(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	err := p.Store.Reset(r.Context(), r.PathValue("token"), r.PostForm.Get("password"))
	if isGone(err) {
		return p.deadLink(w, r)
	}
	if list, ok := formErrors(err); ok {
		return p.form(w, r, newPasswordPage(r.PathValue("token"), list))
	}
	if err != nil {
		return err
	}
	p.clearSession(w)
	web.Notify(w, p.Site.Secure, "The new password is set. Sign in with it.")
	return web.See(w, r, "/sign-in")
}

func (p *Pages) setupPage(r *http.Request, a Applicant, errs []ui.FormError) ui.FormPage {
	return ui.FormPage{
		Title: "Set up this site", Intro: "This creates the administrator, who must be an adult. The link works once.",
		Action: "/setup/" + r.PathValue("token"), Submit: "Create the administrator", Native: true, Errors: errs,
		Fields: []ui.Field{
			{Name: "name", Label: "Name", Value: a.Name, Hint: "Public, and part of your page's address.", Autocomplete: "username", MaxLength: 40},
			{Name: "email", Label: "E-mail", Type: "email", Value: a.Email, Hint: "Never shown to others.", Autocomplete: "email", MaxLength: 254},
			{Name: "password", Label: "Password", Type: "password", Hint: "At least 8 characters.", Autocomplete: "new-password", MaxLength: longest},
		},
	}
}

func (p *Pages) setupForm(w http.ResponseWriter, r *http.Request) error {
	err := p.Store.SetupOpen(r.Context(), r.PathValue("token"))
	if isGone(err) {
		return p.deadLink(w, r)
	}
	if err != nil {
		return err
	}
	return p.form(w, r, p.setupPage(r, Applicant{}, nil))
}

func (p *Pages) setup(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	if err := p.limit(r, web.SignInByIP); err != nil {
		return err
	}
	a := Applicant{Name: r.PostForm.Get("name"), Email: r.PostForm.Get("email"), Password: r.PostForm.Get("password")}
	session, err := p.Store.Setup(r.Context(), r.PathValue("token"), a, p.visit(r))
	if isGone(err) {
		return p.deadLink(w, r)
	}
	if list, ok := formErrors(err); ok {
		return p.form(w, r, p.setupPage(r, a, list))
	}
	if err != nil {
		return err
	}
	p.setSession(w, session)
	web.Notify(w, p.Site.Secure, "You are the administrator of this site.")
	return web.See(w, r, "/")
}
