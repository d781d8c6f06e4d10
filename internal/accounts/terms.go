package accounts

import (
	"html"
	"net/http"
	"strconv"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// contributorTerms is the text of version TermsVersion, paragraph by paragraph. Whoever changes it raises TermsVersion.
var contributorTerms = []struct{ title, text string }{
	{"What you upload is yours to offer", "You upload only recordings that you made, or whose rights you hold or may pass on. Voices and private places need the consent of the people in them. Nothing in a recording infringes anybody's rights."},
	{"You stay the owner", "You keep your rights. You allow this site to store and analyze the recordings, make previews and pictures of them, show them, and license them to others under the license models that you choose for each recording. It is not exclusive: offer them elsewhere, too."},
	{"What a license means", "A license that was sold or given stays valid, also when you later withdraw the recording, change its price or leave. You can unpublish a recording at any time; from then on nobody else gets it."},
	{"Your share", "You get the share of each net price that the site states, as your earnings page shows it line by line. When a buyer is refunded, the share of that sale is taken back."},
	{"Training of machines", "Recordings may be used to train machine learning models only when you say so for each recording. The answer is no unless you change it."},
	{"Review", "A person may review what you submit and return it with a reason. What breaks the law or these terms can be taken down, and you are told why."},
	{"Ending", "You can stop any time. The operator can end this for contributors who break these terms, and pays out what was earned rightfully."},
}

// TermsHTML is the contributor terms as sanitized HTML.
func TermsHTML() string {
	var b strings.Builder
	for _, p := range contributorTerms {
		b.WriteString("<h2>" + html.EscapeString(p.title) + "</h2><p>" + html.EscapeString(p.text) + "</p>")
	}
	return b.String()
}

// TermsForm is the form that accepts the contributor terms; next is the path to go to afterwards.
func TermsForm(next string) ui.FormPage {
	return ui.FormPage{
		Title: "Contributor terms", Intro: "Read the terms once; then you can upload.",
		Action: "/contributor-terms", Submit: "Become a contributor", Native: true,
		Hidden: []ui.Hidden{{Name: "version", Value: strconv.Itoa(TermsVersion)}, {Name: "next", Value: web.SafePath(next)}},
		Fields: []ui.Field{{Name: "accept", Type: "checkbox", Label: "I have read the contributor terms and accept them."}},
		Links:  []ui.Link{{Text: "Read the terms", URL: withNext("/contributor-terms", next)}},
	}
}

func (p *Pages) termsPage(w http.ResponseWriter, r *http.Request) error {
	return p.showTerms(w, r, r.URL.Query().Get("next"), nil)
}

func (p *Pages) showTerms(w http.ResponseWriter, r *http.Request, next string, errs []ui.FormError) error {
	page := ui.PlainPage{Title: "Contributor terms", Intro: "Version " + strconv.Itoa(TermsVersion) + ". Who wants to upload accepts them once.", Read: true}
	body := ui.Raw(TermsHTML())
	switch a := access.From(r.Context()); {
	case !a.SignedIn():
		page.Actions = []ui.Button{{Label: "Sign in to accept", URL: "/sign-in?next=%2Fcontributor-terms"}}
	case a.Contributor:
		page.Note = &ui.Note{Tone: ui.ToneGood, Text: "You accepted these terms.", Links: []ui.Link{{Text: "Upload", URL: "/upload"}}}
	case !a.Confirmed:
		page.Note = &ui.Note{Tone: ui.ToneWarn, Text: "Confirm your e-mail address before you accept: follow the link in the mail that we sent.", Links: []ui.Link{{Text: "Send it again", URL: "/settings"}}}
	default:
		f := TermsForm(next)
		f.Errors = errs
		body = ui.Stack(body, ui.FormBody(f))
	}
	v := web.View{Title: "Contributor terms"}
	if len(errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return p.Site.Page(w, r, v, ui.Plain(page, body))
}

func (p *Pages) acceptTerms(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	next := r.PostForm.Get("next")
	if next == "" || web.SafePath(next) == "/" {
		next = "/upload"
	}
	if r.PostForm.Get("accept") == "" {
		return p.showTerms(w, r, next, []ui.FormError{{Field: "accept", Text: "Tick the box if you accept the terms."}})
	}
	version, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		version = 0
	}
	if err := p.Store.AcceptContributorTerms(r.Context(), access.From(r.Context()).ID, version); err != nil {
		return err
	}
	web.Notify(w, p.Site.Secure, "You are a contributor now.")
	return web.See(w, r, next)
}
