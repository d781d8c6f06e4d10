// Package web holds what browsers load: style sheets, scripts, icons and the font, built into dist by tools/webbuild.
//
// dist is committed and embedded. Every file in it carries the hash of its content in its name, so it may be cached for a
// year; manifest.json maps plain names to hashed ones. Text files have .br and .gz twins that are sent to browsers that
// take them. Rebuild with `go run -C tools ./webbuild`; `-check` fails when dist does not match its sources.
package web

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// Prefix is where Assets.Handler is to be mounted.
const Prefix = "/static/"

// Assets serves the embedded files and knows their hashed addresses.
type Assets struct {
	names map[string]string // plain name → hashed name
	files map[string]file   // hashed name → content
}

type file struct {
	plain, br, gz []byte
	mime          string
}

// embedded reads the embedded files once; they cannot change while the program runs.
var embedded = sync.OnceValue(func() *Assets {
	assets, err := load(dist)
	if err != nil {
		panic("web: embedded files are damaged: " + err.Error())
	}
	return assets
})

// Embedded returns the assets built into this binary.
func Embedded() *Assets { return embedded() }

// URL returns the address of an embedded file by its plain name ("app.css", "icons.svg"). An unknown name gives an address
// that answers 404, so a missing file shows in the browser and in tests rather than as a panic.
func URL(name string) string { return embedded().URL(name) }

func load(root fs.FS) (*Assets, error) {
	a := &Assets{names: map[string]string{}, files: map[string]file{}}
	manifest, err := fs.ReadFile(root, "dist/manifest.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(manifest, &a.names); err != nil {
		return nil, err
	}
	// Shared chunks are not in the manifest: scripts name them themselves.
	entries, err := fs.ReadDir(root, "dist")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		ext := path.Ext(name)
		if e.IsDir() || name == "manifest.json" || ext == ".br" || ext == ".gz" {
			continue
		}
		var f file
		if f.plain, err = fs.ReadFile(root, "dist/"+name); err != nil {
			return nil, err
		}
		f.br, _ = fs.ReadFile(root, "dist/"+name+".br") // absent for files that are compressed already
		f.gz, _ = fs.ReadFile(root, "dist/"+name+".gz")
		f.mime = mimeTypes[ext]
		a.files[name] = f
	}
	return a, nil
}

var mimeTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
	".txt":   "text/plain; charset=utf-8",
}

// URL returns the hashed address of a file by its plain name.
func (a *Assets) URL(name string) string {
	if hashed, ok := a.names[name]; ok {
		return Prefix + hashed
	}
	return Prefix + name
}

// Imports returns the addresses of the files that a script imports at once, for <link rel="modulepreload">.
func (a *Assets) Imports(name string) []string {
	var out []string
	for i := 0; ; i++ {
		hashed, ok := a.names[name+"#"+strconv.Itoa(i)]
		if !ok {
			return out
		}
		out = append(out, Prefix+hashed)
	}
}

// Handler serves the files below Prefix: immutable, with the stored brotli or gzip body when the browser takes it.
func (a *Assets) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := a.files[strings.TrimPrefix(r.URL.Path, Prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", or(f.mime, "application/octet-stream"))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		body := f.plain
		if f.br != nil || f.gz != nil {
			h.Set("Vary", "Accept-Encoding")
			accepted := r.Header.Get("Accept-Encoding")
			switch {
			case f.br != nil && takes(accepted, "br"):
				h.Set("Content-Encoding", "br")
				body = f.br
			case f.gz != nil && takes(accepted, "gzip"):
				h.Set("Content-Encoding", "gzip")
				body = f.gz
			}
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodGet {
			w.Write(body) // the reader may be gone; nothing is left to tell them
		}
	})
}

// takes tells whether an Accept-Encoding header lists a coding with a weight above zero (RFC 9110, section 12.5.3).
func takes(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if !found {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
