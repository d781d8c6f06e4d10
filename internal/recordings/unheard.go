package recordings

import (
	"context"
	"fmt"
	"time"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/db"
)

// Pass is one of those that the background makes over originals.
type Pass string

// The passes.
const (
	Describing Pass = "describe" // all that a fresh upload gets, but for the previews
	Following  Pass = "contour"  // melody and rhythm of what was described before there were any
	Detailing  Pass = "detail"   // what takes longer
	Drawing    Pass = "levels"   // the spectrogram in levels of a long one that was analyzed before there were any
)

// Reason says why an original cannot be listened to. Beside these it is a code of the worker's failures: what the decoder says of bytes that
// are those that were sent.
type Reason string

// The reasons that lie with the bytes kept.
const (
	Missing    Reason = "missing"    // the store has them not
	Altered    Reason = "altered"    // they are not those that were sent
	Unreadable Reason = "unreadable" // the disk fails to read them
)

// NoteUnheard keeps, in tx, that a pass cannot listen to a recording, and ends the pass for it: what the recording has stays, but for what
// no longer compares with others.
func (s *Store) NoteUnheard(ctx context.Context, tx *db.Tx, id int64, pass Pass, why Reason) error {
	now := s.Now().UnixMicro()
	n, err := db.Exec(ctx, tx, `INSERT INTO recording_unheard (recording_id, pass, reason, noted_at, looked_at) SELECT id, CAST($2 AS TEXT), CAST($3 AS TEXT), $4, $4 FROM recording WHERE id = $1
		ON CONFLICT (recording_id, pass) DO UPDATE SET reason = excluded.reason, looked_at = excluded.looked_at`, id, string(pass), string(why), now)
	if err != nil || n == 0 { // deleted meanwhile
		return unless(err, "note that recording %d cannot be listened to", id)
	}
	switch pass {
	case Describing:
		// A vector of an older version no longer compares.
		_, err = db.Exec(ctx, tx, `UPDATE recording_analysis SET vector = CASE WHEN version < $1 THEN $2 ELSE vector END, version = $1, described = $3 WHERE recording_id = $4`,
			describe.VectorVersion, []byte{}, describe.Version, id)
	case Following:
		err = s.saveContour(ctx, tx, contour.Version, Contour{ID: id})
	case Detailing:
		_, err = db.Exec(ctx, tx, `INSERT INTO recording_detail (recording_id, version, descriptors, created_at) VALUES ($1, $2, '{}', $3)
			ON CONFLICT (recording_id) DO UPDATE SET version = excluded.version, created_at = excluded.created_at`, id, describe.DetailVersion, now)
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return unless(err, "note that recording %d cannot be listened to", id)
}

func unless(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// heard forgets, in tx, that passes could not listen to a recording.
func (s *Store) heard(ctx context.Context, tx *db.Tx, id int64, passes ...Pass) error {
	in, args := db.In(2, passes)
	_, err := db.Exec(ctx, tx, `DELETE FROM recording_unheard WHERE recording_id = $1 AND pass IN (`+in+`)`, append([]any{id}, args...)...)
	return unless(err, "forget that recording %d could not be listened to", id)
}

// HearAgain gives a recording that could not be listened to back to the background, in tx. It comes after those that were never tried.
func (s *Store) HearAgain(ctx context.Context, tx *db.Tx, id int64) error {
	return s.hearAgain(ctx, tx, `recording_id = $1`, id)
}

// HearAgainOf gives back all that could not be listened to for a reason, in tx.
func (s *Store) HearAgainOf(ctx context.Context, tx *db.Tx, why Reason) error {
	return s.hearAgain(ctx, tx, `reason = $1`, string(why))
}

func (s *Store) hearAgain(ctx context.Context, tx *db.Tx, which string, arg any) error {
	for _, query := range []string{
		`UPDATE recording_analysis SET described = 0 WHERE recording_id IN (SELECT recording_id FROM recording_unheard WHERE pass = 'describe' AND ` + which + `)`,
		`DELETE FROM recording_contour WHERE recording_id IN (SELECT recording_id FROM recording_unheard WHERE pass = 'contour' AND ` + which + `)`,
		`UPDATE recording_detail SET version = 0 WHERE recording_id IN (SELECT recording_id FROM recording_unheard WHERE pass = 'detail' AND ` + which + `)`,
		`DELETE FROM recording_unheard WHERE ` + which,
	} {
		if _, err := db.Exec(ctx, tx, query, arg); err != nil {
			return fmt.Errorf("give back what could not be listened to: %w", err)
		}
	}
	return nil
}

// UnheardOf is one reason with the recordings that it holds for.
type UnheardOf struct {
	Reason Reason
	Count  int64
	IDs    []int64 // those noted last, at most as many as were asked for
}

// Unheard tells what cannot be listened to, by reason, the most frequent first.
func (s *Store) Unheard(ctx context.Context, most int) ([]UnheardOf, error) {
	type row struct {
		Reason string `db:"reason"`
		N      int64  `db:"n"`
	}
	rows, err := db.Query[row](ctx, s.DB, `SELECT reason, count(DISTINCT recording_id) AS n FROM recording_unheard GROUP BY reason ORDER BY n DESC, reason`)
	if err != nil {
		return nil, fmt.Errorf("count what cannot be listened to: %w", err)
	}
	out := make([]UnheardOf, len(rows))
	for i, r := range rows {
		out[i] = UnheardOf{Reason: Reason(r.Reason), Count: r.N}
		out[i].IDs, err = db.Query[int64](ctx, s.DB, `SELECT recording_id FROM recording_unheard WHERE reason = $1 GROUP BY recording_id ORDER BY max(noted_at) DESC, recording_id LIMIT $2`, r.Reason, most)
		if err != nil {
			return nil, fmt.Errorf("list what cannot be listened to: %w", err)
		}
	}
	return out, nil
}

// LookedLongAgo finds the recording for one of whose reasons (those of the bytes kept, or all others) nobody has looked since a moment, the
// longest ago first, and marks it as looked at; db.ErrNotFound when there is none.
func (s *Store) LookedLongAgo(ctx context.Context, reasons []Reason, others bool, before time.Time) (id int64, err error) {
	in, args := db.In(2, reasons)
	not := ""
	if others {
		not = "NOT "
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		id, err = db.Get[int64](ctx, tx, `SELECT recording_id FROM recording_unheard WHERE looked_at < $1 AND reason `+not+`IN (`+in+`) ORDER BY looked_at LIMIT 1`,
			append([]any{before.UnixMicro()}, args...)...)
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `UPDATE recording_unheard SET looked_at = $1 WHERE recording_id = $2`, s.Now().UnixMicro(), id)
		return err
	})
	return id, err
}
