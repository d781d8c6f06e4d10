package apiv1

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/people"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
)

// Recording is one Sound Recording.
type Recording struct {
	ID          int64      `json:"id"`
	URL         string     `json:"url" format:"uri" doc:"Its page."`
	State       string     `json:"state" enum:"draft,submitted,returned,published,unpublished" doc:"Whatever is not published is seen by its contributor and moderators only."`
	Title       string     `json:"title"`
	Description string     `json:"description" doc:"Markdown."`
	Tags        []string   `json:"tags"`
	Category    *Category  `json:"category,omitempty"`
	Contributor *PersonRef `json:"contributor,omitempty" doc:"Left out when the account is gone."`
	Credit      string     `json:"credit,omitempty" doc:"Who made it, where that is not the contributor."`
	Pack        *PackRef   `json:"pack,omitempty"`
	Place       *Place     `json:"place,omitempty" doc:"Where it was made, as precisely as its contributor tells."`
	Duration    float64    `json:"duration" doc:"Seconds."`
	File        File       `json:"file"`
	Sound       Sound      `json:"sound"`
	Offers      []Offer    `json:"offers" doc:"The licenses it can be had under."`
	AITraining  bool       `json:"ai_training" doc:"Whether its contributor allows the training of machine learning models."`
	Media       Media      `json:"media"`
	Rating      Rating     `json:"rating"`
	Comments    int64      `json:"comments" doc:"How many there are."`
	Downloads   int64      `json:"downloads"`
	Published   *time.Time `json:"published_at"`
	License     int64      `json:"held_license,omitempty" doc:"Id of the newest license to it that the account holds, in the library."`
	Own         *OwnPart   `json:"own,omitempty" doc:"For its contributor and moderators."`
}

// Place is a point on earth.
type Place struct {
	Latitude  float64 `json:"latitude" minimum:"-90" maximum:"90" doc:"Degrees north."`
	Longitude float64 `json:"longitude" minimum:"-180" maximum:"180" doc:"Degrees east."`
	Zoom      int64   `json:"zoom,omitempty" minimum:"0" maximum:"30" doc:"How closely a map is to show it; left out: not said."`
}

// Category is a place in the Broad Sound Taxonomy.
type Category struct {
	Code  string `json:"code" example:"fx-a"`
	Group string `json:"group"`
	Name  string `json:"name"`
}

// PersonRef names a person.
type PersonRef struct {
	Name  string `json:"name" doc:"The one in addresses."`
	Shown string `json:"display_name"`
	URL   string `json:"url" format:"uri" doc:"The person's page."`
}

// PackRef names a pack.
type PackRef struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url" format:"uri"`
}

// File is the original file.
type File struct {
	Extension  string `json:"extension" example:"wav"`
	Container  string `json:"container"`
	Codec      string `json:"codec"`
	Bytes      int64  `json:"bytes"`
	SampleRate int64  `json:"sample_rate" doc:"Hz; 0 before the analysis."`
	Channels   int64  `json:"channels"`
	BitDepth   *int64 `json:"bit_depth" doc:"null for lossy codecs."`
	Lossless   bool   `json:"lossless"`
}

// Sound is what people choose by; everything measured is in the analysis.
type Sound struct {
	Loudness   *float64 `json:"loudness_lufs" doc:"Integrated, by EBU R128; null for silence."`
	TruePeak   *float64 `json:"true_peak_dbtp"`
	Tempo      *float64 `json:"tempo_bpm" doc:"null where the analysis is not sure."`
	Key        *string  `json:"key" example:"C# minor" doc:"null where the analysis is not sure."`
	Brightness float64  `json:"brightness_hz" doc:"Spectral centroid."`
	Loopable   bool     `json:"loopable"`
}

// Offer is a license it can be had under.
type Offer struct {
	License string `json:"license" doc:"Code of a license."`
	Name    string `json:"name"`
	Free    bool   `json:"free"`
	Price   *Money `json:"price,omitempty" doc:"Left out where it is free."`
	OnSale  bool   `json:"on_sale" doc:"Whether it can be taken or bought now."`
	URL     string `json:"url" format:"uri" doc:"The text of the license."`
}

