// Package recordings holds the noun everything turns on: a Sound Recording, its description, tags, packs, the files made
// from it, and the state it is in.
//
// It keeps them in the tables recording, recording_tag, recording_media, recording_analysis, recording_detail, recording_measure, recording_print, recording_edit, recording_unheard and pack; the
// bytes lie in the blob store under their SHA-256. A recording moves draft → submitted → published or returned, and from
// published to unpublished and back; its processing moves queued → analyzing → ready or failed. What is not published is
// seen by its owner and moderators only. Every change that a visitor could see is noted in the feed in its transaction.
package recordings

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/web"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// State says where a recording is on its way to the public.
type State string

// The states.
const (
	Draft       State = "draft"
	Submitted   State = "submitted"
	Returned    State = "returned" // with a reason; the contributor mends it and submits again
	Published   State = "published"
	Unpublished State = "unpublished" // taken back by its owner, not deleted; licenses sold go on
)

// Processing says what has been made from the bytes.
type Processing string

// The steps of processing.
const (
	Queued    Processing = "queued"
	Analyzing Processing = "analyzing"
	Ready     Processing = "ready"
	Failed    Processing = "failed"
)

// Recording is one Sound Recording. Times are unix microseconds, lengths seconds, rates Hz, loudness LUFS, peaks dBTP.
type Recording struct {
	ID             int64      `db:"id"`
	OwnerID        int64      `db:"owner_id"`
	Token          string     `db:"token"` // in its /media/ addresses; rotates when it first becomes paid
	State          State      `db:"state"`
	Processing     Processing `db:"processing"`
	ProcessingNote string     `db:"processing_note"` // why processing failed and what to do
	Progress       int64      `db:"progress"`        // percent while analyzing

	Title       string `db:"title"`
	Description string `db:"description"` // Markdown
	Category    string `db:"category"`    // a code of package taxonomy
	PackID      int64  `db:"pack_id"`     // 0: in no pack
	AITraining  string `db:"ai_training"` // "no" or "yes"
	Rights      string `db:"rights"`      // the declaration that the contributor made, as it was worded
	RightsAt    int64  `db:"rights_at"`
	Credit      string `db:"credit"`     // who made it, when that is not the contributor (imports)
	SourceURL   string `db:"source_url"` // where an imported recording came from
	ReturnNote  string `db:"return_note"`

	PlaceLat  *float64 `db:"place_lat"` // where it was made; Place tells
	PlaceLon  *float64 `db:"place_lon"`
	PlaceZoom int64    `db:"place_zoom"`

	FileName   string   `db:"file_name"`
	ByteSize   int64    `db:"byte_size"`
	SHA256     string   `db:"sha256"` // of the original file: its address in the blob store
	MD5        string   `db:"md5"`    // of the original file, for the Freesound API
	Container  string   `db:"container"`
	Codec      string   `db:"codec"`
	Ext        string   `db:"ext"` // "wav", "flac", …
	SampleRate int64    `db:"sample_rate"`
	Channels   int64    `db:"channels"`
	BitDepth   int64    `db:"bit_depth"` // 0 for lossy codecs
	Lossless   int64    `db:"lossless"`
	Seconds    float64  `db:"seconds"`
	Frames     int64    `db:"frames"`
	LUFS       *float64 `db:"lufs"` // nil: silence, or not analyzed
	Range      *float64 `db:"loudness_range"`
	TruePeak   *float64 `db:"true_peak"`

	PreviewLUFS     *float64 `db:"preview_lufs"` // of previews that fold more than two channels; nil: as the original
	PreviewTruePeak *float64 `db:"preview_true_peak"`

	Tempo           float64 `db:"tempo"` // BPM, 0: none found
	TempoConfidence float64 `db:"tempo_confidence"`
	Key             string  `db:"musical_key"` // "C# minor", empty: none found
	KeyConfidence   float64 `db:"key_confidence"`
	Centroid        float64 `db:"centroid"` // Hz
	Loopable        int64   `db:"loopable"`
	Bars            string  `db:"bars"`  // the row waveform, encoded by internal/audio/spectrum
	Wave            string  `db:"wave"`  // the big waveform, encoded by internal/audio/spectrum
	Tones           string  `db:"tones"` // energy in the eight tone bands, comma separated percentages

	Paid        int64 `db:"paid"` // 1: it has no free offer
	Downloads   int64 `db:"downloads"`
	CreatedAt   int64 `db:"created_at"`
	UpdatedAt   int64 `db:"updated_at"`
	SubmittedAt int64 `db:"submitted_at"`
	PublishedAt int64 `db:"published_at"`

	SubmitWhenReady int64 `db:"submit_when_ready"` // 1: the end of the analysis submits it
	Marked          int64 `db:"marked"`            // 1: its previews with the audible mark were made
}

