package apiv2_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// catalog uploads and publishes sounds named "Sound 01" and so on, from 0.1 s in steps of 0.1 s, every third tagged "deep", the
// first five in one pack, and waits until all are found.
func catalog(t *testing.T, s *testkit.Site, n int) (ids []int64) {
	t.Helper()
	maker := s.Account("Maker", "contributor")
	up := with(t, s, "Bearer "+maker.Bearer)
	for i := range n {
		fields := described(fmt.Sprintf("Sound %02d", i+1), "tone sine test-signal")
		if i%3 == 0 {
			fields["tags"] += " deep"
			fields["license"] = "Creative Commons 0"
		}
		if i < 5 {
			fields["pack"] = "First five"
		}
		v := want(t, "upload", up.upload(fmt.Sprintf("sound%d.wav", i), tone(t, i, 0.1*float64(i+1)), fields), http.StatusCreated)
		ids = append(ids, number(t, v["id"]))
	}
	for _, id := range ids {
		state(t, s, id, recordings.Published)
	}
	testkit.Eventually(t, "all are found", func() bool { return s.Search.Index().Len() == n })
	return ids
}

// names lists the names in a list of sounds.
func names(v object) (out []string) {
	for _, one := range v["results"].([]any) {
		out = append(out, one.(object)["name"].(string))
	}
	return out
}

// TestSearchKeepsTheContract asks for what unmodified clients ask for.
func TestSearchKeepsTheContract(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.Moderation, c.FFmpeg = "off", "off" }, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		ids := catalog(t, s, 17)
		reader := s.Account("Reader", "member")
		c := with(t, s, "Token "+reader.Key)
		for q, count := range map[string]int64{
			"": 17, "?": 17, "?&query=": 17, `?query=""`: 17, "?query=''": 17, "?query=%20": 17, "?&format=json&query=tone": 17, "?query=sound+deep": 6, "?query=tone+-deep": 11, "?query=%2Bdeep": 6,
			`?query="sound%2004"`: 1, `?query="deep%20sound"`: 6, "?query=" + fmt.Sprint(ids[3]): 1, "?query=nothing": 0, "?query=Maker": 17,
			"?filter=tag:deep%20duration:[0.5%20TO%201.2]":                   2,
			"?filter=tag%3A%22deep%22+duration%3A%255B0.5%2520TO%25201.2%5D": 2, // encoded twice, as one client does
			`?filter=license%3A%20%22Creative%20Commons%200%22`:              6, // a blank after the colon, as another does
			`?filter=license:"attribution"`:                                  11, "?filter=type:wav": 17, "?filter=type:(flac%20OR%20aiff)": 0, `?filter=username:"Maker"`: 17, "?filter=tag:nowhere;tag:deep": 0,
			fmt.Sprintf("?filter=id:%d%%20OR%%20id:%d", ids[0], ids[1]): 2, "?weights=rubbish&sort=rubbish": 17, "?group_by_pack=1": 13, "?group_by_pack=yes": 17,
		} {
			for _, path := range []string{"/apiv2/search/", "/apiv2/search/text/"} {
				if v := want(t, path+q, c.get(path+q), http.StatusOK); number(t, v["count"]) != count {
					t.Errorf("%s%s: %v, want %d", path, q, v["count"], count)
				}
			}
		}
		for sort, field := range map[string]string{"duration_asc": "duration", "duration_desc": "duration", "created_asc": "created", "created_desc": "created", "downloads_desc": "num_downloads"} {
			var list []string
			for _, one := range want(t, sort, c.get("/apiv2/search/?page_size=17&fields=duration,created,num_downloads&sort="+sort), http.StatusOK)["results"].([]any) {
				list = append(list, fmt.Sprintf("%010v", one.(object)[field]))
			}
			if strings.HasSuffix(sort, "_desc") {
				slices.Reverse(list)
			}
			if len(list) != 17 || !slices.IsSorted(list) {
				t.Errorf("%s: %v", sort, list)
			}
		}
		badSearches(t, c)
		paging(t, s, c, reader.Key)
		grouping(t, s, c)
		inXML(t, c)
		figures(t, s, c, ids)
		similar(t, s, c, ids)
		stale(t, s, c, ids)
	})
}

