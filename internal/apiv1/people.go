package apiv1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/people"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// Person is somebody as everybody may see them.
type Person struct {
	Name       string    `json:"name" doc:"The one in addresses."`
	Shown      string    `json:"display_name"`
	Bio        string    `json:"bio"`
	Website    string    `json:"website"`
	Picture    string    `json:"picture,omitempty" format:"uri"`
	URL        string    `json:"url" format:"uri"`
	Since      time.Time `json:"member_since"`
	Recordings int       `json:"recordings" doc:"How many are published."`
	Packs      int       `json:"packs"`
}

// Pack is a named set of one contributor's recordings.
type Pack struct {
	ID          int64      `json:"id"`
	URL         string     `json:"url" format:"uri"`
	Name        string     `json:"name"`
	Description string     `json:"description" doc:"Markdown."`
	Contributor *PersonRef `json:"contributor,omitempty"`
	Recordings  int64      `json:"recordings" doc:"How many are published."`
	Created     time.Time  `json:"created_at"`
}

// PackLine is a pack in a list of all.
type PackLine struct {
	PackRef
	Contributor *PersonRef `json:"contributor,omitempty"`
	Recordings  int64      `json:"recordings" doc:"How many are published."`
}

// Profile is what a person says about themselves.
type Profile struct {
	Shown   string `json:"display_name" maxLength:"60"`
	Bio     string `json:"bio" maxLength:"2000"`
	Website string `json:"website" maxLength:"200"`
}

