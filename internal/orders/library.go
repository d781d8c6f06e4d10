package orders

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// shortNumber is a certificate's number where there is little room: its first two groups.
func shortNumber(number string) string {
	if len(number) < 10 {
		return number
	}
	return number[:5] + "-" + number[5:10] + "…"
}

// recordingOr reads a recording; one that is gone keeps the title that was sold.
func (s *Store) recordingOr(ctx context.Context, id int64, title string) (licensing.Recording, error) {
	rec, err := s.recording(ctx, s.DB, id)
	if errors.Is(err, db.ErrNotFound) {
		return licensing.Recording{ID: id, Title: title}, nil
	}
	return rec, err
}

// kinds of the library's filter.
const (
	filterAll  = ""
	filterPaid = "paid"
	filterFree = "free"
)

// libraryPageSize is how many licenses one page of the library shows.
const libraryPageSize = 100

// holding is a license with what its certificate says, which is all the library needs to find it.
type holding struct {
	licensing.License
	cert certificate.Certificate
}

// matches tells whether a holding answers a search: every word stands in it somewhere.
func (h holding) matches(query string) bool {
	text := strings.ToLower(strings.Join([]string{h.cert.Recording.Title, h.cert.Recording.Contributor, h.Project, h.Licensee, h.Company, h.Number, certificate.Group(h.Number), h.cert.License.Name}, "\n"))
	for _, word := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// holdings are an account's licenses that a filter and a search let through, and how many there are in all.
func (s *Store) holdings(ctx context.Context, accountID int64, show, query string) (found []holding, all int, err error) {
	held, err := s.Licensing.Held(ctx, s.DB, accountID)
	if err != nil {
		return nil, 0, err
	}
	for _, l := range held {
		if show == filterPaid && l.OrderLine == nil || show == filterFree && l.OrderLine != nil {
			continue
		}
		c, err := l.Certificate()
		if err != nil {
			return nil, 0, err
		}
		if h := (holding{l, c}); h.matches(query) {
			found = append(found, h)
		}
	}
	return found, len(held), nil
}

func (s *Store) libraryPage(w http.ResponseWriter, r *http.Request) error {
	query, show := strings.TrimSpace(r.URL.Query().Get("q")), r.URL.Query().Get("show")
	if show != filterPaid && show != filterFree {
		show = filterAll
	}
	if len(query) > 200 || !utf8.ValidString(query) {
		query = ""
	}
	found, all, err := s.holdings(r.Context(), access.From(r.Context()).ID, show, query)
	if err != nil {
		return err
	}
	at := func(show string, page int) string {
		v := url.Values{}
		for name, value := range map[string]string{"show": show, "q": query} {
			if value != "" {
				v.Set(name, value)
			}
		}
		if page > 1 {
			v.Set("page", strconv.Itoa(page))
		}
		if len(v) == 0 {
			return "/library"
		}
		return "/library?" + v.Encode()
	}
	p := ui.LibraryPage{Query: query, Total: all, Filters: []ui.Link{
		{Text: "All", URL: at(filterAll, 1), Current: show == filterAll}, {Text: "Licensed", URL: at(filterPaid, 1), Current: show == filterPaid}, {Text: "Free", URL: at(filterFree, 1), Current: show == filterFree},
		{Text: "Orders and invoices", URL: "/orders"}}}
	p.Pager.Pages = (len(found) + libraryPageSize - 1) / libraryPageSize
	page, _ := strconv.Atoi(r.URL.Query().Get("page")) // anything else is the first page
	p.Pager.Page = min(max(page, 1), max(p.Pager.Pages, 1))
	if p.Pager.Page > 1 {
		p.Pager.Prev = at(show, p.Pager.Page-1)
	}
	if p.Pager.Page < p.Pager.Pages {
		p.Pager.Next = at(show, p.Pager.Page+1)
	}
	from := (p.Pager.Page - 1) * libraryPageSize
	if p.Groups, err = s.libraryGroups(r.Context(), found[from:min(from+libraryPageSize, len(found))]); err != nil {
		return err
	}
	if len(p.Groups) == 0 {
		p.Empty = &ui.Empty{Title: "Nothing licensed yet", Text: "What you license or download for free is kept here.", Out: &ui.Link{Text: "Search sounds", URL: "/search"}}
		if all > 0 {
			p.Empty = &ui.Empty{Title: "Nothing here matches", Text: "Your library holds " + ui.Plural(all, "license", "licenses") + ".", Out: &ui.Link{Text: "Show all", URL: "/library"}}
		}
	}
	return s.Site.Page(w, r, web.View{Title: "Library", Edit: noIndex}, ui.Library(p))
}

// libraryGroups puts licenses under their projects, in the order of their newest.
func (s *Store) libraryGroups(ctx context.Context, list []holding) ([]ui.LibraryGroup, error) {
	ids := make([]int64, len(list))
	for i, h := range list {
		ids[i] = h.RecordingID
	}
	rows, err := s.draw(ctx, ids)
	if err != nil {
		return nil, err
	}
	var groups []ui.LibraryGroup
	where := map[string]int{}
	for _, h := range list {
		item, err := s.libraryItem(ctx, h, rows)
		if err != nil {
			return nil, err
		}
		name := h.Project
		if h.OrderLine == nil {
			name = "Free downloads"
		}
		i, ok := where[name]
		if !ok {
			i = len(groups)
			where[name] = i
			groups = append(groups, ui.LibraryGroup{Title: name})
		}
		groups[i].Items = append(groups[i].Items, item)
		groups[i].Note = ui.Plural(len(groups[i].Items), "license", "licenses")
	}
	return groups, nil
}

func (s *Store) libraryItem(ctx context.Context, h holding, rows drawings) (ui.LibraryItem, error) {
	rec, err := s.recordingOr(ctx, h.RecordingID, h.cert.Recording.Title)
	if err != nil {
		return ui.LibraryItem{}, err
	}
	item := ui.LibraryItem{Sound: rows.of(rec), Model: h.cert.License.Name, Certificate: &ui.Link{Text: certificate.Group(h.Number), URL: "/verify/" + h.Number}, At: h.IssuedAt}
	if h.Valid() {
		item.DownloadURL, item.FileType = fmt.Sprintf("/library/%d/download", h.ID), strings.ToUpper(rec.Ext)
	} else {
		item.Revoked = "Revoked"
	}
	return item, nil
}

// takeFree gives the free license of a recording and begins its download: one click.
func (s *Store) takeFree(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, 10_000); err != nil {
		return err
	}
	me := access.From(r.Context())
	l, err := s.Licensing.TakeFree(r.Context(), me.ID, id, me.Name)
	if err != nil {
		return err
	}
	return web.See(w, r, fmt.Sprintf("/library/%d/download", l.ID))
}

