package uploads_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"audiomicro/internal/audio/meta"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/blob"
	"audiomicro/internal/config"
	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/uploads"
)

// TestUploadForm sends files without script: each is judged by itself.
func TestUploadForm(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, func(c *config.Config) { c.MaxUpload = 100_000 }, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		res := ann.Upload(map[string][]byte{"good.wav": tone(t, 100), "page.wav": []byte("<html><script>alert(1)</script>"), "empty.flac": nil, `<b>"big".wav`: bytes.Repeat(tone(t, 101), 4)})
		wants(t, res, 422, "3 files were refused.", "page.wav:", "empty.flac: empty.flac is empty", "larger than the 100 kB", "1 other was taken.", "good.wav", "&lt;b&gt;")
		if strings.Contains(res.Text, "<b>\"big") {
			t.Error("a file's name is not escaped")
		}
		text := map[string][]byte{"good again.wav": tone(t, 100)}
		for i := range 25 {
			text[fmt.Sprintf("note %d.txt", i)] = []byte("no sound")
		}
		res = ann.Upload(text)
		wants(t, res, 422, "25 files were refused.", "And 5 more.", "You sent this before, it was not taken twice: good")
		if n := strings.Count(res.Text, "This site accepts"); n > 2 { // once in the note, once on the page
			t.Errorf("what is accepted is said %d times", n)
		}
		if left, err := s.Blobs.ListStages(context.Background(), s.Now().Add(1e12)); err != nil || len(left) != 0 {
			t.Errorf("stages of refused files: %v, %v", left, err)
		}
		wants(t, ann.Upload(map[string][]byte{}), 422, "Choose at least one file.")
		if res := ann.Post("/upload", url.Values{"files": {"x"}}); res.Status != http.StatusBadRequest {
			t.Errorf("a form without files: %d", res.Status)
		}
		if res := s.Person("Mia", "member").Upload(map[string][]byte{"a.wav": tone(t, 1)}); res.Status != http.StatusForbidden {
			t.Errorf("a member without the terms uploads: %d", res.Status)
		}
		if res := s.Visitor().Upload(map[string][]byte{"a.wav": tone(t, 1)}); res.Status != http.StatusSeeOther || !strings.HasPrefix(res.Location, "/sign-in") {
			t.Errorf("a visitor uploads: %d %s", res.Status, res.Location)
		}
		mia := s.Person("Mio", "member")
		wants(t, mia.Get("/upload"), 200, "Become a contributor", "You stay the owner")
	})
}

// TestSameBytes: one's own are the existing draft, another person's are flagged for review.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, bob, mod := s.Person("Ann", "contributor"), s.Person("Bob", "contributor"), s.Person("Mod", "moderator")
		first := draft(t, ann, "bell.wav", 110)
		if again := draft(t, ann, "bell copy.wav", 110); again.ID != first.ID || again.FileName != "bell.wav" {
			t.Fatalf("the same bytes again: recording %d %q, want %d", again.ID, again.FileName, first.ID)
		}
		wants(t, ann.Get("/upload"), 200, "You sent this before")
		other := draft(t, bob, "stolen.wav", 110)
		if other.ID == first.ID {
			t.Fatal("Bob got Ann's draft")
		}
		ready(t, s, other.ID)
		form := described("Stolen bell")
		form.Set("act", "submit")
		if res := bob.Post(fmt.Sprintf("/recordings/%d/edit", other.ID), form); res.Location != "/my-sounds" {
			t.Fatalf("submit: %d %s", res.Status, res.Text)
		}
		wants(t, mod.Get("/review"), 200, "Same file as another", "two people sent the same file", "The other one came first.", "Ann", "Stolen bell", "bell.wav")
		if text := bob.Get("/my-sounds").Text; strings.Contains(text, ">Ann<") || strings.Contains(text, "ame file") {
			t.Error("Bob is told about Ann's file")
		}
	})
}

