package licensing

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"audiomicro/internal/db"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
)

// Offer is a model under which a recording can be had, at a price.
type Offer struct {
	Code  string       // model code
	Price money.Amount // zero for free models
}

// Offered is an offer with its model.
type Offered struct {
	Model Model
	Price money.Amount
}

// BelowFloor tells whether a price is lower than this site allows: the floor was raised after it was set.
func (o Offered) BelowFloor() bool {
	return !o.Model.IsFree() && o.Price.Minor < max(o.Model.FloorMinor, 1)
}

// OnSale tells whether the offer can be bought or taken now: the views offer_open and recording_price say the same.
func (o Offered) OnSale() bool {
	return o.Model.IsFree() || o.Model.Active && !o.BelowFloor()
}

// BelowFloorText says to its contributor why an offer below the floor is not on sale, and what to do.
func (o Offered) BelowFloorText() string {
	return fmt.Sprintf("Nothing is sold under %s now: this site asks at least %s for it, and the price is %s. Set a new price.", o.Model.Name, money.Of(max(o.Model.FloorMinor, 1), o.Price.Currency), o.Price)
}

// Change says what an edit of offers did.
type Change struct {
	WasPaid bool // it had offers and none was free
	Paid    bool // it has offers and none is free
}

// SetOffers replaces a recording's offers. imports allows models that are only for imports. A model that is no longer offered
// may stay when the recording had it. Errors fit for the contributor are web.Public with status 422.
func (s *Store) SetOffers(ctx context.Context, tx *db.Tx, recordingID int64, offers []Offer, imports bool) (Change, error) {
	models, err := s.Models(ctx, tx)
	if err != nil {
		return Change{}, err
	}
	before, err := s.Offers(ctx, tx, recordingID)
	if err != nil {
		return Change{}, err
	}
	had := map[string]bool{}
	for _, o := range before {
		had[o.Model.Code] = true
	}
	if err := s.checkOffers(models, offers, had, imports); err != nil {
		return Change{}, err
	}
	if _, err := db.Exec(ctx, tx, `DELETE FROM offer WHERE recording_id = $1`, recordingID); err != nil {
		return Change{}, fmt.Errorf("replace offers of recording %d: %w", recordingID, err)
	}
	change := Change{WasPaid: len(before) > 0 && !hasFree(before), Paid: len(offers) > 0}
	for _, o := range offers {
		i := slices.IndexFunc(models, func(m Model) bool { return m.Code == o.Code })
		if models[i].IsFree() {
			change.Paid = false
		}
		_, err := db.Exec(ctx, tx, `INSERT INTO offer (recording_id, model_code, price_minor, currency, created_at) VALUES ($1,$2,$3,$4,$5)`,
			recordingID, o.Code, o.Price.Minor, s.Currency, s.now())
		if err != nil {
			return Change{}, fmt.Errorf("offer recording %d under %s: %w", recordingID, o.Code, err)
		}
	}
	return change, nil
}

func (s *Store) checkOffers(models []Model, offers []Offer, had map[string]bool, imports bool) error {
	const status = http.StatusUnprocessableEntity
	seen, free := map[string]bool{}, ""
	for _, o := range offers {
		i := slices.IndexFunc(models, func(m Model) bool { return m.Code == o.Code })
		if i < 0 {
			return web.Refuse(status, "This site does not know the license %.40q.", o.Code)
		}
		m := models[i]
		switch {
		case seen[o.Code]:
			return web.Refuse(status, "%s is chosen twice.", m.Name)
		case !m.Active && !had[o.Code]:
			return web.Refuse(status, "%s is no longer offered here. Choose another license.", m.Name)
		case m.ImportsOnly && !imports && !had[o.Code]:
			return web.Refuse(status, "%s is only for imported recordings. Choose another license.", m.Name)
		case m.IsFree() && free != "":
			return web.Refuse(status, "Choose one free license: %s or %s.", free, m.Name)
		case m.IsFree() && o.Price.Minor != 0:
			return web.Refuse(status, "%s is free; it has no price.", m.Name)
		case !m.IsFree() && o.Price.Currency != s.Currency:
			return web.Refuse(status, "Prices on this site are in %s.", s.Currency)
		case !m.IsFree() && o.Price.Minor < m.FloorMinor:
			return web.Refuse(status, "%s costs at least %s here; %s is too little.", m.Name, money.Of(m.FloorMinor, s.Currency), o.Price)
		case o.Price.Minor > maxPrice:
			return web.Refuse(status, "%s is more than a license may cost here.", o.Price)
		}
		seen[o.Code] = true
		if m.IsFree() {
			free = m.Name
		}
	}
	return nil
}

func hasFree(offers []Offered) bool {
	return slices.ContainsFunc(offers, func(o Offered) bool { return o.Model.IsFree() })
}

