package likeness

import (
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Labeled is one sound of a labeled set. Its neighbors count only when they come from another group, so that another stroke on the same
// instrument is not taken for a find.
type Labeled struct {
	Vector      []float32
	Kind, Group string
}

// Score is how well neighbors are of the same kind, averaged over the queries: those sounds whose kind exists in another group.
type Score struct {
	Queries int     `json:"queries"`
	P1      float64 `json:"p_at_1"` // precision of the nearest
	P5      float64 `json:"p_at_5"` // of the five nearest
	MAP     float64 `json:"map"`    // mean average precision over all of the other groups
}

// Measure asks for the neighbors, by cosine, of every sound that query accepts (nil for all).
func Measure(sounds []Labeled, query func(Labeled) bool) (s Score) {
	unit := make([][]float64, len(sounds))
	for i, l := range sounds {
		unit[i] = direction(l.Vector)
	}
	for i, l := range sounds {
		if query != nil && !query(l) {
			continue
		}
		type neighbor struct {
			cos  float64
			same bool
		}
		var list []neighbor
		for j, m := range sounds {
			if m.Group != l.Group {
				list = append(list, neighbor{dot(unit[i], unit[j]), m.Kind == l.Kind})
			}
		}
		slices.SortStableFunc(list, func(a, b neighbor) int {
			switch {
			case a.cos > b.cos:
				return -1
			case a.cos < b.cos:
				return 1
			}
			return 0
		})
		found, sum, five := 0, 0.0, 0.0
		for rank, n := range list {
			if n.same {
				found++
				sum += float64(found) / float64(rank+1)
				if rank < 5 {
					five++
				}
			}
		}
		if found == 0 {
			continue
		}
		s.Queries++
		s.MAP += sum / float64(found)
		s.P5 += five / 5
		if list[0].same {
			s.P1++
		}
	}
	if n := float64(s.Queries); n > 0 {
		s.P1, s.P5, s.MAP = s.P1/n, s.P5/n, s.MAP/n
	}
	return s
}

func direction(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	if n := math.Sqrt(dot(out, out)); n > 0 {
		for i := range out {
			out[i] /= n
		}
	}
	return out
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// drumNames are what the files of drum kits are called, the first that fits counts. Hydrogen's kits abbreviate.
var drumNames = []struct {
	kind string
	name *regexp.Regexp
}{
	{"rim", regexp.MustCompile(`rim|stick|^rs_|^sr_`)},
	{"clap", regexp.MustCompile(`clap`)},
	{"cowbell", regexp.MustCompile(`cow_?bell|^cb\d?_|agogo|mc_cb`)},
	{"kick", regexp.MustCompile(`kick|bass ?drum|^bd|_bd_|hardhse_k_`)},
	{"snare", regexp.MustCompile(`snare|(^|_)sn\d?_|^sd_`)},
	{"open hat", regexp.MustCompile(`(hat|hh).*(open|op\b|op_)|^ho_|_ohh|openhat|hatswish`)},
	{"closed hat", regexp.MustCompile(`hat|(^|_)hh|chh`)},
	{"tom", regexp.MustCompile(`tom|^tm\d?_|^t\d_|^ft_`)},
	{"ride", regexp.MustCompile(`ride|^rd\d?_|^rc_|paistebell`)},
	{"crash", regexp.MustCompile(`crash|^cc_|^cra_|china|splash`)},
	{"hand drum", regexp.MustCompile(`conga|bongo|djembe|cajon`)},
}

// DrumKind tells from a file's name which of eleven kinds of drum it holds, "" when it is none of them.
func DrumKind(path string) string {
	name := filepath.Base(path)
	name = strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))
	for _, d := range drumNames {
		if d.name.MatchString(name) && !strings.Contains(name, "empty") {
			return d.kind
		}
	}
	return ""
}
