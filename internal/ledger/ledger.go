// Package ledger is the book: every movement of money as a double entry.
//
// It keeps accounts in ledger_account, bookings in journal and their lines in entry. A line's amount is signed, debits
// positive and credits negative, as in every double-entry book: what a payment provider holds for us is a positive balance,
// what we owe (royalties, tax) and what we earned (revenue) are negative ones.
//
// What it promises: a journal whose lines do not sum to zero in every currency is refused; what was booked once under a kind and
// a reference is not booked again; journals and entries are only ever added. This package has no statement that changes or
// deletes one, a test reads the sources to see that no other has either, and Check (doctor's) recounts everything. A mistake
// is corrected by a journal that reverses it. Notes name recordings and licenses, never people.
package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Kind is what an account is for.
type Kind string

// The accounts. Provider adds its name: Received("manual").
const (
	Contributor Kind = "contributor" // owed to a contributor: royalties
	Revenue     Kind = "revenue"     // the house's share
	Tax         Kind = "tax"         // owed to the tax office
	Returns     Kind = "returns"     // owed to buyers: payments that came too late
)

// Received is the account of the money that a payment provider took in for the house.
func Received(provider string) Kind { return Kind("received:" + provider) }

// The kinds of journals.
const (
	Sale   = "sale"   // ref: order id
	Refund = "refund" // ref: order id and what of it, or late: and the payment
	Late   = "late"   // a payment for an order that was closed; ref: payment
)

// Errors of Post.
var (
	ErrUnbalanced = errors.New("the entries do not sum to zero")
	ErrPosted     = errors.New("already in the book")
)

// Line is one entry to be booked.
type Line struct {
	Kind      Kind
	Owner     int64        // account id of the contributor; 0 for the house
	Amount    money.Amount // debit positive, credit negative; zero lines are left out
	Recording int64        // what it is for; 0 for none
	Basis     int64        // net price a share was taken from, minor units; 0 for none
	Note      string       // without people's names
}

// Journal is one booking.
type Journal struct {
	Kind  string
	Ref   string // unique within the kind
	Memo  string
	Lines []Line
}

// Store reads and adds to the book.
type Store struct {
	DB       *db.DB
	Now      func() time.Time
	Currency string // of the instance

	Site *web.Site // for the pages
	// Title names a recording on the earnings page; nil leaves its number.
	Title func(ctx context.Context, recordingID int64) (string, error)
}

// Post books a journal in the caller's transaction. It returns ErrUnbalanced when the lines do not sum to zero in each
// currency, and ErrPosted when the kind and reference are in the book already; then nothing was added, and the transaction
// may go on.
func (s *Store) Post(ctx context.Context, tx *db.Tx, j Journal) error {
	lines := slices.DeleteFunc(slices.Clone(j.Lines), func(l Line) bool { return l.Amount.IsZero() })
	if err := balanced(lines); err != nil {
		return fmt.Errorf("post %s %s: %w", j.Kind, j.Ref, err)
	}
	id, err := tx.NewID(ctx, "journal")
	if err != nil {
		return err
	}
	n, err := db.Exec(ctx, tx, `INSERT INTO journal (id, kind, ref, at, memo) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (kind, ref) DO NOTHING`,
		id, j.Kind, j.Ref, s.Now().UnixMicro(), j.Memo)
	if err != nil {
		return fmt.Errorf("post %s %s: %w", j.Kind, j.Ref, err)
	}
	if n == 0 {
		return fmt.Errorf("post %s %s: %w", j.Kind, j.Ref, ErrPosted)
	}
	for i, l := range lines {
		account, err := s.account(ctx, tx, l.Kind, l.Owner, l.Amount.Currency)
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO entry (journal_id, n, account_id, amount_minor, recording_id, basis_minor, note) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
			id, i, account, l.Amount.Minor, l.Recording, l.Basis, l.Note)
		if err != nil {
			return fmt.Errorf("post %s %s: %w", j.Kind, j.Ref, err)
		}
	}
	return nil
}

