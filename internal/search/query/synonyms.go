package query

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/kljensen/snowball/english"
)

//go:embed synonyms.txt
var shippedSynonyms string

// ShippedSynonyms is the list that a site has until its operator writes another.
func ShippedSynonyms() string { return shippedSynonyms }

// Bounds of a list of synonyms.
const (
	MaxSynonyms       = 200_000 // bytes of the text
	maxSynonymGroup   = 32      // expressions on a line
	maxSynonymWords   = 3       // words of an expression
	maxSynonymsOfWord = 16      // that one expression of a query is replaced by
)

// Stem is the English snowball stem (Porter2) of a folded word: words with the same one find each other.
func Stem(word string) string { return english.Stem(word, true) }

// Synonyms are the expressions that a search for another also looks for. Make one with ParseSynonyms; nil has none.
type Synonyms struct {
	of map[string][]string // by the stems of an expression's words, in order: what is looked for too
}

// ParseSynonyms reads a list: on each line expressions that find each other, with commas between them, or after a first one and
// ">" those that it finds and that do not find it. The error names the line that cannot be read.
func ParseSynonyms(text string) (*Synonyms, error) {
	if len(text) > MaxSynonyms {
		return nil, fmt.Errorf("the list is longer than %d characters", MaxSynonyms)
	}
	s := &Synonyms{map[string][]string{}}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		left, right, oneWay := strings.Cut(line, ">")
		from, err := expressions(left)
		to := from
		if err == nil && oneWay {
			to, err = expressions(right)
		}
		if err == nil && (!oneWay && len(from) < 2 || len(from) == 0 || len(to) == 0) {
			err = fmt.Errorf("it needs two expressions at least")
		}
		if err != nil {
			return nil, fmt.Errorf("line %d, %q: %w", n+1, shorten(line), err)
		}
		for _, f := range from {
			s.add(f, to)
			if oneWay {
				s.add(f, from)
			}
		}
	}
	return s, nil
}

// expressions are the words between commas, folded.
func expressions(s string) ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		words := Words(part)
		if len(words) == 0 {
			continue
		}
		if len(words) > maxSynonymWords {
			return nil, fmt.Errorf("%q has more than %d words", shorten(strings.TrimSpace(part)), maxSynonymWords)
		}
		out = append(out, strings.Join(words, " "))
	}
	if len(out) > maxSynonymGroup {
		return nil, fmt.Errorf("it has more than %d expressions", maxSynonymGroup)
	}
	return out, nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func (s *Synonyms) add(from string, to []string) {
	key := stems(strings.Fields(from))
	for _, t := range to {
		same := func(other string) bool { return stems(strings.Fields(other)) == stems(strings.Fields(t)) }
		if len(s.of[key]) < maxSynonymsOfWord && !same(from) && !slices.ContainsFunc(s.of[key], same) {
			s.of[key] = append(s.of[key], t)
		}
	}
}

func stems(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = Stem(w)
	}
	return strings.Join(out, " ")
}

// Also is what a query looks for beside what was typed.
type Also struct {
	Text   string  // the expression
	Filter *Filter // where it holds
}

// Expand adds synonyms to words that were typed bare: those in quotes, excluded ones and those of a field term stay as they are. It
// prefers long expressions ("bass drum" is no drum), and gives what it added.
func (s *Synonyms) Expand(p Parsed) (Parsed, []Also) {
	if s == nil || p.Where == nil || len(s.of) == 0 {
		return p, nil
	}
	kids := []*Filter{p.Where}
	if p.Where.Op == And {
		kids = p.Where.Kids
	}
	var out []*Filter
	var all []Also
	for i := 0; i < len(kids); {
		n, list := s.at(kids[i:])
		if n == 0 {
			out = append(out, kids[i])
			i++
			continue
		}
		any := []*Filter{All(kids[i : i+n]...)}
		for _, text := range list {
			also := Also{text, alternative(text)}
			any, all = append(any, also.Filter), append(all, also)
		}
		out = append(out, Either(any...))
		i += n
	}
	return Parsed{All(out...), p.Scored, p.Terms}, all
}

// at finds the longest expression with synonyms with which kids begin, and how many of them it takes.
func (s *Synonyms) at(kids []*Filter) (int, []string) {
	var words []string
	for _, k := range kids[:min(len(kids), maxSynonymWords)] {
		word, ok := bare(k)
		if !ok {
			break
		}
		words = append(words, word...)
	}
	for n := min(len(words), len(kids)); n > 0; n-- {
		if list := s.of[stems(words[:n])]; len(list) > 0 {
			return n, list
		}
	}
	return 0, nil
}

// bare is the word of a condition that was typed bare.
func bare(f *Filter) ([]string, bool) {
	if f.Op == Word && f.Field == Any {
		return f.Words, true
	}
	return nil, false
}

// alternative holds where every word of an expression does, in any form, and several next to each other.
func alternative(text string) *Filter {
	words := strings.Fields(text)
	if len(words) == 1 {
		return &Filter{Op: Word, Field: Any, Words: words}
	}
	return &Filter{Op: Phrase, Field: Any, Words: words}
}