// tagged is a WAV with a LIST INFO chunk and a bext chunk that name people.
func tagged(t *testing.T, seed int) []byte {
	t.Helper()
	wav := tone(t, seed)
	chunk := func(id string, data []byte) []byte {
		out := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
		return append(append(out, data...), make([]byte, len(data)%2)...)
	}
	info := append([]byte("INFO"), chunk("INAM", []byte("Bell in the yard\x00"))...)
	info = append(info, chunk("IART", []byte("Jane Doe\x00"))...)
	info = append(info, chunk("ICRD", []byte("2025-05-03\x00"))...)
	info = append(info, chunk("IKEY", []byte("bell, iron; yard\x00"))...)
	bext := make([]byte, 602)
	copy(bext, "Rung by hand")
	copy(bext[256:], "Jane Doe's recorder")
	wav = append(wav, chunk("LIST", info)...)
	wav = append(wav, chunk("bext", bext)...)
	binary.LittleEndian.PutUint32(wav[4:], uint32(len(wav)-8))
	return wav
}

// TestTagsOfFile: the draft carries what the file says, and personal fields are taken out without touching the sound.
func TestTagsOfFile(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ann := context.Background(), s.Person("Ann", "contributor")
		data := tagged(t, 120)
		taken, err := s.Uploads.Take(ctx, ann.ID, "yard.wav", bytes.NewReader(data), uploads.Extra{})
		if err != nil {
			t.Fatal(err)
		}
		rec := ready(t, s, taken.Recording.ID)
		if rec.Title != "Bell in the yard" || rec.Description != "Rung by hand\n\nBy Jane Doe, 2025-05-03." {
			t.Errorf("draft %q, %q", rec.Title, rec.Description)
		}
		edit := fmt.Sprintf("/recordings/%d/edit", rec.ID)
		page := ann.Get(edit)
		wants(t, page, 200, "Personal data in the file", "Jane Doe", "2025-05-03", "bell, iron")
		form := described("Bell")
		form.Set("personal", "1") // and no field is kept
		if res := ann.Post(edit, form); res.Status != http.StatusSeeOther {
			t.Fatalf("save: %d %s", res.Status, res.Text)
		}
		got := find(t, s, rec.ID)
		if got.SHA256 == rec.SHA256 || got.MD5 == rec.MD5 || got.ByteSize >= rec.ByteSize {
			t.Fatalf("the file is the same: %s, %d bytes", got.SHA256, got.ByteSize)
		}
		f, err := s.Blobs.Open(ctx, blob.Ref(got.SHA256))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		tags, err := meta.Read(f, f.Size(), sniff.Kind{Container: "wav", Codec: "pcm"})
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range tags.Fields {
			if field.Personal {
				t.Errorf("%s is still there: %q", field.Name, field.Value)
			}
		}
		kept := make([]byte, f.Size())
		f.ReadAt(kept, 0)
		sound := tone(t, 120)[44:]
		if !bytes.Contains(kept, sound) || bytes.Contains(kept, []byte("Jane")) {
			t.Error("the sound changed, or the name is still in the file")
		}
		if _, err := s.Blobs.Stat(ctx, blob.Ref(rec.SHA256)); err == nil {
			t.Error("the file with the name is still there")
		}
		if page := ann.Get(edit).Text; strings.Contains(page, "Personal data in the file") || strings.Contains(page, "Jane") {
			t.Error("the page still shows what was taken out")
		}
		if _, err := s.Uploads.Take(ctx, ann.ID, "yard.wav", bytes.NewReader(data), uploads.Extra{}); err != nil {
			t.Fatalf("the same file again, whose bytes are in the trash: %v", err)
		}
		if _, err := s.Blobs.Stat(ctx, blob.Ref(rec.SHA256)); err != nil {
			t.Errorf("bytes of a draft: %v", err)
		}
		publish(t, s, ann, rec.ID)
		if res := ann.Post(fmt.Sprintf("/recordings/%d/strip", rec.ID), nil); res.Status != http.StatusSeeOther {
			t.Errorf("strip with nothing to strip: %d", res.Status)
		}
		if err := s.Uploads.Strip(ctx, rec.ID, []string{"x"}); err == nil {
			t.Error("the file of a published recording was changed")
		}
	})
}

// publish submits a described recording and approves it as the operator.
func publish(t *testing.T, s *testkit.Site, p *testkit.Person, id int64) {
	t.Helper()
	if res := p.Post(fmt.Sprintf("/recordings/%d/submit", id), nil); res.Status != http.StatusSeeOther {
		t.Fatalf("submit: %d %s", res.Status, res.Text)
	}
	if err := s.Moderation.Approve(context.Background(), operator, id); err != nil {
		t.Fatal(err)
	}
}

