package index

import (
	"audiomicro/internal/search/query"

	"github.com/RoaringBitmap/roaring/v2"
)

// mostWords is for a text that nothing fits as a whole: the set of what has the most of its wanted words, and of everything else that the
// text asks for all. It is empty when not even one word is found, or there was only one.
func (ix *Index) mostWords(where *query.Filter, within *roaring.Bitmap) *roaring.Bitmap {
	if where == nil || where.Op != query.And {
		return roaring.New()
	}
	var words []*query.Filter
	for _, kid := range where.Kids {
		if wantsWords(kid) {
			words = append(words, kid)
		} else {
			within = ix.eval(kid, within)
		}
	}
	if len(words) < 2 {
		return roaring.New()
	}
	atLeast := []*roaring.Bitmap{within} // the n-th has n words or more
	for _, w := range words {
		set := ix.eval(w, within)
		atLeast = append(atLeast, roaring.New())
		for n := len(atLeast) - 1; n > 0; n-- {
			atLeast[n] = roaring.Or(atLeast[n], roaring.And(atLeast[n-1], set))
		}
	}
	for n := len(atLeast) - 1; n > 0; n-- {
		if !atLeast[n].IsEmpty() {
			return atLeast[n]
		}
	}
	return roaring.New()
}

// wantsWords reports whether f asks for words and nothing else.
func wantsWords(f *query.Filter) bool {
	switch f.Op {
	case query.Word, query.Exact, query.Phrase, query.Prefix:
		return true
	case query.And, query.Or:
		for _, k := range f.Kids {
			if !wantsWords(k) {
				return false
			}
		}
		return len(f.Kids) > 0
	}
	return false
}
