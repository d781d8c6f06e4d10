package app

import "audiomicro/internal/apiv2"

// freesound is the face that clients of the Freesound API know.
func (a *App) freesound() *apiv2.Face {
	return &apiv2.Face{
		Site: a.Site, Accounts: a.Accounts, People: a.People, Recordings: a.Recordings, Licensing: a.Licensing, Listening: a.Listening,
		Search: a.Search, Uploads: a.Uploads, Reactions: a.Reactions,
	}
}
