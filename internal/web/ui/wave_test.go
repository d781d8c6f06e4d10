package ui_test

import (
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPlayerShowsTheWaveform plays the first sound of pages that do not draw it as a row: the player draws it all the same.
func TestPlayerShowsTheWaveform(t *testing.T) {
	t.Parallel()
	ctx := browser(t)()
	server := httptest.NewServer(galleryHandler())
	t.Cleanup(server.Close)
	for _, path := range []string{"/", "/recording", "/cart", "/checkout", "/order", "/library", "/upload", "/batch", "/review", "/my-sounds", "/search"} {
		if err := chromedp.Do(ctx, watched(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL+path)); err != nil {
			t.Fatal(err)
		}
		run(t, ctx, chromedp.Poll[bool](`Boolean(window.htmx && document.querySelector("#main [data-play]"))`))
		run(t, ctx, chromedp.Evaluate[any](`document.querySelector("#main [data-play]").click(); null`))
		run(t, ctx, chromedp.Poll[bool](`document.querySelector("#player:not([hidden])") !== null`))
		if n := run(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll("#player .player-wave .wave path").length`)); n == 0 {
			t.Errorf("%s: the player draws no waveform", path)
		}
	}
}
