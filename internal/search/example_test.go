package search_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/contour/trial"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/query"
	"audiomicro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func wav(t *testing.T, x []float32) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := synth.WriteWAV(&b, [][]float32{x}, trial.Rate); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// publish uploads sounds, waits for what ingest makes of them, and makes them public under CC0 as their title.
func publish(t *testing.T, s *testkit.Site, by *testkit.Person, sounds map[string][]byte) map[string]int64 {
	t.Helper()
	ids := map[string]int64{}
	for name, data := range sounds {
		var id int64
		res := by.Upload(map[string][]byte{name + ".wav": data})
		if _, err := fmt.Sscanf(res.Location, "/recordings/%d/edit", &id); err != nil {
			t.Fatalf("upload %s: %d %s", name, res.Status, res.Text)
		}
		ids[name] = id
	}
	for name, id := range ids {
		testkit.Eventually(t, name+" is analyzed", func() bool {
			rec, err := s.Recordings.ByID(t.Context(), s.DB, id)
			return err == nil && rec.Processing == recordings.Ready
		})
		err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			if _, err := db.Exec(t.Context(), tx, `UPDATE recording SET state = 'published', title = $1, published_at = $2 WHERE id = $2`, name, id); err != nil {
				return err
			}
			_, err := db.Exec(t.Context(), tx, `INSERT INTO offer (recording_id, model_code, price_minor, currency, created_at) VALUES ($1, 'cc0', 0, 'USD', 1)`, id)
			s.Feed.Note(t.Context(), tx, "recording", id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, "all are searchable", func() bool { return s.Search.Index().Len() == len(ids) })
	return ids
}

// send posts a sound as the page's form does, scripts or not.
func send(t *testing.T, who *testkit.Person, sound []byte, fields ...string) testkit.Answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		form.WriteField(fields[i], fields[i+1])
	}
	if sound != nil {
		w, err := form.CreateFormFile("sound", "my-private-name.wav")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(sound)
	}
	form.Close()
	return who.Do(http.MethodPost, "/search/sound", http.Header{"Content-Type": {form.FormDataContentType()}, "Sec-Fetch-Site": {"same-origin"}}, &body)
}

// titles lists the rows of a page of results.
func titles(page string, of map[string]int64) []string {
	at := map[string]int{}
	for name, id := range of {
		if i := strings.Index(page, fmt.Sprintf(`data-sound="%d"`, id)); i >= 0 {
			at[name] = i
		}
	}
	var out []string
	for name := range at {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { return at[a] - at[b] })
	return out
}

