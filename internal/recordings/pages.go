package recordings

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Pages show recordings and packs. What other domains know comes through fields that app sets.
type Pages struct {
	Store *Store
	Site  *web.Site
	// Rows makes rows for the actor of ctx, in the order of ids, of those recordings the actor may see.
	Rows func(ctx context.Context, ids []int64) ([]ui.Sound, error)
	// Similar lists published recordings that sound like one.
	Similar func(id int64, n int) []int64
	// Licensed tells whether an account holds a license to a recording.
	Licensed func(ctx context.Context, account, recording int64) (bool, error)
	// License fills the card that sells or gives a recording to the actor of ctx, and the line that credits it.
	License func(ctx context.Context, r Recording) (ui.LicenseBox, string, error)
	// Person describes a contributor.
	Person func(ctx context.Context, account int64) (ui.PersonCard, error)
	// People names contributors by account id as rows do.
	People func(ctx context.Context, accounts []int64) (map[int64]ui.Link, error)
	// Reactions are the comments and ratings of a published recording as the actor of ctx sees them.
	Reactions func(ctx context.Context, r Recording) (ui.Reactions, error)
	// Credits leads to the forms of the line that credits a published recording.
	Credits func(r Recording) []ui.Link
	// Embed is the code by which people show a published recording on their own pages.
	Embed func(r Recording) string
	// Feeds are the forms of a published recording's page that programs read.
	Feeds func(r Recording) []ui.Feed
	// Notes lists what happened in reviews, for the owner and moderators.
	Notes func(ctx context.Context, r Recording) ([]ui.LogLine, error)
}

// Routes lists the pages of recordings and packs.
func (p *Pages) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /recordings/{id}", Action: access.SeeRecording, Handle: p.recording},
		{Pattern: "GET /packs", Action: access.Look, Handle: p.packs},
		{Pattern: "GET /packs/{id}", Action: access.Look, Handle: p.pack},
	}
}

func (p *Pages) recording(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	rec, err := p.Store.ByID(ctx, p.Store.DB, id)
	if err != nil {
		return err
	}
	actor := access.From(ctx)
	licensed := false
	if actor.SignedIn() {
		if licensed, err = p.Licensed(ctx, actor.ID, id); err != nil {
			return err
		}
	}
	if err := web.Allow(r, rec.Object(licensed)); err != nil {
		return err
	}
	page, err := p.page(ctx, actor, rec)
	if err != nil {
		return err
	}
	view := web.View{Title: page.Scope.Sound.Title, Section: ui.SectionSounds, Canonical: "/recordings/" + strconv.FormatInt(id, 10)}
	if rec.State == Published {
		view.Description = summary(rec, page.Scope.Sound)
		view.Image = p.Site.URL + "/media/" + rec.Token + "/" + WaveformL
		if view.JSONLD, err = p.jsonLD(rec, page); err != nil {
			return err
		}
		view.Edit = func(f *ui.Frame) { f.Feeds = p.Feeds(rec) }
	} else {
		view.Edit = func(f *ui.Frame) { f.NoIndex = true }
	}
	return p.Site.Page(w, r, view, ui.Recording(page))
}

