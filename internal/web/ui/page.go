package ui

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/a-h/templ"
)

func siteName(f Frame) string { return or(f.SiteName, "AudioMicro") }

func documentTitle(f Frame) string {
	if f.Title == "" {
		return siteName(f)
	}
	return f.Title + " · " + siteName(f)
}

// jsonLD makes a document safe inside a script element: <, > and & become escapes, as encoding/json writes them.
func jsonLD(doc string) string {
	if doc == "" || !json.Valid([]byte(doc)) {
		return ""
	}
	var out bytes.Buffer
	json.HTMLEscape(&out, []byte(doc))
	return out.String()
}

func signInURL(f Frame) templ.SafeURL {
	if f.Path == "" || f.Path == "/" || f.Path == "/sign-in" || f.Path == "/sign-up" {
		return "/sign-in"
	}
	return templ.SafeURL("/sign-in?next=" + url.QueryEscape(f.Path))
}

// themeNames are the three choices of the footer; an empty value is the system's.
var themeNames = []Option{{Value: "", Label: "System"}, {Value: "light", Label: "Light"}, {Value: "dark", Label: "Dark"}}

func pressed(on bool) string { return strconv.FormatBool(on) }

func pathEscape(s string) string { return url.PathEscape(s) }

func cartNoun(n int) string {
	if n == 1 {
		return "license in the cart"
	}
	return "licenses in the cart"
}

// keyHint is one line of the keyboard dialog; web/js/keys.js acts on the same keys.
type keyHint struct {
	Keys []string
	Does string
}

var keyMap = []keyHint{
	{[]string{"Space"}, "Play or pause"},
	{[]string{"↓", "J"}, "Next sound"},
	{[]string{"↑", "K"}, "Previous sound"},
	{[]string{"→", "←"}, "Five seconds forward or back, one with Shift"},
	{[]string{"L"}, "Loop"},
	{[]string{"M"}, "Mute"},
	{[]string{"F"}, "Favorite or not"},
	{[]string{"X"}, "Compare: the first of two, then the second; on their page, from one to the other"},
	{[]string{"D"}, "Download or go to the download"},
	{[]string{"C"}, "Add to cart"},
	{[]string{"A"}, "Add to a collection: what is picked (click with Shift or Ctrl), else this sound"},
	{[]string{"S"}, "Similar sounds"},
	{[]string{"+", "-", "0"}, "Zoom in, out, fit, on a recording's page"},
	{[]string{"I", "O"}, "Start or end a region at the playhead"},
	{[]string{"/"}, "Search"},
	{[]string{"G", "H"}, "Home; then also G L library, G U upload, G C cart"},
	{[]string{"?"}, "This list"},
	{[]string{"Esc"}, "Close"},
}
