package orders

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/mail"
	"audiomicro/internal/money"
	"audiomicro/internal/payments"
	"audiomicro/internal/web"
)

// PaymentSettled does what follows from a payment's new state, in the same transaction: it is payments.Store.Settled. A payment
// that finds its order canceled, or paid by another payment, is payments.ErrRefused: the money goes back.
func (s *Store) PaymentSettled(ctx context.Context, tx *db.Tx, p payments.Payment) error {
	switch p.State {
	case payments.Paid:
		return s.paid(ctx, tx, p)
	case payments.Authorized:
		return s.move(ctx, tx, p.OrderID, Authorized, Draft, Pending, Failed)
	case payments.Failed:
		return s.move(ctx, tx, p.OrderID, Failed, Draft, Pending, Authorized)
	}
	return nil
}

// move changes an order's state when it is in one of the states from, and does nothing otherwise.
func (s *Store) move(ctx context.Context, tx *db.Tx, orderID int64, to State, from ...State) error {
	in, args := db.In(4, from)
	_, err := db.Exec(ctx, tx, `UPDATE orders SET state = $2, updated_at = $3 WHERE id = $1 AND state IN (`+in+`)`, append([]any{orderID, string(to), s.now()}, args...)...)
	if err != nil {
		return fmt.Errorf("move order %d to %s: %w", orderID, to, err)
	}
	return nil
}

// paid makes an order paid with all that belongs to it: the book, the licenses, the invoice number, the receipt. The
// conditional UPDATE lets exactly one caller through.
func (s *Store) paid(ctx context.Context, tx *db.Tx, p payments.Payment) error {
	o, err := s.lockedOrder(ctx, tx, p.OrderID)
	if err != nil {
		return err
	}
	lines, err := s.Lines(ctx, tx, p.OrderID)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if _, err := s.recording(ctx, tx, l.RecordingID); errors.Is(err, db.ErrNotFound) {
			return s.useless(ctx, tx, p, "a recording in it no longer exists") // nothing can be licensed any more
		} else if err != nil {
			return err
		}
	}
	if !o.State.Settled() && o.State != Canceled {
		if l, err := s.holdsLine(ctx, tx, o); err != nil {
			return err
		} else if l != nil {
			return s.useless(ctx, tx, p, fmt.Sprintf("you hold the %s license of %q for the project %q already", l.ModelName, l.Title, o.Project))
		}
	}
	n, err := db.Exec(ctx, tx, `UPDATE orders SET state = 'paid', paid_at = $2, updated_at = $2 WHERE id = $1 AND state IN ('draft', 'pending', 'authorized', 'failed', 'expired')`,
		p.OrderID, s.now())
	if err != nil {
		return fmt.Errorf("pay order %d: %w", p.OrderID, err)
	}
	if o, err = s.Order(ctx, tx, p.OrderID); err != nil {
		return err
	}
	if n == 0 {
		why := "the order was paid before"
		switch {
		case o.ReplacedBy != nil:
			why = fmt.Sprintf("you ordered the same again, and order %d took its place", *o.ReplacedBy)
		case o.State == Canceled:
			why = "the order was canceled before"
		}
		if err := s.tooLate(ctx, tx, o, p, why); err != nil {
			return err
		}
		return fmt.Errorf("order %d is %s: %w", o.ID, o.State, payments.ErrRefused)
	}
	if p.Amount() != o.Amount() {
		return fmt.Errorf("pay order %d: the payment is about %s, the order about %s", o.ID, p.Amount(), o.Amount())
	}
	number, err := s.invoiceNumber(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tx, `UPDATE orders SET number = $2 WHERE id = $1`, o.ID, number); err != nil {
		return fmt.Errorf("number order %d: %w", o.ID, err)
	}
	o.Number = &number
	if err := s.Ledger.Post(ctx, tx, s.saleJournal(o, lines, p.Provider)); err != nil {
		return err
	}
	for _, l := range lines {
		_, err := s.Licensing.Issue(ctx, tx, licensing.Grant{AccountID: o.AccountID, RecordingID: l.RecordingID, Code: l.ModelCode, Version: l.ModelVersion,
			OrderLine: l.ID, OrderNumber: number, Price: money.Of(l.Price, o.Currency), Licensee: o.Licensee, Company: o.Company, Project: o.Project})
		if err != nil {
			return err
		}
	}
	if err := s.takeFromCart(ctx, tx, o.AccountID, lines); err != nil {
		return err
	}
	if err := s.letter(ctx, tx, s.receipt(o, lines)); err != nil {
		return err
	}
	return s.raise(ctx, tx, WasPaid{OrderID: o.ID})
}

