package index

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/tphakala/simd/i8"
)

// How the cells are made and used. What reaches a recall@10 of .95 was measured (doc/similar.md).
const (
	cellsPerRoot    = 4         // cells for each root of the number of vectors
	mostCells       = 1<<16 - 2 // a cell's number and "none" fit two bytes
	samplesPerCell  = 48        // vectors that a cell's center is learned from, on average
	cellRounds      = 6         // of moving the centers; later ones change hardly anything
	groupRounds     = 4         // the same for the groups of cells
	groupsTried     = 8         // groups in whose cells a vector's nearest is looked for
	sortedAtOnce    = 1024      // vectors that are sorted between two locks
	comparedPerRoot = 12        // vectors that the first stage of a search compares, for each root of how many there are
	filteredPerRoot = 40        // the same for each root of how many a filter leaves, which may all lie far away, spread over many cells
	betteredShare   = 20        // a search ends after a stage that bettered less than one in so many of its hits
	fewShare        = 4         // of Config.ExactVectors: so few vectors, left by a filter, are all compared
)

// When the cells are learned anew.
const (
	grownTooMuch   = 2   // times the vectors that they were learned for
	driftMeasured  = .1  // of the vectors are new since: enough to judge whether they are of other kinds
	driftedTooMuch = .03 // in the mean cosine of a vector and its cell's center
)

// cells is an inverted file (Sivic, Zisserman: Video Google, 2003; Jégou, Douze, Schmid: Product Quantization for Nearest Neighbor
// Search, 2011): the vectors sorted by the nearest of some thousand centers, so that a search compares only what lies in the cells whose
// centers are nearest to what it looks for. It holds six bytes for each vector: its slot in a list, and its cell.
type cells struct {
	book
	lists [][]uint32 // by cell, in no order
	of    []uint16   // by slot: its cell plus 1; 0 for none
	n     int        // vectors in the lists
	first fit        // of the vectors that were there when it was learned
	since fit        // of those that came since
}

// fit sums up how near vectors are to the centers of their cells.
type fit struct {
	n   int
	cos float64
}

func (f fit) mean() float64 { return f.cos / max(float64(f.n), 1) }

// place sorts a vector into its cell.
func (c *cells) place(slot uint32, v []int8, norm float32, f *fit) {
	cell, dot := c.nearest(v)
	c.put(slot, cell)
	f.n++
	f.cos += float64(dot / norm)
}

func (c *cells) put(slot uint32, cell int) {
	if need := int(slot) + 1; len(c.of) < need {
		c.of = append(c.of, make([]uint16, need-len(c.of))...)
	}
	c.of[slot] = uint16(cell + 1)
	c.lists[cell] = append(c.lists[cell], slot)
	c.n++
}

// drop takes a slot out of its cell, if it is in one.
func (c *cells) drop(slot uint32) {
	if int(slot) >= len(c.of) || c.of[slot] == 0 {
		return
	}
	list := &c.lists[c.of[slot]-1]
	at, last := slices.Index(*list, slot), len(*list)-1
	(*list)[at] = (*list)[last]
	*list = (*list)[:last]
	c.of[slot] = 0
	c.n--
}

// book is a list of centers, in groups of neighbors so that the nearest is found without comparing all.
type book struct {
	centers
	groups  centers
	members [][]uint16 // by group
}

// centers are directions: int8 vectors with their Euclidean lengths.
type centers struct {
	dims   int
	vector []int8
	norm   []float32
}

func (c *centers) at(i int) []int8 { return c.vector[i*c.dims:][:c.dims] }

// along is the length of v in the direction of center i: its cosine with it, times v's own length.
func (c *centers) along(v []int8, i int) float32 {
	return float32(i8.DotProduct(v, c.at(i))) / c.norm[i]
}

// add appends a center in the direction of sum; it refuses one without direction.
func (c *centers) add(sum []float32) bool {
	q, norm := quantizeVector(sum)
	if norm == 0 {
		return false
	}
	c.vector, c.norm = append(c.vector, q...), append(c.norm, norm)
	return true
}

// nearest compares v with every center.
func (c *centers) nearest(v []int8) (best int, along float32) {
	along = float32(math.Inf(-1))
	for i := range c.norm {
		if a := c.along(v, i); a > along {
			best, along = i, a
		}
	}
	return best, along
}

// nearest is the center nearest to v among those of the nearest groups: not always of all, which costs a search little, for it looks into
// the cells around as well.
func (b *book) nearest(v []int8) (best int, along float32) {
	var tried [groupsTried]struct {
		group int
		along float32
	}
	n := 0
	for g := range b.groups.norm {
		a := b.groups.along(v, g)
		if n == len(tried) && a <= tried[n-1].along {
			continue
		}
		n = min(n+1, len(tried))
		at := n - 1
		for ; at > 0 && tried[at-1].along < a; at-- {
			tried[at] = tried[at-1]
		}
		tried[at].group, tried[at].along = g, a
	}
	along = float32(math.Inf(-1))
	for _, t := range tried[:n] {
		for _, i := range b.members[t.group] {
			if a := b.centers.along(v, int(i)); a > along {
				best, along = int(i), a
			}
		}
	}
	return best, along
}

