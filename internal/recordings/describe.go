package recordings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

// Limits of a description.
const (
	MinTags        = 3
	MaxTags        = 30
	MaxTitle       = 120    // runes
	MaxDescription = 10_000 // runes
	MaxPack        = 100    // runes
)

// RightsText is the declaration a contributor makes; it is kept as it was worded.
const RightsText = "I made this recording, or hold the rights to license it as offered here."

// Description is what people write about a recording.
type Description struct {
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Category    string   `json:"category"`
	Pack        string   `json:"pack"` // name of one of the owner's packs; made when new; empty: none
	AITraining  bool     `json:"ai_training"`
	Rights      bool     `json:"rights"` // the declaration RightsText was made
	Place       *Place   `json:"-"`      // nil: not told. History does not keep it: who takes a place back is not to be found by it
}

// Clean is d as Describe would keep it: texts without control characters and cut to their limits, tags lower-cased and without
// doubles.
func (d Description) Clean() Description {
	d.Title = cleanLine(d.Title, MaxTitle)
	d.Description = CleanText(d.Description, MaxDescription)
	d.Pack = cleanLine(d.Pack, MaxPack)
	d.Tags = CleanTags(d.Tags)
	if d.Place != nil {
		at := d.Place.rounded()
		d.Place = &at
	}
	return d
}

// cleanLine makes one line of printable text of at most max runes.
func cleanLine(s string, max int) string {
	return strings.Join(strings.Fields(CleanText(s, max)), " ")
}

// CleanText drops invalid UTF-8, NUL, control and direction-overriding characters, and cuts at max runes.
func CleanText(s string, max int) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0xFEFF:
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > max {
		s = strings.TrimSpace(string([]rune(s)[:max]))
	}
	return s
}

// SplitTags splits what people type into tags: by commas when there are any, else by white space.
func SplitTags(text string) []string { return CleanTags(words(text)) }

func words(text string) []string {
	if strings.ContainsAny(text, ",;\n") {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' })
	}
	return strings.Fields(text)
}

// maxTag is the longest tag in runes.
const maxTag = 40

// LengthRefused says why not all of a text that a person typed can be kept, or "". most counts runes.
func LengthRefused(text string, most int) string {
	if n := utf8.RuneCountInString(strings.TrimSpace(text)); n > most {
		return fmt.Sprintf("This has %d characters, and may have %d. Shorten it.", n, most)
	}
	return ""
}

// TagsRefused says why not all of what a person typed can be kept as tags, or "". What files say is cut without a word.
func TagsRefused(text string) string {
	seen := map[string]bool{}
	for _, w := range words(text) {
		t := cleanTag(w)
		if utf8.RuneCountInString(t) > maxTag {
			return fmt.Sprintf("“%s…” is too long for a tag: it may have %d letters.", string([]rune(t)[:20]), maxTag)
		}
		if t != "" {
			seen[t] = true
		}
	}
	if len(seen) > MaxTags {
		return fmt.Sprintf("These are %d tags, and a recording may have %d. Take some out.", len(seen), MaxTags)
	}
	return ""
}

// CleanTags lower-cases tags, keeps letters, digits, spaces, dashes and #+.', drops doubles, and keeps at most 30 of at most
// 40 runes.
func CleanTags(tags []string) []string {
	var out []string
	for _, t := range tags {
		t = cleanTag(t)
		if t == "" || utf8.RuneCountInString(t) > maxTag || slices.Contains(out, t) {
			continue
		}
		if out = append(out, t); len(out) == MaxTags {
			break
		}
	}
	return out
}

func cleanTag(t string) string {
	t = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune(" -#+.'", r) {
			return unicode.ToLower(r)
		}
		return ' '
	}, cleanLine(t, 60))
	return strings.Trim(strings.Join(strings.Fields(t), " "), "-.' ")
}

// Problem is what still keeps a recording from being submitted: a field and a sentence.
type Problem struct{ Field, Text string }

// Problems lists what is missing before r can be submitted.
func Problems(r Recording, tags []string, hasOffer bool) []Problem {
	var out []Problem
	if r.Title == "" {
		out = append(out, Problem{"title", "Add a title."})
	}
	if len(tags) < MinTags {
		out = append(out, Problem{"tags", fmt.Sprintf("Add tags: %d of at least %d.", len(tags), MinTags)})
	}
	if _, ok := taxonomy.Find(r.Category); !ok {
		out = append(out, Problem{"category", "Choose a category."})
	}
	if !hasOffer {
		out = append(out, Problem{"offers", "Choose at least one license."})
	}
	if r.RightsAt == 0 {
		out = append(out, Problem{"rights", "Declare that you hold the rights."})
	}
	switch r.Processing {
	case Failed:
		out = append(out, Problem{"file", r.ProcessingNote})
	case Queued, Analyzing:
		out = append(out, Problem{"file", "Still being analyzed."})
	}
	return out
}

