package people_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/people"
	"audiomicro/internal/personal"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// place is a site with nothing but people; the header As says who asks.
type place struct {
	t     *testing.T
	db    *db.DB
	store *people.Store
	blobs blob.Store
	url   string
}

func each(t *testing.T, f func(t *testing.T, p *place)) {
	t.Helper()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		now := func() time.Time { return today }
		blobs, err := blob.OpenLocal(t.TempDir(), now)
		must(t, err)
		p := &place{t: t, db: d, blobs: blobs}
		site := &web.Site{Name: "Test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: now}
		p.store = &people.Store{DB: d, Blobs: blobs, Feed: &feed.Feed{DB: d, Now: now}, Site: site, Now: now}
		site.Mount(p.store.Routes()...)
		site.Actor = func(r *http.Request) (access.Actor, error) {
			switch r.Header.Get("As") {
			case "mara":
				return access.Actor{ID: 1, Name: "Mara", Role: access.Member, Session: 7}, nil
			case "jona":
				return access.Actor{ID: 2, Name: "Jona", Role: access.Member, Session: 8}, nil
			case "program":
				return access.Actor{ID: 1, Name: "Mara", Role: access.Member, Credential: 9}, nil
			}
			return access.Actor{}, nil
		}
		for id, name := range []string{1: "Mara", 2: "Jona", 3: "Gone", 4: "\u65e5\u672c\u8a9e"} {
			if name == "" {
				continue
			}
			state := "active"
			if name == "Gone" {
				state = "suspended"
			}
			_, err := db.Exec(t.Context(), d, `INSERT INTO account (id, name, name_folded, email, email_folded, password_hash, role, state, age_band, adult_on,
				contributor_since, contributor_terms, theme, created_at, confirmed_at, signed_in_at) VALUES ($1, $2, $3, $2, $2, 'x', 'member', $4, 'adult', 0, 0, 0, '', $5, 1, 0)`,
				id, name, strings.ToLower(name), state, today.UnixMicro())
			must(t, err)
		}
		server := httptest.NewServer(site)
		t.Cleanup(server.Close)
		p.url = server.URL
		f(t, p)
	})
}

func (p *place) do(as, method, path, kind string, body []byte) (int, string, http.Header) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+path, bytes.NewReader(body))
	must(p.t, err)
	req.Header.Set("As", as)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	must(p.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(p.t, err)
	return res.StatusCode, string(text), res.Header
}

func (p *place) get(as, path string) (int, string, http.Header) {
	p.t.Helper()
	return p.do(as, "GET", path, "", nil)
}

func (p *place) save(as, form string) (int, string) {
	p.t.Helper()
	status, text, _ := p.do(as, "POST", "/settings/profile", "application/x-www-form-urlencoded", []byte(form))
	return status, text
}

