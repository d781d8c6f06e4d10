package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

// Lives of sessions: idle and absolute, shorter for staff (OWASP ASVS 5.0 V7.3).
const (
	idleLife      = 14 * 24 * time.Hour
	fullLife      = 90 * 24 * time.Hour
	staffIdleLife = 12 * time.Hour
	staffFullLife = 24 * time.Hour
	seenEvery     = time.Minute // seen_at is written at most this often
)

// Session is one signed-in browser. Times are unix microseconds.
type Session struct {
	ID        int64  `db:"id"`
	CreatedAt int64  `db:"created_at"`
	SeenAt    int64  `db:"seen_at"`
	ExpiresAt int64  `db:"expires_at"`
	Network   string `db:"network"` // shortened address: /24 or /48
	Browser   string `db:"browser"` // "Firefox on Linux"
}

// Visit is what a sign-in tells about the browser.
type Visit struct {
	IP        netip.Addr
	UserAgent string
	Old       string // the session token the browser came with, ended by the sign-in; or empty
}

// SignIn checks a login (address or name) and password and starts a session. ErrCredentials covers an unknown login and a
// wrong password alike; ErrGuardian and ErrSuspended are told only to who knows the password.
func (s *Store) SignIn(ctx context.Context, login, password string, v Visit) (token string, a Account, err error) {
	a, err = byLogin(ctx, s.DB, login)
	if errors.Is(err, db.ErrNotFound) {
		if err := s.Hasher.Waste(ctx, password); err != nil {
			return "", Account{}, fmt.Errorf("sign in: %w", err)
		}
		return "", Account{}, ErrCredentials
	}
	if err != nil {
		return "", Account{}, fmt.Errorf("sign in: %w", err)
	}
	ok, stale, err := s.Hasher.Check(ctx, password, a.PasswordHash)
	if err != nil {
		return "", Account{}, fmt.Errorf("sign in %d: %w", a.ID, err)
	}
	if !ok {
		return "", Account{}, ErrCredentials
	}
	if a, err = s.comeOfAge(ctx, a); err != nil {
		return "", Account{}, err
	}
	switch a.State {
	case Guardian:
		return "", Account{}, ErrGuardian
	case Suspended:
		return "", Account{}, ErrSuspended
	}
	rehashed := ""
	if stale {
		if rehashed, err = s.hash(ctx, password); err != nil {
			return "", Account{}, fmt.Errorf("sign in %d: %w", a.ID, err)
		}
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		checked := a
		if rehashed != "" {
			// Only the text that was checked is replaced: a password changed meanwhile stays.
			if _, err := db.Exec(ctx, tx, `UPDATE account SET password_hash = $1 WHERE id = $2 AND password_hash = $3`, rehashed, a.ID, a.PasswordHash); err != nil {
				return err
			}
			checked.PasswordHash = rehashed
		}
		token, err = s.startSession(ctx, tx, checked, v)
		return err
	})
	if err != nil {
		return "", Account{}, fmt.Errorf("sign in %d: %w", a.ID, err)
	}
	return token, a, nil
}

func (s *Store) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	s.random(salt)
	return s.Hasher.Hash(ctx, password, salt)
}

