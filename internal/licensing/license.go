package licensing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
)

// License is an issued license. Times are unix microseconds.
type License struct {
	ID           int64  `db:"id"`
	Number       string `db:"number"` // of the certificate, ungrouped
	RecordingID  int64  `db:"recording_id"`
	ModelCode    string `db:"model_code"`
	ModelVersion int64  `db:"model_version"`
	AccountID    int64  `db:"account_id"`
	OrderLine    *int64 `db:"order_line"` // nil for free licenses
	Licensee     string `db:"licensee"`
	Company      string `db:"company"`
	Project      string `db:"project"`
	Payload      string `db:"certificate"` // the signed bytes
	Signature    []byte `db:"signature"`
	KeyID        string `db:"key_id"`
	IssuedAt     int64  `db:"issued_at"`
	RevokedAt    *int64 `db:"revoked_at"`
	RevokedWhy   string `db:"revoked_why"`
}

const licenseColumns = `id, number, recording_id, model_code, model_version, account_id, order_line, licensee, company, project, certificate, signature,
	key_id, issued_at, revoked_at, revoked_why`

// Valid tells whether the license was not revoked.
func (l License) Valid() bool { return l.RevokedAt == nil }

// Document is the certificate file of the license.
func (l License) Document() ([]byte, error) {
	return certificate.Document([]byte(l.Payload), l.Signature)
}

// Certificate reads the license's own certificate.
func (l License) Certificate() (certificate.Certificate, error) {
	doc, err := l.Document()
	if err != nil {
		return certificate.Certificate{}, err
	}
	c, _, _, err := certificate.Parse(doc)
	return c, err
}

// Grant is what a license is issued for.
type Grant struct {
	AccountID   int64
	RecordingID int64
	Code        string // model
	Version     int64  // of the model as it was agreed
	OrderLine   int64  // 0 for free licenses
	OrderNumber string // as the buyer reads it; empty for free licenses
	Price       money.Amount
	Licensee    string
	Company     string
	Project     string
}

// maxField is the longest name, company or project a certificate takes, in characters.
const maxField = 200

// CleanField makes one line of text fit for a certificate: trimmed, single spaces, no control or direction characters, at most
// 200 characters. ok is false when it was longer or not text.
func CleanField(text string) (clean string, ok bool) {
	if !utf8.ValidString(text) || len(text) > 16*maxField {
		return "", false
	}
	clean = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d' && r != '\u200c':
			return -1
		}
		return r
	}, text)
	clean = strings.Join(strings.Fields(clean), " ")
	return clean, utf8.RuneCountInString(clean) <= maxField
}

