// Package ingest makes from uploaded bytes what the site shows and plays: measurements, pictures, previews, marked previews
// of paid recordings, MP3 previews on first request.
//
// It owns no table: what it makes goes into the blob store and, in one transaction with the end of its job, into the
// recording's own tables. Decoding runs in a process of its own (package worker), whose temporary folder lies under the
// data folder and is emptied at start.
package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest/worker"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// Store turns recordings' originals into everything made from them.
type Store struct {
	DB         *db.DB
	Blobs      blob.Store
	Recordings *recordings.Store
	Site       *web.Site // for the pages
	Log        *slog.Logger
	Dir        string  // for temporary folders; made when missing
	FFmpeg     string  // path of a native ffmpeg, or empty
	MarkEvery  float64 // seconds between audible marks
	MaxSeconds float64 // longest recording accepted
	Space      *likeness.Space
	// Done marks the running job as completed in tx, so that the result and the job's end are one commit; nil outside of jobs.
	Done func(ctx context.Context, tx *db.Tx) error
	// Wanted tells whether a sound that somebody waits for waits for the worker of the running job; nil outside of jobs.
	Wanted func(ctx context.Context) (bool, error)
	// Ears listen to the sounds of visitors, beside the jobs; MaxExample and MaxExampleSeconds bound one.
	Ears              *Ears
	MaxExample        int64   // bytes
	MaxExampleSeconds float64 // of which the first are listened to
	mu                sync.Mutex
	flights           map[string]*flight
	ways              ways
	late              map[recordings.Pass][]int64 // what failed in the background for the machine's sake comes last in its next round
}

// ways are the answers of ffmpeg about itself, which do not change while the process lives.
type ways struct {
	mu      sync.Mutex
	of      string // the path of that ffmpeg
	list    []decode.Way
	version string
}

// Ways lists every format with how it is read here, and the version of ffmpeg. An ffmpeg that did not answer is asked again.
func (s *Store) Ways(ctx context.Context) ([]decode.Way, string) {
	s.ways.mu.Lock()
	defer s.ways.mu.Unlock()
	if s.ways.list != nil && s.ways.of == s.FFmpeg {
		return s.ways.list, s.ways.version
	}
	list, version := decode.Ways(context.WithoutCancel(ctx), s.FFmpeg)
	if version != "" || s.FFmpeg == "" {
		s.ways.of, s.ways.list, s.ways.version = s.FFmpeg, list, version
	}
	return list, version
}

// flight is an MP3 preview being made: everybody who asks for it meanwhile waits for the same one.
type flight struct {
	done chan struct{}
	m    recordings.Media
	err  error
}

// Clear removes temporary folders that a killed process left behind.
func (s *Store) Clear() error {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.Dir, e.Name())))
	}
	return err
}

// Analyze makes everything a new recording needs. A failure that lies in the file is kept on the recording with what to do.
// One that may lie in the file or with the machine, as too little memory, is returned, so that the job is tried again, and
// kept when last is true. One of the machine alone, as a bucket that does not answer, is always returned.
func (s *Store) Analyze(ctx context.Context, id int64, last bool) error {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) {
		return s.finish(ctx, func(*db.Tx) error { return nil }) // the draft was deleted meanwhile
	}
	if err != nil {
		return err
	}
	outputs := []worker.Output{worker.Analysis, worker.HQ, worker.LQ}
	if rec.Paid != 0 {
		outputs = append(outputs, worker.MarkedHQ, worker.MarkedLQ)
	}
	if err := s.note(ctx, id, recordings.Analyzing, 0, ""); err != nil {
		return err
	}
	var result worker.Result
	var media []recordings.Media
	err = s.run(ctx, rec, worker.Request{Outputs: outputs}, s.progress(ctx, id), func(dir string, res worker.Result) error {
		result = res
		media, err = s.keep(ctx, dir, res)
		return err
	})
	var failure *worker.Failure
	switch {
	case err == nil:
	case errors.As(err, &failure) && failure.Code != worker.Storage && (!failure.Retry() || last):
		s.Log.Warn("analysis failed", "recording", id, "code", failure.Code, "detail", failure.Detail)
		return s.finish(ctx, func(tx *db.Tx) error {
			return s.Recordings.SetProcessing(ctx, tx, id, recordings.Failed, 0, failure.Text)
		})
	default:
		return fmt.Errorf("analyze recording %d: %w", id, err)
	}
	a, err := s.analysisOf(result)
	if err != nil {
		return fmt.Errorf("analyze recording %d: %w", id, err)
	}
	return s.finish(ctx, func(tx *db.Tx) error {
		now, err := s.Recordings.ByID(ctx, tx, id)
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if now.Paid != 0 && rec.Paid == 0 { // its first paid offer was saved during the pass
			if err := s.Recordings.Raise(ctx, tx, recordings.BecamePaid{RecordingID: id}); err != nil {
				return err
			}
		}
		return s.Recordings.SaveAnalysis(ctx, tx, id, a, media)
	})
}

