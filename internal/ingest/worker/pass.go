package worker

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"runtime"
	"time"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/downmix"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/mark"
	"audiomicro/internal/audio/opusenc"
	"audiomicro/internal/audio/resample"
)

// pass is one walk over one source.
type pass struct {
	req    Request
	info   audio.Info
	frames int64
	blocks int64
	weight time.Duration            // how many blocks the running one stands for in stages; 0 when it is not measured
	stages map[string]time.Duration // CPU time of what runs on the pass's own thread

	pcm      *pcmHash
	analysis *analysis       // nil when not asked for
	ear      *ear            // nil when not asked for
	part     *part           // of what the ear hears; nil for all
	detail   *detail         // nil when not asked for
	folded   *loudness.Meter // of the fold to two channels that the encoders get; nil when they get what analysis measures
	mixer    *downmix.Mixer
	hz       int                 // of what the encoders get
	rate     *resample.Resampler // nil when that is the source's
	marker   *mark.Marker        // nil when no marked output is wanted
	plain    fan
	marked   fan
}

// ingest does the whole job: it is what the worker process is for.
func ingest(req Request, src *os.File, out *reporter) (*Result, error) {
	runtime.LockOSThread() // stage times are the thread's
	defer runtime.UnlockOSThread()
	// A decoder may be a process of its own, which inherits the CPU limit: it stays at its hard value until it is open.
	d, err := open(req, src)
	if err != nil {
		return nil, err
	}
	defer d.Close() // whatever it says then, the samples are read or the pass has failed
	p, err := newPass(req, d.Info())
	if err != nil {
		return nil, err
	}
	if err := grantCPU(req.Limits.CPUBase); err != nil {
		return nil, fmt.Errorf("grant processor time: %w", err)
	}
	now := func(stage string) Progress {
		progress := Progress{Stage: stage, Seconds: p.seconds()}
		if req.Size > 0 {
			progress.Fraction = min(float64(d.read())/float64(req.Size), 1)
		}
		return progress
	}
	for {
		p.sample()
		var block [][]float32
		p.time("decode", func() { block, err = d.Next() })
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, p.located(err)
		}
		if err := p.write(block); err != nil {
			return nil, err
		}
		if err := out.progress(now("decode"), req.Limits, false); err != nil {
			return nil, err
		}
		if p.part.over() {
			break
		}
	}
	if p.frames == 0 {
		return nil, &Failure{Code: Empty, Text: "The file holds no sound: not a single sample. Export it again and send the new file."}
	}
	if err := out.progress(now("finish"), req.Limits, true); err != nil {
		return nil, err
	}
	result := &Result{Container: d.kind.Container, MIME: d.kind.MIME, Ext: d.kind.Ext, Info: d.Info(), Frames: p.frames, Duration: p.seconds()}
	result.Usage.Walls = d.walls
	if err := p.finish(result); err != nil {
		return nil, err
	}
	return result, nil
}

func newPass(req Request, info audio.Info) (*pass, error) {
	p := &pass{req: req, info: info, stages: map[string]time.Duration{}, pcm: newPCMHash(info.SampleRate, info.Channels)}
	if req.wants(Analysis) {
		var err error
		if p.analysis, err = newAnalysis(info); err != nil {
			return nil, err
		}
	}
	if req.wants(Hear) {
		p.ear, p.part = newEar(info), newPart(req, info.SampleRate)
	}
	if req.wants(Detail) {
		p.detail = newDetail(info)
	}
	if !req.wants(HQ, LQ, MarkedHQ, MarkedLQ, MP3HQ, MP3LQ, MarkedMP3HQ, MarkedMP3LQ) {
		return p, nil
	}
	channels := downmix.Outputs(info.Channels)
	p.mixer = downmix.New(info.Channels)
	p.hz = encodeRate(req, info.SampleRate)
	if p.analysis != nil && info.Channels > channels {
		p.folded = loudness.New(p.hz, channels)
	}
	if info.SampleRate != p.hz {
		var err error
		if p.rate, err = resample.New(info.SampleRate, p.hz, channels, resample.Heard(info.SampleRate, p.hz)); err != nil {
			return nil, fmt.Errorf("resample from %d Hz: %w", info.SampleRate, err)
		}
	}
	for _, output := range req.Outputs {
		if output == Analysis || output == Hear || output == Detail {
			continue
		}
		l, err := newLane(req, output, channels, p.hz, info.SampleRate)
		if err != nil {
			return nil, err
		}
		if output.marked() {
			p.marked.lanes = append(p.marked.lanes, l)
		} else {
			p.plain.lanes = append(p.plain.lanes, l)
		}
	}
	if len(p.marked.lanes) > 0 {
		opt := mark.Options{Interval: req.MarkInterval, Level: req.MarkLevel, Seed: req.MarkSeed}
		p.marker = mark.New(p.hz, channels, opt, p.marked.write)
	}
	return p, nil
}

