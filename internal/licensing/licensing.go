// Package licensing holds what may be done with a recording and for how much, and proves it: license models with their terms and
// texts, contributors' offers, issued licenses and their signed certificates.
//
// It keeps them in license_model, license_text, offer, license and signing_key, and publishes the view recording_price.
//
// What it promises: a text that was sold is never changed (an edit makes a new version); a price is never below its model's
// floor; an order line gives at most one license, and so does a free license of one recording to one account; a certificate
// is signed in the transaction that issues the license, so neither exists without the other. A revoked license keeps its row
// and its certificate; the verify page says that it was revoked and why.
package licensing

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds this domain's tables.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Recording is what licensing needs to know of a recording; app fills it from the recordings domain.
type Recording struct {
	ID          int64
	OwnerID     int64
	Title       string
	Contributor string // account name of the owner, for links
	By          string // who made it, for credits: the owner, or the source of an import
	FileName    string
	Ext         string // of the original file: "wav"
	SHA256      string // hex, of the original file
	Bytes       int64
	Seconds     float64
	Fingerprint []byte // raw acoustic fingerprint; empty when there is none
	Category    string // Broad Sound Taxonomy code
	Published   bool
	Bars        string // row waveform as the UI draws it
	Wave        string // big waveform as the UI draws it
}

// Store reads and writes this domain's tables.
type Store struct {
	DB       *db.DB
	Now      func() time.Time
	Currency string // ISO 4217 code of every price
	Floor    int64  // lowest price of paid models on a new instance, minor units; 0 means one whole unit of the currency
	SiteName string
	SiteURL  string    // public address without a slash at its end
	Random   io.Reader // for numbers and keys; nil means crypto/rand
	// Recording tells about a recording inside the caller's transaction; db.ErrNotFound when there is none.
	Recording func(ctx context.Context, q db.Querier, id int64) (Recording, error)

	Site *web.Site // for the pages
	// Feed is told when a model is offered again or no more, or its floor moves; nil tells nobody.
	Feed *feed.Feed
	// Raise enqueues what others do about an event, in its transaction; nil raises nothing.
	Raise func(ctx context.Context, tx *db.Tx, event any) error
}

// FloorRaised means that a model's lowest price went up from From, in minor units: offers below it are off sale (Fallen).
type FloorRaised struct {
	Code string
	From int64
}

func (s *Store) random() io.Reader {
	if s.Random == nil {
		return rand.Reader
	}
	return s.Random
}

func (s *Store) now() int64 { return s.Now().UnixMicro() }

// Seed makes what a new instance needs: the default models that are missing and a signing key. It changes nothing that is
// there, so every start may call it. It refuses another currency than that of the prices that are there: no rate is known at
// which 300 cents would become yen.
func (s *Store) Seed(ctx context.Context) error {
	floor := s.Floor
	if floor == 0 {
		floor = 1
		for range money.Digits(s.Currency) {
			floor *= 10
		}
	}
	models, err := Defaults(floor)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		others, err := db.Query[string](ctx, tx, `SELECT currency FROM offer WHERE currency <> $1 AND price_minor > 0 LIMIT 1`, s.Currency)
		if err != nil {
			return fmt.Errorf("look for prices in other currencies: %w", err)
		}
		if len(others) > 0 {
			return fmt.Errorf("currency: the prices of this site are in %s, so it cannot run in %s; set the currency back to %s", others[0], s.Currency, others[0])
		}
		for _, m := range models {
			n, err := db.Exec(ctx, tx, `INSERT INTO license_model (code, kind, version, deed, imports_only, music_minor, sfx_minor, floor_minor, active, position)
				VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10) ON CONFLICT (code) DO NOTHING`,
				m.Code, string(m.Kind), m.Version, m.Deed, db.Bool(m.ImportsOnly), m.MusicMinor, m.SFXMinor, m.FloorMinor, db.Bool(m.Active), m.Position)
			if err != nil {
				return fmt.Errorf("seed license model %s: %w", m.Code, err)
			}
			if n == 1 {
				if err := s.addText(ctx, tx, m); err != nil {
					return err
				}
			}
		}
		return s.seedKey(ctx, tx)
	})
}

