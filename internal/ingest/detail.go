package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"audiomicro/internal/audio/describe"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest/worker"
	"audiomicro/internal/recordings"
)

// Detail measures what takes longer of an analyzed recording and ends the running job. What was measured already stays.
func (s *Store) Detail(ctx context.Context, id int64) error {
	have, err := s.Recordings.DetailVersion(ctx, id)
	if err != nil {
		return err
	}
	if have >= describe.DetailVersion {
		return s.finish(ctx, func(*db.Tx) error { return nil }) // the background was faster
	}
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) || err == nil && rec.Processing != recordings.Ready {
		return s.finish(ctx, func(*db.Tx) error { return nil }) // deleted meanwhile, or analyzed again, which asks for details itself
	}
	if err != nil {
		return err
	}
	err = s.detail(ctx, rec, s.finish)
	if err == nil || ctx.Err() != nil {
		return err
	}
	why, err := s.whyUnheard(ctx, rec, err)
	if err != nil {
		return fmt.Errorf("measure recording %d in detail: %w", id, err)
	}
	s.Log.Warn("a recording cannot be measured in detail; see /admin/formats", "recording", id, "reason", why)
	return s.finish(ctx, func(tx *db.Tx) error { return s.Recordings.NoteUnheard(ctx, tx, id, recordings.Detailing, why) })
}

// RefreshDetail measures the details of recordings that have none, or those of an older version of the program, as Refresh does.
func (s *Store) RefreshDetail(ctx context.Context, until time.Time) error {
	return s.round(ctx, until, recordings.Detailing, func(except []int64) (int64, error) {
		return s.Recordings.DetailedBefore(ctx, describe.DetailVersion, except)
	}, func(ctx context.Context, rec recordings.Recording) error {
		return s.detail(ctx, rec, func(ctx context.Context, f func(*db.Tx) error) error { return s.DB.Tx(ctx, f) })
	})
}

// detail runs the second pass over a recording and commits what it found.
func (s *Store) detail(ctx context.Context, rec recordings.Recording, commit func(context.Context, func(*db.Tx) error) error) error {
	object := ""
	err := s.run(ctx, rec, worker.Request{Outputs: []worker.Output{worker.Detail}, Tempo: rec.Tempo, Threads: 1}, nil, func(_ string, res worker.Result) error {
		object = string(res.Detailed)
		return nil
	})
	if err != nil {
		return err
	}
	return commit(ctx, func(tx *db.Tx) error { return s.Recordings.SaveDetail(ctx, tx, rec.ID, describe.DetailVersion, object) })
}
