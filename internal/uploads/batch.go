package uploads

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// sheetLimit bounds the body of the sheet's form in bytes.
const sheetLimit = 32 << 20

// saveRow saves cells of one row, which showed what seen marks, and reads the row anew. What is wrong is in row.errs, and so is what
// another page saved meanwhile; the rest is saved.
func (s *Store) saveRow(ctx context.Context, sh *sheet, row *sheetRow, cells map[string]string, rights bool, seen string) error {
	if row.locked() {
		row.errs = map[string]string{"title": "It is being reviewed and cannot be changed now."}
		return nil
	}
	e := s.edit(sh, row, cells, rights)
	errs, both := row.errs, []string(nil)
	if e.Seen = clip(seen, 200); e.Seen != "" && !e.SetOffers {
		e.Offers = offersOf(row.had) // as they are: the cells did not ask for others
	}
	err := s.Save(ctx, access.From(ctx), row.rec.ID, e)
	var old *stale
	for tries := 0; errors.As(err, &old) && tries < 3; tries++ {
		both = append(both, s.clash(sh, old, errs)...)
		e.Description, e.Offers, e.Seen = old.merged.desc, old.merged.offers, old.kept.marks()
		err = s.Save(ctx, access.From(ctx), row.rec.ID, e)
	}
	if column, text, ok := refusedCell(err); ok {
		errs[column] = text
		err = nil
	}
	if err != nil {
		return err
	}
	rec, err := s.Recordings.ByID(ctx, s.DB, row.rec.ID)
	if err != nil {
		return err
	}
	fresh, err := s.fillSheet(ctx, []recordings.Recording{rec})
	if err != nil {
		return err
	}
	*row = fresh.rows[0]
	row.errs = errs
	row.both = both
	for _, column := range cellColumns {
		if typed, sent := cells[column]; sent && (errs[column] != "" || slices.Contains(both, column)) {
			row.cells[column] = typed
		}
	}
	return nil
}

// clash takes what another page saved into an edit in place of what both changed, says so at its cells, and names them.
func (s *Store) clash(sh *sheet, old *stale, errs map[string]string) (columns []string) {
	prices := map[string]string{}
	for _, o := range old.kept.offers {
		if prices[o.Code] = ""; o.Price.Minor != 0 {
			prices[o.Code] = o.Price.Decimal()
		}
	}
	texts := old.errors(s.offersInWords(sh.models, prices))
	for i, f := range old.both {
		f.take(&old.merged, old.kept)
		columns = append(columns, sheetColumn(f.name))
		if errs[sheetColumn(f.name)] = texts[i].Text; f.name == "offer" {
			columns = append(columns, "price") // one saying in two cells
		}
	}
	return columns
}

// refusedCell finds the cell that a refusal of Save is about.
func refusedCell(err error) (column, text string, ok bool) {
	var p *web.Public
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity && p.Status != http.StatusConflict {
		return "", "", false
	}
	return "license", p.Text, true
}

// cellColumns are the columns of the sheet that say something about a recording.
var cellColumns = []string{"title", "description", "tags", "category", "pack", "place", "license", "price", "ai"}

// formCells picks the cells of one row out of the sheet's form. With script the form names the columns that were changed on
// this page: what another tab saved meanwhile stays.
func formCells(form url.Values, id int64) (cells map[string]string, sent bool) {
	if name := ui.CellName(id, "changed"); form.Has(name) {
		cells = map[string]string{}
		for _, column := range strings.Split(form.Get(name), ",") {
			if slices.Contains(cellColumns, column) {
				cells[column] = form.Get(ui.CellName(id, column))
			}
		}
		return cells, true
	}
	if !form.Has(ui.CellName(id, "title")) { // disabled rows are not sent
		return nil, false
	}
	cells = map[string]string{"ai": form.Get(ui.CellName(id, "ai"))} // an unticked box is not sent
	for _, column := range cellColumns {
		if name := ui.CellName(id, column); form.Has(name) {
			cells[column] = form.Get(name)
		}
	}
	return cells, true
}

func (s *Store) batchPage(w http.ResponseWriter, r *http.Request) error {
	sh, err := s.sheet(r, r.URL.Query()["ids"])
	if err != nil {
		return err
	}
	if len(sh.rows) == 0 {
		return web.See(w, r, "/upload")
	}
	return s.showSheet(w, r, sh, 0, "", nil)
}

