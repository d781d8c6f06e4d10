package orders_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
)

// TestTwoPayments pays one order through two open payments: the second sum goes back.
func TestTwoPayments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		o := s.place("k", payments.TestName)
		if _, err := s.o.Pay(ctx, buyer, o.ID); err != nil {
			t.Fatal(err)
		}
		var extra payments.Payment
		err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
			extra, err = s.p.Open(ctx, tx, o.ID, payments.TestName, o.Amount())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		first := ""
		all, _ := s.p.OfOrder(ctx, s.db, o.ID)
		for _, p := range all {
			if p.Ref != extra.Ref {
				first = p.Ref
			}
		}
		if _, err := s.p.Begin(ctx, extra.Ref, "x", "/"); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{first, extra.Ref} {
			if _, err := s.tp.Decide(ctx, ref, true); err != nil {
				t.Fatal(err)
			}
			s.work()
		}
		if v, _ := s.licenses(buyer); v != 1 {
			t.Errorf("%d licenses", v)
		}
		if p, err := s.p.Payment(ctx, s.db, extra.Ref); err != nil || p.State != payments.Refunded {
			t.Errorf("the second payment is %s, %v", p.State, err)
		}
		s.balance(ledger.Received("test"), 0, o.Total)
		s.late(1)
		s.sound()
	})
}

// late checks that n payments that were of no use stand in the book, in and out, and that the buyer was told.
func (s *shop) late(n int) {
	s.t.Helper()
	refs, err := s.b.Refs(context.Background(), ledger.Late)
	if err != nil || len(refs) != n {
		s.t.Errorf("%d late payments in the book, %v; want %d", len(refs), err, n)
	}
	s.balance(ledger.Returns, 0, 0)
	told := 0
	for _, l := range s.letters {
		if strings.Contains(l.Subject, "goes back") {
			told++
		}
	}
	if told != n {
		s.t.Errorf("%d letters of money that goes back, want %d", told, n)
	}
}

// TestCheckComparesSums plants damage that leaves every journal balanced: the book says another share than the order, another
// refund than its lines, and an invoice number is missing.
func TestCheckComparesSums(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1, 2)
		o := s.place("k", payments.ManualName)
		if err := s.o.MarkPaid(ctx, o.ID); err != nil {
			t.Fatal(err)
		}
		lines, err := s.o.Lines(ctx, s.db, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.o.Refund(ctx, o.ID, []int64{lines[0].ID}, "Broken"); err != nil {
			t.Fatal(err)
		}
		s.sound()
		for _, c := range []struct{ plant, want string }{
			{`UPDATE entry SET amount_minor = amount_minor + CASE n WHEN 1 THEN 5 WHEN 2 THEN -5 ELSE 0 END WHERE journal_id = (SELECT id FROM journal WHERE kind = 'sale')`, "the sale in the book moved"},
			{`UPDATE order_line SET refunded_at = NULL`, "the refunds in the book moved"},
			{`UPDATE orders SET number = '2026-00002'`, "invoice 2026-00001 was drawn and stands on no order"},
		} {
			if _, err := db.Exec(ctx, s.db, c.plant); err != nil {
				t.Fatal(err)
			}
			if wrong, err := s.o.Check(ctx); err != nil || !strings.Contains(strings.Join(wrong, "\n"), c.want) {
				t.Errorf("doctor says %v, %v; want %q", wrong, err, c.want)
			}
			if wrong, err := s.b.Check(ctx); err != nil || len(wrong) > 0 {
				t.Errorf("the book alone: %v, %v", wrong, err)
			}
		}
	})
}

// TestSentAgain sends the form of an order once more: as it was it is the same order, with other words it is refused, for a
// certificate in the words of before would be wrong.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		form := s.checkout("k", payments.TestName)
		o, err := s.o.Place(ctx, buyer, form)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.o.Place(ctx, buyer, form); err != nil || again.ID != o.ID {
			t.Errorf("sent twice: order %d, %v; want %d", again.ID, err, o.ID)
		}
		for name, change := range map[string]func(*orders.Checkout){
			"project": func(c *orders.Checkout) { c.Project = "The Bridge" }, "licensee": func(c *orders.Checkout) { c.Licensee = "Ola" },
			"provider": func(c *orders.Checkout) { c.Provider = payments.ManualName },
		} {
			other := form
			change(&other)
			_, err := s.o.Place(ctx, buyer, other)
			refused(t, "another "+name, err, http.StatusConflict, "This form made order")
			if !errors.Is(err, orders.ErrSent) {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if all, err := s.o.OfAccount(ctx, buyer); err != nil || len(all) != 1 {
			t.Errorf("%d orders, %v", len(all), err)
		}
		s.sound()
	})
}

