package uploads_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"testing"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// tone is a short WAV file; each seed gives other bytes.
func tone(t testing.TB, seed int) []byte {
	t.Helper()
	block := make([]float32, 12_000)
	for i := range block {
		block[i] = float32(0.3 * math.Sin(float64(i)*0.02*float64(seed+3)))
	}
	var buf bytes.Buffer
	if err := synth.WriteWAV(&buf, [][]float32{block}, 48_000); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// draft uploads a tone through the form and gives its draft.
func draft(t testing.TB, p *testkit.Person, name string, seed int) recordings.Recording {
	t.Helper()
	res := p.Upload(map[string][]byte{name: tone(t, seed)})
	var id int64
	if _, err := fmt.Sscanf(res.Location, "/recordings/%d/edit", &id); res.Status != http.StatusSeeOther || err != nil {
		t.Fatalf("upload %s: %d %s %s", name, res.Status, res.Location, res.Text)
	}
	return find(t, p.Site, id)
}

func find(t testing.TB, s *testkit.Site, id int64) recordings.Recording {
	t.Helper()
	rec, err := s.Recordings.ByID(context.Background(), s.DB, id)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// ready waits until the recording is analyzed.
func ready(t testing.TB, s *testkit.Site, id int64) recordings.Recording {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("recording %d is analyzed", id), func() bool {
		p := find(t, s, id).Processing
		return p == recordings.Ready || p == recordings.Failed
	})
	rec := find(t, s, id)
	if rec.Processing != recordings.Ready {
		t.Fatalf("recording %d: %s", id, rec.ProcessingNote)
	}
	return rec
}

// described is a form that says all that a submission needs.
func described(title string) url.Values {
	return url.Values{
		"title": {title}, "description": {"Recorded *outside*."}, "tags": {"bell, metal, Short"}, "category": {"fx-o"}, "pack": {"Bells"},
		"offer": {"cc-by-4.0", "standard"}, "price-standard": {"9"}, "rights": {"on"}, "act": {"save"},
	}
}

// operator is the command line.
var operator access.Actor
