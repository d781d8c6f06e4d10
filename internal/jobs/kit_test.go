package jobs_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
)

// effects is what the jobs of these tests write.
var effects = fstest.MapFS{"9001_effects.sql": {Data: []byte(`-- +goose Up
CREATE TABLE effect (id BIGINT NOT NULL, node TEXT NOT NULL);
CREATE TABLE done (id BIGINT PRIMARY KEY);
`)}}

// each runs f on both engines with a migrated database of its own.
func each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, open(t, db.Options{File: filepath.Join(t.TempDir(), "test.db")}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, open(t, db.Options{URL: postgresURL(t), MaxConns: 8}))
	})
}

func open(t *testing.T, opt db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), opt)
	must(t, err)
	t.Cleanup(func() { d.Close() })
	must(t, d.Migrate(t.Context(), []fs.FS{db.Schema(), jobs.Schema(), effects}))
	must(t, jobs.Migrate(t.Context(), d))
	return d
}

func postgresURL(t *testing.T) string {
	t.Helper()
	admin := os.Getenv("AUDIOMICRO_TEST_POSTGRES")
	if admin == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI needs AUDIOMICRO_TEST_POSTGRES")
		}
		t.Skip("SKIPPED, NOT TESTED: AUDIOMICRO_TEST_POSTGRES is not set")
	}
	name := "jobs_" + strings.ToLower(rand.Text()[:16])
	run := func(statement string) {
		pool, err := sql.Open("pgx", admin)
		must(t, err)
		defer pool.Close()
		_, err = pool.Exec(statement)
		must(t, err)
	}
	run("CREATE DATABASE " + name)
	t.Cleanup(func() { run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	u, err := url.Parse(admin)
	must(t, err)
	u.Path = "/" + name
	return u.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func queue(t *testing.T, d *db.DB, opt jobs.Options) *jobs.Queue {
	t.Helper()
	if opt.Node == "" {
		opt.Node = "node-a"
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	q, err := jobs.New(d, opt)
	must(t, err)
	return q
}

// run works q until the returned function is called or the test ends.
func run(t *testing.T, q *jobs.Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// eventually polls until ok, and fails after 90 s: a machine busy with other tests is no failure.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 90 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func count(t *testing.T, d *db.DB, query string, args ...any) int64 {
	t.Helper()
	n, err := db.Get[int64](t.Context(), d, query, args...)
	must(t, err)
	return n
}

func raise(t *testing.T, d *db.DB, q *jobs.Queue, events ...any) {
	t.Helper()
	must(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		for _, e := range events {
			if err := q.Raise(t.Context(), tx, e); err != nil {
				return err
			}
		}
		return nil
	}))
}

func dump(t *testing.T, d *db.DB) string {
	t.Helper()
	type row struct {
		Kind  string `db:"kind"`
		State string `db:"state"`
		N     int64  `db:"n"`
	}
	rows, err := db.Query[row](t.Context(), d, `SELECT kind, CAST(state AS TEXT) AS state, count(*) AS n FROM river_job GROUP BY kind, state`)
	must(t, err)
	return fmt.Sprint(rows)
}
