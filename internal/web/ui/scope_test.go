package ui_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"audiomicro/internal/audio/opusenc"
	"audiomicro/internal/audio/spectrum"
	"audiomicro/internal/testkit"
	"audiomicro/web"
)

// openScope opens the gallery's recording page and waits until its drawing is there.
func openScope(t *testing.T, suffix string) context.Context {
	t.Helper()
	return openScopeAt(t, suffix, galleryHandler())
}

func openScopeAt(t *testing.T, suffix string, handler http.Handler) context.Context {
	t.Helper()
	ctx := browser(t)()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/recording?theme=light"+suffix)); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, `document.querySelector(".scope[data-on=ready] .lane-wave canvas")`)
	return ctx
}

func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	run(t, ctx, chromedp.Poll[bool]("Boolean("+expression+")"))
}

func act(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	run(t, ctx, chromedp.Evaluate[any](script+"; null"))
}

func sees(t *testing.T, ctx context.Context, expression string) string {
	t.Helper()
	return run(t, ctx, chromedp.Evaluate[string]("String("+expression+")"))
}

func noFaults(t *testing.T, ctx context.Context) {
	t.Helper()
	if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
		t.Error(strings.Join(faults, "; "))
	}
}

// TestScopeZooms zooms by keys, wheel and overview: lanes, axis, playhead, presses and the overview keep to one time, and what is
// drawn is finer than what the server drew.
func TestScopeZooms(t *testing.T) {
	t.Parallel()
	ctx := openScope(t, "")
	act(t, ctx, `document.getElementById("main").focus()`)
	for range 3 {
		if err := chromedp.Do(ctx, chromedp.KeyEvent("+")); err != nil {
			t.Fatal(err)
		}
	}
	until(t, ctx, `document.querySelector(".scope.zoomed .scope-map:not([hidden]) .map-window") && document.querySelector("[data-scope-says]").textContent.includes("spectrogram from the preview")`)
	if got, want := sees(t, ctx, `document.querySelector(".lane-wave").dataset.shown`), "0.4375 0.5625"; got != want {
		t.Errorf("three times in: the lanes show %s of the sound, want %s", got, want)
	}
	if got, want := sees(t, ctx, `document.querySelector(".lane-spec .spec").getAttribute("viewBox")`), "350 0 100 200"; got != want {
		t.Errorf("the spectrogram shows %s, want %s", got, want)
	}
	if got := sees(t, ctx, `document.querySelector(".axis").textContent`); !strings.Contains(got, "0:03.6") || !strings.Contains(got, "0:04.4") {
		t.Errorf("the axis reads %s, want tenths between 3.5 s and 4.5 s", got)
	}
	if got, want := sees(t, ctx, `document.querySelector("[data-map]").getAttribute("aria-valuetext")`), "0:03.5 to 0:04.5 of 0:08.0"; got != want {
		t.Errorf("the overview says %q, want %q", got, want)
	}
	// The computed spectrogram has energy, and its tone lies where the sound's is: the tone of the gallery is one sine.
	until(t, ctx, `(() => { const c = document.querySelector(".lane-spec canvas"); return !c.hidden && c.width >= 64 && c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 200) })()`)
	// A press in the middle of the zoomed lane plays at 4.0 s, not at the middle of the whole.
	act(t, ctx, `(() => { const l = document.querySelector(".lane-wave"), b = l.getBoundingClientRect(); l.dispatchEvent(new MouseEvent("click", {bubbles: true, clientX: b.left + b.width / 4, clientY: b.top + 9})) })()`)
	until(t, ctx, `document.querySelector("#player.sounding") && parseFloat(document.querySelector("[data-elapsed]").textContent.slice(2)) >= 3.7`)
	if err := chromedp.Do(ctx, chromedp.KeyEvent(" ")); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, `document.querySelector("#player:not(.sounding)")`)
	// The playhead of a zoomed lane is where the zoomed time is.
	got := run(t, ctx, chromedp.Evaluate[float64](`parseFloat(document.querySelector(".lane-wave").style.getPropertyValue("--p")) / 100 - (parseFloat(document.querySelector(".player-wave").closest("#player").style.getPropertyValue("--p")) / 100 - .4375) / .125`))
	if now := run(t, ctx, chromedp.Evaluate[float64](`parseFloat(document.querySelector("#player").style.getPropertyValue("--p"))`)); now < 56.25 && math.Abs(got) > .01 {
		t.Errorf("the playhead of the lane is off by %.3f of its width", got)
	}
	// The overview moves by key, the wheel with Ctrl zooms around the pointer, 0 fits.
	act(t, ctx, `document.querySelector("[data-map]").dispatchEvent(new KeyboardEvent("keydown", {key: "Home", bubbles: true, cancelable: true}))`)
	until(t, ctx, `document.querySelector(".lane-wave").dataset.shown === "0 0.125"`)
	act(t, ctx, `(() => { const l = document.querySelector(".lane-wave"), b = l.getBoundingClientRect(); l.dispatchEvent(new WheelEvent("wheel", {bubbles: true, cancelable: true, ctrlKey: true, deltaY: -240, clientX: b.left, clientY: b.top + 9})) })()`)
	until(t, ctx, `document.querySelector(".lane-wave").dataset.shown.startsWith("0 0.08")`)
	act(t, ctx, `document.querySelector("[data-zoom='0']").click()`)
	until(t, ctx, `!document.querySelector(".scope.zoomed") && document.querySelector("[data-map]").hidden && !document.querySelector(".lane-wave").dataset.shown`)
	noFaults(t, ctx)
}

