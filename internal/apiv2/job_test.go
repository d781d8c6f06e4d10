package apiv2_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestMainJobByPrograms does with an API key and access tokens what the site is for: a file goes up with its description, is
// reviewed, found, heard and downloaded.
func TestMainJobByPrograms(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.FFmpeg = "off" }, func(t *testing.T, s *testkit.Site) {
		maker, reader := s.Account("Maker", "contributor"), s.Account("Reader", "member")
		up, key, down := with(t, s, "Bearer "+maker.Bearer), with(t, s, "token "+reader.Key), with(t, s, "Bearer "+reader.Bearer)
		original := tone(t, 1, 1)

		fields := described("Rain on tin", "rain roof field-recording the and")
		fields["pack"], fields["bst_category"] = `Rain "50 %"`, "ss-n"
		v := want(t, "upload", up.upload("rain.wav", original, fields), http.StatusCreated)
		if v["detail"] != "Audio file successfully uploaded and described (now pending processing and moderation)." {
			t.Errorf("upload: %v", v)
		}
		id := number(t, v["id"])
		here := fmt.Sprintf("/apiv2/sounds/%d/", id)
		want(t, "the sound before review", up.get(here), http.StatusNotFound)
		rec := state(t, s, id, recordings.Submitted)
		pending := want(t, "pending", up.get("/apiv2/sounds/pending_uploads/"), http.StatusOK)
		if list := pending["pending_moderation"].([]any); len(list) != 1 || number(t, list[0].(object)["id"]) != id {
			t.Errorf("pending: %v", pending)
		}
		want(t, "the sound in review", up.get(here), http.StatusNotFound)
		if err := s.Moderation.Approve(t.Context(), access.Actor{}, id); err != nil {
			t.Fatal(err)
		}
		golden(t, s, key.get(here), state(t, s, id, recordings.Published))

		testkit.Eventually(t, "the sound is found", func() bool {
			return number(t, want(t, "search", key.get("/apiv2/search/?query=rain&fields=id"), http.StatusOK)["count"]) == 1
		})
		found := want(t, "search", key.get("/apiv2/search/text/?query=rain"), http.StatusOK)["results"].([]any)[0].(object)
		if len(found) != 5 || found["username"] != "Maker" || found["license"] != "http://creativecommons.org/licenses/by/4.0/" {
			t.Errorf("search: %v", found)
		}
		preview := want(t, "previews", key.get(here+"?fields=previews"), http.StatusOK)["previews"].(object)
		if len(preview) != 4 {
			t.Errorf("previews: %v", preview)
		}
		var tags [3]string // those who ask for an MP3 at once get the same one, made on the way
		var asking sync.WaitGroup
		for i := range tags {
			asking.Go(func() {
				got := key.get(strings.TrimPrefix(preview["preview-hq-mp3"].(string), s.URL))
				if got.Status == http.StatusOK && got.Header.Get("Content-Type") == "audio/mpeg" && len(got.Text) > 16000 {
					tags[i] = got.Header.Get("Etag")
				}
			})
		}
		asking.Wait()
		if tags[0] == "" || tags[1] != tags[0] || tags[2] != tags[0] {
			t.Errorf("MP3 previews: %q", tags)
		}
		for _, authorization := range []string{"", "Token nonsense", "Bearer gone"} {
			got := with(t, s, authorization).get(strings.TrimPrefix(preview["preview-hq-ogg"].(string), s.URL))
			if got.Status != http.StatusOK || !strings.HasPrefix(got.Text, "OggS") || got.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("preview with %q: %d, %d bytes", authorization, got.Status, len(got.Text))
			}
		}
		if base := path.Base(preview["preview-lq-ogg"].(string)); base != fmt.Sprintf("%d_%d-lq.ogg", id, maker.ID) {
			t.Errorf("clients keep the preview as %s", base)
		}

		detail(t, "download with a key", key.get(here+"download/"), http.StatusUnauthorized, "Authentication credentials were not provided.")
		got := down.get(here + "download/?token=" + reader.Key)
		if got.Status != http.StatusOK || got.Text != string(original) {
			t.Errorf("download: %d, %d bytes of %d", got.Status, len(got.Text), len(original))
		}
		if d, typ := got.Header.Get("Content-Disposition"), got.Header.Get("Content-Type"); d != fmt.Sprintf("attachment; filename=%d__maker__rain-on-tin.wav", id) || typ != "application/octet-stream" {
			t.Errorf("download: %s, %s", d, typ)
		}
		license, err := s.Licensing.LicenseFor(t.Context(), s.DB, reader.ID, id)
		if err != nil || license.ModelCode != "cc-by-4.0" {
			t.Errorf("the downloader's license: %+v, %v", license, err)
		}
		n, err := db.Get[int64](t.Context(), s.DB, `SELECT count(*) FROM download WHERE license_id = $1 AND account_id = $2 AND kind = 'api'`, license.ID, reader.ID)
		if err != nil || n != 1 {
			t.Errorf("%d downloads recorded, want 1: %v", n, err)
		}

		again := up.upload("other name.wav", original, fields)
		detail(t, "the same file again", again, http.StatusBadRequest, "Sound could not be created because the uploaded file is already part of AudioMicro.")
		if now, err := s.Recordings.ByID(t.Context(), s.DB, id); err != nil || now.SHA256 != rec.SHA256 || now.State != recordings.Published {
			t.Errorf("after the same file again: %+v, %v", now.State, err)
		}
		me := want(t, "me", up.get("/apiv2/me/"), http.StatusOK)
		if me["username"] != "Maker" || me["email"] != "maker@example.org" || number(t, me["num_sounds"]) != 1 || number(t, me["unique_id"]) != maker.ID {
			t.Errorf("me: %v", me)
		}
	})
}

