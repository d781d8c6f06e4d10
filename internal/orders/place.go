package orders

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/mail"
	"audiomicro/internal/money"
	"audiomicro/internal/payments"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Checkout is what a buyer fills in.
type Checkout struct {
	Key      string // random, from the form: the same form sent twice is one order
	Seen     string // what the buyer saw, as Quote.Mark
	Licensee string
	Company  string
	Project  string
	Country  string // ISO 3166 code
	Provider string
}

// Invalid is what is wrong with a checkout, field by field. It is a refusal with status 422.
type Invalid struct{ Problems []ui.FormError }

func (e *Invalid) Error() string {
	var all []string
	for _, p := range e.Problems {
		all = append(all, p.Text)
	}
	return strings.Join(all, " ")
}

// Quote is a cart with tax.
type Quote struct {
	Cart     Cart
	Subtotal money.Amount
	Tax      money.Amount
	Total    money.Amount
	Royalty  money.Amount // what contributors get of it
	People   int          // how many contributors
}

// Quote adds tax and shares to a cart.
func (s *Store) Quote(cart Cart) (Quote, error) {
	q := Quote{Cart: cart, Subtotal: cart.Subtotal, Royalty: money.Of(0, s.Currency)}
	var err error
	if q.Tax, err = q.Subtotal.Percent(s.TaxBasis); err != nil {
		return q, fmt.Errorf("quote: %w", err)
	}
	if q.Total, err = q.Subtotal.Add(q.Tax); err != nil {
		return q, fmt.Errorf("quote: %w", err)
	}
	people := map[int64]bool{}
	for _, it := range cart.Items {
		if it.Problem != "" {
			continue
		}
		share, err := s.royalty(it.Price)
		if err != nil {
			return q, err
		}
		if q.Royalty, err = q.Royalty.Add(share); err != nil {
			return q, fmt.Errorf("quote: %w", err)
		}
		people[it.Recording.OwnerID] = true
	}
	q.People = len(people)
	return q, nil
}

// Mark stands for what a buyer is shown of a quote: the total, and which recordings under which versions of which licenses at which
// prices. Two carts of the same total have different marks.
func (q Quote) Mark() string {
	h := sha256.New()
	for _, it := range q.Cart.Items {
		fmt.Fprintf(h, "%d %s %d %s\n", it.Recording.ID, it.Chosen.Model.Code, it.Chosen.Model.Version, it.Price.Decimal())
	}
	return q.Total.Decimal() + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// royalty is the contributor's share of a price; the cent that does not divide goes to the larger remainder.
func (s *Store) royalty(price money.Amount) (money.Amount, error) {
	parts, err := price.Split(s.RoyaltyBasis, money.WholeBasis-s.RoyaltyBasis)
	if err != nil {
		return money.Amount{}, fmt.Errorf("split %s: %w", price, err)
	}
	return parts[0], nil
}

// check cleans a checkout and lists what is wrong with it.
func (s *Store) check(c *Checkout) error {
	var bad []ui.FormError
	field := func(name, what string, value *string, required bool) {
		clean, ok := licensing.CleanField(*value)
		switch {
		case !ok:
			bad = append(bad, ui.FormError{Field: name, Text: what + " takes at most 200 characters of text."})
		case clean == "" && required:
			bad = append(bad, ui.FormError{Field: name, Text: what + " is missing: it is printed on the certificate."})
		}
		*value = clean
	}
	field("licensee", "Licensee", &c.Licensee, true)
	field("company", "Company", &c.Company, false)
	field("project", "Project", &c.Project, true)
	if !knownCountry(c.Country) {
		bad = append(bad, ui.FormError{Field: "country", Text: "Choose the country you are billed in."})
	}
	if _, err := s.Payments.Provider(c.Provider); err != nil {
		bad = append(bad, ui.FormError{Field: "provider", Text: "Choose how to pay."})
	}
	if c.Key == "" || len(c.Key) > 100 {
		bad = append(bad, ui.FormError{Text: "This form is too old. Open the checkout again; your cart is kept."})
	}
	if len(bad) > 0 {
		return &Invalid{Problems: bad}
	}
	return nil
}

// Place makes an order of an account's cart, at exactly the total that the buyer saw. The cart stays until the order is paid.
// The caller then sends the buyer to pay with Pay. Wrong input is *Invalid; what stands in the way is a web.Public.
func (s *Store) Place(ctx context.Context, accountID int64, c Checkout) (Order, error) {
	if err := s.check(&c); err != nil {
		return Order{}, err
	}
	var out Order
	var stale error
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		stale = nil
		if err := lockAccount(ctx, tx, accountID); err != nil {
			return err
		}
		var err error
		out, err = db.Get[Order](ctx, tx, `SELECT `+orderColumns+` FROM orders WHERE account_id = $1 AND place_key = $2`, accountID, c.Key)
		if err == nil {
			return out.same(c)
		}
		if !errors.Is(err, db.ErrNotFound) {
			return err
		}
		who := Shopper{Account: accountID}
		cart, err := s.Cart(ctx, tx, who)
		if err != nil {
			return err
		}
		quote, err := s.Quote(cart)
		if err != nil {
			return err
		}
		if err := s.orderable(ctx, tx, accountID, quote, c); err != nil {
			return err
		}
		if c.Seen != quote.Mark() {
			stale = s.staleCart(quote, c.Seen)
			return nil
		}
		earlier, err := s.earlier(ctx, tx, accountID, cart, c.Project)
		if err != nil {
			return err
		}
		out, err = s.place(ctx, tx, accountID, quote, c, earlier)
		return err
	})
	if err == nil && stale != nil {
		if err := s.Saw(ctx, Shopper{Account: accountID}); err != nil {
			return Order{}, err
		}
		return Order{}, stale
	}
	if db.IsUnique(err) { // the same form came twice at the same moment
		if out, err = db.Get[Order](ctx, s.DB, `SELECT `+orderColumns+` FROM orders WHERE account_id = $1 AND place_key = $2`, accountID, c.Key); err == nil {
			err = out.same(c)
		}
	}
	if err != nil {
		return Order{}, err
	}
	return out, nil
}

