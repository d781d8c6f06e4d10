package web_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

func TestSafePath(t *testing.T) {
	for next, want := range map[string]string{
		"/library": "/library", "/search?q=rain&page=2": "/search?q=rain&page=2", "/a#b": "/a#b",
		"": "/", "library": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example": "/", "/\t/evil.example": "/", "/\n/evil.example": "/",
		"javascript:alert(1)": "/", "\\\\evil.example": "/", "/%zz": "/", "/x\x00y": "/", " /x": "/",
	} {
		if got := web.SafePath(next); got != want {
			t.Errorf("SafePath(%q) = %q, want %q", next, got, want)
		}
	}
}

func FuzzSafePath(f *testing.F) {
	for _, seed := range []string{"/", "//x", "/\\x", "/%2f%2fx", "/a?b=//c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := web.SafePath(next)
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.HasPrefix(got, "/\\") || strings.ContainsAny(got, "\r\n\t\x00") {
			t.Errorf("SafePath(%q) = %q", next, got)
		}
	})
}

func TestLimits(t *testing.T) {
	var l web.Limits
	now := time.Unix(1_700_000_000, 0)
	limit := web.Limit{Name: "test", Burst: 3, Per: time.Minute}
	for i := range 3 {
		if err := l.Take(limit, "a", now); err != nil {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	var p *web.Public
	if err := l.Take(limit, "a", now); !errors.As(err, &p) || p.Status != http.StatusTooManyRequests || p.RetryAfter <= 0 || p.RetryAfter > 20*time.Second {
		t.Errorf("the fourth try: %v", err)
	}
	if err := l.Take(limit, "b", now); err != nil {
		t.Errorf("another key: %v", err)
	}
	if err := l.Take(web.Limit{Name: "other", Burst: 1, Per: time.Minute}, "a", now); err != nil {
		t.Errorf("another limit: %v", err)
	}
	if err := l.Take(limit, "a", now.Add(21*time.Second)); err != nil {
		t.Errorf("after a refill: %v", err)
	}
	if got := web.IPKey(netip.MustParseAddr("2001:db8:1:2:3::4")); got != "2001:db8:1:2::/64" {
		t.Errorf("key of an IPv6 address: %s", got)
	}
}

func site(log io.Writer) *web.Site {
	return &web.Site{Name: "Test", URL: "http://test.example", Log: slog.New(slog.NewJSONHandler(log, nil)), Now: time.Now, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Actor: func(r *http.Request) (access.Actor, error) {
			if r.Header.Get("X-Test-Member") != "" {
				return access.Actor{ID: 5, Role: access.Member, Confirmed: true}, nil
			}
			return access.Actor{}, nil
		}}
}

func TestErrorsReachVisitorsOnlyWhenWrittenForThem(t *testing.T) {
	var log bytes.Buffer
	s := site(&log)
	fail := func(err error) web.Handler { return func(http.ResponseWriter, *http.Request) error { return err } }
	s.Mount(
		web.Route{Pattern: "GET /inside", Action: access.Look, Handle: fail(errors.New("password of db is hunter2"))},
		web.Route{Pattern: "GET /broken", Action: access.Look, Handle: fail(fmt.Errorf("send file: %w", &net.OpError{Op: "write", Net: "tcp",
			Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80}, Addr: &net.TCPAddr{IP: net.IPv4(203, 0, 113, 77), Port: 5000}, Err: errors.New("pipe burst")}))},
		web.Route{Pattern: "GET /public", Action: access.Look, Handle: fail(web.Refuse(http.StatusConflict, "The cart is stale."))},
		web.Route{Pattern: "GET /api", Action: access.Look, API: true, Handle: fail(web.Refuse(http.StatusTeapot, "No coffee."))},
		web.Route{Pattern: "GET /panic", Action: access.Look, Handle: func(http.ResponseWriter, *http.Request) error { panic("hunter2") }},
		web.Route{Pattern: "GET /mine", Action: access.UseAccount, Handle: func(w http.ResponseWriter, _ *http.Request) error { _, err := w.Write([]byte("ok")); return err }},
		web.Route{Pattern: "GET /object", Action: access.SeeRecording, Handle: func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write([]byte("never asked"))
			return err
		}},
		web.Route{Pattern: "POST /form", Action: access.Look, Handle: func(w http.ResponseWriter, _ *http.Request) error { _, err := w.Write([]byte("taken")); return err }},
		web.Route{Pattern: "POST /hook", Action: access.Look, Cross: true, Handle: func(w http.ResponseWriter, _ *http.Request) error { _, err := w.Write([]byte("taken")); return err }},
	)
	for _, try := range []struct {
		method, path, origin, member string
		status                       int
		want, not                    string
	}{
		{"GET", "/inside", "", "", 500, "Something went wrong", "hunter2"},
		{"GET", "/broken", "", "", 500, "Something went wrong", "pipe"},
		{"GET", "/public", "", "", 409, "The cart is stale.", ""},
		{"GET", "/api", "", "", 418, `"detail":"No coffee."`, "<html"},
		{"GET", "/panic", "", "", 500, "Something went wrong", "hunter2"},
		{"GET", "/mine", "", "", 303, "", "ok"},
		{"HEAD", "/mine", "", "", 303, "", "ok"},
		{"GET", "/mine", "", "1", 200, "ok", ""},
		{"GET", "/object", "", "", 500, "", "never asked"},
		{"GET", "/nowhere", "", "", 404, "Not found", ""},
		{"POST", "/form", "", "", 200, "taken", ""},
		{"POST", "/form", "https://evil.example", "", 403, "another site", "taken"},
		{"POST", "/hook", "https://evil.example", "", 200, "taken", ""},
	} {
		r := httptest.NewRequest(try.method, "http://test.example"+try.path, nil)
		if try.origin != "" {
			r.Header.Set("Origin", try.origin)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		if try.member != "" {
			r.Header.Set("X-Test-Member", "1")
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		body := w.Body.String()
		if w.Code != try.status || !strings.Contains(body, try.want) || try.not != "" && strings.Contains(body, try.not) {
			t.Errorf("%s %s: %d %s", try.method, try.path, w.Code, body)
		}
		if to := w.Header().Get("Location"); try.status == http.StatusSeeOther && to != "/sign-in?next=%2Fmine" {
			t.Errorf("%s %s leads to %s", try.method, try.path, to)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'self'") || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s %s: headers %v", try.method, try.path, w.Header())
		}
	}
	if strings.Contains(log.String(), "192.0.2.1") || strings.Contains(log.String(), "203.0.113.77") || !strings.Contains(log.String(), "send file: write tcp: pipe burst") {
		t.Errorf("the log holds the visitor's address, or lacks the cause: %s", log.String())
	}
	if !strings.Contains(log.String(), "hunter2") {
		t.Error("the log lacks the cause")
	}
}

// TestServerLog has net/http itself complain: one JSON line with the cause and without the visitor's address.
func TestServerLog(t *testing.T) {
	var out bytes.Buffer
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("hunter2") }))
	server.Config.ErrorLog = web.ServerLog(slog.New(slog.NewJSONHandler(&out, nil)))
	server.Start()
	if res, err := http.Get(server.URL); err == nil {
		t.Error("the panic was answered", res.Body.Close())
	}
	server.Close() // the connection's goroutine has written by now
	server.Config.ErrorLog.Printf("http: TLS handshake error from [2001:db8::7]:4711: EOF")
	if text := out.String(); strings.Count(text, "\n") != 2 || !strings.HasPrefix(text, `{"time"`) || !strings.Contains(text, `"level":"WARN","msg":"http server","err":"http: panic serving (address): hunter2\n`) ||
		!strings.Contains(text, "TLS handshake error from (address): EOF") || strings.Contains(text, "127.0.0.1") || strings.Contains(text, "2001:db8") {
		t.Errorf("logged %s", text)
	}
}

