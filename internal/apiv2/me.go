package apiv2

import (
	"net/http"

	"audiomicro/internal/access"
	"audiomicro/internal/recordings"
)

// me tells a program about the person whose access token it has.
func (f *Face) me(w http.ResponseWriter, r *http.Request) error {
	actor := access.From(r.Context())
	found, err := f.People.ByIDs(r.Context(), []int64{actor.ID})
	if err != nil {
		return err
	}
	who := found[actor.ID]
	account, err := f.Accounts.ByID(r.Context(), actor.ID)
	if err != nil {
		return err
	}
	counts, err := f.Recordings.CountStates(r.Context(), actor.ID)
	if err != nil {
		return err
	}
	packs, err := f.Recordings.Packs(r.Context(), actor.ID)
	if err != nil {
		return err
	}
	var picture any
	if u := who.PictureURL(); u != "" {
		picture = f.Site.URL + u
	}
	return answer(w, r, http.StatusOK, object{
		{"url", f.Site.URL + who.URL()}, {"username", actor.Name}, {"about", who.Bio}, {"home_page", who.Website},
		{"avatar", object{{"small", picture}, {"medium", picture}, {"large", picture}}}, {"date_joined", zoneless(who.Since)},
		{"num_sounds", counts[recordings.Published]}, {"sounds", nil}, {"num_packs", len(packs)}, {"packs", nil}, {"num_posts", 0}, {"num_comments", 0},
		{"email", account.Email}, {"unique_id", actor.ID}, {"bookmark_categories", nil},
	})
}
