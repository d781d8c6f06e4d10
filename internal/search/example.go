package search

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Example is what a sound is searched by; ingest tells it.
type Example struct {
	Vector         []float32 // in the space of package likeness; nil for silence
	Melody, Rhythm []byte    // packed by package contour; nil where there is none
}

// Ear listens to sounds that are searched by. App sets it to ingest's.
type Ear struct {
	Sound func(ctx context.Context, sound io.Reader) (Example, error)
	Part  func(ctx context.Context, rec recordings.Recording, from, to float64) (Example, error)
	// MaxBytes is the largest sound, Seconds how much of it is listened to.
	MaxBytes int64
	Seconds  float64
}

// near is a hit of a search by example and how far it is: 0 for the same, 1 for nothing alike.
type near struct {
	id  int64
	off float64
}

// Nearness is how far the hits of a search by example are, by recording: 0 for the same, 1 for nothing alike; and among how many recordings
// they are the nearest.
type Nearness struct {
	Off   map[int64]float64
	Among int
}

// nearest is how many hits a search by example lists.
const nearest = 240

// FindLike finds what q asks for in the order of likeness to its example, with counts by facets.
func (s *Store) FindLike(ctx context.Context, q query.Query, facets ...query.Field) (index.Result, Nearness, error) {
	// Words narrow as they are typed: what sounds alike and has a synonym is not what was asked for.
	q.AsTyped, q.SomeWords, q.GroupByPack = true, false, false
	res, err := s.ix.Search(q, facets...)
	if err != nil {
		return res, Nearness{}, err
	}
	parsed, err := query.Parse(q.Text, false)
	if err != nil {
		return res, Nearness{}, err
	}
	list, err := s.near(ctx, q.Example, query.All(parsed.Where, q.Filter("-")))
	if err != nil {
		return res, Nearness{}, err
	}
	list = list[:min(len(list), nearest)]
	off := Nearness{Among: res.Total, Off: make(map[int64]float64, len(list))}
	for _, n := range list {
		off.Off[n.id] = n.off
	}
	res.Total, res.DidYouMean = len(list), ""
	if q.Sort != "" && q.Sort != query.ByRelevance && len(list) > 0 {
		ids := make([]*query.Filter, len(list))
		for i, n := range list {
			ids[i] = query.Is(query.ID, strconv.FormatInt(n.id, 10))
		}
		q.Where = query.Either(ids...)
		sorted, err := s.ix.Search(q)
		res.Hits, res.Total = sorted.Hits, sorted.Total
		return res, off, err
	}
	offset, limit := q.Window()
	list = list[min(offset, len(list)):]
	res.Hits = nil
	for _, n := range list[:min(limit, len(list))] {
		res.Hits = append(res.Hits, index.Hit{ID: n.id, Score: 1 - n.off, FromPack: 1})
	}
	return res, off, nil
}

// findNewest searches for q in the order that q names. Of a search by example that is whatever is somewhat like it at least: the far ones that fill up
// a page of the nearest are no news.
func (s *Store) findNewest(ctx context.Context, q query.Query) (index.Result, error) {
	if !q.Example.Is() {
		return s.ix.Search(q)
	}
	parsed, err := query.Parse(q.Text, false)
	if err != nil {
		return index.Result{}, err
	}
	list, err := s.near(ctx, q.Example, query.All(parsed.Where, q.Filter("-")))
	if err != nil {
		return index.Result{}, err
	}
	alike := closeness[q.Example.Kind][2]
	var ids []*query.Filter
	for _, n := range list[:min(len(list), nearest)] {
		if n.off <= alike {
			ids = append(ids, query.Is(query.ID, strconv.FormatInt(n.id, 10)))
		}
	}
	if len(ids) == 0 {
		return index.Result{}, nil
	}
	q.AsTyped, q.Where = true, query.All(q.Where, query.Either(ids...))
	return s.ix.Search(q)
}

// near lists what is like the example among the recordings for which where holds, nearest first.
func (s *Store) near(ctx context.Context, e query.Example, where *query.Filter) ([]near, error) {
	if e.Kind == query.Like {
		v, err := s.Space.FromAddress(e.Value)
		switch {
		case errors.Is(err, likeness.ErrOtherSpace):
			return nil, &query.ValueError{Param: string(e.Kind), Text: "This address was made when sounds were compared in another way. Send the sound again."}
		case err != nil:
			return nil, badExample(e)
		}
		var out []near
		for _, h := range s.ix.Like(v, nearest, where) {
			out = append(out, near{h.ID, min(max(1-h.Score, 0), 1)})
		}
		return out, nil
	}
	packed, err := contour.FromAddress(e.Value)
	check := contour.CheckMelody
	if e.Kind == query.Rhythm {
		check = contour.CheckRhythm
	}
	if err != nil || check(packed) != nil {
		return nil, badExample(e)
	}
	return s.sung(ctx, e.Kind, packed, s.ix.Among(where))
}

