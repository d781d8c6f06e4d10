package apiv2

import (
	"context"
	"net/http"
	"net/url"

	"audiomicro/internal/access"
	"audiomicro/internal/people"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// user shows one person; whoever was suspended or has no page does not exist.
func (f *Face) user(w http.ResponseWriter, r *http.Request) error {
	who, err := f.People.ByName(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	out, err := f.userOf(r.Context(), who)
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, out)
}

func (f *Face) userOf(ctx context.Context, who people.Person) (object, error) {
	_, sounds, err := f.Recordings.PublishedBy(ctx, who.ID, 0, 0)
	if err != nil {
		return nil, err
	}
	_, packs, err := f.Recordings.PublicPacksBy(ctx, who.ID, 0, 0)
	if err != nil {
		return nil, err
	}
	said, err := f.Reactions.CommentsBy(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	var picture any
	if u := who.PictureURL(); u != "" {
		picture = f.Site.URL + u
	}
	at := f.at("/apiv2/users/%s/", url.PathEscape(who.Name))
	return object{
		{"url", f.Site.URL + who.URL()}, {"username", who.Name}, {"about", who.Bio}, {"home_page", who.Website},
		{"avatar", object{{"small", picture}, {"medium", picture}, {"large", picture}}}, {"date_joined", zoneless(who.Since)},
		{"num_sounds", sounds}, {"sounds", at + "sounds/"}, {"num_packs", packs}, {"packs", at + "packs/"}, {"num_posts", 0}, {"num_comments", said},
	}, nil
}

// me tells a program about the person whose access token it has.
func (f *Face) me(w http.ResponseWriter, r *http.Request) error {
	actor := access.From(r.Context())
	found, err := f.People.ByIDs(r.Context(), []int64{actor.ID})
	if err != nil {
		return err
	}
	out, err := f.userOf(r.Context(), found[actor.ID])
	if err != nil {
		return err
	}
	account, err := f.Accounts.ByID(r.Context(), actor.ID)
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, append(out, member{"email", account.Email}, member{"unique_id", actor.ID},
		member{"bookmark_categories", f.at("/apiv2/me/bookmark_categories/")}))
}

func (f *Face) userSounds(w http.ResponseWriter, r *http.Request) error {
	who, err := f.People.ByName(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	return f.soundList(w, r, "/apiv2/users/"+url.PathEscape(who.Name)+"/sounds/", func(limit, offset int) ([]int64, int, error) {
		return f.Recordings.PublishedBy(r.Context(), who.ID, limit, offset)
	})
}

func (f *Face) userPacks(w http.ResponseWriter, r *http.Request) error {
	who, err := f.People.ByName(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	p := parse(r.URL.RawQuery)
	_, total, err := f.Recordings.PublicPacksBy(r.Context(), who.ID, 0, 0)
	if err != nil {
		return err
	}
	win, err := pageOf(p, total)
	if err != nil {
		return err
	}
	list, _, err := f.Recordings.PublicPacksBy(r.Context(), who.ID, win.size, win.offset())
	if err != nil {
		return err
	}
	results := []object{}
	for _, k := range list {
		results = append(results, f.packOf(k.Pack, k.Count, who.Name))
	}
	return answer(w, r, http.StatusOK, f.list("/apiv2/users/"+url.PathEscape(who.Name)+"/packs/", p, win, total, results))
}

// packOf describes a pack. How often it was downloaded as a whole is not counted.
func (f *Face) packOf(k recordings.Pack, count int64, owner string) object {
	return object{{"id", k.ID}, {"url", f.at("/packs/%d", k.ID)}, {"description", k.Description}, {"created", instant(k.CreatedAt)}, {"name", k.Name}, {"username", owner},
		{"num_sounds", count}, {"sounds", f.at("/apiv2/packs/%d/sounds/", k.ID)}, {"num_downloads", nil}}
}

// publicPack finds the pack of the path with its owner. One without published recordings, or of whoever has no page, does not
// exist.
func (f *Face) publicPack(r *http.Request) (k recordings.Pack, count int64, owner string, err error) {
	id, err := web.PathID(r, "id")
	if err != nil {
		return k, 0, "", err
	}
	if k, err = f.Recordings.PackByID(r.Context(), f.Recordings.DB, id); err != nil {
		return k, 0, "", err
	}
	if count, err = f.Recordings.PublicInPack(r.Context(), id); err != nil {
		return k, 0, "", err
	}
	found, err := f.People.ByIDs(r.Context(), []int64{k.OwnerID})
	if err == nil && (count == 0 || found[k.OwnerID].ID == 0) {
		err = web.NotFound()
	}
	return k, count, found[k.OwnerID].Name, err
}

func (f *Face) pack(w http.ResponseWriter, r *http.Request) error {
	k, count, owner, err := f.publicPack(r)
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, f.packOf(k, count, owner))
}

func (f *Face) packSounds(w http.ResponseWriter, r *http.Request) error {
	k, count, _, err := f.publicPack(r)
	if err != nil {
		return err
	}
	return f.soundList(w, r, "/apiv2/packs/"+r.PathValue("id")+"/sounds/", func(limit, offset int) ([]int64, int, error) {
		list, err := f.Recordings.InPack(r.Context(), k.ID, limit, offset)
		return list, int(count), err
	})
}

// categories lists the bookmark categories of the person whose access token it is: the favorites as category 0, only when there are any, and
// the collections by name.
func (f *Face) categories(w http.ResponseWriter, r *http.Request) error {
	ctx, me, p := r.Context(), access.From(r.Context()).ID, parse(r.URL.RawQuery)
	all, err := f.Collections.Of(ctx, me)
	if err != nil {
		return err
	}
	_, favorites, err := f.Reactions.Favorites(ctx, me, 0, 0)
	if err != nil {
		return err
	}
	list := []object{}
	if favorites > 0 {
		list = append(list, f.categoryOf(0, "/favorites", uncategorized, favorites))
	}
	for _, c := range all {
		list = append(list, f.categoryOf(c.ID, c.Path(), c.Name, int(c.Shown)))
	}
	win, err := pageOf(p, len(list))
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, f.list("/apiv2/me/bookmark_categories/", p, win, len(list), list[win.offset():min(win.offset()+win.size, len(list))]))
}

func (f *Face) categoryOf(id int64, page, name string, sounds int) object {
	return object{{"id", id}, {"url", f.Site.URL + page}, {"name", name}, {"num_sounds", sounds}, {"sounds", f.at("/apiv2/me/bookmark_categories/%d/sounds/", id)}}
}

// categorySounds lists what is in a category: favorites with the latest first, a collection in its order.
func (f *Face) categorySounds(w http.ResponseWriter, r *http.Request) error {
	ctx, me, path := r.Context(), access.From(r.Context()).ID, "/apiv2/me/bookmark_categories/"+r.PathValue("id")+"/sounds/"
	if r.PathValue("id") == "0" {
		return f.soundList(w, r, path, func(limit, offset int) ([]int64, int, error) { return f.Reactions.Favorites(ctx, me, limit, offset) })
	}
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	c, err := f.Collections.ByID(ctx, f.Collections.DB, id)
	if err != nil {
		return err
	}
	if c.AccountID != me || c.DeletedAt != 0 {
		return web.NotFound()
	}
	return f.soundList(w, r, path, func(limit, offset int) ([]int64, int, error) {
		items, err := f.Collections.Items(ctx, c.ID, limit, offset)
		ids := make([]int64, len(items))
		for i, it := range items {
			ids[i] = it.RecordingID
		}
		return ids, int(c.Shown), err
	})
}