// Offers lists a recording's offers with the current versions of their models, in the models' order, those no longer active
// included: see Model.Active.
func (s *Store) Offers(ctx context.Context, q db.Querier, recordingID int64) ([]Offered, error) {
	type row struct {
		modelRow
		Price    int64  `db:"price_minor"`
		Currency string `db:"currency"`
	}
	rows, err := db.Query[row](ctx, q, `SELECT `+modelColumns+`, o.price_minor, o.currency FROM offer o JOIN license_model m ON m.code = o.model_code
		JOIN license_text t ON t.code = m.code AND t.version = m.version WHERE o.recording_id = $1 ORDER BY m.position, m.code`, recordingID)
	if err != nil {
		return nil, fmt.Errorf("list offers of recording %d: %w", recordingID, err)
	}
	out := make([]Offered, len(rows))
	for i, r := range rows {
		m, err := r.model()
		if err != nil {
			return nil, err
		}
		out[i] = Offered{Model: m, Price: money.Of(r.Price, r.Currency)}
	}
	return out, nil
}

// OffersOf lists the offers of several recordings, each as Offers does.
func (s *Store) OffersOf(ctx context.Context, q db.Querier, recordings []int64) (map[int64][]Offered, error) {
	type row struct {
		modelRow
		Recording int64  `db:"recording_id"`
		Price     int64  `db:"price_minor"`
		Currency  string `db:"currency"`
	}
	in, args := db.In(1, recordings)
	rows, err := db.Query[row](ctx, q, `SELECT `+modelColumns+`, o.recording_id, o.price_minor, o.currency FROM offer o JOIN license_model m ON m.code = o.model_code
		JOIN license_text t ON t.code = m.code AND t.version = m.version WHERE o.recording_id IN (`+in+`) ORDER BY m.position, m.code`, args...)
	if err != nil {
		return nil, fmt.Errorf("list offers of %d recordings: %w", len(recordings), err)
	}
	out := map[int64][]Offered{}
	for _, r := range rows {
		m, err := r.model()
		if err != nil {
			return nil, err
		}
		out[r.Recording] = append(out[r.Recording], Offered{Model: m, Price: money.Of(r.Price, r.Currency)})
	}
	return out, nil
}

// Fallen lists the recordings whose price under a model lies below its floor since the floor was raised from `from`, in minor units:
// those that were below it before are left out.
func (s *Store) Fallen(ctx context.Context, q db.Querier, code string, from int64) ([]int64, error) {
	ids, err := db.Query[int64](ctx, q, `SELECT o.recording_id FROM offer o JOIN license_model m ON m.code = o.model_code
		WHERE o.model_code = $1 AND m.kind = 'paid' AND m.active = 1 AND o.price_minor >= $2 AND o.price_minor < m.floor_minor ORDER BY o.recording_id`, code, from)
	if err != nil {
		return nil, fmt.Errorf("list prices of %s below its floor: %w", code, err)
	}
	return ids, nil
}

// Prices lists a recording's offers by model code with the price as typed, "" for free ones.
func (s *Store) Prices(ctx context.Context, q db.Querier, recordingID int64) (map[string]string, error) {
	offers, err := s.Offers(ctx, q, recordingID)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, o := range offers {
		out[o.Model.Code] = ""
		if !o.Model.IsFree() {
			out[o.Model.Code] = o.Price.Decimal()
		}
	}
	return out, nil
}

// HasOffer tells whether a recording is offered under any license.
func (s *Store) HasOffer(ctx context.Context, q db.Querier, recordingID int64) (bool, error) {
	n, err := db.Get[int64](ctx, q, `SELECT count(*) FROM offer WHERE recording_id = $1`, recordingID)
	if err != nil {
		return false, fmt.Errorf("count offers of recording %d: %w", recordingID, err)
	}
	return n > 0, nil
}

// ForSale finds one offer that can be bought or taken now. A missing one, one of a model that is no longer offered or one
// whose price is below the floor is a web.Public error with status 409.
func (s *Store) ForSale(ctx context.Context, q db.Querier, recordingID int64, code string) (Offered, error) {
	offers, err := s.Offers(ctx, q, recordingID)
	if err != nil {
		return Offered{}, err
	}
	for _, o := range offers {
		switch {
		case o.Model.Code != code:
		case !o.Model.Active && !o.Model.IsFree():
			return Offered{}, web.Refuse(http.StatusConflict, "The %s license is no longer offered. Choose another license for this recording.", o.Model.Name)
		case o.BelowFloor():
			return Offered{}, web.Refuse(http.StatusConflict, "The price of the %s license, %s, is below what this site allows now; its contributor has to set a new one. Choose another license or another recording.", o.Model.Name, o.Price)
		default:
			return o, nil
		}
	}
	return Offered{}, web.Refuse(http.StatusConflict, "This recording is not offered under that license any more. Choose another license for it.")
}
