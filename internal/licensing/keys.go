package licensing

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing/certificate"
)

// SigningKey is one key of the instance as its operator sees it, without its secret.
type SigningKey struct {
	ID        string `db:"id"`         // certificate.KeyID, as certificates name it
	Current   int64  `db:"current"`    // 1: it signs
	CreatedAt int64  `db:"created_at"` // unix microseconds
}

// SigningKeys lists the instance's keys, the current one first, then the newest.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	all, err := db.Query[SigningKey](ctx, s.DB, `SELECT id, COALESCE(current, 0) AS current, created_at FROM signing_key ORDER BY COALESCE(current, 0) DESC, created_at DESC`)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	return all, nil
}

// RotateKey has a new key sign from now on and returns its id. Of the one before only the public half is kept: certificates that it
// signed verify as before, and nothing can be signed with it any more, not even by who reads the database.
func (s *Store) RotateKey(ctx context.Context) (id string, err error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(s.random(), seed); err != nil {
		return "", fmt.Errorf("make signing key: %w", err)
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "signing key"); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, tx, `UPDATE signing_key SET current = NULL, seed = $1 WHERE current = 1`, []byte{}); err != nil {
			return fmt.Errorf("retire signing key: %w", err)
		}
		id, err = s.addKey(ctx, tx, seed)
		return err
	})
	return id, err
}

// seedKey makes the first key of an instance; one that is there stays.
func (s *Store) seedKey(ctx context.Context, tx *db.Tx) error {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(s.random(), seed); err != nil {
		return fmt.Errorf("make signing key: %w", err)
	}
	_, err := s.addKey(ctx, tx, seed)
	return err
}

// addKey keeps a key that signs, unless another one does.
func (s *Store) addKey(ctx context.Context, tx *db.Tx, seed []byte) (id string, err error) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	id = certificate.KeyID(public)
	_, err = db.Exec(ctx, tx, `INSERT INTO signing_key (id, seed, public, current, created_at) VALUES ($1,$2,$3,1,$4) ON CONFLICT (current) DO NOTHING`, id, seed, []byte(public), s.now())
	if err != nil {
		return "", fmt.Errorf("keep signing key: %w", err)
	}
	return id, nil
}

// signingKey is the key that signs now.
func signingKey(ctx context.Context, q db.Querier) (ed25519.PrivateKey, error) {
	seed, err := db.Get[[]byte](ctx, q, `SELECT seed FROM signing_key WHERE current = 1`)
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("read signing key: %d bytes", len(seed))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// PublicKeys are the instance's verification keys, the current one first.
func (s *Store) PublicKeys(ctx context.Context) ([]ed25519.PublicKey, error) {
	all, err := db.Query[[]byte](ctx, s.DB, `SELECT public FROM signing_key ORDER BY COALESCE(current, 0) DESC, created_at DESC`)
	if err != nil {
		return nil, fmt.Errorf("read public keys: %w", err)
	}
	keys := make([]ed25519.PublicKey, len(all))
	for i, k := range all {
		keys[i] = ed25519.PublicKey(k)
	}
	return keys, nil
}
