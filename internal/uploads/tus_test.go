package uploads_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/blob"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/uploads"
)

const octets = "application/offset+octet-stream"

// tus sends a request of the protocol; pairs are header names and values, an empty value leaves one out.
func tus(p *testkit.Person, method, at string, body []byte, pairs ...string) testkit.Answer {
	h := http.Header{"Tus-Resumable": {"1.0.0"}}
	for i := 0; i < len(pairs); i += 2 {
		if h.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			h.Del(pairs[i])
		}
	}
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	return p.Do(method, at, h, r)
}

// create announces a file and gives its address.
func create(t testing.TB, p *testkit.Person, name string, size int) string {
	t.Helper()
	res := tus(p, http.MethodPost, "/uploads/", nil, "Upload-Length", strconv.Itoa(size), "Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte(name)))
	if res.Status != http.StatusCreated {
		t.Fatalf("create: %d %s", res.Status, res.Text)
	}
	return res.Location
}

func patch(p *testkit.Person, at string, offset int, body []byte, pairs ...string) testkit.Answer {
	return tus(p, http.MethodPatch, at, body, append([]string{"Upload-Offset", strconv.Itoa(offset), "Content-Type", octets}, pairs...)...)
}

// stands checks how far an upload is.
func stands(t testing.TB, p *testkit.Person, at string, offset int) {
	t.Helper()
	res := tus(p, http.MethodHead, at, nil)
	if res.Status != http.StatusOK || res.Header.Get("Upload-Offset") != strconv.Itoa(offset) || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("HEAD: %d, offset %q, %q; want offset %d", res.Status, res.Header.Get("Upload-Offset"), res.Header.Get("Cache-Control"), offset)
	}
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// whole checks that an answer names the finished file and that its bytes are those sent.
func whole(t testing.TB, s *testkit.Site, res testkit.Answer, data []byte) recordings.Recording {
	t.Helper()
	if got := res.Header.Get("Upload-SHA256"); got != sum(data) || res.Header.Get("Upload-Offset") != strconv.Itoa(len(data)) {
		t.Fatalf("%d: Upload-SHA256 %q at %q, want %s: %s", res.Status, got, res.Header.Get("Upload-Offset"), sum(data), res.Text)
	}
	id, err := strconv.ParseInt(res.Header.Get("Upload-Recording"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	rec := find(t, s, id)
	f, err := s.Blobs.Open(context.Background(), blob.Ref(rec.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if kept, err := io.ReadAll(f); err != nil || !bytes.Equal(kept, data) {
		t.Fatalf("kept %d bytes, %v, other than the %d sent", len(kept), err, len(data))
	}
	return rec
}

func TestTusCreation(t *testing.T) {
	t.Parallel()
	small := func(c *config.Config) { c.MaxUpload = 1_000_000 }
	testkit.EachSite(t, small, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		res := tus(ann, http.MethodOptions, "/uploads/", nil, "Tus-Resumable", "")
		h := res.Header
		if res.Status != 204 || h.Get("Tus-Version") != "1.0.0" || h.Get("Tus-Max-Size") != "1000000" || h.Get("Tus-Checksum-Algorithm") != "sha1,sha256,md5" ||
			h.Get("Tus-Extension") != "creation,creation-with-upload,checksum,termination,expiration" {
			t.Errorf("OPTIONS: %d %v", res.Status, h)
		}
		for _, c := range []struct {
			name   string
			status int
			pairs  []string
		}{
			{"fine", 201, []string{"Upload-Length", "1000000"}},
			{"no version", 412, []string{"Upload-Length", "5", "Tus-Resumable", ""}},
			{"other version", 412, []string{"Upload-Length", "5", "Tus-Resumable", "0.2.2"}},
			{"no length", 400, nil},
			{"not a number", 400, []string{"Upload-Length", "five"}},
			{"negative", 400, []string{"Upload-Length", "-1"}},
			{"beyond int64", 400, []string{"Upload-Length", "99999999999999999999"}},
			{"deferred", 400, []string{"Upload-Defer-Length", "1"}},
			{"empty", 422, []string{"Upload-Length", "0"}},
			{"too large", 413, []string{"Upload-Length", "1000001"}},
			{"metadata not base64", 400, []string{"Upload-Length", "5", "Upload-Metadata", "filename %%%"}},
			{"without a name", 201, []string{"Upload-Length", "5", "Upload-Metadata", "filetype YXVkaW8vd2F2"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				res := tus(ann, http.MethodPost, "/uploads/", nil, c.pairs...)
				if res.Status != c.status {
					t.Fatalf("%d, want %d: %s", res.Status, c.status, res.Text)
				}
				if res.Header.Get("Tus-Resumable") != "1.0.0" {
					t.Error("no Tus-Resumable in the answer")
				}
				switch c.status {
				case 412:
					if res.Header.Get("Tus-Version") != "1.0.0" {
						t.Error("no Tus-Version in the answer")
					}
				case 201:
					if !strings.HasPrefix(res.Location, s.URL+"/uploads/") {
						t.Errorf("Location %q", res.Location)
					}
					if at, err := http.ParseTime(res.Header.Get("Upload-Expires")); err != nil || time.Until(at) < time.Hour {
						t.Errorf("Upload-Expires %q", res.Header.Get("Upload-Expires"))
					}
				}
			})
		}
		if res := tus(s.Visitor(), http.MethodPost, "/uploads/", nil, "Upload-Length", "5"); res.Status != http.StatusUnauthorized {
			t.Errorf("a visitor creates: %d", res.Status)
		}
		if res := tus(s.Person("Mia", "member"), http.MethodPost, "/uploads/", nil, "Upload-Length", "5"); res.Status != http.StatusForbidden {
			t.Errorf("a member who has not accepted the terms creates: %d", res.Status)
		}
		data := tone(t, 40)
		res = tus(ann, http.MethodPost, "/uploads/", data, "Upload-Length", strconv.Itoa(len(data)), "Content-Type", octets)
		if res.Status != 201 {
			t.Fatalf("creation with upload: %d %s", res.Status, res.Text)
		}
		whole(t, s, res, data)
		res = tus(ann, http.MethodPost, "/uploads/", data[:5000], "Upload-Length", strconv.Itoa(len(data)), "Content-Type", octets)
		if res.Status != 201 || res.Header.Get("Upload-Offset") != "5000" {
			t.Fatalf("creation with a part: %d %v", res.Status, res.Header)
		}
		res = patch(ann, res.Location, 5000, data[5000:])
		whole(t, s, res, data)
		if res.Header.Get("Upload-Repeated") != "1" {
			t.Error("the same bytes again are not named as such")
		}
	})
}

func TestTusPatch(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, bob := s.Person("Ann", "contributor"), s.Person("Bob", "contributor")
		data := tone(t, 50)
		at := create(t, ann, "fünf \"x\".wav", len(data))
		stands(t, ann, at, 0)
		refused := func(name string, res testkit.Answer, status int) {
			t.Helper()
			if res.Status != status {
				t.Errorf("%s: %d, want %d: %s", name, res.Status, status, res.Text)
			}
		}
		refused("wrong offset", patch(ann, at, 10, data[10:]), 409)
		refused("offset missing", tus(ann, http.MethodPatch, at, data, "Content-Type", octets), 400)
		refused("wrong type", patch(ann, at, 0, data, "Content-Type", "audio/wav"), 415)
		refused("other version", patch(ann, at, 0, data, "Tus-Resumable", "0.1"), 412)
		refused("unknown checksum", patch(ann, at, 0, data, "Upload-Checksum", "crc32 AAAA"), 400)
		refused("checksum of another length", patch(ann, at, 0, data, "Upload-Checksum", "sha1 AAAA"), 400)
		stands(t, ann, at, 0)

		good, wrong := sha1.Sum(data[:7000]), sha1.Sum(data[:6999])
		refused("wrong checksum", patch(ann, at, 0, data[:7000], "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(wrong[:])), 460)
		stands(t, ann, at, 0)
		if res := patch(ann, at, 0, data[:7000], "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(good[:])); res.Status != 204 || res.Header.Get("Upload-Offset") != "7000" {
			t.Fatalf("right checksum: %d %v %s", res.Status, res.Header, res.Text)
		}
		refused("wrong checksum in the middle", patch(ann, at, 7000, data[7000:9000], "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(wrong[:])), 460)
		refused("wrong checksum of the last part", patch(ann, at, 7000, data[7000:], "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(wrong[:])), 460)
		stands(t, ann, at, 7000)
		refused("offset behind", patch(ann, at, 0, data), 409)
		refused("nothing", patch(ann, at, 7000, nil), 204)
		stands(t, ann, at, 7000)

		for _, method := range []string{http.MethodHead, http.MethodPatch, http.MethodDelete} {
			refused("another's "+method, tus(bob, method, at, nil, "Upload-Offset", "7000", "Content-Type", octets), 404)
		}
		refused("unknown upload", tus(ann, http.MethodHead, "/uploads/0123456789abcdef", nil), 404)

		over := tus(ann, http.MethodPost, at, data[7000:8000], "Upload-Offset", "7000", "Content-Type", octets, "X-HTTP-Method-Override", "PATCH")
		refused("PATCH by POST", over, 204)
		res := patch(ann, at, 8000, data[8000:])
		rec := whole(t, s, res, data)
		if rec.FileName != "fünf \"x\".wav" || rec.OwnerID != ann.ID {
			t.Errorf("draft %q of %d", rec.FileName, rec.OwnerID)
		}
		refused("PATCH of a finished upload", patch(ann, at, len(data), nil), 204)
		refused("DELETE of a finished upload", tus(ann, http.MethodDelete, at, nil), 409)
		if res := tus(ann, http.MethodHead, at, nil); res.Header.Get("Upload-SHA256") != sum(data) {
			t.Errorf("HEAD of a finished upload: %v", res.Header)
		}

		longer := create(t, ann, "longer.wav", len(data)-1)
		refused("more than announced", patch(ann, longer, 0, data), 413)
		gone := create(t, ann, "gone.wav", len(data))
		refused("a part", patch(ann, gone, 0, data[:3000]), 204)
		refused("DELETE", tus(ann, http.MethodDelete, gone, nil), 204)
		refused("HEAD after DELETE", tus(ann, http.MethodHead, gone, nil), 404)
	})
}

func TestTusRefusesByContent(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, func(c *config.Config) { c.FFmpeg = "off" }, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		for _, c := range []struct{ name, content, says string }{
			{"page", "<!doctype html><script>alert(1)</script>" + strings.Repeat(" ", 90_000), "web page"},
			{"playlist", "#EXTM3U\n/etc/passwd\n" + strings.Repeat("#\n", 50_000), "playlist"},
			{"noise", strings.Repeat("\x01\x02\x03", 40_000), "accepts WAV"},
			{"short", "x", "accepts WAV"},
		} {
			t.Run(c.name, func(t *testing.T) {
				at := create(t, ann, c.name+".wav", len(c.content))
				res := patch(ann, at, 0, []byte(c.content))
				if res.Status != http.StatusUnsupportedMediaType || !strings.Contains(res.Text, c.says) {
					t.Fatalf("%d %s", res.Status, res.Text)
				}
				if res := tus(ann, http.MethodHead, at, nil); res.Status != http.StatusNotFound {
					t.Errorf("the refused upload is still there: %d", res.Status)
				}
			})
		}
		// Judged over two requests: neither alone holds what the sniffer looks at.
		page := []byte("<!doctype html>" + strings.Repeat(" ", 100_000))
		at := create(t, ann, "split.wav", len(page))
		if res := patch(ann, at, 0, page[:30_000]); res.Status != http.StatusNoContent {
			t.Fatalf("first part: %d %s", res.Status, res.Text)
		}
		if res := patch(ann, at, 30_000, page[30_000:]); res.Status != http.StatusUnsupportedMediaType {
			t.Fatalf("second part: %d %s", res.Status, res.Text)
		}
	})
}

func TestTusExpires(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ann, data := context.Background(), s.Person("Ann", "contributor"), tone(t, 60)
		at := create(t, ann, "old.wav", len(data))
		if res := patch(ann, at, 0, data[:4000]); res.Status != 204 {
			t.Fatalf("%d %s", res.Status, res.Text)
		}
		if _, err := db.Exec(ctx, s.DB, `UPDATE upload SET expires_at = 1`); err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodHead, http.MethodPatch} {
			if res := tus(ann, method, at, nil, "Upload-Offset", "4000", "Content-Type", octets); res.Status != http.StatusGone {
				t.Errorf("%s of an expired upload: %d", method, res.Status)
			}
		}
		if err := s.Uploads.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM upload`); err != nil || n != 0 {
			t.Errorf("%d rows after the sweep, %v", n, err)
		}
		if left, err := s.Blobs.ListStages(ctx, time.Now().Add(time.Hour)); err != nil || len(left) != 0 {
			t.Errorf("stages %v after the sweep, %v", left, err)
		}
	})
}

// hang opens a connection of its own, sends half of a PATCH and stays silent.
func hang(t *testing.T, p *testkit.Person, at string, offset int, length int, part []byte) net.Conn {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	cookies := ""
	for _, k := range p.Client.Jar.Cookies(u) {
		cookies += k.Name + "=" + k.Value + "; "
	}
	fmt.Fprintf(c, "PATCH %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nTus-Resumable: 1.0.0\r\nContent-Type: %s\r\nUpload-Offset: %d\r\nContent-Length: %d\r\n\r\n",
		u.Path, u.Host, strings.TrimSuffix(cookies, "; "), octets, offset, length)
	if _, err := c.Write(part); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTusTakesOver shows that a dead connection never blocks its upload.
func TestTusTakesOver(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, data := s.Person("Ann", "contributor"), tone(t, 70)
		type row struct {
			Received int64  `db:"received"`
			Lease    string `db:"lease"`
		}
		state := func() row {
			t.Helper()
			row, err := db.Get[row](context.Background(), s.DB, `SELECT received, lease FROM upload WHERE finished_at = 0`)
			if err != nil {
				t.Fatal(err)
			}
			return row
		}
		at, offset := create(t, ann, "hanging.wav", len(data)), 0
		hung := func(part int) net.Conn {
			t.Helper()
			was := state().Lease
			c := hang(t, ann, at, offset, len(data)-offset, data[offset:offset+part])
			testkit.Eventually(t, "the hanging PATCH has the lease", func() bool { now := state().Lease; return now != "" && now != was })
			return c
		}
		// The quickest of several is what the program needs; the others tell how busy the machine is.
		quickest := time.Hour
		for _, part := range []int{8000, 500, 400, 300} {
			c := hung(part)
			start := time.Now()
			res := tus(ann, http.MethodHead, at, nil)
			if res.Status != 200 {
				t.Fatalf("HEAD beside a hanging PATCH: %d", res.Status)
			}
			quickest = min(quickest, time.Since(start))
			now, err := strconv.Atoi(res.Header.Get("Upload-Offset"))
			if err != nil || int64(now) != state().Received || now < offset || now > offset+part {
				t.Fatalf("HEAD answers %v, the row has %d, before were %d and %d were sent", now, state().Received, offset, part)
			}
			c.Write(data[offset+part:]) // too late: it must not count
			stands(t, ann, at, now)
			offset = now
		}
		if quickest > time.Second {
			t.Errorf("HEAD took over after %s at best", quickest)
		}
		hung(0)
		start := time.Now()
		res := patch(ann, at, offset, data[offset:])
		if took := time.Since(start); took > 15*time.Second { // half of what a lease lasts
			t.Errorf("PATCH took over after %s", took)
		}
		whole(t, s, res, data)
	})
}

func TestTusGoesOnAfterRestart(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, data := s.Person("Ann", "contributor"), tone(t, 80)
		at := create(t, ann, "long.wav", len(data))
		if res := patch(ann, at, 0, data[:9000]); res.Status != 204 {
			t.Fatalf("%d %s", res.Status, res.Text)
		}
		s.Restart()
		stands(t, ann, at, 9000)
		whole(t, s, patch(ann, at, 9000, data[9000:]), data)
	})
}

// TestTusFinishesAfterCrash stages what a crash leaves: the bytes are committed, or staged beyond the row, and the draft's row
// is missing.
func TestTusFinishesAfterCrash(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ann := context.Background(), s.Person("Ann", "contributor")
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := db.Exec(ctx, s.DB, query, args...); err != nil {
				t.Fatal(err)
			}
		}
		committed := func(seed int) (string, []byte) {
			data := tone(t, seed)
			at := create(t, ann, "crash.wav", len(data))
			rec := whole(t, s, patch(ann, at, 0, data), data)
			ready(t, s, rec.ID)
			exec(`DELETE FROM recording WHERE id = $1`, rec.ID)
			exec(`UPDATE upload SET finished_at = 0, sha256 = '', recording_id = 0 WHERE recording_id = $1`, rec.ID)
			return at, data
		}
		at, data := committed(90)
		whole(t, s, tus(ann, http.MethodHead, at, nil), data)
		at, data = committed(91)
		if err := s.Uploads.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		whole(t, s, tus(ann, http.MethodHead, at, nil), data)

		data = tone(t, 92)
		at = create(t, ann, "tail.wav", len(data))
		if res := patch(ann, at, 0, data[:6000]); res.Status != 204 {
			t.Fatalf("%d %s", res.Status, res.Text)
		}
		if _, err := s.Blobs.Append(ctx, "u"+at[strings.LastIndex(at, "/")+1:], 6000, strings.NewReader("torn tail of a dead process")); err != nil {
			t.Fatal(err)
		}
		stands(t, ann, at, 6000)
		whole(t, s, patch(ann, at, 6000, data[6000:]), data)
	})
}

// TestTusOnTwoNodes moves an upload to another process while the first still waits for bytes, and lets the first go on too late.
func TestTusOnTwoNodes(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ann, data := context.Background(), s.Person("Ann", "contributor"), tone(t, 95)
		blobs, err := blob.OpenLocal(filepath.Join(s.Config.Data, "blobs"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		other := &uploads.Store{DB: s.DB, Blobs: blobs, Recordings: s.Recordings, Site: s.Site, Log: s.Uploads.Log, Now: time.Now, Node: "other", MaxBytes: 1 << 30, Lifetime: time.Hour}
		u, err := s.Uploads.Begin(ctx, ann.ID, "moved.wav", int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		r, w := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			_, err := s.Uploads.Receive(ctx, u, 0, r, nil)
			ended <- err
		}()
		if _, err := w.Write(data[:8000]); err != nil { // returns when the first node has read it
			t.Fatal(err)
		}
		moved, err := other.Find(ctx, ann.ID, u.Token)
		if err != nil {
			t.Fatal(err)
		}
		if moved, err = other.Receive(ctx, moved, moved.Received, strings.NewReader(""), nil); err != nil {
			t.Fatal(err)
		}
		moved, err = other.Receive(ctx, moved, moved.Received, bytes.NewReader(data[moved.Received:]), nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(bytes.Repeat([]byte("too late"), 1000))
		w.Close()
		if err := <-ended; err == nil {
			t.Error("the node that lost the upload reports success")
		}
		if moved.SHA256 != sum(data) {
			t.Fatalf("SHA-256 %s, want %s", moved.SHA256, sum(data))
		}
		f, err := blobs.Open(ctx, blob.Ref(moved.SHA256))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if kept, err := io.ReadAll(f); err != nil || !bytes.Equal(kept, data) {
			t.Fatalf("kept %d bytes other than those sent, %v", len(kept), err)
		}
	})
}

// TestTusCrowd lets many connections of one person send the same upload at once, each as a client would: ask, send, try again.
// They may hold each other up, but what counts is whole: one that is left alone finishes it.
func TestTusCrowd(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, data := s.Person("Ann", "contributor"), tone(t, 96)
		at := create(t, ann, "crowd.wav", len(data))
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for range 60 {
					head := tus(ann, http.MethodHead, at, nil)
					offset, err := strconv.Atoi(head.Header.Get("Upload-Offset"))
					switch {
					case head.Status == http.StatusLocked:
						continue
					case err != nil:
						t.Errorf("HEAD: %d %s", head.Status, head.Text)
						return
					case offset == len(data):
						return
					}
					res := patch(ann, at, offset, data[offset:min(offset+5000, len(data))])
					if res.Status != 204 && res.Status != 409 && res.Status != 423 {
						t.Errorf("PATCH: %d %s", res.Status, res.Text)
						return
					}
				}
			})
		}
		wg.Wait()
		res := tus(ann, http.MethodHead, at, nil)
		offset, err := strconv.Atoi(res.Header.Get("Upload-Offset"))
		if err != nil {
			t.Fatalf("HEAD: %d %s", res.Status, res.Text)
		}
		if offset < len(data) {
			res = patch(ann, at, offset, data[offset:])
		}
		whole(t, s, res, data)
	})
}

// TestTusAtOnce bounds what one person may have on the way, and drops what is on the way from the page.
func TestTusAtOnce(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Uploads.MaxUnfinished = 2
		ann, bob := s.Person("Ann", "contributor"), s.Person("Bob", "contributor")
		first := create(t, ann, "a.wav", 10_000)
		create(t, ann, "b.wav", 10_000)
		if res := tus(ann, http.MethodPost, "/uploads/", nil, "Upload-Length", "5"); res.Status != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
			t.Fatalf("the third: %d %s", res.Status, res.Text)
		}
		create(t, bob, "c.wav", 10_000)
		wants(t, ann.Get("/upload"), 200, "a.wav", "0 % received")
		drop := "/upload/drop/" + first[strings.LastIndex(first, "/")+1:]
		if res := bob.Post(drop, nil); res.Status != http.StatusNotFound {
			t.Errorf("drop another's: %d", res.Status)
		}
		if res := ann.Post(drop, nil); res.Location != "/upload" {
			t.Fatalf("drop: %d %s", res.Status, res.Text)
		}
		create(t, ann, "d.wav", 10_000)
	})
}

// TestTusWithBearer uploads as a program does.
func TestTusWithBearer(t *testing.T) {
	t.Parallel()
	s := testkit.NewSite(t, "sqlite", nil)
	ann, program, data := s.Person("Ann", "contributor"), s.Visitor(), tone(t, 97)
	bearer := []string{"Authorization", "Bearer " + ann.Bearer}
	res := tus(program, http.MethodPost, "/uploads/", data, append(bearer, "Upload-Length", strconv.Itoa(len(data)), "Content-Type", octets)...)
	if res.Status != http.StatusCreated {
		t.Fatalf("%d %s", res.Status, res.Text)
	}
	if rec := whole(t, s, res, data); rec.OwnerID != ann.ID {
		t.Errorf("owner %d", rec.OwnerID)
	}
	if res := tus(program, http.MethodHead, res.Location, nil, "Authorization", "Bearer wrong"); res.Status != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", res.Status)
	}
	if res := tus(program, http.MethodPost, "/uploads/", nil, "Authorization", "Token "+ann.Key, "Upload-Length", "5"); res.Status != http.StatusForbidden {
		t.Errorf("a key that may only read: %d", res.Status)
	}
}
