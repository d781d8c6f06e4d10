package apiv2_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"audiomicro/internal/audio/synth"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// tone is a WAV file of seconds; each seed gives other bytes.
func tone(t testing.TB, seed int, seconds float64) []byte {
	t.Helper()
	block := make([]float32, int(seconds*44100))
	for i := range block {
		block[i] = float32(0.3 * math.Sin(float64(i)*0.02*float64(seed+3)))
	}
	var buf bytes.Buffer
	if err := synth.WriteWAV(&buf, [][]float32{block}, 44_100); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// client is a program that knows the API by its address and credentials only: no cookie.
type client struct {
	t      testing.TB
	site   *testkit.Site
	header http.Header
}

// with is a client that sends an Authorization header; empty sends none.
func with(t testing.TB, s *testkit.Site, authorization string) client {
	c := client{t, s, http.Header{}}
	if authorization != "" {
		c.header.Set("Authorization", authorization)
	}
	return c
}

func (c client) do(method, path, contentType string, body io.Reader) testkit.Answer {
	c.t.Helper()
	h := c.header.Clone()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return c.site.Visitor().Do(method, path, h, body)
}

func (c client) get(path string) testkit.Answer {
	c.t.Helper()
	return c.do(http.MethodGet, path, "", nil)
}

func (c client) post(path string, form url.Values) testkit.Answer {
	c.t.Helper()
	return c.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// upload sends a file with fields before and after it.
func (c client) upload(name string, data []byte, fields map[string]string) testkit.Answer {
	c.t.Helper()
	var body bytes.Buffer
	mw := multipart.NewWriter(&body)
	if len(fields) > 0 {
		mw.WriteField("tags", fields["tags"])
	}
	if data != nil {
		w, err := mw.CreateFormFile("audiofile", name)
		if err != nil {
			c.t.Fatal(err)
		}
		w.Write(data)
	}
	for k, v := range fields {
		if k != "tags" {
			mw.WriteField(k, v)
		}
	}
	mw.Close()
	return c.do(http.MethodPost, "/apiv2/sounds/upload/", mw.FormDataContentType(), &body)
}

// described are the fields of a description that lacks nothing.
func described(name, tags string) map[string]string {
	return map[string]string{"name": name, "tags": tags, "description": "Made for a test.", "license": "Attribution"}
}

type object = map[string]any

// want checks the status and gives the answer as JSON.
func want(t testing.TB, what string, got testkit.Answer, status int) object {
	t.Helper()
	var v object
	if got.Status != status {
		t.Fatalf("%s: %d, want %d: %s", what, got.Status, status, got.Text)
	}
	if origin := got.Header.Get("Access-Control-Allow-Origin"); origin != "*" {
		t.Errorf("%s: Access-Control-Allow-Origin %q", what, origin)
	}
	got.JSON(t, &v)
	return v
}

// detail checks that an answer is an error with exactly this text.
func detail(t testing.TB, what string, got testkit.Answer, status int, text string) {
	t.Helper()
	if v := want(t, what, got, status); v["detail"] != text {
		t.Errorf("%s: detail %q, want %q", what, v["detail"], text)
	}
}

// wrongField checks that a form was refused because of a field.
func wrongField(t testing.TB, what string, got testkit.Answer, field string) {
	t.Helper()
	v := want(t, what, got, http.StatusBadRequest)
	fields, _ := v["detail"].(object)
	list, _ := fields[field].([]any)
	if len(fields) != 1 || len(list) == 0 {
		t.Errorf("%s: %v, want a sentence about %s alone", what, v, field)
	}
}

func number(t testing.TB, v any) int64 {
	t.Helper()
	n, ok := v.(float64)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	return int64(n)
}

// state waits until a recording is in a state and gives it.
func state(t testing.TB, s *testkit.Site, id int64, is recordings.State) (rec recordings.Recording) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("recording %d is %s", id, is), func() bool {
		var err error
		if rec, err = s.Recordings.ByID(t.Context(), s.DB, id); err != nil {
			t.Fatal(err)
		}
		if rec.Processing == recordings.Failed {
			t.Fatalf("recording %d: %s", id, rec.ProcessingNote)
		}
		return rec.State == is
	})
	return rec
}
