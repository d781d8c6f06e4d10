// Package listening delivers sound: previews and pictures under /media/, and originals to those who may have them.
//
// It keeps one row per download of an original in table download, with the license it was under. What /media/ serves is
// named by the recording's unguessable token and checked with access.Can all the same; a paid recording's unmarked preview
// and its original reach only its owner, moderators and licensees.
package listening

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/peaks"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Kinds of downloads.
const (
	ByPage = "page" // the original, from the site
	ByZip  = "zip"  // the original with certificate and credit line
	ByAPI  = "api"  // the original, through /apiv2/
)

// Store serves media and counts downloads.
type Store struct {
	DB         *db.DB
	Blobs      blob.Store
	Recordings *recordings.Store
	Now        func() time.Time
	Limits     *web.Limits
	// Licensed tells whether an account holds a license to a recording that was not revoked; app sets it to licensing's answer.
	Licensed func(ctx context.Context, account, recording int64) (bool, error)
	// MakeMP3 makes an MP3 preview on first request; app sets it to ingest's. It returns db.ErrNotFound for a preview that
	// cannot be made.
	MakeMP3 func(ctx context.Context, r recordings.Recording, name string) (recordings.Media, error)
	// MembersOnly limits visitors to the first SampleSeconds of a preview.
	MembersOnly bool
}

// SampleSeconds is how much of a preview visitors hear where full-length previews are for members.
const SampleSeconds = 30

// Routes lists this domain's routes.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /media/{token}/{name}", Action: access.SeeRecording, Handle: s.media, Stream: true},
	}
}

// action tells which rule guards a media file.
func action(name string) access.Action {
	switch {
	case strings.HasPrefix(name, "preview-"):
		return access.HearPreview
	case strings.HasPrefix(name, "marked-"):
		return access.HearMarked
	}
	return access.SeeRecording
}

func (s *Store) media(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.Recordings.ByToken(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	name, sample := strings.CutPrefix(r.PathValue("name"), "sample-")
	if sample {
		if !strings.HasSuffix(name, ".opus") {
			return web.NotFound() // only Ogg is cut to its first seconds
		}
		name = samplePrefix(rec) + name
	}
	obj, err := s.object(r.Context(), rec)
	if err != nil {
		return err
	}
	act := action(name)
	if err := web.AllowTo(r, act, obj); err != nil {
		return err
	}
	full := act == access.SeeRecording || access.From(r.Context()).SignedIn() || !s.MembersOnly
	if !full && !sample {
		return web.Refuse(http.StatusForbidden, "Full-length previews are for members. Sign in, or listen to the first %d seconds.", SampleSeconds)
	}
	join := recordings.FoldedPeaks(name)
	if join > 0 {
		name = recordings.PeaksDAT
	}
	m, err := s.find(r.Context(), rec, name)
	if err != nil {
		return err
	}
	// The address changes when the content or who may hear it changes, so what anybody may have is cached for good.
	cache := "private, max-age=3600"
	if access.Can(access.Actor{}, act, access.Object{Owner: rec.OwnerID, Public: rec.State == recordings.Published, Free: rec.Paid == 0}) && (act == access.SeeRecording || !s.MembersOnly) {
		cache = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", cache)
	if join > 0 {
		return s.folded(w, r, rec, m, join)
	}
	return s.send(w, r, rec, m, sample)
}

// Public sends a file made from a published recording as everybody may have it, under an address that stays: name is one of
// the pictures, or a preview without its prefix ("hq.opus", "lq.mp3"), which is the marked one of a paid recording, and its
// first seconds where full-length previews are for members. The caller has asked access.Can for HearMarked.
func (s *Store) Public(w http.ResponseWriter, r *http.Request, rec recordings.Recording, name string) error {
	sample := false
	switch name {
	case recordings.WaveformM, recordings.WaveformL, recordings.SpectralM, recordings.SpectralL:
	default:
		sample = s.MembersOnly
		if name = samplePrefix(rec) + name; action(name) == access.HearPreview {
			if err := web.AllowTo(r, access.HearPreview, rec.Object(false)); err != nil {
				return err
			}
		}
		if sample && strings.HasSuffix(name, ".mp3") {
			return web.NotFound() // only Ogg is cut to its first seconds
		}
	}
	m, err := s.find(r.Context(), rec, name)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=300") // a recording may become paid, and then the mark is in it
	return s.send(w, r, rec, m, sample)
}

// folded sends peaks with neighbors joined, so that a page draws hours of sound without reading all that is stored. They are
// made anew for each request: a megabyte folds in a few milliseconds, and what is cached under the address stays true.
func (s *Store) folded(w http.ResponseWriter, r *http.Request, rec recordings.Recording, m recordings.Media, join int) error {
	f, err := s.Blobs.Open(r.Context(), blob.Ref(m.SHA256))
	if err != nil {
		return fmt.Errorf("peaks of recording %d: %w", rec.ID, err)
	}
	defer f.Close()
	p, err := peaks.Read(f)
	if err != nil {
		return fmt.Errorf("peaks of recording %d: %w", rec.ID, err)
	}
	var out bytes.Buffer
	if err := p.Folded(join).WriteDat(&out, 8); err != nil {
		return fmt.Errorf("peaks of recording %d: %w", rec.ID, err)
	}
	w.Header().Set("Content-Type", m.ContentType)
	w.Header().Set("Etag", fmt.Sprintf(`"%s-%d"`, m.SHA256[:32], join))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(out.Bytes()))
	return nil
}

// find looks a media file up; an MP3 preview is made when it is asked for first.
func (s *Store) find(ctx context.Context, rec recordings.Recording, name string) (recordings.Media, error) {
	m, err := s.Recordings.MediaNamed(ctx, rec.ID, name)
	if errors.Is(err, db.ErrNotFound) && strings.HasSuffix(name, ".mp3") {
		m, err = s.MakeMP3(ctx, rec, name)
	}
	return m, err
}

// send sends a media file, or its first seconds.
func (s *Store) send(w http.ResponseWriter, r *http.Request, rec recordings.Recording, m recordings.Media, sample bool) error {
	f, err := s.Blobs.Open(r.Context(), blob.Ref(m.SHA256))
	if err != nil {
		return fmt.Errorf("media %s of recording %d: %w", m.Name, rec.ID, err)
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", m.ContentType)
	h.Set("Etag", `"`+m.SHA256[:32]+`"`)
	var body io.ReadSeeker = f
	if sample {
		n, err := sampleLength(f, SampleSeconds)
		if err != nil {
			return fmt.Errorf("sample of recording %d: %w", rec.ID, err)
		}
		h.Del("Etag")
		body = io.NewSectionReader(f, 0, n)
	}
	http.ServeContent(w, r, "", time.Time{}, body)
	return nil
}

func samplePrefix(rec recordings.Recording) string {
	if rec.Paid != 0 {
		return "marked-"
	}
	return "preview-"
}

func (s *Store) object(ctx context.Context, rec recordings.Recording) (access.Object, error) {
	a := access.From(ctx)
	if !a.SignedIn() || a.ID == rec.OwnerID {
		return rec.Object(false), nil
	}
	licensed, err := s.Licensed(ctx, a.ID, rec.ID)
	if err != nil {
		return access.Object{}, err
	}
	return rec.Object(licensed), nil
}

// Hears chooses the previews that an actor gets of a recording: the addresses of the better and the smaller one, empty when
// there is none yet. licensed tells whether the actor holds a license to it.
func (s *Store) Hears(a access.Actor, rec recordings.Recording, licensed bool) (hq, lq string) {
	if rec.Processing != recordings.Ready {
		return "", ""
	}
	unmarked := access.Can(a, access.HearPreview, rec.Object(licensed))
	if !unmarked && rec.Paid != 0 && rec.Marked == 0 {
		return "", "" // it became paid a moment ago: its marked previews are being made
	}
	prefix := "/media/" + rec.Token + "/"
	switch {
	case s.MembersOnly && !a.SignedIn():
		return prefix + "sample-hq.opus", prefix + "sample-lq.opus"
	case unmarked:
		return prefix + recordings.PreviewHQ, prefix + recordings.PreviewLQ
	default:
		return prefix + recordings.MarkedHQ, prefix + recordings.MarkedLQ
	}
}

// FileName is the name under which an original is downloaded: "ID__contributor__title.ext", plain ASCII words.
func FileName(rec recordings.Recording, contributor string) string {
	return strconv.FormatInt(rec.ID, 10) + "__" + Slug(contributor) + "__" + Slug(rec.Title) + "." + rec.Ext
}

// Slug makes plain ASCII words of a text, for file names.
func Slug(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_'):
			return unicode.ToLower(r)
		case r == '\'':
			return -1
		}
		return '-'
	}, s)
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	if s = strings.Trim(s, "-."); s == "" {
		return "sound"
	}
	if len(s) > 80 {
		s = strings.Trim(s[:80], "-.")
	}
	return s
}

