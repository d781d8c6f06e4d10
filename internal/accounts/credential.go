package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// NewCredential is an application with its secrets, which are shown once and kept only as hashes.
type NewCredential struct {
	Application
	Secret string // the API key: reads
	Bearer string // an access token with scope "read write", valid for a year
}

// cleanApplication brings what a person says about a program into the form that is kept, and says what is wrong with it.
func cleanApplication(a Application) (Application, error) {
	var found Problems
	a.Name = strings.Join(strings.Fields(strings.ToValidUTF8(a.Name, "")), " ")
	if n := utf8.RuneCountInString(a.Name); n == 0 || n > 60 {
		found = append(found, Problem{"name", "A name for the program has 1 to 60 characters."})
	}
	if a.URL = strings.TrimSpace(a.URL); a.URL != "" && (!redirectAddress(a.URL) || !strings.HasPrefix(a.URL, "http")) {
		found = append(found, Problem{"url", "This is not a web address: write https://example.org."})
	}
	list := strings.Fields(a.RedirectURI)
	for _, one := range list {
		if !redirectAddress(one) {
			found = append(found, Problem{"redirect_uri", "People cannot be sent to this address: write https://example.org/back, or your program's own scheme, as myapp:/back."})
			break
		}
	}
	if a.RedirectURI = strings.Join(list, " "); len(a.RedirectURI) > 2000 {
		found = append(found, Problem{"redirect_uri", "These are too many addresses."})
	}
	if a.Description = strings.TrimSpace(strings.ToValidUTF8(a.Description, "")); utf8.RuneCountInString(a.Description) > 2000 {
		found = append(found, Problem{"description", "A description has at most 2000 characters."})
	}
	return a, found.orNil()
}

// AddCredential makes an API credential and one access token for its owner. exempt credentials are not throttled.
func (s *Store) AddCredential(ctx context.Context, account int64, app Application, exempt bool) (NewCredential, error) {
	app, err := cleanApplication(app)
	if err != nil {
		return NewCredential{}, err
	}
	var out NewCredential
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		have, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM api_credential WHERE account_id = $1 AND revoked_at = 0`, account)
		if err != nil {
			return err
		}
		if have >= maxCredentials {
			return Problems{{"name", "You have many credentials. Revoke one that you no longer use first."}}
		}
		out, err = s.addCredential(ctx, tx, account, app, exempt)
		return err
	})
	if err != nil {
		return NewCredential{}, fmt.Errorf("add credential for %d: %w", account, err)
	}
	return out, nil
}

func (s *Store) addCredential(ctx context.Context, tx *db.Tx, account int64, app Application, exempt bool) (NewCredential, error) {
	id, err := tx.NewID(ctx, "api_credential")
	if err != nil {
		return NewCredential{}, err
	}
	now := s.now()
	app.ID, app.OwnerID, app.ClientID, app.CreatedAt, app.Level = id, account, s.newKey(clientIDChars), now, firstLevel
	c := NewCredential{Application: app, Secret: s.newKey(secretChars), Bearer: s.newKey(bearerChars)}
	_, err = db.Exec(ctx, tx, `INSERT INTO api_credential (id, account_id, name, client_id, secret_hash, created_at, exempt, revoked_at, url, redirect_uri, description, level)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11)`, id, account, app.Name, c.ClientID, digest(c.Secret), now, db.Bool(exempt), app.URL, app.RedirectURI, app.Description, app.Level)
	if err != nil {
		return NewCredential{}, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO access_token (token_hash, credential_id, account_id, scope, created_at, expires_at)
		VALUES ($1, $2, $3, 'read write', $4, $5)`, digest(c.Bearer), id, account, now, now+micros(bearerLife))
	return c, err
}

