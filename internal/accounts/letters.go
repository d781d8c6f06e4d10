package accounts

import (
	"context"
	"fmt"
	"net/url"

	"audiomicro/internal/db"
)

// Letter is one mail about an account, before the mailer gives it its form.
type Letter struct {
	Kind        string // one of the Letter constants
	To          string
	AccountID   int64
	Subject     string
	Paragraphs  []string
	ButtonLabel string // with ButtonURL: the one thing to do; empty: nothing to do
	ButtonURL   string
}

// Kinds of letters. All are administrative: nobody can subscribe to them or leave them.
const (
	LetterConfirm  = "account-confirm"  // confirm a new account's address
	LetterKnown    = "account-known"    // somebody signed up with an address that has an account
	LetterGuardian = "account-guardian" // the account waits for a guardian
	LetterReset    = "account-reset"    // set a new password
	LetterPassword = "account-password" // the password was changed
	LetterNewEmail = "account-email"    // confirm a new address
	LetterOldEmail = "account-email-was"
)

// Letters lists all kinds with what each is for.
func Letters() map[string]string {
	return map[string]string{
		LetterConfirm:  "confirms the address of a new account",
		LetterKnown:    "tells the owner of an address that somebody signed up with it again",
		LetterGuardian: "says that an account waits for a guardian",
		LetterReset:    "lets the owner of an address set a new password",
		LetterPassword: "tells that the password was changed",
		LetterNewEmail: "confirms a new address of an account",
		LetterOldEmail: "tells the old address that it was replaced",
	}
}

// PostFunc queues a letter in the caller's transaction.
type PostFunc func(ctx context.Context, tx *db.Tx, l Letter) error

func (s *Store) post(ctx context.Context, tx *db.Tx, l Letter) error {
	if err := s.Post(ctx, tx, l); err != nil {
		return fmt.Errorf("post %s: %w", l.Kind, err)
	}
	return nil
}

const notYou = "If this was not you, ignore this mail: nothing happens without the link."

// sendConfirm makes a new confirm link for the account's address and mails it; next is where the person goes afterwards.
func (s *Store) sendConfirm(ctx context.Context, tx *db.Tx, a Account, next string) error {
	token, err := s.newLink(ctx, tx, linkConfirm, a.ID, a.Email)
	if err != nil {
		return err
	}
	link := s.URL + "/confirm/" + token
	if next != "" && next != "/" {
		link += "?next=" + url.QueryEscape(next)
	}
	return s.post(ctx, tx, Letter{
		Kind: LetterConfirm, To: a.Email, AccountID: a.ID,
		Subject: "Confirm your address for " + s.SiteName,
		Paragraphs: []string{
			"Somebody, probably you, signed up at " + s.SiteName + " as " + a.Name + " with this address.",
			"Open the link and enter your password to finish. It works for seven days.",
			notYou,
		},
		ButtonLabel: "Confirm this address", ButtonURL: link,
	})
}

func (s *Store) sendKnown(ctx context.Context, tx *db.Tx, a Account) error {
	return s.post(ctx, tx, Letter{
		Kind: LetterKnown, To: a.Email, AccountID: a.ID,
		Subject: "You already have an account at " + s.SiteName,
		Paragraphs: []string{
			"Somebody, probably you, gave this address to " + s.SiteName + ". It already has an account, named " + a.Name + ".",
			"Sign in with it. If you no longer know the password, you can set a new one from there.",
			"If this was not you, ignore this mail: nothing was changed.",
		},
		ButtonLabel: "Sign in", ButtonURL: s.URL + "/sign-in",
	})
}

func (s *Store) sendGuardian(ctx context.Context, tx *db.Tx, a Account) error {
	return s.post(ctx, tx, Letter{
		Kind: LetterGuardian, To: a.Email, AccountID: a.ID,
		Subject: "Your account at " + s.SiteName + " waits for a guardian",
		Paragraphs: []string{
			"Somebody, probably you, signed up at " + s.SiteName + " as " + a.Name + " with this address.",
			"At your age a parent or guardian has to agree before you can use the account. This site cannot take that agreement yet, so the account rests until you are of age. Listening needs no account.",
			"If this was not you, ignore this mail.",
		},
	})
}

func (s *Store) sendReset(ctx context.Context, tx *db.Tx, a Account, token string) error {
	return s.post(ctx, tx, Letter{
		Kind: LetterReset, To: a.Email, AccountID: a.ID,
		Subject: "Set a new password for " + s.SiteName,
		Paragraphs: []string{
			"Somebody, probably you, asked for a new password for the account " + a.Name + " at " + s.SiteName + ".",
			"The link works once, for one hour. Setting a password signs out every browser and revokes every API credential.",
			notYou,
		},
		ButtonLabel: "Set a new password", ButtonURL: s.URL + "/reset/" + token,
	})
}

// sendPasswordChanged tells the owner; ended says who was shut out by it.
func (s *Store) sendPasswordChanged(ctx context.Context, tx *db.Tx, a Account, ended string) error {
	return s.post(ctx, tx, Letter{
		Kind: LetterPassword, To: a.Email, AccountID: a.ID,
		Subject: "Your password for " + s.SiteName + " was changed",
		Paragraphs: []string{
			"The password of the account " + a.Name + " at " + s.SiteName + " was changed.", ended,
			"If this was not you, set a new password at once.",
		},
		ButtonLabel: "Set a new password", ButtonURL: s.URL + "/reset",
	})
}

func (s *Store) sendNewEmail(ctx context.Context, tx *db.Tx, a Account, to, token string) error {
	return s.post(ctx, tx, Letter{
		Kind: LetterNewEmail, To: to, AccountID: a.ID,
		Subject: "Confirm your new address for " + s.SiteName,
		Paragraphs: []string{
			"The account " + a.Name + " at " + s.SiteName + " asked to use this address.",
			"Open the link to agree. It works for one day; until then the old address stays.",
			notYou,
		},
		ButtonLabel: "Use this address", ButtonURL: s.URL + "/confirm/" + token,
	})
}

func (s *Store) sendOldEmail(ctx context.Context, tx *db.Tx, a Account) error {
	return s.post(ctx, tx, Letter{
		Kind: LetterOldEmail, To: a.Email, AccountID: a.ID,
		Subject: "Your address at " + s.SiteName + " was changed",
		Paragraphs: []string{
			"The account " + a.Name + " at " + s.SiteName + " uses another address from now on. Nothing more is sent to this one.",
			"If this was not you, tell the operator of the site at once.",
		},
	})
}
