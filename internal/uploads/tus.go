package uploads

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/web"
)

// The tus resumable upload protocol 1.0.0 (https://tus.io/protocols/resumable-upload): core, creation,
// creation-with-upload, checksum, expiration, termination.
const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,creation-with-upload,checksum,termination,expiration"
	tusChecksums  = "sha1,sha256,md5"
	tusType       = "application/offset+octet-stream"
)

var errChecksum = errors.New("checksum mismatch")

// checksum is what a client says about one request's body.
type checksum struct {
	hash hash.Hash
	want []byte
}

func (c *checksum) right() bool { return subtle.ConstantTimeCompare(c.hash.Sum(nil), c.want) == 1 }

func parseChecksum(header string) (*checksum, error) {
	if header == "" {
		return nil, nil
	}
	name, sum, _ := strings.Cut(header, " ")
	want, err := base64.StdEncoding.DecodeString(sum)
	c := &checksum{want: want}
	switch strings.ToLower(name) {
	case "sha1":
		c.hash = sha1.New()
	case "sha256":
		c.hash = sha256.New()
	case "md5":
		c.hash = md5.New()
	}
	if err != nil || c.hash == nil || len(want) != c.hash.Size() {
		return nil, web.Refuse(http.StatusBadRequest, "Upload-Checksum takes %s and the sum in base64.", tusChecksums)
	}
	return c, nil
}

// TusRoutes lists the routes of the protocol.
func (s *Store) TusRoutes() []web.Route {
	route := func(pattern string, act access.Action, h web.Handler) web.Route {
		return web.Route{Pattern: pattern, Action: act, Handle: s.tus(h), API: true, Stream: true, Error: tusError}
	}
	return []web.Route{
		route("OPTIONS /uploads/", access.Look, s.tusOptions),
		route("OPTIONS /uploads/{token}", access.Look, s.tusOptions),
		route("POST /uploads/", access.Upload, s.tusCreate),
		route("HEAD /uploads/{token}", access.Upload, s.tusHead),
		route("PATCH /uploads/{token}", access.Upload, s.tusPatch),
		route("DELETE /uploads/{token}", access.Upload, s.tusDelete),
		// Clients behind old proxies send PATCH and DELETE as POST with X-HTTP-Method-Override.
		route("POST /uploads/{token}", access.Upload, func(w http.ResponseWriter, r *http.Request) error {
			switch r.Header.Get("X-HTTP-Method-Override") {
			case http.MethodPatch:
				return s.tusPatch(w, r)
			case http.MethodDelete:
				return s.tusDelete(w, r)
			}
			return web.Refuse(http.StatusMethodNotAllowed, "Send bytes with PATCH.")
		}),
	}
}

// tus checks the version and answers a mismatch of checksums with the protocol's own status.
func (s *Store) tus(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Tus-Resumable", tusVersion)
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodOptions && r.Header.Get("Tus-Resumable") != tusVersion {
			w.Header().Set("Tus-Version", tusVersion)
			return web.Refuse(http.StatusPreconditionFailed, "This server speaks tus %s: send Tus-Resumable: %s.", tusVersion, tusVersion)
		}
		err := h(w, r)
		switch {
		case errors.Is(err, errChecksum):
			return web.Refuse(460, "The bytes do not have the checksum announced. Nothing of this request was kept; send it again.")
		case errors.Is(err, errLost):
			return web.Refuse(http.StatusLocked, "Another request has taken over this upload. Ask with HEAD how far it is.")
		}
		return err
	}
}

func tusError(w http.ResponseWriter, _ *http.Request, status int, text string) {
	w.Header().Set("Tus-Resumable", tusVersion)
	http.Error(w, text, status)
}

func (s *Store) tusOptions(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Checksum-Algorithm", tusChecksums)
	h.Set("Tus-Max-Size", strconv.FormatInt(s.MaxBytes, 10))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Store) tusCreate(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Upload-Defer-Length") != "" {
		return web.Refuse(http.StatusBadRequest, "This server needs Upload-Length from the start.")
	}
	if r.Header.Get("Upload-Concat") != "" {
		return web.Refuse(http.StatusBadRequest, "This server does not join partial uploads: send the file as one.")
	}
	size, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	if err != nil || size < 0 {
		return web.Refuse(http.StatusBadRequest, "Upload-Length must say how many bytes the file has.")
	}
	name, err := metadata(r.Header.Get("Upload-Metadata"), "filename")
	if err != nil {
		return err
	}
	actor := access.From(r.Context())
	u, err := s.Begin(r.Context(), actor.ID, name, size)
	if err != nil {
		return err
	}
	w.Header().Set("Location", s.Site.URL+"/uploads/"+u.Token)
	if r.Header.Get("Content-Type") == tusType {
		if u, err = s.receiveFrom(w, r, u, 0); err != nil {
			return err
		}
	}
	s.tell(w, u)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// metadata reads one value of the Upload-Metadata header: comma separated pairs of a key and base64.
