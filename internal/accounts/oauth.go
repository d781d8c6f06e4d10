package accounts

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"audiomicro/internal/db"
)

// Lives of what an application is given (RFC 6749; a code's as short as its section 4.1.2 advises).
const (
	codeLife    = 10 * time.Minute
	AccessLife  = 24 * time.Hour
	refreshLife = 365 * 24 * time.Hour
	codeChars   = 30
)

// Faults of a request for tokens, by their names in RFC 6749, section 5.2.
var (
	ErrInvalidClient = errors.New("invalid_client")
	ErrInvalidGrant  = errors.New("invalid_grant")
	ErrInvalidScope  = errors.New("invalid_scope")
)

// Application is a program that people let act for them: a credential as others see it.
type Application struct {
	ID          int64  `db:"id"`
	OwnerID     int64  `db:"account_id"`
	Name        string `db:"name"`
	ClientID    string `db:"client_id"`
	URL         string `db:"url"`
	RedirectURI string `db:"redirect_uri"` // where people are sent back to, several with blanks between; empty: the page that shows the code
	Description string `db:"description"`
	Level       int64  `db:"level"`
	CreatedAt   int64  `db:"created_at"`
}

const applicationColumns = `id, account_id, name, client_id, url, redirect_uri, description, level, created_at`

// ApplicationByClient finds an application that was not revoked by its client id; db.ErrNotFound when there is none.
func (s *Store) ApplicationByClient(ctx context.Context, clientID string) (Application, error) {
	a, err := db.Get[Application](ctx, s.DB, `SELECT `+applicationColumns+` FROM api_credential WHERE client_id = $1 AND revoked_at = 0`, clientID)
	if err != nil {
		return a, fmt.Errorf("find application: %w", err)
	}
	return a, nil
}

// Sends tells where the application sends people back to: uri when it is one of those registered, the first of them when uri is
// empty. "" with ok is the page that shows the code.
func (a Application) Sends(uri string) (to string, ok bool) {
	list := strings.Fields(a.RedirectURI)
	switch {
	case uri == "" && len(list) == 0:
		return "", true
	case uri == "":
		return list[0], true
	}
	return uri, slices.Contains(list, uri)
}

// CleanScope reads a scope: "read", "write" or both, with blanks between; empty is both.
func CleanScope(scope string) (string, error) {
	words := strings.Fields(scope)
	if len(words) == 0 {
		words = []string{"read", "write"}
	}
	for _, w := range words {
		if w != "read" && w != "write" {
			return "", ErrInvalidScope
		}
	}
	if slices.Contains(words, "write") {
		return "read write", nil // who may write may read
	}
	return "read", nil
}

// Granted tells whether the account lets the application act for it in that scope already.
func (s *Store) Granted(ctx context.Context, app, account int64, scope string) (bool, error) {
	has, err := db.Get[string](ctx, s.DB, `SELECT scope FROM app_grant WHERE credential_id = $1 AND account_id = $2`, app, account)
	if errors.Is(err, db.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read grant: %w", err)
	}
	return has == scope || has == "read write", nil
}

// Authorize lets an application act for the account and gives the code that it exchanges for tokens, once and within ten
// minutes. challenge is that of PKCE (RFC 7636), "plain:…" or "S256:…", or empty.
func (s *Store) Authorize(ctx context.Context, app Application, account int64, redirect, scope, challenge string) (code string, err error) {
	code = s.newKey(codeChars)
	now := s.now()
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `INSERT INTO app_grant (credential_id, account_id, scope, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (credential_id, account_id) DO UPDATE SET scope = CASE WHEN app_grant.scope = 'read write' THEN app_grant.scope ELSE excluded.scope END`, app.ID, account, scope, now)
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO authorization_code (code_hash, credential_id, account_id, redirect_uri, scope, challenge, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			digest(code), app.ID, account, redirect, scope, challenge, now, now+micros(codeLife))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("authorize application %d: %w", app.ID, err)
	}
	return code, nil
}