// TestAddressesBesidePages covers what no route takes: a slash too many, a method too odd, and how an answer is packed.
func TestAddressesBesidePages(t *testing.T) {
	s := site(io.Discard)
	s.Mount(web.Route{Pattern: "GET /packs", Action: access.Look, Handle: func(w http.ResponseWriter, r *http.Request) error {
		return s.Page(w, r, web.View{Title: "Packs"}, ui.Error(ui.ErrorPage{Text: strings.Repeat("all packs ", 200)}))
	}}, web.Route{Pattern: "POST /packs", Action: access.Look, Handle: func(w http.ResponseWriter, _ *http.Request) error { _, err := w.Write([]byte("taken")); return err }})
	for _, try := range []struct {
		method, path, header, value string
		status                      int
		answer, want                string
	}{
		{"GET", "/packs/", "", "", 301, "Location", "/packs"}, {"HEAD", "/packs/?page=2", "", "", 301, "Location", "/packs?page=2"},
		{"POST", "/packs/", "", "", 404, "", ""}, {"GET", "/nothing/", "", "", 404, "", ""}, {"GET", "/", "", "", 404, "", ""},
		{"PUT", "/packs", "", "", 405, "Allow", "GET, HEAD, POST"}, {"FOO", "/packs", "", "", 405, "Allow", "GET, HEAD, POST"}, {"PUT", "/nothing", "", "", 404, "", ""},
		{"GET", "/packs?q=100%", "", "", 400, "", ""}, {"GET", "/packs?q=100%25", "", "", 200, "", ""}, {"GET", "/packs?q=%ff", "", "", 400, "", ""},
		{"GET", "/packs", "Accept-Encoding", "gzip, br", 200, "Content-Encoding", "br"}, {"GET", "/packs", "Accept-Encoding", "BR;q=0.1", 200, "Content-Encoding", "br"},
		{"GET", "/packs", "Accept-Encoding", "br;q=0, gzip", 200, "Content-Encoding", ""}, {"GET", "/packs", "Accept-Encoding", "brief", 200, "Content-Encoding", ""},
	} {
		r := httptest.NewRequest(try.method, "http://test.example"+try.path, nil)
		if try.header != "" {
			r.Header.Set(try.header, try.value)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != try.status || try.answer != "" && w.Header().Get(try.answer) != try.want {
			t.Errorf("%s %s %s: %d %v", try.method, try.path, try.value, w.Code, w.Header())
		}
	}
}

func TestClientIP(t *testing.T) {
	s := site(io.Discard)
	for _, try := range []struct{ remote, forwarded, want string }{
		{"198.51.100.7:1", "", "198.51.100.7"},
		{"198.51.100.7:1", "203.0.113.9", "198.51.100.7"},
		{"10.1.2.3:1", "203.0.113.9", "203.0.113.9"},
		{"10.1.2.3:1", "1.1.1.1, 203.0.113.9", "203.0.113.9"},
		{"10.1.2.3:1", "203.0.113.9, 10.9.9.9", "203.0.113.9"},
		{"10.1.2.3:1", "junk", "10.1.2.3"},
		{"[2001:db8::1]:1", "", "2001:db8::1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = try.remote
		if try.forwarded != "" {
			r.Header.Set("X-Forwarded-For", try.forwarded)
		}
		if got := s.ClientIP(r).String(); got != try.want {
			t.Errorf("from %s forwarded for %q: %s, want %s", try.remote, try.forwarded, got, try.want)
		}
	}
}
