package index

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/search/query"
)

// The text fields of a recording, in the order of its encoded words.
const (
	inTitle = iota
	inTags
	inDescription
	inContributor
	inPack
	textFields
)

// How a word's byte tells where it stands: two bits count it (up to 3) in title, tags and description, one bit each is for
// contributor and pack.
var fieldShift = [textFields]uint{0, 2, 4, 6, 7}
var fieldMask = [textFields]uint8{3, 3, 3, 1, 1}

// Bounds of what is indexed of one recording.
const (
	maxTitleWords       = 64
	maxDescriptionWords = 1000
	maxTags             = 100
	maxTitleKey         = 64 // bytes of a title that order it
)

// The dictionaries of values. A recording has at most one value of each of the first, which have few.
const (
	dCategory = iota
	dPrice
	dType
	dKey
	dChannels
	dRate
	dDepth
	dBrightness
	dLoop
	dYear
	dLength
	dTempo
	dLoudness
	columnDicts
)

// The other dictionaries.
const (
	dTag = columnDicts + iota
	dLicense
	dBy
	dByID
	dPack
	dPackID
	dicts
)

// inColumn reports whether a recording has at most one value of the dictionary, and the dictionary few.
func inColumn(d int) bool { return d < columnDicts }

// fieldDict is the dictionary in which a field's values stand.
func fieldDict(f query.Field) (int, bool) {
	for d, field := range [dicts]query.Field{query.Category, query.Price, query.Type, query.Key, query.Channels, query.Rate, query.Depth, query.Brightness,
		query.Loop, query.Year, query.Length, query.Tempo, query.Loudness, query.Tag, query.License, query.By, query.ByID, query.Pack, query.PackID} {
		if f == field {
			return d, true
		}
	}
	return 0, false
}

// prepared is a Document ready to be put in: what can be done without the lock is done.
type prepared struct {
	doc    Document
	tokens [textFields][]query.Token
	values []value
}

// value is one facet value of a recording.
type value struct {
	dict        int
	name, label string
}

func (ix *Index) prepare(doc Document) (*prepared, error) {
	if err := ix.check(doc); err != nil {
		return nil, err
	}
	p := &prepared{doc: doc, values: ix.valuesOf(doc)}
	p.tokens[inTitle] = query.Tokens(doc.Title, maxTitleWords)
	p.tokens[inDescription] = query.Tokens(doc.Description, maxDescriptionWords)
	p.tokens[inContributor] = query.Tokens(doc.Contributor, maxTitleWords)
	if shown := doc.ContributorShown; shown != "" && shown != doc.Contributor {
		p.tokens[inContributor] = append(append(p.tokens[inContributor], query.Token{}), query.Tokens(shown, maxTitleWords)...) // no phrase crosses from name to name
	}
	p.tokens[inPack] = query.Tokens(doc.Pack, maxTitleWords)
	for i, tag := range doc.Tags[:min(len(doc.Tags), maxTags)] {
		if i > 0 {
			p.tokens[inTags] = append(p.tokens[inTags], query.Token{}) // no phrase crosses from tag to tag
		}
		p.tokens[inTags] = append(p.tokens[inTags], query.Tokens(tag, maxTitleWords)...)
	}
	return p, nil
}

// valuesOf lists the facet values of a recording, each once.
func (ix *Index) valuesOf(doc Document) []value {
	var vs []value
	add := func(d int, name, label string) {
		if name != "" && !slices.ContainsFunc(vs, func(v value) bool { return v.dict == d && v.name == name }) {
			vs = append(vs, value{d, name, label})
		}
	}
	number := func(d int, n int64) {
		if n > 0 {
			s := strconv.FormatInt(n, 10)
			add(d, s, s)
		}
	}
	for _, tag := range doc.Tags[:min(len(doc.Tags), maxTags)] {
		add(dTag, query.TagKey(tag), strings.TrimSpace(tag))
	}
	add(dCategory, strings.ToLower(doc.Category), doc.Category)
	for _, l := range doc.Licenses {
		add(dLicense, strings.ToLower(l), strings.ToLower(l))
	}
	band := query.PriceBand(doc.Free, doc.PriceMinor, ix.cfg.MinorUnits)
	add(dPrice, band, band)
	add(dType, strings.ToLower(doc.Type), strings.ToLower(doc.Type))
	key := query.CanonicalKey(doc.Key)
	add(dKey, key, key)
	number(dChannels, int64(doc.Channels))
	number(dRate, int64(doc.SampleRate))
	depth := strconv.Itoa(max(doc.BitDepth, 0))
	add(dDepth, depth, depth)
	if k := query.ToneClass(doc.CentroidHz); k >= 0 {
		add(dBrightness, strconv.Itoa(k), strconv.Itoa(k))
	}
	loop := "no"
	if doc.Loopable {
		loop = "yes"
	}
	add(dLoop, loop, loop)
	add(dBy, query.NameKey(doc.Contributor), doc.Contributor)
	number(dByID, doc.ContributorID)
	add(dPack, query.NameKey(doc.Pack), doc.Pack)
	number(dPackID, doc.PackID)
	number(dYear, int64(time.UnixMicro(doc.PublishedAt).UTC().Year()))
	for _, bin := range []struct {
		dict int
		v    float32
		ok   bool
	}{{dLength, float32(doc.Seconds), true}, {dTempo, ix.sureTempo(doc), ix.sureTempo(doc) > 0}, {dLoudness, loudnessOf(doc), !math.IsNaN(float64(loudnessOf(doc)))}} {
		if bin.ok {
			name := binName(binOf(bin.dict, bin.v))
			add(bin.dict, name, name)
		}
	}
	return vs
}

