package uploads

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReadTable feeds any bytes as a table: rows of known columns or a CellError, and what was read survives a round trip.
func FuzzReadTable(f *testing.F) {
	for _, seed := range []string{
		"id,title\n1,x\n", "\xef\xbb\xbfID;Title\r\n1;\"a;b\"\r\n", "id,title\n1,'=1+1\n", "id,id\n", "title\n\"", "file\n\xff", "", "id\n\n\n", "file;title,tags\na;b\n",
		"id,title\n1,\"two\nlines\"\n", "id,title\n1,''quoted\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := readTable(bytes.NewReader(data), sheetColumns, nil)
		if err != nil {
			var cell *CellError
			if !errors.As(err, &cell) || cell.Line < 1 || cell.Text == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		var again bytes.Buffer
		table := make([][]string, len(rows))
		for i, r := range rows {
			for _, c := range sheetColumns {
				table[i] = append(table[i], r.Cells[c])
				if !utf8.ValidString(r.Cells[c]) {
					t.Fatalf("%q is not UTF-8", r.Cells[c])
				}
			}
		}
		if err := writeTable(&again, sheetColumns, table); err != nil {
			t.Fatal(err)
		}
		back, err := readTable(&again, sheetColumns, nil)
		if err != nil || len(back) != len(rows) {
			t.Fatalf("%d rows became %d: %v", len(rows), len(back), err)
		}
		for i, r := range rows {
			for _, c := range sheetColumns {
				// The CSV format itself makes one of the two line ends.
				if strings.ReplaceAll(back[i].Cells[c], "\r\n", "\n") != strings.ReplaceAll(r.Cells[c], "\r\n", "\n") {
					t.Fatalf("%q became %q", r.Cells[c], back[i].Cells[c])
				}
			}
		}
	})
}

// FuzzTusHeaders feeds any text as the protocol's own headers.
func FuzzTusHeaders(f *testing.F) {
	f.Add("filename d29ybGQ=,filetype YXVkaW8vd2F2", "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=")
	f.Add("filename", "md5 ")
	f.Add(" , ,filename %", "sha256")
	f.Add("filename Li4vLi4vZXRjL3Bhc3N3ZA==", "")
	f.Fuzz(func(t *testing.T, meta, check string) {
		name, err := metadata(meta, "filename")
		if err == nil {
			if base := baseName(name); strings.ContainsAny(base, "/\\") || base == "" {
				t.Fatalf("base name %q", base)
			}
		}
		if c, err := parseChecksum(check); err == nil && c != nil {
			c.hash.Write([]byte("x"))
			c.right()
		}
	})
}
