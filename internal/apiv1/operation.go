package apiv1

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"audiomicro/internal/access"
	"audiomicro/internal/people"
	"audiomicro/internal/web"
)

// operation is one line of the list of operations.
type operation struct {
	route   string // "GET /recordings/{id}", below Prefix
	id, tag string // name of the operation, and the group it is listed in
	summary string
	text    string // Markdown: what the summary does not say
	action  access.Action
	// private operations are about the account itself: an API key, which lies in other people's programs, does not open them.
	private bool
	// own operations are done by the person alone: an application that somebody else made is refused, whatever its scope.
	own    bool
	errors []int // answers beyond those that follow from the rest
	status int   // of success; 0: 200, or 204 without a body
	asks   bool  // it is a POST that changes nothing: who may only read may send it
	takes  takes // what its body is where that is no JSON
	tagged bool  // its answer has an ETag: who sends that back as If-None-Match is told when nothing has changed
}

// takes is what a body is whose bytes a handler reads as they arrive.
type takes string

const (
	sound   takes = "sound"
	picture takes = "picture"
)

func (o operation) method() string { m, _, _ := strings.Cut(o.route, " "); return m }
func (o operation) path() string   { _, p, _ := strings.Cut(o.route, " "); return Prefix + p }
func (o operation) writes() bool   { return o.method() != http.MethodGet && !o.asks }

// statuses lists the errors that an operation may answer with.
func (o operation) statuses() []int {
	out := append([]int{http.StatusUnauthorized, http.StatusTooManyRequests}, o.errors...)
	if o.writes() || o.private || o.own {
		out = append(out, http.StatusForbidden)
	}
	// Who is no moderator or admin is not told that there is such a thing.
	if strings.Contains(o.route, "{") || o.action == access.Review || o.action == access.Administer {
		out = append(out, http.StatusNotFound)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// call is what the handler of an operation finds in its context.
type call struct {
	r   *http.Request
	err error // what the handler answered; the site turns it into an answer
}

type callKey struct{}

func from(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// allow asks access.Can about an object, as the pages do.
func allow(ctx context.Context, act access.Action, o access.Object) error {
	return web.AllowTo(from(ctx).r, act, o)
}

// me is who asks.
func me(ctx context.Context) access.Actor { return access.From(ctx) }

// errStop tells huma that the handler failed; the reason lies in the call.
type errStop struct{}

func (errStop) Error() string  { return "the handler failed" }
func (errStop) GetStatus() int { return http.StatusInternalServerError }

// buffered keeps an answer until it is known that it is one: what the site refuses then leaves no trace. It has no deadlines to set,
// so the server's stand.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header { return b.header }
func (b *buffered) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}
func (b *buffered) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// add lists an operation whose answer is JSON.
func add[I, O any](f *Face, o operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(f.api, f.entry(o), func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			from(ctx).err = err
			return nil, errStop{}
		}
		return out, nil
	})
}

// addRaw lists an operation whose handler writes an answer of its own kind; describe completes its entry in the document.
func (f *Face) addRaw(o operation, describe func(*huma.Operation), handle web.Handler) {
	op := f.entry(o)
	op.Responses["default"] = f.problem("Whatever else went wrong.")
	describe(&op)
	f.api.OpenAPI().AddOperation(&op)
	f.mount(o, true, handle)
}

// operationKey is where an entry of the document remembers its operation.
const operationKey = "operation"

