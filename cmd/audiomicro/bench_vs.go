package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// peerReport is what another engine took for the same queries of the same catalog.
type peerReport struct {
	Build   float64     `json:"build_s"`
	Queries []peerTimes `json:"queries"`
}

type peerTimes struct {
	Name  string  `json:"name"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Hits  int     `json:"hits"`
	Ratio float64 `json:"ratio"` // its p50 as a multiple of ours
}

// benchPeers runs the module bench/ of the source tree, where the other engines are: their code is no part of this program.
func benchPeers(ctx context.Context, engines string, own *searchReport, runs int) error {
	if _, err := os.Stat("bench/go.mod"); err != nil {
		return fmt.Errorf("--vs needs the folder bench of the source tree: run it there, for postgres through scripts/postgres.sh (%w)", err)
	}
	c := exec.CommandContext(ctx, "go", "run", "-C", "bench", ".", "--docs", strconv.Itoa(own.Docs), "--runs", strconv.Itoa(runs), "--engines", engines)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("run the other engines: %w", err)
	}
	if err := json.Unmarshal(out.Bytes(), &own.Vs); err != nil {
		return fmt.Errorf("read what the other engines took: %w", err)
	}
	for _, peer := range own.Vs {
		for i, theirs := range peer.Queries {
			for _, ours := range own.Queries {
				if ours.Name == theirs.Name && ours.P50 > 0 {
					peer.Queries[i].Ratio = theirs.P50 / ours.P50
				}
			}
		}
	}
	return nil
}

// printPeers writes a line for each engine and kind.
func printPeers(list map[string]peerReport) {
	for name, peer := range list {
		fmt.Printf("%s: built in %.1f s\n", name, peer.Build)
		for _, q := range peer.Queries {
			fmt.Printf("  %-26s p50 %8.3f ms  p99 %8.3f ms  %8d hits  %6.1f times ours\n", q.Name, q.P50, q.P99, q.Hits, q.Ratio)
		}
	}
}