// TestSearchBySound sends sounds through the form: each finds what it is like, whatever is filtered, and nothing of it stays.
func TestSearchBySound(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	tunes, beats := [3][]trial.Event{}, [3][]trial.Event{}
	var lengths [3]float64
	sounds := map[string][]byte{}
	for i := range tunes {
		tunes[i] = trial.Melody(r)
		beats[i], lengths[i] = trial.Beat(r)
		sounds[fmt.Sprintf("tune %d", i)] = wav(t, trial.Pluck(tunes[i]))
		sounds[fmt.Sprintf("beat %d", i)] = wav(t, trial.Drums(r, beats[i], lengths[i]))
	}
	noise := make([]float32, 2*trial.Rate)
	for i := range noise {
		noise[i] = float32(.2 * r.NormFloat64() * math.Exp(-float64(i)/trial.Rate*2))
	}
	sounds["hiss"] = wav(t, noise)
	hum := wav(t, trial.Hum(r, tunes[1], .4))
	tapped := wav(t, trial.Drums(r, beats[2][:len(beats[2])/2+2], lengths[2]))
	testkit.EachSite(t, func(c *config.Config) { c.MaxExample = 4 << 20 }, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		mara, visitor := s.Person("Mara", "contributor"), s.Visitor()
		ids := publish(t, s, mara, sounds)
		if got := visitor.Get("/search/sound?type=wav"); got.Status != http.StatusOK || !strings.Contains(got.Header.Get("Permissions-Policy"), "microphone=(self)") || !strings.Contains(got.Text, `name="type" value="wav"`) {
			t.Errorf("the form: %d, %s", got.Status, got.Header.Get("Permissions-Policy"))
		}
		if got := visitor.Get("/search"); strings.Contains(got.Header.Get("Permissions-Policy"), "microphone=(self)") {
			t.Error("another page may use the microphone")
		}
		// The second pass over what was published writes rows of its own; it must be through before rows are counted.
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
			n, err := db.Get[int](t.Context(), s.DB, `SELECT count(*) FROM recording_detail`)
			if err != nil {
				t.Fatal(err)
			}
			if n == len(ids) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%d of %d recordings have their details", n, len(ids))
			}
		}
		before := state(t, s)
		for _, c := range []struct {
			name  string
			sound []byte
			as    string
			first string
		}{
			{"the same noise, quieter", wav(t, louder(noise, .3)), "like", "hiss"},
			{"a loop of the catalog", sounds["beat 1"], "like", "beat 1"},
			{"a hummed tune", hum, "melody", "tune 1"},
			{"a tapped beat", tapped, "rhythm", "beat 2"},
		} {
			got := send(t, visitor, c.sound, "as", c.as, "type", "wav", "q", "")
			if got.Status != http.StatusSeeOther || !strings.HasPrefix(got.Location, "/search?") || !strings.Contains(got.Location, c.as+"=") || !strings.Contains(got.Location, "type=wav") {
				t.Errorf("%s: %d to %q %.200s", c.name, got.Status, got.Location, got.Text)
				continue
			}
			page := visitor.Get(got.Location)
			if list := titles(page.Text, ids); page.Status != http.StatusOK || len(list) == 0 || list[0] != c.first {
				t.Errorf("%s: %d found %v", c.name, page.Status, list)
			}
			if !strings.Contains(page.Text, "your sound") || !strings.Contains(page.Text, "Compared:") {
				t.Errorf("%s: the page does not say what it compares", c.name)
			}
			// The feed of such a search tells what is like the sound, and nothing else.
			feed := visitor.Get(strings.Replace(got.Location, "/search?", "/search.atom?", 1))
			if entries := strings.Count(feed.Text, "<entry>"); !strings.Contains(feed.Text, "<title>"+c.first+"</title>") || entries >= len(ids) || !strings.Contains(feed.Text, " my sound") {
				t.Errorf("%s: the feed has %d entries of %d: %.400s", c.name, entries, len(ids), feed.Text)
			}
			for filter, want := range map[string]bool{"&q=beat": strings.HasPrefix(c.first, "beat"), "&type=flac": false, "&license=cc0": true, "&sort=long": true} {
				page := visitor.Get(strings.Replace(got.Location, "type=wav", "x=y", 1) + filter)
				if list := titles(page.Text, ids); page.Status != http.StatusOK || slices.Contains(list, c.first) != want {
					t.Errorf("%s with %s: %d found %v", c.name, filter, page.Status, list)
				}
			}
		}
		for _, c := range []struct {
			name   string
			sound  []byte
			as     string
			status int
			says   string
		}{
			{"nothing", nil, "like", http.StatusBadRequest, "Choose a sound file"},
			{"an empty file", []byte{}, "like", http.StatusBadRequest, "Choose a sound file"},
			{"a text", []byte(strings.Repeat("words ", 100)), "like", http.StatusUnprocessableEntity, "WAV"},
			{"silence", wav(t, make([]float32, trial.Rate)), "like", http.StatusUnprocessableEntity, "silence"},
			{"noise as a melody", wav(t, noise), "melody", http.StatusUnprocessableEntity, "No melody was heard"},
			{"noise as a rhythm", wav(t, noise), "rhythm", http.StatusUnprocessableEntity, "No rhythm was heard"},
			{"too much", make([]byte, 5<<20), "like", http.StatusRequestEntityTooLarge, "larger than"},
		} {
			if got := send(t, visitor, c.sound, "as", c.as); got.Status != c.status || !strings.Contains(got.Text, c.says) {
				t.Errorf("%s: %d %.300s", c.name, got.Status, got.Text)
			}
		}
		if after := state(t, s); after != before {
			t.Errorf("something was kept:\n%s\nbefore:\n%s", after, before)
		}
		// It can be kept, and is counted as its feed is; one that this version of the program cannot compare leaves the others readable.
		like := send(t, visitor, sounds["hiss"], "as", "like").Location
		if got := mara.Post("/searches", url.Values{"search": {strings.TrimPrefix(like, "/search?")}}); got.Status != http.StatusSeeOther {
			t.Errorf("save: %d %.300s", got.Status, got.Text)
		}
		old := []byte(strings.TrimPrefix(like, "/search?like="))
		old[0] ^= 1 // the mark of the space comes first
		if got := mara.Post("/searches", url.Values{"search": {"like=" + string(old)}}); got.Status != http.StatusSeeOther {
			t.Errorf("save: %d %.300s", got.Status, got.Text)
		}
		entries := strings.Count(visitor.Get(strings.Replace(like, "/search?", "/search.atom?", 1)).Text, "<entry>")
		if got := mara.Get("/searches"); !strings.Contains(got.Text, fmt.Sprintf("Sounds like my sound · %d sound", entries)) || !strings.Contains(got.Text, "compared in another way") {
			t.Errorf("saved, %d entries: %d %.2000s", entries, got.Status, got.Text[strings.Index(got.Text, "<main"):])
		}
		for _, bad := range []string{"like=x", "like=" + strings.Repeat("A", 91), "melody=AAAA", "rhythm=____________________________", "like=" + strings.Repeat("A", 400)} {
			if got := visitor.Get("/search?" + bad); got.Status != http.StatusBadRequest {
				t.Errorf("%s: %d", bad, got.Status)
			}
		}
		parts(t, s, visitor, ids)
	})
}