// Credentials lists the account's API credentials, newest first.
func (s *Store) Credentials(ctx context.Context, account int64) ([]Application, error) {
	list, err := db.Query[Application](ctx, s.DB, `SELECT `+applicationColumns+` FROM api_credential
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
		return s.forget(ctx, tx, "credential_id", id)
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
		err = s.forget(ctx, tx, "account_id", account)
	}
	if err != nil {
		return 0, fmt.Errorf("revoke credentials of %d: %w", account, err)
	}
	return n, nil
}

// forget ends every token, code and grant of an application (column credential_id) or of an account (account_id).
func (s *Store) forget(ctx context.Context, tx *db.Tx, column string, id int64) error {
	for _, table := range []string{"access_token", "refresh_token", "authorization_code", "app_grant"} {
		if _, err := db.Exec(ctx, tx, `DELETE FROM `+table+` WHERE `+column+` = $1`, id); err != nil {
			return err
		}
	}
	return nil
}

// EditApplication changes what the account says about a program of its own; another's is db.ErrNotFound.
func (s *Store) EditApplication(ctx context.Context, account int64, app Application) error {
	app, err := cleanApplication(app)
	if err != nil {
		return err
	}
	n, err := db.Exec(ctx, s.DB, `UPDATE api_credential SET name = $1, url = $2, redirect_uri = $3, description = $4 WHERE id = $5 AND account_id = $6 AND revoked_at = 0`,
		app.Name, app.URL, app.RedirectURI, app.Description, app.ID, account)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("edit application %d: %w", app.ID, err)
	}
	return nil
}

// ApplicationOf finds a program of the account by its client id or its API key; another's is db.ErrNotFound.
func (s *Store) ApplicationOf(ctx context.Context, account int64, key string) (Application, error) {
	a, err := db.Get[Application](ctx, s.DB, `SELECT `+applicationColumns+` FROM api_credential WHERE (client_id = $1 OR secret_hash = $2) AND account_id = $3 AND revoked_at = 0`, key, digest(key), account)
	if err != nil {
		return a, fmt.Errorf("find application: %w", err)
	}
	return a, nil
}

// firstLevel is the level of a new credential; the API's face says what each level may do.
const firstLevel = 1

// Levels lists how fast credentials may ask: 0 is suspended, 99 unbounded.
func Levels() []int64 { return []int64{0, 1, 2, 3, 99} }

// SetLevel changes how fast a credential may ask.
func (s *Store) SetLevel(ctx context.Context, id, level int64) error {
	if !slices.Contains(Levels(), level) {
		return web.Refuse(http.StatusUnprocessableEntity, "There is no level %d.", level)
	}
	n, err := db.Exec(ctx, s.DB, `UPDATE api_credential SET level = $1 WHERE id = $2 AND revoked_at = 0`, level, id)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("set the level of credential %d: %w", id, err)
	}
	return nil
}

// Busiest is an application with its owner's name and its requests of the last 30 days.
type Busiest struct {
	Application
	Owner    string `db:"owner"`
	Requests int64  `db:"requests"`
}

// Busiest lists the applications that asked most in the last 30 days.
func (s *Store) Busiest(ctx context.Context, limit int) ([]Busiest, error) {
	s.writeUsage(ctx)
	list, err := db.Query[Busiest](ctx, s.DB, `SELECT c.id, c.account_id, c.name, c.client_id, c.url, c.redirect_uri, c.description, c.level, c.created_at, a.name AS owner,
			(SELECT CAST(coalesce(sum(u.reads + u.writes), 0) AS BIGINT) FROM api_usage u WHERE u.credential_id = c.id AND u.day > $1) AS requests
		FROM api_credential c JOIN account a ON a.id = c.account_id WHERE c.revoked_at = 0 ORDER BY requests DESC, c.created_at DESC, c.id LIMIT $2`, s.today()-usageDays, limit)
	if err != nil {
		return nil, fmt.Errorf("list the busiest applications: %w", err)
	}
	return list, nil
}

// usageDays is how many days of usage are shown.
const usageDays = 30

type callerRow struct {
	Credential int64       `db:"credential_id"`
	Exempt     int64       `db:"exempt"`
	Level      int64       `db:"level"`
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
	a.Credential, a.Unthrottled, a.Level = r.Credential, r.Exempt != 0 || r.Level == 99, r.Level
	a.ReadOnly = !strings.Contains(" "+r.Scope+" ", " write ")
	return a, nil
}

func invalidToken() error { return web.Refuse(http.StatusUnauthorized, "Invalid token") }

// byKey finds who an API key (a credential's secret) belongs to. Keys only read.
func (s *Store) byKey(ctx context.Context, key string) (access.Actor, error) {
	row, err := db.Get[callerRow](ctx, s.DB, `SELECT c.id AS credential_id, c.exempt, c.level, 'read' AS scope, CAST(0 AS BIGINT) AS expires_at,
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
	row, err := db.Get[callerRow](ctx, s.DB, `SELECT t.credential_id, c.exempt, c.level, t.scope, t.expires_at,
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