func badExample(e query.Example) error {
	return &query.ValueError{Param: string(e.Kind), Text: "The address of this search is damaged. Copy it whole, or send the sound again."}
}

// closeness are the words for how near a hit is, by kind: the largest distance for each.
var closeness = map[query.Kind][3]float64{
	query.Like:   {.15, .35, .6},
	query.Melody: {.12, .22, .33},
	query.Rhythm: {.1, .18, .28},
}

// Closeness says in a word how near what is off by some distance is to an example of a kind.
func Closeness(kind query.Kind, off float64) string {
	for i, most := range closeness[kind] {
		if off <= most {
			return [...]string{"Very close", "Close", "Somewhat like it"}[i]
		}
	}
	return "Far"
}

// tellNear writes on each row how near it is to the example.
func tellNear(kind query.Kind, off map[int64]float64, sounds []ui.Sound) {
	for i := range sounds {
		d, ok := off[sounds[i].ID]
		if !ok || sounds[i].Note != nil {
			continue
		}
		sounds[i].Note = &ui.Tag{Text: Closeness(kind, d)}
	}
}

// exampleNames are how pages speak of a search by example.
var exampleNames = map[query.Kind]struct{ heading, chip, about, none string }{
	query.Like: {"Sounds like yours", "Sounds like", "Compared: tone color and how the sound rises and dies away. Not compared: words, melody, what made the sound.",
		"No sound of this search can be compared with yours."},
	query.Melody: {"With your melody", "Melody like", "Compared: the steps between notes and their lengths, at any pitch and tempo, in the first 30 seconds of recordings with a single voice. Chords and full mixes are seldom found.",
		"No recording has a melody like yours. Try six notes or more, one after the other, on “da”."},
	query.Rhythm: {"With your rhythm", "Rhythm like", "Compared: low, middle and high strokes and the times between them, at any tempo, in the first 30 seconds. Clear beats are found; dense mixes seldom.",
		"No recording has a rhythm like yours. Try a bar or two of clear strokes."},
}

// exampleOf changes a page of results into one of a search by example.
func (s *Store) exampleOf(q query.Query, off Nearness, p *ui.SearchPage) {
	if !q.Example.Is() {
		return
	}
	names := exampleNames[q.Example.Kind]
	tellNear(q.Example.Kind, off.Off, p.Sounds)
	without := q
	without.Example, without.Page = query.Example{}, 0
	p.Heading, p.Packs = names.heading, nil
	p.Chips = append([]ui.Chip{{Label: names.chip, Value: "your sound", Remove: address(without)}}, p.Chips...)
	if len(off.Off) > 0 && len(off.Off) < off.Among {
		p.Note = "the nearest of " + ui.Count(off.Among)
	}
	p.About = names.about
	if len(off.Off) == 0 {
		p.Empty = &ui.Empty{Title: "Nothing like it", Text: names.none, Out: &ui.Link{Text: "Search by another sound", URL: bySound(without)}}
		p.DidYouMean = nil
	}
}

// bySound is the page where a sound is chosen for the search q.
func bySound(q query.Query) string {
	q.Example, q.Page = query.Example{}, 0
	if v := q.Values().Encode(); v != "" {
		return "/search/sound?" + v
	}
	return "/search/sound"
}

// soundForm is the page where a sound is dropped, chosen or recorded. It alone may use the microphone.
func (s *Store) soundForm(w http.ResponseWriter, r *http.Request) error {
	q, err := query.FromValues(r.URL.Query())
	if err != nil {
		return badQuery(err)
	}
	return s.showSoundForm(w, r, q, query.Like, http.StatusOK, "")
}

func (s *Store) showSoundForm(w http.ResponseWriter, r *http.Request, q query.Query, as query.Kind, status int, problem string) error {
	w.Header().Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)")
	p := ui.SoundForm{Query: q.Text, As: string(as), Problem: problem, MaxBytes: s.Ear.MaxBytes, Seconds: int(s.Ear.Seconds)}
	q.Example, q.Page = query.Example{}, 0
	for name, values := range q.Values() {
		for _, v := range values {
			p.Hidden = append(p.Hidden, ui.Hidden{Name: name, Value: v})
		}
	}
	for _, c := range append(s.termChips(q), s.chips(q, nil)...) {
		p.Within = append(p.Within, c.Label+": "+c.Value)
	}
	return s.Site.Page(w, r, web.View{Title: "Search by sound", Section: ui.SectionSounds, Query: q.Text, Status: status, Canonical: "/search/sound"}, ui.SearchBySound(p))
}

// fieldSize bounds everything of the form but the sound.
const fieldSize = 16 << 10

