package ui_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/web/ui"

	"github.com/chromedp/chromedp"
)

// tus is a small tus 1.0 server for one file at a time, with faults on demand.
type tus struct {
	mu      sync.Mutex
	data    []byte
	length  int
	meta    string
	created int
	refuse  int  // answers so many PATCH requests with 503
	stall   bool // holds PATCH requests that begin after 8 MiB until the client goes
	faults  []string
}

func (s *tus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if r.Header.Get("Tus-Resumable") != "1.0.0" {
		s.faults = append(s.faults, r.Method+" without Tus-Resumable")
	}
	stall := s.stall && r.Method == "PATCH" && len(s.data) >= 8<<20
	s.mu.Unlock()
	if stall {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Tus-Resumable", "1.0.0")
	switch r.Method {
	case "POST":
		s.created++
		s.length, _ = strconv.Atoi(r.Header.Get("Upload-Length"))
		s.meta, s.data = r.Header.Get("Upload-Metadata"), nil
		w.Header().Set("Location", "/uploads/one")
		w.WriteHeader(http.StatusCreated)
	case "HEAD":
		w.Header().Set("Upload-Offset", strconv.Itoa(len(s.data)))
		w.Header().Set("Upload-Length", strconv.Itoa(s.length))
	case "PATCH":
		if s.refuse > 0 {
			s.refuse--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		part, _ := io.ReadAll(r.Body)
		sum := sha256.Sum256(part)
		if got, want := r.Header.Get("Upload-Checksum"), "sha256 "+base64.StdEncoding.EncodeToString(sum[:]); got != want {
			s.faults = append(s.faults, "checksum "+got)
		}
		if r.Header.Get("Upload-Offset") != strconv.Itoa(len(s.data)) {
			w.WriteHeader(http.StatusConflict)
			return
		}
		s.data = append(s.data, part...)
		w.Header().Set("Upload-Offset", strconv.Itoa(len(s.data)))
		if len(s.data) == s.length {
			whole := sha256.Sum256(s.data)
			w.Header().Set("Upload-SHA256", hex.EncodeToString(whole[:]))
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// TestUploadResumesAfterReload sends a file in two parts, loses the page between them, picks the file again and finds the
// bytes whole and nothing sent twice; refusals on the way are retried.
func TestUploadResumesAfterReload(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	store := &tus{refuse: 1, stall: true}
	mux := http.NewServeMux()
	mux.Handle("/", galleryHandler())
	mux.Handle("/uploads/", store)
	server := httptest.NewServer(mux)
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)

	content := make([]byte, 9<<20+17)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	file := filepath.Join(t.TempDir(), "Röhre 01.wav")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	pick := func() {
		t.Helper()
		run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-module=upload][data-on=ready]") !== null`))
		if err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("[data-pick]:not([webkitdirectory])"), []string{file})); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(ctx, watched(), chromedp.Navigate(server.URL+"/upload")); err != nil {
		t.Fatal(err)
	}
	pick()
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".upload-line progress")?.value > 80`))
	// The unload question of a running upload is for people; a test leaves without it.
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("[data-pause-all]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".upload-line .row-by").textContent === "Paused"`))
	store.mu.Lock()
	store.stall = false
	sent := len(store.data)
	store.mu.Unlock()
	if sent != 8<<20 {
		t.Fatalf("%d bytes are stored after the first part", sent)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/upload")); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".upload-line .row-by")?.textContent.startsWith("Not finished.")`))
	pick()
	run(t, ctx, chromedp.Poll[bool](`[...document.querySelectorAll(".upload-line .row-by")].some(e => e.textContent.startsWith("Uploaded."))`))
	if left := run(t, ctx, chromedp.Evaluate[int64](`Object.keys(localStorage).filter(k => k.startsWith("am.up.")).length`)); left != 0 {
		t.Errorf("%d fingerprints are left behind", left)
	}
	store.mu.Lock()
	defer store.mu.Unlock()
	if !bytes.Equal(store.data, content) {
		t.Errorf("%d bytes arrived, not the %d of the file", len(store.data), len(content))
	}
	if store.created != 1 {
		t.Errorf("%d uploads were made for one file", store.created)
	}
	if want := "filename " + base64.StdEncoding.EncodeToString([]byte("Röhre 01.wav")); !strings.HasPrefix(store.meta, want) {
		t.Errorf("metadata %q", store.meta)
	}
	if len(store.faults) > 0 {
		t.Error(store.faults)
	}
}

