package uploads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"audiomicro/internal/access"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// formLimit bounds the body of a form about one recording in bytes; it leaves room for texts that are cut to their limits.
const formLimit = 4 << 20

// Routes lists the contributor's pages and the tus protocol.
func (s *Store) Routes() []web.Route {
	return append(s.TusRoutes(),
		web.Route{Pattern: "GET /upload", Action: access.UseAccount, Handle: s.uploadPage},
		web.Route{Pattern: "POST /upload", Action: access.Upload, Handle: s.uploadForm, Stream: true},
		web.Route{Pattern: "POST /upload/drop/{token}", Action: access.Upload, Handle: s.dropForm},
		web.Route{Pattern: "GET /upload/events", Action: access.UseAccount, Handle: s.events, Stream: true},
		web.Route{Pattern: "GET /upload/describe", Action: access.EditRecording, Handle: s.batchPage},
		web.Route{Pattern: "POST /upload/describe", Action: access.EditRecording, Handle: s.batchForm},
		web.Route{Pattern: "POST /upload/describe/row", Action: access.EditRecording, Handle: s.batchRow},
		web.Route{Pattern: "GET /upload/describe.csv", Action: access.EditRecording, Handle: s.downloadCSV},
		web.Route{Pattern: "POST /upload/describe.csv", Action: access.EditRecording, Handle: s.applyCSV},
		web.Route{Pattern: "GET /my-sounds", Action: access.UseAccount, Handle: s.mySounds},
		web.Route{Pattern: "GET /recordings/{id}/edit", Action: access.EditRecording, Handle: s.editPage},
		web.Route{Pattern: "POST /recordings/{id}/edit", Action: access.EditRecording, Handle: s.editForm},
		web.Route{Pattern: "POST /recordings/{id}/submit", Action: access.EditRecording, Handle: s.act(s.submit)},
		web.Route{Pattern: "POST /recordings/{id}/unpublish", Action: access.EditRecording, Handle: s.act(s.unpublish)},
		web.Route{Pattern: "POST /recordings/{id}/republish", Action: access.EditRecording, Handle: s.act(s.republish)},
		web.Route{Pattern: "POST /recordings/{id}/strip", Action: access.EditRecording, Handle: s.act(s.stripForm)},
		web.Route{Pattern: "POST /recordings/{id}/delete", Action: access.EditRecording, Handle: s.deleteForm},
	)
}

func noIndex(f *ui.Frame) { f.NoIndex, f.Section = true, ui.SectionUpload }

// stack renders components one after the other.
func stack(list ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, c := range list {
			if err := c.Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// below is a card under a page whose component has no place for it.
func below(title string, body templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, `<div class="page">`); err != nil {
			return err
		}
		if err := ui.CardPart(title, "", padded(body)).Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, `</div>`)
		return err
	})
}

func padded(body templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, `<div class="pad">`); err != nil {
			return err
		}
		if err := body.Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, `</div>`)
		return err
	})
}

// Sound is what rows and players need of one's own recording, or of one that a moderator looks at.
func (s *Store) sound(a access.Actor, rec recordings.Recording, contributor string) ui.Sound {
	out := ui.Sound{
		ID: rec.ID, URL: fmt.Sprintf("/recordings/%d", rec.ID), Title: nameOf(rec), Contributor: contributor, ContributorURL: "/people/" + contributor,
		Bars: rec.Bars, Seconds: rec.Seconds,
	}
	out.PreviewURL, out.PreviewLQ = s.Hears(a, rec, false)
	switch rec.Processing {
	case recordings.Queued, recordings.Analyzing:
		out.Unavailable = "being analyzed"
	case recordings.Failed:
		out.Unavailable = "could not be analyzed"
	}
	return out
}

// nameOf is the title, or the file's name while there is none.
func nameOf(rec recordings.Recording) string {
	if rec.Title != "" {
		return rec.Title
	}
	return rec.FileName
}

func editURL(id int64) string { return fmt.Sprintf("/recordings/%d/edit", id) }

func describeURL(ids []int64) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.FormatInt(id, 10)
	}
	return "/upload/describe?ids=" + strings.Join(list, ",")
}

// maxDrafts bounds the lists of the upload page and the sheet.
const maxDrafts = 200

func (s *Store) uploadPage(w http.ResponseWriter, r *http.Request) error {
	return s.showUpload(w, r, 0, nil)
}