// Media are addresses of files made from it. They change when who may hear it changes.
type Media struct {
	PreviewHQ   string `json:"preview_hq,omitempty" format:"uri" doc:"Ogg Opus, 96 kbit/s. A paid recording's carries an audible mark until it is licensed."`
	PreviewLQ   string `json:"preview_lq,omitempty" format:"uri" doc:"Ogg Opus, 48 kbit/s."`
	Peaks       string `json:"peaks,omitempty" format:"uri" doc:"Waveform data as audiowaveform writes them: 8 bits, 256 samples a pair."`
	Waveform    string `json:"waveform,omitempty" format:"uri" doc:"Picture."`
	Spectrogram string `json:"spectrogram,omitempty" format:"uri" doc:"Picture."`
}

// Rating is what people thought of it.
type Rating struct {
	Average *float64 `json:"average" doc:"0 to 5; null without a rating."`
	Count   int64    `json:"count"`
}

// OwnPart is what the contributor knows of a recording and nobody else.
type OwnPart struct {
	FileName   string       `json:"file_name"`
	SHA256     string       `json:"sha256" doc:"Of the original file, hexadecimal."`
	Processing string       `json:"processing" enum:"queued,analyzing,ready,failed"`
	Progress   int64        `json:"progress" doc:"Percent of the analysis."`
	Note       string       `json:"note,omitempty" doc:"Why the analysis failed, or why a moderator returned it."`
	Rights     bool         `json:"rights" doc:"The contributor declared to hold the rights."`
	Submitting bool         `json:"submitting" doc:"It is submitted as soon as the analysis is done."`
	Missing    []FieldError `json:"missing" doc:"What is to be done before it can be submitted."`
	Created    time.Time    `json:"created_at"`
	Submitted  *time.Time   `json:"submitted_at"`
}

// sure is how sure the analysis must be of a tempo or key that is named, as in rows.
const sure = .5

// around is what recordings are shown with, read once for all of them.
type around struct {
	tags   map[int64][]string
	people map[int64]people.Person
	packs  map[int64]recordings.Pack
	offers map[int64][]licensing.Offered
	echoes map[int64]reactions.Echo
	held   map[int64]int64
}

func (f *Face) around(ctx context.Context, list []recordings.Recording) (a around, err error) {
	var ids, owners, packs []int64
	for _, rec := range list {
		ids, owners, packs = append(ids, rec.ID), append(owners, rec.OwnerID), append(packs, rec.PackID)
	}
	if a.tags, err = f.Recordings.TagsOf(ctx, ids); err != nil {
		return a, err
	}
	if a.packs, err = f.Recordings.PacksByID(ctx, packs); err != nil {
		return a, err
	}
	if a.offers, err = f.Licensing.OffersOf(ctx, f.Licensing.DB, ids); err != nil {
		return a, err
	}
	if a.echoes, err = f.Reactions.Echoes(ctx, ids); err != nil {
		return a, err
	}
	if a.people, err = f.People.ByIDs(ctx, owners); err != nil {
		return a, err
	}
	if id := me(ctx).ID; id != 0 {
		a.held, err = f.Licensing.HeldOf(ctx, id, ids)
	}
	return a, err
}

// shown describes recordings to who asks; the caller has made sure that they may be seen.
func (f *Face) shown(ctx context.Context, list []recordings.Recording) ([]Recording, error) {
	a, err := f.around(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]Recording, len(list))
	for i, rec := range list {
		out[i] = f.recording(ctx, rec, a)
	}
	return out, nil
}

// public describes those of ids that are published now, in their order.
func (f *Face) public(ctx context.Context, ids []int64) ([]Recording, error) {
	list, err := f.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(r recordings.Recording) bool { return r.State != recordings.Published })
	return f.shown(ctx, list)
}

