package sniff_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"audiomicro/internal/audio"
	"audiomicro/internal/audio/sniff"
)

// frames are n silent 128 kbit/s frames at 44.1 kHz behind the header bytes given.
func frames(header string, size, n int) string {
	return strings.Repeat(header+strings.Repeat("\x00", size-len(header)), n)
}

func wave(form, fmtBody string) string {
	return form + "\x00\x10\x00\x00WAVEfmt " + string([]byte{byte(len(fmtBody)), 0, 0, 0}) + fmtBody + "data\x00\x00\x00\x00"
}

func ogg(first string) string {
	return "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01" + string([]byte{byte(len(first))}) + first
}

const pcm = "\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02\x00\x04\x00\x10\x00"

func TestDetect(t *testing.T) {
	t.Parallel()
	mp3 := frames("\xff\xfb\x90\x00", 417, 4)
	for _, c := range []struct{ name, head, want string }{
		{"WAV", wave("RIFF", pcm), "wav pcm"},
		{"RF64", wave("RF64", pcm), "rf64 pcm"},
		{"BW64", wave("BW64", pcm), "bw64 pcm"},
		{"MP3 in WAV", wave("RIFF", "\x55\x00"+pcm[2:]), "wav mp3 ffmpeg"},
		{"A-law WAV", wave("RIFF", "\x06\x00"+pcm[2:]), "wav alaw"},
		{"AIFF", "FORM\x00\x00\x00\x00AIFFCOMM", "aiff pcm"},
		{"AIFC sowt", "FORM\x00\x00\x00\x00AIFCCOMM\x00\x00\x00\x18" + strings.Repeat("\x00", 18) + "sowt\x00\x00", "aifc pcm"},
		{"AIFC ima4", "FORM\x00\x00\x00\x00AIFCCOMM\x00\x00\x00\x18" + strings.Repeat("\x00", 18) + "ima4\x00\x00", "aifc aifc-ima4 ffmpeg"},
		{"FLAC", "fLaC\x00\x00\x00\x22", "flac flac"},
		{"FLAC behind ID3", "ID3\x03\x00\x00\x00\x00\x00\x04abcdfLaC", "flac flac"},
		{"MP3", mp3, "mp3 mp3"},
		{"MP3 behind ID3", "ID3\x03\x00\x00\x00\x00\x00\x04abcd" + mp3, "mp3 mp3"},
		{"MP3 with a large picture", "ID3\x03\x00\x00\x00\x7f\x7f\x7f" + strings.Repeat("x", 70000), "mp3 mp3"},
		{"MP3 behind junk", strings.Repeat("\x13junk", 500) + mp3, "mp3 mp3"},
		{"one MP3 frame and a tag", mp3[:417] + "TAG" + strings.Repeat("\x00", 125), "mp3 mp3"},
		{"MPEG layer II", frames("\xff\xfd\x90\x00", 522, 3), "mp3 mp2 ffmpeg"},
		{"ADTS", frames("\xff\xf1\x50\x80\x0c\x9f\xfc", 100, 3), "adts aac ffmpeg"},
		{"Vorbis", ogg("\x01vorbis"), "ogg vorbis"},
		{"Opus", ogg("OpusHead"), "ogg opus"},
		{"Ogg FLAC", ogg("\x7fFLAC"), "ogg flac"},
		{"Skeleton before Vorbis", ogg("fishead\x00") + ogg("\x01vorbis"), "ogg vorbis"},
		{"M4A", "\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00isomiso2....mp4a", "mp4 aac ffmpeg"},
		{"WavPack", "wvpk....", "wavpack wavpack ffmpeg"},
		{"AMR", "#!AMR\n", "amr amr ffmpeg"},
		{"WebM", "\x1a\x45\xdf\xa3....webm....A_OPUS", "webm  ffmpeg"},
	} {
		k, err := sniff.Detect([]byte(c.head))
		got := k.Container + " " + k.Codec
		if k.NeedsFFmpeg {
			got += " ffmpeg"
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
		if k.Ext == "" || k.MIME == "" {
			t.Errorf("%s: no extension or media type", c.name)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	mp3 := frames("\xff\xfb\x90\x00", 417, 4)
	for _, c := range []struct{ name, head, found string }{
		{"nothing", "", "empty"},
		{"HLS", "#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd\n", "playlist"},
		{"HLS behind white space", "\xef\xbb\xbf \r\n#extm3u\n", "playlist"},
		{"ffconcat", "ffconcat version 1.0\nfile /etc/passwd\n", "playlist"},
		{"concat without a header", "file '/etc/passwd'\n", "playlist"},
		{"PLS", "[playlist]\nFile1=x\n", "playlist"},
		{"DASH", "<MPD xmlns=\"urn:mpeg:dash\">", "playlist"},
		{"SDP", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "session description"},
		{"SVG", "<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"},
		{"XML", "<?xml version='1.0'?><svg>", "XML"},
		{"HTML", "<!DOCTYPE html><script>", "web page"},
		{"HTML in UTF-16", "\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00", "web page"},
		{"ZIP before MP3", "PK\x03\x04" + mp3, "ZIP"},
		{"PDF before Ogg", "%PDF-1.7\n" + ogg("\x01vorbis"), "PDF"},
		{"PDF inside the first kilobyte of a WAV", wave("RIFF", pcm) + "JUNK\x20\x00\x00\x00%PDF-1.7", "PDF"},
		{"picture", "\x89PNG\r\n\x1a\n", "picture"},
		{"AVI", "RIFF\x00\x00\x00\x00AVI LIST", "film"},
		{"Theora with Vorbis", ogg("\x80theora") + ogg("\x01vorbis"), "film"},
		{"MP4 with pictures", "\x00\x00\x00\x10ftypisom\x00\x00\x02\x00" + movie("vide", "avc1") + movie("soun", "mp4a"), "film"},
		{"MIDI", "MThd\x00\x00\x00\x06", "MIDI"},
		{"program", "\x7fELF\x02\x01\x01", "program"},
	} {
		_, err := sniff.Detect([]byte(c.head))
		var refused *sniff.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Found, c.found) || !errors.Is(err, audio.ErrUnsupported) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, head := range map[string]string{"random": "\x13\x37\x00\x01abcdefgh", "one sync word": "\xff\xfb\x90\x00 and nothing like a frame behind it", "text": "hello, this is plain text"} {
		if k, err := sniff.Detect([]byte(head)); !errors.Is(err, audio.ErrUnsupported) {
			t.Errorf("%s: %v, %v", name, k, err)
		}
	}
}

// movie is a movie box with a handler and a sample description.
func movie(handler, entry string) string {
	box := func(id, body string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))) + id + body
	}
	return box("moov", box("hdlr", strings.Repeat("\x00", 8)+handler+strings.Repeat("\x00", 12))+box("stsd", strings.Repeat("\x00", 8)+box(entry, "")))
}