func (s *Store) showUpload(w http.ResponseWriter, r *http.Request, status int, note *ui.Note) error {
	a := access.From(r.Context())
	v := web.View{Title: "Upload", Description: "Send recordings to be heard and licensed: WAV, FLAC, AIFF, MP3, Ogg and more, many at once, resumed after a lost connection.", Section: ui.SectionUpload, Canonical: "/upload", Status: status}
	if !a.Confirmed {
		return s.Site.Page(w, r, v, ui.Plain(ui.PlainPage{Title: "Upload recordings", Read: true, Note: &ui.Note{
			Tone: ui.ToneWarn, Text: "Confirm your e-mail address first: follow the link in the mail that we sent.", Links: []ui.Link{{Text: "Send it again", URL: "/settings"}},
		}}, templ.NopComponent))
	}
	page := ui.UploadPage{TusURL: "/uploads/", MaxBytes: s.MaxBytes, Accepted: s.Accepted(), EventsURL: "/upload/events", Note: note}
	if !a.Contributor {
		terms := s.Terms("/upload")
		page.NeedTerms, page.EventsURL = &terms, ""
		return s.Site.Page(w, r, v, stack(ui.Upload(page), below("The terms", ui.Raw(s.TermsHTML))))
	}
	drafts, ready, err := s.drafts(r.Context(), a)
	if err != nil {
		return err
	}
	page.Drafts = drafts
	if len(ready) > 0 {
		slices.Reverse(ready) // as they were uploaded
		page.DescribeURL = describeURL(ready)
	}
	return s.Site.Page(w, r, v, ui.Upload(page))
}

// drafts lists what an account has on its way, newest first, and the ids of those that can be described.
func (s *Store) drafts(ctx context.Context, a access.Actor) (list []ui.Draft, ready []int64, err error) {
	unfinished, err := s.Unfinished(ctx, a.ID)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range unfinished {
		percent := int(u.Received * 100 / u.ByteSize)
		list = append(list, ui.Draft{
			FileName: u.FileName, Bytes: u.ByteSize, State: "uploading", Percent: percent, UploadID: u.Token, DeleteURL: "/upload/drop/" + u.Token, At: u.CreatedAt,
			StateText: fmt.Sprintf("%d %% received", percent),
		})
	}
	for _, state := range []recordings.State{recordings.Draft, recordings.Returned} {
		recs, err := s.Recordings.List(ctx, recordings.Filter{OwnerID: a.ID, State: state, Limit: maxDrafts})
		if err != nil {
			return nil, nil, err
		}
		for _, rec := range recs {
			d := s.draft(a, rec)
			list = append(list, d)
			if rec.Processing == recordings.Ready {
				ready = append(ready, rec.ID)
			}
		}
	}
	return list, ready, nil
}

func (s *Store) draft(a access.Actor, rec recordings.Recording) ui.Draft {
	d := ui.Draft{ID: rec.ID, FileName: rec.FileName, Title: rec.Title, Bytes: rec.ByteSize, Seconds: rec.Seconds, Bars: rec.Bars, URL: editURL(rec.ID), At: rec.CreatedAt}
	d.PreviewURL, _ = s.Hears(a, rec, false)
	d.State, d.StateText, d.Percent = progress(rec)
	if rec.PublishedAt == 0 && (rec.State == recordings.Draft || rec.State == recordings.Returned) {
		d.DeleteURL = fmt.Sprintf("/recordings/%d/delete", rec.ID)
	}
	return d
}

// progress says in a word, a sentence and a percentage where a recording is; pages and events share it.
func progress(rec recordings.Recording) (state, text string, percent int) {
	switch rec.Processing {
	case recordings.Queued:
		return "queued", "Waits for analysis", 0
	case recordings.Analyzing:
		return "analyzing", fmt.Sprintf("Analyzing, %d %%", rec.Progress), int(rec.Progress)
	case recordings.Failed:
		return "failed", rec.ProcessingNote, 0
	}
	switch rec.State {
	case recordings.Submitted:
		return "review", "In review", 100
	case recordings.Returned:
		return "returned", "Returned: " + rec.ReturnNote, 100
	case recordings.Published:
		return "published", "Published", 100
	case recordings.Unpublished:
		return "unpublished", "Unpublished", 100
	}
	return "ready", "Ready to describe", 100
}

// maxFiles is the most files that one plain form may hold.
const maxFiles = 500