func (f *Face) recording(ctx context.Context, rec recordings.Recording, a around) Recording {
	actor := me(ctx)
	out := Recording{
		ID: rec.ID, URL: f.at("/recordings/%d", rec.ID), State: string(rec.State), Title: rec.Title, Description: rec.Description, Tags: notNil(a.tags[rec.ID]),
		Credit: rec.Credit, Duration: rec.Seconds, Offers: f.offers(a.offers[rec.ID]), AITraining: rec.AITraining == "yes", Media: f.media(ctx, rec, a.held[rec.ID] != 0),
		File:      File{Extension: rec.Ext, Container: rec.Container, Codec: rec.Codec, Bytes: rec.ByteSize, SampleRate: rec.SampleRate, Channels: rec.Channels, Lossless: rec.Lossless != 0},
		Sound:     Sound{Loudness: rec.LUFS, TruePeak: rec.TruePeak, Brightness: rec.Centroid, Loopable: rec.Loopable != 0},
		Downloads: rec.Downloads, Published: maybe(rec.PublishedAt), License: a.held[rec.ID],
	}
	if c, ok := taxonomy.Find(rec.Category); ok {
		out.Category = &Category{c.Code, c.Group, c.Leaf()}
	}
	if who, ok := a.people[rec.OwnerID]; ok {
		out.Contributor = f.personRef(who)
	}
	if p, ok := a.packs[rec.PackID]; ok {
		out.Pack = &PackRef{p.ID, p.Name, f.at("/packs/%d", p.ID)}
	}
	if p := rec.Place(); p != nil {
		out.Place = &Place{p.Lat, p.Lon, p.Zoom}
	}
	if rec.BitDepth != 0 {
		out.File.BitDepth = &rec.BitDepth
	}
	if rec.Tempo > 0 && rec.TempoConfidence >= sure {
		out.Sound.Tempo = &rec.Tempo
	}
	if rec.Key != "" && rec.KeyConfidence >= sure {
		out.Sound.Key = &rec.Key
	}
	echo := a.echoes[rec.ID]
	out.Comments, out.Rating.Count = echo.Comments, echo.Ratings
	if echo.Ratings > 0 {
		mean := echo.Average()
		out.Rating.Average = &mean
	}
	if actor.ID == rec.OwnerID && actor.SignedIn() && !f.byKey(ctx) || actor.Is(access.Moderator) && !f.byKey(ctx) {
		out.Own = ownPart(rec, out.Tags, len(a.offers[rec.ID]) > 0)
	}
	return out
}

// byKey tells whether who asks sent an API key, which shows what is public only.
func (f *Face) byKey(ctx context.Context) bool {
	return me(ctx).Credential != 0 && scheme(from(ctx).r) == "token"
}

func ownPart(rec recordings.Recording, tags []string, offered bool) *OwnPart {
	own := &OwnPart{
		FileName: rec.FileName, SHA256: rec.SHA256, Processing: string(rec.Processing), Progress: rec.Progress, Note: rec.ProcessingNote, Rights: rec.RightsAt != 0,
		Submitting: rec.SubmitWhenReady != 0, Missing: []FieldError{}, Created: moment(rec.CreatedAt), Submitted: maybe(rec.SubmittedAt),
	}
	if own.Note == "" {
		own.Note = rec.ReturnNote
	}
	for _, p := range recordings.Problems(rec, tags, offered) {
		own.Missing = append(own.Missing, FieldError{p.Field, p.Text})
	}
	return own
}

func (f *Face) offers(list []licensing.Offered) []Offer {
	out := []Offer{}
	for _, o := range list {
		offer := Offer{License: o.Model.Code, Name: o.Model.Name, Free: o.Model.IsFree(), OnSale: o.OnSale(), URL: f.Licensing.DeedURL(o.Model)}
		if !offer.Free {
			price := moneyOf(o.Price)
			offer.Price = &price
		}
		out = append(out, offer)
	}
	return out
}

