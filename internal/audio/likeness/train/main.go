// Command train learns the space of package likeness, writes it, and measures it on drum kits that it did not learn from:
//
//	go run ./internal/audio/likeness/train -drums FOLDER -others FOLDER[,FOLDER…] [-out internal/audio/likeness/space.bin]
//
// The shipped space was learned from Debian's hydrogen-drumkits as -drums (a folder a kit, the kind in the file's name) and
// sonic-pi-samples, minetest-data, marsshooter-data, freedroidrpg-data and sound-theme-freedesktop, each unpacked into a folder
// of its own, as -others: any broad collection will do, they only spread the space out.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/audio/spectrum"
)

// The shape of the space. These were chosen on the kits by leaving one out at a time; what is near them does nearly as well.
const (
	discriminant  = 10 // directions of the discriminant analysis: one less than the kinds
	spreading     = likeness.Dims - discriminant
	ridge         = 0.1 // of the mean within-class variance, added to its diagonal
	perCollection = 200 // recordings that a collection counts for at most
)

func main() {
	drums := flag.String("drums", "", "folder of drum kits, a folder each")
	others := flag.String("others", "", "folders of other recordings, separated by commas")
	out := flag.String("out", "internal/audio/likeness/space.bin", "file to write")
	flag.Parse()
	if err := train(*drums, strings.Split(*others, ","), *out); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// sound is one recording's features, at first in their own units, then normalized.
type sound struct {
	features   []float64
	kind, kit  string
	collection string
}

func train(drums string, others []string, out string) error {
	sounds, err := listen(drums, "drums")
	if err != nil {
		return err
	}
	for _, folder := range others {
		more, err := listen(folder, filepath.Base(folder))
		if err != nil {
			return err
		}
		sounds = append(sounds, more...)
	}
	means, deviations := normalize(sounds)
	var labeled []sound
	kits := map[string]bool{}
	for _, s := range sounds {
		if s.kind != "" {
			labeled = append(labeled, s)
			kits[s.kit] = true
		}
	}
	fmt.Printf("%d recordings, %d of them drums of %d kits\n", len(sounds), len(labeled), len(kits))
	wide := spread(sounds)
	report("normalized features", likeness.Measure(vectors(labeled, nil), nil))
	report("spread alone", likeness.Measure(vectors(labeled, wide), nil))
	var held likeness.Score
	for kit := range kits { // a kit's sounds ask in a space that was learned without it
		var rest []sound
		for _, s := range labeled {
			if s.kit != kit {
				rest = append(rest, s)
			}
		}
		space := join(wide, discriminate(rest), sounds, rest)
		s := likeness.Measure(vectors(labeled, space), func(l likeness.Labeled) bool { return l.Group == kit })
		n := float64(s.Queries)
		held.Queries += s.Queries
		held.P1, held.P5, held.MAP = held.P1+n*s.P1, held.P5+n*s.P5, held.MAP+n*s.MAP
	}
	n := float64(held.Queries)
	held.P1, held.P5, held.MAP = held.P1/n, held.P5/n, held.MAP/n
	report("learned without the asking kit", held)
	space := join(wide, discriminate(labeled), sounds, labeled)
	report("learned from all kits", likeness.Measure(vectors(labeled, space), nil))
	return write(out, means, deviations, space)
}

func report(name string, s likeness.Score) {
	fmt.Printf("%-32s P@1 %.3f  P@5 %.3f  mAP %.3f  (%d queries)\n", name, s.P1, s.P5, s.MAP, s.Queries)
}

// listen describes every sound file below a folder.
func listen(folder, collection string) (list []sound, err error) {
	err = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !e.Type().IsRegular() {
			return err
		}
		features, err := describeFile(path)
		if err != nil || features == nil {
			return nil // not a sound, or silence
		}
		s := sound{features: features, collection: collection}
		if collection == "drums" {
			s.kind, s.kit = likeness.DrumKind(path), filepath.Base(filepath.Dir(path))
		}
		list = append(list, s)
		return nil
	})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no sound below %q", folder)
	}
	return list, err
}

