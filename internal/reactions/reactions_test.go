package reactions_test

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/uploads"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// published makes a published recording of somebody without its page.
func published(t *testing.T, s *testkit.Site, owner *testkit.Person, title string) int64 {
	t.Helper()
	block := make([]float32, 8820)
	for i := range block {
		block[i] = float32(.3 * math.Sin(float64(i)*.02*float64(len(title))))
	}
	var wav bytes.Buffer
	if err := synth.WriteWAV(&wav, [][]float32{block}, 44_100); err != nil {
		t.Fatal(err)
	}
	taken, err := s.Uploads.Take(t.Context(), owner.ID, title+".wav", &wav, uploads.Extra{})
	if err != nil {
		t.Fatal(err)
	}
	id := taken.Recording.ID
	got := owner.Post(fmt.Sprintf("/recordings/%d/edit", id), url.Values{"title": {title}, "tags": {"one, two, three"}, "category": {"fx-el"}, "offer": {"cc0"}, "rights": {"on"}, "act": {"submit"}})
	if got.Status != http.StatusSeeOther {
		t.Fatalf("submit: %d %s", got.Status, got.Text)
	}
	testkit.Eventually(t, title+" is published", func() bool {
		rec, err := s.Recordings.ByID(t.Context(), s.DB, id)
		if err != nil || rec.Processing == recordings.Failed {
			t.Fatalf("%v %s", err, rec.ProcessingNote)
		}
		return rec.State == recordings.Published
	})
	return id
}

func quick(c *config.Config) { c.Moderation, c.FFmpeg = "off", "off" }

// TestReactionsOnPages walks comments, ratings and favorites through the plain forms of the pages.
func TestReactionsOnPages(t *testing.T) {
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		maker, fan, judge := s.Person("Maker", "contributor"), s.Person("Fan", "member"), s.Person("Judge", "moderator")
		id := published(t, s, maker, "Door slam")
		page := fmt.Sprintf("/recordings/%d", id)
		post := func(who *testkit.Person, path string, form url.Values, status int) testkit.Answer {
			t.Helper()
			got := who.Post(path, form)
			if got.Status != status {
				t.Fatalf("%s %v: %d, want %d", path, form, got.Status, status)
			}
			return got
		}
		holds := func(who *testkit.Person, path string, want, not []string) {
			t.Helper()
			got := who.Get(path)
			for _, text := range want {
				if !strings.Contains(got.Text, text) {
					t.Errorf("%s (%d) does not hold %q", path, got.Status, text)
				}
			}
			for _, text := range not {
				if strings.Contains(got.Text, text) {
					t.Errorf("%s holds %q", path, text)
				}
			}
		}
		comments(t, s, id, maker, fan, judge, post, holds)
		// Ratings: one a person, changed in place, none of one's own.
		post(fan, page+"/rating", url.Values{"stars": {"5"}}, http.StatusSeeOther)
		post(judge, page+"/rating", url.Values{"stars": {"2"}}, http.StatusSeeOther)
		holds(s.Visitor(), page, []string{"3.5 of 5 stars, 2 ratings", "Sign in</a> to rate"}, []string{"Your rating"})
		post(judge, page+"/rating", url.Values{"stars": {"4"}}, http.StatusSeeOther)
		holds(judge, page, []string{"4.5 of 5 stars, 2 ratings", `<option value="4" selected`}, nil)
		post(maker, page+"/rating", url.Values{"stars": {"5"}}, http.StatusForbidden)
		holds(maker, page, nil, []string{"Your rating"})
		for _, stars := range []string{"6", "-1", "x"} {
			post(fan, page+"/rating", url.Values{"stars": {stars}}, http.StatusUnprocessableEntity)
		}
		testkit.Eventually(t, "the index knows the rating", func() bool {
			return strings.Contains(fan.Get("/search?sort=rating").Text, "Door slam")
		})
		post(judge, page+"/rating", url.Values{"stars": {""}}, http.StatusSeeOther)
		holds(judge, page, []string{"5.0 of 5 stars, 1 rating"}, nil)
		favorites(t, s, id, fan, post, holds)
		// What is not published takes no reactions and shows none.
		post(maker, page+"/unpublish", nil, http.StatusSeeOther)
		for _, act := range []string{"/comments", "/rating", "/favorite"} {
			post(fan, page+act, url.Values{"comment": {"x"}, "stars": {"1"}}, http.StatusNotFound)
		}
		holds(fan, "/favorites", []string{"Nothing here yet"}, []string{"Door slam"})
		post(s.Visitor(), page+"/comments", url.Values{"comment": {"x"}}, http.StatusSeeOther) // to the sign-in page
	})
}