// TestScopeZoomsLong zooms into a sound of 2600 s whose tone rises by an octave every 100 s: the spectrogram shows each where and when it sounds, from
// the blocks in view of the level that fits.
func TestScopeZoomsLong(t *testing.T) {
	t.Parallel()
	const rate, seconds = 8000, 2600
	a, phase, block := spectrum.New(rate, 1), 0.0, make([]float32, rate)
	for s := range seconds {
		for i := range block {
			phase += 2 * math.Pi * 200 * math.Pow(2, float64(s/100%5)) / rate
			block[i] = float32(0.5 * math.Sin(phase))
		}
		a.Write([][]float32{block})
	}
	var file bytes.Buffer
	if err := a.Result().WriteLevels(&file); err != nil {
		t.Fatal(err)
	}
	gallery, mux := galleryHandler(), http.NewServeMux()
	mux.Handle("/", gallery)
	mux.HandleFunc("/media/levels.dat", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.Bytes()))
	})
	mux.HandleFunc("/recording", func(w http.ResponseWriter, r *http.Request) {
		page := httptest.NewRecorder()
		gallery.ServeHTTP(page, r)
		maps.Copy(w.Header(), page.Header())
		io.WriteString(w, strings.Replace(page.Body.String(), ` data-seconds="`, fmt.Sprintf(` data-levels="/media/levels.dat" data-seconds="%d" data-was="`, seconds), 1))
	})
	ctx := openScopeAt(t, "", mux)
	for _, c := range []struct {
		presses  int
		from, to float64
	}{{1, 650, 1950}, {1, 975, 1625}, {1, 1137.5, 1462.5}} {
		for range c.presses {
			act(t, ctx, `document.querySelector("[data-zoom='+']").click()`)
		}
		until(t, ctx, fmt.Sprintf(`document.querySelector(".lane-wave").dataset.shown === "%g %g" && document.querySelector("[data-scope-says]").textContent.endsWith("spectrogram from the original")`, c.from/seconds, c.to/seconds))
		// In each column the middle of the strongest rows, as an octave above 200 Hz.
		got := run(t, ctx, chromedp.Evaluate[[]float64](`(() => {
			const c = document.querySelector(".lane-spec canvas"), { data, width, height } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
			return Array.from({ length: width }, (_, x) => {
				const column = Array.from({ length: height }, (_, y) => data[4 * (y * width + x) + 3]), top = Math.max(...column);
				return Math.log2(60 * 300 ** (1 - (column.indexOf(top) + column.lastIndexOf(top) + 1) / 2 / height) / 200);
			});
		})()`))
		wrong := 0
		for x, octave := range got {
			at := c.from + (float64(x)+.5)/float64(len(got))*(c.to-c.from)
			if in := math.Mod(at, 100); in > 5 && in < 95 && math.Abs(octave-math.Mod(math.Floor(at/100), 5)) > .2 {
				wrong++
			}
		}
		if len(got) < 300 || wrong > 0 {
			t.Errorf("from %g s to %g s: %d of %d columns show another tone", c.from, c.to, wrong, len(got))
		}
	}
	noFaults(t, ctx)
}

