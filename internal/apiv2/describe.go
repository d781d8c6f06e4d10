package apiv2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/uploads"
	"audiomicro/internal/web"
)

// describe says about a pending upload, named by its file, what it needs to be reviewed.
func (f *Face) describe(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	name := form.Get("upload_filename")
	if strings.TrimSpace(name) == "" {
		return faults{"upload_filename": {required}}
	}
	actor := access.From(r.Context())
	list, err := f.drafts(r.Context(), actor.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(rec recordings.Recording) bool { return rec.FileName == name && describable(rec) })
	if i < 0 {
		return faults{"upload_filename": {fmt.Sprintf("Upload filename (%.100s) must be one of the uploads that wait for a description.", name)}}
	}
	if err := f.say(r.Context(), actor, list[i], form); err != nil {
		return err
	}
	return answer(w, r, http.StatusCreated, object{{"detail", "Sound successfully described (now pending processing and moderation)."}, {"id", list[i].ID}})
}

// maxPending is how many pending recordings of each kind are looked at.
const maxPending = 500

// drafts lists what an account has uploaded and not submitted, newest first: first the drafts, then what the review returned.
func (f *Face) drafts(ctx context.Context, account int64) (list []recordings.Recording, err error) {
	for _, state := range []recordings.State{recordings.Draft, recordings.Returned} {
		part, err := f.Recordings.List(ctx, recordings.Filter{OwnerID: account, State: state, Limit: maxPending})
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	return list, nil
}

// describable tells whether a recording waits for a description: nobody asked to review it, or the review returned it.
func describable(rec recordings.Recording) bool {
	return (rec.State == recordings.Draft || rec.State == recordings.Returned) && rec.SubmitWhenReady == 0
}

// say saves a description with its license and asks for review when the analysis is done. Who describes a recording here
// declares, as the contributor terms have it, to hold the rights to it.
func (f *Face) say(ctx context.Context, actor access.Actor, rec recordings.Recording, form url.Values) error {
	models, err := f.Licensing.Models(ctx, f.Licensing.DB)
	if err != nil {
		return err
	}
	e, err := f.edit(rec, form, models)
	if err != nil {
		return err
	}
	return asBadRequest(f.Uploads.Save(ctx, actor, rec.ID, e))
}

// asBadRequest answers with the API's status what a Store refuses of a form.
func asBadRequest(err error) error {
	var p *web.Public
	if errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity {
		return &web.Public{Status: http.StatusBadRequest, Text: p.Text, Err: err}
	}
	return err
}

// edit reads the fields of a description. The error is faults with everything that is wrong.
func (f *Face) edit(rec recordings.Recording, form url.Values, models []licensing.Model) (uploads.Edit, error) {
	wrong := faults{}
	field := func(key string) string { return strings.TrimSpace(form.Get(key)) }
	d := recordings.Description{Title: field("name"), Description: field("description"), Category: field("bst_category"), Pack: field("pack"), Rights: true}
	if d.Title == "" {
		d.Title = rec.FileName
	}
	if d.Description == "" {
		wrong.add("description", required)
	}
	if d.Tags = checkTags(form, wrong); field("tags") == "" {
		wrong["tags"] = []string{required}
	}
	if d.Category == "" {
		if d.Category = rec.Category; d.Category == "" {
			d.Category = unclassified
		}
	} else {
		checkCategory(d.Category, wrong)
	}
	if d.Place = rec.Place(); field("geotag") != "" {
		d.Place = placeOf(field("geotag"), wrong)
	}
	e := uploads.Edit{Description: d, SetOffers: true, Submit: true}
	if name := field("license"); name == "" {
		wrong.add("license", required)
	} else if m, ok := modelNamed(name, models); !ok {
		wrong.add("license", fmt.Sprintf("%q is not a valid choice.", name))
	} else {
		e.Offers = []licensing.Offer{f.offer(m, d.Category)}
	}
	return e, wrong.orNil()
}

// offer is a license at its usual price for a category.
func (f *Face) offer(m licensing.Model, category string) licensing.Offer {
	o := licensing.Offer{Code: m.Code}
	if !m.IsFree() {
		o.Price = money.Of(max(m.DefaultMinor(category), m.FloorMinor), f.Licensing.Currency)
	}
	return o
}

func checkTags(form url.Values, wrong faults) []string {
	list := tags(strings.Join(form["tags"], " "))
	switch n := len(list); {
	case n < recordings.MinTags:
		wrong.add("tags", "You should add at least 3 tags...")
	case n > recordings.MaxTags:
		wrong.add("tags", "There can be maximum 30 tags, please select the most relevant ones!")
	}
	return list
}

func checkCategory(code string, wrong faults) string {
	if _, ok := taxonomy.Find(code); !ok {
		wrong.add("bst_category", fmt.Sprintf("%q is not a valid choice.", code))
	}
	return code
}

// modelNamed finds a license by the name that the API has for it, or by this site's code; paid ones are at their usual price.
func modelNamed(name string, models []licensing.Model) (licensing.Model, bool) {
	code := strings.ToLower(strings.Join(strings.Fields(name), " "))
	switch code {
	case "attribution":
		code = "cc-by-4.0"
	case "attribution noncommercial":
		code = "cc-by-nc-4.0"
	case "creative commons 0":
		code = "cc0"
	}
	i := slices.IndexFunc(models, func(m licensing.Model) bool { return m.Code == code && m.Active && !m.ImportsOnly })
	if i < 0 {
		return licensing.Model{}, false
	}
	return models[i], true
}

// tags splits at everything but letters, digits and dashes, and drops words that say nothing and doubles. All are given back,
// so that too many can be told.
func tags(s string) []string {
	var out []string
	for _, word := range strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '-'
	}) {
		clean := recordings.CleanTags([]string{word})
		if len(clean) == 1 && !common(clean[0]) && !slices.Contains(out, clean[0]) {
			out = append(out, clean[0])
		}
	}
	return out
}