// TestSheet works on the describe sheet with the keyboard: autosave, fill-down, apply to selected, undo.
func TestSheet(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	var mu sync.Mutex
	saves := map[string]url.Values{}
	mux := http.NewServeMux()
	mux.Handle("/", galleryHandler())
	mux.HandleFunc("POST /upload/describe/save", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		mu.Lock()
		saves[r.PostForm.Get("id")] = r.PostForm
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.PostForm.Get("title") == "" {
			io.WriteString(w, `{"saved":"Saved.","tone":"bad","check":"Title","errors":{"title":"Add a title"},"ready":6}`)
			return
		}
		io.WriteString(w, `{"saved":"Saved.","tone":"good","check":"Ready","errors":{},"ready":9}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/batch")); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-module=batch][data-on=ready]") !== null && Boolean(window.htmx)`))
	saved := func(id, column, want string) {
		t.Helper()
		got := ""
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			mu.Lock()
			got = saves[id].Get(column)
			mu.Unlock()
			if got == want {
				return
			}
		}
		t.Errorf("row %s: %s saved as %q, want %q", id, column, got, want)
	}
	eval := func(js string) { t.Helper(); run(t, ctx, chromedp.Evaluate[any](js+";null")) }
	cell := func(id, column string) string { return `document.getElementById("f-` + column + `.` + id + `")` }
	press := func(id, column, init string) {
		t.Helper()
		eval(cell(id, column) + `.focus(); ` + cell(id, column) + `.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ` + init + `}))`)
	}
	// A typed title is saved by itself and its row turns ready.
	eval(cell("4", "title") + `.focus()`)
	if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.JSPath(cell("4", "title")), "Low thump")); err != nil {
		t.Fatal(err)
	}
	press("4", "title", `key: "Enter"`)
	if at := run(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)); at != "f-title.5" {
		t.Errorf("Enter leads to %s", at)
	}
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("#row-4 [data-check]").textContent.trim() === "Ready" && !`+cell("4", "title")+`.closest("td").classList.contains("bad")`))
	saved("4", "title", "Low thump")
	// Fill down takes the value above; undo gives the old one back.
	press("2", "title", `key: "d", ctrlKey: true`)
	if got := run(t, ctx, chromedp.Evaluate[string](cell("2", "title")+`.value`)); got != shapes[0].title {
		t.Errorf("filled down: %q", got)
	}
	press("2", "title", `key: "z", ctrlKey: true`)
	if got := run(t, ctx, chromedp.Evaluate[string](cell("2", "title")+`.value`)); got != shapes[1].title {
		t.Errorf("undone: %q", got)
	}
	// Selected rows get one license.
	eval(`for (const id of [1, 2, 3]) document.querySelector("#row-" + id + " [name=select]").click()`)
	if got := run(t, ctx, chromedp.Evaluate[string](`document.querySelector("[data-selected]").textContent`)); got != "3 selected" {
		t.Errorf("selection says %q", got)
	}
	eval(`document.querySelector("[data-apply=license]").click()`)
	eval(`document.querySelector("dialog.dialog[open]:not(#keys) select").value = "cc-by-4.0"; document.querySelector("dialog.dialog[open]:not(#keys) .main").click()`)
	run(t, ctx, chromedp.Poll[bool](`["1", "2", "3"].every(id => document.getElementById("f-license." + id).value === "cc-by-4.0") && document.getElementById("f-license.4").value === "standard"`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-ready]").textContent === "9"`))
	saved("3", "license", "cc-by-4.0")
	if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
		t.Error(strings.Join(faults, "; "))
	}
}

