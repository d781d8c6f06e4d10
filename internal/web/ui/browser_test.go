package ui_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "write a picture of every page, size and theme into this folder")

// browser starts one Chromium for a test and returns a function that opens tabs. Without Chromium the test is skipped, in CI
// it fails.
func browser(t *testing.T) func() context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium on this machine: install the Debian package chromium")
		}
		t.Skip("SKIPPED: no Chromium on this machine: pages were not looked at; install the Debian package chromium")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(3*time.Minute), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("autoplay-policy", "no-user-gesture-required"))...)
	t.Cleanup(cancel)
	first, cancelFirst := chromedp.NewContext(ctx)
	t.Cleanup(cancelFirst)
	if err := chromedp.Do(first, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return func() context.Context {
		tab, cancelTab := chromedp.NewContext(first)
		t.Cleanup(cancelTab)
		timed, cancelTime := context.WithTimeout(tab, 20*time.Minute)
		t.Cleanup(cancelTime)
		return timed
	}
}

// watch collects what a page must never have: refused content, and errors of scripts.
const watch = `window.faults = [];
document.addEventListener("securitypolicyviolation", e => faults.push("refused by policy: " + e.violatedDirective + " " + e.blockedURI));
addEventListener("error", e => faults.push("error: " + e.message));
addEventListener("unhandledrejection", e => faults.push("rejection: " + e.reason));`

func watched() chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
		return chromedp.Void{}, err
	}
}

