// Package apiv2 is the face at /apiv2/ that clients of the Freesound API know: search with its filter language, sounds and what
// was measured of them, similar ones, comments, users, packs, favorites, downloads, and uploads with their description. It is a
// face over the domains: it has no table and no rule of its own beyond the wire contract.
//
// What it promises: every answer, errors too, is JSON, XML, YAML or JSONP with `Access-Control-Allow-Origin: *`; an error is an
// object with `detail`; lists are {count, next, previous, results} with absolute addresses that hold no token. An API key reads,
// an access token (Bearer) also downloads and writes, a browser's session only reads. Originals go to those who may download on
// the pages too, and a preview here is the one that everybody may hear: the marked one of a paid recording.
//
// A bookmark's category is the person's collection of that name, made private where there is none; a bookmark in none is a favorite.
//
// Where the contract has no place for what this site knows: license is the address of the free license, else of this site's
// page about the narrowest paid one. What is not computed or counted is null. Fields that the index does not hold are filtered by SQL over their columns.
package apiv2

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/collections"
	"audiomicro/internal/licensing"
	"audiomicro/internal/listening"
	"audiomicro/internal/people"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search"
	"audiomicro/internal/uploads"
	"audiomicro/internal/web"
)

// Face serves /apiv2/ and the previews and pictures under /data/. All fields must be set.
type Face struct {
	Site        *web.Site
	Accounts    *accounts.Store
	Recordings  *recordings.Store
	Licensing   *licensing.Store
	Listening   *listening.Store
	Search      *search.Store
	Uploads     *uploads.Store
	People      *people.Store
	Reactions   *reactions.Store
	Collections *collections.Store

	known *http.ServeMux // the routes without their handlers, to tell 405 from 404
}

// resource is one line of the list of resources.
type resource struct {
	pattern string
	action  access.Action
	handle  web.Handler
	token   bool // an access token is needed, an API key is not enough
	write   bool // counts as a write
	alike   bool // the same for everybody: no credential is looked at, nothing is counted
	stream  bool
}

func (f *Face) resources() []resource {
	return []resource{
		{pattern: "GET /apiv2/{$}", action: access.Look, handle: f.root, alike: true},
		{pattern: "GET /apiv2/search/{$}", action: access.ReadAPI, handle: f.search},
		{pattern: "GET /apiv2/search/text/{$}", action: access.ReadAPI, handle: f.search},
		{pattern: "GET /apiv2/sounds/{id}/{$}", action: access.ReadAPI, handle: f.sound},
		{pattern: "GET /apiv2/sounds/{id}/analysis/{$}", action: access.ReadAPI, handle: f.analysis},
		{pattern: "GET /apiv2/sounds/{id}/similar/{$}", action: access.ReadAPI, handle: f.similar},
		{pattern: "GET /apiv2/sounds/{id}/comments/{$}", action: access.ReadAPI, handle: f.comments},
		{pattern: "GET /apiv2/users/{name}/{$}", action: access.ReadAPI, handle: f.user},
		{pattern: "GET /apiv2/users/{name}/sounds/{$}", action: access.ReadAPI, handle: f.userSounds},
		{pattern: "GET /apiv2/users/{name}/packs/{$}", action: access.ReadAPI, handle: f.userPacks},
		{pattern: "GET /apiv2/packs/{id}/{$}", action: access.ReadAPI, handle: f.pack},
		{pattern: "GET /apiv2/packs/{id}/sounds/{$}", action: access.ReadAPI, handle: f.packSounds},
		{pattern: "GET /apiv2/packs/{id}/download/{$}", action: access.DownloadWithAPI, handle: f.packDownload, token: true, stream: true},
		{pattern: "GET /apiv2/sounds/{id}/download/link/{$}", action: access.DownloadWithAPI, handle: f.downloadLink, token: true},
		{pattern: "GET /apiv2/download/{link}/{$}", action: access.Look, handle: f.linked, alike: true, stream: true},
		{pattern: "GET /apiv2/me/bookmark_categories/{$}", action: access.ReadAPI, handle: f.categories, token: true},
		{pattern: "GET /apiv2/me/bookmark_categories/{id}/sounds/{$}", action: access.ReadAPI, handle: f.categorySounds, token: true},
		{pattern: "GET /apiv2/sounds/{id}/download/{$}", action: access.DownloadWithAPI, handle: f.download, token: true, stream: true},
		{pattern: "GET /apiv2/sounds/pending_uploads/{$}", action: access.ReadAPI, handle: f.pending, token: true},
		{pattern: "POST /apiv2/sounds/upload/{$}", action: access.WriteAPI, handle: f.upload, token: true, write: true, stream: true},
		{pattern: "POST /apiv2/sounds/describe/{$}", action: access.WriteAPI, handle: f.describe, token: true, write: true},
		{pattern: "POST /apiv2/sounds/{id}/edit/{$}", action: access.WriteAPI, handle: f.editSound, token: true, write: true},
		{pattern: "POST /apiv2/sounds/{id}/rate/{$}", action: access.React, handle: f.rate, token: true, write: true},
		{pattern: "POST /apiv2/sounds/{id}/comment/{$}", action: access.React, handle: f.comment, token: true, write: true},
		{pattern: "POST /apiv2/sounds/{id}/bookmark/{$}", action: access.React, handle: f.bookmark, token: true, write: true},
		{pattern: "GET /apiv2/me/{$}", action: access.ReadAPI, handle: f.me, token: true},
		{pattern: "GET /data/previews/{folder}/{file}", action: access.HearMarked, handle: f.preview, alike: true, stream: true},
		{pattern: "GET /data/displays/{folder}/{file}", action: access.SeeRecording, handle: f.display, alike: true},
		{pattern: "POST /apiv2/oauth2/access_token/{$}", action: access.Look, handle: f.tokens, alike: true},
		{pattern: "/apiv2/", action: access.Look, handle: f.other, alike: true},
		{pattern: "/data/", action: access.Look, handle: f.other, alike: true},
	}
}

