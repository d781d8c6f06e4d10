package apiv2

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"audiomicro/internal/accounts"
	"audiomicro/internal/web"
)

// tokens exchanges a code, or a refresh token, for tokens (RFC 6749). Its answer is JSON with a blank after each colon: a client
// finds the text access_token, skips 16 characters and takes exactly 30.
func (f *Face) tokens(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return tokenFault(w, http.StatusBadRequest, "invalid_request")
	}
	if form.Get("client_id") == "" && form.Get("grant_type") == "" && form.Get("code") == "" {
		// One client sends its fields in the address and an empty body.
		for _, one := range parse(r.URL.RawQuery) {
			form.Set(one.key, one.value)
		}
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok && id == "" {
		id, secret = unescaped(user), unescaped(password)
	}
	if err := f.Site.Limits.Take(tokensByClient(), id+"|"+f.Site.ClientIP(r).String(), f.Site.Now()); err != nil {
		return err
	}
	var given accounts.Tokens
	switch grant := form.Get("grant_type"); grant {
	case "authorization_code":
		if form.Get("code") == "" {
			return tokenFault(w, http.StatusBadRequest, "invalid_request")
		}
		given, err = f.Accounts.Exchange(r.Context(), id, secret, form.Get("code"), form.Get("redirect_uri"), form.Get("code_verifier"))
	case "refresh_token":
		if form.Get("refresh_token") == "" {
			return tokenFault(w, http.StatusBadRequest, "invalid_request")
		}
		given, err = f.Accounts.Refresh(r.Context(), id, secret, form.Get("refresh_token"))
	case "":
		return tokenFault(w, http.StatusBadRequest, "invalid_request")
	case "password", "client_credentials":
		return tokenFault(w, http.StatusBadRequest, "unauthorized_client")
	default:
		return tokenFault(w, http.StatusBadRequest, "unsupported_grant_type")
	}
	switch {
	case errors.Is(err, accounts.ErrInvalidClient):
		return tokenFault(w, http.StatusUnauthorized, "invalid_client")
	case errors.Is(err, accounts.ErrInvalidGrant):
		return tokenFault(w, http.StatusBadRequest, "invalid_grant")
	case err != nil:
		return err
	}
	return spaced(w, http.StatusOK, object{{"access_token", given.Access}, {"expires_in", int(accounts.AccessLife.Seconds())}, {"token_type", "Bearer"}, {"scope", given.Scope}, {"refresh_token", given.Refresh}})
}

// unescaped is a name or password of Basic credentials, which RFC 6749, section 2.3.1 has form-encoded.
func unescaped(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

func tokenFault(w http.ResponseWriter, status int, name string) error {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="`+name+`"`)
	}
	return spaced(w, status, object{{"error", name}})
}

// spaced writes a flat object as JSON with a blank after each colon and comma, as Python does.
func spaced(w http.ResponseWriter, status int, o object) error {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteString(", ")
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return err
		}
		b.Write(key)
		b.WriteString(": ")
		if err := encode(&b, m.value); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store") // RFC 6749, section 5.1
	h.Set("Pragma", "no-cache")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

// tokensByClient is how often tokens may be asked for: nobody guesses a secret.
func tokensByClient() web.Limit {
	return web.Limit{Name: "api tokens", Burst: 60, Per: time.Minute}
}
