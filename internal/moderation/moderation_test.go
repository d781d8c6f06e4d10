package moderation_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/licensing"
	"audiomicro/internal/moderation"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/uploads"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// tone is a short WAV file. comment, when given, is appended as a tag: other bytes, the same samples.
func tone(t *testing.T, seed int, comment string) []byte {
	t.Helper()
	block := make([]float32, 12_000)
	for i := range block {
		block[i] = float32(0.3 * math.Sin(float64(i)*0.02*float64(seed+3)))
	}
	var buf bytes.Buffer
	if err := synth.WriteWAV(&buf, [][]float32{block}, 48_000); err != nil {
		t.Fatal(err)
	}
	wav := buf.Bytes()
	if comment != "" {
		comment += strings.Repeat("\x00", len(comment)%2)
		wav = binary.LittleEndian.AppendUint32(append(wav, "LIST"...), uint32(12+len(comment)))
		wav = binary.LittleEndian.AppendUint32(append(wav, "INFOICMT"...), uint32(len(comment)))
		wav = append(wav, comment...)
		binary.LittleEndian.PutUint32(wav[4:], uint32(len(wav)-8))
	}
	return wav
}

// submit brings a recording to the queue.
func submit(t *testing.T, p *testkit.Person, title string, file []byte) int64 {
	t.Helper()
	ctx, s := context.Background(), p.Site
	taken, err := s.Uploads.Take(ctx, p.ID, title+".wav", bytes.NewReader(file), uploads.Extra{})
	if err != nil {
		t.Fatal(err)
	}
	id := taken.Recording.ID
	testkit.Eventually(t, title+" is analyzed", func() bool {
		rec, err := s.Recordings.ByID(ctx, s.DB, id)
		return err == nil && rec.Processing == recordings.Ready
	})
	err = s.Uploads.Save(ctx, p.Actor(), id, uploads.Edit{
		Description: recordings.Description{Title: title, Tags: []string{"a", "b", "c"}, Category: "fx-o", Rights: true},
		Offers:      []licensing.Offer{{Code: "cc0"}}, SetOffers: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if res := p.Post(fmt.Sprintf("/recordings/%d/submit", id), nil); res.Status != http.StatusSeeOther {
		t.Fatalf("submit %s: %d %s", title, res.Status, res.Text)
	}
	return id
}

func state(t *testing.T, s *testkit.Site, id int64) recordings.State {
	t.Helper()
	rec, err := s.Recordings.ByID(context.Background(), s.DB, id)
	if err != nil {
		t.Fatal(err)
	}
	return rec.State
}

func path(id int64) string { return fmt.Sprintf("/review/%d", id) }

func TestWhoDecides(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		mod, other, member := s.Person("Mod", "moderator"), s.Person("Other", "moderator"), s.Person("Mia", "member")
		if err := s.Accounts.AcceptContributorTerms(context.Background(), mod.ID, 1); err != nil {
			t.Fatal(err)
		}
		id := submit(t, mod, "Own bell", tone(t, 1, ""))
		approve := url.Values{"decision": {"approve"}}
		page := mod.Get(path(id))
		if page.Status != 200 || !strings.Contains(page.Text, "This is your own upload") || strings.Contains(page.Text, `value="approve"`) {
			t.Errorf("one's own case: %d", page.Status)
		}
		if res := mod.Post(path(id), approve); res.Status != http.StatusForbidden || !strings.Contains(res.Text, "another moderator decides") {
			t.Errorf("approve one's own: %d %s", res.Status, res.Text)
		}
		for _, p := range []*testkit.Person{member, s.Visitor()} {
			for _, at := range []string{"/review", path(id)} {
				if res := p.Get(at); res.Status == 200 {
					t.Errorf("%s sees %s", p.Name, at)
				}
			}
			if res := p.Post(path(id), approve); res.Status < 300 || res.Status == 303 && !strings.HasPrefix(res.Location, "/sign-in") {
				t.Errorf("%s decides: %d", p.Name, res.Status)
			}
		}
		if got := state(t, s, id); got != recordings.Submitted {
			t.Fatalf("state %s", got)
		}
		for _, form := range []url.Values{{}, {"decision": {"burn"}}} {
			if res := other.Post(path(id), form); res.Status != http.StatusBadRequest {
				t.Errorf("decision %v: %d", form, res.Status)
			}
		}
		if res := other.Post(path(id), url.Values{"decision": {"return"}, "reason": {"other"}}); res.Status != 422 || !strings.Contains(res.Text, "Write what the contributor can do.") {
			t.Errorf("returned without a word: %d", res.Status)
		}
		if res := other.Post(path(id), url.Values{"decision": {"return"}, "reason": {"made up"}, "note": {"x"}}); res.Status != 422 {
			t.Errorf("a made-up reason: %d", res.Status)
		}
		if res := other.Post(path(id), url.Values{"decision": {"return"}, "reason": {"quality"}}); res.Location != "/review" {
			t.Fatalf("return with the canned words: %d %s", res.Status, res.Text)
		}
		if text := mod.Get("/my-sounds").Text; !strings.Contains(text, "technical fault") {
			t.Error("the contributor does not read the canned words")
		}
		if res := other.Get(path(id)); res.Location != "/review" {
			t.Errorf("a case that is decided: %d %s", res.Status, res.Location)
		}
		if res := other.Get(path(987_654)); res.Status != http.StatusNotFound {
			t.Errorf("an unknown case: %d", res.Status)
		}
	})
}

