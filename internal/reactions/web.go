package reactions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Sizes of lists.
const (
	onRecording  = 10 // comments under a recording
	commentsPage = 50
	favoriteRows = 50
	maxPage      = 10_000
	formLimit    = 64 << 10 // bytes
)

// Routes lists the pages and forms.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /recordings/{id}/comments", Action: access.SeeRecording, Handle: s.commentsPage},
		{Pattern: "POST /recordings/{id}/comments", Action: access.React, Handle: s.comment},
		{Pattern: "POST /comments/{id}/delete", Action: access.ChangeOwn, Handle: s.deleteComment},
		{Pattern: "POST /comments/{id}/remove", Action: access.Review, Handle: s.removeComment},
		{Pattern: "POST /recordings/{id}/rating", Action: access.React, Handle: s.rating},
		{Pattern: "POST /recordings/{id}/favorite", Action: access.React, Handle: s.favorite},
		{Pattern: "GET /favorites", Action: access.UseAccount, Handle: s.favorites},
	}
}

// On is what a published recording's page shows of its reactions to the actor of ctx.
func (s *Store) On(ctx context.Context, rec recordings.Recording) (ui.Reactions, error) {
	list, total, err := s.Comments(ctx, rec.ID, onRecording, 0)
	if err != nil {
		return ui.Reactions{}, err
	}
	box, err := s.box(ctx, rec)
	if err != nil {
		return box, err
	}
	if total > len(list) {
		box.MoreURL = commentsURL(rec.ID)
	}
	box.Total = total
	box.Comments, err = s.lines(ctx, rec, list)
	return box, err
}

func commentsURL(recording int64) string { return fmt.Sprintf("/recordings/%d/comments", recording) }

// box tells what the actor of ctx may do, and did.
func (s *Store) box(ctx context.Context, rec recordings.Recording) (ui.Reactions, error) {
	me := access.From(ctx)
	box := ui.Reactions{RecordingID: rec.ID, CanReact: access.Can(me, access.React, rec.Object(false))}
	box.CanRate = box.CanReact && me.ID != rec.OwnerID
	echoes, err := s.Echoes(ctx, []int64{rec.ID})
	if err != nil {
		return box, err
	}
	if e := echoes[rec.ID]; e.Ratings > 0 {
		box.Rating = fmt.Sprintf("%s of 5 stars, %s", strconv.FormatFloat(e.Average(), 'f', 1, 64), ui.Plural(int(e.Ratings), "rating", "ratings"))
	}
	switch {
	case !me.SignedIn():
		box.SignInURL = "/sign-in?next=" + url.QueryEscape(fmt.Sprintf("/recordings/%d", rec.ID))
		return box, nil
	case !box.CanReact:
		box.Why = "Confirm your e-mail address to rate, comment and keep favorites."
		return box, nil
	}
	stars, err := s.RatingBy(ctx, me.ID, rec.ID)
	if err == nil {
		box.MyStars = strconv.FormatInt(stars, 10)
	} else if !errors.Is(err, db.ErrNotFound) {
		return box, err
	}
	favored, err := s.FavoredOf(ctx, me.ID, []int64{rec.ID})
	if err != nil {
		return box, err
	}
	box.Favored = favored[rec.ID]
	box.Lists, err = s.Lists(ctx, me.ID, rec.ID)
	return box, err
}

// lines draws comments for the actor of ctx; one's own that were removed come first.
func (s *Store) lines(ctx context.Context, rec recordings.Recording, list []Comment) ([]ui.CommentLine, error) {
	me := access.From(ctx)
	if me.SignedIn() {
		removed, err := s.removedOf(ctx, me.ID, rec.ID)
		if err != nil {
			return nil, err
		}
		list = append(removed, list...)
	}
	authors := make([]int64, len(list))
	for i, c := range list {
		authors[i] = c.AccountID
	}
	people, err := s.People(ctx, authors)
	if err != nil {
		return nil, err
	}
	out := make([]ui.CommentLine, len(list))
	for i, c := range list {
		about := access.Object{Owner: c.AccountID}
		out[i] = ui.CommentLine{ID: c.ID, By: people[c.AccountID], At: c.CreatedAt, Body: c.Body, Removed: c.RemovedWhy,
			Delete: access.Can(me, access.ChangeOwn, about), Remove: c.RemovedAt == 0 && access.Can(me, access.Review, about)}
	}
	return out, nil
}

// pageOf reads ?page=.
func pageOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("page")
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, web.NotFound()
	}
	return n, nil
}

func pager(at string, page, total, size int) ui.Pager {
	p := ui.Pager{Page: page, Pages: (total + size - 1) / size}
	if page > 1 {
		p.Prev = at + "?page=" + strconv.Itoa(page-1)
	}
	if page < p.Pages {
		p.Next = at + "?page=" + strconv.Itoa(page+1)
	}
	return p
}

// target finds the recording of the path and asks whether the route's action may be done to it.
func (s *Store) target(r *http.Request) (recordings.Recording, error) {
	id, err := web.PathID(r, "id")
	if err != nil {
		return recordings.Recording{}, err
	}
	rec, err := s.Recordings.ByID(r.Context(), s.DB, id)
	if err != nil {
		return rec, err
	}
	return rec, web.Allow(r, rec.Object(false))
}