// TestScope draws the finer waveform, switches views and loops a region.
func TestScope(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/recording?theme=light")); err != nil {
		t.Fatal(err)
	}
	painted := func() string {
		t.Helper()
		run(t, ctx, chromedp.Poll[bool](`(() => { const c = document.querySelector(".lane-wave canvas"); return Boolean(c && c.width > 400 && c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some(v => v)) })()`))
		return run(t, ctx, chromedp.Evaluate[string](`document.querySelector(".lane-wave canvas").toDataURL()`))
	}
	light := painted()
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector(".themes [value=dark]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.documentElement.dataset.theme === "dark" && document.querySelector(".themes [value=dark]").getAttribute("aria-pressed") === "true"`))
	if painted() == light {
		t.Error("the waveform keeps the colors of the light theme")
	}
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("[data-view-set][value=spec]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`!document.querySelector(".lane-wave").checkVisibility() && document.querySelector(".lane-spec").checkVisibility()`))
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("[data-view-set][value=both]").click(); document.querySelector("[data-loop]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".loop-box") !== null && document.querySelector("[data-edge=from]").value + "–" + document.querySelector("[data-edge=to]").value === "0:00.000–0:02.000"`))
	// The end moves by key to 0.3 s; the sound goes round in it.
	run(t, ctx, chromedp.Evaluate[any](`(() => { const g = document.querySelector(".loop-grip.b"); for (let i = 0; i < 17; i++) g.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", bubbles: true, cancelable: true})) })(); null`))
	run(t, ctx, chromedp.Evaluate[any](`window.seen = []; window.watching = true; (function look() { seen.push(parseFloat(document.querySelector("[data-elapsed]").textContent.slice(2))); if (watching) requestAnimationFrame(look) })(); null`))
	run(t, ctx, chromedp.Poll[bool](`seen.some((v, i) => i && v < seen[i - 1])`))
	// A busy machine looks late, but never as late as the end that the key moved.
	if latest := run(t, ctx, chromedp.Evaluate[float64](`Math.max(...seen)`)); latest > 1.9 {
		t.Errorf("the loop ran to %.1f s", latest)
	}
	// A second press goes on past the end and leaves the region marked; Clear takes it away.
	run(t, ctx, chromedp.Evaluate[any](`watching = false; document.querySelector("[data-loop]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-loop]").getAttribute("aria-pressed") === "false" && document.querySelector(".loop-box") !== null`))
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("[data-region-clear]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".loop-box") === null && document.querySelector("[data-do=loop]").getAttribute("aria-pressed") === "false"`))
	// A region belongs to its sound: marked while another plays, it waits, is kept over navigation, and holds once its sound plays.
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("#main .rows .play").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("#main .rows .row.sounding") !== null`))
	run(t, ctx, chromedp.Evaluate[any](`(() => { const l = document.querySelector(".lane-wave"), b = l.getBoundingClientRect(), at = (type, to, share) => to.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerType: "mouse", button: 0, clientX: b.left + b.width * share, clientY: b.top + 9}));
		at("pointerdown", l, .5); setTimeout(() => { at("pointermove", window, .55); at("pointermove", window, .6); at("pointerup", window, .6) }, 50) })(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".loop-box") !== null && document.querySelector("[data-loop]").getAttribute("aria-pressed") === "true"`))
	if got := run(t, ctx, chromedp.Evaluate[string](`document.querySelector("[data-do=loop]").getAttribute("aria-pressed")`)); got != "false" {
		t.Error("a region marked on this page loops the other sound that plays")
	}
	run(t, ctx, chromedp.Poll[bool](`Boolean(window.htmx && document.querySelector(".head-nav a")._htmx)`))
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector(".head-nav a[href='/packs']").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`location.pathname === "/packs" && document.querySelector(".lane-wave") === null`))
	run(t, ctx, chromedp.Evaluate[any](`history.back(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".loop-box") !== null`))
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector(".rec-head .play").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-do=loop]").getAttribute("aria-pressed") === "true" && document.querySelector("#player.sounding") !== null`))
	run(t, ctx, chromedp.Evaluate[any](`window.seen = []; window.watching = true; (function look() { seen.push(parseFloat(document.querySelector("[data-elapsed]").textContent.slice(2))); if (watching) requestAnimationFrame(look) })(); null`))
	run(t, ctx, chromedp.Poll[bool](`seen.some((v, i) => i && v < seen[i - 1])`))
	if first := run(t, ctx, chromedp.Evaluate[float64](`Math.min(...seen.filter(v => v > 0))`)); first < 1 {
		t.Errorf("the region began at %.1f s", first)
	}
	if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
		t.Error(strings.Join(faults, "; "))
	}
}

// TestQuietSoundsAreLifted: the player has as much room as the server's largest lift, and takes none of it back.
func TestQuietSoundsAreLifted(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatal(err)
	}
	level := func(gain float64) float64 {
		t.Helper()
		run(t, ctx, chromedp.Navigate(server.URL+"/recording?theme=light"))
		run(t, ctx, chromedp.Poll[bool](`Boolean(window.htmx && document.querySelector(".head-nav a")._htmx)`))
		// What the page gives out of a full-scale sound: the volume set on its element, and the factor behind it.
		run(t, ctx, chromedp.Evaluate[any](`(() => {
			window.heard = { volume: 1, factor: () => 1 };
			const make = BaseAudioContext.prototype.createGain, volume = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "volume");
			BaseAudioContext.prototype.createGain = function () { const g = make.call(this); heard.factor = () => g.gain.value; return g };
			Object.defineProperty(HTMLMediaElement.prototype, "volume", { get() { return volume.get.call(this) }, set(v) { heard.volume = v; volume.set.call(this, v) } });
			document.querySelector("#main [data-hq]").dataset.gain = "`+strconv.FormatFloat(gain, 'f', 1, 64)+`";
			document.querySelector(".rec-head .play").click();
		})(); null`))
		run(t, ctx, chromedp.Poll[bool](`document.querySelector("#player.sounding") !== null`))
		return run(t, ctx, chromedp.Evaluate[float64](`20 * Math.log10(heard.volume * heard.factor())`))
	}
	base := level(0)
	for _, gain := range []float64{12, -18, 5} {
		if got := level(gain) - base; math.Abs(got-gain) > .1 {
			t.Errorf("a gain of %g dB is heard as %.2f dB", gain, got)
		}
	}
	if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
		t.Error(strings.Join(faults, "; "))
	}
}

