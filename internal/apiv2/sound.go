package apiv2

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/licensing"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// unclassified is the category of an upload whose description names none and whose file tells none.
const unclassified = "fx-other"

// sound shows one published recording. The score belongs to searches; everything else is there unless fields= says less.
func (f *Face) sound(w http.ResponseWriter, r *http.Request) error {
	rec, err := f.published(r)
	if err != nil {
		return err
	}
	list, err := f.sounds(r.Context(), []recordings.Recording{rec}, fieldsOf(parse(r.URL.RawQuery), choice{all: true}))
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, list[0])
}

// published finds the recording of the path. What is not published is not found, whoever asks.
func (f *Face) published(r *http.Request) (recordings.Recording, error) {
	id, err := web.PathID(r, "id")
	if err != nil {
		return recordings.Recording{}, err
	}
	rec, err := f.Recordings.ByID(r.Context(), f.Recordings.DB, id)
	if err != nil {
		return rec, err
	}
	if rec.State != recordings.Published {
		return rec, web.NotFound()
	}
	return rec, web.AllowTo(r, access.SeeRecording, rec.Object(false))
}

// around is what recordings are shown with, read once for all of them.
type around struct {
	tags   map[int64][]string
	names  map[int64]string
	packs  map[int64]recordings.Pack
	offers map[int64][]licensing.Offered
	echoes map[int64]reactions.Echo
}

func (f *Face) around(ctx context.Context, list []recordings.Recording) (around, error) {
	var ids, owners, packs []int64
	for _, rec := range list {
		ids, owners, packs = append(ids, rec.ID), append(owners, rec.OwnerID), append(packs, rec.PackID)
	}
	var a around
	var err error
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
	people, err := f.People.ByIDs(ctx, owners)
	if err != nil {
		return a, err
	}
	a.names = map[int64]string{}
	for id, who := range people {
		a.names[id] = who.Name
	}
	return a, nil
}

// sounds describes published recordings with the fields that are shown, in their order.
func (f *Face) sounds(ctx context.Context, list []recordings.Recording, fields choice) ([]object, error) {
	a, err := f.around(ctx, list)
	if err != nil {
		return nil, err
	}
	figures := map[int64]recordings.Figures{}
	if fields.measures() {
		ids := make([]int64, len(list))
		for i, rec := range list {
			ids[i] = rec.ID
		}
		if figures, err = f.Recordings.FiguresOf(ctx, ids); err != nil {
			return nil, err
		}
	}
	out := make([]object, len(list))
	for i, rec := range list {
		out[i] = fields.of(f.soundOf(rec, a))
		if !fields.measures() {
			continue
		}
		more, err := f.measuredOf(fields, figures[rec.ID])
		if err != nil {
			return nil, err
		}
		out[i] = append(out[i], more...)
	}
	return out, nil
}

// kilobits is the mean rate of a file in kbit/s, 0 for one without length.
func kilobits(bytes int64, seconds float64) int64 {
	if seconds <= 0 {
		return 0
	}
	return int64(float64(bytes) * 8 / seconds / 1000)
}

// genAI is what the API calls a contributor's word on training.
func genAI(training string) string {
	if training == "yes" {
		return "no-additional-preferences"
	}
	return "no-gen-ai"
}

