package testkit

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed axe/axe.min.js
var axe string

// Browser starts one Chromium for a test and returns a function that opens tabs for it and its
// subtests. switches are further ones of its command line, as name or name=value.
func Browser(t *testing.T, switches ...string) func(t *testing.T) *Tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		Missing(t, "no Chromium on this machine: install the Debian package chromium")
	}
	var further []chromedp.ExecAllocatorOption
	for _, one := range switches {
		name, value, given := strings.Cut(one, "=")
		if further = append(further, chromedp.Flag(name, true)); given {
			further[len(further)-1] = chromedp.Flag(name, value)
		}
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(patience), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("autoplay-policy", "no-user-gesture-required")), further...)...)
	t.Cleanup(cancel)
	first, cancelFirst := chromedp.NewContext(ctx)
	t.Cleanup(cancelFirst)
	if err := chromedp.Do(first, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return func(t *testing.T) *Tab {
		t.Helper()
		// A context of its own keeps one person's cookies from another's.
		ctx, cancelTab := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
		t.Cleanup(cancelTab)
		timed, cancelTime := context.WithTimeout(ctx, 15*time.Minute)
		t.Cleanup(cancelTime)
		tab := &Tab{t: t, ctx: timed}
		tab.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
			return chromedp.Void{}, err
		})
		tab.View(1280, 900, "light")
		return tab
	}
}

// watch collects what a page must never have: refused content, and errors of scripts.
const watch = `window.faults = [];
document.addEventListener("securitypolicyviolation", e => faults.push("refused by policy: " + e.violatedDirective + " " + e.blockedURI));
addEventListener("error", e => faults.push("error: " + e.message));
addEventListener("unhandledrejection", e => faults.push("rejection: " + e.reason));`

// Tab is a browser tab with cookies of its own. Its methods fail the test when the browser does.
type Tab struct {
	t   *testing.T
	ctx context.Context
}

func (b *Tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// View sets the size in CSS pixels and the theme that the system asks for; below 600 px it is a phone with touch.
func (b *Tab) View(width, height int64, theme string) {
	b.t.Helper()
	var opts []chromedp.EmulateViewportOption
	if width < 600 {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.do(chromedp.EmulateViewport(width, height, opts...), func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
		return chromedp.Void{}, err
	})
}

// ScriptOff switches JavaScript off in the tab.
func (b *Tab) ScriptOff() {
	b.t.Helper()
	b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}

// Open goes to an address and waits until it is loaded. A navigation that the page itself began at that moment may win; then
// it is tried again.
func (b *Tab) Open(url string) {
	b.t.Helper()
	for try := 1; ; try++ {
		err := chromedp.Do(b.ctx, chromedp.Navigate(url))
		if err == nil {
			return
		}
		if try == 5 || !strings.Contains(err.Error(), "ERR_ABORTED") {
			b.t.Fatalf("open %s: %v", url, err)
		}
	}
}

// Wait waits until a JavaScript expression is true on a page that is there to its end, through navigation; it fails the test
// after three minutes.
func (b *Tab) Wait(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("(() => { try { return document.readyState !== 'loading' && Boolean("+expression+") } catch { return false } })()"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) || b.ctx.Err() != nil {
			b.t.Fatalf("never became true: %s at %s (%v)", expression, b.Where(), err)
		}
		time.Sleep(30 * time.Millisecond) // the pause of a poll; a page that is being left answers with an error
	}
}

// Where is the address of the page and the beginning of its text, for messages.
func (b *Tab) Where() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + " " + (document.body ? document.body.innerText.slice(0, 600) : "")`))
	if err != nil {
		return err.Error()
	}
	return text
}

// Eval evaluates a JavaScript expression as text.
func (b *Tab) Eval(expression string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.t.Fatalf("%s at %s: %v", expression, b.Where(), err)
	}
	return text
}

// Fill types values into the controls of the given names, as a person who tabs through a form would.
func (b *Tab) Fill(values ...string) {
	b.t.Helper()
	for i := 0; i < len(values); i += 2 {
		name, value := values[i], values[i+1]
		sel := fmt.Sprintf(`#main [name=%q]:not([type=hidden])`, name)
		b.do(chromedp.Click(sel))
		b.Eval(fmt.Sprintf("(document.querySelector(%q).value = '')", sel))
		b.do(chromedp.SendKeys(sel, value))
	}
}

// Choose picks an option of a select, or checks a checkbox or radio button of the given value.
func (b *Tab) Choose(name, value string) {
	b.t.Helper()
	if b.Eval(fmt.Sprintf(`document.querySelector("#main select[name='%s']") !== null`, name)) == "true" {
		b.do(chromedp.SetValue(fmt.Sprintf(`#main select[name=%q]`, name), value))
		return
	}
	sel := fmt.Sprintf(`#main input[name=%q]`, name)
	if value != "" {
		sel += fmt.Sprintf(`[value=%q]`, value)
	}
	if b.Eval(fmt.Sprintf("document.querySelector(%q).checked", sel)) != "true" {
		b.do(chromedp.Click(sel))
	}
}

