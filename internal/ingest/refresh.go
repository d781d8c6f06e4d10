package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest/worker"
	"audiomicro/internal/recordings"
)

// Refresh listens again to recordings that an older version of the program described, one after the other, until none is left or the
// clock says until. Their previews stay; what was measured and drawn is replaced. One that cannot be listened to any more keeps
// what it has and sounds like nothing.
func (s *Store) Refresh(ctx context.Context, until time.Time) error {
	for s.Recordings.Now().Before(until) {
		id, err := s.Recordings.DescribedBefore(ctx, likeness.Version)
		if errors.Is(err, db.ErrNotFound) {
			return s.contours(ctx, until)
		}
		if err != nil {
			return err
		}
		if err := s.refresh(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// contours follows the melody and the rhythm of recordings that were listened to before there were any; nothing else of them changes.
func (s *Store) contours(ctx context.Context, until time.Time) error {
	for s.Recordings.Now().Before(until) {
		id, err := s.Recordings.ContourBefore(ctx, contour.Version)
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		rec, err := s.Recordings.ByID(ctx, s.DB, id)
		if errors.Is(err, db.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		found := recordings.Contour{ID: id}
		err = s.pass(ctx, rec, worker.Request{Size: rec.ByteSize, Outputs: []worker.Output{worker.Hear}, FFmpegPath: s.FFmpeg, MaxSeconds: s.MaxSeconds, To: contour.Seconds}, nil,
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
		if err := s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.SaveContour(ctx, tx, contour.Version, found) }); err != nil {
			return err
		}
	}
	return nil
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
	err = s.run(ctx, rec, worker.Request{Outputs: []worker.Output{worker.Analysis}}, nil, func(dir string, res worker.Result) (err error) {
		if a, err = s.analysisOf(res); err != nil {
			return err
		}
		media, err = s.keep(ctx, dir, res)
		return err
	})
	var failure *worker.Failure
	if errors.As(err, &failure) && failure.Code != worker.Storage {
		s.Log.Warn("a recording cannot be described again", "recording", id, "code", failure.Code, "detail", failure.Detail)
		return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.ForgetVector(ctx, tx, id, likeness.Version) })
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