func (f *Face) media(ctx context.Context, rec recordings.Recording, licensed bool) (m Media) {
	hq, lq := f.Listening.Hears(me(ctx), rec, licensed)
	if hq != "" {
		m.PreviewHQ, m.PreviewLQ = f.Site.URL+hq, f.Site.URL+lq
	}
	if rec.Processing == recordings.Ready {
		base := f.at("/media/%s/", rec.Token)
		m.Peaks, m.Waveform, m.Spectrogram = base+recordings.PeaksDAT, base+recordings.WaveformL, base+recordings.SpectralL
	}
	return m
}

func (f *Face) personRef(who people.Person) *PersonRef {
	return &PersonRef{who.Name, who.Shown(), f.Site.URL + who.URL()}
}

// at makes an absolute address of a path.
func (f *Face) at(format string, args ...any) string {
	return f.Site.URL + fmt.Sprintf(format, args...)
}

// visible finds a recording that who asks may see. An API key sees what is public.
func (f *Face) visible(ctx context.Context, id int64) (recordings.Recording, error) {
	return f.visibleTo(ctx, access.SeeRecording, id)
}

// visibleTo finds a recording to which who asks may do act.
func (f *Face) visibleTo(ctx context.Context, act access.Action, id int64) (recordings.Recording, error) {
	rec, err := f.Recordings.ByID(ctx, f.Recordings.DB, id)
	if err != nil {
		return rec, err
	}
	if f.byKey(ctx) && rec.State != recordings.Published {
		return rec, db.ErrNotFound
	}
	licensed, err := f.Licensing.Licensed(ctx, f.Licensing.DB, me(ctx).ID, id)
	if err != nil {
		return rec, err
	}
	return rec, allow(ctx, act, rec.Object(licensed))
}

// editable finds a recording that who asks may edit.
func (f *Face) editable(ctx context.Context, id int64) (recordings.Recording, error) {
	rec, err := f.Recordings.ByID(ctx, f.Recordings.DB, id)
	if err != nil {
		return rec, err
	}
	return rec, allow(ctx, access.EditRecording, rec.Object(false))
}

// published finds a recording that people may react to.
func (f *Face) published(ctx context.Context, id int64) (recordings.Recording, error) {
	rec, err := f.Recordings.ByID(ctx, f.Recordings.DB, id)
	if err != nil {
		return rec, err
	}
	if rec.State != recordings.Published {
		return rec, db.ErrNotFound
	}
	return rec, nil
}

// recordingOut is a recording with the mark of what is said of it now.
type recordingOut struct {
	ETag string `header:"ETag" doc:"Changes with everything that this answer says; for If-None-Match, and for If-Match, which looks only at what an edit changes."`
	Body Recording
}

func (f *Face) out(ctx context.Context, id int64) (*recordingOut, error) {
	rec, err := f.Recordings.ByID(ctx, f.Recordings.DB, id)
	if err != nil {
		return nil, err
	}
	list, err := f.shown(ctx, []recordings.Recording{rec})
	if err != nil {
		return nil, err
	}
	seen, err := f.Uploads.Seen(ctx, rec)
	if err != nil {
		return nil, err
	}
	return &recordingOut{`"` + seen + `"`, list[0]}, nil
}

// Analysis is everything that was measured.
type Analysis struct {
	Loudness        *float64       `json:"loudness_lufs"`
	Range           *float64       `json:"loudness_range_lu"`
	TruePeak        *float64       `json:"true_peak_dbtp"`
	Tempo           float64        `json:"tempo_bpm" doc:"0: none found."`
	TempoConfidence float64        `json:"tempo_confidence" doc:"0 to 1."`
	Key             string         `json:"key" doc:"Empty: none found."`
	KeyConfidence   float64        `json:"key_confidence" doc:"0 to 1."`
	Brightness      float64        `json:"brightness_hz"`
	Loopable        bool           `json:"loopable"`
	Frames          int64          `json:"frames" doc:"Samples per channel."`
	Descriptors     map[string]any `json:"descriptors" doc:"What else was described, by name; doc/similar.md tells which are compared."`
}

