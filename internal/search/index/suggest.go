package index

import (
	"strings"
	"unicode/utf8"

	"audiomicro/internal/search/query"
)

// Suggestion is a way to finish what is being typed.
type Suggestion struct {
	Text  string // a tag, or a title as titles are compared: folded and cut
	Tag   bool
	Count int   // recordings with the tag, or with the title among those looked at
	ID    int64 // the most downloaded recording with the title, 0 for a tag
}

// Bounds of one Suggest (the most used words that finish the prefix, the recordings whose titles are looked at) and of one mending.
const (
	suggestWords  = 64
	suggestTitles = 1500
	maxMended     = 8 // words of a query that are tried for a typing mistake
)

// Suggest finishes prefix with at most n tags, the most used first, and fills up with titles that have its words, the most
// downloaded first.
func (ix *Index) Suggest(prefix string, n int) []Suggestion {
	words := query.Words(prefix)
	if len(words) == 0 || n <= 0 || len(words) > query.MaxTerms || utf8.RuneCountInString(prefix) > query.MaxText {
		return nil
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	var out []Suggestion
	tags := ix.values[dTag]
	for _, id := range tags.mostUsed(tags.begins(query.TagKey(strings.TrimSpace(prefix))), n) {
		out = append(out, Suggestion{Text: tags.label(id), Tag: true, Count: int(tags.counts[id])})
	}
	if len(out) < n {
		out = append(out, ix.suggestTitles(words, n-len(out))...)
	}
	return out
}

// suggestTitles lists titles that hold the words, the last of them perhaps unfinished.
func (ix *Index) suggestTitles(words []string, n int) []Suggestion {
	within := ix.live
	for i, w := range words {
		if i == len(words)-1 {
			break
		}
		within = ix.eval(&query.Filter{Op: query.Exact, Field: query.Title, Words: []string{w}}, within)
	}
	type title struct {
		text string
		slot uint32 // of the most downloaded
		n    int
	}
	titles := map[string]*title{}
	seen := map[uint32]bool{} // found by one of its words
	mask := textMask(query.Title)
	for _, id := range ix.terms.mostUsed(ix.terms.begins(words[len(words)-1]), suggestWords) {
		if len(seen) >= suggestTitles {
			break
		}
		ix.terms.postings[id].until(true, func(slot uint32, mark uint8) bool {
			if mark&mask == 0 || seen[slot] || !within.Contains(slot) {
				return true
			}
			seen[slot] = true
			key := ix.titleKeyOf(slot)
			t := titles[string(key)]
			if t == nil {
				t = &title{text: string(key), slot: slot}
				titles[t.text] = t
			}
			if t.n++; ix.downloads[slot] > ix.downloads[t.slot] {
				t.slot = slot
			}
			return len(seen) < suggestTitles
		})
	}
	best := newTop(n, func(a, b *title) bool {
		if da, db := ix.downloads[a.slot], ix.downloads[b.slot]; da != db {
			return da > db
		}
		return a.text < b.text
	})
	for _, t := range titles {
		best.add(t)
	}
	var out []Suggestion
	for _, t := range best.sorted() {
		out = append(out, Suggestion{Text: t.text, Count: t.n, ID: ix.ids[t.slot]})
	}
	return out
}

// didYouMean puts one mistyped word of a query without hits right: a word that no recording has, one edit away from one that
// some have. The text that comes out has hits. The caller holds the lock.
func (ix *Index) didYouMean(q query.Query, parsed query.Parsed) string {
	lower := strings.ToLower(q.Text)
	if len(lower) != len(q.Text) {
		return "" // places in the one are not places in the other
	}
	for _, leaf := range parsed.Scored[:min(len(parsed.Scored), maxMended)] {
		if (leaf.Op != query.Word && leaf.Op != query.Prefix) || len(ix.forms(leaf)) > 0 {
			continue
		}
		word := leaf.Words[0]
		at := strings.Index(lower, word)
		if at < 0 || len(word) < 3 || len(word) > 32 {
			continue
		}
		better := ix.oneEdit(word)
		if better == "" {
			continue
		}
		again := q
		again.Text = q.Text[:at] + better + q.Text[at+len(word):]
		p, err := query.Parse(again.Text, q.Prefix)
		if err == nil && !ix.find(again, p).hits.IsEmpty() {
			return again.Text
		}
	}
	return ""
}

// oneEdit is the most used word in use that one letter left out, added, changed or swapped makes of word.
func (ix *Index) oneEdit(word string) string {
	best, most := "", uint32(0)
	try := func(w string) {
		if id, ok := ix.terms.of(w); ok && w != "" && (ix.terms.counts[id] > most || ix.terms.counts[id] == most && most > 0 && w < best) {
			best, most = w, ix.terms.counts[id]
		}
	}
	letters := []rune("abcdefghijklmnopqrstuvwxyz0123456789" + word)
	r := []rune(word)
	for i := range r {
		head, tail := string(r[:i]), string(r[i+1:])
		try(head + tail)
		if i+1 < len(r) {
			try(head + string(r[i+1]) + string(r[i]) + string(r[i+2:]))
		}
		for _, l := range letters {
			try(head + string(l) + tail)
		}
	}
	for i := 0; i <= len(r); i++ {
		for _, l := range letters {
			try(string(r[:i]) + string(l) + string(r[i:]))
		}
	}
	return best
}
