package listening_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"audiomicro/internal/audio/decode"
	"audiomicro/internal/audio/opusenc"
	"audiomicro/internal/audio/sniff"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/listening"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// preview encodes seconds of a tone as the worker does.
func preview(t *testing.T, seconds int) string {
	t.Helper()
	var b strings.Builder
	e, err := opusenc.New(&b, opusenc.Options{Bitrate: 48000, Channels: 1, Complexity: 1})
	if err != nil {
		t.Fatal(err)
	}
	block := make([]float32, synth.SampleRate)
	for i := range block {
		block[i] = float32(i%100)/200 - .25
	}
	for range seconds {
		if err := e.Write([][]float32{block}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// publish makes a published free recording of an Opus file and waits for its previews.
func publish(t *testing.T, s *testkit.Site, owner *testkit.Person, sound string) recordings.Recording {
	t.Helper()
	ref, size, err := s.Blobs.Put(t.Context(), strings.NewReader(sound))
	if err != nil {
		t.Fatal(err)
	}
	var rec recordings.Recording
	err = s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		rec, err = s.Recordings.Create(t.Context(), tx, recordings.Original{OwnerID: owner.ID, FileName: "a.opus", SHA256: string(ref), MD5: "0", Container: "ogg", Codec: "opus", Ext: "opus", ByteSize: size,
			Description: recordings.Description{Title: "Long tone"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the previews are made", func() bool {
		if rec, err = s.Recordings.ByID(t.Context(), s.DB, rec.ID); err != nil {
			t.Fatal(err)
		}
		return rec.Processing == recordings.Ready
	})
	if _, err := db.Exec(t.Context(), s.DB, `UPDATE recording SET state = 'published', published_at = 1 WHERE id = $1`, rec.ID); err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestMembersOnlyPreviews lets visitors hear the first 30 seconds where the operator says so, and nothing more by any address.
func TestMembersOnlyPreviews(t *testing.T) {
	testkit.EachSite(t, func(c *config.Config) { c.MemberPreview = true; c.Workers = 1 }, func(t *testing.T, s *testkit.Site) {
		owner, member, visitor := s.Person("Owner", "contributor"), s.Person("Member", "member"), s.Visitor()
		rec := publish(t, s, owner, preview(t, 60))
		media := "/media/" + rec.Token + "/"
		sound := owner.Get(media + recordings.PreviewHQ).Text
		if got := visitor.Get(media + recordings.PreviewHQ); got.Status != http.StatusForbidden || !strings.Contains(got.Text, "for members") {
			t.Errorf("a visitor's full preview: %d", got.Status)
		}
		got := visitor.Get(media + "sample-hq.opus")
		share := float64(len(got.Text)) / float64(len(sound))
		if got.Status != http.StatusOK || !strings.HasPrefix(sound, got.Text) || share < .45 || share > .6 {
			t.Errorf("a visitor's sample: %d, %.2f of the preview", got.Status, share)
		}
		if got := visitor.Do("GET", media+"sample-hq.opus", http.Header{"Range": {fmt.Sprintf("bytes=%d-", len(sound)-10)}}, nil); got.Status != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("a range behind the sample's end: %d", got.Status)
		}
		if got := member.Get(media + recordings.PreviewHQ); got.Status != http.StatusOK || got.Text != sound || got.Header.Get("Cache-Control") != "private, max-age=3600" {
			t.Errorf("a member's preview: %d, %d bytes, %s", got.Status, len(got.Text), got.Header.Get("Cache-Control"))
		}
		for _, name := range []string{"sample-hq.mp3", "sample-lq.mp3", "sample-peaks.dat", "sample-sample-hq.opus"} {
			if got := visitor.Get(media + name); got.Status != http.StatusNotFound {
				t.Errorf("%s: %d", name, got.Status)
			}
		}
		if page := visitor.Get("/recordings/" + strconv.FormatInt(rec.ID, 10)); !strings.Contains(page.Text, "sample-hq.opus") || strings.Contains(page.Text, recordings.PreviewHQ) {
			t.Errorf("a visitor's page names the wrong preview: %d", page.Status)
		}
	})
}

// TestPreviewBeingMarked looks at a recording that became paid before its marked previews are made: its page offers nothing to
// play that is not there, and offers them when they are.
func TestPreviewBeingMarked(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		owner, visitor := s.Person("Owner", "contributor"), s.Visitor()
		rec := publish(t, s, owner, preview(t, 2))
		page := "/recordings/" + strconv.FormatInt(rec.ID, 10)
		if _, err := db.Exec(t.Context(), s.DB, `UPDATE recording SET paid = 1 WHERE id = $1`, rec.ID); err != nil {
			t.Fatal(err)
		}
		if got := visitor.Get(page); got.Status != http.StatusOK || strings.Contains(got.Text, ".opus") || !strings.Contains(got.Text, "its preview is being made") {
			t.Errorf("a visitor before the mark: %d, names a preview: %v", got.Status, strings.Contains(got.Text, ".opus"))
		}
		if got := owner.Get(page); !strings.Contains(got.Text, recordings.PreviewHQ) {
			t.Error("the owner hears no unmarked preview")
		}
		if err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			return s.Jobs.Raise(t.Context(), tx, recordings.BecamePaid{RecordingID: rec.ID})
		}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the marked preview is offered and there", func() bool {
			return strings.Contains(visitor.Get(page).Text, recordings.MarkedHQ) && visitor.Get("/media/"+rec.Token+"/"+recordings.MarkedHQ).Status == http.StatusOK
		})
	})
}

