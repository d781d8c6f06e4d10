package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"audiomicro/internal/blob"
	"audiomicro/internal/db"
)

// Diagnosis is what doctor found.
type Diagnosis struct {
	Problems []string `json:"problems"` // something is wrong: look at it
	Notes    []string `json:"notes"`    // worth knowing, nothing is wrong
	Blobs    int      `json:"blobs"`    // contents that rows refer to
	Read     int      `json:"read"`     // of them, how many were read and hashed again
}

// Doctor compares rows with bytes, licenses with orders and certificates, and the book with itself, while the site runs.
// readData reads every content again and compares its hash.
//
// A site at work changes between two questions, so that one answer may not fit the other: what looks wrong is asked again,
// and only what is still wrong is a problem.
func (a *App) Doctor(ctx context.Context, readData bool) (Diagnosis, error) {
	d, err := a.diagnose(ctx, readData)
	for try := 0; err == nil && len(d.Problems) > 0 && try < 2; try++ {
		again, err := a.diagnose(ctx, readData)
		if err != nil {
			return d, err
		}
		again.Problems = slices.DeleteFunc(again.Problems, func(p string) bool { return !slices.Contains(d.Problems, p) })
		d = again
	}
	return d, err
}

func (a *App) diagnose(ctx context.Context, readData bool) (Diagnosis, error) {
	d := Diagnosis{Problems: []string{}, Notes: []string{}}
	checks := []func(context.Context, *Diagnosis) error{
		a.checkEngine,
		func(ctx context.Context, d *Diagnosis) error { return a.checkBlobs(ctx, d, readData) },
		a.checkRecordings,
		a.checkUploads,
		a.gather(a.Ledger.Check), a.gather(a.Orders.Check), a.gather(a.Licensing.Check),
		a.checkPayments, a.checkUnheard, a.checkJobs,
	}
	for _, check := range checks {
		if err := check(ctx, &d); err != nil {
			return d, fmt.Errorf("doctor: %w", err)
		}
	}
	return d, nil
}

// gather makes a check of a domain's own list of problems.
func (a *App) gather(check func(context.Context) ([]string, error)) func(context.Context, *Diagnosis) error {
	return func(ctx context.Context, d *Diagnosis) error {
		list, err := check(ctx)
		d.Problems = append(d.Problems, list...)
		return err
	}
}

func (a *App) checkPayments(ctx context.Context, d *Diagnosis) error {
	notes, err := a.Payments.Notes(ctx)
	d.Notes = append(d.Notes, notes...)
	return err
}

func (a *App) checkEngine(ctx context.Context, d *Diagnosis) error {
	if a.DB.Engine() != db.SQLite {
		return nil
	}
	lines, err := db.Query[string](ctx, a.DB, `SELECT integrity_check FROM pragma_integrity_check`)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l != "ok" {
			d.Problems = append(d.Problems, "SQLite: "+l)
		}
	}
	return nil
}

// checkBlobs looks for rows without bytes, bytes of another size than the row says, altered bytes, and bytes without a row.
func (a *App) checkBlobs(ctx context.Context, d *Diagnosis, readData bool) error {
	type row struct {
		Ref  string `db:"sha256"`
		Size int64  `db:"byte_size"`
		What string `db:"what"`
	}
	// The list of contents comes before the rows: a content that is new since then has no row in an older list, and the
	// other way round its row would be missing.
	have := map[string]int64{}
	err := a.Blobs.List(ctx, func(ref blob.Ref, size int64) error {
		have[string(ref)] = size
		return nil
	})
	if err != nil {
		return err
	}
	rows, err := db.Query[row](ctx, a.DB, `SELECT sha256, byte_size, 'original of recording ' || id AS what FROM recording
		UNION ALL SELECT sha256, byte_size, name || ' of recording ' || recording_id AS what FROM recording_media
		UNION ALL SELECT picture_ref AS sha256, -1 AS byte_size, 'picture of account ' || account_id AS what FROM profile WHERE picture_ref <> ''`)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, r := range rows {
		size, ok := have[r.Ref]
		if !ok {
			// It may have been stored after the list was made.
			size, err = a.Blobs.Stat(ctx, blob.Ref(r.Ref))
			if err != nil && !errors.Is(err, blob.ErrNotFound) {
				return err
			}
			ok = err == nil
		}
		switch {
		case !ok:
			d.Problems = append(d.Problems, fmt.Sprintf("%s: its bytes %s are not in the blob store", r.What, r.Ref))
		case r.Size >= 0 && size != r.Size:
			d.Problems = append(d.Problems, fmt.Sprintf("%s: its bytes have %d bytes, the row says %d", r.What, size, r.Size))
		case readData && !used[r.Ref]:
			switch err := a.Blobs.Verify(ctx, blob.Ref(r.Ref)); {
			case errors.Is(err, blob.ErrCorrupt):
				d.Problems = append(d.Problems, fmt.Sprintf("%s: its bytes %s are altered", r.What, r.Ref))
			case err != nil:
				return err
			}
			d.Read++
		}
		used[r.Ref] = true
	}
	d.Blobs = len(used)
	orphans := 0
	for ref := range have {
		if !used[ref] {
			orphans++
		}
	}
	if orphans > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d contents belong to no row (drafts that were deleted, or passes that were interrupted); they take room and do no harm", orphans))
	}
	return nil
}

