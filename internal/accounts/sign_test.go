package accounts_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
)

func TestSignUpConfirmSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.browser(t)
		b.want(b.get("/sign-up?next=/cart"), 200, `name="born_year"`, `value="/cart"`)
		b.want(b.post("/sign-up", signUpForm("Mara", "mara@example.org")...), 200, "Look into your mail")
		if b.session() != "" {
			t.Fatal("a sign-up must not sign in: it would tell a known address from an unknown one")
		}
		kinds, link := p.letters(t, "mara@example.org")
		if len(kinds) != 1 || kinds[0] != "account-confirm" || !strings.HasSuffix(link, "?next=%2Fcart") {
			t.Fatalf("letters %v, link %q", kinds, link)
		}

		// A mail scanner that opens the link changes nothing.
		b.want(b.get(link), 200, "Confirm and sign in", "mara@example.org")
		if n := p.count(t, `SELECT count(*) FROM account WHERE state = 'unconfirmed'`); n != 1 {
			t.Fatalf("%d unconfirmed accounts after a GET", n)
		}
		path, _, _ := strings.Cut(link, "?")
		b.want(b.post(path, "password", "not the password"), 422, "not the password of the account")
		b.want(b.post(path, "password", goodPassword, "next", "/cart"), 303, "/cart")
		b.want(b.get("/who"), 200, "Mara member contributor=false confirmed=true")
		b.want(b.post(path, "password", goodPassword), 410)

		b.want(b.post("/sign-out"), 303)
		b.want(b.get("/who"), 200, " visitor "[:1])
		if strings.Contains(b.get("/who").body, "Mara") {
			t.Fatal("signed out, and still known")
		}
		for _, login := range []string{"mara@example.org", "MARA@Example.ORG", " mara@example.org ", "Mara", "mara"} {
			other := p.browser(t)
			other.want(other.post("/sign-in", "email", login, "password", goodPassword, "next", "/library"), 303, "/library")
			other.want(other.get("/who"), 200, "Mara")
		}
		b.want(b.post("/sign-in", "email", "mara@example.org", "password", "wrong"), 401, "wrong", `value="mara@example.org"`)
		b.want(b.post("/sign-in", "email", "nobody@example.org", "password", "wrong"), 401, "The address or the password is wrong.")
		if n := p.count(t, `SELECT count(*) FROM account_public WHERE name = 'Mara'`); n != 1 {
			t.Fatalf("account_public shows %d", n)
		}
	})
}

func TestSignUpRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		p.member(t, "Mara", "mara@example.org")
		for name, c := range map[string]struct {
			set  []string
			want string
		}{
			"short name":        {[]string{"name", "ab"}, "3 to 30"},
			"long name":         {[]string{"name", strings.Repeat("a", 31)}, "3 to 30"},
			"blank in name":     {[]string{"name", "a b c"}, "letters, digits"},
			"script in name":    {[]string{"name", "<script>"}, "letters, digits"},
			"invisible in name": {[]string{"name", "abc\u200ddef"}, "letters, digits"},
			"reserved":          {[]string{"name", "Admin"}, "taken"},
			"reserved, digits":  {[]string{"name", "r00t"}, "taken"},
			"taken":             {[]string{"name", "mARA"}, "taken"},
			"taken, look-alike": {[]string{"name", "M\u0430r\u0430"}, "taken"},
			"no address":        {[]string{"email", "mara"}, "not an e-mail address"},
			"two addresses":     {[]string{"email", "a@example.org,b@example.org"}, "not an e-mail address"},
			"header injection":  {[]string{"email", "a@example.org\r\nBcc: b@example.org"}, "not an e-mail address"},
			"short password":    {[]string{"password", "kurz12!"}, "8 to 128"},
			"long password":     {[]string{"password", strings.Repeat("lang", 33)}, "8 to 128"},
			"common password":   {[]string{"password", "Password123"}, "first that anybody would try"},
			"common plus digit": {[]string{"password", "iloveyou2026!"}, "first that anybody would try"},
			"a run":             {[]string{"password", "87654321"}, "first that anybody would try"},
			"name as password":  {[]string{"name", "fieldnote", "password", "Fieldnote1"}, "too close"},
			"no such day":       {[]string{"born_month", "2", "born_day", "30"}, "not a date of birth"},
			"future":            {[]string{"born_year", "2030"}, "not a date of birth"},
			"no date":           {[]string{"born_year", "", "born_day", "x"}, "not a date of birth"},
		} {
			t.Run(name, func(t *testing.T) {
				b := p.browser(t)
				a := b.want(b.post("/sign-up", append(signUpForm("Somebody", "some@example.org"), c.set...)...), 422, c.want)
				if strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, goodPassword) {
					t.Error("the form gives back what it must not")
				}
			})
		}
		if n := p.count(t, `SELECT count(*) FROM account`); n != 1 {
			t.Fatalf("%d accounts", n)
		}
	})
}

func TestKnownAddressLooksTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		p.member(t, "Mara", "mara@example.org")
		b := p.browser(t)
		known := b.want(b.post("/sign-up", signUpForm("Newname", "Mara@example.org")...), 200)
		fresh := b.want(b.post("/sign-up", signUpForm("Othername", "Jona@example.org")...), 200)
		if mainOf(known.body) != strings.ReplaceAll(mainOf(fresh.body), "Jona@", "Mara@") {
			t.Fatal("the two answers differ")
		}
		if kinds, _ := p.letters(t, "mara@example.org"); kinds[len(kinds)-1] != "account-known" {
			t.Fatalf("letters %v", kinds)
		}
		// Asking for the names again gives the same answer in both cases, too.
		p.site.Limits.Off = true
		for _, name := range []string{"Newname", "Othername"} {
			b.want(b.post("/sign-up", signUpForm(name, "third@example.org")...), 422, "taken")
		}
		p.clock.pass(15 * 24 * time.Hour)
		must(t, p.store.Sweep(t.Context()))
		for i, name := range []string{"Newname", "Othername"} {
			b.want(b.post("/sign-up", signUpForm(name, string(rune('a'+i))+"@example.org")...), 200)
		}
		// A second sign-up with an address that nobody confirmed replaces the first, whose link is dead.
		_, first := p.letters(t, "a@example.org")
		b.want(b.post("/sign-up", signUpForm("Thirdname", "a@example.org")...), 200)
		b.want(b.get(first), 410)
		if n := p.count(t, `SELECT count(*) FROM account WHERE email = 'a@example.org'`); n != 1 {
			t.Fatalf("%d accounts with one address", n)
		}

		known = b.want(b.post("/reset", "email", "mara@example.org"), 200)
		fresh = b.want(b.post("/reset", "email", "nobody@example.org"), 200)
		if mainOf(known.body) != strings.ReplaceAll(mainOf(fresh.body), "nobody@", "mara@") {
			t.Fatal("the answers to a reset differ")
		}
		if kinds, _ := p.letters(t, "nobody@example.org"); kinds != nil {
			t.Fatalf("mail to a stranger: %v", kinds)
		}
	})
}