// GiveUp keeps on a recording that the machine failed too often.
func (s *Store) GiveUp(ctx context.Context, id int64, why error) error {
	s.Log.Error("analysis failed", "recording", id, "err", why)
	return s.finish(ctx, func(tx *db.Tx) error {
		return s.Recordings.SetProcessing(ctx, tx, id, recordings.Failed, 0, "The analysis failed several times. Your file is kept; ask the operator to look at it.")
	})
}

// Mark makes the previews with the audible mark, once a recording's first paid offer is saved.
func (s *Store) Mark(ctx context.Context, id int64) error {
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) {
		return s.finish(ctx, func(*db.Tx) error { return nil })
	}
	if err != nil {
		return err
	}
	_, err = s.Recordings.MediaNamed(ctx, id, recordings.MarkedLQ)
	if err == nil || rec.Processing != recordings.Ready {
		return s.finish(ctx, func(*db.Tx) error { return nil }) // made already, or the analysis makes it
	}
	if !errors.Is(err, db.ErrNotFound) {
		return err
	}
	media, err := s.make(ctx, rec, []worker.Output{worker.MarkedHQ, worker.MarkedLQ})
	if err != nil {
		return fmt.Errorf("mark recording %d: %w", id, err)
	}
	return s.finish(ctx, func(tx *db.Tx) error {
		if err := s.Recordings.AddMedia(ctx, tx, id, media); err != nil {
			return err
		}
		s.Recordings.Feed.Note(ctx, tx, "recording", id)
		return nil
	})
}

// mp3 maps the names of MP3 previews to outputs.
var mp3 = map[string]worker.Output{
	recordings.PreviewHQMP3: worker.MP3HQ, recordings.PreviewLQMP3: worker.MP3LQ,
	recordings.MarkedHQMP3: worker.MarkedMP3HQ, recordings.MarkedLQMP3: worker.MarkedMP3LQ,
}

// MakeMP3 makes an MP3 preview on its first request; several requests at once share one pass. It answers db.ErrNotFound for
// names that are none.
func (s *Store) MakeMP3(ctx context.Context, rec recordings.Recording, name string) (recordings.Media, error) {
	out, ok := mp3[name]
	if !ok || rec.Processing != recordings.Ready {
		return recordings.Media{}, fmt.Errorf("preview %s: %w", name, db.ErrNotFound)
	}
	key := strconv.FormatInt(rec.ID, 10) + "/" + name
	s.mu.Lock()
	f := s.flights[key]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		if s.flights == nil {
			s.flights = map[string]*flight{}
		}
		s.flights[key] = f
		go func() {
			// Who asked first may go away; the others still want it.
			bg, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Minute)
			defer cancel()
			f.m, f.err = s.makeOne(bg, rec, out)
			s.mu.Lock()
			delete(s.flights, key)
			s.mu.Unlock()
			close(f.done)
		}()
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.m, f.err
	case <-ctx.Done():
		return recordings.Media{}, ctx.Err()
	}
}

func (s *Store) makeOne(ctx context.Context, rec recordings.Recording, out worker.Output) (recordings.Media, error) {
	media, err := s.make(ctx, rec, []worker.Output{out})
	if err != nil {
		return recordings.Media{}, fmt.Errorf("make %s of recording %d: %w", out, rec.ID, err)
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.AddMedia(ctx, tx, rec.ID, media) })
	return media[0], err
}

