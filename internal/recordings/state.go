package recordings

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"audiomicro/internal/audio/spectrum"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// move changes the state by one conditional UPDATE, so that of two that try at once exactly one succeeds.
func (s *Store) move(ctx context.Context, tx *db.Tx, id int64, to State, set string, from ...State) error {
	in, args := db.In(4, from)
	n, err := db.Exec(ctx, tx, `UPDATE recording SET state = $1, updated_at = $2`+set+` WHERE id = $3 AND state IN (`+in+`)`,
		append([]any{to, s.Now().UnixMicro(), id}, args...)...)
	if err != nil {
		return fmt.Errorf("move recording %d to %s: %w", id, to, err)
	}
	if n == 1 {
		s.Feed.Note(ctx, tx, "recording", id)
		return nil
	}
	r, err := s.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	return &web.Public{Status: http.StatusConflict, Text: wrongState(r.State, to), Err: ErrState}
}

func wrongState(is, to State) string {
	words := map[State]string{
		Draft: "This recording is a draft. Submit it for review first.", Submitted: "This recording waits for review already.",
		Returned:  "This recording was returned to its contributor. It must be submitted again first.",
		Published: "This recording is published already.", Unpublished: "This recording was unpublished by its contributor.",
	}
	if is == Published && to == Returned {
		return "This recording is published: it cannot be returned from the review any more."
	}
	return words[is]
}

// Lock makes other transactions that change what is said about the recording wait until tx ends: a page that saves by itself
// and a click on Submit come at the same moment, and what a moderator reads must be what was submitted.
func (s *Store) Lock(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.Lock(ctx, fmt.Sprintf("recording %d", id))
}

// Submit asks for review, in tx: it refuses with everything that is still missing.
func (s *Store) Submit(ctx context.Context, tx *db.Tx, id int64) error {
	if err := s.Lock(ctx, tx, id); err != nil {
		return err
	}
	r, err := s.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	list, err := s.missing(ctx, tx, r)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return refuseMissing(r, list)
	}
	set := fmt.Sprintf(`, submitted_at = %d, return_note = '', submit_when_ready = 0`, s.Now().UnixMicro())
	if err := s.move(ctx, tx, id, Submitted, set, Draft, Returned); err != nil {
		return err
	}
	return s.Submitted(ctx, tx, id)
}

// SubmitWhenReady asks for review, in tx, as soon as the analysis is done: now, or in the transaction that ends it. It refuses
// with everything else that is still missing.
func (s *Store) SubmitWhenReady(ctx context.Context, tx *db.Tx, id int64) error {
	if err := s.Lock(ctx, tx, id); err != nil {
		return err
	}
	r, err := s.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.Processing != Queued && r.Processing != Analyzing || r.State != Draft && r.State != Returned {
		return s.Submit(ctx, tx, id)
	}
	analyzed := r
	analyzed.Processing = Ready
	list, err := s.missing(ctx, tx, analyzed)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return refuseMissing(r, list)
	}
	// The condition again: the analysis may have ended since it was read.
	n, err := db.Exec(ctx, tx, `UPDATE recording SET submit_when_ready = 1 WHERE id = $1 AND processing IN ('queued', 'analyzing')`, id)
	if err != nil {
		return fmt.Errorf("submit recording %d when it is ready: %w", id, err)
	}
	if n == 0 {
		return s.Submit(ctx, tx, id)
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return nil
}

// submitIfAsked submits what SubmitWhenReady left to the end of the analysis, in its transaction. What has lost something
// meanwhile stays a draft.
func (s *Store) submitIfAsked(ctx context.Context, tx *db.Tx, id int64) error {
	r, err := s.ByID(ctx, tx, id)
	if err != nil || r.SubmitWhenReady == 0 || r.State != Draft && r.State != Returned {
		return err
	}
	list, err := s.missing(ctx, tx, r)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return s.Submit(ctx, tx, id)
	}
	if _, err := db.Exec(ctx, tx, `UPDATE recording SET submit_when_ready = 0 WHERE id = $1`, id); err != nil {
		return fmt.Errorf("keep recording %d a draft: %w", id, err)
	}
	return nil
}

// missing lists what keeps r from being submitted.
func (s *Store) missing(ctx context.Context, tx *db.Tx, r Recording) ([]Problem, error) {
	tags, err := s.Tags(ctx, tx, r.ID)
	if err != nil {
		return nil, err
	}
	offered, err := s.HasOffer(ctx, tx, r.ID)
	if err != nil {
		return nil, err
	}
	return Problems(r, tags, offered), nil
}