// entry begins an operation's entry in the document.
func (f *Face) entry(o operation) huma.Operation {
	op := huma.Operation{
		Method: o.method(), Path: o.path(), OperationID: o.id, Summary: o.summary, Description: o.text, Tags: []string{o.tag}, DefaultStatus: o.status,
		Metadata: map[string]any{operationKey: o}, Responses: map[string]*huma.Response{}, MaxBodyBytes: 256 << 10, RejectUnknownQueryParameters: true,
	}
	for _, status := range o.statuses() {
		op.Responses[strconv.Itoa(status)] = f.problem(meaning(status))
	}
	// Without a schema: huma leaves such a body alone.
	switch o.takes {
	case sound:
		op.RequestBody = &huma.RequestBody{Required: true, Description: "The bytes of a sound file.", Content: map[string]*huma.MediaType{"application/octet-stream": {}, "audio/*": {}}}
		op.MaxBodyBytes = f.Search.Ear.MaxBytes
	case picture:
		op.RequestBody = &huma.RequestBody{Required: true, Description: "The bytes of a picture.", Content: map[string]*huma.MediaType{"application/octet-stream": {}, "image/*": {}}}
		op.MaxBodyBytes = people.MaxPictureBytes
	}
	if o.tagged {
		op.Responses["304"] = &huma.Response{Description: "Nothing has changed since If-None-Match was read."}
	}
	op.Security = []map[string][]string{{"bearer": {}}, {"session": {}}}
	switch {
	case access.Might(access.Actor{}, o.action) && !o.private:
		op.Security = append([]map[string][]string{{}, {"key": {}}}, op.Security...)
	case !o.writes() && !o.private && !o.own:
		op.Security = append(op.Security, map[string][]string{"key": {}})
	}
	return op
}

// adapter gives huma's operations to the site, as routes with their actions.
type adapter struct{ f *Face }

// Handle mounts an operation.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	f, o := a.f, op.Metadata[operationKey].(operation)
	switch {
	case o.takes == sound:
		op.Responses["400"] = f.problem("The body is empty, or did not arrive whole.")
	case op.RequestBody != nil && o.takes == "":
		op.Responses["400"] = f.problem(meaning(http.StatusBadRequest))
	}
	op.Responses["422"] = f.problem(meaning(http.StatusUnprocessableEntity)) // an unknown parameter, at least
	op.Responses["default"] = f.problem("Whatever else went wrong.")
	f.mount(o, false, func(w http.ResponseWriter, r *http.Request) error {
		c := &call{}
		c.r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		b := &buffered{header: http.Header{}}
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, op.MaxBodyBytes+1) // who reads it looks at the size
		}
		handler(humago.NewContext(op, c.r, b))
		if c.err != nil {
			return c.err
		}
		if b.status >= http.StatusBadRequest {
			return refusedInput(b)
		}
		return b.send(w, r)
	})
}

// ServeHTTP is asked by nobody: the site serves.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.f.Site.ServeHTTP(w, r) }