// Tokens are what an application gets for a code or a refresh token.
type Tokens struct {
	Access  string
	Refresh string
	Scope   string
}

// client finds the application that a request for tokens comes from. A missing secret is ErrInvalidGrant, as Freesound has it;
// everything else that does not fit is ErrInvalidClient.
func (s *Store) client(ctx context.Context, clientID, secret string) (Application, error) {
	type row struct {
		Application
		Secret string `db:"secret_hash"`
	}
	found, err := db.Get[row](ctx, s.DB, `SELECT `+applicationColumns+`, secret_hash FROM api_credential WHERE client_id = $1 AND revoked_at = 0`, clientID)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return Application{}, ErrInvalidClient
	case err != nil:
		return Application{}, fmt.Errorf("find application: %w", err)
	case secret == "":
		return Application{}, ErrInvalidGrant
	case subtle.ConstantTimeCompare([]byte(digest(secret)), []byte(found.Secret)) != 1:
		return Application{}, ErrInvalidClient
	}
	return found.Application, nil
}

// verifies tells whether a verifier fits the challenge of PKCE (RFC 7636, section 4.6).
func verifies(challenge, verifier string) bool {
	if challenge == "" {
		return true
	}
	method, want, _ := strings.Cut(challenge, ":")
	if method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(verifier), []byte(want)) == 1
}

// Exchange gives tokens for a code. A code that comes a second time was stolen: what it gave is taken back (RFC 6749, section
// 4.1.2). redirect must be the one that the code was asked for with, or empty.
func (s *Store) Exchange(ctx context.Context, clientID, secret, code, redirect, verifier string) (Tokens, error) {
	app, err := s.client(ctx, clientID, secret)
	if err != nil {
		return Tokens{}, err
	}
	type row struct {
		Account   int64  `db:"account_id"`
		Redirect  string `db:"redirect_uri"`
		Scope     string `db:"scope"`
		Challenge string `db:"challenge"`
		Expires   int64  `db:"expires_at"`
		Used      int64  `db:"used_at"`
	}
	var out Tokens
	var refused error
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		out, refused = Tokens{}, nil
		c, err := db.Get[row](ctx, tx, `SELECT account_id, redirect_uri, scope, challenge, expires_at, used_at FROM authorization_code WHERE code_hash = $1 AND credential_id = $2`, digest(code), app.ID)
		if errors.Is(err, db.ErrNotFound) {
			refused = ErrInvalidGrant
			return nil
		}
		if err != nil {
			return err
		}
		n, err := db.Exec(ctx, tx, `UPDATE authorization_code SET used_at = $1 WHERE code_hash = $2 AND used_at = 0`, s.now(), digest(code))
		switch {
		case err != nil:
			return err
		case n == 0:
			refused = ErrInvalidGrant
			return s.dropTokens(ctx, tx, app.ID, c.Account)
		case s.now() >= c.Expires || redirect != "" && redirect != c.Redirect || !verifies(c.Challenge, verifier):
			refused = ErrInvalidGrant
			return nil
		}
		out, err = s.giveTokens(ctx, tx, app.ID, c.Account, c.Scope)
		if errors.Is(err, ErrInvalidGrant) {
			refused, err = err, nil
		}
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("exchange code of application %d: %w", app.ID, err)
	}
	return out, nil
}

// Refresh gives new tokens for a refresh token; the old ones end.
func (s *Store) Refresh(ctx context.Context, clientID, secret, refresh string) (Tokens, error) {
	app, err := s.client(ctx, clientID, secret)
	if err != nil {
		return Tokens{}, err
	}
	type row struct {
		Account int64  `db:"account_id"`
		Scope   string `db:"scope"`
	}
	var out Tokens
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		t, err := db.Get[row](ctx, tx, `DELETE FROM refresh_token WHERE token_hash = $1 AND credential_id = $2 AND expires_at > $3 RETURNING account_id, scope`, digest(refresh), app.ID, s.now())
		if errors.Is(err, db.ErrNotFound) {
			return ErrInvalidGrant
		}
		if err != nil {
			return err
		}
		out, err = s.giveTokens(ctx, tx, app.ID, t.Account, t.Scope)
		return err
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("refresh tokens of application %d: %w", app.ID, err)
	}
	return out, nil
}

