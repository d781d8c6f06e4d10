package app

import (
	"audiomicro/internal/apiv1"
	"audiomicro/internal/apiv2"
)

// freesound is the face that clients of the Freesound API know.
func (a *App) freesound() *apiv2.Face {
	return &apiv2.Face{
		Site: a.Site, Accounts: a.Accounts, People: a.People, Recordings: a.Recordings, Licensing: a.Licensing, Listening: a.Listening,
		Search: a.Search, Uploads: a.Uploads, Reactions: a.Reactions, Collections: a.Collections,
	}
}

// own is this site's own JSON API.
func (a *App) own() *apiv1.Face {
	return &apiv1.Face{
		Site: a.Site, Accounts: a.Accounts, People: a.People, Recordings: a.Recordings, Ingest: a.Ingest, Licensing: a.Licensing, Listening: a.Listening,
		Search: a.Search, Uploads: a.Uploads, Reactions: a.Reactions, Collections: a.Collections, Moderation: a.Moderation, Orders: a.Orders, Payments: a.Payments, Ledger: a.Ledger,
		SessionCookie: a.accountPages.CookieName(),
	}
}
