package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floor is what knows no domain. Each may import the floor packages named with it, and any package of internal/audio may
// import the others.
var floor = map[string][]string{
	"access": {}, "blob": {}, "config": {"money"}, "money": {}, "personal": {},
	"db":     {},
	"feed":   {"db"},
	"jobs":   {"db", "personal"},
	"mail":   {"db", "jobs", "personal"},
	"web/ui": {"audio"},
	"web":    {"access", "db", "web/ui"},
	"audio":  {},
}

// crossings are the edges between domains that are allowed, each with its reason. A crossing that no file uses fails the
// test.
var crossings = map[string]string{
	"uploads → recordings":     "an upload becomes a draft in one transaction",
	"uploads → licensing":      "a description and its offers are saved in one transaction",
	"ingest → recordings":      "what is measured and the end of its job are one transaction",
	"listening → recordings":   "media belong to a recording, downloads are counted on it",
	"moderation → recordings":  "a decision and the recording's state are one transaction",
	"search → recordings":      "rows are recordings",
	"search → listening":       "a row knows which preview its reader may hear",
	"orders → licensing":       "payment, licenses and receipt are one transaction",
	"orders → ledger":          "payment and its journal are one transaction",
	"orders → payments":        "an order is paid through a provider",
	"reactions → recordings":   "one reacts to a recording that is public at that moment",
	"collections → recordings": "one collects what is public at that moment",
	"people → accounts":        "a name in an address is folded as sign-up folds it; the profile stands among the settings",
}

var domains = []string{"accounts", "people", "recordings", "uploads", "ingest", "listening", "search", "moderation", "licensing", "orders", "payments", "ledger", "reactions", "collections"}

var faces = []string{"apiv1", "apiv2"}

// room is the package family that an import path belongs to: "db", "audio", "search", "web/ui".
func room(path string) string {
	path = strings.TrimPrefix(path, "audiomicro/internal/")
	if strings.HasPrefix(path, "web/ui") {
		return "web/ui"
	}
	first, _, _ := strings.Cut(path, "/")
	return first
}

// imports lists, for every room, the rooms that its files import and one file that does.
func imports(t *testing.T) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	root := filepath.Join("..", "..", "internal")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		from := room("audiomicro/internal/" + filepath.ToSlash(rel))
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil || !strings.HasPrefix(to, "audiomicro/internal/") {
				continue
			}
			if to := room(to); to != from {
				if out[from] == nil {
					out[from] = map[string]string{}
				}
				out[from][to] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("only %d rooms found: is the test looking at the right folder?", len(out))
	}
	return out
}

// TestImports keeps the house plan: cmd → app → faces → domains → floor, and between domains only the declared crossings.
func TestImports(t *testing.T) {
	used := map[string]bool{}
	for from, list := range imports(t) {
		for to, file := range list {
			_, toFloor := floor[to]
			switch allowed, isFloor := floor[from]; {
			case from == "app" || from == "testkit":
			case isFloor:
				if !slices.Contains(allowed, to) {
					t.Errorf("%s: the floor package %s must not import %s", file, from, to)
				}
			case slices.Contains(faces, from):
				if !toFloor && !slices.Contains(domains, to) {
					t.Errorf("%s: the face %s must not import %s", file, from, to)
				}
			case !slices.Contains(domains, from):
				t.Errorf("%s: the package %s has no place in the house plan", file, from)
			case toFloor:
			default:
				edge := from + " → " + to
				if crossings[edge] == "" {
					t.Errorf("%s: the crossing %s is not declared", file, edge)
				}
				used[edge] = true
			}
		}
	}
	for edge := range crossings {
		if !used[edge] {
			t.Errorf("the crossing %s is declared but not used", edge)
		}
	}
}

// TestFileSizes is a gauge with a limit far above it: hand-written files stay readable.
func TestFileSizes(t *testing.T) {
	err := filepath.WalkDir(filepath.Join("..", "..", "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_templ.go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if n := strings.Count(string(text), "\n"); n > 600 {
			t.Errorf("%s has %d lines: split it by noun", path, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
