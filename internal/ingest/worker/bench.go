package worker

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Measure is what one file, or all of them, cost.
type Measure struct {
	Name     string             `json:"name,omitempty"`
	Seconds  float64            `json:"seconds"`             // of sound
	Speed    float64            `json:"x_realtime_per_core"` // seconds of sound for each CPU second
	CPU      float64            `json:"cpu_s"`               // user and system
	Wall     float64            `json:"wall_s"`
	PeakRSS  float64            `json:"peak_rss_mb"`
	Temp     int64              `json:"temp_bytes"` // most that lay in the folder beside what the outputs grew to
	Stages   map[string]float64 `json:"stages"`     // CPU seconds by stage, and "rest" for what is in none
	Previews map[Output]int64   `json:"previews,omitempty"`
	Second   *Second            `json:"second,omitempty"` // the second pass, apart from all the above; nil unless asked for
	Peers    map[string]Peer    `json:"vs,omitempty"`
}

// Second is what the second pass cost: a process of its own, which decodes again.
type Second struct {
	Speed   float64 `json:"x_realtime_per_core"`
	CPU     float64 `json:"cpu_s"`
	PeakRSS float64 `json:"peak_rss_mb"`
}

// Peer is what other programs took for the same file.
type Peer struct {
	CPU   float64            `json:"cpu_s"`
	Wall  float64            `json:"wall_s"`
	Temp  int64              `json:"temp_bytes"`
	Steps map[string]float64 `json:"steps"` // CPU seconds by command
	Ratio float64            `json:"ratio"` // our CPU seconds for each of theirs
}

// Report is the answer of "audiomicro bench ingest".
type Report struct {
	Files []Measure `json:"files"`
	Total Measure   `json:"total"` // sums; PeakRSS and Temp are the largest
}

// Bench says what to measure.
type Bench struct {
	Second  bool     // whether to measure the second pass too
	Request Request  // what to make; its Size is taken from each file
	Runs    int      // times that everything is done, in turn; the fastest of each counts, for other work on the machine only slows down
	Peers   []string // of Peers
}

// Run runs the real worker on files, one after the other, and reports what each cost. It stops at the first file that fails.
func (b Bench) Run(ctx context.Context, files []string) (Report, error) {
	report := Report{Files: []Measure{}, Total: Measure{Stages: map[string]float64{}}}
	total := &report.Total
	for _, path := range files {
		m, err := b.file(ctx, path)
		if err != nil {
			return report, fmt.Errorf("bench %s: %w", path, err)
		}
		report.Files = append(report.Files, m)
		total.Seconds += m.Seconds
		total.CPU += m.CPU
		total.Wall += m.Wall
		total.PeakRSS = max(total.PeakRSS, m.PeakRSS)
		total.Temp = max(total.Temp, m.Temp)
		if s := m.Second; s != nil {
			if total.Second == nil {
				total.Second = &Second{}
			}
			total.Second.CPU += s.CPU
			total.Second.PeakRSS = max(total.Second.PeakRSS, s.PeakRSS)
		}
		for stage, cpu := range m.Stages {
			total.Stages[stage] += cpu
		}
		for name, p := range m.Peers {
			sum := total.Peers[name]
			sum.CPU, sum.Wall, sum.Temp = sum.CPU+p.CPU, sum.Wall+p.Wall, max(sum.Temp, p.Temp)
			if sum.Steps == nil {
				sum.Steps = map[string]float64{}
			}
			for step, cpu := range p.Steps {
				sum.Steps[step] += cpu
			}
			if total.Peers == nil {
				total.Peers = map[string]Peer{}
			}
			total.Peers[name] = sum
		}
	}
	total.rate()
	return report, nil
}

// rate computes what follows from the sums.
func (m *Measure) rate() {
	m.Speed = speed(m.Seconds, m.CPU)
	if m.Second != nil {
		m.Second.Speed = speed(m.Seconds, m.Second.CPU)
	}
	for name, p := range m.Peers {
		p.Ratio = math.Round(1000*m.CPU/max(p.CPU, 1e-9)) / 1000
		m.Peers[name] = p
	}
}

