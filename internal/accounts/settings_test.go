package accounts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		laptop := p.member(t, "Mara", "mara@example.org")
		phone := p.browser(t)
		signIn := func(b *browser) {
			b.want(b.post("/sign-in", "email", "mara@example.org", "password", goodPassword), 303)
		}

		// Signing in again rotates: the old token is dead, also when somebody kept it.
		old := laptop.session()
		signIn(laptop)
		if laptop.session() == old {
			t.Fatal("the session was not rotated")
		}
		thief := p.browser(t)
		thief.want(thief.do("GET", "/settings", nil, "Cookie", "am_session="+old), 303, "/sign-in")
		if n := p.count(t, `SELECT count(*) FROM session WHERE token_hash = $1 OR token_hash = $2`, old, laptop.session()); n != 0 {
			t.Fatal("a token is kept as it is")
		}

		signIn(phone)
		page := laptop.want(laptop.get("/settings/sessions"), 200, "Firefox on Linux", "127.0.0.0/24", "This one")
		ids := regexp.MustCompile(`name="session" value="(\d+)"`).FindAllStringSubmatch(page.body, -1)
		if len(ids) != 1 {
			t.Fatalf("%d other sessions listed", len(ids))
		}
		stranger := p.member(t, "Jona", "jona@example.org")
		stranger.want(stranger.post("/settings/sessions/revoke", "session", ids[0][1]), 404)
		phone.want(phone.get("/settings"), 200)
		laptop.want(laptop.post("/settings/sessions/revoke", "session", ids[0][1]), 303)
		phone.want(phone.get("/settings"), 303, "/sign-in")
		laptop.want(laptop.post("/settings/sessions/revoke", "session", "x"), 404)

		signIn(phone)
		laptop.want(laptop.post("/settings/sessions/everywhere"), 303)
		laptop.want(laptop.get("/settings"), 303, "/sign-in")
		phone.want(phone.get("/settings"), 303, "/sign-in")

		// Idle for 14 days, or 90 days in all.
		signIn(laptop)
		p.clock.pass(14*24*time.Hour - time.Minute)
		laptop.want(laptop.get("/settings"), 200)
		p.clock.pass(14*24*time.Hour + time.Minute)
		laptop.want(laptop.get("/settings"), 303)
		signIn(laptop)
		for range 8 {
			p.clock.pass(11 * 24 * time.Hour)
			laptop.want(laptop.get("/settings"), 200)
		}
		p.clock.pass(2 * 24 * time.Hour)
		laptop.want(laptop.get("/settings"), 303)
		must(t, p.store.Sweep(t.Context()))
		if n := p.count(t, `SELECT count(*) FROM session`); n != 0 {
			t.Fatalf("%d old sessions left", n)
		}
	})
}

func TestStaffSessionsAreShort(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		made, err := p.store.Create(t.Context(), accounts.NewAccount{Name: "Mod", Email: "mod@example.org", Born: "1980-01-01", Role: "moderator"})
		must(t, err)
		b := p.browser(t)
		signIn := func() { b.want(b.post("/sign-in", "email", "mod@example.org", "password", made.Password), 303) }
		signIn()
		p.clock.pass(12*time.Hour - time.Second)
		b.want(b.get("/who"), 200, "Mod moderator")
		p.clock.pass(12*time.Hour - time.Second)
		b.want(b.get("/settings"), 200)
		p.clock.pass(2 * time.Second)
		b.want(b.get("/settings"), 303)
		signIn()
		p.clock.pass(12 * time.Hour)
		b.want(b.get("/settings"), 303)
	})
}

func TestPasswordAndEmail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b, other := p.member(t, "Mara", "mara@example.org"), p.browser(t)
		other.want(other.post("/sign-in", "email", "mara@example.org", "password", goodPassword), 303)
		b.want(b.get("/settings/password"), 200, "Current password")
		b.want(b.post("/settings/password", "current", "wrong", "password", "a different long one"), 422, "not your current password")
		b.want(b.post("/settings/password", "current", goodPassword, "password", "short"), 422, "8 to 128")
		before := b.session()
		b.want(b.post("/settings/password", "current", goodPassword, "password", "a different long one"), 303)
		if b.session() == before {
			t.Fatal("the session was not rotated")
		}
		b.want(b.get("/settings"), 200)
		other.want(other.get("/settings"), 303, "/sign-in")

		b.want(b.post("/settings/email", "email", "new@example.org", "current", "wrong"), 422, "not your current password", `value="new@example.org"`)
		b.want(b.post("/settings/email", "email", "new", "current", "a different long one"), 422, "not an e-mail address")
		b.want(b.post("/settings/email", "email", "New@example.org", "current", "a different long one"), 303)
		_, link := p.letters(t, "New@example.org")
		b.want(b.get("/settings/email"), 200, "mara@example.org")
		stranger := p.member(t, "Jona", "jona@example.org")
		stranger.want(stranger.post(link), 422, "not the password of the account")
		b.want(b.post(link), 303)
		b.want(b.get("/settings/email"), 200, "New@example.org")
		if kinds, _ := p.letters(t, "mara@example.org"); kinds[len(kinds)-1] != "account-email-was" {
			t.Fatalf("letters to the old address: %v", kinds)
		}
		b.want(b.post(link), 410)

		// An address that has an account: the same answer, and its owner hears of it.
		p.clock.pass(time.Hour)
		b.want(b.post("/settings/email", "email", "jona@example.org", "current", "a different long one"), 303)
		if kinds, _ := p.letters(t, "jona@example.org"); kinds[len(kinds)-1] != "account-known" {
			t.Fatalf("letters %v", kinds)
		}
		// An address that gets an account between the request and the link.
		b.want(b.post("/settings/email", "email", "late@example.org", "current", "a different long one"), 303)
		_, link = p.letters(t, "late@example.org")
		p.member(t, "Late", "late@example.org")
		b.want(b.post(link), 409, "belongs to another account")
	})
}