func (p *place) upload(as string, file []byte) (int, string) {
	p.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	w, err := m.CreateFormFile("picture", "../../etc/me.svg")
	must(p.t, err)
	_, err = w.Write(file)
	must(p.t, err)
	must(p.t, m.Close())
	status, text, _ := p.do(as, "POST", "/settings/profile/picture", m.FormDataContentType(), body.Bytes())
	return status, text
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		p.store.Sounds = func(_ context.Context, owner int64, page int) ([]ui.Sound, int, error) {
			if owner != 1 || page > 3 {
				return nil, 0, nil
			}
			return []ui.Sound{{ID: 5, Title: fmt.Sprintf("Rain on page %d", page), URL: "/recordings/5"}}, 60, nil
		}
		for path, want := range map[string]int{
			"/people/Mara": 200, "/people/mara": 301, "/people/nobody": 404, "/people/Gone": 404, "/people/Mara?page=3": 200,
			"/people/Mara?page=0": 404, "/people/Mara?page=x": 404, "/people/%E6%97%A5%E6%9C%AC%E8%AA%9E": 200, "/people/%ff": 404, "/people/Mara/picture": 404,
		} {
			if status, _, h := p.get("", path); status != want {
				t.Errorf("%s: %d, want %d; %s", path, status, want, h.Get("Location"))
			}
		}
		if _, _, h := p.get("", "/people/m%D0%B0r%D0%B0?page=2"); h.Get("Location") != "/people/Mara?page=2" {
			t.Errorf("a look-alike leads to %q", h.Get("Location"))
		}
		_, text, _ := p.get("", "/people/Mara?page=2")
		for _, part := range []string{"member since November 2026 · 60 sounds", "Rain on page 2", "/people/Mara?page=3", "/people/Mara?page=1"} {
			if !strings.Contains(text, part) {
				t.Errorf("the page lacks %q", part)
			}
		}

		if status, _ := p.save("mara", "display_name=Mara+Lind&bio=I+record+rain.%0D%0A%0D%0A%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE&website=https://example.org/~mara"); status != 303 {
			t.Fatalf("save: %d", status)
		}
		_, text, _ = p.get("mara", "/people/Mara")
		for _, part := range []string{"<h1>Mara Lind</h1>", "@Mara", "<p>I record rain.</p><p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", `href="https://example.org/~mara"`, "Edit profile"} {
			if !strings.Contains(text, part) {
				t.Errorf("the page lacks %q", part)
			}
		}
		for name, c := range map[string]struct{ form, want string }{
			"javascript":   {"website=javascript:alert(1)", "not a web address"},
			"data":         {"website=data:text/html,x", "not a web address"},
			"no host":      {"website=https://", "not a web address"},
			"with a user":  {"website=https://a:b@example.org", "not a web address"},
			"quote":        {"website=https://example.org/%22", "not a web address"},
			"long name":    {"display_name=" + strings.Repeat("x", 61), "at most 60"},
			"long bio":     {"bio=" + strings.Repeat("x", 2001), "2001 characters; 2000 fit"},
			"1 MB of text": {"bio=" + strings.Repeat("x", 1<<20), "larger than the site accepts"},
		} {
			status, text := p.save("mara", c.form)
			if status != 422 && status != 413 || !strings.Contains(text, c.want) {
				t.Errorf("%s: %d", name, status)
			}
		}
		for as, want := range map[string]int{"": 303, "program": 403} {
			if status, _ := p.save(as, "bio=x"); status != want {
				t.Errorf("%q saves: %d, want %d", as, status, want)
			}
		}
		got, err := p.store.ByIDs(t.Context(), []int64{1, 2, 3, 99})
		must(t, err)
		if len(got) != 2 || got[1].Shown() != "Mara Lind" || got[2].Shown() != "Jona" {
			t.Errorf("ByIDs: %+v", got)
		}
	})
}

func TestPicture(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		if status, _ := p.upload("mara", photo(t, 6)); status != 303 {
			t.Fatalf("upload: %d", status)
		}
		_, page, _ := p.get("", "/people/Mara")
		_, after, ok := strings.Cut(page, `src="/people/Mara/picture?v=`)
		if !ok {
			t.Fatal("the page shows no picture")
		}
		version, _, _ := strings.Cut(after, `"`)
		status, small, h := p.get("", "/people/Mara/picture?v="+version)
		if status != 200 || h.Get("Content-Type") != "image/jpeg" || !strings.Contains(h.Get("Cache-Control"), "max-age") || strings.Contains(small, "Exif") {
			t.Fatalf("picture: %d %v", status, h)
		}
		img, err := jpeg.Decode(strings.NewReader(small))
		must(t, err)
		if img.Bounds() != image.Rect(0, 0, 256, 256) {
			t.Fatalf("size %v", img.Bounds())
		}
		// The camera held sideways: red lies left in the file and belongs on top.
		top, _, _, _ := img.At(128, 20).RGBA()
		bottom, _, _, _ := img.At(128, 235).RGBA()
		if top < 0xC000 || bottom > 0x4000 {
			t.Errorf("the picture lies on its side: %x, %x", top, bottom)
		}

		// The same picture of two people is one blob; it goes with the last of them.
		ref := picture(t, p, 1)
		if status, _ := p.upload("jona", photo(t, 6)); status != 303 || picture(t, p, 2) != ref {
			t.Fatal("the second upload")
		}
		if status, _ := p.upload("mara", see(t)); status != 303 {
			t.Fatal("a see-through PNG")
		}
		if _, _, h := p.get("", "/people/Mara/picture"); h.Get("Content-Type") != "image/png" || h.Get("Cache-Control") != "public, no-cache" {
			t.Errorf("see-through picture: %v", h)
		}
		_, err = p.blobs.Stat(t.Context(), blob.Ref(ref))
		must(t, err)
		if status, _, _ := p.do("jona", "POST", "/settings/profile/picture/remove", "", nil); status != 303 {
			t.Fatalf("remove: %d", status)
		}
		if _, err := p.blobs.Stat(t.Context(), blob.Ref(ref)); err == nil {
			t.Error("a picture that nobody shows is kept")
		}
		refs, err := people.Blobs(t.Context(), p.db)
		must(t, err)
		if len(refs) != 1 {
			t.Errorf("pictures %v", refs)
		}
	})
}

