package ledger_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/money"
	"audiomicro/internal/testkit"
)

var t0 = time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)

func store(d *db.DB) *ledger.Store {
	return &ledger.Store{DB: d, Now: func() time.Time { return t0 }, Currency: "USD"}
}

func usd(minor int64) money.Amount { return money.Of(minor, "USD") }

// sale books a payment of 1000 with 250 tax: 350 to the contributor, 650 to the house.
func sale(ref string, contributor int64) ledger.Journal {
	return ledger.Journal{Kind: ledger.Sale, Ref: ref, Lines: []ledger.Line{
		{Kind: ledger.Received("test"), Amount: usd(1250)},
		{Kind: ledger.Contributor, Owner: contributor, Amount: usd(-350), Recording: 17, Basis: 1000, Note: "Standard license, Rain"},
		{Kind: ledger.Revenue, Amount: usd(-650)},
		{Kind: ledger.Tax, Amount: usd(-250)},
	}}
}

func TestPost(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := store(d)
		post := func(j ledger.Journal) error {
			return d.Tx(ctx, func(tx *db.Tx) error { return s.Post(ctx, tx, j) })
		}
		one := func(lines ...ledger.Line) ledger.Journal {
			return ledger.Journal{Kind: ledger.Sale, Ref: "x", Lines: lines}
		}
		for name, c := range map[string]struct {
			j    ledger.Journal
			want error
		}{
			"no entries":              {one(), ledger.ErrUnbalanced},
			"only zeros":              {one(ledger.Line{Kind: ledger.Tax, Amount: usd(0)}), ledger.ErrUnbalanced},
			"one side":                {one(ledger.Line{Kind: ledger.Tax, Amount: usd(5)}), ledger.ErrUnbalanced},
			"a cent off":              {one(ledger.Line{Kind: ledger.Tax, Amount: usd(5)}, ledger.Line{Kind: ledger.Revenue, Amount: usd(-4)}), ledger.ErrUnbalanced},
			"two currencies":          {one(ledger.Line{Kind: ledger.Tax, Amount: usd(5)}, ledger.Line{Kind: ledger.Revenue, Amount: money.Of(-5, "EUR")}), ledger.ErrUnbalanced},
			"no currency":             {one(ledger.Line{Kind: ledger.Tax, Amount: money.Of(5, "")}, ledger.Line{Kind: ledger.Revenue, Amount: money.Of(-5, "")}), ledger.ErrUnbalanced},
			"more than fits":          {one(ledger.Line{Kind: ledger.Tax, Amount: usd(1<<63 - 1)}, ledger.Line{Kind: ledger.Revenue, Amount: usd(1)}), money.ErrOverflow},
			"balanced, each currency": {ledger.Journal{Kind: "other", Ref: "1", Lines: []ledger.Line{{Kind: ledger.Tax, Amount: usd(5)}, {Kind: ledger.Revenue, Amount: usd(-5)}, {Kind: ledger.Tax, Amount: money.Of(7, "EUR")}, {Kind: ledger.Revenue, Amount: money.Of(-7, "EUR")}}}, nil},
		} {
			if err := post(c.j); !errors.Is(err, c.want) || (c.want == nil && err != nil) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		if err := post(sale("order-1", 7)); err != nil {
			t.Fatal(err)
		}
		if err := post(sale("order-1", 7)); !errors.Is(err, ledger.ErrPosted) {
			t.Errorf("the same sale again: %v", err)
		}
		// ErrPosted leaves the transaction usable.
		err := d.Tx(ctx, func(tx *db.Tx) error {
			if err := s.Post(ctx, tx, sale("order-1", 7)); !errors.Is(err, ledger.ErrPosted) {
				return fmt.Errorf("again: %w", err)
			}
			return s.Post(ctx, tx, sale("order-2", 8))
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			kind  ledger.Kind
			owner int64
			want  int64
		}{{ledger.Received("test"), 0, 2500}, {ledger.Contributor, 7, -350}, {ledger.Contributor, 8, -350}, {ledger.Contributor, 9, 0}, {ledger.Revenue, 0, -1305}, {ledger.Tax, 0, -495}} {
			if got, err := s.Balance(ctx, d, c.kind, c.owner); err != nil || got != usd(c.want) {
				t.Errorf("balance of %s %d is %v, %v; want %d", c.kind, c.owner, got, err, c.want)
			}
		}
		if owed, err := s.Owed(ctx, d, 7); err != nil || owed != usd(350) {
			t.Errorf("owed %v, %v", owed, err)
		}
		if ok, err := s.Posted(ctx, d, ledger.Sale, "order-1"); err != nil || !ok {
			t.Errorf("order-1 posted: %v, %v", ok, err)
		}
		if ok, err := s.Posted(ctx, d, ledger.Refund, "order-1"); err != nil || ok {
			t.Errorf("its refund posted: %v, %v", ok, err)
		}
		if wrong, err := s.Check(ctx); err != nil || len(wrong) > 0 {
			t.Errorf("check finds %v, %v", wrong, err)
		}
		if _, err := d.Writer().Exec(`UPDATE entry SET amount_minor = amount_minor + 1 WHERE n = 0`); err != nil {
			t.Fatal(err)
		}
		if wrong, err := s.Check(ctx); err != nil || len(wrong) != 3 {
			t.Errorf("check finds %v in a falsified book, %v", wrong, err)
		}
		if _, err := d.Writer().Exec(`DELETE FROM entry WHERE n > 0`); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Writer().Exec(`DELETE FROM entry WHERE n = 0`); err != nil {
			t.Fatal(err)
		}
		if wrong, err := s.Check(ctx); err != nil || len(wrong) != 3 || !strings.Contains(wrong[0], "no entries") {
			t.Errorf("check finds %v in an emptied book, %v", wrong, err)
		}
	})
}