// TestOneDecision lets many moderators decide at once.
func TestOneDecision(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		id := submit(t, ann, "Bell", tone(t, 2, ""))
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := 0
		for i := range 8 {
			wg.Go(func() {
				var err error
				by := access.Actor{ID: int64(1_000_000 + i), Role: access.Moderator}
				if i%2 == 0 {
					err = s.Moderation.Approve(context.Background(), by, id)
				} else {
					err = s.Moderation.Return(context.Background(), by, id, "other", "Again, please.")
				}
				if err == nil {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Fatalf("%d decisions on one submission", won)
		}
		list, err := s.Moderation.History(context.Background(), id)
		if err != nil || len(list) != 1 {
			t.Fatalf("history %v, %v", list, err)
		}
		want := map[string]recordings.State{moderation.Approved: recordings.Published, moderation.Returned: recordings.Returned}[list[0].State]
		if got := state(t, s, id); got != want {
			t.Errorf("review %s, recording %s", list[0].State, got)
		}
		mails, err := s.Mail.Recent(context.Background(), 50)
		if err != nil {
			t.Fatal(err)
		}
		letters := 0
		for _, m := range mails {
			if m.To == ann.Email && strings.Contains(m.Subject, "Bell") {
				letters++
			}
		}
		if letters != 1 {
			t.Errorf("%d letters about one decision", letters)
		}
	})
}

// TestReviewOff publishes at once what nobody else sent before.
func TestReviewOff(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, func(c *config.Config) { c.Moderation = "off" }, func(t *testing.T, s *testkit.Site) {
		ann, bob, mod := s.Person("Ann", "contributor"), s.Person("Bob", "contributor"), s.Person("Mod", "moderator")
		for _, c := range []struct {
			who   *testkit.Person
			title string
			file  []byte
			state recordings.State
			flag  string
		}{
			{ann, "First", tone(t, 3, ""), recordings.Published, ""},
			{ann, "Own variant", tone(t, 3, "take two"), recordings.Published, ""},
			{bob, "Same file", tone(t, 3, ""), recordings.Submitted, moderation.SameBytes},
			{bob, "Same sound", tone(t, 3, "not mine"), recordings.Submitted, moderation.SameSound},
			{bob, "Another", tone(t, 4, ""), recordings.Published, ""},
		} {
			id := submit(t, c.who, c.title, c.file)
			list, err := s.Moderation.History(context.Background(), id)
			if err != nil || len(list) != 1 {
				t.Fatalf("%s: history %v, %v", c.title, list, err)
			}
			if got := state(t, s, id); got != c.state || list[0].Flag != c.flag {
				t.Errorf("%s: %s, flag %q; want %s, %q", c.title, got, list[0].Flag, c.state, c.flag)
			}
		}
		page := mod.Get("/review").Text
		for _, part := range []string{"2 recordings wait", "Same file as another", "First"} {
			if !strings.Contains(page, part) {
				t.Errorf("%q is missing on the review page", part)
			}
		}
	})
}

// TestQueue walks the queue in order, past one's own.
func TestQueue(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, mod := s.Person("Ann", "contributor"), s.Person("Mod", "moderator")
		if err := s.Accounts.AcceptContributorTerms(context.Background(), mod.ID, 1); err != nil {
			t.Fatal(err)
		}
		own := submit(t, mod, "Mine", tone(t, 5, ""))
		first, second := submit(t, ann, "First", tone(t, 6, "")), submit(t, ann, "Second", tone(t, 7, ""))
		page := mod.Get("/review").Text
		if !strings.Contains(page, fmt.Sprintf(`action="%s"`, path(first))) || !strings.Contains(page, fmt.Sprintf(`href="%s" data-key="N"`, path(second))) {
			t.Error("the queue does not begin with the first that is not one's own, or N does not lead to the next")
		}
		approve := url.Values{"decision": {"approve"}, "note": {"Well described."}}
		if res := mod.Post(path(first), approve); res.Location != path(second) {
			t.Fatalf("after the first: %d %s", res.Status, res.Location)
		}
		if res := mod.Post(path(second), approve); res.Location != "/review" {
			t.Fatalf("after the second: %d %s", res.Status, res.Location)
		}
		if text := mod.Get("/review").Text; !strings.Contains(text, "This is your own upload") {
			t.Error("only one's own is left and it is not shown")
		}
		mails, err := s.Mail.Recent(context.Background(), 50)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(fmt.Sprint(mails), "Well described.") {
			t.Error("the letter lacks the reviewer's words")
		}
		if err := s.Moderation.Approve(context.Background(), access.Actor{}, own); err != nil {
			t.Fatal(err)
		}
		if text := mod.Get("/review").Text; !strings.Contains(text, "Nothing waits for review") {
			t.Error("the empty queue does not say so")
		}
	})
}

