package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
)

// NewAccount is an account made by the operator.
type NewAccount struct {
	Name  string
	Email string
	Born  string // YYYY-MM-DD; not kept
	Role  string // member (or ""), contributor, moderator, admin
	// Unthrottled exempts the account's API credential from limits.
	Unthrottled bool
}

// Created is what the command prints: the only time that the secrets are readable.
type Created struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Email        string `json:"email"`
	Password     string `json:"password"`
	Key          string `json:"key"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Bearer       string `json:"bearer"`
}

// ErrTaken means that an account with the same name or address was made at the same moment.
var ErrTaken = errors.New("an account with this name or address exists")

// Create makes a confirmed account with a random password, an API credential and an access token. A contributor made here
// counts as having accepted the terms. Somebody under 13 gets none (ErrTooYoung); from 13 to 17 it waits for a guardian.
func (s *Store) Create(ctx context.Context, n NewAccount) (Created, error) {
	day, err := time.Parse(time.DateOnly, n.Born)
	if err != nil {
		return Created{}, fmt.Errorf("create account: %w", Problems{{"born", fmt.Sprintf("%q is not a date of birth: write YYYY-MM-DD.", n.Born)}})
	}
	born := Born{day.Year(), int(day.Month()), day.Day()}
	if !born.valid(s.Now()) {
		return Created{}, fmt.Errorf("create account: %w", Problems{{"born", n.Born + " is not a date of birth."}})
	}
	if born.under(childUntil, s.Now()) {
		return Created{}, fmt.Errorf("create account: %w", ErrTooYoung)
	}
	p := Applicant{Name: n.Name, Email: n.Email, Password: s.newKey(20), Born: born}
	found, err := s.problems(ctx, p, false)
	if err != nil {
		return Created{}, err
	}
	if found != nil {
		return Created{}, fmt.Errorf("create account: %w", found)
	}
	a := Account{
		Name: cleanName(n.Name), Email: cleanEmail(n.Email), Role: access.Member, State: Active, CreatedAt: s.now(), ConfirmedAt: s.now(),
	}
	switch n.Role {
	case "", "member":
	case "contributor":
		a.ContributorSince, a.ContributorTerms = s.now(), TermsVersion
	case "moderator", "admin":
		a.Role = access.Role(n.Role)
	default:
		return Created{}, fmt.Errorf("create account: no role %q: member, contributor, moderator or admin", n.Role)
	}
	if born.under(minorUntil, s.Now()) {
		a.State, a.AdultOn = Guardian, born.turns(minorUntil).UnixMicro()
	}
	if a.PasswordHash, err = s.hash(ctx, p.Password); err != nil {
		return Created{}, fmt.Errorf("create account: %w", err)
	}
	var out Created
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		var err error
		if a.ID, err = tx.NewID(ctx, "account"); err != nil {
			return err
		}
		if err := insert(ctx, tx, a); err != nil {
			return err
		}
		c, err := s.addCredential(ctx, tx, a.ID, Application{Name: "Made on the command line"}, n.Unthrottled)
		out = Created{a.ID, a.Name, a.Email, p.Password, c.Secret, c.ClientID, c.Secret, c.Bearer}
		s.changed(ctx, tx, a.ID)
		return err
	})
	if db.IsUnique(err) {
		return Created{}, fmt.Errorf("create account: %w", ErrTaken)
	}
	if err != nil {
		return Created{}, fmt.Errorf("create account: %w", err)
	}
	return out, nil
}

// Summary is what the command shows of an account: no secret.
type Summary struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Email       string `json:"email"`
	Role        string `json:"role"`
	State       string `json:"state"`
	Contributor bool   `json:"contributor"`
	Created     string `json:"created"`   // RFC 3339, UTC
	Confirmed   string `json:"confirmed"` // RFC 3339, UTC; empty: not
	Sessions    int    `json:"sessions"`
	Credentials int    `json:"credentials"`
}

// Show reads an account by name for the command line; db.ErrNotFound when there is none.
func (s *Store) Show(ctx context.Context, name string) (Summary, error) {
	a, err := s.ByName(ctx, name)
	if err != nil {
		return Summary{}, err
	}
	sessions, err := s.Sessions(ctx, a)
	if err != nil {
		return Summary{}, err
	}
	credentials, err := s.Credentials(ctx, a.ID)
	if err != nil {
		return Summary{}, err
	}
	return Summary{
		ID: a.ID, Name: a.Name, Email: a.Email, Role: string(a.Role), State: string(a.State), Contributor: a.Contributor(),
		Created: stamp(a.CreatedAt), Confirmed: stamp(a.ConfirmedAt), Sessions: len(sessions), Credentials: len(credentials),
	}, nil
}

func stamp(micros int64) string {
	if micros == 0 {
		return ""
	}
	return time.UnixMicro(micros).UTC().Format(time.RFC3339)
}
