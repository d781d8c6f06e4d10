// Package reactions holds what people make of recordings: comments, ratings and favorites.
//
// It keeps comment, rating and favorite, and publishes the view recording_rating(recording_id, ratings,
// stars). Comments and averages are public; who rated what and what somebody favors is that person's alone. One may react to
// what is published, and rates everything but one's own. What people who were suspended said is not shown and not counted.
package reactions

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
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

// MaxComment is how many characters a comment has at most.
const MaxComment = 4000

// commentsByAccount is how often one person may comment.
func commentsByAccount() web.Limit {
	return web.Limit{Name: "comments by account", Burst: 20, Per: 10 * time.Minute}
}

// ErrRated means that the account has rated the recording before.
var ErrRated = errors.New("rated before")

// Store is the tables and their rules. All fields must be set.
type Store struct {
	DB         *db.DB
	Feed       *feed.Feed
	Recordings *recordings.Store
	Site       *web.Site
	Now        func() time.Time
	// Rows makes rows for the actor of ctx, in the order of ids, of those recordings the actor may see; app sets it to search's.
	Rows func(ctx context.Context, ids []int64) ([]ui.Sound, error)
	// People names accounts as rows do; app sets it to people's answer.
	People func(ctx context.Context, accounts []int64) (map[int64]ui.Link, error)
	// Lists leads to the collections of an account that hold a recording, with recording 0 to all of them; app sets it to collections'.
	Lists func(ctx context.Context, account, recording int64) ([]ui.Link, error)
}

// reactable finds a recording that people may react to: whatever is not published does not exist for them, their own drafts
// included.
func (s *Store) reactable(ctx context.Context, q db.Querier, id int64) (recordings.Recording, error) {
	rec, err := s.Recordings.ByID(ctx, q, id)
	if err == nil && rec.State != recordings.Published {
		err = fmt.Errorf("recording %d is %s: %w", id, rec.State, db.ErrNotFound)
	}
	return rec, err
}

// Comment is what somebody said about a recording. Times are unix microseconds.
type Comment struct {
	ID          int64  `db:"id"`
	RecordingID int64  `db:"recording_id"`
	AccountID   int64  `db:"account_id"`
	Name        string `db:"name"` // the author's account name
	Body        string `db:"body"` // plain text
	CreatedAt   int64  `db:"created_at"`
	RemovedAt   int64  `db:"removed_at"` // 0: it stands
	RemovedWhy  string `db:"removed_why"`
}

const commentQuery = `SELECT c.id, c.recording_id, c.account_id, a.name, c.body, c.created_at, c.removed_at, c.removed_why
	FROM comment c JOIN account_public a ON a.id = c.account_id `

// Say comments a published recording. What is wrong with the text comes back as web.Public.
func (s *Store) Say(ctx context.Context, by access.Actor, recording int64, body string) (Comment, error) {
	body = recordings.CleanText(body, MaxComment+1)
	switch n := utf8.RuneCountInString(body); {
	case n == 0:
		return Comment{}, web.Refuse(http.StatusUnprocessableEntity, "Write something first: the comment is empty.")
	case n > MaxComment:
		return Comment{}, web.Refuse(http.StatusUnprocessableEntity, "A comment has at most %d characters. Shorten it.", MaxComment)
	}
	if err := s.Site.Limits.Take(commentsByAccount(), strconv.FormatInt(by.ID, 10), s.Now()); err != nil {
		return Comment{}, err
	}
	c := Comment{RecordingID: recording, AccountID: by.ID, Name: by.Name, Body: body, CreatedAt: s.Now().UnixMicro()}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.reactable(ctx, tx, recording); err != nil {
			return err
		}
		var err error
		if c.ID, err = tx.NewID(ctx, "comment"); err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `INSERT INTO comment (id, recording_id, account_id, body, created_at) VALUES ($1, $2, $3, $4, $5)`, c.ID, recording, by.ID, body, c.CreatedAt)
		return err
	})
	if err != nil {
		return Comment{}, fmt.Errorf("comment recording %d: %w", recording, err)
	}
	return c, nil
}

// CommentByID finds a comment that was not removed.
func (s *Store) CommentByID(ctx context.Context, id int64) (Comment, error) {
	c, err := db.Get[Comment](ctx, s.DB, commentQuery+`WHERE c.id = $1 AND c.removed_at = 0`, id)
	if err != nil {
		return c, fmt.Errorf("comment %d: %w", id, err)
	}
	return c, nil
}

// Delete takes a comment away for good; its author may.
func (s *Store) Delete(ctx context.Context, id int64) error {
	n, err := db.Exec(ctx, s.DB, `DELETE FROM comment WHERE id = $1`, id)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("delete comment %d: %w", id, err)
	}
	return nil
}

