package main

import (
	"context"
	"fmt"
	"strconv"

	"audiomicro/internal/audio/contour/trial"
)

// benchHum measures how well imitations of melodies and rhythms find what they imitate, on sounds drawn from a seed.
func benchHum(_ context.Context, args []string) error {
	p, err := parse(args, []string{"count", "seed", "off", "wrong"}, nil)
	if err != nil {
		return err
	}
	number := func(name string, otherwise float64) float64 {
		text, given := p.own[name]
		if !given || err != nil {
			return otherwise
		}
		n, bad := strconv.ParseFloat(text, 64)
		if bad != nil || n < 0 {
			err = usage(fmt.Sprintf("--%s takes a number, not %q", name, text))
		}
		return n
	}
	count, seed := int(number("count", 200)), uint64(number("seed", 7))
	off, wrong := number("off", .5), number("wrong", .05)
	if err != nil {
		return err
	}
	if count < 2 || count > 100_000 {
		return usage("--count is how many melodies and loops to draw, 2 to 100000")
	}
	r := trial.Run(count, seed, off, wrong)
	fmt.Printf("%d melodies (%d followed) and %d loops (%d followed); notes up to %.0f cents off, %.0f %% of the strokes of another kind\n", r.Catalog, r.HeardMelodies, r.Catalog, r.HeardRhythms, 100*off, 100*wrong)
	for _, line := range []struct {
		name string
		s    trial.Score
	}{{"hummed", r.Melody}, {"beaten", r.Rhythm}} {
		fmt.Printf("%-8s MRR %.3f  first %.3f  among ten %.3f  nothing heard in %d of %d  kept by the sketches at a hundred thousand %.3f\n", line.name, line.s.MRR, line.s.Hit1, line.s.Hit10, line.s.Unheard, line.s.Queries, line.s.Sketch)
	}
	return nil
}
