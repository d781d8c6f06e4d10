package mp3enc

// transient follows the energy of one channel to find attacks: sounds that begin so suddenly that the noise of a long block
// would be heard before them.
type transient struct {
	past float32 // energy of a part before, decaying
}

const (
	parts6       = 6    // parts of a granule, three slots each: 2 ms at 48 kHz
	attackRise   = 12   // times the energy before
	attackFloor  = 1e-6 // energy of a part that is not worth it
	attackForget = .6   // of the past energy after each part
)

// find looks for an attack in the first two thirds of a block, which spoils the long transform that ends with it, and in the
// last two, which spoils the one that begins with it.
func (t *transient) find(b *block, bands int) (early, late bool) {
	for p := range parts6 {
		var sum float32
		for s := 3 * p; s < 3*p+3; s++ {
			for _, v := range b[s][2:bands] { // bass moves slowly and would hide all else
				sum += v * v
			}
		}
		if sum > attackFloor && sum > attackRise*t.past {
			early = early || p < 4
			late = late || p >= 2
		}
		t.past = max(sum, t.past*attackForget)
	}
	return early, late
}