// Remove hides a comment from all but its author, who reads the reason; moderators may, not on their own.
func (s *Store) Remove(ctx context.Context, by access.Actor, id int64, why string) error {
	why = recordings.CleanText(why, 500)
	if why == "" {
		return web.Refuse(http.StatusUnprocessableEntity, "Write why: the author reads the reason.")
	}
	n, err := db.Exec(ctx, s.DB, `UPDATE comment SET removed_at = $1, removed_by = $2, removed_why = $3 WHERE id = $4 AND removed_at = 0`, s.Now().UnixMicro(), by.ID, why, id)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("remove comment %d: %w", id, err)
	}
	return nil
}

// keepRemoved is how long the text of a removed comment stays for its author and for appeals.
const keepRemoved = 180 * 24 * time.Hour

// Sweep forgets comments that were removed long ago.
func (s *Store) Sweep(ctx context.Context) error {
	_, err := db.Exec(ctx, s.DB, `DELETE FROM comment WHERE removed_at <> 0 AND removed_at < $1`, s.Now().Add(-keepRemoved).UnixMicro())
	if err != nil {
		return fmt.Errorf("sweep comments: %w", err)
	}
	return nil
}

// Comments lists what was said about a recording, newest first, and how many comments there are.
func (s *Store) Comments(ctx context.Context, recording int64, limit, offset int) ([]Comment, int, error) {
	total, err := db.Get[int](ctx, s.DB, `SELECT count(*) FROM comment c JOIN account_public a ON a.id = c.account_id WHERE c.recording_id = $1 AND c.removed_at = 0`, recording)
	if err != nil {
		return nil, 0, fmt.Errorf("count comments of recording %d: %w", recording, err)
	}
	list, err := db.Query[Comment](ctx, s.DB, commentQuery+`WHERE c.recording_id = $1 AND c.removed_at = 0 ORDER BY c.created_at DESC, c.id DESC LIMIT $2 OFFSET $3`, recording, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("comments of recording %d: %w", recording, err)
	}
	return list, total, nil
}

// removedOf lists the comments of an account on a recording that moderators removed.
func (s *Store) removedOf(ctx context.Context, account, recording int64) ([]Comment, error) {
	return db.Query[Comment](ctx, s.DB, commentQuery+`WHERE c.recording_id = $1 AND c.account_id = $2 AND c.removed_at <> 0 ORDER BY c.created_at DESC`, recording, account)
}

// CommentsBy counts the comments of an account that stand on published recordings.
func (s *Store) CommentsBy(ctx context.Context, account int64) (int64, error) {
	n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM comment c JOIN recording r ON r.id = c.recording_id WHERE c.account_id = $1 AND c.removed_at = 0 AND r.state = 'published'`, account)
	if err != nil {
		return 0, fmt.Errorf("count comments by %d: %w", account, err)
	}
	return n, nil
}

// Echo is what people made of a recording, in sum.
type Echo struct {
	Ratings  int64
	Stars    int64 // of all ratings together
	Comments int64
}

// Average is the mean of the ratings, 0 to 5; 0 without any.
func (e Echo) Average() float64 {
	if e.Ratings == 0 {
		return 0
	}
	return float64(e.Stars) / float64(e.Ratings)
}

// Echoes sums up the reactions to several recordings; those without any are missing.
func (s *Store) Echoes(ctx context.Context, ids []int64) (map[int64]Echo, error) {
	type row struct {
		ID    int64 `db:"recording_id"`
		N     int64 `db:"n"`
		Stars int64 `db:"stars"`
	}
	in, args := db.In(1, ids)
	out := map[int64]Echo{}
	rated, err := db.Query[row](ctx, s.DB, `SELECT recording_id, ratings AS n, CAST(stars AS BIGINT) AS stars FROM recording_rating WHERE recording_id IN (`+in+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("sum up ratings: %w", err)
	}
	for _, r := range rated {
		out[r.ID] = Echo{Ratings: r.N, Stars: r.Stars}
	}
	said, err := db.Query[row](ctx, s.DB, `SELECT c.recording_id, count(*) AS n, CAST(0 AS BIGINT) AS stars FROM comment c JOIN account_public a ON a.id = c.account_id
		WHERE c.removed_at = 0 AND c.recording_id IN (`+in+`) GROUP BY c.recording_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("count comments: %w", err)
	}
	for _, r := range said {
		e := out[r.ID]
		e.Comments = r.N
		out[r.ID] = e
	}
	return out, nil
}

