package accounts

import (
	"context"
	"html"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// devMail lists the mail that this instance wrote; it exists in dev mode only, which serves loopback only.
func (p *Pages) devMail(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Mail.Recent(r.Context(), 100)
	if err != nil {
		return err
	}
	page := ui.PlainPage{Title: "Mail", Intro: "What this copy wrote, newest first. The page exists in dev mode only."}
	if len(list) == 0 {
		return p.Site.Page(w, r, web.View{Title: "Mail", Edit: noIndex}, ui.Plain(page, ui.EmptyPart(ui.Empty{Title: "No mail yet", Text: "Sign up, and the confirmation shows here."})))
	}
	t := ui.Table{Caption: "Mail", Head: []ui.Column{{Title: "Subject"}, {Title: "To"}, {Title: "Written"}, {Title: "State"}}}
	for _, m := range list {
		t.Rows = append(t.Rows, []ui.Cell{
			{Text: m.Subject, URL: "/dev/mail/" + strconv.FormatInt(m.ID, 10)}, {Text: m.To, Mono: true}, {Text: ui.DateTime(m.CreatedAt)}, {Text: string(m.State)},
		})
	}
	return p.Site.Page(w, r, web.View{Title: "Mail", Edit: noIndex}, ui.Plain(page, ui.TablePart(t)))
}

func (p *Pages) devMailOne(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	m, err := p.Mail.ByID(r.Context(), id)
	if err != nil {
		return err
	}
	page := ui.PlainPage{Title: m.Subject, Intro: "To " + m.To + ", " + ui.DateTime(m.CreatedAt) + ", " + string(m.State), Crumb: &ui.Link{Text: "Mail", URL: "/dev/mail"}, Read: true}
	return p.Site.Page(w, r, web.View{Title: m.Subject, Edit: noIndex}, ui.Plain(page, plainText(m.Text)))
}

var mailLink = regexp.MustCompile(`https?://[^\s<>"]+`)

// plainText shows a mail's text with its addresses as links; everything is escaped.
func plainText(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		b.WriteString(`<pre class="mono">`)
		at := 0
		for _, m := range mailLink.FindAllStringIndex(text, -1) {
			link := html.EscapeString(text[m[0]:m[1]])
			b.WriteString(html.EscapeString(text[at:m[0]]) + `<a href="` + link + `" hx-boost="false">` + link + `</a>`)
			at = m[1]
		}
		b.WriteString(html.EscapeString(text[at:]) + "</pre>")
		_, err := io.WriteString(w, b.String())
		return err
	})
}
