package orders

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"audiomicro/internal/money"
	"audiomicro/internal/payments"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

func (s *Store) adminOrders(w http.ResponseWriter, r *http.Request) error {
	states := []State{"", Pending, Paid, Failed, Canceled, Expired, PartRefunded, Refunded}
	state := State(r.URL.Query().Get("state"))
	if !slices.Contains(states, state) {
		state = ""
	}
	all, err := s.List(r.Context(), state, 500)
	if err != nil {
		return err
	}
	var chips []ui.Link
	for _, st := range states {
		text := stateTag(st).Text
		if st == "" {
			text = "All"
		}
		chips = append(chips, ui.Link{Text: text, URL: "/admin/orders?state=" + string(st), Current: st == state})
	}
	p := ui.PlainPage{Title: "Orders", Intro: "The newest 500. Mark an invoice paid on its order's page when the money is here."}
	return s.Site.Page(w, r, web.View{Title: p.Title}, ui.Plain(p, together(ui.ChipLinks("Show", chips), ui.TablePart(orderTable(all, "/admin/orders/")))))
}

func (s *Store) adminOrder(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	o, err := s.Order(r.Context(), s.DB, id)
	if err != nil {
		return err
	}
	view, err := s.orderView(r, o)
	if err != nil {
		return err
	}
	view.Note, view.Instructions = nil, nil
	view.Facts = append(view.Facts, ui.Fact{Label: "Pays with", Value: o.Provider})
	if o.Provider == payments.ManualName && (o.State.Open() || o.State == Expired) {
		view.Forms = append(view.Forms, ui.RowForm{Action: fmt.Sprintf("/admin/orders/%d", o.ID), Hidden: []ui.Hidden{{Name: "act", Value: "paid"}},
			Button: ui.Button{Label: "Mark " + o.Amount().Exact() + " received", Kind: "main"}})
	}
	tries, err := s.Payments.OfOrder(r.Context(), s.DB, o.ID)
	if err != nil {
		return err
	}
	t := ui.Table{Caption: "Payments", Head: []ui.Column{{Title: "Reference"}, {Title: "Begun"}, {Title: "State"}, {Title: "Amount", Figure: true}, {Title: "Sent back", Figure: true}}}
	for _, p := range tries {
		t.Rows = append(t.Rows, []ui.Cell{{Text: p.Ref, Mono: true}, {Text: ui.Date(p.CreatedAt)}, {Text: string(p.State)}, {Text: p.Amount().Exact()}, {Text: money.Of(p.Refunded, p.Currency).Exact()}})
	}
	parts := together(ui.Order(view), ui.CardPart("Payments", "", ui.TablePart(t)))
	if o.State == Paid || o.State == PartRefunded {
		form, err := s.refundForm(r, o)
		if err != nil {
			return err
		}
		parts = together(parts, ui.CardPart("Refund", "", ui.FormBody(form)))
	}
	return s.Site.Page(w, r, web.View{Title: "Order " + o.Name()}, parts)
}

func (s *Store) refundForm(r *http.Request, o Order) (ui.FormPage, error) {
	lines, err := s.Lines(r.Context(), s.DB, o.ID)
	if err != nil {
		return ui.FormPage{}, err
	}
	f := ui.FormPage{Action: fmt.Sprintf("/admin/orders/%d", o.ID), Hidden: []ui.Hidden{{Name: "act", Value: "refund"}}, Submit: "Refund", Stop: true}
	for _, l := range lines {
		if l.RefundedAt == nil {
			f.Fields = append(f.Fields, ui.Field{Name: "line-" + strconv.FormatInt(l.ID, 10), Label: fmt.Sprintf("%s, %s", l.Title, money.Of(l.Price+l.Tax, o.Currency).Exact()), Type: "checkbox", Wide: true})
		}
	}
	f.Fields = append(f.Fields, ui.Field{Name: "why", Label: "Reason", Hint: "Shown on the certificates, which are revoked. Money of invoices you send back yourself.", MaxLength: 200, Wide: true})
	return f, nil
}

func (s *Store) adminAct(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, 100_000); err != nil {
		return err
	}
	said := ""
	switch r.PostForm.Get("act") {
	case "paid":
		if err := s.MarkPaid(r.Context(), id); err != nil {
			return err
		}
		said = "The order is paid; its licenses are issued."
	case "refund":
		lines, err := s.Lines(r.Context(), s.DB, id)
		if err != nil {
			return err
		}
		var chosen []int64
		for _, l := range lines {
			if r.PostForm.Get("line-"+strconv.FormatInt(l.ID, 10)) == "on" {
				chosen = append(chosen, l.ID)
			}
		}
		if len(chosen) == 0 {
			return web.Refuse(http.StatusUnprocessableEntity, "Choose what to refund. Nothing was changed.")
		}
		if err := s.Refund(r.Context(), id, chosen, r.PostForm.Get("why")); err != nil {
			return err
		}
		said = "Refunded; the licenses are revoked."
	default:
		return web.Refuse(http.StatusUnprocessableEntity, "The form cannot be read. Go back and send it again.")
	}
	web.Notify(w, s.Site.Secure, said)
	return web.See(w, r, fmt.Sprintf("/admin/orders/%d", id))
}
