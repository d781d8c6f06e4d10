package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/andybalholm/brotli"

	"audiomicro/internal/access"
	"audiomicro/internal/web/ui"
)

// fail turns an error into an answer: JSON for API routes, a page otherwise; visitors of pages are led to sign in.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	st := state(r.Context())
	p := asPublic(err)
	if p == nil {
		if r.Context().Err() != nil {
			panic(http.ErrAbortHandler) // the visitor has gone: an empty answer would look like success
		}
		s.Log.Error("request failed", "request", st.id, "err", Logged(err))
		p = &Public{Status: http.StatusInternalServerError, Text: "Something went wrong. Nothing was lost that we had confirmed. Request " + st.id + "."}
	} else if p.Err != nil && p.Status >= 500 {
		s.Log.Error("request failed", "request", st.id, "err", Logged(err))
	}
	if rec, ok := w.(*recorder); ok {
		if rec.status != 0 {
			return // the answer has begun: the connection tells the rest
		}
		rec.guard = nil
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case st.route != nil && st.route.Error != nil:
		st.route.Error(w, r, p.Status, p.Text)
	case st.route != nil && st.route.API || WantsJSON(r):
		WriteJSON(w, p.Status, map[string]string{"detail": p.Text, "request": st.id})
	case p.Status == http.StatusUnauthorized && !access.From(r.Context()).SignedIn():
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(BackTo(r)), http.StatusSeeOther)
	default:
		page := ui.ErrorPage{Status: p.Status, Title: title(p.Status), Text: p.Text}
		s.write(w, r, p.Status, View{Title: title(p.Status)}, ui.Error(page))
	}
}

// Logged is an error's text for a log line. An error of a connection names the addresses at both ends, of which one is the
// visitor's: they are left out.
func Logged(err error) string {
	text := err.Error()
	var op *net.OpError
	if errors.As(err, &op) && op.Op != "dial" && op.Err != nil { // who dials is this program, and whom it dials is in the settings
		text = strings.ReplaceAll(text, op.Error(), op.Op+" "+op.Net+": "+op.Err.Error())
	}
	return text
}

// address is a visitor's as net/http writes it: an IP address with a port.
var address = regexp.MustCompile(`(\d{1,3}(\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+(%\w+)?\]):\d+`)

// ServerLog is the log for http.Server.ErrorLog: its lines go into l, without the visitors' addresses that net/http puts there.
func ServerLog(l *slog.Logger) *log.Logger { return log.New(serverLines{l}, "", 0) }

type serverLines struct{ log *slog.Logger }

func (s serverLines) Write(line []byte) (int, error) {
	s.log.Warn("http server", "err", address.ReplaceAllString(strings.TrimSpace(string(line)), "(address)"))
	return len(line), nil
}

// WantsJSON tells whether a request asks for JSON and not for a page.
func WantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// BackTo is where a visitor goes after signing in: the page itself, or for a form the page it was on.
func BackTo(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead { // who asks for the head alone is to read of the same page
		return r.URL.RequestURI()
	}
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host {
		return u.RequestURI()
	}
	return "/"
}

// SafePath gives back next when it is a path on this site, else "/". Anything a browser could read as another host is refused.
func SafePath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n\x00") {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return next
}

func title(status int) string {
	switch status {
	case http.StatusNotFound:
		return "Not found"
	case http.StatusForbidden:
		return "Not allowed"
	case http.StatusTooManyRequests:
		return "Too many tries"
	case http.StatusInternalServerError:
		return "Something went wrong"
	}
	return "That did not work"
}

// View is what a page tells its frame.
type View struct {
	Title       string
	Description string
	Section     string
	Query       string
	Image       string // absolute address
	Canonical   string // path
	JSONLD      string
	HideSearch  bool
	Status      int // 0 means 200
	Edit        func(*ui.Frame)
}

// Page writes a page in the site's frame. Pages of signed-in people are never cached.
func (s *Site) Page(w http.ResponseWriter, r *http.Request, v View, body templ.Component) error {
	status := v.Status
	if status == 0 {
		status = http.StatusOK
	}
	return s.write(w, r, status, v, body)
}

// PartHeader is what a script sends that wants only the part of a page that changes. Its value names the part.
const PartHeader = "Am-Part"

// WantsPart tells whether a request asks for the named part of a page, and notes that the answer depends on it.
func WantsPart(w http.ResponseWriter, r *http.Request, name string) bool {
	w.Header().Add("Vary", PartHeader)
	return r.Header.Get(PartHeader) == name
}

// Part writes a part of a page, without a frame: what surrounds it is on the visitor's screen already, and costs no reading
// of carts and names for every key that is typed.
func (s *Site) Part(w http.ResponseWriter, r *http.Request, body templ.Component) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	if err := body.Render(r.Context(), buf); err != nil {
		return err
	}
	return html(w, r, http.StatusOK, buf.Bytes())
}

