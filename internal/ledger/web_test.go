package ledger_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/ledger"
	"audiomicro/internal/testkit"
)

// TestEarningsPages books two years of sales and reads them back through the pages.
func TestEarningsPages(t *testing.T) {
	t.Parallel()
	site := testkit.NewSite(t, db.SQLite, nil)
	ana, ben := site.Person("ana", "contributor"), site.Person("ben", "contributor")
	ctx := context.Background()
	book := *site.Ledger
	now := time.Now().UTC()
	for i := range 60 {
		at := time.Date(now.Year(), now.Month(), 1, 0, 0, 1, 0, time.UTC).AddDate(0, -(i % 24), 0)
		book.Now = func() time.Time { return at }
		j := sale(fmt.Sprint("old-", i), ana.ID)
		if i == 5 {
			j.Kind, j.Lines = ledger.Refund, []ledger.Line{{Kind: ledger.Received("test"), Amount: usd(-1000)}, {Kind: ledger.Contributor, Owner: ana.ID, Amount: usd(1000), Recording: 17, Basis: -2857, Note: "=cmd()"}}
		}
		if err := site.DB.Tx(ctx, func(tx *db.Tx) error { return book.Post(ctx, tx, j) }); err != nil {
			t.Fatal(err)
		}
	}
	want := func(path string, texts ...string) string {
		t.Helper()
		res := ana.Get(path)
		if res.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, res.Status, res.Text)
		}
		for _, text := range texts {
			if !strings.Contains(res.Text, text) {
				t.Errorf("%s does not hold %q", path, text)
			}
		}
		return res.Text
	}
	total := fmt.Sprintf("$%d.%02d", (59*350-1000)/100, (59*350-1000)%100)
	want("/earnings?range=all", total, "Recording 17", "1 refund taken off", "page=2")
	want("/earnings?range=all&page=2", "page=1")
	want("/earnings?range=all&page=99", "page=1")
	want("/earnings?page=-1&range=nonsense", "Last 12 months")
	want(fmt.Sprintf("/earnings?range=%d", now.Year()-1), "Licenses sold")
	rows, err := csv.NewReader(strings.NewReader(want("/earnings.csv"))).ReadAll()
	if err != nil || len(rows) != 61 || "$"+rows[60][8] != total {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if !strings.Contains(want("/earnings.csv?range=all"), "'=cmd()") {
		t.Error("a formula came through")
	}
	if res := ben.Get("/earnings"); res.Status != http.StatusOK || !strings.Contains(res.Text, "Nothing earned yet") || strings.Contains(res.Text, "Recording 17") {
		t.Errorf("somebody else's earnings: %d", res.Status)
	}
	if res := site.Visitor().Get("/earnings.csv"); res.Status == http.StatusOK {
		t.Error("a visitor reads earnings")
	}
}
