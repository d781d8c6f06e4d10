package uploads

import (
	"context"
	"net/url"
	"slices"

	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/web/ui"
)

// offerable lists the models that a contributor may choose for a recording: those offered now, and those it has.
func (s *Store) offerable(ctx context.Context, had []licensing.Offered) ([]licensing.Model, error) {
	all, err := s.Licensing.Models(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m licensing.Model) bool {
		kept := slices.ContainsFunc(had, func(o licensing.Offered) bool { return o.Model.Code == m.Code })
		return !kept && (!m.Active || m.ImportsOnly)
	}), nil
}

// offerChoices shows the models with the recording's prices, else those proposed for its category.
func (s *Store) offerChoices(models []licensing.Model, had []licensing.Offered, category string) []ui.OfferChoice {
	out := make([]ui.OfferChoice, len(models))
	for i, m := range models {
		c := ui.OfferChoice{Code: m.Code, Name: m.Name, Summary: m.Summary, Free: m.IsFree(), URL: "/licenses/" + m.Code}
		if !c.Free {
			c.Price = s.defaultPrice(m, category).Decimal()
			c.Floor = s.Licensing.Currency + ", at least " + money.Of(m.FloorMinor, s.Licensing.Currency).String()
		}
		for _, o := range had {
			if o.Model.Code == m.Code {
				c.Checked = true
				if !c.Free {
					c.Price = o.Price.Decimal()
				}
				if o.BelowFloor() {
					c.Error = o.BelowFloorText()
				}
			}
		}
		out[i] = c
	}
	return out
}

// defaultPrice is what is proposed for a category, never below the floor.
func (s *Store) defaultPrice(m licensing.Model, category string) money.Amount {
	return money.Of(max(m.DefaultMinor(category), m.FloorMinor), s.Licensing.Currency)
}

// typedOffers reads the offer and price-CODE fields of the single form. Choices come back as typed, with their errors.
func (s *Store) typedOffers(choices []ui.OfferChoice, form url.Values) (offers []licensing.Offer, errs []ui.FormError) {
	for i := range choices {
		c := &choices[i]
		if form.Has("price-" + c.Code) {
			c.Price = clip(form.Get("price-"+c.Code), 20)
		}
		c.Checked, c.Error = slices.Contains(form["offer"], c.Code), ""
		if !c.Checked {
			continue
		}
		o := licensing.Offer{Code: c.Code}
		if !c.Free {
			price, err := money.Parse(c.Price, s.Licensing.Currency)
			if err != nil {
				c.Error = "Write a price, as 9 or 9.50."
				errs = append(errs, ui.FormError{Field: "price-" + c.Code, Text: c.Name + ": write a price, as 9 or 9.50."})
				continue
			}
			o.Price = price
		}
		offers = append(offers, o)
	}
	return offers, errs
}

// categoryOptions lists the taxonomy for a select.
func categoryOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "Choose"}}
	for _, c := range taxonomy.Categories() {
		out = append(out, ui.Option{Value: c.Code, Label: c.Name, Group: c.Group})
	}
	return out
}
