// Package trial measures how well hummed melodies and beaten rhythms find what they imitate, on sounds that it draws itself: a catalog of
// plucked melodies and drum loops, and imitations as people make them, in another key and tempo, off key, with vibrato, drift, uneven
// time and wrong strokes. Everything follows from a seed, so that anybody gets the same figures.
package trial

import (
	"math"
	"math/rand/v2"
	"slices"

	"audiomicro/internal/audio/contour"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/spectrum"
)

// Rate is the sample rate of everything drawn, in Hz.
const Rate = 44100

// Event is a note (its pitch in semitones) or a stroke (its kind), at a time.
type Event struct {
	At, Seconds float64
	Pitch       float64
	Kind        contour.Kind
}

// Melody makes a tune of notes that moves through a scale mostly by steps.
func Melody(r *rand.Rand) []Event {
	scale := [][]int{{0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}}[r.IntN(2)]
	root, degree := 55+r.IntN(12), r.IntN(7)
	beat := 60 / (80 + 70*r.Float64())
	at := 0.0
	var out []Event
	for range 14 + r.IntN(16) {
		length := beat * []float64{.5, .5, 1, 1, 1.5, 2}[r.IntN(6)]
		octave := degree / 7
		out = append(out, Event{At: at, Seconds: length, Pitch: float64(root + 12*octave + scale[degree%7])})
		at += length
		degree = min(max(degree+[]int{-3, -2, -1, -1, 0, 1, 1, 2, 3, 4}[r.IntN(10)], 0), 13)
	}
	return out
}

// Beat makes two bars of sixteen steps, at a tempo, the second like the first but for a step or two. It also tells how long they are.
func Beat(r *rand.Rand) ([]Event, float64) {
	step := 60 / (80 + 80*r.Float64()) / 4
	var kinds [32]int // kind + 1
	for i := range 16 {
		switch {
		case i == 0 || i%4 != 0 && r.Float64() < .15 || i == 8 && r.Float64() < .5:
			kinds[i] = 1 + int(contour.Low)
		case (i == 4 || i == 12) && r.Float64() < .85 || r.Float64() < .08:
			kinds[i] = 1 + int(contour.Mid)
		case i%2 == 0 && r.Float64() < .7 || r.Float64() < .15:
			kinds[i] = 1 + int(contour.High)
		}
	}
	copy(kinds[16:], kinds[:16])
	kinds[16+1+r.IntN(15)] = r.IntN(4)
	var out []Event
	for i, k := range kinds {
		if k > 0 {
			out = append(out, Event{At: float64(i) * step, Seconds: step, Kind: contour.Kind(k - 1)})
		}
	}
	return out, 32 * step
}

// tone adds a tone whose pitch and loudness follow functions of time, with harmonics.
func tone(x []float32, at, seconds float64, harmonics []float64, pitch, level func(t float64) float64) {
	phase := 0.0
	from := int(at * Rate)
	for i := range int(seconds * Rate) {
		if from+i >= len(x) {
			return
		}
		t := float64(i) / Rate
		hz := 440 * math.Exp2((pitch(t)-69)/12)
		phase += 2 * math.Pi * hz / Rate
		sum := 0.0
		for k, a := range harmonics {
			if hz*float64(k+1) < Rate/2 {
				sum += a * math.Sin(float64(k+1)*phase)
			}
		}
		x[from+i] += float32(level(t) * sum)
	}
}

// hiss adds noise between two frequencies, by two one-pole filters twice.
func hiss(r *rand.Rand, x []float32, at, decay, level, low, high float64) {
	from := int(at * Rate)
	a, b := 1-math.Exp(-2*math.Pi*high/Rate), 1-math.Exp(-2*math.Pi*low/Rate)
	var s [4]float64
	for i := range int(6 * decay * Rate) {
		if from+i >= len(x) {
			return
		}
		s[0] += a * (2*r.Float64() - 1 - s[0])
		s[1] += a * (s[0] - s[1])
		s[2] += b * (s[1] - s[2])
		s[3] += b * (s[1] - s[2] - s[3])
		x[from+i] += float32(level * math.Exp(-float64(i)/Rate/decay) * (s[1] - s[2] - s[3]))
	}
}