// soundSend listens to the sound that a form brought and leads to its results: their address holds all that is known of it.
func (s *Store) soundSend(w http.ResponseWriter, r *http.Request) error {
	if err := s.TakeEar(r); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.Ear.MaxBytes+fieldSize)
	form, err := r.MultipartReader()
	if err != nil {
		return &web.Public{Status: http.StatusBadRequest, Text: "This is not the form of this page. Reload it and try again.", Err: err}
	}
	fields, size := url.Values{}, 0
	var found Example
	var heard bool
	var failed error
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var big *http.MaxBytesError
			if errors.As(err, &big) {
				return web.Refuse(http.StatusRequestEntityTooLarge, "The file is larger than the %s that a search takes. Cut out the part that matters.", ui.Bytes(s.Ear.MaxBytes))
			}
			return &web.Public{Status: http.StatusBadRequest, Text: "The sound did not arrive whole. Send it again.", Err: err}
		}
		if part.FormName() == "sound" {
			if heard {
				return web.Refuse(http.StatusBadRequest, "Send one sound at a time.")
			}
			heard = true
			found, failed = s.Ear.Sound(r.Context(), part)
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, fieldSize))
		if err != nil {
			return &web.Public{Status: http.StatusBadRequest, Text: "The form did not arrive whole. Send it again.", Err: err}
		}
		if size += len(value); size > fieldSize {
			return web.Refuse(http.StatusRequestEntityTooLarge, "The form is too long.")
		}
		fields.Add(part.FormName(), string(value))
	}
	kind := query.Kind(fields.Get("as"))
	if _, known := exampleNames[kind]; !known {
		kind = query.Like
	}
	q, err := query.FromValues(fields)
	if err != nil {
		return badQuery(err)
	}
	if !heard {
		failed = web.Refuse(http.StatusBadRequest, "Choose a sound file, or record something.")
	}
	if failed == nil {
		q.Example, failed = s.Example(kind, found)
	}
	var told *web.Public
	if errors.As(failed, &told) && told.Status != http.StatusServiceUnavailable {
		return s.showSoundForm(w, r, q, kind, told.Status, told.Text)
	}
	if failed != nil {
		return failed
	}
	return web.See(w, r, address(q))
}

// Example takes what a search compares out of what was heard; its value is all that is known of the sound from then on.
func (s *Store) Example(kind query.Kind, e Example) (query.Example, error) {
	switch kind {
	case query.Melody:
		if len(e.Melody) == 0 {
			return query.Example{}, web.Refuse(http.StatusUnprocessableEntity, "No melody was heard: it takes five single notes at least. Hum them on “da”, or compare the sound as a whole.")
		}
		return query.Example{Kind: kind, Value: contour.Address(e.Melody)}, nil
	case query.Rhythm:
		if len(e.Rhythm) == 0 {
			return query.Example{}, web.Refuse(http.StatusUnprocessableEntity, "No rhythm was heard: it takes five clear strokes at least.")
		}
		return query.Example{Kind: kind, Value: contour.Address(e.Rhythm)}, nil
	}
	value := s.Space.Address(e.Vector)
	if value == "" {
		return query.Example{}, web.Refuse(http.StatusUnprocessableEntity, "This is silence, which sounds like nothing. Choose another part.")
	}
	return query.Example{Kind: query.Like, Value: value}, nil
}

// likePart leads from a part of a recording to what is like it.
func (s *Store) likePart(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	rec, err := s.Recordings.ByID(r.Context(), s.DB, id)
	if err != nil {
		return err
	}
	licensed := false
	if who := access.From(r.Context()); who.SignedIn() {
		if licensed, err = s.Listening.Licensed(r.Context(), who.ID, id); err != nil {
			return err
		}
	}
	if err := web.Allow(r, rec.Object(licensed)); err != nil {
		return err
	}
	v := r.URL.Query()
	from, to := 0.0, rec.Seconds
	for name, at := range map[string]*float64{"from": &from, "to": &to} {
		if text := v.Get(name); text != "" {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil || !(n >= 0) || n > 1e7 {
				return web.Refuse(http.StatusBadRequest, "Write the part in seconds, as 1.2 and 3.4.")
			}
			*at = n
		}
	}
	kind := query.Kind(v.Get("as"))
	if _, known := exampleNames[kind]; !known {
		kind = query.Like
	}
	if err := s.TakeEar(r); err != nil {
		return err
	}
	found, err := s.Ear.Part(r.Context(), rec, from, to)
	if err != nil {
		return err
	}
	e, err := s.Example(kind, found)
	if err != nil {
		return err
	}
	return web.See(w, r, address(query.Query{Example: e}))
}

// TakeEar counts one sound of the request's account, or of its address.
func (s *Store) TakeEar(r *http.Request) error {
	key := web.IPKey(s.Site.ClientIP(r))
	if who := access.From(r.Context()); who.SignedIn() {
		key = "account " + strconv.FormatInt(who.ID, 10)
	}
	return s.Site.Limits.Take(web.EarByCaller, key, s.Site.Now())
}

func badQuery(err error) error {
	var bad *query.ValueError
	if errors.As(err, &bad) {
		return web.Refuse(http.StatusBadRequest, "%s", bad.Text)
	}
	return err
}