func (p *Pages) page(ctx context.Context, actor access.Actor, rec Recording) (ui.RecordingPage, error) {
	var page ui.RecordingPage
	rows, err := p.Rows(ctx, []int64{rec.ID})
	if err != nil {
		return page, err
	}
	if len(rows) == 0 { // a licensee of a recording that was unpublished since
		rows = []ui.Sound{{ID: rec.ID, Title: rec.Title, Bars: rec.Bars, Seconds: rec.Seconds, Unavailable: "not public any more"}}
	}
	page.Scope = ui.Scope{Sound: rows[0], BigBars: rec.Wave}
	if rec.Processing == Ready {
		rec.ScopeMedia(&page.Scope)
		page.Scope.Tools = true
	}
	tags, err := p.Store.Tags(ctx, p.Store.DB, rec.ID)
	if err != nil {
		return page, err
	}
	for _, t := range tags {
		page.Tags = append(page.Tags, ui.Link{Text: t, URL: "/search?" + url.Values{"tag": {t}}.Encode()})
	}
	page.DescriptionHTML = HTML(rec.Description)
	page.Tech = Tech(rec, rows[0])
	if page.Measured, err = p.Store.measured(ctx, rec.ID); err != nil {
		return page, err
	}
	if page.License, page.Credit, err = p.License(ctx, rec); err != nil {
		return page, err
	}
	if rec.State == Published {
		page.Credits, page.Embed = p.Credits(rec), p.Embed(rec)
	}
	if page.Contributor, err = p.Person(ctx, rec.OwnerID); err != nil {
		return page, err
	}
	if rec.State == Published {
		page.Actions = append(page.Actions, ui.Button{Label: "Compare", URL: fmt.Sprintf("/compare?a=%d", rec.ID), Kind: "bare"})
		said, err := p.Reactions(ctx, rec)
		if err != nil {
			return page, err
		}
		page.Reactions = &said
		if page.Similar, err = p.Rows(ctx, p.Similar(rec.ID, 6)); err != nil {
			return page, err
		}
	}
	if rec.PackID != 0 {
		if err := p.siblings(ctx, rec, &page); err != nil {
			return page, err
		}
	}
	if rec.PublishedAt != 0 {
		page.Stats = []ui.Fact{{Label: "Published", Value: ui.Date(rec.PublishedAt)}, {Label: "Downloads", Value: ui.Count(int(rec.Downloads))}}
	}
	if actor.SignedIn() && actor.ID == rec.OwnerID || actor.Is(access.Moderator) {
		err = p.inside(ctx, actor, rec, &page)
	}
	return page, err
}

func (p *Pages) siblings(ctx context.Context, rec Recording, page *ui.RecordingPage) error {
	pack, err := p.Store.PackByID(ctx, p.Store.DB, rec.PackID)
	if err != nil {
		return err
	}
	ids, err := p.Store.InPack(ctx, rec.PackID, 6, 0)
	if err != nil {
		return err
	}
	var others []int64
	for _, id := range ids {
		if id != rec.ID && len(others) < 5 {
			others = append(others, id)
		}
	}
	page.PackLink = &ui.Link{Text: pack.Name, URL: "/packs/" + strconv.FormatInt(pack.ID, 10)}
	page.Byline = append(page.Byline, ui.Link{Text: "in " + pack.Name, URL: page.PackLink.URL})
	page.Pack, err = p.Rows(ctx, others)
	return err
}

// inside adds what only the owner and moderators see: the state, what can be done about it, and what happened.
func (p *Pages) inside(ctx context.Context, actor access.Actor, rec Recording, page *ui.RecordingPage) error {
	at := "/recordings/" + strconv.FormatInt(rec.ID, 10)
	page.Note = StateNote(rec)
	if access.Can(actor, access.EditRecording, rec.Object(false)) {
		page.Actions = append(page.Actions, ui.Button{Label: "Edit", Icon: "pencil-line", URL: at + "/edit"})
		switch rec.State {
		case Published:
			page.Forms = append(page.Forms, ui.RowForm{Action: at + "/unpublish", Button: ui.Button{Label: "Unpublish"}})
		case Unpublished:
			page.Forms = append(page.Forms, ui.RowForm{Action: at + "/republish", Button: ui.Button{Label: "Publish again"}})
		}
	}
	if rec.State == Submitted && access.Can(actor, access.Review, rec.Object(false)) {
		page.Actions = append(page.Actions, ui.Button{Label: "Review", Icon: "gavel", URL: "/review/" + strconv.FormatInt(rec.ID, 10)})
	}
	var err error
	if page.History, err = p.Notes(ctx, rec); err != nil {
		return err
	}
	versions, err := p.Store.History(ctx, rec.ID)
	for _, v := range versions {
		var was Description
		if json.Unmarshal([]byte(v.Was), &was) == nil {
			page.History = append(page.History, ui.LogLine{At: v.At, Text: fmt.Sprintf("Description changed; it was titled “%s”, tagged %s.", was.Title, strings.Join(was.Tags, ", "))})
		}
	}
	return err
}

