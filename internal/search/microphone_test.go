package search_test

import (
	"strings"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// TestNoMicrophone presses Record where the visitor refuses the microphone, where there is none, and where another program holds it: each
// is said with what to do, a second press asks again, and a file is found as ever.
func TestNoMicrophone(t *testing.T) {
	t.Parallel()
	s := testkit.NewSite(t, db.SQLite, nil)
	for _, c := range []struct {
		name     string
		switches []string
		spoil    string // what stands in for the browser where no switch brings the state about
		says     string
	}{
		{"refused", []string{"use-fake-device-for-media-stream", "deny-permission-prompts"}, "", "The microphone is not allowed here. Allow it in the browser's settings of this page, or choose a file."},
		{"none", []string{"use-fake-ui-for-media-stream", "disable-audio-input"}, "", "This device has no microphone. Choose a file."},
		{"held", []string{"use-fake-ui-for-media-stream", "use-fake-device-for-media-stream"}, `navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("Could not start audio source", "NotReadableError") }`, "Another program holds the microphone. Close it there and press Record again, or choose a file."},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := testkit.Browser(t, c.switches...)(t)
			b.Open(s.URL + "/search/sound")
			b.Wait(`document.querySelector("[data-module=example][data-on=ready]")`)
			if c.spoil != "" {
				b.Eval("(" + c.spoil + ", '')")
			}
			for range 2 {
				b.Eval(`document.querySelector("[data-mic-note]").textContent = ""`)
				b.Press("Record")
				b.Wait(`document.querySelector("[data-mic-note]").textContent`)
				if got := b.Eval(`document.querySelector("[data-mic-note]").textContent`); got != c.says {
					t.Errorf("the page says %q, want %q", got, c.says)
				}
				if got := b.Eval(`document.querySelector("[data-record]").getAttribute("aria-pressed") + " " + document.querySelector("[data-sent]").hidden`); !strings.HasSuffix(got, "true") || strings.HasPrefix(got, "true") {
					t.Errorf("pressed, nothing to send: %s", got)
				}
			}
			b.Holds("no microphone, "+c.name, 1280)
		})
	}
}
