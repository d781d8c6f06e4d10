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
	return s.detail(ctx, id, s.finish)
}

// RefreshDetail measures the details of recordings that have none, or those of an older version of the program, as Refresh does.
func (s *Store) RefreshDetail(ctx context.Context, until time.Time) error {
	return s.round(ctx, until, func(failed []int64) (int64, error) {
		return s.Recordings.DetailedBefore(ctx, describe.DetailVersion, failed)
	},
		func(id int64) error {
			return s.detail(ctx, id, func(ctx context.Context, f func(*db.Tx) error) error { return s.DB.Tx(ctx, f) })
		})
}

// detail runs the second pass over a recording and commits what it found. A recording that cannot be listened to is left without details,
// and not asked again.
func (s *Store) detail(ctx context.Context, id int64, commit func(context.Context, func(*db.Tx) error) error) error {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) || err == nil && rec.Processing != recordings.Ready {
		return commit(ctx, func(*db.Tx) error { return nil }) // deleted meanwhile, or analyzed again, which asks for details itself
	}
	if err != nil {
		return err
	}
	object := "{}"
	err = s.run(ctx, rec, worker.Request{Outputs: []worker.Output{worker.Detail}, Tempo: rec.Tempo, Threads: 1}, nil, func(_ string, res worker.Result) error {
		object = string(res.Detailed)
		return nil
	})
	var failure *worker.Failure
	if errors.As(err, &failure) && failure.Code != worker.Storage {
		s.Log.Warn("a recording cannot be measured in detail", "recording", id, "code", failure.Code, "detail", failure.Detail)
		err = nil
	}
	if err != nil {
		return fmt.Errorf("measure recording %d in detail: %w", id, err)
	}
	return commit(ctx, func(tx *db.Tx) error { return s.Recordings.SaveDetail(ctx, tx, id, describe.DetailVersion, object) })
}
