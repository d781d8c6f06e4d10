// Package payments moves money: providers behind one interface, the payments made through them, and the inbox of what they tell.
//
// It keeps payments in payment, providers' messages in payment_event, and money to send back in payment_refund. The test
// provider keeps what a real one would hold on its own side in test_charge and test_refund.
//
// What it promises: a webhook is checked, then stored as it came under the provider's event id, then answered, and only then
// worked by a job, once however often it is sent. What it says is confirmed by reading the payment back from the provider.
// A payment settles in one transaction with everything that follows from it (Store.Settled). The page a provider sends the
// buyer back to never grants anything by itself.
package payments

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// State is where a payment stands.
type State string

// The states of a payment.
const (
	Created      State = "created"    // the buyer was sent to pay
	Authorized   State = "authorized" // promised, not yet taken
	Paid         State = "paid"
	Failed       State = "failed"   // refused; the buyer may try again
	Canceled     State = "canceled" // the buyer turned back
	PartRefunded State = "part-refunded"
	Refunded     State = "refunded"
)

// Errors that callers tell apart.
var (
	ErrSignature = errors.New("the message is not signed by the provider")
	ErrNoWebhook = errors.New("the provider sends no messages")
	// ErrRefused is what Settled wraps when the payment cannot be used any more (its order was canceled): the money goes back.
	ErrRefused = errors.New("the payment came too late")
)

// Charge is what a provider is asked to collect.
type Charge struct {
	Ref       string // ours; also the idempotency key
	Label     string // what the buyer reads: "Order 418"
	Amount    money.Amount
	ReturnURL string // path on this site
}

// Started tells how the buyer goes on.
type Started struct {
	Redirect    string // where to send the buyer; empty: back to the order, which shows how to pay
	ProviderRef string // the provider's own id, or empty
}

// Reading is a payment as the provider sees it.
type Reading struct {
	State  State
	Amount money.Amount
}

// Event is one thing a provider tells.
type Event struct {
	ID     string // unique per provider
	Ref    string // our reference
	State  State
	Amount money.Amount
}

// Provider collects money. Its calls may go over the network: never call one inside a transaction. Repeating a call with the
// same reference or key is safe.
type Provider interface {
	// Name is the provider's code, in addresses and in the book: "manual", "test".
	Name() string
	// Label and Hint are what the buyer chooses by.
	Label() string
	Hint() string
	// Create begins a payment.
	Create(ctx context.Context, c Charge) (Started, error)
	// Look reads a payment back. db.ErrNotFound when the provider does not know it.
	Look(ctx context.Context, ref string) (Reading, error)
	// Capture takes money that was authorized.
	Capture(ctx context.Context, ref string) (Reading, error)
	// Refund sends money back; key names this refund for ever.
	Refund(ctx context.Context, ref, key string, amount money.Amount) error
	// ParseWebhook checks a message's signature and reads it: ErrSignature, ErrNoWebhook or what it says.
	ParseWebhook(raw []byte, header http.Header) ([]Event, error)
}

// Payment is one attempt to pay an order.
type Payment struct {
	Ref         string `db:"ref"`
	OrderID     int64  `db:"order_id"`
	Provider    string `db:"provider"`
	ProviderRef string `db:"provider_ref"`
	State       State  `db:"state"`
	Minor       int64  `db:"amount_minor"`
	Currency    string `db:"currency"`
	Refunded    int64  `db:"refunded_minor"`
	CreatedAt   int64  `db:"created_at"`
	UpdatedAt   int64  `db:"updated_at"`
}

const paymentColumns = `ref, order_id, provider, provider_ref, state, amount_minor, currency, refunded_minor, created_at, updated_at`

// Amount is what the payment is about.
func (p Payment) Amount() money.Amount { return money.Of(p.Minor, p.Currency) }

// Events of this domain.
type (
	// Told means that a provider's message waits in payment_event.
	Told struct{ EventID int64 }
	// RefundDue means that money is to be sent back: payment_refund has the row.
	RefundDue struct{ Key string }
)

