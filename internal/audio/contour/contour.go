// Package contour compares melodies and rhythms, whatever their key and tempo: what somebody hums or beats with the mouth against
// what a recording holds.
//
// A melody is a row of notes, a rhythm one of strokes. Both are packed into two bytes an event: a step from the event before (an
// interval, or what kind of stroke it is) and the time to the next. Distance aligns a query with any part of a recording by dynamic
// programming (the edits of Mongeau and Sankoff, "Comparison of musical sequences", 1990: substitution, fragmentation and consolidation,
// with a free beginning and end in the recording). A Sketch is 64 bytes that say which short turns occur, so that a million recordings can
// be passed over without reading them.
package contour

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strings"
)

// Version names how contours are found and packed.
const Version = 1

// Seconds is how much of a recording is followed, from its beginning.
const Seconds = 30.0

// MaxEvents is how many notes or strokes are kept of a recording, and of a query.
const MaxEvents = 96

// Least is how many events make a melody or a rhythm that says anything.
const Least = 5

// Note is one note of a melody.
type Note struct {
	Pitch float64 // semitones, 69 is A4
	At    float64 // seconds
}

// Kind is what a stroke sounds like: the three that people imitate, as kick, snare and hat.
type Kind uint8

// The kinds of strokes.
const (
	Low Kind = iota
	Mid
	High
)

// Stroke is one beginning of a sound.
type Stroke struct {
	At   float64 // seconds
	Kind Kind
}

const (
	stepsPerSemitone = 4.0
	shortest         = 0.02 // seconds, byte 0
	perOctave        = 24.0 // bytes for a doubling of time
)

func packTime(seconds float64) byte {
	return byte(min(max(math.Round(perOctave*math.Log2(max(seconds, shortest)/shortest)), 0), 255))
}

func unpackTime(b byte) float64 { return shortest * math.Exp2(float64(b)/perOctave) }

// PackMelody packs notes, the earliest first; end is when the last one is over. Fewer than Least give nil.
func PackMelody(notes []Note, end float64) []byte {
	if len(notes) < Least {
		return nil
	}
	notes = notes[:min(len(notes), MaxEvents)]
	out := make([]byte, 0, 2*len(notes))
	pitch := notes[0].Pitch // as whoever unpacks it will have it: rounding errors do not add up
	for i, n := range notes {
		step := min(max(math.Round((n.Pitch-pitch)*stepsPerSemitone), -127), 127)
		pitch += step / stepsPerSemitone
		next := end
		if i+1 < len(notes) {
			next = notes[i+1].At
		}
		out = append(out, byte(int8(step)), packTime(next-n.At))
	}
	return out
}

// PackRhythm packs strokes, the earliest first; end is when a loop of them begins again. Fewer than Least give nil.
func PackRhythm(strokes []Stroke, end float64) []byte {
	if len(strokes) < Least {
		return nil
	}
	strokes = strokes[:min(len(strokes), MaxEvents)]
	out := make([]byte, 0, 2*len(strokes))
	for i, s := range strokes {
		next := end
		if i+1 < len(strokes) {
			next = strokes[i+1].At
		}
		out = append(out, byte(s.Kind), packTime(next-s.At))
	}
	return out
}

// event is what alignment looks at: where it is in time, and its pitch or kind.
type event struct{ at, value float64 }

// ErrPacked is returned for bytes that no packed contour has.
var ErrPacked = errors.New("not a packed contour")

func check(packed []byte) error {
	if len(packed)%2 != 0 || len(packed) < 2*Least || len(packed) > 2*MaxEvents {
		return ErrPacked
	}
	return nil
}

// CheckMelody tells whether bytes from outside are a packed melody.
func CheckMelody(packed []byte) error { return check(packed) }

// CheckRhythm tells whether bytes from outside are a packed rhythm.
func CheckRhythm(packed []byte) error {
	if err := check(packed); err != nil {
		return err
	}
	for i := 0; i < len(packed); i += 2 {
		if packed[i] > byte(High) {
			return ErrPacked
		}
	}
	return nil
}

// Address writes a packed contour for an address, FromAddress reads it.
func Address(packed []byte) string { return base64.RawURLEncoding.EncodeToString(packed) }

