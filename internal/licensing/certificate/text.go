package certificate

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// text prints one line at its top left corner, cut with an ellipsis to width millimeters. size is in points.
func (p *page) text(x, y, width, size float64, style string, c rgb, s string) {
	p.SetFont("sans", style, size)
	p.put(x, y, size, style, c, p.cut(p.printable(s), width))
}

func (p *page) textRight(x, y, width, size float64, style string, c rgb, s string) {
	p.SetFont("sans", style, size)
	s = p.cut(p.printable(s), width)
	p.put(x-p.width(s), y, size, style, c, s)
}

func (p *page) mono(x, y float64, s string) {
	p.SetFont("mono", "", 7.5)
	p.SetTextColor(ink.r, ink.g, ink.b)
	p.Text(x, y+7.5*.30, s)
}

// lines prints a paragraph of at most most lines and returns the y below it.
func (p *page) lines(x, y, width, size float64, most int, style string, c rgb, s string) float64 {
	p.SetFont("sans", style, size)
	rows := p.wrap(p.printable(s), width)
	for i, row := range rows {
		if i == most {
			break
		}
		row = strings.TrimSpace(row)
		if i == most-1 && len(rows) > most {
			row += "…"
		}
		p.put(x, y, size, style, c, p.cut(row, width))
		y += size * .43
	}
	return y
}

// put prints a text that printable and cut have made fit, each run of it in the font that holds it. The current font is and
// stays the Latin one.
func (p *page) put(x, y, size float64, style string, c rgb, s string) {
	p.SetTextColor(c.r, c.g, c.b)
	y += size * .30
	for len(s) > 0 {
		run, east := firstRun(s)
		s = s[len(run):]
		if !east {
			p.Text(x, y, run)
		} else {
			p.putEast(x, y, size, style, c, run)
			p.SetFont("sans", style, size)
		}
		x += p.width(run)
	}
}

// putEast prints a run in the font for Chinese, Japanese and Korean, which has no bold face: its outlines are drawn too instead.
func (p *page) putEast(x, y, size float64, style string, c rgb, run string) {
	if !p.east {
		if err := p.addEast(); err != nil {
			p.SetError(err)
			return
		}
	}
	p.SetFont("east", "", size)
	if style != "B" {
		p.Text(x, y, run)
		return
	}
	p.draw(c)
	p.SetLineWidth(size * .009)
	p.SetTextRenderingMode(2)
	p.Text(x, y, run)
	p.SetTextRenderingMode(0)
}

// firstRun is the longest beginning of s that one font holds, and whether that is the font for Chinese, Japanese and Korean.
func firstRun(s string) (run string, east bool) {
	for i, r := range s {
		if i == 0 {
			east = isEast(r)
		} else if isEast(r) != east {
			return s[:i], east
		}
	}
	return s, east
}

func isEast(r rune) bool { return !unicode.Is(printed, r) && unicode.Is(eastern, r) }

// width is the width of a text in millimeters, at the size and style of the current (Latin) font. The signs of the other font
// are squares, but for its half-width forms.
func (p *page) width(s string) float64 {
	_, size := p.GetFontSize()
	width := 0.0
	for len(s) > 0 {
		run, east := firstRun(s)
		s = s[len(run):]
		if !east {
			width += p.GetStringWidth(run)
			continue
		}
		for _, r := range run {
			if r >= 0xff61 && r <= 0xff9f {
				width += size / 2
			} else {
				width += size
			}
		}
	}
	return width
}

// wrap breaks a text into rows of at most width millimeters of the current font: after a space, between Chinese and Japanese
// signs, and inside a word only when it is too long for a row.
func (p *page) wrap(s string, width float64) []string {
	var rows []string
	text := []rune(s)
	start, next, used := 0, 0, 0.0 // where the row begins, where the next one may begin, and the row's width so far
	for i := 0; i < len(text); i++ {
		if i > start && mayBreak(text[i-1], text[i]) {
			next = i
		}
		used += p.width(string(text[i]))
		if used <= width || i == start || text[i] == ' ' {
			continue
		}
		if next <= start {
			next = i
		}
		rows = append(rows, string(text[start:next]))
		start, used = next, 0
		i = next - 1
	}
	if start < len(text) {
		rows = append(rows, string(text[start:]))
	}
	return rows
}

