// Package moderation is the review queue: what contributors submit waits here until a moderator approves it or returns it
// with a reason that the contributor reads on the page and by mail.
//
// It keeps one row per request in table review. Nobody decides on a recording of their own. A recording whose bytes or
// sound somebody else sent before is flagged, and waits for a person even where the operator switched review off.
package moderation

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

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

// States of a review.
const (
	Open     = "open"
	Approved = "approved"
	Returned = "returned"
)

// Flags say why a recording needs a careful look.
const (
	SameBytes = "same bytes" // another person sent exactly this file
	SameSound = "same sound" // another person's recording decodes to the same samples
	Copied    = "copied"     // another person's recording sounds the same, wholly or in part, by its fingerprint
)

// Review is one request for publication.
type Review struct {
	ID          int64  `db:"id"`
	RecordingID int64  `db:"recording_id"`
	State       string `db:"state"`
	SubmittedAt int64  `db:"submitted_at"`
	Flag        string `db:"flag"`
	MatchID     int64  `db:"match_id"` // the other recording, with a flag
	ReviewerID  int64  `db:"reviewer_id"`
	DecidedAt   int64  `db:"decided_at"`
	Reason      string `db:"reason"`
	Note        string `db:"note"`
}

const columns = `id, recording_id, state, submitted_at, flag, match_id, reviewer_id, decided_at, reason, note`

// Reason is a canned reason for returning a recording.
type Reason struct{ Code, Label, Text string }

// Reasons lists the canned reasons; the moderator may change the text.
func Reasons() []Reason {
	return []Reason{
		{"described", "The description does not fit", "The title, tags or category do not say what can be heard. Please describe the sound itself and submit again."},
		{"quality", "Technical quality", "The recording has a technical fault (clipping, hum, silence or a cut). Please send a better version, or describe the fault as intended."},
		{"rights", "Rights are unclear", "It is not clear that you may license this recording. Please tell us who made it and under which terms."},
		{"duplicate", "Already published", "This is the same recording as one that is here already. If you made it, send us the original file or a note."},
		{"unsuitable", "Does not belong here", "This recording does not fit what this site publishes. Please read the contributor terms."},
		{"other", "Another reason", ""},
	}
}

// Store keeps the queue.
type Store struct {
	DB         *db.DB
	Recordings *recordings.Store
	Site       *web.Site
	Now        func() time.Time
	// Off publishes at once what carries no flag.
	Off bool
	// Rows makes rows for the actor of ctx of those recordings the actor may see; app sets it to search's.
	Rows func(ctx context.Context, ids []int64) ([]ui.Sound, error)
	// Reported counts the collections with reports that wait; app sets it to collections'. nil: none.
	Reported func(ctx context.Context) (int, error)
	// Offers names a recording's license offers with their prices; app sets it to licensing's.
	Offers func(ctx context.Context, recording int64) ([]string, error)
	// Tell queues the letter about a decision, in its transaction; app sets it to the mailer.
	Tell func(ctx context.Context, tx *db.Tx, rec recordings.Recording, approved bool, note string) error
}