// sureTempo is the tempo when the analysis was sure enough of it, else 0.
func (ix *Index) sureTempo(doc Document) float32 {
	if doc.TempoConfidence < ix.cfg.TempoConfidence || !(doc.Tempo > 0) {
		return 0
	}
	return float32(doc.Tempo)
}

// loudnessOf is the loudness in LUFS, NaN when not known: no real programme measures 0, and silence measures nothing.
func loudnessOf(doc Document) float32 {
	if doc.LUFS == 0 || math.IsInf(doc.LUFS, 0) {
		return float32(math.NaN())
	}
	return float32(doc.LUFS)
}

// put adds what prepare made ready. The caller holds the lock.
func (ix *Index) put(p *prepared) {
	doc := p.doc
	slot, known := ix.slot(doc.ID)
	switch {
	case known:
		ix.remove(slot)
	case len(ix.free) > 0:
		slot = ix.free[len(ix.free)-1]
		ix.free = ix.free[:len(ix.free)-1]
	default:
		slot = uint32(len(ix.ids))
		ix.grow()
	}
	ix.phrases.note(slot)
	if !known {
		ix.slots.add(hashID(doc.ID), slot)
	}
	ix.live.Add(slot)
	ix.ids[slot] = doc.ID
	ix.seconds[slot], ix.tempo[slot], ix.loudness[slot] = float32(doc.Seconds), ix.sureTempo(doc), loudnessOf(doc)
	ix.centroid[slot], ix.rating[slot] = float32(doc.CentroidHz), float32(doc.Rating)
	ix.amount[slot] = max(doc.PriceMinor, -1)
	if doc.Free {
		ix.amount[slot] = 0
	}
	ix.published[slot], ix.downloads[slot], ix.packs[slot] = doc.PublishedAt, doc.Downloads, doc.PackID
	ix.vals.set(slot, ix.putValues(slot, p.values))
	ix.texts.set(slot, record{[]byte(titleKey(doc.Title)), ix.putWords(slot, p)}.encode())
	ix.putVector(slot, doc.Vector)
}

// titleKey is the text by which titles are ordered.
func titleKey(title string) string {
	key := query.NameKey(title)
	if len(key) > maxTitleKey {
		key = strings.ToValidUTF8(key[:maxTitleKey], "")
	}
	return key
}

// grow makes room for one more slot.
func (ix *Index) grow() {
	c := &ix.columns
	c.ids, c.fieldLen, c.codes.rows = append(c.ids, 0), append(c.fieldLen, [3]uint8{}), append(c.codes.rows, codeRow{})
	c.seconds, c.tempo, c.loudness = append(c.seconds, 0), append(c.tempo, 0), append(c.loudness, 0)
	c.centroid, c.rating = append(c.centroid, 0), append(c.rating, 0)
	c.amount, c.published = append(c.amount, 0), append(c.published, 0)
	c.downloads, c.packs = append(c.downloads, 0), append(c.packs, 0)
}

// remove takes everything of slot out of the postings. The caller holds the lock, and fills or frees the slot.
func (ix *Index) remove(slot uint32) {
	ix.phrases.note(slot)
	if !ix.filling {
		for _, id := range distinctWords(ix.record(slot).words) {
			ix.terms.delete(id, slot)
		}
		ix.eachValue(slot, func(d int, id uint32) { ix.values[d].delete(id, slot) })
	}
	for d := range columnDicts {
		if code := ix.codes.of(slot, d); code != 0 && !ix.filling {
			ix.values[d].delete(uint32(code-1), slot)
		}
		ix.codes.set(slot, d, 0)
	}
	for f, n := range ix.fieldLen[slot] {
		ix.lengths[f] -= uint64(fieldLength(n))
	}
	ix.live.Remove(slot)
	ix.dropVector(slot)
	ix.texts.set(slot, nil)
	ix.vals.set(slot, nil)
	ix.codes.rows[slot].tags = tagRow{}
}

