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
	return orders.Checkout{Key: key, Seen: q.Mark(), Licensee: "Mara Lind", Company: "Northlight", Project: "The Ferry", Country: "SE", Provider: provider}
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
