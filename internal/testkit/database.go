// Package testkit gives tests real parts: a database of their own on each engine, a whole site, a browser.
//
// PostgreSQL is found by AUDIOMICRO_TEST_POSTGRES, which scripts/postgres.sh sets. Without it the PostgreSQL half of a test
// is skipped, loudly; in CI it fails instead.
package testkit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"audiomicro/internal/app"
	"audiomicro/internal/db"
)

// Each runs f once per engine, each with a migrated database of its own. Both run in parallel.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			f(t, Database(t, engine))
		})
	}
}

// Database makes a migrated database that is gone after the test.
func Database(t *testing.T, engine db.Engine) *db.DB {
	t.Helper()
	ctx := context.Background()
	opt := db.Options{File: filepath.Join(t.TempDir(), "test.db"), MaxConns: 8}
	if engine == db.Postgres {
		opt.URL = PostgresURL(t)
	}
	d, err := db.Open(ctx, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	if engine == db.SQLite {
		if err := app.Migrate(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// Missing skips the test because a tool is not there, and fails it in CI.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI needs it: %s", text)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s", text)
}

var template struct {
	sync.Once
	name string
	err  error
}

// PostgresURL makes a migrated PostgreSQL database, copied from one template per process, and drops it after the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	admin := os.Getenv("AUDIOMICRO_TEST_POSTGRES")
	if admin == "" {
		Missing(t, "AUDIOMICRO_TEST_POSTGRES is not set: run the tests through `make test` or scripts/postgres.sh")
	}
	template.Do(func() { template.name, template.err = makeTemplate(admin) })
	if template.err != nil {
		t.Fatal(template.err)
	}
	name := "t_" + randomHex()
	if err := adminExec(admin, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template.name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := adminExec(admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return databaseURL(admin, name)
}

func makeTemplate(admin string) (string, error) {
	name := "template_" + randomHex()
	if err := adminExec(admin, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{URL: databaseURL(admin, name), MaxConns: 4})
	if err != nil {
		return "", err
	}
	defer d.Close()
	return name, app.Migrate(ctx, d)
}

func databaseURL(admin, name string) string {
	u, err := url.Parse(admin)
	if err != nil {
		return admin
	}
	u.Path = "/" + name
	return u.String()
}

var adminLock sync.Mutex // PostgreSQL refuses to copy a template that another copy is reading

func adminExec(admin, statement string) error {
	adminLock.Lock()
	defer adminLock.Unlock()
	pool, err := sql.Open("pgx", admin)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := pool.Exec(statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func randomHex() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
