package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"audiomicro/internal/recordings"
)

const buyerName = "demo-buyer"

// shopper is a visitor of the site's own pages: plain forms, cookies, redirects by hand.
type shopper struct {
	client *http.Client
	site   string
}

// shop lets the demo's buyer do what a buyer does, through the pages: sign in, license three computed sounds with the test
// payment, take eight free ones, and download them.
func (d *demoFill) shop(ctx context.Context) error {
	email, password := d.notes.password(buyerName)
	if email == "" {
		return nil // made by a demo whose notes are gone: it has its purchases
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	s := &shopper{site: "http://" + d.app.Config.Listen, client: &http.Client{Jar: jar, Timeout: 2 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if strings.HasPrefix(d.app.Config.Listen, ":") {
		s.site = "http://localhost" + d.app.Config.Listen
	}
	if _, err := s.post(ctx, "/sign-in", url.Values{"email": {email}, "password": {password}}); err != nil {
		return err
	}
	list, err := d.app.Recordings.List(ctx, recordings.Filter{State: recordings.Published, Limit: 1000})
	if err != nil {
		return err
	}
	byTitle := map[string]int64{}
	for _, r := range list {
		byTitle[r.Title] = r.ID
	}
	if err := s.license(ctx, byTitle); err != nil {
		return err
	}
	for _, title := range []string{"Ambient glass hum", "Kick, boomy", "Footstep on grass 2", "Flowing water 1", "Amen break loop", "Guitar harmonics", "Toy laser", "Starfall"} {
		id, ok := byTitle[title]
		if !ok {
			continue
		}
		to, err := s.post(ctx, fmt.Sprintf("/recordings/%d/free", id), url.Values{})
		if err != nil {
			return err
		}
		if _, err := s.do(ctx, http.MethodGet, to, nil); err != nil {
			return err
		}
	}
	return nil
}

// license buys computed sounds: one order, paid through the test provider, and downloads the first of it.
func (s *shopper) license(ctx context.Context, byTitle map[string]int64) error {
	for _, want := range [][2]string{{"Glass bell", "standard"}, {"Rising tension", "broadcast-1m"}, {"Night wind", "standard"}} {
		id, ok := byTitle[want[0]]
		if !ok {
			return fmt.Errorf("%s is not published", want[0])
		}
		if _, err := s.post(ctx, "/cart", url.Values{"recording": {fmt.Sprint(id)}, "model": {want[1]}}); err != nil {
			return err
		}
	}
	page, err := s.do(ctx, http.MethodGet, "/checkout", nil)
	if err != nil {
		return err
	}
	form := hidden(page.text)
	for k, v := range map[string]string{"licensee": "Demo Films Ltd", "project": "The Last Ferry", "country": "SE", "provider": "test"} {
		form.Set(k, v)
	}
	to, err := s.post(ctx, "/checkout", form)
	if err != nil {
		return err
	}
	back, err := s.post(ctx, to, url.Values{"decision": {"approve"}})
	if err != nil {
		return err
	}
	_, err = s.do(ctx, http.MethodGet, back, nil)
	return err
}

type page struct{ text, location string }

// post sends a form and gives where the answer leads; an answer that leads nowhere is an error.
func (s *shopper) post(ctx context.Context, path string, form url.Values) (string, error) {
	p, err := s.do(ctx, http.MethodPost, path, form)
	if err == nil && p.location == "" {
		err = fmt.Errorf("POST %s was not accepted", path)
	}
	return p.location, err
}

func (s *shopper) do(ctx context.Context, method, path string, form url.Values) (page, error) {
	if strings.HasPrefix(path, "/") {
		path = s.site + path
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return page{}, err
	}
	if res.StatusCode >= 400 {
		return page{}, fmt.Errorf("%s %s: %s", method, req.URL.Path, res.Status)
	}
	return page{string(text), res.Header.Get("Location")}, nil
}

var hiddenInput = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)

// hidden reads the hidden fields of a page's forms.
func hidden(text string) url.Values {
	out := url.Values{}
	for _, tag := range hiddenInput.FindAllString(text, -1) {
		name, value := attribute(tag, "name"), attribute(tag, "value")
		if name != "" && !out.Has(name) {
			out.Set(name, value)
		}
	}
	return out
}

func attribute(tag, name string) string {
	_, rest, ok := strings.Cut(tag, " "+name+`="`)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
