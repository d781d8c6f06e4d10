package apiv2_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"audiomicro/internal/testkit"
)

// TestRequestsOfPython replays what the Python client of Freesound's makers sends (MTG/freesound-python at 93b955f, through requests: spaces
// as +, brackets and commas escaped, the credential in a header also where none is needed), with its example that downloads all bookmarks.
func TestRequestsOfPython(t *testing.T) {
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		ids := catalog(t, s, 4)
		fan := s.Account("Fan", "member")
		headers := func(auth string) http.Header {
			return http.Header{"Authorization": {auth}, "User-Agent": {"python-requests/2.32.3"}, "Accept-Encoding": {"gzip, deflate"}, "Accept": {"*/*"}}
		}
		send := func(auth, at string) testkit.Answer {
			t.Helper()
			return s.Visitor().Do(http.MethodGet, strings.TrimPrefix(at, s.URL), headers(auth), nil)
		}
		token, oauth := "Token "+fan.Key, "Bearer "+fan.Bearer
		results := func(what, auth, at string) (list []any, next string) {
			t.Helper()
			v := want(t, what, send(auth, at), http.StatusOK)
			next, _ = v["next"].(string)
			return v["results"].([]any), next
		}

		const fields = "fields=id%2Cname%2Ctags%2Cusername%2Clicense%2Cpreviews"
		list, next := results("text_search", token, "/apiv2/search/text/?query=sound&filter=duration%3A%5B0.05+TO+2%5D+type%3Awav&page_size=3&sort=duration_asc&"+fields)
		if len(list) != 3 || list[0].(object)["name"] != "Sound 01" || next == "" {
			t.Fatalf("text_search: %v, next %q", list, next)
		}
		if rest, _ := results("next_page", token, next); len(rest) != 1 {
			t.Errorf("next_page: %v", rest)
		}
		preview, _ := list[0].(object)["previews"].(object)["preview-lq-mp3"].(string)
		if name := preview[strings.LastIndex(preview, "/")+1:]; !strings.HasSuffix(name, "-lq.mp3") {
			t.Errorf("retrieve_preview would write %q", name)
		}
		testkit.Eventually(t, "the preview is made", func() bool { return send(token, preview).Status == http.StatusOK })
		at := fmt.Sprintf("/apiv2/sounds/%d/", ids[0])
		for what, path := range map[string]string{"get_sound": at, "get_analysis": at + "analysis/?descriptors=lowlevel.pitch.mean&normalized=1", "get_similar": at + "similar/?page_size=2&descriptors_filter=lowlevel.pitch.mean%3A%5B1+TO+2%5D",
			"get_comments": at + "comments/?page=1", "get_user": "/apiv2/users/Maker/", "get_sounds": "/apiv2/users/Maker/sounds/?page_size=2&fields=id%2Cname", "get_packs": "/apiv2/users/Maker/packs/"} {
			want(t, what, send(token, path), http.StatusOK)
		}
		// Calls of its past end in an error that it can read, with a reason in the status line only.
		for _, path := range []string{"/apiv2/search/content/?target=lowlevel.pitch.mean%3A220&" + fields, "/apiv2/search/combined/?" + fields, "/apiv2/users/Fan/bookmark_categories/"} {
			want(t, path, send(token, path), http.StatusNotFound)
		}

		// download_bookmarks_example.py
		me := clientOf(t, s, fan)
		for i, category := range []string{"Field notes", "Field notes", ""} {
			me.post(fmt.Sprintf("/apiv2/sounds/%d/bookmark/", ids[i]), url.Values{"category": {category}})
		}
		var got []string
		categories, _ := results("get_my_bookmark_categories", oauth, "/apiv2/me/bookmark_categories/?page_size=100")
		for _, c := range categories {
			at := fmt.Sprintf("/apiv2/me/bookmark_categories/%v/sounds/?fields=id%%2Cname%%2Ctype&page_size=1", c.(object)["id"])
			for at != "" {
				var sounds []any
				sounds, at = results("get_my_bookmark_category_sounds", oauth, at)
				for _, one := range sounds {
					sound := one.(object)
					file := send(oauth, fmt.Sprintf("/apiv2/sounds/%v/download/", sound["id"]))
					if file.Status != http.StatusOK || !strings.HasPrefix(file.Text, "RIFF") {
						t.Errorf("retrieve: %d", file.Status)
					}
					got = append(got, fmt.Sprintf("%v/%v.%v", c.(object)["name"], sound["name"], sound["type"]))
				}
			}
		}
		if strings.Join(got, ", ") != "Uncategorized/Sound 03.wav, Field notes/Sound 01.wav, Field notes/Sound 02.wav" {
			t.Errorf("downloaded: %v", got)
		}
	})
}
