package index

import (
	"math"
	"slices"

	"audiomicro/internal/search/query"
)

// Length normalization of BM25F: how far a field's length counts (b). A title or a list of tags is short by nature.
var lengthShare = [3]float64{inTitle: .4, inTags: .3, inDescription: .75}

// maxScored is how many words a prefix scores with; the rest, the rarest, only match.
const maxScored = 256

// scored is a leaf that relevance is made of, with its share.
type scored struct {
	leaf  *query.Filter
	share float32
}

// score computes the relevance of each slot (ascending): the sum over the wanted leaves of their BM25F, and a little for
// popularity. A phrase scores with its words.
func (ix *Index) score(slots []uint32, leaves []scored, weights map[query.Field]float64) []float32 {
	scores := make([]float32, len(slots))
	ix.popularity(slots, scores)
	if len(slots) == 0 || len(leaves) == 0 {
		return scores
	}
	w := ix.weigher(ix.weights(weights))
	sums := make([]float32, len(slots))
	k1 := float32(ix.cfg.K1)
	add := func(forms []uint32, mask uint8, share float32) {
		idf := share * ix.idf(forms)
		ix.gather(slots, sums, forms, w, mask)
		for i, t := range sums {
			if t > 0 {
				scores[i] += idf * t * (k1 + 1) / (k1 + t)
				sums[i] = 0
			}
		}
	}
	for _, wanted := range leaves {
		leaf := wanted.leaf
		mask := textMask(leaf.Field)
		words := leaf.Words
		if leaf.Op != query.Phrase {
			add(ix.scoredForms(leaf), mask, wanted.share)
			words = words[:1]
		}
		for _, word := range words {
			share := float32(ix.cfg.ExactForm)
			if leaf.Op == query.Phrase {
				share++
			}
			add(ix.forms(&query.Filter{Op: query.Exact, Words: []string{word}}), mask, share*wanted.share)
		}
	}
	return scores
}

// popularity adds what downloads are worth. Most recordings have few, whose logarithm is computed once.
func (ix *Index) popularity(slots []uint32, scores []float32) {
	worth := func(n int64) float32 { return float32(ix.cfg.Popularity * math.Log1p(float64(n))) }
	var few [256]float32
	for n := range few {
		few[n] = worth(int64(n))
	}
	for i, slot := range slots {
		switch n := ix.downloads[slot]; {
		case n <= 0:
		case n < int64(len(few)):
			scores[i] += few[n]
		default:
			scores[i] += worth(n)
		}
	}
}

// scoredForms lists the forms that a leaf scores with: all, or the most used of a short prefix.
func (ix *Index) scoredForms(leaf *query.Filter) []uint32 {
	forms := ix.forms(leaf)
	if len(forms) > maxScored {
		forms = ix.terms.mostUsed(forms, maxScored)
	}
	return forms
}

// idf is the worth of a word: the rarer, the more.
func (ix *Index) idf(forms []uint32) float32 {
	n, df := float64(ix.slots.n), 0.0
	for _, id := range forms {
		df += float64(ix.terms.counts[id])
	}
	df = min(df, n)
	return float32(math.Log1p((n - df + .5) / (df + .5)))
}

// weights are those that a query names, or the index's own. A field that it does not name counts nothing then.
func (ix *Index) weights(named map[query.Field]float64) Weights {
	if named == nil {
		return ix.cfg.Weights
	}
	return Weights{Title: named[query.Title], Tags: named[query.TagWord], Description: named[query.Description], Contributor: named[query.ByWord], Pack: named[query.PackWord]}
}

// weigher turns a word's byte and a recording's field lengths into the weighted, length-normalized count of BM25F.
type weigher struct {
	count [3][256][4]float32 // field, quantized length, count
	rest  [4]float32         // contributor (bit 0) and pack (bit 1)
}

func (ix *Index) weigher(of Weights) *weigher {
	w := &weigher{}
	weights := [3]float64{of.Title, of.Tags, of.Description}
	for f := range w.count {
		mean := max(float64(ix.lengths[f])/max(float64(ix.slots.n), 1), 1)
		for q := range w.count[f] {
			norm := 1 - lengthShare[f] + lengthShare[f]*float64(fieldLength(uint8(q)))/mean
			for n := range w.count[f][q] {
				w.count[f][q][n] = float32(weights[f] * float64(n) / norm)
			}
		}
	}
	for i := range w.rest {
		w.rest[i] = float32(float64(i&1)*of.Contributor + float64(i>>1)*of.Pack)
	}
	return w
}

func (w *weigher) of(b uint8, length [3]uint8) float32 {
	return w.count[0][length[0]][b&3] + w.count[1][length[1]][b>>2&3] + w.count[2][length[2]][b>>4&3] + w.rest[b>>6]
}

// manyForms is from how many forms on a leaf is added up over the whole catalog's slots: each form is then walked once, and the hits
// once, not the hits once for each form.
const manyForms = 5

// gather adds to sums what the forms weigh in each slot. Rare words look their slots up among the hits, a few hits look
// themselves up in a common word, and otherwise both lists are walked side by side.
func (ix *Index) gather(slots []uint32, sums []float32, forms []uint32, w *weigher, mask uint8) {
	if len(forms) >= manyForms && len(slots) > 1000 {
		ix.gatherMany(slots, sums, forms, w, mask)
		return
	}
	for _, id := range forms {
		p := &ix.terms.postings[id]
		n := int(ix.terms.counts[id])
		switch {
		case p.big != nil && p.big.ranks != nil && len(slots) < n/3:
			for i, slot := range slots {
				if p.big.ranks.has(slot) {
					sums[i] += w.of(p.big.marks[p.big.ranks.of(slot)]&mask, ix.fieldLen[slot])
				}
			}
		case p.big != nil && len(slots) < n/128:
			for i, slot := range slots {
				if p.big.set.Contains(slot) {
					sums[i] += w.of(p.big.marks[p.big.rank(slot)]&mask, ix.fieldLen[slot])
				}
			}
		case n < len(slots)/16:
			p.each(true, func(slot uint32, mark uint8) {
				if i, ok := slices.BinarySearch(slots, slot); ok {
					sums[i] += w.of(mark&mask, ix.fieldLen[slot])
				}
			})
		default:
			i := 0
			p.each(true, func(slot uint32, mark uint8) {
				for i < len(slots) && slots[i] < slot {
					i++
				}
				if i < len(slots) && slots[i] == slot {
					sums[i] += w.of(mark&mask, ix.fieldLen[slot])
				}
			})
		}
	}
}

// gatherMany is gather for many forms and many hits.
func (ix *Index) gatherMany(slots []uint32, sums []float32, forms []uint32, w *weigher, mask uint8) {
	bySlot := make([]float32, len(ix.ids))
	for _, id := range forms {
		ix.terms.postings[id].each(true, func(slot uint32, mark uint8) {
			bySlot[slot] += w.of(mark&mask, ix.fieldLen[slot])
		})
	}
	for i, slot := range slots {
		sums[i] += bySlot[slot]
	}
}
