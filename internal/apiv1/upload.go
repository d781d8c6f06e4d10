package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/listening"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/uploads"
	"audiomicro/internal/web"
)

// Upload is a file that is not there wholly yet.
type Upload struct {
	URL      string    `json:"url" format:"uri" doc:"Its tus address: HEAD tells how much is there, PATCH sends more, DELETE gives it up."`
	FileName string    `json:"file_name"`
	Bytes    int64     `json:"bytes"`
	Received int64     `json:"received" doc:"Bytes that are there."`
	Created  time.Time `json:"created_at"`
	Expires  time.Time `json:"expires_at"`
}

// Edit is what changes of a recording's description. What is left out stays.
type Edit struct {
	Title       *string     `json:"title,omitempty" maxLength:"120"`
	Description *string     `json:"description,omitempty" maxLength:"10000" doc:"Markdown."`
	Tags        []string    `json:"tags,omitempty" maxItems:"30" doc:"At least 3 to be submitted."`
	Category    *string     `json:"category,omitempty" doc:"A code of the Broad Sound Taxonomy; /site lists them."`
	Pack        *string     `json:"pack,omitempty" maxLength:"100" doc:"Name of a pack of the contributor, made where it is new; empty takes it out."`
	Place       *Place      `json:"place,omitempty" doc:"Where it was made. Everybody sees it."`
	Unplace     bool        `json:"remove_place,omitempty" doc:"Do not tell where it was made any more."`
	AITraining  *bool       `json:"ai_training,omitempty"`
	Rights      *bool       `json:"rights,omitempty" doc:"I made this recording, or hold the rights to license it as offered here."`
	Offers      []OfferEdit `json:"offers,omitempty" maxItems:"20" doc:"All licenses it is to be had under; they replace the ones before."`
}

// OfferEdit is a license under which a recording is offered.
type OfferEdit struct {
	License string `json:"license" maxLength:"100" doc:"Code of a license."`
	Price   *Money `json:"price,omitempty" doc:"Left out: the usual price of the license for the category."`
}

func (f *Face) uploadOperations() {
	add(f, operation{route: "GET /me/uploads", id: "list-uploads", tag: tagRecordings, summary: "List uploads that are not finished", action: access.UseAccount, private: true},
		func(ctx context.Context, _ *struct{}) (*body[List[Upload]], error) {
			list, err := f.Uploads.Unfinished(ctx, me(ctx).ID)
			if err != nil {
				return nil, err
			}
			out := List[Upload]{Items: []Upload{}, Total: len(list)}
			for _, u := range list {
				out.Items = append(out.Items, Upload{f.at("/uploads/%s", u.Token), u.FileName, u.ByteSize, u.Received, moment(u.CreatedAt), moment(u.ExpiresAt)})
			}
			return answer(out), nil
		})
	add(f, operation{route: "GET /me/recordings", id: "list-own-recordings", tag: tagRecordings, summary: "List one's own recordings", action: access.UseAccount, private: true,
		text: "Drafts and what a moderator returned too, newest first."}, f.mine)
	add(f, operation{route: "PATCH /recordings/{id}", id: "edit-recording", tag: tagRecordings, summary: "Describe a recording", action: access.EditRecording, errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		text: "Changes what is named and leaves the rest. With `If-Match` nothing is changed unless the recording is as the ETag saw it; without, an edit of the same field at the same moment answers 409. What a published recording said before is kept in its history."}, f.edit)
	add(f, operation{route: "DELETE /recordings/{id}", id: "delete-draft", tag: tagRecordings, summary: "Delete a draft", action: access.EditRecording, errors: []int{http.StatusConflict},
		text: "Only what was never published. What was is unpublished: licenses to it go on."},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			rec, err := f.editable(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &nothing{}, f.Uploads.Discard(ctx, rec)
		})
	for _, act := range []struct {
		name, summary, text string
		do                  func(context.Context, *db.Tx, int64) error
	}{
		{"submit", "Submit a recording for review", "Now, or as soon as its analysis is done. What is missing answers 422 and is listed in `own.missing`.", f.Recordings.SubmitWhenReady},
		{"unpublish", "Withdraw a published recording", "Nobody finds it any more; licenses that were given stay valid.", f.Recordings.Unpublish},
		{"republish", "Publish a withdrawn recording again", "", f.Recordings.Republish},
	} {
		add(f, operation{route: "POST /recordings/{id}/" + act.name, id: act.name + "-recording", tag: tagRecordings, summary: act.summary, text: act.text, action: access.EditRecording, errors: []int{http.StatusConflict}},
			func(ctx context.Context, in *ByID) (*recordingOut, error) {
				rec, err := f.editable(ctx, in.ID)
				if err != nil {
					return nil, err
				}
				if err := f.Recordings.DB.Tx(ctx, func(tx *db.Tx) error { return act.do(ctx, tx, rec.ID) }); err != nil {
					return nil, err
				}
				return f.out(ctx, rec.ID)
			})
	}
}

