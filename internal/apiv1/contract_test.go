package apiv1_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/apiv1"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
)

const v1 = apiv1.Prefix

// world is a site that programs have filled through the API, and the people whose programs they are.
type world struct {
	t                                  *testing.T
	s                                  *testkit.Site
	spec                               *spec
	maker, fan, mod, boss, key, nobody client
	makerID, fanID                     int64
	free, paid, draft                  int64 // recordings: free, paid, and a draft that stays one
	raw                                int64 // a draft that is not analyzed
	order                              int64 // the fan's, paid
	license                            int64 // the fan's
	comment                            int64 // the fan's
	pack                               int64
	number                             string // of the fan's certificate
}

// TestContract calls every operation of the document as somebody who may, checks each answer against the document, provokes every
// error that the document names, and compares the document with what is mounted.
func TestContract(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.FFmpeg, c.MaxExample = "off", 1<<20 }, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		w := fill(t, s)
		mounted(t, s, w.spec)
		w.reads()
		w.writes()
		w.further()
		w.sounds()
		w.refusals()
		w.throttled()
		for _, e := range w.spec.entries() {
			for status := range e.op["responses"].(object) {
				if status != "default" && !w.spec.seen[e.name()+" "+status] {
					t.Errorf("%s: nothing answered %s, which the document names", e.name(), status)
				}
			}
		}
	})
}

// mounted compares the routes with the document, both ways.
func mounted(t *testing.T, s *testkit.Site, sp *spec) {
	t.Helper()
	undocumented := map[string]string{
		"GET /api/v1/{$}": "the page about the API, for people", "GET /api/v1/openapi.json": "the document itself", "/api/v1/": "what is no operation",
	}
	routes := map[string]bool{}
	for _, r := range s.Site.Routes() {
		if _, p, ok := strings.Cut(r.Pattern, " "); strings.HasPrefix(r.Pattern, v1) || ok && strings.HasPrefix(p, v1) {
			routes[r.Pattern] = true
			if undocumented[r.Pattern] == "" && !slices.ContainsFunc(sp.entries(), func(e entry) bool { return e.name() == r.Pattern }) {
				t.Errorf("%s is mounted and not in the document", r.Pattern)
			}
		}
	}
	if len(sp.entries()) < 50 {
		t.Errorf("only %d operations", len(sp.entries()))
	}
	for _, e := range sp.entries() {
		if !routes[e.name()] {
			t.Errorf("%s is in the document and not mounted", e.name())
		}
		if e.op["operationId"] == "" || e.op["summary"] == "" || len(e.op["tags"].([]any)) != 1 {
			t.Errorf("%s has no id, summary or tag", e.name())
		}
	}
	for pattern := range undocumented {
		if !routes[pattern] {
			t.Errorf("%s is exempt and not mounted", pattern)
		}
	}
}

// tone is a WAV file of a second; each seed gives other bytes.
func tone(t testing.TB, seed int) []byte {
	t.Helper()
	block := make([]float32, 44_100)
	for i := range block {
		block[i] = float32(0.3 * math.Sin(float64(i)*0.02*float64(seed+3)))
	}
	return written(t, block)
}

// written is a WAV file of one channel.
func written(t testing.TB, block []float32) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := synth.WriteWAV(&buf, [][]float32{block}, 44_100); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// upload sends a file as tus has it and gives the id of its draft.
func (c client) upload(name string, data []byte) int64 {
	c.t.Helper()
	h := http.Header{"Authorization": {c.auth}, "Tus-Resumable": {"1.0.0"}, "Upload-Length": {strconv.Itoa(len(data))}, "Content-Type": {"application/offset+octet-stream"},
		"Upload-Metadata": {"filename " + base64.StdEncoding.EncodeToString([]byte(name))}}
	got := c.site.Visitor().Do(http.MethodPost, "/uploads/", h, bytes.NewReader(data))
	id, err := strconv.ParseInt(got.Header.Get("Upload-Recording"), 10, 64)
	if got.Status != http.StatusCreated || err != nil {
		c.t.Fatalf("upload %s: %d %v %s", name, got.Status, got.Header, got.Text)
	}
	return id
}

// ready waits until a recording is analyzed.
func (c client) ready(id int64) {
	c.t.Helper()
	testkit.Eventually(c.t, fmt.Sprintf("recording %d is analyzed", id), func() bool {
		got := c.call(200, "GET", rec(id, ""), nil)
		if got.text("own.processing") == "failed" {
			c.t.Fatalf("recording %d: %s", id, got.Text)
		}
		return got.text("own.processing") == "ready"
	})
}

func rec(id int64, rest string) string { return fmt.Sprintf("%s/recordings/%d%s", v1, id, rest) }

// fill makes people, recordings, an order and reactions, by the API alone.
func fill(t *testing.T, s *testkit.Site) *world {
	t.Helper()
	w := &world{t: t, s: s, spec: specOf(t, s)}
	base := client{t: t, site: s, spec: w.spec}
	boss := s.Account("Boss", "admin")
	w.boss, w.nobody, w.key = base.as("Bearer "+boss.Bearer), base, base.as("Token "+boss.Key)
	account := func(name, role string) (client, int64) {
		got := w.boss.call(201, "POST", v1+"/accounts", object{"name": name, "email": strings.ToLower(name) + "@example.org", "born": "1980-05-17", "role": role})
		return base.as("Bearer " + got.text("bearer")), got.id("id")
	}
	w.maker, w.makerID = account("Maker", "contributor")
	w.fan, w.fanID = account("Fan", "member")
	w.mod, _ = account("Judge", "moderator")

	described := func(id int64, title string, offers ...object) {
		w.maker.call(200, "PATCH", rec(id, ""), object{"title": title, "description": "Made for a *test*.", "tags": []string{"Tone", "sine", "test signal"}, "category": "fx-o",
			"pack": "First tones", "rights": true, "ai_training": true, "offers": offers})
	}
	w.free, w.paid = w.maker.upload("free.wav", tone(t, 1)), w.maker.upload("paid.wav", tone(t, 2))
	described(w.free, "Free tone", object{"license": "cc-by-4.0"})
	described(w.paid, "Paid tone", object{"license": "standard", "price": object{"minor": 700, "currency": "USD"}}, object{"license": "broadcast-1m"})
	w.draft = w.maker.upload("draft.wav", tone(t, 3))
	for _, id := range []int64{w.free, w.paid} {
		w.maker.call(200, "POST", rec(id, "/submit"), nil) // also before it is analyzed: it is sent on then
		w.maker.ready(id)
		testkit.Eventually(t, "it is submitted", func() bool { return w.maker.call(200, "GET", rec(id, ""), nil).text("state") == "submitted" })
		w.maker.call(409, "PATCH", rec(id, ""), object{"title": "Not now"})
		w.mod.call(200, "POST", fmt.Sprintf("%s/review/%d/approve", v1, id), nil)
	}
	w.maker.ready(w.draft)
	testkit.Eventually(t, "both are found", func() bool { return s.Search.Index().Len() == 2 })
	w.pack = w.nobody.call(200, "GET", rec(w.free, ""), nil).id("pack.id")
	w.raw = w.unheard()
	w.buy()
	return w
}

