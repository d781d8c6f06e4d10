package worker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/audio/sniff"
)

// Peers are the other ways to do a pass's work that Bench can measure beside it: one ffmpeg command with the same outputs, and
// the steps that Freesound takes for each upload (MTG/freesound 4318dcd, utils/audioprocessing), without its pictures.
var Peers = [...]string{"ffmpeg", "freesound"}

// step is one command of a peer. Its arguments name files in the folder of the run.
type step struct {
	name string
	tool string
	args []string
}

// peer runs the commands of a peer in a folder that is gone afterwards.
func (b Bench) peer(ctx context.Context, name, path string) (Peer, error) {
	p := Peer{Steps: map[string]float64{}}
	dir, err := os.MkdirTemp("", "audiomicro-bench-")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(dir) // as in pass
	var steps []step
	switch name {
	case "ffmpeg":
		steps, err = b.ffmpegStep(path)
	case "freesound":
		steps, err = freesoundSteps(path)
	default:
		err = fmt.Errorf("no peer %q: %s", name, strings.Join(Peers[:], ", "))
	}
	if err != nil {
		return p, err
	}
	grown := watchFolder(dir)
	for _, s := range steps {
		tool, err := exec.LookPath(s.tool)
		if err != nil {
			return p, fmt.Errorf("compare with %s: %s is not installed (on Debian: apt-get install %s)", name, s.tool, debianPackage(s.tool))
		}
		cmd := exec.CommandContext(ctx, tool, s.args...)
		cmd.Dir = dir
		began := time.Now()
		if text, err := cmd.CombinedOutput(); err != nil {
			return p, fmt.Errorf("compare with %s: %s: %w: %s", name, s.name, err, lastLine(text))
		}
		cpu := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		p.Steps[s.name] += cpu
		p.CPU += cpu
		p.Wall += time.Since(began).Seconds()
	}
	for file, size := range grown() {
		if strings.HasSuffix(file, ".wav") { // all that a visitor never gets
			p.Temp += size
		}
	}
	return p, nil
}

func debianPackage(tool string) string {
	if tool == "oggenc" || tool == "oggdec" {
		return "vorbis-tools"
	}
	return tool
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// ffmpegStep is one command with the outputs of the pass: R 128 with true peak, and the same encodes. Marked ones are encoded
// without the mark.
func (b Bench) ffmpegStep(path string) ([]step, error) {
	args := []string{"-v", "error", "-nostdin", "-y", "-threads", "1", "-i", path}
	var encodes []Output
	for _, o := range b.Request.Outputs {
		if o != Analysis {
			encodes = append(encodes, o)
		}
	}
	analyzed := b.Request.wants(Analysis)
	complexity := b.Request.Complexity
	if complexity == 0 {
		complexity = 5
	}
	if analyzed {
		graph := "[0:a:0]ebur128=peak=true[r]"
		if len(encodes) > 0 {
			graph = fmt.Sprintf("[0:a:0]asplit=%d[m]", len(encodes)+1)
			for i := range encodes {
				graph += fmt.Sprintf("[e%d]", i)
			}
			graph += ";[m]ebur128=peak=true[r]"
		}
		args = append(args, "-filter_complex", graph, "-map", "[r]", "-f", "null", "-")
	}
	for i, o := range encodes {
		source := "0:a:0"
		if analyzed {
			source = fmt.Sprintf("[e%d]", i)
		}
		if o.mp3() {
			args = append(args, "-map", source, "-map_metadata", "-1", "-threads", "1", "-ac", "2", "-c:a", "libmp3lame", "-b:a", strconv.Itoa(o.bitrate()), string(o)+".mp3")
			continue
		}
		args = append(args, "-map", source, "-map_metadata", "-1", "-threads", "1", "-ac", "2", "-c:a", "libopus", "-b:a", strconv.Itoa(o.bitrate()),
			"-compression_level", strconv.Itoa(complexity), "-f", "ogg", string(o)+".opus")
	}
	if len(encodes) == 0 && !analyzed {
		args = append(args, "-map", "0:a:0", "-f", "null", "-")
	}
	return []step{{"ffmpeg", "ffmpeg", args}}, nil
}

// freesoundSteps are: decode to WAV, copy to 16-bit stereo, and four encoders that each read that copy.
func freesoundSteps(path string) ([]step, error) {
	head := make([]byte, sniff.HeadSize)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := f.Read(head)
	if err != nil {
		return nil, err
	}
	kind, err := sniff.Detect(head[:n])
	if err != nil {
		return nil, err
	}
	const pcm = "pcm.wav"
	decode := step{"decode", "ffmpeg", []string{"-v", "error", "-nostdin", "-y", "-threads", "1", "-i", path, pcm}}
	switch {
	case kind.Container == "wav" || kind.Container == "aiff": // read as it is
		decode = step{"decode", "ln", []string{"-s", path, filepath.Join(".", pcm)}}
	case kind.Container == "flac":
		decode = step{"decode", "flac", []string{"-s", "-f", "-d", "-o", pcm, path}}
	case kind.Container == "mp3":
		decode = step{"decode", "lame", []string{"--quiet", "--decode", path, pcm}}
	case kind.Codec == "vorbis":
		decode = step{"decode", "oggdec", []string{"-Q", "-o", pcm, path}}
	}
	const stereo = "stereo.wav"
	return []step{decode,
		{"stereo copy", "ffmpeg", []string{"-v", "error", "-nostdin", "-y", "-threads", "1", "-i", pcm, "-ac", "2", "-c:a", "pcm_s16le", stereo}},
		{"lame --abr 70", "lame", []string{"--silent", "--abr", "70", stereo, "lq.mp3"}},
		{"lame --abr 192", "lame", []string{"--silent", "--abr", "192", stereo, "hq.mp3"}},
		{"oggenc -q 1", "oggenc", []string{"-Q", "-q", "1", stereo, "-o", "lq.ogg"}},
		{"oggenc -q 6", "oggenc", []string{"-Q", "-q", "6", stereo, "-o", "hq.ogg"}},
	}, nil
}
