package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// TestSnapshot saves an index that has changed a lot, loads it, and asks the copy what the oracle knows; then both live on.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	ix, o, c := index.New(index.Config{}), oracle{}, cache{map[string][]query.Token{}, map[string]string{}}
	change := func(ix *index.Index, n int) {
		for range n {
			d := randomDocument(r, 1+r.Int64N(800))
			if r.IntN(3) == 0 {
				ix.Delete(d.ID)
				delete(o, d.ID)
				continue
			}
			if d.ID%2 == 0 {
				d.Vector = make([]float32, 64)
				d.Vector[d.ID%64], d.Vector[(d.ID+1)%64] = 1, float32(r.Float64())
			}
			o[d.ID] = d
			if err := ix.Put(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	change(ix, 3000)
	if err := ix.Put(index.Document{ID: 5000, Title: "Unspeakable heirloom", Description: "zyzzyva", Tags: []string{"qwertzuiop"}, Contributor: "Abernathy"}); err != nil {
		t.Fatal(err)
	}
	ix.Delete(5000)
	for round := range 3 {
		var saved bytes.Buffer
		if err := ix.Save(&saved); err != nil {
			t.Fatal(err)
		}
		for _, gone := range []string{"unspeakable", "Unspeakable", "zyzzyva", "qwertzuiop", "abernathy", "Abernathy"} {
			if bytes.Contains(saved.Bytes(), []byte(gone)) {
				t.Errorf("round %d: the snapshot holds %q of a recording that is gone", round, gone)
			}
		}
		loaded, err := index.Load(&saved, index.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if loaded.Len() != len(o) {
			t.Fatalf("round %d: loaded %d, want %d", round, loaded.Len(), len(o))
		}
		for n := range 150 {
			q := randomQuery(r)
			compare(t, fmt.Sprintf("round %d query %d %q %v", round, n, q.Text, q.Chips()), loaded, o, c, q)
			was, _ := ix.Search(q)
			is, _ := loaded.Search(q)
			if fmt.Sprint(was.Hits) != fmt.Sprint(is.Hits) {
				t.Errorf("round %d query %d: hits %v, before %v", round, n, is.Hits, was.Hits)
			}
			if t.Failed() {
				return
			}
		}
		for id := range o {
			was, known := ix.Similar(id, 5, nil)
			is, knows := loaded.Similar(id, 5, nil)
			if known != knows || fmt.Sprint(was) != fmt.Sprint(is) {
				t.Fatalf("round %d: similar to %d: %v, before %v", round, id, is, was)
			}
		}
		ix = loaded
		change(ix, 500)
	}
}

// TestSaveWhileWriting: what was saved halfway is whole once the changes since are applied again.
func TestSaveWhileWriting(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 9))
	ix := index.New(index.Config{})
	words := strings.Fields("alpha beta gamma delta epsilon zeta eta theta iota kappa")
	document := func(id int64) index.Document {
		return index.Document{ID: id, Title: fmt.Sprintf("%s %d", words[r.IntN(len(words))], r.IntN(4000)), Tags: []string{words[r.IntN(len(words))]}, Type: "wav", PublishedAt: id}
	}
	last := map[int64]index.Document{}
	for id := range int64(2000) {
		last[id+1] = document(id + 1)
		if err := ix.Put(last[id+1]); err != nil {
			t.Fatal(err)
		}
	}
	changes := map[int64]bool{}
	var saved bytes.Buffer
	// The writer is slow, and between any two of its writes recordings change.
	err := ix.Save(writerFunc(func(b []byte) (int, error) {
		for range 50 {
			d := document(1 + r.Int64N(2200))
			changes[d.ID] = true
			if r.IntN(3) == 0 {
				delete(last, d.ID)
				ix.Delete(d.ID)
				continue
			}
			last[d.ID] = d
			if err := ix.Put(d); err != nil {
				t.Error(err)
			}
		}
		return saved.Write(b)
	}))
	if err != nil || len(changes) == 0 {
		t.Fatal(len(changes), err)
	}
	loaded, err := index.Load(&saved, index.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for id := range changes {
		if d, ok := last[id]; !ok {
			loaded.Delete(id)
		} else if err := loaded.Put(d); err != nil {
			t.Fatal(err)
		}
	}
	if loaded.Len() != len(last) {
		t.Fatalf("%d recordings, want %d", loaded.Len(), len(last))
	}
	for _, text := range append(words, "alpha beta", "-eta", "12") {
		was, is := search(t, ix, query.Query{Text: text}, query.Tag), search(t, loaded, query.Query{Text: text}, query.Tag)
		if fmt.Sprint(was) != fmt.Sprint(is) {
			t.Errorf("%q: %v, want %v", text, is, was)
		}
	}
}

type writerFunc func(b []byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestDamagedSnapshot: no byte can change without being noticed, and no end can be missing.
func TestDamagedSnapshot(t *testing.T) {
	t.Parallel()
	ix := filled(t, index.Document{ID: 1, Title: "Rain", Tags: []string{"wet"}, Vector: []float32{1, 2, 3}}, index.Document{ID: 2, Title: "Wind"})
	var saved bytes.Buffer
	if err := ix.Save(&saved); err != nil {
		t.Fatal(err)
	}
	whole := saved.Bytes()
	load := func(b []byte) error {
		_, err := index.Load(bytes.NewReader(b), index.Config{VectorDims: 3})
		return err
	}
	if err := load(whole); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		if err := load(whole[:i]); !errors.Is(err, index.ErrSnapshot) {
			t.Fatalf("cut at %d of %d: %v", i, len(whole), err)
		}
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1 << (i % 8)
		if err := load(damaged); !errors.Is(err, index.ErrSnapshot) {
			t.Fatalf("byte %d of %d changed: %v", i, len(whole), err)
		}
	}
	if _, err := index.Load(io.MultiReader(bytes.NewReader(whole[:30]), failing{}), index.Config{}); !errors.Is(err, errFailing) {
		t.Errorf("a disk that fails: %v", err)
	}
}

var errFailing = errors.New("the disk fails")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errFailing }

// FuzzLoad loads anything: an index or an error, and an index answers.
func FuzzLoad(f *testing.F) {
	for n := range 3 {
		ix := index.New(index.Config{VectorDims: 3})
		for id := range int64(n * 100) {
			if err := ix.Put(index.Document{ID: id + 1, Title: fmt.Sprint("Rain ", id), Tags: []string{"wet"}, Vector: []float32{1, 2, 3}}); err != nil {
				f.Fatal(err)
			}
		}
		var saved bytes.Buffer
		if err := ix.Save(&saved); err != nil {
			f.Fatal(err)
		}
		f.Add(saved.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ix, err := index.Load(bytes.NewReader(b), index.Config{VectorDims: 3})
		if err != nil {
			return
		}
		if _, err := ix.Search(query.Query{Text: "rain"}, index.AllFacets()...); err != nil {
			t.Fatal(err)
		}
	})
}