// TestMovie reads the movie box behind more samples than the head holds.
func TestMovie(t *testing.T) {
	t.Parallel()
	samples := "\x00\x02\x00\x00mdat" + strings.Repeat("\x00", 2<<16-8)
	for _, c := range []struct{ name, file, codec, refused string }{
		{"AAC", "\x00\x00\x00\x10ftypM4A \x00\x00\x02\x00" + samples + movie("soun", "mp4a"), "aac", ""},
		{"ALAC", "\x00\x00\x00\x10ftypM4A \x00\x00\x02\x00" + samples + movie("soun", "alac"), "alac", ""},
		{"chapter pictures", "\x00\x00\x00\x10ftypM4B \x00\x00\x02\x00" + samples + movie("vide", "mp4a"), "aac", ""},
		{"a film", "\x00\x00\x00\x10ftypisom\x00\x00\x02\x00" + samples + movie("vide", "mp4a"), "", "film"},
		{"no movie box", "\x00\x00\x00\x10ftypM4A \x00\x00\x02\x00" + samples, "", ""},
		{"a box larger than the file", "\x00\x00\x00\x10ftypM4A \x00\x00\x02\x00\x7f\x00\x00\x00mdat" + samples, "", ""},
	} {
		k, err := sniff.Detect([]byte(c.file))
		if err != nil || k.Codec != "" {
			t.Fatalf("%s: %v, %v", c.name, k, err)
		}
		k, err = sniff.Movie(strings.NewReader(c.file), int64(len(c.file)), k)
		var refused *sniff.RefusedError
		if c.refused != "" {
			if !errors.As(err, &refused) || !strings.Contains(refused.Found, c.refused) {
				t.Errorf("%s: %v, %v", c.name, k, err)
			}
			continue
		}
		if err != nil || k.Codec != c.codec || k.Container != "mp4" {
			t.Errorf("%s: %q, %v", c.name, k.Codec, err)
		}
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	if s := sniff.Accepted(false); !strings.Contains(s, "FLAC") || strings.Contains(s, "M4A") {
		t.Error(s)
	}
	if s := sniff.Accepted(true); !strings.Contains(s, "FLAC") || !strings.Contains(s, "M4A") {
		t.Error(s)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add([]byte(wave("RIFF", pcm)))
	f.Add([]byte("ID3\x03\x00\x00\x00\x00\x00\x04abcd" + frames("\xff\xfb\x90\x00", 417, 3)))
	f.Add([]byte(frames("\xff\xfb\x00\x00", 300, 3)))
	f.Add([]byte(ogg("fishead\x00") + ogg("\x01vorbis")))
	f.Add([]byte("\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00isomiso2"))
	f.Add([]byte("FORM\x00\x00\x00\x00AIFCCOMM\x00\x00\x00\x18"))
	f.Fuzz(func(t *testing.T, head []byte) {
		k, err := sniff.Detect(head)
		if (err == nil) != (k.Container != "") {
			t.Errorf("%v with error %v", k, err)
		}
		if err != nil && !errors.Is(err, audio.ErrUnsupported) {
			t.Error(err)
		}
		_ = k.String()
		if _, err := sniff.Movie(bytes.NewReader(head), int64(len(head)), k); err != nil && !errors.Is(err, audio.ErrUnsupported) {
			t.Error(err)
		}
	})
}
