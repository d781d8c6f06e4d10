// Package jobs runs what may happen later: four verbs over River, with its tables in the same database as everything else.
//
//	Raise   a domain raises a plain struct in its transaction: one job per subscription, or none if it rolls back
//	On      app subscribes a function to a type of event, under a name that is the job's kind
//	Every   app has a function run at an interval, on one node at a time
//	Run     serve works jobs until its context ends; other commands only raise
//
// Arguments are the event as JSON and hold ids, never names, texts or addresses.
//
// Promises: a job runs at least once after its transaction committed, and its database effects happen exactly once when the
// function ends them with Complete in the same transaction. A failed attempt is tried again after 1 s, 2 s, 4 s … 1 h until
// MaxAttempts; then the job is dead, and stays visible for 30 days. A node that dies gives its jobs back: to the same node
// when it starts again, to the others after 6 s without a beat; such an attempt does not count as a failure.
package jobs

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"audiomicro/internal/db"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds node_lease and job_schedule. River's own tables come from Migrate.
func Schema() fs.FS {
	return db.Folder(schema)
}

// Options for New.
type Options struct {
	// Node names this machine among those of one site; it stays the same over restarts. Two running programs must not share
	// one name.
	Node string
	// Workers is how many jobs run at once in one queue; 0 means 4.
	Workers int
	// Queues overrides Workers for queues by name.
	Queues map[string]int
	// Grace is how long Run lets jobs finish after its context ended, before it cancels them; 0 means 20 s.
	Grace time.Duration
	// Beat is the interval between two beats of a lease; 0 means 2 s, and 5 s on SQLite, where no other node waits for it. A
	// lease is dead after three.
	Beat time.Duration
	// Now is the clock of schedules and leases; nil means time.Now.
	Now func() time.Time
	// Logger hears of failed jobs; nil means slog.Default.
	Logger *slog.Logger
}

// Opts say how the jobs of one subscription run. The zero value is usable.
type Opts struct {
	// Timeout of one attempt; 0 means 1 minute, negative none.
	Timeout time.Duration
	// MaxAttempts before the job is dead; 0 means 20.
	MaxAttempts int
	// Queue the jobs wait in; empty means "default". Each queue has workers of its own.
	Queue string
	// Unique drops a job when one with the same arguments still waits. One that runs already does not count: it may have
	// read what has changed since.
	Unique bool
	// Priority from 1 (first, the default) to 4 (last) within the queue.
	Priority int
	// Backoff is the pause after the given failed attempt (1, 2, …); nil means 1 s doubling up to 1 h.
	Backoff func(attempt int) time.Duration
}

const (
	defaultQueue    = "default"
	defaultAttempts = 20
	defaultTimeout  = time.Minute
	deadKept        = 30 * 24 * time.Hour
)

// Queue is the jobs of one database. Subscribe everything before the first Raise.
type Queue struct {
	db     *db.DB
	opt    Options
	driver driver
	insert *river.Client[*sql.Tx]

	byType map[reflect.Type][]*subscription
	byKind map[string]*subscription
	every  []*schedule

	stopping atomic.Bool
	bell     bell
	runMu    sync.Mutex
}

// subscription is one kind of job.
type subscription struct {
	kind string
	opts Opts
	work func(ctx context.Context, args []byte) error
}

type schedule struct {
	sub      *subscription
	interval time.Duration
}

// New prepares the queue of d for raising events.
func New(d *db.DB, opt Options) (*Queue, error) {
	if opt.Node == "" {
		return nil, errors.New("jobs: the node has no name")
	}
	if opt.Workers == 0 {
		opt.Workers = 4
	}
	if opt.Grace == 0 {
		opt.Grace = 20 * time.Second
	}
	if opt.Beat == 0 {
		opt.Beat = 2 * time.Second
		if d.Engine() == db.SQLite {
			opt.Beat = 5 * time.Second
		}
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	q := &Queue{db: d, opt: opt, byType: map[reflect.Type][]*subscription{}, byKind: map[string]*subscription{}}
	q.driver = insertDriver(d)
	var err error
	q.insert, err = river.NewClient(q.driver, &river.Config{Logger: quiet(opt.Logger)})
	if err != nil {
		return nil, fmt.Errorf("prepare the job queue: %w", err)
	}
	return q, nil
}

func (q *Queue) add(s *subscription) {
	if q.byKind[s.kind] != nil {
		panic("jobs: two subscriptions named " + s.kind) // a mistake of the program, found at its first start
	}
	if s.opts.Queue == "" {
		s.opts.Queue = defaultQueue
	}
	if s.opts.MaxAttempts == 0 {
		s.opts.MaxAttempts = defaultAttempts
	}
	if s.opts.Timeout == 0 {
		s.opts.Timeout = defaultTimeout
	}
	if s.opts.Priority == 0 {
		s.opts.Priority = 1
	}
	q.byKind[s.kind] = s
}

// On subscribes f to events of type E. The name ("people.feed") is the job's kind in the database and in the logs: jobs that
// wait while the program is replaced are found by it.
func On[E any](q *Queue, name string, opts Opts, f func(ctx context.Context, event E) error) {
	s := &subscription{kind: name, opts: opts}
	s.work = func(ctx context.Context, args []byte) error {
		var event E
		if err := json.Unmarshal(args, &event); err != nil {
			return Discard(fmt.Errorf("read the event of %s: %w", name, err))
		}
		return f(ctx, event)
	}
	q.add(s)
	t := reflect.TypeFor[E]()
	q.byType[t] = append(q.byType[t], s)
}

// Every has f run once per interval on one of the nodes, the first time at once. Runs never overlap; one that is missed
// because all nodes were down is made up for once.
func (q *Queue) Every(name string, interval time.Duration, opts Opts, f func(ctx context.Context) error) {
	s := &subscription{kind: name, opts: opts, work: func(ctx context.Context, _ []byte) error { return f(ctx) }}
	q.add(s)
	q.every = append(q.every, &schedule{sub: s, interval: interval})
}

// Raise enqueues a job for every subscription to the event's type; they start after tx commits. An event that nobody
// subscribed to is nothing.
func (q *Queue) Raise(ctx context.Context, tx *db.Tx, event any) error {
	subs := q.byType[reflect.TypeOf(event)]
	if len(subs) == 0 {
		return nil
	}
	args, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("raise %T: %w", event, err)
	}
	for _, s := range subs {
		if err := q.enqueue(ctx, tx, s, args); err != nil {
			return fmt.Errorf("raise %T: %w", event, err)
		}
	}
	return nil
}