// FromAddress reads what Address wrote; what it gives is not checked further.
func FromAddress(s string) ([]byte, error) {
	// The decoder passes over line ends, and one contour would have many addresses.
	if len(s) > base64.RawURLEncoding.EncodedLen(2*MaxEvents) || strings.ContainsAny(s, "\r\n") {
		return nil, ErrPacked
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, ErrPacked
	}
	return b, nil
}

func melodyEvents(packed []byte) []event {
	out := make([]event, 0, len(packed)/2)
	var e event
	for i := 0; i+1 < len(packed); i += 2 {
		e.value += float64(int8(packed[i])) / stepsPerSemitone
		out = append(out, e)
		e.at += unpackTime(packed[i+1])
	}
	return out
}

// rhythmEvents repeats a loop that is shorter than what it is compared with, and half of a query more, for a query may begin anywhere.
func rhythmEvents(packed []byte, least int) []event {
	n := len(packed) / 2
	if n == 0 {
		return nil
	}
	least = max(n, min(n+least, 2*MaxEvents))
	out := make([]event, 0, least)
	at := 0.0
	for i := range least {
		k := 2 * (i % n)
		out = append(out, event{at, float64(packed[k])})
		at += unpackTime(packed[k+1])
	}
	return out
}

// steps are the ways one alignment goes on: events of the query and of the recording that the next pair lies behind the last, and what
// that costs.
var steps = [...]struct {
	query, recording int
	cost             float64
}{{1, 1, 0}, {1, 2, .2}, {2, 1, .2}, {1, 3, .35}}

// tempi are the logarithms of how much faster a query may be than the recording.
var tempi = [...]float64{0, .2, -.2, .4, -.4, .6, -.6, .8, -.8, 1, -1}

// MelodyDistance is how far the query is from the nearest part of a recording's melody: 0 for the same turns at any pitch and tempo, 1
// for nothing alike.
func MelodyDistance(query, recording []byte) float64 {
	return align(melodyEvents(query), melodyEvents(recording), func(q0, q1, r0, r1 event) float64 {
		off := math.Abs((q1.value - q0.value) - (r1.value - r0.value))
		off = min(off, math.Abs(off-12)+1) // singers and detectors miss by an octave
		return .7 * min(off/2.5, 1)
	}, .3)
}

// RhythmDistance is the same of two rhythms.
func RhythmDistance(query, recording []byte) float64 {
	return align(rhythmEvents(query, 0), rhythmEvents(recording, len(query)/2), func(_, q1, _, r1 event) float64 {
		return [...]float64{0, .3, .45}[int(math.Abs(q1.value-r1.value))]
	}, .55)
}

// align gives the mean cost of a query's events on the best way through part of a recording. differ says what a pair of pairs of events
// costs but for their time, late what time can cost at most.
func align(query, recording []event, differ func(q0, q1, r0, r1 event) float64, late float64) float64 {
	best := 1.0
	if len(query) < 2 || len(recording) < 2 {
		return best
	}
	n := len(recording)
	cost := make([]float64, len(query)*n)
	// What does not depend on the tempo is found once.
	type move struct{ cost, ratio float64 }
	moves := make([]move, len(query)*n*len(steps))
	for i := 1; i < len(query); i++ {
		for j := range n {
			for k, s := range steps {
				m := &moves[(i*n+j)*len(steps)+k]
				m.cost = math.Inf(1)
				if a, b := i-s.query, j-s.recording; a >= 0 && b >= 0 {
					m.cost = s.cost + differ(query[a], query[i], recording[b], recording[j])
					m.ratio = math.Log2((query[i].at - query[a].at) / (recording[j].at - recording[b].at))
				}
			}
		}
	}
	for _, tempo := range tempi {
		for i := 1; i < len(query); i++ {
			for j := range n {
				least := math.Inf(1)
				for k, s := range steps {
					m := moves[(i*n+j)*len(steps)+k]
					if math.IsInf(m.cost, 1) {
						continue
					}
					c := cost[(i-s.query)*n+j-s.recording] + m.cost + late*min(math.Abs(m.ratio-tempo), 1)
					least = min(least, c)
				}
				cost[i*n+j] = least
			}
		}
		end := slices.Min(cost[(len(query)-1)*n:])
		best = min(best, (end+.05*math.Abs(tempo))/float64(len(query)-1))
	}
	return best
}
