package orders

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/money"
	"audiomicro/internal/payments"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

func (s *Store) checkoutPage(w http.ResponseWriter, r *http.Request) error {
	return s.showCheckout(w, r, nil, nil, nil, http.StatusOK)
}

// showCheckout shows the form with what was typed, or with what the last order said.
func (s *Store) showCheckout(w http.ResponseWriter, r *http.Request, typed url.Values, errs []ui.FormError, note error, status int) error {
	ctx, me := r.Context(), access.From(r.Context())
	who, err := s.arrive(w, r)
	if err != nil {
		return err
	}
	cart, err := s.Cart(ctx, s.DB, who)
	if err != nil {
		return err
	}
	if len(cart.Items) == 0 && note != nil {
		return note // there is no form to say it on
	}
	if len(cart.Items) == 0 || cart.Problem() != "" && note == nil {
		return web.See(w, r, "/cart")
	}
	quote, err := s.Quote(cart)
	if err != nil {
		return err
	}
	if typed == nil {
		if typed, err = s.lastWords(r, me.ID); err != nil {
			return err
		}
	}
	key := typed.Get("key")
	if key == "" {
		if key, err = s.randomText(); err != nil {
			return err
		}
	}
	if note != nil {
		errs = append([]ui.FormError{{Text: publicText(note)}}, errs...)
	}
	lines, err := s.items(ctx, cart)
	if err != nil {
		return err
	}
	p := ui.CheckoutPage{
		Lines: lines, Errors: errs, Hidden: []ui.Hidden{{Name: "key", Value: key}, {Name: "seen", Value: quote.Mark()}},
		Fields: []ui.Field{
			{Name: "licensee", Label: "Licensee", Value: typed.Get("licensee"), Hint: "A person or a company", MaxLength: 200, Autocomplete: "name"},
			{Name: "company", Label: "Company", Value: typed.Get("company"), Optional: true, MaxLength: 200, Autocomplete: "organization"},
			{Name: "project", Label: "Project", Value: typed.Get("project"), Hint: "The film, game, video or show it is for", MaxLength: 200, Autocomplete: "off"},
		},
		Summary: []ui.Fact{{Label: ui.Plural(len(cart.Items), "license", "licenses"), Value: quote.Subtotal.Exact()}},
		Total:   quote.Total.Exact(), PayLabel: "Pay " + quote.Total.Exact(), Royalty: s.people(quote),
		Terms: &ui.Link{Text: "terms of each license", URL: "/licenses"}, Signed: "Signed in as " + me.Name + ". Your cart is kept if anything fails.",
		Disclosure: "The provider sees the sum and the number of your order, not what you buy.",
	}
	waiting, err := s.waiting(ctx, me.ID, cart)
	if err != nil {
		return err
	}
	for _, o := range waiting {
		p.Waiting = append(p.Waiting, ui.Note{Tone: ui.ToneWarn, Lead: "Order " + o.Name() + " waits for payment.",
			Text:  fmt.Sprintf("It has sounds of this cart, for the project %s. Ordering them for that project again cancels it.", o.Project),
			Links: []ui.Link{{Text: "See the order", URL: fmt.Sprintf("/orders/%d", o.ID)}}})
	}
	if s.TaxBasis > 0 {
		p.Summary = append(p.Summary, ui.Fact{Label: taxLabel(s.TaxName, s.TaxBasis), Value: quote.Tax.Exact()})
	}
	country := ui.Field{Name: "country", Label: "Country", Type: "select", Value: typed.Get("country"), Autocomplete: "country", Options: []ui.Option{{Value: "", Label: "Choose"}}}
	for _, c := range countryList() {
		country.Options = append(country.Options, ui.Option{Value: c.Code, Label: c.Name})
	}
	p.Billing = []ui.Field{country}
	for i, provider := range s.Payments.Providers {
		chosen := typed.Get("provider")
		p.Providers = append(p.Providers, ui.Option{Value: provider.Name(), Label: provider.Label(), Hint: provider.Hint(), Selected: provider.Name() == chosen || chosen == "" && i == len(s.Payments.Providers)-1})
	}
	for _, e := range errs {
		if e.Field == "provider" {
			p.ProviderError = e.Text
		}
	}
	return s.Site.Page(w, r, web.View{Title: "Checkout", Status: status, Edit: noIndex}, ui.Checkout(p))
}

func publicText(err error) string {
	var public *web.Public
	if errors.As(err, &public) {
		return public.Text
	}
	return "Something went wrong. Nothing was ordered."
}

