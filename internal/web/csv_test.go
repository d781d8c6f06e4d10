package web_test

import (
	"strings"
	"testing"

	"audiomicro/internal/web"
)

// FuzzCell looks for a text that a spreadsheet would take for a formula.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"=1+1", " +1", "\t=x", "@SUM(A1)", "-2", "\u00a0=1", "Rain, \"tin\"", "\ufeff=1", "\uff1dx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := web.Cell(in)
		if strings.ContainsAny(out, "\r\n\t\x00") {
			t.Fatalf("%q became %q", in, out)
		}
		if first := strings.TrimSpace(out); first != "" && strings.ContainsRune("=+-@", []rune(first)[0]) {
			t.Fatalf("%q became the formula %q", in, out)
		}
	})
}
