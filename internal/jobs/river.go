package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"audiomicro/internal/db"
)

type driver = riverdriver.Driver[*sql.Tx]

// sqliteDriver is River's with another listener. Its own asks the database 20 times a second, over the one connection that
// writes; only one process works the jobs of a SQLite file, so a bell in memory will do.
type sqliteDriver struct {
	*riversqlite.Driver
	bell *bell
}

func (d sqliteDriver) SupportsListenNotify() bool { return false } // no rows in river_notification
func (d sqliteDriver) SupportsListener() bool     { return d.bell != nil }

func (d sqliteDriver) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &bellListener{bell: d.bell, schema: p.Schema}
}

// insertDriver serves a client that only enqueues.
func insertDriver(d *db.DB) driver {
	if d.Engine() == db.SQLite {
		return sqliteDriver{Driver: riversqlite.New(d.Writer())}
	}
	return riverdatabasesql.New(d.Writer())
}

// workDriver serves a client that works. closing frees what the driver holds beside the pool.
func (q *Queue) workDriver(ctx context.Context) (_ driver, closing func(), err error) {
	if q.db.Engine() == db.SQLite {
		return sqliteDriver{riversqlite.New(q.db.Writer()), &q.bell}, func() {}, nil
	}
	cfg, err := pgxpool.ParseConfig(q.db.URL())
	if err != nil {
		return nil, nil, err
	}
	cfg.MaxConns = 2 // one that listens, one for its successor after a broken line
	cfg.MinConns = 0
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return riverdatabasesql.NewWithPgxListener(q.db.Writer(), pool), pool.Close, nil
}

// Migrate brings River's own tables up. It comes after db.Migrate and only where that may run.
func Migrate(ctx context.Context, d *db.DB) error {
	m, err := rivermigrate.New(insertDriver(d), &rivermigrate.Config{Logger: quiet(slog.Default())})
	if err != nil {
		return fmt.Errorf("migrate the job tables: %w", err)
	}
	migrate := func() error {
		_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	if d.Engine() == db.Postgres {
		// Two nodes that start together take turns; the lock belongs to this connection.
		conn, err := d.Writer().Conn(ctx)
		if err != nil {
			return fmt.Errorf("migrate the job tables: %w", err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(723047)"); err != nil {
			return fmt.Errorf("migrate the job tables: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(723047)")
	}
	if err := migrate(); err != nil {
		return fmt.Errorf("migrate the job tables: %w", err)
	}
	return nil
}

// Tables are River's own: their columns hold ids, moments and error texts, no personal data.
func Tables() []string {
	return []string{"river_job", "river_leader", "river_migration", "river_notification", "river_queue"}
}

func completeTx(ctx context.Context, tx *db.Tx, job *river.Job[jobArgs]) error {
	_, err := river.JobCompleteTx[driver](ctx, tx.Tx, job)
	if errors.Is(err, rivertype.ErrNotFound) {
		return ErrLost
	}
	if err != nil {
		return fmt.Errorf("complete job %d: %w", job.ID, err)
	}
	return nil
}

// riverText is what differs between River's tables on the two engines.
type riverText struct {
	worker   string // id of the client that made the last attempt
	attempts string // how many attempts clients made
	now      string
	args     string // $2 as job arguments
	age      string // microseconds since the epoch of scheduled_at
	lastErr  string // text of the last error, or ''
}

func riverSQL(e db.Engine) riverText {
	if e == db.Postgres {
		return riverText{
			worker: `attempted_by[cardinality(attempted_by)]`, attempts: `coalesce(cardinality(attempted_by), 0)`, now: `now()`,
			args: `$2::jsonb`, age: `CAST(extract(epoch FROM scheduled_at) * 1000000 AS BIGINT)`,
			lastErr: `coalesce(errors[cardinality(errors)] ->> 'error', '')`,
		}
	}
	return riverText{
		worker: `attempted_by ->> '$[#-1]'`, attempts: `coalesce(json_array_length(attempted_by), 0)`, now: `datetime('now', 'subsec')`,
		args: `jsonb($2)`, age: `CAST((julianday(scheduled_at) - 2440587.5) * 86400000000 AS INTEGER)`,
		lastErr: `coalesce(errors ->> '$[#-1].error', '')`,
	}
}

// bell carries "there are jobs in queue Q" within the process.
type bell struct {
	mu        sync.Mutex
	listeners map[*bellListener]bool
}

func (b *bell) ring(queues ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		l.ring(queues)
	}
}

// bellListener is a riverdriver.Listener over the bell.
type bellListener struct {
	bell   *bell
	schema string

	mu     sync.Mutex
	topics map[string]bool
	rung   map[string]bool // queues not yet told
	wake   chan struct{}   // holds one token while rung is not empty
}

const insertTopic = "river_insert"

func (l *bellListener) ring(queues []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.topics[insertTopic] {
		return
	}
	for _, name := range queues {
		l.rung[name] = true
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Connect begins to hear the bell.
func (l *bellListener) Connect(context.Context) error {
	l.mu.Lock()
	l.topics, l.rung, l.wake = map[string]bool{}, map[string]bool{}, make(chan struct{}, 1)
	l.mu.Unlock()
	l.bell.mu.Lock()
	defer l.bell.mu.Unlock()
	if l.bell.listeners == nil {
		l.bell.listeners = map[*bellListener]bool{}
	}
	l.bell.listeners[l] = true
	return nil
}

// Close stops hearing it.
func (l *bellListener) Close(context.Context) error {
	l.bell.mu.Lock()
	defer l.bell.mu.Unlock()
	delete(l.bell.listeners, l)
	return nil
}

// Listen takes a topic up.
func (l *bellListener) Listen(_ context.Context, topic string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = true
	return nil
}

// Unlisten drops it.
func (l *bellListener) Unlisten(_ context.Context, topic string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.topics, topic)
	return nil
}

// Ping tells that the line holds: it is memory.
func (l *bellListener) Ping(context.Context) error { return nil }

// Schema is the one River named.
func (l *bellListener) Schema() string { return l.schema }

// SetAfterConnectExec is of no use without a connection.
func (l *bellListener) SetAfterConnectExec(string) {}

// WaitForNotification waits for the next queue with new jobs.
func (l *bellListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		l.mu.Lock()
		for name := range l.rung {
			delete(l.rung, name)
			l.mu.Unlock()
			return &riverdriver.Notification{Topic: insertTopic, Payload: fmt.Sprintf(`{"queue": %q}`, name)}, nil
		}
		wake := l.wake
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-wake:
		}
	}
}

// quiet passes warnings and errors only: River tells of every start, stop and statistic.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(quietHandler{log.Handler()}) }

type quietHandler struct{ slog.Handler }

// Enabled lets warnings through.
func (h quietHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// WithAttrs keeps the filter.
func (h quietHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(a)}
}

// WithGroup keeps the filter.
func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name)}
}
