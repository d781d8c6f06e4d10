package licensing

import (
	"regexp"
	"strings"
	"testing"
)

func TestTextHTML(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"# Title\n\nOne\ntwo\n\n- a\n- **b** c\n\nEnd.": "<h2>Title</h2><p>One<br>two</p><ul><li>a</li><li><strong>b</strong> c</li></ul><p>End.</p>",
		"### Third":                       "<h3>Third</h3>",
		"#no heading":                     "<p>#no heading</p>",
		"See https://a.example/b?c=1&d. ": `<p>See <a href="https://a.example/b?c=1&amp;d" rel="noopener">https://a.example/b?c=1&amp;d</a>.</p>`,
		"<script>alert(1)</script>":       "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
		`https://a"onclick="x`:            `<p><a href="https://a&#34;onclick=&#34;x" rel="noopener">https://a&#34;onclick=&#34;x</a></p>`,
		"javascript:alert(1) http://a.b":  "<p>javascript:alert(1) http://a.b</p>",
		"one ** star":                     "<p>one ** star</p>",
		"":                                "",
	} {
		if got := textHTML(in); got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

// FuzzTextHTML looks for a text that brings markup of its own into a page.
func FuzzTextHTML(f *testing.F) {
	for _, s := range []string{"# a\n- b **c** https://d.example/<x>\n", "<img src=x onerror=y>", "**", "**a", "https://\"'", "- \n\n- a\n#"} {
		f.Add(s)
	}
	ours := regexp.MustCompile(`</?(h2|h3|p|ul|li|strong|br)>|<a href="https://[^"<>]*" rel="noopener">|</a>`)
	f.Fuzz(func(t *testing.T, in string) {
		rest := ours.ReplaceAllString(textHTML(in), "")
		if strings.ContainsAny(rest, `<>"`) {
			t.Fatalf("%q leaves %q", in, rest)
		}
	})
}
