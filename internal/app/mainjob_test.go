package app_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// flac renders one of the program's own sounds as a FLAC file.
func flac(t *testing.T, n int) []byte {
	t.Helper()
	sound := synth.Catalog()[n]
	var b bytes.Buffer
	if err := synth.WriteFLAC(&b, sound.Render(), synth.SampleRate); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var inputs = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)

// hiddenValues reads the hidden fields of a page's forms.
func hiddenValues(page string) url.Values {
	v := url.Values{}
	for _, tag := range inputs.FindAllString(page, -1) {
		name, value := attr(tag, "name"), attr(tag, "value")
		if name != "" && !v.Has(name) {
			v.Set(name, value)
		}
	}
	return v
}

func attr(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return m[1]
}

// TestMainJob does by plain forms, without a script, what the program is for: a FLAC goes in, a licensed copy comes out.
func TestMainJob(t *testing.T) {
	testkit.EachSite(t, nil, mainJob)
}

// TestMainJobOnS3 does it on PostgreSQL and a real S3 server together.
func TestMainJobOnS3(t *testing.T) {
	t.Parallel()
	bucket := testkit.S3(t)
	s := testkit.NewSite(t, db.Postgres, func(c *config.Config) { c.Blobs = bucket })
	mainJob(t, s)
	if d, err := s.Doctor(t.Context(), true); err != nil || len(d.Problems) > 0 || d.Read < 5 {
		t.Errorf("doctor: %+v, %v", d, err)
	}
	if left, err := filepath.Glob(filepath.Join(s.Config.Data, "blobs", "*")); err != nil || len(left) > 0 {
		t.Errorf("bytes beside the bucket: %v, %v", left, err)
	}
}

func mainJob(t *testing.T, s *testkit.Site) {
	maker, judge, buyer, stranger := s.Person("Maker", "contributor"), s.Person("Judge", "moderator"), s.Person("Buyer", "member"), s.Visitor()
	original := flac(t, 0)

	if got := maker.Upload(map[string][]byte{"temple bell.flac": original}); got.Status != http.StatusSeeOther {
		t.Fatalf("upload: %d %s", got.Status, got.Text)
	}
	list, err := s.Recordings.List(t.Context(), recordings.Filter{OwnerID: maker.ID})
	if err != nil || len(list) != 1 {
		t.Fatalf("drafts: %v, %v", list, err)
	}
	id := list[0].ID
	read := func() recordings.Recording {
		rec, err := s.Recordings.ByID(t.Context(), s.DB, id)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Processing == recordings.Failed {
			t.Fatalf("analysis failed: %s", rec.ProcessingNote)
		}
		return rec
	}
	testkit.Eventually(t, "the recording is analyzed", func() bool { return read().Processing == recordings.Ready })

	edit := fmt.Sprintf("/recordings/%d/edit", id)
	form := url.Values{"title": {"Temple bell"}, "description": {"One **strike**."}, "tags": {"bell, temple, bronze"}, "category": {"fx-o"}, "offer": {"standard"},
		"price-standard": {"3"}, "rights": {"on"}, "act": {"submit"}}
	if got := maker.Post(edit, form); got.Status != http.StatusSeeOther {
		t.Fatalf("submit: %d %s", got.Status, got.Text)
	}
	if got := maker.Post(fmt.Sprintf("/review/%d", id), url.Values{"decision": {"approve"}}); got.Status != http.StatusNotFound {
		t.Errorf("a contributor reviews: %d", got.Status)
	}
	if got := judge.Post(fmt.Sprintf("/review/%d", id), url.Values{"decision": {"approve"}}); got.Status != http.StatusSeeOther {
		t.Fatalf("approve: %d %s", got.Status, got.Text)
	}
	testkit.Eventually(t, "the recording is found", func() bool { return strings.Contains(stranger.Get("/search?q=bronze").Text, "Temple bell") })
	testkit.Eventually(t, "the marked preview is there", func() bool {
		_, err := s.Recordings.MediaNamed(t.Context(), id, recordings.MarkedHQ)
		return err == nil
	})

	rec := read()
	media := "/media/" + rec.Token + "/"
	if page := stranger.Get(fmt.Sprintf("/recordings/%d", id)); page.Status != http.StatusOK || !strings.Contains(page.Text, "<strong>strike</strong>") ||
		!strings.Contains(page.Text, media+recordings.MarkedHQ) || strings.Contains(page.Text, recordings.PreviewHQ) {
		t.Errorf("a stranger's page of the recording: %d %s", page.Status, page.Text)
	}
	for _, name := range []string{recordings.PreviewHQ, recordings.PreviewLQ} {
		for who, p := range map[string]*testkit.Person{"visitor": stranger, "buyer before": buyer} {
			if got := p.Get(media + name); got.Status < 300 {
				t.Errorf("%s hears the unmarked %s: %d", who, name, got.Status)
			}
		}
		if got := maker.Get(media + name); got.Status != http.StatusOK {
			t.Errorf("the owner's %s: %d", name, got.Status)
		}
	}
	if got := stranger.Do("GET", media+recordings.MarkedHQ, http.Header{"Range": {"bytes=0-3"}}, nil); got.Status != http.StatusPartialContent || got.Text != "OggS" {
		t.Errorf("range of the marked preview: %d %q", got.Status, got.Text)
	}

	buy(t, s, buyer, id)
	testkit.Eventually(t, "the license is in the library", func() bool { return strings.Contains(buyer.Get("/library").Text, "Temple bell") })

	held, err := s.Licensing.Held(t.Context(), s.DB, buyer.ID)
	if err != nil || len(held) != 1 {
		t.Fatalf("licenses: %v, %v", held, err)
	}
	checkZip(t, s, buyer, held[0].ID, "Temple bell", original)
	if got := buyer.Get(media + recordings.PreviewHQ); got.Status != http.StatusOK {
		t.Errorf("the licensee's unmarked preview: %d", got.Status)
	}
	for who, p := range map[string]*testkit.Person{"visitor": stranger, "contributor": maker} {
		if got := p.Get(fmt.Sprintf("/library/%d/original", held[0].ID)); got.Status == http.StatusOK {
			t.Errorf("%s downloads under somebody else's license", who)
		}
	}
	if page := stranger.Get("/verify/" + held[0].Number); page.Status != http.StatusOK || !strings.Contains(page.Text, "Temple bell") {
		t.Errorf("the certificate's page: %d", page.Status)
	}
	// 35 % of $3.00 is $1.05.
	if page := maker.Get("/earnings"); page.Status != http.StatusOK || !strings.Contains(page.Text, "$1.05") {
		t.Errorf("earnings: %d %s", page.Status, page.Text)
	}
	if problems, err := s.Ledger.Check(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("the book: %v, %v", problems, err)
	}
}