// TestManyAtOnce posts the same and different journals from many goroutines: each reference once, every account once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := store(d)
		var wg sync.WaitGroup
		var mu sync.Mutex
		posted := 0
		for i := range 24 {
			wg.Go(func() {
				err := d.Tx(ctx, func(tx *db.Tx) error { return s.Post(ctx, tx, sale(fmt.Sprint(i%8), int64(i%3))) })
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					posted++
				case !errors.Is(err, ledger.ErrPosted):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		accounts, err := db.Get[int64](ctx, d, `SELECT count(*) FROM ledger_account`)
		if err != nil || posted != 8 || accounts > 6 {
			t.Errorf("%d posted, %d accounts, %v", posted, accounts, err)
		}
		if b, err := s.Balance(ctx, d, ledger.Received("test"), 0); err != nil || b != usd(8*1250) {
			t.Errorf("received %v, %v", b, err)
		}
		if wrong, err := s.Check(ctx); err != nil || len(wrong) > 0 {
			t.Errorf("check finds %v, %v", wrong, err)
		}
	})
}

func TestStatementAndCSV(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := store(d)
		at := t0
		s.Now = func() time.Time { return at }
		for i, j := range []ledger.Journal{
			sale("1", 7),
			{Kind: ledger.Sale, Ref: "2", Lines: []ledger.Line{{Kind: ledger.Received("test"), Amount: usd(100)}, {Kind: ledger.Contributor, Owner: 7, Amount: usd(-100), Recording: 18, Basis: 286, Note: "=HYPERLINK(\"http://evil\")\n, \"x\""}}},
			{Kind: ledger.Refund, Ref: "1", Lines: []ledger.Line{{Kind: ledger.Received("test"), Amount: usd(-350)}, {Kind: ledger.Contributor, Owner: 7, Amount: usd(350), Recording: 17, Basis: -1000, Note: "Refund of Standard license, Rain"}}},
			sale("3", 8),
		} {
			at = t0.Add(time.Duration(i) * time.Hour)
			if err := d.Tx(ctx, func(tx *db.Tx) error { return s.Post(ctx, tx, j) }); err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.Statement(ctx, 7, 0, 0)
		if err != nil || len(all) != 3 || all[0].Amount != -350 || all[0].Kind != ledger.Refund || all[2].Amount != 350 || all[2].Basis != 1000 || all[2].Recording != 17 {
			t.Fatalf("statement %+v, %v", all, err)
		}
		some, err := s.Statement(ctx, 7, t0.Add(time.Hour).UnixMicro(), t0.Add(2*time.Hour).UnixMicro())
		if err != nil || len(some) != 1 || some[0].Recording != 18 {
			t.Errorf("one hour of it: %+v, %v", some, err)
		}
		var out bytes.Buffer
		if err := ledger.WriteCSV(&out, all); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 4 {
			t.Fatalf("rows %q, %v", rows, err)
		}
		for i, want := range []string{
			"date|time_utc|kind|booking|recording|what|net_price|earned|balance|currency",
			"2026-11-23|15:04:05|sale|" + fmt.Sprint(all[2].Journal) + "|17|Standard license, Rain|10.00|3.50|3.50|USD",
			"2026-11-23|16:04:05|sale|" + fmt.Sprint(all[1].Journal) + `|18|'=HYPERLINK("http://evil") , "x"|2.86|1.00|4.50|USD`,
			"2026-11-23|17:04:05|refund|" + fmt.Sprint(all[0].Journal) + "|17|Refund of Standard license, Rain|-10.00|-3.50|1.00|USD",
		} {
			if got := strings.Join(rows[i], "|"); got != want {
				t.Errorf("row %d\n%s\nwant\n%s", i, got, want)
			}
		}
	})
}

