package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/app"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// tone is a quarter of a second as a WAV file; each seed gives other bytes.
func tone(t testing.TB, seed int) []byte {
	t.Helper()
	block := make([]float32, 12_000)
	for i := range block {
		block[i] = float32(0.3 * math.Sin(float64(i)*0.001*float64(seed+30)))
	}
	var buf bytes.Buffer
	if err := synth.WriteWAV(&buf, [][]float32{block}, 48_000); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// stock uploads a sound, waits for its analysis, and publishes it under the given offers.
func stock(t testing.TB, maker *testkit.Person, title string, data []byte, offers ...licensing.Offer) recordings.Recording {
	t.Helper()
	ctx, s := context.Background(), maker.Site
	res := maker.Upload(map[string][]byte{title + ".wav": data})
	var id int64
	if _, err := fmt.Sscanf(res.Location, "/recordings/%d/edit", &id); res.Status != http.StatusSeeOther || err != nil {
		t.Fatalf("upload %s: %d %s %s", title, res.Status, res.Location, res.Text)
	}
	read := func() recordings.Recording {
		rec, err := s.Recordings.ByID(ctx, s.DB, id)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Processing == recordings.Failed {
			t.Fatalf("analysis of %s failed: %s", title, rec.ProcessingNote)
		}
		return rec
	}
	testkit.Eventually(t, title+" is analyzed", func() bool { return read().Processing == recordings.Ready })
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		d := recordings.Description{Title: title, Description: "A tone.", Category: "fx-o", Tags: []string{"tone", "sine", "test"}, Rights: true}
		if err := s.Recordings.Describe(ctx, tx, maker.Actor(), id, d); err != nil {
			return err
		}
		change, err := s.Licensing.SetOffers(ctx, tx, id, offers, false)
		if err != nil {
			return err
		}
		if err := s.Recordings.SetPaid(ctx, tx, id, change.Paid); err != nil {
			return err
		}
		return s.Recordings.Submit(ctx, tx, id)
	})
	if err == nil {
		err = s.Moderation.Approve(ctx, access.Actor{}, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, title+" can be heard", func() bool { rec := read(); return rec.Paid == 0 || rec.Marked == 1 })
	return read()
}

// standard is an offer at three dollars.
func standard() licensing.Offer {
	return licensing.Offer{Code: "standard", Price: money.Of(300, "USD")}
}

// program builds the real binary. AUDIOMICRO_TEST_TAGS adds build tags; the soak uses it for its control.
func program(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "audiomicro")
	cmd := exec.Command("go", "build", "-tags", os.Getenv("AUDIOMICRO_TEST_TAGS"), "-o", bin, "audiomicro/cmd/audiomicro")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// rig is a site whose server is a process of its own.
type rig struct {
	bin    string
	config config.Config
}

// daemon is a running server process.
type daemon struct {
	cmd   *exec.Cmd
	log   *lockedBuffer
	began time.Time
	gone  chan struct{}
	err   error // of the process, once gone
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start starts the server, behind the words of wrap when there are any. It does not wait.
func (r rig) start(t *testing.T, wrap ...string) *daemon {
	t.Helper()
	c := r.config
	args := append(wrap, r.bin, "serve", "--data", c.Data, "--listen", c.Listen, "--url", c.URL, "--node", c.Node, "--mail-from", c.MailFrom, "--log-level", "warn", "--dev")
	if c.Database != "" {
		args = append(args, "--database", c.Database)
	}
	d := &daemon{cmd: exec.Command(args[0], args[1:]...), log: &lockedBuffer{}, began: time.Now(), gone: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		d.err = d.cmd.Wait()
		close(d.gone)
	}()
	t.Cleanup(func() {
		d.killGroup()
		if text := d.log.String(); t.Failed() && strings.Contains(text, `"level"`) {
			t.Logf("a server said: …%s", text[max(0, len(text)-3000):])
		}
	})
	return d
}

// ready waits until the server answers; false when it ended before.
func (r rig) ready(t *testing.T, d *daemon) bool {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		res, err := http.Get(r.config.URL + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return true
			}
		}
		select {
		case <-d.gone:
			return false
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server is not ready after three minutes: %s", d.log)
		}
	}
}

// kill is kill -9 of the server alone: its decoders must die by themselves.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill() // it may be gone already
	<-d.gone
}

// killGroup is kill -9 of the server, what it started and what it runs under.
func (d *daemon) killGroup() {
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.gone
}

// stop is a SIGTERM; the server must end well.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.gone
	if d.err != nil {
		t.Errorf("the server ended with %v: %s", d.err, d.log)
	}
}

// look opens the site beside the server and closes it afterwards.
func (r rig) look(t *testing.T, f func(a *app.App)) {
	t.Helper()
	a, err := app.Open(t.Context(), r.config, app.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	f(a)
}

// healthy lets doctor look.
func (r rig) healthy(t *testing.T, a *app.App, when string) {
	t.Helper()
	d, err := a.Doctor(t.Context(), true)
	if err != nil {
		t.Fatalf("doctor %s: %v", when, err)
	}
	if len(d.Problems) > 0 {
		t.Fatalf("doctor %s: %s", when, strings.Join(d.Problems, "\n"))
	}
}

// newRig makes a site with something to buy, and stops its server. edit changes the settings.
func newRig(t *testing.T, bin string, engine db.Engine, edit func(*config.Config)) (rig, *load) {
	t.Helper()
	s := testkit.NewSite(t, engine, edit)
	maker, buyer := s.Person("Maker", "contributor"), s.Person("Buyer", "member")
	rec := stock(t, maker, "Tone for sale", tone(t, 1), standard())
	s.Stop()
	c := s.Config
	c.Listen = testkit.Address(t)
	c.URL = "http://" + c.Listen
	r := rig{bin: bin, config: c}
	return r, newLoad(t, r, maker, buyer, rec.ID)
}

// answer is what a request of a load got.
type answer struct {
	status int
	header http.Header
	text   string
}

// caller is a person's client that takes errors as they come.
type caller struct {
	client *http.Client
	base   string
}

func newCaller(base string, p *testkit.Person) (caller, error) {
	// Cookies go with the host, whatever the port: the person stays signed in.
	old, err := url.Parse(p.Site.URL)
	if err != nil {
		return caller{}, err
	}
	c := caller{base: base, client: &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true}}}
	c.client.Jar = p.Client.Jar
	if len(p.Client.Jar.Cookies(old)) == 0 {
		return c, errors.New("the person is not signed in")
	}
	return c, nil
}

func (c caller) do(ctx context.Context, method, path string, header http.Header, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

func (c caller) post(ctx context.Context, path string, form url.Values) (answer, error) {
	return c.do(ctx, http.MethodPost, path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
}