// golden compares a sound with the contract's picture of it; what differs from run to run is filled in.
func golden(t *testing.T, s *testkit.Site, got testkit.Answer, rec recordings.Recording) {
	t.Helper()
	want(t, "sound", got, http.StatusOK)
	raw, err := os.ReadFile("testdata/sound.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("{B}", s.URL, "{ID}", fmt.Sprint(rec.ID), "{OWNER}", fmt.Sprint(rec.OwnerID), "{FOLDER}", fmt.Sprint(rec.ID/1000), "{MD5}", rec.MD5, "{PACK}", fmt.Sprint(rec.PackID),
		"{CREATED}", time.UnixMicro(rec.PublishedAt).UTC().Format("2006-01-02T15:04:05Z")).Replace(string(raw))
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(got.Text), "", "  "); err != nil {
		t.Fatal(err)
	}
	is, should := strings.Split(b.String(), "\n"), strings.Split(strings.TrimSpace(text), "\n")
	for i := range max(len(is), len(should)) {
		if i >= len(is) || i >= len(should) || is[i] != should[i] {
			t.Fatalf("the sound differs from line %d on:\n%s\nwant\n%s", i+1, strings.Join(is[min(i, len(is)):], "\n"), strings.Join(should[min(i, len(should)):], "\n"))
		}
	}
}

