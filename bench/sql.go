package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	_ "modernc.org/sqlite"             // registers "sqlite"; it has FTS5
)

// sqlEngine is a database with a table of sounds and a text index.
type sqlEngine struct {
	db       *sql.DB
	postgres bool
}

const soundTable = `CREATE TABLE sound (id BIGINT PRIMARY KEY, category TEXT, license TEXT, standard BIGINT, price TEXT, length BIGINT, seconds DOUBLE PRECISION,
	channels BIGINT, type TEXT, downloads BIGINT%s)`

func openFTS5(ctx context.Context, dir string) (engine, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "fts5.db")+"?_pragma=journal_mode(wal)&_pragma=cache_size(-262144)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	e := &sqlEngine{db: db}
	return e, e.exec(ctx, fmt.Sprintf(soundTable, ""), `CREATE TABLE tag (sound BIGINT, tag TEXT)`,
		`CREATE VIRTUAL TABLE text USING fts5 (title, tags, description, contributor, pack, tokenize = 'porter', prefix = '2 3')`)
}

func openPostgres(ctx context.Context) (engine, error) {
	url := os.Getenv("AUDIOMICRO_TEST_POSTGRES")
	if url == "" {
		return nil, fmt.Errorf("AUDIOMICRO_TEST_POSTGRES is not set: run it through scripts/postgres.sh")
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	e := &sqlEngine{db: db, postgres: true}
	return e, e.exec(ctx, `DROP TABLE IF EXISTS sound, tag`, fmt.Sprintf(soundTable, ", text TSVECTOR"), `CREATE TABLE tag (sound BIGINT, tag TEXT)`)
}

func (e *sqlEngine) exec(ctx context.Context, list ...string) error {
	for _, s := range list {
		if _, err := e.db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%.60s: %w", s, err)
		}
	}
	return nil
}

func (e *sqlEngine) close() error { return e.db.Close() }

func (e *sqlEngine) add(ctx context.Context, docs []index.Document) error {
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	for _, d := range docs {
		args := []any{d.ID, d.Category, strings.Join(d.Licenses, " "), bit(strings.Contains(strings.Join(d.Licenses, " "), "standard")), query.PriceBand(d.Free, d.PriceMinor, 100),
			int64(d.Seconds / 10), d.Seconds, d.Channels, d.Type, d.Downloads}
		texts := []any{d.Title, strings.Join(d.Tags, " "), d.Description, d.Contributor, d.Pack}
		if e.postgres {
			_, err = tx.ExecContext(ctx, `INSERT INTO sound VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, setweight(to_tsvector('english', $11), 'A') ||
				setweight(to_tsvector('english', $12), 'A') || setweight(to_tsvector('english', $13), 'B') || setweight(to_tsvector('english', $14 || ' ' || $15), 'C'))`, append(args, texts...)...)
		} else if _, err = tx.ExecContext(ctx, `INSERT INTO sound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, args...); err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO text (rowid, title, tags, description, contributor, pack) VALUES (?, ?, ?, ?, ?, ?)`, append([]any{d.ID}, texts...)...)
		}
		if err != nil {
			return err
		}
		for _, tag := range d.Tags {
			if _, err := tx.ExecContext(ctx, e.bind(`INSERT INTO tag VALUES ($1, $2)`), d.ID, tag); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// bind writes placeholders as SQLite numbers them.
func (e *sqlEngine) bind(s string) string {
	if e.postgres {
		return s
	}
	return strings.ReplaceAll(s, "$", "?")
}

func (e *sqlEngine) finish(ctx context.Context) error {
	list := []string{`CREATE INDEX tag_sound ON tag (sound)`, `CREATE INDEX sound_downloads ON sound (downloads)`}
	if e.postgres {
		list = append(list, `CREATE INDEX sound_text ON sound USING gin (text)`)
	} else {
		list = append(list, `INSERT INTO text (text) VALUES ('optimize')`)
	}
	return e.exec(ctx, append(list, `ANALYZE`)...)
}

// search reads the first page, and with facets or not the number of all hits.
func (e *sqlEngine) search(ctx context.Context, a ask) (int, error) {
	match, order, args := "", "downloads DESC", []any{}
	if len(a.words) > 0 {
		args = append(args, e.expression(a))
		match, order = e.match(a.downloads)
	}
	where := "WHERE true"
	if match != "" {
		where += " AND " + match
	}
	if a.filtered {
		where += " AND standard = 1 AND channels = 2 AND seconds BETWEEN 1 AND 20"
	}
	from := "FROM sound"
	if !e.postgres && match != "" {
		from = "FROM text JOIN sound ON sound.id = text.rowid"
	}
	rows, err := e.db.QueryContext(ctx, e.bind(fmt.Sprintf("SELECT id %s %s ORDER BY %s LIMIT 24", from, where, order)), args...)
	if err != nil {
		return 0, err
	}
	if err := drain(rows); err != nil {
		return 0, err
	}
	if a.facets {
		facets := fmt.Sprintf(`WITH hit AS MATERIALIZED (SELECT id, category, license, price, length, channels, type %s %s)
			SELECT category, count(*) FROM hit GROUP BY 1 UNION ALL SELECT license, count(*) FROM hit GROUP BY 1 UNION ALL SELECT price, count(*) FROM hit GROUP BY 1
			UNION ALL SELECT CAST(length AS TEXT), count(*) FROM hit GROUP BY 1 UNION ALL SELECT CAST(channels AS TEXT), count(*) FROM hit GROUP BY 1 UNION ALL SELECT type, count(*) FROM hit GROUP BY 1
			UNION ALL SELECT * FROM (SELECT tag, count(*) FROM hit JOIN tag ON tag.sound = hit.id GROUP BY 1 ORDER BY 2 DESC LIMIT 30) AS t`, from, where)
		rows, err := e.db.QueryContext(ctx, e.bind(facets), args...)
		if err != nil {
			return 0, err
		}
		if err := drain(rows); err != nil {
			return 0, err
		}
	}
	n := 0
	err = e.db.QueryRowContext(ctx, e.bind(fmt.Sprintf("SELECT count(*) %s %s", from, where)), args...).Scan(&n)
	return n, err
}

func drain(rows *sql.Rows) error {
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// match is the text condition, whose expression is $1, and the order.
func (e *sqlEngine) match(downloads bool) (match, order string) {
	match, order = "text MATCH $1", "bm25(text, 4, 4, 1.5, 1, 2)"
	if e.postgres {
		match, order = "text @@ to_tsquery('english', $1)", "ts_rank(text, to_tsquery('english', $1)) DESC"
	}
	if downloads {
		order = "downloads DESC"
	}
	return match, order
}

func (e *sqlEngine) expression(a ask) string {
	switch {
	case e.postgres && a.prefix:
		return a.words[0] + ":*"
	case e.postgres && a.phrase:
		return strings.Join(a.words, " <-> ")
	case e.postgres:
		return strings.Join(a.words, " & ")
	case a.prefix:
		return a.words[0] + "*"
	case a.phrase:
		return `"` + strings.Join(a.words, " ") + `"`
	}
	return strings.Join(a.words, " AND ")
}