// mineIn chooses among one's own recordings.
type mineIn struct {
	State  string `query:"state" enum:"draft,submitted,returned,published,unpublished"`
	Before int64  `query:"before" minimum:"1" doc:"Unix microseconds, from the address in next."`
	Size   int    `query:"page_size" minimum:"1" maximum:"100" default:"24" doc:"How many at once."`
}

func (f *Face) mine(ctx context.Context, in *mineIn) (*body[Stretch[Recording]], error) {
	list, next, err := f.stretch(ctx, recordings.Filter{OwnerID: me(ctx).ID, State: recordings.State(in.State), Before: in.Before, Limit: in.Size})
	if err != nil {
		return nil, err
	}
	items, err := f.shown(ctx, list)
	return answer(Stretch[Recording]{items, next}), err
}

// stretch reads a page of recordings and the address of the next.
func (f *Face) stretch(ctx context.Context, filter recordings.Filter) (list []recordings.Recording, next string, err error) {
	size := filter.Limit
	filter.Limit++
	if list, err = f.Recordings.List(ctx, filter); err != nil || len(list) <= size {
		return list, "", err
	}
	// Recordings made in the same microsecond stay together: the next page begins below them.
	end := size
	for end > 0 && list[end-1].CreatedAt == list[size].CreatedAt {
		end--
	}
	if end == 0 {
		end = size // more of one moment than a page holds: those beyond it are not listed
	}
	return list[:end], f.with(ctx, "before", itoa(list[end-1].CreatedAt)), nil
}

type editIn struct {
	ByID
	Match string `header:"If-Match" doc:"The ETag of the recording as it was read."`
	Body  Edit
}

