package index

import (
	"slices"
	"sort"
	"strings"
)

// maxFresh is how many names a dict may hold unsorted before a Put sorts them in.
const maxFresh = 1024

// dict numbers names, keeps the posting of each, and finds those that begin with a prefix.
type dict struct {
	ids      map[string]uint32
	names    []string
	labels   map[uint32]string // how a name was last written, where that differs
	postings []posting
	counts   []uint32 // slots in each posting
	sorted   []uint32 // ids by name
	fresh    []uint32 // ids not sorted in yet
}

func newDict() *dict {
	return &dict{ids: map[string]uint32{}, labels: map[uint32]string{}}
}

// id is the number of name, which gets one when it has none.
func (d *dict) id(name string) uint32 {
	if id, ok := d.ids[name]; ok {
		return id
	}
	id := uint32(len(d.names))
	name = strings.Clone(name) // names are often parts of long texts
	d.ids[name] = id
	d.names = append(d.names, name)
	d.postings = append(d.postings, posting{})
	d.counts = append(d.counts, 0)
	d.fresh = append(d.fresh, id)
	return id
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

func (d *dict) insert(id, slot uint32, weighed bool, b uint8) {
	d.postings[id].insert(slot, weighed, b)
	d.counts[id]++
}

func (d *dict) delete(id, slot uint32) {
	d.postings[id].delete(slot)
	d.counts[id]--
}

// find is the posting of name, nil when no recording has it.
func (d *dict) find(name string) *posting {
	if id, ok := d.ids[name]; ok && d.counts[id] > 0 {
		return &d.postings[id]
	}
	return nil
}

// settle sorts the fresh names in when there are more than max.
func (d *dict) settle(max int) {
	if len(d.fresh) <= max {
		return
	}
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

// begins lists the ids in use whose names begin with prefix, in no order.
func (d *dict) begins(prefix string) []uint32 {
	var out []uint32
	from := sort.Search(len(d.sorted), func(i int) bool { return d.names[d.sorted[i]] >= prefix })
	for _, id := range d.sorted[from:] {
		if !strings.HasPrefix(d.names[id], prefix) {
			break
		}
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
	slices.SortFunc(ids, func(a, b uint32) int {
		if c := int(d.counts[b]) - int(d.counts[a]); c != 0 {
			return c
		}
		return strings.Compare(d.names[a], d.names[b])
	})
	return ids[:min(n, len(ids))]
}
