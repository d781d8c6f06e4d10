package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/app"
	"audiomicro/internal/config"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// serveReport is what `bench serve` prints.
type serveReport struct {
	Docs    int         `json:"docs"`
	Filled  float64     `json:"filled_s"`  // writing the rows, 0 when they were there
	Started float64     `json:"started_s"` // from opening to the first answer
	Ready   float64     `json:"ready_s"`   // the same to the first search
	RSS     float64     `json:"rss_mb"`    // after the pages were asked for
	Pages   []pageTimes `json:"pages"`
}

// pageTimes is how long a kind of page takes, in milliseconds from the request to the last byte, one after another. Index is the part of
// that which the same query takes in the index alone; 0 for pages that are not searched for.
type pageTimes struct {
	Name  string  `json:"name"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Index float64 `json:"index_p50_ms"`
	Bytes int     `json:"bytes"` // median
}

// benchServe serves the whole site over a made-up catalog, measures its pages, and goes on serving for who wants to look at it.
func benchServe(ctx context.Context, args []string) error {
	p, err := alone("bench serve", args, []string{"docs", "runs"}, []string{"json"})
	if err != nil {
		return err
	}
	docs, err := positive(p.own["docs"], 100_000)
	if err != nil {
		return usage("bench serve --docs: " + err.Error())
	}
	runs, err := positive(p.own["runs"], 200)
	if err != nil {
		return usage("bench serve --runs: " + err.Error())
	}
	if p.config.Database != "" || p.config.Blobs != "" {
		return usage("bench serve fills a folder with SQLite: it takes neither --database nor --blobs")
	}
	made, done, err := benchFolder(&p.config, docs)
	if err != nil {
		return err
	}
	defer done()
	go paceCollector(ctx)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	begin := time.Now()
	a, err := app.Open(ctx, p.config, app.Options{Version: version, Log: log, Migrate: true, Serve: true})
	if err != nil {
		return err
	}
	defer a.Close()
	a.Site.Limits.Off = true // one visitor asks for more than any limit lets one have
	report := serveReport{Docs: docs}
	if !made {
		if err := fillCatalog(ctx, a, docs, countTo(os.Stderr, docs)); err != nil {
			return err
		}
		if err := os.WriteFile(benchMark(p.config.Data), []byte(strconv.Itoa(docs)), 0o600); err != nil {
			return err
		}
		report.Filled = time.Since(begin).Seconds()
		begin = time.Now()
	}
	l, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w (choose another address with --listen)", p.config.Listen, err)
	}
	s, err := a.Start(ctx, l)
	if err != nil {
		return err
	}
	report.Started = time.Since(begin).Seconds()
	if err := a.Search.WaitReady(ctx); err != nil {
		return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	report.Ready = time.Since(begin).Seconds()
	measured := make(chan error, 1)
	go func() { measured <- report.measure(ctx, a, "http://"+s.Addr, runs) }()
	select {
	case err = <-measured:
		if err == nil {
			err = report.print(p.own["json"] != "")
		}
	case err = <-s.Failed():
	case <-ctx.Done():
	}
	if err == nil && p.own["json"] == "" && ctx.Err() == nil {
		fmt.Printf("The site stays at %s until it is interrupted.\n", a.Config.URL)
		select {
		case err = <-s.Failed():
		case <-ctx.Done():
		}
	}
	return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
}

// benchMark is the file that says how many recordings were made up in a data folder.
func benchMark(data string) string { return filepath.Join(data, "bench-docs") }

// benchFolder chooses the data folder: a new one that done removes, or the one that was named, which holds such a catalog already or
// nothing.
func benchFolder(c *config.Config, docs int) (made bool, done func(), err error) {
	c.Node, c.Dev = cmp.Or(c.Node, "bench"), true // one snapshot of the index, wherever it listens
	if c.Data == config.Default().Data {
		c.Data, err = os.MkdirTemp("", "audiomicro-bench-*")
		return false, func() { os.RemoveAll(c.Data) }, err // what is left of it harms nobody
	}
	switch mark, err := os.ReadFile(benchMark(c.Data)); {
	case err == nil && string(mark) == strconv.Itoa(docs):
		return true, func() {}, nil
	case err == nil:
		return false, nil, usage(fmt.Sprintf("%s holds %s made-up recordings, not %d: name another folder with --data", c.Data, mark, docs))
	case !errors.Is(err, fs.ErrNotExist):
		return false, nil, err
	}
	if _, err := os.Stat(c.SQLiteFile()); err == nil {
		return false, nil, usage(fmt.Sprintf("%s holds a site that bench serve has not finished making: name another folder with --data", c.Data))
	}
	return false, func() {}, nil
}

// countTo tells every tenth of the way.
func countTo(w io.Writer, all int) func(done int) {
	begin, told := time.Now(), 0
	return func(done int) {
		if tenth := done * 10 / all; tenth > told {
			told = tenth
			fmt.Fprintf(w, "%d of %d recordings written in %.0f s\n", done, all, time.Since(begin).Seconds())
		}
	}
}

// measure asks for each kind of page over and over.
func (r *serveReport) measure(ctx context.Context, a *app.App, base string, runs int) error {
	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for _, kind := range pageKinds(r.Docs) {
		var took, searched []time.Duration
		var sizes []int
		for i := -3; i < runs; i++ { // the first ones warm caches and connections
			address := kind.address(max(i, 0))
			start := time.Now()
			n, err := get(ctx, client, base+address)
			if err != nil {
				return fmt.Errorf("%s: %w", address, err)
			}
			if i < 0 {
				continue
			}
			took, sizes = append(took, time.Since(start)), append(sizes, n)
			if kind.searched {
				d, err := inIndex(a.Search.Index(), address)
				if err != nil {
					return err
				}
				searched = append(searched, d)
			}
		}
		slices.Sort(sizes)
		t := pageTimes{Name: kind.name, Bytes: sizes[len(sizes)/2]}
		t.P50, t.P99 = shares(took)
		if kind.searched {
			t.Index, _ = shares(searched)
		}
		r.Pages = append(r.Pages, t)
	}
	r.RSS = residentMB("VmRSS:")
	return nil
}

// inIndex is how long the search of an address takes without its page.
func inIndex(ix *index.Index, address string) (time.Duration, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	q, err := query.FromValues(u.Query())
	if err != nil {
		return 0, err
	}
	q.SomeWords = true
	start := time.Now()
	_, err = ix.Search(q, index.AllFacets()...)
	return time.Since(start), err
}

func get(ctx context.Context, client *http.Client, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s", res.Status)
	}
	return int(n), err
}

// pageKind is a kind of page; address is that of the i-th.
type pageKind struct {
	name     string
	searched bool
	address  func(i int) string
}

func pageKinds(docs int) []pageKind {
	words := strings.Fields("rain wind water door metal drum loop ambience footsteps wood bass impact city noise field recording voice synth bell")
	word := func(i int) string { return words[i%len(words)] }
	return []pageKind{
		{"home", false, func(int) string { return "/" }},
		{"search-all", true, func(int) string { return "/search" }},
		{"search-word", true, func(i int) string { return "/search?q=" + word(i) }},
		{"search-two-words", true, func(i int) string { return "/search?q=" + word(i) + "+" + word(i+1+i/len(words)) }},
		{"search-filtered", true, func(i int) string {
			return "/search?q=" + word(i) + "+" + word(i+1+i/len(words)) + "&license=standard&channels=2&length_min=1&length_max=20&sort=downloads"
		}},
		{"search-as-you-type", true, func(i int) string { return "/search?q=" + word(i)[:2+i%3] + "*" }},
		{"suggest", false, func(i int) string { return "/search/suggest?q=" + word(i)[:2+i%2] }},
		{"recording", false, func(i int) string { return "/recordings/" + strconv.Itoa(1+i*7919%docs) }},
	}
}

func (r *serveReport) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("%d recordings, rows written in %.0f s, started in %.1f s, ready in %.1f s, resident %.0f MB\n", r.Docs, r.Filled, r.Started, r.Ready, r.RSS)
	for _, t := range r.Pages {
		fmt.Printf("%-20s p50 %8.1f ms  p99 %8.1f ms  %8d bytes", t.Name, t.P50, t.P99, t.Bytes)
		if t.Index > 0 {
			fmt.Printf("  index p50 %8.1f ms", t.Index)
		}
		fmt.Println()
	}
	return nil
}
