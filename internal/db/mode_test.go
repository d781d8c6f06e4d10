package db_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"audiomicro/internal/db"
)

// TestOnlyTheOwnerReads opens a new database in a folder that everybody may read.
func TestOnlyTheOwnerReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(context.Background(), db.Options{File: filepath.Join(dir, "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := db.Exec(context.Background(), d, `CREATE TABLE t (a TEXT)`); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.db", "a.db-wal"} { // a.db-shm holds page numbers, no content
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", name, info.Mode())
		}
	}
}
