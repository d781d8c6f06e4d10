package certificate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// TestFontsHoldWhatTheTablesSay reads the fonts with another reader than the PDF writer: each character that the tables let onto
// the page has a glyph, and those of the eastern font have the widths with which lines are measured.
func TestFontsHoldWhatTheTablesSay(t *testing.T) {
	t.Parallel()
	packed, err := fonts.ReadFile("font/DroidSansFallback.ttf.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	east, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	license, err := os.ReadFile("font/Apache-2.0.txt")
	if sum := sha256.Sum256(east); err != nil || !strings.Contains(string(license), hex.EncodeToString(sum[:])) {
		t.Errorf("the font is not the one whose origin font/Apache-2.0.txt tells, %v", err)
	}
	sans, err := fonts.ReadFile("font/NotoSans-Bold-subset.ttf")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"Droid Sans Fallback": east, "Noto Sans": sans} {
		f, err := sfnt.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		var buf sfnt.Buffer
		seen := 0
		for r := rune(0); r <= 0xffff; r++ {
			if isEast(r) != (name == "Droid Sans Fallback") || !unicode.In(r, printed, eastern) {
				continue
			}
			seen++
			glyph, err := f.GlyphIndex(&buf, r)
			if err != nil || glyph == 0 {
				t.Errorf("%s has no %U, %v", name, r, err)
				continue
			}
			if !isEast(r) {
				continue
			}
			want := fixed.I(1000)
			if r >= 0xff61 && r <= 0xff9f {
				want /= 2
			}
			if got, err := f.GlyphAdvance(&buf, glyph, fixed.I(1000), font.HintingNone); err != nil || got != want {
				t.Errorf("%U is %v wide, measured as %v; %v", r, got, want, err)
			}
		}
		if seen < 1000 {
			t.Errorf("%s: only %d characters", name, seen)
		}
	}
}
