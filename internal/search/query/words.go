package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxWord is the longest word kept, in bytes; longer ones are cut at a character.
const MaxWord = 64

// Token is one word of a text. Extra words stand for parts or joins of the word before ("kick01" has the extra "kick",
// "lo-fi" the extra "lofi"): they are found, but take no place in a phrase.
type Token struct {
	Text  string
	Extra bool
}

// Words cuts s into the words that are compared: NFKC, lower case, letters and digits with their marks; Latin letters lose
// their accents, an apostrophe inside a word goes away, and each ideograph is a word of its own (a run of them is then a phrase).
func Words(s string) []string {
	var words []string
	scan(s, func(word string, _ bool) { words = append(words, Fold(word)) })
	return words
}

// Tokens cuts s like Words, at most max of them (extras not counted), and adds the extras.
func Tokens(s string, max int) []Token {
	var tokens []Token
	n := 0
	last, run := "", 0 // the words joined by hyphens so far, and how many
	flush := func() {
		if run > 1 && run <= 3 && len(last) <= MaxWord {
			tokens = append(tokens, Token{last, true})
		}
		last, run = "", 0
	}
	scan(s, func(word string, hyphen bool) {
		if n == max {
			return
		}
		n++
		if !hyphen {
			flush()
		}
		folded := Fold(word)
		last += folded
		run++
		tokens = append(tokens, Token{folded, false})
		for _, part := range parts(word) {
			tokens = append(tokens, Token{Fold(part), true})
		}
	})
	flush()
	return tokens
}

// scan calls f for each word of s in its case as written; hyphen tells that a single hyphen joins it to the one before.
func scan(s string, f func(word string, hyphen bool)) {
	if !norm.NFKC.IsNormalString(s) {
		s = norm.NFKC.String(s)
	}
	var word strings.Builder
	hyphen, gap := false, "" // what stood between the last word and this one
	seen := false
	flush := func() {
		if word.Len() > 0 {
			f(word.String(), hyphen)
			word.Reset()
			seen, gap = true, ""
		}
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case ideograph(r):
			flush()
			hyphen = false
			word.WriteRune(r)
			flush()
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsNumber(r) || (unicode.IsMark(r) && word.Len() > 0):
			if word.Len() == 0 {
				hyphen = seen && gap == "-"
			}
			if word.Len()+size <= MaxWord {
				word.WriteRune(r)
			}
		case (r == '\'' || r == '’') && word.Len() > 0: // an apostrophe neither parts nor stays
		default:
			flush()
			if len(gap) < 2 {
				gap += s[i : i+size]
			}
		}
		i += size
	}
	flush()
}

// ideograph reports whether r belongs to a script written without spaces, whose characters are words enough.
func ideograph(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer)
}

// Fold is the form in which words and names are compared: NFKC, lower case, Latin letters without accents.
func Fold(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	s = norm.NFD.String(strings.ToLower(norm.NFKC.String(s)))
	var out strings.Builder
	latin := false
	for _, r := range s {
		if unicode.Is(unicode.Mn, r) && latin {
			continue
		}
		latin = unicode.Is(unicode.Latin, r)
		out.WriteRune(r)
	}
	return norm.NFKC.String(out.String())
}

// parts cuts a word where its case or kind changes: RainForest, kick01. Only words with a part of three letters or more are
// cut, so that mp3 stays whole.
func parts(word string) []string {
	var out []string
	start, long := 0, false
	letters := 0
	var before rune
	for i, r := range word {
		cut := i > 0 && (unicode.IsLower(before) && unicode.IsUpper(r) || unicode.IsDigit(before) != unicode.IsDigit(r)) && !unicode.IsMark(r)
		if cut {
			out, start, letters = append(out, word[start:i]), i, 0
		}
		if unicode.IsLetter(r) {
			if letters++; letters >= 3 {
				long = true
			}
		}
		before = r
	}
	if len(out) == 0 || !long {
		return nil
	}
	out = append(out, word[start:])
	kept := out[:0]
	for _, p := range out {
		if len(p) > 1 || unicode.IsDigit(rune(p[0])) {
			kept = append(kept, p)
		}
	}
	return kept
}

// stopWords carry no meaning of their own in a search: a query asks for them only when it holds nothing else.
func stopWord(w string) bool {
	switch w {
	case "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "into", "is", "it", "of", "on", "or", "that", "the",
		"this", "to", "was", "with":
		return true
	}
	return false
}
