// Package apiv1 is AudioMicro's own JSON API at /api/v1/: what people do on the pages, for programs. It is a face over the domains: it
// has no table and no rule of its own, and its operations call the Store methods that the pages call.
//
// Every operation is a Go function from a typed input to a typed answer. From these types come the check of what is sent and the
// document at /api/v1/openapi.json (OpenAPI 3.1, by package huma), so that the two cannot differ; the page at /api/v1/ is written from
// the same document. doc/decisions/0010-json-api.md says why it is a face and why huma.
//
// What it promises: an error is problem JSON (RFC 9457) whose detail says what to do; amounts of money are whole minor units with
// their currency, moments are RFC 3339 in UTC, lengths are seconds; a list says how to get its next page; what cannot be known is
// null or left out. An API key reads what is public, an access token (Bearer) does what its scope allows, a browser's session does
// what its person may, from our own pages only. What somebody may not see does not exist for them.
package apiv1

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"audiomicro/internal/accounts"
	"audiomicro/internal/collections"
	"audiomicro/internal/ingest"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/listening"
	"audiomicro/internal/moderation"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/people"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search"
	"audiomicro/internal/uploads"
	"audiomicro/internal/web"
)

// Prefix is where everything here lies.
const Prefix = "/api/v1"

// Face serves the API. All fields but the unexported ones must be set.
type Face struct {
	Site        *web.Site
	Accounts    *accounts.Store
	People      *people.Store
	Recordings  *recordings.Store
	Ingest      *ingest.Store
	Licensing   *licensing.Store
	Listening   *listening.Store
	Search      *search.Store
	Uploads     *uploads.Store
	Reactions   *reactions.Store
	Collections *collections.Store
	Moderation  *moderation.Store
	Orders      *orders.Store
	Payments    *payments.Store
	Ledger      *ledger.Store
	// SessionCookie is the name of the cookie of a signed-in browser.
	SessionCookie string

	api        huma.API
	operations []operation
	routes     []web.Route
	known      *http.ServeMux // the operations without their handlers, to tell 405 from 404
	cross      *http.CrossOriginProtection
	document   []byte
}

// Routes lists the operations, the document that describes them and its page.
func (f *Face) Routes() []web.Route {
	f.known, f.cross = http.NewServeMux(), http.NewCrossOriginProtection()
	f.api = f.newAPI()
	f.instanceOperations()
	f.accountOperations()
	f.searchOperations()
	f.exampleOperations()
	f.savedOperations()
	f.recordingOperations()
	f.uploadOperations()
	f.personalOperations()
	f.peopleOperations()
	f.reactionOperations()
	f.collectionOperations()
	f.licenseOperations()
	f.orderOperations()
	f.earningOperations()
	f.reviewOperations()
	f.finish()
	return f.routes
}
