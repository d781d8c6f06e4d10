package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

// Purposes of one-time links and how long each works.
const (
	linkConfirm = "confirm"
	linkReset   = "reset"
	linkEmail   = "email"
	linkSetup   = "setup"
)

var linkLives = map[string]time.Duration{
	linkConfirm: 7 * 24 * time.Hour,
	linkReset:   time.Hour,
	linkEmail:   24 * time.Hour,
	linkSetup:   7 * 24 * time.Hour,
}

// newLink makes a one-time token; older ones of the same account and purpose stop working. account 0 makes a decoy, so that
// an unknown address costs the same write, or a setup link.
func (s *Store) newLink(ctx context.Context, tx *db.Tx, purpose string, account int64, email string) (string, error) {
	if account != 0 {
		_, err := db.Exec(ctx, tx, `DELETE FROM account_token WHERE account_id = $1 AND purpose = $2`, account, purpose)
		if err != nil {
			return "", fmt.Errorf("drop old %s links: %w", purpose, err)
		}
	}
	token, now := s.newToken(), s.now()
	_, err := db.Exec(ctx, tx, `INSERT INTO account_token (token_hash, purpose, account_id, email, created_at, expires_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0)`, digest(token), purpose, account, email, now, now+micros(linkLives[purpose]))
	if err != nil {
		return "", fmt.Errorf("make %s link: %w", purpose, err)
	}
	return token, nil
}

// Link is what a one-time link stands for.
type Link struct {
	Purpose string `db:"purpose"`
	Account int64  `db:"account_id"`
	Email   string `db:"email"`
}

// link reads a link that still works without using it, or ErrLink.
func (s *Store) link(ctx context.Context, q db.Querier, token string, purposes ...string) (Link, error) {
	l, err := db.Get[Link](ctx, q, `SELECT purpose, account_id, email FROM account_token
		WHERE token_hash = $1 AND used_at = 0 AND expires_at > $2`, digest(token), s.now())
	if errors.Is(err, db.ErrNotFound) {
		return l, ErrLink
	}
	if err != nil {
		return l, fmt.Errorf("read link: %w", err)
	}
	for _, p := range purposes {
		if l.Purpose == p && (l.Account != 0 || p == linkSetup) {
			return l, nil
		}
	}
	return l, ErrLink
}

// use marks a link as used; exactly one of several callers at once succeeds, the others get ErrLink.
func (s *Store) use(ctx context.Context, tx *db.Tx, token string) error {
	n, err := db.Exec(ctx, tx, `UPDATE account_token SET used_at = $1 WHERE token_hash = $2 AND used_at = 0 AND expires_at > $1`, s.now(), digest(token))
	if err == nil && n == 0 {
		err = ErrLink
	}
	return err
}

// ResendConfirm mails a new confirm link to an account that is not confirmed.
func (s *Store) ResendConfirm(ctx context.Context, id int64) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		a, err := accountBy(ctx, tx, "id", id)
		if err != nil || a.State != Unconfirmed {
			return err
		}
		return s.sendConfirm(ctx, tx, a, "")
	})
}

// ConfirmLink says which account and address a confirm link is for, without using it.
func (s *Store) ConfirmLink(ctx context.Context, token string) (Link, error) {
	return s.link(ctx, s.DB, token, linkConfirm, linkEmail)
}

// Confirm uses a link that was mailed to an address: it confirms a new account, or moves an account to a new address. The
// link proves only that somebody reads the mailbox; that it is the one who signed up is shown by the session of the account
// (actor) or by its password, else somebody could make an account with a stranger's address and have the stranger confirm
// it. With the password it also signs in and gives the session's token.
func (s *Store) Confirm(ctx context.Context, token string, actor access.Actor, password string, v Visit) (session string, a Account, err error) {
	l, err := s.ConfirmLink(ctx, token)
	if err != nil {
		return "", a, err
	}
	if a, err = s.ByID(ctx, l.Account); err != nil {
		return "", a, err
	}
	if actor.ID != a.ID {
		ok, _, err := s.Hasher.Check(ctx, password, a.PasswordHash)
		if err != nil {
			return "", a, fmt.Errorf("confirm %d: %w", a.ID, err)
		}
		if !ok {
			return "", a, ErrCredentials
		}
	}
	switch a.State {
	case Guardian:
		return "", a, ErrGuardian
	case Suspended:
		return "", a, ErrSuspended
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.use(ctx, tx, token); err != nil {
			return err
		}
		if err := s.confirmAddress(ctx, tx, a, l); err != nil {
			return err
		}
		s.changed(ctx, tx, a.ID)
		if actor.ID == a.ID {
			return nil
		}
		session, err = s.startSession(ctx, tx, a, v)
		return err
	})
	if db.IsUnique(err) {
		return "", a, web.Refuse(http.StatusConflict, "This address belongs to another account by now.")
	}
	if err != nil {
		return "", a, fmt.Errorf("confirm %d: %w", a.ID, err)
	}
	a.State, a.Email = Active, l.Email
	return session, a, nil
}