// ownLicense finds the license of a download. Somebody else's does not exist; a revoked one is refused with its reason.
func (s *Store) ownLicense(r *http.Request) (licensing.License, licensing.Recording, error) {
	me := access.From(r.Context())
	id, err := web.PathID(r, "license")
	if err != nil {
		return licensing.License{}, licensing.Recording{}, err
	}
	l, err := s.Licensing.License(r.Context(), s.DB, id)
	if err != nil {
		return l, licensing.Recording{}, err
	}
	if !me.SignedIn() || l.AccountID != me.ID {
		return l, licensing.Recording{}, web.NotFound()
	}
	if !l.Valid() {
		return l, licensing.Recording{}, web.Refuse(http.StatusForbidden, "This license was revoked: %s. It gives no download any more.", strings.TrimRight(l.RevokedWhy, ". "))
	}
	rec, err := s.recording(r.Context(), s.DB, l.RecordingID)
	if err != nil {
		return l, rec, err
	}
	if err := web.Allow(r, access.Object{Owner: rec.OwnerID, Public: rec.Published, Licensed: true}); err != nil {
		return l, rec, err
	}
	return l, rec, nil
}

// downloadOriginal sends the uploaded bytes as they are, with ranges.
func (s *Store) downloadOriginal(w http.ResponseWriter, r *http.Request) error {
	l, rec, err := s.ownLicense(r)
	if err != nil {
		return err
	}
	if s.Original == nil {
		return errors.New("orders.Store.Original is not set")
	}
	return s.Original(w, r, rec.ID, l.ID)
}