// unheard makes a draft of bytes that nothing can decode.
func (w *world) unheard() (id int64) {
	ref, size, err := w.s.Blobs.Put(w.t.Context(), strings.NewReader("not sound"))
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.s.DB.Tx(w.t.Context(), func(tx *db.Tx) error {
		r, err := w.s.Recordings.Create(w.t.Context(), tx, recordings.Original{OwnerID: w.makerID, FileName: "noise.wav", SHA256: string(ref), MD5: "0", Container: "wav", Codec: "pcm", Ext: "wav", ByteSize: size})
		id = r.ID
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func checkout(quote string) object {
	return object{"quote": quote, "licensee": "Fan & Co", "project": "The Ferry", "country": "SE", "provider": "test"}
}

// buy puts the paid recording into the fan's cart, orders it and pays.
func (w *world) buy() {
	w.maker.call(409, "PUT", fmt.Sprintf("%s/cart/%d", v1, w.paid), object{"license": "standard"}) // one's own
	w.fan.call(200, "PUT", fmt.Sprintf("%s/cart/%d", v1, w.paid), object{"license": "broadcast-1m"})
	cart := w.fan.call(200, "PUT", fmt.Sprintf("%s/cart/%d", v1, w.paid), object{"license": "standard"})
	if cart.text("total.minor") != "700" || cart.text("items.0.title") != "Paid tone" {
		w.t.Errorf("cart: %s", cart.Text)
	}
	w.fan.call(422, "POST", v1+"/orders", object{"quote": "x", "licensee": "F", "project": "P", "country": "QQ", "provider": "shells"}, "Idempotency-Key", "first-key")
	w.fan.call(422, "POST", v1+"/orders", checkout(cart.text("quote"))) // no key
	w.fan.call(409, "POST", v1+"/orders", checkout("0-stale"), "Idempotency-Key", "first-key")

	// An order that is canceled, and cannot be paid then.
	other := w.fan.call(201, "POST", v1+"/orders", checkout(cart.text("quote")), "Idempotency-Key", "other-key").id("id")
	w.fan.call(200, "POST", fmt.Sprintf("%s/orders/%d/cancel", v1, other), nil)
	w.fan.call(409, "POST", fmt.Sprintf("%s/orders/%d/pay", v1, other), nil)

	placed := w.fan.call(201, "POST", v1+"/orders", checkout(cart.text("quote")), "Idempotency-Key", "second-key")
	w.order = placed.id("id")
	if again := w.fan.call(201, "POST", v1+"/orders", checkout(cart.text("quote")), "Idempotency-Key", "second-key"); again.id("id") != w.order || placed.Header.Get("Location") != fmt.Sprintf("%s%s/orders/%d", w.s.URL, v1, w.order) {
		w.t.Errorf("the same key made order %d and %d, at %s", w.order, again.id("id"), placed.Header.Get("Location"))
	}
	changed := checkout(cart.text("quote"))
	changed["project"] = "Another"
	w.fan.call(409, "POST", v1+"/orders", changed, "Idempotency-Key", "second-key")
	pay := w.fan.call(200, "POST", fmt.Sprintf("%s/orders/%d/pay", v1, w.order), nil).text("url")
	if got := w.s.Visitor().Post(strings.TrimPrefix(pay, w.s.URL), url.Values{"decision": {"approve"}}); got.Status != http.StatusSeeOther {
		w.t.Fatalf("pay at %s: %d %s", pay, got.Status, got.Text)
	}
	testkit.Eventually(w.t, "the order is paid", func() bool {
		return w.fan.call(200, "GET", fmt.Sprintf("%s/orders/%d", v1, w.order), nil).text("state") == "paid"
	})
	w.fan.call(409, "POST", fmt.Sprintf("%s/orders/%d/cancel", v1, w.order), nil)
	w.license = w.fan.call(200, "GET", fmt.Sprintf("%s/orders/%d", v1, w.order), nil).id("lines.0.held_license")
	held := w.fan.call(200, "GET", fmt.Sprintf("%s/library/%d", v1, w.license), nil)
	w.number = held.text("certificate")
	if held.text("price.minor") != "700" || held.text("project") != "The Ferry" {
		w.t.Errorf("license: %s", held.Text)
	}
	// The fan fills the cart again and empties it.
	w.fan.call(200, "PUT", fmt.Sprintf("%s/cart/%d", v1, w.paid), object{"license": "broadcast-1m"})
	if empty := w.fan.call(200, "DELETE", fmt.Sprintf("%s/cart/%d", v1, w.paid), nil); empty.text("total.minor") != "0" {
		w.t.Errorf("cart: %s", empty.Text)
	}
}

// reads reads everything that can be read.
func (w *world) reads() {
	t := w.t
	site := w.nobody.call(200, "GET", v1+"/site", nil)
	if site.text("currency") != "USD" || site.text("recordings") != "2" || site.text("limits.min_tags") != "3" {
		t.Errorf("site: %.500s", site.Text)
	}
	for _, c := range []struct {
		client
		kind, writes string
	}{{w.fan, "token", "true"}, {w.key, "key", "false"}} {
		if got := c.call(200, "GET", v1+"/me", nil); got.text("credential") != c.kind || got.text("writes") != c.writes {
			t.Errorf("me: %s", got.Text)
		}
	}
	all := "q=tone+-cymbal+duration:[0+TO+20]&category=fx-o&brightness=0&brightness=1&brightness=2&brightness=3&brightness=4&brightness=5&brightness=6&brightness=7&license=cc-by&license=standard&price=free&price=high&price=low" +
		"&type=wav&channels=1&rate=44100&depth=16&depth=24&depth=32&loop=yes&loop=no&tag=tone&by=Maker&length_min=0.5&length_max=2&loudness_min=-90&loudness_max=0&sort=new&words=typed"
	for _, name := range []string{"category", "brightness", "length", "license", "tempo", "key", "price", "tag", "type", "channels", "rate", "depth", "loudness", "loop", "by", "year", "pack_id"} {
		all += "&facet=" + name
	}
	found := w.nobody.call(200, "GET", v1+"/search?"+all, nil)
	if found.id("total") != 2 || len(found.at("facets").([]any)) != 17 {
		t.Errorf("search: %.300s", found.Text)
	}
	first := w.nobody.call(200, "GET", v1+"/search?page_size=1&sort=title", nil)
	second := w.nobody.call(200, "GET", strings.TrimPrefix(first.text("next"), w.s.URL), nil)
	if first.id("items.0.id") != w.free || second.id("items.0.id") != w.paid || second.at("next") != nil {
		t.Errorf("pages: %.300s; %.300s", first.Text, second.Text)
	}
	if got := w.nobody.call(200, "GET", v1+"/search?q=tnoe", nil); got.text("did_you_mean") != "tone" {
		t.Errorf("typo: %s", got.Text)
	}
	for _, bad := range []string{"key=H", "length_min=long", "page=0", "page=9999&page_size=150", "sort=luck", "q=" + strings.Repeat("word+", 33), "facet=mood", "utm=1"} {
		w.nobody.call(422, "GET", v1+"/search?"+bad, nil)
	}
	if got := w.nobody.call(200, "GET", v1+"/search/suggest?q=to", nil); got.text("items.0.text") != "tone" {
		t.Errorf("suggest: %s", got.Text)
	}
	paid := w.nobody.call(200, "GET", rec(w.paid, ""), nil)
	if paid.at("own") != nil || !strings.HasSuffix(paid.text("media.preview_hq"), "/marked-hq.opus") || paid.text("offers.0.price.minor") != "700" || paid.text("file.bit_depth") == "<nil>" {
		t.Errorf("paid: %s", paid.Text)
	}
	if got := w.fan.call(200, "GET", rec(w.paid, ""), nil); got.id("held_license") != w.license || !strings.HasSuffix(got.text("media.preview_hq"), "/preview-hq.opus") {
		t.Errorf("paid, licensed: %s", got.Text)
	}
	for _, name := range []string{"preview_hq", "preview_lq", "peaks", "waveform", "spectrogram"} {
		if got := w.s.Visitor().Get(strings.TrimPrefix(paid.text("media."+name), w.s.URL)); got.Status != http.StatusOK {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
	if got := w.nobody.call(200, "GET", rec(w.free, "/analysis"), nil); got.text("frames") != "44100" || len(got.at("descriptors").(object)) < 10 {
		t.Errorf("analysis: %.400s", got.Text)
	}
	if got := w.nobody.call(200, "GET", rec(w.free, "/similar?limit=5"), nil); got.id("items.0.recording.id") != w.paid {
		t.Errorf("similar: %.300s", got.Text)
	}
	w.maker.call(200, "PUT", v1+"/me/profile", object{"display_name": "M. Aker", "bio": "Tones.", "website": "https://example.org"})
	if got := w.maker.call(200, "GET", v1+"/me/profile", nil); got.text("bio") != "Tones." {
		t.Errorf("profile: %s", got.Text)
	}
	w.maker.call(422, "PUT", v1+"/me/profile", object{"display_name": "", "bio": "", "website": "javascript:alert(1)"})
	if got := w.nobody.call(200, "GET", v1+"/people/maker", nil); got.text("display_name") != "M. Aker" || got.text("recordings") != "2" || got.text("packs") != "1" {
		t.Errorf("person: %s", got.Text)
	}
	if got := w.nobody.call(200, "GET", v1+"/people/Maker/recordings?page_size=1", nil); got.id("total") != 2 || got.at("next") == nil {
		t.Errorf("recordings: %.300s", got.Text)
	}
	w.nobody.call(200, "GET", v1+"/people/Maker/packs", nil)
	if got := w.nobody.call(200, "GET", fmt.Sprintf("%s/packs/%d", v1, w.pack), nil); got.text("name") != "First tones" || got.text("recordings") != "2" {
		t.Errorf("pack: %s", got.Text)
	}
	if got := w.nobody.call(200, "GET", fmt.Sprintf("%s/packs/%d/recordings", v1, w.pack), nil); got.id("total") != 2 {
		t.Errorf("pack: %s", got.Text)
	}
	if got := w.maker.call(200, "GET", v1+"/me/recordings?page_size=2", nil); len(got.at("items").([]any)) != 2 || got.at("next") == nil || got.at("items.0.own") == nil {
		t.Errorf("own: %.300s", got.Text)
	} else if next := w.maker.call(200, "GET", strings.TrimPrefix(got.text("next"), w.s.URL), nil); len(next.at("items").([]any)) != 2 || next.at("next") != nil {
		t.Errorf("own, second page: %.300s", next.Text)
	}
	if got := w.maker.call(200, "GET", v1+"/me/recordings?state=published", nil); len(got.at("items").([]any)) != 2 {
		t.Errorf("published: %.300s", got.Text)
	}
	if got := w.s.Visitor().Do(http.MethodPost, "/uploads/", http.Header{"Authorization": {w.maker.auth}, "Tus-Resumable": {"1.0.0"}, "Upload-Length": {"1000"}, "Upload-Metadata": {"filename " + base64.StdEncoding.EncodeToString([]byte("later.wav"))}}, nil); got.Status != 201 {
		t.Errorf("upload: %d %s", got.Status, got.Text)
	}
	if got := w.maker.call(200, "GET", v1+"/me/uploads", nil); got.text("items.0.file_name") != "later.wav" || got.text("items.0.bytes") != "1000" {
		t.Errorf("uploads: %s", got.Text)
	}
	licenses := w.nobody.call(200, "GET", v1+"/licenses", nil)
	for _, l := range licenses.at("items").([]any) {
		w.nobody.call(200, "GET", v1+"/licenses/"+l.(object)["code"].(string)+"?version=1", nil)
	}
	if got := w.nobody.call(200, "GET", v1+"/certificates/"+w.number, nil); got.text("valid") != "true" || got.text("certificate.licensee.name") != "Fan & Co" {
		t.Errorf("certificate: %s", got.Text)
	}
	w.fan.call(200, "GET", v1+"/cart", nil)
	if got := w.fan.call(200, "GET", v1+"/orders?page_size=1", nil); got.id("total") != 2 || got.id("items.0.id") != w.order {
		t.Errorf("orders: %.300s", got.Text)
	}
	if got := w.fan.call(200, "GET", fmt.Sprintf("%s/library?recording=%d", v1, w.paid), nil); got.id("total") != 1 {
		t.Errorf("library: %.300s", got.Text)
	}
	if got := w.mod.call(200, "GET", v1+"/review?state=draft", nil); got.id("items.1.id") != w.draft || got.text("items.1.owner") != "Maker" {
		t.Errorf("review: %.300s", got.Text)
	}
	if got := w.mod.call(200, "GET", fmt.Sprintf("%s/review/%d", v1, w.free), nil); got.text("items.0.state") != "approved" {
		t.Errorf("review: %.300s", got.Text)
	}
	if got := w.boss.call(200, "GET", v1+"/accounts/Maker", nil); got.text("email") != "maker@example.org" || got.text("contributor") != "true" {
		t.Errorf("account: %s", got.Text)
	}
}

// writes changes what can be changed.
func (w *world) writes() {
	t := w.t
	// The operator's synonyms, and back to the list that comes with the program.
	shipped := w.boss.call(200, "GET", v1+"/synonyms", nil)
	w.boss.call(422, "PUT", v1+"/synonyms", object{"list": "lonely"})
	if got := w.boss.call(200, "PUT", v1+"/synonyms", object{"list": "humming, tone\n"}); got.text("own") != "true" || got.text("list") != "humming, tone\n" || shipped.text("own") != "false" {
		t.Errorf("synonyms: %s", got.Text)
	}
	testkit.Eventually(t, "a search finds by a synonym", func() bool { return w.nobody.call(200, "GET", v1+"/search?q=humming", nil).id("total") > 0 })
	if got := w.boss.call(200, "PUT", v1+"/synonyms", object{"list": ""}); got.text("own") != "false" || got.text("list") != shipped.text("list") {
		t.Errorf("the list that comes with the program: %.200s", got.Text)
	}
	// What was read already is not sent again, until something of it changes, be it only what others made of it.
	page := w.nobody.call(200, "GET", rec(w.free, ""), nil)
	for _, known := range []string{page.Header.Get("ETag"), `"x", W/` + page.Header.Get("ETag"), "*"} {
		if got := w.nobody.call(304, "GET", rec(w.free, ""), nil, "If-None-Match", known); got.Text != "" || got.Header.Get("ETag") != page.Header.Get("ETag") {
			t.Errorf("not modified: %q, %s", got.Text, got.Header.Get("ETag"))
		}
	}
	w.nobody.call(200, "GET", rec(w.free, ""), nil, "If-None-Match", strings.Replace(page.Header.Get("ETag"), ".", ".0", 1))
	noise := w.fan.call(201, "POST", rec(w.free, "/comments"), object{"text": "Once more."}).id("id")
	if got := w.nobody.call(200, "GET", rec(w.free, ""), nil, "If-None-Match", page.Header.Get("ETag")); got.text("comments") == page.text("comments") {
		t.Errorf("a comment more: %s", got.Text)
	}
	w.fan.call(204, "DELETE", fmt.Sprintf("%s/comments/%d", v1, noise), nil)
	// Two edits from the same reading: the second is refused, and nothing of it is kept.
	read := w.maker.call(200, "GET", rec(w.draft, ""), nil)
	tag := read.Header.Get("ETag")
	after := w.maker.call(200, "PATCH", rec(w.draft, ""), object{"title": "Draft"}, "If-Match", tag)
	w.maker.call(412, "PATCH", rec(w.draft, ""), object{"description": "Late."}, "If-Match", tag)
	w.maker.call(200, "PATCH", rec(w.draft, ""), object{"pack": "Drafts", "description": "In time."}, "If-Match", after.Header.Get("ETag"))
	if got := w.maker.call(200, "GET", rec(w.draft, ""), nil); got.text("title") != "Draft" || got.text("description") != "In time." || got.text("pack.name") != "Drafts" || len(got.at("own.missing").([]any)) == 0 {
		t.Errorf("draft: %s", got.Text)
	}
	w.maker.call(200, "PATCH", rec(w.draft, ""), object{"place": object{"latitude": 41.4, "longitude": -2.1234567}})
	if here := w.maker.call(200, "PATCH", rec(w.draft, ""), object{"title": "Draft again"}); here.text("place.latitude") != "41.4" || here.text("place.longitude") != "-2.123457" {
		t.Errorf("place: %s", here.Text)
	}
	if here := w.maker.call(200, "PATCH", rec(w.draft, ""), object{"title": "Draft", "remove_place": true}); strings.Contains(here.Text, `"place"`) {
		t.Errorf("place taken back: %s", here.Text)
	}
	w.maker.call(422, "PATCH", rec(w.draft, ""), object{"remove_place": true, "place": object{"latitude": 1, "longitude": 2}})
	for field, v := range map[string]any{"category": "zz", "place": object{"latitude": 91, "longitude": 0}, "tags": []string{strings.Repeat("long", 20)}, "title": strings.Repeat("x", 121), "mood": "sad", "rights": "yes",
		"offers": []object{{"license": "mine"}}} {
		w.maker.call(422, "PATCH", rec(w.draft, ""), `{"`+field+`": `+asJSON(t, v)+`}`)
	}
	w.maker.call(422, "PATCH", rec(w.draft, ""), object{"offers": []object{{"license": "standard", "price": object{"minor": 1, "currency": "USD"}}}})
	w.maker.call(422, "PATCH", rec(w.draft, ""), object{"offers": []object{{"license": "standard", "price": object{"minor": 500, "currency": "EUR"}}}})
	w.maker.call(422, "POST", rec(w.draft, "/submit"), nil)
	w.maker.call(409, "POST", rec(w.free, "/submit"), nil)
	w.maker.call(409, "POST", rec(w.draft, "/unpublish"), nil)
	w.maker.call(409, "POST", rec(w.free, "/republish"), nil)
	w.maker.call(409, "DELETE", rec(w.free, ""), nil)
	if got := w.maker.call(200, "POST", rec(w.free, "/unpublish"), nil); got.text("state") != "unpublished" {
		t.Errorf("unpublish: %s", got.Text)
	}
	w.fan.call(404, "GET", rec(w.free, ""), nil)
	w.maker.call(200, "POST", rec(w.free, "/republish"), nil)
	testkit.Eventually(t, "the recording that is not sound failed", func() bool {
		return w.maker.call(200, "GET", rec(w.raw, ""), nil).text("own.processing") == "failed"
	})
	w.maker.call(409, "GET", rec(w.raw, "/analysis"), nil)
	w.maker.call(204, "DELETE", rec(w.raw, ""), nil)
	w.maker.call(404, "GET", rec(w.raw, ""), nil)

	// Somebody submits, a moderator returns it, the contributor reads why.
	w.maker.call(200, "PATCH", rec(w.draft, ""), object{"tags": []string{"a1", "b2", "c3"}, "category": "fx-o", "rights": true, "offers": []object{{"license": "cc0"}}})
	w.maker.call(200, "POST", rec(w.draft, "/submit"), nil)
	reject := fmt.Sprintf("%s/review/%d/reject", v1, w.draft)
	w.mod.call(422, "POST", reject, object{"reason": " "})
	if got := w.mod.call(200, "POST", reject, object{"reason": "It clips.", "code": "quality"}); got.text("state") != "returned" {
		t.Errorf("reject: %s", got.Text)
	}
	w.mod.call(409, "POST", reject, object{"reason": "Again."})
	w.mod.call(409, "POST", fmt.Sprintf("%s/review/%d/approve", v1, w.draft), nil)
	if got := w.maker.call(200, "GET", rec(w.draft, ""), nil); got.text("own.note") != "It clips." || got.text("state") != "returned" {
		t.Errorf("returned: %s", got.Text)
	}
	w.reactions()
	w.collections()
	w.searches()

	// Downloads: the free one for a member, who holds its license from then on; the paid one under its license.
	taken := w.fan.call(200, "POST", rec(w.free, "/license"), nil)
	w.fan.call(403, "POST", rec(w.paid, "/license"), nil)
	whole := w.fan.call(200, "GET", rec(w.paid, "/download"), nil)
	if whole.Text != string(tone(t, 2)) || !strings.Contains(whole.Header.Get("Content-Disposition"), "paid-tone.wav") {
		t.Errorf("download: %d bytes, %v", len(whole.Text), whole.Header)
	}
	if got := w.fan.call(206, "GET", rec(w.free, "/download"), nil, "Range", "bytes=4-7"); got.Text != string(tone(t, 1)[4:8]) {
		t.Errorf("range: %q", got.Text)
	}
	w.fan.call(416, "GET", rec(w.free, "/download"), nil, "Range", "bytes=99999999-")
	w.mod.call(200, "GET", rec(w.paid, "/download"), nil)
	if got := w.fan.call(200, "GET", v1+"/library", nil); got.id("total") != 2 || got.id("items.0.id") != taken.id("id") {
		t.Errorf("library: %s", got.Text)
	}

	gone := w.boss.call(201, "POST", v1+"/accounts", object{"name": "Gone", "email": "gone@example.org", "born": "1990-01-01"})
	for what, body := range map[string]object{"a child": {"name": "Kid", "email": "kid@example.org", "born": "2020-01-01"}, "a name that is there": {"name": "Maker", "email": "m2@example.org", "born": "1990-01-01"},
		"no date": {"name": "X", "email": "x@example.org", "born": "yesterday"}, "no address": {"name": "X", "email": "nowhere", "born": "1990-01-01"}, "no day": {"name": "X", "email": "x@example.org", "born": "1850-01-01"}} {
		if got := w.boss.call(422, "POST", v1+"/accounts", asJSON(t, body)); got.at("errors") == nil {
			t.Errorf("%s: %s", what, got.Text)
		}
	}
	if got := w.boss.call(200, "POST", v1+"/accounts/Gone/suspend", nil); got.text("state") != "suspended" {
		t.Errorf("suspend: %s", got.Text)
	}
	w.boss.as("Bearer "+gone.text("bearer")).call(401, "GET", v1+"/me", nil)
}

func (w *world) reactions() {
	t := w.t
	said := w.fan.call(201, "POST", rec(w.free, "/comments"), object{"text": "Good & <loud>"})
	w.comment = said.id("id")
	w.fan.call(422, "POST", rec(w.free, "/comments"), object{"text": " \n"})
	if got := w.nobody.call(200, "GET", rec(w.free, "/comments"), nil); got.text("items.0.text") != "Good & <loud>" || got.text("items.0.author.name") != "Fan" {
		t.Errorf("comments: %s", got.Text)
	}
	rude := w.fan.call(201, "POST", rec(w.free, "/comments"), object{"text": "Rude."}).id("id")
	w.maker.call(403, "DELETE", fmt.Sprintf("%s/comments/%d", v1, rude), nil)
	w.mod.call(204, "POST", fmt.Sprintf("%s/comments/%d/remove", v1, rude), object{"reason": "Be kind."})
	w.fan.call(204, "DELETE", fmt.Sprintf("%s/comments/%d", v1, w.comment), nil)
	if got := w.nobody.call(200, "GET", rec(w.free, "/comments"), nil); got.id("total") != 0 {
		t.Errorf("comments: %s", got.Text)
	}
	w.comment = w.mod.call(201, "POST", rec(w.free, "/comments"), object{"text": "Mine."}).id("id")
	w.fan.call(204, "PUT", rec(w.free, "/favorite"), nil)
	w.fan.call(204, "PUT", rec(w.paid, "/favorite"), nil)
	if got := w.fan.call(200, "GET", v1+"/me/favorites", nil); got.id("total") != 2 {
		t.Errorf("favorites: %s", got.Text)
	}
	w.fan.call(204, "DELETE", rec(w.free, "/favorite"), nil)
	w.fan.call(404, "DELETE", rec(w.free, "/favorite"), nil)
	w.fan.call(200, "PUT", rec(w.free, "/rating"), object{"stars": 4})
	w.fan.call(200, "PUT", rec(w.free, "/rating"), object{"stars": 5})
	w.fan.call(422, "PUT", rec(w.free, "/rating"), `{"stars": 6}`)
	w.maker.call(403, "PUT", rec(w.free, "/rating"), object{"stars": 5})
	if got := w.fan.call(200, "GET", rec(w.free, "/rating"), nil); got.text("stars") != "5" {
		t.Errorf("rating: %s", got.Text)
	}
	if got := w.nobody.call(200, "GET", rec(w.free, ""), nil); got.text("rating.average") != "5" || got.text("rating.count") != "1" {
		t.Errorf("rated: %s", got.Text)
	}
	w.fan.call(204, "DELETE", rec(w.free, "/rating"), nil)
	w.fan.call(404, "GET", rec(w.free, "/rating"), nil)
	w.fan.call(404, "DELETE", rec(w.free, "/rating"), nil)
}

// collections makes, shares, orders, empties and deletes one.
func (w *world) collections() {
	t := w.t
	made := w.fan.call(201, "POST", v1+"/me/collections", object{"name": " Ferry  film "})
	at := fmt.Sprintf("%s/collections/%d", v1, made.id("id"))
	if made.text("name") != "Ferry film" || made.text("shared") != "private" || made.text("owner.name") != "Fan" {
		t.Errorf("made: %s", made.Text)
	}
	w.fan.call(409, "POST", v1+"/me/collections", object{"name": "ferry FILM"})
	w.fan.call(422, "POST", v1+"/me/collections", object{"name": " "})
	if got := w.fan.call(200, "POST", at+"/recordings", object{"recordings": []int64{w.free, w.paid, w.free}}); got.text("new") != "2" || got.text("collection.recordings") != "2" {
		t.Errorf("put: %s", got.Text)
	}
	if got := w.fan.call(200, "POST", at+"/recordings", object{"recordings": []int64{w.paid}}); got.text("new") != "0" {
		t.Errorf("put again: %s", got.Text)
	}
	w.fan.call(404, "POST", at+"/recordings", object{"recordings": []int64{w.draft}})
	item := fmt.Sprintf("%s/recordings/%d", at, w.paid)
	if got := w.fan.call(200, "PATCH", item, object{"note": "For the *end*.", "before": w.free}); got.text("note") != "For the *end*." {
		t.Errorf("item: %s", got.Text)
	}
	w.fan.call(422, "PATCH", item, object{"before": w.draft})
	w.fan.call(422, "PATCH", item, object{"before": w.free, "behind": w.free})
	w.fan.call(404, "PATCH", fmt.Sprintf("%s/recordings/%d", at, w.draft), object{"note": "No."})
	first := w.fan.call(200, "GET", at+"/recordings?page_size=1", nil)
	if first.id("items.0.recording.id") != w.paid || first.id("total") != 2 {
		t.Errorf("order: %.300s", first.Text)
	}
	if next := w.fan.call(200, "GET", strings.TrimPrefix(first.text("next"), w.s.URL), nil); next.id("items.0.recording.id") != w.free || next.at("next") != nil {
		t.Errorf("second page: %.300s", next.Text)
	}
	// Private, shared by link, public: who sees it.
	for _, c := range []client{w.nobody, w.maker, w.mod, w.key} {
		c.call(404, "GET", at, nil)
		c.call(404, "GET", at+"/recordings", nil)
	}
	w.maker.call(404, "PATCH", at, object{"name": "Mine"})
	if got := w.fan.call(200, "PATCH", at, object{"description": "Water.", "shared": "link"}); got.text("name") != "Ferry film" || got.text("description") != "Water." {
		t.Errorf("edited: %s", got.Text)
	} else if link, err := url.Parse(got.text("url")); err != nil || link.Query().Get("key") == "" {
		t.Errorf("link: %s", got.Text)
	} else {
		w.nobody.call(404, "GET", at, nil)
		w.nobody.call(404, "GET", at+"?key=wrong", nil)
		if seen := w.nobody.call(200, "GET", at+"?"+link.RawQuery, nil); strings.Contains(seen.text("url"), "key=") {
			t.Errorf("the key is told: %s", seen.Text)
		}
		w.nobody.call(200, "GET", at+"/recordings?"+link.RawQuery, nil)
	}
	w.fan.call(409, "PATCH", fmt.Sprintf("%s/collections/%d", v1, w.fan.call(201, "POST", v1+"/me/collections", object{"name": "Other"}).id("id")), object{"name": "Ferry film"})
	w.fan.call(422, "PATCH", at, `{"shared": "friends"}`)
	w.fan.call(200, "PATCH", at, object{"shared": "public"})
	w.key.call(200, "GET", at, nil)
	w.maker.call(403, "PATCH", at, object{"name": "Mine"})
	if got := w.nobody.call(200, "GET", v1+"/people/Fan/collections", nil); got.id("total") != 1 || got.text("items.0.name") != "Ferry film" {
		t.Errorf("shown to everybody: %s", got.Text)
	}
	if got := w.fan.call(200, "GET", v1+"/me/collections?page_size=1", nil); got.id("total") != 2 || got.at("next") == nil {
		t.Errorf("own: %s", got.Text)
	}
	w.fan.call(204, "DELETE", item, nil)
	w.fan.call(404, "DELETE", item, nil)
	w.fan.call(204, "DELETE", at, nil)
	w.fan.call(404, "GET", at, nil)
	w.fan.call(404, "POST", at+"/report", object{"reason": "Gone."})
	w.maker.call(404, "POST", at+"/restore", nil)
	if got := w.fan.call(200, "POST", at+"/restore", nil); got.text("recordings") != "1" {
		t.Errorf("restored: %s", got.Text)
	}
	// Somebody reports it, a moderator hides it, and shows it again.
	w.fan.call(409, "POST", at+"/report", object{"reason": "Mine."})
	w.maker.call(422, "POST", at+"/report", object{"reason": " "})
	w.maker.call(204, "POST", at+"/report", object{"reason": "A misleading name."})
	if got := w.mod.call(200, "GET", v1+"/review/collections", nil); got.id("total") != 1 || got.text("items.0.reports.0.reason") != "A misleading name." || got.text("items.0.owner.name") != "Fan" {
		t.Errorf("reported: %s", got.Text)
	}
	decide := fmt.Sprintf("%s/review/collections/%d/", v1, made.id("id"))
	w.mod.call(204, "POST", decide+"hide", object{"reason": "Name it for what is in it."})
	w.nobody.call(404, "GET", at, nil)
	if got := w.mod.call(200, "GET", v1+"/review/collections", nil); got.text("items.0.hidden") != "Name it for what is in it." || len(got.at("items.0.reports").([]any)) != 0 {
		t.Errorf("hidden: %s", got.Text)
	}
	w.mod.call(204, "POST", decide+"leave", nil)
	w.nobody.call(200, "GET", at, nil)
}

// searches saves a search, reads its feed, renames and deletes it.
func (w *world) searches() {
	t := w.t
	made := w.fan.call(201, "POST", v1+"/me/searches", object{"search": "q=tone&license=cc-by&sort=short"})
	if made.text("search") != "license=cc-by&q=tone" || made.text("name") == "" {
		t.Errorf("saved: %s", made.Text)
	}
	for _, name := range []string{"url", "feed"} {
		if got := w.s.Visitor().Get(strings.TrimPrefix(made.text(name), w.s.URL)); got.Status != http.StatusOK || !strings.Contains(got.Text, "Free tone") {
			t.Errorf("%s: %d %.300s", made.text(name), got.Status, got.Text)
		}
	}
	if again := w.fan.call(201, "POST", v1+"/me/searches", object{"search": "q=tone&license=cc-by"}); again.id("id") != made.id("id") {
		t.Errorf("saved twice: %s", again.Text)
	}
	w.fan.call(422, "POST", v1+"/me/searches", object{"search": "tempo_min=x"})
	w.fan.call(422, "POST", v1+"/me/searches", object{"search": "%zz"})
	w.fan.call(422, "POST", v1+"/me/searches", object{"search": "sort=new"})
	at := fmt.Sprintf("%s/me/searches/%d", v1, made.id("id"))
	if got := w.fan.call(200, "PATCH", at, object{"name": "Tones"}); got.text("name") != "Tones" {
		t.Errorf("renamed: %s", got.Text)
	}
	w.maker.call(404, "PATCH", at, object{"name": "Mine"})
	w.maker.call(404, "DELETE", at, nil)
	if got := w.fan.call(200, "GET", v1+"/me/searches", nil); got.id("total") != 1 || got.text("items.0.name") != "Tones" {
		t.Errorf("list: %s", got.Text)
	}
	w.fan.call(204, "DELETE", at, nil)
	w.fan.call(404, "DELETE", at, nil)
}

// further does what else people do on the pages: formats, packs, pictures, earnings, and what a file says about persons.
func (w *world) further() {
	t := w.t
	formats := w.nobody.call(200, "GET", v1+"/formats", nil)
	reads := map[string]string{}
	for _, f := range formats.at("items").([]any) {
		f := f.(object)
		reads[f["name"].(string)] = fmt.Sprintf("%v %v %v", f["taken"], f["read_by"], f["why"] != nil)
	}
	if reads["FLAC"] != "true AudioMicro false" || reads["WavPack"] != "false <nil> true" {
		t.Errorf("formats: %v", reads)
	}
	if got := w.nobody.call(200, "GET", v1+"/packs?limit=1", nil); got.id("items.0.id") != w.pack || got.text("items.0.recordings") != "2" || got.text("items.0.contributor.name") != "Maker" {
		t.Errorf("packs: %s", got.Text)
	}
	var dot bytes.Buffer
	if err := png.Encode(&dot, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	shown := w.maker.call(200, "PUT", v1+"/me/profile/picture", dot.String(), "Content-Type", "image/png").text("picture")
	if got := w.s.Visitor().Get(strings.TrimPrefix(shown, w.s.URL)); got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "image/") {
		t.Errorf("picture at %s: %d %v", shown, got.Status, got.Header)
	}
	w.maker.call(422, "PUT", v1+"/me/profile/picture", "<svg/>", "Content-Type", "image/svg+xml")
	w.maker.call(422, "PUT", v1+"/me/profile/picture", dot.String()+strings.Repeat("x", 10<<20), "Content-Type", "image/png")
	w.maker.call(204, "DELETE", v1+"/me/profile/picture", nil)
	if got := w.nobody.call(200, "GET", v1+"/people/Maker", nil); got.at("picture") != nil {
		t.Errorf("a picture that was removed: %s", got.Text)
	}

	earned := w.maker.call(200, "GET", v1+"/me/earnings", nil)
	if earned.id("total") != 1 || earned.text("items.0.kind") != "sale" || earned.id("items.0.recording") != w.paid || earned.text("items.0.net_price.minor") != "700" || earned.id("items.0.amount.minor") < 1 ||
		earned.text("earned.minor") != earned.text("items.0.amount.minor") || earned.text("owed.minor") != earned.text("earned.minor") || earned.text("licenses_sold") != "1" {
		t.Errorf("earnings: %s", earned.Text)
	}
	if got := w.maker.call(200, "GET", v1+"/me/earnings?until=2020-01-01T00:00:00Z", nil); got.id("total") != 0 || got.text("earned.minor") != "0" || got.text("owed.minor") != earned.text("owed.minor") {
		t.Errorf("earnings before there was a site: %s", got.Text)
	}
	if got := w.fan.call(200, "GET", v1+"/me/earnings", nil); got.id("total") != 0 || got.text("owed.minor") != "0" {
		t.Errorf("earnings of who buys: %s", got.Text)
	}

	named := w.maker.upload("named.wav", signed(t))
	w.maker.ready(named)
	fields := w.maker.call(200, "GET", rec(named, "/personal-fields"), nil)
	if len(fields.at("fields").([]any)) != 2 || fields.text("removable") != "true" || !strings.Contains(fields.Text, "Jane Doe") {
		t.Fatalf("personal fields: %s", fields.Text)
	}
	strip := rec(named, "/personal-fields/remove")
	w.maker.call(422, "POST", strip, object{"keys": []string{"none"}})
	left := w.maker.call(200, "POST", strip, object{"keys": []string{fields.text("fields.0.key")}})
	if len(left.at("fields").([]any)) != 1 || left.text("fields.0.key") != fields.text("fields.1.key") {
		t.Errorf("after one was removed: %s", left.Text)
	}
	w.maker.call(200, "PATCH", rec(named, ""), object{"title": "Named", "tags": []string{"a1", "b2", "c3"}, "category": "fx-o", "rights": true, "offers": []object{{"license": "cc0"}}})
	w.maker.call(200, "POST", rec(named, "/submit"), nil)
	w.maker.call(409, "POST", strip, object{"keys": []string{fields.text("fields.1.key")}})
	w.fan.call(404, "GET", rec(named, "/personal-fields"), nil)
}

// signed is a WAV file whose INFO chunk names two people.
func signed(t testing.TB) []byte {
	out := tone(t, 50)
	info := "INFOIART\x0a\x00\x00\x00Jane Doe\x00\x00IENG\x0a\x00\x00\x00John Doe\x00\x00"
	out = append(out, "LIST"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(info)))
	out = append(out, info...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// sounds searches by sounds and by parts of recordings: as a visitor, and with an API key, for nothing is changed by it.
func (w *world) sounds() {
	t := w.t
	path, kind := v1+"/search/examples", []string{"Content-Type", "audio/wav"}
	for _, c := range []client{w.nobody, w.key, w.fan} {
		heard := c.call(200, "POST", path, string(tone(t, 2)), kind...)
		if heard.text("examples.0.as") != "like" || heard.text("examples.2.as") != "rhythm" || !strings.Contains(heard.text("examples.2.why"), "No rhythm was heard") {
			t.Fatalf("heard: %s", heard.Text)
		}
		search := strings.TrimPrefix(heard.text("examples.0.search"), w.s.URL)
		got := c.call(200, "GET", search+"&facet=license", nil)
		first, second := got.at("items.0.likeness"), got.at("items.1.likeness")
		if got.id("items.0.id") != w.paid || got.id("total") != 2 || got.id("among") != 2 || fmt.Sprint(first) <= fmt.Sprint(second) || got.text("items.0.closeness") != "very close" || got.at("facets.0.values.0") == nil {
			t.Errorf("by a sound: %v, %v: %.400s", first, second, got.Text)
		}
		for filter, want := range map[string]int64{"&license=cc-by": w.free, "&q=free": w.free, "&sort=title": w.free, "&length_max=5&page_size=1": w.paid, "&page=2&page_size=1": w.free} {
			if got := c.call(200, "GET", search+filter, nil); got.id("items.0.id") != want {
				t.Errorf("by a sound with %s: %.300s", filter, got.Text)
			}
		}
		if got := c.call(200, "GET", search+"&page_size=1", nil); got.at("next") == nil || got.text("items.0.likeness") != fmt.Sprint(first) {
			t.Errorf("by a sound, a page of one: %.300s", got.Text)
		}
		if got := w.s.Visitor().Get(strings.TrimPrefix(heard.text("examples.0.page"), w.s.URL)); got.Status != http.StatusOK || !strings.Contains(got.Text, "Sounds like yours") {
			t.Errorf("the page: %d", got.Status)
		}
	}
	// Beaten, it is a rhythm.
	strokes := w.nobody.call(200, "POST", path, string(strokes(t)), "Content-Type", "application/octet-stream")
	if got := w.nobody.call(200, "GET", v1+"/search?rhythm="+url.QueryEscape(strokes.text("examples.2.value")), nil); strokes.text("examples.2.value") == "<nil>" || got.text("did_you_mean") != "<nil>" {
		t.Errorf("strokes: %s; %.300s", strokes.Text, got.Text)
	}
	for body, says := range map[string]string{strings.Repeat("words ", 100): "WAV", `{"a": "form"}`: "WAV", silence(t): "silence"} {
		if got := w.nobody.call(422, "POST", path, body, kind...); !strings.Contains(got.text("detail"), says) {
			t.Errorf("%.20q: %s", body, got.Text)
		}
	}
	w.nobody.call(415, "POST", path, "--x", "Content-Type", "multipart/form-data; boundary=x")
	if got := w.nobody.call(413, "POST", path, strings.Repeat("x", 1<<20+1), kind...); !strings.Contains(got.text("detail"), "1 MB") {
		t.Errorf("too large: %s", got.Text)
	}
	chunks := struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 1<<20+1))} // of no known length
	if got := w.s.Visitor().Do("POST", path, http.Header{}, chunks); got.Status != http.StatusRequestEntityTooLarge || !strings.Contains(got.Text, "1 MB") {
		t.Errorf("too large, in chunks: %d %s", got.Status, got.Text)
	}
	for _, bad := range []string{"like=x", "like=" + strings.Repeat("A", 91), "melody=AAAA", "like=" + strings.Repeat("A", 257), "like=AA&melody=AA"} {
		w.nobody.call(422, "GET", v1+"/search?"+bad, nil)
	}

	part := rec(w.paid, "/examples")
	heard := w.key.call(200, "GET", part+"?from=0.2&to=0.8", nil)
	if got := w.key.call(200, "GET", v1+"/search?like="+url.QueryEscape(heard.text("examples.0.value")), nil); got.id("items.0.id") != w.paid {
		t.Errorf("by a part: %.300s", got.Text)
	}
	w.nobody.call(200, "GET", part, nil)
	for _, bad := range []string{"from=-1", "from=x", "from=0.8&to=0.2", "from=0.5&to=0.51", "to=NaN"} {
		w.nobody.call(422, "GET", part+"?"+bad, nil)
	}
	for _, c := range []client{w.nobody, w.fan, w.key} {
		c.call(404, "GET", rec(w.draft, "/examples"), nil)
	}
	w.maker.call(200, "GET", rec(w.draft, "/examples"), nil)

	ears := w.s.Ingest.Ears
	w.s.Ingest.Ears = ingest.NewEars(0) // all are taken, and none comes free
	for _, got := range []answer{w.nobody.call(503, "POST", path, string(tone(t, 2)), kind...), w.nobody.call(503, "GET", part, nil)} {
		if got.Header.Get("Retry-After") != "5" {
			t.Errorf("all ears are taken: %v %s", got.Header, got.Text)
		}
	}
	w.s.Ingest.Ears = ears
}

// strokes is a WAV file of a beat: eight strokes in four seconds, not evenly.
func strokes(t testing.TB) []byte {
	block := make([]float32, 4*44_100)
	for _, at := range []float64{0, .5, .75, 1, 1.5, 2, 2.75, 3} {
		for i := range 4000 {
			block[int(at*44_100)+i] = float32(.8 * math.Exp(-float64(i)/600) * math.Sin(float64(i)*.02))
		}
	}
	return written(t, block)
}

func silence(t testing.TB) string { return string(written(t, make([]float32, 44_100))) }

// bodies are bodies that fit, by operation.
func bodies() map[string]any {
	return map[string]any{
		"edit-recording": object{"title": "X"}, "comment": object{"text": "X"}, "favor": object{}, "rate": object{"stars": 1}, "put-into-cart": object{"license": "standard"},
		"place-order": checkout("x"), "reject-recording": object{"reason": "X"}, "remove-comment": object{"reason": "X"}, "put-profile": object{"display_name": "", "bio": "", "website": ""},
		"make-collection": object{"name": "X"}, "edit-collection": object{"name": "X"}, "add-to-collection": object{"recordings": []int{1}}, "edit-collection-item": object{"note": "X"},
		"put-synonyms": object{"list": ""}, "save-search": object{"search": "q=x"}, "rename-saved-search": object{"name": "X"},
		"hear-sound": "no sound", "put-picture": "no picture", "report-collection": object{"reason": "X"}, "hide-collection": object{"reason": "X"}, "remove-personal-fields": object{"keys": []string{"x"}}, "create-account": object{"name": "X", "email": "x@example.org", "born": "1990-01-01"},
	}
}

// address fills the names of a path.
func address(path, id, name string) string {
	return strings.NewReplacer("{id}", id, "{name}", name, "{code}", name, "{number}", name, "{recording}", "1").Replace(path)
}

// refusals provokes what is refused of every operation alike.
func (w *world) refusals() {
	t := w.t
	wrong, third := w.boss.as("Bearer wrong"), w.boss.as("Bearer "+w.foreign())
	for _, e := range w.spec.entries() {
		id := e.op["operationId"].(string)
		body, header := bodies()[id], []string{"Idempotency-Key", "some-key-1"}
		raw := any(nil)
		if text, sound := body.(string); sound {
			raw = text
		} else if body != nil {
			raw = asJSON(t, body)
		} else if e.has("requestBody") {
			t.Errorf("no body for %s", id)
		}
		responses := e.op["responses"].(object)
		path := address(e.path, "999999999", "nobody")
		got := wrong.call(401, e.method, path, raw, header...)
		if got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: 401 without WWW-Authenticate", id)
		}
		if responses["404"] != nil {
			c := w.boss
			if !strings.Contains(e.path, "{") {
				c = w.fan // who is no moderator or admin is not told that it is there
			}
			c.call(404, e.method, path, raw, header...)
		}
		if responses["403"] != nil {
			own := strings.Contains(fmt.Sprint(e.op["tags"]), "Review") || strings.Contains(fmt.Sprint(e.op["tags"]), "Accounts") || slices.Contains([]string{"place-order", "pay-order", "cancel-order"}, id)
			if id == "hear-sound" { // nobody may make a visitor's browser send one
				w.nobody.call(403, e.method, e.path, raw, "Sec-Fetch-Site", "cross-site")
			} else if own {
				third.call(403, e.method, address(e.path, "1", "Maker"), raw, header...)
			} else {
				w.key.call(403, e.method, address(e.path, "1", "Maker"), raw, header...)
			}
		}
		if responses["400"] != nil {
			broken := `{"`
			if id == "hear-sound" {
				broken = ""
			}
			w.boss.call(400, e.method, address(e.path, "1", "Maker"), broken, header...)
		}
		if responses["422"] != nil {
			w.boss.call(422, e.method, address(e.path, "1", "Maker")+"?nonsense=1", raw, header...)
			if strings.Contains(e.path, "{id}") {
				w.boss.call(422, e.method, address(e.path, "0", ""), raw, header...)
			}
		}
	}
	w.foreigners()
	w.browsers()
}

// foreign is an access token that the admin gave to an application which the fan made.
func (w *world) foreign() string {
	ctx, back := w.t.Context(), "https://app.example/back"
	made, err := w.s.Accounts.AddCredential(ctx, w.fanID, accounts.Application{Name: "Field notes", RedirectURI: back}, false)
	if err != nil {
		w.t.Fatal(err)
	}
	app, err := w.s.Accounts.ApplicationByClient(ctx, made.ClientID)
	if err != nil {
		w.t.Fatal(err)
	}
	boss, err := w.s.Accounts.ByName(ctx, "Boss")
	if err != nil {
		w.t.Fatal(err)
	}
	code, err := w.s.Accounts.Authorize(ctx, app, boss.ID, back, "read write", "")
	if err != nil {
		w.t.Fatal(err)
	}
	tokens, err := w.s.Accounts.Exchange(ctx, made.ClientID, made.Secret, code, back, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return tokens.Access
}

// foreigners shows that nobody reaches what is somebody else's.
func (w *world) foreigners() {
	for _, path := range []string{rec(w.draft, ""), rec(w.draft, "/analysis"), rec(w.draft, "/similar"), rec(w.draft, "/comments"), rec(w.draft, "/download")} {
		w.fan.call(404, "GET", path, nil)
	}
	w.nobody.call(404, "GET", rec(w.draft, ""), nil)
	w.fan.call(404, "PATCH", rec(w.draft, ""), object{"title": "Mine"})
	w.fan.call(404, "DELETE", rec(w.draft, ""), nil)
	for _, act := range []string{"submit", "unpublish", "republish"} {
		w.fan.call(404, "POST", rec(w.draft, "/"+act), nil)
		w.fan.call(403, "POST", rec(w.free, "/"+act), nil)
	}
	w.fan.call(403, "PATCH", rec(w.free, ""), object{"title": "Mine"})
	w.fan.call(404, "POST", rec(w.draft, "/comments"), object{"text": "X"})
	w.maker.call(404, "GET", fmt.Sprintf("%s/orders/%d", v1, w.order), nil)
	w.maker.call(404, "POST", fmt.Sprintf("%s/orders/%d/pay", v1, w.order), nil)
	w.maker.call(404, "POST", fmt.Sprintf("%s/orders/%d/cancel", v1, w.order), nil)
	w.maker.call(404, "GET", fmt.Sprintf("%s/library/%d", v1, w.license), nil)
	w.key.call(403, "GET", rec(w.paid, "/download"), nil)
	// An API key shows what is public, also of the account it belongs to.
	key := w.s.Account("Keyed", "contributor")
	own := w.unpublished(key)
	w.maker.as("Bearer "+key.Bearer).call(200, "GET", rec(own, ""), nil)
	w.maker.as("Token "+key.Key).call(404, "GET", rec(own, ""), nil)
}

func (w *world) unpublished(p *testkit.Person) int64 {
	return w.maker.as("Bearer "+p.Bearer).upload("own.wav", tone(w.t, 40))
}

// browsers shows what a session may do: what its person may, from this site's own pages only.
func (w *world) browsers() {
	t := w.t
	p := w.s.Person("Browser", "member")
	send := func(method, path, site, body string) testkit.Answer {
		h := http.Header{"Content-Type": {"application/json"}}
		if site != "" {
			h.Set("Sec-Fetch-Site", site)
		}
		return p.Do(method, v1+path, h, strings.NewReader(body))
	}
	if got := send("GET", "/me", "cross-site", ""); got.Status != 200 || got.Header.Get("Access-Control-Allow-Credentials") != "" || got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("me: %d %v", got.Status, got.Header)
	}
	path := fmt.Sprintf("/recordings/%d/rating", w.free)
	for site, status := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200} {
		if got := send("PUT", path, site, `{"stars": 3}`); got.Status != status {
			t.Errorf("a session from %s: %d, want %d: %s", site, got.Status, status, got.Text)
		}
	}
	ask := w.s.Visitor().Do(http.MethodOptions, v1+path, http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"PUT"}}, nil)
	if ask.Status != 204 || ask.Header.Get("Access-Control-Allow-Methods") != "DELETE, GET, PUT" || !strings.Contains(ask.Header.Get("Access-Control-Allow-Headers"), "authorization") {
		t.Errorf("preflight: %d %v", ask.Status, ask.Header)
	}
	if got := w.s.Visitor().Do(http.MethodPost, v1+"/site", nil, nil); got.Status != 405 || got.Header.Get("Allow") != "GET, OPTIONS" {
		t.Errorf("a wrong method: %d %v", got.Status, got.Header)
	}
	if got := w.s.Visitor().Get(v1 + "/nothing"); got.Status != 404 || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("nothing: %d %v %s", got.Status, got.Header, got.Text)
	}
	page := w.s.Visitor().Get(v1 + "/")
	for _, e := range w.spec.entries() {
		if !strings.Contains(page.Text, e.path) || !strings.Contains(page.Text, fmt.Sprintf(`id="%s"`, e.op["operationId"])) {
			t.Errorf("the page does not name %s", e.name())
		}
	}
}

