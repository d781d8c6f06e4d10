package apiv1

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/reactions"
)

// Comment is what somebody said about a recording.
type Comment struct {
	ID        int64     `json:"id"`
	Recording int64     `json:"recording" doc:"Id."`
	Author    PersonRef `json:"author"`
	Text      string    `json:"text" doc:"Plain text."`
	Created   time.Time `json:"created_at"`
}

// Stars is a person's own rating.
type Stars struct {
	Stars int64 `json:"stars" minimum:"0" maximum:"5"`
}

// CommentText is what is said.
type CommentText struct {
	Text string `json:"text" minLength:"1" maxLength:"4000" doc:"Plain text."`
}

func (f *Face) reactionOperations() {
	add(f, operation{route: "GET /recordings/{id}/comments", id: "list-comments", tag: tagReactions, summary: "List the comments on a recording", action: access.SeeRecording, text: "Newest first."},
		func(ctx context.Context, in *struct {
			ByID
			Paging
		}) (*body[List[Comment]], error) {
			rec, err := f.visible(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			list, total, err := f.Reactions.Comments(ctx, rec.ID, in.Size, in.offset())
			if err != nil {
				return nil, err
			}
			out, err := f.comments(ctx, list)
			return page(ctx, f, in.Paging, out, total), err
		})
	add(f, operation{route: "POST /recordings/{id}/comments", id: "comment", tag: tagReactions, summary: "Comment a recording", action: access.React, status: http.StatusCreated},
		func(ctx context.Context, in *struct {
			ByID
			Body CommentText
		}) (*body[Comment], error) {
			if err := f.reactTo(ctx, in.ID); err != nil {
				return nil, err
			}
			c, err := f.Reactions.Say(ctx, me(ctx), in.ID, in.Body.Text)
			if err != nil {
				return nil, err
			}
			out, err := f.comments(ctx, []reactions.Comment{c})
			if err != nil {
				return nil, err
			}
			return answer(out[0]), nil
		})
	add(f, operation{route: "DELETE /comments/{id}", id: "delete-comment", tag: tagReactions, summary: "Delete one's own comment", action: access.ChangeOwn},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			c, err := f.Reactions.CommentByID(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if err := allow(ctx, access.ChangeOwn, access.Object{Owner: c.AccountID, Public: true}); err != nil {
				return nil, err
			}
			return &nothing{}, f.Reactions.Delete(ctx, c.ID)
		})
	add(f, operation{route: "PUT /recordings/{id}/favorite", id: "favor", tag: tagReactions, summary: "Put a recording among one's favorites", action: access.React},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			if err := f.reactTo(ctx, in.ID); err != nil {
				return nil, err
			}
			return &nothing{}, f.Reactions.Favor(ctx, me(ctx), in.ID)
		})
	add(f, operation{route: "DELETE /recordings/{id}/favorite", id: "unfavor", tag: tagReactions, summary: "Take a recording out of one's favorites", action: access.UseAccount, private: true},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			if is, err := f.Reactions.FavoredOf(ctx, me(ctx).ID, []int64{in.ID}); err != nil || !is[in.ID] {
				return nil, cmp.Or(err, db.ErrNotFound)
			}
			return &nothing{}, f.Reactions.Unfavor(ctx, me(ctx).ID, in.ID)
		})
	add(f, operation{route: "PUT /recordings/{id}/rating", id: "rate", tag: tagReactions, summary: "Rate a recording", action: access.React, text: "In the place of one's earlier rating. Not one's own recordings."},
		func(ctx context.Context, in *struct {
			ByID
			Body Stars
		}) (*body[Stars], error) {
			if err := f.reactTo(ctx, in.ID); err != nil {
				return nil, err
			}
			return answer(in.Body), f.Reactions.Rerate(ctx, me(ctx), in.ID, in.Body.Stars)
		})
	add(f, operation{route: "GET /recordings/{id}/rating", id: "get-rating", tag: tagReactions, summary: "Read one's own rating", action: access.UseAccount, private: true},
		func(ctx context.Context, in *ByID) (*body[Stars], error) {
			n, err := f.Reactions.RatingBy(ctx, me(ctx).ID, in.ID)
			return answer(Stars{n}), err
		})
	add(f, operation{route: "DELETE /recordings/{id}/rating", id: "unrate", tag: tagReactions, summary: "Take one's rating back", action: access.UseAccount, private: true},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			if _, err := f.Reactions.RatingBy(ctx, me(ctx).ID, in.ID); err != nil {
				return nil, err
			}
			return &nothing{}, f.Reactions.Unrate(ctx, me(ctx), in.ID)
		})
	add(f, operation{route: "GET /me/favorites", id: "list-favorites", tag: tagReactions, summary: "List one's favorites", action: access.UseAccount, private: true},
		func(ctx context.Context, in *Paging) (*body[List[Recording]], error) {
			ids, total, err := f.Reactions.Favorites(ctx, me(ctx).ID, in.Size, in.offset())
			return f.listed(ctx, *in, ids, total, err)
		})
}

// reactTo asks whether who asks may react to a recording.
func (f *Face) reactTo(ctx context.Context, id int64) error {
	rec, err := f.published(ctx, id)
	if err != nil {
		return err
	}
	return allow(ctx, access.React, rec.Object(false))
}

func (f *Face) comments(ctx context.Context, list []reactions.Comment) ([]Comment, error) {
	var authors []int64
	for _, c := range list {
		authors = append(authors, c.AccountID)
	}
	people, err := f.People.ByIDs(ctx, authors)
	if err != nil {
		return nil, err
	}
	var out []Comment
	for _, c := range list {
		out = append(out, Comment{c.ID, c.RecordingID, *f.personRef(people[c.AccountID]), c.Body, moment(c.CreatedAt)})
	}
	return out, nil
}