// downloadZip sends the original with its papers: the signed certificate, its page to print, and the line to credit.
func (s *Store) downloadZip(w http.ResponseWriter, r *http.Request) error {
	l, rec, err := s.ownLicense(r)
	if err != nil {
		return err
	}
	if err := s.Site.Limits.Take(web.DownloadByBuyer, strconv.FormatInt(l.AccountID, 10), s.Now()); err != nil {
		return err
	}
	zipped := func() { // set when nothing can go wrong any more: an error is a page, not a file
		h := w.Header()
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", attachment(fileName(rec, "zip")))
		h.Set("Cache-Control", "private, no-store")
	}
	if r.Method == http.MethodHead { // asks what it is; nothing is downloaded
		zipped()
		return nil
	}
	papers, err := s.papers(r.Context(), l, rec)
	if err != nil {
		return err
	}
	original, err := s.Blobs.Open(r.Context(), blob.Ref(rec.SHA256))
	if err != nil {
		return fmt.Errorf("open original of recording %d: %w", rec.ID, err)
	}
	defer original.Close()
	if s.Downloaded == nil {
		return errors.New("orders.Store.Downloaded is not set")
	}
	if err := s.Downloaded(r.Context(), l.AccountID, Taken{l.RecordingID, l.ID}); err != nil {
		return err
	}
	zipped()
	z := zip.NewWriter(w)
	issued := time.UnixMicro(l.IssuedAt).UTC()
	// Sound does not shrink: it is stored, so that the download is as fast as the disk.
	f, err := z.CreateHeader(&zip.FileHeader{Name: fileName(rec, rec.Ext), Method: zip.Store, Modified: issued})
	if err == nil {
		_, err = io.Copy(f, original)
	}
	for _, p := range papers {
		if err != nil {
			break
		}
		if f, err = z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Deflate, Modified: issued}); err == nil {
			_, err = f.Write(p.body)
		}
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil { // the answer has begun: cutting the connection (net/http's ErrAbortHandler) is the only way to say that it is not whole
		s.Site.Log.Warn("download broke off", "license", l.ID, "err", web.Logged(err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

type paper struct {
	name string
	body []byte
}

func (s *Store) papers(ctx context.Context, l licensing.License, rec licensing.Recording) ([]paper, error) {
	doc, err := l.Document()
	if err != nil {
		return nil, err
	}
	pdf, err := s.Licensing.PDF(ctx, l)
	if err != nil {
		return nil, err
	}
	m, err := s.Licensing.Model(ctx, s.DB, l.ModelCode, l.ModelVersion)
	if err != nil {
		return nil, err
	}
	text := s.Licensing.Attribution(rec, m) + "\r\n\r\nCertificate " + certificate.Group(l.Number) + ", to be checked at " + s.Licensing.VerifyURL(l) + "\r\n"
	return []paper{{"attribution.txt", []byte(text)}, {"certificate.json", doc}, {"certificate.pdf", pdf}, {"license.md", []byte(m.Text)}}, nil
}

// fileName is the name under which a recording is downloaded: its id and title in plain ASCII words.
func fileName(rec licensing.Recording, ext string) string {
	var b strings.Builder
	gap := false
	for _, r := range rec.Title {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(unicode.ToLower(r))
			gap = false
		} else {
			gap = true
		}
		if b.Len() > 80 {
			break
		}
	}
	name := strconv.FormatInt(rec.ID, 10)
	if b.Len() > 0 {
		name += "-" + b.String()
	}
	return name + "." + ext
}

func attachment(name string) string { return fmt.Sprintf("attachment; filename=%q", name) }
