package ui

import (
	"strings"

	"audiomicro/web"
)

// homeCount is the fact under the headline: "48,210 recordings from 1,932 people."
func homeCount(p HomePage) string {
	return Plural(p.Recordings, "recording", "recordings") + " from " + Plural(max(p.People, 1), "person", "people") + "."
}

func homeEmpty(p HomePage) Empty {
	e := Empty{Title: "No recording is published yet", Text: "The first one appears here as soon as it is reviewed.", Out: &Link{Text: "Sign up", URL: "/sign-up"}}
	if p.CanUpload {
		e.Out = &Link{Text: "Upload recordings", URL: "/upload"}
	}
	return e
}

// keyClass places a key of the octave: white keys fill the row, black ones lie over it.
func keyClass(label string) string {
	note := strings.TrimSpace(label)
	sharp := strings.ContainsAny(note, "♯#♭")
	if note == "" {
		return "white"
	}
	if sharp {
		return "black k-" + strings.ToLower(note[:1])
	}
	return "white"
}

func withSize(a Avatar, size int) Avatar {
	a.Size = size
	return a
}

// chosenOffer is the paid offer a card starts with: the one marked Selected, else the first.
func chosenOffer(l LicenseBox) string {
	for _, o := range l.Paid {
		if o.Selected {
			return o.Code
		}
	}
	if len(l.Paid) > 0 {
		return l.Paid[0].Code
	}
	return ""
}

func uploadModule() string { return web.URL("upload.js") }

func batchModule() string { return web.URL("batch.js") }

func draftSound(d Draft) Sound {
	return Sound{ID: d.ID, URL: d.URL, Title: or(d.Title, d.FileName), Bars: d.Bars, Seconds: d.Seconds, PreviewURL: d.PreviewURL}
}

func draftTone(state string) string {
	switch state {
	case "ready", "published":
		return ToneGood
	case "duplicate", "returned":
		return ToneWarn
	case "failed":
		return ToneBad
	default:
		return TonePlain
	}
}

func needYou(n int) string {
	if n == 1 {
		return "One recording needs you."
	}
	return Count(n) + " recordings need you."
}

func uploadingToo(n int) string {
	if n == 0 {
		return ""
	}
	return ", " + Count(n) + " on their way"
}

func currencyIn(code string) string {
	if code == "" {
		return ""
	}
	return ", " + code
}

func joinComma(list []string) string { return strings.Join(list, ", ") }

func selectedLabel(list []Option) string {
	for _, o := range list {
		if o.Selected {
			return o.Label
		}
	}
	return ""
}

func certTone(p CertificatePage) string {
	if p.Valid {
		return ToneGood
	}
	return ToneBad
}

func certIcon(p CertificatePage) string {
	if p.Valid {
		return "badge-check"
	}
	return "triangle-alert"
}

func refIn(ref string) string {
	if ref == "" {
		return ""
	}
	return ", " + ref
}

func noteIn(note string) string {
	if note == "" {
		return ""
	}
	return " · " + note
}

func reviewOldest(text string) string {
	if text == "" {
		return ""
	}
	return ", " + text
}

// inFours sets a hash in groups of four, as a person reads it aloud.
func inFours(s string) string {
	if strings.Contains(s, " ") {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// The month chart is 220 units high: 180 for the bars, the rest for its labels.
func chartY(share float64) string { return tenth(190 - min(max(share, 0), 1)*180) }

func monthX(i, n int, within float64) string {
	return percent((float64(i) + within) / float64(max(n, 1)))
}

func monthWidth(n int) string { return percent(.5 / float64(max(n, 1))) }

func monthTable(months []MonthBar) Table {
	t := Table{Caption: "Earnings by month", Head: []Column{{Title: "Month"}, {Title: "You earned", Figure: true}}}
	for _, m := range months {
		t.Rows = append(t.Rows, []Cell{{Text: m.Label}, {Text: m.Amount}})
	}
	return t
}

// searchHelp is the language of the search box by examples.
func searchHelp() []Fact {
	return []Fact{
		{Label: "All these words, in any form", Value: "rain forest", Mono: true},
		{Label: "These words exactly, in this order", Value: "\"oak door\"", Mono: true},
		{Label: "Without a word or a text", Value: "rain -thunder -\"far away\"", Mono: true},
		{Label: "Words that begin so", Value: "foot*", Mono: true},
		{Label: "A tag, a title, a contributor", Value: "tag:rain title:door by:mara", Mono: true},
		{Label: "License, price, file", Value: "license:cc0,cc-by price:<3 is:free type:wav", Mono: true},
		{Label: "Length, tempo, key, loudness", Value: "duration:1..20 bpm:120..130 key:Am lufs:>-20", Mono: true},
		{Label: "When, how often downloaded", Value: "published:2026-01..2026-03 downloads:>100", Mono: true},
	}
}
