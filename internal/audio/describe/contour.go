package describe

import (
	"math"
	"slices"

	"github.com/tphakala/simd/f32"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/spectrum"
)

const (
	sungFrom    = 0.7   // correlation of a period with the next
	sungRange   = 30.0  // dB below the loudest frame
	noteStep    = 0.75  // semitones from a note's middle that begin another
	noteFrames  = 3     // shortest note
	dip         = 5.0   // dB that the level falls and rises between two notes of the same pitch
	leastSung   = 0.35  // share of the active frames for a melody
	strokeRise  = 0.22  // of the 30 dB below a band's loudest frame, in two frames
	strokeGap   = 0.075 // seconds between strokes at least
	strokeFloor = 3e-4  // of the loudest band's power: a band below has no strokes
	lowBelow    = 250.0
	highAbove   = 4500.0
)

// strokes remembers how strong three bands are in each of the first frames.
type strokes struct {
	most  int
	bands [][3]float32
}

func (s *strokes) frame(f *spectrum.Frame) {
	if len(s.bands) >= s.most {
		return
	}
	n := len(f.Power)
	first, low, high := min(int(40/f.BinHz)+1, n), min(int(lowBelow/f.BinHz)+1, n), min(int(highAbove/f.BinHz)+1, n)
	first = min(first, low)
	s.bands = append(s.bands, [3]float32{f32.Sum(f.Power[first:low]), f32.Sum(f.Power[low:high]), f32.Sum(f.Power[high:])})
}

// rhythm packs the strokes. Beginnings are looked for in each band by itself, for a hat on the tail of a snare raises the sum of all but
// little, and on a logarithmic scale over 30 dB, for accents are part of a rhythm.
func (s *strokes) rhythm(fps, seconds float64) []byte {
	var top [3]float64
	for _, f := range s.bands {
		for b, v := range f {
			top[b] = max(top[b], float64(v))
		}
	}
	loudest := max(top[0], top[1], top[2])
	if loudest < 1e-9 {
		return nil
	}
	level := func(i, b int) float64 {
		if i < 0 || top[b] < strokeFloor*loudest { // a band with nothing but noise has no strokes
			return 0
		}
		return math.Log1p(1000*float64(s.bands[i][b])/top[b]) / math.Log(1001)
	}
	rise := make([][3]float64, len(s.bands))
	strength := make([]float64, len(s.bands))
	for i := range s.bands {
		for b := range top {
			rise[i][b] = max(level(i, b)-level(i-2, b), 0)
			strength[i] = max(strength[i], rise[i][b])
		}
	}
	gap := max(int(math.Round(strokeGap*fps)), 1)
	var out []contour.Stroke
	last := -2 * gap
	for i, v := range strength {
		if v < strokeRise || i-last < gap || slices.Max(strength[max(i-gap/2, 0):min(i+gap/2+1, len(strength))]) > v {
			continue
		}
		last = i
		out = append(out, contour.Stroke{At: float64(i) / fps, Kind: s.kind(i)})
	}
	end := min(seconds, contour.Seconds)
	if len(out) > 0 {
		end = max(end, out[len(out)-1].At)
	}
	return contour.PackRhythm(out, end)
}

// kind tells which band has most of what a stroke at frame i brings.
func (s *strokes) kind(i int) contour.Kind {
	var brought [3]float64
	for b := range brought {
		before := 0.0
		if i > 1 {
			before = float64(s.bands[i-2][b])
		}
		for _, k := range []int{i, i + 1} {
			if k < len(s.bands) {
				brought[b] += max(float64(s.bands[k][b])-before, 0)
			}
		}
	}
	switch all := brought[0] + brought[1] + brought[2]; {
	case brought[0] > .5*all:
		return contour.Low
	case brought[2] > .5*all:
		return contour.High
	}
	return contour.Mid
}

// melody packs the notes in the fundamentals of the first frames; nil where there is no single voice to follow.
func melody(found []heard, fps float64) []byte {
	loudest := math.Inf(-1)
	for _, h := range found {
		loudest = max(loudest, h.level)
	}
	if loudest < levelLow {
		return nil
	}
	floor := loudest - sungRange
	active, sung := 0, 0
	pitch := make([]float64, len(found)) // semitones; NaN where nobody sings
	for i, h := range found {
		pitch[i] = math.NaN()
		if h.level < floor {
			continue
		}
		active++
		if h.strength >= sungFrom && h.hz > 0 {
			sung++
			pitch[i] = 69 + 12*math.Log2(h.hz/440)
		}
	}
	if active == 0 || float64(sung) < leastSung*float64(active) {
		return nil
	}
	steady(pitch)
	var notes []contour.Note
	end := 0.0
	var now []float64 // pitches of the running note
	began, top, bottom, away := 0, 0.0, 0.0, 0
	finish := func(at int) {
		if len(now) >= noteFrames {
			slices.Sort(now)
			notes = append(notes, contour.Note{Pitch: now[len(now)/2], At: float64(began) / fps})
			end = float64(at) / fps
		}
		now = now[:0]
	}
	start := func(i int) {
		finish(i)
		now = append(now, pitch[i])
		began, top, bottom, away = i, found[i].level, found[i].level, 0
	}
	for i, p := range pitch {
		level := found[i].level
		switch {
		case math.IsNaN(p):
			if away++; away >= 2 {
				finish(i)
			}
		case len(now) == 0:
			start(i)
		case math.Abs(p-middle(now)) > noteStep:
			start(i)
		case bottom < top-dip && level > bottom+dip:
			start(i)
		default:
			now, away = append(now, p), 0
			if level >= top {
				top, bottom = level, level
			}
			bottom = min(bottom, level)
		}
	}
	finish(len(pitch))
	return contour.PackMelody(notes, end)
}

// steady replaces each pitch by the median of itself and its neighbors, so that one frame's slip by an octave is no note.
func steady(pitch []float64) {
	was := slices.Clone(pitch)
	for i := 1; i+1 < len(was); i++ {
		three := [3]float64{was[i-1], was[i], was[i+1]}
		if math.IsNaN(three[0]) || math.IsNaN(three[1]) || math.IsNaN(three[2]) {
			continue
		}
		slices.Sort(three[:])
		pitch[i] = three[1]
	}
}

// middle is the mean of the last quarter of a second or so: a voice drifts.
func middle(now []float64) float64 {
	now = now[max(len(now)-10, 0):]
	sum := 0.0
	for _, p := range now {
		sum += p
	}
	return sum / float64(len(now))
}
