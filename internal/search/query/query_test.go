package query_test

import (
	"errors"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"audiomicro/internal/search/query"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Rain, on a TIN roof!": "rain on a tin roof", "DOOR_OAK-01.wav": "door oak 01 wav", "Café Über ﬁeld": "cafe uber field",
		"bird's don’t": "birds dont", "雨の音": "雨 の 音", "йод": "йод", "": "", "--": "", "\xff\x00a": "a", "½ x²": "1 2 x2", "한국어 소리": "한국어 소리",
	} {
		if got := strings.Join(query.Words(in), " "); got != want {
			t.Errorf("Words(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"kick01": "kick01 +kick +01", "RainForest": "rainforest +rain +forest", "lo-fi beat": "lo fi +lofi beat", "mp3": "mp3", "a-b-c-d": "a b c d",
		"C4 48kHz 96khz": "c4 48khz 96khz +96 +khz",
	} {
		var got []string
		for _, token := range query.Tokens(in, 10) {
			if token.Extra {
				token.Text = "+" + token.Text
			}
			got = append(got, token.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("Tokens(%q) = %q, want %q", in, got, want)
		}
	}
	if got := query.Tokens("one two three", 2); len(got) != 2 {
		t.Errorf("Tokens keeps %d of at most 2", len(got))
	}
	if w := query.Words(strings.Repeat("ж", 100)); len(w) != 1 || len(w[0]) > query.MaxWord || !utf8.ValidString(w[0]) {
		t.Errorf("a long word is kept as %q", w)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in     string
		prefix bool
		want   string
	}{
		{"", false, "all"}, {"  - + \"\" ", false, "all"},
		{"Rain", false, ":rain"}, {"rain forest", false, "and(:rain :forest)"}, {"rain for", true, "and(:rain :for*)"}, {"rain ", true, ":rain"},
		{`"Oak Door"`, false, `:"oak door"`}, {`"oak`, false, ":=oak"}, {`-"far away" rain`, false, `and(not(:"far away") :rain)`},
		{"-thunder", false, "not(:thunder)"}, {"--thunder", false, "not(:thunder)"}, {"+rain", false, ":rain"},
		{"lo-fi", false, `or(:"lo fi" :lofi)`}, {"door_oak_stair_01", false, `:"door oak stair 01"`},
		{"sound of the sea", false, "and(:sound :sea)"}, {"the of", false, "and(:the :of)"},
		{"tag:Field_Recording", false, `tag="field-recording"`}, {`tag:"field recording"`, false, `tag="field-recording"`},
		{"license:cc0,cc-by", false, `or(license="cc0" license="cc-by")`}, {"-type:mp3", false, `not(type="mp3")`},
		{"key:Am", false, `key="Am"`}, {`key:"B♭ minor"`, false, `key="A#m"`}, {"key:H", false, `or(:"key h" :keyh)`},
		{"duration:[1 TO 20]", false, "length[1..20]"}, {"duration:1..20", false, "length[1..20]"}, {"length:>=500ms", false, "length[0.5..]"}, {"length:<2", false, "length[..1.9999998807907104]"}, {"downloads:>100", false, "downloads[101..]"},
		{"price:<3", false, "amount[0..2.999999761581421]"}, {"price:1..9.50", false, "amount[1..9.5]"}, {"price:low", false, `price="low"`}, {"price:", false, ":price"},
		{"duration:5", false, "length[5..5]"}, {"bpm:120..130", false, "tempo[120..130]"}, {"bpm:120", false, "tempo[119.5..120.5]"},
		{"bpm:fast", false, `or(:"bpm fast" :bpmfast)`}, {"lufs:-30..-10", false, "loudness[-30..-10]"}, {"duration:[* TO 3]", false, "length[..3]"},
		{"downloads:>=100", false, "downloads[100..]"}, {"published:2026", false, "published[1767225600000000..1798761599999999]"},
		{"is:free is:loop", false, `and(price="free" loop="yes")`}, {"is:paid", false, `not(price="free")`},
		{"title:rain", false, "title:rain"}, {`description:"oak door"`, false, `description:"oak door"`}, {"pack:drums", false, "packword:drums"},
		{"foot*", false, ":foot*"}, {"a*", false, ":a"}, {"http://x.example/y", false, `:"http x example y"`}, {"tag:", false, ":tag"},
		{`rain"oak door"wind`, false, `and(:rain :"oak door" :wind)`}, {"brightness:9", false, `or(:"brightness 9" :brightness9)`},
	} {
		got, err := query.Parse(c.in, c.prefix)
		if err != nil || got.Where.String() != c.want {
			t.Errorf("Parse(%q) = %s, %v, want %s", c.in, got.Where, err, c.want)
		}
	}
	for _, in := range []string{strings.Repeat("é", 1001), strings.Repeat("a ", 33)} {
		var bad *query.ValueError
		if _, err := query.Parse(in, false); !errors.As(err, &bad) || bad.Text == "" {
			t.Errorf("Parse of %d bytes: %v", len(in), err)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, out string }{ // out is the canonical address; "" the same as in
		{"", ""}, {"q=rain+wind", ""}, {"category=fx-a&category=ss", ""}, {"q=%20rain%20&page=1&sort=relevance&utm_source=x&license=", "q=rain"},
		{"length_max=15&length_min=0.5", ""}, {"tempo_min=120", ""}, {"length_max=2min", "length_max=120"}, {"license=CC0&license=cc0", "license=cc0"},
		{"key=Bb+minor", "key=A%23m"}, {"brightness=0&brightness=7", ""}, {"channels=2&depth=24&rate=48000&type=wav", ""},
		{"tag=Field+Recording", "tag=field-recording"}, {"price=free&sort=new", ""}, {"page=3", ""}, {"group=pack", ""}, {"loop=yes", ""}, {"by=M%C3%A9lanie", "by=melanie"},
	} {
		v, err := url.ParseQuery(c.in)
		if err != nil {
			t.Fatal(err)
		}
		q, err := query.FromValues(v)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		want := c.out
		if want == "" {
			want = c.in
		}
		if got := q.Values().Encode(); got != want {
			t.Errorf("%s becomes %s, want %s", c.in, got, want)
		}
		again, err := query.FromValues(q.Values())
		if err != nil || !reflect.DeepEqual(again, q) {
			t.Errorf("%s: read again it is %+v, %v, not %+v", c.in, again, err, q)
		}
	}
	for _, in := range []string{"price=cheap", "brightness=8", "channels=two", "length_min=long", "length_max=NaN", "sort=best", "page=0", "page=x", "key=H", "rate=-1", "tempo_min=0x10",
		"q=" + strings.Repeat("x", 1001), strings.Repeat("tag=a", 1) + func() (s string) {
			for i := range 65 {
				s += "&year=" + string(rune('0'+i/10)) + string(rune('0'+i%10))
			}
			return s
		}()} {
		v, _ := url.ParseQuery(in)
		var bad *query.ValueError
		if _, err := query.FromValues(v); !errors.As(err, &bad) || bad.Text == "" {
			t.Errorf("%.40s: %v", in, err)
		}
	}
}

func TestChips(t *testing.T) {
	t.Parallel()
	v, _ := url.ParseQuery("q=impact&category=fx-o&category=fx-a&tag=oak&length_min=0.5&length_max=15&sort=new&page=4")
	q, err := query.FromValues(v)
	if err != nil {
		t.Fatal(err)
	}
	want := []query.Pick{{query.Category, "fx-o"}, {query.Category, "fx-a"}, {query.Tag, "oak"}, {query.Length, "0.5..15"}}
	if got := q.Chips(); !slices.Equal(got, want) {
		t.Fatalf("chips %v, want %v", got, want)
	}
	for i, chip := range want {
		less := q.Without(chip.Field, chip.Value)
		if got, rest := less.Chips(), slices.Delete(slices.Clone(want), i, i+1); !slices.Equal(got, rest) || less.Page != 0 || less.Text != "impact" {
			t.Errorf("without %v: %v, page %d", chip, got, less.Page)
		}
	}
	if got := q.Without(query.Category, "").Chips(); len(got) != 2 {
		t.Errorf("without any category: %v", got)
	}
	if got := q.Bare().Values().Encode(); got != "q=impact&sort=new" {
		t.Errorf("bare: %s", got)
	}
	if got := q.With(query.Tag, "oak"); len(got.Picks) != len(q.Picks) {
		t.Errorf("chosen twice: %v", got.Picks)
	}
	if got := q.Filter(query.Category).String(); got != `and(tag="oak" length[0.5..15])` {
		t.Errorf("filter but category: %s", got)
	}
	if got := q.FieldFilter(query.Category).String(); got != `or(category="fx-o" category="fx-a")` {
		t.Errorf("filter of category: %s", got)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"C": "C", "am": "Am", "A minor": "Am", "Bb": "A#", "b♭ min": "A#m", "C♯": "C#", "f# maj": "F#", "G-flat": "", "Cb": "B", "B#": "C", "H": "", "": "", "AM": "A",
		"C sharp minor": "", "Csharp minor": "C#m", "Am7": "",
	} {
		if got := query.CanonicalKey(in); got != want {
			t.Errorf("CanonicalKey(%q) = %q, want %q", in, got, want)
		}
	}
	if keys := query.Keys(); len(keys) != 24 || keys[0] != "C" || keys[23] != "Bm" {
		t.Errorf("Keys() = %v", keys)
	}
	for hz, want := range map[float64]int{0: -1, -5: -1, math.NaN(): -1, math.Inf(1): -1, 20: 0, 350: 0, 508: 0, 509.1: 1, 6999: 7, 20000: 7} {
		if got := query.ToneClass(hz); got != want {
			t.Errorf("ToneClass(%v) = %d, want %d", hz, got, want)
		}
	}
	for code, want := range map[string]string{"cc-by-4.0": "cc-by", "cc0": "cc0", "cc-by-nc-4.0": "cc-by-nc", "standard": "standard", "public-domain": "public-domain", "x-": "x-"} {
		if got := query.LicenseFamily(code); got != want {
			t.Errorf("LicenseFamily(%q) = %q, want %q", code, got, want)
		}
	}
}

// FuzzAddress: whatever an address holds, what is read from it is written and read again to the same query.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"q=rain&category=fx-a&length_min=.5", "key=Bb&tempo_max=1e9&page=2", "tag=%00&by=%FF", "length_min=-0&length_max=1e-300ms", "by=´", "year=00020&rate=44100"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, _ := url.ParseQuery(s)
		q, err := query.FromValues(v)
		if err != nil {
			return
		}
		again, err := query.FromValues(q.Values())
		if err != nil || again.Values().Encode() != q.Values().Encode() {
			t.Fatalf("%q: %q becomes %q, %v", s, q.Values().Encode(), again.Values().Encode(), err)
		}
	})
}