// Store reads and writes this domain's tables.
type Store struct {
	DB        *db.DB
	Now       func() time.Time
	Random    io.Reader // for references; nil means crypto/rand
	Providers []Provider
	// Raise enqueues what is done about an event, in its transaction; app sets it to the job queue's.
	Raise func(ctx context.Context, tx *db.Tx, event any) error
	// Settled does in the same transaction what follows from a payment's new state; app sets it to the orders domain's. It
	// wraps ErrRefused when the payment is of no use any more.
	Settled func(ctx context.Context, tx *db.Tx, p Payment) error

	Site *web.Site    // for the pages
	Log  *slog.Logger // for what an operator has to look at; nil keeps silent
}

// Provider finds a provider by its name. An unknown one is refused with 422.
func (s *Store) Provider(name string) (Provider, error) {
	for _, p := range s.Providers {
		if p.Name() == name {
			return p, nil
		}
	}
	return nil, web.Refuse(http.StatusUnprocessableEntity, "Choose how to pay.")
}

// Open notes in the caller's transaction that an order is to be paid with a provider. The caller then calls Begin outside it.
func (s *Store) Open(ctx context.Context, tx *db.Tx, orderID int64, provider string, amount money.Amount) (Payment, error) {
	random := s.Random
	if random == nil {
		random = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Payment{}, fmt.Errorf("draw payment reference: %w", err)
	}
	now := s.Now().UnixMicro()
	p := Payment{Ref: strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])), OrderID: orderID, Provider: provider,
		State: Created, Minor: amount.Minor, Currency: amount.Currency, CreatedAt: now, UpdatedAt: now}
	_, err := db.Exec(ctx, tx, `INSERT INTO payment (`+paymentColumns+`) VALUES ($1,$2,$3,'',$4,$5,$6,0,$7,$7)`,
		p.Ref, p.OrderID, p.Provider, string(p.State), p.Minor, p.Currency, now)
	if err != nil {
		return Payment{}, fmt.Errorf("open payment of order %d: %w", orderID, err)
	}
	return p, nil
}

// Begin asks the provider to collect an open payment and tells where the buyer goes. It may be repeated.
func (s *Store) Begin(ctx context.Context, ref, label, returnURL string) (Started, error) {
	p, err := s.Payment(ctx, s.DB, ref)
	if err != nil {
		return Started{}, err
	}
	provider, err := s.Provider(p.Provider)
	if err != nil {
		return Started{}, err
	}
	started, err := provider.Create(ctx, Charge{Ref: p.Ref, Label: label, Amount: p.Amount(), ReturnURL: returnURL})
	if err != nil {
		return Started{}, &web.Public{Status: http.StatusBadGateway, Text: "The payment provider did not answer. Nothing was charged and your order is kept; try again in a minute.",
			Err: fmt.Errorf("begin payment %s: %w", ref, err)}
	}
	if started.ProviderRef != "" {
		err = s.DB.Tx(ctx, func(tx *db.Tx) error {
			_, err := db.Exec(ctx, tx, `UPDATE payment SET provider_ref = $2 WHERE ref = $1`, ref, started.ProviderRef)
			return err
		})
		if err != nil {
			return Started{}, fmt.Errorf("begin payment %s: %w", ref, err)
		}
	}
	return started, nil
}

// Payment reads one payment.
func (s *Store) Payment(ctx context.Context, q db.Querier, ref string) (Payment, error) {
	p, err := db.Get[Payment](ctx, q, `SELECT `+paymentColumns+` FROM payment WHERE ref = $1`, ref)
	if err != nil {
		return Payment{}, fmt.Errorf("read payment %.40q: %w", ref, err)
	}
	return p, nil
}

// OfOrder lists an order's payments, newest first.
func (s *Store) OfOrder(ctx context.Context, q db.Querier, orderID int64) ([]Payment, error) {
	all, err := db.Query[Payment](ctx, q, `SELECT `+paymentColumns+` FROM payment WHERE order_id = $1 ORDER BY created_at DESC, ref`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list payments of order %d: %w", orderID, err)
	}
	return all, nil
}

