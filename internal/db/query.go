package db

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Exec runs a statement and tells how many rows it changed.
func Exec(ctx context.Context, q Querier, query string, args ...any) (int64, error) {
	res, err := q.exec(ctx, query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Query reads all rows. T is a scalar, []byte, or a struct whose fields carry `db:"column"` tags (embedded structs are
// flattened); a column without a field and a tagged field without a column are errors. NULL needs a pointer or sql.Null.
func Query[T any](ctx context.Context, q Querier, query string, args ...any) ([]T, error) {
	start := time.Now()
	defer func() { q.tell(query, time.Since(start)) }()
	rows, err := q.rows(ctx, query, args)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	var plan [][]int
	for rows.Next() {
		var v T
		if plan == nil {
			if plan, err = scanPlan(reflect.TypeFor[T](), rows); err != nil {
				return nil, err
			}
		}
		if err := rows.Scan(targets(&v, plan)...); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Get reads one row, or returns ErrNotFound. More than one row is an error.
func Get[T any](ctx context.Context, q Querier, query string, args ...any) (T, error) {
	all, err := Query[T](ctx, q, query, args...)
	var zero T
	switch {
	case err != nil:
		return zero, err
	case len(all) == 0:
		return zero, ErrNotFound
	case len(all) > 1:
		return zero, fmt.Errorf("one row wanted, %d found", len(all))
	}
	return all[0], nil
}

// In expands a list for "column IN (…)": it returns "$n,$n+1,…" starting at number first, and the arguments. An empty list
// gives "NULL", which matches nothing.
func In[T any](first int, list []T) (string, []any) {
	if len(list) == 0 {
		return "NULL", nil
	}
	var b strings.Builder
	args := make([]any, len(list))
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
		args[i] = v
	}
	return b.String(), args
}

// scalar types are scanned as a whole even when they are structs.
func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]())
}

var fieldCache sync.Map // reflect.Type → map[string][]int

func fields(t reflect.Type) map[string][]int {
	if m, ok := fieldCache.Load(t); ok {
		return m.(map[string][]int)
	}
	m := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("db"); name != "" {
			m[name] = f.Index
		}
	}
	fieldCache.Store(t, m)
	return m
}

func scanPlan(t reflect.Type, rows *sql.Rows) ([][]int, error) {
	if !isStruct(t) {
		return [][]int{}, nil
	}
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	byName := fields(t)
	plan := make([][]int, len(cols))
	for i, c := range cols {
		idx, ok := byName[c]
		if !ok {
			return nil, fmt.Errorf("%s has no field for column %q", t, c)
		}
		plan[i] = idx
	}
	if len(byName) != len(cols) {
		return nil, fmt.Errorf("%s has %d tagged fields, the row %d columns", t, len(byName), len(cols))
	}
	return plan, nil
}

func targets[T any](v *T, plan [][]int) []any {
	if len(plan) == 0 {
		return []any{v}
	}
	rv := reflect.ValueOf(v).Elem()
	out := make([]any, len(plan))
	for i, idx := range plan {
		out[i] = rv.FieldByIndex(idx).Addr().Interface()
	}
	return out
}

// rewrite turns $N into ?N for SQLite, outside quoted text and comments.
func rewrite(e Engine, query string) string {
	if e != SQLite || !strings.Contains(query, "$") {
		return query
	}
	out := make([]byte, 0, len(query))
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case c == '\'' || c == '"':
			end := strings.IndexByte(query[i+1:], c)
			if end < 0 {
				return string(append(out, query[i:]...))
			}
			out = append(out, query[i:i+end+2]...)
			i += end + 1
		case c == '-' && strings.HasPrefix(query[i:], "--"):
			end := strings.IndexByte(query[i:], '\n')
			if end < 0 {
				return string(append(out, query[i:]...))
			}
			out = append(out, query[i:i+end]...)
			i += end - 1
		case c == '$' && i+1 < len(query) && query[i+1] >= '0' && query[i+1] <= '9':
			out = append(out, '?')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// Bool turns a Go bool into the 0 or 1 that both engines store.
func Bool(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
