package index

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/search/query"

	"github.com/RoaringBitmap/roaring/v2"
)

// eval is the set of the slots within which f holds. It may be shared with the index: nobody may write it. The caller holds the
// lock.
func (ix *Index) eval(f *query.Filter, within *roaring.Bitmap) *roaring.Bitmap {
	if f == nil {
		return within
	}
	switch f.Op {
	case query.And:
		return ix.evalAll(f.Kids, within)
	case query.Or:
		set := roaring.New()
		for _, k := range f.Kids {
			set.Or(ix.eval(k, within))
		}
		return set
	case query.Not:
		return roaring.AndNot(within, ix.eval(f.Kids[0], within))
	case query.Span:
		return ix.evalSpan(f, within)
	case query.Phrase:
		return ix.evalPhrase(f, within)
	case query.Listed:
		return roaring.And(within, ix.listed(f.IDs))
	}
	if within == ix.live { // which holds every posting
		return ix.leaf(f)
	}
	return roaring.And(within, ix.leaf(f))
}

// evalAll intersects the conditions, those that look at every recording last.
func (ix *Index) evalAll(kids []*query.Filter, within *roaring.Bitmap) *roaring.Bitmap {
	cost := func(f *query.Filter) int {
		switch f.Op {
		case query.Span, query.Phrase, query.Not:
			return 1
		}
		return 0
	}
	for c := 0; c <= 1; c++ {
		for _, k := range kids {
			if k != nil && cost(k) == c && !within.IsEmpty() {
				within = ix.eval(k, within)
			}
		}
	}
	return within
}

// listed is the set of the recordings of these ids; those that are not here are left out.
func (ix *Index) listed(ids []int64) *roaring.Bitmap {
	slots := make([]uint32, 0, len(ids))
	for _, id := range ids {
		if slot, ok := ix.slot(id); ok {
			slots = append(slots, slot)
		}
	}
	return roaring.BitmapOf(slots...)
}

// leaf is the whole set of a word, prefix or value leaf.
func (ix *Index) leaf(f *query.Filter) *roaring.Bitmap {
	switch f.Op {
	case query.Equal:
		return ix.equal(f)
	case query.Word, query.Exact, query.Prefix:
		forms := ix.forms(f)
		if mask := textMask(f.Field); mask != 0xff {
			return ix.union(ix.terms, forms, mask)
		}
		if len(forms) == 1 {
			return ix.terms.set(forms[0])
		}
		return ix.union(ix.terms, forms, 0xff)
	}
	return roaring.New()
}

// fewSlots is how many slots are gathered as a list, not as bits.
const fewSlots = 1000

// union is the set of several ids; of words, only where a mark has a bit of mask.
func (ix *Index) union(d *dict, ids []uint32, mask uint8) *roaring.Bitmap {
	s := ix.borrow()
	defer ix.scratches.Put(s)
	all := 0
	for _, id := range ids {
		all += int(d.counts[id])
	}
	if all <= fewSlots {
		few := s.slots[:0]
		for _, id := range ids {
			s.reader.each(&d.postings[id], d.marked, func(slots []uint32, marks []uint8) {
				for i, slot := range slots {
					if mask == 0xff || marks[i]&mask != 0 {
						few = append(few, slot)
					}
				}
			})
		}
		s.slots = few
		return roaring.BitmapOf(few...)
	}
	bits := zeroed(&s.bits, len(ix.ids)/64+1)
	for _, id := range ids {
		p := &d.postings[id]
		if p.big != nil && p.big.ranks != nil && mask == 0xff {
			for i, word := range p.big.ranks.bits[:min(len(p.big.ranks.bits), len(bits))] { // what is beyond is empty
				bits[i] |= word
			}
			continue
		}
		s.reader.each(p, d.marked, func(slots []uint32, marks []uint8) {
			if mask == 0xff {
				for _, slot := range slots {
					bits[slot/64] |= 1 << (slot % 64)
				}
				return
			}
			for i, slot := range slots {
				if marks[i]&mask != 0 {
					bits[slot/64] |= 1 << (slot % 64)
				}
			}
		})
	}
	return roaring.FromDense(bits, true)
}

