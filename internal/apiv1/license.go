package apiv1

import (
	"context"
	"slices"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/licensing/certificate"
)

// License is a kind of license that recordings are offered under.
type License struct {
	Code        string          `json:"code"`
	Kind        string          `json:"kind" enum:"free,paid"`
	Version     int64           `json:"version"`
	Name        string          `json:"name"`
	Summary     string          `json:"summary"`
	Terms       licensing.Terms `json:"terms" doc:"-1 is no limit."`
	URL         string          `json:"url" format:"uri" doc:"Its text for people: the deed, or this site's page."`
	Offered     bool            `json:"offered" doc:"Whether it can be chosen for new recordings and bought."`
	ImportsOnly bool            `json:"imports_only" doc:"Only for recordings that were imported under it."`
	Music       *Money          `json:"usual_price_music,omitempty" doc:"For music and instrument samples."`
	Effects     *Money          `json:"usual_price,omitempty" doc:"For everything else."`
	Floor       *Money          `json:"lowest_price,omitempty"`
	Made        time.Time       `json:"version_made_at"`
	TextSHA256  string          `json:"text_sha256" doc:"Of the agreement's UTF-8 bytes, as certificates name it."`
	Text        string          `json:"text,omitempty" doc:"The agreement, Markdown; in the answer for one license."`
}

// HeldLicense is a license that an account holds.
type HeldLicense struct {
	ID          int64      `json:"id"`
	Certificate string     `json:"certificate" doc:"Number of its certificate."`
	Recording   int64      `json:"recording" doc:"Id."`
	Title       string     `json:"title" doc:"As it was when the license was given."`
	License     string     `json:"license" doc:"Code."`
	Version     int64      `json:"license_version"`
	Licensee    string     `json:"licensee"`
	Company     string     `json:"company"`
	Project     string     `json:"project"`
	Price       Money      `json:"price"`
	Issued      time.Time  `json:"issued_at"`
	Valid       bool       `json:"valid"`
	Revoked     *time.Time `json:"revoked_at"`
	Why         string     `json:"revoked_why,omitempty"`
	Download    string     `json:"download,omitempty" format:"uri" doc:"The original file; left out when the license was revoked."`
	Verify      string     `json:"verify" format:"uri" doc:"The page that proves it; with .json or .pdf behind it, the certificate."`
}

// Verdict is what a certificate is worth.
type Verdict struct {
	Number      string                   `json:"number"`
	Valid       bool                     `json:"valid" doc:"The signature is this site's and the license was not revoked."`
	Signature   string                   `json:"signature" enum:"good,bad"`
	Why         string                   `json:"why,omitempty" doc:"Why it is not valid."`
	Revoked     *time.Time               `json:"revoked_at"`
	Certificate *certificate.Certificate `json:"certificate,omitempty" doc:"What was signed; left out when the signature is bad."`
	JSON        string                   `json:"json" format:"uri" doc:"The signed document, for audiomicro verify."`
	PDF         string                   `json:"pdf" format:"uri"`
}