// mayBreak tells whether a row may end with a and the next begin with b. Chinese and Japanese have no spaces but don't begin a row
// with closing punctuation, small kana or a sign that repeats or lengthens the one before, nor end it with an opening bracket
// (JIS X 4051). Korean breaks at its spaces.
func mayBreak(a, b rune) bool {
	if a == ' ' || b == ' ' {
		return a == ' '
	}
	square := func(r rune) bool { return isEast(r) && !unicode.Is(unicode.Hangul, r) }
	return (square(a) || square(b)) && !unicode.In(a, unicode.Ps, unicode.Pi) && !unicode.In(b, unicode.Pe, unicode.Pf, unicode.Po) &&
		!strings.ContainsRune("ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ", b)
}

// cut shortens s to width millimeters of the current font.
func (p *page) cut(s string, width float64) string {
	if p.width(s) <= width {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && p.width(string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// printable replaces what the fonts do not hold, so that the page never shows empty boxes without saying so.
func (p *page) printable(s string) string {
	const most = 400 // characters of one field that may reach the page
	// Some systems write é and 가 in parts, which the page would show side by side. Only such text is put together: doing it to all
	// would replace the rare forms of signs by which some people write their names.
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Mn, r) || r >= 0x1100 && r <= 0x11ff }) {
		s = norm.NFC.String(s)
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.Is(printed, r), unicode.Is(eastern, r):
			b.WriteRune(r)
		default:
			p.replaced = true
			b.WriteRune('\ufffd')
		}
	}
	return b.String()
}

// printed is what the subsets of Noto Sans hold.
var printed = &unicode.RangeTable{R16: []unicode.Range16{
	{0x20, 0x7e, 1}, {0xa1, 0x24f, 1}, {0x259, 0x259, 1}, {0x2bb, 0x2dd, 1}, {0x300, 0x304, 1}, {0x306, 0x30c, 1}, {0x323, 0x328, 1},
	{0x384, 0x38a, 1}, {0x38c, 0x38c, 1}, {0x38e, 0x3a1, 1}, {0x3a3, 0x3e1, 1}, {0x400, 0x4ff, 1}, {0x1e00, 0x1eff, 1},
	{0x2010, 0x2027, 1}, {0x2030, 0x203a, 1}, {0x2044, 0x2044, 1}, {0x20a0, 0x20bf, 1}, {0x2116, 0x2116, 1}, {0x2122, 0x2122, 1},
	{0xfffd, 0xfffd, 1},
}, LatinOffset: 1}

// eastern is what Droid Sans Fallback holds of Chinese, Japanese and Korean. Its vertical forms, and the parts of Hangul that only
// a shaping engine puts together, are left out.
var eastern = &unicode.RangeTable{R16: []unicode.Range16{
	{0x3001, 0x3003, 1}, {0x3005, 0x3007, 1}, {0x300a, 0x3019, 1}, {0x301c, 0x301f, 1}, {0x3021, 0x3029, 1}, {0x3041, 0x3094, 1},
	{0x309b, 0x309e, 1}, {0x30a0, 0x30f6, 1}, {0x30fb, 0x30fe, 1}, {0x3105, 0x3129, 1}, {0x3131, 0x3163, 1}, {0x3165, 0x318e, 1},
	{0x3200, 0x321c, 1}, {0x3220, 0x3229, 1}, {0x3231, 0x3232, 1}, {0x3239, 0x3239, 1}, {0x3260, 0x327b, 1}, {0x327f, 0x327f, 1},
	{0x32a3, 0x32a8, 1}, {0x3388, 0x33ca, 1}, {0x4e00, 0x9fa5, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfa2d, 1}, {0xff01, 0xff5e, 1},
	{0xff61, 0xff9f, 1}, {0xffe0, 0xffe6, 1},
}}
