package apiv2_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"audiomicro/internal/accounts"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestWritingKeepsTheContract rates, comments, bookmarks and edits, by the same rules as the pages.
func TestWritingKeepsTheContract(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.Moderation, c.FFmpeg = "off", "off" }, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		ids := catalog(t, s, 2)
		maker, err := s.Accounts.ByName(t.Context(), "Maker")
		if err != nil {
			t.Fatal(err)
		}
		own := with(t, s, "Bearer "+bearerOf(t, s, maker.ID))
		fanPerson := s.Account("Fan", "member")
		fan := clientOf(t, s, fanPerson)
		at := fmt.Sprintf("/apiv2/sounds/%d/", ids[0])
		for _, act := range []string{"rate", "comment", "bookmark", "edit"} {
			detail(t, act+" with a key", with(t, s, "Token "+fanPerson.Key).post(at+act+"/", url.Values{}), http.StatusUnauthorized, "Authentication credentials were not provided.")
			detail(t, act+" with GET", fan.get(at+act+"/"), http.StatusMethodNotAllowed, `Method "GET" not allowed.`)
			if act != "edit" {
				detail(t, act+" of nothing", fan.post("/apiv2/sounds/99999/"+act+"/", url.Values{}), http.StatusNotFound, "Not found.")
			}
		}
		for rating, text := range map[string]string{"": "This field is required.", "x": "A valid integer is required.", "6": "Ensure this value is less than or equal to 5.", "-1": "Ensure this value is greater than or equal to 0.", "4.5": "A valid integer is required."} {
			v := want(t, "rate "+rating, fan.post(at+"rate/", url.Values{"rating": {rating}}), http.StatusBadRequest)
			if got := v["detail"].(object)["rating"].([]any)[0]; got != text {
				t.Errorf("rate %q: %v", rating, got)
			}
		}
		detail(t, "rate", fan.post(at+"rate/", url.Values{"rating": {"0"}}), http.StatusCreated, fmt.Sprintf("Successfully rated sound %d.", ids[0]))
		detail(t, "rate again", fan.post(at+"rate/", url.Values{"rating": {"5"}}), http.StatusConflict, fmt.Sprintf("User has already rated sound %d", ids[0]))
		want(t, "rate one's own", own.post(at+"rate/", url.Values{"rating": {"5"}}), http.StatusForbidden)

		wrongField(t, "no comment", fan.post(at+"comment/", url.Values{}), "comment")
		wrongField(t, "a blank comment", fan.post(at+"comment/", url.Values{"comment": {" \n"}}), "comment")
		wrongField(t, "a long comment", fan.post(at+"comment/", url.Values{"comment": {strings.Repeat("x", 4001)}}), "comment")
		detail(t, "comment", fan.do(http.MethodPost, at+"comment/", "application/json", strings.NewReader(`{"comment": "Good & <loud>"}`)), http.StatusCreated, fmt.Sprintf("Successfully commented sound %d.", ids[0]))
		v := want(t, "sound", fan.get(at+"?fields=num_comments,num_ratings,avg_rating"), http.StatusOK)
		if v["num_comments"] != 1.0 || v["num_ratings"] != 1.0 || v["avg_rating"] != 0.0 {
			t.Errorf("counts: %v", v)
		}
		if got := s.Visitor().Get(fmt.Sprintf("/recordings/%d", ids[0])).Text; !strings.Contains(got, "Good &amp; &lt;loud&gt;") {
			t.Error("the page does not show the comment")
		}
		bookmarks(t, s, fan, ids)
		edits(t, s, own, fan, ids)
		// What is withdrawn takes nothing any more.
		unpublish(t, s, ids[0])
		for _, act := range []string{"rate", "comment", "bookmark", "edit"} {
			detail(t, act+" of a withdrawn sound", own.post(at+act+"/", url.Values{"rating": {"1"}, "comment": {"x"}}), http.StatusNotFound, "Not found.")
		}
		if v := want(t, "bookmarks", fan.get("/apiv2/me/bookmark_categories/"), http.StatusOK); number(t, v["count"]) != 1 || v["results"].([]any)[0].(object)["num_sounds"] != 1.0 {
			t.Errorf("bookmarks of a withdrawn sound: %v", v)
		}
	})
}

