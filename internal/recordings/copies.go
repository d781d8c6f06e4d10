package recordings

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"audiomicro/internal/audio/fingerprint"
	"audiomicro/internal/db"
)

// Limits of the index of fingerprints. What is kept of a recording are the items whose mixed bits are the smallest: the same sound keeps the
// same ones wherever it stands in a longer recording, so that half of it still finds the whole.
const (
	printShare  = 4    // one distinct item in so many is kept
	printLeast  = 32   // but at least so many
	printMost   = 512  // and at most so many, of more than 4 min
	printCommon = 200  // recordings under one item: a steady tone's or a silence's says nothing, and must not make the list long
	printAsked  = 2000 // items of a recording that are looked up, those most likely kept
	printHeard  = 40   // recordings that are compared whole: those that share most items
)

// Copy is a recording that sounds the same as another, or contains it, or is part of it.
type Copy struct {
	Recording Recording
	BitError  float64 // share of bits that differ where both overlap
	Seconds   float64 // that overlap
}

// printItems are the distinct items of a fingerprint without their four lowest bits, which lossy encoders disturb, the smallest when mixed
// first.
func printItems(items []uint32) []uint32 {
	list := make([]uint32, len(items))
	for i, v := range items {
		list[i] = v >> 4
	}
	mixed := func(v uint32) uint32 { return bits.ReverseBytes32(v*0x9e3779b1) * 0x85ebca6b }
	slices.SortFunc(list, func(a, b uint32) int { return cmp.Or(cmp.Compare(mixed(a), mixed(b)), cmp.Compare(a, b)) })
	return slices.Compact(list)
}

// savePrint replaces what the index of fingerprints knows of a recording, in tx.
func (s *Store) savePrint(ctx context.Context, tx *db.Tx, id int64, text []byte) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM recording_print WHERE recording_id = $1`, id); err != nil {
		return fmt.Errorf("index fingerprint of recording %d: %w", id, err)
	}
	if len(text) == 0 {
		return nil // too short to have one
	}
	items, err := fingerprint.Decode(string(text))
	if err != nil {
		return fmt.Errorf("index fingerprint of recording %d: %w", id, err)
	}
	keep := printItems(items)
	keep = keep[:min(len(keep), max(printLeast, min(len(keep)/printShare, printMost)))]
	in, args := db.In(1, keep)
	common, err := db.Query[int64](ctx, tx, fmt.Sprintf(`SELECT item FROM recording_print WHERE item IN (%s) GROUP BY item HAVING count(*) >= %d`, in, printCommon), args...)
	if err != nil {
		return fmt.Errorf("index fingerprint of recording %d: %w", id, err)
	}
	var rows []string
	args = []any{id}
	for _, v := range keep {
		if !slices.Contains(common, int64(v)) {
			args = append(args, int64(v))
			rows = append(rows, fmt.Sprintf("($%d, $1)", len(args)))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := db.Exec(ctx, tx, `INSERT INTO recording_print (item, recording_id) VALUES `+strings.Join(rows, ", "), args...); err != nil {
		return fmt.Errorf("index fingerprint of recording %d: %w", id, err)
	}
	return nil
}

// heardPrint is what is compared of a recording.
type heardPrint struct {
	ID          int64   `db:"recording_id"`
	Seconds     float64 `db:"seconds"`
	Vector      []byte  `db:"vector"`
	Fingerprint []byte  `db:"fingerprint"`
	items       []uint32
}

func (s *Store) heardPrints(ctx context.Context, q db.Querier, ids []int64) ([]heardPrint, error) {
	in, args := db.In(1, ids)
	list, err := db.Query[heardPrint](ctx, q, `SELECT n.recording_id, r.seconds, n.vector, n.fingerprint FROM recording_analysis n JOIN recording r ON r.id = n.recording_id
		WHERE n.recording_id IN (`+in+`) AND length(n.fingerprint) > 0`, args...)
	if err != nil {
		return nil, fmt.Errorf("load fingerprints: %w", err)
	}
	for i := range list {
		if list[i].items, err = fingerprint.Decode(string(list[i].Fingerprint)); err != nil {
			return nil, fmt.Errorf("fingerprint of recording %d: %w", list[i].ID, err)
		}
	}
	return list, nil
}

// Copies finds other people's recordings that sound the same as id, wholly or in part, those that overlap longest first: through the index of fingerprints
// those that share most items, and of these the ones that agree when they are laid over each other. Recordings under 2.7 s have no
// fingerprint; see SameSamples.
func (s *Store) Copies(ctx context.Context, q db.Querier, id int64) ([]Copy, error) {
	own, err := s.heardPrints(ctx, q, []int64{id})
	if err != nil || len(own) == 0 {
		return nil, err
	}
	asked := printItems(own[0].items)
	asked = asked[:min(len(asked), printAsked)]
	type hit struct {
		ID   int64 `db:"recording_id"`
		Hits int64 `db:"hits"`
	}
	in, args := db.In(2, asked)
	hits, err := db.Query[hit](ctx, q, fmt.Sprintf(`SELECT p.recording_id, count(*) AS hits FROM recording_print p JOIN recording r ON r.id = p.recording_id
		WHERE r.owner_id <> (SELECT owner_id FROM recording WHERE id = $1) AND p.item IN (%s) GROUP BY p.recording_id ORDER BY hits DESC, p.recording_id LIMIT %d`, in, printHeard), append([]any{id}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("look for copies of recording %d: %w", id, err)
	}
	if len(hits) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	others, err := s.heardPrints(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	var out []Copy
	for _, other := range others {
		wrong, seconds, same := sameSound(&own[0], &other)
		if !same {
			continue
		}
		rec, err := s.ByID(ctx, q, other.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, Copy{rec, wrong, seconds})
	}
	slices.SortFunc(out, func(a, b Copy) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.BitError, b.BitError), cmp.Compare(a.Recording.ID, b.Recording.ID))
	})
	return out, nil
}

// sameSound lays two fingerprints over each other. The longer they overlap, the more bits may differ: an item looks at 2.7 s and the
// next one only 0.12 s later, so that a few items are hardly more than one. Measured on 135 re-encodes at 64 kbit/s, halves and halves
// re-encoded 3 dB lower of music, loops, effects and cymbals, 133 differ in less than .086 of the bits; of 13,000 pairs of different
// recordings none that overlaps for 64 items comes below .15, and for 16 items only strokes on the same cymbal below .07. Under 16 items
// (2 s more than the 2.7) the whole sounds must be alike: as long, and their vectors in the same direction.
func sameSound(a, b *heardPrint) (wrong, seconds float64, same bool) {
	const second = 11025.0 / 1365 // items
	wrong, at := fingerprint.Similarity(a.items, b.items)
	n := min(len(a.items)-max(at, 0), len(b.items)-max(-at, 0))
	seconds = min(float64(n)/second+2.73, a.Seconds, b.Seconds)
	switch {
	case n >= 64:
		return wrong, seconds, wrong < 0.15
	case n >= 16:
		return wrong, seconds, wrong < 0.07
	}
	return wrong, seconds, wrong < 0.04 && math.Abs(a.Seconds-b.Seconds) < 0.05*a.Seconds && direction(a.Vector, b.Vector) > 0.95
}

// direction is the cosine between two packed vectors (package likeness), 0 when they do not compare.
func direction(a, b []byte) float64 {
	if len(a) != len(b) {
		return 0
	}
	var ab, aa, bb int64
	for i := range a {
		x, y := int64(int8(a[i])), int64(int8(b[i]))
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return float64(ab) / math.Sqrt(float64(aa)*float64(bb))
}
