package orders_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/money"
	"audiomicro/internal/orders"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// publish uploads a synthesized sound through the page, waits for its analysis, describes, offers and publishes it.
func publish(t *testing.T, by *testkit.Person, n int, offers ...licensing.Offer) (recordings.Recording, []byte) {
	t.Helper()
	ctx, site := context.Background(), by.Site
	sound := synth.Catalog()[n]
	var wav bytes.Buffer
	if err := synth.WriteWAV(&wav, sound.Render(), synth.SampleRate); err != nil {
		t.Fatal(err)
	}
	if res := by.Upload(map[string][]byte{sound.Name + ".wav": wav.Bytes()}); res.Status >= 400 {
		t.Fatalf("upload: %d %s", res.Status, res.Text)
	}
	var rec recordings.Recording
	testkit.Eventually(t, "the upload is analyzed", func() bool {
		list, err := site.Recordings.List(ctx, recordings.Filter{OwnerID: by.ID, State: recordings.Draft})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if r.FileName == sound.Name+".wav" {
				rec = r
			}
		}
		return rec.Processing == recordings.Ready
	})
	err := site.DB.Tx(ctx, func(tx *db.Tx) error {
		d := recordings.Description{Title: sound.Title, Description: sound.Description, Category: sound.Category, Tags: sound.Tags, Rights: true}
		if err := site.Recordings.Describe(ctx, tx, by.Actor(), rec.ID, d); err != nil {
			return err
		}
		change, err := site.Licensing.SetOffers(ctx, tx, rec.ID, offers, false)
		if err != nil {
			return err
		}
		if err := site.Recordings.SetPaid(ctx, tx, rec.ID, change.Paid); err != nil {
			return err
		}
		if err := site.Recordings.Submit(ctx, tx, rec.ID); err != nil {
			return err
		}
		return site.Recordings.Publish(ctx, tx, rec.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	rec, err = site.Recordings.ByID(ctx, site.DB, rec.ID)
	if err != nil {
		t.Fatal(err)
	}
	return rec, wav.Bytes()
}

// hidden reads the value of a hidden field of a page.
func hidden(t *testing.T, page, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no field %q in %s", name, page)
	}
	return m[1]
}

func wants(t *testing.T, what string, res testkit.Answer, status int, texts ...string) testkit.Answer {
	t.Helper()
	if res.Status != status {
		t.Fatalf("%s: %d, want %d: %.2000s", what, res.Status, status, res.Text)
	}
	for _, text := range texts {
		if !strings.Contains(res.Text, text) {
			t.Errorf("%s does not hold %q: %.3000s", what, text, res.Text)
		}
	}
	return res
}

// unzip reads every file of a zip.
func unzip(t *testing.T, body string) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestThroughThePages does what a buyer, a contributor and an admin do, without scripts.
func TestThroughThePages(t *testing.T) {
	t.Parallel()
	settings := func(c *config.Config) { c.TaxBasis, c.TaxName = 2500, "VAT" }
	testkit.EachSite(t, settings, func(t *testing.T, site *testkit.Site) {
		ana, admin := site.Person("ana", "contributor"), site.Person("root", "admin")
		paid, wav := publish(t, ana, 0, licensing.Offer{Code: "standard", Price: money.Of(300, "USD")}, licensing.Offer{Code: "broadcast-1m", Price: money.Of(900, "USD")})
		id := fmt.Sprint(paid.ID)

		// A visitor fills a cart, signs in, and finds it there.
		mara := site.Visitor()
		wants(t, "empty cart", mara.Get("/cart"), 200, "The cart is empty")
		wants(t, "add", mara.Post("/cart", url.Values{"recording": {id}, "model": {"standard"}}), 303)
		wants(t, "the visitor's cart", mara.Get("/cart"), 200, paid.Title, "$3.00", "Sign in")
		if in, out := mara.Get("/recordings/"+id).Text, site.Visitor().Get("/recordings/"+id).Text; !strings.Contains(in, "In the cart") || strings.Contains(out, "In the cart") {
			t.Errorf("the recording's page does not tell whose cart holds it: %t, %t", strings.Contains(in, "In the cart"), strings.Contains(out, "In the cart"))
		}
		if res := mara.Get("/checkout"); res.Status != 303 || !strings.HasPrefix(res.Location, "/sign-in") {
			t.Errorf("checkout of a visitor: %d %s", res.Status, res.Location)
		}
		buyer := site.Person("mara", "member")
		mara.Created = buyer.Created
		wants(t, "sign in", mara.Post("/sign-in", url.Values{"email": {buyer.Email}, "password": {buyer.Password}, "next": {"/checkout"}}), 303)
		checkout := wants(t, "checkout", mara.Get("/checkout"), 200, paid.Title, "VAT 25 %", "$3.75", "$1.05 of this goes to the person")

		// What is missing is said beside the form, and nothing is ordered.
		form := url.Values{"key": {hidden(t, checkout.Text, "key")}, "seen": {hidden(t, checkout.Text, "seen")}, "licensee": {"Mara <b>Lind</b>"}, "company": {"Northlight"},
			"project": {""}, "country": {"SE"}, "provider": {"test"}}
		wants(t, "checkout without a project", mara.Post("/checkout", form), 422, "Project is missing", "Mara &lt;b&gt;Lind&lt;/b&gt;")
		form.Set("project", "The Ferry")
		placed := wants(t, "order", mara.Post("/checkout", form), 303)
		if !strings.HasPrefix(placed.Location, "/payments/test/") {
			t.Fatalf("the order leads to %s", placed.Location)
		}
		if again := mara.Post("/checkout", form); again.Location != placed.Location {
			t.Errorf("the same form again leads to %s", again.Location)
		}
		wants(t, "the provider's page", mara.Get(placed.Location), 200, "Approve $3.75")
		back := wants(t, "approve", mara.Post(placed.Location, url.Values{"decision": {"approve"}}), 303)
		order := wants(t, "return", mara.Get(back.Location), 303)
		page := wants(t, "order page", mara.Get(order.Location), 200, "Paid", "Northlight", "The Ferry", "/download")
		wants(t, "orders", mara.Get("/orders"), 200, "00001", "$3.75")
		wants(t, "invoice", mara.Get(order.Location+"/invoice"), 200, "Invoice", "Sweden", "VAT 25 %", "$0.75", "$3.75")

		// The library gives the very bytes that were uploaded, and their papers.
		library := wants(t, "library", mara.Get("/library"), 200, paid.Title, "The Ferry")
		link := regexp.MustCompile(`/library/\d+/download`).FindString(library.Text)
		if link == "" || !strings.Contains(page.Text, link) {
			t.Fatalf("no download in the library: %s", library.Text)
		}
		wants(t, "head of the zip", mara.Do("HEAD", link, nil, nil), 200)
		files := unzip(t, wants(t, "zip", mara.Get(link), 200).Text)
		var original []byte
		for name, body := range files {
			if strings.HasSuffix(name, ".wav") {
				original = body
			}
		}
		if !bytes.Equal(original, wav) {
			t.Error("the zip holds other bytes than were uploaded")
		}
		if res := mara.Get(strings.Replace(link, "download", "original", 1)); res.Status != 200 || res.Text != string(wav) {
			t.Errorf("the original: %d, %d bytes", res.Status, len(res.Text))
		}
		if !strings.Contains(string(files["attribution.txt"]), "by ana -- "+site.URL+"/recordings/"+id) || !bytes.HasPrefix(files["certificate.pdf"], []byte("%PDF-")) || len(files["license.md"]) == 0 {
			t.Errorf("papers: %q, %d bytes of PDF", files["attribution.txt"], len(files["certificate.pdf"]))
		}
		downloads, err := db.Query[int64](context.Background(), site.DB, `SELECT license_id FROM download WHERE recording_id = $1 AND account_id = $2`, paid.ID, mara.ID)
		if err != nil || len(downloads) != 2 || downloads[0] == 0 {
			t.Errorf("downloads recorded under the licenses %v, %v", downloads, err)
		}

		// Anybody checks the certificate with the public key, offline, and on the page.
		keys, err := certificate.ParseKeys([]byte(wants(t, "key", site.Visitor().Get("/licenses/key"), 200).Text))
		if err != nil {
			t.Fatal(err)
		}
		cert, err := certificate.Verify(files["certificate.json"], keys...)
		if err != nil || cert.Licensee.Name != "Mara <b>Lind</b>" || cert.Recording.SHA256 != paid.SHA256 || cert.Order.Amount != money.Of(300, "USD") || cert.Recording.Fingerprint == "" {
			t.Errorf("certificate %+v, %v", cert, err)
		}
		wants(t, "verify page", site.Visitor().Get("/verify/"+certificate.Group(cert.Number)), 200, "Valid and signed", "Mara &lt;b&gt;Lind&lt;/b&gt;", paid.SHA256[:4])
		wants(t, "verify form", site.Visitor().Get("/verify?number="+url.QueryEscape(certificate.Group(cert.Number))), 303)
		wants(t, "a number that was never issued", site.Visitor().Get("/verify/"+strings.Repeat("0", 26)), 404, "issued no certificate")
		wants(t, "certificate.json", site.Visitor().Get("/verify/"+cert.Number+".json"), 200, `"certificate"`)

		// Nobody else gets the file or sees the order.
		ben := site.Person("ben", "member")
		for _, path := range []string{link, strings.Replace(link, "download", "original", 1), order.Location, order.Location + "/invoice"} {
			wants(t, "a stranger at "+path, ben.Get(path), 404)
			if res := site.Visitor().Get(path); res.Status == 200 {
				t.Errorf("a visitor gets %s", path)
			}
		}
		wants(t, "free license of a paid recording", ben.Post("/recordings/"+id+"/free", nil), 403)
		wants(t, "a member at the admin's orders", ben.Get("/admin/orders"), 404)

		// The contributor sees what was earned.
		wants(t, "earnings", ana.Get("/earnings"), 200, "$1.05", paid.Title)
		rows, err := csv.NewReader(strings.NewReader(wants(t, "earnings.csv", ana.Get("/earnings.csv"), 200).Text)).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][7] != "1.05" || rows[1][6] != "3.00" {
			t.Errorf("earnings.csv %q, %v", rows, err)
		}
		wants(t, "own recording", ana.Post("/cart", url.Values{"recording": {id}, "model": {"standard"}}), 409, "your own recording")

		// The admin refunds: the certificate says so, the download ends, the book is even.
		adminPage := wants(t, "admin's order", admin.Get("/admin"+order.Location), 200, "Refund")
		line := regexp.MustCompile(`line-\d+`).FindString(adminPage.Text)
		wants(t, "refund", admin.Post("/admin"+order.Location, url.Values{"act": {"refund"}, line: {"on"}, "why": {"Sent by mistake."}}), 303)
		wants(t, "revoked certificate", site.Visitor().Get("/verify/"+cert.Number), 200, "Revoked", "Sent by mistake.")
		wants(t, "download after the refund", mara.Get(link), 403, "was revoked")
		wants(t, "earnings after the refund", ana.Get("/earnings"), 200, "-$1.05", "$0.00")
		testkit.Eventually(t, "the money goes back", func() bool {
			n, err := db.Get[int64](context.Background(), site.DB, `SELECT count(*) FROM test_refund WHERE amount_minor = 375`)
			return err == nil && n == 1
		})
		for name, check := range map[string]func(context.Context) ([]string, error){"orders": site.Orders.Check, "ledger": site.Ledger.Check, "licenses": site.Licensing.Check} {
			if wrong, err := check(context.Background()); err != nil || len(wrong) > 0 {
				t.Errorf("%s: %v, %v", name, wrong, err)
			}
		}
	})
}

