package ledger

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"audiomicro/internal/money"
	"audiomicro/internal/web"
)

// WriteCSV writes postings as a spreadsheet file (RFC 4180, UTF-8): oldest first, times in UTC, amounts as plain numbers with
// the running balance of the postings given.
func WriteCSV(w io.Writer, postings []Posting) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	head := []string{"date", "time_utc", "kind", "booking", "recording", "what", "net_price", "earned", "balance", "currency"}
	if err := out.Write(head); err != nil {
		return fmt.Errorf("write statement: %w", err)
	}
	balance := int64(0)
	for _, p := range slices.Backward(postings) {
		balance += p.Amount
		at := time.UnixMicro(p.At).UTC()
		recording := ""
		if p.Recording != 0 {
			recording = strconv.FormatInt(p.Recording, 10)
		}
		row := []string{at.Format(time.DateOnly), at.Format(time.TimeOnly), web.Cell(p.Kind), strconv.FormatInt(p.Journal, 10), recording, web.Cell(p.Note),
			money.Of(p.Basis, p.Currency).Decimal(), money.Of(p.Amount, p.Currency).Decimal(), money.Of(balance, p.Currency).Decimal(), p.Currency}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write statement: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write statement: %w", err)
	}
	return nil
}