// useless closes an order that money came for and that cannot be fulfilled any more: the money goes back.
func (s *Store) useless(ctx context.Context, tx *db.Tx, p payments.Payment, why string) error {
	if err := s.move(ctx, tx, p.OrderID, Canceled, Draft, Pending, Authorized, Failed, Expired); err != nil {
		return err
	}
	o, err := s.Order(ctx, tx, p.OrderID)
	if err != nil {
		return err
	}
	if err := s.tooLate(ctx, tx, o, p, why); err != nil {
		return err
	}
	return fmt.Errorf("order %d cannot be fulfilled, because %s: %w", o.ID, why, payments.ErrRefused)
}

// tooLate books a payment that is of no use, in and out again, and tells the buyer; payments sends the money back.
func (s *Store) tooLate(ctx context.Context, tx *db.Tx, o Order, p payments.Payment, why string) error {
	back, err := p.Amount().Neg()
	if err != nil {
		return err
	}
	note := fmt.Sprintf("Late payment of order %d", o.ID)
	for _, j := range []ledger.Journal{
		{Kind: ledger.Late, Ref: p.Ref, Memo: note, Lines: []ledger.Line{{Kind: ledger.Received(p.Provider), Amount: p.Amount(), Note: note}, {Kind: ledger.Returns, Amount: back, Note: note}}},
		{Kind: ledger.Refund, Ref: "late:" + p.Ref, Memo: note, Lines: []ledger.Line{{Kind: ledger.Returns, Amount: p.Amount(), Note: note}, {Kind: ledger.Received(p.Provider), Amount: back, Note: note}}},
	} {
		if err := s.Ledger.Post(ctx, tx, j); err != nil {
			return err
		}
	}
	return s.letter(ctx, tx, Letter{Kind: mailRefund, AccountID: o.AccountID, Subject: "A payment for order " + o.Name() + " goes back",
		Paragraphs: []string{fmt.Sprintf("%s came for order %s, but %s. The money goes back to you, and no license was issued for it.", p.Amount().Exact(), o.Name(), why)},
		Button:     mail.Button{Label: "See the order", URL: fmt.Sprintf("%s/orders/%d", s.SiteURL, o.ID)}})
}

// sentBack is how much of late payments for an order goes back, in minor units.
func (s *Store) sentBack(ctx context.Context, o Order) (int64, error) {
	tries, err := s.Payments.OfOrder(ctx, s.DB, o.ID)
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, p := range tries {
		sum += p.Refunded
	}
	return sum, nil
}

// invoiceNumber draws the next number of this year's series: without gaps, for a transaction that rolls back gives it back.
func (s *Store) invoiceNumber(ctx context.Context, tx *db.Tx) (string, error) {
	series := s.Now().UTC().Format("2006")
	if _, err := db.Exec(ctx, tx, `INSERT INTO invoice_series (series, next) VALUES ($1, 1) ON CONFLICT (series) DO NOTHING`, series); err != nil {
		return "", fmt.Errorf("draw invoice number: %w", err)
	}
	n, err := db.Get[int64](ctx, tx, `UPDATE invoice_series SET next = next + 1 WHERE series = $1 RETURNING next - 1`, series)
	if err != nil {
		return "", fmt.Errorf("draw invoice number: %w", err)
	}
	return invoiceName(series, n), nil
}

func invoiceName(series string, n int64) string { return fmt.Sprintf("%s-%05d", series, n) }

// saleJournal books a sale: what the provider took in against the contributors' shares, the house's and the tax.
func (s *Store) saleJournal(o Order, lines []Line, provider string) ledger.Journal {
	amount := func(minor int64) money.Amount { return money.Of(minor, o.Currency) }
	j := ledger.Journal{Kind: ledger.Sale, Ref: strconv.FormatInt(o.ID, 10), Memo: "Order " + o.Name(),
		Lines: []ledger.Line{{Kind: ledger.Received(provider), Amount: amount(o.Total), Note: "Order " + o.Name()}}}
	house := int64(0)
	for _, l := range lines {
		j.Lines = append(j.Lines, ledger.Line{Kind: ledger.Contributor, Owner: l.ContributorID, Amount: amount(-l.Royalty), Recording: l.RecordingID,
			Basis: l.Price, Note: l.ModelName + " license, " + l.Title})
		house += l.Price - l.Royalty
	}
	j.Lines = append(j.Lines, ledger.Line{Kind: ledger.Revenue, Amount: amount(-house), Note: "Order " + o.Name()},
		ledger.Line{Kind: ledger.Tax, Amount: amount(-o.Tax), Note: "Order " + o.Name()})
	return j
}