func TestAges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) { // today is 23 November 2026
		rows := func() int64 {
			return p.count(t, `SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM account_token) + (SELECT count(*) FROM name_hold)
				+ (SELECT count(*) FROM session) + (SELECT count(*) FROM outgoing_mail)`)
		}
		child := p.browser(t)
		form := regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`).ReplaceAllString(mainOf(child.get("/sign-up").body), " ")
		if hint := regexp.MustCompile(`(?i)\b(1[1-9]|2[01]|old|age|adult|years|child|minor)\b`).FindString(form); hint != "" {
			t.Errorf("the age question hints at a threshold: %q", hint)
		}
		child.want(child.post("/sign-up", signUpForm("Kid", "kid@example.org", "2013", "11", "24")...), 403, "kept nothing of it")
		child.want(child.get("/sign-up"), 403)
		child.want(child.post("/sign-up", signUpForm("Kid", "kid@example.org", "1990", "1", "1")...), 403)
		if n := rows(); n != 0 {
			t.Fatalf("%d rows about a child", n)
		}
		if c := child.client.Jar.Cookies(mustURL(t, p.url+"/sign-up")); len(c) != 1 || c[0].Name != "am_age" || strings.Contains(c[0].Value, "2013") {
			t.Fatalf("cookies %v", c)
		}
		forged := p.browser(t)
		forged.want(forged.do("GET", "/sign-up", nil, "Cookie", "am_age=AAAAAP_____wAAAAAAAAAAAAAAAAAAAA"), 200)
		p.clock.pass(13 * time.Hour)
		child.want(child.get("/sign-up"), 200)
		p.clock.pass(-13 * time.Hour)

		teen := p.browser(t)
		teen.want(teen.post("/sign-up", signUpForm("Teen", "teen@example.org", "2013", "11", "23")...), 200, "guardian")
		teen.want(teen.post("/sign-in", "email", "teen@example.org", "password", goodPassword), 403, "guardian")
		teen.want(teen.get("/settings"), 303, "/sign-in")
		if n := p.count(t, `SELECT count(*) FROM account WHERE state = 'guardian' AND age_band = 'minor' AND adult_on = $1`,
			time.Date(2031, 11, 23, 0, 0, 0, 0, time.UTC).UnixMicro()); n != 1 {
			t.Fatal("the minor is not parked until of age")
		}
		p.clock.pass(5 * 366 * 24 * time.Hour)
		teen.want(teen.post("/sign-in", "email", "teen@example.org", "password", goodPassword), 303)
		teen.want(teen.get("/who"), 200, "Teen member contributor=false confirmed=false")
		if kinds, _ := p.letters(t, "teen@example.org"); strings.Join(kinds, " ") != "account-guardian account-confirm" {
			t.Fatalf("letters %v", kinds)
		}

		adult := p.browser(t)
		adult.want(adult.post("/sign-up", signUpForm("Grown", "grown@example.org", "2008", "11", "23")...), 200, "Look into your mail")
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.member(t, "Mara", "mara@example.org")
		other := p.browser(t)
		other.want(other.post("/reset", "email", "mara"), 422, "not an e-mail address")
		other.want(other.post("/reset", "email", "mara@example.org"), 200)
		_, old := p.letters(t, "mara@example.org")
		p.clock.pass(time.Minute)
		other.want(other.post("/reset", "email", "mara@example.org"), 200)
		_, link := p.letters(t, "mara@example.org")
		other.want(other.get(old), 410)
		other.want(other.get(link), 200, "Set a new password")
		other.want(other.post(link, "password", "short"), 422, "8 to 128")
		other.want(other.post(link, "password", "a different long one"), 303, "/sign-in")
		other.want(other.post(link, "password", "a third one, quite long"), 410)
		b.want(b.get("/settings"), 303, "/sign-in")
		b.want(b.post("/sign-in", "email", "mara@example.org", "password", goodPassword), 401)
		b.want(b.post("/sign-in", "email", "mara@example.org", "password", "a different long one"), 303)
		if kinds, _ := p.letters(t, "mara@example.org"); kinds[len(kinds)-1] != "account-password" {
			t.Fatalf("letters %v", kinds)
		}
		other.want(other.post("/reset", "email", "mara@example.org"), 200)
		_, link = p.letters(t, "mara@example.org")
		p.clock.pass(time.Hour)
		other.want(other.get(link), 410)
		other.want(other.post(link, "password", "a different long one"), 410)
	})
}

// TestResetShutsOut is what people expect of a reset after a theft: nothing that worked before works after it.
func TestResetShutsOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.member(t, "Mara", "mara@example.org")
		a, err := p.store.ByName(t.Context(), "Mara")
		must(t, err)
		stolen, err := p.store.AddCredential(t.Context(), a.ID, accounts.Application{Name: "script"}, false)
		must(t, err)
		thief := p.browser(t)
		thief.want(thief.post("/sign-in", "email", "mara@example.org", "password", goodPassword), 303)
		// A change in the settings keeps programs going and says so; links that were mailed before it end.
		b.want(b.post("/reset", "email", "mara@example.org"), 200)
		_, link := p.letters(t, "mara@example.org")
		b.want(b.get("/settings/password"), 200, "revoke those under API")
		b.want(b.post("/settings/password", "current", goodPassword, "password", "a second one, quite long"), 303)
		thief.want(thief.get("/settings"), 303, "/sign-in")
		thief.want(thief.get(link), 410)
		thief.want(thief.post(link, "password", "what the thief likes"), 410)
		bearer, key := []string{"Authorization", "Bearer " + stolen.Bearer}, []string{"Authorization", "Token " + stolen.Secret}
		thief.want(thief.do("GET", "/apiv2/who/", nil, bearer...), 200, "Mara")
		// A reset by mail revokes them, and says so before and after.
		b.want(b.post("/reset", "email", "mara@example.org"), 200)
		_, link = p.letters(t, "mara@example.org")
		b.want(b.get(link), 200, "every API credential is revoked")
		b.want(b.post(link, "password", "a third one, quite long"), 303, "/sign-in")
		thief.want(thief.do("GET", "/apiv2/who/", nil, bearer...), 401)
		thief.want(thief.do("GET", "/apiv2/who/", nil, key...), 401)
		list, err := p.mail.Recent(t.Context(), 1)
		must(t, err)
		if len(list) != 1 || !strings.Contains(list[0].Text, "All API credentials were revoked") {
			t.Fatalf("the mail says %+v", list)
		}
	})
}

// TestResetLinkStaysWithItsAddress: a link that was mailed to an address ends when the account moves to another one.
func TestResetLinkStaysWithItsAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.member(t, "Mara", "mara@example.org")
		thief := p.browser(t) // reads the old mailbox
		thief.want(thief.post("/reset", "email", "mara@example.org"), 200)
		_, reset := p.letters(t, "mara@example.org")
		b.want(b.post("/settings/email", "email", "new@example.org", "current", goodPassword), 303)
		_, move := p.letters(t, "new@example.org")
		b.want(b.post(move), 303)
		thief.want(thief.get(reset), 410)
		thief.want(thief.post(reset, "password", "what the thief likes"), 410)
		b.want(b.get("/settings"), 200, "new@example.org")
	})
}

// TestSignInUnderWay: a sign-in whose password was checked before a reset and whose session begins after it gets none.
func TestSignInUnderWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		p.member(t, "Mara", "mara@example.org")
		for try := range 8 {
			old, fresh := goodPassword, "another one, quite long"
			if try%2 == 1 {
				old, fresh = fresh, old
			}
			_, err := db.Exec(t.Context(), p.db, `DELETE FROM session`)
			must(t, err)
			must(t, p.store.RequestReset(t.Context(), "mara@example.org"))
			_, link := p.letters(t, "mara@example.org")
			var work sync.WaitGroup
			for range 4 {
				work.Go(func() { p.store.SignIn(t.Context(), "mara@example.org", old, accounts.Visit{}) })
			}
			work.Go(func() {
				if err := p.store.Reset(t.Context(), strings.TrimPrefix(link, "/reset/"), fresh); err != nil {
					t.Error(err)
				}
			})
			work.Wait()
			n, err := db.Get[int64](t.Context(), p.db, `SELECT count(*) FROM session WHERE revoked_at = 0`)
			must(t, err)
			if n != 0 {
				t.Fatalf("round %d: %d sessions of the old password live", try, n)
			}
			p.clock.pass(time.Minute)
		}
	})
}

func TestSetup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		first, err := p.store.SetupLink(t.Context())
		must(t, err)
		link, err := p.store.SetupLink(t.Context())
		must(t, err)
		first, link = strings.TrimPrefix(first, p.url), strings.TrimPrefix(link, p.url)
		b := p.browser(t)
		b.want(b.get(link), 200, "Create the administrator")
		b.want(b.post(link, "name", "Admin", "email", "root@example.org", "password", "12345678"), 422, "first that anybody would try")
		b.want(b.post(link, "name", "Admin", "email", "root@example.org", "password", goodPassword), 303)
		b.want(b.get("/who"), 200, "Admin admin contributor=false confirmed=true")
		for _, path := range []string{link, first, "/setup/x"} {
			b.want(b.get(path), 410)
			b.want(b.post(path, "name", "Second", "email", "second@example.org", "password", goodPassword), 410)
		}
		if again, err := p.store.SetupLink(t.Context()); err != nil || again != "" {
			t.Fatalf("a setup link although there is an admin: %q, %v", again, err)
		}
		if n := p.count(t, `SELECT count(*) FROM account`); n != 1 {
			t.Fatalf("%d accounts", n)
		}
	})
}