// taxLabel is how a tax is called with its rate: "VAT 25 %".
func taxLabel(name string, basis int64) string {
	if basis%100 == 0 {
		return fmt.Sprintf("%s %d %%", name, basis/100)
	}
	return fmt.Sprintf("%s %d.%02d %%", name, basis/100, basis%100)
}

// lastWords are the licensee and country of the buyer's last order, so that they need not be typed again.
func (s *Store) lastWords(r *http.Request, accountID int64) (url.Values, error) {
	v := url.Values{}
	past, err := s.OfAccount(r.Context(), accountID)
	if err != nil {
		return nil, err
	}
	if len(past) > 0 {
		v.Set("licensee", past[0].Licensee)
		v.Set("company", past[0].Company)
		v.Set("country", past[0].Country)
	}
	return v, nil
}

func (s *Store) checkout(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, 100_000); err != nil {
		return err
	}
	f := r.PostForm
	me := access.From(r.Context())
	if _, err := s.arrive(w, r); err != nil {
		return err
	}
	order, err := s.Place(r.Context(), me.ID, Checkout{Key: f.Get("key"), Seen: f.Get("seen"), Licensee: f.Get("licensee"), Company: f.Get("company"), Project: f.Get("project"),
		Country: f.Get("country"), Provider: f.Get("provider")})
	var invalid *Invalid
	var public *web.Public
	switch {
	case errors.As(err, &invalid):
		return s.showCheckout(w, r, clean(f), invalid.Problems, nil, http.StatusUnprocessableEntity)
	case errors.As(err, &public) && public.Status == http.StatusConflict:
		if errors.Is(err, ErrSent) {
			f.Del("key") // the form that is shown now makes an order of its own
		}
		return s.showCheckout(w, r, clean(f), nil, err, http.StatusConflict)
	case err != nil:
		return err
	}
	if instead, err := s.replaced(r.Context(), order.ID); err != nil {
		return err
	} else if len(instead) > 0 {
		web.Notify(w, s.Site.Secure, placeTaken(order, instead))
	}
	return s.sendToPay(w, r, order)
}

// placeTaken says which orders an order took the place of.
func placeTaken(o Order, instead []Order) string {
	if len(instead) == 1 {
		return fmt.Sprintf("Order %d takes the place of order %d, which is canceled.", o.ID, instead[0].ID)
	}
	names := make([]string, len(instead))
	for i, e := range instead {
		names[i] = fmt.Sprint(e.ID)
	}
	return fmt.Sprintf("Order %d takes the place of the orders %s, which are canceled.", o.ID, strings.Join(names, ", "))
}

// clean bounds what a refused form shows again.
func clean(f url.Values) url.Values {
	out := url.Values{}
	for _, name := range []string{"key", "licensee", "company", "project", "country", "provider"} {
		r := []rune(f.Get(name))
		out.Set(name, string(r[:min(len(r), 300)]))
	}
	return out
}

// sendToPay leads the buyer to the provider, or to the order's page when that says how to pay.
func (s *Store) sendToPay(w http.ResponseWriter, r *http.Request, order Order) error {
	if order.State.Settled() {
		return web.See(w, r, fmt.Sprintf("/orders/%d", order.ID))
	}
	to, err := s.Pay(r.Context(), access.From(r.Context()).ID, order.ID)
	if err != nil {
		return err
	}
	if to == "" {
		to = fmt.Sprintf("/orders/%d", order.ID)
	}
	if strings.HasPrefix(to, "/") {
		return web.See(w, r, to)
	}
	return s.leave(w, r, order, to)
}

// leave sends the buyer to a provider's own page, whose address comes from the provider and not from the visitor. It is a page with a
// link, which browsers follow by themselves, and no redirect: the policy of our pages lets no form lead away (form-action, CSP Level 3
// §6.4.1, counts the redirects after it), and a boosted form cannot fetch another site's page.
func (s *Store) leave(w http.ResponseWriter, r *http.Request, order Order, to string) error {
	provider, err := s.Payments.Provider(order.Provider)
	if err != nil {
		return err
	}
	w.Header().Set("Refresh", "0; url="+to)
	p := ui.PlainPage{Title: "Pay order " + order.Name(), Intro: "You pay on a page of the provider and come back here. Your cart is kept if anything fails.",
		Actions: []ui.Button{{Label: "Go on to pay " + order.Amount().Exact(), URL: to, Kind: "main", Native: true}}}
	return s.Site.Page(w, r, web.View{Title: p.Title, Edit: noIndex}, ui.Plain(p, padded(provider.Label(), ui.Facts([]ui.Fact{{Label: "Amount", Value: order.Amount().Exact()}, {Label: "Reference", Value: "Order " + order.Name()}}))))
}

