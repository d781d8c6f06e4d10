package mail_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
	"audiomicro/internal/mail"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sink is an SMTP server that keeps what it takes. answer, when set, decides about each recipient.
type sink struct {
	addr   string
	server *smtp.Server

	mu     sync.Mutex
	got    []string // raw messages
	rcpts  []string
	answer func(rcpt string) error
	after  func() error // decides about each message after its data
}

func newSink(t *testing.T, addr string) *sink {
	t.Helper()
	s := &sink{}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{s: s}, nil }))
	s.server.Domain = "sink.test"
	s.server.ErrorLog = quiet{}
	l, err := net.Listen("tcp", addr)
	must(t, err)
	s.addr = l.Addr().String()
	go s.server.Serve(l)
	t.Cleanup(func() { s.server.Close() })
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

type session struct {
	s    *sink
	rcpt string
}

func (c *session) Reset()                               {}
func (c *session) Logout() error                        { return nil }
func (c *session) Mail(string, *smtp.MailOptions) error { return nil }

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.rcpt = to
	if c.s.answer != nil {
		return c.s.answer(to)
	}
	return nil
}

func (c *session) Data(r io.Reader) error {
	p, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.after != nil {
		if err := c.s.after(); err != nil {
			return err
		}
	}
	c.s.got = append(c.s.got, string(p))
	c.s.rcpts = append(c.s.rcpts, c.rcpt)
	return nil
}

func (s *sink) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// office is a database, a running queue and a mailer.
type office struct {
	t     *testing.T
	d     *db.DB
	m     *mail.Mailer
	q     *jobs.Queue
	clock *atomic.Int64
}

func each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			opt := db.Options{File: filepath.Join(t.TempDir(), "test.db"), MaxConns: 6}
			if engine == db.Postgres {
				opt.URL = postgresURL(t)
			}
			d, err := db.Open(t.Context(), opt)
			must(t, err)
			t.Cleanup(func() { d.Close() })
			must(t, d.Migrate(t.Context(), []fs.FS{db.Schema(), jobs.Schema(), mail.Schema()}))
			must(t, jobs.Migrate(t.Context(), d))
			f(t, d)
		})
	}
}

func postgresURL(t *testing.T) string {
	t.Helper()
	admin := os.Getenv("AUDIOMICRO_TEST_POSTGRES")
	if admin == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI needs AUDIOMICRO_TEST_POSTGRES")
		}
		t.Skip("SKIPPED, NOT TESTED: AUDIOMICRO_TEST_POSTGRES is not set")
	}
	name := "mail_" + strings.ToLower(rand.Text()[:16])
	run := func(statement string) {
		pool, err := sql.Open("pgx", admin)
		must(t, err)
		defer pool.Close()
		_, err = pool.Exec(statement)
		must(t, err)
	}
	run("CREATE DATABASE " + name)
	t.Cleanup(func() { run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	u, err := url.Parse(admin)
	must(t, err)
	u.Path = "/" + name
	return u.String()
}

func newOffice(t *testing.T, d *db.DB, server string) *office {
	t.Helper()
	return patientOffice(t, d, server, 6)
}

// patientOffice gives up after so many attempts.
func patientOffice(t *testing.T, d *db.DB, server string, attempts int) *office {
	t.Helper()
	o := &office{t: t, d: d, clock: &atomic.Int64{}}
	o.clock.Store(time.Now().UnixMicro())
	now := func() time.Time { return time.UnixMicro(o.clock.Load()) }
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	o.q, err = jobs.New(d, jobs.Options{Node: "test", Logger: log, Now: now})
	must(t, err)
	if server != "" {
		server = "smtp://" + server
	}
	o.m, err = mail.New(d, o.q, mail.Options{
		SMTP: server, From: "audiomicro@site.test", SiteName: "A Site, with: signs", Now: now, Logger: log,
		Kinds:   []mail.Kind{{Name: "test-kind", Class: mail.Service, Why: "tests"}},
		Backoff: func(int) time.Duration { return 5 * time.Millisecond }, Attempts: attempts,
	})
	must(t, err)
	return o
}

// work runs the queue until the test ends.
func (o *office) work() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.q.Run(ctx) }()
	o.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Errorf("run: %v", err)
		}
	})
}