// TestFreeAndInvoice: a free recording downloads in one click; an invoice is paid by an admin.
func TestFreeAndInvoice(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, site *testkit.Site) {
		ana, admin, ben := site.Person("ana", "contributor"), site.Person("root", "admin"), site.Person("ben", "member")
		free, wav := publish(t, ana, 3, licensing.Offer{Code: "cc-by-4.0"})
		paid, _ := publish(t, ana, 4, licensing.Offer{Code: "standard", Price: money.Of(500, "USD")})
		if res := site.Visitor().Post(fmt.Sprintf("/recordings/%d/free", free.ID), nil); res.Status != 303 || !strings.HasPrefix(res.Location, "/sign-in") {
			t.Errorf("a visitor's click: %d %s", res.Status, res.Location)
		}
		first := wants(t, "free", ben.Post(fmt.Sprintf("/recordings/%d/free", free.ID), nil), 303).Location
		if again := ben.Post(fmt.Sprintf("/recordings/%d/free", free.ID), nil).Location; again != first {
			t.Errorf("a second click makes another license: %s, %s", first, again)
		}
		files := unzip(t, wants(t, "free zip", ben.Get(first), 200).Text)
		found := false
		for name, body := range files {
			found = found || strings.HasSuffix(name, ".wav") && bytes.Equal(body, wav)
		}
		if !found || !strings.Contains(string(files["attribution.txt"]), "http://creativecommons.org/licenses/by/4.0/") {
			t.Errorf("the zip holds %d files, %q", len(files), files["attribution.txt"])
		}
		wants(t, "library", ben.Get("/library?show=free"), 200, free.Title, "CC BY 4.0")
		wants(t, "library search", ben.Get("/library?q=zebra"), 200, "Nothing here matches")

		wants(t, "add", ben.Post("/cart", url.Values{"recording": {fmt.Sprint(paid.ID)}, "model": {"standard"}}), 303)
		wants(t, "change", ben.Post("/cart/update", url.Values{"line": {hidden(t, ben.Get("/cart").Text, "line")}, "model": {"unlimited"}}), 409, "not offered under that license")
		page := ben.Get("/checkout").Text
		placed := wants(t, "order", ben.Post("/checkout", url.Values{"key": {hidden(t, page, "key")}, "seen": {hidden(t, page, "seen")}, "licensee": {"Ben"}, "project": {"Game"}, "country": {"DE"}, "provider": {"manual"}}), 303)
		wants(t, "how to pay", ben.Get(placed.Location), 200, "How to pay", "Order "+strings.TrimPrefix(placed.Location, "/orders/"))
		wants(t, "invoice before payment", ben.Get(placed.Location+"/invoice"), 409, "no invoice yet")
		for range 2 {
			wants(t, "mark paid", admin.Post("/admin"+placed.Location, url.Values{"act": {"paid"}}), 303)
		}
		wants(t, "paid", ben.Get(placed.Location), 200, "Paid", "/download")
		wants(t, "admin's list", admin.Get("/admin/orders?state=paid"), 200, "00001", "Ben")
		ben.LinkIn("/invoice")

		// A program's key opens neither the library nor the papers.
		program := site.Visitor()
		for _, path := range []string{"/library", first, strings.Replace(first, "download", "original", 1), placed.Location, placed.Location + "/invoice", "/earnings.csv"} {
			for _, header := range []string{"Token " + ben.Key, "Bearer " + ben.Bearer} {
				wants(t, path+" with a key", program.Do("GET", path, http.Header{"Authorization": {header}}, nil), 403, "/apiv2/")
			}
		}
		wants(t, "a free license with a key", program.Do("POST", fmt.Sprintf("/recordings/%d/free", free.ID), http.Header{"Authorization": {"Token " + ben.Key}}, nil), 403)

		// A canceled order stays canceled.
		wants(t, "add again", ben.Post("/cart", url.Values{"recording": {fmt.Sprint(paid.ID)}, "model": {"standard"}}), 303)
		page = ben.Get("/checkout").Text
		form := url.Values{"key": {hidden(t, page, "key")}, "seen": {hidden(t, page, "seen")}, "licensee": {"Ben"}, "project": {"Second game"}, "country": {"DE"}, "provider": {"manual"}}
		err := site.DB.Tx(context.Background(), func(tx *db.Tx) error {
			_, err := site.Licensing.SetOffers(context.Background(), tx, paid.ID, []licensing.Offer{{Code: "standard", Price: money.Of(600, "USD")}}, false)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		stale := wants(t, "a stale cart", ben.Post("/checkout", form), 409, "Nothing was ordered", "The price rose from $5 to $6.", "Second game")
		form.Set("seen", hidden(t, stale.Text, "seen"))
		second := wants(t, "order", ben.Post("/checkout", form), 303).Location
		// Back in the browser, another project, sent again: not the order of before, and then one of its own.
		form.Set("project", "Third game")
		sent := wants(t, "the form again with another project", ben.Post("/checkout", form), 409, "This form made order", "Second game", "Third game")
		form.Set("key", hidden(t, sent.Text, "key"))
		if third := wants(t, "order", ben.Post("/checkout", form), 303).Location; third == second {
			t.Errorf("the new project went to %s", third)
		} else {
			wants(t, "the new order", ben.Get(third), 200, "Third game")
		}
		wants(t, "cancel", ben.Post(second+"/cancel", nil), 303)
		wants(t, "pay a canceled order", ben.Post(second+"/pay", nil), 409, "was canceled")
		wants(t, "mark a canceled order paid", admin.Post("/admin"+second, url.Values{"act": {"paid"}}), 409, "was canceled")
	})
}