// TestPaysOnce: neither an order whose licenses came with another one nor one whose payment is promised is charged.
func TestPaysOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		left, paid := s.twins(payments.TestName, payments.TestName)
		if _, err := s.o.Pay(ctx, buyer, paid.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.tp.Decide(ctx, s.ref(paid.ID), true); err != nil {
			t.Fatal(err)
		}
		s.work()
		_, err := s.o.Pay(ctx, buyer, left.ID)
		refused(t, "paying for what is held", err, http.StatusConflict, "Nothing was charged. You hold the Standard license")
		if err := s.o.Cancel(ctx, buyer, left.ID); err != nil {
			t.Error(err)
		}
		s.add(buyer, 2)
		promised := s.place("c", payments.TestName)
		if _, err := db.Exec(ctx, s.db, `UPDATE orders SET state = 'authorized' WHERE id = $1`, promised.ID); err != nil {
			t.Fatal(err)
		}
		_, err = s.o.Pay(ctx, buyer, promised.ID)
		refused(t, "paying what is promised", err, http.StatusConflict, "promised already")
		_, err = s.o.Place(ctx, buyer, s.checkout("d", payments.TestName))
		refused(t, "ordering what is promised", err, http.StatusConflict, `for this project already; its payment is promised`)
		s.sound()
	})
}

// TestAnotherCartOfTheSameTotal: what was seen is the cart, not only its sum.
func TestAnotherCartOfTheSameTotal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.offer(2, map[string]int64{"standard": 300})
		s.add(buyer, 1)
		seen := s.checkout("k", payments.TestName)
		cart, err := s.o.Cart(ctx, s.db, orders.Shopper{Account: buyer})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.o.Remove(ctx, orders.Shopper{Account: buyer}, cart.Items[0].ID); err != nil {
			t.Fatal(err)
		}
		s.add(buyer, 2)
		_, err = s.o.Place(ctx, buyer, seen)
		refused(t, "another recording at the same price", err, http.StatusConflict, "Nothing was ordered. The total is still $3.75")
		seen = s.checkout("k", payments.TestName)
		m, err := s.l.Model(ctx, s.db, "standard", 0)
		if err != nil {
			t.Fatal(err)
		}
		m.Text += "\nNo use on Sundays.\n"
		if _, err := s.l.SaveModel(ctx, m); err != nil {
			t.Fatal(err)
		}
		_, err = s.o.Place(ctx, buyer, seen)
		refused(t, "another text of the license", err, http.StatusConflict, "the text of a license")
		if o := s.place("k", payments.TestName); o.Total != 375 {
			t.Errorf("the new text is sold for %d", o.Total)
		}
		s.sound()
	})
}

// TestRecordingGone pays an order one of whose recordings was deleted meanwhile: the money goes back.
func TestRecordingGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1, 2)
		o := s.place("k", payments.TestName)
		if _, err := s.o.Pay(ctx, buyer, o.ID); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		delete(s.catalog, 2)
		s.mu.Unlock()
		if _, err := s.tp.Decide(ctx, s.ref(o.ID), true); err != nil {
			t.Fatal(err)
		}
		s.work()
		if v, r := s.licenses(buyer); v+r != 0 || s.order(o.ID).State != orders.Canceled {
			t.Errorf("%d licenses, %s", v+r, s.order(o.ID).State)
		}
		if back, err := db.Get[int64](ctx, s.db, `SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM test_refund`); err != nil || back != o.Total {
			t.Errorf("%d of %d went back, %v", back, o.Total, err)
		}
		cart, err := s.o.Cart(ctx, s.db, orders.Shopper{Account: buyer})
		if err != nil || !strings.Contains(cart.Problem(), "no longer exists") {
			t.Errorf("the cart says %q, %v", cart.Problem(), err)
		}
		s.late(1)
		// An admin who marks such an order paid is told that nothing can be sold, and nothing is booked.
		s.edit(2, func(r *licensing.Recording) { *r = s.catalog[1]; r.ID, r.OwnerID = 2, ben })
		byInvoice := s.place("m", payments.ManualName)
		s.mu.Lock()
		delete(s.catalog, 2)
		s.mu.Unlock()
		refused(t, "marking it paid", s.o.MarkPaid(ctx, byInvoice.ID), http.StatusConflict, "Nothing was booked")
		if st := s.order(byInvoice.ID).State; st != orders.Draft {
			t.Errorf("the invoice is %s", st)
		}
		s.late(1)
		s.sound()
	})
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		guest := orders.Shopper{Token: "guest"}
		if err := s.o.Add(ctx, guest, 1, "standard"); err != nil {
			t.Fatal(err)
		}
		s.add(buyer, 1)
		byCard := s.place("a", payments.TestName)
		if _, err := s.o.Pay(ctx, buyer, byCard.ID); err != nil {
			t.Fatal(err)
		}
		other := s.checkout("b", payments.ManualName)
		other.Project = "The Bridge"
		byInvoice, err := s.o.Place(ctx, buyer, other)
		if err != nil {
			t.Fatal(err)
		}
		s.pass(4 * 24 * time.Hour)
		if err := s.o.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if a, b := s.order(byCard.ID).State, s.order(byInvoice.ID).State; a != orders.Expired || b != orders.Draft {
			t.Errorf("after 4 days: %s, %s", a, b)
		}
		_, err = s.o.Pay(ctx, buyer, byCard.ID)
		refused(t, "paying an expired order", err, http.StatusConflict, "has expired")
		// Money that was on its way is still taken.
		if _, err := s.tp.Decide(ctx, s.ref(byCard.ID), true); err != nil {
			t.Fatal(err)
		}
		s.work()
		if v, _ := s.licenses(buyer); v != 1 || s.order(byCard.ID).State != orders.Paid {
			t.Errorf("late money: %d licenses, %s", v, s.order(byCard.ID).State)
		}
		s.pass(27 * 24 * time.Hour)
		if err := s.o.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if b := s.order(byInvoice.ID).State; b != orders.Expired {
			t.Errorf("the invoice after 31 days: %s", b)
		}
		if n, _ := s.o.Count(ctx, guest); n != 0 {
			t.Errorf("the guest's cart after 31 days holds %d", n)
		}
		s.sound()
	})
}

