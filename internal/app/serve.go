package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"audiomicro/internal/web"
)

// drain is how long requests may go on after a SIGTERM.
const drain = 30 * time.Second

// jobsPause is how long to wait before jobs that could not be started are started again.
const jobsPause = 5 * time.Second

// Server is a running site.
type Server struct {
	app     *App
	http    *http.Server
	metrics *http.Server
	jobs    sync.WaitGroup
	stop    context.CancelFunc
	failed  chan error
	Addr    string // where it listens, as host:port
}

// Start serves the site on a listener and works its jobs until Stop. The listener is Start's from now on. It serves at once: while the search
// index is filled, which takes minutes for a big catalog without a snapshot, searches are asked to come again, and the site says that it
// is not ready.
func (a *App) Start(ctx context.Context, l net.Listener) (*Server, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Server{app: a, stop: cancel, failed: make(chan error, 3), Addr: l.Addr().String()}
	if err := a.Ingest.Clear(); err != nil {
		cancel()
		return nil, fmt.Errorf("clear the working folder: %w", err)
	}
	a.begin(ctx, &s.jobs)
	m := a.newMetrics()
	a.Site.Observe = m.observe
	closing := make(chan struct{})
	a.Site.Closing = closing
	s.http = &http.Server{
		Handler: a.Orders.Remember(a.Site), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: web.ServerLog(a.Log),
	}
	s.http.RegisterOnShutdown(func() { close(closing) })
	go s.listen(func() error { return s.http.Serve(l) })
	if a.Config.MetricsListen != "" {
		ml, err := net.Listen("tcp", a.Config.MetricsListen)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen for metrics: %w", err), s.Stop(context.Background()))
		}
		s.metrics = &http.Server{Handler: m.handler(), ReadHeaderTimeout: 5 * time.Second, ErrorLog: web.ServerLog(a.Log)}
		go s.listen(func() error { return s.metrics.Serve(ml) })
	}
	return s, nil
}

// begin starts what runs beside the requests: jobs and the followers of the feed.
func (a *App) begin(ctx context.Context, wg *sync.WaitGroup) {
	wg.Go(func() { a.Accounts.KeepUsage(ctx) })
	wg.Go(func() { a.Search.Run(ctx) })
	wg.Go(func() {
		for {
			err := a.Jobs.Run(ctx)
			if err == nil || ctx.Err() != nil {
				return
			}
			// A disk that is full or a database that restarts is no reason to work no jobs for the rest of the day.
			a.Log.Error("jobs stopped and are started again", "err", err)
			select {
			case <-time.After(jobsPause):
			case <-ctx.Done():
				return
			}
		}
	})
}

func (s *Server) listen(serve func() error) {
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		s.failed <- err
	}
}

// Failed tells when serving ended by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop takes no new requests, lets those under way finish for up to 30 s, then lets jobs go back to the queue.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // a client that hangs is no fault of ours
		s.app.Log.Warn("requests that took too long were cut off", "seconds", drain.Seconds())
		err = s.http.Close()
	}
	if s.metrics != nil {
		err = errors.Join(err, s.metrics.Close())
	}
	s.stop()
	s.jobs.Wait()
	return err
}

// Instance is the id of this installation.
func (a *App) Instance() string { return a.instance }

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
