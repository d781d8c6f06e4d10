package search

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds search_synonyms.
func Schema() fs.FS { return db.Folder(schema) }

// synonymsChanged is the kind of a change of the list in the feed.
const synonymsChanged = "synonyms"

// Synonyms is the list that is in use, as text; own tells whether the operator wrote it.
func (s *Store) Synonyms(ctx context.Context) (text string, own bool, err error) {
	text, err = db.Get[string](ctx, s.DB, `SELECT list FROM search_synonyms WHERE id = 1`)
	if errors.Is(err, db.ErrNotFound) {
		return query.ShippedSynonyms(), false, nil
	}
	return text, true, err
}

// useSynonyms gives the list to the index.
func (s *Store) useSynonyms(ctx context.Context) error {
	text, _, err := s.Synonyms(ctx)
	if err != nil {
		return fmt.Errorf("read the synonyms: %w", err)
	}
	list, err := query.ParseSynonyms(text)
	if err != nil { // written by a version that took more; without any the search still works
		s.Log.Error("the list of synonyms cannot be read and is left out", "err", err)
	}
	s.ix.SetSynonyms(list)
	return nil
}

// SaveSynonyms replaces the list; every node uses it within a second. An empty text brings back the one that comes with the program.
func (s *Store) SaveSynonyms(ctx context.Context, text string) error {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if _, err := query.ParseSynonyms(text); err != nil {
		return web.Refuse(http.StatusUnprocessableEntity, "The list cannot be used: %s.", err)
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		s.Feed.Note(ctx, tx, synonymsChanged, 1)
		if strings.TrimSpace(text) == "" {
			_, err := db.Exec(ctx, tx, `DELETE FROM search_synonyms WHERE id = 1`)
			return err
		}
		_, err := db.Exec(ctx, tx, `INSERT INTO search_synonyms (id, list, changed_at) VALUES (1, $1, $2)
			ON CONFLICT (id) DO UPDATE SET list = excluded.list, changed_at = excluded.changed_at`, text, s.Site.Now().UnixMicro())
		return err
	})
}

func (s *Store) synonymsForm(w http.ResponseWriter, r *http.Request) error {
	text, own, err := s.Synonyms(r.Context())
	if err != nil {
		return err
	}
	return s.showSynonyms(w, r, text, own, nil, http.StatusOK)
}

func (s *Store) showSynonyms(w http.ResponseWriter, r *http.Request, text string, own bool, errs []ui.FormError, status int) error {
	p := ui.FormPage{
		Title: "Synonyms", Action: "/admin/synonyms", Errors: errs, Submit: "Save",
		Intro: "Words that a search takes for each other. What was searched for beside the words typed is always said above the results, with a way to search for the typed words alone.",
		Fields: []ui.Field{{Name: "list", Label: "List", Type: "textarea", Rows: 28, Value: text, Wide: true, Mono: true, MaxLength: query.MaxSynonyms, Optional: true,
			Hint: "On each line words that find each other, with commas between them, or one word, “>” and the words that it finds too. Empty: the list that comes with AudioMicro."}},
	}
	if !own {
		p.Note = &ui.Note{Tone: ui.TonePlain, Text: "This is the list that comes with AudioMicro. Once you save one of your own, new versions of AudioMicro leave it alone."}
	}
	return s.Site.Page(w, r, web.View{Title: "Synonyms", Status: status}, ui.FormFull(p))
}

func (s *Store) synonymsSave(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, 4*query.MaxSynonyms); err != nil {
		return err
	}
	text := r.PostForm.Get("list")
	err := s.SaveSynonyms(r.Context(), text)
	var public *web.Public
	if errors.As(err, &public) && public.Status == http.StatusUnprocessableEntity {
		return s.showSynonyms(w, r, text, true, []ui.FormError{{Field: "list", Text: public.Text}}, public.Status)
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The synonyms are saved. Searches use them at once.")
	return web.See(w, r, "/admin/synonyms")
}
