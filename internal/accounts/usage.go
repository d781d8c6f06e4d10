package accounts

import (
	"context"
	"fmt"
	"sync"
	"time"

	"audiomicro/internal/db"
)

// Usage is how often a credential asked on a day.
type Usage struct {
	Day    int64 `db:"day"` // days since 1970-01-01, UTC
	Reads  int64 `db:"reads"`
	Writes int64 `db:"writes"`
}

// usageKept is how long requests by day are kept; their owner sees the last 30 days.
const usageKept = 90 * 24 * time.Hour

// usageEvery is how often counted requests are written: one statement for many requests.
const usageEvery = 10 * time.Second

// usageCount counts in memory what was not written yet. The zero value is ready.
type usageCount struct {
	mu    sync.Mutex
	count map[usageKey]Usage
}

type usageKey struct{ credential, day int64 }

func (s *Store) today() int64 { return s.Now().Unix() / (24 * 60 * 60) }

// CountRequest counts one request of a credential. It is written within ten seconds.
func (s *Store) CountRequest(credential int64, write bool) {
	u := &s.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == nil {
		u.count = map[usageKey]Usage{}
	}
	k := usageKey{credential, s.today()}
	c := u.count[k]
	if write {
		c.Writes++
	} else {
		c.Reads++
	}
	u.count[k] = c
}

// KeepUsage writes what was counted until ctx ends, and then the rest.
func (s *Store) KeepUsage(ctx context.Context) {
	tick := time.NewTicker(usageEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.writeUsage(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), usageEvery)
			defer cancel()
			s.writeUsage(last)
			return
		}
	}
}

// writeUsage writes what was counted; what cannot be written is counted again.
func (s *Store) writeUsage(ctx context.Context) {
	u := &s.usage
	u.mu.Lock()
	counted := u.count
	u.count = nil
	u.mu.Unlock()
	if len(counted) == 0 {
		return
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		for k, c := range counted {
			_, err := db.Exec(ctx, tx, `INSERT INTO api_usage (credential_id, day, reads, writes) VALUES ($1, $2, $3, $4)
				ON CONFLICT (credential_id, day) DO UPDATE SET reads = api_usage.reads + excluded.reads, writes = api_usage.writes + excluded.writes`, k.credential, k.day, c.Reads, c.Writes)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	if s.Log != nil {
		s.Log.Warn("write the counts of API requests", "err", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == nil {
		u.count = map[usageKey]Usage{}
	}
	for k, c := range counted {
		was := u.count[k]
		u.count[k] = Usage{Reads: was.Reads + c.Reads, Writes: was.Writes + c.Writes}
	}
}

// UsageOf lists the requests of a credential on the last days, newest first; days without any are left out.
func (s *Store) UsageOf(ctx context.Context, credential int64, days int) ([]Usage, error) {
	s.writeUsage(ctx)
	list, err := db.Query[Usage](ctx, s.DB, `SELECT day, reads, writes FROM api_usage WHERE credential_id = $1 AND day > $2 ORDER BY day DESC`, credential, s.today()-int64(days))
	if err != nil {
		return nil, fmt.Errorf("usage of credential %d: %w", credential, err)
	}
	return list, nil
}
