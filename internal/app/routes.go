package app

import (
	"net/http"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
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
	a.Site.Mount(a.Ingest.Routes()...)
	a.Site.Mount(a.Listening.Routes()...)
	a.Site.Mount(a.Uploads.Routes()...)
	a.Site.Mount(a.Moderation.Routes()...)
	a.Site.Mount(a.Licensing.Routes()...)
	a.Site.Mount(a.Ledger.Routes()...)
	a.Site.Mount(a.Payments.Routes()...)
	a.Site.Mount(a.Orders.Routes()...)
	a.Site.Mount(a.Reactions.Routes()...)
	a.Site.Mount(a.Collections.Routes()...)
	freesound := a.freesound()
	a.recordingPages.Feeds, a.recordingPages.Credits, a.recordingPages.Embed = freesound.Feeds, freesound.Credits, freesound.Embed
	a.Site.Mount(freesound.Routes()...)
	a.Site.Mount(freesound.Embeds()...)
	a.Site.Mount(a.own().Routes()...)
	a.Site.Frame = a.frame
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
