package orders_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
)

func TestBuyWithTheTestProvider(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1, 2)
		o := s.place("k", payments.TestName)
		if o.State != orders.Draft || o.Subtotal != 900 || o.Tax != 225 || o.Total != 1125 {
			t.Fatalf("order %+v", o)
		}
		to, err := s.o.Pay(ctx, buyer, o.ID)
		if err != nil || to != "/payments/test/"+s.ref(o.ID) || s.order(o.ID).State != orders.Pending {
			t.Fatalf("pay: %q, %v, %s", to, err, s.order(o.ID).State)
		}
		if n, _ := s.o.Count(ctx, orders.Shopper{Account: buyer}); n != 2 {
			t.Errorf("the cart is not kept until payment: %d", n)
		}
		// The page the buyer returns to grants nothing while the provider knows of no payment.
		if o, err := s.o.Returned(ctx, buyer, o.ID); err != nil || o.State != orders.Pending {
			t.Errorf("returned without paying: %s, %v", o.State, err)
		}
		back, err := s.tp.Decide(ctx, s.ref(o.ID), true)
		if err != nil || !strings.HasPrefix(back, fmt.Sprintf("/orders/%d/returned", o.ID)) {
			t.Fatalf("approve: %q, %v", back, err)
		}
		if v, _ := s.licenses(buyer); v != 0 {
			t.Error("licenses before the message was worked")
		}
		s.work()
		paid := s.order(o.ID)
		if paid.State != orders.Paid || paid.Number == nil || *paid.Number != "2026-00001" || paid.PaidAt == nil {
			t.Fatalf("after payment: %+v", paid)
		}
		if v, r := s.licenses(buyer); v != 2 || r != 0 {
			t.Errorf("%d valid, %d revoked licenses", v, r)
		}
		s.balance(ledger.Received("test"), 0, 1125)
		s.balance(ledger.Contributor, ana, -105)
		s.balance(ledger.Contributor, ben, -210)
		s.balance(ledger.Revenue, 0, -585)
		s.balance(ledger.Tax, 0, -225)
		if n, _ := s.o.Count(ctx, orders.Shopper{Account: buyer}); n != 0 {
			t.Errorf("%d lines left in the cart", n)
		}
		if len(s.letters) != 1 || s.letters[0].AccountID != buyer || !strings.Contains(s.letters[0].Subject, "2026-00001") {
			t.Errorf("letters %+v", s.letters)
		}
		l, err := s.l.LicenseFor(ctx, s.db, buyer, 2)
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Certificate()
		if err != nil || c.Licensee.Name != "Mara Lind" || c.Licensee.Company != "Northlight" || c.Project != "The Ferry" || c.Order.Number != "2026-00001" || c.Order.Amount != money.Of(600, "USD") {
			t.Errorf("certificate %+v, %v", c, err)
		}
		s.sound()
	})
}

// TestExactlyOnce repeats everything that can repeat, at once: form, click, message, return, reconciliation.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1, 2, 3)
		c := s.checkout("k", payments.TestName)
		var wg sync.WaitGroup
		ids := make(chan int64, 6)
		for range 6 {
			wg.Go(func() {
				o, err := s.o.Place(ctx, buyer, c)
				if err != nil {
					t.Error(err)
				}
				ids <- o.ID
			})
		}
		wg.Wait()
		close(ids)
		id := <-ids
		for other := range ids {
			if other != id {
				t.Fatalf("one form made the orders %d and %d", id, other)
			}
		}
		for range 3 {
			if _, err := s.o.Pay(ctx, buyer, id); err != nil {
				t.Fatal(err)
			}
		}
		ref := s.ref(id)
		for i := range 12 {
			wg.Go(func() {
				var err error
				switch i % 3 {
				case 0:
					_, err = s.tp.Decide(ctx, ref, true)
				case 1:
					_, err = s.o.Returned(ctx, buyer, id)
				default:
					_, err = s.p.Reconcile(ctx)
				}
				if err != nil {
					t.Error(err)
				}
				s.work()
			})
		}
		wg.Wait()
		s.work()
		for range 2 {
			if _, err := s.tp.Decide(ctx, ref, false); err != nil {
				t.Error(err)
			}
			s.work()
		}
		if v, r := s.licenses(buyer); v != 3 || r != 0 {
			t.Errorf("%d valid, %d revoked licenses, want 3, 0", v, r)
		}
		s.balance(ledger.Received("test"), 0, 2250)
		if n, _ := db.Get[int64](ctx, s.db, `SELECT count(*) FROM payment_event`); n != 1 {
			t.Errorf("%d events stored, want 1", n)
		}
		if len(s.letters) != 1 {
			t.Errorf("%d receipts", len(s.letters))
		}
		if o := s.order(id); o.State != orders.Paid || *o.Number != "2026-00001" {
			t.Errorf("order %+v", o)
		}
		s.sound()
	})
}

