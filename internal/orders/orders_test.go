package orders_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
)

const (
	buyer    = int64(7)
	other    = int64(8)
	ana, ben = int64(100), int64(101) // contributors
)

// shop is a marketplace without pages: real stores on a real database, a clock, and what was mailed and raised.
type shop struct {
	t  *testing.T
	db *db.DB
	o  *orders.Store
	l  *licensing.Store
	b  *ledger.Store
	p  *payments.Store
	tp *payments.Test

	mu      sync.Mutex
	now     time.Time
	catalog map[int64]licensing.Recording
	letters []orders.Letter
	events  []any
}

func newShop(t *testing.T, d *db.DB) *shop {
	t.Helper()
	s := &shop{t: t, db: d, now: time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC), catalog: map[int64]licensing.Recording{}}
	clock := func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); s.now = s.now.Add(time.Millisecond); return s.now }
	random := &source{r: rand.NewChaCha8([32]byte{3})}
	raise := func(_ context.Context, tx *db.Tx, e any) error {
		tx.AfterCommit(func() { s.mu.Lock(); defer s.mu.Unlock(); s.events = append(s.events, e) })
		return nil
	}
	s.l = &licensing.Store{DB: d, Now: clock, Currency: "USD", SiteName: "Test", SiteURL: "https://sounds.example", Random: random,
		Recording: func(_ context.Context, _ db.Querier, id int64) (licensing.Recording, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			r, ok := s.catalog[id]
			if !ok {
				return r, db.ErrNotFound
			}
			return r, nil
		}}
	s.b = &ledger.Store{DB: d, Now: clock, Currency: "USD"}
	s.tp = &payments.Test{DB: d, Now: clock, Secret: []byte("secret")}
	s.p = &payments.Store{DB: d, Now: clock, Random: random, Providers: []payments.Provider{payments.Manual{}, s.tp}, Raise: raise}
	s.tp.Deliver = func(ctx context.Context, raw []byte, h http.Header) error {
		return s.p.Receive(ctx, payments.TestName, raw, h)
	}
	s.o = &orders.Store{DB: d, Now: clock, Random: random, Licensing: s.l, Ledger: s.b, Payments: s.p, Currency: "USD", TaxBasis: 2500, TaxName: "VAT", RoyaltyBasis: 3500,
		SiteURL: "https://sounds.example", BankDetail: "IBAN XX", Raise: raise,
		Letter: func(_ context.Context, tx *db.Tx, l orders.Letter) error {
			tx.AfterCommit(func() { s.mu.Lock(); defer s.mu.Unlock(); s.letters = append(s.letters, l) })
			return nil
		}}
	s.p.Settled = s.o.PaymentSettled
	if err := s.l.Seed(context.Background()); err != nil {
		t.Fatal(err)
	}
	for id, owner := range map[int64]int64{1: ana, 2: ben, 3: ana, 4: buyer} {
		s.catalog[id] = licensing.Recording{ID: id, OwnerID: owner, Title: fmt.Sprintf("Sound %d", id), Contributor: "c", FileName: "f.wav", Ext: "wav",
			SHA256: strings.Repeat("ab", 32), Bytes: 10, Seconds: 1, Published: true}
		s.offer(id, map[string]int64{"standard": 300 * id, "broadcast-1m": 900 * id})
	}
	return s
}

type source struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(b)
}

func (s *shop) offer(id int64, prices map[string]int64) {
	s.t.Helper()
	ctx := context.Background()
	var offers []licensing.Offer
	for code, price := range prices {
		offers = append(offers, licensing.Offer{Code: code, Price: money.Of(price, "USD")})
	}
	if err := s.db.Tx(ctx, func(tx *db.Tx) error { _, err := s.l.SetOffers(ctx, tx, id, offers, false); return err }); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) edit(id int64, f func(*licensing.Recording)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.catalog[id]
	f(&r)
	s.catalog[id] = r
}

func (s *shop) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// work runs what was raised, as the job queue would, until nothing is left.
func (s *shop) work() {
	s.t.Helper()
	for {
		s.mu.Lock()
		todo := s.events
		s.events = nil
		s.mu.Unlock()
		if len(todo) == 0 {
			return
		}
		for _, e := range todo {
			var err error
			switch e := e.(type) {
			case payments.Told:
				err = s.p.Work(context.Background(), e)
			case payments.RefundDue:
				err = s.p.SendRefund(context.Background(), e)
			}
			if err != nil {
				s.t.Error(err)
			}
		}
	}
}

