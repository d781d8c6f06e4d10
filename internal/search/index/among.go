package index

import "audiomicro/internal/search/query"

// Among gives a test of whether a recording is in the index and where holds for it (nil for all). What changes afterwards it does
// not learn.
func (ix *Index) Among(where *query.Filter) func(id int64) bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	set := ix.eval(where, ix.live).Clone()
	return func(id int64) bool {
		ix.mu.RLock()
		slot, ok := ix.slot(id)
		ix.mu.RUnlock()
		return ok && set.Contains(slot)
	}
}