// TestFiltersOnAPhone opens the facets as a sheet, chooses one and sees the address it leads to.
func TestFiltersOnAPhone(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch), chromedp.Navigate(server.URL+"/search")); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, chromedp.Poll[bool](`Boolean(window.htmx && document.getElementById("facets")._htmx)`))
	if run(t, ctx, chromedp.Evaluate[bool](`document.getElementById("facets").checkVisibility()`)) {
		t.Error("the facets take the phone's page before they are asked for")
	}
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("[data-facets-open]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("#facets.open") !== null && document.activeElement.matches("[data-facets-close]")`))
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("#facets [name=license][value=cc0]").click(); null`))
	if got := run(t, ctx, chromedp.Evaluate[string](`location.search`)); got != "" {
		t.Errorf("a choice in the sheet left the page for %s before it was confirmed", got)
	}
	small := run(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("#facets.open :is(label.check, .btn, summary)")].filter(e => { const b = e.getBoundingClientRect(); return b.height && b.height < 44 }).map(e => e.outerHTML.slice(0, 80)).join("\n")`))
	if small != "" {
		t.Errorf("targets under 44 px:\n%s", small)
	}
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("[data-facets-show]").click(); null`))
	run(t, ctx, chromedp.Poll[bool](`location.search.includes("license=cc0") && !location.search.includes("length_min=&") && document.querySelector("#facets.open") === null`))
}

// TestDraftsMoveByThemselves sends events about a draft: its text follows, and its line is new when its state changes.
func TestDraftsMoveByThemselves(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	var mu sync.Mutex
	draft := ui.Draft{ID: 5, FileName: "HALL.wav", Bytes: 9000, State: "analyzing", StateText: "Analyzing, 10 %", Percent: 10}
	events, connected := make(chan string), make(chan bool, 9)
	mux := http.NewServeMux()
	mux.Handle("/", galleryHandler())
	mux.HandleFunc("GET /upload", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		p := ui.UploadPage{Accepted: "WAV.", MaxBytes: 1e9, EventsURL: "/upload/events", Drafts: []ui.Draft{draft}}
		mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := ui.Page(ui.Frame{Title: "Upload", Person: member}, ui.Upload(p)).Render(r.Context(), w); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /upload/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		out := http.NewResponseController(w)
		out.Flush()
		connected <- true
		defer func() { connected <- false }()
		for {
			select {
			case <-r.Context().Done():
				return
			case e := <-events:
				io.WriteString(w, "event: draft\ndata: "+e+"\n\n")
				out.Flush()
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/upload")); err != nil {
		t.Fatal(err)
	}
	if !<-connected {
		t.Fatal("no connection")
	}
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-module=upload][data-on=ready]") !== null && Boolean(window.htmx)`))
	events <- `{"id":5,"state":"analyzing","text":"Analyzing, 64 %","percent":64}`
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-draft='5'] .state span").textContent === "Analyzing, 64 %" && document.querySelector("[data-draft='5'] progress").value === 64`))
	mu.Lock()
	draft.State, draft.StateText, draft.Bars, draft.PreviewURL, draft.URL = "ready", "Ready to describe", shapes[0].row(1), "/media/0.wav", "/upload/describe?ids=5"
	mu.Unlock()
	events <- `{"id":5,"state":"ready","text":"Ready to describe","percent":100}`
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("[data-draft='5'] [data-state=ready]") !== null && document.querySelector("[data-draft='5'] [data-play]") !== null`))
	// Leaving the page closes the stream: a browser has few connections to one server.
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector(".head-nav a[href='/packs']").click(); null`))
	if <-connected {
		t.Error("a second stream")
	}
	if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
		t.Error(strings.Join(faults, "; "))
	}
}
