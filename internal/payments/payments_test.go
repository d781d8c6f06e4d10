package payments_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/money"
	"audiomicro/internal/payments"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
)

// till is a payments store whose settlements are only counted.
type till struct {
	t  *testing.T
	db *db.DB
	p  *payments.Store
	tp *payments.Test

	mu      sync.Mutex
	now     time.Time
	raised  []any
	settled map[string]int // "order state" → how often
	refuse  bool           // the order is closed
	down    bool           // the provider does not answer
}

// flaky is the test provider behind a line that may be down.
type flaky struct {
	*payments.Test
	till *till
}

var errDown = errors.New("provider is down")

func (f *flaky) Look(ctx context.Context, ref string) (payments.Reading, error) {
	if f.till.isDown() {
		return payments.Reading{}, errDown
	}
	return f.Test.Look(ctx, ref)
}

func (f *flaky) Create(ctx context.Context, c payments.Charge) (payments.Started, error) {
	if f.till.isDown() {
		return payments.Started{}, errDown
	}
	return f.Test.Create(ctx, c)
}

func (t *till) isDown() bool { t.mu.Lock(); defer t.mu.Unlock(); return t.down }

func newTill(t *testing.T, d *db.DB) *till {
	t.Helper()
	s := &till{t: t, db: d, now: time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC), settled: map[string]int{}}
	clock := func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); s.now = s.now.Add(time.Millisecond); return s.now }
	s.tp = &payments.Test{DB: d, Now: clock, Secret: []byte("secret")}
	s.p = &payments.Store{DB: d, Now: clock, Random: rand.NewChaCha8([32]byte{1}), Providers: []payments.Provider{payments.Manual{}, &flaky{s.tp, s}},
		Raise: func(_ context.Context, tx *db.Tx, e any) error {
			tx.AfterCommit(func() { s.mu.Lock(); defer s.mu.Unlock(); s.raised = append(s.raised, e) })
			return nil
		},
		Settled: func(_ context.Context, tx *db.Tx, p payments.Payment) error {
			if s.refuse {
				return fmt.Errorf("order %d: %w", p.OrderID, payments.ErrRefused)
			}
			tx.AfterCommit(func() { s.mu.Lock(); defer s.mu.Unlock(); s.settled[fmt.Sprint(p.OrderID, " ", p.State)]++ })
			return nil
		}}
	s.tp.Deliver = func(ctx context.Context, raw []byte, h http.Header) error {
		return s.p.Receive(ctx, payments.TestName, raw, h)
	}
	return s
}

// begin opens a payment of $10 for an order and sends it to the provider.
func (s *till) begin(order int64, provider string) string {
	s.t.Helper()
	ctx := context.Background()
	var p payments.Payment
	err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		p, err = s.p.Open(ctx, tx, order, provider, money.Of(1000, "USD"))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.p.Begin(ctx, p.Ref, "Order 1", "/orders/1"); err != nil {
		s.t.Fatal(err)
	}
	return p.Ref
}

func (s *till) work() error {
	s.mu.Lock()
	todo := s.raised
	s.raised = nil
	s.mu.Unlock()
	var failed error
	for _, e := range todo {
		var err error
		switch e := e.(type) {
		case payments.Told:
			err = s.p.Work(context.Background(), e)
		case payments.RefundDue:
			err = s.p.SendRefund(context.Background(), e)
		}
		if err != nil { // a failed job waits for its next attempt
			failed = errors.Join(failed, err)
			s.mu.Lock()
			s.raised = append(s.raised, e)
			s.mu.Unlock()
		}
	}
	return failed
}

func (s *till) state(ref string) payments.State {
	s.t.Helper()
	p, err := s.p.Payment(context.Background(), s.db, ref)
	if err != nil {
		s.t.Fatal(err)
	}
	return p.State
}

func each(t *testing.T, f func(t *testing.T, s *till)) {
	t.Helper()
	testkit.Each(t, func(t *testing.T, d *db.DB) { f(t, newTill(t, d)) })
}

