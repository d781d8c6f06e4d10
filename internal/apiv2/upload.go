package apiv2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"audiomicro/internal/access"
	"audiomicro/internal/uploads"
	"audiomicro/internal/web"
)

// Bounds of what a request may bring beside the file.
const (
	maxFields    = 50
	maxField     = 256 << 10 // bytes of one value
	maxFileName  = 100       // characters
	maxForm      = 1 << 20   // bytes of a form without a file
	silence      = time.Minute
	audioField   = "audiofile"
	required     = "This field is required."
	alreadyThere = "Sound could not be created because the uploaded file is already part of %s."
)

// upload takes one file, and its description when there is one: then the recording goes to review as soon as it is analyzed.
// What is refused leaves nothing behind. The same file again is the same draft while it waits for a description, else 400.
func (f *Face) upload(w http.ResponseWriter, r *http.Request) error {
	actor := access.From(r.Context())
	rc := http.NewResponseController(w)
	r.Body = patient{http.MaxBytesReader(w, r.Body, f.Uploads.MaxBytes+maxForm), rc, f.Site.Now}
	mr, err := r.MultipartReader()
	if err != nil {
		return unsupported(r)
	}
	in, err := f.receive(r.Context(), actor, mr)
	if err == nil {
		err = f.finish(r.Context(), actor, in)
	}
	if err != nil {
		if in.taken != nil && !in.taken.Repeated {
			if derr := f.Uploads.Discard(context.WithoutCancel(r.Context()), in.taken.Recording); derr != nil {
				f.Site.Log.Warn("drop a refused upload", "recording", in.taken.Recording.ID, "err", derr)
			}
		}
		return err
	}
	rec := in.taken.Recording
	if in.described() {
		return answer(w, r, http.StatusCreated, object{{"detail", "Audio file successfully uploaded and described (now pending processing and moderation)."}, {"id", rec.ID}})
	}
	return answer(w, r, http.StatusCreated, object{{"filename", rec.FileName}, {"detail", fmt.Sprintf("Audio file successfully uploaded (%d Bytes, now pending description).", rec.ByteSize)}})
}

// incoming is what an upload brought.
type incoming struct {
	taken *uploads.Taken
	form  url.Values
	wrong faults // with the file
}

// described tells whether the upload says anything about the recording.
func (in incoming) described() bool {
	for _, key := range []string{"name", "tags", "description", "license", "bst_category", "pack", "geotag"} {
		if strings.TrimSpace(in.form.Get(key)) != "" {
			return true
		}
	}
	return false
}

// receive reads the parts in whatever order they come; the file goes straight to its draft.
func (f *Face) receive(ctx context.Context, actor access.Actor, mr *multipart.Reader) (incoming, error) {
	in := incoming{form: url.Values{}, wrong: faults{}}
	for n := 0; ; n++ {
		part, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n == maxFields {
			err = errors.New("too many parts")
		}
		if err != nil {
			return in, broken(err)
		}
		if part.FormName() != audioField || part.FileName() == "" {
			v, err := io.ReadAll(io.LimitReader(part, maxField+1))
			if err != nil || len(v) > maxField {
				return in, broken(err)
			}
			in.form.Add(part.FormName(), text(string(v)))
			continue
		}
		if in.taken != nil || len(in.wrong) > 0 {
			return in, faults{audioField: {"Only one file can be uploaded at once."}}
		}
		if n := utf8.RuneCountInString(part.FileName()); n > maxFileName {
			in.wrong.add(audioField, fmt.Sprintf("Ensure this filename has at most %d characters (it has %d).", maxFileName, n))
			continue
		}
		taken, err := f.Uploads.Take(ctx, actor.ID, part.FileName(), part, uploads.Extra{})
		var p *web.Public
		switch {
		case err == nil:
			in.taken = &taken
		case errors.As(err, &p) && (p.Status == http.StatusUnsupportedMediaType || p.Status == http.StatusUnprocessableEntity):
			in.wrong.add(audioField, p.Text)
		default:
			return in, err
		}
	}
	if in.taken == nil && len(in.wrong) == 0 {
		in.wrong.add(audioField, required)
	}
	return in, in.wrong.orNil()
}

func broken(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &web.Public{Status: http.StatusBadRequest, Text: "Multipart form parse error", Err: err}
}

// finish describes what was received, or leaves it to be described.
func (f *Face) finish(ctx context.Context, actor access.Actor, in incoming) error {
	rec := in.taken.Recording
	if in.taken.Repeated && !describable(rec) {
		return web.Refuse(http.StatusBadRequest, alreadyThere, f.Site.Name)
	}
	if !in.described() {
		return nil
	}
	return f.say(ctx, actor, rec, in.form)
}

// patient gives up on a sender that is silent for a minute, however long the whole upload takes.
type patient struct {
	io.ReadCloser
	rc  *http.ResponseController
	now func() time.Time
}

func (p patient) Read(b []byte) (int, error) {
	_ = p.rc.SetReadDeadline(p.now().Add(silence)) // a server without deadlines refuses this, which is as good
	return p.ReadCloser.Read(b)
}

func unsupported(r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = r.Header.Get("Content-Type")
	}
	return web.Refuse(http.StatusUnsupportedMediaType, "Unsupported media type %q in request.", kind)
}
