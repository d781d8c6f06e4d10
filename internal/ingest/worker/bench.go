package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Measure is what one file, or all of them, cost.
type Measure struct {
	Name     string             `json:"name,omitempty"`
	Seconds  float64            `json:"seconds"`             // of sound
	Speed    float64            `json:"x_realtime_per_core"` // seconds of sound for each CPU second
	CPU      float64            `json:"cpu_s"`
	Wall     float64            `json:"wall_s"`
	PeakRSS  float64            `json:"peak_rss_mb"`
	Stages   map[string]float64 `json:"stages"` // CPU seconds by stage
	Previews map[Output]int64   `json:"previews,omitempty"`
}

// Report is the answer of "audiomicro bench ingest".
type Report struct {
	Files []Measure `json:"files"`
	Total Measure   `json:"total"` // sums; PeakRSS is the largest
}

// Bench runs the real worker on files, one after the other, and reports what each cost. req says what to make; its Size is
// taken from each file. It stops at the first file that fails.
func Bench(ctx context.Context, files []string, req Request) (Report, error) {
	report := Report{Files: []Measure{}, Total: Measure{Stages: map[string]float64{}}}
	total := &report.Total
	for _, path := range files {
		m, err := benchOne(ctx, path, req)
		if err != nil {
			return report, fmt.Errorf("bench %s: %w", path, err)
		}
		report.Files = append(report.Files, m)
		total.Seconds += m.Seconds
		total.CPU += m.CPU
		total.Wall += m.Wall
		total.PeakRSS = max(total.PeakRSS, m.PeakRSS)
		for stage, cpu := range m.Stages {
			total.Stages[stage] += cpu
		}
	}
	total.Speed = speed(total.Seconds, total.CPU)
	return report, nil
}

func benchOne(ctx context.Context, path string, req Request) (Measure, error) {
	src, err := os.Open(path)
	if err != nil {
		return Measure{}, err
	}
	defer src.Close()
	stat, err := src.Stat()
	if err != nil {
		return Measure{}, err
	}
	dir, err := os.MkdirTemp("", "audiomicro-bench-")
	if err != nil {
		return Measure{}, err
	}
	defer os.RemoveAll(dir) // a leftover in the system's temporary folder is no failure of the measurement
	req.Size = stat.Size()
	r, err := Start(ctx, req, src, dir, nil)
	if err != nil {
		return Measure{}, err
	}
	m := Measure{
		Name: filepath.Base(path), Seconds: r.Duration, CPU: r.Usage.CPUSeconds, Wall: r.Usage.WallSeconds,
		Speed: speed(r.Duration, r.Usage.CPUSeconds), PeakRSS: float64(r.Usage.PeakRSSBytes) / (1 << 20),
		Stages: r.Usage.Stages, Previews: map[Output]int64{},
	}
	for o, f := range r.Previews {
		m.Previews[o] = f.Size
	}
	return m, nil
}

func speed(seconds, cpu float64) float64 {
	if cpu <= 0 {
		return 0
	}
	return seconds / cpu
}
