// Package collections holds what people put together for themselves: named lists of recordings, in an order of their own, with a
// note to each.
//
// It keeps collection, collection_item and collection_report. A collection is private until its owner shares it: with whoever has its link (128 random
// bits), or with everybody, on the owner's page. It shows what is published at that moment; what was withdrawn is counted, not named,
// and comes back when it is published again. Deleting and removing are marks for a day, so that they can be taken back; Sweep makes
// them final. Changes are said in relation to what is there (put this before that, this text instead of that one), so that two windows
// on the same collection lose nothing of each other. Who sees another's collection can report it; a moderator decides, and may hide it.
package collections

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Limits. Texts are counted in characters.
const (
	MaxName        = 128 // as a bookmark category of the Freesound API
	MaxDescription = 2000
	MaxNote        = 500
	MaxItems       = 1000 // recordings in one collection
	MaxCollections = 500  // collections of one person
	MaxAtOnce      = 200  // recordings that are added in one go
)

// undoFor is how long what was deleted or removed can be brought back. Pages offer it for ten seconds; a window left open asks later.
const undoFor = 24 * time.Hour

// Shared says who sees a collection.
type Shared string

// Who sees a collection.
const (
	Private Shared = "private" // its owner
	ByLink  Shared = "link"    // whoever has its link
	Public  Shared = "public"  // everybody
)

// ErrChanged means that a text was changed elsewhere since the page that is sent was read; nothing was overwritten.
var ErrChanged = errors.New("changed elsewhere")

// Store is the tables and their rules. All fields must be set.
type Store struct {
	DB         *db.DB
	Recordings *recordings.Store
	Site       *web.Site
	Now        func() time.Time
	// Rows makes rows for the actor of ctx, in the order of ids, of those recordings the actor may see; app sets it to search's.
	Rows func(ctx context.Context, ids []int64) ([]ui.Sound, error)
	// People names accounts as rows do; app sets it to people's answer.
	People func(ctx context.Context, accounts []int64) (map[int64]ui.Link, error)
	// Feed writes recordings as an Atom feed; app sets it to search's.
	Feed func(w http.ResponseWriter, r *http.Request, head FeedHead, ids []int64) error
	// Fill puts what is for sale of rows into the cart of a request and tells how many lines that made; app sets it to orders'.
	Fill func(w http.ResponseWriter, r *http.Request, rows []ui.Sound) (int, error)
	// Bundle sends those of recordings that the actor of a request may download as one archive; app sets it to orders'.
	Bundle func(w http.ResponseWriter, r *http.Request, name string, ids []int64) error
	// Favorites counts the published favorites of an account; app sets it to reactions' answer.
	Favorites func(ctx context.Context, account int64) (int, error)
	// Tell queues the letter to the owner of a collection that is hidden, in its transaction; app sets it to the mailer.
	Tell func(ctx context.Context, tx *db.Tx, c Collection, why string) error
}

// FeedHead is what a feed says of itself.
type FeedHead struct {
	Path      string // of the feed, with its query
	Page      string // path of the page that shows the same
	ID        string // unique within the site: "collections/5"
	Title     string
	CreatedAt int64 // unix microseconds
	ChangedAt int64 // of what it lists, not of what is listed; unix microseconds
}

// Collection is a person's own list of recordings. Times are unix microseconds.
type Collection struct {
	ID          int64  `db:"id"`
	AccountID   int64  `db:"account_id"`
	Name        string `db:"name"`
	Description string `db:"description"` // plain text
	Shared      Shared `db:"shared"`
	Token       string `db:"token"` // in the address of one that is shared by link
	CreatedAt   int64  `db:"created_at"`
	ChangedAt   int64  `db:"changed_at"`
	DeletedAt   int64  `db:"deleted_at"` // 0: it stands
	HiddenAt    int64  `db:"hidden_at"`  // not 0: a moderator hid it from all but its owner
	HiddenWhy   string `db:"hidden_why"`
	Shown       int64  `db:"shown"` // recordings in it that are published
	Gone        int64  `db:"gone"`  // recordings in it that are not, now
}

