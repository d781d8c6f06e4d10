// Package mail sends the site's mail: a row in outgoing_mail, written in the caller's transaction, and a job that hands it to
// an SMTP server.
//
// Promises: a mail whose transaction committed is tried for two days (after 30 s, 1 min, 2 min … 4 h) and then marked failed;
// one that the server refuses for good is marked failed at once. A crash between the server's answer and its record may send
// a mail twice, with the same Message-ID. Without a server, mail waits: it goes out when one is configured within three days.
// Bodies are emptied a week after sending (they carry links), rows are deleted after 90 days. No header can be added
// through a subject or an address.
package mail

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds outgoing_mail.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Kind is a sort of mail that the site sends. Every kind is declared with New; what is not declared is not sent.
type Kind struct {
	Name  string // "account-confirm"
	Class Class
	Why   string // one clause: "confirms the address of a new account"
}

// Class says on what ground a kind is sent.
type Class string

// Service mail belongs to something the recipient did or must know; it needs no consent and carries no promotion.
const Service Class = "service"

// Message is one mail to send.
type Message struct {
	Kind      string
	To        string // one address, without a name
	AccountID int64  // the recipient's account, 0 for none
	Subject   string
	Text      string
	HTML      string // may be empty; Compose makes both
}

// State of a mail.
type State string

// The states.
const (
	Queued State = "queued"
	Sent   State = "sent"
	Failed State = "failed"
)

// Outgoing is a row of outgoing_mail.
type Outgoing struct {
	ID        int64  `db:"id"`
	Kind      string `db:"kind"`
	AccountID *int64 `db:"account_id"`
	To        string `db:"recipient"`
	Subject   string `db:"subject"`
	Text      string `db:"text_body"` // empty once erased
	HTML      string `db:"html_body"`
	State     State  `db:"state"`
	Attempts  int64  `db:"attempts"`
	LastError string `db:"last_error"`
	MessageID string `db:"message_id"` // without the angle brackets
	CreatedAt int64  `db:"created_at"` // unix microseconds
	SentAt    *int64 `db:"sent_at"`
}

const columns = `id, kind, account_id, recipient, subject, text_body, html_body, state, attempts, last_error, message_id, created_at, sent_at`

// Options for New.
type Options struct {
	// SMTP is smtp://[user:password@]host[:port] (STARTTLS when offered, always with a password, never on loopback) or
	// smtps://…; empty: mail waits.
	SMTP string
	// From is the sender's address, SiteName the name beside it.
	From, SiteName string
	// KeepBodies is how long bodies stay after sending; 0 means 7 days.
	KeepBodies time.Duration
	Kinds      []Kind
	Now        func() time.Time
	// Backoff is the pause after the given failed attempt; nil means 30 s doubling up to 4 h.
	Backoff func(attempt int) time.Duration
	// Attempts before a mail has failed; 0 means 20, two days with the default pauses.
	Attempts int
	Logger   *slog.Logger // nil means slog.Default
}

const (
	keepRows  = 90 * 24 * time.Hour
	giveUp    = 3 * 24 * time.Hour // for mail that waits without a server
	attempts  = 20                 // with pauses of 30 s … 4 h: two days in all
	strayAge  = 15 * time.Minute
	sendQueue = "mail"
)

// Mailer writes and sends mail.
type Mailer struct {
	db     *db.DB
	queue  *jobs.Queue
	opt    Options
	server *server // nil without SMTP
	kinds  map[string]Kind
}

// queued is raised for every mail.
type queued struct {
	ID int64 `json:"id"`
}

// New subscribes the mailer's jobs to q. It fails on an SMTP address or a sender it cannot read.
func New(d *db.DB, q *jobs.Queue, opt Options) (*Mailer, error) {
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.KeepBodies == 0 {
		opt.KeepBodies = 7 * 24 * time.Hour
	}
	if opt.Backoff == nil {
		opt.Backoff = func(n int) time.Duration { return min(30*time.Second<<min(n-1, 20), 4*time.Hour) }
	}
	if opt.Attempts == 0 {
		opt.Attempts = attempts
	}
	m := &Mailer{db: d, queue: q, opt: opt, kinds: map[string]Kind{}}
	for _, k := range opt.Kinds {
		if k.Name == "" || k.Why == "" || k.Class != Service {
			return nil, fmt.Errorf("mail kind %q: name, class and reason are needed", k.Name)
		}
		if _, twice := m.kinds[k.Name]; twice {
			return nil, fmt.Errorf("mail kind %q is declared twice", k.Name)
		}
		m.kinds[k.Name] = k
	}
	from, err := parseAddress(opt.From)
	if err != nil {
		return nil, fmt.Errorf("sender of mail: %w", err)
	}
	m.opt.From = from
	if opt.SMTP != "" {
		if m.server, err = parseServer(opt.SMTP, from); err != nil {
			return nil, err
		}
	}
	// Unique: where the server is slow and mail waits long, the sweep must not raise a second job that sends beside the first.
	jobs.On(q, "mail.send", jobs.Opts{Unique: true, Queue: sendQueue, Timeout: 2 * time.Minute, MaxAttempts: m.opt.Attempts, Backoff: m.opt.Backoff}, m.send)
	q.Every("mail.sweep", 10*time.Minute, jobs.Opts{}, m.Sweep)
	return m, nil
}

// Kinds lists what was declared.
func (m *Mailer) Kinds() []Kind { return m.opt.Kinds }

// CanSend tells whether there is a server to hand mail to.
func (m *Mailer) CanSend() bool { return m.server != nil }

