package apiv1

import (
	"context"
	"errors"
	"net/http"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/web"
)

// Me is who asks.
type Me struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Role        string `json:"role" enum:"member,moderator,admin"`
	Contributor bool   `json:"contributor" doc:"Accepted the contributor terms, and may upload."`
	Confirmed   bool   `json:"confirmed" doc:"The e-mail address is confirmed."`
	Credential  string `json:"credential" enum:"session,key,token" doc:"What this request was sent with."`
	Writes      bool   `json:"writes" doc:"Whether that credential may change anything."`
	Email       string `json:"email,omitempty" doc:"Not for an API key."`
	URL         string `json:"url" format:"uri" doc:"The page that everybody sees."`
}

// NewAccount is an account to be made.
type NewAccount struct {
	Name  string `json:"name" minLength:"1" maxLength:"100"`
	Email string `json:"email" format:"email" maxLength:"254"`
	Born  string `json:"born" format:"date" doc:"Not kept."`
	Role  string `json:"role,omitempty" enum:"member,contributor,moderator,admin" default:"member"`
}

// Synonyms are words that a search takes for each other.
type Synonyms struct {
	List string `json:"list" doc:"On each line words that find each other, with commas between them, or one word, > and the words that it finds too."`
	Own  bool   `json:"own" doc:"The operator wrote it; new versions of AudioMicro leave it alone."`
}

// SynonymsEdit replaces the list.
type SynonymsEdit struct {
	List string `json:"list" maxLength:"200000" doc:"As it is read; empty brings back the list that comes with AudioMicro."`
}

func (f *Face) synonyms(ctx context.Context, _ *struct{}) (*body[Synonyms], error) {
	text, own, err := f.Search.Synonyms(ctx)
	return answer(Synonyms{text, own}), err
}

func (f *Face) accountOperations() {
	add(f, operation{route: "GET /synonyms", id: "get-synonyms", tag: tagAccounts, summary: "Read the words that a search takes for each other", action: access.Administer, own: true}, f.synonyms)
	add(f, operation{route: "PUT /synonyms", id: "put-synonyms", tag: tagAccounts, summary: "Replace the words that a search takes for each other", action: access.Administer, own: true, text: "Searches use them within a second."},
		func(ctx context.Context, in *struct{ Body SynonymsEdit }) (*body[Synonyms], error) {
			if err := f.Search.SaveSynonyms(ctx, in.Body.List); err != nil {
				return nil, err
			}
			return f.synonyms(ctx, nil)
		})
	add(f, operation{route: "GET /me", id: "get-me", tag: tagMe, summary: "Read who asks", action: access.ReadAPI}, f.me)
	add(f, operation{route: "POST /accounts", id: "create-account", tag: tagAccounts, summary: "Make an account", action: access.Administer, own: true, status: http.StatusCreated,
		text: "Confirmed, with a random password, an API credential and an access token. The answer is the only time that the secrets can be read."},
		func(ctx context.Context, in *struct{ Body NewAccount }) (*body[accounts.Created], error) {
			made, err := f.Accounts.Create(ctx, accounts.NewAccount{Name: in.Body.Name, Email: in.Body.Email, Born: in.Body.Born, Role: in.Body.Role})
			switch {
			case errors.Is(err, accounts.ErrTaken):
				return nil, web.Refuse(http.StatusConflict, "An account with this name or address was made at this moment. Choose another name.")
			case errors.Is(err, accounts.ErrTooYoung):
				return nil, wrong("body.born", "Nobody under 13 gets an account.")
			}
			return answer(made), asFields(err)
		})
	add(f, operation{route: "GET /accounts/{name}", id: "get-account", tag: tagAccounts, summary: "Read an account", action: access.Administer, own: true},
		func(ctx context.Context, in *ByName) (*body[accounts.Summary], error) {
			s, err := f.Accounts.Show(ctx, in.Name)
			return answer(s), err
		})
	add(f, operation{route: "POST /accounts/{name}/suspend", id: "suspend-account", tag: tagAccounts, summary: "Suspend an account", action: access.Administer, own: true, text: "It is shut out at once."},
		func(ctx context.Context, in *ByName) (*body[accounts.Summary], error) {
			who, err := f.Accounts.ByName(ctx, in.Name)
			if err != nil {
				return nil, err
			}
			if err := f.Accounts.Suspend(ctx, who.ID); err != nil {
				return nil, err
			}
			s, err := f.Accounts.Show(ctx, who.Name)
			return answer(s), err
		})
}

func (f *Face) me(ctx context.Context, _ *struct{}) (*body[Me], error) {
	a := me(ctx)
	out := Me{ID: a.ID, Name: a.Name, Role: string(a.Role), Contributor: a.Contributor, Confirmed: a.Confirmed, Credential: "session", Writes: !a.ReadOnly, URL: f.at("/people/%s", a.Name)}
	switch {
	case f.byKey(ctx):
		out.Credential = "key"
		return answer(out), nil
	case a.Credential != 0:
		out.Credential = "token"
	}
	account, err := f.Accounts.ByID(ctx, a.ID)
	out.Email = account.Email
	return answer(out), err
}
