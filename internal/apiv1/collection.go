package apiv1

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/collections"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
)

// Collection is a person's own list of recordings.
type Collection struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description" doc:"Plain text."`
	Shared      string    `json:"shared" enum:"private,link,public" doc:"Who sees it: its owner, whoever has the link, everybody."`
	Owner       PersonRef `json:"owner"`
	URL         string    `json:"url" format:"uri" doc:"Its page; for its owner the link to give away, with the key."`
	Recordings  int64     `json:"recordings" doc:"How many of what is in it are published now."`
	Gone        int64     `json:"gone" doc:"How many are not, now."`
	Created     time.Time `json:"created_at"`
	Changed     time.Time `json:"changed_at"`
}

// CollectionItem is a recording in a collection.
type CollectionItem struct {
	Recording Recording `json:"recording"`
	Note      string    `json:"note" doc:"Plain text of the collection's owner."`
	Added     time.Time `json:"added_at"`
}

// CollectionEdit changes what it names of a collection.
type CollectionEdit struct {
	Name        *string `json:"name,omitempty" minLength:"1" maxLength:"128"`
	Description *string `json:"description,omitempty" maxLength:"2000" doc:"Plain text."`
	Shared      *string `json:"shared,omitempty" enum:"private,link,public" doc:"Sharing by link again makes a new link."`
}

// ItemEdit changes what it names of a recording in a collection.
type ItemEdit struct {
	Note   *string `json:"note,omitempty" maxLength:"500" doc:"Plain text."`
	Before int64   `json:"before,omitempty" minimum:"1" doc:"Id of the recording in the collection that it is to stand before."`
	Behind int64   `json:"behind,omitempty" minimum:"1" doc:"Or behind."`
}

// Put are recordings for a collection.
type Put struct {
	Recordings []int64 `json:"recordings" minItems:"1" maxItems:"200" doc:"Ids of published recordings, in the order in which they go to the end."`
}

// WasPut tells what came into a collection.
type WasPut struct {
	New        int        `json:"new" doc:"How many were not in it before. The others stay where they are."`
	Collection Collection `json:"collection"`
}

// NewName names something that a person makes for themselves.
type NewName struct {
	Name string `json:"name" minLength:"1" maxLength:"128"`
}

// InCollection names a recording in a collection.
type InCollection struct {
	ID        int64 `path:"id" minimum:"1"`
	Recording int64 `path:"recording" minimum:"1"`
}

// WithKey names a collection, with the key of a shared link.
type WithKey struct {
	ByID
	Key string `query:"key" maxLength:"64" doc:"Of the link that it is shared by."`
}

