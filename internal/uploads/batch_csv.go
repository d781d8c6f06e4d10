package uploads

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// sheetColumns are the columns of the describe sheet's table. id and file say which recording a line is about and change
// nothing. A table that is applied may tell latitude and longitude instead of the geotag.
var sheetColumns = []string{"id", "file", "title", "description", "tags", "category", "pack", "geotag", "license", "price", "ai_training"}

// csvLimit bounds a table that is applied, in bytes.
const csvLimit = 8 << 20

// downloadCSV gives the sheet as a table.
func (s *Store) downloadCSV(w http.ResponseWriter, r *http.Request) error {
	sh, err := s.sheet(r, r.URL.Query()["ids"])
	if err != nil {
		return err
	}
	rows := make([][]string, len(sh.rows))
	for i := range sh.rows {
		row := &sh.rows[i]
		ai := "no"
		if row.desc.AITraining {
			ai = "yes"
		}
		rows[i] = []string{strconv.FormatInt(row.rec.ID, 10), row.rec.FileName, row.desc.Title, row.desc.Description, strings.Join(row.desc.Tags, ", "),
			row.desc.Category, row.desc.Pack, row.desc.Place.String(), row.license(), row.price(), ai}
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="describe.csv"`)
	h.Set("Cache-Control", "no-store")
	return writeTable(w, sheetColumns, rows)
}

var errCells = errors.New("cells are wrong")

// applyCSV reads a table into the sheet: all of it, or nothing with an error for every wrong cell.
func (s *Store) applyCSV(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, csvLimit)
	if err := r.ParseMultipartForm(csvLimit); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return err
		}
		return &web.Public{Status: http.StatusBadRequest, Text: "Choose a CSV file and send it with the form.", Err: err}
	}
	defer r.MultipartForm.RemoveAll()
	sh, err := s.sheet(r, r.PostForm["ids"])
	if err != nil {
		return err
	}
	if len(sh.rows) == 0 {
		return web.See(w, r, "/upload")
	}
	f, _, err := r.FormFile("csv")
	if err != nil {
		return s.refuseCSV(w, r, sh, []ui.FormError{{Text: "Choose a CSV file."}})
	}
	defer f.Close()
	table, err := readTable(f, slices.Concat(sheetColumns, placeColumns[1:]), nil)
	var cell *CellError
	if errors.As(err, &cell) {
		return s.refuseCSV(w, r, sh, []ui.FormError{{Text: sentence(cell, 0).Text}})
	}
	if err != nil {
		return err
	}
	var wrong []ui.FormError
	err = s.DB.Tx(r.Context(), func(tx *db.Tx) error {
		wrong, err = s.applyRows(r, tx, &sh, table)
		if err == nil && len(wrong) > 0 {
			return errCells // nothing of it is kept
		}
		return err
	})
	if errors.Is(err, errCells) {
		for i := range sh.rows {
			sh.rows[i].errs = map[string]string{} // they stand in the list, with the lines of the file
		}
		return s.refuseCSV(w, r, sh, wrong)
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, ui.Plural(len(table), "line is", "lines are")+" applied.")
	return web.See(w, r, describeURL(sh.ids))
}

func (s *Store) refuseCSV(w http.ResponseWriter, r *http.Request, sh sheet, wrong []ui.FormError) error {
	const most = 50
	if len(wrong) > most {
		wrong = append(wrong[:most:most], ui.FormError{Text: fmt.Sprintf("And %d more.", len(wrong)-most)})
	}
	return s.showSheetWith(w, r, sh, http.StatusUnprocessableEntity, "", nil, wrong)
}

// sentence is what the page says about a cell, linked to the sheet's own cell when the line is one of its rows.
func sentence(c *CellError, id int64) ui.FormError {
	e := ui.FormError{Text: fmt.Sprintf("Line %d: %s", c.Line, c.Text)}
	if c.Column != "" {
		e.Text = fmt.Sprintf("Line %d, %s: %s", c.Line, c.Column, c.Text)
	}
	column := map[string]string{"ai_training": "ai", "geotag": "place", "latitude": "place", "longitude": "place", "id": "", "file": ""}
	if mapped, ok := column[c.Column]; ok {
		c.Column = mapped
	}
	if id != 0 && c.Column != "" {
		e.Field = ui.CellName(id, c.Column)
	}
	return e
}

// applyRows saves a table's lines in tx and lists what is wrong; the caller rolls back when anything is.
func (s *Store) applyRows(r *http.Request, tx *db.Tx, sh *sheet, table []tableRow) (wrong []ui.FormError, err error) {
	seen := map[int64]int{}
	for _, line := range table {
		row, column := sh.find(line.Cells)
		if row == nil {
			wrong = append(wrong, sentence(&CellError{line.Line, column, "There is no such recording on this sheet."}, 0))
			continue
		}
		id := row.rec.ID
		switch {
		case seen[id] != 0:
			wrong = append(wrong, sentence(&CellError{line.Line, column, fmt.Sprintf("Line %d is about the same recording.", seen[id])}, 0))
			continue
		case row.locked():
			wrong = append(wrong, sentence(&CellError{line.Line, "", row.rec.FileName + " is being reviewed and cannot be changed now."}, 0))
			continue
		}
		seen[id] = line.Line
		cells := map[string]string{}
		for name, v := range line.Cells {
			if name == "ai_training" {
				name = "ai"
			}
			cells[name] = v
		}
		place, told, bad := placeCell(line)
		if told && bad == nil {
			cells["place"] = place
		}
		e := s.edit(sh, row, cells, false)
		for _, k := range keys(row.errs) {
			text := row.errs[k]
			if k == "ai" {
				k = "ai_training"
			}
			wrong = append(wrong, sentence(&CellError{line.Line, k, text}, id))
		}
		if bad != nil {
			wrong = append(wrong, sentence(bad, id))
		}
		if len(row.errs) > 0 || bad != nil {
			continue
		}
		err := s.save(r.Context(), tx, access.From(r.Context()), id, e)
		if k, text, ok := refusedCell(err); ok {
			wrong = append(wrong, sentence(&CellError{line.Line, k, text}, id))
			continue
		}
		if err != nil {
			return wrong, err
		}
	}
	return wrong, nil
}

// find is the row that a line is about: by id, else by the file's name when no two rows have it.
func (sh *sheet) find(cells map[string]string) (row *sheetRow, column string) {
	if text := strings.TrimSpace(cells["id"]); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, "id"
		}
		return sh.row(id), "id"
	}
	for i := range sh.rows {
		if sh.rows[i].rec.FileName != cells["file"] {
			continue
		}
		if row != nil {
			return nil, "file"
		}
		row = &sh.rows[i]
	}
	return row, "file"
}