// StateNote says where a recording stands, to its owner.
func StateNote(rec Recording) *ui.Note {
	switch {
	case rec.Processing == Failed:
		return &ui.Note{Tone: ui.ToneBad, Lead: "The analysis failed.", Text: rec.ProcessingNote}
	case rec.Processing != Ready:
		return &ui.Note{Lead: "Being analyzed.", Text: "The waveform and the previews appear when it is done. You can describe it meanwhile."}
	case rec.State == Draft:
		return &ui.Note{Lead: "A draft.", Text: "Nobody else sees it until it is submitted and reviewed."}
	case rec.State == Submitted:
		return &ui.Note{Lead: "In review.", Text: "A moderator listens to it. You get a mail with the decision."}
	case rec.State == Returned:
		return &ui.Note{Tone: ui.ToneWarn, Lead: "Returned by the review.", Text: rec.ReturnNote}
	case rec.State == Unpublished:
		return &ui.Note{Lead: "Unpublished.", Text: "Only you see it. Who licensed it keeps the license and the file."}
	}
	return nil
}

// Tech lists a recording's technical data.
func Tech(rec Recording, row ui.Sound) []ui.Fact {
	format := strings.ToUpper(rec.Ext)
	if rec.SampleRate > 0 {
		format += ", " + strconv.FormatFloat(float64(rec.SampleRate)/1000, 'f', -1, 64) + " kHz"
	}
	if rec.BitDepth > 0 {
		format += fmt.Sprintf(", %d bit", rec.BitDepth)
	}
	switch rec.Channels {
	case 0:
	case 1:
		format += ", mono"
	case 2:
		format += ", stereo"
	default:
		format += fmt.Sprintf(", %d channels", rec.Channels)
	}
	out := []ui.Fact{{Label: "Format", Value: format}, {Label: "Size", Value: ui.Bytes(rec.ByteSize)}}
	if rec.Processing != Ready {
		return out
	}
	length := ui.Length(rec.Seconds)
	if rec.Loopable != 0 {
		length += ", loops cleanly"
	}
	out = append(out, ui.Fact{Label: "Length", Value: length})
	if row.Tempo > 0 {
		out = append(out, ui.Fact{Label: "Tempo", Value: fmt.Sprintf("%d BPM, %d percent sure", row.Tempo, int(math.Round(rec.TempoConfidence*100)))})
	}
	if row.Tempo == 0 && rec.TempoConfidence >= .1 { // a number would be taken for a fact
		out = append(out, ui.Fact{Label: "Tempo", Value: fmt.Sprintf("not clear, %d percent sure", int(math.Round(rec.TempoConfidence*100)))})
	}
	if row.Key == "" && rec.KeyConfidence >= .1 {
		out = append(out, ui.Fact{Label: "Key", Value: fmt.Sprintf("not clear, %d percent sure", int(math.Round(rec.KeyConfidence*100)))})
	}
	if row.Key != "" {
		out = append(out, ui.Fact{Label: "Key", Value: fmt.Sprintf("%s, %d percent sure", row.Key, int(math.Round(rec.KeyConfidence*100)))})
	}
	if rec.LUFS != nil && rec.TruePeak != nil {
		out = append(out, ui.Fact{Label: "Loudness", Value: minus(fmt.Sprintf("%.1f LUFS, peak %.1f dBTP", *rec.LUFS, *rec.TruePeak))})
	} else {
		out = append(out, ui.Fact{Label: "Loudness", Value: "silence"})
	}
	if rec.Centroid > 0 {
		hz := fmt.Sprintf("%.0f Hz", rec.Centroid)
		if rec.Centroid >= 1000 {
			hz = fmt.Sprintf("%.1f kHz", rec.Centroid/1000)
		}
		out = append(out, ui.Fact{Label: "Brightness", Value: hz})
	}
	if c, ok := taxonomy.Find(rec.Category); ok {
		out = append(out, ui.Fact{Label: "Kind", Value: c.Name, URL: "/search?category=" + c.Code})
	}
	ai := "Not allowed"
	if rec.AITraining == "yes" {
		ai = "Allowed by the contributor"
	}
	out = append(out, ui.Fact{Label: "AI training", Value: ai})
	if p := rec.Place(); p != nil {
		out = append(out, ui.Fact{Label: "Recorded at", Value: minus(degrees(p.Lat) + ", " + degrees(p.Lon))})
	}
	if rec.Credit != "" {
		out = append(out, ui.Fact{Label: "Made by", Value: rec.Credit})
	}
	if strings.HasPrefix(rec.SourceURL, "https://") || strings.HasPrefix(rec.SourceURL, "http://") {
		out = append(out, ui.Fact{Label: "Source", Value: rec.SourceURL, URL: rec.SourceURL})
	}
	return out
}