// EachEcho calls f with what people made of each recording that has a rating or a comment.
func (s *Store) EachEcho(ctx context.Context, f func(recording int64, e Echo)) error {
	type row struct {
		ID       int64 `db:"id"`
		Ratings  int64 `db:"ratings"`
		Stars    int64 `db:"stars"`
		Comments int64 `db:"comments"`
	}
	list, err := db.Query[row](ctx, s.DB, `SELECT id, CAST(sum(ratings) AS BIGINT) AS ratings, CAST(sum(stars) AS BIGINT) AS stars, CAST(sum(comments) AS BIGINT) AS comments FROM (
		SELECT recording_id AS id, ratings, stars, 0 AS comments FROM recording_rating UNION ALL
		SELECT c.recording_id, 0, 0, count(*) FROM comment c JOIN account_public a ON a.id = c.account_id WHERE c.removed_at = 0 GROUP BY c.recording_id) AS each GROUP BY id`)
	if err != nil {
		return fmt.Errorf("sum up reactions: %w", err)
	}
	for _, r := range list {
		f(r.ID, Echo{Ratings: r.Ratings, Stars: r.Stars, Comments: r.Comments})
	}
	return nil
}

// Mentioned lists the recordings whose comments together have every one of words, which are as query.Words gives them.
func (s *Store) Mentioned(ctx context.Context, words []string, of func(text string) []string) ([]int64, error) {
	left, last := map[string]bool{}, int64(0) // words that the comments on last have not had
	var out []int64
	err := db.Rows(ctx, s.DB, func(row []any) error {
		if id := row[0].(int64); id != last {
			last = id
			for _, w := range words {
				left[w] = true
			}
		}
		had := len(left) == 0
		for _, w := range of(row[1].(string)) {
			delete(left, w)
		}
		if len(left) == 0 && !had {
			out = append(out, last)
		}
		return nil
	}, `SELECT c.recording_id, c.body FROM comment c JOIN account_public a ON a.id = c.account_id WHERE c.removed_at = 0 ORDER BY c.recording_id`)
	if err != nil {
		return nil, fmt.Errorf("read comments: %w", err)
	}
	return out, nil
}

// rate writes a rating. With again an earlier one is replaced, else it is ErrRated.
func (s *Store) rate(ctx context.Context, by access.Actor, recording, stars int64, again bool) error {
	if stars < 0 || stars > 5 {
		return web.Refuse(http.StatusUnprocessableEntity, "A rating has 0 to 5 stars.")
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		rec, err := s.reactable(ctx, tx, recording)
		if err != nil {
			return err
		}
		if rec.OwnerID == by.ID {
			return web.Refuse(http.StatusForbidden, "You cannot rate your own recording.")
		}
		conflict := `DO NOTHING`
		if again {
			conflict = `DO UPDATE SET stars = excluded.stars, rated_at = excluded.rated_at`
		}
		n, err := db.Exec(ctx, tx, `INSERT INTO rating (recording_id, account_id, stars, rated_at) VALUES ($1, $2, $3, $4) ON CONFLICT (recording_id, account_id) `+conflict,
			recording, by.ID, stars, s.Now().UnixMicro())
		if err == nil && n == 0 {
			err = ErrRated
		}
		s.Feed.Note(ctx, tx, "recording", recording) // the index sorts by rating
		return err
	})
	if err != nil {
		return fmt.Errorf("rate recording %d: %w", recording, err)
	}
	return nil
}

// Rate rates a published recording with 0 to 5 stars, once: a second time is ErrRated and changes nothing.
func (s *Store) Rate(ctx context.Context, by access.Actor, recording, stars int64) error {
	return s.rate(ctx, by, recording, stars, false)
}

// Rerate rates a published recording, in the place of an earlier rating by the same account.
func (s *Store) Rerate(ctx context.Context, by access.Actor, recording, stars int64) error {
	return s.rate(ctx, by, recording, stars, true)
}

// Unrate takes a rating back.
func (s *Store) Unrate(ctx context.Context, by access.Actor, recording int64) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `DELETE FROM rating WHERE recording_id = $1 AND account_id = $2`, recording, by.ID)
		s.Feed.Note(ctx, tx, "recording", recording)
		return err
	})
	if err != nil {
		return fmt.Errorf("take a rating of recording %d back: %w", recording, err)
	}
	return nil
}

// RatingBy is how many stars an account gave a recording; db.ErrNotFound when it did not rate it.
func (s *Store) RatingBy(ctx context.Context, account, recording int64) (int64, error) {
	stars, err := db.Get[int64](ctx, s.DB, `SELECT stars FROM rating WHERE recording_id = $1 AND account_id = $2`, recording, account)
	if err != nil {
		return 0, fmt.Errorf("rating of recording %d: %w", recording, err)
	}
	return stars, nil
}

// Ratings tells the mean of the ratings, 0 to 5, of those recordings that have any: what the index sorts by.
func (s *Store) Ratings(ctx context.Context, ids []int64) (map[int64]float64, error) {
	echoes, err := s.Echoes(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]float64, len(echoes))
	for id, e := range echoes {
		if e.Ratings > 0 {
			out[id] = e.Average()
		}
	}
	return out, nil
}
