// Package index finds recordings: an index of our own, in memory on every node, rebuilt from SQL at any time.
//
// It keeps, for every word form, the recordings that hold it (a roaring bitmap, and one byte for each that tells in which fields
// and how often), the same for every value of a facet, columns of numbers for ranges and orders, each recording's words in
// order for phrases, and its sound vector as int8. Relevance is BM25F (Robertson, Zaragoza: The Probabilistic Relevance
// Framework, 2009) over the forms that share an English stem.
//
// It promises: Put and Delete may run beside searches from any goroutine, a search sees a recording wholly or not at all, hit sets
// and facet counts are exact, and no query can make it panic or run without bound. It knows only what it was given: who may see
// a recording is decided by its caller, who puts in what is public.
package index

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"audiomicro/internal/search/query"

	"github.com/RoaringBitmap/roaring/v2"
)

// Document is what the index knows about one recording.
type Document struct {
	ID               int64 // > 0
	Title            string
	Description      string
	Contributor      string // public name
	ContributorShown string // name that rows show, found as well
	ContributorID    int64
	Pack             string // name, "" for none
	PackID           int64  // 0 for none
	Tags             []string
	Category         string   // Broad Sound Taxonomy code, such as "fx-a"
	Licenses         []string // codes of the offers that are open now
	Free             bool     // one of them is free
	PriceMinor       int64    // lowest paid price in minor units, -1 when there is none
	Seconds          float64
	LUFS             float64 // integrated loudness; NaN or 0 when not known
	CentroidHz       float64 // mean spectral centroid; 0 when not known
	Tempo            float64 // beats per minute; 0 when not known
	TempoConfidence  float64 // 0 to 1
	Key              string  // as query.CanonicalKey reads it; "" when not known
	Channels         int
	SampleRate       int    // Hz
	BitDepth         int    // 0 for lossy codecs
	Type             string // "wav", "flac", …
	Loopable         bool
	PublishedAt      int64 // unix microseconds
	Downloads        int64
	Rating           float64   // mean, 0 when nobody rated
	Vector           []float32 // sound vector of Config.VectorDims values; nil when not known
}

// Weights are the shares of the fields in relevance.
type Weights struct{ Title, Tags, Description, Contributor, Pack float64 }

// Config sets what relevance is made of. Zero values mean the defaults.
type Config struct {
	Weights         Weights // 4, 4, 1.5, 1, 2: Freesound's, but with half the description, where words stand by the way
	K1              float64 // saturation of repeated words; 1.6
	ExactForm       float64 // share that a word adds where it stands as typed, beyond what any form of its stem scores; 0.2
	Synonym         float64 // share of a synonym of what was typed; 0.5
	Popularity      float64 // added per factor e of downloads; 0.05
	TempoConfidence float64 // least confidence with which a tempo is searchable; 0.5
	MinorUnits      int64   // of one unit of the currency of prices; 100
	VectorDims      int     // length of Document.Vector; 64
	ExactVectors    int     // up to so many vectors, similar sounds are looked for among all; above, in Cluster's cells; ExactVectors
}

// ExactVectors are compared in 30 ms of one core: where there are more, searches look into cells.
const ExactVectors = 1 << 20

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		v *float64
		d float64
	}{{&c.K1, 1.6}, {&c.ExactForm, .2}, {&c.Synonym, .5}, {&c.Popularity, .05}, {&c.TempoConfidence, .5}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	if c.Weights == (Weights{}) {
		c.Weights = Weights{4, 4, 1.5, 1, 2}
	}
	if c.MinorUnits == 0 {
		c.MinorUnits = 100
	}
	if c.VectorDims == 0 {
		c.VectorDims = 64
	}
	if c.ExactVectors == 0 {
		c.ExactVectors = ExactVectors
	}
	return c
}

// ErrDocument means that a Document cannot be put in: its id is not positive, or its vector has another length than the index's.
var ErrDocument = errors.New("document does not fit the index")

// Index holds recordings. Make one with New. Its methods may be called from any goroutine.
type Index struct {
	cfg      Config
	synonyms atomic.Pointer[query.Synonyms]

	mu      sync.RWMutex
	slots   lookup          // by id: the place of a recording in everything below
	free    []uint32        // slots to use again
	live    *roaring.Bitmap // slots in use
	terms   *dict           // word forms; 0 is the gap between two tags
	stems   lookup          // by stem: the newest form of each
	seed    maphash.Seed    // of the hashes of words
	kin     []uint32        // for each form the one before it with the same stem; 0 for none
	values  [dicts]*dict
	vectors *roaring.Bitmap // slots with a vector
	lengths [3]uint64       // sums of the field lengths, for their means
	filling bool            // PutAll is at work: the postings are made at its end
	cells   *cells          // of the vectors; nil while every search compares all
	sorting *cells          // that Cluster is making
	columns

	phrases    phrases
	scratches  sync.Pool  // of *scratch
	clustering sync.Mutex // held by Cluster
}

