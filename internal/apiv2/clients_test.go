package apiv2_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/accounts"
	"audiomicro/internal/config"
	"audiomicro/internal/testkit"
)

// clients fetches the programs of others and gives the folder of their modules.
func clients(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(filepath.Join("..", "..", "scripts", "npm.sh"), "internal/apiv2/testdata/clients").Output()
	if err != nil {
		testkit.Missing(t, "the clients from npm cannot be fetched: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// scene is a site with six sounds, a comment, and an application whose user has authorized it.
type scene struct {
	ids  []int64
	fan  *testkit.Person
	app  accounts.NewCredential
	code string
	md5  string
}

func furnish(t *testing.T, s *testkit.Site) scene {
	t.Helper()
	s.Site.Limits.Off = true
	v := scene{ids: catalog(t, s, 6), fan: s.Person("Fan", "contributor")}
	if _, err := s.Reactions.Say(t.Context(), v.fan.Actor(), v.ids[0], "Heard it."); err != nil {
		t.Fatal(err)
	}
	v.app = application(t, s, v.fan, back)
	got := v.fan.Post("/apiv2/oauth2/authorize/", url.Values{"client_id": {v.app.ClientID}, "response_type": {"code"}, "allow": {"Authorize!"}})
	v.code = answerOf(t, got, back).Get("code")
	rec, err := s.Recordings.ByID(t.Context(), s.DB, v.ids[0])
	if err != nil {
		t.Fatal(err)
	}
	v.md5 = rec.MD5
	return v
}

func quick(c *config.Config) { c.Moderation, c.FFmpeg = "off", "off" }

// TestClientsOfNode runs freesound-client and freesound-api, unmodified, in Node.
func TestClientsOfNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		testkit.Missing(t, "no node on this machine: install the Debian package nodejs")
	}
	modules := clients(t)
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		v := furnish(t, s)
		for _, id := range v.ids { // one of them asks for warmth
			testkit.Eventually(t, "the second pass is over", func() bool {
				version, err := s.Recordings.DetailVersion(t.Context(), id)
				return err == nil && version > 0
			})
		}
		cmd := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "clients", "node.cjs"))
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "BASE="+s.URL, "KEY="+v.fan.Key, "SOUND="+fmt.Sprint(v.ids[0]), "CODE="+v.code, "CLIENT="+v.app.ClientID, "SECRET="+v.app.Secret, "MD5="+v.md5)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "both clients are content") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestClientInBrowser runs freesound.js, unmodified, in a page of another site in Chromium, which is told that freesound.org is
// here.
func TestClientInBrowser(t *testing.T) {
	modules := clients(t)
	s := testkit.NewSite(t, "sqlite", quick)
	v := furnish(t, s)
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	tls := httptest.NewTLSServer(proxy)
	t.Cleanup(tls.Close)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, `<!doctype html><title>A page</title><script src="/freesound.js"></script><script src="/browser.js"></script>`)
		case "/freesound.js":
			http.ServeFile(w, r, filepath.Join(modules, "freesound", "freesound.js"))
		case "/browser.js":
			http.ServeFile(w, r, filepath.Join("testdata", "clients", "browser.js"))
		case "/tone.wav":
			w.Write(tone(t, 77, .3))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(page.Close)
	tab := testkit.Browser(t, "host-resolver-rules=MAP freesound.org:443 "+strings.TrimPrefix(tls.URL, "https://"), "ignore-certificate-errors")(t)
	q := url.Values{"key": {v.fan.Key}, "sound": {fmt.Sprint(v.ids[0])}, "client": {v.app.ClientID}, "secret": {v.app.Secret}, "code": {v.code}}
	tab.Open(page.URL + "/?" + q.Encode())
	tab.Wait("window.done")
	var is map[string]any
	if err := json.Unmarshal([]byte(tab.Eval("window.done")), &is); err != nil {
		t.Fatalf("%v: %s", err, tab.Eval("window.done"))
	}
	for what, should := range map[string]any{
		"found": "6 Sound 01,Sound 02,Sound 03,Sound 04", "next": "Sound 05,Sound 06", "sound": "Sound 01", "similar": 2.0, "comment": "Heard it.", "analysis": "number", "packs": "First five", "me": "Fan",
		"rated": fmt.Sprintf("Successfully rated sound %d.", v.ids[0]), "again": "refused", "bookmarked": fmt.Sprintf("Successfully bookmarked sound %d.", v.ids[0]),
		"uploaded": "Audio file successfully uploaded and described (now pending processing and moderation).", "pending": true,
	} {
		if is[what] != should {
			t.Errorf("%s: %v, want %v", what, is[what], should)
		}
	}
}