// encodeRate is the rate that the encoders get, in Hz: 48 kHz, but where only MP3 is made the source's own if MP3 has it.
func encodeRate(req Request, source int) int {
	for _, o := range req.Outputs {
		if o != Analysis && !o.mp3() {
			return opusenc.SampleRate
		}
	}
	if source == 44100 || source == 32000 {
		return source
	}
	return opusenc.SampleRate
}

func (p *pass) seconds() float64 { return float64(p.frames) / float64(p.info.SampleRate) }

// sampleEvery is how many blocks one measured block stands for. Reading a thread's CPU time is a system call of some
// microseconds, and measuring every stage of every block cost eight percent of the whole.
const sampleEvery = 16

// sample decides whether the next block is measured: the first ones are, then one of sampleEvery.
func (p *pass) sample() {
	switch p.blocks++; {
	case p.blocks <= sampleEvery:
		p.weight = 1
	case p.blocks%sampleEvery == 0:
		p.weight = sampleEvery
	default:
		p.weight = 0
	}
}

// time runs f and adds the CPU time that it takes on this thread to a stage.
func (p *pass) time(stage string, f func()) {
	if p.weight == 0 {
		f()
		return
	}
	before := threadCPU()
	f()
	p.stages[stage] += p.weight * (threadCPU() - before)
}

// located says at which second a decoder gave up.
func (p *pass) located(err error) error {
	if errors.Is(err, audio.ErrDamaged) && p.frames > 0 && !errors.Is(err, decode.ErrTooLong) {
		return &Failure{Code: Damaged, Detail: err.Error(),
			Text: fmt.Sprintf("The file is damaged: it cannot be read beyond %s. Export it again and send the new file.", length(p.seconds()))}
	}
	return err
}

// write sends one decoded block through every stage.
func (p *pass) write(block [][]float32) error {
	frames := len(block[0])
	p.frames += int64(frames)
	if p.seconds() > p.req.MaxSeconds || p.frames*int64(4*len(block)) > p.req.Limits.DecodedBytes {
		allowed := min(p.req.MaxSeconds, float64(p.req.Limits.DecodedBytes/int64(4*len(block)))/float64(p.info.SampleRate))
		return tooLong(allowed)
	}
	p.time("hash", func() { p.pcm.write(block) })
	if p.analysis != nil {
		p.analysis.write(p, block)
	}
	if p.ear != nil {
		if block := p.part.cut(block); block != nil {
			p.time("hear", func() { p.ear.spectrum.Write(block) })
		}
	}
	if p.detail != nil {
		p.detail.write(p, block)
	}
	if p.mixer == nil {
		return nil
	}
	// Parts so short that even the lowest sample rate gives no more than a block of sound for the encoders.
	part := max(audio.MaxBlockFrames*p.info.SampleRate/p.hz, 64)
	for at := 0; at < frames; at += part {
		piece := make([][]float32, len(block))
		for c := range piece {
			piece[c] = block[c][at:min(at+part, frames)]
		}
		var sound [][]float32
		p.time("resample", func() {
			sound = p.mixer.Mix(piece)
			if p.rate != nil {
				sound = p.rate.Write(sound)
			}
		})
		if err := p.listeners(sound); err != nil {
			return err
		}
	}
	return nil
}

