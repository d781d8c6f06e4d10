package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/ingest/worker"
)

// similarReport is what `bench similar` prints: how well sounds of a kind find their like in other folders.
type similarReport struct {
	Files    int            `json:"files"`
	Kits     int            `json:"kits"`
	Features likeness.Score `json:"features"` // by the normalized features alone
	Space    likeness.Score `json:"space"`    // by the space that the program ships
}

// benchSimilar describes the drum kits below a folder (one folder a kit, the kind of drum in each file's name) by the real worker, and
// measures how often what sounds alike is of the same kind, in other kits only. With --vectors it measures the search instead (benchVectors).
func benchSimilar(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"vectors", "runs"}, []string{"json"})
	if err != nil {
		return err
	}
	if p.own["vectors"] != "" {
		vectors, err := positive(p.own["vectors"], 0)
		if err != nil {
			return usage("bench similar --vectors: " + err.Error())
		}
		runs, err := positive(p.own["runs"], 200)
		if err != nil {
			return usage("bench similar --runs: " + err.Error())
		}
		return benchVectors(ctx, vectors, runs, p.own["json"] != "")
	}
	if len(p.names) != 1 {
		return usage("bench similar needs one folder of drum kits, such as Debian's hydrogen-drumkits unpacked, or --vectors N")
	}
	space, err := likeness.Open()
	if err != nil {
		return err
	}
	req := worker.Request{}
	if req.FFmpegPath, err = worker.FindTool(p.config.FFmpeg, "ffmpeg"); err != nil {
		return err
	}
	report, kits := similarReport{}, map[string]bool{}
	var plain, projected []likeness.Labeled
	err = filepath.WalkDir(p.names[0], func(path string, e fs.DirEntry, err error) error {
		kind := likeness.DrumKind(path)
		if err != nil || !e.Type().IsRegular() || kind == "" {
			return err
		}
		found, err := worker.Listen(ctx, path, req)
		var failure *worker.Failure
		if errors.As(err, &failure) {
			fmt.Fprintf(os.Stderr, "%s is left out: %s\n", path, failure.Text)
			return nil
		}
		if err != nil {
			return err
		}
		packed := space.Pack(found.Analyzed.Vector)
		if packed == nil {
			return nil // silence sounds like nothing
		}
		kit := filepath.Dir(path)
		kits[kit] = true
		features := make([]float32, len(packed))
		for i, b := range packed {
			features[i] = float32(int8(b))
		}
		plain = append(plain, likeness.Labeled{Vector: features, Kind: kind, Group: kit})
		projected = append(projected, likeness.Labeled{Vector: space.Project(packed), Kind: kind, Group: kit})
		return nil
	})
	if err != nil {
		return err
	}
	if len(kits) < 2 {
		return usage(fmt.Sprintf("%d drums of known kinds in %d folders: at least two folders with drums are needed", len(plain), len(kits)))
	}
	report.Files, report.Kits = len(plain), len(kits)
	report.Features, report.Space = likeness.Measure(plain, nil), likeness.Measure(projected, nil)
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	fmt.Printf("%d drums in %d kits; neighbors count in other kits only\n", report.Files, report.Kits)
	for _, line := range []struct {
		name string
		likeness.Score
	}{{"normalized features", report.Features}, {"shipped space", report.Space}} {
		fmt.Printf("%-22s P@1 %.3f  P@5 %.3f  mAP %.3f  (%d queries)\n", line.name, line.P1, line.P5, line.MAP, line.Queries)
	}
	fmt.Println("The shipped space learned from Debian's hydrogen-drumkits: on those its figures flatter. Training measures kits that were held out (doc/similar.md).")
	return nil
}
