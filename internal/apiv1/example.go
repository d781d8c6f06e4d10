package apiv1

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"

	"audiomicro/internal/access"
	"audiomicro/internal/search"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Heard is what a sound can be searched by.
type Heard struct {
	Examples []Example `json:"examples" doc:"One for each way in which sounds are compared: like, melody, rhythm."`
}

// Example is a way in which a sound is compared.
type Example struct {
	As     string `json:"as" enum:"like,melody,rhythm" doc:"like: tone color and how the sound rises and dies away. melody: the steps between notes and their lengths, at any pitch and tempo. rhythm: low, middle and high strokes and the times between them, at any tempo."`
	Value  string `json:"value,omitempty" doc:"For the search's parameter of the same name as the way. It holds all that is known of the sound."`
	Search string `json:"search,omitempty" format:"uri" doc:"The search for what is like it; filters may be added."`
	Page   string `json:"page,omitempty" format:"uri" doc:"The same search as a page."`
	Why    string `json:"why,omitempty" doc:"Why it cannot be searched by in this way."`
}

const aboutExamples = "The answer holds addresses of searches, which work as long as sounds are compared in the same way here. Nothing of the sound is kept. Each account, or each address " +
	"without one, may ask twenty times in five minutes. While the site listens to others it answers 503 with Retry-After."

func (f *Face) exampleOperations() {
	add(f, operation{route: "POST /search/examples", id: "hear-sound", tag: tagSearch, summary: "Search by a sound", action: access.Look, asks: true, takes: sound,
		errors: []int{http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable},
		text: "Send the bytes of a sound as the body, in any format of `/formats`; of what is longer than `example_seconds` of `/site` the beginning is listened to. " +
			"Hummed or whistled, it is searched by as a melody; beaten or tapped, as a rhythm. " + aboutExamples}, f.hearSound)
	add(f, operation{route: "GET /recordings/{id}/examples", id: "hear-part", tag: tagSearch, summary: "Search by a part of a recording", action: access.HearMarked,
		errors: []int{http.StatusServiceUnavailable}, text: aboutExamples}, f.hearPart)
}

func (f *Face) hearSound(ctx context.Context, _ *struct{}) (*body[Heard], error) {
	r, ear := from(ctx).r, f.Search.Ear
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		return nil, web.Refuse(http.StatusUnsupportedMediaType, "Send the bytes of the sound as the body, not a form.")
	}
	if r.ContentLength > ear.MaxBytes { // before it arrives
		return nil, web.Refuse(http.StatusRequestEntityTooLarge, "The sound is larger than the %s that a search takes. Cut out the part that matters.", ui.Bytes(ear.MaxBytes))
	}
	if err := f.Search.TakeEar(r); err != nil {
		return nil, err
	}
	heard, err := ear.Sound(ctx, r.Body)
	if err != nil {
		return nil, err
	}
	return f.heard(heard)
}

func (f *Face) hearPart(ctx context.Context, in *struct {
	ByID
	From float64 `query:"from" minimum:"0" maximum:"10000000" doc:"Seconds."`
	To   float64 `query:"to" minimum:"0" maximum:"10000000" doc:"Seconds; left out: the end. At most example_seconds of /site after from are listened to."`
}) (*body[Heard], error) {
	rec, err := f.visibleTo(ctx, access.HearMarked, in.ID)
	if err != nil {
		return nil, err
	}
	to := in.To
	if !from(ctx).r.URL.Query().Has("to") {
		to = rec.Seconds
	}
	if err := f.Search.TakeEar(from(ctx).r); err != nil {
		return nil, err
	}
	heard, err := f.Search.Ear.Part(ctx, rec, in.From, to)
	var told *web.Public
	if errors.As(err, &told) && told.Status == http.StatusBadRequest {
		return nil, wrong("query.to", "%s", told.Text)
	}
	if err != nil {
		return nil, err
	}
	return f.heard(heard)
}

// heard lists the ways in which what was heard can be searched by. What there is none for is refused, in the words of the first.
func (f *Face) heard(heard search.Example) (*body[Heard], error) {
	var out Heard
	var refused error
	for _, kind := range query.Kinds() {
		e, err := f.Search.Example(kind, heard)
		var told *web.Public
		switch {
		case errors.As(err, &told):
			out.Examples = append(out.Examples, Example{As: string(kind), Why: told.Text})
			if refused == nil {
				refused = err
			}
			continue
		case err != nil:
			return nil, err
		}
		search := "/search?" + url.Values{string(e.Kind): {e.Value}}.Encode()
		out.Examples = append(out.Examples, Example{As: string(kind), Value: e.Value, Search: f.Site.URL + Prefix + search, Page: f.Site.URL + search})
	}
	for _, e := range out.Examples {
		if e.Value != "" {
			return answer(out), nil
		}
	}
	return nil, refused
}
