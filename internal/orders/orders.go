// Package orders is buying: the cart, the checkout, the order and its states, the invoice, and the buyer's library.
//
// It keeps carts in cart and cart_line, orders in orders and order_line, and the invoice numbers in invoice_series. An order
// moves draft → pending → (authorized →) paid → part-refunded → refunded; before it is paid it may become failed (and be
// tried again), canceled or expired.
//
// What it promises: an order is paid in one transaction with its licenses, its entries in the book, its invoice number and its
// receipt, exactly once, however often a message or a click repeats; a refund reverses all of it, line by line. A price is the
// one the buyer saw, or nothing is ordered. Of one license for one project an account never has two orders that money can still
// pay: a later order takes the place of an earlier one. What stands in the way is said in a sentence (web.Public).
package orders

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/mail"
	"audiomicro/internal/money"
	"audiomicro/internal/payments"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// State is where an order stands.
type State string

// The states of an order.
const (
	Draft        State = "draft"      // placed, the provider was not reached yet
	Pending      State = "pending"    // waits for the money
	Authorized   State = "authorized" // the money is promised
	Paid         State = "paid"
	Failed       State = "failed" // the payment was refused; another try is open
	Canceled     State = "canceled"
	Expired      State = "expired" // nobody paid; money that comes late is still taken
	PartRefunded State = "part-refunded"
	Refunded     State = "refunded"
)

// Open tells whether the order can still be paid by a click.
func (s State) Open() bool {
	return s == Draft || s == Pending || s == Authorized || s == Failed
}

// Settled tells whether the order was paid at some time.
func (s State) Settled() bool { return s == Paid || s == PartRefunded || s == Refunded }

// Letter is a mail to the owner of an account; app finds the address.
type Letter struct {
	Kind       string
	AccountID  int64
	Subject    string
	Paragraphs []string
	Button     mail.Button
}

// Kinds of mail about orders.
const (
	mailReceipt = "order-receipt"
	mailInvoice = "order-invoice"
	mailRefund  = "order-refund"
)

// MailKinds declares the mail that this package sends.
func MailKinds() []mail.Kind {
	return []mail.Kind{
		{Name: mailReceipt, Class: mail.Service, Why: "confirms a payment and leads to the licenses"},
		{Name: mailInvoice, Class: mail.Service, Why: "says how to pay an order by bank transfer, or that another order took its place and it is not to be paid"},
		{Name: mailRefund, Class: mail.Service, Why: "confirms a refund and names the licenses that ended"},
	}
}

// Events of this domain. They carry ids only.
type (
	// WasPaid means that an order's licenses were issued.
	WasPaid struct{ OrderID int64 }
	// WasRefunded means that licenses of an order were revoked.
	WasRefunded struct{ OrderID int64 }
)

// Store reads and writes this domain's tables.
type Store struct {
	DB        *db.DB
	Now       func() time.Time
	Random    io.Reader // nil means crypto/rand
	Licensing *licensing.Store
	Ledger    *ledger.Store
	Payments  *payments.Store
	Blobs     blob.Store

	Currency     string // ISO 4217 code
	TaxBasis     int64  // tax on every order in hundredths of a percent
	TaxName      string
	RoyaltyBasis int64 // the contributor's share of the net price in hundredths of a percent
	SiteURL      string
	Operator     string // issuer of invoices
	Address      string // of the operator, for invoices
	BankDetail   string // how to pay by transfer

	// Letter queues a mail in the caller's transaction; app sets it. nil sends none.
	Letter func(ctx context.Context, tx *db.Tx, l Letter) error
	// Raise enqueues what others do about an event, in its transaction; nil raises nothing.
	Raise func(ctx context.Context, tx *db.Tx, event any) error
	// Downloaded records that an account downloads originals with their papers.
	Downloaded func(ctx context.Context, account int64, list ...Taken) error
	// Rows draws recordings for a page, playable for whom the context names; those it leaves out are drawn plainly. nil draws
	// all plainly.
	Rows func(ctx context.Context, ids []int64) ([]ui.Sound, error)
	// Original sends the bytes of a recording under a license of the context's actor, and records the download.
	Original func(w http.ResponseWriter, r *http.Request, recordingID, licenseID int64) error

	Site *web.Site // for the pages
}

// Order is one order.
type Order struct {
	ID        int64   `db:"id"`
	Number    *string `db:"number"` // of the invoice; nil until paid
	AccountID int64   `db:"account_id"`
	PlaceKey  string  `db:"place_key"`
	State     State   `db:"state"`
	Licensee  string  `db:"licensee"`
	Company   string  `db:"company"`
	Project   string  `db:"project"`
	Country   string  `db:"country"` // ISO 3166 code
	Currency  string  `db:"currency"`
	Subtotal  int64   `db:"subtotal_minor"`
	TaxName   string  `db:"tax_name"`
	TaxBasis  int64   `db:"tax_basis"`
	Tax       int64   `db:"tax_minor"`
	Total     int64   `db:"total_minor"`
	Provider  string  `db:"provider"`
	PlacedAt  int64   `db:"placed_at"`
	PaidAt    *int64  `db:"paid_at"`
	UpdatedAt int64   `db:"updated_at"`
	// ReplacedBy is the order that took the place of this one, which is canceled; nil when none did.
	ReplacedBy *int64 `db:"replaced_by"`
}

