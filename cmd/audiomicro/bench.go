package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"audiomicro/internal/ingest/worker"
)

// benchIngest measures the real worker on files: what analysis and the chosen encoders cost.
func benchIngest(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"outputs", "vs", "runs"}, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) == 0 {
		return usage("bench ingest needs at least one sound file")
	}
	b := worker.Bench{Runs: 1, Second: true, Request: worker.Request{Outputs: []worker.Output{worker.Analysis}, MarkInterval: float64(p.config.MarkSeconds)}}
	if b.Request.FFmpegPath, err = worker.FindTool(p.config.FFmpeg, "ffmpeg"); err != nil {
		return err
	}
	names, ok := p.own["outputs"]
	if !ok {
		names = "hq,lq"
	}
	known := map[string][]worker.Output{
		"none": nil, "hq": {worker.HQ}, "lq": {worker.LQ}, "marked": {worker.MarkedHQ, worker.MarkedLQ}, "marked-hq": {worker.MarkedHQ}, "marked-lq": {worker.MarkedLQ},
		"mp3": {worker.MP3HQ, worker.MP3LQ}, "mp3-hq": {worker.MP3HQ}, "mp3-lq": {worker.MP3LQ}, "marked-mp3": {worker.MarkedMP3HQ, worker.MarkedMP3LQ},
	}
	for name := range strings.SplitSeq(names, ",") {
		outputs, ok := known[name]
		if !ok {
			return usage(fmt.Sprintf("unknown output %q: none, hq, lq, marked, marked-hq, marked-lq, mp3, mp3-hq, mp3-lq, marked-mp3", name))
		}
		b.Request.Outputs = append(b.Request.Outputs, outputs...)
	}
	if list := p.own["vs"]; list != "" {
		b.Peers = strings.Split(list, ",")
		for _, name := range b.Peers {
			if !slices.Contains(worker.Peers[:], name) {
				return usage(fmt.Sprintf("cannot compare with %q: %s", name, strings.Join(worker.Peers[:], ", ")))
			}
		}
	}
	if text, ok := p.own["runs"]; ok {
		if _, err := fmt.Sscanf(text, "%d", &b.Runs); err != nil || b.Runs < 1 {
			return usage("--runs is how often to measure, 1 or more")
		}
	}
	report, err := b.Run(ctx, p.names)
	if err != nil {
		return err
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	for _, m := range report.Files {
		printMeasure(m.Name, m)
	}
	if len(report.Files) > 1 {
		printMeasure("total", report.Total)
	}
	return nil
}

// printMeasure writes what one file cost, the most expensive stage first, and how others compare.
func printMeasure(name string, m worker.Measure) {
	fmt.Printf("%-32.32s %9.1f s %8.1f x realtime per core %8.2f CPU s %8.2f s wall %6.1f MB %6.1f MB temp\n", name, m.Seconds, m.Speed, m.CPU, m.Wall, m.PeakRSS, float64(m.Temp)/(1<<20))
	groups := map[string]float64{}
	for stage, cpu := range m.Stages {
		groups[worker.Group(stage)] += cpu
	}
	line := func(indent, name string, cpu float64) {
		x := ""
		if cpu > 0 {
			x = fmt.Sprintf("%8.0f x", m.Seconds/cpu)
		}
		fmt.Printf("%s%-*s %8.3f CPU s %s\n", indent, 30-len(indent), name, cpu, x)
	}
	for _, group := range costliest(groups) {
		line("  ", group, groups[group])
		parts := map[string]float64{}
		for stage, cpu := range m.Stages {
			if worker.Group(stage) == group && stage != group {
				parts[stage] = cpu
			}
		}
		if len(parts) > 1 {
			for _, stage := range costliest(parts) {
				line("    ", stage, parts[stage])
			}
		}
	}
	if s := m.Second; s != nil {
		fmt.Printf("  %-28s %8.3f CPU s %8.0f x %6.1f MB, decoding again\n", "second pass, apart", s.CPU, s.Speed, s.PeakRSS)
	}
	for _, peer := range slices.Sorted(maps.Keys(m.Peers)) {
		p := m.Peers[peer]
		fmt.Printf("  vs %-27s %8.2f CPU s, %.2f s wall, %.1f MB temp: audiomicro takes %.2f of its CPU time\n", peer, p.CPU, p.Wall, float64(p.Temp)/(1<<20), p.Ratio)
		for _, step := range costliest(p.Steps) {
			if len(p.Steps) > 1 {
				line("    ", step, p.Steps[step])
			}
		}
	}
}

// costliest sorts names by their CPU seconds, the largest first.
func costliest(cpu map[string]float64) []string {
	return slices.SortedFunc(maps.Keys(cpu), func(a, b string) int { return cmp.Or(cmp.Compare(cpu[b], cpu[a]), strings.Compare(a, b)) })
}
