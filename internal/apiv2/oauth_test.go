package apiv2_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

const back = "https://client.example/back?from=audio"

// application makes an application of somebody and gives its credential.
func application(t *testing.T, s *testkit.Site, owner *testkit.Person, redirect string) accounts.NewCredential {
	t.Helper()
	app, err := s.Accounts.AddCredential(t.Context(), owner.ID, accounts.Application{Name: "Field notes", RedirectURI: redirect}, false)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// answerOf reads what a redirect to the application says.
func answerOf(t *testing.T, got testkit.Answer, to string) url.Values {
	t.Helper()
	rest, ok := strings.CutPrefix(got.Location, to)
	if got.Status != http.StatusFound || !ok {
		t.Fatalf("%d to %q, want a redirect to %s", got.Status, got.Location, to)
	}
	q, err := url.ParseQuery(strings.TrimLeft(rest, "&?"))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestOAuthCodeGrant walks the code grant as an application and a person do.
func TestOAuthCodeGrant(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		app := application(t, s, s.Account("Dev", "member"), back+" myapp:/done")
		fan := s.Person("Fan", "member")
		ask := "/apiv2/oauth2/authorize/?client_id=" + app.ClientID + "&response_type=code&state=a%26b"
		got := s.Visitor().Get(ask)
		if got.Status != http.StatusFound || !strings.HasPrefix(got.Location, "/apiv2/login/?next=") {
			t.Fatalf("not signed in: %d %s", got.Status, got.Location)
		}
		if got = s.Visitor().Get(got.Location); got.Status != http.StatusFound || !strings.HasPrefix(got.Location, "/sign-in?next=%2Fapiv2%2Foauth2%2Fauthorize%2F%3F") {
			t.Errorf("login: %d %s", got.Status, got.Location)
		}
		got = fan.Get(ask)
		if got.Status != http.StatusOK || !strings.Contains(got.Text, `name="allow" value="Authorize!"`) || !strings.Contains(got.Text, "Field notes") || !strings.Contains(got.Text, `name="state" value="a&amp;b"`) {
			t.Fatalf("page: %d %s", got.Status, got.Text)
		}
		if csp := got.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://client.example;") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("the form may not lead back: %s", csp)
		}
		form := url.Values{"client_id": {app.ClientID}, "response_type": {"code"}, "state": {"a&b"}}
		if a := answerOf(t, fan.Post("/apiv2/oauth2/authorize/", withValue(form, "deny", "Deny")), back); a.Get("error") != "access_denied" || a.Get("state") != "a&b" {
			t.Errorf("deny: %v", a)
		}
		answer := answerOf(t, fan.Post("/apiv2/oauth2/authorize/", withValue(form, "allow", "Authorize!")), back)
		if answer.Get("state") != "a&b" || !regexp.MustCompile(`^[A-Za-z0-9]{30}$`).MatchString(answer.Get("code")) {
			t.Fatalf("allow: %v", answer)
		}
		tokens := exchange(t, s, app, answer.Get("code"))
		use := with(t, s, "Bearer "+tokens["access_token"].(string))
		if me := want(t, "me", use.get("/apiv2/me/"), http.StatusOK); me["username"] != "Fan" {
			t.Errorf("me: %v", me)
		}
		// Asked again, nobody is bothered; the code of that gives new tokens, and the old ones end.
		again := answerOf(t, fan.Get(strings.Replace(ask, "/?", "?", 1)+"&redirect_uri="+url.QueryEscape("myapp:/done")), "myapp:/done")
		next := exchange(t, s, app, again.Get("code"))
		want(t, "the old token", use.get("/apiv2/me/"), http.StatusUnauthorized)
		refreshing(t, s, app, tokens["refresh_token"].(string), next)
		revoking(t, s, app, fan, ask)
	})
}

func withValue(v url.Values, key, value string) url.Values {
	out := url.Values{key: {value}}
	for k, list := range v {
		out[k] = list
	}
	return out
}

