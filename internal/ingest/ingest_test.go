package ingest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/downmix"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/audio/loudness"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/ingest"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestPreviewsPlayEquallyLoud uploads one tone in one, two and six channels: what the player adds brings each preview, as it is
// heard from two loudspeakers, to -18 LUFS.
func TestPreviewsPlayEquallyLoud(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx := context.Background()
		ann := s.Person("Ann", "contributor")
		for _, channels := range []int{1, 2, 6} {
			planar := make([][]float32, channels)
			for c := range planar {
				planar[c] = make([]float32, 4*48_000)
				for i := range planar[c] {
					planar[c][i] = float32(0.05 * math.Sin(2*math.Pi*997*float64(i)/48_000))
				}
			}
			var buf bytes.Buffer
			if err := synth.WriteWAV(&buf, planar, 48_000); err != nil {
				t.Fatal(err)
			}
			var id int64
			res := ann.Upload(map[string][]byte{fmt.Sprintf("tone-%d.wav", channels): buf.Bytes()})
			if _, err := fmt.Sscanf(res.Location, "/recordings/%d/edit", &id); err != nil {
				t.Fatalf("upload: %d %s", res.Status, res.Text)
			}
			testkit.Eventually(t, "the tone is analyzed", func() bool {
				rec, err := s.Recordings.ByID(ctx, s.DB, id)
				if err != nil {
					t.Fatal(err)
				}
				return rec.Processing == recordings.Ready
			})
			m := loudness.New(48_000, 2)
			heard := downmix.New(channels).Mix(planar)
			m.Write([][]float32{heard[0], heard[len(heard)-1]})
			var gain float64
			page := ann.Get(fmt.Sprintf("/recordings/%d", id)).Text
			if _, after, ok := strings.Cut(page, `data-gain="`); !ok {
				t.Fatalf("%d channels: the page names no gain", channels)
			} else if _, err := fmt.Sscanf(after, "%g", &gain); err != nil {
				t.Fatal(err)
			}
			if want := -18 - m.Result().Integrated; math.Abs(gain-want) > .15 {
				t.Errorf("%d channels: the player adds %.1f dB, should add %.2f", channels, gain, want)
			}
		}
	})
}

// TestFormatsPage: an administrator sees what is read through what, with ffmpeg, without, and with one that does not work; a
// file that nothing reads is refused with the reason.
func TestFormatsPage(t *testing.T) {
	t.Parallel()
	ffmpeg := testkit.Tool(t, "ffmpeg")
	var files [][]byte // other bytes for each case, for the same are not taken twice
	for seed := range 3 {
		packed := filepath.Join(t.TempDir(), "noise.wv")
		if text, err := exec.Command(ffmpeg, "-v", "error", "-nostdin", "-f", "lavfi", "-i", fmt.Sprintf("anoisesrc=d=1:a=0.1:seed=%d", seed), "-c:a", "wavpack", packed).CombinedOutput(); err != nil {
			t.Fatalf("ffmpeg: %v: %s", err, text)
		}
		file, err := os.ReadFile(packed)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		admin, ann := s.Person("Ada", "admin"), s.Person("Ann", "contributor")
		if res := ann.Get("/admin/formats"); res.Status != http.StatusNotFound {
			t.Errorf("a contributor sees the page: %d", res.Status)
		}
		for i, c := range []struct {
			path     string
			has, not []string
			state    recordings.Processing
			note     string
		}{
			{ffmpeg, []string{"WavPack", ffmpeg, "FLAC", "Ogg Opus", "A process for each file"}, []string{"needs ffmpeg", "built without"}, recordings.Ready, ""},
			{"", []string{"WavPack", "needs ffmpeg, which was not found", "Ogg Opus"}, []string{"built without"}, recordings.Failed, "WAV (also RF64"},
			{"/bin/false", []string{"/bin/false does not answer"}, []string{"needs ffmpeg, which"}, recordings.Failed, ""},
		} {
			s.Ingest.FFmpeg = c.path
			page := admin.Get("/admin/formats")
			if page.Status != http.StatusOK {
				t.Fatalf("ffmpeg %q: %d %s", c.path, page.Status, page.Text)
			}
			for _, text := range c.has {
				if !strings.Contains(page.Text, text) {
					t.Errorf("ffmpeg %q: the page does not say %q", c.path, text)
				}
			}
			for _, text := range c.not {
				if strings.Contains(page.Text, text) {
					t.Errorf("ffmpeg %q: the page says %q", c.path, text)
				}
			}
			var id int64
			res := ann.Upload(map[string][]byte{"noise.wv": files[i]})
			if _, err := fmt.Sscanf(res.Location, "/recordings/%d/edit", &id); err != nil {
				if c.state == recordings.Ready || !strings.Contains(res.Text, c.note) {
					t.Errorf("ffmpeg %q: upload: %d %s", c.path, res.Status, res.Text)
				}
				continue
			}
			var rec recordings.Recording
			testkit.Eventually(t, "the analysis ends", func() bool {
				var err error
				if rec, err = s.Recordings.ByID(context.Background(), s.DB, id); err != nil {
					t.Fatal(err)
				}
				return rec.Processing == recordings.Ready || rec.Processing == recordings.Failed
			})
			if rec.Processing != c.state || !strings.Contains(rec.ProcessingNote, c.note) {
				t.Errorf("ffmpeg %q: %s, %q", c.path, rec.Processing, rec.ProcessingNote)
			}
		}
	})
}

