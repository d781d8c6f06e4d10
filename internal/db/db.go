// Package db runs one hand-written SQL text on two engines: SQLite (ncruces/go-sqlite3, no cgo) and PostgreSQL 15+ (pgx).
//
// It holds the pools, the transaction, ids from blocks, migrations, and the three helpers that read rows: Query, Get, In.
// Statements use $1…$N placeholders; on SQLite they are rewritten to ?1…?N in one place, because SQLite takes $N for a name
// numbered by first appearance. What is portable is listed in doc/sql.md.
//
// Promises: a commit that returned is on disk (SQLite runs WAL with synchronous=FULL); a transaction's function may be
// run again after a serialization failure, so it must not act on the outside world.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"
)

// Engine names the database in use.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// ErrNotFound means that no row answered. Every Store returns it, wrapped, for a missing object.
var ErrNotFound = errors.New("not found")

// Options say which database to open.
type Options struct {
	// URL is a postgres:// address, or empty for SQLite.
	URL string
	// File is the SQLite file; its folder must exist.
	File string
	// MaxConns bounds PostgreSQL's pool; 0 means 16.
	MaxConns int
}

// DB is an open database: on SQLite a pool of readers and one writer connection, on PostgreSQL one pool for both.
type DB struct {
	engine Engine
	url    string
	read   *sql.DB
	write  *sql.DB
	ids    idPool
	told   atomic.Pointer[func(statement string, took time.Duration)]
}

// Querier runs statements: a *DB outside, a *Tx inside a transaction.
type Querier interface {
	Engine() Engine
	exec(ctx context.Context, query string, args []any) (sql.Result, error)
	rows(ctx context.Context, query string, args []any) (*sql.Rows, error)
	tell(statement string, took time.Duration)
}

// Open opens the database that opt names, without changing its schema.
func Open(ctx context.Context, opt Options) (*DB, error) {
	if opt.URL != "" {
		return openPostgres(ctx, opt)
	}
	return openSQLite(ctx, opt.File)
}

func openPostgres(ctx context.Context, opt Options) (*DB, error) {
	pool, err := sql.Open("pgx", opt.URL)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if opt.MaxConns == 0 {
		opt.MaxConns = 16
	}
	pool.SetMaxOpenConns(opt.MaxConns)
	pool.SetMaxIdleConns(opt.MaxConns / 2)
	pool.SetConnMaxIdleTime(time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return &DB{engine: Postgres, url: opt.URL, read: pool, write: pool}, nil
}

// sqliteDSN builds the address of a SQLite file. busy_timeout comes first: set after journal_mode, a second process that
// opens the file at the same moment dies with "database is locked".
func sqliteDSN(file string, cacheKiB int, readOnly bool) string {
	v := url.Values{}
	for _, p := range []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "secure_delete(ON)",
		"temp_store(MEMORY)", fmt.Sprintf("cache_size(-%d)", cacheKiB),
	} {
		v.Add("_pragma", p)
	}
	v.Set("_txlock", "immediate")
	if readOnly {
		v.Add("_pragma", "query_only(ON)")
		v.Set("_txlock", "deferred")
	}
	v.Set("modeof", file) // the write-ahead log is as private as the database
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + v.Encode()
}