func (s *Store) make(ctx context.Context, rec recordings.Recording, outputs []worker.Output) (media []recordings.Media, err error) {
	err = s.run(ctx, rec, worker.Request{Outputs: outputs}, nil, func(dir string, res worker.Result) error {
		media, err = s.keep(ctx, dir, res)
		return err
	})
	if err == nil && len(media) == 0 {
		err = errors.New("the pass made nothing")
	}
	return media, err
}

// finish commits f together with the end of the running job.
func (s *Store) finish(ctx context.Context, f func(*db.Tx) error) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		if s.Done == nil {
			return nil
		}
		return s.Done(ctx, tx)
	})
}

func (s *Store) note(ctx context.Context, id int64, step recordings.Processing, percent int, text string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Recordings.SetProcessing(ctx, tx, id, step, percent, text) })
}

// progress writes how far the pass is, at most once a second.
func (s *Store) progress(ctx context.Context, id int64) func(worker.Progress) {
	next := time.Now().Add(time.Second)
	return func(p worker.Progress) {
		if now := time.Now(); now.After(next) {
			next = now.Add(time.Second)
			if err := s.note(ctx, id, recordings.Analyzing, min(99, int(p.Fraction*100)), ""); err != nil {
				s.Log.Warn("note progress", "recording", id, "err", err)
			}
		}
	}
}

// run starts the worker on a recording's original in a temporary folder and hands the folder to take before it goes.
func (s *Store) run(ctx context.Context, rec recordings.Recording, req worker.Request, progress func(worker.Progress), take func(dir string, res worker.Result) error) error {
	req.Size, req.MaxSeconds, req.FFmpegPath = rec.ByteSize, s.MaxSeconds, s.FFmpeg
	req.MarkInterval, req.MarkSeed = s.MarkEvery, uint64(rec.ID)
	return s.pass(ctx, rec, req, progress, take)
}

// pass is run with a request that names its own limits.
func (s *Store) pass(ctx context.Context, rec recordings.Recording, req worker.Request, progress func(worker.Progress), take func(dir string, res worker.Result) error) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(s.Dir, "pass-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	src, broke, err := s.source(ctx, rec, dir)
	if err != nil {
		return err
	}
	defer src.Close()
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		return err
	}
	if progress == nil {
		progress = func(worker.Progress) {}
	}
	res, err := worker.Start(ctx, req, src, out, progress)
	// The worker sees only an end that came too early: it may call the file damaged, or take what there was for all of it.
	if broken := broke(); broken != nil && ctx.Err() == nil {
		return fmt.Errorf("read original: %w", broken)
	}
	if err != nil {
		return err
	}
	return take(out, res)
}

// source opens the original as a file: the blob itself when it is a local file, else a pipe fed from the object store. A
// container whose index may stand at the end (MP4) is fetched into the temporary folder first, for its decoder must seek.
// broke tells, once the worker has ended, whether the store failed while it fed the pipe.
func (s *Store) source(ctx context.Context, rec recordings.Recording, dir string) (src *os.File, broke func() error, err error) {
	ref := blob.Ref(rec.SHA256)
	whole := func() error { return nil }
	if path, ok := s.Blobs.Path(ref); ok {
		src, err = os.Open(path)
		return src, whole, err
	}
	body, err := s.Blobs.OpenRange(ctx, ref, 0, -1)
	if err != nil {
		return nil, nil, err
	}
	if rec.Container == "mp4" || rec.Container == "m4a" {
		defer body.Close()
		f, err := os.Create(filepath.Join(dir, "source"))
		if err != nil {
			return nil, nil, err
		}
		if _, err := io.Copy(f, body); err != nil {
			return nil, nil, errors.Join(err, f.Close())
		}
		_, err = f.Seek(0, io.SeekStart)
		return f, whole, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, body.Close())
	}
	watched := &watchedReader{r: body}
	go func() {
		io.Copy(w, watched) // a worker that ends before the file does leaves a closed pipe, which is its right
		body.Close()
		w.Close()
	}()
	return r, watched.failure, nil
}

