package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/app"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest/worker"
)

// Main runs a package's tests; started as the decoder's worker process it is that worker. Packages whose tests analyze
// sound call it from TestMain.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		worker.Main(os.Args[2:])
	}
	os.Exit(m.Run())
}

// Site is a whole AudioMicro that serves on loopback until the test ends.
type Site struct {
	*app.App
	URL string
	t   testing.TB

	server *app.Server
}

// EachSite runs f once per engine, each with a site of its own. edit, when given, changes the settings.
func EachSite(t *testing.T, edit func(*config.Config), f func(t *testing.T, s *Site)) {
	t.Helper()
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			f(t, NewSite(t, engine, edit))
		})
	}
}

// NewSite starts a site in dev mode on a fresh folder and database. Its log goes to the test's.
func NewSite(t testing.TB, engine db.Engine, edit func(*config.Config)) *Site {
	t.Helper()
	c := config.Default()
	c.Data, c.Dev, c.Node = t.TempDir(), true, "test"
	if engine == db.Postgres {
		c.Database = PostgresURL(t)
	}
	l := listen(t)
	c.Listen = l.Addr().String() // Restart takes it again
	c.URL = "http://" + c.Listen
	c.MailFrom = "audiomicro@example.org"
	if edit != nil {
		edit(&c)
	}
	s := start(t, c, l)
	t.Cleanup(s.Stop)
	return s
}

func start(t testing.TB, c config.Config, l net.Listener) *Site {
	t.Helper()
	log := slog.New(slog.NewJSONHandler(&testLog{t: t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := app.Open(context.Background(), c, app.Options{Version: "test", Log: log, Migrate: true, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	server, err := a.Start(context.Background(), l)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Search.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &Site{App: a, URL: c.URL, t: t, server: server}
}

// Stop stops the site; its data stay until the test ends.
func (s *Site) Stop() {
	if s.server == nil {
		return
	}
	if err := s.server.Stop(context.Background()); err != nil {
		s.t.Errorf("stop: %v", err)
	}
	if err := s.App.Close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
	s.server = nil
}

// Restart stops the site and starts it again on the same data and address.
func (s *Site) Restart() {
	s.t.Helper()
	s.Stop()
	var l net.Listener
	Eventually(s.t, "the address is free again", func() bool { // a process forked meanwhile holds it until its exec
		var err error
		l, err = net.Listen("tcp", s.Config.Listen)
		return err == nil
	})
	again := start(s.t, s.Config, l)
	s.App, s.server = again.App, again.server
}

// testLog writes log lines to the test's log; lines after its end are dropped.
type testLog struct {
	t  testing.TB
	mu sync.Mutex
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { recover() }() // testing panics when a test that has ended logs
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// Person is an account with a browser-like client that keeps cookies and follows no redirects by itself.
type Person struct {
	accounts.Created
	Site   *Site
	Client *http.Client
}

// Visitor is a client without an account.
func (s *Site) Visitor() *Person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &Person{Site: s, Client: &http.Client{Jar: jar, Timeout: 5 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Person makes a confirmed account as the command line does, and signs it in through the page. role is member,
// contributor, moderator or admin.
func (s *Site) Person(name, role string) *Person {
	s.t.Helper()
	p := s.Account(name, role)
	res := p.Post("/sign-in", url.Values{"email": {p.Email}, "password": {p.Password}})
	if res.Status != http.StatusSeeOther {
		s.t.Fatalf("sign in %s: %d %s", name, res.Status, res.Text)
	}
	return p
}

// Account makes a confirmed account as the command line does, without signing in.
func (s *Site) Account(name, role string) *Person {
	s.t.Helper()
	p := s.Visitor()
	var err error
	p.Created, err = s.Accounts.Create(context.Background(), accounts.NewAccount{Name: name, Email: strings.ToLower(name) + "@example.org", Born: "1980-05-17", Role: role})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// Actor is who p is, for calls of a Store.
func (p *Person) Actor() access.Actor {
	a, err := p.Site.Accounts.ByID(context.Background(), p.ID)
	if err != nil {
		p.Site.t.Fatal(err)
	}
	return access.Actor{ID: a.ID, Name: a.Name, Role: a.Role, Contributor: a.Contributor(), Confirmed: true}
}

// Answer is a response that was read.
type Answer struct {
	Status   int
	Header   http.Header
	Text     string
	Location string
}

// Do sends a request; a relative address is one of the site's.
func (p *Person) Do(method, path string, header http.Header, body io.Reader) Answer {
	p.Site.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = p.Site.URL + path
	}
	req, err := http.NewRequest(method, path, body)
	if err != nil {
		p.Site.t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	res, err := p.Client.Do(req)
	if err != nil {
		p.Site.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.Site.t.Fatal(err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Text: string(text), Location: res.Header.Get("Location")}
}

// Get reads a page.
func (p *Person) Get(path string) Answer {
	p.Site.t.Helper()
	return p.Do(http.MethodGet, path, nil, nil)
}

// Post sends a form.
func (p *Person) Post(path string, form url.Values) Answer {
	p.Site.t.Helper()
	return p.Do(http.MethodPost, path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}, strings.NewReader(form.Encode()))
}

// Upload sends files through the plain form of /upload; the keys are file names.
func (p *Person) Upload(files map[string][]byte) Answer {
	p.Site.t.Helper()
	var body bytes.Buffer
	mw := multipart.NewWriter(&body)
	for name, data := range files {
		w, err := mw.CreateFormFile("files", name)
		if err != nil {
			p.Site.t.Fatal(err)
		}
		w.Write(data)
	}
	mw.Close()
	return p.Do(http.MethodPost, "/upload", http.Header{"Content-Type": {mw.FormDataContentType()}, "Sec-Fetch-Site": {"same-origin"}}, &body)
}

// JSON decodes an answer.
func (a Answer) JSON(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Text), v); err != nil {
		t.Fatalf("%v in %s", err, a.Text)
	}
}

// LinkIn finds the first address in the newest mail to p's address that starts with the site's and contains part.
func (p *Person) LinkIn(part string) string {
	p.Site.t.Helper()
	list, err := p.Site.Mail.Recent(context.Background(), 50)
	if err != nil {
		p.Site.t.Fatal(err)
	}
	for _, m := range list {
		if m.To != p.Email {
			continue
		}
		for _, link := range regexp.MustCompile(regexp.QuoteMeta(p.Site.URL)+`\S*`).FindAllString(m.Text, -1) {
			if strings.Contains(link, part) {
				return link
			}
		}
	}
	p.Site.t.Fatalf("no mail to %s holds a link with %q", p.Email, part)
	return ""
}

// patience is how long tests wait for what must come: a machine that is busy with other work is no failure.
const patience = 3 * time.Minute

// Eventually waits until ok answers true; it fails the test after three minutes.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond) // the pause of a poll, not a guess at a duration
	}
}

// Address is a free loopback address for a server that is started later, or again and again.
func Address(t testing.TB) string {
	t.Helper()
	l := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// listen listens on a free loopback port that is none of those which the kernel hands out by itself, so that nobody gets it
// when it is let go for a while.
func listen(t testing.TB) net.Listener {
	t.Helper()
	for range 100 {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.N(20_000))); err == nil {
			return l
		}
	}
	t.Fatal("a hundred ports are taken")
	return nil
}

// TempFile writes data to a file of the given name that is gone after the test.
func TempFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
