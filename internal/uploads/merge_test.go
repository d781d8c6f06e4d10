package uploads_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// opened is the form of a page as a browser would send it back: every field as it is shown.
func opened(t *testing.T, page string) url.Values {
	t.Helper()
	form := url.Values{"act": {"save"}}
	attr := func(tag, name string) string {
		m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
		if m == nil {
			return ""
		}
		return unescape(m[1])
	}
	start := strings.Index(page, `<form class="form"`)
	if start < 0 {
		t.Fatalf("no form: %.2000s", page)
	}
	page = page[start:]
	page = page[:strings.Index(page, "</form>")]
	for _, tag := range regexp.MustCompile(`<input[^>]*>`).FindAllString(page, -1) {
		box := attr(tag, "type") == "checkbox"
		if name := attr(tag, "name"); name != "" && (!box || strings.Contains(tag, " checked")) {
			value := attr(tag, "value")
			if box && value == "" {
				value = "on"
			}
			form.Add(name, value)
		}
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea([^>]*)>(.*?)</textarea>`).FindAllStringSubmatch(page, -1) {
		form.Set(attr(m[1], "name"), strings.ReplaceAll(strings.TrimPrefix(unescape(m[2]), "\n"), "\n", "\r\n")) // a browser drops the first line break
	}
	for _, m := range regexp.MustCompile(`(?s)<select([^>]*)>(.*?)</select>`).FindAllStringSubmatch(page, -1) {
		form.Set(attr(m[1], "name"), "")
		for _, option := range regexp.MustCompile(`<option[^>]*>`).FindAllString(m[2], -1) {
			if strings.Contains(option, " selected") {
				form.Set(attr(m[1], "name"), attr(option, "value"))
			}
		}
	}
	return form
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&").Replace(s)
}

func changed(form url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, v := range form {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// TestEditInTwoTabs opens the form of one recording twice: what each tab changed stays, and where both changed the same the second
// is told and keeps what it typed.
func TestEditInTwoTabs(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, mod := s.Person("Ann", "contributor"), s.Person("Mod", "moderator")
		rec := draft(t, ann, "bell.wav", 140)
		ready(t, s, rec.ID)
		edit := fmt.Sprintf("/recordings/%d/edit", rec.ID)
		wants(t, ann.Post(edit, changed(described("Bell"), "description", "One\n\ntwo")), 303)
		first, second := opened(t, ann.Get(edit).Text), opened(t, ann.Get(edit).Text)
		if first.Get("title") != "Bell" || first.Get("description") != "One\r\n\r\ntwo" || len(first["offer"]) != 2 || first.Get("price-standard") != "9.00" || first.Get("rights") != "on" || first.Get("category") != "fx-o" {
			t.Fatalf("the form as opened: %v", first)
		}
		wants(t, ann.Post(edit, changed(first, "title", "Bell in the yard", "price-standard", "12")), 303)
		wants(t, ann.Post(edit, changed(second, "tags", "bell, metal, yard", "pack", "")), 303)
		wants(t, ann.Get(edit), 200, "Saved, together with what another page changed meanwhile.", "Bell in the yard", "bell, metal, yard", `value="12.00"`)
		if got := find(t, s, rec.ID); got.Title != "Bell in the yard" || got.PackID != 0 || got.RightsAt == 0 || got.Description != "One\n\ntwo" {
			t.Errorf("kept: %+v", got)
		}

		// Both change the title and a price: nothing of the second is saved until it is sent again.
		first, second = opened(t, ann.Get(edit).Text), opened(t, ann.Get(edit).Text)
		wants(t, ann.Post(edit, changed(first, "title", "Bell, near", "price-standard", "15")), 303)
		page := ann.Post(edit, changed(second, "title", "Bell, far", "price-standard", "20", "description", "Three"))
		wants(t, page, 409,
			"Not saved yet.", "Title: another page saved “Bell, near” here", "Licenses: another page saved “CC BY 4.0, Standard $15” here", `value="Bell, far"`, `value="20"`, "Three")
		if got := find(t, s, rec.ID); got.Title != "Bell, near" || got.Description != "One\n\ntwo" {
			t.Errorf("a refused form saved %q, %q", got.Title, got.Description)
		}
		again := opened(t, page.Text)
		wants(t, ann.Post(edit, again), 303)
		if got := find(t, s, rec.ID); got.Title != "Bell, far" || got.Description != "Three" {
			t.Errorf("sent again: %q, %q", got.Title, got.Description)
		}
		wants(t, ann.Get(edit), 200, `value="20.00"`)

		// Published: the same, and a change of prices alone stands in the history.
		wants(t, ann.Post(edit, changed(opened(t, ann.Get(edit).Text), "act", "submit")), 303)
		if err := s.DB.Tx(t.Context(), func(tx *db.Tx) error { return s.Recordings.Publish(t.Context(), tx, rec.ID) }); err != nil {
			t.Fatal(err)
		}
		first, second = opened(t, ann.Get(edit).Text), opened(t, ann.Get(edit).Text)
		wants(t, ann.Post(edit, changed(first, "price-standard", "25")), 303)
		wants(t, ann.Get(edit), 200, "Earlier versions", "Offer was “CC BY 4.0, Standard $20”")
		wants(t, ann.Post(edit, changed(second, "title", "Bell, farther")), 303)
		wants(t, ann.Get(edit), 200, "Title was “Bell, far”", `value="25.00"`, `value="Bell, farther"`)
		wants(t, ann.Post(edit, changed(opened(t, ann.Get(edit).Text), "price-standard", "30", "title", "Bell")), 303)
		wants(t, ann.Get(edit), 200, "Title was “Bell, farther”. Offer was “CC BY 4.0, Standard $25”")
		wants(t, mod.Get(fmt.Sprintf("/recordings/%d", rec.ID)), 200, "Offer was “CC BY 4.0, Standard $20”")
		was := strings.Count(ann.Get(edit).Text, " was “")
		wants(t, ann.Post(edit, opened(t, ann.Get(edit).Text)), 303)
		if now := strings.Count(ann.Get(edit).Text, " was “"); now != was {
			t.Errorf("saving it untouched left a line in the history")
		}
	})
}
