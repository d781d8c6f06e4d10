package jobs_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
)

type happened struct{ ID int64 }
type unheard struct{ ID int64 }

func TestRaise(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		q := queue(t, d, jobs.Options{})
		var mu sync.Mutex
		got := map[string][]int64{}
		for _, name := range []string{"test.first", "test.second"} {
			jobs.On(q, name, jobs.Opts{}, func(_ context.Context, e happened) error {
				mu.Lock()
				defer mu.Unlock()
				got[name] = append(got[name], e.ID)
				return nil
			})
		}
		stop := errors.New("stop")
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			must(t, q.Raise(t.Context(), tx, happened{1}))
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if n := count(t, d, `SELECT count(*) FROM river_job`); n != 0 {
			t.Fatalf("%d jobs of a transaction that was rolled back", n)
		}
		raise(t, d, q, unheard{2})
		raise(t, d, q, happened{3})
		run(t, q)
		raise(t, d, q, happened{4})
		eventually(t, "both subscriptions saw both events", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(got["test.first"]) == 2 && len(got["test.second"]) == 2
		})
		eventually(t, "the jobs are finished", func() bool {
			s, err := q.Stats(t.Context())
			must(t, err)
			return s == jobs.Stats{}
		})
	})
}

// TestLatency measures how soon an idle queue starts a job; polling alone would take up to a second.
func TestLatency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		q := queue(t, d, jobs.Options{})
		began := make(chan time.Time, 10)
		jobs.On(q, "test.first", jobs.Opts{}, func(context.Context, happened) error { began <- time.Now(); return nil })
		run(t, q)
		raise(t, d, q, happened{0})
		<-began
		var best time.Duration = time.Hour
		for i := range 5 {
			start := time.Now()
			raise(t, d, q, happened{int64(i)})
			best = min(best, (<-began).Sub(start))
		}
		t.Logf("from Raise to start: %v at best of 5", best)
		if best > 500*time.Millisecond {
			t.Fatalf("jobs start after %v: nobody rang", best)
		}
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		q := queue(t, d, jobs.Options{})
		quick := func(int) time.Duration { return time.Millisecond }
		var tries, panics, gone, slow atomic.Int64
		jobs.On(q, "test.retry", jobs.Opts{Backoff: quick}, func(ctx context.Context, _ happened) error {
			if n, _ := jobs.Attempt(ctx); n < 3 {
				tries.Add(1)
				return errors.New("not yet")
			}
			tries.Add(1)
			return nil
		})
		jobs.On(q, "test.panic", jobs.Opts{Backoff: quick, MaxAttempts: 2}, func(context.Context, happened) error {
			panics.Add(1)
			panic("broken")
		})
		jobs.On(q, "test.discard", jobs.Opts{Backoff: quick}, func(context.Context, happened) error {
			gone.Add(1)
			return jobs.Discard(errors.New("no such recording" + strings.Repeat(", nor that…", 3000)))
		})
		jobs.On(q, "test.timeout", jobs.Opts{Backoff: quick, MaxAttempts: 1, Timeout: 20 * time.Millisecond}, func(ctx context.Context, _ happened) error {
			slow.Add(1)
			<-ctx.Done()
			return ctx.Err()
		})
		run(t, q)
		raise(t, d, q, happened{7})
		eventually(t, "three jobs are dead and one succeeded", func() bool {
			s, err := q.Stats(t.Context())
			must(t, err)
			return s.Dead == 3 && s.Queued+s.Running+s.Retrying == 0
		})
		if tries.Load() != 3 || panics.Load() != 2 || gone.Load() != 1 || slow.Load() != 1 {
			t.Fatalf("tries %d, panics %d, discards %d, timeouts %d", tries.Load(), panics.Load(), gone.Load(), slow.Load())
		}
		dead, err := q.Dead(t.Context(), 10)
		must(t, err)
		for kind, want := range map[string]string{"test.panic": "broken", "test.discard": "no such recording", "test.timeout": "deadline"} {
			found := false
			for _, j := range dead {
				if j.Kind == kind {
					found = strings.Contains(j.Error, want) && len(j.Error) < 1100 && strings.Contains(j.Args, "7")
					must(t, q.Retry(t.Context(), j.ID))
				}
			}
			if !found {
				t.Fatalf("%s is not among the dead with %q: %+v", kind, want, dead)
			}
		}
		eventually(t, "the dead have had one more try", func() bool {
			s, err := q.Stats(t.Context())
			must(t, err)
			return s.Dead == 3 && gone.Load() == 2 && slow.Load() == 2 && panics.Load() == 3
		})
		if err := q.Retry(t.Context(), 1<<40); !errors.Is(err, db.ErrNotFound) {
			t.Fatal(err)
		}
	})
}

