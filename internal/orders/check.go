package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
)

// Check compares orders with licenses and the book and says in words what is wrong. It is doctor's.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	var wrong []string
	drawn, err := s.drawn(ctx) // before the orders, for a number that is drawn meanwhile stands on none of those that were read
	if err != nil {
		return nil, err
	}
	orders, err := db.Query[Order](ctx, s.DB, `SELECT `+orderColumns+` FROM orders ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("check orders: %w", err)
	}
	book, err := s.readBook(ctx)
	if err != nil {
		return nil, err
	}
	inBook := map[string]bool{}
	for ref := range book.sales {
		inBook[ref] = true
	}
	numbers := map[string]bool{}
	for _, o := range orders {
		ref := strconv.FormatInt(o.ID, 10)
		if inBook[ref] != o.State.Settled() {
			wrong = append(wrong, fmt.Sprintf("order %d is %s, but in the book: %v", o.ID, o.State, inBook[ref]))
		}
		delete(inBook, ref)
		lines, err := s.Lines(ctx, s.DB, o.ID)
		if err != nil {
			return nil, err
		}
		sum := int64(0)
		for _, l := range lines {
			sum += l.Price + l.Tax
			lic, err := s.Licensing.ByOrderLine(ctx, s.DB, l.ID)
			switch {
			case err != nil && !errors.Is(err, db.ErrNotFound):
				return nil, err
			case (err == nil) != o.State.Settled():
				wrong = append(wrong, fmt.Sprintf("order %d is %s, but line %d has a license: %v", o.ID, o.State, l.ID, err == nil))
			case err == nil && lic.Valid() != (l.RefundedAt == nil):
				wrong = append(wrong, fmt.Sprintf("line %d of order %d: refunded %v, license valid %v", l.ID, o.ID, l.RefundedAt != nil, lic.Valid()))
			case err == nil && lic.AccountID != o.AccountID:
				wrong = append(wrong, fmt.Sprintf("line %d of order %d: the license belongs to another account", l.ID, o.ID))
			}
		}
		if sum != o.Total {
			wrong = append(wrong, fmt.Sprintf("order %d: its lines sum to %d, its total is %d", o.ID, sum, o.Total))
		}
		if o.State.Settled() {
			wrong = append(wrong, book.compare(o, lines)...)
		}
		if o.Number != nil {
			numbers[*o.Number] = true
		}
	}
	for _, number := range drawn {
		if !numbers[number] {
			wrong = append(wrong, "invoice "+number+" was drawn and stands on no order")
		}
	}
	for ref := range inBook {
		wrong = append(wrong, fmt.Sprintf("the book has a sale of order %s, which does not exist", ref))
	}
	slices.Sort(wrong)
	return wrong, nil
}

// account is one account of the book, as moves of journals name it.
type account struct {
	kind  ledger.Kind
	owner int64
}

// book is what the journals of orders moved: by order, and by account.
type book struct {
	sales, refunds map[string]map[account]int64
}

func (s *Store) readBook(ctx context.Context) (book, error) {
	b := book{sales: map[string]map[account]int64{}, refunds: map[string]map[account]int64{}}
	for kind, into := range map[string]map[string]map[account]int64{ledger.Sale: b.sales, ledger.Refund: b.refunds} {
		moves, err := s.Ledger.Booked(ctx, kind)
		if err != nil {
			return b, err
		}
		for _, m := range moves {
			order, _, _ := strings.Cut(m.Ref, ":") // a refund's is ORDER:LINES
			if into[order] == nil {
				into[order] = map[account]int64{}
			}
			into[order][account{m.Kind, m.Owner}] += m.Minor
		}
	}
	return b, nil
}

// compare says where the book moved anything else than what the lines of a paid order, and those of them that were refunded,
// come to: what the buyer paid, each contributor's share, the house's share and the tax.
func (b book) compare(o Order, lines []Line) []string {
	sold, back := map[account]int64{}, map[account]int64{}
	add := func(to map[account]int64, l Line, sign int64) {
		to[account{ledger.Received(o.Provider), 0}] += sign * (l.Price + l.Tax)
		to[account{ledger.Contributor, l.ContributorID}] -= sign * l.Royalty
		to[account{ledger.Revenue, 0}] -= sign * (l.Price - l.Royalty)
		to[account{ledger.Tax, 0}] -= sign * l.Tax
	}
	for _, l := range lines {
		add(sold, l, 1)
		if l.RefundedAt != nil {
			add(back, l, -1)
		}
	}
	ref := strconv.FormatInt(o.ID, 10)
	var wrong []string
	for what, pair := range map[string][2]map[account]int64{"sale": {sold, b.sales[ref]}, "refunds": {back, b.refunds[ref]}} {
		for _, side := range pair {
			for a := range side {
				if want, got := pair[0][a], pair[1][a]; want != got {
					wrong = append(wrong, fmt.Sprintf("order %d: the %s in the book moved %d on %s %d, its lines come to %d", o.ID, what, got, a.kind, a.owner, want))
				}
			}
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong) // an account of both sides is looked at twice
}

// drawn lists every invoice number that was drawn; an auditor asks for each.
func (s *Store) drawn(ctx context.Context) ([]string, error) {
	type row struct {
		Series string `db:"series"`
		Next   int64  `db:"next"`
	}
	all, err := db.Query[row](ctx, s.DB, `SELECT series, next FROM invoice_series ORDER BY series`)
	if err != nil {
		return nil, fmt.Errorf("check invoice numbers: %w", err)
	}
	var out []string
	for _, r := range all {
		for n := int64(1); n < r.Next; n++ {
			out = append(out, invoiceName(r.Series, n))
		}
	}
	return out, nil
}