// Describe changes a recording's description, in tx. After publishing, what it said before is kept in its history.
func (s *Store) Describe(ctx context.Context, tx *db.Tx, editor access.Actor, id int64, d Description) error {
	r, err := s.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.State == Submitted {
		return web.Refuse(http.StatusConflict, "This recording is being reviewed. Its description can be changed again when the review is done.")
	}
	d = d.Clean()
	if d.Category != "" {
		if _, ok := taxonomy.Find(d.Category); !ok {
			return web.Refuse(http.StatusUnprocessableEntity, "%q is no category of this site.", d.Category)
		}
	}
	tags, err := s.Tags(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.State == Published || r.State == Unpublished {
		for _, p := range Problems(Recording{Title: d.Title, Category: d.Category, RightsAt: 1, Processing: Ready}, d.Tags, true) {
			return web.Refuse(http.StatusUnprocessableEntity, "A published recording cannot lose this. %s", p.Text)
		}
		if err := s.keepHistory(ctx, tx, editor, r, tags); err != nil {
			return err
		}
	}
	pack := int64(0)
	if d.Pack != "" {
		if pack, err = s.packNamed(ctx, tx, r.OwnerID, d.Pack); err != nil {
			return err
		}
	}
	ai, rights, rightsAt := "no", r.Rights, r.RightsAt
	if d.AITraining {
		ai = "yes"
	}
	now := s.Now().UnixMicro()
	var lat, lon *float64
	zoom := int64(0)
	if p := d.Place; p != nil {
		if !p.Known() {
			return web.Refuse(http.StatusUnprocessableEntity, PlaceRefused)
		}
		lat, lon, zoom = &p.Lat, &p.Lon, p.Zoom
	}
	switch {
	case d.Rights && rightsAt == 0:
		rights, rightsAt = RightsText, now
	case !d.Rights && r.PublishedAt == 0:
		rights, rightsAt = "", 0
	}
	_, err = db.Exec(ctx, tx, `UPDATE recording SET title = $1, description = $2, category = $3, pack_id = $4, ai_training = $5, rights = $6, rights_at = $7, updated_at = $8,
		place_lat = $10, place_lon = $11, place_zoom = $12 WHERE id = $9`, d.Title, d.Description, d.Category, pack, ai, rights, rightsAt, now, id, lat, lon, zoom)
	if err != nil {
		return fmt.Errorf("describe recording %d: %w", id, err)
	}
	if err := s.setTags(ctx, tx, id, d.Tags); err != nil {
		return err
	}
	s.Feed.Note(ctx, tx, "recording", id)
	return nil
}

// Version is what a recording said until an edit.
type Version struct {
	EditorID int64  `db:"editor_id"`
	At       int64  `db:"at"`
	Was      string `db:"was"` // JSON of Past
}

// Past is a description with the offers that stood beside it: prices as typed by license code, "" for free ones. Offers is nil in
// versions that were kept before offers were.
type Past struct {
	Description
	Offers map[string]string `json:"offers"`
}

// Remember keeps in the history of a recording that was published once what it says now, in tx: its offers are about to change, and
// nothing else.
func (s *Store) Remember(ctx context.Context, tx *db.Tx, editor access.Actor, id int64) error {
	r, err := s.ByID(ctx, tx, id)
	if err != nil || r.State != Published && r.State != Unpublished {
		return err
	}
	tags, err := s.Tags(ctx, tx, id)
	if err != nil {
		return err
	}
	return s.keepHistory(ctx, tx, editor, r, tags)
}

func (s *Store) keepHistory(ctx context.Context, tx *db.Tx, editor access.Actor, r Recording, tags []string) error {
	pack := ""
	if r.PackID != 0 {
		p, err := s.PackByID(ctx, tx, r.PackID)
		if err != nil {
			return err
		}
		pack = p.Name
	}
	offers, err := s.Offers(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	was, err := json.Marshal(Past{Offers: offers, Description: Description{Title: r.Title, Description: r.Description, Tags: tags, Category: r.Category, Pack: pack,
		AITraining: r.AITraining == "yes", Rights: r.RightsAt != 0}})
	if err != nil {
		return err
	}
	id, err := tx.NewID(ctx, "recording_edit")
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO recording_edit (id, recording_id, editor_id, at, was) VALUES ($1, $2, $3, $4, $5)`, id, r.ID, editor.ID, s.Now().UnixMicro(), string(was))
	if err != nil {
		return fmt.Errorf("keep history of recording %d: %w", r.ID, err)
	}
	return nil
}

// History lists earlier versions of a recording's description and offers, newest first.
func (s *Store) History(ctx context.Context, id int64) ([]Version, error) {
	return db.Query[Version](ctx, s.DB, `SELECT editor_id, at, was FROM recording_edit WHERE recording_id = $1 ORDER BY at DESC, id DESC LIMIT 100`, id)
}

// Tags lists a recording's tags in the contributor's order.
func (s *Store) Tags(ctx context.Context, q db.Querier, id int64) ([]string, error) {
	return db.Query[string](ctx, q, `SELECT tag FROM recording_tag WHERE recording_id = $1 ORDER BY position`, id)
}

// TagsOf lists the tags of several recordings.
func (s *Store) TagsOf(ctx context.Context, ids []int64) (map[int64][]string, error) {
	type row struct {
		ID  int64  `db:"recording_id"`
		Tag string `db:"tag"`
	}
	in, args := db.In(1, ids)
	rows, err := db.Query[row](ctx, s.DB, `SELECT recording_id, tag FROM recording_tag WHERE recording_id IN (`+in+`) ORDER BY recording_id, position`, args...)
	if err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	out := map[int64][]string{}
	for _, r := range rows {
		out[r.ID] = append(out[r.ID], r.Tag)
	}
	return out, nil
}

func (s *Store) setTags(ctx context.Context, tx *db.Tx, id int64, tags []string) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM recording_tag WHERE recording_id = $1`, id); err != nil {
		return fmt.Errorf("tags of recording %d: %w", id, err)
	}
	for i, t := range tags {
		if _, err := db.Exec(ctx, tx, `INSERT INTO recording_tag (recording_id, tag, position) VALUES ($1, $2, $3)`, id, t, i); err != nil {
			return fmt.Errorf("tags of recording %d: %w", id, err)
		}
	}
	return nil
}

// Pack is a named set of one contributor's recordings.
type Pack struct {
	ID          int64  `db:"id"`
	OwnerID     int64  `db:"owner_id"`
	Name        string `db:"name"`
	Description string `db:"description"`
	CreatedAt   int64  `db:"created_at"`
}

// PackByID finds a pack.
func (s *Store) PackByID(ctx context.Context, q db.Querier, id int64) (Pack, error) {
	p, err := db.Get[Pack](ctx, q, `SELECT id, owner_id, name, description, created_at FROM pack WHERE id = $1`, id)
	if err != nil {
		return p, fmt.Errorf("pack %d: %w", id, err)
	}
	return p, nil
}

// PacksByID finds several packs.
func (s *Store) PacksByID(ctx context.Context, ids []int64) (map[int64]Pack, error) {
	in, args := db.In(1, ids)
	rows, err := db.Query[Pack](ctx, s.DB, `SELECT id, owner_id, name, description, created_at FROM pack WHERE id IN (`+in+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("packs by id: %w", err)
	}
	out := map[int64]Pack{}
	for _, p := range rows {
		out[p.ID] = p
	}
	return out, nil
}

// Packs lists an owner's packs by name; owner 0 lists everybody's.
func (s *Store) Packs(ctx context.Context, owner int64) ([]Pack, error) {
	if owner == 0 {
		return db.Query[Pack](ctx, s.DB, `SELECT id, owner_id, name, description, created_at FROM pack ORDER BY created_at DESC, id DESC LIMIT 500`)
	}
	return db.Query[Pack](ctx, s.DB, `SELECT id, owner_id, name, description, created_at FROM pack WHERE owner_id = $1 ORDER BY name_folded`, owner)
}

func (s *Store) packNamed(ctx context.Context, tx *db.Tx, owner int64, name string) (int64, error) {
	folded := strings.ToLower(name)
	id, err := db.Get[int64](ctx, tx, `SELECT id FROM pack WHERE owner_id = $1 AND name_folded = $2`, owner, folded)
	if err == nil || !errors.Is(err, db.ErrNotFound) {
		return id, err
	}
	if id, err = tx.NewID(ctx, "pack"); err != nil {
		return 0, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO pack (id, owner_id, name, name_folded, created_at) VALUES ($1, $2, $3, $4, $5)`, id, owner, name, folded, s.Now().UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("make pack %q: %w", name, err)
	}
	return id, nil
}

// DescribePack changes a pack's text.
func (s *Store) DescribePack(ctx context.Context, tx *db.Tx, id int64, description string) error {
	_, err := db.Exec(ctx, tx, `UPDATE pack SET description = $1 WHERE id = $2`, CleanText(description, MaxDescription), id)
	if err != nil {
		return fmt.Errorf("describe pack %d: %w", id, err)
	}
	return nil
}
