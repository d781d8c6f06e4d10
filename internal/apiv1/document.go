package apiv1

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"audiomicro/internal/access"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/web"
)

// Groups of operations, in the order of the page.
const (
	tagSite        = "Site"
	tagMe          = "Account"
	tagSearch      = "Search"
	tagRecordings  = "Recordings"
	tagPeople      = "People and packs"
	tagReactions   = "Reactions"
	tagCollections = "Collections"
	tagLicenses    = "Licenses"
	tagOrders      = "Cart and orders"
	tagLibrary     = "Library"
	tagReview      = "Review"
	tagAccounts    = "Accounts"
)

func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: tagSite, Description: "What this instance is and takes."},
		{Name: tagMe, Description: "The account of whoever asks."},
		{Name: tagSearch, Description: "Find recordings by words, facts and sound."},
		{Name: tagRecordings, Description: "Recordings with what was measured of them; their description by the people who made them.\n\n" +
			"The bytes of a new recording go to `/uploads/` by the tus protocol, version 1.0 (creation, creation-with-upload, checksum, termination, expiration), with the same access token. " +
			"The answer to the last byte carries `Upload-SHA256`, the hexadecimal SHA-256 of the file, and `Upload-Recording`, the id of the draft to describe here.",
			ExternalDocs: &huma.ExternalDocs{Description: "The tus protocol", URL: "https://tus.io/protocols/resumable-upload"}},
		{Name: tagPeople, Description: "Who made what, and what belongs together."},
		{Name: tagReactions, Description: "Favorites, ratings and comments."},
		{Name: tagCollections, Description: "Lists of recordings that people put together, private or shared."},
		{Name: tagLicenses, Description: "What may be done with a recording, for how much, and the proof of it."},
		{Name: tagOrders, Description: "From the cart to the payment. The payment itself happens on the page that `pay` names."},
		{Name: tagLibrary, Description: "Licenses that the account holds, and their downloads."},
		{Name: tagReview, Description: "For moderators: what waits for publication. What the command `audiomicro recording` does."},
		{Name: tagAccounts, Description: "For admins: what the command `audiomicro account` does."},
	}
}

const intro = "Everything that the pages do, for programs.\n\n" +
	"**Credentials.** An API key, as `Authorization: Token KEY`, reads what is public. An access token, as `Authorization: Bearer TOKEN`, acts for an account: " +
	"the page /settings/api makes one for programs of your own, OAuth2 (/apiv2/oauth2/authorize) gives one to programs of others. A browser that is signed in may use its session, from this site's own pages.\n\n" +
	"**Errors** are problem JSON (RFC 9457). Their `detail` is a sentence that says what to do.\n\n" +
	"**Limits.** `RateLimit-Policy` and `RateLimit` tell how many requests are allowed and left; an answer 429 carries `Retry-After` in seconds.\n\n" +
	"**Values.** Money is whole minor units (cents) with an ISO 4217 currency. Moments are RFC 3339 in UTC. Lengths are seconds. Ids are whole numbers below 2^53.\n\n" +
	"**Lists** carry `next`, the address of the next page, as long as there is one.\n\n" +
	"What somebody may not see answers 404. Unknown parameters and fields of requests are refused; answers may gain fields."

func (f *Face) newAPI() huma.API {
	bearer := &huma.SecurityScheme{Type: "http", Scheme: "bearer", Description: "An access token."}
	key := &huma.SecurityScheme{Type: "apiKey", In: "header", Name: "Authorization", Description: "`Token KEY` with an API key: reads what is public."}
	session := &huma.SecurityScheme{Type: "apiKey", In: "cookie", Name: f.SessionCookie, Description: "A signed-in browser, from this site's own pages."}
	return huma.NewAPI(huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: f.Site.Name, Version: "1", Description: intro},
			Servers: []*huma.Server{{URL: f.Site.URL}},
			Tags:    tags(),
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{"bearer": bearer, "key": key, "session": session},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
	}, adapter{f})
}

// schemaName names the schema of a type. Those of a certificate have names that others here have too.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if t.PkgPath() == reflect.TypeFor[certificate.Certificate]().PkgPath() && !strings.HasPrefix(name, "Certificate") {
		name = "Certificate" + name
	}
	return name
}

// finish completes the document, and mounts it, its page and what answers everything that is no operation.
func (f *Face) finish() {
	doc := f.api.OpenAPI()
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own errors are turned into Problem
	delete(schemas, "ErrorDetail")
	for _, s := range schemas {
		neverNull(s)
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				neverNull(p.Schema)
			}
		}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		panic(err) // a document of types alone: it always can, or never
	}
	f.document = body
	fail := f.fail(operation{route: "GET /"})
	f.routes = append(f.routes,
		web.Route{Pattern: "GET " + Prefix + "/openapi.json", Action: access.Look, API: true, Cross: true, Alike: true, Error: fail, Handle: f.sendDocument},
		web.Route{Pattern: "GET " + Prefix + "/{$}", Action: access.Look, Handle: f.page},
		web.Route{Pattern: Prefix + "/", Action: access.Look, API: true, Cross: true, Alike: true, Error: fail, Handle: f.other},
	)
}

// neverNull takes null from the arrays of a schema: an empty one is [].
func neverNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
		neverNull(s.Items)
	}
	for _, p := range s.Properties {
		neverNull(p)
	}
}

// sendDocument sends the OpenAPI document.
func (f *Face) sendDocument(w http.ResponseWriter, r *http.Request) error {
	open(w)
	h := w.Header()
	h.Set("Content-Type", "application/openapi+json")
	h.Set("Cache-Control", "public, max-age=300")
	return web.WriteBody(w, r, http.StatusOK, f.document)
}

// other answers what is no operation: a browser's question what it may send, a wrong method, and the rest.
func (f *Face) other(w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, m := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		if _, pattern := f.known.Handler(&http.Request{Method: m, URL: &url.URL{Path: r.URL.Path}}); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	h := w.Header()
	if r.Method == http.MethodOptions && len(allowed) > 0 {
		open(w)
		h.Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
		h.Set("Access-Control-Allow-Methods", strings.Join(allowed, ", "))
		h.Set("Access-Control-Allow-Headers", "authorization, content-type, idempotency-key, if-match")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if len(allowed) == 0 || slices.Contains(allowed, r.Method) {
		return web.NotFound()
	}
	h.Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
	return web.Refuse(http.StatusMethodNotAllowed, "This address does not take %q requests.", r.Method)
}
