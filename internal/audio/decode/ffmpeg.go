package decode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/sniff"
)

// ffmpegInput is how a container reaches ffmpeg: only the demuxer named can run, so no playlist can make it open other files.
type ffmpegInput struct {
	demuxer string
	seeks   bool // the demuxer must seek: ffmpeg gets the file itself instead of a pipe
}

func ffmpegDemuxer(k sniff.Kind) (ffmpegInput, bool) {
	switch k.Container {
	case "wav", "rf64", "bw64":
		return ffmpegInput{"wav", false}, true
	case "aiff", "aifc":
		return ffmpegInput{"aiff", false}, true
	case "mp4":
		return ffmpegInput{"mov", true}, true
	case "wavpack":
		return ffmpegInput{"wv", true}, true // it must see the APE tag at the end to tell it from a broken block
	case "adts":
		return ffmpegInput{"aac", false}, true
	case "webm":
		return ffmpegInput{"matroska", false}, true
	case "ape":
		return ffmpegInput{"ape", true}, true
	case "caf":
		return ffmpegInput{"caf", true}, true
	case "mp3", "ogg", "flac", "asf", "au", "tta", "amr", "w64":
		return ffmpegInput{k.Container, false}, true
	}
	return ffmpegInput{}, false
}

// ffmpegDecoder reads a WAVE stream of 32-bit floats from a native ffmpeg.
type ffmpegDecoder struct {
	audio.Decoder // the WAVE reader
	info          audio.Info
	cmd           *exec.Cmd
	cancel        context.CancelFunc
	stdout        io.ReadCloser
	stderr        *tail
	waited        bool
	spool         *os.File
}

// ffmpegCodecs are the only decoders of ffmpeg that run: of sound, and of the two kinds of picture that recordings carry as
// their cover, which ffmpeg looks at before it leaves them out. So no film in a sound's clothes reaches a decoder of films.
const ffmpegCodecs = "aac,aac_fixed,aac_latm,alac,ac3,eac3,mp1float,mp1,mp2float,mp2,mp3float,mp3,mp3adufloat,mp3adu,opus,libopus,vorbis,libvorbis,flac," +
	"wavpack,ape,tta,wmav1,wmav2,wmapro,wmalossless,wmavoice,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,speex,libspeex,qdm2,gsm,gsm_ms,libgsm,libgsm_ms,g723_1,g729,truespeech," +
	"adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,adpcm_g722,adpcm_g726,adpcm_g726le,adpcm_swf,mace3,mace6," +
	"pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_u16le,pcm_u16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw," +
	"mjpeg,png"

// ffmpegWall is how long an ffmpeg may live: the limits of processor time are the caller's.
const ffmpegWall = 2 * time.Hour

