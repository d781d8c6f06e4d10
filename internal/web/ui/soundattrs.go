package ui

import (
	"math"
	"strconv"
	"strings"

	"audiomicro/web"

	"github.com/a-h/templ"
)

// soundAttributes are what the player needs to know about a sound: data-sound (id), data-at (its page), data-title, data-by,
// data-hq, data-lq (previews), data-len (seconds), data-gain (dB), data-act and data-act-at (what its button says and where it leads).
func soundAttributes(s Sound) templ.Attributes {
	a := templ.Attributes{"data-sound": id64(s.ID)}
	if s.PreviewURL == "" || s.Unavailable != "" {
		return a
	}
	a["data-hq"] = string(templ.URL(s.PreviewURL))
	if s.PreviewLQ != "" {
		a["data-lq"] = string(templ.URL(s.PreviewLQ))
	}
	a["data-len"] = strconv.FormatFloat(s.Seconds, 'f', 4, 64) // fine enough to round to the tenth that the row shows
	if g := s.LoudnessGain; g != 0 && !math.IsNaN(g) && !math.IsInf(g, 0) {
		a["data-gain"] = decimal(g)
	}
	if label, url := playerAct(s); label != "" {
		a["data-act"], a["data-act-at"] = label, string(templ.URL(url))
	}
	a["data-title"], a["data-by"], a["data-at"] = s.Title, s.Contributor, string(templ.URL(s.URL))
	return a
}

// nextPage is where a list goes on.
func nextPage(url string) templ.Attributes {
	if url == "" {
		return nil
	}
	return templ.Attributes{"data-next": string(templ.URL(url))}
}

func oneIf(yes bool) string {
	if yes {
		return "1"
	}
	return ""
}

// playerAct is the player's one button: what the row's own button does, in words. A button that only posts leads to the
// licenses on the recording's page.
func playerAct(s Sound) (label, url string) {
	switch {
	case s.Action == ActionInCart:
		return "In cart", or(s.ActionURL, "/cart")
	case s.Action == ActionOwned && s.ActionURL != "":
		return "Download", s.ActionURL
	case s.Action == "" || s.PriceLabel == "":
		return "", "" // an own recording, or one that is not public
	case s.Free:
		return "Get it free", s.URL + "#license"
	}
	return "License " + s.PriceLabel, s.URL + "#license"
}

// tempoKey is the fifth column: "137 BPM", "A♯", or both.
func tempoKey(s Sound) string {
	switch {
	case s.Tempo > 0 && s.Key != "":
		return strconv.Itoa(s.Tempo) + " BPM, " + s.Key
	case s.Tempo > 0:
		return strconv.Itoa(s.Tempo) + " BPM"
	default:
		return s.Key
	}
}

// bigTones are the tone classes of a scope's bars as digits, for the canvas that redraws them finer.
func bigTones(encoded string) string {
	bars := decodeBig(encoded)
	out := make([]byte, len(bars))
	for i, b := range bars {
		out[i] = '0' + b.Tone&7
	}
	return string(out)
}

// scopeAttributes are what the scope's scripts need beside the sound's own: data-seconds, data-peaks (addresses, finest first),
// data-tones, data-levels of a long sound, data-bpm and data-key where they are sure, data-energy and data-stretch (a worker and a worklet, which are
// loaded by address).
func scopeAttributes(s Scope) templ.Attributes {
	a := soundAttributes(s.Sound)
	a["data-module"], a["data-src"], a["data-view"] = "scope", web.URL("scope.js"), "both"
	a["data-seconds"], a["data-tones"], a["data-peaks"] = decimal(s.Sound.Seconds), bigTones(s.BigBars), strings.Join(s.PeaksURLs, " ")
	if s.LevelsURL != "" {
		a["data-levels"] = s.LevelsURL
	}
	a["data-energy"], a["data-stretch"] = web.URL("energy.js"), web.URL("stretch.js")
	if s.Sound.Tempo > 0 {
		a["data-bpm"] = strconv.Itoa(s.Sound.Tempo)
	}
	if s.Sound.Key != "" {
		a["data-music-key"] = s.Sound.Key // data-key is a letter that presses a button
	}
	return a
}

// hertzTicks label the spectrogram's axis: logarithmic from 60 Hz to 18 kHz.
var hertzTicks = func() []Tick {
	ticks := []Tick{{Label: "100 Hz", Height: 100}, {Label: "300", Height: 300}, {Label: "1 kHz", Height: 1000}, {Label: "3 k", Height: 3000}, {Label: "10 k", Height: 10000}}
	for i, t := range ticks {
		ticks[i].Height = math.Log2(t.Height/60) / math.Log2(18000.0/60)
	}
	return ticks
}()