// TestFloorRaised raises a floor while a sound lies in a cart and its checkout is open: the cart, the checkout and the recording's
// page say so before anything is sent.
func TestFloorRaised(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, site *testkit.Site) {
		ana, ben := site.Person("ana", "contributor"), site.Person("ben", "member")
		paid, _ := publish(t, ana, 5, licensing.Offer{Code: "standard", Price: money.Of(300, "USD")})
		wants(t, "add", ben.Post("/cart", url.Values{"recording": {fmt.Sprint(paid.ID)}, "model": {"standard"}}), 303)
		page := wants(t, "checkout", ben.Get("/checkout"), 200).Text
		form := url.Values{"key": {hidden(t, page, "key")}, "seen": {hidden(t, page, "seen")}, "licensee": {"Ben"}, "project": {"Game"}, "country": {"DE"}, "provider": {"test"}}
		m, err := site.Licensing.Model(context.Background(), site.DB, "standard", 0)
		if err != nil {
			t.Fatal(err)
		}
		m.FloorMinor = 500
		if _, err := site.Licensing.SaveModel(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		const said = "The price of the Standard license, $3, is below what this site allows now"
		if to := wants(t, "checkout", ben.Get("/checkout"), 303).Location; to != "/cart" {
			t.Errorf("the checkout leads to %s", to)
		}
		wants(t, "cart", ben.Get("/cart"), 200, paid.Title+": "+said, "No longer offered")
		wants(t, "the open checkout, sent", ben.Post("/checkout", form), 409, "Nothing was ordered", said)
		wants(t, "its page", ben.Get(fmt.Sprintf("/recordings/%d", paid.ID)), 200, "not offered under any license now")
		wants(t, "add", site.Visitor().Post("/cart", url.Values{"recording": {fmt.Sprint(paid.ID)}, "model": {"standard"}}), 409, said)
	})
}

