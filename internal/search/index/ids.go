package index

import "audiomicro/internal/search/query"

// IDs lists the recordings that q asks for in no order, at most so many, and tells how many there are.
func (ix *Index) IDs(q query.Query, most int) (ids []int64, total int, err error) {
	parsed, err := query.Parse(q.Text, q.Prefix)
	if err != nil {
		return nil, 0, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	hits := ix.find(q, parsed).hits
	eachSlot(hits, func(slot uint32) {
		if len(ids) < most {
			ids = append(ids, ix.ids[slot])
		}
	})
	return ids, int(hits.GetCardinality()), nil
}

// Fits tells whether a vector has the length of the index's and a direction, so that Like can compare it.
func (ix *Index) Fits(vector []float32) bool {
	_, norm := quantizeVector(vector)
	return norm > 0 && len(vector) == ix.cfg.VectorDims
}