func (q *Queue) enqueue(ctx context.Context, tx *db.Tx, s *subscription, args []byte) error {
	if s.opts.Unique {
		waits, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM river_job WHERE kind = $1 AND args = `+riverSQL(tx.Engine()).args+`
			AND state IN ('available', 'retryable', 'scheduled')`, s.kind, string(args))
		if err != nil || waits > 0 {
			return err
		}
	}
	_, err := q.insert.InsertTx(ctx, tx.Tx, jobArgs{kind: s.kind, data: args}, &river.InsertOpts{
		MaxAttempts: s.opts.MaxAttempts, Priority: s.opts.Priority, Queue: s.opts.Queue,
	})
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", s.kind, err)
	}
	tx.AfterCommit(func() { q.bell.ring(s.opts.Queue) })
	return nil
}

// Wake has this process look for waiting jobs at once.
func (q *Queue) Wake() { q.bell.ring(q.queues()...) }

func (q *Queue) queues() []string {
	out := []string{defaultQueue}
	for _, s := range q.byKind {
		if !slices.Contains(out, s.opts.Queue) {
			out = append(out, s.opts.Queue)
		}
	}
	slices.Sort(out)
	return out
}

// ErrLost means that the job was given to somebody else meanwhile: the transaction must not be committed.
var ErrLost = errors.New("the job is no longer this worker's")

// Complete finishes the job that ctx belongs to within tx, so that its effects and its end are one. After the commit the
// function returns nil. Outside a job it does nothing, so that a Store method may be called from a page as well.
func Complete(ctx context.Context, tx *db.Tx) error {
	job, ok := ctx.Value(jobKey{}).(*river.Job[jobArgs])
	if !ok {
		return nil
	}
	return completeTx(ctx, tx, job)
}

// Wanted tells whether a job of a higher priority waits for a worker in the queue of the job that ctx belongs to: a long one that nobody
// waits for ends early then. Outside a job nothing waits for it.
func (q *Queue) Wanted(ctx context.Context) (bool, error) {
	job, ok := ctx.Value(jobKey{}).(*river.Job[jobArgs])
	if !ok {
		return false, nil
	}
	n, err := db.Get[int64](ctx, q.db, `SELECT count(*) FROM river_job WHERE state = 'available' AND queue = $1 AND priority < $2`, job.Queue, job.Priority)
	if err != nil {
		return false, fmt.Errorf("look for jobs that go first: %w", err)
	}
	return n > 0, nil
}

type jobKey struct{}

// Discard marks an error that no further attempt will cure: the job is dead at once.
func Discard(err error) error {
	if err == nil {
		return nil
	}
	return &discarded{err}
}

type discarded struct{ err error }

func (d *discarded) Error() string { return d.err.Error() }
func (d *discarded) Unwrap() error { return d.err }

// Attempt tells which attempt ctx's job is in (1, 2, …) and how many it has; 0, 0 outside a job.
func Attempt(ctx context.Context) (n, most int) {
	job, ok := ctx.Value(jobKey{}).(*river.Job[jobArgs])
	if !ok {
		return 0, 0
	}
	return job.Attempt, job.MaxAttempts
}

// jobArgs carries an event that is JSON already through River.
type jobArgs struct {
	kind string
	data json.RawMessage
}

// Kind is the name of the subscription.
func (a jobArgs) Kind() string { return a.kind }

// MarshalJSON gives the event as it is.
func (a jobArgs) MarshalJSON() ([]byte, error) {
	if len(a.data) == 0 {
		return []byte("{}"), nil
	}
	return a.data, nil
}

// UnmarshalJSON keeps the event for the subscription to read.
func (a *jobArgs) UnmarshalJSON(p []byte) error {
	a.data = slices.Clone(p)
	return nil
}
