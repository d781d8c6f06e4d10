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

// scorer computes the relevance of hits: the sum over the wanted leaves of their BM25F, and a little for popularity. A phrase scores with
// its words.
type scorer struct {
	ix    *Index
	s     *scratch
	w     *weigher
	parts []scoredPart
	few   [256]float32 // what few downloads are worth
	dense bool         // the hits come block by block, and forms are added up over all slots of a block
}

// scoredPart is what one word, or one prefix, adds.
type scoredPart struct {
	forms []uint32
	mask  uint8   // of the fields that count
	worth float32 // its share times its idf
	exact float32 // the same of what the first form adds once more, being the word as typed; 0 when it is not there
	walks []walker
}

// scorer is for hits of so many recordings; the scratch is the caller's as long as it lives.
func (ix *Index) scorer(s *scratch, hits int, leaves []scored, weights map[query.Field]float64) *scorer {
	r := &scorer{ix: ix, s: s}
	for n := range r.few {
		r.few[n] = ix.popularity(int64(n))
	}
	if hits == 0 || len(leaves) == 0 {
		return r
	}
	r.w = ix.weigher(ix.weights(weights))
	for _, wanted := range leaves {
		leaf := wanted.leaf
		mask := textMask(leaf.Field)
		exact := func(word string, share float32) ([]uint32, float32) {
			forms := ix.forms(&query.Filter{Op: query.Exact, Words: []string{word}})
			return forms, share * ix.idf(forms)
		}
		if leaf.Op == query.Phrase {
			for _, word := range leaf.Words {
				forms, worth := exact(word, (1+float32(ix.cfg.ExactForm))*wanted.share)
				r.parts = append(r.parts, scoredPart{forms: forms, mask: mask, worth: worth})
			}
			continue
		}
		forms := ix.scoredForms(leaf)
		p := scoredPart{forms: forms, mask: mask, worth: wanted.share * ix.idf(forms)}
		if typed, worth := exact(leaf.Words[0], float32(ix.cfg.ExactForm)*wanted.share); len(typed) > 0 {
			p.exact = worth
		}
		r.parts = append(r.parts, p)
	}
	r.dense = hits > ix.slots.n/denseShare
	for _, p := range r.parts {
		r.dense = r.dense || len(p.forms) >= manyForms && hits > 1000
	}
	if r.dense {
		for i := range r.parts {
			r.parts[i].walks = ix.walkers(r.parts[i].forms)
		}
	}
	return r
}

// denseShare is the part of the catalog from which on hits are scored over whole blocks.
const denseShare = 16

// manyForms is from how many forms on hits are scored over whole blocks even when they are few: each form is then walked once, and the
// hits once, not the hits once for each form.
const manyForms = 5

// score sets the relevance of slots, which ascend; all are of one block if the scorer is dense.
func (r *scorer) score(slots []uint32, scores []float32) {
	r.popularities(slots, scores)
	k1 := float32(r.ix.cfg.K1)
	for i := range r.parts {
		p := &r.parts[i]
		if len(p.forms) == 0 || len(slots) == 0 {
			continue
		}
		if r.dense {
			r.scoreBlock(slots, scores, p)
			continue
		}
		sums := zeroed(&r.s.sums, len(slots))
		r.ix.gather(slots, sums, p.forms[:1], r.w, p.mask)
		exact := sums
		if p.exact != 0 && len(p.forms) > 1 {
			exact = append(r.s.exact[:0], sums...)
			r.s.exact = exact
		}
		r.ix.gather(slots, sums, p.forms[1:], r.w, p.mask)
		for i, t := range sums {
			if t > 0 {
				scores[i] += p.worth * t * (k1 + 1) / (k1 + t)
				if e := exact[i]; e > 0 {
					scores[i] += p.exact * e * (k1 + 1) / (k1 + e)
				}
			}
		}
	}
}

// scoreBlock is score for one part and the hits of one block.
func (r *scorer) scoreBlock(slots []uint32, scores []float32, p *scoredPart) {
	k1, block := float32(r.ix.cfg.K1), slots[0]/blockSlots
	sums, exact := r.s.block(0), r.s.block(1)
	clear(sums[:])
	for i := range p.walks {
		r.ix.addBlock(&p.walks[i], block, slots, sums, r.w, p.mask)
		if i == 0 && len(p.walks) > 1 && p.exact != 0 {
			*exact = *sums
		}
	}
	if len(p.walks) == 1 {
		exact = sums
	}
	for i, slot := range slots {
		if t := sums[slot%blockSlots]; t > 0 {
			scores[i] += p.worth * t * (k1 + 1) / (k1 + t)
			if e := exact[slot%blockSlots]; p.exact != 0 && e > 0 {
				scores[i] += p.exact * e * (k1 + 1) / (k1 + e)
			}
		}
	}
}

// popularity is what so many downloads are worth.
func (ix *Index) popularity(n int64) float32 {
	return float32(ix.cfg.Popularity * math.Log1p(float64(n)))
}

// popularities sets what the downloads of slots are worth. Most recordings have few, whose logarithm is computed once.
func (r *scorer) popularities(slots []uint32, scores []float32) {
	downloads := r.ix.downloads
	for i, slot := range slots {
		switch n := downloads[slot]; {
		case n <= 0:
			scores[i] = 0
		case n < int64(len(r.few)):
			scores[i] = r.few[n]
		default:
			scores[i] = r.ix.popularity(n)
		}
	}
}

// scoredForms lists the forms that a leaf scores with: all, or the most used of a short prefix. The word as typed comes first when it is one
// of them.
func (ix *Index) scoredForms(leaf *query.Filter) []uint32 {
	forms := ix.forms(leaf)
	if len(forms) <= maxScored {
		return forms
	}
	if typed, ok := ix.terms.of(leaf.Words[0]); ok && forms[0] == typed {
		return append(forms[:1:1], ix.terms.mostUsed(forms[1:], maxScored-1)...)
	}
	return ix.terms.mostUsed(forms, maxScored)
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

// gather adds to sums what the forms weigh in each slot. Rare words look their slots up among the hits, a few hits look
// themselves up in a common word, and otherwise both lists are walked side by side.
func (ix *Index) gather(slots []uint32, sums []float32, forms []uint32, w *weigher, mask uint8) {
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
