package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Docs         int           `json:"docs"`
	Build        float64       `json:"build_s"`
	RSS          float64       `json:"rss_mb"`      // with nothing going on, 0 where the system does not tell
	PeakRSS      float64       `json:"peak_rss_mb"` // the most at any moment of the queries, while recordings change and a snapshot is saved
	Heap         float64       `json:"heap_mb"`
	SnapshotMB   float64       `json:"snapshot_mb"`
	SnapshotSave float64       `json:"snapshot_save_s"`
	SnapshotLoad float64       `json:"snapshot_load_s"`
	Cluster      float64       `json:"cluster_s"` // making the cells of similar sounds, which the server does beside the searches; about 0 where there are none
	Queries      []searchTimes `json:"queries"`

	Vs map[string]peerReport `json:"vs,omitempty"` // other engines, by name
}

// searchTimes is how long one kind of query takes, over many of the kind, in milliseconds of wall time and of CPU time: on a machine that
// does other work too, only the latter says what a query costs. It is the thread's, and the whole process's (with its updates and
// collections) for similar sounds, which are looked for on several cores. Hits is their median.
type searchTimes struct {
	Name   string  `json:"name"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	CPUP50 float64 `json:"cpu_p50_ms"` // 0 where the system does not tell
	CPUP99 float64 `json:"cpu_p99_ms"`
	Hits   int     `json:"hits"`
}

// benchSearch builds the index over a made-up catalog and measures queries, one at a time, while 50 recordings a second change.
func benchSearch(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"docs", "runs", "vs"}, []string{"json"})
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
	go paceCollector(ctx)
	report := searchReport{Docs: docs}
	ix, rare, err := buildSynthetic(ctx, &report, runs)
	if err != nil {
		return err
	}
	if ix, err = saveAndLoad(ix, &report); err != nil {
		return err
	}
	begin := time.Now()
	if _, err := ix.Cluster(ctx); err != nil {
		return err
	}
	report.Cluster = time.Since(begin).Seconds()
	debug.FreeOSMemory()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	report.Heap, report.RSS = float64(mem.HeapAlloc)/1e6, residentMB("VmRSS:")
	forgetPeak()
	rare = slices.DeleteFunc(rare, func(w string) bool {
		r, err := ix.Search(query.Query{Text: w, Limit: 1})
		return err != nil || r.Total > max(docs/1000, 5)
	})
	changing, stop := context.WithCancel(ctx)
	changed := make(chan error, 1)
	go func() { changed <- change(changing, ix, docs) }()
	saved := make(chan error, 1)
	go func() { saved <- ix.Save(io.Discard) }()
	for _, kind := range searchKinds(rare, docs) {
		times, err := timeKind(ctx, ix, kind, runs)
		if err != nil {
			stop()
			return err
		}
		report.Queries = append(report.Queries, times)
	}
	stop()
	report.PeakRSS = residentMB("VmHWM:")
	if err := errors.Join(<-changed, <-saved); err != nil {
		return err
	}
	if engines := p.own["vs"]; engines != "" {
		if err := benchPeers(ctx, engines, &report, runs); err != nil {
			return err
		}
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	fmt.Printf("%d recordings built in %.1f s, snapshot of %.0f MB saved in %.1f s and loaded in %.1f s, cells in %.1f s; heap %.0f MB, resident %.0f MB, at most %.0f MB\n",
		report.Docs, report.Build, report.SnapshotMB, report.SnapshotSave, report.SnapshotLoad, report.Cluster, report.Heap, report.RSS, report.PeakRSS)
	for _, q := range report.Queries {
		fmt.Printf("%-28s p50 %8.3f ms  p99 %8.3f ms  CPU p50 %8.3f ms  p99 %8.3f ms  %8d hits\n", q.Name, q.P50, q.P99, q.CPUP50, q.CPUP99, q.Hits)
	}
	printPeers(report.Vs)
	return nil
}

// buildSynthetic fills an index and lists the last words of some titles: in a Zipf vocabulary most are rare.
func buildSynthetic(ctx context.Context, report *searchReport, runs int) (*index.Index, []string, error) {
	ix, next := index.New(index.Config{}), index.Synthetic(report.Docs, 1)
	var rare []string
	begin := time.Now()
	err := ix.PutAll(func() (index.Document, bool) {
		d, ok := next()
		if ok && ctx.Err() == nil && int(d.ID)%max(report.Docs/runs, 1) == 0 {
			rare = append(rare, d.Title[strings.LastIndexByte(d.Title, ' ')+1:])
		}
		return d, ok && ctx.Err() == nil
	})
	report.Build = time.Since(begin).Seconds()
	return ix, rare, errors.Join(err, ctx.Err())
}

// saveAndLoad writes the index to a file and gives what comes out of it again.
func saveAndLoad(ix *index.Index, report *searchReport) (*index.Index, error) {
	f, err := os.CreateTemp("", "audiomicro-bench-*.snapshot")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // nothing is lost with it
	defer f.Close()
	begin := time.Now()
	if err := errors.Join(ix.Save(f), f.Sync()); err != nil {
		return nil, err
	}
	report.SnapshotSave = time.Since(begin).Seconds()
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	report.SnapshotMB = float64(size) / 1e6
	begin = time.Now()
	loaded, err := index.Load(f, index.Config{})
	report.SnapshotLoad = time.Since(begin).Seconds()
	return loaded, err
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
	like   func(i int) int64  // the recording whose neighbors are looked for instead
	finish func(i int) string // the beginning that is to be finished instead
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
		{name: "prefix", finish: func(i int) string { return word(i)[:2+i%2] }},
		{name: "as-you-type", ask: func(i int) query.Query { return query.Query{Text: word(i)[:2+i%2], Prefix: true} }},
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
	runtime.LockOSThread() // so that its CPU time is the query's
	defer runtime.UnlockOSThread()
	clock := threadTime
	if kind.like != nil {
		clock = processTime
	}
	var wall, cpu []time.Duration
	var hits []int
	begin := time.Now()
	for i := 0; i < runs && time.Since(begin) < 20*time.Second; i++ {
		if ctx.Err() != nil {
			return searchTimes{}, ctx.Err()
		}
		start, used := time.Now(), clock()
		found, err := kind.run(ix, i)
		if err != nil {
			return searchTimes{}, err
		}
		wall, cpu, hits = append(wall, time.Since(start)), append(cpu, clock()-used), append(hits, found)
	}
	slices.Sort(hits)
	t := searchTimes{Name: kind.name, Hits: hits[len(hits)/2]}
	t.P50, t.P99 = shares(wall)
	t.CPUP50, t.CPUP99 = shares(cpu)
	return t, nil
}

// run asks the i-th query of the kind and tells how many it found.
func (k searchKind) run(ix *index.Index, i int) (int, error) {
	switch {
	case k.like != nil:
		near, _ := ix.Similar(k.like(i), query.DefaultLimit, nil)
		return len(near), nil
	case k.finish != nil:
		return len(ix.Suggest(k.finish(i), 8)), nil
	}
	r, err := ix.Search(k.ask(i), k.facets...)
	return r.Total, err
}

// shares are the median and the 99th percentile in milliseconds.
func shares(times []time.Duration) (p50, p99 float64) {
	slices.Sort(times)
	ms := func(share float64) float64 {
		return float64(times[min(int(share*float64(len(times))), len(times)-1)].Microseconds()) / 1000
	}
	return ms(.5), ms(.99)
}

// forgetPeak makes the kernel's peak of resident memory begin anew: that so far is of the building. Where it cannot, the figure is too high.
func forgetPeak() {
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // proc(5); elsewhere there is no such file
}

// residentMB reads a line of /proc's memory report.
func residentMB(line string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not Linux
	}
	for l := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(l, line); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb / 1000
		}
	}
	return 0
}
