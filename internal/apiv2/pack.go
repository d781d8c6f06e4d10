package apiv2

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/listening"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// maxPack bounds the sounds of one archive.
const maxPack = 1000

// readmeName is the file of an archive that names its sounds and their licenses.
const readmeName = "_readme_and_license.txt"

// packDownload sends the originals of a pack as one archive, under the same rules as one by one: a sound for which a license is
// missing refuses the whole, by name.
func (f *Face) packDownload(w http.ResponseWriter, r *http.Request) error {
	k, count, owner, err := f.publicPack(r)
	if err != nil {
		return err
	}
	if count > maxPack {
		return web.Refuse(http.StatusRequestEntityTooLarge, "This pack has %d sounds; archives hold up to %d. Download its sounds one by one.", count, maxPack)
	}
	list, err := f.Recordings.InPack(r.Context(), k.ID, maxPack, 0)
	if err != nil {
		return err
	}
	recs, err := f.publishedOf(r, list)
	if err != nil {
		return err
	}
	me := access.From(r.Context())
	if err := f.Site.Limits.Take(web.DownloadByBuyer, strconv.FormatInt(me.ID, 10), f.Site.Now()); err != nil {
		return err
	}
	licenses := make([]int64, len(recs))
	for i, rec := range recs {
		if licenses[i], err = f.mayHave(r, rec, r.Method == http.MethodGet); err != nil {
			return err
		}
	}
	readme, err := f.readme(r.Context(), k, owner, recs)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fmt.Sprintf("%d__%s__%s.zip", k.ID, listening.Slug(owner), listening.Slug(k.Name))}))
	h.Set("Cache-Control", "private, no-store")
	if r.Method == http.MethodHead {
		return nil
	}
	err = f.Recordings.DB.Tx(r.Context(), func(tx *db.Tx) error {
		for i, rec := range recs {
			if err := f.Listening.Record(r.Context(), tx, rec, me.ID, licenses[i], listening.ByZip); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := f.writeZip(r.Context(), w, recs, owner, readme); err != nil {
		// The answer has begun: a cut connection is the only way to say that it is not whole.
		f.Site.Log.Warn("download of a pack broke off", "pack", k.ID, "err", web.Logged(err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (f *Face) writeZip(ctx context.Context, w io.Writer, recs []recordings.Recording, owner, readme string) error {
	z := zip.NewWriter(w)
	for _, rec := range recs {
		// Sound does not shrink: it is stored, so that the download is as fast as the disk.
		to, err := z.CreateHeader(&zip.FileHeader{Name: listening.FileName(rec, owner), Method: zip.Store, Modified: time.UnixMicro(rec.PublishedAt).UTC()})
		if err == nil {
			err = f.copyOriginal(ctx, to, rec)
		}
		if err != nil {
			return err
		}
	}
	to, err := z.Create(readmeName)
	if err == nil {
		_, err = io.WriteString(to, readme)
	}
	return errors.Join(err, z.Close())
}

func (f *Face) copyOriginal(ctx context.Context, to io.Writer, rec recordings.Recording) error {
	from, err := f.Listening.Blobs.Open(ctx, blob.Ref(rec.SHA256))
	if err != nil {
		return fmt.Errorf("original of recording %d: %w", rec.ID, err)
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

// readme says what is in an archive and under which licenses.
func (f *Face) readme(ctx context.Context, k recordings.Pack, owner string, recs []recordings.Recording) (string, error) {
	a, err := f.around(ctx, recs)
	if err != nil {
		return "", err
	}
	var b, each strings.Builder
	fmt.Fprintf(&b, "Sound pack downloaded from %s\n---------------------------------------\n\n\"%s\"\n\nThis pack contains sounds by the following user:\n - %s (%s)\n\n",
		f.Site.Name, k.Name, owner, f.at("/people/%s", owner))
	if k.Description != "" {
		fmt.Fprintf(&b, "Pack description\n----------------\n\n%s\n\n", k.Description)
	}
	var used []string
	for _, rec := range recs {
		deed := f.license(a.offers[rec.ID])
		if !slices.Contains(used, deed) {
			used = append(used, deed)
		}
		fmt.Fprintf(&each, "  * %s\n    * url: %s\n    * license: %s\n", listening.FileName(rec, owner), f.at("/s/%d/", rec.ID), deed)
	}
	b.WriteString("Licenses in this pack (see below for individual sounds)\n-------------------------------------------------------\n\n")
	for _, deed := range used {
		b.WriteString(" - " + deed + "\n")
	}
	b.WriteString("\n\nSounds in this pack\n-------------------\n\n" + each.String())
	return b.String(), nil
}