// watchedReader remembers how reading failed, for somebody on another goroutine.
type watchedReader struct {
	r   io.Reader
	mu  sync.Mutex
	err error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.mu.Lock()
		w.err = err
		w.mu.Unlock()
	}
	return n, err
}

func (w *watchedReader) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// keep puts the files of a pass into the blob store and names them as media.
func (s *Store) keep(ctx context.Context, dir string, res worker.Result) ([]recordings.Media, error) {
	var media []recordings.Media
	put := func(name string, f worker.File) error {
		if f.Name == "" {
			return nil
		}
		src, err := os.Open(filepath.Join(dir, filepath.Base(f.Name)))
		if err != nil {
			return err
		}
		defer src.Close()
		ref, size, err := s.Blobs.Put(ctx, src)
		if err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
		media = append(media, recordings.Media{Name: name, SHA256: string(ref), ByteSize: size, ContentType: f.MIME})
		return nil
	}
	names := map[worker.Output]string{
		worker.HQ: recordings.PreviewHQ, worker.LQ: recordings.PreviewLQ, worker.MarkedHQ: recordings.MarkedHQ, worker.MarkedLQ: recordings.MarkedLQ,
		worker.MP3HQ: recordings.PreviewHQMP3, worker.MP3LQ: recordings.PreviewLQMP3, worker.MarkedMP3HQ: recordings.MarkedHQMP3, worker.MarkedMP3LQ: recordings.MarkedLQMP3,
	}
	for out, f := range res.Previews {
		if err := put(names[out], f); err != nil {
			return nil, err
		}
	}
	if res.Analyzed == nil {
		return media, nil
	}
	if err := put(recordings.PeaksDAT, res.Analyzed.Peaks); err != nil {
		return nil, err
	}
	images := map[string]string{
		"energy": recordings.SpectrumPNG, "energy-tile": recordings.SpectrumTile, "waveform-m": recordings.WaveformM,
		"waveform-l": recordings.WaveformL, "spectral-m": recordings.SpectralM, "spectral-l": recordings.SpectralL,
		"levels": recordings.SpectrumLevels,
	}
	for kind, f := range res.Analyzed.Images {
		if err := put(images[kind], f); err != nil {
			return nil, err
		}
	}
	return media, nil
}

func (s *Store) analysisOf(res worker.Result) (recordings.Analysis, error) {
	f := res.Analyzed
	if f == nil {
		return recordings.Analysis{}, errors.New("the pass measured nothing")
	}
	tones := make([]string, len(f.ToneBands))
	for i, t := range f.ToneBands {
		tones[i] = strconv.Itoa(int(math.Round(t * 100)))
	}
	a := recordings.Analysis{
		Container: res.Container, Codec: res.Info.Codec, SampleRate: int64(res.Info.SampleRate), Channels: int64(res.Info.Channels), BitDepth: int64(res.Info.BitDepth),
		Lossless: res.Info.Lossless, Seconds: res.Duration, Frames: res.Frames, Tempo: f.Tempo, TempoConfidence: f.TempoSure, Key: f.Key, KeyConfidence: f.KeySure,
		Centroid: f.Centroid, Bars: f.RowBars, Wave: f.BigBars, Tones: strings.Join(tones, ","), Version: int64(f.VectorVersion), Described: int64(f.Described), Descriptors: string(f.Descriptors),
		Vector: s.Space.Pack(f.Vector), Fingerprint: []byte(f.Fingerprint), PCMSHA256: res.PCMSHA256,
	}
	if h := res.Heard; h != nil {
		a.Contour, a.ContourVersion = recordings.Contour{Melody: h.Melody, Rhythm: h.Rhythm}, int64(h.ContourVersion)
	}
	if l := f.Loudness; l.HasLoudness {
		a.LUFS, a.Range, a.TruePeak = &l.Integrated, &l.Range, &l.TruePeak
	}
	if l := f.Preview; l != nil && l.HasLoudness {
		a.PreviewLUFS, a.PreviewTruePeak = &l.Integrated, &l.TruePeak
	}
	var d struct {
		Loopable bool `json:"loopable"`
	}
	if err := json.Unmarshal(f.Descriptors, &d); err != nil {
		return a, fmt.Errorf("descriptors: %w", err)
	}
	a.Loopable = d.Loopable
	return a, nil
}