func TestWebhookIsChecked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref := s.begin(1, payments.TestName)
		raw, header, err := s.tp.Message("evt_1", ref, payments.Paid, money.Of(1000, "USD"))
		if err != nil {
			t.Fatal(err)
		}
		signed := header.Get(payments.TestSignature)
		with := func(signature string) http.Header { return http.Header{payments.TestSignature: {signature}} }
		for name, c := range map[string]struct {
			provider string
			raw      []byte
			header   http.Header
			status   int
		}{
			"changed body":          {payments.TestName, bytes.Replace(raw, []byte("1000"), []byte("1001"), 1), header, http.StatusBadRequest},
			"no signature":          {payments.TestName, raw, http.Header{}, http.StatusBadRequest},
			"half a signature":      {payments.TestName, raw, with(signed[:len(signed)-10]), http.StatusBadRequest},
			"another moment":        {payments.TestName, raw, with("t=1" + strings.TrimPrefix(signed, "t=")), http.StatusBadRequest},
			"not hex":               {payments.TestName, raw, with("t=1,v1=zz"), http.StatusBadRequest},
			"a provider without it": {payments.ManualName, raw, header, http.StatusNotFound},
			"no such provider":      {"gold", raw, header, http.StatusNotFound},
		} {
			err := s.p.Receive(ctx, c.provider, c.raw, c.header)
			var public *web.Public
			if !errors.As(err, &public) || public.Status != c.status {
				t.Errorf("%s: %v, want %d", name, err, c.status)
			}
		}
		s.mu.Lock()
		s.now = s.now.Add(10 * time.Minute)
		s.mu.Unlock()
		if err := s.p.Receive(ctx, payments.TestName, raw, header); err == nil {
			t.Error("a replayed message of ten minutes ago was taken")
		}
		if n, err := db.Get[int64](ctx, s.db, `SELECT count(*) FROM payment_event`); err != nil || n != 0 {
			t.Errorf("%d refused messages were stored, %v", n, err)
		}
	})
}

// TestForgedStateIsNotBelieved: even a signed message counts only as far as the provider confirms it.
func TestForgedStateIsNotBelieved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref := s.begin(1, payments.TestName)
		for i, amount := range []int64{1000, 1} {
			raw, header, err := s.tp.Message(fmt.Sprint("evt_", i), ref, payments.Paid, money.Of(amount, "USD"))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.p.Receive(ctx, payments.TestName, raw, header); err != nil {
				t.Fatal(err)
			}
		}
		raw, header, _ := s.tp.Message("evt_x", "unknown", payments.Paid, money.Of(1000, "USD"))
		if err := s.p.Receive(ctx, payments.TestName, raw, header); err != nil {
			t.Fatal(err)
		}
		if err := s.work(); err != nil {
			t.Fatal(err)
		}
		if got := s.state(ref); got != payments.Created || len(s.settled) != 0 {
			t.Errorf("the payment is %s, settled %v", got, s.settled)
		}
		left, err := db.Get[int64](ctx, s.db, `SELECT count(*) FROM payment_event WHERE processed_at IS NULL`)
		if err != nil || left != 0 {
			t.Errorf("%d events unprocessed, %v", left, err)
		}
	})
}

func TestAmountMustAgree(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		for name, r := range map[string]payments.Reading{"less": {State: payments.Paid, Amount: money.Of(999, "USD")}, "another currency": {State: payments.Paid, Amount: money.Of(1000, "EUR")}} {
			ref := s.begin(1, payments.TestName)
			var log bytes.Buffer
			s.p.Log = slog.New(slog.NewJSONHandler(&log, nil))
			var outcome string
			err := s.db.Tx(ctx, func(tx *db.Tx) (err error) { outcome, err = s.p.Settle(ctx, tx, ref, r); return err })
			if err != nil || !strings.Contains(outcome, "nothing was done") || s.state(ref) != payments.Created {
				t.Errorf("%s: %q, %v, %s", name, outcome, err, s.state(ref))
			}
			if line := log.String(); strings.Count(line, "\n") != 1 || !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, `"payment":"`+ref+`","order":1,"provider":"test"`) {
				t.Errorf("%s: logged %s", name, line)
			}
			if notes, err := s.p.Notes(ctx); err != nil || len(notes) != 0 {
				t.Errorf("%s: noted without a message: %q, %v", name, notes, err)
			}
			s.p.Log = nil
		}
	})
}

// TestNotesOtherAmounts has the provider tell, and confirm, another amount than the order's: doctor's notes name the payment.
func TestNotesOtherAmounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref, good := s.begin(1, payments.TestName), s.begin(2, payments.TestName)
		if n, err := db.Exec(ctx, s.db, `UPDATE test_charge SET amount_minor = 900 WHERE ref = $1`, ref); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		for _, r := range []string{ref, good} {
			if _, err := s.tp.Decide(ctx, r, true); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.work(); err != nil {
			t.Fatal(err)
		}
		notes, err := s.p.Notes(ctx)
		if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "payment "+ref+" of order 1: its provider names another amount") || s.state(good) != payments.Paid {
			t.Errorf("notes %q, %v; the other is %s", notes, err, s.state(good))
		}
	})
}