// html writes a page or a part of one. Those of signed-in people are never kept by anybody between us and them.
func html(w http.ResponseWriter, r *http.Request, status int, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding, Cookie")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	return WriteBody(w, r, status, body)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (s *Site) write(w http.ResponseWriter, r *http.Request, status int, v View, body templ.Component) error {
	f := ui.Frame{SiteName: s.Name}
	if s.Frame != nil {
		f = s.Frame(r)
	}
	f.Title, f.Description, f.Section, f.Query, f.Image, f.JSONLD, f.HideSearch = v.Title, v.Description, v.Section, v.Query, v.Image, v.JSONLD, v.HideSearch
	f.Path = r.URL.RequestURI()
	if v.Canonical != "" {
		f.Canonical = s.URL + v.Canonical
	}
	if n, ok := takeNotice(w, r, s.Secure); ok {
		f.Notice = n
	}
	if v.Edit != nil {
		v.Edit(&f)
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	if err := ui.Page(f, body).Render(r.Context(), buf); err != nil {
		return err
	}
	return html(w, r, status, buf.Bytes())
}

// WriteBody writes a body whose headers are set, with brotli when the visitor takes it.
func WriteBody(w http.ResponseWriter, r *http.Request, status int, body []byte) error {
	if len(body) < 1024 || r.Method == http.MethodHead || !takesBrotli(r) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, err := w.Write(body)
		return err
	}
	w.Header().Set("Content-Encoding", "br")
	w.WriteHeader(status)
	// A part answers a key that was typed just now: the lightest level takes 0.5 ms for 80 KB where a page's takes 8, and is worth
	// its third of bytes more.
	pool := &packers
	if r.Header.Get(PartHeader) != "" {
		pool = &lightPackers
	}
	bw := pool.Get().(*brotli.Writer)
	defer pool.Put(bw)
	bw.Reset(w)
	if _, err := bw.Write(body); err != nil {
		return err
	}
	return bw.Close()
}

// A writer holds 10 MB of tables at a page's level: new ones for every answer would keep the garbage collector busy.
var (
	packers      = sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, 5) }}
	lightPackers = sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, 1) }}
)

// takesBrotli tells whether a visitor takes brotli: named in Accept-Encoding, and not with a weight of zero (RFC 9110, section
// 12.5.3).
func takesBrotli(r *http.Request) bool {
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, weighted := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "br") {
			_, q, _ := strings.Cut(weight, "=")
			v, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return !weighted || err == nil && v > 0
		}
	}
	return false
}

// WriteJSON writes v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(true)
	if err := enc.Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(buf.Bytes())
	return err
}

// ReadJSON reads a bounded JSON body into v; unknown fields and trailing text are refused.
func ReadJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return err
		}
		return &Public{Status: http.StatusBadRequest, Text: "The request's JSON cannot be read: " + err.Error() + ".", Err: err}
	}
	if dec.Decode(&struct{}{}) != io.EOF {
		return Refuse(http.StatusBadRequest, "The request holds more than one JSON value.")
	}
	return nil
}

// ParseForm reads a form of at most limit bytes. Values that are no text (NUL, bytes that are not UTF-8) are refused; the
// marks that turn the direction of what stands around them (Unicode Standard Annex 9, section 2: embeddings, overrides and
// isolates) are taken out of every value, for shown among other people's words they make a name look like another.
func ParseForm(w http.ResponseWriter, r *http.Request, limit int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if err := r.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return err
		}
		return &Public{Status: http.StatusBadRequest, Text: "The form cannot be read. Go back and send it again.", Err: err}
	}
	for _, form := range []url.Values{r.PostForm, r.Form} {
		for _, values := range form {
			for i, v := range values {
				if !isText(v) {
					return Refuse(http.StatusUnprocessableEntity, "A field of this form holds bytes that are no text. Go back, remove them and send it again.")
				}
				values[i] = strings.Map(unturned, v)
			}
		}
	}
	return nil
}

// isText tells whether s can be stored and shown as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func unturned(r rune) rune {
	if r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
		return -1
	}
	return r
}

// PathID reads an int64 id from the route's {name}; anything else does not exist.
func PathID(r *http.Request, name string) (int64, error) {
	text := r.PathValue(name)
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != text {
		return 0, NotFound()
	}
	return id, nil
}

// See leads the visitor to a path on this site after a form was taken.
func See(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, SafePath(path), http.StatusSeeOther)
	return nil
}

const noticeCookie = "am_notice"

// Notify leaves one sentence that the next page shows as a toast.
func Notify(w http.ResponseWriter, secure bool, text string) { NotifyUndo(w, secure, text, "") }

// NotifyUndo leaves one sentence with a button that takes the act back: it posts to undo, a path on this site.
func NotifyUndo(w http.ResponseWriter, secure bool, text, undo string) {
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Value: url.QueryEscape(text + "\n" + undo), Path: "/", MaxAge: 60, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

func takeNotice(w http.ResponseWriter, r *http.Request, secure bool) (*ui.Notice, bool) {
	c, err := r.Cookie(noticeCookie)
	if err != nil || c.Value == "" {
		return nil, false
	}
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
	text, err := url.QueryUnescape(c.Value)
	if err != nil || len(text) > 500 {
		return nil, false
	}
	text, undo, _ := strings.Cut(text, "\n")
	if undo != "" {
		undo = SafePath(undo)
	}
	return &ui.Notice{Text: text, UndoURL: undo}, true
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err) // only constants come here
	}
	return u
}

// recorder remembers the status and size of an answer, and lets a guard look at it before it goes out.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	guard  func(status int)
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		if w.guard != nil {
			w.guard(status)
		}
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