// rank orders the states that only move forward; a message that would move a payment back came late and changes nothing.
var rank = map[State]int{Created: 0, Failed: 1, Canceled: 1, Authorized: 2, Paid: 3}

// Settle moves a payment to a state that its provider confirmed, and has Settled do the rest in the same transaction. Repeated
// or late news change nothing. It returns what was made of it, for the record.
func (s *Store) Settle(ctx context.Context, tx *db.Tx, ref string, r Reading) (outcome string, err error) {
	p, err := s.Payment(ctx, tx, ref)
	if err != nil {
		return "", err
	}
	to, ok := rank[r.State]
	from, moving := rank[p.State]
	switch {
	case !ok:
		return fmt.Sprintf("nothing to do for %s", r.State), nil
	case r.Amount != p.Amount():
		s.warn(tx, "a provider names another amount than the order: nothing was done", "payment", p.Ref, "order", p.OrderID, "provider", p.Provider)
		return fmt.Sprintf(disagrees+"%s, the order %s: nothing was done", r.Amount, p.Amount()), nil
	case !moving || to < from || (to == from && to > rank[Failed]) || r.State == p.State:
		return fmt.Sprintf("already %s", p.State), nil
	}
	n, err := db.Exec(ctx, tx, `UPDATE payment SET state = $2, updated_at = $3 WHERE ref = $1 AND state = $4`, ref, string(r.State), s.Now().UnixMicro(), string(p.State))
	if err != nil {
		return "", fmt.Errorf("settle payment %s: %w", ref, err)
	}
	if n == 0 {
		return "settled by somebody else meanwhile", nil
	}
	p.State = r.State
	if s.Settled == nil {
		return "", errors.New("payments.Store.Settled is not set")
	}
	err = s.Settled(ctx, tx, p)
	if errors.Is(err, ErrRefused) {
		if err := s.RequestRefund(ctx, tx, ref, "late:"+ref, p.Amount(), "paid after the order was closed"); err != nil {
			return "", err
		}
		return "the order was closed: the money goes back", nil
	}
	return string(r.State), err
}

// Confirm reads a payment back from its provider and settles it. The page to which a buyer returns calls it, and Reconcile.
func (s *Store) Confirm(ctx context.Context, ref string) error {
	p, err := s.Payment(ctx, s.DB, ref)
	if err != nil {
		return err
	}
	provider, err := s.Provider(p.Provider)
	if err != nil {
		return err
	}
	reading, err := provider.Look(ctx, ref)
	if errors.Is(err, db.ErrNotFound) { // never begun, or a provider that knows nothing by itself
		return nil
	}
	if err != nil {
		return fmt.Errorf("read payment %s back: %w", ref, err)
	}
	if reading.State == Authorized {
		if reading, err = provider.Capture(ctx, ref); err != nil {
			return fmt.Errorf("capture payment %s: %w", ref, err)
		}
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := s.Settle(ctx, tx, ref, reading)
		return err
	})
}

// MarkReceived settles a manual payment: an admin saw the money. Payments of other providers are refused.
func (s *Store) MarkReceived(ctx context.Context, tx *db.Tx, ref string) error {
	p, err := s.Payment(ctx, tx, ref)
	if err != nil {
		return err
	}
	if p.Provider != ManualName {
		return web.Refuse(http.StatusConflict, "This payment runs through %s, which reports it by itself.", p.Provider)
	}
	_, err = s.Settle(ctx, tx, ref, Reading{State: Paid, Amount: p.Amount()})
	return err
}

