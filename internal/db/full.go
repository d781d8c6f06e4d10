package db

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
)

// errFull marks errors of SQLite that come from a full disk.
var errFull = errors.New("the disk is full")

// crowded is how little room on SQLite's disk makes an I/O error one of a full disk, in bytes.
const crowded = 2 << 20

// explain tells a full disk from a broken one: SQLite's driver reports both as "disk I/O error".
func (d *DB) explain(err error) error {
	if err == nil || d.engine != SQLite || !errors.Is(err, sqlite3.IOERR) {
		return err
	}
	if room, known := diskRoom(filepath.Dir(d.url)); known && room < crowded {
		return fmt.Errorf("%w: %w", errFull, err)
	}
	return err
}