// Issue makes and signs a license in the caller's transaction. It reads the recording as it is now and the model in the
// version agreed. A second license for one order line is refused by the database.
func (s *Store) Issue(ctx context.Context, tx *db.Tx, g Grant) (License, error) {
	rec, err := s.recording(ctx, tx, g.RecordingID)
	if err != nil {
		return License{}, fmt.Errorf("issue license for recording %d: %w", g.RecordingID, err)
	}
	model, err := s.Model(ctx, tx, g.Code, g.Version)
	if err != nil {
		return License{}, err
	}
	key, err := signingKey(ctx, tx)
	if err != nil {
		return License{}, err
	}
	number, err := certificate.NewNumber(s.random())
	if err != nil {
		return License{}, err
	}
	issued := s.Now().UTC()
	by := rec.By
	if by == "" {
		by = rec.Contributor
	}
	cert := certificate.Certificate{
		Number:   number,
		Issued:   issued.Truncate(time.Second),
		Issuer:   certificate.Issuer{Name: s.SiteName, URL: s.SiteURL},
		Licensee: certificate.Licensee{Name: g.Licensee, Company: g.Company},
		Project:  g.Project,
		Recording: certificate.Recording{ID: rec.ID, Title: rec.Title, Contributor: by, FileName: rec.FileName, SHA256: rec.SHA256,
			Fingerprint: fingerprintHash(rec.Fingerprint), Bytes: rec.Bytes, DurationMS: int64(math.Round(rec.Seconds * 1000))},
		License: certificate.License{Code: model.Code, Name: model.Name, Version: model.Version, TextSHA256: model.TextSHA256, Terms: model.Terms},
		Order:   certificate.Order{Number: g.OrderNumber, Amount: g.Price},
	}
	payload, signature, err := certificate.Sign(cert, key)
	if err != nil {
		return License{}, err
	}
	id, err := tx.NewID(ctx, "license")
	if err != nil {
		return License{}, err
	}
	l := License{ID: id, Number: number, RecordingID: rec.ID, ModelCode: model.Code, ModelVersion: model.Version, AccountID: g.AccountID,
		Licensee: g.Licensee, Company: g.Company, Project: g.Project, Payload: string(payload), Signature: signature,
		KeyID: certificate.KeyID(key.Public().(ed25519.PublicKey)), IssuedAt: issued.UnixMicro()}
	if g.OrderLine != 0 {
		l.OrderLine = &g.OrderLine
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO license (`+licenseColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,NULL,'')`,
		l.ID, l.Number, l.RecordingID, l.ModelCode, l.ModelVersion, l.AccountID, l.OrderLine, l.Licensee, l.Company, l.Project, l.Payload, l.Signature, l.KeyID, l.IssuedAt)
	if err != nil {
		return License{}, fmt.Errorf("keep license %d: %w", l.ID, err)
	}
	return l, nil
}

// TakeFree gives an account the free license of a published recording: the one it has, or a new one in the licensee's name.
// A recording without a free offer is refused with 403.
func (s *Store) TakeFree(ctx context.Context, accountID, recordingID int64, licensee string) (License, error) {
	licensee, _ = CleanField(licensee)
	var out License
	take := func(tx *db.Tx) error {
		rec, err := s.recording(ctx, tx, recordingID)
		if err != nil {
			return fmt.Errorf("take recording %d: %w", recordingID, err)
		}
		if !rec.Published {
			return web.Refuse(http.StatusConflict, "This recording is not published.")
		}
		offers, err := s.Offers(ctx, tx, recordingID)
		if err != nil {
			return err
		}
		for _, o := range offers {
			if !o.Model.IsFree() {
				continue
			}
			out, err = s.freeLicense(ctx, tx, accountID, recordingID, o.Model.Code)
			if !errors.Is(err, db.ErrNotFound) {
				return err
			}
			out, err = s.Issue(ctx, tx, Grant{AccountID: accountID, RecordingID: recordingID, Code: o.Model.Code, Version: o.Model.Version,
				Price: money.Of(0, s.Currency), Licensee: licensee})
			return err
		}
		return web.Refuse(http.StatusForbidden, "This recording is not free. Choose a license for it.")
	}
	err := s.DB.Tx(ctx, take)
	if db.IsUnique(err) { // another click was faster; its license is there now
		err = s.DB.Tx(ctx, take)
	}
	return out, err
}

func (s *Store) freeLicense(ctx context.Context, q db.Querier, accountID, recordingID int64, code string) (License, error) {
	return db.Get[License](ctx, q, `SELECT `+licenseColumns+` FROM license WHERE account_id = $1 AND recording_id = $2 AND model_code = $3
		AND order_line IS NULL AND revoked_at IS NULL`, accountID, recordingID, code)
}

// LicenseFor is the best valid license an account holds for a recording, paid before free, newest first; db.ErrNotFound when
// there is none. It decides downloads.
func (s *Store) LicenseFor(ctx context.Context, q db.Querier, accountID, recordingID int64) (License, error) {
	if accountID == 0 {
		return License{}, db.ErrNotFound
	}
	l, err := db.Get[License](ctx, q, `SELECT `+licenseColumns+` FROM license WHERE account_id = $1 AND recording_id = $2 AND revoked_at IS NULL
		ORDER BY CASE WHEN order_line IS NULL THEN 1 ELSE 0 END, issued_at DESC, number LIMIT 1`, accountID, recordingID)
	if err != nil {
		return License{}, fmt.Errorf("find license of account %d for recording %d: %w", accountID, recordingID, err)
	}
	return l, nil
}

// Licensed tells whether an account holds a valid license for a recording.
func (s *Store) Licensed(ctx context.Context, q db.Querier, accountID, recordingID int64) (bool, error) {
	_, err := s.LicenseFor(ctx, q, accountID, recordingID)
	if errors.Is(err, db.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// License reads one license by id.
func (s *Store) License(ctx context.Context, q db.Querier, id int64) (License, error) {
	l, err := db.Get[License](ctx, q, `SELECT `+licenseColumns+` FROM license WHERE id = $1`, id)
	if err != nil {
		return License{}, fmt.Errorf("read license %d: %w", id, err)
	}
	return l, nil
}

// ByNumber reads a license by its certificate's number in any spelling.
func (s *Store) ByNumber(ctx context.Context, number string) (License, error) {
	n, err := certificate.ParseNumber(number)
	if err != nil {
		return License{}, fmt.Errorf("find license: %w", db.ErrNotFound)
	}
	l, err := db.Get[License](ctx, s.DB, `SELECT `+licenseColumns+` FROM license WHERE number = $1`, n)
	if err != nil {
		return License{}, fmt.Errorf("find license %s: %w", n, err)
	}
	return l, nil
}

// ByOrderLine reads the license that an order line gave.
func (s *Store) ByOrderLine(ctx context.Context, q db.Querier, line int64) (License, error) {
	l, err := db.Get[License](ctx, q, `SELECT `+licenseColumns+` FROM license WHERE order_line = $1`, line)
	if err != nil {
		return License{}, fmt.Errorf("read license of order line %d: %w", line, err)
	}
	return l, nil
}

// Held lists an account's licenses, newest first, revoked ones included.
func (s *Store) Held(ctx context.Context, q db.Querier, accountID int64) ([]License, error) {
	all, err := db.Query[License](ctx, q, `SELECT `+licenseColumns+` FROM license WHERE account_id = $1 ORDER BY issued_at DESC, number`, accountID)
	if err != nil {
		return nil, fmt.Errorf("list licenses of account %d: %w", accountID, err)
	}
	return all, nil
}

// RevokeLine revokes the license of an order line, with the reason that the verify page shows. A license already revoked
// keeps its first reason.
func (s *Store) RevokeLine(ctx context.Context, tx *db.Tx, line int64, why string) error {
	_, err := db.Exec(ctx, tx, `UPDATE license SET revoked_at = $2, revoked_why = $3 WHERE order_line = $1 AND revoked_at IS NULL`, line, s.now(), why)
	if err != nil {
		return fmt.Errorf("revoke license of order line %d: %w", line, err)
	}
	return nil
}

// Verdict is the result of checking a license against this instance.
type Verdict struct {
	License     License
	Certificate certificate.Certificate
	Err         error // nil: the signature is right; else certificate.ErrAltered, ErrUnknownKey or ErrMalformed
}

// Verify looks a number up and checks the stored certificate's signature. db.ErrNotFound when there is no such license.
func (s *Store) Verify(ctx context.Context, number string) (Verdict, error) {
	l, err := s.ByNumber(ctx, number)
	if err != nil {
		return Verdict{}, err
	}
	doc, err := l.Document()
	if err != nil {
		return Verdict{License: l, Err: fmt.Errorf("%w: %w", certificate.ErrMalformed, err)}, nil
	}
	keys, err := s.PublicKeys(ctx)
	if err != nil {
		return Verdict{}, err
	}
	c, err := certificate.Verify(doc, keys...)
	return Verdict{License: l, Certificate: c, Err: err}, nil
}

// Check looks for licenses whose certificate does not verify or does not agree with their row. It is doctor's.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	all, err := db.Query[License](ctx, s.DB, `SELECT `+licenseColumns+` FROM license ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("check licenses: %w", err)
	}
	keys, err := s.PublicKeys(ctx)
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, l := range all {
		doc, err := l.Document()
		if err == nil {
			var c certificate.Certificate
			if c, err = certificate.Verify(doc, keys...); err == nil && (c.Number != l.Number || c.Recording.ID != l.RecordingID || c.License.Code != l.ModelCode || c.License.Version != l.ModelVersion) {
				err = errors.New("the certificate names another license than its row")
			}
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("license %d (%s): %v", l.ID, certificate.Group(l.Number), err))
		}
	}
	return wrong, nil
}