func badSearches(t *testing.T, c client) {
	detail(t, "empty filter", c.get("/apiv2/search/?filter="), http.StatusBadRequest, "Invalid filter.")
	detail(t, "wrong type", c.get("/apiv2/search/?filter=samplerate:x"), http.StatusBadRequest, "Filter parsing error: 'samplerate' value must be int, got 'x'")
	detail(t, "unknown field", c.get("/apiv2/search/?filter=shoes:1"), http.StatusBadRequest, "Search server error: undefined field shoes (please check that your filter syntax and field names are correct)")
	for _, q := range []string{"page=0", "page=-1", "page_size=0", "page=3", "page=99999", "page=99999999999999999999", "page=10001&page_size=1", "page=10002&page_size=1", "format=zip"} {
		detail(t, q, c.get("/apiv2/search/?"+q), http.StatusNotFound, "Not found.")
	}
	detail(t, "similar_to", c.get("/apiv2/search/?similar_to=99999"), http.StatusBadRequest, "The 'similar_to' parameter is not a valid sound ID")
	detail(t, "similar_to", c.get("/apiv2/search/?similar_to=x"), http.StatusBadRequest, "The 'similar_to' parameter is not a valid sound ID")
	for _, v := range []string{"[1,2]", "[x", "[]", "[NaN]"} {
		detail(t, "similar_to "+v, c.get("/apiv2/search/?similar_to="+v), http.StatusBadRequest, "The 'similar_to' parameter is not a valid serialized vector")
	}
	want(t, "an unknown space", c.get("/apiv2/search/?similar_to=1&similarity_space=laion_clap"), http.StatusBadRequest)
	want(t, "too long", c.get("/apiv2/search/?query="+strings.Repeat("a", 2000)), http.StatusBadRequest)
}

func paging(t *testing.T, s *testkit.Site, c client, key string) {
	if v := want(t, "no number", c.get("/apiv2/search/?page=x&page_size=x"), http.StatusOK); len(v["results"].([]any)) != 15 {
		t.Errorf("page size that is no number: %d", len(v["results"].([]any)))
	}
	if v := want(t, "large", c.get("/apiv2/search/?page_size=1000"), http.StatusOK); len(v["results"].([]any)) != 17 || v["next"] != nil {
		t.Errorf("large pages: %v", v)
	}
	// A client that keeps its key in the address follows next as it stands and adds its own key again.
	var seen []string
	plain := with(t, s, "")
	at := "/apiv2/search/text/?&query=sound&token=" + key + "&filter=duration%3A%255B0%2520TO%25202%255D&sort=duration_asc&page_size=6"
	for at != "" {
		v := want(t, at, plain.get(at), http.StatusOK)
		seen = append(seen, names(v)...)
		at, _ = v["next"].(string)
		if at != "" {
			if strings.Contains(at, "token") || !strings.HasPrefix(at, s.URL+"/apiv2/search/?") {
				t.Fatalf("next is %s", at)
			}
			at += "&token=" + key
		}
	}
	if len(seen) != 17 || !slices.IsSorted(seen) {
		t.Errorf("over all pages: %v", seen)
	}
	v := want(t, "second page", c.get("/apiv2/search/?page_size=10&page=2?"), http.StatusOK) // the question mark is a client's
	if v["next"] != nil || v["previous"] != s.URL+"/apiv2/search/?page_size=10&page=1" || len(v["results"].([]any)) != 7 {
		t.Errorf("second page: next %v, previous %v, %d results", v["next"], v["previous"], len(v["results"].([]any)))
	}
}

func grouping(t *testing.T, s *testkit.Site, c client) {
	v := want(t, "grouped", c.get("/apiv2/search/?group_by_pack=1&filter=type:wav%20OR%20type:flac&page_size=50&fields=id"), http.StatusOK)
	groups := 0
	for _, one := range v["results"].([]any) {
		o := one.(object)
		if o["n_from_same_pack"] == nil {
			continue
		}
		groups++
		more := want(t, "more", c.get(strings.TrimPrefix(o["more_from_same_pack"].(string), s.URL)), http.StatusOK)
		if number(t, o["n_from_same_pack"]) != 5 || number(t, more["count"]) != 5 {
			t.Errorf("group: %v, more: %v", o, more["count"])
		}
	}
	if groups != 1 {
		t.Errorf("%d groups, want 1", groups)
	}
}