// TestFloorRaisedEverywhere raises a floor above the prices of sounds that lie in the search: every page and the API say the same of
// what is on sale and for how much, the contributor is told by mail and on the pages, and a new price puts a sound on sale again.
func TestFloorRaisedEverywhere(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, site *testkit.Site) {
		ctx := context.Background()
		ana, ben := site.Person("ana", "contributor"), site.Person("ben", "member")
		standard, broadcast := licensing.Offer{Code: "standard", Price: money.Of(300, "USD")}, licensing.Offer{Code: "broadcast-1m", Price: money.Of(900, "USD")}
		alone, _ := publish(t, ana, 5, standard)
		both, _ := publish(t, ana, 6, standard, broadcast)
		free, _ := publish(t, ana, 7, licensing.Offer{Code: "cc-by-4.0"}, standard)
		all := []recordings.Recording{alone, both, free}
		licenseOf := func(id int64) string {
			var sound map[string]any
			res := ben.Do("GET", fmt.Sprintf("/apiv2/sounds/%d/", id), http.Header{"Authorization": {"Token " + ben.Key}}, nil)
			res.JSON(t, &sound)
			return fmt.Sprint(sound["license"])
		}
		found := func(license string) (out []int64) {
			page := site.Visitor().Get("/search?license=" + license).Text
			for _, r := range all {
				if strings.Contains(page, fmt.Sprintf(`href="/recordings/%d"`, r.ID)) {
					out = append(out, r.ID)
				}
			}
			return out
		}
		testkit.Eventually(t, "all three are found under Standard", func() bool { return len(found("standard")) == 3 })
		m, err := site.Licensing.Model(ctx, site.DB, "standard", 0)
		if err != nil {
			t.Fatal(err)
		}
		m.FloorMinor = 500
		if _, err := site.Licensing.SaveModel(ctx, m); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "none is found under Standard", func() bool { return len(found("standard")) == 0 })
		if got := found("broadcast-1m"); len(got) != 1 || got[0] != both.ID {
			t.Errorf("found under Broadcast: %v", got)
		}
		row := site.Visitor().Get("/search").Text
		if strings.Contains(row, "<b>$3</b>") || !strings.Contains(row, "<b>$9</b>") {
			t.Errorf("the rows of the search do not show $9 alone: %q", regexp.MustCompile(`.{0,80}\$\d.{0,40}`).FindAllString(row, -1))
		}
		for id, want := range map[int64]string{alone.ID: site.URL + "/licenses", both.ID: site.URL + "/licenses/broadcast-1m", free.ID: "http://creativecommons.org/licenses/by/4.0/"} {
			if got := licenseOf(id); got != want {
				t.Errorf("/apiv2/ says %s is the license of %d, want %s", got, id, want)
			}
			if page := ben.Get(fmt.Sprintf("/recordings/%d", id)).Text; strings.Contains(page, "$3") {
				t.Errorf("the page of %d sells it for $3", id)
			}
		}

		// Its contributor is told, once, with the way to mend it.
		const why = "Nothing is sold under Standard now: this site asks at least $5 for it, and the price is $3. Set a new price."
		sheet := ""
		testkit.Eventually(t, "the contributor gets a mail", func() bool {
			n, err := db.Get[int64](ctx, site.DB, `SELECT count(*) FROM outgoing_mail WHERE kind = 'price-below-floor'`)
			return err == nil && n > 0
		})
		sheet = strings.TrimPrefix(ana.LinkIn("/upload/describe?ids="), site.URL)
		edit := fmt.Sprintf("/recordings/%d/edit", alone.ID)
		ana.LinkIn(edit)
		wants(t, "the sheet that the mail leads to", ana.Get(sheet), 200, alone.Title, both.Title, free.Title, why)
		page := wants(t, "the page where it is described", ana.Get(edit), 200, "A price is too low.", why).Text
		wants(t, "my sounds", ana.Get("/my-sounds"), 200, why)
		wants(t, "its page, to its contributor", ana.Get(fmt.Sprintf("/recordings/%d", alone.ID)), 200, "This is your own recording. "+why)
		form := url.Values{"act": {"save"}, "seen": {hidden(t, page, "seen")}, "title": {alone.Title}, "description": {alone.Description}, "tags": {"one, two, three"}, "category": {alone.Category},
			"offer": {"standard"}, "price-standard": {"3.00"}}
		wants(t, "the old price", ana.Post(edit, form), 422, "Standard costs at least $5 here")
		form.Set("price-standard", "6")
		wants(t, "a new price", ana.Post(edit, form), 303)
		testkit.Eventually(t, "it is on sale again", func() bool { return len(found("standard")) == 1 })
		if got := licenseOf(alone.ID); got != site.URL+"/licenses/standard" {
			t.Errorf("/apiv2/ says %s", got)
		}

		// Lowered again, the others are on sale at their old prices; nobody is written to about that, or twice.
		m.FloorMinor = 100
		if _, err := site.Licensing.SaveModel(ctx, m); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "all three are found under Standard", func() bool { return len(found("standard")) == 3 })
		if n, err := db.Get[int64](ctx, site.DB, `SELECT count(*) FROM outgoing_mail WHERE kind = 'price-below-floor'`); err != nil || n != 1 {
			t.Errorf("%d mails, %v", n, err)
		}
	})
}

