// Package people holds what persons say about themselves: a name to show, a few lines, an address on the web, a picture.
//
// It keeps profile; the pictures lie in the blob store as squares of 256 pixels that this package drew anew, so that no
// metadata and no byte of the uploaded file survives. Who has an account, and since when, comes from account_public: who is
// suspended or waits for a guardian has no page.
package people

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"audiomicro/internal/accounts"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds profile.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Limits of a profile, in characters.
const (
	MaxDisplayName = 60
	MaxBio         = 2000
	MaxWebsite     = 200
)

// Store is the table and its pages. Log may be nil.
type Store struct {
	DB    *db.DB
	Blobs blob.Store
	Feed  *feed.Feed
	Site  *web.Site
	Now   func() time.Time
	Log   *slog.Logger
	// Sounds lists a page (from 1) of the public recordings of an owner, and how many there are; nil: none are shown.
	Sounds func(ctx context.Context, owner int64, page int) ([]ui.Sound, int, error)
	// Tones is the average spectrum of an owner's public recordings in eight bands, drawn where there is no picture; nil: initials.
	Tones func(ctx context.Context, owner int64) ([8]uint8, error)
	// Collections leads to what a person collected for everybody to see; nil: none are shown.
	Collections func(ctx context.Context, account int64) ([]ui.Link, error)
	// PageSize is how many sounds Sounds gives at once; 0 means 24.
	PageSize int

	painting sync.Mutex // one picture at a time: decoding takes much memory
}

// Person is somebody with an account in good standing, as everybody may see them.
type Person struct {
	ID          int64  `db:"id"`
	Name        string `db:"name"`  // the one in addresses
	Since       int64  `db:"since"` // unix microseconds
	DisplayName string `db:"display_name"`
	Bio         string `db:"bio"`
	Website     string `db:"website"`
	Picture     string `db:"picture_ref"` // blob ref, or empty
}

// Shown is the name that people read.
func (p Person) Shown() string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	return p.Name
}

// URL is the path of the person's page.
func (p Person) URL() string { return "/people/" + url.PathEscape(p.Name) }

// PictureURL is the path of the picture; it changes with the picture. Empty without one.
func (p Person) PictureURL() string {
	if p.Picture == "" {
		return ""
	}
	return p.URL() + "/picture?v=" + p.Picture[:12]
}

// Avatar is the person as other pages draw them.
func (p Person) Avatar() ui.Avatar { return ui.Avatar{Name: p.Shown(), PictureURL: p.PictureURL()} }

const personQuery = `SELECT a.id, a.name, a.since, coalesce(p.display_name, '') AS display_name, coalesce(p.bio, '') AS bio,
	coalesce(p.website, '') AS website, coalesce(p.picture_ref, '') AS picture_ref
	FROM account_public a LEFT JOIN profile p ON p.account_id = a.id `

// ByName finds a person by name in any case, or db.ErrNotFound.
func (s *Store) ByName(ctx context.Context, name string) (Person, error) {
	p, err := db.Get[Person](ctx, s.DB, personQuery+`WHERE a.name_folded = $1`, accounts.FoldName(name))
	if err != nil {
		return p, fmt.Errorf("read person: %w", err)
	}
	return p, nil
}