func (s *Store) ownOrder(r *http.Request) (Order, error) {
	id, err := web.PathID(r, "id")
	if err != nil {
		return Order{}, err
	}
	return s.Own(r.Context(), access.From(r.Context()).ID, id)
}

func (s *Store) payOrder(w http.ResponseWriter, r *http.Request) error {
	o, err := s.ownOrder(r)
	if err != nil {
		return err
	}
	if err := payable(o); err != nil {
		return err
	}
	return s.sendToPay(w, r, o)
}

func (s *Store) cancelOrder(w http.ResponseWriter, r *http.Request) error {
	o, err := s.ownOrder(r)
	if err != nil {
		return err
	}
	if err := s.Cancel(r.Context(), o.AccountID, o.ID); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The order is canceled. Your cart is as you left it.")
	return web.See(w, r, fmt.Sprintf("/orders/%d", o.ID))
}

// returned is where providers send the buyer back to. It asks the provider; the address itself proves nothing.
func (s *Store) returned(w http.ResponseWriter, r *http.Request) error {
	o, err := s.ownOrder(r)
	if err != nil {
		return err
	}
	o, err = s.Returned(r.Context(), o.AccountID, o.ID)
	if err != nil {
		return err
	}
	switch o.State {
	case Paid:
		web.Notify(w, s.Site.Secure, "Paid. Your licenses are here.")
	case Failed:
		web.Notify(w, s.Site.Secure, "The payment was refused. Your cart is kept.")
	}
	return web.See(w, r, fmt.Sprintf("/orders/%d", o.ID))
}

func stateTag(st State) ui.Tag {
	switch st {
	case Paid:
		return ui.Tag{Text: "Paid", Tone: ui.ToneGood}
	case Draft, Pending:
		return ui.Tag{Text: "Waits for payment", Tone: ui.ToneWarn}
	case Authorized:
		return ui.Tag{Text: "Payment promised", Tone: ui.ToneWarn}
	case Failed:
		return ui.Tag{Text: "Payment refused", Tone: ui.ToneBad}
	case Canceled:
		return ui.Tag{Text: "Canceled"}
	case Expired:
		return ui.Tag{Text: "Expired"}
	case PartRefunded:
		return ui.Tag{Text: "Partly refunded", Tone: ui.ToneWarn}
	}
	return ui.Tag{Text: "Refunded"}
}

func (s *Store) orderPage(w http.ResponseWriter, r *http.Request) error {
	o, err := s.ownOrder(r)
	if err != nil {
		return err
	}
	p, err := s.orderView(r, o)
	if err != nil {
		return err
	}
	path := fmt.Sprintf("/orders/%d", o.ID)
	if o.State.Open() {
		label := "Pay " + o.Amount().Exact()
		if o.Provider == payments.ManualName || o.State == Authorized {
			label = ""
		} else if o.State == Failed {
			label = "Try again, " + o.Amount().Exact()
		}
		if label != "" {
			p.Forms = append(p.Forms, ui.RowForm{Action: path + "/pay", Button: ui.Button{Label: label, Kind: "main"}})
		}
		if o.State != Authorized {
			p.Forms = append(p.Forms, ui.RowForm{Action: path + "/cancel", Button: ui.Button{Label: "Cancel the order"}})
		}
	}
	if o.State.Settled() {
		p.Actions = append(p.Actions, ui.Button{Label: "Invoice", Icon: "file-text", URL: path + "/invoice"})
	}
	return s.Site.Page(w, r, web.View{Title: "Order " + o.Name(), Edit: noIndex}, ui.Order(p))
}

