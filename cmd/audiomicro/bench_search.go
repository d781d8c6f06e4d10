package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// searchReport is what `bench search` prints.
type searchReport struct {
	Docs    int           `json:"docs"`
	Build   float64       `json:"build_s"`
	RSS     float64       `json:"rss_mb"` // 0 where the system does not tell
	Heap    float64       `json:"heap_mb"`
	Queries []searchTimes `json:"queries"`
}

// searchTimes is how long one kind of query takes, over many of the kind, in milliseconds of wall time. Hits is their median.
type searchTimes struct {
	Name string  `json:"name"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	Hits int     `json:"hits"`
}

// benchSearch builds the index over a made-up catalog and measures queries, one at a time, while 50 recordings a second change.
func benchSearch(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"docs", "runs"}, []string{"json"})
	if err != nil {
		return err
	}
	docs, err := positive(p.own["docs"], 100_000)
	if err != nil {
		return usage("bench search --docs: " + err.Error())
	}
	runs, err := positive(p.own["runs"], 300)
	if err != nil {
		return usage("bench search --runs: " + err.Error())
	}
	ix := index.New(index.Config{})
	next := index.Synthetic(docs, 1)
	var rare []string // the last words of some titles: in a Zipf vocabulary most are rare
	begin := time.Now()
	err = ix.PutAll(func() (index.Document, bool) {
		d, ok := next()
		if ok && ctx.Err() == nil && int(d.ID)%max(docs/runs, 1) == 0 {
			rare = append(rare, d.Title[strings.LastIndexByte(d.Title, ' ')+1:])
		}
		return d, ok && ctx.Err() == nil
	})
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report := searchReport{Docs: docs, Build: time.Since(begin).Seconds()}
	debug.FreeOSMemory()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	report.Heap, report.RSS = float64(mem.HeapAlloc)/1e6, residentMB()
	rare = slices.DeleteFunc(rare, func(w string) bool {
		r, err := ix.Search(query.Query{Text: w, Limit: 1})
		return err != nil || r.Total > max(docs/1000, 5)
	})

	changing, stop := context.WithCancel(ctx)
	changed := make(chan error, 1)
	go func() { changed <- change(changing, ix, docs) }()
	for _, kind := range searchKinds(rare, docs) {
		times, err := timeKind(ctx, ix, kind, runs)
		if err != nil {
			stop()
			return err
		}
		report.Queries = append(report.Queries, times)
	}
	stop()
	if err := <-changed; err != nil {
		return err
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	fmt.Printf("%d recordings in %.1f s, heap %.0f MB, resident %.0f MB\n", report.Docs, report.Build, report.Heap, report.RSS)
	for _, q := range report.Queries {
		fmt.Printf("%-28s p50 %8.3f ms  p99 %8.3f ms  %8d hits\n", q.Name, q.P50, q.P99, q.Hits)
	}
	return nil
}

func positive(s string, otherwise int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a positive number", s)
	}
	return n, nil
}

// change replaces 50 recordings a second until ctx ends.
func change(ctx context.Context, ix *index.Index, docs int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	next := index.Synthetic(1<<31-1, 2)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			d, _ := next()
			d.ID = d.ID*7919%int64(docs) + 1
			if err := ix.Put(d); err != nil {
				return err
			}
		}
	}
}

// searchKind is one kind of query; ask gives the i-th of the kind.
type searchKind struct {
	name   string
	facets []query.Field
	ask    func(i int) query.Query
	like   func(i int) int64 // the recording whose neighbors are looked for instead
}

func searchKinds(rare []string, docs int) []searchKind {
	common := strings.Fields("rain wind water door metal drum loop ambience footsteps wood bass impact city noise field recording voice synth bell")
	word := func(i int) string { return common[i%len(common)] }
	pair := func(i int) string { return word(i) + " " + word(i+1+i/len(common)%(len(common)-1)) }
	seven := []query.Field{query.Category, query.License, query.Price, query.Length, query.Channels, query.Type, query.Tag}
	filtered := func(i int, sort query.Sort) query.Query {
		q := query.Query{Text: pair(i), Sort: sort}.With(query.License, "standard").With(query.Channels, "2")
		q.Ranges = []query.Range{{Field: query.Length, Low: 1, High: 20}}
		return q
	}
	kinds := []searchKind{
		{name: "two-words-facets-downloads", facets: seven, ask: func(i int) query.Query { return filtered(i, query.ByDownloads) }},
		{name: "two-words-facets-relevance", facets: seven, ask: func(i int) query.Query { return filtered(i, query.ByRelevance) }},
		{name: "all-facets", facets: index.AllFacets(), ask: func(int) query.Query { return query.Query{} }},
		{name: "phrase", ask: func(i int) query.Query { return query.Query{Text: `"` + pair(i) + `"`} }},
		{name: "prefix", ask: func(i int) query.Query { return query.Query{Text: word(i)[:2+i%2], Prefix: true} }},
		{name: "typo", ask: func(i int) query.Query {
			w := word(i)
			return query.Query{Text: w[:2] + "q" + w[2:]}
		}},
		{name: "similar", like: func(i int) int64 { return int64(i%docs) + 1 }},
	}
	if len(rare) > 0 {
		kinds = slices.Insert(kinds, 0, searchKind{name: "rare-word", ask: func(i int) query.Query { return query.Query{Text: rare[i%len(rare)]} }})
	}
	return kinds
}

// timeKind runs queries of a kind, at most for 20 seconds.
func timeKind(ctx context.Context, ix *index.Index, kind searchKind, runs int) (searchTimes, error) {
	var times []time.Duration
	var hits []int
	begin := time.Now()
	for i := 0; i < runs && time.Since(begin) < 20*time.Second; i++ {
		if ctx.Err() != nil {
			return searchTimes{}, ctx.Err()
		}
		start, found := time.Now(), 0
		if kind.like != nil {
			near, _ := ix.Similar(kind.like(i), query.DefaultLimit, nil)
			found = len(near)
		} else {
			r, err := ix.Search(kind.ask(i), kind.facets...)
			if err != nil {
				return searchTimes{}, err
			}
			found = r.Total
		}
		times, hits = append(times, time.Since(start)), append(hits, found)
	}
	slices.Sort(times)
	slices.Sort(hits)
	ms := func(share float64) float64 {
		return float64(times[min(int(share*float64(len(times))), len(times)-1)].Microseconds()) / 1000
	}
	return searchTimes{kind.name, ms(.5), ms(.99), hits[len(hits)/2]}, nil
}

// residentMB is the memory that the process holds, from /proc.
func residentMB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not Linux
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb / 1000
		}
	}
	return 0
}