// openFFmpeg starts ffmpeg with the bytes on its standard input, without names, network, video, or anything but the one demuxer.
func openFFmpeg(r io.Reader, k sniff.Kind, opt Options) (audio.Decoder, error) {
	if opt.FFmpegPath == "" {
		return nil, fmt.Errorf("%w: %s needs a native ffmpeg, which this site does not have", audio.ErrUnsupported, k)
	}
	if k.Codec == "drms" {
		return nil, fmt.Errorf("%w: the file is encrypted", audio.ErrUnsupported)
	}
	in, ok := ffmpegDemuxer(k)
	if !ok {
		return nil, fmt.Errorf("%w: no decoder for %s", audio.ErrUnsupported, k)
	}
	d := &ffmpegDecoder{stderr: &tail{}}
	stdin := r
	input, protocols := "pipe:0", "pipe"
	if in.seeks {
		f, ok := r.(*os.File)
		if !ok {
			var err error
			if f, err = spool(r, opt.TempDir); err != nil {
				return nil, err
			}
			d.spool, stdin = f, f
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		input, protocols = "/dev/fd/0", "file" // opens the same file once more, so that it can seek
	}
	args := []string{
		"-nostdin", "-hide_banner", "-loglevel", "error", "-max_alloc", "268435456", "-threads", "1",
		"-protocol_whitelist", protocols, "-format_whitelist", in.demuxer, "-codec_whitelist", ffmpegCodecs, "-f", in.demuxer, "-i", input,
		"-vn", "-sn", "-dn", "-map", "0:a:0", "-map_metadata", "-1", "-threads", "1", "-bitexact", "-c:a", "pcm_f32le", "-f", "wav",
		"-protocol_whitelist", "pipe", "pipe:1",
	}
	ctx, cancel := context.WithTimeout(context.Background(), ffmpegWall)
	d.cancel = cancel
	d.cmd = exec.CommandContext(ctx, opt.FFmpegPath, args...)
	d.cmd.Env = []string{}
	d.cmd.Dir = os.TempDir()
	d.cmd.Stdin, d.cmd.Stderr = stdin, d.stderr
	d.cmd.WaitDelay = 5 * time.Second
	ownGroup(d.cmd)
	out, err := d.cmd.StdoutPipe()
	if err == nil {
		d.stdout = out
		err = d.cmd.Start()
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("%w: start ffmpeg: %w", ErrDecoder, err)
	}
	wav, err := openWAV(newSource(out, 0), sniff.Kind{Container: "wav"})
	if err != nil {
		said := d.wait()
		d.Close()
		if why := d.stderr.ownFault(said); why != "" {
			return nil, fmt.Errorf("%w: %s", ErrDecoder, why)
		}
		return nil, fmt.Errorf("%w: ffmpeg could not read the file: %s", audio.ErrDamaged, d.stderr)
	}
	d.Decoder = wav
	d.info = wav.Info()
	d.info.Container, d.info.Codec, d.info.Frames, d.info.BitDepth = k.Container, k.Codec, 0, 0
	switch k.Codec {
	case "alac", "wavpack", "tta", "ape": // float32 holds 24 bits; how many the source had, ffmpeg does not tell
		d.info.Lossless, d.info.BitDepth = true, k.BitDepth
	default:
		d.info.Lossless = false
	}
	return d, nil
}

// ErrDecoder means that the native decoder is at fault, not the file: it does not run, or was built without what the file needs.
var ErrDecoder = errors.New("the native decoder does not work")

// faults are what ffmpeg and the loader of programs say when the reason lies in themselves. A file cannot make them say so, but for a codec without a
// name; those kept from running on purpose are "not on whitelist".
var faults = regexp.MustCompile(`Decoder \(codec [^)]*\) not found|no decoder found for|Unknown (input|output) format|Unknown (en|de)coder|Unrecognized option|Option not found|` +
	`error while loading shared libraries|symbol lookup error`)

// ownFault says why ffmpeg ended if that was not because of the file, and nothing otherwise. An ffmpeg that fails without a word is
// broken too: about files it always says something.
func (t *tail) ownFault(ended error) string {
	text := t.Buffer.String()
	if f := faults.FindString(text); f != "" && !strings.Contains(f, "codec none") {
		return "ffmpeg: " + t.String()
	}
	var exit *exec.ExitError
	if errors.As(ended, &exit) && exit.ExitCode() > 0 && strings.TrimSpace(text) == "" {
		return fmt.Sprintf("ffmpeg ended with status %d without a word", exit.ExitCode())
	}
	return ""
}

// spool keeps r in a file without a name.
func spool(r io.Reader, dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "decode-*")
	if err != nil {
		return nil, fmt.Errorf("keep the file for ffmpeg: %w", err)
	}
	os.Remove(f.Name())
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return nil, fmt.Errorf("keep the file for ffmpeg: %w", err)
	}
	return f, nil
}

func (d *ffmpegDecoder) Info() audio.Info { return d.info }

func (d *ffmpegDecoder) Next() ([][]float32, error) {
	block, err := d.Decoder.Next()
	if err != io.EOF {
		return block, err
	}
	werr := d.wait()
	if why := d.stderr.ownFault(werr); why != "" {
		return nil, fmt.Errorf("%w: %s", ErrDecoder, why)
	}
	if werr != nil {
		return nil, fmt.Errorf("%w: ffmpeg: %w: %s", audio.ErrDamaged, werr, d.stderr)
	}
	if d.stderr.Len() > 0 {
		return nil, fmt.Errorf("%w: ffmpeg: %s", audio.ErrDamaged, d.stderr)
	}
	return nil, io.EOF
}

func (d *ffmpegDecoder) wait() error {
	if d.waited || d.cmd == nil || d.cmd.Process == nil {
		return nil
	}
	d.waited = true
	return d.cmd.Wait()
}

// Close ends ffmpeg, whatever it is doing.
func (d *ffmpegDecoder) Close() error {
	if d.cancel != nil {
		d.cancel()
	}
	if d.stdout != nil {
		d.stdout.Close()
	}
	d.wait()
	if d.spool != nil {
		d.spool.Close()
		d.spool = nil
	}
	return nil
}

// tail keeps the start of what a program complains about.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	if room := 2000 - t.Len(); room > 0 {
		t.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

var notPlain = regexp.MustCompile(`[^ -~]+`)

// String is one line of printable ASCII: file contents may show up in messages.
func (t *tail) String() string {
	s := strings.TrimSpace(notPlain.ReplaceAllString(t.Buffer.String(), " "))
	if s == "" {
		return "no reason given"
	}
	return strconv.Quote(s[:min(len(s), 300)])
}