// buy licenses one recording under Standard: cart, checkout, and the test provider's page.
func buy(t *testing.T, s *testkit.Site, buyer *testkit.Person, id int64) {
	t.Helper()
	if got := buyer.Post("/cart", url.Values{"recording": {fmt.Sprint(id)}, "model": {"standard"}}); got.Status != http.StatusSeeOther {
		t.Fatalf("cart: %d %s", got.Status, got.Text)
	}
	pay := hiddenValues(buyer.Get("/checkout").Text)
	for k, v := range map[string]string{"licensee": "Bea Buyer", "project": "The Ferry", "country": "SE", "provider": "test"} {
		pay.Set(k, v)
	}
	placed := buyer.Post("/checkout", pay)
	if placed.Status != http.StatusSeeOther || !strings.HasPrefix(placed.Location, "/payments/test/") {
		t.Fatalf("checkout: %d to %s: %s", placed.Status, placed.Location, placed.Text)
	}
	if got := buyer.Post(placed.Location, url.Values{"decision": {"approve"}}); got.Status != http.StatusSeeOther {
		t.Fatalf("pay: %d %s", got.Status, got.Text)
	}
	testkit.Eventually(t, "the order is paid", func() bool {
		held, err := s.Licensing.Held(t.Context(), s.DB, buyer.ID)
		if err != nil {
			t.Fatal(err)
		}
		return len(held) > 0
	})
}

// checkZip downloads a license's zip and compares the original in it byte by byte, and the certificate with the key.
func checkZip(t *testing.T, s *testkit.Site, buyer *testkit.Person, license int64, title string, original []byte) {
	t.Helper()
	got := buyer.Get(fmt.Sprintf("/library/%d/download", license))
	if got.Status != http.StatusOK {
		t.Fatalf("download: %d %s", got.Status, got.Text)
	}
	z, err := zip.NewReader(strings.NewReader(got.Text), int64(len(got.Text)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name[strings.LastIndex(f.Name, ".")+1:]] = data
	}
	if !bytes.Equal(files["flac"], original) {
		t.Errorf("the downloaded original has %d bytes, the uploaded %d, and they differ", len(files["flac"]), len(original))
	}
	keys, err := s.Licensing.PublicKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := certificate.Verify(files["json"], keys...)
	sum := sha256.Sum256(original)
	if err != nil || cert.Recording.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("certificate: %+v, %v", cert, err)
	}
	if _, err := certificate.Verify(bytes.Replace(files["json"], []byte("Bea"), []byte("Bob"), 1), keys...); err == nil {
		t.Error("an altered certificate verifies")
	}
	if !bytes.HasPrefix(files["pdf"], []byte("%PDF-")) || !strings.Contains(string(files["txt"]), title) {
		t.Errorf("papers in the zip: %d bytes of PDF, text %q", len(files["pdf"]), files["txt"])
	}
	n, err := db.Get[int64](t.Context(), s.DB, `SELECT count(*) FROM download WHERE license_id = $1 AND account_id = $2`, license, buyer.ID)
	if err != nil || n != 1 {
		t.Errorf("%d downloads recorded, want 1: %v", n, err)
	}
}