// exchange gets tokens for a code and checks the answer as an old client reads it.
func exchange(t *testing.T, s *testkit.Site, app accounts.NewCredential, code string) object {
	t.Helper()
	nobody := with(t, s, "")
	ask := url.Values{"client_id": {app.ClientID}, "client_secret": {app.Secret}, "grant_type": {"authorization_code"}, "code": {code}}
	for what, wrong := range map[string]struct {
		form   url.Values
		status int
		err    string
	}{
		"unknown client": {withValue(del(ask, "client_id"), "client_id", "x"), 401, "invalid_client"}, "no client": {del(ask, "client_id"), 401, "invalid_client"},
		"wrong secret": {withValue(del(ask, "client_secret"), "client_secret", "x"), 401, "invalid_client"}, "no secret": {del(ask, "client_secret"), 400, "invalid_grant"},
		"unknown code": {withValue(del(ask, "code"), "code", "x"), 400, "invalid_grant"}, "no code": {del(ask, "code"), 400, "invalid_request"}, "no grant type": {del(ask, "grant_type"), 400, "invalid_request"},
		"password": {withValue(del(ask, "grant_type"), "grant_type", "password"), 400, "unauthorized_client"}, "other": {withValue(del(ask, "grant_type"), "grant_type", "x"), 400, "unsupported_grant_type"},
	} {
		if v := want(t, what, nobody.post("/apiv2/oauth2/access_token/", wrong.form), wrong.status); v["error"] != wrong.err {
			t.Errorf("%s: %v, want %s", what, v, wrong.err)
		}
	}
	got := nobody.post("/apiv2/oauth2/access_token/", ask)
	v := want(t, "tokens", got, http.StatusOK)
	if v["expires_in"] != 86400.0 || v["token_type"] != "Bearer" || v["scope"] != "read write" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("tokens: %v", v)
	}
	// One client finds the name, skips 16 characters and takes exactly 30.
	at := strings.Index(got.Text, "access_token")
	if token := got.Text[at+16 : at+46]; token != v["access_token"] || len(v["refresh_token"].(string)) != 30 {
		t.Errorf("an old client reads %q of %s", token, got.Text)
	}
	return v
}

func del(v url.Values, key string) url.Values {
	out := url.Values{}
	for k, list := range v {
		if k != key {
			out[k] = list
		}
	}
	return out
}

func refreshing(t *testing.T, s *testkit.Site, app accounts.NewCredential, old string, now object) {
	nobody := with(t, s, "")
	refresh := func(token string) url.Values {
		return url.Values{"client_id": {app.ClientID}, "client_secret": {app.Secret}, "grant_type": {"refresh_token"}, "refresh_token": {token}}
	}
	if v := want(t, "an old refresh token", nobody.post("/apiv2/oauth2/access_token/", refresh(old)), 400); v["error"] != "invalid_grant" {
		t.Errorf("an old refresh token: %v", v)
	}
	v := want(t, "refresh", nobody.post("/apiv2/oauth2/access_token/", refresh(now["refresh_token"].(string))), http.StatusOK)
	want(t, "replaced", with(t, s, "Bearer "+now["access_token"].(string)).get("/apiv2/me/"), http.StatusUnauthorized)
	use := with(t, s, "Bearer "+v["access_token"].(string))
	want(t, "refreshed", use.get("/apiv2/me/"), http.StatusOK)
	clock := s.Site.Now
	s.Accounts.Now = func() time.Time { return clock().Add(25 * time.Hour) }
	want(t, "after a day", use.get("/apiv2/me/"), http.StatusUnauthorized)
	v = want(t, "refresh after a day", nobody.post("/apiv2/oauth2/access_token/", refresh(v["refresh_token"].(string))), http.StatusOK)
	want(t, "after a day", with(t, s, "Bearer "+v["access_token"].(string)).get("/apiv2/me/"), http.StatusOK)
	s.Accounts.Now = clock
	if own := with(t, s, "Bearer "+app.Bearer).get("/apiv2/me/"); own.Status != http.StatusOK {
		t.Errorf("the owner's own token ended: %d", own.Status)
	}
}