func (f *Face) licenseOperations() {
	add(f, operation{route: "GET /licenses", id: "list-licenses", tag: tagLicenses, summary: "List the licenses of this site", action: access.Look, text: "From the narrowest to the widest, those no longer offered too."},
		func(ctx context.Context, _ *struct{}) (*body[List[License]], error) {
			models, err := f.Licensing.Models(ctx, f.Licensing.DB)
			out := List[License]{Items: []License{}, Total: len(models)}
			for _, m := range models {
				l := f.license(m)
				l.Text = ""
				out.Items = append(out.Items, l)
			}
			return answer(out), err
		})
	add(f, operation{route: "GET /licenses/{code}", id: "get-license", tag: tagLicenses, summary: "Read a license", action: access.Look},
		func(ctx context.Context, in *struct {
			Code    string `path:"code" maxLength:"100"`
			Version int64  `query:"version" minimum:"1" doc:"An earlier one, as a certificate names it."`
		}) (*body[License], error) {
			m, err := f.Licensing.Model(ctx, f.Licensing.DB, in.Code, in.Version)
			return answer(f.license(m)), err
		})
	add(f, operation{route: "GET /certificates/{number}", id: "verify-certificate", tag: tagLicenses, summary: "Verify a certificate", action: access.Look, text: "Who has the number may see the certificate: it is 128 random bits. In any spelling, with dashes or without."}, f.verify)
	add(f, operation{route: "POST /recordings/{id}/license", id: "take-free-license", tag: tagLibrary, summary: "Take the free license of a recording", action: access.UseAccount, private: true,
		text: "The one that the account holds already, or a new one. A recording without a free offer answers 403."},
		func(ctx context.Context, in *ByID) (*body[HeldLicense], error) {
			rec, err := f.published(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			l, err := f.Licensing.TakeFree(ctx, me(ctx).ID, rec.ID, me(ctx).Name)
			if err != nil {
				return nil, err
			}
			out, err := f.held(l)
			return answer(out), err
		})
	add(f, operation{route: "GET /library", id: "list-library", tag: tagLibrary, summary: "List the licenses that one holds", action: access.UseAccount, private: true, text: "Newest first, revoked ones too."},
		func(ctx context.Context, in *struct {
			Paging
			Recording int64 `query:"recording" minimum:"1" doc:"Only licenses of this recording."`
		}) (*body[List[HeldLicense]], error) {
			all, err := f.Licensing.Held(ctx, f.Licensing.DB, me(ctx).ID)
			if err != nil {
				return nil, err
			}
			if in.Recording != 0 {
				all = slices.DeleteFunc(all, func(l licensing.License) bool { return l.RecordingID != in.Recording })
			}
			var out []HeldLicense
			for _, l := range cut(in.Paging, all) {
				h, err := f.held(l)
				if err != nil {
					return nil, err
				}
				out = append(out, h)
			}
			return page(ctx, f, in.Paging, out, len(all)), nil
		})
	add(f, operation{route: "GET /library/{id}", id: "get-held-license", tag: tagLibrary, summary: "Read a license that one holds", action: access.UseAccount, private: true},
		func(ctx context.Context, in *ByID) (*body[HeldLicense], error) {
			l, err := f.Licensing.License(ctx, f.Licensing.DB, in.ID)
			if err != nil {
				return nil, err
			}
			if l.AccountID != me(ctx).ID {
				return nil, db.ErrNotFound
			}
			out, err := f.held(l)
			return answer(out), err
		})
}

func (f *Face) license(m licensing.Model) License {
	l := License{Code: m.Code, Kind: string(m.Kind), Version: m.Version, Name: m.Name, Summary: m.Summary, Terms: m.Terms, URL: f.Licensing.DeedURL(m), Offered: m.Active && !m.ImportsOnly,
		ImportsOnly: m.ImportsOnly, Made: moment(m.CreatedAt), TextSHA256: m.TextSHA256, Text: m.Text}
	if !m.IsFree() {
		l.Music, l.Effects, l.Floor = &Money{m.MusicMinor, f.Licensing.Currency}, &Money{m.SFXMinor, f.Licensing.Currency}, &Money{m.FloorMinor, f.Licensing.Currency}
	}
	return l
}

func (f *Face) held(l licensing.License) (HeldLicense, error) {
	c, err := l.Certificate()
	out := HeldLicense{ID: l.ID, Certificate: certificate.Group(l.Number), Recording: l.RecordingID, Title: c.Recording.Title, License: l.ModelCode, Version: l.ModelVersion, Licensee: l.Licensee,
		Company: l.Company, Project: l.Project, Price: moneyOf(c.Order.Amount), Issued: moment(l.IssuedAt), Valid: l.Valid(), Why: l.RevokedWhy, Verify: f.Licensing.VerifyURL(l)}
	if l.RevokedAt != nil {
		out.Revoked = maybe(*l.RevokedAt)
	} else {
		out.Download = f.at("%s/recordings/%d/download", Prefix, l.RecordingID)
	}
	return out, err
}

func (f *Face) verify(ctx context.Context, in *struct {
	Number string `path:"number" maxLength:"100"`
}) (*body[Verdict], error) {
	v, err := f.Licensing.Verify(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	at := f.Licensing.VerifyURL(v.License)
	out := Verdict{Number: certificate.Group(v.License.Number), Valid: v.Err == nil && v.License.Valid(), Signature: "good", JSON: at + ".json", PDF: at + ".pdf"}
	if v.License.RevokedAt != nil {
		out.Revoked, out.Why = maybe(*v.License.RevokedAt), v.License.RevokedWhy
	}
	if v.Err != nil {
		out.Signature, out.Why = "bad", v.Err.Error()
	} else {
		out.Certificate = &v.Certificate
	}
	return answer(out), nil
}
