package collections

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"audiomicro/internal/web"
)

// csv is a collection as a table (RFC 4180, UTF-8), in its order.
func (s *Store) csv(w http.ResponseWriter, r *http.Request) error {
	c, err := s.find(r, r.URL.Query().Get("key"))
	if err != nil {
		return err
	}
	items, err := s.Items(r.Context(), c.ID, MaxItems, 0)
	if err != nil {
		return err
	}
	rows, err := s.rows(r, c, items, false)
	if err != nil {
		return err
	}
	of := map[int64]Item{}
	for _, it := range items {
		of[it.RecordingID] = it
	}
	var buf bytes.Buffer
	out := csv.NewWriter(&buf)
	out.UseCRLF = true
	table := [][]string{{"position", "recording", "title", "contributor", "price", "license", "seconds", "note", "added", "address"}}
	for i, row := range rows {
		it := of[row.ID]
		table = append(table, []string{strconv.Itoa(i + 1), strconv.FormatInt(row.ID, 10), web.Cell(row.Title), web.Cell(row.Contributor), row.PriceLabel, row.LicenseLabel,
			strconv.FormatFloat(row.Seconds, 'f', 3, 64), web.Cell(it.Note), time.UnixMicro(it.AddedAt).UTC().Format(time.RFC3339), s.Site.URL + row.URL})
	}
	if err := out.WriteAll(table); err != nil {
		return fmt.Errorf("write collection %d: %w", c.ID, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fmt.Sprintf("collection-%d.csv", c.ID)}))
	_, err = w.Write(buf.Bytes())
	return err
}
