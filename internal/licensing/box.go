package licensing

import (
	"cmp"
	"context"
	"fmt"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/web/ui"
)

// HeldOf lists which of the recordings an account holds a license to that was not revoked, with the newest license's id.
func (s *Store) HeldOf(ctx context.Context, account int64, recordings []int64) (map[int64]int64, error) {
	type row struct {
		Recording int64 `db:"recording_id"`
		License   int64 `db:"id"`
	}
	in, args := db.In(2, recordings)
	rows, err := db.Query[row](ctx, s.DB, `SELECT recording_id, id FROM license WHERE account_id = $1 AND revoked_at IS NULL AND recording_id IN (`+in+`) ORDER BY issued_at, id`,
		append([]any{account}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("licenses of account %d: %w", account, err)
	}
	out := map[int64]int64{}
	for _, r := range rows {
		out[r.Recording] = r.License
	}
	return out, nil
}

// Box fills the card that sells or gives a recording to the actor of ctx, and the line that credits it: under its free
// license, else under the narrowest paid one. inCart is the model that the actor's cart holds it under, or empty.
func (s *Store) Box(ctx context.Context, id int64, inCart string) (ui.LicenseBox, string, error) {
	actor := access.From(ctx)
	box := ui.LicenseBox{RecordingID: id, CompareURL: "/licenses", InCart: inCart}
	rec, err := s.recording(ctx, s.DB, id)
	if err != nil {
		return box, "", err
	}
	offers, err := s.Offers(ctx, s.DB, id)
	if err != nil {
		return box, "", err
	}
	credit, fallen, names := "", "", map[string]string{}
	for _, o := range offers {
		names[o.Model.Code] = o.Model.Name
		line := ui.Offer{Code: o.Model.Code, Name: o.Model.Name, Summary: o.Model.Summary, URL: "/licenses/" + o.Model.Code}
		if o.Model.IsFree() {
			credit = s.Attribution(rec, o.Model)
			box.Free = append(box.Free, line)
			continue
		}
		if credit == "" {
			credit = s.Attribution(rec, o.Model)
		}
		if o.BelowFloor() && fallen == "" {
			fallen = o.BelowFloorText()
		}
		if !o.OnSale() {
			continue
		}
		line.Price = o.Price.String()
		line.Selected = o.Model.Code == "standard" || inCart == o.Model.Code
		box.Paid = append(box.Paid, line)
	}
	choose(box.Paid)
	if len(box.Free) > 0 {
		box.FreeURL = fmt.Sprintf("/recordings/%d/free", id)
		if !actor.SignedIn() {
			box.FreeURL, box.FreeSignIn = fmt.Sprintf("/sign-in?next=/recordings/%d", id), true
		}
	}
	switch {
	case !rec.Published:
		box.Why = "It can be licensed once it is published."
	case actor.SignedIn() && actor.ID == rec.OwnerID && fallen != "":
		box.Why = "This is your own recording. " + fallen
	case len(box.Paid) == 0 && len(box.Free) == 0:
		box.Why = "It is not offered under any license now."
	case actor.SignedIn() && actor.ID == rec.OwnerID:
		box.Why = "This is your own recording. Others see its licenses and prices here."
	}
	if !actor.SignedIn() {
		return box, credit, nil
	}
	licenses, err := s.Held(ctx, s.DB, actor.ID)
	if err != nil {
		return box, credit, err
	}
	for _, l := range licenses {
		if l.RecordingID != id || !l.Valid() {
			continue
		}
		if box.OwnedURL == "" {
			box.OwnedURL = fmt.Sprintf("/library/%d/download", l.ID)
		}
		box.Owned = append(box.Owned, ui.Fact{Label: cmp.Or(names[l.ModelCode], l.ModelCode), Value: certificate.Group(l.Number), URL: "/verify/" + l.Number})
	}
	return box, credit, nil
}

// choose leaves exactly one paid offer chosen: the one marked, else the first.
func choose(offers []ui.Offer) {
	chosen := -1
	for i := range offers {
		if offers[i].Selected {
			chosen = i
		}
		offers[i].Selected = false
	}
	if len(offers) > 0 {
		offers[max(chosen, 0)].Selected = true
	}
}
