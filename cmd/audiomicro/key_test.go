package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// TestKeyRotate changes the key that signs certificates while the site serves: what was signed before and after verifies by the page
// and offline with the key file, and an older key file does not know the new key.
func TestKeyRotate(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ana, ben := t.Context(), s.Person("Ana", "contributor"), s.Person("Ben", "member")
		at := []string{"--data", s.Config.Data, "--url", s.URL}
		if s.Config.Database != "" {
			at = append(at, "--database", s.Config.Database)
		}
		table := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(table, []byte("file,title,tags,category,license\ntone0.wav,Zero,\"a,b,c\",fx-el,cc0\ntone1.wav,One,\"a,b,c\",fx-el,cc0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		says(t, 0, nil, append([]string{"import", soundFolder(t, 2), "--as", "Ana", "--csv", table, "--publish"}, at...)...)
		list, err := s.Recordings.List(ctx, recordings.Filter{OwnerID: ana.ID, State: recordings.Published})
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		take := func(rec recordings.Recording) (number, file string) {
			t.Helper()
			if res := ben.Post(fmt.Sprintf("/recordings/%d/free", rec.ID), nil); res.Status != 303 {
				t.Fatalf("take: %d %s", res.Status, res.Text)
			}
			lic, err := s.Licensing.LicenseFor(ctx, s.DB, ben.ID, rec.ID)
			if err != nil {
				t.Fatal(err)
			}
			file = filepath.Join(t.TempDir(), "certificate.json")
			if err := os.WriteFile(file, []byte(ben.Get("/verify/"+lic.Number+".json").Text), 0o600); err != nil {
				t.Fatal(err)
			}
			return lic.Number, file
		}
		keyFile := func() string {
			t.Helper()
			file := filepath.Join(t.TempDir(), "key.pem")
			if err := os.WriteFile(file, []byte(s.Visitor().Get("/licenses/key").Text), 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}
		number1, first := take(list[0])
		oldKeys := keyFile()
		var before, after []keyLine
		var made keyLine
		says(t, 0, &before, append([]string{"key", "list", "--json"}, at...)...)
		says(t, 0, &made, append([]string{"key", "rotate", "--json"}, at...)...)
		says(t, 0, &after, append([]string{"key", "list", "--json"}, at...)...)
		if len(before) != 1 || len(after) != 2 || after[0] != made || !made.Current || after[1].ID != before[0].ID || after[1].Current {
			t.Fatalf("keys %+v, then %+v, then %+v", before, made, after)
		}
		number2, second := take(list[1])
		for number, key := range map[string]string{number1: before[0].ID, number2: made.ID} {
			if page := s.Visitor().Get("/verify/" + number).Text; !strings.Contains(page, "Valid and signed") || !strings.Contains(page, key) {
				t.Errorf("the page of %s does not say that it is valid and signed by %s", certificate.Group(number), key)
			}
		}
		keys := keyFile()
		text, err := os.ReadFile(keys)
		if err != nil || !strings.Contains(string(text), "Key "+made.ID) || !strings.Contains(string(text), "Key "+before[0].ID) {
			t.Errorf("the key file does not name both keys: %s", text)
		}
		for _, file := range []string{first, second} {
			says(t, 0, nil, "verify", file, "--key", keys)
			says(t, 0, nil, append([]string{"verify", file}, at...)...)
		}
		says(t, 0, nil, "verify", first, "--key", oldKeys)
		says(t, 1, nil, "verify", second, "--key", oldKeys)

		// Nothing is left to sign with the old key, and doctor finds nothing.
		if n, err := db.Get[int64](ctx, s.DB, `SELECT length(seed) FROM signing_key WHERE id = $1`, before[0].ID); err != nil || n != 0 {
			t.Errorf("%d bytes of the old key's secret are left, %v", n, err)
		}
		if wrong, err := s.Licensing.Check(ctx); err != nil || len(wrong) > 0 {
			t.Errorf("licenses: %v, %v", wrong, err)
		}
		if doc, err := s.Licensing.Verify(ctx, number2); err != nil || doc.License.KeyID != made.ID {
			t.Errorf("the second certificate is signed by %s, %v", doc.License.KeyID, err)
		}
	})
}