// Routes lists the resources. Requests from other sites' pages are taken, for no write is done by a cookie.
func (f *Face) Routes() []web.Route {
	f.known = http.NewServeMux()
	var out []web.Route
	for _, res := range f.resources() {
		out = append(out, web.Route{Pattern: res.pattern, Action: res.action, Handle: f.serve(res), API: true, Cross: true, Alike: res.alike, Stream: res.stream, Error: f.fail(res)})
		if strings.Contains(res.pattern, " ") {
			f.known.Handle(res.pattern, http.NotFoundHandler())
		}
	}
	return out
}

// Texts of refusals that clients compare.
const (
	noCredentials = "Authentication credentials were not provided."
	notAuthorized = "Not authorized"
	needsHTTPS    = "This resource requires a secure connection (https)"
)

// serve puts around a resource what all have in common.
func (f *Face) serve(res resource) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		open(w)
		if _, ok := format(r); !ok {
			return web.NotFound()
		}
		if res.token && !bearer(r) {
			return web.Refuse(http.StatusUnauthorized, noCredentials)
		}
		if res.token && f.Site.Secure && r.TLS == nil && r.Header.Get("X-Forwarded-Proto") == "http" {
			return web.Refuse(http.StatusForbidden, needsHTTPS)
		}
		if !res.alike {
			if err := f.count(access.From(r.Context()), res.write); err != nil {
				return err
			}
		}
		err := res.handle(w, r)
		var wrong faults
		if errors.As(err, &wrong) {
			return answer(w, r, http.StatusBadRequest, object{{"detail", wrong}})
		}
		return err
	}
}

// open lets pages of other sites read the answer: it holds nothing that a cookie alone would unlock for them.
func open(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
}

// fail writes an error as the contract has it.
func (f *Face) fail(res resource) func(http.ResponseWriter, *http.Request, int, string) {
	return func(w http.ResponseWriter, r *http.Request, status int, text string) {
		open(w)
		actor := access.From(r.Context())
		if !access.Might(actor, res.action) {
			switch {
			case status == http.StatusUnauthorized && !sentCredential(r):
				text = noCredentials
			case status == http.StatusForbidden && actor.ReadOnly && scheme(r) == "bearer":
				status, text = http.StatusUnauthorized, notAuthorized
			case status == http.StatusForbidden && actor.ReadOnly:
				status, text = http.StatusUnauthorized, noCredentials
			}
		}
		switch status {
		case http.StatusUnauthorized:
			w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
		case http.StatusNotFound:
			if text != invalidPage {
				text = "Not found."
			}
		case http.StatusInternalServerError:
			text = "Server error"
		}
		// Nothing can be done about an answer that does not reach its reader.
		_ = answer(w, r, status, object{{"detail", text}})
	}
}

// scheme is the lower-case first word of the Authorization header.
func scheme(r *http.Request) string {
	word, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.ToLower(word)
}

func sentCredential(r *http.Request) bool {
	s := scheme(r)
	return s == "token" || s == "bearer" || r.URL.Query().Get("token") != ""
}

// bearer tells whether who asks came with an access token.
func bearer(r *http.Request) bool {
	return scheme(r) == "bearer" && access.From(r.Context()).Credential != 0
}

