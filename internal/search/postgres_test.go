package search_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
	"audiomicro/internal/testkit"
)

// TestCountsAsPostgreSQL asks random boolean queries of the index and of PostgreSQL's text search over the same made-up catalog. The words
// are in quotes, for the configuration "simple" knows no stems.
func TestCountsAsPostgreSQL(t *testing.T) {
	t.Parallel()
	d, err := db.Open(t.Context(), db.Options{URL: testkit.PostgresURL(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ix := index.New(index.Config{})
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), d, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE sound (id BIGINT PRIMARY KEY, type TEXT, channels BIGINT, seconds DOUBLE PRECISION, words TSVECTOR)`)
	var words []string
	next := index.Synthetic(3000, 4)
	for doc, ok := next(); ok; doc, ok = next() {
		doc.Contributor = "" // such names, as "bell40", are found by their parts too, which PostgreSQL does not cut
		if err := ix.Put(doc); err != nil {
			t.Fatal(err)
		}
		// A word that nobody looks for parts the fields, so that no phrase crosses from one to the other.
		texts := append([]string{doc.Title, doc.Description, doc.Pack}, doc.Tags...)
		exec(`INSERT INTO sound VALUES ($1, $2, $3, $4, to_tsvector('simple', $5))`, doc.ID, doc.Type, doc.Channels, doc.Seconds, strings.Join(texts, " xxgapxx "))
		if len(words) < 400 {
			words = append(words, strings.Fields(doc.Title)...)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 300 {
		var ours, theirs []string
		for i := range 1 + r.IntN(3) {
			one, two := words[r.IntN(len(words))], words[r.IntN(len(words))]
			switch r.IntN(4 + min(i, 1)) {
			case 0:
				ours, theirs = append(ours, fmt.Sprintf(`"%s %s"`, one, two)), append(theirs, fmt.Sprintf("(%s <-> %s)", one, two))
			case 4:
				ours, theirs = append(ours, fmt.Sprintf(`-"%s"`, one)), append(theirs, "!"+one)
			default:
				ours, theirs = append(ours, fmt.Sprintf(`"%s"`, one)), append(theirs, one)
			}
		}
		q, where := query.Query{Text: strings.Join(ours, " ")}, ""
		if r.IntN(3) == 0 {
			q, where = q.With(query.Type, "wav").With(query.Type, "flac"), " AND type IN ('wav', 'flac')"
		}
		if r.IntN(3) == 0 {
			q.Ranges, where = []query.Range{{Field: query.Length, Low: 1, High: 20}}, where+" AND seconds BETWEEN 1 AND 20"
		}
		res, err := ix.Search(q)
		if err != nil {
			t.Fatal(err)
		}
		want, err := db.Get[int64](t.Context(), d, `SELECT count(*) FROM sound WHERE words @@ to_tsquery('simple', $1)`+where, strings.Join(theirs, " & "))
		if err != nil {
			t.Fatal(err)
		}
		if int64(res.Total) != want {
			t.Errorf("%s %v finds %d, PostgreSQL %d", q.Text, q.Chips(), res.Total, want)
		}
		found += res.Total
	}
	if found == 0 {
		t.Error("no query found anything")
	}
}
