package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
)

// Events of the kill tests.
type (
	effectOnce struct{ ID int64 } // its effect and its end are one transaction
	effectMore struct{ ID int64 } // its effect may come twice
	held       struct{ ID int64 } // hangs on node-dying
)

// TestMain makes the test binary a node that works jobs until it is killed, when the environment asks for it.
func TestMain(m *testing.M) {
	if node := os.Getenv("JOBS_TEST_NODE"); node != "" {
		if err := beNode(node); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func beNode(node string) error {
	d, err := db.Open(context.Background(), db.Options{URL: os.Getenv("JOBS_TEST_URL"), File: os.Getenv("JOBS_TEST_FILE"), MaxConns: 8})
	if err != nil {
		return err
	}
	beat, err := time.ParseDuration(os.Getenv("JOBS_TEST_BEAT"))
	if err != nil {
		return err
	}
	q, err := jobs.New(d, jobs.Options{Node: node, Workers: 8, Beat: beat})
	if err != nil {
		return err
	}
	subscribe(q, d, node)
	return q.Run(context.Background())
}

func subscribe(q *jobs.Queue, d *db.DB, node string) {
	jobs.On(q, "test.once", jobs.Opts{}, func(ctx context.Context, e effectOnce) error {
		pause()
		return d.Tx(ctx, func(tx *db.Tx) error {
			if _, err := db.Exec(ctx, tx, `INSERT INTO effect (id, node) VALUES ($1, $2)`, e.ID, node); err != nil {
				return err
			}
			return jobs.Complete(ctx, tx)
		})
	})
	jobs.On(q, "test.more", jobs.Opts{}, func(ctx context.Context, e effectMore) error {
		pause()
		_, err := db.Exec(ctx, d, `INSERT INTO effect (id, node) VALUES ($1, $2)`, -e.ID, node)
		return err
	})
	jobs.On(q, "test.held", jobs.Opts{Timeout: -1}, func(ctx context.Context, e held) error {
		if node == "node-dying" {
			<-ctx.Done()
			return ctx.Err()
		}
		_, err := db.Exec(ctx, d, `INSERT INTO done (id) VALUES ($1)`, e.ID)
		return err
	})
}

// pause makes it likely that a kill meets jobs in all their phases.
func pause() { time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) }

// start runs a node in a process of its own. kill is kill -9.
func start(t *testing.T, d *db.DB, node string, beat time.Duration) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "JOBS_TEST_NODE="+node, "JOBS_TEST_BEAT="+beat.String())
	if d.Engine() == db.SQLite {
		cmd.Env = append(cmd.Env, "JOBS_TEST_FILE="+d.URL())
	} else {
		cmd.Env = append(cmd.Env, "JOBS_TEST_URL="+d.URL())
	}
	must(t, cmd.Start())
	dead := false
	kill = func() {
		if dead {
			return
		}
		dead = true
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: its error is expected
		if t.Failed() {
			t.Logf("node %s said: %s", node, out.String())
		}
	}
	t.Cleanup(kill)
	return kill
}

