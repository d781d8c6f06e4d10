package search

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Limits of saved searches.
const (
	MaxSaved     = 100 // of one person
	maxSavedName = 128 // characters
)

// Saved is a search that a person keeps. Times are unix microseconds.
type Saved struct {
	ID        int64  `db:"id"`
	AccountID int64  `db:"account_id"`
	Name      string `db:"name"`
	Params    string `db:"params"` // what stands behind the question mark of its address
	Token     string `db:"token"`  // the secret name of its feed
	SeenAt    int64  `db:"seen_at"`
	CreatedAt int64  `db:"created_at"`
}

const savedColumns = `SELECT id, account_id, name, params, token, seen_at, created_at FROM saved_search `

// Query is what is searched for, the newest first.
func (v Saved) Query() (query.Query, error) {
	params, err := url.ParseQuery(v.Params)
	if err != nil {
		return query.Query{}, fmt.Errorf("saved search %d: %w", v.ID, err)
	}
	q, err := query.FromValues(params)
	if err != nil {
		return q, fmt.Errorf("saved search %d: %w", v.ID, err)
	}
	return newest(q), nil
}

// Page is the path of what is found now.
func (v Saved) Page() string { return "/search?" + v.Params + "&sort=" + string(query.ByNewest) }

// FeedPath is the path of its feed.
func (v Saved) FeedPath() string { return "/searches/" + v.Token + ".atom" }

// Save keeps a search for an account. Saving the same again changes nothing.
func (s *Store) Save(ctx context.Context, account int64, q query.Query) (v Saved, err error) {
	kept := q
	kept.Page, kept.Sort = 0, ""
	params := kept.Values().Encode()
	if params == "" {
		return v, web.Refuse(http.StatusUnprocessableEntity, "Search for something first: this search finds every sound.")
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, fmt.Sprintf("searches of %d", account)); err != nil {
			return err
		}
		n, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM saved_search WHERE account_id = $1 AND params <> $2`, account, params)
		if err != nil {
			return err
		}
		if n >= MaxSaved {
			return web.Refuse(http.StatusUnprocessableEntity, "You have %d saved searches. Delete one first.", MaxSaved)
		}
		id, err := tx.NewID(ctx, "saved_search")
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO saved_search (id, account_id, name, params, token, seen_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (account_id, params) DO NOTHING`,
			id, account, cut(s.inWords(kept), maxSavedName), params, rand.Text(), s.Site.Now().UnixMicro())
		if err != nil {
			return err
		}
		v, err = db.Get[Saved](ctx, tx, savedColumns+`WHERE account_id = $1 AND params = $2`, account, params)
		return err
	})
	if err != nil {
		return v, fmt.Errorf("save search: %w", err)
	}
	return v, nil
}

// inWords is a search as people read it: its text and its filters.
func (s *Store) inWords(q query.Query) string {
	var parts []string
	if q.Example.Is() {
		parts = append(parts, exampleNames[q.Example.Kind].chip+" my sound")
	}
	if q.Text != "" {
		parts = append(parts, q.Text)
	}
	for _, c := range s.chips(q, nil) {
		parts = append(parts, strings.TrimSpace(c.Label+": "+c.Value))
	}
	if len(parts) == 0 {
		return "All sounds"
	}
	return strings.Join(parts, " · ")
}

func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// SavedBy lists an account's saved searches by name.
func (s *Store) SavedBy(ctx context.Context, account int64) ([]Saved, error) {
	list, err := db.Query[Saved](ctx, s.DB, savedColumns+`WHERE account_id = $1 ORDER BY lower(name), created_at`, account)
	if err != nil {
		return nil, fmt.Errorf("saved searches of %d: %w", account, err)
	}
	return list, nil
}

// SavedOf finds a saved search of the account.
func (s *Store) SavedOf(ctx context.Context, account, id int64) (Saved, error) {
	v, err := db.Get[Saved](ctx, s.DB, savedColumns+`WHERE id = $1 AND account_id = $2`, id, account)
	if err != nil {
		return v, fmt.Errorf("saved search %d: %w", id, err)
	}
	return v, nil
}

// RenameSaved gives a saved search of the account another name.
func (s *Store) RenameSaved(ctx context.Context, account, id int64, name string) error {
	name = strings.Join(strings.Fields(recordings.CleanText(name, maxSavedName)), " ")
	if name == "" {
		return web.Refuse(http.StatusUnprocessableEntity, "Give the search a name.")
	}
	return s.changeSaved(ctx, `UPDATE saved_search SET name = $3 WHERE id = $1 AND account_id = $2`, id, account, name)
}

// RenewSaved gives the feed of a saved search of the account another address; the old one leads nowhere.
func (s *Store) RenewSaved(ctx context.Context, account, id int64) error {
	return s.changeSaved(ctx, `UPDATE saved_search SET token = $3 WHERE id = $1 AND account_id = $2`, id, account, rand.Text())
}

// DeleteSaved deletes a saved search of the account.
func (s *Store) DeleteSaved(ctx context.Context, account, id int64) error {
	return s.changeSaved(ctx, `DELETE FROM saved_search WHERE id = $1 AND account_id = $2`, id, account)
}

// changeSaved runs a statement on one saved search; one that is not there is db.ErrNotFound.
func (s *Store) changeSaved(ctx context.Context, statement string, args ...any) error {
	n, err := db.Exec(ctx, s.DB, statement, args...)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("change saved search %d: %w", args[0], err)
	}
	return nil
}

