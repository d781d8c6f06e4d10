package app

import (
	"context"
	"net/http"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
	assets "audiomicro/web"
)

// mount adds every domain's routes to the site.
func (a *App) mount() {
	static := assets.Embedded().Handler()
	a.Site.Mount(
		web.Route{Pattern: "GET " + assets.Prefix, Action: access.Look, Handle: func(w http.ResponseWriter, r *http.Request) error {
			static.ServeHTTP(w, r)
			return nil
		}},
		web.Route{Pattern: "GET /healthz", Action: access.Look, API: true, Handle: func(w http.ResponseWriter, _ *http.Request) error {
			return web.WriteJSON(w, http.StatusOK, map[string]string{"status": "alive"})
		}},
		web.Route{Pattern: "GET /readyz", Action: access.Look, API: true, Handle: a.ready},
	)
	a.Site.Mount(a.accountPages.Routes()...)
	a.Site.Mount(a.People.Routes()...)
	a.Site.Mount(a.Search.Routes()...)
	a.Site.Mount(a.recordingPages.Routes()...)
	a.Site.Mount(a.Listening.Routes()...)
	a.Site.Mount(a.Uploads.Routes()...)
	a.Site.Mount(a.Moderation.Routes()...)
	a.Site.Mount(a.Licensing.Routes()...)
	a.Site.Mount(a.Ledger.Routes()...)
	a.Site.Mount(a.Payments.Routes()...)
	a.Site.Mount(a.Orders.Routes()...)
	a.Site.Mount(a.freesound().Routes()...)
	a.Site.Frame = a.frame
}

// readyWithin is how long the database and the blob store may take to prove that they work.
const readyWithin = 5 * time.Second

// ready answers 200 when the process can do its work: the database takes writes and the bytes are where they belong.
func (a *App) ready(w http.ResponseWriter, r *http.Request) error {
	if !a.Search.Ready() {
		return &web.Public{Status: http.StatusServiceUnavailable, Text: "The search index is being filled.", RetryAfter: time.Second}
	}
	// A database or a bucket that hangs is as bad as one that is gone, and who asks here wants to know soon.
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	_, err := db.Exec(ctx, a.DB, `UPDATE instance SET value = value WHERE name = 'id'`)
	if err == nil {
		var marker string
		if marker, err = a.Blobs.Marker(ctx); err == nil && marker != a.instance {
			return web.Refuse(http.StatusServiceUnavailable, "The blob store belongs to another installation.")
		}
	}
	if err != nil {
		return &web.Public{Status: http.StatusServiceUnavailable, Text: "Not ready.", Err: err, RetryAfter: 5 * time.Second}
	}
	return web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready", "version": a.Version})
}

// frame is what surrounds every page.
func (a *App) frame(r *http.Request) ui.Frame {
	f := ui.Frame{SiteName: a.Config.SiteName, Operator: a.Config.Operator, Theme: accounts.Theme(r), DevMail: a.Config.Dev && !a.Mail.CanSend()}
	actor := access.From(r.Context())
	if actor.SignedIn() {
		f.Person = &ui.Person{Name: actor.Name, Role: string(actor.Role), Contributor: actor.Contributor}
		who, err := a.People.ByIDs(r.Context(), []int64{actor.ID})
		if err != nil {
			a.Log.Warn("find the picture of who asks", "err", err) // a page without it is still worth showing
		}
		f.Person.PictureURL = who[actor.ID].PictureURL()
	}
	// A page is still worth showing when the cart cannot be counted.
	if n, err := a.Orders.CartCount(r); err != nil {
		a.Log.Warn("count the cart", "err", err)
	} else {
		f.CartCount = n
	}
	return f
}
