package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

var pictures = flag.String("pictures", "", "write a picture of every page that TestPagesHold opens into this folder")

// signIn signs a person in through the page.
func signIn(tab *testkit.Tab, s *testkit.Site, p *testkit.Person) {
	tab.Open(s.URL + "/sign-in")
	tab.Fill("email", p.Email, "password", p.Password)
	tab.Press("Sign in")
	tab.Wait(`!location.pathname.startsWith("/sign-in")`)
}

// TestMainJobInBrowser does the main job in Chromium with mouse and keyboard, once per engine: upload with tus, describe,
// review, find, audition, license, pay, download, and compares the downloaded bytes with the uploaded ones.
func TestMainJobInBrowser(t *testing.T) {
	open := testkit.Browser(t)
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		maker, judge, buyer := s.Account("Maker", "contributor"), s.Account("Judge", "moderator"), s.Account("Buyer", "member")
		original := flac(t, 1)
		file := testkit.TempFile(t, "riser.flac", original)

		tab := open(t)
		signIn(tab, s, maker)
		tab.Open(s.URL + "/upload")
		tab.Files(`input[type=file]`, file)
		var rec recordings.Recording
		testkit.Eventually(t, "the upload became a draft that is analyzed", func() bool {
			list, err := s.Recordings.List(context.Background(), recordings.Filter{OwnerID: maker.ID})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 {
				rec = list[0]
			}
			return rec.Processing == recordings.Ready
		})
		// Progress is seen without reloading.
		tab.Wait(`document.querySelector("#main").innerText.includes("Ready to describe")`)

		tab.Open(fmt.Sprintf("%s/recordings/%d/edit", s.URL, rec.ID))
		tab.Fill("title", "Riser, noise into tone", "description", "Made from **noise**.", "tags", "riser, whoosh, transition")
		tab.Choose("category", "fx-el")
		tab.Choose("offer", "standard")
		tab.Choose("rights", "")
		tab.Press("Submit for review")
		tab.Wait(`location.pathname === "/my-sounds" && document.body.innerText.includes("In review")`)

		mod := open(t)
		signIn(mod, s, judge)
		mod.Open(fmt.Sprintf("%s/review/%d", s.URL, rec.ID))
		mod.Press("Approve")
		mod.Wait(`location.pathname === "/review"`)
		testkit.Eventually(t, "the marked preview is there", func() bool {
			_, err := s.Recordings.MediaNamed(context.Background(), rec.ID, recordings.MarkedLQ)
			return err == nil
		})

		shop := open(t)
		signIn(shop, s, buyer)
		shop.Open(s.URL + "/search?q=whoosh")
		shop.Wait(`document.querySelector("#main .row-title")`)
		shop.Eval(`document.querySelector("#player [data-do=loop]").click()`) // a slow machine takes longer for the next page than the sound lasts
		shop.Click("#main .row .play")
		shop.Wait(`document.querySelector("#player.sounding:not([hidden])") && document.querySelector("[data-elapsed]").textContent !== "0:00.0"`)
		shop.Click("#main .row-title")
		shop.Wait(fmt.Sprintf(`location.pathname === "/recordings/%d" && document.querySelector("#player.sounding")`, rec.ID))
		shop.Press("Add to cart")
		shop.Wait(`location.pathname === "/cart"`)
		shop.Open(s.URL + "/checkout")
		shop.Fill("licensee", "Bea Buyer", "project", "The Ferry")
		shop.Choose("country", "SE")
		shop.Choose("provider", "test")
		shop.Press("Pay")
		shop.Wait(`location.pathname.startsWith("/payments/test/")`)
		shop.Press("Approve")
		testkit.Eventually(t, "the license is issued", func() bool {
			held, err := s.Licensing.Held(context.Background(), s.DB, buyer.ID)
			if err != nil {
				t.Fatal(err)
			}
			return len(held) == 1
		})
		shop.Open(s.URL + "/library")
		shop.Wait(`document.querySelector("#main").innerText.includes("Riser, noise into tone")`)
		held, err := s.Licensing.Held(context.Background(), s.DB, buyer.ID)
		if err != nil {
			t.Fatal(err)
		}
		// The browser reads the original itself, with its own cookies, and hashes it.
		shop.Eval(fmt.Sprintf(`(fetch("/library/%d/original").then(r => r.arrayBuffer()).then(b => crypto.subtle.digest("SHA-256", b)).then(d => { window.sum = [...new Uint8Array(d)].map(x => x.toString(16).padStart(2, "0")).join("") }), "")`, held[0].ID))
		shop.Wait(`window.sum`)
		want := sha256.Sum256(original)
		if got := shop.Eval(`window.sum`); got != hex.EncodeToString(want[:]) {
			t.Errorf("the downloaded bytes have the hash %s, the uploaded %x", got, want)
		}
		shop.Open(s.URL + "/verify/" + held[0].Number)
		shop.Wait(`document.querySelector("#main").innerText.includes("Bea Buyer") || document.querySelector("#main").innerText.includes("valid")`)
		tab.Open(s.URL + "/earnings")
		tab.Wait(`document.querySelector("#main").innerText.includes("$")`)
	})
}

