package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Run works jobs until ctx ends; then it takes no more, gives running ones Options.Grace, cancels what is left (it runs again
// later, uncounted) and returns. One Run per Queue at a time.
func (q *Queue) Run(ctx context.Context) error {
	if !q.runMu.TryLock() {
		return errors.New("jobs: this queue is running already")
	}
	defer q.runMu.Unlock()
	q.stopping.Store(false)
	drv, closing, err := q.workDriver(ctx)
	if err != nil {
		return fmt.Errorf("work jobs: %w", err)
	}
	defer closing()
	lease := q.newLease()
	client, err := river.NewClient(drv, q.config(lease.id))
	if err != nil {
		return fmt.Errorf("work jobs: %w", err)
	}
	if err := lease.takeOver(ctx); err != nil {
		return fmt.Errorf("work jobs: %w", err)
	}
	beating, stopBeating := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		lease.beat(beating)
	}()
	defer func() {
		stopBeating()
		<-done
		lease.leave(context.WithoutCancel(ctx))
	}()
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("work jobs: %w", err)
	}
	q.keepSchedules(ctx)
	return q.drain(ctx, client)
}

// drain stops client: jobs have Grace to end by themselves, then 5 s to heed their canceled context.
func (q *Queue) drain(ctx context.Context, client *river.Client[*sql.Tx]) error {
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.opt.Grace)
	defer cancel()
	if client.Stop(stop) == nil {
		return nil
	}
	q.stopping.Store(true)
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := client.StopAndCancel(hard); err != nil {
		return fmt.Errorf("stop jobs: some do not heed their canceled context: %w", err)
	}
	return nil
}

func (q *Queue) config(id string) *river.Config {
	workers := river.NewWorkers()
	// River refuses to start without any worker; a queue without subscriptions still keeps its lease.
	river.AddWorkerArgs(workers, jobArgs{kind: "jobs.none"}, &worker{q: q, sub: &subscription{kind: "jobs.none", opts: Opts{Timeout: defaultTimeout}}})
	queues := map[string]river.QueueConfig{}
	for _, name := range q.queues() {
		n := q.opt.Workers
		if own := q.opt.Queues[name]; own > 0 {
			n = own
		}
		queues[name] = river.QueueConfig{MaxWorkers: n}
	}
	for _, s := range q.byKind {
		river.AddWorkerArgs(workers, jobArgs{kind: s.kind}, &worker{q: q, sub: s})
	}
	return &river.Config{
		ID: id, Queues: queues, Workers: workers, Logger: quiet(q.opt.Logger), ErrorHandler: reporter{q},
		// 5 ms instead of 100: a queue of N workers is not held to N jobs per 100 ms.
		FetchCooldown: 5 * time.Millisecond, FetchPollInterval: time.Second,
		// A kind this version does not know waits for the one that does.
		FetchOnlyKnownKinds: true,
		// Dead nodes are found by their lease; River's own rescue is for handlers that never return.
		JobTimeout: defaultTimeout, RescueStuckJobsAfter: 25 * time.Hour,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: deadKept, DiscardedJobRetentionPeriod: deadKept,
		SkipUnknownJobCheck: true,
		// A new index of a table that is emptied every hour gains nothing.
		ReindexerIndexNames: []string{},
	}
}

// worker runs one subscription.
type worker struct {
	river.WorkerDefaults[jobArgs]
	q   *Queue
	sub *subscription
}

// Timeout is the subscription's.
func (w *worker) Timeout(*river.Job[jobArgs]) time.Duration {
	if w.sub.opts.Timeout < 0 {
		return -1
	}
	return w.sub.opts.Timeout
}

// NextRetry is when the attempt after a failed one is due.
func (w *worker) NextRetry(job *river.Job[jobArgs]) time.Time {
	pause := w.sub.opts.Backoff
	if pause == nil {
		pause = backoff
	}
	return time.Now().Add(pause(job.Attempt))
}

// backoff doubles from 1 s to 1 h.
func backoff(attempt int) time.Duration {
	return time.Duration(min(math.Pow(2, float64(attempt-1)), 3600) * float64(time.Second))
}

// Work runs the function.
func (w *worker) Work(ctx context.Context, job *river.Job[jobArgs]) error {
	if w.sub.work == nil {
		return nil
	}
	err := w.sub.work(context.WithValue(ctx, jobKey{}, job), job.Args.data)
	var gone *discarded
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && w.q.stopping.Load():
		return river.JobSnooze(0) // interrupted by the end of Run: no failure of its own
	case errors.As(err, &gone):
		return river.JobCancel(&brief{err})
	}
	return &brief{err}
}

// longest is how much of an error is logged and kept with its job, in bytes; of some functions it joins those of everything they work on.
const longest = 1000

// brief is an error whose text is cut after longest bytes.
type brief struct{ err error }

func (b *brief) Error() string {
	text := b.err.Error()
	if len(text) <= longest {
		return text
	}
	return fmt.Sprintf("%s … (%d bytes in all)", strings.ToValidUTF8(text[:longest], ""), len(text))
}

func (b *brief) Unwrap() error { return b.err }

// reporter logs what failed.
type reporter struct{ q *Queue }

// HandleError logs a failed attempt.
func (r reporter) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	log := r.q.opt.Logger.WarnContext
	if job.Attempt >= job.MaxAttempts {
		log = r.q.opt.Logger.ErrorContext
	}
	log(ctx, "job failed", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "err", err.Error())
	return nil
}

// HandlePanic logs a panic; it counts as a failed attempt.
func (r reporter) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	r.q.opt.Logger.ErrorContext(ctx, "job panicked", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "panic", fmt.Sprint(value), "trace", trace)
	return nil
}
