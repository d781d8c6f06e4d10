// Package accounts holds who may sign in: sign-up with a neutral age question, confirmation by mail, sessions, passwords,
// roles, contributors, and the credentials of programs.
//
// It keeps account, session, account_token, name_hold, and of programs api_credential, access_token, refresh_token,
// authorization_code, app_grant and api_usage; it publishes the view account_public(id, name, name_folded, since, contributor_since) of accounts in good standing.
//
// Promises: passwords are kept as argon2id only, tokens and keys as SHA-256 only; a known and an unknown e-mail address get
// the same answer after the same work; a person under 13 leaves nothing behind; a suspended account, a changed password and
// a revoked session or key count from the next request on, because nothing is cached.
package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net/http"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/web"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this package's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// State is where an account stands.
type State string

// The states. Guardian accounts (13 to 17 years) cannot sign in until a guardian agrees or the person is of age.
const (
	Unconfirmed State = "unconfirmed"
	Active      State = "active"
	Guardian    State = "guardian"
	Suspended   State = "suspended"
)

// TermsVersion is the version of the contributor terms that people accept today.
const TermsVersion = 1

// Account is one person or organization that can sign in. Times are unix microseconds, 0 for never.
type Account struct {
	ID               int64       `db:"id"`
	Name             string      `db:"name"`
	Email            string      `db:"email"`
	PasswordHash     string      `db:"password_hash"`
	Role             access.Role `db:"role"`
	State            State       `db:"state"`
	AdultOn          int64       `db:"adult_on"` // 0 for adults
	ContributorSince int64       `db:"contributor_since"`
	ContributorTerms int64       `db:"contributor_terms"`
	Theme            string      `db:"theme"`
	CreatedAt        int64       `db:"created_at"`
	ConfirmedAt      int64       `db:"confirmed_at"`
	SignedInAt       int64       `db:"signed_in_at"`
}

const accountColumns = `id, name, email, password_hash, role, state, adult_on, contributor_since, contributor_terms, theme,
	created_at, confirmed_at, signed_in_at`

// Contributor tells whether the account accepted the contributor terms.
func (a Account) Contributor() bool { return a.ContributorSince != 0 }

func (a Account) actor() access.Actor {
	return access.Actor{
		ID: a.ID, Name: a.Name, Role: a.Role, Contributor: a.Contributor(), Confirmed: a.State == Active && a.ConfirmedAt != 0,
	}
}

// Store is the tables and their rules. All fields but Rand, Feed and Log must be set.
type Store struct {
	DB       *db.DB
	Now      func() time.Time
	Rand     io.Reader // source of tokens and salts; nil: crypto/rand
	URL      string    // public address of the site, without a trailing slash, for links in mail
	SiteName string
	Key      []byte   // at least 32 secret bytes of the instance: signs the age cookie
	Hasher   *Hasher  // password hashing, capped
	Post     PostFunc // hands a letter to the mailer, in the caller's transaction
	Feed     *feed.Feed
	Log      *slog.Logger

	usage usageCount
}

// Errors of the verbs that pages tell apart. Their text is for the log; pages have sentences of their own.
var (
	ErrCredentials = errors.New("name or password is wrong")
	ErrGuardian    = errors.New("a guardian has to agree first")
	ErrSuspended   = errors.New("the account is suspended")
	ErrTooYoung    = errors.New("no account at this age")
	ErrLink        = errors.New("the link is used, too old or unknown")
)

// Problem is what is wrong with one field of a form, in words for the person who filled it in.
type Problem struct {
	Field string // name, email, password, born, current
	Text  string
}

// Problems are everything wrong with a form; never empty when returned as an error.
type Problems []Problem

func (p Problems) Error() string {
	text := ""
	for i, one := range p {
		if i > 0 {
			text += " "
		}
		text += one.Text
	}
	return text
}

func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (s *Store) random(b []byte) {
	from := s.Rand
	if from == nil {
		from = rand.Reader
	}
	if _, err := io.ReadFull(from, b); err != nil {
		panic(fmt.Sprintf("no random bytes: %v", err)) // without them no secret is safe: stop this request
	}
}