// count tells how much a saved search finds now, and how much of that is new since the last look.
func (s *Store) count(ctx context.Context, v Saved, q query.Query) (total, fresh int, err error) {
	q.Limit = 1
	res, err := s.findNewest(ctx, q)
	if err != nil {
		return 0, 0, err
	}
	q.Where = query.Between(query.Published, float64(v.SeenAt+1), math.Inf(1))
	since, err := s.findNewest(ctx, q)
	return res.Total, since.Total, err
}

func saveForm(who access.Actor, q query.Query) *ui.RowForm {
	kept := q
	kept.Page, kept.Sort = 0, ""
	params := kept.Values().Encode()
	if !who.SignedIn() || params == "" {
		return nil
	}
	return &ui.RowForm{Action: "/searches", Hidden: []ui.Hidden{{Name: "search", Value: params}}, Button: ui.Button{Label: "Save this search"}}
}

func (s *Store) searches(w http.ResponseWriter, r *http.Request) error {
	return s.showSearches(w, r, nil)
}

func (s *Store) showSearches(w http.ResponseWriter, r *http.Request, errs []ui.FormError) error {
	ctx := r.Context()
	list, err := s.SavedBy(ctx, access.From(ctx).ID)
	if err != nil {
		return err
	}
	p := ui.SearchesPage{Errors: errs}
	if !s.Ready() {
		p.Note = s.filling() + " What the searches find is counted when it is done."
	}
	for _, v := range list {
		line := ui.SavedSearch{ID: v.ID, Name: v.Name, OpenURL: fmt.Sprintf("/searches/%d/open", v.ID), FeedURL: s.Site.URL + v.FeedPath()}
		q, err := v.Query()
		if err == nil {
			line.Words = s.inWords(q)
			if p.Note == "" {
				line.Total, line.New, err = s.count(ctx, v, q)
			}
		}
		// A search from before the program or its settings changed must not take the others with it.
		var bad *query.ValueError
		if errors.As(err, &bad) {
			line.Problem, err = bad.Text, nil
		}
		if err != nil {
			return err
		}
		p.List = append(p.List, line)
	}
	v := web.View{Title: "Saved searches", Edit: func(f *ui.Frame) { f.NoIndex = true }}
	if len(errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, v, ui.Searches(p))
}

func (s *Store) save(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, 16<<10); err != nil {
		return err
	}
	params, err := url.ParseQuery(r.PostForm.Get("search"))
	if err != nil {
		return web.Refuse(http.StatusUnprocessableEntity, "This search cannot be read. Search again and save it from there.")
	}
	q, err := asked(params)
	if err == nil {
		_, err = s.Save(r.Context(), access.From(r.Context()).ID, q)
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The search is saved.")
	return web.See(w, r, "/searches")
}

// openSaved shows what a saved search finds, the newest first; from now on that is seen.
func (s *Store) openSaved(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	v, err := s.SavedOf(r.Context(), access.From(r.Context()).ID, id)
	if err != nil {
		return err
	}
	q, err := v.Query()
	if err != nil {
		return err
	}
	if _, err := db.Exec(r.Context(), s.DB, `UPDATE saved_search SET seen_at = $1 WHERE id = $2`, s.Site.Now().UnixMicro(), id); err != nil {
		return fmt.Errorf("look at saved search %d: %w", id, err)
	}
	return web.See(w, r, address(q))
}

// editSaved renames or deletes a saved search, or gives its feed another address.
func (s *Store) editSaved(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	ctx := r.Context()
	v, err := s.SavedOf(ctx, access.From(ctx).ID, id)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, 16<<10); err != nil {
		return err
	}
	told := ""
	switch r.PostForm.Get("act") {
	case "rename":
		err, told = s.RenameSaved(ctx, v.AccountID, id, r.PostForm.Get("name")), "The search has its new name."
	case "renew":
		err, told = s.RenewSaved(ctx, v.AccountID, id), "The feed has a new address; the old one leads nowhere."
	case "delete":
		err, told = s.DeleteSaved(ctx, v.AccountID, id), v.Name+" is deleted."
	default:
		return web.Refuse(http.StatusUnprocessableEntity, "Choose what to do with the search.")
	}
	var refused *web.Public
	if errors.As(err, &refused) {
		return s.showSearches(w, r, []ui.FormError{{Text: refused.Text}})
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, told)
	return web.See(w, r, "/searches")
}

// savedFeed is a saved search for feed readers: who knows its address needs no session.
func (s *Store) savedFeed(w http.ResponseWriter, r *http.Request) error {
	token, ok := strings.CutSuffix(r.PathValue("file"), ".atom")
	if !ok {
		return web.NotFound()
	}
	if err := s.Site.Limits.Take(web.SearchByIP, web.IPKey(s.Site.ClientIP(r)), s.Site.Now()); err != nil {
		return err
	}
	v, err := db.Get[Saved](r.Context(), s.DB, savedColumns+`WHERE token = $1`, token)
	if err != nil {
		return err // its text would name the token
	}
	q, err := v.Query()
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, max-age=300")
	return s.writeSearch(w, r, q, FeedHead{Path: v.FeedPath(), ID: fmt.Sprintf("searches/%d", v.ID), Title: v.Name, CreatedAt: v.CreatedAt})
}
