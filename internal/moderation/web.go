package moderation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// formLimit bounds the body of a decision in bytes.
const formLimit = 256 << 10

// queueLength is how many waiting recordings the page lists.
const queueLength = 100

// Routes lists the pages of the review.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /review", Action: access.Review, Handle: s.first},
		{Pattern: "GET /review/{id}", Action: access.Review, Handle: s.one},
		{Pattern: "POST /review/{id}", Action: access.Review, Handle: s.decision},
	}
}

// first shows the recording that waits longest and is not the moderator's own.
func (s *Store) first(w http.ResponseWriter, r *http.Request) error {
	if err := web.Allow(r, access.Object{}); err != nil {
		return err
	}
	d, err := s.desk(r.Context())
	if err != nil {
		return err
	}
	id := d.next(0, access.From(r.Context()).ID)
	if id == 0 && len(d.queue) > 0 {
		id = d.queue[0].RecordingID
	}
	return s.show(w, r, d, id, caseForm{})
}

func (s *Store) one(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	rec, err := s.Recordings.ByID(r.Context(), s.DB, id)
	if err != nil {
		return err
	}
	if err := web.AllowTo(r, access.SeeRecording, rec.Object(false)); err != nil {
		return err
	}
	d, err := s.desk(r.Context())
	if err != nil {
		return err
	}
	if rec.State != recordings.Submitted {
		web.Notify(w, s.Site.Secure, "That recording does not wait for review any more.")
		return web.See(w, r, "/review")
	}
	return s.show(w, r, d, id, caseForm{})
}

// caseForm is what a moderator typed.
type caseForm struct {
	reason, note string
	errs         []ui.FormError
}

func (s *Store) decision(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	rec, err := s.Recordings.ByID(r.Context(), s.DB, id)
	if err != nil {
		return err
	}
	by := access.From(r.Context())
	if by.ID == rec.OwnerID {
		return errOwn()
	}
	if err := web.Allow(r, rec.Object(false)); err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	d, err := s.desk(r.Context())
	if err != nil {
		return err
	}
	f := caseForm{reason: r.PostForm.Get("reason"), note: recordings.CleanText(r.PostForm.Get("note"), maxNote)}
	told := ""
	switch r.PostForm.Get("decision") {
	case "approve":
		err = s.decide(r.Context(), by, id, Approved, "", f.note)
		told = rec.Title + " is published."
	case "return":
		if f.errs = f.check(); len(f.errs) > 0 {
			return s.show(w, r, d, id, f)
		}
		err = s.Return(r.Context(), by, id, f.reason, f.note)
		told = rec.Title + " is returned to its contributor."
	default:
		return web.Refuse(http.StatusBadRequest, "Approve the recording or return it.")
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, told)
	if next := d.next(id, by.ID); next != 0 {
		return web.See(w, r, caseURL(next))
	}
	return web.See(w, r, "/review")
}

// check fills an empty note with the reason's own words.
func (f *caseForm) check() []ui.FormError {
	list := Reasons()
	i := slices.IndexFunc(list, func(v Reason) bool { return v.Code == f.reason })
	if i < 0 {
		return []ui.FormError{{Field: "reason", Text: "Choose why it is returned."}}
	}
	if f.note == "" {
		f.note = list[i].Text
	}
	if f.note == "" {
		return []ui.FormError{{Field: "note", Text: "Write what the contributor can do."}}
	}
	return nil
}

func caseURL(id int64) string { return fmt.Sprintf("/review/%d", id) }

// desk is the queue with what its lines show.
type desk struct {
	queue   []Review
	recs    map[int64]recordings.Recording
	names   map[int64]string
	waiting int64
}

func (s *Store) desk(ctx context.Context) (desk, error) {
	d := desk{recs: map[int64]recordings.Recording{}}
	var err error
	if d.queue, err = s.Queue(ctx, queueLength); err != nil {
		return d, err
	}
	if d.waiting, err = s.Waiting(ctx); err != nil {
		return d, err
	}
	ids := make([]int64, len(d.queue))
	for i, v := range d.queue {
		ids[i] = v.RecordingID
	}
	list, err := s.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return d, err
	}
	owners := make([]int64, len(list))
	for i, rec := range list {
		d.recs[rec.ID], owners[i] = rec, rec.OwnerID
	}
	d.names, err = s.names(ctx, owners)
	return d, err
}