// revoking shows an application that is shut out by the person, and by its owner.
func revoking(t *testing.T, s *testkit.Site, app accounts.NewCredential, fan *testkit.Person, ask string) {
	// A code that is used twice takes back what it gave.
	first := answerOf(t, fan.Get(ask), back).Get("code")
	tokens := exchange(t, s, app, first)
	use := with(t, s, "Bearer "+tokens["access_token"].(string))
	twice := url.Values{"client_id": {app.ClientID}, "client_secret": {app.Secret}, "grant_type": {"authorization_code"}, "code": {first}}
	want(t, "a used code", with(t, s, "").post("/apiv2/oauth2/access_token/", twice), http.StatusBadRequest)
	want(t, "tokens of a code used twice", use.get("/apiv2/me/"), http.StatusUnauthorized)

	tokens = exchange(t, s, app, answerOf(t, fan.Get(ask), back).Get("code"))
	if page := fan.Get("/settings/applications"); !strings.Contains(page.Text, "Field notes") {
		t.Errorf("settings: %s", page.Text)
	}
	other := s.Person("Other", "member")
	if got := other.Post("/settings/applications/revoke", url.Values{"application": {fmt.Sprint(app.ID)}}); got.Status != http.StatusNotFound {
		t.Errorf("revoke by somebody else: %d", got.Status)
	}
	if got := fan.Post("/settings/applications/revoke", url.Values{"application": {fmt.Sprint(app.ID)}}); got.Status != http.StatusSeeOther {
		t.Errorf("revoke: %d", got.Status)
	}
	detail(t, "revoked", with(t, s, "Bearer "+tokens["access_token"].(string)).get("/apiv2/me/"), http.StatusUnauthorized, "Invalid token")
	refresh := url.Values{"client_id": {app.ClientID}, "client_secret": {app.Secret}, "grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}
	want(t, "refresh after revoking", with(t, s, "").post("/apiv2/oauth2/access_token/", refresh), http.StatusBadRequest)
	if got := fan.Get(ask); got.Status != http.StatusOK {
		t.Errorf("asked after revoking: %d", got.Status)
	}
	out := fan.Get(strings.Replace(ask, "authorize", "logout_and_authorize", 1))
	if out.Status != http.StatusFound || fan.Get("/settings").Status != http.StatusSeeOther {
		t.Errorf("log out and authorize: %d", out.Status)
	}
}

// TestOAuthRefusals are requests that an application gets wrong, and scopes.
func TestOAuthRefusals(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		dev := s.Account("Dev", "member")
		app, fan := application(t, s, dev, back), s.Person("Fan", "member")
		base := "/apiv2/oauth2/authorize/?client_id=" + app.ClientID
		for path, text := range map[string]string{
			"/apiv2/oauth2/authorize/?client_id=x&response_type=code":              "Invalid client_id parameter value",
			"/apiv2/oauth2/authorize/":                                             "Invalid client_id parameter value",
			base + "&response_type=code&redirect_uri=https://evil.example/":        "Mismatching redirect URI",
			base + "&response_type=code&redirect_uri=" + url.QueryEscape(back+"x"): "Mismatching redirect URI",
		} {
			if got := fan.Get(path); got.Status != http.StatusBadRequest || !strings.Contains(got.Text, text) || got.Location != "" {
				t.Errorf("%s: %d %s", path, got.Status, got.Location)
			}
		}
		for query, fault := range map[string]string{"&response_type=token": "unauthorized_client", "&response_type=x": "unsupported_response_type", "": "invalid_request",
			"&response_type=code&scope=admin": "invalid_scope", "&response_type=code&code_challenge=x&code_challenge_method=MD5": "invalid_request"} {
			if a := answerOf(t, fan.Get(base+query+"&state=s"), back); a.Get("error") != fault || a.Get("state") != "s" || a.Has("code") {
				t.Errorf("%s: %v, want %s", query, a, fault)
			}
		}
		// PKCE and a scope that only reads; asking for more asks the person again.
		sum := sha256.Sum256([]byte("a verifier of some length, as it should be"))
		form := url.Values{"client_id": {app.ClientID}, "response_type": {"code"}, "scope": {"read"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "allow": {"Authorize!"}}
		exchangeWith := func(verifier string) testkit.Answer {
			code := answerOf(t, fan.Post("/apiv2/oauth2/authorize/", form), back).Get("code")
			return with(t, s, "").post("/apiv2/oauth2/access_token/", url.Values{"client_id": {app.ClientID}, "client_secret": {app.Secret}, "grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}})
		}
		want(t, "a wrong verifier", exchangeWith("x"), http.StatusBadRequest)
		v := want(t, "the verifier", exchangeWith("a verifier of some length, as it should be"), http.StatusOK)
		if v["scope"] != "read" {
			t.Errorf("scope: %v", v)
		}
		use := with(t, s, "Bearer "+v["access_token"].(string))
		want(t, "read", use.get("/apiv2/me/"), http.StatusOK)
		detail(t, "write", use.post("/apiv2/sounds/describe/", url.Values{}), http.StatusUnauthorized, "Not authorized")
		if got := fan.Get(base + "&response_type=code&scope=read+write"); got.Status != http.StatusOK {
			t.Errorf("a wider scope is not asked for: %d", got.Status)
		}
		if got := fan.Get(base + "&response_type=code&scope=read"); got.Status != http.StatusFound {
			t.Errorf("the same scope is asked for again: %d", got.Status)
		}
		// A program without an address to send people back to shows the code.
		plain := application(t, s, dev, "")
		answer := answerOf(t, fan.Post("/apiv2/oauth2/authorize/", url.Values{"client_id": {plain.ClientID}, "response_type": {"code"}, "allow": {"1"}}), s.URL+"/home/app_permissions/permission_granted/")
		if page := fan.Get("/home/app_permissions/permission_granted/?code=" + answer.Get("code")); !strings.Contains(page.Text, answer.Get("code")) {
			t.Error("the code is not shown")
		}
		if page := fan.Get("/home/app_permissions/permission_granted/?code=Call+555"); strings.Contains(page.Text, "Copy the code") {
			t.Error("whatever stands in the address is shown")
		}
		code := answer.Get("code")
		s.Accounts.Now = func() time.Time { return time.Now().Add(11 * time.Minute) }
		late := url.Values{"client_id": {plain.ClientID}, "client_secret": {plain.Secret}, "grant_type": {"authorization_code"}, "code": {code}}
		if v := want(t, "late", with(t, s, "").post("/apiv2/oauth2/access_token/", late), 400); v["error"] != "invalid_grant" {
			t.Errorf("late: %v", v)
		}
	})
}

// TestApplicationsOfAnOwner makes, edits, watches and revokes a credential through the pages, and slows it down as the admin.
func TestApplicationsOfAnOwner(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		dev, other, boss := s.Person("Dev", "member"), s.Person("Other", "member"), s.Person("Boss", "admin")
		if got := s.Visitor().Get("/apiv2/apply/"); got.Status != http.StatusSeeOther {
			t.Errorf("apply as a visitor: %d", got.Status)
		}
		for _, redirect := range []string{"javascript:alert(1)", "nowhere", "data:text/html,x", "https://a.example/#x", "https://a.example/;form-action"} {
			if got := dev.Post("/apiv2/apply/", url.Values{"name": {"Notes"}, "redirect_uri": {redirect}}); got.Status != http.StatusUnprocessableEntity {
				t.Errorf("redirect to %s: %d", redirect, got.Status)
			}
		}
		got := dev.Post("/apiv2/apply/", url.Values{"name": {"Notes <b>"}, "url": {"https://notes.example"}, "redirect_uri": {"https://notes.example/a https://notes.example/b"}, "description": {"Takes notes."}})
		found := regexp.MustCompile(`data-copy="([A-Za-z0-9]{40})"`).FindStringSubmatch(got.Text)
		if got.Status != http.StatusOK || found == nil {
			t.Fatalf("apply: %d", got.Status)
		}
		key := found[1]
		use := with(t, s, "Token "+key)
		for range 3 {
			want(t, "the new key", use.get("/apiv2/search/"), http.StatusOK)
		}
		at := "/apiv2/apply/credentials/" + key
		if page := dev.Get(at + "/monitor/"); page.Status != http.StatusOK || !strings.Contains(page.Text, ">3<") || !strings.Contains(page.Text, time.Now().UTC().Format("2 Jan 2006")) {
			t.Errorf("monitor: %d %s", page.Status, page.Text)
		}
		for _, page := range []string{"/monitor/", "/edit/", "/delete/"} {
			if got := other.Get(at + page); got.Status != http.StatusNotFound {
				t.Errorf("%s of somebody else: %d", page, got.Status)
			}
		}
		if got := dev.Post(at+"/edit/", url.Values{"name": {""}}); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("edit without a name: %d", got.Status)
		}
		if got := dev.Post(at+"/edit/", url.Values{"name": {"Diary"}, "redirect_uri": {"diary:/back"}}); got.Status != http.StatusSeeOther || !strings.Contains(dev.Get("/settings/api").Text, "Diary") {
			t.Errorf("edit: %d", got.Status)
		}
		client, err := db.Get[string](t.Context(), s.DB, `SELECT client_id FROM api_credential WHERE name = 'Diary'`)
		if err != nil {
			t.Fatal(err)
		}
		if got := dev.Post("/admin/api/"+client, url.Values{"level": {"99"}}); got.Status != http.StatusNotFound {
			t.Errorf("a member sets a level: %d", got.Status)
		}
		if page := boss.Get("/admin/api"); !strings.Contains(page.Text, "Diary") {
			t.Error("the admin does not see the application")
		}
		setLevel := func(level string, status int) {
			t.Helper()
			if got := boss.Post("/admin/api/"+client, url.Values{"level": {level}}); got.Status != status {
				t.Fatalf("level %s: %d", level, got.Status)
			}
		}
		setLevel("4", http.StatusUnprocessableEntity)
		setLevel("0", http.StatusSeeOther)
		suspended := use.get("/apiv2/search/")
		detail(t, "suspended", suspended, http.StatusTooManyRequests, "Request was throttled because the ApiV2 credential has been suspended")
		if suspended.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		setLevel("2", http.StatusSeeOther)
		noon := time.Now()
		s.Site.Now = func() time.Time { return noon }
		for range 300 {
			want(t, "level 2", use.get("/apiv2/search/?page_size=1"), http.StatusOK)
		}
		detail(t, "over level 2", use.get("/apiv2/search/"), http.StatusTooManyRequests, "Request was throttled because of exceeding a request limit rate (300/minute)")
		setLevel("99", http.StatusSeeOther)
		want(t, "level 99", use.get("/apiv2/search/"), http.StatusOK)
		if got := dev.Post(at+"/delete/", nil); got.Status != http.StatusSeeOther {
			t.Errorf("delete: %d", got.Status)
		}
		detail(t, "deleted", use.get("/apiv2/search/"), http.StatusUnauthorized, "Invalid token")
	})
}