func (f *Face) collectionOperations() {
	add(f, operation{route: "GET /me/collections", id: "list-own-collections", tag: tagCollections, summary: "List one's collections", action: access.UseAccount, private: true, text: "By name."},
		func(ctx context.Context, in *Paging) (*body[List[Collection]], error) {
			list, err := f.Collections.Of(ctx, me(ctx).ID)
			return f.collectionsPage(ctx, *in, list, err)
		})
	add(f, operation{route: "GET /people/{name}/collections", id: "list-collections-of-person", tag: tagCollections, summary: "List the collections that a person shows to everybody", action: access.Look},
		func(ctx context.Context, in *struct {
			ByName
			Paging
		}) (*body[List[Collection]], error) {
			who, err := f.People.ByName(ctx, in.Name)
			if err != nil {
				return nil, err
			}
			list, err := f.Collections.PublicOf(ctx, who.ID)
			return f.collectionsPage(ctx, in.Paging, list, err)
		})
	add(f, operation{route: "POST /me/collections", id: "make-collection", tag: tagCollections, summary: "Make a collection", action: access.UseAccount, private: true, status: http.StatusCreated,
		errors: []int{http.StatusConflict}, text: "Empty and private."},
		func(ctx context.Context, in *struct{ Body NewName }) (*body[Collection], error) {
			c, err := f.Collections.Make(ctx, me(ctx).ID, in.Body.Name)
			if err != nil {
				return nil, err
			}
			return f.collectionNow(ctx, c.ID)
		})
	add(f, operation{route: "GET /collections/{id}", id: "get-collection", tag: tagCollections, summary: "Read a collection", action: access.SeeCollection},
		func(ctx context.Context, in *WithKey) (*body[Collection], error) {
			c, err := f.collection(ctx, in.ID, in.Key)
			if err != nil {
				return nil, err
			}
			return f.oneCollection(ctx, c)
		})
	add(f, operation{route: "GET /collections/{id}/recordings", id: "list-recordings-of-collection", tag: tagCollections, summary: "List the recordings of a collection", action: access.SeeCollection, text: "In its order."},
		func(ctx context.Context, in *struct {
			WithKey
			Paging
		}) (*body[List[CollectionItem]], error) {
			c, err := f.collection(ctx, in.ID, in.Key)
			if err != nil {
				return nil, err
			}
			items, err := f.Collections.Items(ctx, c.ID, in.Size, in.offset())
			if err != nil {
				return nil, err
			}
			out, err := f.items(ctx, items)
			return page(ctx, f, in.Paging, out, int(c.Shown)), err
		})
	add(f, operation{route: "POST /collections/{id}/report", id: "report-collection", tag: tagCollections, summary: "Tell the moderators what is wrong with a collection", action: access.React, private: true, errors: []int{http.StatusConflict},
		text: "A second report takes the place of the first."},
		func(ctx context.Context, in *struct {
			WithKey
			Body Reason
		}) (*nothing, error) {
			c, err := f.collection(ctx, in.ID, in.Key)
			if err != nil {
				return nil, err
			}
			if c.AccountID == me(ctx).ID {
				return nil, web.Refuse(http.StatusConflict, "This is your own collection: change or delete it.")
			}
			return &nothing{}, f.Collections.Report(ctx, me(ctx).ID, c.ID, in.Body.Reason)
		})
	add(f, operation{route: "PATCH /collections/{id}", id: "edit-collection", tag: tagCollections, summary: "Rename, describe or share one's collection", action: access.ChangeOwn, private: true, errors: []int{http.StatusConflict}}, f.editCollection)
	add(f, operation{route: "DELETE /collections/{id}", id: "delete-collection", tag: tagCollections, summary: "Delete one's collection", action: access.ChangeOwn, private: true, text: "For a day it can be restored."},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			c, err := f.ownCollection(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &nothing{}, f.Collections.Delete(ctx, c.AccountID, c.ID)
		})
	add(f, operation{route: "POST /collections/{id}/restore", id: "restore-collection", tag: tagCollections, summary: "Bring back one's deleted collection", action: access.ChangeOwn, private: true},
		func(ctx context.Context, in *ByID) (*body[Collection], error) {
			c, err := f.Collections.ByID(ctx, f.Collections.DB, in.ID)
			if err != nil {
				return nil, err
			}
			if err := allow(ctx, access.ChangeOwn, c.Object("")); err != nil {
				return nil, err
			}
			if err := f.Collections.Restore(ctx, c.AccountID, c.ID); err != nil {
				return nil, err
			}
			return f.collectionNow(ctx, c.ID)
		})
	add(f, operation{route: "POST /collections/{id}/recordings", id: "add-to-collection", tag: tagCollections, summary: "Put recordings at the end of one's collection", action: access.ChangeOwn, private: true},
		func(ctx context.Context, in *struct {
			ByID
			Body Put
		}) (*body[WasPut], error) {
			c, err := f.ownCollection(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			added, err := f.Collections.Add(ctx, c.AccountID, c.ID, "", in.Body.Recordings)
			if err != nil {
				return nil, err
			}
			now, err := f.collectionNow(ctx, c.ID)
			if err != nil {
				return nil, err
			}
			return answer(WasPut{added.New, now.Body}), nil
		})
	add(f, operation{route: "PATCH /collections/{id}/recordings/{recording}", id: "edit-collection-item", tag: tagCollections, summary: "Annotate or move a recording in one's collection", action: access.ChangeOwn, private: true}, f.editItem)
	add(f, operation{route: "DELETE /collections/{id}/recordings/{recording}", id: "remove-from-collection", tag: tagCollections, summary: "Take a recording out of one's collection", action: access.ChangeOwn, private: true},
		func(ctx context.Context, in *InCollection) (*nothing, error) {
			c, err := f.ownCollection(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &nothing{}, f.Collections.RemoveRecording(ctx, c.AccountID, c.ID, in.Recording)
		})
}

// collection finds a collection that who asks may see. An API key sees what is public.
func (f *Face) collection(ctx context.Context, id int64, key string) (collections.Collection, error) {
	c, err := f.Collections.ByID(ctx, f.Collections.DB, id)
	if err != nil {
		return c, err
	}
	// To whom it is not shared it does not exist, moderators included.
	if c.DeletedAt != 0 || f.byKey(ctx) && !c.Object(key).Public || !access.Can(me(ctx), access.SeeCollection, c.Object(key)) {
		return c, missing("collection", id)
	}
	return c, allow(ctx, access.SeeCollection, c.Object(key))
}

// ownCollection finds a collection that who asks may change.
func (f *Face) ownCollection(ctx context.Context, id int64) (collections.Collection, error) {
	c, err := f.Collections.ByID(ctx, f.Collections.DB, id)
	if err != nil {
		return c, err
	}
	if c.DeletedAt != 0 {
		return c, missing("collection", id)
	}
	return c, allow(ctx, access.ChangeOwn, c.Object(""))
}

func (f *Face) editCollection(ctx context.Context, in *struct {
	ByID
	Body CollectionEdit
}) (*body[Collection], error) {
	c, err := f.ownCollection(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != nil || in.Body.Description != nil {
		name, text := c.Name, c.Description
		if in.Body.Name != nil {
			name = *in.Body.Name
		}
		if in.Body.Description != nil {
			text = *in.Body.Description
		}
		if err := f.Collections.Describe(ctx, c.AccountID, c.ID, c.Name, c.Description, name, text); err != nil {
			return nil, changedMeanwhile(err)
		}
	}
	if in.Body.Shared != nil {
		if err := f.Collections.Share(ctx, c.AccountID, c.ID, collections.Shared(*in.Body.Shared), false); err != nil {
			return nil, err
		}
	}
	return f.collectionNow(ctx, c.ID)
}

func (f *Face) editItem(ctx context.Context, in *struct {
	InCollection
	Body ItemEdit
}) (*body[CollectionItem], error) {
	c, err := f.ownCollection(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	item, err := f.Collections.ItemOf(ctx, c.ID, in.Recording)
	if err != nil {
		return nil, err
	}
	where, other := collections.Before, in.Body.Before
	switch {
	case in.Body.Before != 0 && in.Body.Behind != 0:
		return nil, wrong("body.behind", "A recording goes before another or behind one, not both.")
	case in.Body.Behind != 0:
		where, other = collections.Behind, in.Body.Behind
	}
	var next collections.Item
	if other != 0 {
		if next, err = f.Collections.ItemOf(ctx, c.ID, other); errors.Is(err, db.ErrNotFound) {
			return nil, wrong("body."+where, "Recording %d is not in the collection.", other)
		}
		if err != nil {
			return nil, err
		}
	}
	if in.Body.Note != nil {
		if err := f.Collections.Annotate(ctx, c.AccountID, c.ID, item.ID, item.Note, *in.Body.Note); err != nil {
			return nil, changedMeanwhile(err)
		}
	}
	if other != 0 {
		if err := f.Collections.Move(ctx, c.AccountID, c.ID, item.ID, where, next.ID); err != nil {
			return nil, err
		}
	}
	if item, err = f.Collections.ItemOf(ctx, c.ID, in.Recording); err != nil {
		return nil, err
	}
	out, err := f.items(ctx, []collections.Item{item})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, missing("recording", in.Recording)
	}
	return answer(out[0]), nil
}

// changedMeanwhile says what to do where a text was changed between reading and writing.
func changedMeanwhile(err error) error {
	if errors.Is(err, collections.ErrChanged) {
		return &web.Public{Status: http.StatusConflict, Text: "It was changed elsewhere at this moment. Read it again, then send the change.", Err: err}
	}
	return err
}

func (f *Face) collectionsPage(ctx context.Context, p Paging, list []collections.Collection, err error) (*body[List[Collection]], error) {
	if err != nil {
		return nil, err
	}
	out, err := f.shownCollections(ctx, cut(p, list))
	return page(ctx, f, p, out, len(list)), err
}

// collectionNow is a collection as it stands now.
func (f *Face) collectionNow(ctx context.Context, id int64) (*body[Collection], error) {
	c, err := f.Collections.ByID(ctx, f.Collections.DB, id)
	if err != nil {
		return nil, err
	}
	return f.oneCollection(ctx, c)
}

func (f *Face) oneCollection(ctx context.Context, c collections.Collection) (*body[Collection], error) {
	out, err := f.shownCollections(ctx, []collections.Collection{c})
	if err != nil {
		return nil, err
	}
	return answer(out[0]), nil
}

func (f *Face) shownCollections(ctx context.Context, list []collections.Collection) ([]Collection, error) {
	var owners []int64
	for _, c := range list {
		owners = append(owners, c.AccountID)
	}
	people, err := f.People.ByIDs(ctx, owners)
	if err != nil {
		return nil, err
	}
	var out []Collection
	for _, c := range list {
		path := c.Path()
		if c.AccountID == me(ctx).ID {
			path = c.LinkPath()
		}
		out = append(out, Collection{ID: c.ID, Name: c.Name, Description: c.Description, Shared: string(c.Shared), Owner: *f.personRef(people[c.AccountID]), URL: f.Site.URL + path,
			Recordings: c.Shown, Gone: c.Gone, Created: moment(c.CreatedAt), Changed: moment(c.ChangedAt)})
	}
	return out, nil
}

// items describes items of a collection, in their order; what is published no more is left out.
func (f *Face) items(ctx context.Context, list []collections.Item) ([]CollectionItem, error) {
	ids := make([]int64, len(list))
	for i, item := range list {
		ids[i] = item.RecordingID
	}
	recs, err := f.public(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []CollectionItem
	for _, item := range list {
		if i := slices.IndexFunc(recs, func(r Recording) bool { return r.ID == item.RecordingID }); i >= 0 {
			out = append(out, CollectionItem{recs[i], item.Note, moment(item.AddedAt)})
		}
	}
	return out, nil
}