// orderView is what the buyer's and the admin's page of an order share.
func (s *Store) orderView(r *http.Request, o Order) (ui.OrderPage, error) {
	ctx := r.Context()
	lines, err := s.Lines(ctx, s.DB, o.ID)
	if err != nil {
		return ui.OrderPage{}, err
	}
	p := ui.OrderPage{Number: o.Name(), State: stateTag(o.State), Total: o.Amount().Exact(), At: o.PlacedAt,
		Summary: []ui.Fact{{Label: ui.Plural(len(lines), "license", "licenses"), Value: money.Of(o.Subtotal, o.Currency).Exact()}},
		Facts:   []ui.Fact{{Label: "Licensee", Value: o.Licensee}, {Label: "Project", Value: o.Project}, {Label: "Country", Value: countryName(o.Country)}}}
	if o.Company != "" {
		p.Facts = append(p.Facts[:1:1], append([]ui.Fact{{Label: "Company", Value: o.Company}}, p.Facts[1:]...)...)
	}
	if o.TaxBasis > 0 {
		p.Summary = append(p.Summary, ui.Fact{Label: taxLabel(o.TaxName, o.TaxBasis), Value: money.Of(o.Tax, o.Currency).Exact()})
	}
	instead, err := s.replaced(ctx, o.ID)
	if err != nil {
		return p, err
	}
	for _, e := range instead {
		p.Facts = append(p.Facts, ui.Fact{Label: "In place of", Value: fmt.Sprintf("Order %d, canceled", e.ID)})
	}
	if o.PaidAt != nil {
		p.Facts = append(p.Facts, ui.Fact{Label: "Paid", Value: ui.Date(*o.PaidAt)})
	}
	ids := make([]int64, len(lines))
	for i, l := range lines {
		ids[i] = l.RecordingID
	}
	rows, err := s.draw(ctx, ids)
	if err != nil {
		return p, err
	}
	for _, l := range lines {
		line, err := s.orderLine(r, o, l, rows)
		if err != nil {
			return p, err
		}
		p.Lines = append(p.Lines, line)
	}
	switch o.State {
	case Draft, Pending:
		if o.Provider == payments.ManualName {
			p.Note = &ui.Note{Tone: ui.ToneWarn, Text: "Your licenses are issued when the money has arrived. You will get a mail then."}
			p.Instructions = []ui.Fact{{Label: "Amount", Value: o.Amount().Exact()}, {Label: "Reference", Value: fmt.Sprintf("Order %d", o.ID), Mono: true}, {Label: "Pay to", Value: s.payTo()}}
		} else {
			p.Note = &ui.Note{Tone: ui.ToneWarn, Text: "The payment is not confirmed yet. Reload in a moment, or pay now. Your cart is kept."}
		}
	case Failed:
		p.Note = &ui.Note{Tone: ui.ToneBad, Text: "The payment was refused. Your cart is kept. Try again or order with another way to pay."}
	case Canceled:
		p.Note = &ui.Note{Text: "This order was canceled. Nothing was charged."}
		if o.ReplacedBy != nil {
			p.Note.Text = fmt.Sprintf("This order was canceled, because the same was ordered again: order %d took its place. Nothing was charged.", *o.ReplacedBy)
			p.Note.Links = []ui.Link{{Text: "See that order", URL: fmt.Sprintf("/orders/%d", *o.ReplacedBy)}}
		}
		if back, err := s.sentBack(ctx, o); err != nil {
			return p, err
		} else if back > 0 {
			p.Note.Text = "This order was canceled. A payment of " + money.Of(back, o.Currency).Exact() + " came after that and goes back to you."
		}
	case Expired:
		p.Note = &ui.Note{Text: "Nobody paid this order in time. Order again; prices may have changed."}
	case Refunded:
		p.Note = &ui.Note{Text: "This order was refunded. Its licenses ended."}
	}
	return p, nil
}

func (s *Store) payTo() string {
	if s.BankDetail != "" {
		return s.BankDetail
	}
	return s.Operator + " tells you by mail how to pay"
}

func (s *Store) orderLine(r *http.Request, o Order, l Line, rows drawings) (ui.OrderLine, error) {
	ctx := r.Context()
	rec, err := s.recordingOr(ctx, l.RecordingID, l.Title)
	if err != nil {
		return ui.OrderLine{}, err
	}
	line := ui.OrderLine{Sound: rows.of(rec), Model: fmt.Sprintf("%s, version %d", l.ModelName, l.ModelVersion), Price: money.Of(l.Price, o.Currency).Exact()}
	if l.RefundedAt != nil {
		line.Model += ", refunded on " + ui.Date(*l.RefundedAt)
	}
	if !o.State.Settled() {
		return line, nil
	}
	lic, err := s.Licensing.ByOrderLine(ctx, s.DB, l.ID)
	if err != nil {
		return line, err
	}
	line.Certificate = &ui.Link{Text: shortNumber(lic.Number), URL: "/verify/" + lic.Number}
	if lic.Valid() && access.From(ctx).ID == o.AccountID {
		line.Download = &ui.Link{Text: "Download", URL: fmt.Sprintf("/library/%d/download", lic.ID)}
	}
	return line, nil
}

