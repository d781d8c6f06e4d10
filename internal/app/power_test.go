package app_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/app"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// TestPowerLossOnDisk cuts the power of a real file system on a loop device, again and again, under a real server with SQLite
// and files: the file system is shut down without writing anything back, mounted again, and asked for what was acknowledged
// before. It runs in the soak only: AUDIOMICRO_TEST_POWER says how often. Root.
func TestPowerLossOnDisk(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("AUDIOMICRO_TEST_POWER"))
	if err != nil {
		t.Skip("the loss of power on a real file system runs in make soak")
	}
	bin := program(t)
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			disk := newLoopDisk(t, kind)
			r, l := newRig(t, bin, db.SQLite, func(c *config.Config) { c.Data = filepath.Join(disk.at, "data") })
			run(t, "sync")
			for i := 0; i < n && len(l.broken) == 0 && !t.Failed(); i++ {
				d := r.start(t)
				if !r.ready(t, d) {
					t.Fatalf("the server does not start after %d losses of power; what it acknowledged is lost: %v %s", i, d.err, d.log)
				}
				ctx, cancel := context.WithCancel(t.Context())
				quiet := make(chan struct{})
				go func() {
					defer close(quiet)
					l.run(ctx, 3)
				}()
				pause(t.Context(), 200*time.Millisecond+rand.N(1200*time.Millisecond))
				// What is answered while the power goes may be lost: it never reached anybody.
				l.frozen.Store(true)
				disk.cut(t)
				d.killGroup()
				cancel()
				<-quiet
				disk.back(t)
				l.frozen.Store(false)
				r.look(t, func(a *app.App) {
					r.healthy(t, a, "after acknowledged work and a loss of power")
					l.checkKept(a)
				})
			}
			if t.Failed() || len(l.broken) > 0 {
				t.Fatalf("what was acknowledged is lost: %s", strings.Join(l.broken, "\n"))
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
			t.Logf("%d losses of power, %d acknowledgments, %d files, %d payments", n, l.acks.Load(), len(l.done), len(l.paid))
		})
	}
}

// loopDisk is a file system in a file.
type loopDisk struct{ file, at string }

func newLoopDisk(t *testing.T, kind string) loopDisk {
	t.Helper()
	if os.Getuid() != 0 {
		testkit.Missing(t, "mounting a file system needs root")
	}
	d := loopDisk{file: filepath.Join(t.TempDir(), "disk"), at: filepath.Join(t.TempDir(), "mnt")}
	if err := os.Mkdir(d.at, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(d.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(512 << 20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs."+kind, "-q", d.file).CombinedOutput(); err != nil {
		testkit.Missing(t, "mkfs.%s: %v %s", kind, err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", d.file, d.at).CombinedOutput(); err != nil {
		testkit.Missing(t, "mount: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", d.at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return d
}

// cut shuts the file system down at once: nothing more is written, not even its log.
func (d loopDisk) cut(t *testing.T) { run(t, "xfs_io", "-x", "-c", "shutdown", d.at) }

// back mounts it again, as after a reboot.
func (d loopDisk) back(t *testing.T) {
	// The server's decoders die with it, but not at the same moment.
	testkit.Eventually(t, "the disk is let go", func() bool { return exec.Command("umount", d.at).Run() == nil })
	run(t, "mount", "-o", "loop", d.file, d.at)
}

func run(t *testing.T, words ...string) {
	t.Helper()
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v %s", strings.Join(words, " "), err, out)
	}
}
