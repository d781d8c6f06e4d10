package main

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"strings"
	"testing"

	"audiomicro/cmd/audiomicro/demo"
)

var (
	packages = flag.String("packages", "", "folder of the demo's unpacked packages")
	update   = flag.Bool("update", false, "write the table of the demo's catalog anew")
)

// TestDemoTable keeps the table of the demo's catalog by which relevance is judged: what the sounds are called and tagged, no sound.
// `make demo` once, then `go test ./cmd/audiomicro -run TestDemoTable -packages ../../.cache/demo -update` writes it. Without the
// packages only the sounds that the program computes itself are compared.
func TestDemoTable(t *testing.T) {
	const file = "../../internal/search/index/testdata/demo.csv"
	list := []demo.Collection{ownSounds("")}
	if *packages != "" {
		for _, p := range demo.Packages() {
			c, err := p.Read(*packages)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, c)
		}
	}
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	w.Write([]string{"by", "title", "description", "tags", "category", "pack", "license"})
	for _, c := range list {
		for _, s := range c.Sounds {
			w.Write([]string{c.Account, s.Title, s.Description, strings.Join(s.Tags, " "), s.Category, s.Pack, s.License})
		}
	}
	w.Flush()
	if *update {
		if *packages == "" {
			t.Fatal("-update needs -packages")
		}
		if err := os.WriteFile(file, table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if whole := *packages != ""; whole && !bytes.Equal(kept, table.Bytes()) || !bytes.HasPrefix(kept, table.Bytes()) {
		t.Errorf("%s is not the table of the demo any more: write it anew, and look at the grades beside it", file)
	}
}