// TestPagesHold opens every page of a site with real recordings, signed in as whoever uses it, in four views: no finding of
// axe, no refused content, no script error, no sideways scrolling.
func TestPagesHold(t *testing.T) {
	open := testkit.Browser(t)
	s := testkit.NewSite(t, db.SQLite, nil)
	s.Site.Limits.Off = true
	scene := furnish(t, s)
	for _, view := range []struct {
		name, theme string
		width       int64
	}{{"desktop-light", "light", 1280}, {"desktop-dark", "dark", 1280}, {"phone-light", "light", 390}, {"phone-dark", "dark", 390}} {
		t.Run(view.name, func(t *testing.T) {
			for who, paths := range scene.paths {
				tab := open(t)
				tab.View(view.width, 900, view.theme)
				if p := scene.people[who]; p != nil {
					signIn(tab, s, p)
				}
				for _, path := range paths {
					tab.Open(s.URL + path)
					name := who + " " + path
					tab.Holds(name, view.width)
					if *pictures != "" {
						file := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(path), "-")
						if err := os.WriteFile(filepath.Join(*pictures, fmt.Sprintf("%s-%s-%s.png", who, file, view.name)), tab.Picture(), 0o644); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		})
	}
}

// TestRoom: on a phone a page that is followed in place begins below the head.
func TestRoom(t *testing.T) {
	open := testkit.Browser(t)
	s := testkit.NewSite(t, db.SQLite, nil)
	tab := open(t)
	tab.View(390, 844, "light")
	tab.Open(s.URL + "/licenses")
	tab.Click(`#main a[href="/licenses/standard"]`)
	tab.Wait(`location.pathname === "/licenses/standard" && document.querySelector("#main h1")`)
	tab.Wait(`document.activeElement === document.querySelector("#main")`)
	if at := tab.Eval(`Math.round(document.querySelector("#main").getBoundingClientRect().top - document.querySelector(".head").offsetHeight)`); at != "0" {
		t.Errorf("the page begins %s px below the head", at)
	}
}

// scene is a furnished site: people and the pages that each of them uses.
type scene struct {
	people map[string]*testkit.Person
	paths  map[string][]string
}

// TestMainJobWithoutScript does the main job in Chromium with JavaScript off, once per engine: every step is a plain link or
// form.
func TestMainJobWithoutScript(t *testing.T) {
	open := testkit.Browser(t)
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		maker, judge, buyer := s.Account("Maker", "contributor"), s.Account("Judge", "moderator"), s.Person("Buyer", "member")
		original := flac(t, 2)
		file := testkit.TempFile(t, "drone.flac", original)
		enter := func(p *testkit.Person) *testkit.Tab {
			tab := open(t)
			tab.ScriptOff()
			signIn(tab, s, p)
			return tab
		}
		tab := enter(maker)
		tab.Open(s.URL + "/upload")
		tab.Files(`#f-files`, file)
		tab.Press("Upload")
		var rec recordings.Recording
		testkit.Eventually(t, "the upload became a draft that is analyzed", func() bool {
			list, err := s.Recordings.List(context.Background(), recordings.Filter{OwnerID: maker.ID})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 {
				rec = list[0]
			}
			return rec.Processing == recordings.Ready
		})
		tab.Open(fmt.Sprintf("%s/recordings/%d/edit", s.URL, rec.ID))
		tab.Fill("title", "Low drone", "tags", "drone, low, dark")
		tab.Choose("category", "fx-el")
		tab.Choose("offer", "standard")
		tab.Choose("rights", "")
		tab.Press("Submit for review")
		tab.Wait(`location.pathname === "/my-sounds" && document.body.innerText.includes("In review")`)

		mod := enter(judge)
		mod.Open(fmt.Sprintf("%s/review/%d", s.URL, rec.ID))
		mod.Press("Approve")
		mod.Wait(`location.pathname === "/review"`)
		testkit.Eventually(t, "the recording is found", func() bool { return s.Search.Index().Has(rec.ID) })

		shop := enter(buyer)
		shop.Open(s.URL + "/search?q=drone")
		shop.Press("Low drone")
		shop.Wait(fmt.Sprintf(`location.pathname === "/recordings/%d"`, rec.ID))
		shop.Wait(`document.querySelector("#main audio[controls], #main a.play")`) // something to hear without script
		shop.Press("Add to cart")
		shop.Wait(`location.pathname === "/cart"`)
		shop.Open(s.URL + "/checkout")
		shop.Fill("licensee", "Bea Buyer", "project", "The Ferry")
		shop.Choose("country", "SE")
		shop.Choose("provider", "test")
		shop.Press("Pay")
		shop.Wait(`location.pathname.startsWith("/payments/test/")`)
		shop.Press("Approve")
		var held []licensing.License
		testkit.Eventually(t, "the license is issued", func() bool {
			var err error
			if held, err = s.Licensing.Held(context.Background(), s.DB, buyer.ID); err != nil {
				t.Fatal(err)
			}
			return len(held) == 1
		})
		shop.Open(s.URL + "/library")
		shop.Wait(`document.querySelector("#main").innerText.includes("Low drone")`)
		checkZip(t, s, buyer, held[0].ID, "Low drone", original)
	})
}