// RequestRefund notes in the caller's transaction that money is to be sent back; a job sends it. A key asked for before is
// nothing new. More than was paid is refused.
func (s *Store) RequestRefund(ctx context.Context, tx *db.Tx, ref, key string, amount money.Amount, note string) error {
	p, err := s.Payment(ctx, tx, ref)
	if err != nil {
		return err
	}
	if amount.Currency != p.Currency || amount.Minor <= 0 {
		return fmt.Errorf("refund %s of payment %s in %s: not possible", amount, ref, p.Currency)
	}
	n, err := db.Exec(ctx, tx, `INSERT INTO payment_refund (refund_key, ref, amount_minor, created_at, note) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (refund_key) DO NOTHING`,
		key, ref, amount.Minor, s.Now().UnixMicro(), note)
	if err != nil || n == 0 {
		return err
	}
	n, err = db.Exec(ctx, tx, `UPDATE payment SET refunded_minor = refunded_minor + $2, updated_at = $3,
		state = CASE WHEN refunded_minor + $2 = amount_minor THEN 'refunded' ELSE 'part-refunded' END
		WHERE ref = $1 AND state IN ('paid', 'part-refunded') AND refunded_minor + $2 <= amount_minor`, ref, amount.Minor, s.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("refund payment %s: %w", ref, err)
	}
	if n == 0 {
		return web.Refuse(http.StatusConflict, "Only what was paid and not yet sent back can be refunded.")
	}
	return s.raise(ctx, tx, RefundDue{Key: key})
}

// SendRefund is the job of RefundDue: it has the provider send the money back. The provider knows the key, so a second call
// after a crash sends nothing twice.
func (s *Store) SendRefund(ctx context.Context, due RefundDue) error {
	type row struct {
		Ref    string `db:"ref"`
		Amount int64  `db:"amount_minor"`
		SentAt *int64 `db:"sent_at"`
	}
	r, err := db.Get[row](ctx, s.DB, `SELECT ref, amount_minor, sent_at FROM payment_refund WHERE refund_key = $1`, due.Key)
	if err != nil {
		return fmt.Errorf("send refund %s: %w", due.Key, err)
	}
	p, err := s.Payment(ctx, s.DB, r.Ref)
	if err != nil {
		return err
	}
	if r.SentAt == nil {
		provider, err := s.Provider(p.Provider)
		if err != nil {
			return err
		}
		if err := provider.Refund(ctx, r.Ref, due.Key, money.Of(r.Amount, p.Currency)); err != nil {
			return fmt.Errorf("send refund %s: %w", due.Key, err)
		}
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := db.Exec(ctx, tx, `UPDATE payment_refund SET sent_at = $2 WHERE refund_key = $1 AND sent_at IS NULL`, due.Key, s.Now().UnixMicro()); err != nil {
			return fmt.Errorf("send refund %s: %w", due.Key, err)
		}
		return jobs.Complete(ctx, tx)
	})
}

// disagrees begins the outcome of news that name another amount than the order.
const disagrees = "the provider names "

// Notes lists payments not settled about which their provider has told another amount than the order's, for doctor.
func (s *Store) Notes(ctx context.Context) ([]string, error) {
	type row struct {
		Ref     string `db:"ref"`
		OrderID int64  `db:"order_id"`
	}
	rows, err := db.Query[row](ctx, s.DB, `SELECT DISTINCT p.ref, p.order_id FROM payment p JOIN payment_event e ON e.ref = p.ref AND e.provider = p.provider
		WHERE e.outcome LIKE $1 AND p.state IN ('created', 'authorized', 'failed', 'canceled') ORDER BY p.order_id, p.ref LIMIT 20`, disagrees+"%")
	if err != nil {
		return nil, fmt.Errorf("list payments of another amount: %w", err)
	}
	var notes []string
	for _, r := range rows {
		notes = append(notes, fmt.Sprintf("payment %s of order %d: its provider names another amount than the order, so nothing was done; look at it there", r.Ref, r.OrderID))
	}
	return notes, nil
}

// warn logs once the transaction has held, so that one that is tried again is not told twice.
func (s *Store) warn(tx *db.Tx, text string, ids ...any) {
	if s.Log != nil {
		tx.AfterCommit(func() { s.Log.Warn(text, ids...) })
	}
}

func (s *Store) raise(ctx context.Context, tx *db.Tx, event any) error {
	if s.Raise == nil {
		return errors.New("payments.Store.Raise is not set")
	}
	return s.Raise(ctx, tx, event)
}
