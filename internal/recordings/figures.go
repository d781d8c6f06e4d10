package recordings

import (
	"context"
	"fmt"

	"audiomicro/internal/db"
)

// Figures are the numbers of a recording that programs ask for and rows do not show.
type Figures struct {
	ID          int64    `db:"id"`
	OwnerID     int64    `db:"owner_id"`
	ByteSize    int64    `db:"byte_size"`
	Seconds     float64  `db:"seconds"`
	SampleRate  int64    `db:"sample_rate"`
	Channels    int64    `db:"channels"`
	BitDepth    int64    `db:"bit_depth"`
	LUFS        *float64 `db:"lufs"` // nil: silence
	Range       *float64 `db:"loudness_range"`
	Loopable    int64    `db:"loopable"`
	AITraining  string   `db:"ai_training"`
	Downloads   int64    `db:"downloads"`
	PublishedAt int64    `db:"published_at"`
	Descriptors string   `db:"descriptors"` // JSON object; empty: not analyzed
	Detail      string   `db:"detail"`      // JSON object of what the second pass measured; empty: not yet
	Vector      []byte   `db:"vector"`      // float32, little endian; empty: none
}

// figuresBatch is how many recordings are read at once: engines bound the number of parameters.
const figuresBatch = 1000

// FiguresOf reads the figures of several recordings.
func (s *Store) FiguresOf(ctx context.Context, ids []int64) (map[int64]Figures, error) {
	out := make(map[int64]Figures, len(ids))
	for len(ids) > 0 {
		part := ids[:min(len(ids), figuresBatch)]
		ids = ids[len(part):]
		in, args := db.In(1, part)
		rows, err := db.Query[Figures](ctx, s.DB, `SELECT r.id, r.owner_id, r.byte_size, r.seconds, r.sample_rate, r.channels, r.bit_depth, r.lufs, r.loudness_range, r.loopable,
			r.ai_training, r.downloads, r.published_at, coalesce(a.descriptors, '') AS descriptors, coalesce(d.descriptors, '') AS detail, a.vector
			FROM recording r LEFT JOIN recording_analysis a ON a.recording_id = r.id LEFT JOIN recording_detail d ON d.recording_id = r.id WHERE r.id IN (`+in+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("figures of recordings: %w", err)
		}
		for _, r := range rows {
			out[r.ID] = r
		}
	}
	return out, nil
}

// ByMD5 lists the published recordings whose original has an MD5 in hexadecimal.
func (s *Store) ByMD5(ctx context.Context, md5 string) ([]int64, error) {
	list, err := db.Query[int64](ctx, s.DB, `SELECT id FROM recording WHERE md5 = $1 AND state = 'published' ORDER BY created_at LIMIT 1000`, md5)
	if err != nil {
		return nil, fmt.Errorf("recordings by MD5: %w", err)
	}
	return list, nil
}

// PublishedBy lists the published recordings of an owner, newest first, and how many there are.
func (s *Store) PublishedBy(ctx context.Context, owner int64, limit, offset int) ([]int64, int, error) {
	total, err := db.Get[int](ctx, s.DB, `SELECT count(*) FROM recording WHERE owner_id = $1 AND state = 'published'`, owner)
	if err != nil {
		return nil, 0, fmt.Errorf("count recordings of %d: %w", owner, err)
	}
	list, err := db.Query[int64](ctx, s.DB, `SELECT id FROM recording WHERE owner_id = $1 AND state = 'published' ORDER BY published_at DESC, id DESC LIMIT $2 OFFSET $3`, owner, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("recordings of %d: %w", owner, err)
	}
	return list, total, nil
}

// PublicPack is a pack with how many published recordings it has.
type PublicPack struct {
	Pack
	Count int64 `db:"n"`
}

// PublicPacksBy lists an owner's packs that hold published recordings, newest first, and how many there are.
func (s *Store) PublicPacksBy(ctx context.Context, owner int64, limit, offset int) ([]PublicPack, int, error) {
	const packs = ` FROM pack p JOIN recording r ON r.pack_id = p.id AND r.state = 'published' WHERE p.owner_id = $1`
	total, err := db.Get[int](ctx, s.DB, `SELECT count(DISTINCT p.id)`+packs, owner)
	if err != nil {
		return nil, 0, fmt.Errorf("count packs of %d: %w", owner, err)
	}
	list, err := db.Query[PublicPack](ctx, s.DB, `SELECT p.id, p.owner_id, p.name, p.description, p.created_at, count(*) AS n`+packs+`
		GROUP BY p.id, p.owner_id, p.name, p.description, p.created_at ORDER BY p.created_at DESC, p.id DESC LIMIT $2 OFFSET $3`, owner, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("packs of %d: %w", owner, err)
	}
	return list, total, nil
}
