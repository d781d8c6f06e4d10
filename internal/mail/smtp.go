package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
)

// server is where mail is handed over.
type server struct {
	host    string
	options []gomail.Option
}

// parseServer reads smtp://[user:password@]host[:port] and smtps://…
func parseServer(address, from string) (*server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.RawQuery != "" || u.Path != "" && u.Path != "/" {
		// The address may hold a password: it is not repeated.
		return nil, errors.New("smtp: want smtp://[user:password@]host[:port] or smtps://[user:password@]host[:port]")
	}
	s := &server{host: u.Hostname()}
	port, policy := 25, gomail.TLSOpportunistic
	password, hasUser := u.User.Password()
	if hasUser {
		port, policy = 587, gomail.TLSMandatory // a password never crosses a network in the clear
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	if ip := net.ParseIP(s.host); s.host == "localhost" || ip != nil && ip.IsLoopback() {
		policy = gomail.NoTLS // nobody listens in between, and a mail server at home rarely has a certificate that holds
	}
	if u.Scheme == "smtps" {
		port = 465
		s.options = append(s.options, gomail.WithSSL())
	} else {
		s.options = append(s.options, gomail.WithTLSPolicy(policy))
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, fmt.Errorf("smtp: port %q", p)
		}
	}
	_, domain, _ := strings.Cut(from, "@")
	s.options = append(s.options, gomail.WithPort(port), gomail.WithTimeout(30*time.Second), gomail.WithHELO(domain))
	if _, err := gomail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return s, nil
}

// send is the job: one attempt to hand over one mail.
func (m *Mailer) send(ctx context.Context, e queued) error {
	o, err := m.ByID(ctx, e.ID)
	if errors.Is(err, db.ErrNotFound) {
		return nil // erased meanwhile
	}
	if err != nil || o.State != Queued || m.server == nil {
		return err
	}
	// Counted before the server hears of it, and only once: of two jobs for one mail (the sweep may have raised a second) the
	// one that finds the count changed leaves it to the other.
	claimed, err := db.Exec(ctx, m.db, `UPDATE outgoing_mail SET attempts = attempts + 1 WHERE id = $1 AND attempts = $2 AND state = 'queued'`, o.ID, o.Attempts)
	if err != nil {
		return fmt.Errorf("count attempt of mail %d: %w", o.ID, err)
	}
	if claimed == 0 {
		return nil
	}
	failure := m.hand(ctx, o)
	if failure == nil {
		return m.finish(ctx, o.ID, Sent, "")
	}
	n, most := jobs.Attempt(ctx)
	if failure.permanent || n >= most {
		m.opt.Logger.WarnContext(ctx, "mail failed", "mail", o.ID, "kind", o.Kind, "code", failure.code, "attempt", n)
		return m.finish(ctx, o.ID, Failed, failure.text)
	}
	if _, err := db.Exec(ctx, m.db, `UPDATE outgoing_mail SET last_error = $2 WHERE id = $1`, o.ID, failure.text); err != nil {
		return fmt.Errorf("note failure of mail %d: %w", o.ID, err)
	}
	// The server's words may hold the address; the job's error goes to the log.
	return fmt.Errorf("mail %d was not taken (code %d)", o.ID, failure.code)
}

func (m *Mailer) finish(ctx context.Context, id int64, state State, text string) error {
	err := m.db.Tx(ctx, func(tx *db.Tx) error {
		var sentAt *int64
		if state == Sent {
			now := m.opt.Now().UnixMicro()
			sentAt = &now
		}
		_, err := db.Exec(ctx, tx, `UPDATE outgoing_mail SET state = $2, last_error = $3, sent_at = $4 WHERE id = $1`, id, string(state), text, sentAt)
		if err != nil {
			return err
		}
		return jobs.Complete(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("record mail %d as %s: %w", id, state, err)
	}
	return nil
}

// failure is why the server did not take a mail.
type failure struct {
	text      string
	code      int // of SMTP, 0 when there was no answer
	permanent bool
}

// hand gives o to the server; nil when it was taken.
func (m *Mailer) hand(ctx context.Context, o Outgoing) *failure {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.FromFormat(m.opt.SiteName, m.opt.From), msg.To(o.To)); err != nil {
		return &failure{text: err.Error(), permanent: true}
	}
	msg.Subject(o.Subject)
	msg.SetMessageIDWithValue(o.MessageID)
	msg.SetDateWithValue(m.opt.Now())
	// RFC 3834 section 5: vacation responders keep silent.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, o.Text)
	if o.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, o.HTML)
	}
	client, err := gomail.NewClient(m.server.host, m.server.options...)
	if err != nil {
		return &failure{text: err.Error()}
	}
	err = client.DialAndSendWithContext(ctx, msg)
	// An error after the server took the mail (RSET, QUIT) is no reason to send it twice.
	if err == nil || msg.IsDelivered() {
		return nil
	}
	f := &failure{text: err.Error()}
	var se *gomail.SendError
	if errors.As(err, &se) {
		f.code = se.ErrorCode()
		// A refused sender or a missing login is the operator's to mend; only a refused recipient or content is final.
		final := se.Reason == gomail.ErrSMTPRcptTo || se.Reason == gomail.ErrSMTPData || se.Reason == gomail.ErrSMTPDataClose
		f.permanent = final && f.code >= 500
	}
	return f
}
