package search

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/search/index"
)

// When the snapshot is written: soon after a start that found it old, then as often as something changed, and when the process ends.
// A text that was erased is gone from the file at the next writing.
const (
	firstSnapshot = time.Minute
	everySnapshot = 10 * time.Minute
)

// documentVersion grows with every change of what load reads of a recording or of how the index takes it.
const documentVersion = 1

// snapshotHead is the first line of the file: what the index after it belongs to.
type snapshotHead struct {
	Version  int    `json:"version"`
	Instance string `json:"instance"`
	Config   string `json:"config"` // of the index
	Seq      int64  `json:"seq"`    // everything up to this change of the feed is in it
	At       int64  `json:"at"`     // when that change was noted: another history of the same numbers has another time
}

func (s *Store) head(ctx context.Context, seq int64) (snapshotHead, error) {
	h := snapshotHead{Version: documentVersion, Instance: s.Instance, Config: fmt.Sprintf("%+v space %s", s.indexConfig(), s.Space.ID), Seq: seq}
	at, err := db.Get[int64](ctx, s.DB, `SELECT at FROM changes WHERE seq = $1`, seq)
	h.At = at
	return h, err
}

// saveSnapshot writes the file anew when the feed went on since it was written; it is there as a whole or not at all.
func (s *Store) saveSnapshot(ctx context.Context) error {
	seq := s.applied.Load()
	if s.SnapshotFile == "" || seq == 0 || seq == s.saved && !s.stale.Swap(false) {
		return nil
	}
	head, err := s.head(ctx, seq)
	if errors.Is(err, db.ErrNotFound) { // trimmed from the feed: nothing happened for weeks, and the old file serves no more
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.SnapshotFile), 0o700); err != nil {
		return err
	}
	part := s.SnapshotFile + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = json.NewEncoder(f).Encode(head)
	if err == nil {
		err = s.ix.Save(f)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("save the index: %w", err), os.Remove(part))
	}
	if err := os.Rename(part, s.SnapshotFile); err != nil {
		return err
	}
	s.saved = seq
	return nil
}

// errOtherSnapshot means that the file is whole but not of this catalog as it is now.
var errOtherSnapshot = errors.New("the snapshot belongs to another state of the catalog, or to another version of the program")

// loadSnapshot reads the file; the error is fs.ErrNotExist, index.ErrSnapshot or errOtherSnapshot where the tables must be read instead.
func (s *Store) loadSnapshot(ctx context.Context) (*index.Index, int64, error) {
	if s.SnapshotFile == "" {
		return nil, 0, fs.ErrNotExist
	}
	f, err := os.Open(s.SnapshotFile)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close() // it was only read
	in := bufio.NewReaderSize(f, 1<<16)
	line, err := in.ReadSlice('\n')
	if err != nil && (errors.Is(err, bufio.ErrBufferFull) || errors.Is(err, io.EOF)) {
		return nil, 0, index.ErrSnapshot
	}
	if err != nil {
		return nil, 0, err
	}
	var head snapshotHead
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, 0, index.ErrSnapshot
	}
	now, err := s.head(ctx, head.Seq)
	if errors.Is(err, db.ErrNotFound) || err == nil && now != head {
		return nil, 0, errOtherSnapshot
	}
	if err != nil {
		return nil, 0, err
	}
	ix, err := index.Load(in, s.indexConfig())
	return ix, head.Seq, err
}

// start brings the index up: from the snapshot and the changes since, or from the tables when there is no snapshot that fits.
func (s *Store) start(ctx context.Context) (seq int64, err error) {
	ix, seq, err := s.loadSnapshot(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.rebuild(ctx)
	case err != nil: // whatever is wrong with the file, the tables are the truth
		s.Log.Warn("the index is built from the tables, for its snapshot cannot be used", "file", s.SnapshotFile, "err", err)
		return s.rebuild(ctx)
	}
	s.ix, s.saved = ix, seq
	for {
		list, err := s.Feed.After(ctx, seq)
		if err != nil {
			return 0, fmt.Errorf("catch the index up: %w", err)
		}
		if len(list) == 0 {
			return seq, nil
		}
		if err := s.apply(ctx, list); err != nil {
			return 0, fmt.Errorf("catch the index up: %w", err)
		}
		seq = list[len(list)-1].Seq
	}
}

// KeepSnapshot writes the snapshot now and then until ctx ends, and once more then. It returns when Follow has ended too.
func (s *Store) KeepSnapshot(ctx context.Context, followed <-chan struct{}) {
	wait := time.NewTimer(firstSnapshot)
	defer wait.Stop()
	for {
		select {
		case <-wait.C:
			wait.Reset(everySnapshot)
		case <-ctx.Done():
			<-followed
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			if err := s.saveSnapshot(last); err != nil {
				s.Log.Error("save the index before the end", "err", err)
			}
			return
		}
		if err := s.saveSnapshot(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("save the index", "err", err)
		}
	}
}