// failing is an object store whose connection breaks in the middle of each read.
type failing struct{ blob.Store }

var errCut = errors.New("connection reset")

func (failing) Path(blob.Ref) (string, bool) { return "", false }

func (f failing) OpenRange(ctx context.Context, ref blob.Ref, offset, length int64) (io.ReadCloser, error) {
	r, err := f.Store.OpenRange(ctx, ref, offset, length)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r, 20_000), iotest.ErrReader(errCut)), r}, nil
}

// TestStorageBreaks has the object store fail under the analysis: the file is not to blame, so the job is tried again. A
// format whose length only its end tells would otherwise even pass for a shorter sound.
func TestStorageBreaks(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx := context.Background()
		ann := s.Person("Ann", "contributor")
		block := make([]float32, 24_000)
		for i := range block {
			block[i] = float32(0.3 * math.Sin(float64(i)*0.05))
		}
		var buf bytes.Buffer
		if err := synth.WriteWAV(&buf, [][]float32{block}, 48_000); err != nil {
			t.Fatal(err)
		}
		endless := bytes.Clone(buf.Bytes()) // as a recorder leaves it that cannot go back: read to the end of the file
		binary.LittleEndian.PutUint32(endless[4:], math.MaxUint32)
		binary.LittleEndian.PutUint32(endless[40:], math.MaxUint32)
		for name, file := range map[string][]byte{"whole.wav": buf.Bytes(), "endless.wav": endless} {
			var id int64
			res := ann.Upload(map[string][]byte{name: file})
			if _, err := fmt.Sscanf(res.Location, "/recordings/%d/edit", &id); err != nil {
				t.Fatalf("upload: %d %s", res.Status, res.Text)
			}
			var rec recordings.Recording
			testkit.Eventually(t, name+" is analyzed", func() bool {
				var err error
				if rec, err = s.Recordings.ByID(ctx, s.DB, id); err != nil {
					t.Fatal(err)
				}
				return rec.Processing == recordings.Ready
			})
			again := ingest.Store{DB: s.DB, Blobs: failing{s.Blobs}, Recordings: s.Recordings, Log: s.Ingest.Log, Dir: t.TempDir(), MaxSeconds: 100}
			if err := again.Analyze(ctx, id, false); !errors.Is(err, errCut) {
				t.Errorf("%s: the analysis answered %v", name, err)
			}
			now, err := s.Recordings.ByID(ctx, s.DB, id)
			if err != nil {
				t.Fatal(err)
			}
			if now.Processing != recordings.Analyzing || now.Frames != rec.Frames {
				t.Errorf("%s: %s, %q, %d frames of %d", name, now.Processing, now.ProcessingNote, now.Frames, rec.Frames)
			}
		}
	})
}

