package mail

import (
	"html/template"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Site is what every mail says about where it comes from.
type Site struct {
	Name string
	URL  string // without a trailing slash
}

// Button is the one thing a mail asks to do. The zero Button is none.
type Button struct{ Label, URL string }

// Body is a mail's content in its two forms.
type Body struct{ Text, HTML string }

// Compose makes both forms of a mail. Everything is plain text: it is escaped in the HTML form. A button's address must be
// http or https, else it is left out of both.
func Compose(site Site, heading string, paragraphs []string, button Button, footer string) (Body, error) {
	if u, err := url.Parse(button.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		button = Button{}
	}
	heading = oneLine(heading)
	var html strings.Builder
	err := page.Execute(&html, map[string]any{"Site": site, "Heading": heading, "Paragraphs": paragraphs, "Button": button, "Footer": footer})
	if err != nil {
		return Body{}, err
	}
	var text strings.Builder
	part := func(s string) {
		if s != "" {
			text.WriteString(s + "\n\n")
		}
	}
	part(heading)
	for _, p := range paragraphs {
		part(wrap(p, 72))
	}
	if button.URL != "" {
		part(oneLine(button.Label) + ":\n" + button.URL)
	}
	part(wrap(footer, 72))
	// RFC 3676 section 4.3: "-- " begins the signature.
	text.WriteString("-- \n" + oneLine(site.Name) + "\n" + site.URL + "\n")
	return Body{Text: text.String(), HTML: html.String()}, nil
}

// wrap breaks a paragraph into lines of at most width characters; longer words (links) stay whole.
func wrap(s string, width int) string {
	var b strings.Builder
	used := 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+n > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// page is the HTML form. Styles stand on the elements, for many mail readers drop <style>; those that keep it get the dark
// colors. Nothing is loaded from anywhere, so that nothing tells that the mail was opened.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{.Heading}}</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .ground { background: #15181c !important; }
  .sheet { background: #1c2025 !important; border-color: #30353b !important; }
  .ink { color: #eef0f2 !important; }
  .meta { color: #a3aab2 !important; }
  .button { background: #eef0f2 !important; color: #15181c !important; }
}
</style>
</head>
<body class="ground" style="margin:0;padding:0;background:#f7f8f9">
<table role="presentation" class="ground" width="100%" cellpadding="0" cellspacing="0" style="background:#f7f8f9"><tr><td align="center" style="padding:32px 16px">
<table role="presentation" class="sheet" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border:1px solid #dfe2e5;border-radius:8px"><tr><td style="padding:32px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:16px;line-height:1.6">
<p class="meta" style="margin:0 0 16px;font-size:13px;color:#5f6770">{{.Site.Name}}</p>
<h1 class="ink" style="margin:0 0 16px;font-size:22px;line-height:1.25;font-weight:600;color:#171c22">{{.Heading}}</h1>
{{range .Paragraphs}}<p class="ink" style="margin:0 0 16px;color:#171c22">{{.}}</p>
{{end}}{{with .Button}}{{if .URL}}<p style="margin:24px 0"><a class="button" href="{{.URL}}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#171c22;color:#ffffff;text-decoration:none;font-weight:600">{{.Label}}</a></p>
<p class="meta" style="margin:0 0 16px;font-size:13px;color:#5f6770;word-break:break-all">{{.URL}}</p>
{{end}}{{end}}{{with .Footer}}<p class="meta" style="margin:24px 0 0;font-size:13px;color:#5f6770">{{.}}</p>
{{end}}</td></tr></table>
<p class="meta" style="margin:16px 0 0;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:12px;color:#5f6770"><a class="meta" href="{{.Site.URL}}" style="color:#5f6770">{{.Site.URL}}</a></p>
</td></tr></table>
</body>
</html>
`))