func metadata(header, key string) (string, error) {
	for _, pair := range strings.Split(header, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if k != key {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return "", web.Refuse(http.StatusBadRequest, "Upload-Metadata: %s is not base64.", key)
		}
		return string(text), nil
	}
	return "upload", nil
}

func (s *Store) tusHead(w http.ResponseWriter, r *http.Request) error {
	u, err := s.Find(r.Context(), access.From(r.Context()).ID, r.PathValue("token"))
	if err != nil {
		return err
	}
	if u.FinishedAt == 0 {
		// Taking the lease stops a connection that is still writing, so that the offset stays what is answered here; and it
		// finishes an upload that a crash left complete.
		if _, err := s.Receive(r.Context(), u, u.Received, strings.NewReader(""), nil); err != nil && !changed(err) {
			return err
		}
		if u, err = s.Find(r.Context(), u.AccountID, u.Token); err != nil {
			return err
		}
	}
	s.tell(w, u)
	w.Header().Set("Upload-Length", strconv.FormatInt(u.ByteSize, 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

// changed tells whether an empty Receive failed only because the upload moved on meanwhile.
func changed(err error) bool {
	var p *web.Public
	return errors.Is(err, errLost) || errors.As(err, &p) && p.Status == http.StatusConflict
}

func (s *Store) tusPatch(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Content-Type") != tusType {
		return web.Refuse(http.StatusUnsupportedMediaType, "Send PATCH bodies as %s.", tusType)
	}
	offset, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 {
		return web.Refuse(http.StatusBadRequest, "Upload-Offset must say where these bytes go.")
	}
	u, err := s.Find(r.Context(), access.From(r.Context()).ID, r.PathValue("token"))
	if err != nil {
		return err
	}
	if u, err = s.receiveFrom(w, r, u, offset); err != nil {
		return err
	}
	s.tell(w, u)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Store) receiveFrom(w http.ResponseWriter, r *http.Request, u Upload, offset int64) (Upload, error) {
	check, err := parseChecksum(r.Header.Get("Upload-Checksum"))
	if err != nil {
		return u, err
	}
	// A client that goes away ends the request's context; what it sent before still counts, so the work goes on without.
	ctx, stop := context.WithCancel(context.WithoutCancel(r.Context()))
	defer stop()
	go func() {
		select {
		case <-s.Site.Closing:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(closingGrace):
			stop()
		case <-ctx.Done():
		}
	}()
	u, err = s.Receive(ctx, u, offset, deadlineReader{r.Body, w}, check)
	if err != nil && ctx.Err() != nil {
		err = &web.Public{Status: http.StatusServiceUnavailable, Text: "The server restarts. Ask with HEAD how far the upload is, and go on from there.", Err: err, RetryAfter: 2 * time.Second}
	}
	return u, err
}

// closingGrace is how long a request may go on sending when the server stops. The protocol resumes, so nobody needs to wait
// for a connection that is slow or dead.
const closingGrace = 2 * time.Second

// deadlineReader is a request body whose pending read can be woken.
type deadlineReader struct {
	io.Reader
	w http.ResponseWriter
}

func (d deadlineReader) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(d.w).SetReadDeadline(t)
}

// Woken is told, before the answer, that a read was woken: net/http may have taken the deadline for the end of the connection
// and canceled everything that comes on it, so it must not be used again.
func (d deadlineReader) Woken() { d.w.Header().Set("Connection", "close") }

// tell sets the headers that say where the upload stands.
func (s *Store) tell(w http.ResponseWriter, u Upload) {
	h := w.Header()
	h.Set("Upload-Offset", strconv.FormatInt(u.Received, 10))
	if u.FinishedAt == 0 {
		h.Set("Upload-Expires", time.UnixMicro(u.ExpiresAt).UTC().Format(http.TimeFormat))
		return
	}
	h.Set("Upload-SHA256", u.SHA256)
	h.Set("Upload-Recording", strconv.FormatInt(u.RecordingID, 10))
	if u.Repeated != 0 {
		h.Set("Upload-Repeated", "1")
	}
}

func (s *Store) tusDelete(w http.ResponseWriter, r *http.Request) error {
	u, err := s.Find(r.Context(), access.From(r.Context()).ID, r.PathValue("token"))
	if err != nil {
		return err
	}
	if err := s.Drop(r.Context(), u); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