// TestRandomBook books many random sales and refunds and compares every balance with a plain sum.
func TestRandomBook(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t, db.SQLite)
	ctx := context.Background()
	s := store(d)
	rnd := rand.New(rand.NewPCG(3, 4))
	want := map[int64]int64{}
	err := d.Tx(ctx, func(tx *db.Tx) error {
		for i := range 300 {
			who, price := rnd.Int64N(5), 100+rnd.Int64N(100_000)
			parts, err := usd(price).Split(3500, 6500)
			if err != nil {
				return err
			}
			sign := int64(1)
			if i%7 == 3 {
				sign = -1
			}
			err = s.Post(ctx, tx, ledger.Journal{Kind: ledger.Sale, Ref: fmt.Sprint(i), Lines: []ledger.Line{
				{Kind: ledger.Received("test"), Amount: usd(sign * price)}, {Kind: ledger.Contributor, Owner: who, Amount: usd(-sign * parts[0].Minor)}, {Kind: ledger.Revenue, Amount: usd(-sign * parts[1].Minor)}}})
			if err != nil {
				return err
			}
			want[who] += sign * parts[0].Minor
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for who, w := range want {
		if got, err := s.Owed(ctx, d, who); err != nil || got.Minor != w {
			t.Errorf("owed to %d: %v, %v; want %d", who, got, err, w)
		}
	}
	if wrong, err := s.Check(ctx); err != nil || len(wrong) > 0 {
		t.Errorf("check finds %v, %v", wrong, err)
	}
}

// TestAppendOnly reads the program's sources: nothing changes or deletes what is in the book.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`(?i)(update|delete\s+from|truncate(\s+table)?|drop\s+table|alter\s+table|replace\s+into)\s+(journal|entry|ledger_account)\b`)
	read := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") || !(strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".sql")) {
			return err
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		read++
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s changes the book: %s", path, found)
		}
		return nil
	})
	if err != nil || read < 10 {
		t.Fatalf("read %d files, %v", read, err)
	}
	if !forbidden.MatchString("DELETE FROM entry WHERE n = 1") || !forbidden.MatchString("update journal set") {
		t.Error("the pattern finds nothing")
	}
}