func openSQLite(ctx context.Context, file string) (*DB, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	if _, err := os.Stat(filepath.Dir(abs)); err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	// The database holds addresses and the key that signs licenses: whatever the folder's mode, nobody else reads it.
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	write, err := sql.Open("sqlite3", sqliteDSN(abs, 32768, false))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	write.SetMaxOpenConns(1)
	if err := write.PingContext(ctx); err != nil {
		write.Close()
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	read, err := sql.Open("sqlite3", sqliteDSN(abs, 8192, true))
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	read.SetMaxOpenConns(4)
	read.SetMaxIdleConns(2)
	read.SetConnMaxIdleTime(30 * time.Second)
	read.SetConnMaxLifetime(time.Hour) // a connection plans by what Analyze had counted when it was opened
	return &DB{engine: SQLite, url: abs, read: read, write: write}, nil
}

// analyzedEntries is how many entries of an index Analyze looks at: 0.1 s at a million recordings. It must be more than the lists that
// the house asks for with IN, or SQLite still takes one state of all recordings for fewer rows than a list of ids.
const analyzedEntries = 10_000

// Analyze counts how the values of indexes are spread, so that the planner need not guess. Without it SQLite takes ten rows to be in one
// state, and finds a page of recordings among all that are published. PostgreSQL does it by itself.
func (d *DB) Analyze(ctx context.Context) error {
	if d.engine != SQLite {
		return nil
	}
	if _, err := d.write.ExecContext(ctx, fmt.Sprintf("PRAGMA analysis_limit = %d; ANALYZE", analyzedEntries)); err != nil {
		return fmt.Errorf("analyze the indexes: %w", d.explain(err))
	}
	return nil
}

// Engine tells which engine d runs on.
func (d *DB) Engine() Engine { return d.engine }

// URL is the PostgreSQL address or the SQLite file's absolute path.
func (d *DB) URL() string { return d.url }

// Writer is the pool that writes: on SQLite it has exactly one connection, so code that holds a Tx must not use it.
func (d *DB) Writer() *sql.DB { return d.write }

// Close closes the pools. On SQLite the write-ahead log is folded into the file by the last connection.
func (d *DB) Close() error {
	var errs []error
	if d.read != d.write {
		errs = append(errs, d.read.Close())
	}
	errs = append(errs, d.write.Close())
	return errors.Join(errs...)
}

func (d *DB) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	res, err := d.write.ExecContext(ctx, rewrite(d.engine, query), args...)
	return res, d.explain(err)
}

func (d *DB) rows(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	pool := d.read
	if d.engine == SQLite && writes(query) {
		pool = d.write
	}
	return pool.QueryContext(ctx, rewrite(d.engine, query), args...)
}

// Watch has f told of every statement that is read with Query or Get, once its last row was read.
func (d *DB) Watch(f func(statement string, took time.Duration)) { d.told.Store(&f) }

func (d *DB) tell(statement string, took time.Duration) {
	if f := d.told.Load(); f != nil {
		(*f)(statement, took)
	}
}

// writes tells whether a statement that returns rows also changes some (INSERT … RETURNING).
func writes(query string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	return !strings.EqualFold(word, "SELECT") && !strings.EqualFold(word, "WITH")
}

// Tx is a write transaction. Its raw *sql.Tx is open to packages that enqueue jobs in it.
type Tx struct {
	*sql.Tx
	engine Engine
	db     *DB
	blocks map[string]*block
	before []func() error
	after  []func()
}

// Engine tells which engine the transaction runs on.
func (t *Tx) Engine() Engine { return t.engine }

func (t *Tx) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	return t.Tx.ExecContext(ctx, rewrite(t.engine, query), args...)
}

func (t *Tx) rows(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	return t.Tx.QueryContext(ctx, rewrite(t.engine, query), args...)
}

func (t *Tx) tell(statement string, took time.Duration) { t.db.tell(statement, took) }

// BeforeCommit has f run as the transaction's last act; an error of f rolls back. It is the place for rows that everybody
// contends for, so that they are locked as briefly as can be.
func (t *Tx) BeforeCommit(f func() error) { t.before = append(t.before, f) }

// AfterCommit has f run once the transaction is committed; it does not run after a rollback.
func (t *Tx) AfterCommit(f func()) { t.after = append(t.after, f) }

// Tx runs f in a write transaction: committed when f returns nil, rolled back otherwise. On PostgreSQL f is run again, up
// to five times, after a serialization failure or a deadlock.
func (d *DB) Tx(ctx context.Context, f func(tx *Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := d.once(ctx, f)
		if err == nil || attempt == 5 || !retryable(err) {
			return d.explain(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(attempt*attempt) * 5 * time.Millisecond):
		}
	}
}

