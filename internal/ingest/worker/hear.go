package worker

import (
	"audiomicro/internal/audio"
	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/spectrum"
)

// Heard is what a sound is compared by, and all that the output Hear makes: nothing is written.
type Heard struct {
	Vector         []float64 `json:"vector"` // of package describe; empty for silence
	VectorVersion  int       `json:"vector_version"`
	Melody         []byte    `json:"melody"` // packed by package contour; empty where there is none
	Rhythm         []byte    `json:"rhythm"`
	ContourVersion int       `json:"contour_version"`
}

func heard(r *describe.Result) *Heard {
	return &Heard{Vector: r.Vector, VectorVersion: describe.VectorVersion, Melody: r.Melody, Rhythm: r.Rhythm, ContourVersion: contour.Version}
}

// part is which frames of a stream are measured: from (inclusive) to (exclusive).
type part struct {
	from, to int64
	at       int64 // of the next block
}

// newPart turns the seconds of a request into frames; a request without an end goes on to that of the sound.
func newPart(req Request, rate int) *part {
	if req.From == 0 && req.To == 0 {
		return nil
	}
	p := &part{from: int64(req.From * float64(rate)), to: 1 << 62}
	if req.To > 0 {
		p.to = int64(req.To * float64(rate))
	}
	return p
}

// cut gives what of a block lies in the part, nil for nothing. A nil part is everything.
func (p *part) cut(block [][]float32) [][]float32 {
	if p == nil {
		return block
	}
	n := int64(len(block[0]))
	from, to := min(max(p.from-p.at, 0), n), min(max(p.to-p.at, 0), n)
	p.at += n
	if from >= to {
		return nil
	}
	out := make([][]float32, len(block))
	for c := range out {
		out[c] = block[c][from:to]
	}
	return out
}

// over tells whether nothing of the part is still to come.
func (p *part) over() bool { return p != nil && p.at >= p.to }

// ear measures what sounds are compared by, and nothing else.
type ear struct {
	spectrum *spectrum.Analyzer
	describe *describe.Analyzer
}

func newEar(info audio.Info) *ear {
	e := &ear{spectrum: spectrum.New(info.SampleRate, info.Channels), describe: describe.New(info.SampleRate)}
	e.spectrum.OnFrame = e.describe.Frame
	return e
}

func (e *ear) finish() *Heard { return heard(e.describe.Result(e.spectrum.Result().Frames)) }