func balanced(lines []Line) error {
	if len(lines) == 0 {
		return fmt.Errorf("no entries: %w", ErrUnbalanced)
	}
	sums := map[string]money.Amount{}
	for _, l := range lines {
		if !money.Known(l.Amount.Currency) {
			return fmt.Errorf("currency %q: %w", l.Amount.Currency, ErrUnbalanced)
		}
		sum, err := sums[l.Amount.Currency].Add(l.Amount)
		if err != nil {
			return err
		}
		sums[l.Amount.Currency] = sum
	}
	for _, sum := range sums {
		if !sum.IsZero() {
			return fmt.Errorf("%s is left over: %w", sum, ErrUnbalanced)
		}
	}
	return nil
}

// account finds or opens an account.
func (s *Store) account(ctx context.Context, tx *db.Tx, kind Kind, owner int64, currency string) (int64, error) {
	const find = `SELECT id FROM ledger_account WHERE kind = $1 AND owner_id = $2 AND currency = $3`
	id, err := db.Get[int64](ctx, tx, find, string(kind), owner, currency)
	if err == nil || !errors.Is(err, db.ErrNotFound) {
		return id, err
	}
	if id, err = tx.NewID(ctx, "ledger_account"); err != nil {
		return 0, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO ledger_account (id, kind, owner_id, currency, created_at) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (kind, owner_id, currency) DO NOTHING`,
		id, string(kind), owner, currency, s.Now().UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("open account %s of %d: %w", kind, owner, err)
	}
	if id, err = db.Get[int64](ctx, tx, find, string(kind), owner, currency); err != nil {
		return 0, fmt.Errorf("open account %s of %d: %w", kind, owner, err)
	}
	return id, nil
}

// Balance is an account's sum, debit positive, in the instance's currency. An account that does not exist has none.
func (s *Store) Balance(ctx context.Context, q db.Querier, kind Kind, owner int64) (money.Amount, error) {
	minor, err := db.Get[int64](ctx, q, `SELECT CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) FROM entry e JOIN ledger_account a ON a.id = e.account_id
		WHERE a.kind = $1 AND a.owner_id = $2 AND a.currency = $3`, string(kind), owner, s.Currency)
	if err != nil {
		return money.Amount{}, fmt.Errorf("read balance of %s %d: %w", kind, owner, err)
	}
	return money.Of(minor, s.Currency), nil
}

// Owed is what the house owes a contributor now: positive when royalties wait to be paid.
func (s *Store) Owed(ctx context.Context, q db.Querier, contributor int64) (money.Amount, error) {
	b, err := s.Balance(ctx, q, Contributor, contributor)
	if err != nil {
		return b, err
	}
	return b.Neg()
}

// Posting is one line of a contributor's account, seen from the contributor: earnings are positive.
type Posting struct {
	Journal   int64  `db:"journal_id"`
	N         int64  `db:"n"`
	At        int64  `db:"at"` // unix microseconds
	Kind      string `db:"kind"`
	Amount    int64  `db:"amount_minor"`
	Currency  string `db:"currency"`
	Recording int64  `db:"recording_id"`
	Basis     int64  `db:"basis_minor"`
	Note      string `db:"note"`
}

// Statement lists a contributor's postings from (inclusive) to until (exclusive; 0: no end), newest first. Amounts are what
// the contributor earned; a refund is negative.
func (s *Store) Statement(ctx context.Context, contributor, from, until int64) ([]Posting, error) {
	if until == 0 {
		until = 1<<63 - 1
	}
	all, err := db.Query[Posting](ctx, s.DB, `SELECT e.journal_id, e.n, j.at, j.kind, -e.amount_minor AS amount_minor, a.currency, e.recording_id, e.basis_minor, e.note
		FROM entry e JOIN ledger_account a ON a.id = e.account_id JOIN journal j ON j.id = e.journal_id
		WHERE a.kind = $1 AND a.owner_id = $2 AND j.at >= $3 AND j.at < $4 ORDER BY j.at DESC, e.journal_id DESC, e.n DESC`,
		string(Contributor), contributor, from, until)
	if err != nil {
		return nil, fmt.Errorf("read statement of %d: %w", contributor, err)
	}
	return all, nil
}

// Posted tells whether a kind and reference are in the book.
func (s *Store) Posted(ctx context.Context, q db.Querier, kind, ref string) (bool, error) {
	n, err := db.Get[int64](ctx, q, `SELECT count(*) FROM journal WHERE kind = $1 AND ref = $2`, kind, ref)
	if err != nil {
		return false, fmt.Errorf("look for %s %s: %w", kind, ref, err)
	}
	return n > 0, nil
}

// Refs lists the references of a kind of journals. Doctor compares them with the orders.
func (s *Store) Refs(ctx context.Context, kind string) ([]string, error) {
	all, err := db.Query[string](ctx, s.DB, `SELECT ref FROM journal WHERE kind = $1 ORDER BY ref`, kind)
	if err != nil {
		return nil, fmt.Errorf("list journals %s: %w", kind, err)
	}
	return all, nil
}

// Booked is what one journal moved on one account, debit positive.
type Booked struct {
	Ref   string `db:"ref"`
	Kind  Kind   `db:"kind"`
	Owner int64  `db:"owner_id"`
	Minor int64  `db:"minor"`
}

// Booked lists what every journal of a kind moved on each account. Doctor compares it with the orders.
func (s *Store) Booked(ctx context.Context, kind string) ([]Booked, error) {
	all, err := db.Query[Booked](ctx, s.DB, `SELECT j.ref, a.kind, a.owner_id, CAST(SUM(e.amount_minor) AS BIGINT) AS minor FROM journal j JOIN entry e ON e.journal_id = j.id
		JOIN ledger_account a ON a.id = e.account_id WHERE j.kind = $1 GROUP BY j.ref, a.kind, a.owner_id ORDER BY j.ref, a.kind, a.owner_id`, kind)
	if err != nil {
		return nil, fmt.Errorf("list what journals %s moved: %w", kind, err)
	}
	return all, nil
}

// Check recounts the whole book and says in words what is wrong; nothing when it balances.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	var wrong []string
	type sum struct {
		Journal  int64  `db:"journal_id"`
		Currency string `db:"currency"`
		Left     int64  `db:"left_over"`
	}
	sums, err := db.Query[sum](ctx, s.DB, `SELECT e.journal_id, a.currency, CAST(SUM(e.amount_minor) AS BIGINT) AS left_over FROM entry e
		JOIN ledger_account a ON a.id = e.account_id GROUP BY e.journal_id, a.currency HAVING SUM(e.amount_minor) <> 0 ORDER BY e.journal_id`)
	if err != nil {
		return nil, fmt.Errorf("check ledger: %w", err)
	}
	for _, b := range sums {
		wrong = append(wrong, fmt.Sprintf("journal %d does not balance: %s is left over", b.Journal, money.Of(b.Left, b.Currency)))
	}
	empty, err := db.Query[int64](ctx, s.DB, `SELECT j.id FROM journal j WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.journal_id = j.id) ORDER BY j.id`)
	if err != nil {
		return nil, fmt.Errorf("check ledger: %w", err)
	}
	for _, id := range empty {
		wrong = append(wrong, fmt.Sprintf("journal %d has no entries", id))
	}
	type gap struct {
		Journal int64 `db:"journal_id"`
		Count   int64 `db:"lines"`
		Last    int64 `db:"last"`
	}
	gaps, err := db.Query[gap](ctx, s.DB, `SELECT journal_id, count(*) AS lines, max(n) AS last FROM entry GROUP BY journal_id HAVING count(*) <> max(n) + 1 ORDER BY journal_id`)
	if err != nil {
		return nil, fmt.Errorf("check ledger: %w", err)
	}
	for _, g := range gaps {
		wrong = append(wrong, fmt.Sprintf("journal %d has %d entries, but the last is number %d", g.Journal, g.Count, g.Last))
	}
	return wrong, nil
}