type poster func(who *testkit.Person, path string, form url.Values, status int) testkit.Answer
type holder func(who *testkit.Person, path string, want, not []string)

func comments(t *testing.T, s *testkit.Site, id int64, maker, fan, judge *testkit.Person, post poster, holds holder) {
	page := fmt.Sprintf("/recordings/%d", id)
	post(fan, page+"/comments", url.Values{"comment": {"Heavy <b>door</b>\u202e!\nSecond line."}}, http.StatusSeeOther)
	holds(s.Visitor(), page, []string{"Heavy &lt;b&gt;door&lt;/b&gt;!", "Second line.", "1 comment"}, []string{"<b>door</b>", "Your comment"})
	got := post(fan, page+"/comments", url.Values{"comment": {" \n "}}, http.StatusUnprocessableEntity)
	if !strings.Contains(got.Text, "the comment is empty") {
		t.Errorf("an empty comment: %s", got.Text)
	}
	got = post(fan, page+"/comments", url.Values{"comment": {strings.Repeat("é", 4001)}}, http.StatusUnprocessableEntity)
	if !strings.Contains(got.Text, "at most 4000") || !strings.Contains(got.Text, "ééé") {
		t.Error("a long comment is not shown again with what is wrong")
	}
	list, _, err := s.Reactions.Comments(t.Context(), id, 10, 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("comments: %v %v", list, err)
	}
	first := fmt.Sprintf("/comments/%d", list[0].ID)
	for who, status := range map[*testkit.Person]int{maker: http.StatusNotFound, judge: http.StatusForbidden, s.Visitor(): http.StatusSeeOther} {
		post(who, first+"/delete", nil, status)
	}
	post(maker, first+"/remove", url.Values{"why": {"I do not like it"}}, http.StatusNotFound)
	post(judge, first+"/remove", url.Values{"why": {" "}}, http.StatusUnprocessableEntity)
	post(judge, first+"/remove", url.Values{"why": {"Off topic."}}, http.StatusSeeOther)
	holds(s.Visitor(), page, nil, []string{"Heavy", "Off topic."})
	holds(fan, page, []string{"Heavy", "Off topic.", "only you see it"}, nil)
	post(judge, first+"/remove", url.Values{"why": {"Again."}}, http.StatusNotFound)
	post(fan, first+"/delete", nil, http.StatusSeeOther)
	holds(fan, page, nil, []string{"Heavy"})
	// A moderator does not judge one's own comment, but may delete it.
	post(judge, page+"/comments", url.Values{"comment": {"Mine."}}, http.StatusSeeOther)
	list, _, err = s.Reactions.Comments(t.Context(), id, 10, 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("comments: %v %v", list, err)
	}
	post(judge, fmt.Sprintf("/comments/%d/remove", list[0].ID), url.Values{"why": {"x"}}, http.StatusForbidden)
	post(judge, fmt.Sprintf("/comments/%d/delete", list[0].ID), nil, http.StatusSeeOther)
	for n := range 12 {
		post(fan, page+"/comments", url.Values{"comment": {fmt.Sprintf("Number %02d", n)}}, http.StatusSeeOther)
	}
	holds(fan, page, []string{"Number 11", "12 comments", "All comments"}, []string{"Number 01"})
	holds(fan, page+"/comments", []string{"Number 00", "Number 11"}, nil)
	sweep(t, s, id, fan, judge)
	// What somebody said who is suspended is gone with the account.
	loud := s.Person("Loud", "member")
	post(loud, page+"/comments", url.Values{"comment": {"LOUD"}}, http.StatusSeeOther)
	post(loud, page+"/rating", url.Values{"stars": {"0"}}, http.StatusSeeOther)
	if err := s.Accounts.Suspend(t.Context(), loud.ID); err != nil {
		t.Fatal(err)
	}
	holds(s.Visitor(), page, []string{"12 comments", "Nobody has rated"}, []string{"LOUD"})
}