func (d *DB) once(ctx context.Context, f func(tx *Tx) error) error {
	raw, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{Tx: raw, engine: d.engine, db: d}
	defer raw.Rollback() // after a commit this does nothing
	if err := f(tx); err != nil {
		return err
	}
	for _, before := range tx.before {
		if err := before(); err != nil {
			return err
		}
	}
	if err := raw.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	d.ids.give(tx.blocks)
	for _, after := range tx.after {
		after()
	}
	return nil
}

// Snapshot runs f on one unchanging state of the whole database, while others go on writing. f must not write.
func (d *DB) Snapshot(ctx context.Context, f func(q Querier) error) error {
	opt := &sql.TxOptions{ReadOnly: true}
	if d.engine == Postgres {
		opt.Isolation = sql.LevelRepeatableRead
	}
	raw, err := d.read.BeginTx(ctx, opt)
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer raw.Rollback() // it only read
	return f(&Tx{Tx: raw, engine: d.engine, db: d})
}

// retryable tells whether PostgreSQL asks to run the transaction again (SQLSTATE class 40).
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && strings.HasPrefix(pg.Code, "40")
}

// IsUnique tells whether err says that a unique constraint or primary key refused the row.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// IsFull tells whether err says that the disk has no room left.
func IsFull(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "53100"
	}
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, errFull)
}

// IsAway tells whether err says that the database cannot be reached now: it refuses connections, shuts down or starts, or
// broke one off (SQLSTATE class 08, 53300, 57P01 to 57P05). SQLite is never away.
func IsAway(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P0") || pg.Code == "53300") {
		return true
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.Is(err, driver.ErrBadConn)
}

// IsBadText tells whether err says that an argument is no text that the database can hold: PostgreSQL knows neither NUL nor
// bytes that are not UTF-8 (SQLSTATE 22021, 22P05).
func IsBadText(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "22021" || pg.Code == "22P05")
}

// Lock makes other transactions that lock the same name wait until this one ends, so that what is read after it stays true
// until the commit. SQLite runs one writing transaction at a time anyway.
func (tx *Tx) Lock(ctx context.Context, name string) error {
	if tx.Engine() != Postgres {
		return nil
	}
	if _, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, []any{name}); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	return nil
}

// block is a run of ids [next, end) that this process may give out.
type block struct{ next, end int64 }

type idPool struct {
	mu     sync.Mutex
	blocks map[string]*block
}

const blockSize = 1000

func (p *idPool) take(kind string) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.blocks[kind]
	if b == nil || b.next == b.end {
		return 0, false
	}
	b.next++
	return b.next - 1, true
}

func (p *idPool) give(blocks map[string]*block) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for kind, b := range blocks {
		if p.blocks == nil {
			p.blocks = map[string]*block{}
		}
		if have := p.blocks[kind]; have == nil || have.next == have.end {
			p.blocks[kind] = b
		}
	}
}

// NewID gives the next small id of a kind ("recording"). A new block is drawn inside the transaction and shared with the
// process only when it commits: a rollback would give the same block to somebody else.
func (t *Tx) NewID(ctx context.Context, kind string) (int64, error) {
	if b := t.blocks[kind]; b != nil && b.next < b.end {
		b.next++
		return b.next - 1, nil
	}
	if id, ok := t.db.ids.take(kind); ok {
		return id, nil
	}
	end, err := Get[int64](ctx, t, `INSERT INTO id_block (kind, next) VALUES ($1, $2)
		ON CONFLICT (kind) DO UPDATE SET next = id_block.next + $3 RETURNING next`, kind, 1+blockSize, blockSize)
	if err != nil {
		return 0, fmt.Errorf("new id for %s: %w", kind, err)
	}
	if t.blocks == nil {
		t.blocks = map[string]*block{}
	}
	b := &block{next: end - blockSize, end: end}
	t.blocks[kind] = b
	b.next++
	return b.next - 1, nil
}
