package collections

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Added tells what an adding did.
type Added struct {
	Collection Collection
	New        int   // recordings that were not in it before
	At         int64 // names this adding for Unadd, unix microseconds
}

// Add puts published recordings at the end of a collection of the account. The collection is the one of that id, or with id 0 the one
// of that name, which is made when there is none. What is in it already stays where it is.
func (s *Store) Add(ctx context.Context, account, id int64, name string, ids []int64) (out Added, err error) {
	if len(ids) > MaxAtOnce {
		return out, web.Refuse(http.StatusUnprocessableEntity, "Add at most %d sounds at once.", MaxAtOnce)
	}
	recs, err := s.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return out, err
	}
	recs = slices.DeleteFunc(recs, func(r recordings.Recording) bool { return r.State != recordings.Published })
	if len(recs) == 0 {
		return out, web.NotFound()
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, lockOf(account)); err != nil {
			return err
		}
		c, made, err := s.target(ctx, tx, account, id, name)
		if err != nil {
			return err
		}
		out = Added{Collection: c, At: s.after(c.ChangedAt)}
		if made {
			out.At = c.CreatedAt // by which Unadd knows that the collection came with them
		}
		if out.New, err = s.put(ctx, tx, c.ID, recs, out.At); err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `UPDATE collection SET changed_at = $1 WHERE id = $2`, out.At, c.ID)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("add to collection: %w", err)
	}
	return out, nil
}

// target finds or makes the collection that Add means.
func (s *Store) target(ctx context.Context, tx *db.Tx, account, id int64, name string) (c Collection, made bool, err error) {
	if id != 0 {
		c, err = s.ByID(ctx, tx, id)
		if err == nil && (c.AccountID != account || c.DeletedAt != 0) {
			err = db.ErrNotFound
		}
		return c, false, err
	}
	if name, err = cleanName(name); err != nil {
		return c, false, err
	}
	have, err := db.Get[int64](ctx, tx, `SELECT id FROM collection WHERE account_id = $1 AND name_folded = $2 AND deleted_at = 0 ORDER BY created_at, id LIMIT 1`, account, strings.ToLower(name))
	if errors.Is(err, db.ErrNotFound) {
		c, err = s.create(ctx, tx, account, name)
		return c, true, err
	}
	if err == nil {
		c, err = s.ByID(ctx, tx, have)
	}
	return c, false, err
}

// gap is the room between two places: thirty recordings fit between any two before all places are dealt anew.
const gap = 1 << 30

// put writes what is new of recs behind the last item.
func (s *Store) put(ctx context.Context, tx *db.Tx, id int64, recs []recordings.Recording, at int64) (int, error) {
	type row struct {
		RecordingID int64 `db:"recording_id"`
		Place       int64 `db:"place"`
		RemovedAt   int64 `db:"removed_at"`
	}
	rows, err := db.Query[row](ctx, tx, `SELECT recording_id, place, removed_at FROM collection_item WHERE collection_id = $1`, id)
	if err != nil {
		return 0, err
	}
	in, last := map[int64]bool{}, int64(0)
	for _, r := range rows {
		last = max(last, r.Place)
		if r.RemovedAt == 0 {
			in[r.RecordingID] = true
		}
	}
	fresh := 0
	for _, r := range recs {
		if in[r.ID] {
			continue
		}
		in[r.ID] = true
		if fresh++; len(in) > MaxItems {
			return 0, web.Refuse(http.StatusUnprocessableEntity, "A collection holds %s sounds. Begin another one.", ui.Count(MaxItems))
		}
		item, err := tx.NewID(ctx, "collection_item")
		if err != nil {
			return 0, err
		}
		last += gap
		_, err = db.Exec(ctx, tx, `INSERT INTO collection_item (id, collection_id, recording_id, place, added_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (collection_id, recording_id) DO UPDATE SET place = excluded.place, added_at = excluded.added_at, removed_at = 0`, item, id, r.ID, last, at)
		if err != nil {
			return 0, err
		}
	}
	return fresh, nil
}

