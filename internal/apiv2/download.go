package apiv2

import (
	"errors"
	"net/http"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/listening"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// download sends the original to its owner, to who holds a license, and free ones to every member, who has the free license
// from then on. A paid one without a license is 403.
func (f *Face) download(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	rec, err := f.Recordings.ByID(r.Context(), f.Recordings.DB, id)
	if err != nil {
		return err
	}
	me := access.From(r.Context())
	license, err := f.licenseOf(r, me, rec)
	if err != nil {
		return err
	}
	if err := web.Allow(r, rec.Object(license != 0)); err != nil {
		var p *web.Public
		if errors.As(err, &p) && p.Status == http.StatusForbidden {
			return web.Refuse(http.StatusForbidden, "A license is needed to download this sound: %s", f.at("/recordings/%d", rec.ID))
		}
		return err
	}
	people, err := f.People.ByIDs(r.Context(), []int64{rec.OwnerID})
	if err != nil {
		return err
	}
	return f.Listening.Original(w, r, rec, people[rec.OwnerID].Name, license, listening.ByAPI)
}

// licenseOf is the license under which somebody downloads: the one held, or the free one taken now; 0 when there is none.
func (f *Face) licenseOf(r *http.Request, me access.Actor, rec recordings.Recording) (int64, error) {
	if me.ID == rec.OwnerID {
		return 0, nil
	}
	held, err := f.Licensing.LicenseFor(r.Context(), f.Licensing.DB, me.ID, rec.ID)
	if err == nil {
		return held.ID, nil
	}
	if !errors.Is(err, db.ErrNotFound) {
		return 0, err
	}
	if rec.State != recordings.Published || rec.Paid != 0 || r.Method != http.MethodGet {
		return 0, nil
	}
	taken, err := f.Licensing.TakeFree(r.Context(), me.ID, rec.ID, me.Name)
	if err != nil {
		return 0, err
	}
	return taken.ID, nil
}
