package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// vectorsReport is what `bench similar --vectors N` prints: how long similar sounds are looked for among N made-up ones, by comparing all
// and in cells, and what the cells miss.
type vectorsReport struct {
	Vectors   int            `json:"vectors"`
	Cells     int            `json:"cells"`
	Cluster   float64        `json:"cluster_cpu_s"` // CPU time of making the cells
	HeapMB    float64        `json:"heap_mb"`       // before
	CellBytes float64        `json:"cell_bytes"`    // heap that the cells take, for each vector
	Searches  []vectorsTimes `json:"searches"`
}

// vectorsTimes is of the ten nearest, among all or what a filter leaves. CPU time is the process's. Recall is the share of the ten that is
// found when all are compared.
type vectorsTimes struct {
	Filter string      `json:"filter"`
	Left   int         `json:"left"` // vectors that the filter leaves
	Exact  searchTimes `json:"exact"`
	Cells  searchTimes `json:"cells"`
	Recall float64     `json:"recall_10"`
}

// nearestAsked is how many neighbors a search of `bench similar --vectors` wants.
const nearestAsked = 10

// benchVectors fills an index with made-up vectors and filters alone, and looks for the same neighbors before and after they are in cells.
func benchVectors(ctx context.Context, vectors, runs int, asJSON bool) error {
	go paceCollector(ctx)
	ix, next := index.New(index.Config{ExactVectors: min(vectors-1, index.ExactVectors)}), index.SyntheticSounds(vectors, 1)
	err := ix.PutAll(func() (index.Document, bool) {
		d, ok := next()
		return d, ok && ctx.Err() == nil
	})
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	report := vectorsReport{Vectors: vectors, HeapMB: heapMB()}
	filters := []struct {
		name  string
		where *query.Filter
	}{
		{"none", nil}, {"a type", query.Is(query.Type, "flac")}, {"a category", query.Is(query.Category, "fx-n")},
		{"two to twelve seconds", query.Between(query.Length, 2, 12)}, {"six channels", query.Is(query.Channels, "6")},
	}
	exact := make([][][]index.Hit, len(filters))
	for i, f := range filters {
		row := vectorsTimes{Filter: f.name, Left: vectors}
		if f.where != nil {
			found, err := ix.Search(query.Query{Where: f.where, Limit: 1})
			if err != nil {
				return err
			}
			row.Left = found.Total
		}
		if row.Exact, exact[i], err = timeNearest(ctx, ix, f.where, vectors, runs); err != nil {
			return err
		}
		report.Searches = append(report.Searches, row)
	}
	begin := processTime()
	if _, err := ix.Cluster(ctx); err != nil {
		return err
	}
	report.Cluster, report.Cells = (processTime() - begin).Seconds(), ix.Cells()
	report.CellBytes = (heapMB() - report.HeapMB) * 1e6 / float64(vectors)
	for i, f := range filters {
		row := &report.Searches[i]
		var hits [][]index.Hit
		if row.Cells, hits, err = timeNearest(ctx, ix, f.where, vectors, runs); err != nil {
			return err
		}
		row.Recall = recallOf(hits, exact[i])
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	fmt.Printf("%d vectors, heap %.0f MB; %d cells in %.1f s of CPU, %.1f bytes for each vector\n", report.Vectors, report.HeapMB, report.Cells, report.Cluster, report.CellBytes)
	for _, s := range report.Searches {
		fmt.Printf("filter: %-22s leaves %8d  recall@%d %.3f\n", s.Filter, s.Left, nearestAsked, s.Recall)
		for _, way := range []struct {
			name string
			searchTimes
		}{{"all compared", s.Exact}, {"in cells", s.Cells}} {
			fmt.Printf("    %-14s p50 %8.3f ms  p99 %8.3f ms  CPU p50 %8.3f ms  p99 %8.3f ms\n", way.name, way.P50, way.P99, way.CPUP50, way.CPUP99)
		}
	}
	return nil
}

// timeNearest looks for the neighbors of runs recordings, spread over all.
func timeNearest(ctx context.Context, ix *index.Index, where *query.Filter, vectors, runs int) (t searchTimes, hits [][]index.Hit, err error) {
	var wall, cpu []time.Duration
	for i := range runs {
		if ctx.Err() != nil {
			return t, nil, ctx.Err()
		}
		start, used := time.Now(), processTime()
		found, _ := ix.Similar(int64(i)*int64(vectors)/int64(runs)+1, nearestAsked, where)
		wall, cpu, hits = append(wall, time.Since(start)), append(cpu, processTime()-used), append(hits, found)
	}
	t.P50, t.P99 = shares(wall)
	t.CPUP50, t.CPUP99 = shares(cpu)
	return t, hits, nil
}

// recallOf is the share of the wanted hits that were got.
func recallOf(got, want [][]index.Hit) float64 {
	found, all := 0, 0
	for i := range want {
		ids := map[int64]bool{}
		for _, h := range got[i] {
			ids[h.ID] = true
		}
		for _, h := range want[i] {
			all++
			if ids[h.ID] {
				found++
			}
		}
	}
	return float64(found) / float64(max(all, 1))
}

// heapMB is what is in use after a collection.
func heapMB() float64 {
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return float64(mem.HeapAlloc) / 1e6
}
