package reactions

import (
	"context"
	"fmt"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
)

// Favor puts a published recording among the favorites of an account. Doing so twice changes nothing.
func (s *Store) Favor(ctx context.Context, by access.Actor, recording int64) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.reactable(ctx, tx, recording); err != nil {
			return err
		}
		_, err := db.Exec(ctx, tx, `INSERT INTO favorite (account_id, recording_id, added_at) VALUES ($1, $2, $3) ON CONFLICT (account_id, recording_id) DO NOTHING`,
			by.ID, recording, s.Now().UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("favor recording %d: %w", recording, err)
	}
	return nil
}

// Unfavor takes a recording out of the favorites of an account. What is none of its favorites stays none.
func (s *Store) Unfavor(ctx context.Context, account, recording int64) error {
	if _, err := db.Exec(ctx, s.DB, `DELETE FROM favorite WHERE account_id = $1 AND recording_id = $2`, account, recording); err != nil {
		return fmt.Errorf("unfavor recording %d: %w", recording, err)
	}
	return nil
}

// FavoredOf tells which of the recordings are among an account's favorites.
func (s *Store) FavoredOf(ctx context.Context, account int64, ids []int64) (map[int64]bool, error) {
	in, args := db.In(2, ids)
	list, err := db.Query[int64](ctx, s.DB, `SELECT recording_id FROM favorite WHERE account_id = $1 AND recording_id IN (`+in+`)`, append([]any{account}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("favorites of account %d: %w", account, err)
	}
	out := map[int64]bool{}
	for _, id := range list {
		out[id] = true
	}
	return out, nil
}

// Favorites lists the published recordings among an account's favorites, the latest added first, and how many there are.
func (s *Store) Favorites(ctx context.Context, account int64, limit, offset int) ([]int64, int, error) {
	total, err := db.Get[int](ctx, s.DB, `SELECT count(*) FROM favorite f JOIN recording r ON r.id = f.recording_id WHERE f.account_id = $1 AND r.state = 'published'`, account)
	if err != nil {
		return nil, 0, fmt.Errorf("count favorites of %d: %w", account, err)
	}
	list, err := db.Query[int64](ctx, s.DB, `SELECT f.recording_id FROM favorite f JOIN recording r ON r.id = f.recording_id
		WHERE f.account_id = $1 AND r.state = 'published' ORDER BY f.added_at DESC, f.recording_id DESC LIMIT $2 OFFSET $3`, account, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("favorites of %d: %w", account, err)
	}
	return list, total, nil
}
