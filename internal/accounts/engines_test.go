package accounts_test

import (
	"context"
	"database/sql"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/jobs"
	"audiomicro/internal/mail"
)

func engines(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, e := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			opt := db.Options{File: filepath.Join(t.TempDir(), "test.db"), MaxConns: 8}
			if e == db.Postgres {
				admin := os.Getenv("AUDIOMICRO_TEST_POSTGRES")
				if admin == "" {
					t.Skip("no PG")
				}
				name := "acc_" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))
				pool, err := sql.Open("pgx", admin)
				must(t, err)
				defer pool.Close()
				_, err = pool.Exec("CREATE DATABASE " + name)
				must(t, err)
				u, _ := url.Parse(admin)
				u.Path = "/" + name
				opt.URL = u.String()
			}
			d, err := db.Open(context.Background(), opt)
			must(t, err)
			t.Cleanup(func() { d.Close() })
			must(t, d.Migrate(context.Background(), []fs.FS{db.Schema(), feed.Schema(), jobs.Schema(), mail.Schema(), accounts.Schema()}))
			must(t, jobs.Migrate(context.Background(), d))
			f(t, d)
		})
	}
}
