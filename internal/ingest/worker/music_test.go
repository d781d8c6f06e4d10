//go:build truth

package worker_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audiomicro/internal/ingest/worker"
)

// piece is a composed test piece with a known tempo and key.
type piece struct {
	bpm     int
	tonic   int // pitch class from C
	minor   bool
	drums   bool
	program [3]byte // General MIDI instruments of chords, bass and melody
	seed    uint64
}

var pitchClasses = [12]string{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"}

func (p piece) key() string {
	return pitchClasses[p.tonic] + map[bool]string{false: " major", true: " minor"}[p.minor]
}

// midi composes: one of three usual progressions in the key, broken or held chords, a bass on the beats, a melody that walks over
// the scale with rests and offbeats, and drums or none. About 30 seconds.
func (p piece) midi() []byte {
	r := rand.New(rand.NewPCG(p.seed, 7))
	scale := [7]int{0, 2, 4, 5, 7, 9, 11}
	progressions := [][]int{{0, 4, 5, 3}, {0, 3, 4, 0}, {0, 5, 3, 4}} // degrees: I V vi IV and so on
	if p.minor {
		scale = [7]int{0, 2, 3, 5, 7, 8, 10}
		progressions = [][]int{{0, 5, 2, 6}, {0, 3, 4, 0}, {0, 5, 3, 4}}
	}
	note := func(base, degree int) byte { return byte(base + p.tonic + 12*(degree/7) + scale[degree%7]) }
	type event struct {
		at, order int
		data      []byte
	}
	var events []event
	play := func(at, length int, channel, key, velocity byte) {
		events = append(events, event{at, 1, []byte{0x90 | channel, key, velocity}}, event{at + length - 10, 0, []byte{0x80 | channel, key, 0}})
	}
	const beat = 480
	for c, program := range p.program {
		events = append(events, event{0, 0, []byte{0xc0 | byte(c), program}})
	}
	progression := progressions[r.IntN(3)]
	broken := r.IntN(2) == 0
	degree := 7
	for bar := range max(8, 30*p.bpm/240) {
		root, start := progression[bar%4], bar*4*beat
		for i := range 3 {
			if !broken {
				play(start, 4*beat, 0, note(48, root+2*i), 70)
				continue
			}
			for half := range 8 {
				if half%3 == i {
					play(start+half*beat/2, beat/2, 0, note(48, root+2*i), byte(60+r.IntN(20)))
				}
			}
		}
		for b := range 4 {
			if b%2 == 0 || r.IntN(2) == 0 {
				play(start+b*beat, beat, 1, note(36, root), 90)
			}
		}
		for half := range 8 {
			if r.IntN(3) == 0 {
				continue
			}
			degree = min(max(degree+r.IntN(5)-2, 4), 14)
			if half == 0 {
				degree = root + 7
			}
			play(start+half*beat/2, beat/2, 2, note(60, degree), byte(70+r.IntN(30)))
		}
		for b := range 4 {
			if !p.drums {
				break
			}
			play(start+b*beat, beat/4, 9, [2]byte{36, 38}[b%2], 100)
			for half := range 2 {
				play(start+b*beat+half*beat/2, beat/4, 9, 42, byte(50+r.IntN(30)))
			}
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return 2*(a.at-b.at) + a.order - b.order })
	tempo := 60_000_000 / p.bpm
	track := []byte{0, 0xff, 0x51, 3, byte(tempo >> 16), byte(tempo >> 8), byte(tempo)}
	now := 0
	for _, e := range events {
		delta := e.at - now
		now = e.at
		var digits []byte
		for digits = []byte{byte(delta & 127)}; delta > 127; digits = append([]byte{byte(delta&127) | 128}, digits...) {
			delta >>= 7
		}
		track = append(append(track, digits...), e.data...)
	}
	track = append(track, 0, 0xff, 0x2f, 0)
	file := append([]byte("MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xe0"), "MTrk"...)
	return append(binary.BigEndian.AppendUint32(file, uint32(len(track))), track...)
}

// pieces are composed for the measurement, of which the estimates and their confidence were made with those before seen.
const pieces, seen = 204, 107

// TestTempoAndKey measures how often tempo and key of composed pieces are found, and whether the confidence tells when they
// are not. scripts/truth.sh runs it; instruments come from a General MIDI sound font.
func TestTempoAndKey(t *testing.T) {
	out := os.Getenv("AUDIOMICRO_MUSIC_TABLE")
	if out == "" {
		t.Fatal("AUDIOMICRO_MUSIC_TABLE names no file: run scripts/truth.sh")
	}
	synth := tool(t, "fluidsynth")
	font := "/usr/share/sounds/sf2/FluidR3_GM.sf2" // of Debian's fluid-soundfont-gm
	if _, err := os.Stat(font); err != nil {
		t.Fatal(err)
	}
	instruments := [][3]byte{{0, 33, 73}, {25, 32, 65}, {48, 43, 40}, {16, 38, 56}, {4, 36, 11}}
	type row struct{ pieces, tempo, octave, key, near, sureTempo, sureTempoRight, sureKey, sureKeyRight int }
	var rows [3]row
	var sure [10]struct{ tempo, tempoRight, key, keyRight int } // by tenths of confidence
	var misses []string
	for i := range pieces {
		p := piece{bpm: 60 + (i*53)%121, tonic: i % 12, minor: i/12%2 == 1, drums: i%3 != 0, program: instruments[i%len(instruments)], seed: uint64(i)}
		if i >= 72 {
			p.bpm, p.tonic = 60+(i*71+13)%121, i*5%12
		}
		song, sound := filepath.Join(t.TempDir(), "a.mid"), filepath.Join(t.TempDir(), "a.wav")
		if err := os.WriteFile(song, p.midi(), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(synth, "-ni", "-q", "-g", "0.5", "-r", "44100", "-F", sound, font, song).CombinedOutput(); err != nil {
			t.Fatalf("fluidsynth: %v: %s", err, text)
		}
		data, err := os.ReadFile(sound)
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := run(t, worker.Request{Outputs: []worker.Output{worker.Analysis}}, data)
		if err != nil {
			t.Fatal(err)
		}
		f := r.Analyzed
		at := &rows[0]
		if p.drums {
			at = &rows[1]
		}
		if i >= seen {
			at = &rows[2]
		}
		at.pieces++
		near := func(factor float64) bool { return math.Abs(f.Tempo/(float64(p.bpm)*factor)-1) < .04 }
		right := near(1)
		if right {
			at.tempo++
		}
		if right || near(2) || near(.5) || near(3) || near(1./3) {
			at.octave++
		}
		if f.Key == p.key() {
			at.key++
		}
		if f.Key == p.key() || f.Key == (piece{tonic: (p.tonic + 7) % 12, minor: p.minor}).key() || f.Key == (piece{tonic: (p.tonic + 5) % 12, minor: p.minor}).key() ||
			!p.minor && f.Key == (piece{tonic: (p.tonic + 9) % 12, minor: true}).key() || p.minor && f.Key == (piece{tonic: (p.tonic + 3) % 12}).key() {
			at.near++
		}
		tenth := func(sure float64) int { return min(int(sure*10), 9) }
		if f.Tempo > 0 {
			sure[tenth(f.TempoSure)].tempo++
			if right {
				sure[tenth(f.TempoSure)].tempoRight++
			}
		}
		if f.Key != "" {
			sure[tenth(f.KeySure)].key++
			if f.Key == p.key() {
				sure[tenth(f.KeySure)].keyRight++
			}
		}
		if f.TempoSure >= .5 {
			at.sureTempo++
			if right {
				at.sureTempoRight++
			}
		}
		if f.KeySure >= .5 {
			at.sureKey++
			if f.Key == p.key() {
				at.sureKeyRight++
			}
		}
		if !right || f.Key != p.key() {
			misses = append(misses, fmt.Sprintf("%d BPM %s: %.1f (%.2f) %s (%.2f)", p.bpm, p.key(), f.Tempo, f.TempoSure, f.Key, f.KeySure))
		}
	}
	t.Log(strings.Join(misses, "\n"))
	var b bytes.Buffer
	fmt.Fprintf(&b, "# How true tempo and key are\n`scripts/truth.sh` made this page: %d composed pieces of half a minute, 60 to 180 BPM, in all 24 keys, five sets of instruments\n"+
		"of Debian's fluid-soundfont-gm. The first %d were looked at when the estimates and their confidence were made, the others were not. A tempo counts as found within 4 %%; \"or a multiple\"\n"+
		"takes two and three times and a half and a third of it too; \"or a neighbor\" takes a fifth up or down and the relative key. Pages and search show a tempo or a key\n"+
		"from a confidence of 0.5 on only.\n\n", pieces, seen)
	b.WriteString("| pieces | | tempo | or a multiple | key | or a neighbor | tempo shown | right of these | key shown | right of these |\n|---|---|---|---|---|---|---|---|---|---|\n")
	share := func(n, of int) string {
		if of == 0 {
			return "none"
		}
		return fmt.Sprintf("%d %%", int(math.Round(100*float64(n)/float64(of))))
	}
	total := row{}
	line := func(name string, r row) {
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", name, r.pieces, share(r.tempo, r.pieces), share(r.octave, r.pieces), share(r.key, r.pieces), share(r.near, r.pieces),
			share(r.sureTempo, r.pieces), share(r.sureTempoRight, r.sureTempo), share(r.sureKey, r.pieces), share(r.sureKeyRight, r.sureKey))
	}
	for i, r := range rows {
		line([3]string{"without drums", "with drums", "never looked at, both"}[i], r)
		total = row{total.pieces + r.pieces, total.tempo + r.tempo, total.octave + r.octave, total.key + r.key, total.near + r.near,
			total.sureTempo + r.sureTempo, total.sureTempoRight + r.sureTempoRight, total.sureKey + r.sureKey, total.sureKeyRight + r.sureKeyRight}
	}
	line("all", total)
	b.WriteString("\n## Does the confidence tell the truth?\n| confidence | tempos | right | keys | right |\n|---|---|---|---|---|\n")
	for i, t := range sure {
		fmt.Fprintf(&b, "| 0.%d | %d | %s | %d | %s |\n", i, t.tempo, share(t.tempoRight, t.tempo), t.key, share(t.keyRight, t.key))
	}
	b.WriteString("\nA tempo is unsure mostly because half or twice as fast would explain the strokes as well. These are played by a synthesizer, in strict time; people play less strictly, and are found less often.\n")
	t.Log("\n" + b.String())
	if total.tempo*2 < total.pieces || total.key*2 < total.pieces {
		t.Errorf("fewer than half are found: %+v", total)
	}
	if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
