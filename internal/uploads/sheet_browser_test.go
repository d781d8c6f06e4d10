package uploads_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestSheetInBrowser describes three recordings in the sheet with script: resumable upload, autosave, apply to selected, fill
// down, undo, submit; then reviews them with the keys A, N and R.
func TestSheetInBrowser(t *testing.T) {
	t.Parallel()
	open := testkit.Browser(t)
	s := testkit.NewSite(t, "sqlite", nil)
	ann, mod := s.Account("Ann", "contributor"), s.Account("Mod", "moderator")
	enter := func(tab *testkit.Tab, p *testkit.Person) {
		tab.Open(s.URL + "/sign-in")
		tab.Fill("email", p.Email, "password", p.Password)
		tab.Press("Sign in")
		tab.Wait(`!location.pathname.startsWith("/sign-in")`)
	}
	list := func(state recordings.State) []recordings.Recording {
		list, err := s.Recordings.List(context.Background(), recordings.Filter{OwnerID: ann.ID, State: state})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}

	tab := open(t)
	enter(tab, ann)
	tab.Open(s.URL + "/upload")
	var files []string
	for i := range 3 {
		files = append(files, testkit.TempFile(t, fmt.Sprintf("bell%d.wav", i), tone(t, 300+i)))
	}
	tab.Files(`input[type=file]`, files...)
	tab.Wait(`document.querySelectorAll('#draft-list [data-state="ready"]').length === 3`) // without reloading
	tab.Press("Describe all that are ready")
	tab.Wait(`location.pathname === "/upload/describe" && document.querySelectorAll("[data-row]").length === 3`)
	first := tab.Eval(`document.querySelector("[data-row]").dataset.row`)

	tab.Fill("title."+first, "Bell of the hall", "tags."+first, "bell, hall, metal")
	tab.Wait(`document.querySelector("[data-saved]").textContent.startsWith("Saved")`)
	set := func(cell, value string) {
		tab.Eval(fmt.Sprintf(`(() => { const c = document.getElementsByName(%q)[0]; c.focus(); c.value = %q; c.dispatchEvent(new Event("change", { bubbles: true })) })()`, cell, value))
	}
	set("category."+first, "fx-o")
	tab.Click("[data-select-all]")
	tab.Wait(`document.querySelector("[data-selected]").textContent === "3 selected"`)
	// Fill down writes the cell into all selected rows, in one step that undo takes back.
	press := func(cell, key string) {
		tab.Eval(fmt.Sprintf(`document.getElementsByName(%q)[0].dispatchEvent(new KeyboardEvent("keydown", { key: %q, ctrlKey: true, bubbles: true, cancelable: true }))`, cell, key))
	}
	press("tags."+first, "d")
	tab.Wait(`[...document.querySelectorAll("[data-cell=tags]")].every(c => c.value === "bell, hall, metal")`)
	press("category."+first, "d")
	tab.Wait(`[...document.querySelectorAll("[data-cell=category]")].every(c => c.value === "fx-o")`)
	press("title."+first, "d")
	tab.Wait(`[...document.querySelectorAll("[data-cell=title]")].every(c => c.value === "Bell of the hall")`)
	press("title."+first, "z")
	tab.Wait(`[...document.querySelectorAll("[data-cell=title]")].filter(c => c.value === "Bell of the hall").length === 1`)
	tab.Press("Set license")
	tab.Wait(`document.querySelector("dialog[open] select")`)
	tab.Eval(`(document.querySelector("dialog[open] select").value = "cc0")`)
	tab.Press("Apply")
	tab.Wait(`[...document.querySelectorAll("[data-ready]")].every(e => e.textContent === "3")`)
	for _, rec := range list(recordings.Draft) {
		if has := offers(t, s, rec.ID); len(has) != 1 || has[0].Model.Code != "cc0" || rec.Category != "fx-o" || rec.Title == "" {
			t.Errorf("%s was saved as %q, %s, %v", rec.FileName, rec.Title, rec.Category, has)
		}
	}
	tab.Choose("rights", "")
	tab.Press("Submit")
	tab.Wait(`location.pathname === "/my-sounds" && document.body.innerText.includes("3 recordings are submitted for review.")`)

	desk := open(t)
	enter(desk, mod)
	desk.Open(s.URL + "/review")
	desk.Wait(`document.querySelector("[data-review]")`)
	before := desk.Eval(`document.querySelector("[data-review]").getAttribute("action")`)
	desk.Key("a")
	testkit.Eventually(t, "A approves", func() bool { return len(list(recordings.Published)) == 1 })
	desk.Wait(fmt.Sprintf(`document.querySelector("[data-review]").getAttribute("action") !== %q`, before))
	second := desk.Eval(`document.querySelector("[data-review]").getAttribute("action")`)
	desk.Key("n")
	desk.Wait(fmt.Sprintf(`document.querySelector("[data-review]").getAttribute("action") !== %q`, second))
	desk.Choose("reason", "quality")
	desk.Key("r")
	testkit.Eventually(t, "R returns", func() bool { return len(list(recordings.Returned)) == 1 })
	if note := list(recordings.Returned)[0].ReturnNote; !strings.Contains(note, "technical fault") {
		t.Errorf("the contributor reads %q", note)
	}
}

