package apiv2_test

import (
	"archive/zip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/config"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// figures are filters and targets on what the index does not hold.
func figures(t *testing.T, s *testkit.Site, c client, ids []int64) {
	rec, err := s.Recordings.ByID(t.Context(), s.DB, ids[3])
	if err != nil {
		t.Fatal(err)
	}
	fan := s.Account("Fan", "member")
	if err := s.Reactions.Rate(t.Context(), fan.Actor(), ids[1], 4); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reactions.Say(t.Context(), fan.Actor(), ids[2], "Reminds me of a lighthouse."); err != nil {
		t.Fatal(err)
	}
	for filter, count := range map[string]int64{
		"md5:" + rec.MD5: 1, `md5:"` + strings.ToUpper(rec.MD5) + `"`: 1, "md5:0123": 0, "-md5:" + rec.MD5: 16, "md5:" + rec.MD5 + " tag:deep": 1,
		fmt.Sprintf("filesize:[0 TO %d]", rec.ByteSize): 4, fmt.Sprintf(`filesize:"%d"`, rec.ByteSize): 1, "bitrate:[1058 TO 1062]": 17, "is_remix:false": 17, "is_geotagged:true": 0, "-is_explicit:true": 17,
		"num_ratings:[1 TO *]": 1, "num_comments:1": 1, "comment:lighthouse": 1, `comment:"of a lighthouse"`: 1, "comment:submarine": 0, "comment:lighthouse OR num_ratings:1": 2,
		"gen_ai_preference:no-gen-ai": 17, "geotag:*": 0, "{!geofilt sfield=geotag pt=41,2 d=10}": 0, "zero_crossing_rate:[0 TO *]": 17, "beat_loudness:[0 TO *]": 0, "-beat_loudness:[0 TO *]": 17,
		"single_event:true OR single_event:false": 17, "(tag:deep OR comment:lighthouse) AND NOT num_comments:1": 6, `created:"[NOW-1DAY TO NOW]"`: 17, `created:["2001-01-01T00:00:00Z" TO NOW]`: 17,
		"filesize:[-9223372036854775808 TO 9223372036854775807]": 17, "filesize:{* TO *}": 17, "filesize:9223372036854775807": 0, "bitrate:[* TO 9223372036854775807]": 17, "zero_crossing_rate:[-1e308 TO 1e308]": 17,
		"zero_crossing_rate:{1e308 TO *]": 0, "dynamic_range:[1e308 TO *]": 0, "-zero_crossing_rate:[* TO *]": 0, "note_midi:9223372036854775807": 0, "zero_crossing_rate:[1 TO 0]": 0, `duration:"0.1"`: 1, `id:"` + fmt.Sprint(ids[0]) + `"`: 1,
	} {
		if v := want(t, filter, c.get("/apiv2/search/?filter="+url.QueryEscape(filter)), http.StatusOK); number(t, v["count"]) != count {
			t.Errorf("%s: %v, want %d", filter, v["count"], count)
		}
	}
	testkit.Eventually(t, "the index knows the rating", func() bool {
		return number(t, want(t, "avg_rating", c.get("/apiv2/search/?filter=avg_rating:%5B3.5%20TO%205%5D"), http.StatusOK)["count"]) == 1
	})
	if v := want(t, "by rating", c.get("/apiv2/search/?sort=rating_desc&fields=name,avg_rating,num_ratings&page_size=1"), http.StatusOK); names(v)[0] != "Sound 02" ||
		v["results"].([]any)[0].(object)["avg_rating"] != 4.0 || v["results"].([]any)[0].(object)["num_ratings"] != 1.0 {
		t.Errorf("by rating: %v", v["results"])
	}
	// Weights say where a word counts: this one stands in tags only. What is malformed says nothing.
	score := func(weights string) float64 {
		t.Helper()
		v := want(t, weights, c.get("/apiv2/search/?query=sine&page_size=1&fields=score&weights="+weights), http.StatusOK)
		return v["results"].([]any)[0].(object)["score"].(float64)
	}
	if none, some, more, own := score("name:5,description:2"), score("tag:1"), score("tag:9,name:1"), score(""); !(none < some && some < more) || none > .01 || score("tag:x") != own || score("shoes:4") != own {
		t.Errorf("scores: %g without tags, %g and %g with, %g by default", none, some, more, own)
	}
	// A target sorts by distance, over every page.
	v := want(t, "target", c.get("/apiv2/search/?sort=duration:0.75&fields=name,duration&page_size=3"), http.StatusOK)
	near := names(v)
	slices.Sort(near[:2]) // 0.7 and 0.8 are as near
	if !slices.Equal(near[:2], []string{"Sound 07", "Sound 08"}) || number(t, v["count"]) != 17 {
		t.Errorf("nearest to 0.75 s: %v", near)
	}
	first := v["results"].([]any)[0].(object)
	if d, ok := first["distance_to_target"].(float64); !ok || d < .049 || d > .051 {
		t.Errorf("distance: %v", first)
	}
	v = want(t, "last page of a target", c.get("/apiv2/search/?sort=duration:0.75,zero_crossing_rate:0&fields=name,duration&page_size=3&page=6"), http.StatusOK)
	if got := names(v); len(got) != 2 || got[1] != "Sound 17" {
		t.Errorf("farthest from 0.75 s: %v", got)
	}
	want(t, "a target of many coordinates", c.get("/apiv2/search/?fields=name&sort=duration:1"+strings.Repeat(",pitch:1", 2000)), http.StatusOK)
	want(t, "a target far away", c.get("/apiv2/search/?fields=name&sort=duration:1e308,filesize:-1e308"), http.StatusOK)
	detail(t, "a target's page beyond", c.get("/apiv2/search/?sort=duration:1&page=99"), http.StatusNotFound, "Not found.")
	v = want(t, "unknown coordinate", c.get("/apiv2/search/?sort=beat_loudness:3&fields=name"), http.StatusOK)
	if v["results"].([]any)[0].(object)["distance_to_target"] != nil {
		t.Errorf("distance to what is not computed: %v", v["results"].([]any)[0])
	}
}

// similar asks for what sounds like a sound or a vector.
func similar(t *testing.T, s *testkit.Site, c client, ids []int64) {
	at := fmt.Sprintf("/apiv2/sounds/%d/", ids[5])
	v := want(t, "similar", c.get(at+"similar/?&fields=id,name,similar_sounds&num_results=100&page_size=10"), http.StatusOK)
	if n := len(v["results"].([]any)); number(t, v["count"]) != 16 || n != 10 || slices.Contains(names(v), "Sound 06") || !strings.HasPrefix(v["next"].(string), s.URL+at+"similar/?") {
		t.Errorf("similar: %v with %d results, next %v", v["count"], n, v["next"])
	}
	nearest := v["results"].([]any)[0].(object)["id"]
	detail(t, "page beyond", c.get(at+"similar/?page=99"), http.StatusNotFound, "Invalid page.")
	want(t, "an unknown space", c.get(at+"similar/?similarity_space=x"), http.StatusBadRequest)
	v = want(t, "analysis", c.get(at+"analysis/"), http.StatusOK)
	if _, there := v["beat_loudness"]; !there || v["beat_loudness"] != nil || v["laion_clap"] != nil || v["zero_crossing_rate"].(float64) <= 0 || v["loudness"].(float64) > 0 || v["single_event"] == nil || len(v["mfcc"].([]any)) != 13 {
		t.Errorf("analysis: %v", v)
	}
	testkit.Eventually(t, "the second pass is over", func() bool {
		v = want(t, "analysis", c.get(at+"analysis/"), http.StatusOK)
		return v["dissonance"] != nil
	})
	if v["has_audio_problems"] == nil || len(v["tristimulus"].([]any)) != 3 || v["temporal_decrease"] == nil || v["fsdsinet_detected_class"] != nil {
		t.Errorf("analysis after the second pass: %v", v)
	}
	measured := v
	for _, name := range []string{"brightness", "hardness", "warmth"} {
		value, ok := measured[name].(float64)
		if !ok || value < 0 || value > 100 {
			t.Errorf("%s: %v", name, measured[name])
		}
		v = want(t, name, c.get(fmt.Sprintf("/apiv2/search/?filter=%s:[%f%%20TO%%20%f]&fields=id,%[1]s,all_descriptors", name, value-.01, value+.01)), http.StatusOK)
		if found := v["results"].([]any); len(found) == 0 || found[0].(object)[name] == nil || found[0].(object)["salience"] != nil {
			t.Errorf("%s as a filter: %v", name, v)
		}
		v = want(t, name, c.get(fmt.Sprintf("/apiv2/search/?sort=%s:%f&fields=id,distance_to_target&page_size=1", name, value)), http.StatusOK)
		if d, ok := v["results"].([]any)[0].(object)["distance_to_target"].(float64); !ok || d > .01 {
			t.Errorf("%s as a target: %v", name, v["results"])
		}
	}
	for name, value := range measured { // each has its column, or its place in the index
		if name == "tonality" {
			continue // is found where it is sure only, as on the pages
		}
		filter := fmt.Sprintf("%s:%v", name, value)
		switch value := value.(type) {
		case float64:
			if value != math.Trunc(value) {
				room := math.Abs(value)*1e-5 + 1e-6
				filter = fmt.Sprintf("%s:[%f TO %f]", name, value-room, value+room)
			}
		case string:
			filter = fmt.Sprintf("%s:%q", name, value)
		case bool:
		default:
			continue // nothing, or a list
		}
		filter = url.QueryEscape(filter + fmt.Sprintf(" id:%d", ids[5]))
		if v := want(t, name, c.get("/apiv2/search/?filter="+filter), http.StatusOK); number(t, v["count"]) != 1 {
			t.Errorf("%s finds %v", filter, v["count"])
		}
	}
	wet := func(is bool) int64 {
		t.Helper()
		return number(t, want(t, "reverbness", c.get(fmt.Sprintf("/apiv2/search/?filter=reverbness:%t%%20id:%d", is, ids[5])), http.StatusOK)["count"])
	}
	if measured["reverbness"] != false || wet(false) != 1 || wet(true) != 0 {
		t.Errorf("reverbness of a tone: %v, found %d times without and %d with", measured["reverbness"], wet(false), wet(true))
	}
	v = want(t, "analysis", c.get(at+"analysis/"), http.StatusOK)
	vector, err := json.Marshal(v["audiomicro"])
	if err != nil {
		t.Fatal(err)
	}
	for _, like := range []string{fmt.Sprint(ids[5]), string(vector)} {
		v = want(t, "similar_to", c.get("/apiv2/search/?similarity_space=audiomicro&filter=type:wav&fields=id,score,audiomicro&page_size=2&similar_to="+url.QueryEscape(like)), http.StatusOK)
		first := v["results"].([]any)[0].(object)
		if first["id"] != nearest && first["id"] != float64(ids[5]) || first["score"].(float64) < .5 || first["audiomicro"] == nil {
			t.Errorf("similar to %.40s: %v", like, first["id"])
		}
	}
	if v = want(t, "similar with a filter", c.get(fmt.Sprintf("/apiv2/search/?filter=tag:deep&similar_to=%d", ids[5])), http.StatusOK); number(t, v["count"]) != 6 {
		t.Errorf("similar and deep: %v", v["count"])
	}
}

// TestReadingKeepsTheContract reads sounds, users, packs and the formats.
func TestReadingKeepsTheContract(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.Moderation, c.FFmpeg = "off", "off" }, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		ids := catalog(t, s, 6)
		reader := s.Account("Reader", "member")
		c := with(t, s, "Token "+reader.Key)
		me := clientOf(t, s, reader)
		at := fmt.Sprintf("/apiv2/sounds/%d/", ids[0])
		v := want(t, "sound", c.get(at), http.StatusOK)
		for field, is := range map[string]any{
			"id": float64(ids[0]), "name": "Sound 01", "type": "wav", "samplerate": 44100.0, "username": "Maker", "pack_name": "First five", "is_remix": false, "geotag": nil, "avg_rating": 0.0, "num_comments": 0.0,
			"bookmark": s.URL + at + "bookmark/", "rate": s.URL + at + "rate/", "comment": s.URL + at + "comment/", "comments": s.URL + at + "comments/", "similar_sounds": s.URL + at + "similar/",
			"download": s.URL + at + "download/", "license": "http://creativecommons.org/publicdomain/zero/1.0/", "gen_ai_preference": "no-gen-ai", "category_code": "fx-other", "bitdepth": 24.0,
		} {
			if got, there := v[field]; !there || got != is {
				t.Errorf("%s is %v, want %v", field, got, is)
			}
		}
		if _, there := v["score"]; there || len(v) != 40 {
			t.Errorf("a sound has %d fields: %v", len(v), v)
		}
		if created, ok := v["created"].(string); !ok || len(created) != len("2014-04-16T20:07:11Z") {
			t.Errorf("created %v", v["created"])
		}
		if got := c.get(at).Text; !strings.Contains(got, `"samplerate":44100.0`) || !strings.Contains(got, `"avg_rating":0.0`) {
			t.Errorf("floats are not written as such: %s", got)
		}
		fieldsOfSounds(t, c, at)
		listsOfPeople(t, s, c, ids)
		formats(t, s, c, at)
		downloads(t, s, c, me, ids)
	})
}