// forms lists the words in use that a word, exact or prefix leaf accepts; the word as typed comes first when it is one of them.
func (ix *Index) forms(f *query.Filter) []uint32 {
	var out []uint32
	add := func(id uint32) {
		if ix.terms.counts[id] > 0 && !slices.Contains(out[:min(len(out), 1)], id) {
			out = append(out, id)
		}
	}
	word := f.Words[0]
	if id, ok := ix.terms.of(word); ok {
		add(id)
	}
	if f.Op == query.Exact {
		return out
	}
	stem := query.Stem(word)
	for id, _ := ix.newestForm(ix.hashText(stem), stem); id != 0; id = ix.kin[id] {
		add(id)
	}
	if f.Op == query.Prefix {
		group := slices.Clone(out)
		for _, id := range ix.terms.begins(word) {
			if !slices.Contains(group, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// textMask selects the bits of a word's byte that stand for a text field.
func textMask(f query.Field) uint8 {
	if i, ok := textField(f); ok {
		return fieldMask[i] << fieldShift[i]
	}
	return 0xff
}

// textField is the place of a text field in the encoded words; not ok for all fields.
func textField(f query.Field) (int, bool) {
	switch f {
	case query.Title:
		return inTitle, true
	case query.TagWord:
		return inTags, true
	case query.Description:
		return inDescription, true
	case query.ByWord:
		return inContributor, true
	case query.PackWord:
		return inPack, true
	}
	return 0, false
}

// equal is the set of a value. A license or category also stands for its family.
func (ix *Index) equal(f *query.Filter) *roaring.Bitmap {
	if f.Field == query.ID {
		id, err := strconv.ParseInt(f.Value, 10, 64)
		if slot, ok := ix.slot(id); ok && err == nil {
			return roaring.BitmapOf(slot)
		}
		return roaring.New()
	}
	d, ok := fieldDict(f.Field)
	if !ok || binEdges(d) != nil {
		return roaring.New()
	}
	dict := ix.values[d]
	if d != dLicense && d != dCategory {
		return dict.find(f.Value)
	}
	var family []uint32
	for id, name := range dict.names {
		if dict.counts[id] > 0 && inFamily(d, name, f.Value) {
			family = append(family, uint32(id))
		}
	}
	if len(family) == 1 {
		return dict.set(family[0])
	}
	return ix.union(dict, family, 0xff)
}

// inFamily reports whether a recording with the code is also one of the wanted license or category.
func inFamily(d int, code, wanted string) bool {
	if code == wanted {
		return true
	}
	if d == dLicense {
		return query.LicenseFamily(code) == wanted
	}
	return strings.HasPrefix(code, wanted+"-")
}

// evalSpan walks over the column of a number field.
func (ix *Index) evalSpan(f *query.Filter, within *roaring.Bitmap) *roaring.Bitmap {
	low, high := f.Low, f.High
	switch f.Field {
	case query.Length:
		return spanOf(within, ix.seconds, float32(low), float32(high), nil)
	case query.Tempo:
		return spanOf(within, ix.tempo, float32(low), float32(high), func(v float32) bool { return v > 0 })
	case query.Loudness:
		return spanOf(within, ix.loudness, float32(low), float32(high), nil)
	case query.Centroid:
		return spanOf(within, ix.centroid, float32(low), float32(high), func(v float32) bool { return v > 0 })
	case query.Rating:
		return spanOf(within, ix.rating, float32(low), float32(high), nil)
	case query.Amount:
		return spanOf(within, ix.amount, ceil(ix.minor(low)), floor(ix.minor(high)), nil)
	case query.Published:
		return spanOf(within, ix.published, ceil(low), floor(high), nil)
	case query.Downloads:
		return spanOf(within, ix.downloads, ceil(low), floor(high), nil)
	case query.ID:
		return spanOf(within, ix.ids, ceil(low), floor(high), nil)
	case query.Rate, query.Depth, query.Channels, query.Year: // few values, each with its posting
		d, _ := fieldDict(f.Field)
		set := roaring.New()
		for id, name := range ix.values[d].names {
			if v, err := strconv.ParseFloat(name, 64); err == nil && v >= low && v <= high {
				set.Or(ix.values[d].set(uint32(id)))
			}
		}
		set.And(within)
		return set
	}
	return roaring.New()
}

// spanOf keeps the slots whose value lies from low to high and is known.
func spanOf[T int64 | float32](within *roaring.Bitmap, column []T, low, high T, known func(T) bool) *roaring.Bitmap {
	set := roaring.New()
	var values [slotBatch]T
	eachBatch(within, func(slots []uint32) {
		for i, slot := range slots { // no read waits for another, nor for what is made of it
			values[i] = column[slot]
		}
		n := 0
		for i, slot := range slots {
			slots[n] = slot // kept or overwritten by the next: which of both nobody can foretell, the processor neither
			n += boolInt(values[i] >= low) & boolInt(values[i] <= high)
		}
		if known != nil {
			n = len(slices.DeleteFunc(slots[:n], func(slot uint32) bool { return !known(column[slot]) }))
		}
		set.AddMany(slots[:n])
	})
	return set
}

// minor turns units of the currency into minor ones. 1.15 is a hair less than 1.15, and a hundred of it are 115 all the same; "less than 3"
// ends further away.
func (ix *Index) minor(v float64) float64 {
	v *= float64(ix.cfg.MinorUnits)
	if whole := math.Round(v); math.Abs(v-whole) < 1e-9*math.Abs(whole) {
		return whole
	}
	return v
}

// ceil and floor bring the ends of a range to whole numbers within int64.
func ceil(v float64) int64  { return whole(math.Ceil(v)) }
func floor(v float64) int64 { return whole(math.Floor(v)) }

func whole(v float64) int64 {
	switch {
	case v >= 1<<63:
		return math.MaxInt64
	case v < -1<<63 || v != v:
		return math.MinInt64
	}
	return int64(v)
}