// TestSubmitBeforeAnalysis: what is described before its analysis is done goes to review by itself.
func TestSubmitBeforeAnalysis(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		rec := draft(t, ann, "soon.wav", 170)
		form := described("Soon")
		form.Set("act", "submit")
		if res := ann.Post(fmt.Sprintf("/recordings/%d/edit", rec.ID), form); res.Location != "/my-sounds" {
			t.Fatalf("%d %s", res.Status, res.Text)
		}
		testkit.Eventually(t, "it is submitted", func() bool { return find(t, s, rec.ID).State == recordings.Submitted })
		list, err := s.Moderation.Queue(context.Background(), 10)
		if err != nil || len(list) != 1 || list[0].RecordingID != rec.ID {
			t.Errorf("queue %v, %v", list, err)
		}
	})
}

// TestPlace tells where a recording was made in its form: what is no place is refused and shown again, a sheet that has no such cell leaves it, an
// empty field takes it back.
func TestPlace(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		rec := draft(t, ann, "here.wav", 180)
		at := fmt.Sprintf("/recordings/%d/edit", rec.ID)
		save := func(place string) testkit.Answer {
			form := described("Here")
			form.Set("place", place)
			return ann.Post(at, form)
		}
		for _, place := range []string{"in the <woods>", "41.4", "91, 2", "41, 181", "NaN, 2", "1,2,3,4", "1,2,x"} {
			if res := save(place); res.Status != 422 || !strings.Contains(res.Text, "latitude and longitude in degrees") || find(t, s, rec.ID).Place() != nil {
				t.Errorf("%q: %d", place, res.Status)
			}
		}
		if res := save("in the <woods>"); !strings.Contains(res.Text, "in the &lt;woods&gt;") {
			t.Error("what was typed is not shown again")
		}
		if res := save(" 41.40 ,-0.0000001"); res.Status != 303 {
			t.Fatalf("a place: %d %s", res.Status, res.Text)
		}
		wants(t, ann.Get(at), 200, `value="41.4, 0"`)
		row := url.Values{"id": {fmt.Sprint(rec.ID)}, "title": {"There"}}
		ann.Post(fmt.Sprintf("/upload/describe/row?ids=%d", rec.ID), row)
		if got := find(t, s, rec.ID); got.Title != "There" || got.Place().String() != "41.4, 0" {
			t.Errorf("after the sheet: %s at %s", got.Title, got.Place())
		}
		if res := save(""); res.Status != 303 || find(t, s, rec.ID).Place() != nil {
			t.Errorf("taken back: %d, %v", res.Status, find(t, s, rec.ID).Place())
		}
	})
}

