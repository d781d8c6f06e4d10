package ui_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"audiomicro/internal/audio/spectrum"
	"audiomicro/internal/web/ui"

	"github.com/a-h/templ"
	"github.com/andybalholm/brotli"
)

// shape is a made-up sound: its envelope and its tone over time (0..1 each).
type shape struct {
	title, by string
	seconds   float64
	envelope  func(t float64) float64
	tone      func(t float64) float64
	price     string
	license   string
	tempo     int
	key       string
}

func decay(k float64) func(float64) float64 {
	return func(t float64) float64 { return math.Exp(-k * t) }
}

func beats(n, k float64) func(float64) float64 {
	return func(t float64) float64 { _, f := math.Modf(t * n); return math.Exp(-k*f)*.9 + .06 }
}

func swell(t float64) float64 { return math.Sin(math.Pi * t) }

func flat(v float64) func(float64) float64 { return func(float64) float64 { return v } }

func glide(a, b float64) func(float64) float64 {
	return func(t float64) float64 { return a + (b-a)*t }
}

var shapes = []shape{
	{"Hall bell, one strike, long decay", "Ines Kato", 6.7, decay(3), glide(.95, .5), "$3", "Standard", 0, "A♯"},
	{"Gate, iron, slow close", "field station", 2.4, beats(3, 5), glide(.05, .3), "Free", "CC BY", 0, ""},
	{"Hand drum circle, two bars", "Tomas Vega", 8, beats(16, 4), func(t float64) float64 { return .25 + .3*math.Abs(math.Sin(t*40)) }, "$9", "Standard", 112, ""},
	{"Low whoosh into thump", "low orbit", 3.7, swell, glide(.35, 0), "$3", "Standard", 0, "F min"},
	{"Cymbal, 12 inch, hard", "Plate Room", 2.6, decay(2), flat(.92), "$1", "Standard", 0, ""},
	{"Press, hydraulic, looped", "low orbit", .9, beats(7, 3), beats(3, 2), "$9", "Broadcast 1M", 137, ""},
	{"Bass fall, C", "low orbit", 2.4, decay(1), glide(.8, .05), "$3", "Standard", 0, "C"},
	{"Crow, two calls, garden", "field station", 1.1, beats(2, 3), flat(.55), "Free", "CC0", 0, ""},
	{"Steam valve, opened and shut", "Plate Room", 9, swell, flat(.97), "Free", "CC BY", 0, ""},
	{"Guitar fifths in E, room pair", "Ines Kato", 6, decay(2.2), glide(.3, .15), "$3", "Standard", 0, "E"},
	{"3D printer homing", "low orbit", 8, flat(.8), func(t float64) float64 { return .6 + .2*math.Sin(t*30) }, "Free", "CC0", 0, ""},
	{"Snare roll to crash", "Plate Room", 6.2, glide(.5, 1), func(t float64) float64 { return .55 + .1*math.Sin(t*60) }, "$3", "Standard", 0, ""},
}

func (s shape) row(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 7))
	row := spectrum.Row{Bars: make([]spectrum.Bar, spectrum.RowBars)}
	for i := range row.Bars {
		t := float64(i) / spectrum.RowBars
		h := s.envelope(t) * (.7 + .3*r.Float64())
		row.Bars[i] = spectrum.Bar{Height: uint8(min(max(16*math.Pow(h, .8), 1), 16)), Tone: uint8(min(max(s.tone(t)*8+r.Float64()-.5, 0), 7))}
	}
	return row.Encode()
}

func (s shape) wide(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 9))
	wide := spectrum.Wide{Bars: make([]spectrum.WideBar, spectrum.WideBars)}
	for i := range wide.Bars {
		t := float64(i) / spectrum.WideBars
		e := s.envelope(t) * 126
		wide.Bars[i] = spectrum.WideBar{Low: -int8(e * (.4 + .6*r.Float64())), High: int8(e * (.4 + .6*r.Float64())), Tone: uint8(min(max(s.tone(t)*8+2*r.Float64()-1, 0), 7))}
	}
	return wide.Encode()
}