// TestPaidSoundsAreGuarded shows that nothing but the marked preview of a paid recording leaves without a license.
func TestPaidSoundsAreGuarded(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.Moderation = "off" }, func(t *testing.T, s *testkit.Site) {
		maker, reader := s.Account("Maker", "contributor"), s.Account("Reader", "member")
		up, down := with(t, s, "Bearer "+maker.Bearer), with(t, s, "Bearer "+reader.Bearer)
		fields := described("Paid bell", "bell paid metal")
		fields["license"] = "standard"
		original := tone(t, 2, 12)
		id := number(t, want(t, "upload", up.upload("bell.wav", original, fields), http.StatusCreated)["id"])
		rec := state(t, s, id, recordings.Published)
		here := fmt.Sprintf("/apiv2/sounds/%d/", id)
		var marked recordings.Media
		testkit.Eventually(t, "the marked preview is there", func() bool {
			var err error
			marked, err = s.Recordings.MediaNamed(t.Context(), id, recordings.MarkedHQ)
			return err == nil
		})
		sound := want(t, "sound", down.get(here), http.StatusOK)
		if sound["license"] != s.URL+"/licenses/standard" {
			t.Errorf("license: %v", sound["license"])
		}
		for _, who := range []client{with(t, s, ""), down, up} { // the owner too: one address, one sound
			address := sound["previews"].(object)["preview-hq-ogg"].(string)
			got := who.get(strings.TrimPrefix(address, s.URL))
			if got.Status != http.StatusOK || int64(len(got.Text)) != marked.ByteSize || got.Header.Get("Etag") != `"`+marked.SHA256[:32]+`"` {
				t.Errorf("preview: %d, %d bytes, want the %d of the marked one", got.Status, len(got.Text), marked.ByteSize)
			}
		}
		for _, key := range []string{"preview-hq-mp3", "preview-lq-mp3"} {
			mp3, _ := sound["previews"].(object)[key].(string)
			if got := down.get(strings.TrimPrefix(mp3, s.URL)); got.Status != http.StatusOK || got.Header.Get("Content-Type") != "audio/mpeg" {
				t.Errorf("%s: %d %s", key, got.Status, got.Header.Get("Content-Type"))
			}
		}
		refused := want(t, "download without a license", down.get(here+"download/"), http.StatusForbidden)
		if text, _ := refused["detail"].(string); !strings.Contains(text, "license is needed") {
			t.Errorf("download without a license: %v", refused)
		}
		if got := down.do(http.MethodHead, here+"download/", "", nil); got.Status != http.StatusForbidden {
			t.Errorf("HEAD without a license: %d", got.Status)
		}
		if got := up.get(here + "download/"); got.Status != http.StatusOK || got.Text != string(original) {
			t.Errorf("the owner's download: %d", got.Status)
		}
		buy(t, s, "Reader", reader, id)
		if got := down.get(here + "download/"); got.Status != http.StatusOK || got.Text != string(original) {
			t.Errorf("download with a license: %d %.200s", got.Status, got.Text)
		}
		// Taken back by its owner: gone for everybody, but not for who licensed it.
		err := s.DB.Tx(t.Context(), func(tx *db.Tx) error { return s.Recordings.Unpublish(t.Context(), tx, id) })
		if err != nil {
			t.Fatal(err)
		}
		want(t, "unpublished", up.get(here), http.StatusNotFound)
		for _, address := range []string{fmt.Sprintf("/data/previews/%d/%d_%d-hq.ogg", id/1000, id, rec.OwnerID), fmt.Sprintf("/data/displays/%d/%d_%d_wave_M.png", id/1000, id, rec.OwnerID)} {
			want(t, "unpublished "+address, up.get(address), http.StatusNotFound)
		}
		want(t, "unpublished download", with(t, s, "Bearer "+s.Account("Other", "member").Bearer).get(here+"download/"), http.StatusNotFound)
		if got := down.get(here + "download/"); got.Status != http.StatusOK {
			t.Errorf("a licensee's download after that: %d", got.Status)
		}
	})
}