// comeOfAge turns a guardian account whose day has come into an ordinary one.
func (s *Store) comeOfAge(ctx context.Context, a Account) (Account, error) {
	if a.State != Guardian || a.AdultOn == 0 || s.now() < a.AdultOn {
		return a, nil
	}
	next := Unconfirmed
	if a.ConfirmedAt != 0 {
		next = Active
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE account SET state = $1, age_band = 'adult', adult_on = 0 WHERE id = $2 AND state = 'guardian'`, string(next), a.ID)
		if err == nil && next == Unconfirmed {
			err = s.sendConfirm(ctx, tx, a, "")
		}
		s.changed(ctx, tx, a.ID)
		return err
	})
	if err != nil {
		return a, fmt.Errorf("come of age %d: %w", a.ID, err)
	}
	a.State, a.AdultOn = next, 0
	return a, nil
}

func lives(r access.Role) (idle, full time.Duration) {
	if r.Includes(access.Moderator) {
		return staffIdleLife, staffFullLife
	}
	return idleLife, fullLife
}

// startSession makes a new session in tx, ends the one the browser came with, and gives its token. a is the account as it was
// when the person was checked: if its password changed or it was suspended since then, the check is worth nothing and the
// answer is ErrCredentials. Without this a sign-in under way would outlive the reset that was to shut it out.
func (s *Store) startSession(ctx context.Context, tx *db.Tx, a Account, v Visit) (string, error) {
	now := s.now()
	if v.Old != "" {
		if _, err := db.Exec(ctx, tx, `UPDATE session SET revoked_at = $1 WHERE token_hash = $2 AND revoked_at = 0`, now, digest(v.Old)); err != nil {
			return "", fmt.Errorf("end old session: %w", err)
		}
	}
	id, err := tx.NewID(ctx, "session")
	if err != nil {
		return "", err
	}
	_, full := lives(a.Role)
	token := s.newToken()
	_, err = db.Exec(ctx, tx, `INSERT INTO session (id, account_id, token_hash, created_at, seen_at, expires_at, network, browser, revoked_at)
		VALUES ($1, $2, $3, $4, $4, $5, $6, $7, 0)`, id, a.ID, digest(token), now, now+micros(full), network(v.IP), browser(v.UserAgent))
	if err != nil {
		return "", fmt.Errorf("start session: %w", err)
	}
	n, err := db.Exec(ctx, tx, `UPDATE account SET signed_in_at = $1 WHERE id = $2 AND password_hash = $3 AND state IN ('unconfirmed', 'active')`, now, a.ID, a.PasswordHash)
	if err == nil && n == 0 {
		err = ErrCredentials
	}
	if err != nil {
		return "", fmt.Errorf("start session: %w", err)
	}
	return token, nil
}

// endSessions revokes the account's sessions but one (0: none is spared).
func (s *Store) endSessions(ctx context.Context, tx *db.Tx, account, but int64) error {
	_, err := db.Exec(ctx, tx, `UPDATE session SET revoked_at = $1 WHERE account_id = $2 AND id <> $3 AND revoked_at = 0`, s.now(), account, but)
	if err != nil {
		return fmt.Errorf("end sessions of %d: %w", account, err)
	}
	return nil
}

// SignOut ends one session of the account. Ending it twice changes nothing.
func (s *Store) SignOut(ctx context.Context, account, session int64) error {
	_, err := db.Exec(ctx, s.DB, `UPDATE session SET revoked_at = $1 WHERE id = $2 AND account_id = $3 AND revoked_at = 0`, s.now(), session, account)
	if err != nil {
		return fmt.Errorf("sign out session %d: %w", session, err)
	}
	return nil
}

// SignOutEverywhere ends all sessions of the account.
func (s *Store) SignOutEverywhere(ctx context.Context, account int64) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.endSessions(ctx, tx, account, 0) })
}

// Revoke ends a session from the list; another account's or an ended one is db.ErrNotFound.
func (s *Store) Revoke(ctx context.Context, account, session int64) error {
	n, err := db.Exec(ctx, s.DB, `UPDATE session SET revoked_at = $1 WHERE id = $2 AND account_id = $3 AND revoked_at = 0`, s.now(), session, account)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("revoke session %d: %w", session, err)
	}
	return nil
}

// Sessions lists the account's live sessions, the latest used first.
func (s *Store) Sessions(ctx context.Context, a Account) ([]Session, error) {
	idle, full := lives(a.Role)
	now := s.now()
	list, err := db.Query[Session](ctx, s.DB, `SELECT id, created_at, seen_at, expires_at, network, browser FROM session
		WHERE account_id = $1 AND revoked_at = 0 AND expires_at > $2 AND created_at > $3 AND seen_at > $4 ORDER BY seen_at DESC, created_at DESC`,
		a.ID, now, now-micros(full), now-micros(idle))
	if err != nil {
		return nil, fmt.Errorf("list sessions of %d: %w", a.ID, err)
	}
	return list, nil
}

type sessionRow struct {
	Session
	Account   int64       `db:"account_id"`
	Name      string      `db:"name"`
	Role      access.Role `db:"role"`
	State     State       `db:"state"`
	Since     int64       `db:"contributor_since"`
	Confirmed int64       `db:"confirmed_at"`
}

func (r sessionRow) actor() access.Actor {
	a := Account{ID: r.Account, Name: r.Name, Role: r.Role, State: r.State, ContributorSince: r.Since, ConfirmedAt: r.Confirmed}.actor()
	a.Session = r.ID
	return a
}

// bySession finds who a session token belongs to; ok is false for a token that is unknown, ended, idle or too old.
func (s *Store) bySession(ctx context.Context, token string) (a access.Actor, ok bool, err error) {
	row, err := db.Get[sessionRow](ctx, s.DB, `SELECT s.id, s.created_at, s.seen_at, s.expires_at, s.network, s.browser,
			s.account_id, a.name, a.role, a.state, a.contributor_since, a.confirmed_at
		FROM session s JOIN account a ON a.id = s.account_id WHERE s.token_hash = $1 AND s.revoked_at = 0`, digest(token))
	if errors.Is(err, db.ErrNotFound) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("read session: %w", err)
	}
	now := s.now()
	// The role of today counts: who became a moderator yesterday has a moderator's session today.
	idle, full := lives(row.Role)
	if now >= row.ExpiresAt || now >= row.CreatedAt+micros(full) || now >= row.SeenAt+micros(idle) ||
		row.State != Active && row.State != Unconfirmed {
		return a, false, nil
	}
	if now >= row.SeenAt+micros(seenEvery) {
		if _, err := db.Exec(ctx, s.DB, `UPDATE session SET seen_at = $1 WHERE id = $2 AND seen_at < $1`, now, row.ID); err != nil && s.Log != nil {
			// The page matters more than the time of the last visit: a full disk must not sign anybody out.
			s.Log.Warn("note the use of a session", "err", err)
		}
	}
	return row.actor(), true, nil
}

// network shortens an address to what a person recognizes and nobody can be found by: IPv4 /24, IPv6 /48.
func network(ip netip.Addr) string {
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	if p, err := ip.Prefix(bits); err == nil {
		return p.String()
	}
	return ""
}

// browser names the browser and system of a User-Agent header in a few words. It only helps people to tell their sessions
// apart, so a wrong guess does no harm.
func browser(agent string) string {
	first := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	program := first("Edg", "Edge", "OPR/", "Opera", "SamsungBrowser", "Samsung Internet", "Firefox/", "Firefox", "FxiOS", "Firefox",
		"CriOS", "Chrome", "HeadlessChrome", "Chrome", "Chromium", "Chromium", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := first("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "CrOS", "ChromeOS", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case program == "" && system == "":
		return "Unknown browser"
	case program == "":
		return "A program on " + system
	case system == "":
		return program
	}
	return program + " on " + system
}

// actorOf tells who sends a request: an Authorization header, then ?token= for the Freesound-compatible API, then the cookie.
// A wrong header is an error (401); a stale cookie is a visitor.
func (s *Store) actorOf(r *http.Request, cookie string) (access.Actor, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, key, _ := strings.Cut(header, " ")
		key = strings.TrimSpace(key)
		switch {
		case !strings.EqualFold(scheme, "Token") && !strings.EqualFold(scheme, "Bearer"):
			// Another scheme (a proxy's Basic) is not ours to judge.
		case key == "":
			return access.Actor{}, web.Refuse(http.StatusUnauthorized, "Invalid token header. No credentials provided.")
		case strings.ContainsAny(key, " \t"):
			return access.Actor{}, web.Refuse(http.StatusUnauthorized, "Invalid token header. Token string should not contain spaces.")
		case strings.EqualFold(scheme, "Token"):
			return s.byKey(r.Context(), key)
		default:
			return s.byBearer(r.Context(), key)
		}
	}
	if strings.HasPrefix(r.URL.Path, "/apiv2/") {
		if key := r.URL.Query().Get("token"); key != "" {
			return s.byKey(r.Context(), key)
		}
	}
	c, err := r.Cookie(cookie)
	if err != nil || c.Value == "" {
		return access.Actor{}, nil
	}
	a, _, err := s.bySession(r.Context(), c.Value)
	return a, err
}