// inXML reads the shape that an old client takes apart by its elements.
func inXML(t *testing.T, c client) {
	got := c.get(`/apiv2/search/text/?page=1&query=%22sound%22&filter=license%3A%20%22Creative%20Commons%200%22&sort=duration_asc&fields=id,name,duration,previews,is_remix,similar_sounds&page_size=2&format=xml`)
	var v struct {
		XMLName xml.Name `xml:"root"`
		Count   int      `xml:"count"`
		Next    string   `xml:"next"`
		Items   []struct {
			Name     string  `xml:"name"`
			Duration float64 `xml:"duration"`
			Ogg      string  `xml:"previews>preview-hq-ogg"`
			Remix    string  `xml:"is_remix"`
			Similar  string  `xml:"similar_sounds"`
		} `xml:"results>list-item"`
	}
	if err := xml.Unmarshal([]byte(got.Text), &v); err != nil || got.Header.Get("Content-Type") != "application/xml; charset=utf-8" {
		t.Fatalf("XML: %v, %s, %s", err, got.Header.Get("Content-Type"), got.Text)
	}
	if v.Count != 6 || len(v.Items) != 2 || v.Items[0].Name != "Sound 01" || v.Items[0].Duration != 0.1 || v.Items[0].Remix != "False" || !strings.HasSuffix(v.Items[0].Similar, "/similar/") ||
		!strings.HasSuffix(v.Items[0].Ogg, "-hq.ogg") || !strings.Contains(v.Next, "format=xml") {
		t.Errorf("XML: %+v", v)
	}
	wrong := c.get("/apiv2/search/?format=xml&filter=")
	if wrong.Status != http.StatusBadRequest || wrong.Text != `<?xml version="1.0" encoding="utf-8"?>`+"\n<root><detail>Invalid filter.</detail></root>" {
		t.Errorf("error in XML: %d %s", wrong.Status, wrong.Text)
	}
}

// stale shows that what the index still holds is checked against the tables.
func stale(t *testing.T, s *testkit.Site, c client, ids []int64) {
	if _, err := db.Exec(context.Background(), s.DB, `UPDATE recording SET state = 'unpublished' WHERE id = $1`, ids[0]); err != nil {
		t.Fatal(err)
	}
	if v := want(t, "stale", c.get("/apiv2/search/?sort=duration_asc&page_size=150"), http.StatusOK); len(names(v)) != 16 || slices.Contains(names(v), "Sound 01") {
		t.Errorf("an unpublished sound is found: %v", names(v))
	}
}

// TestCredentialsAndErrors walks the refusals.
func TestCredentialsAndErrors(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		member, maker := s.Account("Reader", "member"), s.Account("Maker", "contributor")
		const none = "Authentication credentials were not provided."
		for what, c := range map[string]struct {
			authorization, query, text string
		}{
			"nothing": {"", "", none}, "another scheme": {"Basic YTpi", "", none}, "unknown key": {"Token x", "", "Invalid token"}, "unknown key in the address": {"", "?token=x", "Invalid token"},
			"unknown token": {"Bearer x", "", "Invalid token"}, "no key": {"Token", "", "Invalid token header. No credentials provided."},
			"blanks":                {"Token a b", "", "Invalid token header. Token string should not contain spaces."},
			"header before address": {"Token x", "?token=" + member.Key, "Invalid token"},
		} {
			got := with(t, s, c.authorization).get("/apiv2/search/" + c.query)
			detail(t, what, got, http.StatusUnauthorized, c.text)
			if h := got.Header.Get("WWW-Authenticate"); h != `Bearer realm="api"` {
				t.Errorf("%s: WWW-Authenticate %q", what, h)
			}
		}
		for _, c := range []client{with(t, s, "tOkEn "+member.Key), with(t, s, "bearer "+member.Bearer)} {
			want(t, "search", c.get("/apiv2/search/"), http.StatusOK)
		}
		want(t, "key in the address", with(t, s, "").get("/apiv2/search/?&token="+member.Key), http.StatusOK)
		for _, path := range []string{"/apiv2/me/", "/apiv2/sounds/pending_uploads/", "/apiv2/sounds/1/download/"} {
			detail(t, path+" with a key", with(t, s, "Token "+maker.Key).get(path), http.StatusUnauthorized, none)
			detail(t, path+" with nothing", with(t, s, "").get(path), http.StatusUnauthorized, none)
		}
		detail(t, "upload with a key", with(t, s, "Token "+maker.Key).upload("a.wav", tone(t, 1, .1), nil), http.StatusUnauthorized, none)
		if _, err := db.Exec(t.Context(), s.DB, `UPDATE access_token SET scope = 'read' WHERE account_id = $1`, member.ID); err != nil {
			t.Fatal(err)
		}
		detail(t, "write with a reading token", with(t, s, "Bearer "+member.Bearer).upload("a.wav", tone(t, 1, .1), nil), http.StatusUnauthorized, "Not authorized")
		// A browser's session reads, and never writes: another site's page could send it.
		signedIn := s.Person("Browser", "contributor")
		if got := signedIn.Get("/apiv2/search/"); got.Status != http.StatusOK {
			t.Errorf("search with a session: %d", got.Status)
		}
		detail(t, "describe with a session", signedIn.Post("/apiv2/sounds/describe/", url.Values{"upload_filename": {"a"}}), http.StatusUnauthorized, none)
		c := with(t, s, "Bearer "+maker.Bearer)
		for path, text := range map[string]string{"/apiv2/sounds/1/": `Method "DELETE" not allowed.`, "/apiv2/search/": `Method "DELETE" not allowed.`} {
			detail(t, path, c.do(http.MethodDelete, path, "", nil), http.StatusMethodNotAllowed, text)
		}
		for _, path := range []string{"/apiv2/sounds/0/", "/apiv2/sounds/x/", "/apiv2/sounds/99999/", "/apiv2/sounds/99999/download/", "/apiv2/search/content/", "/apiv2/search/combined/", "/apiv2/nothing", "/data/previews/0/1_1-hq.ogg", "/data/x"} {
			detail(t, path, c.get(path), http.StatusNotFound, "Not found.")
		}
		preflight := with(t, s, "").do(http.MethodOptions, "/apiv2/search/?query=x", "", nil)
		if h := preflight.Header; preflight.Status != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "authorization") {
			t.Errorf("preflight: %d %v", preflight.Status, h)
		}
		if got := with(t, s, "").get("/apiv2/"); got.Status != http.StatusOK || !strings.Contains(got.Text, s.URL+"/apiv2/search/?query=<query>") {
			t.Errorf("list of resources: %d %s", got.Status, got.Text)
		}
		if err := s.Accounts.Suspend(t.Context(), maker.ID); err != nil {
			t.Fatal(err)
		}
		detail(t, "suspended", c.get("/apiv2/search/"), http.StatusUnauthorized, "User inactive or deleted")
	})
}

