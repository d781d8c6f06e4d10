package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/money"
	"audiomicro/internal/testkit"
)

// asCommand makes the test binary behave as audiomicro itself.
const asCommand = "AUDIOMICRO_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	testkit.Main(m)
}

// audiomicro runs the program as a process of its own and returns what it printed and its exit code.
func audiomicro(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Dir = t.TempDir()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

func TestVerifyCommand(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	data := t.TempDir()
	d := testkit.Database(t, db.SQLite)
	store := &licensing.Store{DB: d, Now: time.Now, Currency: "USD", SiteName: "Test Sounds", SiteURL: "https://sounds.example",
		Recording: func(context.Context, db.Querier, int64) (licensing.Recording, error) {
			return licensing.Recording{ID: 17, OwnerID: 1, Title: "Rain", Contributor: "ana", FileName: "rain.wav", SHA256: strings.Repeat("ab", 32), Bytes: 10, Seconds: 1, Published: true}, nil
		}}
	if err := store.Seed(ctx); err != nil {
		t.Fatal(err)
	}
	var lic licensing.License
	err := d.Tx(ctx, func(tx *db.Tx) (err error) {
		lic, err = store.Issue(ctx, tx, licensing.Grant{AccountID: 7, RecordingID: 17, Code: "standard", Version: 1, OrderLine: 5, OrderNumber: "2026-00001", Price: money.Of(300, "USD"), Licensee: "Mara Lind", Project: "The Ferry"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := lic.Document()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := store.PublicKeys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pemText, err := certificate.EncodeKey(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		path := filepath.Join(data, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file, key := write("certificate.json", doc), write("key.pem", append([]byte("Key of the site\n"), pemText...))
	altered := write("altered.json", bytes.Replace(doc, []byte("The Ferry"), []byte("The Fairy"), 1))
	pdf := write("certificate.pdf", []byte("%PDF-1.4"))
	big := write("big.json", make([]byte, 100_000))
	if _, err := d.Writer().Exec(fmt.Sprintf("VACUUM INTO '%s'", filepath.Join(data, "audiomicro.db"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"offline", []string{"verify", file, "--key", key}, 0, "not checked", ""},
		{"with the data folder", []string{"verify", file, "--data", data}, 0, "not revoked", ""},
		{"flag first", []string{"verify", "--data", data, file}, 0, "Mara Lind", ""},
		{"altered", []string{"verify", altered, "--key", key}, 1, "", "altered"},
		{"a PDF", []string{"verify", pdf, "--key", key}, 1, "", "verify the signed .json file"},
		{"too large", []string{"verify", big, "--key", key}, 1, "", "larger than a certificate"},
		{"the key is no key", []string{"verify", file, "--key", file}, 1, "", "PEM"},
		{"no such file", []string{"verify", file + "x", "--key", key}, 1, "", "no such file"},
		{"no database", []string{"verify", file, "--data", filepath.Join(data, "nothing")}, 1, "", "--key FILE"},
		{"no file named", []string{"verify"}, 2, "", "usage"},
		{"order pay without an id", []string{"order", "pay"}, 2, "", "usage"},
		{"order pay of none", []string{"order", "pay", "99", "--data", data}, 1, "", "there is no order 99"},
	} {
		stdout, stderr, code := audiomicro(t, c.args...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) || (code != 0) != (stderr != "") {
			t.Errorf("%s: exit %d, want %d\n%s\n%s", c.name, code, c.code, stdout, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "nothing")); !os.IsNotExist(err) {
		t.Errorf("verify made a folder: %v", err)
	}

	if err := d.Tx(ctx, func(tx *db.Tx) error { return store.RevokeLine(ctx, tx, 5, "Refunded.") }); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, "audiomicro.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Writer().Exec(fmt.Sprintf("VACUUM INTO '%s'", filepath.Join(data, "audiomicro.db"))); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := audiomicro(t, "verify", file, "--data", data, "--json")
	var found checked
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || code != 1 || found.Valid || !found.RevocationChecked || found.Revoked != "Refunded." || !strings.Contains(stderr, "revoked") || found.Certificate.Project != "The Ferry" {
		t.Errorf("revoked: exit %d, %+v, %v, %s", code, found, err, stderr)
	}
}
