package collections_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/listening"
	"audiomicro/internal/money"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
)

// unzip reads an archive: contents by name.
func (s site) unzip(got testkit.Answer) map[string]string {
	s.t.Helper()
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "application/zip" {
		s.t.Fatalf("archive: %d %s %.200s", got.Status, got.Header, got.Text)
	}
	z, err := zip.NewReader(strings.NewReader(got.Text), int64(len(got.Text)))
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		if _, twice := out[f.Name]; twice {
			s.t.Errorf("%s is in the archive twice", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			s.t.Fatal(err)
		}
		data, err := io.ReadAll(r) // checks the CRC too
		if err != nil {
			s.t.Fatal(err)
		}
		out[f.Name] = string(data)
	}
	return out
}

// originals tells which of the site's recordings are in an archive, byte for byte, by their first letters.
func (s site) originals(files map[string]string) string {
	out := ""
	for i, id := range s.ids {
		rec, err := s.Recordings.ByID(s.t.Context(), s.DB, id)
		if err != nil {
			s.t.Fatal(err)
		}
		for name, data := range files {
			if sum := sha256.Sum256([]byte(data)); strings.HasPrefix(name, fmt.Sprintf("%d-", id)) && hex.EncodeToString(sum[:]) == rec.SHA256 {
				out += "ABC"[i : i+1]
			}
		}
	}
	return out
}

// downloads are an account's recorded downloads as "recording kind", sorted.
func (s site) downloads(who *testkit.Person) []string {
	s.t.Helper()
	list, err := s.Listening.Of(s.t.Context(), who.ID, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, d := range list {
		if (d.LicenseID == 0) != (who == s.maker) {
			s.t.Errorf("download under license %d", d.LicenseID)
		}
		out = append(out, fmt.Sprint(d.RecordingID, " ", d.Kind))
	}
	slices.Sort(out)
	return out
}

// TestCollectionAsArchive downloads a collection as each who may and may not: what is in it, what is left out, how it counts.
func TestCollectionAsArchive(t *testing.T) {
	each(t, func(s site) {
		path := s.fill("Wood & bark")
		zipped := func(ids ...int64) (out []string) {
			for _, id := range ids {
				out = append(out, fmt.Sprint(id, " ", listening.ByZip))
			}
			slices.Sort(out)
			return out
		}
		s.holds(s.fan, path, []string{"One sound is left out: it needs a license."}, nil)
		got := s.fan.Post(path+"/download", url.Values{"page": {"1"}})
		files := s.unzip(got)
		if got.Header.Get("Content-Disposition") != `attachment; filename="wood-bark.zip"` {
			s.t.Errorf("named %s", got.Header.Get("Content-Disposition"))
		}
		if in := s.originals(files); in != "AC" {
			s.t.Errorf("originals of %q in %v", in, files)
		}
		text, wanted := files["attribution.txt"], files["not-included.txt"]
		if strings.Count(text, "License: ") != 2 || !strings.Contains(text, "Alder creak by Maker") || strings.Contains(text, "Birch") {
			s.t.Errorf("credits: %s", text)
		}
		if !strings.Contains(wanted, "Birch knock, paid -- "+s.URL+"/recordings/"+fmt.Sprint(s.ids[1])) {
			s.t.Errorf("left out: %s", wanted)
		}
		count := map[string]int{}
		for name := range files {
			folder, _, _ := strings.Cut(name, "/")
			count[folder]++
		}
		if count["certificates"] != 4 || count["licenses"] != 1 || len(files) != 2+4+1+2 {
			s.t.Errorf("files: %v", count)
		}
		if have := s.downloads(s.fan); !slices.Equal(have, zipped(s.ids[0], s.ids[2])) {
			s.t.Errorf("recorded: %v", have)
		}
		rec, err := s.Recordings.ByID(t.Context(), s.DB, s.ids[0])
		if err != nil || rec.Downloads != 1 {
			s.t.Errorf("%d downloads counted: %v", rec.Downloads, err)
		}
		// With a license it is in.
		err = s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := s.Licensing.Issue(t.Context(), tx, licensing.Grant{AccountID: s.fan.ID, RecordingID: s.ids[1], Code: "standard", Price: money.Of(0, "USD"), Licensee: "Fan"})
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
		files = s.unzip(s.fan.Post(path+"/download", url.Values{"page": {"1"}}))
		if in := s.originals(files); in != "ABC" || files["not-included.txt"] != "" || strings.Count(files["attribution.txt"], "License: ") != 3 {
			s.t.Errorf("with a license: %q, %s", in, files["attribution.txt"])
		}
		s.post(s.fan, path+"/download", http.StatusNotFound, "page", "0")
		s.post(s.other, path+"/download", http.StatusNotFound, "page", "1")
		s.post(s.fan, path, http.StatusSeeOther, "act", "share", "shared", "public")
		if got := s.post(s.Visitor(), path+"/download", http.StatusSeeOther, "page", "1"); got.Location != "/sign-in?next="+url.QueryEscape(path) {
			s.t.Errorf("a visitor is led to %s", got.Location)
		}
		// Whose recordings they are has them without a license; a moderator has what anybody has.
		files = s.unzip(s.maker.Post(path+"/download", url.Values{"page": {"1"}}))
		if in := s.originals(files); in != "ABC" || len(files) != 4 || len(s.downloads(s.maker)) != 3 {
			s.t.Errorf("one's own: %q, %v", in, files)
		}
		if in := s.originals(s.unzip(s.mod.Post(path+"/download", url.Values{"page": {"1"}}))); in != "AC" {
			s.t.Errorf("a moderator: %q", in)
		}
		s.bundleLimit(path)
	})
}

// bundleLimit shows that an archive counts as many downloads as it holds, and is refused before anything is taken.
func (s site) bundleLimit(path string) {
	s.Site.Site.Limits.Off = false
	defer func() { s.Site.Site.Limits.Off = true }()
	for range web.DownloadByBuyer.Burst - 1 {
		if err := s.Site.Site.Limits.Take(web.DownloadByBuyer, strconv.FormatInt(s.other.ID, 10), time.Now()); err != nil {
			s.t.Fatal(err)
		}
	}
	got := s.post(s.other, path+"/download", http.StatusTooManyRequests, "page", "1")
	if !strings.Contains(got.Text, "counts as 2 downloads") || got.Header.Get("Retry-After") == "" {
		s.t.Errorf("over the limit: %s %s", got.Header, got.Text)
	}
	if held, err := s.Licensing.Held(s.t.Context(), s.DB, s.other.ID); err != nil || len(held) != 0 || len(s.downloads(s.other)) != 0 {
		s.t.Errorf("a refused archive took %v: %v", held, err)
	}
}