// columns holds one entry for each slot.
type columns struct {
	ids       []int64
	texts     pages // a record for each slot
	vals      pages // its values in the dictionaries with many, apart: facets read them alone, of thousands of hits at once
	codes     codes // of the values in the dictionaries with few, and the tags
	fieldLen  [][3]uint8
	seconds   []float32
	tempo     []float32 // 0 when not known or not sure
	loudness  []float32 // NaN when not known
	centroid  []float32 // 0 when not known
	rating    []float32
	amount    []int64
	published []int64
	downloads []int64
	packs     []int64
	vector    []int8    // VectorDims for each slot
	norm      []float32 // Euclidean length of the int8 vector
}

// New makes an empty index.
func New(cfg Config) *Index {
	ix := &Index{
		cfg: cfg.withDefaults(), seed: maphash.MakeSeed(), live: roaring.New(),
		vectors: roaring.New(),
	}
	ix.terms = newDict(ix.hashText, true)
	for i := range ix.values {
		ix.values[i] = newDict(ix.hashText, false)
	}
	ix.terms.id("") // the gap
	ix.kin = append(ix.kin, 0)
	return ix
}

// SetSynonyms says which other words a search also looks for, from the next search on.
func (ix *Index) SetSynonyms(s *query.Synonyms) { ix.synonyms.Store(s) }

// Len is the number of recordings in the index.
func (ix *Index) Len() int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.slots.n
}

// Has reports whether the recording is in the index.
func (ix *Index) Has(id int64) bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	_, ok := ix.slot(id)
	return ok
}

// slot is the place of a recording. The caller holds the lock.
func (ix *Index) slot(id int64) (uint32, bool) {
	return ix.slots.find(hashID(id), func(slot uint32) bool { return ix.ids[slot] == id })
}

// Put adds a recording, or replaces what the index knows of it. The error is ErrDocument; then nothing has changed.
func (ix *Index) Put(doc Document) error {
	p, err := ix.prepare(doc)
	if err != nil {
		return err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.put(p)
	ix.settle(maxFresh)
	return nil
}

// PutAll adds the recordings that next yields until it says false: the way to fill an empty index, which finds them once it returns and
// must not be used before. It stops at the first error.
func (ix *Index) PutAll(next func() (Document, bool)) error {
	ix.mu.Lock()
	ix.filling = true
	ix.mu.Unlock()
	defer func() {
		ix.mu.Lock()
		defer ix.mu.Unlock()
		ix.filling = false
		ix.invert()
		ix.settle(0)
		ix.trim()
	}()
	for {
		doc, ok := next()
		if !ok {
			return nil
		}
		p, err := ix.prepare(doc)
		if err != nil {
			return err
		}
		ix.mu.Lock()
		ix.put(p)
		ix.mu.Unlock()
	}
}

// settle brings the orders of names up to date where more than so many are new.
func (ix *Index) settle(fresh int) {
	ix.terms.settle(fresh)
	for d, dict := range ix.values {
		if many(d) {
			dict.settle(fresh)
		}
	}
}

// reserve makes room for n recordings in an empty index.
func (ix *Index) reserve(n int) {
	c := &ix.columns
	c.ids, c.fieldLen, c.codes.rows = make([]int64, 0, n), make([][3]uint8, 0, n), make([]codeRow, 0, n)
	for _, column := range []*[]float32{&c.seconds, &c.tempo, &c.loudness, &c.centroid, &c.rating, &c.norm} {
		*column = make([]float32, 0, n)
	}
	for _, column := range []*[]int64{&c.amount, &c.published, &c.downloads, &c.packs} {
		*column = make([]int64, 0, n)
	}
	c.vector = make([]int8, 0, n*ix.cfg.VectorDims)
	ix.slots.reserve(n)
}

// trim gives back what growing left over.
func (ix *Index) trim() {
	ix.texts.trim()
	ix.vals.trim()
	ix.terms.trim()
	for _, dict := range ix.values {
		dict.trim()
	}
	c := &ix.columns
	c.ids, c.fieldLen, c.seconds, c.tempo, c.loudness = exact(c.ids), exact(c.fieldLen), exact(c.seconds), exact(c.tempo), exact(c.loudness)
	c.centroid, c.rating, c.amount, c.published = exact(c.centroid), exact(c.rating), exact(c.amount), exact(c.published)
	c.downloads, c.packs, c.codes.rows, c.vector, c.norm = exact(c.downloads), exact(c.packs), exact(c.codes.rows), exact(c.vector), exact(c.norm)
	ix.kin = exact(ix.kin)
}

// Delete takes a recording out; one that is not there is no error.
func (ix *Index) Delete(id int64) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if slot, ok := ix.slot(id); ok {
		ix.remove(slot)
		ix.slots.remove(hashID(id), slot)
		ix.free = append(ix.free, slot)
	}
}

// check refuses what cannot be indexed.
func (ix *Index) check(doc Document) error {
	if doc.ID <= 0 {
		return fmt.Errorf("index recording %d: %w: its id is not positive", doc.ID, ErrDocument)
	}
	if n := len(doc.Vector); n != 0 && n != ix.cfg.VectorDims {
		return fmt.Errorf("index recording %d: %w: its vector has %d values, not %d", doc.ID, ErrDocument, n, ix.cfg.VectorDims)
	}
	return nil
}
