package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodes calls the program wrongly: 2 for wrong usage, 1 for what failed, each with one line that says what.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	settings := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(settings, []byte("listen: localhost:1\nsounds: 3\nnoise: 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, c := range []struct {
		line string
		code int
		says string
	}{
		{"dance", 2, `unknown command "dance"`},
		{"serve now", 2, `serve takes no "now"`},
		{"serve -data x", 2, "two dashes"},
		{"serve --date", 2, "unknown flag --date"},
		{"serve --data", 2, "--data needs a value"},
		{"migrate all", 2, `migrate takes no "all"`},
		{"doctor all", 2, `doctor takes no "all"`},
		{"version 1", 2, "version takes no"},
		{"config check settings.yaml", 2, "config check takes no"},
		{"order pay seven", 2, `"seven" is no id`},
		{"account create --name Ann --email ann@example.org --born 1980-05-17 --role king --data " + empty, 2, "none of member"},
		{"order list --state lost", 2, "none of draft, pending"},
		{"config check --config " + settings, 1, "field noise not found"},
		{"config check --url https://sounds.example/shop", 1, "more than a host"},
		{"config check --url ftp://sounds.example", 1, "not an http(s) address"},
		{"doctor --data " + empty, 1, "no site in the folder"},
		{"recording list --data " + filepath.Join(empty, "typo"), 1, "no site in the folder"},
	} {
		stdout, stderr, code := audiomicro(t, strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("audiomicro %s: exit code %d, %q on standard error, %q on standard output; want %d and one line with %q", c.line, code, stderr, stdout, c.code, c.says)
		}
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("commands that look left something behind: %v, %v", left, err)
	}
}

// TestHelp asks for help in the ways that people try.
func TestHelp(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{"": "backup restore DIR", "help": "backup restore DIR", "--help": "backup restore DIR", "serve --help": "audiomicro serve [--data DIR]", "backup create -h": "--to DIR"} {
		stdout, stderr, code := audiomicro(t, strings.Fields(line)...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("audiomicro %s: exit code %d, %q, %q; want %q", line, code, stdout, stderr, want)
		}
	}
}

// TestBackupCommands takes a site's backup into another folder, and reads a damaged one: the damage is listed, and one line
// says what to do.
func TestBackupCommands(t *testing.T) {
	t.Parallel()
	data, backup, other := t.TempDir(), filepath.Join(t.TempDir(), "backup"), t.TempDir()
	says(t, 0, nil, "account", "create", "--name", "Ann", "--email", "ann@example.org", "--born", "1980-05-17", "--data", data)
	says(t, 0, nil, "backup", "create", "--to", backup, "--data", data)
	says(t, 0, nil, "backup", "verify", backup)
	says(t, 0, nil, "backup", "restore", backup, "--data", other)
	says(t, 0, nil, "account", "show", "Ann", "--data", other)
	if _, stderr := says(t, 1, nil, "backup", "restore", backup, "--data", other); !strings.Contains(stderr, "into a new folder") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("restored twice: %q", stderr)
	}
	var found struct{ Problems []string }
	says(t, 0, &found, "backup", "verify", backup, "--json")
	if found.Problems == nil || len(found.Problems) != 0 {
		t.Errorf("a whole backup: %+v", found)
	}
	if err := os.Truncate(filepath.Join(backup, "tables", "account.jsonl"), 10); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := says(t, 1, nil, "backup", "verify", backup)
	if !strings.Contains(stdout, "account.jsonl") || !strings.Contains(stderr, "make a new one") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("a damaged backup: %q, %q", stdout, stderr)
	}
	says(t, 1, &found, "backup", "verify", "--json", backup)
	if len(found.Problems) != 1 {
		t.Errorf("a damaged backup: %+v", found)
	}
}