// Unadd takes back one adding: its recordings leave, and a collection that was made for them and holds nothing else goes too.
func (s *Store) Unadd(ctx context.Context, account, id, at int64) error {
	err := s.change(ctx, account, id, func(tx *db.Tx, c Collection) error {
		n, err := db.Exec(ctx, tx, `UPDATE collection_item SET removed_at = $1 WHERE collection_id = $2 AND added_at = $3 AND removed_at = 0`, s.Now().UnixMicro(), id, at)
		if err != nil || n == 0 || c.CreatedAt != at || c.Shown+c.Gone != n {
			return err
		}
		_, err = db.Exec(ctx, tx, `UPDATE collection SET deleted_at = $1 WHERE id = $2`, s.Now().UnixMicro(), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("take back an adding to collection %d: %w", id, err)
	}
	return nil
}

// Remove takes an item out. Unremove brings it back within a day.
func (s *Store) Remove(ctx context.Context, account, id, item int64) error {
	return s.markItem(ctx, account, id, `UPDATE collection_item SET removed_at = $1 WHERE id = $2 AND collection_id = $3 AND removed_at = 0`, s.Now().UnixMicro(), item, id)
}

// Unremove brings an item back to its place.
func (s *Store) Unremove(ctx context.Context, account, id, item int64) error {
	return s.markItem(ctx, account, id, `UPDATE collection_item SET removed_at = 0 WHERE id = $1 AND collection_id = $2 AND removed_at <> 0`, item, id)
}

// RemoveRecording takes a recording out of a collection.
func (s *Store) RemoveRecording(ctx context.Context, account, id, recording int64) error {
	return s.markItem(ctx, account, id, `UPDATE collection_item SET removed_at = $1 WHERE recording_id = $2 AND collection_id = $3 AND removed_at = 0`, s.Now().UnixMicro(), recording, id)
}

func (s *Store) markItem(ctx context.Context, account, id int64, statement string, args ...any) error {
	err := s.change(ctx, account, id, func(tx *db.Tx, _ Collection) error {
		n, err := db.Exec(ctx, tx, statement, args...)
		if err == nil && n == 0 {
			err = db.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("change an item of collection %d: %w", id, err)
	}
	return nil
}

// Annotate writes an item's note in the place of the one that was read; when it is another by now it is ErrChanged.
func (s *Store) Annotate(ctx context.Context, account, id, item int64, was, note string) error {
	note, err := cleanLong(note, MaxNote, "A note")
	if err != nil {
		return err
	}
	was = recordings.CleanText(was, MaxNote)
	err = s.change(ctx, account, id, func(tx *db.Tx, _ Collection) error {
		now, err := db.Get[string](ctx, tx, `SELECT note FROM collection_item WHERE id = $1 AND collection_id = $2 AND removed_at = 0`, item, id)
		if err == nil && now != was && now != note {
			err = ErrChanged
		}
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `UPDATE collection_item SET note = $1 WHERE id = $2`, note, item)
		return err
	})
	if err != nil {
		return fmt.Errorf("annotate item %d: %w", item, err)
	}
	return nil
}

// Where an item moves.
const (
	Up     = "up"     // before the one that is shown before it
	Down   = "down"   // behind the one that is shown behind it
	First  = "first"  // before all
	Before = "before" // before another item
	Behind = "behind" // behind another item
)

// place is an item as Move orders it.
type place struct {
	ID    int64 `db:"id"`
	Place int64 `db:"place"`
	Shown int64 `db:"shown"` // 1: its recording is published
}

// Move puts an item elsewhere in its collection; other names the one that Before and Behind mean. An other that is gone is
// db.ErrNotFound and moves nothing.
func (s *Store) Move(ctx context.Context, account, id, item int64, where string, other int64) error {
	err := s.change(ctx, account, id, func(tx *db.Tx, _ Collection) error {
		all, err := db.Query[place](ctx, tx, `SELECT i.id, i.place, CASE WHEN r.state = 'published' THEN 1 ELSE 0 END AS shown FROM collection_item i JOIN recording r ON r.id = i.recording_id
			WHERE i.collection_id = $1 AND i.removed_at = 0 ORDER BY i.place, i.id`, id)
		if err != nil {
			return err
		}
		from := slices.IndexFunc(all, func(p place) bool { return p.ID == item })
		if from < 0 {
			return db.ErrNotFound
		}
		to, ok := spot(all, from, where, other)
		if !ok {
			return db.ErrNotFound
		}
		if to == from || to == from+1 {
			return nil
		}
		return settle(ctx, tx, all, from, to)
	})
	if err != nil {
		return fmt.Errorf("move item %d: %w", item, err)
	}
	return nil
}

// spot is the index in all before which an item is to stand.
func spot(all []place, from int, where string, other int64) (int, bool) {
	switch where {
	case First:
		return 0, true
	case Up: // what is not shown is passed over: a press must be seen to move something
		for i := from - 1; i >= 0; i-- {
			if all[i].Shown == 1 {
				return i, true
			}
		}
		return from, true
	case Down:
		for i := from + 1; i < len(all); i++ {
			if all[i].Shown == 1 {
				return i + 1, true
			}
		}
		return from, true
	case Before, Behind:
		i := slices.IndexFunc(all, func(p place) bool { return p.ID == other })
		if where == Behind && i >= 0 {
			return i + 1, true
		}
		return i, i >= 0
	}
	return 0, false
}

// settle writes the place of all[from] so that it stands before all[to]; where no room is left between two, all are dealt anew.
func settle(ctx context.Context, tx *db.Tx, all []place, from, to int) error {
	low, high := int64(0), int64(0)
	if to > 0 {
		low = all[to-1].Place
	}
	if to < len(all) {
		high = all[to].Place
	} else {
		high = low + 2*gap
	}
	if to == 0 {
		low = high - 2*gap
	}
	const write = `UPDATE collection_item SET place = $1 WHERE id = $2`
	if high-low >= 2 {
		_, err := db.Exec(ctx, tx, write, low+(high-low)/2, all[from].ID)
		return err
	}
	moved := all[from]
	all = slices.Delete(slices.Clone(all), from, from+1)
	if to > from {
		to--
	}
	for i, p := range slices.Insert(all, to, moved) {
		if _, err := db.Exec(ctx, tx, write, int64(i+1)*gap, p.ID); err != nil {
			return err
		}
	}
	return nil
}