func (o *office) post(msg mail.Message) int64 {
	o.t.Helper()
	msg.Kind = "test-kind"
	must(o.t, o.d.Tx(o.t.Context(), func(tx *db.Tx) error { return o.m.Send(o.t.Context(), tx, msg) }))
	latest, err := o.m.Recent(o.t.Context(), 1)
	must(o.t, err)
	return latest[0].ID
}

func (o *office) await(id int64, want mail.State) mail.Outgoing {
	o.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		row, err := o.m.ByID(o.t.Context(), id)
		must(o.t, err)
		if row.State == want {
			return row
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("mail %d is %s (%s), want %s", id, row.State, row.LastError, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestDelivered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		s := newSink(t, "127.0.0.1:0")
		o := newOffice(t, d, s.addr)
		o.work()
		body, err := mail.Compose(mail.Site{Name: "Näme", URL: "https://site.test"}, "Confirm <this>", []string{"Grüße & <b>more</b>"},
			mail.Button{Label: "Confirm", URL: "https://site.test/confirm?a=1&b=2"}, "If this was not you, ignore it.")
		must(t, err)
		id := o.post(mail.Message{To: "someone@example.org", AccountID: 7, Subject: "Bestätigen\r\nBcc: thief@example.org", Text: body.Text, HTML: body.HTML})
		row := o.await(id, mail.Sent)
		if row.SentAt == nil || row.Attempts != 1 || row.AccountID == nil || *row.AccountID != 7 {
			t.Fatalf("row %+v", row)
		}
		got := s.messages()
		if len(got) != 1 || s.rcpts[0] != "someone@example.org" {
			t.Fatalf("%d messages, to %v", len(got), s.rcpts)
		}
		msg, err := netmail.ReadMessage(strings.NewReader(got[0]))
		must(t, err)
		subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		must(t, err)
		if subject != "Bestätigen Bcc: thief@example.org" || msg.Header.Get("Bcc") != "" {
			t.Fatalf("subject %q, headers %v", subject, msg.Header)
		}
		from, err := msg.Header.AddressList("From")
		must(t, err)
		if len(from) != 1 || from[0].Address != "audiomicro@site.test" || from[0].Name != "A Site, with: signs" {
			t.Fatalf("from %v", from)
		}
		if msg.Header.Get("Message-Id") != "<"+row.MessageID+">" || msg.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Fatalf("headers %v", msg.Header)
		}
		parts := readParts(t, msg)
		if !strings.Contains(parts["text/plain"], "Grüße & <b>more</b>") || !strings.Contains(parts["text/plain"], "https://site.test/confirm?a=1&b=2") {
			t.Fatalf("text part %q", parts["text/plain"])
		}
		if !strings.Contains(parts["text/html"], "Gr\u00fc\u00dfe &amp; &lt;b&gt;more&lt;/b&gt;") {
			t.Fatalf("html part %q", parts["text/html"])
		}
	})
}

func readParts(t *testing.T, msg *netmail.Message) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	must(t, err)
	if kind != "multipart/alternative" {
		t.Fatalf("content type %s", kind)
	}
	out := map[string]string{}
	r := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return out
		}
		must(t, err)
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		must(t, err)
		if p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("encoding %q", p.Header.Get("Content-Transfer-Encoding"))
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		must(t, err)
		out[kind] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		s := newSink(t, "127.0.0.1:0")
		busy := 3
		s.answer = func(rcpt string) error {
			switch {
			case strings.HasPrefix(rcpt, "gone@"):
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
			case strings.HasPrefix(rcpt, "busy@") && busy > 0:
				busy--
				return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}
			case strings.HasPrefix(rcpt, "never@"):
				return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "never"}
			}
			return nil
		}
		o := newOffice(t, d, s.addr)
		o.work()
		gone := o.post(mail.Message{To: "gone@example.org", Subject: "s", Text: "t"})
		busyID := o.post(mail.Message{To: "busy@example.org", Subject: "s", Text: "t"})
		never := o.post(mail.Message{To: "never@example.org", Subject: "s", Text: "t"})
		if row := o.await(gone, mail.Failed); row.Attempts != 1 || !strings.Contains(row.LastError, "550") {
			t.Fatalf("refused for good: %+v", row)
		}
		if row := o.await(busyID, mail.Sent); row.Attempts != 4 || row.LastError != "" {
			t.Fatalf("refused three times: %+v", row)
		}
		if row := o.await(never, mail.Failed); row.Attempts != 6 {
			t.Fatalf("refused always: %+v", row)
		}
		if got := s.messages(); len(got) != 1 {
			t.Fatalf("%d messages were taken", len(got))
		}
		c, err := o.m.Counts(t.Context())
		must(t, err)
		if c != (mail.Counts{Failed: 2}) {
			t.Fatalf("counts %+v", c)
		}
	})
}

