package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"audiomicro/web"

	"github.com/andybalholm/brotli"
)

func get(t *testing.T, method, path, accept string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", accept)
	w := httptest.NewRecorder()
	web.Embedded().Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	plain, err := io.ReadAll(get(t, "GET", web.URL("app.css"), "").Body)
	if err != nil || len(plain) < 1000 {
		t.Fatalf("app.css: %d bytes, %v", len(plain), err)
	}
	unpack := map[string]func(io.Reader) io.Reader{
		"":   func(r io.Reader) io.Reader { return r },
		"br": func(r io.Reader) io.Reader { return brotli.NewReader(r) },
		"gzip": func(r io.Reader) io.Reader {
			g, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			return g
		},
	}
	for _, c := range []struct{ accept, want string }{
		{"", ""}, {"identity", ""}, {"gzip", "gzip"}, {"gzip, deflate, br", "br"}, {"br;q=0, gzip;q=0.5", "gzip"}, {"BR ; q=1.0", "br"}, {"brotli", ""}, {"br;q=x", ""},
	} {
		res := get(t, "GET", web.URL("app.css"), c.accept)
		if got := res.Header.Get("Content-Encoding"); got != c.want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", c.accept, got, c.want)
			continue
		}
		body, err := io.ReadAll(unpack[c.want](res.Body))
		if err != nil || !bytes.Equal(body, plain) {
			t.Errorf("Accept-Encoding %q: body differs, %v", c.accept, err)
		}
		if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("Cache-Control %q", got)
		}
	}
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", web.URL("nothing.css"), 404},
		{"GET", "/static/", 404},
		{"GET", "/static/manifest.json", 404},
		{"GET", "/static/../web.go", 404},
		{"GET", web.URL("app.css") + ".br", 404},
		{"POST", web.URL("app.css"), 405},
		{"HEAD", web.URL("app.css"), 200},
	} {
		res := get(t, c.method, c.path, "br")
		if res.StatusCode != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, res.StatusCode, c.want)
		}
		if body, _ := io.ReadAll(res.Body); c.method == "HEAD" && len(body) > 0 {
			t.Errorf("HEAD sent %d bytes", len(body))
		}
	}
}

// TestBudgets keeps what a page loads small: 12 kB of style, 20 kB of scripts (brotli) on every page but those to upload and
// to describe, which may have 24.
func TestBudgets(t *testing.T) {
	t.Parallel()
	size := func(path string) int {
		body, err := io.ReadAll(get(t, "GET", path, "br").Body)
		if err != nil || len(body) == 0 {
			t.Fatalf("%s: %v", path, err)
		}
		return len(body)
	}
	closure := func(names ...string) int {
		sum, seen := 0, map[string]bool{}
		for _, n := range names {
			for _, path := range append(web.Embedded().Imports(n), web.URL(n)) {
				if !seen[path] {
					seen[path] = true
					sum += size(path)
				}
			}
		}
		return sum
	}
	for _, c := range []struct {
		what string
		got  int
		most int
	}{
		{"style", size(web.URL("app.css")), 12 << 10},
		{"scripts of any page", closure("app.js"), 20 << 10},
		{"scripts of the recording page", closure("app.js", "scope.js"), 20 << 10},
		{"scripts of the upload page", closure("app.js", "upload.js"), 24 << 10},
		{"scripts of the describe sheet", closure("app.js", "batch.js"), 24 << 10},
		{"icons", size(web.URL("icons.svg")), 4 << 10},
	} {
		t.Logf("%s: %d B", c.what, c.got)
		if c.got > c.most {
			t.Errorf("%s: %d B brotli, at most %d", c.what, c.got, c.most)
		}
	}
}

// TestDistMatchesSources rebuilds in memory and compares.
func TestDistMatchesSources(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "run", "-C", "../tools", "./webbuild", "-check")
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestBrowserKeysAreDeclared finds every key that a script keeps in the browser among those declared, and no other way to keep
// something there.
func TestBrowserKeysAreDeclared(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("js/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	declared, used := map[string]bool{}, map[string]bool{}
	for _, k := range web.BrowserKeys() {
		declared[k.Name] = true
	}
	key := regexp.MustCompile(`"(am\.[a-z]+\.?)[^"]*"`)
	other := regexp.MustCompile(`sessionStorage|indexedDB|document\.cookie|caches\.|localStorage\.setItem`)
	event := regexp.MustCompile(`"am:`)
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range key.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if !declared[m[1]] {
				t.Errorf("%s keeps %q, which is not declared", name, m[1])
			}
		}
		for _, line := range strings.Split(string(text), "\n") {
			if found := other.FindString(line); found != "" && !event.MatchString(line) && !strings.Contains(line, "set(key, value)") {
				t.Errorf("%s keeps something through %s: %s", name, found, strings.TrimSpace(line))
			}
		}
	}
	for name := range declared {
		if !used[name] {
			t.Errorf("%s is declared and not used", name)
		}
	}
}