// group sorts the centers into groups.
func (b *book) group(r *rand.Rand) {
	b.groups = scatter(r, b.centers, int(math.Sqrt(float64(len(b.norm)))))
	for range groupRounds {
		b.groups = moved(r, b.centers, b.groups, b.groups.nearest)
	}
	b.members = make([][]uint16, len(b.groups.norm))
	for i := range b.norm {
		g, _ := b.groups.nearest(b.at(i))
		b.members[g] = append(b.members[g], uint16(i))
	}
}

// scatter takes n of the points for centers.
func scatter(r *rand.Rand, points centers, n int) centers {
	c := centers{dims: points.dims}
	for _, i := range r.Perm(len(points.norm))[:min(max(n, 1), len(points.norm))] {
		c.vector, c.norm = append(c.vector, points.at(i)...), append(c.norm, points.norm[i])
	}
	return c
}

// moved is a round of spherical k-means (Dhillon, Modha: Concept Decompositions, 2001): each center moves to the mean direction of the
// points nearest to it, and one that is nearest to none starts again at a point.
func moved(r *rand.Rand, points, old centers, nearest func([]int8) (int, float32)) centers {
	sums := make([]float32, len(old.vector))
	for i, norm := range points.norm {
		v := points.at(i)
		c, _ := nearest(v)
		sum := sums[c*old.dims:][:old.dims]
		for d, x := range v {
			sum[d] += float32(x) / norm
		}
	}
	c := centers{dims: old.dims}
	for i := range old.norm {
		if !c.add(sums[i*old.dims:][:old.dims]) {
			p := r.IntN(len(points.norm))
			c.vector, c.norm = append(c.vector, points.at(p)...), append(c.norm, points.norm[p])
		}
	}
	return c
}

// learn makes n cells' centers from a sample; the same ones from the same sample.
func learn(ctx context.Context, r *rand.Rand, sample centers, n int) (*book, error) {
	b := &book{centers: scatter(r, sample, n)}
	for range cellRounds {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b.group(r)
		b.centers = moved(r, sample, b.centers, b.nearest)
	}
	b.group(r)
	return b, nil
}

