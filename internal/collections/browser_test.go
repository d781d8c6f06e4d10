package collections_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"audiomicro/internal/testkit"
)

// dropping drags a row onto what appears only while it is dragged: the events of the HTML drag and drop model, with one DataTransfer.
const dropping = `(window.dropOn = (from, target) => {
	const data = new DataTransfer(), send = (el, type) => el.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
	const row = document.querySelector(from);
	row.querySelector(".row-len").dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, pointerType: "mouse" }));
	if (!row.draggable) throw new Error("the row cannot be dragged");
	send(row, "dragstart");
	const wait = setInterval(() => {
		const to = document.querySelector(target);
		if (!to) return;
		clearInterval(wait);
		window.taken = !send(to, "dragover") && !!document.querySelector(".drop-strip .over");
		send(to, "drop");
		send(row, "dragend");
	}, 50);
}, "")`

// bench is a tab of the fan's with words for what the tests do in it.
type bench struct {
	site
	*testkit.Tab
	t *testing.T
}

// sit signs the fan in.
func (s site) sit(open func(*testing.T) *testkit.Tab, script bool) bench {
	s.t.Helper()
	b := bench{s, open(s.t), s.t}
	if !script {
		b.ScriptOff()
	}
	b.Open(s.URL + "/sign-in")
	b.Fill("email", s.fan.Email, "password", s.fan.Password)
	b.Press("Sign in")
	b.Wait(`!location.pathname.startsWith("/sign-in")`)
	return b
}

func (b bench) row(i int) string { return fmt.Sprintf(`#main .row[data-sound="%d"]`, b.ids[i]) }

// order waits until the rows stand so, by their first letters.
func (b bench) order(want string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`[...document.querySelectorAll("#main .row-title")].map(a => a.textContent[0]).join("") === %q`, want))
}

func (b bench) told(text string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`document.querySelector("#toast").innerText.includes(%q)`, text))
}

