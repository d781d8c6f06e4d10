package certificate_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/money"
)

// keyFrom makes a signing key that is the same in every run.
func keyFrom(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func sample() certificate.Certificate {
	return certificate.Certificate{
		Number:   "7F3K20QX9B8M4N6P1R5S7T2V0W",
		Issued:   time.Date(2026, 11, 23, 15, 4, 5, 999, time.UTC),
		Issuer:   certificate.Issuer{Name: "AudioMicro", URL: "https://sounds.example"},
		Licensee: certificate.Licensee{Name: "Zoë \"Z\" Ångström", Company: "Café <Film> & Co"},
		Project:  "The Ferry, short film",
		Recording: certificate.Recording{ID: 48113, Title: "Tabla loop, kaherwa, sixteen beats", Contributor: "ana", FileName: "tabla.flac",
			SHA256: strings.Repeat("9c41", 16), Fingerprint: strings.Repeat("0d5f", 16), Bytes: 1_234_567, DurationMS: 10_700},
		License: certificate.License{Code: "standard", Name: "Standard", Version: 7, TextSHA256: strings.Repeat("51aa", 16), Terms: certificate.Terms{
			Projects: 1, Seats: 1, Copies: 10_000, AdReach: 100_000, Commercial: true, ClientWork: true,
			Performance: certificate.Forbidden, AITraining: certificate.Forbidden, Territory: "worldwide"}},
		Order: certificate.Order{Number: "2026-00418", Amount: money.Of(900, "USD")},
	}
}

func document(t testing.TB, c certificate.Certificate, key ed25519.PrivateKey) []byte {
	t.Helper()
	payload, signature, err := certificate.Sign(c, key)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := certificate.Document(payload, signature)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestVerify(t *testing.T) {
	t.Parallel()
	key, other := keyFrom(1), keyFrom(2)
	doc := document(t, sample(), key)
	change := func(from, to string) []byte {
		t.Helper()
		if !bytes.Contains(doc, []byte(from)) {
			t.Fatalf("the document does not hold %q:\n%s", from, doc)
		}
		return bytes.Replace(doc, []byte(from), []byte(to), 1)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, doc); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		doc  []byte
		keys []ed25519.PublicKey
		want error
	}{
		"as signed":                  {doc, []ed25519.PublicKey{public(key)}, nil},
		"among several keys":         {doc, []ed25519.PublicKey{public(other), public(key)}, nil},
		"without spaces":             {compact.Bytes(), []ed25519.PublicKey{public(key)}, nil},
		"with Windows line ends":     {bytes.ReplaceAll(doc, []byte("\n"), []byte("\r\n")), []ed25519.PublicKey{public(key)}, nil},
		"another licensee":           {change("The Ferry", "The Fairy"), []ed25519.PublicKey{public(key)}, certificate.ErrAltered},
		"more copies":                {change("10000", "10001"), []ed25519.PublicKey{public(key)}, certificate.ErrAltered},
		"a member more":              {change(`"project":`, `"extra": 1, "project":`), []ed25519.PublicKey{public(key)}, certificate.ErrAltered},
		"a member twice":             {change(`"project":`, `"project": "x", "project":`), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"another key":                {doc, []ed25519.PublicKey{public(other)}, certificate.ErrUnknownKey},
		"no key":                     {doc, nil, certificate.ErrUnknownKey},
		"the key's name changed":     {change(certificate.KeyID(public(key)), certificate.KeyID(public(other))), []ed25519.PublicKey{public(key), public(other)}, certificate.ErrAltered},
		"cut off":                    {doc[:len(doc)/2], []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"text behind":                {append(bytes.Clone(doc), "{}"...), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"a member beside":            {change(`"signature":`, `"note": "x", "signature":`), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"a name in capitals":         {change(`"certificate":`, `"Certificate":`), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"a name twice, in capitals":  {change(`"signature":`, `"Certificate": {}, "signature":`), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"another format":             {change(certificate.Format, "audiomicro-certificate-2"), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"empty":                      {nil, []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"not JSON":                   {[]byte("%PDF-1.4"), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"not UTF-8":                  {change("tabla.flac", "tabla\xff.flac"), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"a fraction":                 {change("48113", "48113.5"), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"a huge number":              {change("48113", "9007199254740993"), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"null":                       {change("48113", "null"), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"nested a thousand deep":     {[]byte(strings.Repeat("[", 1000)), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"a megabyte":                 {change("tabla.flac", strings.Repeat("a", 1<<20)), []ed25519.PublicKey{public(key)}, certificate.ErrMalformed},
		"signature of other content": {change(`"signature": "`, `"signature": "AAAA`), []ed25519.PublicKey{public(key)}, certificate.ErrAltered},
	} {
		got, err := certificate.Verify(c.doc, c.keys...)
		if !errors.Is(err, c.want) || (c.want == nil && err != nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want == nil && (got.Number != sample().Number || got.Licensee != sample().Licensee || got.License.Terms != sample().License.Terms || !got.Issued.Equal(sample().Issued.Truncate(time.Second))) {
			t.Errorf("%s: the certificate read back differs: %+v", name, got)
		}
	}
}

// TestCanonicalForm pins the signed bytes, so that documents of today verify in every later version.
func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	payload, signature, err := certificate.Sign(sample(), keyFrom(1))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "canonical.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(payload, bytes.TrimSuffix(want, []byte("\n"))) {
		t.Errorf("canonical bytes changed:\n%s\nwant\n%s", payload, want)
	}
	const pinned = "OYSKtrq4ZSi3jzz+YOxlDb8b/Qbvnv8WaQcckQRi2Ng3X31K4L6AkVFMUk0P6HpjBk/k+fpwDIGVS/3fL1PhAw=="
	if got := base64.StdEncoding.EncodeToString(signature); got != pinned {
		t.Errorf("signature %s, want %s", got, pinned)
	}
}

// TestOpenSSLAgrees checks a signature with a program that shares no code with this one.
func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is missing")
		}
		t.Skip("SKIPPED: openssl is missing, so nobody else checked the signature")
	}
	payload, signature, err := certificate.Sign(sample(), keyFrom(1))
	if err != nil {
		t.Fatal(err)
	}
	pemText, err := certificate.EncodeKey(public(keyFrom(1)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"payload": payload, "signature": signature, "key.pem": pemText} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "payload", "-sigfile", "signature")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl refuses the signature: %v\n%s", err, out)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	rnd := rand.NewChaCha8([32]byte{1})
	for range 200 {
		n, err := certificate.NewNumber(rnd)
		if err != nil || len(n) != 26 || seen[n] {
			t.Fatalf("number %q, %v, seen before: %v", n, err, seen[n])
		}
		seen[n] = true
		grouped := certificate.Group(n)
		for _, typed := range []string{n, grouped, strings.ToLower(grouped), strings.ReplaceAll(grouped, "-", " "), strings.NewReplacer("0", "o", "1", "l").Replace(n)} {
			if got, err := certificate.ParseNumber(typed); err != nil || got != n {
				t.Fatalf("%q reads as %q, %v; want %q", typed, got, err, n)
			}
		}
	}
	for _, bad := range []string{"", "ABC", strings.Repeat("0", 25), strings.Repeat("0", 27), strings.Repeat("Z", 26), strings.Repeat("0", 25) + "U", strings.Repeat("0", 300), "\x00"} {
		if got, err := certificate.ParseNumber(bad); !errors.Is(err, certificate.ErrMalformed) {
			t.Errorf("%.30q reads as %q, %v", bad, got, err)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	a, _ := certificate.EncodeKey(public(keyFrom(1)))
	b, _ := certificate.EncodeKey(public(keyFrom(2)))
	keys, err := certificate.ParseKeys(append(a, b...))
	if err != nil || len(keys) != 2 || !keys[0].Equal(public(keyFrom(1))) || !keys[1].Equal(public(keyFrom(2))) {
		t.Errorf("two keys read as %v, %v", keys, err)
	}
	for name, text := range map[string]string{"nothing": "", "no PEM": "hello", "not a key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if keys, err := certificate.ParseKeys([]byte(text)); err == nil {
			t.Errorf("%s: read as %v", name, keys)
		}
	}
}

func TestTermsInWords(t *testing.T) {
	t.Parallel()
	got := sample().License.Terms
	for name, c := range map[string]struct{ got, want []string }{
		"covered": {got.Covered(), []string{"Web, social, commercial and client work", "In 1 project", "Paid ads, up to 100,000 people", "Up to 10,000 copies", "Edits, loops, mixes"}},
		"not":     {got.NotCovered(), []string{"Passing on or reselling the sound alone", "Broadcast, cinema", "Performance royalties: report them to your society", "Training of AI models", "Registering it with a claim system"}},
		"free": {certificate.Terms{Projects: -1, Seats: -1, Copies: -1, AdReach: -1, Audience: -1, Commercial: true, Broadcast: true, Theatrical: true, ClientWork: true, Standalone: true, Attribution: true}.Covered(),
			[]string{"Web, social, commercial and client work", "Any number of projects", "Paid ads without limit", "Copies without limit", "Broadcast to any audience", "Cinema and film festivals", "Edits, loops, mixes", "Passing the sound on"}},
	} {
		if strings.Join(c.got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s:\n got %q\nwant %q", name, c.got, c.want)
		}
	}
	for months, want := range map[int64]string{0: "Perpetual", 5: "5 months", 12: "1 year", 36: "3 years", 1: "1 month"} {
		if got := (certificate.Terms{TermMonths: months}).Duration(); got != want {
			t.Errorf("%d months reads %q, want %q", months, got, want)
		}
	}
	if err := (certificate.Terms{Copies: -2}).Validate(); err == nil {
		t.Error("-2 copies were accepted")
	}
	if err := (certificate.Terms{AITraining: "maybe"}).Validate(); err == nil {
		t.Error("a third answer about AI training was accepted")
	}
}

func bars(n int) []certificate.Bar {
	out := make([]certificate.Bar, n)
	for i := range out {
		v := math.Abs(math.Sin(float64(i) / 9))
		out[i] = certificate.Bar{Up: v, Down: v * .8, Tone: i / 7 % 8}
	}
	return out
}

func TestPDF(t *testing.T) {
	t.Parallel()
	payload, signature, err := certificate.Sign(sample(), keyFrom(1))
	if err != nil || len(payload) == 0 {
		t.Fatal(err)
	}
	hostile := sample()
	hostile.Licensee.Name = "😀\x00\u202e田中" + strings.Repeat("W", 2000)
	hostile.Licensee.Company = strings.Repeat("word ", 500)
	hostile.Recording.Title = strings.Repeat("<script>alert(1)</script> ", 100)
	hostile.Recording.FileName = strings.Repeat("x", 4000)
	for name, c := range map[string]struct {
		sheet   certificate.Sheet
		holds   []string
		without []string
	}{
		"plain": {certificate.Sheet{Certificate: sample(), Signature: signature, Bars: bars(420), VerifyURL: "https://sounds.example/verify/7F3K2"},
			[]string{"7F3K2-0QX9B-8M4N6-P1R5S-7T2V0W", "Tabla loop", "Zoë", "Café <Film>", "The Ferry", "Standard, version 7", "Perpetual, worldwide", "9c41 9c41", "51aa 51aa", "$9"}, []string{"Revoked", "cannot be printed"}},
		"revoked":      {certificate.Sheet{Certificate: sample(), Signature: signature, Bars: bars(12), VerifyURL: "https://sounds.example/verify/7F3K2", Revoked: "Refunded on 24 November 2026."}, []string{"Revoked", "Refunded on 24 November 2026."}, nil},
		"without bars": {certificate.Sheet{Certificate: sample(), Signature: signature, VerifyURL: "https://sounds.example/verify/7F3K2"}, []string{"Tabla loop"}, nil},
		"hostile":      {certificate.Sheet{Certificate: hostile, Signature: signature, Bars: bars(1), VerifyURL: "https://sounds.example/verify/7F3K2"}, []string{"<script>", "cannot be printed"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf, err := certificate.PDF(c.sheet)
			if err != nil {
				t.Fatal(err)
			}
			again, err := certificate.PDF(c.sheet)
			if err != nil || !bytes.Equal(pdf, again) {
				t.Errorf("printing twice gives different bytes, %v", err)
			}
			if len(pdf) > 200_000 {
				t.Errorf("%d bytes", len(pdf))
			}
			text := pdfText(t, pdf)
			for _, want := range c.holds {
				if !strings.Contains(text, want) {
					t.Errorf("the page does not show %q:\n%s", want, text)
				}
			}
			for _, not := range c.without {
				if strings.Contains(text, not) {
					t.Errorf("the page shows %q", not)
				}
			}
			if n := strings.Count(text, "\f"); n != 1 {
				t.Errorf("%d pages, want 1", n)
			}
		})
	}
}

// pdfText reads a PDF with poppler, which shares no code with the writer.
func pdfText(t *testing.T, pdf []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("pdftotext (poppler-utils) is missing")
		}
		t.Skip("SKIPPED: pdftotext (poppler-utils) is missing, so the page's text was not read back")
	}
	cmd := exec.Command(tool, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestPDFNamesEverybody prints names in the scripts of East Asia and reads them back.
func TestPDFNamesEverybody(t *testing.T) {
	t.Parallel()
	name := func(licensee, company, project, title string) certificate.Certificate {
		c := sample()
		c.Licensee.Name, c.Licensee.Company, c.Project, c.Recording.Title = licensee, company, project, title
		return c
	}
	for about, c := range map[string]struct {
		certificate certificate.Certificate
		holds       []string
		noted       bool
	}{
		"Japanese": {name("山﨑 さくら", "株式会社ひびき", "雨の日のカフェ", "ヴァイオリンとピアノ「夜想曲」"), []string{"山﨑 さくら", "株式会社ひびき", "雨の日のカフェ", "ヴァイオリンとピアノ「夜想曲」"}, false},
		"Chinese":  {name("王小明", "北京聲音製作有限公司", "春节广告", "雨声，城市街道"), []string{"王小明", "北京聲音製作有限公司", "春节广告", "雨声，城市街道"}, false},
		"Korean":   {name("김민수", "주식회사 소리", "뚫훍 다큐멘터리", "서울의 빗소리"), []string{"김민수", "주식회사 소리", "뚫훍 다큐멘터리", "서울의 빗소리"}, false},
		"in parts": {name("\u1100\u1161\u11a8", "Cafe\u0301", "か\u3099く", "x"), []string{"각", "Café", "がく"}, false},
		"mixed":    {name("Zoë 田中 Ångström", "ﾊﾛｰ Ωmega 소리", "Проект 東京 2026", "Tabla 太鼓 loop, 120 BPM（生録）"), []string{"Zoë 田中 Ångström", "ﾊﾛｰ Ωmega", "소리", "Проект 東京 2026", "Tabla 太鼓 loop, 120 BPM（生録）"}, false},
		"long":     {name(strings.Repeat("長", 200), strings.Repeat("社", 200), strings.Repeat("가나다 ", 50), strings.Repeat("雨、", 100)), []string{strings.Repeat("長", 15), "長…", "가나다 가나다", "雨、雨、雨、", "、…"}, false},
		"no font":  {name("田中 محمد", "", "😀 ไทย", "雨"), []string{"田中 \ufffd\ufffd\ufffd\ufffd"}, true},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			payload, signature, err := certificate.Sign(c.certificate, keyFrom(1))
			if err != nil || len(payload) == 0 {
				t.Fatal(err)
			}
			sheet := certificate.Sheet{Certificate: c.certificate, Signature: signature, Bars: bars(420), VerifyURL: "https://sounds.example/verify/7F3K2"}
			pdf, err := certificate.PDF(sheet)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := certificate.PDF(sheet); err != nil || !bytes.Equal(pdf, again) {
				t.Errorf("printing twice gives different bytes, %v", err)
			}
			if len(pdf) > 200_000 {
				t.Errorf("%d bytes", len(pdf))
			}
			text := pdfText(t, pdf)
			for _, want := range c.holds {
				if !strings.Contains(text, want) {
					t.Errorf("the page does not show %q:\n%s", want, text)
				}
			}
			if noted := strings.Contains(text, "cannot be printed"); noted != c.noted {
				t.Errorf("the page says that something is missing: %v, want %v", noted, c.noted)
			}
			if n := strings.Count(text, "\f"); n != 1 {
				t.Errorf("%d pages, want 1", n)
			}
			columns(t, pdf)
		})
	}
}

// columns checks that nothing runs out of its column: the licensee ends where the project begins, and all of it before the margin.
func columns(t *testing.T, pdf []byte) {
	t.Helper()
	cmd := exec.Command("pdftotext", "-bbox", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	const millimeter = 72 / 25.4
	for _, m := range regexp.MustCompile(`xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">(.*)</word>`).FindAllStringSubmatch(string(out), -1) {
		var at [3]float64
		for i := range at {
			if at[i], err = strconv.ParseFloat(m[i+1], 64); err != nil {
				t.Fatal(err)
			}
			at[i] /= millimeter
		}
		if at[2] > 190.5 || at[1] > 90 && at[1] < 103 && at[0] < 70 && at[2] > 71 || at[1] > 45 && at[1] < 65 && at[0] < 120 && at[2] > 126 {
			t.Errorf("%q runs from %.1f to %.1f mm at %.1f mm", m[4], at[0], at[2], at[1])
		}
	}
}

func TestSealAndQR(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 12, 264, 420, 1000} {
		strokes := certificate.Seal(bars(n))
		if len(strokes) != 264 {
			t.Errorf("seal of %d bars has %d strokes", n, len(strokes))
		}
		for _, s := range strokes {
			if r := math.Hypot(s.X2, s.Y2); r > 1 || math.Hypot(s.X1, s.Y1) < .25 || s.Tone < 0 || s.Tone > 7 {
				t.Fatalf("stroke %+v leaves the rings", s)
			}
		}
	}
	if certificate.Seal(nil) != nil {
		t.Error("a seal without sound has strokes")
	}
	if s := certificate.Seal([]certificate.Bar{{Up: math.NaN(), Down: math.Inf(1), Tone: -1}}); math.IsNaN(s[0].X2) || math.Hypot(s[0].X1, s[0].Y1) < .25 {
		t.Errorf("a broken bar draws %+v", s[0])
	}
	rows, err := certificate.QR("https://sounds.example/verify/7F3K20QX9B8M4N6P1R5S7T2V0W")
	if err != nil || len(rows) < 21 || len(rows[0]) != len(rows) {
		t.Fatalf("QR code of %d rows, %v", len(rows), err)
	}
	for i := range 7 { // the finder pattern's upper edge
		if !rows[0][i] || !rows[i][0] {
			t.Errorf("module %d of the finder pattern is light", i)
		}
	}
	if _, err := certificate.QR(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text too long for a QR code was drawn")
	}
}

// FuzzVerify looks for a document that verifies although it is not the signed one, and for inputs that break the parser.
func FuzzVerify(f *testing.F) {
	key := keyFrom(1)
	doc := document(f, sample(), key)
	payload, _, err := certificate.Sign(sample(), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add(bytes.ReplaceAll(doc, []byte(" "), nil))
	f.Add([]byte(`{"certificate":{"format":"audiomicro-certificate-1"},"signature":""}`))
	f.Add([]byte(`{"certificate":{},"certificate":{},"signature":"AA=="}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := certificate.Verify(in, public(key))
		if err != nil {
			return
		}
		if _, got, _, err := certificate.Parse(in); err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("accepted a certificate that was never signed: %+v, %v", c, err)
		}
	})
}

// FuzzParseNumber looks for a text that reads as a number but not as its own stored form.
func FuzzParseNumber(f *testing.F) {
	f.Add("7F3K2-0QX9B-8M4N6-P1R5S-7T2V0W")
	f.Add("oil")
	f.Fuzz(func(t *testing.T, in string) {
		n, err := certificate.ParseNumber(in)
		if err != nil {
			return
		}
		if again, err := certificate.ParseNumber(certificate.Group(n)); err != nil || again != n {
			t.Fatalf("%q reads as %q, which reads as %q, %v", in, n, again, err)
		}
	})
}

// FuzzParseKeys looks for key files that break the reader.
func FuzzParseKeys(f *testing.F) {
	k, _ := certificate.EncodeKey(public(keyFrom(1)))
	f.Add(k)
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if keys, err := certificate.ParseKeys(in); err == nil && len(keys) == 0 {
			t.Fatal("no error and no key")
		}
	})
}