// shelves makes somebody's shared collection of recordings, with a note, which another reported, an empty one, and a saved search; it gives
// the collections' paths.
func shelves(t *testing.T, s *testkit.Site, who *testkit.Person, reporter int64, ids []int64) (shelf, empty string) {
	t.Helper()
	full, err := s.Collections.Add(t.Context(), who.ID, 0, "Sounds for the ferry", ids)
	if err != nil {
		t.Fatal(err)
	}
	none, err := s.Collections.Make(t.Context(), who.ID, "For later")
	if err != nil {
		t.Fatal(err)
	}
	shelf, empty = full.Collection.Path(), none.Path()
	items, err := s.Collections.Items(t.Context(), full.Collection.ID, 1, 0)
	if err != nil || len(items) != 1 {
		t.Fatalf("items: %v %v", items, err)
	}
	for _, step := range []struct {
		path string
		form map[string][]string
	}{
		{shelf + "/items", map[string][]string{"act": {"note"}, "item": {fmt.Sprint(items[0].ID)}, "was": {""}, "note": {"for the gate, at dusk"}}},
		{shelf, map[string][]string{"act": {"describe"}, "was_name": {"Sounds for the ferry"}, "was_description": {""}, "name": {"Sounds for the ferry"}, "description": {"What the deck needs.\nTwo scenes."}}},
		{shelf, map[string][]string{"act": {"share"}, "shared": {"public"}}},
		{"/searches", map[string][]string{"search": {"license=cc0&q=sound"}}},
	} {
		if got := who.Post(step.path, step.form); got.Status != 303 {
			t.Fatalf("%s: %d %s", step.path, got.Status, got.Text)
		}
	}
	if err := s.Collections.Report(t.Context(), reporter, full.Collection.ID, "The name says nothing."); err != nil {
		t.Fatal(err)
	}
	return shelf, empty
}