func silence(events []Event) []float32 {
	last := events[len(events)-1]
	return make([]float32, int((last.At+last.Seconds+.3)*Rate))
}

// Pluck draws a melody on a string.
func Pluck(notes []Event) []float32 {
	x := silence(notes)
	for _, n := range notes {
		tone(x, n.At, n.Seconds*.98, []float64{.3, .2, .12, .06, .03}, func(float64) float64 { return n.Pitch }, func(t float64) float64 {
			return min(t/.004, 1) * math.Exp(-2.5*t) * min((n.Seconds*.98-t)/.01, 1)
		})
	}
	return x
}

// Hum draws a part of a melody as somebody hums it on "da". off is how far from the pitch each note may be, in semitones.
func Hum(r *rand.Rand, notes []Event, off float64) []float32 {
	first := r.IntN(max(len(notes)-12, 1))
	part := slices.Clone(notes[first:min(first+8+r.IntN(5), len(notes))])
	shift, tempo, drift, began := float64(r.IntN(15)-7), .75+.55*r.Float64(), (2*r.Float64()-1)*.5, part[0].At
	at := .2
	for i := range part {
		n := &part[i]
		n.Seconds /= tempo
		n.Seconds *= 1 + .08*r.NormFloat64()
		n.Seconds = max(n.Seconds, .12)
		n.Pitch += shift + (2*r.Float64()-1)*off + drift*(n.At-began)/max(part[len(part)-1].At-began, .1)
		n.At, at = at, at+n.Seconds
	}
	x := silence(part)
	before := part[0].Pitch
	for _, n := range part {
		from := before
		tone(x, n.At, n.Seconds, []float64{.3, .22, .1, .12, .05, .02}, func(t float64) float64 {
			glide := min(t/.05, 1)
			return from + (n.Pitch-from)*glide + .3*glide*math.Sin(2*math.Pi*5.5*t)
		}, func(t float64) float64 { return min((t+.002)/.04, 1, (n.Seconds-t)/.05) * .6 })
		before = n.Pitch
	}
	breathe(r, x)
	return x
}

// Drums draws a loop twice.
func Drums(r *rand.Rand, strokes []Event, length float64) []float32 {
	x := make([]float32, int(2*length*Rate))
	for turn := range 2 {
		for _, s := range strokes {
			at := s.At + float64(turn)*length
			switch s.Kind {
			case contour.Low:
				tone(x, at, .25, []float64{.8}, func(t float64) float64 { return 33 + 24*math.Exp(-t/.02) }, func(t float64) float64 { return math.Exp(-t / .08) })
			case contour.Mid:
				tone(x, at, .15, []float64{.25}, func(float64) float64 { return 55 }, func(t float64) float64 { return math.Exp(-t / .05) })
				hiss(r, x, at, .06, 1.2, 500, 6000)
			default:
				hiss(r, x, at, .025, 1.5, 7000, 16000)
			}
		}
	}
	return x
}

// Beatbox draws part of a loop as somebody beats it with the mouth. wrong is the share of strokes of another kind.
func Beatbox(r *rand.Rand, strokes []Event, length, wrong float64) []float32 {
	first := r.IntN(len(strokes))
	count := min(len(strokes), 8+r.IntN(8))
	tempo := .75 + .55*r.Float64()
	var part []Event
	for i := range count {
		s := strokes[(first+i)%len(strokes)]
		if first+i >= len(strokes) {
			s.At += length
		}
		if r.Float64() < wrong {
			s.Kind = contour.Kind(r.IntN(3))
		}
		s.At = max((s.At-strokes[first].At)/tempo+.2+.012*r.NormFloat64(), 0)
		part = append(part, s)
	}
	x := silence(part)
	for _, s := range part {
		level := .7 + .3*r.Float64()
		switch s.Kind {
		case contour.Low:
			tone(x, s.At, .15, []float64{.7 * level, .2 * level}, func(t float64) float64 { return 42 + 8*math.Exp(-t/.03) }, func(t float64) float64 { return min(t/.004, 1) * math.Exp(-t/.05) })
			hiss(r, x, s.At, .008, .3*level, 300, 3000)
		case contour.Mid:
			hiss(r, x, s.At, .05, 1.6*level, 600, 3800)
		default:
			hiss(r, x, s.At, .03, 1.8*level, 5500, 12000)
		}
	}
	breathe(r, x)
	return x
}