// common tells words that are no tags.
func common(word string) bool {
	return slices.Contains([]string{"a", "an", "and", "at", "by", "for", "from", "in", "it", "is", "of", "on", "or", "the", "to", "with"}, word)
}

// placeOf reads "lat,lon,zoom".
func placeOf(s string, wrong faults) *recordings.Place {
	const form = "Geotag should have the format 'float,float,integer' (for latitude, longitude and zoom respectively)."
	if strings.Count(s, ",") != 2 {
		wrong.add("geotag", form)
		return nil
	}
	p, ok := recordings.ParsePlace(s)
	switch {
	case p == nil:
		wrong.add("geotag", form)
	case math.Abs(p.Lat) > 90 || math.Abs(p.Lon) > 180 || math.IsNaN(p.Lat+p.Lon):
		wrong.add("geotag", "Latitude must be in the range [-90,90], longitude in the range [-180,180].")
	case p.Zoom < 11:
		wrong.add("geotag", "Zoom must be at least 11.")
	case !ok:
		wrong.add("geotag", form)
	}
	return p
}

// readForm reads a form without files: url-encoded, multipart or a JSON object of texts, numbers and lists of texts.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, unsupported(r)
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return nil, broken(err)
		}
		return valid(r.PostForm), nil
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxForm); err != nil {
			return nil, broken(err)
		}
		return valid(r.PostForm), nil
	case "application/json":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		return jsonForm(body)
	}
	return nil, unsupported(r)
}

func valid(form url.Values) url.Values {
	for _, list := range form {
		for i := range list {
			list[i] = text(list[i])
		}
	}
	return form
}

// jsonForm reads a JSON object as a form.
func jsonForm(body []byte) (url.Values, error) {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, &web.Public{Status: http.StatusBadRequest, Text: "JSON parse error", Err: err}
	}
	form := url.Values{}
	for key, v := range fields {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, one := range list {
			switch one := one.(type) {
			case nil:
			case string:
				form.Add(key, text(one))
			case float64:
				form.Add(key, strconv.FormatFloat(one, 'f', -1, 64))
			default:
				return nil, faults{key: {"Not a valid string."}}
			}
		}
	}
	return form, nil
}

// pending lists what has been uploaded and is not published yet.
func (f *Face) pending(w http.ResponseWriter, r *http.Request) error {
	ctx, account := r.Context(), access.From(r.Context()).ID
	drafts, err := f.drafts(ctx, account)
	if err != nil {
		return err
	}
	submitted, err := f.Recordings.List(ctx, recordings.Filter{OwnerID: account, State: recordings.Submitted, Limit: maxPending})
	if err != nil {
		return err
	}
	a, err := f.around(ctx, append(slices.Clone(drafts), submitted...))
	if err != nil {
		return err
	}
	names, processing, moderation := []string{}, []object{}, []object{}
	for _, rec := range drafts {
		if describable(rec) {
			names = append(names, rec.FileName)
			continue
		}
		processing = append(processing, append(f.pendingSound(rec, a), member{"processing_state", processingState(rec.Processing)}))
	}
	for _, rec := range submitted {
		moderation = append(moderation, append(f.pendingSound(rec, a), member{"images", f.ownImages(rec)}))
	}
	return answer(w, r, http.StatusOK, object{{"pending_description", names}, {"pending_processing", processing}, {"pending_moderation", moderation}})
}

func (f *Face) pendingSound(rec recordings.Recording, a around) object {
	return object{{"id", rec.ID}, {"name", rec.Title}, {"tags", notNil(a.tags[rec.ID])}, {"description", rec.Description}, {"created", zoneless(rec.CreatedAt)}, {"license", f.license(a.offers[rec.ID])}}
}

func processingState(p recordings.Processing) string {
	switch p {
	case recordings.Queued:
		return "Queued"
	case recordings.Analyzing:
		return "Processing"
	case recordings.Failed:
		return "Failed"
	}
	return "Processed"
}

// ownImages are the pictures of what is not published, under addresses that only their owner and moderators may open.
func (f *Face) ownImages(rec recordings.Recording) object {
	var out object
	for _, p := range pictures() {
		out = append(out, member{p.key, f.at("/media/%s/%s", rec.Token, p.media)})
	}
	return out
}