// putWords adds the words of a recording and encodes them, for each field: the number of words, their ids in order (0 parts two
// tags), the number of extra words, their ids; all uvarint.
func (ix *Index) putWords(slot uint32, p *prepared) (encoded []byte) {
	var extras []byte
	marks := map[uint32]uint8{}
	for f, tokens := range p.tokens {
		var n, nExtra uint64
		var main []byte
		extras = extras[:0]
		for _, t := range tokens {
			id := uint32(0)
			if t.Text != "" {
				id = ix.term(t.Text)
				marks[id] = raise(marks[id], f)
			}
			if t.Extra {
				extras = binary.AppendUvarint(extras, uint64(id))
				nExtra++
			} else {
				main = binary.AppendUvarint(main, uint64(id))
				n++
			}
		}
		encoded = append(binary.AppendUvarint(encoded, n), main...)
		encoded = append(binary.AppendUvarint(encoded, nExtra), extras...)
		if f < len(ix.lengths) {
			ix.fieldLen[slot][f] = quantize(int(n))
			ix.lengths[f] += uint64(fieldLength(ix.fieldLen[slot][f]))
		}
	}
	if !ix.filling {
		for id, b := range marks {
			ix.terms.insert(id, slot, b)
		}
	}
	return encoded
}

// raise counts one more occurrence in field f.
func raise(b uint8, f int) uint8 {
	if n := b >> fieldShift[f] & fieldMask[f]; n < fieldMask[f] {
		b += 1 << fieldShift[f]
	}
	return b
}

// term is the number of a word form, which joins the forms of its stem when it is new.
func (ix *Index) term(text string) uint32 {
	id, fresh := ix.terms.id(text)
	if !fresh {
		return id
	}
	for int(id) >= len(ix.kin) {
		ix.kin = append(ix.kin, 0)
	}
	ix.stem(id, ix.terms.names[id])
	return id
}

// stem joins a form to the others of its stem.
func (ix *Index) stem(id uint32, text string) {
	stem := query.Stem(text)
	hash := ix.hashText(stem)
	if before, ok := ix.newestForm(hash, stem); ok {
		ix.kin[id] = before
		ix.stems.remove(hash, before)
	}
	ix.stems.add(hash, id)
}

// newestForm is the form that joined a stem last; the ones before it follow in kin.
func (ix *Index) newestForm(hash uint32, stem string) (uint32, bool) {
	return ix.stems.find(hash, func(id uint32) bool { return query.Stem(ix.terms.names[id]) == stem })
}

// quantize keeps a field's length in a byte: exact to 31, then in steps of a sixteenth.
func quantize(n int) uint8 {
	if n < 32 {
		return uint8(n)
	}
	e := 0
	for n >= 32 {
		n >>= 1
		e++
	}
	return uint8(min(32+(e-1)*16+n-16, 255))
}

// fieldLength is the length that a quantized one stands for.
func fieldLength(q uint8) int {
	if q < 32 {
		return int(q)
	}
	e := int(q-32)/16 + 1
	return (int(q-32)%16 + 16) << e
}

// putValues adds the facet values: each dictionary with few has a column for them, most tags have a row, and the rest is encoded, a byte for
// the dictionary and a uvarint id each.
func (ix *Index) putValues(slot uint32, values []value) (encoded []byte) {
	for _, v := range values {
		d := ix.values[v.dict]
		id, _ := d.id(v.name)
		if inColumn(v.dict) && id >= maxCode {
			continue
		}
		d.relabel(id, v.label)
		if !ix.filling {
			d.insert(id, slot, 0)
		}
		switch {
		case inColumn(v.dict):
			ix.codes.set(slot, v.dict, uint16(id+1))
		case v.dict == dTag && ix.codes.rows[slot].tags.add(id):
		default:
			encoded = binary.AppendUvarint(append(encoded, byte(v.dict)), uint64(id))
			if v.dict != dTag {
				continue
			}
			if left, had := ix.codes.rows[slot].tags.beyond(); had {
				encoded = binary.AppendUvarint(append(encoded, dTag), uint64(left))
			}
		}
	}
	return encoded
}
