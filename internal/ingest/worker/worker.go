// Package worker turns one file of sound into everything AudioMicro needs of it, inside a process of its own.
//
// Start, called by the server, runs the same binary again ("audiomicro worker ingest") in a new session, with an empty
// environment, in an empty private folder, and hands it one open file. Main, running there, limits itself (address space,
// CPU, file size, open files), reads the request, and makes one pass over the source: decode, measure, draw and encode at
// once; no copy of the samples is ever written. So whatever a hostile file does to a decoder, at worst this one process
// dies, and Start says so in a sentence. Where the kernel has them, Landlock and seccomp take the rest of the machine away
// from it: no file but its own folder, no network, no other program unless a native encoder or decoder is set.
//
// Protocol: descriptor 0 carries one JSON line, the Request; descriptor 3 is the source (a regular file or a pipe);
// outputs are files in the current folder, named in the Result; standard output carries JSON lines {"progress":…} at most
// ten a second and one last {"result":…} or {"failure":…}. The worker opens no network connection and no database.
//
// Memory does not grow with the length of the sound, CPU and wall time are granted as decoded sound comes out: a decoder
// that turns in circles is stopped after Limits.CPUBase, a recording of a day is not.
package worker

import (
	"encoding/json"
	"fmt"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/loudness"
)

// Output names something that a pass can make.
type Output string

// The outputs. Marked ones carry the audible mark of package mark.
const (
	Analysis    Output = "analysis"      // loudness, peaks, images, descriptors, fingerprint
	Hear        Output = "hear"          // Result.Heard alone: what a search by example needs
	Detail      Output = "detail"        // the descriptors that take longer, for a pass of its own
	HQ          Output = "hq"            // Ogg Opus, 96 kbit/s
	LQ          Output = "lq"            // Ogg Opus, 48 kbit/s
	MarkedHQ    Output = "marked-hq"     //
	MarkedLQ    Output = "marked-lq"     //
	MP3HQ       Output = "mp3-hq"        // MP3, 128 kbit/s
	MP3LQ       Output = "mp3-lq"        // MP3, 64 kbit/s
	MarkedMP3HQ Output = "marked-mp3-hq" //
	MarkedMP3LQ Output = "marked-mp3-lq" //
)

// Request says what to make of a source.
type Request struct {
	Size         int64    `json:"size"`                    // bytes of the source; 0 when unknown (progress then has no fraction)
	Outputs      []Output `json:"outputs"`                 //
	FFmpegPath   string   `json:"ffmpeg_path,omitempty"`   // a native ffmpeg for formats that the program lacks; "" for none
	MarkInterval float64  `json:"mark_interval,omitempty"` // seconds between audible marks; 0 for 6
	MarkLevel    float64  `json:"mark_level,omitempty"`    // dBFS; 0 for -12
	MarkSeed     uint64   `json:"mark_seed,omitempty"`     // varies the marks
	Complexity   int      `json:"complexity,omitempty"`    // of the Opus encoder, 1 to 10; 0 for 5
	MaxSeconds   float64  `json:"max_seconds,omitempty"`   // longest sound; 0 for 24 hours
	From         float64  `json:"from,omitempty"`          // seconds; with Hear alone, where the part begins that is described
	To           float64  `json:"to,omitempty"`            // seconds; where it ends, and decoding with it; 0 for the end of the sound
	Threads      int      `json:"threads,omitempty"`       // processor cores to use; 0 for 2
	Tempo        float64  `json:"tempo,omitempty"`         // beats per minute that the analysis found, for Detail to place the beats of; 0 for none
	Limits       Limits   `json:"limits"`                  //
}

// Limits bound the worker process; a zero field takes the default.
type Limits struct {
	AddressSpace  int64   `json:"address_space"`   // bytes beyond what the process starts with; 2 GB
	Heap          int64   `json:"heap"`            // bytes the garbage collector tries to stay under; 48 MB
	CPUBase       float64 `json:"cpu_base"`        // seconds; 60
	CPUPerSecond  float64 `json:"cpu_per_second"`  // CPU seconds granted for each second of sound that was decoded; 0.5
	WallBase      float64 `json:"wall_base"`       // seconds; 180
	WallPerSecond float64 `json:"wall_per_second"` // seconds granted for each second of sound that was decoded; 2
	FileSize      int64   `json:"file_size"`       // bytes of the largest file the worker may write; 2 GB or the source's size
	DecodedBytes  int64   `json:"decoded_bytes"`   // bytes of decoded sound, 4 for each sample; 320 GB, more than a day of 8 channels at 96 kHz
	OpenFiles     uint64  `json:"open_files"`      // 64
}

func (r *Request) setDefaults() {
	l := &r.Limits
	orInt := func(p *int64, v int64) {
		if *p == 0 {
			*p = v
		}
	}
	orFloat := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	orInt(&l.AddressSpace, 2<<30)
	orInt(&l.Heap, 48<<20)
	orInt(&l.FileSize, max(2<<30, r.Size+1<<20))
	orInt(&l.DecodedBytes, 320<<30)
	orFloat(&l.CPUBase, 60)
	orFloat(&l.CPUPerSecond, .5)
	orFloat(&l.WallBase, 180)
	orFloat(&l.WallPerSecond, 2)
	orFloat(&r.MaxSeconds, 24*3600)
	if l.OpenFiles == 0 {
		l.OpenFiles = 64
	}
	if r.Complexity == 0 {
		r.Complexity = 5
	}
	if r.Threads == 0 {
		r.Threads = 2
	}
}

func (r *Request) wants(outputs ...Output) bool {
	for _, o := range r.Outputs {
		for _, wanted := range outputs {
			if o == wanted {
				return true
			}
		}
	}
	return false
}