// file measures one file as often as asked.
func (b Bench) file(ctx context.Context, path string) (Measure, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Measure{}, err
	}
	var best Measure
	for n := range max(b.Runs, 1) {
		m, err := b.pass(ctx, path)
		if err != nil {
			return m, err
		}
		m.Peers = best.Peers
		if was := best.Second; was != nil && was.CPU < m.Second.CPU {
			m.Second = was
		}
		best.Second = m.Second
		if n == 0 || m.CPU < best.CPU {
			m.Wall = smaller(m.Wall, best.Wall)
			best = m
		}
		for _, name := range b.Peers {
			p, err := b.peer(ctx, name, path)
			if err != nil {
				return m, err
			}
			if best.Peers == nil {
				best.Peers = map[string]Peer{}
			}
			if was, ok := best.Peers[name]; !ok || p.CPU < was.CPU {
				best.Peers[name] = p
			}
		}
	}
	best.rate()
	return best, nil
}

func smaller(a, b float64) float64 {
	if b == 0 {
		return a
	}
	return min(a, b)
}

// pass runs the worker once.
func (b Bench) pass(ctx context.Context, path string) (Measure, error) {
	var grown map[string]int64
	req := b.Request
	req.Outputs = slices.Clone(req.Outputs)
	r, err := startOnFile(ctx, path, req, func(dir string) func() {
		temp := watchFolder(dir)
		return func() { grown = temp() }
	})
	if err != nil {
		return Measure{}, err
	}
	m := Measure{
		Name: filepath.Base(path), Seconds: r.Duration, CPU: r.Usage.CPUSeconds, Wall: r.Usage.WallSeconds,
		PeakRSS: float64(r.Usage.PeakRSSBytes) / (1 << 20), Stages: r.Usage.Stages, Previews: map[Output]int64{},
	}
	outputs := map[string]bool{}
	for o, f := range r.Previews {
		m.Previews[o] = f.Size
		outputs[f.Name] = true
	}
	if a := r.Analyzed; a != nil {
		outputs[a.Peaks.Name] = true
		for _, f := range a.Images {
			outputs[f.Name] = true
		}
	}
	for name, size := range grown {
		if !outputs[name] {
			m.Temp += size
		}
	}
	rest := m.CPU
	for _, cpu := range m.Stages {
		rest -= cpu
	}
	if b.Second {
		req.Outputs = []Output{Detail}
		if r.Analyzed != nil {
			req.Tempo = r.Analyzed.Tempo
		}
		d, err := startOnFile(ctx, path, req, func(string) func() { return func() {} })
		if err != nil {
			return m, fmt.Errorf("second pass: %w", err)
		}
		m.Second = &Second{CPU: d.Usage.CPUSeconds, PeakRSS: float64(d.Usage.PeakRSSBytes) / (1 << 20)}
	}
	m.Stages["rest"] = max(rest, 0) // starting, reading, collecting garbage, and children
	return m, nil
}

// watchFolder notes how large every file in dir becomes, until the func it returns is called; that gives the sizes by name.
func watchFolder(dir string) func() map[string]int64 {
	grown := map[string]int64{}
	look := func() {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // it went meanwhile
			}
			if info, err := d.Info(); err == nil {
				name, _ := filepath.Rel(dir, path) // path begins with dir
				grown[name] = max(grown[name], info.Size())
			}
			return nil
		})
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				look()
			case <-stop:
				look()
				return
			}
		}
	}()
	return func() map[string]int64 {
		close(stop)
		<-stopped
		return grown
	}
}

func speed(seconds, cpu float64) float64 {
	if cpu <= 0 {
		return 0
	}
	return seconds / cpu
}

// Group names what a stage belongs to, for a report that people read: decode, analysis, each encoder, and what the encoders share.
func Group(stage string) string {
	switch stage {
	case "loudness", "peaks", "spectrum", "fingerprint", "images":
		return "analysis"
	case "resample", "share":
		return "encode, shared"
	case "hash":
		return "hash of the samples"
	}
	return strings.TrimSpace(stage)
}