// listeners hands sound to the encoders.
func (p *pass) listeners(sound [][]float32) error {
	if len(sound) == 0 || len(sound[0]) == 0 {
		return nil
	}
	if p.folded != nil {
		p.time("loudness", func() { p.folded.Write(sound) })
	}
	var err error
	if len(p.plain.lanes) > 0 {
		p.time("share", func() { err = p.plain.write(sound) })
	}
	if p.marker != nil && err == nil {
		p.time("mark", func() { err = p.marker.Write(sound) })
	}
	return err
}

// finish ends every stage and collects what they made.
func (p *pass) finish(r *Result) error {
	p.weight = 1
	if p.rate != nil {
		var rest [][]float32
		p.time("resample", func() { rest = p.rate.Flush() })
		if err := p.listeners(rest); err != nil {
			return err
		}
	}
	if p.marker != nil {
		if err := p.marker.Close(); err != nil {
			return err
		}
	}
	for _, l := range p.lanes() {
		close(l.in)
	}
	r.PCMSHA256 = p.pcm.sum()
	if p.analysis != nil {
		findings, err := p.analysis.finish(p)
		if err != nil {
			return err
		}
		if p.folded != nil {
			heard := p.folded.Result()
			findings.Preview = &heard
		}
		r.Analyzed, r.Heard = findings, findings.heard
	}
	if p.ear != nil {
		p.time("hear", func() { r.Heard = p.ear.finish() })
	}
	if p.detail != nil {
		var err error
		if r.Detailed, err = p.detail.finish(p); err != nil {
			return err
		}
	}
	r.Previews = map[Output]File{}
	for _, l := range p.lanes() {
		<-l.done
		if l.err != nil {
			return l.err
		}
		p.stages["encode "+string(l.output)] = l.cpu
		f, err := outputFile(l.name, l.output.mime())
		if err != nil {
			return err
		}
		r.Previews[l.output] = f
	}
	r.Usage.Stages = map[string]float64{}
	for name, cpu := range p.stages {
		r.Usage.Stages[name] = math.Round(cpu.Seconds()*1e4) / 1e4
	}
	return nil
}

func (p *pass) lanes() []*lane {
	return append(append([]*lane(nil), p.plain.lanes...), p.marked.lanes...)
}

func outputFile(name, mime string) (File, error) {
	stat, err := os.Stat(name)
	if err != nil {
		return File{}, fmt.Errorf("look at output: %w", err)
	}
	return File{Name: name, Size: stat.Size(), MIME: mime}, nil
}

// pcmHash hashes the samples themselves: rate and channels, then the SHA-256 of each channel's little-endian float32
// samples. Channels are hashed one by one so that the sum does not depend on how a decoder cuts its blocks.
type pcmHash struct {
	total    hash.Hash
	channels []hash.Hash
	bytes    []byte
}

func newPCMHash(rate, channels int) *pcmHash {
	h := &pcmHash{total: sha256.New(), bytes: make([]byte, 4*4096)}
	h.total.Write(binary.LittleEndian.AppendUint32(nil, uint32(rate)))
	for range channels {
		h.channels = append(h.channels, sha256.New())
	}
	return h
}

func (h *pcmHash) write(block [][]float32) {
	for c, samples := range block {
		for len(samples) > 0 {
			n := min(len(samples), len(h.bytes)/4)
			for i, x := range samples[:n] {
				binary.LittleEndian.PutUint32(h.bytes[4*i:], math.Float32bits(x))
			}
			h.channels[c].Write(h.bytes[:4*n])
			samples = samples[n:]
		}
	}
}

func (h *pcmHash) sum() string {
	for _, c := range h.channels {
		h.total.Write(c.Sum(nil))
	}
	return hex.EncodeToString(h.total.Sum(nil))
}
