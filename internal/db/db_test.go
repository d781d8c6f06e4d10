package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

func TestSQLTextOnBothEngines(t *testing.T) {
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		type pair struct {
			A string `db:"a"`
			B string `db:"b"`
		}
		// SQLite takes $2 for a name and would number it by first appearance.
		got, err := db.Get[pair](ctx, d, `SELECT CAST($2 AS TEXT) AS a, CAST($1 AS TEXT) AS b -- $9 in a comment
			WHERE '$7' <> CAST($1 AS TEXT)`, "one", "two")
		if err != nil || got != (pair{"two", "one"}) {
			t.Errorf("placeholders: %v, %v", got, err)
		}
		if _, err := db.Get[int64](ctx, d, `SELECT 1 WHERE 1 = 0`); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("no row: %v", err)
		}
		if _, err := db.Get[int64](ctx, d, `SELECT 1 UNION SELECT 2`); err == nil {
			t.Error("two rows were taken for one")
		}
		in, args := db.In(1, []int64{})
		if list, err := db.Query[string](ctx, d, `SELECT kind FROM id_block WHERE next IN (`+in+`)`, args...); err != nil || len(list) != 0 {
			t.Errorf("empty list: %v, %v", list, err)
		}
		type short struct {
			A string `db:"a"`
		}
		if _, err := db.Query[short](ctx, d, `SELECT 'x' AS a, 'y' AS b`); err == nil {
			t.Error("a column without a field was dropped in silence")
		}
		if _, err := db.Query[pair](ctx, d, `SELECT 'x' AS a`); err == nil {
			t.Error("a field without a column stayed empty in silence")
		}
	})
}

func TestTransactions(t *testing.T) {
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		var order []string
		boom := errors.New("boom")
		err := d.Tx(ctx, func(tx *db.Tx) error {
			tx.AfterCommit(func() { order = append(order, "after") })
			tx.BeforeCommit(func() error { order = append(order, "before"); return nil })
			_, err := db.Exec(ctx, tx, `INSERT INTO instance (name, value, created_at) VALUES ('kept', 'x', 1)`)
			return err
		})
		if err != nil || !slices.Equal(order, []string{"before", "after"}) {
			t.Errorf("commit: %v, %v", order, err)
		}
		err = d.Tx(ctx, func(tx *db.Tx) error {
			tx.AfterCommit(func() { t.Error("AfterCommit ran after a rollback") })
			if _, err := db.Exec(ctx, tx, `INSERT INTO instance (name, value, created_at) VALUES ('lost', 'x', 1)`); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("rollback: %v", err)
		}
		err = d.Tx(ctx, func(tx *db.Tx) error {
			_, err := db.Exec(ctx, tx, `INSERT INTO instance (name, value, created_at) VALUES ('kept', 'x', 1)`)
			return err
		})
		if !db.IsUnique(err) {
			t.Errorf("a second row under one key: %v", err)
		}
		names, err := db.Query[string](ctx, d, `SELECT name FROM instance WHERE name IN ('kept', 'lost')`)
		if err != nil || !slices.Equal(names, []string{"kept"}) {
			t.Errorf("rows: %v, %v", names, err)
		}
	})
}

// TestNewID draws ids in transactions of which half roll back, from many goroutines: none may be given twice.
func TestNewID(t *testing.T) {
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		seen := map[int64]bool{}
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 60 {
					var mine []int64
					err := d.Tx(context.Background(), func(tx *db.Tx) error {
						mine = nil
						for range 50 {
							id, err := tx.NewID(context.Background(), "thing")
							if err != nil {
								return err
							}
							mine = append(mine, id)
						}
						if (g+i)%2 == 0 {
							return errRollback
						}
						return nil
					})
					if err != nil {
						if !errors.Is(err, errRollback) {
							t.Error(err)
						}
						continue
					}
					mu.Lock()
					for _, id := range mine {
						if seen[id] {
							t.Errorf("id %d was given twice", id)
						}
						seen[id] = true
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(seen) != 8*30*50 {
			t.Errorf("%d ids, want %d", len(seen), 8*30*50)
		}
	})
}

var errRollback = errors.New("rolled back on purpose")

func TestMigratedTellsOldAndEmpty(t *testing.T) {
	ctx := t.Context()
	d, err := db.Open(ctx, db.Options{File: t.TempDir() + "/a.db"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if empty, err := d.Migrated(ctx, nil); !empty || !errors.Is(err, db.ErrOldSchema) {
		t.Errorf("an empty database: %v, %v", empty, err)
	}
}

func ExampleIn() {
	in, args := db.In(3, []int64{7, 9})
	fmt.Println(in, args)
	// Output: $3,$4 [7 9]
}