// TestOrderOfNews settles every order of news; states move forward only.
func TestOrderOfNews(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		for _, c := range []struct {
			news []payments.State
			want payments.State
		}{
			{[]payments.State{payments.Authorized, payments.Paid}, payments.Paid},
			{[]payments.State{payments.Paid, payments.Authorized}, payments.Paid},
			{[]payments.State{payments.Paid, payments.Failed, payments.Canceled, payments.Created}, payments.Paid},
			{[]payments.State{payments.Failed, payments.Paid}, payments.Paid},
			{[]payments.State{payments.Authorized, payments.Failed}, payments.Authorized},
			{[]payments.State{payments.Failed, payments.Failed}, payments.Failed},
			{[]payments.State{payments.Paid, payments.Paid, payments.Paid}, payments.Paid},
			{[]payments.State{payments.Refunded, payments.PartRefunded, "nonsense"}, payments.Created},
		} {
			s.settled = map[string]int{}
			ref := s.begin(5, payments.TestName)
			for _, state := range c.news {
				err := s.db.Tx(ctx, func(tx *db.Tx) error {
					_, err := s.p.Settle(ctx, tx, ref, payments.Reading{State: state, Amount: money.Of(1000, "USD")})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := s.state(ref); got != c.want {
				t.Errorf("after %v: %s, want %s", c.news, got, c.want)
			}
			for what, n := range s.settled {
				if n != 1 {
					t.Errorf("after %v: settled %s %d times", c.news, what, n)
				}
			}
		}
	})
}

func TestProviderDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref := s.begin(1, payments.TestName)
		s.down = true
		if _, err := s.tp.Decide(ctx, ref, true); err != nil {
			t.Fatal(err)
		}
		if err := s.work(); !errors.Is(err, errDown) {
			t.Errorf("work while the provider is down: %v", err)
		}
		if _, err := s.p.Reconcile(ctx); !errors.Is(err, errDown) {
			t.Errorf("reconcile while the provider is down: %v", err)
		}
		var public *web.Public
		if _, err := s.p.Begin(ctx, ref, "x", "/"); !errors.As(err, &public) || public.Status != http.StatusBadGateway || !strings.Contains(public.Text, "Nothing was charged") {
			t.Errorf("begin while the provider is down: %v", err)
		}
		if s.state(ref) != payments.Created {
			t.Errorf("the payment is %s", s.state(ref))
		}
		s.mu.Lock()
		s.down = false
		s.mu.Unlock()
		if err := s.work(); err != nil || s.state(ref) != payments.Paid || s.settled["1 paid"] != 1 {
			t.Errorf("after it came back: %v, %s, %v", err, s.state(ref), s.settled)
		}
	})
}

// TestLostMessage: the program died between the provider's decision and its message. Reconcile settles.
func TestLostMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref, open := s.begin(1, payments.TestName), s.begin(2, payments.TestName)
		s.tp.Deliver = func(context.Context, []byte, http.Header) error { return errors.New("lost") }
		if _, err := s.tp.Decide(ctx, ref, true); err == nil {
			t.Fatal("the message was not lost")
		}
		for range 2 {
			if _, err := s.p.Reconcile(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if s.state(ref) != payments.Paid || s.state(open) != payments.Created || s.settled["1 paid"] != 1 || len(s.settled) != 1 {
			t.Errorf("%s, %s, %v", s.state(ref), s.state(open), s.settled)
		}
	})
}

