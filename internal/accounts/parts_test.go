package accounts_test

import (
	"bytes"
	"io/fs"
	"net/url"
	"os"
	"sort"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
	"audiomicro/internal/personal"
	"audiomicro/internal/testkit"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	must(t, err)
	return u
}

// TestSameTime compares known and unknown addresses at the real cost of hashing, by medians with tenfold room.
func TestSameTime(t *testing.T) {
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		p := newPlace(t, d, accounts.DefaultCost)
		p.member(t, "Mara", "mara@example.org")
		p.site.Limits.Off = true
		b := p.browser(t)
		n := 0
		for name, tries := range map[string][2]func(){
			"sign in": {
				func() { b.want(b.post("/sign-in", "email", "mara@example.org", "password", "wrong"), 401) },
				func() { b.want(b.post("/sign-in", "email", "nobody@example.org", "password", "wrong"), 401) },
			},
			"reset": {
				func() { b.want(b.post("/reset", "email", "mara@example.org"), 200) },
				func() { b.want(b.post("/reset", "email", "nobody@example.org"), 200) },
			},
			"sign up": {
				func() { n++; b.want(b.post("/sign-up", signUpForm(numbered("Known", n), "mara@example.org")...), 200) },
				func() {
					n++
					b.want(b.post("/sign-up", signUpForm(numbered("Fresh", n), numbered("fresh", n)+"@example.org")...), 200)
				},
			},
		} {
			var took [2][]time.Duration
			for range 9 {
				for i, try := range tries { // in turns, so that a busy machine slows both
					start := time.Now()
					try()
					took[i] = append(took[i], time.Since(start))
				}
			}
			known, unknown := median(took[0]), median(took[1])
			t.Logf("%s: known %v, unknown %v", name, known, unknown)
			if known > 10*unknown || unknown > 10*known {
				t.Errorf("%s: known takes %v, unknown %v", name, known, unknown)
			}
		}
	})
}

func numbered(s string, n int) string { return s + string(rune('a'+n/26)) + string(rune('a'+n%26)) }

func median(d []time.Duration) time.Duration {
	sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
	return d[len(d)/2]
}

func TestHasher(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	old, today := accounts.NewHasher(cheap, 1), accounts.NewHasher(accounts.Cost{Memory: 128, Passes: 1, Lanes: 1}, 1)
	kept, err := old.Hash(ctx, goodPassword, []byte("sixteen  bytes  "))
	must(t, err)
	if !strings.HasPrefix(kept, "$argon2id$v=19$m=64,t=1,p=1$") || strings.Contains(kept, goodPassword) {
		t.Fatalf("kept %q", kept)
	}
	for _, c := range []struct {
		h         *accounts.Hasher
		password  string
		ok, stale bool
	}{
		{old, goodPassword, true, false}, {old, goodPassword + " ", false, false}, {today, goodPassword, true, true},
	} {
		ok, stale, err := c.h.Check(ctx, c.password, kept)
		if err != nil || ok != c.ok || stale != c.stale {
			t.Errorf("%q: ok %v stale %v err %v", c.password, ok, stale, err)
		}
	}
	// One password, two keyboards: composed and decomposed letters are the same.
	kept, err = old.Hash(ctx, "gr\u00fc\u00dfe aus k\u00f6ln", []byte("sixteen  bytes  "))
	must(t, err)
	if ok, _, _ := old.Check(ctx, "gru\u0308\u00dfe aus ko\u0308ln", kept); !ok {
		t.Error("decomposed letters are another password")
	}
	for _, bad := range []string{"", "x", "$argon2id$v=19$m=64,t=1,p=0$AAAA$AAAA", strings.Replace(kept, "m=64", "m=4294967295", 1), strings.Replace(kept, "v=19", "v=16", 1)} {
		if _, _, err := old.Check(ctx, "x", bad); err == nil {
			t.Errorf("a damaged hash is taken: %q", bad)
		}
	}
}

// TestRehash signs in with a hash of yesterday's cost and finds one of today's.
func TestRehash(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.member(t, "Mara", "mara@example.org")
		p.store.Hasher = accounts.NewHasher(accounts.Cost{Memory: 128, Passes: 1, Lanes: 1}, 1)
		for range 2 {
			b.want(b.post("/sign-in", "email", "mara", "password", goodPassword), 303)
			if n := p.count(t, `SELECT count(*) FROM account WHERE password_hash LIKE '$argon2id$v=19$m=128,%'`); n != 1 {
				t.Fatal("the hash was not made again")
			}
		}
	})
}

func TestSweepForgets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *place) {
		b := p.browser(t)
		b.want(b.post("/sign-up", signUpForm("Gone", "gone@example.org")...), 200)
		b.want(b.post("/sign-up", signUpForm("Stays", "stays@example.org")...), 200)
		b.want(b.post("/sign-in", "email", "stays", "password", goodPassword), 303)
		p.clock.pass(13 * 24 * time.Hour)
		must(t, p.store.Sweep(t.Context()))
		if n := p.count(t, `SELECT count(*) FROM account`); n != 2 {
			t.Fatalf("%d accounts after 13 days", n)
		}
		p.clock.pass(2 * 24 * time.Hour)
		must(t, p.store.Sweep(t.Context()))
		if n := p.count(t, `SELECT count(*) FROM account WHERE name = 'Stays'`); n != 1 || p.count(t, `SELECT count(*) FROM account`) != 1 {
			t.Fatal("the unused sign-up is kept, or the used one is not")
		}
		if n := p.count(t, `SELECT count(*) FROM account_token`); n != 0 {
			t.Fatalf("%d dead links kept", n)
		}
	})
}