// takeFromCart removes from the buyer's cart what was bought.
func (s *Store) takeFromCart(ctx context.Context, tx *db.Tx, accountID int64, lines []Line) error {
	for _, l := range lines {
		_, err := db.Exec(ctx, tx, `DELETE FROM cart_line WHERE recording_id = $1 AND model_code = $2 AND cart_id IN (SELECT id FROM cart WHERE account_id = $3)`,
			l.RecordingID, l.ModelCode, accountID)
		if err != nil {
			return fmt.Errorf("empty cart of account %d: %w", accountID, err)
		}
	}
	return nil
}

func (s *Store) receipt(o Order, lines []Line) Letter {
	l := Letter{Kind: mailReceipt, AccountID: o.AccountID, Subject: "Your licenses, invoice " + o.Name(),
		Button: mail.Button{Label: "Open your library", URL: s.SiteURL + "/library"}}
	l.Paragraphs = append(l.Paragraphs, fmt.Sprintf("%s arrived. These licenses are yours, for %s, project %s:", o.Amount().Exact(), o.Licensee, o.Project))
	for _, line := range lines {
		l.Paragraphs = append(l.Paragraphs, fmt.Sprintf("%s, %s, %s", line.Title, line.ModelName, money.Of(line.Price, o.Currency).Exact()))
	}
	l.Paragraphs = append(l.Paragraphs, fmt.Sprintf("Invoice %s: %s/orders/%d/invoice", o.Name(), s.SiteURL, o.ID))
	return l
}

// MarkPaid settles the manual payment of an order: an admin, or `audiomicro order pay`, saw the money. Doing it again changes
// nothing. A closed order and one of another provider are refused with a sentence.
func (s *Store) MarkPaid(ctx context.Context, orderID int64) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		o, err := s.lockedOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		switch {
		case o.State == Paid:
			return nil
		case o.State.Settled():
			return conflict("Order %s was paid and refunded. The buyer has to order again.", o.Name())
		case o.ReplacedBy != nil:
			return conflict("Order %s was canceled, because its buyer ordered the same again: order %d took its place. If the money is for that one, mark that one paid; else send it back.", o.Name(), *o.ReplacedBy)
		case o.State == Canceled:
			return conflict("Order %s was canceled and cannot be paid. If the money came, send it back; the buyer may order again.", o.Name())
		case o.Provider != payments.ManualName:
			return conflict("Order %s is paid through %s, which reports it by itself.", o.Name(), o.Provider)
		}
		if l, err := s.holdsLine(ctx, tx, o); err != nil {
			return err
		} else if l != nil {
			return conflict("Order %s cannot be paid: its buyer holds the %s license of %q for the project %q by another order. Nothing was booked. Send the money back.", o.Name(), l.ModelName, l.Title, o.Project)
		}
		tries, err := s.Payments.OfOrder(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if len(tries) == 0 {
			return fmt.Errorf("order %d has no payment", o.ID)
		}
		if err := s.Payments.MarkReceived(ctx, tx, tries[0].Ref); err != nil {
			return err
		}
		if o, err = s.Order(ctx, tx, orderID); err == nil && !o.State.Settled() {
			err = conflict("Order %s cannot be paid: it was canceled just now, or a recording in it no longer exists. Nothing was booked. If the money came, send it back.", o.Name())
		}
		return err
	})
}