// next finds the recording after id in the queue, from the start when there is none after it, that is not account's own; 0: none.
func (d desk) next(id, account int64) int64 {
	at := slices.IndexFunc(d.queue, func(v Review) bool { return v.RecordingID == id })
	for i := range d.queue {
		v := d.queue[(at+1+i)%len(d.queue)]
		if v.RecordingID != id && d.recs[v.RecordingID].OwnerID != account {
			return v.RecordingID
		}
	}
	return 0
}

// names reads account names from the view that accounts publishes; closed accounts have none.
func (s *Store) names(ctx context.Context, ids []int64) (map[int64]string, error) {
	type row struct {
		ID   int64  `db:"id"`
		Name string `db:"name"`
	}
	in, args := db.In(1, ids)
	rows, err := db.Query[row](ctx, s.DB, `SELECT id, name FROM account_public WHERE id IN (`+in+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("names of accounts: %w", err)
	}
	out := map[int64]string{}
	for _, r := range rows {
		out[r.ID] = r.Name
	}
	return out, nil
}

func nameOr(name string) string {
	if name == "" {
		return "closed account"
	}
	return name
}

func (s *Store) show(w http.ResponseWriter, r *http.Request, d desk, id int64, f caseForm) error {
	page := ui.ReviewPage{Waiting: int(d.waiting)}
	now := s.Now()
	if len(d.queue) > 0 {
		page.Oldest = "oldest waits " + age(now, d.queue[0].SubmittedAt)
	}
	if s.Reported != nil {
		var err error
		if page.Reported, err = s.Reported(r.Context()); err != nil {
			return err
		}
	}
	for _, v := range d.queue {
		rec := d.recs[v.RecordingID]
		page.Queue = append(page.Queue, ui.ReviewItem{
			Sound: ui.Sound{ID: rec.ID, Title: rec.Title, Contributor: nameOr(d.names[rec.OwnerID]), Bars: rec.Bars, Seconds: rec.Seconds},
			URL:   caseURL(rec.ID), Age: age(now, v.SubmittedAt), Note: v.Flag, Current: rec.ID == id,
		})
	}
	v := web.View{Title: "Review", Edit: func(f *ui.Frame) { f.NoIndex = true }}
	if id != 0 {
		c, err := s.reviewCase(r.Context(), d, id, f)
		if err != nil {
			return err
		}
		page.Case = &c
	}
	if len(f.errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, v, ui.Review(page))
}

