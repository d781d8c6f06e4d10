// Command bench puts the made-up catalog of `audiomicro bench search` into other engines and asks them the same queries: Bleve, SQLite's FTS5
// and PostgreSQL. It is a module of its own, so that what it needs never reaches the product. `audiomicro bench search --vs` runs it.
//
// The comparison leans to the others' side: their catalog does not change meanwhile, and their facets are counted among the hits alone,
// while ours count each facet without its own choice. Each engine returns the first 24 hits and the number of all.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"audiomicro/internal/search/index"
)

// ask is one query.
type ask struct {
	words     []string // all of them
	phrase    bool     // next to each other
	prefix    bool     // the word is a beginning
	filtered  bool     // license standard, two channels, 1 to 20 seconds
	facets    bool     // category, license, price, length, channels, type, tags
	downloads bool     // the order; else relevance
}

// engine is what is compared.
type engine interface {
	add(ctx context.Context, docs []index.Document) error
	finish(ctx context.Context) error // after the last add
	search(ctx context.Context, a ask) (hits int, err error)
	close() error
}

// times is how long one kind of query takes, as `audiomicro bench search` prints it.
type times struct {
	Name string  `json:"name"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	Hits int     `json:"hits"`
}

type report struct {
	Build   float64 `json:"build_s"`
	Queries []times `json:"queries"`
}

func main() {
	docs, runs := flag.Int("docs", 100_000, "recordings"), flag.Int("runs", 50, "queries of each kind, at most for 20 seconds")
	names := flag.String("engines", "bleve,fts5,postgres", "which, with commas between")
	flag.Parse()
	out := map[string]report{}
	for name := range strings.SplitSeq(*names, ",") {
		r, err := measure(context.Background(), name, *docs, *runs)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", name, err)
			os.Exit(1)
		}
		out[name] = r
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func open(ctx context.Context, name, dir string) (engine, error) {
	switch name {
	case "bleve":
		return openBleve(dir)
	case "fts5":
		return openFTS5(ctx, dir)
	case "postgres":
		return openPostgres(ctx)
	}
	return nil, fmt.Errorf("no such engine: bleve, fts5, postgres")
}

func measure(ctx context.Context, name string, docs, runs int) (r report, err error) {
	dir, err := os.MkdirTemp("", "audiomicro-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	e, err := open(ctx, name, dir)
	if err != nil {
		return r, err
	}
	defer e.close()
	begin := time.Now()
	rare, err := fill(ctx, e, docs, runs)
	if err != nil {
		return r, err
	}
	r.Build = time.Since(begin).Seconds()
	for _, k := range kinds(rare) {
		t, err := timeKind(ctx, e, k, runs)
		if err != nil {
			return r, fmt.Errorf("%s: %w", k.name, err)
		}
		r.Queries = append(r.Queries, t)
	}
	return r, nil
}

// fill adds the catalog and lists the last words of some titles, which are rare.
func fill(ctx context.Context, e engine, docs, runs int) (rare []string, err error) {
	next := index.Synthetic(docs, 1)
	var batch []index.Document
	for d, ok := next(); ok; d, ok = next() {
		if int(d.ID)%max(docs/runs, 1) == 0 {
			rare = append(rare, d.Title[strings.LastIndexByte(d.Title, ' ')+1:])
		}
		if batch = append(batch, d); len(batch) == 1000 {
			if err := e.add(ctx, batch); err != nil {
				return nil, err
			}
			batch = batch[:0]
		}
	}
	if err := e.add(ctx, batch); err != nil {
		return nil, err
	}
	if err := e.finish(ctx); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rare, func(w string) bool {
		n, err := e.search(ctx, ask{words: []string{w}, downloads: true})
		return err != nil || n > max(docs/1000, 5)
	}), nil
}

type kind struct {
	name string
	ask  func(i int) ask
}

// kinds are those of `audiomicro bench search` under the same names. Typing mistakes are left out: only Bleve knows them.
func kinds(rare []string) []kind {
	common := strings.Fields("rain wind water door metal drum loop ambience footsteps wood bass impact city noise field recording voice synth bell")
	word := func(i int) string { return common[i%len(common)] }
	pair := func(i int) []string { return []string{word(i), word(i + 1 + i/len(common)%(len(common)-1))} }
	list := []kind{
		{"two-words-facets-downloads", func(i int) ask { return ask{words: pair(i), filtered: true, facets: true, downloads: true} }},
		{"two-words-facets-relevance", func(i int) ask { return ask{words: pair(i), filtered: true, facets: true} }},
		{"all-facets", func(int) ask { return ask{facets: true, downloads: true} }},
		{"phrase", func(i int) ask { return ask{words: pair(i), phrase: true} }},
		{"as-you-type", func(i int) ask { return ask{words: []string{word(i)[:2+i%2]}, prefix: true} }},
	}
	if len(rare) > 0 {
		list = slices.Insert(list, 0, kind{"rare-word", func(i int) ask { return ask{words: []string{rare[i%len(rare)]}} }})
	}
	return list
}

func timeKind(ctx context.Context, e engine, k kind, runs int) (times, error) {
	var took []time.Duration
	var hits []int
	for i, begin := 0, time.Now(); i < runs && time.Since(begin) < 20*time.Second; i++ {
		start := time.Now()
		n, err := e.search(ctx, k.ask(i))
		if err != nil {
			return times{}, err
		}
		took, hits = append(took, time.Since(start)), append(hits, n)
	}
	slices.Sort(took)
	slices.Sort(hits)
	ms := func(share float64) float64 {
		return float64(took[min(int(share*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	return times{k.name, ms(.5), ms(.99), hits[len(hits)/2]}, nil
}
