package ui_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"audiomicro/internal/audio/spectrum"
	"audiomicro/internal/web/ui"

	"github.com/a-h/templ"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, got, want string }{
		{"tenths", ui.Clock(4.7), "0:04.7"}, {"rounds up to the minute", ui.Clock(59.96), "1:00.0"}, {"below ten minutes", ui.Clock(599.94), "9:59.9"}, {"ten minutes", ui.Clock(599.96), "10:00"},
		{"whole seconds", ui.Clock(724.4), "12:04"}, {"hours", ui.Clock(3723), "1:02:03"}, {"nothing", ui.Clock(0), "0:00.0"}, {"negative", ui.Clock(-3), "0:00.0"}, {"not a number", ui.Clock(math.NaN()), "0:00.0"}, {"infinite", ui.Clock(math.Inf(1)), "0:00.0"},
		{"a short length", ui.Length(.05), "0.05 s"}, {"a very short length", ui.Length(.0123), "0.012 s"}, {"a second", ui.Length(1), "0:01.0"}, {"nearly a second", ui.Length(.996), "0:01.0"},
		{"below a second", ui.Length(.994), "0.99 s"}, {"no length", ui.Length(0), "0:00.0"}, {"a length that is no number", ui.Length(math.NaN()), "0:00.0"}, {"the middle of a short sound", ui.At(.025, .05), "0.03 s"},
		{"the start of a short sound", ui.At(0, .5), "0.00 s"}, {"the start of a longer one", ui.At(0, 5), "0:00.0"},
		{"duration", ui.ISOSeconds(4.74), "PT4.7S"}, {"a short duration", ui.ISOSeconds(.05), "PT0.05S"}, {"no duration", ui.ISOSeconds(math.Inf(1)), "PT0S"},
		{"bytes", ui.Bytes(812), "812 B"}, {"kilobytes", ui.Bytes(1000), "1 kB"}, {"megabytes", ui.Bytes(4_240_000), "4.2 MB"}, {"no 10.0", ui.Bytes(9_960_000), "10 MB"}, {"next unit", ui.Bytes(999_600_000), "1 GB"}, {"largest", ui.Bytes(math.MaxInt64), "9223 PB"}, {"negative size", ui.Bytes(-1), "0 B"},
		{"count", ui.Count(48210), "48,210"}, {"million", ui.Count(1048377), "1,048,377"}, {"hundred", ui.Count(100), "100"}, {"negative count", ui.Count(-1234), "−1,234"},
		{"one", ui.Plural(1, "sound", "sounds"), "1 sound"}, {"none", ui.Plural(0, "sound", "sounds"), "0 sounds"},
		{"day", ui.Date(noon), "23 November 2026"}, {"minute", ui.DateTime(noon), "23 Nov 2026, 15:04 UTC"},
		{"two names", ui.Initials("Mara Lind Berg"), "ML"}, {"one name", ui.Initials("fieldnote"), "F"}, {"no letters", ui.Initials("—"), "?"}, {"other scripts", ui.Initials("岡田 直子"), "岡直"},
		{"cell", ui.CellName(48113, "title"), "title.48113"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var out bytes.Buffer
	if err := c.Render(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRowWave(t *testing.T) {
	t.Parallel()
	row := spectrum.Row{Bars: make([]spectrum.Bar, spectrum.RowBars)}
	for i := range row.Bars {
		row.Bars[i] = spectrum.Bar{Height: 1, Tone: 0}
	}
	row.Bars[0] = spectrum.Bar{Height: 16, Tone: 7}
	row.Bars[2] = spectrum.Bar{Height: 4, Tone: 7}
	got := render(t, ui.RowWave(row.Encode()))
	// Bars stand 3 units apart; the second stroke of tone 7 starts from the end of the first, at (1, 32).
	if want := `<path class="s7" d="m1 0v32m6-20v8"></path>`; !strings.Contains(got, want) {
		t.Errorf("no %s in\n%s", want, got)
	}
	if n := strings.Count(got, "<path"); n != 2 {
		t.Errorf("%d paths for two tones", n)
	}
	flat := render(t, ui.RowWave(""))
	for _, damaged := range []string{"x", strings.Repeat("!", 140), strings.Repeat("A", 139), strings.Repeat("A", 5000)} {
		if got := render(t, ui.RowWave(damaged)); got != flat {
			t.Errorf("%.20q is not drawn as a flat line", damaged)
		}
	}
}

// TestRowsAreSmall keeps a page of 50 rows within the budget of 25 kB brotli: a row's waveform alone takes most of it.
func TestRowsAreSmall(t *testing.T) {
	t.Parallel()
	frame := ui.Frame{Title: "drum", Person: member, Description: "Sounds."}
	var out bytes.Buffer
	p := sampleSearch()
	p.Sounds = sounds(0, 50)
	if err := ui.Page(frame, ui.SearchResults(p)).Render(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	if n := packed(t, out.Bytes()); n > 25<<10 {
		t.Errorf("a search page of 50 rows has %d B brotli", n)
	} else {
		t.Logf("a search page of 50 rows: %d B, brotli %d B", out.Len(), n)
	}
}

func TestErrorsStandAtTopAndBesideTheField(t *testing.T) {
	t.Parallel()
	got := render(t, ui.FormBody(ui.FormPage{Action: "/x", Submit: "Send", Fields: []ui.Field{{Name: "email", Label: "E-mail", Type: "email", Value: "a@b", Hint: "Never shown."}}, Errors: []ui.FormError{{Field: "email", Text: "Taken."}}}))
	for _, want := range []string{`href="#f-email">Taken.</a>`, `aria-describedby="e-email h-email"`, `aria-invalid="true"`, `<p class="err" id="e-email">Taken.</p>`, `value="a@b"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if secret := render(t, ui.FieldPart(ui.Field{Name: "password", Label: "Password", Type: "password", Value: "hunter2"})); strings.Contains(secret, "hunter2") {
		t.Error("a password is written back into the page")
	}
}

func TestHeadLinksFollowTheRole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		person   *ui.Person
		has, not []string
	}{
		{"visitor", nil, []string{"/sign-in?next=%2Fsearch%3Fq%3Dx", "/sign-up"}, []string{"/library", "/earnings", "/review", "/admin/", "/sign-out"}},
		{"member", &ui.Person{Name: "a b", Role: "member"}, []string{"/people/a%20b", "/library", "/settings", "/sign-out"}, []string{"/earnings", "/my-sounds", "/review", "/admin/", "/sign-in"}},
		{"contributor", &ui.Person{Name: "c", Role: "contributor", Contributor: true}, []string{"/earnings", "/my-sounds"}, []string{"/review", "/admin/"}},
		{"moderator", &ui.Person{Name: "m", Role: "moderator"}, []string{"/review"}, []string{"/admin/"}},
		{"admin", &ui.Person{Name: "r", Role: "admin"}, []string{"/review", "/admin/orders", "/admin/licenses", "/admin/synonyms"}, nil},
	} {
		got := render(t, ui.Page(ui.Frame{Person: c.person, Path: "/search?q=x"}, ui.Error(ui.ErrorPage{})))
		for _, link := range c.has {
			if !strings.Contains(got, `"`+link) {
				t.Errorf("%s: no link to %s", c.name, link)
			}
		}
		for _, link := range c.not {
			if strings.Contains(got, `"`+link) {
				t.Errorf("%s: a link to %s", c.name, link)
			}
		}
	}
}