// ByIDs finds persons by account id; those without a page are missing from the answer.
func (s *Store) ByIDs(ctx context.Context, ids []int64) (map[int64]Person, error) {
	marks, args := db.In(1, ids)
	list, err := db.Query[Person](ctx, s.DB, personQuery+`WHERE a.id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read persons: %w", err)
	}
	out := make(map[int64]Person, len(list))
	for _, p := range list {
		out[p.ID] = p
	}
	return out, nil
}

// Profile is what a person writes.
type Profile struct {
	DisplayName string `db:"display_name"`
	Bio         string `db:"bio"`
	Website     string `db:"website"`
	Picture     string `db:"picture_ref"`
}

// Profile reads what the account wrote; an account that wrote nothing has an empty one.
func (s *Store) Profile(ctx context.Context, account int64) (Profile, error) {
	p, err := db.Get[Profile](ctx, s.DB, `SELECT display_name, bio, website, picture_ref FROM profile WHERE account_id = $1`, account)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return p, fmt.Errorf("read profile of %d: %w", account, err)
	}
	return p, nil
}

// clean brings a profile into the form that is kept and says what is wrong with it.
func clean(p Profile) (Profile, accounts.Problems) {
	var found accounts.Problems
	p.DisplayName = strings.Join(strings.Fields(printable(p.DisplayName)), " ")
	p.Bio = strings.TrimSpace(printable(p.Bio))
	p.Website = strings.TrimSpace(p.Website)
	if utf8.RuneCountInString(p.DisplayName) > MaxDisplayName {
		found = append(found, accounts.Problem{Field: "display_name", Text: fmt.Sprintf("A name has at most %d characters.", MaxDisplayName)})
	}
	if n := utf8.RuneCountInString(p.Bio); n > MaxBio {
		found = append(found, accounts.Problem{Field: "bio", Text: fmt.Sprintf("This has %d characters; %d fit.", n, MaxBio)})
	}
	if p.Website != "" && !webAddress(p.Website) {
		found = append(found, accounts.Problem{Field: "website", Text: "This is not a web address: write https://example.org."})
	}
	return p, found
}

// printable drops broken UTF-8, control characters and those that change the direction of the text around them.
func printable(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0xFEFF:
			return -1
		}
		return r
	}, s)
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && len(s) <= MaxWebsite &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>\"\\", r)
		})
}

// Save keeps what a person wrote, but not the picture. Problems say what is wrong.
func (s *Store) Save(ctx context.Context, account int64, p Profile) error {
	p, found := clean(p)
	if len(found) > 0 {
		return found
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `INSERT INTO profile (account_id, display_name, bio, website, picture_ref, updated_at) VALUES ($1, $2, $3, $4, '', $5)
			ON CONFLICT (account_id) DO UPDATE SET display_name = excluded.display_name, bio = excluded.bio, website = excluded.website, updated_at = excluded.updated_at`,
			account, p.DisplayName, p.Bio, p.Website, s.Now().UnixMicro())
		s.Feed.Note(ctx, tx, "person", account)
		return err
	})
	if err != nil {
		return fmt.Errorf("save profile of %d: %w", account, err)
	}
	return nil
}

// setPicture points the profile at a picture ("" for none) and throws the old one away when nobody else shows it.
func (s *Store) setPicture(ctx context.Context, account int64, ref string) error {
	var old string
	var unused bool
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		had, err := db.Query[string](ctx, tx, `SELECT picture_ref FROM profile WHERE account_id = $1`, account)
		if err != nil {
			return err
		}
		old = strings.Join(had, "")
		_, err = db.Exec(ctx, tx, `INSERT INTO profile (account_id, display_name, bio, website, picture_ref, updated_at) VALUES ($1, '', '', '', $2, $3)
			ON CONFLICT (account_id) DO UPDATE SET picture_ref = excluded.picture_ref, updated_at = excluded.updated_at`, account, ref, s.Now().UnixMicro())
		if err != nil {
			return err
		}
		n, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM profile WHERE picture_ref = $1`, old)
		unused = old != "" && n == 0
		s.Feed.Note(ctx, tx, "person", account)
		return err
	})
	if err != nil {
		return fmt.Errorf("set picture of %d: %w", account, err)
	}
	if !unused {
		return nil
	}
	if err := s.Blobs.Delete(ctx, blob.Ref(old)); err != nil && !errors.Is(err, blob.ErrNotFound) && s.Log != nil {
		s.Log.Warn("delete an old picture", "err", err) // the new one is in place; doctor finds the orphan
	}
	// Somebody may have put the same picture up since the rows were counted.
	n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM profile WHERE picture_ref = $1`, old)
	if err == nil && n > 0 {
		err = s.Blobs.Restore(ctx, blob.Ref(old))
	}
	if err != nil {
		return fmt.Errorf("set picture of %d: %w", account, err)
	}
	return nil
}

// Blobs lists the refs of all pictures, for the check of what lies in the blob store.
func Blobs(ctx context.Context, q db.Querier) ([]blob.Ref, error) {
	list, err := db.Query[blob.Ref](ctx, q, `SELECT DISTINCT picture_ref FROM profile WHERE picture_ref <> ''`)
	if err != nil {
		return nil, fmt.Errorf("list pictures: %w", err)
	}
	return list, nil
}
