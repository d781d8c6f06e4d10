package reactions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// Category is one of a person's own drawers for favorites. Category 0, which has no row, holds those in none.
type Category struct {
	ID    int64  `db:"id"`
	Name  string `db:"name"`
	Count int64  `db:"n"` // published recordings in it
}

// Uncategorized is the name of category 0.
const Uncategorized = "Uncategorized"

// cleanCategory brings a category's name into one line.
func cleanCategory(name string) (string, error) {
	name = strings.Join(strings.Fields(recordings.CleanText(name, MaxCategory+1)), " ")
	if utf8.RuneCountInString(name) > MaxCategory {
		return "", web.Refuse(http.StatusUnprocessableEntity, "The name of a category has at most %d characters.", MaxCategory)
	}
	return name, nil
}

// categoryNamed finds or makes a category of the account; no name, or that of category 0, is 0.
func (s *Store) categoryNamed(ctx context.Context, tx *db.Tx, account int64, name string) (int64, error) {
	if name == "" || strings.EqualFold(name, Uncategorized) {
		return 0, nil
	}
	id, err := db.Get[int64](ctx, tx, `SELECT id FROM favorite_category WHERE account_id = $1 AND name_folded = $2`, account, strings.ToLower(name))
	if err == nil || !errors.Is(err, db.ErrNotFound) {
		return id, err
	}
	have, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM favorite_category WHERE account_id = $1`, account)
	if err != nil {
		return 0, err
	}
	if have >= maxCategories {
		return 0, web.Refuse(http.StatusUnprocessableEntity, "You have %d categories. Delete one first.", maxCategories)
	}
	if id, err = tx.NewID(ctx, "favorite_category"); err != nil {
		return 0, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO favorite_category (id, account_id, name, name_folded, created_at) VALUES ($1, $2, $3, $4, $5)`, id, account, name, strings.ToLower(name), s.Now().UnixMicro())
	return id, err
}

// Favor puts a published recording among the favorites of an account, in the category of that name, which is made when it is
// new; empty is none. Doing so twice changes nothing.
func (s *Store) Favor(ctx context.Context, by access.Actor, recording int64, category string) error {
	category, err := cleanCategory(category)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.reactable(ctx, tx, recording); err != nil {
			return err
		}
		id, err := s.categoryNamed(ctx, tx, by.ID, category)
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO favorite (account_id, category_id, recording_id, added_at) VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, category_id, recording_id) DO NOTHING`,
			by.ID, id, recording, s.Now().UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("favor recording %d: %w", recording, err)
	}
	return nil
}

// Unfavor takes a recording out of all categories of an account. What is none of its favorites stays none.
func (s *Store) Unfavor(ctx context.Context, account, recording int64) error {
	if _, err := db.Exec(ctx, s.DB, `DELETE FROM favorite WHERE account_id = $1 AND recording_id = $2`, account, recording); err != nil {
		return fmt.Errorf("unfavor recording %d: %w", recording, err)
	}
	return nil
}

// FavoredOf tells which of the recordings are among an account's favorites.
func (s *Store) FavoredOf(ctx context.Context, account int64, ids []int64) (map[int64]bool, error) {
	in, args := db.In(2, ids)
	list, err := db.Query[int64](ctx, s.DB, `SELECT DISTINCT recording_id FROM favorite WHERE account_id = $1 AND recording_id IN (`+in+`)`, append([]any{account}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("favorites of account %d: %w", account, err)
	}
	out := map[int64]bool{}
	for _, id := range list {
		out[id] = true
	}
	return out, nil
}

// FavoredIn lists the names of the categories in which an account has a recording; Uncategorized for none. It is empty when
// the recording is no favorite.
func (s *Store) FavoredIn(ctx context.Context, account, recording int64) ([]string, error) {
	list, err := db.Query[string](ctx, s.DB, `SELECT coalesce(c.name, '`+Uncategorized+`') FROM favorite f LEFT JOIN favorite_category c ON c.id = f.category_id
		WHERE f.account_id = $1 AND f.recording_id = $2 ORDER BY f.category_id`, account, recording)
	if err != nil {
		return nil, fmt.Errorf("categories of recording %d: %w", recording, err)
	}
	return list, nil
}

// Categories lists an account's categories by name with their published recordings; category 0 comes first, and only when it
// holds something.
func (s *Store) Categories(ctx context.Context, account int64) ([]Category, error) {
	list, err := db.Query[Category](ctx, s.DB, `SELECT c.id, c.name, (SELECT count(*) FROM favorite f JOIN recording r ON r.id = f.recording_id
			WHERE f.account_id = c.account_id AND f.category_id = c.id AND r.state = 'published') AS n
		FROM favorite_category c WHERE c.account_id = $1 ORDER BY c.name_folded`, account)
	if err != nil {
		return nil, fmt.Errorf("categories of %d: %w", account, err)
	}
	none, err := s.countIn(ctx, account, 0)
	if err != nil || none == 0 {
		return list, err
	}
	return append([]Category{{Name: Uncategorized, Count: none}}, list...), nil
}

func (s *Store) countIn(ctx context.Context, account, category int64) (int64, error) {
	n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM favorite f JOIN recording r ON r.id = f.recording_id WHERE f.account_id = $1 AND f.category_id = $2 AND r.state = 'published'`, account, category)
	if err != nil {
		return 0, fmt.Errorf("count favorites of %d: %w", account, err)
	}
	return n, nil
}