// parts searches by parts of recordings, with the rules of who may hear them.
func parts(t *testing.T, s *testkit.Site, visitor *testkit.Person, ids map[string]int64) {
	got := visitor.Get(fmt.Sprintf("/recordings/%d/like?from=0.0&to=1.5", ids["beat 0"]))
	if got.Status != http.StatusSeeOther {
		t.Fatalf("a part: %d %.300s", got.Status, got.Text)
	}
	if list := titles(visitor.Get(got.Location).Text, ids); len(list) == 0 || list[0] != "beat 0" {
		t.Errorf("a part of a beat is like %v", list)
	}
	other := visitor.Get(fmt.Sprintf("/recordings/%d/like?from=2&to=3", ids["beat 0"]))
	if other.Location == got.Location {
		t.Error("two parts have the same address")
	}
	for _, bad := range []string{"from=-1", "from=x", "from=3&to=2", "from=1e9", "from=NaN"} {
		if got := visitor.Get(fmt.Sprintf("/recordings/%d/like?%s", ids["beat 0"], bad)); got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, got.Status)
		}
	}
	err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := db.Exec(t.Context(), tx, `UPDATE recording SET state = 'draft' WHERE id = $1`, ids["hiss"])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := visitor.Get(fmt.Sprintf("/recordings/%d/like", ids["hiss"])); got.Status == http.StatusSeeOther || got.Status == http.StatusOK {
		t.Errorf("a draft of somebody else may be listened to: %d", got.Status)
	}
}

func louder(x []float32, by float32) []float32 {
	out := slices.Clone(x)
	for i := range out {
		out[i] *= by
	}
	return out
}

