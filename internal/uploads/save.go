package uploads

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"audiomicro/internal/access"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// Edit is what a contributor says about a recording.
type Edit struct {
	Description recordings.Description
	// Offers replace the recording's offers when SetOffers is true.
	Offers    []licensing.Offer
	SetOffers bool
	// Imports allows license models that are only for imported recordings.
	Imports bool
	// Submit asks for review as soon as the analysis is done.
	Submit bool
}

// Save keeps an edit in one transaction: the description with its history, the offers, and whether the recording is paid. The
// caller has asked access.Can. What the contributor must mend comes back as web.Public with status 422, a wrong state with 409.
func (s *Store) Save(ctx context.Context, editor access.Actor, id int64, e Edit) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.save(ctx, tx, editor, id, e) })
}

func (s *Store) save(ctx context.Context, tx *db.Tx, editor access.Actor, id int64, e Edit) error {
	if err := s.Recordings.Lock(ctx, tx, id); err != nil {
		return err
	}
	rec, err := s.Recordings.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	changed, err := s.changes(ctx, tx, rec, e.Description)
	if err != nil {
		return err
	}
	if changed || rec.State == recordings.Submitted {
		if err := s.Recordings.Describe(ctx, tx, editor, id, e.Description); err != nil {
			return err
		}
	}
	if err := s.saveOffers(ctx, tx, rec, e); err != nil || !e.Submit {
		return err
	}
	return s.Recordings.SubmitWhenReady(ctx, tx, id)
}

func (s *Store) saveOffers(ctx context.Context, tx *db.Tx, rec recordings.Recording, e Edit) error {
	if !e.SetOffers {
		return nil
	}
	if rec.PublishedAt != 0 && len(e.Offers) == 0 {
		return web.Refuse(http.StatusUnprocessableEntity, "A published recording needs at least one license.")
	}
	change, err := s.Licensing.SetOffers(ctx, tx, rec.ID, e.Offers, e.Imports)
	if err != nil {
		return err
	}
	s.Feed.Note(ctx, tx, "recording", rec.ID) // its price may have changed and nothing else
	return s.Recordings.SetPaid(ctx, tx, rec.ID, change.Paid)
}

// changes tells whether d says anything else than what is kept, so that saving a form untouched leaves no trace in the history.
func (s *Store) changes(ctx context.Context, tx *db.Tx, rec recordings.Recording, d recordings.Description) (bool, error) {
	was, err := s.describing(ctx, tx, rec)
	if err != nil {
		return false, err
	}
	d = d.Clean()
	same := was.Title == d.Title && was.Description == d.Description && was.Category == d.Category && was.Pack == d.Pack && was.AITraining == d.AITraining &&
		(was.Rights == d.Rights || rec.PublishedAt != 0) && slices.Equal(was.Tags, d.Tags)
	return !same, nil
}

// describing is what a recording says now.
func (s *Store) describing(ctx context.Context, q db.Querier, rec recordings.Recording) (recordings.Description, error) {
	tags, err := s.Recordings.Tags(ctx, q, rec.ID)
	if err != nil {
		return recordings.Description{}, err
	}
	d := recordings.Description{Title: rec.Title, Description: rec.Description, Tags: tags, Category: rec.Category, AITraining: rec.AITraining == "yes", Rights: rec.RightsAt != 0}
	if rec.PackID != 0 {
		p, err := s.Recordings.PackByID(ctx, q, rec.PackID)
		if err != nil {
			return d, err
		}
		d.Pack = p.Name
	}
	return d, nil
}

// dropBytes moves content that no recording refers to any more to the trash; a failure leaves an orphan that doctor finds.
func (s *Store) dropBytes(ctx context.Context, refs ...string) {
	ctx = context.WithoutCancel(ctx)
	for _, ref := range refs {
		if err := s.dropOne(ctx, ref); err != nil && !errors.Is(err, blob.ErrNotFound) {
			s.Log.Warn("drop unused content", "sha256", ref, "err", err)
		}
	}
}

func (s *Store) dropOne(ctx context.Context, ref string) error {
	used, err := s.Recordings.Uses(ctx, ref)
	if err != nil || used {
		return err
	}
	if err := s.Blobs.Delete(ctx, blob.Ref(ref)); err != nil {
		return err
	}
	if used, err = s.Recordings.Uses(ctx, ref); err != nil || used { // somebody sent the same bytes meanwhile
		return errors.Join(err, s.Blobs.Restore(ctx, blob.Ref(ref)))
	}
	return nil
}