func TestCart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		guest, me := orders.Shopper{Token: "t1"}, orders.Shopper{Account: buyer}
		codes := func(w orders.Shopper) string {
			t.Helper()
			cart, err := s.o.Cart(ctx, s.db, w)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, it := range cart.Items {
				out = append(out, fmt.Sprintf("%d:%s:%s", it.Recording.ID, it.Code, it.Price))
			}
			return strings.Join(out, " ")
		}
		for _, id := range []int64{1, 2, 4} {
			if err := s.o.Add(ctx, guest, id, "standard"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.o.Add(ctx, guest, 1, "broadcast-1m"); err != nil {
			t.Fatal(err)
		}
		if got := codes(guest); got != "1:broadcast-1m:$9 2:standard:$6 4:standard:$12" {
			t.Errorf("the guest's cart: %s", got)
		}
		if got := codes(orders.Shopper{Token: "t2"}) + codes(orders.Shopper{}); got != "" {
			t.Errorf("somebody else's cart: %s", got)
		}
		cart, _ := s.o.Cart(ctx, s.db, guest)
		line := cart.Items[1].ID
		if err := s.o.Choose(ctx, me, line, "broadcast-1m"); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a stranger changes a line: %v", err)
		}
		if err := s.o.Remove(ctx, me, line); err != nil || !strings.Contains(codes(guest), "2:") {
			t.Errorf("a stranger removes a line: %v", err)
		}
		if err := s.o.Choose(ctx, guest, line, "broadcast-1m"); err != nil {
			t.Fatal(err)
		}
		s.add(buyer, 1, 3)
		for range 2 {
			if err := s.o.Merge(ctx, "t1", buyer); err != nil {
				t.Fatal(err)
			}
		}
		// 1 stays as it was in the account's cart, 2 comes along, 4 is the buyer's own.
		if got := codes(me); got != "1:standard:$3 3:standard:$9 2:broadcast-1m:$18" {
			t.Errorf("merged: %s", got)
		}
		if got := codes(guest); got != "" {
			t.Errorf("the guest's cart after merging: %s", got)
		}
		if n, err := s.o.Count(ctx, me); err != nil || n != 3 {
			t.Errorf("count %d, %v", n, err)
		}
		held, err := s.o.Holds(ctx, me)
		if err != nil || held[2] != "broadcast-1m" || len(held) != 3 {
			t.Errorf("holds %v, %v", held, err)
		}
		cart, _ = s.o.Cart(ctx, s.db, me)
		for _, it := range cart.Items {
			for range 2 {
				if err := s.o.Remove(ctx, me, it.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := codes(me); got != "" {
			t.Errorf("emptied: %s", got)
		}
	})
}

// TestNumbersHaveNoGaps pays many orders at once; the invoice numbers are 1 to n.
func TestNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		var ids []int64
		for i := range 6 {
			s.add(buyer, 1)
			c := s.checkout(fmt.Sprint(i), payments.ManualName)
			c.Project = fmt.Sprint("project ", i)
			o, err := s.o.Place(ctx, buyer, c)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, o.ID)
		}
		var wg sync.WaitGroup
		for _, id := range ids {
			for range 2 {
				wg.Go(func() {
					if err := s.o.MarkPaid(ctx, id); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		numbers, err := db.Query[string](ctx, s.db, `SELECT number FROM orders ORDER BY number`)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range numbers {
			if n != fmt.Sprintf("2026-%05d", i+1) {
				t.Errorf("numbers %v", numbers)
				break
			}
		}
		if v, _ := s.licenses(buyer); v != len(ids) {
			t.Errorf("%d licenses of %d orders", v, len(ids))
		}
		s.sound()
	})
}