func bookmarks(t *testing.T, s *testkit.Site, fan client, ids []int64) {
	if v := want(t, "no bookmarks", fan.get("/apiv2/me/bookmark_categories/"), http.StatusOK); number(t, v["count"]) != 0 {
		t.Errorf("no bookmarks: %v", v)
	}
	for n, category := range []string{"Drones", "Drones", "", "drones"} {
		id := ids[n%2]
		detail(t, "bookmark", fan.post(fmt.Sprintf("/apiv2/sounds/%d/bookmark/", id), url.Values{"category": {category}, "name": {"mine"}}), http.StatusCreated, fmt.Sprintf("Successfully bookmarked sound %d.", id))
	}
	want(t, "a page of a huge negative size", fan.get("/apiv2/me/bookmark_categories/?page_size=-99999999999999999999"), http.StatusOK)
	wrongField(t, "a long category", fan.post(fmt.Sprintf("/apiv2/sounds/%d/bookmark/", ids[0]), url.Values{"category": {strings.Repeat("x", 129)}}), "category")
	v := want(t, "categories", fan.get("/apiv2/me/bookmark_categories/"), http.StatusOK)
	list := v["results"].([]any)
	first, second := list[0].(object), list[1].(object)
	if len(list) != 2 || first["id"] != 0.0 || first["name"] != "Uncategorized" || first["num_sounds"] != 1.0 || first["sounds"] != s.URL+"/apiv2/me/bookmark_categories/0/sounds/" || second["name"] != "Drones" || second["num_sounds"] != 2.0 {
		t.Fatalf("categories: %v", v)
	}
	if v = want(t, "category 0", fan.get("/apiv2/me/bookmark_categories/0/sounds/"), http.StatusOK); number(t, v["count"]) != 1 || names(v)[0] != "Sound 01" {
		t.Errorf("category 0: %v", v)
	}
	if v = want(t, "drones", fan.get(strings.TrimPrefix(second["sounds"].(string), s.URL)+"?page_size=1&fields=name"), http.StatusOK); number(t, v["count"]) != 2 || v["next"] == nil {
		t.Errorf("drones: %v", v)
	}
	if first["url"] != s.URL+"/favorites" || second["url"] != s.URL+fmt.Sprintf("/collections/%v", second["id"]) {
		t.Errorf("pages of categories: %v, %v", first["url"], second["url"])
	}
	want(t, "somebody else's category", clientOf(t, s, s.Account("Other", "member")).get(strings.TrimPrefix(second["sounds"].(string), s.URL)), http.StatusNotFound)
}

func edits(t *testing.T, s *testkit.Site, own, fan client, ids []int64) {
	at := fmt.Sprintf("/apiv2/sounds/%d/", ids[0])
	contributor := clientOf(t, s, s.Account("Rival", "contributor"))
	detail(t, "edit somebody else's", contributor.post(at+"edit/", url.Values{"name": {"Mine"}}), http.StatusUnauthorized, "Not authorized. The sound you're trying to edit is not owned by the OAuth2 logged in user.")
	for field, v := range map[string]string{"tags": "one two", "license": "Sampling+", "bst_category": "zz", "geotag": "1,2"} {
		wrongField(t, "edit "+field, own.post(at+"edit/", url.Values{field: {v}}), field)
	}
	detail(t, "edit", own.post(at+"edit/", url.Values{"name": {"Sound one"}, "tags": {"new words here"}, "license": {"Attribution NonCommercial"}, "pack": {"Another"}, "geotag": {"1,2,12"}}),
		http.StatusOK, fmt.Sprintf("Description of sound %d successfully edited.", ids[0]))
	v := want(t, "edited", own.get(at), http.StatusOK)
	if v["name"] != "Sound one" || fmt.Sprint(v["tags"]) != "[new words here]" || v["license"] != "http://creativecommons.org/licenses/by-nc/4.0/" || v["pack_name"] != "Another" || v["description"] != "Made for a test." {
		t.Errorf("edited: %v", v)
	}
	places(t, s, own, ids[0])
	testkit.Eventually(t, "the index knows the edit", func() bool {
		return number(t, want(t, "search", own.get("/apiv2/search/?filter=tag:words"), http.StatusOK)["count"]) == 1
	})
	detail(t, "out of the pack", own.post(at+"edit/", url.Values{"pack": {""}}), http.StatusOK, fmt.Sprintf("Description of sound %d successfully edited.", ids[0]))
	if v = want(t, "no pack", own.get(at+"?fields=pack,pack_name"), http.StatusOK); v["pack"] != nil || v["pack_name"] != nil {
		t.Errorf("out of the pack: %v", v)
	}
}

