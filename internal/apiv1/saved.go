package apiv1

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/search"
	"audiomicro/internal/search/query"
)

// SavedSearch is a search that a person keeps.
type SavedSearch struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Search  string    `json:"search" doc:"What stands behind the question mark of its address."`
	URL     string    `json:"url" format:"uri" doc:"What it finds, the newest first, as a page."`
	Feed    string    `json:"feed" format:"uri" doc:"Its Atom feed. Whoever knows this address can read it."`
	Created time.Time `json:"created_at"`
	Seen    time.Time `json:"seen_at" doc:"When its owner looked last."`
}

// SearchToSave is a search to be kept.
type SearchToSave struct {
	Search string `json:"search" minLength:"1" maxLength:"4000" example:"license=cc0&q=rain" doc:"What stands behind the question mark of a search's address."`
}

func (f *Face) savedOperations() {
	add(f, operation{route: "GET /me/searches", id: "list-saved-searches", tag: tagSearch, summary: "List one's saved searches", action: access.UseAccount, private: true, text: "By name."},
		func(ctx context.Context, in *Paging) (*body[List[SavedSearch]], error) {
			list, err := f.Search.SavedBy(ctx, me(ctx).ID)
			if err != nil {
				return nil, err
			}
			var out []SavedSearch
			for _, v := range cut(*in, list) {
				out = append(out, f.saved(v))
			}
			return page(ctx, f, *in, out, len(list)), nil
		})
	add(f, operation{route: "POST /me/searches", id: "save-search", tag: tagSearch, summary: "Save a search", action: access.UseAccount, private: true, status: http.StatusCreated, text: "Saving the same again changes nothing."},
		func(ctx context.Context, in *struct{ Body SearchToSave }) (*body[SavedSearch], error) {
			params, err := url.ParseQuery(in.Body.Search)
			if err != nil {
				return nil, wrong("body.search", "This search cannot be read. Copy what stands behind the question mark of a search's address.")
			}
			q, err := query.FromValues(params)
			if err != nil {
				return nil, refusedQuery(err)
			}
			v, err := f.Search.Save(ctx, me(ctx).ID, q)
			return answer(f.saved(v)), err
		})
	add(f, operation{route: "PATCH /me/searches/{id}", id: "rename-saved-search", tag: tagSearch, summary: "Rename a saved search", action: access.UseAccount, private: true},
		func(ctx context.Context, in *struct {
			ByID
			Body NewName
		}) (*body[SavedSearch], error) {
			if err := f.Search.RenameSaved(ctx, me(ctx).ID, in.ID, in.Body.Name); err != nil {
				return nil, err
			}
			v, err := f.Search.SavedOf(ctx, me(ctx).ID, in.ID)
			return answer(f.saved(v)), err
		})
	add(f, operation{route: "DELETE /me/searches/{id}", id: "delete-saved-search", tag: tagSearch, summary: "Delete a saved search", action: access.UseAccount, private: true},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			return &nothing{}, f.Search.DeleteSaved(ctx, me(ctx).ID, in.ID)
		})
}

func (f *Face) saved(v search.Saved) SavedSearch {
	return SavedSearch{ID: v.ID, Name: v.Name, Search: v.Params, URL: f.Site.URL + v.Page(), Feed: f.Site.URL + v.FeedPath(), Created: moment(v.CreatedAt), Seen: moment(v.SeenAt)}
}