func (s *Store) ordersPage(w http.ResponseWriter, r *http.Request) error {
	all, err := s.OfAccount(r.Context(), access.From(r.Context()).ID)
	if err != nil {
		return err
	}
	p := ui.PlainPage{Title: "Orders", Crumb: &ui.Link{Text: "Library", URL: "/library"}}
	if len(all) == 0 {
		return s.Site.Page(w, r, web.View{Title: p.Title}, ui.Plain(p, ui.EmptyPart(ui.Empty{Title: "No orders yet", Text: "What you buy is listed here with its invoice.", Out: &ui.Link{Text: "Search sounds", URL: "/search"}})))
	}
	return s.Site.Page(w, r, web.View{Title: p.Title}, ui.Plain(p, ui.TablePart(orderTable(all, "/orders/"))))
}

func orderTable(all []Order, path string) ui.Table {
	t := ui.Table{Caption: "Orders", Head: []ui.Column{{Title: "Order"}, {Title: "Placed"}, {Title: "Licensee"}, {Title: "State"}, {Title: "Total", Figure: true}}}
	for _, o := range all {
		tag := stateTag(o.State)
		t.Rows = append(t.Rows, []ui.Cell{{Text: o.Name(), URL: fmt.Sprintf("%s%d", path, o.ID)}, {Text: ui.Date(o.PlacedAt)}, {Text: o.Licensee, Sub: o.Project}, {Tag: &tag}, {Text: o.Amount().Exact()}})
	}
	return t
}

// invoicePage is the invoice as a plain page that prints well.
func (s *Store) invoicePage(w http.ResponseWriter, r *http.Request) error {
	o, err := s.ownOrder(r)
	if err != nil {
		return err
	}
	if !o.State.Settled() {
		return conflict("Order %s has no invoice yet: it is written when the order is paid.", o.Name())
	}
	lines, err := s.Lines(r.Context(), s.DB, o.ID)
	if err != nil {
		return err
	}
	amount := func(minor int64) string { return money.Of(minor, o.Currency).Exact() }
	t := ui.Table{Caption: "Invoice " + o.Name(), Head: []ui.Column{{Title: "License"}, {Title: "Recording", Figure: true}, {Title: "Net", Figure: true}}}
	back := int64(0)
	for _, l := range lines {
		t.Rows = append(t.Rows, []ui.Cell{{Text: l.Title, Sub: fmt.Sprintf("%s license, version %d", l.ModelName, l.ModelVersion)}, {Text: fmt.Sprint(l.RecordingID)}, {Text: amount(l.Price)}})
		if l.RefundedAt != nil {
			t.Rows = append(t.Rows, []ui.Cell{{Text: "Credit: " + l.Title, Sub: "refunded on " + ui.Date(*l.RefundedAt)}, {Text: fmt.Sprint(l.RecordingID)}, {Text: amount(-l.Price)}})
			back += l.Price + l.Tax
		}
	}
	facts := []ui.Fact{{Label: "Invoice", Value: o.Name()}, {Label: "Order", Value: fmt.Sprint(o.ID)}, {Label: "Date of invoice and supply", Value: ui.Date(*o.PaidAt)},
		{Label: "From", Value: joined(s.Operator, s.Address)}, {Label: "To", Value: joined(joined(o.Licensee, o.Company), countryName(o.Country))}, {Label: "For", Value: o.Project},
		{Label: "Net", Value: amount(o.Subtotal)}}
	if o.TaxBasis > 0 {
		facts = append(facts, ui.Fact{Label: taxLabel(o.TaxName, o.TaxBasis), Value: amount(o.Tax)})
	}
	facts = append(facts, ui.Fact{Label: "Total, paid", Value: amount(o.Total)})
	if back > 0 {
		facts = append(facts, ui.Fact{Label: "Sent back", Value: amount(back)}, ui.Fact{Label: "Remains", Value: amount(o.Total - back)})
	}
	p := ui.PlainPage{Title: "Invoice " + o.Name(), Crumb: &ui.Link{Text: "Order " + o.Name(), URL: fmt.Sprintf("/orders/%d", o.ID)}}
	return s.Site.Page(w, r, web.View{Title: p.Title, Edit: noIndex}, ui.Plain(p, together(padded("Invoice "+o.Name(), ui.Facts(facts)), ui.CardPart("Licenses", "", ui.TablePart(t)))))
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + ", " + b
}