// TestServerDown sends while nothing listens, and again after the server came up.
func TestServerDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		addr := l.Addr().String()
		l.Close()
		o := patientOffice(t, d, addr, 1000)
		o.work()
		id := o.post(mail.Message{To: "someone@example.org", Subject: "s", Text: "t"})
		deadline := time.Now().Add(90 * time.Second)
		for {
			row, err := o.m.ByID(t.Context(), id)
			must(t, err)
			if row.Attempts >= 2 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("no second attempt: %+v", row)
			}
			time.Sleep(5 * time.Millisecond)
		}
		s := newSink(t, addr)
		row := o.await(id, mail.Sent)
		if got := s.messages(); len(got) != 1 || !strings.Contains(got[0], row.MessageID) {
			t.Fatalf("%d messages", len(got))
		}
	})
}

// TestLostAnswer has the server take a mail and refuse afterwards: the second copy bears the same Message-ID.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		s := newSink(t, "127.0.0.1:0")
		n := 0
		s.after = func() error {
			if n++; n == 1 {
				s.got = append(s.got, "Message-ID lost")
				return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 4, 2}, Message: "gone"}
			}
			return nil
		}
		o := newOffice(t, d, s.addr)
		o.work()
		id := o.post(mail.Message{To: "someone@example.org", Subject: "s", Text: "t"})
		before, err := o.m.ByID(t.Context(), id)
		must(t, err)
		row := o.await(id, mail.Sent)
		if row.MessageID != before.MessageID || row.Attempts != 2 || len(s.messages()) != 2 {
			t.Fatalf("row %+v after %d deliveries", row, len(s.messages()))
		}
	})
}

// TestWaitsLong sweeps while mail waits behind a slow server: it has one job all the same, so nothing sends it beside the first.
func TestWaitsLong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		s := newSink(t, "127.0.0.1:0")
		o := newOffice(t, d, s.addr)
		id := o.post(mail.Message{To: "someone@example.org", Subject: "s", Text: "t"})
		for range 3 {
			o.clock.Add((16 * time.Minute).Microseconds())
			must(t, o.m.Sweep(t.Context()))
		}
		n, err := db.Get[int64](t.Context(), d, `SELECT count(*) FROM river_job WHERE kind = 'mail.send'`)
		must(t, err)
		if n != 1 {
			t.Fatalf("%d jobs for one mail", n)
		}
		o.work()
		o.await(id, mail.Sent)
		if got := s.messages(); len(got) != 1 {
			t.Fatalf("%d messages were sent", len(got))
		}
	})
}

func TestWithoutServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d, "")
		id := o.post(mail.Message{To: "someone@example.org", Subject: "s", Text: "readable"})
		old := o.post(mail.Message{To: "other@example.org", Subject: "s", Text: "t"})
		_, err := db.Exec(t.Context(), d, `UPDATE outgoing_mail SET created_at = created_at - $1 WHERE id = $2`, (4 * 24 * time.Hour).Microseconds(), old)
		must(t, err)
		if _, err := db.Exec(t.Context(), d, `DELETE FROM river_job`); err != nil { // the job has come and gone
			t.Fatal(err)
		}
		row, err := o.m.ByID(t.Context(), id)
		must(t, err)
		if row.State != mail.Queued || row.Text != "readable" || o.m.CanSend() {
			t.Fatalf("row %+v", row)
		}
		// A day later the operator sets a server.
		s := newSink(t, "127.0.0.1:0")
		with := newOffice(t, d, s.addr)
		with.clock.Add((24 * time.Hour).Microseconds())
		with.work()
		with.await(id, mail.Sent)
		if row := with.await(old, mail.Failed); row.Attempts != 0 {
			t.Fatalf("waited too long: %+v", row)
		}
		if got := s.messages(); len(got) != 1 {
			t.Fatalf("%d messages were sent", len(got))
		}
		// The text goes a week after sending, the row after 90 days.
		with.clock.Add((8 * 24 * time.Hour).Microseconds())
		must(t, with.m.Sweep(t.Context()))
		row, err = with.m.ByID(t.Context(), id)
		must(t, err)
		if row.Text != "" || row.HTML != "" || row.To == "" {
			t.Fatalf("after a week: %+v", row)
		}
		with.clock.Add((90 * 24 * time.Hour).Microseconds())
		must(t, with.m.Sweep(t.Context()))
		if _, err := with.m.ByID(t.Context(), id); !errors.Is(err, db.ErrNotFound) {
			t.Fatalf("after 90 days: %v", err)
		}
	})
}

