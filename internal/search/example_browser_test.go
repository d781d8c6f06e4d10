package search_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"

	"audiomicro/internal/audio/contour/trial"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// TestHumIntoTheBrowser hums into a browser's microphone: the visitor sees what will be sent, and the tune is found. The pages hold in all
// widths and themes, and a part of a recording is asked for from its page, without script too.
func TestHumIntoTheBrowser(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	first, second := trial.Melody(r), trial.Melody(r)
	voice := testkit.TempFile(t, "hum.wav", wav16(trial.Hum(r, first[:12], .2)))
	open := testkit.Browser(t, "use-fake-ui-for-media-stream", "use-fake-device-for-media-stream", "use-file-for-fake-audio-capture="+voice)
	s := testkit.NewSite(t, db.SQLite, nil)
	mara := s.Person("Mara", "contributor")
	ids := publish(t, s, mara, map[string][]byte{"tune": wav(t, trial.Pluck(first)), "other": wav(t, trial.Pluck(second)), "beat": wav(t, drums(r))})
	b := open(t)
	keep := func(name string) {
		if dir := os.Getenv("PICTURES"); dir != "" {
			if err := os.WriteFile(dir+"/"+name+".png", b.Picture(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, view := range []struct {
		name  string
		width int64
		theme string
	}{{"light", 1280, "light"}, {"dark", 1280, "dark"}, {"phone", 390, "light"}} {
		b.View(view.width, 900, view.theme)
		b.Open(s.URL + "/search/sound")
		b.Wait(`document.querySelector("[data-module=example][data-on=ready]")`)
		b.Holds("search by sound, "+view.name, view.width)
		keep("sound-" + view.name)
	}
	b.View(1280, 900, "light")
	b.Choose("as", "melody")
	b.Press("Record")
	b.Wait(`parseFloat(document.querySelector("[data-time]").textContent) > 8`)
	b.Press("Stop")
	b.Wait(`!document.querySelector("[data-sent]").hidden && document.querySelector("[data-sent-note]").textContent.includes("recording.wav, ")`)
	b.Holds("what was recorded", 1280)
	keep("recorded")
	b.Press("Search")
	b.Wait(`location.search.includes("melody=") && document.querySelector("#results")`)
	if list := titles(b.Eval("document.documentElement.outerHTML"), ids); len(list) == 0 || list[0] != "tune" {
		t.Errorf("the hummed tune found %v at %s", list, b.Where())
	}
	b.Holds("results of a melody", 1280)
	keep("results")
	b.Press("Melody like")
	b.Wait(`location.search === "" && document.querySelector("#results")`)

	plain := open(t)
	plain.ScriptOff()
	plain.Open(s.URL + "/search/sound")
	plain.Files("#f-sound", testkit.TempFile(t, "beat.wav", wav(t, drums(rand.New(rand.NewPCG(9, 10))))))
	plain.Click("#main .example button[type=submit]")
	plain.Wait(`location.search.includes("like=") && document.querySelector("#results")`)
}

// wav16 is a WAV of 16 bits, the only ones that Chromium's false microphone plays.
func wav16(x []float32) []byte {
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(36+2*len(x)))...)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint32(b, 1<<16|1)
	b = binary.LittleEndian.AppendUint32(b, trial.Rate)
	b = binary.LittleEndian.AppendUint32(b, 2*trial.Rate)
	b = binary.LittleEndian.AppendUint32(b, 16<<16|2)
	b = binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(2*len(x)))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(max(min(v, 1), -1)*32767)))
	}
	return b
}

func drums(r *rand.Rand) []float32 {
	beat, length := trial.Beat(r)
	return trial.Drums(r, beat, length)
}
