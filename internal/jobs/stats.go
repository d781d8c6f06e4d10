package jobs

import (
	"context"
	"fmt"
	"time"

	"audiomicro/internal/db"
)

// Stats is the state of the queue at one moment.
type Stats struct {
	Queued   int64         // wait for a worker
	Running  int64         // are with one
	Retrying int64         // failed and wait for their next attempt
	Dead     int64         // failed for good within the last 30 days
	Oldest   time.Duration // how long the first of the queued has waited
}

// Stats counts jobs for metrics and doctor.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	type row struct {
		State string `db:"state"`
		N     int64  `db:"n"`
		First int64  `db:"first"`
	}
	rows, err := db.Query[row](ctx, q.db, `SELECT CAST(state AS TEXT) AS state, count(*) AS n, min(`+riverSQL(q.db.Engine()).age+`) AS first
		FROM river_job WHERE state <> 'completed' GROUP BY state`)
	if err != nil {
		return Stats{}, fmt.Errorf("count jobs: %w", err)
	}
	var s Stats
	for _, r := range rows {
		switch r.State {
		case "available", "pending":
			s.Queued += r.N
			s.Oldest = max(s.Oldest, q.opt.Now().Sub(time.UnixMicro(r.First)))
		case "running":
			s.Running += r.N
		case "retryable", "scheduled":
			s.Retrying += r.N
		case "cancelled", "discarded":
			s.Dead += r.N
		}
	}
	return s, nil
}

// Dead is a job that failed for good.
type Dead struct {
	ID       int64  `db:"id"`
	Kind     string `db:"kind"`
	Args     string `db:"args"` // the event as JSON: ids
	Attempts int64  `db:"attempt"`
	Error    string `db:"error"` // of the last attempt
}

// Dead lists the n latest dead jobs.
func (q *Queue) Dead(ctx context.Context, n int) ([]Dead, error) {
	sql, args := riverSQL(q.db.Engine()), `json(args)`
	if q.db.Engine() == db.Postgres {
		args = `CAST(args AS TEXT)`
	}
	list, err := db.Query[Dead](ctx, q.db, `SELECT id, kind, `+args+` AS args, attempt, `+sql.lastErr+` AS error FROM river_job
		WHERE state IN ('cancelled', 'discarded') ORDER BY finalized_at DESC, id DESC LIMIT $1`, n)
	if err != nil {
		return nil, fmt.Errorf("list dead jobs: %w", err)
	}
	return list, nil
}

// Retry gives a dead job one more try. db.ErrNotFound when there is no such job.
func (q *Queue) Retry(ctx context.Context, id int64) error {
	n, err := db.Exec(ctx, q.db, `UPDATE river_job SET state = 'available', finalized_at = NULL, scheduled_at = `+riverSQL(q.db.Engine()).now+`,
		max_attempts = CASE WHEN attempt < max_attempts THEN max_attempts ELSE attempt + 1 END
		WHERE id = $1 AND state IN ('cancelled', 'discarded')`, id)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	q.Wake()
	return nil
}