// furnish fills a site with published recordings, free and paid, drafts, a cart, an order and a license, through its pages.
func furnish(t *testing.T, s *testkit.Site) scene {
	t.Helper()
	maker, judge, buyer, boss := s.Person("Maker", "contributor"), s.Person("Judge", "moderator"), s.Person("Buyer", "member"), s.Person("Boss", "admin")
	var ids []int64
	for n, offer := range []string{"standard", "cc0", "standard", "cc-by-4.0", "", ""} {
		name := fmt.Sprintf("sound %d.flac", n)
		if got := maker.Upload(map[string][]byte{name: flac(t, n)}); got.Status != 303 {
			t.Fatalf("upload: %d %s", got.Status, got.Text)
		}
		list, err := s.Recordings.List(t.Context(), recordings.Filter{OwnerID: maker.ID, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		id := list[0].ID
		ids = append(ids, id)
		testkit.Eventually(t, "the recording is analyzed", func() bool {
			rec, err := s.Recordings.ByID(t.Context(), s.DB, id)
			return err == nil && rec.Processing == recordings.Ready
		})
		if offer == "" {
			continue
		}
		got := maker.Post(fmt.Sprintf("/recordings/%d/edit", id), map[string][]string{"title": {fmt.Sprintf("Sound number %d", n)}, "description": {"A *test* sound."},
			"tags": {"test, sound, made"}, "category": {"fx-el"}, "pack": {"First pack"}, "offer": {offer}, "rights": {"on"}, "act": {"submit"}})
		if got.Status != 303 {
			t.Fatalf("submit: %d %s", got.Status, got.Text)
		}
		if n == 3 {
			continue // it stays in review
		}
		if got := judge.Post(fmt.Sprintf("/review/%d", id), map[string][]string{"decision": {"approve"}}); got.Status != 303 {
			t.Fatalf("approve: %d %s", got.Status, got.Text)
		}
	}
	testkit.Eventually(t, "three recordings are found", func() bool { return s.Search.Index().Len() == 3 })
	buy(t, s, buyer, ids[0])
	if got := buyer.Post("/cart", map[string][]string{"recording": {fmt.Sprint(ids[2])}, "model": {"standard"}}); got.Status != 303 {
		t.Fatalf("cart: %d %s", got.Status, got.Text)
	}
	held, err := s.Licensing.Held(t.Context(), s.DB, buyer.ID)
	if err != nil || len(held) != 1 {
		t.Fatalf("licenses: %v, %v", held, err)
	}
	app, err := s.Accounts.AddCredential(t.Context(), maker.ID, accounts.Application{Name: "Field notes", Description: "Takes notes.", RedirectURI: "https://notes.example/"}, false)
	if err != nil {
		t.Fatal(err)
	}
	for who, text := range map[*testkit.Person]string{buyer: "Lovely.\nWhich microphone?", maker: "A small one."} {
		if _, err := s.Reactions.Say(t.Context(), who.Actor(), ids[0], text); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Reactions.Favor(t.Context(), buyer.Actor(), ids[0]); err != nil {
		t.Fatal(err)
	}
	shelf, empty := shelves(t, s, buyer, maker.ID, ids[:3])
	ask := "/apiv2/oauth2/authorize/?response_type=code&client_id=" + app.ClientID
	at := func(format string, i int) string { return fmt.Sprintf(format, ids[i]) }
	return scene{
		people: map[string]*testkit.Person{"maker": maker, "judge": judge, "buyer": buyer, "boss": boss},
		paths: map[string][]string{
			"visitor": {"/", "/search", "/search?q=sound&license=cc0", "/search?q=kazoo", at("/compare?a=%d", 0), at("/compare?a=%d", 0) + fmt.Sprintf("&b=%d", ids[1]), at("/recordings/%d", 0), at("/recordings/%d", 1), "/packs", "/packs/1", "/people/Maker", "/licenses",
				"/licenses/standard", "/licenses/cc0", "/verify", "/verify/" + held[0].Number, "/sign-in", "/sign-up", "/reset", "/cart", "/nothing-here", at("/recordings/%d/comments", 0), at("/embed/sound/iframe/%d/simple/large/", 0), "/api/v1/", shelf, "/home/app_permissions/permission_granted/?code=abc"},
			"maker": {"/upload", "/my-sounds", "/people/" + maker.Name, at("/recordings/%d", 0), at("/recordings/%d/edit", 4), at("/upload/describe?ids=%d", 4) + fmt.Sprintf(",%d", ids[5]), "/earnings", "/settings", "/settings/profile",
				"/settings/password", "/settings/email", "/settings/sessions", "/settings/api", "/settings/applications", "/apiv2/apply/credentials/" + app.ClientID + "/edit/", "/apiv2/apply/credentials/" + app.ClientID + "/monitor/",
				"/apiv2/apply/credentials/" + app.ClientID + "/delete/"},
			"buyer": {"/", "/cart", "/checkout", "/library", "/orders", "/orders/1", "/orders/1/invoice", at("/recordings/%d", 0), "/upload", "/favorites", ask, "/collections", shelf, empty, at("/collections/add?recording=%d", 0), "/searches"},
			"judge": {"/review", "/review/collections", at("/review/%d", 3), at("/recordings/%d", 0)},
			"boss":  {"/admin/orders", "/admin/orders/1", "/admin/licenses", "/admin/licenses/standard", "/admin/api", "/admin/api/" + app.ClientID},
		},
	}
}
