package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
)

// Applicant is a filled-in sign-up form.
type Applicant struct {
	Name     string
	Email    string
	Password string
	Born     Born
	Next     string // path to go to after the confirmation
}

// CheckSignUp lists what is wrong with the form, or says ErrTooYoung, before anything is written or counted. Whether the
// address is known is not looked at here.
func (s *Store) CheckSignUp(ctx context.Context, p Applicant) error {
	if p.Born.valid(s.Now()) && p.Born.under(childUntil, s.Now()) {
		return ErrTooYoung
	}
	found, err := s.problems(ctx, p, true)
	if err != nil {
		return err
	}
	if !p.Born.valid(s.Now()) {
		found = append(found, Problem{"born", "This is not a date of birth."})
	}
	return found.orNil()
}

// problems checks name, address and password; public sign-ups may not take reserved names.
func (s *Store) problems(ctx context.Context, p Applicant, public bool) (Problems, error) {
	var found Problems
	name := cleanName(p.Name)
	switch text := nameProblem(name); {
	case text != "":
		found = append(found, Problem{"name", text})
	case public && reserved[FoldName(name)]:
		found = append(found, nameTaken)
	default:
		taken, err := s.nameTaken(ctx, s.DB, FoldName(name), 0)
		if err != nil {
			return nil, err
		}
		if taken {
			found = append(found, nameTaken)
		}
	}
	if _, ok := FoldEmail(p.Email); !ok {
		found = append(found, Problem{"email", "This is not an e-mail address."})
	}
	if text := passwordProblem(p.Password, name, p.Email, s.SiteName); text != "" {
		found = append(found, Problem{"password", text})
	}
	return found, nil
}

var nameTaken = Problem{"name", "This name is taken, or looks like one that is. Take another one; if it is yours, sign in."}

// nameTaken tells whether an account other than except has the name, or a hold lies on it.
func (s *Store) nameTaken(ctx context.Context, q db.Querier, folded string, except int64) (bool, error) {
	n, err := db.Get[int64](ctx, q, `SELECT (SELECT count(*) FROM account WHERE name_folded = $1 AND id <> $2)
		+ (SELECT count(*) FROM name_hold WHERE name_folded = $1 AND until > $3)`, folded, except, s.now())
	if err != nil {
		return false, fmt.Errorf("look for name: %w", err)
	}
	return n > 0, nil
}