func picture(t *testing.T, p *place, account int64) string {
	t.Helper()
	got, err := p.store.Profile(t.Context(), account)
	must(t, err)
	return got.Picture
}

func TestHostilePictures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		var loop bytes.Buffer
		must(t, gif.Encode(&loop, image.NewPaletted(image.Rect(0, 0, 3, 900), []color.Color{color.Black, color.White}), nil))
		if status, _ := p.upload("mara", loop.Bytes()); status != 303 {
			t.Fatalf("a slim GIF: %d", status)
		}
		before := picture(t, p, 1)
		for name, c := range map[string]struct {
			file []byte
			want string
		}{
			"empty":        {nil, "Choose a picture"},
			"svg":          {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "not a PNG"},
			"html":         {[]byte("<!doctype html><script>alert(1)</script>"), "not a PNG"},
			"pixel flood":  {flood(60000, 60000), "up to 40 million fit"},
			"cut off":      {photo(t, 1)[:2000], "damaged or cut off"},
			"too many":     {bytes.Repeat([]byte{0}, people.MaxPictureBytes+1), "larger than 10 MB"},
			"far too many": {bytes.Repeat([]byte{0}, people.MaxPictureBytes+1<<20), "larger than 10 MB"},
		} {
			status, text := p.upload("mara", c.file)
			if status != 422 || !strings.Contains(text, c.want) {
				t.Errorf("%s: %d", name, status)
			}
		}
		for as, want := range map[string]int{"": 303, "program": 403} {
			if status, _ := p.upload(as, photo(t, 1)); status != want {
				t.Errorf("%q uploads: %d, want %d", as, status, want)
			}
		}
		if status, _, _ := p.do("mara", "POST", "/settings/profile/picture", "text/plain", []byte("x")); status != 400 {
			t.Errorf("no form: %d", status)
		}
		if picture(t, p, 1) != before {
			t.Error("a refused file replaced the picture")
		}
	})
}

func TestPersonal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		tables, err := p.db.Tables(t.Context())
		must(t, err)
		for _, problem := range personal.Undeclared(map[string][]string{"profile": tables["profile"]}, []personal.Declaration{people.Personal()}, nil) {
			t.Error(problem)
		}
	})
}

// photo is a JPEG, red on the left and black on the right, with an Exif orientation.
func photo(t testing.TB, orientation uint16) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	for y := range 300 {
		for x := range 400 {
			if x < 200 {
				img.Set(x, y, color.RGBA{255, 0, 0, 255})
			} else {
				img.Set(x, y, color.Black)
			}
		}
	}
	var buf bytes.Buffer
	must(t, jpeg.Encode(&buf, img, nil))
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	exif = append(exif, byte(orientation>>8), byte(orientation), 0, 0, 0, 0, 0, 0)
	out := append([]byte{0xFF, 0xD8, 0xFF, 0xE1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	return append(append(out, exif...), buf.Bytes()[2:]...)
}

// see is a PNG that is see-through.
func see(t testing.TB) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	img.Set(20, 15, color.NRGBA{0, 255, 0, 128})
	var buf bytes.Buffer
	must(t, png.Encode(&buf, img))
	return buf.Bytes()
}

// flood is the header of a PNG that declares more than anybody has memory for.
func flood(width, height uint32) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), width), height)
	head = append(head, 8, 6, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}