func TestInvoice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		o := s.place("k", payments.ManualName)
		if to, err := s.o.Pay(ctx, buyer, o.ID); err != nil || to != "" {
			t.Fatalf("pay: %q, %v", to, err)
		}
		if len(s.letters) != 1 || !strings.Contains(strings.Join(s.letters[0].Paragraphs, " "), "IBAN XX") {
			t.Errorf("letters %+v", s.letters)
		}
		for range 3 {
			if err := s.o.MarkPaid(ctx, o.ID); err != nil {
				t.Fatal(err)
			}
		}
		if v, _ := s.licenses(buyer); v != 1 || s.order(o.ID).State != orders.Paid {
			t.Errorf("%d licenses, %s", v, s.order(o.ID).State)
		}
		s.balance(ledger.Received("manual"), 0, 375)
		_, err := s.o.Pay(ctx, buyer, o.ID)
		refused(t, "paying again", err, http.StatusConflict, "paid already")
		s.sound()
	})
}

func TestRefund(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1, 2, 3)
		o := s.place("k", payments.TestName)
		refused(t, "refund before payment", s.o.Refund(ctx, o.ID, nil, "x"), http.StatusConflict, "nothing to refund")
		if _, err := s.o.Pay(ctx, buyer, o.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.tp.Decide(ctx, s.ref(o.ID), true); err != nil {
			t.Fatal(err)
		}
		s.work()
		lines, err := s.o.Lines(ctx, s.db, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, "refund without a reason", s.o.Refund(ctx, o.ID, nil, " "), http.StatusUnprocessableEntity, "why")
		refused(t, "refund of a foreign line", s.o.Refund(ctx, o.ID, []int64{99999}, "x"), http.StatusConflict, "Choose lines")
		if err := s.o.Refund(ctx, o.ID, []int64{lines[1].ID}, "Wrong sound."); err != nil {
			t.Fatal(err)
		}
		s.work()
		if v, r := s.licenses(buyer); v != 2 || r != 1 || s.order(o.ID).State != orders.PartRefunded {
			t.Errorf("%d valid, %d revoked, %s", v, r, s.order(o.ID).State)
		}
		s.balance(ledger.Contributor, ben, 0)
		s.balance(ledger.Received("test"), 0, 2250-750)
		refused(t, "the same line again", s.o.Refund(ctx, o.ID, []int64{lines[1].ID}, "x"), http.StatusConflict, "refunded before")
		s.sound()
		if err := s.o.Refund(ctx, o.ID, nil, "Bought by mistake."); err != nil {
			t.Fatal(err)
		}
		s.work()
		if v, r := s.licenses(buyer); v != 0 || r != 3 || s.order(o.ID).State != orders.Refunded {
			t.Errorf("%d valid, %d revoked, %s", v, r, s.order(o.ID).State)
		}
		for kind, owner := range map[ledger.Kind]int64{ledger.Received("test"): 0, ledger.Contributor: ana, ledger.Revenue: 0, ledger.Tax: 0} {
			s.balance(kind, owner, 0)
		}
		sent, err := db.Get[int64](ctx, s.db, `SELECT CAST(SUM(amount_minor) AS BIGINT) FROM test_refund`)
		if err != nil || sent != 2250 {
			t.Errorf("the provider sent %d back, %v", sent, err)
		}
		refused(t, "a refund of nothing", s.o.Refund(ctx, o.ID, nil, "x"), http.StatusConflict, "nothing to refund")
		v, err := s.l.Verify(ctx, mustLicense(t, s, lines[1].ID).Number)
		if err != nil || v.Err != nil || v.License.Valid() || v.License.RevokedWhy != "Wrong sound." {
			t.Errorf("verdict %+v, %v", v, err)
		}
		if len(s.letters) != 3 {
			t.Errorf("%d letters, want a receipt and two refunds", len(s.letters))
		}
		s.sound()
	})
}

