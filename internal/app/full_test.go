package app_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestFullDisk fills the disk under a site, leaving room for nothing or for a part of what comes: what does not fit is refused
// with a sentence and leaves nothing behind, reading goes on, and when there is room again everything works without a restart.
// It mounts a small tmpfs, as root.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		testkit.Missing(t, "mounting a small disk needs root")
	}
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk).CombinedOutput(); err != nil {
		testkit.Missing(t, "mount a small disk: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", disk).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	s := testkit.NewSite(t, db.SQLite, func(c *config.Config) { c.Data = filepath.Join(disk, "data") })
	maker, buyer := s.Person("Maker", "contributor"), s.Person("Buyer", "member")
	rec := stock(t, maker, "Tone", tone(t, 1), standard())
	testkit.Eventually(t, "all is quiet", func() bool { return waiting(t, s.App) == 0 })
	healthy := func(when string) {
		t.Helper()
		if d, err := s.Doctor(t.Context(), true); err != nil || len(d.Problems) > 0 {
			t.Errorf("doctor %s: %v %v", when, d.Problems, err)
		}
	}
	refused := 0
	for i, leave := range []int64{0, 8 << 10, 60 << 10, 150 << 10, 0} {
		filler := filepath.Join(disk, "filler")
		fill(t, disk, filler, leave)
		for n := range 6 {
			got := maker.Upload(map[string][]byte{"tone.wav": tone(t, 100*i+n+10)})
			switch got.Status {
			case http.StatusSeeOther:
			case http.StatusInsufficientStorage, http.StatusUnprocessableEntity: // the latter names the file that was refused
				refused++
				if !strings.Contains(got.Text, "full") {
					t.Errorf("the refusal does not say why: %.300s", got.Text)
				}
			default:
				t.Errorf("upload onto a full disk with %d bytes left: %d %.300s", leave, got.Status, got.Text)
			}
		}
		if got := buyer.Post("/cart", map[string][]string{"recording": {"1"}, "model": {"standard"}}); got.Status != http.StatusSeeOther && got.Status != http.StatusInsufficientStorage && got.Status != http.StatusNotFound {
			t.Errorf("cart on a full disk: %d %.300s", got.Status, got.Text)
		}
		for _, page := range []string{"/", "/search", "/media/" + rec.Token + "/" + recordings.MarkedHQ} {
			if got := buyer.Get(page); got.Status != http.StatusOK {
				t.Errorf("%s on a full disk: %d %.200s", page, got.Status, got.Text)
			}
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if got := maker.Upload(map[string][]byte{"tone.wav": tone(t, 100*i+50)}); got.Status != http.StatusSeeOther {
			t.Fatalf("with room again: %d %.300s", got.Status, got.Text)
		}
		healthy("with room again")
	}
	if refused < 6 {
		t.Errorf("only %d uploads were refused: the disk was not full", refused)
	}
	testkit.Eventually(t, "every sound is analyzed once there is room", func() bool {
		n, err := db.Get[int64](t.Context(), s.DB, `SELECT count(*) FROM recording WHERE processing <> 'ready'`)
		if err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
	healthy("at the end")
	t.Logf("%d uploads were refused", refused)
}

// fill makes a file that leaves so many bytes of a disk.
func fill(t *testing.T, disk, file string, leave int64) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for {
		var s syscall.Statfs_t
		if err := syscall.Statfs(disk, &s); err != nil {
			t.Fatal(err)
		}
		if int64(s.Bavail)*s.Bsize <= leave {
			return
		}
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
