package uploads_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"audiomicro/internal/audio/synth"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// click is a WAV file of 50 ms.
func click(t *testing.T) []byte {
	t.Helper()
	block := make([]float32, 2400)
	for i := range block {
		block[i] = float32(0.5 * math.Exp(-float64(i)/400) * math.Sin(float64(i)*0.3))
	}
	var buf bytes.Buffer
	if err := synth.WriteWAV(&buf, [][]float32{block}, 48_000); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestShortSound publishes a sound of 50 ms: its length is said as it is on every page, and so are positions in it.
func TestShortSound(t *testing.T) {
	t.Parallel()
	open := testkit.Browser(t)
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		taken := ann.Upload(map[string][]byte{"click.wav": click(t)})
		var id int64
		if _, err := fmt.Sscanf(taken.Location, "/recordings/%d/edit", &id); err != nil {
			t.Fatalf("upload: %d %s", taken.Status, taken.Text)
		}
		ready(t, s, id)
		edit, page := fmt.Sprintf("/recordings/%d/edit", id), fmt.Sprintf("/recordings/%d", id)
		wants(t, ann.Get(edit), 200, "0.05 s")
		form := described("Click")
		form.Set("act", "submit")
		wants(t, ann.Post(edit, form), 303)
		if err := s.DB.Tx(t.Context(), func(tx *db.Tx) error { return s.Recordings.Publish(t.Context(), tx, id) }); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "it is found", func() bool { return bytes.Contains([]byte(s.Visitor().Get("/search?q=click").Text), []byte(page)) })
		wants(t, s.Visitor().Get("/search?q=click"), 200, "</span>0.05 s</span>")
		wants(t, s.Visitor().Get(page), 200, "0.05 s", "PT0.05S", ">0.02 s<", ">0.04 s<")

		tab := open(t)
		tab.Open(s.URL + page)
		tab.Eval(`document.querySelector("[data-play]").click()`)
		tab.Wait(`document.querySelector("[data-length]")?.textContent === "0.05 s" && / s$/.test(document.querySelector("[data-elapsed]").textContent)`)
	})
}

// TestSettingsOnAPhone: the links between the settings take one line of a phone, not the first screen.
func TestSettingsOnAPhone(t *testing.T) {
	t.Parallel()
	open := testkit.Browser(t)
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Account("Ann", "contributor")
		tab := open(t)
		tab.View(390, 844, "light")
		tab.Open(s.URL + "/sign-in")
		tab.Fill("email", ann.Email, "password", ann.Password)
		tab.Press("Sign in")
		tab.Wait(`!location.pathname.startsWith("/sign-in")`)
		tab.Open(s.URL + "/settings/profile")
		tab.Wait(`document.querySelector(".settings .rail")`)
		if got := tab.Eval(`(() => { const r = document.querySelector(".settings .rail"), a = [...r.querySelectorAll("a")];
			const line = a.length >= 6 && r.getBoundingClientRect().height < 60 && a.every(l => l.getBoundingClientRect().height >= 44) && document.documentElement.scrollWidth === 390;
			r.scrollLeft = 1000; return line && a.at(-1).getBoundingClientRect().right <= 390 })()`); got != "true" {
			t.Errorf("the links are laid out as %s", tab.Eval(`JSON.stringify([...document.querySelectorAll(".settings .rail a")].map(l => [l.textContent, l.getBoundingClientRect().y, l.getBoundingClientRect().height, l.getBoundingClientRect().right]))`))
		}
	})
}