// CategoryByID finds one category of the account; another's is db.ErrNotFound, and 0 is always there.
func (s *Store) CategoryByID(ctx context.Context, account, id int64) (Category, error) {
	c := Category{Name: Uncategorized}
	var err error
	if id != 0 {
		if c, err = db.Get[Category](ctx, s.DB, `SELECT id, name, CAST(0 AS BIGINT) AS n FROM favorite_category WHERE id = $1 AND account_id = $2`, id, account); err != nil {
			return c, fmt.Errorf("category %d: %w", id, err)
		}
	}
	c.Count, err = s.countIn(ctx, account, id)
	return c, err
}

// InCategory lists the published recordings of a category, the latest added first.
func (s *Store) InCategory(ctx context.Context, account, category int64, limit, offset int) ([]int64, error) {
	list, err := db.Query[int64](ctx, s.DB, `SELECT f.recording_id FROM favorite f JOIN recording r ON r.id = f.recording_id
		WHERE f.account_id = $1 AND f.category_id = $2 AND r.state = 'published' ORDER BY f.added_at DESC, f.recording_id DESC LIMIT $3 OFFSET $4`, account, category, limit, offset)
	if err != nil {
		return nil, fmt.Errorf("favorites of %d: %w", account, err)
	}
	return list, nil
}

// Favorites lists the published recordings among an account's favorites, the latest added first, and how many there are.
func (s *Store) Favorites(ctx context.Context, account int64, limit, offset int) ([]int64, int, error) {
	total, err := db.Get[int](ctx, s.DB, `SELECT count(DISTINCT f.recording_id) FROM favorite f JOIN recording r ON r.id = f.recording_id WHERE f.account_id = $1 AND r.state = 'published'`, account)
	if err != nil {
		return nil, 0, fmt.Errorf("count favorites of %d: %w", account, err)
	}
	list, err := db.Query[int64](ctx, s.DB, `SELECT f.recording_id FROM favorite f JOIN recording r ON r.id = f.recording_id
		WHERE f.account_id = $1 AND r.state = 'published' GROUP BY f.recording_id ORDER BY max(f.added_at) DESC, f.recording_id DESC LIMIT $2 OFFSET $3`, account, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("favorites of %d: %w", account, err)
	}
	return list, total, nil
}

// RenameCategory gives a category of the account another name.
func (s *Store) RenameCategory(ctx context.Context, account, id int64, name string) error {
	name, err := cleanCategory(name)
	if err != nil {
		return err
	}
	if name == "" || strings.EqualFold(name, Uncategorized) {
		return web.Refuse(http.StatusUnprocessableEntity, "Give the category a name of its own.")
	}
	n, err := db.Exec(ctx, s.DB, `UPDATE favorite_category SET name = $1, name_folded = $2 WHERE id = $3 AND account_id = $4`, name, strings.ToLower(name), id, account)
	if db.IsUnique(err) {
		return web.Refuse(http.StatusConflict, "You have a category of that name.")
	}
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("rename category %d: %w", id, err)
	}
	return nil
}

// DeleteCategory dissolves a category of the account; what was in it stays a favorite, in none.
func (s *Store) DeleteCategory(ctx context.Context, account, id int64) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `DELETE FROM favorite_category WHERE id = $1 AND account_id = $2`, id, account)
		if err != nil {
			return err
		}
		if n == 0 {
			return db.ErrNotFound
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO favorite (account_id, category_id, recording_id, added_at)
			SELECT account_id, 0, recording_id, added_at FROM favorite WHERE account_id = $1 AND category_id = $2
			ON CONFLICT (account_id, category_id, recording_id) DO NOTHING`, account, id)
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `DELETE FROM favorite WHERE account_id = $1 AND category_id = $2`, account, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete category %d: %w", id, err)
	}
	return nil
}