func (s *Store) confirmAddress(ctx context.Context, tx *db.Tx, a Account, l Link) error {
	folded, ok := FoldEmail(l.Email)
	if !ok {
		return ErrLink
	}
	now := s.now()
	if l.Purpose == linkConfirm {
		// The condition on the address: a link for an address that the account no longer has confirms nothing.
		n, err := db.Exec(ctx, tx, `UPDATE account SET state = 'active', confirmed_at = CASE WHEN confirmed_at = 0 THEN $1 ELSE confirmed_at END
			WHERE id = $2 AND email_folded = $3 AND state IN ('unconfirmed', 'active')`, now, a.ID, folded)
		if err == nil && n == 0 {
			err = ErrLink
		}
		return err
	}
	_, err := db.Exec(ctx, tx, `UPDATE account SET email = $1, email_folded = $2, state = 'active', confirmed_at = $3
		WHERE id = $4 AND state IN ('unconfirmed', 'active')`, l.Email, folded, now, a.ID)
	if err == nil {
		err = s.dropLinks(ctx, tx, a.ID)
	}
	if err != nil {
		return err
	}
	if old, _ := FoldEmail(a.Email); old == folded || a.ConfirmedAt == 0 {
		return nil // nobody else reads the old address, or nobody ever proved that they do
	}
	return s.sendOldEmail(ctx, tx, a)
}

// RequestReset mails a link to set a new password to the owner of the address. Known and unknown addresses get the same
// answer after the same work: the hash dominates, the rest is one committed row.
func (s *Store) RequestReset(ctx context.Context, address string) error {
	folded, ok := FoldEmail(address)
	if !ok {
		return Problems{{"email", "This is not an e-mail address."}}
	}
	if err := s.Hasher.Waste(ctx, folded); err != nil {
		return fmt.Errorf("request reset: %w", err)
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		a, err := accountBy(ctx, tx, "email_folded", folded)
		if errors.Is(err, db.ErrNotFound) || err == nil && a.State == Suspended {
			_, err = s.newLink(ctx, tx, linkReset, 0, "")
			return err
		}
		if err != nil {
			return err
		}
		token, err := s.newLink(ctx, tx, linkReset, a.ID, a.Email)
		if err != nil {
			return err
		}
		return s.sendReset(ctx, tx, a, token)
	})
}

// ResetLink says whether a reset link still works, without using it.
func (s *Store) ResetLink(ctx context.Context, token string) error {
	_, _, err := s.resetLink(ctx, token)
	return err
}

// resetLink reads a reset link with its account. One that was mailed to an address that the account has left does not work:
// whoever reads that mailbox now may be somebody else.
func (s *Store) resetLink(ctx context.Context, token string) (Link, Account, error) {
	l, err := s.link(ctx, s.DB, token, linkReset)
	if err != nil {
		return l, Account{}, err
	}
	a, err := s.ByID(ctx, l.Account)
	if err == nil && l.Email != a.Email {
		err = ErrLink
	}
	return l, a, err
}

