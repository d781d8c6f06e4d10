package payments

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// maxWebhook is the largest message of a provider that is read, in bytes.
const maxWebhook = 1 << 20

// Routes lists this domain's routes; the test provider's page is there only when the provider is.
func (s *Store) Routes() []web.Route {
	routes := []web.Route{{Pattern: "POST /payments/webhook/{provider}", Action: access.Look, Handle: s.webhook, API: true, Cross: true}}
	for _, p := range s.Providers {
		if t, ok := p.(*Test); ok {
			routes = append(routes,
				web.Route{Pattern: "GET /payments/test/{ref}", Action: access.Look, Handle: func(w http.ResponseWriter, r *http.Request) error { return s.testPage(t, w, r) }},
				web.Route{Pattern: "POST /payments/test/{ref}", Action: access.Look, Handle: func(w http.ResponseWriter, r *http.Request) error { return s.testDecide(t, w, r) }})
		}
	}
	return routes
}

func (s *Store) webhook(w http.ResponseWriter, r *http.Request) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		return err
	}
	if err := s.Receive(r.Context(), r.PathValue("provider"), raw, r.Header); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, map[string]string{"status": "received"})
}

// testPage plays the provider's own payment page.
func (s *Store) testPage(t *Test, w http.ResponseWriter, r *http.Request) error {
	c, err := t.charge(r.Context(), s.DB, r.PathValue("ref"))
	if err != nil {
		return err
	}
	amount := money.Of(c.Minor, c.Currency)
	p := ui.PlainPage{Title: "Test payment", Intro: fmt.Sprintf("%s, %s. No money moves: this page stands for a payment provider's.", c.Label, amount.Exact())}
	form := ui.FormPage{Action: "/payments/test/" + c.Ref, Hidden: []ui.Hidden{{Name: "decision", Value: "approve"}}, Submit: "Approve " + amount.String(), Native: true}
	decline := ui.FormPage{Action: "/payments/test/" + c.Ref, Hidden: []ui.Hidden{{Name: "decision", Value: "decline"}}, Submit: "Decline", Stop: true, Native: true}
	if c.State != Created {
		p.Note = &ui.Note{Tone: ui.ToneWarn, Text: fmt.Sprintf("This payment is %s already.", c.State), Links: []ui.Link{{Text: "Back to the order", URL: c.ReturnURL}}}
		return s.Site.Page(w, r, web.View{Title: p.Title, Edit: noIndex}, ui.Plain(p, ui.Facts([]ui.Fact{{Label: "Reference", Value: c.Ref, Mono: true}})))
	}
	return s.Site.Page(w, r, web.View{Title: p.Title, Edit: noIndex}, ui.Plain(p, both(ui.FormBody(form), ui.FormBody(decline))))
}

func noIndex(f *ui.Frame) { f.NoIndex = true }

func (s *Store) testDecide(t *Test, w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, 10_000); err != nil {
		return err
	}
	decision := r.PostForm.Get("decision")
	if decision != "approve" && decision != "decline" {
		return web.Refuse(http.StatusUnprocessableEntity, "Approve or decline the payment.")
	}
	back, err := t.Decide(r.Context(), r.PathValue("ref"), decision == "approve")
	if err != nil {
		return err
	}
	return web.See(w, r, back)
}

// both renders two components one after the other.
func both(a, b templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if err := a.Render(ctx, w); err != nil {
			return err
		}
		return b.Render(ctx, w)
	})
}
