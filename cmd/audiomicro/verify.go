package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"

	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/licensing/certificate"
)

// checked is what verify found, as --json prints it.
type checked struct {
	Valid   bool   `json:"valid"`
	Reason  string `json:"reason"` // why it is not valid; empty when it is
	Revoked string `json:"revoked"`
	// RevocationChecked tells whether this instance's list of licenses was asked: without it only the signature is known.
	RevocationChecked bool                    `json:"revocation_checked"`
	Certificate       certificate.Certificate `json:"certificate"`
}

const maxCertificate = 64 << 10

// verify checks a certificate file. With --key it needs nothing else: no data folder, no network.
func verify(ctx context.Context, args []string) error {
	p, err := parse(args, []string{"key"}, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 1 {
		return usage("usage: audiomicro verify FILE [--key FILE] [--json]")
	}
	doc, err := readUpTo(p.names[0], maxCertificate)
	if err != nil {
		return err
	}
	var found checked
	if p.own["key"] != "" {
		found, err = verifyWithKey(doc, p.own["key"])
	} else {
		found, err = verifyWithData(ctx, doc, p.config)
	}
	if err != nil {
		return err
	}
	c := found.Certificate
	lines := [][2]string{{"certificate", certificate.Group(c.Number)}, {"licensee", c.Licensee.Name}, {"company", c.Licensee.Company}, {"project", c.Project},
		{"recording", fmt.Sprintf("%d, %s, by %s", c.Recording.ID, c.Recording.Title, c.Recording.Contributor)}, {"file", c.Recording.FileName}, {"file SHA-256", c.Recording.SHA256},
		{"license", fmt.Sprintf("%s, version %d", c.License.Name, c.License.Version)}, {"issued", c.Issued.UTC().Format("2006-01-02 15:04 UTC")}, {"issuer", c.Issuer.Name + ", " + c.Issuer.URL}}
	switch {
	case found.Valid && found.RevocationChecked:
		lines = append(lines, [2]string{"", "Valid: signed by this site and not revoked."})
	case found.Valid:
		lines = append(lines, [2]string{"", "The signature is right. Whether the license was revoked was not checked: see " + c.Issuer.URL + "/verify/" + c.Number})
	}
	if found.Valid || p.own["json"] != "" {
		if err := show(os.Stdout, p, found, lines); err != nil {
			return err
		}
	}
	if !found.Valid {
		return errors.New(found.Reason)
	}
	return nil
}

// readUpTo reads a file of at most most bytes.
func readUpTo(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s is larger than a certificate can be: verify the signed .json file, not the PDF or the sound", path)
	}
	if bytes.HasPrefix(b, []byte("%PDF-")) {
		return nil, fmt.Errorf("%s is the certificate's PDF: verify the signed .json file that lies beside it", path)
	}
	return b, nil
}

func verifyWithKey(doc []byte, keyFile string) (checked, error) {
	text, err := readUpTo(keyFile, maxCertificate)
	if err != nil {
		return checked{}, err
	}
	keys, err := certificate.ParseKeys(text)
	if err != nil {
		return checked{}, fmt.Errorf("%s: %w", keyFile, err)
	}
	return signature(doc, keys), nil
}

func signature(doc []byte, keys []ed25519.PublicKey) checked {
	c, err := certificate.Verify(doc, keys...)
	if err != nil {
		return checked{Reason: err.Error(), Certificate: c}
	}
	return checked{Valid: true, Certificate: c}
}

// verifyWithData checks against the keys and the licenses of an instance. It changes nothing and makes no folder.
func verifyWithData(ctx context.Context, doc []byte, c config.Config) (_ checked, err error) {
	if c.Database == "" {
		if _, err := os.Stat(c.SQLiteFile()); err != nil {
			return checked{}, fmt.Errorf("there is no database at %s: name the data folder with --data, or the site's public key with --key FILE (it is at /licenses/key)", c.SQLiteFile())
		}
	}
	d, err := db.Open(ctx, db.Options{URL: c.Database, File: c.SQLiteFile()})
	if err != nil {
		return checked{}, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	store := &licensing.Store{DB: d}
	keys, err := store.PublicKeys(ctx)
	if err != nil {
		return checked{}, err
	}
	found := signature(doc, keys)
	if _, _, _, err := certificate.Parse(doc); err == nil && !found.Valid {
		found.Reason += "; a certificate of another site is checked with --key FILE, the public key at that site's /licenses/key"
	}
	if !found.Valid {
		return found, nil
	}
	l, err := store.ByNumber(ctx, found.Certificate.Number)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return found, nil // signed by this site's key, but the license is not in this database: an older backup, perhaps
	case err != nil:
		return checked{}, err
	}
	found.RevocationChecked = true
	if !l.Valid() {
		found.Valid, found.Revoked = false, l.RevokedWhy
		found.Reason = "the license was revoked: " + l.RevokedWhy
	}
	return found, nil
}
