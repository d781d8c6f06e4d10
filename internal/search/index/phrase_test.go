package index_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// TestPhrasesFollowChanges asks for phrases of so many recordings that their sets are kept, while recordings change, go and come: each time
// the answer is that of a plain list of the titles.
func TestPhrasesFollowChanges(t *testing.T) {
	t.Parallel()
	const documents = 12_000 // most have both words: more than are read each time
	r := rand.New(rand.NewPCG(7, 7))
	ix := index.New(index.Config{})
	titles := map[int64]string{}
	put := func(id int64) {
		titles[id] = one(r, "kick drum", "drum kick", "kick drum loop", "a kick and a drum", "snare")
		// The tags follow the title, but not as its words do.
		if err := ix.Put(index.Document{ID: id, Title: titles[id], Tags: []string{"kick", "drum"}, Category: one(r, "fx-a", "m-b")}); err != nil {
			t.Fatal(err)
		}
	}
	for id := range int64(documents) {
		put(id + 1)
	}
	check := func(when string) {
		t.Helper()
		for phrase, has := range map[string][]string{"kick drum": {"kick drum", "kick drum loop"}, "drum kick": {"drum kick"}, "drum loop": {"kick drum loop"}} {
			want := 0
			for _, title := range titles {
				if slices.Contains(has, title) {
					want++
				}
			}
			for _, q := range []query.Query{{Text: `"` + phrase + `"`, Limit: 1}, {Text: `title:"` + phrase + `"`, Limit: 1}} {
				if got := search(t, ix, q).Total; got != want {
					t.Fatalf("%s, %s: %d found, not %d", when, q.Text, got, want)
				}
			}
			half := search(t, ix, query.Query{Text: `"` + phrase + `"`, Limit: 1}.With(query.Category, "fx-a")).Total
			rest := search(t, ix, query.Query{Text: `"` + phrase + `"`, Limit: 1}.With(query.Category, "m-b")).Total
			if half+rest != want {
				t.Fatalf("%s, %s: %d and %d found in two categories, not %d", when, phrase, half, rest, want)
			}
		}
	}
	check("at first")
	for round := range 30 {
		for range 1 + r.IntN(200) {
			switch id := 1 + r.Int64N(documents+500); {
			case titles[id] != "" && r.IntN(3) == 0:
				ix.Delete(id)
				delete(titles, id)
			default:
				put(id)
			}
		}
		check(fmt.Sprintf("round %d", round))
	}
	for id := range int64(documents) { // so many that what is kept is forgotten
		put(id + 1)
	}
	for range 40 {
		put(documents + 1000)
	}
	for id := range int64(documents) {
		put(id + 1)
	}
	check("after a flood")

	// Readers beside a writer; the race detector watches.
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := ix.Search(query.Query{Text: `"kick drum"`, Limit: 1}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 300 {
		put(1 + r.Int64N(documents))
	}
	close(stop)
	readers.Wait()
	check("after readers")
}

// BenchmarkPhraseOfMany asks for a phrase whose words 200,000 recordings have, one of which changes each time.
func BenchmarkPhraseOfMany(b *testing.B) {
	ix := index.New(index.Config{})
	doc := func(i int64) index.Document {
		return index.Document{ID: i + 1, Title: []string{"kick drum", "drum kick", "a kick and a drum"}[i%3], Description: "A recording of it, in a room, with two microphones.", Category: "fx-a"}
	}
	i := int64(0)
	if err := ix.PutAll(func() (index.Document, bool) { i++; return doc(i), i <= 200_000 }); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := ix.Put(doc(100)); err != nil {
			b.Fatal(err)
		}
		if _, err := ix.Search(query.Query{Text: `"kick drum"`, Limit: 10}); err != nil {
			b.Fatal(err)
		}
	}
}