// newToken makes 256 random bits in 43 URL-safe characters.
func (s *Store) newToken() string {
	var b [32]byte
	s.random(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newKey makes n random letters and digits, as clients of the API expect them.
func (s *Store) newKey(n int) string {
	from := s.Rand
	if from == nil {
		from = rand.Reader
	}
	out := make([]byte, n)
	for i := range out {
		k, err := rand.Int(from, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(fmt.Sprintf("no random bytes: %v", err))
		}
		out[i] = alphabet[k.Int64()]
	}
	return string(out)
}

// digest is how tokens and keys are kept: they are random enough that a plain SHA-256 cannot be guessed back.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func (s *Store) now() int64 { return s.Now().UnixMicro() }

func micros(d time.Duration) int64 { return d.Microseconds() }

// changed tells followers of the feed that something public about the account may be different.
func (s *Store) changed(ctx context.Context, tx *db.Tx, id int64) {
	if s.Feed != nil {
		s.Feed.Note(ctx, tx, "account", id)
	}
}

// ByID reads an account, or db.ErrNotFound.
func (s *Store) ByID(ctx context.Context, id int64) (Account, error) {
	return accountBy(ctx, s.DB, "id", id)
}

// ByIDTx reads an account in the caller's transaction, or db.ErrNotFound.
func (s *Store) ByIDTx(ctx context.Context, tx *db.Tx, id int64) (Account, error) {
	return accountBy(ctx, tx, "id", id)
}

// ActorOf is who an account in good standing acts as, without a session or a credential: for what it signed before.
func (s *Store) ActorOf(ctx context.Context, id int64) (access.Actor, error) {
	a, err := s.ByID(ctx, id)
	if err == nil && a.State != Active || errors.Is(err, db.ErrNotFound) {
		return access.Actor{}, web.Refuse(http.StatusUnauthorized, "User inactive or deleted")
	}
	return a.actor(), err
}

// ByName reads an account by its name in any case, or db.ErrNotFound.
func (s *Store) ByName(ctx context.Context, name string) (Account, error) {
	return accountBy(ctx, s.DB, "name_folded", FoldName(name))
}

// accountBy reads by one of the unique columns id, name_folded and email_folded.
func accountBy(ctx context.Context, q db.Querier, column string, value any) (Account, error) {
	a, err := db.Get[Account](ctx, q, `SELECT `+accountColumns+` FROM account WHERE `+column+` = $1`, value)
	if err != nil {
		return a, fmt.Errorf("read account: %w", err)
	}
	return a, nil
}

// byLogin finds the account that a person means: by e-mail address, or by name when there is no @.
func byLogin(ctx context.Context, q db.Querier, login string) (Account, error) {
	if address, ok := FoldEmail(login); ok {
		return accountBy(ctx, q, "email_folded", address)
	}
	return accountBy(ctx, q, "name_folded", FoldName(login))
}

// AcceptContributorTerms makes the account a contributor. Accepting again changes nothing.
func (s *Store) AcceptContributorTerms(ctx context.Context, id int64, version int) error {
	if version != TermsVersion {
		return web.Refuse(http.StatusConflict, "The contributor terms changed while you read them. Read them again, please.")
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		a, err := accountBy(ctx, tx, "id", id)
		if err != nil {
			return err
		}
		if a.State != Active {
			return web.Refuse(http.StatusForbidden, "Confirm your e-mail address first: follow the link in the mail that we sent.")
		}
		if a.Contributor() {
			return nil
		}
		_, err = db.Exec(ctx, tx, `UPDATE account SET contributor_since = $1, contributor_terms = $2 WHERE id = $3`, s.now(), TermsVersion, id)
		if err != nil {
			return fmt.Errorf("accept contributor terms for %d: %w", id, err)
		}
		s.changed(ctx, tx, id)
		return nil
	})
}

// SetTheme keeps the person's choice of "light", "dark" or "" (the system's).
func (s *Store) SetTheme(ctx context.Context, id int64, theme string) error {
	if _, err := db.Exec(ctx, s.DB, `UPDATE account SET theme = $1 WHERE id = $2`, theme, id); err != nil {
		return fmt.Errorf("set theme of %d: %w", id, err)
	}
	return nil
}

// Suspend shuts the account out: its sessions and keys stop working with the next request, and its name leaves account_public.
// Suspending twice changes nothing.
func (s *Store) Suspend(ctx context.Context, id int64) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `UPDATE account SET state = 'suspended' WHERE id = $1`, id)
		if err == nil && n == 0 {
			err = db.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("suspend %d: %w", id, err)
		}
		if err := s.endSessions(ctx, tx, id, 0); err != nil {
			return err
		}
		s.changed(ctx, tx, id)
		return nil
	})
}

// Sweep forgets what is over: used and expired links, ended sessions, expired access tokens, holds on names, and sign-ups
// that were neither confirmed nor used within 14 days. The app runs it hourly.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.now()
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, step := range []struct {
			query string
			at    int64
		}{
			{`DELETE FROM account_token WHERE expires_at < $1`, now},
			{`DELETE FROM account_token WHERE used_at <> 0 AND used_at < $1`, now - micros(24*time.Hour)},
			{`DELETE FROM session WHERE expires_at <= $1`, now},
			{`DELETE FROM session WHERE revoked_at <> 0 AND revoked_at < $1`, now - micros(30*24*time.Hour)},
			{`DELETE FROM access_token WHERE expires_at < $1`, now},
			{`DELETE FROM refresh_token WHERE expires_at < $1`, now},
			{`DELETE FROM authorization_code WHERE expires_at < $1`, now - micros(24*time.Hour)}, // a while longer, so that one used twice is noticed
			{`DELETE FROM api_usage WHERE day < $1`, s.today() - int64(usageKept/(24*time.Hour))},
			{`DELETE FROM name_hold WHERE until < $1`, now},
		} {
			if _, err := db.Exec(ctx, tx, step.query, step.at); err != nil {
				return fmt.Errorf("sweep accounts: %w", err)
			}
		}
		_, err := db.Exec(ctx, tx, `DELETE FROM account WHERE state = 'unconfirmed' AND signed_in_at = 0 AND created_at < $1`, now-micros(unconfirmedLife))
		if err != nil {
			return fmt.Errorf("sweep accounts: %w", err)
		}
		return nil
	})
}

// unconfirmedLife is how long a sign-up waits for its confirmation.
const unconfirmedLife = 14 * 24 * time.Hour
