// Package web is the floor under every page and API: the router that refuses routes without a policy, errors that become
// answers in one place, sessions' actors, rate limits, request ids, security headers and the frame of pages.
//
// A handler is func(w, r) error. What visitors may read is a Public error; everything else is logged with its request id
// and shown as "Something went wrong."
package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web/ui"
)

// Handler answers a request or says why not.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Public is an error written for visitors.
type Public struct {
	Status int
	Text   string // one sentence: what happened, what is kept, what to do
	Err    error  // the cause, for the log only
	// RetryAfter is sent with 429 and 503.
	RetryAfter time.Duration
}

func (p *Public) Error() string {
	if p.Err != nil {
		return fmt.Sprintf("%d %s: %v", p.Status, p.Text, p.Err)
	}
	return fmt.Sprintf("%d %s", p.Status, p.Text)
}

// Unwrap gives the cause.
func (p *Public) Unwrap() error { return p.Err }

// Refuse makes an error that visitors read as it is.
func Refuse(status int, format string, args ...any) error {
	return &Public{Status: status, Text: fmt.Sprintf(format, args...)}
}

// NotFound is the answer for what does not exist or may not be seen: the two look alike.
func NotFound() error {
	return &Public{Status: http.StatusNotFound, Text: "This page does not exist, or is not public."}
}

// Route is one line of a domain's list of routes.
type Route struct {
	Pattern string        // as net/http's ServeMux takes it: "GET /recordings/{id}"
	Action  access.Action // what the request does: decides who may
	Handle  Handler
	// API routes answer errors as JSON and never redirect to the sign-in page.
	API bool
	// Cross routes accept requests from other sites: webhooks and APIs with their own credentials.
	Cross bool
	// Alike routes answer everybody the same: nobody asks who it is, so that a wrong or old credential does no harm.
	Alike bool
	// Stream routes run long: no write deadline.
	Stream bool
	// Error writes the answer for an error itself; nil for the usual page or JSON.
	Error func(w http.ResponseWriter, r *http.Request, status int, text string)
}

// Site serves all routes.
type Site struct {
	Name    string
	URL     string // public address without a trailing slash
	Secure  bool   // the public address is https
	Dev     bool
	Log     *slog.Logger
	Now     func() time.Time
	Proxies []netip.Prefix // whose X-Forwarded-For is believed
	// Actor tells who asks, from cookie or header; a nil func means visitors only.
	Actor func(r *http.Request) (access.Actor, error)
	// Frame adds what surrounds a page: the person, the cart's count, the theme.
	Frame func(r *http.Request) ui.Frame
	// Observe is told of every finished request, for metrics.
	Observe func(pattern string, status int, took time.Duration)

	// Closing is closed when the server begins to stop: streams of events end then, for they would never end by themselves.
	Closing <-chan struct{}

	Limits Limits

	routes []Route
	mux    *http.ServeMux
	cross  *http.CrossOriginProtection
	once   sync.Once
}

// Mount adds a domain's routes. A route without a known action panics: it must not go live by accident.
func (s *Site) Mount(routes ...Route) {
	for _, rt := range routes {
		if rt.Pattern == "" || rt.Handle == nil || !access.Known(rt.Action) {
			panic(fmt.Sprintf("route %q declares no known action (%q)", rt.Pattern, rt.Action))
		}
		s.routes = append(s.routes, rt)
	}
}

// Routes lists what is mounted, sorted by pattern.
func (s *Site) Routes() []Route {
	out := slices.Clone(s.routes)
	slices.SortFunc(out, func(a, b Route) int { return strings.Compare(a.Pattern, b.Pattern) })
	return out
}

func (s *Site) build() {
	s.mux = http.NewServeMux()
	s.cross = http.NewCrossOriginProtection()
	for _, rt := range s.routes {
		s.mux.Handle(rt.Pattern, s.serve(rt))
	}
	if _, pattern := s.mux.Handler(&http.Request{Method: "GET", URL: mustURL("/no-such-page")}); pattern == "" {
		s.mux.Handle("/", s.serve(Route{Pattern: "/", Action: access.Look, Handle: s.nowhere}))
	}
}

