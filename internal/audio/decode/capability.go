package decode

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Way is how this instance reads a format.
type Way struct {
	Format  string // for people: "M4A with AAC"
	Native  bool   // by the program itself
	Through string // the ffmpeg that reads it; "" when none does
	Why     string // why nothing reads it; "" otherwise
}

// outside are the formats that only ffmpeg reads, with the demuxer and the decoder it needs for each. A decoder may have
// several names; one is enough.
var outside = []struct {
	format, demuxer string
	decoders        []string
}{
	{"M4A, MP4 or MOV with AAC (also HE-AAC)", "mov", []string{"aac"}},
	{"M4A with Apple Lossless (ALAC)", "mov", []string{"alac"}},
	{"AAC (ADTS, also HE-AAC)", "aac", []string{"aac"}},
	{"WavPack", "wv", []string{"wavpack"}},
	{"Windows Media Audio (WMA)", "asf", []string{"wmav2"}},
	{"Monkey's Audio (APE)", "ape", []string{"ape"}},
	{"True Audio (TTA)", "tta", []string{"tta"}},
	{"Core Audio Format (CAF)", "caf", []string{"pcm_s16le"}},
	{"AU", "au", []string{"pcm_s16be"}},
	{"WebM or Matroska audio", "matroska", []string{"opus", "libopus"}},
	{"AMR", "amr", []string{"amrnb", "libopencore_amrnb"}},
	{"WAV with ADPCM or GSM", "wav", []string{"adpcm_ms"}},
	{"MPEG layer I and II", "mp3", []string{"mp2float", "mp2"}},
	{"Ogg Speex", "ogg", []string{"speex", "libspeex"}},
}

// Ways lists every format that package sniff names, and how it is read where ffmpeg is the path of one or empty. It asks that
// ffmpeg what it was built with, and gives its version.
func Ways(ctx context.Context, ffmpeg string) (ways []Way, version string) {
	for _, f := range []string{"WAV (also RF64, BW64 and W64), 8 to 64 bits", "AIFF and AIFF-C", "FLAC", "MP3", "Ogg Vorbis", "Ogg Opus", "Ogg FLAC"} {
		ways = append(ways, Way{Format: f, Native: true})
	}
	has := map[string]string{} // what was asked for with each flag
	failed := ""
	if ffmpeg != "" {
		for _, flag := range []string{"-version", "-demuxers", "-decoders"} {
			text, err := ask(ctx, ffmpeg, flag)
			if err != nil {
				failed = fmt.Sprintf("%s does not answer: %v", ffmpeg, err)
				break
			}
			has[flag] = text
		}
		first, _, _ := strings.Cut(has["-version"], "\n")
		version, _, _ = strings.Cut(strings.TrimPrefix(first, "ffmpeg version "), " ")
	}
	for _, f := range outside {
		w := Way{Format: f.format}
		switch {
		case ffmpeg == "":
			w.Why = "needs ffmpeg, which was not found or is switched off"
		case failed != "":
			w.Why = failed
		case !listed(has["-demuxers"], f.demuxer):
			w.Why = "this ffmpeg was built without the demuxer " + f.demuxer
		case !listed(has["-decoders"], f.decoders...):
			w.Why = "this ffmpeg was built without the decoder " + strings.Join(f.decoders, " or ")
		default:
			w.Through = ffmpeg
		}
		ways = append(ways, w)
	}
	return ways, version
}

func ask(ctx context.Context, ffmpeg, flag string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, ffmpeg, "-nostdin", "-hide_banner", flag)
	cmd.Env = []string{}
	text, err := cmd.Output()
	return string(text), err
}

// listed tells whether a table of ffmpeg has one of the names: flags, then names joined by commas, then a text.
func listed(table string, names ...string) bool {
	for _, name := range names {
		if regexp.MustCompile(`(?m)^ *[A-Z.]+ +(\S+,)?` + regexp.QuoteMeta(name) + `(,\S+)? `).MatchString(table) {
			return true
		}
	}
	return false
}