// dropLinks ends the links of an account that were mailed before its password or address changed: who could ask for one then
// must not use it now.
func (s *Store) dropLinks(ctx context.Context, tx *db.Tx, account int64) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM account_token WHERE account_id = $1 AND purpose IN ('reset', 'email') AND used_at = 0`, account); err != nil {
		return fmt.Errorf("drop links of %d: %w", account, err)
	}
	return nil
}

// Reset sets a new password by a mailed link and shuts everybody out who had a way in: every session, every other link and
// every API credential ends, for people reset a password after a theft. Reading the mail proves the address, so an
// unconfirmed account is confirmed by it.
func (s *Store) Reset(ctx context.Context, token, password string) error {
	l, a, err := s.resetLink(ctx, token)
	if err != nil {
		return err
	}
	if text := passwordProblem(password, a.Name, a.Email, s.SiteName); text != "" {
		return Problems{{"password", text}}
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("reset %d: %w", a.ID, err)
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.use(ctx, tx, token); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, tx, `UPDATE account SET password_hash = $1 WHERE id = $2`, hash, a.ID); err != nil {
			return err
		}
		if a.State == Unconfirmed && l.Email == a.Email {
			_, err := db.Exec(ctx, tx, `UPDATE account SET state = 'active', confirmed_at = $1 WHERE id = $2 AND state = 'unconfirmed' AND email = $3`, s.now(), a.ID, l.Email)
			if err != nil {
				return err
			}
			s.changed(ctx, tx, a.ID)
		}
		if err := s.endSessions(ctx, tx, a.ID, 0); err != nil {
			return err
		}
		if err := s.dropLinks(ctx, tx, a.ID); err != nil {
			return err
		}
		revoked, err := s.revokeCredentials(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		ended := "All browsers were signed out."
		if revoked > 0 {
			ended += " All API credentials were revoked; make new ones for your programs: " + s.URL + "/settings/api"
		}
		return s.sendPasswordChanged(ctx, tx, a, ended)
	})
	if err != nil {
		return fmt.Errorf("reset %d: %w", a.ID, err)
	}
	return nil
}

// checkCurrent compares the current password, as changes of password and address demand.
func (s *Store) checkCurrent(ctx context.Context, id int64, current string) (Account, error) {
	a, err := s.ByID(ctx, id)
	if err != nil {
		return a, err
	}
	ok, _, err := s.Hasher.Check(ctx, current, a.PasswordHash)
	if err != nil {
		return a, fmt.Errorf("check password of %d: %w", id, err)
	}
	if !ok {
		return a, Problems{{"current", "This is not your current password."}}
	}
	return a, nil
}

// ChangePassword sets a new password, ends every session and every link that was mailed before, and gives the token of a new
// session for this browser. API credentials stay: who changes a password as a habit need not mend programs for it.
func (s *Store) ChangePassword(ctx context.Context, id int64, current, password string, v Visit) (string, error) {
	a, err := s.checkCurrent(ctx, id, current)
	if err != nil {
		return "", err
	}
	if text := passwordProblem(password, a.Name, a.Email, s.SiteName); text != "" {
		return "", Problems{{"password", text}}
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("change password of %d: %w", id, err)
	}
	var session string
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		// The condition keeps a change that overtook this one.
		n, err := db.Exec(ctx, tx, `UPDATE account SET password_hash = $1 WHERE id = $2 AND password_hash = $3`, hash, id, a.PasswordHash)
		if err != nil {
			return err
		}
		if n == 0 {
			return web.Refuse(http.StatusConflict, "The password was changed from somewhere else just now.")
		}
		if err := s.endSessions(ctx, tx, id, 0); err != nil {
			return err
		}
		if err := s.dropLinks(ctx, tx, id); err != nil {
			return err
		}
		a.PasswordHash = hash
		if session, err = s.startSession(ctx, tx, a, v); err != nil {
			return err
		}
		return s.sendPasswordChanged(ctx, tx, a, "All other browsers were signed out. API credentials stay; revoke those that you do not know: "+s.URL+"/settings/api")
	})
	if err != nil {
		return "", fmt.Errorf("change password of %d: %w", id, err)
	}
	return session, nil
}

// RequestEmailChange mails a link to the new address; the old one stays until it is opened. An address that has an account
// gets the letter that says so, and the answer here is the same.
func (s *Store) RequestEmailChange(ctx context.Context, id int64, current, address string) error {
	folded, ok := FoldEmail(address)
	if !ok {
		return Problems{{"email", "This is not an e-mail address."}}
	}
	a, err := s.checkCurrent(ctx, id, current)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		other, err := accountBy(ctx, tx, "email_folded", folded)
		if err == nil && other.ID != id {
			if _, err := s.newLink(ctx, tx, linkEmail, 0, ""); err != nil {
				return err
			}
			return s.sendKnown(ctx, tx, other)
		}
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return err
		}
		token, err := s.newLink(ctx, tx, linkEmail, id, cleanEmail(address))
		if err != nil {
			return err
		}
		return s.sendNewEmail(ctx, tx, a, cleanEmail(address), token)
	})
	if err != nil {
		return fmt.Errorf("request e-mail change of %d: %w", id, err)
	}
	return nil
}
