package accounts

import (
	"time"

	"audiomicro/internal/personal"
)

// Personal declares what this package's tables and cookies hold about people.
func Personal() personal.Declaration {
	var (
		self     = []personal.Audience{personal.Self, personal.Admins}
		everyone = []personal.Audience{personal.Everyone}
		noOne    = []personal.Audience{personal.NoOne}
		run      = []personal.Use{personal.RunService}
		secure   = []personal.Use{personal.Secure}
		link     = personal.Column{Cat: personal.Identifier, Uses: run, See: self, Export: true, Erase: personal.Delete}
		when     = personal.Column{Cat: personal.Usage, Uses: run, See: self, Export: true, Erase: personal.Delete}
		secret   = personal.Column{Cat: personal.Secret, Uses: secure, See: noOne, Erase: personal.Delete, Protect: "hashed"}
	)
	day := 24 * time.Hour
	return personal.Declaration{
		Domain: "accounts",
		Tables: []personal.Table{
			{
				Name: "account", Subject: "account.id", Why: "who may sign in, and in what role",
				Cols: personal.With(
					personal.Group(link, "id"),
					[]personal.Column{
						{Name: "name", Cat: personal.Identifier, Uses: append(run, personal.Publish), See: everyone, Export: true, Erase: personal.Tombstone},
						{Name: "name_folded", Cat: personal.Identifier, Uses: run, See: noOne, Erase: personal.Tombstone},
						{Name: "email", Cat: personal.Contact, Uses: append(run, personal.Secure), See: self, Export: true, Rectify: true, Erase: personal.Delete},
						{Name: "email_folded", Cat: personal.Contact, Uses: append(run, personal.Secure), See: noOne, Erase: personal.Delete},
						{Name: "age_band", Cat: personal.AgeBand, Uses: run, See: self, Export: true, Erase: personal.Delete},
						{Name: "adult_on", Cat: personal.AgeBand, Uses: run, See: self, Export: true, Erase: personal.Delete},
						{Name: "theme", Cat: personal.Usage, Uses: run, See: self, Export: true, Rectify: true, Erase: personal.Delete},
					},
					personal.Group(secret, "password_hash"),
					personal.Group(personal.Column{Cat: personal.Identifier, Uses: run, See: self, Export: true, Erase: personal.Delete}, "role", "state"),
					personal.Group(when, "contributor_since", "contributor_terms", "created_at", "confirmed_at", "signed_in_at"),
				),
			},
			{
				Name: "name_hold", NotPersonal: true, Why: "names that stay free for a while; says nothing about who asked for one",
				Retain: unconfirmedLife, Clock: "until", Cols: personal.Plain("name_folded", "until"),
			},
			{
				Name: "session", Subject: "session.account_id", Why: "which browsers are signed in, so that the person can see and end them",
				Retain: fullLife, Clock: "created_at",
				Cols: personal.With(
					personal.Group(link, "id", "account_id"),
					personal.Group(secret, "token_hash"),
					personal.Group(personal.Column{Cat: personal.Usage, Uses: secure, See: self, Export: true, Erase: personal.Delete}, "created_at", "seen_at", "expires_at", "revoked_at"),
					personal.Group(personal.Column{Cat: personal.Network, Uses: secure, See: self, Export: true, Erase: personal.Delete}, "network", "browser"),
				),
			},
			{
				Name: "account_token", Subject: "account_token.account_id", Why: "one-time links that were mailed",
				Retain: 7 * day, Clock: "created_at",
				Cols: personal.With(
					personal.Group(secret, "token_hash"),
					personal.Group(link, "purpose", "account_id"),
					personal.Group(personal.Column{Cat: personal.Contact, Uses: run, See: self, Export: true, Erase: personal.Delete}, "email"),
					personal.Group(when, "created_at", "expires_at", "used_at"),
				),
			},
			{
				Name: "api_credential", Subject: "api_credential.account_id", Why: "programs that act for the person",
				Cols: personal.With(
					personal.Group(link, "id", "account_id", "name", "client_id"),
					personal.Group(secret, "secret_hash"),
					personal.Group(personal.Column{Cat: personal.Profile, Uses: run, See: everyone, Export: true, Rectify: true, Erase: personal.Delete}, "url", "redirect_uri", "description"),
					personal.Group(when, "created_at", "exempt", "level", "revoked_at"),
				),
			},
			{
				Name: "access_token", Subject: "access_token.account_id", Why: "tokens with which programs act for the person",
				Retain: bearerLife, Clock: "created_at",
				Cols: personal.With(
					personal.Group(secret, "token_hash"),
					personal.Group(link, "credential_id", "account_id", "scope"),
					personal.Group(when, "created_at", "expires_at", "granted"),
				),
			},
			{
				Name: "app_grant", Subject: "app_grant.account_id", Why: "which programs of others the person lets act for them",
				Cols: personal.With(personal.Group(link, "credential_id", "account_id", "scope"), personal.Group(when, "created_at")),
			},
			{
				Name: "refresh_token", Subject: "refresh_token.account_id", Why: "tokens with which such a program gets new ones",
				Retain: refreshLife, Clock: "created_at",
				Cols: personal.With(personal.Group(secret, "token_hash"), personal.Group(link, "credential_id", "account_id", "scope"), personal.Group(when, "created_at", "expires_at")),
			},
			{
				Name: "authorization_code", Subject: "authorization_code.account_id", Why: "codes that such a program exchanges for tokens, once",
				Retain: 2 * day, Clock: "created_at",
				Cols: personal.With(personal.Group(secret, "code_hash", "challenge"), personal.Group(link, "credential_id", "account_id", "redirect_uri", "scope"), personal.Group(when, "created_at", "expires_at", "used_at")),
			},
			{
				Name: "api_usage", Subject: "api_usage.credential_id -> api_credential.account_id", Why: "how often a program asks, shown to its owner",
				Retain: usageKept, Clock: "day",
				Cols: personal.With(personal.Group(link, "credential_id"), personal.Group(when, "day", "reads", "writes")),
			},
		},
		Cookies: []personal.Cookie{
			{Name: "am_session", Why: "keeps you signed in (named __Host-am_session over https)", Essential: true, Lives: fullLife},
			{Name: ageCookie, Why: "remembers that a sign-up was turned away, and nothing else", Essential: true, Lives: ageCookieLife},
			{Name: themeCookie, Why: "your choice of a light or dark look", Essential: true, Lives: 365 * day},
		},
	}
}
