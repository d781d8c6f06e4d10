package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestDemo fills a demo without packages: computed sounds are sold, one waits for review, one is a draft, and a second start
// adds nothing.
func TestDemo(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx := t.Context()
		var told bytes.Buffer
		fill := func() {
			t.Helper()
			d := &demoFill{app: s.App, log: slog.Default(), out: &told}
			if err := d.fill(ctx); err != nil {
				t.Fatalf("%v\n%s", err, told.String())
			}
		}
		fill()
		owner, err := s.Accounts.ByName(ctx, maker)
		if err != nil {
			t.Fatal(err)
		}
		states, err := s.Recordings.CountStates(ctx, owner.ID)
		if err != nil || states[recordings.Published] != 12 || states[recordings.Submitted] != 1 || states[recordings.Draft] != 1 {
			t.Errorf("%v recordings, %v; want 12 published, 1 submitted, 1 draft", states, err)
		}
		buyer, err := s.Accounts.ByName(ctx, buyerName)
		if err != nil {
			t.Fatal(err)
		}
		held, err := s.Licensing.Held(ctx, s.DB, buyer.ID)
		if err != nil || len(held) != 3 {
			t.Errorf("%d licenses bought, %v; want 3", len(held), err)
		}
		if problems, err := s.Ledger.Check(ctx); err != nil || len(problems) > 0 {
			t.Errorf("the book: %v, %v", problems, err)
		}
		file := filepath.Join(s.Config.Data, "accounts.txt")
		list, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the list of passwords: %v, %v", info.Mode(), err)
		}
		for _, name := range []string{"demo-admin", "demo-moderator", buyerName, maker} {
			if !strings.Contains(string(list), strings.ToLower(name)+"@example.com") {
				t.Errorf("%s is not in the list:\n%s", name, list)
			}
		}

		before := told.Len()
		fill()
		again, err := s.Recordings.CountStates(ctx, owner.ID)
		if err != nil || again[recordings.Published] != 12 || again[recordings.Draft] != 1 {
			t.Errorf("after a second start %v, %v", again, err)
		}
		if held, err := s.Licensing.Held(ctx, s.DB, buyer.ID); err != nil || len(held) != 3 {
			t.Errorf("after a second start %d licenses, %v", len(held), err)
		}
		if text := told.String()[before:]; strings.Contains(text, "Analyzing") || !strings.Contains(text, "Ready at "+s.URL) {
			t.Errorf("a second start says %q", text)
		}
	})
}