// TestArdour replays the requests of the sound browser in Ardour, byte for byte as its library writes them, and reads the
// answers with libxml2, as it does.
func TestArdour(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		testkit.Missing(t, "no xmllint on this machine: install the Debian package libxml2-utils")
	}
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		v := furnish(t, s)
		read := func(target, path string) string {
			t.Helper()
			status, body := raw(t, s, target, "")
			if status != http.StatusOK {
				t.Fatalf("%s: %d %s", target, status, body)
			}
			cmd := exec.CommandContext(t.Context(), xmllint, "--xpath", path, "-")
			cmd.Stdin = strings.NewReader(body)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("xmllint %s: %v in %s", path, err, body)
			}
			return strings.TrimSpace(string(out))
		}
		const fields = "&fields=id,name,duration,filesize,samplerate,license,download,previews&page_size=100"
		search := func(query, filter string) string {
			return "/apiv2/search/text/?page=1&query=" + query + filter + "&sort=duration_asc" + fields + "&token=" + v.fan.Key + "&format=xml"
		}
		for path, is := range map[string]string{
			"count(/root/results/list-item)": "2", "string(/root/count)": "2", "string(/root/results/list-item[1]/name)": "Sound 01", "string(/root/results/list-item[1]/samplerate)": "44100.0",
			"contains(/root/results/list-item[1]/license, '/publicdomain/')": "true", "contains(/root/results/list-item[1]/previews/preview-hq-ogg, '-hq.ogg')": "true", "name(/root/next)": "next",
		} {
			// The quotes and the blank in license%3A%20 go out as they are.
			if got := read(search(`"deep%20sound"`, `&filter=license%3A%20%22Creative%20Commons%200%22`), path); got != is {
				t.Errorf("%s: %s, want %s", path, got, is)
			}
		}
		if got := read(search(`"sound"`, `&filter=license%3A%20%22Attribution%20Noncommercial%22`), "string(/root/count)"); got != "0" {
			t.Errorf("noncommercial: %s", got)
		}
		if got := read(search(`"sound"`, ""), "count(//list-item/download)"); got != "6" {
			t.Errorf("downloads: %s", got)
		}
		// It takes count for a number of pages and asks for pages that are not there: that must be an answer it can read.
		status, body := raw(t, s, strings.Replace(search(`"sound"`, ""), "page=1&", "page=6&", 1), "")
		if status != http.StatusNotFound || !strings.Contains(body, "<detail>Not found.</detail>") {
			t.Errorf("a page beyond: %d %s", status, body)
		}
		similar := fmt.Sprintf("/apiv2/sounds/%d/similar/?%s&num_results=100&token=%s&format=xml", v.ids[0], strings.TrimSuffix(fields, "&page_size=100"), v.fan.Key)
		if got := read(similar, "count(/root/results/list-item)"); got != "5" {
			t.Errorf("similar: %s", got)
		}
		// Its sign-in: the code, then the text of the answer taken apart by counting.
		form := url.Values{"client_id": {v.app.ClientID}, "client_secret": {v.app.Secret}, "grant_type": {"authorization_code"}, "code": {v.code}}
		text := with(t, s, "").post("/apiv2/oauth2/access_token/", form).Text
		at := strings.Index(text, "access_token")
		if at < 0 || len(text) < at+46 {
			t.Fatalf("tokens: %s", text)
		}
		status, body = raw(t, s, fmt.Sprintf("/apiv2/sounds/%d/download/?token=%s", v.ids[0], v.fan.Key), "Authorization: Bearer "+text[at+16:at+46]+"\r\n")
		if status != http.StatusOK || !strings.HasPrefix(body, "RIFF") {
			t.Errorf("download: %d %.100s", status, body)
		}
	})
}

// raw sends a request line as it is: clients write characters there that no URL may hold.
func raw(t *testing.T, s *testkit.Site, target, header string) (int, string) {
	t.Helper()
	host := strings.TrimPrefix(s.URL, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Ardour 8\r\nAccept: */*\r\n%sConnection: close\r\n\r\n", target, host, header); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