// energy is a made-up spectrogram: white, alpha in 16 steps.
func (s shape) energy(width, height int) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	r := rand.New(rand.NewPCG(3, 3))
	for x := range width {
		t := float64(x) / float64(width)
		e, c := s.envelope(t), s.tone(t)
		for y := range height {
			f := 1 - float64(y)/float64(height)
			harmonic := .55 + .45*math.Cos(f*70)
			a := e * math.Exp(-6*(f-c)*(f-c)) * harmonic * (.7 + .3*r.Float64())
			img.SetNRGBA(x, y, color.NRGBA{255, 255, 255, uint8(min(max(math.Pow(a, 1.35), 0), 1)*15) * 17})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// wav is a tone of the sound's length, 16 bit mono at 8 kHz.
func (s shape) wav() []byte {
	n := int(s.seconds * 8000)
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(2*n))
	for i := range n {
		t := float64(i) / float64(n)
		binary.Write(&b, binary.LittleEndian, int16(8000*s.envelope(t)*math.Sin(float64(i)*(.1+s.tone(t)))))
	}
	return b.Bytes()
}

// peaks is an audiowaveform file (version 1, 8 bit) of the sound.
func (s shape) peaks() []byte {
	var b bytes.Buffer
	n := 3000
	for _, v := range []uint32{1, 1, 48000, 256, uint32(n)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	r := rand.New(rand.NewPCG(5, 5))
	for i := range n {
		e := s.envelope(float64(i)/float64(n)) * 120
		binary.Write(&b, binary.LittleEndian, [2]int8{-int8(e * r.Float64()), int8(e * r.Float64())})
	}
	return b.Bytes()
}

func sound(i int) ui.Sound {
	s := shapes[i%len(shapes)]
	id := int64(40000 + i)
	out := ui.Sound{
		ID: id, URL: fmt.Sprintf("/recordings/%d", id), Title: s.title, Contributor: s.by, ContributorURL: "/people/" + strings.ReplaceAll(s.by, " ", "-"),
		Bars: s.row(uint64(i)), Seconds: s.seconds, Tempo: s.tempo, Key: s.key, PriceLabel: s.price, LicenseLabel: s.license, Free: s.price == "Free",
		PreviewURL: fmt.Sprintf("/media/%d.wav", i%len(shapes)), Action: ui.ActionCart, Model: "standard",
	}
	if out.Free {
		out.Action, out.ActionURL, out.ActionPost = ui.ActionDownload, out.URL+"/download", true
	}
	return out
}

func sounds(from, n int) []ui.Sound {
	out := make([]ui.Sound, n)
	for i := range out {
		out[i] = sound(from + i)
	}
	return out
}

func scopeOf(i int) ui.Scope {
	return ui.Scope{Sound: sound(i), BigBars: shapes[i].wide(uint64(i)), PeaksURLs: []string{fmt.Sprintf("/media/%d.dat", i)}, Tools: true, SpectrogramURL: fmt.Sprintf("/media/%d.png", i)}
}

const noon = int64(1795446240000000) // 23 November 2026, 15:04 UTC

var member = &ui.Person{Name: "Noor Haddad", Role: "admin", Contributor: true}

// page is one page of the gallery.
type page struct {
	path  string
	frame ui.Frame
	body  templ.Component
}

func pages() []page {
	in := func(title, section string) ui.Frame { // signed in, two licenses in the cart
		return ui.Frame{Title: title, Section: section, Person: member, CartCount: 2, Description: "A page of the gallery.", DevMail: true}
	}
	search := in("drum", ui.SectionSounds)
	search.Query = "drum"
	noticed := in("Library", "")
	noticed.Notice = &ui.Notice{Text: "Removed from the cart.", UndoURL: "/cart"}
	visitor := ui.Frame{HideSearch: true, Section: ui.SectionSounds}
	return []page{
		{"/", ui.Frame{HideSearch: true, Section: ui.SectionSounds, Person: member, CartCount: 2, Description: "Sounds to license."}, ui.Home(sampleHome())},
		{"/visitor", visitor, ui.Home(ui.HomePage{})},
		{"/search", search, ui.SearchResults(sampleSearch())},
		{"/search-empty", search, ui.SearchResults(ui.SearchPage{Query: "frog organ", Heading: "frog organ", Facets: sampleFacets(), Chips: []ui.Chip{{Label: "Length", Value: "0.5–15 s", Remove: "/search"}}, ResetURL: "/search", DidYouMean: &ui.Link{Text: "fog organ", URL: "/search?q=fog+organ"},
			Empty: &ui.Empty{Title: `Nothing matches "frog organ" with 1 filter`, Text: "Without the length filter there are 4.", Out: &ui.Link{Text: "Remove the length filter", URL: "/search?q=frog+organ"}}})},
		{"/recording", in("Hand drum circle", ui.SectionSounds), ui.Recording(sampleRecording())},
		{"/recording-free", in("Gate, iron", ui.SectionSounds), ui.Recording(sampleFree())},
		{"/packs", in("Packs", ui.SectionPacks), ui.Packs(ui.PacksPage{Packs: samplePacks()})},
		{"/pack", in("Rooms", ui.SectionPacks), ui.PackBody(ui.PackPage{Title: "Rooms with one player", By: ui.Link{Text: "Tomas Vega", URL: "/people/x"}, DescriptionHTML: "<p>Four rooms, one pair.</p>", Sounds: sounds(2, 5), Facts: []ui.Fact{{Label: "Sounds", Value: "5"}, {Label: "Length", Value: "0:24.1"}}, Credits: "\"Rooms\" by Tomas Vega"})},
		{"/person", in("Ines Kato", ""), ui.Profile(sampleProfile())},
		{"/upload", in("Upload", ui.SectionUpload), ui.Upload(sampleUpload())},
		{"/upload-terms", in("Upload", ui.SectionUpload), ui.Upload(ui.UploadPage{Accepted: "WAV.", MaxBytes: 2e9, NeedTerms: &ui.FormPage{Title: "Contributor terms", Intro: "Accept them once.", Action: "/upload/terms", Fields: []ui.Field{{Name: "accept", Label: "I accept the contributor terms", Type: "checkbox"}}, Submit: "Accept"}})},
		{"/batch", in("Describe", ui.SectionUpload), ui.Batch(sampleBatch())},
		{"/describe", in("Describe", ui.SectionUpload), ui.Describe(sampleDescribe())},
		{"/my-sounds", in("My sounds", ""), ui.MySounds(sampleMine())},
		{"/cart", in("Cart", ""), ui.Cart(ui.CartPage{Lines: sampleLines(), Subtotal: "$15.00", Next: ui.Link{Text: "Check out", URL: "/checkout"}, Royalty: "$5.25 of this goes to the three people who made the sounds."})},
		{"/cart-empty", in("Cart", ""), ui.Cart(ui.CartPage{})},
		{"/checkout", in("Checkout", ""), ui.Checkout(sampleCheckout())},
		{"/order", in("Order", ""), ui.Order(sampleOrder())},
		{"/library", noticed, ui.Library(sampleLibrary())},
		{"/certificate", in("License", ""), ui.Certificate(sampleCertificate())},
		{"/verify", in("Verify", ""), ui.Verify(ui.VerifyPage{Number: "7F3K", Error: "A number has 26 letters and digits; this one has 4.", KeyURL: "/licenses/key"})},
		{"/earnings", in("Earnings", ""), ui.Earnings(sampleEarnings())},
		{"/review", in("Review", ""), ui.Review(sampleReview())},
		{"/sign-up", ui.Frame{Title: "Sign up"}, ui.SignUp(ui.SignUpPage{Name: "mara", Errors: []ui.FormError{{Field: "email", Text: "Type an e-mail address."}, {Field: "born", Text: "Type your date of birth."}}})},
		{"/sign-in", ui.Frame{Title: "Sign in"}, ui.SignIn(ui.SignInPage{Next: "/library", Note: &ui.Note{Tone: ui.ToneGood, Lead: "Confirmed.", Text: "Sign in with your password."}})},
		{"/settings", in("Settings", ""), ui.Settings(ui.SettingsPage{Title: "Sign-ins", Intro: "Where this account is signed in.", Nav: []ui.Link{{Text: "Profile", URL: "/settings"}, {Text: "Sign-ins", URL: "/settings/sessions", Current: true}, {Text: "E-mail", URL: "/settings/email"}}},
			ui.Sessions([]ui.SessionRow{{ID: "1", Device: "Firefox on Linux", Place: "192.0.2.7", StartAt: noon, SeenAt: noon, Current: true}, {ID: "2", Device: "Safari on iPhone", StartAt: noon, SeenAt: noon}}, "/settings/sessions", "/sign-out-everywhere"))},
		{"/licenses", in("Licensing", ui.SectionLicensing), ui.Licenses(sampleLicenses())},
		{"/license", in("Standard", ui.SectionLicensing), ui.License(ui.LicensePage{Name: "Standard", Summary: "Web, social and client work.", Version: "Version 1, since 23 November 2026", TextHTML: "<h2>Grant</h2><p>You may use the recording in one project.</p>", Covered: []string{"Web and social"}, NotCovered: []string{"Broadcast"}, Facts: []ui.Fact{{Label: "Seats", Value: "1"}}})},
		{"/form", in("Change e-mail", ""), ui.FormFull(ui.FormPage{Title: "Change e-mail", Intro: "We send a link to the new address.", Action: "/settings/email", Fields: []ui.Field{{Name: "email", Label: "New e-mail", Type: "email"}, {Name: "bio", Label: "About", Type: "textarea", Optional: true, Hint: "Shown on your page."}, {Name: "who", Label: "Who sees it", Type: "radio", Options: []ui.Option{{Value: "a", Label: "Everyone"}, {Value: "b", Label: "Members", Hint: "Signed in", Selected: true}}}}, Errors: []ui.FormError{{Field: "email", Text: "This is your address already."}}, Submit: "Send the link", Cancel: &ui.Link{Text: "Cancel", URL: "/settings"}})},
		{"/error", ui.Frame{Title: "Not found"}, ui.Error(ui.ErrorPage{Status: 404, Title: "Not here", Text: "This page does not exist, or is not public.", RequestID: "a1b2c3"})},
	}
}

// packed is the size of a page as the server sends it.
func packed(t *testing.T, page []byte) int {
	t.Helper()
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, 5)
	if _, err := w.Write(page); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}