func TestContributorTerms(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		visitor := p.browser(t)
		visitor.want(visitor.get("/contributor-terms"), 200, "You stay the owner", "Sign in to accept")
		visitor.want(visitor.post("/contributor-terms", "accept", "on", "version", "1"), 303, "/sign-in")
		b := p.member(t, "Mara", "mara@example.org")
		b.want(b.get("/contributor-terms"), 200, "Become a contributor")
		b.want(b.post("/contributor-terms", "version", "1"), 422, "Tick the box")
		b.want(b.post("/contributor-terms", "accept", "on", "version", "0"), 409, "Read them again")
		b.want(b.post("/contributor-terms", "accept", "on", "version", "1"), 303, "/upload")
		b.want(b.get("/who"), 200, "Mara member contributor=true")
		b.want(b.post("/contributor-terms", "accept", "on", "version", "1", "next", "//evil.example"), 303, "/upload")
		if n := p.count(t, `SELECT count(*) FROM changes WHERE kind = 'account'`); n != 2 {
			t.Fatalf("%d changes in the feed, want confirmed and contributor", n)
		}
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.member(t, "Mara", "mara@example.org")
		b.want(b.post("/settings/api", "name", " "), 422, "1 to 60")
		page := b.want(b.post("/settings/api", "name", "My <b>script</b>"), 200, "My &lt;b&gt;script")
		shown := regexp.MustCompile(`<p class="mono">([A-Za-z0-9]+)</p>`).FindAllStringSubmatch(page.body, -1)
		if len(shown) != 3 || len(shown[0][1]) != 40 || len(shown[1][1]) != 30 || len(shown[2][1]) != 20 {
			t.Fatalf("shown once: %v", shown)
		}
		key, bearer := shown[0][1], shown[1][1]
		if again := b.get("/settings/api").body; strings.Contains(again, key) || strings.Contains(again, bearer) {
			t.Fatal("a secret is shown twice")
		}
		must(t, p.store.AcceptContributorTerms(t.Context(), p.count(t, `SELECT id FROM account`), 1))

		api := p.browser(t)
		for name, c := range map[string]struct {
			method, path, header string
			status               int
			want                 string
		}{
			"key":                  {"GET", "/apiv2/who/", "Token " + key, 200, "Mara member contributor=true confirmed=true readonly=true"},
			"key, any case":        {"GET", "/apiv2/who/", "tOKEN " + key, 200, "Mara"},
			"key in the query":     {"GET", "/apiv2/who/?token=" + key, "", 200, "readonly=true"},
			"key does not write":   {"POST", "/apiv2/who/", "Token " + key, 403, "detail"},
			"bearer":               {"GET", "/apiv2/who/", "Bearer " + bearer, 200, "readonly=false"},
			"bearer writes":        {"POST", "/apiv2/who/", "Bearer " + bearer, 200, "Mara"},
			"bearer is no key":     {"GET", "/apiv2/who/", "Token " + bearer, 401, "Invalid token"},
			"key is no bearer":     {"GET", "/apiv2/who/", "Bearer " + key, 401, "Invalid token"},
			"header wins":          {"GET", "/apiv2/who/?token=" + key, "Token x", 401, "Invalid token"},
			"empty":                {"GET", "/apiv2/who/", "Token ", 401, "No credentials provided"},
			"blanks":               {"GET", "/apiv2/who/", "Token a b", 401, "should not contain spaces"},
			"nobody":               {"GET", "/apiv2/who/", "", 401, "detail"},
			"query only there":     {"GET", "/settings?token=" + key, "", 303, "/sign-in"},
			"no settings by key":   {"GET", "/settings/api", "Token " + key, 403, "in a browser"},
			"no password by token": {"POST", "/settings/password", "Bearer " + bearer, 403, "in a browser"},
		} {
			t.Run(name, func(t *testing.T) {
				api := p.browser(t)
				var header []string
				if c.header != "" {
					header = []string{"Authorization", c.header}
				}
				api.want(api.do(c.method, c.path, nil, header...), c.status, c.want)
			})
		}

		ids := regexp.MustCompile(`name="credential" value="(\d+)"`).FindStringSubmatch(b.get("/settings/api").body)
		stranger := p.member(t, "Jona", "jona@example.org")
		stranger.want(stranger.post("/settings/api/revoke", "credential", ids[1]), 404)
		b.want(b.post("/settings/api/revoke", "credential", ids[1]), 303)
		for _, h := range []string{"Token " + key, "Bearer " + bearer} {
			api.want(api.do("GET", "/apiv2/who/", nil, "Authorization", h), 401, "Invalid token")
		}
	})
}

func TestCommandLineAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		ctx := t.Context()
		made, err := p.store.Create(ctx, accounts.NewAccount{Name: "Mara", Email: "mara@example.org", Born: "1990-05-17", Role: "contributor", Unthrottled: true})
		must(t, err)
		text, err := json.Marshal(made)
		must(t, err)
		if want := fmt.Sprintf(`{"id":%d,"name":"Mara","email":"mara@example.org","password":"`, made.ID); !strings.HasPrefix(string(text), want) {
			t.Fatalf("JSON %s", text)
		}
		if made.Key != made.ClientSecret || len(made.Key) != 40 || len(made.ClientID) != 20 || len(made.Bearer) != 30 {
			t.Fatalf("sizes: %+v", made)
		}
		api, b := p.browser(t), p.browser(t)
		api.want(api.do("POST", "/apiv2/who/", nil, "Authorization", "Bearer "+made.Bearer), 200, "contributor=true confirmed=true")
		b.want(b.post("/sign-in", "email", "mara", "password", made.Password), 303)
		show, err := p.store.Show(ctx, "MARA")
		must(t, err)
		if show.State != "active" || !show.Contributor || show.Sessions != 1 || show.Credentials != 1 || show.Created != "2026-11-23T12:00:00Z" {
			t.Fatalf("%+v", show)
		}

		a, err := p.store.ByName(ctx, "mara")
		must(t, err)
		must(t, p.store.Suspend(ctx, a.ID))
		must(t, p.store.Suspend(ctx, a.ID))
		api.want(api.do("GET", "/apiv2/who/", nil, "Authorization", "Bearer "+made.Bearer), 401, "User inactive")
		b.want(b.get("/settings"), 303, "/sign-in")
		b.want(b.post("/sign-in", "email", "mara", "password", made.Password), 403, "suspended")
		if n := p.count(t, `SELECT count(*) FROM account_public`); n != 0 {
			t.Fatal("a suspended name is published")
		}
		if err := p.store.Suspend(ctx, 99); !errors.Is(err, db.ErrNotFound) {
			t.Fatalf("suspend nobody: %v", err)
		}

		for name, c := range map[string]struct {
			n    accounts.NewAccount
			want string
		}{
			"child":       {accounts.NewAccount{Name: "Kid", Email: "kid@example.org", Born: "2020-01-01"}, "at this age"},
			"no date":     {accounts.NewAccount{Name: "Kid", Email: "kid@example.org", Born: "1.1.1990"}, "YYYY-MM-DD"},
			"role":        {accounts.NewAccount{Name: "Kid", Email: "kid@example.org", Born: "1990-01-01", Role: "king"}, "no role"},
			"name taken":  {accounts.NewAccount{Name: "MARA", Email: "kid@example.org", Born: "1990-01-01"}, "taken"},
			"email taken": {accounts.NewAccount{Name: "Kid", Email: "MARA@example.org", Born: "1990-01-01"}, "exists"},
		} {
			if _, err := p.store.Create(ctx, c.n); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := p.count(t, `SELECT count(*) FROM account`); n != 1 {
			t.Fatalf("%d accounts", n)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		p.member(t, "Mara", "mara@example.org")
		b := p.browser(t)
		for range 10 {
			b.want(b.post("/sign-in", "email", "Mara@example.org", "password", "wrong"), 401)
		}
		a := b.want(b.post("/sign-in", "email", "mara@example.org", "password", goodPassword), 429, "Too many tries")
		if a.header.Get("Retry-After") == "" {
			t.Fatal("no Retry-After")
		}
		p.clock.pass(5 * time.Minute)
		b.want(b.post("/sign-in", "email", "mara@example.org", "password", goodPassword), 303)

		guest := p.browser(t)
		for i := range 5 {
			guest.want(guest.post("/sign-up", signUpForm(fmt.Sprintf("Name%c", 'a'+i), fmt.Sprintf("n%d@example.org", i))...), 200)
		}
		guest.want(guest.post("/sign-up", signUpForm("Namez", "n9@example.org")...), 429)
		p.clock.pass(time.Hour)
		for range 5 {
			guest.want(guest.post("/reset", "email", "nobody@example.org"), 200)
		}
		guest.want(guest.post("/reset", "email", "nobody@example.org"), 429)
	})
}

func TestOtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.member(t, "Mara", "mara@example.org")
		for _, rt := range p.pages.Routes() {
			path, ok := strings.CutPrefix(rt.Pattern, "POST ")
			if !ok {
				continue
			}
			path = strings.ReplaceAll(path, "{token}", "x")
			b.want(b.do("POST", path, map[string][]string{}, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), 403, "another site")
			b.want(b.do("POST", path, map[string][]string{}, "Origin", "https://evil.example"), 403, "another site")
		}
		b.want(b.get("/who"), 200, "Mara")
	})
}

func TestCookies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		p.member(t, "Mara", "mara@example.org")
		for _, secure := range []bool{false, true} {
			p.site.Secure = secure
			b := p.browser(t)
			a := b.want(b.post("/sign-in", "email", "mara", "password", goodPassword), 303)
			line := ""
			for _, c := range a.header.Values("Set-Cookie") {
				if strings.Contains(c, "am_session=") {
					line = c
				}
			}
			for _, part := range []string{"Path=/;", "HttpOnly", "SameSite=Lax"} {
				if !strings.Contains(line, part) {
					t.Errorf("cookie %q lacks %s", line, part)
				}
			}
			if strings.HasPrefix(line, "__Host-am_session=") != secure || strings.Contains(line, "Secure") != secure || strings.Contains(line, "Domain") {
				t.Errorf("secure=%v: cookie %q", secure, line)
			}
		}
	})
}

func TestTheme(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.member(t, "Mara", "mara@example.org")
		for _, theme := range []string{"dark", "light", "", "evil"} {
			b.want(b.post("/theme", "theme", theme, "next", "https://evil.example/"), 303)
			got, want := "", theme
			if theme == "evil" {
				want = ""
			}
			for _, c := range b.client.Jar.Cookies(mustURL(t, p.url)) {
				if c.Name == "am_theme" {
					got = c.Value
				}
			}
			r, err := http.NewRequest("GET", p.url, nil)
			must(t, err)
			r.AddCookie(&http.Cookie{Name: "am_theme", Value: theme})
			if got != want || accounts.Theme(r) != want {
				t.Errorf("theme %q became cookie %q, read %q", theme, got, accounts.Theme(r))
			}
		}
		b.want(b.post("/theme", "theme", "dark"), 303)
		other := p.browser(t)
		if a := other.want(other.post("/sign-in", "email", "mara", "password", goodPassword), 303); !strings.Contains(strings.Join(a.header.Values("Set-Cookie"), " "), "am_theme=dark") {
			t.Error("the theme does not come along")
		}
	})
}

// TestOneUse has many ask at once for what may happen once.
func TestOneUse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.browser(t)
		b.want(b.post("/sign-up", signUpForm("Mara", "mara@example.org")...), 200)
		_, link := p.letters(t, "mara@example.org")
		token := strings.TrimSuffix(strings.TrimPrefix(link, "/confirm/"), "?next=%2Fcart")
		setup, err := p.store.SetupLink(t.Context())
		must(t, err)
		_, setup, _ = strings.Cut(setup, "/setup/")
		done := func(f func(i int) error) int {
			var wg sync.WaitGroup
			var mu sync.Mutex
			n := 0
			for i := range 8 {
				wg.Go(func() {
					if f(i) == nil {
						mu.Lock()
						n++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			return n
		}
		ctx := context.Background()
		if n := done(func(int) error {
			_, _, err := p.store.Confirm(ctx, token, access.Actor{}, goodPassword, accounts.Visit{})
			return err
		}); n != 1 {
			t.Errorf("a link was used %d times", n)
		}
		if n := done(func(i int) error {
			_, err := p.store.Setup(ctx, setup, accounts.Applicant{Name: fmt.Sprintf("Admin%c", 'a'+i), Email: fmt.Sprintf("a%d@example.org", i), Password: goodPassword}, accounts.Visit{})
			return err
		}); n != 1 {
			t.Errorf("%d administrators were set up", n)
		}
		if n := done(func(i int) error {
			return p.store.SignUp(ctx, accounts.Applicant{Name: "Same", Email: fmt.Sprintf("s%d@example.org", i), Password: goodPassword, Born: accounts.Born{Year: 1990, Month: 1, Day: 1}})
		}); n != 1 {
			t.Errorf("a name was given %d times", n)
		}
	})
}