func refuseMissing(r Recording, list []Problem) error {
	text := r.Title
	if text == "" {
		text = r.FileName
	}
	text += ":"
	for _, p := range list {
		text += " " + p.Text
	}
	return web.Refuse(http.StatusUnprocessableEntity, "%s", text)
}

// Publish makes a submitted recording public, in tx.
func (s *Store) Publish(ctx context.Context, tx *db.Tx, id int64) error {
	set := fmt.Sprintf(`, published_at = CASE WHEN published_at = 0 THEN %d ELSE published_at END`, s.Now().UnixMicro())
	if err := s.move(ctx, tx, id, Published, set, Submitted); err != nil {
		return err
	}
	return s.Raise(ctx, tx, WasPublished{id})
}

// Return sends a submitted recording back with a reason that its contributor reads, in tx.
func (s *Store) Return(ctx context.Context, tx *db.Tx, id int64, note string) error {
	note = CleanText(note, 2000)
	if note == "" {
		return web.Refuse(http.StatusUnprocessableEntity, "Write what the contributor can do: a recording is not returned without a reason.")
	}
	if err := s.move(ctx, tx, id, Returned, "", Submitted); err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tx, `UPDATE recording SET return_note = $1 WHERE id = $2`, note, id); err != nil {
		return fmt.Errorf("return recording %d: %w", id, err)
	}
	return s.Raise(ctx, tx, WasReturned{id})
}

// Unpublish takes a published recording back without deleting it; who licensed it keeps it.
func (s *Store) Unpublish(ctx context.Context, tx *db.Tx, id int64) error {
	return s.move(ctx, tx, id, Unpublished, "", Published)
}

// Republish puts an unpublished recording back: it was reviewed before.
func (s *Store) Republish(ctx context.Context, tx *db.Tx, id int64) error {
	return s.move(ctx, tx, id, Published, "", Unpublished)
}

