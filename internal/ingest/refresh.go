package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest/worker"
	"audiomicro/internal/recordings"
)

const (
	// mostFailures is how many recordings may fail for reasons of the machine before a round of the background ends: then they all would.
	mostFailures = 5
	// mostLate is how many of those that failed so are remembered to come last in the next round.
	mostLate = 500
)

// Refresh listens again to recordings that an older version of the program described, one after the other, until none is left, the clock
// says until, or somebody waits for the worker. Their previews stay, and what people wrote; what was measured and drawn is replaced. One that
// cannot be listened to any more keeps what it has and, where its vector is of an older version, sounds like nothing.
func (s *Store) Refresh(ctx context.Context, until time.Time) error {
	err := s.round(ctx, until, recordings.Describing, func(except []int64) (int64, error) {
		return s.Recordings.DescribedBefore(ctx, describe.Version, except)
	}, s.refresh)
	return errors.Join(err, s.round(ctx, until, recordings.Following, func(except []int64) (int64, error) {
		return s.Recordings.ContourBefore(ctx, contour.Version, except)
	}, s.follow), s.round(ctx, until, recordings.Drawing, func(except []int64) (int64, error) {
		return s.Recordings.Undrawn(ctx, except)
	}, s.draw))
}

// round does a pass of the background over one recording after the other: next finds one that it is not done on, and do does it. One that
// cannot be listened to for a reason that stays is noted and the pass done for it; one that fails for the machine's sake is left for another
// round, where it comes last, so that neither keeps the others waiting.
func (s *Store) round(ctx context.Context, until time.Time, pass recordings.Pass, next func(except []int64) (int64, error), do func(context.Context, recordings.Recording) error) error {
	late := s.lateIn(pass)
	unheard, lastUnheard := 0, error(nil)
	defer func() {
		if unheard > 0 {
			s.Log.Warn("recordings cannot be listened to; see /admin/formats", "pass", pass, "count", unheard, "last", lastUnheard)
		}
	}()
	failed, first := 0, error(nil)
	for s.Recordings.Now().Before(until) && failed < mostFailures {
		if s.Wanted != nil {
			if wanted, err := s.Wanted(ctx); err != nil || wanted {
				return errors.Join(err, andOthers(first, failed-1))
			}
		}
		id, err := next(late)
		if errors.Is(err, db.ErrNotFound) {
			if failed > 0 || len(late) == 0 {
				break
			}
			late = nil // none but the late ones is left: it is their turn
			s.setLate(pass, nil)
			continue
		}
		if err != nil {
			return errors.Join(err, andOthers(first, failed-1))
		}
		why, err := s.try(ctx, id, do)
		if err == nil && why != "" {
			unheard, lastUnheard = unheard+1, fmt.Errorf("recording %d: %s", id, why)
			err = s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.NoteUnheard(ctx, tx, id, pass, why) })
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		if failed++; first == nil {
			first = fmt.Errorf("%s pass over recording %d: %w", pass, id, err)
		}
		late = append(late, id)
		s.setLate(pass, late)
	}
	return andOthers(first, failed-1)
}

// andOthers says with an error how many others there were: each of them may be a long one.
func andOthers(first error, others int) error {
	if first == nil || others <= 0 {
		return first
	}
	return fmt.Errorf("%w (and %d more recordings failed)", first, others)
}

func (s *Store) lateIn(pass recordings.Pass) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.late[pass])
}

func (s *Store) setLate(pass recordings.Pass, ids []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late == nil {
		s.late = map[recordings.Pass][]int64{}
	}
	s.late[pass] = slices.Clone(ids[max(0, len(ids)-mostLate):])
}

// try does a pass over one recording, and tells why it cannot be listened to when that is a reason that stays.
func (s *Store) try(ctx context.Context, id int64, do func(context.Context, recordings.Recording) error) (why recordings.Reason, err error) {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) {
		return "", nil // deleted meanwhile
	}
	if err != nil {
		return "", err
	}
	if rec.Processing != recordings.Ready {
		return "", nil // analyzed anew meanwhile, by this version
	}
	if err = do(ctx, rec); err == nil || ctx.Err() != nil {
		return "", err
	}
	return s.whyUnheard(ctx, rec, err)
}

// whyUnheard tells why an original that a pass failed on cannot be listened to, if that lies with its bytes or with what the decoder says of
// them. Whatever else failed, as a full disk or a bucket that does not answer, is the error that it was.
func (s *Store) whyUnheard(ctx context.Context, rec recordings.Recording, err error) (recordings.Reason, error) {
	ref := blob.Ref(rec.SHA256)
	var failure *worker.Failure
	switch _, gone := s.Blobs.Stat(ctx, ref); {
	case errors.Is(gone, blob.ErrNotFound):
		// A store that has not even its marker is not there: a disk that was unmounted comes back.
		if _, gone := s.Blobs.Marker(ctx); gone != nil {
			return "", fmt.Errorf("look for the store of originals: %w", gone)
		}
		return recordings.Missing, nil
	case gone != nil:
		return "", err
	case errors.Is(err, syscall.EIO):
		return recordings.Unreadable, nil
	case !errors.As(err, &failure):
		return "", err
	}
	switch wrong := s.Blobs.Verify(ctx, ref); {
	case errors.Is(wrong, blob.ErrCorrupt):
		return recordings.Altered, nil
	case errors.Is(wrong, syscall.EIO):
		return recordings.Unreadable, nil
	case wrong != nil, failure.Code == worker.Storage:
		return "", err
	}
	return recordings.Reason(failure.Code), nil
}