func (f *Face) peopleOperations() {
	add(f, operation{route: "GET /people/{name}", id: "get-person", tag: tagPeople, summary: "Read a person's profile", action: access.Look},
		func(ctx context.Context, in *ByName) (*body[Person], error) {
			who, err := f.People.ByName(ctx, in.Name)
			if err != nil {
				return nil, err
			}
			out, err := f.person(ctx, who)
			return answer(out), err
		})
	add(f, operation{route: "GET /people/{name}/recordings", id: "list-recordings-of-person", tag: tagPeople, summary: "List a person's published recordings", action: access.Look},
		func(ctx context.Context, in *struct {
			ByName
			Paging
		}) (*body[List[Recording]], error) {
			who, err := f.People.ByName(ctx, in.Name)
			if err != nil {
				return nil, err
			}
			ids, total, err := f.Recordings.PublishedBy(ctx, who.ID, in.Size, in.offset())
			return f.listed(ctx, in.Paging, ids, total, err)
		})
	add(f, operation{route: "GET /people/{name}/packs", id: "list-packs-of-person", tag: tagPeople, summary: "List a person's packs", action: access.Look},
		func(ctx context.Context, in *struct {
			ByName
			Paging
		}) (*body[List[Pack]], error) {
			who, err := f.People.ByName(ctx, in.Name)
			if err != nil {
				return nil, err
			}
			list, total, err := f.Recordings.PublicPacksBy(ctx, who.ID, in.Size, in.offset())
			if err != nil {
				return nil, err
			}
			var out []Pack
			for _, k := range list {
				out = append(out, f.pack(k.Pack, k.Count, f.personRef(who)))
			}
			return page(ctx, f, in.Paging, out, total), nil
		})
	add(f, operation{route: "GET /packs", id: "list-packs", tag: tagPeople, summary: "List the packs that got something new last", action: access.Look},
		func(ctx context.Context, in *struct {
			Limit int `query:"limit" minimum:"1" maximum:"100" default:"60"`
		}) (*body[List[PackLine]], error) {
			list, err := f.Recordings.PublicPacks(ctx, in.Limit)
			if err != nil {
				return nil, err
			}
			owners := make([]int64, len(list))
			for i, k := range list {
				owners[i] = k.Owner
			}
			who, err := f.People.ByIDs(ctx, owners)
			out := List[PackLine]{Items: []PackLine{}, Total: len(list)}
			for _, k := range list {
				line := PackLine{PackRef: PackRef{k.ID, k.Name, f.at("/packs/%d", k.ID)}, Recordings: k.Count}
				if owner, ok := who[k.Owner]; ok {
					line.Contributor = f.personRef(owner)
				}
				out.Items = append(out.Items, line)
			}
			return answer(out), err
		})
	add(f, operation{route: "GET /packs/{id}", id: "get-pack", tag: tagPeople, summary: "Read a pack", action: access.Look},
		func(ctx context.Context, in *ByID) (*body[Pack], error) {
			k, count, who, err := f.publicPack(ctx, in.ID)
			return answer(f.pack(k, count, who)), err
		})
	add(f, operation{route: "GET /packs/{id}/recordings", id: "list-recordings-of-pack", tag: tagPeople, summary: "List the recordings of a pack", action: access.Look},
		func(ctx context.Context, in *struct {
			ByID
			Paging
		}) (*body[List[Recording]], error) {
			k, count, _, err := f.publicPack(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			ids, err := f.Recordings.InPack(ctx, k.ID, in.Size, in.offset())
			return f.listed(ctx, in.Paging, ids, int(count), err)
		})
	add(f, operation{route: "GET /me/profile", id: "get-profile", tag: tagMe, summary: "Read one's own profile", action: access.UseAccount, private: true},
		func(ctx context.Context, _ *struct{}) (*body[Profile], error) {
			p, err := f.People.Profile(ctx, me(ctx).ID)
			return answer(Profile{p.DisplayName, p.Bio, p.Website}), err
		})
	add(f, operation{route: "PUT /me/profile", id: "put-profile", tag: tagMe, summary: "Write one's own profile", action: access.UseAccount, private: true}, f.saveProfile)
	add(f, operation{route: "PUT /me/profile/picture", id: "put-picture", tag: tagMe, summary: "Set one's own picture", action: access.UseAccount, private: true, takes: picture,
		text: fmt.Sprintf("PNG, JPEG, GIF or WebP, at most %d MB. A square out of its middle is drawn anew; nothing else of the file is kept.", people.MaxPictureBytes>>20)}, f.setPicture)
	add(f, operation{route: "DELETE /me/profile/picture", id: "remove-picture", tag: tagMe, summary: "Remove one's own picture", action: access.UseAccount, private: true},
		func(ctx context.Context, _ *struct{}) (*nothing, error) {
			return &nothing{}, f.People.RemovePicture(ctx, me(ctx).ID)
		})
}

func (f *Face) setPicture(ctx context.Context, _ *struct{}) (*body[Person], error) {
	file, err := io.ReadAll(io.LimitReader(from(ctx).r.Body, people.MaxPictureBytes+1)) // a longer one is refused by its length
	if err != nil {
		return nil, &web.Public{Status: http.StatusBadRequest, Text: "The picture did not arrive whole. Send it again.", Err: err}
	}
	if err := asFields(f.People.SetPicture(ctx, me(ctx).ID, file)); err != nil {
		return nil, err
	}
	who, err := f.People.ByName(ctx, me(ctx).Name)
	if err != nil {
		return nil, err
	}
	out, err := f.person(ctx, who)
	return answer(out), err
}

func (f *Face) saveProfile(ctx context.Context, in *struct{ Body Profile }) (*body[Profile], error) {
	err := f.People.Save(ctx, me(ctx).ID, people.Profile{DisplayName: in.Body.Shown, Bio: in.Body.Bio, Website: in.Body.Website})
	if err = asFields(err); err != nil {
		return nil, err
	}
	p, err := f.People.Profile(ctx, me(ctx).ID)
	return answer(Profile{p.DisplayName, p.Bio, p.Website}), err
}

// asFields turns what accounts says of a form's fields into a problem that names them.
func asFields(err error) error {
	var found accounts.Problems
	if !errors.As(err, &found) {
		return err
	}
	out := &fault{status: 422, detail: found.Error()}
	for _, p := range found {
		out.fields = append(out.fields, FieldError{"body." + p.Field, p.Text})
	}
	return out
}

// listed describes a page of published recordings.
func (f *Face) listed(ctx context.Context, p Paging, ids []int64, total int, err error) (*body[List[Recording]], error) {
	if err != nil {
		return nil, err
	}
	items, err := f.public(ctx, ids)
	if err != nil {
		return nil, err
	}
	return page(ctx, f, p, items, total), nil
}

func (f *Face) person(ctx context.Context, who people.Person) (Person, error) {
	_, sounds, err := f.Recordings.PublishedBy(ctx, who.ID, 0, 0)
	if err != nil {
		return Person{}, err
	}
	_, packs, err := f.Recordings.PublicPacksBy(ctx, who.ID, 0, 0)
	out := Person{Name: who.Name, Shown: who.Shown(), Bio: who.Bio, Website: who.Website, URL: f.Site.URL + who.URL(), Since: moment(who.Since), Recordings: sounds, Packs: packs}
	if u := who.PictureURL(); u != "" {
		out.Picture = f.Site.URL + u
	}
	return out, err
}

func (f *Face) pack(k recordings.Pack, count int64, by *PersonRef) Pack {
	return Pack{ID: k.ID, URL: f.at("/packs/%d", k.ID), Name: k.Name, Description: k.Description, Contributor: by, Recordings: count, Created: moment(k.CreatedAt)}
}

// publicPack finds a pack that holds something published.
func (f *Face) publicPack(ctx context.Context, id int64) (k recordings.Pack, count int64, by *PersonRef, err error) {
	if k, err = f.Recordings.PackByID(ctx, f.Recordings.DB, id); err != nil {
		return k, 0, nil, err
	}
	if count, err = f.Recordings.PublicInPack(ctx, id); err != nil {
		return k, 0, nil, err
	}
	if count == 0 {
		return k, 0, nil, missing("pack", id)
	}
	who, err := f.People.ByIDs(ctx, []int64{k.OwnerID})
	if owner, ok := who[k.OwnerID]; ok {
		by = f.personRef(owner)
	}
	return k, count, by, err
}