// TestScopeTouch: two fingers zoom around the place between them and one moves what is zoomed, without a sound beginning; up and down
// the page scrolls; a tap plays.
func TestScopeTouch(t *testing.T) {
	t.Parallel()
	ctx := openScope(t, "")
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch)); err != nil {
		t.Fatal(err)
	}
	act(t, ctx, `document.querySelector("[data-zoom='+']").click()`) // zoom.js is there before the fingers
	until(t, ctx, `document.querySelector(".scope.pinch.zoomed")`)
	act(t, ctx, `document.querySelector("[data-zoom='0']").click()`)
	until(t, ctx, `!document.querySelector(".scope.zoomed")`)
	box := func(side string) float64 {
		return run(t, ctx, chromedp.Evaluate[float64](`document.querySelector("[data-lanes]").getBoundingClientRect().`+side))
	}
	left, wide := box("left"), box("width")
	touch := func(kind input.DispatchTouchEventType, y float64, shares ...float64) {
		t.Helper()
		points := []*input.TouchPoint{}
		for i, s := range shares {
			id := float64(i)
			points = append(points, &input.TouchPoint{X: left + s*wide, Y: y, ID: &id})
		}
		if err := chromedp.Do(ctx, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
			return chromedp.Void{}, err
		}); err != nil {
			t.Fatal(err)
		}
	}
	y := box("top") + 40
	touch("touchStart", y, .4)
	touch("touchStart", y, .4, .6)
	for i := range 5 {
		by := .04 * float64(i+1)
		touch("touchMove", y, .4-by, .6+by)
	}
	touch("touchEnd", y)
	until(t, ctx, `(([from, to]) => Math.abs(to - from - 1 / 3) < .05)((document.querySelector(".lane-wave").dataset.shown ?? "0 1").split(" "))`)
	shown := func() (from, to float64) {
		if _, err := fmt.Sscan(sees(t, ctx, `document.querySelector(".lane-wave").dataset.shown ?? "0 1"`), &from, &to); err != nil {
			t.Fatal(err)
		}
		return from, to
	}
	from, to := shown()
	if math.Abs(to-from-1./3) > .05 || math.Abs((from+to)/2-.5) > .05 { // fingers three times as far apart, around the middle
		t.Errorf("after a pinch from 0.2 to 0.6 of the width the lanes show %.3f to %.3f, want a third around the middle", from, to)
	}
	touch("touchStart", y, .8)
	for i := range 5 {
		touch("touchMove", y, .8-.1*float64(i+1))
	}
	touch("touchEnd", y)
	if on, _ := shown(); math.Abs(on-from-(to-from)/2) > .05 {
		t.Errorf("half a width to the left moved the view from %.3f to %.3f, want half its length", from, on)
	}
	// What is touched stays under the fingers: the overview that comes with zoom must not push it away.
	if at := box("top"); math.Abs(at+40-y) > .5 {
		t.Errorf("zoomed, the lanes begin at %.1f, want %.1f as before", at, y-40)
	}
	if got := sees(t, ctx, `visualViewport.scale + " " + document.querySelector("#player").hidden`); got != "1 true" {
		t.Errorf("the page's scale and whether nothing plays: %s, want 1 true", got)
	}
	touch("touchStart", y, .5)
	touch("touchEnd", y)
	until(t, ctx, `document.querySelector("#player.sounding")`)
	noFaults(t, ctx)
}