// TestRefresh describes recordings again that an older version of the program described: what was measured is as of today, what people
// wrote stays. One that cannot be listened to any more keeps what it has, but a vector that no longer compares; one whose original is away
// keeps nobody waiting and waits itself. Staff see how many wait.
func TestRefresh(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx := context.Background()
		admin, ann := s.Person("Ada", "admin"), s.Person("Ann", "contributor")
		type row struct {
			Version   int64  `db:"version"`
			Described int64  `db:"described"`
			Vector    []byte `db:"vector"`
		}
		described := func(id int64) row {
			t.Helper()
			r, err := db.Get[row](ctx, s.DB, `SELECT version, described, vector FROM recording_analysis WHERE recording_id = $1`, id)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := db.Exec(ctx, s.DB, query, args...); err != nil {
				t.Fatal(err)
			}
		}
		var ids []int64
		for i := range 4 {
			block := make([]float32, 24_000)
			for k := range block {
				block[k] = float32(0.3 * math.Sin(float64(k)*0.05*float64(i+1)))
			}
			id := uploadMono(t, ann, fmt.Sprintf("tone%d.wav", i), block, 48_000)
			testkit.Eventually(t, "its details are measured", func() bool {
				v, err := s.Recordings.DetailVersion(ctx, id)
				return err == nil && v == describe.DetailVersion
			})
			ids = append(ids, id)
		}
		if page := admin.Get("/admin/formats").Text; strings.Count(page, "4 of 4") != 2 {
			t.Errorf("nothing waits: %s", page)
		}
		before, err := s.Recordings.ByID(ctx, s.DB, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		was := described(ids[0])
		if len(was.Vector) != likeness.Size || was.Described != describe.Version {
			t.Fatalf("described by version %d, a vector of %d bytes", was.Described, len(was.Vector))
		}
		err = s.DB.Tx(ctx, func(tx *db.Tx) error {
			return s.Recordings.Describe(ctx, tx, access.Actor{ID: before.OwnerID}, ids[0],
				recordings.Description{Title: "Low tone", Description: "At 120 BPM in A minor.", Tags: []string{"tone", "120bpm", "a minor"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		// As an older program left them: another tempo, another key, and for two of them another vector.
		exec(`UPDATE recording SET tempo = 77, tempo_confidence = 1, musical_key = 'B minor', key_confidence = 1`)
		exec(`UPDATE recording_analysis SET described = 0`)
		exec(`UPDATE recording_analysis SET version = 1, vector = $1 WHERE recording_id IN ($2, $3)`, []byte{1, 2, 3}, ids[0], ids[1])
		if page := admin.Get("/admin/formats").Text; !strings.Contains(page, "0 of 4") || !strings.Contains(page, "4 wait") {
			t.Errorf("four wait: %s", page)
		}
		// What stands under the hash of two of them is no sound any more, and the newest one's original is away.
		ref, _, err := s.Blobs.Put(ctx, bytes.NewReader(make([]byte, 5000)))
		if err != nil {
			t.Fatal(err)
		}
		exec(`UPDATE recording SET sha256 = $1, byte_size = 5000 WHERE id IN ($2, $3)`, string(ref), ids[1], ids[2])
		exec(`UPDATE recording SET sha256 = $1 WHERE id = $2`, strings.Repeat("ab", 32), ids[3])
		s.Ingest.Wanted = func(context.Context) (bool, error) { return true, nil }
		if err := s.Ingest.Refresh(ctx, s.Now().Add(time.Hour)); err != nil || described(ids[0]).Described != 0 {
			t.Fatalf("while somebody waits: %v, version %d", err, described(ids[0]).Described)
		}
		s.Ingest.Wanted = nil
		if err := s.Ingest.Refresh(ctx, s.Now().Add(time.Hour)); err != nil { // the one that is away is noted and keeps nobody waiting
			t.Errorf("with an original that is away: %v", err)
		}
		now, err := s.Recordings.ByID(ctx, s.DB, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		if now.Tempo != before.Tempo || now.Key != before.Key || now.Title != "Low tone" || now.Description != "At 120 BPM in A minor." {
			t.Errorf("described again: %g BPM, %q, %q, %q", now.Tempo, now.Key, now.Title, now.Description)
		}
		if tags, err := s.Recordings.Tags(ctx, s.DB, ids[0]); err != nil || !slices.Equal(tags, []string{"tone", "120bpm", "a minor"}) {
			t.Errorf("its tags: %v, %v", tags, err)
		}
		if r := described(ids[0]); r.Version != likeness.Version || r.Described != describe.Version || !bytes.Equal(r.Vector, was.Vector) {
			t.Errorf("described again: version %d, %d, %d bytes, the same %t", r.Version, r.Described, len(r.Vector), bytes.Equal(r.Vector, was.Vector))
		}
		for i, size := range map[int]int{1: 0, 2: likeness.Size} {
			if r := described(ids[i]); r.Version != likeness.Version || r.Described != describe.Version || len(r.Vector) != size {
				t.Errorf("no sound any more, %d: version %d, %d, %d bytes", i, r.Version, r.Described, len(r.Vector))
			}
			if rec, err := s.Recordings.ByID(ctx, s.DB, ids[i]); err != nil || rec.Processing != recordings.Ready || rec.Tempo != 77 {
				t.Errorf("what was ready is %s, %g BPM, %v", rec.Processing, rec.Tempo, err)
			}
		}
		if rec, err := s.Recordings.ByID(ctx, s.DB, ids[3]); err != nil || described(ids[3]).Described != describe.Version || rec.Tempo != 77 {
			t.Errorf("its original is away: version %d, %g BPM, %v", described(ids[3]).Described, rec.Tempo, err)
		}
		if page := admin.Get("/admin/formats").Text; !strings.Contains(page, "4 of 4") || !strings.Contains(page, "Bytes are missing") {
			t.Errorf("what cannot be listened to: %s", page)
		}
	})
}

// uploadMono uploads one channel as a WAV file and returns the id of its recording.
func uploadMono(t *testing.T, who *testkit.Person, name string, block []float32, rate int) (id int64) {
	t.Helper()
	var wav bytes.Buffer
	if err := synth.WriteWAV(&wav, [][]float32{block}, rate); err != nil {
		t.Fatal(err)
	}
	res := who.Upload(map[string][]byte{name: wav.Bytes()})
	if _, err := fmt.Sscanf(res.Location, "/recordings/%d/edit", &id); err != nil {
		t.Fatalf("upload: %d %s", res.Status, res.Text)
	}
	return id
}