// ErrSent is wrapped by the refusal of a form that was sent before with other words: the next try needs another key.
var ErrSent = errors.New("this form made another order")

// same refuses a form that made the order and comes again saying something else: the buyer went back and changed it. Taking it for
// a repetition would license the sound to the name and project of before.
func (o Order) same(c Checkout) error {
	if o.Licensee == c.Licensee && o.Company == c.Company && o.Project == c.Project && o.Country == c.Country && o.Provider == c.Provider {
		return nil
	}
	doing, then := "waits for payment; if you do not want it, cancel it on its page", ""
	switch {
	case !o.State.Open():
		doing = "is " + string(o.State)
	case strings.EqualFold(o.Project, c.Project):
		doing, then = "waits for payment", "; that takes its place"
	}
	return &web.Public{Status: http.StatusConflict, Err: ErrSent, Text: fmt.Sprintf("Nothing was ordered now. This form made order %s before, for %s and the project %q, which %s. Send the form again to order what it says now%s.",
		o.Name(), o.Licensee, o.Project, doing, then)}
}

// staleCart says what changed since the buyer looked.
func (s *Store) staleCart(q Quote, seen string) error {
	what := ""
	for _, it := range q.Cart.Items {
		if it.Stale != "" {
			what += fmt.Sprintf(" %s: %s", it.Recording.Title, it.Stale)
		}
	}
	if total, _, _ := strings.Cut(seen, "-"); what == "" && total == q.Total.Decimal() {
		return conflict("Nothing was ordered. The total is still %s, but your cart, or the text of a license in it, is not what it was when you opened the checkout. Look again and pay that, or change the cart.", q.Total)
	}
	if what == "" {
		what = " Your cart is not what it was when you opened the checkout."
	}
	return conflict("Nothing was ordered, because prices changed.%s The total is now %s; look again and pay that, or change the cart.", what, q.Total)
}

// orderable refuses a cart that cannot be ordered as it stands.
func (s *Store) orderable(ctx context.Context, q db.Querier, accountID int64, quote Quote, c Checkout) error {
	if len(quote.Cart.Items) == 0 {
		return emptyCart()
	}
	if why := quote.Cart.Problem(); why != "" {
		return conflict("Nothing was ordered. %s", why)
	}
	if quote.Total.Minor <= 0 {
		return conflict("Nothing was ordered: there is nothing to pay.")
	}
	held, err := s.Licensing.Held(ctx, q, accountID)
	if err != nil {
		return err
	}
	for _, it := range quote.Cart.Items {
		if holds(held, it.Recording.ID, it.Code, c.Project) {
			return conflict("Nothing was ordered. You hold the %s license of %q for the project %q already; name another project or remove it.", it.Chosen.Model.Name, it.Recording.Title, c.Project)
		}
	}
	return nil
}

