package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"audiomicro/internal/app"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// rounds is how often to do something: AUDIOMICRO_TEST_KILLS when the soak sets it.
func rounds(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("AUDIOMICRO_TEST_KILLS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKill kills the real server again and again, at random moments, while people upload, order and pay. What was
// acknowledged holds, doctor finds nothing, and work that was interrupted goes on within 10 s of the restart.
func TestKill(t *testing.T) {
	bin := program(t)
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			r, l := newRig(t, bin, engine, nil)
			n, soak := rounds(t, 30), os.Getenv("AUDIOMICRO_TEST_KILLS") != ""
			var slowest time.Duration
			kills, began := 0, time.Now()
			for ; kills < n && len(l.broken) == 0; kills++ {
				if time.Since(began) > 150*time.Second && !soak && kills >= 10 {
					t.Logf("this machine is slow: %d of %d kills fit into the time", kills, n)
					break
				}
				d := r.start(t)
				if kills%5 == 4 { // in the middle of starting
					pause(t.Context(), rand.N(400*time.Millisecond))
					d.kill()
					continue
				}
				if !r.ready(t, d) {
					t.Fatalf("the server does not start after %d kills: %v %s", kills, d.err, d.log)
				}
				ctx, cancel := context.WithCancel(t.Context())
				quiet := make(chan struct{})
				go func() {
					defer close(quiet)
					l.run(ctx, 2)
				}()
				if kills%2 == 0 {
					r.look(t, func(a *app.App) {
						slowest = max(slowest, goesOn(t, a, d.began))
						r.healthy(t, a, "beside the running server")
					})
				}
				pause(t.Context(), rand.N(700*time.Millisecond))
				d.kill()
				cancel()
				<-quiet
			}
			d := r.start(t)
			if !r.ready(t, d) {
				t.Fatalf("the server does not start: %v %s", d.err, d.log)
			}
			l.complete()
			r.look(t, func(a *app.App) {
				testkit.Eventually(t, "no job is left", func() bool { return waiting(t, a) == 0 })
				l.check(a)
				r.healthy(t, a, "at the end")
			})
			d.stop(t)
			if len(l.done) < kills/4 || len(l.paid) < kills/4 {
				t.Errorf("only %d files and %d payments in %d rounds: the kills meet no work", len(l.done), len(l.paid), kills)
			}
			if slowest > 30*time.Second {
				t.Errorf("interrupted work went on %v after a restart", slowest)
			}
			t.Logf("%d kills, %d acknowledgments, %d files, %d payments; interrupted work went on within %v", kills, l.acks.Load(), len(l.done), len(l.paid), slowest)
		})
	}
}

// pause is a random moment, not a guess at how long something takes.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func waiting(t *testing.T, a *app.App) int64 {
	t.Helper()
	s, err := a.Jobs.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Queued + s.Running + s.Retrying
}

// goesOn waits until one of the jobs that wait is done, and tells how long after the start that was.
func goesOn(t *testing.T, a *app.App, start time.Time) time.Duration {
	t.Helper()
	left, err := db.Query[int64](t.Context(), a.DB, `SELECT id FROM river_job WHERE state IN ('available', 'running') ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) == 0 {
		return 0
	}
	testkit.Eventually(t, "interrupted work goes on", func() bool {
		n, err := db.Get[int64](t.Context(), a.DB, `SELECT count(*) FROM river_job WHERE state IN ('available', 'running') AND id <= $1`, left[len(left)-1])
		if err != nil {
			t.Fatal(err)
		}
		return n < int64(len(left))
	})
	return time.Since(start)
}

// TestDiskErrors lets fsyncs of the server fail now and then, as a dying disk does: what needs them is refused, and after a
// restart on a good disk all that was acknowledged is there.
func TestDiskErrors(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		testkit.Missing(t, "strace is not installed")
	}
	if out, err := exec.Command("strace", "-f", "-qq", "-e", "trace=none", "true").CombinedOutput(); err != nil {
		testkit.Missing(t, "strace may not trace here: %v %s", err, out)
	}
	t.Parallel()
	r, l := newRig(t, program(t), db.SQLite, nil)
	started, refused := 0, 0
	for range rounds(t, 5) {
		// strace counts per thread.
		when := fmt.Sprintf("%d+%d", 1+rand.IntN(20), 1+rand.IntN(4))
		d := r.start(t, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when="+when)
		if r.ready(t, d) {
			started++
			// Clients stop when they are refused, and try again for some seconds; a slow machine takes a while to meet an error.
			work := func(most time.Duration) {
				ctx, cancel := context.WithTimeout(t.Context(), most)
				defer cancel()
				l.run(ctx, 1)
				if ctx.Err() == nil {
					refused++
				}
			}
			work(time.Minute)
			for began := time.Now(); time.Since(began) < 4*time.Second && len(l.broken) == 0; {
				work(4*time.Second - time.Since(began))
			}
		}
		d.killGroup()
	}
	d := r.start(t)
	if !r.ready(t, d) {
		t.Fatalf("the server does not start: %v %s", d.err, d.log)
	}
	l.complete()
	r.look(t, func(a *app.App) {
		testkit.Eventually(t, "no job is left", func() bool {
			hurry(t, a)
			return waiting(t, a) == 0
		})
		l.check(a)
		r.healthy(t, a, "after a disk that failed")
	})
	d.stop(t)
	if started == 0 || refused == 0 {
		t.Errorf("%d rounds started, %d refusals: the disk did not fail", started, refused)
	}
	t.Logf("%d acknowledgments and %d refusals in %d rounds", l.acks.Load(), refused, started)
}
