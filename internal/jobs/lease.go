package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"audiomicro/internal/db"
)

// lease is the row by which a running node says that it lives. Its id is the node's name and a random part, so that a
// program that starts again is told from the one it replaces.
type lease struct {
	q    *Queue
	id   string
	n    int64
	seen map[string]sighting
}

// sighting is another's beat as this node saw it first, and how often it has stood still since. Clocks are not compared
// between nodes, and rounds in which the database did not answer do not count: it may have been away for all.
type sighting struct {
	beat  int64
	still int
}

// deadAfter is how many rounds of our own a beat stands still before its lease is dead.
const deadAfter = 3

func (q *Queue) newLease() *lease {
	return &lease{q: q, id: q.opt.Node + "/" + rand.Text()[:10], seen: map[string]sighting{}}
}

// takeOver writes the row and returns the jobs that this node's earlier runs, or on SQLite anybody's, left behind.
func (l *lease) takeOver(ctx context.Context) error {
	return l.q.db.Tx(ctx, func(tx *db.Tx) error {
		if err := l.write(ctx, tx); err != nil {
			return err
		}
		dead, err := db.Query[string](ctx, tx, `SELECT id FROM node_lease WHERE id <> $1 AND (node = $2 OR $3 = 1)`,
			l.id, l.q.opt.Node, db.Bool(tx.Engine() == db.SQLite))
		if err != nil {
			return fmt.Errorf("find dead leases: %w", err)
		}
		return l.bury(ctx, tx, dead)
	})
}

func (l *lease) write(ctx context.Context, q db.Querier) error {
	l.n++
	_, err := db.Exec(ctx, q, `INSERT INTO node_lease (id, node, beat, beat_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET beat = excluded.beat, beat_at = excluded.beat_at`, l.id, l.q.opt.Node, l.n, l.q.opt.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	return nil
}

// beat writes the row every interval and buries others that stopped.
func (l *lease) beat(ctx context.Context) {
	ticker := time.NewTicker(l.q.opt.Beat)
	defer ticker.Stop()
	for {
		if err := l.round(ctx); err != nil && ctx.Err() == nil {
			l.q.opt.Logger.Error("keep the node's lease", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *lease) round(ctx context.Context) error {
	if err := l.write(ctx, l.q.db); err != nil {
		return err
	}
	type row struct {
		ID   string `db:"id"`
		Beat int64  `db:"beat"`
	}
	rows, err := db.Query[row](ctx, l.q.db, `SELECT id, beat FROM node_lease WHERE id <> $1`, l.id)
	if err != nil {
		return fmt.Errorf("read leases: %w", err)
	}
	var dead []string
	seen := map[string]sighting{}
	for _, r := range rows {
		s, ok := l.seen[r.ID]
		if s.still++; !ok || s.beat != r.Beat {
			s = sighting{beat: r.Beat}
		}
		if s.still >= deadAfter {
			dead = append(dead, r.ID)
		}
		seen[r.ID] = s
	}
	l.seen = seen
	if len(dead) == 0 {
		return nil
	}
	l.q.opt.Logger.Warn("took over the jobs of dead nodes", "nodes", dead)
	return l.q.db.Tx(ctx, func(tx *db.Tx) error { return l.bury(ctx, tx, dead) })
}

// leave gives the lease up at an orderly end.
func (l *lease) leave(ctx context.Context) {
	err := l.q.db.Tx(ctx, func(tx *db.Tx) error { return l.bury(ctx, tx, []string{l.id}) })
	if err != nil {
		l.q.opt.Logger.Error("give up the node's lease", "err", err)
	}
}

// maxLosses is how often a job may be lost with its node before the lost attempts count: it may be what kills the nodes.
const maxLosses = 10

// bury deletes leases, and gives their running jobs and their leadership back. A running job without a lease counts as
// theirs: every node writes its lease before it takes its first job.
func (l *lease) bury(ctx context.Context, tx *db.Tx, dead []string) error {
	for _, id := range dead {
		if _, err := db.Exec(ctx, tx, `DELETE FROM node_lease WHERE id = $1`, id); err != nil {
			return fmt.Errorf("bury lease %s: %w", id, err)
		}
	}
	if _, err := db.Exec(ctx, tx, `DELETE FROM river_leader WHERE leader_id NOT IN (SELECT id FROM node_lease)`); err != nil {
		return fmt.Errorf("free the leadership: %w", err)
	}
	if err := l.giveBack(ctx, tx); err != nil {
		return fmt.Errorf("give jobs back: %w", err)
	}
	return nil
}

func (l *lease) giveBack(ctx context.Context, tx *db.Tx) error {
	type row struct {
		ID       int64 `db:"id"`
		Attempt  int64 `db:"attempt"`
		Most     int64 `db:"max_attempts"`
		Attempts int64 `db:"attempts"`
	}
	sql := riverSQL(tx.Engine())
	rows, err := db.Query[row](ctx, tx, `SELECT id, attempt, max_attempts, `+sql.attempts+` AS attempts FROM river_job
		WHERE state = 'running' AND `+sql.worker+` NOT IN (SELECT id FROM node_lease)`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		// River notes the worker of every attempt, so attempts beyond the counted ones were lost with a node.
		query, attempt := `UPDATE river_job SET state = 'available', attempt = $2`, max(0, r.Attempt-1)
		if r.Attempts-attempt > maxLosses {
			if attempt = r.Attempt; attempt >= r.Most {
				query = `UPDATE river_job SET state = 'discarded', attempt = $2, finalized_at = ` + sql.now
			}
		}
		// The last transaction of a killed process may end only now, and complete its job: that one is nobody's to give back.
		if _, err := db.Exec(ctx, tx, query+` WHERE id = $1 AND state = 'running'`, r.ID, attempt); err != nil {
			return err
		}
	}
	return nil
}