// holds tells whether a valid license of a recording under a model for a project is among held.
func holds(held []licensing.License, recording int64, code, project string) bool {
	return slices.ContainsFunc(held, func(l licensing.License) bool {
		return l.Valid() && l.RecordingID == recording && l.ModelCode == code && strings.EqualFold(l.Project, project)
	})
}

func (s *Store) place(ctx context.Context, tx *db.Tx, accountID int64, quote Quote, c Checkout, earlier []Order) (Order, error) {
	id, err := tx.NewID(ctx, "order")
	if err != nil {
		return Order{}, err
	}
	o := Order{ID: id, AccountID: accountID, PlaceKey: c.Key, State: Draft, Licensee: c.Licensee, Company: c.Company, Project: c.Project, Country: c.Country,
		Currency: s.Currency, Subtotal: quote.Subtotal.Minor, TaxName: s.TaxName, TaxBasis: s.TaxBasis, Tax: quote.Tax.Minor, Total: quote.Total.Minor,
		Provider: c.Provider, PlacedAt: s.now(), UpdatedAt: s.now()}
	_, err = db.Exec(ctx, tx, `INSERT INTO orders (`+orderColumns+`) VALUES ($1,NULL,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,NULL,$16,NULL)`,
		o.ID, o.AccountID, o.PlaceKey, string(o.State), o.Licensee, o.Company, o.Project, o.Country, o.Currency, o.Subtotal, o.TaxName, o.TaxBasis, o.Tax, o.Total, o.Provider, o.PlacedAt)
	if err != nil {
		return Order{}, fmt.Errorf("place order %d: %w", o.ID, err)
	}
	weights := make([]int64, len(quote.Cart.Items))
	for i, it := range quote.Cart.Items {
		weights[i] = it.Price.Minor
	}
	taxes, err := quote.Tax.Split(weights...)
	if err != nil {
		return Order{}, fmt.Errorf("split tax of order %d: %w", o.ID, err)
	}
	for i, it := range quote.Cart.Items {
		share, err := s.royalty(it.Price)
		if err != nil {
			return Order{}, err
		}
		lineID, err := tx.NewID(ctx, "order_line")
		if err != nil {
			return Order{}, err
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO order_line (`+lineColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,NULL)`,
			lineID, o.ID, i, it.Recording.ID, it.Recording.OwnerID, it.Recording.Title, it.Chosen.Model.Code, it.Chosen.Model.Version, it.Chosen.Model.Name,
			it.Price.Minor, taxes[i].Minor, share.Minor)
		if err != nil {
			return Order{}, fmt.Errorf("place order %d: %w", o.ID, err)
		}
	}
	if _, err := s.Payments.Open(ctx, tx, o.ID, o.Provider, o.Amount()); err != nil {
		return Order{}, err
	}
	if err := s.replace(ctx, tx, earlier, o); err != nil {
		return Order{}, err
	}
	if o.Provider == payments.ManualName {
		return o, s.letter(ctx, tx, s.invoiceLetter(o, earlier))
	}
	return o, nil
}

func (s *Store) invoiceLetter(o Order, instead []Order) Letter {
	l := Letter{Kind: mailInvoice, AccountID: o.AccountID, Subject: fmt.Sprintf("How to pay order %d", o.ID),
		Paragraphs: []string{
			fmt.Sprintf("Thank you for your order. Please transfer %s and name order %d as the reference.", o.Amount().Exact(), o.ID),
			s.BankDetail, "Your licenses are issued when the money has arrived; you will get another mail then."},
		Button: mail.Button{Label: "See the order", URL: fmt.Sprintf("%s/orders/%d", s.SiteURL, o.ID)}}
	for _, e := range instead {
		l.Paragraphs = append(l.Paragraphs, fmt.Sprintf("It takes the place of order %d, which is canceled: please do not pay that one.", e.ID))
	}
	return l
}

// Pay sends the buyer of an open order to pay, and tells where to: a page of the provider, or empty when the order's own page
// says how. After a refused payment it opens a new one. A closed order is refused with a sentence.
func (s *Store) Pay(ctx context.Context, accountID, orderID int64) (redirect string, err error) {
	o, err := s.Own(ctx, accountID, orderID)
	if err != nil {
		return "", err
	}
	var ref string
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if o, err = s.Order(ctx, tx, orderID); err != nil {
			return err
		}
		if err := payable(o); err != nil {
			return err
		}
		if err := s.needed(ctx, tx, o); err != nil {
			return err
		}
		tries, err := s.Payments.OfOrder(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(tries, func(p payments.Payment) bool { return p.State == payments.Created }); i >= 0 {
			ref = tries[i].Ref
			return nil
		}
		p, err := s.Payments.Open(ctx, tx, o.ID, o.Provider, o.Amount())
		ref = p.Ref
		return err
	})
	if err != nil {
		return "", err
	}
	started, err := s.Payments.Begin(ctx, ref, fmt.Sprintf("Order %d", o.ID), fmt.Sprintf("/orders/%d/returned?payment=%s", o.ID, ref))
	if err != nil {
		return "", err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE orders SET state = 'pending', updated_at = $2 WHERE id = $1 AND state IN ('draft', 'failed')`, o.ID, s.now())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("pay order %d: %w", o.ID, err)
	}
	return started.Redirect, nil
}

// needed refuses to charge for an order whose licenses came with another one meanwhile.
func (s *Store) needed(ctx context.Context, q db.Querier, o Order) error {
	l, err := s.holdsLine(ctx, q, o)
	if err == nil && l != nil {
		err = conflict("Nothing was charged. You hold the %s license of %q for the project %q already. Cancel order %s, and order what is left of it anew.", l.ModelName, l.Title, o.Project, o.Name())
	}
	return err
}

// holdsLine finds a line of an unpaid order whose license its buyer holds for the project already, by another order; nil means none.
// Orders placed before a later one took the place of an earlier one can be paid beside each other.
func (s *Store) holdsLine(ctx context.Context, q db.Querier, o Order) (*Line, error) {
	held, err := s.Licensing.Held(ctx, q, o.AccountID)
	if err != nil {
		return nil, err
	}
	lines, err := s.Lines(ctx, q, o.ID)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if holds(held, l.RecordingID, l.ModelCode, o.Project) {
			return &l, nil
		}
	}
	return nil, nil
}

// payable refuses an order that cannot be paid any more.
func payable(o Order) error {
	switch {
	case o.State.Settled():
		return conflict("Order %s is paid already. Your licenses are in the library.", o.Name())
	case o.ReplacedBy != nil:
		return conflict("Order %s was canceled, because you ordered the same again: order %d took its place. Nothing was charged.", o.Name(), *o.ReplacedBy)
	case o.State == Canceled:
		return conflict("Order %s was canceled and cannot be paid. Order again; your cart is as you left it.", o.Name())
	case o.State == Authorized:
		return conflict("The payment of order %s is promised already and arrives by itself. You get a mail then.", o.Name())
	case o.State == Expired:
		return conflict("Order %s has expired and cannot be paid any more. Order again; prices may have changed.", o.Name())
	}
	return nil
}

// Returned reads an order's payment back from its provider when the buyer comes back. What the address says counts for nothing.
func (s *Store) Returned(ctx context.Context, accountID, orderID int64) (Order, error) {
	if _, err := s.Own(ctx, accountID, orderID); err != nil {
		return Order{}, err
	}
	tries, err := s.Payments.OfOrder(ctx, s.DB, orderID)
	if err != nil {
		return Order{}, err
	}
	for _, p := range tries {
		if p.State == payments.Created || p.State == payments.Authorized {
			if err := s.Payments.Confirm(ctx, p.Ref); err != nil {
				return Order{}, err
			}
		}
	}
	return s.Own(ctx, accountID, orderID)
}

// Cancel closes an order that was not paid. A paid one is refused: that is a refund.
func (s *Store) Cancel(ctx context.Context, accountID, orderID int64) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		o, err := s.Order(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if o.AccountID != accountID {
			return fmt.Errorf("cancel order %d: %w", orderID, db.ErrNotFound)
		}
		n, err := db.Exec(ctx, tx, `UPDATE orders SET state = 'canceled', updated_at = $2 WHERE id = $1 AND state IN ('draft', 'pending', 'failed')`, orderID, s.now())
		if err != nil {
			return fmt.Errorf("cancel order %d: %w", orderID, err)
		}
		if n == 0 && o.State != Canceled {
			return web.Refuse(http.StatusConflict, "Order %s is %s and cannot be canceled.", o.Name(), o.State)
		}
		return nil
	})
}