// Record notes in tx that an account downloads an original under a license (0: its own recording, or as a moderator).
func (s *Store) Record(ctx context.Context, tx *db.Tx, rec recordings.Recording, account, license int64, kind string) error {
	id, err := tx.NewID(ctx, "download")
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO download (id, recording_id, account_id, license_id, kind, byte_size, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, rec.ID, account, license, kind, rec.ByteSize, s.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("record download of recording %d: %w", rec.ID, err)
	}
	if account == rec.OwnerID {
		return nil
	}
	return s.Recordings.CountDownload(ctx, tx, rec.ID)
}

// Original sends a recording's original file. The caller has asked access.Can for DownloadFile; the download is recorded,
// once per GET, before the first byte goes out; a Range that continues one is not counted again.
func (s *Store) Original(w http.ResponseWriter, r *http.Request, rec recordings.Recording, contributor string, license int64, kind string) error {
	f, err := s.Blobs.Open(r.Context(), blob.Ref(rec.SHA256))
	if err != nil {
		return fmt.Errorf("original of recording %d: %w", rec.ID, err)
	}
	defer f.Close()
	account := access.From(r.Context()).ID
	rng := r.Header.Get("Range")
	begins := rng == "" || strings.HasPrefix(rng, "bytes=0-")
	limit := web.DownloadByBuyer
	if !begins {
		limit = web.RangeByBuyer // a program that fetches in many pieces makes many requests for one download
	}
	if err := s.Limits.Take(limit, strconv.FormatInt(account, 10), s.Now()); err != nil {
		return err
	}
	if r.Method == http.MethodGet && begins {
		err := s.DB.Tx(r.Context(), func(tx *db.Tx) error { return s.Record(r.Context(), tx, rec, account, license, kind) })
		if err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(FileName(rec, contributor))}))
	h.Set("Etag", `"`+rec.SHA256+`"`)
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// Download is one line of an account's history of downloads.
type Download struct {
	ID          int64  `db:"id"`
	RecordingID int64  `db:"recording_id"`
	LicenseID   int64  `db:"license_id"`
	Kind        string `db:"kind"`
	ByteSize    int64  `db:"byte_size"`
	At          int64  `db:"at"`
}

// Of lists an account's downloads, newest first.
func (s *Store) Of(ctx context.Context, account int64, limit int) ([]Download, error) {
	return db.Query[Download](ctx, s.DB, `SELECT id, recording_id, license_id, kind, byte_size, at FROM download WHERE account_id = $1 ORDER BY at DESC, id DESC LIMIT $2`, account, limit)
}