// batchForm saves every row (act=save), and submits what is complete (act=submit).
func (s *Store) batchForm(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, sheetLimit); err != nil {
		return err
	}
	sh, err := s.sheet(r, r.PostForm["ids"])
	if err != nil {
		return err
	}
	rights, wrong := r.PostForm.Get("rights") != "", 0
	for i := range sh.rows {
		row := &sh.rows[i]
		cells, sent := formCells(r.PostForm, row.rec.ID)
		if !sent {
			continue
		}
		if err := s.saveRow(r.Context(), &sh, row, cells, rights, r.PostForm.Get(ui.CellName(row.rec.ID, "seen"))); err != nil {
			return err
		}
		if len(row.errs) > 0 {
			wrong++
		}
	}
	if r.PostForm.Get("act") != "submit" {
		if wrong > 0 {
			status := http.StatusUnprocessableEntity
			if slices.ContainsFunc(sh.rows, func(row sheetRow) bool { return len(row.both) > 0 }) {
				status = http.StatusConflict
			}
			return s.showSheet(w, r, sh, status, "Saved, except for what is marked.", nil)
		}
		web.Notify(w, s.Site.Secure, "Saved.")
		return web.See(w, r, describeURL(sh.ids))
	}
	return s.submitSheet(w, r, sh)
}

func (s *Store) submitSheet(w http.ResponseWriter, r *http.Request, sh sheet) error {
	var left []int64
	submitted, undeclared := 0, 0
	for i := range sh.rows {
		row := &sh.rows[i]
		switch {
		case !row.open():
			continue
		case row.ready() && !row.desc.Rights:
			undeclared++
			fallthrough
		case !row.ready():
			left = append(left, row.rec.ID)
			continue
		}
		err := s.DB.Tx(r.Context(), func(tx *db.Tx) error { return s.Recordings.Submit(r.Context(), tx, row.rec.ID) })
		var p *web.Public
		if errors.As(err, &p) {
			row.errs["title"] = p.Text
			left = append(left, row.rec.ID)
			continue
		}
		if err != nil {
			return err
		}
		submitted++
	}
	if undeclared > 0 && submitted == 0 {
		return s.showSheet(w, r, sh, http.StatusUnprocessableEntity, "It is saved, but not submitted.", []ui.Link{{Text: "Declare that you hold the rights", URL: "#f-rights"}})
	}
	if submitted == 0 {
		return s.showSheet(w, r, sh, http.StatusUnprocessableEntity, "It is saved, but nothing is ready to be submitted.", nil)
	}
	told := ui.Plural(submitted, "recording is", "recordings are") + " submitted for review."
	sh.rows, sh.ids = slices.DeleteFunc(sh.rows, func(row sheetRow) bool { return !slices.Contains(left, row.rec.ID) }), left
	if slices.ContainsFunc(sh.rows, func(row sheetRow) bool { return len(row.cells) > 0 }) {
		return s.showSheet(w, r, sh, http.StatusUnprocessableEntity, told, nil) // with what was typed and is not saved
	}
	if len(left) == 0 {
		web.Notify(w, s.Site.Secure, told)
		return web.See(w, r, "/my-sounds?state=submitted")
	}
	web.Notify(w, s.Site.Secure, told+" "+ui.Plural(len(left), "is", "are")+" left.")
	return web.See(w, r, describeURL(left))
}