// Cluster sorts the vectors into cells if there are more than Config.ExactVectors, and learns the cells anew when there are twice
// as many or they became other; it gives the cells back when few vectors are left. That takes some seconds of one core for each million.
// Searches and changes go on meanwhile. done tells whether anything was to be done; the error is ctx's.
func (ix *Index) Cluster(ctx context.Context) (done bool, err error) {
	ix.clustering.Lock()
	defer ix.clustering.Unlock()
	ix.mu.Lock()
	if ix.cells != nil && ix.vectors.GetCardinality() < uint64(ix.cfg.ExactVectors/grownTooMuch) {
		ix.cells = nil
	}
	due := ix.clusterDue()
	ix.mu.Unlock()
	if !due {
		return false, nil
	}
	r := rand.New(rand.NewPCG(1, uint64(ix.cfg.VectorDims))) // no chance in it: a node that starts again finds the same
	sample, n := ix.sample(r)
	if len(sample.norm) == 0 {
		return false, nil // everything was taken out just now
	}
	b, err := learn(ctx, r, sample, n)
	if err != nil {
		return false, err
	}
	ix.mu.Lock()
	ix.sorting = &cells{book: *b, lists: make([][]uint32, len(b.norm)), of: make([]uint16, len(ix.ids))}
	ix.mu.Unlock()
	for from, more := uint32(0), true; more; from += sortedAtOnce {
		if ctx.Err() != nil {
			ix.mu.Lock()
			defer ix.mu.Unlock()
			ix.sorting = nil
			return false, ctx.Err()
		}
		more = ix.sortVectors(from)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.cells, ix.sorting = ix.sorting, nil
	for i := range ix.cells.lists {
		ix.cells.lists[i] = exact(ix.cells.lists[i])
	}
	return true, nil
}

// Cells is in how many cells the vectors lie; 0 while every search for similar sounds compares all.
func (ix *Index) Cells() int {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.cells == nil {
		return 0
	}
	return len(ix.cells.lists)
}

// clusterDue reports whether cells are to be learned. The caller holds the lock.
func (ix *Index) clusterDue() bool {
	n := int(ix.vectors.GetCardinality())
	if n <= ix.cfg.ExactVectors {
		return false
	}
	c := ix.cells
	if c == nil || n >= grownTooMuch*c.first.n {
		return true
	}
	return float64(c.since.n) >= driftMeasured*float64(c.first.n) && c.since.mean() < c.first.mean()-driftedTooMuch
}

// sample draws vectors to learn cells from, and tells how many cells.
func (ix *Index) sample(r *rand.Rand) (sample centers, cells int) {
	sample.dims = ix.cfg.VectorDims
	size := 1
	for len(sample.norm) < size {
		ix.mu.RLock()
		n := int(ix.vectors.GetCardinality())
		cells = min(int(cellsPerRoot*math.Sqrt(float64(n))), mostCells)
		size = min(cells*samplesPerCell, n)
		for range sortedAtOnce {
			if n > 0 {
				slot, err := ix.vectors.Select(uint32(r.IntN(n)))
				if err == nil { // it is there: n is how many there are
					sample.vector = append(sample.vector, ix.vector[int(slot)*sample.dims:][:sample.dims]...)
					sample.norm = append(sample.norm, ix.norm[slot])
				}
			}
		}
		ix.mu.RUnlock()
	}
	return sample, cells
}

// sortVectors sorts the vectors of the next slots into the cells that are being made; more tells whether there are others behind. What is
// put in meanwhile is sorted by its own.
func (ix *Index) sortVectors(from uint32) (more bool) {
	dims := ix.cfg.VectorDims
	var slots []uint32
	var part centers
	part.dims = dims
	ix.mu.RLock()
	to := min(int(from)+sortedAtOnce, len(ix.ids))
	for slot := from; int(slot) < to; slot++ {
		if ix.vectors.Contains(slot) {
			slots = append(slots, slot)
			part.vector, part.norm = append(part.vector, ix.vector[int(slot)*dims:][:dims]...), append(part.norm, ix.norm[slot])
		}
	}
	ix.mu.RUnlock()
	c := ix.sorting
	found, along := make([]int, len(slots)), make([]float32, len(slots))
	for i := range slots {
		found[i], along[i] = c.book.nearest(part.at(i))
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for i, slot := range slots {
		if !ix.vectors.Contains(slot) || int(slot) < len(c.of) && c.of[slot] != 0 {
			continue // taken out since it was read, or put in again and sorted then
		}
		c.put(slot, found[i])
		c.first.n++
		c.first.cos += float64(along[i] / part.norm[i])
	}
	return to < len(ix.ids)
}

// sortVector sorts a vector that was put in. The caller holds the lock.
func (ix *Index) sortVector(slot uint32, v []int8, norm float32) {
	if ix.cells != nil {
		ix.cells.place(slot, v, norm, &ix.cells.since)
	}
	if ix.sorting != nil {
		ix.sorting.place(slot, v, norm, &ix.sorting.first)
	}
}

// dropVector forgets the vector of slot. The caller holds the lock.
func (ix *Index) dropVector(slot uint32) {
	ix.vectors.Remove(slot)
	for _, c := range []*cells{ix.cells, ix.sorting} {
		if c != nil {
			c.drop(slot)
		}
	}
}

// probed reports whether the nearest of so many vectors are looked for in the cells. The caller holds the lock.
func (ix *Index) probed(among uint64) bool {
	return ix.cells != nil && ix.vectors.GetCardinality() > uint64(ix.cfg.ExactVectors) && among > uint64(ix.cfg.ExactVectors/fewShare)
}

// probe compares v with those vectors of set that lie in the cells with the nearest centers. It goes on from cell to cell in stages, each
// with half as many vectors as all before, until one betters hardly any hit: so it looks farther for more hits, and where a filter left
// few of what lies near, at worst at everything that it left. all tells that set is every vector.
func (ix *Index) probe(best *top[near], set *roaring.Bitmap, all bool, v []int8, norm float32, self int64) {
	c := ix.cells
	order := make([]uint64, len(c.norm))
	for i := range order {
		away := 1 - c.along(v, i)/norm // of 0 to 2, above 0 but for rounding, so that its bits are in order as it is
		order[i] = uint64(math.Float32bits(max(away, 0)))<<32 | uint64(i)
	}
	slices.Sort(order)
	var dense []uint64 // a bit for each slot: asked a hundred thousand times
	if !all {
		dense = set.ToDense()
	}
	look := newLook(ix, best, v, norm, self)
	root := int(math.Sqrt(float64(set.GetCardinality())))
	stage := comparedPerRoot * root // ends when so many were compared
	if !all {
		stage = filteredPerRoot * root
	}
	compared, kept := 0, 0 // kept is of the stage before
	for _, o := range order {
		for _, slot := range c.lists[uint32(o)] {
			if all || int(slot>>6) < len(dense) && dense[slot>>6]>>(slot&63)&1 != 0 {
				look.at(slot)
				compared++
			}
		}
		if compared < stage {
			continue
		}
		if _, full := best.last(); full && kept > 0 && look.kept-kept <= best.n/betteredShare {
			return
		}
		kept, stage = look.kept, compared+compared/2
	}
}
