package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// sounds are made-up recordings from an id on.
func sounds(n int, seed uint64, from int64) []index.Document {
	next := index.SyntheticSounds(n, seed)
	list := make([]index.Document, 0, n)
	for d, ok := next(); ok; d, ok = next() {
		d.ID += from
		list = append(list, d)
	}
	return list
}

// pair is an index that sorts its vectors into cells, and one that compares all.
type pair struct{ cells, exact *index.Index }

func newPair(exactVectors int) pair {
	return pair{index.New(index.Config{ExactVectors: exactVectors}), index.New(index.Config{})}
}

func (p pair) put(t testing.TB, docs ...index.Document) {
	t.Helper()
	for _, d := range docs {
		if err := errors.Join(p.cells.Put(d), p.exact.Put(d)); err != nil {
			t.Fatal(err)
		}
	}
}

func (p pair) remove(id int64) {
	p.cells.Delete(id)
	p.exact.Delete(id)
}

func (p pair) cluster(t testing.TB, want bool) {
	t.Helper()
	if done, err := p.cells.Cluster(t.Context()); err != nil || done != want {
		t.Fatalf("clustered %v, %v, want %v", done, err, want)
	}
}

// recall asks both indexes and gives the share of the exact hits that the cells give too. The number of hits must be the same, and so must
// the cosine of a hit that both have.
func (p pair) recall(t testing.TB, asked []int64, n int, where *query.Filter) float64 {
	t.Helper()
	found, all := 0, 0
	for _, id := range asked {
		want, known := p.exact.Similar(id, n, where)
		got, knows := p.cells.Similar(id, n, where)
		if known != knows || len(want) != len(got) {
			t.Fatalf("%d is known %v and %v, with %d and %d hits", id, known, knows, len(want), len(got))
		}
		cosines := map[int64]float64{}
		for _, h := range got {
			cosines[h.ID] = h.Score
		}
		for _, h := range want {
			if cos, ok := cosines[h.ID]; ok {
				found++
				if cos != h.Score {
					t.Fatalf("%d to %d: cosine %v, exactly %v", id, h.ID, cos, h.Score)
				}
			}
		}
		if !slices.IsSortedFunc(got, func(a, b index.Hit) int { return int(1e6 * (b.Score - a.Score)) }) || len(cosines) != len(got) {
			t.Fatalf("similar to %d, in no order or twice: %v", id, got)
		}
		all += len(want)
	}
	return float64(found) / float64(max(all, 1))
}

// every gives the ids of n of the recordings, spread over them.
func every(docs []index.Document, n int) (ids []int64) {
	for i := range n {
		ids = append(ids, docs[i*len(docs)/n+3].ID)
	}
	return ids
}

// TestCellsFindWhatIsNear: with cells, at least .95 of the ten nearest are found, with and without filters, also of what came, went and
// changed since the cells were made; never fewer hits than comparing all gives.
func TestCellsFindWhatIsNear(t *testing.T) {
	t.Parallel()
	p := newPair(1500)
	docs := sounds(12_000, 1, 0)
	p.put(t, docs...)
	p.cluster(t, true)
	if cells := p.cells.Cells(); cells < 100 || p.exact.Cells() != 0 {
		t.Fatalf("%d cells, and %d of the index that has few vectors for its measure", cells, p.exact.Cells())
	}
	check := func(when string, docs []index.Document) {
		t.Helper()
		for name, where := range map[string]*query.Filter{
			"all": nil, "by type": query.Is(query.Type, "flac"), "by category": query.Is(query.Category, "fx-n"), "by length": query.Between(query.Length, 2, 12),
			"without a type":       {Op: query.Not, Kids: []*query.Filter{query.Is(query.Type, "wav")}},
			"few":                  {Op: query.And, Kids: []*query.Filter{query.Is(query.Type, "aiff"), query.Is(query.Category, "fx-el")}},
			"none":                 query.Is(query.Type, "mod"),
			"as good as unlimited": query.Between(query.Length, 0, 1e9),
		} {
			for n, least := range map[int]float64{1: .95, 10: .95, 200: .9} {
				recall := p.recall(t, every(docs, 40), n, where)
				if recall < least && name != "none" {
					t.Errorf("%s, %s: recall@%d is %.3f", when, name, n, recall)
				}
				if name == "few" && recall != 1 {
					t.Errorf("%s: few vectors are left by the filter, but not all of them were compared: recall %.3f", when, recall)
				}
			}
		}
	}
	check("at first", docs)
	r := rand.New(rand.NewPCG(4, 4))
	more := sounds(6000, 2, 12_000)
	for i, d := range more {
		if i%3 == 0 { // another sound under a number that there is
			d.ID = 1 + r.Int64N(12_000)
		}
		if i%11 == 0 {
			d.Vector = nil
		}
		p.put(t, d)
		if i%4 == 0 {
			p.remove(1 + r.Int64N(16_000))
		}
	}
	p.cluster(t, false) // not twice as many, and the same kinds of sounds
	check("after changes", append(docs, more...))
	if like, want := p.cells.Like(docs[7].Vector, 10, nil), p.exact.Like(docs[7].Vector, 10, nil); like[0] != want[0] || len(like) != 10 {
		t.Errorf("nearest to a vector is %v, want %v", like, want)
	}
}

