package uploads

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// minePage is how many recordings one page of /my-sounds shows.
const minePage = 50

// mySounds lists one's own recordings, chosen by ?state=, paged by ?before= (created_at of the last one shown).
func (s *Store) mySounds(w http.ResponseWriter, r *http.Request) error {
	a := access.From(r.Context())
	state := recordings.State(r.URL.Query().Get("state"))
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	counts, err := s.Recordings.CountStates(r.Context(), a.ID)
	if err != nil {
		return err
	}
	page := ui.MySoundsPage{Filters: stateFilters(counts, state)}
	list, err := s.Recordings.List(r.Context(), recordings.Filter{OwnerID: a.ID, State: state, Before: before, Limit: minePage + 1})
	if err != nil {
		return err
	}
	if before != 0 {
		page.Pager.Prev = mineURL(state, 0)
	}
	if len(list) > minePage {
		list = list[:minePage]
		page.Pager.Next = mineURL(state, list[minePage-1].CreatedAt)
	}
	ids := make([]int64, len(list))
	for i, rec := range list {
		ids[i] = rec.ID
	}
	offers, err := s.Licensing.OffersOf(r.Context(), s.DB, ids)
	if err != nil {
		return err
	}
	for _, rec := range list {
		page.Drafts = append(page.Drafts, s.mine(a, rec, offers[rec.ID]))
	}
	if len(list) == 0 {
		page.Empty = &ui.Empty{Title: "Nothing here", Text: "Recordings that you upload appear here, whatever becomes of them.", Out: &ui.Link{Text: "Upload recordings", URL: "/upload"}}
	}
	return s.Site.Page(w, r, web.View{Title: "My sounds", Edit: noIndex}, ui.MySounds(page))
}

func mineURL(state recordings.State, before int64) string {
	url := "/my-sounds?state=" + string(state)
	if before != 0 {
		url += fmt.Sprintf("&before=%d", before)
	}
	return url
}

func stateFilters(counts map[recordings.State]int64, current recordings.State) []ui.Link {
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	out := []ui.Link{{Text: "All", URL: "/my-sounds", Current: current == "", Count: ui.Count(int(total))}}
	for _, f := range []struct {
		state recordings.State
		text  string
	}{{recordings.Draft, "Drafts"}, {recordings.Submitted, "In review"}, {recordings.Returned, "Returned"}, {recordings.Published, "Published"}, {recordings.Unpublished, "Unpublished"}} {
		if counts[f.state] == 0 && current != f.state {
			continue
		}
		out = append(out, ui.Link{Text: f.text, URL: mineURL(f.state, 0), Current: current == f.state, Count: ui.Count(int(counts[f.state]))})
	}
	return out
}

func (s *Store) mine(a access.Actor, rec recordings.Recording, offers []licensing.Offered) ui.MySound {
	m := ui.MySound{Sound: s.sound(a, rec, a.Name), EditURL: editURL(rec.ID), At: rec.CreatedAt, Note: rec.FileName}
	state, text, _ := progress(rec)
	m.State = ui.Tag{Text: text}
	switch state {
	case "published":
		m.State.Tone = ui.ToneGood
		if i := slices.IndexFunc(offers, licensing.Offered.BelowFloor); i >= 0 {
			m.State.Tone, m.Note = ui.ToneWarn, offers[i].BelowFloorText()
		}
	case "returned":
		m.State = ui.Tag{Text: "Returned", Tone: ui.ToneWarn}
		m.Note = rec.ReturnNote
	case "failed":
		m.State = ui.Tag{Text: "Failed", Tone: ui.ToneBad}
		m.Note = rec.ProcessingNote
	case "ready":
		m.State.Text = "Draft"
	case "review":
		m.EditURL = ""
	}
	m.Forms = stateForms(rec)
	return m
}

// stateForms are the one-button acts that fit a recording's state.
func stateForms(rec recordings.Recording) []ui.RowForm {
	form := func(act, label, kind string) ui.RowForm {
		return ui.RowForm{Action: fmt.Sprintf("/recordings/%d/%s", rec.ID, act), Button: ui.Button{Label: label, Kind: kind}}
	}
	switch rec.State {
	case recordings.Published:
		return []ui.RowForm{form("unpublish", "Unpublish", "")}
	case recordings.Unpublished:
		return []ui.RowForm{form("republish", "Publish again", "")}
	case recordings.Draft, recordings.Returned:
		if rec.PublishedAt == 0 {
			return []ui.RowForm{form("delete", "Delete", "stop")}
		}
	}
	return nil
}

func (s *Store) submit(r *http.Request, rec recordings.Recording) (told, next string, err error) {
	err = s.DB.Tx(r.Context(), func(tx *db.Tx) error { return s.Recordings.Submit(r.Context(), tx, rec.ID) })
	return nameOf(rec) + " is submitted for review.", "/my-sounds", err
}

func (s *Store) unpublish(r *http.Request, rec recordings.Recording) (told, next string, err error) {
	err = s.DB.Tx(r.Context(), func(tx *db.Tx) error { return s.Recordings.Unpublish(r.Context(), tx, rec.ID) })
	return nameOf(rec) + " is unpublished. Licenses that were given stay valid.", "/my-sounds", err
}

func (s *Store) republish(r *http.Request, rec recordings.Recording) (told, next string, err error) {
	err = s.DB.Tx(r.Context(), func(tx *db.Tx) error { return s.Recordings.Republish(r.Context(), tx, rec.ID) })
	return nameOf(rec) + " is published again.", "/my-sounds", err
}

// deleteForm deletes a draft; the first press asks, for nothing brings it back.
func (s *Store) deleteForm(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.editable(r)
	if err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	if rec.PublishedAt != 0 || rec.State != recordings.Draft && rec.State != recordings.Returned {
		return web.Refuse(http.StatusConflict, "Only a draft that was never published can be deleted. Unpublish the recording instead.")
	}
	if r.PostForm.Get("sure") == "" {
		page := ui.FormPage{
			Title: "Delete " + nameOf(rec) + "?", Intro: "The file and what was made from it are deleted. Nobody else has seen it yet.", Action: fmt.Sprintf("/recordings/%d/delete", rec.ID),
			Hidden: []ui.Hidden{{Name: "sure", Value: "1"}}, Submit: "Delete", Stop: true, Cancel: &ui.Link{Text: "Keep it", URL: editURL(rec.ID)},
		}
		return s.Site.Page(w, r, web.View{Title: page.Title, Edit: noIndex}, ui.FormFull(page))
	}
	if err := s.Discard(r.Context(), rec); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, clip(nameOf(rec)+" is deleted.", 140))
	return web.See(w, r, "/upload")
}

// Discard deletes a draft that was never published, with its offers, everything made from it, and its bytes unless another
// recording has the same. Any other state is refused with 409.
func (s *Store) Discard(ctx context.Context, rec recordings.Recording) error {
	media, err := s.Recordings.MediaOf(ctx, rec.ID)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.Recordings.DeleteDraft(ctx, tx, rec.ID); err != nil {
			return err
		}
		_, err := s.Licensing.SetOffers(ctx, tx, rec.ID, nil, true)
		return err
	})
	if err != nil {
		return err
	}
	refs := []string{rec.SHA256}
	for _, m := range media {
		refs = append(refs, m.SHA256)
	}
	s.dropBytes(ctx, refs...)
	return nil
}
