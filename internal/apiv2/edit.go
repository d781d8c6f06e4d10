package apiv2

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/uploads"
	"audiomicro/internal/web"
)

// editSound changes what its owner says about a published sound. What the form does not say stays.
func (f *Face) editSound(w http.ResponseWriter, r *http.Request) error {
	rec, err := f.published(r)
	if err != nil {
		return err
	}
	me := access.From(r.Context())
	if rec.OwnerID != me.ID {
		return web.Refuse(http.StatusUnauthorized, "Not authorized. The sound you're trying to edit is not owned by the OAuth2 logged in user.")
	}
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	was, err := f.Uploads.Describing(ctx, rec)
	if err != nil {
		return err
	}
	models, err := f.Licensing.Models(ctx, f.Licensing.DB)
	if err != nil {
		return err
	}
	offers, err := f.Licensing.Offers(ctx, f.Licensing.DB, rec.ID)
	if err != nil {
		return err
	}
	e, err := f.amend(was, form, models, offers)
	if err != nil {
		return err
	}
	if err := asBadRequest(f.Uploads.Save(ctx, me, rec.ID, e)); err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, object{{"detail", fmt.Sprintf("Description of sound %d successfully edited.", rec.ID)}})
}

// amend is what a form changes of a description.
func (f *Face) amend(d recordings.Description, form url.Values, models []licensing.Model, had []licensing.Offered) (uploads.Edit, error) {
	wrong := faults{}
	field := func(key string) string { return strings.TrimSpace(form.Get(key)) }
	if v := field("name"); v != "" {
		d.Title = v
	}
	if v := field("description"); v != "" {
		d.Description = v
	}
	if v := field("bst_category"); v != "" {
		d.Category = checkCategory(v, wrong)
	}
	if form.Has("pack") { // an empty one takes it out of its pack
		d.Pack = field("pack")
	}
	if field("tags") != "" {
		d.Tags = checkTags(form, wrong)
	}
	if v := field("geotag"); v != "" {
		d.Place = placeOf(v, wrong)
	} else if form.Has("geotag") {
		d.Place = nil // taken back
	}
	e := uploads.Edit{Description: d}
	if name := field("license"); name != "" {
		if m, ok := modelNamed(name, models); !ok {
			wrong.add("license", fmt.Sprintf("%q is not a valid choice.", name))
		} else {
			e.Offers, e.SetOffers = f.relicensed(m, d.Category, had), true
		}
	}
	return e, wrong.orNil()
}

// relicensed are the offers when a recording comes under a license that the API names: paid ones stay as they are, the free one
// gives way.
func (f *Face) relicensed(m licensing.Model, category string, had []licensing.Offered) []licensing.Offer {
	out := []licensing.Offer{f.offer(m, category)}
	for _, o := range had {
		switch {
		case o.Model.Code == m.Code:
			out[0].Price = o.Price
		case !o.Model.IsFree():
			out = append(out, licensing.Offer{Code: o.Model.Code, Price: o.Price})
		}
	}
	return out
}
