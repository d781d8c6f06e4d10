package licensing

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/spectrum"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Routes lists this domain's routes.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /licenses", Action: access.Look, Handle: s.licensesPage},
		{Pattern: "GET /licenses/key", Action: access.Look, Handle: s.keyFile},
		{Pattern: "GET /licenses/{code}", Action: access.Look, Handle: s.licensePage},
		{Pattern: "GET /verify", Action: access.Look, Handle: s.verifyForm},
		{Pattern: "GET /verify/{certificate}", Action: access.Look, Handle: s.verifyPage},
		{Pattern: "GET /admin/licenses", Action: access.Administer, Handle: s.adminList},
		{Pattern: "GET /admin/licenses/{code}", Action: access.Administer, Handle: s.adminForm},
		{Pattern: "POST /admin/licenses/{code}", Action: access.Administer, Handle: s.adminSave},
	}
}

func (s *Store) licensesPage(w http.ResponseWriter, r *http.Request) error {
	models, err := s.Models(r.Context(), s.DB)
	if err != nil {
		return err
	}
	p := ui.LicensesPage{Intro: "One license covers one recording. What it allows is printed on your certificate, and anyone can check that. Contributors set their own prices; those here are usual."}
	compare := ui.Table{Caption: "What each paid license allows", Head: []ui.Column{{Title: "License"}, {Title: "Projects", Figure: true}, {Title: "Copies", Figure: true},
		{Title: "Ad reach", Figure: true}, {Title: "Broadcast", Figure: true}, {Title: "Cinema"}, {Title: "Client work"}, {Title: "Music", Figure: true}, {Title: "Effects", Figure: true}}}
	for _, m := range models {
		if !m.Active || m.ImportsOnly {
			continue
		}
		card := ui.LicenseCard{Name: m.Name, URL: "/licenses/" + m.Code, Summary: m.Summary, Covered: m.Terms.Covered(), NotCovered: m.Terms.NotCovered()}
		if m.IsFree() {
			card.Price = "Free"
			p.Free = append(p.Free, card)
			continue
		}
		card.Price = usual(m, s.Currency)
		p.Paid = append(p.Paid, card)
		broadcast := "no"
		if m.Terms.Broadcast {
			broadcast = limitText(m.Terms.Audience)
		}
		compare.Rows = append(compare.Rows, []ui.Cell{{Text: m.Name, URL: card.URL}, {Text: limitText(m.Terms.Projects)}, {Text: limitText(m.Terms.Copies)}, {Text: limitText(m.Terms.AdReach)},
			{Text: broadcast}, {Text: yes(m.Terms.Theatrical)}, {Text: yes(m.Terms.ClientWork)},
			{Text: money.Of(m.MusicMinor, s.Currency).String(), Sub: "usual"}, {Text: money.Of(m.SFXMinor, s.Currency).String(), Sub: "usual"}})
	}
	p.Compare = compare
	return s.Site.Page(w, r, web.View{Title: "Licensing", Section: ui.SectionLicensing, Canonical: "/licenses", Description: "The licenses of this site in plain words, side by side."}, ui.Licenses(p))
}

// usual is the range of a model's usual prices: sound effects to music.
func usual(m Model, currency string) string {
	low, high := money.Of(min(m.SFXMinor, m.MusicMinor), currency), money.Of(max(m.SFXMinor, m.MusicMinor), currency)
	if low == high {
		return low.String()
	}
	return low.String() + "–" + high.String()
}