// TestCellsHoldEveryVectorOnce: who asks for more hits than there are gets every recording with a vector, once, and nothing that was taken
// out, whatever happened before, during and after the cells were made.
func TestCellsHoldEveryVectorOnce(t *testing.T) {
	t.Parallel()
	p := newPair(100)
	docs := sounds(3000, 3, 0)
	p.put(t, docs...)
	whole := func() {
		t.Helper()
		if recall := p.recall(t, every(docs, 10), 5000, nil); recall != 1 {
			t.Fatalf("recall of everything is %.4f", recall)
		}
		if recall := p.recall(t, every(docs, 10), 5000, query.Is(query.Type, "wav")); recall != 1 {
			t.Fatalf("recall of all of a type is %.4f", recall)
		}
	}
	p.cluster(t, true)
	whole()
	for i, d := range docs {
		switch i % 5 {
		case 0:
			p.remove(d.ID)
		case 1:
			d.Vector = docs[(i+1)%len(docs)].Vector
			p.put(t, d)
		case 2:
			d.Vector = nil
			p.put(t, d)
		}
	}
	whole()
	for i, d := range docs { // what was taken out leaves its place to another
		if i%5 == 0 {
			d.ID += 10_000
			p.put(t, d)
		}
	}
	whole()
}

// TestCellsAreLearnedAnew when there are twice as many vectors, or others than there were; not otherwise, and given back when few are left.
func TestCellsAreLearnedAnew(t *testing.T) {
	t.Parallel()
	p := newPair(1000)
	docs := sounds(1500, 5, 0)
	p.put(t, docs[:1000]...)
	p.cluster(t, false) // all of 1,000 are compared
	p.put(t, docs[1000:]...)
	p.cluster(t, true)
	cells := p.cells.Cells()
	p.cluster(t, false)
	r := rand.New(rand.NewPCG(6, 6))
	for i := range int64(300) { // of no kind that there was
		d := index.Document{ID: 5000 + i, Vector: make([]float32, 64)}
		for j := range d.Vector {
			d.Vector[j] = float32(r.NormFloat64())
		}
		p.put(t, d)
	}
	p.cluster(t, true)
	p.cluster(t, false)
	p.put(t, sounds(2000, 7, 10_000)...)
	p.cluster(t, true)
	if now := p.cells.Cells(); now <= cells {
		t.Errorf("%d cells of twice as many vectors, %d before", now, cells)
	}
	var saved bytes.Buffer
	if err := p.cells.Save(&saved); err != nil {
		t.Fatal(err)
	}
	loaded, err := index.Load(&saved, index.Config{ExactVectors: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Cells() != 0 {
		t.Error("a snapshot that was loaded has cells")
	}
	if recall := (pair{loaded, p.exact}).recall(t, every(docs, 50), 20, nil); recall != 1 {
		t.Errorf("before its cells are made a loaded index compares all, but its recall is %.3f", recall)
	}
	if done, err := loaded.Cluster(t.Context()); err != nil || !done || loaded.Cells() == 0 {
		t.Errorf("the loaded index got no cells: %v, %v", done, err)
	}
	for _, d := range docs {
		p.remove(d.ID)
	}
	for id := int64(10_001); id <= 11_301; id++ {
		p.remove(id)
	}
	if recall := p.recall(t, []int64{11_500, 11_900, 5000}, 10, nil); recall != 1 {
		t.Errorf("all of 1,000 are compared, cells or not, but the recall is %.3f", recall)
	}
	for id := int64(11_302); id <= 11_900; id++ {
		p.remove(id)
	}
	p.cluster(t, false)
	if p.cells.Cells() != 0 {
		t.Error("few vectors are left, but the cells are kept")
	}
}

// TestCellsOfOneSound: a catalog in which nothing differs has cells too, and a search in them ends.
func TestCellsOfOneSound(t *testing.T) {
	t.Parallel()
	p := newPair(100)
	for id := range int64(500) {
		p.put(t, index.Document{ID: id + 1, Vector: slices.Repeat([]float32{1, 0, -1, .5}, 16)})
	}
	p.cluster(t, true)
	if recall := p.recall(t, []int64{1, 500}, 20, nil); recall == 0 {
		t.Error("none of the newest of equal sounds is found")
	}
}

// TestClusterStops: whoever ends the making of cells has the index as it was.
func TestClusterStops(t *testing.T) {
	t.Parallel()
	p := newPair(1000)
	docs := sounds(2000, 8, 0)
	p.put(t, docs...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if done, err := p.cells.Cluster(ctx); done || !errors.Is(err, context.Canceled) || p.cells.Cells() != 0 {
		t.Errorf("clustered %v, %v, into %d cells", done, err, p.cells.Cells())
	}
	if recall := p.recall(t, every(docs, 50), 10, nil); recall != 1 {
		t.Errorf("recall %.3f without cells", recall)
	}
	p.cluster(t, true)
}

// TestClusterWhileWriting makes cells again and again while recordings come, change and go, and are looked for: what was never put in or
// was taken out before is not found, and in the end every vector is in its cell.
func TestClusterWhileWriting(t *testing.T) {
	t.Parallel()
	const documents, gone = 1200, 9000
	p := newPair(300)
	docs := sounds(documents, 9, 0)
	p.put(t, docs...)
	p.put(t, index.Document{ID: gone, Type: "wav", Vector: docs[0].Vector})
	p.remove(gone)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writers, others sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 2))
			for range 1200 { // of its own half, so that both indexes end with the same
				d := docs[2*r.IntN(documents/2)+w]
				switch r.IntN(4) {
				case 0:
					p.remove(d.ID)
				case 1:
					d.Vector = docs[r.IntN(documents)].Vector
					fallthrough
				default:
					p.put(t, d)
				}
			}
		})
	}
	others.Go(func() {
		for n := int64(0); ctx.Err() == nil; n++ { // far more, then as many as before, so that cells are learned each time
			for i, d := range docs[:300] {
				d.ID = 20_000 + int64(i)
				if n%2 == 0 {
					d.Vector = slices.Repeat([]float32{1, -1, float32(n + 1), float32(i)}, 16)
				}
				p.put(t, d)
			}
			if _, err := p.cells.Cluster(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for q := range 2 {
		others.Go(func() {
			where := []*query.Filter{nil, query.Is(query.Type, "wav")}[q]
			for i := 0; ctx.Err() == nil; i++ {
				hits, _ := p.cells.Similar(docs[i%documents].ID, 50, where)
				seen := map[int64]bool{docs[i%documents].ID: true}
				for _, h := range hits {
					if seen[h.ID] || h.ID == gone || h.ID < 1 || h.ID > documents && (h.ID < 20_000 || h.ID >= 20_300) {
						t.Errorf("similar to %d: %v", docs[i%documents].ID, hits)
						return
					}
					seen[h.ID] = true
				}
			}
		})
	}
	writers.Wait()
	cancel()
	others.Wait()
	if _, err := p.cells.Cluster(t.Context()); err != nil || p.cells.Cells() == 0 {
		t.Fatalf("%d cells, %v", p.cells.Cells(), err)
	}
	if recall := p.recall(t, every(docs, 20), 5000, nil); recall != 1 {
		t.Errorf("recall of everything is %.4f", recall)
	}
}

// BenchmarkSimilar compares all of 200,000 vectors, or looks into cells.
func BenchmarkSimilar(b *testing.B) {
	docs := sounds(200_000, 1, 0)
	for _, exactVectors := range []int{1 << 20, 100_000} {
		ix := index.New(index.Config{ExactVectors: exactVectors})
		at := 0
		if err := ix.PutAll(func() (d index.Document, ok bool) {
			if ok = at < len(docs); ok {
				d = docs[at]
				at++
			}
			return d, ok
		}); err != nil {
			b.Fatal(err)
		}
		if _, err := ix.Cluster(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("cells=%d", ix.Cells()), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				ix.Similar(int64(i%len(docs))+1, 20, nil)
			}
		})
	}
}