// Progress tells how far the pass is.
type Progress struct {
	Stage    string  `json:"stage"`    // decode, then finish
	Seconds  float64 `json:"seconds"`  // of sound decoded
	Fraction float64 `json:"fraction"` // of the source read, 0 to 1; 0 when unknown
}

// File is one output in the folder given to Start.
type File struct {
	Name string `json:"name"` // base name
	Size int64  `json:"size"` // bytes
	MIME string `json:"mime"`
}

// Result is what a pass found and made. No number in it is NaN or infinite.
type Result struct {
	Container string     `json:"container"` // as the content says: wav, flac, ogg, …
	MIME      string     `json:"mime"`
	Ext       string     `json:"ext"` // usual file name extension, without the dot
	Info      audio.Info `json:"info"`
	Frames    int64      `json:"frames"`     // decoded frames
	Duration  float64    `json:"duration"`   // seconds: Frames / SampleRate
	PCMSHA256 string     `json:"pcm_sha256"` // hex; equal for equal samples, whatever lossless container holds them

	Previews map[Output]File `json:"previews,omitempty"`
	Analyzed *Findings       `json:"analysis,omitempty"` // nil unless Analysis was asked for
	Heard    *Heard          `json:"heard,omitempty"`    // nil unless Hear or Analysis was asked for
	Detailed json.RawMessage `json:"detail,omitempty"`   // flat object, names of the Freesound-compatible API; empty unless Detail was asked for
	Usage    Usage           `json:"usage"`
}

// Findings are the measurements of a sound.
type Findings struct {
	Loudness       loudness.Result  `json:"loudness"`
	Preview        *loudness.Result `json:"preview,omitempty"` // of the previews of more than two channels, which the fold makes quieter; else nil
	Peaks          File             `json:"peaks"`             // audiowaveform .dat, 8 bits, 256 frames a pair, channels mixed
	Images         map[string]File  `json:"images"`            // by kind: energy, energy-tile, waveform-m, waveform-l, spectral-m, spectral-l
	RowBars        string           `json:"row_bars"`          // encoded bars of a search row (package spectrum)
	BigBars        string           `json:"big_bars"`          // encoded bars of the large waveform
	ToneBands      [8]float64       `json:"tone_bands"`        // average energy by tone class
	Centroid       float64          `json:"centroid"`          // Hz
	Descriptors    json.RawMessage  `json:"descriptors"`       // flat object, names of the Freesound-compatible API
	Vector         []float64        `json:"vector"`            // of package describe; empty for silence
	VectorVersion  int              `json:"vector_version"`    //
	Described      int              `json:"described"`         // version of the formulas, describe.Version
	Tempo          float64          `json:"tempo"`             // beats per minute; 0 when none was found
	TempoSure      float64          `json:"tempo_confidence"`  // 0 to 1
	Key            string           `json:"key"`               // such as "C# minor"; "" when none was found
	KeySure        float64          `json:"key_confidence"`    // 0 to 1
	Fingerprint    string           `json:"fingerprint"`       // Chromaprint, compressed and base64; "" for sounds under 2.7 s
	FingerprintLen int              `json:"fingerprint_items"`

	heard *Heard // for the result
}

// Usage is what the pass cost.
type Usage struct {
	CPUSeconds   float64            `json:"cpu_s"`    // user and system, with child processes
	WallSeconds  float64            `json:"wall_s"`   // measured by the parent
	PeakRSSBytes int64              `json:"peak_rss"` // of the worker and its largest child together
	Stages       map[string]float64 `json:"stages"`   // CPU seconds by stage, estimated from a sample of the blocks; children of the worker are not in them
	Walls        []string           `json:"walls"`    // what the kernel shut the worker in with: landlock, seccomp
}

// Failure codes.
const (
	Unsupported = "unsupported"   // the content is of no format this instance reads
	Undecoded   = "undecoded"     // the native decoder is broken or lacks what the file needs; the operator's business
	Damaged     = "damaged"       // it begins well and cannot be decoded to the end
	TooLong     = "too-long"      // more seconds or more decoded bytes than allowed
	Empty       = "silent-empty"  // not a single sample
	Timeout     = "timeout"       // CPU or wall time used up
	OutOfMemory = "out-of-memory" // the address space limit, or the system's killer
	Crashed     = "crashed"       // anything else that ended the worker
	Storage     = "storage"       // the source could not be read or an output not be written; worth a retry
)

// Failure says why there is no result. Text is a sentence or two for the person who sent the file: what happened and what
// to do. Detail is for the operator's log and may be empty; it never holds sound.
type Failure struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Detail string `json:"detail,omitempty"`
}

func (f *Failure) Error() string {
	if f.Detail == "" {
		return f.Code + ": " + f.Text
	}
	return f.Code + ": " + f.Text + " (" + f.Detail + ")"
}

// Retry tells whether the same source may do better another time: the cause lies with the machine, not with the sound.
func (f *Failure) Retry() bool {
	return f.Code == Storage || f.Code == OutOfMemory || f.Code == Timeout
}

// message is one line of the worker's standard output.
type message struct {
	Progress *Progress `json:"progress,omitempty"`
	Result   *Result   `json:"result,omitempty"`
	Failure  *Failure  `json:"failure,omitempty"`
}

func tooLong(seconds float64) *Failure {
	return &Failure{Code: TooLong, Text: fmt.Sprintf("The recording is longer than the %s this site takes. Split it into parts and send each.", length(seconds))}
}

// length writes seconds for people.
func length(seconds float64) string {
	switch s := int64(seconds); {
	case seconds < 10:
		return fmt.Sprintf("%.1f s", seconds)
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d min", s/60, s%60)
	default:
		return fmt.Sprintf("%d:%02d:%02d h", s/3600, s/60%60, s%60)
	}
}