// TestHostileText sends what breaks pages and databases through every field of the form.
func TestHostileText(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, mod := s.Person("Ann", "contributor"), s.Person("Mod", "moderator")
		rec := draft(t, ann, "x.wav", 130)
		ready(t, s, rec.ID)
		edit := fmt.Sprintf("/recordings/%d/edit", rec.ID)
		for name, text := range map[string]string{
			"script": `"><script>alert(1)</script><img src=x onerror=alert(2)>[x](javascript:alert(3))`,
			"rtl":    "abc\u202egnp.exe\u2066\u200f",
			"nul":    "a\x00b\x01c",
			"broken": "caf\xe9 \xff\xfe",
			"long":   strings.Repeat("wide ", 200_000),
		} {
			t.Run(name, func(t *testing.T) {
				form := described(text)
				form["tags"] = []string{"bell, metal, short, " + text}
				form["description"], form["pack"], form["price-standard"] = []string{text}, []string{text}, []string{"9"}
				res := ann.Post(edit, form)
				if name == "script" || name == "long" { // no tag can be that long: the rest is saved without it
					if res.Status != http.StatusUnprocessableEntity || !strings.Contains(res.Text, "too long for a tag") || strings.Contains(res.Text, "<script>alert(1)") || len(res.Text) > 400_000 {
						t.Errorf("an overlong tag: %d, %d bytes", res.Status, len(res.Text))
					}
					form["tags"] = []string{"bell, metal, short"}
					res = ann.Post(edit, form)
				}
				if name == "nul" || name == "broken" {
					if res.Status != http.StatusUnprocessableEntity || !strings.Contains(res.Text, "no text") || find(t, s, rec.ID).Title == text {
						t.Errorf("what is no text: %d %.300s", res.Status, res.Text)
					}
				} else if res.Status != http.StatusSeeOther {
					t.Fatalf("save: %d %.300s", res.Status, res.Text)
				}
				for _, page := range []testkit.Answer{ann.Get(edit), ann.Get("/my-sounds"), ann.Get("/upload"), ann.Get(sheetURL([]int64{rec.ID}))} {
					if page.Status != 200 || len(page.Text) > 400_000 {
						t.Fatalf("%d, %d bytes", page.Status, len(page.Text))
					}
					for _, bad := range []string{"<script>alert", "<img src=x", "\x00", "\u202e", "\u2066", "\xff"} {
						if strings.Contains(page.Text, bad) {
							t.Errorf("a page holds %q", bad)
						}
					}
				}
				for field, values := range map[string]url.Values{
					"price": {"price-standard": {text}}, "category": {"category": {text}}, "offer": {"offer": {text}},
				} {
					form := described("Fine")
					for k, v := range values {
						form[k] = v
					}
					if res := ann.Post(edit, form); res.Status != http.StatusUnprocessableEntity || strings.Contains(res.Text, "<script>alert") {
						t.Errorf("%s: %d", field, res.Status)
					}
				}
				got := find(t, s, rec.ID)
				if len([]rune(got.Title)) > recordings.MaxTitle || len([]rune(got.Description)) > recordings.MaxDescription {
					t.Errorf("title of %d, description of %d runes", len([]rune(got.Title)), len([]rune(got.Description)))
				}
			})
		}
		form := described(`<script>alert(1)</script>`)
		form.Set("description", `<script>alert(1)</script>[x](javascript:alert(3)) ![i](http://evil.example/i.png)`)
		form.Set("act", "submit")
		if res := ann.Post(edit, form); res.Location != "/my-sounds" {
			t.Fatalf("submit: %d %s", res.Status, res.Text)
		}
		page := mod.Get("/review")
		wants(t, page, 200, "&lt;script&gt;alert(1)")
		for _, bad := range []string{"<script>alert", "javascript:", "evil.example"} {
			if strings.Contains(page.Text, bad) {
				t.Errorf("the review page holds %q", bad)
			}
		}
		note := "no\u202e<script>alert(1)</script>" + strings.Repeat("x", 1_000)
		if res := mod.Post(fmt.Sprintf("/review/%d", rec.ID), url.Values{"decision": {"return"}, "reason": {"other"}, "note": {note}}); res.Status != http.StatusSeeOther {
			t.Fatalf("return: %d %s", res.Status, res.Text)
		}
		if text := ann.Get("/my-sounds").Text; strings.Contains(text, "<script>alert") || !strings.Contains(text, "no&lt;script&gt;") {
			t.Error("the note is not shown as text")
		}
	})
}

// TestHostileFile sends what breaks pages and databases in a file's name and in its tags.
func TestHostileFile(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ann := context.Background(), s.Person("Ann", "contributor")
		seed := 150
		for name, text := range map[string]string{
			"script": `<script>alert(1)</script>`, "nul": "a\x00b\x07c", "rtl": "abc\u202egnp", "broken": "caf\xe9\xff", "long": strings.Repeat("wide ", 6_000), "way out": "../../../etc/passwd", "backslashes": `C:\dir\..\x`, "nothing": "/",
		} {
			seed++
			data := tone(t, seed)
			title := []byte(text + "\x00")
			title = append(title, make([]byte, len(title)%2)...)
			data = binary.LittleEndian.AppendUint32(append(data, "LIST"...), uint32(12+len(title)))
			data = append(binary.LittleEndian.AppendUint32(append(data, "INFOINAM"...), uint32(len(title))), title...)
			binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
			t.Run(name, func(t *testing.T) {
				taken, err := s.Uploads.Take(ctx, ann.ID, text+".wav", bytes.NewReader(data), uploads.Extra{})
				if err != nil {
					t.Fatal(err)
				}
				at := create(t, ann, text+".wav", len(data))
				for _, page := range []testkit.Answer{ann.Get("/upload"), ann.Get("/my-sounds"), ann.Get(fmt.Sprintf("/recordings/%d/edit", taken.Recording.ID)), ann.Get(sheetURL([]int64{taken.Recording.ID}))} {
					if page.Status != 200 || len(page.Text) > 300_000 {
						t.Fatalf("%d, %d bytes", page.Status, len(page.Text))
					}
					for _, bad := range []string{"<script>alert", "\x00", "\x07", "\u202e", "\xff"} {
						if strings.Contains(page.Text, bad) {
							t.Errorf("a page holds %q", bad)
						}
					}
				}
				rec := whole(t, s, patch(ann, at, 0, data), data)
				if rec.ID != taken.Recording.ID || rec.FileName == "" || strings.ContainsAny(rec.FileName, "/\\") {
					t.Errorf("draft %d %q", rec.ID, rec.FileName)
				}
				if res := ann.Get(strings.Replace(sheetURL([]int64{rec.ID}), "describe?", "describe.csv?", 1)); res.Status != 200 {
					t.Errorf("table: %d", res.Status)
				}
			})
		}
	})
}