// uploadForm takes many files of a plain form. Each is judged by itself: what is refused does not stop the others.
func (s *Store) uploadForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = patientBody{r.Body, http.NewResponseController(w), s.Now}
	mr, err := r.MultipartReader()
	if err != nil {
		return &web.Public{Status: http.StatusBadRequest, Text: "Choose files and send them with the form.", Err: err}
	}
	a := access.From(r.Context())
	var ids []int64
	var repeated, refused []string
	for n := 0; ; {
		part, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &web.Public{Status: http.StatusBadRequest, Text: "The upload broke off. What arrived whole is kept among your drafts.", Err: err}
		}
		if part.FormName() != "files" || part.FileName() == "" {
			continue
		}
		if n++; n > maxFiles {
			return web.Refuse(http.StatusRequestEntityTooLarge, "Send at most %d files at once. Those before are kept among your drafts.", maxFiles)
		}
		taken, err := s.Take(r.Context(), a.ID, part.FileName(), part, Extra{})
		var p *web.Public
		switch {
		case errors.As(err, &p):
			refused = append(refused, baseName(part.FileName())+": "+strings.TrimSuffix(p.Text, " "+s.Accepted()))
		case err != nil:
			return err
		default:
			ids = append(ids, taken.Recording.ID)
			if taken.Repeated {
				repeated = append(repeated, nameOf(taken.Recording))
			}
		}
	}
	switch {
	case len(refused) > 0:
		note := &ui.Note{Tone: ui.ToneBad, Lead: ui.Plural(len(refused), "file was refused.", "files were refused."), Text: refusals(refused) + " " + s.Accepted()}
		if len(ids) > 0 {
			note.Text += " " + ui.Plural(len(ids), "other was taken.", "others were taken.")
		}
		if len(repeated) > 0 {
			note.Text += " You sent this before, it was not taken twice: " + clip(strings.Join(repeated, ", "), 300) + "."
		}
		return s.showUpload(w, r, http.StatusUnprocessableEntity, note)
	case len(ids) == 0:
		return s.showUpload(w, r, http.StatusUnprocessableEntity, &ui.Note{Tone: ui.ToneBad, Text: "Choose at least one file."})
	case len(repeated) > 0:
		web.Notify(w, s.Site.Secure, clip("You sent this before; here is what became of it: "+strings.Join(repeated, ", "), 140))
	}
	if len(ids) == 1 {
		return web.See(w, r, editURL(ids[0]))
	}
	return web.See(w, r, describeURL(ids))
}

// refusals lists what is wrong with files, one sentence each. A folder may hold hundreds that are no sound.
func refusals(list []string) string {
	const most = 20
	if more := len(list) - most; more > 0 {
		list = append(list[:most:most], fmt.Sprintf("And %d more.", more))
	}
	return strings.Join(list, " ")
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// patientBody gives up on a sender that is silent for a minute, however long the whole upload takes.
type patientBody struct {
	io.ReadCloser
	rc  *http.ResponseController
	now func() time.Time
}

func (b patientBody) Read(p []byte) (int, error) {
	b.rc.SetReadDeadline(b.now().Add(time.Minute)) // a server without deadlines refuses this, which is as good
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		// From here on net/http watches the connection, and would take the deadline for its end while the file is still stored.
		b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (s *Store) dropForm(w http.ResponseWriter, r *http.Request) error {
	u, err := s.Find(r.Context(), access.From(r.Context()).ID, r.PathValue("token"))
	if err != nil {
		return err
	}
	if err := s.Drop(r.Context(), u); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The unfinished upload is forgotten.")
	return web.See(w, r, "/upload")
}

// editable finds the recording of the path and asks whether the actor may edit it.
func (s *Store) editable(r *http.Request) (recordings.Recording, error) {
	id, err := web.PathID(r, "id")
	if err != nil {
		return recordings.Recording{}, err
	}
	rec, err := s.Recordings.ByID(r.Context(), s.DB, id)
	if err != nil {
		return rec, err
	}
	return rec, web.Allow(r, rec.Object(false))
}

// act wraps a one-button act on a recording: do answers what to tell and where to go.
func (s *Store) act(do func(r *http.Request, rec recordings.Recording) (told, next string, err error)) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.editable(r)
		if err != nil {
			return err
		}
		if err := web.ParseForm(w, r, formLimit); err != nil {
			return err
		}
		told, next, err := do(r, rec)
		if err != nil {
			return err
		}
		if own := r.PostForm.Get("next"); own != "" {
			next = own
		}
		web.Notify(w, s.Site.Secure, clip(told, 140))
		return web.See(w, r, next)
	}
}