func (s *shop) add(account int64, ids ...int64) {
	s.t.Helper()
	for _, id := range ids {
		if err := s.o.Add(context.Background(), orders.Shopper{Account: account}, id, "standard"); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *shop) checkout(key, provider string) orders.Checkout {
	s.t.Helper()
	cart, err := s.o.Cart(context.Background(), s.db, orders.Shopper{Account: buyer})
	if err != nil {
		s.t.Fatal(err)
	}
	q, err := s.o.Quote(cart)
	if err != nil {
		s.t.Fatal(err)
	}
	return orders.Checkout{Key: key, Seen: q.Total.Decimal(), Licensee: "Mara Lind", Company: "Northlight", Project: "The Ferry", Country: "SE", Provider: provider}
}

func (s *shop) place(key, provider string) orders.Order {
	s.t.Helper()
	o, err := s.o.Place(context.Background(), buyer, s.checkout(key, provider))
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (s *shop) order(id int64) orders.Order {
	s.t.Helper()
	o, err := s.o.Order(context.Background(), s.db, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// ref is the newest open payment of an order.
func (s *shop) ref(id int64) string {
	s.t.Helper()
	all, err := s.p.OfOrder(context.Background(), s.db, id)
	if err != nil || len(all) == 0 {
		s.t.Fatalf("payments of order %d: %v, %v", id, all, err)
	}
	return all[0].Ref
}

func (s *shop) licenses(account int64) (valid, revoked int) {
	s.t.Helper()
	held, err := s.l.Held(context.Background(), s.db, account)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range held {
		if l.Valid() {
			valid++
		} else {
			revoked++
		}
	}
	return valid, revoked
}

func (s *shop) balance(kind ledger.Kind, owner, want int64) {
	s.t.Helper()
	got, err := s.b.Balance(context.Background(), s.db, kind, owner)
	if err != nil || got.Minor != want {
		s.t.Errorf("balance of %s %d is %d, %v; want %d", kind, owner, got.Minor, err, want)
	}
}

// sound checks everything that doctor would.
func (s *shop) sound() {
	s.t.Helper()
	ctx := context.Background()
	for name, check := range map[string]func(context.Context) ([]string, error){"orders": s.o.Check, "ledger": s.b.Check, "licenses": s.l.Check} {
		if wrong, err := check(ctx); err != nil || len(wrong) > 0 {
			s.t.Errorf("%s: %v, %v", name, wrong, err)
		}
	}
}

// refused checks that err is a sentence for the visitor that contains text.
func refused(t *testing.T, what string, err error, status int, text string) {
	t.Helper()
	var public *web.Public
	if !errors.As(err, &public) || public.Status != status || !strings.Contains(public.Text, text) {
		t.Errorf("%s: %v; want %d with %q", what, err, status, text)
	}
}

func each(t *testing.T, f func(t *testing.T, s *shop)) {
	t.Helper()
	testkit.Each(t, func(t *testing.T, d *db.DB) { f(t, newShop(t, d)) })
}

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
		refused(t, "a price below the new floor", place(s.checkout("d", "test")), http.StatusConflict, "below what this site allows")
		if _, err := s.l.SaveModel(ctx, m); err != nil {
			t.Fatal(err)
		}

		c = s.checkout("e", "test")
		s.offer(1, map[string]int64{"standard": 400})
		refused(t, "a stale cart", place(c), http.StatusConflict, "Sound 1: The price rose from $3 to $4. The total is now $16.25")
		cart, err := s.o.Cart(ctx, s.db, me)
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
		byInvoice := s.place("b", payments.ManualName)
		s.pass(4 * 24 * time.Hour)
		if err := s.o.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if a, b := s.order(byCard.ID).State, s.order(byInvoice.ID).State; a != orders.Expired || b != orders.Draft {
			t.Errorf("after 4 days: %s, %s", a, b)
		}
		_, err := s.o.Pay(ctx, buyer, byCard.ID)
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
