package orders_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/testkit"
)

// twins are two orders of one cart for one project that can both be paid, as the database of a site may hold that took orders before
// a later one replaced an earlier one.
func (s *shop) twins(first, second string) (a, b orders.Order) {
	s.t.Helper()
	all, err := s.o.OfAccount(context.Background(), buyer)
	if err != nil {
		s.t.Fatal(err)
	}
	a, b = s.place(fmt.Sprint("a ", len(all)), first), s.place(fmt.Sprint("b ", len(all)), second)
	if _, err := db.Exec(context.Background(), s.db, `UPDATE orders SET state = 'draft', replaced_by = NULL WHERE id = $1`, a.ID); err != nil {
		s.t.Fatal(err)
	}
	return a, b
}

// letter tells whether a mail holds all of texts.
func (s *shop) letter(texts ...string) bool {
	for _, l := range s.letters {
		all := l.Subject + "\n" + strings.Join(l.Paragraphs, "\n")
		found := true
		for _, text := range texts {
			found = found && strings.Contains(all, text)
		}
		if found {
			return true
		}
	}
	return false
}

// TestOrderedAgain orders the same for the same project again before the first order is paid: the later one takes its place, and
// money for the first goes back. Another project and another recording are orders of their own.
func TestOrderedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		byTransfer := s.place("a", payments.ManualName)
		byCard := s.place("b", payments.TestName)
		was := s.order(byTransfer.ID)
		if was.State != orders.Canceled || was.ReplacedBy == nil || *was.ReplacedBy != byCard.ID {
			t.Fatalf("the first order is %s, replaced by %v", was.State, was.ReplacedBy)
		}
		if !s.letter(fmt.Sprintf("Order %d is not to be paid any more", byTransfer.ID), fmt.Sprintf("order %d takes the place", byCard.ID)) {
			t.Errorf("letters %+v", s.letters)
		}
		refused(t, "marking the first paid", s.o.MarkPaid(ctx, byTransfer.ID), http.StatusConflict, fmt.Sprintf("order %d took its place", byCard.ID))
		_, err := s.o.Pay(ctx, buyer, byTransfer.ID)
		refused(t, "paying the first", err, http.StatusConflict, fmt.Sprintf("order %d took its place", byCard.ID))

		// The payment page of an order is still open in a tab when another order takes its place.
		if _, err := s.o.Pay(ctx, buyer, byCard.ID); err != nil {
			t.Fatal(err)
		}
		ref := s.ref(byCard.ID)
		last := s.place("c", payments.ManualName)
		if !s.letter(fmt.Sprintf("How to pay order %d", last.ID), fmt.Sprintf("the place of order %d, which is canceled", byCard.ID)) {
			t.Errorf("letters %+v", s.letters)
		}
		if _, err := s.tp.Decide(ctx, ref, true); err != nil {
			t.Fatal(err)
		}
		s.work()
		if v, _ := s.licenses(buyer); v != 0 {
			t.Errorf("%d licenses of an order whose place was taken", v)
		}
		s.late(1)
		if !s.letter(fmt.Sprintf("you ordered the same again, and order %d took its place", last.ID)) {
			t.Errorf("letters %+v", s.letters)
		}
		if err := s.o.MarkPaid(ctx, last.ID); err != nil {
			t.Fatal(err)
		}
		if v, _ := s.licenses(buyer); v != 1 {
			t.Errorf("%d licenses of one project", v)
		}

		// What shares no license, or is for another project, stands beside it.
		s.add(buyer, 2)
		beside := s.place("d", payments.ManualName)
		c := s.checkout("e", payments.ManualName)
		c.Project = "The Bridge"
		if _, err := s.o.Place(ctx, buyer, c); err != nil {
			t.Fatal(err)
		}
		if st := s.order(beside.ID).State; st != orders.Draft {
			t.Errorf("an order for another project made it %s", st)
		}
		s.balance(ledger.Received(payments.TestName), 0, 0)
		s.sound()
	})
}