// Refund sends the money of an order's lines (all that are left when none are named) back and takes back everything that came
// with it: the entries in the book, the licenses. why is shown on the certificates. Lines refunded before are refused.
func (s *Store) Refund(ctx context.Context, orderID int64, lineIDs []int64, why string) error {
	why, ok := licensing.CleanField(why)
	if !ok || why == "" {
		return web.Refuse(http.StatusUnprocessableEntity, "Say in a sentence why the money goes back; it is shown on the certificate.")
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		// The row is locked first: of two refunds at once the second sees all that the first did, and knows which line is the last.
		if _, err := db.Exec(ctx, tx, `UPDATE orders SET updated_at = updated_at WHERE id = $1`, orderID); err != nil {
			return fmt.Errorf("lock order %d: %w", orderID, err)
		}
		o, err := s.Order(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if o.State != Paid && o.State != PartRefunded {
			return conflict("Order %s is %s: there is nothing to refund.", o.Name(), o.State)
		}
		all, err := s.Lines(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		var back []Line
		left := 0
		for _, l := range all {
			switch {
			case l.RefundedAt != nil:
				if slices.Contains(lineIDs, l.ID) {
					return conflict("%q was refunded before.", l.Title)
				}
			case len(lineIDs) == 0 || slices.Contains(lineIDs, l.ID):
				back = append(back, l)
			default:
				left++
			}
		}
		if len(back) == 0 || len(lineIDs) > 0 && len(back) != len(lineIDs) {
			return conflict("Choose lines of this order that were not refunded yet.")
		}
		return s.refund(ctx, tx, o, back, left, why)
	})
}

func (s *Store) refund(ctx context.Context, tx *db.Tx, o Order, back []Line, left int, why string) error {
	tries, err := s.Payments.OfOrder(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tries, func(p payments.Payment) bool { return p.State == payments.Paid || p.State == payments.PartRefunded })
	if i < 0 {
		return fmt.Errorf("order %d is paid but has no paid payment", o.ID)
	}
	j := ledger.Journal{Kind: ledger.Refund, Memo: "Refund of order " + o.Name()}
	var total, house, tax int64
	var ids, titles []string
	for _, l := range back {
		n, err := db.Exec(ctx, tx, `UPDATE order_line SET refunded_at = $2 WHERE id = $1 AND refunded_at IS NULL`, l.ID, s.now())
		if err != nil {
			return fmt.Errorf("refund line %d: %w", l.ID, err)
		}
		if n == 0 {
			return conflict("%q was refunded before.", l.Title)
		}
		if err := s.Licensing.RevokeLine(ctx, tx, l.ID, why); err != nil {
			return err
		}
		j.Lines = append(j.Lines, ledger.Line{Kind: ledger.Contributor, Owner: l.ContributorID, Amount: money.Of(l.Royalty, o.Currency), Recording: l.RecordingID,
			Basis: -l.Price, Note: "Refund of " + l.ModelName + " license, " + l.Title})
		total, house, tax = total+l.Price+l.Tax, house+l.Price-l.Royalty, tax+l.Tax
		ids, titles = append(ids, strconv.FormatInt(l.ID, 10)), append(titles, l.Title)
	}
	key := strconv.FormatInt(o.ID, 10) + ":" + strings.Join(ids, ",")
	note := "Refund of order " + o.Name()
	j.Ref = key
	j.Lines = append(j.Lines, ledger.Line{Kind: ledger.Received(tries[i].Provider), Amount: money.Of(-total, o.Currency), Note: note},
		ledger.Line{Kind: ledger.Revenue, Amount: money.Of(house, o.Currency), Note: note}, ledger.Line{Kind: ledger.Tax, Amount: money.Of(tax, o.Currency), Note: note})
	if err := s.Ledger.Post(ctx, tx, j); err != nil {
		return err
	}
	if err := s.Payments.RequestRefund(ctx, tx, tries[i].Ref, "order:"+key, money.Of(total, o.Currency), why); err != nil {
		return err
	}
	to := PartRefunded
	if left == 0 {
		to = Refunded
	}
	if err := s.move(ctx, tx, o.ID, to, Paid, PartRefunded); err != nil {
		return err
	}
	err = s.letter(ctx, tx, Letter{Kind: mailRefund, AccountID: o.AccountID, Subject: "Refund for invoice " + o.Name(),
		Paragraphs: []string{fmt.Sprintf("%s go back to you. Reason: %s", money.Of(total, o.Currency).Exact(), why),
			"The licenses of these recordings ended: " + strings.Join(titles, "; ") + ". Please stop using them in new work."},
		Button: mail.Button{Label: "See the order", URL: fmt.Sprintf("%s/orders/%d", s.SiteURL, o.ID)}})
	if err != nil {
		return err
	}
	return s.raise(ctx, tx, WasRefunded{OrderID: o.ID})
}