// state lists everything that a search could leave behind: files and, by table, rows; a name must be nowhere in the folder.
func state(t *testing.T, s *testkit.Site) string {
	t.Helper()
	var out strings.Builder
	tables := `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`
	if s.DB.Engine() == db.Postgres {
		tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name`
	}
	names, err := db.Query[string](t.Context(), s.DB, tables)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "river") || strings.HasPrefix(name, "sqlite") { // jobs by the clock come and go
			continue
		}
		n, err := db.Get[int64](t.Context(), s.DB, `SELECT count(*) FROM "`+name+`"`)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s: %d rows\n", name, n)
	}
	err = filepath.WalkDir(s.Config.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte("my-private-name")) {
			t.Errorf("%s tells the name of a sound that was searched by", path)
		}
		if base := filepath.Base(path); !strings.Contains(base, ".db") && !strings.Contains(base, "sqlite") && !strings.Contains(base, "snapshot") {
			fmt.Fprintf(&out, "%s: %d bytes\n", path, len(data))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestEars: a sound that arrives slowly keeps nobody waiting, more of them than there are places for are asked to come back, and too many
// from one address are refused.
func TestEars(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		visitor := s.Visitor()
		sound := wav(t, trial.Pluck(trial.Melody(rand.New(rand.NewPCG(1, 1)))))
		done := make(chan error)
		var slow []chan struct{}
		arrive := func() {
			in, out := newStalled(sound)
			go func() {
				_, err := s.Ingest.Hear(t.Context(), in)
				done <- err
			}()
			<-in.began
			slow = append(slow, out)
		}
		arrive()
		if got := send(t, visitor, sound); got.Status != http.StatusSeeOther {
			t.Errorf("while another arrives: %d %.300s", got.Status, got.Text)
		}
		for range 7 {
			arrive()
		}
		if got := send(t, visitor, sound); got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("while eight others arrive: %d, Retry-After %q", got.Status, got.Header.Get("Retry-After"))
		}
		for _, out := range slow {
			close(out)
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		last := 0
		for range 25 {
			if last = send(t, visitor, nil).Status; last == http.StatusTooManyRequests {
				break
			}
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("25 sounds at once end with %d", last)
		}
	})
}

// stalled is a sound that does not arrive before it is let go.
type stalled struct {
	r     *bytes.Reader
	began chan struct{}
	out   chan struct{}
	waits bool
}

func newStalled(sound []byte) (*stalled, chan struct{}) {
	s := &stalled{r: bytes.NewReader(sound), began: make(chan struct{}), out: make(chan struct{})}
	return s, s.out
}

func (s *stalled) Read(p []byte) (int, error) {
	if !s.waits {
		s.waits = true
		close(s.began)
		<-s.out
	}
	return s.r.Read(p)
}

// FuzzExampleAddress: no address makes the comparison panic, and what reads back is written alike.
func FuzzExampleAddress(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAA", uint8(1))
	f.Add("AAAb\r", uint8(0))
	f.Add(contour.Address([]byte{0, 90, 8, 90, 248, 90, 4, 90, 0, 90}), uint8(0))
	tune := []byte{0, 90, 8, 80, 248, 90, 4, 100, 0, 90, 12, 90}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		b, err := contour.FromAddress(text)
		if err != nil {
			return
		}
		if contour.Address(b) != text {
			t.Fatalf("%q reads back as %q", text, contour.Address(b))
		}
		if contour.CheckMelody(b) == nil {
			if d := contour.MelodyDistance(b, tune); !(d >= 0 && d <= 2) {
				t.Fatalf("distance %g", d)
			}
			sketch := contour.MelodySketch(b, true)
			sketch.Hits(&sketch)
		}
		if contour.CheckRhythm(b) == nil {
			if d := contour.RhythmDistance(b, b); d != 0 {
				t.Fatalf("a rhythm is %g from itself", d)
			}
			contour.RhythmSketch(b, kind%2 == 0)
		}
		q, err := query.FromValues(map[string][]string{"rhythm": {text}})
		if err == nil && text != "" && q.Values().Get("rhythm") != text {
			t.Fatalf("the address loses %q", text)
		}
	})
}
