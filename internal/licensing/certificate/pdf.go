package certificate

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"rsc.io/qr"
)

// fonts are subsets of Noto Sans and Noto Sans Mono (SIL Open Font License, font/OFL.txt): Latin, Greek and Cyrillic; and Droid Sans
// Fallback (Apache License, font/Apache-2.0.txt): Chinese, Japanese and Korean.
//
//go:embed font/*.ttf font/*.ttf.gz
var fonts embed.FS

// Sheet is what the printed certificate shows.
type Sheet struct {
	Certificate Certificate
	Signature   []byte
	Bars        []Bar  // the recording's drawing; none leaves the seal's rings empty
	VerifyURL   string // the public address of the verify page of this certificate
	Revoked     string // why and when the license was revoked; empty when it is valid
}

// Colors of the light theme (tokens.css), for paper.
var (
	ink, ink2, ink3 = rgb{20, 26, 32}, rgb{71, 78, 84}, rgb{95, 102, 108}
	hairline        = rgb{223, 225, 227}
	good, bad       = rgb{3, 109, 61}, rgb{185, 34, 41}
	tones           = [8]rgb{{172, 39, 34}, {190, 69, 0}, {183, 104, 0}, {159, 125, 0}, {99, 144, 56}, {32, 149, 121}, {32, 145, 164}, {54, 132, 205}}
)

type rgb struct{ r, g, b int }

// page wraps the PDF writer with what this sheet needs: colors, and text that is cut to its place.
type page struct {
	*fpdf.Fpdf
	replaced bool // a text held characters that the fonts cannot print
	east     bool // the font for Chinese, Japanese and Korean was added
}

// Margins and columns of the A4 sheet, in millimeters.
const (
	left, right = 20.0, 190.0
	middle      = 108.0
	sealX       = 162.0
	sealY       = 72.0
	sealRadius  = 27.0
)

// PDF prints the certificate on one A4 page. The same sheet always gives the same bytes. Characters outside Latin, Greek,
// Cyrillic, Chinese, Japanese and Korean are printed as a replacement sign, and the page says that the signed document holds the
// exact text.
func PDF(s Sheet) ([]byte, error) {
	p := &page{Fpdf: fpdf.New("P", "mm", "A4", "")}
	for style, file := range map[string]string{"": "font/NotoSans-Regular-subset.ttf", "B": "font/NotoSans-Bold-subset.ttf"} {
		if err := p.addFont("sans", style, file); err != nil {
			return nil, err
		}
	}
	if err := p.addFont("mono", "", "font/NotoSansMono-ascii.ttf"); err != nil {
		return nil, err
	}
	c := s.Certificate
	p.SetCatalogSort(true)
	p.SetCreationDate(c.Issued.UTC())
	p.SetModificationDate(c.Issued.UTC())
	p.SetTitle("License "+Group(c.Number), true)
	p.SetCreator("AudioMicro", true)
	p.SetProducer("AudioMicro", true)
	p.SetAutoPageBreak(false, 0)
	p.SetCellMargin(0)
	p.AddPage()

	p.head(c)
	p.sound(s)
	y := p.terms(c, 132)
	if err := p.proof(s, max(y+6, 186)); err != nil {
		return nil, err
	}
	if s.Revoked != "" {
		p.revoked(s.Revoked)
	}
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("print certificate %s: %w", c.Number, err)
	}
	return out.Bytes(), nil
}

func (p *page) addFont(family, style, file string) error {
	b, err := fonts.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read font: %w", err)
	}
	p.AddUTF8FontFromBytes(family, style, b)
	return p.Error()
}