// age says how long ago in the largest unit that fits.
func age(now time.Time, at int64) string {
	d := max(now.Sub(time.UnixMicro(at)), 0)
	switch {
	case d < time.Minute:
		return "a moment"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// reviewCase gathers the evidence on one recording.
func (s *Store) reviewCase(ctx context.Context, d desk, id int64, f caseForm) (ui.ReviewCase, error) {
	actor := access.From(ctx)
	rec, err := s.Recordings.ByID(ctx, s.DB, id)
	if err != nil {
		return ui.ReviewCase{}, err
	}
	reviews, err := s.History(ctx, id)
	if err != nil {
		return ui.ReviewCase{}, err
	}
	tags, err := s.Recordings.Tags(ctx, s.DB, id)
	if err != nil {
		return ui.ReviewCase{}, err
	}
	rows, err := s.Rows(ctx, []int64{id})
	if err != nil {
		return ui.ReviewCase{}, err
	}
	c := ui.ReviewCase{
		DescriptionHTML: recordings.HTML(rec.Description), Action: caseURL(id), NoteText: f.note, Errors: f.errs, Own: rec.OwnerID == actor.ID,
		Sent: "submitted " + age(s.Now(), rec.SubmittedAt) + " ago",
	}
	if len(rows) == 1 {
		c.Scope = ui.Scope{Sound: rows[0], BigBars: rec.Wave}
		rec.ScopeMedia(&c.Scope)
	}
	for _, t := range tags {
		c.Tags = append(c.Tags, ui.Link{Text: t})
	}
	c.Reasons = []ui.Option{{Value: "", Label: "Choose"}}
	for _, v := range Reasons() {
		c.Reasons = append(c.Reasons, ui.Option{Value: v.Code, Label: v.Label, Selected: v.Code == f.reason})
	}
	if next := d.next(id, actor.ID); next != 0 {
		c.NextURL = caseURL(next)
	}
	if c.Facts, err = s.facts(ctx, rec); err != nil {
		return c, err
	}
	if err := s.uploader(ctx, &c, rec); err != nil {
		return c, err
	}
	if err := s.compare(ctx, &c, rec, reviews); err != nil {
		return c, err
	}
	c.Log, err = s.log(ctx, reviews)
	return c, err
}

// facts lists what the contributor chose and what was measured.
func (s *Store) facts(ctx context.Context, rec recordings.Recording) ([]ui.Fact, error) {
	offers, err := s.Offers(ctx, rec.ID)
	if err != nil {
		return nil, err
	}
	out := []ui.Fact{{Label: "Licenses", Value: strings.Join(offers, ", ")}}
	if c, ok := taxonomy.Find(rec.Category); ok {
		out = append(out, ui.Fact{Label: "Category", Value: c.Group + ", " + c.Name})
	}
	if rec.PackID != 0 {
		p, err := s.Recordings.PackByID(ctx, s.DB, rec.PackID)
		if err != nil {
			return nil, err
		}
		out = append(out, ui.Fact{Label: "Pack", Value: p.Name})
	}
	out = append(out, ui.Fact{Label: "Format", Value: format(rec)})
	if rec.LUFS != nil {
		out = append(out, ui.Fact{Label: "Loudness", Value: fmt.Sprintf("%.1f LUFS", *rec.LUFS)})
	}
	if rec.TruePeak != nil {
		out = append(out, ui.Fact{Label: "True peak", Value: fmt.Sprintf("%.1f dBTP", *rec.TruePeak)})
	}
	if p := rec.Place(); p != nil {
		out = append(out, ui.Fact{Label: "Recorded at", Value: p.String()})
	}
	if rec.Credit != "" {
		out = append(out, ui.Fact{Label: "Credit", Value: rec.Credit})
	}
	if rec.SourceURL != "" {
		out = append(out, ui.Fact{Label: "Source", Value: rec.SourceURL})
	}
	return append(out, ui.Fact{Label: "Rights", Value: rec.Rights}, ui.Fact{Label: "AI training", Value: rec.AITraining}, ui.Fact{Label: "File", Value: rec.FileName, Mono: true}), nil
}

func format(rec recordings.Recording) string {
	out := strings.ToUpper(rec.Container)
	if rec.SampleRate > 0 {
		out += fmt.Sprintf(", %g kHz", float64(rec.SampleRate)/1000)
	}
	if rec.BitDepth > 0 {
		out += fmt.Sprintf(", %d bit", rec.BitDepth)
	}
	if rec.Channels > 0 {
		out += ", " + ui.Plural(int(rec.Channels), "channel", "channels")
	}
	return out
}

// uploader tells who sent the recording and what became of what they sent before.
func (s *Store) uploader(ctx context.Context, c *ui.ReviewCase, rec recordings.Recording) error {
	type person struct {
		Name  string `db:"name"`
		Since int64  `db:"since"`
	}
	p, err := db.Get[person](ctx, s.DB, `SELECT name, since FROM account_public WHERE id = $1`, rec.OwnerID)
	switch {
	case errors.Is(err, db.ErrNotFound):
		c.By = ui.Link{Text: nameOr("")}
	case err != nil:
		return fmt.Errorf("contributor of recording %d: %w", rec.ID, err)
	default:
		c.By = ui.Link{Text: p.Name, URL: "/people/" + p.Name}
		c.PersonURL = c.By.URL
		c.Uploader = append(c.Uploader, ui.Fact{Label: "Member since", Value: ui.ShortDate(p.Since)})
	}
	counts, err := s.Recordings.CountStates(ctx, rec.OwnerID)
	if err != nil {
		return err
	}
	approved, returned, err := s.Record(ctx, rec.OwnerID)
	if err != nil {
		return err
	}
	c.Uploader = append(c.Uploader,
		ui.Fact{Label: "Public recordings", Value: ui.Count(int(counts[recordings.Published]))},
		ui.Fact{Label: "Waiting", Value: ui.Count(int(counts[recordings.Submitted]))},
		ui.Fact{Label: "Approved before", Value: ui.Count(int(approved))},
		ui.Fact{Label: "Returned before", Value: ui.Count(int(returned))})
	return nil
}

// compare lays the recording beside the one that its flag names.
func (s *Store) compare(ctx context.Context, c *ui.ReviewCase, rec recordings.Recording, reviews []Review) error {
	if len(reviews) == 0 || reviews[0].Flag == "" {
		return nil
	}
	c.Flag = &ui.Tag{Text: flagText(reviews[0].Flag), Tone: ui.ToneWarn}
	other, err := s.Recordings.ByID(ctx, s.DB, reviews[0].MatchID)
	if errors.Is(err, db.ErrNotFound) {
		c.Note = &ui.Note{Tone: ui.ToneWarn, Text: "The recording that matched was deleted since."}
		return nil
	}
	if err != nil {
		return err
	}
	c.Note = &ui.Note{Tone: ui.ToneWarn, Lead: "What matched:", Text: map[string]string{
		SameBytes: "two people sent the same file to the byte.", SameSound: "files of two people decode to the same samples.",
	}[reviews[0].Flag]}
	if reviews[0].Flag == Copied {
		if c.Note.Text, err = s.copied(ctx, rec.ID, other.ID); err != nil {
			return err
		}
	}
	first := "The other one came first."
	if rec.CreatedAt < other.CreatedAt {
		first = "This one came first."
	}
	c.Note.Text += " " + first
	for _, one := range []struct {
		why string
		rec recordings.Recording
	}{{"This one", rec}, {"The other", other}} {
		rows, err := s.Rows(ctx, []int64{one.rec.ID})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			continue
		}
		c.Matches = append(c.Matches, ui.ReviewMatch{Sound: rows[0], Why: one.why + ": " + rows[0].Contributor, Facts: []ui.Fact{
			{Label: "Uploaded", Value: ui.DateTime(one.rec.CreatedAt)}, {Label: "State", Value: string(one.rec.State)}, {Label: "Format", Value: format(one.rec)},
			{Label: "File", Value: one.rec.FileName, Mono: true}, {Label: "SHA-256", Value: one.rec.SHA256[:min(16, len(one.rec.SHA256))], Mono: true},
		}})
	}
	return nil
}

// copied says how much of two recordings sounds the same.
func (s *Store) copied(ctx context.Context, id, other int64) (string, error) {
	copies, err := s.Recordings.Copies(ctx, s.DB, id)
	if err != nil {
		return "", err
	}
	for _, c := range copies {
		if c.Recording.ID == other {
			return fmt.Sprintf("the fingerprints of both agree in %.1f %% of their bits over %s. It may be a copy, a part or a re-encoding: listen to both.",
				100*(1-c.BitError), ui.Clock(c.Seconds)), nil
		}
	}
	return "the fingerprints of both agreed when it was submitted. Listen to both.", nil
}

func flagText(flag string) string {
	switch flag {
	case SameBytes:
		return "Same file as another"
	case Copied:
		return "Sounds like a copy"
	}
	return "Same sound as another"
}

// log tells what was decided before, newest first.
func (s *Store) log(ctx context.Context, reviews []Review) ([]ui.LogLine, error) {
	var ids []int64
	for _, v := range reviews {
		ids = append(ids, v.ReviewerID)
	}
	names, err := s.names(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []ui.LogLine
	for _, v := range reviews {
		who := names[v.ReviewerID]
		if v.ReviewerID == 0 {
			who = "operator"
		}
		switch v.State {
		case Approved:
			out = append(out, ui.LogLine{At: v.DecidedAt, Who: who, Text: "Approved"})
		case Returned:
			out = append(out, ui.LogLine{At: v.DecidedAt, Who: who, Text: "Returned: " + v.Note})
		}
		out = append(out, ui.LogLine{At: v.SubmittedAt, Text: "Submitted"})
	}
	return out, nil
}

// Log lists what happened in a recording's reviews, newest first, for its owner and for moderators; who decided is told to
// moderators only.
func (s *Store) Log(ctx context.Context, recording int64, moderator bool) ([]ui.LogLine, error) {
	reviews, err := s.History(ctx, recording)
	if err != nil {
		return nil, err
	}
	lines, err := s.log(ctx, reviews)
	if !moderator {
		for i := range lines {
			lines[i].Who = ""
		}
	}
	return lines, err
}