// TestSheetInTwoTabs has the same sheet open twice: neither autosave nor the whole form of one tab brings back old words over
// what the other saved, and what was typed last is saved when its page is closed.
func TestSheetInTwoTabs(t *testing.T) {
	t.Parallel()
	open := testkit.Browser(t)
	s := testkit.NewSite(t, "sqlite", nil)
	ann := s.Account("Ann", "contributor")
	tab := open(t)
	tab.Open(s.URL + "/sign-in")
	tab.Fill("email", ann.Email, "password", ann.Password)
	tab.Press("Sign in")
	tab.Wait(`!location.pathname.startsWith("/sign-in")`)
	tab.Open(s.URL + "/upload")
	tab.Files(`input[type=file]`, testkit.TempFile(t, "bell.wav", tone(t, 330)))
	tab.Wait(`document.querySelectorAll('#draft-list [data-state="ready"]').length === 1`)
	list, err := s.Recordings.List(context.Background(), recordings.Filter{OwnerID: ann.ID, State: recordings.Draft})
	if err != nil || len(list) != 1 {
		t.Fatalf("drafts: %v, %v", list, err)
	}
	id := list[0].ID
	// The same bytes again, by another name: the page says so and leads to the draft.
	tab.Files(`input[type=file]`, testkit.TempFile(t, "bell copy.wav", tone(t, 330)))
	tab.Wait(fmt.Sprintf(`document.body.innerText.includes("You sent this before; it was not taken twice.") && document.querySelector('[data-upload-list] a[href="/recordings/%d/edit"]')`, id))
	sheet := fmt.Sprintf("%s/upload/describe?ids=%d", s.URL, id)
	tab.Open(sheet)
	tab.Wait(`document.querySelector("[data-row]")`)

	// The other tab, by what it sends: a title, while the first tab shows the old one.
	elsewhere := func(column, value string) {
		tab.Eval(fmt.Sprintf(`fetch("/upload/describe/row?ids=%d", { method: "POST", body: new URLSearchParams({ id: "%d", [%q]: %q }) }).then(a => a.status)`, id, id, column, value))
	}
	elsewhere("title", "Bell of the hall")
	tab.Eval(`(() => { const c = document.querySelector("[data-cell=tags]"); c.focus(); c.value = "bell, hall, metal"; c.dispatchEvent(new Event("change", { bubbles: true })) })()`)
	tab.Wait(`document.querySelector("[data-saved]").textContent.startsWith("Saved")`)
	if rec := find(t, s, id); rec.Title != "Bell of the hall" {
		t.Errorf("autosave brought %q back", rec.Title)
	}
	elsewhere("ai", "on")
	tab.Press("Save")
	tab.Wait(`document.body.innerText.includes("Saved.") && document.querySelector("[data-cell=title]").value === "Bell of the hall"`)
	if rec := find(t, s, id); rec.Title != "Bell of the hall" || rec.AITraining != "yes" {
		t.Errorf("the whole form left %q, AI training %q", rec.Title, rec.AITraining)
	}
	tab.Open(sheet)
	tab.Wait(`document.querySelector("[data-row]")`)
	tab.Eval(`(() => { const c = document.querySelector("[data-cell=tags]"); c.focus(); c.value = "bell, hall, iron"; c.dispatchEvent(new Event("change", { bubbles: true })) })()`)
	tab.Wait(`document.querySelector("[data-saved]").textContent.startsWith("Saved")`)
	tab.Eval(`(() => { const c = document.querySelector("[data-cell=description]"); c.focus(); c.value = "Typed last" })()`)
	tab.Open(s.URL + "/my-sounds")
	testkit.Eventually(t, "what was typed last is saved", func() bool { return find(t, s, id).Description == "Typed last" })

	// What both tabs changed is told at its cell, stays typed there, and replaces what the other saved only when the form is sent.
	tab.Open(sheet)
	tab.Wait(`document.querySelector("[data-row]")`)
	elsewhere("title", "Bell of the tower")
	set := func(column, value string) {
		tab.Eval(fmt.Sprintf(`(() => { const c = document.querySelector("[data-cell=%s]"); c.focus(); c.value = %q; c.dispatchEvent(new Event("change", { bubbles: true })) })()`, column, value))
	}
	set("title", "Bell of the yard")
	tab.Wait(`document.querySelector("[data-cell=title]").title.includes("another page saved “Bell of the tower” here") && document.querySelector("[data-cell=title]").value === "Bell of the yard"`)
	set("description", "Beside it")
	testkit.Eventually(t, "what only this tab changed is saved", func() bool { return find(t, s, id).Description == "Beside it" })
	if rec := find(t, s, id); rec.Title != "Bell of the tower" {
		t.Errorf("autosave put %q over what the other tab saved", rec.Title)
	}
	tab.Press("Save")
	testkit.Eventually(t, "the form replaces it", func() bool { return find(t, s, id).Title == "Bell of the yard" })
}
