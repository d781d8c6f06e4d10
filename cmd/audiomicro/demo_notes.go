package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"audiomicro/internal/uploads"
)

// demoNotes is what a demo remembers beside the site's own data: demo.json, and accounts.txt for people. Both are readable by
// their owner alone.
type demoNotes struct {
	Instance string        `json:"instance"` // the site they belong to; notes of another one are dropped
	Done     []string      `json:"done"`
	Accounts []demoAccount `json:"accounts"`

	dir string
	mu  *sync.Mutex
}

type demoAccount struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

func readNotes(dir, instance string) (demoNotes, error) {
	fresh := demoNotes{Instance: instance, dir: dir, mu: &sync.Mutex{}}
	data, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return fresh, err
	}
	n := fresh
	if err := json.Unmarshal(data, &n); err != nil {
		return fresh, fmt.Errorf("%s: %w", filepath.Join(dir, "demo.json"), err)
	}
	if n.Instance != instance {
		return fresh, nil
	}
	return n, nil
}

func (n *demoNotes) did(step string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.Done, step)
}

func (n *demoNotes) done(step string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Done = append(n.Done, step)
	return n.save()
}

func (n *demoNotes) account(a demoAccount) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Accounts = append(n.Accounts, a)
	if err := n.save(); err != nil {
		return err
	}
	return replace(filepath.Join(n.dir, "accounts.txt"), []byte(n.list()))
}

func (n *demoNotes) password(name string) (email, password string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.Accounts {
		if a.Name == name {
			return a.Email, a.Password
		}
	}
	return "", ""
}

func (n *demoNotes) save() error {
	data, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return replace(filepath.Join(n.dir, "demo.json"), data)
}

// list is the accounts as a table.
func (n *demoNotes) list() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-13s %-32s %s\n", "ROLE", "E-MAIL", "PASSWORD")
	for _, a := range n.Accounts {
		fmt.Fprintf(&b, "%-13s %-32s %s\n", a.Role, a.Email, a.Password)
	}
	return b.String()
}

// text says how to get in.
func (n *demoNotes) text(address string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.Accounts) == 0 {
		return "The passwords of this demo's accounts were shown when they were made; demo.json is gone."
	}
	return "Sign in at " + address + "/sign-in (also in " + filepath.Join(n.dir, "accounts.txt") + "):\n" + n.list()
}

// replace writes a private file as a whole.
func replace(file string, data []byte) error {
	if err := os.WriteFile(file+".part", data, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

// progress is the line that tells how far an import is.
type progress struct {
	out      io.Writer
	terminal bool
	start    time.Time
	total    int

	mu     sync.Mutex
	n, bad int
	told   time.Time
}

// step counts one file; a failure is told in full.
func (p *progress) step(one uploads.Imported) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	if one.State == uploads.ImportFailed {
		p.bad++
		fmt.Fprintf(p.out, "\n%s: %s\n", one.File, one.Error)
	}
	now := time.Now()
	wait := 10 * time.Second
	if p.terminal {
		wait = 100 * time.Millisecond
	}
	if p.n == p.total || now.Sub(p.told) >= wait {
		p.told = now
		p.show()
	}
}

func (p *progress) show() {
	text := fmt.Sprintf("Analyzing the catalog: %d of %d sounds, %d s", p.n, p.total, int(time.Since(p.start).Seconds()))
	if p.bad > 0 {
		text += fmt.Sprintf(", %d failed", p.bad)
	}
	if p.terminal {
		fmt.Fprintf(p.out, "\r%s ", text)
	} else {
		fmt.Fprintln(p.out, text)
	}
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n > 0 && p.terminal {
		fmt.Fprintln(p.out)
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// counts writes "cc0 168, mit 39" with the largest first.
func counts(n map[string]int) string {
	keys := make([]string, 0, len(n))
	for k := range n {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(a, b)
	})
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s %d", k, n[k])
	}
	return strings.Join(keys, ", ")
}