// TestScopeRegion: the address marks a region; keys, fields and handles change it; whoever listens hears of it; the address follows.
func TestScopeRegion(t *testing.T) {
	t.Parallel()
	ctx := openScope(t, "#t=1.25,3.5")
	until(t, ctx, `document.querySelector(".loop-box")`)
	region := `(e => e.dataset.from + " " + e.dataset.to)(document.querySelector(".scope"))`
	if got, want := sees(t, ctx, region), "1.250 3.500"; got != want {
		t.Errorf("the address marks %s, want %s", got, want)
	}
	act(t, ctx, `window.heard = []; document.addEventListener("am:region", e => heard.push(e.detail && e.detail.from + " " + e.detail.to))`)
	act(t, ctx, `(() => { const f = document.querySelector("[data-edge=to]"); f.value = "0:02,75"; f.dispatchEvent(new Event("change", {bubbles: true})) })()`)
	if got, want := sees(t, ctx, region+` + " " + heard.at(-1)`), "1.250 2.750 1.25 2.75"; got != want {
		t.Errorf("after typing the end the region is %s, want %s", got, want)
	}
	act(t, ctx, `document.querySelector(".loop-grip.a").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true, cancelable: true}))`)
	if got, want := sees(t, ctx, `document.querySelector(".loop-grip.a").getAttribute("aria-valuetext")`), "0:01.350"; got != want {
		t.Errorf("a key moves the start to %s, want %s", got, want)
	}
	until(t, ctx, `location.hash === "#t=1.35,2.75"`)
	if got := sees(t, ctx, `document.querySelector("[data-region-link]").dataset.copy`); !strings.HasSuffix(got, "/recording?theme=light#t=1.35,2.75") {
		t.Errorf("the link to copy is %s", got)
	}
	if got := run(t, ctx, chromedp.Evaluate[float64](`Math.min(...[...document.querySelectorAll(".loop-grip")].map(g => g.getBoundingClientRect().width))`)); got < 44 {
		t.Errorf("a handle can be gripped over %.0f px, want 44", got)
	}
	// It goes round from memory: the element rests, the time moves and comes back.
	act(t, ctx, `window.seen = []; window.watching = true; document.querySelector(".rec-head .play").click(); (function look() { seen.push(parseFloat(document.querySelector("[data-elapsed]").textContent.slice(2))); if (watching) requestAnimationFrame(look) })()`)
	until(t, ctx, `seen.filter((v, i) => i && v < seen[i - 1] && v > 0).length > 1`)
	if got := run(t, ctx, chromedp.Evaluate[float64](`Math.max(...seen)`)); got > 2.9 {
		t.Errorf("the region ends at 2.75 s, and %.1f s was heard", got)
	}
	// I sets the start where the playhead stands.
	act(t, ctx, `watching = false; document.querySelector(".rec-head .play").click(); document.getElementById("main").focus()`)
	until(t, ctx, `document.querySelector("#player:not(.sounding)")`)
	if err := chromedp.Do(ctx, chromedp.KeyEvent("i")); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, `Math.abs(+document.querySelector(".scope").dataset.from - parseFloat(document.querySelector("[data-elapsed]").textContent.slice(2))) < .06`)
	act(t, ctx, `document.querySelector("[data-region-clear]").click()`)
	until(t, ctx, `!document.querySelector(".loop-box") && location.hash === "" && !document.querySelector(".scope").dataset.from && heard.at(-1) === null && document.querySelector("[data-region]").hidden`)
	noFaults(t, ctx)
}

// TestStretch renders tones and clicks through the worklet and measures what comes out: frequency, length, clicks.
func TestStretch(t *testing.T) {
	t.Parallel()
	ctx := openScope(t, "")
	act(t, ctx, `window.render = async (seconds, rate, ratio, fill) => {
		const context = new OfflineAudioContext(1, Math.round((seconds / rate + .4) * 48000), 48000), buffer = context.createBuffer(1, seconds * 48000, 48000);
		fill(buffer.getChannelData(0));
		await context.audioWorklet.addModule(document.querySelector(".scope").dataset.stretch);
		const node = new AudioWorkletNode(context, "stretch", { outputChannelCount: [2], parameterData: { ratio } }), source = new AudioBufferSourceNode(context, { buffer, playbackRate: rate });
		source.connect(node).connect(context.destination);
		source.start();
		return (await context.startRendering()).getChannelData(0);
	};
	window.tone = d => { for (let i = 0; i < d.length; i++) d[i] = .5 * Math.sin(2 * Math.PI * 440 * i / 48000) };
	// The strongest frequency, by a sum at every half hertz over a Hann window of the middle.
	window.pitch = y => {
		let best = 0, top = 0;
		const from = Math.floor(y.length * .3), n = 24000;
		for (let f = 100; f < 2000; f += f > 2 * best + 100 ? 1 : 1) {
			let re = 0, im = 0;
			for (let i = 0; i < n; i += 2) { const w = .5 - .5 * Math.cos(2 * Math.PI * i / n), p = 2 * Math.PI * f * i / 48000; re += w * y[from + i] * Math.cos(p); im += w * y[from + i] * Math.sin(p) }
			if (re * re + im * im > top) { top = re * re + im * im; best = f }
		}
		return best;
	};
	window.span = y => { let a = -1, b = -1; for (let i = 0; i < y.length; i++) if (Math.abs(y[i]) > .05) { if (a < 0) a = i; b = i } return (b - a) / 48000 };`)
	for _, c := range []struct {
		name              string
		tempo, semitones  float64
		wantHertz, wantOf float64 // of: length in seconds of a tone of 1.5 s
	}{
		{"an octave up", 1, 12, 880, 1.5}, {"an octave down", 1, -12, 220, 1.5}, {"three semitones up", 1, 3, 523.25, 1.5},
		{"half the tempo", .5, 0, 440, 3}, {"twice the tempo", 2, 0, 440, .75}, {"slower and higher", .8, 5, 587.33, 1.875},
	} {
		ratio := math.Pow(2, c.semitones/12) / c.tempo
		act(t, ctx, fmt.Sprintf(`window.result = null; render(1.5, %g, %g, tone).then(y => { result = pitch(y) + " " + span(y) })`, c.tempo, ratio))
		until(t, ctx, `window.result`)
		var hertz, length float64
		if _, err := fmt.Sscan(sees(t, ctx, `result`), &hertz, &length); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.0f Hz, %.3f s", c.name, hertz, length)
		if math.Abs(hertz-c.wantHertz) > 5 {
			t.Errorf("%s: 440 Hz became %.0f Hz, want %.0f", c.name, hertz, c.wantHertz)
		}
		if math.Abs(length-c.wantOf) > .06 {
			t.Errorf("%s: the tone lasts %.3f s, want %.3f", c.name, length, c.wantOf)
		}
	}
	// Clicks over a soft tone: each is heard once, where it belongs within a frame.
	for _, ratio := range []float64{2, 1.26, .794, .5} {
		act(t, ctx, fmt.Sprintf(`window.result = null; render(3, 1, %g, d => { for (let i = 0; i < d.length; i++) d[i] = .05 * Math.sin(i * .02); for (let k = 1; k < 10; k++) for (let i = 0; i < 400; i++) d[k * 13200 + i] += .8 * Math.exp(-i / 60) * Math.sin(i * 1.1) }).then(y => {
			const at = []; let quiet = 0; for (let i = 0; i < y.length; i++) { if (Math.abs(y[i]) > .25) { if (quiet > 900 || !at.length) at.push(i); quiet = 0 } else quiet++ } result = at.join(" ") })`, ratio))
		until(t, ctx, `window.result !== null`)
		fields := strings.Fields(sees(t, ctx, `result`))
		t.Logf("ratio %.3f: clicks at %v", ratio, fields)
		if len(fields) != 9 {
			t.Errorf("ratio %.3f: 9 clicks became %d, at %v", ratio, len(fields), fields)
		}
	}
	noFaults(t, ctx)
}

