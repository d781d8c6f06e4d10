package apiv1

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

// Problem is the answer when something went wrong (RFC 9457).
type Problem struct {
	Type    string       `json:"type" format:"uri-reference" doc:"Always about:blank: the status says what kind of problem it is."`
	Title   string       `json:"title" doc:"The status in words."`
	Status  int          `json:"status" doc:"The HTTP status."`
	Detail  string       `json:"detail" doc:"One or two sentences for people: what happened and what to do."`
	Request string       `json:"request" doc:"Under this id the operator finds the request in the log."`
	Errors  []FieldError `json:"errors,omitempty" doc:"What is wrong, field by field, where that is known."`
}

// FieldError is what is wrong with one field.
type FieldError struct {
	Location string `json:"location" doc:"Where: body.title, query.page, path.id, header.If-Match."`
	Message  string `json:"message"`
}

// problemType is the type of every error's answer.
const problemType = "application/problem+json"

// fault is an error that names fields.
type fault struct {
	status int
	detail string
	fields []FieldError
}

func (f *fault) Error() string { return fmt.Sprintf("%d %s", f.status, f.detail) }

// wrong is the refusal of one field.
func wrong(location, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return &fault{http.StatusUnprocessableEntity, text, []FieldError{{location, text}}}
}

// refusedInput turns what huma says about an input into a problem of ours.
func refusedInput(b *buffered) error {
	var said huma.ErrorModel
	if err := json.Unmarshal(b.body.Bytes(), &said); err != nil {
		return fmt.Errorf("read the check of an input (status %d): %w", b.status, err)
	}
	if b.status >= http.StatusInternalServerError {
		return fmt.Errorf("check an input: %d %s", b.status, said.Detail)
	}
	out := &fault{status: b.status, detail: sentence(said.Detail)}
	for _, e := range said.Errors {
		at := strings.TrimSuffix(e.Location, ".")
		if at == "" {
			at = "body"
		}
		out.fields = append(out.fields, FieldError{at, e.Message})
	}
	if len(out.fields) > 0 {
		var parts []string
		for _, e := range out.fields[:min(len(out.fields), 3)] {
			parts = append(parts, e.Location+": "+e.Message)
		}
		out.detail = "The request was not understood. " + sentence(strings.Join(parts, "; "))
		if more := len(out.fields) - len(parts); more > 0 {
			out.detail += fmt.Sprintf(" %d more are listed in errors.", more)
		}
	}
	return out
}

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimRight(s[1:], ".") + "."
}

// writeProblem writes the answer for an error.
func writeProblem(w http.ResponseWriter, r *http.Request, status int, detail string, fields []FieldError) error {
	body, err := json.Marshal(Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Request: web.RequestID(r.Context()), Errors: fields})
	if err != nil {
		return err
	}
	open(w)
	h := w.Header()
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	return web.WriteBody(w, r, status, body)
}

// fail writes what the site refused, in the words of programs.
func (f *Face) fail(o operation) func(http.ResponseWriter, *http.Request, int, string) {
	return func(w http.ResponseWriter, r *http.Request, status int, text string) {
		a := access.From(r.Context())
		switch {
		case status == http.StatusUnauthorized && r.Header.Get("Authorization") == "":
			text = "This needs an account. Send an access token, as Authorization: Bearer; " + f.Site.URL + "/settings/api makes one."
		case status == http.StatusUnauthorized:
			text = "This credential is unknown, expired or revoked, or its account was suspended. " + f.Site.URL + "/settings/api makes another."
		case status == http.StatusForbidden && o.writes() && a.ReadOnly && !access.Might(a, o.action):
			text = readOnly().(*web.Public).Text
		case status == http.StatusNotFound && text == web.NotFound().(*web.Public).Text:
			text = "There is no such thing here, or it is not public. Check the id."
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+Prefix+`"`)
		}
		// Nothing can be done about an answer that does not reach its reader.
		_ = writeProblem(w, r, status, text, nil)
	}
}

// problem is the entry of an error in the document.
func (f *Face) problem(text string) *huma.Response {
	schema := f.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{Description: text, Content: map[string]*huma.MediaType{problemType: {Schema: schema}}}
}

// meaning is what an error says about a request, in general.
func meaning(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "The body is no JSON, or holds bytes that are no text."
	case http.StatusUnauthorized:
		return "An account is needed, or the credential is unknown, expired or revoked."
	case http.StatusForbidden:
		return "The account or its credential may not do this."
	case http.StatusNotFound:
		return "It does not exist, or not for this account."
	case http.StatusConflict:
		return "Something stands in the way as things are now; the detail says what."
	case http.StatusPreconditionFailed:
		return "It was changed since the ETag in If-Match was read."
	case http.StatusRequestEntityTooLarge:
		return "The body is larger than is taken; the detail says how large it may be."
	case http.StatusUnsupportedMediaType:
		return "The body is of a kind that is not taken here."
	case http.StatusServiceUnavailable:
		return "Not now: try again when Retry-After says."
	case http.StatusUnprocessableEntity:
		return "A parameter or field cannot be used; errors names it."
	case http.StatusTooManyRequests:
		return "Too many requests: wait as long as Retry-After says."
	}
	return http.StatusText(status)
}

// missing says that a thing does not exist for who asks.
func missing(what string, id int64) error { return fmt.Errorf("%s %d: %w", what, id, db.ErrNotFound) }
