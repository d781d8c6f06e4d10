package index

// SumSpan is how many ids one Sum is for.
const SumSpan = 4096

// SumModulus keeps sums of times within 63 bits; a prime, so that no usual step of time is lost in it.
const SumModulus = 1_000_000_007

// Sum is a checksum of the recordings whose ids lie in one span: SQL computes the same.
type Sum struct {
	Count     int64
	IDs       int64 // sum of id % SumSpan
	Published int64 // sum of the time of publishing, in microseconds, % SumModulus
}

// sumBatch is how many slots are summed up between two chances for others to write.
const sumBatch = 1 << 16

// Sums gives the checksum of each span (id / SumSpan) that has recordings. What changes meanwhile may be in it or not.
func (ix *Index) Sums() map[int64]Sum {
	out := map[int64]Sum{}
	for from, more := uint32(0), true; more; from += sumBatch {
		more = ix.addSums(out, from)
	}
	return out
}

func (ix *Index) addSums(out map[int64]Sum, from uint32) (more bool) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	to := min(from+sumBatch, uint32(len(ix.ids)))
	for slot := from; slot < to; slot++ {
		if ix.live.Contains(slot) {
			id := ix.ids[slot]
			s := out[id/SumSpan]
			out[id/SumSpan] = Sum{s.Count + 1, s.IDs + id%SumSpan, s.Published + ix.published[slot]%SumModulus}
		}
	}
	return int(to) < len(ix.ids)
}

// PublishedIn lists the recordings of a span with the time of their publishing.
func (ix *Index) PublishedIn(span int64) map[int64]int64 {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	out := map[int64]int64{}
	for id := span * SumSpan; id < (span+1)*SumSpan; id++ {
		if slot, ok := ix.slot(id); ok {
			out[id] = ix.published[slot]
		}
	}
	return out
}

// Contributors is the number of people who have a recording in the index.
func (ix *Index) Contributors() int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	n := 0
	for _, count := range ix.values[dByID].counts {
		if count > 0 {
			n++
		}
	}
	return n
}
