package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Synthetic yields n made-up recordings for measurements, always the same for a seed: words of a Zipf vocabulary that grows with n
// (the first are real words of the field, so that queries read well), and facets spread as in a real catalog. Pass it to PutAll.
func Synthetic(n int, seed uint64) func() (Document, bool) { return synthetic(n, seed, false) }

// SyntheticSounds yields recordings as Synthetic does, but with nothing except what a sound may be narrowed by and its vector, which is
// several times as quick.
func SyntheticSounds(n int, seed uint64) func() (Document, bool) { return synthetic(n, seed, true) }

func synthetic(n int, seed uint64, wordless bool) func() (Document, bool) {
	r := rand.New(rand.NewPCG(seed, 1))
	m := maker{
		r: r, wordless: wordless, vocabulary: uint64(20_000 + n/3), kinds: strings.Fields(syntheticWords),
		words: rand.NewZipf(r, 1.15, 20, uint64(20_000+n/3)), tags: rand.NewZipf(r, 1.2, 15, uint64(2_000+n/20)),
		people: rand.NewZipf(r, 1.3, 30, uint64(50+n/100)), families: rand.NewZipf(r, 1.3, 10, 255),
	}
	next := 0
	return func() (Document, bool) {
		if next++; next > n {
			return Document{}, false
		}
		return m.document(int64(next)), true
	}
}

// syntheticWords are the most frequent words of a made-up catalog, most frequent first.
const syntheticWords = `rain wind water door metal drum loop ambience footsteps wood bass impact city noise field recording voice synth bell
kick snare hit forest bird car engine crowd thunder glass river piano guitar whoosh click room drone night stone paper ocean wave
train machine dog street fire rumble scrape knock gravel leaves snow market kitchen cymbal hihat clap tabla flute pad texture riser
sweep boom crash splash creak squeak rattle hum buzz static radio phone alarm siren horn bicycle boat plane helicopter truck tram
subway station church school playground park beach cave tunnel factory workshop hammer saw drill chain rope cloth zipper coin key`

// maker makes documents up.
type maker struct {
	wordless                      bool
	r                             *rand.Rand
	vocabulary                    uint64
	kinds                         []string
	words, tags, people, families *rand.Zipf
}

// word is the n-th most frequent word.
func (m *maker) word(n uint64) string {
	if n < uint64(len(m.kinds)) {
		return m.kinds[n]
	}
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var b strings.Builder
	for n += 70; n > 0; n /= 70 {
		b.WriteByte(consonants[n%70/5])
		b.WriteByte(vowels[n%5])
	}
	return b.String()
}

func (m *maker) text(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = m.word(m.words.Uint64())
	}
	return strings.Join(words, " ")
}

// pick takes one of the choices, the earlier the likelier.
func pick[T any](r *rand.Rand, choices ...T) T {
	for i := range choices {
		if r.Float64() < .45 {
			return choices[i]
		}
	}
	return choices[r.IntN(len(choices))]
}