// piece is seconds of a melody over noise, as stereo at 44.1 kHz; every seed is another melody.
func piece(seed uint64, seconds float64) [][]float32 {
	const rate = 44_100
	r := rand.New(rand.NewPCG(seed, 9))
	x := make([]float32, int(seconds*rate))
	for at := 0; at < len(x); {
		length := int(rate * (.2 + .4*r.Float64()))
		for range 2 {
			hz := 110 * math.Pow(2, float64(r.IntN(36))/12)
			for i := at; i < min(at+2*length, len(x)); i++ {
				t := float64(i-at) / rate
				for partial := 1.0; partial < 5; partial++ {
					x[i] += float32(.12 / partial * math.Exp(-3*t) * math.Sin(2*math.Pi*hz*partial*t))
				}
			}
		}
		at += length
	}
	for i := range x {
		x[i] += float32(.002 * r.NormFloat64())
	}
	return [][]float32{x, x}
}

// TestCopies flags what sounds like somebody else's recording although no sample is the same: the same as a 64 kbit/s MP3, half of it, half of
// it 3 dB quieter, and a longer recording that holds it. Other pieces, one's own copies and steady tones are left alone.
func TestCopies(t *testing.T) {
	t.Parallel()
	lame := testkit.Tool(t, "lame")
	wav := func(planar [][]float32) []byte {
		var buf bytes.Buffer
		if err := synth.WriteWAV(&buf, planar, 44_100); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	mp3 := func(planar [][]float32) []byte {
		cmd := exec.Command(lame, "--quiet", "-b", "64", "-", "-")
		cmd.Stdin = bytes.NewReader(wav(planar))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	part := func(planar [][]float32, from, to, gain float64) (out [][]float32) {
		for _, x := range planar {
			cut := slices.Clone(x[int(from*44_100):int(to*44_100)])
			for i := range cut {
				cut[i] *= float32(gain)
			}
			out = append(out, cut)
		}
		return out
	}
	steady := func(hz float64) [][]float32 {
		x := make([]float32, 8*44_100)
		for i := range x {
			x[i] = float32(.3 * math.Sin(2*math.Pi*hz*float64(i)/44_100))
		}
		return [][]float32{x}
	}
	whole := piece(1, 24)
	longer := piece(2, 60)
	for c := range longer {
		copy(longer[c][20*44_100+777:], whole[c])
	}
	testkit.EachSite(t, func(c *config.Config) { c.Moderation = "off" }, func(t *testing.T, s *testkit.Site) {
		ann, bob, mod := s.Person("Ann", "contributor"), s.Person("Bob", "contributor"), s.Person("Mod", "moderator")
		first := submit(t, ann, "Theme", wav(whole))
		submit(t, ann, "Tone", wav(steady(220)))
		for _, c := range []struct {
			who   *testkit.Person
			title string
			file  []byte
			flag  string
		}{
			{ann, "Own half", wav(part(whole, 0, 12, 1)), ""},
			{bob, "Encoded", mp3(whole), moderation.Copied},
			{bob, "Half", wav(part(whole, 7.123, 19.123, 1)), moderation.Copied},
			{bob, "Quieter half encoded", mp3(part(whole, 4.05, 16.05, .708)), moderation.Copied},
			{bob, "Longer", wav(longer), moderation.Copied},
			{bob, "Another", wav(piece(3, 24)), ""},
			{bob, "Another tone", wav(steady(330)), ""},
		} {
			id := submit(t, c.who, c.title, c.file)
			list, err := s.Moderation.History(context.Background(), id)
			if err != nil || len(list) != 1 {
				t.Fatalf("%s: history %v, %v", c.title, list, err)
			}
			if list[0].Flag != c.flag || c.flag != "" && list[0].MatchID != first {
				t.Errorf("%s: flag %q, match %d; want %q, %d", c.title, list[0].Flag, list[0].MatchID, c.flag, first)
			}
			if c.title == "Encoded" {
				page := mod.Get(path(id)).Text
				for _, part := range []string{"Sounds like a copy", "Theme", "of their bits over 0:24.0"} {
					if !strings.Contains(page, part) {
						t.Errorf("%q is missing on the page of the review", part)
					}
				}
			}
		}
	})
}
