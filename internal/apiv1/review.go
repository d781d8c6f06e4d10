package apiv1

import (
	"context"
	"net/http"
	"slices"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/recordings"
)

// ReviewLine is a recording as `audiomicro recording list` prints it.
type ReviewLine struct {
	ID         int64   `json:"id"`
	Owner      string  `json:"owner"`
	Title      string  `json:"title"`
	State      string  `json:"state" enum:"draft,submitted,returned,published,unpublished"`
	Processing string  `json:"processing" enum:"queued,analyzing,ready,failed"`
	File       string  `json:"file"`
	SHA256     string  `json:"sha256"`
	Seconds    float64 `json:"seconds"`
}

// Decided is what a decision did, as the commands print it.
type Decided struct {
	ID    int64  `json:"id"`
	State string `json:"state" enum:"published,returned"`
}

// ReviewCase is what a moderator reads about a recording beside the recording itself.
type ReviewCase struct {
	State     string `json:"state" enum:"open,approved,returned"`
	Submitted string `json:"submitted_at" format:"date-time"`
	Flag      string `json:"flag,omitempty" enum:"same bytes,same sound,copied" doc:"Why it needs a careful look."`
	Match     int64  `json:"match,omitempty" doc:"The recording of somebody else that it matches."`
	Reason    string `json:"reason,omitempty"`
	Note      string `json:"note,omitempty" doc:"What the contributor read."`
}

// Rejection is why a recording is returned.
type Rejection struct {
	Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"What the contributor can do; read on the page and by mail."`
	Code   string `json:"code,omitempty" enum:"described,quality,rights,duplicate,unsuitable,other" default:"other"`
}

// Removal is why a comment or a collection is hidden.
type Removal struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Its author reads it."`
}

// Reason is what is wrong with something.
type Reason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"A moderator reads it."`
}

// ReportedCollection is a collection that moderators decide on, or that they have hidden.
type ReportedCollection struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description" doc:"Plain text."`
	Owner       *PersonRef `json:"owner,omitempty"`
	Recordings  int64      `json:"recordings" doc:"How many of what is in it are published now."`
	Reports     []Reported `json:"reports" doc:"Those that wait for a decision."`
	Hidden      string     `json:"hidden,omitempty" doc:"Why it is hidden."`
}

// Reported is what somebody said of a collection.
type Reported struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