// Object is what access.Can needs to know of c; key is the token that came with the request.
func (c Collection) Object(key string) access.Object {
	open := c.Shared == Public || c.Shared == ByLink && key != "" && key == c.Token
	return access.Object{Owner: c.AccountID, Public: open && c.DeletedAt == 0 && c.HiddenAt == 0}
}

// Path is where c is shown to who may see it.
func (c Collection) Path() string { return "/collections/" + strconv.FormatInt(c.ID, 10) }

// LinkPath is the address that its owner gives away: with the token when c is shared by link.
func (c Collection) LinkPath() string {
	if c.Shared == ByLink {
		return c.Path() + "?key=" + c.Token
	}
	return c.Path()
}

// Item is a recording in a collection.
type Item struct {
	ID          int64  `db:"id"`
	RecordingID int64  `db:"recording_id"`
	Note        string `db:"note"` // plain text
	AddedAt     int64  `db:"added_at"`
}

// Collections of whoever was suspended or is gone do not exist: account_public holds none of them.
const collectionQuery = `SELECT c.id, c.account_id, c.name, c.description, c.shared, c.token, c.created_at, c.changed_at, c.deleted_at, c.hidden_at, c.hidden_why,
	(SELECT count(*) FROM collection_item i JOIN recording r ON r.id = i.recording_id WHERE i.collection_id = c.id AND i.removed_at = 0 AND r.state = 'published') AS shown,
	(SELECT count(*) FROM collection_item i JOIN recording r ON r.id = i.recording_id WHERE i.collection_id = c.id AND i.removed_at = 0 AND r.state <> 'published') AS gone
	FROM collection c JOIN account_public a ON a.id = c.account_id `

// ByID finds a collection; one that is deleted is found while that can be undone.
func (s *Store) ByID(ctx context.Context, q db.Querier, id int64) (Collection, error) {
	c, err := db.Get[Collection](ctx, q, collectionQuery+`WHERE c.id = $1`, id)
	if err != nil {
		return c, fmt.Errorf("collection %d: %w", id, err)
	}
	return c, nil
}

// Of lists a person's collections by name.
func (s *Store) Of(ctx context.Context, account int64) ([]Collection, error) {
	list, err := db.Query[Collection](ctx, s.DB, collectionQuery+`WHERE c.account_id = $1 AND c.deleted_at = 0 ORDER BY c.name_folded, c.created_at, c.id`, account)
	if err != nil {
		return nil, fmt.Errorf("collections of %d: %w", account, err)
	}
	return list, nil
}

// PublicOf lists the collections that a person shows to everybody, by name; those without a published recording and
// those that are hidden are left out.
func (s *Store) PublicOf(ctx context.Context, account int64) ([]Collection, error) {
	all, err := s.Of(ctx, account)
	out := all[:0]
	for _, c := range all {
		if c.Shared == Public && c.HiddenAt == 0 && c.Shown > 0 {
			out = append(out, c)
		}
	}
	return out, err
}

// Items lists the published recordings of a collection, in its order.
func (s *Store) Items(ctx context.Context, id int64, limit, offset int) ([]Item, error) {
	list, err := db.Query[Item](ctx, s.DB, `SELECT i.id, i.recording_id, i.note, i.added_at FROM collection_item i JOIN recording r ON r.id = i.recording_id
		WHERE i.collection_id = $1 AND i.removed_at = 0 AND r.state = 'published' ORDER BY i.place, i.id LIMIT $2 OFFSET $3`, id, limit, offset)
	if err != nil {
		return nil, fmt.Errorf("items of collection %d: %w", id, err)
	}
	return list, nil
}