func (m *maker) document(id int64) Document {
	r := m.r
	who := m.people.Uint64()
	if m.wordless {
		d := Document{ID: id, Type: m.format(), Category: m.category(), Channels: m.channels(), Seconds: m.seconds()}
		d.Vector = m.vector(d.Category, who)
		return d
	}
	d := Document{
		ID: id, Title: m.text(2 + r.IntN(4)), Description: m.text(5 + r.IntN(25)), Contributor: fmt.Sprintf("%s%d", m.word(who+40), who),
		ContributorID: int64(who) + 1, PriceMinor: -1, Type: m.format(),
		Category: m.category(), Channels: m.channels(), SampleRate: pick(r, 44100, 48000, 96000, 192000), BitDepth: pick(r, 16, 24, 32),
		Seconds: m.seconds(), LUFS: math.Round((-20+r.NormFloat64()*7)*10) / 10,
		CentroidHz: math.Exp(r.NormFloat64()*.8 + 7.2), Loopable: r.Float64() < .1, PublishedAt: 1_500_000_000_000_000 + id*60_000_000,
		Downloads: int64(math.Exp(r.NormFloat64()*1.8 + 2)), Rating: float64(r.IntN(11)) / 2,
	}
	for range 3 + r.IntN(7) {
		d.Tags = append(d.Tags, m.word(m.tags.Uint64()))
	}
	if r.Float64() < .4 {
		d.Licenses, d.Free = []string{pick(r, "cc0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-3.0")}, true
	} else {
		d.PriceMinor = pick[int64](r, 300, 100, 900, 2900)
		d.Licenses = []string{"standard"}
		if r.Float64() < .3 {
			d.Licenses = append(d.Licenses, "broadcast")
		}
	}
	if r.Float64() < .3 {
		d.PackID = int64(who)*20 + int64(r.IntN(20)) + 1
		d.Pack = fmt.Sprintf("%s %d", m.word(uint64(d.PackID)), d.PackID)
	}
	if r.Float64() < .35 {
		d.Tempo, d.TempoConfidence = float64(60+r.IntN(130)), r.Float64()
		d.Key = pick(r, "C", "Am", "G", "Em", "F#m", "D", "Bb")
	}
	d.Vector = m.vector(d.Category, who)
	return d
}

func (m *maker) format() string { return pick(m.r, "wav", "flac", "mp3", "ogg", "aiff") }

func (m *maker) category() string {
	return pick(m.r, "fx-o", "ss-n", "fx-n", "is-p", "m-m", "fx-el", "ss-u", "is-e", "fx-h", "fx-a", "fx-v", "sp-s", "m-si", "is-k", "fx-m")
}

func (m *maker) channels() int { return pick(m.r, 2, 1, 2, 6) }

func (m *maker) seconds() float64 {
	return math.Round(math.Exp(m.r.NormFloat64()*1.6+1.8)*1000) / 1000
}

// How far made-up sounds lie apart, in parts of a direction's deviation, and in how many ways: chosen so that the cosines of the nearest,
// the tenth and the median neighbor, and the dimension of the neighborhoods, are about those of recordings (doc/similar.md).
const (
	allApart      = .7  // everything from the middle of the space
	kindsApart    = .55 // categories
	familiesApart = .6  // families of one category
	membersApart  = .4  // recordings of one family, in the median; one deviation of a family's logarithm is the next
	membersVary   = .4
	anyApart      = .1 // every recording, in all directions
	waysApart     = 12 // directions in which families, and recordings of one family, differ
)

// vector makes up where a sound lies in 64 directions, with deviations that fall about as the sound space's: around a family, such as takes
// of the same things by the same person, which lies around its category.
func (m *maker) vector(category string, who uint64) []float32 {
	all := rand.New(rand.NewPCG(2, 0))
	kind := rand.New(rand.NewPCG(3, uint64(len(category))<<16|uint64(category[0])<<8|uint64(category[len(category)-1])))
	families := waysOf(kind, kind, 0)
	family := rand.New(rand.NewPCG(kind.Uint64(), who<<8|m.families.Uint64()))
	for w := range families.along {
		families.along[w] = family.NormFloat64() * familiesApart
	}
	members := waysOf(family, m.r, membersApart*math.Exp(family.NormFloat64()*membersVary))
	v := make([]float32, 64)
	for i := range v {
		x := allApart*all.NormFloat64() + kindsApart*kind.NormFloat64() + families.at(i) + members.at(i) + anyApart*m.r.NormFloat64()
		v[i] = float32(x * math.Pow(float64(i+1), -.3))
	}
	return v
}

// ways are some directions, a sign for each of 64 dimensions, and how far to go along each.
type ways struct {
	signs [waysApart]uint64
	along [waysApart]float64
}

func waysOf(which, far *rand.Rand, apart float64) (w ways) {
	for i := range w.signs {
		w.signs[i] = which.Uint64()
	}
	for i := range w.along {
		w.along[i] = far.NormFloat64() * apart
	}
	return w
}

func (w *ways) at(dim int) (x float64) {
	for i, signs := range w.signs {
		x += w.along[i] * float64(1-2*int(signs>>dim&1))
	}
	return x / math.Sqrt(waysApart)
}