func describeFile(path string) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, sniff.HeadSize)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	kind, err := sniff.Detect(head[:n])
	if err != nil {
		return nil, err
	}
	d, err := decode.Open(f, kind, decode.Options{})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	info := d.Info()
	s, a := spectrum.New(info.SampleRate, info.Channels), describe.New(info.SampleRate)
	s.OnFrame = a.Frame
	for {
		block, err := d.Next()
		if len(block) > 0 {
			s.Write(block)
		}
		if errors.Is(err, io.EOF) {
			return a.Result(s.Result().Frames).Vector, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// normalize measures means and deviations, each collection weighing no more than perCollection recordings, and applies them.
func normalize(sounds []sound) (means, deviations []float32) {
	weights := weigh(sounds)
	means, deviations = make([]float32, likeness.Size), make([]float32, likeness.Size)
	for f := range likeness.Size {
		var n, sum, square float64
		for i, s := range sounds {
			n, sum, square = n+weights[i], sum+weights[i]*s.features[f], square+weights[i]*s.features[f]*s.features[f]
		}
		mean := sum / n
		means[f], deviations[f] = float32(mean), float32(math.Sqrt(max(square/n-mean*mean, 1e-9)))
	}
	for i := range sounds {
		sounds[i].features = likeness.Normalize(sounds[i].features, means, deviations)
	}
	return means, deviations
}

func weigh(sounds []sound) []float64 {
	count := map[string]float64{}
	for _, s := range sounds {
		count[s.collection]++
	}
	w := make([]float64, len(sounds))
	for i, s := range sounds {
		w[i] = min(1, perCollection/count[s.collection])
	}
	return w
}

// projection is rows × features and what is added to each row.
type projection struct {
	rows    [][]float64
	offsets []float64
}

func (p *projection) of(z []float64) []float32 {
	out := make([]float32, len(p.rows))
	for d, row := range p.rows {
		sum := p.offsets[d]
		for i, v := range row {
			sum += v * z[i]
		}
		out[d] = float32(sum)
	}
	return out
}

// center makes a projection's image of mean the origin.
func (p *projection) center(mean []float64) {
	p.offsets = make([]float64, len(p.rows))
	for d, row := range p.rows {
		for i, v := range row {
			p.offsets[d] -= v * mean[i]
		}
	}
}

// length is the root mean square length of the images.
func (p *projection) length(sounds []sound) float64 {
	sum := 0.0
	for _, s := range sounds {
		for _, v := range p.of(s.features) {
			sum += float64(v) * float64(v)
		}
	}
	return math.Sqrt(sum / float64(len(sounds)))
}

// spread finds the directions of the largest variance, each divided by the fourth root of it.
func spread(sounds []sound) *projection {
	mean := meanOf(sounds)
	cov := square(likeness.Size)
	for _, s := range sounds {
		outer(cov, s.features, mean, 1/float64(len(sounds)))
	}
	values, directions := eigen(cov)
	p := &projection{}
	for d := range spreading {
		row := directions[d]
		for i := range row {
			row[i] /= math.Pow(values[d], 0.25)
		}
		p.rows = append(p.rows, row)
	}
	p.center(mean)
	return p
}

// discriminate finds the directions that tell kinds apart: those of the largest variance between the kinds' means once the variance within
// them, with a ridge, is made 1 in every direction.
func discriminate(sounds []sound) *projection {
	mean := meanOf(sounds)
	kinds := map[string][]sound{}
	for _, s := range sounds {
		kinds[s.kind] = append(kinds[s.kind], s)
	}
	within, between := square(likeness.Size), square(likeness.Size)
	for _, list := range kinds {
		m := meanOf(list)
		for _, s := range list {
			outer(within, s.features, m, 1/float64(len(sounds)))
		}
		outer(between, m, mean, float64(len(list))/float64(len(sounds)))
	}
	trace := 0.0
	for i := range within {
		trace += within[i][i]
	}
	for i := range within {
		within[i][i] += ridge * trace / float64(len(within))
	}
	values, white := eigen(within)
	for d := range white {
		for i := range white[d] {
			white[d][i] /= math.Sqrt(values[d])
		}
	}
	_, directions := eigen(times(times(white, between), transpose(white)))
	p := &projection{rows: times(directions[:discriminant], white)}
	p.center(mean)
	return p
}

// join puts both projections side by side, each scaled so that its images have length 1 on the average over its own sounds.
func join(wide, fine *projection, all, drums []sound) *projection {
	p := &projection{}
	for _, part := range []struct {
		*projection
		over []sound
	}{{wide, all}, {fine, drums}} {
		size := part.length(part.over)
		for d, row := range part.rows {
			scaled := make([]float64, len(row))
			for i, v := range row {
				scaled[i] = v / size
			}
			p.rows, p.offsets = append(p.rows, scaled), append(p.offsets, part.offsets[d]/size)
		}
	}
	return p
}

func vectors(sounds []sound, p *projection) (list []likeness.Labeled) {
	for _, s := range sounds {
		l := likeness.Labeled{Kind: s.kind, Group: s.kit}
		if p != nil {
			l.Vector = p.of(s.features)
		} else {
			for _, v := range s.features {
				l.Vector = append(l.Vector, float32(v))
			}
		}
		list = append(list, l)
	}
	return list
}

func write(path string, means, deviations []float32, p *projection) error {
	var b bytes.Buffer
	put := func(list []float32) { binary.Write(&b, binary.LittleEndian, list) } // to memory: it cannot fail
	single := func(list []float64) (out []float32) {
		for _, v := range list {
			out = append(out, float32(v))
		}
		return out
	}
	put(means)
	put(deviations)
	for _, row := range p.rows {
		put(single(row))
	}
	put(single(p.offsets))
	return os.WriteFile(path, b.Bytes(), 0o644)
}