// SignUp takes a checked form. Whether the address had an account or not, it does the same work and gives the same answer:
// the difference is in the mail that only the owner of the address reads.
func (s *Store) SignUp(ctx context.Context, p Applicant) error {
	if err := s.CheckSignUp(ctx, p); err != nil {
		return err
	}
	hash, err := s.hash(ctx, p.Password)
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	for try := 1; ; try++ {
		err = s.DB.Tx(ctx, func(tx *db.Tx) error { return s.signUp(ctx, tx, p, hash) })
		// Two sign-ups at once may want the same name or address: look again, the other one is there now.
		if !db.IsUnique(err) || try == 3 {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	return nil
}

func (s *Store) signUp(ctx context.Context, tx *db.Tx, p Applicant, hash string) error {
	a := Account{Name: cleanName(p.Name), Email: cleanEmail(p.Email), PasswordHash: hash, Role: access.Member, State: Unconfirmed, CreatedAt: s.now()}
	if p.Born.under(minorUntil, s.Now()) {
		a.State, a.AdultOn = Guardian, p.Born.turns(minorUntil).UnixMicro()
	}
	folded, _ := FoldEmail(p.Email)
	known, err := accountBy(ctx, tx, "email_folded", folded)
	fresh := errors.Is(err, db.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	taken, err := s.nameTaken(ctx, tx, FoldName(a.Name), 0)
	if err != nil {
		return err
	}
	if taken {
		return Problems{nameTaken}
	}
	if !fresh && (known.State != Unconfirmed || known.SignedInAt != 0) {
		_, err := db.Exec(ctx, tx, `INSERT INTO name_hold (name_folded, until) VALUES ($1, $2)
			ON CONFLICT (name_folded) DO UPDATE SET until = excluded.until`, FoldName(a.Name), s.now()+micros(unconfirmedLife))
		if err != nil {
			return err
		}
		if known.State == Suspended {
			_, err = s.newLink(ctx, tx, linkConfirm, 0, "")
			return err
		}
		return s.sendKnown(ctx, tx, known)
	}
	if fresh {
		a.ID, err = tx.NewID(ctx, "account")
	} else {
		// A sign-up that was never confirmed or used is replaced: whoever reads the mailbox decides which one counts.
		a.ID = known.ID
		_, err = db.Exec(ctx, tx, `DELETE FROM account WHERE id = $1`, known.ID)
	}
	if err != nil {
		return err
	}
	if err := insert(ctx, tx, a); err != nil {
		return err
	}
	if a.State == Guardian {
		return s.sendGuardian(ctx, tx, a)
	}
	return s.sendConfirm(ctx, tx, a, p.Next)
}

// insert writes a new account's row.
func insert(ctx context.Context, tx *db.Tx, a Account) error {
	band := "adult"
	if a.AdultOn != 0 {
		band = "minor"
	}
	folded, ok := FoldEmail(a.Email)
	if !ok {
		return fmt.Errorf("insert account: not an address")
	}
	_, err := db.Exec(ctx, tx, `INSERT INTO account (id, name, name_folded, email, email_folded, password_hash, role, state, age_band, adult_on,
			contributor_since, contributor_terms, theme, created_at, confirmed_at, signed_in_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', $13, $14, 0)`,
		a.ID, a.Name, FoldName(a.Name), a.Email, folded, a.PasswordHash, string(a.Role), string(a.State), band, a.AdultOn,
		a.ContributorSince, a.ContributorTerms, a.CreatedAt, a.ConfirmedAt)
	if err != nil {
		return fmt.Errorf("insert account: %w", err)
	}
	return nil
}

// SetupLink makes a one-time link on which the first admin is created, or gives "" when there is an admin.
func (s *Store) SetupLink(ctx context.Context) (string, error) {
	var link string
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		link = ""
		have, err := admins(ctx, tx)
		if err != nil || have {
			return err
		}
		token, err := s.newLink(ctx, tx, linkSetup, 0, "")
		link = s.URL + "/setup/" + token
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make setup link: %w", err)
	}
	return link, nil
}

func admins(ctx context.Context, q db.Querier) (bool, error) {
	n, err := db.Get[int64](ctx, q, `SELECT count(*) FROM account WHERE role = 'admin' AND state <> 'suspended'`)
	return n > 0, err
}

// SetupOpen says whether a setup link still works, without using it.
func (s *Store) SetupOpen(ctx context.Context, token string) error {
	if _, err := s.link(ctx, s.DB, token, linkSetup); err != nil {
		return err
	}
	have, err := admins(ctx, s.DB)
	if err == nil && have {
		err = ErrLink
	}
	return err
}

// Setup creates the first admin, confirmed and adult, by a setup link and signs it in. It works once: all setup links are
// used up together, and none works when there is an admin.
func (s *Store) Setup(ctx context.Context, token string, p Applicant, v Visit) (string, error) {
	if err := s.SetupOpen(ctx, token); err != nil {
		return "", err
	}
	found, err := s.problems(ctx, p, false)
	if err == nil {
		err = found.orNil()
	}
	if err != nil {
		return "", err
	}
	hash, err := s.hash(ctx, p.Password)
	if err != nil {
		return "", fmt.Errorf("set up: %w", err)
	}
	var session string
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		used, err := db.Query[string](ctx, tx, `UPDATE account_token SET used_at = $1 WHERE purpose = 'setup' AND used_at = 0 AND expires_at > $1 RETURNING token_hash`, s.now())
		if err != nil {
			return err
		}
		have, err := admins(ctx, tx)
		if err != nil {
			return err
		}
		if have || !slices.Contains(used, digest(token)) {
			return ErrLink
		}
		a := Account{
			Name: cleanName(p.Name), Email: cleanEmail(p.Email), PasswordHash: hash, Role: access.Admin, State: Active,
			CreatedAt: s.now(), ConfirmedAt: s.now(),
		}
		if a.ID, err = tx.NewID(ctx, "account"); err != nil {
			return err
		}
		if err := insert(ctx, tx, a); err != nil {
			return err
		}
		s.changed(ctx, tx, a.ID)
		session, err = s.startSession(ctx, tx, a, v)
		return err
	})
	if db.IsUnique(err) {
		return "", Problems{{"email", "An account with this name or address exists."}}
	}
	if err != nil {
		return "", fmt.Errorf("set up: %w", err)
	}
	return session, nil
}