func TestUnique(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		q := queue(t, d, jobs.Options{})
		started, release := make(chan int64, 10), make(chan bool)
		jobs.On(q, "test.unique", jobs.Opts{Unique: true}, func(_ context.Context, e happened) error {
			started <- e.ID
			<-release
			return nil
		})
		raise(t, d, q, happened{1}, happened{1}, happened{2})
		raise(t, d, q, happened{1})
		if n := count(t, d, `SELECT count(*) FROM river_job`); n != 2 {
			t.Fatalf("%d jobs wait, want one per argument: %s", n, dump(t, d))
		}
		run(t, q)
		<-started
		<-started
		raise(t, d, q, happened{1}) // the running one may have looked already
		close(release)
		if id := <-started; id != 1 {
			t.Fatalf("then ran %d", id)
		}
	})
}

// TestWanted: a long job learns that one of a higher priority waits for its queue's only worker, and of no other job.
func TestWanted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		q := queue(t, d, jobs.Options{Queues: map[string]int{"sound": 1, "busy": 1}})
		asked, answers := make(chan bool), make(chan bool)
		jobs.On(q, "test.long", jobs.Opts{Queue: "sound", Priority: 3}, func(ctx context.Context, _ happened) error {
			for range asked {
				wanted, err := q.Wanted(ctx)
				if err != nil {
					return err
				}
				answers <- wanted
			}
			return nil
		})
		type elsewhere struct{}
		type later struct{}
		type first struct{}
		release := make(chan bool)
		nothing := func(context.Context) error { <-release; return nil }
		jobs.On(q, "test.elsewhere", jobs.Opts{Queue: "busy"}, func(ctx context.Context, _ elsewhere) error { return nothing(ctx) })
		jobs.On(q, "test.later", jobs.Opts{Queue: "sound", Priority: 3}, func(ctx context.Context, _ later) error { return nothing(ctx) })
		jobs.On(q, "test.first", jobs.Opts{Queue: "sound", Priority: 2}, func(ctx context.Context, _ first) error { return nothing(ctx) })
		run(t, q)
		ask := func() bool { asked <- true; return <-answers }
		raise(t, d, q, happened{1})
		if ask() {
			t.Error("wanted by nobody")
		}
		raise(t, d, q, elsewhere{}, elsewhere{}, later{})
		if ask() {
			t.Error("wanted by jobs of another queue or of its own priority")
		}
		raise(t, d, q, first{})
		if !ask() {
			t.Error("not wanted by a job of a higher priority")
		}
		if wanted, err := q.Wanted(t.Context()); wanted || err != nil {
			t.Errorf("outside a job: %t, %v", wanted, err)
		}
		close(asked)
		close(release)
	})
}

func TestComplete(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		q := queue(t, d, jobs.Options{})
		var ran atomic.Int64
		jobs.On(q, "test.complete", jobs.Opts{Backoff: func(int) time.Duration { return time.Millisecond }}, func(ctx context.Context, e happened) error {
			n := ran.Add(1)
			err := d.Tx(ctx, func(tx *db.Tx) error {
				if _, err := db.Exec(ctx, tx, `INSERT INTO done (id) VALUES ($1)`, e.ID); err != nil {
					return err
				}
				if err := jobs.Complete(ctx, tx); err != nil {
					return err
				}
				if n == 1 {
					return errors.New("the first attempt rolls back")
				}
				return nil
			})
			return err
		})
		must(t, d.Tx(t.Context(), func(tx *db.Tx) error { return jobs.Complete(t.Context(), tx) })) // outside a job
		raise(t, d, q, happened{1})
		run(t, q)
		eventually(t, "the second attempt is done", func() bool {
			s, err := q.Stats(t.Context())
			must(t, err)
			return s == jobs.Stats{} && count(t, d, `SELECT count(*) FROM done`) == 1
		})
		if ran.Load() != 2 {
			t.Fatalf("ran %d times", ran.Load())
		}
	})
}

// TestDrain ends Run while one job takes its time and another would never end.
func TestDrain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		q := queue(t, d, jobs.Options{Grace: 5 * time.Second})
		began := make(chan bool, 2)
		var finished atomic.Int64
		ending := make(chan bool)
		jobs.On(q, "test.patient", jobs.Opts{}, func(_ context.Context, e happened) error {
			began <- true
			<-ending
			finished.Add(1)
			return nil
		})
		jobs.On(q, "test.endless", jobs.Opts{Timeout: -1}, func(ctx context.Context, e happened) error {
			began <- true
			<-ctx.Done()
			return ctx.Err()
		})
		raise(t, d, q, happened{1})
		stop := run(t, q)
		<-began
		<-began
		time.AfterFunc(50*time.Millisecond, func() { close(ending) })
		stop()
		if finished.Load() != 1 {
			t.Fatal("the job that needed 50 ms was cut off")
		}
		type row struct {
			State   string `db:"state"`
			Attempt int64  `db:"attempt"`
		}
		left, err := db.Query[row](t.Context(), d, `SELECT CAST(state AS TEXT) AS state, attempt FROM river_job WHERE kind = 'test.endless'`)
		must(t, err)
		if len(left) != 1 || left[0].State != "available" || left[0].Attempt != 0 {
			t.Fatalf("the interrupted job: %+v", left)
		}
		if n := count(t, d, `SELECT count(*) FROM node_lease`); n != 0 {
			t.Fatalf("%d leases are left", n)
		}
	})
}

