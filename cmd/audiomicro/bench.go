package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"audiomicro/internal/ingest/worker"
)

// benchIngest measures the real worker on files: what analysis and the chosen encoders cost.
func benchIngest(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"outputs"}, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) == 0 {
		return usage("bench ingest needs at least one sound file")
	}
	req := worker.Request{Outputs: []worker.Output{worker.Analysis}, MarkInterval: float64(p.config.MarkSeconds)}
	if req.FFmpegPath, err = worker.FindTool(p.config.FFmpeg, "ffmpeg"); err != nil {
		return err
	}
	if req.LamePath, err = worker.FindTool(p.config.Lame, "lame"); err != nil {
		return err
	}
	names, ok := p.own["outputs"]
	if !ok {
		names = "hq,lq"
	}
	known := map[string][]worker.Output{
		"none": nil, "hq": {worker.HQ}, "lq": {worker.LQ}, "marked": {worker.MarkedHQ, worker.MarkedLQ},
		"mp3-hq": {worker.MP3HQ}, "mp3-lq": {worker.MP3LQ},
	}
	for name := range strings.SplitSeq(names, ",") {
		outputs, ok := known[name]
		if !ok {
			return usage(fmt.Sprintf("unknown output %q: none, hq, lq, marked, mp3-hq, mp3-lq", name))
		}
		req.Outputs = append(req.Outputs, outputs...)
	}
	report, err := worker.Bench(ctx, p.names, req)
	if err != nil {
		return err
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	line := func(name string, m worker.Measure) {
		fmt.Printf("%-32.32s %9.1f s %8.1f x realtime per core %8.2f CPU s %8.2f s wall %6.1f MB\n", name, m.Seconds, m.Speed, m.CPU, m.Wall, m.PeakRSS)
	}
	for _, m := range report.Files {
		line(m.Name, m)
	}
	line("total", report.Total)
	stages := report.Total.Stages
	order := make([]string, 0, len(stages))
	for stage := range stages {
		order = append(order, stage)
	}
	slices.SortFunc(order, func(a, b string) int {
		if stages[a] != stages[b] {
			return int(1e6 * (stages[b] - stages[a]))
		}
		return strings.Compare(a, b)
	})
	for _, stage := range order {
		fmt.Printf("  %-24s %8.3f CPU s\n", stage, stages[stage])
	}
	return nil
}
