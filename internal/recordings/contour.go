package recordings

import (
	"context"
	"fmt"

	"audiomicro/internal/db"
)

// Contour is a recording's melody and rhythm as package contour packs them; empty where there is none.
type Contour struct {
	ID     int64  `db:"recording_id"`
	Melody []byte `db:"melody"`
	Rhythm []byte `db:"rhythm"`
}

// SaveContour keeps the contour of a recording, in tx; version says how it was found.
func (s *Store) SaveContour(ctx context.Context, tx *db.Tx, version int64, c Contour) error {
	if err := s.heard(ctx, tx, c.ID, Following); err != nil {
		return err
	}
	return s.saveContour(ctx, tx, version, c)
}

func (s *Store) saveContour(ctx context.Context, tx *db.Tx, version int64, c Contour) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO recording_contour (recording_id, version, melody, rhythm) VALUES ($1, $2, $3, $4)
		ON CONFLICT (recording_id) DO UPDATE SET version = excluded.version, melody = excluded.melody, rhythm = excluded.rhythm`, c.ID, version, notNil(c.Melody), notNil(c.Rhythm))
	if err != nil {
		return fmt.Errorf("save the contour of recording %d: %w", c.ID, err)
	}
	s.Feed.Note(ctx, tx, "recording", c.ID)
	return nil
}

// ContourBefore finds a recording without a contour of the given version, the newest first, and none of except; db.ErrNotFound when there is none.
func (s *Store) ContourBefore(ctx context.Context, version int64, except []int64) (int64, error) {
	in, args := db.In(2, append([]int64{0}, except...))
	return db.Get[int64](ctx, s.DB, `SELECT n.recording_id FROM recording_analysis n WHERE n.recording_id NOT IN (`+in+`)
		AND NOT EXISTS (SELECT 1 FROM recording_contour c WHERE c.recording_id = n.recording_id AND c.version >= $1) AND EXISTS (SELECT 1 FROM recording r WHERE r.id = n.recording_id AND r.processing = 'ready')
		ORDER BY n.described DESC, n.created_at DESC LIMIT 1`, append([]any{version}, args...)...)
}

// ContoursAfter reads the contours of published recordings in the order of their ids, a batch of those beyond an id. next is the id to
// go on from, or 0 after the last.
func (s *Store) ContoursAfter(ctx context.Context, id int64) (list []Contour, next int64, err error) {
	// By their ids alone: asked for those that are published in this order, a planner may sort all that are for each batch.
	ids, err := db.Query[int64](ctx, s.DB, `SELECT recording_id FROM recording_contour WHERE recording_id > $1 ORDER BY recording_id LIMIT 1000`, id)
	if err != nil {
		return nil, 0, fmt.Errorf("read contours: %w", err)
	}
	if len(ids) == 0 {
		return nil, 0, nil
	}
	list, err = s.Contours(ctx, ids)
	return list, ids[len(ids)-1], err
}

// Contours reads the contours of recordings that have one and are published.
func (s *Store) Contours(ctx context.Context, ids []int64) (out []Contour, err error) {
	for len(ids) > 0 {
		part := ids[:min(len(ids), figuresBatch)]
		ids = ids[len(part):]
		in, args := db.In(1, part)
		list, err := db.Query[Contour](ctx, s.DB, `SELECT c.recording_id, c.melody, c.rhythm FROM recording_contour c JOIN recording r ON r.id = c.recording_id
			WHERE c.recording_id IN (`+in+`) AND r.state = 'published'`, args...)
		if err != nil {
			return nil, fmt.Errorf("read contours: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}
