package uploads

import (
	"context"
	"crypto/md5" // the Freesound API shows it; nothing relies on it
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"audiomicro/internal/audio/meta"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// fileTags is what an original says about itself.
type fileTags struct {
	meta.Tags
	kind     sniff.Kind
	canStrip bool
	personal []PersonalField
	nameTags []string
}

// PersonalField is a statement of a file about a person.
type PersonalField struct {
	meta.Field
	Key string // names it to Strip
}

// fieldKey names a field in forms: the same statement always has the same key.
func fieldKey(f meta.Field) string {
	sum := sha256.Sum256([]byte(f.Source + "\x00" + f.Name + "\x00" + f.Value))
	return hex.EncodeToString(sum[:8])
}

// fileTags reads the tags of a recording's original. A file that cannot be read any more has none: the page must still open.
func (s *Store) fileTags(ctx context.Context, rec recordings.Recording) (fileTags, error) {
	var t fileTags
	_, t.nameTags, _ = meta.FromFileName(rec.FileName)
	f, err := s.Blobs.Open(ctx, blob.Ref(rec.SHA256))
	if err != nil {
		return t, fmt.Errorf("tags of recording %d: %w", rec.ID, err)
	}
	defer f.Close()
	if t.kind, err = kindOf(f); err != nil {
		return t, nil
	}
	t.canStrip = meta.CanStrip(t.kind)
	if t.Tags, err = meta.Read(f, f.Size(), t.kind); err != nil {
		return t, fmt.Errorf("tags of recording %d: %w", rec.ID, err)
	}
	seen := map[string]bool{}
	for _, field := range t.Fields {
		if key := fieldKey(field); field.Personal && !seen[key] {
			seen[key] = true
			t.personal = append(t.personal, PersonalField{field, key})
		}
	}
	return t, nil
}

func kindOf(f blob.File) (sniff.Kind, error) {
	head := make([]byte, sniffBytes)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return sniff.Kind{}, err
	}
	return sniff.Detect(head[:n])
}

// PersonalFields lists what a recording's original says about persons, and tells whether Strip can take it out.
func (s *Store) PersonalFields(ctx context.Context, rec recordings.Recording) (fields []PersonalField, strips bool, err error) {
	t, err := s.fileTags(ctx, rec)
	return t.personal, t.canStrip, err
}

// Strip takes fields out of a draft's original, by their keys: the sound stays the same to the bit, the file becomes another
// one. The file as it was goes to the trash unless somebody else's recording has it.
func (s *Store) Strip(ctx context.Context, id int64, refused []string) error {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if err != nil {
		return err
	}
	if rec.PublishedAt != 0 || rec.State != recordings.Draft && rec.State != recordings.Returned {
		return web.Refuse(http.StatusConflict, "The file can be changed only before it is submitted.")
	}
	src, err := s.Blobs.Open(ctx, blob.Ref(rec.SHA256))
	if err != nil {
		return fmt.Errorf("strip recording %d: %w", id, err)
	}
	defer src.Close()
	kind, err := kindOf(src)
	if err != nil {
		return fmt.Errorf("strip recording %d: %w", id, err)
	}
	if !meta.CanStrip(kind) {
		return web.Refuse(http.StatusUnprocessableEntity, "Fields cannot be taken out of a %s file here. Take them out before you upload it.", kind)
	}
	out := map[string]bool{}
	for _, key := range refused {
		out[key] = true
	}
	r, w := io.Pipe()
	sum := md5.New()
	go func() {
		err := meta.Strip(io.MultiWriter(w, sum), src, src.Size(), kind, func(f meta.Field) bool { return !out[fieldKey(f)] })
		w.CloseWithError(err)
	}()
	ref, size, err := s.Blobs.Put(ctx, r)
	r.CloseWithError(io.ErrClosedPipe) // ends the writer when Put gave up first
	if err != nil {
		return fmt.Errorf("strip recording %d: %w", id, full(err))
	}
	if string(ref) == rec.SHA256 {
		return nil
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Recordings.ReplaceOriginal(ctx, tx, id, rec.SHA256, string(ref), hex.EncodeToString(sum.Sum(nil)), size)
	})
	if err != nil {
		s.dropBytes(ctx, string(ref))
		return err
	}
	s.dropBytes(ctx, rec.SHA256)
	return nil
}

// stripForm is the one-button form that takes out every personal field, or all but those named by keep.
func (s *Store) stripForm(r *http.Request, rec recordings.Recording) (told, next string, err error) {
	t, err := s.fileTags(r.Context(), rec)
	if err != nil {
		return "", "", err
	}
	keep := map[string]bool{}
	for _, key := range r.PostForm["keep"] {
		keep[key] = true
	}
	var refused []string
	for _, f := range t.personal {
		if !keep[f.Key] {
			refused = append(refused, f.Key)
		}
	}
	if len(refused) == 0 {
		return "There is nothing to take out.", editURL(rec.ID), nil
	}
	return "The personal fields are taken out of the file.", editURL(rec.ID), s.Strip(r.Context(), rec.ID, refused)
}
