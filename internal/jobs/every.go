package jobs

import (
	"context"
	"fmt"
	"time"

	"audiomicro/internal/db"
)

// keepSchedules enqueues what is due until ctx ends.
func (q *Queue) keepSchedules(ctx context.Context) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		if err := q.due(ctx); err != nil && ctx.Err() == nil {
			q.opt.Logger.Error("keep schedules", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (q *Queue) due(ctx context.Context) error {
	if len(q.every) == 0 {
		return nil
	}
	type row struct {
		Name string `db:"name"`
		Next int64  `db:"next_at"`
	}
	rows, err := db.Query[row](ctx, q.db, `SELECT name, next_at FROM job_schedule`)
	if err != nil {
		return fmt.Errorf("read schedules: %w", err)
	}
	next := map[string]int64{}
	for _, r := range rows {
		next[r.Name] = r.Next
	}
	now := q.opt.Now()
	for _, s := range q.every {
		at, known := next[s.sub.kind]
		// A moment further off than one interval is from before the clock was set back.
		if known && at > now.UnixMicro() && at <= now.Add(s.interval).UnixMicro() {
			continue
		}
		if err := q.fire(ctx, s, now, at, known); err != nil {
			return fmt.Errorf("schedule %s: %w", s.sub.kind, err)
		}
	}
	return nil
}

// fire moves the schedule on and enqueues its job; of several nodes that try, one finds the old moment still there. While
// the job before it is not finished the schedule stays due.
func (q *Queue) fire(ctx context.Context, s *schedule, now time.Time, at int64, known bool) error {
	return q.db.Tx(ctx, func(tx *db.Tx) error {
		busy, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM river_job WHERE kind = $1 AND state IN ('available', 'running', 'retryable', 'scheduled')`, s.sub.kind)
		if err != nil || busy > 0 {
			return err
		}
		next := now.Add(s.interval).UnixMicro()
		query, args := `INSERT INTO job_schedule (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, []any{s.sub.kind, next}
		if known {
			query, args = `UPDATE job_schedule SET next_at = $2 WHERE name = $1 AND next_at = $3`, append(args, at)
		}
		n, err := db.Exec(ctx, tx, query, args...)
		if err != nil || n == 0 {
			return err
		}
		return q.enqueue(ctx, tx, s.sub, []byte("{}"))
	})
}
