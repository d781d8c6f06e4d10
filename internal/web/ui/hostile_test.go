package ui_test

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"audiomicro/internal/web/ui"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// fill sets every string of a view struct to text, numbers to 7, booleans to true, and gives slices two elements. Fields whose
// name ends in HTML are their owner's to sanitize and stay empty.
func fill(v reflect.Value, text string, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(.7)
	case reflect.Pointer:
		if depth < 8 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), text, depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), text, depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), text, depth+1)
		}
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, text, depth+1)
		for _, key := range []string{"title", "tags", "data-x", "onclick", text} {
			m.SetMapIndex(reflect.ValueOf(key), value)
		}
		v.Set(m)
	case reflect.Struct:
		for i := range v.NumField() {
			if !strings.HasSuffix(v.Type().Field(i).Name, "HTML") {
				fill(v.Field(i), text, depth+1)
			}
		}
	}
}

func filled[T any](text string) T {
	var v T
	fill(reflect.ValueOf(&v).Elem(), text, 0)
	return v
}

// hostileBodies renders every page with every string set to text.
func hostileBodies(text string) map[string]templ.Component {
	facets := filled[ui.SearchPage](text)
	for i, kind := range []string{ui.FacetBrightness, ui.FacetRange} {
		facets.Facets[i].Kind = kind
	}
	keys := filled[ui.SearchPage](text)
	keys.Facets[0].Kind = ui.FacetKey
	field := filled[ui.FormPage](text)
	var kinds []ui.Field
	for _, kind := range []string{"text", "textarea", "select", "radio", "checkbox", "file", text} {
		f := filled[ui.Field](text)
		f.Type = kind
		kinds = append(kinds, f)
	}
	field.Fields = kinds
	actions := filled[ui.SearchPage](text)
	for i, a := range []string{ui.ActionCart, ui.ActionDownload} {
		actions.Sounds[i].Action, actions.Sounds[i].Unavailable = a, ""
	}
	avatar := filled[ui.ProfilePage](text)
	avatar.Avatar.PictureURL = ""
	return map[string]templ.Component{
		"Home": ui.Home(filled[ui.HomePage](text)), "Search": ui.SearchResults(filled[ui.SearchPage](text)), "Facets": ui.SearchResults(facets), "Keys": ui.SearchResults(keys), "Actions": ui.SearchResults(actions),
		"Recording": ui.Recording(filled[ui.RecordingPage](text)), "Licenses": ui.Licenses(filled[ui.LicensesPage](text)), "License": ui.License(filled[ui.LicensePage](text)),
		"Packs": ui.Packs(filled[ui.PacksPage](text)), "Pack": ui.PackBody(filled[ui.PackPage](text)), "Profile": ui.Profile(filled[ui.ProfilePage](text)), "Avatar": ui.Profile(avatar), "Error": ui.Error(filled[ui.ErrorPage](text)),
		"Upload": ui.Upload(filled[ui.UploadPage](text)), "Drafts": ui.DraftList(filled[[]ui.Draft](text)), "Batch": ui.Batch(filled[ui.BatchPage](text)), "Describe": ui.Describe(filled[ui.DescribePage](text)), "MySounds": ui.MySounds(filled[ui.MySoundsPage](text)),
		"Cart": ui.Cart(filled[ui.CartPage](text)), "Checkout": ui.Checkout(filled[ui.CheckoutPage](text)), "Order": ui.Order(filled[ui.OrderPage](text)), "Library": ui.Library(filled[ui.LibraryPage](text)),
		"Certificate": ui.Certificate(filled[ui.CertificatePage](text)), "Verify": ui.Verify(filled[ui.VerifyPage](text)), "Earnings": ui.Earnings(filled[ui.EarningsPage](text)), "Review": ui.Review(filled[ui.ReviewPage](text)),
		"SignUp": ui.SignUp(filled[ui.SignUpPage](text)), "SignIn": ui.SignIn(filled[ui.SignInPage](text)), "Form": ui.FormFull(field), "Settings": ui.Settings(filled[ui.SettingsPage](text), ui.Sessions(filled[[]ui.SessionRow](text), text, text)),
		"Plain": ui.Plain(filled[ui.PlainPage](text), ui.CardPart(text, text, ui.TabsPart(text, filled[[]ui.Link](text)))),
	}
}

// TestHostileText sets every string of every view struct to what an attacker would type. It must come out as text: no element,
// no handler, no address that runs, nothing outside of its attribute.
func TestHostileText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`"><script>alert(1)</script><p x="`,
		`'><img src=x onerror=alert(1)>`,
		`javascript:alert(1)`,
		` JaVaScRiPt:alert(1)`,
		"java\tscript:alert(1)",
		`data:text/html,<script>alert(1)</script>`,
		`</textarea></title></style></script><svg onload=alert(1)>`,
		"\u202e\x00\ufeff\xff{{ }} ${1}` onmouseover=alert(1) ",
	} {
		for name, body := range hostileBodies(text) {
			frame := filled[ui.Frame](text)
			frame.JSONLD = `{"name":"</script><script>alert(1)</script>"}`
			var out bytes.Buffer
			if err := ui.Page(frame, body).Render(context.Background(), &out); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, fault := range faultsOf(t, out.Bytes()) {
				t.Errorf("%s with %q: %s", name, text, fault)
			}
		}
	}
}

// harmless are the only schemes an address may have.
func harmless(address string) bool {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, address)
	scheme, _, found := strings.Cut(clean, ":")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return true
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tel", "ftp", "ftps", "about":
		return true
	}
	return false
}

func faultsOf(t *testing.T, page []byte) (faults []string) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	scripts := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		kind := ""
		for _, a := range n.Attr {
			if a.Key == "type" {
				kind = a.Val
			}
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" {
				faults = append(faults, "attribute "+a.Key+" on "+n.Data)
			}
			switch a.Key {
			case "href", "action", "formaction", "src":
				if n.Data == "img" || n.Data == "image" || n.Data == "audio" {
					continue // a picture or a sound runs nothing, whatever its address
				}
				if !harmless(a.Val) {
					faults = append(faults, n.Data+" "+a.Key+"="+a.Val)
				}
			}
		}
		switch n.Data {
		case "script":
			if scripts++; kind != "module" && kind != "application/ld+json" {
				faults = append(faults, "script of type "+kind)
			}
			if kind == "module" && n.FirstChild != nil {
				faults = append(faults, "script with a body")
			}
		case "style", "iframe", "object", "embed", "base":
			faults = append(faults, "element "+n.Data)
		}
	}
	if scripts != 2 {
		faults = append(faults, "wrong number of scripts")
	}
	return faults
}

// TestFaultsAreFound shows that the check above sees what it looks for.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	frame := `<script type=module src=/a.js></script><script type="application/ld+json">{}</script>`
	if faults := faultsOf(t, []byte(frame)); len(faults) != 0 {
		t.Fatalf("a harmless page: %q", faults)
	}
	for _, bad := range []string{`<p onclick=x>`, `<a href="java&#9;script:x">`, `<script>x</script>`, `<p style="x">`, `<form action=" data:x">`, `<iframe>`, `<a href="vbscript:x">`} {
		if faults := faultsOf(t, []byte(frame+bad)); len(faults) == 0 {
			t.Errorf("nothing found in %s", bad)
		}
	}
}