func TestSynonyms(t *testing.T) {
	t.Parallel()
	s, err := query.ParseSynonyms("gun, Firearm\n# no\n\ngunshot > gun, shot\nkick, kick drum, bass drum\ndoor bell, doorbell")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"guns":              "or(:guns :firearm)",
		"gunshot":           "or(:gunshot :gun :shot)",
		"shot":              ":shot",
		"loud gun far":      "and(:loud or(:gun :firearm) :far)",
		"bass drums":        `or(and(:bass :drums) :kick :"kick drum")`,
		"drum":              ":drum",
		"door bell tag:gun": `and(or(and(:door :bell) :doorbell) tag="gun")`,
		`"gun"`:             ":=gun", "-gun": "not(:gun)", "title:gun": "title:gun", "gun*": ":gun*", "": "all",
	} {
		p, err := query.Parse(text, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Expand(p); got.Where.String() != want {
			t.Errorf("%q expands to %s, want %s", text, got.Where, want)
		}
	}
	if _, also := s.Expand(query.Parsed{}); also != nil {
		t.Errorf("nothing expands to %v", also)
	}
	for _, bad := range []string{"alone", "a >", "> b", "one two three four, five", strings.Repeat("x", query.MaxSynonyms+1), strings.Repeat("a, ", 40) + strings.Repeat("b, ", 40)} {
		if _, err := query.ParseSynonyms(bad); err == nil {
			t.Errorf("%.30q is taken as a list", bad)
		}
	}
	if _, err := query.ParseSynonyms(query.ShippedSynonyms()); err != nil {
		t.Error(err)
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	p, err := query.Parse(`rain -thunder  "oak door" tag:wet -license:cc0 is:loop lo-fi bpm:120..130 title:"far away" of`, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []query.Term{
		{Source: "-thunder", Not: true, Value: "thunder", Rest: `rain "oak door" tag:wet -license:cc0 is:loop lo-fi bpm:120..130 title:"far away" of`},
		{Source: `"oak door"`, Value: "oak door", Rest: `rain -thunder tag:wet -license:cc0 is:loop lo-fi bpm:120..130 title:"far away" of`},
		{Source: "tag:wet", Field: query.Tag, Value: "wet", Rest: `rain -thunder "oak door" -license:cc0 is:loop lo-fi bpm:120..130 title:"far away" of`},
		{Source: "-license:cc0", Not: true, Field: query.License, Value: "cc0", Rest: `rain -thunder "oak door" tag:wet is:loop lo-fi bpm:120..130 title:"far away" of`},
		{Source: "is:loop", Field: query.Loop, Value: "loop", Rest: `rain -thunder "oak door" tag:wet -license:cc0 lo-fi bpm:120..130 title:"far away" of`},
		{Source: "bpm:120..130", Field: query.Tempo, Value: "120..130", Rest: `rain -thunder "oak door" tag:wet -license:cc0 is:loop lo-fi title:"far away" of`},
		{Source: `title:"far away"`, Field: query.Title, Value: "far away", Rest: `rain -thunder "oak door" tag:wet -license:cc0 is:loop lo-fi bpm:120..130 of`},
	}
	if !slices.Equal(p.Terms, want) {
		t.Errorf("terms\n%+v\nwant\n%+v", p.Terms, want)
	}
}
