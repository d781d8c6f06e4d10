package uploads

import (
	"context"
	"errors"
	"fmt"
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
	// Seen marks what the form showed when it was opened (said.marks): what another page saved meanwhile is joined with this edit,
	// and what both changed refuses it as *stale. Empty: the edit replaces whatever is kept.
	Seen string
	// Exact refuses the edit with ErrStale when anything at all was saved since Seen, also what this edit leaves alone.
	Exact bool
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
	kept, err := s.kept(ctx, tx, rec)
	if err != nil {
		return err
	}
	if e.Exact && e.Seen != kept.marks() {
		return fmt.Errorf("save recording %d: %w", id, ErrStale)
	}
	if e.Seen != "" {
		typed := said{e.Description.Clean(), e.Offers}
		if rec.PublishedAt != 0 {
			typed.desc.Rights = kept.desc.Rights // was declared, and is not asked any more
		}
		merged, both := merge(kept, typed, e.Seen)
		if len(both) > 0 {
			return &stale{kept: kept, merged: merged, both: both}
		}
		e.Description, e.Offers = merged.desc, merged.offers
	}
	switch {
	case changes(rec, kept.desc, e.Description) || rec.State == recordings.Submitted:
		if err := s.Recordings.Describe(ctx, tx, editor, id, e.Description); err != nil {
			return err
		}
	case e.SetOffers && offersText(kept.offers) != offersText(e.Offers):
		if err := s.Recordings.Remember(ctx, tx, editor, id); err != nil {
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

// kept is what a recording's form would say now.
func (s *Store) kept(ctx context.Context, q db.Querier, rec recordings.Recording) (said, error) {
	d, err := s.describing(ctx, q, rec)
	if err != nil {
		return said{}, err
	}
	had, err := s.Licensing.Offers(ctx, q, rec.ID)
	if err != nil {
		return said{}, err
	}
	return said{d, offersOf(had)}, nil
}

// changes tells whether d says anything else than what is kept, so that saving a form untouched leaves no trace in the history.
func changes(rec recordings.Recording, was, d recordings.Description) bool {
	d = d.Clean()
	same := was.Title == d.Title && was.Description == d.Description && was.Category == d.Category && was.Pack == d.Pack && was.AITraining == d.AITraining &&
		(was.Rights == d.Rights || rec.PublishedAt != 0) && was.Place.String() == d.Place.String() && slices.Equal(was.Tags, d.Tags)
	return !same
}

// Seen is what a form that is opened now carries as Edit.Seen: it changes with everything that Save changes.
func (s *Store) Seen(ctx context.Context, rec recordings.Recording) (string, error) {
	kept, err := s.kept(ctx, s.DB, rec)
	return kept.marks(), err
}

// Describing is what a recording says now.
func (s *Store) Describing(ctx context.Context, rec recordings.Recording) (recordings.Description, error) {
	return s.describing(ctx, s.DB, rec)
}

// describing is what a recording says now.
func (s *Store) describing(ctx context.Context, q db.Querier, rec recordings.Recording) (recordings.Description, error) {
	tags, err := s.Recordings.Tags(ctx, q, rec.ID)
	if err != nil {
		return recordings.Description{}, err
	}
	d := recordings.Description{Title: rec.Title, Description: rec.Description, Tags: tags, Category: rec.Category, AITraining: rec.AITraining == "yes", Rights: rec.RightsAt != 0, Place: rec.Place()}
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