// nowhere answers what no route takes: a page's address with a slash at its end leads to the page, and a method that the
// address does not have is told so (RFC 9110, section 15.5.6).
func (s *Site) nowhere(w http.ResponseWriter, r *http.Request) error {
	has := func(method, path string) bool {
		_, pattern := s.mux.Handler(&http.Request{Method: method, Host: r.Host, URL: &url.URL{Path: path}})
		return pattern != "" && pattern != "/"
	}
	if page := strings.TrimRight(r.URL.Path, "/"); page != r.URL.Path && page != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) && has(r.Method, page) {
		u := url.URL{Path: page, RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, SafePath(u.String()), http.StatusMovedPermanently)
		return nil
	}
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch, http.MethodPost} {
		if has(method, r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return NotFound()
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return Refuse(http.StatusMethodNotAllowed, "This address does not take %q requests.", r.Method)
}

type requestState struct {
	id      string
	checked bool
	route   *Route
}

type stateKey struct{}

func state(ctx context.Context) *requestState {
	s, _ := ctx.Value(stateKey{}).(*requestState)
	return s
}

// RequestID is the id under which the request is logged.
func RequestID(ctx context.Context) string {
	if s := state(ctx); s != nil {
		return s.id
	}
	return ""
}

// Allow asks access.Can for the route's own action on an object. Visitors are asked to sign in where that could help, and
// what an actor may not see answers as if it did not exist.
func Allow(r *http.Request, o access.Object) error {
	st := state(r.Context())
	if st == nil {
		return errors.New("Allow outside of a mounted route")
	}
	return AllowTo(r, st.route.Action, o)
}

// AllowTo asks access.Can for another action than the route's, on an object.
func AllowTo(r *http.Request, act access.Action, o access.Object) error {
	if st := state(r.Context()); st != nil {
		st.checked = true
	}
	a := access.From(r.Context())
	if access.Can(a, act, o) {
		return nil
	}
	if !a.SignedIn() && !o.Public {
		return NotFound()
	}
	if !a.SignedIn() {
		return &Public{Status: http.StatusUnauthorized, Text: "Sign in to do this."}
	}
	if !access.Can(a, access.SeeRecording, o) {
		return NotFound()
	}
	return &Public{Status: http.StatusForbidden, Text: "Your account may not do this."}
}

// ServeHTTP serves every request: id, log, headers, recover, cross-origin check, actor, policy, handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.once.Do(s.build)
	start := s.Now()
	st := &requestState{id: newRequestID()}
	rec := &recorder{ResponseWriter: w}
	r = r.WithContext(context.WithValue(r.Context(), stateKey{}, st))
	s.headers(rec.Header(), st.id)
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.Error("panic", "request", st.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if rec.status == 0 {
				s.fail(rec, r, errors.New("panic"))
			}
		}
		pattern := ""
		if st.route != nil {
			pattern = st.route.Pattern
		}
		took := s.Now().Sub(start)
		level := slog.LevelInfo
		if rec.status >= 500 {
			level = slog.LevelError
		}
		// The pattern, never the path or the address: a log line holds nothing about a person.
		s.Log.Log(r.Context(), level, "request", "request", st.id, "method", r.Method, "route", pattern, "status", rec.code(), "bytes", rec.bytes, "ms", took.Milliseconds())
		if s.Observe != nil {
			s.Observe(pattern, rec.code(), took)
		}
	}()
	s.mux.ServeHTTP(rec, r)
}