// kept waits until the fan's collection of that name holds n recordings, and gives its path; with n 0 there is none.
func (b bench) kept(name string, n int) (path string) {
	b.t.Helper()
	testkit.Eventually(b.t, fmt.Sprintf("%s holds %d", name, n), func() bool {
		list, err := b.Collections.Of(context.Background(), b.fan.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, c := range list {
			if c.Name == name {
				path = c.Path()
				return c.Shown == int64(n)
			}
		}
		return n == 0
	})
	return path
}

// picture keeps what the tab shows, for eyes.
func (b bench) picture(name string) {
	if dir := os.Getenv("PICTURES"); dir != "" {
		if err := os.WriteFile(dir+"/"+name+".png", b.Picture(), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestCollectInBrowser fills a collection through the dialog, by key, by picking and by dragging, orders it by button, by key and with the
// mouse, plays it, and takes everything back.
func TestCollectInBrowser(t *testing.T) {
	open := testkit.Browser(t)
	each(t, func(s site) {
		b := s.sit(open, true)
		b.fillByDialog()
		path := b.fillByKeyAndMouse()
		b.arrange(path)
		// Who has it by a link plays it and takes it along, and changes nothing.
		s.post(s.fan, path, 303, "act", "share", "shared", "public")
		guest := bench{s, open(s.t), s.t}
		guest.View(390, 844, "dark")
		guest.Open(s.URL + path)
		guest.order("BCA")
		guest.Holds("another's collection on a phone", 390)
		guest.Wait(`!document.querySelector("[data-item-acts], #share") && document.querySelector("[data-play-all]")`)
		guest.picture("guest-phone-dark")
	})
}

// fillByDialog makes a collection in the dialog over a list and on a recording's page, and takes it back.
func (b bench) fillByDialog() {
	b.t.Helper()
	b.Open(b.URL + "/search?sort=title")
	b.Click(b.row(0) + " [data-collect]")
	b.Wait(`document.querySelector("dialog[open] [name=name]") === document.activeElement`)
	b.Holds("the dialog", 1280)
	b.picture("dialog")
	b.Press("Make and add") // without a name nothing is made, and the dialog stays
	b.told("Give the collection a name.")
	b.Eval(`document.querySelector("dialog[open] [name=name]").value = "Wood"`)
	b.Press("Make and add")
	b.Wait(`!document.querySelector("dialog[open]") && document.activeElement.matches("[data-collect]")`)
	b.told("Added to Wood.")
	b.kept("Wood", 1)
	b.Click("#toast .btn")
	b.told("Taken back.")
	b.kept("Wood", 0)

	b.Open(fmt.Sprintf("%s/recordings/%d", b.URL, b.ids[0]))
	b.Click(".rec-head [data-collect]")
	b.Wait(`document.querySelector("dialog[open] [name=name]")`)
	b.Eval(`document.querySelector("dialog[open] [name=name]").value = "Wood"`)
	b.Press("Make and add")
	b.told("Added to Wood.")
	b.kept("Wood", 1)
	b.Click(".rec-head [data-collect]")
	b.Wait(`document.querySelector("dialog[open]")?.innerText.includes("1 sound")`)
	b.Press("Wood")
	b.told("It is in Wood already.")
}

// fillByKeyAndMouse picks rows and adds them by key, and drags another onto the collection.
func (b bench) fillByKeyAndMouse() string {
	b.t.Helper()
	b.Open(b.URL + "/search?sort=title")
	click := func(i int, held string) {
		b.Eval(fmt.Sprintf(`document.querySelector('%s .row-len').dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, %s: true })), ""`, b.row(i), held))
	}
	click(0, "ctrlKey")
	b.Wait(`document.querySelector(".pick-bar")?.innerText.includes("1 picked")`)
	click(2, "shiftKey")
	b.Wait(`document.querySelector(".pick-bar")?.innerText.includes("3 picked")`)
	click(2, "ctrlKey")
	b.Wait(`document.querySelector(".pick-bar")?.innerText.includes("2 picked") && document.querySelectorAll(".row.chosen").length === 2`)
	b.Holds("picked rows", 1280)
	b.picture("picked")
	b.Key("a")
	b.Wait(`document.querySelector("dialog[open]")?.innerText.includes("Add 2 sounds") && document.activeElement.closest("dialog li")`)
	b.Key("\r") // on Wood, which has the focus
	b.Wait(`!document.querySelector("dialog[open], .pick-bar, .row.chosen")`)
	b.told("Added to Wood.")
	b.kept("Wood", 2)

	b.Eval(`document.querySelector('` + b.row(2) + ` [data-collect]').focus(), ""`)
	b.Key("a")
	b.Wait(`document.activeElement?.closest("dialog li")`)
	b.Key("\u001b") // Escape leaves the dialog and gives the focus back
	b.Wait(`!document.querySelector("dialog[open]") && document.activeElement?.matches('` + b.row(2) + ` [data-collect]')`)

	b.Eval(dropping)
	b.Eval(`dropOn('` + b.row(2) + `', ".drop-strip [data-to]"), ""`)
	b.Wait(`window.taken`)
	b.told("Added to Wood.")
	path := b.kept("Wood", 3)
	b.Wait(`!document.querySelector(".drop-strip, .row.held")`)
	return path
}

// arrange orders the collection, removes one, plays all, and reads what the server kept.
func (b bench) arrange(path string) {
	b.t.Helper()
	b.Open(b.URL + path)
	b.order("ABC")
	b.Wait(`document.querySelector("[data-collection][data-on=ready]")`)
	b.Holds("a collection", 1280)
	b.picture("collection")
	b.Click(b.row(2) + ` [value=up]`)
	b.order("ACB")
	b.Wait(`document.activeElement.value === "up"`) // one can press on
	b.Key("\r")
	b.order("CAB")
	b.Eval(`document.querySelector('` + b.row(0) + ` .row-title').focus(), ""`)
	b.KeyWith("ArrowDown", "alt")
	b.order("CBA")
	b.Wait(`document.activeElement.matches('` + b.row(0) + ` .row-title') && document.getElementById("live").textContent.includes("3 of 3")`)
	b.Drag(b.row(2)+" .row-len", b.row(1), .9)
	b.order("BCA")
	b.Click(b.row(0) + ` [value=remove]`)
	b.order("BC")
	b.Wait(`document.activeElement.matches("[data-item-acts] button:last-child")`)
	b.Click("#toast .btn")
	b.order("BCA")
	b.kept("Wood", 3)
	b.Eval(`document.querySelector("#player [data-do=loop]").click()`) // a slow machine takes longer than the sound lasts
	b.Press("Play all")
	b.Wait(`document.querySelector('` + b.row(1) + `.playing') && document.querySelector("#player:not([hidden])")`)
	b.Open(b.URL + path) // the server knows the same
	b.order("BCA")
}

// TestCollectWithoutScript does it with plain links and forms in the browser.
func TestCollectWithoutScript(t *testing.T) {
	open := testkit.Browser(t)
	each(t, func(s site) {
		b := s.sit(open, false)
		b.Open(s.URL + "/search?q=alder")
		b.Click(b.row(0) + " [data-collect]")
		b.Wait(`location.pathname === "/collections/add"`)
		b.Fill("name", "Wood")
		b.Press("Make and add")
		b.Wait(`location.pathname === "/search"`)
		b.told("Added to Wood.")
		b.Click("#toast .btn")
		b.Wait(`location.pathname === "/search" && document.querySelector("#toast").innerText.includes("Taken back.")`)
		b.kept("Wood", 0)
		for i := range s.ids { // on the recordings' pages: the first makes it, the others find it
			b.Open(fmt.Sprintf("%s/recordings/%d", s.URL, s.ids[i]))
			b.Click(".rec-head [data-collect]")
			b.Wait(`location.pathname === "/collections/add"`)
			if i == 0 {
				b.Fill("name", "Wood")
				b.Press("Make and add")
			} else {
				b.Press("Wood")
			}
			b.Wait(fmt.Sprintf(`location.pathname === "/recordings/%d"`, s.ids[i]))
			b.told("Added to Wood.")
		}
		b.Open(s.URL + b.kept("Wood", 3))
		b.order("ABC")
		b.Click(b.row(2) + ` [value=up]`)
		b.order("ACB")
		b.Click(b.row(2) + ` [value=remove]`)
		b.order("AB")
		b.Click("#toast .btn")
		b.order("ACB")
		b.Click(b.row(0) + " .note-edit summary")
		b.Eval(fmt.Sprintf(`(document.querySelector('%s [name=note]').value = "for the gate")`, b.row(0)))
		b.Click(b.row(0) + ` [value=note]`)
		b.Wait(`document.querySelector('` + b.row(0) + ` .note-edit summary').innerText.includes("for the gate")`)
		b.Press("Delete collection")
		b.Wait(`location.pathname === "/collections"`)
		b.Click("#toast .btn")
		b.Wait(`location.pathname.startsWith("/collections") && document.querySelector("#toast").innerText.includes("Taken back.")`)
		b.kept("Wood", 3)
	})
}