func (a *App) checkRecordings(ctx context.Context, d *Diagnosis) error {
	type row struct {
		ID   int64  `db:"id"`
		What string `db:"what"`
	}
	rows, err := db.Query[row](ctx, a.DB, `
		SELECT id, 'is ready without a preview' AS what FROM recording r WHERE processing = 'ready' AND NOT EXISTS (SELECT 1 FROM recording_media m WHERE m.recording_id = r.id AND m.name = 'preview-hq.opus')
		UNION ALL SELECT id, 'is published without being offered' AS what FROM recording r WHERE state = 'published' AND NOT EXISTS (SELECT 1 FROM recording_price p WHERE p.recording_id = r.id)
		UNION ALL SELECT id, 'says paid differently from its offers' AS what FROM recording r JOIN recording_price p ON p.recording_id = r.id WHERE r.paid <> p.paid
		UNION ALL SELECT r.id, 'waits for review without an open review' AS what FROM recording r WHERE r.state = 'submitted' AND NOT EXISTS (SELECT 1 FROM review v WHERE v.recording_id = r.id AND v.state = 'open')
		UNION ALL SELECT v.recording_id, 'has an open review and is not submitted' AS what FROM review v JOIN recording r ON r.id = v.recording_id WHERE v.state = 'open' AND r.state <> 'submitted'`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		d.Problems = append(d.Problems, fmt.Sprintf("recording %d %s", r.ID, r.What))
	}
	return nil
}

// checkUploads compares what was acknowledged of unfinished uploads with what is staged.
func (a *App) checkUploads(ctx context.Context, d *Diagnosis) error {
	list, err := a.Uploads.AllUnfinished(ctx)
	if err != nil {
		return err
	}
	for _, u := range list {
		staged, err := a.Blobs.StageSize(ctx, u.Stage())
		if err != nil {
			return err
		}
		// A finished commit whose row is not written yet has no stage any more; the sweep finishes it.
		if staged < u.Received && !(staged == 0 && u.Received == u.ByteSize) {
			d.Problems = append(d.Problems, fmt.Sprintf("upload %d: %d bytes were acknowledged, %d are there", u.ID, u.Received, staged))
		}
	}
	return nil
}

// checkUnheard tells what the background cannot listen to. What lies with the bytes, the comparison with the store tells as a problem.
func (a *App) checkUnheard(ctx context.Context, d *Diagnosis) error {
	const named = 20
	list, err := a.Recordings.Unheard(ctx, named)
	for _, u := range list {
		ids := strings.Trim(fmt.Sprint(u.IDs), "[]")
		if u.Count > named {
			ids += fmt.Sprintf(" and %d more", u.Count-named)
		}
		d.Notes = append(d.Notes, fmt.Sprintf("originals that the background cannot listen to (%s): %d, of recordings %s; see /admin/formats", u.Reason, u.Count, ids))
	}
	return err
}

func (a *App) checkJobs(ctx context.Context, d *Diagnosis) error {
	s, err := a.Jobs.Stats(ctx)
	if err != nil {
		return err
	}
	if s.Dead > 0 {
		dead, err := a.Jobs.Dead(ctx, 10)
		if err != nil {
			return err
		}
		for _, j := range dead {
			d.Problems = append(d.Problems, fmt.Sprintf("job %d (%s %s) failed for good after %d attempts: %s", j.ID, j.Kind, j.Args, j.Attempts, j.Error))
		}
	}
	if s.Queued+s.Running+s.Retrying > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("jobs: %d wait, %d run, %d will be tried again", s.Queued, s.Running, s.Retrying))
	}
	return nil
}
