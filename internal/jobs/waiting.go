package jobs

import (
	"context"
	"fmt"

	"audiomicro/internal/db"
)

// Waiting is a job that is not finished, in a form that any engine can take back: River's own tables differ between them.
type Waiting struct {
	Kind string `db:"kind"`
	Args string `db:"args"` // the event as JSON
}

// Waiting lists what is queued, running or to be tried again, the oldest first: the part of a backup that this package owns.
// Running jobs are listed too, for they have not promised to finish. from is the database, or a snapshot of it.
func (q *Queue) Waiting(ctx context.Context, from db.Querier) ([]Waiting, error) {
	args := `json(args)`
	if from.Engine() == db.Postgres {
		args = `CAST(args AS TEXT)`
	}
	list, err := db.Query[Waiting](ctx, from, `SELECT kind, `+args+` AS args FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list waiting jobs: %w", err)
	}
	return list, nil
}

// Requeue enqueues jobs that Waiting listed, in tx, with all their attempts. Kinds that nobody subscribed to are left out and
// counted.
func (q *Queue) Requeue(ctx context.Context, tx *db.Tx, list []Waiting) (unknown int, err error) {
	for _, w := range list {
		s := q.byKind[w.Kind]
		if s == nil {
			unknown++
			continue
		}
		if err := q.enqueue(ctx, tx, s, []byte(w.Args)); err != nil {
			return unknown, fmt.Errorf("requeue: %w", err)
		}
	}
	return unknown, nil
}