// batchRow saves one row as it is typed and answers ui.BatchSaved.
func (s *Store) batchRow(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	list := append(r.URL.Query()["ids"], r.PostForm.Get("id"))
	sh, err := s.sheet(r, list)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostForm.Get("id"), 10, 64)
	if err != nil {
		return web.NotFound()
	}
	row := sh.row(id)
	if row == nil {
		return web.NotFound()
	}
	cells := map[string]string{} // only what was changed is sent
	for _, column := range cellColumns {
		if r.PostForm.Has(column) {
			cells[column] = r.PostForm.Get(column)
		}
	}
	seen := r.PostForm.Get("seen")
	if err := s.saveRow(r.Context(), &sh, row, cells, false, seen); err != nil {
		return err
	}
	check := row.check()
	out := ui.BatchSaved{ID: id, Saved: "Saved.", Tone: check.Tone, Check: check.Text, Errors: row.errs, Both: row.both, Seen: marksSeen(seen, row.seen, keys(cells))}
	if len(row.errs) > 0 {
		out.Saved = "Saved, except for what is marked."
	}
	for _, p := range row.missing() {
		if column := sheetColumn(p.Field); out.Errors[column] == "" {
			out.Errors[column] = p.Text
		}
	}
	// Counted anew: another row may have been saved beside this one.
	now, err := s.sheet(r, list)
	if err != nil {
		return err
	}
	for i := range now.rows {
		other := &now.rows[i]
		if other.rec.ID == id {
			other = row
		}
		if other.ready() {
			out.Ready++
		}
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

func (s *Store) showSheet(w http.ResponseWriter, r *http.Request, sh sheet, status int, saved string, problems []ui.Link) error {
	return s.showSheetWith(w, r, sh, status, saved, problems, nil)
}

func (s *Store) showSheetWith(w http.ResponseWriter, r *http.Request, sh sheet, status int, saved string, problems []ui.Link, csvErrors []ui.FormError) error {
	a := access.From(r.Context())
	page := ui.BatchPage{
		IDs: strings.TrimPrefix(describeURL(sh.ids), "/upload/describe?ids="), Problems: problems, Saved: saved, Categories: categoryOptions(), Licenses: sh.licenseOptions(),
		Currency: s.Licensing.Currency, RightsText: recordings.RightsText, EventsURL: "/upload/events", CSVErrors: csvErrors,
	}
	page.CSVURL, page.CSVApply = "/upload/describe.csv?ids="+page.IDs, "/upload/describe.csv"
	page.SaveURL = "/upload/describe/row?ids=" + page.IDs
	packs, err := s.Recordings.Packs(r.Context(), a.ID)
	if err != nil {
		return err
	}
	for _, p := range packs {
		page.Packs = append(page.Packs, p.Name)
	}
	for i := range sh.rows {
		row := &sh.rows[i]
		page.Rows = append(page.Rows, s.sheetLine(a, row))
		switch {
		case row.ready():
			page.Ready++
		case row.moving():
			page.Uploading++
		case row.open():
			page.NeedYou++
			page.Problems = append(page.Problems, row.problem())
		}
	}
	v := web.View{Title: "Describe", Section: ui.SectionUpload, Status: status, Edit: noIndex}
	return s.Site.Page(w, r, v, ui.Batch(page))
}

// problem names the row and links to the first cell that needs its owner.
func (row *sheetRow) problem() ui.Link {
	column, words := "title", row.check().Text
	if list := row.missing(); len(list) > 0 && list[0].Field != "file" {
		column = sheetColumn(list[0].Field)
	}
	if k := keys(row.errs); len(k) > 0 {
		column, words = k[0], row.errs[k[0]]
		for _, further := range k[1:] {
			words += " " + row.errs[further]
		}
	}
	return ui.Link{Text: clip(strings.TrimSuffix(row.rec.FileName, "."+row.rec.Ext), 40) + ": " + words, URL: "#f-" + ui.CellName(row.rec.ID, column)}
}

func (s *Store) sheetLine(a access.Actor, row *sheetRow) ui.BatchRow {
	state, _, percent := progress(row.rec)
	typed := func(column, kept string) string {
		if v, ok := row.cells[column]; ok {
			return clip(v, recordings.MaxDescription+1000) // so that what is too long can be shortened
		}
		return kept
	}
	line := ui.BatchRow{
		ID: row.rec.ID, Sound: s.sound(a, row.rec, a.Name), FileName: row.rec.FileName, Title: typed("title", row.desc.Title), Description: typed("description", row.desc.Description),
		Tags: typed("tags", strings.Join(row.desc.Tags, ", ")), Category: typed("category", row.desc.Category), Pack: typed("pack", row.desc.Pack), Place: typed("place", row.desc.Place.String()), License: typed("license", row.license()), Price: typed("price", row.price()),
		Rights: row.desc.Rights, AITraining: typed("ai", map[bool]string{true: "on"}[row.desc.AITraining]) == "on", Seen: row.seen, Check: row.check(), Percent: percent, Busy: row.locked() || row.moving(), EditURL: editURL(row.rec.ID), Errors: map[string]string{},
	}
	if row.rec.Tempo > 0 && row.rec.TempoConfidence >= .5 {
		line.Tempo = fmt.Sprintf("%.0f", row.rec.Tempo)
	}
	line.Key = row.rec.Key
	if (row.open() || row.rec.State == recordings.Published) && !row.moving() && state != "failed" {
		for _, p := range row.missing() {
			line.Errors[sheetColumn(p.Field)] = p.Text
		}
	}
	for column, text := range row.errs {
		line.Errors[column] = text
	}
	return line
}