// TestPublicFiles fetches what everybody may have: pictures, and the first seconds where full length is for members.
func TestPublicFiles(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.Moderation, c.MemberPreview = "off", true }, func(t *testing.T, s *testkit.Site) {
		s.Site.Secure = true // as if a proxy took https
		maker := s.Account("Maker", "contributor")
		up := with(t, s, "Bearer "+maker.Bearer)
		id := number(t, want(t, "upload", up.upload("long.wav", tone(t, 7, 40), described("Long tone", "long tone sine")), http.StatusCreated)["id"])
		state(t, s, id, recordings.Published)
		here := fmt.Sprintf("/apiv2/sounds/%d/", id)
		sound := want(t, "sound", up.get(here), http.StatusOK)
		whole, err := s.Recordings.MediaNamed(t.Context(), id, recordings.PreviewHQ)
		if err != nil {
			t.Fatal(err)
		}
		previews := sound["previews"].(object)
		got := up.get(strings.TrimPrefix(previews["preview-hq-ogg"].(string), s.URL))
		if n := int64(len(got.Text)); got.Status != http.StatusOK || !strings.HasPrefix(got.Text, "OggS") || n < whole.ByteSize/2 || n > whole.ByteSize*4/5 || len(previews) != 2 {
			t.Errorf("30 of 40 seconds: %d, %d bytes of %d, %v", got.Status, n, whole.ByteSize, previews)
		}
		for key, address := range sound["images"].(object) {
			kind := "image/png"
			if strings.HasPrefix(key, "spectral") {
				kind = "image/jpeg"
			}
			if got := with(t, s, "").get(strings.TrimPrefix(address.(string), s.URL)); got.Status != http.StatusOK || got.Header.Get("Content-Type") != kind {
				t.Errorf("%s: %d %s", key, got.Status, got.Header.Get("Content-Type"))
			}
		}
		for _, rest := range []string{"-hq.wav", "-mq.ogg", "_wave_X.png", ".ogg", "-hq.ogg/"} {
			if got := up.get(fmt.Sprintf("/data/previews/%d/%d_%d%s", id/1000, id, maker.ID, rest)); got.Status != http.StatusNotFound {
				t.Errorf("%s: %d", rest, got.Status)
			}
		}
		want(t, "another folder", up.get(fmt.Sprintf("/data/previews/%d/%d_%d-hq.ogg", id/1000+1, id, maker.ID)), http.StatusNotFound)
		want(t, "another owner", up.get(fmt.Sprintf("/data/previews/%d/%d_%d-hq.ogg", id/1000, id, maker.ID+1)), http.StatusNotFound)
		plain := client{t, s, http.Header{"Authorization": {"Bearer " + maker.Bearer}, "X-Forwarded-Proto": {"http"}}}
		detail(t, "download without https", plain.get(here+"download/"), http.StatusForbidden, "This resource requires a secure connection (https)")
		want(t, "reading without https", plain.get(here), http.StatusOK)
	})
}

// buy gives an account the Standard license through cart, checkout and the test provider.
func buy(t *testing.T, s *testkit.Site, name string, buyer *testkit.Person, id int64) {
	t.Helper()
	if got := buyer.Post("/sign-in", url.Values{"email": {buyer.Email}, "password": {buyer.Password}}); got.Status != http.StatusSeeOther {
		t.Fatalf("sign in: %d", got.Status)
	}
	buyer.Post("/cart", url.Values{"recording": {fmt.Sprint(id)}, "model": {"standard"}})
	form := url.Values{"licensee": {name}, "project": {"A film"}, "country": {"SE"}, "provider": {"test"}}
	page := buyer.Get("/checkout").Text
	for _, tag := range strings.Split(page, "<input")[1:] {
		tag, _, _ = strings.Cut(tag, ">")
		if n, v := attribute(tag, "name"), attribute(tag, "value"); strings.Contains(tag, `type="hidden"`) && n != "" && !form.Has(n) {
			form.Set(n, v)
		}
	}
	placed := buyer.Post("/checkout", form)
	if !strings.HasPrefix(placed.Location, "/payments/test/") {
		t.Fatalf("checkout: %d to %q: %.500s", placed.Status, placed.Location, placed.Text)
	}
	buyer.Post(placed.Location, url.Values{"decision": {"approve"}})
	testkit.Eventually(t, "the order is paid", func() bool {
		held, err := s.Licensing.Licensed(t.Context(), s.DB, buyer.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		return held
	})
}

func attribute(tag, name string) string {
	_, rest, ok := strings.Cut(tag, " "+name+`="`)
	if !ok {
		return ""
	}
	v, _, _ := strings.Cut(rest, `"`)
	return v
}