// When recordings that cannot be listened to are looked at again: bytes that are gone may be brought back at any time, and asking is quick;
// to hash others costs reading them, and to try a decoder again a pass. A new version of a pass tries all of them besides.
const (
	missingAgain = time.Hour
	alteredAgain = 24 * time.Hour
	refusedAgain = 7 * 24 * time.Hour
)

// LookAgain gives recordings that could not be listened to back to the background where their bytes are in place again, and once a week
// where only the decoder said no, until the clock says until.
func (s *Store) LookAgain(ctx context.Context, until time.Time) error {
	missing, broken := []recordings.Reason{recordings.Missing}, []recordings.Reason{recordings.Altered, recordings.Unreadable}
	here := func(rec recordings.Recording) error {
		_, err := s.Blobs.Stat(ctx, blob.Ref(rec.SHA256))
		return err
	}
	sound := func(rec recordings.Recording) error { return s.Blobs.Verify(ctx, blob.Ref(rec.SHA256)) }
	for _, look := range []struct {
		reasons []recordings.Reason
		others  bool // all but these
		after   time.Duration
		ask     func(recordings.Recording) error
	}{
		{missing, false, missingAgain, here},
		{broken, false, alteredAgain, sound},
		{append(missing, broken...), true, refusedAgain, func(recordings.Recording) error { return nil }},
	} {
		before := s.Recordings.Now().Add(-look.after)
		for s.Recordings.Now().Before(until) {
			id, err := s.Recordings.LookedLongAgo(ctx, look.reasons, look.others, before)
			if errors.Is(err, db.ErrNotFound) {
				break
			}
			if err != nil {
				return fmt.Errorf("look at what could not be listened to: %w", err)
			}
			rec, err := s.Recordings.ByID(ctx, s.DB, id)
			if err == nil {
				err = look.ask(rec)
			}
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrCorrupt), errors.Is(err, syscall.EIO):
				continue // as it was
			case err != nil && !errors.Is(err, db.ErrNotFound):
				return fmt.Errorf("look at recording %d again: %w", id, err)
			}
			if err := s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.HearAgain(ctx, tx, id) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow follows the melody and the rhythm of a recording that was listened to before there were any; nothing else of it changes.
func (s *Store) follow(ctx context.Context, rec recordings.Recording) error {
	found := recordings.Contour{ID: rec.ID}
	err := s.pass(ctx, rec, worker.Request{Size: rec.ByteSize, Outputs: []worker.Output{worker.Hear}, FFmpegPath: s.FFmpeg, MaxSeconds: s.MaxSeconds, To: contour.Seconds, Threads: 1}, nil,
		func(_ string, res worker.Result) error {
			found.Melody, found.Rhythm = res.Heard.Melody, res.Heard.Rhythm
			return nil
		})
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.SaveContour(ctx, tx, contour.Version, found) })
}

// draw draws the spectrogram in levels of a long recording that was analyzed before there were any; nothing else of it changes.
func (s *Store) draw(ctx context.Context, rec recordings.Recording) error {
	var media []recordings.Media
	err := s.run(ctx, rec, worker.Request{Outputs: []worker.Output{worker.Analysis}, Threads: 1}, nil, func(dir string, res worker.Result) (err error) {
		levels, ok := res.Analyzed.Images["levels"]
		if !ok {
			return fmt.Errorf("a sound of %g s has no spectrogram in levels", rec.Seconds)
		}
		res.Analyzed.Peaks, res.Analyzed.Images = worker.File{}, map[string]worker.File{"levels": levels}
		media, err = s.keep(ctx, dir, res)
		return err
	})
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.AddMedia(ctx, tx, rec.ID, media) })
}

func (s *Store) refresh(ctx context.Context, rec recordings.Recording) error {
	var a recordings.Analysis
	var media []recordings.Media
	err := s.run(ctx, rec, worker.Request{Outputs: []worker.Output{worker.Analysis}, Threads: 1}, nil, func(dir string, res worker.Result) (err error) {
		if a, err = s.analysisOf(res); err != nil {
			return err
		}
		media, err = s.keep(ctx, dir, res)
		return err
	})
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		err := s.Recordings.SaveAnalysis(ctx, tx, rec.ID, a, media)
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		return err
	})
}