// ItemOf finds a recording in a collection.
func (s *Store) ItemOf(ctx context.Context, id, recording int64) (Item, error) {
	item, err := db.Get[Item](ctx, s.DB, `SELECT id, recording_id, note, added_at FROM collection_item WHERE collection_id = $1 AND recording_id = $2 AND removed_at = 0`, id, recording)
	if err != nil {
		return item, fmt.Errorf("recording %d in collection %d: %w", recording, id, err)
	}
	return item, nil
}

// Holding tells which of a person's collections hold a recording.
func (s *Store) Holding(ctx context.Context, account, recording int64) (map[int64]bool, error) {
	list, err := db.Query[int64](ctx, s.DB, `SELECT c.id FROM collection c JOIN collection_item i ON i.collection_id = c.id
		WHERE c.account_id = $1 AND c.deleted_at = 0 AND i.recording_id = $2 AND i.removed_at = 0`, account, recording)
	if err != nil {
		return nil, fmt.Errorf("collections with recording %d: %w", recording, err)
	}
	out := map[int64]bool{}
	for _, id := range list {
		out[id] = true
	}
	return out, nil
}

// cleanName brings a name into one line and refuses what is none.
func cleanName(name string) (string, error) {
	name = strings.Join(strings.Fields(recordings.CleanText(name, MaxName+1)), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", web.Refuse(http.StatusUnprocessableEntity, "Give the collection a name.")
	case n > MaxName:
		return "", web.Refuse(http.StatusUnprocessableEntity, "The name of a collection has at most %d characters.", MaxName)
	}
	return name, nil
}

// cleanLong bounds a text of several lines.
func cleanLong(text string, most int, what string) (string, error) {
	text = recordings.CleanText(text, most+1)
	if utf8.RuneCountInString(text) > most {
		return "", web.Refuse(http.StatusUnprocessableEntity, "%s has at most %d characters. Shorten it.", what, most)
	}
	return text, nil
}

func lockOf(account int64) string { return fmt.Sprintf("collections of %d", account) }

// Make makes an empty private collection.
func (s *Store) Make(ctx context.Context, account int64, name string) (c Collection, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, lockOf(account)); err != nil {
			return err
		}
		c, err = s.create(ctx, tx, account, name)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("make collection: %w", err)
	}
	return c, nil
}

func (s *Store) create(ctx context.Context, tx *db.Tx, account int64, name string) (Collection, error) {
	name, err := cleanName(name)
	if err != nil {
		return Collection{}, err
	}
	if err := s.free(ctx, tx, account, 0, name); err != nil {
		return Collection{}, err
	}
	have, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM collection WHERE account_id = $1 AND deleted_at = 0`, account)
	if err != nil {
		return Collection{}, err
	}
	if have >= MaxCollections {
		return Collection{}, web.Refuse(http.StatusUnprocessableEntity, "You have %d collections. Delete one first.", MaxCollections)
	}
	now := s.Now().UnixMicro()
	c := Collection{AccountID: account, Name: name, Shared: Private, CreatedAt: now, ChangedAt: now}
	if c.ID, err = tx.NewID(ctx, "collection"); err != nil {
		return c, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO collection (id, account_id, name, name_folded, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $5)`, c.ID, account, name, strings.ToLower(name), now)
	return c, err
}