// TestTwoTabsOrderAtOnce: of many checkouts of one cart for one project that are sent at once, one order can be paid.
func TestTwoTabsOrderAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		var wg sync.WaitGroup
		for i := range 8 {
			c := s.checkout(fmt.Sprint("tab ", i), payments.ManualName)
			wg.Go(func() {
				if _, err := s.o.Place(ctx, buyer, c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		all, err := s.o.OfAccount(ctx, buyer)
		if err != nil || len(all) != 8 {
			t.Fatalf("%d orders, %v", len(all), err)
		}
		open := 0
		for _, o := range all {
			if o.State.Open() {
				open++
			}
		}
		if open != 1 {
			t.Errorf("%d orders can be paid", open)
		}
		s.sound()
	})
}

// TestTwins pays both of two open orders for one project, which a site may have from before, at once: one license, and the other
// money goes back.
func TestTwins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1)
		a, b := s.twins(payments.TestName, payments.TestName)
		for _, o := range []orders.Order{a, b} { // both payment pages are open
			if _, err := s.o.Pay(ctx, buyer, o.ID); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for _, ref := range []string{s.ref(a.ID), s.ref(b.ID)} {
			wg.Go(func() {
				if _, err := s.tp.Decide(ctx, ref, true); err != nil {
					t.Error(err)
				}
				if err := s.p.Confirm(ctx, ref); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s.work()
		if v, r := s.licenses(buyer); v != 1 || r != 0 {
			t.Errorf("%d valid, %d revoked licenses", v, r)
		}
		s.late(1)
		if !s.letter("goes back", `you hold the Standard license of "Sound 1" for the project "The Ferry" already`) {
			t.Errorf("letters %+v", s.letters)
		}
		s.balance(ledger.Received(payments.TestName), 0, a.Total)

		s.add(buyer, 2)
		a, b = s.twins(payments.ManualName, payments.ManualName)
		if err := s.o.MarkPaid(ctx, b.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, "marking the other one paid", s.o.MarkPaid(ctx, a.ID), http.StatusConflict, "by another order. Nothing was booked. Send the money back.")
		if v, _ := s.licenses(buyer); v != 2 {
			t.Errorf("%d licenses of two recordings", v)
		}
		s.sound()
	})
}

// TestOrderedAgainThroughThePages: the checkout says that an order waits, the new order's page that it took the place, the old one's
// which took it, to the buyer and to the admin.
func TestOrderedAgainThroughThePages(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, site *testkit.Site) {
		ana, admin, ben := site.Person("ana", "contributor"), site.Person("root", "admin"), site.Person("ben", "member")
		paid, _ := publish(t, ana, 4, licensing.Offer{Code: "standard", Price: money.Of(500, "USD")})
		wants(t, "add", ben.Post("/cart", url.Values{"recording": {fmt.Sprint(paid.ID)}, "model": {"standard"}}), 303)
		order := func(page string) string {
			t.Helper()
			form := url.Values{"key": {hidden(t, page, "key")}, "seen": {hidden(t, page, "seen")}, "licensee": {"Ben"}, "project": {"Game"}, "country": {"DE"}, "provider": {"manual"}}
			return wants(t, "order", ben.Post("/checkout", form), 303).Location
		}
		first := order(wants(t, "checkout", ben.Get("/checkout"), 200).Text)
		a := strings.TrimPrefix(first, "/orders/")
		second := order(wants(t, "the checkout again", ben.Get("/checkout"), 200, "Order "+a+" waits for payment.", "for the project Game").Text)
		b := strings.TrimPrefix(second, "/orders/")
		wants(t, "the new order", ben.Get(second), 200, "Order "+b+" takes the place of order "+a+", which is canceled.", "In place of", "How to pay")
		wants(t, "the first order", ben.Get(first), 200, "order "+b+" took its place", `href="`+second+`"`)
		wants(t, "the admin's page of the first", admin.Get("/admin"+first), 200, "Its place was taken by", "Order "+b)
		wants(t, "marking the first paid", admin.Post("/admin"+first, url.Values{"act": {"paid"}}), 409, "order "+b+" took its place")
		wants(t, "marking the second paid", admin.Post("/admin"+second, url.Values{"act": {"paid"}}), 303)
		if held, err := site.Licensing.Held(context.Background(), site.DB, ben.ID); err != nil || len(held) != 1 {
			t.Errorf("%d licenses, %v", len(held), err)
		}
	})
}