// run runs an action and fails the test when it fails. A poll that has waited in vain is begun again for three minutes: a
// machine that is busy with other tests is no failure.
func run[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	for deadline := time.Now().Add(3 * time.Minute); errors.Is(err, chromedp.ErrPollingTimeout) && time.Now().Before(deadline); {
		v, err = chromedp.Run(ctx, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type finding struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// TestPagesHold looks at every page in three views: no finding of axe in any rule set up to WCAG 2.2 AA and best practice, no
// refused content, no script error, no sideways scrolling.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	tab := browser(t)
	axe, err := os.ReadFile(filepath.Join("..", "..", "testkit", "axe", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	for _, view := range []struct {
		name, theme string
		width       int64
	}{{"desktop light", "light", 1280}, {"desktop dark", "dark", 1280}, {"phone light", "light", 390}, {"narrow dark", "dark", 320}} {
		t.Run(view.name, func(t *testing.T) {
			t.Parallel()
			look(t, tab(), server.URL, string(axe), view.theme, view.width)
		})
	}
}

// look walks through all pages in one view.
func look(t *testing.T, ctx context.Context, url, axe, theme string, width int64) {
	t.Helper()
	var size []chromedp.EmulateViewportOption
	if width < 600 {
		size = append(size, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(width, 900, size...)); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages() {
		name := p.path
		if err := chromedp.Do(ctx, chromedp.Navigate(url+p.path+"?theme="+theme)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		run(t, ctx, chromedp.Poll[bool](`document.readyState === "complete" && document.fonts.status === "loaded"`))
		if *shots != "" {
			picture := run(t, ctx, chromedp.FullScreenshot(100))
			file := fmt.Sprintf("%s-%d-%s.png", strings.Trim(strings.ReplaceAll(p.path, "/", "-"), "-"), width, theme)
			if err := os.WriteFile(filepath.Join(*shots, file), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if wide := run(t, ctx, chromedp.Evaluate[int64](`document.scrollingElement.scrollWidth`)); wide > width {
			t.Errorf("%s: %d px wide, scrolls sideways: %s", name, wide, run(t, ctx, chromedp.Evaluate[string](
				`[...document.querySelectorAll("#main *, .head *, .foot *")].filter(e => !e.closest(".scroll, .scroll-x, svg, .vh") && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 4).map(e => e.outerHTML.slice(0, 120)).join("\n")`)))
		}
		if width == 320 {
			continue // the narrow view is for reflow (WCAG 1.4.10) alone
		}
		for _, f := range axeFindings(t, ctx, axe) {
			t.Errorf("%s: %s", name, f)
		}
		if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
			t.Errorf("%s: %s", name, strings.Join(faults, "; "))
		}
	}
}

// axeFindings runs axe on the page in all rules up to WCAG 2.2 AA and best practice.
func axeFindings(t *testing.T, ctx context.Context, axe string) []string {
	t.Helper()
	run(t, ctx, chromedp.Evaluate[any](axe+";null"))
	result := run(t, ctx, chromedp.Evaluate[string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, chromedp.EvalAwaitPromise))
	var findings []finding
	if err := json.Unmarshal([]byte(result), &findings); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s: %s (%d)\n\t%s\n\t%s", f.ID, f.Help, len(f.Nodes), f.Nodes[0].HTML, f.Nodes[0].Summary))
	}
	return out
}

// TestPlayerSurvivesNavigation starts a sound, walks through boosted pages and back, and finds the same sound playing.
func TestPlayerSurvivesNavigation(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/search")); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, chromedp.Poll[bool](`Boolean(window.htmx && document.querySelector("#main .row-title")._htmx)`))
	// A slow machine takes longer for the pages than the sound lasts, so it goes round.
	run(t, ctx, chromedp.Evaluate[any](`window.sameDocument = true; document.querySelector("#player [data-do=loop]").click(); document.querySelectorAll("#main .play")[8].click(); null`))
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("#player.sounding:not([hidden])") !== null && document.querySelector("[data-elapsed]").textContent !== "0:00.0"`))
	if got := run(t, ctx, chromedp.Evaluate[string](`document.querySelector("#main .row.playing .row-title").textContent`)); got != shapes[8].title {
		t.Errorf("marked row is %q, want %q", got, shapes[8].title)
	}
	if *shots != "" {
		run(t, ctx, chromedp.Evaluate[any](`(() => { const e = document.querySelector("#main .row .row-wave"), b = e.getBoundingClientRect(); e.dispatchEvent(new PointerEvent("pointermove", {bubbles: true, pointerType: "mouse", clientX: b.left + b.width * .6, clientY: b.top + 9})) })(); null`))
		if err := os.WriteFile(filepath.Join(*shots, "playing.png"), run(t, ctx, chromedp.CaptureScreenshot()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct{ act, path string }{
		{`document.querySelector(".head-nav a[href='/packs']").click()`, "/packs"},
		{`document.querySelector(".foot a[href='/licenses']").click()`, "/licenses"},
		{`history.back()`, "/packs"},
		{`history.back()`, "/search"},
	} {
		run(t, ctx, chromedp.Evaluate[any](step.act+";null"))
		run(t, ctx, chromedp.Poll[bool](`location.pathname === "`+step.path+`" && document.querySelectorAll("#main").length === 1 && document.title.length > 0`))
		if !run(t, ctx, chromedp.Evaluate[bool](`Boolean(window.sameDocument)`)) {
			t.Fatalf("%s is another document", step.path)
		}
		run(t, ctx, chromedp.Poll[bool](`document.querySelector("#player.sounding") !== null`))
	}
	run(t, ctx, chromedp.Poll[bool](`document.querySelector("#main .row.playing") !== null`))
	// Keys: next, pause, mute.
	run(t, ctx, chromedp.Evaluate[any](`document.getElementById("main").focus(); null`))
	for _, key := range []string{"j", " ", "m"} {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(key)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, ctx, chromedp.Poll[bool](`document.querySelector(".player-title").textContent === `+fmt.Sprintf("%q", shapes[9].title)))
	run(t, ctx, chromedp.Poll[bool](`!document.querySelector("#player.sounding") && document.querySelector("[data-do=mute]").getAttribute("aria-pressed") === "true"`))
	if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
		t.Error(strings.Join(faults, "; "))
	}
}

// TestPlayersButtonAndQueue plays from the queue by key: the one button says what can be done with what plays.
func TestPlayersButtonAndQueue(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+"/search")); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, chromedp.Poll[bool](`Boolean(window.htmx && document.querySelector("#main .row-title")._htmx)`))
	run(t, ctx, chromedp.Evaluate[any](`document.querySelectorAll("#main .play")[8].click(); null`))
	run(t, ctx, chromedp.Evaluate[any](`document.querySelector("[data-do=queue]").click(); null`))
	for i, want := range map[int]string{3: "In cart /cart", 5: "Download /library/1/download", 8: "License "} {
		run(t, ctx, chromedp.Evaluate[any](fmt.Sprintf(`(() => { const b = document.querySelectorAll("#queue button")[%d]; b.focus(); b.click() })(); null`, i)))
		if got := run(t, ctx, chromedp.Evaluate[string](`(() => { const a = document.querySelector(".player-act a"); return a.textContent + " " + a.getAttribute("href") })()`)); !strings.HasPrefix(got, want) {
			t.Errorf("sound %d: the player's button is %q, want %q", i, got, want)
		}
		if !run(t, ctx, chromedp.Evaluate[bool](`document.activeElement.matches("#queue [aria-current]")`)) {
			t.Errorf("sound %d: the focus fell out of the queue", i)
		}
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent("\u001b")); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, chromedp.Poll[bool](`document.getElementById("queue").hidden && document.activeElement.matches("[data-do=queue]")`))
	if faults := run(t, ctx, chromedp.Evaluate[[]string](`faults`)); len(faults) > 0 {
		t.Error(strings.Join(faults, "; "))
	}
}

// TestWithoutScript finds every control that needs script hidden and every form whole.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	off := func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	}
	if err := chromedp.Do(ctx, off); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages() {
		if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+p.path)); err != nil {
			t.Fatalf("%s: %v", p.path, err)
		}
		dead := run(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("button[type=button], [data-script]")].filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 100)).join("\n")`))
		if dead != "" {
			t.Errorf("%s without script shows controls that do nothing:\n%s", p.path, dead)
		}
		loose := run(t, ctx, chromedp.Evaluate[string](`[...document.forms].filter(f => f.method !== "dialog" && !f.querySelector("button:not([type=button])") && f.querySelectorAll("input:not([type=hidden])").length !== 1).map(f => f.outerHTML.slice(0, 120)).join("\n")`))
		if loose != "" {
			t.Errorf("%s has a form that cannot be sent without script:\n%s", p.path, loose)
		}
	}
}
