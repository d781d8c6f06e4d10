package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/ingest/worker"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Example is what a sound is searched by. Nothing else remains of it.
type Example struct {
	Vector         []float32 // in the space of package likeness; nil for silence
	Melody, Rhythm []byte    // packed by package contour; nil where there is none
}

const (
	hearTime  = 30 * time.Second // all that listening to an example may take, without its arrival
	patience  = 5 * time.Second  // for a turn: listening to one takes a fraction of a second
	busyAgain = 5 * time.Second
	leastPart = 0.05 // seconds of a recording
)

// sendersPerEar is how many sounds may be arriving for each that is listened to: somebody's slow line must not keep the others waiting.
const sendersPerEar = 8

// Ears are the places for sounds that visitors search by: they can pile up neither work beside the jobs nor files on the disk.
type Ears struct{ arriving, hearing chan struct{} }

// NewEars makes places for n sounds to be listened to at once.
func NewEars(n int) *Ears {
	return &Ears{arriving: make(chan struct{}, n*sendersPerEar), hearing: make(chan struct{}, n)}
}

// take takes a place, and waits for one no longer than patience.
func take(ctx context.Context, places chan struct{}, patience time.Duration) (end func(), err error) {
	end = func() { <-places }
	select {
	case places <- struct{}{}:
		return end, nil
	default:
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case places <- struct{}{}:
		return end, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late.C:
		return nil, &web.Public{Status: http.StatusServiceUnavailable, RetryAfter: busyAgain, Text: "The site is listening to other people's sounds. Send yours again in a few seconds; nothing was kept."}
	}
}

// Hear listens to the beginning of a sound in the worker and keeps nothing: the file lies in a temporary folder until the worker has
// ended, and neither it nor its name is logged.
func (s *Store) Hear(ctx context.Context, sound io.Reader) (Example, error) {
	arrived, err := take(ctx, s.Ears.arriving, 0)
	if err != nil {
		return Example{}, err
	}
	defer arrived()
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return Example{}, err
	}
	dir, err := os.MkdirTemp(s.Dir, "example-") // Clear takes what a killed process leaves
	if err != nil {
		return Example{}, err
	}
	defer os.RemoveAll(dir)
	src, err := os.OpenFile(filepath.Join(dir, "sound"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return Example{}, err
	}
	defer src.Close()
	size, err := io.Copy(src, io.LimitReader(sound, s.MaxExample+1))
	if err != nil {
		return Example{}, &web.Public{Status: http.StatusBadRequest, Text: "The sound did not arrive whole. Send it again.", Err: err}
	}
	switch {
	case size == 0:
		return Example{}, web.Refuse(http.StatusBadRequest, "Choose a sound file, or record something.")
	case size > s.MaxExample:
		return Example{}, web.Refuse(http.StatusRequestEntityTooLarge, "The file is larger than the %s that a search takes. Cut out the part that matters.", ui.Bytes(s.MaxExample))
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return Example{}, err
	}
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		return Example{}, err
	}
	end, err := take(ctx, s.Ears.hearing, patience)
	if err != nil {
		return Example{}, err
	}
	defer end()
	ctx, cancel := context.WithTimeout(ctx, hearTime)
	defer cancel()
	res, err := worker.Start(ctx, s.hearRequest(size, 0, s.MaxExampleSeconds), src, out, nil)
	if err != nil {
		return Example{}, unheard(err)
	}
	return s.example(res)
}

// HearPart listens to a part of a recording, in seconds. Whoever asks must be allowed to hear it.
func (s *Store) HearPart(ctx context.Context, rec recordings.Recording, from, to float64) (Example, error) {
	to = min(to, rec.Seconds, from+s.MaxExampleSeconds)
	if rec.Processing != recordings.Ready || !(from >= 0) || !(to-from >= leastPart) {
		return Example{}, web.Refuse(http.StatusBadRequest, "Choose a part of the recording that is at least %g s long.", leastPart)
	}
	end, err := take(ctx, s.Ears.hearing, patience)
	if err != nil {
		return Example{}, err
	}
	defer end()
	ctx, cancel := context.WithTimeout(ctx, hearTime)
	defer cancel()
	var found Example
	err = s.pass(ctx, rec, s.hearRequest(rec.ByteSize, from, to), nil, func(_ string, res worker.Result) (err error) {
		found, err = s.example(res)
		return err
	})
	return found, unheard(err)
}

func (s *Store) hearRequest(size int64, from, to float64) worker.Request {
	return worker.Request{
		Size: size, Outputs: []worker.Output{worker.Hear}, FFmpegPath: s.FFmpeg, MaxSeconds: s.MaxSeconds, From: from, To: to, Threads: 1,
		Limits: worker.Limits{CPUBase: 10, CPUPerSecond: .1, WallBase: hearTime.Seconds(), WallPerSecond: .1},
	}
}

func (s *Store) example(res worker.Result) (Example, error) {
	h := res.Heard
	if h == nil {
		return Example{}, errors.New("the worker heard nothing of an example")
	}
	e := Example{Melody: h.Melody, Rhythm: h.Rhythm}
	if h.VectorVersion == likeness.Version {
		e.Vector = s.Space.Project(s.Space.Pack(h.Vector))
	}
	return e, nil
}

// unheard tells a visitor why an example cannot be listened to.
func unheard(err error) error {
	var failure *worker.Failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failure) && (failure.Code == worker.Timeout || errors.Is(err, context.DeadlineExceeded)):
		return &web.Public{Status: http.StatusUnprocessableEntity, Text: "Listening took too long. Send a shorter sound, as WAV or FLAC if you can.", Err: err}
	case errors.As(err, &failure) && !failure.Retry():
		return &web.Public{Status: http.StatusUnprocessableEntity, Text: failure.Text, Err: err}
	case errors.As(err, &failure), errors.Is(err, context.DeadlineExceeded):
		return &web.Public{Status: http.StatusServiceUnavailable, RetryAfter: busyAgain, Text: "The site could not listen to this now. Try again in a moment.", Err: err}
	}
	return fmt.Errorf("hear an example: %w", err)
}