// places tells where a sound was made, finds it by that, and takes it back: then nothing tells it any more.
func places(t *testing.T, s *testkit.Site, own client, id int64) {
	at := fmt.Sprintf("/apiv2/sounds/%d/", id)
	for _, v := range []string{"41.4,2.17", "91,2,12", "1,181,12", "a,2,12", "NaN,2,12", "1,2,10", "1,2,12,3"} {
		wrongField(t, "geotag "+v, own.post(at+"edit/", url.Values{"geotag": {v}}), "geotag")
	}
	want(t, "place", own.post(at+"edit/", url.Values{"geotag": {"41.40362912,-2.5,16"}}), http.StatusOK)
	if v := want(t, "placed", own.get(at+"?fields=geotag,is_geotagged"), http.StatusOK); v["geotag"] != "41.403629 -2.5" || v["is_geotagged"] != true {
		t.Errorf("place: %v", v)
	}
	near := map[string]float64{
		"is_geotagged:true": 1, "geotag:*": 1, "{!geofilt sfield=geotag pt=41.4,-2.4 d=9}": 1, "{!geofilt sfield=geotag pt=41.4,-2.4 d=8}": 0, "{!bbox sfield=geotag pt=41.33,-2.4 d=9}": 1, "{!geofilt sfield=geotag pt=41.33,-2.4 d=9}": 0,
		`geotag:"Intersects(-3 41 -2 42)"`: 1, `geotag:"Intersects(-2 41 3 42)"`: 0, `geotag:"IsDisjointTo(-2 41 3 42)"`: 1, `geotag:["41,-3" TO "42,-2"]`: 1, `geotag:"Intersects(10 41 -2 42)"`: 1, "is_geotagged:false tag:words": 0,
		"{!geofilt sfield=geotag pt=41.403629,-2.5 d=0}": 1, "{!geofilt sfield=geotag pt=41.403629,100 d=0}": 0, "{!geofilt sfield=geotag pt=90,0 d=5404}": 1, "{!geofilt sfield=geotag pt=-90,0 d=14612}": 1, "{!geofilt sfield=geotag pt=41.403629,177.5 d=50000}": 1,
	}
	for filter, n := range near {
		if v := want(t, filter, own.get("/apiv2/search/?filter="+url.QueryEscape(filter)), http.StatusOK); v["count"] != n {
			t.Errorf("%s: %v, want %v", filter, v["count"], n)
		}
	}
	page := fmt.Sprintf("/recordings/%d", id)
	if got := s.Visitor().Get(page).Text; !strings.Contains(got, "41.403629, −2.5") {
		t.Error("the page does not tell the place")
	}
	want(t, "another field", own.post(at+"edit/", url.Values{"description": {"Made for a test. "}}), http.StatusOK)
	want(t, "taken back", own.post(at+"edit/", url.Values{"geotag": {""}}), http.StatusOK)
	if v := want(t, "no place", own.get(at+"?fields=geotag,is_geotagged"), http.StatusOK); v["geotag"] != nil || v["is_geotagged"] != false {
		t.Errorf("place taken back: %v", v)
	}
	if strings.Contains(s.Visitor().Get(page).Text, "41.4036") {
		t.Error("the page tells a place that was taken back")
	}
	if kept, err := db.Query[string](t.Context(), s.DB, `SELECT was FROM recording_edit WHERE recording_id = $1`, id); err != nil || len(kept) == 0 || strings.Contains(strings.Join(kept, " "), "41.4036") {
		t.Errorf("the history keeps it: %q %v", kept, err)
	}
}

func bearerOf(t *testing.T, s *testkit.Site, account int64) string {
	t.Helper()
	return application(t, s, &testkit.Person{Created: accounts.Created{ID: account}}, "").Bearer
}

func unpublish(t *testing.T, s *testkit.Site, id int64) {
	t.Helper()
	if err := s.DB.Tx(t.Context(), func(tx *db.Tx) error { return s.Recordings.Unpublish(t.Context(), tx, id) }); err != nil {
		t.Fatal(err)
	}
	state(t, s, id, recordings.Unpublished)
}