// Send queues a mail in tx; it leaves after the commit.
func (m *Mailer) Send(ctx context.Context, tx *db.Tx, msg Message) error {
	if _, ok := m.kinds[msg.Kind]; !ok {
		return fmt.Errorf("send mail: kind %q is not declared", msg.Kind)
	}
	to, err := parseAddress(msg.To)
	if err != nil {
		return fmt.Errorf("send mail %s: %w", msg.Kind, err)
	}
	id, err := tx.NewID(ctx, "mail")
	if err != nil {
		return fmt.Errorf("send mail %s: %w", msg.Kind, err)
	}
	var account *int64
	if msg.AccountID != 0 {
		account = &msg.AccountID
	}
	_, domain, _ := strings.Cut(m.opt.From, "@")
	_, err = db.Exec(ctx, tx, `INSERT INTO outgoing_mail (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, '', $8, $9, NULL)`,
		id, msg.Kind, account, to, oneLine(msg.Subject), clean(msg.Text), clean(msg.HTML), strings.ToLower(rand.Text())+"@"+domain, m.opt.Now().UnixMicro())
	if err == nil {
		err = m.queue.Raise(ctx, tx, queued{id})
	}
	if err != nil {
		return fmt.Errorf("send mail %s: %w", msg.Kind, err)
	}
	return nil
}

// ErrAddress means that a text is not one plain mail address.
var ErrAddress = errors.New("not a mail address")

// parseAddress accepts exactly one address without a name, of at most 254 bytes (RFC 5321 section 4.5.3.1.3).
func parseAddress(s string) (string, error) {
	if len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return "", ErrAddress
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s {
		return "", ErrAddress
	}
	return s, nil
}

// oneLine turns whatever could end a header into a space.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// clean makes a body storable on both engines: PostgreSQL refuses NUL and broken UTF-8.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Recent lists the n latest mails, the newest first.
func (m *Mailer) Recent(ctx context.Context, n int) ([]Outgoing, error) {
	list, err := db.Query[Outgoing](ctx, m.db, `SELECT `+columns+` FROM outgoing_mail ORDER BY created_at DESC, id DESC LIMIT $1`, n)
	if err != nil {
		return nil, fmt.Errorf("list mail: %w", err)
	}
	return list, nil
}

// ByID reads one mail, or db.ErrNotFound.
func (m *Mailer) ByID(ctx context.Context, id int64) (Outgoing, error) {
	o, err := db.Get[Outgoing](ctx, m.db, `SELECT `+columns+` FROM outgoing_mail WHERE id = $1`, id)
	if err != nil {
		return Outgoing{}, fmt.Errorf("read mail %d: %w", id, err)
	}
	return o, nil
}

// Counts are the mails that wait and those that failed within the last 90 days, for metrics and doctor.
type Counts struct{ Queued, Failed int64 }

// Counts counts.
func (m *Mailer) Counts(ctx context.Context) (Counts, error) {
	type row struct {
		State State `db:"state"`
		N     int64 `db:"n"`
	}
	rows, err := db.Query[row](ctx, m.db, `SELECT state, count(*) AS n FROM outgoing_mail WHERE state IN ('queued', 'failed') GROUP BY state`)
	if err != nil {
		return Counts{}, fmt.Errorf("count mail: %w", err)
	}
	var c Counts
	for _, r := range rows {
		switch r.State {
		case Queued:
			c.Queued = r.N
		case Failed:
			c.Failed = r.N
		}
	}
	return c, nil
}

// Forget deletes the mails to an account, sent or not.
func (m *Mailer) Forget(ctx context.Context, tx *db.Tx, accountID int64) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM outgoing_mail WHERE account_id = $1`, accountID); err != nil {
		return fmt.Errorf("forget mail of account %d: %w", accountID, err)
	}
	return nil
}

// Sweep is the retention job: it empties old bodies, deletes old rows, gives up what waited too long, and raises again what
// waited for a server.
func (m *Mailer) Sweep(ctx context.Context) error {
	now := m.opt.Now()
	before := func(d time.Duration) int64 { return now.Add(-d).UnixMicro() }
	err := m.db.Tx(ctx, func(tx *db.Tx) error {
		for _, step := range []struct {
			query string
			limit int64
		}{
			{`DELETE FROM outgoing_mail WHERE state <> 'queued' AND created_at < $1`, before(keepRows)},
			{`UPDATE outgoing_mail SET text_body = '', html_body = '' WHERE text_body <> '' AND
				(state = 'sent' AND sent_at < $1 OR state = 'failed' AND created_at < $1)`, before(m.opt.KeepBodies)},
			{`UPDATE outgoing_mail SET state = 'failed', last_error = 'there was no mail server for three days' WHERE state = 'queued' AND
				attempts = 0 AND created_at < $1`, before(giveUp)},
		} {
			if _, err := db.Exec(ctx, tx, step.query, step.limit); err != nil {
				return err
			}
		}
		if m.server == nil {
			return nil
		}
		stray, err := db.Query[int64](ctx, tx, `SELECT id FROM outgoing_mail WHERE state = 'queued' AND attempts = 0 AND created_at < $1
			ORDER BY created_at LIMIT 1000`, before(strayAge))
		if err != nil {
			return err
		}
		for _, id := range stray {
			if err := m.queue.Raise(ctx, tx, queued{id}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep mail: %w", err)
	}
	if m.server == nil {
		if c, err := m.Counts(ctx); err == nil && c.Queued > 0 {
			m.opt.Logger.Warn("mail waits: no SMTP server is configured", "waiting", c.Queued)
		}
	}
	return nil
}