func (f *Face) reviewOperations() {
	add(f, operation{route: "GET /review", id: "list-recordings-by-state", tag: tagReview, summary: "List recordings by state", action: access.Review, own: true, text: "Newest first."}, f.byState)
	add(f, operation{route: "GET /review/{id}", id: "get-review", tag: tagReview, summary: "Read the reviews of a recording", action: access.Review, own: true, text: "Newest first. The recording itself is at /recordings/{id}."},
		func(ctx context.Context, in *ByID) (*body[List[ReviewCase]], error) {
			if err := f.judged(ctx, in.ID); err != nil {
				return nil, err
			}
			list, err := f.Moderation.History(ctx, in.ID)
			out := List[ReviewCase]{Items: []ReviewCase{}, Total: len(list)}
			for _, v := range list {
				out.Items = append(out.Items, ReviewCase{v.State, moment(v.SubmittedAt).Format("2006-01-02T15:04:05Z07:00"), v.Flag, v.MatchID, v.Reason, v.Note})
			}
			return answer(out), err
		})
	add(f, operation{route: "POST /review/{id}/approve", id: "approve-recording", tag: tagReview, summary: "Publish a submitted recording", action: access.Review, own: true, errors: []int{http.StatusConflict}, text: "Not one's own."},
		func(ctx context.Context, in *ByID) (*body[Decided], error) {
			if err := f.judged(ctx, in.ID); err != nil {
				return nil, err
			}
			return answer(Decided{in.ID, string(recordings.Published)}), f.Moderation.Approve(ctx, me(ctx), in.ID)
		})
	add(f, operation{route: "POST /review/{id}/reject", id: "reject-recording", tag: tagReview, summary: "Return a submitted recording to its contributor", action: access.Review, own: true, errors: []int{http.StatusConflict}, text: "Not one's own."},
		func(ctx context.Context, in *struct {
			ByID
			Body Rejection
		}) (*body[Decided], error) {
			if err := f.judged(ctx, in.ID); err != nil {
				return nil, err
			}
			return answer(Decided{in.ID, string(recordings.Returned)}), f.Moderation.Return(ctx, me(ctx), in.ID, in.Body.Code, in.Body.Reason)
		})
	add(f, operation{route: "GET /review/collections", id: "list-reported-collections", tag: tagReview, summary: "List reported and hidden collections", action: access.Review, own: true,
		text: "Those that wait longest first, then the hidden ones; at most 100 of each."}, f.reportedCollections)
	add(f, operation{route: "POST /review/collections/{id}/hide", id: "hide-collection", tag: tagReview, summary: "Hide a collection from all but its owner", action: access.Review, own: true, text: "The owner is written to. Not one's own."},
		func(ctx context.Context, in *struct {
			ByID
			Body Removal
		}) (*nothing, error) {
			return &nothing{}, f.decideCollection(ctx, in.ID, true, in.Body.Reason)
		})
	add(f, operation{route: "POST /review/collections/{id}/leave", id: "leave-collection", tag: tagReview, summary: "Leave a reported collection, or show a hidden one again", action: access.Review, own: true, text: "Not one's own."},
		func(ctx context.Context, in *ByID) (*nothing, error) {
			return &nothing{}, f.decideCollection(ctx, in.ID, false, "")
		})
	add(f, operation{route: "POST /comments/{id}/remove", id: "remove-comment", tag: tagReview, summary: "Hide a comment", action: access.Review, own: true, text: "Its author still reads it, with the reason. Not one's own."},
		func(ctx context.Context, in *struct {
			ByID
			Body Removal
		}) (*nothing, error) {
			c, err := f.Reactions.CommentByID(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if err := allow(ctx, access.Review, access.Object{Owner: c.AccountID, Public: true}); err != nil {
				return nil, err
			}
			return &nothing{}, f.Reactions.Remove(ctx, me(ctx), c.ID, in.Body.Reason)
		})
}

func (f *Face) decideCollection(ctx context.Context, id int64, hide bool, why string) error {
	c, err := f.Collections.ByID(ctx, f.Collections.DB, id)
	if err != nil {
		return err
	}
	if err := allow(ctx, access.Review, access.Object{Owner: c.AccountID}); err != nil {
		return err
	}
	return f.Collections.Decide(ctx, me(ctx), c.ID, hide, why)
}

func (f *Face) reportedCollections(ctx context.Context, _ *struct{}) (*body[List[ReportedCollection]], error) {
	if err := allow(ctx, access.Review, access.Object{}); err != nil {
		return nil, err
	}
	open, hidden, why, err := f.Collections.Reported(ctx)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(open, hidden)
	owners := make([]int64, len(all))
	for i, c := range all {
		owners[i] = c.AccountID
	}
	who, err := f.People.ByIDs(ctx, owners)
	out := List[ReportedCollection]{Items: []ReportedCollection{}, Total: len(all)}
	for _, c := range all {
		one := ReportedCollection{ID: c.ID, Name: c.Name, Description: c.Description, Recordings: c.Shown, Reports: []Reported{}, Hidden: c.HiddenWhy}
		if owner, ok := who[c.AccountID]; ok {
			one.Owner = f.personRef(owner)
		}
		for _, said := range why[c.ID] {
			one.Reports = append(one.Reports, Reported{moment(said.MadeAt), said.Why})
		}
		out.Items = append(out.Items, one)
	}
	return answer(out), err
}

// judged asks whether who asks may decide on a recording.
func (f *Face) judged(ctx context.Context, id int64) error {
	rec, err := f.Recordings.ByID(ctx, f.Recordings.DB, id)
	if err != nil {
		return err
	}
	return allow(ctx, access.Review, rec.Object(false))
}

func (f *Face) byState(ctx context.Context, in *mineIn) (*body[Stretch[ReviewLine]], error) {
	if err := allow(ctx, access.Review, access.Object{}); err != nil {
		return nil, err
	}
	list, next, err := f.stretch(ctx, recordings.Filter{State: recordings.State(in.State), Before: in.Before, Limit: in.Size})
	if err != nil {
		return nil, err
	}
	out, names := Stretch[ReviewLine]{[]ReviewLine{}, next}, map[int64]string{}
	for _, rec := range list {
		if _, known := names[rec.OwnerID]; !known { // of suspended people too, who have no page
			owner, err := f.Accounts.ByID(ctx, rec.OwnerID)
			if err != nil {
				return nil, err
			}
			names[rec.OwnerID] = owner.Name
		}
		out.Items = append(out.Items, ReviewLine{rec.ID, names[rec.OwnerID], rec.Title, string(rec.State), string(rec.Processing), rec.FileName, rec.SHA256, rec.Seconds})
	}
	return answer(out), nil
}
