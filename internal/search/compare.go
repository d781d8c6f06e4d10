package search

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// compare is /compare?a=ID&b=ID: two recordings beside each other. With a alone it asks for the other.
func (s *Store) compare(w http.ResponseWriter, r *http.Request) error {
	first, err := numberIn(r.URL.Query().Get("a"))
	if err != nil {
		return web.NotFound()
	}
	ids := []int64{first}
	if typed := strings.TrimSpace(r.URL.Query().Get("b")); typed != "" {
		second, err := numberIn(typed)
		if err != nil || second == first {
			return web.Refuse(http.StatusBadRequest, "A comparison needs the number or the address of another recording.")
		}
		ids = append(ids, second)
	}
	rows, err := s.Sounds(r.Context(), ids)
	if err != nil {
		return err
	}
	if len(rows) != len(ids) {
		return web.NotFound()
	}
	recs, err := s.Recordings.ByIDs(r.Context(), ids)
	if err != nil {
		return err
	}
	page := ui.ComparePage{First: strconv.FormatInt(first, 10)}
	for i, row := range rows {
		side := ui.CompareSide{Scope: ui.Scope{Sound: row, BigBars: recs[i].Wave}}
		if recs[i].Processing == recordings.Ready {
			side.Scope.SpectrogramURL = "/media/" + recs[i].Token + "/" + recordings.SpectrumPNG
		}
		if len(ids) == 2 {
			side.Drop = fmt.Sprintf("/compare?a=%d", ids[1-i])
		}
		page.Sides = append(page.Sides, side)
	}
	view := web.View{Title: "Compare", Section: ui.SectionSounds, Edit: func(f *ui.Frame) { f.NoIndex = true }} // a pair for every two recordings is no page to find
	if len(ids) == 1 {
		page.Intro, page.Choose = "Choose the other one.", true
		if page.With, err = s.closeTo(r, first); err != nil {
			return err
		}
		return s.Site.Page(w, r, view, ui.Compare(page))
	}
	page.Intro = "Both are played equally loud."
	page.Table = s.differences(recs[0], recs[1], rows[0], rows[1])
	page.Actions = []ui.Button{{Label: "Switch sides", Type: "button", Key: "X", Kind: "main", Attrs: map[string]string{"data-switch": ""}}}
	view.Title = rows[0].Title + " and " + rows[1].Title
	return s.Site.Page(w, r, view, ui.Compare(page))
}

// closeTo lists the recordings that sound most like one, each with its comparison.
func (s *Store) closeTo(r *http.Request, id int64) ([]ui.Link, error) {
	rows, err := s.Published(r.Context(), s.Similar(id, 8))
	if err != nil {
		return nil, err
	}
	var out []ui.Link
	for _, row := range rows {
		out = append(out, ui.Link{Text: row.Title, URL: fmt.Sprintf("/compare?a=%d&b=%d", id, row.ID)})
	}
	return out, nil
}

// numberIn reads a recording's number, alone or at the end of its address.
func numberIn(text string) (int64, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "/")
	id, err := strconv.ParseInt(text[strings.LastIndexByte(text, '/')+1:], 10, 64)
	if err != nil || id <= 0 {
		return 0, db.ErrNotFound
	}
	return id, nil
}

// differences puts what two recordings are side by side, and says in the last column how far they are apart.
func (s *Store) differences(a, b recordings.Recording, rowA, rowB ui.Sound) ui.Table {
	t := ui.Table{Caption: "What differs", Head: []ui.Column{{Title: "What"}, {Title: "A"}, {Title: "B"}, {Title: "Difference"}}}
	add := func(label, one, two, apart string) {
		if one == "" && two == "" {
			return
		}
		for _, v := range []*string{&one, &two} {
			if *v == "" {
				*v = "not clear"
			}
		}
		cell := ui.Cell{Text: "the same"}
		if one != two {
			if apart == "" {
				apart = "differs"
			}
			cell = ui.Cell{Tag: &ui.Tag{Text: apart}}
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: label}, {Text: one}, {Text: two}, cell})
	}
	add("Length", ui.Length(a.Seconds), ui.Length(b.Seconds), "B is "+more(a.Seconds, b.Seconds, "s", "longer", "shorter"))
	loudA, peakA := loudness(a)
	loudB, peakB := loudness(b)
	apart := ""
	if a.LUFS != nil && b.LUFS != nil {
		apart = "B is " + more(*a.LUFS, *b.LUFS, "LU", "louder", "quieter")
	}
	add("Loudness", loudA, loudB, apart)
	apart = ""
	if peakA != "" && peakB != "" {
		apart = "B is " + more(*a.TruePeak, *b.TruePeak, "dB", "higher", "lower")
	}
	add("True peak", peakA, peakB, apart)
	apart = ""
	if by := rowB.Tempo - rowA.Tempo; rowA.Tempo != 0 && rowB.Tempo != 0 && by > 0 {
		apart = fmt.Sprintf("B is %d BPM faster", by)
	} else if rowA.Tempo != 0 && rowB.Tempo != 0 {
		apart = fmt.Sprintf("B is %d BPM slower", -by)
	}
	add("Tempo", tempo(rowA), tempo(rowB), apart)
	add("Key", rowA.Key, rowB.Key, "")
	add("Brightness", hertz(a.Centroid), hertz(b.Centroid), brighter(a.Centroid, b.Centroid))
	add("Format", strings.ToUpper(a.Ext), strings.ToUpper(b.Ext), "")
	add("Sample rate", s.label("rate", strconv.FormatInt(a.SampleRate, 10), ""), s.label("rate", strconv.FormatInt(b.SampleRate, 10), ""), "")
	add("Bit depth", s.label("depth", strconv.FormatInt(a.BitDepth, 10), ""), s.label("depth", strconv.FormatInt(b.BitDepth, 10), ""), "")
	add("Channels", s.label("channels", strconv.FormatInt(a.Channels, 10), ""), s.label("channels", strconv.FormatInt(b.Channels, 10), ""), "")
	add("Size", ui.Bytes(a.ByteSize), ui.Bytes(b.ByteSize), "")
	add("Kind", categoryName(a.Category), categoryName(b.Category), "")
	add("License", rowA.LicenseLabel, rowB.LicenseLabel, "")
	add("Price", rowA.PriceLabel, rowB.PriceLabel, "")
	return t
}

// more says by how much b is beyond a.
func more(a, b float64, unit, up, down string) string {
	word := up
	if b < a {
		word = down
	}
	return fmt.Sprintf("%.1f %s %s", math.Abs(b-a), unit, word)
}

func loudness(r recordings.Recording) (lufs, peak string) {
	if r.LUFS == nil || r.TruePeak == nil {
		return "silence", ""
	}
	minus := func(s string) string { return strings.ReplaceAll(s, "-", "−") }
	return minus(fmt.Sprintf("%.1f LUFS", *r.LUFS)), minus(fmt.Sprintf("%.1f dBTP", *r.TruePeak))
}

func tempo(row ui.Sound) string {
	if row.Tempo == 0 {
		return ""
	}
	return fmt.Sprintf("%d BPM", row.Tempo)
}

func hertz(c float64) string {
	switch {
	case c <= 0:
		return ""
	case c >= 1000:
		return fmt.Sprintf("%.1f kHz", c/1000)
	}
	return fmt.Sprintf("%.0f Hz", c)
}

func brighter(a, b float64) string {
	if a <= 0 || b <= 0 {
		return ""
	}
	return "B is " + more(0, math.Log2(b/a), "octaves", "brighter", "darker")
}