const orderColumns = `id, number, account_id, place_key, state, licensee, company, project, country, currency, subtotal_minor, tax_name, tax_basis, tax_minor,
	total_minor, provider, placed_at, paid_at, updated_at, replaced_by`

// Name is how people call the order: its invoice number once it is paid, before that its id.
func (o Order) Name() string {
	if o.Number != nil {
		return *o.Number
	}
	return fmt.Sprintf("%d", o.ID)
}

// Amount is what is to be paid, tax included.
func (o Order) Amount() money.Amount { return money.Of(o.Total, o.Currency) }

// Line is one license of an order.
type Line struct {
	ID            int64  `db:"id"`
	OrderID       int64  `db:"order_id"`
	N             int64  `db:"n"`
	RecordingID   int64  `db:"recording_id"`
	ContributorID int64  `db:"contributor_id"`
	Title         string `db:"title"`
	ModelCode     string `db:"model_code"`
	ModelVersion  int64  `db:"model_version"`
	ModelName     string `db:"model_name"`
	Price         int64  `db:"price_minor"`
	Tax           int64  `db:"tax_minor"`
	Royalty       int64  `db:"royalty_minor"`
	RefundedAt    *int64 `db:"refunded_at"`
}

const lineColumns = `id, order_id, n, recording_id, contributor_id, title, model_code, model_version, model_name, price_minor, tax_minor, royalty_minor, refunded_at`

// Order reads one order.
func (s *Store) Order(ctx context.Context, q db.Querier, id int64) (Order, error) {
	o, err := db.Get[Order](ctx, q, `SELECT `+orderColumns+` FROM orders WHERE id = $1`, id)
	if err != nil {
		return Order{}, fmt.Errorf("read order %d: %w", id, err)
	}
	return o, nil
}

// Own reads an order of an account; anybody else's does not exist for it.
func (s *Store) Own(ctx context.Context, accountID, id int64) (Order, error) {
	o, err := s.Order(ctx, s.DB, id)
	if err == nil && (o.AccountID != accountID || accountID == 0) {
		return Order{}, fmt.Errorf("read order %d of account %d: %w", id, accountID, db.ErrNotFound)
	}
	return o, err
}

// Lines lists an order's lines.
func (s *Store) Lines(ctx context.Context, q db.Querier, orderID int64) ([]Line, error) {
	all, err := db.Query[Line](ctx, q, `SELECT `+lineColumns+` FROM order_line WHERE order_id = $1 ORDER BY n`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list lines of order %d: %w", orderID, err)
	}
	return all, nil
}

// OfAccount lists an account's orders, newest first.
func (s *Store) OfAccount(ctx context.Context, accountID int64) ([]Order, error) {
	all, err := db.Query[Order](ctx, s.DB, `SELECT `+orderColumns+` FROM orders WHERE account_id = $1 ORDER BY placed_at DESC, id DESC`, accountID)
	if err != nil {
		return nil, fmt.Errorf("list orders of account %d: %w", accountID, err)
	}
	return all, nil
}

// List lists up to limit orders in a state (all when empty), newest first, for admins.
func (s *Store) List(ctx context.Context, state State, limit int) ([]Order, error) {
	where, args := "", []any{limit}
	if state != "" {
		where, args = "WHERE state = $2", append(args, string(state))
	}
	all, err := db.Query[Order](ctx, s.DB, `SELECT `+orderColumns+` FROM orders `+where+` ORDER BY placed_at DESC, id DESC LIMIT $1`, args...)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return all, nil
}

func (s *Store) now() int64 { return s.Now().UnixMicro() }

func (s *Store) raise(ctx context.Context, tx *db.Tx, event any) error {
	if s.Raise == nil {
		return nil
	}
	return s.Raise(ctx, tx, event)
}

func (s *Store) letter(ctx context.Context, tx *db.Tx, l Letter) error {
	if s.Letter == nil {
		return nil
	}
	return s.Letter(ctx, tx, l)
}

// recording reads what is sold; a recording that is gone does not exist.
func (s *Store) recording(ctx context.Context, q db.Querier, id int64) (licensing.Recording, error) {
	if s.Licensing.Recording == nil {
		return licensing.Recording{}, errors.New("licensing.Store.Recording is not set")
	}
	return s.Licensing.Recording(ctx, q, id)
}

// conflict is a refusal because something stands in the way now.
func conflict(format string, args ...any) error {
	return web.Refuse(http.StatusConflict, format, args...)
}