// free refuses a name that another collection of the account has.
func (s *Store) free(ctx context.Context, tx *db.Tx, account, except int64, name string) error {
	n, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM collection WHERE account_id = $1 AND name_folded = $2 AND deleted_at = 0 AND id <> $3`, account, strings.ToLower(name), except)
	if err == nil && n > 0 {
		err = web.Refuse(http.StatusConflict, "You have a collection of that name.")
	}
	return err
}

// Describe gives a collection of the account another name and description in the place of those that were read. When they are others
// by now it is ErrChanged.
func (s *Store) Describe(ctx context.Context, account, id int64, wasName, wasText, name, text string) error {
	name, err := cleanName(name)
	if err != nil {
		return err
	}
	if text, err = cleanLong(text, MaxDescription, "A description"); err != nil {
		return err
	}
	wasText = recordings.CleanText(wasText, MaxDescription)
	err = s.change(ctx, account, id, func(tx *db.Tx, c Collection) error {
		if c.Name != wasName || c.Description != wasText {
			return ErrChanged
		}
		if err := s.free(ctx, tx, account, id, name); err != nil {
			return err
		}
		_, err := db.Exec(ctx, tx, `UPDATE collection SET name = $1, name_folded = $2, description = $3 WHERE id = $4`, name, strings.ToLower(name), text, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("describe collection %d: %w", id, err)
	}
	return nil
}

// change runs f on a collection of the account that stands, while no other change of the account's collections runs.
func (s *Store) change(ctx context.Context, account, id int64, f func(tx *db.Tx, c Collection) error) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, lockOf(account)); err != nil {
			return err
		}
		c, err := s.ByID(ctx, tx, id)
		if err == nil && (c.AccountID != account || c.DeletedAt != 0) {
			err = db.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := f(tx, c); err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `UPDATE collection SET changed_at = $1 WHERE id = $2`, s.after(c.ChangedAt), id)
		return err
	})
}

// after is now, and later than the change before, so that the time of a change names it.
func (s *Store) after(last int64) int64 { return max(s.Now().UnixMicro(), last+1) }

// Share sets who sees a collection. A new link is made each time that it is shared by link again, and when renew is set: the old one
// leads nowhere then.
func (s *Store) Share(ctx context.Context, account, id int64, with Shared, renew bool) error {
	if with != Private && with != ByLink && with != Public {
		return web.Refuse(http.StatusUnprocessableEntity, "Choose who sees the collection.")
	}
	err := s.change(ctx, account, id, func(tx *db.Tx, c Collection) error {
		token := ""
		if with == ByLink {
			if token = c.Token; c.Shared != ByLink || renew {
				token = rand.Text() // 130 bits
			}
		}
		_, err := db.Exec(ctx, tx, `UPDATE collection SET shared = $1, token = $2 WHERE id = $3`, string(with), token, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("share collection %d: %w", id, err)
	}
	return nil
}

// Delete marks a collection as deleted; Restore takes that back within a day.
func (s *Store) Delete(ctx context.Context, account, id int64) error {
	err := s.change(ctx, account, id, func(tx *db.Tx, c Collection) error {
		_, err := db.Exec(ctx, tx, `UPDATE collection SET deleted_at = $1 WHERE id = $2`, s.Now().UnixMicro(), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete collection %d: %w", id, err)
	}
	return nil
}

// Restore brings a deleted collection back.
func (s *Store) Restore(ctx context.Context, account, id int64) error {
	n, err := db.Exec(ctx, s.DB, `UPDATE collection SET deleted_at = 0 WHERE id = $1 AND account_id = $2 AND deleted_at <> 0`, id, account)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("restore collection %d: %w", id, err)
	}
	return nil
}

// Sweep makes final what can be undone no more.
func (s *Store) Sweep(ctx context.Context) error {
	before := s.Now().Add(-undoFor).UnixMicro()
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, statement := range []string{
			`DELETE FROM collection_item WHERE removed_at <> 0 AND removed_at < $1`,
			`DELETE FROM collection_item WHERE collection_id IN (SELECT id FROM collection WHERE deleted_at <> 0 AND deleted_at < $1)`,
			`DELETE FROM collection_report WHERE collection_id IN (SELECT id FROM collection WHERE deleted_at <> 0 AND deleted_at < $1)`,
			`DELETE FROM collection WHERE deleted_at <> 0 AND deleted_at < $1`,
		} {
			if _, err := db.Exec(ctx, tx, statement, before); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep collections: %w", err)
	}
	return nil
}
