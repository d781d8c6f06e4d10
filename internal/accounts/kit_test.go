package accounts_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/jobs"
	"audiomicro/internal/mail"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// place is a site with nothing but accounts.
type place struct {
	t     *testing.T
	db    *db.DB
	clock *clock
	store *accounts.Store
	pages *accounts.Pages
	site  *web.Site
	mail  *mail.Mailer
	url   string
}

// cheap hashes fast; the tests of timing use the real cost.
var cheap = accounts.Cost{Memory: 64, Passes: 1, Lanes: 1}

func newPlace(t *testing.T, d *db.DB, cost accounts.Cost) *place {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	q, err := jobs.New(d, jobs.Options{Node: "test", Now: c.now, Logger: quiet})
	must(t, err)
	var kinds []mail.Kind
	for name, why := range accounts.Letters() {
		kinds = append(kinds, mail.Kind{Name: name, Class: mail.Service, Why: why})
	}
	m, err := mail.New(d, q, mail.Options{From: "site@example.org", SiteName: "Test", Kinds: kinds, Now: c.now, Logger: quiet})
	must(t, err)
	p := &place{t: t, db: d, clock: c, mail: m}
	p.site = &web.Site{Name: "Test", Dev: true, Log: quiet, Now: c.now}
	p.store = &accounts.Store{
		DB: d, Now: c.now, SiteName: "Test", Key: []byte(strings.Repeat("k", 32)), Hasher: accounts.NewHasher(cost, 2),
		Post: post(m), Feed: &feed.Feed{DB: d, Now: c.now}, Log: quiet,
	}
	p.pages = &accounts.Pages{Store: p.store, Site: p.site, Mail: m}
	p.site.Actor = p.pages.Actor
	p.site.Mount(p.pages.Routes()...)
	p.site.Mount(
		web.Route{Pattern: "GET /apiv2/who/{$}", Action: access.ReadAPI, API: true, Handle: who},
		web.Route{Pattern: "POST /apiv2/who/{$}", Action: access.WriteAPI, API: true, Cross: true, Handle: who},
		web.Route{Pattern: "GET /who", Action: access.Look, Handle: who},
	)
	server := httptest.NewServer(p.site)
	t.Cleanup(server.Close)
	p.url = server.URL
	p.site.URL, p.store.URL = server.URL, server.URL
	return p
}

// post gives letters their form as a site does.
func post(m *mail.Mailer) accounts.PostFunc {
	return func(ctx context.Context, tx *db.Tx, l accounts.Letter) error {
		body, err := mail.Compose(mail.Site{Name: "Test", URL: "http://test"}, l.Subject, l.Paragraphs, mail.Button{Label: l.ButtonLabel, URL: l.ButtonURL}, "")
		if err != nil {
			return err
		}
		return m.Send(ctx, tx, mail.Message{Kind: l.Kind, To: l.To, AccountID: l.AccountID, Subject: l.Subject, Text: body.Text, HTML: body.HTML})
	}
}

// who tells the actor of the request.
func who(w http.ResponseWriter, r *http.Request) error {
	a := access.From(r.Context())
	_, err := fmt.Fprintf(w, "%s %s contributor=%v confirmed=%v readonly=%v", a.Name, a.Role, a.Contributor, a.Confirmed, a.ReadOnly)
	return err
}

func each(t *testing.T, f func(t *testing.T, p *place)) {
	t.Helper()
	testkit.Each(t, func(t *testing.T, d *db.DB) { f(t, newPlace(t, d, cheap)) })
}

// browser keeps cookies and does not follow redirects.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

func (p *place) browser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &browser{t, p.url, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is a response with its body read.
type answer struct {
	status   int
	location string
	header   http.Header
	body     string
}

func (b *browser) do(method, path string, form url.Values, header ...string) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, b.base+path, body)
	must(b.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(req)
	must(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.t, err)
	return answer{res.StatusCode, res.Header.Get("Location"), res.Header, string(text)}
}

func (b *browser) get(path string) answer { b.t.Helper(); return b.do("GET", path, nil) }

// post sends fields as name, value, name, value …
func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", path, form)
}

func (b *browser) session() string {
	u, err := url.Parse(b.base)
	must(b.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "am_session" {
			return c.Value
		}
	}
	return ""
}

func (b *browser) want(a answer, status int, parts ...string) answer {
	b.t.Helper()
	if a.status != status {
		b.t.Fatalf("status %d, want %d; location %q, body:\n%.3000s", a.status, status, a.location, mainOf(a.body))
	}
	for _, part := range parts {
		if !strings.Contains(a.body, part) && !strings.Contains(a.location, part) {
			b.t.Fatalf("the answer lacks %q; location %q, body:\n%.3000s", part, a.location, mainOf(a.body))
		}
	}
	return a
}

func mainOf(page string) string {
	if _, rest, ok := strings.Cut(page, "<main"); ok {
		page, _, _ = strings.Cut(rest, "</main>")
	}
	return page
}

// letters are the kinds of all mail to an address, oldest first, and the latest one's link as a path.
func (p *place) letters(t *testing.T, to string) (kinds []string, link string) {
	t.Helper()
	list, err := p.mail.Recent(context.Background(), 1000)
	must(t, err)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].To == to {
			kinds = append(kinds, list[i].Kind)
			if m := regexp.MustCompile(`(?m)^https?://[^/]+(/\S+)$`).FindStringSubmatch(list[i].Text); m != nil {
				link = m[1]
			}
		}
	}
	return kinds, link
}

const goodPassword = "tall grass in the wind"

func signUpForm(name, email string, born ...string) []string {
	if len(born) == 0 {
		born = []string{"1990", "5", "17"}
	}
	return []string{"name", name, "email", email, "password", goodPassword, "born_year", born[0], "born_month", born[1], "born_day", born[2], "next", "/cart"}
}

// member signs up, confirms, and is signed in.
func (p *place) member(t *testing.T, name, email string) *browser {
	t.Helper()
	b := p.browser(t)
	b.want(b.post("/sign-up", signUpForm(name, email)...), 200, "Look into your mail")
	_, link := p.letters(t, email)
	path, _, _ := strings.Cut(link, "?")
	b.want(b.post(path, "password", goodPassword, "next", "/cart"), 303, "/cart")
	p.site.Limits = web.Limits{}
	return b
}

func (p *place) count(t *testing.T, query string, args ...any) int64 {
	t.Helper()
	n, err := db.Get[int64](context.Background(), p.db, query, args...)
	must(t, err)
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