func limitText(n int64) string {
	switch {
	case n == Unlimited:
		return "unlimited"
	case n == 0:
		return "none"
	}
	return ui.Count(int(n))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (s *Store) licensePage(w http.ResponseWriter, r *http.Request) error {
	version := int64(0)
	if v := r.URL.Query().Get("version"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n <= 0 {
			return web.NotFound()
		}
		version = n
	}
	code, raw := strings.CutSuffix(r.PathValue("code"), ".md")
	m, err := s.Model(r.Context(), s.DB, code, version)
	if err != nil {
		return err
	}
	if raw {
		return s.file(w, "text/markdown; charset=utf-8", fmt.Sprintf("%s-%d.md", m.Code, m.Version), []byte(m.Text))
	}
	all, err := s.Versions(r.Context(), code)
	if err != nil {
		return err
	}
	p := ui.LicensePage{Name: m.Name, Summary: m.Summary, Covered: m.Terms.Covered(), NotCovered: m.Terms.NotCovered(), TextHTML: textHTML(m.Text),
		Version: fmt.Sprintf("Version %d of %s", m.Version, ui.Date(m.CreatedAt))}
	p.Facts = []ui.Fact{{Label: "Term", Value: m.Terms.Duration()}, {Label: "Territory", Value: m.Terms.Territory}, {Label: "People with the file", Value: limitText(m.Terms.Seats)}}
	for _, c := range m.Terms.Conditions() {
		p.Facts = append(p.Facts, ui.Fact{Label: "Condition", Value: c})
	}
	if !m.IsFree() {
		p.Facts = append(p.Facts, ui.Fact{Label: "Lowest price", Value: money.Of(m.FloorMinor, s.Currency).String()})
	}
	if !m.Active {
		p.Facts = append(p.Facts, ui.Fact{Label: "State", Value: "no longer offered; licenses sold go on"})
	}
	p.Facts = append(p.Facts, ui.Fact{Label: "Text SHA-256", Value: m.TextSHA256, Mono: true},
		ui.Fact{Label: "Text as it is hashed", Value: fmt.Sprintf("%s-%d.md", m.Code, m.Version), URL: fmt.Sprintf("/licenses/%s.md?version=%d", m.Code, m.Version), Mono: true})
	if m.Deed != "" {
		p.Deed = &ui.Link{Text: "The license at its source", URL: m.Deed}
	}
	if len(all) > 1 {
		for _, v := range all {
			p.Versions = append(p.Versions, ui.Link{Text: fmt.Sprintf("Version %d, %s", v.Version, ui.Date(v.CreatedAt)), URL: fmt.Sprintf("/licenses/%s?version=%d", code, v.Version), Current: v.Version == m.Version})
		}
	}
	return s.Site.Page(w, r, web.View{Title: m.Name + " license", Section: ui.SectionLicensing, Canonical: "/licenses/" + code, Description: m.Summary}, ui.License(p))
}

func (s *Store) keyFile(w http.ResponseWriter, r *http.Request) error {
	keys, err := s.PublicKeys(r.Context())
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for _, k := range keys {
		text, err := certificate.EncodeKey(k)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "Key %s, Ed25519, signs license certificates of %s\n%s", certificate.KeyID(k), s.SiteURL, text)
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `attachment; filename="license-key.pem"`)
	_, err = w.Write(out.Bytes())
	return err
}

func (s *Store) verifyForm(w http.ResponseWriter, r *http.Request) error {
	p := ui.VerifyPage{Number: r.URL.Query().Get("number"), KeyURL: "/licenses/key"}
	status := http.StatusOK
	if strings.TrimSpace(p.Number) != "" {
		number, err := certificate.ParseNumber(p.Number)
		if err == nil {
			return web.See(w, r, "/verify/"+number)
		}
		p.Error = "A certificate number has 26 letters and digits, without I, L, O and U. Compare it with the certificate."
		if len(p.Number) > 80 {
			p.Number = p.Number[:80]
		}
		p.Number = strings.ToValidUTF8(p.Number, "")
		status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, web.View{Title: "Verify a certificate", Section: ui.SectionLicensing, Canonical: "/verify", Status: status}, ui.Verify(p))
}

// verifyPage answers /verify/NUMBER, NUMBER.json and NUMBER.pdf. Who has the number may see the certificate: it is 128 random bits.
func (s *Store) verifyPage(w http.ResponseWriter, r *http.Request) error {
	number, kind := r.PathValue("certificate"), ""
	for _, ext := range []string{".json", ".pdf"} {
		if n, ok := strings.CutSuffix(number, ext); ok {
			number, kind = n, ext
		}
	}
	v, err := s.Verify(r.Context(), number)
	if errors.Is(err, db.ErrNotFound) {
		if kind != "" {
			return web.NotFound()
		}
		return s.Site.Page(w, r, web.View{Title: "Verify a certificate", Section: ui.SectionLicensing, Status: http.StatusNotFound},
			ui.Verify(ui.VerifyPage{Number: clip(number), Error: "This site issued no certificate with that number. Compare it with the certificate, or ask whoever showed it to you.", KeyURL: "/licenses/key"}))
	}
	if err != nil {
		return err
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	switch kind {
	case ".json":
		doc, err := v.License.Document()
		if err != nil {
			return err
		}
		return s.file(w, "application/json", certificate.Group(v.License.Number)+".json", doc)
	case ".pdf":
		doc, err := s.PDF(r.Context(), v.License)
		if err != nil {
			return err
		}
		return s.file(w, "application/pdf", certificate.Group(v.License.Number)+".pdf", doc)
	}
	p, err := s.certificatePage(r.Context(), v)
	if err != nil {
		return err
	}
	if a := access.From(r.Context()); a.SignedIn() && a.ID == v.License.AccountID {
		p.Crumb = &ui.Link{Text: "Library", URL: "/library"}
	}
	return s.Site.Page(w, r, web.View{Title: "License " + p.Number, Section: ui.SectionLicensing, Edit: func(f *ui.Frame) { f.NoIndex = true }}, ui.Certificate(p))
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "")
	}
	return s
}

func (s *Store) file(w http.ResponseWriter, contentType, name string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "private, no-store")
	_, err := w.Write(body)
	return err
}

// VerifyURL is the public address at which a license is checked.
func (s *Store) VerifyURL(l License) string { return s.SiteURL + "/verify/" + l.Number }

// PDF prints a license's certificate.
func (s *Store) PDF(ctx context.Context, l License) ([]byte, error) {
	c, err := l.Certificate()
	if err != nil {
		return nil, err
	}
	rec, err := s.recording(ctx, s.DB, l.RecordingID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return nil, err
	}
	return certificate.PDF(certificate.Sheet{Certificate: c, Signature: l.Signature, Bars: bars(rec.Wave), VerifyURL: s.VerifyURL(l), Revoked: revokedText(l)})
}