// TestOtherCurrencies sells in currencies without decimals and with three: every sum is whole in their units, and the book balances.
func TestOtherCurrencies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code            string
		price           int64
		shown, tax, sum string
		owed            int64
	}{
		{"JPY", 333, "¥333", "¥83", "¥416", 117},                                              // 83.25 and 116.55
		{"KWD", 1001, "KWD 1.001", "KWD 0.250", "KWD 1.251", 350},                             // 0.25025 and 0.35035
		{"EUR", 999_999_999, "€9,999,999.99", "€2,500,000.00", "€12,499,999.99", 350_000_000}, // 2,499,999.9975 and 3,499,999.9965
	} {
		settings := func(f *config.Config) { f.Currency, f.TaxBasis, f.TaxName = c.code, 2500, "VAT" }
		testkit.EachSite(t, settings, func(t *testing.T, site *testkit.Site) {
			ana, admin, ben := site.Person("ana", "contributor"), site.Person("root", "admin"), site.Person("ben", "member")
			paid, _ := publish(t, ana, 4, licensing.Offer{Code: "standard", Price: money.Of(c.price, c.code)})
			wants(t, "add", ben.Post("/cart", url.Values{"recording": {fmt.Sprint(paid.ID)}, "model": {"standard"}}), 303)
			page := wants(t, "checkout", ben.Get("/checkout"), 200, c.shown, c.tax, "Pay "+c.sum).Text
			placed := wants(t, "order", ben.Post("/checkout", url.Values{"key": {hidden(t, page, "key")}, "seen": {hidden(t, page, "seen")}, "licensee": {"Ben"}, "project": {"Game"}, "country": {"JP"}, "provider": {"manual"}}), 303)
			wants(t, "mark paid", admin.Post("/admin"+placed.Location, url.Values{"act": {"paid"}}), 303)
			wants(t, "invoice", ben.Get(placed.Location+"/invoice"), 200, c.shown, c.tax, c.sum)
			owed, err := site.Ledger.Owed(context.Background(), site.DB, ana.ID)
			if err != nil || owed != money.Of(c.owed, c.code) {
				t.Errorf("%s: the contributor is owed %v, %v; want %d", c.code, owed, err, c.owed)
			}
			wants(t, "earnings", ana.Get("/earnings"), 200, owed.Exact())
			order, err := site.Orders.List(context.Background(), orders.Paid, 1)
			if err != nil || len(order) != 1 {
				t.Fatal(order, err)
			}
			if err := site.Orders.Refund(context.Background(), order[0].ID, nil, "It was a test"); err != nil {
				t.Fatal(err)
			}
			for _, account := range []ledger.Kind{ledger.Revenue, ledger.Tax, ledger.Received("manual")} {
				if b, err := site.Ledger.Balance(context.Background(), site.DB, account, 0); err != nil || !b.IsZero() {
					t.Errorf("%s: after the refund %s holds %v, %v", c.code, account, b, err)
				}
			}
			for _, check := range []func(context.Context) ([]string, error){site.Orders.Check, site.Ledger.Check, site.Licensing.Check} {
				if wrong, err := check(context.Background()); err != nil || len(wrong) > 0 {
					t.Errorf("%s: %v, %v", c.code, wrong, err)
				}
			}
		})
	}
}

