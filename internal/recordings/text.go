package recordings

import (
	"bytes"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// policy keeps text and links of what people write, and nothing that loads from elsewhere: no images, frames or styles.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "hr")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(false)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
})

var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Linkify, extension.Strikethrough))
})

// HTML renders what people wrote in Markdown as HTML that is safe to show: text, lists, quotes and links (rel=nofollow).
func HTML(text string) string {
	var buf bytes.Buffer
	if err := markdown().Convert([]byte(text), &buf); err != nil {
		return policy().Sanitize("") // goldmark fails only when the buffer does, which it does not
	}
	return policy().Sanitize(buf.String())
}