// TestScopePanels opens tempo and pitch in every view: what it says, what the player says, and no finding of axe.
func TestScopePanels(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join("..", "..", "testkit", "axe", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := openScope(t, "#t=1,3")
	until(t, ctx, `document.querySelector(".loop-box")`)
	act(t, ctx, `document.querySelector(".scope").dataset.musicKey = "A min"; for (const b of document.querySelectorAll("[data-panel-open]")) b.click()`)
	until(t, ctx, `document.querySelector("[data-tempo]").getAttribute("aria-valuetext") === "100 %"`)
	act(t, ctx, `document.querySelector(".rec-head .play").click()`)
	until(t, ctx, `document.querySelector("#player.sounding")`)
	act(t, ctx, `(() => { const p = document.querySelector("[data-pitch]"); p.value = "1"; p.dispatchEvent(new Event("input", {bubbles: true})); const f = document.querySelector("[data-target]"); f.value = "120"; f.dispatchEvent(new Event("change", {bubbles: true})) })()`)
	until(t, ctx, `document.querySelector(".player-by .tag")`)
	if got, want := sees(t, ctx, `document.querySelector("[data-altered]").textContent`), "112 → 120 BPM · A min → A♯ min"; got != want {
		t.Errorf("the panel says %q, want %q", got, want)
	}
	if got, want := sees(t, ctx, `document.querySelector(".player-by .tag").textContent`), "Altered: 120 BPM, +1 semitone"; got != want {
		t.Errorf("the player says %q, want %q", got, want)
	}
	act(t, ctx, `document.querySelector("[data-zoom='+']").click()`)
	until(t, ctx, `document.querySelector(".scope.zoomed .map-window")`)
	act(t, ctx, `document.querySelector("#player [data-do=toggle]").click()`) // what moves delays the look at every element
	until(t, ctx, `document.querySelector("#player:not(.sounding)")`)
	for _, view := range []struct {
		theme string
		width int64
	}{{"light", 1280}, {"dark", 1280}, {"light", 390}} {
		var size []chromedp.EmulateViewportOption
		if view.width < 600 {
			size = append(size, chromedp.EmulateMobile, chromedp.EmulateTouch)
		}
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(view.width, 900, size...)); err != nil {
			t.Fatal(err)
		}
		act(t, ctx, fmt.Sprintf(`document.documentElement.dataset.theme = %q; document.dispatchEvent(new Event("am:theme"))`, view.theme))
		until(t, ctx, `document.getAnimations().length === 0`) // colors change over a moment
		for _, f := range axeFindings(t, ctx, string(axe)) {
			t.Errorf("%s %d: %s", view.theme, view.width, f)
		}
		if wide := run(t, ctx, chromedp.Evaluate[int64](`document.scrollingElement.scrollWidth`)); wide > view.width {
			t.Errorf("%d px wide in a window of %d", wide, view.width)
		}
		if *shots != "" {
			if err := os.WriteFile(filepath.Join(*shots, fmt.Sprintf("scope-panels-%d-%s.png", view.width, view.theme)), run(t, ctx, chromedp.FullScreenshot(100)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Another sound is heard as it is; the first one is altered again when it comes back.
	act(t, ctx, `document.querySelector("#main .rows .play").click()`)
	until(t, ctx, `!document.querySelector(".player-by .tag")`)
	act(t, ctx, `document.querySelector(".rec-head .play").click()`)
	until(t, ctx, `document.querySelector(".player-by .tag")`)
	act(t, ctx, `document.querySelector("[data-alter-reset]").click()`)
	until(t, ctx, `!document.querySelector(".player-by .tag") && document.querySelector("[data-altered]").textContent === "112 BPM · A min"`)
	noFaults(t, ctx)
}

// TestSegment compares a part of a long preview, fetched by ranges, with the same part of the whole: the same samples.
func TestSegment(t *testing.T) {
	t.Parallel()
	const longSeconds = 240
	long := longPreview(t, longSeconds)
	mux := http.NewServeMux()
	mux.Handle("/", galleryHandler())
	mux.HandleFunc("/media/long.opus", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/ogg")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(long))
	})
	ctx := openScopeAt(t, "", mux)
	act(t, ctx, fmt.Sprintf(`import(%q).then(async m => {
		const bytes = await (await fetch("/media/long.opus")).arrayBuffer(), size = bytes.byteLength;
		const all = (await new OfflineAudioContext(2, 1, 48000).decodeAudioData(bytes)).getChannelData(0), out = [];
		for (const [from, to] of [[0, 3], [61.5, 64], [200, 204], [%d - 2, %d]]) {
			performance.clearResourceTimings();
			const { buffer, start } = await m.decode("/media/long.opus", from, to, %d), part = buffer.getChannelData(0);
			const fetched = performance.getEntriesByType("resource").reduce((n, e) => n + e.transferSize, 0);
			let off = 0;
			for (let i = Math.round((from - start) * 48000); i < Math.round((to - start) * 48000) - 10 && i < part.length; i++) off = Math.max(off, Math.abs(part[i] - all[Math.round(start * 48000) + i]));
			out.push([from, start.toFixed(3), (start + buffer.duration >= to - .05), off < .01, fetched < size / 2, off.toFixed(4), fetched].join(" "));
		}
		window.result = out.join("\n");
	}, e => { window.result = "failed: " + e })`, web.URL("segment.js"), longSeconds, longSeconds, longSeconds))
	until(t, ctx, `window.result`)
	got := sees(t, ctx, `result`)
	t.Log("\n" + got)
	for line := range strings.Lines(got) {
		if f := strings.Fields(line); len(f) < 7 || f[2] != "true" || f[3] != "true" || f[4] != "true" {
			t.Errorf("from, start, covers, same, less than half fetched, largest difference, bytes: %s", line)
		}
	}
	noFaults(t, ctx)
}

// longPreview is an Opus file of tones and noise that is too long to be fetched whole, in pages as the site's own previews have.
func longPreview(t *testing.T, seconds int) []byte {
	t.Helper()
	var b bytes.Buffer
	e, err := opusenc.New(&b, opusenc.Options{Bitrate: 160000, Channels: 2, Complexity: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, block := rand.New(rand.NewPCG(7, 7)), [][]float32{make([]float32, 48000), make([]float32, 48000)}
	for second := range seconds {
		for i := range block[0] {
			at := float64(second) + float64(i)/48000
			v := .3*math.Sin(2*math.Pi*(200+3*float64(second))*at) + .1*(r.Float64()-.5)
			block[0][i], block[1][i] = float32(v), float32(v*.7)
		}
		if err := e.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestOwnVideo plays the sound against a video of the visitor's: together, at an offset, at another tempo, in a region; no request
// carries a byte of it and nothing is stored.
func TestOwnVideo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "cut-7.webm")
	if out, err := exec.Command(testkit.Tool(t, "ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=6", "-c:v", "libvpx", "-b:v", "300k", file).CombinedOutput(); err != nil {
		t.Fatalf("make a video: %v: %s", err, out)
	}
	gallery := galleryHandler()
	var mu sync.Mutex
	var sent []string
	ctx := openScopeAt(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) > 0 || r.Method != http.MethodGet || strings.Contains(r.URL.String(), "cut-7") {
			mu.Lock()
			sent = append(sent, fmt.Sprintf("%s %s with %d bytes (%v)", r.Method, r.URL, len(body), err))
			mu.Unlock()
		}
		gallery.ServeHTTP(w, r)
	}))
	kept := `JSON.stringify([Object.keys(localStorage), Object.keys(sessionStorage)])`
	before := sees(t, ctx, kept)
	act(t, ctx, `document.querySelector("[data-panel-open=video]").click()`)
	until(t, ctx, `document.querySelector("[data-video-drop]").checkVisibility()`)
	if err := chromedp.Do(ctx, chromedp.SetUploadFiles("#own-video", []string{file})); err != nil {
		t.Fatal(err)
	}
	// The same file again, dropped on the panel.
	until(t, ctx, `document.querySelector("[data-video]").duration > 5.5`)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	act(t, ctx, `(() => {
		const panel = document.querySelector("[data-panel=video]"), list = new DataTransfer();
		list.items.add(new File([Uint8Array.from(atob("`+base64.StdEncoding.EncodeToString(whole)+`"), c => c.charCodeAt(0))], "dropped.webm", {type: "video/webm"}));
		document.querySelector("[data-video-away]").click();
		const give = name => panel.dispatchEvent(new DragEvent(name, {bubbles: true, cancelable: true, dataTransfer: list}));
		give("dragover");
		window.over = document.querySelector("[data-video-drop]").classList.contains("over");
		give("drop") })()`)
	until(t, ctx, `over && document.querySelector("[data-video-name]").textContent === "dropped.webm" && !document.querySelector("[data-video-drop].over")`)
	until(t, ctx, `document.querySelector("[data-video]").duration > 5.5 && document.querySelector("[data-video-desk]").checkVisibility() && document.querySelector(".video-sound .wave")`)
	act(t, ctx, `(() => { const f = document.querySelector("[data-video-offset]"); f.value = "1"; f.dispatchEvent(new Event("change")); document.querySelector("[data-video-nudge='1']").click() })()`)
	if got, want := sees(t, ctx, `document.querySelector("[data-video-sound]").getAttribute("aria-valuetext")`), "1.040 seconds, frame 26"; got != want {
		t.Errorf("one second and a frame is %q, want %q", got, want)
	}
	// The video runs alone until the sound starts, then both run, and the sound is where the video says.
	act(t, ctx, `window.early = false; document.querySelector("[data-video-play]").click(); (function look() { const v = document.querySelector("[data-video]"), on = document.querySelector("#player.sounding"); if (on && v.currentTime < .9) early = true; if (v.currentTime < 2) requestAnimationFrame(look) })()`)
	until(t, ctx, `document.querySelector("#player.sounding") && !document.querySelector("[data-video]").paused`)
	if sees(t, ctx, `early`) == "true" {
		t.Error("the sound played before its place in the video")
	}
	until(t, ctx, `Math.abs(+document.querySelector("[data-panel=video]").dataset.drift) < .1`)
	until(t, ctx, `document.querySelector("[data-video]").currentTime > 1.2 && Math.abs(document.querySelector("[data-video]").currentTime - 1.04 - parseFloat(document.querySelector("[data-elapsed]").textContent.slice(2))) < .5`)
	act(t, ctx, `document.querySelector("#player [data-do=toggle]").click()`) // the player's own pause stops both
	until(t, ctx, `document.querySelector("[data-video]").paused && document.querySelector("[data-video-play]").textContent.includes("Play together")`)
	// At half the tempo the sound takes twice as much of the video; a region takes its own length.
	width := func() float64 {
		return run(t, ctx, chromedp.Evaluate[float64](`parseFloat(document.querySelector("[data-video-track]").style.getPropertyValue("--w"))`))
	}
	act(t, ctx, `document.querySelector("[data-panel-open=alter]").click()`)
	until(t, ctx, `document.querySelector("[data-tempo]").getAttribute("aria-valuetext")`)
	act(t, ctx, `location.hash = "#t=2,3"`)
	until(t, ctx, `document.querySelector(".scope").dataset.from === "2.000"`)
	if got := width(); math.Abs(got-100./6) > 1 {
		t.Errorf("a region of one second takes %.1f %% of a video of six, want 16.7", got)
	}
	act(t, ctx, `(() => { const p = document.querySelector("[data-tempo]"); p.value = "50"; p.dispatchEvent(new Event("input", {bubbles: true})) })()`)
	if got := width(); math.Abs(got-200./6) > 1 {
		t.Errorf("at half the tempo it takes %.1f %%, want 33.3", got)
	}
	// Nothing is sent, nothing is stored, and taken away it is gone.
	if got := sees(t, ctx, `performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin) && !n.startsWith("blob:" + location.origin) && !n.startsWith("data:")).join(" ")`); got != "" {
		t.Errorf("something else was asked for: %s", got)
	}
	mu.Lock()
	if len(sent) > 0 {
		t.Errorf("the server was sent: %s", strings.Join(sent, "; "))
	}
	mu.Unlock()
	act(t, ctx, `window.stored = null; Promise.all([indexedDB.databases(), caches.keys(), navigator.storage.getDirectory().then(async d => { let n = 0; for await (const _ of d.keys()) n++; return n })]).then(([d, c, n]) => { stored = d.length + c.length + n })`)
	until(t, ctx, `stored !== null`)
	if got := sees(t, ctx, `stored`); got != "0" {
		t.Errorf("%s databases, caches or files were stored", got)
	}
	if got := sees(t, ctx, kept); got != before {
		t.Errorf("storage held %s, now %s", before, got)
	}
	act(t, ctx, `window.was = document.querySelector("[data-video]").src; document.querySelector("[data-video-away]").click(); window.gone = null; (() => { const v = document.createElement("video"); v.onerror = () => { gone = "gone" }; v.onloadedmetadata = () => { gone = "still there" }; v.src = was; v.load() })()`)
	until(t, ctx, `gone`)
	if got := sees(t, ctx, `gone`); got != "gone" {
		t.Errorf("the video taken away is %s", got)
	}
	noFaults(t, ctx)
}

// TestHandOver: a sound that began from memory goes over to the media element where it is: at that moment the two clocks are within
// 25 ms of each other, the element is heard, and the voice lasts until the element's volume has come through.
func TestHandOver(t *testing.T) {
	t.Parallel()
	long := longPreview(t, 20)
	mux := http.NewServeMux()
	mux.Handle("/", galleryHandler())
	mux.HandleFunc("/media/{file}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/ogg")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(long))
	})
	ctx := browser(t)()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	const spy = `window.element = null; window.seen = []; window.begun = 0;
		window.Audio = class { constructor() { return window.element = document.createElement("audio") } };
		const { start, stop } = AudioBufferSourceNode.prototype;
		AudioBufferSourceNode.prototype.start = function (at, from) { begun++; this.since = this.context.currentTime; this.from = from ?? 0; return start.call(this, at, from) };
		AudioBufferSourceNode.prototype.stop = function (at) {
			const now = this.context.currentTime, voice = this.from + now - this.since;
			if (!element.paused) seen.push({ voice, apart: element.currentTime - voice + (this.context.outputLatency || 0) * .3, lasts: at - now, volume: element.volume });
			return stop.call(this, at);
		};`
	if err := chromedp.Do(ctx, watched(), func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: spy})
		return chromedp.Void{}, err
	}, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/search?theme=light")); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, `document.querySelectorAll("#main [data-queue] [data-hq]").length > 3`)
	act(t, ctx, `document.querySelector("#main [data-queue] [data-play]").click()`)
	until(t, ctx, `!element.paused && element.currentTime > 0`)
	for range 5 {
		until(t, ctx, `element.currentTime > 1 || element.ended`) // somebody listens, and the next beginnings come meanwhile
		act(t, ctx, `seen.length = 0; begun = 0`)
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.ArrowDown)); err != nil {
			t.Fatal(err)
		}
		until(t, ctx, `begun && seen.length || !begun && !element.paused && element.currentTime > .5`)
		if sees(t, ctx, `begun`) == "0" {
			continue // the key was faster than the beginning: the element started
		}
		var voice, apart, lasts, volume float64
		if _, err := fmt.Sscan(sees(t, ctx, `(s => s.voice + " " + s.apart + " " + s.lasts + " " + s.volume)(seen[0])`), &voice, &apart, &lasts, &volume); err != nil {
			t.Fatal(err)
		}
		t.Logf("after %.2f s the element is %.1f ms from the voice, which lasts %.0f ms more", voice, apart*1e3, lasts*1e3)
		if voice > 7.5 {
			continue // a machine too busy to start an element in time takes what it has before the voice ends
		}
		if math.Abs(apart) > .025 || lasts < .03 || volume == 0 {
			t.Errorf("after %.2f s the element is %.1f ms from the voice, its volume %.2f, and the voice lasts %.0f ms more", voice, apart*1e3, volume, lasts*1e3)
		}
		noFaults(t, ctx)
		return
	}
	t.Error("no sound went from memory to the element in five tries")
}