func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }

func summary(rec Recording, row ui.Sound) string {
	c, _ := taxonomy.Find(rec.Category)
	return fmt.Sprintf("%s by %s, %s. %s. Hear it, then license it.", rec.Title, row.Contributor, ui.Length(rec.Seconds), c.Name)
}

// jsonLD describes a public recording to search engines (schema.org AudioObject).
func (p *Pages) jsonLD(rec Recording, page ui.RecordingPage) (string, error) {
	v := map[string]any{
		"@context": "https://schema.org", "@type": "AudioObject", "name": rec.Title, "duration": ui.ISOSeconds(rec.Seconds),
		"url": fmt.Sprintf("%s/recordings/%d", p.Site.URL, rec.ID), "uploadDate": time.UnixMicro(rec.PublishedAt).UTC().Format(time.RFC3339), "creditText": page.Credit,
		"creator": map[string]any{"@type": "Person", "name": page.Scope.Sound.Contributor, "url": p.Site.URL + page.Scope.Sound.ContributorURL},
	}
	if u := page.Scope.Sound.PreviewURL; u != "" {
		v["contentUrl"], v["encodingFormat"] = p.Site.URL+u, "audio/ogg"
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func (p *Pages) packs(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Store.PublicPacks(r.Context(), 60)
	if err != nil {
		return err
	}
	owners := make([]int64, len(list))
	for i, k := range list {
		owners[i] = k.Owner
	}
	people, err := p.People(r.Context(), owners)
	if err != nil {
		return err
	}
	var page ui.PacksPage
	for _, k := range list {
		page.Packs = append(page.Packs, ui.PackCard{Title: k.Name, URL: "/packs/" + strconv.FormatInt(k.ID, 10), By: people[k.Owner].Text, Count: int(k.Count), Bars: k.Bars})
	}
	return p.Site.Page(w, r, web.View{Title: "Packs", Section: ui.SectionPacks, Canonical: "/packs"}, ui.Packs(page))
}

const packRows = 50

func (p *Pages) pack(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	pack, err := p.Store.PackByID(ctx, p.Store.DB, id)
	if err != nil {
		return err
	}
	count, err := p.Store.PublicInPack(ctx, id)
	if err != nil {
		return err
	}
	if count == 0 && access.From(ctx).ID != pack.OwnerID {
		return web.NotFound()
	}
	n := 1
	if text := r.URL.Query().Get("page"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > 10_000 {
			return web.NotFound()
		}
	}
	ids, err := p.Store.InPack(ctx, id, packRows, (n-1)*packRows)
	if err != nil {
		return err
	}
	rows, err := p.Rows(ctx, ids)
	if err != nil {
		return err
	}
	person, err := p.Person(ctx, pack.OwnerID)
	if err != nil {
		return err
	}
	page := ui.PackPage{Title: pack.Name, By: ui.Link{Text: person.Name, URL: person.URL}, DescriptionHTML: HTML(pack.Description), Sounds: rows,
		Facts: []ui.Fact{{Label: "Recordings", Value: ui.Count(int(count))}, {Label: "Opened", Value: ui.Date(pack.CreatedAt)}}}
	pages := (int(count) + packRows - 1) / packRows
	at := "/packs/" + strconv.FormatInt(id, 10) + "?page="
	page.Pager = ui.Pager{Page: n, Pages: pages}
	if n > 1 {
		page.Pager.Prev = at + strconv.Itoa(n-1)
	}
	if n < pages {
		page.Pager.Next = at + strconv.Itoa(n+1)
	}
	var credits []string
	recs, err := p.Store.ByIDs(ctx, ids)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		_, credit, err := p.License(ctx, rec)
		if err != nil {
			return err
		}
		credits = append(credits, credit)
	}
	page.Credits = strings.Join(credits, "\n")
	return p.Site.Page(w, r, web.View{Title: pack.Name, Section: ui.SectionPacks, Canonical: "/packs/" + strconv.FormatInt(id, 10)}, ui.PackBody(page))
}

// InPack lists the published recordings of a pack, newest first.
func (s *Store) InPack(ctx context.Context, pack int64, limit, offset int) ([]int64, error) {
	return db.Query[int64](ctx, s.DB, `SELECT id FROM recording WHERE pack_id = $1 AND state = 'published' ORDER BY published_at DESC, id DESC LIMIT $2 OFFSET $3`, pack, limit, offset)
}

// PublicInPack counts the published recordings of a pack.
func (s *Store) PublicInPack(ctx context.Context, pack int64) (int64, error) {
	return db.Get[int64](ctx, s.DB, `SELECT count(*) FROM recording WHERE pack_id = $1 AND state = 'published'`, pack)
}

// PackSummary is a pack in a list.
type PackSummary struct {
	ID    int64  `db:"id"`
	Name  string `db:"name"`
	Owner int64  `db:"owner_id"`
	Count int64
	Bars  []string
}

// PublicPacks lists packs with published recordings, the one with the newest first, each with up to four row waveforms.
func (s *Store) PublicPacks(ctx context.Context, limit int) ([]PackSummary, error) {
	var out []PackSummary
	for newest := 32 * limit; ; newest *= 8 { // recordings that name the packs: mostly many are of one pack
		ids, err := db.Query[int64](ctx, s.DB, `SELECT pack_id FROM recording WHERE state = 'published' AND pack_id <> 0 ORDER BY published_at DESC, pack_id DESC LIMIT $1`, newest)
		if err != nil {
			return nil, fmt.Errorf("list packs: %w", err)
		}
		all := len(ids) < newest
		if out, err = s.publicPacks(ctx, unique(ids), limit); err != nil {
			return nil, fmt.Errorf("list packs: %w", err)
		}
		if all || len(out) == limit {
			break
		}
	}
	for i := range out {
		pack := &out[i]
		var err error
		if pack.Count, err = s.PublicInPack(ctx, pack.ID); err != nil {
			return nil, fmt.Errorf("list packs: %w", err)
		}
		pack.Bars, err = db.Query[string](ctx, s.DB, `SELECT bars FROM recording WHERE pack_id = $1 AND state = 'published' ORDER BY downloads DESC, id DESC LIMIT 4`, pack.ID)
		if err != nil {
			return nil, fmt.Errorf("list packs: %w", err)
		}
	}
	return out, nil
}

// publicPacks reads the first of some packs whose owners are in good standing, in the order of ids.
func (s *Store) publicPacks(ctx context.Context, ids []int64, limit int) (out []PackSummary, err error) {
	for len(ids) > 0 && len(out) < limit {
		part := ids[:min(len(ids), figuresBatch)]
		ids = ids[len(part):]
		in, args := db.In(1, part)
		packs, err := db.Query[PackSummary](ctx, s.DB, `SELECT p.id, p.name, p.owner_id FROM pack p JOIN account_public a ON a.id = p.owner_id WHERE p.id IN (`+in+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			if i := slices.IndexFunc(packs, func(p PackSummary) bool { return p.ID == id }); i >= 0 && len(out) < limit {
				out = append(out, packs[i])
			}
		}
	}
	return out, nil
}

// unique drops what a list says again.
func unique(list []int64) (out []int64) {
	seen := map[int64]bool{}
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
