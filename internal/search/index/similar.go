package index

import (
	"math"
	"runtime"
	"sync"

	"audiomicro/internal/search/query"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/tphakala/simd/i8"
)

// putVector keeps a sound vector as int8, scaled so that its largest value is 127. Cosine does not mind the scale.
func (ix *Index) putVector(slot uint32, v []float32) {
	q, norm := quantizeVector(v)
	if norm != 0 {
		ix.keepVector(slot, q, norm)
	}
}

// keepVector keeps an int8 vector of Euclidean length norm.
func (ix *Index) keepVector(slot uint32, q []int8, norm float32) {
	dims := ix.cfg.VectorDims
	if need := (int(slot) + 1) * dims; len(ix.vector) < need {
		ix.vector = append(ix.vector, make([]int8, need-len(ix.vector))...)
	}
	if need := int(slot) + 1; len(ix.norm) < need {
		ix.norm = append(ix.norm, make([]float32, need-len(ix.norm))...)
	}
	copy(ix.vector[int(slot)*dims:], q)
	ix.norm[slot] = norm
	ix.vectors.Add(slot)
	ix.sortVector(slot, q, norm)
}

// quantizeVector gives v as int8 and the Euclidean length of that, 0 when v says nothing (empty, all zero or not finite).
func quantizeVector(v []float32) ([]int8, float32) {
	var peak float64
	for _, x := range v {
		peak = max(peak, math.Abs(float64(x))) // max gives NaN for NaN
	}
	if !(peak > 0) || math.IsInf(peak, 0) {
		return nil, 0
	}
	q := make([]int8, len(v))
	sum := 0
	for i, x := range v {
		q[i] = int8(math.Round(float64(x) / peak * 127))
		sum += int(q[i]) * int(q[i])
	}
	return q, float32(math.Sqrt(float64(sum)))
}

// Similar lists the n recordings that sound most like one in the index, nearest first, itself left out; where narrows them (nil
// for all). Score is the cosine of the vectors, 1 for the same. known is false when the index has no vector of id.
func (ix *Index) Similar(id int64, n int, where *query.Filter) (hits []Hit, known bool) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	slot, ok := ix.slot(id)
	if !ok || !ix.vectors.Contains(slot) {
		return nil, false
	}
	dims := ix.cfg.VectorDims
	return ix.nearest(ix.vector[int(slot)*dims:][:dims], ix.norm[slot], n, where, int64(slot)), true
}

// Like lists the n recordings that sound most like the vector, as Similar does. A vector of another length than the index's, or
// without a direction, is like nothing.
func (ix *Index) Like(vector []float32, n int, where *query.Filter) []Hit {
	q, norm := quantizeVector(vector)
	if norm == 0 || len(q) != ix.cfg.VectorDims {
		return nil
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.nearest(q, norm, n, where, -1)
}

// near is a sound and the cosine of its vector with the one asked for.
type near struct {
	slot uint32
	cos  float32
}

// scanPart is how many vectors are worth a goroutine: about 2 ms.
const scanPart = 1 << 16

// nearest compares v with every vector that where leaves, or where there are cells and many vectors, with those in the cells around it. The
// caller holds the lock.
func (ix *Index) nearest(v []int8, norm float32, n int, where *query.Filter, self int64) []Hit {
	n = min(n, query.MaxOffset)
	set := ix.vectors
	if where != nil {
		set = roaring.And(set, ix.eval(where, ix.live))
	}
	best := newTop(n, func(a, b near) bool {
		if a.cos != b.cos {
			return a.cos > b.cos
		}
		return ix.ids[a.slot] > ix.ids[b.slot]
	})
	if ix.probed(set.GetCardinality()) {
		ix.probe(best, set, where == nil, v, norm, self)
	} else {
		ix.scanAll(best, set, v, norm, self)
	}
	list := best.sorted()
	hits := make([]Hit, len(list))
	for i, b := range list {
		hits[i] = Hit{ID: ix.ids[b.slot], Score: float64(b.cos), FromPack: 1}
	}
	return hits
}

// scanAll compares v with every vector of set, in as many parts as there are cores.
func (ix *Index) scanAll(best *top[near], set *roaring.Bitmap, v []int8, norm float32, self int64) {
	parts := max(min(runtime.GOMAXPROCS(0), int(set.GetCardinality()/scanPart)), 1)
	tops := make([]*top[near], parts)
	var done sync.WaitGroup
	for p := range parts {
		tops[p] = newTop(best.n, best.better)
		from, to := uint32(len(ix.ids)*p/parts), uint32(len(ix.ids)*(p+1)/parts)
		done.Go(func() { ix.scan(tops[p], set, from, to, v, norm, self) })
	}
	done.Wait()
	for _, part := range tops {
		for _, found := range part.heap {
			best.add(found)
		}
	}
}

// scan compares v with the vectors of set's slots from (inclusive) to (exclusive).
func (ix *Index) scan(best *top[near], set *roaring.Bitmap, from, to uint32, v []int8, norm float32, self int64) {
	if part := uint64(to - from); part < uint64(len(ix.ids)) {
		within := roaring.New()
		within.AddRange(uint64(from), uint64(to))
		set = roaring.And(set, within)
	}
	look := newLook(ix, best, v, norm, self)
	eachSlot(set, look.at)
}

// look compares one vector with many.
type look struct {
	ix    *Index
	best  *top[near]
	v     []int8
	norm  float32
	self  int64
	least float32 // the last cosine on the list once it is full: nearly every sound is passed over by one comparison
	kept  int     // sounds that were put on the list, for a while at least
}

func newLook(ix *Index, best *top[near], v []int8, norm float32, self int64) *look {
	return &look{ix: ix, best: best, v: v, norm: norm, self: self, least: -2}
}

func (l *look) at(slot uint32) {
	dims := l.ix.cfg.VectorDims
	cos := float32(i8.DotProduct(l.v, l.ix.vector[int(slot)*dims:][:dims])) / (l.norm * l.ix.norm[slot])
	if cos < l.least || int64(slot) == l.self {
		return
	}
	l.best.add(near{slot, cos})
	l.kept++
	if last, full := l.best.last(); full {
		l.least = last.cos
	}
}

// eachSlot calls f for every slot of set in order.
func eachSlot(set *roaring.Bitmap, f func(slot uint32)) {
	eachBatch(set, func(slots []uint32) {
		for _, slot := range slots {
			f(slot)
		}
	})
}

// slotBatch is how many slots are taken out of a set at once.
const slotBatch = 512

// eachBatch calls f for the slots of set in order, some at a time; the slice is used again.
func eachBatch(set *roaring.Bitmap, f func(slots []uint32)) {
	var buffer [slotBatch]uint32
	it := set.ManyIterator()
	for n := it.NextMany(buffer[:]); n > 0; n = it.NextMany(buffer[:]) {
		f(buffer[:n])
	}
}