const columns = `id, owner_id, token, state, processing, processing_note, progress, title, description, category, pack_id, ai_training,
	rights, rights_at, credit, source_url, return_note, file_name, byte_size, sha256, md5, container, codec, ext, sample_rate, channels,
	bit_depth, lossless, seconds, frames, lufs, loudness_range, true_peak, tempo, tempo_confidence, musical_key, key_confidence, centroid,
	loopable, bars, wave, tones, paid, downloads, created_at, updated_at, submitted_at, published_at, submit_when_ready, marked, preview_lufs, preview_true_peak,
	place_lat, place_lon, place_zoom`

// Object is what access.Can needs to know of r. licensed tells whether the actor holds a license to it.
func (r Recording) Object(licensed bool) access.Object {
	return access.Object{Owner: r.OwnerID, Public: r.State == Published, Free: r.Paid == 0, Licensed: licensed}
}

// Store reads and writes recordings.
type Store struct {
	DB   *db.DB
	Feed *feed.Feed
	Now  func() time.Time
	// HasOffer tells whether the recording is offered under any license; app sets it to licensing's answer.
	HasOffer func(ctx context.Context, q db.Querier, id int64) (bool, error)
	// Offers tells under which license models the recording is offered, by code, with the price as typed ("" for free ones), for its
	// history; app sets it to licensing's answer.
	Offers func(ctx context.Context, q db.Querier, id int64) (map[string]string, error)
	// Submitted opens the review of a recording in the transaction of its submission; app sets it to moderation's Enqueue.
	Submitted func(ctx context.Context, tx *db.Tx, id int64) error
	// Raise enqueues what others do about an event, in the event's transaction; app sets it to the job queue's.
	Raise func(ctx context.Context, tx *db.Tx, event any) error
}

// Events of this domain. They carry ids only.
type (
	// Created means that a draft with its bytes exists and waits for analysis.
	Created struct{ RecordingID int64 }
	// Analyzed: what was measured first is saved; what takes longer can follow.
	Analyzed struct{ RecordingID int64 }
	// WasPublished means that the public can find the recording from now on.
	WasPublished struct{ RecordingID int64 }
	// WasReturned means that a moderator sent it back; the reason is in return_note.
	WasReturned struct{ RecordingID int64 }
	// BecamePaid means that the recording has no free offer any more: it needs a marked preview.
	BecamePaid struct{ RecordingID int64 }
)