// addEast adds the font for Chinese, Japanese and Korean. It is unpacked for each page that needs it, not kept: 3.4 MB that few
// certificates use would lie in memory for good.
func (p *page) addEast() error {
	b, err := fonts.ReadFile("font/DroidSansFallback.ttf.gz")
	if err != nil {
		return fmt.Errorf("read font: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("unpack font: %w", err)
	}
	if b, err = io.ReadAll(z); err != nil {
		return fmt.Errorf("unpack font: %w", err)
	}
	p.east = true
	p.AddUTF8FontFromBytes("east", "", b)
	return p.Error()
}

func (p *page) head(c Certificate) {
	// The mark: five rounded bars on a 24-unit grid, 9 mm high.
	const unit = 9.0 / 24
	p.SetLineCapStyle("round")
	p.SetLineWidth(2.6 * unit)
	for _, m := range []struct {
		x, from, to float64
		tone        int
	}{{3.5, 4, 21.5, 0}, {7.75, 13.5, 17.1, 2}, {12, 15, 17.6, 3}, {16.25, 13.5, 17.1, 5}, {20.5, 4, 17.6, 7}} {
		p.draw(tones[m.tone])
		p.Line(left+m.x*unit, 19+m.from*unit, left+m.x*unit, 19+m.to*unit)
	}
	p.SetLineCapStyle("butt")
	p.text(left+12, 21, 70, 15, "B", ink, c.Issuer.Name)
	p.textRight(right, 19.5, 92, 10, "B", ink, "Certificate of license")
	p.textRight(right, 24.5, 92, 8.5, "", ink2, Group(c.Number))
	p.textRight(right, 28.7, 92, 8.5, "", ink2, "issued "+c.Issued.UTC().Format("2 January 2006, 15:04 UTC"))
	p.draw(ink)
	p.SetLineWidth(.6)
	p.Line(left, 36, right, 36)
}

func (p *page) sound(s Sheet) {
	c := s.Certificate
	p.text(left, 43, 100, 8.5, "", ink3, "Sound recording")
	y := p.lines(left, 47.5, 104, 17, 2, "B", ink, c.Recording.Title)
	p.text(left, y+1, 104, 9.5, "", ink2, fmt.Sprintf("by %s, recording %d, %s", c.Recording.Contributor, c.Recording.ID, length(c.Recording.DurationMS)))

	const waveY, waveWidth, waveHalf = 79.0, 104.0, 7.5
	p.SetLineWidth(.32)
	if n := min(len(s.Bars), 240); n > 0 {
		for i := range n {
			b := strongest(s.Bars, i*len(s.Bars)/n, (i+1)*len(s.Bars)/n)
			x := left + waveWidth*(float64(i)+.5)/float64(n)
			p.draw(tones[b.Tone&7])
			p.Line(x, waveY-max(clamp(b.Up)*waveHalf, .15), x, waveY+max(clamp(b.Down)*waveHalf, .15))
		}
	}
	p.draw(ink3)
	p.SetLineWidth(.12)
	p.Circle(sealX, sealY, sealRadius*sealOuter, "D")
	p.Circle(sealX, sealY, sealRadius*sealInner, "D")
	p.SetLineWidth(.3)
	for _, line := range Seal(s.Bars) {
		p.draw(tones[line.Tone])
		p.Line(sealX+sealRadius*line.X1, sealY+sealRadius*line.Y1, sealX+sealRadius*line.X2, sealY+sealRadius*line.Y2)
	}

	licensee := c.Licensee.Name
	if c.Licensee.Company != "" {
		licensee += ", " + c.Licensee.Company
	}
	project := c.Project
	if project == "" {
		project = "Not named"
	}
	order := "Free license"
	if !c.Order.Amount.IsZero() {
		order = fmt.Sprintf("%s, %s before tax", c.Order.Number, c.Order.Amount)
	}
	term := c.License.Terms.Duration()
	if c.License.Terms.Territory != "" {
		term += ", " + c.License.Terms.Territory
	}
	for i, f := range []struct{ label, value string }{
		{"Licensee", licensee}, {"Project", project},
		{"License", fmt.Sprintf("%s, version %d", c.License.Name, c.License.Version)}, {"Term and territory", term},
		{"Order", order}, {"License code", c.License.Code},
	} {
		x, y := left+float64(i%2)*53, 91+float64(i/2)*12.5
		p.text(x, y, 50, 8, "", ink3, f.label)
		p.lines(x, y+3.6, 50, 9, 2, "B", ink, f.value)
	}
}

// terms prints what is covered and what is not, side by side, and returns the y below.
func (p *page) terms(c Certificate, y float64) float64 {
	p.rule(y)
	covered, not := c.License.Terms.Covered(), c.License.Terms.NotCovered()
	p.text(left, y+5, 80, 10.5, "B", ink, "Covered")
	p.text(middle, y+5, 80, 10.5, "B", ink, "Not covered")
	y += 12.5
	for i := range max(len(covered), len(not)) {
		row := y + 5.4*float64(i)
		p.SetLineWidth(.35)
		if i < len(covered) {
			p.draw(good)
			p.Line(left, row+2, left+1.1, row+3.1)
			p.Line(left+1.1, row+3.1, left+3.4, row+.5)
			p.text(left+6, row, 76, 9, "", ink2, covered[i])
		}
		if i < len(not) {
			p.draw(ink3)
			p.Line(middle+.3, row+.7, middle+2.7, row+3.1)
			p.Line(middle+2.7, row+.7, middle+.3, row+3.1)
			p.text(middle+6, row, 76, 9, "", ink2, not[i])
		}
	}
	y += 5.4*float64(max(len(covered), len(not))) + 1
	if conditions := c.License.Terms.Conditions(); len(conditions) > 0 {
		p.text(left, y, right-left, 9, "B", ink, strings.Join(conditions, ". ")+".")
		y += 5.4
	}
	return y
}

// proof prints the hashes, the signature and the QR code, from y down.
func (p *page) proof(s Sheet, y float64) error {
	c := s.Certificate
	p.rule(y)
	y += 4
	const qrSize = 32.0
	code, err := qr.Encode(s.VerifyURL, qr.M)
	if err != nil {
		return fmt.Errorf("draw QR code: %w", err)
	}
	module := qrSize / float64(code.Size)
	p.SetFillColor(ink.r, ink.g, ink.b)
	eachRun(code, func(x, row, n int) {
		p.Rect(right-qrSize+float64(x)*module, y+2+float64(row)*module, float64(n)*module, module, "F")
	})
	p.LinkString(right-qrSize, y+2, qrSize, qrSize, s.VerifyURL)

	for _, f := range []struct{ label, value string }{
		{"File SHA-256", c.Recording.SHA256}, {"Sound print SHA-256", c.Recording.Fingerprint},
		{"Terms SHA-256", c.License.TextSHA256}, {"Signed, Ed25519", base64.StdEncoding.EncodeToString(s.Signature)}, {"Key", c.Issuer.Key},
	} {
		if f.value == "" {
			continue
		}
		p.text(left, y, 33, 8, "", ink3, f.label)
		value := fours(f.value)
		for len(value) > 0 {
			n := min(len(value), 50)
			p.mono(left+35, y+.2, value[:n])
			value = strings.TrimPrefix(value[n:], " ")
			y += 3.7
		}
		y += 1.2
	}
	p.text(left, y+.5, 120, 8, "", ink3, "File")
	p.text(left+35, y+.5, 96, 8, "", ink2, fmt.Sprintf("%s, %s", c.Recording.FileName, count(c.Recording.Bytes, "byte", "bytes")))
	y += 8
	note := "Anyone can check this license at " + s.VerifyURL + ", or offline with the signed file beside this page and the key at " + c.Issuer.URL + "/licenses/key."
	if p.replaced {
		note += " Some characters cannot be printed here (\ufffd); the signed file holds the exact text."
	}
	p.lines(left, y, right-left, 8, 3, "", ink3, note)
	return nil
}

func (p *page) revoked(why string) {
	p.SetFillColor(255, 255, 255)
	p.draw(bad)
	p.SetLineWidth(.8)
	p.Rect(left, 262, right-left, 16, "FD")
	p.text(left+4, 265, 160, 11, "B", bad, "Revoked")
	p.text(left+4, 271, 160, 9, "", ink, why)
}

func (p *page) rule(y float64) {
	p.draw(hairline)
	p.SetLineWidth(.2)
	p.Line(left, y, right, y)
}

func (p *page) draw(c rgb) { p.SetDrawColor(c.r, c.g, c.b) }

// fours parts a hash into groups of four.
func fours(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// length writes a duration as 0:04.7.
func length(ms int64) string {
	tenths := (ms + 50) / 100
	return fmt.Sprintf("%d:%02d.%d", tenths/600, tenths/10%60, tenths%10)
}