func TestEvery(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		var clock, ran atomic.Int64
		clock.Store(time.Now().UnixMicro())
		nodes := []string{"node-a"}
		if d.Engine() == db.Postgres {
			nodes = append(nodes, "node-b", "node-c")
		}
		looks := make([]atomic.Int64, len(nodes)) // how often each node looked at the clock
		for i, node := range nodes {
			now := func() time.Time {
				looks[i].Add(1)
				return time.UnixMicro(clock.Load())
			}
			q := queue(t, d, jobs.Options{Node: node, Now: now})
			q.Every("test.hourly", time.Hour, jobs.Opts{}, func(context.Context) error { ran.Add(1); return nil })
			run(t, q)
		}
		for i, step := range []time.Duration{0, time.Hour + time.Second, 48 * time.Hour, -1000 * time.Hour} {
			clock.Add(step.Microseconds())
			eventually(t, "one more run", func() bool { return ran.Load() == int64(i+1) })
		}
		clock.Add((59 * time.Minute).Microseconds())
		for i := range looks {
			from := looks[i].Load()
			eventually(t, nodes[i]+" has looked at its schedules", func() bool { return looks[i].Load() >= from+4 })
		}
		if ran.Load() != 4 {
			t.Fatalf("ran %d times on %d nodes, want 4", ran.Load(), len(nodes))
		}
	})
}

func TestTwoNodes(t *testing.T) {
	t.Parallel()
	d := open(t, db.Options{URL: postgresURL(t), MaxConns: 16})
	const n = 200
	byNode := map[string]*atomic.Int64{"node-a": {}, "node-b": {}}
	var first *jobs.Queue
	for node, mine := range byNode {
		q := queue(t, d, jobs.Options{Node: node, Workers: 4})
		jobs.On(q, "test.share", jobs.Opts{}, func(ctx context.Context, e happened) error {
			mine.Add(1)
			return d.Tx(ctx, func(tx *db.Tx) error {
				if _, err := db.Exec(ctx, tx, `INSERT INTO done (id) VALUES ($1)`, e.ID); err != nil {
					return err
				}
				return jobs.Complete(ctx, tx)
			})
		})
		if first == nil {
			first = q
		}
		run(t, q)
	}
	for i := range n {
		raise(t, d, first, happened{int64(i)})
	}
	eventually(t, "all jobs are done", func() bool { return count(t, d, `SELECT count(*) FROM done`) == n })
	a, b := byNode["node-a"].Load(), byNode["node-b"].Load()
	if a == 0 || b == 0 || a+b != n {
		t.Fatalf("node a worked %d jobs, node b %d, of %d", a, b, n)
	}
}

// TestRequeue carries jobs from each engine to a new database, as a restored backup does.
func TestRequeue(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, from *db.DB) {
		old := queue(t, from, jobs.Options{})
		jobs.On(old, "test.kept", jobs.Opts{}, func(context.Context, happened) error { return nil })
		jobs.On(old, "test.gone", jobs.Opts{}, func(context.Context, happened) error { return nil })
		raise(t, from, old, happened{1}, happened{2})
		list, err := old.Waiting(t.Context(), from)
		must(t, err)
		if len(list) != 4 {
			t.Fatalf("waiting: %+v", list)
		}
		to := open(t, db.Options{File: filepath.Join(t.TempDir(), "restored.db")})
		q := queue(t, to, jobs.Options{})
		got := make(chan int64, 4)
		jobs.On(q, "test.kept", jobs.Opts{}, func(_ context.Context, e happened) error { got <- e.ID; return nil })
		must(t, to.Tx(t.Context(), func(tx *db.Tx) error {
			unknown, err := q.Requeue(t.Context(), tx, list)
			if unknown != 2 {
				t.Errorf("%d unknown", unknown)
			}
			return err
		}))
		run(t, q)
		if sum := <-got + <-got; sum != 3 {
			t.Fatalf("the ids of the two jobs add up to %d", sum)
		}
	})
}

// BenchmarkJobs raises and works jobs that complete in their own transactions.
func BenchmarkJobs(b *testing.B) {
	d, err := db.Open(b.Context(), db.Options{File: filepath.Join(b.TempDir(), "bench.db")})
	must(b, err)
	defer d.Close()
	must(b, d.Migrate(b.Context(), []fs.FS{db.Schema(), jobs.Schema(), effects}))
	must(b, jobs.Migrate(b.Context(), d))
	q, err := jobs.New(d, jobs.Options{Node: "bench", Workers: 8})
	must(b, err)
	var n atomic.Int64
	all := make(chan bool)
	jobs.On(q, "test.bench", jobs.Opts{}, func(ctx context.Context, e happened) error {
		err := d.Tx(ctx, func(tx *db.Tx) error { return jobs.Complete(ctx, tx) })
		if n.Add(1) == int64(b.N) {
			close(all)
		}
		return err
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	b.ResetTimer()
	for i := range b.N {
		must(b, d.Tx(b.Context(), func(tx *db.Tx) error { return q.Raise(b.Context(), tx, happened{int64(i)}) }))
	}
	<-all
	b.StopTimer()
	cancel()
	must(b, <-done)
}