func mustLicense(t *testing.T, s *shop, line int64) licensing.License {
	t.Helper()
	l, err := s.l.ByOrderLine(context.Background(), s.db, line)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestWrongState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		me := orders.Shopper{Account: buyer}
		place := func(c orders.Checkout) error { _, err := s.o.Place(ctx, buyer, c); return err }

		refused(t, "an empty cart", place(orders.Checkout{Key: "a", Seen: "0.00", Licensee: "m", Project: "p", Country: "SE", Provider: "test"}), http.StatusConflict, "cart is empty")
		refused(t, "one's own recording", s.o.Add(ctx, me, 4, "standard"), http.StatusConflict, "your own recording")
		refused(t, "a license that is not offered", s.o.Add(ctx, me, 1, "unlimited"), http.StatusConflict, "not offered under that license")
		if err := s.o.Add(ctx, me, 99, "standard"); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a recording that does not exist: %v", err)
		}
		s.edit(3, func(r *licensing.Recording) { r.Published = false })
		refused(t, "an unpublished recording", s.o.Add(ctx, me, 3, "standard"), http.StatusConflict, "not published")
		s.edit(3, func(r *licensing.Recording) { r.Published = true })

		// The cart holds what changes later.
		s.add(buyer, 1, 3)
		s.edit(3, func(r *licensing.Recording) { r.Published = false })
		refused(t, "unpublished meanwhile", place(s.checkout("b", "test")), http.StatusConflict, "not published any more")
		s.edit(3, func(r *licensing.Recording) { r.Published = true })

		m, err := s.l.Model(ctx, s.db, "standard", 0)
		if err != nil {
			t.Fatal(err)
		}
		c := s.checkout("c", "test")
		off := m
		off.Active = false
		if _, err := s.l.SaveModel(ctx, off); err != nil {
			t.Fatal(err)
		}
		refused(t, "a model no longer offered", place(c), http.StatusConflict, "no longer offered")
		raised := m
		raised.FloorMinor = 500
		if _, err := s.l.SaveModel(ctx, raised); err != nil {
			t.Fatal(err)
		}
		cart, err := s.o.Cart(ctx, s.db, me)
		if err != nil || !strings.Contains(cart.Items[0].Problem, "Sound 1: The price of the Standard license, $3, is below what this site allows") || len(cart.Items[0].Offers) != 1 || cart.Items[0].Offers[0].Model.Code == "standard" || cart.Subtotal.Minor != 900 {
			t.Errorf("the cart with a price below the new floor: %q, %s, %v", cart.Problem(), cart.Subtotal, err)
		}
		refused(t, "a price below the new floor", place(s.checkout("d", "test")), http.StatusConflict, "below what this site allows")
		refused(t, "adding it", s.o.Add(ctx, me, 1, "standard"), http.StatusConflict, "below what this site allows")
		if _, err := s.l.SaveModel(ctx, m); err != nil {
			t.Fatal(err)
		}

		c = s.checkout("e", "test")
		s.offer(1, map[string]int64{"standard": 400})
		refused(t, "a stale cart", place(c), http.StatusConflict, "Sound 1: The price rose from $3 to $4. The total is now $16.25")
		cart, err = s.o.Cart(ctx, s.db, me)
		if err != nil || cart.Items[0].Stale != "" {
			t.Errorf("after the refusal the price counts as seen: %+v, %v", cart.Items[0].Stale, err)
		}

		o := s.place("f", "test")
		if err := s.o.Cancel(ctx, other, o.ID); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a stranger cancels: %v", err)
		}
		if _, err := s.o.Pay(ctx, other, o.ID); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a stranger pays: %v", err)
		}
		if _, err := s.o.Pay(ctx, buyer, o.ID); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.o.Cancel(ctx, buyer, o.ID); err != nil {
				t.Fatal(err)
			}
		}
		_, err = s.o.Pay(ctx, buyer, o.ID)
		refused(t, "paying a canceled order", err, http.StatusConflict, "was canceled")
		refused(t, "marking a canceled order paid", s.o.MarkPaid(ctx, o.ID), http.StatusConflict, "was canceled")

		// Money that arrives for a canceled order goes back, and nothing is licensed.
		if _, err := s.tp.Decide(ctx, s.ref(o.ID), true); err != nil {
			t.Fatal(err)
		}
		s.work()
		if v, r := s.licenses(buyer); v+r != 0 || s.order(o.ID).State != orders.Canceled {
			t.Errorf("%d licenses for a canceled order, %s", v+r, s.order(o.ID).State)
		}
		if back, err := db.Get[int64](ctx, s.db, `SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM test_refund`); err != nil || back != o.Total {
			t.Errorf("%d of %d went back, %v", back, o.Total, err)
		}

		paid := s.place("g", "test")
		if _, err := s.o.Pay(ctx, buyer, paid.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, "an admin marks another provider's order", s.o.MarkPaid(ctx, paid.ID), http.StatusConflict, "reports it by itself")
		if _, err := s.tp.Decide(ctx, s.ref(paid.ID), true); err != nil {
			t.Fatal(err)
		}
		s.work()
		refused(t, "canceling a paid order", s.o.Cancel(ctx, buyer, paid.ID), http.StatusConflict, "cannot be canceled")
		s.add(buyer, 1)
		refused(t, "the same license for the same project", place(s.checkout("h", "test")), http.StatusConflict, "already; name another project")
		again := s.checkout("i", "test")
		again.Project = "The Second Ferry"
		if _, err := s.o.Place(ctx, buyer, again); err != nil {
			t.Errorf("for another project: %v", err)
		}
		s.sound()
	})
}

