package apiv2

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/collections"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

const blank = "This field may not be blank."

// reacting finds the published recording of the path and reads the form that came with it.
func (f *Face) reacting(w http.ResponseWriter, r *http.Request) (recordings.Recording, url.Values, error) {
	rec, err := f.published(r)
	if err != nil {
		return rec, nil, err
	}
	if err := web.Allow(r, rec.Object(false)); err != nil {
		return rec, nil, err
	}
	form, err := readForm(w, r)
	return rec, form, err
}

// asFormError is an error that a Store wrote for a form, as the API has it: 400.
func asFormError(field string, err error) error {
	var p *web.Public
	if errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity {
		return faults{field: {p.Text}}
	}
	return err
}

// rate rates a sound, once.
func (f *Face) rate(w http.ResponseWriter, r *http.Request) error {
	rec, form, err := f.reacting(w, r)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(form.Get("rating"))
	stars, err := strconv.ParseInt(text, 10, 64)
	switch {
	case text == "":
		return faults{"rating": {required}}
	case err != nil:
		return faults{"rating": {"A valid integer is required."}}
	case stars < 0:
		return faults{"rating": {"Ensure this value is greater than or equal to 0."}}
	case stars > 5:
		return faults{"rating": {"Ensure this value is less than or equal to 5."}}
	}
	err = f.Reactions.Rate(r.Context(), access.From(r.Context()), rec.ID, stars)
	if errors.Is(err, reactions.ErrRated) {
		return &web.Public{Status: http.StatusConflict, Text: fmt.Sprintf("User has already rated sound %d", rec.ID), Err: err}
	}
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusCreated, object{{"detail", fmt.Sprintf("Successfully rated sound %d.", rec.ID)}})
}

// comment comments a sound.
func (f *Face) comment(w http.ResponseWriter, r *http.Request) error {
	rec, form, err := f.reacting(w, r)
	if err != nil {
		return err
	}
	text, given := form.Get("comment"), form.Has("comment")
	switch {
	case !given:
		return faults{"comment": {required}}
	case strings.TrimSpace(text) == "":
		return faults{"comment": {blank}}
	}
	if _, err := f.Reactions.Say(r.Context(), access.From(r.Context()), rec.ID, text); err != nil {
		return asFormError("comment", err)
	}
	return answer(w, r, http.StatusCreated, object{{"detail", fmt.Sprintf("Successfully commented sound %d.", rec.ID)}})
}

// uncategorized is the name of bookmark category 0, which is the favorites.
const uncategorized = "Uncategorized"

// bookmark puts a sound among the favorites, or into the person's collection that its category names. A name of its own, which clients send, is not kept: sounds have names.
func (f *Face) bookmark(w http.ResponseWriter, r *http.Request) error {
	rec, form, err := f.reacting(w, r)
	if err != nil {
		return err
	}
	me, category := access.From(r.Context()), strings.TrimSpace(form.Get("category"))
	switch {
	case utf8.RuneCountInString(category) > collections.MaxName:
		return faults{"category": {fmt.Sprintf("Ensure this field has no more than %d characters.", collections.MaxName)}}
	case category == "" || strings.EqualFold(category, uncategorized):
		err = f.Reactions.Favor(r.Context(), me, rec.ID)
	default:
		_, err = f.Collections.Add(r.Context(), me.ID, 0, category, []int64{rec.ID})
	}
	if err != nil {
		return asFormError("category", err)
	}
	return answer(w, r, http.StatusCreated, object{{"detail", fmt.Sprintf("Successfully bookmarked sound %d.", rec.ID)}})
}