func (f *Face) recordingOperations() {
	add(f, operation{route: "GET /recordings/{id}", id: "get-recording", tag: tagRecordings, summary: "Read a recording", action: access.SeeRecording, tagged: true,
		text: "Drafts too, for the contributor and moderators, who also get `own`."},
		func(ctx context.Context, in *struct {
			ByID
			Known []string `header:"If-None-Match" doc:"ETags of answers that are there already."`
		}) (*recordingOut, error) {
			if _, err := f.visible(ctx, in.ID); err != nil {
				return nil, err
			}
			return f.out(ctx, in.ID)
		})
	add(f, operation{route: "GET /recordings/{id}/analysis", id: "get-analysis", tag: tagRecordings, summary: "Read what was measured", action: access.SeeRecording, errors: []int{http.StatusConflict}}, f.analysis)
	add(f, operation{route: "GET /recordings/{id}/similar", id: "list-similar", tag: tagRecordings, summary: "List recordings that sound like it", action: access.SeeRecording}, f.similar)
	f.addRaw(operation{route: "GET /recordings/{id}/download", id: "download-recording", tag: tagLibrary, summary: "Download the original file", action: access.DownloadWithAPI, private: true,
		text: "The contributor, who holds a license, and for free recordings every member, who holds the free license from then on. Answers ranges."}, describeDownload, f.download)
}

func (f *Face) analysis(ctx context.Context, in *ByID) (*body[Analysis], error) {
	rec, err := f.visible(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if rec.Processing != recordings.Ready {
		return nil, notReady()
	}
	figures, err := f.Recordings.FiguresOf(ctx, []int64{rec.ID})
	if err != nil {
		return nil, err
	}
	out := Analysis{Loudness: rec.LUFS, Range: rec.Range, TruePeak: rec.TruePeak, Tempo: rec.Tempo, TempoConfidence: rec.TempoConfidence, Key: rec.Key, KeyConfidence: rec.KeyConfidence,
		Brightness: rec.Centroid, Loopable: rec.Loopable != 0, Frames: rec.Frames, Descriptors: map[string]any{}}
	return answer(out), unmarshal(figures[rec.ID].Descriptors, &out.Descriptors)
}

// Likeness is a recording with how alike it sounds.
type Likeness struct {
	Score     float64   `json:"score" doc:"1 is the same, 0 unrelated."`
	Recording Recording `json:"recording"`
}

func (f *Face) similar(ctx context.Context, in *struct {
	ByID
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"24"`
}) (*body[List[Likeness]], error) {
	rec, err := f.visible(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := f.Search.NotReady(); err != nil {
		return nil, err
	}
	hits, _ := f.Search.Index().Similar(rec.ID, in.Limit, nil) // what is not in the index is like nothing
	score, ids := map[int64]float64{}, make([]int64, len(hits))
	for i, h := range hits {
		ids[i], score[h.ID] = h.ID, h.Score
	}
	list, err := f.public(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := List[Likeness]{Items: []Likeness{}, Total: len(list)}
	for _, r := range list {
		out.Items = append(out.Items, Likeness{score[r.ID], r})
	}
	return answer(out), nil
}

// heldBy is the license that a download is under, 0 for one's own recording. With take, a free one is taken where none is held.
func (f *Face) heldBy(r *http.Request, rec recordings.Recording, take bool) (int64, error) {
	a := access.From(r.Context())
	if a.ID == rec.OwnerID {
		return 0, nil
	}
	held, err := f.Licensing.LicenseFor(r.Context(), f.Licensing.DB, a.ID, rec.ID)
	if err == nil || !errors.Is(err, db.ErrNotFound) {
		return held.ID, err
	}
	if rec.State != recordings.Published || rec.Paid != 0 || !take {
		return 0, nil
	}
	taken, err := f.Licensing.TakeFree(r.Context(), a.ID, rec.ID, a.Name)
	return taken.ID, err
}