func revokedText(l License) string {
	if l.Valid() {
		return ""
	}
	return fmt.Sprintf("Revoked on %s. %s", time.UnixMicro(*l.RevokedAt).UTC().Format("2 January 2006"), l.RevokedWhy)
}

// bars turns a recording's stored drawing into the certificate's; nothing when there is none.
func bars(wave string) []certificate.Bar {
	w, err := spectrum.DecodeWide(wave)
	if err != nil || len(w.Bars) == 0 {
		return nil
	}
	out := make([]certificate.Bar, len(w.Bars))
	for i, b := range w.Bars {
		out[i] = certificate.Bar{Up: math.Max(float64(b.High), 0) / 127, Down: math.Max(-float64(b.Low), 0) / 127, Tone: int(b.Tone)}
	}
	return out
}

func (s *Store) certificatePage(ctx context.Context, v Verdict) (ui.CertificatePage, error) {
	c, l := v.Certificate, v.License
	if v.Err != nil { // show what the row says; the sheet says that it proves nothing
		var err error
		if c, err = l.Certificate(); err != nil {
			c = certificate.Certificate{Number: l.Number, Issued: time.UnixMicro(l.IssuedAt), Licensee: certificate.Licensee{Name: l.Licensee, Company: l.Company}, Project: l.Project}
		}
	}
	rec, err := s.recording(ctx, s.DB, l.RecordingID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return ui.CertificatePage{}, err
	}
	licensee := c.Licensee.Name
	if c.Licensee.Company != "" {
		licensee += ", " + c.Licensee.Company
	}
	term := c.License.Terms.Duration()
	if c.License.Terms.Territory != "" {
		term += ", " + c.License.Terms.Territory
	}
	p := ui.CertificatePage{
		Number: certificate.Group(l.Number), IssuedAt: l.IssuedAt, Issuer: c.Issuer.Name, Title: c.Recording.Title, By: c.Recording.Contributor,
		RecordingRef: fmt.Sprintf("recording %d", l.RecordingID), BigBars: rec.Wave, Bars: rec.Bars, Licensee: licensee, Project: c.Project,
		License: fmt.Sprintf("%s, version %d", c.License.Name, c.License.Version), Term: term, Covered: c.License.Terms.Covered(), NotCovered: c.License.Terms.NotCovered(),
		Hashes: []ui.Fact{{Label: "File SHA-256", Value: c.Recording.SHA256, Mono: true}, {Label: "Terms SHA-256", Value: c.License.TextSHA256, Mono: true},
			{Label: "Signed, Ed25519", Value: base64.StdEncoding.EncodeToString(l.Signature), Mono: true}},
		VerifyURL: s.VerifyURL(l),
		Warranty:  "Anyone can check this page at " + s.VerifyURL(l) + ", or the signed file offline with the public key at " + s.SiteURL + "/licenses/key.",
		Actions: []ui.Button{{Label: "Signed file", URL: "/verify/" + l.Number + ".json", Native: true},
			{Label: "PDF", Kind: "main", Icon: "download", URL: "/verify/" + l.Number + ".pdf", Native: true}},
	}
	if c.Recording.Fingerprint != "" {
		p.Hashes = append(p.Hashes[:1:1], append([]ui.Fact{{Label: "Sound print SHA-256", Value: c.Recording.Fingerprint, Mono: true}}, p.Hashes[1:]...)...)
	}
	if conditions := c.License.Terms.Conditions(); len(conditions) > 0 {
		p.Warranty = strings.Join(conditions, ". ") + ". " + p.Warranty
	}
	if rec.Published {
		p.RecordingURL = fmt.Sprintf("/recordings/%d", rec.ID)
	}
	if p.QR, err = certificate.QR(p.VerifyURL); err != nil {
		return p, err
	}
	p.Facts = []ui.Fact{{Label: "License", Value: c.License.Name, URL: fmt.Sprintf("/licenses/%s?version=%d", l.ModelCode, l.ModelVersion)}, {Label: "File", Value: c.Recording.FileName, Mono: true},
		{Label: "Size", Value: ui.Bytes(c.Recording.Bytes)}, {Label: "Key", Value: l.KeyID, URL: "/licenses/key", Mono: true}}
	switch {
	case v.Err != nil:
		p.Status, p.StatusText = "Not valid", "The stored certificate does not match its signature: "+v.Err.Error()+". Do not rely on it and tell the operator of this site."
	case !l.Valid():
		p.Status, p.StatusText = "Revoked", revokedText(l)
	default:
		p.Valid, p.Status, p.StatusText = true, "Valid and signed", "The signature was checked just now, and the license was not revoked."
	}
	if rec.ID != 0 {
		m, err := s.Model(ctx, s.DB, l.ModelCode, l.ModelVersion)
		if err != nil {
			return p, err
		}
		p.Credit = s.Attribution(rec, m)
	}
	return p, nil
}