func (f *Face) soundOf(rec recordings.Recording, a around) object {
	var category, subcategory, code, pack, packName any
	if top, leaf := categoryNames(rec.Category); leaf != "" {
		category, subcategory, code = top, leaf, rec.Category
	}
	if p, ok := a.packs[rec.PackID]; ok {
		pack, packName = f.at("/apiv2/packs/%d/", p.ID), p.Name
	}
	var place any
	if p := rec.Place(); p != nil {
		place = decimal(p.Lat).String() + " " + decimal(p.Lon).String()
	}
	echo := a.echoes[rec.ID]
	at := f.at("/apiv2/sounds/%d/", rec.ID)
	return object{
		{"id", rec.ID}, {"url", f.at("/recordings/%d", rec.ID)}, {"name", rec.Title}, {"tags", notNil(a.tags[rec.ID])}, {"description", rec.Description},
		{"category", category}, {"subcategory", subcategory}, {"category_code", code}, {"category_is_user_provided", code != nil && rec.Category != unclassified},
		{"geotag", place}, {"is_geotagged", place != nil}, {"created", instant(rec.PublishedAt)}, {"license", f.license(a.offers[rec.ID])}, {"type", rec.Ext},
		{"channels", rec.Channels}, {"filesize", rec.ByteSize}, {"bitrate", kilobits(rec.ByteSize, rec.Seconds)}, {"bitdepth", rec.BitDepth}, {"duration", decimal(rec.Seconds)},
		{"samplerate", decimal(rec.SampleRate)}, {"username", a.names[rec.OwnerID]}, {"pack", pack}, {"pack_name", packName},
		{"download", at + "download/"}, {"bookmark", at + "bookmark/"}, {"previews", f.previews(rec)}, {"images", f.images(rec)}, {"num_downloads", rec.Downloads},
		{"avg_rating", decimal(echo.Average())}, {"num_ratings", echo.Ratings}, {"rate", at + "rate/"}, {"comments", at + "comments/"}, {"num_comments", echo.Comments},
		{"comment", at + "comment/"}, {"similar_sounds", at + "similar/"},
		{"is_explicit", false}, {"is_remix", false}, {"was_remixed", false}, {"md5", rec.MD5}, {"gen_ai_preference", genAI(rec.AITraining)},
	}
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// instant writes unix microseconds as the API's instants; they have no fractions.
func instant(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05Z")
}

// zoneless is an instant in UTC without saying so, where a client reads only that form.
func zoneless(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05")
}

// categoryNames are the names of a category of the Broad Sound Taxonomy and of the group it is in, as filters take them.
func categoryNames(code string) (group, name string) {
	c, _ := taxonomy.Find(code)
	return c.Group, c.Leaf()
}

// license is the address of the license that a recording is under: the free one, else the narrowest paid one that is on sale.
// Clients tell Creative Commons licenses by their addresses, and this site's own addresses look like none of them.
func (f *Face) license(offers []licensing.Offered) string {
	best := ""
	for _, o := range offers {
		switch {
		case o.Model.IsFree():
			return f.Licensing.DeedURL(o.Model)
		case best == "" && o.OnSale():
			best = f.Licensing.DeedURL(o.Model)
		}
	}
	if best == "" {
		return f.at("/licenses")
	}
	return best
}

// dataPath is where the files for everybody lie; the last part names the recording, for clients keep files under it.
func dataPath(kind string, rec recordings.Recording, rest string) string {
	return fmt.Sprintf("/data/%s/%d/%d_%d%s", kind, rec.ID/1000, rec.ID, rec.OwnerID, rest)
}

func (f *Face) previews(rec recordings.Recording) object {
	var out object
	for _, quality := range []string{"hq", "lq"} {
		if !f.Listening.MembersOnly { // only Ogg is cut to its first seconds
			out = append(out, member{"preview-" + quality + "-mp3", f.Site.URL + dataPath("previews", rec, "-"+quality+".mp3")})
		}
		out = append(out, member{"preview-" + quality + "-ogg", f.Site.URL + dataPath("previews", rec, "-"+quality+".ogg")})
	}
	return out
}

// pictures names the images, the older names of the same ones too, by the ends of their addresses.
func pictures() []struct{ key, end, media string } {
	return []struct{ key, end, media string }{
		{"waveform_m", "_wave_M.png", recordings.WaveformM}, {"waveform_l", "_wave_L.png", recordings.WaveformL},
		{"spectral_m", "_spec_M.jpg", recordings.SpectralM}, {"spectral_l", "_spec_L.jpg", recordings.SpectralL},
		{"waveform_bw_m", "_wave_M.png", recordings.WaveformM}, {"waveform_bw_l", "_wave_L.png", recordings.WaveformL},
		{"spectral_bw_m", "_spec_M.jpg", recordings.SpectralM}, {"spectral_bw_l", "_spec_L.jpg", recordings.SpectralL},
	}
}

func (f *Face) images(rec recordings.Recording) object {
	var out object
	for _, p := range pictures() {
		out = append(out, member{p.key, f.Site.URL + dataPath("displays", rec, p.end)})
	}
	return out
}

var dataName = regexp.MustCompile(`^([1-9][0-9]{0,17})_([1-9][0-9]{0,17})([-_][A-Za-z_]+\.[a-z0-9]+)$`)

// dataFile finds the recording that a file under /data/ belongs to, and the end of the file's name.
func (f *Face) dataFile(r *http.Request) (recordings.Recording, string, error) {
	m := dataName.FindStringSubmatch(r.PathValue("file"))
	if m == nil {
		return recordings.Recording{}, "", web.NotFound()
	}
	id, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || r.PathValue("folder") != strconv.FormatInt(id/1000, 10) {
		return recordings.Recording{}, "", web.NotFound()
	}
	rec, err := f.Recordings.ByID(r.Context(), f.Recordings.DB, id)
	if err != nil {
		return rec, "", err
	}
	if strconv.FormatInt(rec.OwnerID, 10) != m[2] {
		return rec, "", web.NotFound()
	}
	return rec, m[3], web.Allow(r, rec.Object(false))
}

// preview sends what everybody may hear of a published recording.
func (f *Face) preview(w http.ResponseWriter, r *http.Request) error {
	rec, end, err := f.dataFile(r)
	if err != nil {
		return err
	}
	name, ok := map[string]string{"-hq.ogg": "hq.opus", "-lq.ogg": "lq.opus", "-hq.mp3": "hq.mp3", "-lq.mp3": "lq.mp3"}[end]
	if !ok {
		return web.NotFound()
	}
	return f.Listening.Public(w, r, rec, name)
}

// display sends a picture of a published recording.
func (f *Face) display(w http.ResponseWriter, r *http.Request) error {
	rec, end, err := f.dataFile(r)
	if err != nil {
		return err
	}
	for _, p := range pictures() {
		if p.end == end {
			return f.Listening.Public(w, r, rec, p.media)
		}
	}
	return web.NotFound()
}