func (s *Site) serve(rt Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st := state(r.Context())
		st.route = &rt
		if err := s.run(rt, st, w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *Site) run(rt Route, st *requestState, w http.ResponseWriter, r *http.Request) error {
	if !isText(r.URL.Path) {
		return NotFound() // no name, token or code holds such bytes, and PostgreSQL does not even take them
	}
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if err != nil {
		return &Public{Status: http.StatusBadRequest, Text: "This address cannot be read: behind the question mark, a % stands alone. Write it as %25.", Err: err}
	}
	if !isText(query) {
		return Refuse(http.StatusBadRequest, "This address holds bytes that are no text.")
	}
	if !rt.Cross {
		if err := s.cross.Check(r); err != nil {
			return &Public{Status: http.StatusForbidden, Text: "This form was sent from another site. Open the page here and try again.", Err: err}
		}
	}
	if rt.Stream {
		rc := http.NewResponseController(w)
		rc.SetWriteDeadline(time.Time{}) // a server without deadlines refuses this, which is as good
		rc.SetReadDeadline(time.Time{})
	}
	if s.Actor != nil && !rt.Alike {
		a, err := s.Actor(r)
		if err != nil {
			return err
		}
		*r = *r.WithContext(access.WithActor(r.Context(), a))
	}
	a := access.From(r.Context())
	if a.Credential != 0 && !rt.API && !access.Might(access.Actor{}, rt.Action) {
		// An API key lies in other people's programs and only reads what the API shows: it opens no library, invoice or form.
		return &Public{Status: http.StatusForbidden, Text: "This page is for people in a browser. Programs use the addresses under /apiv2/."}
	}
	if !access.Might(a, rt.Action) {
		return s.turnAway(a, rt)
	}
	rec, _ := w.(*recorder)
	if rec != nil && access.OnObject(rt.Action) {
		rec.guard = func(status int) {
			if status < 300 && !st.checked {
				panic(fmt.Sprintf("route %s answers without asking Allow for %q", rt.Pattern, rt.Action))
			}
		}
	}
	return rt.Handle(w, r)
}

func (s *Site) turnAway(a access.Actor, rt Route) error {
	if !a.SignedIn() {
		return &Public{Status: http.StatusUnauthorized, Text: "Sign in to do this."}
	}
	switch rt.Action {
	case access.Upload:
		if !a.Confirmed {
			return &Public{Status: http.StatusForbidden, Text: "Confirm your e-mail address first: follow the link in the mail that we sent."}
		}
		return &Public{Status: http.StatusForbidden, Text: "Accept the contributor terms first: open Upload and read them."}
	case access.Buy:
		return &Public{Status: http.StatusForbidden, Text: "Confirm your e-mail address first: follow the link in the mail that we sent. Your cart is kept."}
	case access.React:
		return &Public{Status: http.StatusForbidden, Text: "Confirm your e-mail address first: follow the link in the mail that we sent."}
	case access.Review, access.Administer:
		return NotFound()
	}
	return &Public{Status: http.StatusForbidden, Text: "Your account may not do this."}
}

func (s *Site) headers(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	// blob: is the visitor's own video on a recording's page, which never leaves the browser. It stands on every page because
	// boosted navigation keeps the policy of the page it began on.
	h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()") // the page of search by sound has its own
	if s.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// ClientIP is the address of who asks: the connection's, or the last X-Forwarded-For entry that a trusted proxy added.
func (s *Site) ClientIP(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	ip = ip.Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(ip); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = next.Unmap()
	}
	return ip
}

func (s *Site) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func newRequestID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// status maps the sentinel errors of the floor to what visitors see.
func asPublic(err error) *Public {
	var p *Public
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, db.ErrNotFound):
		return &Public{Status: http.StatusNotFound, Text: "This page does not exist, or is not public.", Err: err}
	case db.IsBadText(err):
		return &Public{Status: http.StatusBadRequest, Text: "The request holds characters that are not text. Leave them out and try again.", Err: err}
	case db.IsFull(err):
		return &Public{Status: http.StatusInsufficientStorage, Text: "The disk is full. What you sent before is kept; try again later.", Err: err}
	case db.IsAway(err):
		return &Public{Status: http.StatusServiceUnavailable, RetryAfter: 5 * time.Second, Text: "The site cannot reach its database right now. What was confirmed is kept; try again in a moment.", Err: err}
	case errors.As(err, &tooLarge):
		return &Public{Status: http.StatusRequestEntityTooLarge, Text: "This is larger than the site accepts.", Err: err}
	}
	return nil
}