// giveTokens replaces the tokens of an application for an account, if the grant stands and the account is in good standing.
func (s *Store) giveTokens(ctx context.Context, tx *db.Tx, app, account int64, scope string) (Tokens, error) {
	n, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM app_grant g JOIN account a ON a.id = g.account_id WHERE g.credential_id = $1 AND g.account_id = $2 AND a.state = 'active'`, app, account)
	if err != nil {
		return Tokens{}, err
	}
	if n == 0 {
		return Tokens{}, ErrInvalidGrant
	}
	if err := s.dropTokens(ctx, tx, app, account); err != nil {
		return Tokens{}, err
	}
	t := Tokens{Access: s.newKey(bearerChars), Refresh: s.newKey(bearerChars), Scope: scope}
	now := s.now()
	_, err = db.Exec(ctx, tx, `INSERT INTO access_token (token_hash, credential_id, account_id, scope, created_at, expires_at, granted) VALUES ($1, $2, $3, $4, $5, $6, 1)`,
		digest(t.Access), app, account, scope, now, now+micros(AccessLife))
	if err != nil {
		return Tokens{}, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO refresh_token (token_hash, credential_id, account_id, scope, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		digest(t.Refresh), app, account, scope, now, now+micros(refreshLife))
	return t, err
}

// dropTokens ends what an application was given for an account.
func (s *Store) dropTokens(ctx context.Context, tx *db.Tx, app, account int64) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM access_token WHERE credential_id = $1 AND account_id = $2 AND granted = 1`, app, account); err != nil {
		return err
	}
	_, err := db.Exec(ctx, tx, `DELETE FROM refresh_token WHERE credential_id = $1 AND account_id = $2`, app, account)
	return err
}

// Grant is an application that an account lets act for it.
type Grant struct {
	AppID     int64  `db:"id"`
	Name      string `db:"name"`
	URL       string `db:"url"`
	Scope     string `db:"scope"`
	CreatedAt int64  `db:"created_at"`
}

// Grants lists the applications that the account lets act for it, newest first.
func (s *Store) Grants(ctx context.Context, account int64) ([]Grant, error) {
	list, err := db.Query[Grant](ctx, s.DB, `SELECT c.id, c.name, c.url, g.scope, g.created_at FROM app_grant g JOIN api_credential c ON c.id = g.credential_id
		WHERE g.account_id = $1 AND c.revoked_at = 0 ORDER BY g.created_at DESC, c.id`, account)
	if err != nil {
		return nil, fmt.Errorf("list grants of %d: %w", account, err)
	}
	return list, nil
}

// RevokeGrant shuts an application out of the account; its tokens and codes for it end.
func (s *Store) RevokeGrant(ctx context.Context, account, app int64) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `DELETE FROM app_grant WHERE credential_id = $1 AND account_id = $2`, app, account)
		if err != nil {
			return err
		}
		if n == 0 {
			return db.ErrNotFound
		}
		if _, err := db.Exec(ctx, tx, `DELETE FROM authorization_code WHERE credential_id = $1 AND account_id = $2`, app, account); err != nil {
			return err
		}
		return s.dropTokens(ctx, tx, app, account)
	})
	if err != nil {
		return fmt.Errorf("revoke grant of %d to %d: %w", account, app, err)
	}
	return nil
}

// redirectAddress tells whether people may be sent to an address with a code: http, https or the own scheme of a program on
// their device, without a fragment (RFC 6749, section 3.1.2), and never one that runs in this site's page.
func redirectAddress(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Fragment != "" || strings.Contains(s, "#") || len(s) > 500 || strings.ContainsAny(s, "\"'<>\\;,") {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "", "javascript", "data", "vbscript", "blob", "file", "about", "filesystem":
		return false
	}
	return true
}