// TestAdminEditsAModel changes a price floor and the text through the pages.
func TestAdminEditsAModel(t *testing.T) {
	t.Parallel()
	site := testkit.NewSite(t, db.SQLite, nil)
	admin, member := site.Person("root", "admin"), site.Person("ben", "member")
	wants(t, "a member at the models", member.Get("/admin/licenses"), 404)
	wants(t, "list", admin.Get("/admin/licenses"), 200, "Broadcast 10M")
	ctx := context.Background()
	m, err := site.Licensing.Model(ctx, site.DB, "standard", 0)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "form", admin.Get("/admin/licenses/standard"), 200, "1.00", "What you may not do")
	form := url.Values{"active": {"on"}, "name": {m.Name}, "summary": {m.Summary}, "text": {m.Text + "\n<script>alert(1)</script>\n"}, "floor": {"2.50"}, "music": {"19"}, "sfx": {"3"}, "indemnity": {"0"},
		"term_months": {"0"}, "projects": {"1"}, "seats": {"1"}, "copies": {"10000"}, "ad_reach": {"100000"}, "audience": {"0"}, "commercial": {"on"}, "client_work": {"on"},
		"performance": {"forbidden"}, "ai_training": {"forbidden"}, "territory": {"worldwide"}}
	bad := url.Values{}
	for k, v := range form {
		bad[k] = v
	}
	bad.Set("floor", "free")
	wants(t, "a price that is none", admin.Post("/admin/licenses/standard", bad), 422, "Write an amount")
	wants(t, "save", admin.Post("/admin/licenses/standard", form), 303)
	if m, err = site.Licensing.Model(ctx, site.DB, "standard", 0); err != nil || m.FloorMinor != 250 || m.Version != 2 {
		t.Errorf("model %+v, %v", m, err)
	}
	page := wants(t, "license page", member.Get("/licenses/standard"), 200, "Version 2", "&lt;script&gt;", "$2.50")
	if strings.Contains(page.Text, "<script>alert") {
		t.Error("the text brought a script along")
	}
	wants(t, "version 1", member.Get("/licenses/standard?version=1"), 200, "Version 1")
	for version, page := range map[string]string{"1": member.Get("/licenses/standard?version=1").Text, "2": page.Text} {
		text := wants(t, "text as it is hashed", site.Visitor().Get("/licenses/standard.md?version="+version), 200, "What you may not do")
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(text.Text))); !strings.Contains(page, sum) || !strings.Contains(page, "/licenses/standard.md?version="+version) {
			t.Errorf("version %s: the page does not show the hash %s of its text, or does not lead to it", version, sum)
		}
	}
	wants(t, "no such version", member.Get("/licenses/standard?version=9"), 404)
	wants(t, "no such license", member.Get("/licenses/nothing"), 404)
	wants(t, "licenses", site.Visitor().Get("/licenses"), 200, "Pay once", "CC BY-NC 4.0", "$3–$19")
}