// SetPaid records whether the recording has no free offer, in tx. When it first becomes paid its media addresses change,
// so that an unmarked preview somebody kept the address of is not reached any more.
func (s *Store) SetPaid(ctx context.Context, tx *db.Tx, id int64, paid bool) error {
	n, err := db.Exec(ctx, tx, `UPDATE recording SET paid = $1 WHERE id = $2 AND paid <> $1`, db.Bool(paid), id)
	if err != nil || n == 0 {
		return err
	}
	if paid {
		if _, err := db.Exec(ctx, tx, `UPDATE recording SET token = $1 WHERE id = $2`, NewToken(), id); err != nil {
			return fmt.Errorf("rotate token of recording %d: %w", id, err)
		}
		if err := s.Raise(ctx, tx, BecamePaid{id}); err != nil {
			return err
		}
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return nil
}

// CountDownload adds one download, in tx. The feed is told of the first ten and then whenever the count has grown by about a
// tenth, so that the index ranks by it without a change for each download.
func (s *Store) CountDownload(ctx context.Context, tx *db.Tx, id int64) error {
	n, err := db.Get[int64](ctx, tx, `UPDATE recording SET downloads = downloads + 1 WHERE id = $1 RETURNING downloads`, id)
	if err != nil {
		return fmt.Errorf("count a download of recording %d: %w", id, err)
	}
	if n < 10 || n%(n/10) == 0 {
		s.Feed.Note(ctx, tx, "recording", id)
	}
	return nil
}

// Analysis is what the single pass found. Nil pointers mean silence.
type Analysis struct {
	Container, Codec               string
	SampleRate, Channels, BitDepth int64
	Lossless                       bool
	Seconds                        float64
	Frames                         int64
	LUFS, Range, TruePeak          *float64
	PreviewLUFS, PreviewTruePeak   *float64 // nil where the previews are as loud as the original
	Tempo, TempoConfidence         float64
	Key                            string
	KeyConfidence, Centroid        float64
	Loopable                       bool
	Bars, Wave, Tones              string
	Version                        int64  // of Vector
	Described                      int64  // version of what else was measured
	Descriptors                    string // JSON object
	Vector, Fingerprint            []byte
	Contour                        Contour
	ContourVersion                 int64
	PCMSHA256                      string
}

// SetProcessing notes a step of processing with its progress in percent and, for Failed, why and what to do.
func (s *Store) SetProcessing(ctx context.Context, tx *db.Tx, id int64, step Processing, percent int, note string) error {
	n, err := db.Exec(ctx, tx, `UPDATE recording SET processing = $1, progress = $2, processing_note = $3 WHERE id = $4`, step, percent, note, id)
	if err != nil {
		return fmt.Errorf("processing of recording %d: %w", id, err)
	}
	if n == 0 {
		return fmt.Errorf("processing of recording %d: %w", id, db.ErrNotFound)
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return nil
}

// SaveAnalysis stores what was measured and the files that were made, and sets processing to ready, in tx. It may be
// repeated: the last one stands.
func (s *Store) SaveAnalysis(ctx context.Context, tx *db.Tx, id int64, a Analysis, media []Media) error {
	n, err := db.Exec(ctx, tx, `UPDATE recording SET container = $1, codec = $2, sample_rate = $3, channels = $4, bit_depth = $5, lossless = $6, seconds = $7, frames = $8,
		lufs = $9, loudness_range = $10, true_peak = $11, tempo = $12, tempo_confidence = $13, musical_key = $14, key_confidence = $15, centroid = $16, loopable = $17,
		bars = $18, wave = $19, tones = $20, preview_lufs = $22, preview_true_peak = $23, processing = 'ready', processing_note = '', progress = 100 WHERE id = $21`,
		a.Container, a.Codec, a.SampleRate, a.Channels, a.BitDepth, db.Bool(a.Lossless), a.Seconds, a.Frames, a.LUFS, a.Range, a.TruePeak, a.Tempo, a.TempoConfidence,
		a.Key, a.KeyConfidence, a.Centroid, db.Bool(a.Loopable), a.Bars, a.Wave, a.Tones, id, a.PreviewLUFS, a.PreviewTruePeak)
	if err != nil {
		return fmt.Errorf("save analysis of recording %d: %w", id, err)
	}
	if n == 0 {
		return fmt.Errorf("save analysis of recording %d: %w", id, db.ErrNotFound)
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO recording_analysis (recording_id, version, described, descriptors, vector, fingerprint, pcm_sha256, created_at) VALUES ($1, $2, $8, $3, $4, $5, $6, $7)
		ON CONFLICT (recording_id) DO UPDATE SET version = excluded.version, described = excluded.described, descriptors = excluded.descriptors, vector = excluded.vector, fingerprint = excluded.fingerprint,
		pcm_sha256 = excluded.pcm_sha256, created_at = excluded.created_at`,
		id, a.Version, a.Descriptors, notNil(a.Vector), notNil(a.Fingerprint), a.PCMSHA256, s.Now().UnixMicro(), a.Described)
	if err != nil {
		return fmt.Errorf("save analysis of recording %d: %w", id, err)
	}
	if _, err := db.Exec(ctx, tx, `DELETE FROM recording_detail WHERE recording_id = $1`, id); err != nil { // it took the tempo that was
		return fmt.Errorf("save analysis of recording %d: %w", id, err)
	}
	if err := s.saveMeasures(ctx, tx, id); err != nil {
		return err
	}
	if err := s.savePrint(ctx, tx, id, a.Fingerprint); err != nil {
		return err
	}
	a.Contour.ID = id
	if err := s.SaveContour(ctx, tx, a.ContourVersion, a.Contour); err != nil {
		return err
	}
	if err := s.AddMedia(ctx, tx, id, media); err != nil {
		return err
	}
	if err := s.heard(ctx, tx, id, Describing, Drawing); err != nil {
		return err
	}
	s.Feed.Note(ctx, tx, "recording", id)
	if err := s.Raise(ctx, tx, Analyzed{RecordingID: id}); err != nil {
		return err
	}
	return s.submitIfAsked(ctx, tx, id)
}

// SaveDetail stores what the second pass measured, in tx. It may be repeated: the last one stands.
func (s *Store) SaveDetail(ctx context.Context, tx *db.Tx, id, version int64, descriptors string) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO recording_detail (recording_id, version, descriptors, created_at) SELECT id, $2, $3, $4 FROM recording WHERE id = $1
		ON CONFLICT (recording_id) DO UPDATE SET version = excluded.version, descriptors = excluded.descriptors, created_at = excluded.created_at`,
		id, version, descriptors, s.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("save details of recording %d: %w", id, err)
	}
	if err := s.heard(ctx, tx, id, Detailing); err != nil {
		return err
	}
	if err := s.saveMeasures(ctx, tx, id); err != nil {
		return err
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return nil
}

// DetailedBefore finds an analyzed recording whose details are of an older version than the given one, or are not there, the newest
// first, and none of except; db.ErrNotFound when there is none. Two queries keep to an index each, because the background asks again after
// every recording.
func (s *Store) DetailedBefore(ctx context.Context, version int64, except []int64) (int64, error) {
	in, args := db.In(2, append([]int64{0}, except...))
	id, err := db.Get[int64](ctx, s.DB, `SELECT d.recording_id FROM recording_detail d JOIN recording r ON r.id = d.recording_id
		WHERE d.version < $1 AND r.processing = 'ready' AND d.recording_id NOT IN (`+in+`) ORDER BY d.version DESC, d.created_at DESC LIMIT 1`, append([]any{version}, args...)...)
	if !errors.Is(err, db.ErrNotFound) {
		return id, err
	}
	in, args = db.In(1, append([]int64{0}, except...))
	return db.Get[int64](ctx, s.DB, `SELECT n.recording_id FROM recording_analysis n WHERE n.recording_id NOT IN (`+in+`)
		AND NOT EXISTS (SELECT 1 FROM recording_detail d WHERE d.recording_id = n.recording_id) AND EXISTS (SELECT 1 FROM recording r WHERE r.id = n.recording_id AND r.processing = 'ready')
		ORDER BY n.described DESC, n.created_at DESC LIMIT 1`, args...)
}

// DetailVersion is the version of a recording's details; 0 when there are none.
func (s *Store) DetailVersion(ctx context.Context, id int64) (int64, error) {
	v, err := db.Get[int64](ctx, s.DB, `SELECT coalesce(max(version), 0) FROM recording_detail WHERE recording_id = $1`, id)
	if err != nil {
		return 0, fmt.Errorf("details of recording %d: %w", id, err)
	}
	return v, nil
}

// DescribedBefore finds a recording whose description is of an older version than the given one, the newest first, and none of except;
// db.ErrNotFound when there is none.
func (s *Store) DescribedBefore(ctx context.Context, version int64, except []int64) (int64, error) {
	in, args := db.In(2, append([]int64{0}, except...))
	return db.Get[int64](ctx, s.DB, `SELECT n.recording_id FROM recording_analysis n JOIN recording r ON r.id = n.recording_id
		WHERE n.described < $1 AND r.processing = 'ready' AND n.recording_id NOT IN (`+in+`) ORDER BY n.described DESC, n.created_at DESC LIMIT 1`, append([]any{version}, args...)...)
}

// Undrawn finds a long recording without a spectrogram in levels, the newest first, none of except and none that cannot be listened to;
// db.ErrNotFound when there is none. Its condition is that of an index.
func (s *Store) Undrawn(ctx context.Context, except []int64) (int64, error) {
	in, args := db.In(3, append([]int64{0}, except...))
	return db.Get[int64](ctx, s.DB, `SELECT r.id FROM recording r WHERE r.seconds > 1200 AND r.processing = 'ready' AND r.id NOT IN (`+in+`)
		AND NOT EXISTS (SELECT 1 FROM recording_media m WHERE m.recording_id = r.id AND m.name = $1)
		AND NOT EXISTS (SELECT 1 FROM recording_unheard u WHERE u.recording_id = r.id AND u.pass = $2) ORDER BY r.created_at DESC LIMIT 1`, append([]any{SpectrumLevels, string(Drawing)}, args...)...)
}

// Freshness counts what the background still has to do.
type Freshness struct {
	Analyzed    int64 `db:"analyzed"`    // recordings that were
	Undescribed int64 `db:"undescribed"` // of these, described by an older version
	Undetailed  int64 `db:"undetailed"`  // of these, without details of this version
}

// Freshness counts the recordings that are analyzed and those whose description or details are not of the given versions yet.
func (s *Store) Freshness(ctx context.Context, described, detail int64) (Freshness, error) {
	f, err := db.Get[Freshness](ctx, s.DB, `SELECT (SELECT count(*) FROM recording_analysis) AS analyzed, (SELECT count(*) FROM recording_analysis WHERE described < $1) AS undescribed,
		(SELECT count(*) FROM recording_analysis) - (SELECT count(*) FROM recording_detail WHERE version >= $2) AS undetailed`, described, detail)
	if err != nil {
		return f, fmt.Errorf("count what is to be listened to again: %w", err)
	}
	return f, nil
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Media is a file made from a recording.
type Media struct {
	Name        string `db:"name"` // last part of its address: "preview-hq.opus"
	SHA256      string `db:"sha256"`
	ByteSize    int64  `db:"byte_size"`
	ContentType string `db:"content_type"`
}

// Names of media files. Marked previews carry the audible mark of paid recordings.
const (
	PreviewHQ      = "preview-hq.opus" // 96 kbit/s, unmarked
	PreviewLQ      = "preview-lq.opus" // 48 kbit/s, unmarked
	MarkedHQ       = "marked-hq.opus"
	MarkedLQ       = "marked-lq.opus"
	PreviewHQMP3   = "preview-hq.mp3" // made on first request
	PreviewLQMP3   = "preview-lq.mp3"
	MarkedHQMP3    = "marked-hq.mp3"
	MarkedLQMP3    = "marked-lq.mp3"
	PeaksDAT       = "peaks.dat"    // audiowaveform's format, 8 bits, 256 samples a pair
	SpectrumPNG    = "spectrum.png" // energy only, 800 x 200
	SpectrumTile   = "spectrum-tile.png"
	SpectrumLevels = "spectrum-levels.dat" // of long ones: blocks of it at several widths (spectrum.WriteLevels)
	WaveformM      = "waveform-m.png"
	WaveformL      = "waveform-l.png"
	SpectralM      = "spectral-m.jpg"
	SpectralL      = "spectral-l.jpg"
)

// FoldedPeaks tells how many pairs of PeaksDAT each one of a media file joins that is made of it when it is asked for; 0 for
// any other file.
func FoldedPeaks(name string) int {
	switch name {
	case "peaks-8.dat":
		return 8
	case "peaks-64.dat":
		return 64
	}
	return 0
}

// ScopeMedia fills in what the big drawing of an analyzed recording is drawn from.
func (r Recording) ScopeMedia(s *ui.Scope) {
	at := "/media/" + r.Token + "/"
	s.PeaksURLs = []string{at + PeaksDAT, at + "peaks-8.dat", at + "peaks-64.dat"}
	s.SpectrogramURL = at + SpectrumPNG
	if r.Seconds > spectrum.LongSeconds {
		s.LevelsURL = at + SpectrumLevels
	}
}

// AddMedia records files made from a recording; a name that exists is replaced.
func (s *Store) AddMedia(ctx context.Context, tx *db.Tx, id int64, media []Media) error {
	for _, m := range media {
		_, err := db.Exec(ctx, tx, `INSERT INTO recording_media (recording_id, name, sha256, byte_size, content_type, created_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (recording_id, name) DO UPDATE SET sha256 = excluded.sha256, byte_size = excluded.byte_size, content_type = excluded.content_type, created_at = excluded.created_at`,
			id, m.Name, m.SHA256, m.ByteSize, m.ContentType, s.Now().UnixMicro())
		if err != nil {
			return fmt.Errorf("add %s to recording %d: %w", m.Name, id, err)
		}
	}
	if !slices.ContainsFunc(media, func(m Media) bool { return m.Name == MarkedLQ }) {
		return nil
	}
	if _, err := db.Exec(ctx, tx, `UPDATE recording SET marked = 1 WHERE id = $1`, id); err != nil {
		return fmt.Errorf("note the marked previews of recording %d: %w", id, err)
	}
	return nil
}

// MediaNamed finds one file made from a recording.
func (s *Store) MediaNamed(ctx context.Context, id int64, name string) (Media, error) {
	m, err := db.Get[Media](ctx, s.DB, `SELECT name, sha256, byte_size, content_type FROM recording_media WHERE recording_id = $1 AND name = $2`, id, name)
	if err != nil {
		return m, fmt.Errorf("media %s of recording %d: %w", name, id, err)
	}
	return m, nil
}

// MediaOf lists the files made from a recording.
func (s *Store) MediaOf(ctx context.Context, id int64) ([]Media, error) {
	return db.Query[Media](ctx, s.DB, `SELECT name, sha256, byte_size, content_type FROM recording_media WHERE recording_id = $1 ORDER BY name`, id)
}

// Refs lists every blob that recordings refer to, for garbage collection, backups and doctor.
func (s *Store) Refs(ctx context.Context) ([]string, error) {
	return db.Query[string](ctx, s.DB, `SELECT sha256 FROM recording UNION SELECT sha256 FROM recording_media`)
}
