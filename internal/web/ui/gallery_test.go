package ui_test

import (
	"bytes"
	"flag"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/web/ui"
	"audiomicro/web"
)

var gallery = flag.String("gallery", "", "serve the gallery of all pages on this loopback address until interrupted")

// galleryHandler serves every sample page, the assets and made-up media. The theme is chosen by ?theme=.
func galleryHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(web.Prefix, web.Embedded().Handler())
	mux.HandleFunc("/media/{file}", func(w http.ResponseWriter, r *http.Request) {
		name, ext, _ := strings.Cut(r.PathValue("file"), ".")
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(shapes) {
			http.NotFound(w, r)
			return
		}
		switch ext {
		case "png":
			w.Header().Set("Content-Type", "image/png")
			w.Write(shapes[i].energy(800, 200))
		case "dat":
			w.Write(shapes[i].peaks())
		case "wav":
			w.Header().Set("Content-Type", "audio/wav")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(shapes[i].wav()))
		default:
			http.NotFound(w, r)
		}
	})
	for _, p := range pages() {
		mux.HandleFunc("GET "+strings.TrimSuffix(p.path, "/")+"/{$}", show(p))
		if p.path != "/" {
			mux.HandleFunc("GET "+p.path, show(p))
		}
	}
	return mux
}

func show(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		f := p.frame
		f.Path, f.Theme = p.path, r.URL.Query().Get("theme")
		if err := ui.Page(f, p.body).Render(r.Context(), w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

// TestGallery serves the gallery when asked to: go test ./internal/web/ui -run TestGallery -gallery 127.0.0.1:8099 -timeout 0
func TestGallery(t *testing.T) {
	if *gallery == "" {
		t.Skip("no -gallery address: nothing to serve")
	}
	l, err := net.Listen("tcp", *gallery)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("gallery on http://%s", l.Addr())
	t.Fatal(http.Serve(l, galleryHandler()))
}
