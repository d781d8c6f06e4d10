package orders

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/mail"
	"audiomicro/internal/payments"
)

// lockAccount has an account's orders placed and paid one after the other: of two tabs that order the same at once, the second
// sees what the first did.
func lockAccount(ctx context.Context, tx *db.Tx, accountID int64) error {
	return tx.Lock(ctx, fmt.Sprintf("orders of account %d", accountID))
}

// lockedOrder reads an order as it stands once its account is locked.
func (s *Store) lockedOrder(ctx context.Context, tx *db.Tx, id int64) (Order, error) {
	o, err := s.Order(ctx, tx, id)
	if err != nil {
		return o, err
	}
	if err := lockAccount(ctx, tx, o.AccountID); err != nil {
		return o, err
	}
	return s.Order(ctx, tx, id)
}

// shared finds a line of an order that a cart holds too: the same recording under the same model. -1 means none.
func shared(lines []Line, cart Cart) int {
	return slices.IndexFunc(lines, func(l Line) bool {
		return slices.ContainsFunc(cart.Items, func(it Item) bool { return it.Recording.ID == l.RecordingID && it.Code == l.ModelCode })
	})
}

// earlier lists an account's orders that an order of a cart for a project takes the place of: unpaid ones for the same project that
// share a license with it, those that expired among them, for money may still come for them. One whose payment is promised
// already stands: the new one is refused.
func (s *Store) earlier(ctx context.Context, q db.Querier, accountID int64, cart Cart, project string) ([]Order, error) {
	unpaid, err := db.Query[Order](ctx, q, `SELECT `+orderColumns+` FROM orders WHERE account_id = $1 AND state IN ('draft', 'pending', 'authorized', 'failed', 'expired')
		ORDER BY placed_at, id`, accountID)
	if err != nil {
		return nil, fmt.Errorf("list unpaid orders of account %d: %w", accountID, err)
	}
	var out []Order
	for _, o := range unpaid {
		if !strings.EqualFold(o.Project, project) {
			continue
		}
		lines, err := s.Lines(ctx, q, o.ID)
		if err != nil {
			return nil, err
		}
		i := shared(lines, cart)
		switch {
		case i < 0:
		case o.State == Authorized:
			return nil, conflict("Nothing was ordered. Order %s has the %s license of %q for this project already; its payment is promised and arrives by itself. You get a mail then.",
				o.Name(), lines[i].ModelName, lines[i].Title)
		default:
			out = append(out, o)
		}
	}
	return out, nil
}

// replace cancels earlier orders, whose place o takes. Who was asked by mail to transfer money for one is told not to.
func (s *Store) replace(ctx context.Context, tx *db.Tx, earlier []Order, o Order) error {
	for _, e := range earlier {
		n, err := db.Exec(ctx, tx, `UPDATE orders SET state = 'canceled', replaced_by = $2, updated_at = $3 WHERE id = $1 AND state IN ('draft', 'pending', 'failed', 'expired')`,
			e.ID, o.ID, s.now())
		if err != nil {
			return fmt.Errorf("replace order %d by %d: %w", e.ID, o.ID, err)
		}
		if n == 0 {
			return conflict("Nothing was ordered. Order %s, of the same for the same project, was paid or canceled just now. Look at it before you order again.", e.Name())
		}
		if e.Provider != payments.ManualName || o.Provider == payments.ManualName { // the letter on how to pay o says it
			continue
		}
		err = s.letter(ctx, tx, Letter{Kind: mailInvoice, AccountID: o.AccountID, Subject: fmt.Sprintf("Order %d is not to be paid any more", e.ID),
			Paragraphs: []string{fmt.Sprintf("You ordered the same for the project %s again: order %d takes the place of order %d, which is canceled. Please do not transfer its %s. If the transfer is on its way, it goes back to you.",
				o.Project, o.ID, e.ID, e.Amount().Exact())},
			Button: mail.Button{Label: "See the order", URL: fmt.Sprintf("%s/orders/%d", s.SiteURL, o.ID)}})
		if err != nil {
			return err
		}
	}
	return nil
}

// replaced lists the orders whose place an order took.
func (s *Store) replaced(ctx context.Context, id int64) ([]Order, error) {
	all, err := db.Query[Order](ctx, s.DB, `SELECT `+orderColumns+` FROM orders WHERE replaced_by = $1 ORDER BY placed_at, id`, id)
	if err != nil {
		return nil, fmt.Errorf("list orders that %d replaced: %w", id, err)
	}
	return all, nil
}

// waiting lists an account's orders that can still be paid and share a license with a cart, for whatever project.
func (s *Store) waiting(ctx context.Context, accountID int64, cart Cart) ([]Order, error) {
	open, err := db.Query[Order](ctx, s.DB, `SELECT `+orderColumns+` FROM orders WHERE account_id = $1 AND state IN ('draft', 'pending', 'failed') ORDER BY placed_at, id`, accountID)
	if err != nil {
		return nil, fmt.Errorf("list open orders of account %d: %w", accountID, err)
	}
	var out []Order
	for _, o := range open {
		lines, err := s.Lines(ctx, s.DB, o.ID)
		if err != nil {
			return nil, err
		}
		if shared(lines, cart) >= 0 {
			out = append(out, o)
		}
	}
	return out, nil
}