func fieldsOfSounds(t *testing.T, c client, at string) {
	for query, keys := range map[string]int{"?fields=": 40, "?fields=id,name,nonsense": 2, "?fields=id,warmth": 2, "?fields=all_similarity_spaces": 3, "?fields=id,all_descriptors": 68, "?fields=*": 110} {
		if v := want(t, query, c.get(at+query), http.StatusOK); len(v) != keys {
			t.Errorf("%s: %d fields, want %d", query, len(v), keys)
		}
	}
	v := want(t, "list", c.get("/apiv2/search/?page_size=1"), http.StatusOK)
	if first := v["results"].([]any)[0].(object); len(first) != 5 || first["tags"] == nil || first["license"] == nil {
		t.Errorf("a list shows %v", first)
	}
}

func listsOfPeople(t *testing.T, s *testkit.Site, c client, ids []int64) {
	v := want(t, "user", c.get("/apiv2/users/Maker/"), http.StatusOK)
	for field, is := range map[string]any{"username": "Maker", "num_sounds": 6.0, "num_packs": 1.0, "sounds": s.URL + "/apiv2/users/Maker/sounds/", "packs": s.URL + "/apiv2/users/Maker/packs/", "home_page": "", "num_comments": 0.0, "num_posts": 0.0} {
		if v[field] != is {
			t.Errorf("%s is %v, want %v", field, v[field], is)
		}
	}
	if avatar := v["avatar"].(object); len(avatar) != 3 || avatar["small"] != nil {
		t.Errorf("avatar: %v", avatar)
	}
	if joined := v["date_joined"].(string); len(joined) != len("2008-08-07T17:39:00") {
		t.Errorf("date_joined %s: a client reads it without a zone", joined)
	}
	v = want(t, "sounds of a user", c.get("/apiv2/users/Maker/sounds/?page_size=4"), http.StatusOK)
	if number(t, v["count"]) != 6 || len(names(v)) != 4 || v["next"] != s.URL+"/apiv2/users/Maker/sounds/?page_size=4&page=2" || v["previous"] != nil {
		t.Errorf("sounds of a user: %v", v)
	}
	v = want(t, "packs of a user", c.get("/apiv2/users/Maker/packs/"), http.StatusOK)
	pack := v["results"].([]any)[0].(object)
	if number(t, v["count"]) != 1 || pack["name"] != "First five" || pack["num_sounds"] != 5.0 || pack["username"] != "Maker" {
		t.Errorf("packs: %v", v)
	}
	at := fmt.Sprintf("/apiv2/packs/%d/", number(t, pack["id"]))
	if v = want(t, "pack", c.get(at), http.StatusOK); v["sounds"] != s.URL+at+"sounds/" || v["num_sounds"] != 5.0 {
		t.Errorf("pack: %v", v)
	}
	if v = want(t, "sounds of a pack", c.get(at+"sounds/?fields=name,pack"), http.StatusOK); number(t, v["count"]) != 5 || v["results"].([]any)[0].(object)["pack"] != s.URL+at {
		t.Errorf("sounds of a pack: %v", v)
	}
	fan := s.Account("Fan", "member")
	for n := range 3 {
		if _, err := s.Reactions.Say(t.Context(), fan.Actor(), ids[0], fmt.Sprintf("Comment %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	v = want(t, "comments", c.get(fmt.Sprintf("/apiv2/sounds/%d/comments/?page_size=2", ids[0])), http.StatusOK)
	first := v["results"].([]any)[0].(object)
	if number(t, v["count"]) != 3 || first["comment"] != "Comment 2" || first["username"] != "Fan" || len(first) != 3 || v["next"] == nil {
		t.Errorf("comments: %v", v)
	}
	if v = want(t, "comments of nothing", c.get("/apiv2/sounds/99999/comments/"), http.StatusOK); number(t, v["count"]) != 0 {
		t.Errorf("comments of nothing: %v", v)
	}
	for _, path := range []string{"/apiv2/users/nobody/", "/apiv2/users/nobody/sounds/", "/apiv2/users/nobody/packs/", "/apiv2/packs/99999/", "/apiv2/packs/99999/sounds/", "/apiv2/users/Maker/bookmark_categories/", at + "nothing/",
		"/apiv2/sounds/search/combined/", fmt.Sprintf("/apiv2/sounds/%d/describe/", ids[0]), fmt.Sprintf("/apiv2/sounds/%d/analysis_frames", ids[0]), "/apiv2/sounds/99999/similar/", "/apiv2/sounds/99999/analysis/"} {
		detail(t, path, c.get(path), http.StatusNotFound, "Not found.")
	}
	for _, query := range []string{"page=0", "page=x", "page=-1", "page=7"} {
		detail(t, query, c.get("/apiv2/users/Maker/sounds/?"+query), http.StatusNotFound, "Invalid page.")
	}
	if v = want(t, "odd page sizes", c.get("/apiv2/users/Maker/sounds/?page_size=x&page=1"), http.StatusOK); len(names(v)) != 6 {
		t.Errorf("odd page sizes: %v", v)
	}
}

// formats shows the same answer in every format.
func formats(t *testing.T, s *testkit.Site, c client, at string) {
	got := c.get(at + "?format=jsonp&callback=found.it&fields=id,name")
	if !strings.HasPrefix(got.Text, `found.it({"id":`) || !strings.HasSuffix(got.Text, `});`) || got.Header.Get("Content-Type") != "application/javascript; charset=utf-8" {
		t.Errorf("jsonp: %s %s", got.Header.Get("Content-Type"), got.Text)
	}
	for _, callback := range []string{"", "alert(1)//", "a-b", "<script>"} {
		if got := c.get(at + "?format=jsonp&fields=id&callback=" + url.QueryEscape(callback)); !strings.HasPrefix(got.Text, "callback({") {
			t.Errorf("callback %q: %s", callback, got.Text)
		}
	}
	got = c.get(at + "?format=yaml&fields=id,name,tags,geotag,previews,samplerate")
	for _, line := range []string{"\"name\": \"Sound 01\"\n", "\"tags\":\n  - \"tone\"\n", "\"geotag\": null\n", "\"previews\":\n  \"preview-hq-mp3\": \"http", "\"samplerate\": 44100.0\n"} {
		if !strings.Contains(got.Text, line) {
			t.Errorf("YAML lacks %q:\n%s", line, got.Text)
		}
	}
	got = c.get("/apiv2/users/Maker/sounds/?format=yaml&page_size=2&fields=id,name")
	if !strings.Contains(got.Text, "\"results\":\n  - \"id\": ") || !strings.Contains(got.Text, "\n    \"name\": \"Sound 0") {
		t.Errorf("YAML list:\n%s", got.Text)
	}
	got = c.get(at + "?format=api")
	if !strings.Contains(got.Header.Get("Content-Type"), "text/html") || !strings.Contains(got.Text, "&#34;name&#34;: &#34;Sound 01&#34;") {
		t.Errorf("for people: %s", got.Text)
	}
	accepting := with(t, s, c.header.Get("Authorization"))
	accepting.header.Set("Accept", "application/xml")
	if got = accepting.get(at + "analysis/"); !strings.Contains(got.Text, "<beat_loudness></beat_loudness>") || !strings.Contains(got.Text, "<mfcc><list-item>") || xml.Unmarshal([]byte(got.Text), new(struct{})) != nil {
		t.Errorf("analysis as XML: %s", got.Text)
	}
	if got = accepting.get("/apiv2/sounds/99999/?format=yaml"); got.Text != "\"detail\": \"Not found.\"\n" {
		t.Errorf("error as YAML: %q", got.Text)
	}
}

// downloads gets originals one by one, by link and as a pack.
func downloads(t *testing.T, s *testkit.Site, c, me client, ids []int64) {
	at := fmt.Sprintf("/apiv2/sounds/%d/download/", ids[0])
	detail(t, "link with a key", c.get(at+"link/"), http.StatusUnauthorized, "Authentication credentials were not provided.")
	v := want(t, "link", me.get(at+"link/"), http.StatusOK)
	link := strings.TrimPrefix(v["download_link"].(string), s.URL)
	nobody := with(t, s, "")
	for range 2 {
		if got := nobody.get(link); got.Status != http.StatusOK || !strings.HasPrefix(got.Text, "RIFF") || !strings.HasPrefix(got.Header.Get("Content-Disposition"), fmt.Sprintf("attachment; filename=%d__maker__sound-01.wav", ids[0])) {
			t.Errorf("download by link: %d %v", got.Status, got.Header)
		}
	}
	detail(t, "a forged link", nobody.get(strings.TrimSuffix(link, "/")+"x/"), http.StatusUnauthorized, "This token is invalid.")
	detail(t, "no link", nobody.get("/apiv2/download/x/"), http.StatusUnauthorized, "This token is invalid.")
	now := s.Site.Now
	s.Site.Now = func() time.Time { return now().Add(61 * time.Minute) }
	detail(t, "an old link", nobody.get(link), http.StatusUnauthorized, "This token has expired.")
	s.Site.Now = now
	if got := me.get(at + "?token=ignored"); got.Status != http.StatusOK || !strings.HasPrefix(got.Text, "RIFF") {
		t.Errorf("download with a key beside the token: %d %s", got.Status, got.Text)
	}

	rec, err := s.Recordings.ByID(t.Context(), s.DB, ids[0])
	if err != nil {
		t.Fatal(err)
	}
	pack := fmt.Sprintf("/apiv2/packs/%d/download/", rec.PackID)
	detail(t, "pack with a key", c.get(pack), http.StatusUnauthorized, "Authentication credentials were not provided.")
	got := me.get(pack)
	if got.Status != http.StatusOK || got.Header.Get("Content-Disposition") != fmt.Sprintf("attachment; filename=%d__maker__first-five.zip", rec.PackID) {
		t.Fatalf("pack: %d %v", got.Status, got.Header)
	}
	z, err := zip.NewReader(strings.NewReader(got.Text), int64(len(got.Text)))
	if err != nil || len(z.File) != 6 {
		t.Fatalf("pack: %v, %d files", err, len(z.File))
	}
	readme, err := z.Open("_readme_and_license.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(readme)
	if err != nil || !strings.Contains(string(text), "http://creativecommons.org/licenses/by/4.0/") || !strings.Contains(string(text), fmt.Sprintf("%s/s/%d/", s.URL, ids[0])) || !strings.Contains(string(text), "\"First five\"") {
		t.Errorf("readme: %v\n%s", err, text)
	}
	if after, err := s.Recordings.ByID(t.Context(), s.DB, ids[1]); err != nil || after.Downloads != 1 {
		t.Errorf("a sound of the pack was downloaded %d times, %v", after.Downloads, err)
	}
	// A sound that needs a license refuses the whole.
	if got := clientOf(t, s, s.Account("Paid", "contributor")).upload("paid.wav", tone(t, 50, .2), map[string]string{"name": "Paid", "tags": "a-a b-b c-c", "description": "x", "license": "standard", "pack": "Paid pack"}); got.Status != http.StatusCreated {
		t.Fatalf("upload: %s", got.Text)
	}
	var paid recordings.Recording
	testkit.Eventually(t, "the paid sound is published", func() bool {
		list, err := s.Recordings.List(t.Context(), recordings.Filter{State: recordings.Published, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		paid = list[0]
		return paid.Title == "Paid"
	})
	if v := want(t, "paid pack", me.get(fmt.Sprintf("/apiv2/packs/%d/download/", paid.PackID)), http.StatusForbidden); !strings.Contains(v["detail"].(string), fmt.Sprintf("/recordings/%d", paid.ID)) {
		t.Errorf("paid pack: %v", v)
	}
	want(t, "paid link", me.get(fmt.Sprintf("/apiv2/sounds/%d/download/link/", paid.ID)), http.StatusForbidden)
}
