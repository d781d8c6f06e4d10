package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest/worker"
	"audiomicro/internal/recordings"
)

// mostFailures is how many recordings may fail for reasons of the machine before a round of the background ends: then they all would.
const mostFailures = 20

// Refresh listens again to recordings that an older version of the program described, one after the other, until none is left, the clock
// says until, or somebody waits for the worker. Their previews stay, and what people wrote; what was measured and drawn is replaced. One that
// cannot be listened to any more keeps what it has and, where its vector is of an older version, sounds like nothing.
func (s *Store) Refresh(ctx context.Context, until time.Time) error {
	err := s.round(ctx, until, func(failed []int64) (int64, error) {
		return s.Recordings.DescribedBefore(ctx, describe.Version, failed)
	},
		func(id int64) error { return s.refresh(ctx, id) })
	return errors.Join(err, s.round(ctx, until, func(failed []int64) (int64, error) { return s.Recordings.ContourBefore(ctx, contour.Version, failed) },
		func(id int64) error { return s.follow(ctx, id) }))
}

// round does the work of the background on one recording after the other: next finds one that it is not done on, and do does it. What fails
// is left for another round and does not keep the others waiting.
func (s *Store) round(ctx context.Context, until time.Time, next func(failed []int64) (int64, error), do func(id int64) error) error {
	var failed []int64
	var errs []error
	for s.Recordings.Now().Before(until) && len(failed) < mostFailures {
		if s.Wanted != nil {
			if wanted, err := s.Wanted(ctx); err != nil || wanted {
				return errors.Join(append(errs, err)...)
			}
		}
		id, err := next(failed)
		if errors.Is(err, db.ErrNotFound) {
			break
		}
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := do(id); err != nil {
			if ctx.Err() != nil {
				return err
			}
			failed, errs = append(failed, id), append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// follow follows the melody and the rhythm of a recording that was listened to before there were any; nothing else of it changes.
func (s *Store) follow(ctx context.Context, id int64) error {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	found := recordings.Contour{ID: id}
	err = s.pass(ctx, rec, worker.Request{Size: rec.ByteSize, Outputs: []worker.Output{worker.Hear}, FFmpegPath: s.FFmpeg, MaxSeconds: s.MaxSeconds, To: contour.Seconds, Threads: 1}, nil,
		func(_ string, res worker.Result) error {
			found.Melody, found.Rhythm = res.Heard.Melody, res.Heard.Rhythm
			return nil
		})
	var failure *worker.Failure
	if errors.As(err, &failure) && failure.Code != worker.Storage {
		s.Log.Warn("a recording's melody and rhythm cannot be followed", "recording", id, "code", failure.Code, "detail", failure.Detail)
	} else if err != nil {
		return fmt.Errorf("follow the melody of recording %d: %w", id, err)
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.SaveContour(ctx, tx, contour.Version, found) })
}

func (s *Store) refresh(ctx context.Context, id int64) error {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	var a recordings.Analysis
	var media []recordings.Media
	err = s.run(ctx, rec, worker.Request{Outputs: []worker.Output{worker.Analysis}, Threads: 1}, nil, func(dir string, res worker.Result) (err error) {
		if a, err = s.analysisOf(res); err != nil {
			return err
		}
		media, err = s.keep(ctx, dir, res)
		return err
	})
	var failure *worker.Failure
	if errors.As(err, &failure) && failure.Code != worker.Storage {
		s.Log.Warn("a recording cannot be described again", "recording", id, "code", failure.Code, "detail", failure.Detail)
		return s.DB.Tx(ctx, func(tx *db.Tx) error {
			return s.Recordings.KeepDescription(ctx, tx, id, likeness.Version, describe.Version)
		})
	}
	if err != nil {
		return fmt.Errorf("describe recording %d again: %w", id, err)
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		err := s.Recordings.SaveAnalysis(ctx, tx, id, a, media)
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		return err
	})
}
