package orders

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/a-h/templ"

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
	lines, err := s.Lines(r.Context(), s.DB, o.ID)
	if err != nil {
		return err
	}
	tries, err := s.Payments.OfOrder(r.Context(), s.DB, o.ID)
	if err != nil {
		return err
	}
	p := ui.PlainPage{Title: "Order " + o.Name(), Crumb: &ui.Link{Text: "Orders", URL: "/admin/orders"}, Intro: fmt.Sprintf("%s, placed on %s.", stateTag(o.State).Text, ui.Date(o.PlacedAt))}
	amount := func(minor int64) string { return money.Of(minor, o.Currency).Exact() }
	facts := []ui.Fact{{Label: "Licensee", Value: joined(o.Licensee, o.Company)}, {Label: "Project", Value: o.Project}, {Label: "Country", Value: countryName(o.Country)},
		{Label: "Net", Value: amount(o.Subtotal)}, {Label: taxLabel(o.TaxName, o.TaxBasis), Value: amount(o.Tax)}, {Label: "Total", Value: amount(o.Total)}, {Label: "Pays with", Value: o.Provider}}
	instead, err := s.replaced(r.Context(), o.ID)
	if err != nil {
		return err
	}
	for _, e := range instead {
		facts = append(facts, ui.Fact{Label: "In place of", Value: fmt.Sprintf("Order %d, canceled", e.ID)})
	}
	if o.ReplacedBy != nil {
		facts = append(facts, ui.Fact{Label: "Its place was taken by", Value: fmt.Sprintf("Order %d", *o.ReplacedBy)})
	}
	sold := ui.Table{Caption: "Licenses", Head: []ui.Column{{Title: "Recording"}, {Title: "License"}, {Title: "Certificate"}, {Title: "Net", Figure: true}, {Title: "Contributor's share", Figure: true}}}
	for _, l := range lines {
		row := []ui.Cell{{Text: l.Title, URL: fmt.Sprintf("/recordings/%d", l.RecordingID)}, {Text: fmt.Sprintf("%s, version %d", l.ModelName, l.ModelVersion)}, {}, {Text: amount(l.Price)}, {Text: amount(l.Royalty)}}
		if l.RefundedAt != nil {
			row[1].Sub = "refunded on " + ui.Date(*l.RefundedAt)
		}
		if o.State.Settled() {
			lic, err := s.Licensing.ByOrderLine(r.Context(), s.DB, l.ID)
			if err != nil {
				return err
			}
			row[2] = ui.Cell{Text: shortNumber(lic.Number), URL: "/verify/" + lic.Number}
		}
		sold.Rows = append(sold.Rows, row)
	}
	paid := ui.Table{Caption: "Payments", Head: []ui.Column{{Title: "Reference"}, {Title: "Begun"}, {Title: "State"}, {Title: "Amount", Figure: true}, {Title: "Sent back", Figure: true}}}
	for _, t := range tries {
		paid.Rows = append(paid.Rows, []ui.Cell{{Text: t.Ref, Mono: true}, {Text: ui.Date(t.CreatedAt)}, {Text: string(t.State)}, {Text: t.Amount().Exact()}, {Text: amount(t.Refunded)}})
	}
	parts := []templ.Component{padded("Order", ui.Facts(facts))}
	if o.Provider == payments.ManualName && (o.State.Open() || o.State == Expired) {
		parts = append(parts, padded("Invoice", ui.FormBody(ui.FormPage{Action: fmt.Sprintf("/admin/orders/%d", o.ID), Hidden: []ui.Hidden{{Name: "act", Value: "paid"}}, Submit: "Mark " + o.Amount().Exact() + " received"})))
	}
	parts = append(parts, ui.CardPart("Licenses", "", ui.TablePart(sold)), ui.CardPart("Payments", "", ui.TablePart(paid)))
	if o.State == Paid || o.State == PartRefunded {
		parts = append(parts, padded("Refund", ui.FormBody(s.refundForm(o, lines))))
	}
	return s.Site.Page(w, r, web.View{Title: p.Title}, ui.Plain(p, together(parts...)))
}

func (s *Store) refundForm(o Order, lines []Line) ui.FormPage {
	f := ui.FormPage{Action: fmt.Sprintf("/admin/orders/%d", o.ID), Hidden: []ui.Hidden{{Name: "act", Value: "refund"}}, Submit: "Refund", Stop: true}
	for _, l := range lines {
		if l.RefundedAt == nil {
			f.Fields = append(f.Fields, ui.Field{Name: "line-" + strconv.FormatInt(l.ID, 10), Label: fmt.Sprintf("%s, %s", l.Title, money.Of(l.Price+l.Tax, o.Currency).Exact()), Type: "checkbox", Wide: true})
		}
	}
	f.Fields = append(f.Fields, ui.Field{Name: "why", Label: "Reason", Hint: "Shown on the certificates, which are revoked. Money of invoices you send back yourself.", MaxLength: 200, Wide: true})
	return f
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