func (s *Store) addText(ctx context.Context, tx *db.Tx, m Model) error {
	terms, err := json.Marshal(m.Terms)
	if err != nil {
		return fmt.Errorf("encode terms of %s: %w", m.Code, err)
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO license_text (code, version, name, summary, terms, text, text_sha256, created_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		m.Code, m.Version, m.Name, m.Summary, string(terms), m.Text, textHash(m.Text), s.now())
	if err != nil {
		return fmt.Errorf("add version %d of license %s: %w", m.Version, m.Code, err)
	}
	return nil
}

// textHash is the SHA-256 of a license text as certificates name it.
func textHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// modelRow is a model joined with one of its versions.
type modelRow struct {
	Code        string `db:"code"`
	Kind        string `db:"kind"`
	Version     int64  `db:"version"`
	Deed        string `db:"deed"`
	ImportsOnly int64  `db:"imports_only"`
	MusicMinor  int64  `db:"music_minor"`
	SFXMinor    int64  `db:"sfx_minor"`
	FloorMinor  int64  `db:"floor_minor"`
	Active      int64  `db:"active"`
	Position    int64  `db:"position"`
	Name        string `db:"name"`
	Summary     string `db:"summary"`
	Terms       string `db:"terms"`
	Text        string `db:"text"`
	TextSHA256  string `db:"text_sha256"`
	CreatedAt   int64  `db:"created_at"`
}

const modelColumns = `m.code, m.kind, t.version, m.deed, m.imports_only, m.music_minor, m.sfx_minor, m.floor_minor, m.active, m.position,
	t.name, t.summary, t.terms, t.text, t.text_sha256, t.created_at`

func (r modelRow) model() (Model, error) {
	m := Model{Code: r.Code, Kind: Kind(r.Kind), Version: r.Version, Name: r.Name, Summary: r.Summary, Text: r.Text, TextSHA256: r.TextSHA256, Deed: r.Deed,
		ImportsOnly: r.ImportsOnly == 1, MusicMinor: r.MusicMinor, SFXMinor: r.SFXMinor, FloorMinor: r.FloorMinor, Active: r.Active == 1,
		Position: r.Position, CreatedAt: r.CreatedAt}
	if err := json.Unmarshal([]byte(r.Terms), &m.Terms); err != nil {
		return Model{}, fmt.Errorf("read terms of %s: %w", r.Code, err)
	}
	return m, nil
}

// Models lists the current version of every model, in order.
func (s *Store) Models(ctx context.Context, q db.Querier) ([]Model, error) {
	rows, err := db.Query[modelRow](ctx, q, `SELECT `+modelColumns+` FROM license_model m JOIN license_text t ON t.code = m.code AND t.version = m.version ORDER BY m.position, m.code`)
	if err != nil {
		return nil, fmt.Errorf("list license models: %w", err)
	}
	models := make([]Model, len(rows))
	for i, r := range rows {
		if models[i], err = r.model(); err != nil {
			return nil, err
		}
	}
	return models, nil
}

// Model reads one model; version 0 means the current one. db.ErrNotFound when there is none.
func (s *Store) Model(ctx context.Context, q db.Querier, code string, version int64) (Model, error) {
	r, err := db.Get[modelRow](ctx, q, `SELECT `+modelColumns+` FROM license_model m JOIN license_text t ON t.code = m.code
		AND t.version = CASE WHEN CAST($2 AS BIGINT) = 0 THEN m.version ELSE CAST($2 AS BIGINT) END WHERE m.code = $1`, code, version)
	if err != nil {
		return Model{}, fmt.Errorf("read license model %.40q: %w", code, err)
	}
	return r.model()
}

// Versions lists a model's version numbers with the moments they were made, newest first.
func (s *Store) Versions(ctx context.Context, code string) ([]Model, error) {
	rows, err := db.Query[modelRow](ctx, s.DB, `SELECT `+modelColumns+` FROM license_model m JOIN license_text t ON t.code = m.code WHERE m.code = $1 ORDER BY t.version DESC`, code)
	if err != nil {
		return nil, fmt.Errorf("list versions of license %.40q: %w", code, err)
	}
	models := make([]Model, len(rows))
	for i, r := range rows {
		if models[i], err = r.model(); err != nil {
			return nil, err
		}
	}
	return models, nil
}

// Bounds of what an operator may type.
const (
	maxText  = 100_000 // bytes of a license text
	maxPrice = 1_000_000_000
)

// SaveModel keeps an operator's edit of a model. Prices, floor and whether it is offered change in place; a change of name,
// summary, terms or text makes the next version, which it returns. What is wrong comes back as web.Public.
func (s *Store) SaveModel(ctx context.Context, m Model) (version int64, err error) {
	m.Name, m.Summary, m.Text = strings.TrimSpace(m.Name), strings.TrimSpace(m.Summary), strings.ReplaceAll(m.Text, "\r\n", "\n")
	switch {
	case m.Name == "" || len(m.Name) > 60 || !plain(m.Name):
		return 0, web.Refuse(http.StatusUnprocessableEntity, "Give the license a name of at most 60 characters.")
	case m.Summary == "" || len(m.Summary) > 200 || !plain(m.Summary):
		return 0, web.Refuse(http.StatusUnprocessableEntity, "Say in at most 200 characters what the license is for.")
	case strings.TrimSpace(m.Text) == "" || len(m.Text) > maxText || !utf8.ValidString(m.Text) || strings.ContainsRune(m.Text, 0):
		return 0, web.Refuse(http.StatusUnprocessableEntity, "The text of the license is missing or longer than %d characters.", maxText)
	case m.MusicMinor < 0 || m.SFXMinor < 0 || m.FloorMinor < 0 || m.MusicMinor > maxPrice || m.SFXMinor > maxPrice || m.FloorMinor > maxPrice:
		return 0, web.Refuse(http.StatusUnprocessableEntity, "Prices lie between nothing and %s.", money.Of(maxPrice, s.Currency))
	}
	if err := m.Terms.Validate(); err != nil {
		return 0, &web.Public{Status: http.StatusUnprocessableEntity, Text: "The terms cannot be read: " + err.Error() + ".", Err: err}
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "license model "+m.Code); err != nil {
			return err
		}
		was, err := s.Model(ctx, tx, m.Code, 0)
		if err != nil {
			return err
		}
		if !was.IsFree() && m.FloorMinor < 1 {
			return web.Refuse(http.StatusUnprocessableEntity, "The lowest price of a paid license is more than nothing.")
		}
		version = was.Version
		if m.Name != was.Name || m.Summary != was.Summary || m.Text != was.Text || m.Terms != was.Terms {
			version++
			m.Version = version
			if err := s.addText(ctx, tx, m); err != nil {
				return err
			}
		}
		_, err = db.Exec(ctx, tx, `UPDATE license_model SET version = $2, music_minor = $3, sfx_minor = $4, floor_minor = $5, active = $6 WHERE code = $1`,
			m.Code, version, m.MusicMinor, m.SFXMinor, m.FloorMinor, db.Bool(m.Active))
		if err != nil {
			return fmt.Errorf("save license model %s: %w", m.Code, err)
		}
		if (m.Active != was.Active || m.FloorMinor != was.FloorMinor) && s.Feed != nil {
			s.Feed.Note(ctx, tx, "license model", 0) // prices of many recordings appear or go
		}
		if m.FloorMinor > was.FloorMinor && s.Raise != nil {
			return s.Raise(ctx, tx, FloorRaised{Code: m.Code, From: was.FloorMinor})
		}
		return nil
	})
	return version, err
}