// TestThrottling counts by credential, reads and writes apart, and exempts those that the operator made in dev mode.
func TestThrottling(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		member := s.Account("Reader", "contributor")
		c := with(t, s, "Token "+member.Key)
		noon := time.Now() // the limit refills by the second, which a busy machine takes for a request
		s.Site.Now = func() time.Time { return noon }
		for n := range 100 {
			got := c.get("/apiv2/search/")
			if got.Status == http.StatusOK {
				continue
			}
			detail(t, "throttled", got, http.StatusTooManyRequests, "Request was throttled because of exceeding a request limit rate (60/minute)")
			if n < 60 || got.Header.Get("Retry-After") == "" {
				t.Errorf("request %d is throttled, Retry-After %q", n+1, got.Header.Get("Retry-After"))
			}
			break
		}
		want(t, "throttled", c.get("/apiv2/search/"), http.StatusTooManyRequests)
		want(t, "a write", with(t, s, "Bearer "+member.Bearer).post("/apiv2/sounds/describe/", url.Values{}), http.StatusBadRequest)
		if _, err := db.Exec(t.Context(), s.DB, `UPDATE api_credential SET exempt = 1 WHERE account_id = $1`, member.ID); err != nil {
			t.Fatal(err)
		}
		want(t, "exempt", c.get("/apiv2/search/"), http.StatusOK)
	})
}