// TestWrongState refuses with a sentence what does not fit the state, and what is somebody else's.
func TestWrongState(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, bob := s.Person("Ann", "contributor"), s.Person("Bob", "contributor")
		rec := draft(t, ann, "x.wav", 140)
		own := fmt.Sprintf("/recordings/%d/", rec.ID)
		for _, act := range []string{"edit", "submit", "unpublish", "republish", "delete", "strip"} {
			if res := bob.Post(own+act, described("Mine now")); res.Status != http.StatusNotFound {
				t.Errorf("another's %s: %d", act, res.Status)
			}
			if res := s.Visitor().Post(own+act, nil); res.Status == http.StatusOK || res.Status == http.StatusSeeOther && !strings.HasPrefix(res.Location, "/sign-in") {
				t.Errorf("a visitor's %s: %d %s", act, res.Status, res.Location)
			}
		}
		for act, status := range map[string]int{"unpublish": 409, "republish": 409, "submit": 422} {
			if res := ann.Post(own+act, nil); res.Status != status {
				t.Errorf("%s of an empty draft: %d, want %d: %s", act, res.Status, status, res.Text)
			}
		}
		ready(t, s, rec.ID)
		edit := own + "edit"
		form := described("Cheap")
		form.Set("price-standard", "0.50")
		wants(t, ann.Post(edit, form), 422, "Standard costs at least $1 here")
		if find(t, s, rec.ID).Title == "Cheap" {
			t.Error("a refused form was half saved")
		}
		form["offer"] = []string{"cc0", "cc-by-4.0"}
		wants(t, ann.Post(edit, form), 422, "Choose one free license")
		form["offer"] = []string{"mit"}
		wants(t, ann.Post(edit, form), 422, "does not offer the license")
		models, err := s.Licensing.Models(context.Background(), s.DB)
		if err != nil {
			t.Fatal(err)
		}
		form = described("Personal")
		form["offer"], form["price-personal"] = []string{"personal"}, []string{"5"}
		if res := ann.Post(edit, form); res.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", res.Status, res.Text)
		}
		for _, m := range models {
			if m.Code == "personal" || m.Code == "standard" {
				m.Active = false
				if _, err := s.Licensing.SaveModel(context.Background(), m); err != nil {
					t.Fatal(err)
				}
			}
		}
		wants(t, ann.Get(edit), 200, "Personal") // it had it, and may keep it
		if res := ann.Post(edit, form); res.Status != http.StatusSeeOther {
			t.Errorf("keep a license that is no longer offered: %d %s", res.Status, res.Text)
		}
		form["offer"] = []string{"standard"}
		wants(t, ann.Post(edit, form), 422, "does not offer the license")
		if has := offers(t, s, rec.ID); len(has) != 1 || has[0].Model.Code != "personal" {
			t.Errorf("offers %v", has)
		}
		wants(t, ann.Post(own+"delete", nil), 200, "Delete Personal?", "Keep it")
		if find(t, s, rec.ID).Title != "Personal" {
			t.Fatal("deleted at the first press")
		}
		if res := ann.Post(own+"delete", url.Values{"sure": {"1"}}); res.Location != "/upload" {
			t.Fatalf("delete: %d %s", res.Status, res.Text)
		}
		if res := ann.Get(edit); res.Status != http.StatusNotFound {
			t.Errorf("a deleted draft: %d", res.Status)
		}
		if _, err := s.Blobs.Stat(context.Background(), blob.Ref(rec.SHA256)); err == nil {
			t.Error("the bytes of a deleted draft are still in place")
		}
	})
}

func offers(t *testing.T, s *testkit.Site, id int64) []licensing.Offered {
	t.Helper()
	list, err := s.Licensing.Offers(context.Background(), s.DB, id)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