// throttled asks too often, for every operation.
func (w *world) throttled() {
	w.s.Site.Limits.Off = false
	got := w.boss.call(200, "GET", v1+"/me", nil)
	if got.Header.Get("RateLimit-Policy") != `"minute";q=60;w=60, "day";q=2000;w=86400` || got.Header.Get("RateLimit") != `"minute";r=59;t=1, "day";r=1999;t=44` {
		w.t.Errorf("rate limit: %v", got.Header)
	}
	actor := w.actor("Boss")
	for _, e := range w.spec.entries() {
		write := e.method != "GET" && e.op["operationId"] != "hear-sound"
		for _, l := range web.APILimits(1, write)[:1] {
			for w.s.Site.Limits.Take(l, fmt.Sprint("credential ", actor.Credential), w.s.Site.Now()) == nil {
			}
		}
		var body any
		if b := bodies()[e.op["operationId"].(string)]; b != nil { // of a sound too: it is not read
			body = asJSON(w.t, b)
		}
		got := w.boss.call(429, e.method, address(e.path, "1", "Maker"), body, "Idempotency-Key", "some-key-1")
		if got.Header.Get("Retry-After") == "" || !strings.HasPrefix(got.Header.Get("RateLimit"), `"minute";r=0;`) {
			w.t.Errorf("%s: %v", e.name(), got.Header)
		}
	}
}

// actor finds the credential that an account's access token belongs to.
func (w *world) actor(name string) access.Actor {
	a, err := w.s.Accounts.ByName(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := w.s.Accounts.Credentials(w.t.Context(), a.ID)
	if err != nil || len(list) != 1 {
		w.t.Fatal(list, err)
	}
	return access.Actor{ID: a.ID, Credential: list[0].ID}
}