// TestUploadsAreChecked refuses what the contract refuses, and keeps nothing of it.
func TestUploadsAreChecked(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		maker := s.Account("Maker", "contributor")
		c := with(t, s, "Bearer "+maker.Bearer)
		wav := tone(t, 5, .2)
		with := func(key, v string) map[string]string {
			fields := described("Tone", "one two three")
			fields[key] = v
			return fields
		}
		wrongField(t, "no file", c.upload("", nil, described("x", "a b c")), "audiofile")
		wrongField(t, "a text", c.upload("song.wav", []byte("#EXTM3U\nfile:///etc/passwd\n"), nil), "audiofile")
		wrongField(t, "an empty file", c.upload("song.wav", []byte{}, nil), "audiofile")
		wrongField(t, "a long name", c.upload(strings.Repeat("x", 97)+".wav", wav, nil), "audiofile")
		for field, values := range map[string][]string{
			"tags": {"", "one two", "one, one; ONE two", "the and of", strings.Repeat("a b c d ", 1) + manyTags(40)}, "license": {"", "Public domain mark", "cc-by-sa-3.0"}, "description": {"", "  "},
			"bst_category": {"zz"}, "geotag": {"1,2", "91,0,12", "1,2,3", "NaN,0,12"},
		} {
			for _, v := range values {
				wrongField(t, fmt.Sprintf("%s %.20q", field, v), c.upload("tone.wav", wav, with(field, v)), field)
			}
		}
		list, err := s.Recordings.List(t.Context(), recordings.Filter{OwnerID: maker.ID})
		if err != nil || len(list) != 0 {
			t.Fatalf("refused uploads left %d drafts: %v", len(list), err)
		}
		want(t, "a form that is no upload", c.post("/apiv2/sounds/upload/", url.Values{"tags": {"a"}}), http.StatusUnsupportedMediaType)

		// First the file, then its description, in each of the forms.
		for n, describe := range []func(v url.Values) testkit.Answer{
			func(v url.Values) testkit.Answer { return c.post("/apiv2/sounds/describe/", v) },
			func(v url.Values) testkit.Answer {
				return c.do(http.MethodPost, "/apiv2/sounds/describe/", "application/json", jsonOf(v))
			},
		} {
			file := fmt.Sprintf("tone %d.wav", n)
			data := tone(t, 10+n, .2)
			for range 2 { // an answer that was lost: the same again is the same
				v := want(t, "upload alone", c.upload(file, data, nil), http.StatusCreated)
				if v["filename"] != file || v["detail"] != fmt.Sprintf("Audio file successfully uploaded (%d Bytes, now pending description).", len(data)) {
					t.Errorf("upload alone: %v", v)
				}
			}
			pending := want(t, "pending", c.get("/apiv2/sounds/pending_uploads/"), http.StatusOK)["pending_description"].([]any)
			if !slices.Equal(pending, []any{file}) {
				t.Errorf("pending description: %v", pending)
			}
			form := url.Values{"upload_filename": {file}, "tags": {"lo-fi tone sine"}, "license": {"attribution noncommercial"}}
			wrongField(t, "without description", describe(form), "description")
			form.Set("description", `<script>alert("\u202e")</script>`)
			v := want(t, "describe", describe(form), http.StatusCreated)
			if v["detail"] != "Sound successfully described (now pending processing and moderation)." {
				t.Errorf("describe: %v", v)
			}
			rec := state(t, s, number(t, v["id"]), recordings.Submitted)
			if rec.Title != file || rec.Category != "fx-other" || rec.RightsAt == 0 || rec.AITraining != "no" {
				t.Errorf("described as %+v", rec)
			}
			wrongField(t, "described twice", describe(form), "upload_filename")
		}
		v := want(t, "pending", c.get("/apiv2/sounds/pending_uploads/"), http.StatusOK)
		if len(v["pending_moderation"].([]any)) != 2 || len(v["pending_description"].([]any)) != 0 {
			t.Errorf("pending: %v", v)
		}
		// What the review returns can be described again.
		id := number(t, v["pending_moderation"].([]any)[0].(object)["id"])
		if err := s.Moderation.Return(t.Context(), access.Actor{}, id, "other", "Say more."); err != nil {
			t.Fatal(err)
		}
		rec := state(t, s, id, recordings.Returned)
		again := url.Values{"upload_filename": {rec.FileName}, "tags": {"lo-fi tone sine"}, "license": {"Creative Commons 0"}, "description": {"More."}, "name": {"More"}}
		want(t, "described again", c.post("/apiv2/sounds/describe/", again), http.StatusCreated)
		if rec = state(t, s, id, recordings.Submitted); rec.Title != "More" {
			t.Errorf("described again as %q", rec.Title)
		}
		other := s.Account("Other", "contributor")
		wrongField(t, "somebody else's upload", clientOf(t, s, other).post("/apiv2/sounds/describe/", url.Values{"upload_filename": {"tone 0.wav"}}), "upload_filename")
	})
}

func clientOf(t *testing.T, s *testkit.Site, p *testkit.Person) client {
	return with(t, s, "Bearer "+p.Bearer)
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "tag%d ", i)
	}
	return b.String()
}

// jsonOf writes a form as a JSON object; tags become a list.
func jsonOf(v url.Values) io.Reader {
	var b bytes.Buffer
	b.WriteString("{")
	for i, key := range slices.Sorted(func(yield func(string) bool) {
		for k := range v {
			if !yield(k) {
				return
			}
		}
	}) {
		if i > 0 {
			b.WriteString(",")
		}
		if key == "tags" {
			fmt.Fprintf(&b, `"tags":["%s"]`, strings.Join(strings.Fields(v.Get(key)), `","`))
			continue
		}
		fmt.Fprintf(&b, "%q:%q", key, v.Get(key))
	}
	b.WriteString("}")
	return &b
}
