package index

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"audiomicro/internal/search/query"

	"github.com/RoaringBitmap/roaring/v2"
)

// phrases are the sets of phrases that were asked for lately, for to find one means to read the texts of all that have its words: 0.1 s of
// a million recordings for "kick drum", which synonyms look for with every "kick". What changes is read again when the phrase is next
// asked for.
type phrases struct {
	mu   sync.Mutex
	kept []*keptPhrase // the one asked for last at the end
}

type keptPhrase struct {
	key     string
	set     *roaring.Bitmap // of all live recordings; never written
	changed *roaring.Bitmap // slots that were written since
}

const (
	phraseFew  = 4096 // candidates that are read each time, in some milliseconds
	phraseMost = 64   // phrases kept; each takes 125 kB of a million recordings at most
	// phraseStale is how many changes are noted of a phrase before it is forgotten.
	phraseStale = 16384
)

// note marks a slot as written. The caller holds the lock of the index for writing.
func (p *phrases) note(slot uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.kept {
		k.changed.Add(slot)
	}
	p.kept = slices.DeleteFunc(p.kept, func(k *keptPhrase) bool { return k.changed.GetCardinality() > phraseStale })
}

// of is the set of a phrase, brought up to date by find; nil when it is not kept. The caller holds the lock of the index for reading, so no
// slot changes meanwhile.
func (p *phrases) of(key string, find func(among *roaring.Bitmap) *roaring.Bitmap) *roaring.Bitmap {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.kept, func(k *keptPhrase) bool { return k.key == key })
	if i < 0 {
		return nil
	}
	k := p.kept[i]
	p.kept = append(slices.Delete(p.kept, i, i+1), k)
	if !k.changed.IsEmpty() {
		k.set = roaring.Or(roaring.AndNot(k.set, k.changed), find(k.changed))
		k.changed = roaring.New()
	}
	return k.set
}

// keep keeps the set of a phrase. The caller holds the lock of the index for reading since it was found.
func (p *phrases) keep(key string, set *roaring.Bitmap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = slices.DeleteFunc(p.kept, func(k *keptPhrase) bool { return k.key == key })
	if len(p.kept) == phraseMost {
		p.kept = slices.Delete(p.kept, 0, 1)
	}
	set.RunOptimize()
	p.kept = append(p.kept, &keptPhrase{key: key, set: set, changed: roaring.New()})
}

// evalPhrase looks for the words next to each other in the recordings that have them all.
func (ix *Index) evalPhrase(f *query.Filter, within *roaring.Bitmap) *roaring.Bitmap {
	ids := make([]uint32, len(f.Words))
	for i, w := range f.Words {
		id, ok := ix.terms.of(w)
		if !ok || ix.terms.counts[id] == 0 {
			return roaring.New()
		}
		ids[i] = id
	}
	having := func(among *roaring.Bitmap) *roaring.Bitmap {
		for _, id := range ids {
			among = roaring.And(among, ix.terms.set(id))
		}
		return among
	}
	find := func(among *roaring.Bitmap) *roaring.Bitmap { return ix.findPhrase(f.Field, ids, having(among)) }
	key := string(f.Field) + " " + strings.Join(f.Words, " ")
	if set := ix.phrases.of(key, find); set != nil {
		return roaring.And(within, set)
	}
	few := having(within)
	if n := few.GetCardinality(); n > phraseFew {
		if all := having(ix.live); all.GetCardinality() <= 2*n { // else a filter leaves much less to read
			set := ix.findPhrase(f.Field, ids, all)
			ix.phrases.keep(key, set)
			return roaring.And(within, set)
		}
	}
	return ix.findPhrase(f.Field, ids, few)
}

// findPhrase reads the texts of candidates, which have the words.
func (ix *Index) findPhrase(field query.Field, ids []uint32, candidates *roaring.Bitmap) *roaring.Bitmap {
	// The words of a phrase stand as the same bytes in the encoded words; most candidates are ruled out by that alone.
	var encoded []byte
	for _, id := range ids {
		encoded = binary.AppendUvarint(encoded, uint64(id))
	}
	only, one := textField(field)
	set := roaring.New()
	var texts [slotBatch][]byte
	eachBatch(candidates, func(slots []uint32) {
		ix.texts.gather(slots, &texts)
		for i, slot := range slots {
			words := decodeRecord(texts[i]).words
			if !bytes.Contains(words, encoded) {
				continue
			}
			found := false
			decodeWords(words, func(field int, main, _ []uint32) {
				if found || one && field != only {
					return
				}
				found = follows(main, ids)
			})
			if found {
				set.Add(slot)
			}
		}
	})
	return set
}

// follows reports whether phrase stands in words.
func follows(words, phrase []uint32) bool {
	for i := 0; i+len(phrase) <= len(words); i++ {
		if slices.Equal(words[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}