// NewToken makes an unguessable name of 128 random bits.
func NewToken() string {
	var b [16]byte
	rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// ByID finds a recording in any state; the caller asks access.Can.
func (s *Store) ByID(ctx context.Context, q db.Querier, id int64) (Recording, error) {
	r, err := db.Get[Recording](ctx, q, `SELECT `+columns+` FROM recording WHERE id = $1`, id)
	if err != nil {
		return r, fmt.Errorf("recording %d: %w", id, err)
	}
	return r, nil
}

// ByToken finds a recording by the token of its media addresses.
func (s *Store) ByToken(ctx context.Context, token string) (Recording, error) {
	r, err := db.Get[Recording](ctx, s.DB, `SELECT `+columns+` FROM recording WHERE token = $1`, token)
	if err != nil {
		return r, fmt.Errorf("recording by token: %w", err)
	}
	return r, nil
}

// ByIDs finds recordings, in the order of ids; those that do not exist are left out.
func (s *Store) ByIDs(ctx context.Context, ids []int64) ([]Recording, error) {
	in, args := db.In(1, ids)
	rows, err := db.Query[Recording](ctx, s.DB, `SELECT `+columns+` FROM recording WHERE id IN (`+in+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("recordings by id: %w", err)
	}
	return inOrder(rows, ids, func(r Recording) int64 { return r.ID }), nil
}

func inOrder[T any](rows []T, ids []int64, id func(T) int64) []T {
	at := make(map[int64]T, len(rows))
	for _, r := range rows {
		at[id(r)] = r
	}
	out := make([]T, 0, len(rows))
	for _, i := range ids {
		if r, ok := at[i]; ok {
			out = append(out, r)
		}
	}
	return out
}

// SameBytes finds recordings whose original has the given SHA-256, oldest first.
func (s *Store) SameBytes(ctx context.Context, q db.Querier, sha256 string) ([]Recording, error) {
	return db.Query[Recording](ctx, q, `SELECT `+columns+` FROM recording WHERE sha256 = $1 ORDER BY created_at`, sha256)
}

// SameSamples finds other recordings that decode to the same samples as id, oldest first.
func (s *Store) SameSamples(ctx context.Context, q db.Querier, id int64) ([]Recording, error) {
	return db.Query[Recording](ctx, q, `SELECT `+columns+` FROM recording WHERE id <> $1 AND id IN (SELECT b.recording_id FROM recording_analysis a
		JOIN recording_analysis b ON b.pcm_sha256 = a.pcm_sha256 WHERE a.recording_id = $1 AND a.pcm_sha256 <> '') ORDER BY created_at`, id)
}

// Filter chooses recordings for lists of their owner, moderators and commands. Zero fields choose all.
type Filter struct {
	OwnerID int64
	State   State
	PackID  int64
	Before  int64 // created_at below this, for paging; 0: from the newest
	Limit   int   // 0: 100
}

// List lists recordings, newest first.
func (s *Store) List(ctx context.Context, f Filter) ([]Recording, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(cond string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(cond, len(args)))
	}
	if f.OwnerID != 0 {
		add("owner_id = $%d", f.OwnerID)
	}
	if f.State != "" {
		add("state = $%d", f.State)
	}
	if f.PackID != 0 {
		add("pack_id = $%d", f.PackID)
	}
	if f.Before != 0 {
		add("created_at < $%d", f.Before)
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	args = append(args, f.Limit)
	query := `SELECT ` + columns + ` FROM recording WHERE ` + strings.Join(where, " AND ") + fmt.Sprintf(` ORDER BY created_at DESC, id DESC LIMIT $%d`, len(args))
	list, err := db.Query[Recording](ctx, s.DB, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	return list, nil
}

// CountStates counts an owner's recordings by state.
func (s *Store) CountStates(ctx context.Context, owner int64) (map[State]int64, error) {
	type row struct {
		State State `db:"state"`
		N     int64 `db:"n"`
	}
	rows, err := db.Query[row](ctx, s.DB, `SELECT state, count(*) AS n FROM recording WHERE owner_id = $1 GROUP BY state`, owner)
	if err != nil {
		return nil, fmt.Errorf("count recordings of account %d: %w", owner, err)
	}
	out := map[State]int64{}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, nil
}

// Uses tells whether any recording refers to the blob, as its original or as a file made from it.
func (s *Store) Uses(ctx context.Context, sha256 string) (bool, error) {
	n, err := db.Get[int64](ctx, s.DB, `SELECT (SELECT count(*) FROM recording WHERE sha256 = $1) + (SELECT count(*) FROM recording_media WHERE sha256 = $1)`, sha256)
	if err != nil {
		return false, fmt.Errorf("uses of %s: %w", sha256, err)
	}
	return n > 0, nil
}

// ReplaceOriginal puts another file in the place of a draft's original, in tx: the same sound with other tags. was is the
// SHA-256 the caller read; when the recording has moved on since, nothing changes.
func (s *Store) ReplaceOriginal(ctx context.Context, tx *db.Tx, id int64, was, sha256, md5 string, size int64) error {
	n, err := db.Exec(ctx, tx, `UPDATE recording SET sha256 = $1, md5 = $2, byte_size = $3, updated_at = $4 WHERE id = $5 AND sha256 = $6 AND published_at = 0 AND state IN ('draft', 'returned')`,
		sha256, md5, size, s.Now().UnixMicro(), id, was)
	if err != nil {
		return fmt.Errorf("replace the original of recording %d: %w", id, err)
	}
	if n == 0 {
		return &web.Public{Status: http.StatusConflict, Text: "The file can be changed only before it is submitted. Open the page again.", Err: ErrState}
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return nil
}

// Original is what is known of uploaded bytes when their draft is made.
type Original struct {
	OwnerID                                      int64
	FileName, SHA256, MD5, Container, Codec, Ext string
	ByteSize                                     int64
	Description                                  Description // what the file already says
	Credit, SourceURL                            string
}

// Create makes a draft from bytes that are already in the blob store, and asks for their analysis, in tx.
func (s *Store) Create(ctx context.Context, tx *db.Tx, o Original) (Recording, error) {
	id, err := tx.NewID(ctx, "recording")
	if err != nil {
		return Recording{}, err
	}
	now := s.Now().UnixMicro()
	d := o.Description.Clean()
	_, err = db.Exec(ctx, tx, `INSERT INTO recording (id, owner_id, token, state, processing, title, description, category, pack_id, file_name, byte_size,
		sha256, md5, container, codec, ext, credit, source_url, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18)`,
		id, o.OwnerID, NewToken(), Draft, Queued, d.Title, d.Description, d.Category, cleanLine(o.FileName, 255), o.ByteSize,
		o.SHA256, o.MD5, o.Container, o.Codec, o.Ext, cleanLine(o.Credit, 200), cleanLine(o.SourceURL, 500), now)
	if err != nil {
		return Recording{}, fmt.Errorf("create recording: %w", err)
	}
	if err := s.setTags(ctx, tx, id, d.Tags); err != nil {
		return Recording{}, err
	}
	if err := s.Raise(ctx, tx, Created{id}); err != nil {
		return Recording{}, err
	}
	return s.ByID(ctx, tx, id)
}

// DeleteDraft removes a recording that was never published, with everything made from it. The blobs go by garbage
// collection when nothing refers to them any more.
func (s *Store) DeleteDraft(ctx context.Context, tx *db.Tx, id int64) error {
	n, err := db.Exec(ctx, tx, `DELETE FROM recording WHERE id = $1 AND published_at = 0 AND state IN ('draft', 'returned')`, id)
	if err != nil {
		return fmt.Errorf("delete draft %d: %w", id, err)
	}
	if n == 0 {
		return web.Refuse(http.StatusConflict, "Only a draft that was never published can be deleted. Unpublish the recording instead.")
	}
	for _, table := range []string{"recording_tag", "recording_media", "recording_analysis", "recording_contour", "recording_detail", "recording_measure", "recording_print", "recording_edit", "recording_unheard"} {
		if _, err := db.Exec(ctx, tx, `DELETE FROM `+table+` WHERE recording_id = $1`, id); err != nil {
			return fmt.Errorf("delete draft %d: %w", id, err)
		}
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return nil
}

// ErrState is wrapped by refusals that tell of a wrong state.
var ErrState = errors.New("wrong state")