// TestKill kills a node again and again while it works 1,000 jobs: each has its effect exactly once, and work goes on soon
// after each restart.
func TestKill(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		const once, more, kills = 1000, 100, 6
		q := queue(t, d, jobs.Options{Node: "node-parent"})
		subscribe(q, d, "node-parent")
		must(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			for i := range int64(once) {
				if err := q.Raise(t.Context(), tx, effectOnce{i + 1}); err != nil {
					return err
				}
				if i%(once/more) == 0 {
					if err := q.Raise(t.Context(), tx, effectMore{i + 1}); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		effects := func() int64 { return count(t, d, `SELECT count(*) FROM effect`) }
		var slowest time.Duration
		for range kills {
			before, began := effects(), time.Now()
			kill := start(t, d, "node-child", 5*time.Second)
			eventually(t, "work goes on after a restart: "+dump(t, d), func() bool { return effects() > before })
			slowest = max(slowest, time.Since(began))
			eventually(t, "a share of the work is done", func() bool { return effects() >= before+once/(kills+2) })
			kill()
		}
		start(t, d, "node-child", 5*time.Second)
		eventually(t, "no job is left", func() bool { return count(t, d, `SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
		type row struct {
			ID int64 `db:"id"`
			N  int64 `db:"n"`
		}
		rows, err := db.Query[row](t.Context(), d, `SELECT id, count(*) AS n FROM effect GROUP BY id`)
		must(t, err)
		if len(rows) != once+more {
			t.Fatalf("%d jobs had an effect, want %d", len(rows), once+more)
		}
		for _, r := range rows {
			if r.N != 1 && r.ID > 0 {
				t.Fatalf("job %d had its effect %d times", r.ID, r.N)
			}
		}
		if slowest > 10*time.Second {
			t.Fatalf("work went on %v after a restart", slowest)
		}
		t.Logf("%d kills; from start to the first effect at most %v", kills, slowest)
	})
}

// TestDeadNode kills a node for good: another one notices that its beat stopped and takes its job over, uncounted.
func TestDeadNode(t *testing.T) {
	t.Parallel()
	d := open(t, db.Options{URL: postgresURL(t), MaxConns: 8})
	const beat = time.Second // a node on a busy machine must not look dead
	kill := start(t, d, "node-dying", beat)
	q := queue(t, d, jobs.Options{Node: "node-b", Beat: beat})
	subscribe(q, d, "node-b")
	raise(t, d, q, held{1})
	eventually(t, "the doomed node has the job", func() bool {
		return count(t, d, `SELECT count(*) FROM river_job WHERE state = 'running'`) == 1
	})
	run(t, q)
	// While it lives, its job stays with it: five beats go by.
	beatsOf := func() int64 { return count(t, d, `SELECT beat FROM node_lease WHERE node = 'node-dying'`) }
	from := beatsOf()
	eventually(t, "the doomed node beats", func() bool { return beatsOf() >= from+5 })
	if n := count(t, d, `SELECT count(*) FROM done`); n != 0 {
		t.Fatal("the job was taken from a living node")
	}
	kill()
	died := time.Now()
	eventually(t, "the job is done by the other node", func() bool { return count(t, d, `SELECT count(*) FROM done`) == 1 })
	t.Logf("taken over %v after the death, with a beat of %v", time.Since(died), beat)
	eventually(t, "the job is completed in its first attempt", func() bool {
		return count(t, d, `SELECT count(*) FROM river_job WHERE state = 'completed' AND attempt = 1`) == 1
	})
	if n := count(t, d, `SELECT count(*) FROM node_lease`); n != 1 {
		t.Fatalf("%d leases", n)
	}
}

// TestPoison has a job whose node dies at every attempt: after a while the attempts count, and in the end it is dead.
func TestPoison(t *testing.T) {
	t.Parallel()
	d := open(t, db.Options{File: filepath.Join(t.TempDir(), "test.db")})
	q := queue(t, d, jobs.Options{})
	jobs.On(q, "test.poison", jobs.Opts{MaxAttempts: 3}, func(context.Context, happened) error { return nil })
	raise(t, d, q, happened{1})
	rounds := 0
	for ; count(t, d, `SELECT count(*) FROM river_job WHERE state = 'available'`) == 1; rounds++ {
		if rounds > 30 {
			t.Fatal("the job comes back forever")
		}
		// What is in the table when a node has died in the middle of an attempt.
		_, err := db.Exec(t.Context(), d, `UPDATE river_job SET state = 'running', attempt = attempt + 1,
			attempted_by = jsonb_insert(coalesce(attempted_by, jsonb('[]')), '$[#]', 'node-a/gone')`)
		must(t, err)
		quiet := queue(t, d, jobs.Options{}) // knows no kinds: it only gives back
		stop := run(t, quiet)
		eventually(t, "the job is given back", func() bool { return count(t, d, `SELECT count(*) FROM river_job WHERE state = 'running'`) == 0 })
		stop()
	}
	s, err := q.Stats(t.Context())
	must(t, err)
	if s.Dead != 1 || rounds < 10 {
		t.Fatalf("after %d deaths: %+v", rounds, s)
	}
	t.Logf("dead after %d lost attempts", rounds)
}