// Enqueue opens the review of a submitted recording in tx, flagged where somebody else sent the same before. With review
// switched off, what carries no flag is published in the same transaction.
func (s *Store) Enqueue(ctx context.Context, tx *db.Tx, id int64) error {
	rec, err := s.Recordings.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	flag, match, err := s.match(ctx, tx, rec)
	if err != nil {
		return err
	}
	reviewID, err := tx.NewID(ctx, "review")
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO review (id, recording_id, state, submitted_at, flag, match_id) VALUES ($1, $2, $3, $4, $5, $6)`,
		reviewID, id, Open, s.Now().UnixMicro(), flag, match)
	if err != nil {
		return fmt.Errorf("open review of recording %d: %w", id, err)
	}
	if !s.Off || flag != "" {
		return nil
	}
	if _, err := s.close(ctx, tx, id, access.Actor{}, Approved, "", ""); err != nil {
		return err
	}
	return s.Recordings.Publish(ctx, tx, id)
}

// match finds a recording of somebody else with the same file, the same samples or the same sound.
func (s *Store) match(ctx context.Context, tx *db.Tx, rec recordings.Recording) (flag string, id int64, err error) {
	same, err := s.Recordings.SameBytes(ctx, tx, rec.SHA256)
	if err != nil {
		return "", 0, err
	}
	for _, other := range same {
		if other.OwnerID != rec.OwnerID {
			return SameBytes, other.ID, nil
		}
	}
	twins, err := s.Recordings.SameSamples(ctx, tx, rec.ID)
	if err != nil {
		return "", 0, err
	}
	for _, other := range twins {
		if other.OwnerID != rec.OwnerID {
			return SameSound, other.ID, nil
		}
	}
	copies, err := s.Recordings.Copies(ctx, tx, rec.ID)
	if err != nil || len(copies) == 0 {
		return "", 0, err
	}
	return Copied, copies[0].Recording.ID, nil
}

// Queue lists open reviews, oldest first.
func (s *Store) Queue(ctx context.Context, limit int) ([]Review, error) {
	return db.Query[Review](ctx, s.DB, `SELECT `+columns+` FROM review WHERE state = 'open' ORDER BY submitted_at, id LIMIT $1`, limit)
}

// Waiting counts open reviews.
func (s *Store) Waiting(ctx context.Context) (int64, error) {
	return db.Get[int64](ctx, s.DB, `SELECT count(*) FROM review WHERE state = 'open'`)
}

// History lists a recording's reviews, newest first.
func (s *Store) History(ctx context.Context, recording int64) ([]Review, error) {
	return db.Query[Review](ctx, s.DB, `SELECT `+columns+` FROM review WHERE recording_id = $1 ORDER BY submitted_at DESC, id DESC`, recording)
}

// Record counts what a contributor submitted before: decided and returned reviews.
func (s *Store) Record(ctx context.Context, owner int64) (approved, returned int64, err error) {
	type row struct {
		State string `db:"state"`
		N     int64  `db:"n"`
	}
	list, err := db.Query[row](ctx, s.DB, `SELECT v.state, count(*) AS n FROM review v JOIN recording r ON r.id = v.recording_id WHERE r.owner_id = $1 GROUP BY v.state`, owner)
	for _, l := range list {
		switch l.State {
		case Approved:
			approved = l.N
		case Returned:
			returned = l.N
		}
	}
	return approved, returned, err
}

// close decides the open review of a recording by one conditional UPDATE: of two moderators exactly one succeeds.
func (s *Store) close(ctx context.Context, tx *db.Tx, recording int64, by access.Actor, state, reason, note string) (Review, error) {
	v, err := db.Get[Review](ctx, tx, `UPDATE review SET state = $1, reviewer_id = $2, decided_at = $3, reason = $4, note = $5 WHERE recording_id = $6 AND state = 'open' RETURNING `+columns,
		state, by.ID, s.Now().UnixMicro(), reason, note, recording)
	if errors.Is(err, db.ErrNotFound) {
		return v, web.Refuse(http.StatusConflict, "This recording does not wait for review: somebody has decided already, or it was never submitted.")
	}
	if err != nil {
		return v, fmt.Errorf("close review of recording %d: %w", recording, err)
	}
	return v, nil
}

// Approve publishes a submitted recording. by.ID 0 is the command line.
func (s *Store) Approve(ctx context.Context, by access.Actor, recording int64) error {
	return s.decide(ctx, by, recording, Approved, "", "")
}

// Return sends a submitted recording back with a reason that its contributor reads.
func (s *Store) Return(ctx context.Context, by access.Actor, recording int64, reason, note string) error {
	return s.decide(ctx, by, recording, Returned, reason, note)
}

func errOwn() error {
	return web.Refuse(http.StatusForbidden, "This is your own recording: another moderator decides on it.")
}

// maxNote is the longest note to a contributor, in runes.
const maxNote = 2000

func (s *Store) decide(ctx context.Context, by access.Actor, recording int64, state, reason, note string) error {
	note = recordings.CleanText(note, maxNote)
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		rec, err := s.Recordings.ByID(ctx, tx, recording)
		if err != nil {
			return err
		}
		if by.ID != 0 && by.ID == rec.OwnerID {
			return errOwn()
		}
		if _, err := s.close(ctx, tx, recording, by, state, reason, note); err != nil {
			return err
		}
		if state == Approved {
			err = s.Recordings.Publish(ctx, tx, recording)
		} else {
			err = s.Recordings.Return(ctx, tx, recording, note)
		}
		if err != nil {
			return err
		}
		return s.Tell(ctx, tx, rec, state == Approved, note)
	})
}
