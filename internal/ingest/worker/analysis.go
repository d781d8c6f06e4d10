package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/fingerprint"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/peaks"
	"audiomicro/internal/audio/spectrum"
)

// analysis measures a stream. Spectrum and descriptors share one transform.
type analysis struct {
	loudness    *loudness.Meter
	peaks       *peaks.Analyzer
	spectrum    *spectrum.Analyzer
	describe    *describe.Analyzer
	fingerprint *fingerprint.Analyzer
}

// descriptors are the flat object of the Freesound-compatible API: what describe found, and the two values of loudness.
type descriptors struct {
	*describe.Result
	Loudness     *float64 `json:"loudness,omitempty"` // LUFS
	DynamicRange float64  `json:"dynamic_range"`      // LU
}

func newAnalysis(info audio.Info) (*analysis, error) {
	rate, channels := info.SampleRate, info.Channels
	prints, err := fingerprint.New(rate, channels)
	if err != nil {
		return nil, fmt.Errorf("fingerprint at %d Hz: %w", rate, err)
	}
	a := &analysis{
		loudness:    loudness.New(rate, channels),
		peaks:       peaks.New(rate, channels, peaks.Options{}),
		spectrum:    spectrum.New(rate, channels),
		describe:    describe.New(rate),
		fingerprint: prints,
	}
	a.spectrum.OnFrame = a.describe.Frame // stage times of spectrum hold both: a frame is too short to measure
	return a, nil
}

func (a *analysis) write(p *pass, block [][]float32) {
	p.time("loudness", func() { a.loudness.Write(block) })
	p.time("peaks", func() { a.peaks.Write(block) })
	p.time("spectrum", func() { a.spectrum.Write(block) })
	p.time("fingerprint", func() { a.fingerprint.Write(block) })
}

// finish ends the measurements and draws the pictures.
func (a *analysis) finish(p *pass) (*Findings, error) {
	f := &Findings{Images: map[string]File{}}
	p.time("loudness", func() { f.Loudness = a.loudness.Result() })
	var err error
	p.time("peaks", func() {
		f.Peaks, err = save("peaks.dat", "application/octet-stream", func(w io.Writer) error { return a.peaks.Result().WriteDat(w, 8) })
	})
	if err != nil {
		return nil, err
	}
	var seen *spectrum.Result
	p.time("spectrum", func() { seen = a.spectrum.Result() }) // hands the last frames to describe
	p.time("spectrum", func() { err = f.describe(a.describe.Result(seen.Frames)) })
	if err != nil {
		return nil, err
	}
	f.RowBars, f.BigBars = seen.Row.Encode(), seen.Wide.Encode()
	f.ToneBands, f.Centroid = seen.Bands, seen.Centroid
	p.time("fingerprint", func() {
		if items := a.fingerprint.Result(); len(items) > 0 {
			f.Fingerprint, f.FingerprintLen = fingerprint.Encode(items), len(items)
		}
	})
	p.time("images", func() { err = draw(f.Images, seen) })
	if err != nil {
		return nil, err
	}
	return f, nil
}

// detail is the second pass: what takes longer, and can wait. It looks through the same transform, and draws nothing.
type detail struct {
	spectrum *spectrum.Analyzer
	describe *describe.Detailer
}

func newDetail(info audio.Info) *detail {
	d := &detail{spectrum: spectrum.New(info.SampleRate, info.Channels), describe: describe.NewDetail(info.SampleRate, info.Channels)}
	d.spectrum.OnFrame = d.describe.Frame
	return d
}

func (d *detail) write(p *pass, block [][]float32) {
	p.time("detail", func() {
		d.spectrum.Write(block)
		d.describe.Write(block)
	})
}

func (d *detail) finish(p *pass) (object json.RawMessage, err error) {
	p.time("detail", func() {
		frames := d.spectrum.Result().Frames
		object, err = json.Marshal(d.describe.Result(frames, p.req.Tempo))
	})
	if err != nil {
		return nil, fmt.Errorf("encode details: %w", err)
	}
	return object, nil
}

// describe takes over what describe found; the loudness must stand already.
func (f *Findings) describe(r *describe.Result) error {
	d := descriptors{Result: r, DynamicRange: f.Loudness.Range}
	if f.Loudness.HasLoudness {
		d.Loudness = &f.Loudness.Integrated
	}
	object, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode descriptors: %w", err)
	}
	f.Descriptors = object
	f.Vector, f.VectorVersion, f.Described = r.Vector, describe.VectorVersion, describe.Version
	f.heard = heard(r)
	f.Tempo, f.TempoSure = r.BPM, r.BPMConfidence
	f.Key, f.KeySure = r.Tonality, r.Confidence
	return nil
}

// draw saves every picture of a sound: the energy of the spectrogram page and tile, the images of /apiv2/, and of a long one the levels to zoom into.
func draw(images map[string]File, seen *spectrum.Result) error {
	for _, picture := range []struct {
		kind, name, mime string
		write            func(io.Writer) error
	}{
		{"energy", "energy.png", "image/png", func(w io.Writer) error { return seen.WriteEnergyPNG(w, 800, 200) }},
		{"energy-tile", "energy-tile.png", "image/png", func(w io.Writer) error { return seen.WriteEnergyPNG(w, 320, 120) }},
		{"waveform-m", "waveform-m.png", "image/png", func(w io.Writer) error { return seen.WriteWaveformPNG(w, 120, 71) }},
		{"waveform-l", "waveform-l.png", "image/png", func(w io.Writer) error { return seen.WriteWaveformPNG(w, 900, 201) }},
		{"spectral-m", "spectral-m.jpg", "image/jpeg", func(w io.Writer) error { return seen.WriteSpectralJPG(w, 120, 71) }},
		{"spectral-l", "spectral-l.jpg", "image/jpeg", func(w io.Writer) error { return seen.WriteSpectralJPG(w, 900, 201) }},
	} {
		f, err := save(picture.name, picture.mime, picture.write)
		if err != nil {
			return err
		}
		images[picture.kind] = f
	}
	if !seen.Long() {
		return nil
	}
	f, err := save("levels.dat", "application/octet-stream", seen.WriteLevels)
	images["levels"] = f
	return err
}

// save writes one new file in the current folder.
func save(name, mime string, write func(io.Writer) error) (File, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return File{}, fmt.Errorf("create output: %w", err)
	}
	b := bufio.NewWriterSize(file, 32<<10)
	if err := errors.Join(write(b), b.Flush(), file.Close()); err != nil {
		return File{}, fmt.Errorf("write %s: %w", name, err)
	}
	return outputFile(name, mime)
}