// plain tells whether s is one line of text without control characters.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' })
}

// Attribution is the line that credits a recording.
func (s *Store) Attribution(r Recording, m Model) string {
	by := r.By
	if by == "" {
		by = r.Contributor
	}
	line := fmt.Sprintf("%s by %s -- %s/recordings/%d -- License: %s", oneLine(r.Title), oneLine(by), s.SiteURL, r.ID, m.Name)
	if m.Deed != "" {
		return line + ", " + m.Deed
	}
	return fmt.Sprintf("%s, %s/licenses/%s", line, s.SiteURL, m.Code)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// DeedURL is the public address of a model's license: its deed, or this site's page.
func (s *Store) DeedURL(m Model) string {
	if m.Deed != "" {
		return m.Deed
	}
	return s.SiteURL + "/licenses/" + m.Code
}

var errNoRecording = errors.New("licensing.Store.Recording is not set")

func (s *Store) recording(ctx context.Context, q db.Querier, id int64) (Recording, error) {
	if s.Recording == nil {
		return Recording{}, errNoRecording
	}
	return s.Recording(ctx, q, id)
}

// fingerprintHash is how a certificate names a recording's acoustic fingerprint.
func fingerprintHash(raw []byte) string {
	if len(bytes.Trim(raw, "\x00")) == 0 {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
