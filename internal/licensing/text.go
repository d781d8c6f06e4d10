package licensing

import (
	"html"
	"strings"
)

// textHTML turns a license text into HTML: headings (#, ##, ###), lists (- ), paragraphs, **strong** words and https
// addresses. Everything else is text and is escaped, so an operator's text can't bring markup or scripts along.
func textHTML(text string) string {
	var b strings.Builder
	list, paragraph := false, false
	closeAll := func() {
		if list {
			b.WriteString("</ul>")
		}
		if paragraph {
			b.WriteString("</p>")
		}
		list, paragraph = false, false
	}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		level, item := heading(line)
		switch {
		case line == "":
			closeAll()
		case level > 0:
			closeAll()
			tag := "h" + string(rune('0'+level))
			b.WriteString("<" + tag + ">" + inline(item) + "</" + tag + ">")
		case strings.HasPrefix(line, "- "):
			if !list {
				closeAll()
				b.WriteString("<ul>")
				list = true
			}
			b.WriteString("<li>" + inline(line[2:]) + "</li>")
		default:
			if list {
				closeAll()
			}
			if paragraph {
				b.WriteString("<br>")
			} else {
				b.WriteString("<p>")
				paragraph = true
			}
			b.WriteString(inline(line))
		}
	}
	closeAll()
	return b.String()
}

// heading tells the level of a heading line, 2 to 4 (the page itself has the h1), and its text; 0 for other lines. The first
// level is the license's name, which the page shows above, so it gives an h2 all the same.
func heading(line string) (level int, text string) {
	n := len(line) - len(strings.TrimLeft(line, "#"))
	if n == 0 || n > 3 || !strings.HasPrefix(line[n:], " ") {
		return 0, ""
	}
	return max(n, 2), strings.TrimSpace(line[n:])
}

// inline escapes a line and marks strong words and addresses.
func inline(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, "**") {
		strong := i%2 == 1 && strings.Count(s, "**") >= i+1
		if strong {
			b.WriteString("<strong>")
		} else if i%2 == 1 {
			b.WriteString("**")
		}
		for j, word := range strings.Split(part, " ") {
			if j > 0 {
				b.WriteByte(' ')
			}
			address := strings.TrimRight(word, ".,;:)")
			if strings.HasPrefix(address, "https://") && len(address) > len("https://") {
				b.WriteString(`<a href="` + html.EscapeString(address) + `" rel="noopener">` + html.EscapeString(address) + `</a>` + html.EscapeString(word[len(address):]))
				continue
			}
			b.WriteString(html.EscapeString(word))
		}
		if strong {
			b.WriteString("</strong>")
		}
	}
	return b.String()
}
