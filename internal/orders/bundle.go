package orders

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/web"
)

// MaxBundle is how many recordings one archive holds: as many as one may download in an hour one by one.
const MaxBundle = 100

// Taken is a recording that an account downloads, and the license that it is under; 0: it is the account's own.
type Taken struct{ Recording, License int64 }

// bundled is a recording of an archive.
type bundled struct {
	rec     licensing.Recording
	license licensing.License // none for one's own
}

func (b bundled) own() bool { return b.license.ID == 0 }

// Bundle sends the originals of recordings as one archive, in their order, with certificates, license texts and the lines to credit. It
// holds what the actor of the request may download one by one: what is licensed, free or the actor's own; free licenses are taken. The
// rest is named in a file of the archive. Each recording counts as a download, in the history, in its number and against the limit.
func (s *Store) Bundle(w http.ResponseWriter, r *http.Request, name string, ids []int64) error {
	ctx, me := r.Context(), access.From(r.Context())
	if len(ids) > MaxBundle {
		return web.Refuse(http.StatusUnprocessableEntity, "An archive holds at most %d sounds.", MaxBundle)
	}
	in, out, err := s.chooseBundle(ctx, me, ids)
	if err != nil {
		return err
	}
	if len(in) == 0 {
		return web.Refuse(http.StatusForbidden, "A license is needed for each of these sounds. Put them into the cart first.")
	}
	limit, key := web.DownloadByBuyer, strconv.FormatInt(me.ID, 10)
	if left, _ := s.Site.Limits.Left(limit, key, s.Now()); !s.Site.Limits.Off && left < len(in) {
		return &web.Public{Status: http.StatusTooManyRequests, RetryAfter: time.Duration(len(in)-left) * limit.Per / time.Duration(limit.Burst),
			Text: fmt.Sprintf("This archive counts as %d downloads, and you have %d left in this hour. Try again later.", len(in), left)}
	}
	if in, err = s.licenseBundle(ctx, me, in); err != nil {
		return err
	}
	taken := make([]Taken, len(in))
	for i, b := range in {
		if err := s.Site.Limits.Take(limit, key, s.Now()); err != nil {
			return err
		}
		taken[i] = Taken{b.rec.ID, b.license.ID}
	}
	if s.Downloaded == nil {
		return errors.New("orders.Store.Downloaded is not set")
	}
	if err := s.Downloaded(ctx, me.ID, taken...); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", attachment(name+".zip"))
	h.Set("Cache-Control", "private, no-store")
	if err := s.writeBundle(ctx, w, in, out); err != nil { // as in downloadZip
		s.Site.Log.Warn("download of several broke off", "recordings", len(in), "err", web.Logged(err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// chooseBundle tells which recordings the actor may download, with the licenses held, and which not.
func (s *Store) chooseBundle(ctx context.Context, me access.Actor, ids []int64) (in []bundled, out []licensing.Recording, err error) {
	offers, err := s.Licensing.OffersOf(ctx, s.DB, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		rec, err := s.recording(ctx, s.DB, id)
		if err != nil {
			return nil, nil, err
		}
		b := bundled{rec: rec}
		if rec.OwnerID != me.ID {
			if b.license, err = s.Licensing.LicenseFor(ctx, s.DB, me.ID, id); err != nil && !errors.Is(err, db.ErrNotFound) {
				return nil, nil, err
			}
		}
		free := slices.ContainsFunc(offers[id], func(o licensing.Offered) bool { return o.Model.IsFree() })
		may := access.Can(me, access.DownloadFile, access.Object{Owner: rec.OwnerID, Public: rec.Published, Free: free, Licensed: !b.own()})
		if rec.OwnerID != me.ID && b.own() && !free {
			may = false // moderators hear everything, but an archive is for whoever holds a license
		}
		if may {
			in = append(in, b)
		} else {
			out = append(out, rec)
		}
	}
	return in, out, nil
}

// licenseBundle takes the free licenses that the account does not hold yet.
func (s *Store) licenseBundle(ctx context.Context, me access.Actor, in []bundled) ([]bundled, error) {
	for i, b := range in {
		if !b.own() || b.rec.OwnerID == me.ID {
			continue
		}
		var err error
		if in[i].license, err = s.Licensing.TakeFree(ctx, me.ID, b.rec.ID, me.Name); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// writeBundle writes the archive as it goes: no file of it is ever held whole.
func (s *Store) writeBundle(ctx context.Context, w io.Writer, in []bundled, out []licensing.Recording) error {
	z := zip.NewWriter(w)
	put := func(name string, at time.Time, body []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at})
		if err == nil {
			_, err = f.Write(body)
		}
		return err
	}
	var credits strings.Builder
	texts := map[string]bool{}
	for _, b := range in {
		at := s.Now().UTC()
		if !b.own() {
			at = time.UnixMicro(b.license.IssuedAt).UTC()
		}
		if err := s.putOriginal(ctx, z, b, at); err != nil {
			return err
		}
		if b.own() {
			fmt.Fprintf(&credits, "%s -- your own recording\r\n", b.rec.Title)
			continue
		}
		papers, err := s.papers(ctx, b.license, b.rec)
		if err != nil {
			return err
		}
		for _, p := range papers {
			name := ""
			switch p.name {
			case "attribution.txt":
				credits.Write(p.body)
				credits.WriteString("\r\n")
				continue
			case "license.md": // once for all recordings under it
				name = fmt.Sprintf("licenses/%s-%d.md", b.license.ModelCode, b.license.ModelVersion)
			default:
				name = "certificates/" + fileName(b.rec, strings.TrimPrefix(p.name, "certificate."))
			}
			if texts[name] {
				continue
			}
			texts[name] = true
			if err := put(name, at, p.body); err != nil {
				return err
			}
		}
	}
	err := put("attribution.txt", s.Now().UTC(), []byte(credits.String()))
	if err == nil && len(out) > 0 {
		text := "These sounds are not in here: a license is needed for each.\r\n\r\n"
		for _, rec := range out {
			text += fmt.Sprintf("%s -- %s/recordings/%d\r\n", rec.Title, s.SiteURL, rec.ID)
		}
		err = put("not-included.txt", s.Now().UTC(), []byte(text))
	}
	return errors.Join(err, z.Close())
}

// putOriginal copies an original into an archive. Sound does not shrink: it is stored, so that the download is as fast as the disk.
func (s *Store) putOriginal(ctx context.Context, z *zip.Writer, b bundled, at time.Time) error {
	from, err := s.Blobs.Open(ctx, blob.Ref(b.rec.SHA256))
	if err != nil {
		return fmt.Errorf("open original of recording %d: %w", b.rec.ID, err)
	}
	defer from.Close()
	to, err := z.CreateHeader(&zip.FileHeader{Name: fileName(b.rec, b.rec.Ext), Method: zip.Store, Modified: at})
	if err == nil {
		_, err = io.Copy(to, from)
	}
	return err
}
