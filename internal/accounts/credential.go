package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

// Sizes that clients of the Freesound API rely on (one takes exactly 30 characters of an access token).
const (
	clientIDChars = 20
	secretChars   = 40
	bearerChars   = 30

	bearerLife     = 365 * 24 * time.Hour
	maxCredentials = 50
)

// Credential is a program's way in, on behalf of its owner.
type Credential struct {
	ID        int64  `db:"id"`
	Name      string `db:"name"`
	ClientID  string `db:"client_id"`
	CreatedAt int64  `db:"created_at"`
}

// NewCredential is a credential with its secrets, which are shown once and kept only as hashes.
type NewCredential struct {
	Credential
	Secret string // the API key: reads
	Bearer string // an access token with scope "read write", valid for a year
}

// AddCredential makes an API credential and one access token for it. exempt credentials are not throttled.
func (s *Store) AddCredential(ctx context.Context, account int64, name string, exempt bool) (NewCredential, error) {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	if n := utf8.RuneCountInString(name); n == 0 || n > 60 {
		return NewCredential{}, Problems{{"name", "A name for the program has 1 to 60 characters."}}
	}
	var out NewCredential
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		have, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM api_credential WHERE account_id = $1 AND revoked_at = 0`, account)
		if err != nil {
			return err
		}
		if have >= maxCredentials {
			return Problems{{"name", "You have many credentials. Revoke one that you no longer use first."}}
		}
		out, err = s.addCredential(ctx, tx, account, name, exempt)
		return err
	})
	if err != nil {
		return NewCredential{}, fmt.Errorf("add credential for %d: %w", account, err)
	}
	return out, nil
}

func (s *Store) addCredential(ctx context.Context, tx *db.Tx, account int64, name string, exempt bool) (NewCredential, error) {
	id, err := tx.NewID(ctx, "api_credential")
	if err != nil {
		return NewCredential{}, err
	}
	now := s.now()
	c := NewCredential{
		Credential: Credential{ID: id, Name: name, ClientID: s.newKey(clientIDChars), CreatedAt: now},
		Secret:     s.newKey(secretChars), Bearer: s.newKey(bearerChars),
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO api_credential (id, account_id, name, client_id, secret_hash, created_at, exempt, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`, id, account, name, c.ClientID, digest(c.Secret), now, db.Bool(exempt))
	if err != nil {
		return NewCredential{}, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO access_token (token_hash, credential_id, account_id, scope, created_at, expires_at)
		VALUES ($1, $2, $3, 'read write', $4, $5)`, digest(c.Bearer), id, account, now, now+micros(bearerLife))
	return c, err
}

// Credentials lists the account's API credentials, newest first.
func (s *Store) Credentials(ctx context.Context, account int64) ([]Credential, error) {
	list, err := db.Query[Credential](ctx, s.DB, `SELECT id, name, client_id, created_at FROM api_credential
		WHERE account_id = $1 AND revoked_at = 0 ORDER BY created_at DESC, client_id`, account)
	if err != nil {
		return nil, fmt.Errorf("list credentials of %d: %w", account, err)
	}
	return list, nil
}

// RevokeCredential ends a credential and its access tokens; another account's is db.ErrNotFound.
func (s *Store) RevokeCredential(ctx context.Context, account, id int64) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `UPDATE api_credential SET revoked_at = $1 WHERE id = $2 AND account_id = $3 AND revoked_at = 0`, s.now(), id, account)
		if err != nil {
			return err
		}
		if n == 0 {
			return db.ErrNotFound
		}
		_, err = db.Exec(ctx, tx, `DELETE FROM access_token WHERE credential_id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("revoke credential %d: %w", id, err)
	}
	return nil
}

// revokeCredentials ends all credentials of the account and tells how many there were.
func (s *Store) revokeCredentials(ctx context.Context, tx *db.Tx, account int64) (int64, error) {
	n, err := db.Exec(ctx, tx, `UPDATE api_credential SET revoked_at = $1 WHERE account_id = $2 AND revoked_at = 0`, s.now(), account)
	if err == nil {
		_, err = db.Exec(ctx, tx, `DELETE FROM access_token WHERE account_id = $1`, account)
	}
	if err != nil {
		return 0, fmt.Errorf("revoke credentials of %d: %w", account, err)
	}
	return n, nil
}

type callerRow struct {
	Credential int64       `db:"credential_id"`
	Exempt     int64       `db:"exempt"`
	Scope      string      `db:"scope"`
	ExpiresAt  int64       `db:"expires_at"`
	Account    int64       `db:"account_id"`
	Name       string      `db:"name"`
	Role       access.Role `db:"role"`
	State      State       `db:"state"`
	Since      int64       `db:"contributor_since"`
	Confirmed  int64       `db:"confirmed_at"`
}

func (r callerRow) actor() (access.Actor, error) {
	if r.State != Active {
		return access.Actor{}, web.Refuse(http.StatusUnauthorized, "User inactive or deleted")
	}
	a := Account{ID: r.Account, Name: r.Name, Role: r.Role, State: r.State, ContributorSince: r.Since, ConfirmedAt: r.Confirmed}.actor()
	a.Credential, a.Unthrottled = r.Credential, r.Exempt != 0
	a.ReadOnly = !strings.Contains(" "+r.Scope+" ", " write ")
	return a, nil
}

func invalidToken() error { return web.Refuse(http.StatusUnauthorized, "Invalid token") }

// byKey finds who an API key (a credential's secret) belongs to. Keys only read.
func (s *Store) byKey(ctx context.Context, key string) (access.Actor, error) {
	row, err := db.Get[callerRow](ctx, s.DB, `SELECT c.id AS credential_id, c.exempt, 'read' AS scope, CAST(0 AS BIGINT) AS expires_at,
			c.account_id, a.name, a.role, a.state, a.contributor_since, a.confirmed_at
		FROM api_credential c JOIN account a ON a.id = c.account_id WHERE c.secret_hash = $1 AND c.revoked_at = 0`, digest(key))
	if errors.Is(err, db.ErrNotFound) {
		return access.Actor{}, invalidToken()
	}
	if err != nil {
		return access.Actor{}, fmt.Errorf("read API key: %w", err)
	}
	return row.actor()
}

// byBearer finds who an access token belongs to.
func (s *Store) byBearer(ctx context.Context, token string) (access.Actor, error) {
	row, err := db.Get[callerRow](ctx, s.DB, `SELECT t.credential_id, c.exempt, t.scope, t.expires_at,
			t.account_id, a.name, a.role, a.state, a.contributor_since, a.confirmed_at
		FROM access_token t JOIN api_credential c ON c.id = t.credential_id JOIN account a ON a.id = t.account_id
		WHERE t.token_hash = $1 AND c.revoked_at = 0`, digest(token))
	if errors.Is(err, db.ErrNotFound) || err == nil && s.now() >= row.ExpiresAt {
		return access.Actor{}, invalidToken()
	}
	if err != nil {
		return access.Actor{}, fmt.Errorf("read access token: %w", err)
	}
	return row.actor()
}