// awaited is the body of an address once it is there.
func awaited(t *testing.T, p *testkit.Person, path string) (sound string) {
	t.Helper()
	testkit.Eventually(t, path+" is there", func() bool {
		got := p.Get(path)
		sound = got.Text
		return got.Status == http.StatusOK
	})
	return sound
}

// aside is the level of what an MP3 file has beside the tone of preview from 1.5 s on, where the first mark stands: a period less the one before.
func aside(t *testing.T, sound string) float64 {
	t.Helper()
	d, err := decode.Open(strings.NewReader(sound), sniff.Kind{Container: "mp3", Codec: "mp3"}, decode.Options{Size: int64(len(sound))})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var x []float32
	for {
		block, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		x = append(x, block[0]...)
	}
	rate := d.Info().SampleRate
	period, sum := rate/480, 0.
	for i := rate * 3 / 2; i < 2*rate; i++ {
		v := float64(x[i] - x[i-period])
		sum += v * v
	}
	return math.Sqrt(sum / float64(rate/2))
}

// TestMarkInMP3 asks for the MP3 previews of a recording that became paid: the visitor hears the mark in both, and
// nobody gets an unmarked one by its name.
func TestMarkInMP3(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		owner, visitor := s.Person("Owner", "contributor"), s.Visitor()
		rec := publish(t, s, owner, preview(t, 4))
		loud := map[string]float64{}
		for _, name := range []string{recordings.PreviewHQMP3, recordings.PreviewLQMP3} {
			loud[name] = aside(t, awaited(t, visitor, "/media/"+rec.Token+"/"+name))
		}
		if _, err := db.Exec(t.Context(), s.DB, `UPDATE recording SET paid = 1 WHERE id = $1`, rec.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
			return s.Jobs.Raise(t.Context(), tx, recordings.BecamePaid{RecordingID: rec.ID})
		}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the mark is made", func() bool {
			var err error
			if rec, err = s.Recordings.ByID(t.Context(), s.DB, rec.ID); err != nil {
				t.Fatal(err)
			}
			return rec.Marked != 0
		})
		for plain, marked := range map[string]string{recordings.PreviewHQMP3: recordings.MarkedHQMP3, recordings.PreviewLQMP3: recordings.MarkedLQMP3} {
			if got := aside(t, awaited(t, visitor, "/media/"+rec.Token+"/"+marked)); got < 4*loud[plain] {
				t.Errorf("%s: %.2g beside the tone, %.2g without the mark", marked, got, loud[plain])
			}
			if got := visitor.Get("/media/" + rec.Token + "/" + plain); got.Status == http.StatusOK {
				t.Errorf("%s goes to visitors", plain)
			}
		}
	})
}

func TestFileName(t *testing.T) {
	for _, try := range []struct{ title, by, want string }{
		{"Rain on tin", "Ana", "7__ana__rain-on-tin.wav"},
		{"../../etc/passwd", "a\r\nb", "7__a-b__etc-passwd.wav"},
		{"雨", "Ana", "7__ana__sound.wav"},
		{`"quoted"; filename=x`, "Ana", "7__ana__quoted-filename-x.wav"},
		{strings.Repeat("long ", 60), "Ana", "7__ana__" + strings.TrimSuffix(strings.Repeat("long-", 16), "-") + ".wav"},
	} {
		if got := listening.FileName(recordings.Recording{ID: 7, Title: try.title, Ext: "wav"}, try.by); got != try.want {
			t.Errorf("%q by %q: %q, want %q", try.title, try.by, got, try.want)
		}
	}
}