// Files puts files into a file field.
func (b *Tab) Files(selector string, paths ...string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(selector, paths))
}

// Click clicks the first visible match with the mouse.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Click(selector)); err != nil {
		b.t.Fatalf("click %s at %s: %v", selector, b.Where(), err)
	}
}

// Press clicks the button or link in the page's main part that shows the given words, as soon as it is there.
func (b *Tab) Press(words string) {
	b.t.Helper()
	const mark = "data-pressed-by-test"
	for tries := 1; ; tries++ {
		b.Wait(fmt.Sprintf(`(() => { const e = [...document.querySelectorAll("#main button, #main a, dialog[open] button")].find(e => e.checkVisibility() && e.textContent.trim().startsWith(%q));
			if (!e) return false; document.querySelectorAll("[%s]").forEach(o => o.removeAttribute("%s")); e.setAttribute("%s", ""); return true })()`, words, mark, mark, mark))
		err := chromedp.Do(b.ctx, chromedp.Click("["+mark+"]"))
		if err == nil {
			return
		}
		if tries == 10 || !strings.Contains(err.Error(), "Could not find node") { // a live part of the page was replaced in between
			b.t.Fatalf("press %q at %s: %v", words, b.Where(), err)
		}
	}
}

// Key sends a key to the page.
func (b *Tab) Key(key string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(key))
}

// KeyWith sends a key of its DOM name while a modifier is held: "alt", "ctrl", "shift".
func (b *Tab) KeyWith(name, modifier string) {
	b.t.Helper()
	held := map[string]int64{"alt": 1, "ctrl": 2, "shift": 8}[modifier]
	for _, typ := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: typ, Key: name, Code: name, Modifiers: held})
			return chromedp.Void{}, err
		})
	}
}

// Drag drags with the mouse from the middle of one element to another one, at a share of its height. Both must fit in the window.
func (b *Tab) Drag(from, to string, height float64) {
	b.t.Helper()
	point := func(selector string, height float64) (x, y float64) {
		text := b.Eval(fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return (r.x + r.width / 2) + " " + (r.y + r.height * %f) })()`, selector, height))
		if _, err := fmt.Sscan(text, &x, &y); err != nil {
			b.t.Fatalf("where is %s: %v", selector, err)
		}
		return x, y
	}
	b.Eval(fmt.Sprintf(`document.querySelector(%q).scrollIntoView({ block: "center", behavior: "instant" })`, from))
	fromX, fromY := point(from, .5)
	toX, toY := point(to, height)
	b.do(chromedp.DragAndDropXY(fromX, fromY, toX, toY))
}

// Picture takes a picture of the whole page as PNG.
func (b *Tab) Picture() []byte {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}

// broken are the words of headings and their lines that are broken for want of room; numbers of certificates may be.
const broken = `[...document.querySelectorAll("#main :is(h1, h2, .meta)")].flatMap(e => {
	const out = [], walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), range = document.createRange();
	for (let n; n = walk.nextNode();) for (const m of n.data.matchAll(/\p{L}?\p{Ll}{2,11}/gu)) {
		range.setStart(n, m.index); range.setEnd(n, m.index + m[0].length);
		if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1) out.push(m[0]);
	}
	return out;
}).join(", ")`

// Holds checks the page with axe, in all rules up to WCAG 2.2 AA and best practice, and for refused content, script errors,
// sideways scrolling and words that are broken for want of room.
func (b *Tab) Holds(name string, width int64) {
	b.t.Helper()
	b.Wait(`document.readyState === "complete" && document.fonts.status === "loaded"`)
	if wide := b.Eval(`document.scrollingElement.scrollWidth`); wide != fmt.Sprint(width) {
		b.t.Errorf("%s is %s px wide in a window of %d: it scrolls sideways", name, wide, width)
	}
	if words := b.Eval(broken); words != "" {
		b.t.Errorf("%s breaks words: %s", name, words)
	}
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](axe+";null")); err != nil {
		b.t.Fatal(err)
	}
	result, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => JSON.stringify(r.violations))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	var findings []struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML    string `json:"html"`
			Summary string `json:"failureSummary"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal([]byte(result), &findings); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range findings {
		b.t.Errorf("%s: axe %s: %s (%d)\n\t%s\n\t%s", name, f.ID, f.Help, len(f.Nodes), f.Nodes[0].HTML, f.Nodes[0].Summary)
	}
	if faults := b.Eval(`faults.join("; ")`); strings.TrimSpace(faults) != "" {
		b.t.Errorf("%s: %s", name, faults)
	}
}