func (f *Face) edit(ctx context.Context, in *editIn) (*recordingOut, error) {
	rec, err := f.editable(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	e := uploads.Edit{}
	if in.Match != "" && in.Match != "*" {
		e.Seen, e.Exact = edited(in.Match), true
	} else if e.Seen, err = f.Uploads.Seen(ctx, rec); err != nil {
		return nil, err
	}
	was, err := f.Uploads.Describing(ctx, rec)
	if err != nil {
		return nil, err
	}
	if e.Description, err = amend(was, in.Body); err != nil {
		return nil, err
	}
	if e.Offers, err = f.offered(ctx, rec, in.Body.Offers, e.Description.Category); err != nil {
		return nil, err
	}
	e.SetOffers = in.Body.Offers != nil
	err = f.Uploads.Save(ctx, me(ctx), rec.ID, e)
	switch {
	case errors.Is(err, uploads.ErrStale) && e.Exact:
		return nil, web.Refuse(http.StatusPreconditionFailed, "The recording was changed since you read it. Nothing was saved: read it again and decide anew.")
	case errors.Is(err, uploads.ErrStale):
		return nil, web.Refuse(http.StatusConflict, "Somebody else saved the same field at this moment. Nothing was saved: read the recording again.")
	case err != nil:
		return nil, err
	}
	return f.out(ctx, rec.ID)
}

// amend is a description with what an edit names. What could not be kept as it is written is refused, never cut.
func amend(d recordings.Description, e Edit) (recordings.Description, error) {
	set := func(to *string, v *string) {
		if v != nil {
			*to = *v
		}
	}
	set(&d.Title, e.Title)
	set(&d.Description, e.Description)
	set(&d.Category, e.Category)
	set(&d.Pack, e.Pack)
	switch {
	case e.Unplace && e.Place != nil:
		return d, wrong("body.remove_place", "Tell a place or remove it, not both.")
	case e.Unplace:
		d.Place = nil
	case e.Place != nil:
		d.Place = &recordings.Place{Lat: e.Place.Latitude, Lon: e.Place.Longitude, Zoom: e.Place.Zoom}
	}
	if e.AITraining != nil {
		d.AITraining = *e.AITraining
	}
	if e.Rights != nil {
		d.Rights = *e.Rights
	}
	if e.Tags == nil {
		return d, nil
	}
	if text := recordings.TagsRefused(strings.Join(e.Tags, ",")); text != "" {
		return d, wrong("body.tags", "%s", text)
	}
	d.Tags = e.Tags
	return d, nil
}

// offered turns offers as they are sent into those that are saved; without any, those that there are.
func (f *Face) offered(ctx context.Context, rec recordings.Recording, list []OfferEdit, category string) ([]licensing.Offer, error) {
	if list == nil {
		had, err := f.Licensing.Offers(ctx, f.Licensing.DB, rec.ID)
		out := make([]licensing.Offer, len(had))
		for i, o := range had {
			out[i] = licensing.Offer{Code: o.Model.Code, Price: o.Price}
		}
		return out, err
	}
	models, err := f.Licensing.Models(ctx, f.Licensing.DB)
	if err != nil {
		return nil, err
	}
	out := []licensing.Offer{}
	for _, o := range list {
		i := slices.IndexFunc(models, func(m licensing.Model) bool { return m.Code == o.License })
		if i < 0 {
			return nil, wrong("body.offers", "This site does not know the license %.40q. See %s/licenses.", o.License, Prefix)
		}
		offer := licensing.Offer{Code: o.License}
		switch m := models[i]; {
		case o.Price != nil && o.Price.Currency != f.Licensing.Currency:
			return nil, wrong("body.offers", "Prices here are in %s.", f.Licensing.Currency)
		case o.Price != nil:
			offer.Price = money.Of(o.Price.Minor, o.Price.Currency)
		case !m.IsFree():
			offer.Price = money.Of(max(m.DefaultMinor(category), m.FloorMinor), f.Licensing.Currency)
		}
		out = append(out, offer)
	}
	return out, nil
}

func notReady() error {
	return web.Refuse(http.StatusConflict, "This recording is not analyzed yet. Try again in a moment.")
}

func unmarshal(text string, v any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), v)
}

func describeDownload(op *huma.Operation) {
	op.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}}}
	bytes := map[string]*huma.MediaType{"application/octet-stream": {}}
	op.Responses["200"] = &huma.Response{Description: "The file as it was uploaded.", Content: bytes}
	op.Responses["206"] = &huma.Response{Description: "The piece of it that Range asked for.", Content: bytes}
	op.Responses["416"] = &huma.Response{Description: "Range lies behind its end."}
}

// download sends the original.
func (f *Face) download(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	rec, err := f.Recordings.ByID(r.Context(), f.Recordings.DB, id)
	if err != nil {
		return err
	}
	// Taking the free license is a write, which another site's page must not make a signed-in browser do.
	license, err := f.heldBy(r, rec, r.Method == http.MethodGet && access.From(r.Context()).Credential != 0)
	if err != nil {
		return err
	}
	err = web.Allow(r, rec.Object(license != 0))
	var p *web.Public
	if errors.As(err, &p) && p.Status == http.StatusForbidden {
		return web.Refuse(http.StatusForbidden, "A license is needed to download this: put one into the cart, at %s/cart/%d.", Prefix, rec.ID)
	}
	if err != nil {
		return err
	}
	people, err := f.People.ByIDs(r.Context(), []int64{rec.OwnerID})
	if err != nil {
		return err
	}
	return f.Listening.Original(w, r, rec, people[rec.OwnerID].Name, license, listening.ByAPI)
}