func TestCheckoutForm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		s.add(buyer, 1)
		good := s.checkout("k", "test")
		for name, c := range map[string]struct {
			edit  func(*orders.Checkout)
			field string
		}{
			"no licensee":    {func(c *orders.Checkout) { c.Licensee = " " }, "licensee"},
			"long licensee":  {func(c *orders.Checkout) { c.Licensee = strings.Repeat("x", 201) }, "licensee"},
			"a megabyte":     {func(c *orders.Checkout) { c.Company = strings.Repeat("x", 1<<20) }, "company"},
			"no project":     {func(c *orders.Checkout) { c.Project = "" }, "project"},
			"not text":       {func(c *orders.Checkout) { c.Project = "a\xff" }, "project"},
			"no country":     {func(c *orders.Checkout) { c.Country = "" }, "country"},
			"made-up nation": {func(c *orders.Checkout) { c.Country = "XX" }, "country"},
			"no provider":    {func(c *orders.Checkout) { c.Provider = "gold" }, "provider"},
			"no key":         {func(c *orders.Checkout) { c.Key = "" }, ""},
		} {
			bad := good
			c.edit(&bad)
			_, err := s.o.Place(context.Background(), buyer, bad)
			var invalid *orders.Invalid
			if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Field != c.field {
				t.Errorf("%s: %v", name, err)
			}
		}
		odd := good
		odd.Licensee, odd.Project = "<script>alert(1)</script>\u202e", "a\x00b\r\nc"
		o, err := s.o.Place(context.Background(), buyer, odd)
		if err != nil || o.Licensee != "<script>alert(1)</script>" || o.Project != "ab c" {
			t.Errorf("cleaned to %q, %q, %v", o.Licensee, o.Project, err)
		}
	})
}

func TestDeclinedThenPaid(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		o := s.place("k", payments.TestName)
		if _, err := s.o.Pay(ctx, buyer, o.ID); err != nil {
			t.Fatal(err)
		}
		first := s.ref(o.ID)
		if _, err := s.tp.Decide(ctx, first, false); err != nil {
			t.Fatal(err)
		}
		s.work()
		if got := s.order(o.ID); got.State != orders.Failed {
			t.Fatalf("declined: %s", got.State)
		}
		if n, _ := s.o.Count(ctx, orders.Shopper{Account: buyer}); n != 1 {
			t.Error("the cart was not kept")
		}
		if _, err := s.o.Pay(ctx, buyer, o.ID); err != nil {
			t.Fatal(err)
		}
		second := s.ref(o.ID)
		if second == first {
			t.Fatal("the refused payment was used again")
		}
		if _, err := s.tp.Decide(ctx, second, true); err != nil {
			t.Fatal(err)
		}
		s.work()
		if v, _ := s.licenses(buyer); v != 1 || s.order(o.ID).State != orders.Paid {
			t.Errorf("%d licenses, %s", v, s.order(o.ID).State)
		}
		s.sound()
	})
}
