package uploads

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"audiomicro/internal/recordings"
)

// Bounds of a table that people send.
const (
	maxRows = 10_000
	maxCell = 100 << 10 // bytes
)

// CellError is what is wrong with one cell of a table: Line counts lines of the file from 1, Column is a name of the header,
// empty for the whole line.
type CellError struct {
	Line   int
	Column string
	Text   string
}

func (e *CellError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Text)
	}
	return fmt.Sprintf("line %d, %s: %s", e.Line, e.Column, e.Text)
}

// tableRow is one line of a table by column name. Columns that the header lacks are not in Cells.
type tableRow struct {
	Line  int
	Cells map[string]string
}

// readTable reads a CSV file (RFC 4180, UTF-8, with or without a byte order mark, comma or semicolon) whose first line names
// columns of known; must ones have to be there. Names are compared without regard to case. The error is a *CellError.
func readTable(r io.Reader, known, must []string) ([]tableRow, error) {
	br := bufio.NewReader(r)
	if mark, err := br.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		br.Discard(3)
	}
	cr := csv.NewReader(br)
	cr.ReuseRecord = true
	if first, _ := br.Peek(1024); commonComma(string(first)) == ';' {
		cr.Comma = ';'
	}
	header, err := cr.Read()
	if err != nil {
		return nil, tableError(err, "The file is empty: its first line must name the columns.")
	}
	names, err := columnNames(header, known, must)
	if err != nil {
		return nil, err
	}
	var rows []tableRow
	for {
		record, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, tableError(err, "")
		}
		line, _ := cr.FieldPos(0)
		if len(rows) == maxRows {
			return nil, &CellError{Line: line, Text: fmt.Sprintf("A table may have at most %d lines.", maxRows)}
		}
		row := tableRow{Line: line, Cells: map[string]string{}}
		for i, v := range record {
			switch {
			case len(v) > maxCell:
				return nil, &CellError{line, names[i], "This cell is too long."}
			case !utf8.ValidString(v):
				return nil, &CellError{line, names[i], "This cell is not UTF-8: save the table as UTF-8."}
			}
			row.Cells[names[i]] = plainCell(v)
		}
		rows = append(rows, row)
	}
}

// commonComma tells whether a header is separated by semicolons, as spreadsheets of many countries write it.
func commonComma(head string) rune {
	line, _, _ := strings.Cut(head, "\n")
	if strings.Count(line, ";") > strings.Count(line, ",") {
		return ';'
	}
	return ','
}

func columnNames(header, known, must []string) ([]string, error) {
	var names []string
	for _, h := range header {
		name := strings.ToLower(strings.TrimSpace(h))
		switch {
		case !slices.Contains(known, name):
			return nil, &CellError{Line: 1, Text: fmt.Sprintf("There is no column %q; the columns are %s.", clip(strings.ToValidUTF8(h, "?"), 40), strings.Join(known, ", "))}
		case slices.Contains(names, name):
			return nil, &CellError{1, name, "This column stands there twice."}
		}
		names = append(names, name)
	}
	for _, name := range must {
		if !slices.Contains(names, name) {
			return nil, &CellError{1, name, "This column is missing."}
		}
	}
	return names, nil
}

func tableError(err error, empty string) error {
	var p *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return &CellError{Line: 1, Text: empty}
	case !errors.As(err, &p):
		return &CellError{Line: 1, Text: "The file cannot be read: " + err.Error() + "."}
	case errors.Is(p.Err, csv.ErrFieldCount):
		return &CellError{Line: p.StartLine, Text: "This line has more or fewer cells than the first one."}
	}
	return &CellError{Line: p.Line, Text: "A quotation mark stands where none may stand, or one is missing."}
}

// placeColumns are the columns in which a table tells where a recording was made: as "lat, lon" or "lat, lon, zoom" in one, as Freesound's tables
// have it, or in degrees in two. How precisely is up to whoever writes them: no decimal is added, and none is taken away before the sixth.
var placeColumns = []string{"geotag", "latitude", "longitude"}

// placeCell joins the place of a line to one text as recordings.ParsePlace reads it. told is false when the table has no such column; the error
// names the cell that is wrong.
func placeCell(line tableRow) (text string, told bool, wrong *CellError) {
	_, told = line.Cells["geotag"]
	tag, lat, lon := strings.TrimSpace(line.Cells["geotag"]), strings.TrimSpace(line.Cells["latitude"]), strings.TrimSpace(line.Cells["longitude"])
	if !strings.Contains(tag, ",") {
		tag = strings.Join(strings.Fields(tag), ", ") // "lat lon", as the Freesound API answers it
	}
	for _, column := range placeColumns[1:] {
		_, there := line.Cells[column]
		told = told || there
	}
	column := "geotag"
	switch {
	case lat == "" && lon == "":
	case tag != "":
		return "", true, &CellError{line.Line, "geotag", "Tell the place here or in latitude and longitude, not in both."}
	case lat == "":
		return "", true, &CellError{line.Line, "latitude", "The longitude stands alone: both are needed."}
	case lon == "":
		return "", true, &CellError{line.Line, "longitude", "The latitude stands alone: both are needed."}
	case strings.Contains(lat, ","):
		return "", true, &CellError{line.Line, "latitude", "Write degrees with a point, such as 41.40."}
	case strings.Contains(lon, ","):
		return "", true, &CellError{line.Line, "longitude", "Write degrees with a point, such as 2.17."}
	default:
		column, tag = "latitude", lat+", "+lon
	}
	if _, ok := recordings.ParsePlace(tag); !ok {
		return "", true, &CellError{line.Line, column, recordings.PlaceRefused}
	}
	return tag, told, nil
}

// formula begins cells that a spreadsheet program would compute instead of showing (OWASP, CSV injection).
const formula = "=+-@\t\r"

// safeCell writes a cell so that a spreadsheet shows it: an apostrophe goes before what would be a formula, and before an
// apostrophe that plainCell would else take for one of ours.
func safeCell(v string) string {
	if v != "" && strings.ContainsRune(formula+"'", rune(v[0])) {
		return "'" + v
	}
	return v
}

// plainCell takes safeCell's apostrophe away again; one that a person typed before anything else stays.
func plainCell(v string) string {
	if len(v) > 1 && v[0] == '\'' && strings.ContainsRune(formula+"'", rune(v[1])) {
		return v[1:]
	}
	return v
}

// writeTable writes a header and rows with safe cells.
func writeTable(w io.Writer, header []string, rows [][]string) error {
	cw := csv.NewWriter(w)
	if err := cw.Write(header); err != nil {
		return err
	}
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, v := range row {
			safe[i] = safeCell(v)
		}
		if err := cw.Write(safe); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}
