package app

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

const (
	// readyWithin is how long the database and the blob store may take to prove that they work.
	readyWithin = 5 * time.Second
	// readyKept is how long an answer stands for everybody who asks: the proof writes a row, and anyone may ask.
	readyKept = time.Second
)

// readiness is the last proof that the process can do its work, shared by all who ask.
type readiness struct {
	mu      sync.Mutex
	running chan struct{} // closed when the proof that is being made ends; nil: none is
	at      time.Time     // when the last one ended
	err     error         // what came out of it
}

// check gives the last answer while it is fresh, and else waits for a proof, which it begins when nobody has. A proof that hangs
// although its time is over is not begun a second time.
func (r *readiness) check(ctx context.Context, prove func(context.Context) error) error {
	r.mu.Lock()
	if r.running == nil && !r.at.IsZero() && time.Since(r.at) < readyKept {
		defer r.mu.Unlock()
		return r.err
	}
	if r.running == nil {
		done := make(chan struct{})
		r.running = done
		// Not the context of who asks: others wait for the same proof when that one has gone.
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWithin)
			defer cancel()
			err := prove(ctx)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.running, r.at, r.err = nil, time.Now(), err
			close(done)
		}()
	}
	done := r.running
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

var errForeignBlobs = errors.New("the blob store carries the id of another installation")

// ready answers 200 when the process can do its work: the database takes writes and the bytes are where they belong.
func (a *App) ready(w http.ResponseWriter, r *http.Request) error {
	if err := a.Search.NotReady(); err != nil {
		return err
	}
	err := a.readiness.check(r.Context(), a.prove)
	if errors.Is(err, errForeignBlobs) {
		return &web.Public{Status: http.StatusServiceUnavailable, Text: "The blob store belongs to another installation.", Err: err}
	}
	if err != nil {
		return &web.Public{Status: http.StatusServiceUnavailable, Text: "Not ready.", Err: err, RetryAfter: readyWithin}
	}
	return web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready", "version": a.Version})
}

// prove has the database take a write and the blob store tell whose it is. A database or a bucket that hangs is as bad as one that
// is gone, and who asks wants to know soon: ctx ends it.
func (a *App) prove(ctx context.Context) error {
	if _, err := db.Exec(ctx, a.DB, `UPDATE instance SET value = value WHERE name = 'id'`); err != nil {
		return err
	}
	marker, err := a.Blobs.Marker(ctx)
	if err == nil && marker != a.instance {
		err = errForeignBlobs
	}
	return err
}
