package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema holds the tables of this package: id_block and instance.
func Schema() fs.FS { return Folder(schema) }

// Folder is the folder "schema" that a package embeds.
func Folder(f embed.FS) fs.FS {
	s, err := fs.Sub(f, "schema")
	if err != nil {
		panic(err) // the folder is embedded: it cannot be missing
	}
	return s
}

// ErrOldSchema means that the database was made by another version of the program.
var ErrOldSchema = errors.New("the database's schema does not match this program: run `audiomicro migrate`, or start `audiomicro serve`, which migrates")

// merge puts the domains' schema folders into one numbered list. Two files with one number are an error.
func merge(folders []fs.FS) (fs.FS, int, error) {
	out := fstest.MapFS{}
	seen := map[string]string{}
	for _, folder := range folders {
		err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".sql") {
				return err
			}
			number, _, ok := strings.Cut(path, "_")
			if !ok || len(number) != 4 {
				return fmt.Errorf("migration %s: name it NNNN_what.sql", path)
			}
			if other := seen[number]; other != "" {
				return fmt.Errorf("migrations %s and %s share a number", other, path)
			}
			seen[number] = path
			f, err := folder.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			text, err := io.ReadAll(f)
			if err != nil {
				return err
			}
			out[path] = &fstest.MapFile{Data: text}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return out, len(seen), nil
}

func (d *DB) provider(folders []fs.FS) (*goose.Provider, error) {
	all, _, err := merge(folders)
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if d.engine == Postgres {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, d.write, all, goose.WithAllowOutofOrder(true), goose.WithVerbose(false), goose.WithTableName("schema_version"))
}

// Migrate brings the schema up to what folders hold: forward only, each file once, in the order of their numbers.
func (d *DB) Migrate(ctx context.Context, folders []fs.FS) error {
	p, err := d.provider(folders)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if d.engine == Postgres {
		// Two nodes that start together take turns; the lock belongs to this connection.
		conn, err := d.write.Conn(ctx)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(723046)"); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(723046)")
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Migrated tells whether the schema is exactly the one of folders: nil, ErrOldSchema, or why it cannot be told. An empty
// database reports empty=true.
func (d *DB) Migrated(ctx context.Context, folders []fs.FS) (empty bool, err error) {
	tables, err := d.Tables(ctx)
	if err != nil {
		return false, err
	}
	if len(tables) == 0 {
		return true, ErrOldSchema
	}
	p, err := d.provider(folders)
	if err != nil {
		return false, err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return false, fmt.Errorf("read schema version: %w", err)
	}
	if pending {
		return false, ErrOldSchema
	}
	all, n, err := merge(folders)
	if err != nil {
		return false, err
	}
	_ = all
	applied, err := Get[int64](ctx, d, `SELECT count(DISTINCT version_id) FROM schema_version WHERE version_id > 0`)
	if err != nil {
		return false, fmt.Errorf("read schema version: %w", err)
	}
	if applied > int64(n) {
		return false, fmt.Errorf("the database was made by a newer audiomicro (%d migrations, this program knows %d): use that version", applied, n)
	}
	return false, nil
}

// Column is a column with the type it was declared with: BIGINT, TEXT, DOUBLE PRECISION or BYTEA, in capitals.
type Column struct {
	Table string `db:"tab"`
	Name  string `db:"col"`
	Type  string `db:"typ"`
}

// Columns lists every column of every table, by table and name.
func Columns(ctx context.Context, q Querier) ([]Column, error) {
	query := `SELECT m.name AS tab, p.name AS col, upper(p.type) AS typ FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2`
	if q.Engine() == Postgres {
		query = `SELECT c.table_name AS tab, c.column_name AS col, upper(c.data_type) AS typ FROM information_schema.columns c
			JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
			WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY 1, 2`
	}
	cols, err := Query[Column](ctx, q, query)
	if err != nil {
		return nil, fmt.Errorf("list columns: %w", err)
	}
	return cols, nil
}

// References lists which table refers to which other one by a foreign key.
func References(ctx context.Context, q Querier) (map[string][]string, error) {
	query := `SELECT m.name AS tab, f."table" AS col, '' AS typ FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	if q.Engine() == Postgres {
		query = `SELECT c.conrelid::regclass::text AS tab, c.confrelid::regclass::text AS col, '' AS typ FROM pg_constraint c
			JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.contype = 'f' AND n.nspname = current_schema()`
	}
	pairs, err := Query[Column](ctx, q, query)
	if err != nil {
		return nil, fmt.Errorf("list references: %w", err)
	}
	out := map[string][]string{}
	for _, p := range pairs {
		out[p.Table] = append(out[p.Table], p.Name)
	}
	return out, nil
}

// Rows calls f with the values of each row of a query: int64, float64, string, []byte or nil.
func Rows(ctx context.Context, q Querier, f func(values []any) error, query string, args ...any) error {
	rows, err := q.rows(ctx, query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(cols))
	into := make([]any, len(cols))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := f(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Tables lists the tables and their columns in the database, by name.
func (d *DB) Tables(ctx context.Context) (map[string][]string, error) {
	query := `SELECT m.name AS tab, p.name AS col FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2`
	if d.engine == Postgres {
		query = `SELECT c.table_name AS tab, c.column_name AS col FROM information_schema.columns c
			JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
			WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY 1, 2`
	}
	type column struct {
		Table  string `db:"tab"`
		Column string `db:"col"`
	}
	cols, err := Query[column](ctx, d, query)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	out := map[string][]string{}
	for _, c := range cols {
		out[c.Table] = append(out[c.Table], c.Column)
	}
	for _, list := range out {
		sort.Strings(list)
	}
	return out, nil
}