// TestNoSecretsAtRest looks for passwords, tokens and a birth date in the database's files.
func TestNoSecretsAtRest(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		if d.Engine() != db.SQLite {
			return // one engine's files are enough: the statements are the same
		}
		p := newPlace(t, d, cheap)
		made, err := p.store.Create(t.Context(), accounts.NewAccount{Name: "Mara", Email: "mara@example.org", Born: "1987-06-05"})
		must(t, err)
		b := p.browser(t)
		b.want(b.post("/sign-in", "email", "mara", "password", made.Password), 303)
		var all []byte
		for _, suffix := range []string{"", "-wal"} {
			text, err := os.ReadFile(d.URL() + suffix)
			must(t, err)
			all = append(all, text...)
		}
		if !bytes.Contains(all, []byte("mara@example.org")) {
			t.Fatal("the address is not where it is looked for")
		}
		for name, secret := range map[string]string{
			"password": made.Password, "key": made.Key, "bearer": made.Bearer, "session": b.session(), "birth date": "1987-06-05", "address": "127.0.0.1",
		} {
			if bytes.Contains(all, []byte(secret)) {
				t.Errorf("the database holds a %s as it is", name)
			}
		}
	})
}

func TestPersonalIsComplete(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		tables, err := d.Tables(t.Context())
		must(t, err)
		mine := map[string][]string{}
		list, err := fs.Glob(accounts.Schema(), "*.sql")
		must(t, err)
		for _, name := range list {
			text, err := fs.ReadFile(accounts.Schema(), name)
			must(t, err)
			for table, cols := range tables {
				if strings.Contains(string(text), "CREATE TABLE "+table+" (") {
					mine[table] = cols
				}
			}
		}
		if len(mine) != 10 {
			t.Fatalf("%d tables", len(mine))
		}
		for _, problem := range personal.Undeclared(mine, []personal.Declaration{accounts.Personal()}, nil) {
			t.Error(problem)
		}
	})
}

func TestFoldName(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{"Mara", "mARA"}, {"mara", "m\u0430r\u0430"}, {"paypal", "\u0440\u0430\u0443\u0440\u0430l"}, {"user1", "userl"}, {"zero0", "zer00"},
		{"\uff2d\uff41\uff52\uff41", "mara"}, {"\u039f\u03bcega", "ouega"}, {"Stra\u00dfe", "STRA\u1e9eE"}, {"\u0130stanbul", "istanbul"},
	} {
		if a, b := accounts.FoldName(same[0]), accounts.FoldName(same[1]); a != b {
			t.Errorf("%q and %q fold to %q and %q", same[0], same[1], a, b)
		}
	}
	for _, other := range [][2]string{{"mara", "mira"}, {"jos\u00e9", "jose"}, {"a.b", "a-b"}, {"\u65e5\u672c\u8a9e", "\u65e5\u672c\u4eba"}} {
		if accounts.FoldName(other[0]) == accounts.FoldName(other[1]) {
			t.Errorf("%q and %q fold together", other[0], other[1])
		}
	}
}

func FuzzFoldName(f *testing.F) {
	for _, s := range []string{"Mara", "m\u0430r\u0430", "\u0130", "\u00df", "\ufb03", "\u1e9e", "a\u0301", "\xff", "\u0399\u0308\u0301", "\u212a", "0l1I"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := accounts.FoldName(s)
		if !utf8.ValidString(once) {
			t.Fatalf("%q folds to broken UTF-8", s)
		}
		if twice := accounts.FoldName(once); twice != once {
			t.Fatalf("%q folds to %q, and that to %q", s, once, twice)
		}
	})
}

func FuzzFoldEmail(f *testing.F) {
	for _, s := range []string{"a@b.c", "A.b+c@D-e.example", "\"a b\"@c.d", "a@b@c.d", "a@[127.0.0.1]", "a@b.c\r\nTo: d@e.f", "a@\u4f8b\u3048.jp", "a@b..c", "@", "a@-b.c", "<a@b.c>", "a@b.c\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded, ok := accounts.FoldEmail(s)
		if !ok {
			if folded != "" {
				t.Fatalf("%q is refused and yet folds to %q", s, folded)
			}
			return
		}
		if strings.Count(folded, "@") != 1 || strings.ContainsAny(folded, " \r\n\t\x00<>,;") || len(folded) > 254 {
			t.Fatalf("%q is taken as %q", s, folded)
		}
		if again, ok := accounts.FoldEmail(folded); !ok || again != folded {
			t.Fatalf("%q folds to %q, and that to %q, %v", s, folded, again, ok)
		}
	})
}