func TestRefusedInput(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d, "")
		send := func(msg mail.Message) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error { return o.m.Send(t.Context(), tx, msg) })
		}
		for _, to := range []string{
			"", "nobody", "a@b.test, c@d.test", "a@b.test\r\nBcc: c@d.test", "a@b.test\n", "Name <a@b.test>", "<a@b.test>", "a@b.test\x00", strings.Repeat("a", 300) + "@b.test",
		} {
			if err := send(mail.Message{Kind: "test-kind", To: to, Subject: "s", Text: "t"}); !errors.Is(err, mail.ErrAddress) {
				t.Errorf("address %q: %v", to, err)
			}
		}
		if err := send(mail.Message{Kind: "undeclared", To: "a@b.test", Subject: "s", Text: "t"}); err == nil {
			t.Error("an undeclared kind was sent")
		}
		for _, text := range []string{"nul \x00", "broken \xff\xfe", strings.Repeat("x", 1<<20)} {
			must(t, send(mail.Message{Kind: "test-kind", To: "a@b.test", AccountID: 9, Subject: text, Text: text, HTML: text}))
		}
		n, err := db.Get[int64](t.Context(), d, `SELECT count(*) FROM outgoing_mail`)
		must(t, err)
		if n != 3 {
			t.Errorf("%d rows", n)
		}
		must(t, d.Tx(t.Context(), func(tx *db.Tx) error { return o.m.Forget(t.Context(), tx, 9) }))
		if list, err := o.m.Recent(t.Context(), 10); err != nil || len(list) != 0 {
			t.Errorf("%d mails of a forgotten account, %v", len(list), err)
		}
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	d, err := db.Open(t.Context(), db.Options{File: filepath.Join(t.TempDir(), "test.db")})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	for address, ok := range map[string]bool{
		"smtp://mail.test": true, "smtp://mail.test:2525": true, "smtp://user:p%40ss@mail.test": true, "smtps://user:pass@mail.test:465": true,
		"smtp://[::1]:25": true, "mail.test:25": false, "http://mail.test": false, "smtp://": false, "smtp://mail.test/path": false, "smtp://mail.test:99999": false,
	} {
		q, err := jobs.New(d, jobs.Options{Node: "test"})
		must(t, err)
		_, err = mail.New(d, q, mail.Options{SMTP: address, From: "a@b.test", SiteName: "s", Now: time.Now})
		if (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
		if err != nil && strings.Contains(fmt.Sprint(err), "pass") && strings.Contains(address, "pass@") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("Site", "Heading", "A paragraph", "Go", "https://site.test/x", "footer")
	f.Add("\r\n", "</title><script>", "{{.}}", "\x00", "javascript:alert(1)", "\u2028")
	f.Fuzz(func(t *testing.T, site, heading, paragraph, label, link, footer string) {
		body, err := mail.Compose(mail.Site{Name: site, URL: "https://site.test"}, heading, []string{paragraph}, mail.Button{Label: label, URL: link}, footer)
		if err != nil {
			t.Fatal(err)
		}
		if low := strings.ToLower(body.HTML); strings.Contains(low, "<script") || strings.Contains(low, `href="javascript`) {
			t.Fatalf("live markup in %q", body.HTML)
		}
		if body.Text == "" {
			t.Fatal("no text form")
		}
	})
}
