package index

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// Bounds of what a dict lets pass before a Put brings its orders up to date.
const (
	maxFresh = 1024 // names not sorted in
	maxGrown = 512  // recordings that a name has gained since the order by frequency was made
)

// dict numbers names, keeps the posting of each, and finds those that begin with a prefix or are the most frequent.
type dict struct {
	hash     func(name string) uint32
	ids      lookup // by name
	names    []string
	labels   map[uint32]string // how a name was last written, where that differs
	marked   bool              // its postings keep a mark for each slot
	postings []posting
	counts   []uint32 // slots in each posting
	sorted   []uint32 // ids by name
	fresh    []uint32 // ids not sorted in yet
	spare    []uint32 // ids without a name

	frequent []uint32 // ids by the counts they had then, the most frequent first; later ids are not in it
	then     []uint32 // the counts by which frequent is sorted
	grown    uint32   // the most that any id of frequent has gained since
}

func newDict(hash func(string) uint32, marked bool) *dict {
	return &dict{hash: hash, labels: map[uint32]string{}, marked: marked}
}

// id is the number of name, which gets one when it has none; fresh tells so.
func (d *dict) id(name string) (id uint32, fresh bool) {
	hash := d.hash(name)
	if id, ok := d.at(hash, name); ok {
		return id, false
	}
	name = strings.Clone(name) // names are often parts of long texts
	if n := len(d.spare); n > 0 {
		id, d.spare = d.spare[n-1], d.spare[:n-1]
		d.names[id] = name
	} else {
		id = d.extend(name)
	}
	d.ids.add(hash, id)
	d.fresh = append(d.fresh, id)
	return id, true
}

func (d *dict) at(hash uint32, name string) (uint32, bool) {
	return d.ids.find(hash, func(id uint32) bool { return d.names[id] == name })
}

// of is the number of name, if it has one.
func (d *dict) of(name string) (uint32, bool) { return d.at(d.hash(name), name) }

// extend makes room for one more name.
func (d *dict) extend(name string) uint32 {
	d.names = append(d.names, name)
	d.postings = append(d.postings, posting{})
	d.counts = append(d.counts, 0)
	return uint32(len(d.names) - 1)
}

// restore takes the next name of a snapshot; an empty one leaves its id to be used again.
func (d *dict) restore(name, label string) {
	id := d.extend(name)
	hash := d.hash(name)
	if _, twice := d.at(hash, name); name == "" || twice {
		d.names[id] = ""
		d.spare = append(d.spare, id)
		return
	}
	d.ids.add(hash, id)
	d.fresh = append(d.fresh, id)
	if label != "" {
		d.labels[id] = label
	}
}

// label is how the name of id is shown.
func (d *dict) label(id uint32) string {
	if l, ok := d.labels[id]; ok {
		return l
	}
	return d.names[id]
}

// relabel keeps how a name is written now.
func (d *dict) relabel(id uint32, as string) {
	if as == d.names[id] {
		delete(d.labels, id)
	} else if d.labels[id] != as {
		d.labels[id] = strings.Clone(as)
	}
}

func (d *dict) insert(id, slot uint32, mark uint8) {
	d.postings[id].insert(slot, d.counts[id], d.marked, mark)
	d.counts[id]++
	if int(id) < len(d.then) && d.counts[id] > d.then[id] {
		d.grown = max(d.grown, d.counts[id]-d.then[id])
	}
}

func (d *dict) delete(id, slot uint32) {
	d.postings[id].delete(slot, d.marked)
	d.counts[id]--
}

// set is the bitmap of id, which must not be written.
func (d *dict) set(id uint32) *roaring.Bitmap { return d.postings[id].set(d.marked) }

// find is the bitmap of name, which must not be written.
func (d *dict) find(name string) *roaring.Bitmap {
	if id, ok := d.of(name); ok && d.counts[id] > 0 {
		return d.set(id)
	}
	return roaring.New()
}

// settle brings the orders up to date when more than so many names are not sorted in.
func (d *dict) settle(max int) {
	if len(d.fresh) > max {
		d.sortIn()
	}
	if d.grown > maxGrown || len(d.names)-len(d.then) > max {
		d.then = slices.Clone(d.counts)
		d.frequent = make([]uint32, len(d.names))
		for id := range d.frequent {
			d.frequent[id] = uint32(id)
		}
		slices.SortFunc(d.frequent, func(a, b uint32) int { return cmp.Compare(d.then[b], d.then[a]) })
		d.grown = 0
	}
}

// sortIn merges the fresh names into the sorted ones.
func (d *dict) sortIn() {
	byName := func(a, b uint32) int { return strings.Compare(d.names[a], d.names[b]) }
	slices.SortFunc(d.fresh, byName)
	merged := make([]uint32, 0, len(d.sorted)+len(d.fresh))
	i := 0
	for _, f := range d.fresh {
		for i < len(d.sorted) && d.names[d.sorted[i]] < d.names[f] {
			merged = append(merged, d.sorted[i])
			i++
		}
		merged = append(merged, f)
	}
	d.sorted = append(merged, d.sorted[i:]...)
	d.fresh = d.fresh[:0]
}

// trim gives back what growing left over.
func (d *dict) trim() {
	for i := range d.postings {
		d.postings[i].trim()
	}
	d.names, d.postings, d.counts = exact(d.names), exact(d.postings), exact(d.counts)
}

// begins lists the ids in use whose names begin with prefix, in no order.
func (d *dict) begins(prefix string) []uint32 {
	var out []uint32
	from := sort.Search(len(d.sorted), func(i int) bool { return d.names[d.sorted[i]] >= prefix })
	rest := d.sorted[from:]
	to := sort.Search(len(rest), func(i int) bool { return !strings.HasPrefix(d.names[rest[i]], prefix) }) // they stand together
	for _, id := range rest[:to] {
		if d.counts[id] > 0 {
			out = append(out, id)
		}
	}
	for _, id := range d.fresh {
		if d.counts[id] > 0 && strings.HasPrefix(d.names[id], prefix) {
			out = append(out, id)
		}
	}
	return out
}

// mostUsed cuts ids down to the n with the most recordings; equal ones by name.
func (d *dict) mostUsed(ids []uint32, n int) []uint32 {
	best := newTop(n, func(a, b uint32) bool {
		if d.counts[a] != d.counts[b] {
			return d.counts[a] > d.counts[b]
		}
		return d.names[a] < d.names[b]
	})
	for _, id := range ids {
		best.add(id)
	}
	return best.sorted()
}

// mostFrequent calls f with ids in use until it has enough: first those that are new, then from the most frequent down, each with a bound
// that its count does not exceed, nor that of any that would follow.
func (d *dict) mostFrequent(f func(id uint32, atMost int) bool) {
	for id := len(d.then); id < len(d.names); id++ {
		if d.counts[id] > 0 {
			f(uint32(id), int(d.counts[id]))
		}
	}
	for _, id := range d.frequent {
		if !f(id, int(d.then[id]+d.grown)) {
			return
		}
	}
}