func TestAuthorizedIsCaptured(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref := s.begin(1, payments.TestName)
		if _, err := s.db.Writer().Exec(`UPDATE test_charge SET state = 'authorized'`); err != nil {
			t.Fatal(err)
		}
		if err := s.p.Confirm(ctx, ref); err != nil || s.state(ref) != payments.Paid {
			t.Errorf("%v, %s", err, s.state(ref))
		}
	})
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref := s.begin(1, payments.TestName)
		refund := func(key string, minor int64, currency string) error {
			return s.db.Tx(ctx, func(tx *db.Tx) error { return s.p.RequestRefund(ctx, tx, ref, key, money.Of(minor, currency), "x") })
		}
		if err := refund("early", 100, "USD"); err == nil {
			t.Error("a refund before the payment")
		}
		if _, err := s.tp.Decide(ctx, ref, true); err != nil {
			t.Fatal(err)
		}
		if err := s.work(); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			key      string
			minor    int64
			currency string
			ok       bool
			state    payments.State
		}{
			{"a", 300, "USD", true, payments.PartRefunded},
			{"a", 300, "USD", true, payments.PartRefunded}, // the same again is nothing new
			{"b", 701, "USD", false, payments.PartRefunded},
			{"c", 100, "EUR", false, payments.PartRefunded},
			{"d", 0, "USD", false, payments.PartRefunded},
			{"e", -5, "USD", false, payments.PartRefunded},
			{"f", 700, "USD", true, payments.Refunded},
			{"g", 1, "USD", false, payments.Refunded},
		} {
			if err := refund(c.key, c.minor, c.currency); (err == nil) != c.ok {
				t.Errorf("refund %s of %d %s: %v", c.key, c.minor, c.currency, err)
			}
			if got := s.state(ref); got != c.state {
				t.Errorf("after %s: %s, want %s", c.key, got, c.state)
			}
		}
		s.mu.Lock()
		s.raised = append(s.raised, s.raised...) // every job runs twice
		s.mu.Unlock()
		if err := s.work(); err != nil {
			t.Fatal(err)
		}
		sent, err := db.Query[int64](ctx, s.db, `SELECT amount_minor FROM test_refund ORDER BY amount_minor`)
		if err != nil || len(sent) != 2 || sent[0]+sent[1] != 1000 {
			t.Errorf("the provider sent back %v, %v", sent, err)
		}
		open, err := db.Get[int64](ctx, s.db, `SELECT count(*) FROM payment_refund WHERE sent_at IS NULL`)
		if err != nil || open != 0 {
			t.Errorf("%d refunds not marked as sent, %v", open, err)
		}
	})
}

// TestTooLate: the order was closed when the money came.
func TestTooLate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref := s.begin(1, payments.TestName)
		s.refuse = true
		for range 2 {
			if _, err := s.tp.Decide(ctx, ref, true); err != nil {
				t.Fatal(err)
			}
			if err := s.work(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.work(); err != nil {
			t.Fatal(err)
		}
		sent, err := db.Get[int64](ctx, s.db, `SELECT CAST(SUM(amount_minor) AS BIGINT) FROM test_refund`)
		if err != nil || sent != 1000 || s.state(ref) != payments.Refunded {
			t.Errorf("%d sent back, %v, %s", sent, err, s.state(ref))
		}
	})
}

func TestManual(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *till) {
		ctx := context.Background()
		ref, other := s.begin(1, payments.ManualName), s.begin(2, payments.TestName)
		if err := s.p.Confirm(ctx, ref); err != nil || s.state(ref) != payments.Created {
			t.Errorf("%v, %s", err, s.state(ref))
		}
		mark := func(ref string) error {
			return s.db.Tx(ctx, func(tx *db.Tx) error { return s.p.MarkReceived(ctx, tx, ref) })
		}
		for range 2 {
			if err := mark(ref); err != nil {
				t.Fatal(err)
			}
		}
		if s.state(ref) != payments.Paid || s.settled["1 paid"] != 1 {
			t.Errorf("%s, %v", s.state(ref), s.settled)
		}
		if err := mark(other); err == nil {
			t.Error("a payment of another provider was marked received")
		}
		if err := mark("nothing"); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a payment that does not exist: %v", err)
		}
	})
}

// FuzzWebhook looks for a message that is taken without the right signature, and for bodies that break the reader.
func FuzzWebhook(f *testing.F) {
	now := time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)
	tp := &payments.Test{Now: func() time.Time { return now }, Secret: []byte("secret")}
	raw, header, err := tp.Message("evt_1", "ref", payments.Paid, money.Of(1000, "USD"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw, header.Get(payments.TestSignature))
	f.Add([]byte("{}"), "t=1,v1=00")
	f.Add([]byte(""), "t=,v1=,v1=")
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		events, err := tp.ParseWebhook(body, http.Header{payments.TestSignature: {signature}})
		if err == nil && !bytes.Equal(body, raw) {
			t.Fatalf("took %q with %q: %+v", body, signature, events)
		}
	})
}