// sweep shows that a removed comment is forgotten after half a year, and not before.
func sweep(t *testing.T, s *testkit.Site, id int64, fan, judge *testkit.Person) {
	c, err := s.Reactions.Say(t.Context(), fan.Actor(), id, "To be removed.")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reactions.Remove(t.Context(), judge.Actor(), c.ID, "Spam."); err != nil {
		t.Fatal(err)
	}
	left := func() int64 {
		n, err := db.Get[int64](t.Context(), s.DB, `SELECT count(*) FROM comment WHERE id = $1`, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		after time.Duration
		left  int64
	}{{179 * 24 * time.Hour, 1}, {181 * 24 * time.Hour, 0}} {
		swept := *s.Reactions
		swept.Now = func() time.Time { return time.Now().Add(step.after) }
		if err := swept.Sweep(t.Context()); err != nil || left() != step.left {
			t.Errorf("after %v: %d left, %v", step.after, left(), err)
		}
	}
}

func favorites(t *testing.T, s *testkit.Site, id int64, fan *testkit.Person, post poster, holds holder) {
	page := fmt.Sprintf("/recordings/%d", id)
	holds(fan, "/favorites", []string{"Nothing here yet"}, nil)
	holds(fan, page, []string{"Add to favorites"}, []string{"Among your"})
	for range 2 {
		post(fan, page+"/favorite", nil, http.StatusSeeOther)
	}
	holds(fan, page, []string{"Among your"}, []string{"Add to favorites", "In your collections"})
	holds(fan, "/favorites", []string{"Door slam"}, nil)
	// What is kept shows in both places: the favorites among the collections, the collections beside the favorites.
	holds(fan, "/collections", []string{`href="/favorites"><b>Favorites`, "1 sound"}, nil)
	post(fan, "/collections/add", url.Values{"recording": {fmt.Sprint(id)}, "name": {"Doors  & gates"}}, http.StatusSeeOther)
	for _, at := range []string{page, "/favorites", "/collections"} {
		holds(fan, at, []string{"Doors &amp; gates"}, nil)
	}
	holds(s.Person("Other", "member"), "/favorites", []string{"Nothing here yet"}, []string{"Door slam", "gates"})
	post(fan, page+"/favorite", url.Values{"remove": {"1"}}, http.StatusSeeOther)
	holds(fan, "/favorites", []string{"Nothing here yet", "Doors &amp; gates"}, nil)
	holds(fan, page, []string{"In your collections", "Add to favorites"}, nil)
	holds(fan, "/collections", nil, []string{"<b>Favorites"})
	post(fan, page+"/favorite", nil, http.StatusSeeOther)
}

// TestRateOnce is the rule of programs: the second rating is refused and changes nothing.
func TestRateOnce(t *testing.T) {
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		maker, fan := s.Person("Maker", "contributor"), s.Person("Fan", "member")
		id := published(t, s, maker, "Bell")
		if err := s.Reactions.Rate(t.Context(), fan.Actor(), id, 3); err != nil {
			t.Fatal(err)
		}
		if err := s.Reactions.Rate(t.Context(), fan.Actor(), id, 5); err == nil {
			t.Error("a second rating was taken")
		}
		if stars, err := s.Reactions.RatingBy(t.Context(), fan.ID, id); err != nil || stars != 3 {
			t.Errorf("rated %d, %v", stars, err)
		}
		if access.Can(access.Actor{ID: 1, Role: access.Member, Confirmed: true, ReadOnly: true}, access.React, access.Object{Public: true}) {
			t.Error("an API key may react")
		}
	})
}