// send sends an answer. Nothing here is for everybody and for long: caches ask again.
func (b *buffered) send(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	maps.Copy(h, b.header)
	h.Add("Vary", "Authorization, Cookie")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	if b.status == http.StatusNoContent {
		w.WriteHeader(b.status)
		return nil
	}
	if tag := h.Get("ETag"); tag != "" {
		// What its handler says is what edits compare. Here follows the rest: an answer has counts and links beside what is edited.
		sum := sha256.Sum256(b.body.Bytes())
		tag = strings.TrimSuffix(tag, `"`) + "." + hex.EncodeToString(sum[:8]) + `"`
		h.Set("ETag", tag)
		if r.Method == http.MethodGet && b.status == http.StatusOK && matches(r.Header.Values("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return web.WriteBody(w, r, b.status, b.body.Bytes())
}

// matches tells whether a list of tags holds one, weak or strong (RFC 9110, section 13.1.2).
func matches(lists []string, tag string) bool {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// edited is the part of a tag that changes with what is edited only.
func edited(tag string) string {
	part, _, _ := strings.Cut(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), ".") // a proxy that compresses may have made it a weak one
	return part
}

// mount puts around an operation what all have in common.
func (f *Face) mount(o operation, stream bool, handle web.Handler) {
	f.operations = append(f.operations, o)
	f.known.Handle(o.method()+" "+o.path(), http.NotFoundHandler())
	f.routes = append(f.routes, web.Route{
		Pattern: o.method() + " " + o.path(), Action: o.action, API: true, Cross: true, Stream: stream, Error: f.fail(o),
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			open(w)
			a := access.From(r.Context())
			if a.Credential == 0 { // a session's cookie comes with whatever page sends the request
				if err := f.cross.Check(r); err != nil {
					return &web.Public{Status: http.StatusForbidden, Text: "This request was sent by a page of another site. Send an access token instead.", Err: err}
				}
			}
			if err := f.throttle(w, r, o.writes()); err != nil {
				return err
			}
			if err := f.mayUse(r, o); err != nil {
				return err
			}
			err := handle(w, r)
			var wrong *fault
			if errors.As(err, &wrong) {
				return writeProblem(w, r, wrong.status, wrong.detail, wrong.fields)
			}
			return err
		},
	})
}

// mayUse refuses what a kind of credential may not do, whoever has it.
func (f *Face) mayUse(r *http.Request, o operation) error {
	a := access.From(r.Context())
	switch {
	case a.Credential == 0:
		return nil
	case (o.private || o.own) && scheme(r) == "token":
		return web.Refuse(http.StatusForbidden, "An API key reads what is public. Send an access token, as Authorization: Bearer, to act for the account.")
	case o.writes() && a.ReadOnly:
		return readOnly()
	}
	if !o.own {
		return nil
	}
	// An access token that a person gave to somebody else's program must not make orders or decide for the site.
	list, err := f.Accounts.Credentials(r.Context(), a.ID)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.ID == a.Credential {
			return nil
		}
	}
	return web.Refuse(http.StatusForbidden, "A program of somebody else cannot do this for you. Use a token of your own, from %s/settings/api.", f.Site.URL)
}

func readOnly() error {
	return web.Refuse(http.StatusForbidden, "This credential only reads. Send an access token with the scope write.")
}

// scheme is the lower-case first word of the Authorization header.
func scheme(r *http.Request) string {
	word, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.ToLower(word)
}

// open lets pages of other sites read the answer: a cookie alone unlocks nothing for them, since browsers keep answers with "*" from
// requests that carried one (Fetch Standard, CORS check).
func open(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id")
}

// throttle counts one request and tells in its answer how many are left (draft-ietf-httpapi-ratelimit-headers-10).
func (f *Face) throttle(w http.ResponseWriter, r *http.Request, write bool) error {
	a := access.From(r.Context())
	key, level := "credential "+strconv.FormatInt(a.Credential, 10), a.Level
	switch {
	case a.Credential != 0:
		if level == 0 {
			return &web.Public{Status: http.StatusTooManyRequests, RetryAfter: 24 * time.Hour, Text: "This credential was suspended by the operator of the site. Write to them."}
		}
	case a.SignedIn():
		key, level = "account "+strconv.FormatInt(a.ID, 10), 1
	default:
		key, level = "address "+web.IPKey(f.Site.ClientIP(r)), 1
	}
	if !a.Unthrottled && !f.Site.Limits.Off {
		if err := f.take(w, web.APILimits(level, write), key); err != nil {
			return err
		}
	}
	if a.Credential != 0 {
		f.Accounts.CountRequest(a.Credential, write)
	}
	return nil
}

// take counts against limits and writes the headers.
func (f *Face) take(w http.ResponseWriter, limits []web.Limit, key string) error {
	var refused error
	now := f.Site.Now()
	for _, l := range limits {
		if refused = f.Site.Limits.Take(l, key, now); refused != nil {
			break
		}
	}
	var policy, state []string
	for i, l := range limits {
		name := []string{"minute", "day"}[i]
		left, next := f.Site.Limits.Left(l, key, now)
		policy = append(policy, fmt.Sprintf("%q;q=%d;w=%d", name, l.Burst, int(l.Per/time.Second)))
		state = append(state, fmt.Sprintf("%q;r=%d;t=%d", name, left, int((next+time.Second-1)/time.Second)))
	}
	w.Header().Set("RateLimit-Policy", strings.Join(policy, ", "))
	w.Header().Set("RateLimit", strings.Join(state, ", "))
	return refused
}