func (s *Store) commentsPage(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.target(r)
	if err != nil {
		return err
	}
	return s.showComments(w, r, rec, "", nil)
}

// showComments is all comments of a recording; typed and errs are of a comment that was refused.
func (s *Store) showComments(w http.ResponseWriter, r *http.Request, rec recordings.Recording, typed string, errs []ui.FormError) error {
	ctx := r.Context()
	page, err := pageOf(r)
	if err != nil {
		return err
	}
	list, total, err := s.Comments(ctx, rec.ID, commentsPage, (page-1)*commentsPage)
	if err != nil {
		return err
	}
	box, err := s.box(ctx, rec)
	if err != nil {
		return err
	}
	box.Total, box.Typed, box.Errors, box.Pager = total, typed, errs, pager(commentsURL(rec.ID), page, total, commentsPage)
	if box.Comments, err = s.lines(ctx, rec, list); err != nil {
		return err
	}
	rows, err := s.Rows(ctx, []int64{rec.ID})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return web.NotFound()
	}
	v := web.View{Title: "Comments on " + rec.Title, Section: ui.SectionSounds, Canonical: commentsURL(rec.ID)}
	if len(errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, v, ui.CommentsFull(rows[0], box))
}

func (s *Store) comment(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.target(r)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	text := r.PostForm.Get("comment")
	c, err := s.Say(r.Context(), access.From(r.Context()), rec.ID, text)
	var p *web.Public
	if errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity {
		return s.showComments(w, r, rec, text, []ui.FormError{{Field: "comment", Text: p.Text}})
	}
	if err != nil {
		return err
	}
	return web.See(w, r, fmt.Sprintf("/recordings/%d#comment-%d", rec.ID, c.ID))
}

func (s *Store) deleteComment(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	// Its author may also take away what a moderator removed.
	c, err := db.Get[Comment](r.Context(), s.DB, commentQuery+`WHERE c.id = $1`, id)
	if err != nil {
		return fmt.Errorf("comment %d: %w", id, err)
	}
	if err := web.Allow(r, access.Object{Owner: c.AccountID}); err != nil {
		return err
	}
	if err := s.Delete(r.Context(), id); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The comment is deleted.")
	return web.See(w, r, fmt.Sprintf("/recordings/%d", c.RecordingID))
}

func (s *Store) removeComment(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	c, err := s.CommentByID(r.Context(), id)
	if err != nil {
		return err
	}
	if err := web.Allow(r, access.Object{Owner: c.AccountID, Public: true}); err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	if err := s.Remove(r.Context(), access.From(r.Context()), id, r.PostForm.Get("why")); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The comment is removed. Its author sees the reason.")
	return web.See(w, r, fmt.Sprintf("/recordings/%d", c.RecordingID))
}

// rating keeps the stars that were chosen, in the place of earlier ones; none takes the rating back.
func (s *Store) rating(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.target(r)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	me, told := access.From(r.Context()), "Your rating is kept."
	if text := r.PostForm.Get("stars"); text == "" {
		told = "You have no rating of this recording now."
		err = s.Unrate(r.Context(), me, rec.ID)
	} else {
		stars, perr := strconv.ParseInt(text, 10, 64)
		if perr != nil {
			stars = -1 // no number of stars: refused as such
		}
		err = s.Rerate(r.Context(), me, rec.ID, stars)
	}
	if err != nil {
		return err
	}
	if r.PostForm.Get("back") != "" { // from a list: the heart there says what is so, and the list stays where it was
		return web.See(w, r, web.BackTo(r))
	}
	web.Notify(w, s.Site.Secure, told)
	return web.See(w, r, fmt.Sprintf("/recordings/%d", rec.ID))
}

func (s *Store) favorite(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.target(r)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	me, told := access.From(r.Context()), "It is among your favorites."
	if r.PostForm.Get("remove") != "" {
		told = "It is no favorite any more."
		err = s.Unfavor(r.Context(), me.ID, rec.ID)
	} else {
		err = s.Favor(r.Context(), me, rec.ID)
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, told)
	return web.See(w, r, fmt.Sprintf("/recordings/%d", rec.ID))
}

func (s *Store) favorites(w http.ResponseWriter, r *http.Request) error {
	ctx, me := r.Context(), access.From(r.Context())
	page, err := pageOf(r)
	if err != nil {
		return err
	}
	ids, total, err := s.Favorites(ctx, me.ID, favoriteRows, (page-1)*favoriteRows)
	if err != nil {
		return err
	}
	p := ui.FavoritesPage{Pager: pager("/favorites", page, total, favoriteRows)}
	if p.Lists, err = s.Lists(ctx, me.ID, 0); err != nil {
		return err
	}
	if p.Sounds, err = s.Rows(ctx, ids); err != nil {
		return err
	}
	return s.Site.Page(w, r, web.View{Title: "Favorites", Edit: func(f *ui.Frame) { f.NoIndex = true }}, ui.Favorites(p))
}
