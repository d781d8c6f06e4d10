package payments

import (
	"context"
	"net/http"

	"audiomicro/internal/db"
	"audiomicro/internal/money"
)

// ManualName is the manual provider's code.
const ManualName = "manual"

// Manual is payment by invoice: the buyer transfers the money, an admin (or `audiomicro order pay`) marks the order paid.
type Manual struct{}

// Name implements Provider.
func (Manual) Name() string { return ManualName }

// Label implements Provider.
func (Manual) Label() string { return "Invoice" }

// Hint implements Provider.
func (Manual) Hint() string { return "Bank transfer; the license follows when the money is here" }

// Create implements Provider: the order's own page says how to pay.
func (Manual) Create(context.Context, Charge) (Started, error) { return Started{}, nil }

// Look implements Provider: nobody outside knows anything.
func (Manual) Look(context.Context, string) (Reading, error) { return Reading{}, db.ErrNotFound }

// Capture implements Provider.
func (Manual) Capture(context.Context, string) (Reading, error) { return Reading{}, db.ErrNotFound }

// Refund implements Provider: the operator transfers the money back; the list of refunds says how much to whom.
func (Manual) Refund(context.Context, string, string, money.Amount) error { return nil }

// ParseWebhook implements Provider.
func (Manual) ParseWebhook([]byte, http.Header) ([]Event, error) { return nil, ErrNoWebhook }