// breathe adds the noise of a room and a cheap microphone, about 50 dB below.
func breathe(r *rand.Rand, x []float32) {
	for i := range x {
		x[i] += float32(.002 * r.NormFloat64())
	}
}

// Hear packs the melody and the rhythm of a mono sound, as ingest does.
func Hear(x []float32) (melody, rhythm []byte) {
	s, d := spectrum.New(Rate, 1), describe.New(Rate)
	s.OnFrame = d.Frame
	for len(x) > 0 {
		n := min(len(x), 4096)
		s.Write([][]float32{x[:n]})
		x = x[n:]
	}
	r := d.Result(s.Result().Frames)
	return r.Melody, r.Rhythm
}

// Score is how well imitations found what they imitate.
type Score struct {
	Queries int
	Unheard int     // in which no melody or rhythm was found; they count as misses
	MRR     float64 // mean of one over the rank
	Hit1    float64 // share found first
	Hit10   float64 // share found among ten
	Sketch  float64 // share still there after the first pass at a hundred thousand: see Run
}

// Result is what a trial measures.
type Result struct {
	Catalog        int // melodies, and as many rhythms
	HeardMelodies  int
	HeardRhythms   int
	Melody, Rhythm Score
}

// Run draws n melodies and n loops, and imitates every one of them once.
func Run(n int, seed uint64, off, wrong float64) Result {
	r := rand.New(rand.NewPCG(seed, 0))
	res := Result{Catalog: n}
	var melodies, rhythms, hummed, beaten [][]byte
	for range n {
		tune := Melody(r)
		m, _ := Hear(Pluck(tune))
		h, _ := Hear(Hum(r, tune, off))
		beat, length := Beat(r)
		_, b := Hear(Drums(r, beat, length))
		_, q := Hear(Beatbox(r, beat, length, wrong))
		melodies, hummed, rhythms, beaten = append(melodies, m), append(hummed, h), append(rhythms, b), append(beaten, q)
		if m != nil {
			res.HeardMelodies++
		}
		if b != nil {
			res.HeardRhythms++
		}
	}
	res.Melody = score(hummed, melodies, contour.MelodyDistance, contour.MelodySketch)
	res.Rhythm = score(beaten, rhythms, contour.RhythmDistance, contour.RhythmSketch)
	return res
}

// score ranks the catalog for every query. Sketch is the share of queries whose answer has a sketch among the best 0.6 % of the
// catalog: as many of a hundred thousand melodies are read and aligned.
func score(queries, catalog [][]byte, distance func(query, recording []byte) float64, sketch func([]byte, bool) contour.Sketch) (s Score) {
	s.Queries = len(queries)
	sketches := make([]contour.Sketch, len(catalog))
	for i, c := range catalog {
		if c != nil {
			sketches[i] = sketch(c, false)
		}
	}
	for i, q := range queries {
		if q == nil || catalog[i] == nil {
			s.Unheard++
			continue
		}
		asked := sketch(q, true)
		mine, hits := distance(q, catalog[i]), sketches[i].Hits(&asked)
		rank, before := 1, 0
		for k, c := range catalog {
			if k == i || c == nil {
				continue
			}
			if distance(q, c) <= mine {
				rank++
			}
			if sketches[k].Hits(&asked) >= hits {
				before++
			}
		}
		s.MRR += 1 / float64(rank)
		if rank == 1 {
			s.Hit1++
		}
		if rank <= 10 {
			s.Hit10++
		}
		if float64(before) < .006*float64(len(catalog)) {
			s.Sketch++
		}
	}
	n := float64(max(s.Queries, 1))
	s.MRR, s.Hit1, s.Hit10, s.Sketch = s.MRR/n, s.Hit1/n, s.Hit10/n, s.Sketch/n
	return s
}
