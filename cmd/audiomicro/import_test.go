package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/audio/synth"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// soundFolder writes n short WAV files, tone0.wav and so on.
func soundFolder(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		block := make([]float32, 12_000)
		for k := range block {
			block[k] = float32(0.3 * math.Sin(float64(k)*0.02*float64(i+3)))
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("tone%d.wav", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := synth.WriteWAV(f, [][]float32{block}, 48_000); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type imported struct {
	Files []struct {
		File, State, Error string
		ID                 int64
		New                bool
	}
	New, Failed int
}

// says runs the program and checks its exit code; v, when given, takes the JSON it printed.
func says(t *testing.T, code int, v any, args ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, got := audiomicro(t, args...)
	if got != code {
		t.Fatalf("audiomicro %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, stdout, stderr)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(stdout), v); err != nil {
			t.Fatalf("%v in %s", err, stdout)
		}
	}
	return stdout, stderr
}

// TestImportCommand imports without a server, which takes no job left over, and lists, approves and rejects recordings.
func TestImportCommand(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), soundFolder(t, 3)
	at := []string{"--data", data, "--json"}
	says(t, 0, nil, append([]string{"account", "create", "--name", "Ann", "--email", "ann@example.org", "--born", "1980-05-17", "--role", "contributor"}, at...)...)
	says(t, 0, nil, append([]string{"account", "create", "--name", "Mia", "--email", "mia@example.org", "--born", "1980-05-17"}, at...)...)
	for line, want := range map[string]string{
		"--as Nobody":               `no account "Nobody"`,
		"--as Mia":                  "Mia is no contributor",
		"--as Ann --license cc-9.0": `does not know the license "cc-9.0"`,
		"--as Ann --csv no.csv":     "no.csv",
	} {
		if _, stderr := says(t, 1, nil, append(append([]string{"import", dir}, strings.Fields(line)...), at...)...); !strings.Contains(stderr, want) {
			t.Errorf("%s: %s", line, stderr)
		}
	}
	says(t, 2, nil, append([]string{"import", "--as", "Ann"}, at...)...)
	says(t, 2, nil, append([]string{"import", dir}, at...)...)
	if _, stderr := says(t, 1, nil, "import", dir, "--as", "Ann", "--data", filepath.Join(data, "typo")); !strings.Contains(stderr, "no site in the folder") {
		t.Error(stderr)
	}

	table := filepath.Join(t.TempDir(), "list.csv")
	rows := "file,title,tags,category,license\ntone0.wav,Zero,\"a,b,c\",fx-el,cc0\ntone1.wav,One,\"a,b,c\",fx-el,standard\n"
	if err := os.WriteFile(table, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	var got imported
	says(t, 0, &got, append([]string{"import", dir, "--as", "ann", "--csv", table, "--publish"}, at...)...)
	if got.New != 2 || got.Failed != 0 || got.Files[0].State != "published" || got.Files[1].State != "published" {
		t.Fatalf("%+v", got)
	}
	says(t, 0, &got, append([]string{"import", dir, "--as", "ann", "--csv", table, "--publish"}, at...)...)
	if got.New != 0 || got.Files[1].State != "published" {
		t.Fatalf("a second run: %+v", got)
	}
	if text, _ := says(t, 0, nil, "import", dir, "--as", "ann", "--license", "cc0", "--data", data); !strings.Contains(text, "3 files, 1 new, 0 failed") {
		t.Error(text)
	}
	if left, err := os.ReadDir(filepath.Join(data, "work")); err == nil && len(left) > 0 {
		t.Errorf("working folders are left: %v", left)
	}

	var list []recordingLine
	says(t, 0, &list, append([]string{"recording", "list"}, at...)...)
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	says(t, 0, &list, append([]string{"recording", "list", "--state", "draft"}, at...)...)
	if len(list) != 1 || list[0].Owner != "Ann" || list[0].Processing != "ready" || len(list[0].SHA256) != 64 {
		t.Fatalf("%+v", list)
	}
	draft := fmt.Sprint(list[0].ID)
	if stdout, _ := says(t, 1, nil, append([]string{"recording", "approve", draft}, at...)...); !strings.Contains(stdout, "does not wait for review") {
		t.Error(stdout)
	}
	for _, wrong := range []string{"recording approve", "recording approve --all 7", "recording approve seven", "recording reject 7", "recording reject 7 8 --reason x", "recording list --state lost"} {
		says(t, 2, nil, append(strings.Fields(wrong), at...)...)
	}
}

// TestImportBesideServer lets the server that holds the folder do the work, and decides beside it.
func TestImportBesideServer(t *testing.T) {
	t.Parallel()
	s := testkit.NewSite(t, db.SQLite, nil)
	ann := s.Account("Ann", "contributor")
	at := []string{"--data", s.Config.Data, "--json"}
	dir := soundFolder(t, 3)
	var got imported
	says(t, 0, &got, append([]string{"import", dir, "--as", "Ann", "--license", "cc0"}, at...)...)
	if got.New != 3 {
		t.Fatalf("%+v", got)
	}
	for i, one := range got.Files {
		if one.State != "draft" {
			t.Fatalf("%+v", one)
		}
		edit := fmt.Sprintf("/recordings/%d/edit", one.ID)
		form := map[string][]string{"title": {fmt.Sprint("Tone ", i)}, "tags": {"a,b,c"}, "category": {"fx-el"}, "offer": {"cc0"}, "rights": {"on"}, "act": {"submit"}}
		in := s.Person(fmt.Sprint("Helper", i), "admin")
		if res := in.Post(edit, form); res.Location != "/my-sounds" {
			t.Fatalf("submit: %d %s", res.Status, res.Text)
		}
	}
	first := fmt.Sprint(got.Files[0].ID)
	says(t, 0, nil, append([]string{"recording", "reject", first, "--reason", "Too short."}, at...)...)
	var list []recordingLine
	says(t, 0, nil, append([]string{"recording", "approve", "--all"}, at...)...)
	says(t, 0, &list, append([]string{"recording", "list", "--state", "published"}, at...)...)
	if len(list) != 2 {
		t.Errorf("%+v", list)
	}
	says(t, 0, &list, append([]string{"recording", "list", "--state", "returned"}, at...)...)
	if len(list) != 1 || fmt.Sprint(list[0].ID) != first {
		t.Errorf("%+v", list)
	}
	mails, err := s.Mail.Recent(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(mails); !strings.Contains(text, "Too short.") || strings.Count(text, ann.Email) < 3 {
		t.Errorf("letters about the decisions: %s", text)
	}
}
