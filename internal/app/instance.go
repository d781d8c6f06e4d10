package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/db"
)

// fact reads a named fact about this instance, or makes it at the first start. Of two nodes that start together both get
// the same value.
func fact(ctx context.Context, d *db.DB, now time.Time, name string, bytes int) (string, error) {
	value, err := db.Get[string](ctx, d, `SELECT value FROM instance WHERE name = $1`, name)
	if err == nil || !errors.Is(err, db.ErrNotFound) {
		return value, err
	}
	fresh := make([]byte, bytes)
	rand.Read(fresh)
	_, err = db.Exec(ctx, d, `INSERT INTO instance (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`, name, hex.EncodeToString(fresh), now.UnixMicro())
	if err != nil {
		return "", fmt.Errorf("make %s of this instance: %w", name, err)
	}
	return db.Get[string](ctx, d, `SELECT value FROM instance WHERE name = $1`, name)
}

// checkMarker compares the blob store's marker with the instance's id. An empty store of a new instance is marked; a store
// that lost its marker, or belongs to another instance, is refused: a missing mount looks exactly like that, and going on
// would count every file as lost.
func checkMarker(ctx context.Context, d *db.DB, blobs blob.Store, id string, now time.Time) error {
	// The row follows the marker, so it is read before it: of two nodes that start together one may mark the store meanwhile.
	marked, err := db.Get[int64](ctx, d, `SELECT count(*) FROM instance WHERE name = 'blobs marked'`)
	if err != nil {
		return err
	}
	marker, err := blobs.Marker(ctx)
	switch {
	case err == nil && marker != id:
		return fmt.Errorf("the blob store belongs to another installation (its marker is %s, this database's id is %s): check --blobs, --data and --database", marker, id)
	case err == nil && marked != 0:
		return nil
	case err != nil && !errors.Is(err, blob.ErrNotFound):
		return fmt.Errorf("read the blob store's marker: %w", err)
	case marked != 0:
		return fmt.Errorf("the blob store has no marker although this database has used one before: is the disk mounted, is --blobs right? Nothing was changed")
	}
	if err := blobs.SetMarker(ctx, id); err != nil {
		return fmt.Errorf("mark the blob store: %w", err)
	}
	_, err = db.Exec(ctx, d, `INSERT INTO instance (name, value, created_at) VALUES ('blobs marked', '1', $1) ON CONFLICT (name) DO NOTHING`, now.UnixMicro())
	return err
}