// count counts one request of a credential, or of a signed-in person as of a credential of the first level, against the limits
// of its level.
func (f *Face) count(a access.Actor, write bool) error {
	level := a.Level
	key := "credential " + strconv.FormatInt(a.Credential, 10)
	if a.Credential == 0 {
		key, level = "account "+strconv.FormatInt(a.ID, 10), 1
	}
	if level == 0 {
		return &web.Public{Status: http.StatusTooManyRequests, RetryAfter: 24 * time.Hour, Text: "Request was throttled because the ApiV2 credential has been suspended"}
	}
	if !a.Unthrottled {
		for i, l := range web.APILimits(level, write) {
			err := f.Site.Limits.Take(l, key, f.Site.Now())
			var p *web.Public
			if errors.As(err, &p) {
				rate := strconv.Itoa(l.Burst) + []string{"/minute", "/day"}[i]
				return &web.Public{Status: p.Status, RetryAfter: p.RetryAfter, Text: "Request was throttled because of exceeding a request limit rate (" + rate + ")"}
			}
			if err != nil {
				return err
			}
		}
	}
	if a.Credential != 0 {
		f.Accounts.CountRequest(a.Credential, write)
	}
	return nil
}

// other answers what is no resource: a browser's question what it may send, a wrong method, and the rest.
func (f *Face) other(w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		if _, pattern := f.known.Handler(&http.Request{Method: m, URL: &url.URL{Path: r.URL.Path}}); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	allowed = append(allowed, http.MethodOptions)
	h := w.Header()
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "authorization, content-type, range")
		h.Set("Access-Control-Max-Age", "86400")
		h.Set("Allow", strings.Join(allowed, ", "))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if len(allowed) == 1 || slices.Contains(allowed, r.Method) {
		return web.NotFound()
	}
	h.Set("Allow", strings.Join(allowed, ", "))
	return web.Refuse(http.StatusMethodNotAllowed, "Method %q not allowed.", r.Method)
}

// at makes an absolute address of a path.
func (f *Face) at(format string, args ...any) string {
	return f.Site.URL + fmt.Sprintf(format, args...)
}

// root lists the resources with templates of their addresses.
func (f *Face) root(w http.ResponseWriter, r *http.Request) error {
	return answer(w, r, http.StatusOK, []object{
		{{"Search resources", object{{"Search", f.at("/apiv2/search/?query=<query>&filter=<filter>&sort=<sort>&fields=<fields>&page=<page>&page_size=<page_size>")}}}},
		{{"Sound resources", object{
			{"Sound instance", f.at("/apiv2/sounds/<sound_id>/")}, {"Sound analysis", f.at("/apiv2/sounds/<sound_id>/analysis/")}, {"Similar sounds", f.at("/apiv2/sounds/<sound_id>/similar/")},
			{"Sound comments", f.at("/apiv2/sounds/<sound_id>/comments/")}, {"Download sound (OAuth2 required)", f.at("/apiv2/sounds/<sound_id>/download/")},
			{"Download link (OAuth2 required)", f.at("/apiv2/sounds/<sound_id>/download/link/")}, {"Upload sound (OAuth2 required)", f.at("/apiv2/sounds/upload/")},
			{"Describe sound (OAuth2 required)", f.at("/apiv2/sounds/describe/")}, {"Edit sound description (OAuth2 required)", f.at("/apiv2/sounds/<sound_id>/edit/")},
			{"Bookmark sound (OAuth2 required)", f.at("/apiv2/sounds/<sound_id>/bookmark/")}, {"Rate sound (OAuth2 required)", f.at("/apiv2/sounds/<sound_id>/rate/")},
			{"Comment sound (OAuth2 required)", f.at("/apiv2/sounds/<sound_id>/comment/")}, {"Pending uploads (OAuth2 required)", f.at("/apiv2/sounds/pending_uploads/")}}}},
		{{"User resources", object{
			{"User instance", f.at("/apiv2/users/<username>/")}, {"User sounds", f.at("/apiv2/users/<username>/sounds/")}, {"User packs", f.at("/apiv2/users/<username>/packs/")}}}},
		{{"Pack resources", object{
			{"Pack instance", f.at("/apiv2/packs/<pack_id>/")}, {"Pack sounds", f.at("/apiv2/packs/<pack_id>/sounds/")}, {"Download pack (OAuth2 required)", f.at("/apiv2/packs/<pack_id>/download/")}}}},
		{{"Other resources", object{
			{"Me (information about user authenticated using OAuth2)", f.at("/apiv2/me/")}, {"My bookmark categories (OAuth2 required)", f.at("/apiv2/me/bookmark_categories/")},
			{"My bookmark category sounds (OAuth2 required)", f.at("/apiv2/me/bookmark_categories/<category_id>/sounds/")}}}},
	})
}
